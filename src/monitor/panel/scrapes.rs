//! Which columns of a chart are blank because nothing was measured in them: what the scrapes of its targets say.
//!
//! All panels of one request stand over the same columns, so the scrapes are read and decoded once for all of them
//! ([`Scrapes`]); which of them matter to an expression is found by the labels of its series alone.

use std::collections::BTreeSet;

use promql_parser::label::{MatchOp, Matcher};

use super::{Grid, UP};
use crate::monitor::ReadStore;
use crate::monitor::labels::{Labels, METRIC_NAME};
use crate::monitor::promql::Query;
use crate::monitor::selectors::{each_selector, matchers_of};
use crate::pipeline::Moment;

/// How far back a scrape is taken for the present state when none falls into a column, in milliseconds.
const LOOK_BACK_MS: i64 = 300_000;
/// Columns up to this wide are blank if one scrape failed in them; in wider ones half of them must have, or a single
/// failure would blank minutes.
const FINE_MS: i64 = 60_000;
/// After this many times the usual pace without a scrape, and at least so many milliseconds, nobody was scraping.
const PACES: i64 = 5;
const LEAST_SILENCE_MS: i64 = 5_000;

/// The labels by which a target is told from the others: `job` and `instance`.
type Target = (String, String);

/// When each target was scraped, and whether with success, as far back as any column of a chart looks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Scrapes(Vec<(Target, Vec<(i64, f64)>)>);

impl Scrapes {
    /// Those behind the last `range_ms` before `end` in `columns` columns.
    pub fn of(store: &impl ReadStore, end: Moment, range_ms: u64, columns: usize) -> Self {
        Self::over(store, &Grid::new(end, range_ms, columns))
    }

    pub(super) fn over(store: &impl ReadStore, grid: &Grid) -> Self {
        let (after, until) = reach(grid);
        let is_up = Matcher::new(MatchOp::Equal, METRIC_NAME, UP);
        let all = store.read(|store| store.select(&[is_up], after, until));
        let decoded = all.into_iter().map(|mut series| {
            let mut samples = Vec::new();
            series.window(after, until, &mut samples);
            (target(&series.labels), samples)
        });
        Self(decoded.collect())
    }

    /// For each column whether nothing was measured in it: the scrapes of every target that matters failed, or nobody was
    /// scraping. Where no scrape falls into a column, the last one before it counts for a while.
    pub(super) fn gaps(&self, store: &impl ReadStore, grid: &Grid, query: &Query) -> Vec<bool> {
        let targets = self.mattering(store, grid, query);
        let step = i64::try_from(grid.step_ms).unwrap_or(i64::MAX);
        let is_gap = |at: Moment| {
            let is_down = |scrapes: &[(i64, f64)]| {
                let within = window(scrapes, at.0.saturating_sub(step), at.0);
                let failed = within.iter().filter(|(_, up)| *up < 0.5).count();
                match within {
                    [] => before(scrapes, at.0),
                    _ if step <= FINE_MS => Some(failed > 0),
                    _ => Some(failed * 2 >= within.len()),
                }
            };
            !targets.is_empty() && targets.iter().filter_map(|scrapes| is_down(scrapes)).all(|is_down| is_down)
        };
        grid.moments().map(is_gap).collect()
    }

    /// The scrapes of the targets of which an expression speaks. That others are up says nothing of an app that is away.
    /// Where no scrapes of those that matter are known, all do.
    fn mattering(&self, store: &impl ReadStore, grid: &Grid, query: &Query) -> Vec<&[(i64, f64)]> {
        let matter = targets_of(store, query, grid);
        let own = self.0.iter().filter(|(target, _)| matter.contains(target));
        let own: Vec<&[(i64, f64)]> = own.map(|(_, scrapes)| scrapes.as_slice()).collect();
        if own.is_empty() { self.0.iter().map(|(_, scrapes)| scrapes.as_slice()).collect() } else { own }
    }
}

/// From where to where scrapes are looked at.
fn reach(grid: &Grid) -> (i64, i64) {
    let step = i64::try_from(grid.step_ms).unwrap_or(i64::MAX);
    (grid.first.0.min(grid.end.0).saturating_sub(step.max(LOOK_BACK_MS)), grid.end.0)
}

/// The targets whose series an expression names; none if that cannot be told.
fn targets_of(store: &impl ReadStore, query: &Query, grid: &Grid) -> BTreeSet<Target> {
    let Ok(mut expression) = promql_parser::parser::parse(query.text()) else { return BTreeSet::new() };
    let mut selectors = Vec::new();
    each_selector(&mut expression, &mut |selector| selectors.push(matchers_of(selector)));
    let Some(selectors) = selectors.into_iter().collect::<Option<Vec<_>>>() else { return BTreeSet::new() };
    let (after, until) = reach(grid);
    let found = selectors.iter().flat_map(|matchers| store.read(|store| store.select(matchers, after, until)));
    found.map(|series| target(&series.labels)).collect()
}

fn target(labels: &Labels) -> Target {
    let label = |name: &str| labels.get(name).unwrap_or_default().to_owned();
    (label("job"), label("instance"))
}

/// The scrapes after one moment up to and including another.
fn window(scrapes: &[(i64, f64)], after: i64, until: i64) -> &[(i64, f64)] {
    let start = scrapes.partition_point(|(at, _)| *at <= after);
    let end = scrapes.partition_point(|(at, _)| *at <= until);
    scrapes.get(start..end).unwrap_or_default()
}

/// Whether the last scrape before a column without one had failed; `None` if it is so long ago, by the pace of those before
/// it, that nobody was scraping then.
fn before(scrapes: &[(i64, f64)], at: i64) -> Option<bool> {
    let scrapes = window(scrapes, at.saturating_sub(LOOK_BACK_MS), at);
    let (last, up) = *scrapes.last()?;
    let pace = scrapes.iter().rev().nth(1).map_or(LOOK_BACK_MS, |(earlier, _)| last - earlier);
    (at - last <= (pace * PACES).max(LEAST_SILENCE_MS)).then_some(up < 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PanelSettings;
    use crate::monitor::Panel;
    use crate::monitor::fixture::{fail, store};

    #[test]
    fn panels_beside_each_other_have_the_gaps_that_each_has_alone() {
        let mut store = store(1_000, &[("a", &[1.0, 2.0]), ("b", &[3.0, 4.0])]);
        fail(&mut store, 2_000);
        let (end, range, columns) = (Moment(2_000), 3_000, 3);
        let scrapes = Scrapes::of(&store, end, range, columns);
        for expr in ["a", "b", "sum(rate(a[1m]))", "vector(7)", "up"] {
            let settings = PanelSettings { title: expr.to_owned(), expr: expr.to_owned(), ..PanelSettings::default() };
            let panel = Panel::from_settings(&settings).unwrap();
            let alone = panel.columns(&store, end, range, columns).unwrap();
            assert_eq!(panel.columns_beside(&store, &scrapes, end, range, columns).unwrap(), alone, "{expr}");
        }
    }
}
