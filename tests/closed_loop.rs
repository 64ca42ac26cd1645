//! The closed loop through the real program: what a gate lets into service and what it holds, by a file, by a person, and by
//! an alert on drift that trains again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::fmt::Write;
use std::fs;

use serde_json::{Value, json};
use support::{Project, RECORD, customers, get, post, replaced, stage_word};

const CHAIN: [&str; 4] = ["train", "test", "build", "deploy"];

/// What comes in is not what was learned from: train again.
const RULE: &str = r#"
[[monitor.alerts]]
name = "Drift"
expr = "predict_input_drift_psi_max > 0.25"
for = "1s"
then = "retrain"
cooldown = "1h"
"#;

/// An app with a model of 300 customers that serves; its training has these keys too.
fn serving(keys: &str) -> Project {
    let project = Project::with_app();
    let text = fs::read_to_string(project.folder().join("trainyard.toml")).unwrap();
    let judged = replaced(&text, "\ntarget = \"kind\"", &format!("\n{keys}\ntarget = \"kind\""));
    project.write("trainyard.toml", format!("{judged}{RULE}"));
    project.commit("a gate");
    project.up();
    project.register("first.csv", customers(0, 300));
    project.expect_run(1, "passed");
    project
}

/// Everybody earns more now, and whoever is gold earns more than 95 and not more than 55: the age and the income of the
/// `row`-th customer, and the kind.
fn richer(row: u32) -> (u32, String, &'static str) {
    let income = row * 37 % 100 + 40;
    (20 + row * 7 % 50, format!("{income}.{row:04}"), if income > 95 { "gold" } else { "plain" })
}

