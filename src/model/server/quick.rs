//! Reads a JSON request straight into cells, without a tree of values between: the way of nearly all requests.
//!
//! It knows only what is right beyond doubt: each field there once, numbers as numbers, known categories as text. Of
//! anything else it says nothing, and `exact` reads the body again, accepts what can be accepted and words what cannot. So
//! there is one place that judges, and this one is only fast. That both read the same is held by a test over random
//! bodies.

use std::borrow::Cow;
use std::fmt;
use std::vec;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::model::data::cell::Cell;
use crate::model::data::column::ColumnKind;
use crate::model::learn::preprocess::{Encoding, Feature};
use crate::model::server::served::Served;
use crate::model::server::table::{Records, Shape, Table};

/// The records of a body of at most `most` records, if it is right beyond doubt.
pub(in crate::model) fn read<'s>(served: &'s Served, body: &[u8], most: usize) -> Option<Records<'s>> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let records = reader.deserialize_any(BodyVisitor { served, most }).ok()?;
    reader.end().ok()?;
    (1..=most).contains(&records.table.len()).then_some(records)
}

/// Nobody reads this: `exact` finds the words.
fn doubtful<E: Error>() -> E {
    E::custom("doubtful")
}

struct BodyVisitor<'s> {
    served: &'s Served,
    most: usize,
}

impl<'s, 'de> Visitor<'de> for BodyVisitor<'s> {
    type Value = Records<'s>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record, a list of records, records or columns")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Records<'s>, A::Error> {
        let table = list(self.served, self.most, items)?;
        Ok(Records { shape: Shape::List, table })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Records<'s>, A::Error> {
        let Self { served, most } = self;
        let first = map.next_key_seed(KeySeed { served, expected: 0 })?;
        let (shape, table) = match first {
            Some(Key::Records) => (Shape::Records, map.next_value_seed(ListSeed { served, most })?),
            Some(Key::Columns) => (Shape::Columns, map.next_value_seed(ColumnsSeed { served, most })?),
            first => {
                let mut filler = Filler::new(served);
                filler.fill(first, &mut map)?;
                return Ok(Records { shape: Shape::One, table: filler.table });
            }
        };
        match map.next_key::<IgnoredAny>()? {
            None => Ok(Records { shape, table }),
            Some(_) => Err(doubtful()),
        }
    }
}

/// A list of records.
struct ListSeed<'s> {
    served: &'s Served,
    most: usize,
}

impl<'s, 'de> DeserializeSeed<'de> for ListSeed<'s> {
    type Value = Table<'s>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Table<'s>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'s, 'de> Visitor<'de> for ListSeed<'s> {
    type Value = Table<'s>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Table<'s>, A::Error> {
        list(self.served, self.most, items)
    }
}

fn list<'s, 'de, A: SeqAccess<'de>>(served: &'s Served, most: usize, mut items: A) -> Result<Table<'s>, A::Error> {
    let mut filler = Filler::new(served);
    while items.next_element_seed(RecordSeed(&mut filler))?.is_some() {
        if filler.table.len() > most {
            return Err(doubtful());
        }
    }
    Ok(filler.table)
}

/// Fills a table record by record.
struct Filler<'s> {
    served: &'s Served,
    table: Table<'s>,
    /// Which fields of the present record were there.
    filled: Vec<bool>,
}

impl<'s> Filler<'s> {
    fn new(served: &'s Served) -> Self {
        let width = served.features().len();
        Self { served, table: Table::new(width), filled: vec![false; width] }
    }

    /// Reads a record whose first key was read already.
    fn fill<'de, A: MapAccess<'de>>(&mut self, first: Option<Key>, map: &mut A) -> Result<(), A::Error> {
        let served = self.served;
        let Self { table, filled, .. } = self;
        let cells = table.add_row();
        filled.fill(false);
        let (mut key, mut found) = (first, 0);
        while let Some(present) = key {
            let mut expected = 0;
            match present {
                Key::Feature(place) => {
                    let (Some(cell), Some(filled)) = (cells.get_mut(place), filled.get_mut(place)) else {
                        return Err(doubtful());
                    };
                    let feature = served.features().get(place).ok_or_else(doubtful::<A::Error>)?;
                    if std::mem::replace(filled, true) {
                        return Err(doubtful());
                    }
                    *cell = map.next_value_seed(CellSeed(feature))?;
                    found += 1;
                    expected = place + 1;
                }
                Key::Ignored => {
                    map.next_value::<IgnoredAny>()?;
                }
                Key::Records | Key::Columns | Key::Unknown => return Err(doubtful()),
            }
            key = map.next_key_seed(KeySeed { served, expected })?;
        }
        if found == served.features().len() { Ok(()) } else { Err(doubtful()) }
    }
}

