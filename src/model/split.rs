//! The held-out split: by a hash of the row itself, so that a row stays in its part when data is added or reordered,
//! and two equal rows are never on both sides.
//!
//! The hash is FNV-1a with 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>) and the finaliser of `SplitMix64`
//! (<https://prng.di.unimi.it/splitmix64.c>), because the high bits of FNV alone are not even. Nobody attacks a split,
//! so no cryptographic hash is needed.

use super::dataset_error::DatasetError;

/// Which rows train and which judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to learn from, ascending.
    pub train: Vec<usize>,
    /// Rows to evaluate on, ascending.
    pub held_out: Vec<usize>,
}

/// Holds out a `share` of the rows (between 0 and 1); both parts get one row at least, or it is an error.
pub fn split(row_hashes: &[u64], seed: u64, share: f64) -> Result<Split, DatasetError> {
    let key = mix(seed);
    let (held_out, train): (Vec<usize>, Vec<usize>) =
        (0..row_hashes.len()).partition(|row| row_hashes.get(*row).is_some_and(|hash| place(mix(hash ^ key)) < share));
    if train.is_empty() || held_out.is_empty() {
        return Err(DatasetError::TooFewRows {
            rows: row_hashes.len(),
            train: train.len(),
            held_out: held_out.len(),
            share,
            needed: rows_needed(share),
        });
    }
    Ok(Split { train, held_out })
}

/// A hash as a place between 0 and 1.
fn place(hash: u64) -> f64 {
    f64::from(u32::try_from(hash >> 32).unwrap_or(u32::MAX)) / 4_294_967_296.0
}

/// The rows with which either part is empty less than once in a thousand times: the least n with (1 − s)^n < 0.001,
/// where s is the smaller share.
fn rows_needed(share: f64) -> u64 {
    let smaller = share.min(1.0 - share);
    if smaller.is_nan() || smaller <= 0.0 {
        return u64::MAX;
    }
    let mut rows = 1;
    let mut empty = 1.0 - smaller;
    while empty >= 0.001 && rows < 1_000_000 {
        empty *= 1.0 - smaller;
        rows += 1;
    }
    rows
}

/// The hash of one row, cell by cell.
pub(super) struct RowHash(u64);

impl RowHash {
    pub(super) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(super) fn cell(&mut self, bytes: &[u8]) {
        // 0xff is in no UTF-8 text, so cells cannot run into each other.
        for &byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(super) fn finish(self) -> u64 {
        mix(self.0)
    }
}

fn mix(value: u64) -> u64 {
    let mut mixed = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::{RowHash, split};
    use crate::model::number::share;

    fn hashes(rows: u32) -> Vec<u64> {
        (0..rows)
            .map(|row| {
                let mut hash = RowHash::new();
                hash.cell(row.to_string().as_bytes());
                hash.finish()
            })
            .collect()
    }

    #[test]
    fn the_held_out_share_is_about_what_was_asked_for() {
        let split = split(&hashes(10_000), 7, 0.2).unwrap();
        let held_out = share(split.held_out.len(), 10_000);
        assert!((held_out - 0.2).abs() < 0.02, "{held_out}");
    }

    #[test]
    fn rows_stay_in_their_part_when_data_grows() {
        let before = split(&hashes(500), 7, 0.2).unwrap();
        let after = split(&hashes(900), 7, 0.2).unwrap();
        assert!(before.held_out.iter().all(|row| after.held_out.contains(row)));
        assert!(before.train.iter().all(|row| after.train.contains(row)));
    }

    #[test]
    fn another_seed_is_another_split() {
        assert_ne!(split(&hashes(500), 7, 0.2).unwrap(), split(&hashes(500), 8, 0.2).unwrap());
    }

    #[test]
    fn too_few_rows_are_an_error_that_says_how_many_are_needed() {
        let message = split(&hashes(1), 7, 0.2).unwrap_err().to_string();
        assert!(message.contains("about 31 rows are needed"), "{message}");
    }
}
