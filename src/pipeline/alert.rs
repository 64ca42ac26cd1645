//! Alerts as far as decisions depend on them: which fire, what is to follow from each, which are silenced, and what they have
//! led to.
//!
//! How an expression becomes an alert is the affair of `monitor::alert`; here it is a name, labels and what the evidence says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::ids::{Moment, ReleaseId, RunId, StageName};
use super::reason::Obstacle;
use super::release::Release;

/// An alert that flaps is told of so often in an hour, and then no more until the hour is over: nobody reads the hundredth
/// time, and the journal keeps each for ever. What is to follow from it follows all the same.
pub(super) const MOST_TOLD: u32 = 60;
/// That hour, in milliseconds.
const TOLD_WITHIN: u64 = 3_600_000;

/// Where an alert stands, as Prometheus has it. The order is that of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertState {
    /// Its expression gives nothing.
    #[default]
    Inactive,
    /// Its expression gives something, but not yet for as long as it must.
    Pending,
    /// It fires.
    Firing,
}

impl AlertState {
    /// One word for it, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::Pending => "pending",
            Self::Firing => "firing",
        }
    }
}

/// What is to follow when an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reaction {
    /// People are told.
    #[default]
    Notify,
    /// The release before comes back.
    Rollback,
    /// The model is trained again, and what needs it follows.
    Retrain,
}

impl Reaction {
    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Notify => "notify",
            Self::Rollback => "rollback",
            Self::Retrain => "retrain",
        }
    }
}

/// What an expression says of the live release alone. To know nothing is not to know that all is well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// It gives something, of this release's own series, and has done so for as long as the alert must wait.
    Against,
    /// It gives nothing, and there is data to judge by.
    Clear,
    /// It gives nothing, and there is no data; or the release is not scraped; or it is too early to say.
    #[default]
    None,
}

impl Evidence {
    /// A few words for it, the same everywhere.
    pub fn words(self) -> &'static str {
        match self {
            Self::Against => "against the live release",
            Self::Clear => "clear",
            Self::None => "no evidence",
        }
    }
}

/// An alert that fires, with all that a decision needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiringAlert {
    /// Its name.
    pub name: String,
    /// The labels by which it differs from others of its rule.
    pub labels: String,
    /// The value of its expression, for people.
    pub value: String,
    /// What it means, for people.
    pub summary: String,
    /// Since when its expression has held; or, where a live release was seen without it later, since then: all before has
    /// another cause.
    pub since: Moment,
    /// The release that was live when it was looked at.
    pub release: Option<ReleaseId>,
    /// What the expression says of that release alone.
    pub evidence: Evidence,
    /// What is to follow.
    pub then: Reaction,
    /// Milliseconds in which nothing follows a second time.
    pub cooldown: u64,
    /// Why there is no way back, as far as the world outside knows: the image of the earlier release is gone.
    pub obstacle: Option<String>,
}

impl FiringAlert {
    /// The event that says so.
    pub(super) fn into_event(self, answer: Answer) -> Event {
        let Self { name, labels, value, summary, since, release, evidence, then, cooldown: _, obstacle: _ } = self;
        Event::AlertFired { name, labels, value, summary, since, release, evidence, then, answer }
    }
}

/// What follows from an alert that fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing but that people are told.
    Told,
    /// An earlier release comes back.
    RollsBack {
        /// Which.
        to: ReleaseId,
    },
    /// A model is trained again.
    Retrains {
        /// By this stage.
        stage: StageName,
    },
    /// What should have followed does not.
    Held {
        /// Why.
        why: Restraint,
    },
}