struct RecordSeed<'f, 's>(&'f mut Filler<'s>);

impl<'de> DeserializeSeed<'de> for RecordSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RecordSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let first = map.next_key_seed(KeySeed { served: self.0.served, expected: 0 })?;
        self.0.fill(first, &mut map)
    }
}

/// What the name of a field means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Feature(usize),
    Ignored,
    Records,
    Columns,
    Unknown,
}

/// Looks a name up; clients nearly always send fields in the order of the features, so the expected one is tried first.
struct KeySeed<'s> {
    served: &'s Served,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Key, E> {
        let served = self.served;
        if served.features().get(self.expected).is_some_and(|feature| feature.name == name) {
            return Ok(Key::Feature(self.expected));
        }
        Ok(match served.place(name) {
            Some(place) => Key::Feature(place),
            None if served.ignores(name) => Key::Ignored,
            None if name == "records" => Key::Records,
            None if name == "columns" => Key::Columns,
            None => Key::Unknown,
        })
    }
}

/// A value of a feature.
struct CellSeed<'s>(&'s Feature);

impl<'s, 'de> DeserializeSeed<'de> for CellSeed<'s> {
    type Value = Cell<'s>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell<'s>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'s> CellSeed<'s> {
    fn number<E: Error>(&self, number: Option<f64>) -> Result<Cell<'s>, E> {
        match (&self.0.encoding, number) {
            // A bare number is no date.
            (Encoding::Numeric { .. }, Some(number)) if !matches!(self.0.kind, ColumnKind::Date(_)) => {
                Ok(Cell::Number(number))
            }
            _ => Err(doubtful()),
        }
    }
}

impl<'s> Visitor<'_> for CellSeed<'s> {
    type Value = Cell<'s>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Cell<'s>, E> {
        Ok(Cell::Missing)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Cell<'s>, E> {
        self.number(Some(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Cell<'s>, E> {
        self.number(serde_json::Number::from(number).as_f64())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Cell<'s>, E> {
        self.number(serde_json::Number::from(number).as_f64())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cell<'s>, E> {
        let Encoding::Categorical { categories, .. } = &self.0.encoding else { return Err(doubtful()) };
        let known = categories.binary_search_by(|category| category.as_str().cmp(text)).ok();
        let category = known.and_then(|place| categories.get(place)).ok_or_else(doubtful::<E>)?;
        Ok(Cell::Text(Cow::Borrowed(category.as_str())))
    }
}

/// Columns by name.
struct ColumnsSeed<'s> {
    served: &'s Served,
    most: usize,
}

impl<'s, 'de> DeserializeSeed<'de> for ColumnsSeed<'s> {
    type Value = Table<'s>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Table<'s>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'s, 'de> Visitor<'de> for ColumnsSeed<'s> {
    type Value = Table<'s>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("columns by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table<'s>, A::Error> {
        let Self { served, most } = self;
        let features = served.features();
        let mut columns: Vec<Option<Vec<Cell<'s>>>> = features.iter().map(|_| None).collect();
        let mut expected = 0;
        while let Some(key) = map.next_key_seed(KeySeed { served, expected })? {
            let Key::Feature(place) = key else { return Err(doubtful()) };
            let feature = features.get(place).ok_or_else(doubtful::<A::Error>)?;
            let column = columns.get_mut(place).filter(|column| column.is_none()).ok_or_else(doubtful::<A::Error>)?;
            *column = Some(map.next_value_seed(ColumnSeed { feature, most })?);
            expected = place + 1;
        }
        let columns: Vec<Vec<Cell<'s>>> =
            columns.into_iter().collect::<Option<_>>().ok_or_else(doubtful::<A::Error>)?;
        let rows = columns.first().map_or(0, Vec::len);
        if columns.iter().any(|column| column.len() != rows) {
            return Err(doubtful());
        }
        let mut table = Table::new(features.len());
        let mut columns: Vec<vec::IntoIter<Cell<'s>>> = columns.into_iter().map(Vec::into_iter).collect();
        for _ in 0..rows {
            table.extend(columns.iter_mut().filter_map(Iterator::next));
        }
        Ok(table)
    }
}

/// The values of one column.
struct ColumnSeed<'s> {
    feature: &'s Feature,
    most: usize,
}

