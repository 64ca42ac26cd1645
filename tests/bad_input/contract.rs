//! The data contract, end to end: inferred at the first training, then held against every later file.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::REGRESSION;
use crate::support::Project;

/// A header and rows in which y follows from x.
fn table(rows: std::ops::Range<u32>) -> String {
    let rows: String = rows.map(|row| format!("{row},{}\n", row * 2 + row % 3)).collect();
    format!("x,y\n{rows}")
}

/// Why a file is held back, once it is.
fn held_back(project: &Project, file: &str, sentence: &str) {
    project.wait_until(&format!("{file} to be held back"), |snapshot| {
        snapshot["state"]["refused"][file].as_str().filter(|reason| reason.contains(sentence)).map(|_| ())
    });
}

#[test]
fn a_file_that_breaks_the_contract_is_held_back_until_one_of_the_two_is_mended() {
    let project = Project::with(REGRESSION, &[]);
    project.up();
    project.register("first.csv", table(0..40));
    project.expect_run(1, "passed");
    let contract = fs::read_to_string(project.folder().join("data.toml")).unwrap();
    assert!(contract.contains("[columns.x]\ntype = \"number\"\nrequired = true\n"), "{contract}");

    project.register("second.csv", "x,y\n1,2\nmany,3\n");
    held_back(&project, "second.csv", "line 3, column \"x\": \"many\" is no finite number");
    project.register("third.csv", "x,z\n1,2\n");
    held_back(&project, "third.csv", "line 1, column \"y\": is required by the contract and is not there (and 1 more)");
    let checked = project.command(&["data", "check"]).expect_code(1).stdout;
    assert!(checked.contains("first.csv: 40 rows keep the contract"), "{checked}");
    assert!(checked.contains("second.csv, line 3, column \"x\": \"many\" is no finite number"), "{checked}");
    // Neither a file that is held back nor the contract that training wrote starts a run.
    assert_eq!(project.runs(), 1);

    // The file is mended.
    project.register("third.csv", table(40..50));
    assert_eq!(project.finished_run(2)["inputs"]["data"]["rows"], 50);
    // The contract is: what it held back is registered by itself.
    project.write("data.toml", contract.replacen("type = \"number\"", "type = \"text\"", 1));
    assert_eq!(project.finished_run(3)["inputs"]["data"]["rows"], 52);
    // A contract that cannot be read changes nothing.
    project.write("data.toml", "[columns.x\n");
    project.register("third.csv", table(40..60));
    assert_eq!(project.finished_run(4)["inputs"]["data"]["rows"], 62);
    let problems = project.snapshot()["live"]["problems"]["data contract"].as_str().unwrap().to_owned();
    assert!(problems.contains("data.toml:1:") && problems.contains("the former one stays in force"), "{problems}");
}

#[test]
fn a_packed_file_is_registered_and_learned_from() {
    let project = Project::with(REGRESSION, &[]);
    project.up();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(table(0..40).as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    project.register("packed.csv.gz", &packed);
    assert_eq!(project.expect_run(1, "passed")["inputs"]["data"]["rows"], 40);
    project.register("cut.csv.gz", &packed[..packed.len() / 2]);
    held_back(&project, "cut.csv.gz", "cannot be unpacked");
    // One that is taken away is held back no longer.
    fs::remove_file(project.folder().join("data/cut.csv.gz")).unwrap();
    project.wait_until("cut.csv.gz to be forgotten", |snapshot| {
        snapshot["state"]["refused"].as_object().filter(|refused| refused.is_empty()).map(|_| ())
    });
    let profile = project.state("models/1/profile.json");
    let profile: serde_json::Value = serde_json::from_slice(&fs::read(profile).unwrap()).unwrap();
    assert_eq!(profile["columns"][0]["kind"], "number");
}
