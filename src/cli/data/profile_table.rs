//! A profile as a table: a line a column, with its spread drawn in blocks.

use std::io::{self, Write};

use crate::cli::table;
use crate::model::{ColumnProfile, NumberProfile, Profile, ValueCount, date_text};
use crate::pipeline::quantity::counted;

/// Heights of a bar, from the least to the greatest; a bin in which nothing lies has a dot.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const NOTHING: char = '·';
/// Values of a category that are named.
const NAMED: usize = 3;
/// Classes whose rows are told.
const CLASSES: usize = 12;

/// Prints it.
pub(super) fn print(profile: &Profile, width: Option<usize>, out: &mut impl Write) -> io::Result<()> {
    let equal = match profile.duplicates {
        0 => String::new(),
        duplicates => format!(", {duplicates} equal to an earlier one"),
    };
    let (files, rows) = (counted(profile.files.len(), "file"), counted(profile.rows, "row"));
    writeln!(out, "{files}, {rows}{equal}, {}", counted(profile.columns.len(), "column"))?;
    if !profile.balance.is_empty() {
        let classes = counts(&profile.balance, CLASSES, profile.rows);
        table::print_line(&format!("target \"{}\": {classes}", profile.target), width, out)?;
    }
    writeln!(out)?;
    let rows: Vec<[String; 8]> = profile.columns.iter().map(|column| row(column, profile.rows)).collect();
    let headings = ["COLUMN", "TYPE", "MISSING", "DISTINCT", "LEAST", "MEDIAN", "MOST", "SPREAD"];
    table::print(headings, &rows, width, out)?;
    if !profile.notes.is_empty() {
        writeln!(out)?;
    }
    for note in &profile.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(())
}

fn row(column: &ColumnProfile, rows: u64) -> [String; 8] {
    let kind = match column.format {
        Some(format) => format!("{} {}", column.kind, format.word()),
        None => column.kind.clone(),
    };
    let missing = if column.missing == 0 { String::new() } else { share(column.missing, rows) };
    let distinct = column.distinct.map_or(String::new(), |distinct| {
        if distinct.exact { distinct.count.to_string() } else { format!("more than {}", distinct.count) }
    });
    let [least, median, most] = bounds(column);
    let spread = match &column.numbers {
        Some(numbers) => blocks(&numbers.histogram),
        None => counts(&column.top, NAMED, rows),
    };
    [column.name.clone(), kind, missing, distinct, least, median, most, spread]
}

fn bounds(column: &ColumnProfile) -> [String; 3] {
    let Some(numbers) = &column.numbers else { return [String::new(), String::new(), String::new()] };
    let median = median(numbers);
    match &column.dates {
        Some((earliest, latest)) => [earliest.clone(), date_text(median.floor()), latest.clone()],
        None => [number(numbers.minimum), number(median), number(numbers.maximum)],
    }
}

/// The quantile in the middle.
fn median(numbers: &NumberProfile) -> f64 {
    numbers.quantiles.get(numbers.quantiles.len() / 2).copied().unwrap_or(numbers.mean)
}

/// Four digits behind the point at most, and no zeros at the end.
fn number(value: f64) -> String {
    let size = value.abs();
    if size > 0.0 && !(1e-4..1e12).contains(&size) {
        return format!("{value:.3e}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A share of the rows in percent, to one digit behind the point, without a float.
fn share(part: u64, whole: u64) -> String {
    let thousandths = u128::from(part) * 1000 / u128::from(whole.max(1));
    match thousandths {
        0 => "< 0.1 %".to_owned(),
        thousandths => format!("{}.{} %", thousandths / 10, thousandths % 10),
    }
}

fn counts(values: &[ValueCount], most: usize, rows: u64) -> String {
    let told: Vec<String> =
        values.iter().take(most).map(|count| format!("{} {}", count.value, share(count.rows, rows))).collect();
    let more = if values.len() > most { ", …" } else { "" };
    format!("{}{more}", told.join(", "))
}

fn blocks(histogram: &[u64]) -> String {
    let highest = u128::from(histogram.iter().copied().max().unwrap_or(0).max(1));
    let block = |count: u64| {
        let height = (u128::from(count) * 8).div_ceil(highest);
        let index = usize::try_from(height).unwrap_or(BLOCKS.len());
        index.checked_sub(1).and_then(|index| BLOCKS.get(index)).copied().unwrap_or(NOTHING)
    };
    histogram.iter().map(|count| block(*count)).collect()
}

#[cfg(test)]
mod tests {
    use super::{blocks, number, print, share};
    use crate::model::{Profile, read};

    #[test]
    fn a_profile_is_a_table_with_notes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("wine.csv");
        let rows: String = (0..60)
            .map(|row| {
                let colour = ["red", "white", "white"][row % 3];
                let fresh = if row % 7 == 0 { "" } else { ["yes", "no"][row % 2] };
                format!(
                    "{}.5,{colour},{fresh},2024-01-{:02},5,{}\n",
                    row * row % 97,
                    row % 28 + 1,
                    ["good", "bad"][row % 4 / 3]
                )
            })
            .collect();
        std::fs::write(&file, format!("acidity,colour,fresh,day,same,quality\n{rows}")).unwrap();
        let mut out = Vec::new();
        print(&Profile::of(&read(&[file]).unwrap(), "quality"), None, &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap());
    }

    #[test]
    fn figures_are_short() {
        assert_eq!([1.0, 0.25, -7.123_456, 0.0].map(number), ["1", "0.25", "-7.1235", "0"]);
        assert_eq!([1e-7, 2.5e15].map(number), ["1.000e-7", "2.500e15"]);
        assert_eq!(
            (share(1, 3).as_str(), share(1, 100_000).as_str(), share(2, 2).as_str()),
            ("33.3 %", "< 0.1 %", "100.0 %")
        );
    }

    #[test]
    fn a_bar_is_as_high_as_its_share_of_the_highest() {
        assert_eq!(blocks(&[0, 1, 8, 16]), "·▁▄█");
    }
}
