//! What valid configurations mean: every default, every key, the example of the design. What engines are told is in
//! `engine_meaning_tests.rs`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::pipeline::{Reaction, StageKind, StageName};

use super::keys::{Key, Presence, Section};
use super::{
    Action, Algorithm, ChampionRule, DeployTarget, PanelKind, Runner, SearchSettings, Settings, SourceTrigger,
    SplitSettings, StageSettings, Task, parse,
};

pub(super) fn settings(text: &str) -> Settings {
    parse(text, "trainyard.toml").map_err(|errors| errors.to_string()).unwrap()
}

pub(super) fn stage(settings: &Settings, name: &str) -> StageSettings {
    settings.stage(&StageName::from(name)).unwrap().clone()
}

/// The stage `NAME` of a configuration in which it has these lines.
pub(super) fn lone(name: &str, lines: &str) -> StageSettings {
    stage(&settings(&format!("[stages.{name}]\n{lines}\n")), name)
}

/// One stage of each kind, with nothing but what is required.
pub(super) const LEAST: &str = r#"
[stages.train]
uses = "train"
target = "quality"
[stages.test]
needs = ["train"]
command = ["pytest"]
[stages.build]
uses = "image"
needs = ["test"]
[stages.deploy]
uses = "deploy"
needs = ["build"]
"#;

/// The example of product.md without what is not built yet.
const EXAMPLE: &str = r#"
[project]
name = "wine-quality"

[source]
path = "."                    # a git work tree
trigger = "save"              # save | commit | manual
ignore = ["docs/**"]          # beyond .gitignore

[data]
path = "data"
include = ["*.csv"]
settle = "500ms"              # quiet time before a closed file counts as registered

[stages.train]
uses = "train"                # built in, on linfa; or: command = ["python", "train.py"]
target = "quality"            # the column to predict
algorithms = ["auto"]
gate = { metric = "accuracy", min = 0.55, champion = "no-worse", tolerance = 0.005 }

[stages.test]
needs = ["train"]
command = ["pytest", "-q", "--junitxml", "$TRAINYARD_REPORTS/junit.xml"]
timeout = "10m"
retries = 1

[stages.build]
uses = "image"
needs = ["test"]

[stages.deploy]
uses = "deploy"
needs = ["build"]
target = "process"
port = 8080
health = { path = "/healthz", within = "30s" }

[monitor]
scrape = "1s"
retention = "24h"
[[monitor.panels]]
title = "requests/s"
expr = "sum(rate(predict_requests_total[1m]))"
[[monitor.alerts]]
name = "ErrorRate"
expr = "sum(rate(predict_errors_total[1m])) / sum(rate(predict_requests_total[1m])) > 0.05"
for = "30s"
then = "rollback"             # notify | rollback | retrain
"#;

#[test]
fn the_example_of_the_design_is_valid() {
    let settings = settings(EXAMPLE);
    assert_eq!(settings.name, "wine-quality");
    assert_eq!(settings.source.trigger, SourceTrigger::Save);
    assert_eq!(settings.source.ignore, ["docs/**"]);
    let order: Vec<_> = settings.graph.stages().iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(order, ["train", "test", "build", "deploy"]);

    let train = stage(&settings, "train");
    let Action::Train(built_in) = &train.action else { unreachable!("train is built in") };
    let gate = built_in.gate.clone().unwrap();
    assert_eq!(gate.metric, "accuracy");
    assert_eq!((gate.min, gate.champion), (Some(0.55), Some(ChampionRule::NoWorse)));
    assert_eq!(gate.tolerance.to_bits(), 0.005_f64.to_bits());
    assert_eq!((settings.models.keep, built_in.feedback), (20, false));
    assert!(train.spec.uses_data && train.spec.produces_model && !train.spec.uses_source);

    let test = stage(&settings, "test");
    assert_eq!((test.spec.timeout, test.spec.retries), (Some(600_000), 1));
    assert!(test.spec.requires_report && test.spec.uses_source && !test.spec.uses_data);
    assert_eq!(settings.monitor.panels.len(), 1);
    let panel = &settings.monitor.panels[0];
    assert_eq!((panel.unit.as_deref(), panel.kind, panel.thresholds), (None, PanelKind::Line, None));
    let alert = &settings.monitor.alerts[0];
    assert_eq!((alert.name.as_str(), alert.then), ("ErrorRate", Reaction::Rollback));
    assert_eq!((alert.pending_for, alert.keep_firing_for), (Duration::from_secs(30), Duration::ZERO));
    assert_eq!((alert.cooldown, &alert.severity, &alert.summary), (Duration::from_mins(10), &None, &None));
}

