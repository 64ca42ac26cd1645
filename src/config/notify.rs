//! Reads `[[notify]]`: what is told, and by which webhook or program.
//!
//! The address of a webhook is a secret. No message repeats it, and what is wrong with it is told at the head of its table,
//! so that the line with it is not shown either.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderName, HeaderValue};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::errors::Span;
use super::keys::Section;
use super::names::suggest;
use super::notice_template::{NoticeField, NoticeTemplate};
use super::notify_settings::{NoticeFormat, NotifySettings, NotifyWay, SecretText, WebhookSettings};
use super::reader::{TableReader, describe};
use super::settings::SecretSource;
use super::values::is_variable_name;
use crate::pipeline::NoticeKind;

/// The longest name, in characters: it stands in the problems of the board and on the command line.
const NAME_LIMIT: usize = 64;
/// What is told where nothing is said.
const USUAL: &[NoticeKind] = &[NoticeKind::Failure, NoticeKind::Recovery, NoticeKind::Alert, NoticeKind::Approval];
/// Headers by which a request holds together; another value breaks it.
const OUR_HEADERS: &[&str] = &["connection", "content-length", "host", "transfer-encoding"];
/// Headers whose value is a secret.
const SECRET_HEADERS: &[&str] = &["authorization", "cookie", "proxy-authorization", "x-api-key"];

/// All of them, in the order in which they are written.
pub(super) fn notify(root: &mut TableReader<'_>) -> Vec<NotifySettings> {
    let mut all: Vec<NotifySettings> = Vec::new();
    for reader in root.sections("notify", Section::Notify) {
        let problems = reader.problems;
        let (settings, name) = one(reader);
        if let Some(name) = &name
            && all.iter().any(|other| other.name == *name.get_ref())
        {
            let message = format!("two [[notify]] are called `{}`", name.get_ref());
            problems.add(name.span(), message, "give each a `name` of its own");
        }
        all.extend(settings);
    }
    all
}

/// One of them, and its name with its place.
fn one(mut reader: TableReader<'_>) -> (Option<NotifySettings>, Option<Spanned<String>>) {
    let name = reader.filled("name");
    reader.require("name");
    if let Some(name) = &name {
        check_name(name, &reader);
    }
    let on = kinds(&mut reader);
    let timeout = reader.duration("timeout").unwrap_or(Duration::from_secs(10));
    let at_most = reader.integer("at_most").and_then(|most| usize::try_from(most).ok()).unwrap_or(20);
    let way = way(&mut reader);
    reader.finish();
    let settings = name.as_ref().zip(way).map(|(name, way)| NotifySettings {
        name: name.get_ref().clone(),
        on,
        way,
        timeout,
        at_most,
    });
    (settings, name)
}

fn check_name(name: &Spanned<String>, reader: &TableReader<'_>) {
    let text = name.get_ref();
    let is_valid = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    if text.chars().count() > NAME_LIMIT || !text.chars().all(is_valid) {
        let message = format!("`{text}` cannot be the name of a [[notify]]");
        reader.problems.add(name.span(), message, "letters, digits, `-` and `_`, at most 64");
    }
}

