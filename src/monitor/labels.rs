//! The labels that tell one series from another.
//!
//! Labels are compared, hashed and copied at every step of every query, so a set of them is sorted once when it is made
//! and shared afterwards: a copy costs one counter.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The label under which the name of the metric is kept.
pub const METRIC_NAME: &str = "__name__";

/// A set of labels, sorted by name. A label with an empty value is the same as no label and is not kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// Makes a set from pairs in any order; of two pairs with one name the later counts.
    pub fn new<Name, Value>(pairs: impl IntoIterator<Item = (Name, Value)>) -> Self
    where
        Name: Into<Arc<str>>,
        Value: Into<Arc<str>>,
    {
        let sorted: BTreeMap<Arc<str>, Arc<str>> =
            pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self(sorted.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }

    /// The value of a label.
    pub fn get(&self, name: &str) -> Option<&str> {
        let index = self.0.binary_search_by(|(key, _)| (**key).cmp(name)).ok()?;
        self.0.get(index).map(|(_, value)| &**value)
    }

    /// The name of the metric, if it is among the labels.
    pub fn name(&self) -> Option<&str> {
        self.get(METRIC_NAME)
    }

    /// Names and values, sorted by name.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether there is no label.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The labels whose name pleases `keeps`.
    #[must_use]
    pub fn keep(&self, keeps: impl Fn(&str) -> bool) -> Self {
        Self(self.0.iter().filter(|(name, _)| keeps(name)).cloned().collect())
    }

    /// All labels but the name of the metric.
    #[must_use]
    pub fn without_name(&self) -> Self {
        if self.name().is_some() { self.keep(|name| name != METRIC_NAME) } else { self.clone() }
    }

    /// These labels with one set to `value`, or taken away when `value` is empty.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        Self::new(self.shared().chain([(Arc::from(name), Arc::from(value))]))
    }

    /// The pairs without a copy of their text.
    pub(super) fn shared(&self) -> impl Iterator<Item = (Arc<str>, Arc<str>)> {
        self.0.iter().cloned()
    }
}

impl fmt::Display for Labels {
    /// Writes `name{label="value",…}`, as it would stand in a query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name().unwrap_or_default();
        f.write_str(name)?;
        let mut others = self.pairs().filter(|(label, _)| *label != METRIC_NAME).peekable();
        if others.peek().is_none() && !name.is_empty() {
            return Ok(());
        }
        f.write_str("{")?;
        for (index, (label, value)) in others.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{label}={value:?}")?;
        }
        f.write_str("}")
    }
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.pairs())
    }
}

impl<'de> Deserialize<'de> for Labels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(Self::new(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_in_which_labels_are_given_does_not_count() {
        assert_eq!(Labels::new([("b", "2"), ("a", "1")]), Labels::new([("a", "1"), ("b", "2")]));
    }

    #[test]
    fn an_empty_value_is_no_label() {
        let labels = Labels::new([("a", ""), ("b", "2")]);
        assert_eq!(labels.get("a"), None);
        assert_eq!(labels, Labels::new([("b", "2")]));
        assert!(labels.with("b", "").is_empty());
    }

    #[test]
    fn labels_are_shown_as_they_stand_in_a_query() {
        let labels = Labels::new([(METRIC_NAME, "up"), ("path", "a\"b")]);
        assert_eq!(labels.to_string(), r#"up{path="a\"b"}"#);
        assert_eq!(Labels::new([(METRIC_NAME, "up")]).to_string(), "up");
        assert_eq!(Labels::default().to_string(), "{}");
    }

    #[test]
    fn labels_survive_json() {
        let labels = Labels::new([(METRIC_NAME, "up"), ("job", "app")]);
        let text = serde_json::to_string(&labels).unwrap();
        assert_eq!(text, r#"{"__name__":"up","job":"app"}"#);
        assert_eq!(serde_json::from_str::<Labels>(&text).unwrap(), labels);
    }
}
