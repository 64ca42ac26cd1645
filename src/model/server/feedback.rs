//! `POST /feedback`: records whose truth is known by now. Each is checked like one that is to be predicted, its label
//! against what the model knows, and written down for the next training; how well the model does on the last of them is
//! told as a metric.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::config::Task;
use crate::model::data::cell::Cell;
use crate::model::data::column::ColumnKind;
use crate::model::data::record::Record;
use crate::model::learn::predictor::{Output, most_probable};
use crate::model::learn::preprocess::Feature;
use crate::model::nearest;
use crate::model::number::float;
use crate::model::server::body::receive;
use crate::model::server::exact::object;
use crate::model::server::feedback_file::{FeedbackError, FeedbackFile, line};
use crate::model::server::page::heading;
use crate::model::server::refusal::{Reason, Refusal};
use crate::model::server::served::Served;
use crate::model::server::shared::Shared;
use crate::model::server::tree;

/// Labelled records that the metric looks at.
const WINDOW: usize = 1_000;

/// Labelled records of one server.
#[derive(Debug)]
pub(in crate::model) struct Feedback {
    file: FeedbackFile,
    /// Taken by the batch that is worked off.
    turn: Arc<Semaphore>,
    rows: AtomicU64,
    refused: AtomicU64,
    /// Rows that made room for others.
    dropped: AtomicU64,
    /// Of the last records: 1 for a right class and 0 for a wrong one, or how far the number was off.
    last: Mutex<VecDeque<f64>>,
    task: Task,
}

/// What was true.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Truth {
    Class(usize),
    Number(f64),
}

impl Feedback {
    pub(in crate::model) fn new(file: FeedbackFile, task: Task) -> Self {
        Self {
            file,
            turn: Arc::new(Semaphore::new(1)),
            rows: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            last: Mutex::new(VecDeque::with_capacity(WINDOW)),
            task,
        }
    }

    fn note(&self, results: &[f64]) {
        self.rows.fetch_add(results.len() as u64, Ordering::Relaxed);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        for result in results {
            if last.len() >= WINDOW {
                last.pop_front();
            }
            last.push_back(*result);
        }
    }

    /// Rows were dropped, which is said once: from then on it goes on.
    fn drop_rows(&self, dropped: u64) {
        if dropped > 0 && self.dropped.fetch_add(dropped, Ordering::Relaxed) == 0 {
            // Nobody may be reading.
            let _ = writeln!(
                io::stdout(),
                "the oldest labelled records make room for new ones from now on: {}; --feedback-rows and \
                 --feedback-bytes change that",
                self.file.bounds()
            );
        }
    }

    pub(in crate::model) fn render(&self, text: &mut String) -> fmt::Result {
        let last: Vec<f64> = self.last.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        heading(text, "feedback_rows_total", "counter", "Labelled records that were taken.")?;
        writeln!(text, "feedback_rows_total {}", self.rows.load(Ordering::Relaxed))?;
        heading(text, "feedback_refused_total", "counter", "Requests to /feedback that were refused.")?;
        writeln!(text, "feedback_refused_total {}", self.refused.load(Ordering::Relaxed))?;
        let help = "Labelled records that made room for newer ones.";
        heading(text, "feedback_dropped_rows_total", "counter", help)?;
        writeln!(text, "feedback_dropped_rows_total {}", self.dropped.load(Ordering::Relaxed))?;
        heading(text, "feedback_window_rows", "gauge", "Labelled records that the next metric is measured over.")?;
        writeln!(text, "feedback_window_rows {}", last.len())?;
        if last.is_empty() {
            return Ok(());
        }
        let mean = last.iter().sum::<f64>() / float(last.len());
        let (name, help) = match self.task {
            Task::Classification => ("feedback_accuracy", "Share of the last labelled records with the right class."),
            Task::Regression => ("feedback_mean_absolute_error", "Mean absolute error over the last labelled records."),
        };
        heading(text, name, "gauge", help)?;
        writeln!(text, "{name} {mean}")
    }
}

/// Answers a request.
pub(in crate::model) async fn feedback(shared: Arc<Shared>, request: Request) -> Response {
    let Some(feedback) = &shared.feedback else {
        let (reason, hint) =
            ("this server takes no labelled records", "name a file in TRAINYARD_FEEDBACK, or with --feedback");
        return Refusal::new(StatusCode::NOT_FOUND, Reason::Unavailable, reason, hint).into_response();
    };
    match attempt(&shared, feedback, request).await {
        Ok(taken) => Json(json!({ "accepted": taken })).into_response(),
        Err(refusal) => {
            feedback.refused.fetch_add(1, Ordering::Relaxed);
            refusal.into_response()
        }
    }
}

