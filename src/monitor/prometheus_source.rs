//! An existing Prometheus in the place of a store of ours, asked through its HTTP API.
//!
//! It evaluates; here its answers are only read. What it says against an expression is told in its own words. Known gap:
//! native histograms in an answer are left out.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use reqwest::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::exposition::{Metadata, MetricKind};
use super::labels::Labels;
use super::number::read_value;
use super::promql::{InstantSample, RangeSeries};
use super::scrape::client;
use crate::pipeline::Moment;

/// How long an answer may take; Prometheus itself gives up after two minutes, a reader of charts sooner.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest answer that is read, in bytes.
const LARGEST: usize = 64 << 20;
/// The most characters of a foreign text that are repeated.
const EXCERPT: usize = 300;

/// Why a Prometheus gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PrometheusError {
    /// No client can be made.
    #[error("no client for the Prometheus at {address} can be made: {reason}")]
    Client {
        /// Where it is.
        address: String,
        /// Why.
        reason: String,
    },
    /// It does not answer.
    #[error(
        "the Prometheus at {address} cannot be reached: {reason}; check that it runs, and `prometheus` in [monitor]"
    )]
    Unreachable {
        /// Where it is.
        address: String,
        /// The innermost cause.
        reason: String,
    },
    /// It says no.
    #[error("the Prometheus at {address} says: {text}")]
    Refused {
        /// Where it is.
        address: String,
        /// Its own words.
        text: String,
    },
    /// What answers there is no Prometheus, or one that is not understood.
    #[error(
        "what answers at {address} does not answer as a Prometheus does: {reason}; check `prometheus` in [monitor]"
    )]
    Foreign {
        /// Where it is.
        address: String,
        /// What is wrong with the answer.
        reason: String,
    },
}

/// A client of one Prometheus.
#[derive(Debug, Clone)]
pub struct PrometheusClient {
    http: Client,
    address: String,
}

/// How every answer is wrapped.
#[derive(Deserialize)]
struct Envelope<T> {
    status: String,
    data: Option<T>,
    error: Option<String>,
}

/// What an expression gave.
#[derive(Deserialize)]
struct Evaluated {
    #[serde(rename = "resultType")]
    kind: String,
    result: Value,
}

/// The same over a range.
#[derive(Deserialize)]
struct Ranged {
    result: Vec<Series>,
}

/// A moment in seconds, and a value as text.
type Point = (f64, String);

#[derive(Deserialize)]
struct Series {
    metric: Labels,
    value: Option<Point>,
    #[serde(default)]
    values: Vec<Point>,
}

/// What is said of a metric by one of its targets.
#[derive(Deserialize)]
struct Said {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    help: String,
    #[serde(default)]
    unit: String,
}

impl PrometheusClient {
    /// A client of the Prometheus at `address`; nothing is sent yet.
    pub fn new(address: &str) -> Result<Self, PrometheusError> {
        let address = address.trim_end_matches('/').to_owned();
        match client(None) {
            Ok(http) => Ok(Self { http, address }),
            Err(reason) => Err(PrometheusError::Client { address, reason }),
        }
    }

    /// Where it is.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The value of an expression at one moment; a number gives one sample without labels.
    pub async fn instant(&self, expression: &str, at: Moment) -> Result<Vec<InstantSample>, PrometheusError> {
        let parameters = [("query", expression.to_owned()), ("time", seconds(at.0))];
        let evaluated: Evaluated = self.get("query", &parameters).await?;
        match evaluated.kind.as_str() {
            "scalar" => {
                let (_, value) = self.read::<Point>(evaluated.result)?;
                Ok(vec![InstantSample { labels: Labels::default(), value: self.number(&value)? }])
            }
            "vector" => {
                let series: Vec<Series> = self.read(evaluated.result)?;
                let valued = series.into_iter().filter_map(|series| Some((series.metric, series.value?.1)));
                valued.map(|(labels, value)| Ok(InstantSample { labels, value: self.number(&value)? })).collect()
            }
            other => Err(self.foreign(format!("the expression gives a {other}, of which there is nothing to draw"))),
        }
    }

    /// The values of an expression at `start` and every `step_ms` after it up to and including `end`, sorted by labels.
    pub async fn range(
        &self,
        expression: &str,
        start: Moment,
        end: Moment,
        step_ms: u64,
    ) -> Result<Vec<RangeSeries>, PrometheusError> {
        let step = i64::try_from(step_ms).unwrap_or(i64::MAX);
        let parameters = [
            ("query", expression.to_owned()),
            ("start", seconds(start.0)),
            ("end", seconds(end.0)),
            ("step", seconds(step)),
        ];
        let Ranged { result } = self.get("query_range", &parameters).await?;
        let mut found = Vec::with_capacity(result.len());
        for Series { metric, values, .. } in result {
            let points = values.iter().map(|(at, value)| Ok((moment(*at), self.number(value)?)));
            found.push(RangeSeries { labels: metric, points: points.collect::<Result<_, PrometheusError>>()? });
        }
        found.sort_by(|one, other| one.labels.cmp(&other.labels));
        Ok(found)
    }

