//! A JSON body as a tree of values, unless it holds more objects than requests do. In a tree, an object takes a hundred times
//! the bytes that it can be written with: a body within its limit could take more memory than there is.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::model::server::refusal::Refusal;

/// Objects for each record: more than any form of request has, so that what is wrong with the records is said by who knows.
const OBJECTS: usize = 4;

/// Reads a body of a request that may have so many records.
pub(in crate::model) fn read(body: &[u8], most: usize) -> Result<Value, Refusal> {
    let (mut objects, limit) = (0, most.saturating_mul(OBJECTS));
    let counted = Count { objects: &mut objects, limit }.deserialize(&mut serde_json::Deserializer::from_slice(body));
    if counted.is_err() && objects > limit {
        return Err(Refusal::too_many_objects(limit));
    }
    // What else is wrong is found again here, with its words.
    serde_json::from_slice(body).map_err(|error| Refusal::malformed(&error))
}

/// Counts objects, at any depth, and keeps nothing.
struct Count<'c> {
    objects: &'c mut usize,
    limit: usize,
}

impl<'de> DeserializeSeed<'de> for Count<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Count<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self { objects, limit } = self;
        while items.next_element_seed(Count { objects: &mut *objects, limit })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { objects, limit } = self;
        *objects += 1;
        if *objects > limit {
            return Err(A::Error::custom("too many objects"));
        }
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(Count { objects: &mut *objects, limit })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;

    #[test]
    fn a_body_of_more_objects_than_any_request_has_is_refused_before_it_is_kept() {
        let of = |objects: usize| format!("[{}]", vec!["{\"a\":[1,true,null]}"; objects].join(","));
        assert_eq!(read(of(12).as_bytes(), 3).unwrap().as_array().unwrap().len(), 12);
        let refusal = read(of(13).as_bytes(), 3).unwrap_err();
        assert!(refusal.status.as_u16() == 413 && refusal.reason.contains("12 objects"), "{refusal:?}");
        // However deep, and whatever comes after them.
        let deep = format!("{{\"a\": [[{}", of(13));
        assert_eq!(read(deep.as_bytes(), 3).unwrap_err().status.as_u16(), 413);
    }

    #[test]
    fn any_other_body_is_the_tree_that_it_is_or_malformed() {
        let body = r#"{"a": -1, "b": 2.5, "c": "text", "d": null, "e": false, "f": [{}]}"#;
        let tree = json!({"a": -1, "b": 2.5, "c": "text", "d": null, "e": false, "f": [{}]});
        assert_eq!(read(body.as_bytes(), 1).unwrap(), tree);
        for wrong in ["", "{\"a\": ", "[1] 2", "{\"a\": 1e999}"] {
            assert_eq!(read(wrong.as_bytes(), 1).unwrap_err().status.as_u16(), 400, "{wrong}");
        }
    }
}