fn kinds(reader: &mut TableReader<'_>) -> Vec<NoticeKind> {
    let Some(entry) = reader.entry("on") else { return USUAL.to_vec() };
    if matches!(entry.value, DeValue::Array(items) if items.is_empty()) {
        reader.problems.add(entry.span, "`on` is empty, so nothing would be told", reader.example("on"));
        return Vec::new();
    }
    let mut kinds: Vec<NoticeKind> = Vec::new();
    for kind in reader.choices("on").iter().filter_map(|word| NoticeKind::of_word(word.get_ref())) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

fn way(reader: &mut TableReader<'_>) -> Option<NotifyWay> {
    match (reader.has("webhook"), reader.has("command")) {
        (true, false) => webhook(reader).map(NotifyWay::Webhook),
        (false, true) => command(reader).map(NotifyWay::Command),
        (true, true) => {
            let place = reader.entry("command").map_or_else(|| reader.span(), |entry| entry.key_span);
            let message = "a [[notify]] has either a `webhook` or a `command`";
            reader.problems.add(place, message, "remove one of them, or write a second [[notify]]");
            // Both are read, so that what is wrong with them is told too.
            let webhook = webhook(reader).map(NotifyWay::Webhook);
            command(reader);
            webhook
        }
        (false, false) => {
            let message = "missing `webhook` or `command` in [[notify]]";
            let hint = "add `webhook = { env = \"TEAM_WEBHOOK\" }` or `command = [\"./notify.sh\", \"{title}\"]`";
            reader.problems.add_absence(reader.span(), message, hint);
            // Nothing more is wrong with them than that.
            for key in ["format", "template", "headers"] {
                reader.entry(key);
            }
            None
        }
    }
}

fn command(reader: &mut TableReader<'_>) -> Option<Vec<NoticeTemplate>> {
    for key in ["format", "template", "headers"] {
        if let Some(entry) = reader.entry(key).filter(|_| !reader.has("webhook")) {
            let message = format!("`{key}` belongs to a `webhook`, and this [[notify]] has a `command`");
            reader.problems.add(entry.key_span, message, format!("remove `{key}`"));
        }
    }
    let place = reader.entry("command").map_or_else(|| reader.span(), |entry| entry.span);
    let words = reader.strings("command")?;
    if words.first().is_none_or(|program| program.get_ref().trim().is_empty()) {
        reader.problems.add(place, "`command` names no program", reader.example("command"));
        return None;
    }
    let templates = words.iter().filter_map(|word| template_of(reader, word)).collect::<Vec<_>>();
    (templates.len() == words.len()).then_some(templates)
}

fn webhook(reader: &mut TableReader<'_>) -> Option<WebhookSettings> {
    let format = match reader.choice("format") {
        Some("slack") => NoticeFormat::Slack,
        _ => NoticeFormat::Generic,
    };
    let template = template(reader, format);
    let headers = headers(reader);
    let address = address(reader)?;
    Some(WebhookSettings { address, format, template, headers })
}

fn template(reader: &mut TableReader<'_>, format: NoticeFormat) -> Option<NoticeTemplate> {
    let text = reader.filled("template")?;
    let template = template_of(reader, &text)?;
    if format == NoticeFormat::Generic
        && let Some(fault) = template.json_fault()
    {
        let hint = "write JSON with every placeholder between quotes, such as '{\"text\": \"{title}\"}'";
        reader.problems.add(text.span(), format!("`template` is all that is sent, and {fault}"), hint);
    }
    Some(template)
}

fn template_of(reader: &TableReader<'_>, text: &Spanned<String>) -> Option<NoticeTemplate> {
    match NoticeTemplate::parse(text.get_ref()) {
        Ok(template) => Some(template),
        Err(unknown) => {
            let words: Vec<&str> = NoticeField::ALL.iter().map(|field| field.word()).collect();
            let message = format!("`{{{unknown}}}` means nothing in a notice");
            reader.problems.add(text.span(), message, suggest(&unknown, &words, "valid placeholders, in braces"));
            None
        }
    }
}

/// The address, or where it comes from.
fn address(reader: &mut TableReader<'_>) -> Option<SecretText> {
    let entry = reader.entry("webhook")?;
    let head = reader.span();
    match entry.value {
        DeValue::String(text) => match address_fault(text) {
            None => Some(SecretText::Written(text.trim().to_owned())),
            Some(fault) => {
                reader.problems.add(head, format!("`webhook` {fault}"), reader.example("webhook"));
                None
            }
        },
        DeValue::Table(table) => from_elsewhere(reader, "webhook", table, &entry.span).map(SecretText::From),
        other => {
            let message = format!("expected an address or a table with `env` or `file`, found {}", describe(other));
            reader.problems.add(entry.span, message, reader.example("webhook"));
            None
        }
    }
}

/// Why nothing can be sent to an address, without the address.
fn address_fault(text: &str) -> Option<String> {
    match Url::parse(text.trim()) {
        Err(error) => Some(format!("is not an address: {error}")),
        Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) => {
            Some("must begin with http:// or https:// and a host".to_owned())
        }
        Ok(_) => None,
    }
}

