//! A data file against its contract: streamed, the first violations with row, column and value, and then how many more.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;

use serde::Serialize;

use super::{ColumnRule, DataContract};
use crate::model::data::cell;
use crate::model::data::column::ColumnKind;
use crate::model::data::csv_source::CsvSource;
use crate::model::data::dataset_error::DatasetError;
use crate::model::data::date::date_text;
use crate::model::number::{float, share};

/// Violations that are told one by one; who has more needs another look at the whole file anyway.
const TOLD: usize = 20;
/// Characters of a cell that messages quote.
const QUOTED: usize = 80;

/// One place where a file breaks its contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The line where the row starts, from 1; that of the header for a column that is missing or unknown.
    pub line: u64,
    /// The column.
    pub column: String,
    /// The cell; empty when it is not one cell that is wrong.
    pub value: String,
    /// What is wrong.
    pub problem: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column \"{}\": ", self.line, self.column)?;
        if !self.value.is_empty() {
            write!(f, "\"{}\" ", self.value)?;
        }
        f.write_str(&self.problem)
    }
}

/// What came of looking at a whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Its rows.
    pub rows: u64,
    /// The first violations, in the order in which they were met.
    pub violations: Vec<Violation>,
    /// How many there are beyond those.
    pub more: u64,
}

impl Checked {
    /// Whether the file keeps its contract.
    pub fn is_kept(&self) -> bool {
        self.violations.is_empty()
    }

    /// The first violation and how many follow, in one line; `None` when the contract is kept.
    pub fn in_one_line(&self) -> Option<String> {
        let first = self.violations.first()?;
        let others = self.violations.len() as u64 - 1 + self.more;
        let others = if others == 0 { String::new() } else { format!(" (and {others} more)") };
        Some(format!("{first}{others}"))
    }

    fn add(&mut self, line: u64, column: &str, value: &str, problem: String) {
        if self.violations.len() < TOLD {
            self.violations.push(Violation { line, column: quoted(column), value: quoted(value), problem });
        } else {
            self.more += 1;
        }
    }
}

/// The beginning of a text on one line: what is told must not look like two lines.
fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    for letter in text.chars().take(QUOTED) {
        if letter.is_control() {
            quoted.extend(letter.escape_default());
        } else {
            quoted.push(letter);
        }
    }
    quoted
}

/// Reads `path` from its first row to its last. What is no readable table at all is an error.
pub fn check(path: &Path, contract: &DataContract) -> Result<Checked, DatasetError> {
    let mut source = CsvSource::open(path)?;
    let mut checked = Checked { rows: 0, violations: Vec::new(), more: 0 };
    let mut columns = placed(&source, contract, &mut checked);
    while source.next_row()? {
        checked.rows += 1;
        for column in &mut columns {
            let text = source.cell(column.position)?;
            if cell::is_missing(text) {
                column.missing += 1;
                if column.missing == 1 {
                    column.first_missing = source.line();
                }
            } else if let Some(problem) = judge(column.rule, text) {
                checked.add(source.line(), &column.rule.name, text, problem);
            }
        }
    }
    for column in &columns {
        if let Some(allowed) = column.rule.missing
            && share(column.missing, usize::try_from(checked.rows).unwrap_or(usize::MAX)) > allowed
        {
            let problem = format!(
                "has no value in {} of {} rows, of which {} may be so at most",
                column.missing,
                checked.rows,
                percent(allowed)
            );
            checked.add(column.first_missing, &column.rule.name, "", problem);
        }
    }
    Ok(checked)
}

/// A column of the contract that the file has.
struct PlacedColumn<'a> {
    rule: &'a ColumnRule,
    position: usize,
    missing: usize,
    first_missing: u64,
}

/// Where the columns of the contract stand; those that are missing or unknown break it.
fn placed<'a>(source: &CsvSource, contract: &'a DataContract, checked: &mut Checked) -> Vec<PlacedColumn<'a>> {
    let header = source.line();
    let here: HashMap<&str, usize> = source.columns().iter().map(String::as_str).zip(0..).collect();
    let mut columns = Vec::with_capacity(contract.columns.len());
    for rule in &contract.columns {
        match here.get(rule.name.as_str()) {
            Some(position) => {
                columns.push(PlacedColumn { rule, position: *position, missing: 0, first_missing: header });
            }
            None if rule.required => {
                checked.add(header, &rule.name, "", "is required by the contract and is not there".to_owned());
            }
            None => {}
        }
    }
    // A contract without columns says nothing of any.
    if !contract.columns.is_empty() {
        let known: HashSet<&str> = contract.columns.iter().map(|rule| rule.name.as_str()).collect();
        for name in source.columns().iter().filter(|name| !known.contains(name.as_str())) {
            checked.add(header, name, "", "is not in the contract; add it there, or remove the column".to_owned());
        }
    }
    columns
}

impl ColumnRule {
    /// What is wrong with one trimmed cell; `None` when it keeps the contract, or has no value.
    pub fn problem(&self, text: &str) -> Option<String> {
        if cell::is_missing(text) { None } else { judge(self, text) }
    }
}