async fn attempt(shared: &Arc<Shared>, feedback: &Feedback, request: Request) -> Result<usize, Refusal> {
    let (parts, body) = request.into_parts();
    let received = receive(&parts.headers, body, &shared.limits, &shared.room).await?;
    // Parsed, records take many times their bytes, and the file takes one batch at a time anyway. Once it has begun, it is
    // waited for: a client that is sent away would send records again that are taken.
    let turn = match timeout(shared.limits.answer, Arc::clone(&feedback.turn).acquire_owned()).await {
        Ok(turn) => turn.map_err(|error| Refusal::internal(&error))?,
        Err(_) => return Err(Refusal::busy()),
    };
    let shared = Arc::clone(shared);
    let work = move || {
        let taken = take(&shared, &received.bytes);
        drop(turn);
        taken
    };
    // It ends in a write to a file, which may wait for a disk.
    let taken = tokio::task::spawn_blocking(work).await;
    taken.unwrap_or_else(|error| Err(Refusal::internal(&error)))
}

/// Checks all records before the first is written.
fn take(shared: &Shared, body: &[u8]) -> Result<usize, Refusal> {
    let Some(feedback) = &shared.feedback else { return Ok(0) };
    let served = &shared.served;
    let (records, labels) = parse(body, shared.limits.records)?;
    let rows = served.cells(&records)?;
    let truths = labels
        .iter()
        .enumerate()
        .map(|(index, label)| truth(served, label).map_err(|refusal| refusal.in_record(index)));
    let truths: Vec<Truth> = truths.collect::<Result<_, _>>()?;
    let mut lines = Vec::new();
    for (cells, truth) in rows.iter().zip(&truths) {
        let words = cells.iter().zip(served.features()).map(|(cell, feature)| cell_text(cell, feature));
        let words = words.chain([truth_text(served, *truth)]);
        lines.extend(line(words).map_err(|error| Refusal::internal(&error))?);
    }
    let cells: Vec<&[Cell<'_>]> = rows.iter().map(Vec::as_slice).collect();
    let outputs = served.outputs(&cells)?;
    let dropped = feedback.file.append(&lines, truths.len() as u64).map_err(|error| not_kept(&error))?;
    feedback.drop_rows(dropped);
    let results: Vec<f64> = outputs.iter().zip(&truths).map(|(output, truth)| result(output, *truth)).collect();
    feedback.note(&results);
    Ok(results.len())
}

/// Whether it helps to send the same again.
fn not_kept(error: &FeedbackError) -> Refusal {
    let reason = error.to_string();
    match error {
        FeedbackError::TooMuch { .. } => {
            let hint = "the records were not taken; send them in parts";
            Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, Reason::TooLarge, &reason, hint)
        }
        FeedbackError::File { .. } | FeedbackError::OtherHeader { .. } => {
            let hint = "the records were not taken; send them again once this is mended";
            Refusal::new(StatusCode::SERVICE_UNAVAILABLE, Reason::Unavailable, &reason, hint)
        }
    }
}

/// `{"record": {…}, "label": …}`, or a list of such.
fn parse(body: &[u8], most: usize) -> Result<(Vec<Record>, Vec<Value>), Refusal> {
    let items = match tree::read(body, most)? {
        Value::Array(items) => items,
        item => vec![item],
    };
    if items.is_empty() {
        return Err(Refusal::no_records());
    }
    if items.len() > most {
        return Err(Refusal::too_many(items.len(), most));
    }
    let pairs =
        items.into_iter().enumerate().map(|(index, item)| pair(item).map_err(|refusal| refusal.in_record(index)));
    Ok(pairs.collect::<Result<Vec<_>, _>>()?.into_iter().unzip())
}

fn pair(item: Value) -> Result<(Record, Value), Refusal> {
    let hint = "send {\"record\": {...}, \"label\": ...}";
    let Value::Object(mut item) = item else {
        return Err(Refusal::unprocessable(Reason::WrongType, "a labelled record must be an object", hint));
    };
    let mut part = |name: &str| {
        let reason = format!("\"{name}\" is missing");
        item.remove(name).ok_or_else(|| Refusal::unprocessable(Reason::MissingField, &reason, hint).of_field(name))
    };
    let (record, label) = (part("record")?, part("label")?);
    if let Some(name) = item.keys().next() {
        let reason = format!("\"{name}\" is neither \"record\" nor \"label\"");
        return Err(Refusal::unprocessable(Reason::UnknownField, &reason, hint).of_field(name));
    }
    Ok((object(record)?, label))
}

