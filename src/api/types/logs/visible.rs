//! A line of a log without what would command a terminal. Searches look at what people see, and what is handed to a pager
//! can do no harm.

use std::borrow::Cow;

/// What a person sees of a line: no escape sequences, no control characters but tabs; of a progress line that rewrites
/// itself with `\r`, the last state.
pub fn visible(line: &[u8]) -> Cow<'_, [u8]> {
    washed(line, false)
}

/// The same with its colours: of all escape sequences, "select graphic rendition" alone is kept.
pub fn colours_only(line: &[u8]) -> Cow<'_, [u8]> {
    washed(line, true)
}

fn washed(line: &[u8], keeps_colours: bool) -> Cow<'_, [u8]> {
    if line.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~' | 0x80..=0xc1 | 0xc3..)) {
        return Cow::Borrowed(line);
    }
    let mut clean = Vec::with_capacity(line.len());
    let mut is_rewritten = false;
    let mut rest = line;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let is_c1 = byte == 0xc2 && matches!(behind.first(), Some(0x80..=0x9f));
        let colour;
        match byte {
            b'\r' => is_rewritten = true,
            0x1b => {
                (rest, colour) = behind_escape(behind);
                push_colour(&mut clean, colour.filter(|_| keeps_colours));
            }
            // U+0080 to U+009F; the one that counts is CSI.
            _ if is_c1 => {
                (rest, colour) = match behind.split_first() {
                    Some((0x9b, behind)) => control_sequence(behind),
                    Some((_, behind)) => (behind, None),
                    None => (behind, None),
                };
                push_colour(&mut clean, colour.filter(|_| keeps_colours));
            }
            // All but the tab.
            0..=8 | b'\n'..=0x1f | 0x7f => {}
            // What stood between the two is gone; together they would be a control character.
            0x80..=0x9f if clean.last() == Some(&0xc2) => {}
            _ => {
                if std::mem::take(&mut is_rewritten) {
                    clean.clear();
                }
                clean.push(byte);
            }
        }
    }
    Cow::Owned(clean)
}

fn push_colour(clean: &mut Vec<u8>, parameters: Option<&[u8]>) {
    let is_plain = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b';' | b':');
    if let Some(parameters) = parameters.filter(|parameters| parameters.iter().all(is_plain)) {
        clean.extend_from_slice(b"\x1b[");
        clean.extend_from_slice(parameters);
        clean.push(b'm');
    }
}

/// What is left behind ESC and its sequence, and the parameters if it sets colours.
fn behind_escape(rest: &[u8]) -> (&[u8], Option<&[u8]>) {
    match rest.split_first() {
        Some((b'[', behind)) => control_sequence(behind),
        // Titles, hyperlinks, clipboard: a string up to BEL, ST or ESC.
        Some((b']' | b'P' | b'X' | b'^' | b'_', behind)) => (behind_string(behind), None),
        Some((b' '..=b'/', behind)) => {
            (if behind.first().is_some_and(u8::is_ascii_graphic) { tail(behind, 1) } else { behind }, None)
        }
        Some((b'0'..=b'~', behind)) => (behind, None),
        _ => (rest, None),
    }
}

fn behind_string(rest: &[u8]) -> &[u8] {
    let end = rest.iter().enumerate().position(|(index, byte)| match byte {
        0x07 | 0x1b => true,
        0xc2 => rest.get(index + 1) == Some(&0x9c),
        _ => false,
    });
    let Some(end) = end else { return &[] };
    let length = match (rest.get(end), rest.get(end + 1)) {
        (Some(0x1b), Some(b'\\')) | (Some(0xc2), _) => 2,
        _ => 1,
    };
    tail(rest, end + length)
}

/// Behind CSI: parameters, then one final character; anything else breaks the sequence off.
fn control_sequence(rest: &[u8]) -> (&[u8], Option<&[u8]>) {
    let end = rest.iter().position(|byte| !matches!(byte, b' '..=b'?')).unwrap_or(rest.len());
    match rest.get(end) {
        Some(b'm') => (tail(rest, end + 1), rest.get(..end)),
        Some(b'@'..=b'~') => (tail(rest, end + 1), None),
        _ => (tail(rest, end), None),
    }
}

fn tail(bytes: &[u8], from: usize) -> &[u8] {
    bytes.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(line: &str) -> String {
        String::from_utf8_lossy(&visible(line.as_bytes())).into_owned()
    }

    #[test]
    fn what_commands_a_terminal_is_not_seen() {
        let hostile =
            "a\x1b[2Jb\x1b]0;title\x07c\x1b]52;c;AAAA\x1b\\d\x1bPq\x1b\\e\x1b(Bf\x1bcg\u{9b}31mh\x07\x08i°\tj";
        assert_eq!(seen(hostile), "abcdefghi°\tj");
        for endless in ["a\x1b", "a\x1b[", "a\x1b[31", "a\x1b]0;never ends", "a\u{9b}"] {
            assert_eq!(seen(endless), "a", "{endless:?}");
        }
    }

    #[test]
    fn a_progress_bar_is_seen_in_its_last_state() {
        assert_eq!(seen("  0%|   | 0/3\r 33%|#  | 1/3\r100%|###| 3/3\r"), "100%|###| 3/3");
    }

    #[test]
    fn of_all_sequences_colours_alone_are_kept() {
        let line = b"\x1b[1;32mPASSED\x1b[0m \x1b[2K\x1b]8;;http://x\x07link\x1b[38:2:1:2:3mx\x1b[>4;1m";
        let kept = b"\x1b[1;32mPASSED\x1b[0m link\x1b[38:2:1:2:3mx";
        assert_eq!(colours_only(line).as_ref(), kept.as_slice());
    }

    proptest! {
        #[test]
        fn no_control_character_is_left_whatever_a_line_says(line in proptest::collection::vec(any::<u8>(), 0..200)) {
            let clean = visible(&line);
            prop_assert!(clean.iter().all(|byte| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f)));
            prop_assert!(!clean.windows(2).any(|pair| pair[0] == 0xc2 && (0x80..=0x9f).contains(&pair[1])));
        }

        #[test]
        fn a_text_of_escape_sequences_loses_all_of_them(line in "([a-z ]|\x1b\\[[0-9;]{0,5}[A-Za-z]|\r){0,40}") {
            let clean = visible(line.as_bytes());
            prop_assert!(!clean.contains(&0x1b));
        }
    }
}
