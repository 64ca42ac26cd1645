//! What the screen knows of model versions, what it has to ask for, and what the operator chose among them.
//!
//! Nothing is asked for while the view is hidden, and one question is under way at a time: whoever goes fast through the list
//! asks only for the versions on which he stays. What came is kept, also while newer answers are awaited.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::api::types::{DataProfile, ModelDetail, ModelSummary, StageProgress};
use crate::pipeline::{ModelVersion, Run, StageName, StageRun};

use super::app::Model;
use super::list::{ListState, Sort, ordered};

/// The columns of Models by which it can be sorted, as they stand in its table: number, gate, champion, deployed, metric,
/// learner, when, note. The interval tells no order.
pub(super) const SORTABLE: [usize; 8] = [0, 1, 2, 3, 4, 6, 7, 8];

/// Details beyond this many are forgotten, but for those that are shown.
const DETAILS_KEPT: usize = 16;

/// What is shown of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tab {
    /// What it is, what the gate says, where it comes from.
    #[default]
    Summary,
    /// What was tried.
    Leaderboard,
    /// Which classes were taken for which.
    Confusion,
    /// What each column is worth.
    Importance,
    /// How often a predicted probability came true.
    Calibration,
    /// What it learned from.
    Data,
    /// How good it is on parts of the rows.
    Slices,
}

impl Tab {
    /// All, from left to right.
    pub(super) const ALL: [Self; 7] = [
        Self::Summary,
        Self::Leaderboard,
        Self::Confusion,
        Self::Importance,
        Self::Calibration,
        Self::Data,
        Self::Slices,
    ];

    /// What it is called.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Summary => "summary",
            Self::Leaderboard => "leaderboard",
            Self::Confusion => "confusion",
            Self::Importance => "importance",
            Self::Calibration => "calibration",
            Self::Data => "data",
            Self::Slices => "slices",
        }
    }

    /// What it is called where there is little room: a whole word too.
    pub(super) fn short_word(self) -> &'static str {
        match self {
            Self::Leaderboard => "trials",
            Self::Confusion => "classes",
            Self::Importance => "columns",
            Self::Summary | Self::Calibration | Self::Data | Self::Slices => self.word(),
        }
    }

    /// The one beside it, round and round.
    pub(super) fn beside(self, backward: bool) -> Self {
        let index = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        let step = if backward { Self::ALL.len() - 1 } else { 1 };
        Self::ALL.get((index + step) % Self::ALL.len()).copied().unwrap_or(self)
    }
}

/// Something that the daemon is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Question {
    /// For all versions.
    List,
    /// For all that is known of one.
    Detail(ModelVersion),
    /// For the profile of its data.
    Profile(ModelVersion),
}

/// What came of a question.
#[derive(Debug, Clone)]
pub(super) struct Answer<T> {
    /// The last that was known.
    pub(super) value: Option<T>,
    /// Why there is nothing newer.
    pub(super) error: Option<String>,
    is_fresh: bool,
}

impl<T> Default for Answer<T> {
    fn default() -> Self {
        Self { value: None, error: None, is_fresh: false }
    }
}

impl<T> Answer<T> {
    fn take(&mut self, answer: Result<T, String>, is_fresh: bool) {
        self.is_fresh = is_fresh;
        match answer {
            Ok(value) => {
                self.value = Some(value);
                self.error = None;
            }
            Err(error) => self.error = Some(error),
        }
    }
}

/// The models on the screen.
#[derive(Debug, Clone, Default)]
pub(super) struct Models {
    /// What was chosen in the list.
    pub(super) list: ListState<ModelVersion>,
    /// What is shown of the chosen version.
    pub(super) tab: Tab,
    made: Answer<Vec<ModelSummary>>,
    details: BTreeMap<ModelVersion, Answer<Box<ModelDetail>>>,
    profiles: BTreeMap<ModelVersion, Answer<DataProfile>>,
    /// What is awaited, and whether nothing happened since that could change the answer.
    pending: Option<(Question, bool)>,
}

impl Models {
    /// The versions that are there, the newest first.
    pub(super) fn made(&self) -> &[ModelSummary] {
        self.made.value.as_deref().unwrap_or_default()
    }

    /// Whether the daemon has told them once.
    pub(super) fn is_known(&self) -> bool {
        self.made.value.is_some()
    }

    /// Why they did not come.
    pub(super) fn error(&self) -> Option<&str> {
        self.made.error.as_deref()
    }

