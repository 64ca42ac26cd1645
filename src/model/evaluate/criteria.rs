//! By what models are compared: the metric of the gate, and behind it the usual ones, each deciding where those before it
//! are equal.

use std::cmp::Ordering;

use super::{Metrics, is_better};
use crate::config::{Task, TrainSettings};

/// Names of metrics, the most important first; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::model) struct Criteria(Vec<String>);

impl Criteria {
    /// The gate's metric, then accuracy and the log loss, or the RMSE.
    pub(in crate::model) fn new(settings: &TrainSettings, task: Task) -> Self {
        let usual: &[&str] = match task {
            Task::Classification => &["accuracy", "log_loss"],
            Task::Regression => &["rmse"],
        };
        let mut names: Vec<String> = settings.gate.iter().map(|gate| gate.metric.clone()).collect();
        for metric in usual {
            if names.iter().all(|name| name != metric) {
                names.push((*metric).to_owned());
            }
        }
        Self(names)
    }

    /// The names.
    pub(in crate::model) fn names(&self) -> &[String] {
        &self.0
    }

    /// The first metric that `metrics` have.
    pub(in crate::model) fn leading<'a>(&'a self, metrics: &Metrics) -> Option<(&'a str, f64)> {
        self.0.iter().find_map(|name| Some((name.as_str(), *metrics.get(name)?)))
    }

    /// `Greater` when `one` is the better; `Equal` when no metric tells them apart.
    pub(in crate::model) fn compare(&self, one: &Metrics, other: &Metrics) -> Ordering {
        for metric in &self.0 {
            if is_better(metric, one, other) {
                return Ordering::Greater;
            }
            if is_better(metric, other, one) {
                return Ordering::Less;
            }
        }
        Ordering::Equal
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{Criteria, Metrics};
    use crate::config::Task;
    use crate::model::samples;

    fn of(accuracy: f64, log_loss: f64) -> Metrics {
        Metrics::from([("accuracy".to_owned(), accuracy), ("log_loss".to_owned(), log_loss)])
    }

    #[test]
    fn equal_accuracy_is_told_apart_by_the_log_loss() {
        let criteria = Criteria::new(&samples::settings("kind"), Task::Classification);
        assert_eq!(criteria.compare(&of(0.9, 0.5), &of(0.8, 0.1)), Ordering::Greater);
        assert_eq!(criteria.compare(&of(0.9, 0.5), &of(0.9, 0.1)), Ordering::Less);
        assert_eq!(criteria.compare(&of(0.9, 0.5), &of(0.9, 0.5)), Ordering::Equal);
    }

    #[test]
    fn what_has_no_value_is_the_worse() {
        let criteria = Criteria::new(&samples::settings("kind"), Task::Classification);
        assert_eq!(criteria.compare(&Metrics::new(), &of(0.1, 9.0)), Ordering::Less);
        assert_eq!(criteria.leading(&of(0.1, 9.0)), Some(("accuracy", 0.1)));
    }
}
