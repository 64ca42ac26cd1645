//! In what two runs differ: what they worked on, what each stage did and for how long, what was measured, what came of them.
//!
//! Pure, and nothing is made harmless here: whoever shows a text does that.

use std::collections::{BTreeMap, BTreeSet};

use crate::pipeline::{DataFile, Graph, Inputs, Moment, Run, StageRun, StageState, explain};

use super::difference::Difference;
use super::quantity;
use super::run_facts::{IMAGE_BYTES, model_of, model_with, release_of, took, word};

/// Stands where nothing is known.
const UNKNOWN: &str = "–";
/// Data files beyond this many are counted.
const MOST_FILES: usize = 8;

/// One of two runs, and what it worked on, once its data files are known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side<'a> {
    /// The run.
    pub(super) run: &'a Run,
    /// Its inputs, or why they are not known.
    pub(super) inputs: Option<Result<&'a Inputs, &'a str>>,
}

/// What they worked on: data, commits, settings.
pub(super) fn inputs(graph: &Graph, one: Side<'_>, other: Side<'_>) -> Vec<Difference> {
    let trigger = |side: Side<'_>| explain::trigger(&side.run.trigger);
    let data = |side: Side<'_>| {
        let data = &side.run.inputs.data;
        format!("{}, {}", quantity::counted(data.count, "file"), quantity::counted(data.rows, "row"))
    };
    let commit = |side: Side<'_>| side.run.inputs.source.label();
    let dirty = |side: Side<'_>| {
        if side.run.inputs.source.dirty { "changed since its commit" } else { "as committed" }.to_owned()
    };
    let branch = |side: Side<'_>| side.run.inputs.source.branch.clone().unwrap_or_else(|| UNKNOWN.to_owned());
    let mut found = vec![Difference::new("started by", trigger(one), trigger(other))];
    if one.run.inputs.data.digest != other.run.inputs.data.digest {
        found.push(Difference::new("data", data(one), data(other)));
        found.extend(files(one, other));
    }
    found.extend(Difference::where_they_differ("commit", commit(one), commit(other)));
    found.extend(Difference::where_they_differ("source", dirty(one), dirty(other)));
    found.extend(Difference::where_they_differ("branch", branch(one), branch(other)));
    found.extend(settings(graph, one.run, other.run));
    found
}

/// The data files that are not the same.
fn files(one: Side<'_>, other: Side<'_>) -> Vec<Difference> {
    let unknown = |side: Side<'_>| match side.inputs {
        None => Some("asking the daemon".to_owned()),
        Some(Err(error)) => Some(error.to_owned()),
        Some(Ok(_)) => None,
    };
    let (Some(Ok(first)), Some(Ok(second))) = (one.inputs, other.inputs) else {
        let told = |side| unknown(side).unwrap_or_else(|| "known".to_owned());
        return vec![Difference::new("data files", told(one), told(other))];
    };
    let by_path = |inputs: &Inputs| -> BTreeMap<String, DataFile> {
        inputs.data.files.iter().map(|file| (file.path.clone(), file.clone())).collect()
    };
    let (first, second) = (by_path(first), by_path(second));
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let rows = |file: Option<&DataFile>| file.map(|file| quantity::counted(file.rows, "row")).unwrap_or_default();
    let mut found = Vec::new();
    for name in names {
        let (before, after) = (first.get(name), second.get(name));
        let what = match (before, after) {
            (None, Some(_)) => "added",
            (Some(_), None) => "removed",
            (Some(before), Some(after)) if before.digest != after.digest => "changed",
            (Some(_), Some(_)) | (None, None) => continue,
        };
        found.push(Difference::new(&format!("{what} {name}"), rows(before), rows(after)));
    }
    let more = found.len().saturating_sub(MOST_FILES);
    if more > 0 {
        found.truncate(MOST_FILES);
        found.push(Difference::new(&format!("and {more} more files"), String::new(), String::new()));
    }
    found
}

