//! The keys of `[[notify]]`: whom to tell of what, and how.

use super::Presence::{Default, Optional, Required};
use super::Shape::{Choice, Choices, Duration, Integer, Tables, Text, TextOrSecret, TextsOrSecrets, Words};
use super::{Key, Section, key};

/// These keys.
pub(super) const KEYS: &[Key] = &[
    key(
        Section::Root,
        "notify",
        Tables(Section::Notify),
        Optional("[{ name = \"team\", webhook = { env = \"TEAM_WEBHOOK\" } }]"),
        "who is told of failures and alerts where nobody looks",
    ),
    key(Section::Notify, "name", Text, Required("\"team\""), "its name, which no other `[[notify]]` has"),
    key(
        Section::Notify,
        "on",
        Choices(&["failure", "recovery", "alert", "resolved", "approval", "lock", "deploy"]),
        Default("[\"failure\", \"recovery\", \"alert\", \"approval\"]"),
        "what is told",
    ),
    key(
        Section::Notify,
        "webhook",
        TextOrSecret,
        Optional("{ env = \"TEAM_WEBHOOK\" }"),
        "the address to which it is sent, or `{ env = \"NAME\" }` or `{ file = \"path\" }` that holds it; never printed",
    ),
    key(
        Section::Notify,
        "format",
        Choice { values: &["generic", "slack"], later: &[] },
        Default("\"generic\""),
        "what is sent: a JSON object of facts, or what Slack, Mattermost and Rocket.Chat show",
    ),
    key(
        Section::Notify,
        "template",
        Text,
        Optional("'{\"text\": \"{project}: {title}\"}'"),
        "what is sent instead (for Slack: its text); may hold `{project}`, `{kind}`, `{title}`, `{text}`, `{run}`, \
         `{stage}`, `{release}`, `{alert}`, `{time}`, `{host}`",
    ),
    key(
        Section::Notify,
        "headers",
        TextsOrSecrets,
        Optional("{ Authorization = { env = \"TEAM_TOKEN\" } }"),
        "further headers of the request",
    ),
    key(
        Section::Notify,
        "command",
        Words,
        Optional("[\"./notify.sh\", \"{title}\"]"),
        "a program that tells it, in the project folder; it gets the placeholders of `template`, variables \
         `TRAINYARD_NOTICE_*`, and the JSON object on its input",
    ),
    key(
        Section::Notify,
        "timeout",
        Duration { least: 100 },
        Default("\"10s\""),
        "how long one try may take; then it is tried again",
    ),
    key(
        Section::Notify,
        "at_most",
        Integer { least: 1, most: 10_000 },
        Default("20"),
        "how much is told within an hour; what is beyond is counted and said with the next",
    ),
];
