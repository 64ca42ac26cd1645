//! The one line that `ssh` hands to the login shell over there.
//!
//! It must mean the same to every usual shell (sh, bash, zsh, fish, csh), and what stands in single quotes does not: fish reads
//! backslashes there, csh reads exclamation marks, and no line of csh holds a line end. So the line hands `sh` two words that
//! have none of these in them: a script that never changes, and all the rest, spelled with the escapes of `printf %b` and
//! quoted for `sh`. Whatever an operator types is inside of both.

use super::place::Place;

/// Where a plain copy of the binary may lie when a login that runs a command does not have it on its path.
const USUAL: [&str; 4] =
    ["trainyard", "\"$HOME/.local/bin/trainyard\"", "\"$HOME/.cargo/bin/trainyard\"", "/usr/local/bin/trainyard"];

/// Makes the second word what it was, and does it.
const UNFOLD: &str = "eval \"$(printf %b \"$1\")\"";

/// A word that `sh` hands on as it is.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Any text, in single quotes, in letters that every shell takes as they are there.
fn spelled(text: &str) -> String {
    let mut word = String::from("'");
    for letter in text.chars() {
        match letter {
            '\'' | '\\' | '!' | '\0'..='\u{1f}' | '\u{7f}' => word.push_str(&format!("\\0{:03o}", u32::from(letter))),
            _ => word.push(letter),
        }
    }
    word.push('\'');
    word
}

/// The folder as a word in which `~` still means the home over there.
fn folder_word(folder: Option<&str>) -> String {
    match folder {
        None => ".".to_owned(),
        Some("~" | "~/") => "~".to_owned(),
        Some(folder) => match folder.strip_prefix("~/") {
            Some(below_home) => format!("~/{}", quoted(below_home)),
            // It must not be taken for an option.
            None if folder.starts_with('-') => quoted(&format!("./{folder}")),
            None => quoted(folder),
        },
    }
}

/// The line that runs trainyard over there, in the folder of the place, with these variables and arguments. Without
/// `program` it is looked for where it usually lies; that it is nowhere is exit code 127.
pub(super) fn remote_line(
    place: &Place,
    program: Option<&str>,
    variables: &[(&str, String)],
    arguments: &[String],
) -> String {
    let candidates = program.map_or_else(|| USUAL.join(" "), quoted);
    let script = format!(
        "for program in {candidates}; do command -v \"$program\" >/dev/null 2>&1 && exec \"$program\" \"$@\"; done; exit 127"
    );
    // Of the two shells, the second is all that is left.
    let mut words = vec!["exec".to_owned()];
    if !variables.is_empty() {
        words.push("env".to_owned());
        words.extend(variables.iter().map(|(name, value)| quoted(&format!("{name}={value}"))));
    }
    words.extend(["sh".to_owned(), "-c".to_owned(), quoted(&script), "trainyard".to_owned(), "-C".to_owned()]);
    words.push(folder_word(place.folder()));
    words.extend(arguments.iter().map(|argument| quoted(argument)));
    format!("sh -c '{UNFOLD}' trainyard {}", spelled(&words.join(" ")))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_folder_keeps_the_tilde_that_the_shell_over_there_is_to_expand() {
        let table = [
            (None, "."),
            (Some("~"), "~"),
            (Some("~/"), "~"),
            (Some("~/my app"), "~/'my app'"),
            (Some("/srv/app"), "/srv/app"),
            (Some("-x"), "./-x"),
            (Some("~ann/app"), "'~ann/app'"),
            (Some("it's"), "'it'\\''s'"),
        ];
        for (folder, word) in table {
            assert_eq!(folder_word(folder), word);
        }
    }

    /// What a program over there would get: `sh`, which prints it, is in the place of trainyard.
    fn printed(home: &str, place: &str, variables: &[(&str, String)], arguments: &[String]) -> String {
        printed_by("sh", home, place, variables, arguments).unwrap()
    }

    /// The same with another login shell; `None` where there is none of that kind here.
    fn printed_by(
        shell: &str,
        home: &str,
        place: &str,
        variables: &[(&str, String)],
        arguments: &[String],
    ) -> Option<String> {
        let line = remote_line(&place.parse().unwrap(), Some("sh"), variables, arguments);
        let line = line.replace("exec \"$program\"", "exec \"$program\" -c \"$SHOWN\"");
        let mut shell = Command::new(shell);
        shell.arg("-c").arg(line).env("HOME", home).env("WHO", "");
        shell.env("SHOWN", "printf '%s|' \"$WHO\" \"$@\"");
        Some(String::from_utf8(shell.output().ok()?.stdout).unwrap())
    }

    #[test]
    fn every_usual_login_shell_hands_over_what_was_typed() {
        // fish reads a backslash in quotes, csh an exclamation mark, and a line of csh ends at its end.
        let typed = ["\\", "it's \\' $(id)", "well!done !!", "two\nlines\n", "", "-x", "고객 `id`", "%s \\0101 \\c"];
        let typed: Vec<String> = typed.map(str::to_owned).into();
        let expected: String = typed.iter().map(|argument| format!("{argument}|")).collect();
        let home = tempfile::tempdir().unwrap();
        let home = home.path().to_str().unwrap();
        let who = [("WHO", "al's\\ $HOME!".to_owned())];
        let printed = |shell: &str| printed_by(shell, home, "box:~/it's! mine", &who, &typed);
        let shells = ["sh", "dash", "bash", "zsh", "fish", "csh", "tcsh"];
        let told: Vec<(&str, String)> = shells.iter().filter_map(|shell| Some((*shell, printed(shell)?))).collect();
        assert!(!told.is_empty());
        for (shell, printed) in told {
            assert_eq!(printed, format!("al's\\ $HOME!|{home}/it's! mine|{expected}"), "{shell}");
        }
    }

    #[test]
    fn a_shell_hands_over_folder_and_variables_as_they_were_said() {
        // The first argument is what `sh -c` calls itself, so `-C` is not among those that are printed.
        let said = printed("/home/ann", "box:~/it's mine", &[("WHO", "al's $HOME".to_owned())], &["run".to_owned()]);
        assert_eq!(said, "al's $HOME|/home/ann/it's mine|run|");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
        #[test]
        fn a_shell_hands_over_every_argument_as_it_was_typed(arguments in prop::collection::vec("[^\\x00|]{0,12}", 0..4)) {
            let expected: String = arguments.iter().map(|argument| format!("{argument}|")).collect();
            prop_assert_eq!(printed("/home/ann", "box", &[], &arguments), format!("|.|{expected}"));
        }
    }

    #[test]
    fn where_trainyard_is_nowhere_the_line_ends_with_127() {
        let line = remote_line(&"box".parse().unwrap(), Some("/no where/trainyard"), &[], &["link".to_owned()]);
        assert_eq!(Command::new("sh").arg("-c").arg(line).status().unwrap().code(), Some(127));
    }
}
