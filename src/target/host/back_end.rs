//! Where requests go: one address on this machine, or the ready pods of a cluster; and the switch between them.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::watch;

use super::pod_routes::{Lease, PodRoutes};
use crate::target::causes;

/// Shorter than the five seconds after which common servers (Node, uvicorn) close an idle connection: a request that
/// meets such a close cannot be told from one that was lost.
const IDLE: Duration = Duration::from_secs(4);

/// Where requests go, with its connections and the requests it has not answered.
#[derive(Debug)]
pub struct BackEnd {
    route: Route,
    in_flight: watch::Sender<usize>,
}

#[derive(Debug)]
enum Route {
    Address { address: SocketAddr, client: Box<Client<HttpConnector, Incoming>> },
    Pods(Arc<PodRoutes>),
}

impl BackEnd {
    /// A back end on `address`.
    pub fn new(address: SocketAddr) -> Arc<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Arc::new(Self { route: Route::Address { address, client: Box::new(client) }, in_flight: watch::Sender::new(0) })
    }

    /// The ready pods of an app.
    pub fn of_pods(routes: Arc<PodRoutes>) -> Arc<Self> {
        Arc::new(Self { route: Route::Pods(routes), in_flight: watch::Sender::new(0) })
    }

    /// Whether somebody is there to be asked, as far as is known.
    pub fn can_serve(&self) -> bool {
        match &self.route {
            Route::Address { .. } => true,
            Route::Pods(routes) => routes.has_ready(),
        }
    }

    /// Requests that are not answered to the last byte.
    pub fn in_flight(&self) -> usize {
        *self.in_flight.borrow()
    }

    /// Tells how many there are, at each change.
    pub fn follow(&self) -> watch::Receiver<usize> {
        self.in_flight.subscribe()
    }

    /// Waits until there are none.
    pub async fn drained(&self) {
        let mut count = self.follow();
        // The sender lives as long as `self`, so this ends only at zero.
        let _ = count.wait_for(|count| *count == 0).await;
    }

    /// Passes a request on. What is leased must be kept until the answer's last byte.
    pub(super) async fn send(
        &self,
        mut request: Request<Incoming>,
    ) -> Result<(Response<Incoming>, Option<Lease>), String> {
        match &self.route {
            Route::Address { address, client } => {
                let path = request.uri().path_and_query().cloned();
                *request.uri_mut() =
                    path.and_then(|path| target(path, *address)).ok_or("its path is not understood")?;
                let response = client.request(request).await.map_err(|error| causes::told(&error))?;
                Ok((response, None))
            }
            Route::Pods(routes) => routes.send(request).await.map(|(response, lease)| (response, Some(lease))),
        }
    }
}

fn target(path: PathAndQuery, address: SocketAddr) -> Option<Uri> {
    let authority: Authority = address.to_string().parse().ok()?;
    Uri::builder().scheme(Scheme::HTTP).authority(authority).path_and_query(path).build().ok()
}

/// The back end that is live.
#[derive(Debug, Default)]
pub struct Switch {
    live: Mutex<Option<Arc<BackEnd>>>,
}

impl Switch {
    /// Sends all further requests to `next` and returns where they went until now. Once this returns, the requests in
    /// flight of the former can only become fewer.
    pub fn replace(&self, next: Option<Arc<BackEnd>>) -> Option<Arc<BackEnd>> {
        std::mem::replace(&mut *self.live.lock().unwrap_or_else(PoisonError::into_inner), next)
    }

    /// The back end that is live.
    pub fn live(&self) -> Option<Arc<BackEnd>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Chooses the back end of one request and counts the request, under one lock: between the two a drain could end.
    pub(super) fn enter(&self) -> Option<Passage> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let back_end = Arc::clone(live.as_ref()?);
        back_end.in_flight.send_modify(|count| *count += 1);
        Some(Passage { back_end })
    }
}

/// One request in flight; it is over when this is dropped.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) back_end: Arc<BackEnd>,
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.back_end.in_flight.send_modify(|count| *count = count.saturating_sub(1));
    }
}