/// Why nothing follows from an alert though something should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restraint {
    /// An operator silenced it.
    Silenced {
        /// Who.
        by: String,
    },
    /// No release is live.
    NothingLive,
    /// The live release's own series do not show it.
    NoEvidence,
    /// It was active before the deploy of the live release began, and no release was seen without it since.
    BeganBefore {
        /// The live one.
        release: ReleaseId,
    },
    /// What was looked at is not live any more.
    OtherRelease {
        /// The live one.
        release: ReleaseId,
    },
    /// Something followed from it a short while ago.
    CoolingDown,
    /// Source and data have not been seen.
    NotReady,
    /// A deploy is under way.
    Deploying {
        /// In this run.
        run: RunId,
    },
    /// A rollback is under way.
    GoingBack {
        /// In this run.
        run: RunId,
    },
    /// An alert wanted to leave this very release before.
    LeftBefore {
        /// The live one.
        release: ReleaseId,
    },
    /// There is nothing to go back to.
    NoEarlierRelease,
    /// The same alert fired on what it would go back to.
    FiredThereToo {
        /// That release.
        release: ReleaseId,
    },
    /// It was gone back to itself: what shows on it too lies elsewhere.
    GoneBackTo {
        /// The live one.
        release: ReleaseId,
    },
    /// What it would go back to was rejected.
    Quarantined {
        /// The release that was rejected.
        release: ReleaseId,
    },
    /// What it would go back to cannot be brought back.
    NoWay {
        /// Why.
        reason: String,
    },
    /// A run is under way, and what it makes may mend it.
    Busy {
        /// Which.
        run: RunId,
    },
    /// No stage makes a model.
    NothingTrains,
    /// An operator locked deploys.
    Locked {
        /// Who.
        by: String,
    },
}

impl Restraint {
    /// Whether it may be over while the alert goes on firing: then the alert is decided upon anew. The others hold for as
    /// long as this release is live.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Silenced { .. }
            | Self::NothingLive
            | Self::NoEvidence
            | Self::BeganBefore { .. }
            | Self::OtherRelease { .. }
            | Self::CoolingDown
            | Self::NotReady
            | Self::Deploying { .. }
            | Self::GoingBack { .. }
            | Self::Busy { .. }
            | Self::Locked { .. } => true,
            Self::LeftBefore { .. }
            | Self::NoEarlierRelease
            | Self::FiredThereToo { .. }
            | Self::GoneBackTo { .. }
            | Self::Quarantined { .. }
            | Self::NoWay { .. }
            | Self::NothingTrains => false,
        }
    }
}

/// An operator wants to hear nothing of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// Who.
    pub by: String,
    /// Why; empty when nothing was said.
    pub message: String,
    /// Since when.
    pub since: Moment,
    /// It ends by itself at this moment.
    pub until: Moment,
}

/// An alert that fires, as the state keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firing {
    /// Since when its expression has held.
    pub since: Moment,
    /// When it fired.
    pub fired: Moment,
    /// The release that was live then.
    pub release: Option<ReleaseId>,
    /// Why nothing followed, if something should have.
    #[serde(default)]
    pub held: Option<Restraint>,
}

/// How often an alert was told of within an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// When that hour began.
    pub since: Moment,
    /// How often.
    pub count: u32,
}

impl Told {
    /// Whether its hour lasts. A clock that went back ends it.
    fn lasts(&self, at: Moment) -> bool {
        self.since <= at && at.since(self.since) < TOLD_WITHIN
    }
}

/// What the state knows of alerts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Alerts {
    /// Those that fire: by name, then by labels.
    pub firing: BTreeMap<String, BTreeMap<String, Firing>>,
    /// Silences by the name of the alert; those that are over are forgotten with the next.
    pub silences: BTreeMap<String, Silence>,
    /// When something last followed from an alert.
    pub answered: BTreeMap<String, Moment>,
    /// Which alerts fired on which release, by its own evidence.
    pub fired_on: BTreeMap<ReleaseId, BTreeSet<String>>,
    /// The releases that an alert wanted to leave.
    pub left: BTreeSet<ReleaseId>,
    /// How often each alert was told of lately.
    #[serde(default)]
    pub told: BTreeMap<String, Told>,
}

