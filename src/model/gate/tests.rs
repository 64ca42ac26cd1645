//! What the gate says of models that are good, bad, equal, and not to be compared.

use super::scores::{Answers, fast};
use super::{Champion, FEWEST_ROWS, judge, judge_reported};
use crate::api::types::{GateLedger, GateVerdict};
use crate::config::{ChampionRule, GateSettings, Task, TrainSettings};
use crate::model::data::dataset::{DataSet, read};
use crate::model::data::split::split;
use crate::model::envelope::SavedModel;
use crate::model::evaluate::{self, Metrics};
use crate::model::samples::{self, Folder};
use crate::model::training::train;

fn data() -> DataSet {
    read(&[Folder::new().write("flowers.csv", &samples::flowers())]).unwrap()
}

fn trained(data: &DataSet, settings: &TrainSettings) -> SavedModel {
    train(data, settings, &mut |_| {}).unwrap()
}

/// One that sees only the colour, which says little.
fn weak(data: &DataSet) -> SavedModel {
    let exclude = vec!["height".to_owned(), "width".to_owned()];
    trained(data, &TrainSettings { exclude, ..samples::settings("kind") })
}

fn strong(data: &DataSet) -> SavedModel {
    trained(data, &samples::settings("kind"))
}

fn gate(min: Option<f64>, champion: Option<ChampionRule>, tolerance: f64) -> GateSettings {
    GateSettings { metric: "accuracy".to_owned(), min, champion, tolerance }
}

fn beside(
    rule: ChampionRule,
    tolerance: f64,
    challenger: &SavedModel,
    champion: &SavedModel,
    data: &DataSet,
) -> GateLedger {
    let held_out = split(data, &samples::settings("kind")).unwrap().held_out;
    let champion = Champion { version: 3, model: Ok(champion) };
    judge(&gate(None, Some(rule), tolerance), challenger, Some(&champion), data, &held_out)
}

#[test]
fn a_better_model_passes_and_a_worse_one_is_held_with_the_difference_and_its_interval() {
    let data = data();
    let (weak, strong) = (weak(&data), strong(&data));
    for rule in [ChampionRule::NoWorse, ChampionRule::Better] {
        let ledger = beside(rule, 0.0, &strong, &weak, &data);
        let check = &ledger.checks[0];
        assert_eq!((ledger.verdict, check.verdict, ledger.next.as_str()), (GateVerdict::Pass, GateVerdict::Pass, ""));
        let (low, high) = check.interval.unwrap();
        let difference = check.difference.unwrap();
        assert!(0.0 < low && low <= difference && difference <= high, "{check:?}");
        assert!(check.p_value.unwrap() < 0.001, "{check:?}");
    }
    let ledger = beside(ChampionRule::NoWorse, 0.01, &weak, &strong, &data);
    assert_eq!((ledger.verdict, ledger.champion), (GateVerdict::Fail, Some(3)));
    let sentence = ledger.sentence();
    assert!(sentence.contains("of model 3 on the same ") && sentence.contains(" worse (95 % interval -"), "{sentence}");
    assert!(sentence.ends_with(", beyond the tolerance of 0.01"), "{sentence}");
    assert!(ledger.next.contains("trainyard promote"), "{ledger:?}");
}

#[test]
fn an_equal_model_is_no_worse_and_not_better() {
    let data = data();
    let (one, other) = (strong(&data), strong(&data));
    assert_eq!(beside(ChampionRule::NoWorse, 0.0, &one, &other, &data).verdict, GateVerdict::Pass);
    let ledger = beside(ChampionRule::Better, 0.0, &one, &other, &data);
    assert_eq!(ledger.verdict, GateVerdict::Fail);
    assert!(ledger.sentence().ends_with(": equal (95 % interval +0.000 to +0.000), which may be chance"), "{ledger:?}");
}

