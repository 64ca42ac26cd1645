//! Samples of one metric with the same labels stand together, in the order of time.
//!
//! The labels that tell samples of one group apart, such as the bound of a bucket, do not count.

use std::collections::HashSet;
use std::mem;

use super::family::Pair;

/// Stands behind names and values in a key; no byte of UTF-8 is like it.
const SEPARATOR: u8 = 0xff;

/// The groups of one metric: the present one, and those that are over.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// The labels of the present group; `None` before the first.
    current: Option<Vec<u8>>,
    seconds: Option<f64>,
    over: HashSet<Vec<u8>>,
    /// Kept only for its memory.
    next: Vec<u8>,
}

impl Groups {
    /// Takes in a sample with these labels, sorted. Tells whether it begins something new: a group, or a later moment
    /// of one. Where time is not `ordered`, it may go back.
    pub(super) fn enter<'a, 'page: 'a>(
        &mut self,
        labels: impl Iterator<Item = &'a Pair<'page>>,
        seconds: Option<f64>,
        ordered: bool,
    ) -> Result<bool, &'static str> {
        self.next.clear();
        for (name, value) in labels {
            self.next.extend_from_slice(name.as_bytes());
            self.next.push(SEPARATOR);
            self.next.extend_from_slice(value.as_bytes());
            self.next.push(SEPARATOR);
        }
        let before = mem::replace(&mut self.seconds, seconds);
        if self.current.as_ref().is_some_and(|current| *current == self.next) {
            return match (before, seconds) {
                (None, None) => Ok(false),
                (Some(before), Some(now)) if ordered && now < before => {
                    Err("a timestamp not before that of the sample above is expected")
                }
                (Some(before), Some(now)) => Ok((now - before).abs() > 0.0),
                _ => Err("samples with the same labels are expected to have a timestamp all or none"),
            };
        }
        if self.over.contains(&self.next) {
            return Err("samples with the same labels are expected to stand together");
        }
        if let Some(left) = self.current.replace(mem::take(&mut self.next)) {
            self.over.insert(left);
        }
        Ok(true)
    }
}
