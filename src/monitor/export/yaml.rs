//! Strings as YAML reads them back, whatever is in them.
//!
//! Every string is quoted: what stands without quotes may turn out to be a number, a truth or nothing at all.

use std::fmt::Write as _;

/// A string with its quotes, on one line. Expressions are full of double quotes, so those get single ones around them.
pub(super) fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) && text.chars().all(stands_for_itself) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            letter if stands_for_itself(letter) => out.push(letter),
            // Writing to a string cannot fail.
            letter => {
                let number = u32::from(letter);
                let _ = if number <= 0xffff { write!(out, "\\u{number:04x}") } else { write!(out, "\\U{number:08x}") };
            }
        }
    }
    out.push('"');
    out
}

/// Whether readers of YAML accept a character as it is, and none of them takes it for a line end or a byte order mark.
fn stands_for_itself(letter: char) -> bool {
    let is_printable =
        matches!(letter, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') || letter >= '\u{10000}';
    is_printable && !matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn expressions_stay_readable_and_what_cannot_be_seen_is_escaped() {
        assert_eq!(quoted("requests/s"), "\"requests/s\"");
        assert_eq!(quoted("rate(a{b=\"it's\"}[1m])"), "'rate(a{b=\"it''s\"}[1m])'");
        assert_eq!(quoted("a\n\"b\"\u{7f}\u{85}\u{feff}한국어"), "\"a\\n\\\"b\\\"\\u007f\\u0085\\ufeff한국어\"");
        assert_eq!(quoted("yes"), "\"yes\"");
    }

    proptest! {
        #[test]
        fn every_string_is_read_back_as_it_was(text in any::<String>()) {
            let read: String = serde_saphyr::from_str(&quoted(&text)).unwrap();
            prop_assert_eq!(read, text);
        }
    }
}
