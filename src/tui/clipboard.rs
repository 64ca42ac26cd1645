//! What is copied: to the clipboard through the terminal, else into a file, and a sentence that says which.
//!
//! A terminal takes text for its clipboard by OSC 52, also from another machine; tmux and screen pass it on where it is
//! wrapped for them. Nobody answers, so where it is doubtful or too long a file is written, and the sentence never promises
//! more than was done. Pure but for [`keep`], which writes that file.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::preferences;
use super::quantity;
use crate::pipeline::Moment;

/// Terminals cut longer sequences off, or throw them away: so much base64, by xterm's 100 000 bytes and hterm's less.
const LONGEST: usize = 74_994;
/// GNU screen takes a string of so many bytes at once.
const SCREEN_PIECE: usize = 768;
/// Files of copies that are kept; the oldest go.
const KEPT: usize = 20;
const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';

/// Something to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Yank {
    /// What it is, for the sentence.
    pub(super) what: String,
    /// The text.
    pub(super) text: String,
}

/// What stands between us and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passage {
    Direct,
    Tmux,
    Screen,
}

/// Whether the terminal has a clipboard for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Support {
    /// It is not known not to.
    Likely,
    /// Some versions do.
    Doubtful,
    /// It does not.
    None,
}

/// The way to the clipboard of this terminal.
#[derive(Debug, Clone)]
pub(super) struct Clipboard {
    passage: Passage,
    support: Support,
    folder: Option<PathBuf>,
}

/// What is done with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// What the terminal gets; may be empty.
    pub(super) bytes: Vec<u8>,
    /// The folder of the file that is written, if one is.
    pub(super) folder: Option<PathBuf>,
    /// What is said of the clipboard; empty if it gets nothing.
    said: &'static str,
    /// Why there is a file, or would be.
    why_file: &'static str,
}

impl Clipboard {
    /// As the environment tells.
    pub(super) fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).unwrap_or_default();
        let has = |name: &str| !value(name).is_empty();
        let term = value("TERM");
        let passage = if has("TMUX") {
            Passage::Tmux
        } else if has("STY") {
            Passage::Screen
        } else {
            Passage::Direct
        };
        let support = match term.as_str() {
            "" | "dumb" | "linux" => Support::None,
            _ if value("TERM_PROGRAM") == "Apple_Terminal" => Support::None,
            // GNOME's terminal and its relatives: most versions have it not.
            _ if has("VTE_VERSION") => Support::Doubtful,
            _ => Support::Likely,
        };
        let folder = preferences::cache(variable).map(|folder| folder.join("copied"));
        Self { passage, support, folder }
    }

    /// What is done with a text.
    pub(super) fn way(&self, text: &str) -> Way {
        let encoded = STANDARD.encode(text);
        let (said, why_file) = match self.support {
            _ if encoded.len() > LONGEST => ("", "too long for the clipboard of a terminal"),
            Support::None => ("", "this terminal has no clipboard for us"),
            // Whether tmux hands it on is a matter of its configuration, and it tells nobody.
            Support::Likely | Support::Doubtful if self.passage == Passage::Tmux => {
                ("sent to the terminal (tmux: needs `set -g set-clipboard on`)", "tmux may keep it to itself")
            }
            Support::Doubtful => ("copied to the clipboard, if this terminal takes it", "not every version does"),
            Support::Likely => (self.route(), ""),
        };
        let bytes = if said.is_empty() { Vec::new() } else { wrapped(&encoded, self.passage).into_bytes() };
        let folder = self.folder.clone().filter(|_| !why_file.is_empty());
        Way { bytes, folder, said, why_file }
    }

    fn route(&self) -> &'static str {
        match self.passage {
            Passage::Direct | Passage::Tmux => "copied to the clipboard (OSC 52)",
            Passage::Screen => "copied to the clipboard through screen (OSC 52)",
        }
    }
}

