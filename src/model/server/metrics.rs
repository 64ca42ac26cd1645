//! What the model server counts. Counting takes no lock, so that requests do not wait for each other; `page` writes it
//! down for Prometheus.
//!
//! Every counter that can grow is there from the start with 0, so that a rate over its first increase is right.

use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::model::drift::{PredictionReference, Reference};
use crate::model::learn::predictor::{Output, most_probable};
use crate::model::server::histogram::Histogram;
use crate::model::server::page::{escaped, heading};
use crate::model::server::refusal::Reason;
use crate::model::server::served::Served;

/// Upper bounds of the latency histogram, in seconds: from well below one prediction to well above ten thousand.
const LATENCY: [f64; 12] = [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];
/// Upper bounds of the histogram of confidence.
const CONFIDENCE: [f64; 9] = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99];
/// Every status that `/predict` answers with.
const STATUSES: [u16; 7] = [200, 400, 408, 413, 422, 500, 503];

/// Counters of one server.
#[derive(Debug)]
pub(in crate::model) struct ServerMetrics {
    requests: [AtomicU64; STATUSES.len()],
    errors: [AtomicU64; Reason::ALL.len()],
    rows: AtomicU64,
    duration: Histogram,
    answers: Answers,
    features: Vec<FeatureCounts>,
}

/// What was answered.
#[derive(Debug)]
enum Answers {
    Classes { counts: Vec<(String, AtomicU64)>, confidence: Histogram },
    Values(Histogram),
}

#[derive(Debug)]
struct FeatureCounts {
    name: String,
    missing: AtomicU64,
    unknown: AtomicU64,
}

impl ServerMetrics {
    pub(in crate::model) fn new(served: &Served) -> Self {
        let answers = if served.classes().is_empty() {
            Answers::Values(Histogram::new(
                served.reference().predictions.as_ref().map_or(&[][..], PredictionReference::edges),
            ))
        } else {
            let counts = served.classes().iter().map(|class| (class.clone(), AtomicU64::new(0))).collect();
            Answers::Classes { counts, confidence: Histogram::new(&CONFIDENCE) }
        };
        let counts_of = |name: &String| FeatureCounts {
            name: name.clone(),
            missing: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
        };
        Self {
            requests: [const { AtomicU64::new(0) }; STATUSES.len()],
            errors: [const { AtomicU64::new(0) }; Reason::ALL.len()],
            rows: AtomicU64::new(0),
            duration: Histogram::new(&LATENCY),
            answers,
            features: served.features().iter().map(|feature| counts_of(&feature.name)).collect(),
        }
    }

    /// A request to `/predict` was answered.
    pub(in crate::model) fn request(&self, status: u16, took: Duration) {
        let place = STATUSES.iter().position(|known| *known == status);
        if let Some(count) = place.and_then(|place| self.requests.get(place)) {
            one_more(count);
        }
        self.duration.observe(took.as_secs_f64());
    }

    /// A request to `/predict` was refused.
    pub(in crate::model) fn error(&self, reason: Reason) {
        if let Some(count) = self.errors.get(reason as usize) {
            one_more(count);
        }
    }

    /// Records were answered; `places` are where they stand in the reference.
    pub(in crate::model) fn answered(&self, reference: &Reference, outputs: &[Output], places: &[u16]) {
        self.rows.fetch_add(outputs.len() as u64, Ordering::Relaxed);
        for output in outputs {
            self.answer(output);
        }
        for record in places.chunks_exact(reference.width()) {
            for ((feature, place), counts) in reference.features.iter().zip(record).zip(&self.features) {
                if feature.bins.is_missing(*place) {
                    one_more(&counts.missing);
                } else if feature.bins.is_unknown(*place) {
                    one_more(&counts.unknown);
                }
            }
        }
    }

    fn answer(&self, output: &Output) {
        match (&self.answers, output) {
            (Answers::Classes { counts, confidence }, Output::Probabilities(probabilities)) => {
                let class = most_probable(probabilities);
                if let Some((_, count)) = counts.get(class) {
                    one_more(count);
                }
                confidence.observe(probabilities.get(class).copied().unwrap_or(0.0));
            }
            (Answers::Values(histogram), Output::Value(value)) => histogram.observe(*value),
            // A model says one or the other.
            (Answers::Classes { .. }, Output::Value(_)) | (Answers::Values(_), Output::Probabilities(_)) => {}
        }
    }