/// Asks for what such customers are.
fn drift(project: &Project) {
    let records: Vec<String> = (0..300)
        .map(|row| {
            let (age, income, _) = richer(row);
            format!("{{\"age\": {age}, \"income\": {income}}}")
        })
        .collect();
    let answer = post(project.port(), "/predict", &format!("[{}]", records.join(","))).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

fn models(project: &Project) -> Value {
    project.command(&["models", "--json"]).ok().json()
}

fn release(project: &Project) -> String {
    get(project.port(), "/version").unwrap().json()["release"].as_str().unwrap_or_default().to_owned()
}

fn words(run: &Value) -> Vec<String> {
    CHAIN.iter().map(|stage| stage_word(run, stage)).collect()
}

#[test]
fn drift_trains_again_with_what_was_labelled_and_the_better_model_serves_by_itself() {
    let project = serving("gate = { metric = \"accuracy\", min = 0.5, champion = \"better\" }\nfeedback = true");
    assert_eq!(models(&project)[0]["champion"], true, "the first that passes is the champion");
    let middle = r#"{"age": 50, "income": 70.05}"#;
    assert_eq!(post(project.port(), "/predict", middle).unwrap().json()["prediction"], "gold");

    // What clients have told of the newcomers, as a release writes it down.
    let mut labelled = String::from("age,income,kind\n");
    for row in 0..900 {
        let (age, income, kind) = richer(row);
        writeln!(labelled, "{age},{income},{kind}").unwrap();
    }
    fs::write(project.state("feedback/1.csv"), labelled).unwrap();
    drift(&project);

    let run = project.expect_run(2, "passed");
    assert_eq!(run["trigger"], json!({ "alert_retrain": { "alert": "Drift" } }));
    assert_eq!(words(&run), ["passed"; 4]);
    assert_eq!(release(&project), "2");
    assert_eq!(post(project.port(), "/predict", middle).unwrap().json()["prediction"], "plain");

    let all = models(&project);
    assert_eq!((&all[0]["version"], &all[0]["parent"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&all[0]["champion"], &all[0]["live"], &all[1]["champion"]),
        (&json!(true), &json!(true), &json!(false))
    );
    let model = project.command(&["models", "2", "--json"]).ok().json();
    assert_eq!(model["card"]["rows"]["total"], 1_200, "the labelled rows were learned from");
    let check = &model["ledger"]["checks"][1];
    assert!(check["difference"].as_f64().unwrap() > 0.05 && check["interval"][0].as_f64().unwrap() > 0.0, "{check}");
    assert!(project.log(2, "train").contains(" of model 1 on the same "), "the ledger is in the log");
    let events = project.command(&["events", "--limit", "200"]).ok().stdout;
    assert!(events.contains("model 2 is the champion of train now in place of model 1"), "{events}");
}

#[test]
fn drift_without_anything_new_to_learn_is_held_with_its_ledger_and_does_not_go_round() {
    let project = serving("gate = { metric = \"accuracy\", champion = \"better\" }");
    drift(&project);
    let run = project.expect_run(2, "failed");
    assert_eq!(run["trigger"], json!({ "alert_retrain": { "alert": "Drift" } }));
    let reason = run["stages"]["train"]["state"]["failed"]["failure"]["gate"]["reason"].as_str().unwrap();
    assert!(reason.contains("of model 1 on the same") && reason.ends_with(", which may be chance"), "{reason}");
    assert_eq!(release(&project), "1", "the champion goes on serving");

    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("the gate holds its model back: accuracy "), "{board}");
    let shown = project.command(&["models", "2"]).ok().stdout;
    assert!(shown.contains("gate        fail") && shown.contains("which may be chance"), "{shown}");
    let shown = project.command(&["runs", "2"]).ok().stdout;
    assert!(shown.contains("  train ") && shown.contains("gate: fail\n  champion  fail "), "{shown}");
    let events = project.command(&["events", "--limit", "200"]).ok().stdout;
    assert!(events.contains("; train runs again"), "{events}");
    // The alert still fires, and is not answered a second time within its cooldown.
    let state = project.snapshot()["state"].clone();
    assert!(state["alerts"]["firing"]["Drift"].is_object(), "{}", state["alerts"]);
    assert_eq!(state["last_run"], 2);
}

#[test]
fn a_worse_model_is_held_and_a_person_may_say_otherwise() {
    let project = serving("exclude = []\ngate = { metric = \"accuracy\", champion = \"no-worse\", tolerance = 0.01 }");
    let text = fs::read_to_string(project.folder().join("trainyard.toml")).unwrap();
    project.write("trainyard.toml", replaced(&text, "exclude = []", "exclude = [\"income\"]"));
    let run = project.expect_run(2, "failed");
    assert_eq!(words(&run), ["failed", "not_run", "not_run", "not_run"]);
    assert_eq!(release(&project), "1");
    let all = models(&project);
    assert_eq!((&all[0]["verdict"], &all[0]["champion"]), (&json!("held"), &json!(false)));
    assert!(all[0]["reason"].as_str().unwrap().ends_with(", beyond the tolerance of 0.01"), "{all}");
    assert_eq!((&all[1]["verdict"], &all[1]["champion"]), (&json!("passed"), &json!(true)));

    project.command(&["promote", "2"]).expect_code(2);
    let refused = project.command(&["promote", "9", "--message", "a drill"]).expect_code(1).stderr;
    assert!(refused.contains("there is no model 9"), "{refused}");
    project.command(&["promote", "2", "--message", "a drill", "--wait"]).ok();
    let run = project.expect_run(3, "passed");
    assert_eq!(words(&run), ["skipped", "passed", "passed", "passed"]);
    assert_eq!(release(&project), "2");
    assert_eq!(post(project.port(), "/predict", RECORD).unwrap().status, 200);
    let events = project.command(&["events", "--limit", "200"]).ok().stdout;
    assert!(events.contains("tester makes model 2 the champion of train in place of model 1: a drill"), "{events}");

    // It stays while the data does: a saved source is deployed with it.
    project.write("app/greeting.txt", "hello again\n");
    let run = project.expect_run(4, "passed");
    assert_eq!(words(&run), ["skipped", "passed", "passed", "passed"]);
    assert_eq!(models(&project)[0]["live"], true);

    project.command(&["models", "note", "2", "only to see"]).ok();
    let differs = project.command(&["models", "diff", "1", "2"]).ok().stdout;
    assert!(differs.contains("columns only here") && differs.contains("income"), "{differs}");
    // Reading needs no daemon.
    project.command(&["down"]).ok();
    let shown = project.command(&["models", "2"]).ok().stdout;
    assert!(shown.contains("tester: only to see") && shown.contains("first.csv 300 rows"), "{shown}");
    let data = project.folder().join("data/first.csv").display().to_string();
    let scored = project.command(&["predict", "--version", "1", &data]).ok().stdout;
    assert_eq!(scored.lines().count(), 301);
}

#[test]
fn a_command_that_trains_is_judged_by_what_it_reports() {
    let train = "accuracy=$(cat accuracy)\necho \"{\\\"metric\\\":{\\\"accuracy\\\":$accuracy}}\" >> \"$TRAINYARD_OUTPUT\"\n\
                 echo '{\"leaderboard\":[{\"trial\":1,\"learner\":\"net\",\"state\":\"chosen\"}]}' >> \"$TRAINYARD_OUTPUT\"\n\
                 echo $accuracy > \"$TRAINYARD_MODEL/accuracy\"\necho \"champion: ${TRAINYARD_CHAMPION:-none}\"\n";
    let configuration = "[project]\nname = \"own\"\n[stages.train]\ncommand = [\"sh\", \"train.sh\"]\n\
                         inputs = [\"train.sh\", \"accuracy\"]\ngate = { metric = \"accuracy\", champion = \"no-worse\" }\n\
                         [stages.test]\nneeds = [\"train\"]\ncommand = [\"sh\", \"-c\", \"true\"]\n";
    let project = Project::with(configuration, &[("train.sh", train), ("accuracy", "0.8\n")]);
    project.up();
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "passed");
    assert!(project.log(1, "train").contains("champion: none"));
    let detail = project.command(&["models", "1", "--json"]).ok().json();
    let tried = &detail["card"]["trials"][0];
    assert_eq!((&tried["learner"], &tried["state"]), (&Value::from("net"), &Value::from("chosen")), "{tried}");

    project.write("accuracy", "0.7\n");
    let run = project.expect_run(2, "failed");
    let reason = run["stages"]["train"]["state"]["failed"]["failure"]["gate"]["reason"].as_str().unwrap();
    assert!(reason.contains("0.700 beside 0.800 of model 1, as the stage reported both"), "{reason}");
    assert!(
        project.log(2, "train").contains(".trainyard/models/1"),
        "the champion can be compared with by the command"
    );

    project.write("accuracy", "0.9\n");
    project.expect_run(3, "passed");
    assert_eq!(models(&project)[0]["champion"], true);
}

