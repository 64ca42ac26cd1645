//! Tests of a whole training, from a data set to a model.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::api::types::TrialState;
use crate::config::{Algorithm, GateSettings, SearchSettings, Task, TrainSettings};
use crate::model::data::dataset::{DataSet, read};
use crate::model::samples::{self, Folder};
use crate::model::search::Journal;
use crate::model::{Control, DatasetError, Learner, MODEL_FILE, Step, TrainingError, train, train_under};

fn flowers() -> DataSet {
    read(&[Folder::new().write("flowers.csv", &samples::flowers())]).unwrap()
}

/// The algorithms that were compared.
fn tried(data: &DataSet, settings: &TrainSettings) -> Result<Vec<Algorithm>, TrainingError> {
    let model = train(data, settings, &mut |_| {})?;
    Ok(model.card().search.trials.iter().map(|trial| trial.learner.algorithm()).collect())
}

#[test]
fn separable_classes_are_predicted_on_rows_never_seen() {
    let model = train(&flowers(), &samples::settings("kind"), &mut |_| {}).unwrap();
    let card = model.card();
    assert!(card.metrics["accuracy"] > 0.98, "{:?}", card.metrics);
    assert_eq!(card.classes, ["short", "tall"]);
    assert_eq!(card.rows.total, card.rows.train + card.rows.held_out);
    assert_eq!(card.metrics, card.evaluation.metrics);
    let confusion = card.evaluation.confusion.as_ref().unwrap();
    assert_eq!(confusion.counts.iter().flatten().sum::<u64>(), card.rows.held_out);
    assert_eq!(card.evaluation.calibration.iter().map(|bin| bin.rows).sum::<u64>(), card.rows.held_out);
    assert!(card.evaluation.intervals.contains_key("accuracy"), "{:?}", card.evaluation.intervals);
}

#[test]
fn auto_tries_all_that_suit_the_task() {
    use Algorithm::{Blend, Boosting, ElasticNet, Forest, Linear, Logistic, NaiveBayes};
    let all = |target: &str| tried(&flowers(), &samples::settings(target)).unwrap();
    assert_eq!(all("kind")[..5], [Logistic, NaiveBayes, Forest, Boosting, Blend]);
    let numbers: Vec<Algorithm> = all("height").into_iter().filter(|algorithm| *algorithm != Blend).collect();
    assert_eq!(numbers, [Linear, ElasticNet, Forest, Boosting]);
}

#[test]
fn one_learner_alone_is_not_compared_with_anything() {
    let settings = TrainSettings { algorithms: vec![Algorithm::Linear], ..samples::settings("height") };
    let model = train(&flowers(), &settings, &mut |_| {}).unwrap();
    let search = &model.card().search;
    assert_eq!((search.folds, search.trials.len()), (0, 1));
    assert_eq!(search.trials[0].state, TrialState::Chosen);
    assert_eq!(model.card().learner, Learner::Linear);
}

#[test]
fn a_linear_relation_is_found() {
    let rows: String = (0..200).map(|row| format!("{row},{}\n", f64::from(row) * 2.5 + 7.25)).collect();
    let data = read(&[Folder::new().write("a.csv", &format!("x,y\n{rows}"))]).unwrap();
    let model = train(&data, &samples::settings("y"), &mut |_| {}).unwrap();
    assert_eq!(model.card().task, Task::Regression);
    assert!(model.card().metrics["r2"] > 0.9999, "{:?}", model.card().metrics);
}

#[test]
fn an_algorithm_for_the_other_task_is_refused_with_those_that_fit() {
    let settings = TrainSettings { algorithms: vec![Algorithm::Linear], ..samples::settings("kind") };
    let message = tried(&flowers(), &settings).unwrap_err().to_string();
    assert!(
        message.starts_with("linear does not suit classification of \"kind\"; use logistic or naive-bayes"),
        "{message}"
    );
}

#[test]
fn a_mistyped_exclusion_is_an_error_and_not_a_leak() {
    let settings = TrainSettings { exclude: vec!["heigth".to_owned()], ..samples::settings("kind") };
    let message = tried(&flowers(), &settings).unwrap_err().to_string();
    assert!(message.ends_with("did you mean \"height\"?"), "{message}");
}

#[test]
fn excluded_columns_are_not_features_but_may_be_sent_and_cut_into_parts() {
    let settings = TrainSettings {
        exclude: vec!["colour".to_owned()],
        slices: vec!["colour".to_owned()],
        ..samples::settings("kind")
    };
    let model = train(&flowers(), &settings, &mut |_| {}).unwrap();
    assert!(model.card().features.iter().all(|feature| feature.name != "colour"));
    let notes = &model.card().notes;
    assert!(
        notes.iter().any(|note| note == "column \"colour\" is left out: `exclude` of the stage names it"),
        "{notes:?}"
    );
    assert!(model.predict(&[samples::record(0)]).is_ok());
    let slices = &model.card().evaluation.slices;
    assert_eq!(slices.iter().map(|slice| slice.value.as_str()).collect::<Vec<_>>(), ["blue", "red", "white"]);
    assert_eq!(slices.iter().map(|slice| slice.rows).sum::<u64>(), model.card().rows.held_out);
}

