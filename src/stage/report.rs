//! Reads JUnit XML as it is found in the wild into a [`TestReport`].
//!
//! Every writer of JUnit XML has its own idea of it, so nothing is believed but the cases themselves: the counts in the
//! attributes of a suite are often absent and sometimes wrong. A file that is not whole is an error and never a report
//! with fewer tests, because a crash of the test process must not look like a pass.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use quick_xml::escape::{resolve_xml_entity, unescape};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use crate::pipeline::{FailingTest, TestReport};

/// How many failing tests are named; the count goes on.
const FAILING: usize = 100;
/// Characters of a name that are kept: some frameworks put all parameters of a case into it.
const NAME: usize = 300;
/// Characters of a message that are kept.
const MESSAGE: usize = 500;
/// Bytes of one file, 256 MiB. A report is held in memory while it is read, and no honest one is larger.
const LARGEST: u64 = 256 << 20;

/// Why a report cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder or a file cannot be read.
    #[error("cannot read the test report {path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nothing is in the file.
    #[error("the test report {0} is empty; the test process may have crashed before it wrote it, see the log")]
    Empty(PathBuf),
    /// The file is too large to be a report.
    #[error(
        "the test report {path} has {bytes} bytes, more than the 256 MiB that are read; split it, or write less output into it"
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// The file is not well-formed XML.
    #[error(
        "the test report {path} is not XML ({reason} at byte {position}); the test process may have crashed while it wrote it, see the log"
    )]
    NotXml {
        /// The file.
        path: PathBuf,
        /// Where reading stopped, in bytes from the start.
        position: u64,
        /// What is wrong there.
        reason: String,
    },
    /// The file is XML of another kind.
    #[error(
        "{path} is no JUnit report: its outermost element is `{root}`, not `testsuites` or `testsuite`; write other files elsewhere"
    )]
    NotJunit {
        /// The file.
        path: PathBuf,
        /// The name of the outermost element.
        root: String,
    },
}

/// Reads all `*.xml` files of `folder`, in the order of their names. `None` means that there is no such file.
pub fn read(folder: &Path) -> Result<Option<TestReport>, ReportError> {
    let files = report_files(folder)?;
    if files.is_empty() {
        return Ok(None);
    }
    let mut report = TestReport::default();
    for file in files {
        let bytes = fs::metadata(&file).map_err(|source| ReportError::File { path: file.clone(), source })?.len();
        if bytes > LARGEST {
            return Err(ReportError::TooLarge { path: file, bytes });
        }
        let content = fs::read(&file).map_err(|source| ReportError::File { path: file.clone(), source })?;
        // Test output is copied into reports byte by byte; one wrong byte must not hide the result of a thousand tests.
        parse(&file, &String::from_utf8_lossy(&content), &mut report)?;
    }
    Ok(Some(report))
}

fn report_files(folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let failed = |source| ReportError::File { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xml")) && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn parse(path: &Path, text: &str, report: &mut TestReport) -> Result<(), ReportError> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(ReportError::Empty(path.to_owned()));
    }
    let mut reader = Reader::from_str(text);
    // Unescaped `&` in a test's name is common.
    reader.config_mut().allow_dangling_amp = true;
    let mut cases = Cases { report, depth: 0, suites: Vec::new(), case: None, outcome: None };
    let broken = |position: u64, reason: String| ReportError::NotXml { path: path.to_owned(), position, reason };
    let mut rooted = false;
    loop {
        let event = reader.read_event().map_err(|error| broken(reader.error_position(), error.to_string()))?;
        if let Event::Start(element) | Event::Empty(element) = &event
            && !rooted
        {
            let name = element.local_name();
            if !matches!(name.as_ref(), "testsuites" | "testsuite") {
                return Err(ReportError::NotJunit { path: path.to_owned(), root: name.as_ref().to_owned() });
            }
            rooted = true;
        }
        match event {
            Event::Start(element) => cases.open(&element),
            Event::Empty(element) => {
                cases.open(&element);
                cases.close();
            }
            Event::End(_) => cases.close(),
            Event::Text(content) => cases.text(&content),
            Event::CData(content) => cases.text(&content),
            Event::GeneralRef(reference) => cases.text(&resolve(&reference)),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => break,
        }
    }
    if !rooted {
        return Err(broken(reader.buffer_position(), "it holds no element".to_owned()));
    }
    if cases.depth > 0 {
        return Err(broken(reader.buffer_position(), "it ends in the middle of an element".to_owned()));
    }
    Ok(())
}

