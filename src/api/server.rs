//! The daemon's HTTP server on a Unix socket.
//!
//! [`routes`] is the table of all there is to ask, each with whether it only reads; [`caller`] is the door: it knows whose
//! process calls, and turns away who may not enter or may only look. The rest answers, one file a subject.
//!
//! **Invariant:** no handler runs for another user than the daemon's own, and none that acts for an observer.

mod answers;
mod caller;
mod charts;
mod commands;
mod listen;
mod logs;
mod models;
mod own_metrics;
mod past;
mod push;
mod routes;
mod stream;

use std::io;
use std::sync::Arc;

use axum::extract::State;
use tokio::sync::mpsc;

use crate::engine::Daemon;
use caller::Peer;
use listen::LastingListener;

pub use listen::bind;
pub use routes::{Access, Route, routes};

/// What every handler gets.
struct Shared {
    daemon: Arc<Daemon>,
    end: mpsc::UnboundedSender<()>,
}

type Shares = State<Arc<Shared>>;

/// Serves until the future that owns it is dropped.
pub async fn serve(listener: LastingListener, daemon: Arc<Daemon>, end: mpsc::UnboundedSender<()>) -> io::Result<()> {
    let router = routes::router(Arc::new(Shared { daemon: daemon.clone(), end }));
    tokio::select! {
        served = axum::serve(listener, router.into_make_service_with_connect_info::<Peer>()).into_future() => served,
        () = own_metrics::serve(&daemon) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use axum::extract::Query;
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use crate::api::types::{
        ChartsRequest, ComparisonRequest, CompletionKind, CompletionRequest, LogFilter, LogLevel, PastRequest, RunEdge,
        Stride, TimeLineRequest, WatchRequest,
    };
    use crate::pipeline::{EventFilter, EventKind, Moment, ReleaseId, RunId};

    /// What the server reads of a question that the client puts into an address.
    fn through_an_address<T: Serialize + DeserializeOwned>(asked: &T) -> T {
        let http = crate::disk::plain_http().build().unwrap();
        // A second parameter stands before it, as with some questions of the client.
        let request = http.get("http://daemon/v1/completions").query(&[("limit", 7)]).query(asked).build().unwrap();
        let uri: axum::http::Uri = request.url().as_str().parse().unwrap();
        let Query(read) = Query::<T>::try_from_uri(&uri).unwrap();
        read
    }

    #[test]
    fn what_is_asked_for_survives_the_way_through_an_address() {
        let values = CompletionRequest {
            kind: CompletionKind::LabelValue,
            label: Some("a&b=서울".to_owned()),
            metric: None,
            word: "50% \"x\"+y".to_owned(),
            first: 40,
            count: 20,
        };
        assert_eq!(through_an_address(&values), values);
        let pair = ComparisonRequest {
            expression: "sum by (le) (rate(x{a=\"b\"}[1m]))".to_owned(),
            former: Some(ReleaseId(1)),
            later: None,
            range: 0,
            columns: 200,
        };
        assert_eq!(through_an_address(&pair), pair);
        // The longest line of the explorer, three bytes for each of its own.
        let longest = ChartsRequest { expression: Some("\"".repeat(16 * 1024)), ..ChartsRequest::default() };
        assert_eq!(through_an_address(&longest), longest);
        let watched = WatchRequest { session: u64::MAX, view: "Events & more".to_owned(), pace: 250 };
        assert_eq!(through_an_address(&watched), watched);
        let all = EventFilter {
            alert: Some("Drift".to_owned()),
            by: Some("ann lee".to_owned()),
            kind: Some(EventKind::Approval),
            run: Some(RunId(42)),
            stage: Some("train".into()),
            text: Some("50% of & =".to_owned()),
            since: Some(Moment(-1)),
            until: Some(Moment(2)),
        };
        assert_eq!(through_an_address(&all), all);
        assert_eq!(through_an_address(&EventFilter::default()), EventFilter::default());
        for moment in [
            PastRequest::at(Moment(-1)),
            PastRequest::of_run(RunId(42), RunEdge::Start),
            PastRequest::from_event(7, Stride::Deploy, -3),
        ] {
            assert_eq!(through_an_address(&moment), moment);
        }
        let line = TimeLineRequest { from: Some(Moment(1)), to: None, columns: 90 };
        assert_eq!(through_an_address(&line), line);
        let looked_for = LogFilter {
            pattern: Some("(a|b)+ 50% & \\d#".to_owned()),
            also: Some("오류".to_owned()),
            level: Some(LogLevel::Warn),
            context: 3,
        };
        assert_eq!(through_an_address(&looked_for), looked_for);
        assert_eq!(through_an_address(&LogFilter::default()), LogFilter::default());
    }
}