#[test]
fn a_panel_says_how_it_is_drawn() {
    let panel = "[[monitor.panels]]\ntitle = \"p95\"\nexpr = \"x\"\nunit = \"s\"\nkind = \"gauge\"\nmin = 0\nmax = 1.5\n\
                 thresholds = [0.1, 0.25]\nlog = true\nzero = true\n";
    let settings = settings(&format!("{panel}{LEAST}"));
    let panel = &settings.monitor.panels[0];
    assert_eq!((panel.kind, panel.min, panel.max), (PanelKind::Gauge, Some(0.0), Some(1.5)));
    assert_eq!((panel.thresholds, panel.log, panel.zero), (Some((0.1, 0.25)), true, true));
}

#[test]
fn what_is_left_out_has_its_default() {
    let settings = settings(LEAST);
    assert_eq!(settings.name, "project");
    assert_eq!(settings.source.path, PathBuf::from("."));
    assert_eq!(settings.source.trigger, SourceTrigger::Save);
    assert!(settings.source.ignore.is_empty() && settings.schedules.is_empty());
    assert_eq!((&settings.source.branch, &settings.source.remote), (&None, &None));
    assert_eq!(settings.data.path, PathBuf::from("data"));
    assert_eq!(settings.data.include, ["*.csv", "*.csv.gz"]);
    assert_eq!(settings.data.contract, Path::new("data.toml"));
    assert_eq!(settings.data.settle, Duration::from_millis(500));
    assert_eq!(settings.monitor.scrape, Duration::from_secs(1));
    assert_eq!(settings.monitor.retention, Duration::from_hours(24));
    assert!(settings.monitor.panels.is_empty() && settings.monitor.alerts.is_empty());

    let train = stage(&settings, "train");
    assert_eq!(train.grace, Duration::from_secs(10));
    assert_eq!((train.spec.timeout, train.spec.retries), (None, 0));
    assert_eq!(train.runner, Runner::Local);
    let Action::Train(train) = train.action else { unreachable!("train is built in") };
    assert!(train.algorithms.is_empty() && train.exclude.is_empty());
    assert_eq!((train.task, train.seed, train.gate, train.split), (None, 42, None, SplitSettings::Hash));
    assert_eq!(train.holdout.to_bits(), 0.2_f64.to_bits());

    let deploy = settings.deploy().unwrap();
    assert_eq!((&deploy.target, deploy.port), (&DeployTarget::Process, 8080));
    assert_eq!((deploy.health.path.as_str(), deploy.health.within), ("/healthz", Duration::from_secs(30)));
    assert!(deploy.command.is_empty() && deploy.variables.is_empty());
    assert_eq!((deploy.drain, deploy.metrics.as_str()), (Duration::from_secs(10), "/metrics"));
}

/// A target as far as it must be written.
const SCRAPED: &str = "[[monitor.targets]]\nname = \"node\"\nurl = \"http://127.0.0.1:9100/metrics\"\n";

/// Where the secret comes from, unless `own` says it.
fn secret(own: &str, name: &str) -> String {
    if own.contains(&format!("{name}_")) { String::new() } else { format!("{name}_env = \"SECRET\"\n") }
}

