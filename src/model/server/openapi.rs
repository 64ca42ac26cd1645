//! All routes as OpenAPI 3.1 (<https://spec.openapis.org/oas/v3.1.1.html>), with the columns and classes of this very
//! model and with examples that work. That it is true to the routes is held by a test that asks each of them.

use serde_json::{Map, Value, json};

use crate::config::Task;
use crate::model::server::schema;
use crate::model::server::shared::Shared;

/// The document of `/openapi.json`.
pub(in crate::model) fn document(shared: &Shared) -> Value {
    let served = &shared.served;
    let about = format!("Predicts \"{}\" from {} columns.", served.target(), served.features().len());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "trainyard model server",
            "description": about,
            "version": shared.version.as_deref().unwrap_or(served.digest().short()),
        },
        "paths": {
            "/predict": { "post": predict(shared) },
            "/feedback": { "post": feedback(shared) },
            "/schema": { "get": get("what a record looks like, with an example", "application/json", &[]) },
            "/openapi.json": { "get": get("this document", "application/json", &[]) },
            "/version": { "get": get("which model and release this is", "application/json", &[]) },
            "/healthz": { "get": get("alive", "text/plain", &[]) },
            "/readyz": { "get": get("ready for requests", "text/plain", &[(503, "stopping")]) },
            "/metrics": { "get": get("metrics for Prometheus", "text/plain", &[]) },
        },
        "components": { "schemas": components(shared) },
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn predict(shared: &Shared) -> Value {
    let served = &shared.served;
    let record = schema::example(served);
    let columns: Map<String, Value> =
        record.iter().map(|(name, value)| (name.clone(), json!([value, value]))).collect();
    json!({
        "summary": "predict records",
        "description": format!("At most {} records and {} bytes a request.", shared.limits.records, shared.limits.body_bytes),
        "requestBody": {
            "required": true,
            "content": {
                "application/json": {
                    "schema": { "anyOf": [reference("Record"), reference("Records"), reference("Wrapped"), reference("Columns")] },
                    "examples": {
                        "one": { "value": record },
                        "list": { "value": [record, record] },
                        "records": { "value": { "records": [record] } },
                        "columns": { "value": { "columns": columns } },
                    },
                },
                "text/csv": { "schema": { "type": "string" }, "examples": { "csv": { "value": csv(&record) } } },
            },
        },
        "responses": responses(
            &json!({
                "description": "predictions, in the shape of the request",
                "content": {
                    "application/json": {
                        "schema": { "anyOf": [
                            reference("Prediction"),
                            { "type": "array", "items": reference("Prediction") },
                            {
                                "type": "object",
                                "properties": { "predictions": { "type": "array", "items": reference("Prediction") } },
                                "required": ["predictions"],
                            },
                            reference("PredictionColumns"),
                        ] },
                    },
                    "text/csv": { "schema": { "type": "string" } },
                },
            }),
            &[
                (400, "no JSON or CSV"),
                (408, "the body took too long"),
                (413, "too many bytes or records"),
                (422, "a record that cannot be predicted"),
                (500, "a fault of the server"),
                (503, "too busy"),
            ],
        ),
    })
}

fn feedback(shared: &Shared) -> Value {
    let served = &shared.served;
    let labelled = json!({ "record": schema::example(served), "label": schema::example_label(served) });
    json!({
        "summary": "send back what was true",
        "requestBody": {
            "required": true,
            "content": { "application/json": {
                "schema": { "anyOf": [
                    reference("Labelled"),
                    { "type": "array", "items": reference("Labelled"), "minItems": 1 },
                ] },
                "examples": { "one": { "value": labelled }, "list": { "value": [labelled] } },
            } },
        },
        "responses": responses(
            &json!({
                "description": "how many were taken",
                "content": { "application/json": { "schema": {
                    "type": "object",
                    "properties": { "accepted": { "type": "integer", "minimum": 0 } },
                    "required": ["accepted"],
                } } },
            }),
            &[
                (400, "no JSON"),
                (404, "no labelled records are taken here"),
                (408, "the body took too long"),
                (413, "too many bytes or records"),
                (422, "a record or label that is wrong"),
                (500, "a fault of the server"),
                (503, "too busy, or nothing can be written"),
            ],
        ),
    })
}

fn get(summary: &str, kind: &str, others: &[(u16, &str)]) -> Value {
    let mut content = Map::new();
    let schema = if kind == "application/json" { json!({ "type": "object" }) } else { json!({ "type": "string" }) };
    content.insert(kind.to_owned(), json!({ "schema": schema }));
    let mut responses = Map::new();
    responses.insert("200".to_owned(), json!({ "description": summary, "content": content }));
    for (status, description) in others {
        responses.insert(status.to_string(), json!({ "description": description }));
    }
    json!({ "summary": summary, "responses": responses })
}

fn responses(good: &Value, refusals: &[(u16, &str)]) -> Value {
    let mut responses = Map::new();
    responses.insert("200".to_owned(), good.clone());
    for (status, description) in refusals {
        let content = json!({ "application/json": { "schema": reference("Error") } });
        responses.insert(status.to_string(), json!({ "description": description, "content": content }));
    }
    Value::Object(responses)
}

fn components(shared: &Shared) -> Value {
    let served = &shared.served;
    let most = shared.limits.records;
    let records = json!({ "type": "array", "items": reference("Record"), "minItems": 1, "maxItems": most });
    let names: Vec<&str> = served.features().iter().map(|feature| feature.name.as_str()).collect();
    let label = match served.task() {
        Task::Regression => json!({ "type": "number" }),
        Task::Classification => json!({ "type": ["string", "number", "boolean"], "examples": served.classes() }),
    };
    json!({
        "Record": schema::record(served),
        "Records": records,
        "Wrapped": {
            "type": "object",
            "properties": { "records": reference("Records") },
            "required": ["records"],
            "additionalProperties": false,
        },
        "Columns": {
            "type": "object",
            "properties": { "columns": {
                "type": "object",
                "description": "equally many values of each column",
                "required": names,
                "additionalProperties": { "type": "array", "minItems": 1, "maxItems": most },
            } },
            "required": ["columns"],
            "additionalProperties": false,
        },
        "Prediction": schema::prediction(served),
        "PredictionColumns": {
            "type": "object",
            "properties": {
                "prediction": { "type": "array" },
                "probabilities": { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "number" } } },
            },
            "required": ["prediction"],
        },
        "Labelled": {
            "type": "object",
            "properties": { "record": reference("Record"), "label": label },
            "required": ["record", "label"],
            "additionalProperties": false,
        },
        "Error": {
            "type": "object",
            "properties": { "error": {
                "type": "object",
                "properties": {
                    "field": { "type": ["string", "null"] },
                    "record": { "type": ["integer", "null"] },
                    "reason": { "type": "string" },
                    "hint": { "type": "string" },
                },
                "required": ["field", "record", "reason", "hint"],
            } },
            "required": ["error"],
        },
    })
}

/// A record as CSV; none of the values of an example is a list or an object.
fn csv(record: &Map<String, Value>) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), quoted);
    let names: Vec<String> = record.keys().map(|name| quoted(name)).collect();
    let cells: Vec<String> = record.values().map(cell).collect();
    format!("{}\n{}\n", names.join(","), cells.join(","))
}
