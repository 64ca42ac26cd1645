//! Series over time as a table: a row a moment, a column a series.
//!
//! Every moment of the range has its row, also those at which nothing was measured: who draws the table must not bridge a
//! gap that he cannot see. A cell without a value is empty.

use jiff::Timestamp;

use crate::pipeline::Moment;

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// What stands above it: its labels.
    pub header: String,
    /// Moments and values, in order.
    pub points: Vec<(Moment, f64)>,
}

/// How moments are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// `2026-11-28T17:29:00.000Z`
    Rfc3339,
    /// Milliseconds since the epoch.
    Milliseconds,
}

/// The moments from which to which, and how far apart, there are rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// The first.
    pub start: Moment,
    /// The last.
    pub end: Moment,
    /// Milliseconds from one to the next; zero makes one row.
    pub step: u64,
}

/// The table, in the form of RFC 4180.
pub fn table(rows: Rows, columns: &[Column], clock: Clock) -> Result<String, csv::Error> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let headers = columns.iter().map(|column| column.header.as_str());
    writer.write_record(std::iter::once("time").chain(headers))?;
    let mut values: Vec<_> = columns.iter().map(|column| column.points.iter().peekable()).collect();
    let mut at = rows.start;
    while at <= rows.end {
        writer.write_field(time(at, clock))?;
        for column in &mut values {
            while column.next_if(|(earlier, _)| *earlier < at).is_some() {}
            let value = column.next_if(|(found, _)| *found == at).map(|(_, value)| number(*value));
            writer.write_field(value.unwrap_or_default())?;
        }
        writer.write_record(None::<&[u8]>)?;
        if rows.step == 0 || at == at.plus(rows.step) {
            break;
        }
        at = at.plus(rows.step);
    }
    let bytes = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn time(at: Moment, clock: Clock) -> String {
    match clock {
        Clock::Milliseconds => at.0.to_string(),
        Clock::Rfc3339 => {
            Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |timestamp| format!("{timestamp:.3}"))
        }
    }
}

/// As Prometheus writes numbers.
fn number(value: f64) -> String {
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() };
    }
    value.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(start: i64, end: i64, step: u64) -> Rows {
        Rows { start: Moment(start), end: Moment(end), step }
    }

    fn column(header: &str, points: &[(i64, f64)]) -> Column {
        Column { header: header.to_owned(), points: points.iter().map(|(at, value)| (Moment(*at), *value)).collect() }
    }

    #[test]
    fn every_moment_has_a_row_and_what_was_not_measured_is_empty() {
        let columns = [
            column("a{b=\"c\",d=\"e\"}", &[(1_000, 1.0), (3_000, 0.5)]),
            column("b", &[(2_000, f64::INFINITY), (3_000, f64::NAN)]),
        ];
        assert_eq!(
            table(rows(1_000, 4_000, 1_000), &columns, Clock::Milliseconds).unwrap(),
            "time,\"a{b=\"\"c\"\",d=\"\"e\"\"}\",b\n1000,1,\n2000,,+Inf\n3000,0.5,NaN\n4000,,\n"
        );
    }

    #[test]
    fn moments_are_told_in_utc_with_their_milliseconds() {
        let told = table(rows(1_700_000_000_000, 1_700_000_000_000, 500), &[], Clock::Rfc3339).unwrap();
        assert_eq!(told, "time\n2023-11-14T22:13:20.000Z\n");
    }

    #[test]
    fn a_step_of_nothing_makes_one_row() {
        assert_eq!(table(rows(5, 9, 0), &[], Clock::Milliseconds).unwrap(), "time\n5\n");
    }
}
