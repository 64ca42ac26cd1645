//! A Prometheus that scrapes, records and judges what is scraped, drawn and judged here: a scrape configuration and a file
//! of rules.
//!
//! Panels become recording rules, alerts become alerting rules; both keep their expressions word for word. What only happens
//! here, going back to an earlier release or training again, is a label there. `keep_firing_for` needs Prometheus 2.42.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Url;

use crate::config::{Action, AlertSettings, Authentication, HumanDuration, PanelSettings, SecretSource, Settings};

use super::yaml::quoted;

/// What is scraped at one address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScrapeJob {
    /// The label `job`.
    pub name: String,
    /// The whole address.
    pub url: String,
    /// Further labels.
    pub labels: BTreeMap<String, String>,
    /// Time between its scrapes, where it differs from that of the others.
    pub interval: Option<Duration>,
    /// Time for a whole scrape.
    pub timeout: Option<Duration>,
    /// The most samples of its page.
    pub sample_limit: Option<usize>,
    /// Who asks.
    pub authentication: Authentication,
    /// Certificates that are trusted in place of those of the system.
    pub ca: Option<PathBuf>,
}

/// What a project has scraped: its releases at their stable addresses, and trainyard's own metrics where they have a port.
pub fn jobs(settings: &Settings) -> Vec<ScrapeJob> {
    let deployed = settings.stages.iter().filter_map(|stage| match &stage.action {
        Action::Deploy(deploy) => Some(format!("http://127.0.0.1:{}{}", deploy.port, deploy.metrics)),
        Action::Command(_) | Action::Train(_) | Action::Image(_) => None,
    });
    let own = settings.monitor.listen.map(|address| ScrapeJob {
        name: "trainyard".to_owned(),
        url: format!("http://{address}/metrics"),
        labels: BTreeMap::from([("project".to_owned(), settings.name.clone())]),
        ..ScrapeJob::default()
    });
    let releases = deployed.map(|url| ScrapeJob { name: settings.name.clone(), url, ..ScrapeJob::default() });
    let targets = settings.monitor.targets.iter().map(|target| ScrapeJob {
        name: target.name.clone(),
        url: target.url.clone(),
        labels: target.labels.clone(),
        interval: Some(target.interval),
        timeout: Some(target.timeout),
        sample_limit: Some(target.sample_limit),
        authentication: target.authentication.clone(),
        ca: target.ca.clone(),
    });
    releases.chain(targets).chain(own).collect()
}

/// `prometheus.yml`.
pub fn scrape_configuration(project: &str, interval: Duration, jobs: &[ScrapeJob], rule_files: &[&str]) -> String {
    let every = HumanDuration(interval);
    let mut text = heading(project, "prometheus.yml");
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(text, "global:\n  scrape_interval: {every}\n  evaluation_interval: {every}");
    if !rule_files.is_empty() {
        text.push_str("rule_files:\n");
    }
    for file in rule_files {
        let _ = writeln!(text, "  - {}", quoted(file));
    }
    if jobs.is_empty() {
        text.push_str("# This project deploys nothing, so there is nothing to scrape.\nscrape_configs: []\n");
        return text;
    }
    text.push_str("scrape_configs:\n");
    let mut names: Vec<String> = Vec::new();
    for job in jobs {
        let name = unique(&job.name, &names, '-');
        write_job(&mut text, job, &name, interval);
        names.push(name);
    }
    text
}

