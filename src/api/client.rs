//! The client of a daemon: what the screen and the commands use, here or, through a forwarded socket, from afar.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;

use super::types::{
    ACCESS_HEADER, AlertReport, Catalog, Charts, ChartsRequest, CommandReply, CommandRequest, Comparison,
    ComparisonRequest, CompletionRequest, Completions, DaemonInformation, DataProfile, ExpressionFault, FROM_HEADER,
    Hello, LogAddress, LogFilter, LogFind, LogRow, LogRowsRequest, LogScan, LogWindow, ModelDetail, ModelSummary,
    NoteRequest, OBSERVER, OPERATOR_HEADER, Past, PastPlace, PastRequest, Plan, PlanRequest, Problem, PromoteRequest,
    QueryRow, RangeAnswer, RollbackPlan, SilenceRequest, Snapshot, StreamItem, TimeLine, TimeLineRequest,
    UnsilenceRequest, ViewRequest, WatchRequest, header_text,
};
use crate::disk::{FileLock, Layout, ProcessStat, plain_http};
use crate::pipeline::{EventFilter, ModelVersion, Moment, Recorded, ReleaseId, Selection, Silence};

/// How long an answer may take. The event stream has no such limit.
const PATIENCE: Duration = Duration::from_secs(30);
/// Bytes of one line of the event stream.
const LINE_LIMIT: usize = 64 << 20;

/// Why the daemon did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens on the socket.
    #[error("no daemon runs for this project (socket {0}); `trainyard up` starts one")]
    NotRunning(PathBuf),
    /// One runs, and cannot be spoken to: that another could be started would be no advice.
    #[error("{0}")]
    Unheard(String),
    /// The connection broke.
    #[error("the connection to the daemon broke: {0}")]
    Broken(String),
    /// The daemon says no.
    #[error("{0}")]
    Refused(String),
    /// It answered something else than was expected; most likely its version differs.
    #[error("the daemon's answer is not understood ({0}); restart it with `trainyard down` and `trainyard up`")]
    Answer(String),
}

impl ClientError {
    /// That a daemon runs for a project and is not heard.
    pub fn unheard(layout: &Layout) -> Self {
        let information = fs::read(layout.daemon_information()).unwrap_or_default();
        // One that is starting has not written who it is yet, and the one before has ended.
        let is_there = |daemon: &DaemonInformation| {
            i32::try_from(daemon.pid).is_ok_and(|process| ProcessStat::read(process).is_some())
        };
        let known = serde_json::from_slice::<DaemonInformation>(&information).ok();
        let (which, kill) = known.filter(is_there).map_or_else(
            || ("a daemon".to_owned(), "end it".to_owned()),
            |daemon| (format!("a daemon (process {})", daemon.pid), format!("end it with `kill {}`", daemon.pid)),
        );
        Self::Unheard(format!(
            "{which} runs for {}, but is not heard at {}; if it has just started wait a moment, else look into {}, or {kill} and \
             come again: stages and the app go on",
            layout.project().display(),
            layout.socket().display(),
            layout.daemon_log().display()
        ))
    }
}

/// Who uses a client. The daemon adds the account, which it knows from the system.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    /// The person; where it is empty, the account stands for it.
    pub name: String,
    /// From where, if not from the machine itself.
    pub from: Option<String>,
    /// Gives up the right to change anything.
    pub is_observer: bool,
}

impl Identity {
    /// What is sent with each request.
    fn into_headers(self) -> Result<HeaderMap, ClientError> {
        let mut headers = HeaderMap::new();
        let name = Some(self.name.as_str()).filter(|name| !name.is_empty());
        let access = self.is_observer.then_some(OBSERVER);
        for (header, text) in [(OPERATOR_HEADER, name), (FROM_HEADER, self.from.as_deref()), (ACCESS_HEADER, access)] {
            let Some(text) = text else { continue };
            let value = HeaderValue::from_str(&header_text(text));
            headers.insert(HeaderName::from_static(header), value.map_err(|error| broken(&error))?);
        }
        Ok(headers)
    }
}

