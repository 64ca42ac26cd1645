//! What holds of the table as a whole, and of keys, hints, palette, help and docs, which are made from it.

use regex::Regex;

use super::*;
use crate::tui::fixtures::{self, render, send};
use crate::tui::message::Msg;
use crate::tui::{hold_fixtures, palette, unavailable, views};

/// Screens on which most commands can be done somewhere.
fn models() -> Vec<Model> {
    let mut demo = fixtures::running();
    demo.is_demo = true;
    demo.can_switch = true;
    let mut searched = fixtures::idle();
    for key in ['3', '/', 'a'] {
        send(&mut searched, Msg::Key(Key::Char(key).event()));
    }
    send(&mut searched, Msg::Key(ENTER.event()));
    vec![
        fixtures::empty(),
        fixtures::idle(),
        fixtures::failed(),
        fixtures::deployed(),
        fixtures::alerted(),
        hold_fixtures::awaiting(),
        hold_fixtures::locked(),
        searched,
        demo,
    ]
}

/// Shows a view as an operator does, so that it asks for what it shows.
fn go(model: &mut Model, view: View) {
    let key = Key::read(&key_of(model, Action::Show(view))).unwrap();
    send(model, Msg::Key(key.event()));
    assert_eq!(model.view, view);
}

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
fn every_command_has_a_stable_name_of_its_own_in_one_word() {
    let form = Regex::new("^[a-z0-9]+(-[a-z0-9]+)*$").unwrap();
    for (index, command) in COMMANDS.iter().enumerate() {
        assert!(form.is_match(&command.id()), "{}", command.id());
        assert!(COMMANDS.iter().skip(index + 1).all(|other| other.id() != command.id()), "{} twice", command.id());
        assert_eq!(by_id(&command.id()).map(|found| found.name), Some(command.name));
    }
}

#[test]
fn what_can_be_done_is_reached_by_its_keys_and_by_the_palette() {
    let mut reached = Vec::new();
    for mut model in models() {
        for view in LISTS {
            go(&mut model, *view);
            let rows = palette::entries(&model, "");
            for command in COMMANDS.iter().filter(|command| command.is_available(&model)) {
                for key in command.keys {
                    assert!(
                        by_key(&model, &key.event()) == Some(command.action),
                        "{} by {}",
                        command.id(),
                        key.label()
                    );
                }
                let row = rows.iter().find(|row| row.name == command.name && row.why_not.is_none());
                assert_eq!(row.is_some(), command.action != Action::Palette, "{} in the palette", command.id());
                reached.push(command.name);
            }
        }
    }
    let never: Vec<&str> = COMMANDS.iter().map(|command| command.name).filter(|name| !reached.contains(name)).collect();
    // Each of these wants a screen of its own, which its own tests make.
    assert!(never.len() <= 9, "never available: {never:?}");
}

#[test]
fn what_cannot_be_done_says_why_in_the_palette_and_by_its_key() {
    for mut model in models() {
        for view in LISTS {
            go(&mut model, *view);
            for row in palette::entries(&model, "").iter().filter(|row| row.why_not.is_some()) {
                let palette::Target::Command(command) = &row.target else { panic!("{} cannot be done", row.name) };
                assert_eq!(row.why_not, Some(unavailable::why(&model, command)));
                let why = row.why_not.as_deref().unwrap_or_default();
                assert!(!why.is_empty() && !why.contains("not available here"), "{}: {why}", row.name);
            }
        }
    }
}

#[test]
fn a_key_that_was_given_anew_is_told_everywhere_and_the_old_one_is_forgotten() {
    let mut model = fixtures::idle();
    let f9 = Key::read("f9").unwrap();
    model.preferences.keymap.set(by_id("rollback").unwrap(), vec![f9]);
    assert!(by_key(&model, &f9.event()) == Some(Action::Rollback));
    assert!(by_key(&model, &Key::Char('R').event()).is_none());
    assert!(meant_by_key(&model, &Key::Char('R').event()).is_none());
    assert_eq!(key_of(&model, Action::Rollback), "F9");
    let screen = render(&model, 120, 40);
    assert!(screen.lines().last().unwrap().contains("F9 rollback"), "{screen}");
    let row = palette::entries(&model, "rollback").into_iter().next().unwrap();
    assert_eq!((row.name.as_str(), row.keys.as_str()), ("rollback", "F9"));
    let rows = views::help::rows(&model, "F9");
    assert!(matches!(rows.last(), Some(views::help::Row::Command(command)) if command.id() == "rollback"));
}

#[test]
fn a_command_without_a_key_stays_in_the_palette() {
    let mut model = fixtures::idle();
    model.preferences.keymap.set(by_id("freeze").unwrap(), Vec::new());
    assert!(by_key(&model, &Key::Char(' ').event()).is_none());
    let row = palette::entries(&model, "freeze").into_iter().next().unwrap();
    assert_eq!((row.name.as_str(), row.keys.as_str(), row.why_not), ("freeze", "", None));
    assert!(!render(&model, 200, 50).contains("Space freeze"));
}

#[test]
fn the_keys_of_the_demo_are_hinted_where_they_are_of_use_and_work_everywhere() {
    let mut model = fixtures::running();
    model.is_demo = true;
    for view in LISTS {
        go(&mut model, *view);
        let screen = render(&model, 250, 50);
        let hints = screen.lines().last().unwrap();
        assert_eq!(hints.contains("B next batch"), *view == View::Board, "{view:?}: {hints}");
        assert!(by_key(&model, &Key::Char('B').event()) == Some(Action::Demo(DemoAction::NextBatch)), "{view:?}");
    }
}

#[test]
fn help_names_every_command_once_those_of_the_view_first() {
    let mut model = fixtures::idle();
    model.is_demo = true;
    for view in LISTS {
        model.view = *view;
        let commands: Vec<&Command> = views::help::rows(&model, "")
            .into_iter()
            .filter_map(|row| match row {
                views::help::Row::Command(command) => Some(command),
                views::help::Row::Heading(_) | views::help::Row::Meaning(..) => None,
            })
            .collect();
        assert_eq!(commands.len(), COMMANDS.len());
        let begin = commands.iter().position(|command| !command.belongs(*view)).unwrap_or(commands.len());
        assert!(commands.iter().skip(begin).all(|command| !command.belongs(*view)));
    }
}

#[test]
fn the_reference_names_every_command() {
    let reference = reference();
    for command in COMMANDS {
        assert!(reference.contains(command.description) && reference.contains(&format!("| `{}` |", command.id())));
    }
}
