//! What the Metrics view stands at: the stretch of time, the selected panel, the crosshair, how curves are drawn, an
//! expression of the operator's own, two releases beside each other.
//!
//! The curves come from the daemon; here is only which of them are asked for and how they are looked at.

pub(super) mod completion;
pub(super) mod explorer;
pub(super) mod line;
pub(super) mod pick;

use crate::api::types::{Charts, ChartsRequest, Comparison, ComparisonRequest, TimeColumns};
use crate::pipeline::{Moment, ReleaseId};

use super::glyphs::Glyphs;

/// The ranges of the charts, in milliseconds, and how they are called; 0 is all that is kept.
pub(super) const RANGES: [(u64, &str); 6] = [
    (300_000, "5 min"),
    (900_000, "15 min"),
    (3_600_000, "1 h"),
    (21_600_000, "6 h"),
    (86_400_000, "24 h"),
    (0, "all that is kept"),
];

/// How curves are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Drawing {
    /// Two by four dots a cell.
    Braille,
    /// Two halves a cell, for terminals whose font has no braille.
    Block,
    /// One sign a cell, a different one for each curve.
    Ascii,
}

impl Drawing {
    /// What this terminal can show: the console of Linux has blocks and no braille.
    pub(super) fn choose(variable: &dyn Fn(&str) -> Option<String>, glyphs: &Glyphs) -> Self {
        match variable("TERM").as_deref() {
            _ if glyphs.is_ascii => Self::Ascii,
            Some("linux") => Self::Block,
            _ => Self::Braille,
        }
    }

    /// The next one; a terminal that has only ASCII has only that.
    pub(super) fn next(self, glyphs: &Glyphs) -> Self {
        match self {
            _ if glyphs.is_ascii => Self::Ascii,
            Self::Braille => Self::Block,
            Self::Block => Self::Ascii,
            Self::Ascii => Self::Braille,
        }
    }

    /// How it is called.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Braille => "braille",
            Self::Block => "blocks",
            Self::Ascii => "ASCII",
        }
    }
}

/// How the vertical axis is scaled against what the panels say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Scale {
    /// Logarithmic where the panel says linear, and the other way round.
    pub(super) log: bool,
    /// Zero is on the axis.
    pub(super) zero: bool,
}

/// Two releases beside each other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Compared {
    /// Which expression.
    pub(super) expression: String,
    /// The later release; `None` is the newest that was live.
    pub(super) later: Option<ReleaseId>,
    /// The earlier release; `None` is the last that was live before the later one.
    pub(super) former: Option<ReleaseId>,
    /// What the daemon answered; `None` before it did.
    pub(super) answer: Option<Result<Comparison, String>>,
    /// What was asked for last.
    pub(super) asked: Option<ComparisonRequest>,
}

/// What was asked for last, and the moment to which that reached.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    /// The question.
    pub(super) request: ChartsRequest,
    /// The last scrape that was known then.
    pub(super) until: Moment,
}

/// The state of the charts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Metrics {
    /// What was fetched last.
    pub(super) charts: Charts,
    /// Why it could not be fetched.
    pub(super) error: Option<String>,
    /// Which of [`RANGES`].
    pub(super) range: usize,
    /// Which panel.
    pub(super) selected: usize,
    /// Whether an answer is awaited.
    pub(super) is_pending: bool,
    /// What was asked for last.
    pub(super) asked: Option<Asked>,
    /// The moment of the last column, for whoever looks back; `None` is the present.
    pub(super) end: Option<Moment>,
    /// The moment of the crosshair.
    pub(super) cursor: Option<Moment>,
    /// How curves are drawn.
    pub(super) drawing: Drawing,
    /// How the vertical axes are scaled.
    pub(super) scale: Scale,
    /// An expression of the operator's own, drawn before the panels.
    pub(super) expression: Option<String>,
    /// Two releases beside each other, instead of the panels.
    pub(super) compared: Option<Compared>,
}

impl Metrics {
    /// Nothing was fetched yet.
    pub(super) fn new(drawing: Drawing) -> Self {
        Self {
            charts: Charts::default(),
            error: None,
            range: 0,
            selected: 0,
            is_pending: false,
            asked: None,
            end: None,
            cursor: None,
            drawing,
            scale: Scale::default(),
            expression: None,
            compared: None,
        }
    }

    /// The time that is asked for, in milliseconds; 0 is all that is kept.
    pub(super) fn range_ms(&self) -> u64 {
        RANGES.get(self.range).map_or(900_000, |(range, _)| *range)
    }

