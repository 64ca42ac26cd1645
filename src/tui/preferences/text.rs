//! The file of preferences to begin with: every key with what is usual, commented out.

use std::fmt::Write as _;

use crate::tui::commands::{COMMANDS, Key};

/// What stands before the keys.
const HEAD: &str = "\
# What you prefer on the screen of trainyard, in every project. Changes are seen at once.

# auto, dark, light, ansi, mono, or NAME for themes/NAME.toml beside this file; `trainyard config theme dark` prints
# one to begin with. TRAINYARD_THEME wins over it, and it wins over NO_COLOR.
# theme = \"auto\"

# Whether clicks, the wheel and drags work in the screen; the terminal's own selection then needs Shift.
# mouse = false

# Whether the bell calls on a failure, an alert and an approval.
# bell = true

# What stands before the lines of a log: absolute, relative, off.
# timestamps = \"absolute\"

# Whether only ASCII is drawn; without this line the terminal's locale decides.
# ascii = false

# Keys by the names of commands: one, several in brackets, or false for none. A key is one character, ctrl- and a
# letter, or a name: enter, esc, tab, shift-tab, space, up, down, left, right, pgup, pgdn, home, end, f1 to f12.
# [keys]
";

/// The file, every line of it a comment.
pub fn commented() -> String {
    let mut text = HEAD.to_owned();
    for command in COMMANDS {
        let keys: Vec<String> = command.keys.iter().map(|key| quoted(*key)).collect();
        let keys = match keys.as_slice() {
            [] => "false".to_owned(),
            [only] => only.clone(),
            several => format!("[{}]", several.join(", ")),
        };
        let entry = format!("{} = {keys}", command.id());
        let _ = writeln!(text, "# {entry:<36} # {}", command.description);
    }
    text
}

/// A key as a string of TOML.
fn quoted(key: Key) -> String {
    format!("\"{}\"", key.written().replace('\\', "\\\\").replace('"', "\\\""))
}
