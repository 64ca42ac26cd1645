//! Which events of a history somebody wants to see.

use serde::{Deserialize, Serialize};

use super::event::Recorded;
use super::event_kind::EventKind;
use super::ids::{Moment, RunId, StageName};
use super::narrate::narrate;

/// What is looked for; what is not given matters not. Of all that is given, everything must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EventFilter {
    /// Events about this alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<String>,
    /// The doing of the person of this name, which is the whole name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Events of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<EventKind>,
    /// Events of this run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Events of this stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageName>,
    /// Events whose sentence holds this, in whatever case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Events from this moment on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Moment>,
    /// Events up to this moment, and of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

impl EventFilter {
    /// Whether the event is among those that are looked for.
    pub fn matches(&self, recorded: &Recorded) -> bool {
        let event = &recorded.event;
        // The sentence comes last: it is the one thing here that must be made.
        self.since.is_none_or(|since| recorded.at >= since)
            && self.until.is_none_or(|until| recorded.at <= until)
            && self.kind.is_none_or(|kind| kind.includes(event))
            && self.run.is_none_or(|run| event.run() == Some(run))
            && self.stage.as_ref().is_none_or(|stage| event.stage() == Some(stage))
            && self.by.as_deref().is_none_or(|by| event.by() == Some(by))
            && self.alert.as_deref().is_none_or(|alert| event.is_about_alert(alert))
            && self.text.as_ref().is_none_or(|text| narrate(event).to_lowercase().contains(&text.to_lowercase()))
    }

    /// Whether nothing is looked for, so that every event matches.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Event;

    fn approved(at: i64, run: u64, stage: &str, by: &str) -> Recorded {
        let event = Event::Approved { run: RunId(run), stage: stage.into(), by: by.to_owned(), message: String::new() };
        Recorded { sequence: 1, at: Moment(at), event }
    }

    fn found(filter: &EventFilter) -> Vec<i64> {
        let events = [
            approved(10, 1, "deploy", "mina"),
            approved(20, 2, "deploy", "Mina"),
            approved(30, 2, "train", "mina"),
            Recorded { sequence: 1, at: Moment(40), event: Event::Noted { by: None, text: "Disk is slow".to_owned() } },
        ];
        events.iter().filter(|recorded| filter.matches(recorded)).map(|recorded| recorded.at.0).collect()
    }

    #[test]
    fn what_is_not_given_matters_not() {
        assert!(EventFilter::default().is_empty());
        assert_eq!(found(&EventFilter::default()), [10, 20, 30, 40]);
        assert!(!EventFilter { run: Some(RunId(0)), ..EventFilter::default() }.is_empty());
    }

    #[test]
    fn all_that_is_given_must_hold() {
        let by = |by: &str| EventFilter { by: Some(by.to_owned()), ..EventFilter::default() };
        assert_eq!(found(&by("mina")), [10, 30]);
        assert_eq!(found(&by("min")), [0; 0]);
        assert_eq!(found(&EventFilter { run: Some(RunId(2)), ..by("mina") }), [30]);
        assert_eq!(found(&EventFilter { stage: Some("deploy".into()), ..by("mina") }), [10]);
        assert_eq!(found(&EventFilter { alert: Some("Drift".to_owned()), ..by("mina") }), [0; 0]);
        assert_eq!(found(&EventFilter { kind: Some(EventKind::Approval), ..by("mina") }), [10, 30]);
        assert_eq!(found(&EventFilter { kind: Some(EventKind::Note), ..by("mina") }), [0; 0]);
        assert_eq!(found(&EventFilter { kind: Some(EventKind::Note), ..EventFilter::default() }), [40]);
    }

    #[test]
    fn text_is_found_in_the_sentence_in_whatever_case() {
        let text = |text: &str| EventFilter { text: Some(text.to_owned()), ..EventFilter::default() };
        assert_eq!(found(&text("dISK")), [40]);
        assert_eq!(found(&text("MINA")), [10, 20, 30]);
    }

    #[test]
    fn a_span_of_time_holds_both_of_its_ends() {
        let span = EventFilter { since: Some(Moment(20)), until: Some(Moment(30)), ..EventFilter::default() };
        assert_eq!(found(&span), [20, 30]);
    }

    #[test]
    fn what_is_not_given_is_not_written() {
        assert_eq!(serde_json::to_string(&EventFilter::default()).unwrap(), "{}");
        assert_eq!(serde_json::from_str::<EventFilter>("{}").unwrap(), EventFilter::default());
    }
}
