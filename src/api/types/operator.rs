//! Who is attached to a daemon, and how a client says who it is.
//!
//! A name is what the client says; the account is what the kernel says of its process. Only the second is proof.

use serde::{Deserialize, Serialize};

use super::percent_decoded;
use crate::pipeline::Moment;

/// The header that names the person.
pub const OPERATOR_HEADER: &str = "trainyard-operator";
/// The header that says from where the person comes.
pub const FROM_HEADER: &str = "trainyard-from";
/// The header by which a client gives up the right to change anything.
pub const ACCESS_HEADER: &str = "trainyard-access";
/// What [`ACCESS_HEADER`] says then.
pub const OBSERVER: &str = "observer";

/// A screen that follows the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorSession {
    /// Its number, which the screen chose.
    pub session: u64,
    /// The person, as the client says.
    pub name: String,
    /// The account of its process, as the kernel says.
    pub account: String,
    /// From where, as the client says; `None` on the machine itself.
    pub from: Option<String>,
    /// Since when.
    pub since: Moment,
    /// What it looks at.
    pub view: String,
    /// Whether it can change nothing.
    pub is_observer: bool,
}

/// How a screen follows the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WatchRequest {
    /// A number that no other screen has, and that this one keeps when it comes back.
    pub session: u64,
    /// What it looks at.
    pub view: String,
    /// Milliseconds between two pushes of what is not journaled.
    pub pace: u64,
}

/// A screen looks at something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewRequest {
    /// Which screen.
    pub session: u64,
    /// At what.
    pub view: String,
}

/// Any text as the value of a header, which holds plain characters only: all others are percent-encoded UTF-8.
pub fn header_text(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~@".contains(&byte) {
            value.push(char::from(byte));
        } else {
            value.push_str(&format!("%{byte:02X}"));
        }
    }
    value
}

/// The text of a header's value. What is not encoded as it should be is taken as it stands.
pub fn from_header_text(value: &[u8]) -> String {
    String::from_utf8_lossy(&percent_decoded(value)).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_name_survives_the_way_through_a_header(name in any::<String>()) {
            let value = header_text(&name);
            prop_assert!(value.bytes().all(|byte| byte.is_ascii_graphic()), "{value}");
            prop_assert_eq!(from_header_text(value.as_bytes()), name);
        }

        #[test]
        fn any_value_of_a_header_is_read(value in any::<Vec<u8>>()) {
            let text = from_header_text(&value);
            prop_assert!(text.chars().count() <= value.len());
        }
    }

    #[test]
    fn what_is_not_encoded_is_taken_as_it_stands() {
        assert_eq!(from_header_text(b"ann"), "ann");
        assert_eq!(from_header_text(b"50% of %4"), "50% of %4");
        assert_eq!(from_header_text("%EC%84%9C%ec%9a%b8 서".as_bytes()), "서울 서");
        assert_eq!(from_header_text(b"%ff"), "\u{fffd}");
    }
}