/// A client of one project's daemon.
#[derive(Debug, Clone)]
pub struct Client {
    line: Arc<Mutex<Line>>,
    /// The project, if it is on this machine: its next daemon may be heard elsewhere.
    layout: Option<Layout>,
    is_observer: bool,
}

/// Through what is spoken, and where to.
#[derive(Debug)]
struct Line {
    http: reqwest::Client,
    socket: PathBuf,
    headers: HeaderMap,
}

impl Line {
    fn open(socket: PathBuf, headers: HeaderMap) -> Result<Self, ClientError> {
        let http = plain_http().unix_socket(socket.clone()).default_headers(headers.clone());
        let http = http.build().map_err(|error| broken(&error))?;
        Ok(Self { http, socket, headers })
    }
}

impl Client {
    /// A client for the project on this machine; nothing is sent yet.
    pub fn connect(layout: &Layout, identity: Identity) -> Result<Self, ClientError> {
        layout.check_runtime().map_err(|error| broken(&error))?;
        let client = Self::at_socket(layout.socket(), identity)?;
        Ok(Self { layout: Some(layout.clone()), ..client })
    }

    /// A client for whatever listens on a socket, which may be forwarded from another machine; nothing is sent yet.
    pub fn at_socket(socket: PathBuf, identity: Identity) -> Result<Self, ClientError> {
        let is_observer = identity.is_observer;
        let line = Line::open(socket, identity.into_headers()?)?;
        Ok(Self { line: Arc::new(Mutex::new(line)), layout: None, is_observer })
    }

    /// The client whose requests go to where the daemon is heard now. Where that cannot be trusted it stays the former one.
    fn http(&self) -> reqwest::Client {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(layout) = &self.layout {
            let socket = layout.socket();
            if socket != line.socket
                && layout.check_runtime().is_ok()
                && let Ok(moved) = Line::open(socket, line.headers.clone())
            {
                *line = moved;
            }
        }
        line.http.clone()
    }

    /// Whether the daemon will refuse everything that changes something.
    pub fn is_observer(&self) -> bool {
        self.is_observer
    }

    /// Who answers, and how far its journal has come.
    pub async fn hello(&self) -> Result<Hello, ClientError> {
        self.get("hello", &[]).await
    }

    /// The whole present state.
    pub async fn snapshot(&self) -> Result<Snapshot, ClientError> {
        self.get("snapshot", &[]).await
    }

    /// Everything that happens behind event number `after`, for a command that waits for something.
    pub async fn events(&self, after: u64) -> Result<EventStream, ClientError> {
        self.stream(self.request(Method::GET, "events").query(&[("after", after)])).await
    }

    /// Everything that happens behind event number `after`, for a screen: as long as the stream is held, the others see it
    /// among those who are attached.
    pub async fn watch(&self, after: u64, session: &WatchRequest) -> Result<EventStream, ClientError> {
        self.stream(self.request(Method::GET, "events").query(&[("after", after)]).query(session)).await
    }

    /// Says what a screen looks at now.
    pub async fn show_view(&self, session: u64, view: &str) -> Result<(), ClientError> {
        let request = ViewRequest { session, view: view.to_owned() };
        self.send(self.request(Method::POST, "session").json(&request)).await
    }

    /// Asks for something; a refusal by the rules is a reply.
    pub async fn command(&self, request: &CommandRequest) -> Result<CommandReply, ClientError> {
        self.send(self.request(Method::POST, "commands").json(request)).await
    }

    /// What a run would do.
    pub async fn plan(&self, selection: &Selection) -> Result<Plan, ClientError> {
        let request = PlanRequest { selection: selection.clone() };
        self.send(self.request(Method::POST, "plan").json(&request)).await
    }

