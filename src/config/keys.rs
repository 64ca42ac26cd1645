//! The one table of everything that may be written in `trainyard.toml`.
//!
//! The reader takes its lists of valid keys, ranges and choices from here; the JSON schema and the reference in the
//! docs are made from here. A key that is not in this table does not exist, and a test shows that every key in it is
//! read.

use Presence::{Default, Optional, Required};
use Shape::{
    Boolean, Choice, Choices, Duration, Globs, Integer, Number, Share, Stages, Table, Tables, Text, Texts, Variables,
    Words,
};

/// A group of keys that are written together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The top of the file.
    Root,
    /// `[project]`
    Project,
    /// `[source]`
    Source,
    /// `[data]`
    Data,
    /// `[stages.NAME]`, whatever the stage does.
    Stage,
    /// `[stages.NAME]` with a `command`.
    Command,
    /// `[stages.NAME]` with `uses = "train"`.
    Train,
    /// `gate = { … }`
    Gate,
    /// `[stages.NAME]` with `uses = "image"`.
    Image,
    /// `[stages.NAME]` with `uses = "deploy"`.
    Deploy,
    /// `health = { … }`
    Health,
    /// `[monitor]`
    Monitor,
    /// `[[monitor.panels]]`
    Panel,
}

impl Section {
    /// All sections, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::Root,
        Self::Project,
        Self::Source,
        Self::Data,
        Self::Stage,
        Self::Command,
        Self::Train,
        Self::Gate,
        Self::Image,
        Self::Deploy,
        Self::Health,
        Self::Monitor,
        Self::Panel,
    ];

    /// The sections of which a stage has one beside [`Section::Stage`].
    pub const KINDS: &[Self] = &[Self::Command, Self::Train, Self::Image, Self::Deploy];

    /// How the section is named to a reader.
    pub fn title(self) -> &'static str {
        match self {
            Self::Root => "the top of the file",
            Self::Project => "[project]",
            Self::Source => "[source]",
            Self::Data => "[data]",
            Self::Stage => "[stages.NAME]",
            Self::Command => "a stage with a `command`",
            Self::Train => "a stage with `uses = \"train\"`",
            Self::Gate => "`gate` of a stage with `uses = \"train\"`",
            Self::Image => "a stage with `uses = \"image\"`",
            Self::Deploy => "a stage with `uses = \"deploy\"`",
            Self::Health => "`health` of a stage with `uses = \"deploy\"`",
            Self::Monitor => "[monitor]",
            Self::Panel => "[[monitor.panels]]",
        }
    }

    /// The keys of this section, in the order of the table.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        KEYS.iter().filter(move |key| key.section == self)
    }
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// An array of strings.
    Texts,
    /// An array of globs.
    Globs,
    /// A program and its arguments.
    Words,
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer {
        /// The least that is valid.
        least: i64,
        /// The greatest that is valid.
        most: i64,
    },
    /// A number, whole or not.
    Number,
    /// A number between 0 and 1, both excluded.
    Share,
    /// A duration such as `10s`.
    Duration {
        /// The least that is valid, in milliseconds.
        least: u64,
    },
    /// One of a few words.
    Choice {
        /// The words.
        values: &'static [&'static str],
        /// Words of the design that are not built yet, each with the one to use until then.
        later: &'static [(&'static str, &'static str)],
    },
    /// An array of such words.
    Choices(&'static [&'static str]),
    /// A table of environment variables.
    Variables,
    /// A table with keys of its own.
    Table(Section),
    /// An array of such tables.
    Tables(Section),
    /// The table of stages.
    Stages,
}

/// Whether a key must be written, and TOML text that shows a valid value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// May be left out; then this is its value.
    Default(&'static str),
    /// May be left out; the meaning says what follows. The text is an example.
    Optional(&'static str),
    /// Must be written. The text is an example.
    Required(&'static str),
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Where it is written.
    pub section: Section,
    /// Its name.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Whether it must be written.
    pub presence: Presence,
    /// What it means, in a few words.
    pub meaning: &'static str,
}

impl Key {
    /// TOML text of a valid value: the default, or an example.
    pub fn sample(&self) -> &'static str {
        match self.presence {
            Default(text) | Optional(text) | Required(text) => text,
        }
    }
}

/// A key of the design that is not built yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Later {
    /// Where it would be written.
    pub(super) section: Section,
    /// Its name.
    pub(super) name: &'static str,
    /// What to say.
    pub(super) message: &'static str,
    /// What to do.
    pub(super) hint: &'static str,
}

