//! The lowest and highest sample within each column of a plain selector: down-sampling looks at one moment a column, and what
//! happened between two of them must not be lost.

use promql_parser::label::Matcher;
use promql_parser::parser::Expr;

use crate::pipeline::Moment;

use super::{Grid, Panel, PanelColumns};
use crate::monitor::ReadStore;
use crate::monitor::selectors::matchers_of;

/// The extremes of one series, one entry a column; both empty where the points tell all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ColumnExtremes {
    /// The lowest sample.
    pub low: Vec<Option<f64>>,
    /// The highest sample.
    pub high: Vec<Option<f64>>,
}

impl Panel {
    /// Those of each series drawn, in their order. Only a selector shows samples themselves; of any other expression there is
    /// nothing more to know than its values.
    pub fn extremes(
        &self,
        store: &impl ReadStore,
        drawn: &PanelColumns,
        range_ms: u64,
        columns: usize,
    ) -> Vec<ColumnExtremes> {
        let mut extremes = vec![ColumnExtremes::default(); drawn.series.len()];
        let Some(matchers) = plain_selector(self.query.text()) else { return extremes };
        let grid = Grid::new(drawn.end, range_ms, columns);
        let step = i64::try_from(grid.step_ms).unwrap_or(i64::MAX);
        let moments: Vec<Moment> = grid.moments().collect();
        let first = grid.first.0.saturating_sub(step);
        let mut found = store.read(|store| store.select(&matchers, first, drawn.end.0));
        for (series, extremes) in drawn.series.iter().zip(&mut extremes) {
            let Some(selected) = found.iter_mut().find(|selected| selected.labels == series.labels) else { continue };
            let mut before = first;
            for (moment, point) in moments.iter().zip(&series.points) {
                let within = point.and_then(|_| selected.extremes(before, moment.0));
                let known = within.filter(|within| within.min.is_finite() && within.max.is_finite());
                extremes.low.push(known.as_ref().map(|within| within.min));
                extremes.high.push(known.as_ref().map(|within| within.max));
                before = moment.0;
            }
        }
        extremes
    }
}

/// The matchers of an expression that is a selector and nothing else.
fn plain_selector(text: &str) -> Option<Vec<Matcher>> {
    let mut expression = promql_parser::parser::parse(text).ok()?;
    while let Expr::Paren(inner) = expression {
        expression = *inner.expr;
    }
    let Expr::VectorSelector(selector) = &expression else { return None };
    let is_plain = selector.offset.is_none() && selector.at.is_none();
    matchers_of(selector).filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PanelSettings;
    use crate::monitor::fixture::store;

    fn extremes(expr: &str) -> Vec<ColumnExtremes> {
        let store = store(1_000, &[("a", &[1.0, 1.0, 9.0, 1.0, 0.5, 1.0, 1.0, 1.0])]);
        let settings = PanelSettings { title: "a".to_owned(), expr: expr.to_owned(), ..PanelSettings::default() };
        let panel = Panel::from_settings(&settings).unwrap();
        let drawn = panel.columns(&store, Moment(7_000), 8_000, 2).unwrap();
        panel.extremes(&store, &drawn, 8_000, 2)
    }

    #[test]
    fn a_peak_between_two_columns_is_kept() {
        let found = extremes("a");
        let high = found[0].high.iter().flatten().copied().fold(0.0, f64::max);
        let low = found[0].low.iter().flatten().copied().fold(f64::INFINITY, f64::min);
        assert!((high - 9.0).abs() < 1e-9 && (low - 0.5).abs() < 1e-9, "{found:?}");
    }

    #[test]
    fn of_what_is_no_selector_nothing_more_is_known() {
        for expr in ["rate(a[1m])", "a offset 1s", "a * 2"] {
            assert_eq!(extremes(expr), [ColumnExtremes::default()], "{expr}");
        }
        assert!(!extremes("(a)")[0].high.is_empty());
    }
}
