//! `trainyard notify`: whether people would be told, tried from here and at once.

use std::io::Write;
use std::path::Path;

use super::failure::Failure;
use super::project::{block_on, layout};
use crate::config::load;
use crate::engine::notify::try_all;

/// The subcommands of `trainyard notify`.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum NotifyCommand {
    /// Send a sample to every [[notify]], or to one, and say what came back
    #[command(after_help = "Example: trainyard notify test team")]
    Test {
        /// Only this one
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
}

/// Tells a sample; fails if one of them was not told.
pub fn run(folder: &Path, command: &NotifyCommand, out: &mut impl Write) -> Result<(), Failure> {
    let NotifyCommand::Test { name } = command;
    let layout = layout(folder)?;
    let settings = load(&layout.configuration()).map_err(|error| Failure::Usage(error.to_string()))?;
    if settings.notify.is_empty() {
        let text = "nobody is to be told of anything: add a [[notify]] to trainyard.toml";
        return Err(Failure::Usage(text.to_owned()));
    }
    let tried = block_on(async { Ok(try_all(&settings, layout.project(), name.as_deref()).await) })?;
    if tried.is_empty() {
        let names: Vec<&str> = settings.notify.iter().map(|sink| sink.name.as_str()).collect();
        let (name, names) = (name.as_deref().unwrap_or_default(), names.join(", "));
        return Err(Failure::Usage(format!("there is no [[notify]] called `{name}`; there is {names}")));
    }
    let mut is_told = true;
    for one in &tried {
        match &one.outcome {
            Ok(said) => writeln!(out, "{}: told; {said}", one.name)?,
            Err(reason) => {
                is_told = false;
                writeln!(out, "{}: not told; {reason}", one.name)?;
            }
        }
    }
    if is_told { Ok(()) } else { Err(Failure::Said(1)) }
}
