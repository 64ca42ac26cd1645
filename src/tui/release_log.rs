//! The last lines that the live release wrote, and when to ask for them again.
//!
//! Nobody tells when an app writes, so they are asked for every few seconds, but only while they are on the screen.

use crate::pipeline::Moment;

/// Milliseconds after which visible lines are asked for again.
const EVERY: u64 = 3_000;

/// The lines.
#[derive(Debug, Clone, Default)]
pub(super) struct ReleaseLog {
    /// As they came last.
    pub(super) lines: Vec<String>,
    /// Why they did not come.
    pub(super) error: Option<String>,
    is_pending: bool,
    asked: Option<(Moment, usize)>,
}

impl ReleaseLog {
    /// How many lines to ask for now so that `rows` rows can be filled. Each answer is awaited before the next question.
    pub(super) fn next_request(&mut self, rows: usize, now: Moment, is_frozen: bool) -> Option<usize> {
        let is_still = is_frozen && !self.lines.is_empty();
        if rows == 0 || self.is_pending || is_still {
            return None;
        }
        let is_due = match self.asked {
            None => true,
            // A clock that was put back must not silence the log until it has caught up.
            Some((at, lines)) => lines < rows || at > now || now.since(at) >= EVERY,
        };
        if !is_due {
            return None;
        }
        self.is_pending = true;
        self.asked = Some((now, rows));
        Some(rows)
    }

    /// Takes an answer. The time to the next question begins now: one that came late must not lead to the next at once.
    pub(super) fn receive(&mut self, answer: Result<Vec<String>, String>, now: Moment, is_frozen: bool) {
        self.is_pending = false;
        if let Some((at, _)) = &mut self.asked {
            *at = now;
        }
        match answer {
            // An answer that was under way when the screen was frozen must not move it.
            Ok(_) if is_frozen && !self.lines.is_empty() => {}
            Ok(lines) => {
                self.error = None;
                self.lines = lines;
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Something changed: what is here may be out of date.
    pub(super) fn invalidate(&mut self) {
        self.asked = None;
    }

    /// The daemon is back; an answer that was under way will not come.
    pub(super) fn reconnected(&mut self) {
        self.is_pending = false;
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "it stands in for what may fail")]
    fn lines(count: usize) -> Result<Vec<String>, String> {
        Ok(vec!["line".to_owned(); count])
    }

    #[test]
    fn one_question_at_a_time_and_the_next_only_after_a_while() {
        let mut log = ReleaseLog::default();
        assert_eq!(log.next_request(0, Moment(0), false), None, "there is no room for it");
        assert_eq!(log.next_request(10, Moment(0), false), Some(10));
        assert_eq!(log.next_request(10, Moment(60_000), false), None, "an answer is awaited");
        log.receive(lines(10), Moment(60_000), false);
        assert_eq!(log.next_request(10, Moment(62_999), false), None);
        assert_eq!(log.next_request(10, Moment(63_000), false), Some(10));
        log.receive(lines(10), Moment(63_000), false);
        assert_eq!(log.next_request(20, Moment(63_001), false), Some(20), "there is more room now");
        log.receive(Err("gone".to_owned()), Moment(63_001), false);
        assert_eq!((log.lines.len(), log.error.as_deref()), (10, Some("gone")));
        log.invalidate();
        assert_eq!(log.next_request(20, Moment(63_002), false), Some(20));
    }

    #[test]
    fn a_frozen_log_does_not_move() {
        let mut log = ReleaseLog::default();
        assert_eq!(log.next_request(10, Moment(0), true), Some(10), "an empty one is filled once");
        log.receive(lines(3), Moment(0), true);
        assert_eq!(log.lines.len(), 3);
        assert_eq!(log.next_request(10, Moment(9_000), true), None);
        log.receive(lines(5), Moment(9_000), true);
        assert_eq!(log.lines.len(), 3);
    }
}
