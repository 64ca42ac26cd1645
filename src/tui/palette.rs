//! What the palette finds: commands, and by their names runs, stages, themes and projects.
//!
//! Pure. What can be done now comes first, what cannot is told with the reason; of what fits equally well, what was chosen
//! last.

use std::path::PathBuf;

use super::app::Model;
use super::commands::{Action, COMMANDS, Command, key_labels, other_words};
use super::unavailable;
use crate::api::types::fit;
use crate::pipeline::{RunId, StageName, explain};

/// The newest runs that can be found.
const MOST_RUNS: usize = 200;
/// Choices that are remembered.
const MOST_RECENT: usize = 20;
/// Fewer letters are no word to look for in descriptions.
const WORD: usize = 3;

/// What a row of the palette stands for.
#[derive(Clone)]
pub(super) enum Target {
    /// A command.
    Command(&'static Command),
    /// A run, in Runs.
    Run(RunId),
    /// The log of a stage.
    Stage(StageName),
    /// A theme, as long as the screen is open.
    Theme(String),
    /// Another project of this user.
    Project(PathBuf),
}

/// A row of the palette.
#[derive(Clone)]
pub(super) struct Entry {
    /// What it stands for.
    pub(super) target: Target,
    /// What it is called, and what is typed.
    pub(super) name: String,
    /// Which characters of the name were typed.
    pub(super) places: Vec<usize>,
    /// One line.
    pub(super) description: String,
    /// Its keys, for people.
    pub(super) keys: String,
    /// Why it cannot be done now.
    pub(super) why_not: Option<String>,
}

/// The rows for what was typed, the best first.
pub(super) fn entries(model: &Model, input: &str) -> Vec<Entry> {
    let commands = COMMANDS
        .iter()
        .filter(|command| command.is_known(model) && command.action != Action::Palette)
        .map(|command| of_command(model, command));
    let mut found: Vec<((bool, bool, usize, usize), Entry)> =
        commands.chain(places(model)).filter_map(|entry| ranked(model, entry, input)).collect();
    // Stable: what fits equally well stays in the order of the table.
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, entry)| entry).collect()
}

/// Remembers what was chosen.
pub(super) fn remember(model: &mut Model, name: &str) {
    model.recent.retain(|known| known != name);
    model.recent.insert(0, name.to_owned());
    model.recent.truncate(MOST_RECENT);
}

fn of_command(model: &Model, command: &'static Command) -> Entry {
    let why_not = (!command.is_available(model)).then(|| unavailable::why(model, command));
    Entry {
        target: Target::Command(command),
        name: command.name.to_owned(),
        places: Vec::new(),
        description: command.told(model).to_owned(),
        keys: key_labels(model, command),
        why_not,
    }
}

/// What is no command but can be gone to.
fn places(model: &Model) -> impl Iterator<Item = Entry> {
    let entry = |target: Target, name: String, description: String| Entry {
        target,
        name,
        places: Vec::new(),
        description,
        keys: String::new(),
        why_not: None,
    };
    let runs = model.state.runs.values().rev().take(MOST_RUNS);
    let runs =
        runs.map(move |run| entry(Target::Run(run.id), format!("run {}", run.id), explain::trigger(&run.trigger)));
    let stages = model.state.graph.stages().iter().map(move |spec| {
        let name = format!("stage {}", spec.name.as_str());
        entry(Target::Stage(spec.name.clone()), name, "its log".to_owned())
    });
    let themes = model.preferences.theme_names().into_iter().map(move |theme| {
        let name = format!("theme {theme}");
        entry(Target::Theme(theme), name, "its colours, until the screen is left".to_owned())
    });
    let here = model.daemon.as_ref().map(|daemon| PathBuf::from(&daemon.folder));
    let others = model.other_projects.iter().filter(move |row| Some(&row.folder) != here.as_ref());
    let projects = others.map(move |row| {
        entry(Target::Project(row.folder.clone()), format!("project {}", row.name), row.summary.clone())
    });
    runs.chain(stages).chain(themes).chain(projects)
}

