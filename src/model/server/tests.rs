//! The server as a client sees it: through a socket.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{FeedbackFile, FeedbackLimits, Limits, ServeOptions, ShadowModel, serve};
use crate::model::drift::WindowSettings;
use crate::model::envelope::SavedModel;
use crate::model::samples::{self, Folder};

const DEADLINE: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinHandle<std::io::Result<()>>,
}

async fn start() -> Running {
    start_with(samples::model(), ServeOptions::default()).await
}

async fn start_with(model: SavedModel, options: ServeOptions) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stop_signal = async move {
        let _ = stopped.await;
    };
    let server = tokio::spawn(serve(listener, model.into(), options, stop_signal));
    Running { address, stop, server }
}

fn with_limits(limits: Limits) -> ServeOptions {
    ServeOptions { limits, ..ServeOptions::default() }
}

async fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    let (status, _, body) = ask_with(address, method, path, "", body).await;
    (status, body)
}

/// Status, head and body. `headers` end each with a line end.
async fn ask_with(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    read_answer(&mut stream).await
}

async fn read_answer(stream: &mut TcpStream) -> (u16, String, String) {
    let mut answer = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_owned(), body.to_owned())
}

async fn metrics(address: SocketAddr) -> String {
    ask(address, "GET", "/metrics", "").await.1
}

/// Reads the metrics until a line is there: what is counted beside a request may come a little later.
async fn metrics_with(address: SocketAddr, line: &str) -> String {
    let search = async {
        loop {
            let text = metrics(address).await;
            if text.contains(line) {
                return text;
            }
        }
    };
    timeout(DEADLINE, search).await.unwrap_or_else(|_| panic!("{line} never came"))
}

/// Reads one answer of a connection that stays open: up to the end of the body `ok\n`.
async fn read_ok(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"ok\n") {
        let read = timeout(DEADLINE, stream.read_buf(&mut bytes)).await.unwrap().unwrap();
        assert!(read > 0, "closed early");
    }
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn records_are_predicted_in_the_shape_they_came() {
    let running = start().await;
    let tall = json!(samples::record(1)).to_string();
    let (status, body) = ask(running.address, "POST", "/predict", &tall).await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &answer["prediction"]), (200, &json!("tall")));
    assert!(answer["probabilities"]["tall"].as_f64().unwrap() > 0.5);
    let (_, body) = ask(running.address, "POST", "/predict", &format!("{{\"records\": [{tall}]}}")).await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["predictions"][0]["prediction"], "tall");
    let columns =
        json!({"columns": {"colour": ["red", "blue"], "width": [5.5, 3.5], "height": [2.5, 6.5]}}).to_string();
    let (_, body) = ask(running.address, "POST", "/predict", &columns).await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(answer["prediction"], json!(["short", "tall"]), "{body}");
}

#[tokio::test]
async fn csv_is_read_and_answered_as_json_or_csv() {
    let running = start().await;
    let csv = "width,height,colour\n3.5,6.5,blue\n5.5,2.5,red\n";
    let kind = "Content-Type: text/csv\r\n";
    let (status, _, body) = ask_with(running.address, "POST", "/predict", kind, csv).await;
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &answer["predictions"][1]["prediction"]), (200, &json!("short")));
    let both = format!("{kind}Accept: text/csv\r\n");
    let (_, head, body) = ask_with(running.address, "POST", "/predict", &both, csv).await;
    assert!(head.to_lowercase().contains("content-type: text/csv"), "{head}");
    assert!(body.starts_with("prediction,probability\ntall,") && body.lines().count() == 3, "{body}");
}

#[tokio::test]
async fn a_wrong_record_is_422_with_field_record_reason_and_hint_and_is_counted() {
    let running = start().await;
    let mut wrong = samples::record(0);
    wrong.insert("hight".to_owned(), json!(1));
    let body = json!([samples::record(1), wrong]).to_string();
    let (status, body) = ask(running.address, "POST", "/predict", &body).await;
    let error = serde_json::from_str::<Value>(&body).unwrap()["error"].take();
    assert_eq!(status, 422);
    assert_eq!((&error["field"], &error["record"]), (&json!("hight"), &json!(1)));
    assert!(error["reason"].as_str().unwrap().contains("did you mean \"height\""));
    assert!(error["hint"].as_str().unwrap().contains("\"height\""));
    let metrics = metrics(running.address).await;
    assert!(metrics.contains("predict_requests_total{status=\"422\"} 1"), "{metrics}");
    assert!(metrics.contains("predict_errors_total{reason=\"unknown_field\"} 1"), "{metrics}");
}

