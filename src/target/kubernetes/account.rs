//! What is told of a rollout while it goes on: each change once, in words.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::Event;

use super::observe::Observed;
use super::pods::PodEntry;
use super::progress::Progress;
use super::text::one_line;

/// What was told so far.
pub struct Account<'a> {
    step: &'a (dyn Fn(String) + Send + Sync),
    progress: Option<Progress>,
    pods: BTreeMap<String, String>,
    warned: BTreeSet<String>,
}

impl<'a> Account<'a> {
    /// An account to `step`. Warnings that were there `before` are of no news.
    pub fn new(step: &'a (dyn Fn(String) + Send + Sync), before: Option<&Observed>) -> Self {
        let warned = before.map(|seen| seen.warnings.iter().map(kind_of).collect()).unwrap_or_default();
        Self { step, progress: None, pods: BTreeMap::new(), warned }
    }

    /// Tells what is new.
    pub fn tell(&mut self, seen: &Observed) {
        let progress = Progress::of(&seen.deployment);
        // Numbers of before the apply would only confuse.
        if progress.is_seen && self.progress.replace(progress) != Some(progress) {
            (self.step)(progress.to_string());
        }
        for pod in &seen.pods {
            let entry = PodEntry::of(pod);
            let state = if entry.ready { "ready".to_owned() } else { entry.state };
            if self.pods.get(&entry.name) != Some(&state) {
                (self.step)(format!("pod {}: {state}", entry.name));
                self.pods.insert(entry.name, state);
            }
        }
        for event in &seen.warnings {
            if self.warned.insert(kind_of(event)) {
                (self.step)(in_words(event));
            }
        }
    }
}

fn in_words(event: &Event) -> String {
    let about = &event.involved_object;
    let kind = about.kind.as_deref().unwrap_or("object").to_lowercase();
    let name = about.name.as_deref().unwrap_or_default();
    let reason = event.reason.as_deref().unwrap_or("warning");
    format!("warning: {kind} {name}: {reason}: {}", one_line(event.message.as_deref().unwrap_or_default()))
}

/// What two warnings have in common that say the same. Names and addresses that are new in each stand in quotes, and what
/// is counted is a number.
fn kind_of(event: &Event) -> String {
    let message = event.message.as_deref().unwrap_or_default();
    let outside: String = message.split('"').step_by(2).collect();
    let shape: String = outside.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    let name = event.involved_object.name.as_deref().unwrap_or_default();
    format!("{name}/{}/{shape}", event.reason.as_deref().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::{Value, json};

    use super::*;

    fn event(message: &str) -> Event {
        let about = json!({ "kind": "ReplicaSet", "name": "wine-1" });
        serde_json::from_value(json!({
            "metadata": {}, "involvedObject": about, "reason": "FailedCreate", "type": "Warning", "message": message,
        }))
        .unwrap()
    }

    #[expect(clippy::needless_pass_by_value, reason = "a `json!` reads better without a borrow")]
    fn seen(updated: i32, pod: Value) -> Observed {
        let status = json!({ "observedGeneration": 2, "updatedReplicas": updated, "replicas": updated });
        let spec = json!({ "replicas": 2, "selector": {}, "template": {} });
        let deployment = json!({ "metadata": { "generation": 2 }, "spec": spec, "status": status });
        let pod = json!({ "metadata": { "name": "wine-1-a" }, "status": pod });
        Observed {
            deployment: serde_json::from_value(deployment).unwrap(),
            pods: vec![serde_json::from_value(pod).unwrap()],
            ..Observed::default()
        }
    }

    #[test]
    fn each_change_is_told_once() {
        let told = Mutex::new(Vec::new());
        let step = |text: String| told.lock().unwrap().push(text);
        let mut account = Account::new(&step, None);
        let ready = json!({ "phase": "Running", "conditions": [{ "type": "Ready", "status": "True" }] });
        for look in [seen(0, json!({ "phase": "Pending" })), seen(0, json!({ "phase": "Pending" })), seen(1, ready)] {
            account.tell(&look);
        }
        let expected = [
            "0 of 2 pods updated, 0 available",
            "pod wine-1-a: Pending",
            "1 of 2 pods updated, 0 available",
            "pod wine-1-a: ready",
        ];
        assert_eq!(*told.lock().unwrap(), expected);
    }

    #[test]
    fn warnings_that_say_the_same_are_told_once_and_old_ones_not_at_all() {
        let told = Mutex::new(Vec::new());
        let step = |text: String| told.lock().unwrap().push(text);
        let with = |messages: &[&str]| Observed {
            warnings: messages.iter().map(|message| event(message)).collect(),
            ..Observed::default()
        };
        let mut account = Account::new(&step, Some(&with(&["old"])));
        account.tell(&with(&["old", "Error creating: pods \"wine-1-b\" is forbidden: exceeded quota, used: pods=4"]));
        account.tell(&with(&["Error creating: pods \"wine-1-c\" is forbidden: exceeded quota, used: pods=3"]));
        let told = told.lock().unwrap();
        let warnings: Vec<&String> = told.iter().filter(|text| text.starts_with("warning")).collect();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with("warning: replicaset wine-1: FailedCreate: Error creating"), "{warnings:?}");
    }
}