fn write_job(text: &mut String, job: &ScrapeJob, name: &str, interval: Duration) {
    let address = Address::of(&job.url);
    let _ = writeln!(text, "  - job_name: {}", quoted(name));
    if address.is_tls {
        text.push_str("    scheme: https\n");
    }
    let _ = writeln!(text, "    metrics_path: {}", quoted(&address.path));
    if !address.parameters.is_empty() {
        text.push_str("    params:\n");
    }
    for (parameter, values) in &address.parameters {
        let values: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        let _ = writeln!(text, "      {}: [{}]", quoted(parameter), values.join(", "));
    }
    if let Some(interval) = job.interval {
        let _ = writeln!(text, "    scrape_interval: {}", HumanDuration(interval));
    }
    if let Some(timeout) = job.timeout {
        // Prometheus refuses one that is longer than the time between scrapes.
        let timeout = timeout.min(job.interval.unwrap_or(interval));
        let _ = writeln!(text, "    scrape_timeout: {}", HumanDuration(timeout));
    }
    if let Some(limit) = job.sample_limit {
        let _ = writeln!(text, "    sample_limit: {limit}");
    }
    write_credentials(text, &job.authentication);
    if let Some(ca) = &job.ca {
        let _ = writeln!(text, "    tls_config:\n      ca_file: {}", quoted(&ca.display().to_string()));
    }
    let _ = writeln!(text, "    static_configs:\n      - targets: [{}]", quoted(&address.host));
    let mut labels = job.labels.clone();
    if name != job.name {
        // The name of a job stands once in a configuration, but the expressions ask for the label.
        labels.insert("job".to_owned(), job.name.clone());
    }
    if !labels.is_empty() {
        text.push_str("        labels:\n");
    }
    for (label, value) in &labels {
        let _ = writeln!(text, "          {}: {}", quoted(label), quoted(value));
    }
}

fn write_credentials(text: &mut String, authentication: &Authentication) {
    let (opening, key, source) = match authentication {
        Authentication::None => return,
        Authentication::Basic { user, password } => {
            (format!("    basic_auth:\n      username: {}\n", quoted(user)), "password_file", password)
        }
        Authentication::Bearer { token } => ("    authorization:\n".to_owned(), "credentials_file", token),
    };
    text.push_str(&opening);
    let file = match source {
        SecretSource::File(path) => path.display().to_string(),
        SecretSource::Environment(variable) => {
            let told = format!("here it comes from ${variable}; Prometheus reads files only: put it into this one");
            let _ = writeln!(text, "      # {told}");
            variable.to_lowercase()
        }
    };
    let _ = writeln!(text, "      {key}: {}", quoted(&file));
}

/// `rules.yml`: what panels draw, recorded, and what alerts judge.
pub fn rules(project: &str, interval: Duration, panels: &[PanelSettings], alerts: &[AlertSettings]) -> String {
    let mut text = heading(project, "rules.yml");
    if panels.is_empty() && alerts.is_empty() {
        text.push_str("groups: []\n");
        return text;
    }
    text.push_str("groups:\n");
    if !panels.is_empty() {
        open_group(&mut text, &format!("{project}: panels"), interval);
    }
    let mut names: Vec<String> = Vec::new();
    for panel in panels {
        let name = unique(&record_name(&panel.title), &names, '_');
        let _ = writeln!(text, "      - record: {}\n        expr: {}", quoted(&name), quoted(&panel.expr));
        let _ = writeln!(text, "        labels:\n          panel: {}", quoted(&literal(&panel.title)));
        names.push(name);
    }
    if !alerts.is_empty() {
        open_group(&mut text, &format!("{project}: alerts"), interval);
    }
    for alert in alerts {
        write_alert(&mut text, alert);
    }
    text
}

fn open_group(text: &mut String, name: &str, interval: Duration) {
    let _ = writeln!(text, "  - name: {}\n    interval: {}\n    rules:", quoted(name), HumanDuration(interval));
}

fn write_alert(text: &mut String, alert: &AlertSettings) {
    let _ = writeln!(text, "      - alert: {}\n        expr: {}", quoted(&alert.name), quoted(&alert.expr));
    if !alert.pending_for.is_zero() {
        let _ = writeln!(text, "        for: {}", HumanDuration(alert.pending_for));
    }
    if !alert.keep_firing_for.is_zero() {
        let _ = writeln!(text, "        keep_firing_for: {}", HumanDuration(alert.keep_firing_for));
    }
    text.push_str("        labels:\n");
    if let Some(severity) = &alert.severity {
        let _ = writeln!(text, "          severity: {}", quoted(&literal(severity)));
    }
    let _ = writeln!(text, "          trainyard_then: {}", quoted(alert.then.word()));
    if let Some(summary) = &alert.summary {
        // The one text that is a template here too, in the language of Prometheus.
        let _ = writeln!(text, "        annotations:\n          summary: {}", quoted(summary));
    }
}

/// What stands above everything else; a project's name is foreign, and a comment ends with its line.
fn heading(project: &str, file: &str) -> String {
    let project: String = project.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    format!("# {file} of {project}, written by `trainyard export prometheus`\n")
}

