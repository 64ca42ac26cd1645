//! Reads a data contract and tells every error at once, each with line, column and the mend.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ColumnRule, DataContract};
use crate::model::data::column::ColumnKind;
use crate::model::data::date::DateFormat;
use crate::model::nearest;

const KINDS: [&str; 5] = ["number", "boolean", "category", "date", "text"];
const KEYS: [&str; 7] = ["type", "required", "format", "min", "max", "values", "missing"];

/// One error in a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractError {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// The mend.
    pub hint: String,
}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}; {}", self.file, self.line, self.column, self.message, self.hint)
    }
}

/// Every error of a contract, in the order of the file, at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractErrors(Vec<ContractError>);

impl ContractErrors {
    /// The errors.
    pub fn errors(&self) -> &[ContractError] {
        &self.0
    }
}

impl fmt::Display for ContractErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ContractErrors {}

/// Reads a contract from `text`; `file` is what errors call it.
pub fn parse(text: &str, file: &str) -> Result<DataContract, ContractErrors> {
    let mut problems = Vec::new();
    let (tree, broken) = DeTable::parse_recoverable(text);
    for error in &broken {
        problems.push(Problem {
            span: error.span().unwrap_or(0..0),
            message: error.message().to_owned(),
            hint: "see https://toml.io".to_owned(),
        });
    }
    // Behind an error of the syntax a table may have lost what it says.
    let columns = if broken.is_empty() { columns(tree.get_ref(), &mut problems) } else { Vec::new() };
    if problems.is_empty() {
        return Ok(DataContract { columns });
    }
    problems.sort_by_key(|problem| problem.span.start);
    Err(ContractErrors(problems.into_iter().map(|problem| problem.locate(text, file)).collect()))
}

struct Problem {
    span: Range<usize>,
    message: String,
    hint: String,
}

impl Problem {
    fn locate(self, text: &str, file: &str) -> ContractError {
        let mut start = self.span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = text.get(..start).unwrap_or(text);
        let in_line = before.rsplit('\n').next().unwrap_or_default();
        ContractError {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: in_line.chars().count() + 1,
            message: self.message,
            hint: self.hint,
        }
    }
}

fn columns(root: &DeTable<'_>, problems: &mut Vec<Problem>) -> Vec<ColumnRule> {
    let mut rules: Vec<(usize, ColumnRule)> = Vec::new();
    for (key, value) in root {
        let (name, DeValue::Table(columns)) = (key.get_ref(), value.get_ref()) else {
            let message = format!("`{}` is no table of columns", key.get_ref());
            problems.push(Problem {
                span: key.span(),
                message,
                hint: "write [columns.NAME] for each column".to_owned(),
            });
            continue;
        };
        if *name != "columns" {
            let message = format!("unknown table `{name}`");
            problems.push(Problem {
                span: key.span(),
                message,
                hint: "write [columns.NAME] for each column".to_owned(),
            });
            continue;
        }
        for (name, value) in columns {
            if let DeValue::Table(table) = value.get_ref() {
                let rule =
                    ColumnReader { table, name: name.get_ref(), span: name.span(), problems: &mut *problems }.read();
                rules.extend(rule.map(|rule| (name.span().start, rule)));
            } else {
                let message = format!("`{}` must be a table", name.get_ref());
                let hint = format!("write [columns.{}] and, below it, type = \"number\"", name.get_ref());
                problems.push(Problem { span: value.span(), message, hint });
            }
        }
    }
    rules.sort_by_key(|(start, _)| *start);
    rules.into_iter().map(|(_, rule)| rule).collect()
}

/// The table of one column.
struct ColumnReader<'a, 't> {
    table: &'a DeTable<'t>,
    name: &'a str,
    span: Range<usize>,
    problems: &'a mut Vec<Problem>,
}

