//! How all is that the host knows of: for the screen, for scrapes, for the canary's judge.

use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};

use super::apply::Host;
use super::cluster::App;
use super::instance::Instance;
use crate::api::types::{InstanceStatus, TargetReport};
use crate::pipeline::ReleaseId;
use crate::target::causes;
use crate::target::process::release_log;
use crate::target::tail::tail;
use crate::target::{ApplyRequest, place};

/// How long an engine may take to tell how an instance is.
const ANSWER: Duration = Duration::from_secs(4);
/// Bytes of a scrape that are passed on.
const LARGEST_SCRAPE: usize = 64 << 20;

/// One that can be scraped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scraped {
    /// A process number, the name of a container or of a pod.
    pub instance: String,
    /// Which release it runs.
    pub release: ReleaseId,
    /// `stable` or `canary`.
    pub track: String,
    /// Whether it is one of several pods, rather than the one process or container.
    pub is_pod: bool,
}

/// What an instance answered to a scrape.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type`.
    pub content_type: String,
    /// The body.
    pub body: Bytes,
}

/// What the host runs, taken in one look.
enum Serving {
    Nothing,
    Instance(Option<Instance>),
    App(App),
}

impl Host {
    fn serving(&self) -> (Option<ApplyRequest>, Serving) {
        let desk = self.desk();
        let Some(live) = &desk.live else { return (None, Serving::Nothing) };
        let serving = match &live.app {
            Some(app) => Serving::App(app.clone()),
            None => Serving::Instance(live.instance.clone()),
        };
        (Some(live.record.request.clone()), serving)
    }

    /// How all is, as far as it can be told in a few seconds.
    pub async fn report(&self) -> TargetReport {
        let status = self.status();
        let (request, serving) = self.serving();
        let mut report = TargetReport {
            place: request.as_ref().map(|request| place(&request.target)),
            live: status.live.as_ref().map(|live| live.release),
            serving: status.live.as_ref().is_some_and(|live| live.serving),
            last_exit: status.live.as_ref().and_then(|live| live.last_exit.clone()),
            ..TargetReport::default()
        };
        let restarts = status.live.as_ref().map_or(0, |live| live.restarts);
        match serving {
            Serving::Nothing => {}
            Serving::Instance(instance) => {
                let release = report.live.unwrap_or_default();
                report.instances.extend(match instance {
                    Some(instance) => self.instance_status(&instance, release, restarts).await,
                    None => None,
                });
            }
            Serving::App(app) => app.report(&mut report).await,
        }
        report
    }

    async fn instance_status(&self, instance: &Instance, release: ReleaseId, restarts: u64) -> Option<InstanceStatus> {
        let mut status = tokio::time::timeout(ANSWER, instance.status(release)).await.ok()?;
        status.restarts = status.restarts.max(restarts);
        Some(status)
    }

    /// The last lines that the live release wrote.
    pub async fn release_log(&self, lines: usize) -> Vec<String> {
        let (request, serving) = self.serving();
        match (request, serving) {
            (Some(request), Serving::Instance(None | Some(Instance::Process(_)))) => {
                tail(&release_log(&self.releases, request.release), 0, lines)
            }
            (_, Serving::Instance(Some(Instance::Container(container)))) => {
                tokio::time::timeout(ANSWER, container.logs(lines)).await.unwrap_or_default()
            }
            (_, Serving::App(app)) => tokio::time::timeout(ANSWER, app.logs(lines)).await.unwrap_or_default(),
            (None, _) | (_, Serving::Nothing) => Vec::new(),
        }
    }

    /// What can be scraped now.
    pub fn scraped(&self) -> Vec<Scraped> {
        let (request, serving) = self.serving();
        let (Some(request), serving) = (request, serving) else { return Vec::new() };
        match serving {
            Serving::Nothing | Serving::Instance(None) => Vec::new(),
            Serving::Instance(Some(instance)) => {
                let release = request.release;
                vec![Scraped { instance: instance.name(), release, track: "stable".to_owned(), is_pod: false }]
            }
            Serving::App(app) => app.scraped(request.release),
        }
    }

    /// Reads the metrics of one instance.
    pub async fn scrape(&self, name: &str) -> Result<Answer, String> {
        let (request, serving) = self.serving();
        let request = request.ok_or("no release is live")?;
        let path = format!("/{}", request.metrics_path.trim_start_matches('/'));
        match serving {
            Serving::Instance(Some(instance)) if instance.name() == name => {
                let url = format!("http://{}{path}", instance.address());
                // The limit of time is the scraper's own.
                let sent = self.probe.get(url).timeout(Duration::from_secs(30)).send().await;
                let response = sent.map_err(|error| causes::told(&error))?;
                let status = response.status().as_u16();
                let content_type = text_of(response.headers().get(CONTENT_TYPE));
                let body = read_bounded(response).await?;
                Ok(Answer { status, content_type, body })
            }
            Serving::App(app) => {
                let response = app.routes.get(name, &path).await?;
                Ok(Answer {
                    status: response.status().as_u16(),
                    content_type: text_of(response.headers().get(CONTENT_TYPE)),
                    body: response.into_body(),
                })
            }
            Serving::Nothing | Serving::Instance(_) => Err(format!("{name} does not run any more")),
        }
    }
}

async fn read_bounded(mut response: reqwest::Response) -> Result<Bytes, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| causes::told(&error))? {
        if body.len() + chunk.len() > LARGEST_SCRAPE {
            return Err(format!("the answer is larger than {LARGEST_SCRAPE} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Bytes::from(body))
}

fn text_of(value: Option<&hyper::header::HeaderValue>) -> String {
    value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}
