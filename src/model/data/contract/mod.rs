//! The data contract, `data.toml`: what a data file must hold before it may reach training.
//!
//! It is written once from data that was good ([`render`]), then belongs to the user, who edits and commits it. `reader`
//! takes it apart with all errors at once, `checked` holds a file against it row by row. What is inferred never narrows by
//! accident: types and columns are enforced at once, ranges and values stand there as comments to be switched on.
//!
//! Nothing here decides what follows from a broken contract; that is the watcher's.

mod checked;
mod inference;
mod reader;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use checked::{Checked, Violation, check};
pub use inference::render;
pub use reader::{ContractError, ContractErrors, parse};

use crate::disk::write_whole;
use crate::model::data::column::ColumnKind;

/// What is said of the columns of a data file.
#[derive(Debug, Clone, PartialEq)]
pub struct DataContract {
    /// The columns, in the order of the contract.
    pub columns: Vec<ColumnRule>,
}

/// What is said of a column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnRule {
    /// Its name.
    pub name: String,
    /// What its cells are.
    pub kind: ColumnKind,
    /// Whether a file without it is held back.
    pub required: bool,
    /// The least number; of dates the earliest, in days since 1970.
    pub minimum: Option<f64>,
    /// The greatest number; of dates the latest.
    pub maximum: Option<f64>,
    /// The values that there may be; empty means any.
    pub values: BTreeSet<String>,
    /// The share of the cells that may have no value; without it, any.
    pub missing: Option<f64>,
}

/// Why there is no contract.
#[derive(Debug, thiserror::Error)]
pub enum ContractFileError {
    /// The file cannot be read or written.
    #[error("cannot use the data contract {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// What is written in it is not valid.
    #[error(transparent)]
    Invalid(#[from] ContractErrors),
}

/// Reads a contract; `None` when there is none, which is no error.
pub fn load(path: &Path) -> Result<Option<DataContract>, ContractFileError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(ContractFileError::File { path: path.to_owned(), source }),
    };
    let name = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    Ok(Some(parse(&text, &name)?))
}

/// Writes a contract where there is none; what is there already belongs to the user and stays. True when it was written.
pub fn write_new(path: &Path, text: &str) -> Result<bool, ContractFileError> {
    if path.exists() {
        return Ok(false);
    }
    write_whole(path, text.as_bytes())
        .map(|()| true)
        .map_err(|source| ContractFileError::File { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::{ContractFileError, load, write_new};
    use crate::model::samples::Folder;

    #[test]
    fn no_contract_is_no_error_and_a_broken_one_is() {
        let folder = Folder::new();
        assert_eq!(load(&folder.path().join("data.toml")).unwrap(), None);
        let broken = folder.write("broken.toml", "[columns.x]\n");
        assert!(matches!(load(&broken), Err(ContractFileError::Invalid(_))));
        let bytes = folder.write_bytes("bytes.toml", b"\xff\xfe");
        assert!(matches!(load(&bytes), Err(ContractFileError::File { .. })));
    }

    #[test]
    fn a_contract_that_is_there_is_never_written_over() {
        let folder = Folder::new();
        let path = folder.path().join("data.toml");
        assert!(write_new(&path, "# one\n").unwrap());
        assert!(!write_new(&path, "# two\n").unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "# one\n");
    }
}
