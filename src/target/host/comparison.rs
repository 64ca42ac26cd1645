//! The comparison of the live objects with what was applied, beside the report: a report has seconds, and a slow cluster may
//! need longer for all objects. So the report tells what the last comparison found, and lets the next one begin.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

/// What was found, and what goes on. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Comparison(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    ended: Option<Instant>,
    lines: Vec<String>,
    task: Option<JoinHandle<()>>,
}

impl Comparison {
    /// The differences that the last comparison found. When it is older than `every`, another is begun, at most one at a
    /// time. To be called inside of a runtime.
    pub fn lines<F>(&self, every: Duration, compare: impl FnOnce() -> F) -> Vec<String>
    where
        F: Future<Output = Vec<String>> + Send + 'static,
    {
        let mut state = self.state();
        if state.is_due(every) {
            let (shared, found) = (self.clone(), compare());
            state.task = Some(tokio::spawn(async move {
                let lines = found.await;
                let mut state = shared.state();
                state.lines = lines;
                state.ended = Some(Instant::now());
            }));
        }
        state.lines.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_due(&self, every: Duration) -> bool {
        let is_under_way = self.task.as_ref().is_some_and(|task| !task.is_finished());
        !is_under_way && self.ended.is_none_or(|ended| ended.elapsed() >= every)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::sync::oneshot;

    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_comparison_that_takes_long_holds_nobody_up_and_is_not_begun_twice() {
        let comparison = Comparison::default();
        let mut begun = 0;
        for _ in 0..3 {
            let lines = comparison.lines(Duration::ZERO, || {
                begun += 1;
                pending()
            });
            assert!(lines.is_empty());
        }
        assert_eq!(begun, 1);
    }

    #[tokio::test]
    async fn what_was_found_is_told_until_it_is_old_and_then_until_more_is_known() {
        let comparison = Comparison::default();
        let (sender, receiver) = oneshot::channel();
        assert!(comparison.lines(LONG, move || async move { receiver.await.unwrap() }).is_empty());
        sender.send(vec!["replicas".to_owned()]).unwrap();
        while comparison.state().ended.is_none() {
            tokio::task::yield_now().await;
        }
        let never = || -> std::future::Pending<Vec<String>> { panic!("it is not old") };
        assert_eq!(comparison.lines(LONG, never), ["replicas"]);
        assert_eq!(comparison.lines(Duration::ZERO, pending), ["replicas"]);
    }
}