/// A configuration in which the keys of `section` that `wanted` accepts are written with their samples.
fn written(section: Section, wanted: impl Fn(&Key) -> bool) -> String {
    let keys = section.keys().filter(|key| wanted(key) && !["uses", "needs"].contains(&key.name));
    let own: String = keys.map(|key| format!("{} = {}\n", key.name, key.sample())).collect();
    let behind = |line: &str, more: &str| LEAST.replace(line, &format!("{line}{more}"));
    // The last lines of their stages: a table of its own may follow.
    let (command, deploy) = ("command = [\"pytest\"]\n", "needs = [\"build\"]\n");
    match section {
        Section::Root => LEAST.to_owned(),
        Section::Project | Section::Source | Section::Data | Section::Models | Section::Monitor => {
            format!("{}\n{own}{LEAST}", section.title())
        }
        // Something must be said of how.
        Section::Notify if !own.contains("webhook = ") && !own.contains("command = ") => {
            format!("{}\n{own}webhook = {{ env = \"HOOK\" }}\n{LEAST}", section.title())
        }
        Section::Panel | Section::ScrapeTarget | Section::Alert | Section::Schedule | Section::Notify => {
            format!("{}\n{own}{LEAST}", section.title())
        }
        Section::Basic => format!("{SCRAPED}[monitor.targets.basic]\n{own}{}{LEAST}", secret(&own, "password")),
        Section::Bearer => format!("{SCRAPED}[monitor.targets.bearer]\n{own}{}{LEAST}", secret(&own, "token")),
        Section::Stage => behind(command, &own),
        Section::Container => {
            let runner = if own.contains("network = ") { "docker" } else { "kubernetes" };
            behind(command, &format!("runner = \"{runner}\"\n[stages.test.container]\n{own}"))
        }
        Section::Limits => behind(deploy, &format!("target = \"docker\"\n[stages.deploy.limits]\n{own}")),
        Section::Command => LEAST.replace(command, &own),
        Section::Train => LEAST.replace("target = \"quality\"\n", &own),
        Section::Search => behind("target = \"quality\"\n", &format!("[stages.train.search]\n{own}")),
        Section::Split => behind("target = \"quality\"\n", &format!("[stages.train.split]\n{own}")),
        Section::Gate => {
            let bound = if own.contains("min = ") { "" } else { "min = 0.5\n" };
            behind("target = \"quality\"\n", &format!("[stages.train.gate]\n{own}{bound}"))
        }
        // What is pushed lies in Docker Engine, and so does what a Dockerfile makes.
        Section::Image => behind("uses = \"image\"\n", &own).replace(deploy, &format!("{deploy}target = \"docker\"\n")),
        Section::Dockerfile => behind("uses = \"image\"\n", &format!("dockerfile = \"Dockerfile\"\n{own}"))
            .replace(deploy, &format!("{deploy}target = \"docker\"\n")),
        Section::Deploy => behind(deploy, &own),
        Section::Health => behind(deploy, &format!("[stages.deploy.health]\n{own}")),
        Section::Contained | Section::Docker => behind(deploy, &format!("target = \"docker\"\n{own}")),
        Section::Compose => behind(deploy, &format!("target = \"docker\"\n[stages.deploy.compose]\n{own}")),
        Section::Kubernetes => behind(deploy, &format!("target = \"kubernetes\"\n{own}")),
        Section::Canary => {
            let bound = if own.contains("max = ") { "" } else { "max = 1\n" };
            behind(deploy, &format!("target = \"kubernetes\"\n[stages.deploy.canary]\n{own}{bound}"))
        }
    }
}

/// Keys of a section that exclude others: each time, the rest is valid together.
fn left_out(section: Section) -> &'static [&'static [&'static str]] {
    match section {
        // Without a runner there is no container; that key is read with the keys in it.
        Section::Stage => &[&["container"]],
        Section::Container => &[&["network"], &["context", "namespace", "push"]],
        Section::Image => &[&["dockerfile"], &["include", "site"]],
        Section::Monitor => &[&["prometheus"], &["targets"]],
        Section::ScrapeTarget => &[&["basic"], &["bearer"]],
        Section::Basic => &[&["password_file"], &["password_env"]],
        Section::Bearer => &[&["token_file"], &["token_env"]],
        Section::Notify => &[&["command"], &["webhook", "format", "template", "headers"]],
        _ => &[&[]],
    }
}

#[test]
fn every_key_of_the_table_is_read() {
    for section in Section::ALL {
        for out in left_out(*section) {
            let text = written(*section, |key| !out.contains(&key.name));
            let result = parse(&text, "trainyard.toml").map_err(|errors| errors.to_string());
            assert!(result.is_ok(), "{}\n{text}", result.unwrap_err());
        }
    }
}

