//! The keys of what starts runs: the source and schedules.

use super::Presence::{Default, Optional, Required};
use super::Shape::{Boolean, Choice, Duration, Globs, Text};
use super::{Key, Section, key};

/// These keys.
pub(super) const KEYS: &[Key] = &[
    key(
        Section::Source,
        "path",
        Text,
        Default("\".\""),
        "the git work tree, or a bare repository that people push to, relative to the project folder",
    ),
    key(
        Section::Source,
        "trigger",
        Choice { values: &["save", "commit", "push", "manual"], later: &[] },
        Default("\"save\""),
        "what starts a run: a saved file, a commit, a push into the repository (both run on a clean checkout of the \
         commit), or only a command",
    ),
    key(
        Section::Source,
        "branch",
        Text,
        Optional("\"main\""),
        "the branch whose commits count; without it, the one that HEAD of the repository names",
    ),
    key(
        Section::Source,
        "remote",
        Text,
        Optional("\"origin\""),
        "a remote of the repository, or a URL: the branch is fetched from there again and again and moved on, never back",
    ),
    key(
        Section::Source,
        "poll",
        Duration { least: 5_000 },
        Optional("\"1m\""),
        "time between two looks at `remote`; without it, a minute",
    ),
    key(Section::Source, "ignore", Globs, Default("[]"), "files that start nothing, beyond `.gitignore`"),
    key(Section::Schedule, "name", Text, Required("\"nightly\""), "its name, which no other schedule has"),
    key(
        Section::Schedule,
        "cron",
        Text,
        Required("\"0 3 * * *\""),
        "when: minute, hour, day of the month, month, day of the week, as cron has them, or `@daily` and the like",
    ),
    key(
        Section::Schedule,
        "zone",
        Text,
        Optional("\"Europe/Berlin\""),
        "the time zone whose clocks count; without it, that of the machine",
    ),
    key(
        Section::Schedule,
        "stage",
        Text,
        Optional("\"train\""),
        "with `force`, the stage that runs even if it is up to date; without it, all of them",
    ),
    key(
        Section::Schedule,
        "force",
        Boolean,
        Default("false"),
        "whether something runs even if nothing has changed; else a run of what is up to date skips it",
    ),
    key(
        Section::Schedule,
        "missed",
        Choice { values: &["skip", "run"], later: &[] },
        Default("\"skip\""),
        "what becomes of times at which, and within 10 minutes behind which, nothing could run: nothing, or one run later",
    ),
];
