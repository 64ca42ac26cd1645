//! What a user sees of models.

use std::collections::BTreeMap;

use super::difference::Difference;
use super::*;
use crate::api::types::{
    CardFeature, CardRows, FeatureImportance, GateCheck, GateLedger, GateVerdict, LineageFile, ModelCard, ModelLineage,
};
use crate::pipeline::{Digest, Moment, Note, Promoter, Promotion, RunId};

fn summary(version: u64, accuracy: f64) -> ModelSummary {
    ModelSummary {
        version: ModelVersion(version),
        stage: "train".into(),
        run: RunId(version + 2),
        made: Moment(0),
        took: 12_400,
        learner: Some("boosting, 200 rounds of 31 leaves at rate 0.1".to_owned()),
        metric: Some(MetricValue { name: "accuracy".to_owned(), value: accuracy, interval: Some((0.65, 0.75)) }),
        metrics: BTreeMap::from([("accuracy".to_owned(), accuracy), ("f1".to_owned(), 0.5)]),
        verdict: "passed".to_owned(),
        reason: None,
        ungated: false,
        champion: false,
        live: false,
        digest: Some(Digest(format!("{version}").repeat(64))),
        data: Some(Digest("d".repeat(64))),
        rows: Some(1_599),
        commit: Some("3f2a91c".to_owned()),
        parent: version.checked_sub(1).map(ModelVersion),
        note: None,
        has_files: true,
    }
}

fn detail_of(version: u64, accuracy: f64) -> ModelDetail {
    let ledger = GateLedger {
        verdict: GateVerdict::Fail,
        metric: "accuracy".to_owned(),
        champion: Some(version - 1),
        checks: vec![GateCheck {
            name: "champion".to_owned(),
            verdict: GateVerdict::Fail,
            sentence: "accuracy 0.640 beside 0.670 of model 11 on the same 480 held-out rows: 0.030 worse".to_owned(),
            challenger: Some(0.64),
            champion: Some(0.67),
            limit: Some(0.005),
            difference: Some(-0.03),
            interval: Some((-0.05, -0.01)),
            p_value: Some(0.0123),
            rows: Some(480),
        }],
        next: "promote it by hand to use it all the same".to_owned(),
    };
    let lineage = ModelLineage {
        model: ModelVersion(version),
        stage: "train".into(),
        run: RunId(version + 2),
        trainyard: "0.1.0".to_owned(),
        crates: BTreeMap::from([("linfa".to_owned(), "0.8.1".to_owned())]),
        commit: Some("3f2a91c".to_owned()),
        dirty: false,
        source: "3f2a91c".to_owned(),
        configuration: Digest("c".repeat(64)),
        data: Digest("d".repeat(64)),
        rows: 1_599,
        files: vec![LineageFile { path: "winter.csv".to_owned(), digest: Digest("a".repeat(64)), rows: 1_599 }],
        champion: Some(ModelVersion(version - 1)),
    };
    let card = ModelCard {
        task: Some("classification".to_owned()),
        target: Some("quality".to_owned()),
        rows: Some(CardRows { total: 1_599, train: 1_119, held_out: 480 }),
        features: vec![CardFeature { name: "alcohol".to_owned(), ..CardFeature::default() }],
        importance: vec![FeatureImportance { feature: "alcohol".to_owned(), loss: 0.12, deviation: 0.01 }],
        seed: Some(42),
        ..ModelCard::default()
    };
    let held = ModelSummary {
        verdict: "held".to_owned(),
        reason: Some("accuracy is worse".to_owned()),
        champion: true,
        ..summary(version, accuracy)
    };
    ModelDetail {
        summary: held,
        notes: vec![Note { at: Moment(0), by: "ada".to_owned(), text: "rare classes are better".to_owned() }],
        promotions: vec![Promotion {
            at: Moment(0),
            stage: "train".into(),
            model: ModelVersion(version),
            former: None,
            by: Promoter::Operator { name: "ada".to_owned() },
            message: "rare classes matter".to_owned(),
        }],
        ledger: Some(ledger),
        lineage: Some(lineage),
        has_profile: true,
        card,
    }
}

/// The clock on the wall differs from machine to machine.
fn without_times(text: &[u8]) -> String {
    let time = regex::Regex::new(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d").unwrap();
    time.replace_all(&String::from_utf8_lossy(text), "<time>").into_owned()
}

#[test]
fn one_model_is_told_with_its_ledger_and_its_origin() {
    let mut out = Vec::new();
    detail::show(&detail_of(12, 0.64), None, &mut out).unwrap();
    insta::assert_snapshot!(without_times(&out));
}

#[test]
fn who_was_champion_once_is_not_told_as_the_champion_of_now() {
    let mut model = detail_of(12, 0.64);
    model.promotions.extend(model.promotions.clone());
    model.promotions[0].at = Moment(1);
    let told = |model: &ModelDetail| {
        let mut out = Vec::new();
        detail::show(model, None, &mut out).unwrap();
        without_times(&out)
    };
    let text = told(&model);
    assert!(
        text.contains("champion    once, from <time> by ada") && text.contains("champion    since <time>"),
        "{text}"
    );
    model.summary.champion = false;
    assert!(!told(&model).contains("since <time>"), "another took its place");
}

#[test]
fn two_models_are_told_by_what_differs() {
    let mut other = detail_of(13, 0.7);
    other.summary.rows = Some(2_000);
    other.card.features.push(CardFeature { name: "sulphates".to_owned(), ..CardFeature::default() });
    let difference = Difference::of(detail_of(12, 0.64), other);
    let mut out = Vec::new();
    difference.show(None, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let line = |start: &str| text.lines().find(|line| line.starts_with(start)).unwrap_or_default().to_owned();
    assert!(line("accuracy").contains("0.6400") && line("accuracy").ends_with("+0.0600"), "{text}");
    assert!(line("rows").contains("1599") && line("rows").contains("2000"), "{text}");
    assert!(line("columns only here").ends_with("sulphates"), "{text}");
    assert!(!text.contains("seed"), "what is equal is left out:\n{text}");
}

#[test]
fn marks_say_what_a_model_is_now() {
    let mut model = summary(3, 0.7);
    assert_eq!(marks(&model), "");
    model.champion = true;
    model.has_files = false;
    assert_eq!(marks(&model), "champion, files gone");
    assert_eq!(metric(model.metric.as_ref().unwrap()), "accuracy 0.700 (0.650–0.750)");
}

#[test]
fn a_model_that_no_gate_judged_is_not_said_to_have_passed_one() {
    let mut model = ModelDetail { ledger: None, ..detail_of(12, 0.64) };
    model.summary = ModelSummary { ungated: true, champion: true, ..summary(12, 0.64) };
    model.promotions[0].by = Promoter::Gate;
    assert_eq!(cells(&model.summary)[5], "no gate");
    let mut out = Vec::new();
    detail::show(&model, None, &mut out).unwrap();
    let text = String::from_utf8_lossy(&out);
    assert!(text.contains("verdict     no gate: nothing was compared"), "{text}");
    assert!(text.contains("by itself: no gate is configured") && !text.contains("passed"), "{text}");
    let told = serde_json::to_value(&model.summary).unwrap();
    assert_eq!(
        (&told["verdict"], &told["ungated"]),
        (&serde_json::json!("passed"), &serde_json::json!(true)),
        "programs read what they did"
    );
}
