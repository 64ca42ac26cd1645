//! `trainyard.toml`: read, checked and turned into typed [`Settings`] with every default filled in.
//!
//! A file is read in four steps: `syntax.rs` finds what is no TOML and blanks it out, `reader.rs` walks the tree with
//! the getters of `values.rs` and `engine_values.rs` and notes what is unknown or ill-formed, `relations.rs` looks at
//! what stages need of each other, and `errors.rs` turns all that was noted into lines and columns. No step stops at an
//! error. `keys.rs` is the one table of what may be written: the reader, the JSON schema and the reference in the docs
//! come from it. What is written becomes settings in `sections.rs`, `source_settings.rs`, `schedules.rs`, `project_secrets.rs`, `scrape_targets.rs`, `alerts.rs`, `notify.rs` and, for stages, in
//! `stages.rs`, which asks `actions.rs`, `image.rs` and `deploy.rs` what a stage does and `runner.rs` where.
//!
//! This room knows the types of `pipeline` and the rules of files of `disk`; it starts nothing, watches nothing and
//! talks to nobody. Only `load`, `detect.rs` and `world.rs` look at the file system, and `schedules.rs` at the time zones that
//! this machine knows; none of them writes to it.

mod actions;
mod alerts;
mod cron;
mod definition;
mod deploy;
mod detect;
mod duration;
mod engine_names;
mod engine_values;
mod errors;
mod image;
mod keys;
mod memory;
mod names;
mod notice_template;
mod notify;
mod notify_settings;
mod project_secrets;
mod reader;
mod relations;
mod runner;
mod schedules;
mod schema;
mod scrape_settings;
mod scrape_targets;
mod secret_sources;
mod sections;
mod settings;
mod source_settings;
mod stages;
mod summary;
mod syntax;
mod template;
mod values;
mod world;

#[cfg(test)]
mod broken_alert_tests;
#[cfg(test)]
mod broken_engine_tests;
#[cfg(test)]
mod broken_monitor_tests;
#[cfg(test)]
mod broken_notify_tests;
#[cfg(test)]
mod broken_tests;
#[cfg(test)]
mod broken_trigger_tests;
#[cfg(test)]
mod engine_meaning_tests;
#[cfg(test)]
mod meaning_tests;
#[cfg(test)]
mod monitor_meaning_tests;

pub use cron::{Cron, CronError};
pub use detect::{Detected, Template, detect};
pub use duration::{DurationError, HumanDuration};
pub use errors::{ConfigError, ConfigErrors};
pub use keys::{Key, Presence, Section, Shape};
pub use notice_template::{NoticeField, NoticeTemplate};
pub use notify_settings::{NoticeFormat, NotifySettings, NotifyWay, SecretText, WebhookSettings};
pub use schedules::{Missed, ScheduleSettings, next_times};
pub use schema::{reference, schema};
pub use scrape_settings::{Authentication, FallbackFormat, ScrapeTargetSettings};
pub use settings::{
    Action, AlertSettings, Algorithm, CanarySettings, ChampionRule, ComposeSettings, ContainerSettings, DataSettings,
    DeploySettings, DeployTarget, DockerSettings, DockerfileSettings, GateSettings, HealthSettings, ImageSettings,
    ImageStore, KubernetesSettings, Limits, ModelsSettings, MonitorSettings, PanelSettings, Runner, SearchSettings,
    SecretSource, Settings, SplitSettings, StageSettings, TargetKind, Task, TrainSettings,
};
pub use source_settings::{RemoteSettings, SourceSettings, SourceTrigger};
pub use summary::{SummaryPart, summary_parts};
pub use template::render;
pub use world::{Finding, Severity, look_around};

pub use crate::pipeline::PanelKind;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use errors::Problems;
use reader::TableReader;

/// The name of the configuration in a project folder.
pub const FILE_NAME: &str = "trainyard.toml";

