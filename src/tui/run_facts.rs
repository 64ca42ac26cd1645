//! What there is to say of a run as a whole: how it stands, who started it, what it made, how well, how long each stage took;
//! and which runs somebody looks for.
//!
//! Pure, and nothing is made harmless here: whoever shows a text does that.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::pipeline::{
    Graph, ModelVersion, Moment, ReleaseId, Run, StageName, StageRun, StageSpec, StageState, explain,
};

use super::list::{Sort, ordered};
use super::release_facts::started_by;

/// The metrics that people look at first.
const FIRST_METRICS: [&str; 5] = ["accuracy", "f1", "r2", "auc", "rmse"];

/// What the image stage reports of the size of its archive.
pub(super) const IMAGE_BYTES: &str = "image_bytes";

/// The columns of Runs by which it can be sorted, as they stand in its table: run, state, when, took, model, metric, release,
/// by, why. The bar between them tells what `took` tells.
pub(super) const SORTABLE: [usize; 9] = [0, 1, 2, 3, 5, 6, 7, 8, 9];

/// The metric that people look at first.
pub(super) fn first_metric(metrics: &BTreeMap<String, f64>) -> Option<(&str, f64)> {
    let known = FIRST_METRICS.iter().find_map(|name| metrics.get_key_value(*name));
    known.or_else(|| metrics.iter().find(|(name, _)| *name != IMAGE_BYTES)).map(|(name, value)| (name.as_str(), *value))
}

/// How it ended or stands, in a word.
pub(super) fn word(run: &Run) -> &'static str {
    match run.result {
        Some(result) => explain::result(result),
        None if run.started.is_some() => "running",
        None => "waiting",
    }
}

/// Milliseconds from its start to its end, or to now; `None` before its turn came.
pub(super) fn took(run: &Run, now: Moment) -> Option<u64> {
    run.started.map(|started| run.ended.unwrap_or(now).since(started))
}

/// The stages of a run that did something in it, in the order of the graph.
fn worked<'a>(graph: &'a Graph, run: &'a Run) -> impl Iterator<Item = (&'a StageSpec, &'a StageRun)> {
    let stages = graph.stages().iter().filter_map(|spec| Some((spec, run.stages.get(&spec.name)?)));
    stages.filter(|(_, entry)| entry.started.is_some())
}

/// The model that it made.
pub(super) fn model_of(graph: &Graph, run: &Run) -> Option<ModelVersion> {
    worked(graph, run).find_map(|(_, entry)| entry.model())
}

/// The model that it worked with: the one it made, or the earlier one that was up to date.
pub(super) fn model_with(graph: &Graph, run: &Run) -> Option<ModelVersion> {
    graph.stages().iter().find_map(|spec| run.stages.get(&spec.name)?.model())
}

/// The release that it made.
pub(super) fn release_of(graph: &Graph, run: &Run) -> Option<ReleaseId> {
    worked(graph, run).find_map(|(_, entry)| entry.release)
}

/// How well its model did, else what the first of its stages measured.
pub(super) fn metric_of<'a>(graph: &'a Graph, run: &'a Run) -> Option<(&'a str, f64)> {
    let metric = |(_, entry): (&'a StageSpec, &'a StageRun)| first_metric(&entry.outputs.as_ref()?.metrics);
    let trained = worked(graph, run).filter(|(spec, _)| spec.produces_model).find_map(metric);
    trained.or_else(|| worked(graph, run).find_map(metric))
}

/// A stretch of the time of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The place in the graph of the stage that worked; `None` while none did.
    pub(super) stage: Option<usize>,
    /// Milliseconds.
    pub(super) took: u64,
    /// Whether the stage failed.
    pub(super) failed: bool,
}

/// The time of a run, stage by stage, without what lay before its start. Where stages worked side by side, the one that began
/// first has the time.
pub(super) fn stretches(graph: &Graph, run: &Run, now: Moment) -> Vec<Stretch> {
    let Some(begin) = run.started else { return Vec::new() };
    let mut work: Vec<(Moment, Moment, usize, bool)> = Vec::new();
    for (index, spec) in graph.stages().iter().enumerate() {
        let Some(entry) = run.stages.get(&spec.name) else { continue };
        let Some(started) = entry.started else { continue };
        let failed = matches!(entry.state, StageState::Failed { .. });
        work.push((started, entry.ended.unwrap_or(now), index, failed));
    }
    work.sort_unstable();
    let mut stretches = Vec::new();
    let mut at = begin;
    for (started, ended, index, failed) in work {
        if started > at {
            stretches.push(Stretch { stage: None, took: started.since(at), failed: false });
            at = started;
        }
        if ended > at {
            stretches.push(Stretch { stage: Some(index), took: ended.since(at), failed });
            at = ended;
        }
    }
    let end = run.ended.unwrap_or(now);
    if end > at {
        stretches.push(Stretch { stage: None, took: end.since(at), failed: false });
    }
    stretches
}

/// Which runs somebody looks for; of all that is given, everything must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct RunFilter {
    by: Option<String>,
    stage: Option<StageName>,
    words: Vec<String>,
}

impl RunFilter {
    /// `by:NAME` and `stage:NAME` stand for themselves; every other word is looked for in what started the run, how it ended,
    /// which stage failed, by whom it is and on which commit.
    pub(super) fn parse(typed: &str) -> Self {
        let mut filter = Self::default();
        for word in typed.split_whitespace() {
            if let Some(name) = word.strip_prefix("by:").filter(|name| !name.is_empty()) {
                filter.by = Some(name.to_lowercase());
            } else if let Some(name) = word.strip_prefix("stage:").filter(|name| !name.is_empty()) {
                filter.stage = Some(StageName::from(name));
            } else {
                filter.words.push(word.to_lowercase());
            }
        }
        filter
    }

