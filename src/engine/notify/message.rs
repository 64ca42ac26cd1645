//! What is said: the facts of a notice as JSON, as Slack shows them, by a template, or as variables of a program.

use serde_json::{Value, json};

use crate::config::{NoticeField, NoticeFormat, NoticeTemplate, WebhookSettings};
use crate::pipeline::{Moment, Notice, NoticeKind};

/// The version of the JSON object.
const VERSION: u32 = 1;
/// The longest title and text, in characters; a chat shows no more, and a program finds the rest in the events.
const LONGEST: (usize, usize) = (200, 2_000);

/// Whose notice it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// The name of the project.
    pub(super) project: String,
    /// The machine.
    pub(super) host: String,
}

/// A notice as it is told.
#[derive(Debug, Clone)]
pub(super) struct Message {
    notice: Notice,
    origin: Origin,
}

impl Message {
    /// A notice that speaks for `withheld` others too.
    pub(super) fn new(notice: &Notice, origin: Origin, withheld: u64) -> Self {
        let mut text = cut(&notice.text, LONGEST.1);
        if withheld > 0 {
            text.push_str(&format!("\nand {withheld} more within the hour"));
        }
        let title = cut(&notice.title, LONGEST.0).replace('\n', " ");
        Self { notice: Notice { title, text, ..notice.clone() }, origin }
    }

    /// What a webhook is sent.
    pub(super) fn body(&self, webhook: &WebhookSettings) -> String {
        match (webhook.format, &webhook.template) {
            (NoticeFormat::Generic, None) => self.json().to_string(),
            (NoticeFormat::Generic, Some(template)) => template.fill_json(|field| self.field(field)),
            (NoticeFormat::Slack, template) => self.slack(template.as_ref()).to_string(),
        }
    }

    /// All facts as one JSON object.
    pub(super) fn json(&self) -> Value {
        let Self { notice, origin } = self;
        json!({
            "version": VERSION,
            "id": notice.sequence,
            "kind": notice.kind.word(),
            "project": origin.project,
            "host": origin.host,
            "title": notice.title,
            "text": notice.text,
            "run": notice.run,
            "stage": notice.stage,
            "release": notice.release,
            "alert": notice.alert,
            "at": time(notice.at),
        })
    }

    /// What Slack, Mattermost and Rocket.Chat show: a line, and beside a colour what there is to know.
    fn slack(&self, template: Option<&NoticeTemplate>) -> Value {
        let Self { notice, origin } = self;
        let line = match template {
            Some(template) => template.fill(|field| plain(&self.field(field))),
            None => format!("*{}*: {}", plain(&origin.project), plain(&notice.title)),
        };
        let facts = [NoticeField::Run, NoticeField::Stage, NoticeField::Release, NoticeField::Alert];
        let fields: Vec<Value> = facts
            .iter()
            .map(|field| (field.word(), self.field(*field)))
            .filter(|(_, value)| !value.is_empty())
            .map(|(title, value)| json!({ "title": title, "value": plain(&value), "short": true }))
            .collect();
        json!({
            "text": line,
            "attachments": [{
                "color": colour(notice.kind),
                "fallback": plain(&notice.title),
                "text": plain(&notice.text),
                "fields": fields,
                "footer": plain(&format!("{} on {}, event {}", origin.project, origin.host, notice.sequence)),
                "ts": notice.at.0.div_euclid(1_000),
            }],
        })
    }

    /// One fact; empty where the notice is not about such a thing.
    pub(super) fn field(&self, field: NoticeField) -> String {
        let Self { notice, origin } = self;
        match field {
            NoticeField::Project => origin.project.clone(),
            NoticeField::Kind => notice.kind.word().to_owned(),
            NoticeField::Title => notice.title.clone(),
            NoticeField::Text => notice.text.clone(),
            NoticeField::Run => notice.run.map(|run| run.to_string()).unwrap_or_default(),
            NoticeField::Stage => notice.stage.as_ref().map(|stage| stage.0.clone()).unwrap_or_default(),
            NoticeField::Release => notice.release.map(|release| release.to_string()).unwrap_or_default(),
            NoticeField::Alert => notice.alert.clone().unwrap_or_default(),
            NoticeField::Time => time(notice.at),
            NoticeField::Host => origin.host.clone(),
        }
    }

    /// All facts as variables of a program.
    pub(super) fn variables(&self) -> Vec<(String, String)> {
        let of =
            |field: &NoticeField| (format!("TRAINYARD_NOTICE_{}", field.word().to_uppercase()), self.field(*field));
        let mut variables: Vec<(String, String)> = NoticeField::ALL.iter().map(of).collect();
        variables.push(("TRAINYARD_NOTICE_ID".to_owned(), self.notice.sequence.to_string()));
        variables
    }

    /// All facts as one line of JSON, for the input of a program.
    pub(super) fn line(&self) -> String {
        format!("{}\n", self.json())
    }
}

