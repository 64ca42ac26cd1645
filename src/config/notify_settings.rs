//! What a `[[notify]]` says, typed and with every default filled in.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::notice_template::NoticeTemplate;
use super::settings::SecretSource;
use crate::pipeline::NoticeKind;

/// `[[notify]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotifySettings {
    /// Its name, which no other has.
    pub name: String,
    /// What it is told.
    pub on: Vec<NoticeKind>,
    /// How it is told.
    pub way: NotifyWay,
    /// How long one try may take.
    pub timeout: Duration,
    /// How many notices it gets within an hour; those beyond are counted.
    pub at_most: usize,
}

/// How people are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NotifyWay {
    /// By a request to an address.
    Webhook(WebhookSettings),
    /// By a program of the user: itself and its arguments.
    Command(Vec<NoticeTemplate>),
}

/// A `webhook` and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebhookSettings {
    /// The address, which is a secret: whoever knows it can write there.
    pub address: SecretText,
    /// What is sent.
    pub format: NoticeFormat,
    /// In place of what `format` sends: all of it, or for Slack its text.
    pub template: Option<NoticeTemplate>,
    /// Further headers.
    pub headers: BTreeMap<String, SecretText>,
}

/// What a webhook is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeFormat {
    /// A JSON object with a field for each fact.
    #[default]
    Generic,
    /// What Slack, Mattermost and Rocket.Chat show.
    Slack,
}

/// A text that may be a secret, as it was written or with where it comes from. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretText {
    /// As it stands in the configuration.
    Written(String),
    /// From somewhere else, read anew each time.
    From(SecretSource),
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Written(_) => f.debug_tuple("Written").finish_non_exhaustive(),
            Self::From(source) => f.debug_tuple("From").field(source).finish(),
        }
    }
}

impl Serialize for SecretText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Written(_) => serializer.serialize_str("(written)"),
            Self::From(source) => source.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_never_shown() {
        let text = SecretText::Written("https://hooks.test/T0/s3cret".to_owned());
        assert_eq!(format!("{text:?}"), "Written(..)");
        assert_eq!(serde_json::to_value(&text).unwrap(), "(written)");
        let from = SecretText::From(SecretSource::Environment("HOOK".to_owned()));
        assert_eq!(serde_json::to_value(&from).unwrap(), serde_json::json!({ "environment": "HOOK" }));
    }
}
