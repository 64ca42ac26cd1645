//! Everything that can be wrong with data, each said with file, line, column and value where they apply, and what to
//! do.

use std::io;
use std::path::PathBuf;

/// Why data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// Nothing was given.
    #[error("no data file is registered; put a CSV file with a header line into the data folder")]
    NoFiles,
    /// The system refused.
    #[error("cannot read {file}: {source}; check that the file is there and may be read")]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Packed, but not whole.
    #[error("{file} cannot be unpacked: {source}; it is cut short or damaged, copy or pack it again")]
    Unpack {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// Nothing but white space.
    #[error("{file} is empty; write a header line with the names of the columns, then one row a line")]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// A header and nothing below it, in all files.
    #[error("{file} has a header line and zero rows; add rows below the header")]
    NoRows {
        /// The (first) file.
        file: PathBuf,
    },
    /// A row that would have to be held in memory whole is too long for that.
    #[error(
        "{file}, line {line}: the row is longer than {limit} bytes; is a line break missing, a quotation mark not closed, or is this no CSV file?"
    )]
    TooLong {
        /// The file.
        file: PathBuf,
        /// The line where the row starts, from 1.
        line: u64,
        /// The most bytes a row may have.
        limit: usize,
    },
    /// Bytes that are no text.
    #[error(
        "{file}, line {line}, column \"{column}\": the bytes \"{value}\" are not valid UTF-8; save the file as UTF-8"
    )]
    NotUtf8 {
        /// The file.
        file: PathBuf,
        /// The line where the row starts, from 1.
        line: u64,
        /// The column.
        column: String,
        /// The cell with the wrong bytes escaped.
        value: String,
    },
    /// Two columns of one name.
    #[error("{file}, line 1: the column \"{column}\" is there twice; give each column its own name")]
    DuplicateColumn {
        /// The file.
        file: PathBuf,
        /// The name.
        column: String,
    },
    /// A column without a name, as some programs write for their row numbers.
    #[error(
        "{file}, line 1: column number {position} has no name; name it in the header, or write the file without it if it only numbers the rows"
    )]
    UnnamedColumn {
        /// The file.
        file: PathBuf,
        /// Its place, from 1.
        position: usize,
    },
    /// More columns than any table has.
    #[error(
        "{file}, line 1: {found} columns are more than the {limit} that can be read; is the delimiter one of comma, semicolon, tab or vertical bar?"
    )]
    TooManyColumns {
        /// The file.
        file: PathBuf,
        /// How many there are.
        found: usize,
        /// How many may be.
        limit: usize,
    },
    /// Files that do not belong together.
    #[error(
        "{file}, line 1: the header differs from that of {first}: {difference}; all files of a data set need the same columns, in any order"
    )]
    HeaderDiffers {
        /// The file.
        file: PathBuf,
        /// The file whose header counts.
        first: PathBuf,
        /// Which columns are missing or unexpected.
        difference: String,
    },
    /// A row with more or fewer cells than the header.
    #[error(
        "{file}, line {line}: the row has {found} cells, the header {expected} columns; mend or remove the row{extra}"
    )]
    RaggedRow {
        /// The file.
        file: PathBuf,
        /// The line where the row starts, from 1.
        line: u64,
        /// Cells in the row.
        found: usize,
        /// Columns in the header.
        expected: usize,
        /// What the first cell holds, to find the row by.
        extra: String,
    },
    /// A name that is no column.
    #[error("{role} \"{column}\" is not in the data; {hint}")]
    MissingColumn {
        /// What the column is needed for.
        role: &'static str,
        /// The name that was given.
        column: String,
        /// The name that was meant, or those there are.
        hint: String,
    },
    /// A row that says nothing about what is to be learned.
    #[error(
        "{file}, line {line}: the target column \"{column}\" has no value ({missing} rows are so); fill it in or remove the rows"
    )]
    TargetMissing {
        /// The file of the first such row.
        file: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// The target.
        column: String,
        /// How many rows.
        missing: usize,
    },
    /// A target to be regressed that is no number.
    #[error(
        "{file}, line {line}: the target column \"{column}\" holds \"{value}\", which is no number; mend the cell, or set task = \"classification\""
    )]
    TargetNotNumeric {
        /// The file of the first such row.
        file: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// The target.
        column: String,
        /// The cell.
        value: String,
    },
    /// A target that is a moment in time.
    #[error(
        "the target column \"{column}\" holds dates, which are not predicted; write the number that is wanted, such as days from some day on, into a column of its own"
    )]
    TargetIsDate {
        /// The target.
        column: String,
    },
    /// A column by which rows cannot be put in an order of time.
    #[error("split by time: the column \"{column}\" {found}; {mend}")]
    NoTime {
        /// The column.
        column: String,
        /// What it is.
        found: String,
        /// What to do.
        mend: &'static str,
    },
    /// Nothing to tell apart.
    #[error(
        "the target column \"{column}\" has only one value, \"{value}\"; there is nothing to learn until the data holds another"
    )]
    OneClass {
        /// The target.
        column: String,
        /// That value.
        value: String,
    },
    /// More classes than a classifier is for.
    #[error(
        "the target column \"{column}\" has more than {limit} different values; set task = \"regression\" if it is a number, or choose another target"
    )]
    TooManyClasses {
        /// The target.
        column: String,
        /// The most classes.
        limit: usize,
    },
    /// Nothing to learn from.
    #[error("no column is left to learn from beside the target \"{target}\"{reasons}; add a column or exclude fewer")]
    NoFeatures {
        /// The target.
        target: String,
        /// Why columns were left out.
        reasons: String,
    },
    /// Too little data to train and to judge.
    #[error(
        "of {rows} rows, {train} are for training and {held_out} held out for evaluation, and each part needs one at least; equal rows stay together, and only {distinct} are different: with holdout = {share}, about {needed} different rows are needed; add rows, or a column that tells rows apart"
    )]
    TooFewRows {
        /// All rows.
        rows: usize,
        /// Rows that differ from all others, counted once each.
        distinct: usize,
        /// Rows for training.
        train: usize,
        /// Rows held out.
        held_out: usize,
        /// The share to be held out.
        share: f64,
        /// With so many different rows, an empty part is all but impossible.
        needed: u64,
    },
    /// The other classes all fell into the held-out part.
    #[error(
        "only the class \"{value}\" of \"{column}\" is among the {train} rows for training; add rows of other classes, or lower holdout"
    )]
    OneClassInTraining {
        /// The target.
        column: String,
        /// That class.
        value: String,
        /// Rows for training.
        train: usize,
    },
}