#[tokio::test]
async fn the_example_of_the_schema_can_be_predicted() {
    let running = start().await;
    let (_, schema) = ask(running.address, "GET", "/schema", "").await;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let (status, body) = ask(running.address, "POST", "/predict", &schema["example"].to_string()).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(schema["input"]["required"].as_array().unwrap().len(), schema["features"].as_array().unwrap().len());
}

#[tokio::test]
async fn drift_of_inputs_and_answers_is_exported_after_the_minimum_only() {
    let running = start().await;
    let ninety_nine = json!(vec![samples::record(0); 99]).to_string();
    ask(running.address, "POST", "/predict", &ninety_nine).await;
    assert!(!metrics(running.address).await.contains("psi_max"));
    ask(running.address, "POST", "/predict", &json!(samples::record(0)).to_string()).await;
    let text = metrics(running.address).await;
    assert!(text.contains("predict_input_drift_psi{feature=\"height\"}"), "{text}");
    assert!(text.contains("predict_rows_total 100") && text.contains("predict_window_records 100"), "{text}");
    assert!(text.contains("predict_class_total{class=\"short\"} 100"), "{text}");
    let drift = text.lines().find_map(|line| line.strip_prefix("predict_prediction_drift_psi ")).unwrap();
    assert!(drift.parse::<f64>().unwrap() > 0.25, "all are short now: {drift}");
}

#[tokio::test]
async fn the_window_is_as_it_was_set() {
    let window = WindowSettings { records: 3, minimum: 2 };
    let running = start_with(samples::model(), ServeOptions { window, ..ServeOptions::default() }).await;
    ask(running.address, "POST", "/predict", &json!(vec![samples::record(0); 5]).to_string()).await;
    let text = metrics(running.address).await;
    assert!(text.contains("predict_window_records 3\n") && text.contains("psi_max"), "{text}");
}

#[tokio::test]
async fn the_metrics_of_classes_and_of_numbers_are_a_page_that_prometheus_can_parse() {
    for (model, name) in [(samples::model(), "predict_class_total"), (samples::regression(), "predict_value_sum")] {
        let running = start_with(model, ServeOptions::default()).await;
        let (_, schema) = ask(running.address, "GET", "/schema", "").await;
        let schema: Value = serde_json::from_str(&schema).unwrap();
        ask(running.address, "POST", "/predict", &json!(vec![schema["example"].clone(); 100]).to_string()).await;
        let text = metrics(running.address).await;
        let page = prometheus_parse::Scrape::parse(text.lines().map(|line| Ok(line.to_owned()))).unwrap();
        assert!(text.contains(name), "{text}");
        for name in ["predict_input_drift_psi_max", "predict_prediction_drift_psi", "model_info"] {
            assert!(page.samples.iter().any(|sample| sample.metric == name), "{name} is not in {text}");
        }
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_with_the_limit_and_not_kept() {
    let running = start_with(samples::model(), with_limits(Limits { body_bytes: 1000, ..Limits::default() })).await;
    let large = " ".repeat(20 * 1024 * 1024);
    let (status, body) = ask(running.address, "POST", "/predict", &large).await;
    assert!(status == 413 && body.contains("1000 bytes"), "{status} {body}");
    let (status, _) = ask(running.address, "POST", "/predict", &json!(samples::record(0)).to_string()).await;
    assert_eq!(status, 200);
    assert!(metrics(running.address).await.contains("predict_errors_total{reason=\"too_large\"} 1"));
}

#[tokio::test]
async fn who_asks_before_sending_a_body_that_is_too_large_is_answered_at_once() {
    let running = start().await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let head = "POST /predict HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut stream).await.0, 413);
}

#[tokio::test]
async fn a_client_that_sends_its_head_or_its_body_too_slowly_is_told_so_with_408() {
    let short = Duration::from_millis(50);
    let running =
        start_with(samples::model(), with_limits(Limits { head: short, body: short, ..Limits::default() })).await;
    for sent in [
        "POST /predict HTT",
        "POST /predict HTTP/1.1\r\nHost: a\r\nX-Slow: ",
        "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\n{\"height\": ",
    ] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream).await.0, 408, "{sent}");
    }
}

