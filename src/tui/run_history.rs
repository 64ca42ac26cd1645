//! Runs as the screen lists them: those of the daemon's state, and behind them older ones that the state has forgotten and
//! the journal has not. Their events are asked for page by page, and folded by the same `apply` as everything else.
//!
//! Of an older run only what the present stages did can be told: the stages of back then may be gone. Nor is it known which
//! model was the champion then.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::pipeline::{Event, EventFilter, Graph, Inputs, Moment, Recorded, Run, RunId, State};

use super::app::Model;
use super::list::ListState;
use super::run_facts::{RunFilter, compare};

/// Older runs beyond this many are not asked for; `trainyard events` has them all.
pub(super) const OLDER_KEPT: usize = 2_000;
/// Inputs of runs beyond this many are forgotten: they hold a row for each data file.
const INPUTS_KEPT: usize = 8;

/// The list of runs, and what was asked of the daemon for it.
#[derive(Debug, Clone, Default)]
pub(super) struct RunHistory {
    /// What was chosen.
    pub(super) list: ListState<RunId>,
    /// Runs before those of the state; `None` before they were asked for.
    pub(super) older: Option<OlderRuns>,
    inputs: BTreeMap<RunId, Result<Inputs, String>>,
    asked: Option<RunId>,
}

impl RunHistory {
    /// With what was chosen, and nothing asked yet.
    pub(super) fn with(list: ListState<RunId>) -> Self {
        Self { list, ..Self::default() }
    }
}

/// Runs that the daemon's state has forgotten.
#[derive(Debug, Clone)]
pub(super) struct OlderRuns {
    /// Events up to the oldest run of the state.
    pub(super) filter: EventFilter,
    /// Whether the daemon is being asked.
    pub(super) is_pending: bool,
    /// Whether there is nothing more to ask for.
    pub(super) is_whole: bool,
    runs: BTreeMap<RunId, Arc<Run>>,
    /// Events of runs whose beginning has not come yet, in their order.
    open: BTreeMap<RunId, Vec<Recorded>>,
    first: Option<u64>,
    below: RunId,
    has_failed: bool,
}

impl OlderRuns {
    /// Those before the run `below`, which was made at `until`.
    pub(super) fn new(below: RunId, until: Moment) -> Self {
        let filter = EventFilter { until: Some(until), ..EventFilter::default() };
        let (runs, open) = (BTreeMap::new(), BTreeMap::new());
        Self { filter, is_pending: false, is_whole: false, runs, open, first: None, below, has_failed: false }
    }

    /// The runs that are whole.
    pub(super) fn runs(&self) -> &BTreeMap<RunId, Arc<Run>> {
        &self.runs
    }

    /// The number of the oldest event that has come: the next page lies before it.
    pub(super) fn before(&self) -> Option<u64> {
        self.first
    }

    /// Events before those that came, of which at most `limit` were asked for.
    pub(super) fn receive(&mut self, mut page: Vec<Recorded>, limit: usize, graph: &Graph) {
        self.is_pending = false;
        let is_last = page.len() < limit;
        page.sort_by_key(|recorded| recorded.sequence);
        let known = self.first.unwrap_or(u64::MAX);
        page.retain(|recorded| recorded.sequence < known);
        self.first = page.first().map(|recorded| recorded.sequence).or(self.first);
        let mut came: BTreeMap<RunId, Vec<Recorded>> = BTreeMap::new();
        for recorded in page {
            if let Some(run) = recorded.event.run().filter(|run| *run < self.below) {
                came.entry(run).or_default().push(recorded);
            }
        }
        for (run, mut events) in came {
            if self.runs.contains_key(&run) {
                continue;
            }
            events.append(&mut self.open.remove(&run).unwrap_or_default());
            match fold(graph, run, &events) {
                Some(folded) => {
                    self.runs.insert(run, folded);
                }
                None => {
                    self.open.insert(run, events);
                }
            }
        }
        self.is_whole = is_last || self.runs.len() >= OLDER_KEPT || self.first.is_none_or(|first| first <= 1);
    }

