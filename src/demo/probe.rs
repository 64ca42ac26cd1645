//! Is the app of any use? One real request to the deployed release, and what the monitor says of it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::{MissedTickBehavior, interval};

use super::batches::{Wine, wines};
use super::error::DemoError;
use crate::api::client::{Client, ClientError};
use crate::disk::plain_http;

/// How long a prediction may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the monitor is asked; it scrapes once a second.
const EVERY: Duration = Duration::from_millis(200);
/// What is asked for.
const REQUESTS: &str = "sum(predict_requests_total)";

#[derive(Debug, Deserialize)]
struct Answer {
    prediction: i64,
    probabilities: BTreeMap<String, f64>,
}

/// Asks the app at `address` for the grade of one wine, and says in one sentence what it answered.
pub(super) async fn predict(address: &str) -> Result<String, DemoError> {
    let refused = |reason: String| DemoError::NoPrediction { address: address.to_owned(), reason };
    // The last one: no model of the first batches has learned from it.
    let wine = wines().pop().ok_or_else(|| refused("there is no wine to ask for".to_owned()))?;
    let answer = ask(address, &wine).await.map_err(|error| refused(error.to_string()))?;
    sentence(&wine, &answer).map_err(refused)
}

async fn ask(address: &str, wine: &Wine) -> reqwest::Result<Answer> {
    let client = plain_http().timeout(PATIENCE).build()?;
    let response = client.post(format!("{address}/predict")).json(&wine.record).send().await?;
    response.error_for_status()?.json().await
}

/// The grade must be one that there is, and the probabilities those of a distribution.
fn sentence(wine: &Wine, answer: &Answer) -> Result<String, String> {
    let grade = answer.prediction;
    let sum: f64 = answer.probabilities.values().sum();
    let Some(probability) = answer.probabilities.get(&grade.to_string()) else {
        return Err(format!("the predicted grade {grade} has no probability"));
    };
    if !(3..=8).contains(&grade) {
        return Err(format!("{grade} is no grade between 3 and 8"));
    }
    if (sum - 1.0).abs() > 1e-6 {
        return Err(format!("the probabilities add up to {sum}, not to 1"));
    }
    Ok(format!(
        "the app answered: grade {grade} with probability {probability:.2} for a wine that tasters gave a {}",
        wine.grade
    ))
}

/// Waits until the monitor has seen requests, and gives their number as it was scraped. The caller sets the deadline.
pub(super) async fn scraped(client: &Client) -> Result<String, ClientError> {
    let mut turns = interval(EVERY);
    turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        let rows = client.query(REQUESTS).await?;
        let counted = |value: &str| value.parse::<f64>().is_ok_and(|requests| requests > 0.0);
        if let Some(row) = rows.into_iter().find(|row| counted(&row.value)) {
            return Ok(row.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(json: &str) -> Answer {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn an_answer_is_believed_only_if_it_is_a_grade_with_probabilities() {
        let wine = wines().pop().unwrap();
        let said = sentence(&wine, &answer(r#"{"prediction": 6, "probabilities": {"5": 0.25, "6": 0.75}}"#)).unwrap();
        assert_eq!(said, "the app answered: grade 6 with probability 0.75 for a wine that tasters gave a 6");
        for wrong in [
            r#"{"prediction": 6, "probabilities": {"5": 1.0}}"#,
            r#"{"prediction": 9, "probabilities": {"9": 1.0}}"#,
            r#"{"prediction": 5, "probabilities": {"5": 0.5, "6": 0.25}}"#,
        ] {
            assert!(sentence(&wine, &answer(wrong)).is_err(), "{wrong}");
        }
        assert!(serde_json::from_str::<Answer>(r#"{"prediction": "good"}"#).is_err());
    }
}