#[tokio::test]
async fn no_more_connections_than_allowed_are_served_at_once_and_the_next_waits_for_its_place() {
    let running = start_with(samples::model(), with_limits(Limits { connections: 1, ..Limits::default() })).await;
    let request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut first = TcpStream::connect(running.address).await.unwrap();
    first.write_all(request).await.unwrap();
    read_ok(&mut first).await;
    // The kernel lets it connect and takes its request; nobody answers.
    let mut second = TcpStream::connect(running.address).await.unwrap();
    second.write_all(request).await.unwrap();
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(50), second.peek(&mut byte)).await.is_err());
    drop(first);
    read_ok(&mut second).await;
}

#[tokio::test]
async fn requests_can_be_sent_one_after_the_other_before_the_first_is_answered() {
    let running = start().await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let body = json!(samples::record(1)).to_string();
    let predict = format!("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let last = "GET /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    stream.write_all(format!("{predict}{predict}{last}").as_bytes()).await.unwrap();
    let mut answers = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answers)).await.unwrap().unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 3, "{answers}");
    assert_eq!(answers.matches("\"prediction\":\"tall\"").count(), 2, "{answers}");
}

#[tokio::test]
async fn the_shadow_is_compared_and_never_answered() {
    let shadow = ShadowModel::beside(&samples::model().into(), samples::model_without("colour").into()).unwrap();
    let running = start_with(samples::model(), ServeOptions { shadow: Some(shadow), ..ServeOptions::default() }).await;
    let body = json!([samples::record(0), samples::record(1)]).to_string();
    let (_, answer) = ask(running.address, "POST", "/predict", &body).await;
    assert_eq!(
        answer,
        serde_json::to_string(&samples::model().predict(&[samples::record(0), samples::record(1)]).unwrap()).unwrap()
    );
    let text = metrics_with(running.address, "shadow_agreement_total{agree=\"true\"} 2\n").await;
    assert!(text.contains("shadow_difference_count 2\n") && text.contains("shadow_dropped_total 0\n"), "{text}");
}

fn with_feedback(file: &Path) -> ServeOptions {
    let feedback = FeedbackFile::open(file, &samples::model().into()).unwrap();
    ServeOptions { feedback: Some(feedback), ..ServeOptions::default() }
}

#[tokio::test]
async fn labelled_records_are_written_down_and_measured() {
    let folder = Folder::new();
    let file = folder.path().join("a.csv");
    let running = start_with(samples::model(), with_feedback(&file)).await;
    let labelled = |number: u32, label: &str| json!({"record": samples::record(number), "label": label});
    let (status, body) = ask(running.address, "POST", "/feedback", &labelled(0, "short").to_string()).await;
    assert_eq!((status, body.as_str()), (200, "{\"accepted\":1}"));
    let list =
        json!([labelled(1, "short"), {"record": {"height": null, "width": 1, "colour": "a,b"}, "label": "tall"}]);
    assert_eq!(ask(running.address, "POST", "/feedback", &list.to_string()).await.0, 200);
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(text, "height,width,colour,kind\n2.5,5.5,red,short\n6.5,3.5,blue,short\n,1,\"a,b\",tall\n");
    let page = metrics(running.address).await;
    assert!(page.contains("feedback_rows_total 3\n") && page.contains("feedback_accuracy 0."), "{page}");
}

#[tokio::test]
async fn labelled_records_that_made_room_for_newer_ones_are_counted() {
    let folder = Folder::new();
    let file = FeedbackFile::open(&folder.path().join("a.csv"), &samples::model().into()).unwrap();
    let limits = FeedbackLimits { rows: 2, ..FeedbackLimits::default() };
    let options = ServeOptions { feedback: Some(file.within(limits)), ..ServeOptions::default() };
    let running = start_with(samples::model(), options).await;
    assert!(metrics(running.address).await.contains("feedback_dropped_rows_total 0\n"));
    for number in 0..3 {
        let body = json!({"record": samples::record(number), "label": "short"}).to_string();
        assert_eq!(ask(running.address, "POST", "/feedback", &body).await.0, 200);
    }
    let page = metrics(running.address).await;
    assert!(page.contains("feedback_rows_total 3\n") && page.contains("feedback_dropped_rows_total 1\n"), "{page}");
    let item = |number| json!({"record": samples::record(number), "label": "short"});
    let batch = json!([item(0), item(1), item(2)]).to_string();
    assert_eq!(
        ask(running.address, "POST", "/feedback", &batch).await.0,
        413,
        "the same again would not be taken either"
    );
}

