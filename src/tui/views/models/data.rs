//! The profile of the data from which a version learned: columns with small histograms, what is missing, how the classes are
//! balanced, what is odd.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::UNKNOWN;
use super::rows::{bar, dim, heading, sentence, share};
use crate::api::types::{DataProfile, ModelDetail, ProfiledColumn, ProfiledValue};
use crate::tui::app::Model;
use crate::tui::glyphs::Glyphs;
use crate::tui::quantity::{self, cell};
use crate::tui::widgets::facts;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::{cells as text_cells, padded, sanitize};

/// What is told of a column, in the order of [`cells`].
const COLUMNS: [Column; 8] = [
    Column { heading: "column", width: 16, fill: Fill::Left, rank: 0 },
    Column { heading: "kind", width: 8, fill: Fill::Left, rank: 2 },
    Column { heading: "missing", width: 7, fill: Fill::Right, rank: 0 },
    Column { heading: "distinct", width: 8, fill: Fill::Right, rank: 5 },
    Column { heading: "least", width: 10, fill: Fill::Right, rank: 3 },
    Column { heading: "mean", width: 8, fill: Fill::Right, rank: 4 },
    Column { heading: "most", width: 10, fill: Fill::Right, rank: 3 },
    Column { heading: "values", width: 20, fill: Fill::Rest, rank: 0 },
];
/// Classes beyond this many are counted.
const CLASSES: usize = 12;
/// Columns beyond this many are counted; a screen is no place for thousands.
const MOST_COLUMNS: usize = 500;
/// Cells of the name of a class and of its bar.
const CLASS: usize = 16;
const BAR: usize = 20;

/// The rows.
pub(super) fn rows(model: &Model, detail: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    let version = detail.summary.version;
    if !detail.has_profile {
        let text = "there is no profile of its data: a stage with `uses = \"train\"` writes one beside the model";
        return sentence(model, text, model.theme.dim, width);
    }
    let answer = model.models.profile(version);
    match answer.map(|answer| (answer.value.as_ref(), answer.error.as_ref())) {
        Some((Some(profile), _)) => of(model, profile, width),
        Some((None, Some(error))) => sentence(model, error, model.theme.bad, width),
        Some((None, None)) | None => vec![dim(model, &format!("asking the daemon for the data of model {version}"))],
    }
}

fn of(model: &Model, profile: &DataProfile, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let columns = u64::try_from(profile.columns.len()).unwrap_or(0);
    let style = if profile.duplicates > 0 { theme.warn } else { theme.dim };
    let counts = vec![
        (quantity::counted(profile.rows, "row"), theme.text),
        (quantity::counted(columns, "column"), theme.text),
        (quantity::counted(profile.duplicates, "duplicate row"), style),
    ];
    let mut rows = facts::in_detail(model, counts, width, usize::MAX);
    for note in &profile.notes {
        rows.extend(sentence(model, note, theme.warn, width));
    }
    rows.extend(balance(model, profile));
    let table = Table::fit(&columns_for(profile, width), width);
    rows.push(table.heading(theme.dim, model.glyphs.cut));
    for column in profile.columns.iter().take(MOST_COLUMNS) {
        let cells = cells(model, profile, column);
        // A histogram is no text that could be broken.
        match column.numbers {
            Some(_) => rows.push(table.row(&cells, model.glyphs.cut)),
            None => rows.extend(table.whole_row(model, &cells)),
        }
    }
    let more = profile.columns.len().saturating_sub(MOST_COLUMNS);
    if more > 0 {
        rows.push(dim(model, &format!("and {more} more columns; trainyard data profile tells of all")));
    }
    rows
}

/// The columns of the table, of which the first takes what the names need where there is room.
fn columns_for(profile: &DataProfile, width: usize) -> [Column; 8] {
    let longest = profile.columns.iter().take(MOST_COLUMNS).map(|column| text_cells(&sanitize(&column.name))).max();
    let [name, others @ ..] = COLUMNS;
    let [kind, missing, distinct, least, mean, most, values] = others;
    let needed: usize = others.iter().map(|column| column.width + 1).sum();
    let room = width.saturating_sub(needed).max(name.width);
    let name = Column { width: longest.unwrap_or(0).clamp(name.width, room), ..name };
    [name, kind, missing, distinct, least, mean, most, values]
}

