//! The panels of a project that configures none, found from the metrics that are there.
//!
//! Each rule looks for the names that the built-in model server, `prometheus_client` and the usual middlewares give; what a
//! metric is follows from its name and from the type that the app tells. Where no rule finds anything, the first metrics are
//! drawn as their types want it.

use crate::config::{PanelKind, PanelSettings};

/// Panels of metrics that no rule knows, at most.
const MOST_UNKNOWN: usize = 6;
/// Labels under which frameworks keep the status of an answer.
const STATUS_LABELS: [&str; 3] = ["status", "code", "status_code"];
/// From where on a population stability index is worth a look, and from where on inputs have changed.
const DRIFT: (f64, f64) = (0.1, 0.25);
/// How far the answers of the model server are from those for known rows.
const ANSWER_DRIFT: &str = "predict_prediction_drift_psi";
/// The greatest index of the inputs that the model server tells.
const INPUT_DRIFT: &str = "predict_input_drift_psi_max";
/// Of how many records it measures them, told from the start and where there is something to measure by.
const RECORDS: &str = "predict_window_records";
/// Whether it can measure at all: 1 or 0, and no drift.
const IS_MEASURED: &str = "predict_drift_measured";
/// Which classes the model server answers with.
const ANSWERS: &str = "predict_class_total";
/// What scrapes and clients say of themselves.
const OWN_PREFIXES: [&str; 6] = ["scrape_", "python_", "process_", "go_", "promhttp_", "trainyard_"];

/// A metric by which panels are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownMetric<'a> {
    /// The name of its series: `x_bucket` and not `x`.
    pub name: &'a str,
    /// `counter`, `gauge`, `histogram`, `summary`, or empty.
    pub kind: &'a str,
}

/// What the built-in model server tells of itself.
const MODEL_SERVER: [(&str, &str); 7] = [
    ("predict_requests_total", "counter"),
    ("predict_errors_total", "counter"),
    ("predict_duration_seconds_bucket", "histogram"),
    (INPUT_DRIFT, "gauge"),
    (ANSWER_DRIFT, "gauge"),
    ("process_resident_memory_bytes", "gauge"),
    ("process_cpu_seconds_total", "counter"),
];

/// The panels that suit the built-in model server: for where nobody can be asked which metrics there are.
pub fn model_server_panels() -> Vec<PanelSettings> {
    default_panels(MODEL_SERVER.iter().map(|&(name, kind)| KnownMetric { name, kind }))
}

/// The panels that suit these metrics; none of none.
pub fn default_panels<'a>(metrics: impl IntoIterator<Item = KnownMetric<'a>>) -> Vec<PanelSettings> {
    let metrics: Vec<KnownMetric<'a>> = metrics.into_iter().collect();
    let mut panels = Vec::new();
    let requests = requests(&metrics);
    panels.extend(requests.map(|name| panel("requests/s", Some("req/s"), rate_of(name))));
    panels.extend(errors(&metrics, requests));
    latency(&metrics, &mut panels);
    panels.extend(drift(&metrics));
    panels.extend(answers(&metrics));
    panels.extend(confidence(&metrics));
    process(&metrics, &mut panels);
    if requests.is_none() && panels.len() < MOST_UNKNOWN {
        unknown(&metrics, &mut panels);
    }
    panels
}

/// The expression that shows a metric well.
pub fn expression_of(metric: KnownMetric<'_>) -> String {
    let name = metric.name;
    match metric.kind {
        _ if name.ends_with("_bucket") => format!("histogram_quantile(0.95, sum by (le) (rate({name}[1m])))"),
        "counter" => format!("rate({name}[1m])"),
        // Of a histogram or a summary: how many, how much.
        "histogram" | "summary" if name.ends_with("_count") || name.ends_with("_sum") => format!("rate({name}[1m])"),
        "" if name.ends_with("_total") => format!("rate({name}[1m])"),
        _ => name.to_owned(),
    }
}

