//! What is made from the table of keys: the JSON schema, with which editors complete and check, and the reference in
//! the docs.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::engine_values::PROCESSORS;
use super::keys::{Key, Presence, Section, Shape};
use super::memory;

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
        Shape::YesOrNames => json!({ "oneOf": [
            { "type": "boolean" },
            { "type": "array", "items": { "type": "string", "pattern": r"\S" }, "minItems": 1 }
        ] }),
        Shape::Integer { least, most } => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Shape::Number => json!({ "type": "number" }),
        Shape::Pair => json!({ "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 }),
        Shape::Share => json!({ "type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1 }),
        Shape::Processors => json!({ "type": "number", "minimum": PROCESSORS.0, "maximum": PROCESSORS.1 }),
        Shape::Memory => json!({ "type": "string", "pattern": memory::PATTERN }),
        Shape::Duration { .. } => json!({ "type": "string", "pattern": DURATION_PATTERN }),
        Shape::Choice { values, .. } => json!({ "type": "string", "enum": values }),
        Shape::Choices(values) => json!({ "type": "array", "items": { "type": "string", "enum": values } }),
        Shape::Variables | Shape::Secrets => json!({ "type": "object", "additionalProperties": text() }),
        Shape::TextOrSecret => text_or_secret(),
        Shape::TextsOrSecrets => json!({ "type": "object", "additionalProperties": text_or_secret() }),
        Shape::Table(section) => return table(&[section], &[]),
        Shape::WordOrTable { words, section } => {
            json!({ "oneOf": [{ "type": "string", "enum": words }, Value::Object(table(&[section], &[]))] })
        }
        Shape::Tables(section) => json!({ "type": "array", "items": Value::Object(table(&[section], &[])) }),
        Shape::Stages => stages(),
    };
    if let Value::Object(object) = value { object } else { Map::new() }
}

/// A string, or where it comes from.
fn text_or_secret() -> Value {
    let from = |key: &str| {
        let properties = Map::from_iter([(key.to_owned(), json!({ "type": "string" }))]);
        json!({ "type": "object", "additionalProperties": false, "required": [key], "properties": properties })
    };
    json!({ "oneOf": [{ "type": "string" }, from("env"), from("file")] })
}

/// One kind of stage, told from the others by what some of its keys say.
struct Kind {
    sections: &'static [Section],
    /// Keys of these sections that it does not have.
    hidden: &'static [&'static str],
    /// Keys that have one value here, and whether they must be written.
    fixed: &'static [(&'static str, &'static str, bool)],
    /// Keys that must be written here, though not elsewhere.
    required: &'static [&'static str],
}

/// A stage with a command has no `uses`; in the others it names the kind. Images are built and releases are deployed on
/// this machine.
const KINDS: &[Kind] = &[
    Kind { sections: &[Section::Stage, Section::Command], hidden: &["uses"], fixed: &[], required: &[] },
    Kind { sections: &[Section::Stage, Section::Train], hidden: &[], fixed: &[("uses", "train", true)], required: &[] },
    Kind {
        sections: &[Section::Stage, Section::Image],
        hidden: &["container", "dockerfile"],
        fixed: &[("uses", "image", true), ("runner", "local", false)],
        required: &[],
    },
    Kind {
        sections: &[Section::Stage, Section::Image, Section::Dockerfile],
        hidden: &["container", "include", "site"],
        fixed: &[("uses", "image", true), ("runner", "local", false)],
        required: &["dockerfile"],
    },
    Kind {
        sections: &[Section::Stage, Section::Deploy],
        hidden: &["container"],
        fixed: &[("uses", "deploy", true), ("runner", "local", false), ("target", "process", false)],
        required: &[],
    },
    Kind {
        sections: &[Section::Stage, Section::Deploy, Section::Contained, Section::Docker],
        hidden: &["container"],
        fixed: &[("uses", "deploy", true), ("runner", "local", false), ("target", "docker", true)],
        required: &[],
    },
    Kind {
        sections: &[Section::Stage, Section::Deploy, Section::Contained, Section::Kubernetes],
        hidden: &["container"],
        fixed: &[("uses", "deploy", true), ("runner", "local", false), ("target", "kubernetes", true)],
        required: &[],
    },
];

