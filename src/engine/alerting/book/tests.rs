//! What is kept of alerts, told, and written down.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::config::parse;
use crate::engine::redact::Secret;
use crate::monitor::{Labels, METRIC_NAME, SeriesStore, StoreLimits};
use crate::pipeline::Reaction;

const EXPRESSION: &str = "sum(errors) > 5";

fn configured(alerts: Vec<AlertSettings>) -> MonitorSettings {
    let text = "[monitor]\nscrape = \"1s\"\n[stages.test]\ncommand = [\"true\"]\n";
    MonitorSettings { alerts, ..parse(text, "trainyard.toml").unwrap().monitor }
}

/// One alert, which is kept for ten minutes.
fn settings() -> MonitorSettings {
    configured(vec![AlertSettings {
        name: "Errors".to_owned(),
        expr: EXPRESSION.to_owned(),
        pending_for: Duration::ZERO,
        keep_firing_for: Duration::from_mins(10),
        then: Reaction::Rollback,
        cooldown: Duration::from_mins(10),
        severity: None,
        summary: None,
    }])
}

fn known(live: u64) -> Known {
    let redactor = Arc::new(Redactor::none());
    Known { live: Some(ReleaseId(live)), firing: BTreeSet::new(), silences: BTreeMap::new(), redactor }
}

/// The same, where these are the values of a secret.
fn known_without(secrets: &[&str]) -> Known {
    let secret = |value: &&str| Secret { name: "TOKEN".to_owned(), value: value.as_bytes().to_vec() };
    let secrets: Vec<Secret> = secrets.iter().map(secret).collect();
    Known { redactor: Arc::new(Redactor::new(&secrets)), ..known(1) }
}

/// One alert for each user with errors.
fn settings_by_user() -> MonitorSettings {
    let mut settings = settings();
    for alert in &mut settings.alerts {
        alert.expr = "errors > 5".to_owned();
    }
    settings
}

/// This user has errors.
fn fail(store: &mut SeriesStore, user: &str, at: i64) {
    let id = store.resolve(&Labels::new([(METRIC_NAME, "errors"), ("user", user)]), true).unwrap();
    store.append(id, at, 9.0).unwrap();
}

/// One scrape of a release that answers, with so many errors.
fn scrape(store: &mut SeriesStore, release: u64, at: i64, errors: f64) {
    for (name, value) in [("up", 1.0), ("errors", errors)] {
        let labels = Labels::new([(METRIC_NAME, name), ("release", release.to_string().as_str())]);
        let id = store.resolve(&labels, true).unwrap();
        store.append(id, at, value).unwrap();
    }
}

/// The series of a release end.
fn retire(store: &mut SeriesStore, release: u64, at: i64) {
    for name in ["up", "errors"] {
        let labels = Labels::new([(METRIC_NAME, name), ("release", release.to_string().as_str())]);
        let id = store.resolve(&labels, true).unwrap();
        store.mark_stale(id, at);
    }
}

fn store() -> SeriesStore {
    let limits = StoreLimits { retention: Duration::from_hours(1), bytes_on_disk: 1 << 20, max_series: 100 };
    SeriesStore::in_memory(limits)
}

#[test]
fn a_copy_that_looks_leaves_the_book_that_others_read_as_it_was() {
    let mut store = store();
    scrape(&mut store, 1, 1_000, 9.0);
    let book = Book::restored(None, Moment(0));
    let mut copy = book.clone();
    let round = copy.round(&settings(), &store, &Answers::new(), &known(1), Moment(1_000));
    assert_eq!(round.firing.len(), 1);
    assert!(book.is_empty() && book.statuses(&known(1)).is_empty());
    assert_eq!(copy.statuses(&known(1))[0].state, AlertState::Firing);
}

