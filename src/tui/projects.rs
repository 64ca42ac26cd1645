//! The other projects of this user, between which the screen switches, and how it ends.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How the screen ended, when nothing went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Left {
    /// The operator left; the daemon goes on.
    Detached,
    /// The operator wants to see another project, in this folder.
    Switch(PathBuf),
}

/// One project of this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectRow {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether its daemon runs.
    pub is_running: bool,
    /// Where it stands, in a few words.
    pub summary: String,
}

/// Lists this user's projects; it may look into files, so it is not called where keys are waited for.
pub type Projects = Arc<dyn Fn() -> Vec<ProjectRow> + Send + Sync>;

/// The list of projects over the view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ProjectList {
    /// The projects; `None` while they are being looked for.
    pub(super) rows: Option<Vec<ProjectRow>>,
    /// Which is chosen.
    pub(super) selected: usize,
}

impl ProjectList {
    /// The chosen project.
    pub(super) fn chosen(&self) -> Option<&ProjectRow> {
        self.rows.as_ref()?.get(self.selected)
    }

    /// They were found; the one in `current` is chosen first.
    pub(super) fn found(&mut self, rows: Vec<ProjectRow>, current: &Path) {
        self.selected = rows.iter().position(|row| row.folder == current).unwrap_or(0);
        self.rows = Some(rows);
    }

    /// Another one is chosen.
    pub(super) fn move_by(&mut self, by: isize) {
        let last = self.rows.as_ref().map_or(0, Vec::len).saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_on_the_screen_is_chosen_first_and_the_choice_stays_in_the_list() {
        let row = |name: &str| ProjectRow {
            name: name.to_owned(),
            folder: PathBuf::from("/srv").join(name),
            is_running: true,
            summary: String::new(),
        };
        let mut list = ProjectList::default();
        assert_eq!(list.chosen(), None);
        list.move_by(1);
        list.found(vec![row("churn"), row("wine")], Path::new("/srv/wine"));
        assert_eq!(list.chosen().map(|row| row.name.as_str()), Some("wine"));
        list.move_by(1);
        assert_eq!(list.selected, 1);
        list.move_by(-5);
        assert_eq!(list.chosen().map(|row| row.name.as_str()), Some("churn"));
    }
}
