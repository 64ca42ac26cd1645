//! The moments at which an expression is evaluated, and how selectors and subqueries move them.

/// Moments at equal distances, in milliseconds since the epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) first: i64,
    /// At least one.
    pub(super) step: i64,
    pub(super) count: usize,
}

impl Grid {
    /// The moment of a step.
    pub(super) fn moment(self, step: usize) -> i64 {
        let step = i64::try_from(step).unwrap_or(i64::MAX);
        self.first.saturating_add(step.saturating_mul(self.step))
    }

    /// All moments, in order.
    pub(super) fn moments(self) -> impl Iterator<Item = i64> {
        (0..self.count).map(move |step| self.moment(step))
    }

    /// The last moment, if there is any.
    pub(super) fn last(self) -> Option<i64> {
        Some(self.moment(self.count.checked_sub(1)?))
    }
}

/// What `@ start()` and `@ end()` mean in a query, and how far back a sample still counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) look_back_ms: i64,
}

/// A fixed moment, given by `@`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    End,
    Moment(i64),
}

/// Where in time a selector or a subquery looks: the modifiers `@` and `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Placement {
    pub(super) anchor: Option<Anchor>,
    /// How far back; negative looks ahead.
    pub(super) offset_ms: i64,
}

impl Placement {
    /// The moment that is looked at when the expression is evaluated at `at`.
    pub(super) fn moment(self, at: i64, span: Span) -> i64 {
        let at = match self.anchor {
            None => at,
            Some(Anchor::Start) => span.start,
            Some(Anchor::End) => span.end,
            Some(Anchor::Moment(moment)) => moment,
        };
        at.saturating_sub(self.offset_ms)
    }

    /// Whether it is the same moment at every step.
    pub(super) fn is_fixed(self) -> bool {
        self.anchor.is_some()
    }
}

/// A subquery's window and steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stepping {
    pub(super) range_ms: i64,
    /// At least one.
    pub(super) step_ms: i64,
    pub(super) placement: Placement,
}

impl Stepping {
    /// The moments at which what is inside of a subquery is evaluated: multiples of its step, after the beginning of the
    /// first window and up to the end of the last.
    pub(super) fn grid(self, outer: Grid, span: Span) -> Grid {
        let none = Grid { first: 0, step: self.step_ms, count: 0 };
        let Some(last) = outer.last() else { return none };
        let after = self.placement.moment(outer.first, span).saturating_sub(self.range_ms);
        let until = self.placement.moment(last, span);
        let first = after.div_euclid(self.step_ms).saturating_add(1).saturating_mul(self.step_ms);
        if first > until {
            return none;
        }
        let steps = until.saturating_sub(first) / self.step_ms;
        Grid { first, step: self.step_ms, count: usize::try_from(steps).map_or(usize::MAX, |steps| steps + 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Span = Span { start: 0, end: 0, look_back_ms: 300_000 };

    fn inside(at: i64, range_ms: i64, step_ms: i64, offset_ms: i64) -> Vec<i64> {
        let placement = Placement { anchor: None, offset_ms };
        let outer = Grid { first: at, step: 1, count: 1 };
        Stepping { range_ms, step_ms, placement }.grid(outer, SPAN).moments().collect()
    }

    #[test]
    fn steps_of_a_subquery_stand_at_multiples_and_the_window_is_open_on_the_left() {
        assert_eq!(inside(100, 30, 10, 0), [80, 90, 100]);
        assert_eq!(inside(101, 30, 10, 3), [70, 80, 90]);
        assert_eq!(inside(10, 45, 10, 0), [-30, -20, -10, 0, 10]);
        assert!(inside(12, 1, 5, 0).is_empty());
    }

    #[test]
    fn a_subquery_of_a_range_covers_all_windows() {
        let outer = Grid { first: 100, step: 50, count: 3 };
        let stepping = Stepping { range_ms: 20, step_ms: 10, placement: Placement::default() };
        let grid = stepping.grid(outer, SPAN);
        assert_eq!((grid.first, grid.last()), (90, Some(200)));
    }

    #[test]
    fn an_anchor_holds_the_moment_and_the_offset_still_counts() {
        let placement = Placement { anchor: Some(Anchor::Moment(1_000)), offset_ms: 100 };
        assert_eq!(placement.moment(5, SPAN), 900);
        let placement = Placement { anchor: Some(Anchor::End), offset_ms: -100 };
        assert_eq!(placement.moment(5, Span { end: 50, ..SPAN }), 150);
    }

    #[test]
    fn moments_at_the_edge_of_time_do_not_overflow() {
        let grid = Grid { first: i64::MAX - 1, step: i64::MAX, count: 3 };
        assert_eq!(grid.last(), Some(i64::MAX));
        let stepping = Stepping { range_ms: i64::MAX, step_ms: 1, placement: Placement::default() };
        assert!(stepping.grid(grid, SPAN).count > 0);
    }
}
