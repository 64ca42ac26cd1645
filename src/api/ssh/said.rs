//! What `ssh`, and the program at the other end, write on their standard error.
//!
//! Its last lines are kept, for they say why a line ended. While `ssh` may still ask for something they are also told, for its
//! questions are not understood without them; once the screen is drawn nothing may be.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::task::JoinHandle;

/// Lines that are kept. The longest that `ssh` has to say, of a changed host key, is 13.
const KEPT: usize = 100;
/// Bytes of a line; a longer one is cut into several.
const LINE: usize = 4096;
/// How long the last words may take after the end of a process: a child of it may hold the pipe.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// How the words of trainyard itself begin, which are told in the error that follows.
pub(super) const OURS: &str = "trainyard: ";

/// The words of one `ssh`.
#[derive(Debug)]
pub(super) struct Said {
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Shared {
    lines: Mutex<VecDeque<String>>,
    is_silent: AtomicBool,
}

impl Shared {
    fn take(&self, line: &[u8], tell: Option<fn(&str)>) {
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        if let Some(tell) = tell.filter(|_| !self.is_silent.load(Ordering::Acquire) && !line.starts_with(OURS)) {
            tell(&line);
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_back(line);
        if lines.len() > KEPT {
            lines.pop_front();
        }
    }
}

impl Said {
    /// Listens until the stream ends, and tells each line.
    pub(super) fn listen(mut stream: impl AsyncRead + Send + Unpin + 'static, tell: Option<fn(&str)>) -> Self {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            let mut buffer = [0; LINE];
            let mut begun: Vec<u8> = Vec::new();
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                for byte in buffer.iter().take(length) {
                    let is_end = *byte == b'\n';
                    if !is_end {
                        begun.push(*byte);
                    }
                    if is_end || begun.len() >= LINE {
                        own.take(&begun, tell);
                        begun.clear();
                    }
                }
            }
            if !begun.is_empty() {
                own.take(&begun, tell);
            }
        });
        Self { shared, task }
    }

    /// From now on nothing is told.
    pub(super) fn silence(&self) {
        self.shared.is_silent.store(true, Ordering::Release);
    }

    /// All that was said, once the process has ended.
    pub(super) async fn last_words(&mut self) -> String {
        let _ = tokio::time::timeout(LAST_WORDS, &mut self.task).await;
        let lines = self.shared.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_lines_are_kept_however_long_and_many_they_are() {
        let mut text: Vec<u8> = (0..500).flat_map(|number| format!("line {number}\r\n").into_bytes()).collect();
        text.extend(vec![b'x'; LINE + 1]);
        let mut said = Said::listen(std::io::Cursor::new(text), None);
        let words = said.last_words().await;
        let lines: Vec<&str> = words.lines().collect();
        assert_eq!(lines.len(), KEPT);
        assert_eq!(lines[..2], ["line 402", "line 403"]);
        assert_eq!((lines[KEPT - 2].len(), lines[KEPT - 1]), (LINE, "x"));
    }
}
