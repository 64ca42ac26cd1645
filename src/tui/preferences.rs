//! What the operator prefers, on every project: `$XDG_CONFIG_HOME/trainyard/config.toml`, and themes beside it.
//!
//! It is the operator's and not the project's, so it is read here and not by the room `config`. Files are taken whole or not at
//! all: a fault is told with its line and column and what was in force stays ([`read`] finds all faults at once). [`follow`]
//! hears of changes; [`text`] is the commented file to begin with; [`folder`] knows where it lies.

mod fault;
mod folder;
mod follow;
mod read;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

pub use fault::PreferenceFault;
pub(super) use fault::{Misfit, nearest};
pub(super) use folder::{cache, configuration};
pub(super) use follow::follow;
pub use text::commented as commented_preferences;

use super::app::{Message, Model};
use super::glyphs::Glyphs;
use super::keymap::Keymap;
use super::log_view::Timestamps;
use super::metrics::Drawing;
use super::theme::Theme;

/// The name of the file.
const FILE: &str = "config.toml";
/// The folder of themes beside it.
const THEMES: &str = "themes";
/// A file of more bytes is none of these.
const LARGEST: u64 = 256 * 1024;
/// Themes beyond this many are not looked at.
const MOST_THEMES: usize = 100;

/// What the operator prefers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Preferences {
    /// The name of a theme; `None` leaves it to the terminal.
    pub(super) theme: Option<String>,
    /// Whether the mouse works in the screen, so that the terminal's own selection does not.
    pub(super) mouse: bool,
    /// Whether the bell calls on a failure.
    pub(super) bell: bool,
    /// What stands before the lines of a log.
    pub(super) timestamps: Timestamps,
    /// Whether only ASCII is drawn; `None` leaves it to the terminal.
    pub(super) ascii: Option<bool>,
    /// Keys that differ from the table.
    pub(super) keymap: Keymap,
    /// The operator's own themes by their names.
    pub(super) themes: BTreeMap<String, Theme>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self {
            theme: None,
            mouse: false,
            bell: true,
            timestamps: Timestamps::Absolute,
            ascii: None,
            keymap: Keymap::default(),
            themes: BTreeMap::new(),
        }
    }
}

impl Preferences {
    /// What lies in a folder; without files, what is usual.
    pub(super) fn load(folder: &Path) -> Result<Self, Vec<PreferenceFault>> {
        let mut faults = Vec::new();
        let themes = load_themes(&folder.join(THEMES), &mut faults);
        let path = folder.join(FILE);
        let text = contents(&path).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        let text = text.unwrap_or_default();
        match read::read(&text, themes) {
            Ok(preferences) if faults.is_empty() => Ok(preferences),
            Ok(_) => Err(faults),
            Err(misfits) => {
                // The file with the keys first: it names the themes.
                let told = misfits.iter().map(|misfit| misfit.at(&path, &text));
                Err(told.chain(faults).collect())
            }
        }
    }

    /// The names of all themes that can be chosen: ours and the operator's.
    pub(super) fn theme_names(&self) -> Vec<String> {
        let own = self.themes.keys().filter(|name| !Theme::NAMES.contains(&name.as_str()));
        Theme::NAMES.iter().map(|name| (*name).to_owned()).chain(own.cloned()).collect()
    }

    /// A theme; the operator's own wins over ours of the same name.
    pub(super) fn theme_named(&self, name: &str) -> Option<Theme> {
        self.themes.get(name).cloned().or_else(|| Theme::named(name))
    }
}

/// What the terminal and the environment gave, to which the screen goes back where a preference is taken away.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// The theme that fits the terminal.
    pub(super) theme: Theme,
    /// Its signs.
    pub(super) glyphs: &'static Glyphs,
    /// The theme that was asked for by `TRAINYARD_THEME` or in the palette, before all preferences.
    pub(super) asked: Option<String>,
}

