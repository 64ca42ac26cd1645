//! `trainyard config`: what may be written in `trainyard.toml`.

use std::io::{self, Write};

use clap::Subcommand;

use crate::config::{reference, schema};

/// The subcommands of `trainyard config`.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Print the JSON schema of `trainyard.toml`, with which editors complete and check
    #[command(after_help = "Example: trainyard config schema > trainyard.schema.json")]
    Schema,
    /// Print every key with its meaning and default, as Markdown
    #[command(after_help = "Example: trainyard config reference | less")]
    Reference,
}

/// Writes what was asked for to `out`.
pub fn run(command: ConfigCommand, out: &mut impl Write) -> io::Result<()> {
    match command {
        ConfigCommand::Schema => {
            serde_json::to_writer_pretty(&mut *out, &schema())?;
            writeln!(out)
        }
        ConfigCommand::Reference => write!(out, "{}", reference()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_json() {
        let mut out = Vec::new();
        run(ConfigCommand::Schema, &mut out).unwrap();
        let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(value["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}
