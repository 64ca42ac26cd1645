//! One request, one ready pod: the choice, the connections, and what is tried again.
//!
//! Connections go through port-forward and are kept, for each costs a WebSocket. A request that was surely not sent (no
//! connection came about, or it was closed before the first byte left) goes to another pod; one that may have been sent is
//! never sent twice.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http_body_util::{BodyExt, Either, Empty, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, Response, Uri};
use tokio::sync::watch;
use tower_service::Service;

use crate::target::causes;
use crate::target::kubernetes::Cluster;
use crate::target::kubernetes::pods::{PodConnector, PodList, PodWatch};

/// What is sent: a client's body, or none.
type Sent = Either<Incoming, Empty<Bytes>>;

/// How many pods a request is offered to.
const TRIES: usize = 4;
/// Idle connections kept a pod.
const KEPT: usize = 64;
/// Bytes of an answer that is read here rather than passed on.
const LARGEST_ANSWER: usize = 64 << 20;

/// The pods of an app.
#[derive(Debug)]
pub struct PodRoutes {
    cluster: Cluster,
    port: u16,
    watch: Arc<PodWatch>,
    list: watch::Receiver<PodList>,
    pools: Mutex<BTreeMap<String, Arc<Pool>>>,
    next: AtomicUsize,
}

#[derive(Debug)]
struct Pool {
    connector: PodConnector,
    idle: Mutex<Vec<SendRequest<Sent>>>,
}

/// A connection in use; it goes back to its pool when the answer was read to its end.
#[derive(Debug)]
pub struct Lease {
    pool: Arc<Pool>,
    sender: Option<SendRequest<Sent>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut sender) = self.sender.take() else { return };
        let pool = Arc::clone(&self.pool);
        // It is ready a moment later, once its task has seen the end of the answer.
        tokio::spawn(async move {
            if sender.ready().await.is_ok() {
                let mut idle = lock(&pool.idle);
                if idle.len() < KEPT {
                    idle.push(sender);
                }
            }
        });
    }
}

impl PodRoutes {
    /// Routes to port `port` of the pods that `watch` sees.
    pub fn new(cluster: Cluster, port: u16, watch: Arc<PodWatch>) -> Self {
        let list = watch.subscribe();
        Self { cluster, port, watch, list, pools: Mutex::default(), next: AtomicUsize::new(0) }
    }

    /// What is known of the pods.
    pub fn list(&self) -> PodList {
        self.list.borrow().clone()
    }

    /// Whether a pod is ready.
    pub fn has_ready(&self) -> bool {
        self.list.borrow().pods.iter().any(|pod| pod.ready && !pod.terminating)
    }

    /// Passes a request on to a pod.
    pub async fn send(&self, request: Request<Incoming>) -> Result<(Response<Incoming>, Lease), String> {
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().cloned().ok_or("its path is not understood")?;
        // The form in which a server is asked; the name of the host stays as the client wrote it.
        parts.uri = Uri::from(path);
        let mut request = Request::from_parts(parts, Either::Left(body));
        let mut tried = Vec::new();
        let mut last = "no pod is ready; see `trainyard releases`".to_owned();
        for _ in 0..TRIES {
            let Some(pod) = self.choose(&tried) else { break };
            match self.send_to(&pod, request).await {
                Ok(answered) => return Ok(answered),
                Err((reason, Some(unsent))) => {
                    tried.push(pod);
                    request = *unsent;
                    last = reason;
                }
                Err((reason, None)) => return Err(reason),
            }
        }
        Err(last)
    }

    /// Reads one path of one pod, such as its metrics.
    pub async fn get(&self, pod: &str, path: &str) -> Result<Response<Bytes>, String> {
        let request = Request::get(path)
            .header(hyper::header::HOST, pod)
            .body(Either::Right(Empty::new()))
            .map_err(|error| error.to_string())?;
        let (response, _lease) = self.send_to(pod, request).await.map_err(|(reason, _)| reason)?;
        let (parts, body) = response.into_parts();
        let body = Limited::new(body, LARGEST_ANSWER).collect().await.map_err(|error| error.to_string())?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    /// The next ready pod in turn, leaving out those that were tried while there are others.
    fn choose(&self, tried: &[String]) -> Option<String> {
        let list = self.list.borrow();
        let ready = || list.pods.iter().filter(|pod| pod.ready && !pod.terminating);
        let fresh: Vec<_> = ready().filter(|pod| !tried.contains(&pod.name)).collect();
        let candidates = if fresh.is_empty() { ready().collect() } else { fresh };
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        candidates.get(turn.checked_rem(candidates.len())?).map(|pod| pod.name.clone())
    }

    /// Sends to one pod. An error gives the request back where it was surely not sent.
    async fn send_to(
        &self,
        pod: &str,
        request: Request<Sent>,
    ) -> Result<(Response<Incoming>, Lease), (String, Option<Box<Request<Sent>>>)> {
        let pool = self.pool(pod);
        let mut sender = match pool.connection().await {
            Ok(sender) => sender,
            Err(reason) => return Err((format!("pod {pod}: {reason}"), Some(Box::new(request)))),
        };
        match sender.try_send_request(request).await {
            Ok(response) => Ok((response, Lease { pool, sender: Some(sender) })),
            Err(mut error) => {
                let unsent = error.take_message().map(Box::new);
                Err((format!("pod {pod}: {}", causes::told(error.error())), unsent))
            }
        }
    }

    fn pool(&self, pod: &str) -> Arc<Pool> {
        let mut pools = lock(&self.pools);
        if !pools.contains_key(pod) {
            // Pods come and go; what is gone needs no connections.
            let list = self.list.borrow();
            pools.retain(|name, _| list.pods.iter().any(|known| known.name == *name));
        }
        let connector = || PodConnector::new(self.cluster.clone(), pod, self.port);
        let pool = pools
            .entry(pod.to_owned())
            .or_insert_with(|| Arc::new(Pool { connector: connector(), idle: Mutex::default() }));
        Arc::clone(pool)
    }

    /// Keeps the watch alive as long as the routes are.
    pub fn watch(&self) -> &PodWatch {
        &self.watch
    }
}

impl Pool {
    async fn connection(&self) -> Result<SendRequest<Sent>, String> {
        loop {
            let kept = lock(&self.idle).pop();
            match kept {
                Some(sender) if sender.is_ready() => return Ok(sender),
                Some(_closed) => {}
                None => break,
            }
        }
        let mut connector = self.connector.clone();
        let stream = connector.call(Uri::from_static("http://pod/")).await.map_err(|error| causes::told(&error))?;
        let (sender, connection) = handshake(stream).await.map_err(|error| causes::told(&error))?;
        tokio::spawn(async move {
            // Its end is seen by who sends.
            let _ = connection.await;
        });
        Ok(sender)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
