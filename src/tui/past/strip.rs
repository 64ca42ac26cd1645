//! The strip of the line of time: what of it is shown, where the cursor stands, and what was asked of the daemon.
//!
//! One question about a place is open at a time; steps that are wanted meanwhile are taken together, so whoever holds a key
//! down over a slow line goes as far as he meant to, and not further.

use crate::api::types::{PastPlace, PastRequest, Stride, TimeLine, TimeLineRequest};
use crate::pipeline::Moment;

/// The end of the line: the daemon knows its present better than we do.
pub(in crate::tui) const NEWEST: Moment = Moment(i64::MAX);

/// The shortest stretch that is shown, in milliseconds.
const SHORTEST: u64 = 60_000;

/// The strip.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::tui) struct Strip {
    /// What happened; `None` before the daemon has told it.
    pub(in crate::tui) line: Option<TimeLine>,
    /// Why it could not be told.
    pub(in crate::tui) error: Option<String>,
    /// Where the cursor stands; `None` before that is known.
    pub(in crate::tui) cursor: Option<PastPlace>,
    /// The cursor stands at the present, as the daemon told it.
    pub(in crate::tui) is_now: bool,
    /// The keys are listed, in place of what happened.
    pub(in crate::tui) lists_keys: bool,
    /// What was typed of a moment, while one is typed.
    pub(in crate::tui) typed: Option<String>,
    /// From when to when; `None` is all.
    stretch: Option<(Moment, Moment)>,
    asked_line: Option<TimeLineRequest>,
    asked_place: Option<PastRequest>,
    waiting: Option<(Stride, i64)>,
}

impl Strip {
    /// What has to be asked for so that the strip can be drawn in so many columns.
    pub(in crate::tui) fn next_line(&mut self, columns: usize) -> Option<TimeLineRequest> {
        let (from, to) = self.stretch.unzip();
        let wanted = TimeLineRequest { from, to, columns };
        if columns == 0 || self.asked_line == Some(wanted) {
            return None;
        }
        self.asked_line = Some(wanted);
        Some(wanted)
    }

    /// The daemon told it; what was not asked for last is dropped.
    pub(in crate::tui) fn told(&mut self, asked: TimeLineRequest, answer: Result<TimeLine, String>) {
        if self.asked_line != Some(asked) {
            return;
        }
        match answer {
            Ok(line) => (self.line, self.error) = (Some(line), None),
            Err(error) => self.error = Some(error),
        }
    }

    /// Asks for a place, whatever was asked before.
    pub(in crate::tui) fn go(&mut self, request: PastRequest) -> PastRequest {
        self.waiting = None;
        self.asked_place = Some(request.clone());
        request
    }

    /// So many steps from the cursor; asked for now, or once the answer that is awaited is there.
    pub(in crate::tui) fn step(&mut self, stride: Stride, steps: i64) -> Option<PastRequest> {
        if self.asked_place.is_some() {
            self.waiting = match self.waiting {
                Some((known, so_far)) if known == stride => Some((stride, so_far.saturating_add(steps))),
                _ => Some((stride, steps)),
            };
            return None;
        }
        let sequence = self.cursor.as_ref()?.sequence;
        Some(self.go(PastRequest::from_event(sequence, stride, steps)))
    }

    /// A place came, or why there is none; then the steps that were wanted meanwhile are asked for. An answer that was not
    /// asked for last is dropped.
    pub(in crate::tui) fn placed(
        &mut self,
        asked: &PastRequest,
        answer: Result<PastPlace, String>,
    ) -> Result<Option<PastRequest>, String> {
        if self.asked_place.as_ref() != Some(asked) {
            return Ok(None);
        }
        self.asked_place = None;
        let waiting = self.waiting.take();
        let place = answer?;
        self.follow(place.at);
        if self.stretch.is_none() && self.line.as_ref().is_some_and(|line| place.at > line.to) {
            // Time went on since all of it was told.
            self.asked_line = None;
        }
        self.is_now = asked.at == Some(NEWEST);
        self.cursor = Some(place);
        Ok(waiting.filter(|(_, steps)| *steps != 0).and_then(|(stride, steps)| self.step(stride, steps)))
    }

    /// The column of the line in which the cursor is drawn; the outer one for a moment beyond an end, for the line may have
    /// been told before the place was.
    pub(in crate::tui) fn cursor_column(&self) -> Option<usize> {
        let (line, place) = self.line.as_ref().zip(self.cursor.as_ref())?;
        line.column(place.at.max(line.from).min(line.to))
    }

    /// A longer stretch around the cursor, or a shorter one.
    pub(in crate::tui) fn zoom(&mut self, is_closer: bool) {
        let Some((line, cursor)) = self.line.as_ref().zip(self.cursor.as_ref()) else { return };
        let span = line.to.since(line.from);
        let whole = self.stretch.is_none();
        let wanted = if is_closer { (span / 2).max(SHORTEST) } else { span.saturating_mul(2) };
        if (whole && !is_closer) || (is_closer && wanted >= span) {
            return;
        }
        self.stretch = Some(around(cursor.at, wanted));
    }

