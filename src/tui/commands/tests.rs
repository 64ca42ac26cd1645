//! What holds of the table as a whole.

use super::*;
use crate::tui::fixtures;

#[test]
fn no_key_means_two_things_in_one_view() {
    for view in LISTS {
        let here = |command: &&Command| command.views.is_empty() || command.views.contains(view);
        let mut seen: Vec<String> = Vec::new();
        for key in COMMANDS.iter().filter(here).flat_map(|command| command.keys) {
            assert!(!seen.contains(&key.label()), "{} means two things in {view:?}", key.label());
            seen.push(key.label());
        }
    }
}

#[test]
fn the_palette_puts_the_nearest_name_first() {
    let model = fixtures::idle();
    let first = |input| matching(&model, input).first().map(|command| command.name);
    assert_eq!(first("run"), Some("runs"));
    assert_eq!(first("dep"), Some("deploy"));
    assert_eq!(first("fz"), Some("freeze"));
    assert_eq!(first("zzzz"), None);
}

#[test]
fn what_cannot_be_done_is_not_offered() {
    let model = fixtures::empty();
    let names: Vec<_> = matching(&model, "").iter().map(|command| command.name).collect();
    assert!(!names.contains(&"cancel") && !names.contains(&"rollback") && !names.contains(&"next batch"));
    assert!(names.contains(&"detach"));
}

#[test]
fn the_reference_names_every_command() {
    let reference = reference();
    assert!(COMMANDS.iter().all(|command| reference.contains(command.description)));
}