#[tokio::test]
async fn of_a_batch_with_a_wrong_label_nothing_is_taken() {
    let folder = Folder::new();
    let file = folder.path().join("a.csv");
    let running = start_with(samples::model(), with_feedback(&file)).await;
    let batch =
        json!([{"record": samples::record(0), "label": "short"}, {"record": samples::record(0), "label": "wide"}]);
    let (status, body) = ask(running.address, "POST", "/feedback", &batch.to_string()).await;
    let error = serde_json::from_str::<Value>(&body).unwrap()["error"].take();
    assert_eq!((status, &error["field"], &error["record"]), (422, &json!("kind"), &json!(1)));
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
    assert!(metrics(running.address).await.contains("feedback_refused_total 1\n"));
}

#[tokio::test]
async fn feedback_that_is_switched_off_is_404_with_a_hint() {
    let running = start().await;
    let (status, body) = ask(running.address, "POST", "/feedback", "{}").await;
    assert!(status == 404 && body.contains("TRAINYARD_FEEDBACK"), "{status} {body}");
}

/// The statuses that the document names for an operation.
fn statuses(operation: &Value) -> Vec<u16> {
    operation["responses"].as_object().unwrap().keys().map(|status| status.parse().unwrap()).collect()
}

/// Whether every `$ref` below names something in the document.
fn references_lead_somewhere(document: &Value, value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref") {
                let path = reference.as_str().unwrap().strip_prefix('#').unwrap();
                assert!(document.pointer(path).is_some(), "{reference} leads nowhere");
            }
            members.values().for_each(|member| references_lead_somewhere(document, member));
        }
        Value::Array(items) => items.iter().for_each(|item| references_lead_somewhere(document, item)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_of_the_api_is_true_to_every_route_and_its_examples_work() {
    let folder = Folder::new();
    let running = start_with(samples::model(), with_feedback(&folder.path().join("a.csv"))).await;
    let (_, text) = ask(running.address, "GET", "/openapi.json", "").await;
    let document: Value = serde_json::from_str(&text).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    references_lead_somewhere(&document, &document);
    let mut asked = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            asked.push(path.as_str());
            let method = method.to_uppercase();
            if method == "GET" {
                let (status, head, _) = ask_with(running.address, "GET", path, "", "").await;
                let kind = operation["responses"]["200"]["content"].as_object().unwrap().keys().next().unwrap().clone();
                assert!(statuses(operation).contains(&status), "{path}: {status}");
                assert!(head.to_lowercase().contains(&format!("content-type: {kind}")), "{path}: {head}");
                continue;
            }
            for (kind, content) in operation["requestBody"]["content"].as_object().unwrap() {
                for (name, example) in content["examples"].as_object().unwrap() {
                    let value = &example["value"];
                    let body = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    let headers = format!("Content-Type: {kind}\r\n");
                    let (status, _, answer) = ask_with(running.address, &method, path, &headers, &body).await;
                    assert_eq!(status, 200, "{path}, {name}: {answer}");
                }
            }
            for wrong in ["{", "{}", "[]"] {
                let (status, _) = ask(running.address, &method, path, wrong).await;
                assert!(statuses(operation).contains(&status), "{path}: {status}");
            }
        }
    }
    // Every route that the welcome text names is in the document.
    let (_, welcome) = ask(running.address, "GET", "/", "").await;
    let named: Vec<&str> = welcome.split_whitespace().filter(|word| word.len() > 1 && word.starts_with('/')).collect();
    assert_eq!(named.len(), asked.len(), "{named:?} {asked:?}");
    assert!(named.iter().all(|path| asked.contains(path)), "{named:?} {asked:?}");
}

#[tokio::test]
async fn an_idle_connection_gets_one_more_answer_after_the_stop_and_then_the_server_ends() {
    let running = start().await;
    let mut stream = TcpStream::connect(running.address).await.unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(request).await.unwrap();
    assert!(!read_ok(&mut stream).await.to_lowercase().contains("connection: close"));
    running.stop.send(()).unwrap();
    // The stop is in force once the listener is closed.
    timeout(DEADLINE, async { while TcpStream::connect(running.address).await.is_ok() {} }).await.unwrap();
    stream.write_all(request).await.unwrap();
    assert!(read_ok(&mut stream).await.to_lowercase().contains("connection: close"));
    timeout(DEADLINE, running.server).await.unwrap().unwrap().unwrap();
}
