//! Events as the screen lists them: of which kind each is, sorted, and what it is of, so that one can go there.
//!
//! Pure, and nothing is made harmless here: whoever shows a text does that.

use std::cmp::Ordering;

use crate::pipeline::{Command, Event, ModelVersion, Recorded, ReleaseId, RunId, StageName};

use super::app::{Model, View};
use super::list::{Sort, ordered};

/// The columns of Events by which it can be sorted, as they stand in its table: number, by, kind. The time tells what the
/// number tells.
pub(super) const SORTABLE: [usize; 3] = [0, 2, 3];

/// An age changes its words by the minute; whoever looks each second has seen it within so many milliseconds.
const TURNS_WITHIN: u64 = 1_500;
const MINUTE: u64 = 60_000;

/// The events that Events shows, in the order in which it shows them.
pub(super) fn rows(model: &Model) -> Vec<&Recorded> {
    let sort = model.event_list.sort;
    let mut rows: Vec<&Recorded> = model.shown_events().rev().collect();
    if sort != Sort::default() {
        rows.sort_by(|one, other| compare(sort, one, other));
    }
    rows
}

/// The numbers of these events.
pub(super) fn numbers(model: &Model) -> Vec<u64> {
    rows(model).iter().map(|recorded| recorded.sequence).collect()
}

/// The event that the keys are about: the chosen one, else the first that is shown.
pub(super) fn chosen(model: &Model) -> Option<&Recorded> {
    let wanted = model.event_list.chosen;
    let found = wanted.and_then(|wanted| model.shown_events().rev().find(|recorded| recorded.sequence == wanted));
    found.or_else(|| rows(model).into_iter().next())
}

/// Where the selected lines of events begin and end among `rows`.
pub(super) fn between(rows: &[u64], anchor: u64, head: u64) -> Option<(usize, usize)> {
    let place = |wanted| rows.iter().position(|sequence| *sequence == wanted);
    let (anchor, head) = (place(anchor)?, place(head)?);
    Some((anchor.min(head), anchor.max(head)))
}

fn compare(sort: Sort, one: &Recorded, other: &Recorded) -> Ordering {
    let ordering = match sort.column {
        2 => ordered(one.event.by(), other.event.by(), sort),
        3 => ordered(Some(kind(&one.event)), Some(kind(&other.event)), sort),
        _ => ordered(Some(one.sequence), Some(other.sequence), sort),
    };
    ordering.then(other.sequence.cmp(&one.sequence))
}

/// Whether the age of the chosen event is on the screen.
pub(super) fn shows_an_age(model: &Model) -> bool {
    model.view == View::Events && model.past.is_none() && model.shown_events().next().is_some()
}

/// Whether that age has just become another in words.
pub(super) fn age_turns(model: &Model) -> bool {
    let age = chosen(model).filter(|_| shows_an_age(model)).map(|recorded| model.now.since(recorded.at));
    age.is_some_and(|age| age >= MINUTE && age % MINUTE <= TURNS_WITHIN)
}

/// Of which kind an event is, in a word.
pub(super) fn kind(event: &Event) -> &'static str {
    event.kind().word()
}

/// What an event is of, where there is a view of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    /// A run.
    Run(RunId),
    /// A stage of a run.
    Stage(RunId, StageName),
    /// A model.
    Model(ModelVersion),
    /// A release.
    Release(ReleaseId),
}

/// What an event is of, and so where one goes from it.
pub(super) fn subject(event: &Event) -> Option<Subject> {
    let about = event.about();
    // From which stage a run begins does not make it one of that stage.
    let is_of_a_whole_run =
        matches!(event, Event::RunCreated { .. } | Event::Commanded { command: Command::Run(_), .. });
    match (about.run, about.stage.filter(|_| !is_of_a_whole_run)) {
        (Some(run), Some(stage)) => Some(Subject::Stage(run, stage.clone())),
        (Some(run), None) => Some(Subject::Run(run)),
        (None, _) => about.model.map(Subject::Model).or(about.release.map(Subject::Release)),
    }
}

