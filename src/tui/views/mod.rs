//! The views: pure functions of the model. [`draw`] puts the frame around whichever is shown, and overlays over it. Beside
//! the cells they note for the mouse what lies where, in [`super::mouse::HitMap`], and for whoever copies what a detail tells, in
//! [`super::detail_text::DetailText`].

mod board;
pub(in crate::tui) mod events;
pub(in crate::tui) mod first_run;
pub(in crate::tui) mod help;
mod logs;
mod metrics;
pub(in crate::tui) mod models;
mod operators;
mod palette;
mod projects;
mod question;
mod releases;
mod runs;
pub(in crate::tui) mod time_line;
mod trail;

#[cfg(test)]
mod empty_tests;
#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod hold_tests;
#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod matrix_tests;
#[cfg(test)]
mod past_tests;
#[cfg(test)]
mod room_tests;
#[cfg(test)]
mod size_tests;
#[cfg(test)]
mod tests;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::app::{Model, Overlay, View};
use super::detail_text;
use super::glyphs;
use super::layout::{self, SMALLEST};
use super::log_view::action::LogPrompt;
use super::mouse;
use super::widgets::text::{paragraph, put_at};
use super::widgets::{header, hints};

/// Draws the whole screen.
pub(super) fn draw(model: &Model, frame: &mut Frame) {
    draw_all(model, frame);
    in_signs_of_the_terminal(model, frame);
}

/// In ASCII, puts a twin in place of every sign that is none.
fn in_signs_of_the_terminal(model: &Model, frame: &mut Frame) {
    if model.glyphs.is_ascii {
        // Texts are set with signs of their own.
        for cell in &mut frame.buffer_mut().content {
            if let Some(twin) = glyphs::twin(cell.symbol()) {
                cell.set_symbol(twin);
            }
        }
    }
}

fn draw_all(model: &Model, frame: &mut Frame) {
    let area = frame.area();
    frame.buffer_mut().set_style(area, model.theme.text);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        too_small(model, frame, area);
        return;
    }
    let parts = layout::parts(area);
    model.hits.clear();
    model.detail_text.clear();
    mouse::note_panes(model, parts.body);
    match model.view {
        View::Board => board::draw(model, frame, parts.body),
        View::Runs => runs::draw(model, frame, parts.body),
        View::Logs => logs::draw(model, frame, parts.body),
        View::Models => models::draw(model, frame, parts.body),
        View::Releases => releases::draw(model, frame, parts.body),
        View::Metrics => metrics::draw(model, frame, parts.body),
        View::Events => events::draw(model, frame, parts.body),
    }
    detail_text::highlight(model, frame.buffer_mut());
    if model.is_stale() && model.past.is_none() {
        // The last known board, visibly not the present one. What was does not become untrue.
        frame.buffer_mut().set_style(parts.body, model.theme.dim.add_modifier(Modifier::DIM));
    }
    header::draw(model, frame.buffer_mut(), parts.header);
    if let Some(tabs) = parts.tabs {
        header::draw_tabs(model, frame.buffer_mut(), tabs);
    }
    match trail::line(model, usize::from(parts.message.width)) {
        Some(line) => put_at(frame.buffer_mut(), parts.message, 0, 0, &line),
        None => hints::draw_message(model, frame.buffer_mut(), parts.message),
    }
    hints::draw(model, frame.buffer_mut(), parts.hints);
    if model.overlay.is_some() {
        // What lies below cannot be pressed.
        model.hits.clear();
    }
    match &model.overlay {
        Some(Overlay::Help { scroll, input }) => help::draw(model, frame, area, *scroll, input),
        Some(Overlay::Palette { input, selected }) => palette::draw(model, frame, area, input, *selected),
        Some(Overlay::Explorer(explorer)) => metrics::explorer::draw(model, frame, area, explorer),
        Some(Overlay::PickReleases(pick)) => metrics::pick::draw(model, frame, area, pick),
        Some(Overlay::ConfirmRollback { to, plan, typed, remark }) => {
            question::before_rollback(model, frame, area, *to, plan.as_ref(), (typed.as_str(), remark));
        }
        Some(Overlay::ConfirmRun { selection, typed, remark }) => {
            question::before_run(model, frame, area, selection, (typed.as_str(), remark));
        }
        Some(Overlay::ConfirmCancel { remark }) => question::holds::before_cancel(model, frame, area, remark),
        Some(Overlay::Lock { why }) => question::holds::about_lock(model, frame, area, why),
        Some(Overlay::ConfirmUnlock) => question::holds::before_unlock(model, frame, area),
        Some(Overlay::Approval(prompt)) => question::holds::before_approval(model, frame, area, prompt),
        Some(Overlay::TimeLine(strip)) => time_line::draw(model, frame, parts.body, strip),
        Some(Overlay::Operators) => operators::draw(model, frame, area),
        Some(Overlay::Projects(list)) => projects::draw(model, frame, area, list),
        Some(Overlay::Silence(prompt)) => question::about_silence(model, frame, area, prompt),
        Some(Overlay::ConfirmUnsilence { alert }) => question::before_unsilence(model, frame, area, alert),
        Some(Overlay::Log(LogPrompt::Marks { selected })) => logs::marks::draw(model, frame, area, *selected),
        Some(Overlay::Promote(prompt)) => question::models::before_promotion(model, frame, area, prompt),
        Some(Overlay::Note(prompt)) => question::models::about_note(model, frame, area, prompt),
        // The prompt stands on the message line.
        Some(
            Overlay::Search { .. }
            | Overlay::FilterList { .. }
            | Overlay::Log(LogPrompt::Filter { .. } | LogPrompt::GoTo { .. } | LogPrompt::Save { .. }),
        )
        | None => {}
    }
}

fn too_small(model: &Model, frame: &mut Frame, area: Rect) {
    let (width, height) = SMALLEST;
    let text = format!("{} x {}: trainyard needs {width} x {height}", area.width, area.height);
    for (row, text) in paragraph(&text, usize::from(area.width), 3, "").into_iter().enumerate() {
        put_at(frame.buffer_mut(), area, 0, row, &Line::from(Span::styled(text, model.theme.warn)));
    }
}

/// A window of at most this size in the middle.
fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}
