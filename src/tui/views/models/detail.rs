//! What is known of the selected version, one part at a time; in a comparison, of two beside each other.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::rows::{dim, heading, sentence};
use super::{
    calibration, champion, comparison, confusion, data, gate, importance, leaderboard, serving, slices, summary,
};
use crate::api::types::{ModelDetail, ModelSummary};
use crate::pipeline::ModelVersion;
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::models::{self, Entry, Tab};
use crate::tui::mouse::Target;
use crate::tui::quantity::small;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::put;

/// From this width on, the parts of two versions stand beside each other.
const TWO_COLUMNS: u16 = 100;

/// Rows in a place of their own.
struct Block {
    area: Rect,
    rows: Vec<Line<'static>>,
}

/// Draws the pane.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect, chosen: Entry<'_>) {
    let right = if model.is_zoomed { "Esc shows the list" } else { "Enter shows all" };
    let heading = title(model, chosen);
    let inner = pane::indented(pane::draw(model, frame.buffer_mut(), area, model.is_zoomed, &heading, right));
    put(frame.buffer_mut(), inner, 0, &tabs(model, inner));
    let way = if model.is_zoomed { "Down shows them" } else { "Enter shows all" };
    for block in blocks(model, inner, chosen) {
        pane::rows(model, frame.buffer_mut(), block.area, &block.rows, (model.models.list.scroll, way));
    }
}

/// The rows that do not fit into the pane.
pub(super) fn hidden_rows(model: &Model, area: Rect, chosen: Entry<'_>) -> usize {
    let frame = Rect {
        x: area.x + 1,
        y: area.y + 1,
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    };
    let hidden = |block: &Block| block.rows.len().saturating_sub(usize::from(block.area.height));
    blocks(model, pane::indented(frame), chosen).iter().map(hidden).max().unwrap_or(0)
}

fn title(model: &Model, chosen: Entry<'_>) -> String {
    let dot = model.glyphs.dot;
    let Entry::Made(made) = chosen else {
        return format!("Model {} {dot} {} training", chosen.version(), model.glyphs.run(None, true));
    };
    if let Some(other) = compared(model) {
        return format!("Models {other} and {}", made.version);
    }
    let mut parts = vec![format!("Model {}", made.version), gate(model, made).0];
    if made.champion {
        parts.push(champion(model));
    }
    if made.live {
        parts.push(serving(model));
    }
    parts.join(&format!(" {dot} "))
}

/// The version beside the chosen one.
fn compared(model: &Model) -> Option<ModelVersion> {
    models::partner(model).filter(|_| model.models.list.is_comparing)
}

/// The names of all parts with their keys; where there is little room, those that are not shown have shorter ones, or keys
/// alone. A word is never cut.
fn tabs(model: &Model, area: Rect) -> Line<'static> {
    let width = usize::from(area.width);
    let theme = &model.theme;
    let key = |tab: Tab| key_of(model, Action::ShowTab(tab));
    let shown = model.models.tab;
    let text_of = |tab: Tab, word: fn(Tab) -> &'static str| if tab == shown { tab.word() } else { word(tab) };
    let needed = |word: fn(Tab) -> &'static str| {
        let cells = |tab: &Tab| key(*tab).len() + text_of(*tab, word).len() + 2;
        Tab::ALL.iter().map(cells).sum::<usize>() + 1
    };
    let word: fn(Tab) -> &'static str = if needed(Tab::word) <= width {
        Tab::word
    } else if needed(Tab::short_word) <= width {
        Tab::short_word
    } else {
        |_| ""
    };
    let mut line = Line::default();
    for (index, tab) in Tab::ALL.into_iter().enumerate() {
        let is_shown = tab == shown;
        if index > 0 {
            line.push_span(Span::raw(" "));
        }
        let begin = small(line.width());
        // Brackets, for what is shown must be told without colour too.
        line.push_span(Span::raw(if is_shown { "[" } else { "" }));
        line.push_span(Span::styled(key(tab), theme.accent));
        let style = if is_shown { theme.title } else { theme.dim };
        let text = text_of(tab, word);
        if !text.is_empty() {
            line.push_span(Span::styled(format!(" {text}"), style));
        }
        line.push_span(Span::raw(if is_shown { "]" } else { "" }));
        let cells = small(line.width()).saturating_sub(begin);
        let place = Rect { x: area.x.saturating_add(begin), width: cells, height: 1, ..area };
        model.hits.add(place.intersection(area), Target::Act(Action::ShowTab(tab)));
    }
    line
}

