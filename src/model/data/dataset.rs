//! One or more CSV files read as one set of typed columns.
//!
//! Files are streamed; what stays in memory is eight bytes a number or date and two a category. Each row gets a hash of
//! its cells, taken in the order of the column names, so that neither the order of columns nor that of files decides on
//! which side of the hold-out split a row falls.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::disk::digest_bytes;
use crate::model::card::DataFile;
use crate::model::data::column::{Column, ColumnKind, DateTrouble, MOST_CATEGORIES, Place};
use crate::model::data::column_builder::ColumnBuilder;
use crate::model::data::csv_source::CsvSource;
use crate::model::data::dataset_error::DatasetError;
use crate::model::data::split::RowHash;
use crate::pipeline::Digest;

/// The rows of all files, by column.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSet {
    /// The columns in the order of the first file.
    pub columns: Vec<Column>,
    /// A stable hash of each row.
    pub row_hashes: Vec<u64>,
    /// The files, by names relative to their common folder.
    pub files: Vec<DataFile>,
    /// Where the files lie.
    pub paths: Vec<PathBuf>,
}

impl DataSet {
    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.row_hashes.len()
    }

    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The digest of the set: the names and digests of its files.
    pub fn digest(&self) -> Digest {
        let lines: String = self.files.iter().map(|file| format!("{}\0{}\n", file.name, file.digest)).collect();
        digest_bytes(lines.as_bytes())
    }

    /// The path of the file where a cell stands.
    pub(in crate::model) fn path(&self, place: Place) -> PathBuf {
        self.paths.get(place.file).cloned().unwrap_or_default()
    }

    /// What a user should know about how a column was read; `None` when it is what it seems.
    pub fn reading_note(&self, column: &Column) -> Option<String> {
        let name = &column.name;
        if let Some(trouble) = &column.date_trouble {
            return Some(format!("column \"{name}\" is left out: {}", self.date_note(trouble)));
        }
        let (place, value) = column.first_text.as_ref()?;
        let file = self.file_name(*place);
        let line = place.line;
        let is_mostly_numbers = column.numbers * 2 > self.rows();
        match column.kind {
            ColumnKind::Text if is_mostly_numbers => Some(format!(
                "column \"{name}\" is left out: \"{value}\" in {file}, line {line} is no number, and most of its cells are; mend that cell, or leave it empty"
            )),
            ColumnKind::Text => Some(format!(
                "column \"{name}\" is left out: it is text with more than {MOST_CATEGORIES} different values (first \"{value}\" in {file}, line {line})"
            )),
            ColumnKind::Category | ColumnKind::Boolean if is_mostly_numbers => Some(format!(
                "column \"{name}\" is read as categories because of \"{value}\" in {file}, line {line}; mend that cell if the column holds numbers"
            )),
            ColumnKind::Category | ColumnKind::Boolean | ColumnKind::Number | ColumnKind::Date(_) => None,
        }
    }

    /// Why dates are not read as such, and what to do.
    pub(in crate::model) fn date_note(&self, trouble: &DateTrouble) -> String {
        match trouble {
            DateTrouble::Mixed { first, other: (place, value), written } => format!(
                "its dates are written in more than one way, first as {first}, and \"{value}\" in {}, line {} as {written}; write them all as YYYY-MM-DD",
                self.file_name(*place),
                place.line
            ),
            DateTrouble::Ambiguous { example } => format!(
                "no date in it says whether the day or the month comes first (such as \"{example}\"); write them as YYYY-MM-DD"
            ),
        }
    }

    fn file_name(&self, place: Place) -> &str {
        self.files.get(place.file).map_or("", |file| file.name.as_str())
    }
}

/// Columns that a message names.
const NAMED: usize = 12;
/// Bytes after which the reader tells how far it is.
const TOLD_EVERY: u64 = 4 << 20;
/// Rows after which it looks whether it has something to tell.
const LOOKS_EVERY: usize = 4096;

/// Reads files as one set. All need the same columns, in any order.
pub fn read(files: &[PathBuf]) -> Result<DataSet, DatasetError> {
    read_with(files, &mut |_, _| {})
}