/// Why it happened, in the words of the person whose doing it is; nothing where none were said.
pub(super) fn message(event: &Event) -> Option<&str> {
    let said = match event {
        Event::Commanded { message, command: Command::Promote { message: why, .. }, .. } if message.is_empty() => why,
        Event::Commanded { message, .. }
        | Event::AlertSilenced { message, .. }
        | Event::ModelPromoted { message, .. }
        | Event::Locked { message, .. }
        | Event::Approved { message, .. }
        | Event::Unlocked { by: Some(_), why: message } => message,
        Event::Configured { .. }
        | Event::InputsObserved { .. }
        | Event::DataRefused { .. }
        | Event::DataRefusalEnded { .. }
        | Event::RunCreated { .. }
        | Event::RunStarted { .. }
        | Event::RunStopping { .. }
        | Event::RunFinished { .. }
        | Event::StageChecking { .. }
        | Event::StageSkipped { .. }
        | Event::StageNotRun { .. }
        | Event::StageStarted { .. }
        | Event::StageStopping { .. }
        | Event::StageFinished { .. }
        | Event::StageRetrying { .. }
        | Event::StageDropped { .. }
        | Event::ReleaseRejected { .. }
        | Event::QuarantineLifted { .. }
        | Event::AlertFired { .. }
        | Event::AlertResolved { .. }
        | Event::SilenceLifted { .. }
        | Event::DaemonEnded { .. }
        | Event::ModelNoted { .. }
        | Event::Unlocked { by: None, .. }
        | Event::ApprovalWanted { .. }
        | Event::Noted { .. } => return None,
    };
    Some(said.as_str()).filter(|said| !said.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    fn shown(model: &Model) -> Vec<(u64, &'static str)> {
        rows(model).iter().map(|recorded| (recorded.sequence, kind(&recorded.event))).collect()
    }

    #[test]
    fn the_newest_stands_first_and_sorted_around_the_oldest() {
        let mut model = fixtures::failed();
        let newest = numbers(&model);
        assert!(newest.len() > 20 && newest.iter().rev().is_sorted());
        model.event_list.sort.is_descending = false;
        assert!(numbers(&model).iter().eq(newest.iter().rev()));
        assert_eq!(chosen(&model).map(|recorded| recorded.sequence), newest.last().copied());
    }

    #[test]
    fn events_of_one_kind_stand_together_and_among_them_the_newest_first() {
        let mut model = fixtures::alerted();
        model.event_list.sort = Sort { column: 3, is_descending: false };
        let rows = shown(&model);
        assert!(rows.iter().map(|(_, kind)| kind).is_sorted());
        let alerts: Vec<u64> = rows.iter().filter(|(_, kind)| *kind == "alert").map(|(number, _)| *number).collect();
        assert!(alerts.len() > 2 && alerts.iter().rev().is_sorted(), "{alerts:?}");
    }

    #[test]
    fn what_people_did_stands_before_what_happened_by_itself_whichever_way_it_is_sorted() {
        for is_descending in [true, false] {
            let mut model = fixtures::alerted();
            model.event_list.sort = Sort { column: 2, is_descending };
            let by: Vec<bool> = rows(&model).iter().map(|recorded| recorded.event.by().is_some()).collect();
            let people = by.iter().filter(|is_by| **is_by).count();
            assert!(people > 0 && by[..people].iter().all(|is_by| *is_by), "{by:?}");
        }
    }

    #[test]
    fn an_event_is_of_what_can_be_looked_at() {
        let model = fixtures::alerted();
        let of = |kind_of: &str| {
            let found = model.events.iter().find(|recorded| kind(&recorded.event) == kind_of).unwrap();
            subject(&found.event)
        };
        assert_eq!(of("run"), Some(Subject::Run(RunId(1))));
        assert_eq!(of("stage"), Some(Subject::Stage(RunId(1), "train".into())));
        assert_eq!(of("model"), Some(Subject::Model(ModelVersion(1))));
        assert_eq!(of("alert"), Some(Subject::Release(ReleaseId(2))));
        assert_eq!(of("config"), None);
        let asked = Event::Commanded {
            by: "mina".to_owned(),
            from: None,
            command: Command::Promote { model: ModelVersion(7), message: "better".to_owned() },
            message: String::new(),
            run: None,
            refused: None,
        };
        assert_eq!(subject(&asked), Some(Subject::Model(ModelVersion(7))), "nothing came of it but what it names");
        assert_eq!(message(&asked), Some("better"));
    }

    #[test]
    fn lines_lie_between_their_ends_whichever_of_them_comes_first() {
        let rows = [9, 7, 8, 3];
        assert_eq!(between(&rows, 7, 3), Some((1, 3)));
        assert_eq!(between(&rows, 3, 7), Some((1, 3)));
        assert_eq!(between(&rows, 3, 5), None, "an end that is not shown is none");
    }

    #[test]
    fn the_age_of_an_event_is_drawn_anew_when_its_words_change_and_not_else() {
        let mut model = fixtures::idle();
        model.view = View::Events;
        let at = chosen(&model).unwrap().at;
        let turns = [0, 30_000, 60_400, 62_000, 120_900, 150_000].map(|age| {
            model.now = at.plus(age);
            age_turns(&model)
        });
        assert_eq!(turns, [false, false, true, false, true, false]);
        model.view = View::Board;
        model.now = at.plus(60_400);
        assert!(!age_turns(&model));
    }
}