/// The sequence as it passes what stands between.
fn wrapped(encoded: &str, passage: Passage) -> String {
    let bare = format!("{ESCAPE}]52;c;{encoded}{BELL}");
    match passage {
        Passage::Direct => bare,
        // Which of the two tmux lets through is a matter of its configuration; twice the same is no harm.
        Passage::Tmux => {
            let doubled = bare.replace(ESCAPE, "\u{1b}\u{1b}");
            format!("{bare}{ESCAPE}Ptmux;{doubled}{ESCAPE}\\")
        }
        Passage::Screen => {
            // All of it is ASCII, so each byte is a character.
            let bytes: Vec<char> = bare.chars().collect();
            let pieces = bytes.chunks(SCREEN_PIECE);
            pieces.map(|piece| format!("{ESCAPE}P{}{ESCAPE}\\", piece.iter().collect::<String>())).collect()
        }
    }
}

/// What is said of a copy; `kept` is what became of the file.
pub(super) fn sentence(what: &str, way: &Way, kept: Option<&Result<PathBuf, String>>) -> Result<String, String> {
    let file = match kept {
        Some(Ok(path)) => format!("{} ({})", path.display(), way.why_file),
        Some(Err(error)) if way.said.is_empty() => {
            return Err(format!("{what} could not be copied: {}, and no file could be written: {error}", way.why_file));
        }
        Some(Err(error)) => format!("no file could be written: {error}"),
        None if way.said.is_empty() => {
            let mend = "set HOME or XDG_CACHE_HOME, and it is written into a file";
            return Err(format!("{what} could not be copied: {}; {mend}", way.why_file));
        }
        None => return Ok(format!("{what} {}", way.said)),
    };
    let done = match kept {
        _ if way.said.is_empty() => format!("copied into {file}"),
        Some(Ok(_)) => format!("{}; also in {file}", way.said),
        Some(Err(_)) | None => format!("{}; {file}", way.said),
    };
    Ok(format!("{what} {done}"))
}

/// Writes a copy into a file of the operator's own that nobody else can read, and lets the oldest go.
pub(super) fn keep(folder: &Path, text: &str, now: Moment) -> io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut copies: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    copies.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    // Their names are their times, all of the same length.
    copies.sort();
    for old in copies.iter().take((copies.len() + 1).saturating_sub(KEPT)) {
        let _ = fs::remove_file(old);
    }
    let path = folder.join(format!("{:013}.txt", now.0));
    crate::disk::write_whole(&path, text.as_bytes())?;
    Ok(path)
}

/// How many lines, for the sentence.
pub(super) fn lines(count: u64) -> String {
    quantity::counted(count, "line")
}

/// A line without what would command whoever it is pasted to: no escape sequences and no control characters but the
/// tabulator; of a progress line rewritten with `\r`, the last version.
pub(super) fn plain(text: &str) -> String {
    let last = text.split('\r').rfind(|version| !version.is_empty()).unwrap_or_default();
    let mut clean = String::with_capacity(last.len());
    let mut rest = last.chars();
    while let Some(character) = rest.next() {
        match character {
            ESCAPE => skip_sequence(&mut rest),
            '\t' => clean.push('\t'),
            other if other.is_control() => {}
            other => clean.push(other),
        }
    }
    clean
}

