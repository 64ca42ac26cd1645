//! What a supervisor is handed through its standard input: all that must not stand on the disk.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};

use crate::engine::redact::Secret;

/// What is run, with the values that [`super::Job`] only names.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handed {
    /// The program and its arguments, with variables in their places.
    pub command: Vec<String>,
    /// Variables set beside those of the daemon.
    pub environment: BTreeMap<String, String>,
    /// What is taken out of all that the stage says.
    pub secrets: Vec<Secret>,
}

impl fmt::Debug for Handed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the values, and arguments may hold them.
        f.debug_struct("Handed").field("environment", &self.environment.keys()).finish_non_exhaustive()
    }
}

impl Handed {
    /// Hands it over; the reader knows by the end of the input that it has all.
    pub fn write(&self, mut to: impl Write) -> io::Result<()> {
        to.write_all(&serde_json::to_vec(self)?)
    }

    /// Takes all of it.
    pub fn read(mut from: impl Read) -> io::Result<Self> {
        let mut text = Vec::new();
        from.read_to_end(&mut text)?;
        // The error would show what could not be read.
        serde_json::from_slice(&text).map_err(|_| {
            let message = "whoever started the supervisor ended before it had said what to run";
            io::Error::new(io::ErrorKind::UnexpectedEof, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_through_a_pipe_whole_or_not_at_all_and_tells_no_secret() {
        let handed = Handed {
            command: vec!["curl".to_owned(), "s3cret".to_owned()],
            environment: BTreeMap::from([("API_TOKEN".to_owned(), "s3cret".to_owned())]),
            secrets: vec![Secret { name: "API_TOKEN".to_owned(), value: b"s3cret".to_vec() }],
        };
        let mut text = Vec::new();
        handed.write(&mut text).unwrap();
        assert_eq!(Handed::read(text.as_slice()).unwrap(), handed);
        text.pop();
        let told = Handed::read(text.as_slice()).unwrap_err().to_string();
        assert!(!told.contains("s3cret") && !format!("{handed:?}").contains("s3cret"), "{told}");
    }
}
