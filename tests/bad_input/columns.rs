//! Columns that are odd, in a table that can be read: what cannot be a target fails the run, and what cannot be learned from
//! is left out with its place and its mend.

use std::fmt::Write;
use std::fs;

use crate::support::Project;

const CLASSES: &str = r#"
[data]
settle = "100ms"
[stages.train]
uses = "train"
target = "y"
algorithms = ["logistic"]
search = { trials = 1 }
"#;

/// A header of so many columns, and three rows.
fn wide(columns: usize) -> String {
    let line = |cell: &dyn Fn(usize) -> String| (0..columns).map(cell).collect::<Vec<_>>().join(",");
    let mut text = line(&|column| format!("c{column}"));
    text.push('\n');
    for row in 0..3_usize {
        text.push_str(&line(&|column| (row * column % 7).to_string()));
        text.push('\n');
    }
    text
}

/// As a spreadsheet may write it: a byte order mark, `\r\n`, an empty column, dates in three formats, one word and one
/// infinity among numbers, and one column that says all.
fn messy() -> String {
    let mut text = String::from("\u{feff}x,empty,when,mixed,far,y\r\n");
    for row in 0..120_usize {
        let x = row * 37 % 100;
        let day = row % 28 + 1;
        let when = [format!("2024-01-{day:02}"), format!("{day:02}.01.2024"), format!("01/{day:02}/2024")];
        let mixed = if row == 7 { "many".to_owned() } else { row.to_string() };
        let far = if row == 9 { "inf".to_owned() } else { format!("{row}.5") };
        let kind = if x > 55 { "high" } else { "low" };
        write!(text, "{x}.{row:03},,{},{mixed},{far},{kind}\r\n", when[row % 3]).unwrap();
    }
    text
}

#[test]
fn a_target_that_is_no_target_and_columns_without_a_value_fail_the_run_with_the_mend() {
    let project = Project::with(CLASSES, &[]);
    project.up();
    let one_class: String = (0..60).map(|row| format!("{row},a\n")).collect();
    let thousand: String = (0..1000).map(|row| format!("{row},name {row}\n")).collect();
    let empty: String = (0..120_usize).map(|row| format!(",{}\n", ["a", "b"][row % 2])).collect();
    let cases = [
        (
            format!("x,y\n{one_class}"),
            "the target column \"y\" has only one value, \"a\"; there is nothing to learn until the data holds another",
        ),
        (
            format!("x,y\n{thousand}"),
            "the target column \"y\" has more than 64 different values; set task = \"regression\" if it is a number, or choose another target",
        ),
        (format!("x,y\n{empty}"), "column \"x\" has no value in any row; remove it, or leave it out by `exclude`"),
    ];
    for (run, (text, sentence)) in (1..).zip(cases) {
        project.register("data.csv", text);
        project.expect_run(run, "failed");
        let log = project.log(run, "train");
        assert!(log.contains(sentence), "`{sentence}` is not told:\n{log}");
    }
    // 120 rows of which two are different are not called enough and too few in one breath.
    let log = project.log(3, "train");
    assert!(log.contains("equal rows stay together, and only 2 are different"), "{log}");
}

#[test]
fn odd_columns_are_left_out_with_line_value_and_mend_and_the_rest_is_learned() {
    let project = Project::with(CLASSES, &[]);
    project.up();
    project.register("data.csv", messy());
    let run = project.expect_run(1, "passed");
    assert_eq!(run["inputs"]["data"]["rows"], 120);
    let log = project.log(1, "train");
    for sentence in [
        "column \"empty\" has no value in any row; remove it, or leave it out by `exclude`",
        "column \"when\" is left out: its dates are written in more than one way, first as YYYY-MM-DD, and \"02.01.2024\" in data.csv, line 3 as DD.MM.YYYY; write them all as YYYY-MM-DD",
        "column \"mixed\" is left out: \"many\" in data.csv, line 9 is no number, and most of its cells are; mend that cell, or leave it empty",
        "column \"far\" is left out: \"inf\" in data.csv, line 11 is no number, and most of its cells are; mend that cell, or leave it empty",
    ] {
        assert!(log.contains(sentence), "`{sentence}` is not told:\n{log}");
    }
    assert!(!log.contains("names its rows"), "a spoiled column is not to be thrown away:\n{log}");
    // Neither the mark at the beginning nor the ends of the lines became part of a name.
    let card = fs::read_to_string(project.state("models/1/model.json")).unwrap();
    let card: serde_json::Value = serde_json::from_str(&card).unwrap();
    let features: Vec<&str> =
        card["features"].as_array().unwrap().iter().filter_map(|feature| feature["name"].as_str()).collect();
    assert_eq!((features, card["target"].as_str()), (vec!["x"], Some("y")));
}

#[test]
fn ten_thousand_columns_have_a_contract_and_one_more_is_refused() {
    let project = Project::with(CLASSES, &[]);
    let file = |name: &str, columns: usize| {
        let path = project.outside().join(name);
        fs::write(&path, wide(columns)).unwrap();
        path.display().to_string()
    };
    let (widest, wider) = (file("widest.csv", 10_000), file("wider.csv", 10_001));
    project.command(&["data", "infer", "--write", &widest]).ok();
    let kept = project.command(&["data", "check", &widest]).ok().stdout;
    assert!(kept.contains("widest.csv: 3 rows keep the contract"), "{kept}");
    let refused = project.command(&["data", "check", &wider]).expect_code(1).stdout;
    let sentence = "wider.csv, line 1: 10001 columns are more than the 10000 that can be read; is the delimiter one of";
    assert!(refused.contains(sentence), "{refused}");
}