#[test]
fn errors_are_compared_the_other_way_round() {
    let data = data();
    let (weak, strong) = (weak(&data), strong(&data));
    let held_out = split(&data, &samples::settings("kind")).unwrap().held_out;
    let settings = GateSettings { metric: "log_loss".to_owned(), ..gate(None, Some(ChampionRule::Better), 0.0) };
    let champion = Champion { version: 1, model: Ok(&weak) };
    let ledger = judge(&settings, &strong, Some(&champion), &data, &held_out);
    assert_eq!(ledger.verdict, GateVerdict::Pass);
    assert!(ledger.checks[0].difference.unwrap() > 0.0 && ledger.checks[0].p_value.is_none(), "{ledger:?}");
}

#[test]
fn what_cannot_be_compared_is_no_evidence_and_never_a_pass() {
    let data = data();
    let strong = strong(&data);
    let settings = gate(Some(0.5), Some(ChampionRule::NoWorse), 1.0);
    let held_out = split(&data, &samples::settings("kind")).unwrap().held_out;
    let judged = |champion: Result<&SavedModel, String>, data: &DataSet, rows: &[usize]| {
        let champion = Champion { version: 3, model: champion };
        let ledger = judge(&settings, &strong, Some(&champion), data, rows);
        assert_eq!(
            (ledger.verdict, ledger.checks[0].verdict),
            (GateVerdict::NoEvidence, GateVerdict::Pass),
            "{ledger:?}"
        );
        ledger.sentence()
    };
    let gone = judged(Err("its files are gone".to_owned()), &data, &held_out);
    assert_eq!(gone, "model 3, the champion, cannot be used: its files are gone");
    let few = judged(Ok(&strong), &data, &held_out[..FEWEST_ROWS - 1]);
    assert!(few.contains("only 29 held-out rows") && few.contains("30 are needed"), "{few}");
    // Of another seed, a fifth of a fifth of 300 rows is new to both.
    let other = trained(&data, &TrainSettings { seed: 43, ..samples::settings("kind") });
    assert!(judged(Ok(&other), &data, &held_out).contains("are new to model 3"));
    let about = trained(&data, &samples::settings("colour"));
    assert!(judged(Ok(&about), &data, &held_out).contains("it predicts \"colour\" and not \"kind\""));

    let more: String = samples::flowers()
        .lines()
        .enumerate()
        .map(|(row, line)| if row == 0 { format!("{line},age\n") } else { format!("{line},{row}\n") })
        .collect();
    let grown = read(&[Folder::new().write("flowers.csv", &more)]).unwrap();
    let new = trained(&grown, &samples::settings("kind"));
    let champion = Champion { version: 3, model: Ok(&strong) };
    let rows = split(&grown, &samples::settings("kind")).unwrap().held_out;
    let ledger = judge(&settings, &new, Some(&champion), &grown, &rows);
    assert_eq!(ledger.verdict, GateVerdict::NoEvidence);
    assert!(ledger.sentence().contains("the column \"age\" is new since it was trained"), "{ledger:?}");
}

#[test]
fn a_champion_that_learned_from_numbers_is_not_asked_about_dates() {
    let with = |value: fn(usize) -> String| {
        let line = |(row, line): (usize, &str)| match row {
            0 => format!("{line},seen\n"),
            row => format!("{line},{}\n", value(row)),
        };
        let text: String = samples::flowers().lines().enumerate().map(line).collect();
        read(&[Folder::new().write("flowers.csv", &text)]).unwrap()
    };
    let years = with(|row| (2000 + row % 20).to_string());
    let dates = with(|row| format!("{}-01-31", 2000 + row % 20));
    let (old, new) = (strong(&years), strong(&dates));
    let champion = Champion { version: 3, model: Ok(&old) };
    let rows = split(&dates, &samples::settings("kind")).unwrap().held_out;
    let settings = gate(None, Some(ChampionRule::NoWorse), 1.0);
    let ledger = judge(&settings, &new, Some(&champion), &dates, &rows);
    assert_eq!(ledger.verdict, GateVerdict::NoEvidence);
    let told = "the column \"seen\" held numbers when it was trained and holds dates now";
    assert!(ledger.sentence().contains(told), "{ledger:?}");
}

