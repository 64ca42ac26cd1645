//! What is scraped, how, and when: the targets of the configuration, and what the live release runs as.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::time::Duration;

use crate::config::{Authentication, FallbackFormat, MonitorSettings, ScrapeTargetSettings, Settings};
use crate::monitor::{Format, Labels, ScrapeOptions};
use crate::pipeline::{Moment, Release, ReleaseId};
use crate::target::host::{HostClient, Scraped};

/// One target that is scraped again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    /// Its labels, by which it is told from the others.
    pub(super) labels: Labels,
    /// Where its page is.
    pub(super) url: String,
    /// Time between scrapes.
    pub(super) interval: Duration,
    /// Limits of a scrape.
    pub(super) options: ScrapeOptions,
    /// By which way it is reached.
    pub(super) way: Way,
}

/// How a target is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// Through the host that runs the live release.
    Host,
    /// By a request of our own.
    Direct {
        /// Who asks.
        authentication: Authentication,
        /// Certificates that are trusted, relative to the project folder.
        authorities: Option<PathBuf>,
    },
}

impl Job {
    /// The targets of the configuration.
    pub(super) fn configured(settings: &MonitorSettings) -> Vec<Self> {
        let job = |target: &ScrapeTargetSettings| {
            let named = target.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            Self {
                labels: Labels::new(named.chain([("job", target.name.as_str())])),
                url: target.url.clone(),
                interval: target.interval,
                options: ScrapeOptions {
                    timeout: target.timeout,
                    sample_limit: target.sample_limit,
                    fallback: target.fallback.map(|fallback| match fallback {
                        FallbackFormat::Text => Format::Text,
                        FallbackFormat::OpenMetrics => Format::OpenMetrics,
                    }),
                    ..options(settings)
                },
                way: Way::Direct { authentication: target.authentication.clone(), authorities: target.ca.clone() },
            }
        };
        settings.targets.iter().map(job).collect()
    }

    /// What the live release runs as. The one process or container keeps the stable address as its name over releases; pods
    /// have their own.
    pub(super) fn live(live: &Release, instances: &[Scraped], settings: &Settings) -> Vec<Self> {
        let address = live.address.as_deref().unwrap_or_default().trim_start_matches("http://");
        let job = |found: &Scraped| {
            let mut labels = vec![
                ("job".to_owned(), settings.name.clone()),
                ("release".to_owned(), found.release.to_string()),
                ("instance".to_owned(), if found.is_pod { found.instance.clone() } else { address.to_owned() }),
            ];
            if found.is_pod {
                labels.push(("pod".to_owned(), found.instance.clone()));
                labels.push(("track".to_owned(), found.track.clone()));
            }
            Self {
                labels: Labels::new(labels),
                url: HostClient::scrape_url(&found.instance),
                interval: settings.monitor.scrape,
                // The app's metrics path is configured, so a page there is taken for what it should be.
                options: ScrapeOptions { fallback: Some(Format::Text), ..options(&settings.monitor) },
                way: Way::Host,
            }
        };
        instances.iter().map(job).collect()
    }

    /// Whether it is one of those that a release runs as.
    pub(super) fn is_of(&self, release: ReleaseId) -> bool {
        self.way == Way::Host && self.labels.get("release") == Some(release.to_string().as_str())
    }

    /// How it is called in a sentence.
    pub(super) fn name(&self) -> String {
        let label = |name: &str| self.labels.get(name).unwrap_or_default().to_owned();
        format!("{} at {}", label("job"), label("instance"))
    }

    /// Time until its first scrape. It is the target's own place within the interval, the same after a restart, so that
    /// many targets are not all asked in the same instant.
    pub(super) fn delay(&self, now: Moment) -> Duration {
        let interval = u64::try_from(self.interval.as_millis()).unwrap_or(u64::MAX).max(1);
        let mut hasher = DefaultHasher::new();
        (&self.labels, &self.url).hash(&mut hasher);
        let place = hasher.finish() % interval;
        let passed = u64::try_from(now.0).unwrap_or(0) % interval;
        Duration::from_millis((interval - passed + place) % interval)
    }
}

fn options(settings: &MonitorSettings) -> ScrapeOptions {
    ScrapeOptions {
        timeout: settings.timeout,
        body_limit: settings.body_limit,
        sample_limit: settings.sample_limit,
        lenient: settings.lenient,
        ..ScrapeOptions::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn jobs(lines: &str) -> Vec<Job> {
        let text = format!("[monitor]\nscrape = \"2s\"\n{lines}\n[stages.test]\ncommand = [\"true\"]\n");
        Job::configured(&parse(&text, "trainyard.toml").unwrap().monitor)
    }

    fn target(name: &str, lines: &str) -> String {
        format!("[[monitor.targets]]\nname = \"{name}\"\nurl = \"http://h:9100/metrics\"\n{lines}\n")
    }

    #[test]
    fn a_target_has_the_labels_and_limits_that_are_configured() {
        let lines = "labels = { team = \"ml\" }\ninterval = \"15s\"\nsample_limit = 7\nfallback = \"text\"";
        let job = jobs(&target("node", lines)).remove(0);
        assert_eq!(job.labels, Labels::new([("job", "node"), ("instance", "h:9100"), ("team", "ml")]));
        assert_eq!((job.interval, job.options.timeout), (Duration::from_secs(15), Duration::from_secs(10)));
        assert_eq!((job.options.sample_limit, job.options.fallback), (7, Some(Format::Text)));
        assert_eq!(job.name(), "node at h:9100");
    }

    #[test]
    fn what_a_release_runs_as_is_told_from_other_targets() {
        let labels = Labels::new([("job", "app"), ("release", "7")]);
        let direct = Job { labels, ..jobs(&target("node", "")).remove(0) };
        let live = Job { way: Way::Host, ..direct.clone() };
        assert!(live.is_of(ReleaseId(7)) && !live.is_of(ReleaseId(8)) && !direct.is_of(ReleaseId(7)));
    }

    #[test]
    fn targets_are_spread_over_the_interval_and_each_keeps_its_place() {
        let many: String = (0..20).map(|index| target(&format!("node{index}"), "")).collect();
        let jobs = jobs(&many);
        let at = Moment(1_700_000_000_123);
        let mut places: Vec<u128> = jobs.iter().map(|job| job.delay(at).as_millis()).collect();
        assert!(places.iter().all(|place| *place < 2_000));
        for (job, place) in jobs.iter().zip(&places) {
            // Half a second later it is half a second less, or the next round.
            let later = job.delay(Moment(at.0 + 500)).as_millis();
            assert_eq!((later + 500) % 2_000, *place);
        }
        places.sort_unstable();
        places.dedup();
        assert!(places.len() > 15, "{places:?}");
    }
}