#[test]
fn every_default_of_the_table_is_that_of_the_reader() {
    for section in Section::ALL {
        let with = |key: &Key| matches!(key.presence, Presence::Default(_) | Presence::Required(_));
        let without = |key: &Key| matches!(key.presence, Presence::Required(_));
        if section.keys().any(|key| with(key) && !without(key)) {
            assert_eq!(settings(&written(*section, with)), settings(&written(*section, without)), "{section:?}");
        }
    }
}

#[test]
fn a_command_depends_on_all_of_the_source_unless_it_says_otherwise() {
    let plain = lone("test", "command = [\"pytest\"]");
    assert!(plain.spec.uses_source && plain.inputs.is_empty());
    let some = lone("test", "command = [\"pytest\"]\ninputs = [\"tests/**\"]");
    assert!(some.spec.uses_source);
    assert_eq!(some.inputs, ["tests/**"]);
    let none = lone("test", "command = [\"pytest\"]\ninputs = []");
    assert!(!none.spec.uses_source && none.inputs.is_empty());
}

#[test]
fn a_training_command_depends_on_the_data_and_on_the_files_that_it_names() {
    let train = lone("train", "command = [\"python3\", \"train.py\", \"$TRAINYARD_DATA\"]");
    assert!(train.spec.produces_model && train.spec.uses_data && train.spec.uses_source);
    assert_eq!(train.inputs, ["train.py"]);
    let module = lone("fit", "command = [\"python3\", \"-m\", \"trainer.main\"]\nproduces = \"model\"");
    assert!(module.spec.produces_model && module.spec.uses_data && module.spec.uses_source);
    assert!(module.inputs.is_empty());
    let without = lone("train", "command = [\"python3\", \"train.py\"]\ndata = false");
    assert!(!without.spec.uses_data);
}

#[test]
fn a_report_is_required_where_its_folder_is_mentioned() {
    assert!(!lone("test", "command = [\"pytest\"]").spec.requires_report);
    assert!(lone("test", "command = [\"pytest\", \"${TRAINYARD_REPORTS}/a.xml\"]").spec.requires_report);
    assert!(lone("test", "command = [\"make\"]\nenvironment = { OUT = \"$TRAINYARD_REPORTS\" }").spec.requires_report);
    assert!(lone("test", "command = [\"make\"]\nreport = \"required\"").spec.requires_report);
    let optional = lone("test", "command = [\"pytest\", \"$TRAINYARD_REPORTS/a.xml\"]\nreport = \"optional\"");
    assert!(!optional.spec.requires_report);
}

#[test]
fn an_image_depends_on_the_source_only_by_what_goes_into_it() {
    let bare = lone("build", "uses = \"image\"");
    assert_eq!(bare.spec.kind, StageKind::Image);
    assert!(!bare.spec.uses_source && !bare.spec.uses_data && bare.inputs.is_empty());
    let filled = lone("build", "uses = \"image\"\ninclude = [\"app/*.py\"]\nsite = \"./site/\"");
    assert!(filled.spec.uses_source);
    assert_eq!(filled.inputs, ["app/*.py", "site/**"]);
}

#[test]
fn rows_are_held_out_by_hash_or_by_time() {
    let split = |line: &str| {
        let lines = format!("uses = \"train\"\ntarget = \"y\"\n{line}");
        let Action::Train(train) = lone("train", &lines).action else { unreachable!("train is built in") };
        train.split
    };
    assert_eq!(split("split = \"hash\""), SplitSettings::Hash);
    let by_date = SplitSettings::Time { column: "date".to_owned() };
    assert_eq!(split("split = { by = \"time\", column = \"date\" }"), by_date);
}

#[test]
fn named_algorithms_replace_auto() {
    let lines =
        "uses = \"train\"\ntarget = \"y\"\ntask = \"classification\"\nalgorithms = [\"naive-bayes\", \"logistic\"]";
    let Action::Train(train) = lone("train", lines).action else { unreachable!("train is built in") };
    assert_eq!(train.algorithms, [Algorithm::NaiveBayes, Algorithm::Logistic]);
    assert_eq!(train.task, Some(Task::Classification));
}

