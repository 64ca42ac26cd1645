//! Reads a JSON request by way of a tree of values, and says exactly what is wrong with it. `quick` is the shorter way for
//! what is right; this one judges.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::model::data::record::Record;
use crate::model::nearest;
use crate::model::server::refusal::{Reason, Refusal};
use crate::model::server::served::Served;
use crate::model::server::table::{Records, Shape, Table, owned};
use crate::model::server::tree;

/// The records of a body.
pub(in crate::model) fn read(served: &Served, body: &[u8], most: usize) -> Result<Records<'static>, Refusal> {
    let (shape, records) = match tree::read(body, most)? {
        Value::Array(items) => (Shape::List, objects(items)?),
        Value::Object(object) => from_object(served, object, most)?,
        _ => return Err(no_record()),
    };
    if records.is_empty() {
        return Err(Refusal::no_records());
    }
    if records.len() > most {
        return Err(Refusal::too_many(records.len(), most));
    }
    let mut table = Table::new(served.features().len());
    for cells in served.cells(&records)? {
        table.extend(cells.into_iter().map(owned));
    }
    Ok(Records { shape, table })
}

/// A model may have a feature that is called like one of the two words.
fn from_object(served: &Served, mut object: Record, most: usize) -> Result<(Shape, Vec<Record>), Refusal> {
    let is_word = |name: &str| served.place(name).is_none() && !served.ignores(name);
    if object.len() == 1 && is_word("records") && object.get("records").is_some_and(Value::is_array) {
        let Some(Value::Array(items)) = object.remove("records") else { return Err(no_record()) };
        return Ok((Shape::Records, objects(items)?));
    }
    if object.len() == 1 && is_word("columns") && object.get("columns").is_some_and(Value::is_object) {
        let Some(Value::Object(columns)) = object.remove("columns") else { return Err(no_record()) };
        return Ok((Shape::Columns, transposed(served, columns, most)?));
    }
    Ok((Shape::One, vec![object]))
}

fn no_record() -> Refusal {
    let hint = "send an object, a list of objects, {\"records\": [...]} or {\"columns\": {...}}";
    Refusal::unprocessable(Reason::WrongType, "the request is no record", hint)
}

fn objects(items: Vec<Value>) -> Result<Vec<Record>, Refusal> {
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| object(item).map_err(|refusal| refusal.in_record(index)))
        .collect()
}

pub(in crate::model) fn object(item: Value) -> Result<Record, Refusal> {
    match item {
        Value::Object(record) => Ok(record),
        _ => Err(Refusal::unprocessable(
            Reason::WrongType,
            "a record must be an object of column and value",
            "send {\"column\": value, ...}",
        )),
    }
}

/// Columns as records. All have the same number of values, and all are known: each record gets the name of each column, and
/// only those of the model have a length that nobody chose for this request.
fn transposed(served: &Served, columns: Map<String, Value>, most: usize) -> Result<Vec<Record>, Refusal> {
    let mut records: Vec<Record> = Vec::new();
    let mut first: Option<(String, usize)> = None;
    for (name, values) in columns {
        if served.place(&name).is_none() && !served.ignores(&name) {
            return Err(unknown_column(served, &name));
        }
        let Value::Array(values) = values else {
            let reason = format!("the column \"{name}\" must be a list of values");
            return Err(Refusal::unprocessable(Reason::WrongType, &reason, "send one value a record").of_field(&name));
        };
        let (other, rows) = first.get_or_insert_with(|| (name.clone(), values.len()));
        if *rows != values.len() {
            let found = values.len();
            let reason = format!("the column \"{name}\" has {found} values, the column \"{other}\" {rows}");
            let hint = "send equally many of each; null is a value that is not known";
            return Err(Refusal::unprocessable(Reason::WrongType, &reason, hint).of_field(&name));
        }
        if *rows > most {
            return Err(Refusal::too_many(*rows, most));
        }
        records.resize(*rows, Map::new());
        for (record, value) in records.iter_mut().zip(values) {
            record.insert(name.clone(), value);
        }
    }
    Ok(records)
}

/// A body that is no UTF-8, or a file that is no table.
pub(in crate::model) fn invalid_csv(reason: &str, hint: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, Reason::InvalidCsv, reason, hint)
}

/// A column or field that is none of the model's.
pub(in crate::model) fn unknown_column(served: &Served, name: &str) -> Refusal {
    let hint = nearest::hint(name, served.features().iter().map(|feature| feature.name.as_str()));
    let reason = format!("the column \"{name}\" is not one of the model's");
    Refusal::unprocessable(Reason::UnknownField, &reason, &hint).of_field(name)
}

#[cfg(test)]
mod tests {
    use super::{Reason, Refusal, Served, Shape, read};
    use crate::model::samples;

    fn refusal(body: &str) -> Refusal {
        read(&Served::new(samples::model()), body.as_bytes(), 3).unwrap_err()
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_place() {
        assert_eq!(refusal("{\"a\": ").status.as_u16(), 400);
        assert_eq!(refusal("[]").code, Reason::NoRecords);
        assert_eq!(refusal("{\"columns\": {}}").code, Reason::NoRecords);
        assert_eq!(refusal("[{}, 3]").record, Some(1));
        assert_eq!(refusal("7").code, Reason::WrongType);
        assert_eq!(refusal("[{}, {}, {}, {}]").status.as_u16(), 413);
    }

    #[test]
    fn a_number_as_text_is_refused_with_its_field_and_a_hint() {
        let refusal = refusal(r#"{"height": "6.5", "width": 3, "colour": "red"}"#);
        assert_eq!((refusal.field.as_deref(), refusal.code), (Some("height"), Reason::WrongType));
        assert!(refusal.reason.contains("the text \"6.5\"") && refusal.hint.contains("a number"), "{refusal:?}");
    }

    #[test]
    fn columns_of_unequal_length_are_refused_with_both() {
        let refusal = refusal(r#"{"columns": {"height": [1, 2], "width": [3]}}"#);
        assert_eq!(refusal.field.as_deref(), Some("width"));
        assert!(refusal.reason.contains("has 1 values, the column \"height\" 2"), "{refusal:?}");
        assert_eq!(
            super::read(&Served::new(samples::model()), b"{\"columns\": {\"height\": 1}}", 3).unwrap_err().code,
            Reason::WrongType
        );
    }

    #[test]
    fn an_unknown_column_is_refused_before_it_becomes_a_field_of_every_record() {
        let refusal = refusal(r#"{"columns": {"hight": [1, 2]}}"#);
        assert_eq!(
            (refusal.field.as_deref(), refusal.code, refusal.record),
            (Some("hight"), Reason::UnknownField, None)
        );
        let body = r#"{"columns": {"height": [1], "width": [2], "colour": [3], "kind": ["tall"]}}"#;
        assert_eq!(read(&Served::new(samples::model()), body.as_bytes(), 3).unwrap().table.len(), 1);
    }

    #[test]
    fn a_body_of_very_many_objects_is_refused_whatever_they_are() {
        let body = format!("{{\"height\": [{}]}}", vec!["{}"; 1000].join(","));
        assert_eq!(refusal(&body).status.as_u16(), 413);
    }

    #[test]
    fn an_unknown_category_and_a_boolean_are_read_here() {
        let body = r#"[{"height": 1, "width": null, "colour": "green"}, {"height": 1, "width": 2, "colour": true}]"#;
        let records = read(&Served::new(samples::model()), body.as_bytes(), 3).unwrap();
        assert_eq!((records.shape, records.table.len()), (Shape::List, 2));
    }
}
