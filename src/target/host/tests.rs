//! The host as a whole: real processes behind a real proxy, asked through a real socket.
//!
//! The program of a healthy release is this test binary itself, told to run [`serves_as_a_release`].

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;

use super::apply::Host;
use super::log::HostLog;
use super::records::Record;
use super::state::HostState;
use super::{ApplyRequest, ApplyResponse, ClientError, HostClient, control, health, host_log, proxy};
use crate::config::DeployTarget;
use crate::disk::Layout;
use crate::pipeline::{Digest, ReleaseId};
use crate::target::archive::{ContainerConfig, ImageConfig, RootFileSystem};

const DEADLINE: Duration = Duration::from_mins(1);

#[tokio::test]
#[ignore = "the program of a release, run by the other tests"]
async fn serves_as_a_release() {
    let (Ok(listen), Ok(release)) = (std::env::var("TRAINYARD_LISTEN"), std::env::var("TRAINYARD_RELEASE")) else {
        return;
    };
    let router =
        Router::new().route("/healthz", get(|| async { "ok" })).route("/", get(move || async move { release }));
    axum::serve(TcpListener::bind(listen).await.unwrap(), router).await.unwrap();
}

struct Stage {
    _folder: tempfile::TempDir,
    layout: Layout,
    host: Arc<Host>,
    url: String,
}

/// A host with its proxy, and an image that is unpacked already.
async fn stage() -> Stage {
    let folder = tempfile::tempdir().unwrap();
    let layout = Layout::new(folder.path()).unwrap();
    layout.create().unwrap();
    let image = layout.releases().join("digest");
    fs::create_dir_all(image.join("rootfs/app")).unwrap();
    fs::write(image.join("config.json"), serde_json::to_vec(&config()).unwrap()).unwrap();
    let (host, url) = host(&layout).await;
    Stage { _folder: folder, layout, host, url }
}

async fn host(layout: &Layout) -> (Arc<Host>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let log = HostLog::new(host_log(layout)).unwrap();
    let host = Arc::new(Host::new(layout, address.port(), log, health::probe().unwrap()));
    tokio::spawn(proxy::serve(listener, host.switch()));
    (host, format!("http://{address}/"))
}

fn config() -> ImageConfig {
    ImageConfig {
        created: String::new(),
        architecture: "amd64".into(),
        os: "linux".into(),
        config: ContainerConfig::default(),
        rootfs: RootFileSystem { kind: "layers".into(), diff_ids: Vec::new() },
        history: Vec::new(),
    }
}

fn request(release: u64, command: &[&str]) -> ApplyRequest {
    ApplyRequest {
        release: ReleaseId(release),
        image: "digest.tar".into(),
        digest: Digest("digest".into()),
        model_version: None,
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        healthy_within: 30_000,
        drain: 5_000,
        ..ApplyRequest::sample(DeployTarget::Process)
    }
}

fn good(release: u64) -> ApplyRequest {
    let program = std::env::current_exe().unwrap();
    let test = "target::host::tests::serves_as_a_release";
    request(release, &[program.to_str().unwrap(), "--exact", "--ignored", "--nocapture", test])
}

fn bad(release: u64) -> ApplyRequest {
    request(release, &["/bin/sh", "-c", "echo broken; exit 3"])
}

async fn outcome(record: &Record) -> ApplyResponse {
    let mut told = record.follow();
    let over = tokio::time::timeout(DEADLINE, told.wait_for(|told| told.outcome.is_some())).await.unwrap().unwrap();
    over.outcome.clone().unwrap()
}

async fn apply(host: &Arc<Host>, request: ApplyRequest) -> ApplyResponse {
    outcome(&host.begin(request).unwrap()).await
}

async fn answer(url: &str) -> String {
    let client = crate::disk::plain_http().build().unwrap();
    client.get(url).send().await.unwrap().text().await.unwrap()
}