    /// What a rollback to `to` would do; without it, to the last release before the live one. That there is no way back
    /// is a refusal, that it is barred stands in the plan.
    pub async fn rollback_plan(&self, to: Option<ReleaseId>) -> Result<RollbackPlan, ClientError> {
        let query: Vec<(&str, String)> = to.map(|to| ("to", to.to_string())).into_iter().collect();
        self.get("rollback", &query).await
    }

    /// The last `lines` lines that the live release wrote.
    pub async fn release_log(&self, lines: usize) -> Result<Vec<String>, ClientError> {
        self.get("release-log", &[("lines", lines.to_string())]).await
    }

    /// `count` lines of a log from line `first` on.
    pub async fn log_lines(&self, log: &LogAddress, first: u64, count: u64) -> Result<LogWindow, ClientError> {
        self.get(&log_path(log), &[("first", first.to_string()), ("count", count.to_string())]).await
    }

    /// The last `count` lines of a log.
    pub async fn log_tail(&self, log: &LogAddress, count: u64) -> Result<LogWindow, ClientError> {
        self.get(&log_path(log), &[("count", count.to_string())]).await
    }

    /// A step of a search for the next line at or behind `from` (or at or before it) that passes.
    pub async fn log_search(
        &self,
        log: &LogAddress,
        filter: &LogFilter,
        from: u64,
        backward: bool,
    ) -> Result<LogFind, ClientError> {
        let request = self.request(Method::GET, &format!("{}/search", log_path(log))).query(filter);
        self.send(request.query(&[("from", from.to_string()), ("backward", backward.to_string())])).await
    }

    /// A step of a look through a log: what passes from line `from` on, up to line `until` if there is one.
    pub async fn log_scan(
        &self,
        log: &LogAddress,
        filter: &LogFilter,
        from: u64,
        until: Option<u64>,
    ) -> Result<LogScan, ClientError> {
        let request = self.request(Method::GET, &format!("{}/scan", log_path(log))).query(filter);
        let until: Vec<(&str, u64)> = until.map(|until| ("until", until)).into_iter().collect();
        self.send(request.query(&[("from", from)]).query(&until)).await
    }

    /// Rows of what passes a filter.
    pub async fn log_rows(&self, log: &LogAddress, request: &LogRowsRequest) -> Result<Vec<LogRow>, ClientError> {
        self.send(self.request(Method::POST, &format!("{}/rows", log_path(log))).json(request)).await
    }

    /// The first line that came at a moment or later.
    pub async fn log_line_at(&self, log: &LogAddress, moment: Moment) -> Result<u64, ClientError> {
        self.get(&format!("{}/line", log_path(log)), &[("at", moment.0.to_string())]).await
    }

    /// Some bytes of the log of one stage from byte `offset` on, as they were written; none at its end.
    pub async fn log_bytes(&self, log: &LogAddress, offset: u64) -> Result<Vec<u8>, ClientError> {
        let request = self.request(Method::GET, &format!("{}/bytes", log_path(log))).query(&[("offset", offset)]);
        let response = request.timeout(PATIENCE).send().await.map_err(|error| self.failed(&error))?;
        let bytes = self.checked(response).await?.bytes().await.map_err(|error| self.failed(&error))?;
        Ok(bytes.to_vec())
    }

    /// All panels over the last `range` milliseconds in so many columns.
    pub async fn charts(&self, range: u64, columns: usize) -> Result<Charts, ClientError> {
        self.charts_of(&ChartsRequest { range, columns, ..ChartsRequest::default() }).await
    }

    /// All panels over any stretch of time, and an expression before them.
    pub async fn charts_of(&self, wanted: &ChartsRequest) -> Result<Charts, ClientError> {
        self.send(self.request(Method::GET, "charts").query(wanted)).await
    }

    /// The same panel after two deploys.
    pub async fn comparison(&self, wanted: &ComparisonRequest) -> Result<Comparison, ClientError> {
        self.send(self.request(Method::GET, "comparison").query(wanted)).await
    }

    /// What expressions can be made of.
    pub async fn catalog(&self) -> Result<Catalog, ClientError> {
        self.get("metrics", &[]).await
    }

