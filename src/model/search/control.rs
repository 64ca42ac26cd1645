//! What a training is told from outside: when to stop, how late it is, how many threads it may use, and where it may note
//! how far a search came. The room of models asks no clock of its own.

use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::model::learn::fit::Stop;

/// People hear something at least this often.
const BEAT: Duration = Duration::from_secs(2);

/// The outside of a training.
pub struct Control<'a> {
    /// Threads that may be used, at least one. They change how long it takes and nothing else.
    pub threads: usize,
    /// Whether to stop; asked between folds, rounds and trees.
    pub stop: &'a Stop<'a>,
    /// How long it is under way: for a budget of time, and to tell people.
    pub elapsed: &'a (dyn Fn() -> Duration + Sync + 'a),
    /// The folder in which the journal of a search is kept; `None` keeps none.
    pub journals: Option<&'a Path>,
}

impl Control<'_> {
    /// All threads, no end, no clock and no journal.
    pub fn alone() -> Self {
        Self { threads: threads(), stop: &never, elapsed: &no_time, journals: None }
    }
}

/// As many threads as the machine, or the container, has processors.
fn threads() -> usize {
    thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn never() -> bool {
    false
}

fn no_time() -> Duration {
    Duration::ZERO
}

/// Works in a thread of its own, so that this one can call `beat` meanwhile.
pub(in crate::model) fn attended<T: Send>(work: impl FnOnce() -> T + Send, beat: &mut dyn FnMut()) -> T {
    let (sender, receiver) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let worker = scope.spawn(move || {
            // Dropped with the thread, whatever becomes of it, which is how its end is heard.
            let _alive = sender;
            work()
        });
        while let Err(RecvTimeoutError::Timeout) = receiver.recv_timeout(BEAT) {
            beat();
        }
        worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use super::attended;

    #[test]
    fn the_result_of_the_work_comes_back() {
        assert_eq!(attended(|| 6 * 7, &mut || {}), 42);
    }
}
