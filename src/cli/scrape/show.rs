//! A judged page for people: a table of its metrics, or the refused line with a mark under the fault.

use std::io::{self, Write};

use unicode_width::UnicodeWidthChar;

use super::page::{Fault, Judged, Row};
use crate::cli::table::{print, terminal_width};
use crate::monitor::{METRIC_NAME, MetricKind};
use crate::pipeline::quantity::counted;

/// Characters of a refused line that are shown on each side of the fault.
const AROUND: usize = 60;

pub(super) fn people(judged: &Judged, out: &mut impl Write) -> io::Result<()> {
    match &judged.error {
        Some(fault) => refused(judged, fault, out)?,
        None => accepted(judged, out)?,
    }
    match &judged.unverified {
        Some(rows) if !rows.is_empty() => unverified(rows, out),
        Some(_) => writeln!(out, "\nunverified: nothing can be read of it even so"),
        None => Ok(()),
    }
}

fn accepted(judged: &Judged, out: &mut impl Write) -> io::Result<()> {
    let (samples, metrics) = (judged.samples.len(), judged.metrics.len());
    writeln!(out, "accepted: {} of {}", counted(samples, "sample"), counted(metrics, "metric"))?;
    if judged.duplicates > 0 {
        let left_out = counted(judged.duplicates, "sample");
        writeln!(out, "{left_out} left out, of a series that stands on the page twice; the first counts")?;
    }
    if judged.metrics.is_empty() {
        return Ok(());
    }
    let rows: Vec<[String; 4]> = judged
        .metrics
        .iter()
        .map(|(name, metric)| {
            let kind = match metric.metadata.kind {
                MetricKind::Unknown => String::new(),
                kind => kind.to_string(),
            };
            [name.clone(), kind, metric.samples.to_string(), metric.metadata.help.clone()]
        })
        .collect();
    print(["metric", "type", "samples", "help"], &rows, terminal_width(), out)
}

fn refused(judged: &Judged, fault: &Fault, out: &mut impl Write) -> io::Result<()> {
    let (Some(line), Some(column)) = (fault.line, fault.column) else {
        return writeln!(out, "refused: {}", fault.message);
    };
    writeln!(out, "refused, line {line}, column {column}: {}", fault.message)?;
    let Some(text) = &judged.line else { return Ok(()) };
    let (shown, mark) = excerpt(text, column);
    writeln!(out, "{line:>5} | {shown}")?;
    writeln!(out, "      | {mark}^")?;
    writeln!(out, "nothing of the page counts, as in Prometheus; `--lenient` shows what can be read of it")
}

fn unverified(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "\nunverified: {} could be read of the refused page, and may be wrong",
        counted(rows.len(), "sample")
    )?;
    for row in rows {
        let series = row.labels.with(METRIC_NAME, &row.name);
        writeln!(out, "? {series} {}", row.value)?;
    }
    Ok(())
}

/// The line around a column, and what stands before the mark under it.
fn excerpt(line: &str, column: usize) -> (String, String) {
    let before = column.saturating_sub(1);
    let start = before.saturating_sub(AROUND);
    let cut_before = if start > 0 { "…" } else { "" };
    let shown: String = line.chars().skip(start).take(before - start + AROUND).collect();
    let cut_behind = if line.chars().nth(before + AROUND).is_some() { "…" } else { "" };
    let mut mark = " ".repeat(cut_before.chars().count());
    for character in shown.chars().take(before - start) {
        // A tab stays a tab, so that the mark stands right however wide the terminal shows it.
        match character {
            '\t' => mark.push('\t'),
            other => mark.extend(std::iter::repeat_n(' ', other.width().unwrap_or(1))),
        }
    }
    (format!("{cut_before}{shown}{cut_behind}"), mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Format;

    fn shown(page: &str, lenient: bool) -> String {
        let mut out = Vec::new();
        people(&Judged::of_page(page, Format::Text, lenient), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_accepted_page_is_a_table_of_its_metrics() {
        let page = "# HELP a what it is\n# TYPE a counter\na{x=\"1\"} 1\na{x=\"1\"} 2\nb 1\n";
        assert_eq!(
            shown(page, false),
            "accepted: 2 samples of 2 metrics\n1 sample left out, of a series that stands on the page twice; the first \
             counts\nmetric  type     samples  help\na       counter  1        what it is\nb                1\n"
        );
        assert_eq!(shown("", false), "accepted: 0 samples of 0 metrics\n");
    }

    #[test]
    fn the_mark_stands_under_the_fault() {
        assert_eq!(excerpt("b{c=\"d\"} one", 10), ("b{c=\"d\"} one".to_owned(), " ".repeat(9)));
        assert_eq!(excerpt("a{b=\"한국\"} x", 11).1, " ".repeat(12));
        assert_eq!(excerpt("\ta x", 4).1, "\t  ");
        assert_eq!(excerpt("", 1), (String::new(), String::new()));
        let long = format!("{} x {}", "a".repeat(100), "b".repeat(100));
        let (line, mark) = excerpt(&long, 102);
        assert!(line.starts_with('…') && line.ends_with('…'), "{line}");
        assert_eq!(line.chars().nth(mark.len()), Some('x'));
    }

    #[test]
    fn what_is_unverified_is_marked_in_every_line() {
        let told = shown("a 1\nb one\n", true);
        assert!(told.starts_with("refused, line 2, column 3: "), "{told}");
        assert!(
            told.ends_with("unverified: 1 sample could be read of the refused page, and may be wrong\n? a 1\n"),
            "{told}"
        );
    }
}