    /// A window of what can be written at a place in an expression.
    pub async fn completions(&self, wanted: &CompletionRequest) -> Result<Completions, ClientError> {
        self.send(self.request(Method::GET, "completions").query(wanted)).await
    }

    /// What is wrong with an expression, if anything is.
    pub async fn expression_fault(&self, expression: &str) -> Result<Option<ExpressionFault>, ClientError> {
        self.get("expression", &[("expression", expression.to_owned())]).await
    }

    /// The value of an expression now.
    pub async fn query(&self, expression: &str) -> Result<Vec<QueryRow>, ClientError> {
        self.get("query", &[("expression", expression.to_owned())]).await
    }

    /// All alerts as they are now.
    pub async fn alerts(&self) -> Result<Vec<AlertReport>, ClientError> {
        self.get("alerts", &[]).await
    }

    /// Silences an alert, or silences it anew; the answer says until when.
    pub async fn silence(&self, request: &SilenceRequest) -> Result<Silence, ClientError> {
        self.send(self.request(Method::POST, "alerts/silence").json(request)).await
    }

    /// Ends a silence.
    pub async fn unsilence(&self, request: &UnsilenceRequest) -> Result<(), ClientError> {
        self.send(self.request(Method::POST, "alerts/unsilence").json(request)).await
    }

    /// All model versions, the newest first.
    pub async fn models(&self) -> Result<Vec<ModelSummary>, ClientError> {
        self.get("models", &[]).await
    }

    /// One model version with all that is known of it.
    pub async fn model(&self, version: ModelVersion) -> Result<ModelDetail, ClientError> {
        self.get(&format!("models/{version}"), &[]).await
    }

    /// The profile of the data that a version learned from, as training wrote it.
    pub async fn model_profile(&self, version: ModelVersion) -> Result<DataProfile, ClientError> {
        self.get(&format!("models/{version}/profile"), &[]).await
    }

    /// Makes a model the champion and deploys it; a refusal by the rules is a reply.
    pub async fn promote(&self, request: &PromoteRequest) -> Result<CommandReply, ClientError> {
        self.send(self.request(Method::POST, "promote").json(request)).await
    }

    /// Has it written down that somebody did something which is seen in files only.
    pub async fn remark(&self, request: &NoteRequest) -> Result<(), ClientError> {
        self.send(self.request(Method::POST, "remark").json(request)).await
    }

    /// Writes something about a model.
    pub async fn note_model(&self, version: ModelVersion, request: &NoteRequest) -> Result<(), ClientError> {
        self.send(self.request(Method::POST, &format!("models/{version}/note")).json(request)).await
    }

    /// The values of an expression over the last `range` milliseconds, `step` milliseconds apart.
    pub async fn query_range(&self, expression: &str, range: u64, step: u64) -> Result<RangeAnswer, ClientError> {
        let query = [("expression", expression.to_owned()), ("range", range.to_string()), ("step", step.to_string())];
        self.get("query-range", &query).await
    }

    /// Up to `limit` events before number `before`, or the last ones.
    pub async fn history(&self, before: Option<u64>, limit: usize) -> Result<Vec<Recorded>, ClientError> {
        let mut query = vec![("limit", limit.to_string())];
        query.extend(before.map(|before| ("before", before.to_string())));
        self.get("history", &query).await
    }

