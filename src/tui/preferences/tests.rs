//! What the operator's files do, and what is said where they are wrong.

use std::fs;

use super::*;
use crate::tui::commands::{COMMANDS, Key, by_id};
use crate::tui::fixtures;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(THEMES)).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

/// What is wrong with a file of preferences, without the folder.
fn faults(text: &str) -> Vec<String> {
    let folder = folder(&[(FILE, text)]);
    let begin = format!("{}/", folder.path().display());
    let faults = Preferences::load(folder.path()).unwrap_err();
    faults.iter().map(|fault| fault.to_string().replace(&begin, "")).collect()
}

#[test]
fn without_a_file_everything_is_as_usual() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Preferences::load(folder.path()), Ok(Preferences::default()));
    assert_eq!(Preferences::load(&folder.path().join("missing")), Ok(Preferences::default()));
}

#[test]
fn the_file_to_begin_with_says_what_is_usual_and_can_be_used_as_it_is() {
    let commented = commented_preferences();
    assert!(commented.lines().all(|line| line.is_empty() || line.starts_with('#')));
    let is_entry = |line: &&str| line.contains(" = ") || line.contains("[keys]");
    let entries: Vec<&str> = commented.lines().filter_map(|line| line.strip_prefix("# ")).filter(is_entry).collect();
    assert_eq!(entries.len(), COMMANDS.len() + 6, "{entries:?}");
    let folder = folder(&[(FILE, &entries.join("\n"))]);
    let read = Preferences::load(folder.path()).unwrap();
    for command in COMMANDS {
        assert_eq!(read.keymap.keys(command), command.keys, "{}", command.id());
    }
    assert_eq!(Preferences { ascii: None, keymap: Keymap::default(), ..read }, Preferences::default());
}

#[test]
fn keys_are_given_by_the_names_of_commands() {
    let text = "theme = 'light'\nmouse = true\nbell = false\nascii = true\ntimestamps = \"relative\"\n\
                [keys]\nrollback = \"ctrl-r\"\nrun-all = ['F5', 'r']\nfreeze = false\n";
    let folder = folder(&[(FILE, text)]);
    let read = Preferences::load(folder.path()).unwrap();
    assert_eq!(read.theme.as_deref(), Some("light"));
    assert_eq!((read.mouse, read.bell, read.ascii, read.timestamps), (true, false, Some(true), Timestamps::Relative));
    let labels =
        |id: &str| -> Vec<String> { read.keymap.keys(by_id(id).unwrap()).iter().map(|key| key.label()).collect() };
    assert_eq!(labels("rollback"), ["Ctrl-R"]);
    assert_eq!(labels("run-all"), ["F5", "r"]);
    assert!(labels("freeze").is_empty());
    assert_eq!(labels("deploy"), ["d"], "what is not named keeps its keys");
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_line_and_column() {
    let text = "them = \"dark\"\nmouse = \"yes\"\ntheme = \"neon\"\ntimestamps = 3\n\n[keys]\nrolback = \"x\"\n  rollback = \"d\"\n\
                cancel = \"hyper-x\"\nzoom = [\"z\", 7]\ndetach = false\n";
    insta::assert_snapshot!("faults_of_preferences", faults(text).join("\n"));
}

#[test]
fn what_is_no_toml_is_told_with_its_place() {
    let told = faults("mouse = true\ntheme = \n");
    assert!(told.len() == 1 && told[0].starts_with("config.toml:"), "{told:?}");
}

#[test]
fn a_theme_of_the_operators_own_stands_beside_ours_and_a_broken_one_is_told() {
    let dark = include_str!("../../../themes/dark.toml");
    let own = dark.replace("bg = \"#10151c\"", "bg = \"#000000\"");
    let folder = folder(&[("themes/night.toml", &own), (FILE, "theme = \"night\"\n")]);
    let read = Preferences::load(folder.path()).unwrap();
    assert_eq!(read.theme_names(), ["dark", "light", "ansi", "mono", "night"]);
    let mut model = fixtures::idle();
    prefer(&mut model, read);
    assert_eq!(model.theme, Theme::parse(&own).unwrap());
    fs::write(folder.path().join("themes/night.toml"), dark.replace("[\"bold\"]", "[\"loud\"]")).unwrap();
    let faults = Preferences::load(folder.path()).unwrap_err();
    assert!(faults[0].to_string().contains("themes/night.toml:9:"), "{}", faults[0]);
    assert!(told(&faults).contains("and 3 more"), "{}", told(&faults));
}

#[test]
fn a_preference_that_is_taken_away_gives_back_what_the_terminal_has() {
    let mut model = fixtures::idle();
    let (theme, drawing) = (model.theme.clone(), model.metrics.drawing);
    let wanted =
        Preferences { theme: Some("mono".to_owned()), ascii: Some(true), mouse: true, ..Preferences::default() };
    prefer(&mut model, wanted);
    assert_eq!(model.theme, Theme::named("mono").unwrap());
    assert!(model.glyphs.is_ascii && model.has_mouse);
    prefer(&mut model, Preferences::default());
    assert_eq!((&model.theme, model.metrics.drawing), (&theme, drawing));
    assert!(!model.glyphs.is_ascii && !model.has_mouse);
}

#[test]
fn the_environment_wins_over_the_file() {
    let folder = folder(&[(FILE, "theme = \"light\"\n")]);
    let variable = |name: &str| match name {
        "TRAINYARD_THEME" => Some("mono".to_owned()),
        "COLORTERM" => Some("truecolor".to_owned()),
        _ => None,
    };
    let mut model = fixtures::idle();
    // Without a home there is no file.
    begin(&mut model, &variable);
    prefer(&mut model, Preferences::load(folder.path()).unwrap());
    assert_eq!(model.theme, Theme::named("mono").unwrap());
}

#[test]
fn the_time_before_lines_of_logs_is_as_preferred_until_a_key_changes_it() {
    let mut model = fixtures::running();
    let preferred = Preferences { timestamps: Timestamps::Off, ..Preferences::default() };
    prefer(&mut model, preferred.clone());
    assert_eq!(model.log.timestamps, Timestamps::Off);
    model.log.timestamps = model.log.timestamps.next();
    prefer(&mut model, Preferences { mouse: true, ..preferred });
    assert_eq!(model.log.timestamps, Timestamps::Absolute, "what was not changed in the file changes nothing");
}

#[test]
fn no_two_keys_can_be_given_so_that_one_means_two_things() {
    for command in COMMANDS.iter().filter(|command| command.id() != "deploy") {
        let mut keymap = Keymap::default();
        keymap.set(command, vec![Key::Char('d')]);
        let deploy = by_id("deploy").unwrap();
        let clashes = keymap.clashes();
        assert_eq!(
            clashes.iter().any(|clash| clash.one == "deploy" || clash.other == "deploy"),
            command.shares_a_view(deploy),
            "{}",
            command.id()
        );
    }
}
