//! What there is to say of a stage, in short: metrics, tests, model, image, release, and why.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text::{cells, sanitize, styled, wrap};
use crate::api::types::{LeaderboardRow, TrialState};
use crate::pipeline::{Failure, Outputs, Run, SkipReason, StageName, StageRun, StageState, explain};
use crate::tui::app::Model;
use crate::tui::estimate::{self, Estimate};
use crate::tui::run_facts::{IMAGE_BYTES, first_metric};
use crate::tui::{detail_text, holds, quantity};

/// Something that is told, and how it looks.
pub(in crate::tui) type Fact = (String, Style);

/// How long a stage works or worked.
pub(in crate::tui) fn duration(model: &Model, entry: &StageRun) -> String {
    match &entry.state {
        StageState::Running { .. } | StageState::Retrying { .. } => {
            entry.took(model.now).map(quantity::whole_duration).unwrap_or_default()
        }
        _ => entry.ended.and_then(|ended| entry.took(ended)).map(quantity::duration).unwrap_or_default(),
    }
}

/// What it gave or is doing, the most telling first.
pub(in crate::tui) fn results(model: &Model, run: &Run, name: &StageName, entry: &StageRun) -> Vec<Fact> {
    told(model, run, name, entry, true)
}

/// As [`results`], without the names of tests that failed, for whoever lists them.
pub(in crate::tui) fn counted_results(model: &Model, run: &Run, name: &StageName, entry: &StageRun) -> Vec<Fact> {
    told(model, run, name, entry, false)
}

fn told(model: &Model, run: &Run, name: &StageName, entry: &StageRun, names_tests: bool) -> Vec<Fact> {
    let theme = &model.theme;
    let mut facts = Vec::new();
    if entry.state.is_running() {
        // Before what it says of itself, which may be long: where there is little room this is what people look for.
        facts.extend(estimated(model, run, name, entry));
        if let Some(progress) = model.progress(run.id, name) {
            if !progress.message.is_empty() {
                facts.push((sanitize(&progress.message), theme.text));
            } else if !progress.leaderboard.is_empty() {
                facts.push((trials(&progress.leaderboard), theme.text));
            }
            if let Some((metric, value)) = first_metric(&progress.metrics) {
                facts.push((format!("{} {}", sanitize(metric), quantity::value(value)), theme.text));
            }
        }
        return facts;
    }
    // Who holds it back is all there is to know of a stage that is held.
    if entry.state == StageState::Waiting && run.is_active() && holds::held(model, run, name).is_none() {
        let passes = model.state.passes.get(name);
        facts.extend(passes.and_then(|passes| estimate::usual_text(passes)).map(|text| (text, theme.dim)));
        return facts;
    }
    let Some(outputs) = &entry.outputs else { return facts };
    if let Some((metric, value)) = first_metric(&outputs.metrics) {
        let change = change(model, run, name, metric, value);
        facts.push((format!("{} {}{change}", sanitize(metric), quantity::value(value)), theme.text));
    }
    facts.extend(tests(model, outputs, names_tests));
    if let Some(version) = entry.model() {
        facts.push((format!("model {version}"), theme.text));
    }
    if outputs.image.is_some()
        && let Some(digest) = &outputs.digest
    {
        facts.push((format!("image {}", sanitize(digest.short())), theme.text));
        if let Some(bytes) = outputs.metrics.get(IMAGE_BYTES) {
            facts.push((quantity::measured(*bytes, Some("B")), theme.dim));
        }
    }
    if let Some(release) = entry.release.or(outputs.live) {
        facts.push((format!("release {release}"), theme.text));
    }
    if entry.output_held {
        facts.push(("left a process behind that held its log open".to_owned(), theme.warn));
    }
    facts
}

/// How long a stage that runs still takes, as far as history tells.
fn estimated(model: &Model, run: &Run, name: &StageName, entry: &StageRun) -> Option<(String, Style)> {
    let StageState::Running { since, stopping: None, .. } = &entry.state else { return None };
    let usual = model.state.passes.get(name).and_then(|passes| estimate::usual(passes));
    let share = model.progress(run.id, name).and_then(|progress| progress.share);
    let estimate = estimate::of_stage(usual, model.now.since(*since), share)?;
    let style = if estimate == Estimate::Late { model.theme.warn } else { model.theme.dim };
    Some((estimate.text(), style))
}

/// How long a run still takes and to which stage, as far as history tells.
pub(in crate::tui) fn run_estimate(model: &Model, run: &Run) -> Option<String> {
    let worked = |name: &StageName| match run.stages.get(name).map(|entry| &entry.state) {
        Some(StageState::Running { since, .. }) => model.now.since(*since),
        _ => 0,
    };
    let share = |name: &StageName| model.progress(run.id, name).and_then(|progress| progress.share);
    let (stage, left) = estimate::of_run(&model.state, run, &worked, &share)?;
    Some(estimate::run_text(&sanitize(stage.as_str()), left))
}

/// How many trials are over, of a stage that tells of them without a message.
fn trials(board: &[LeaderboardRow]) -> String {
    let is_over = |row: &&LeaderboardRow| !matches!(row.state, TrialState::Waiting | TrialState::Running);
    let over = board.iter().filter(is_over).count();
    format!("{over} of {} trials are over", board.len())
}

