//! The selected release: what it is made of, and while it serves where it runs, what as, and its last lines; of another what
//! became of it.
//!
//! What is wrong (an engine that does not answer, objects that were changed by others) stands above what is usual. Where
//! there is little room, instances are counted and the last lines get what is left; a zoomed detail shows all. From a usual
//! terminal on nothing is cut but the last lines; on a lower one each thing has a row, and the address comes first.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::{UNKNOWN, status, took_text};
use crate::api::types::{InstanceStatus, TargetReport};
use crate::pipeline::{Release, ReleaseStatus, StageKind};
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::detail_text;
use crate::tui::holds::approval_text;
use crate::tui::log_view::colour::{as_written, depth_of};
use crate::tui::quantity;
use crate::tui::release_facts::{health, meaning, ready, release_facts};
use crate::tui::widgets::facts::{self, Fact};
use crate::tui::widgets::pane;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::{line_of, sanitize};

/// Rows that the last lines keep, their heading included, where the pane is not tiny.
const LOG_ROWS: usize = 4;
/// Rows of instances that are shown however little room there is.
const FEWEST_INSTANCES: usize = 2;
/// Rows of the terminal from which on what is too long for a row is broken, and the rows that one text may then have.
const USUAL_ROWS: u16 = 24;
const LONGEST: usize = 6;
/// Differences that are told.
const MOST_DIFFERENCES: usize = 3;

/// What is told of an instance, in the order of [`cells`].
const COLUMNS: [Column; 9] = [
    Column { heading: "instance", width: 14, fill: Fill::RestKeepsEnd, rank: 0 },
    Column { heading: "track", width: 6, fill: Fill::Left, rank: 8 },
    Column { heading: "state", width: 16, fill: Fill::Left, rank: 0 },
    Column { heading: "ready", width: 5, fill: Fill::Left, rank: 0 },
    Column { heading: "restarts", width: 8, fill: Fill::Right, rank: 4 },
    Column { heading: "cpu", width: 5, fill: Fill::Right, rank: 5 },
    Column { heading: "memory", width: 8, fill: Fill::Right, rank: 6 },
    Column { heading: "node", width: 12, fill: Fill::Left, rank: 9 },
    Column { heading: "age", width: 7, fill: Fill::Right, rank: 7 },
];

/// Draws the pane.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect, release: &Release) {
    let heading = format!("Release {} {} {}", release.id, model.glyphs.dot, status(model, release));
    let right = if model.is_zoomed { "Esc shows the list" } else { "Enter shows all" };
    let inner = pane::draw(model, frame.buffer_mut(), area, model.is_zoomed, &heading, right);
    let inner = pane::indented(inner);
    let width = usize::from(inner.width);
    let mut rows = about(model, release, width);
    if let Some(meaning) = meaning(&model.state, release) {
        rows.extend(sentence(model, &meaning, model.theme.text, (width, LONGEST)));
    }
    // What runs is the live release, or the one that is being deployed: nothing of it is told of another.
    let is_served = release.status == ReleaseStatus::Starting || model.state.live == Some(release.id);
    match model.target().filter(|_| is_served) {
        Some(report) => rows.extend(target(model, report, inner, rows.len())),
        None if !is_served => {}
        None if model.past.is_some() => rows.push(dim(model, "how it was then is not kept")),
        None => {
            let text = "the target has not said yet how it is; `trainyard doctor` says whether it answers";
            rows.extend(sentence(model, text, model.theme.dim, (width, most_rows(model))));
        }
    }
    if is_served {
        rows.extend(log(model, width, usize::from(inner.height).saturating_sub(rows.len())));
    }
    for (row, line) in rows.iter().enumerate() {
        detail_text::put(model, frame.buffer_mut(), inner, (0, row), line);
    }
}

/// Rows that the way a release came to be may have while other panes are there too.
const STORY: usize = 2;

/// Rows that one thing may have.
fn most_rows(model: &Model) -> usize {
    if model.size.1 >= USUAL_ROWS { LONGEST } else { 1 }
}

/// A text in at most so many rows of so many cells.
fn sentence(model: &Model, text: &str, style: Style, (width, rows): (usize, usize)) -> Vec<Line<'static>> {
    let texts = detail_text::paragraph(model, &sanitize(text), width, rows);
    texts.into_iter().map(|text| Line::from(Span::styled(text, style))).collect()
}

