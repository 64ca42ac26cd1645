//! Finds series by their labels: for each label and each of its values, the numbers of the series that have it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use promql_parser::label::{MatchOp, Matcher};

use crate::monitor::labels::{Labels, METRIC_NAME};

/// Numbers of series, sorted.
type Postings = Vec<u32>;

/// About how many bytes an entry of the tables takes beside its text and its postings.
const ENTRY_BYTES: usize = 80;

/// All labels of all series of a store.
#[derive(Debug, Default)]
pub(super) struct Index {
    all: Postings,
    names: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Postings>>,
    /// Bytes of all names and values, each of them once.
    text: usize,
}

impl Index {
    /// The same labels, with their texts shared with series that are there already.
    pub(super) fn share(&self, labels: &Labels) -> Labels {
        Labels::new(labels.shared().map(|(name, value)| match self.names.get_key_value(&*name) {
            Some((shared, values)) => {
                let value = values.get_key_value(&*value).map_or(value, |(value, _)| value.clone());
                (shared.clone(), value)
            }
            None => (name, value),
        }))
    }

    pub(super) fn insert(&mut self, series: u32, labels: &Labels) {
        insert_sorted(&mut self.all, series);
        for (name, value) in labels.shared() {
            let length = name.len();
            let values = self.names.entry(name).or_default();
            self.text += if values.is_empty() { length } else { 0 };
            self.text += if values.contains_key(&value) { 0 } else { value.len() };
            insert_sorted(values.entry(value).or_default(), series);
        }
    }

    /// Takes away many series at once; one by one would move the same long lists again and again.
    pub(super) fn remove(&mut self, gone: &[(u32, Labels)]) {
        let mut numbers: Vec<u32> = gone.iter().map(|(series, _)| *series).collect();
        numbers.sort_unstable();
        let stays = |series: &u32| numbers.binary_search(series).is_err();
        self.all.retain(stays);
        let mut pairs: Vec<(&str, &str)> = gone.iter().flat_map(|(_, labels)| labels.pairs()).collect();
        pairs.sort_unstable();
        pairs.dedup();
        for (name, value) in pairs {
            let Some(values) = self.names.get_mut(name) else { continue };
            if let Some(postings) = values.get_mut(value) {
                postings.retain(stays);
                if postings.is_empty() {
                    values.remove(value);
                    self.text = self.text.saturating_sub(value.len());
                }
            }
            if values.is_empty() {
                self.names.remove(name);
                self.text = self.text.saturating_sub(name.len());
            }
        }
    }

    /// The series that all matchers accept. A series without a label has an empty value of it, as in Prometheus.
    pub(super) fn select(&self, matchers: &[Matcher]) -> Vec<u32> {
        let (may_lack, must_have): (Vec<_>, Vec<_>) = matchers.iter().partition(|matcher| matcher.is_match(""));
        let mut lists: Vec<Cow<'_, [u32]>> = must_have.into_iter().map(|matcher| self.accepted(matcher)).collect();
        lists.sort_by_key(|list| list.len());
        let mut lists = lists.into_iter();
        let mut found = match lists.next() {
            Some(shortest) => shortest.into_owned(),
            None => self.all.clone(),
        };
        for list in lists {
            found.retain(|series| list.binary_search(series).is_ok());
        }
        for matcher in may_lack {
            if found.is_empty() {
                break;
            }
            let refused = self.union(&matcher.name, |value| !matcher.is_match(value));
            found.retain(|series| refused.binary_search(series).is_err());
        }
        found
    }

    /// The names of all labels.
    pub(super) fn names(&self) -> Vec<String> {
        self.names.keys().map(|name| String::from(&**name)).collect()
    }

    /// All values of a label.
    pub(super) fn values(&self, name: &str) -> Vec<String> {
        self.names.get(name).into_iter().flat_map(BTreeMap::keys).map(|value| String::from(&**value)).collect()
    }

    /// The names of all metrics.
    pub(super) fn metrics(&self) -> Vec<String> {
        self.values(METRIC_NAME)
    }

    /// Bytes of all names and values, each of them once.
    pub(super) fn text(&self) -> usize {
        self.text
    }

    /// All values of a label, each with the number of series that have it.
    pub(super) fn counts(&self, name: &str) -> Vec<(String, usize)> {
        let values = self.names.get(name).into_iter().flatten();
        values.map(|(value, list)| (String::from(&**value), list.len())).collect()
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let postings = self.names.values().flatten();
        let values: usize =
            postings.map(|(value, list)| ENTRY_BYTES + value.len() + list.capacity() * size_of::<u32>()).sum();
        values + self.all.capacity() * size_of::<u32>()
    }

