//! How the rows of the Board's release pane are shared among its panels: what has no curve takes one row, the curves have equal
//! parts of the rest. A part that is high enough is a small chart with its name above it; in a lower one the curve has one row,
//! beside its name.

/// Rows of the pane, frame included, from which on it counts as tall: the facts of the release may wrap, and the curves are
/// asked for as finely as a chart can show.
pub(in crate::tui) const TALL: u16 = 14;
/// Rows that the facts of the release have in a tall pane, at most.
pub(in crate::tui) const MOST_FACTS: usize = 3;

/// Rows from which on a part is a chart.
const LOWEST_CHART: usize = 4;
/// Rows of a part at most: what is higher tells no more.
const HIGHEST: usize = 8;
/// Rows from which on the last one of a part stays blank, so that charts stand apart.
const AIR_FROM: usize = 6;
/// Rows of a part that is no chart: the curve, and below it its scale.
const WITH_SCALE: usize = 2;

/// The rows of each panel among `rows`, by whether it has a curve.
pub(in crate::tui) fn shares(rows: usize, has_curve: &[bool]) -> Vec<usize> {
    let curves = has_curve.iter().filter(|has_curve| **has_curve).count();
    let others = has_curve.len() - curves;
    let each = match rows.saturating_sub(others).checked_div(curves).unwrap_or(1) {
        high @ LOWEST_CHART.. => high.min(HIGHEST),
        low => low.clamp(1, WITH_SCALE),
    };
    has_curve.iter().map(|has_curve| if *has_curve { each } else { 1 }).collect()
}

/// Rows of the chart in a part of `rows`, its name included; `None` where the curve has one row.
pub(in crate::tui) fn chart_rows(rows: usize) -> Option<usize> {
    (rows >= LOWEST_CHART).then(|| if rows >= AIR_FROM { rows - 1 } else { rows })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn curves_share_what_those_without_one_leave() {
        assert_eq!(shares(25, &[true, true, true, false]), [8, 8, 8, 1]);
        assert_eq!(shares(22, &[true, true, true, false]), [7, 7, 7, 1]);
        assert_eq!(shares(13, &[true, false, true, true]), [4, 1, 4, 4]);
        assert_eq!(shares(40, &[true]), [8], "the rest stays empty");
    }

    #[test]
    fn where_there_is_no_room_for_charts_a_curve_has_a_row_and_one_for_its_scale() {
        assert_eq!(shares(12, &[true, true, true, false]), [2, 2, 2, 1]);
        assert_eq!(shares(6, &[true, true, true, false]), [1, 1, 1, 1]);
        assert_eq!(shares(1, &[true, true]), [1, 1], "what is below the pane is left out");
        assert_eq!((shares(9, &[]), shares(9, &[false, false])), (vec![], vec![1, 1]));
    }

    #[test]
    fn charts_stand_apart_where_they_are_high() {
        assert_eq!([1, 3, 4, 5, 6, 8].map(chart_rows), [None, None, Some(4), Some(5), Some(5), Some(7)]);
    }

    proptest! {
        #[test]
        fn no_panel_is_pushed_out_by_the_height_of_another(
            rows in 0_usize..80,
            has_curve in proptest::collection::vec(any::<bool>(), 0..20),
        ) {
            let shares = shares(rows, &has_curve);
            prop_assert_eq!(shares.len(), has_curve.len());
            let used: usize = shares.iter().sum();
            prop_assert!(used <= rows || shares.iter().all(|share| *share == 1), "{used} of {rows}: {shares:?}");
            for (share, has_curve) in shares.iter().zip(&has_curve) {
                prop_assert!(*share == 1 || (*has_curve && *share <= HIGHEST));
            }
        }
    }
}