    /// The daemon could not tell; it is not asked again before the list is opened anew.
    pub(super) fn fail(&mut self) {
        (self.is_pending, self.is_whole, self.has_failed) = (false, true, true);
    }

    /// A run that the state is about to forget.
    pub(super) fn keep(&mut self, run: Arc<Run>) {
        self.runs.insert(run.id, run);
    }
}

/// A run from its events, once its beginning is among them.
fn fold(graph: &Graph, run: RunId, events: &[Recorded]) -> Option<Arc<Run>> {
    let begins = |recorded: &Recorded| matches!(recorded.event, Event::RunCreated { .. });
    if !events.iter().any(begins) {
        return None;
    }
    let mut state = State { graph: graph.clone(), ..State::default() };
    for recorded in events {
        state.sequence = recorded.sequence.saturating_sub(1);
        // What a stage did that is there no longer, or a release that is forgotten, cannot be told; all else can.
        let _ = state.apply(recorded);
    }
    state.runs.remove(&run)
}

impl RunHistory {
    /// The list is opened: what could not be told the last time is asked for again.
    pub(super) fn open(&mut self) {
        if let Some(older) = self.older.as_mut().filter(|older| older.has_failed) {
            (older.has_failed, older.is_whole) = (false, false);
        }
    }

    /// What a run worked on, with its data files; the state drops those of finished runs.
    pub(super) fn inputs_of<'a>(&'a self, run: &'a Run) -> Option<Result<&'a Inputs, &'a str>> {
        if has_files(&run.inputs) {
            return Some(Ok(&run.inputs));
        }
        self.inputs.get(&run.id).map(|known| known.as_ref().map_err(String::as_str))
    }

    /// Of which of these runs the inputs have to be asked for now; one at a time.
    pub(super) fn next_inputs(&mut self, runs: &[Arc<Run>]) -> Option<EventFilter> {
        if self.asked.is_some() {
            return None;
        }
        let lacks = |run: &&Arc<Run>| !has_files(&run.inputs) && !self.inputs.contains_key(&run.id);
        let run = runs.iter().find(lacks).map(|run| run.id)?;
        if self.inputs.len() >= INPUTS_KEPT {
            self.inputs.retain(|known, _| runs.iter().any(|run| run.id == *known));
        }
        self.asked = Some(run);
        Some(filter_of(run))
    }

    /// The events of a run came; false if they were asked for by somebody else.
    pub(super) fn told(&mut self, filter: &EventFilter, answer: &Result<Vec<Recorded>, String>) -> bool {
        let Some(run) = self.asked.filter(|run| *filter == filter_of(*run)) else { return false };
        self.asked = None;
        let found = match answer {
            Ok(events) => events.iter().find_map(|recorded| {
                let Event::RunCreated { run: created, inputs, .. } = &recorded.event else { return None };
                (*created == run).then(|| Ok(inputs.clone()))
            }),
            Err(error) => Some(Err(error.clone())),
        };
        let unknown = || Err(format!("the journal tells no beginning of run {run}"));
        self.inputs.insert(run, found.unwrap_or_else(unknown));
        true
    }

    /// An answer that was under way when the connection broke will not come.
    pub(super) fn reconnected(&mut self) {
        self.asked = None;
        self.inputs.retain(|_, known| known.is_ok());
        if let Some(older) = &mut self.older {
            older.is_pending = false;
        }
    }
}

fn filter_of(run: RunId) -> EventFilter {
    EventFilter { run: Some(run), ..EventFilter::default() }
}

fn has_files(inputs: &Inputs) -> bool {
    inputs.data.count == 0 || !inputs.data.files.is_empty()
}

