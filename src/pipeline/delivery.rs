//! How well changes reach those they are made for: how often, how soon, how many of them are bad, how soon that is mended.
//!
//! These are the four figures by which delivery is measured everywhere, over the last thirty days, or over as many as the
//! project is old. A *change* is a release that is no rollback. Figures that nothing has happened for are absent, not zero.

use serde::{Deserialize, Serialize};

use super::ids::Moment;

/// The days over which is measured.
const DAYS: u32 = 30;
/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// The figures of delivery.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Delivery {
    /// Changes that went live in a day.
    pub releases_per_day: f64,
    /// Milliseconds from the sight of new inputs to the release that has them live: the middle one of all changes.
    pub lead_time_ms: Option<u64>,
    /// The share of changes that were found unfit at their deploy, or gone back from.
    pub failure_rate: Option<f64>,
    /// Milliseconds that a change served that was gone back from: the middle one of all such changes.
    pub restore_ms: Option<u64>,
    /// Over so many days.
    pub over_days: u32,
}

/// A release whose deploy is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Delivered {
    /// When its deploy ended.
    pub(super) decided: Moment,
    /// Whether it repeats an earlier one.
    pub(super) is_rollback: bool,
    /// Milliseconds from the sight of its inputs, if they were new.
    pub(super) lead: Option<u64>,
    /// When it went live, if it did.
    pub(super) live_since: Option<Moment>,
    /// When another took its place.
    pub(super) left: Option<Moment>,
    /// Whether it was found unfit, or gone back from.
    pub(super) rejected: bool,
}

/// The figures at `now` of a project that began at `began`.
pub(super) fn figures<'a>(
    releases: impl Iterator<Item = &'a Delivered>,
    began: Option<Moment>,
    now: Moment,
) -> Delivery {
    let age = began.map_or(0, |began| now.since(began)).div_ceil(DAY);
    let over_days = u32::try_from(age).unwrap_or(DAYS).clamp(1, DAYS);
    let window = u64::from(DAYS) * DAY;
    let changes: Vec<&Delivered> =
        releases.filter(|release| !release.is_rollback && now.since(release.decided) < window).collect();
    let live = number(changes.iter().filter(|change| change.live_since.is_some()).count());
    let judged = number(changes.iter().filter(|change| change.live_since.is_some() || change.rejected).count());
    let failed = number(changes.iter().filter(|change| change.rejected).count());
    let served_in_vain = changes.iter().filter(|change| change.rejected);
    Delivery {
        releases_per_day: live / f64::from(over_days),
        lead_time_ms: middle(changes.iter().filter_map(|change| change.lead).collect()),
        failure_rate: (judged > 0.0).then(|| failed / judged),
        restore_ms: middle(served_in_vain.filter_map(|change| Some(change.left?.since(change.live_since?))).collect()),
        over_days,
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The value in the middle; of an even number the mean of the two there.
fn middle(mut values: Vec<u64>) -> Option<u64> {
    values.sort_unstable();
    let upper = values.get(values.len() / 2).copied()?;
    let lower = values.get(values.len().saturating_sub(1) / 2).copied()?;
    Some(lower.midpoint(upper))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(100 * 86_400_000);

    fn ago(days: i64) -> Moment {
        Moment(NOW.0 - days * 86_400_000)
    }

    fn served(since: i64, left: Option<i64>, rejected: bool) -> Delivered {
        Delivered {
            decided: ago(since),
            lead: Some(60_000),
            live_since: Some(ago(since)),
            left: left.map(ago),
            rejected,
            ..Delivered::default()
        }
    }

    #[test]
    fn of_nothing_there_are_no_figures() {
        let none = figures([].iter(), None, NOW);
        assert_eq!(none, Delivery { over_days: 1, ..Delivery::default() });
    }

    #[test]
    fn changes_are_measured_and_rollbacks_are_none() {
        let rollback = Delivered { is_rollback: true, ..served(7, None, false) };
        let releases = [served(10, Some(8), false), served(8, Some(7), true), rollback];
        let found = figures(releases.iter(), Some(ago(90)), NOW);
        assert_eq!(found.over_days, 30);
        assert!((found.releases_per_day - 2.0 / 30.0).abs() < 1e-12);
        assert_eq!(found.failure_rate, Some(0.5));
        assert_eq!(found.lead_time_ms, Some(60_000));
        assert_eq!(found.restore_ms, Some(86_400_000));
    }

    #[test]
    fn a_change_that_never_served_fails_and_is_no_outage() {
        let unfit = Delivered { decided: ago(1), rejected: true, ..Delivered::default() };
        let abandoned = Delivered { decided: ago(1), ..Delivered::default() };
        let found = figures([unfit, abandoned].iter(), Some(ago(2)), NOW);
        assert_eq!((found.failure_rate, found.restore_ms), (Some(1.0), None));
        assert!(found.releases_per_day.abs() < 1e-12);
    }

    #[test]
    fn what_is_older_than_thirty_days_is_not_counted() {
        let found = figures([served(31, None, false)].iter(), Some(ago(60)), NOW);
        assert!(found.releases_per_day.abs() < 1e-12 && found.failure_rate.is_none());
    }

    #[test]
    fn a_young_project_is_measured_over_its_days() {
        let found = figures([served(1, None, false), served(0, None, false)].iter(), Some(ago(2)), NOW);
        assert_eq!(found.over_days, 2);
        assert!((found.releases_per_day - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_middle_of_an_even_number_lies_between_two() {
        assert_eq!(middle(vec![4, 1, 3, 2]), Some(2));
        assert_eq!(middle(vec![9, 1, 5]), Some(5));
        assert_eq!(middle(Vec::new()), None);
    }
}
