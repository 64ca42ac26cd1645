//! Heat maps: the cumulative buckets of a histogram, taken apart into what fell into each.

use crate::pipeline::Moment;

use super::{Grid, Panel, Scrapes};
use crate::monitor::ReadStore;
use crate::monitor::promql::{PromqlError, RangeSeries};

/// The label that tells the upper bound of a bucket.
const BOUND: &str = "le";

/// What a heat map shows.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatColumns {
    /// The buckets, the lowest first; none if the expression keeps no label `le`.
    pub buckets: Vec<HeatBucket>,
    /// From column to column, in milliseconds.
    pub step_ms: u64,
    /// The moment of the last column.
    pub end: Moment,
}

/// One bucket.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatBucket {
    /// Its upper bound, as the app writes it.
    pub bound: String,
    /// What fell into it, one entry a column; none is a gap.
    pub counts: Vec<Option<f64>>,
}

impl Panel {
    /// The last `range_ms` before `end` in `columns` columns, a row for each bucket.
    pub fn heat(
        &self,
        store: &impl ReadStore,
        scrapes: &Scrapes,
        end: Moment,
        range_ms: u64,
        columns: usize,
    ) -> Result<HeatColumns, PromqlError> {
        let grid = Grid::new(end, range_ms, columns);
        let found = self.values(store, &grid)?;
        Ok(heat_of(&found, &grid, &scrapes.gaps(store, &grid, &self.query)))
    }
}

/// The buckets that these series tell of.
pub(super) fn heat_of(found: &[RangeSeries], grid: &Grid, gaps: &[bool]) -> HeatColumns {
    let mut bounds: Vec<Cumulative> = Vec::new();
    for series in found {
        let Some(text) = series.labels.get(BOUND) else { continue };
        let Some(bound) = bound_of(text) else { continue };
        let points = grid.points(series, gaps);
        match bounds.iter_mut().find(|known| known.bound.total_cmp(&bound).is_eq()) {
            Some(known) => known.add(&points),
            None => bounds.push(Cumulative { bound, text: text.to_owned(), counts: points }),
        }
    }
    bounds.sort_by(|one, other| one.bound.total_cmp(&other.bound));
    HeatColumns { buckets: apart(bounds, grid.columns), step_ms: grid.step_ms, end: grid.end }
}

/// All that fell into a bucket or into a lower one.
struct Cumulative {
    bound: f64,
    text: String,
    counts: Vec<Option<f64>>,
}

impl Cumulative {
    fn add(&mut self, points: &[Option<f64>]) {
        for (count, point) in self.counts.iter_mut().zip(points) {
            *count = match (*count, *point) {
                (Some(known), Some(more)) => Some(known + more),
                (known, more) => known.or(more),
            };
        }
    }
}

/// A bound, as `le` has it.
fn bound_of(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        other => other.parse().ok().filter(|bound: &f64| !bound.is_nan()),
    }
}

/// What each bucket has more than the one below it. Counters are read one after the other, so a bucket may seem to have less.
fn apart(bounds: Vec<Cumulative>, columns: usize) -> Vec<HeatBucket> {
    let mut below = vec![0.0_f64; columns];
    let take_apart = |cumulative: Cumulative| {
        let counts = cumulative.counts.iter().zip(&mut below);
        let counts = counts.map(|(count, below)| {
            let count = (*count)?;
            let own = (count - *below).max(0.0);
            *below = (*below).max(count);
            Some(own)
        });
        HeatBucket { counts: counts.collect(), bound: cumulative.text }
    };
    bounds.into_iter().map(take_apart).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PanelSettings;
    use crate::monitor::SeriesStore;
    use crate::monitor::fixture::store;

    fn heat(expr: &str, store: &SeriesStore, columns: usize) -> HeatColumns {
        let settings = PanelSettings { title: "heat".to_owned(), expr: expr.to_owned(), ..PanelSettings::default() };
        let scrapes = Scrapes::of(store, Moment(2_000), 3_000, columns);
        Panel::from_settings(&settings).unwrap().heat(store, &scrapes, Moment(2_000), 3_000, columns).unwrap()
    }

    #[test]
    fn each_bucket_has_what_the_ones_below_have_not() {
        let store = store(
            1_000,
            &[
                ("x_bucket{le=\"+Inf\"}", &[0.0, 4.0, 9.0]),
                ("x_bucket{le=\"0.5\"}", &[0.0, 3.0, 5.0]),
                ("x_bucket{le=\"10\"}", &[0.0, 4.0, 8.0]),
            ],
        );
        let heat = heat("x_bucket", &store, 3);
        let bounds: Vec<_> = heat.buckets.iter().map(|bucket| bucket.bound.as_str()).collect();
        assert_eq!(bounds, ["0.5", "10", "+Inf"]);
        let last: Vec<_> = heat.buckets.iter().map(|bucket| bucket.counts.last().copied().flatten()).collect();
        assert_eq!(last, [Some(5.0), Some(3.0), Some(1.0)]);
    }

    #[test]
    fn without_the_label_there_are_no_buckets() {
        let store = store(1_000, &[("x_bucket{le=\"1\"}", &[1.0, 2.0, 3.0])]);
        assert!(heat("sum(x_bucket)", &store, 3).buckets.is_empty());
        assert!(heat("x_bucket", &store, 0).buckets.iter().all(|bucket| bucket.counts.is_empty()));
    }
}
