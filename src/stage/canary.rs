//! The judge of a canary: gathers its own evidence from the pods, and says pass, fail or no evidence.
//!
//! The evidence is the stage's own, so that a daemon that is restarted meanwhile changes nothing. No evidence never promotes.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::contract::Output;
use crate::config::CanarySettings;
use crate::disk::now;
use crate::monitor::{Format, Ingest, Labels, ScrapeOptions, SeriesStore, StoreLimits, fetch, promql};
use crate::target::host::HostClient;

/// Time between two scrapes of each pod.
const EVERY: Duration = Duration::from_secs(1);
/// How long a scrape may take.
const ANSWER: Duration = Duration::from_secs(5);
/// The track of its pods.
const CANARY: &str = "canary";
/// The least scrapes that are evidence: a rate needs two.
const LEAST: usize = 2;
/// Series that are kept of all pods together.
const SERIES: usize = 20_000;
/// Bytes of their samples.
const MEMORY: u64 = 256 << 20;

/// What the evidence says.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The value is within its limits.
    Pass {
        /// The value.
        value: f64,
    },
    /// It is not.
    Fail {
        /// The value.
        value: f64,
        /// The limit, in words.
        limit: String,
    },
    /// There is no value to judge by.
    NoEvidence {
        /// Why.
        reason: String,
    },
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass { value } => write!(f, "the canary's gate passes: {value:.4}"),
            Self::Fail { value, limit } => write!(f, "the canary's gate fails: {value:.4} is {limit}"),
            Self::NoEvidence { reason } => write!(f, "the canary's gate has no evidence: {reason}"),
        }
    }
}

/// Scrapes all pods for as long as the settings say, and judges.
pub async fn judge(client: &HostClient, settings: &CanarySettings, output: &mut Output) -> Verdict {
    let evidence = gather(client, settings.within, output).await;
    verdict(&evidence, settings)
}

/// What was scraped of all pods.
struct Evidence {
    store: SeriesStore,
    /// Scrapes that a pod of the canary answered.
    answered: usize,
}

async fn gather(client: &HostClient, within: Duration, output: &mut Output) -> Evidence {
    let mut answered = 0;
    let mut store = empty_store(within);
    let mut ingest = Ingest::new();
    // The path of the metrics is configured, so a page there is taken for what it should be.
    let options = ScrapeOptions { timeout: ANSWER, fallback: Some(Format::Text), ..ScrapeOptions::default() };
    let started = Instant::now();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while started.elapsed() < within {
        ticks.tick().await;
        // A scrape that fails is a gap; whether what is left suffices is judged at the end.
        let instances = client.instances().await.unwrap_or_default();
        for found in instances {
            let labels = Labels::new([
                ("pod".to_owned(), found.instance.clone()),
                ("release".to_owned(), found.release.to_string()),
                ("track".to_owned(), found.track.clone()),
            ]);
            let at = now();
            let outcome = fetch(client.http(), &HostClient::scrape_url(&found.instance), &options).await;
            answered += usize::from(found.track == CANARY && outcome.is_ok());
            ingest.record(&mut store, at, &labels, &outcome);
        }
        // Makes room where series ended; in memory there is nothing that could fail.
        let _ = store.commit(now());
        let share = started.elapsed().as_secs_f64() / within.as_secs_f64().max(0.001);
        let left = within.saturating_sub(started.elapsed()).as_secs();
        // Only for people; the log has the verdict.
        let _ = output.progress(f64::min(0.3 + share * 0.5, 0.8), &format!("canary: {left} s of evidence left"));
    }
    Evidence { store, answered }
}

/// A store of this stage alone, which forgets nothing while it gathers.
fn empty_store(within: Duration) -> SeriesStore {
    let retention = within + Duration::from_mins(10);
    SeriesStore::in_memory(StoreLimits { retention, bytes_on_disk: MEMORY, max_series: SERIES })
}

fn verdict(evidence: &Evidence, settings: &CanarySettings) -> Verdict {
    let none = |reason: String| Verdict::NoEvidence { reason };
    // An expression such as `… or vector(0)` has a value also where nothing was measured.
    if evidence.answered < LEAST {
        return none(format!("pods of the canary answered {} scrapes, and {LEAST} are needed", evidence.answered));
    }
    let query = match promql::parse(&settings.expr) {
        Ok(query) => query,
        Err(error) => return none(error.to_string()),
    };
    let samples = match query.instant(&evidence.store, now()) {
        Ok(samples) => samples,
        Err(error) => return none(error.to_string()),
    };
    let [sample] = samples.as_slice() else {
        return none(format!("the expression gives {} values instead of one", samples.len()));
    };
    let value = sample.value;
    if value.is_nan() {
        return none("the expression gives no number (were there requests?)".to_owned());
    }
    if let Some(max) = settings.max.filter(|max| value > *max) {
        return Verdict::Fail { value, limit: format!("above {max}") };
    }
    if let Some(min) = settings.min.filter(|min| value < *min) {
        return Verdict::Fail { value, limit: format!("below {min}") };
    }
    Verdict::Pass { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(expr: &str, max: Option<f64>, min: Option<f64>) -> CanarySettings {
        CanarySettings { share: 0.5, within: Duration::from_secs(1), expr: expr.to_owned(), max, min }
    }

    fn judged(expr: &str, max: Option<f64>, min: Option<f64>) -> Verdict {
        verdict(&evidence(LEAST), &settings(expr, max, min))
    }

    fn evidence(answered: usize) -> Evidence {
        Evidence { store: empty_store(Duration::from_mins(1)), answered }
    }

    #[test]
    fn a_canary_that_nobody_could_scrape_is_no_evidence_whatever_the_expression_says() {
        let judged = verdict(&evidence(LEAST - 1), &settings("vector(0)", Some(1.0), None));
        assert!(matches!(judged, Verdict::NoEvidence { .. }), "{judged}");
    }

    #[test]
    fn a_value_is_judged_by_its_limits() {
        assert_eq!(judged("vector(0.5)", Some(1.0), None), Verdict::Pass { value: 0.5 });
        assert!(matches!(judged("vector(2)", Some(1.0), None), Verdict::Fail { .. }));
        assert!(matches!(judged("vector(2)", None, Some(3.0)), Verdict::Fail { .. }));
    }

    #[test]
    fn what_gives_no_number_is_no_evidence_and_never_a_pass() {
        assert!(matches!(judged("vector(0) / 0", Some(1.0), None), Verdict::NoEvidence { .. }));
        assert!(matches!(judged("sum(rate(nothing[1m]))", Some(1.0), None), Verdict::NoEvidence { .. }));
        assert!(matches!(judged("((", Some(1.0), None), Verdict::NoEvidence { .. }));
    }
}