#[test]
fn an_alert_that_is_only_kept_begins_anew_with_the_release_that_shows_it_again() {
    let mut store = store();
    let mut book = Book::restored(None, Moment(0));
    let settings = settings();
    let mut look = |store: &SeriesStore, live: u64, at: i64| {
        let round = book.round(&settings, store, &Answers::new(), &known(live), Moment(at));
        round.firing.first().map(|alert| (alert.since, alert.evidence)).unwrap()
    };
    scrape(&mut store, 1, 1_000, 9.0);
    assert_eq!(look(&store, 1, 1_000), (Moment(1_000), Evidence::Against));
    // The release that was gone back to: a single scrape of it is not enough.
    scrape(&mut store, 2, 400_000, 0.0);
    assert_eq!(look(&store, 2, 400_000), (Moment(1_000), Evidence::Clear));
    scrape(&mut store, 2, 401_000, 0.0);
    assert_eq!(look(&store, 2, 401_000), (Moment(401_000), Evidence::Clear));
    // The alert has not ended, and the next release is a bad one.
    scrape(&mut store, 3, 403_000, 9.0);
    assert_eq!(look(&store, 3, 403_000), (Moment(401_000), Evidence::Against));
}

#[test]
fn what_the_file_holds_is_read_again_and_an_older_file_too() {
    let mut store = store();
    scrape(&mut store, 1, 1_000, 9.0);
    let mut book = Book::restored(None, Moment(0));
    let round = book.round(&settings(), &store, &Answers::new(), &known(1), Moment(1_000));
    let file = round.file.unwrap();
    assert_eq!(Book::restored(Some(&file), Moment(2_000)).kept.states.state("Errors"), AlertState::Firing);
    let older = String::from_utf8(file).unwrap().replace(",\"cleared\":{}", "");
    assert!(!older.contains("cleared"));
    let restored = Book::restored(Some(older.as_bytes()), Moment(2_000));
    assert_eq!(restored.kept.states.state("Errors"), AlertState::Firing);
}

#[test]
fn a_file_that_could_not_be_written_is_given_again() {
    let store = store();
    let mut book = Book::restored(None, Moment(0));
    let has_file = |book: &mut Book, at: i64| {
        book.round(&settings(), &store, &Answers::new(), &known(1), Moment(at)).file.is_some()
    };
    assert!(has_file(&mut book, 1_000), "the alert is new");
    assert!(!has_file(&mut book, 2_000), "nothing changed, and nothing is active");
    book.owe_file();
    assert!(has_file(&mut book, 3_000));
    assert!(!has_file(&mut book, 4_000));
}

#[test]
fn what_is_not_configured_any_more_or_otherwise_does_not_stay_in_the_file() {
    let mut store = store();
    scrape(&mut store, 1, 1_000, 9.0);
    let mut book = Book::restored(None, Moment(0));
    let mut look = |settings: &MonitorSettings, at: i64| {
        let file = book.round(settings, &store, &Answers::new(), &known(1), Moment(at)).file;
        file.map(|file| Book::restored(Some(&file), Moment(at)).kept.states)
    };
    assert_eq!(look(&settings(), 1_000).unwrap().state("Errors"), AlertState::Firing);
    assert!(look(&settings(), 2_000).is_none(), "nothing changed");
    let mut other = settings();
    for alert in &mut other.alerts {
        alert.expr = "sum(errors) > 50".to_owned();
    }
    let states = look(&other, 3_000).unwrap();
    assert_eq!((states.state("Errors"), states.expression("Errors")), (AlertState::Inactive, Some("sum(errors) > 50")));
    assert_eq!(look(&configured(Vec::new()), 4_000).unwrap().expression("Errors"), None);
}

#[test]
fn an_alert_that_was_told_without_its_secret_is_known_by_that_among_more_than_are_told() {
    let (mut store, mut book, mut known) = (store(), Book::restored(None, Moment(0)), known_without(&["zz-s3cret"]));
    let mut look = |store: &SeriesStore, known: &Known, at: i64| {
        book.round(&settings_by_user(), store, &Answers::new(), known, Moment(at)).firing
    };
    fail(&mut store, "zz-s3cret", 1_000);
    let told = look(&store, &known, 1_000);
    let labels: Vec<&str> = told.iter().map(|alert| alert.labels.as_str()).collect();
    assert_eq!(labels, ["{user=\"[secret TOKEN]\"}"]);
    known.firing = told.iter().map(key).collect();
    // All of them stand before it, by its labels with the secret and without.
    for user in 0..MOST_TOLD {
        fail(&mut store, &format!("{user:02}"), 2_000);
    }
    let told: BTreeSet<(String, String)> = look(&store, &known, 2_000).iter().map(key).collect();
    assert_eq!(told.len(), MOST_TOLD);
    assert!(told.is_superset(&known.firing), "it would seem to have ended: {told:?}");
}

