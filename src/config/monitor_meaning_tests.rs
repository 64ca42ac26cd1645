//! What valid configurations of monitoring mean.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::meaning_tests::{LEAST, settings};
use super::{Authentication, FallbackFormat, MonitorSettings, ScrapeTargetSettings, SecretSource};

fn monitor(lines: &str) -> MonitorSettings {
    settings(&format!("[monitor]\n{lines}\n{LEAST}")).monitor
}

fn target(lines: &str) -> ScrapeTargetSettings {
    let lines = format!("[[monitor.targets]]\nname = \"node\"\nurl = \"http://h:9100/metrics?a=b\"\n{lines}");
    monitor(&lines).targets.remove(0)
}

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn every_limit_has_a_default() {
    let monitor = settings(LEAST).monitor;
    assert_eq!((monitor.retention_size, monitor.max_series), (2 << 30, 50_000));
    assert_eq!((monitor.body_limit, monitor.sample_limit), (16 << 20, 50_000));
    assert!(!monitor.lenient && monitor.prometheus.is_none() && monitor.targets.is_empty());
}

#[test]
fn the_time_for_a_scrape_follows_from_the_time_between_scrapes() {
    let timeout = |lines: &str| monitor(lines).timeout;
    assert_eq!(timeout(""), Duration::from_secs(1));
    assert_eq!(timeout("scrape = \"100ms\""), Duration::from_secs(1));
    assert_eq!(timeout("scrape = \"5s\""), Duration::from_secs(5));
    assert_eq!(timeout("scrape = \"1m\""), Duration::from_secs(10));
    assert_eq!(timeout("scrape = \"1m\"\ntimeout = \"30s\""), Duration::from_secs(30));
}

#[test]
fn a_target_has_what_is_said_of_all_unless_it_says_otherwise() {
    let plain = target("");
    assert_eq!(plain.labels, labels(&[("instance", "h:9100")]));
    assert_eq!((plain.interval, plain.timeout), (Duration::from_secs(1), Duration::from_secs(1)));
    assert_eq!((plain.sample_limit, plain.fallback, plain.ca), (50_000, None, None));
    assert_eq!(plain.authentication, Authentication::None);

    let own = target(
        "interval = \"15s\"\nsample_limit = 7\nfallback = \"openmetrics\"\nca = \"ca.pem\"\n\
         labels = { instance = \"box\", team = \"ml\" }",
    );
    assert_eq!(own.labels, labels(&[("instance", "box"), ("team", "ml")]));
    assert_eq!((own.interval, own.timeout), (Duration::from_secs(15), Duration::from_secs(10)));
    assert_eq!((own.sample_limit, own.fallback), (7, Some(FallbackFormat::OpenMetrics)));
    assert_eq!(own.ca, Some(PathBuf::from("ca.pem")));
}

#[test]
fn a_port_that_is_not_written_is_that_of_the_scheme() {
    let monitor = monitor("[[monitor.targets]]\nname = \"a\"\nurl = \"https://metrics.example.com/\"");
    assert_eq!(monitor.targets[0].labels, labels(&[("instance", "metrics.example.com:443")]));
}

#[test]
fn secrets_come_from_a_file_or_a_variable() {
    let basic = target("basic = { user = \"me\", password_file = \"secrets/me\" }").authentication;
    let password = SecretSource::File("secrets/me".into());
    assert_eq!(basic, Authentication::Basic { user: "me".to_owned(), password });
    let bearer = target("bearer = { token_env = \"TOKEN\" }").authentication;
    assert_eq!(bearer, Authentication::Bearer { token: SecretSource::Environment("TOKEN".to_owned()) });
}

#[test]
fn an_existing_prometheus_is_named_by_its_address() {
    let monitor = monitor("prometheus = \"http://127.0.0.1:9090/\"");
    assert_eq!(monitor.prometheus.as_deref(), Some("http://127.0.0.1:9090"));
}