fn panel(title: &str, unit: Option<&str>, expr: String) -> PanelSettings {
    PanelSettings { title: title.to_owned(), expr, unit: unit.map(str::to_owned), ..PanelSettings::default() }
}

fn rate_of(name: &str) -> String {
    format!("sum(rate({name}[1m]))")
}

/// The first metric that ends so; those that begin with one of `first` before all others.
fn ending<'a>(metrics: &[KnownMetric<'a>], ends: &[&str], first: &[&str]) -> Option<&'a str> {
    let fits = |name: &str| ends.iter().any(|end| name.ends_with(end)) && !name.starts_with("trainyard_");
    let names = || metrics.iter().map(|metric| metric.name).filter(|name| fits(name));
    let preferred = first.iter().find_map(|begin| names().find(|name| name.starts_with(begin)));
    preferred.or_else(|| names().next())
}

fn has(metrics: &[KnownMetric<'_>], name: &str) -> bool {
    metrics.iter().any(|metric| metric.name == name)
}

fn requests<'a>(metrics: &[KnownMetric<'a>]) -> Option<&'a str> {
    let named = ending(metrics, &["requests_total", "requests_count"], &["predict_", "http_"]);
    named.or_else(|| ending(metrics, &["request_duration_seconds_count", "request_latency_seconds_count"], &["http_"]))
}

