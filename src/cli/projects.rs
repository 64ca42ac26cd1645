//! `trainyard projects`: the projects of this user that have a daemon, for the command line and for the screen's switch.

use std::io::Write;
use std::path::PathBuf;
use std::thread;

use serde::Serialize;

use super::failure::Failure;
use super::project::state;
use super::show::json;
use super::table::{print, print_line, terminal_width};
use crate::disk::{Layout, ProjectCard};
use crate::pipeline::{ReleaseId, RunId, State, explain};
use crate::tui::ProjectRow;

/// Stands where nothing is known.
const UNKNOWN: &str = "–";

/// A project, as JSON shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Project {
    /// Its name.
    name: String,
    /// Its folder.
    folder: PathBuf,
    /// Whether its daemon runs; one that was killed has left its card.
    is_running: bool,
    /// The process of the daemon, if it runs.
    pid: Option<u32>,
    /// The release that serves.
    release: Option<ReleaseId>,
    /// The newest run.
    run: Option<RunId>,
    /// Where that run stands, in a word.
    result: Option<String>,
}

impl Project {
    fn of(card: ProjectCard) -> Self {
        let is_running = card.is_running();
        // A daemon that does not answer, or a journal that cannot be read, hides the project from nobody.
        let state = Layout::new(&card.folder).ok().and_then(|layout| state(&layout).ok()).map(|(state, _)| state);
        let state = state.unwrap_or_default();
        let latest = state.latest_run();
        Self {
            is_running,
            pid: is_running.then_some(card.pid),
            release: state.live,
            run: latest.map(|run| run.id),
            result: word(&state).map(str::to_owned),
            name: card.name,
            folder: card.folder,
        }
    }

    fn summary(&self) -> String {
        let release = self.release.map(|release| format!("release {release} live"));
        let run = self.run.zip(self.result.as_ref()).map(|(run, result)| format!("run {run} {result}"));
        let parts: Vec<String> = release.into_iter().chain(run).collect();
        if parts.is_empty() { "no run yet".to_owned() } else { parts.join(", ") }
    }
}

/// Where the newest run stands.
fn word(state: &State) -> Option<&'static str> {
    let run = state.latest_run()?;
    Some(run.result.map_or(if run.started.is_some() { "active" } else { "queued" }, explain::result))
}

fn all() -> Vec<Project> {
    ProjectCard::all().into_iter().map(Project::of).collect()
}

/// The same for the screen. On a thread of its own, for it asks daemons, and the screen is inside of a runtime.
pub fn rows() -> Vec<ProjectRow> {
    let row = |project: Project| ProjectRow {
        summary: project.summary(),
        name: project.name,
        folder: project.folder,
        is_running: project.is_running,
    };
    thread::spawn(move || all().into_iter().map(row).collect()).join().unwrap_or_default()
}

/// Lists them.
pub fn run(as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let projects = all();
    if as_json {
        return json(&projects, out);
    }
    let width = terminal_width();
    if projects.is_empty() {
        let text = "no project of yours has a daemon; `trainyard -C DIR up` starts one";
        return Ok(print_line(text, width, out)?);
    }
    let cells: Vec<[String; 4]> = projects.iter().map(cells).collect();
    Ok(print(["project", "daemon", "state", "folder"], &cells, width, out)?)
}

fn cells(project: &Project) -> [String; 4] {
    [
        project.name.clone(),
        project.pid.map_or_else(|| UNKNOWN.to_owned(), |pid| pid.to_string()),
        project.summary(),
        project.folder.display().to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_is_told_in_a_line_whatever_is_known_of_it() {
        let mut project = Project {
            name: "wine".to_owned(),
            folder: PathBuf::from("/srv/wine"),
            is_running: true,
            pid: Some(4711),
            release: Some(ReleaseId(7)),
            run: Some(RunId(42)),
            result: Some("passed".to_owned()),
        };
        assert_eq!(cells(&project), ["wine", "4711", "release 7 live, run 42 passed", "/srv/wine"]);
        (project.pid, project.release) = (None, None);
        assert_eq!(cells(&project), ["wine", UNKNOWN, "run 42 passed", "/srv/wine"]);
        project.run = None;
        assert_eq!(project.summary(), "no run yet");
    }
}