/// The beginning of a text, without what would command a terminal or end a variable.
fn cut(text: &str, length: usize) -> String {
    let harmless = text.chars().filter(|letter| !letter.is_control() || *letter == '\n' || *letter == '\t');
    let mut short: String = harmless.clone().take(length).collect();
    if harmless.count() > length {
        short.pop();
        short.push('…');
    }
    short
}

/// A text in which nothing is a link, a mention or a channel.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn colour(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Failure | NoticeKind::Alert => "#d32f2f",
        NoticeKind::Approval | NoticeKind::Lock => "#f9a825",
        NoticeKind::Recovery | NoticeKind::Resolved | NoticeKind::Deploy => "#2e7d32",
    }
}

/// As RFC 3339 writes it, in UTC.
fn time(at: Moment) -> String {
    jiff::Timestamp::from_millisecond(at.0).map(|at| at.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SecretText;
    use crate::pipeline::{RunId, StageName};

    fn message(title: &str, text: &str, withheld: u64) -> Message {
        let notice = Notice {
            kind: NoticeKind::Failure,
            title: title.to_owned(),
            text: text.to_owned(),
            run: Some(RunId(12)),
            stage: Some(StageName::from("test")),
            release: None,
            alert: None,
            at: Moment(1_700_000_000_000),
            sequence: 123,
        };
        Message::new(&notice, Origin { project: "wine".to_owned(), host: "box".to_owned() }, withheld)
    }

    fn webhook(format: NoticeFormat, template: Option<&str>) -> WebhookSettings {
        let template = template.map(|text| NoticeTemplate::parse(text).unwrap());
        let address = SecretText::Written("http://hooks.test/".to_owned());
        WebhookSettings { address, format, template, headers: std::collections::BTreeMap::new() }
    }

    #[test]
    fn the_generic_form_holds_every_fact() {
        let body = message("run 12 failed at test", "1 test failed", 0).body(&webhook(NoticeFormat::Generic, None));
        assert_eq!(
            serde_json::from_str::<Value>(&body).unwrap(),
            json!({
                "version": 1, "id": 123, "kind": "failure", "project": "wine", "host": "box",
                "title": "run 12 failed at test", "text": "1 test failed", "run": 12, "stage": "test",
                "release": null, "alert": null, "at": "2023-11-14T22:13:20Z",
            })
        );
    }

    #[test]
    fn slack_gets_a_line_and_a_coloured_part_in_which_nothing_is_a_link() {
        let body = message("run 12 <failed>", "a & b", 0).body(&webhook(NoticeFormat::Slack, None));
        assert_eq!(
            serde_json::from_str::<Value>(&body).unwrap(),
            json!({
                "text": "*wine*: run 12 &lt;failed&gt;",
                "attachments": [{
                    "color": "#d32f2f", "fallback": "run 12 &lt;failed&gt;", "text": "a &amp; b",
                    "fields": [
                        { "title": "run", "value": "12", "short": true },
                        { "title": "stage", "value": "test", "short": true },
                    ],
                    "footer": "wine on box, event 123", "ts": 1_700_000_000,
                }],
            })
        );
        let own = webhook(NoticeFormat::Slack, Some("{title} <https://box/|board>"));
        let body: Value = serde_json::from_str(&message("a <b>", "", 0).body(&own)).unwrap();
        assert_eq!(body["text"], "a &lt;b&gt; <https://box/|board>");
    }

    #[test]
    fn a_template_is_all_that_a_generic_webhook_gets() {
        let own = webhook(NoticeFormat::Generic, Some(r#"{"say":"{title}: {text}","run":"{run}","none":"{alert}"}"#));
        let body = message("a \"b\"", "c\nd", 0).body(&own);
        let told: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(told, json!({ "say": "a \"b\": c\nd", "run": "12", "none": "" }));
    }

    #[test]
    fn what_was_not_told_is_said_with_the_next() {
        assert_eq!(message("a", "b", 7).field(NoticeField::Text), "b\nand 7 more within the hour");
    }

    #[test]
    fn a_text_of_any_length_is_cut_and_commands_nothing() {
        let told = message("t\u{1b}[31m\0x", &"한".repeat(5_000), 0);
        assert_eq!(told.field(NoticeField::Title), "t[31mx");
        let text = told.field(NoticeField::Text);
        assert_eq!(text.chars().count(), 2_000);
        assert!(text.ends_with('…'));
    }

    #[test]
    fn a_program_gets_variables_and_one_line_of_json() {
        let told = message("a", "b", 0);
        let variables = told.variables();
        let has = |name: &str, value: &str| variables.contains(&(name.to_owned(), value.to_owned()));
        assert!(has("TRAINYARD_NOTICE_KIND", "failure") && has("TRAINYARD_NOTICE_RUN", "12"));
        assert!(has("TRAINYARD_NOTICE_ALERT", "") && has("TRAINYARD_NOTICE_ID", "123"));
        assert_eq!(told.line().matches('\n').count(), 1);
        assert_eq!(serde_json::from_str::<Value>(&told.line()).unwrap(), told.json());
    }
}
