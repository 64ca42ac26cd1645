//! The pods of an app as they are now: what they do, what they use, what they say.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, ListParams, LogParams};
use serde_json::Value;

use super::app::DEFAULT_CONTAINER;
use super::connection::{Cluster, ClusterError};
use super::pods::PodEntry;
use crate::target::{InstanceStatus, Usage};

/// How long it may take to list pods; somebody looks at the answer.
const LIST: Duration = Duration::from_secs(5);
/// How long the usage may take. It comes from a program beside the cluster, which may be slow, and pods are told without it.
const USAGE: Duration = Duration::from_secs(2);
/// The longest line of a log that is handed on, in bytes.
const LONGEST_LINE: usize = 8 << 10;
/// The most of a log that is read, in bytes.
const MOST: i64 = 4 << 20;

/// The pods that `selector` chooses, with what they use where the cluster measures that.
pub async fn instances(cluster: &Cluster, selector: &str) -> Result<Vec<InstanceStatus>, ClusterError> {
    let parameters = ListParams::default().labels(selector);
    let api = cluster.api::<Pod>();
    let (pods, usage) = tokio::join!(cluster.ask_within(LIST, api.list(&parameters)), usage(cluster, selector));
    Ok(pods?.items.iter().filter_map(|pod| instance(pod, &usage)).collect())
}

/// The last lines of a pod's log.
pub async fn logs(cluster: &Cluster, pod: &str, lines: usize) -> Result<Vec<String>, ClusterError> {
    match log_of(cluster, pod, None, false, lines).await {
        // It has several containers, and the server does not guess.
        Err(ClusterError::Invalid { .. }) => {
            let found = cluster.ask(cluster.api::<Pod>().get(pod)).await?;
            log_of(cluster, pod, main_container(&found), false, lines).await
        }
        said => said,
    }
}

/// The last lines of one container, or of its former run.
pub(super) async fn log_of(
    cluster: &Cluster,
    pod: &str,
    container: Option<&str>,
    is_former: bool,
    lines: usize,
) -> Result<Vec<String>, ClusterError> {
    let parameters = LogParams {
        container: container.map(str::to_owned),
        previous: is_former,
        tail_lines: Some(i64::try_from(lines).unwrap_or(i64::MAX)),
        limit_bytes: Some(MOST),
        ..LogParams::default()
    };
    let text = cluster.ask(cluster.api::<Pod>().logs(pod, &parameters)).await?;
    Ok(text.lines().map(|line| cut(line).to_owned()).collect())
}

/// A pod of ours; one without a release among its labels is somebody else's.
fn instance(pod: &Pod, usage: &BTreeMap<String, Usage>) -> Option<InstanceStatus> {
    let entry = PodEntry::of(pod);
    Some(InstanceStatus {
        usage: usage.get(&entry.name).copied(),
        name: entry.name,
        release: entry.release?,
        track: entry.track,
        state: entry.state,
        ready: entry.ready,
        restarts: entry.restarts,
        since: entry.started,
        node: entry.node,
    })
}

/// What the pods use, by name; nothing where it is not measured or may not be seen.
async fn usage(cluster: &Cluster, selector: &str) -> BTreeMap<String, Usage> {
    let resource = ApiResource {
        group: "metrics.k8s.io".to_owned(),
        version: "v1beta1".to_owned(),
        api_version: "metrics.k8s.io/v1beta1".to_owned(),
        kind: "PodMetrics".to_owned(),
        plural: "pods".to_owned(),
    };
    let api: Api<DynamicObject> = cluster.api_of(&resource, true);
    let parameters = ListParams::default().labels(selector);
    let found = cluster.ask_within(USAGE, api.list(&parameters)).await;
    let measured = found.map(|found| found.items).unwrap_or_default();
    measured.into_iter().filter_map(|pod| Some((pod.metadata.name.clone()?, sum(&pod.data)?))).collect()
}

/// The containers of a pod together.
fn sum(measured: &Value) -> Option<Usage> {
    let mut all = Usage { cpus: 0.0, memory: 0 };
    for container in measured.get("containers")?.as_array()? {
        let amount = |name: &str| quantity(container.pointer(&format!("/usage/{name}"))?.as_str()?);
        all.cpus += amount("cpu")?;
        all.memory += whole(amount("memory")?);
    }
    Some(all)
}

