//! What changes often and is not journaled, and what of it is new since it was last said.
//!
//! A client gets it whole once and then only the parts that changed: a line of a log that grows does not cost the bytes of
//! what the target says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::operator::OperatorSession;
use super::{AlertStatus, LogAddress, StageProgress, TargetReport, WatchHealth};
use crate::pipeline::Moment;

/// The subject of the problem that a disk of the project is nearly full. In their order it stands behind that of the journal,
/// which is the worse news.
pub const STORAGE: &str = "storage";

/// What changes often and is not journaled.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Live {
    /// The watcher; `None` before its first word.
    pub watch: Option<WatchHealth>,
    /// What running stages say.
    pub progress: Vec<StageProgress>,
    /// Whether the deployed app answered the last scrape, with the error if not; `None` before the first.
    pub scraped: Option<Result<Moment, String>>,
    /// The attempt whose log grew last, and its number of lines.
    pub log: Option<(LogAddress, u64)>,
    /// What the target says; `None` before anything was deployed.
    #[serde(default)]
    pub target: Option<TargetReport>,
    /// What keeps the daemon from doing all it should (an invalid configuration, a full disk), by subject.
    #[serde(default)]
    pub problems: BTreeMap<String, String>,
    /// Where each alert stands, in the order of the configuration; without values, which change all the time.
    #[serde(default)]
    pub alerts: Vec<AlertStatus>,
    /// The screens that follow the daemon, the longest here first.
    #[serde(default)]
    pub operators: Vec<OperatorSession>,
}

/// A part of [`Live`] as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LiveChange {
    /// The watcher.
    Watch(Option<WatchHealth>),
    /// What running stages say.
    Progress(Vec<StageProgress>),
    /// The last scrape.
    Scraped(Option<Result<Moment, String>>),
    /// The log that grew last.
    Log(Option<(LogAddress, u64)>),
    /// What the target says.
    Target(Option<TargetReport>),
    /// What keeps the daemon from doing all it should.
    Problems(BTreeMap<String, String>),
    /// Where each alert stands.
    Alerts(Vec<AlertStatus>),
    /// Who is attached.
    Operators(Vec<OperatorSession>),
}

impl Live {
    /// The parts in which `new` differs, each whole.
    pub fn changes_to(&self, new: &Self) -> Vec<LiveChange> {
        // Taken apart, so that a field to come cannot be forgotten here.
        let Self { watch, progress, scraped, log, target, problems, alerts, operators } = new;
        [
            changed(&self.watch, watch, LiveChange::Watch),
            changed(&self.progress, progress, LiveChange::Progress),
            changed(&self.scraped, scraped, LiveChange::Scraped),
            changed(&self.log, log, LiveChange::Log),
            changed(&self.target, target, LiveChange::Target),
            changed(&self.problems, problems, LiveChange::Problems),
            changed(&self.alerts, alerts, LiveChange::Alerts),
            changed(&self.operators, operators, LiveChange::Operators),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Takes a part in.
    pub fn change(&mut self, change: LiveChange) {
        match change {
            LiveChange::Watch(watch) => self.watch = watch,
            LiveChange::Progress(progress) => self.progress = progress,
            LiveChange::Scraped(scraped) => self.scraped = scraped,
            LiveChange::Log(log) => self.log = log,
            LiveChange::Target(target) => self.target = target,
            LiveChange::Problems(problems) => self.problems = problems,
            LiveChange::Alerts(alerts) => self.alerts = alerts,
            LiveChange::Operators(operators) => self.operators = operators,
        }
    }
}

fn changed<T: PartialEq + Clone>(old: &T, new: &T, change: fn(T) -> LiveChange) -> Option<LiveChange> {
    (old != new).then(|| change(new.clone()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::WatchMode;
    use super::*;
    use crate::pipeline::{AlertState, Attempt, Reaction, RunId, StageName};

    /// A part of each kind; by its number it is empty or one of two others.
    fn part(field: usize, value: u64) -> LiveChange {
        let (is_there, text) = (value > 0, value.to_string());
        let count = usize::from(is_there);
        let stage = StageName::from("train");
        match field {
            0 => LiveChange::Watch(is_there.then(|| WatchHealth {
                mode: WatchMode::Polling { reason: text },
                last_seen: None,
                pending: BTreeMap::new(),
                beside: None,
            })),
            1 => LiveChange::Progress(vec![
                StageProgress {
                    run: RunId(value),
                    stage,
                    share: None,
                    message: text,
                    metrics: BTreeMap::new(),
                    leaderboard: Vec::new(),
                };
                count
            ]),
            2 => LiveChange::Scraped(is_there.then_some(if value == 1 { Ok(Moment(1)) } else { Err(text) })),
            3 => LiveChange::Log(is_there.then_some((LogAddress { run: RunId(1), stage, attempt: Attempt(1) }, value))),
            4 => {
                LiveChange::Target(is_there.then(|| TargetReport { last_exit: Some(text), ..TargetReport::default() }))
            }
            5 => LiveChange::Problems(is_there.then(|| ("disk".to_owned(), text)).into_iter().collect()),
            6 => LiveChange::Alerts(vec![
                AlertStatus {
                    name: text,
                    state: AlertState::Firing,
                    since: None,
                    severity: None,
                    then: Reaction::Notify,
                    silence: None,
                    error: None,
                };
                count
            ]),
            _ => LiveChange::Operators(vec![
                OperatorSession {
                    session: value,
                    name: text,
                    account: "ann".to_owned(),
                    from: None,
                    since: Moment(1),
                    view: "Board".to_owned(),
                    is_observer: false,
                };
                count
            ]),
        }
    }

    fn lives() -> impl Strategy<Value = Live> {
        proptest::collection::vec(0..3_u64, 8).prop_map(|values| {
            let mut live = Live::default();
            for (field, value) in values.into_iter().enumerate() {
                live.change(part(field, value));
            }
            live
        })
    }

    proptest! {
        #[test]
        fn the_changes_from_one_state_to_another_make_the_one_into_the_other(old in lives(), new in lives()) {
            let changes = old.changes_to(&new);
            let mut made = old.clone();
            for change in changes.clone() {
                let text = serde_json::to_string(&change).unwrap();
                made.change(serde_json::from_str(&text).unwrap());
            }
            prop_assert_eq!(&made, &new);
            prop_assert!(made.changes_to(&new).is_empty());
            prop_assert_eq!(changes.is_empty(), old == new);
        }
    }

    #[test]
    fn what_did_not_change_is_not_said_again() {
        let mut old = Live::default();
        for field in 0..8 {
            old.change(part(field, 1));
        }
        for field in 0..8 {
            let mut new = old.clone();
            new.change(part(field, 2));
            assert_eq!(old.changes_to(&new), [part(field, 2)]);
            new.change(part(field, 0));
            assert_eq!(old.changes_to(&new), [part(field, 0)], "that it is gone is said too");
        }
    }
}