/// `{ env = "NAME" }` or `{ file = "path" }`.
fn from_elsewhere(reader: &TableReader<'_>, what: &str, table: &DeTable<'_>, span: &Span) -> Option<SecretSource> {
    let problems = reader.problems;
    let entries: Vec<(&str, &DeValue<'_>)> =
        table.iter().map(|(name, value)| (&**name.get_ref(), value.get_ref())).collect();
    // The texts are not repeated: one of them may be the secret itself, put there by mistake.
    let (message, hint) = match entries.as_slice() {
        [("env", DeValue::String(name))] => {
            let name = name.strip_prefix('$').unwrap_or(name);
            if is_variable_name(name) {
                return Some(SecretSource::Environment(name.to_owned()));
            }
            (format!("`env` of `{what}` is not the name of a variable"), "such as `{ env = \"TEAM_WEBHOOK\" }`")
        }
        [("file", DeValue::String(path))] => {
            let is_path = !path.trim().is_empty() && !path.starts_with(['~', '$']) && !path.contains(char::is_control);
            if is_path {
                return Some(SecretSource::File(PathBuf::from(&**path)));
            }
            let message = format!("`file` of `{what}` is not the path of a file; no shell replaces `~` or `$` here");
            (message, "such as `{ file = \"secrets/webhook\" }`")
        }
        _ => {
            let message = format!("`{what}` must say where it comes from by `env` or by `file`, and nothing else");
            (message, "write `{ env = \"NAME\" }` or `{ file = \"path\" }`")
        }
    };
    problems.add(span.clone(), message, hint);
    None
}

fn headers(reader: &mut TableReader<'_>) -> BTreeMap<String, SecretText> {
    let mut headers = BTreeMap::new();
    let Some(entry) = reader.entry("headers") else { return headers };
    let DeValue::Table(table) = entry.value else {
        reader.mistyped(&entry, "a table");
        return headers;
    };
    for (name, value) in table {
        let (written, span): (&str, Span) = (name.get_ref(), value.span());
        if let Some((message, hint)) = header_fault(written, value.get_ref()) {
            reader.problems.add(name.span(), message, hint);
            continue;
        }
        let text = match value.get_ref() {
            DeValue::String(text) => Some(SecretText::Written(text.clone().into_owned())),
            DeValue::Table(table) => from_elsewhere(reader, written, table, &span).map(SecretText::From),
            other => {
                let message = format!("expected a string or a table with `env` or `file`, found {}", describe(other));
                reader.problems.add(span, message, reader.example("headers"));
                None
            }
        };
        if let Some(text) = text {
            headers.insert(written.to_owned(), text);
        }
    }
    headers
}

/// Why a header cannot be sent, and the mend.
fn header_fault(name: &str, value: &DeValue<'_>) -> Option<(String, &'static str)> {
    let Ok(known) = HeaderName::from_bytes(name.as_bytes()) else {
        return Some((format!("`{name}` cannot be the name of a header"), "letters, digits and `-`"));
    };
    if OUR_HEADERS.contains(&known.as_str()) {
        return Some((format!("the header `{name}` is set by trainyard itself"), "remove it"));
    }
    let DeValue::String(text) = value else { return None };
    if SECRET_HEADERS.contains(&known.as_str()) {
        let message = format!("the value of `{name}` is a secret, which does not belong into a configuration");
        return Some((message, "write `{ env = \"NAME\" }` or `{ file = \"path\" }`"));
    }
    HeaderValue::from_str(text)
        .is_err()
        .then(|| (format!("the value of `{name}` holds what no header may"), "visible characters and spaces"))
}