/// Passes over what follows an escape.
fn skip_sequence(rest: &mut std::str::Chars<'_>) {
    match rest.next() {
        Some('[') => {
            // Up to the final byte.
            let _ = rest.find(|character| ('\u{40}'..='\u{7e}').contains(character));
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            let mut before = ' ';
            for character in rest.by_ref() {
                if character == BELL || (before == ESCAPE && character == '\\') {
                    return;
                }
                before = character;
            }
        }
        // An intermediate byte has one more behind it.
        Some(' '..='/') => {
            let _ = rest.next();
        }
        Some(_) | None => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clipboard(variables: &'static [(&'static str, &'static str)]) -> Clipboard {
        Clipboard::of(&|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    const XTERM: &[(&str, &str)] = &[("TERM", "xterm-256color"), ("HOME", "/home/ann")];

    /// What a terminal behind it hears of the clipboard.
    fn heard(way: &Way) -> String {
        String::from_utf8(way.bytes.clone()).unwrap()
    }

    #[test]
    fn a_terminal_gets_the_text_by_osc_52() {
        let way = clipboard(XTERM).way("한국어\n");
        assert_eq!(heard(&way), format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode("한국어\n")));
        assert_eq!(way.folder, None);
        assert_eq!(sentence("2 lines", &way, None).unwrap(), "2 lines copied to the clipboard (OSC 52)");
    }

    #[test]
    fn tmux_and_screen_pass_it_on_as_they_want_it() {
        let way = clipboard(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/tmux"), ("HOME", "/home/ann")]).way("hi");
        assert!(heard(&way).ends_with("\u{1b}Ptmux;\u{1b}\u{1b}]52;c;aGk=\u{7}\u{1b}\\"), "{:?}", heard(&way));
        assert!(heard(&way).starts_with("\u{1b}]52;c;aGk=\u{7}"));
        assert!(way.folder.is_some(), "what tmux does with it nobody knows");
        let kept = Ok(PathBuf::from("/home/ann/.cache/trainyard/copied/1.txt"));
        let said = sentence("3 lines", &way, Some(&kept)).unwrap();
        let whole_advice = "3 lines sent to the terminal (tmux: needs `set -g set-clipboard on`); also in ";
        assert!(said.starts_with(whole_advice) && whole_advice.len() <= 80, "{said}");
        let text = "x".repeat(3_000);
        let way = clipboard(&[("TERM", "screen"), ("STY", "1.a"), ("HOME", "/home/ann")]).way(&text);
        let heard = heard(&way);
        let pieces: Vec<&str> = heard.split("\u{1b}\\").filter(|piece| !piece.is_empty()).collect();
        assert!(pieces.len() > 5 && pieces.iter().all(|piece| piece.len() <= SCREEN_PIECE + 2));
        let whole: String = pieces.iter().map(|piece| piece.strip_prefix("\u{1b}P").unwrap()).collect();
        assert_eq!(whole, format!("\u{1b}]52;c;{}\u{7}", STANDARD.encode(&text)));
    }

    #[test]
    fn what_is_too_long_or_not_taken_goes_into_a_file_and_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("trainyard/copied");
        let long = "x".repeat(60_000);
        let way = clipboard(XTERM).way(&long);
        assert!(way.bytes.is_empty() && way.folder == Some(PathBuf::from("/home/ann/.cache/trainyard/copied")));
        let kept = keep(&place, &long, Moment(7)).unwrap();
        assert_eq!(fs::read_to_string(&kept).unwrap(), long);
        let said = sentence("900 lines", &way, Some(&Ok(kept))).unwrap();
        assert!(said.starts_with("900 lines copied into /") && said.contains("too long"), "{said}");
        let console = clipboard(&[("TERM", "linux"), ("HOME", "/home/ann")]).way("hi");
        assert!(console.bytes.is_empty() && console.folder.is_some());
        let homeless = clipboard(&[("TERM", "dumb")]).way("hi");
        assert!(sentence("it", &homeless, None).unwrap_err().contains("set HOME"));
        let doubtful = clipboard(&[("TERM", "xterm-256color"), ("VTE_VERSION", "6800"), ("HOME", "/h")]).way("hi");
        assert!(!doubtful.bytes.is_empty() && doubtful.folder.is_some());
    }

    #[test]
    fn copies_are_the_operators_own_and_the_oldest_go() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("copied");
        for moment in 1..=30 {
            keep(&place, "x", Moment(moment)).unwrap();
        }
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o700);
        let mut left: Vec<String> =
            fs::read_dir(&place).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        left.sort();
        assert_eq!((left.len(), left[0].as_str()), (KEPT, "0000000000011.txt"));
    }

    #[test]
    fn a_pasted_line_commands_nobody() {
        assert_eq!(plain("\u{1b}[31mred\u{1b}[0m\tend"), "red\tend");
        assert_eq!(plain("\u{1b}]0;title\u{7}a\u{1b}]52;c;eA==\u{1b}\\b\u{1b}(Bc\u{9b}d"), "abcd");
        assert_eq!(plain("10%\r50%\r100%"), "100%");
        assert_eq!(plain("100%\r"), "100%");
    }

    /// Of what sequences are made.
    const SIGNS: &[char] = &['\u{1b}', '[', ']', 'P', '\\', '\r', '\t', '\u{7}', 'm', '\u{9b}', '('];

    proptest! {
        #[test]
        fn no_control_character_but_the_tabulator_is_ever_copied(
            characters in proptest::collection::vec(prop_oneof![any::<char>(), proptest::sample::select(SIGNS)], 0..60)
        ) {
            let text: String = characters.into_iter().collect();
            prop_assert!(plain(&text).chars().all(|character| character == '\t' || !character.is_control()));
        }
    }
}
