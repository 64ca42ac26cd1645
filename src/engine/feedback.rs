//! Labelled rows that releases have collected, as a data file for the next training.
//!
//! Each release appends whole lines to a file of its own, `.trainyard/feedback/<release>.csv`, with the columns of its model
//! and the target. A training gets a copy of what is there when it starts: with the columns of the data, named by its
//! digest, so that equal rows are an equal file, and what is appended meanwhile changes nothing. A row that breaks the data
//! contract is left out, as a file that breaks it is held back. Rows are copied one by one, for there may be gigabytes; of all
//! releases together, what the oldest have collected goes first.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::disk::{Layout, digest_file};
use crate::model::{ColumnRule, CsvSource, DataContract};

/// Bytes in which the end of the last whole line is looked for at once.
const LOOKED_AT: u64 = 64 * 1024;

/// What came of looking through what releases have collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    /// The copy; `None` when there is no labelled row that can be learned from.
    pub file: Option<PathBuf>,
    /// Rows that break the data contract.
    pub left_out: u64,
}

/// Copies what has been collected into a file with the columns of `like`, a data file, by way of `partial`, which nobody else
/// uses. Blocking.
pub fn gather(
    layout: &Layout,
    partial: &Path,
    like: &Path,
    target: &str,
    contract: Option<&DataContract>,
) -> io::Result<Gathered> {
    let collected = collected(layout)?;
    if collected.is_empty() {
        return Ok(Gathered { file: None, left_out: 0 });
    }
    let source = CsvSource::open(like).map_err(io::Error::other)?;
    let columns = source.columns();
    let rule = |name: &String| contract.and_then(|contract| contract.columns.iter().find(|rule| rule.name == *name));
    let mut writer = csv::Writer::from_writer(File::create(partial)?);
    writer.write_record(columns)?;
    let mut copying =
        Copying { columns, rules: columns.iter().map(rule).collect(), target, writer, rows: 0, left_out: 0 };
    for file in collected {
        copying.take(File::open(&file)?)?;
    }
    let Copying { mut writer, rows, left_out, .. } = copying;
    writer.flush()?;
    drop(writer);
    if rows == 0 {
        fs::remove_file(partial)?;
        return Ok(Gathered { file: None, left_out });
    }
    let path = layout.feedback().join(format!("{}.csv", digest_file(partial)?));
    // In the place of an equal one too, so that it is younger than whoever clears away old ones.
    fs::rename(partial, &path)?;
    Ok(Gathered { file: Some(path), left_out })
}

/// The file to which a release appends.
pub fn file(layout: &Layout, release: u64) -> PathBuf {
    layout.feedback().join(format!("{release}.csv"))
}

/// Removes what the oldest releases have collected where all of it together is more than `most` bytes. What the newest release
/// and the live one collected stays, whatever it comes to: each bounds its own file.
pub fn prune(layout: &Layout, live: Option<u64>, most: u64) {
    let Ok(files) = collected(layout) else { return };
    let mut total: u64 = 0;
    for (place, path) in files.into_iter().rev().enumerate() {
        total = total.saturating_add(fs::metadata(&path).map_or(0, |found| found.len()));
        let is_live = live.is_some_and(|live| path == file(layout, live));
        if total > most && place > 0 && !is_live {
            // What cannot be removed now is found again after the next run.
            let _ = fs::remove_file(&path);
        }
    }
}