    /// The names of all metrics.
    pub async fn metric_names(&self) -> Result<Vec<String>, PrometheusError> {
        self.get("label/__name__/values", &[]).await
    }

    /// The names of all labels, or of those that the series of a metric have.
    pub async fn label_names(&self, metric: Option<&str>) -> Result<Vec<String>, PrometheusError> {
        self.get("labels", &of_metric(metric)).await
    }

    /// The values of a label, or those that it has on the series of a metric.
    pub async fn label_values(&self, label: &str, metric: Option<&str>) -> Result<Vec<String>, PrometheusError> {
        // The name becomes part of an address.
        let is_plain = !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_plain {
            return Ok(Vec::new());
        }
        self.get(&format!("label/{label}/values"), &of_metric(metric)).await
    }

    /// Type, help and unit of each metric, as the first of its targets says it.
    pub async fn metadata(&self) -> Result<BTreeMap<String, Metadata>, PrometheusError> {
        let said: BTreeMap<String, Vec<Said>> = self.get("metadata", &[]).await?;
        let first = |(name, said): (String, Vec<Said>)| {
            let Said { kind, help, unit } = said.into_iter().next()?;
            let kind = serde_json::from_value::<MetricKind>(Value::String(kind)).unwrap_or_default();
            Some((name, Metadata { kind, help, unit }))
        };
        Ok(said.into_iter().filter_map(first).collect())
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, parameters: &[(&str, String)]) -> Result<T, PrometheusError> {
        let unreachable = |error: reqwest::Error| PrometheusError::Unreachable {
            address: self.address.clone(),
            reason: if error.is_timeout() {
                format!("no answer within {} s", PATIENCE.as_secs())
            } else {
                innermost(&error)
            },
        };
        let url = format!("{}/api/v1/{path}", self.address);
        let request = self.http.get(url).query(parameters).timeout(PATIENCE);
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(unreachable)? {
            if body.len() + piece.len() > LARGEST {
                return Err(self.foreign(format!("its answer is larger than {} MiB", LARGEST >> 20)));
            }
            body.extend_from_slice(&piece);
        }
        let envelope: Envelope<T> = serde_json::from_slice(&body)
            .map_err(|error| self.foreign(format!("it answered with status {status} and not as expected ({error})")))?;
        match envelope {
            Envelope { status, data: Some(data), .. } if status == "success" => Ok(data),
            Envelope { error: Some(text), .. } => {
                let text = text.chars().take(EXCERPT).collect();
                Err(PrometheusError::Refused { address: self.address.clone(), text })
            }
            Envelope { .. } => Err(self.foreign(format!("it answered with status {status}, but without data"))),
        }
    }

    fn read<T: DeserializeOwned>(&self, value: Value) -> Result<T, PrometheusError> {
        serde_json::from_value(value).map_err(|error| self.foreign(error.to_string()))
    }

    fn number(&self, text: &str) -> Result<f64, PrometheusError> {
        read_value(text).ok_or_else(|| self.foreign("one of its values is no number".to_owned()))
    }

    fn foreign(&self, reason: String) -> PrometheusError {
        PrometheusError::Foreign { address: self.address.clone(), reason }
    }
}

/// That only series of this metric are meant.
fn of_metric(metric: Option<&str>) -> Vec<(&'static str, String)> {
    let selector = |metric: &str| {
        let escaped = metric.replace('\\', "\\\\").replace('"', "\\\"");
        ("match[]", format!("{{__name__=\"{escaped}\"}}"))
    };
    metric.map(selector).into_iter().collect()
}

/// Milliseconds as seconds, exactly.
fn seconds(milliseconds: i64) -> String {
    let milliseconds = milliseconds.max(0);
    format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000)
}

#[expect(clippy::cast_possible_truncation, reason = "moments of this age of the world fit; others saturate")]
fn moment(seconds: f64) -> Moment {
    Moment((seconds * 1000.0).round() as i64)
}

fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Query;
    use axum::http::StatusCode;
    use axum::routing::get;

    use super::*;

    /// A server that answers each query with the text that is asked for as its expression.
    async fn server() -> PrometheusClient {
        let echo = |Query(asked): Query<BTreeMap<String, String>>| async move {
            let text = asked.get("query").cloned().unwrap_or_default();
            let status = if text.contains("\"error\"") { StatusCode::BAD_REQUEST } else { StatusCode::OK };
            (status, text)
        };
        let names = "{\"status\":\"success\",\"data\":[\"a\",\"b\"]}";
        let metadata =
            "{\"status\":\"success\",\"data\":{\"a\":[{\"type\":\"counter\",\"help\":\"what\",\"unit\":\"\"}]}}";
        let router = Router::new()
            .route("/api/v1/query", get(echo))
            .route("/api/v1/query_range", get(echo))
            .route("/api/v1/label/__name__/values", get(move || async move { names }))
            .route("/api/v1/label/{label}/values", get(of_one_metric))
            .route("/api/v1/labels", get(of_one_metric))
            .route("/api/v1/metadata", get(move || async move { metadata }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        PrometheusClient::new(&address).unwrap()
    }

    /// Repeats which series are meant.
    async fn of_one_metric(Query(asked): Query<BTreeMap<String, String>>) -> String {
        let meant = asked.get("match[]").cloned().unwrap_or_default();
        serde_json::json!({ "status": "success", "data": [meant] }).to_string()
    }

    #[tokio::test]
    async fn labels_and_their_values_are_asked_of_one_metric_or_of_all() {
        let server = server().await;
        assert_eq!(server.label_names(Some("up")).await.unwrap(), ["{__name__=\"up\"}"]);
        assert_eq!(server.label_values("job", Some("a\"b")).await.unwrap(), ["{__name__=\"a\\\"b\"}"]);
        assert_eq!(server.label_values("job", None).await.unwrap(), [""]);
        assert!(server.label_values("../query", None).await.unwrap().is_empty(), "no part of an address");
    }

    fn success(kind: &str, result: &str) -> String {
        format!("{{\"status\":\"success\",\"data\":{{\"resultType\":\"{kind}\",\"result\":{result}}}}}")
    }

    #[tokio::test]
    async fn the_values_that_json_has_not_are_read() {
        let server = server().await;
        let result =
            "[{\"metric\":{\"__name__\":\"a\"},\"value\":[1.5,\"NaN\"]},{\"metric\":{},\"value\":[1.5,\"+Inf\"]}]";
        let found = server.instant(&success("vector", result), Moment(1_500)).await.unwrap();
        assert_eq!(found[0].labels.name(), Some("a"));
        assert!(found[0].value.is_nan() && found[1].value == f64::INFINITY);
        let found = server.instant(&success("scalar", "[1.5,\"0.25\"]"), Moment(1_500)).await.unwrap();
        assert_eq!(found, [InstantSample { labels: Labels::default(), value: 0.25 }]);
    }

    #[tokio::test]
    async fn a_range_gives_points_at_whole_milliseconds() {
        let server = server().await;
        let result = "[{\"metric\":{\"x\":\"1\"},\"values\":[[1700000000.123,\"1\"],[1700000000.623,\"-Inf\"]]}]";
        let asked = success("matrix", result);
        let found = server.range(&asked, Moment(0), Moment(1_000), 500).await.unwrap();
        let points = vec![(Moment(1_700_000_000_123), 1.0), (Moment(1_700_000_000_623), f64::NEG_INFINITY)];
        assert_eq!(found, [RangeSeries { labels: Labels::new([("x", "1")]), points }]);
    }

    #[tokio::test]
    async fn names_and_descriptions_are_read() {
        let server = server().await;
        assert_eq!(server.metric_names().await.unwrap(), ["a", "b"]);
        let known = server.metadata().await.unwrap();
        assert_eq!(known["a"], Metadata { kind: MetricKind::Counter, help: "what".to_owned(), unit: String::new() });
    }

    #[tokio::test]
    async fn what_the_server_says_against_it_is_told_in_its_own_words() {
        let server = server().await;
        let refused = "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"unknown function\"}";
        let told = server.instant(refused, Moment(0)).await.unwrap_err().to_string();
        assert_eq!(told, format!("the Prometheus at {} says: unknown function", server.address()));
        let told = server.instant("<html>", Moment(0)).await.unwrap_err();
        assert!(matches!(told, PrometheusError::Foreign { .. }), "{told}");
    }

    #[tokio::test]
    async fn one_that_does_not_run_is_unreachable() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let told = PrometheusClient::new(&address).unwrap().metric_names().await.unwrap_err();
        assert!(matches!(told, PrometheusError::Unreachable { .. }), "{told}");
    }

    #[test]
    fn moments_are_written_exactly() {
        assert_eq!(seconds(1_700_000_000_123), "1700000000.123");
        assert_eq!((seconds(5), seconds(-1)), ("0.005".to_owned(), "0.000".to_owned()));
    }
}