    /// Whether a run is among them.
    pub(super) fn matches(&self, run: &Run) -> bool {
        let started = |stage: &StageName| run.stages.get(stage).is_some_and(|entry| entry.started.is_some());
        if !self.stage.as_ref().is_none_or(started) {
            return false;
        }
        if self.by.is_none() && self.words.is_empty() {
            return true;
        }
        let by = started_by(&run.trigger).to_lowercase();
        if !self.by.as_ref().is_none_or(|wanted| by.contains(wanted)) {
            return false;
        }
        let failed = run.stages.iter().filter(|(_, entry)| matches!(entry.state, StageState::Failed { .. }));
        let failed: Vec<&str> = failed.map(|(name, _)| name.as_str()).collect();
        let parts = [
            format!("run {}", run.id),
            explain::trigger(&run.trigger),
            word(run).to_owned(),
            failed.join(" "),
            run.inputs.source.label(),
        ];
        let text = format!("{} {by}", parts.join(" ").to_lowercase());
        self.words.iter().all(|word| text.contains(word))
    }
}

/// Which of two runs stands first where they are sorted by a column of [`SORTABLE`]; of equals the newer.
pub(super) fn compare(graph: &Graph, now: Moment, sort: Sort, one: &Run, other: &Run) -> Ordering {
    let text = |run: &Run, of: fn(&Run) -> String| Some(of(run).to_lowercase());
    let texts = |of: fn(&Run) -> String| ordered(text(one, of), text(other, of), sort);
    let ordering = match sort.column {
        1 => texts(|run| word(run).to_owned()),
        2 => ordered(Some(one.created), Some(other.created), sort),
        3 => ordered(took(one, now), took(other, now), sort),
        5 => ordered(model_of(graph, one), model_of(graph, other), sort),
        6 => {
            let value = |run| metric_of(graph, run).map(|(_, value)| value);
            ordered(value(one), value(other), sort)
        }
        7 => ordered(release_of(graph, one), release_of(graph, other), sort),
        8 => texts(|run| started_by(&run.trigger)),
        9 => texts(|run| explain::trigger(&run.trigger)),
        _ => ordered(Some(one.id), Some(other.id), sort),
    };
    ordering.then(other.id.cmp(&one.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Command, RunId};
    use crate::tui::fixtures;

    fn found(world: &fixtures::World, typed: &str) -> Vec<u64> {
        let filter = RunFilter::parse(typed);
        world.state.runs.values().filter(|run| filter.matches(run)).map(|run| run.id.0).collect()
    }

    #[test]
    fn runs_are_found_by_what_started_them_how_they_ended_and_by_whom() {
        let world = fixtures::rolled_back();
        assert_eq!(found(&world, ""), [1, 2, 3, 4]);
        assert_eq!(found(&world, "WINTER"), [2]);
        assert_eq!(found(&world, "passed data"), [2, 3]);
        assert_eq!(found(&world, "by:mina"), [4]);
        assert_eq!(found(&world, "by:automation run"), [1, 2, 3]);
        assert_eq!(found(&world, "stage:train"), [1, 2, 3], "the rollback trained nothing");
        assert_eq!(found(&world, "3f2a91c winter"), [2]);
        assert_eq!(found(&world, "nowhere"), [0; 0]);
    }

    #[test]
    fn a_failed_run_is_found_by_the_stage_that_failed() {
        let model = fixtures::failed();
        let found: Vec<_> = ["failed", "failed test", "failed train"]
            .map(|typed| model.state.runs.values().filter(|run| RunFilter::parse(typed).matches(run)).count())
            .into();
        assert_eq!(found, [1, 1, 0]);
    }

    #[test]
    fn the_stretches_of_a_run_are_all_of_its_time() {
        let mut world = fixtures::two_runs();
        fixtures::command(&mut world, Command::Run(crate::pipeline::Selection { force: true, ..Default::default() }));
        for run in world.state.runs.values() {
            let stretches = stretches(&world.state.graph, run, world.at);
            let sum: u64 = stretches.iter().map(|stretch| stretch.took).sum();
            assert_eq!(Some(sum), took(run, world.at), "run {}", run.id);
        }
        let run = &world.state.runs[&RunId(1)];
        let stages: Vec<_> =
            stretches(&world.state.graph, run, world.at).iter().filter_map(|stretch| stretch.stage).collect();
        assert_eq!(stages, [0, 1, 2, 3]);
    }

    #[test]
    fn runs_are_sorted_by_any_column_and_what_is_not_known_stands_last() {
        let world = fixtures::rolled_back();
        let sorted = |column, is_descending| {
            let sort = Sort { column, is_descending };
            let mut runs: Vec<_> = world.state.runs.values().collect();
            runs.sort_by(|one, other| compare(&world.state.graph, world.at, sort, one, other));
            runs.iter().map(|run| run.id.0).collect::<Vec<_>>()
        };
        assert_eq!(sorted(0, true), [4, 3, 2, 1]);
        assert_eq!(sorted(6, true), [3, 2, 1, 4], "the rollback measured nothing");
        assert_eq!(sorted(6, false), [1, 2, 3, 4]);
        assert_eq!(sorted(8, true), [4, 3, 2, 1], "mina, then automation");
        for column in SORTABLE {
            assert_eq!(sorted(column, true).len(), 4);
        }
    }
}
