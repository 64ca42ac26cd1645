//! The pods of an app, kept current.
//!
//! The cluster tells of changes through a watch. A watch can end, fall behind (410, then the list is read anew) or, worst,
//! be dead for minutes while it looks healthy; so a plain list with a time limit is read beside it, and at once whenever the
//! watch stumbles. Whether the API server can be heard is judged by the list alone.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, ObjectList};
use kube::runtime::{WatchStreamExt, watcher};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::PodEntry;
use crate::disk::now;
use crate::pipeline::Moment;
use crate::target::kubernetes::connection::Cluster;

/// How often the list is read beside the watch.
const LIST_EVERY: Duration = Duration::from_secs(10);
/// How long that may take.
const LIST_WITHIN: Duration = Duration::from_secs(5);
/// Seconds after which the server ends a watch and a new one is begun.
const WATCH: u32 = 60;

/// What is known of an app's pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodList {
    /// The pods, by name.
    pub pods: Vec<PodEntry>,
    /// When the API server last answered.
    pub heard: Moment,
    /// Why it does not answer, or refuses, since then.
    pub trouble: Option<String>,
}

/// A task that keeps a [`PodList`] current until this is dropped.
#[derive(Debug)]
pub struct PodWatch {
    list: watch::Receiver<PodList>,
    task: JoinHandle<()>,
}

impl PodWatch {
    /// Begins to watch the pods that `selector` chooses in the cluster's namespace.
    pub fn start(cluster: Cluster, selector: String) -> Self {
        let (sender, list) = watch::channel(Known::new().list());
        Self { list, task: tokio::spawn(follow(cluster, selector, sender)) }
    }

    /// What is known now, and each change of it.
    pub fn subscribe(&self) -> watch::Receiver<PodList> {
        self.list.clone()
    }
}

impl Drop for PodWatch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn follow(cluster: Cluster, selector: String, list: watch::Sender<PodList>) {
    let api: Api<Pod> = cluster.api();
    let configuration = watcher::Config::default().labels(&selector).timeout(WATCH);
    let mut events = Box::pin(watcher(api.clone(), configuration).default_backoff());
    let parameters = ListParams::default().labels(&selector);
    let mut ticks = interval_at(Instant::now() + LIST_EVERY, LIST_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = Known::new();
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(Ok(event)) => known.take_event(event),
                // Whether anybody is to be told is for the list to find out.
                Some(Err(_)) => ticks.reset_immediately(),
                None => return,
            },
            // An event that comes first shows that the watch is alive, and the list, which may be older, is dropped.
            listed = async {
                ticks.tick().await;
                cluster.ask_within(LIST_WITHIN, api.list(&parameters)).await
            } => match listed {
                Ok(pods) => known.take_list(&pods),
                Err(error) => known.trouble = Some(error.to_string()),
            },
        }
        list.send_replace(known.list());
    }
}

/// The list as it grows out of events and lists.
#[derive(Debug)]
struct Known {
    pods: BTreeMap<String, PodEntry>,
    /// What a new first list has brought so far.
    arriving: BTreeMap<String, PodEntry>,
    heard: Moment,
    trouble: Option<String>,
}

impl Known {
    fn new() -> Self {
        Self { pods: BTreeMap::new(), arriving: BTreeMap::new(), heard: now(), trouble: None }
    }

    fn list(&self) -> PodList {
        PodList { pods: self.pods.values().cloned().collect(), heard: self.heard, trouble: self.trouble.clone() }
    }

    fn take_event(&mut self, event: watcher::Event<Pod>) {
        match event {
            watcher::Event::Init => self.arriving.clear(),
            watcher::Event::InitApply(pod) => insert(&mut self.arriving, &pod),
            watcher::Event::InitDone => self.pods = std::mem::take(&mut self.arriving),
            watcher::Event::Apply(pod) => insert(&mut self.pods, &pod),
            watcher::Event::Delete(pod) => {
                self.pods.remove(&pod.metadata.name.unwrap_or_default());
            }
        }
        self.hear();
    }

    fn take_list(&mut self, pods: &ObjectList<Pod>) {
        self.pods.clear();
        for pod in &pods.items {
            insert(&mut self.pods, pod);
        }
        self.hear();
    }

    fn hear(&mut self) {
        self.heard = now();
        self.trouble = None;
    }
}

fn insert(pods: &mut BTreeMap<String, PodEntry>, pod: &Pod) {
    let entry = PodEntry::of(pod);
    pods.insert(entry.name.clone(), entry);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::entry::tests::pod;
    use super::*;

    fn names(known: &Known) -> Vec<String> {
        known.list().pods.into_iter().map(|pod| pod.name).collect()
    }

    fn plain(name: &str) -> Pod {
        pod(name, |_| {})
    }

    #[test]
    fn a_new_first_list_replaces_the_pods_only_when_it_is_complete() {
        let mut known = Known::new();
        known.take_event(watcher::Event::Apply(plain("old")));
        known.take_event(watcher::Event::Init);
        known.take_event(watcher::Event::InitApply(plain("b")));
        known.take_event(watcher::Event::InitApply(plain("a")));
        assert_eq!(names(&known), ["old"]);
        known.take_event(watcher::Event::InitDone);
        assert_eq!(names(&known), ["a", "b"]);
        known.take_event(watcher::Event::Delete(plain("a")));
        assert_eq!(names(&known), ["b"]);
    }

    #[test]
    fn a_plain_list_replaces_what_a_dead_watch_left_and_ends_the_trouble() {
        let mut known = Known::new();
        known.take_event(watcher::Event::Apply(plain("gone")));
        known.trouble = Some("the API server does not answer".to_owned());
        let list = json!({ "apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": [plain("here")] });
        known.take_list(&serde_json::from_value(list).unwrap());
        assert_eq!(names(&known), ["here"]);
        assert_eq!(known.list().trouble, None);
    }
}
