//! The table of all there is to ask, and whether it changes anything.
//!
//! What stands here is what there is: the server is made of this table, and the test that an observer can change nothing
//! walks over it.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post};

use super::caller::{Door, act, admit};
use super::{Shared, charts, commands, logs, models, own_metrics, past, stream};

/// Whether something is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing that anybody else would notice.
    Read,
    /// Something; observers may not.
    Act,
}

/// One thing to ask.
pub struct Route {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path, with names in braces for what differs.
    pub path: &'static str,
    /// Whether it changes anything.
    pub access: Access,
    handler: MethodRouter<Arc<Shared>>,
}

/// All of them.
pub fn routes() -> Vec<Route> {
    vec![
        look("/metrics", own_metrics::on_the_socket),
        look("/v1/hello", stream::hello),
        look("/v1/snapshot", stream::snapshot),
        look("/v1/events", stream::events),
        question("/v1/session", stream::show_view),
        look("/v1/history", stream::history),
        look("/v1/past", past::past),
        look("/v1/past/place", past::place),
        look("/v1/past/logs/{run}/{stage}/{attempt}", past::log),
        look("/v1/time-line", past::time_line),
        deed("/v1/commands", commands::command),
        question("/v1/plan", commands::make_plan),
        look("/v1/rollback", commands::rollback),
        look("/v1/logs/{run}/{stage}/{attempt}", logs::lines),
        look("/v1/logs/{run}/{stage}/{attempt}/search", logs::search),
        look("/v1/logs/{run}/{stage}/{attempt}/scan", logs::scan),
        question("/v1/logs/{run}/{stage}/{attempt}/rows", logs::rows),
        look("/v1/logs/{run}/{stage}/{attempt}/line", logs::line_at),
        look("/v1/logs/{run}/{stage}/{attempt}/bytes", logs::bytes),
        look("/v1/release-log", logs::release),
        look("/v1/models", models::all),
        look("/v1/models/{version}", models::one),
        look("/v1/models/{version}/profile", models::profile),
        deed("/v1/models/{version}/note", models::note),
        deed("/v1/promote", commands::promote),
        deed("/v1/remark", commands::remark),
        look("/v1/charts", charts::charts),
        look("/v1/comparison", charts::comparison),
        look("/v1/metrics", charts::catalog),
        look("/v1/completions", charts::completions),
        look("/v1/expression", charts::expression_fault),
        look("/v1/query", charts::query),
        look("/v1/query-range", charts::query_range),
        look("/v1/alerts", commands::alerts),
        deed("/v1/alerts/silence", commands::silence),
        deed("/v1/alerts/unsilence", commands::unsilence),
        deed("/v1/end", commands::end),
    ]
}

/// Something to look at.
fn look<H, T>(path: &'static str, handler: H) -> Route
where
    H: Handler<T, Arc<Shared>>,
    T: 'static,
{
    Route { method: "GET", path, access: Access::Read, handler: get(handler) }
}

/// A question with a body, which changes nothing that anybody else would notice.
fn question<H, T>(path: &'static str, handler: H) -> Route
where
    H: Handler<T, Arc<Shared>>,
    T: 'static,
{
    Route { method: "POST", path, access: Access::Read, handler: post(handler) }
}

/// Something that is done.
fn deed<H, T>(path: &'static str, handler: H) -> Route
where
    H: Handler<T, Arc<Shared>>,
    T: 'static,
{
    Route { method: "POST", path, access: Access::Act, handler: post(handler) }
}

/// The server, made of the table.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let mut router = Router::new();
    for Route { path, access, handler, .. } in routes() {
        let handler = match access {
            Access::Read => handler,
            Access::Act => handler.layer(from_fn(act)),
        };
        router = router.route(path, handler);
    }
    // Around everything, also what there is not: who may not enter learns nothing.
    router.with_state(shared).layer(from_fn_with_state(Arc::new(Door::own()), admit))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_route_stands_there_once_and_what_is_looked_at_changes_nothing() {
        let mut seen = BTreeSet::new();
        for route in routes() {
            assert!(seen.insert(route.path), "{} stands there twice", route.path);
            assert!(route.method == "POST" || route.access == Access::Read, "{} acts on a GET", route.path);
        }
    }
}
