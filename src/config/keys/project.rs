//! The keys of what is no stage: the file as a whole, project, source, data and monitoring.

use super::Presence::{Default, Optional, Required};
use super::Shape::{Choice, Duration, Globs, Stages, Table, Tables, Text};
use super::{Key, Section, key};

/// These keys.
pub(super) const KEYS: &[Key] = &[
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