/// The stages whose settings are not the same, as far as they came to work.
fn settings(graph: &Graph, one: &Run, other: &Run) -> Vec<Difference> {
    let of = |run: &Run, spec: &crate::pipeline::StageSpec| {
        let fingerprint = run.stages.get(&spec.name)?.fingerprint.as_ref()?;
        Some(fingerprint.definition.short().to_owned())
    };
    let pairs = graph.stages().iter().filter_map(|spec| Some((spec, of(one, spec)?, of(other, spec)?)));
    let differing = pairs.filter(|(_, one, other)| one != other);
    differing.map(|(spec, one, other)| Difference::new(&format!("settings of {}", spec.name), one, other)).collect()
}

/// What each stage did and for how long.
pub(super) fn stages(graph: &Graph, one: &Run, other: &Run, now: Moment) -> Vec<Difference> {
    let whole = |run: &Run| match took(run, now) {
        Some(took) => format!("{} {}", word(run), quantity::duration(took)),
        None => word(run).to_owned(),
    };
    let mut found = vec![Difference {
        change: longer(took(one, now), took(other, now)),
        ..Difference::new("whole run", whole(one), whole(other))
    }];
    for spec in graph.stages() {
        let (first, second) = (one.stages.get(&spec.name), other.stages.get(&spec.name));
        let text = |entry: Option<&StageRun>| entry.map_or_else(|| UNKNOWN.to_owned(), |entry| stage(entry, now));
        let time = |entry: Option<&StageRun>| entry.and_then(|entry| entry.took(now));
        found.push(Difference {
            change: longer(time(first), time(second)),
            ..Difference::new(spec.name.as_str(), text(first), text(second))
        });
    }
    found
}

fn stage(entry: &StageRun, now: Moment) -> String {
    let attempts = if entry.attempt.0 > 1 { format!(", {} attempts", entry.attempt) } else { String::new() };
    let why = if let StageState::Failed { failure } = &entry.state {
        format!(": {}", explain::failure(failure))
    } else {
        String::new()
    };
    match entry.took(now) {
        Some(took) => format!("{} {}{attempts}{why}", entry.state.word(), quantity::duration(took)),
        None => entry.state.word().to_owned(),
    }
}

/// How much longer the other took.
fn longer(one: Option<u64>, other: Option<u64>) -> String {
    let (Some(one), Some(other)) = (one, other) else { return String::new() };
    let (sign, size) = if other >= one { ("+", other - one) } else { ("-", one - other) };
    if size == 0 { String::new() } else { format!("{sign}{}", quantity::duration(size)) }
}

/// All metrics of both, with how much each grew; those that are equal too.
pub(super) fn metrics(graph: &Graph, one: &Run, other: &Run) -> Vec<Difference> {
    let of = |run: &Run| -> BTreeMap<String, f64> {
        let outputs = graph.stages().iter().filter_map(|spec| run.stages.get(&spec.name)?.outputs.as_ref());
        let metrics = outputs.flat_map(|outputs| &outputs.metrics).filter(|(name, _)| *name != IMAGE_BYTES);
        metrics.map(|(name, value)| (name.clone(), *value)).collect()
    };
    let (first, second) = (of(one), of(other));
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let row = |name: &String| {
        // Rows are counted, not measured.
        let places = if name == "rows" { 0 } else { 4 };
        let text = |value: Option<f64>| value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("{value:.places$}"));
        let (before, after) = (first.get(name).copied(), second.get(name).copied());
        let change = before.zip(after).map(|(before, after)| format!("{:+.places$}", after - before));
        Difference { change: change.unwrap_or_default(), ..Difference::new(name, text(before), text(after)) }
    };
    names.into_iter().map(row).collect()
}

