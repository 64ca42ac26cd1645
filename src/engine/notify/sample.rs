//! A notice of nothing, by which people try whether they would be told.

use std::path::Path;

use super::message::Message;
use super::origin;
use super::sink::deliver;
use crate::config::Settings;
use crate::disk::now;
use crate::pipeline::{Notice, NoticeKind};

/// What became of one try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The `[[notify]]`.
    pub name: String,
    /// What came back, or why nothing did.
    pub outcome: Result<String, String>,
}

/// Tells all of them, or the one of that name, that this is a test; one try each, in the order of the configuration. `folder` is
/// that of the project.
pub async fn try_all(settings: &Settings, folder: &Path, name: Option<&str>) -> Vec<Tried> {
    let mut tried = Vec::new();
    for sink in settings.notify.iter().filter(|sink| name.is_none_or(|name| sink.name == name)) {
        let origin = origin(settings);
        let notice = Notice {
            kind: sink.on.first().copied().unwrap_or(NoticeKind::Failure),
            title: "a test of notifications".to_owned(),
            text: format!("sent by hand with `trainyard notify test` on {}; nothing has happened", origin.host),
            run: None,
            stage: None,
            release: None,
            alert: None,
            at: now(),
            sequence: 0,
        };
        let outcome = deliver(sink, &Message::new(&notice, origin, 0), folder).await;
        let outcome = outcome.map_err(|undelivered| undelivered.reason().to_owned());
        tried.push(Tried { name: sink.name.clone(), outcome });
    }
    tried
}
