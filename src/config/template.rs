//! The text of a new `trainyard.toml`: commented, valid, and fitting what was found in the folder.

use std::fmt::Write as _;

use super::detect::{Detected, Template};
use super::settings::TargetKind;
use super::values::quote;

/// Proves that the built-in model loads and predicts.
const PREDICT: &str = r#""$TRAINYARD_BIN" predict --json "$(head -n 1 "$TRAINYARD_DATA")" > /dev/null"#;

/// Proves no more than that training wrote something.
const NOT_EMPTY: &str = r#"test -n "$(ls -A "$TRAINYARD_MODEL")""#;

/// The configuration for what was detected. It always passes [`super::parse`].
pub fn render(detected: &Detected) -> String {
    let mut text = String::new();
    project(&mut text, detected);
    train(&mut text, detected);
    test(&mut text, detected);
    if detected.has_dockerfile {
        contained_release(&mut text, detected);
    } else if detected.deploy_targets().is_empty() {
        release_later(&mut text);
    } else {
        release(&mut text, detected);
    }
    text
}

/// One line; what stands behind `comment` is set off so that comments stand in a column.
fn line(text: &mut String, statement: &str, comment: &str) {
    // Writing to a string cannot fail.
    let _ =
        if comment.is_empty() { writeln!(text, "{statement}") } else { writeln!(text, "{statement:<29} # {comment}") };
}

fn words(command: &[String]) -> String {
    let quoted: Vec<String> = command.iter().map(|word| quote(word)).collect();
    format!("[{}]", quoted.join(", "))
}