/// The rest of the metrics, for views with more room.
pub(in crate::tui) fn all_metrics(outputs: &Outputs) -> Vec<String> {
    outputs.metrics.iter().map(|(name, value)| format!("{} {}", sanitize(name), quantity::value(*value))).collect()
}

/// The sentence that the core makes of its state; of a deploy that the lock holds, whose lock it is.
pub(in crate::tui) fn reason(model: &Model, run: &Run, name: &StageName) -> String {
    sanitize(&holds::held(model, run, name).unwrap_or_else(|| explain::stage(&model.state, run, name)))
}

/// As [`reason`], without what the stage's results or the stage before it say already.
pub(in crate::tui) fn further_reason(model: &Model, run: &Run, name: &StageName) -> String {
    let Some(entry) = run.stages.get(name) else { return String::new() };
    let names_failing =
        entry.outputs.as_ref().and_then(|outputs| outputs.tests.as_ref()).is_some_and(|tests| tests.failed > 0);
    match &entry.state {
        StageState::Failed { failure: Failure::TestsFailed { .. } } if names_failing => String::new(),
        StageState::Skipped { reason: SkipReason::NotSelected } if is_skipped_before(model, run, name) => String::new(),
        _ => reason(model, run, name),
    }
}

/// Whether an earlier stage was skipped for another was asked for, too.
fn is_skipped_before(model: &Model, run: &Run, name: &StageName) -> bool {
    let before = model.state.graph.stages().iter().take_while(|spec| spec.name != *name);
    before
        .filter_map(|spec| run.stages.get(&spec.name))
        .any(|entry| matches!(entry.state, StageState::Skipped { reason: SkipReason::NotSelected }))
}

/// The cells that the words of the states in a run need, at least those of most words.
pub(in crate::tui) fn word_width(run: &Run) -> usize {
    run.stages.values().map(|work| work.state.word().len()).fold(11, usize::max)
}

/// Facts with dots between them.
pub(in crate::tui) fn joined(model: &Model, facts: Vec<Fact>) -> Line<'static> {
    let mut line = Line::default();
    for (index, (text, style)) in facts.into_iter().enumerate() {
        if index > 0 {
            line.push_span(Span::styled(format!(" {} ", model.glyphs.dot), model.theme.dim));
        }
        line.push_span(Span::styled(text, style));
    }
    line
}

/// Facts in at most `limit` rows of `width` cells, broken between two of them, so that no row begins or ends with a dot. The last
/// row has all the rest, and may be too long.
pub(in crate::tui) fn in_rows(model: &Model, facts: Vec<Fact>, width: usize, limit: usize) -> Vec<Line<'static>> {
    let gap = cells(model.glyphs.dot) + 2;
    let mut rows: Vec<Vec<Fact>> = Vec::new();
    let mut used = 0;
    for fact in facts {
        let is_last = rows.len() >= limit;
        let wide = cells(&fact.0);
        match rows.last_mut() {
            Some(row) if is_last || used + gap + wide <= width => {
                row.push(fact);
                used += gap + wide;
            }
            _ => {
                rows.push(vec![fact]);
                used = wide;
            }
        }
    }
    rows.into_iter().map(|facts| joined(model, facts)).collect()
}

/// As [`in_rows`]; where there is more than one row, a fact that is too long for one is broken too, so that nothing is missing.
pub(in crate::tui) fn wrapped(model: &Model, facts: Vec<Fact>, width: usize, limit: usize) -> Vec<Line<'static>> {
    let mut pieces = Vec::new();
    for (text, style) in facts {
        if limit <= 1 || cells(&text) <= width {
            pieces.push((text, style));
        } else {
            let rows = wrap(&styled(&text, style), width, limit);
            pieces.extend(rows.iter().map(|row| (row.to_string(), style)));
        }
    }
    in_rows(model, pieces, width, limit)
}

/// As [`wrapped`], of a detail: whoever copies the rows has all in one line.
pub(in crate::tui) fn in_detail(model: &Model, facts: Vec<Fact>, width: usize, limit: usize) -> Vec<Line<'static>> {
    let whole = joined(model, facts.clone()).to_string();
    let rows = wrapped(model, facts, width, limit);
    detail_text::belong_together(model, &rows, &whole);
    rows
}

/// Facts around an address in at most `limit` rows of `width` cells. Where not all has room, what stands `behind` it goes first;
/// then the address stands before the rest: people take it with them.
pub(in crate::tui) fn around_address(
    model: &Model,
    before: Vec<Fact>,
    address: Option<Fact>,
    behind: Vec<Fact>,
    (width, limit): (usize, usize),
) -> Vec<Line<'static>> {
    let usual: Vec<Fact> = before.iter().chain(&address).cloned().collect();
    let whole: Vec<Fact> = usual.iter().cloned().chain(behind).collect();
    for facts in [whole, usual] {
        let rows = wrapped(model, facts, width, usize::MAX);
        if rows.len() <= limit && rows.iter().all(|row| row.width() <= width) {
            return rows;
        }
    }
    wrapped(model, address.into_iter().chain(before).collect(), width, limit)
}