/// The red wines of sample-data as another laboratory would report them: volatile acidity and sulphates not in grams but in
/// millimoles a litre (of acetic acid, 60.05 g/mol, and of potassium sulphate, 174.26 g/mol), alcohol by mass and not by volume
/// (0.789 g/ml). The wines and their grades are the same.
fn in_other_units(row: &csv::StringRecord, header: &csv::StringRecord) -> (serde_json::Map<String, Value>, Value) {
    let mut record = serde_json::Map::new();
    let mut grade = Value::Null;
    for (name, cell) in header.iter().zip(row) {
        let value: f64 = cell.parse().unwrap();
        let told = match name {
            "volatile_acidity" => value * 1_000.0 / 60.05,
            "sulphates" => value * 1_000.0 / 174.26,
            "alcohol" => value * 0.789,
            _ => value,
        };
        if name == "quality" {
            grade = json!(cell.parse::<i64>().unwrap());
        } else {
            record.insert(name.to_owned(), json!(told));
        }
    }
    (record, grade)
}

/// A project that learns the grades of wines from sample-data.
fn wines() -> Project {
    let project = Project::with_app();
    let text = fs::read_to_string(project.folder().join("trainyard.toml")).unwrap();
    let keys =
        "search = { trials = 1 }\nfeedback = true\ngate = { metric = \"accuracy\", min = 0.5, champion = \"better\" }";
    let graded = replaced(&text, "\ntarget = \"kind\"", &format!("\n{keys}\ntarget = \"quality\""));
    let graded = replaced(&graded, "\"auto\"", "\"forest\"");
    project.write("trainyard.toml", format!("{graded}{RULE}"));
    project.write("test.sh", "exit 0\n");
    project.commit("wines");
    for name in ["2023-spring", "2023-autumn", "2024-spring", "2024-autumn"] {
        let path = format!("{}/sample-data/wine-quality/{name}.csv", env!("CARGO_MANIFEST_DIR"));
        project.register(&format!("{name}.csv"), fs::read(path).unwrap());
    }
    project.up();
    project.expect_run(1, "passed");
    project
}

#[test]
fn wines_in_other_units_are_noticed_learned_and_served() {
    let project = wines();
    let file = format!("{}/sample-data/wine-quality/2023-spring.csv", env!("CARGO_MANIFEST_DIR"));
    let mut reader = csv::Reader::from_path(file).unwrap();
    let header = reader.headers().unwrap().clone();
    let wines: Vec<_> = reader.records().map(|row| in_other_units(&row.unwrap(), &header)).collect();
    let labelled: Vec<Value> =
        wines.iter().map(|(record, grade)| json!({ "record": record, "label": grade })).collect();
    let answer = post(project.port(), "/feedback", &Value::Array(labelled).to_string()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let records: Vec<&serde_json::Map<String, Value>> = wines.iter().map(|(record, _)| record).collect();
    let answer = post(project.port(), "/predict", &json!(records).to_string()).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);

    let run = project.expect_run(2, "passed");
    assert_eq!(run["trigger"], json!({ "alert_retrain": { "alert": "Drift" } }));
    assert_eq!(release(&project), "2");
    let model = project.command(&["models", "2", "--json"]).ok().json();
    assert_eq!(model["card"]["rows"]["total"], 1_599 + 640, "what came back was learned from");
    let check = &model["ledger"]["checks"][1];
    assert!(check["interval"][0].as_f64().unwrap() > 0.0, "it is better, and not by chance: {check}");
}