    /// Up to `limit` events that match, before number `before`, or the last ones.
    pub async fn history_matching(
        &self,
        filter: &EventFilter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Recorded>, ClientError> {
        let request = self.request(Method::GET, "history").query(&[("limit", limit)]);
        let before: Vec<(&str, u64)> = before.map(|before| ("before", before)).into_iter().collect();
        self.send(request.query(&before).query(filter)).await
    }

    /// Everything as it was at a moment.
    pub async fn past(&self, wanted: &PastRequest) -> Result<Past, ClientError> {
        self.send(self.request(Method::GET, "past").query(wanted)).await
    }

    /// Where a moment is on the line of time.
    pub async fn past_place(&self, wanted: &PastRequest) -> Result<PastPlace, ClientError> {
        self.send(self.request(Method::GET, "past/place").query(wanted)).await
    }

    /// `count` lines of a log as it was at a moment, from line `first` on; without it, the last that there were.
    pub async fn past_log(
        &self,
        log: &LogAddress,
        at: Moment,
        first: Option<u64>,
        count: u64,
    ) -> Result<LogWindow, ClientError> {
        let mut query = vec![("at", at.0.to_string()), ("count", count.to_string())];
        query.extend(first.map(|first| ("first", first.to_string())));
        self.get(&format!("past/{}", log_path(log)), &query).await
    }

    /// What happened over a stretch of time, in so many columns.
    pub async fn time_line(&self, wanted: &TimeLineRequest) -> Result<TimeLine, ClientError> {
        self.send(self.request(Method::GET, "time-line").query(wanted)).await
    }

    /// Ends the daemon; stages and the deployed app go on. Who stops the app behind it says so here, for the history.
    pub async fn end(&self, with_app: bool) -> Result<(), ClientError> {
        let request = self.request(Method::POST, "end").query(&[("with_app", with_app)]).timeout(PATIENCE);
        let response = request.send().await.map_err(|error| self.failed(&error))?;
        self.checked(response).await.map(|_| ())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http().request(method, format!("http://daemon/v1/{path}"))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, ClientError> {
        self.send(self.request(Method::GET, path).query(query)).await
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ClientError> {
        let response = request.timeout(PATIENCE).send().await.map_err(|error| self.failed(&error))?;
        let response = self.checked(response).await?;
        let bytes = response.bytes().await.map_err(|error| self.failed(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| ClientError::Answer(error.to_string()))
    }

    /// A stream may be silent for as long as nothing happens, but not before it begins.
    async fn stream(&self, request: RequestBuilder) -> Result<EventStream, ClientError> {
        let response = match tokio::time::timeout(PATIENCE, request.send()).await {
            Ok(response) => response.map_err(|error| self.failed(&error))?,
            Err(_) => return Err(ClientError::Broken("the daemon does not answer".to_owned())),
        };
        Ok(EventStream { response: self.checked(response).await?, buffer: Vec::new() })
    }

    async fn checked(&self, response: Response) -> Result<Response, ClientError> {
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        Err(match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => ClientError::Refused(problem.error),
            Err(_) => ClientError::Answer(format!("{status}: {text}")),
        })
    }

    fn failed(&self, error: &reqwest::Error) -> ClientError {
        if !error.is_connect() {
            return ClientError::Broken(error.to_string());
        }
        let is_held = |layout: &&Layout| FileLock::is_held(&layout.daemon_lock()).unwrap_or(false);
        match self.layout.as_ref().filter(is_held) {
            Some(layout) => ClientError::unheard(layout),
            None => ClientError::NotRunning(self.line.lock().unwrap_or_else(PoisonError::into_inner).socket.clone()),
        }
    }
}

fn broken(error: &dyn std::error::Error) -> ClientError {
    ClientError::Broken(error.to_string())
}

fn log_path(log: &LogAddress) -> String {
    format!("logs/{}/{}/{}", log.run, log.stage, log.attempt)
}

/// The stream of what happens.
#[derive(Debug)]
pub struct EventStream {
    response: Response,
    buffer: Vec<u8>,
}

impl EventStream {
    /// The next item; `None` when the daemon has ended.
    pub async fn next(&mut self) -> Option<Result<StreamItem, ClientError>> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer) {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).map_err(|error| ClientError::Answer(error.to_string())));
            }
            if self.buffer.len() > LINE_LIMIT {
                return Some(Err(ClientError::Answer("a line of the event stream has no end".to_owned())));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) => return None,
                // A daemon that ends does not finish its sentence; whoever listens asks again or is done.
                Err(_) => return None,
            }
        }
    }
}
