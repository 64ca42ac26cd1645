//! What went live though nobody asked for it: a rollback by an alert, or a release that followed from data or source.
//!
//! It is told on the message line for a while, in every view, and stands in the header until somebody was on the Board or in
//! Events, which tell of it themselves.

use super::app::{Model, View};
use super::widgets::text::sanitize;
use crate::pipeline::{Event, Moment, Outcome, Recorded, ReleaseId, State, Trigger, explain};

/// Milliseconds for which the message line tells of it.
const TOLD: u64 = 60_000;

/// What went live by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement {
    /// It in a sentence.
    pub(super) text: String,
    /// It in as many words as a wide header has room for.
    in_header: String,
    /// It in as many words as a narrow header has room for.
    pub(super) short: String,
    /// Whether what was live before was left for being bad.
    pub(super) is_rollback: bool,
    /// Until when the message line tells of it; `None` once that is over.
    told_until: Option<Moment>,
    /// Whether the Board or Events were shown since.
    is_seen: bool,
}

/// Takes in what an event put into service, if no person asked for it.
pub(super) fn hear(model: &mut Model, recorded: &Recorded) {
    let Event::StageFinished { run, outcome: Outcome::Passed, outputs, .. } = &recorded.event else { return };
    let Some(live) = outputs.live else { return };
    let Some(trigger) = model.state.runs.get(run).map(|run| &run.trigger) else { return };
    let is_own_wish = trigger.is_by_hand();
    // Whatever was announced before is not what is live now.
    model.announcement = None;
    if !is_own_wish && is_live(&model.state, live) {
        let (text, in_header, short) = words(trigger, live);
        let is_rollback = trigger.is_rollback();
        let told_until = Some(model.now.plus(TOLD));
        let announcement = Announcement { text, in_header, short, is_rollback, told_until, is_seen: false };
        model.announcement = Some(announcement);
    }
}

fn is_live(state: &State, release: ReleaseId) -> bool {
    state.live == Some(release)
}

/// It in a sentence, for a wide header and for a narrow one.
fn words(trigger: &Trigger, live: ReleaseId) -> (String, String, String) {
    if let Trigger::AlertRollback { alert, to } = trigger {
        let short = format!("rolled back to release {to}");
        let in_header = format!("{short}: alert {}", sanitize(alert));
        return (format!("{in_header}; it is live as release {live}"), in_header, short);
    }
    let short = format!("release {live} is live");
    (format!("{short}: {}", sanitize(&explain::trigger(trigger))), short.clone(), short)
}

/// What the message line tells now.
pub(super) fn told(model: &Model) -> Option<&Announcement> {
    model.announcement.as_ref().filter(|announcement| announcement.told_until.is_some())
}

/// What the header bears until it was seen; `is_wide` if there is room for who did it.
pub(super) fn in_header(model: &Model, is_wide: bool) -> Option<(String, bool)> {
    let announcement = model.announcement.as_ref().filter(|announcement| !announcement.is_seen)?;
    let text = if is_wide { &announcement.in_header } else { &announcement.short };
    Some((text.clone(), announcement.is_rollback))
}

/// Whether its time on the message line is over by now, so that a frame is due.
pub(super) fn ends(model: &Model) -> bool {
    let until = model.announcement.as_ref().and_then(|announcement| announcement.told_until);
    until.is_some_and(|until| until <= model.present_now())
}

/// Notes that it was seen, and forgets it once nobody has to be told any more.
pub(super) fn settle(model: &mut Model) {
    let (is_over, shows_it) = (ends(model), matches!(model.view, View::Board | View::Events) && model.past.is_none());
    let Some(announcement) = &mut model.announcement else { return };
    if is_over {
        announcement.told_until = None;
    }
    announcement.is_seen |= shows_it;
    if announcement.is_seen && announcement.told_until.is_none() {
        model.announcement = None;
    }
}
