//! How a learner is written down: `{"algorithm": "elastic-net", "penalty": 0.5, …}`.
//!
//! A saved model is in a binary format that does not tell what comes next, which a tag among fields needs; there the same
//! text stands as one string.

use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::learn::learner::Learner;

/// The same as [`Learner`], for the names of its fields.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Learner", tag = "algorithm", rename_all = "kebab-case")]
enum Text {
    Logistic { penalty: f64 },
    NaiveBayes { smoothing: f64 },
    Linear,
    ElasticNet { penalty: f64, l1_ratio: f64 },
    Svm { cost: f64, gamma: f64 },
    Forest { trees: u32, depth: u32, leaf: u32, features: f64 },
    Boosting { rounds: u32, rate: f64, leaves: u32, leaf: u32, l2: f64, rows: f64, columns: f64 },
    Blend { parts: Vec<Learner> },
}

impl Serialize for Learner {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return Text::serialize(self, serializer);
        }
        let text = serde_json::to_string(self).map_err(S::Error::custom)?;
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Learner {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return Text::deserialize(deserializer);
        }
        let text = String::deserialize(deserializer)?;
        serde_json::from_str(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Learner;
    use crate::model::learn::learner::algorithm_name;

    const LEARNER: Learner = Learner::ElasticNet { penalty: 0.1, l1_ratio: 1.0 };

    #[test]
    fn a_learner_is_written_with_the_name_that_the_configuration_has() {
        let text = serde_json::to_string(&LEARNER).unwrap();
        assert_eq!(text, r#"{"algorithm":"elastic-net","penalty":0.1,"l1_ratio":1.0}"#);
        assert_eq!(serde_json::from_str::<Learner>(&text).unwrap(), LEARNER);
        assert_eq!(algorithm_name(LEARNER.algorithm()), "elastic-net");
    }

    #[test]
    fn a_blend_is_written_with_its_parts() {
        let blend = Learner::Blend { parts: vec![LEARNER, Learner::Linear] };
        let text = serde_json::to_string(&blend).unwrap();
        assert_eq!(
            text,
            r#"{"algorithm":"blend","parts":[{"algorithm":"elastic-net","penalty":0.1,"l1_ratio":1.0},{"algorithm":"linear"}]}"#
        );
        assert_eq!(serde_json::from_str::<Learner>(&text).unwrap(), blend);
    }

    #[test]
    fn a_saved_model_can_hold_one() {
        let bytes = postcard::to_extend(&(LEARNER, 7_u8), Vec::<u8>::new()).unwrap();
        assert_eq!(postcard::from_bytes::<(Learner, u8)>(&bytes).unwrap(), (LEARNER, 7));
    }
}
