//! What lies where on the screen, for the mouse. The views note it while they draw, the last that is noted lies on top;
//! `update` asks. It is off until the operator wants it, for then the terminal's own selection is gone.

use std::cell::RefCell;

use ratatui::layout::Rect;

use super::app::{Model, Pane, View};
use super::commands::Action;
use super::layout;
use crate::pipeline::{ModelVersion, ReleaseId, RunId, StageName};

/// What lies at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// Something that does what a key does.
    Act(Action),
    /// A pane of the Board.
    Pane(Pane),
    /// A stage.
    Stage(StageName),
    /// A run.
    Run(RunId),
    /// A release.
    Release(ReleaseId),
    /// A model.
    Model(ModelVersion),
    /// An event by its number.
    Event(u64),
    /// A line of the log by its number, from 0.
    LogLine(u64),
    /// A chart by its place.
    Chart(usize),
    /// A row of the list over the view, by its place in it.
    Row(usize),
}

/// What the last frame showed where.
#[derive(Debug, Clone, Default)]
pub(super) struct HitMap {
    places: RefCell<Vec<(Rect, Target)>>,
}

impl HitMap {
    /// Forgets everything: a frame begins, or something lies over all of it.
    pub(super) fn clear(&self) {
        self.places.borrow_mut().clear();
    }

    /// Something lies here, over what was noted before.
    pub(super) fn add(&self, area: Rect, target: Target) {
        self.places.borrow_mut().push((area, target));
    }

    /// What lies on top here.
    pub(super) fn at(&self, column: u16, row: u16) -> Option<Target> {
        let places = self.places.borrow();
        let hit = places.iter().rev().find(|(area, _)| area.contains((column, row).into()));
        hit.map(|(_, target)| target.clone())
    }

    /// The pane of the Board that lies here, under whatever is in it.
    pub(super) fn pane_at(&self, column: u16, row: u16) -> Option<Pane> {
        let places = self.places.borrow();
        places.iter().filter(|(area, _)| area.contains((column, row).into())).find_map(|(_, target)| match target {
            Target::Pane(pane) => Some(*pane),
            Target::Act(_)
            | Target::Stage(_)
            | Target::Run(_)
            | Target::Release(_)
            | Target::Model(_)
            | Target::Event(_)
            | Target::LogLine(_)
            | Target::Chart(_)
            | Target::Row(_) => None,
        })
    }

    /// Everything that was noted.
    #[cfg(test)]
    pub(super) fn all(&self) -> Vec<(Rect, Target)> {
        self.places.borrow().clone()
    }
}

/// Notes where the panes of the Board are.
pub(super) fn note_panes(model: &Model, body: Rect) {
    if model.view != View::Board {
        return;
    }
    let panes = layout::board(model, body);
    for (area, pane) in [(panes.pipeline, Pane::Pipeline), (panes.log, Pane::Log), (panes.release, Pane::Release)] {
        if let Some(area) = area {
            model.hits.add(area, Target::Pane(pane));
        }
    }
}
