//! The held-out split: by a hash of the row itself, so that a row stays in its part when data is added or reordered; or
//! by time, so that a model is judged by what came after what it learned from. Either way two equal rows are never on
//! both sides: they have the same hash and the same time.
//!
//! The hash is FNV-1a with 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>) and the finaliser of `SplitMix64`
//! (<https://prng.di.unimi.it/splitmix64.c>), because the high bits of FNV alone are not even. Nobody attacks a split,
//! so no cryptographic hash is needed.

use crate::config::{SplitSettings, TrainSettings};
use crate::model::data::column::{Column, ColumnKind, Values};
use crate::model::data::dataset::DataSet;
use crate::model::data::dataset_error::DatasetError;
use crate::model::data::findings::duplicates;
use crate::model::nearest;
use crate::model::number::float;
use crate::model::random::{mix, place};

/// Which rows train and which judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Rows to learn from, ascending.
    pub train: Vec<usize>,
    /// Rows to evaluate on, ascending.
    pub held_out: Vec<usize>,
}

/// Holds rows out as the settings say; both parts get one row at least, or it is an error.
pub fn split(data: &DataSet, settings: &TrainSettings) -> Result<Split, DatasetError> {
    match &settings.split {
        SplitSettings::Hash => by_hash(&data.row_hashes, settings.seed, settings.holdout),
        SplitSettings::Time { column } => by_time(data, column, settings.holdout),
    }
}

/// Holds out the latest `share` of the rows that have a time. Rows of the same time stay together, on the side that
/// brings the share nearer to what was asked for; a row without a time is learned from.
fn by_time(data: &DataSet, name: &str, share: f64) -> Result<Split, DatasetError> {
    let column = data.column(name).ok_or_else(|| DatasetError::MissingColumn {
        role: "the column to split by",
        column: name.to_owned(),
        hint: nearest::hint(name, data.columns.iter().map(|column| column.name.as_str())),
    })?;
    let times = times(data, column)?;
    let mut sorted: Vec<f64> = times.iter().copied().filter(|time| !time.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let first = first_held_out(&sorted, share).ok_or_else(|| DatasetError::NoTime {
        column: name.to_owned(),
        found: "has the same value in every row that has one".to_owned(),
        mend: "name a column whose values differ, or write split = \"hash\"",
    })?;
    // A missing time is NaN, which is never late.
    let (held_out, train) = (0..data.rows()).partition(|row| times.get(*row).is_some_and(|time| *time >= first));
    Ok(Split { train, held_out })
}

/// Dates, or numbers such as years, by which rows can be put in an order.
fn times<'a>(data: &DataSet, column: &'a Column) -> Result<&'a [f64], DatasetError> {
    let found = match (&column.values, column.kind) {
        (Values::Numeric(times), ColumnKind::Number | ColumnKind::Date(_)) if column.missing < data.rows() => {
            return Ok(times);
        }
        (Values::Numeric(_), _) => "has no value in any row".to_owned(),
        _ => match &column.date_trouble {
            Some(trouble) => format!("cannot be read as dates: {}", data.date_note(trouble)),
            None => format!("is {}, neither dates nor numbers", column.kind.word()),
        },
    };
    let mend = "name a column of dates, or write split = \"hash\"";
    Err(DatasetError::NoTime { column: column.name.clone(), found, mend })
}

/// The earliest time that is held out; `None` when all are equal.
fn first_held_out(sorted: &[f64], share: f64) -> Option<f64> {
    let earliest = *sorted.first()?;
    let wanted = share * float(sorted.len());
    // Where times change, and how many rows are there from each on.
    let mut best: Option<(f64, f64)> = None;
    for (index, pair) in sorted.windows(2).enumerate() {
        let [before, time] = pair else { continue };
        if before.total_cmp(time).is_eq() {
            continue;
        }
        let distance = (float(sorted.len() - index - 1) - wanted).abs();
        // Of equals the later one: rather a row more to learn from.
        if best.is_none_or(|(_, nearest)| distance <= nearest) {
            best = Some((*time, distance));
        }
    }
    best.map(|(time, _)| time).filter(|time| *time > earliest)
}

