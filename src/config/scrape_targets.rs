//! Reads `[[monitor.targets]]`: addresses, labels, and where passwords and tokens come from.
//!
//! A secret is never written into the configuration itself: neither as a key of its own nor within an address.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use toml::Spanned;
use toml::de::DeValue;

use super::errors::Span;
use super::keys::{Key, Section};
use super::reader::{TableReader, describe};
use super::scrape_settings::{Authentication, FallbackFormat, ScrapeTargetSettings};
use super::settings::SecretSource;
use super::values::is_variable_name;

/// The shortest and the longest time for a scrape that follows from the time between scrapes.
const TIMEOUTS: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// What a target has that says nothing of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Defaults {
    /// Time between scrapes.
    pub(super) interval: Duration,
    /// Time for a scrape.
    pub(super) timeout: Duration,
    /// The most samples of a page.
    pub(super) sample_limit: usize,
}

/// The time for a scrape where none is written.
pub(super) fn default_timeout(interval: Duration) -> Duration {
    interval.clamp(TIMEOUTS.0, TIMEOUTS.1)
}

/// A number of things; the table of keys allows none below zero.
pub(super) fn count(number: Option<i64>) -> Option<usize> {
    number.and_then(|number| usize::try_from(number).ok())
}

/// The targets, in the order in which they are written.
pub(super) fn scrape_targets(monitor: &mut TableReader<'_>, defaults: Defaults) -> Vec<ScrapeTargetSettings> {
    let mut targets: Vec<ScrapeTargetSettings> = Vec::new();
    for mut reader in monitor.sections("targets", Section::ScrapeTarget) {
        let target = target(&mut reader, defaults);
        let is_known = targets.iter().any(|other| other.name == target.name && other.labels == target.labels);
        if is_known && !target.url.is_empty() {
            let message = format!("two targets have the name `{}` and the same labels", target.name);
            let hint = "give one of them another `name` or a label that tells them apart";
            reader.problems.add(reader.span(), message, hint);
        }
        reader.finish();
        targets.push(target);
    }
    targets
}

fn target(reader: &mut TableReader<'_>, defaults: Defaults) -> ScrapeTargetSettings {
    let name = reader.filled("name").map(Spanned::into_inner).unwrap_or_default();
    reader.require("name");
    let url = reader.url("url").unwrap_or_default();
    reader.require("url");
    let mut labels = reader.labels("labels");
    labels.entry("instance".to_owned()).or_insert_with(|| instance(&url));
    let interval = reader.duration("interval");
    let timeout = interval.map_or(defaults.timeout, default_timeout);
    ScrapeTargetSettings {
        name,
        url,
        labels,
        interval: interval.unwrap_or(defaults.interval),
        timeout: reader.duration("timeout").unwrap_or(timeout),
        sample_limit: count(reader.integer("sample_limit")).unwrap_or(defaults.sample_limit),
        fallback: reader.choice("fallback").map(|word| match word {
            "openmetrics" => FallbackFormat::OpenMetrics,
            _ => FallbackFormat::Text,
        }),
        authentication: authentication(reader),
        ca: reader.path("ca"),
    }
}