    /// All of it again.
    pub(in crate::tui) fn show_all(&mut self) {
        self.stretch = None;
    }

    /// The daemon is back; answers that were under way will not come.
    pub(in crate::tui) fn reconnected(&mut self) {
        (self.asked_line, self.asked_place, self.waiting) = (None, None, None);
    }

    /// Keeps the cursor in sight.
    fn follow(&mut self, at: Moment) {
        if let Some((from, to)) = self.stretch
            && (at < from || at > to)
        {
            self.stretch = Some(around(at, to.since(from)));
        }
    }
}

/// A stretch of this length with a moment in its middle.
fn around(at: Moment, span: u64) -> (Moment, Moment) {
    let half = i64::try_from(span / 2).unwrap_or(i64::MAX / 2);
    (Moment(at.0.saturating_sub(half)), Moment(at.0.saturating_add(half)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::TimeLineColumn;

    fn place(sequence: u64, at: i64) -> PastPlace {
        PastPlace { sequence, at: Moment(at), told: String::new(), event_at: Some(Moment(at)) }
    }

    fn at_event(sequence: u64) -> Strip {
        let mut strip = Strip::default();
        let asked = strip.go(PastRequest::behind(sequence));
        assert_eq!(strip.placed(&asked, Ok(place(sequence, 0))), Ok(None));
        strip
    }

    #[test]
    fn steps_that_are_wanted_while_an_answer_is_awaited_are_taken_together() {
        let mut strip = at_event(10);
        let first = strip.step(Stride::Event, -1).unwrap();
        assert_eq!(first, PastRequest::from_event(10, Stride::Event, -1));
        assert_eq!([strip.step(Stride::Event, -1), strip.step(Stride::Event, -1)], [None, None]);
        let next = strip.placed(&first, Ok(place(9, 0))).unwrap();
        assert_eq!(next, Some(PastRequest::from_event(9, Stride::Event, -2)));
        assert_eq!(strip.placed(&first, Ok(place(1, 0))), Ok(None), "an answer that is not awaited is dropped");
        assert_eq!(strip.cursor.as_ref().map(|place| place.sequence), Some(9));
    }

    #[test]
    fn where_there_is_no_step_the_cursor_stays_and_it_is_said() {
        let mut strip = at_event(10);
        let asked = strip.step(Stride::Alert, 1).unwrap();
        assert_eq!(strip.step(Stride::Alert, 1), None);
        assert_eq!(
            strip.placed(&asked, Err("there is no later alert".to_owned())).unwrap_err(),
            "there is no later alert"
        );
        assert_eq!(strip.cursor.as_ref().map(|place| place.sequence), Some(10));
        assert!(strip.step(Stride::Event, 1).is_some(), "the next step is asked for");
    }

    #[test]
    fn the_cursor_is_on_the_line_also_where_time_went_on_since_that_was_told() {
        let mut strip = Strip::default();
        let line = strip.next_line(80).unwrap();
        let now = strip.go(PastRequest::at(NEWEST));
        let columns = vec![TimeLineColumn::default(); 80];
        strip.told(line, Ok(TimeLine { from: Moment(0), to: Moment(8_000), columns }));
        assert_eq!(strip.cursor_column(), None, "nobody has said yet where it stands");
        strip.placed(&now, Ok(place(20, 8_001))).unwrap();
        assert_eq!((strip.cursor_column(), strip.is_now), (Some(79), true));
        assert_eq!(strip.next_line(80), Some(line), "what is new is asked for");
        let first = strip.go(PastRequest::behind(1));
        strip.placed(&first, Ok(place(1, -5))).unwrap();
        assert_eq!((strip.cursor_column(), strip.is_now), (Some(0), false));
        assert_eq!(strip.next_line(80), None, "of what was, all was told");
    }

    #[test]
    fn a_line_is_asked_for_once_and_anew_when_the_stretch_changes() {
        let mut strip = at_event(10);
        let asked = strip.next_line(80).unwrap();
        assert_eq!((asked.from, asked.to, strip.next_line(80)), (None, None, None));
        let columns = vec![TimeLineColumn::default(); 80];
        strip.told(asked, Ok(TimeLine { from: Moment(0), to: Moment(8_000_000), columns }));
        strip.zoom(false);
        assert_eq!(strip.next_line(80), None, "there is no more than all");
        strip.zoom(true);
        let closer = strip.next_line(80).unwrap();
        assert_eq!(closer.from.zip(closer.to), Some((Moment(-2_000_000), Moment(2_000_000))));
        let asked = strip.step(Stride::Run, 1).unwrap();
        strip.placed(&asked, Ok(place(20, 7_000_000))).unwrap();
        let moved = strip.next_line(80).unwrap();
        assert_eq!(moved.from, Some(Moment(5_000_000)), "the cursor is kept in sight");
        strip.show_all();
        assert_eq!(strip.next_line(80), Some(TimeLineRequest { columns: 80, ..TimeLineRequest::default() }));
    }
}