/// The same, telling from time to time how many bytes of how many have been read.
pub fn read_with(files: &[PathBuf], tell: &mut dyn FnMut(u64, u64)) -> Result<DataSet, DatasetError> {
    let first = files.first().ok_or(DatasetError::NoFiles)?;
    let names = relative_names(files);
    let header = CsvSource::open(first)?.columns().to_vec();
    let mut columns: Vec<ColumnBuilder> = header.iter().map(|name| ColumnBuilder::new(name)).collect();
    let mut row_hashes = Vec::new();
    let mut read = Vec::with_capacity(files.len());
    let mut progress = Progress::new(files, tell);
    for (index, (path, name)) in files.iter().zip(names).enumerate() {
        let mut source = CsvSource::open(path)?;
        let order = match_header(&header, first, &source)?;
        let by_name = by_name(&header, &order);
        let before = row_hashes.len();
        while source.next_row()? {
            for (column, position) in columns.iter_mut().zip(&order) {
                column.push(source.cell(*position)?, || Place { file: index, line: source.line() });
            }
            row_hashes.push(hash_row(&source, &by_name));
            if row_hashes.len().is_multiple_of(LOOKS_EVERY) {
                progress.look(&source);
            }
        }
        progress.finish_file(&source);
        let rows = row_hashes.len() - before;
        read.push(DataFile { name, digest: source.into_digest(), rows: rows as u64 });
    }
    if row_hashes.is_empty() {
        return Err(DatasetError::NoRows { file: first.clone() });
    }
    Ok(DataSet {
        columns: columns.into_iter().map(ColumnBuilder::finish).collect(),
        row_hashes,
        files: read,
        paths: files.to_vec(),
    })
}

/// How much has been read of all files.
struct Progress<'a> {
    tell: &'a mut dyn FnMut(u64, u64),
    all: u64,
    /// Bytes of the files that are done.
    done: u64,
    told: u64,
}

impl<'a> Progress<'a> {
    fn new(files: &[PathBuf], tell: &'a mut dyn FnMut(u64, u64)) -> Self {
        // A file that is not there is an error when its turn comes.
        let all = files.iter().filter_map(|file| fs::metadata(file).ok()).map(|metadata| metadata.len()).sum();
        Self { tell, all, done: 0, told: 0 }
    }

    fn look(&mut self, source: &CsvSource) {
        let read = self.done + source.bytes_read();
        if read - self.told >= TOLD_EVERY {
            self.told = read;
            (self.tell)(read.min(self.all), self.all);
        }
    }

    fn finish_file(&mut self, source: &CsvSource) {
        self.look(source);
        self.done += source.bytes_read();
    }
}

/// Whether a file begins like a CSV file: not empty, a header of distinct names in UTF-8. Reads no further than the
/// first row.
pub fn check_header(path: &Path) -> Result<(), DatasetError> {
    CsvSource::open(path).map(drop)
}

/// Counts the rows below the header, holding one at a time.
pub fn count_rows(path: &Path) -> Result<u64, DatasetError> {
    let mut source = CsvSource::open(path)?;
    let mut rows = 0;
    while source.advance()? {
        rows += 1;
    }
    Ok(rows)
}

/// For each column of the first file, its place in this one.
fn match_header(header: &[String], first: &Path, source: &CsvSource) -> Result<Vec<usize>, DatasetError> {
    let here: HashMap<&str, usize> = source.columns().iter().map(String::as_str).zip(0..).collect();
    let there: HashSet<&str> = header.iter().map(String::as_str).collect();
    let missing: Vec<&str> = header.iter().map(String::as_str).filter(|name| !here.contains_key(name)).collect();
    let unexpected: Vec<&str> =
        source.columns().iter().map(String::as_str).filter(|name| !there.contains(name)).collect();
    if missing.is_empty() && unexpected.is_empty() {
        return Ok(header.iter().filter_map(|name| here.get(name.as_str()).copied()).collect());
    }
    let mut difference = Vec::new();
    if !missing.is_empty() {
        difference.push(format!("missing {}", listed(&missing)));
    }
    if !unexpected.is_empty() {
        difference.push(format!("unexpected {}", listed(&unexpected)));
    }
    Err(DatasetError::HeaderDiffers {
        file: source.path().to_owned(),
        first: first.to_owned(),
        difference: difference.join("; "),
    })
}

/// Names, but not thousands of them.
fn listed(names: &[&str]) -> String {
    let shown: Vec<&str> = names.iter().copied().take(NAMED).collect();
    let more = names.len() - shown.len();
    if more == 0 { shown.join(", ") } else { format!("{} and {more} more", shown.join(", ")) }
}

/// The places of the columns in this file, sorted by the names of the columns.
fn by_name(header: &[String], order: &[usize]) -> Vec<usize> {
    let mut named: Vec<(&String, usize)> = header.iter().zip(order.iter().copied()).collect();
    named.sort();
    named.into_iter().map(|(_, position)| position).collect()
}

fn hash_row(source: &CsvSource, by_name: &[usize]) -> u64 {
    let mut hash = RowHash::new();
    for position in by_name {
        hash.cell(source.raw(*position));
    }
    hash.finish()
}

