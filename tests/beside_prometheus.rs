//! The same expressions over the same samples, in a real Prometheus and here.
//!
//! Two servers that scrape one target see it at different moments, so the comparison is over the *server's own raw samples*:
//! it scrapes an endpoint through an outage and a counter reset, its database is read out, and both answer over that.
//!
//! Debian's server is of version 2. What version 3 changed is kept out of the comparison: no sample lies on the left edge
//! of a range, and no counter comes near its zero (`increase` is extrapolated differently there).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{PATIENCE, finish, get, wait_for};
use trainyard::monitor::exposition::{Format, read};
use trainyard::monitor::promql;
use trainyard::monitor::storage::{SeriesStore, StoreLimits};
use trainyard::monitor::{Labels, METRIC_NAME};
use trainyard::pipeline::Moment;

const TEST: &str = "expressions_give_what_a_real_prometheus_gives_over_the_same_samples";
/// When the endpoint is away, and when its counters begin anew, in seconds of its life.
const OUTAGE: std::ops::Range<f64> = 9.0..14.0;
const RESET: f64 = 17.0;
const LIFE: Duration = Duration::from_secs(30);

const EXPRESSIONS: &[&str] = &[
    "jobs_total",
    "up",
    "rate(jobs_total[5s])",
    "rate(jobs_total[17s])",
    "irate(jobs_total[6s])",
    "increase(jobs_total[12s])",
    "sum by (kind) (rate(jobs_total[7s]))",
    "sum without (kind) (rate(jobs_total[7s]))",
    "resets(jobs_total[25s])",
    "changes(jobs_total[25s])",
    "delta(load[9s])",
    "idelta(load[9s])",
    "deriv(load[11s])",
    "predict_linear(load[11s], 60)",
    "avg_over_time(load[8s])",
    "min_over_time(load[8s])",
    "max_over_time(load[8s])",
    "sum_over_time(load[8s])",
    "count_over_time(load[8s])",
    "stddev_over_time(load[8s])",
    "stdvar_over_time(load[8s])",
    "quantile_over_time(0.9, load[8s])",
    "last_over_time(load[8s])",
    "present_over_time(load[8s])",
    "histogram_quantile(0.5, rate(latency_seconds_bucket[10s]))",
    "histogram_quantile(0.95, sum by (le) (rate(latency_seconds_bucket[10s])))",
    "topk(1, jobs_total)",
    "bottomk(1, jobs_total)",
    "quantile(0.3, jobs_total)",
    "count_values(\"n\", round(load))",
    "stddev(jobs_total)",
    "jobs_total > bool 2000",
    "jobs_total / on (kind) group_left () jobs_total",
    "load + on () group_right () jobs_total",
    "jobs_total and jobs_total > 3000",
    "jobs_total unless jobs_total > 3000",
    "absent(nothing_like_this)",
    "absent_over_time(load[2s])",
    "max_over_time(rate(jobs_total[5s])[12s:2s])",
    "load offset 4s",
    "label_replace(load, \"host\", \"$1\", \"instance\", \"(.*):.*\")",
    "clamp(load, 2, 6)",
    "scalar(load) * 2",
    "timestamp(load)",
    "sort_desc(jobs_total)",
];

/// What it shows at a moment of its life.
fn page(age: f64) -> String {
    let since_reset = if age < RESET { 1_000.0 + age } else { 1_000.0 + (age - RESET) };
    let count = |pace: f64| (since_reset * pace).floor();
    let mut text = String::from("# TYPE jobs_total counter\n");
    for (kind, pace) in [("fast", 7.3), ("slow", 1.9)] {
        text.push_str(&format!("jobs_total{{kind=\"{kind}\"}} {}\n", count(pace)));
    }
    text.push_str(&format!(
        "# TYPE load gauge\nload {}\n# TYPE latency_seconds histogram\n",
        5.0 + 4.0 * (age * 0.7).sin()
    ));
    for (bound, pace) in [("0.1", 3.0), ("0.5", 8.0), ("2.5", 9.5), ("+Inf", 10.0)] {
        text.push_str(&format!("latency_seconds_bucket{{le=\"{bound}\"}} {}\n", count(pace)));
    }
    text.push_str(&format!("latency_seconds_sum {}\nlatency_seconds_count {}\n", count(4.2), count(10.0)));
    text
}

/// Serves one page for as long as the test runs.
fn serve_page(page: String, content_type: &'static str) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            read_head(&mut stream);
            let length = page.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(page.as_bytes()));
        }
    });
    port
}

/// The endpoint; answers for as long as the test runs.
fn endpoint() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let born = Instant::now();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let age = born.elapsed().as_secs_f64();
            let (status, body) =
                if OUTAGE.contains(&age) { ("503 Away", String::new()) } else { ("200 OK", page(age)) };
            read_head(&mut stream);
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: text/plain; version=0.0.4\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        }
    });
    port
}

