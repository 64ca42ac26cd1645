//! A training of the user's own writes a graph, and it goes through the whole chain: tested, packed, deployed, asked and
//! watched like a model of ours.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::{PATIENCE, Project, get, post, wait_for};

const CHAIN: &str = r#"
[project]
name = "graphs"
[data]
settle = "300ms"
[stages.train]
command = ["sh", "train.sh"]
[stages.test]
needs = ["train"]
command = ["sh", "test.sh"]
[stages.build]
uses = "image"
needs = ["test"]
[stages.deploy]
uses = "deploy"
needs = ["build"]
target = "process"
port = @PORT@
health = { path = "/readyz", within = "60s" }
"#;
/// A training that was done before: what it wrote lies in the repository.
const PREPARED: &str = r#"set -e
cp trained/model.onnx trained/model.toml "$TRAINYARD_MODEL/"
cp "$(head -n 1 "$TRAINYARD_DATA")" "$TRAINYARD_MODEL/reference.csv"
echo '{"metric": {"accuracy": 0.9}}' >> "$TRAINYARD_OUTPUT"
"#;
/// Every row of the data can be predicted with what was written.
const PREDICTED: &str = r#"set -e
file="$(head -n 1 "$TRAINYARD_DATA")"
predicted="$("$TRAINYARD_BIN" predict --json "$file" | wc -l)"
"$TRAINYARD_BIN" predict --json "$file" > /dev/null
test "$predicted" -eq "$(($(wc -l < "$file") - 1))"
echo tested
"#;
const SETTINGS: &str = "target = \"bought\"\nreference = \"reference.csv\"\n";
const RECORD: &str = r#"{"age": 62, "income": 31.5, "city": "Rome", "rooms": 3}"#;

/// People of three cities, as the fixtures know them.
fn people(count: u32) -> String {
    let mut text = String::from("age,income,city,rooms,bought\n");
    for row in 0..count {
        let (age, income) = (18 + row * 7 % 60, 10 + row * 13 % 45);
        let city = ["Bern", "Oslo", "Rome"][(row % 3) as usize];
        let bought = if (age > 45) == (city == "Oslo") { "no" } else { "yes" };
        writeln!(text, "{age},{income}.{row:03},{city},{},{bought}", 1 + row % 5).unwrap();
    }
    text
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/onnx");
    fs::read(folder.join(name).join("model.onnx")).unwrap()
}

/// A project whose training copies a graph.
fn prepared(graph: &[u8], settings: &str) -> Project {
    let project =
        Project::with(CHAIN, &[("train.sh", PREPARED), ("test.sh", PREDICTED), ("trained/model.toml", settings)]);
    project.write("trained/model.onnx", graph);
    project.commit("a graph");
    project
}