#[test]
fn a_search_has_defaults_that_can_be_replaced_one_by_one() {
    let search = |lines: &str| {
        let lines = format!("uses = \"train\"\ntarget = \"y\"\n{lines}");
        let Action::Train(train) = lone("train", &lines).action else { unreachable!("train is built in") };
        (train.search, train.slices)
    };
    let usual = SearchSettings { trials: 24, time: None, folds: 3 };
    assert_eq!(search(""), (usual.clone(), Vec::new()));
    let lines = "search = { time = \"2m\", folds = 5 }\nslices = [\"a\", \"b\", \"a\"]";
    let other = SearchSettings { time: Some(Duration::from_mins(2)), folds: 5, ..usual };
    assert_eq!(search(lines), (other, vec!["a".to_owned(), "b".to_owned()]));
}

#[test]
fn a_command_that_makes_a_model_may_have_a_gate_too() {
    let lines =
        "command = [\"sh\", \"train.sh\"]\nproduces = \"model\"\ngate = { metric = \"f1\", champion = \"better\" }";
    let fit = lone("fit", lines);
    let gate = fit.gate().unwrap();
    assert_eq!((gate.metric.as_str(), gate.min, gate.champion), ("f1", None, Some(ChampionRule::Better)));
    let without = lone("fit", "command = [\"sh\", \"train.sh\"]\nproduces = \"model\"");
    assert_ne!(fit.spec.definition, without.spec.definition);
}

#[test]
fn the_definition_changes_with_what_is_made_and_not_with_how_often_it_is_tried() {
    let definition = |lines: &str| lone("test", lines).spec.definition;
    let plain = definition("command = [\"pytest\"]");
    assert_eq!(plain, definition("command = [\"pytest\"]\nretries = 3\ntimeout = \"1m\"\ngrace = \"1s\"\nneeds = []"));
    assert_eq!(plain, definition("command = [\"pytest\"]\napprove = [\"mina\"]"));
    for other in [
        "command = [\"pytest\", \"-q\"]",
        "command = [\"pytest\"]\nenvironment = { A = \"b\" }",
        "command = [\"pytest\"]\nreport = \"required\"",
        "command = [\"pytest\"]\ninputs = [\"a\"]",
        "command = [\"pytest\"]\ndata = true",
    ] {
        assert_ne!(plain, definition(other), "{other}");
    }
    let gate = |min: &str| {
        let lines = format!("uses = \"train\"\ntarget = \"y\"\ngate = {{ metric = \"accuracy\", min = {min} }}");
        lone("train", &lines).spec.definition
    };
    assert_ne!(gate("0.5"), gate("0.6"));
}

#[test]
fn a_stage_asks_nobody_anybody_or_those_who_are_named() {
    let approval = |lines: &str| lone("test", &format!("command = [\"pytest\"]\n{lines}")).spec.approval;
    assert_eq!((approval(""), approval("approve = false")), (None, None));
    assert_eq!(approval("approve = true"), Some(Vec::new()));
    assert_eq!(approval("approve = [\"mina\", \"alice\"]"), Some(vec!["mina".to_owned(), "alice".to_owned()]));
}

#[test]
fn stages_stand_behind_what_they_need_whatever_the_order_of_the_file() {
    let settings = settings("[stages.b]\nneeds = [\"a\"]\ncommand = [\"b\"]\n[stages.a]\ncommand = [\"a\"]\n");
    let names: Vec<_> = settings.stages.iter().map(|stage| stage.spec.name.as_str()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn a_folder_without_a_configuration_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let error = super::load(folder.path()).unwrap_err().to_string();
    assert_eq!(error, format!("no trainyard.toml in {}; `trainyard init` writes one", folder.path().display()));
}

#[test]
fn a_project_without_a_name_is_called_like_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("wine");
    std::fs::create_dir(&project).unwrap();
    std::fs::write(project.join(super::FILE_NAME), LEAST).unwrap();
    assert_eq!(super::load(&project).unwrap().name, "wine");
    assert_eq!(super::load(&project.join(super::FILE_NAME)).unwrap().name, "wine");
}

#[test]
fn a_file_that_is_not_text_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(super::FILE_NAME);
    std::fs::write(&path, b"[project]\nname = \"\xff\"\n").unwrap();
    let error = super::load(&path).unwrap_err().to_string();
    assert_eq!(error, format!("{} is not UTF-8 text in line 2; save it as UTF-8", path.display()));
}
