//! What can be written at a place in an expression: searched here over all there is, so that a client is sent what it shows and
//! no more.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Monitoring, Source};
use crate::api::types::{Completion, CompletionKind, CompletionRequest, Completions, MetricInformation, distance};
use crate::disk::now;
use crate::monitor::{Labels, METRIC_NAME, expression_words};
use crate::pipeline::Moment;

/// Rows of one answer, at most.
const MOST_ROWS: usize = 1_000;
/// The list of metrics is made anew after so many milliseconds, and not at each letter that is typed.
const FRESH: i64 = 2_000;
/// Behind every fit by name: a word of a help text.
const ONLY_HELP: usize = 1_000_000_000;

/// The metrics as they were listed last.
#[derive(Clone, Default)]
pub(super) struct Listed {
    made: Arc<Mutex<Option<Made>>>,
}

struct Made {
    at: Moment,
    metrics: Arc<Vec<MetricInformation>>,
}

impl Listed {
    fn fresh(&self) -> Option<Arc<Vec<MetricInformation>>> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let age = |made: &Made| now().0.saturating_sub(made.at.0);
        // A clock that went back makes it old.
        made.as_ref().filter(|made| (0..FRESH).contains(&age(made))).map(|made| Arc::clone(&made.metrics))
    }

    fn keep(&self, metrics: Vec<MetricInformation>) -> Arc<Vec<MetricInformation>> {
        let metrics = Arc::new(metrics);
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        *made = Some(Made { at: now(), metrics: Arc::clone(&metrics) });
        metrics
    }
}

impl Monitoring {
    /// A window of what can be written at a place.
    pub async fn completions(&self, wanted: &CompletionRequest) -> Result<Completions, String> {
        match wanted.kind {
            CompletionKind::Expression => {
                let metrics = match self.listed.fresh() {
                    Some(metrics) => metrics,
                    None => self.listed.keep(self.metrics().await?),
                };
                Ok(expressions(&metrics, wanted))
            }
            CompletionKind::LabelName => {
                let names = self.label_names(wanted.metric.clone()).await?;
                let names = names.into_iter().filter(|name| name != METRIC_NAME);
                Ok(window(names.map(Completion::Label), wanted))
            }
            CompletionKind::LabelValue => {
                let values = match &wanted.label {
                    Some(label) => self.label_values(label.clone(), wanted.metric.clone()).await?,
                    None => Vec::new(),
                };
                Ok(window(values.into_iter().map(Completion::Value), wanted))
            }
        }
    }

    /// The names of all labels, or of those that a metric has.
    async fn label_names(&self, metric: Option<String>) -> Result<Vec<String>, String> {
        match self.source()? {
            Source::Own => self.evaluated(move |monitoring| Ok(own_names(monitoring, metric.as_deref()))).await,
            Source::Prometheus(client) => {
                client.label_names(metric.as_deref()).await.map_err(|error| error.to_string())
            }
        }
    }

    /// The values of a label, or those that it has on a metric.
    async fn label_values(&self, label: String, metric: Option<String>) -> Result<Vec<String>, String> {
        match self.source()? {
            Source::Own => {
                self.evaluated(move |monitoring| Ok(own_values(monitoring, &label, metric.as_deref()))).await
            }
            Source::Prometheus(client) => {
                client.label_values(&label, metric.as_deref()).await.map_err(|error| error.to_string())
            }
        }
    }
}

/// Of a metric that is not known, as while its name is typed, every label is told.
fn own_names(monitoring: &Monitoring, metric: Option<&str>) -> Vec<String> {
    let names: BTreeSet<String> =
        labels_of(monitoring, metric).iter().flat_map(Labels::pairs).map(|(name, _)| name.to_owned()).collect();
    if names.is_empty() { monitoring.store().label_names() } else { names.into_iter().collect() }
}

fn own_values(monitoring: &Monitoring, label: &str, metric: Option<&str>) -> Vec<String> {
    let series = labels_of(monitoring, metric);
    let values: BTreeSet<String> = series.iter().filter_map(|labels| labels.get(label)).map(str::to_owned).collect();
    if values.is_empty() { monitoring.store().label_values(label) } else { values.into_iter().collect() }
}

/// The labels of all series of a metric. The store is held for no longer than it takes to count references.
fn labels_of(monitoring: &Monitoring, metric: Option<&str>) -> Vec<Labels> {
    metric.map(|metric| monitoring.store().labels_of(metric)).unwrap_or_default()
}

