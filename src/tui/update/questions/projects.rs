//! The list of this user's projects: which one is shown next.

use std::path::Path;

use crossterm::event::{KeyCode, KeyEvent};

use crate::tui::app::{Model, Overlay};
use crate::tui::message::Cmd;
use crate::tui::projects::{ProjectList, ProjectRow};

/// Shows the list, and has it made.
pub(in crate::tui::update) fn list(model: &mut Model, commands: &mut Vec<Cmd>) {
    model.overlay = Some(Overlay::Projects(ProjectList::default()));
    commands.push(Cmd::FetchProjects);
}

/// It was made.
pub(in crate::tui::update) fn found(model: &mut Model, rows: Vec<ProjectRow>) {
    // The palette finds them too.
    model.other_projects.clone_from(&rows);
    if let Some(Overlay::Projects(list)) = &mut model.overlay {
        let current = model.daemon.as_ref().map_or("", |daemon| daemon.folder.as_str());
        list.found(rows, Path::new(current));
    }
}

/// A key while it is there.
pub(in crate::tui::update) fn in_list(
    model: &mut Model,
    key: &KeyEvent,
    mut list: ProjectList,
    commands: &mut Vec<Cmd>,
) {
    match key.code {
        KeyCode::Down | KeyCode::Char('j') | KeyCode::Tab => list.move_by(1),
        KeyCode::Up | KeyCode::Char('k') | KeyCode::BackTab => list.move_by(-1),
        KeyCode::Enter => {
            let current = model.daemon.as_ref().map(|daemon| Path::new(daemon.folder.as_str()));
            let other = list.chosen().filter(|row| Some(row.folder.as_path()) != current);
            commands.extend(other.map(|row| Cmd::Switch(row.folder.clone())));
            return;
        }
        KeyCode::Esc | KeyCode::Char('q') => return,
        _ => {}
    }
    model.overlay = Some(Overlay::Projects(list));
}