    /// What came of a version.
    pub(super) fn detail(&self, version: ModelVersion) -> Option<&Answer<Box<ModelDetail>>> {
        self.details.get(&version)
    }

    /// What came of the profile of its data.
    pub(super) fn profile(&self, version: ModelVersion) -> Option<&Answer<DataProfile>> {
        self.profiles.get(&version)
    }

    /// What to ask now so that the list and the `wanted` versions can be shown.
    pub(super) fn next_question(&mut self, wanted: &[ModelVersion]) -> Option<Question> {
        if self.pending.is_some() {
            return None;
        }
        if self.details.len() > DETAILS_KEPT {
            self.details.retain(|version, _| wanted.contains(version));
            self.profiles.retain(|version, _| wanted.contains(version));
        }
        let question = self.due(wanted)?;
        self.pending = Some((question, true));
        Some(question)
    }

    fn due(&self, wanted: &[ModelVersion]) -> Option<Question> {
        if !self.made.is_fresh {
            return Some(Question::List);
        }
        let lacks_detail = |version: &&ModelVersion| !self.details.get(*version).is_some_and(|detail| detail.is_fresh);
        if let Some(version) = wanted.iter().find(lacks_detail) {
            return Some(Question::Detail(*version));
        }
        let has_profile = |version: &ModelVersion| {
            self.details.get(version).and_then(|detail| detail.value.as_ref()).is_some_and(|detail| detail.has_profile)
        };
        let lacks_profile = |version: &&ModelVersion| {
            has_profile(version) && !self.profiles.get(*version).is_some_and(|profile| profile.is_fresh)
        };
        let version = wanted.iter().find(lacks_profile).filter(|_| self.tab == Tab::Data)?;
        Some(Question::Profile(*version))
    }

    /// The list came.
    pub(super) fn listed(&mut self, answer: Result<Vec<ModelSummary>, String>) {
        let is_fresh = self.is_current(Question::List);
        self.made.take(answer, is_fresh);
    }

    /// All that is known of a version came.
    pub(super) fn detailed(&mut self, version: ModelVersion, answer: Result<Box<ModelDetail>, String>) {
        let is_fresh = self.is_current(Question::Detail(version));
        self.details.entry(version).or_default().take(answer, is_fresh);
    }

    /// The profile of its data came.
    pub(super) fn profiled(&mut self, version: ModelVersion, answer: Result<DataProfile, String>) {
        let is_fresh = self.is_current(Question::Profile(version));
        self.profiles.entry(version).or_default().take(answer, is_fresh);
    }

    /// Something changed: what is here may be out of date. The data of a version never changes.
    pub(super) fn invalidate(&mut self) {
        self.made.is_fresh = false;
        for detail in self.details.values_mut() {
            detail.is_fresh = false;
        }
        self.profiles.retain(|_, profile| profile.error.is_none());
        if let Some((_, is_current)) = &mut self.pending {
            *is_current = false;
        }
    }

    /// The daemon is back; an answer that was under way will not come.
    pub(super) fn reconnected(&mut self) {
        self.pending = None;
        self.invalidate();
    }

    /// Whether an answer was awaited and is not out of date already; it is awaited no longer.
    fn is_current(&mut self, question: Question) -> bool {
        self.pending.take_if(|(awaited, _)| *awaited == question).is_some_and(|(_, is_current)| is_current)
    }
}

/// A row of the list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry<'a> {
    /// A version that is being trained.
    Training(Training<'a>),
    /// One that is there.
    Made(&'a ModelSummary),
}

/// A version that is being trained.
#[derive(Debug, Clone, Copy)]
pub(super) struct Training<'a> {
    /// The number that it will have.
    pub(super) version: ModelVersion,
    /// The run.
    pub(super) run: &'a Run,
    /// The stage.
    pub(super) stage: &'a StageName,
    /// What that stage does in this run.
    pub(super) work: &'a StageRun,
    /// What it says of itself.
    pub(super) progress: Option<&'a StageProgress>,
}

impl<'a> Entry<'a> {
    /// Its number.
    pub(super) fn version(self) -> ModelVersion {
        match self {
            Self::Training(training) => training.version,
            Self::Made(made) => made.version,
        }
    }

    /// The model, if it is there already.
    pub(super) fn made(self) -> Option<&'a ModelSummary> {
        match self {
            Self::Training(_) => None,
            Self::Made(made) => Some(made),
        }
    }
}

