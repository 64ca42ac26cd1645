//! Graphs that were exported by other tools answer as onnxruntime does (`tests/fixtures/onnx/make.py` makes both).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{OnnxError, OnnxModel, RunError};
use crate::config::Task;
use crate::model::data::cell::Cell;
use crate::model::data::record;
use crate::model::learn::predictor::Output;
use crate::model::samples::Folder;

/// How far an answer may be from that of onnxruntime, of a number relative to its size.
const TOLERANCE: f64 = 1e-5;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx").join(name)
}

fn load(name: &str) -> OnnxModel {
    OnnxModel::load(&fixture(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn outputs_of(model: &OnnxModel, records: &[Value]) -> Vec<Output> {
    let records: Vec<_> = records.iter().map(|record| record.as_object().unwrap().clone()).collect();
    let cells: Vec<Vec<Cell<'_>>> =
        records.iter().map(|fields| record::from_json(model.features(), model.ignored(), fields).unwrap()).collect();
    let rows: Vec<&[Cell<'_>]> = cells.iter().map(Vec::as_slice).collect();
    model.outputs(&rows).unwrap()
}

/// All answers of a fixture beside those that are expected.
fn compare(name: &str) {
    let model = load(name);
    let expected: Value = serde_json::from_slice(&fs::read(fixture(name).join("expected.json")).unwrap()).unwrap();
    let (records, answers) = (expected["records"].as_array().unwrap(), expected["answers"].as_array().unwrap());
    let outputs = outputs_of(&model, records);
    assert_eq!(outputs.len(), answers.len());
    for (row, (output, answer)) in outputs.iter().zip(answers).enumerate() {
        match output {
            Output::Value(value) => {
                let answer = answer.as_f64().unwrap();
                let apart = (value - answer).abs() / answer.abs().max(1.0);
                assert!(apart <= TOLERANCE, "{name}, record {row}: {value} and not {answer}");
            }
            Output::Probabilities(shares) => {
                let answer = answer.as_object().unwrap();
                assert_eq!((model.classes().len(), shares.len()), (answer.len(), answer.len()), "{name}");
                for (class, share) in model.classes().iter().zip(shares) {
                    let answer = answer[class.as_str()].as_f64().unwrap();
                    assert!(
                        (share - answer).abs() <= TOLERANCE,
                        "{name}, record {row}, {class}: {share} and not {answer}"
                    );
                }
            }
        }
    }
    // What is told of many at once is what is told of one.
    let alone = outputs_of(&model, &records[..1]);
    assert_eq!(alone[0], outputs[0], "{name}");
}

#[test]
fn linear_pipelines_of_columns_answer_as_onnxruntime_does() {
    for name in ["logistic-columns", "logistic-three", "ridge-columns", "min-max-logistic", "linear"] {
        compare(name);
    }
}

#[test]
fn forests_answer_as_onnxruntime_does() {
    for name in ["forest-columns", "forest-value"] {
        compare(name);
    }
}

#[test]
fn boosted_trees_answer_as_onnxruntime_does() {
    for name in [
        "boosting-two",
        "boosting-three",
        "boosting-value",
        "histogram-boosting",
        "histogram-boosting-two",
        "histogram-boosting-value",
    ] {
        compare(name);
    }
}

#[test]
fn networks_answer_as_onnxruntime_does() {
    for name in ["network-three", "network-value", "torch-logits", "torch-shares"] {
        compare(name);
    }
}

#[test]
fn machines_and_bayes_answer_as_onnxruntime_does() {
    for name in ["machine-two", "machine-three", "machine-value", "bayes", "bayes-far"] {
        compare(name);
    }
}

#[test]
fn a_graph_says_its_columns_and_classes_itself_where_it_can() {
    let model = load("logistic-columns");
    let names: Vec<&str> = model.feature_cards().iter().map(|card| card.name.as_str()).collect();
    assert_eq!(names, ["age", "income", "city", "rooms"]);
    let city = &model.feature_cards()[2];
    assert_eq!(
        (city.kind.as_str(), city.categories.as_slice()),
        ("categorical", ["Bern", "Oslo", "Rome"].map(str::to_owned).as_slice())
    );
    assert_eq!((model.task(), model.classes()), (Task::Classification, ["no", "yes"].map(str::to_owned).as_slice()));
    assert!(!model.is_measured() && model.metrics().is_empty());
    let integers = load("histogram-boosting");
    assert_eq!((integers.integer_classes(), integers.classes()), (true, ["3", "5", "8"].map(str::to_owned).as_slice()));
}

#[test]
fn what_the_graph_does_not_say_is_asked_for() {
    let folder = Folder::new();
    fs::copy(fixture("torch-shares").join("model.onnx"), folder.path().join("model.onnx")).unwrap();
    let error = OnnxModel::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("features = [{ name") && error.contains("model.toml"), "{error}");
    folder.write("model.toml", "features = [{ name = \"a\" }, { name = \"b\" }, { name = \"c\" }]\n");
    let error = OnnxModel::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("what its 3 classes are called") && error.contains("classes = ["), "{error}");
}

#[test]
fn an_operator_that_nobody_has_is_refused_by_its_name() {
    let error = OnnxModel::load(&fixture("unknown-operator")).unwrap_err();
    assert!(matches!(&error, OnnxError::Operator { operator } if operator == "Wobble of example.org"), "{error}");
}

#[test]
fn what_only_tells_of_a_graph_does_not_make_it_another() {
    let folder = Folder::new();
    fs::copy(fixture("forest-columns").join("model.onnx"), folder.path().join("model.onnx")).unwrap();
    let alone = load_from(&folder).digest().clone();
    folder.write("lineage.json", "{}");
    assert_eq!(*load_from(&folder).digest(), alone);
    folder.write("model.toml", "target = \"kind\"\n");
    assert_ne!(*load_from(&folder).digest(), alone);
}

fn load_from(folder: &Folder) -> OnnxModel {
    OnnxModel::load(folder.path()).unwrap()
}

#[test]
fn a_file_that_is_no_graph_or_half_of_one_is_refused() {
    let folder = Folder::new();
    assert!(matches!(OnnxModel::load(folder.path()), Err(OnnxError::File { .. })));
    let whole = fs::read(fixture("forest-columns").join("model.onnx")).unwrap();
    for bytes in [&b"PK\x03\x04 no graph"[..], &b""[..], &whole[..whole.len() / 2]] {
        folder.write_bytes("model.onnx", bytes);
        assert!(matches!(OnnxModel::load(folder.path()), Err(OnnxError::NotAGraph { .. })), "{} bytes", bytes.len());
    }
}

#[test]
fn rows_beside_the_graph_give_a_reference_ranges_and_metrics() {
    let folder = Folder::new();
    fs::copy(fixture("logistic-columns").join("model.onnx"), folder.path().join("model.onnx")).unwrap();
    folder.write("model.toml", "target = \"bought\"\nreference = \"train.csv\"\n");
    let rows: String = (0..200)
        .map(|row| {
            let city = ["Bern", "Oslo", "Rome"][row % 3];
            format!("{},{},{city},{},{},x{row}\n", 20 + row % 60, 10 + row % 40, 1 + row % 5, ["no", "yes"][row % 2])
        })
        .collect();
    folder.write("train.csv", &format!("age,income,city,rooms,bought,note\n{rows}"));
    let model = OnnxModel::load(folder.path()).unwrap();
    let reference = model.reference();
    assert!(model.is_measured());
    assert_eq!(reference.features.len(), 4);
    assert!(reference.predictions.is_some());
    assert_eq!((model.feature_cards()[0].minimum, model.feature_cards()[0].maximum), (Some(20.0), Some(79.0)));
    assert!(model.metrics().contains_key("accuracy"), "{:?}", model.metrics());
    assert!(model.ignored().iter().any(|name| name == "note"));
    folder.write("train.csv", "age,income\n1,2\n");
    let error = OnnxModel::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("without the column \"city\""), "{error}");
}

#[test]
fn a_value_that_the_graph_cannot_do_without_is_asked_for_by_its_field() {
    let model = load("linear");
    let row = [Cell::Number(1.0), Cell::Missing, Cell::Number(2.0)];
    let error = model.outputs(&[&[Cell::Number(1.0), Cell::Number(1.0), Cell::Number(1.0)], &row]).unwrap_err();
    let RunError::Record(error) = error else { panic!("{error}") };
    assert_eq!((error.record, error.problem.field()), (1, "income"));
}
