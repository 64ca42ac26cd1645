//! `[stages.NAME]`: one table becomes one [`StageSettings`], every default filled in.
//!
//! What stages need of each other is not looked at here, but in `relations.rs`.

use std::collections::BTreeMap;
use std::time::Duration;

use toml::Spanned;

use crate::pipeline::{Digest, StageKind, StageName, StageSpec};

use super::actions::{self, CommandKeys};
use super::deploy::{self, DeployKeys};
use super::errors::Span;
use super::image;
use super::keys::Section;
use super::reader::TableReader;
use super::runner;
use super::settings::{Action, GateSettings, StageSettings};

/// The longest name of a stage: it stands in boxes on the board and in names of files.
const NAME_LIMIT: usize = 32;

/// A stage whose needs have not been resolved yet.
#[derive(Debug)]
pub(super) struct Draft {
    /// The stage.
    pub(super) settings: StageSettings,
    /// Where its name stands.
    pub(super) span: Span,
    /// The stages that it needs, as written.
    pub(super) needs: Vec<Spanned<String>>,
    /// Where its port is written, if it deploys and the port is written.
    pub(super) port_span: Option<Span>,
    /// Where its target is written, if it deploys and the target is written.
    pub(super) target_span: Option<Span>,
    /// Whether it could not be told what it does.
    pub(super) uncertain: bool,
}

/// What an action takes in, and whether it makes a model.
struct Effects {
    action: Action,
    inputs: Vec<String>,
    uses_source: bool,
    produces_model: bool,
    report: Option<bool>,
    gate: Option<GateSettings>,
    port_span: Option<Span>,
    target_span: Option<Span>,
    uncertain: bool,
}

/// All stages, in the order in which they are written.
pub(super) fn stages(root: &mut TableReader<'_>) -> Vec<Draft> {
    let present = root.has("stages");
    let stages = root.named_sections("stages", Section::Stage);
    if !present {
        let hint = "add one, such as [stages.test] with `command = [\"pytest\"]`; `trainyard init` writes a start";
        root.problems.add_absence(0..0, "no stages are defined", hint);
    }
    stages.into_iter().map(|(name, reader)| stage(&name, reader)).collect()
}

fn stage(name: &Spanned<String>, mut reader: TableReader<'_>) -> Draft {
    check_name(name, &reader);
    let effects = effects(name.get_ref(), &mut reader);
    let runner = runner::runner(&mut reader, (!effects.uncertain).then_some(&effects.action));
    let needs = reader.strings("needs").unwrap_or_default();
    let timeout = reader.duration("timeout");
    let retries = reader.integer("retries").and_then(|retries| u32::try_from(retries).ok()).unwrap_or(0);
    let grace = reader.duration("grace").unwrap_or(Duration::from_secs(10));
    let approval = reader.yes_or_names("approve");
    let environment = reader.variables("environment");
    let uses_data = reader.boolean("data").unwrap_or(effects.produces_model);
    reader.finish();

    let mentioned = || mentions_reports(&effects.action, &environment);
    let requires_report = effects.report.unwrap_or_else(mentioned);
    let spec = StageSpec {
        name: StageName(name.get_ref().clone()),
        kind: kind_of(&effects.action),
        needs: Vec::new(),
        uses_data,
        uses_source: effects.uses_source,
        produces_model: effects.produces_model,
        requires_report,
        retries,
        timeout: timeout.map(|timeout| u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)),
        // Where an image is kept belongs to it, and follows from other stages.
        definition: Digest(String::new()),
        approval,
    };
    Draft {
        settings: StageSettings {
            spec,
            action: effects.action,
            environment,
            inputs: effects.inputs,
            grace,
            runner,
            gate: effects.gate,
        },
        span: name.span(),
        needs,
        port_span: effects.port_span,
        target_span: effects.target_span,
        uncertain: effects.uncertain,
    }
}

fn check_name(name: &Spanned<String>, reader: &TableReader<'_>) {
    let text = name.get_ref();
    let valid = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if text.is_empty() || text.len() > NAME_LIMIT || !text.chars().all(valid) {
        let hint = "letters, digits, `-` and `_`, at most 32";
        reader.problems.add(name.span(), format!("`{text}` cannot be the name of a stage"), hint);
    }
}