/// Keys that the design names and that are refused by name until they do something.
pub(super) const LATER: &[Later] = &[
    later(
        Section::Source,
        "remote",
        "`remote` is not built yet",
        "remove it; `trigger = \"commit\"` follows local commits",
    ),
    later(
        Section::Source,
        "poll",
        "`poll` is not built yet",
        "remove it; `trigger = \"commit\"` follows local commits",
    ),
    later(Section::Gate, "champion", "gate key `champion` is not built yet", "remove it; the gate compares with `min`"),
    later(
        Section::Gate,
        "tolerance",
        "gate key `tolerance` is not built yet",
        "remove it; the gate compares with `min`",
    ),
    later(Section::Monitor, "alerts", "alerts are not built yet", "remove [[monitor.alerts]]"),
    later(
        Section::Monitor,
        "prometheus",
        "`prometheus` is not built yet",
        "remove it; the releases are scraped directly",
    ),
];

/// Every key.
pub const KEYS: &[Key] = &[
    key(
        Section::Root,
        "project",
        Table(Section::Project),
        Optional("{ name = \"wine-quality\" }"),
        "the project itself",
    ),
    key(Section::Root, "source", Table(Section::Source), Optional("{ path = \".\" }"), "the source code"),
    key(Section::Root, "data", Table(Section::Data), Optional("{ path = \"data\" }"), "the data folder"),
    key(
        Section::Root,
        "stages",
        Stages,
        Required("{ test = { command = [\"pytest\"] } }"),
        "the stages of the pipeline",
    ),
    key(
        Section::Root,
        "monitor",
        Table(Section::Monitor),
        Optional("{ scrape = \"1s\" }"),
        "what is watched of the running app",
    ),
    key(
        Section::Project,
        "name",
        Text,
        Optional("\"wine-quality\""),
        "the name of the project; without it, that of the folder",
    ),
    key(Section::Source, "path", Text, Default("\".\""), "the git work tree, relative to the project folder"),
    key(
        Section::Source,
        "trigger",
        Choice { values: &["save", "commit", "manual"], later: &[("push", "commit")] },
        Default("\"save\""),
        "what starts a run: a saved file, a commit, or only a command",
    ),
    key(Section::Source, "ignore", Globs, Default("[]"), "files that start nothing, beyond `.gitignore`"),
    key(Section::Data, "path", Text, Default("\"data\""), "the data folder, relative to the project folder"),
    key(Section::Data, "include", Globs, Default("[\"*.csv\"]"), "which files in it count"),
    key(
        Section::Data,
        "settle",
        Duration { least: 0 },
        Default("\"500ms\""),
        "quiet time before a closed file is registered",
    ),
    key(
        Section::Stage,
        "uses",
        Choice { values: &["train", "image", "deploy"], later: &[] },
        Optional("\"train\""),
        "a built-in stage; without it the stage runs its `command`",
    ),
    key(Section::Stage, "needs", Texts, Default("[]"), "stages that must have passed before"),
    key(
        Section::Stage,
        "timeout",
        Duration { least: 1 },
        Optional("\"10m\""),
        "the stage is stopped after this time; without it, never",
    ),
    key(
        Section::Stage,
        "retries",
        Integer { least: 0, most: 10 },
        Default("0"),
        "how many more times it is tried after a failure",
    ),
    key(
        Section::Stage,
        "grace",
        Duration { least: 0 },
        Default("\"10s\""),
        "time between TERM and KILL when it is stopped",
    ),
    key(Section::Stage, "environment", Variables, Default("{}"), "variables added to its environment"),
    key(
        Section::Stage,
        "data",
        Boolean,
        Optional("true"),
        "whether it runs again when data is registered; without it, only if it produces the model",
    ),
    key(
        Section::Command,
        "command",
        Words,
        Required("[\"pytest\", \"-q\"]"),
        "the program and its arguments; `$NAME` stands for a variable of the stage, no shell is involved",
    ),
    key(
        Section::Command,
        "inputs",
        Globs,
        Optional("[\"tests/**\"]"),
        "source files on which it depends; without it, all, and for training the files that the command names",
    ),
    key(
        Section::Command,
        "produces",
        Choice { values: &["model"], later: &[] },
        Optional("\"model\""),
        "it writes a model to `$TRAINYARD_MODEL`; a stage named `train` does so by default",
    ),
    key(
        Section::Command,
        "report",
        Choice { values: &["required", "optional"], later: &[] },
        Optional("\"required\""),
        "whether a report with at least one test must be there; required if `$TRAINYARD_REPORTS` is mentioned",
    ),
    key(Section::Train, "target", Text, Required("\"quality\""), "the column to predict"),
    key(
        Section::Train,
        "algorithms",
        Choices(&["auto", "logistic", "naive-bayes", "linear"]),
        Default("[\"auto\"]"),
        "what is tried; the best on the rows held out wins",
    ),
    key(
        Section::Train,
        "task",
        Choice { values: &["classification", "regression"], later: &[] },
        Optional("\"classification\""),
        "what is to be predicted; without it, found from the target column",
    ),
    key(Section::Train, "exclude", Texts, Default("[]"), "columns that are left out"),
    key(Section::Train, "holdout", Share, Default("0.2"), "share of the rows held out for evaluation"),
    key(Section::Train, "seed", Integer { least: 0, most: i64::MAX }, Default("42"), "seed of everything random"),
    key(
        Section::Train,
        "gate",
        Table(Section::Gate),
        Optional("{ metric = \"accuracy\", min = 0.55 }"),
        "what a new model must reach; without it, every model passes",
    ),
    key(
        Section::Train,
        "produces",
        Choice { values: &["model"], later: &[] },
        Default("\"model\""),
        "built-in training always writes a model",
    ),
    key(Section::Gate, "metric", Text, Required("\"accuracy\""), "a metric that training reports"),
    key(
        Section::Gate,
        "min",
        Number,
        Required("0.55"),
        "the least value that passes; the greatest, for errors such as `rmse`",
    ),
    key(Section::Image, "include", Globs, Default("[]"), "source files that go into `/app` of the image"),
    key(
        Section::Image,
        "site",
        Text,
        Optional("\"site\""),
        "folder of static files that the model server shows under `/`",
    ),
    key(
        Section::Deploy,
        "target",
        Choice { values: &["process"], later: &[("docker", "process"), ("kubernetes", "process")] },
        Default("\"process\""),
        "where a release runs",
    ),
    key(
        Section::Deploy,
        "port",
        Integer { least: 1, most: 65_535 },
        Default("8080"),
        "the port of the stable address, on loopback",
    ),
    key(
        Section::Deploy,
        "health",
        Table(Section::Health),
        Default("{ path = \"/healthz\", within = \"30s\" }"),
        "what must answer before the switch",
    ),
    key(
        Section::Deploy,
        "command",
        Words,
        Default("[]"),
        "the app, run in `/app` with `PORT` set; empty means the built-in model server",
    ),
    key(
        Section::Deploy,
        "drain",
        Duration { least: 0 },
        Default("\"10s\""),
        "time for requests of the old release to finish",
    ),
    key(
        Section::Deploy,
        "metrics",
        Text,
        Default("\"/metrics\""),
        "path on the address of the release that is scraped",
    ),
    key(Section::Health, "path", Text, Default("\"/healthz\""), "path that must answer with a 2xx status"),
    key(Section::Health, "within", Duration { least: 1 }, Default("\"30s\""), "within this time"),
    key(Section::Monitor, "scrape", Duration { least: 100 }, Default("\"1s\""), "time between scrapes"),
    key(Section::Monitor, "retention", Duration { least: 60_000 }, Default("\"24h\""), "how long samples are kept"),
    key(
        Section::Monitor,
        "panels",
        Tables(Section::Panel),
        Optional("[{ title = \"requests/s\", expr = \"sum(rate(predict_requests_total[1m]))\" }]"),
        "charts; without any, the default ones",
    ),
    key(Section::Panel, "title", Text, Required("\"requests/s\""), "the heading"),
    key(
        Section::Panel,
        "expr",
        Text,
        Required("\"sum(rate(predict_requests_total[1m]))\""),
        "what is drawn, in PromQL",
    ),
    key(Section::Panel, "unit", Text, Optional("\"ms\""), "shown behind the value"),
];

const fn key(section: Section, name: &'static str, shape: Shape, presence: Presence, meaning: &'static str) -> Key {
    Key { section, name, shape, presence, meaning }
}

const fn later(section: Section, name: &'static str, message: &'static str, hint: &'static str) -> Later {
    Later { section, name, message, hint }
}

/// The key of that name in the first of `sections` that has it.
pub(super) fn find(sections: &[Section], name: &str) -> Option<&'static Key> {
    sections.iter().find_map(|section| section.keys().find(|key| key.name == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_stands_twice_in_a_section() {
        for (index, key) in KEYS.iter().enumerate() {
            let again =
                KEYS.iter().skip(index + 1).find(|other| other.section == key.section && other.name == key.name);
            assert_eq!(again, None);
        }
    }

    #[test]
    fn every_sample_is_toml() {
        for key in KEYS {
            let text = format!("{} = {}", key.name, key.sample());
            assert!(toml::from_str::<toml::Table>(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_not_built_yet_is_no_key() {
        for later in LATER {
            assert_eq!(find(&[later.section], later.name), None, "{}", later.name);
        }
    }
}