fn errors(metrics: &[KnownMetric<'_>], requests: Option<&str>) -> Option<PanelSettings> {
    // The model server has no such series before its first error.
    let own = (requests == Some("predict_requests_total")).then_some("predict_errors_total");
    let ends = ["errors_total", "exceptions_total", "failures_total"];
    let mut terms = Vec::new();
    match own.or_else(|| ending(metrics, &ends, &["predict_", "http_"])) {
        Some(name) => terms.push(rate_of(name)),
        // Whichever label there is gives the answer, the others nothing.
        None => terms.extend(
            requests.iter().flat_map(|name| STATUS_LABELS.map(|label| rate_of(&format!("{name}{{{label}=~\"5..\"}}")))),
        ),
    }
    if terms.is_empty() {
        return None;
    }
    // Without an error so far it is zero wherever requests are counted.
    terms.extend(requests.map(|name| format!("0 * {}", rate_of(name))));
    Some(PanelSettings { zero: true, ..panel("errors/s", Some("/s"), terms.join(" or ")) })
}

/// Quantiles, and the buckets that they are read from.
fn latency(metrics: &[KnownMetric<'_>], panels: &mut Vec<PanelSettings>) {
    let first = ["predict_", "http_request", "request"];
    let ends = ["duration_seconds_bucket", "latency_seconds_bucket", "response_time_seconds_bucket"];
    if let Some(name) = ending(metrics, &ends, &first) {
        let buckets = format!("sum by (le) (rate({name}[1m]))");
        let quantile = |share: &str, label: &str| {
            format!("label_replace(histogram_quantile({share}, {buckets}), \"quantile\", \"{label}\", \"\", \"\")")
        };
        let expr = [quantile("0.5", "p50"), quantile("0.95", "p95"), quantile("0.99", "p99")].join(" or ");
        panels.push(panel("latency", Some("s"), expr));
        let kind = PanelKind::Heatmap;
        panels.push(PanelSettings { kind, ..panel("latency, spread", Some("s"), buckets) });
        return;
    }
    let ends = ["duration_seconds", "latency_seconds"];
    let summaries: Vec<_> = metrics.iter().copied().filter(|metric| metric.kind == "summary").collect();
    if let Some(name) = ending(&summaries, &ends, &first) {
        panels.push(panel("latency", Some("s"), format!("max by (quantile) ({name})")));
    }
}

fn drift(metrics: &[KnownMetric<'_>]) -> Option<PanelSettings> {
    let is_drift = |metric: &KnownMetric<'_>| {
        metric.name.contains("drift") && metric.kind != "counter" && ![ANSWER_DRIFT, IS_MEASURED].contains(&metric.name)
    };
    let gauges: Vec<_> = metrics.iter().copied().filter(is_drift).collect();
    // The greatest of all features says more than each of them.
    let ends = ["psi_max", "psi", "drift_score", "drift", ""];
    let found = ends.iter().find_map(|end| ending(&gauges, &[*end], &["predict_"]));
    // The model server tells none of too few records, and the panel is there from the start all the same.
    let name = found.or_else(|| has(metrics, RECORDS).then_some(INPUT_DRIFT))?;
    let (title, thresholds) = if name.contains("psi") { ("drift (PSI)", Some(DRIFT)) } else { ("drift", None) };
    Some(PanelSettings { thresholds, zero: true, ..panel(title, None, format!("max({name})")) })
}

/// What the model server says of its own answers: how they have moved, and which classes they are.
fn answers(metrics: &[KnownMetric<'_>]) -> Vec<PanelSettings> {
    let mut panels = Vec::new();
    if has(metrics, ANSWER_DRIFT) {
        let drift = panel("drift of answers (PSI)", None, format!("max({ANSWER_DRIFT})"));
        panels.push(PanelSettings { thresholds: Some(DRIFT), zero: true, ..drift });
    }
    if has(metrics, ANSWERS) {
        let expr = format!("sum by (class) (rate({ANSWERS}[1m]))");
        panels.push(PanelSettings { kind: PanelKind::Area, ..panel("answers by class", Some("/s"), expr) });
    }
    panels
}

fn confidence(metrics: &[KnownMetric<'_>]) -> Option<PanelSettings> {
    if let Some(name) = ending(metrics, &["confidence_bucket", "probability_bucket"], &["predict"]) {
        let kind = PanelKind::Heatmap;
        let expr = format!("sum by (le) (rate({name}[1m]))");
        return Some(PanelSettings { kind, ..panel("confidence", None, expr) });
    }
    let name = ending(metrics, &["confidence", "confidence_mean"], &["predict"])?;
    Some(PanelSettings { min: Some(0.0), max: Some(1.0), ..panel("confidence", None, format!("avg({name})")) })
}

fn process(metrics: &[KnownMetric<'_>], panels: &mut Vec<PanelSettings>) {
    let memory = "process_resident_memory_bytes";
    if has(metrics, memory) {
        panels.push(PanelSettings { zero: true, ..panel("memory", Some("B"), format!("sum({memory})")) });
    }
    let processor = "process_cpu_seconds_total";
    if has(metrics, processor) {
        panels.push(PanelSettings { zero: true, ..panel("processors", None, rate_of(processor)) });
    }
}

/// The first metrics that the app itself counts, as their types want it.
fn unknown(metrics: &[KnownMetric<'_>], panels: &mut Vec<PanelSettings>) {
    let is_own = |name: &str| name == "up" || OWN_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let is_part = |name: &str| ["_sum", "_count", "_created", "_bucket", "_info"].iter().any(|end| name.ends_with(end));
    let room = MOST_UNKNOWN.saturating_sub(panels.len());
    let drawn: Vec<String> = panels.iter().map(|panel| panel.expr.clone()).collect();
    let others = metrics.iter().filter(|metric| !is_own(metric.name) && !is_part(metric.name));
    let fresh = others.filter(|metric| drawn.iter().all(|expr| !expr.contains(metric.name)));
    let found: Vec<PanelSettings> =
        fresh.take(room).map(|metric| panel(metric.name, None, expression_of(*metric))).collect();
    panels.extend(found);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::promql;

    fn known<'a>(metrics: &[(&'a str, &'a str)]) -> Vec<KnownMetric<'a>> {
        metrics.iter().map(|&(name, kind)| KnownMetric { name, kind }).collect()
    }

    fn titles(metrics: &[(&str, &str)]) -> Vec<String> {
        default_panels(known(metrics)).into_iter().map(|panel| panel.title).collect()
    }

    #[test]
    fn the_model_server_is_known() {
        // As it is before its first error.
        let mut metrics = vec![("predict_input_drift_psi", "gauge"), ("predict_rows_total", "counter")];
        metrics.extend(MODEL_SERVER.iter().copied().filter(|(name, _)| *name != "predict_errors_total"));
        let all = [
            "requests/s",
            "errors/s",
            "latency",
            "latency, spread",
            "drift (PSI)",
            "drift of answers (PSI)",
            "memory",
            "processors",
        ];
        assert_eq!(titles(&metrics), all);
        let panels = default_panels(known(&metrics));
        assert_eq!(panels, model_server_panels());
        let drift = panels.iter().find(|panel| panel.title == "drift (PSI)").unwrap();
        assert_eq!((drift.expr.as_str(), drift.thresholds), ("max(predict_input_drift_psi_max)", Some(DRIFT)));
        let errors = panels.iter().find(|panel| panel.title == "errors/s").unwrap();
        assert!(errors.expr.contains("predict_errors_total"), "there is no error yet, and still a panel");
    }

    #[test]
    fn before_there_are_enough_records_the_panel_is_that_of_the_drift_and_not_of_whether_it_is_measured() {
        let start = [("predict_requests_total", "counter"), (IS_MEASURED, "gauge"), (RECORDS, "gauge")];
        let panels = default_panels(known(&start));
        let drift: Vec<_> = panels.iter().filter(|panel| panel.title.contains("drift")).collect();
        let told: Vec<_> = drift.iter().map(|panel| (panel.title.as_str(), panel.expr.as_str())).collect();
        assert_eq!(told, [("drift (PSI)", "max(predict_input_drift_psi_max)")]);
        let unmeasured = [("predict_requests_total", "counter"), (IS_MEASURED, "gauge")];
        assert!(titles(&unmeasured).iter().all(|title| !title.contains("drift")), "there is nothing to measure by");
    }

    #[test]
    fn answers_by_class_are_drawn_where_they_are_counted() {
        let panels = default_panels(known(&[("predict_requests_total", "counter"), (ANSWERS, "counter")]));
        let answers = panels.iter().find(|panel| panel.title == "answers by class").unwrap();
        assert_eq!(answers.expr, "sum by (class) (rate(predict_class_total[1m]))");
        assert!(promql::parse(&answers.expr).is_ok());
    }

    #[test]
    fn a_python_app_with_the_usual_client_is_known() {
        let metrics = [
            ("http_request_duration_seconds_bucket", "histogram"),
            ("http_requests_total", "counter"),
            ("process_cpu_seconds_total", "counter"),
            ("process_resident_memory_bytes", "gauge"),
            ("python_gc_objects_collected_total", "counter"),
        ];
        assert_eq!(titles(&metrics), ["requests/s", "errors/s", "latency", "latency, spread", "memory", "processors"]);
        let errors = default_panels(known(&metrics)).swap_remove(1).expr;
        assert!(errors.contains("status=~\"5..\"") && errors.contains("0 * sum("), "{errors}");
    }

    #[test]
    fn metrics_that_no_rule_knows_are_drawn_by_their_type() {
        let panels = default_panels(known(&[("up", ""), ("jobs_done_total", "counter"), ("queue_length", "gauge")]));
        let drawn: Vec<_> = panels.iter().map(|panel| panel.expr.as_str()).collect();
        assert_eq!(drawn, ["rate(jobs_done_total[1m])", "queue_length"]);
        assert!(titles(&[]).is_empty());
    }

    #[test]
    fn every_default_panel_is_a_valid_expression() {
        let mut metrics = known(&MODEL_SERVER);
        metrics.extend(known(&[("rpc_latency_seconds", "summary"), ("predict_confidence_bucket", "histogram")]));
        metrics.extend(known(&[("process_cpu_seconds_total", "counter"), ("x_confidence", "gauge")]));
        for panel in default_panels(metrics.iter().copied()) {
            promql::parse(&panel.expr).unwrap_or_else(|error| panic!("{}: {error}", panel.expr));
        }
        for metric in metrics {
            assert!(promql::parse(&expression_of(metric)).is_ok(), "{metric:?}");
        }
    }
}