/// The selected release itself.
fn about(model: &Model, release: &Release, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let known = release_facts(&model.state, release, model.now);
    let mut made_of = Vec::new();
    if let Some(image) = &release.image {
        made_of.push((format!("image {}", sanitize(image.short())), theme.text));
    }
    if let Some(version) = release.model {
        made_of.push((format!("model {version}"), theme.text));
    }
    made_of.push((format!("commit {}", sanitize(&release.commit)), theme.text));
    made_of.push((format!("run {}", release.run), theme.text));
    if let Some(earlier) = release.repeats {
        made_of.push((format!("again release {earlier}"), theme.text));
    }
    let address = release.address.as_ref().filter(|_| Some(release.id) == model.state.live);
    let mut rows = identity(model, made_of, address.map(|address| (sanitize(address), theme.accent)), width);
    let mut story =
        vec![(format!("by {}", known.by.as_deref().map_or_else(|| UNKNOWN.to_owned(), sanitize)), theme.dim)];
    story.extend(approval(model, release).map(|text| (sanitize(&text), theme.dim)));
    if let Some(why) = &known.why {
        story.push((sanitize(why), theme.dim));
    }
    story.push((format!("at {}", model.clock.when(release.started, model.now)), theme.dim));
    if let Some(took) = known.took {
        story.push((format!("deploy took {}", took_text(release, took)), theme.dim));
    }
    // However long its reason is, what is wrong now stands below it.
    let most = if model.is_zoomed { most_rows(model) } else { most_rows(model).min(STORY) };
    rows.extend(facts::in_detail(model, story, width, most));
    rows
}

/// What it is made of, and where it answers, which is whole also where nothing else is.
fn identity(model: &Model, made_of: Vec<Fact>, address: Option<Fact>, width: usize) -> Vec<Line<'static>> {
    let whole = made_of.iter().chain(&address).cloned().collect();
    let whole = facts::joined(model, whole).to_string();
    let rows = facts::around_address(model, made_of, address, Vec::new(), (width, most_rows(model)));
    if rows.len() > 1 {
        detail_text::belong_together(model, &rows, &whole);
    }
    rows
}

/// Who let it be deployed, as long as its run is known.
fn approval(model: &Model, release: &Release) -> Option<String> {
    let run = model.state.runs.get(&release.run)?;
    let work = run.stages.values().find(|work| work.release == Some(release.id))?;
    work.approved.as_ref().map(approval_text)
}

/// What the target says, in as many rows as the pane can spare.
fn target(model: &Model, report: &TargetReport, inner: Rect, used: usize) -> Vec<Line<'static>> {
    let width = usize::from(inner.width);
    let mut rows: Vec<Line<'static>> = Vec::new();
    rows.extend(place(model, report, width));
    rows.extend(state(model, report, width));
    rows.extend(trouble(model, report, width));
    let disk = disk(model, report, width);
    let kept_for_log = if inner.height >= 9 { LOG_ROWS } else { 0 };
    let kept = kept_for_log + disk.len();
    let room = usize::from(inner.height).saturating_sub(used + rows.len() + kept);
    rows.extend(instances(model, &report.instances, width, room));
    rows.extend(disk);
    rows
}

/// Where it runs.
fn place(model: &Model, report: &TargetReport, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let Some(place) = &report.place else { return Vec::new() };
    let mut parts = vec![(sanitize(&place.kind), theme.title)];
    if let Some(context) = &place.context {
        parts.push((format!("context {}", sanitize(context)), theme.text));
    }
    if let Some(namespace) = &place.namespace {
        parts.push((format!("namespace {}", sanitize(namespace)), theme.text));
    }
    if place.production {
        parts.push(("PRODUCTION".to_owned(), theme.bad.add_modifier(Modifier::BOLD)));
    }
    facts::in_detail(model, parts, width, most_rows(model))
}

/// How the live release is.
fn state(model: &Model, report: &TargetReport, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let Some(live) = report.live else { return Vec::new() };
    let style = if report.serving && report.unreachable.is_none() { theme.good } else { theme.warn };
    let health = health(report, live).unwrap_or_default();
    let mut parts = vec![(format!("live release {live}: {}", sanitize(&health)), style)];
    let (ready, all) = ready(report);
    if all > 0 {
        let style = if ready == all { theme.text } else { theme.warn };
        parts.push((format!("{ready} of {all} ready"), style));
    }
    facts::in_detail(model, parts, width, most_rows(model))
}

/// What does not answer, since when, and what others changed.
fn trouble(model: &Model, report: &TargetReport, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let mut rows = Vec::new();
    if let Some((since, reason)) = &report.unreachable {
        let age = quantity::age(model.now.since(*since));
        let text = format!("not reachable for {age}: {reason}; what stands here is its last word");
        rows.extend(sentence(model, &text, theme.bad, (width, most_rows(model).max(2))));
    }
    let limit = if model.is_zoomed { usize::MAX } else { MOST_DIFFERENCES };
    let shown = if report.drift.len() > limit { limit.saturating_sub(1) } else { limit };
    for line in report.drift.iter().take(shown) {
        rows.extend(sentence(model, &format!("changed by others: {line}"), theme.warn, (width, most_rows(model))));
    }
    let more = report.drift.len().saturating_sub(shown);
    if more > 0 {
        rows.push(Line::from(Span::styled(format!("changed by others: and {more} more"), theme.warn)));
    }
    rows
}