fn state(layout: &Layout) -> HostState {
    HostState::read(&HostState::path(&layout.releases())).unwrap()
}

#[tokio::test]
async fn a_release_that_dies_is_refused_with_its_last_words() {
    let stage = stage().await;
    let ApplyResponse::Rejected { reason, log_tail, kept } = apply(&stage.host, bad(1)).await else {
        unreachable!("a dead release does not serve");
    };
    assert!(reason.starts_with("ended before it was healthy"), "{reason}");
    assert_eq!((log_tail, kept), (vec!["broken".to_owned()], None));
    assert!(state(&stage.layout).children.is_empty());
    assert_eq!(stage.host.status().applying, None);
}

#[tokio::test]
async fn a_healthy_release_takes_over_and_a_bad_one_changes_nothing() {
    let stage = stage().await;
    let live = ApplyResponse::Live { address: stage.url.trim_end_matches('/').to_owned() };
    assert_eq!(apply(&stage.host, good(1)).await, live);
    assert_eq!(answer(&stage.url).await, "1");
    assert_eq!(apply(&stage.host, good(2)).await, live);
    assert_eq!(answer(&stage.url).await, "2");
    // The same again is answered without another start.
    let again = stage.host.begin(good(2)).unwrap();
    assert!(again.follow().borrow().steps.is_empty());
    assert_eq!(outcome(&again).await, live);
    let refused = apply(&stage.host, bad(3)).await;
    assert!(matches!(refused, ApplyResponse::Rejected { kept: Some(ReleaseId(2)), .. }), "{refused:?}");
    assert_eq!(answer(&stage.url).await, "2");
    assert_eq!(state(&stage.layout).children.len(), 1);
    stage.host.shut_down().await;
    assert!(state(&stage.layout).children.is_empty());
}

#[tokio::test]
async fn the_next_host_brings_the_live_release_up_again() {
    let stage = stage().await;
    apply(&stage.host, good(7)).await;
    stage.host.shut_down().await;
    let (next, url) = host(&stage.layout).await;
    let record = state(&stage.layout).live.unwrap();
    next.revive(record).await;
    assert_eq!(next.status().live.unwrap().release, ReleaseId(7));
    let serving = async {
        while next.switch().live().is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, serving).await.unwrap();
    assert_eq!(answer(&url).await, "7");
    next.shut_down().await;
}

#[tokio::test]
async fn the_client_hears_each_step_and_a_second_apply_waits_its_turn() {
    let stage = stage().await;
    stage.layout.create_runtime().unwrap();
    let listener = UnixListener::bind(stage.layout.host_socket()).unwrap();
    let (_stopped, was_stopped) = watch::channel(false);
    let router = control::router(Arc::clone(&stage.host), was_stopped);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let client = HostClient::new(&stage.layout).unwrap();
    assert_eq!(client.wait_ready(DEADLINE).await.unwrap().live, None);

    let mut steps = Vec::new();
    let mut tell = |step: &str| steps.push(step.to_owned());
    let applied = client.apply(&good(1), &mut tell).await.unwrap();
    assert!(matches!(applied, ApplyResponse::Live { .. }));
    assert_eq!(steps[0], "starting release 1");
    assert!(steps[1].starts_with("healthy after"));
    assert_eq!(steps[2], "switched: requests go to release 1");
    assert_eq!(client.status().await.unwrap().live.unwrap().release, ReleaseId(1));

    // Never healthy, so it is under way until the host gives it up.
    let slow = stage.host.begin(request(2, &["/bin/sh", "-c", "exec sleep 600"])).unwrap();
    let refused = client.apply(&good(3), &mut |_| ()).await;
    assert!(matches!(refused, Err(ClientError::Busy(ReleaseId(2)))), "{refused:?}");
    stage.host.shut_down().await;
    assert!(matches!(outcome(&slow).await, ApplyResponse::NotTried { .. }));
    fs::remove_dir_all(stage.layout.host_socket().parent().unwrap()).unwrap();
}
