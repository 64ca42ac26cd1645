//! What is made from the table of keys: the JSON schema, with which editors complete and check, and the reference in
//! the docs.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::keys::{Key, Presence, Section, Shape};

/// A duration as `duration.rs` reads it.
const DURATION_PATTERN: &str = r"^\s*([0-9]+\s*(d|h|ms|m|s)\s*)+$";

/// The JSON schema (draft 2020-12) of `trainyard.toml`.
pub fn schema() -> Value {
    let mut schema = table(&[Section::Root], &[]);
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!("trainyard.toml"));
    schema.insert("description".to_owned(), json!("The configuration of a trainyard project"));
    Value::Object(schema)
}

/// An object with the keys of `sections`, of which those in `hidden` are not allowed.
fn table(sections: &[Section], hidden: &[&str]) -> Map<String, Value> {
    let keys = || sections.iter().flat_map(|section| section.keys()).filter(|key| !hidden.contains(&key.name));
    let properties: Map<String, Value> = keys().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> =
        keys().filter(|key| matches!(key.presence, Presence::Required(_))).map(|key| key.name).collect();
    let mut object = Map::new();
    object.insert("type".to_owned(), json!("object"));
    object.insert("additionalProperties".to_owned(), json!(false));
    object.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

fn property(key: &Key) -> Value {
    let mut property = shape(key.shape);
    property.insert("description".to_owned(), json!(key.meaning));
    let sample = value_of(key.sample());
    match key.presence {
        Presence::Default(_) => property.insert("default".to_owned(), sample),
        Presence::Optional(_) | Presence::Required(_) => property.insert("examples".to_owned(), json!([sample])),
    };
    Value::Object(property)
}

fn shape(shape: Shape) -> Map<String, Value> {
    let text = || json!({ "type": "string" });
    let value = match shape {
        Shape::Text => text(),
        Shape::Texts | Shape::Globs | Shape::Words => json!({ "type": "array", "items": text() }),
        Shape::Boolean => json!({ "type": "boolean" }),
        Shape::Integer { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Share => json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }),
        Shape::Duration { .. } => json!({ "type": "string", "pattern": DURATION_PATTERN }),
        Shape::Choice { values, .. } => json!({ "type": "string", "enum": values }),
        Shape::Choices(values) => json!({ "type": "array", "items": { "type": "string", "enum": values } }),
        Shape::Variables => json!({ "type": "object", "additionalProperties": text() }),
        Shape::Table(section) => return table(&[section], &[]),
        Shape::Tables(section) => json!({ "type": "array", "items": Value::Object(table(&[section], &[])) }),
        Shape::Stages => stages(),
    };
    if let Value::Object(object) = value { object } else { Map::new() }
}

/// A stage is one of its kinds; which one is told by `uses`.
fn stages() -> Value {
    let kind = |section: Section, uses: Option<&str>| {
        // A stage with a command has no `uses`; in the others it names the kind.
        let mut object = table(&[Section::Stage, section], &["uses"]);
        object.insert("title".to_owned(), json!(section.title()));
        if let Some(uses) = uses {
            if let Some(Value::Object(properties)) = object.get_mut("properties") {
                properties.insert("uses".to_owned(), json!({ "const": uses }));
            }
            let required = object.entry("required").or_insert_with(|| json!([]));
            if let Value::Array(required) = required {
                required.push(json!("uses"));
            }
        }
        Value::Object(object)
    };
    json!({
        "type": "object",
        "minProperties": 1,
        "propertyNames": { "pattern": "^[A-Za-z0-9_-]{1,32}$" },
        "additionalProperties": {
            "oneOf": [
                kind(Section::Command, None),
                kind(Section::Train, Some("train")),
                kind(Section::Image, Some("image")),
                kind(Section::Deploy, Some("deploy")),
            ]
        }
    })
}

/// TOML text as JSON.
fn value_of(text: &str) -> Value {
    toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .and_then(|mut table| table.remove("value"))
        .and_then(|value| serde_json::to_value(value).ok())
        .unwrap_or_default()
}

/// The reference of all keys as Markdown: a heading and a table for each section.
pub fn reference() -> String {
    let mut text = String::new();
    for section in Section::ALL.iter().filter(|section| **section != Section::Root) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "## {}\n", heading(*section));
        text.push_str("| key | value | default | meaning |\n|---|---|---|---|\n");
        for key in section.keys() {
            let default = match key.presence {
                Presence::Default(default) => format!("`{default}`"),
                Presence::Optional(_) => "–".to_owned(),
                Presence::Required(_) => "required".to_owned(),
            };
            let _ = writeln!(text, "| `{}` | {} | {default} | {} |", key.name, kind(key), key.meaning);
        }
        text.push('\n');
    }
    text
}

fn heading(section: Section) -> String {
    let title = section.title();
    if title.starts_with('[') { format!("`{title}`") } else { title.to_owned() }
}

fn kind(key: &Key) -> String {
    match key.shape {
        Shape::Text => "string".to_owned(),
        Shape::Texts => "strings".to_owned(),
        Shape::Globs => "globs".to_owned(),
        Shape::Words => "program and arguments".to_owned(),
        Shape::Boolean => "`true` or `false`".to_owned(),
        Shape::Integer { least, most: i64::MAX } => format!("integer from {least}"),
        Shape::Integer { least, most } => format!("integer, {least} to {most}"),
        Shape::Number => "number".to_owned(),
        Shape::Share => "number between 0 and 1".to_owned(),
        Shape::Duration { .. } => "duration".to_owned(),
        Shape::Choice { values, .. } => words(values, ", "),
        Shape::Choices(values) => format!("some of {}", words(values, ", ")),
        Shape::Variables => "table of strings".to_owned(),
        Shape::Table(_) | Shape::Stages => "table".to_owned(),
        Shape::Tables(_) => "tables".to_owned(),
    }
}

fn words(values: &[&str], between: &str) -> String {
    values.iter().map(|value| format!("`\"{value}\"`")).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::KEYS;

    #[test]
    fn every_key_is_in_the_schema_and_in_the_reference() {
        let schema = schema().to_string();
        let reference = reference();
        for key in KEYS {
            assert!(schema.contains(&format!("\"{}\":", key.name)), "{} is not in the schema", key.name);
            if key.section != Section::Root {
                assert!(reference.contains(&format!("| `{}` |", key.name)), "{} is not in the reference", key.name);
            }
        }
    }

    #[test]
    fn the_schema_says_what_a_stage_may_be() {
        let schema = schema();
        let kinds = schema.pointer("/properties/stages/additionalProperties/oneOf").and_then(Value::as_array).unwrap();
        assert_eq!(kinds.len(), 4);
        assert_eq!(kinds[0].pointer("/properties/uses"), None);
        assert_eq!(kinds[1].pointer("/properties/uses/const"), Some(&json!("train")));
        assert_eq!(kinds[1].pointer("/required"), Some(&json!(["target", "uses"])));
        assert_eq!(schema.pointer("/required"), Some(&json!(["stages"])));
    }

    #[test]
    fn defaults_are_values_not_texts() {
        let schema = schema();
        assert_eq!(schema.pointer("/properties/source/properties/trigger/default"), Some(&json!("save")));
        assert_eq!(schema.pointer("/properties/data/properties/include/default"), Some(&json!(["*.csv"])));
    }
}