impl<'s, 'de> DeserializeSeed<'de> for ColumnSeed<'s> {
    type Value = Vec<Cell<'s>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Cell<'s>>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'s, 'de> Visitor<'de> for ColumnSeed<'s> {
    type Value = Vec<Cell<'s>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<Cell<'s>>, A::Error> {
        let mut column = Vec::new();
        while let Some(cell) = items.next_element_seed(CellSeed(self.feature))? {
            column.push(cell);
            if column.len() > self.most {
                return Err(doubtful());
            }
        }
        Ok(column)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{Served, Shape, read};
    use crate::model::samples;
    use crate::model::server::exact;

    const MOST: usize = 20;

    fn served() -> Served {
        Served::new(samples::model())
    }

    #[test]
    fn what_is_right_is_read_in_every_shape() {
        let served = served();
        let (one, other) = (json!(samples::record(0)), json!(samples::record(1)));
        let columns = json!({"columns": {"height": [1, 2.5], "width": [null, 2], "colour": ["red", "blue"]}});
        for (body, shape, rows) in [
            (one.clone(), Shape::One, 1),
            (json!([one, other]), Shape::List, 2),
            (json!({"records": [one]}), Shape::Records, 1),
            (columns, Shape::Columns, 2),
        ] {
            let text = body.to_string();
            let records = read(&served, text.as_bytes(), MOST).unwrap_or_else(|| panic!("{text} is not read"));
            assert_eq!((records.shape, records.table.len()), (shape, rows), "{text}");
        }
    }

    #[test]
    fn of_what_is_doubtful_nothing_is_said() {
        let served = served();
        for body in [
            r#"{"height": 1, "width": 2}"#,
            r#"{"height": 1, "width": 2, "colour": "green"}"#,
            r#"{"height": "1", "width": 2, "colour": "red"}"#,
            r#"{"height": 1, "height": 1, "width": 2, "colour": "red"}"#,
            r#"{"height": 1, "width": 2, "colour": "red", "more": 1}"#,
            r#"{"columns": {"height": [1], "width": [2, 3], "colour": ["red"]}}"#,
            r#"{"records": [], "more": 1}"#,
            "[]",
            "[1]",
            "{} {}",
            "",
        ] {
            assert_eq!(read(&served, body.as_bytes(), MOST), None, "{body}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            4 => (-5.0_f64..9.0).prop_map(|number| json!(number)),
            2 => any::<i64>().prop_map(|number| json!(number)),
            1 => any::<u64>().prop_map(|number| json!(number)),
            4 => colour(),
            1 => prop::sample::select(vec!["", "NA", "gr\u{fc}n", "1", "\"\\\n"]).prop_map(|text| json!(text)),
            1 => Just(Value::Null),
            1 => any::<bool>().prop_map(|truth| json!(truth)),
            1 => Just(json!([1])),
            1 => Just(json!({"a": 1})),
        ]
    }

    fn colour() -> impl Strategy<Value = Value> {
        prop::sample::select(vec!["red", "white", "blue"]).prop_map(|text| json!(text))
    }

    fn record() -> impl Strategy<Value = Value> {
        let names = prop::sample::select(vec!["height", "width", "colour", "height", "width", "colour", "kind", "x"]);
        let right = (-5.0_f64..9.0, any::<i32>(), colour())
            .prop_map(|(height, width, colour)| json!({"height": height, "width": width, "colour": colour}));
        let other = prop::collection::vec((names, value()), 0..6).prop_map(|fields| {
            Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        });
        prop_oneof![3 => right, 2 => other]
    }

    fn body() -> impl Strategy<Value = Value> {
        let columns = prop::collection::vec(prop::collection::vec(value(), 0..4), 3).prop_map(|columns| {
            let named: serde_json::Map<String, Value> = ["height", "width", "colour"]
                .map(str::to_owned)
                .into_iter()
                .zip(columns.into_iter().map(Value::from))
                .collect();
            json!({"columns": named})
        });
        prop_oneof![
            record(),
            prop::collection::vec(record(), 0..4).prop_map(Value::from),
            prop::collection::vec(record(), 0..4).prop_map(|records| json!({"records": records})),
            columns,
            value(),
        ]
    }

    proptest! {
        /// Whatever is read quickly is read by the exact way too, and is the same.
        #[test]
        fn the_quick_way_reads_what_the_exact_one_reads(body in body()) {
            let served = served();
            let text = body.to_string();
            if let Some(quick) = read(&served, text.as_bytes(), MOST) {
                let exact = exact::read(&served, text.as_bytes(), MOST);
                prop_assert_eq!(exact.ok(), Some(quick), "{}", text);
            }
        }
    }
}
