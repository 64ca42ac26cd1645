//! What operators ask for and what they do. Each deed is done in the name of whoever called.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;

use super::answers::{answer, ending, problem};
use super::caller::{Caller, LONGEST_REASON, reason};
use super::{Shared, Shares};
use crate::api::types::{
    CommandReply, CommandRequest, NoteRequest, PlanRequest, PromoteRequest, RollbackPlan, SilenceRequest,
    UnsilenceRequest,
};
use crate::engine::core::CommandError;
use crate::engine::{registry, releases};
use crate::pipeline::{Command, Input, Refusal, ReleaseId, plan};

pub(super) async fn command(
    State(shared): Shares,
    Extension(caller): Extension<Caller>,
    Json(request): Json<CommandRequest>,
) -> Response {
    carry_out(&shared, caller, request).await
}

pub(super) async fn promote(
    State(shared): Shares,
    Extension(caller): Extension<Caller>,
    Json(PromoteRequest { model, message }): Json<PromoteRequest>,
) -> Response {
    let command = Command::Promote { model, message: message.clone() };
    carry_out(&shared, caller, CommandRequest { message, command }).await
}

async fn carry_out(shared: &Shared, caller: Caller, request: CommandRequest) -> Response {
    let CommandRequest { message, mut command } = request;
    let Some(message) = reason(&message) else { return too_long() };
    if let Command::Promote { message, .. } = &mut command {
        match reason(message) {
            Some(plain) => *message = plain,
            None => return too_long(),
        }
    }
    if let Some(reason) = obstacle(shared, &command).await {
        // Before anything is touched: a way that is not there is not entered. That somebody asked is written down.
        let (Caller { name: by, from, .. }, answer) = (caller, problem(StatusCode::CONFLICT, reason.clone()));
        shared.daemon.core.input(Input::Barred { by, from, message, command, reason });
        return answer;
    }
    let reply: CommandReply = match shared.daemon.core.command(caller.name, caller.from, message, command).await {
        Ok(run) => Ok(run),
        Err(CommandError::Refused(refusal)) => Err(refusal),
        Err(error @ CommandError::Journal(_)) => return problem(StatusCode::INSUFFICIENT_STORAGE, error),
        Err(error @ CommandError::Defect) => return problem(StatusCode::INTERNAL_SERVER_ERROR, error),
        Err(CommandError::Ending) => return ending(),
    };
    Json(reply).into_response()
}

/// It is refused and not cut: what is in the trail is what was said.
fn too_long() -> Response {
    let text = format!("the reason is longer than {LONGEST_REASON} bytes; say it shorter, or where to read it");
    problem(StatusCode::UNPROCESSABLE_ENTITY, text)
}

/// What on a disk or in an engine bars what was asked for; the rules are the core's affair.
async fn obstacle(shared: &Shared, command: &Command) -> Option<String> {
    match command {
        Command::Rollback { to } => rollback_plan(shared, *to).await?.ok()?.obstacle,
        Command::Promote { model, .. } => {
            let model = *model;
            registry::ask(&shared.daemon, move |layout, state| registry::obstacle(layout, state, model)).await?
        }
        Command::Run(_)
        | Command::Cancel { .. }
        | Command::Lock { .. }
        | Command::Unlock
        | Command::Approve { .. }
        | Command::Decline { .. } => None,
    }
}

async fn rollback_plan(shared: &Shared, to: Option<ReleaseId>) -> Option<Result<RollbackPlan, Refusal>> {
    let way = shared.daemon.core.look(move |state, _| releases::way_back(state, to)).await?;
    let place = shared.daemon.status.now().target.and_then(|target| target.place);
    Some(match way {
        Ok(way) => Ok(releases::plan_rollback(&shared.daemon.layout, way, place.as_ref()).await),
        Err(refusal) => Err(refusal),
    })
}

#[derive(Deserialize)]
pub(super) struct RollbackWanted {
    to: Option<u64>,
}

pub(super) async fn rollback(State(shared): Shares, Query(wanted): Query<RollbackWanted>) -> Response {
    match rollback_plan(&shared, wanted.to.map(ReleaseId)).await {
        Some(Ok(plan)) => Json(plan).into_response(),
        Some(Err(refusal)) => problem(StatusCode::CONFLICT, refusal),
        None => ending(),
    }
}

pub(super) async fn make_plan(State(shared): Shares, Json(PlanRequest { selection }): Json<PlanRequest>) -> Response {
    answer(shared.daemon.core.look(move |state, _| Ok(plan(state, &selection))).await)
}

pub(super) async fn alerts(State(shared): Shares) -> Response {
    answer(shared.daemon.alerting.report().await.map(Ok))
}

pub(super) async fn silence(
    State(shared): Shares,
    Extension(caller): Extension<Caller>,
    Json(request): Json<SilenceRequest>,
) -> Response {
    let Some(message) = reason(&request.message) else { return too_long() };
    let request = SilenceRequest { message, ..request };
    match shared.daemon.alerting.silence(caller.name, request).await {
        Ok(silence) => Json(silence).into_response(),
        Err(error) => problem(StatusCode::CONFLICT, error),
    }
}

pub(super) async fn unsilence(
    State(shared): Shares,
    Extension(caller): Extension<Caller>,
    Json(request): Json<UnsilenceRequest>,
) -> Response {
    match shared.daemon.alerting.unsilence(caller.name, request.alert).await {
        Ok(()) => Json(()).into_response(),
        Err(error) => problem(StatusCode::CONFLICT, error),
    }
}

pub(super) async fn remark(
    State(shared): Shares,
    Extension(caller): Extension<Caller>,
    Json(NoteRequest { text }): Json<NoteRequest>,
) -> Response {
    let Some(text) = reason(&text) else { return too_long() };
    match shared.daemon.core.ask(Input::Remark { by: caller.name, text }).await {
        Ok(()) => Json(()).into_response(),
        Err(CommandError::Ending) => ending(),
        Err(error) => problem(StatusCode::INSUFFICIENT_STORAGE, error),
    }
}

/// What ends.
#[derive(Deserialize)]
pub(super) struct EndWanted {
    /// Whether whoever ends the daemon stops the app too; it is written down and done by him.
    #[serde(default)]
    with_app: bool,
}

pub(super) async fn end(
    State(shared): Shares,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<EndWanted>,
) -> Response {
    // Taken in before the core is told to end, which comes behind it in the same line.
    shared.daemon.core.input(Input::EndDaemon { by: caller.name, from: caller.from, with_app: wanted.with_app });
    let _ = shared.end.send(());
    StatusCode::ACCEPTED.into_response()
}