/// Host and port, as Prometheus names an instance.
fn instance(url: &str) -> String {
    let Ok(url) = Url::parse(url) else { return String::new() };
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn authentication(reader: &mut TableReader<'_>) -> Authentication {
    let title = |name: &str| format!("`{name}` of [[monitor.targets]]");
    let basic = reader.optional_section("basic", Section::Basic, title("basic")).and_then(|mut basic| {
        let user = basic.filled("user").map(Spanned::into_inner);
        basic.require("user");
        let password = basic.secret("password_file", "password_env");
        basic.finish();
        Some(Authentication::Basic { user: user?, password: password? })
    });
    let both = reader.has("basic") && reader.has("bearer");
    let bearer = reader.optional_section("bearer", Section::Bearer, title("bearer")).and_then(|mut bearer| {
        if both {
            let message = "a target has either `basic` or `bearer`, for one request carries one of them";
            bearer.problems.add(bearer.span(), message, "remove one of them");
        }
        let token = bearer.secret("token_file", "token_env");
        bearer.finish();
        Some(Authentication::Bearer { token: token? })
    });
    basic.or(bearer).unwrap_or_default()
}

impl TableReader<'_> {
    /// An address to which requests can be sent, without user and password.
    pub(super) fn url(&mut self, key: &'static str) -> Option<String> {
        let text = self.filled(key)?;
        let written = text.get_ref().trim();
        let url = match Url::parse(written) {
            Ok(url) => url,
            Err(error) => {
                self.problems.add(text.span(), format!("`{key}` is not an address: {error}"), self.example(key));
                return None;
            }
        };
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            let message = format!("`{key}` must begin with http:// or https:// and a host, found `{written}`");
            self.problems.add(text.span(), message, self.example(key));
            return None;
        }
        if !url.username().is_empty() || url.password().is_some() {
            // The text is not repeated: it holds a secret.
            let message = format!("`{key}` holds a user or a password");
            let hint = "take them out; a target has `basic` or `bearer`, with the secret in a file or a variable";
            self.problems.add(text.span(), message, hint);
            return None;
        }
        Some(written.to_owned())
    }

    /// Labels of a target.
    pub(super) fn labels(&mut self, key: &'static str) -> BTreeMap<String, String> {
        let Some(entry) = self.entry(key) else { return BTreeMap::new() };
        let DeValue::Table(table) = entry.value else {
            let message = format!("expected a table, found {}", describe(entry.value));
            self.problems.add(entry.span, message, format!("for example `{key} = {{ team = \"ml\" }}`"));
            return BTreeMap::new();
        };
        let mut labels = BTreeMap::new();
        for (name, value) in table {
            let text: &str = name.get_ref();
            if let Some((message, hint)) = misnamed(text) {
                self.problems.add(name.span(), message, hint);
            }
            if let DeValue::String(value) = value.get_ref() {
                labels.insert(text.to_owned(), value.clone().into_owned());
            } else {
                let message = format!("expected a string, found {}", describe(value.get_ref()));
                self.problems.add(value.span(), message, "the values of labels are strings; put it in quotes");
            }
        }
        labels
    }

    /// A secret, from the file that one key names or from the variable that the other names.
    fn secret(&mut self, file_key: &'static str, variable_key: &'static str) -> Option<SecretSource> {
        let file = self.filled(file_key);
        let variable = self.filled(variable_key);
        let span = self.span();
        match (self.has(file_key), self.has(variable_key)) {
            (true, true) => {
                let message = format!("`{file_key}` and `{variable_key}` exclude each other");
                self.problems.add(span, message, "remove one of them");
                None
            }
            (false, false) => {
                let message = format!("missing `{file_key}` or `{variable_key}` in {}", self.title());
                let hint = format!("add {} or {}", self.proposal(file_key), self.proposal(variable_key));
                self.problems.add_absence(span, message, hint);
                None
            }
            (true, false) => self.secret_file(file_key, &file?),
            (false, true) => self.secret_variable(variable_key, &variable?),
        }
    }

    fn proposal(&self, key: &str) -> String {
        format!("`{key} = {}`", self.known(key).map_or("…", Key::sample))
    }

    fn secret_file(&self, key: &str, path: &Spanned<String>) -> Option<SecretSource> {
        let text = path.get_ref();
        if text.starts_with(['~', '$']) || text.contains(char::is_control) {
            // The text is not repeated: it may be the secret itself, put there by mistake.
            self.refuse_secret(path.span(), key, "is not the path of a file; no shell replaces `~` or `$` here");
            return None;
        }
        Some(SecretSource::File(PathBuf::from(text)))
    }

    fn secret_variable(&self, key: &str, name: &Spanned<String>) -> Option<SecretSource> {
        let text = name.get_ref();
        let text = text.strip_prefix('$').unwrap_or(text);
        if !is_variable_name(text) {
            self.refuse_secret(name.span(), key, "is not the name of a variable");
            return None;
        }
        Some(SecretSource::Environment(text.to_owned()))
    }

    fn refuse_secret(&self, span: Span, key: &str, what: &str) {
        self.problems.add(span, format!("`{key}` {what}"), self.example(key));
    }
}

/// Why a target cannot have a label of that name, and the mend.
fn misnamed(name: &str) -> Option<(String, &'static str)> {
    if name == "job" {
        return Some(("the label `job` is the `name` of the target".to_owned(), "remove it, and write `name`"));
    }
    if name.starts_with("__") || !is_variable_name(name) {
        let message = format!("`{name}` cannot be the name of a label");
        return Some((message, "letters, digits and `_`, not beginning with a digit or with `__`"));
    }
    None
}
