//! What `trainyard link` says first at the far end of a line.

use serde::{Deserialize, Serialize};

/// Who answers over there. Everything but the two versions may be missing: a trainyard that is much older or newer than this
/// one must still be told by them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkCard {
    /// The version of the daemon's program.
    pub version: String,
    /// The version of what it and its clients say to each other.
    pub api: u32,
    /// The daemon's socket.
    #[serde(default)]
    pub socket: String,
    /// The project's name.
    #[serde(default)]
    pub project: String,
    /// The project folder.
    #[serde(default)]
    pub folder: String,
    /// The machine's name.
    #[serde(default)]
    pub host: String,
    /// The daemon's process number.
    #[serde(default)]
    pub pid: u32,
}

impl LinkCard {
    /// The card, if the line is one: what a shell prints at its start may stand before it.
    pub fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line.trim()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_told_from_what_a_shell_prints_at_its_start() {
        for line in ["", "Welcome to box!", "{}", r#"{"version": "0.2.0"}"#, "{\"api\":"] {
            assert_eq!(LinkCard::read(line), None, "{line}");
        }
        let card = LinkCard {
            version: "0.2.0".to_owned(),
            api: 2,
            socket: "/run/user/7/trainyard/x/daemon.sock".to_owned(),
            project: "고객".to_owned(),
            folder: "/srv/app".to_owned(),
            host: "box".to_owned(),
            pid: 4711,
        };
        let line = format!(" {}\r\n", serde_json::to_string(&card).unwrap());
        assert_eq!(LinkCard::read(&line), Some(card));
    }

    #[test]
    fn the_versions_are_read_from_a_card_of_any_other_version() {
        let newer = LinkCard::read(r#"{"version":"9.0.0","api":9,"sockets":["/a","/b"]}"#).unwrap();
        assert_eq!((newer.version.as_str(), newer.api, newer.socket.as_str()), ("9.0.0", 9, ""));
    }
}