/// The rank of a row, the lower the better: what cannot be done and what only its description knows come last.
fn ranked(model: &Model, mut entry: Entry, input: &str) -> Option<((bool, bool, usize, usize), Entry)> {
    let recency = model.recent.iter().position(|name| *name == entry.name).unwrap_or(MOST_RECENT);
    let cannot = entry.why_not.is_some();
    let word = input.trim().to_lowercase();
    if word.is_empty() {
        return Some(((cannot, false, recency, 0), entry));
    }
    if let Some(fit) = fit(&entry.name, input) {
        entry.places = fit.places;
        return Some(((cannot, false, fit.cost, recency), entry));
    }
    if let Target::Command(command) = &entry.target
        && other_words(command.action).iter().any(|other| word.chars().count() >= WORD && other.starts_with(&word))
    {
        // Behind what is called so, before what only tells of it.
        return Some(((cannot, false, usize::MAX, recency), entry));
    }
    let is_told = word.chars().count() >= WORD && entry.description.to_lowercase().contains(&word);
    is_told.then_some(((cannot, true, recency, 0), entry))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    fn names(model: &Model, input: &str) -> Vec<String> {
        entries(model, input).into_iter().map(|entry| entry.name).collect()
    }

    fn first(model: &Model, input: &str) -> Option<String> {
        names(model, input).into_iter().next()
    }

    #[test]
    fn the_nearest_name_comes_first() {
        let model = fixtures::idle();
        assert_eq!(first(&model, "run").as_deref(), Some("runs"));
        assert_eq!(first(&model, "dep").as_deref(), Some("deploy"));
        assert_eq!(first(&model, "fz").as_deref(), Some("freeze"));
        assert_eq!(first(&model, "ld").as_deref(), Some("lock deploys"), "letters that begin words");
        assert_eq!(first(&model, "braille").as_deref(), Some("drawing"), "a word of the description");
        assert_eq!(first(&model, "zzzz"), None);
    }

    #[test]
    fn the_way_out_is_found_by_whatever_people_call_it_and_says_what_goes_on() {
        let model = fixtures::idle();
        for word in ["stop", "quit", "exit", "leave"] {
            let found = entries(&model, word).into_iter().next().unwrap();
            assert_eq!(found.name, "detach", "{word}");
            assert!(found.description.contains("`trainyard down --all`"), "{}", found.description);
        }
        assert!(names(&model, "down").contains(&"detach".to_owned()), "which is what stops all");
        let mut demo = fixtures::idle();
        demo.is_demo = true;
        let found = entries(&demo, "quit").into_iter().next().unwrap();
        assert!(found.description.contains("stop the demo"), "{}", found.description);
        assert_eq!(first(&fixtures::running(), "stop").as_deref(), Some("cancel"), "while something runs");
    }

    #[test]
    fn runs_stages_and_themes_are_found_by_their_names() {
        let model = fixtures::idle();
        for name in ["run 2", "stage train", "theme light", "run 1"] {
            assert_eq!(first(&model, name).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_cannot_be_done_comes_last_and_says_why() {
        let model = fixtures::empty();
        let rows = entries(&model, "");
        let begin = rows.iter().position(|entry| entry.why_not.is_some()).unwrap();
        assert!(rows.iter().skip(begin).all(|entry| entry.why_not.is_some()));
        let cancel = rows.iter().find(|entry| entry.name == "cancel").unwrap();
        assert_eq!(cancel.why_not.as_deref(), Some("nothing to cancel: no run is active or waits"));
        assert!(rows.iter().all(|entry| entry.name != "next batch"), "nobody learns of the demo's keys outside of it");
    }

    #[test]
    fn what_was_chosen_last_comes_first() {
        let mut model = fixtures::idle();
        remember(&mut model, "events");
        remember(&mut model, "freeze");
        remember(&mut model, "events");
        assert_eq!(names(&model, "")[..2], ["events", "freeze"]);
        assert_eq!(model.recent.len(), 2);
    }
}
