//! What the demo writes, and that its own tests tell a sound source from a broken one.

use std::process::{Command, Output};

use super::*;
use crate::config::{Action, PanelKind, PanelSettings, SourceTrigger, parse};
use crate::monitor::{KnownMetric, default_panels};
use crate::pipeline::Reaction;
use crate::stage::report;

fn project(folder: &Path) -> DemoProject {
    DemoProject::create_or_open(folder, None, None).unwrap()
}

#[test]
fn the_template_is_a_valid_configuration() {
    let settings = parse(&configuration_text(8123, TargetKind::Process), config::FILE_NAME).unwrap();
    let stages: Vec<&str> = settings.stages.iter().map(|stage| stage.spec.name.as_str()).collect();
    assert_eq!(stages, ["train", "test", "build", "deploy"]);
    assert_eq!((settings.name.as_str(), settings.source.trigger), ("wine-quality", SourceTrigger::Save));
    assert_eq!(settings.deploy().unwrap().port, 8123);
    let Action::Train(train) = &settings.stages[0].action else { panic!("{:?}", settings.stages[0]) };
    assert_eq!((train.target.as_str(), train.gate.as_ref().unwrap().metric.as_str()), ("quality", "accuracy"));
    assert!(settings.stages[1].spec.requires_report);
    assert_eq!(train.exclude, ["chlorides"]);
    let alert = &settings.monitor.alerts[0];
    assert_eq!((alert.name.as_str(), alert.then), ("ErrorRate", Reaction::Rollback));
}

/// What the model server of the demo tells, as far as panels are chosen by it.
const TOLD: [(&str, &str); 8] = [
    ("predict_requests_total", "counter"),
    ("predict_duration_seconds_bucket", "histogram"),
    ("predict_input_drift_psi_max", "gauge"),
    ("predict_prediction_drift_psi", "gauge"),
    ("predict_class_total", "counter"),
    ("predict_confidence_bucket", "histogram"),
    ("process_resident_memory_bytes", "gauge"),
    ("process_cpu_seconds_total", "counter"),
];

#[test]
fn the_charts_are_the_usual_ones_but_for_the_errors_which_are_told_by_reason() {
    let settings = parse(&configuration_text(8123, TargetKind::Process), config::FILE_NAME).unwrap();
    let on_one_line = |panel: &PanelSettings| {
        let expr = panel.expr.split_whitespace().collect::<Vec<_>>().join(" ");
        PanelSettings { expr, ..panel.clone() }
    };
    let mut panels: Vec<PanelSettings> = settings.monitor.panels.iter().map(on_one_line).collect();
    let mut usual = default_panels(TOLD.map(|(name, kind)| KnownMetric { name, kind }));
    let (errors, one_curve) = (panels.remove(1), usual.remove(1));
    assert_eq!(panels, usual);
    assert_eq!((one_curve.title.as_str(), one_curve.unit), ("errors/s", errors.unit.clone()));
    assert_eq!((errors.title.as_str(), errors.kind), ("errors by reason", PanelKind::Area));
    assert!(errors.expr.contains("sum by (reason)") && errors.expr.contains("missing_field"), "{}", errors.expr);
    crate::monitor::promql::parse(&errors.expr).unwrap();
}

#[test]
fn the_demo_runs_where_it_is_told_to() {
    for target in [TargetKind::Process, TargetKind::Docker, TargetKind::Kubernetes] {
        let settings = parse(&configuration_text(8123, target), config::FILE_NAME).unwrap();
        assert_eq!(settings.deploy().unwrap().target.kind(), target);
    }
    let folder = tempfile::tempdir().unwrap();
    project(folder.path());
    let refused = DemoProject::create_or_open(folder.path(), None, Some(TargetKind::Docker)).unwrap_err();
    assert!(matches!(refused, DemoError::OtherTarget { configured: "process", .. }), "{refused}");
}

#[test]
fn a_new_project_is_a_clean_repository_without_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(&folder.path().join("new"));
    assert_eq!(project.register_next_batch().unwrap(), "registered 2023-spring.csv, 640 rows");
    let repository = git2::Repository::open(project.folder()).unwrap();
    let head = repository.head().unwrap();
    assert_eq!(head.name().ok(), Some("refs/heads/main"));
    let commit = head.peel_to_commit().unwrap();
    assert_eq!(commit.author().email().ok(), Some("demo@localhost"));
    let tree = commit.tree().unwrap();
    let is_committed = |name: &str| tree.get_path(Path::new(name)).is_ok();
    assert!(FILES.iter().all(|(name, _)| is_committed(name)) && is_committed(config::FILE_NAME));
    assert!(!is_committed("data") && !is_committed(".trainyard"));
    // What the first training leaves is no change of the source either.
    fs::write(project.folder().join("data.toml"), "").unwrap();
    let mut options = git2::StatusOptions::new();
    options.include_untracked(true).include_ignored(false);
    assert!(repository.statuses(Some(&mut options)).unwrap().is_empty());
}

#[test]
fn batches_are_registered_one_after_the_other_until_none_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let mut left = vec![project.batches_left()];
    for batch in BATCHES {
        let said = project.register_next_batch().unwrap();
        assert!(said.starts_with(&format!("registered {}, ", batch.name)), "{said}");
        assert_eq!(fs::read_to_string(project.data_file(batch)).unwrap(), batch.text);
        left.push(project.batches_left());
    }
    assert_eq!(left, [4, 3, 2, 1, 0]);
    assert_eq!(project.register_next_batch().unwrap(), "all batches are registered");
    assert_eq!(fs::read_dir(project.folder().join("data")).unwrap().count(), 4);
}

