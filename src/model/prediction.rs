//! What is answered for one record.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// A predicted value. Serialised as the bare value, because that is what a client asked for; never read back.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Predicted {
    /// A class with a name.
    Class(String),
    /// A class that is an integer.
    Integer(i64),
    /// A number.
    Number(f64),
}

impl fmt::Display for Predicted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Class(class) => f.write_str(class),
            Self::Integer(integer) => fmt::Display::fmt(integer, f),
            Self::Number(number) => fmt::Display::fmt(number, f),
        }
    }
}

/// `{"prediction": …, "probabilities": {…}}`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Prediction {
    /// The class, or the number.
    pub prediction: Predicted,
    /// The probability of each class; absent for a regression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probabilities: Option<BTreeMap<String, f64>>,
}

impl Prediction {
    /// The probability of the predicted class.
    pub fn probability(&self) -> Option<f64> {
        self.probabilities.as_ref()?.get(&self.prediction.to_string()).copied()
    }
}
