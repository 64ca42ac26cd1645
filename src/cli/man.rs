//! `trainyard man`: one manual page with every command of the command line and of the screen.
//!
//! All of it comes from where it is defined: the words of the command line, the table of the screen's commands.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::arguments::Arguments;
use crate::tui;

/// Files and variables of the operator's own; what belongs to a project stands in its documents.
const FILES: [(&str, &str); 3] = [
    ("$XDG_CONFIG_HOME/trainyard/config.toml", "what you prefer on the screen; see `trainyard config preferences`"),
    ("$XDG_CONFIG_HOME/trainyard/themes/NAME.toml", "themes of your own; see `trainyard config theme`"),
    ("$XDG_CACHE_HOME/trainyard/copied/", "what was copied where the terminal has no clipboard, or too small a one"),
];
const ENVIRONMENT: [(&str, &str); 5] = [
    ("TRAINYARD_THEME", "the theme, before all preferences"),
    ("TRAINYARD_ASCII", "1: only ASCII is drawn"),
    ("TRAINYARD_BELL", "off: nothing rings"),
    ("NO_COLOR", "no colours, unless a theme is asked for"),
    ("TRAINYARD_SSH", "another ssh for `attach`, with its first arguments"),
];

/// Writes the page to `out`.
pub fn write(out: &mut dyn Write) -> io::Result<()> {
    let page = Man::new(Arguments::command());
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    page.render_options_section(out)?;
    let mut roff = Roff::new();
    roff.control("SH", ["COMMANDS"]);
    let mut whole = Arguments::command();
    whole.build();
    for command in whole.get_subcommands_mut() {
        add_command(&mut roff, command);
    }
    add_screen(&mut roff);
    add_pairs(&mut roff, "FILES", &FILES);
    add_pairs(&mut roff, "ENVIRONMENT", &ENVIRONMENT);
    roff.to_writer(out)?;
    page.render_extra_section(out)?;
    page.render_version_section(out)
}

/// A command with its usage and its example, and all below it; those that are for ourselves are left out.
fn add_command(roff: &mut Roff, command: &mut clap::Command) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").split_whitespace().collect::<Vec<_>>().join(" ");
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    add(roff, [bold(usage)], &about);
    for line in example.lines().filter(|line| !line.trim().is_empty()) {
        roff.control("br", []);
        roff.text([italic(line.trim())]);
    }
    for below in command.get_subcommands_mut() {
        add_command(roff, below);
    }
}

/// Every command of the screen with its keys.
fn add_screen(roff: &mut Roff) {
    roff.control("SH", ["COMMANDS OF THE SCREEN"]);
    roff.text([roman("Each stands in the palette too, and can be given other keys by its name.")]);
    for command in tui::screen_commands() {
        let keys = if command.keys.is_empty() { "no key".to_owned() } else { command.keys.join(", ") };
        let head = [bold(command.id), roman(format!(" ({keys}; {})", command.place))];
        add(roff, head, command.description);
    }
}

fn add_pairs(roff: &mut Roff, heading: &str, pairs: &[(&str, &str)]) {
    roff.control("SH", [heading]);
    for (name, text) in pairs {
        add(roff, [bold(*name)], text);
    }
}

/// A paragraph with its heading.
fn add(roff: &mut Roff, head: impl Into<Vec<Inline>>, text: &str) {
    roff.control("TP", []);
    roff.text(head);
    roff.text([roman(text)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> String {
        let mut page = Vec::new();
        write(&mut page).unwrap();
        String::from_utf8(page).unwrap().replace("\\-", "-")
    }

    fn names(command: &clap::Command, before: &str, found: &mut Vec<String>) {
        for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
            let name = format!("{before} {}", below.get_name());
            names(below, &name, found);
            found.push(name);
        }
    }

    #[test]
    fn every_command_of_the_command_line_is_in_the_manual_page() {
        let (page, mut all) = (page(), Vec::new());
        names(&Arguments::command(), "trainyard", &mut all);
        assert!(all.len() > 30, "{all:?}");
        for name in all {
            assert!(page.contains(&name), "{name} is not in the manual page");
        }
    }

    #[test]
    fn every_command_of_the_screen_is_in_the_manual_page_with_its_keys() {
        let page = page();
        for command in tui::screen_commands() {
            let head = format!("\\fB{}\\fR (", command.id);
            assert!(page.contains(&head), "{} is not in the manual page", command.id);
            assert!(page.contains(&command.place), "{}", command.place);
        }
    }
}