/// The classes of the target, each with a bar.
fn balance(model: &Model, profile: &DataProfile) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let Some(most) = profile.balance.iter().map(|class| class.rows).max() else { return Vec::new() };
    let mut rows = vec![heading(model, &format!("classes of {}", sanitize(&profile.target)))];
    for class in profile.balance.iter().take(CLASSES) {
        let name = format!("{} ", padded(&sanitize(&class.value), CLASS, model.glyphs.cut));
        let part = quantity::percent(share(class.rows, profile.rows));
        let mut line = Line::from(Span::styled(name, theme.text));
        line.spans.extend(bar(model, share(class.rows, most), BAR));
        line.push_span(Span::styled(format!(" {} ({part})", quantity::count(class.rows)), theme.dim));
        rows.push(line);
    }
    let more = profile.balance.len().saturating_sub(CLASSES);
    if more > 0 {
        rows.push(dim(model, &format!("and {more} more")));
    }
    rows
}

fn cells(model: &Model, profile: &DataProfile, column: &ProfiledColumn) -> [(String, Style); 8] {
    let theme = &model.theme;
    let numbers = column.numbers.as_ref();
    let known = |text: Option<String>| text.unwrap_or_default();
    let is_target = column.name == profile.target;
    let missing_style = if column.missing > 0 { theme.warn } else { theme.dim };
    let missing = if column.missing > 0 { missing(column.missing, profile.rows) } else { "0".to_owned() };
    let distinct = column.distinct.map(|distinct| {
        let more = if distinct.exact { "" } else { "+" };
        format!("{}{more}", quantity::count(distinct.count))
    });
    let (least, most) = match (&column.dates, numbers) {
        (Some((first, last)), _) => (sanitize(first), sanitize(last)),
        (None, Some(numbers)) => (quantity::value(numbers.minimum), quantity::value(numbers.maximum)),
        (None, None) => (String::new(), String::new()),
    };
    // The mean of days since 1970 tells nobody anything.
    let mean = numbers.filter(|_| column.dates.is_none()).map(|numbers| quantity::value(numbers.mean));
    let values = match numbers {
        Some(numbers) => histogram(model.glyphs, &numbers.histogram),
        None if column.top.is_empty() => UNKNOWN.to_owned(),
        None => top(&column.top, profile.rows),
    };
    [
        (sanitize(&column.name), if is_target { theme.title } else { theme.text }),
        (sanitize(&column.kind), theme.dim),
        (missing, missing_style),
        (known(distinct), theme.dim),
        (least, theme.text),
        (known(mean), theme.text),
        (most, theme.text),
        (values, theme.series(0)),
    ]
}

/// The share that is missing; what is less than a percent is still something.
fn missing(missing: u64, rows: u64) -> String {
    let share = share(missing, rows);
    if share < 0.01 { "< 1%".to_owned() } else { quantity::percent(share) }
}

/// A cell for each bin; one in which nothing fell is blank.
fn histogram(glyphs: &Glyphs, bins: &[u64]) -> String {
    let most = bins.iter().copied().max().unwrap_or(0);
    let last = glyphs.levels.len() - 1;
    let sign = |bin: &u64| match bin {
        0 => " ",
        rows => {
            let level = cell(share(*rows, most) * 8.0, 8).saturating_sub(1).min(last);
            glyphs.levels.get(level).copied().unwrap_or(" ")
        }
    };
    bins.iter().map(sign).collect()
}

/// The most frequent values with their shares.
fn top(values: &[ProfiledValue], rows: u64) -> String {
    let told =
        values.iter().map(|value| format!("{} {}", sanitize(&value.value), quantity::percent(share(value.rows, rows))));
    told.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    #[test]
    fn a_histogram_tells_few_from_none() {
        let glyphs = fixtures::empty().glyphs;
        assert_eq!(histogram(glyphs, &[0, 1, 50, 100]), " ▁▄█");
        assert_eq!(histogram(glyphs, &[]), "");
        assert_eq!(histogram(glyphs, &[0, 0]), "  ");
        assert_eq!(missing(1, 1_000_000), "< 1%");
    }
}
