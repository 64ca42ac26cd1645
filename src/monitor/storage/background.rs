//! One piece of work at a time on a thread of its own, so that a slow disk does not hold up whoever uses the store.

use std::io;
use std::thread::{self, JoinHandle};

/// The work under way, if any. Dropping it waits for the end of the work.
#[derive(Debug)]
pub(super) struct Background<T> {
    running: Option<JoinHandle<T>>,
}

impl<T: Send + 'static> Background<T> {
    pub(super) fn idle() -> Self {
        Self { running: None }
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Starts a piece of work; the one before must have been collected.
    pub(super) fn start(&mut self, name: &str, work: impl FnOnce() -> T + Send + 'static) -> io::Result<()> {
        self.running = Some(thread::Builder::new().name(name.to_owned()).spawn(work)?);
        Ok(())
    }

    /// What came of it, once it has ended.
    pub(super) fn collect(&mut self) -> Option<T> {
        if self.running.as_ref()?.is_finished() { self.wait() } else { None }
    }

    /// What comes of it; waits for the end.
    pub(super) fn wait(&mut self) -> Option<T> {
        self.running.take()?.join().ok()
    }
}

impl<T> Drop for Background<T> {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            // Nobody is left who wants to know.
            let _ = running.join();
        }
    }
}
