//! Where the live objects differ from what was applied, because somebody changed them from outside.
//!
//! The server is asked what would become of each object if it were applied now. It names the fields that others own; and
//! where it would change something, that was changed by somebody whose name was not noted, as older servers do not for
//! `kubectl scale`. Values are shown only where they cannot be secret.

use k8s_openapi::api::apps::v1::Deployment;
use kube::api::DynamicObject;
use serde_json::Value;

use super::connection::{Cluster, ClusterError};
use super::manifest::forget;
use super::object::Object;
use super::replicas::fitted;
use super::stored::Prepared;

/// How many differences of one object are told.
const TOLD: usize = 5;

/// What is different, one line each.
pub async fn compare(cluster: &Cluster, prepared: &Prepared) -> Result<Vec<String>, ClusterError> {
    let manifests = &prepared.manifests;
    let mut lines = Vec::new();
    for object in &manifests.objects {
        let Some(live) = object.live(cluster).await? else {
            lines.push(format!("{object} was deleted"));
            continue;
        };
        let is_autoscaled = manifests.autoscaled && object.is_deployment(&manifests.app);
        let wanted = if is_autoscaled { left_to_autoscaler(object, &live) } else { object.clone() };
        match wanted.apply(cluster, true).await {
            Ok(tried) => lines.extend(differences(object, &live, &tried)),
            Err(ClusterError::Conflict { claims }) => lines.extend(claims.iter().map(|claim| {
                let field = claim.field.trim_start_matches('.');
                format!("{object}: {field} is now owned by {}", claim.manager)
            })),
            // Gone in between, or about to go.
            Err(error) if error.is_missing() => lines.push(format!("{object} was deleted")),
            Err(error) => return Err(error),
        }
    }
    Ok(lines)
}

fn left_to_autoscaler(object: &Object, live: &DynamicObject) -> Object {
    let live: Option<Deployment> = live.clone().try_parse().ok();
    fitted(object, live.as_ref())
}

fn differences(object: &Object, live: &DynamicObject, tried: &DynamicObject) -> Vec<String> {
    let is_secret = object.resource.kind == "Secret";
    let mut found = Vec::new();
    compare_values(&plain(live), &plain(tried), "", &mut found);
    let more = found.len().saturating_sub(TOLD);
    let mut lines: Vec<String> = found.into_iter().take(TOLD).map(|found| found.line(object, is_secret)).collect();
    if more > 0 {
        lines.push(format!("{object}: {more} more fields were changed"));
    }
    lines
}

/// What people write: neither what a server notes by itself, nor what controllers tell.
fn plain(object: &DynamicObject) -> Value {
    let mut value = serde_json::to_value(object).unwrap_or_default();
    forget(&mut value);
    value
}

struct Difference {
    field: String,
    live: Option<Value>,
    wanted: Option<Value>,
}

impl Difference {
    fn line(&self, object: &Object, is_secret: bool) -> String {
        let field = &self.field;
        let shown = |value: Option<&Value>| match value {
            None => Some("not set".to_owned()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(Value::Bool(is)) => Some(is.to_string()),
            Some(Value::String(image)) if field.ends_with("].image") => Some(image.clone()),
            Some(_) => None,
        };
        match (shown(self.live.as_ref()), shown(self.wanted.as_ref())) {
            (Some(live), Some(wanted)) if !is_secret => format!("{object}: {field} is {live} instead of {wanted}"),
            _ => format!("{object}: {field} was changed"),
        }
    }
}

fn compare_values(live: &Value, wanted: &Value, field: &str, found: &mut Vec<Difference>) {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => {
            let mut names: Vec<&String> = live.keys().chain(wanted.keys()).collect();
            names.sort();
            names.dedup();
            for name in names {
                let field = if field.is_empty() { name.clone() } else { format!("{field}.{name}") };
                match (live.get(name), wanted.get(name)) {
                    (Some(live), Some(wanted)) => compare_values(live, wanted, &field, found),
                    (live, wanted) => found.push(Difference { field, live: live.cloned(), wanted: wanted.cloned() }),
                }
            }
        }
        (Value::Array(live), Value::Array(wanted)) if live.len() == wanted.len() => {
            for (index, (live, wanted)) in live.iter().zip(wanted).enumerate() {
                // An entry with a name is known by it, as in `containers[app]`.
                let name = wanted.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                compare_values(live, wanted, &format!("{field}[{name}]"), found);
            }
        }
        (live, wanted) if live == wanted => {}
        (live, wanted) => {
            found.push(Difference { field: field.to_owned(), live: Some(live.clone()), wanted: Some(wanted.clone()) });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::object::tests::object;
    use super::*;

    fn deployment(replicas: i32, image: &str, env: &str) -> Value {
        let container = json!({ "name": "app", "image": image, "env": [{ "name": "TOKEN", "value": env }] });
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": { "name": "wine", "resourceVersion": replicas.to_string(), "generation": replicas },
            "spec": { "replicas": replicas, "template": { "spec": { "containers": [container] } } },
            "status": { "replicas": replicas },
        })
    }

    fn compared(live: &Value, tried: &Value) -> Vec<String> {
        let read = |value: &Value| serde_json::from_value::<DynamicObject>(value.clone()).unwrap();
        differences(&object(tried.clone()), &read(live), &read(tried))
    }

    #[test]
    fn what_is_as_it_was_applied_is_no_difference() {
        let same = deployment(2, "wine:1", "a");
        let mut later = same.clone();
        later["metadata"]["resourceVersion"] = json!("99");
        later["status"] = json!({ "replicas": 1 });
        assert_eq!(compared(&later, &same), Vec::<String>::new());
    }

    #[test]
    fn numbers_and_images_are_told_and_other_values_are_not() {
        let lines = compared(&deployment(1, "wine:0", "hush"), &deployment(2, "wine:1", "other"));
        let expected = [
            "deployments/wine: spec.replicas is 1 instead of 2",
            "deployments/wine: spec.template.spec.containers[app].env[TOKEN].value was changed",
            "deployments/wine: spec.template.spec.containers[app].image is wine:0 instead of wine:1",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_secret_shows_no_value_and_many_differences_are_counted() {
        let secret = |numbers: i32| {
            let data: Value =
                (0..8).map(|index| (format!("k{index}"), json!(numbers))).collect::<serde_json::Map<_, _>>().into();
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": data })
        };
        let lines = compared(&secret(1), &secret(2));
        assert_eq!(lines.len(), TOLD + 1);
        assert_eq!(lines[0], "secrets/s: data.k0 was changed");
        assert_eq!(lines[TOLD], "secrets/s: 3 more fields were changed");
    }

    #[test]
    fn what_was_added_or_taken_away_is_told() {
        let mut live = deployment(2, "wine:1", "a");
        live["spec"]["paused"] = json!(true);
        assert_eq!(
            compared(&live, &deployment(2, "wine:1", "a")),
            ["deployments/wine: spec.paused is true instead of not set"]
        );
    }
}