/// The rows of the list: in the usual order what is being trained, then what is there, the newest first.
pub(super) fn entries(model: &Model) -> Vec<Entry<'_>> {
    let (made, list) = (model.models.made(), &model.models.list);
    let running = model.state.active_run().into_iter().flat_map(|run| {
        run.stages.iter().filter(|(_, work)| work.state.is_running()).filter_map(move |(stage, work)| {
            let (version, progress) = (work.writes_model?, model.progress(run.id, stage));
            Some(Training { version, run, stage, work, progress })
        })
    });
    let is_new = |training: &Training<'_>| made.iter().all(|made| made.version != training.version);
    let all = running.filter(is_new).map(Entry::Training).chain(made.iter().map(Entry::Made));
    let mut rows: Vec<_> = all.filter(|entry| passes(*entry, &list.filter)).collect();
    if list.sort != Sort::default() {
        rows.sort_by(|one, other| compare(list.sort, *one, *other));
    }
    rows
}

/// Of what is being trained only the number is known.
fn compare(sort: Sort, one: Entry<'_>, other: Entry<'_>) -> Ordering {
    let (first, second) = (one.made(), other.made());
    let ordering = match sort.column {
        1 => ordered(first.map(ModelSummary::gate_word), second.map(ModelSummary::gate_word), sort),
        2 => ordered(first.map(|made| made.champion), second.map(|made| made.champion), sort),
        3 => ordered(first.map(|made| made.live), second.map(|made| made.live), sort),
        4 => ordered(first.and_then(metric), second.and_then(metric), sort),
        6 => ordered(first.and_then(|made| made.learner.as_ref()), second.and_then(|made| made.learner.as_ref()), sort),
        7 => ordered(first.map(|made| made.made), second.map(|made| made.made), sort),
        8 => ordered(first.and_then(|made| made.note.as_ref()), second.and_then(|made| made.note.as_ref()), sort),
        _ => ordered(Some(one.version()), Some(other.version()), sort),
    };
    ordering.then(other.version().cmp(&one.version()))
}

/// Metrics of one name stand together: numbers of two tell nothing beside each other.
fn metric(made: &ModelSummary) -> Option<(&str, f64)> {
    made.metric.as_ref().map(|metric| (metric.name.as_str(), metric.value))
}

/// Whether every word that was typed is in what the list tells of a version.
fn passes(entry: Entry<'_>, typed: &str) -> bool {
    if typed.trim().is_empty() {
        return true;
    }
    let version = entry.version();
    let told = match entry {
        Entry::Training(training) => format!("training {}", training.stage),
        Entry::Made(made) => {
            let (learner, note) =
                (made.learner.as_deref().unwrap_or_default(), made.note.as_deref().unwrap_or_default());
            let champion = if made.champion { "champion" } else { "" };
            let live = if made.live { "live" } else { "" };
            format!("{} {learner} {note} {champion} {live} {}", made.gate_word(), made.stage)
        }
    };
    let text = format!("m{version} model {version} {told}").to_lowercase();
    typed.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

/// The row that the keys are about: the chosen version, else the newest.
pub(super) fn chosen(model: &Model) -> Option<Entry<'_>> {
    let entries = entries(model);
    let wanted = model.models.list.chosen;
    let found = entries.iter().find(|entry| Some(entry.version()) == wanted).or_else(|| entries.first());
    found.copied()
}

/// The model that the keys are about, if it is there already.
pub(super) fn chosen_made(model: &Model) -> Option<&ModelSummary> {
    chosen(model).and_then(Entry::made)
}

/// The version with which the chosen one is compared: the marked one, else the champion beside which it was judged, else the
/// one before it.
pub(super) fn partner(model: &Model) -> Option<ModelVersion> {
    let chosen = chosen_made(model)?;
    let made = model.models.made();
    let is_other =
        |version: &ModelVersion| *version != chosen.version && made.iter().any(|made| made.version == *version);
    let versions = || made.iter().map(|made| made.version);
    let marked = model.models.list.marked.filter(is_other);
    let parent = || chosen.parent.filter(is_other);
    let before = || versions().find(|version| *version < chosen.version);
    marked.or_else(parent).or_else(before).or_else(|| versions().find(is_other))
}

/// The versions of which all must be known: the chosen one and, in a comparison, the other.
pub(super) fn wanted(model: &Model) -> Vec<ModelVersion> {
    let other = partner(model).filter(|_| model.models.list.is_comparing);
    chosen_made(model).map(|made| made.version).into_iter().chain(other).collect()
}