/// The runs that Runs shows, in the order in which it shows them.
pub(super) fn rows(model: &Model) -> Vec<&Arc<Run>> {
    let list = &model.runs.list;
    let filter = RunFilter::parse(&list.filter);
    let known = &model.state.runs;
    let older = model.runs.older.iter().flat_map(|older| older.runs().values().rev());
    let older = older.filter(|run| !known.contains_key(&run.id));
    let mut rows: Vec<_> = known.values().rev().chain(older).filter(|run| filter.matches(run)).collect();
    if list.sort != super::list::Sort::default() {
        rows.sort_by(|one, other| compare(&model.state.graph, model.now, list.sort, one, other));
    }
    rows
}

/// The run with which the chosen one is compared: the marked one, else the one before it.
pub(super) fn partner(model: &Model) -> Option<&Arc<Run>> {
    let chosen = model.chosen_run()?.id;
    let marked = model.runs.list.marked.filter(|marked| *marked != chosen);
    let older = model.runs.older.iter().flat_map(|older| older.runs().values());
    let before = || older.chain(model.state.runs.values()).filter(|run| run.id < chosen).max_by_key(|run| run.id);
    let after = || model.state.runs.values().find(|run| run.id > chosen);
    marked.and_then(|marked| model.run_of(marked)).or_else(before).or_else(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures::{self, World};

    /// The events up to a run, as the daemon pages them: the newest of those that lie before `before`.
    fn page(world: &World, before: Option<u64>, limit: usize) -> Vec<Recorded> {
        let is_before = |recorded: &&Recorded| before.is_none_or(|before| recorded.sequence < before);
        let mut page: Vec<_> = world.history.iter().filter(is_before).cloned().collect();
        page.drain(..page.len().saturating_sub(limit));
        page
    }

    /// A run without what only the registry of back then knew.
    fn plain(run: &Run) -> Run {
        let mut run = run.clone();
        for entry in run.stages.values_mut() {
            entry.champion = None;
        }
        run
    }

    #[test]
    fn older_runs_are_what_they_were_however_their_events_are_paged() {
        let world = fixtures::two_runs();
        for limit in [1, 3, 7, 1_000] {
            let mut older = OlderRuns::new(RunId(3), world.at);
            for _ in 0..=world.history.len() {
                if older.is_whole {
                    break;
                }
                let came = page(&world, older.before(), limit);
                older.receive(came, limit, &world.state.graph);
            }
            assert!(older.is_whole, "pages of {limit}");
            let told = older.runs().values().map(|run| plain(run));
            assert!(told.eq(world.state.runs.values().map(|run| plain(run))), "pages of {limit}");
        }
    }

    #[test]
    fn runs_that_the_state_knows_are_no_older_ones() {
        let world = fixtures::two_runs();
        let mut older = OlderRuns::new(RunId(2), world.at);
        older.receive(world.history.clone(), 1_000, &world.state.graph);
        assert!(older.runs().keys().eq([RunId(1)].iter()));
    }

    #[test]
    fn inputs_are_asked_for_once_and_one_run_at_a_time() {
        let world = fixtures::two_runs();
        let runs: Vec<_> = world.state.runs.values().cloned().collect();
        let mut history = RunHistory::default();
        let first = history.next_inputs(&runs).unwrap();
        assert_eq!(first.run, Some(RunId(1)));
        assert_eq!(history.next_inputs(&runs), None, "an answer is awaited");
        assert!(!history.told(&EventFilter::default(), &Ok(Vec::new())), "the answer to another question");
        assert!(history.told(&first, &Ok(world.history.clone())));
        assert!(matches!(history.inputs_of(&runs[0]), Some(Ok(inputs)) if inputs.data.count == 1));
        let second = history.next_inputs(&runs).unwrap();
        assert!(history.told(&second, &Err("gone".to_owned())));
        assert_eq!(history.inputs_of(&runs[1]), Some(Err("gone")));
        assert_eq!(history.next_inputs(&runs), None);
        history.reconnected();
        assert!(history.next_inputs(&runs).is_some(), "what failed is asked for again");
    }
}