impl Alerts {
    /// Names and labels of all that fire.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        self.firing.iter().flat_map(|(name, alerts)| alerts.keys().map(move |labels| (name.as_str(), labels.as_str())))
    }

    /// The silence of an alert, unless it is over.
    pub fn silence(&self, name: &str, at: Moment) -> Option<&Silence> {
        self.silences.get(name).filter(|silence| silence.until > at)
    }

    /// Whether the alert fired on that release, by its own evidence.
    pub fn has_fired_on(&self, release: ReleaseId, name: &str) -> bool {
        self.fired_on.get(&release).is_some_and(|names| names.contains(name))
    }

    /// How often the alert was told of within the present hour.
    pub(super) fn told_of(&self, name: &str, at: Moment) -> u32 {
        self.told.get(name).filter(|told| told.lasts(at)).map_or(0, |told| told.count)
    }

    /// A way back that was not taken is none that followed: neither does its alert cool down from it, nor is the live release
    /// one that was to be left before. What is silenced and goes on is decided upon anew when the silence is over.
    pub(super) fn forget_answer(&mut self, obstacle: &Obstacle, live: Option<ReleaseId>) {
        let (alert, silenced) = match obstacle {
            Obstacle::AlertEnded { alert } => (alert, None),
            Obstacle::AlertSilenced { alert, by } => (alert, Some(Restraint::Silenced { by: by.clone() })),
            Obstacle::NeedFailed { .. }
            | Obstacle::NeedNotRun { .. }
            | Obstacle::NeedStale { .. }
            | Obstacle::NotSelected
            | Obstacle::Quarantined { .. }
            | Obstacle::NoData
            | Obstacle::ModelLost { .. }
            | Obstacle::Declined { .. } => return,
        };
        self.answered.remove(alert);
        self.left.retain(|release| Some(*release) != live);
        if let (Some(silenced), Some(firing)) = (silenced, self.firing.get_mut(alert)) {
            for firing in firing.values_mut() {
                firing.held = Some(silenced.clone());
            }
        }
    }

    /// Records what an event says of alerts; other events say nothing. What is known of releases that are forgotten themselves
    /// is forgotten too.
    pub(super) fn record(&mut self, at: Moment, event: &Event, releases: &BTreeMap<ReleaseId, Arc<Release>>) {
        match event {
            Event::AlertFired { name, labels, since, release, evidence, answer, .. } => {
                let held = match answer {
                    Answer::Held { why } => Some(why.clone()),
                    Answer::Told | Answer::RollsBack { .. } | Answer::Retrains { .. } => None,
                };
                self.told.retain(|_, told| told.lasts(at));
                self.told.entry(name.clone()).or_insert(Told { since: at, count: 0 }).count += 1;
                let firing = Firing { since: *since, fired: at, release: *release, held };
                self.firing.entry(name.clone()).or_default().insert(labels.clone(), firing);
                if let (Some(release), Evidence::Against) = (release, evidence) {
                    self.fired_on.entry(*release).or_default().insert(name.clone());
                }
                match answer {
                    Answer::RollsBack { .. } => {
                        self.answered.insert(name.clone(), at);
                        self.left.extend(*release);
                    }
                    Answer::Retrains { .. } => {
                        self.answered.insert(name.clone(), at);
                    }
                    Answer::Told | Answer::Held { .. } => {}
                }
                self.fired_on.retain(|release, _| releases.contains_key(release));
                self.left.retain(|release| releases.contains_key(release));
            }
            Event::AlertResolved { name, labels, .. } => {
                if let Some(alerts) = self.firing.get_mut(name) {
                    alerts.remove(labels);
                }
                self.firing.retain(|_, alerts| !alerts.is_empty());
            }
            Event::AlertSilenced { alert, by, message, until } => {
                self.silences.retain(|_, silence| silence.until > at);
                let silence = Silence { by: by.clone(), message: message.clone(), since: at, until: *until };
                self.silences.insert(alert.clone(), silence);
            }
            Event::SilenceLifted { alert, .. } => {
                self.silences.remove(alert);
            }
            _ => {}
        }
    }
}