/// A name from the disk, fit for a comment: a line end in it would end the comment.
fn harmless(name: &str) -> String {
    name.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

fn project(text: &mut String, detected: &Detected) {
    line(text, "# How this project is trained, tested, built, deployed and monitored.", "");
    line(
        text,
        "# `trainyard check` validates this file; `trainyard config schema` prints its JSON schema for editors.",
        "",
    );
    line(text, "\n[project]", "");
    line(text, &format!("name = {}", quote(&detected.name)), "");
    line(text, "\n[source]", "");
    line(text, "path = \".\"", "");
    line(text, "trigger = \"save\"", "save | commit | manual: what starts a run");
    if !detected.is_git {
        line(
            text,
            "# Not a git work tree yet: after `git init`, runs name the version of the source that they used.",
            "",
        );
    }
    line(text, "ignore = []", "files that start nothing, beyond .gitignore, such as [\"docs/**\"]");
    line(text, "\n[data]", "");
    line(
        text,
        &format!("path = {}", quote(&detected.data_folder)),
        "put your data files here: each new one starts a run",
    );
    line(text, "include = [\"*.csv\", \"*.csv.gz\"]", "");
    line(text, "settle = \"500ms\"", "quiet time before a closed file counts as registered");
}

fn train(text: &mut String, detected: &Detected) {
    line(text, "\n[stages.train]", "");
    if detected.template == Template::Model {
        line(text, "uses = \"train\"", "built in; or your own: command = [\"python3\", \"train.py\"]");
        let file = detected.csv_files.first().map(|file| harmless(&file.to_string_lossy()));
        let target = detected.target.as_deref().unwrap_or("target");
        let comment = match file.filter(|_| detected.target.is_some()) {
            Some(_) if detected.is_target_chosen => "the column to predict".to_owned(),
            Some(file) => format!("the column to predict: a guess, the last one of {file}"),
            None => "EDIT: the column to predict; no CSV was found to guess it from".to_owned(),
        };
        line(text, &format!("target = {}", quote(target)), &comment);
        line(text, "algorithms = [\"auto\"]", "all that suit the task; the best in cross-validation wins");
        line(text, "# What is below the minimum, or worse than the champion on the same rows, goes no further:", "");
        line(text, "# gate = { metric = \"accuracy\", min = 0.55, champion = \"no-worse\" }", "");
        return;
    }
    let usual: &[&str] = match detected.template {
        Template::Python => &["python3", "train.py"],
        Template::Rust => &["cargo", "run", "--release", "--bin", "train"],
        Template::Command | Template::Model => &["sh", "train.sh"],
    };
    let usual: Vec<String> = usual.iter().map(|word| (*word).to_owned()).collect();
    line(text, "# Reads the files listed in $TRAINYARD_DATA, writes the model into the folder $TRAINYARD_MODEL.", "");
    if detected.train_command.is_none() {
        line(text, "# EDIT: no training script was found; this is where it would usually be.", "");
    }
    line(text, &format!("command = {}", words(detected.train_command.as_ref().unwrap_or(&usual))), "");
    line(text, "produces = \"model\"", "");
    if detected.template == Template::Rust {
        line(text, "inputs = [\"src/**\", \"Cargo.*\"]", "training runs again when one of these changes");
    }
}

fn test(text: &mut String, detected: &Detected) {
    line(text, "\n[stages.test]", "");
    line(text, "needs = [\"train\"]", "");
    if let Some(command) = &detected.test_command {
        line(text, &format!("command = {}", words(command)), "");
    } else if detected.template == Template::Model {
        line(
            text,
            "# No tests were found. This proves that the model loads and predicts every row of the first data file;",
            "",
        );
        line(text, "# put your own tests here, such as [\"python3\", \"-m\", \"pytest\", \"-q\"].", "");
        line(text, &format!("command = [\"sh\", \"-c\", '{PREDICT}']"), "");
    } else {
        line(
            text,
            "# No tests were found. This proves only that training wrote something; put your own tests here.",
            "",
        );
        line(text, &format!("command = [\"sh\", \"-c\", '{NOT_EMPTY}']"), "");
    }
    line(text, "timeout = \"10m\"", "");
}

fn release(text: &mut String, detected: &Detected) {
    let kind = detected.deploy_target;
    line(text, "\n[stages.build]", "");
    let comment = match kind {
        TargetKind::Process => "an image with the app and the model; needs no Docker",
        TargetKind::Docker | TargetKind::Kubernetes => "an image with the app and the model, kept in Docker Engine",
    };
    line(text, "uses = \"image\"", comment);
    line(text, "needs = [\"test\"]", "");
    if detected.app_command.is_some() {
        let files = if detected.template == Template::Python { "**/*.py" } else { "**/*.sh" };
        line(text, &format!("include = [\"{files}\"]"), "source files that go into /app of the image");
    } else {
        line(text, "include = [\"**\"]", "the source goes along in /app: a change of it is a new release");
    }
    pushed(text, kind);
    line(text, "\n[stages.deploy]", "");
    line(text, "uses = \"deploy\"", "");
    line(text, "needs = [\"build\"]", "");
    match kind {
        TargetKind::Process => {
            line(text, "target = \"process\"", "a process on this machine");
            line(
                text,
                "# target = \"docker\"",
                "or \"kubernetes\": the same as a container of Docker Engine, or as pods",
            );
        }
        TargetKind::Docker | TargetKind::Kubernetes => contained(text, kind),
    }
    if let Some(command) = &detected.app_command {
        let comment = match kind {
            TargetKind::Process => "run in /app; it listens on 127.0.0.1:$PORT",
            TargetKind::Docker | TargetKind::Kubernetes => "run in /app; it listens on $PORT, on all addresses",
        };
        line(text, &format!("command = {}", words(command)), comment);
    }
    reached(text);
}

/// Where a container or a pod is started.
fn contained(text: &mut String, kind: TargetKind) {
    match kind {
        TargetKind::Kubernetes => {
            line(text, "target = \"kubernetes\"", "pods on the cluster that kubectl speaks to; or \"docker\"");
        }
        TargetKind::Docker | TargetKind::Process => {
            line(text, "target = \"docker\"", "a container beside the old one until it is healthy; or \"kubernetes\"");
        }
    }
}

/// The nodes of a cluster pull an image from somewhere, unless they share the engine of this machine.
fn pushed(text: &mut String, kind: TargetKind) {
    if kind == TargetKind::Kubernetes {
        line(
            text,
            "# push = \"registry.example.com/team/app\"",
            "where the nodes of the cluster pull it; needs `docker login`",
        );
    }
}

/// The user's own Dockerfile, and its image as a container.
fn contained_release(text: &mut String, detected: &Detected) {
    line(text, "\n[stages.build]", "");
    line(text, "uses = \"image\"", "");
    line(text, "needs = [\"test\"]", "");
    line(
        text,
        "dockerfile = \"Dockerfile\"",
        "built by Docker Engine; remove this line for an image of the model server",
    );
    line(text, "# The model is in the build context. These two lines in the Dockerfile bring it into the image:", "");
    line(text, "#   ARG TRAINYARD_MODEL", "");
    line(text, "#   COPY ${TRAINYARD_MODEL} /model", "");
    line(
        text,
        "# push = \"registry.example.com/team/app\"",
        "where the nodes of a cluster pull it; needs `docker login`",
    );
    line(text, "\n[stages.deploy]", "");
    line(text, "uses = \"deploy\"", "");
    line(text, "needs = [\"build\"]", "");
    contained(text, detected.deploy_target);
    line(text, "container_port = 8080", "where the app listens in its container, on all addresses; told as $PORT");
    reached(text);
}

/// What is the same wherever a release runs.
fn reached(text: &mut String) {
    line(text, "port = 8080", "the stable address, on loopback");
    line(text, "health = { path = \"/healthz\", within = \"30s\" }", "must answer before the switch");
    line(text, "\n[monitor]", "");
    line(text, "scrape = \"1s\"", "");
    line(text, "retention = \"24h\"", "");
    line(text, "# [[monitor.alerts]]", "each series that the expression gives for so long is an alert");
    line(text, "# name = \"AppDown\"", "");
    line(text, "# expr = \"up == 0\"", "");
    line(text, "# for = \"30s\"", "");
    line(text, "# then = \"notify\"", "notify | rollback | retrain: what follows by itself");
}

/// Build and deploy as comments: without a program that serves they would only fail.
fn release_later(text: &mut String) {
    text.push_str(
        r#"
# Once there is a program that serves the model, remove the `# ` in front of these lines.
# It listens on 127.0.0.1:$PORT and answers /healthz; the model is in the folder $TRAINYARD_MODEL.
# [stages.build]
# uses = "image"
# needs = ["test"]
# include = ["app/**"]        # source files that go into /app of the image
#
# [stages.deploy]
# uses = "deploy"
# needs = ["build"]
# target = "process"          # or "docker", "kubernetes": the same as a container, or as pods
# command = ["./app/serve"]   # run in /app
# port = 8080
"#,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Action, ImageStore, Settings, parse};
    use std::path::PathBuf;

    const ALL: [Template; 4] = [Template::Python, Template::Rust, Template::Command, Template::Model];

    fn bare(template: Template) -> Detected {
        Detected {
            template,
            name: "wine".to_owned(),
            data_folder: "data".to_owned(),
            target: None,
            is_target_chosen: false,
            deploy_target: TargetKind::Process,
            csv_files: Vec::new(),
            is_git: false,
            has_dockerfile: false,
            train_command: None,
            test_command: None,
            app_command: None,
        }
    }

    /// With a Dockerfile, as it is found.
    fn with_dockerfile(template: Template) -> Detected {
        Detected { has_dockerfile: true, deploy_target: TargetKind::Docker, ..bare(template) }
    }

    fn settings(detected: &Detected) -> Settings {
        let text = render(detected);
        parse(&text, "trainyard.toml").map_err(|errors| format!("{errors}\n{text}")).unwrap()
    }

    fn chain(settings: &Settings) -> String {
        settings.stages.iter().map(|stage| stage.spec.name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_template_is_valid_even_where_nothing_was_found() {
        for template in ALL {
            let settings = settings(&bare(template));
            let kind = settings.deploy().map(|deploy| deploy.target.kind());
            assert_eq!(kind, (template == Template::Model).then_some(TargetKind::Process));
            let expected = if template == Template::Model { "train test build deploy" } else { "train test" };
            assert_eq!(chain(&settings), expected);
            assert!(settings.stages[0].spec.produces_model);
        }
    }

    #[test]
    fn every_template_is_valid_where_all_was_found() {
        let junit = "$TRAINYARD_REPORTS/junit.xml";
        for template in ALL {
            let detected = Detected {
                target: Some("qual\"ity 품질".to_owned()),
                csv_files: vec![PathBuf::from("data/a\nb.csv")],
                is_git: true,
                train_command: Some(vec!["python3".to_owned(), "train.py".to_owned()]),
                test_command: Some(vec!["pytest".to_owned(), "--junitxml".to_owned(), junit.to_owned()]),
                app_command: Some(vec!["python3".to_owned(), "app.py".to_owned()]),
                name: "it's \"mine\"".to_owned(),
                ..with_dockerfile(template)
            };
            let settings = settings(&detected);
            assert_eq!(chain(&settings), "train test build deploy");
            assert_eq!(settings.name, "it's \"mine\"");
            assert!(settings.stages[1].spec.requires_report);
        }
    }

    #[test]
    fn a_dockerfile_is_built_and_its_image_runs_as_a_container() {
        for template in ALL {
            let settings = settings(&with_dockerfile(template));
            assert_eq!(chain(&settings), "train test build deploy");
            let Action::Image(image) = &settings.stages[2].action else { unreachable!("build builds an image") };
            assert_eq!(image.dockerfile.as_ref().unwrap().path, PathBuf::from("Dockerfile"));
            assert_eq!(image.store, ImageStore::Docker);
            let deploy = settings.deploy().unwrap();
            assert_eq!(deploy.target.kind(), TargetKind::Docker);
            assert!(deploy.command.is_empty(), "what the image runs is said in the Dockerfile");
        }
    }

    #[test]
    fn wherever_releases_are_chosen_to_run_the_text_is_valid() {
        for template in ALL {
            let app_command = Some(vec!["python3".to_owned(), "app.py".to_owned()]);
            for detected in [bare(template), with_dockerfile(template), Detected { app_command, ..bare(template) }] {
                for kind in detected.deploy_targets() {
                    let chosen = settings(&detected.clone().with_deploy_target(*kind));
                    assert_eq!(chosen.deploy().unwrap().target.kind(), *kind);
                }
            }
        }
    }

    #[test]
    fn a_column_that_was_chosen_is_no_guess() {
        let csv_files = vec![PathBuf::from("a.csv")];
        let guessed = Detected { target: Some("left".to_owned()), csv_files, ..bare(Template::Model) };
        assert!(render(&guessed).contains("a guess"));
        let text = render(&guessed.with_target("age"));
        assert!(text.contains("target = \"age\"") && !text.contains("a guess"), "{text}");
    }

    #[test]
    fn without_a_dockerfile_the_other_targets_are_shown_and_not_chosen() {
        for template in ALL {
            let text = render(&bare(template));
            assert!(text.contains("docker") && text.contains("kubernetes"), "{text}");
            assert!(!text.contains("dockerfile ="), "{text}");
        }
        let text = render(&bare(Template::Model)).replace("target = \"process\"", "").replace("# target", "target");
        let deploy = parse(&text, "trainyard.toml").unwrap().deploy().unwrap().target.kind();
        assert_eq!(deploy, TargetKind::Docker);
    }

    #[test]
    fn the_alert_that_is_shown_is_valid_once_it_is_not_commented_out() {
        let text = render(&bare(Template::Model));
        let (before, alert) = text.split_once("# [[monitor.alerts]]").unwrap();
        let alert = alert.replace("\n# ", "\n");
        let settings = parse(&format!("{before}[[monitor.alerts]]{alert}"), "trainyard.toml").unwrap();
        assert_eq!(settings.monitor.alerts[0].name, "AppDown");
    }

    #[test]
    fn without_tests_the_model_is_proved_by_predicting() {
        let settings = settings(&bare(Template::Model));
        let words = ["sh", "-c", PREDICT].map(str::to_owned);
        assert_eq!(settings.stages[1].action, Action::Command(words.to_vec()));
    }

    #[test]
    fn what_is_commented_out_is_valid_once_it_is_not() {
        let text = render(&bare(Template::Command)).replace("# [stages", "[stages");
        let bare_line = |line| str::strip_prefix(line, "# ").filter(|rest| rest.contains(" = ")).unwrap_or(line);
        let lines: Vec<&str> = text.lines().map(bare_line).collect();
        let settings = parse(&lines.join("\n"), "trainyard.toml").unwrap();
        assert_eq!(chain(&settings), "train test build deploy");
    }
}
