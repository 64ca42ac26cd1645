//! The Job as it is sent to the API server, and how one says that it failed.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::{
    Container, EmptyDirVolumeSource, EnvVar, PodSpec, PodTemplateSpec, ResourceRequirements, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::super::literal::literal;
use crate::config::Limits;

/// The one container of the pod.
pub const CONTAINER: &str = "stage";
/// The one volume of the pod.
const VOLUME: &str = "stage";
/// Seconds after which the cluster removes a Job that nobody removed.
const LEFT_OVER: i32 = 3600;

/// What is to run. Not to be printed: variables of a stage may be secrets.
#[derive(Clone)]
pub struct JobRequest {
    /// The name of the Job.
    pub name: String,
    /// Labels of the Job and of its pod.
    pub labels: BTreeMap<String, String>,
    /// The image.
    pub image: String,
    /// The command; nothing in it is replaced.
    pub command: Vec<String>,
    /// The environment; nothing in it is replaced.
    pub environment: BTreeMap<String, String>,
    /// What the pod may use, which is also what it asks for.
    pub limits: Limits,
    /// Where the files of the stage are, on a volume that goes with the pod.
    pub folder: String,
    /// When the cluster is to end it, should nobody else.
    pub deadline: Option<Duration>,
    /// Time between TERM and KILL.
    pub grace: Duration,
}

/// The object of a request.
pub fn job(request: &JobRequest) -> Job {
    let labels = || {
        let mut labels = request.labels.clone();
        labels.insert("app.kubernetes.io/managed-by".to_owned(), "trainyard".to_owned());
        Some(labels)
    };
    Job {
        metadata: ObjectMeta { name: Some(request.name.clone()), labels: labels(), ..ObjectMeta::default() },
        spec: Some(JobSpec {
            // A second try is ours to decide, and another attempt.
            backoff_limit: Some(0),
            ttl_seconds_after_finished: Some(LEFT_OVER),
            active_deadline_seconds: request.deadline.map(seconds),
            template: PodTemplateSpec {
                metadata: Some(ObjectMeta { labels: labels(), ..ObjectMeta::default() }),
                spec: Some(pod(request)),
            },
            ..JobSpec::default()
        }),
        status: None,
    }
}

/// Why a Job failed, if it did.
pub fn failure(job: &Job) -> Option<String> {
    let conditions = job.status.as_ref()?.conditions.as_deref()?;
    let failed = conditions.iter().find(|condition| condition.type_ == "Failed" && condition.status == "True")?;
    let words = [failed.reason.clone(), failed.message.clone()];
    Some(words.into_iter().flatten().collect::<Vec<_>>().join(": "))
}

fn pod(request: &JobRequest) -> PodSpec {
    PodSpec {
        containers: vec![container(request)],
        restart_policy: Some("Never".to_owned()),
        termination_grace_period_seconds: Some(seconds(request.grace).max(1)),
        volumes: Some(vec![Volume {
            name: VOLUME.to_owned(),
            empty_dir: Some(EmptyDirVolumeSource::default()),
            ..Volume::default()
        }]),
        // A stage is not asked to speak to the cluster, and variables of other Services are none of its business.
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        ..PodSpec::default()
    }
}

fn container(request: &JobRequest) -> Container {
    let variable = |(name, value): (&String, &String)| EnvVar {
        name: name.clone(),
        value: Some(literal(value)),
        ..EnvVar::default()
    };
    Container {
        name: CONTAINER.to_owned(),
        image: Some(request.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        command: Some(request.command.iter().map(|argument| literal(argument)).collect()),
        env: Some(request.environment.iter().map(variable).collect()),
        working_dir: Some(request.folder.clone()),
        resources: resources(&request.limits),
        volume_mounts: Some(vec![VolumeMount {
            name: VOLUME.to_owned(),
            mount_path: request.folder.clone(),
            ..VolumeMount::default()
        }]),
        ..Container::default()
    }
}

fn resources(limits: &Limits) -> Option<ResourceRequirements> {
    let memory = limits.memory.map(|bytes| ("memory".to_owned(), Quantity(bytes.to_string())));
    let cpus = limits.cpus.and_then(|cpus| Duration::try_from_secs_f64(cpus).ok());
    // A thousandth of a processor is the least that Kubernetes knows.
    let cpus = cpus.map(|cpus| ("cpu".to_owned(), Quantity(format!("{}m", cpus.as_millis().max(1)))));
    let asked: BTreeMap<String, Quantity> = memory.into_iter().chain(cpus).collect();
    if asked.is_empty() {
        return None;
    }
    Some(ResourceRequirements { limits: Some(asked.clone()), requests: Some(asked), ..ResourceRequirements::default() })
}

/// Whole seconds, not fewer than asked for.
fn seconds(duration: Duration) -> i64 {
    let whole = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    i64::try_from(whole).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn request() -> JobRequest {
        JobRequest {
            name: "wine-test-3-1".to_owned(),
            labels: BTreeMap::from([("com.trainyard.run".to_owned(), "3".to_owned())]),
            image: "python:3.12".to_owned(),
            command: vec!["sh".to_owned(), "-c".to_owned(), "echo $(HOME) $$".to_owned()],
            environment: BTreeMap::from([("PRICE".to_owned(), "5$".to_owned())]),
            limits: Limits { memory: Some(1 << 20), cpus: Some(0.25) },
            folder: "/trainyard".to_owned(),
            deadline: Some(Duration::from_millis(1_500)),
            grace: Duration::from_secs(7),
        }
    }

    #[test]
    fn a_job_is_tried_once_and_has_our_labels_on_itself_and_on_its_pod() {
        let job: Value = serde_json::to_value(job(&request())).unwrap();
        assert_eq!(job["spec"]["backoffLimit"], 0);
        assert_eq!(job["spec"]["activeDeadlineSeconds"], 2);
        assert_eq!(job["spec"]["template"]["spec"]["restartPolicy"], "Never");
        assert_eq!(job["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], 7);
        for labels in [&job["metadata"]["labels"], &job["spec"]["template"]["metadata"]["labels"]] {
            assert_eq!(labels["com.trainyard.run"], "3");
        }
    }

    #[test]
    fn what_looks_like_a_variable_of_kubernetes_stays_as_it_is() {
        let job: Value = serde_json::to_value(job(&request())).unwrap();
        let container = &job["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["command"][2], "echo $$(HOME) $$$$");
        assert_eq!(container["env"][0], json!({ "name": "PRICE", "value": "5$$" }));
    }

    #[test]
    fn limits_are_also_what_is_asked_for_and_none_are_none() {
        let resources = resources(&request().limits).unwrap();
        assert_eq!(resources.limits, resources.requests);
        assert_eq!(resources.limits.unwrap()["cpu"], Quantity("250m".to_owned()));
        assert_eq!(super::resources(&Limits::default()), None);
    }

    #[test]
    fn a_failed_job_tells_why() {
        let failed = json!({
            "metadata": {},
            "status": { "conditions": [
                { "type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "was active too long" },
            ] },
        });
        let failed: Job = serde_json::from_value(failed).unwrap();
        assert_eq!(failure(&failed).unwrap(), "DeadlineExceeded: was active too long");
        assert_eq!(failure(&Job::default()), None);
    }
}
