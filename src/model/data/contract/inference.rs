//! A contract inferred from data that was good, as commented TOML.
//!
//! Types, formats of dates and columns are written so that they hold at once. What would narrow by accident stands there
//! as a comment: ranges, the values of a category, the share of missing cells.

use std::fmt::Write as _;

use crate::model::data::column::{Column, ColumnKind, Values};
use crate::model::data::dataset::DataSet;
use crate::model::data::date::{DateFormat, date_text};
use crate::model::number::share;

/// Categories up to this many are written down.
const FEW: usize = 20;
/// A second, in days.
const SECOND: f64 = 1.0 / 86_400.0;

const HEAD: &str = "\
# The data contract: what a data file must hold. A file that breaks it is held back, with line, column and value, and does
# not reach training; `trainyard data check FILE` says the same by hand. This file was inferred from data and is yours:
# edit it and commit it. It is read again as soon as it is saved.
#
# type      number, boolean, category, date or text
# format    how dates are written, such as \"DD.MM.YYYY\"
# required  whether a file without the column is held back
# min, max  of numbers and dates
# values    the only ones that may be there
# missing   the share of the cells that may have no value, from 0 to 1
#
# Take the `# ` away from a line to have it hold.
";

/// The contract that `data` keeps.
pub fn render(data: &DataSet) -> String {
    let mut text = HEAD.to_owned();
    for column in &data.columns {
        render_column(&mut text, column, data.rows());
    }
    text
}

fn render_column(text: &mut String, column: &Column, rows: usize) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n[columns.{}]", key(&column.name));
    // An empty column may turn out to be anything.
    let kind = if column.missing == rows { ColumnKind::Text } else { column.kind };
    let _ = writeln!(text, "type = \"{}\"", kind.word());
    if let ColumnKind::Date(format) = kind {
        let _ = writeln!(text, "format = \"{}\"", format.word());
    }
    let _ = writeln!(text, "required = true");
    match &column.values {
        Values::Numeric(numbers) => {
            let present = || numbers.iter().copied().filter(|number| !number.is_nan());
            if let (Some(least), Some(most)) = (present().reduce(f64::min), present().reduce(f64::max)) {
                let told = |bound: f64, wider: f64| match kind {
                    ColumnKind::Date(_) => format!("\"{}\"", moment(bound, wider)),
                    _ => format!("{bound:?}"),
                };
                let _ = writeln!(text, "# min = {}\n# max = {}", told(least, -SECOND), told(most, SECOND));
            }
        }
        Values::Categorical { categories, .. } if categories.len() <= FEW && kind == ColumnKind::Category => {
            let listed: Vec<String> = categories.iter().map(|category| quoted(category)).collect();
            let _ = writeln!(text, "# values = [{}]", listed.join(", "));
        }
        Values::Categorical { .. } | Values::Text => {}
    }
    let missing = share(column.missing, rows);
    // Rounded up, so that the data it was inferred from would keep it.
    let _ = writeln!(text, "# missing = {:?}", (missing * 1000.0).ceil() / 1000.0);
}

/// A moment as a bound. It is told in whole seconds; one between two of them is moved by `wider`, so that it narrows nothing.
fn moment(days: f64, wider: f64) -> String {
    let text = date_text(days);
    let is_narrower = DateFormat::Iso.days(&text).is_some_and(|told| (told - days) * wider < 0.0);
    if is_narrower { date_text(days + wider) } else { text }
}

/// The name of a column as a key.
fn key(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '-');
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A basic string of TOML, on one line whatever is in it.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            letter if letter.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::render;
    use crate::model::data::contract::{check, parse};
    use crate::model::data::dataset::read;
    use crate::model::samples::Folder;

    const TEXT: &str = "id,\"fixed \"\"acidity\"\"\",colour,fresh,day,empty\n1,0.5,red,yes,31.01.2024,\n2,,white,no,01.02.2024,\n3,7,red,,,\n";

    #[test]
    fn what_is_inferred_is_commented_and_narrows_nothing() {
        let data = read(&[Folder::new().write("a.csv", TEXT)]).unwrap();
        insta::assert_snapshot!(render(&data));
    }

    #[test]
    fn data_keeps_the_contract_that_was_inferred_from_it_also_when_every_comment_holds() {
        let folder = Folder::new();
        let file = folder.write("a.csv", TEXT);
        let contract = render(&read(std::slice::from_ref(&file)).unwrap());
        let switched_on: String = contract
            .lines()
            .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ")).unwrap_or(line).to_owned() + "\n")
            .collect();
        assert_ne!(contract, switched_on);
        for text in [contract, switched_on] {
            let contract = parse(&text, "data.toml").unwrap();
            assert_eq!(contract.columns.len(), 6);
            let checked = check(&file, &contract).unwrap();
            assert!(checked.is_kept(), "{checked:?}");
        }
    }

    #[test]
    fn moments_between_two_seconds_keep_the_bounds_that_are_inferred_from_them() {
        let folder = Folder::new();
        let file = folder.write("a.csv", "at\n2024-01-01T10:00:00.7\n2024-01-02T10:00:00.4\n");
        let contract = render(&read(std::slice::from_ref(&file)).unwrap());
        let bounds = "# min = \"2024-01-01T10:00:00\"\n# max = \"2024-01-02T10:00:01\"\n";
        assert!(contract.contains(bounds), "{contract}");
        let contract = parse(&contract.replace(bounds, &bounds.replace("# ", "")), "data.toml").unwrap();
        let checked = check(&file, &contract).unwrap();
        assert!(checked.is_kept(), "{checked:?}");
    }

    proptest! {
        #[test]
        fn a_column_of_any_name_and_any_cells_keeps_its_own_contract(
            name in "\\PC{1,12}",
            cells in prop::collection::vec("[0-9a-z./: -]{0,12}", 1..12),
        ) {
            prop_assume!(!name.trim().is_empty());
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record([name.trim(), "other column"]).unwrap();
            for cell in &cells {
                writer.write_record([cell.as_str(), "1"]).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let folder = Folder::new();
            let file = folder.write("a.csv", &text);
            if let Ok(data) = read(std::slice::from_ref(&file)) {
                let contract = parse(&render(&data), "data.toml").unwrap();
                prop_assert!(check(&file, &contract).unwrap().is_kept());
            }
        }
    }
}
