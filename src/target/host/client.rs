//! The client of the host, for the daemon, the deploy stage and the commands.

use std::path::PathBuf;
use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::report::Scraped;
use super::{ApplyEvent, Farewell, host_lock, host_log};
use crate::api::types::TargetReport;
use crate::disk::{FileLock, Layout, plain_http};
use crate::pipeline::ReleaseId;
use crate::target::tail::tail;
use crate::target::{ApplyRequest, ApplyResponse, Target, TargetStatus};

/// Time between two looks at whether the host is there or gone.
const EVERY: Duration = Duration::from_millis(50);
/// How long a host may take to come back while an apply is asked for again.
const RETURN: Duration = Duration::from_secs(10);
/// How often an apply is asked for again when the connection is lost.
const TRIES: u32 = 5;
/// How long a host may take to stop: an apply that is given up, the last drain and two graces; and where all is to end, what
/// a cluster takes to end its pods.
const STOP: Duration = Duration::from_secs(150);
/// Lines of the host's log in an error.
const TAIL: usize = 10;

/// Why the host could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No host answers.
    #[error("the host that runs releases is not running; `trainyard up` starts it; it said last ({log}):\n{tail}")]
    NotRunning {
        /// The host's log.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// Another release is being applied.
    #[error("release {0} is being deployed at this moment; wait for its end and deploy again")]
    Busy(ReleaseId),
    /// The connection was lost again and again.
    #[error("the connection to the host was lost: {0}; see `trainyard status` for what is live")]
    Lost(String),
    /// The host does not stop.
    #[error("the host did not stop within {} s; it holds {lock}", STOP.as_secs())]
    DoesNotStop {
        /// The lock that it holds.
        lock: PathBuf,
    },
    /// The client cannot be made.
    #[error("cannot make a client for the host: {0}")]
    Client(String),
}

/// A client of one project's host.
#[derive(Debug, Clone)]
pub struct HostClient {
    http: reqwest::Client,
    layout: Layout,
}

/// Why one try gave no outcome.
enum Trouble {
    /// Asking again may help.
    Lost(String),
    /// The host does not know of the apply.
    Unknown,
    /// Asking again does not help.
    Final(ClientError),
}

impl HostClient {
    /// A client of the host of that project, whether it runs or not.
    pub fn new(layout: &Layout) -> Result<Self, ClientError> {
        let http = plain_http()
            .unix_socket(layout.host_socket())
            .build()
            .map_err(|error| ClientError::Client(error.to_string()))?;
        Ok(Self { http, layout: layout.clone() })
    }

    /// Whether a host runs, be it ready or not.
    pub fn is_running(&self) -> bool {
        FileLock::is_held(&host_lock(&self.layout)).unwrap_or(false)
    }

    /// What the host does now.
    pub async fn status(&self) -> Result<TargetStatus, ClientError> {
        let response =
            self.http.get(url("status")).timeout(RETURN).send().await.map_err(|error| self.failed(&error))?;
        response.json().await.map_err(|error| self.failed(&error))
    }

    /// Waits until the host answers, for at most `within`.
    pub async fn wait_ready(&self, within: Duration) -> Result<TargetStatus, ClientError> {
        let deadline = Instant::now() + within;
        loop {
            match self.status().await {
                Ok(status) => return Ok(status),
                Err(error) if Instant::now() >= deadline => return Err(error),
                Err(_) => sleep(EVERY).await,
            }
        }
    }