/// What is wrong with a cell that has a value.
fn judge(rule: &ColumnRule, text: &str) -> Option<String> {
    match rule.kind {
        ColumnKind::Number => match cell::number(text) {
            Some(number) => beyond(rule, number, |bound| bound.to_string()),
            None => Some("is no finite number".to_owned()),
        },
        ColumnKind::Date(format) => match format.days(text) {
            Some(days) => beyond(rule, days, date_text),
            None => Some(format!("is no date written as {}", format.word())),
        },
        ColumnKind::Boolean if cell::truth(text).is_none() => Some("is none of true, false, yes and no".to_owned()),
        ColumnKind::Boolean | ColumnKind::Category | ColumnKind::Text => {
            (!rule.values.is_empty() && !rule.values.contains(text)).then(|| "is none of the allowed values".to_owned())
        }
    }
}

fn beyond(rule: &ColumnRule, value: f64, told: impl Fn(f64) -> String) -> Option<String> {
    match (rule.minimum, rule.maximum) {
        (Some(least), _) if value < least => Some(format!("is below the least that is allowed, {}", told(least))),
        (_, Some(most)) if value > most => Some(format!("is above the most that is allowed, {}", told(most))),
        _ => None,
    }
}

/// A share as people say it.
fn percent(share: f64) -> String {
    let percent = share * float(100);
    format!("{} %", (percent * 100.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::{Checked, check};
    use crate::model::data::contract::parse;
    use crate::model::samples::Folder;

    const CONTRACT: &str = "[columns.id]\ntype = \"number\"\nmin = 1\nmax = 100\n\
        [columns.colour]\ntype = \"category\"\nvalues = [\"red\", \"white\"]\nmissing = 0.25\n\
        [columns.fresh]\ntype = \"boolean\"\n\
        [columns.day]\ntype = \"date\"\nmin = 2024-01-01\n\
        [columns.note]\ntype = \"text\"\nrequired = false\n";

    fn checked(text: &str) -> Checked {
        let contract = parse(CONTRACT, "data.toml").unwrap();
        check(&Folder::new().write("a.csv", text), &contract).unwrap()
    }

    fn told(text: &str) -> Vec<String> {
        checked(text).violations.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_that_keeps_its_contract_is_counted() {
        let checked = checked(
            "id,colour,fresh,day\n1,red,yes,2024-01-31\n2,,NO,2024-02-01\n3,white,,\n4,red,true,2025-01-01T10:00\n",
        );
        assert!(checked.is_kept(), "{checked:?}");
        assert_eq!((checked.rows, checked.in_one_line()), (4, None));
    }

    #[test]
    fn every_violation_has_line_column_and_value() {
        let text = "colour,id,fresh,day,extra\nred,0,yes,2024-01-31,1\ngreen,101,maybe,31.01.2024,1\n\"a\nb\",inf,yes,2023-12-31,1\n,1,no,,1\n,x,no,,1\n";
        assert_eq!(
            told(text),
            [
                "line 1, column \"extra\": is not in the contract; add it there, or remove the column",
                "line 2, column \"id\": \"0\" is below the least that is allowed, 1",
                "line 3, column \"id\": \"101\" is above the most that is allowed, 100",
                "line 3, column \"colour\": \"green\" is none of the allowed values",
                "line 3, column \"fresh\": \"maybe\" is none of true, false, yes and no",
                "line 3, column \"day\": \"31.01.2024\" is no date written as YYYY-MM-DD",
                "line 4, column \"id\": \"inf\" is no finite number",
                "line 4, column \"colour\": \"a\\nb\" is none of the allowed values",
                "line 4, column \"day\": \"2023-12-31\" is below the least that is allowed, 2024-01-01",
                "line 7, column \"id\": \"x\" is no finite number",
                "line 6, column \"colour\": has no value in 2 of 5 rows, of which 25 % may be so at most",
            ]
        );
    }

    #[test]
    fn a_missing_column_is_told_unless_it_is_not_required() {
        assert_eq!(
            told("id,colour,day\n1,red,2024-01-31\n"),
            ["line 1, column \"fresh\": is required by the contract and is not there"]
        );
    }

    #[test]
    fn twenty_are_told_and_the_rest_is_counted() {
        let rows = "0,red,yes,\n".repeat(50);
        let checked = checked(&format!("id,colour,fresh,day\n{rows}"));
        assert_eq!((checked.violations.len(), checked.more), (20, 30));
        let line = checked.in_one_line().unwrap();
        assert_eq!(line, "line 2, column \"id\": \"0\" is below the least that is allowed, 1 (and 49 more)");
    }

    #[test]
    fn a_ragged_row_is_an_error_of_the_file() {
        let contract = parse(CONTRACT, "data.toml").unwrap();
        let folder = Folder::new();
        let path = folder.write("a.csv", "id,colour,fresh,day\n1,red\n");
        assert!(check(&path, &contract).unwrap_err().to_string().contains("line 2"));
    }
}
