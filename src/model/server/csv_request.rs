//! Reads a request in CSV: a header line with the names of the columns, then one record a line.
//!
//! As in JSON, every column of the model must be there, and one that is not known is refused; unlike there, everything is
//! text, so a cell is read as `trainyard predict` reads one of a file.

use std::collections::BTreeMap;

use crate::model::data::record::FieldProblem;
use crate::model::server::exact::{invalid_csv, unknown_column};
use crate::model::server::refusal::Refusal;
use crate::model::server::served::Served;
use crate::model::server::table::{Records, Shape, Table, owned};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The records of a body.
pub(in crate::model) fn read(served: &Served, body: &[u8], most: usize) -> Result<Records<'static>, Refusal> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(body))
        // Ragged rows are refused here, in words of our own.
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(body);
    let header = reader.headers().map_err(|error| not_csv(&error))?.clone();
    let places = places(served, &header)?;
    let mut table = Table::new(served.features().len());
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| not_csv(&error))? {
        let index = table.len();
        if index == most {
            return Err(Refusal::too_many(index + 1, most));
        }
        if row.len() != header.len() {
            let reason = format!("the row has {} cells, the header {} columns", row.len(), header.len());
            return Err(invalid_csv(&reason, "mend the row").in_record(index));
        }
        let cells = table.add_row();
        for (place, cell) in cells.iter_mut().enumerate() {
            let text = places.get(place).and_then(|column| row.get(*column)).unwrap_or_default();
            let read = served.cell_of_text(place, text).map_err(|problem| Refusal::from(problem).in_record(index))?;
            *cell = owned(read);
        }
    }
    if table.len() == 0 { Err(Refusal::no_records()) } else { Ok(Records { shape: Shape::Records, table }) }
}

/// The column of each feature.
fn places(served: &Served, header: &csv::StringRecord) -> Result<Vec<usize>, Refusal> {
    let mut columns = BTreeMap::new();
    for (column, name) in header.iter().enumerate() {
        if columns.insert(name, column).is_some() {
            let reason = format!("the column \"{name}\" is there twice");
            return Err(invalid_csv(&reason, "give each column its own name").of_field(name));
        }
    }
    if let Some(unknown) = header.iter().find(|name| served.place(name).is_none() && !served.ignores(name)) {
        return Err(unknown_column(served, unknown));
    }
    let features = served.features().iter();
    features
        .map(|feature| {
            let missing = || FieldProblem::Missing { field: feature.name.clone() };
            columns.get(feature.name.as_str()).copied().ok_or_else(|| Refusal::from(missing()))
        })
        .collect()
}

fn not_csv(error: &csv::Error) -> Refusal {
    invalid_csv(&format!("the body is not valid CSV: {error}"), "send UTF-8 text with a header line")
}

/// The most frequent delimiter of the first line; a comma when there is none.
fn delimiter(body: &[u8]) -> u8 {
    let line = body.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |delimiter: u8| memchr::memchr_iter(delimiter, line).count();
    // The first of equals must win, and `max_by_key` returns the last: hence the reversal.
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| count(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::{Refusal, Served, read};
    use crate::model::data::cell::Cell;
    use crate::model::samples;
    use crate::model::server::refusal::Reason;

    fn served() -> Served {
        Served::new(samples::model())
    }

    fn refusal(body: &str) -> Refusal {
        read(&served(), body.as_bytes(), 3).unwrap_err()
    }

    #[test]
    fn columns_come_in_any_order_and_with_any_usual_delimiter() {
        let body = "\u{feff}colour;height;width;kind\r\nred; 2,5;1;\r\n".replace("2,5", "2.5");
        let records = read(&served(), body.as_bytes(), 3).unwrap();
        let rows: Vec<&[Cell<'_>]> = records.table.rows().collect();
        assert_eq!(rows, [[Cell::Number(2.5), Cell::Number(1.0), Cell::Text("red".into())]]);
    }

    /// Name by name beside all others, these would take minutes.
    #[test]
    fn a_header_of_very_many_columns_is_refused_by_its_first_unknown_one() {
        let names: Vec<String> = (0..300_000).map(|number| format!("c{number}")).collect();
        let wrong = refusal(&format!("{}\n", names.join(",")));
        assert_eq!((wrong.code, wrong.field.as_deref()), (Reason::UnknownField, Some("c0")));
    }

    #[test]
    fn what_is_wrong_is_named_by_record_and_column() {
        let wrong = refusal("height,width,colour\n1,2,red\n1,many,red\n");
        assert_eq!((wrong.record, wrong.field.as_deref(), wrong.code), (Some(1), Some("width"), Reason::WrongType));
        assert_eq!(refusal("height,width\n1,2\n").field.as_deref(), Some("colour"));
        assert!(refusal("hight,width,colour\n1,2,red\n").hint.contains("\"height\""));
        assert_eq!(refusal("height,width,colour\n1,2\n").record, Some(0));
        assert_eq!(refusal("height,width,colour\n").code, Reason::NoRecords);
        assert_eq!(refusal("height,height\n").code, Reason::InvalidCsv);
        assert_eq!(refusal("x,height,x\n").field.as_deref(), Some("x"));
        assert_eq!(refusal("height,width,colour\n1,2,red\n1,2,red\n1,2,red\n1,2,red\n").status.as_u16(), 413);
        assert_eq!(read(&served(), b"height,width,colour\n1,2,\xff\n", 3).unwrap_err().code, Reason::InvalidCsv);
    }
}