/// What is served answers, says what it wants, and measures drift.
#[track_caller]
fn assert_served(project: &Project) {
    let answer = post(project.port(), "/predict", RECORD).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let body = answer.json();
    assert!(body["prediction"] == "yes" || body["prediction"] == "no", "{body}");
    let (yes, no) = (body["probabilities"]["yes"].as_f64().unwrap(), body["probabilities"]["no"].as_f64().unwrap());
    assert!((yes + no - 1.0).abs() < 1e-4, "{body}");

    let wrong = post(project.port(), "/predict", r#"{"age": "old", "income": 1, "city": "Rome", "rooms": 3}"#).unwrap();
    assert_eq!((wrong.status, &wrong.json()["error"]["field"]), (422, &json!("age")), "{}", wrong.body);

    let schema = get(project.port(), "/schema").unwrap().json();
    let names: Vec<&str> = schema["features"].as_array().unwrap().iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(names, ["age", "income", "city", "rooms"]);
    assert_eq!((&schema["target"], &schema["drift_measured"]), (&json!("bought"), &json!(true)), "{schema}");
    assert!(schema["metrics"]["accuracy"].is_number(), "{schema}");
    let example = schema["example"].to_string();
    assert_eq!(post(project.port(), "/predict", &example).unwrap().status, 200, "{example}");
    assert_eq!(get(project.port(), "/version").unwrap().json()["algorithm"], "onnx");

    // All from one city, where there were three.
    let moved: Vec<Value> =
        (0..150).map(|row| json!({"age": 20 + row % 50, "income": 20, "city": "Kyiv", "rooms": 2})).collect();
    assert_eq!(post(project.port(), "/predict", &json!(moved).to_string()).unwrap().status, 200);
    wait_for("the drift of the city", PATIENCE, || {
        let page = get(project.port(), "/metrics").unwrap().body;
        let line = page.lines().find_map(|line| line.strip_prefix("predict_input_drift_psi{feature=\"city\"} "))?;
        (line.parse::<f64>().ok()? > 1.0).then_some(())
    });
}

#[test]
fn a_graph_of_an_own_training_is_tested_packed_deployed_asked_and_watched() {
    let project = prepared(&fixture("forest-columns"), SETTINGS);
    project.up();
    project.register("people.csv", people(300));
    project.expect_run(1, "passed");
    assert!(project.log(1, "test").contains("tested"));
    assert_served(&project);
}

#[test]
fn a_graph_that_cannot_be_served_is_refused_by_the_name_of_its_operator() {
    let project = prepared(&fixture("unknown-operator"), "");
    project.up();
    project.register("people.csv", people(30));
    project.expect_run(1, "failed");
    let log = project.log(1, "test");
    assert!(log.contains("the operator Wobble of example.org"), "{log}");
}

/// What a user would write.
const TRAINING: &str = r#"
import os, shutil
import pandas as pd
from skl2onnx import to_onnx
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

paths = open(os.environ["TRAINYARD_DATA"]).read().split("\n")
data = pd.concat([pd.read_csv(path) for path in paths if path])
features, target = data.drop(columns="bought"), data["bought"]
pipeline = make_pipeline(
    ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), ["age", "income", "rooms"]),
            ("city", OneHotEncoder(handle_unknown="ignore"), ["city"]),
        ]
    ),
    RandomForestClassifier(20, random_state=0),
)
features = features.astype({"age": "float32", "income": "float32", "rooms": "float32"})
pipeline.fit(features, target)
folder = os.environ["TRAINYARD_MODEL"]
with open(os.path.join(folder, "model.onnx"), "wb") as file:
    file.write(to_onnx(pipeline, features[:1]).SerializeToString())
with open(os.path.join(folder, "model.toml"), "w") as file:
    file.write('target = "bought"\nreference = "reference.csv"\n')
data.to_csv(os.path.join(folder, "reference.csv"), index=False)
"#;

/// Whether Python has what the training needs. Nothing is installed for it.
fn has_skl2onnx() -> bool {
    let mut python = Command::new("python3");
    python.args(["-c", "import pandas, skl2onnx, sklearn"]).stdout(Stdio::null()).stderr(Stdio::null());
    let is_there = python.status().is_ok_and(|status| status.success());
    if !is_there {
        assert!(
            std::env::var_os("TRAINYARD_TEST_PYTHON").is_none(),
            "TRAINYARD_TEST_PYTHON is set, and python3 has no pandas, scikit-learn and skl2onnx"
        );
        eprintln!("skipped: python3 has no pandas, scikit-learn and skl2onnx");
    }
    is_there
}

#[test]
fn a_pipeline_of_scikit_learn_goes_through_the_whole_chain() {
    if !has_skl2onnx() {
        return;
    }
    let configuration = CHAIN.replace(r#"["sh", "train.sh"]"#, r#"["python3", "train.py"]"#);
    let project = Project::with(&configuration, &[("train.py", TRAINING), ("test.sh", PREDICTED)]);
    project.up();
    project.register("people.csv", people(300));
    project.expect_run(1, "passed");
    let schema = get(project.port(), "/schema").unwrap().json();
    assert!(schema["metrics"]["accuracy"].as_f64().unwrap() > 0.95, "the pipeline knows its own rows: {schema}");
    assert_served(&project);
}
