//! The keys of what is scraped: limits of every scrape, an existing Prometheus in its place, and targets beside the live
//! release. `scrape`, `retention` and panels are in `project.rs`.

use super::Presence::{Default, Optional, Required};
use super::Shape::{Boolean, Choice, Duration, Integer, Memory, Table, Tables, Text, Variables};
use super::{Key, Section, key};

/// More than this no store of ours can hold.
const MOST: i64 = 10_000_000;

/// These keys.
pub(super) const KEYS: &[Key] = &[
    key(
        Section::Monitor,
        "timeout",
        Duration { least: 10 },
        Optional("\"1s\""),
        "time for a whole scrape; without it, the time between scrapes, but from 1 to 10 s",
    ),
    key(
        Section::Monitor,
        "retention_size",
        Memory,
        Default("\"2Gi\""),
        "bytes of samples on disk, beyond which the oldest go",
    ),
    key(
        Section::Monitor,
        "max_series",
        Integer { least: 100, most: MOST },
        Default("50000"),
        "series of all targets together; further ones are refused and said",
    ),
    key(
        Section::Monitor,
        "body_limit",
        Memory,
        Default("\"16Mi\""),
        "the largest page that is read, counted unpacked; a larger one is refused whole",
    ),
    key(
        Section::Monitor,
        "sample_limit",
        Integer { least: 1, most: MOST },
        Default("50000"),
        "the most samples of one page; one with more is refused whole",
    ),
    key(
        Section::Monitor,
        "lenient",
        Boolean,
        Default("false"),
        "keep what can be read of a page that is refused, under the label `unverified=\"true\"`",
    ),
    key(
        Section::Monitor,
        "prometheus",
        Text,
        Optional("\"http://127.0.0.1:9090\""),
        "an existing Prometheus that is asked instead; then nothing is scraped or kept here",
    ),
    key(
        Section::Monitor,
        "targets",
        Tables(Section::ScrapeTarget),
        Optional("[{ name = \"node\", url = \"http://127.0.0.1:9100/metrics\" }]"),
        "what is scraped beside the live release",
    ),
    key(Section::ScrapeTarget, "name", Text, Required("\"node\""), "its label `job`"),
    key(
        Section::ScrapeTarget,
        "url",
        Text,
        Required("\"http://127.0.0.1:9100/metrics\""),
        "the whole address, http or https, with the query if there is one",
    ),
    key(
        Section::ScrapeTarget,
        "labels",
        Variables,
        Default("{}"),
        "labels of all its series; without `instance`, that is host and port of the address",
    ),
    key(
        Section::ScrapeTarget,
        "interval",
        Duration { least: 100 },
        Optional("\"15s\""),
        "time between its scrapes; without it, `scrape` of [monitor]",
    ),
    key(
        Section::ScrapeTarget,
        "timeout",
        Duration { least: 10 },
        Optional("\"5s\""),
        "time for a whole scrape of it; without it, as in [monitor]",
    ),
    key(
        Section::ScrapeTarget,
        "sample_limit",
        Integer { least: 1, most: MOST },
        Optional("5000"),
        "the most samples of its page; without it, that of [monitor]",
    ),
    key(
        Section::ScrapeTarget,
        "fallback",
        Choice { values: &["text", "openmetrics"], later: &[] },
        Optional("\"text\""),
        "the format of a page whose content type is missing or unknown; without it, such a page is refused",
    ),
    key(
        Section::ScrapeTarget,
        "basic",
        Table(Section::Basic),
        Optional("{ user = \"scraper\", password_file = \"secrets/scraper\" }"),
        "user and password for it",
    ),
    key(
        Section::ScrapeTarget,
        "bearer",
        Table(Section::Bearer),
        Optional("{ token_env = \"METRICS_TOKEN\" }"),
        "a token for it",
    ),
    key(
        Section::ScrapeTarget,
        "ca",
        Text,
        Optional("\"secrets/ca.pem\""),
        "certificates (PEM) that are trusted for it, in place of those of the system",
    ),
    key(Section::Basic, "user", Text, Required("\"scraper\""), "the user"),
    key(
        Section::Basic,
        "password_file",
        Text,
        Optional("\"secrets/scraper\""),
        "a file with the password, read at each scrape",
    ),
    key(
        Section::Basic,
        "password_env",
        Text,
        Optional("\"SCRAPER_PASSWORD\""),
        "the variable of the daemon that holds the password",
    ),
    key(
        Section::Bearer,
        "token_file",
        Text,
        Optional("\"secrets/token\""),
        "a file with the token, read at each scrape",
    ),
    key(
        Section::Bearer,
        "token_env",
        Text,
        Optional("\"METRICS_TOKEN\""),
        "the variable of the daemon that holds the token",
    ),
];
