//! Secrets are taken out of all that is written down or shown: logs, progress, results, errors.
//!
//! What is a secret says [`secrets_of`]; in which forms it may turn up, `forms`. A [`Redactor`] finds all forms of all secrets
//! in one pass and puts `[secret NAME]` in their place; [`RedactedStream`] does so in bytes that come piece by piece.
//!
//! **Invariants:** the value of a secret is never printed, not even by `Debug`. What follows from how bytes were cut is
//! nothing: a stream gives what the whole would have given.

mod files;
mod forms;
mod named;
mod sources;
mod stream;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use serde::{Deserialize, Serialize};

use crate::config::Settings;

pub use files::{redact_file, redact_lines};
pub use sources::{SecretError, project_secrets, secrets_of};
pub use stream::RedactedStream;

/// Bytes of a secret below which it is none: its forms would be found everywhere.
pub const LEAST: usize = 4;
/// Bytes of all patterns up to which the fastest automaton is made, which takes some hundred times their memory.
const SMALL: usize = 8 * 1024;

/// A secret, by the name that is shown in its place.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// The name of its variable, or what else people know it by.
    pub name: String,
    /// The secret itself.
    pub value: Vec<u8>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the value.
        f.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A form of a secret, found in some bytes.
struct Found<'a> {
    start: usize,
    end: usize,
    /// What stands in its place.
    marker: &'a [u8],
}

/// Finds secrets, in one pass for all of them. Made once, for it takes longer to make than to use.
pub struct Redactor {
    /// `None`: there is no secret.
    matcher: Option<AhoCorasick>,
    /// All forms in their order as bytes, numbered as in the matcher.
    patterns: Vec<Vec<u8>>,
    /// For each of them, what stands in its place.
    markers: Vec<Vec<u8>>,
    /// The bytes with which one of them begins.
    firsts: [bool; 256],
    /// The length of the longest.
    longest: usize,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the patterns.
        f.debug_struct("Redactor").field("patterns", &self.patterns.len()).finish_non_exhaustive()
    }
}

impl Redactor {
    /// One that finds nothing.
    pub fn none() -> Self {
        Self { matcher: None, patterns: Vec::new(), markers: Vec::new(), firsts: [false; 256], longest: 0 }
    }

    /// All secrets of a project: those that its configuration names, and those that names of variables give away. Sources
    /// that cannot be read now are passed over, for nothing can hold what nobody has.
    pub fn of(settings: &Settings, project: &Path) -> Self {
        Self::new(&secrets_of(settings, project))
    }

    /// One that finds these secrets. Of two with the same value, the first gives its name.
    pub fn new(secrets: &[Secret]) -> Self {
        let mut owners: BTreeMap<Vec<u8>, &str> = BTreeMap::new();
        for secret in secrets {
            for form in forms::forms(&secret.value) {
                owners.entry(form).or_insert(&secret.name);
            }
        }
        if owners.is_empty() {
            return Self::none();
        }
        let (patterns, names): (Vec<Vec<u8>>, Vec<&str>) = owners.into_iter().unzip();
        let mut firsts = [false; 256];
        for first in patterns.iter().filter_map(|pattern| pattern.first()) {
            if let Some(known) = firsts.get_mut(usize::from(*first)) {
                *known = true;
            }
        }
        let longest = patterns.iter().map(Vec::len).max().unwrap_or(0);
        let total: usize = patterns.iter().map(Vec::len).sum();
        let kind = (total > SMALL).then_some(AhoCorasickKind::ContiguousNFA);
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostLongest).kind(kind);
        // It fails beyond two thousand million states alone, and the lengths of forms are bounded far below that.
        let matcher = builder.build(&patterns).ok();
        let markers = names.into_iter().map(marker).collect();
        Self { matcher, patterns, markers, firsts, longest }
    }

    /// Whether there is nothing to be found.
    pub fn is_empty(&self) -> bool {
        self.matcher.is_none()
    }

    /// Whether a secret is in these bytes.
    pub fn finds(&self, bytes: &[u8]) -> bool {
        self.matcher.as_ref().is_some_and(|matcher| matcher.is_match(bytes))
    }

    /// The text with `[secret NAME]` in the place of every secret.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let bytes = text.as_bytes();
        let (mut clean, mut done) = (Vec::new(), 0);
        while let Some(found) = self.find(bytes, done) {
            clean.extend_from_slice(&bytes[done..found.start]);
            clean.extend_from_slice(found.marker);
            done = found.end;
        }
        if done == 0 {
            return Cow::Borrowed(text);
        }
        clean.extend_from_slice(&bytes[done..]);
        // A secret that is no text itself may begin or end within a letter.
        let clean = String::from_utf8(clean);
        Cow::Owned(clean.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// The same, in its place.
    pub fn redact_in(&self, text: &mut String) {
        if let Cow::Owned(clean) = self.redact(text) {
            *text = clean;
        }
    }

    /// The first form at or behind `from`, and of several that begin there the longest.
    fn find(&self, bytes: &[u8], from: usize) -> Option<Found<'_>> {
        let found = self.matcher.as_ref()?.find(Input::new(bytes).range(from..))?;
        let marker = self.markers.get(found.pattern().as_usize()).map(Vec::as_slice).unwrap_or_default();
        Some(Found { start: found.start(), end: found.end(), marker })
    }

    /// Where, at or behind `from`, a form begins that further bytes may complete; the end of the bytes if nowhere.
    fn open_at(&self, bytes: &[u8], from: usize) -> usize {
        let first = from.max(bytes.len().saturating_sub(self.longest.saturating_sub(1)));
        (first..bytes.len()).find(|at| self.is_begun(&bytes[*at..])).unwrap_or(bytes.len())
    }

    /// Whether a form begins with all of these bytes, and is longer.
    fn is_begun(&self, bytes: &[u8]) -> bool {
        let Some(first) = bytes.first() else { return false };
        if !self.firsts.get(usize::from(*first)).copied().unwrap_or(false) {
            return false;
        }
        // What begins with these bytes stands directly behind them in the order.
        let behind = self.patterns.partition_point(|pattern| pattern.as_slice() <= bytes);
        self.patterns.get(behind).is_some_and(|pattern| pattern.starts_with(bytes))
    }
}

/// What stands in the place of a secret. Names of targets may hold anything, and the marker also stands in JSON and XML.
fn marker(name: &str) -> Vec<u8> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    let name: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    format!("[secret {name}]").into_bytes()
}
