//! `trainyard config`: what may be written in `trainyard.toml`, and what an operator may prefer.

use std::io::{self, Write};

use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use super::failure::Failure;
use crate::config::{reference, schema};
use crate::tui;

/// The subcommands of `trainyard config`.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigCommand {
    /// Print the JSON schema of `trainyard.toml`, with which editors complete and check
    #[command(after_help = "Example: trainyard config schema > trainyard.schema.json")]
    Schema,
    /// Print every key with its meaning and default, as Markdown
    #[command(after_help = "Example: trainyard config reference | less")]
    Reference,
    /// Print where your own preferences of the screen lie, and a commented file to begin with
    #[command(after_help = "Example: trainyard config preferences > ~/.config/trainyard/config.toml")]
    Preferences {
        /// Say what is wrong with the files that are there
        #[arg(long)]
        check: bool,
    },
    /// Print a theme, to begin one of your own with
    #[command(after_help = "Example: trainyard config theme dark > ~/.config/trainyard/themes/mine.toml")]
    Theme {
        /// Which
        #[arg(value_parser = PossibleValuesParser::new(tui::theme_names()))]
        name: String,
    },
}

/// Writes what was asked for to `out`.
pub fn run(command: ConfigCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        ConfigCommand::Schema => Ok(print_schema(out)?),
        ConfigCommand::Reference => Ok(write!(out, "{}", reference())?),
        ConfigCommand::Preferences { check: true } => check_preferences(out),
        ConfigCommand::Preferences { check: false } => Ok(print_preferences(out)?),
        ConfigCommand::Theme { name } => Ok(write!(out, "{}", tui::theme_text(&name).unwrap_or_default())?),
    }
}

fn print_schema(out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &schema())?;
    writeln!(out)
}

fn print_preferences(out: &mut impl Write) -> io::Result<()> {
    if let Some(file) = tui::preferences_file() {
        writeln!(out, "# {}", file.display())?;
    }
    write!(out, "{}", tui::commented_preferences())
}

fn check_preferences(out: &mut impl Write) -> Result<(), Failure> {
    let faults = tui::preference_faults();
    if !faults.is_empty() {
        for fault in faults {
            writeln!(out, "{fault}")?;
        }
        return Err(Failure::Said(2));
    }
    match tui::preferences_file() {
        Some(file) if file.exists() => writeln!(out, "{} is in order", file.display())?,
        Some(file) => writeln!(out, "there is no {}, so what is usual holds", file.display())?,
        None => writeln!(out, "there is no home folder to look in; set HOME or XDG_CONFIG_HOME")?,
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(command: ConfigCommand) -> Vec<u8> {
        let mut out = Vec::new();
        run(command, &mut out).unwrap();
        out
    }

    #[test]
    fn the_schema_is_json() {
        let value: serde_json::Value = serde_json::from_slice(&printed(ConfigCommand::Schema)).unwrap();
        assert_eq!(value["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }

    #[test]
    fn every_theme_that_is_offered_can_be_printed() {
        for name in tui::theme_names() {
            let text = String::from_utf8(printed(ConfigCommand::Theme { name: name.to_owned() })).unwrap();
            assert!(text.contains("[roles]"), "{name}");
        }
    }

    #[test]
    fn the_file_to_begin_with_names_every_command_of_the_screen() {
        let text = String::from_utf8(printed(ConfigCommand::Preferences { check: false })).unwrap();
        for command in tui::screen_commands() {
            assert!(text.contains(&format!("# {} = ", command.id)), "{}", command.id);
        }
    }
}