#[test]
fn alerts_that_differ_by_a_secret_alone_are_told_as_the_one_that_began_last() {
    let (mut store, mut book) = (store(), Book::restored(None, Moment(0)));
    let known = known_without(&["aa-s3cret", "zz-s3cret"]);
    let mut look = |store: &SeriesStore, at: i64| {
        let round = book.round(&settings_by_user(), store, &Answers::new(), &known, Moment(at));
        round.firing.into_iter().map(|alert| (alert.labels, alert.since)).collect::<Vec<_>>()
    };
    let told = |since: i64| vec![("{user=\"[secret TOKEN]\"}".to_owned(), Moment(since))];
    fail(&mut store, "aa-s3cret", 1_000);
    assert_eq!(look(&store, 1_000), told(1_000));
    fail(&mut store, "zz-s3cret", 2_000);
    assert_eq!(look(&store, 2_000), told(2_000));
}

#[test]
fn series_of_alerts_are_given_until_they_have_ended_and_not_of_another_server() {
    let mut store = store();
    let mut book = Book::restored(None, Moment(0));
    let calm = configured(Vec::new());
    scrape(&mut store, 1, 1_000, 9.0);
    let mut round = |settings: &MonitorSettings, elsewhere: &Answers| {
        book.round(settings, &store, elsewhere, &known(1), Moment(1_000)).series.map(|samples| samples.len())
    };
    assert_eq!(round(&calm, &Answers::new()), None);
    assert_eq!(round(&settings(), &Answers::new()), Some(2));
    let sample = promql::InstantSample { labels: Labels::default(), value: 9.0 };
    let elsewhere = Answers::from([(EXPRESSION.to_owned(), Ok(vec![sample]))]);
    assert_eq!(round(&settings(), &elsewhere), Some(0), "they end");
    assert_eq!(round(&settings(), &elsewhere), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// A bad release may follow a good one or a bad one at any moment. What is told as the beginning of an alert is either
    /// the beginning of the alert itself, or a moment at which the release then live was proven to be without it.
    #[test]
    fn an_alert_begins_anew_only_behind_a_release_that_was_seen_clear(
        steps in prop::collection::vec((prop::bool::weighted(0.15), prop::bool::weighted(0.4)), 1..80),
        pending in 0_i64..4,
    ) {
        let mut settings = settings();
        for alert in &mut settings.alerts {
            alert.pending_for = Duration::from_secs(pending.unsigned_abs());
        }
        let (mut store, mut book, mut live) = (store(), Book::restored(None, Moment(0)), 1_u64);
        // Release, moment, and whether it was bad.
        let mut scrapes: Vec<(u64, i64, bool)> = Vec::new();
        for (at, (is_deployed, is_bad)) in (1_i64..).map(|second| second * 1_000).zip(steps) {
            if is_deployed {
                // Nobody scrapes the one before any more.
                retire(&mut store, live, at);
                live += 1;
            }
            scrape(&mut store, live, at, if is_bad { 9.0 } else { 0.0 });
            scrapes.push((live, at, is_bad));
            let round = book.round(&settings, &store, &Answers::new(), &known(live), Moment(at));
            let Some(told) = round.firing.first() else { continue };
            let alert = book.kept.states.alerts("Errors").next().unwrap();
            prop_assert!(told.since >= alert.active_at);
            if told.since == alert.active_at {
                continue;
            }
            let Moment(cleared) = told.since;
            let (then_live, ..) = *scrapes.iter().find(|(_, at, _)| *at == cleared).unwrap();
            let own = || scrapes.iter().filter(|(release, at, _)| *release == then_live && *at <= cleared);
            prop_assert!(own().count() >= 2, "a single scrape proves nothing");
            prop_assert!(own().rev().take_while(|(_, at, _)| *at >= cleared - pending * 1_000).all(|(.., is_bad)| !is_bad));
            // A release that is blamed was not bad before that moment only to be bad behind it all the time.
            if told.evidence == Evidence::Against {
                let since = scrapes.iter().filter(|(release, at, _)| *release == live && *at > cleared);
                prop_assert!(since.clone().count() > 0);
                prop_assert!(since.clone().any(|(.., is_bad)| *is_bad));
            }
        }
    }
}