fn read_head(stream: &mut TcpStream) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        request.push(byte[0]);
    }
}

struct Server {
    port: u16,
    process: Child,
}

impl Server {
    fn start(folder: &Path, endpoints: &[u16]) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let job = |port: &u16| {
            format!(
                "{{job_name: app-{port}, static_configs: [{{targets: [\"127.0.0.1:{port}\"], labels: {{job: app}}}}]}}"
            )
        };
        let jobs: Vec<String> = endpoints.iter().map(job).collect();
        let settings =
            format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs: [{}]\n", jobs.join(", "));
        fs::write(folder.join("prometheus.yml"), settings).unwrap();
        let process = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--web.enable-admin-api")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { port, process }
    }

    fn get(&self, path: &str) -> Value {
        let answer = get(self.port, path).unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// Labels and newest value of each series that a selector chooses.
    fn select(&self, selector: &str) -> Vec<(Labels, f64)> {
        let query: String = selector.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = self.get(&format!("/api/v1/query?query={query}"));
        let row = |row: &Value| {
            let labels: Labels = serde_json::from_value(row["metric"].clone()).unwrap();
            (labels, number(&row["value"][1]))
        };
        answer["data"]["result"].as_array().unwrap().iter().map(row).collect()
    }

    /// Labels and value of each series of an instant query.
    fn instant(&self, expression: &str, at: i64) -> BTreeMap<String, f64> {
        let query: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let answer = self.get(&format!("/api/v1/query?query={query}&time={}.{:03}", at / 1_000, at % 1_000));
        let result = &answer["data"]["result"];
        if answer["data"]["resultType"] == "scalar" {
            return BTreeMap::from([(String::from("{}"), number(&result[1]))]);
        }
        let row = |row: &Value| {
            let labels: Labels = serde_json::from_value(row["metric"].clone()).unwrap();
            (labels.to_string(), number(&row["value"][1]))
        };
        result.as_array().unwrap().iter().map(row).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Every sample that the server holds, stale markers included, as `promtool` reads them out of a snapshot.
fn samples_of(server: &Server, folder: &Path) -> Vec<(Labels, i64, f64)> {
    let address = format!("http://127.0.0.1:{}/api/v1/admin/tsdb/snapshot", server.port);
    let made = finish(Command::new("curl").args(["-sS", "-X", "POST", &address]), PATIENCE).ok().json();
    let snapshot = folder.join("data/snapshots").join(made["data"]["name"].as_str().unwrap());
    // Without this folder the tool of that version does not open a snapshot.
    fs::create_dir_all(snapshot.join("wal")).unwrap();
    let dumped = finish(Command::new("promtool").args(["tsdb", "dump"]).arg(snapshot), PATIENCE).ok();
    dumped.stdout.lines().map(sample).collect()
}

/// `{__name__="up", job="app"} 1 1700000000000`; the values of our labels hold neither quotes nor commas.
fn sample(line: &str) -> (Labels, i64, f64) {
    let (labels, rest) = line.strip_prefix('{').and_then(|rest| rest.split_once("} ")).unwrap();
    let labels = labels.split(", ").map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.trim_matches('"').to_owned())
    });
    let (value, at) = rest.split_once(' ').unwrap();
    (Labels::new(labels), at.parse().unwrap(), value.parse().unwrap())
}