/// What a label says, which must be something that the model can answer: a new class needs a new model.
fn truth(served: &Served, label: &Value) -> Result<Truth, Refusal> {
    let wrong = |reason: &str, hint: &str| {
        Err(Refusal::unprocessable(Reason::WrongType, reason, hint).of_field(served.target()))
    };
    if served.task() == Task::Regression {
        return match label.as_f64() {
            Some(number) => Ok(Truth::Number(number)),
            None => wrong(&format!("the label of \"{}\" must be a number", served.target()), "send a number"),
        };
    }
    let words = match label {
        Value::String(text) => [text.trim().to_owned(), String::new()],
        // 3 and 3.0 are the same class.
        Value::Number(number) => [number.to_string(), number.as_f64().unwrap_or(f64::NAN).to_string()],
        Value::Bool(truth) => {
            // Data sets write booleans in any case.
            let text = truth.to_string();
            let known = served.classes().iter().find(|class| class.eq_ignore_ascii_case(&text));
            [known.cloned().unwrap_or(text), String::new()]
        }
        Value::Null | Value::Array(_) | Value::Object(_) => {
            return wrong("the label must be one of the classes", &nearest::hint("", classes(served)));
        }
    };
    match served.classes().iter().position(|class| words.contains(class)) {
        Some(class) => Ok(Truth::Class(class)),
        None => {
            let [word, _] = &words;
            wrong(&format!("the label \"{word}\" is not one of the classes"), &nearest::hint(word, classes(served)))
        }
    }
}

fn classes(served: &Served) -> impl Iterator<Item = &str> {
    served.classes().iter().map(String::as_str)
}

fn truth_text(served: &Served, truth: Truth) -> String {
    match truth {
        Truth::Class(class) => served.classes().get(class).cloned().unwrap_or_default(),
        Truth::Number(number) => number.to_string(),
    }
}

/// As the training data writes it, for the data contract wants it so.
fn cell_text(cell: &Cell<'_>, feature: &Feature) -> String {
    match (cell, feature.kind) {
        (Cell::Missing, _) => String::new(),
        (Cell::Number(days), ColumnKind::Date(format)) => format.text(*days),
        (Cell::Number(number), _) => number.to_string(),
        (Cell::Text(text), _) => text.to_string(),
    }
}

/// How well a prediction was, see [`Feedback::last`].
fn result(output: &Output, truth: Truth) -> f64 {
    match (output, truth) {
        (Output::Probabilities(probabilities), Truth::Class(class)) if most_probable(probabilities) == class => 1.0,
        (Output::Value(value), Truth::Number(number)) => (value - number).abs(),
        (Output::Probabilities(_), _) | (Output::Value(_), Truth::Class(_)) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use axum::body::Body;
    use axum::extract::Request;
    use serde_json::json;
    use tokio::sync::watch;

    use super::{FeedbackFile, Served, Shared, Truth, feedback, pair, parse, truth};
    use crate::model::samples::{self, Folder};
    use crate::model::server::limits::{Limits, ServeOptions};

    #[tokio::test]
    async fn one_batch_is_worked_off_at_a_time_and_the_next_waits_only_so_long() {
        let folder = Folder::new();
        let file = FeedbackFile::open(&folder.path().join("a.csv"), &samples::model().into()).unwrap();
        let limits = Limits { answer: Duration::from_millis(5), ..Limits::default() };
        let options = ServeOptions { feedback: Some(file), limits, ..ServeOptions::default() };
        let (_stop, stopping) = watch::channel(false);
        let shared = Arc::new(Shared::new(samples::model().into(), options, stopping));
        let body = json!({"record": samples::record(0), "label": "short"}).to_string();
        let ask =
            async || feedback(Arc::clone(&shared), Request::new(Body::from(body.clone()))).await.status().as_u16();
        let turn = shared.feedback.as_ref().unwrap().turn.acquire().await.unwrap();
        assert_eq!(ask().await, 503);
        drop(turn);
        assert_eq!(ask().await, 200);
    }

    #[test]
    fn a_body_of_very_many_objects_is_refused() {
        let body = format!("{{\"record\": {{\"a\": [{}]}}, \"label\": 1}}", vec!["{}"; 1000].join(","));
        assert_eq!(parse(body.as_bytes(), 3).unwrap_err().status.as_u16(), 413);
    }

    #[test]
    fn a_label_must_be_a_class_or_a_number() {
        let served = Served::new(samples::model());
        assert_eq!(truth(&served, &json!("tall")).unwrap(), Truth::Class(1));
        let refusal = truth(&served, &json!("tal")).unwrap_err();
        assert_eq!((refusal.field.as_deref(), refusal.status.as_u16()), (Some("kind"), 422));
        assert!(refusal.hint.contains("\"tall\""), "{refusal:?}");
        assert!(truth(&served, &json!(null)).is_err());
        let numbers = Served::new(samples::regression());
        assert_eq!(truth(&numbers, &json!(2)).unwrap(), Truth::Number(2.0));
        assert!(truth(&numbers, &json!("2")).is_err());
    }

    #[test]
    fn a_pair_without_a_label_or_with_more_is_refused_by_name() {
        assert_eq!(pair(json!({"record": {}})).unwrap_err().field.as_deref(), Some("label"));
        assert_eq!(pair(json!({"record": {}, "label": 1, "x": 2})).unwrap_err().field.as_deref(), Some("x"));
        assert!(pair(json!({"record": 1, "label": 1})).is_err());
    }
}
