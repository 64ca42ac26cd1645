//! trainyard's own metrics: on the socket, and on a loopback port where one is configured. That port has nothing else.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};

use super::Shares;
use super::answers::ending;
use crate::engine::{Daemon, own_metrics};

/// How often it is looked whether the configuration names another address for the metrics of trainyard itself.
const LISTEN_LOOK: Duration = Duration::from_secs(2);
/// The subject under which it is told that they cannot be served there.
const LISTEN: &str = "own metrics";

pub(super) async fn on_the_socket(State(shared): Shares) -> Response {
    page(&shared.daemon).await
}

async fn on_a_port(State(daemon): State<Arc<Daemon>>) -> Response {
    page(&daemon).await
}

async fn page(daemon: &Daemon) -> Response {
    match own_metrics::page(daemon).await {
        Some(page) => ([(CONTENT_TYPE, own_metrics::CONTENT_TYPE)], page).into_response(),
        None => ending(),
    }
}

/// Serves them on the loopback address that the configuration names, whenever it names one. Never ends by itself.
pub(super) async fn serve(daemon: &Arc<Daemon>) {
    loop {
        let address = daemon.monitoring.listen();
        tokio::select! {
            () = listen(daemon, address) => {}
            () = until_another(daemon, address) => {}
        }
    }
}

/// Serves as long as it can; without an address it does nothing, for ever.
async fn listen(daemon: &Arc<Daemon>, address: Option<SocketAddr>) {
    let Some(address) = address else {
        daemon.status.problem(LISTEN, None);
        return std::future::pending().await;
    };
    let router: Router = Router::new().route("/metrics", get(on_a_port)).with_state(daemon.clone());
    let failed = match TcpListener::bind(address).await {
        Ok(listener) => {
            daemon.status.problem(LISTEN, None);
            axum::serve(listener, router).await.err()
        }
        Err(error) => Some(error),
    };
    if let Some(error) = failed {
        let text = format!("cannot be served on {address}: {error}; give `listen` under [monitor] another port");
        daemon.status.problem(LISTEN, Some(text));
    }
    // Whoever holds the port may give it back.
    tokio::time::sleep(LISTEN_LOOK).await;
}

/// Waits until the configuration names another address.
async fn until_another(daemon: &Arc<Daemon>, address: Option<SocketAddr>) {
    let mut looks = interval(LISTEN_LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while daemon.monitoring.listen() == address {
        looks.tick().await;
    }
}
