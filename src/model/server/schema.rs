//! What a client needs to make a request, for people and for programs: the columns with an example, and JSON Schema
//! (2020-12) of a record and of its answer.

use serde_json::{Map, Value, json};

use crate::api::types::CardFeature;
use crate::config::Task;
use crate::model::data::date::date_text;
use crate::model::server::served::Served;

/// The body of `/schema`.
pub(in crate::model) fn schema(served: &Served) -> Value {
    json!({
        "task": served.task(),
        "target": served.target(),
        "features": served.feature_cards(),
        "ignored": served.ignored(),
        "classes": served.classes(),
        "metrics": served.metrics(),
        "drift_measured": served.is_measured(),
        "example": example(served),
        "input": record(served),
        "output": prediction(served),
    })
}

/// A record that can be predicted, of usual values.
pub(in crate::model) fn example(served: &Served) -> Map<String, Value> {
    let value = |feature: &CardFeature| {
        let number = if is_number(feature) { feature.typical.parse::<f64>().ok() } else { None };
        number.map_or_else(|| json!(feature.typical), |number| json!(number))
    };
    served.feature_cards().iter().map(|feature| (feature.name.clone(), value(feature))).collect()
}

/// A label that can be sent back with [`example`].
pub(in crate::model) fn example_label(served: &Served) -> Value {
    match served.task() {
        Task::Classification => json!(served.classes().first()),
        Task::Regression => json!(0.5),
    }
}

fn is_number(feature: &CardFeature) -> bool {
    feature.kind == "numeric"
}

/// The schema of a record.
pub(in crate::model) fn record(served: &Served) -> Value {
    let mut properties = Map::new();
    for feature in served.feature_cards() {
        properties.insert(feature.name.clone(), property(feature));
    }
    for name in served.ignored() {
        properties.entry(name.clone()).or_insert_with(|| json!({ "description": "may be sent, and is ignored" }));
    }
    let required: Vec<&str> = served.features().iter().map(|feature| feature.name.as_str()).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn property(feature: &CardFeature) -> Value {
    match (feature.minimum, feature.maximum) {
        (Some(minimum), Some(maximum)) if feature.kind == "date" => json!({
            "type": ["string", "null"],
            "format": "date",
            "description": format!(
                "between {} and {} in training; null is a date that is not known",
                date_text(minimum.floor()),
                date_text(maximum.floor())
            ),
        }),
        (Some(minimum), Some(maximum)) => json!({
            "type": ["number", "null"],
            "description": format!("between {minimum} and {maximum} in training; null is a value that is not known"),
        }),
        _ if is_number(feature) => json!({
            "type": ["number", "null"],
            "description": "null is a value that is not known",
        }),
        _ => json!({
            "type": ["string", "number", "boolean", "null"],
            "description": "one of the examples; another one is a category that was not there in training",
            "examples": feature.categories,
        }),
    }
}

/// The schema of the answer to a record.
pub(in crate::model) fn prediction(served: &Served) -> Value {
    match served.task() {
        Task::Regression => json!({
            "type": "object",
            "properties": { "prediction": { "type": "number" } },
            "required": ["prediction"],
        }),
        Task::Classification => {
            let kind = if served.integer_classes() { "integer" } else { "string" };
            let probability = json!({ "type": "number", "minimum": 0, "maximum": 1 });
            let probabilities: Map<String, Value> =
                served.classes().iter().map(|class| (class.clone(), probability.clone())).collect();
            json!({
                "type": "object",
                "properties": {
                    "prediction": { "type": kind },
                    "probabilities": {
                        "type": "object",
                        "properties": probabilities,
                        "required": served.classes(),
                    },
                },
                "required": ["prediction", "probabilities"],
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Served, prediction, record};
    use crate::model::samples;

    #[test]
    fn a_record_has_its_columns_and_nothing_else() {
        let schema = record(&Served::new(samples::model()));
        assert_eq!(schema["required"], json!(["height", "width", "colour"]));
        assert_eq!(schema["properties"]["colour"]["examples"], json!(["blue", "red", "white"]));
        assert_eq!(schema["properties"]["height"]["type"], json!(["number", "null"]));
        assert!(schema["properties"]["kind"].is_object(), "the target may be sent");
    }

    #[test]
    fn an_answer_has_its_classes_or_is_a_number() {
        let classes = prediction(&Served::new(samples::model()));
        assert_eq!(classes["properties"]["probabilities"]["required"], json!(["short", "tall"]));
        let number = prediction(&Served::new(samples::regression()));
        assert_eq!(number["properties"]["prediction"]["type"], "number");
    }
}