/// Higher or lower than in the pass before, and by how much.
fn change(model: &Model, run: &Run, name: &StageName, metric: &str, value: f64) -> String {
    let earlier = model.state.passes.get(name).and_then(|passes| passes.iter().rev().find(|pass| pass.run < run.id));
    let Some(before) = earlier.and_then(|pass| pass.outputs.metrics.get(metric)) else { return String::new() };
    let difference = value - before;
    // What reads the same is the same, and beside a number of three digits an exponent tells nothing.
    if difference.abs() < 0.0005 * value.abs().max(1e-9) || quantity::value(value) == quantity::value(*before) {
        return String::new();
    }
    let sign = if difference > 0.0 { model.glyphs.up } else { model.glyphs.down };
    let size = if difference.abs() < 0.001 { "<0.001".to_owned() } else { quantity::value(difference.abs()) };
    format!(" {sign}{size}")
}

fn tests(model: &Model, outputs: &Outputs, names_them: bool) -> Vec<Fact> {
    let Some(report) = &outputs.tests else { return Vec::new() };
    let mut facts = Vec::new();
    if report.failed > 0 {
        // Their names come before their number: where there is no room for both, they tell more.
        let names: Vec<_> = report.failing.iter().map(|test| sanitize(&test.name)).collect();
        if names_them && !names.is_empty() {
            facts.push((names.join(", "), model.theme.bad));
        }
        facts.push((format!("{} failed", quantity::count(report.failed)), model.theme.bad));
    }
    facts.push((format!("{} passed", quantity::count(report.passed)), model.theme.text));
    if report.skipped > 0 {
        facts.push((format!("{} skipped", quantity::count(report.skipped)), model.theme.dim));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_break_between_each_other_and_the_last_row_has_the_rest() {
        let model = crate::tui::fixtures::idle();
        let rows = |texts: &[&str], width, limit| -> Vec<String> {
            let facts = texts.iter().map(|text| ((*text).to_owned(), Style::default())).collect();
            in_rows(&model, facts, width, limit).iter().map(Line::to_string).collect()
        };
        let facts = ["2 of 3 ready", "3f2a91c", "http://서울:8080"];
        assert_eq!(rows(&facts, 22, 3), ["2 of 3 ready · 3f2a91c", "http://서울:8080"]);
        assert_eq!(rows(&facts, 21, 3), ["2 of 3 ready", "3f2a91c", "http://서울:8080"]);
        assert_eq!(rows(&facts, 21, 2), ["2 of 3 ready", "3f2a91c · http://서울:8080"]);
        assert_eq!(rows(&[], 21, 2), [""; 0]);
    }

    fn facts(texts: &[&str]) -> Vec<Fact> {
        texts.iter().map(|text| ((*text).to_owned(), Style::default())).collect()
    }

    fn texts(rows: &[Line<'_>]) -> Vec<String> {
        rows.iter().map(Line::to_string).collect()
    }

    #[test]
    fn a_fact_that_is_too_long_for_a_row_is_broken_where_there_are_rows() {
        let model = crate::tui::fixtures::idle();
        let told = facts(&["run 4", "http://wine.example:8080/predict", "by mina"]);
        let rows = |limit| texts(&wrapped(&model, told.clone(), 16, limit));
        assert_eq!(rows(9), ["run 4", "http://wine.exam", "ple:8080/predict", "by mina"]);
        assert_eq!(rows(1), ["run 4 · http://wine.example:8080/predict · by mina"]);
    }

    #[test]
    fn the_address_is_whole_before_anything_else_is() {
        let model = crate::tui::fixtures::idle();
        let rows = |room| {
            let address = facts(&["http://h:8080"]).pop();
            texts(&around_address(&model, facts(&["model 2", "run 4"]), address, facts(&["way back"]), room))
        };
        assert_eq!(rows((42, 1)), ["model 2 · run 4 · http://h:8080 · way back"]);
        assert_eq!(rows((41, 1)), ["model 2 · run 4 · http://h:8080"], "what is behind it goes first");
        assert_eq!(rows((30, 1)), ["http://h:8080 · model 2 · run 4"], "the rest may be cut");
        assert_eq!(rows((30, 2)), ["model 2 · run 4", "http://h:8080 · way back"]);
        assert_eq!(rows((13, 3)), ["model 2", "run 4", "http://h:8080"]);
    }

    #[test]
    fn rows_of_facts_are_copied_in_one_line() {
        use ratatui::{buffer::Buffer, layout::Rect};
        let model = crate::tui::fixtures::idle();
        let area = Rect::new(0, 0, 16, 9);
        let mut buffer = Buffer::empty(area);
        let rows = in_detail(&model, facts(&["commit 3f2a91c", "run 4"]), 16, 9);
        assert_eq!(rows.len(), 2);
        for (row, line) in rows.iter().enumerate() {
            detail_text::put(&model, &mut buffer, area, (0, row), line);
        }
        assert_eq!(model.detail_text.between(0, 9), ["commit 3f2a91c · run 4"]);
    }
}