    fn accepted(&self, matcher: &Matcher) -> Cow<'_, [u32]> {
        match &matcher.op {
            MatchOp::Equal => {
                let values = self.names.get(matcher.name.as_str());
                let postings = values.and_then(|values| values.get(matcher.value.as_str()));
                postings.map_or_else(Cow::default, |postings| Cow::Borrowed(postings.as_slice()))
            }
            MatchOp::NotEqual | MatchOp::Re(_) | MatchOp::NotRe(_) => {
                self.union(&matcher.name, |value| matcher.is_match(value))
            }
        }
    }

    /// The series whose value of a label pleases `accepts`. A series has one value of it, so none comes twice.
    fn union(&self, name: &str, accepts: impl Fn(&str) -> bool) -> Cow<'_, [u32]> {
        let values = self.names.get(name).into_iter().flatten();
        let lists: Vec<&Postings> = values.filter(|(value, _)| accepts(value)).map(|(_, list)| list).collect();
        match lists.as_slice() {
            [] => Cow::default(),
            [only] => Cow::Borrowed(only.as_slice()),
            several => {
                let mut all: Vec<u32> = several.iter().flat_map(|list| list.iter().copied()).collect();
                all.sort_unstable();
                Cow::Owned(all)
            }
        }
    }
}

fn insert_sorted(postings: &mut Postings, series: u32) {
    if let Err(place) = postings.binary_search(&series) {
        postings.insert(place, series);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matcher(op: &str, name: &str, value: &str) -> Matcher {
        let regex = || regex::Regex::new(&format!("^(?:{value})$")).unwrap();
        let op = match op {
            "=" => MatchOp::Equal,
            "!=" => MatchOp::NotEqual,
            "=~" => MatchOp::Re(regex()),
            _ => MatchOp::NotRe(regex()),
        };
        Matcher::new(op, name, value)
    }

    fn labels() -> impl Strategy<Value = Labels> {
        let value = prop_oneof![Just(""), Just("a"), Just("b"), Just("ab")];
        prop::collection::vec(value, 3).prop_map(|values| Labels::new(["x", "y", "z"].into_iter().zip(values)))
    }

    fn matchers() -> impl Strategy<Value = Vec<Matcher>> {
        let op = prop_oneof![Just("="), Just("!="), Just("=~"), Just("!~")];
        let name = prop_oneof![Just("x"), Just("y"), Just("missing")];
        let value = prop_oneof![Just(""), Just("a"), Just("a.*"), Just(".*"), Just(".+"), Just("a|b"), Just("a?")];
        prop::collection::vec((op, name, value), 0..4)
            .prop_map(|all| all.into_iter().map(|(op, name, value)| matcher(op, name, value)).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_index_finds_what_looking_at_every_series_finds(
            series in prop::collection::vec((labels(), any::<bool>()), 0..40),
            matchers in matchers(),
        ) {
            let mut index = Index::default();
            for (number, (labels, _)) in (0_u32..).zip(&series) {
                index.insert(number, &index.share(labels));
            }
            let gone: Vec<(u32, Labels)> = (0_u32..)
                .zip(&series)
                .filter(|(_, (_, goes))| *goes)
                .map(|(number, (labels, _))| (number, labels.clone()))
                .collect();
            index.remove(&gone);
            let accepts = |labels: &Labels| {
                matchers.iter().all(|matcher| matcher.is_match(labels.get(&matcher.name).unwrap_or_default()))
            };
            let wanted: Vec<u32> = (0_u32..)
                .zip(&series)
                .filter(|(_, (labels, goes))| !goes && accepts(labels))
                .map(|(number, _)| number)
                .collect();
            prop_assert_eq!(index.select(&matchers), wanted);
        }
    }

    #[test]
    fn names_and_values_go_with_the_last_series_that_had_them() {
        let mut index = Index::default();
        let one = Labels::new([(METRIC_NAME, "up"), ("job", "app")]);
        let other = Labels::new([(METRIC_NAME, "up"), ("job", "other"), ("pod", "p")]);
        index.insert(0, &one);
        index.insert(1, &other);
        assert_eq!(index.names(), ["__name__", "job", "pod"]);
        assert_eq!(index.values("job"), ["app", "other"]);
        assert_eq!(index.counts(METRIC_NAME), [("up".to_owned(), 2)]);
        assert_eq!(index.text(), "__name__upjobappotherpodp".len());
        index.remove(&[(1, other)]);
        assert_eq!(index.text(), "__name__upjobapp".len());
        assert_eq!(index.names(), ["__name__", "job"]);
        assert_eq!(index.values("job"), ["app"]);
        assert_eq!(index.metrics(), ["up"]);
    }
}
