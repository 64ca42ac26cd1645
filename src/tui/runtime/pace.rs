//! When a frame may be drawn: not before the terminal and the daemon were heard or waited for, thirty a second at most, and
//! once at the end of a window that is being drawn larger, not at each of its sizes. Pure: moments come in.

use std::time::Duration;

use tokio::time::Instant;

/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(33);
/// How long the first frame waits for the daemon: one without it says little, and the next comes a frame later.
const PATIENCE: Duration = Duration::from_millis(150);
/// A size that stays for so long is the last of a burst.
const SETTLED: Duration = Duration::from_millis(40);
/// A burst that goes on for longer is drawn in between, so that whoever drags a window sees something.
const LONGEST: Duration = Duration::from_millis(200);

/// When the next frame may be drawn.
#[derive(Debug)]
pub(super) struct Pace {
    next: Instant,
    /// Until then, the terminal is waited for.
    heard_by: Option<Instant>,
    /// Until then, the daemon is.
    told_by: Option<Instant>,
    /// When a burst of sizes began, and when the last of them came.
    burst: Option<(Instant, Instant)>,
}

impl Pace {
    /// The terminal was just asked, and is waited for so long.
    pub(super) fn new(now: Instant, patience: Duration) -> Self {
        Self { next: now, heard_by: (!patience.is_zero()).then(|| now + patience), told_by: None, burst: None }
    }

    /// The daemon was just asked, and is waited for as well.
    pub(super) fn and_the_daemon(self, now: Instant) -> Self {
        Self { told_by: Some(now + PATIENCE), ..self }
    }

    /// The earliest moment of the next frame.
    pub(super) fn due(&self) -> Instant {
        let settled = self.burst.map(|(first, last)| (last + SETTLED).min(first + LONGEST));
        [self.heard_by, self.told_by, settled].into_iter().flatten().fold(self.next, Instant::max)
    }

    /// The terminal has said all that it will say.
    pub(super) fn stop_waiting(&mut self) {
        self.heard_by = None;
    }

    /// The daemon has said what there is, or is not there.
    pub(super) fn told(&mut self) {
        self.told_by = None;
    }

    /// The terminal has another size.
    pub(super) fn resized(&mut self, now: Instant) {
        let first = self.burst.map_or(now, |(first, _)| first);
        self.burst = Some((first, now));
    }

    /// A frame is drawn now; whether the size is another than in the last one.
    pub(super) fn drawn(&mut self, now: Instant) -> bool {
        self.next = now + FRAME;
        (self.heard_by, self.told_by) = (None, None);
        self.burst.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: Duration = Duration::from_millis(10);

    #[test]
    fn the_first_frame_waits_for_the_terminal_and_no_longer_than_it_is_worth() {
        let begin = Instant::now();
        assert_eq!(Pace::new(begin, Duration::ZERO).due(), begin);
        let mut pace = Pace::new(begin, MOMENT);
        assert_eq!(pace.due(), begin + MOMENT);
        pace.stop_waiting();
        assert_eq!(pace.due(), begin);
    }

    #[test]
    fn the_first_frame_waits_for_the_daemon_too_and_no_later_one_does() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin, MOMENT).and_the_daemon(begin);
        pace.stop_waiting();
        assert_eq!(pace.due(), begin + PATIENCE);
        let mut told = Pace::new(begin, MOMENT).and_the_daemon(begin);
        told.told();
        assert_eq!(told.due(), begin + MOMENT, "the terminal was not heard yet");
        pace.drawn(begin);
        assert_eq!(pace.due(), begin + FRAME);
    }

    #[test]
    fn two_frames_are_never_closer_than_a_thirtieth_of_a_second() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin, Duration::ZERO);
        assert!(!pace.drawn(begin));
        assert_eq!(pace.due(), begin + FRAME);
    }

    #[test]
    fn of_a_burst_of_sizes_only_the_last_is_drawn() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin, Duration::ZERO);
        for step in 0..3 {
            pace.resized(begin + MOMENT * step);
        }
        assert_eq!(pace.due(), begin + MOMENT * 2 + SETTLED);
        assert!(pace.drawn(pace.due()));
        assert!(!pace.drawn(pace.due()), "one size is drawn once");
    }

    #[test]
    fn a_burst_without_an_end_is_drawn_in_between() {
        let begin = Instant::now();
        let mut pace = Pace::new(begin, Duration::ZERO);
        for step in 0..100 {
            pace.resized(begin + MOMENT * step);
        }
        assert_eq!(pace.due(), begin + LONGEST);
    }
}
