//! Who says how many pods there are to be: the manifest, or an autoscaler that must not be overruled by the next release.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v1::HorizontalPodAutoscaler;
use kube::api::ListParams;
use serde_json::{Value, json};

use super::app::table;
use super::connection::Cluster;
use super::object::{MANAGER, Object};

/// Whether an autoscaler, among the objects or on the cluster, owns the number of the Deployment's pods. Who may not look
/// is not told of those on the cluster.
pub async fn is_autoscaled(cluster: &Cluster, objects: &[Object], app: &str) -> bool {
    if objects.iter().any(|object| scales(&object.body, app)) {
        return true;
    }
    let live = cluster.ask(cluster.api::<HorizontalPodAutoscaler>().list(&ListParams::default())).await;
    let Ok(live) = live else { return false };
    live.items.iter().filter_map(|found| found.spec.as_ref()).any(|spec| {
        let target = &spec.scale_target_ref;
        target.kind == "Deployment" && target.name == app
    })
}

/// The object as it is to be applied now: the number of pods is left to an autoscaler.
///
/// What we set ourselves once cannot just be left out, for then the server would take it back to one. So the present number
/// is set until the autoscaler has set another.
pub fn fitted(object: &Object, live: Option<&Deployment>) -> Object {
    let mut object = object.clone();
    let Some(live) = live else { return object };
    if let Some(spec) = table(&mut object.body, &["spec"]) {
        let present = live.spec.as_ref().and_then(|spec| spec.replicas);
        match present.filter(|_| !is_of_another(live)) {
            Some(present) => spec.insert("replicas".to_owned(), json!(present)),
            None => spec.remove("replicas"),
        };
    }
    object
}

/// Whether somebody else has set the number. Servers before 1.22 do not note it when it is set through `scale`.
fn is_of_another(live: &Deployment) -> bool {
    let managers = live.metadata.managed_fields.as_deref().unwrap_or_default();
    managers.iter().any(|entry| {
        let fields = entry.fields_v1.as_ref().map(|fields| &fields.0);
        let holds = fields.and_then(|fields| fields.pointer("/f:spec/f:replicas")).is_some();
        holds && entry.manager.as_deref() != Some(MANAGER)
    })
}

/// Whether an object is an autoscaler (that of Kubernetes, or one of KEDA) of the Deployment `app`.
fn scales(body: &Value, app: &str) -> bool {
    let text = |path: &str| body.pointer(path).and_then(Value::as_str);
    matches!(text("/kind"), Some("HorizontalPodAutoscaler" | "ScaledObject"))
        && text("/spec/scaleTargetRef/name") == Some(app)
        && text("/spec/scaleTargetRef/kind").is_none_or(|kind| kind == "Deployment")
}

#[cfg(test)]
mod tests {
    use super::super::stored::tests::manifests;
    use super::*;

    fn live(manager: &str) -> Deployment {
        let entry =
            json!({ "manager": manager, "operation": "Update", "fieldsV1": { "f:spec": { "f:replicas": {} } } });
        let spec = json!({ "replicas": 5, "selector": {}, "template": {} });
        serde_json::from_value(json!({ "metadata": { "managedFields": [entry] }, "spec": spec })).unwrap()
    }

    #[test]
    fn the_number_of_an_autoscaler_stays_whoever_is_noted_for_it() {
        let object = manifests(17).objects.remove(0);
        let other = fitted(&object, Some(&live("kube-controller-manager")));
        assert_eq!(other.body["spec"].get("replicas"), None, "it is noted as the autoscaler's");
        let ours = fitted(&object, Some(&live(MANAGER)));
        assert_eq!(ours.body["spec"]["replicas"], 5, "left out, it would become one");
        assert_eq!(fitted(&object, None).body["spec"]["replicas"], 2, "at first it is that of the manifest");
    }

    #[test]
    fn an_autoscaler_is_known_by_its_target() {
        let scaler = |kind: &str, name: &str| {
            let target = json!({ "kind": "Deployment", "name": name });
            json!({ "kind": kind, "spec": { "scaleTargetRef": target } })
        };
        assert!(scales(&scaler("HorizontalPodAutoscaler", "wine"), "wine"));
        assert!(scales(&scaler("ScaledObject", "wine"), "wine"));
        assert!(!scales(&scaler("HorizontalPodAutoscaler", "beer"), "wine"));
        assert!(!scales(&json!({ "kind": "Service", "spec": {} }), "wine"));
    }
}
