//! The text that a user writes for a notice, with `{title}` and other placeholders in it.
//!
//! A placeholder is small letters in braces and nothing else, so that the braces of JSON mean what they always mean. One that
//! is not known is an error, told before anything happens, and not an empty place in a message.

use serde::Serialize;

/// A fact of a notice that a template may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeField {
    /// The name of the project.
    Project,
    /// The kind of the notice.
    Kind,
    /// It in a few words.
    Title,
    /// It in a sentence or two.
    Text,
    /// The run.
    Run,
    /// The stage.
    Stage,
    /// The release.
    Release,
    /// The alert.
    Alert,
    /// When it happened.
    Time,
    /// The machine.
    Host,
}

impl NoticeField {
    /// All fields.
    pub const ALL: &[Self] = &[
        Self::Project,
        Self::Kind,
        Self::Title,
        Self::Text,
        Self::Run,
        Self::Stage,
        Self::Release,
        Self::Alert,
        Self::Time,
        Self::Host,
    ];

    /// The word between the braces.
    pub fn word(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Kind => "kind",
            Self::Title => "title",
            Self::Text => "text",
            Self::Run => "run",
            Self::Stage => "stage",
            Self::Release => "release",
            Self::Alert => "alert",
            Self::Time => "time",
            Self::Host => "host",
        }
    }

    /// Whether a notice may be about none of it; then it is empty.
    pub fn is_optional(self) -> bool {
        matches!(self, Self::Run | Self::Stage | Self::Release | Self::Alert)
    }

    /// A value with everything in it that may break what stands around it.
    pub(super) fn sample(self) -> &'static str {
        match self {
            Self::Project => "wine",
            Self::Kind => "failure",
            Self::Title => "run 12 failed at \"test\"",
            Self::Text => "test: \\ 1 test failed\nand more",
            Self::Run => "12",
            Self::Stage => "test",
            Self::Release => "3",
            Self::Alert => "ErrorRate",
            Self::Time => "2026-01-31T12:00:00Z",
            Self::Host => "box",
        }
    }
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    /// Text, as it is.
    Literal(String),
    /// A fact of the notice.
    Field(NoticeField),
}

/// A template, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct NoticeTemplate {
    parts: Vec<Part>,
}

impl NoticeTemplate {
    /// Takes a text apart; `Err` is the first placeholder that means nothing, without its braces.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            literal.push_str(before);
            let word = behind.split_once('}').filter(|(word, _)| is_word(word));
            let Some((word, after)) = word else {
                literal.push('{');
                rest = behind;
                continue;
            };
            let field = NoticeField::ALL.iter().copied().find(|field| field.word() == word);
            let field = field.ok_or_else(|| word.to_owned())?;
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Field(field));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Ok(Self { parts })
    }

    /// The text with `value` of each field in its place.
    pub fn fill(&self, value: impl Fn(NoticeField) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Field(field) => value(*field),
        };
        self.parts.iter().map(part).collect()
    }

    /// As [`NoticeTemplate::fill`], with values as they must stand within the quotes of JSON.
    pub fn fill_json(&self, value: impl Fn(NoticeField) -> String) -> String {
        self.fill(|field| escaped(&value(field)))
    }

    /// Why it is no JSON once it is filled, if so.
    pub(super) fn json_fault(&self) -> Option<String> {
        let whole = self.fill_json(|field| field.sample().to_owned());
        if let Err(error) = serde_json::from_str::<serde_json::Value>(&whole) {
            return Some(format!("it is no JSON: {error}"));
        }
        let sparse = |field: NoticeField| if field.is_optional() { "" } else { field.sample() };
        let is_json = serde_json::from_str::<serde_json::Value>(&self.fill_json(|field| sparse(field).to_owned()));
        is_json.err().map(|_| "it is no JSON where a notice has no run, stage, release or alert".to_owned())
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_')
}

/// A text as it stands between the quotes of a JSON string.
fn escaped(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str) -> String {
        NoticeTemplate::parse(text).unwrap().fill(|field| field.word().to_uppercase())
    }

    #[test]
    fn placeholders_are_replaced_and_the_braces_of_json_are_not() {
        assert_eq!(filled("{project}: {title} ({host})"), "PROJECT: TITLE (HOST)");
        assert_eq!(filled(r#"{"text":"{text}","more":{"run":{}}}"#), r#"{"text":"TEXT","more":{"run":{}}}"#);
        assert_eq!(filled("{{title}}"), "{TITLE}");
        assert_eq!(filled("{"), "{");
        assert_eq!(filled(""), "");
    }

    #[test]
    fn a_placeholder_that_means_nothing_is_named() {
        assert_eq!(NoticeTemplate::parse("a {titel} b"), Err("titel".to_owned()));
        assert!(NoticeTemplate::parse("a {Title} {} {a b}").is_ok());
    }

    #[test]
    fn values_are_escaped_for_json() {
        let template = NoticeTemplate::parse(r#"{"t":"{text}"}"#).unwrap();
        let text = template.fill_json(|_| "a \"b\"\n\\".to_owned());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap()["t"], "a \"b\"\n\\");
    }

    #[test]
    fn what_is_no_json_with_or_without_a_run_is_found() {
        let fault = |text: &str| NoticeTemplate::parse(text).unwrap().json_fault();
        assert_eq!(fault(r#"{"run":"{run}","text":"{text}"}"#), None);
        assert!(fault("{title}").unwrap().starts_with("it is no JSON: "));
        assert!(fault(r#"{"run":{run}}"#).unwrap().ends_with("has no run, stage, release or alert"));
    }
}
