//! What is in a data set, column by column: counts, spread, the most frequent values, what is odd.
//!
//! It is written beside each model as [`PROFILE_FILE`] and shown by `trainyard data profile` and the Models view. Equal
//! data gives an equal profile, byte for byte. One column at a time is copied to be sorted; nothing else is.

mod numbers;

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use numbers::{NumberProfile, QUANTILES};

use crate::disk::{digest_bytes, write_whole};
use crate::model::card::DataFile;
use crate::model::data::column::{Column, ColumnKind, Distinct, Values};
use crate::model::data::dataset::DataSet;
use crate::model::data::date::{DateFormat, date_text};
use crate::model::data::findings::{duplicates, findings};
use crate::model::data::target::{Target, resolve};
use crate::pipeline::Digest;

/// The file in the folder of a model.
pub const PROFILE_FILE: &str = "profile.json";
/// The most frequent values that are kept of a column.
const TOP: usize = 10;

/// What is in a data set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Rows of all files.
    pub rows: u64,
    /// The files.
    pub files: Vec<DataFile>,
    /// Rows that are equal to an earlier one in every cell.
    pub duplicates: u64,
    /// The column to predict; empty when none is known.
    pub target: String,
    /// The classes of the target and their rows, the most frequent first; empty when it is a number.
    pub balance: Vec<ValueCount>,
    /// The columns, in the order of the first file.
    pub columns: Vec<ColumnProfile>,
    /// What is odd, in sentences.
    pub notes: Vec<String>,
}

/// What is in a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// `number`, `boolean`, `date`, `category` or `text`.
    pub kind: String,
    /// How its dates are written.
    pub format: Option<DateFormat>,
    /// Rows without a value.
    pub missing: u64,
    /// How many different values there are, where that was counted.
    pub distinct: Option<Distinct>,
    /// The spread of numbers; of dates in days since 1970.
    pub numbers: Option<NumberProfile>,
    /// The earliest and the latest date.
    pub dates: Option<(String, String)>,
    /// The most frequent values of a category, at most ten.
    pub top: Vec<ValueCount>,
}

/// A value and how many rows have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ValueCount {
    /// The value.
    pub value: String,
    /// The rows.
    pub rows: u64,
}

impl Profile {
    /// Looks at a data set. A `target` that is no column, or none that could be learned, has no balance.
    pub fn of(data: &DataSet, target: &str) -> Self {
        let balance = match resolve(data, target, None) {
            Ok(Target::Classes { labels, codes, .. }) => counted(&labels, codes.iter().copied()),
            Ok(Target::Numbers(_)) | Err(_) => Vec::new(),
        };
        let columns: Vec<ColumnProfile> = data.columns.iter().map(ColumnProfile::of).collect();
        let distinct: Vec<Option<Distinct>> = columns.iter().map(|column| column.distinct).collect();
        Self {
            rows: data.rows() as u64,
            files: data.files.clone(),
            duplicates: duplicates(&data.row_hashes) as u64,
            target: target.to_owned(),
            balance,
            columns,
            notes: findings(data, target, &distinct),
        }
    }

    /// As JSON, with a line end.
    pub fn to_json(&self) -> io::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The digest of [`Profile::to_json`].
    pub fn digest(&self) -> io::Result<Digest> {
        self.to_json().map(|bytes| digest_bytes(&bytes))
    }

    /// Writes [`PROFILE_FILE`] into `folder`, which must be there.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        write_whole(&folder.join(PROFILE_FILE), &self.to_json()?)
    }

    /// Reads what [`Profile::save`] wrote.
    pub fn load(folder: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&std::fs::read(folder.join(PROFILE_FILE))?)?)
    }
}

impl ColumnProfile {
    fn of(column: &Column) -> Self {
        let (mut numbers, mut top) = (None, Vec::new());
        let distinct = match &column.values {
            Values::Text => column.texts,
            Values::Numeric(values) => {
                let (profile, distinct) = NumberProfile::of(values);
                numbers = profile;
                Some(distinct)
            }
            Values::Categorical { categories, codes } => {
                top = counted(categories, codes.iter().flatten().map(|code| usize::from(*code)));
                let cells: u64 = top.iter().map(|count| count.rows).sum();
                let count = top.len() as u64;
                top.truncate(TOP);
                Some(Distinct { count, exact: true, repeated: count < cells })
            }
        };
        let format = if let ColumnKind::Date(format) = column.kind { Some(format) } else { None };
        let range = numbers.as_ref().filter(|_| format.is_some());
        Self {
            name: column.name.clone(),
            kind: column.kind.word().to_owned(),
            format,
            missing: column.missing as u64,
            distinct,
            dates: range.map(|numbers| (date_text(numbers.minimum), date_text(numbers.maximum))),
            numbers,
            top,
        }
    }
}

/// How often each value is there, the most frequent first, equally frequent ones in the order of `values`. Those that
/// are not there are left out.
fn counted(values: &[String], codes: impl Iterator<Item = usize>) -> Vec<ValueCount> {
    let mut counts: Vec<ValueCount> = values.iter().map(|value| ValueCount { value: value.clone(), rows: 0 }).collect();
    for code in codes {
        if let Some(count) = counts.get_mut(code) {
            count.rows += 1;
        }
    }
    counts.retain(|count| count.rows > 0);
    counts.sort_by_key(|count| std::cmp::Reverse(count.rows));
    counts
}

#[cfg(test)]
mod tests {
    use super::{Profile, ValueCount};
    use crate::model::data::dataset::read;
    use crate::model::samples::{Folder, flowers};

    fn profile(text: &str, target: &str) -> Profile {
        Profile::of(&read(&[Folder::new().write("a.csv", text)]).unwrap(), target)
    }

    #[test]
    fn every_kind_of_column_is_described() {
        let profile =
            profile("n,c,b,d,y\n1,red,yes,2024-01-31,u\n2,red,no,2024-02-29,v\n,blue,,2024-01-01,u\n4,,yes,,u\n", "y");
        let kinds: Vec<&str> = profile.columns.iter().map(|column| column.kind.as_str()).collect();
        assert_eq!(kinds, ["number", "category", "boolean", "date", "category"]);
        let missing: Vec<u64> = profile.columns.iter().map(|column| column.missing).collect();
        assert_eq!(missing, [1, 1, 1, 1, 0]);
        let count = |value: &str, rows| ValueCount { value: value.to_owned(), rows };
        assert_eq!(profile.columns[1].top, [count("red", 2), count("blue", 1)]);
        assert_eq!(profile.columns[3].dates, Some(("2024-01-01".to_owned(), "2024-02-29".to_owned())));
        assert_eq!(profile.balance, [count("u", 3), count("v", 1)]);
        assert_eq!(profile.columns[0].distinct.map(|distinct| distinct.count), Some(3));
    }

    #[test]
    fn a_profile_comes_back_from_its_file_and_equal_data_gives_equal_bytes() {
        let one = profile(&flowers(), "kind");
        let folder = Folder::new();
        one.save(folder.path()).unwrap();
        assert_eq!(Profile::load(folder.path()).unwrap(), one);
        assert_eq!(one.digest().unwrap(), profile(&flowers(), "kind").digest().unwrap());
        assert_ne!(one.digest().unwrap(), profile(&flowers(), "height").digest().unwrap());
    }

    #[test]
    fn a_target_that_is_not_there_leaves_a_profile_without_balance() {
        let profile = profile("a,b\n1,2\n3,4\n", "");
        assert!(profile.balance.is_empty() && profile.columns.len() == 2);
    }
}