#[test]
fn expressions_give_what_a_real_prometheus_gives_over_the_same_samples() {
    if Command::new("promtool").arg("--version").output().is_err()
        || Command::new("prometheus").arg("--version").output().is_err()
    {
        eprintln!("skipped: {TEST}: `prometheus` and `promtool` are not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[endpoint()]);
    let begun = Instant::now();
    wait_for("the server", PATIENCE, || {
        get(server.port, "/-/ready").is_ok_and(|answer| answer.status == 200).then_some(())
    });
    wait_for("a life of the endpoint", PATIENCE, || (begun.elapsed() > LIFE).then_some(()));
    let samples = samples_of(&server, folder.path());
    let mut store = SeriesStore::in_memory(StoreLimits {
        retention: Duration::from_hours(1),
        bytes_on_disk: 64 << 20,
        max_series: 1_000,
    });
    for (labels, at, value) in &samples {
        let id = store.resolve(labels, true).unwrap();
        // An ordinary NaN is not among the pages, so each of them is a stale marker.
        if value.is_nan() { store.mark_stale(id, *at) } else { store.append(id, *at, *value).unwrap() }
    }
    let moments: Vec<i64> = samples.iter().map(|(_, at, _)| *at).collect();
    let (first, last) = (moments.iter().min().unwrap(), moments.iter().max().unwrap());
    let (mut compared, mut gaps) = (0, 0);
    for at in (*first + 2_000..*last).step_by(971) {
        // Whole seconds back from here there must be no sample, or the two versions see different ones.
        let at = (at..at + 1_000).find(|at| moments.iter().all(|moment| (at - moment) % 1_000 != 0)).unwrap();
        for expression in EXPRESSIONS {
            let theirs = server.instant(expression, at);
            let ours: BTreeMap<String, f64> = promql::parse(expression)
                .unwrap()
                .instant(&store, Moment(at))
                .unwrap()
                .into_iter()
                .map(|sample| (sample.labels.to_string(), sample.value))
                .collect();
            let keys = |side: &BTreeMap<String, f64>| side.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(&ours), keys(&theirs), "{expression} at {at}");
            for (labels, theirs) in &theirs {
                let ours = ours[labels];
                let is_equal =
                    (ours - theirs).abs() <= 1e-9 * theirs.abs().max(1e-300) || (ours.is_nan() && theirs.is_nan());
                assert!(
                    is_equal || ours.to_bits() == theirs.to_bits(),
                    "{expression} {labels} at {at}: {ours} here, {theirs} there"
                );
                compared += 1;
            }
            gaps += usize::from(theirs.is_empty());
        }
    }
    eprintln!("{compared} values compared, {gaps} empty answers");
    assert!(compared > 1_000 && gaps > 0, "{compared} values, {gaps} empty answers: the outage was not seen");
    assert!(samples.iter().any(|(labels, _, value)| labels.get(METRIC_NAME) == Some("load") && value.is_nan()));
}

/// Name and labels of a series, without those of its target. Version 3 writes whole bounds of buckets with `.0`.
fn series_key(name: &str, labels: &Labels) -> String {
    let pairs = labels.pairs().filter(|(label, _)| !["__name__", "job", "instance"].contains(label));
    let written = pairs.map(|(label, value)| {
        let whole = ["le", "quantile"].contains(&label).then(|| value.strip_suffix(".0")).flatten();
        format!("{}={:?}", label.strip_prefix("exported_").unwrap_or(label), whole.unwrap_or(value))
    });
    let mut written: Vec<String> = written.collect();
    written.sort();
    format!("{name} {}", written.join(","))
}

#[test]
fn real_pages_are_read_as_a_real_prometheus_reads_them() {
    let test = "real_pages_are_read_as_a_real_prometheus_reads_them";
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/payloads");
    if !folder.is_dir() || Command::new("prometheus").arg("--version").output().is_err() {
        eprintln!("skipped: {test}: `../shared/data/payloads` or `prometheus` is not there");
        return;
    }
    let mut pages = Vec::new();
    for entry in fs::read_dir(&folder).unwrap().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap();
        let is_open = entry.path().extension().is_some_and(|ending| ending == "openmetrics");
        let (format, content_type) = if is_open {
            (Format::OpenMetrics, "application/openmetrics-text; version=1.0.0; charset=utf-8")
        } else {
            (Format::Text, "text/plain; version=0.0.4")
        };
        let read = read(&text, format, usize::MAX).unwrap();
        let ours: BTreeMap<String, f64> =
            read.samples.iter().map(|sample| (series_key(&sample.name, &sample.labels), sample.value)).collect();
        pages.push((entry.path(), serve_page(text, content_type), ours));
    }
    assert!(pages.len() >= 4, "payloads are missing");
    let scratch = tempfile::tempdir().unwrap();
    let ports: Vec<u16> = pages.iter().map(|(_, port, _)| *port).collect();
    let server = Server::start(scratch.path(), &ports);
    for (path, port, ours) in &pages {
        let theirs = wait_for("a scrape of the page", PATIENCE, || {
            let ready = get(server.port, "/-/ready").is_ok_and(|answer| answer.status == 200);
            let found = ready.then(|| server.select(&format!("{{instance=\"127.0.0.1:{port}\"}}")))?;
            (found.len() > 10).then_some(found)
        });
        let theirs: BTreeMap<String, f64> = theirs
            .iter()
            .filter(|(labels, _)| {
                // Prometheus adds what it knows of the scrape itself.
                let name = labels.name().unwrap_or_default();
                let is_its_own = name == "up" || name.starts_with("scrape_");
                !is_its_own || ours.contains_key(&series_key(name, labels))
            })
            .map(|(labels, value)| (series_key(labels.name().unwrap_or_default(), labels), *value))
            .collect();
        let missing: Vec<_> = ours.keys().filter(|key| !theirs.contains_key(*key)).collect();
        let added: Vec<_> = theirs.keys().filter(|key| !ours.contains_key(*key)).collect();
        assert!(
            missing.is_empty() && added.is_empty(),
            "{}: {missing:?} only here, {added:?} only there",
            path.display()
        );
        for (key, value) in &theirs {
            let ours = ours[key];
            assert!(ours.to_bits() == value.to_bits() || (ours.is_nan() && value.is_nan()), "{key}: {ours}, {value}");
        }
    }
}