    /// Writes them down.
    pub(in crate::model) fn render(&self, text: &mut String) -> fmt::Result {
        heading(text, "predict_requests_total", "counter", "Requests to /predict by status.")?;
        for (status, count) in STATUSES.iter().zip(&self.requests) {
            writeln!(text, "predict_requests_total{{status=\"{status}\"}} {}", read(count))?;
        }
        heading(text, "predict_rows_total", "counter", "Records that were predicted.")?;
        writeln!(text, "predict_rows_total {}", read(&self.rows))?;
        heading(text, "predict_errors_total", "counter", "Requests to /predict that were refused, by reason.")?;
        for (reason, count) in Reason::ALL.iter().zip(&self.errors) {
            writeln!(text, "predict_errors_total{{reason=\"{}\"}} {}", reason.word(), read(count))?;
        }
        heading(text, "predict_duration_seconds", "histogram", "Time from a whole request to its answer.")?;
        self.duration.render(text, "predict_duration_seconds")?;
        self.render_answers(text)?;
        self.render_features(text)
    }

    fn render_answers(&self, text: &mut String) -> fmt::Result {
        match &self.answers {
            Answers::Classes { counts, confidence } => {
                heading(text, "predict_class_total", "counter", "Records by the class that was answered.")?;
                for (class, count) in counts {
                    writeln!(text, "predict_class_total{{class=\"{}\"}} {}", escaped(class), read(count))?;
                }
                heading(text, "predict_confidence", "histogram", "Probability of the class that was answered.")?;
                confidence.render(text, "predict_confidence")
            }
            Answers::Values(histogram) => {
                let help = "Predicted numbers; the bounds are the deciles of those for known rows.";
                heading(text, "predict_value", "histogram", help)?;
                histogram.render(text, "predict_value")
            }
        }
    }

    fn render_features(&self, text: &mut String) -> fmt::Result {
        heading(text, "predict_missing_values_total", "counter", "Records without a value, by feature.")?;
        for feature in &self.features {
            let (name, count) = (escaped(&feature.name), read(&feature.missing));
            writeln!(text, "predict_missing_values_total{{feature=\"{name}\"}} {count}")?;
        }
        let help = "Records with a category that was not there in training, by feature.";
        heading(text, "predict_unknown_categories_total", "counter", help)?;
        for feature in &self.features {
            let (name, count) = (escaped(&feature.name), read(&feature.unknown));
            writeln!(text, "predict_unknown_categories_total{{feature=\"{name}\"}} {count}")?;
        }
        Ok(())
    }
}

fn one_more(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}

fn read(count: &AtomicU64) -> u64 {
    count.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Output, Reason, ServerMetrics};
    use crate::model::data::cell::Cell;
    use crate::model::samples;
    use crate::model::server::served::Served;

    fn rendered(metrics: &ServerMetrics) -> String {
        let mut text = String::new();
        metrics.render(&mut text).unwrap();
        text
    }

    #[test]
    fn counters_are_there_before_anything_happened() {
        let text = rendered(&ServerMetrics::new(&Served::new(samples::model())));
        for line in [
            "predict_requests_total{status=\"200\"} 0",
            "predict_errors_total{reason=\"wrong_type\"} 0",
            "predict_rows_total 0",
            "predict_duration_seconds_bucket{le=\"+Inf\"} 0",
            "predict_class_total{class=\"tall\"} 0",
            "predict_missing_values_total{feature=\"height\"} 0",
            "predict_unknown_categories_total{feature=\"colour\"} 0",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in {text}");
        }
    }

    #[test]
    fn requests_and_errors_are_counted_by_what_they_are() {
        let metrics = ServerMetrics::new(&Served::new(samples::model()));
        metrics.request(200, Duration::from_micros(50));
        metrics.request(422, Duration::from_secs(9));
        metrics.error(Reason::UnknownField);
        let text = rendered(&metrics);
        assert!(text.contains("predict_requests_total{status=\"422\"} 1\n"), "{text}");
        assert!(text.contains("predict_errors_total{reason=\"unknown_field\"} 1\n"), "{text}");
        assert!(text.contains("predict_duration_seconds_bucket{le=\"0.0001\"} 1\n"), "{text}");
    }

    #[test]
    fn answers_and_what_was_odd_about_records_are_counted() {
        let served = Served::new(samples::model());
        let metrics = ServerMetrics::new(&served);
        let output = Output::Probabilities(vec![0.2, 0.8]);
        let mut places = Vec::new();
        let cells: Vec<Cell<'_>> = served
            .features()
            .iter()
            .map(|feature| if feature.name == "colour" { Cell::Text("green".into()) } else { Cell::Missing })
            .collect();
        served.reference().place(&cells, &output, &mut places);
        metrics.answered(served.reference(), &[output], &places);
        let text = rendered(&metrics);
        assert!(text.contains("predict_class_total{class=\"tall\"} 1\n"), "{text}");
        assert!(
            text.contains("predict_confidence_bucket{le=\"0.7\"} 0\npredict_confidence_bucket{le=\"0.8\"} 1\n"),
            "{text}"
        );
        assert!(text.contains("predict_unknown_categories_total{feature=\"colour\"} 1\n"), "{text}");
        assert!(text.contains("predict_missing_values_total{feature=\"width\"} 1\n"), "{text}");
    }
}