impl<'a, 't> ColumnReader<'a, 't> {
    fn read(mut self) -> Option<ColumnRule> {
        let table = self.table;
        for key in table.keys() {
            let name: &str = key.get_ref();
            if !KEYS.contains(&name) {
                let hint = nearest::hint(name, KEYS);
                self.note(key.span(), format!("unknown key `{name}`"), hint);
            }
        }
        let kind = self.kind();
        let rule = ColumnRule {
            name: self.name.to_owned(),
            kind: kind.unwrap_or(ColumnKind::Text),
            required: self.required(),
            minimum: self.bound("min", kind),
            maximum: self.bound("max", kind),
            values: self.values(kind),
            missing: self.missing(),
        };
        if let (Some(least), Some(most)) = (rule.minimum, rule.maximum)
            && least > most
        {
            let span = self.value("max").map_or_else(|| self.span.clone(), Spanned::span);
            self.note(span, "`max` is below `min`".to_owned(), "write the greater of the two as `max`".to_owned());
        }
        kind.map(|_| rule)
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'t>>> {
        self.table.get(key)
    }

    fn note(&mut self, span: Range<usize>, message: String, hint: String) {
        self.problems.push(Problem { span, message, hint });
    }

    fn kind(&mut self) -> Option<ColumnKind> {
        let Some(value) = self.value("type") else {
            let message = format!("the column \"{}\" has no `type`", self.name);
            self.note(self.span.clone(), message, format!("add type = one of {}", KINDS.join(", ")));
            return None;
        };
        let format = self.format();
        let word = if let DeValue::String(word) = value.get_ref() { &**word } else { "" };
        let kind = match word {
            "number" => ColumnKind::Number,
            "boolean" => ColumnKind::Boolean,
            "category" => ColumnKind::Category,
            "date" => ColumnKind::Date(format.unwrap_or(DateFormat::Iso)),
            "text" => ColumnKind::Text,
            _ => {
                self.note(value.span(), "this is no `type`".to_owned(), format!("write one of {}", KINDS.join(", ")));
                return None;
            }
        };
        if !matches!(kind, ColumnKind::Date(_))
            && let Some(format) = self.value("format")
        {
            let hint = "remove it, or write type = \"date\"".to_owned();
            self.note(format.span(), "`format` is for dates".to_owned(), hint);
        }
        Some(kind)
    }

    fn format(&mut self) -> Option<DateFormat> {
        let value = self.value("format")?;
        let found = DateFormat::ALL
            .into_iter()
            .find(|format| matches!(value.get_ref(), DeValue::String(word) if **word == *format.word()));
        if found.is_none() {
            let words = DateFormat::ALL.map(DateFormat::word).join(", ");
            self.note(value.span(), "this is no `format` of dates".to_owned(), format!("write one of {words}"));
        }
        found
    }

    fn required(&mut self) -> bool {
        match self.value("required").map(|value| (value.get_ref(), value.span())) {
            None => true,
            Some((DeValue::Boolean(required), _)) => *required,
            Some((_, span)) => {
                self.note(
                    span,
                    "`required` must be true or false".to_owned(),
                    "for example required = true".to_owned(),
                );
                true
            }
        }
    }

    /// A number, or for dates a day.
    fn bound(&mut self, key: &'static str, kind: Option<ColumnKind>) -> Option<f64> {
        let value = self.value(key)?;
        let (bound, wanted) = match (kind?, value.get_ref()) {
            (ColumnKind::Number, DeValue::Integer(_) | DeValue::Float(_)) => (number(value.get_ref()), "a number"),
            (ColumnKind::Number, _) => (None, "a number"),
            (ColumnKind::Date(format), DeValue::String(text)) => {
                (format.days(text).or_else(|| DateFormat::Iso.days(text)), "a date such as \"2024-01-31\"")
            }
            (ColumnKind::Date(_), DeValue::Datetime(date)) => {
                (DateFormat::Iso.days(&date.to_string()), "a date such as \"2024-01-31\"")
            }
            (ColumnKind::Date(_), _) => (None, "a date such as \"2024-01-31\""),
            (ColumnKind::Boolean | ColumnKind::Category | ColumnKind::Text, _) => {
                let message = format!("`{key}` is for numbers and dates");
                self.note(value.span(), message, "remove it, or change `type`".to_owned());
                return None;
            }
        };
        if bound.is_none() {
            self.note(value.span(), format!("`{key}` must be {wanted}"), format!("write {wanted}, or remove `{key}`"));
        }
        bound
    }