/// Labels are templates there and plain text here.
fn literal(text: &str) -> String {
    text.replace("{{", "{{\"{{\"}}")
}

/// A name of a metric that reminds of the title: `requests/s` becomes `panel:requests_s`.
fn record_name(title: &str) -> String {
    let words: Vec<String> = title
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() { "panel:untitled".to_owned() } else { format!("panel:{}", words.join("_")) }
}

/// The name, with a number behind it if it is taken.
fn unique(name: &str, taken: &[String], between: char) -> String {
    let numbered = (2_u32..).map(|number| format!("{name}{between}{number}"));
    std::iter::once(name.to_owned()).chain(numbered).find(|name| !taken.contains(name)).unwrap_or_default()
}

/// An address, taken apart as a scrape configuration wants it.
struct Address {
    is_tls: bool,
    host: String,
    path: String,
    parameters: BTreeMap<String, Vec<String>>,
}

impl Address {
    fn of(url: &str) -> Self {
        let Ok(parsed) = Url::parse(url) else {
            // Addresses are checked where they are configured.
            let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap_or((url, ""));
            let (host, path) = (host.to_owned(), format!("/{path}"));
            return Self { is_tls: false, host, path, parameters: BTreeMap::new() };
        };
        let mut parameters: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in parsed.query_pairs() {
            parameters.entry(name.into_owned()).or_default().push(value.into_owned());
        }
        let host = parsed.host_str().unwrap_or_default();
        let port = parsed.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
        let is_tls = parsed.scheme() == "https";
        Self { is_tls, host: format!("{host}{port}"), path: parsed.path().to_owned(), parameters }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::config::parse;
    use crate::pipeline::Reaction;

    const EVERY: Duration = Duration::from_secs(1);

    fn read(text: &str) -> Value {
        serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
    }

    fn panel(title: &str, expr: &str) -> PanelSettings {
        let text = format!(
            "[stages.test]\ncommand = [\"true\"]\n[[monitor.panels]]\ntitle = {}\nexpr = {}\n",
            toml::Value::String(title.to_owned()),
            toml::Value::String(expr.to_owned()),
        );
        parse(&text, "trainyard.toml").unwrap().monitor.panels.remove(0)
    }

    fn alert(name: &str) -> AlertSettings {
        AlertSettings {
            name: name.to_owned(),
            expr: "sum(rate(predict_errors_total[1m])) > 0.05".to_owned(),
            pending_for: Duration::from_secs(30),
            keep_firing_for: Duration::ZERO,
            then: Reaction::Rollback,
            severity: None,
            summary: None,
            cooldown: Duration::from_mins(10),
        }
    }

    #[test]
    fn the_stable_address_of_each_release_is_scraped_and_our_own_metrics_where_they_have_a_port() {
        let text = "[project]\nname = \"wine\"\n[monitor]\nlisten = \"127.0.0.1:9190\"\n\
                    [stages.build]\nuses = \"image\"\n[stages.deploy]\nuses = \"deploy\"\nneeds = [\"build\"]\n\
                    port = 8123\nmetrics = \"/m?a=1&a=2&b=x%20y\"\n";
        let settings = parse(text, "trainyard.toml").unwrap();
        let told = scrape_configuration("wine", EVERY, &jobs(&settings), &["rules.yml"]);
        let read = read(&told);
        assert_eq!(read["global"]["scrape_interval"], "1s");
        assert_eq!(read["rule_files"][0], "rules.yml");
        let job = &read["scrape_configs"][0];
        assert_eq!((&job["job_name"], &job["metrics_path"]), (&Value::from("wine"), &Value::from("/m")));
        assert_eq!(job["params"], serde_json::json!({ "a": ["1", "2"], "b": ["x y"] }));
        assert_eq!(job["static_configs"][0]["targets"][0], "127.0.0.1:8123");
        let own = &read["scrape_configs"][1];
        assert_eq!(own["static_configs"][0]["labels"]["project"], "wine");
        assert_eq!(own["static_configs"][0]["targets"][0], "127.0.0.1:9190");
    }

    #[test]
    fn two_jobs_of_one_name_keep_their_label() {
        let job = |url: &str| ScrapeJob { name: "app".to_owned(), url: url.to_owned(), ..ScrapeJob::default() };
        let read = read(&scrape_configuration("x", EVERY, &[job("http://a/m"), job("https://b:1/m")], &[]));
        assert_eq!(read["scrape_configs"][0]["static_configs"][0]["targets"][0], "a:80");
        let second = &read["scrape_configs"][1];
        assert_eq!((&second["job_name"], &second["scheme"]), (&Value::from("app-2"), &Value::from("https")));
        assert_eq!(second["static_configs"][0]["labels"]["job"], "app");
    }

    #[test]
    fn secrets_are_named_and_never_written_down() {
        let job = |authentication| ScrapeJob {
            name: "app".to_owned(),
            url: "http://a/m".to_owned(),
            timeout: Some(Duration::from_secs(9)),
            authentication,
            ..ScrapeJob::default()
        };
        let basic = Authentication::Basic {
            user: "me".to_owned(),
            password: SecretSource::Environment("PASS_WORD".to_owned()),
        };
        let bearer = Authentication::Bearer { token: SecretSource::File("secret/token".into()) };
        let text = scrape_configuration("x", EVERY, &[job(basic), job(bearer)], &[]);
        let read = read(&text);
        assert_eq!(read["scrape_configs"][0]["basic_auth"]["username"], "me");
        assert_eq!(read["scrape_configs"][0]["basic_auth"]["password_file"], "pass_word");
        assert_eq!(read["scrape_configs"][1]["authorization"]["credentials_file"], "secret/token");
        assert_eq!(read["scrape_configs"][0]["scrape_timeout"], "1s", "never longer than the time between scrapes");
        assert!(text.contains("$PASS_WORD"), "{text}");
    }

    #[test]
    fn panels_are_recorded_under_names_of_their_own() {
        let panels =
            [panel("requests/s", "a{b=\"c\"}"), panel("지연", "b"), panel("Requests (s)", "c"), panel("p95", "d")];
        let read = read(&rules("x", EVERY, &panels, &[]));
        let found = read["groups"][0]["rules"].as_array().unwrap();
        let names: Vec<_> = found.iter().map(|rule| rule["record"].as_str().unwrap()).collect();
        assert_eq!(names, ["panel:requests_s", "panel:untitled", "panel:requests_s_2", "panel:p95"]);
        assert_eq!(found[0]["expr"], "a{b=\"c\"}");
        assert_eq!(found[1]["labels"]["panel"], "지연");
        assert!(read["groups"][1].is_null(), "no group without a rule");
    }

    #[test]
    fn alerts_keep_what_they_say_even_where_a_label_looks_like_a_template() {
        let full = AlertSettings {
            keep_firing_for: Duration::from_mins(1),
            severity: Some("see {{ .Page }}".to_owned()),
            summary: Some("{{ $value }} on {{ $labels.path }}: \"errors\"\nmore".to_owned()),
            ..alert("Error Rate")
        };
        let text = rules("x", EVERY, &[], &[full, AlertSettings { pending_for: Duration::ZERO, ..alert("Plain") }]);
        let read = read(&text);
        let [first, second] = [0_usize, 1].map(|index| &read["groups"][0]["rules"][index]);
        assert_eq!(first["alert"], "Error Rate");
        assert_eq!((&first["for"], &first["keep_firing_for"]), (&Value::from("30s"), &Value::from("1m")));
        let labels = serde_json::json!({ "severity": "see {{\"{{\"}} .Page }}", "trainyard_then": "rollback" });
        assert_eq!(first["labels"], labels);
        assert_eq!(first["annotations"]["summary"], "{{ $value }} on {{ $labels.path }}: \"errors\"\nmore");
        assert!(second["for"].is_null() && second["annotations"].is_null());
    }

    #[test]
    fn without_anything_to_say_the_files_are_valid_all_the_same() {
        assert_eq!(read(&rules("x", EVERY, &[], &[]))["groups"], serde_json::json!([]));
    }

    #[test]
    fn without_a_deploy_there_is_nothing_to_scrape() {
        let settings = parse("[stages.test]\ncommand = [\"true\"]\n", "trainyard.toml").unwrap();
        let text = scrape_configuration("a\nb", EVERY, &jobs(&settings), &[]);
        assert_eq!(read(&text)["scrape_configs"], serde_json::json!([]));
        assert!(text.starts_with("# prometheus.yml of a b, "), "{text}");
    }
}
