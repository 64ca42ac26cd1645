//! The registry of models, and what people write about them.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};

use super::Shares;
use super::answers::{answer, ending, problem};
use super::caller::Caller;
use crate::api::types::NoteRequest;
use crate::engine::core::CommandError;
use crate::engine::registry;
use crate::pipeline::{Input, ModelVersion, Refusal};

pub(super) async fn all(State(shared): Shares) -> Response {
    answer(registry::ask(&shared.daemon, registry::summaries).await.map(Ok))
}

pub(super) async fn one(State(shared): Shares, Path(version): Path<u64>) -> Response {
    let version = ModelVersion(version);
    match registry::ask(&shared.daemon, move |layout, state| registry::detail(layout, state, version)).await {
        Some(Some(detail)) => Json(detail).into_response(),
        Some(None) => no_such_model(version),
        None => ending(),
    }
}

pub(super) async fn profile(State(shared): Shares, Path(version): Path<u64>) -> Response {
    let version = ModelVersion(version);
    match registry::ask(&shared.daemon, move |layout, _| registry::profile(layout, version)).await {
        Some(Some(profile)) => Json(profile).into_response(),
        Some(None) => problem(StatusCode::NOT_FOUND, format!("model {version} has no profile of its data")),
        None => ending(),
    }
}

fn no_such_model(version: ModelVersion) -> Response {
    problem(StatusCode::NOT_FOUND, Refusal::UnknownModel(version))
}

pub(super) async fn note(
    State(shared): Shares,
    Extension(caller): Extension<Caller>,
    Path(version): Path<u64>,
    Json(NoteRequest { text }): Json<NoteRequest>,
) -> Response {
    let model = ModelVersion(version);
    let known = shared.daemon.core.look(move |state, _| state.registry.models.contains_key(&model)).await;
    match known {
        Some(true) => {}
        Some(false) => return no_such_model(model),
        None => return ending(),
    }
    match shared.daemon.core.ask(Input::NoteModel { model, by: caller.name, text }).await {
        Ok(()) => Json(()).into_response(),
        Err(CommandError::Ending) => ending(),
        Err(error) => problem(StatusCode::INSUFFICIENT_STORAGE, error),
    }
}