/// What came of them.
pub(super) fn results(graph: &Graph, one: &Run, other: &Run) -> Vec<Difference> {
    let known = |number: Option<String>| number.unwrap_or_else(|| "none".to_owned());
    let tests = |run: &Run| {
        let reports = graph.stages().iter().filter_map(|spec| run.stages.get(&spec.name)?.outputs.as_ref());
        let report = reports.filter_map(|outputs| outputs.tests.as_ref()).next_back()?;
        Some(format!("{} passed, {} failed, {} skipped", report.passed, report.failed, report.skipped))
    };
    let model = |run: &Run| {
        let version = model_with(graph, run)?;
        // The Board shows the earlier model beside a stage that was skipped, and so must this.
        let made = if model_of(graph, run).is_some() { "" } else { ", made before" };
        Some(format!("{version}{made}"))
    };
    let release = |run: &Run| release_of(graph, run).map(|release| release.to_string());
    vec![
        Difference::new("model", known(model(one)), known(model(other))),
        Difference::new("tests", known(tests(one)), known(tests(other))),
        Difference::new("release", known(release(one)), known(release(other))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Command, Digest, Input, RunId, Selection};
    use crate::tui::fixtures;

    fn file(path: &str, digest: &str, rows: u64) -> DataFile {
        DataFile { path: path.to_owned(), digest: Digest(digest.to_owned()), bytes: rows * 10, rows }
    }

    fn whats(found: &[Difference]) -> Vec<&str> {
        found.iter().map(|difference| difference.what.as_str()).collect()
    }

    #[test]
    fn files_that_came_went_or_changed_are_named_and_equal_ones_are_not() {
        let state = fixtures::two_runs().state;
        let (one, other) = (&state.runs[&RunId(1)], &state.runs[&RunId(2)]);
        let (mut before, mut after) = (one.inputs.clone(), other.inputs.clone());
        before.data.files = vec![file("a.csv", "1", 5), file("b.csv", "2", 6), file("c.csv", "3", 7)];
        after.data.files = vec![file("b.csv", "2", 6), file("c.csv", "4", 9), file("d.csv", "5", 1)];
        let (one, other) =
            (Side { run: one, inputs: Some(Ok(&before)) }, Side { run: other, inputs: Some(Ok(&after)) });
        let found = inputs(&state.graph, one, other);
        assert_eq!(whats(&found), ["started by", "data", "removed a.csv", "changed c.csv", "added d.csv"]);
        assert_eq!((found[3].one.as_str(), found[3].other.as_str()), ("7 rows", "9 rows"));
        let unknown = Side { inputs: None, ..one };
        assert_eq!(files(unknown, other)[0].one, "asking the daemon");
        let many: Vec<_> = (10..40).map(|number| file(&format!("{number}.csv"), "9", 1)).collect();
        let mut crowded = after.clone();
        crowded.data.files.extend(many);
        let found = files(other, Side { inputs: Some(Ok(&crowded)), ..other });
        assert_eq!((found.len(), found[MOST_FILES].what.as_str()), (MOST_FILES + 1, "and 22 more files"));
    }

    #[test]
    fn durations_metrics_and_results_are_told_with_their_change() {
        let world = fixtures::rolled_back();
        let (graph, runs) = (&world.state.graph, &world.state.runs);
        let metrics = metrics(graph, &runs[&RunId(1)], &runs[&RunId(2)]);
        let accuracy = metrics.iter().find(|row| row.what == "accuracy").unwrap();
        assert_eq!(
            (accuracy.one.as_str(), accuracy.other.as_str(), accuracy.change.as_str()),
            ("0.9310", "0.9420", "+0.0110")
        );
        let stages = stages(graph, &runs[&RunId(3)], &runs[&RunId(4)], world.at);
        assert_eq!(whats(&stages), ["whole run", "train", "test", "build", "deploy"]);
        assert!(stages[0].change.starts_with('-'), "the rollback was shorter: {:?}", stages[0]);
        let results = results(graph, &runs[&RunId(3)], &runs[&RunId(4)]);
        assert_eq!((results[0].one.as_str(), results[0].other.as_str()), ("3", "none"));
        assert_eq!((results[2].one.as_str(), results[2].other.as_str()), ("3", "4"));
    }

    #[test]
    fn a_run_that_skipped_its_training_is_compared_by_the_model_it_found_up_to_date() {
        let mut world = fixtures::two_runs();
        fixtures::command(&mut world, Command::Run(Selection { from: Some("test".into()), ..Selection::default() }));
        let run = RunId(3);
        world.feed(Input::Verified { run, stage: "train".into(), intact: true });
        let (graph, runs) = (&world.state.graph, &world.state.runs);
        let model = &results(graph, &runs[&RunId(2)], &runs[&run])[0];
        assert_eq!((model.one.as_str(), model.other.as_str()), ("2", "2, made before"));
    }
}