#[test]
fn an_existing_demo_is_continued_with_its_port_and_its_changes() {
    let folder = tempfile::tempdir().unwrap();
    let first = project(folder.path());
    first.register_next_batch().unwrap();
    first.toggle_break().unwrap();
    fs::remove_file(folder.path().join("README.md")).unwrap();
    let again = project(folder.path());
    assert_eq!((again.port(), again.batches_left()), (first.port(), 3));
    assert!(fs::read_to_string(folder.path().join(PAGE)).unwrap().contains(BROKEN));
    assert!(folder.path().join("README.md").is_file());
    let other = if first.port() == 9 { 10 } else { 9 };
    let refused = DemoProject::create_or_open(folder.path(), Some(other), None).unwrap_err();
    assert!(matches!(refused, DemoError::OtherPort { .. }), "{refused}");
}

#[test]
fn a_folder_of_somebody_else_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("thesis.txt"), "mine").unwrap();
    let refused = DemoProject::create_or_open(folder.path(), None, None).unwrap_err();
    assert!(refused.to_string().contains("is not empty and was not made by `trainyard demo`"), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_taken_port_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let refused = DemoProject::create_or_open(folder.path(), Some(port), None).unwrap_err();
    assert!(matches!(refused, DemoError::Port { .. }), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn breaking_twice_restores_the_page_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let page = folder.path().join(PAGE);
    let before = fs::read(&page).unwrap();
    assert!(project.toggle_break().unwrap().contains("is broken"));
    assert_ne!(fs::read(&page).unwrap(), before);
    assert!(project.toggle_break().unwrap().contains("is mended"));
    assert_eq!(fs::read(&page).unwrap(), before);
    fs::write(&page, "another page").unwrap();
    assert!(matches!(project.toggle_break().unwrap_err(), DemoError::Edited(_)));
}

#[test]
fn a_model_that_demands_more_than_clients_send_is_one_line_and_mended_as_easily() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let path = folder.path().join(config::FILE_NAME);
    let before = fs::read(&path).unwrap();
    assert!(project.toggle_demand().unwrap().contains("until its alert goes back"));
    let settings = config::load(folder.path()).unwrap();
    let Action::Train(train) = &settings.stages[0].action else { panic!("{:?}", settings.stages[0]) };
    assert!(train.exclude.is_empty());
    assert!(project.toggle_demand().unwrap().contains("answers its clients"));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn every_sample_of_the_page_has_the_columns_of_the_data() {
    let samples: Vec<serde_json::Value> = serde_json::from_str(include_str!("template/app/samples.json")).unwrap();
    let columns = &super::super::wines()[0].record;
    for sample in &samples {
        let record = sample["record"].as_object().unwrap();
        assert!(record.keys().eq(columns.keys()) && record.values().all(serde_json::Value::is_number), "{sample}");
    }
    assert!(samples.len() >= 3);
}

#[test]
fn the_test_script_is_valid_shell() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path());
    let status = Command::new("sh").arg("-n").arg(project.folder().join("tests/run.sh")).status().unwrap();
    assert!(status.success());
}

/// Stands for `trainyard predict`: says the grade that is in the file, and 5 where there is none.
const PREDICTOR: &str = r#"#!/bin/sh
awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "quality") grade = i; print "prediction,probability"; next }
         { print (grade ? $grade : 5) ",0.5" }' "$4"
"#;

fn run_tests(project: &DemoProject, scratch: &Path) -> Output {
    let data = scratch.join("data.txt");
    fs::write(&data, format!("{}\n", project.data_file(&BATCHES[0]).display())).unwrap();
    let predictor = scratch.join("predictor");
    // Written by another process: a file that this one held open for writing could not be executed while some other test
    // forks.
    let write = "printf '%s' \"$1\" > \"$2\" && chmod 755 \"$2\"";
    let written = Command::new("sh").args(["-c", write, "sh", PREDICTOR]).arg(&predictor).status().unwrap();
    assert!(written.success());
    Command::new("sh")
        .arg("tests/run.sh")
        .current_dir(project.folder())
        .env("TRAINYARD_BIN", &predictor)
        .env("TRAINYARD_DATA", &data)
        .env("TRAINYARD_MODEL", scratch)
        .env("TRAINYARD_REPORTS", scratch.join("reports"))
        .output()
        .unwrap()
}

#[test]
fn the_tests_of_the_project_pass_until_its_source_is_broken() {
    let (folder, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let project = project(folder.path());
    project.register_next_batch().unwrap();
    let output = run_tests(&project, scratch.path());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    let report = report::read(&scratch.path().join("reports")).unwrap().unwrap();
    assert_eq!((report.passed, report.failed), (8, 0), "{said}");

    project.toggle_break().unwrap();
    let output = run_tests(&project, scratch.path());
    assert_eq!(output.status.code(), Some(1));
    let report = report::read(&scratch.path().join("reports")).unwrap().unwrap();
    assert_eq!((report.passed, report.failed), (7, 1));
    assert!(report.failing[0].name.contains("the page writes answers as text"), "{:?}", report.failing);
}
