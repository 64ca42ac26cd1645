//! The one table of everything that may be written in `trainyard.toml`.
//!
//! The reader takes its lists of valid keys, ranges and choices from here; the JSON schema and the reference in the
//! docs are made from here. A key that is not in this table does not exist, and a test shows that every key in it is
//! read. Its rows lie in `keys/`: `project.rs` has what is no stage, `source.rs` what starts runs, `monitor.rs` what is scraped, `notify.rs` who is told, `stage.rs` what every
//! stage, commands, training and images have, `deploy.rs` what is said of releases.

mod deploy;
mod monitor;
mod notify;
mod project;
mod source;
mod stage;

use Presence::{Default, Optional, Required};

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
    /// `[models]`
    Models,
    /// `[stages.NAME]`, whatever the stage does.
    Stage,
    /// `container = { … }`
    Container,
    /// `limits = { … }`
    Limits,
    /// `[stages.NAME]` with a `command`.
    Command,
    /// `[stages.NAME]` with `uses = "train"`.
    Train,
    /// `search = { … }`
    Search,
    /// `split = { … }`
    Split,
    /// `gate = { … }`
    Gate,
    /// `[stages.NAME]` with `uses = "image"`.
    Image,
    /// `[stages.NAME]` with `uses = "image"` and a `dockerfile`.
    Dockerfile,
    /// `[stages.NAME]` with `uses = "deploy"`.
    Deploy,
    /// `health = { … }`
    Health,
    /// `[stages.NAME]` with a `target` whose releases are containers: `"docker"` or `"kubernetes"`.
    Contained,
    /// `[stages.NAME]` with `target = "docker"`.
    Docker,
    /// `compose = { … }`
    Compose,
    /// `[stages.NAME]` with `target = "kubernetes"`.
    Kubernetes,
    /// `canary = { … }`
    Canary,
    /// `[monitor]`
    Monitor,
    /// `[[monitor.panels]]`
    Panel,
    /// `[[monitor.targets]]`
    ScrapeTarget,
    /// `basic = { … }`
    Basic,
    /// `bearer = { … }`
    Bearer,
    /// `[[monitor.alerts]]`
    Alert,
    /// `[[schedules]]`
    Schedule,
    /// `[[notify]]`
    Notify,
}

impl Section {
    /// All sections, in the order of the documentation.
    pub const ALL: &[Self] = &[
        Self::Root,
        Self::Project,
        Self::Source,
        Self::Data,
        Self::Models,
        Self::Stage,
        Self::Container,
        Self::Limits,
        Self::Command,
        Self::Train,
        Self::Search,
        Self::Split,
        Self::Gate,
        Self::Image,
        Self::Dockerfile,
        Self::Deploy,
        Self::Health,
        Self::Contained,
        Self::Docker,
        Self::Compose,
        Self::Kubernetes,
        Self::Canary,
        Self::Monitor,
        Self::Panel,
        Self::ScrapeTarget,
        Self::Basic,
        Self::Bearer,
        Self::Alert,
        Self::Schedule,
        Self::Notify,
    ];

    /// The sections whose keys stand in the table of a stage beside those of [`Section::Stage`]. Which of them a stage
    /// has follows from what it does.
    pub const KINDS: &[Self] = &[
        Self::Command,
        Self::Train,
        Self::Image,
        Self::Dockerfile,
        Self::Deploy,
        Self::Contained,
        Self::Docker,
        Self::Kubernetes,
    ];