/// Looks for the operator's preferences and begins with them. A fault is said on the message line.
pub(super) fn begin(model: &mut Model, variable: &dyn Fn(&str) -> Option<String>) {
    model.found.asked = variable("TRAINYARD_THEME").filter(|name| !name.is_empty());
    let Some(folder) = configuration(variable) else { return };
    match Preferences::load(&folder) {
        Ok(preferences) => prefer(model, preferences),
        Err(faults) => model.message = Some(Message::complaint(told(&faults))),
    }
}

/// Takes preferences in force.
pub(super) fn prefer(model: &mut Model, preferences: Preferences) {
    if preferences.mouse != model.preferences.mouse {
        model.has_mouse = preferences.mouse;
    }
    if preferences.timestamps != model.preferences.timestamps {
        model.log.timestamps = preferences.timestamps;
    }
    model.preferences = preferences;
    dress(model);
}

/// Colours and signs as they are preferred, else as the terminal has them.
pub(super) fn dress(model: &mut Model) {
    let wanted = model.found.asked.as_ref().or(model.preferences.theme.as_ref());
    let named = wanted.and_then(|name| model.preferences.theme_named(name));
    model.theme = named.unwrap_or_else(|| model.found.theme.clone());
    let was_ascii = model.glyphs.is_ascii;
    model.glyphs = match model.preferences.ascii {
        Some(true) => Glyphs::ascii(),
        Some(false) => Glyphs::unicode(),
        None => model.found.glyphs,
    };
    if was_ascii != model.glyphs.is_ascii {
        model.metrics.drawing = if model.glyphs.is_ascii { Drawing::Ascii } else { Drawing::Braille };
    }
}

/// Faults on one line: the first, and how many more.
pub(super) fn told(faults: &[PreferenceFault]) -> String {
    let Some(first) = faults.first() else { return String::new() };
    match faults.len() - 1 {
        0 => first.to_string(),
        more => format!("{first} (and {more} more: trainyard config preferences --check)"),
    }
}

/// The text of a theme that is part of the program.
pub fn theme_text(name: &str) -> Option<&'static str> {
    Theme::text(name)
}

/// The names of the themes that are part of the program.
pub fn theme_names() -> [&'static str; 4] {
    Theme::NAMES
}

/// All that is wrong with the operator's files here; none where there are none.
pub fn preference_faults() -> Vec<PreferenceFault> {
    let variable = |name: &str| std::env::var(name).ok();
    configuration(&variable).and_then(|folder| Preferences::load(&folder).err()).unwrap_or_default()
}

/// Where the file of preferences lies, or would lie; none without a home.
pub fn preferences_file() -> Option<PathBuf> {
    configuration(&|name| std::env::var(name).ok()).map(|folder| folder.join(FILE))
}

fn load_themes(folder: &Path, faults: &mut Vec<PreferenceFault>) -> BTreeMap<String, Theme> {
    let mut themes = BTreeMap::new();
    // No folder is no theme.
    let Ok(entries) = fs::read_dir(folder) else { return themes };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    for path in paths.iter().take(MOST_THEMES) {
        let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
        match contents(path) {
            Ok(text) => {
                let text = text.unwrap_or_default();
                match Theme::parse(&text) {
                    Ok(theme) => {
                        themes.insert(name.to_owned(), theme);
                    }
                    Err(misfits) => {
                        // So that whoever names it in the meantime is not told that it is unknown, too.
                        themes.insert(name.to_owned(), Theme::default());
                        faults.extend(misfits.iter().map(|misfit| misfit.at(path, &text)));
                    }
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    themes
}

/// The text of a file; `None` if there is none.
fn contents(path: &Path) -> Result<Option<String>, PreferenceFault> {
    let unreadable = |error: &io::Error| {
        PreferenceFault::of_file(path, format!("cannot be read: {error}"), "make it a readable file of UTF-8 text")
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&error)),
    };
    // A pipe would hold the screen up for ever.
    if file.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(PreferenceFault::of_file(path, "is no file", "put a file of TOML there, or nothing"));
    }
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
    if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST) {
        let message = format!("has more than {LARGEST} bytes");
        return Err(PreferenceFault::of_file(path, message, "such a file is a few kilobytes at most"));
    }
    Ok(Some(text))
}