/// Names relative to the deepest folder that holds all files, so that a model does not depend on where the data lies. Files
/// that have nothing in common but the root (labelled rows come from the project's own folder) go by their own names.
fn relative_names(files: &[PathBuf]) -> Vec<String> {
    let mut folder = files.first().and_then(|file| file.parent()).unwrap_or(Path::new(""));
    while !files.iter().all(|file| file.starts_with(folder)) {
        folder = folder.parent().unwrap_or(Path::new(""));
    }
    let is_shared = folder.parent().is_some();
    let name = |file: &PathBuf| match file.file_name() {
        Some(own) if !is_shared && file.is_absolute() => own.to_string_lossy().into_owned(),
        _ => file.strip_prefix(folder).unwrap_or(file).display().to_string(),
    };
    files.iter().map(name).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{DatasetError, check_header, count_rows, read, read_with};
    use crate::model::data::target::{Target, resolve};
    use crate::model::samples::Folder;

    #[test]
    fn files_of_two_places_are_named_without_them() {
        let files = ["/data/a.csv", "/srv/app/.trainyard/feedback/b.csv"].map(PathBuf::from);
        assert_eq!(super::relative_names(&files), ["a.csv", "b.csv"]);
        let near = ["/data/2024/a.csv", "/data/b.csv"].map(PathBuf::from);
        assert_eq!(super::relative_names(&near), ["2024/a.csv", "b.csv"]);
    }

    #[test]
    fn files_with_the_same_columns_in_another_order_are_one_set() {
        let folder = Folder::new();
        let files = [folder.write("a.csv", "x,kind\n1,red\n"), folder.write("b.csv", "kind;x\nblue;2\n")];
        let data = read(&files).unwrap();
        assert_eq!(data.rows(), 2);
        assert_eq!(
            data.files.iter().map(|file| (file.name.as_str(), file.rows)).collect::<Vec<_>>(),
            [("a.csv", 1), ("b.csv", 1)]
        );
        let swapped = read(&[folder.write("c.csv", "kind,x\nred,1\n")]).unwrap();
        assert_eq!(data.row_hashes[0], swapped.row_hashes[0]);
    }

    #[test]
    fn another_header_is_refused_with_the_difference() {
        let folder = Folder::new();
        let files = [folder.write("a.csv", "x,y\n1,2\n"), folder.write("b.csv", "x,z\n1,2\n")];
        let message = read(&files).unwrap_err().to_string();
        assert!(message.contains("missing y; unexpected z"), "{message}");
    }

    #[test]
    fn reading_tells_how_far_it_is() {
        let folder = Folder::new();
        let rows: String = (0..600_000).map(|row| format!("{row},1234567\n")).collect();
        let files = [folder.write("a.csv", &format!("x,y\n{rows}")), folder.write("b.csv", "x,y\n1,2\n")];
        let mut told = Vec::new();
        let data = read_with(&files, &mut |read, of| told.push((read, of))).unwrap();
        assert_eq!(data.rows(), 600_001);
        let all = files.iter().map(|file| std::fs::metadata(file).unwrap().len()).sum::<u64>();
        assert!(told.len() > 1 && told.windows(2).all(|pair| pair[0].0 < pair[1].0), "{told:?}");
        assert!(told.iter().all(|(read, of)| read <= of && *of == all), "{told:?}");
    }

    #[test]
    fn ten_thousand_columns_are_read_and_one_more_is_refused() {
        let folder = Folder::new();
        let line = |columns: usize| (0..columns).map(|column| column.to_string()).collect::<Vec<_>>().join(",");
        let text = |columns| format!("{}\n{}\n", line(columns), line(columns));
        let data = read(&[folder.write("a.csv", &text(10_000)), folder.write("b.csv", &text(10_000))]).unwrap();
        assert_eq!((data.columns.len(), data.rows()), (10_000, 2));
        let message = read(&[folder.write("c.csv", &text(10_001))]).unwrap_err().to_string();
        assert!(message.contains("10001 columns are more than the 10000 that can be read"), "{message}");
    }

    #[test]
    fn notes_say_which_cell_spoils_a_column() {
        let folder = Folder::new();
        let numbers: String = (0..200).map(|row| format!("{row}.5,{}/0{}/2024\n", row % 9 + 1, row % 8 + 1)).collect();
        let data = read(&[folder.write("a.csv", &format!("x,day\n{numbers}inf,1/1/2024\n"))]).unwrap();
        let notes: Vec<String> = data.columns.iter().filter_map(|column| data.reading_note(column)).collect();
        assert_eq!(
            notes,
            [
                "column \"x\" is left out: \"inf\" in a.csv, line 202 is no number, and most of its cells are; mend that cell, or leave it empty",
                "column \"day\" is left out: no date in it says whether the day or the month comes first (such as \"9/01/2024\"); write them as YYYY-MM-DD"
            ]
        );
    }

    #[test]
    fn a_target_of_dates_or_of_a_thousand_texts_is_refused() {
        let folder = Folder::new();
        let rows: String = (0..1000).map(|row| format!("{row},name {row},2024-01-{:02}\n", row % 28 + 1)).collect();
        let data = read(&[folder.write("a.csv", &format!("x,name,day\n{rows}"))]).unwrap();
        assert!(matches!(resolve(&data, "name", None), Err(DatasetError::TooManyClasses { .. })));
        assert!(matches!(resolve(&data, "day", None), Err(DatasetError::TargetIsDate { .. })));
        let spoiled = read(&[folder.write("b.csv", &format!("x,name,day\n{rows}inf,a,2024-01-01\n"))]).unwrap();
        let message = resolve(&spoiled, "x", None).unwrap_err().to_string();
        assert!(message.contains("line 1002: the target column \"x\" holds \"inf\", which is no number"), "{message}");
    }

    #[test]
    fn empty_files_headers_without_rows_and_double_columns_are_refused() {
        let folder = Folder::new();
        assert!(matches!(read(&[]), Err(DatasetError::NoFiles)));
        assert!(matches!(read(&[folder.write("a.csv", " \n\n")]), Err(DatasetError::Empty { .. })));
        assert!(matches!(read(&[folder.write("b.csv", "x,y\n")]), Err(DatasetError::NoRows { .. })));
        assert!(matches!(read(&[folder.write("c.csv", "x,x\n1,2\n")]), Err(DatasetError::DuplicateColumn { .. })));
        assert!(matches!(read(&[folder.write("d.csv", ",x\n1,2\n")]), Err(DatasetError::UnnamedColumn { .. })));
        assert!(matches!(read(&[PathBuf::from("/nowhere/e.csv")]), Err(DatasetError::Read { .. })));
    }

    #[test]
    fn a_row_without_end_is_refused_before_it_fills_the_memory() {
        let folder = Folder::new();
        let long = folder.write("a.csv", &format!("x,y\n1,\"{}", "z\n".repeat(9 << 20)));
        assert!(matches!(read(&[long]), Err(DatasetError::TooLong { line: 2, .. })));
        let header = folder.write("b.csv", &"x".repeat(17 << 20));
        assert!(matches!(check_header(&header), Err(DatasetError::TooLong { line: 1, .. })));
    }

    #[test]
    fn rows_are_counted_without_the_header() {
        let folder = Folder::new();
        assert_eq!(count_rows(&folder.write("a.csv", "x\n1\n2\n\n3")).unwrap(), 3);
        assert!(check_header(&folder.write("b.csv", "x,y")).is_ok());
    }

    #[test]
    fn a_mistyped_target_gets_the_nearest_column() {
        let folder = Folder::new();
        let data = read(&[folder.write("a.csv", "alcohol,quality\n1,2\n2,3\n")]).unwrap();
        let message = resolve(&data, "qualty", None).unwrap_err().to_string();
        assert_eq!(message, "the target column \"qualty\" is not in the data; did you mean \"quality\"?");
    }

    #[test]
    fn a_target_with_gaps_or_one_class_is_refused() {
        let folder = Folder::new();
        let gaps = read(&[folder.write("a.csv", "x,y\n1,a\n2,\n3,\n")]).unwrap();
        let message = resolve(&gaps, "y", None).unwrap_err().to_string();
        assert!(message.contains("line 3: the target column \"y\" has no value (2 rows are so)"), "{message}");
        let constant = read(&[folder.write("b.csv", "x,y\n1,a\n2,a\n")]).unwrap();
        assert!(matches!(resolve(&constant, "y", None), Err(DatasetError::OneClass { .. })));
    }

    #[test]
    fn few_integers_and_texts_are_classes_and_other_numbers_are_not() {
        let folder = Folder::new();
        let data = read(&[folder.write("a.csv", "i,f,t\n10,1.5,b\n9,2,a\n10,3,b\n")]).unwrap();
        assert_eq!(
            resolve(&data, "i", None).unwrap(),
            Target::Classes { labels: vec!["9".into(), "10".into()], integers: true, codes: vec![1, 0, 1] }
        );
        assert_eq!(resolve(&data, "f", None).unwrap(), Target::Numbers(vec![1.5, 2.0, 3.0]));
        assert!(matches!(resolve(&data, "t", None).unwrap(), Target::Classes { integers: false, .. }));
    }

    #[test]
    fn text_in_a_target_that_is_to_be_a_number_is_named_by_its_line() {
        let folder = Folder::new();
        let data = read(&[folder.write("a.csv", "x,y\n1,2\n2,three\n")]).unwrap();
        let message = resolve(&data, "y", Some(crate::config::Task::Regression)).unwrap_err().to_string();
        assert!(message.contains("line 3: the target column \"y\" holds \"three\""), "{message}");
    }
}