    /// How the section is named to a reader.
    pub fn title(self) -> &'static str {
        match self {
            Self::Root => "the top of the file",
            Self::Project => "[project]",
            Self::Source => "[source]",
            Self::Data => "[data]",
            Self::Models => "[models]",
            Self::Stage => "[stages.NAME]",
            Self::Container => "`container` of a stage with a `runner`",
            Self::Limits => "`limits` of a container",
            Self::Command => "a stage with a `command`",
            Self::Train => "a stage with `uses = \"train\"`",
            Self::Search => "`search` of a stage with `uses = \"train\"`",
            Self::Split => "`split` of a stage with `uses = \"train\"`",
            Self::Gate => "`gate` of a stage that makes a model",
            Self::Image => "a stage with `uses = \"image\"`",
            Self::Dockerfile => "a stage with `uses = \"image\"` and a `dockerfile`",
            Self::Deploy => "a stage with `uses = \"deploy\"`",
            Self::Health => "`health` of a stage with `uses = \"deploy\"`",
            Self::Contained => "a stage with `target = \"docker\"` or `target = \"kubernetes\"`",
            Self::Docker => "a stage with `target = \"docker\"`",
            Self::Compose => "`compose` of a stage with `target = \"docker\"`",
            Self::Kubernetes => "a stage with `target = \"kubernetes\"`",
            Self::Canary => "`canary` of a stage with `target = \"kubernetes\"`",
            Self::Monitor => "[monitor]",
            Self::Panel => "[[monitor.panels]]",
            Self::ScrapeTarget => "[[monitor.targets]]",
            Self::Basic => "`basic` of [[monitor.targets]]",
            Self::Bearer => "`bearer` of [[monitor.targets]]",
            Self::Alert => "[[monitor.alerts]]",
            Self::Schedule => "[[schedules]]",
            Self::Notify => "[[notify]]",
        }
    }

    /// The keys of this section, in the order of the table.
    pub fn keys(self) -> impl Iterator<Item = &'static Key> {
        Key::all().filter(move |key| key.section == self)
    }

    /// The kind of stage that may have these keys.
    pub(super) fn kind(self) -> Self {
        match self {
            Self::Dockerfile => Self::Image,
            Self::Contained | Self::Docker | Self::Kubernetes => Self::Deploy,
            other => other,
        }
    }

    /// What such a stage must say so that these keys are valid.
    pub(super) fn condition(self) -> Option<&'static str> {
        match self {
            Self::Dockerfile => Some("dockerfile = \"Dockerfile\""),
            Self::Contained | Self::Docker => Some("target = \"docker\""),
            Self::Kubernetes => Some("target = \"kubernetes\""),
            _ => None,
        }
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
    /// `true` or `false`, or an array of names.
    YesOrNames,
    /// A whole number.
    Integer {
        /// The least that is valid.
        least: i64,
        /// The greatest that is valid.
        most: i64,
    },
    /// A number, whole or not.
    Number,
    /// An array of two numbers.
    Pair,
    /// A number between 0 and 1, both excluded.
    Share,
    /// A number of processors, whole or not.
    Processors,
    /// An amount of memory such as `512Mi`.
    Memory,
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
    /// A table that says for each secret where its value comes from.
    Secrets,
    /// A string, or a table that says by `env` or `file` where it comes from.
    TextOrSecret,
    /// A table of such values.
    TextsOrSecrets,
    /// A table with keys of its own.
    Table(Section),
    /// A word, or such a table in its place.
    WordOrTable {
        /// The words.
        words: &'static [&'static str],
        /// The keys of the table.
        section: Section,
    },
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
    /// Every key.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        [project::KEYS, source::KEYS, monitor::KEYS, notify::KEYS, stage::KEYS, deploy::KEYS].into_iter().flatten()
    }

    /// TOML text of a valid value: the default, or an example.
    pub fn sample(&self) -> &'static str {
        match self.presence {
            Default(text) | Optional(text) | Required(text) => text,
        }
    }
}

const fn key(section: Section, name: &'static str, shape: Shape, presence: Presence, meaning: &'static str) -> Key {
    Key { section, name, shape, presence, meaning }
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
        for (index, key) in Key::all().enumerate() {
            let again = Key::all().skip(index + 1).find(|other| other.section == key.section && other.name == key.name);
            assert_eq!(again, None);
        }
    }

    #[test]
    fn no_key_means_two_things_in_one_stage() {
        let kinds: &[&[Section]] = &[
            &[Section::Command],
            &[Section::Train],
            &[Section::Image, Section::Dockerfile],
            &[Section::Deploy, Section::Contained, Section::Docker, Section::Kubernetes],
        ];
        for kind in kinds {
            let mut names: Vec<&str> = Section::Stage.keys().map(|key| key.name).collect();
            names.extend(kind.iter().flat_map(|section| section.keys()).map(|key| key.name));
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        }
    }

    #[test]
    fn every_section_of_the_table_is_documented_and_none_is_empty() {
        assert!(Key::all().all(|key| Section::ALL.contains(&key.section)));
        assert!(Section::ALL.iter().all(|section| section.keys().next().is_some()));
    }

    #[test]
    fn every_sample_is_toml() {
        for key in Key::all() {
            let text = format!("{} = {}", key.name, key.sample());
            assert!(toml::from_str::<toml::Table>(&text).is_ok(), "{text}");
        }
    }
}
