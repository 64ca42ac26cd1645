//! The model server before clients that send what they should not, and before model files that are not whole.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::mpsc::Receiver;

use serde_json::{Value, json};

use crate::support::{PATIENCE, Project, RECORD, carrying, command_line, customers, lines_of, post};

const TRAINING: &str = r#"
[data]
settle = "100ms"
[stages.train]
uses = "train"
target = "kind"
algorithms = ["logistic"]
search = { trials = 1 }
"#;
/// Bytes of a body that no record needs.
const HUGE: usize = 100_000_000;
/// What the server may need more while it is sent, in KiB: half of it would be too much.
const MOST_GROWN: u64 = 48_000;
/// Clients that begin a request and send no more.
const SLOW: usize = 50;

/// A project whose first model knows customers.
fn trained() -> Project {
    let project = Project::with(TRAINING, &[]);
    project.up();
    project.register("customers.csv", customers(0, 300));
    project.expect_run(1, "passed");
    project
}

/// A model server; it ends with the project.
struct Server {
    port: u16,
    pid: u32,
    _said: Receiver<String>,
}

impl Server {
    fn start(project: &Project) -> Self {
        let model = project.state("models/1").display().to_string();
        let said = lines_of(&mut project.trainyard(&["serve", "--model", &model, "--listen", "127.0.0.1:0"]));
        let first = said.recv_timeout(PATIENCE).expect("a line with the address");
        let port = first.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port at the end of the line");
        let is_server = |pid: &u32| command_line(*pid).iter().any(|word| word == "serve");
        let pid = carrying(&model).into_iter().find(is_server).expect("a server that runs");
        Self { port, pid, _said: said }
    }

    /// The most memory that it has had so far, in KiB.
    fn peak(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        peak.split_whitespace().next().unwrap().parse().unwrap()
    }
}

#[test]
fn a_request_with_missing_unknown_or_wrong_fields_is_told_field_record_reason_and_mend() {
    let project = trained();
    let server = Server::start(&project);
    let second_wrong = format!("[{RECORD}, {{\"age\": 41, \"incme\": 95.5}}]");
    for (body, status, field, record, reason, hint) in [
        (r#"{"age": 41}"#, 422, json!("income"), json!(0), "the field \"income\" is missing", "or null if its value"),
        (
            r#"{"age": 41, "income": 95.5, "colour": "red"}"#,
            422,
            json!("colour"),
            json!(0),
            "the field \"colour\" is not one of the model's",
            "age, income",
        ),
        (
            r#"{"age": "many", "income": 95.5}"#,
            422,
            json!("age"),
            json!(0),
            "must be a number or null, not the text \"many\"",
            "send a number or null",
        ),
        (second_wrong.as_str(), 422, json!("incme"), json!(1), "is not one of the model's", "did you mean \"income\"?"),
        (r#"{"age": 1e999, "income": 1}"#, 400, Value::Null, Value::Null, "number out of range", "send a JSON record"),
        (r#"{"age": 41, "inc"#, 400, Value::Null, Value::Null, "not valid JSON", "send a JSON record"),
        ("[]", 422, Value::Null, Value::Null, "there is no record in the request", "send one at least"),
    ] {
        let answer = post(server.port, "/predict", body).unwrap();
        let error = &answer.json()["error"];
        assert_eq!((answer.status, &error["field"], &error["record"]), (status, &field, &record), "{body}: {error}");
        assert!(error["reason"].as_str().unwrap().contains(reason), "{body}: {error}");
        assert!(error["hint"].as_str().unwrap().contains(hint), "{body}: {error}");
    }
    assert_eq!(post(server.port, "/predict", RECORD).unwrap().status, 200);
}

#[test]
fn a_body_of_100_megabytes_and_slow_clients_cost_nothing_and_are_told_why() {
    let project = trained();
    let server = Server::start(&project);
    assert_eq!(post(server.port, "/predict", RECORD).unwrap().status, 200);
    let slow: Vec<TcpStream> = (0..SLOW)
        .map(|_| {
            let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port)).unwrap();
            stream.write_all(b"POST /predict HTTP/1.1\r\nHost: a\r\nX-Slow: ").unwrap();
            stream
        })
        .collect();
    let before = server.peak();
    let answer = post(server.port, "/predict", &" ".repeat(HUGE)).unwrap();
    let error = &answer.json()["error"];
    assert_eq!(answer.status, 413, "{error}");
    assert_eq!(error["reason"], "the body is larger than 8388608 bytes");
    assert_eq!(error["hint"], "send the records in parts");
    let grown = server.peak() - before;
    assert!(grown < MOST_GROWN, "the body was kept: {grown} KiB");
    assert_eq!(post(server.port, "/predict", RECORD).unwrap().status, 200, "others are served meanwhile");

    // Ten seconds for a head is what the server itself sets; here they are waited for once.
    for mut stream in slow {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.ends_with("the head of the request took too long; send it again\n"), "{answer}");
    }
}

#[test]
fn a_model_file_that_was_cut_or_is_of_a_newer_version_is_refused_with_what_to_do() {
    let project = trained();
    let whole = fs::read(project.state("models/1/model.bin")).unwrap();
    let folder = project.outside().join("model");
    fs::create_dir(&folder).unwrap();
    let model = folder.display().to_string();
    let data = project.folder().join("data/customers.csv").display().to_string();
    // The version of the format stands behind a word of eight bytes.
    let format = whole[8];
    let mut newer = whole.clone();
    newer[8] = format + 1;
    let damaged = |reason: &str| format!("model.bin is damaged ({reason}); train again or restore it");
    let of_another_time = format!(
        "model.bin has format {}, this program reads format {format}; train again with this version, or use the one that made it",
        format + 1
    );
    for (bytes, sentence) in [
        (&whole[..whole.len() / 2], damaged("its digest does not match its content")),
        (&whole[..0], damaged("it ends early")),
        (&newer[..], of_another_time),
        (&b"x,y\n1,2\n"[..], "model.bin is not a trainyard model; give the folder that training wrote".to_owned()),
    ] {
        fs::write(folder.join("model.bin"), bytes).unwrap();
        for arguments in [
            &["predict", "--model", model.as_str(), data.as_str()][..],
            &["serve", "--model", model.as_str(), "--listen", "127.0.0.1:0"],
        ] {
            let refused = project.command(arguments).expect_code(1).stderr;
            assert!(refused.contains(&sentence), "{arguments:?}: {refused}");
        }
    }
}