/// What is asked before a model is promoted by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PromotePrompt {
    /// Which.
    pub(super) version: ModelVersion,
    /// What was typed of the reason.
    pub(super) why: String,
    /// In production, once there is a reason: what was typed of the project's name.
    pub(super) name: Option<String>,
}

/// What is asked before something is written about a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NotePrompt {
    /// About which.
    pub(super) version: ModelVersion,
    /// What was typed.
    pub(super) text: String,
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;
    use crate::tui::fixtures::send;
    use crate::tui::message::Msg;
    use crate::tui::{fixtures, model_fixtures};

    const ONE: ModelVersion = ModelVersion(1);

    fn detail(version: ModelVersion) -> Box<ModelDetail> {
        Box::new(model_fixtures::detail(&fixtures::two_runs().state, version).unwrap())
    }

    #[test]
    fn one_question_at_a_time_and_none_twice() {
        let mut models = Models::default();
        assert_eq!(models.next_question(&[]), Some(Question::List));
        assert_eq!(models.next_question(&[]), None, "an answer is awaited");
        models.listed(Ok(Vec::new()));
        assert_eq!(models.next_question(&[]), None, "all is known");
        assert_eq!(models.next_question(&[ONE]), Some(Question::Detail(ONE)));
        models.detailed(ONE, Ok(detail(ONE)));
        assert_eq!(models.next_question(&[ONE]), None, "the profile is not shown");
        models.tab = Tab::Data;
        assert_eq!(models.next_question(&[ONE]), Some(Question::Profile(ONE)));
        models.profiled(ONE, Ok(DataProfile::default()));
        assert_eq!(models.next_question(&[ONE]), None);
        models.invalidate();
        assert_eq!(models.next_question(&[ONE]), Some(Question::List));
    }

    #[test]
    fn an_answer_from_before_a_change_is_shown_and_asked_for_again() {
        let mut models = Models::default();
        models.next_question(&[]);
        models.invalidate();
        models.listed(Ok(Vec::new()));
        assert!(models.is_known());
        assert_eq!(models.next_question(&[]), Some(Question::List));
        models.listed(Err("gone".to_owned()));
        assert_eq!((models.is_known(), models.error()), (true, Some("gone")));
        assert_eq!(models.next_question(&[]), None, "what failed is not asked again and again");
    }

    #[test]
    fn what_was_under_way_when_the_daemon_went_is_asked_again() {
        let mut models = Models::default();
        models.next_question(&[]);
        models.reconnected();
        assert_eq!(models.next_question(&[]), Some(Question::List));
    }

    #[test]
    fn details_that_nobody_looks_at_are_forgotten() {
        let mut models = Models::default();
        models.next_question(&[]);
        models.listed(Ok(Vec::new()));
        for version in (1..=40).map(ModelVersion) {
            assert_eq!(models.next_question(&[version]), Some(Question::Detail(version)));
            models.detailed(version, Ok(detail(ONE)));
        }
        models.next_question(&[ModelVersion(40)]);
        assert!(models.details.len() <= DETAILS_KEPT + 1, "{}", models.details.len());
        assert!(models.detail(ModelVersion(40)).is_some());
    }

    #[test]
    fn tabs_go_round() {
        let mut tab = Tab::Summary;
        for _ in Tab::ALL {
            tab = tab.beside(false);
        }
        assert_eq!((tab, tab.beside(true), tab.beside(true).beside(false)), (Tab::Summary, Tab::Slices, Tab::Summary));
    }

    #[test]
    fn a_model_is_compared_with_the_marked_one_else_with_the_champion_of_then_else_with_the_one_before() {
        let mut model = model_fixtures::models();
        // The list is asked for once it is shown.
        send(&mut model, Msg::Key(KeyEvent::new(KeyCode::Char('4'), KeyModifiers::NONE)));
        let version = |model: &Model| chosen(model).map(|entry| entry.version().0);
        assert_eq!(version(&model), Some(3), "the newest");
        assert_eq!(partner(&model), Some(ModelVersion(2)), "the champion when it was trained");
        model.models.list.marked = Some(ONE);
        assert_eq!(partner(&model), Some(ONE));
        model.models.list.chosen = Some(ONE);
        assert_eq!(partner(&model), Some(ModelVersion(3)), "a model is not compared with itself");
        model.models.list.chosen = Some(ModelVersion(99));
        assert_eq!(version(&model), Some(3), "what is not there is not chosen");
    }
}