/// A quantity as Kubernetes writes it: `250m`, `128Mi`, `1.5`, `2e3`.
fn quantity(text: &str) -> Option<f64> {
    let suffixes = [
        ("Ki", 1024.0),
        ("Mi", 1024.0 * 1024.0),
        ("Gi", 1024.0 * 1024.0 * 1024.0),
        ("Ti", 1024.0 * 1024.0 * 1024.0 * 1024.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
    ];
    let found = suffixes.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(*suffix)?, *factor)));
    let (number, factor) = found.unwrap_or((text, 1.0));
    let value = number.parse::<f64>().ok()? * factor;
    (value.is_finite() && value >= 0.0).then_some(value)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "bytes of memory, never negative, are far below 2⁶⁴"
)]
fn whole(bytes: f64) -> u64 {
    bytes.round() as u64
}

fn main_container(pod: &Pod) -> Option<&str> {
    let named = pod.metadata.annotations.as_ref().and_then(|all| all.get(DEFAULT_CONTAINER)).map(String::as_str);
    named.or_else(|| pod.spec.as_ref()?.containers.first().map(|container| container.name.as_str()))
}

fn cut(line: &str) -> &str {
    let mut end = line.len().min(LONGEST_LINE);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    line.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::pipeline::ReleaseId;

    #[test]
    fn quantities_are_read_in_all_their_forms() {
        let close = |text: &str, expected: f64| {
            let found = quantity(text).unwrap();
            assert!((found - expected).abs() <= expected * 1e-9, "{text}: {found}");
        };
        close("250m", 0.25);
        close("12345678n", 0.012_345_678);
        close("128Mi", 134_217_728.0);
        close("1.5", 1.5);
        close("2e3", 2000.0);
        close("1G", 1e9);
        assert_eq!(quantity("much"), None);
        assert_eq!(quantity("-1"), None);
    }

    #[test]
    fn the_containers_of_a_pod_are_summed() {
        let container = |cpu: &str, memory: &str| json!({ "name": "a", "usage": { "cpu": cpu, "memory": memory } });
        let found = sum(&json!({ "containers": [container("250m", "64Mi"), container("0", "1Ki")] })).unwrap();
        assert!((found.cpus - 0.25).abs() < 1e-9);
        assert_eq!(found.memory, (64 << 20) + 1024);
        assert_eq!(sum(&json!({ "containers": [{ "usage": { "cpu": "1" } }] })), None);
    }

    #[test]
    fn a_pod_without_a_release_is_somebody_elses() {
        let pod = |labels: Value| -> Pod {
            serde_json::from_value(json!({ "metadata": { "name": "wine-1", "labels": labels } })).unwrap()
        };
        let usage = BTreeMap::from([("wine-1".to_owned(), Usage { cpus: 0.5, memory: 7 })]);
        let found = instance(&pod(json!({ "com.trainyard.release": "17" })), &usage).unwrap();
        assert_eq!((found.release, found.track.as_str()), (ReleaseId(17), "stable"));
        assert_eq!(found.usage, Some(Usage { cpus: 0.5, memory: 7 }));
        assert_eq!(instance(&pod(json!({})), &usage), None);
    }

    #[test]
    fn a_log_without_a_name_is_that_of_the_container_that_kubectl_would_take() {
        let pod = |annotations: Value| -> Pod {
            let containers = json!([{ "name": "app" }, { "name": "proxy" }]);
            let pod = json!({ "metadata": { "annotations": annotations }, "spec": { "containers": containers } });
            serde_json::from_value(pod).unwrap()
        };
        assert_eq!(main_container(&pod(json!({}))), Some("app"));
        assert_eq!(main_container(&pod(json!({ DEFAULT_CONTAINER: "proxy" }))), Some("proxy"));
    }

    #[test]
    fn a_long_line_is_cut_between_letters() {
        let line = "é".repeat(LONGEST_LINE);
        assert_eq!(cut(&line).len(), LONGEST_LINE);
        assert_eq!(cut(&format!("x{line}")).len(), LONGEST_LINE - 1);
    }
}
