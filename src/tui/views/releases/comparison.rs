//! Two releases beside each other: image, model, commit, settings, who and why, how long they served, and how good their
//! models are.

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::pipeline::Release;
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::detail_text;
use crate::tui::release_list;
use crate::tui::widgets::{differences, pane};

/// Draws the pane; changes lead from `one` to `other`, which is the chosen release.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect, one: &Release, other: &Release) {
    let heading = format!("Release {} beside release {}", one.id, other.id);
    let right = format!("{} ends it", key_of(model, Action::CompareRows));
    let inner = pane::draw(model, frame.buffer_mut(), area, model.is_zoomed, &heading, &right);
    let inner = pane::indented(inner);
    let width = usize::from(inner.width);
    let names = (format!("release {}", one.id), format!("release {}", other.id));
    let found = release_list::differences(&model.state, one, other, model.now);
    let (same, differing): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| found.one == found.other);
    let mut rows = differences::head(model, &names.0, &names.1, width);
    rows.extend(differences::section(model, "what differs", &differing, width));
    rows.extend(differences::section(model, "what is the same", &same, width));
    for (row, line) in rows.iter().enumerate() {
        detail_text::put(model, frame.buffer_mut(), inner, (0, row), line);
    }
}