    fn values(&mut self, kind: Option<ColumnKind>) -> BTreeSet<String> {
        let Some(value) = self.value("values") else { return BTreeSet::new() };
        if !matches!(kind, None | Some(ColumnKind::Category | ColumnKind::Text | ColumnKind::Boolean)) {
            let hint = "remove it, or write type = \"category\"".to_owned();
            self.note(value.span(), "`values` is for categories".to_owned(), hint);
            return BTreeSet::new();
        }
        let texts: Option<BTreeSet<String>> = match value.get_ref() {
            DeValue::Array(items) => items
                .iter()
                .map(|item| if let DeValue::String(text) = item.get_ref() { Some(text.to_string()) } else { None })
                .collect(),
            _ => None,
        };
        match texts {
            Some(texts) if !texts.is_empty() => texts,
            _ => {
                let message = "`values` must be an array of strings with something in it".to_owned();
                self.note(value.span(), message, "for example values = [\"red\", \"white\"]".to_owned());
                BTreeSet::new()
            }
        }
    }

    fn missing(&mut self) -> Option<f64> {
        let value = self.value("missing")?;
        let share = number(value.get_ref()).filter(|share| (0.0..=1.0).contains(share));
        if share.is_none() {
            let message = "`missing` must be a number from 0 to 1".to_owned();
            let hint = "for example missing = 0.05, if 5 % of the cells may have no value".to_owned();
            self.note(value.span(), message, hint);
        }
        share
    }
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let number: Option<f64> = match value {
        DeValue::Float(number) => number.as_str().parse().ok(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{DateFormat, parse};
    use crate::model::data::column::ColumnKind;

    fn errors(text: &str) -> String {
        parse(text, "data.toml").unwrap_err().to_string()
    }

    #[test]
    fn everything_that_may_be_said_is_read_in_the_order_of_the_file() {
        let text = "[columns.z]\ntype = \"number\"\nmin = 1\nmax = 2.5\nmissing = 0.1\n\
                    [columns.\"a b\"]\ntype = \"date\"\nformat = \"DD.MM.YYYY\"\nmin = 1970-01-02\nmax = \"03.01.1970\"\nrequired = false\n\
                    [columns.c]\ntype = \"category\"\nvalues = [\"red\", \"blue\"]\n";
        let contract = parse(text, "data.toml").unwrap();
        let names: Vec<&str> = contract.columns.iter().map(|rule| rule.name.as_str()).collect();
        assert_eq!(names, ["z", "a b", "c"]);
        let [z, a, c] = contract.columns.as_slice() else { unreachable!("three columns") };
        assert_eq!((z.kind, z.minimum, z.maximum, z.missing), (ColumnKind::Number, Some(1.0), Some(2.5), Some(0.1)));
        assert_eq!((a.kind, a.required), (ColumnKind::Date(DateFormat::Dotted), false));
        assert_eq!((a.minimum, a.maximum), (Some(1.0), Some(2.0)));
        assert!(c.required && c.values.contains("red") && c.values.len() == 2);
    }

    #[test]
    fn every_error_is_told_with_its_place_and_its_mend() {
        let text = "[columns.a]\ntyp = \"number\"\n[columns.b]\ntype = \"numbr\"\n[columns.c]\ntype = \"number\"\nmin = 3\nmax = 2\nvalues = [\"x\"]\n[columns.d]\ntype = \"text\"\nmissing = 7\nformat = \"YYYY-MM-DD\"\n[other]\nx = 1\n";
        insta::assert_snapshot!(errors(text));
    }

    #[test]
    fn broken_toml_is_told_by_line_and_column() {
        let told = errors("[columns.a]\ntype = number\n");
        assert!(told.starts_with("data.toml:2:8: "), "{told}");
    }

    #[test]
    fn an_empty_contract_demands_nothing() {
        assert!(parse("# nothing yet\n", "data.toml").unwrap().columns.is_empty());
    }
}