    /// How that time is called.
    pub(super) fn range_name(&self) -> &'static str {
        RANGES.get(self.range).map_or("15 min", |(_, name)| *name)
    }

    /// The stretch of time in words: `last 5 min`.
    pub(super) fn range_text(&self) -> String {
        if self.range_ms() == 0 { self.range_name().to_owned() } else { format!("last {}", self.range_name()) }
    }

    /// The charts on the screen: of the comparison while there is one.
    pub(super) fn shown(&self) -> &Charts {
        match &self.compared {
            Some(Compared { answer: Some(Ok(comparison)), .. }) => &comparison.charts,
            _ => &self.charts,
        }
    }

    /// Columns of the charts on the screen.
    pub(super) fn columns(&self) -> usize {
        columns(self.shown())
    }

    /// Moves the crosshair by so many cells of two columns; without one it appears at the end.
    pub(super) fn move_cursor(&mut self, by: i8) {
        let charts = self.shown();
        let columns = columns(charts);
        let Some(last) = columns.checked_sub(1) else { return };
        let column = match self.cursor.and_then(|cursor| in_time(charts, columns).column(cursor)) {
            Some(column) => column.saturating_add_signed(isize::from(by) * 2).min(last),
            None => last,
        };
        self.cursor = Some(in_time(charts, columns).moment(column));
    }

    /// The column of the crosshair, while it is within the charts.
    pub(super) fn cursor_column(&self) -> Option<usize> {
        let charts = self.shown();
        in_time(charts, columns(charts)).column(self.cursor?)
    }

    /// Looks back or forward by half of what is shown; beyond the present it is the present again.
    pub(super) fn pan(&mut self, by: i8, now: Moment) {
        let columns = u64::try_from(columns(&self.charts)).unwrap_or(0);
        let half = i64::try_from(self.charts.step.saturating_mul(columns) / 2).unwrap_or(0);
        let end = self.end.unwrap_or(self.charts.end);
        let end = Moment(end.0.saturating_add(half.saturating_mul(i64::from(by))));
        self.end = (end < now).then_some(end);
    }

    /// A longer or shorter range, around the crosshair if there is one.
    pub(super) fn zoom(&mut self, range: usize, now: Moment) {
        self.range = range;
        if let Some(cursor) = self.cursor.filter(|_| self.compared.is_none()) {
            let end = cursor.plus(self.range_ms() / 2);
            self.end = (end < now && self.range_ms() > 0).then_some(end);
        }
        if self.range_ms() == 0 {
            self.end = None;
        }
    }
}

/// Columns of charts.
pub(super) fn columns(charts: &Charts) -> usize {
    let curves = charts.panels.iter().flat_map(|panel| &panel.curves).map(|curve| curve.points.len());
    let buckets = charts.panels.iter().flat_map(|panel| &panel.buckets).map(|bucket| bucket.counts.len());
    curves.chain(buckets).max().unwrap_or(0)
}

/// The columns of charts in time.
pub(super) fn in_time(charts: &Charts, columns: usize) -> TimeColumns {
    TimeColumns { end: charts.end, step: charts.step, count: columns }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::{Curve, PanelData};

    fn metrics(columns: usize, end: i64, step: u64) -> Metrics {
        let curve = Curve { points: vec![Some(1.0); columns], ..Curve::default() };
        let panel = PanelData { curves: vec![curve], ..PanelData::default() };
        let mut metrics = Metrics::new(Drawing::Braille);
        metrics.charts = Charts { panels: vec![panel], end: Moment(end), step, ..Charts::default() };
        metrics
    }

    #[test]
    fn the_crosshair_stays_at_its_moment_while_time_goes_on() {
        let mut metrics = metrics(20, 100_000, 5_000);
        metrics.move_cursor(-1);
        assert_eq!(metrics.cursor_column(), Some(19), "it appears at the end");
        metrics.move_cursor(-1);
        assert_eq!(metrics.cursor_column(), Some(17));
        metrics.charts.end = Moment(110_000);
        assert_eq!(metrics.cursor_column(), Some(15));
        metrics.charts.end = Moment(900_000);
        assert_eq!(metrics.cursor_column(), None, "it is out of sight");
        metrics.move_cursor(1);
        assert_eq!(metrics.cursor_column(), Some(19));
    }

    #[test]
    fn panning_forward_comes_back_to_the_present() {
        let mut metrics = metrics(20, 100_000, 5_000);
        let now = Moment(100_500);
        metrics.pan(-1, now);
        assert_eq!(metrics.end, Some(Moment(50_000)));
        metrics.pan(1, now);
        assert_eq!(metrics.end, Some(Moment(100_000)));
        metrics.pan(1, now);
        assert_eq!(metrics.end, None);
    }

    #[test]
    fn nothing_to_point_at_is_no_crosshair() {
        let mut metrics = metrics(0, 100_000, 5_000);
        metrics.move_cursor(1);
        assert_eq!((metrics.cursor, metrics.cursor_column()), (None, None));
    }
}