impl Kind {
    fn schema(&self) -> Value {
        let mut object = table(self.sections, self.hidden);
        let title = self.sections.last().map(|section| section.title());
        object.insert("title".to_owned(), json!(title));
        if let Some(Value::Object(properties)) = object.get_mut("properties") {
            for (key, value, _) in self.fixed {
                properties.insert((*key).to_owned(), json!({ "const": value }));
            }
        }
        let written = self.fixed.iter().filter(|(_, _, is_required)| *is_required).map(|(key, _, _)| *key);
        let further: Vec<&str> = written.chain(self.required.iter().copied()).collect();
        if !further.is_empty()
            && let Value::Array(required) = object.entry("required").or_insert_with(|| json!([]))
        {
            required.extend(further.into_iter().map(|key| json!(key)));
        }
        Value::Object(object)
    }
}

fn stages() -> Value {
    json!({
        "type": "object",
        "minProperties": 1,
        "propertyNames": { "pattern": "^[A-Za-z0-9_-]{1,32}$" },
        "additionalProperties": {
            "oneOf": KINDS.iter().map(Kind::schema).collect::<Vec<_>>()
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
        Shape::YesOrNames => "`true`, `false` or names".to_owned(),
        Shape::Integer { least, most: i64::MAX } => format!("integer from {least}"),
        Shape::Integer { least, most } => format!("integer, {least} to {most}"),
        Shape::Number => "number".to_owned(),
        Shape::Pair => "two numbers".to_owned(),
        Shape::Share => "number between 0 and 1".to_owned(),
        Shape::Processors => format!("number, {} to {}", PROCESSORS.0, PROCESSORS.1),
        Shape::Memory => "amount of memory".to_owned(),
        Shape::Duration { .. } => "duration".to_owned(),
        Shape::Choice { values, .. } => words(values, ", "),
        Shape::Choices(values) => format!("some of {}", words(values, ", ")),
        Shape::Variables | Shape::Secrets => "table of strings".to_owned(),
        Shape::TextOrSecret => "string, or where it comes from".to_owned(),
        Shape::TextsOrSecrets => "table of strings, or of where they come from".to_owned(),
        Shape::Table(_) | Shape::Stages => "table".to_owned(),
        Shape::WordOrTable { words: choice, .. } => format!("{}, or a table", words(choice, ", ")),
        Shape::Tables(_) => "tables".to_owned(),
    }
}

fn words(values: &[&str], between: &str) -> String {
    values.iter().map(|value| format!("`\"{value}\"`")).collect::<Vec<_>>().join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_the_schema_and_in_the_reference() {
        let schema = schema().to_string();
        let reference = reference();
        for key in Key::all() {
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
        assert_eq!(kinds.len(), 7);
        assert_eq!(kinds[0].pointer("/properties/uses"), None);
        assert_eq!(kinds[1].pointer("/properties/uses/const"), Some(&json!("train")));
        assert_eq!(kinds[1].pointer("/required"), Some(&json!(["target", "uses"])));
        assert_eq!(schema.pointer("/required"), Some(&json!(["stages"])));
    }

    #[test]
    fn each_target_has_its_own_keys_in_the_schema() {
        let schema = schema();
        let kinds = schema.pointer("/properties/stages/additionalProperties/oneOf").and_then(Value::as_array).unwrap();
        let has = |kind: usize, key: &str| kinds[kind].pointer(&format!("/properties/{key}")).is_some();
        assert!(has(2, "include") && !has(2, "dockerfile") && !has(2, "context"));
        assert!(has(3, "dockerfile") && has(3, "context") && !has(3, "include"));
        assert_eq!(kinds[3].pointer("/required"), Some(&json!(["uses", "dockerfile"])));
        assert!(!has(4, "limits") && has(5, "limits") && has(6, "limits"));
        assert!(has(5, "volumes") && !has(5, "canary") && !has(6, "volumes") && has(6, "canary"));
        assert_eq!(kinds[4].pointer("/required"), Some(&json!(["uses"])));
        assert_eq!(kinds[5].pointer("/required"), Some(&json!(["uses", "target"])));
        assert_eq!(kinds[6].pointer("/properties/target/const"), Some(&json!("kubernetes")));
        assert!(has(0, "container") && has(1, "container") && !has(5, "container"));
    }

    #[test]
    fn defaults_are_values_not_texts() {
        let schema = schema();
        assert_eq!(schema.pointer("/properties/source/properties/trigger/default"), Some(&json!("save")));
        assert_eq!(schema.pointer("/properties/data/properties/include/default"), Some(&json!(["*.csv", "*.csv.gz"])));
    }
}