/// Reads the keys of the stage's kind.
fn effects(name: &str, reader: &mut TableReader<'_>) -> Effects {
    match reader.choice("uses") {
        Some("train") => {
            reader.allow(Section::Train);
            Effects::new(Action::Train(actions::train(reader)))
        }
        Some("image") => {
            reader.allow(Section::Image);
            let (image, inputs) = image::image(reader);
            Effects { uses_source: !inputs.is_empty(), inputs, ..Effects::new(Action::Image(image)) }
        }
        Some("deploy") => {
            reader.allow(Section::Deploy);
            let DeployKeys { settings, port_span, target_span, uncertain } = deploy::deploy(reader);
            Effects { port_span, target_span, uncertain, ..Effects::new(Action::Deploy(settings)) }
        }
        _ if reader.has("command") && !reader.has("uses") => {
            reader.allow(Section::Command);
            let effects = command_effects(name, actions::command(reader));
            if let Some(entry) = reader.entry("gate").filter(|_| !effects.produces_model) {
                let hint = "remove it, or write `produces = \"model\"`";
                reader.problems.add(entry.key_span, format!("stage `{name}` has a gate and makes no model"), hint);
            }
            effects
        }
        _ => {
            if !reader.has("uses") {
                let hint = "add `command = [\"…\"]`, or `uses` with one of `train`, `image`, `deploy`";
                let message = format!("stage `{name}` has neither `command` nor `uses`");
                reader.problems.add_absence(reader.span(), message, hint);
            }
            reader.allow_unread(Section::KINDS);
            Effects { uncertain: true, ..Effects::new(Action::Command(Vec::new())) }
        }
    }
}

impl Effects {
    /// An action that takes in nothing of the source.
    fn new(action: Action) -> Self {
        let produces_model = matches!(action, Action::Train(_));
        Self {
            action,
            inputs: Vec::new(),
            uses_source: false,
            produces_model,
            report: None,
            gate: None,
            port_span: None,
            target_span: None,
            uncertain: false,
        }
    }
}

fn command_effects(name: &str, keys: CommandKeys) -> Effects {
    let produces_model = keys.produces_model || name == "train";
    // `inputs = []` is a promise that no source file matters.
    let uses_source = keys.inputs.as_ref().is_none_or(|inputs| !inputs.is_empty());
    let inputs = match keys.inputs {
        Some(inputs) => inputs,
        // Training is dear, so saving any file must not start it again: the files its command names are what it depends
        // on.
        None if produces_model => named_files(&keys.words),
        None => Vec::new(),
    };
    let (report, gate) = (keys.report, keys.gate);
    Effects { inputs, uses_source, produces_model, report, gate, ..Effects::new(Action::Command(keys.words)) }
}

/// The arguments that look like relative paths of files, as globs.
fn named_files(words: &[String]) -> Vec<String> {
    let mut files = Vec::new();
    let mut previous = "";
    for word in words {
        // Behind `-m` stands a module, behind `-c` a program: neither is a path.
        if previous != "-m" && previous != "-c" && looks_like_file(word) {
            files.push(globset::escape(word.trim_start_matches("./")));
        }
        previous = word.as_str();
    }
    files
}

fn looks_like_file(word: &str) -> bool {
    let plain = !word.starts_with(['-', '/'])
        && !word.contains(|letter: char| letter.is_whitespace() || "$:=".contains(letter));
    let inside = word.split('/').all(|part| part != "..");
    let name = word.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, extension)| extension);
    // `0.5` and `python3.11` have no extension.
    let has_extension = extension.starts_with(|first: char| first.is_ascii_alphabetic())
        && extension.chars().all(|letter| letter.is_ascii_alphanumeric());
    plain && inside && has_extension
}

fn kind_of(action: &Action) -> StageKind {
    match action {
        Action::Command(_) => StageKind::Command,
        Action::Train(_) => StageKind::Train,
        Action::Image(_) => StageKind::Image,
        Action::Deploy(_) => StageKind::Deploy,
    }
}

fn mentions_reports(action: &Action, environment: &BTreeMap<String, String>) -> bool {
    let Action::Command(words) = action else { return false };
    words
        .iter()
        .chain(environment.values())
        .any(|text| text.contains("$TRAINYARD_REPORTS") || text.contains("${TRAINYARD_REPORTS}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(words: &[&str]) -> Vec<String> {
        named_files(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_files_that_a_command_names_are_found() {
        assert_eq!(files(&["python3", "train.py", "--rate", "0.5"]), ["train.py"]);
        assert_eq!(files(&["./scripts/train.sh", "conf/a.yaml"]), ["scripts/train.sh", "conf/a.yaml"]);
    }

    #[test]
    fn what_only_looks_a_little_like_a_file_is_not_taken_for_one() {
        assert!(files(&["python3.11", "-m", "trainer.main", "--config=a.yaml", "$HOME/x.py"]).is_empty());
        assert!(files(&["sh", "-c", "true.sh", "/usr/bin/a.sh", "../a.sh", "https://a.b/c.py"]).is_empty());
    }
}
