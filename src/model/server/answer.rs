//! Writes predictions as text: JSON in the shape in which the records came, or CSV for who asked for that.
//!
//! Written by hand: the names of classes are worked out once and not for each record, and no tree of values is built. The
//! bytes are those that serde would write of a [`Prediction`](crate::model::prediction::Prediction).

use serde_json::Error;

use crate::model::learn::predictor::{Output, most_probable};
use crate::model::server::served::{ClassWords, Served};
use crate::model::server::table::Shape;

/// Predictions as JSON.
pub(in crate::model) fn json(served: &Served, shape: Shape, outputs: &[Output]) -> Result<Vec<u8>, Error> {
    let mut text = Vec::with_capacity(32 + outputs.len() * (48 + 24 * served.classes().len()));
    match shape {
        Shape::One => match outputs.first() {
            Some(output) => one(&mut text, served, output)?,
            None => text.extend_from_slice(b"null"),
        },
        Shape::List => list(&mut text, outputs, |text, output| one(text, served, output))?,
        Shape::Records => {
            text.extend_from_slice(b"{\"predictions\":");
            list(&mut text, outputs, |text, output| one(text, served, output))?;
            text.push(b'}');
        }
        Shape::Columns => columns(&mut text, served, outputs)?,
    }
    Ok(text)
}

fn one(text: &mut Vec<u8>, served: &Served, output: &Output) -> Result<(), Error> {
    text.extend_from_slice(b"{\"prediction\":");
    predicted(text, served, output)?;
    if let Output::Probabilities(probabilities) = output {
        text.extend_from_slice(b",\"probabilities\":{");
        for (index, (class, words)) in served.classes_by_name().enumerate() {
            member(text, index, words);
            number(text, probability(probabilities, class))?;
        }
        text.push(b'}');
    }
    text.push(b'}');
    Ok(())
}

/// `{"prediction": […], "probabilities": {"a": […], …}}`
fn columns(text: &mut Vec<u8>, served: &Served, outputs: &[Output]) -> Result<(), Error> {
    text.extend_from_slice(b"{\"prediction\":");
    list(text, outputs, |text, output| predicted(text, served, output))?;
    if matches!(outputs.first(), Some(Output::Probabilities(_))) {
        text.extend_from_slice(b",\"probabilities\":{");
        for (index, (class, words)) in served.classes_by_name().enumerate() {
            member(text, index, words);
            list(text, outputs, |text, output| match output {
                Output::Probabilities(probabilities) => number(text, probability(probabilities, class)),
                Output::Value(value) => number(text, *value),
            })?;
        }
        text.push(b'}');
    }
    text.push(b'}');
    Ok(())
}

fn member(text: &mut Vec<u8>, index: usize, words: &ClassWords) {
    if index > 0 {
        text.push(b',');
    }
    text.extend_from_slice(&words.member);
}

fn list(
    text: &mut Vec<u8>,
    outputs: &[Output],
    mut write: impl FnMut(&mut Vec<u8>, &Output) -> Result<(), Error>,
) -> Result<(), Error> {
    text.push(b'[');
    for (index, output) in outputs.iter().enumerate() {
        if index > 0 {
            text.push(b',');
        }
        write(text, output)?;
    }
    text.push(b']');
    Ok(())
}

fn predicted(text: &mut Vec<u8>, served: &Served, output: &Output) -> Result<(), Error> {
    match output {
        Output::Value(value) => number(text, *value),
        Output::Probabilities(probabilities) => {
            match served.class(most_probable(probabilities)) {
                Some(words) => text.extend_from_slice(&words.json),
                None => text.extend_from_slice(b"null"),
            }
            Ok(())
        }
    }
}

fn probability(probabilities: &[f64], class: usize) -> f64 {
    probabilities.get(class).copied().unwrap_or(0.0)
}

fn number(text: &mut Vec<u8>, number: f64) -> Result<(), Error> {
    serde_json::to_writer(text, &number)
}

/// Predictions as CSV, as `trainyard predict` writes them.
pub(in crate::model) fn csv(served: &Served, outputs: &[Output]) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if served.classes().is_empty() {
        writer.write_record(["prediction"])?;
    } else {
        writer.write_record(["prediction", "probability"])?;
    }
    for output in outputs {
        match output {
            Output::Value(value) => writer.write_record([value.to_string()])?,
            Output::Probabilities(probabilities) => {
                let class = most_probable(probabilities);
                let text = served.class(class).map_or("", |words| words.text.as_str());
                writer.write_record([text, &format!("{:.6}", probability(probabilities, class))])?;
            }
        }
    }
    writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Output, Served, Shape, csv, json};
    use crate::model::samples;

    fn outputs() -> [Output; 2] {
        [Output::Probabilities(vec![0.75, 0.25]), Output::Probabilities(vec![1e-7, 0.999_999_9])]
    }

    #[test]
    fn a_record_is_answered_with_the_bytes_that_serde_writes() {
        let model = samples::model();
        let expected: Vec<_> = outputs().iter().map(|output| model.answer(output)).collect();
        let served = Served::new(model);
        assert_eq!(json(&served, Shape::One, &outputs()).unwrap(), serde_json::to_vec(&expected[0]).unwrap());
        assert_eq!(json(&served, Shape::List, &outputs()).unwrap(), serde_json::to_vec(&expected).unwrap());
    }

    #[test]
    fn columns_are_answered_by_columns() {
        let text = json(&Served::new(samples::model()), Shape::Columns, &outputs()).unwrap();
        let answer: Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(answer["prediction"], json!(["short", "tall"]));
        assert_eq!(answer["probabilities"]["tall"], json!([0.25, 0.999_999_9]));
    }

    #[test]
    fn numbers_are_answered_without_probabilities() {
        let served = Served::new(samples::regression());
        let outputs = [Output::Value(1.5), Output::Value(2.0)];
        assert_eq!(
            json(&served, Shape::Records, &outputs).unwrap(),
            br#"{"predictions":[{"prediction":1.5},{"prediction":2.0}]}"#
        );
        assert_eq!(csv(&served, &outputs).unwrap(), b"prediction\n1.5\n2\n");
    }

    #[test]
    fn csv_has_the_class_and_its_probability() {
        let text = csv(&Served::new(samples::model()), &outputs()).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "prediction,probability\nshort,0.750000\ntall,1.000000\n");
    }
}
