//! While releases change places, nobody answers a scrape for a moment. That is no trouble to tell of, unless it lasts.

use crate::pipeline::{Moment, Release, ReleaseStatus};

/// Milliseconds for which it is a matter of course.
const GRACE: u64 = 10_000;

/// Whether one of the releases comes or goes, or just has.
pub(super) fn is_changing<'a>(mut releases: impl Iterator<Item = &'a Release>, at: Moment) -> bool {
    let is_recent = |moment: Option<Moment>| moment.is_some_and(|moment| at.since(moment) < GRACE);
    releases.any(|release| {
        release.status == ReleaseStatus::Starting || is_recent(release.live_since) || is_recent(release.ended)
    })
}

/// Whether a scrape that failed meanwhile is left untold, behind what was told last. A deploy may take long: what did not
/// answer for all of the grace is told during it too. Of what has not answered at all, as behind a restart of the daemon in
/// the middle of a deploy, that is counted from when it was first asked.
pub(super) fn is_excused(told: Option<&Result<Moment, String>>, asked_since: Moment, at: Moment) -> bool {
    match told {
        Some(Ok(answered)) => at.since(*answered) < GRACE,
        Some(Err(_)) => false,
        None => at.since(asked_since) < GRACE,
    }
}

/// Since when a daemon that began then has asked the live release, if one is live.
pub(super) fn asked_since(live: Option<&Release>, began: Moment) -> Moment {
    live.and_then(|live| live.live_since).map_or(began, |live_since| live_since.max(began))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::samples;

    fn release(status: ReleaseStatus, live_since: Option<i64>, ended: Option<i64>) -> Release {
        let (live_since, ended) = (live_since.map(Moment), ended.map(Moment));
        Release { live_since, ended, status, ..samples::release(1) }
    }

    #[test]
    fn releases_change_places_while_a_deploy_works_and_shortly_after() {
        let now = Moment(100_000);
        let is_changing = |release: Release| is_changing([&release].into_iter(), now);
        assert!(is_changing(release(ReleaseStatus::Starting, None, None)));
        assert!(is_changing(release(ReleaseStatus::Live, Some(95_000), None)));
        assert!(is_changing(release(ReleaseStatus::Retired, Some(1_000), Some(95_000))));
        assert!(!is_changing(release(ReleaseStatus::Live, Some(50_000), None)));
        assert!(!is_changing(release(ReleaseStatus::Retired, Some(1_000), Some(50_000))));
    }

    #[test]
    fn what_does_not_answer_for_longer_is_told_and_stays_told() {
        let now = Moment(100_000);
        let began = Moment(0);
        assert!(is_excused(Some(&Ok(Moment(98_000))), began, now));
        assert!(!is_excused(Some(&Ok(Moment(80_000))), began, now));
        assert!(!is_excused(Some(&Err("refused".to_owned())), began, now));
    }

    #[test]
    fn what_has_never_answered_is_told_once_it_was_asked_for_long_enough_by_this_daemon() {
        let now = Moment(100_000);
        let is_excused = |live: Option<&Release>, began: i64| is_excused(None, asked_since(live, Moment(began)), now);
        // A daemon that was started anew in the middle of a long deploy, and the release that is live meanwhile.
        let long_live = release(ReleaseStatus::Live, Some(1_000), None);
        assert!(is_excused(Some(&long_live), 95_000));
        assert!(!is_excused(Some(&long_live), 90_000));
        // A first release under a daemon that has waited for it.
        let just_live = release(ReleaseStatus::Live, Some(95_000), None);
        assert!(is_excused(Some(&just_live), 1_000));
        assert!(is_excused(None, 95_000) && !is_excused(None, 1_000));
    }
}