#[test]
fn a_mistyped_slice_is_named_before_anything_is_learned() {
    let settings = TrainSettings { slices: vec!["color".to_owned()], ..samples::settings("kind") };
    let message = tried(&flowers(), &settings).unwrap_err().to_string();
    assert_eq!(message, "the column in `slices` \"color\" is not in the data; did you mean \"colour\"?");
}

#[test]
fn a_target_alone_is_nothing_to_learn_from() {
    let data = read(&[Folder::new().write("a.csv", &format!("y\n{}", "a\nb\n".repeat(50)))]).unwrap();
    let result = tried(&data, &samples::settings("y"));
    assert!(matches!(result, Err(TrainingError::Data(_))), "{result:?}");
}

#[test]
fn the_gate_metric_decides_which_model_wins() {
    let gate = Some(GateSettings { metric: "log_loss".to_owned(), min: Some(10.0), champion: None, tolerance: 0.0 });
    let settings = TrainSettings { gate, ..samples::settings("kind") };
    let model = train(&flowers(), &settings, &mut |_| {}).unwrap();
    let trials = &model.card().search.trials;
    let least = trials.iter().map(|trial| trial.mean["log_loss"]).fold(f64::INFINITY, f64::min);
    let chosen = trials.iter().find(|trial| trial.state == TrialState::Chosen).unwrap();
    assert!((chosen.mean["log_loss"] - least).abs() < 1e-12, "{trials:?}");
    assert_eq!(chosen.learner, model.card().learner);
}

#[test]
fn too_few_rows_say_how_many_are_needed() {
    let data = read(&[Folder::new().write("a.csv", "x,y\n1,a\n2,b\n")]).unwrap();
    let settings = TrainSettings { holdout: 1e-9, ..samples::settings("y") };
    assert!(matches!(tried(&data, &settings), Err(TrainingError::Data(DatasetError::TooFewRows { .. }))));
}

#[test]
fn a_training_that_was_stopped_goes_on_and_gives_the_same_bytes() {
    let data = flowers();
    let settings = TrainSettings {
        algorithms: vec![Algorithm::Logistic, Algorithm::NaiveBayes],
        search: SearchSettings { trials: 6, ..SearchSettings::default() },
        ..samples::settings("kind")
    };
    let bytes = |control: &Control<'_>| {
        let folder = Folder::new();
        train_under(&data, &settings, control, &mut |_| {}).map(|(model, journal)| {
            model.save(folder.path()).unwrap();
            // What ends the program before the model is saved must not lose the search.
            assert!(control.journals.is_none_or(|folder| fs::read_dir(folder).unwrap().count() == 1));
            journal.into_iter().for_each(Journal::remove);
            fs::read(folder.path().join(MODEL_FILE)).unwrap()
        })
    };
    let whole = bytes(&Control::alone()).unwrap();
    let journals = Folder::new();
    let asked = AtomicUsize::new(0);
    let stop = || asked.fetch_add(1, Ordering::Relaxed) >= 7;
    let stopped = bytes(&Control { threads: 1, stop: &stop, journals: Some(journals.path()), ..Control::alone() });
    assert!(matches!(stopped, Err(TrainingError::Stopped)));
    assert_eq!(fs::read_dir(journals.path()).unwrap().count(), 1);
    assert_eq!(bytes(&Control { journals: Some(journals.path()), ..Control::alone() }).unwrap(), whole);
    // Nothing is left to go on with.
    assert_eq!(fs::read_dir(journals.path()).unwrap().count(), 0);
}

#[test]
fn what_is_told_leads_from_the_rows_to_the_evaluation() {
    let mut told = Vec::new();
    train(&flowers(), &samples::settings("kind"), &mut |step| {
        let word = match step {
            Step::Note(_) | Step::Board(_) | Step::Waiting => return,
            Step::Prepared { trials, .. } => format!("prepared {trials}"),
            Step::Tried(board, trial) => format!("tried {}", board.standings[trial].description),
            Step::Learning(_) => "learning".to_owned(),
            Step::Failed { .. } => "failed".to_owned(),
            Step::Evaluating => "evaluating".to_owned(),
            Step::Evaluated(_) => "evaluated".to_owned(),
        };
        told.push(word);
    })
    .unwrap();
    assert_eq!(told.first().map(String::as_str), Some("prepared 4"));
    let tried: Vec<&String> = told.iter().filter(|word| word.starts_with("tried")).collect();
    assert!(tried.len() > 4 && tried[4..].iter().all(|word| word.starts_with("tried blend of ")), "{tried:?}");
    assert_eq!(told[1 + tried.len()..], ["learning", "evaluating", "evaluated"]);
}
