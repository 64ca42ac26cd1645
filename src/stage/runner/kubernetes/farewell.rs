//! How a Job goes: it is taken away when its stage is over, also if the API server is away at that very moment.
//!
//! Known gap: a Job whose creation reaches the cluster only after it was looked for stays until its own limits end it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;

use super::super::{FAREWELL, RunnerError};
use super::{LEFT_OVER, PATIENCE, Patience, persevere_within};
use crate::target::kubernetes::job as jobs;
use crate::target::kubernetes::job::{Cluster, JobRequest, StageJob};

/// How long it is tried where a Job that stayed would end by itself.
const BRIEF: Patience = Patience { limit: FAREWELL, ..PATIENCE };
/// Whoever told a stage to stop kills this process in the end; its last word is to come before that.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Creates the Job. When the answer is lost the Job may be there all the same, and is taken away; `own` are the labels of
/// exactly this attempt.
pub async fn create(
    cluster: &Cluster,
    request: &JobRequest,
    own: &BTreeMap<String, String>,
) -> Result<StageJob, RunnerError> {
    let error = match jobs::create(cluster, request).await {
        Ok(made) => return Ok(made),
        Err(error) => error,
    };
    if error.is_unreachable() {
        let removed =
            persevere_within(BRIEF, async || jobs::remove(cluster, own, LEFT_OVER).await.map_err(RunnerError::from));
        if let Err(error) = removed.await {
            tell_left_over(&request.name, &cluster.namespace, &error);
        }
    }
    Err(error.into())
}

/// Deletes the Job of a stage that has ended. One that was lost may go on there, so then it is tried for longer.
pub async fn after(made: &StageJob, ended: &Result<i32, RunnerError>, cancelled: impl Future<Output = ()>) {
    let patience = if ended.is_ok() { BRIEF } else { PATIENCE };
    let deleting = persevere_within(patience, async || made.delete().await.map_err(RunnerError::from));
    let deleted = tokio::select! {
        deleted = deleting => deleted,
        // Who is told to stop has no time for patience.
        () = cancelled => made.delete().await.map_err(RunnerError::from),
    };
    if let Err(error) = deleted {
        tell_left_over(made.name(), made.namespace(), &error);
    }
}

/// Deletes the Job of a stage that was cancelled, and waits until nothing of it runs: no longer than whoever cancelled it
/// waits for this process.
pub async fn stop(made: &StageJob, grace: Duration) -> Result<(), RunnerError> {
    let limit = (grace + FAREWELL).saturating_sub(LAST_WORD);
    let patience = Patience { limit, ..PATIENCE };
    let stopping = async {
        persevere_within(patience, async || made.delete().await.map_err(RunnerError::from)).await?;
        let within = grace + FAREWELL / 2;
        persevere_within(patience, async || made.stopped(within).await.map_err(RunnerError::from)).await
    };
    timeout(limit, stopping).await.unwrap_or_else(|_| Err(made.still_there(limit).into()))
}

fn tell_left_over(job: &str, namespace: &str, error: &RunnerError) {
    eprintln!(
        "Job {job} may be left over, for it could not be deleted; remove it with `kubectl delete job {job} -n \
         {namespace}`: {error}"
    );
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::http::{Method, StatusCode, Uri};
    use axum::{Json, Router};
    use serde_json::{Value, json};

    use super::*;
    use crate::config::Limits;
    use crate::target::kubernetes::connection::tests::cluster_of;

    const NAME: &str = "wine-train-1-1";

    fn request() -> JobRequest {
        JobRequest {
            name: NAME.to_owned(),
            labels: own(),
            image: "python:3.12".to_owned(),
            command: Vec::new(),
            environment: BTreeMap::new(),
            limits: Limits::default(),
            folder: "/trainyard".to_owned(),
            deadline: None,
            grace: Duration::from_secs(1),
        }
    }

    fn own() -> BTreeMap<String, String> {
        BTreeMap::from([("com.trainyard.run".to_owned(), "1".to_owned())])
    }

    fn status(code: StatusCode, reason: &str) -> (StatusCode, Value) {
        let body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": reason,
            "reason": reason, "code": code.as_u16(),
        });
        (code, body)
    }

    /// A cluster that is away at the first deletion, and, without `creates`, when a Job is made; and how many deletions it
    /// was asked for.
    fn cluster(creates: bool) -> (Cluster, Arc<AtomicUsize>) {
        let deletions = Arc::new(AtomicUsize::new(0));
        let asked = Arc::clone(&deletions);
        let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": NAME, "uid": "u" } });
        let answer = move |method: Method, uri: Uri| {
            let away = || status(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable");
            let list = |kind: &str, items: Value| {
                (StatusCode::OK, json!({ "apiVersion": "v1", "kind": kind, "metadata": {}, "items": items }))
            };
            let (code, body) = match method.as_str() {
                "DELETE" if asked.fetch_add(1, Ordering::SeqCst) == 0 => away(),
                "POST" if !creates => away(),
                "GET" if uri.path().ends_with("/pods") => list("PodList", json!([])),
                "GET" if uri.path().ends_with("/jobs") => list("JobList", json!([job])),
                "GET" => status(StatusCode::NOT_FOUND, "NotFound"),
                _ => (StatusCode::OK, job),
            };
            async move { (code, Json(body)) }
        };
        (cluster_of(Router::new().fallback(answer)), deletions)
    }

    #[tokio::test]
    async fn a_job_whose_stage_has_ended_is_deleted_although_the_api_was_away() {
        let (cluster, deletions) = cluster(true);
        let made = create(&cluster, &request(), &own()).await.unwrap();
        after(&made, &Ok(0), std::future::pending()).await;
        assert_eq!(deletions.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_job_that_is_cancelled_is_deleted_although_the_api_was_away() {
        let (cluster, deletions) = cluster(true);
        let made = create(&cluster, &request(), &own()).await.unwrap();
        stop(&made, Duration::ZERO).await.unwrap();
        assert_eq!(deletions.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_job_that_was_made_although_its_answer_was_lost_is_taken_away() {
        let (cluster, deletions) = cluster(false);
        let error = create(&cluster, &request(), &own()).await.unwrap_err();
        assert!(error.is_unreachable(), "{error}");
        assert_eq!(deletions.load(Ordering::SeqCst), 2);
    }
}