/// The most bytes a configuration may have; what is larger was not written by hand.
const SIZE_LIMIT: u64 = 256 * 1024;

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The file is not there.
    #[error("no trainyard.toml in {folder}; `trainyard init` writes one")]
    Missing {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is too large to be a configuration.
    #[error("{path} is larger than 256 KiB, which no configuration is; is it the right file?")]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not text.
    #[error("{path} is not UTF-8 text in line {line}; save it as UTF-8")]
    NotText {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// What is written in it is not valid.
    #[error(transparent)]
    Invalid(#[from] ConfigErrors),
}

/// Reads the configuration at `path`: the file itself, or the project folder that contains `trainyard.toml`.
/// Without `[project] name` the project has the name of its folder.
///
/// Expressions are only read; whether they can be evaluated here too says [`load_judged`].
pub fn load(path: &Path) -> Result<Settings, LoadError> {
    load_judged(path, &|_| None)
}

/// The same; `judge` says why an expression of a panel, an alert or a canary cannot be evaluated, if so, and that is an error
/// like the others. It is not asked where a Prometheus evaluates them, for that has a dialect of its own.
pub fn load_judged(path: &Path, judge: &dyn Fn(&str) -> Option<String>) -> Result<Settings, LoadError> {
    let path = if path.extension().is_some_and(|extension| extension == "toml") && !path.is_dir() {
        path.to_owned()
    } else {
        path.join(FILE_NAME)
    };
    let text = read(&path)?;
    let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(parse_named(&text, &file_name, &folder_name(folder_of(&path)), judge)?)
}

/// Reads a configuration from `text`; `file_name` is what errors call it. Without `[project] name` the project is
/// called `project`.
pub fn parse(text: &str, file_name: &str) -> Result<Settings, ConfigErrors> {
    parse_named(text, file_name, "project", &|_| None)
}

fn parse_named(
    text: &str,
    file_name: &str,
    default_name: &str,
    judge: &dyn Fn(&str) -> Option<String>,
) -> Result<Settings, ConfigErrors> {
    let (mended, found) = syntax::mend(text);
    let problems = Problems::new(found);
    let (tree, _) = DeTable::parse_recoverable(&mended);
    let settings = settings(&problems, tree.get_ref(), default_name);
    if settings.monitor.prometheus.is_none() {
        problems.judge(judge);
    }
    if problems.is_empty() { Ok(settings) } else { Err(ConfigErrors::locate(problems.into_list(), text, file_name)) }
}

fn settings(problems: &Problems, tree: &DeTable<'_>, default_name: &str) -> Settings {
    let mut root = TableReader::root(problems, tree);
    let (name, secrets) = sections::project(&mut root, default_name);
    let source = source_settings::source(&mut root);
    let data = sections::data(&mut root);
    let models = sections::models(&mut root);
    let drafts = stages::stages(&mut root);
    let (monitor, consequences) = sections::monitor(&mut root);
    let (schedules, scheduled) = schedules::schedules(&mut root);
    let notify = notify::notify(&mut root);
    root.finish();
    let (mut stages, graph) = relations::connect(drafts, &consequences, problems);
    secrets.refuse_where_unsafe(&stages, problems);
    schedules::check_stages(&scheduled, &graph, problems);
    let root = plain(&source.path);
    let no_source = [plain(&data.path), plain(&data.contract), Path::new(FILE_NAME)];
    let leave_out: Vec<PathBuf> =
        no_source.into_iter().filter_map(|path| path.strip_prefix(root).ok()).map(Path::to_owned).collect();
    for stage in &mut stages {
        if let Action::Image(image) = &mut stage.action {
            image.leave_out.clone_from(&leave_out);
        }
    }
    Settings { name, secrets: secrets.sources, source, data, models, stages, graph, monitor, schedules, notify }
}

/// `./data` and `data` are the same folder.
fn plain(path: &Path) -> &Path {
    path.strip_prefix(".").unwrap_or(path)
}

fn read(path: &Path) -> Result<String, LoadError> {
    let unreadable = |source: io::Error| LoadError::Unreadable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(LoadError::Missing { folder: folder_of(path).to_owned() });
        }
        Err(error) => return Err(unreadable(error)),
    };
    let mut bytes = Vec::new();
    // One byte more than allowed tells "too large" without reading a file of any size.
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        return Err(LoadError::TooLarge { path: path.to_owned() });
    }
    String::from_utf8(bytes).map_err(|error| {
        let sound = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = sound.split(|byte| *byte == b'\n').count();
        LoadError::NotText { path: path.to_owned(), line }
    })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// The name of a folder, fit to be the name of a project.
fn folder_name(folder: &Path) -> String {
    let whole = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    let name = whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String = name.chars().filter(|letter| !letter.is_control()).take(64).collect();
    if name.trim().is_empty() { "project".to_owned() } else { name }
}
