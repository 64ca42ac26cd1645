//! The proxy on loopback, with tiny back ends in this process.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::routing::{get, post};
use futures_util::stream;
use tokio::sync::mpsc;

use super::*;
use crate::target::host::back_end::BackEnd;

const DEADLINE: Duration = Duration::from_secs(20);

async fn back_end(router: Router) -> Arc<BackEnd> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    BackEnd::new(address)
}

async fn named(name: &'static str) -> Arc<BackEnd> {
    back_end(Router::new().route("/", get(move || async move { name }))).await
}

async fn front(live: Option<Arc<BackEnd>>) -> (Arc<Switch>, String) {
    let switch = Arc::new(Switch::default());
    switch.replace(live);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(serve(listener, Arc::clone(&switch)));
    (switch, url)
}

fn client() -> reqwest::Client {
    crate::disk::plain_http().build().unwrap()
}

async fn hundred_more(answered: &AtomicUsize) {
    let goal = answered.load(Ordering::Relaxed) + 100;
    let reached = async {
        while answered.load(Ordering::Relaxed) < goal {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, reached).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_under_load_loses_no_request() {
    let (switch, url) = front(Some(named("old").await)).await;
    let over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let mut loads = Vec::new();
    for _ in 0..8 {
        let (over, answered, url, client) = (Arc::clone(&over), Arc::clone(&answered), url.clone(), client());
        loads.push(tokio::spawn(async move {
            let mut last = String::new();
            while !over.load(Ordering::Relaxed) {
                let response = client.get(&url).send().await.unwrap();
                assert_eq!(response.status(), 200);
                last = response.text().await.unwrap();
                answered.fetch_add(1, Ordering::Relaxed);
            }
            last
        }));
    }
    for round in 0..10 {
        hundred_more(&answered).await;
        let next = named(if round == 9 { "last" } else { "next" }).await;
        let former = switch.replace(Some(next)).unwrap();
        tokio::time::timeout(DEADLINE, former.drained()).await.unwrap();
        assert_eq!(former.in_flight(), 0);
    }
    hundred_more(&answered).await;
    over.store(true, Ordering::Relaxed);
    for load in loads {
        assert_eq!(load.await.unwrap(), "last");
    }
}

#[tokio::test]
async fn a_body_that_still_streams_counts_as_in_flight() {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, Infallible>>(1);
    let receiver = Arc::new(tokio::sync::Mutex::new(Some(receiver)));
    let router = Router::new().route(
        "/",
        get(move || {
            let receiver = Arc::clone(&receiver);
            async move {
                let receiver = receiver.lock().await.take().unwrap();
                let frames = stream::unfold(receiver, |mut receiver| async move {
                    receiver.recv().await.map(|frame| (frame, receiver))
                });
                axum::body::Body::from_stream(frames)
            }
        }),
    );
    let (switch, url) = front(Some(back_end(router).await)).await;
    sender.send(Ok(Bytes::from_static(b"one"))).await.unwrap();
    let mut response = client().get(&url).send().await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "one");
    let former = switch.replace(None).unwrap();
    assert_eq!(former.in_flight(), 1);
    sender.send(Ok(Bytes::from_static(b"two"))).await.unwrap();
    assert_eq!(response.chunk().await.unwrap().unwrap(), "two");
    assert_eq!(former.in_flight(), 1);
    drop(sender);
    assert_eq!(response.chunk().await.unwrap(), None);
    tokio::time::timeout(DEADLINE, former.drained()).await.unwrap();
}

#[tokio::test]
async fn a_client_that_goes_away_is_no_longer_in_flight() {
    let router = Router::new().route("/", get(|| async { std::future::pending::<&'static str>().await }));
    let (switch, url) = front(Some(back_end(router).await)).await;
    let request = tokio::spawn(client().get(&url).send());
    let live = switch.live().unwrap();
    let mut count = live.follow();
    tokio::time::timeout(DEADLINE, count.wait_for(|count| *count == 1)).await.unwrap().unwrap();
    request.abort();
    tokio::time::timeout(DEADLINE, live.drained()).await.unwrap();
}

#[tokio::test]
async fn bodies_and_headers_reach_the_back_end_without_those_of_the_connection() {
    let router = Router::new().route(
        "/echo",
        post(|headers: axum::http::HeaderMap, body: String| async move {
            let of = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default();
            format!("{body}|{}|{}|{}", of("x-forwarded-for"), of("x-secret"), of("x-kept"))
        }),
    );
    let (_switch, url) = front(Some(back_end(router).await)).await;
    let request = client()
        .post(format!("{url}echo?a=b"))
        .header("connection", "keep-alive, x-secret")
        .header("x-secret", "s")
        .header("x-kept", "k")
        .header("x-forwarded-for", "192.0.2.1")
        .body("body");
    let text = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(text, "body|192.0.2.1, 127.0.0.1||k");
}

#[tokio::test]
async fn without_a_release_it_says_so_and_an_unreachable_one_is_a_bad_gateway() {
    let (switch, url) = front(None).await;
    let response = client().get(&url).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert!(response.text().await.unwrap().contains("no release"));
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    switch.replace(Some(BackEnd::new(gone)));
    let response = client().get(&url).send().await.unwrap();
    assert_eq!(response.status(), 502);
    assert!(response.text().await.unwrap().contains("does not answer"));
}