/// Metrics, and functions once something was typed: a list of functions helps nobody who has typed nothing yet.
fn expressions(metrics: &[MetricInformation], wanted: &CompletionRequest) -> Completions {
    let words = expression_words().into_iter().filter(|_| !wanted.word.is_empty());
    let functions = words.map(|name| Completion::Function(name.to_owned()));
    window(metrics.iter().cloned().map(Completion::Metric).chain(functions), wanted)
}

/// Those that fit, the best first, and of these the rows that are wanted.
fn window(all: impl Iterator<Item = Completion>, wanted: &CompletionRequest) -> Completions {
    let word = wanted.word.as_str();
    let lower = word.to_lowercase();
    let ranked = |completion: Completion| Some((rank(&completion, word, &lower)?, completion));
    let mut found: Vec<(usize, Completion)> = all.filter_map(ranked).collect();
    // Stable: what fits equally well stays in the order of the names.
    found.sort_by_key(|(rank, _)| *rank);
    let total = found.len();
    let is_whole = found.iter().any(|(_, completion)| completion.name() == word);
    let rows = found.into_iter().skip(wanted.first).take(wanted.count.min(MOST_ROWS));
    Completions { first: wanted.first.min(total), rows: rows.map(|(_, row)| row).collect(), total, is_whole }
}

/// How badly a word fits; the words of a help text count too, but least.
fn rank(completion: &Completion, word: &str, lower: &str) -> Option<usize> {
    if word.is_empty() {
        return Some(0);
    }
    let name = completion.name();
    let by_name = match name.find(word) {
        Some(at) => Some(at + name.len()),
        // Behind whatever holds the word as it stands.
        None => distance(name, word).map(|distance| distance + name.len()),
    };
    by_name.or_else(|| match completion {
        Completion::Metric(metric) if metric.help.to_lowercase().contains(lower) => Some(ONLY_HELP),
        Completion::Metric(_) | Completion::Function(_) | Completion::Label(_) | Completion::Value(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics() -> Vec<MetricInformation> {
        let metric = |name: &str, help: &str| MetricInformation {
            name: name.to_owned(),
            help: help.to_owned(),
            ..MetricInformation::default()
        };
        vec![
            metric("http_requests_total", "All requests."),
            metric("predict_requests_total", "Requests to /predict."),
            metric("process_resident_memory_bytes", "Memory of the process."),
        ]
    }

    fn wanted(word: &str) -> CompletionRequest {
        CompletionRequest { word: word.to_owned(), count: 100, ..CompletionRequest::default() }
    }

    fn names(found: &Completions) -> Vec<&str> {
        found.rows.iter().map(Completion::name).collect()
    }

    fn first(word: &str) -> Option<String> {
        expressions(&metrics(), &wanted(word)).rows.first().map(|row| row.name().to_owned())
    }

    #[test]
    fn the_nearest_name_comes_first_and_help_counts_too() {
        assert_eq!(first("pred").as_deref(), Some("predict_linear"), "of equal fits the shorter name");
        assert_eq!(first("predict_r").as_deref(), Some("predict_requests_total"));
        assert_eq!(first("ra").as_deref(), Some("rad"));
        assert_eq!(first("rate").as_deref(), Some("rate"));
        assert_eq!(first("pdrq").as_deref(), Some("predict_requests_total"), "letters in their order are enough");
        assert_eq!(first("Memory of").as_deref(), Some("process_resident_memory_bytes"));
        assert_eq!(first("nothing_of_that"), None);
    }

    #[test]
    fn without_a_word_there_is_every_metric_and_no_function() {
        let found = expressions(&metrics(), &wanted(""));
        assert_eq!((found.total, found.is_whole), (3, false));
        assert!(expressions(&metrics(), &wanted("http_requests_total")).is_whole);
        assert!(!expressions(&metrics(), &wanted("http_requests")).is_whole);
    }

    #[test]
    fn any_window_of_a_long_list_is_the_same_list() {
        let all = || (0..5_000).map(|number| Completion::Value(format!("pod-{number:04}")));
        let whole = window(all(), &CompletionRequest { first: 0, ..wanted("od-1") });
        assert!(whole.total > 1_000, "{}", whole.total);
        let part = window(all(), &CompletionRequest { first: 40, count: 20, ..wanted("od-1") });
        assert_eq!((part.first, part.total), (40, whole.total));
        assert_eq!(names(&part), names(&whole)[40..60]);
        let behind = window(all(), &CompletionRequest { first: 9_999, ..wanted("od-1") });
        assert!(behind.rows.is_empty() && behind.first == behind.total);
    }
}