/// The places below the tabs and what stands in each.
fn blocks(model: &Model, inner: Rect, chosen: Entry<'_>) -> Vec<Block> {
    let area = Rect { y: inner.y + u16::from(inner.height > 0), height: inner.height.saturating_sub(1), ..inner };
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let whole = |rows: Vec<Line<'static>>| vec![Block { area, rows }];
    let made = match chosen {
        Entry::Training(training) => return whole(leaderboard::training(model, &training, width)),
        Entry::Made(made) => made,
    };
    let known = match detail_of(model, made.version, width) {
        Ok(known) => known,
        Err(rows) => return whole(rows),
    };
    let Some(other) = compared(model) else { return whole(part(model, known, width, height)) };
    let other = match detail_of(model, other, width) {
        Ok(other) => other,
        Err(rows) => return whole(rows),
    };
    match model.models.tab {
        Tab::Summary => whole(comparison::rows(model, other, known, width)),
        Tab::Importance => whole(importance::beside(model, other, known, width)),
        Tab::Leaderboard | Tab::Confusion | Tab::Calibration | Tab::Data | Tab::Slices => {
            beside(model, area, other, known)
        }
    }
}

/// The same part of two versions.
fn beside(model: &Model, area: Rect, one: &ModelDetail, other: &ModelDetail) -> Vec<Block> {
    let headed = |detail: &ModelDetail, width: u16, height: usize| {
        let mut rows = vec![heading(model, &name(model, &detail.summary))];
        rows.extend(part(model, detail, usize::from(width), height.saturating_sub(1)));
        rows
    };
    let height = usize::from(area.height);
    if area.width < TWO_COLUMNS {
        let mut rows = headed(one, area.width, height);
        rows.push(Line::default());
        rows.extend(headed(other, area.width, height));
        return vec![Block { area, rows }];
    }
    let width = (area.width - 2) / 2;
    let left = Rect { width, ..area };
    let right = Rect { x: area.x + area.width - width, width, ..area };
    vec![
        Block { area: left, rows: headed(one, width, height) },
        Block { area: right, rows: headed(other, width, height) },
    ]
}

fn name(model: &Model, made: &ModelSummary) -> String {
    let mark = if made.champion { format!(" {} {}", model.glyphs.dot, champion(model)) } else { String::new() };
    format!("model {}{mark}", made.version)
}

/// One part of what is known of a version.
fn part(model: &Model, detail: &ModelDetail, width: usize, height: usize) -> Vec<Line<'static>> {
    match model.models.tab {
        Tab::Summary => summary::rows(model, detail, width),
        Tab::Leaderboard => leaderboard::rows(model, detail, width),
        Tab::Confusion => confusion::rows(model, detail, width),
        Tab::Importance => importance::rows(model, detail, width),
        Tab::Calibration => calibration::rows(model, detail, width, height),
        Tab::Data => data::rows(model, detail, width),
        Tab::Slices => slices::rows(model, detail, width),
    }
}

/// All that is known of a version, or why it is not.
fn detail_of(model: &Model, version: ModelVersion, width: usize) -> Result<&ModelDetail, Vec<Line<'static>>> {
    let answer = model.models.detail(version);
    if let Some(detail) = answer.and_then(|answer| answer.value.as_deref()) {
        return Ok(detail);
    }
    Err(match answer.and_then(|answer| answer.error.as_ref()) {
        Some(error) => sentence(model, error, model.theme.bad, width),
        None => vec![dim(model, &format!("asking the daemon for model {version}"))],
    })
}