/// The files of all releases, the oldest first.
fn collected(layout: &Layout) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(layout.feedback()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found: Vec<(u64, PathBuf)> = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(release) = name.strip_suffix(".csv").and_then(|number| number.parse().ok()) {
            found.push((release, path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

/// A copy while it grows.
struct Copying<'a> {
    columns: &'a [String],
    /// What the contract says of each column.
    rules: Vec<Option<&'a ColumnRule>>,
    target: &'a str,
    writer: csv::Writer<File>,
    rows: u64,
    left_out: u64,
}

impl Copying<'_> {
    /// Adds the rows that have a label and keep the contract, each cell under the column of its name.
    fn take(&mut self, mut file: File) -> io::Result<()> {
        // A line that is being written is of the next training.
        let whole = whole_lines(&mut file)?;
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.take(whole));
        let Some(header) = readable(reader.headers().cloned())? else { return Ok(()) };
        let place = |name: &str| header.iter().position(|other| other == name);
        let places: Vec<Option<usize>> = self.columns.iter().map(|column| place(column)).collect();
        let Some(label) = place(self.target) else { return Ok(()) };
        for record in reader.records() {
            // One damaged row must not cost all trainings to come.
            let Some(record) = readable(record)? else { continue };
            if record.len() != header.len() || record.get(label).is_none_or(str::is_empty) {
                continue;
            }
            // What the release did not ask for is not known.
            let cells: Vec<&str> =
                places.iter().map(|place| place.and_then(|place| record.get(place)).unwrap_or_default()).collect();
            let mut judged = self.rules.iter().zip(&cells);
            if judged.any(|(rule, cell)| rule.is_some_and(|rule| rule.problem(cell.trim()).is_some())) {
                self.left_out += 1;
                continue;
            }
            self.writer.write_record(&cells)?;
            self.rows += 1;
        }
        Ok(())
    }
}

/// `None` for what is no text.
fn readable<T>(read: Result<T, csv::Error>) -> io::Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if matches!(error.kind(), csv::ErrorKind::Utf8 { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// How many bytes its whole lines have; the file stands at its beginning then.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut bytes = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(LOOKED_AT);
        file.seek(SeekFrom::Start(start))?;
        bytes.clear();
        file.by_ref().take(end - start).read_to_end(&mut bytes)?;
        if let Some(place) = memchr::memrchr(b'\n', &bytes) {
            end = start + place as u64 + 1;
            break;
        }
        end = start;
    }
    file.rewind()?;
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Project {
        folder: tempfile::TempDir,
        layout: Layout,
    }

    impl Project {
        /// A project with one data file.
        fn new(data: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let layout = Layout::new(folder.path()).unwrap();
            layout.create().unwrap();
            fs::write(folder.path().join("a.csv"), data).unwrap();
            Self { folder, layout }
        }

        fn gather(&self, target: &str, contract: Option<&DataContract>) -> Gathered {
            let (partial, like) = (self.folder.path().join("partial"), self.folder.path().join("a.csv"));
            let gathered = gather(&self.layout, &partial, &like, target, contract).unwrap();
            assert!(!partial.exists(), "nothing is left half done");
            gathered
        }
    }

    #[test]
    fn labelled_rows_of_all_releases_get_the_columns_of_the_data_and_equal_rows_an_equal_file() {
        let project = Project::new("name;x;y\nada;1;a\n");
        let layout = &project.layout;
        let nothing = Gathered { file: None, left_out: 0 };
        assert_eq!(project.gather("y", None), nothing);

        // The second line has no label, the last is not whole yet, and release 10 comes behind release 9.
        fs::write(file(layout, 10), "x,y\n3,c\n").unwrap();
        fs::write(file(layout, 9), "x,y\n\"2\",b\n4,\n5,d").unwrap();
        let gathered = project.gather("y", None);
        assert_eq!(fs::read_to_string(gathered.file.as_ref().unwrap()).unwrap(), "name,x,y\n,2,b\n,3,c\n");
        assert_eq!(project.gather("y", None), gathered, "a copy is not collected itself");
        assert_eq!(project.gather("z", None), nothing, "of another target nothing is learned");
    }

    #[test]
    fn beyond_the_bound_what_the_oldest_releases_collected_goes_but_never_that_of_the_live_one() {
        let project = Project::new("x,y\n1,a\n");
        let layout = &project.layout;
        for release in [1, 2, 9, 10] {
            fs::write(file(layout, release), "x,y\n1,a\n").unwrap();
        }
        let there = || [1, 2, 9, 10].map(|release| file(layout, release).exists());
        prune(layout, Some(1), 32);
        assert_eq!(there(), [true; 4], "it is not more");
        prune(layout, Some(1), 16);
        assert_eq!(there(), [true, false, true, true]);
        prune(layout, None, 0);
        assert_eq!(there(), [false, false, false, true]);
    }

    #[test]
    fn a_row_that_breaks_the_contract_is_left_out_and_one_without_a_value_is_not() {
        let project = Project::new("name,x,y\nada,1,a\n");
        fs::write(file(&project.layout, 1), "x,y\n1,a\n,b\n900,a\n2,c\nmuch,b\n").unwrap();
        let contract = "[columns.name]\ntype = \"text\"\nmissing = 0\n[columns.x]\ntype = \"number\"\nmax = 100\n\
                        [columns.y]\ntype = \"category\"\nvalues = [\"a\", \"b\"]\n";
        let contract = crate::model::parse_contract(contract, "data.toml").unwrap();
        let gathered = project.gather("y", Some(&contract));
        assert_eq!(fs::read_to_string(gathered.file.unwrap()).unwrap(), "name,x,y\n,1,a\n,,b\n");
        assert_eq!(gathered.left_out, 3);
    }

    #[test]
    fn a_damaged_row_costs_itself_and_a_file_without_a_whole_line_nothing() {
        let project = Project::new("x,y\n1,a\n");
        fs::write(file(&project.layout, 1), b"x,y\n1,a\n2,caf\xe9\n3,b\n").unwrap();
        fs::write(file(&project.layout, 2), "x".repeat(200_000)).unwrap();
        let gathered = project.gather("y", None);
        assert_eq!(fs::read_to_string(gathered.file.unwrap()).unwrap(), "x,y\n1,a\n3,b\n");
    }
}