/// The case being read.
struct Case {
    name: String,
    depth: usize,
    /// What the first failure or error said; `None` as long as there was none.
    failure: Option<String>,
    skipped: bool,
}

/// The failure or error element being read, whose text is its message if it has no attribute of that name.
struct Outcome {
    depth: usize,
    message: String,
}

struct Cases<'a> {
    report: &'a mut TestReport,
    depth: usize,
    /// Names of the suites that are open, by depth.
    suites: Vec<(usize, String)>,
    case: Option<Case>,
    outcome: Option<Outcome>,
}

impl Cases<'_> {
    fn open(&mut self, element: &BytesStart<'_>) {
        self.depth += 1;
        match element.local_name().as_ref() {
            "testsuite" => self.suites.push((self.depth, attribute(element, "name").unwrap_or_default())),
            "testcase" if self.case.is_none() => self.case = Some(start_case(element, self.depth)),
            // A failure outside of any case is the suite's own, for example of its set-up.
            "failure" | "error" if self.outcome.is_none() => {
                let message = attribute(element, "message").unwrap_or_default();
                self.outcome = Some(Outcome { depth: self.depth, message });
            }
            "skipped" => {
                if let Some(case) = &mut self.case {
                    case.skipped = true;
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, content: &str) {
        if let Some(outcome) = &mut self.outcome
            // Bytes, and more than are kept, because white space is squeezed only at the end.
            && outcome.message.len() < 8 * MESSAGE
        {
            outcome.message.push_str(content);
        }
    }

    fn close(&mut self) {
        if let Some(outcome) = self.outcome.take_if(|outcome| outcome.depth == self.depth) {
            self.finish_outcome(&outcome.message);
        }
        if let Some(case) = self.case.take_if(|case| case.depth == self.depth) {
            self.finish_case(case);
        }
        if self.suites.last().is_some_and(|(depth, _)| *depth == self.depth) {
            self.suites.pop();
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn finish_outcome(&mut self, message: &str) {
        let message = one_line(message, MESSAGE);
        match &mut self.case {
            // Both a failure and an error in one case are one failed test; the first says why.
            Some(case) => {
                case.failure.get_or_insert(message);
            }
            None => {
                let suite = self.suites.last().map(|(_, name)| name.as_str()).unwrap_or_default();
                let name = if suite.is_empty() { "a test suite".to_owned() } else { one_line(suite, NAME) };
                self.fail(name, message);
            }
        }
    }

    fn finish_case(&mut self, case: Case) {
        if let Some(message) = case.failure {
            self.fail(case.name, message);
        } else if case.skipped {
            self.report.skipped += 1;
        } else {
            self.report.passed += 1;
        }
    }

    fn fail(&mut self, name: String, message: String) {
        self.report.failed += 1;
        if self.report.failing.len() < FAILING {
            self.report.failing.push(FailingTest { name, message });
        }
    }
}

fn start_case(element: &BytesStart<'_>, depth: usize) -> Case {
    let class = attribute(element, "classname").unwrap_or_default();
    let name = attribute(element, "name").unwrap_or_default();
    let full = match (class.is_empty(), name.is_empty()) {
        (false, false) => format!("{class}::{name}"),
        (false, true) => class,
        (true, false) => name,
        (true, true) => "a test without a name".to_owned(),
    };
    // GoogleTest marks a disabled test with `status` instead of an element.
    let skipped = attribute(element, "status").is_some_and(|status| status == "notrun");
    Case { name: one_line(&full, NAME), depth, failure: None, skipped }
}

/// The value of an attribute, as it stands if its escapes are wrong.
fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let value =
        attributes.with_checks(false).flatten().find(|attribute| attribute.key.local_name().as_ref() == name)?;
    Some(unescape(&value.value).map_or_else(|_| value.value.clone().into_owned(), std::borrow::Cow::into_owned))
}

/// The character behind a reference; an unknown one stays as it was written.
fn resolve(reference: &BytesRef<'_>) -> String {
    if let Ok(Some(character)) = reference.resolve_char_ref() {
        return character.to_string();
    }
    let name: &str = reference;
    resolve_xml_entity(name).map_or_else(|| format!("&{name};"), str::to_owned)
}

/// One line without control characters, with single spaces, of at most `limit` characters.
fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    let clean = text.split(|character: char| character.is_whitespace() || character.is_control());
    for word in clean.filter(|word| !word.is_empty()) {
        let gap = usize::from(length > 0);
        for character in std::iter::repeat_n(' ', gap).chain(word.chars()) {
            if length == limit {
                return line;
            }
            line.push(character);
            length += 1;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(content: &str) -> Result<TestReport, ReportError> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("junit.xml"), content).unwrap();
        read(folder.path()).map(Option::unwrap_or_default)
    }

    #[test]
    fn a_folder_without_a_report_is_no_report() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("notes.txt"), "<testsuite/>").unwrap();
        assert_eq!(read(folder.path()).unwrap(), None);
        assert_eq!(read(&folder.path().join("missing")).unwrap(), None);
    }

    #[test]
    fn a_failure_and_an_error_in_one_case_count_once() {
        let report = read_one(
            r#"<?xml version="1.0"?><testsuites><testsuite name="s">
            <testcase classname="c" name="both"><failure message="first"/><error message="second">more</error></testcase>
            <testcase classname="c" name="fine"/><testcase name="later"><skipped/></testcase>
            </testsuite></testsuites>"#,
        )
        .unwrap();
        assert_eq!((report.passed, report.failed, report.skipped), (1, 1, 1));
        assert_eq!(report.failing, [FailingTest { name: "c::both".into(), message: "first".into() }]);
        assert_eq!(report.total(), 3);
    }

    #[test]
    fn cases_are_counted_whatever_the_suites_say_and_however_they_nest() {
        let report = read_one(
            r#"<testsuites tests="99"><testsuite><testsuite><testcase name="a"/></testsuite><testcase name="b"/></testsuite>
            <testsuite tests="0"><testcase name="d"/></testsuite></testsuites>"#,
        )
        .unwrap();
        assert_eq!((report.passed, report.failed), (3, 0));
    }

    #[test]
    fn several_files_are_one_report() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.xml"), r#"<testsuite><testcase name="a"/></testsuite>"#).unwrap();
        fs::write(folder.path().join("b.XML"), r#"<testsuite><testcase name="b"><error/></testcase></testsuite>"#)
            .unwrap();
        let report = read(folder.path()).unwrap().unwrap();
        assert_eq!((report.passed, report.failed), (1, 1));
    }

    #[test]
    fn control_characters_wrong_bytes_and_wrong_escapes_do_not_hide_a_result() {
        let folder = tempfile::tempdir().unwrap();
        let content = b"<testsuite><testcase name=\"a\x1b[31m &#x1b; &nope; b\xff\"><failure>x &amp;\n\x07 y & z &#27; &who;</failure></testcase></testsuite>";
        fs::write(folder.path().join("junit.xml"), content).unwrap();
        let report = read(folder.path()).unwrap().unwrap();
        assert_eq!(report.failed, 1);
        assert_eq!(report.failing[0].message, "x & y & z &who;");
        assert!(report.failing[0].name.starts_with("a [31m"));
    }

    #[test]
    fn long_names_and_messages_are_cut_between_characters() {
        let long = "한".repeat(2000);
        let report = read_one(&format!(
            r#"<testsuite><testcase name="{long}"><failure message="{long}"/></testcase></testsuite>"#
        ))
        .unwrap();
        assert_eq!(report.failing[0].name.chars().count(), 300);
        assert_eq!(report.failing[0].message.chars().count(), 500);
    }

    #[test]
    fn only_the_first_hundred_failing_tests_are_named() {
        let cases = r#"<testcase name="x"><failure/></testcase>"#.repeat(150);
        let report = read_one(&format!("<testsuite>{cases}</testsuite>")).unwrap();
        assert_eq!((report.failed, report.failing.len()), (150, 100));
    }

    #[test]
    fn a_failure_of_the_suite_itself_is_a_failed_test() {
        let report = read_one(r#"<testsuite name="db"><error message="no server"/></testsuite>"#).unwrap();
        assert_eq!(report.failing, [FailingTest { name: "db".into(), message: "no server".into() }]);
    }

    #[test]
    fn a_file_that_is_not_a_whole_report_is_an_error_that_names_it() {
        let empty = read_one("").unwrap_err();
        assert!(matches!(&empty, ReportError::Empty(path) if path.ends_with("junit.xml")), "{empty}");
        let cut = read_one(r#"<testsuite><testcase name="a"/>"#).unwrap_err();
        assert!(matches!(cut, ReportError::NotXml { .. }), "{cut}");
        let text = read_one("Segmentation fault").unwrap_err();
        assert!(matches!(text, ReportError::NotXml { .. }), "{text}");
        let mismatched = read_one("<testsuite></testsuites>").unwrap_err();
        assert!(matches!(mismatched, ReportError::NotXml { .. }), "{mismatched}");
        let other = read_one("<coverage/>").unwrap_err();
        assert!(matches!(other, ReportError::NotJunit { .. }), "{other}");
    }
}