/// The table of instances in at most `room` rows, headings included.
fn instances(model: &Model, instances: &[InstanceStatus], width: usize, room: usize) -> Vec<Line<'static>> {
    if instances.is_empty() {
        let text = "nothing of it runs now";
        let key = key_of(model, Action::RunFrom(StageKind::Deploy));
        let mend = if model.past.is_none() { format!("; {key} on the Board deploys it again") } else { String::new() };
        return sentence(model, &format!("{text}{mend}"), model.theme.dim, (width, most_rows(model)));
    }
    let table = Table::fit(&COLUMNS, width);
    let mut rows = vec![table.heading(model.theme.dim, model.glyphs.cut)];
    let room = room.saturating_sub(1).max(FEWEST_INSTANCES);
    let shown = if instances.len() > room { room.saturating_sub(1) } else { room };
    rows.extend(instances.iter().take(shown).map(|instance| table.row(&cells(model, instance), model.glyphs.cut)));
    let rest = instances.get(shown..).unwrap_or_default();
    if !rest.is_empty() {
        let ready = rest.iter().filter(|instance| instance.ready).count();
        rows.push(dim(model, &format!("and {} more, {ready} of them ready", rest.len())));
    }
    rows
}

fn cells(model: &Model, instance: &InstanceStatus) -> [(String, Style); 9] {
    let theme = &model.theme;
    let state_style = if instance.ready { theme.good } else { theme.warn };
    let track_style = if instance.track == "canary" { theme.mark } else { theme.text };
    let restarts_style = if instance.restarts > 0 { theme.warn } else { theme.text };
    let known = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    [
        (sanitize(&instance.name), theme.text),
        (sanitize(&instance.track), track_style),
        (sanitize(&instance.state), state_style),
        (if instance.ready { "yes" } else { "no" }.to_owned(), state_style),
        (quantity::count(instance.restarts), restarts_style),
        (known(instance.usage.map(|usage| format!("{:.2}", usage.cpus))), theme.text),
        (known(instance.usage.map(|usage| quantity::bytes(usage.memory))), theme.text),
        (known(instance.node.as_deref().map(sanitize)), theme.text),
        (known(instance.since.map(|since| quantity::age(model.now.since(since)))), theme.text),
    ]
}

/// What is ours on the disks, the largest first.
fn disk(model: &Model, report: &TargetReport, width: usize) -> Vec<Line<'static>> {
    let mut owned: Vec<(&String, &u64)> = report.disk.iter().filter(|(_, bytes)| **bytes > 0).collect();
    if owned.is_empty() {
        return Vec::new();
    }
    owned.sort_by_key(|(_, bytes)| std::cmp::Reverse(**bytes));
    let mut parts = vec![("ours on disk".to_owned(), model.theme.dim)];
    parts.extend(
        owned
            .into_iter()
            .map(|(what, bytes)| (format!("{} {}", sanitize(what), quantity::bytes(*bytes)), model.theme.dim)),
    );
    facts::in_detail(model, parts, width, most_rows(model))
}

/// The last lines of the live release in `rows` rows, their heading included.
fn log(model: &Model, width: usize, rows: usize) -> Vec<Line<'static>> {
    // What a release wrote is not kept, so in the past there are no lines of it.
    let Some(live) = model.state.live.filter(|_| rows >= 2 && model.past.is_none()) else { return Vec::new() };
    let said = &model.release_log;
    let heading = format!("last lines of release {live}");
    let Some(error) = &said.error else {
        if said.lines.is_empty() {
            return vec![dim(model, &heading), dim(model, "nothing was written yet")];
        }
        let hidden = said.lines.len().saturating_sub(rows - 1);
        let depth = depth_of(&model.theme);
        let written = |line: &String| line_of(&as_written(line, model.theme.text, depth), 0);
        let lines = said.lines.iter().skip(hidden).map(written);
        return std::iter::once(dim(model, &heading)).chain(lines).collect();
    };
    let error = sentence(model, error, model.theme.warn, (width, rows - 1));
    std::iter::once(dim(model, &heading)).chain(error).collect()
}

fn dim(model: &Model, text: &str) -> Line<'static> {
    Line::from(Span::styled(text.to_owned(), model.theme.dim))
}