    /// Applies a release and tells each step. When the connection is lost, the same apply is asked for again.
    pub async fn apply(
        &self,
        request: &ApplyRequest,
        step: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ApplyResponse, ClientError> {
        let mut heard = 0;
        let mut begun = false;
        let mut last = String::new();
        for _ in 0..TRIES {
            let outcome = if begun {
                self.join(request.release, &mut heard, step).await
            } else {
                self.begin(request, &mut heard, step).await
            };
            match outcome {
                Ok(response) => return Ok(response),
                Err(Trouble::Final(error)) => return Err(error),
                // Another host: it begins anew, or answers at once that the release is live.
                Err(Trouble::Unknown) => (begun, heard) = (false, 0),
                Err(Trouble::Lost(reason)) => {
                    (begun, last) = (true, reason);
                    self.wait_ready(RETURN).await?;
                }
            }
        }
        Err(ClientError::Lost(last))
    }

    /// How all is that the host knows of.
    pub async fn report(&self) -> Result<TargetReport, ClientError> {
        self.get("report", &[]).await
    }

    /// The last lines that the live release wrote.
    pub async fn release_log(&self, lines: usize) -> Result<Vec<String>, ClientError> {
        self.get("release-log", &[("lines", lines.to_string())]).await
    }

    /// What can be scraped now.
    pub async fn instances(&self) -> Result<Vec<Scraped>, ClientError> {
        self.get("instances", &[]).await
    }

    /// Where the metrics of an instance are read, with [`Self::http`].
    pub fn scrape_url(instance: &str) -> String {
        url(&format!("scrape/{instance}"))
    }

    /// The client behind this one, whose requests go to the host's socket.
    pub fn http(&self) -> &reqwest::Client {
        &self.http
    }

    async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, String)]) -> Result<T, ClientError> {
        let request = self.http.get(url(path)).query(query).timeout(RETURN);
        let response = request.send().await.map_err(|error| self.failed(&error))?;
        response.json().await.map_err(|error| self.failed(&error))
    }

    /// Judges a canary: `promoted` lets the rest of the pods follow, else it is taken away. Each step is told.
    pub async fn judge(
        &self,
        release: ReleaseId,
        promoted: bool,
        step: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ApplyResponse, ClientError> {
        let word = if promoted { "promote" } else { "withdraw" };
        let path = format!("{word}/{release}");
        let response = self.http.post(url(&path)).send().await.map_err(|error| self.failed(&error))?;
        let mut heard = 0;
        match follow(response, &mut heard, step).await {
            Ok(response) => Ok(response),
            Err(Trouble::Final(error)) => Err(error),
            Err(Trouble::Unknown) => Err(ClientError::Lost("the canary is not there any more".to_owned())),
            Err(Trouble::Lost(_)) => match self.join(release, &mut heard, step).await {
                Ok(response) => Ok(response),
                Err(Trouble::Final(error)) => Err(error),
                Err(Trouble::Unknown) => Err(ClientError::Lost("the canary is not there any more".to_owned())),
                Err(Trouble::Lost(reason)) => Err(ClientError::Lost(reason)),
            },
        }
    }

    /// Stops the host and the processes that it runs; with `all` also containers and what is on a cluster. A host that does
    /// not run is stopped already.
    pub async fn stop(&self, all: bool) -> Result<Farewell, ClientError> {
        if !self.is_running() {
            return Ok(Farewell::default());
        }
        let deadline = Instant::now() + STOP;
        // The answer may get lost in the very stop that it tells of; the lock says whether the host is gone.
        let asked =
            async { self.http.post(url("stop")).query(&[("all", all)]).timeout(STOP).send().await?.json().await };
        let farewell = asked.await.unwrap_or_default();
        while self.is_running() {
            if Instant::now() >= deadline {
                return Err(ClientError::DoesNotStop { lock: host_lock(&self.layout) });
            }
            sleep(EVERY).await;
        }
        Ok(farewell)
    }

    async fn begin(
        &self,
        request: &ApplyRequest,
        heard: &mut usize,
        step: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ApplyResponse, Trouble> {
        let response = self.http.post(url("apply")).json(request).send().await.map_err(|error| lost(&error))?;
        if response.status() == StatusCode::CONFLICT {
            let other = response.json().await.map_err(|error| lost(&error))?;
            return Err(Trouble::Final(ClientError::Busy(other)));
        }
        follow(response, heard, step).await
    }

    async fn join(
        &self,
        release: ReleaseId,
        heard: &mut usize,
        step: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ApplyResponse, Trouble> {
        let path = format!("applied/{release}");
        let response = self.http.get(url(&path)).send().await.map_err(|error| lost(&error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Err(Trouble::Unknown);
        }
        follow(response, heard, step).await
    }

    fn failed(&self, error: &reqwest::Error) -> ClientError {
        if self.is_running() && !error.is_connect() {
            return ClientError::Lost(error.to_string());
        }
        let log = host_log(&self.layout);
        let tail = tail(&log, 0, TAIL).join("\n");
        ClientError::NotRunning { log, tail }
    }
}

impl Target for HostClient {
    type Error = ClientError;

    async fn status(&self) -> Result<TargetStatus, ClientError> {
        Self::status(self).await
    }

    async fn apply(
        &self,
        request: &ApplyRequest,
        step: &mut (dyn FnMut(&str) + Send),
    ) -> Result<ApplyResponse, ClientError> {
        Self::apply(self, request, step).await
    }

    async fn stop(&self) -> Result<(), ClientError> {
        Self::stop(self, true).await.map(drop)
    }
}

/// The host's name is of no meaning on a Unix socket.
fn url(path: &str) -> String {
    format!("http://localhost/{path}")
}

fn lost(error: &reqwest::Error) -> Trouble {
    Trouble::Lost(error.to_string())
}

/// Reads the lines of an answer to its end. Steps that were heard before the connection was lost are not told again.
async fn follow(
    mut response: Response,
    heard: &mut usize,
    step: &mut (dyn FnMut(&str) + Send),
) -> Result<ApplyResponse, Trouble> {
    if !response.status().is_success() {
        let text = format!("the host answered {}; it may be of another version of trainyard", response.status());
        return Err(Trouble::Final(ClientError::Lost(text)));
    }
    let mut buffer: Vec<u8> = Vec::new();
    let mut seen = 0;
    while let Some(chunk) = response.chunk().await.map_err(|error| lost(&error))? {
        buffer.extend_from_slice(&chunk);
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            match serde_json::from_slice(&line).map_err(|error| Trouble::Lost(error.to_string()))? {
                ApplyEvent::Done(outcome) => return Ok(outcome),
                ApplyEvent::Step(text) => {
                    seen += 1;
                    if seen > *heard {
                        *heard = seen;
                        step(&text);
                    }
                }
            }
        }
    }
    Err(Trouble::Lost("the answer ended before the outcome".to_owned()))
}