/// Holds out a `share` of the rows (between 0 and 1).
fn by_hash(row_hashes: &[u64], seed: u64, share: f64) -> Result<Split, DatasetError> {
    let key = mix(seed);
    let (held_out, train): (Vec<usize>, Vec<usize>) =
        (0..row_hashes.len()).partition(|row| row_hashes.get(*row).is_some_and(|hash| place(mix(hash ^ key)) < share));
    if train.is_empty() || held_out.is_empty() {
        return Err(DatasetError::TooFewRows {
            rows: row_hashes.len(),
            distinct: row_hashes.len() - duplicates(row_hashes),
            train: train.len(),
            held_out: held_out.len(),
            share,
            needed: rows_needed(share),
        });
    }
    Ok(Split { train, held_out })
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
pub(in crate::model) struct RowHash(u64);

impl RowHash {
    pub(in crate::model) fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(in crate::model) fn cell(&mut self, bytes: &[u8]) {
        // 0xff is in no UTF-8 text, so cells cannot run into each other.
        for &byte in bytes.iter().chain(&[0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    pub(in crate::model) fn finish(self) -> u64 {
        mix(self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{RowHash, Split, by_hash, split};
    use crate::config::{SplitSettings, TrainSettings};
    use crate::model::data::dataset::{DataSet, read};
    use crate::model::data::dataset_error::DatasetError;
    use crate::model::number::share;
    use crate::model::samples::{self, Folder};

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
        let split = by_hash(&hashes(10_000), 7, 0.2).unwrap();
        let held_out = share(split.held_out.len(), 10_000);
        assert!((held_out - 0.2).abs() < 0.02, "{held_out}");
    }

    #[test]
    fn rows_stay_in_their_part_when_data_grows() {
        let before = by_hash(&hashes(500), 7, 0.2).unwrap();
        let after = by_hash(&hashes(900), 7, 0.2).unwrap();
        assert!(before.held_out.iter().all(|row| after.held_out.contains(row)));
        assert!(before.train.iter().all(|row| after.train.contains(row)));
    }

    #[test]
    fn another_seed_is_another_split() {
        assert_ne!(by_hash(&hashes(500), 7, 0.2).unwrap(), by_hash(&hashes(500), 8, 0.2).unwrap());
    }

    #[test]
    fn too_few_rows_are_an_error_that_says_how_many_are_needed() {
        let message = by_hash(&hashes(1), 7, 0.2).unwrap_err().to_string();
        assert!(message.contains("about 31 different rows are needed"), "{message}");
    }

    #[test]
    fn many_equal_rows_are_told_as_the_few_that_they_are() {
        let message = by_hash(&[hashes(1), hashes(1), hashes(1)].concat(), 7, 0.2).unwrap_err().to_string();
        assert!(message.starts_with("of 3 rows, ") && message.contains("only 1 are different"), "{message}");
    }

    fn by_time(text: &str, share: f64) -> Result<(DataSet, Split), DatasetError> {
        let data = read(&[Folder::new().write("a.csv", text)]).unwrap();
        let by = SplitSettings::Time { column: "day".to_owned() };
        let settings = TrainSettings { holdout: share, split: by, ..samples::settings("y") };
        let split = split(&data, &settings)?;
        Ok((data, split))
    }

    #[test]
    fn the_latest_rows_are_held_out_in_whatever_order_they_stand() {
        let text = "day,y\n2024-01-05,a\n2024-01-01,b\n,c\n2024-01-04,d\n2024-01-02,e\n2024-01-03,f\n";
        let (_, split) = by_time(text, 0.4).unwrap();
        assert_eq!((split.held_out, split.train), (vec![0, 3], vec![1, 2, 4, 5]));
    }

    #[test]
    fn rows_of_one_day_stay_together_on_the_side_that_is_nearer_to_the_share() {
        let text = "day,y\n1,a\n2,a\n2,b\n2,c\n3,a\n3,b\n";
        assert_eq!(by_time(text, 0.4).unwrap().1.held_out, [4, 5]);
        assert_eq!(by_time(text, 0.7).unwrap().1.held_out, [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_gives_no_order_of_time_is_refused_with_what_it_is() {
        let refused = |text: &str| by_time(text, 0.2).unwrap_err().to_string();
        assert!(refused("day,y\n3,a\n3,b\n").contains("has the same value in every row"));
        assert!(refused("day,y\nsoon,a\nlater,b\n").contains("is category, neither dates nor numbers"));
        assert!(refused("day,y\n,a\n,b\n").contains("has no value in any row"));
        assert!(refused("day,y\n02/03/2024,a\n04/05/2024,b\n").contains("whether the day or the month comes first"));
        assert!(refused("dai,y\n1,a\n2,b\n").contains("did you mean \"dai\"?"));
    }

    proptest! {
        #[test]
        fn no_row_that_is_held_out_is_earlier_than_one_that_is_learned_from(
            days in prop::collection::vec(prop::option::of(0_u8..20), 2..60),
            share in 0.05_f64..0.95,
        ) {
            let rows: String = days.iter().map(|day| format!("{},a\n", day.map_or(String::new(), |day| day.to_string()))).collect();
            if let Ok((data, split)) = by_time(&format!("day,y\n{rows}"), share) {
                prop_assert_eq!(split.train.len() + split.held_out.len(), data.rows());
                prop_assert!(!split.train.is_empty() && !split.held_out.is_empty());
                let of = |rows: &[usize]| rows.iter().filter_map(|row| days[*row]).collect::<Vec<_>>();
                let (latest, earliest) = (of(&split.train).into_iter().max(), of(&split.held_out).into_iter().min());
                prop_assert!(earliest.is_some() && latest < earliest);
                let sides = |hash: u64, rows: &[usize]| rows.iter().any(|row| data.row_hashes[*row] == hash);
                prop_assert!(data.row_hashes.iter().all(|hash| !(sides(*hash, &split.train) && sides(*hash, &split.held_out))));
            }
        }
    }
}