#[test]
fn the_first_model_is_judged_by_the_minimum_alone() {
    let data = data();
    let model = strong(&data);
    let of = |min: f64| judge(&gate(Some(min), Some(ChampionRule::NoWorse), 0.0), &model, None, &data, &[]);
    assert_eq!(of(0.9).verdict, GateVerdict::Pass);
    assert_eq!(of(1.5).verdict, GateVerdict::Fail);
    assert_eq!(
        of(1.5).lines(),
        [
            "gate: fail",
            "  minimum   fail         accuracy 1.000 is below 1.5",
            "  champion  pass         there is no champion yet to be compared with",
        ]
    );
    let misspelt = GateSettings { metric: "acuracy".to_owned(), ..gate(Some(0.1), None, 0.0) };
    let ledger = judge(&misspelt, &model, None, &data, &[]);
    assert_eq!(ledger.verdict, GateVerdict::NoEvidence);
    assert!(ledger.sentence().contains("did you mean \"accuracy\"?"), "{ledger:?}");
}

#[test]
fn reported_metrics_are_compared_and_said_to_be_reported() {
    let of = |value: f64| Metrics::from([("accuracy".to_owned(), value)]);
    let settings = gate(None, Some(ChampionRule::NoWorse), 0.02);
    let ledger = judge_reported(&settings, &of(0.79), Some((2, &of(0.8))));
    assert_eq!(ledger.verdict, GateVerdict::Pass);
    assert!(ledger.sentence().contains("as the stage reported both, not measured on equal rows"), "{ledger:?}");
    assert_eq!(judge_reported(&settings, &of(0.7), Some((2, &of(0.8)))).verdict, GateVerdict::Fail);
    assert_eq!(judge_reported(&settings, &of(0.7), Some((2, &Metrics::new()))).verdict, GateVerdict::NoEvidence);
    assert_eq!(judge_reported(&settings, &Metrics::new(), None).verdict, GateVerdict::NoEvidence);
}

#[test]
fn a_ledger_survives_being_written_and_read() {
    let data = data();
    let ledger = beside(ChampionRule::NoWorse, 0.0, &strong(&data), &weak(&data), &data);
    let text = serde_json::to_string(&ledger).unwrap();
    assert_eq!(serde_json::from_str::<GateLedger>(&text).unwrap(), ledger);
}

#[test]
fn metrics_from_sums_are_those_of_the_evaluation() {
    let data = data();
    let rows: Vec<usize> = (0..120).collect();
    let all: Vec<usize> = (0..rows.len()).collect();
    let weak = weak(&data);
    let [answers, _] = Answers::of_both(&weak, &weak, &data, &rows).unwrap();
    let Answers::Classes { truth, probabilities, .. } = &answers else { panic!("{answers:?}") };
    let truth: Vec<Option<usize>> = truth.iter().copied().map(Some).collect();
    let metrics = evaluate::classification(&truth, probabilities);
    for metric in fast(Task::Classification) {
        let value = answers.value(metric, &all).unwrap();
        assert!((value - metrics[*metric]).abs() < 1e-9, "{metric} {value} {metrics:?}");
    }

    let heights = trained(&data, &samples::settings("height"));
    let [answers, _] = Answers::of_both(&heights, &heights, &data, &rows).unwrap();
    let Answers::Numbers { truth, predicted } = &answers else { panic!("{answers:?}") };
    let metrics = evaluate::regression(truth, predicted);
    for metric in fast(Task::Regression) {
        let value = answers.value(metric, &all).unwrap();
        assert!((value - metrics[*metric]).abs() < 1e-9, "{metric} {value} {metrics:?}");
    }
}
