//! Jobs done by several threads, and what comes of them told on the thread that waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Whoever waits hears something at least this often.
const BEAT: Duration = Duration::from_secs(2);

/// What the waiting thread hears.
#[derive(Debug)]
pub(super) enum Heard<R> {
    /// A job, by its index, is being done.
    Started(usize),
    /// It is done.
    Done(usize, R),
    /// Nothing happened for a while.
    Nothing,
}

/// Does `jobs` in their order by `threads`. A job that gives `None` was stopped, and no other is begun by its thread.
pub(super) fn run<J: Sync, R: Send>(
    jobs: &[J],
    threads: usize,
    work: &(dyn Fn(&J) -> Option<R> + Sync),
    hear: &mut dyn FnMut(Heard<R>),
) {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, jobs.len().max(1)) {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(index) else { break };
                    let _ = sender.send(Heard::Started(index));
                    let Some(result) = work(job) else { break };
                    let _ = sender.send(Heard::Done(index, result));
                }
            });
        }
        // The threads have their own; with the last of them the channel ends.
        drop(sender);
        loop {
            match receiver.recv_timeout(BEAT) {
                Ok(heard) => hear(heard),
                Err(RecvTimeoutError::Timeout) => hear(Heard::Nothing),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::{Heard, run};

    fn done(threads: usize, work: &(dyn Fn(&u32) -> Option<u32> + Sync)) -> Vec<u32> {
        let mut results = Vec::new();
        run(&[1, 2, 3, 4, 5], threads, work, &mut |heard| {
            if let Heard::Done(_, result) = heard {
                results.push(result);
            }
        });
        results.sort_unstable();
        results
    }

    #[test]
    fn every_job_is_done_once_by_any_number_of_threads() {
        for threads in [0, 1, 2, 9] {
            assert_eq!(done(threads, &|job| Some(job * 10)), [10, 20, 30, 40, 50], "{threads}");
        }
        run(&[], 2, &|_: &u32| Some(0), &mut |heard: Heard<u32>| assert!(matches!(heard, Heard::Nothing)));
    }

    #[test]
    fn a_stopped_job_is_the_last_of_its_thread() {
        assert_eq!(done(1, &|job| (*job < 3).then_some(*job)), [1, 2]);
    }
}
