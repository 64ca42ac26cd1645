//! CSV files that cannot be learned from: held back where the file itself is no CSV, else a failed run that names the place.

use std::fs::{self, File};

use crate::REGRESSION;
use crate::support::{Project, customers};

/// Nothing but one line of this many bytes.
const ONE_LINE: u64 = 1 << 30;

#[test]
fn data_that_cannot_be_learned_from_fails_the_run_and_names_file_line_and_mend() {
    let project = Project::with(REGRESSION, &[]);
    project.up();
    let cases: [(&[u8], &str); 5] = [
        (b"x,y\n1,2\n3\n", "line 3: the row has 1 cells, the header 2 columns"),
        (b"x,y\n1,2\n2,three\n", "line 3: the target column \"y\" holds \"three\", which is no number"),
        (b"x,z\n1,2\n2,3\n", "the target column \"y\" is not in the data"),
        (b"x,y\n1,2\ncaf\xe9,3\n", "line 3, column \"x\": the bytes \"caf\\xe9\" are not valid UTF-8"),
        (b"x,y\n", "has a header line and zero rows"),
    ];
    for (run, (bytes, sentence)) in (1..).zip(cases) {
        project.register("data.csv", bytes);
        project.expect_run(run, "failed");
        let log = project.log(run, "train");
        assert!(log.contains(sentence), "`{sentence}` is not told:\n{log}");
    }
    let sound: Vec<String> = (0..40).map(|row| format!("{row},{}", row * 2 + row % 3)).collect();
    project.register("data.csv", format!("x,y\n{}\n", sound.join("\n")));
    project.expect_run(6, "passed");
}

#[test]
fn a_file_that_is_no_csv_is_held_back_and_starts_nothing() {
    let project = Project::light();
    project.up();
    project.register("empty.csv", "");
    project.register("latin.csv", b"caf\xe9,y\n1,2\n");
    project.register("twice.csv", "x,x\n1,2\n");
    // A sparse file: zeros without a line end, and no bytes on the disk.
    let huge = project.outside().join("huge.csv");
    File::create(&huge).unwrap().set_len(ONE_LINE).unwrap();
    fs::rename(&huge, project.folder().join("data/huge.csv")).unwrap();

    let refused = project.wait_until("four files to be held back", |snapshot| {
        let refused = snapshot["state"]["refused"].as_object()?.clone();
        (refused.len() == 4).then_some(refused)
    });
    for (file, sentence) in [
        ("empty.csv", "is empty; write a header line"),
        ("latin.csv", "are not valid UTF-8; save the file as UTF-8"),
        ("twice.csv", "the column \"x\" is there twice"),
        ("huge.csv", "line 1: the row is longer than"),
    ] {
        let reason = refused[file].as_str().unwrap();
        assert!(reason.contains(sentence), "{file}: {reason}");
    }
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("held back  huge.csv:"), "{board}");
    assert_eq!(project.runs(), 0);

    // What is mended counts, and what is held back does not keep the others from running.
    project.register("empty.csv", customers(0, 10));
    let run = project.expect_run(1, "passed");
    assert_eq!(run["inputs"]["data"]["rows"], 10);
    let refused = project.snapshot()["state"]["refused"].as_object().unwrap().len();
    assert_eq!(refused, 3);
}
