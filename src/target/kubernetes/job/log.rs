//! The log of a pod, line by line, each line once, over any number of connections.
//!
//! A connection that follows a log may break, and it may be dead and look merely quiet; so it is given up after a silence
//! and another begun, from the second of the last line on. Lines of that second come again and are known by their time and
//! text. A line that was cut off by the end of a connection was not given to anybody and comes again whole.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::pin::pin;
use std::time::Duration;

use futures_util::AsyncBufReadExt;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kube::api::{Api, LogParams};
use tokio::time::{sleep, timeout};

use super::JobPod;
use super::object::CONTAINER;

/// How long a connection may say nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// How long it may take to open one.
const OPEN: Duration = Duration::from_secs(15);
/// Between two connections.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two while nobody answers.
const LONG_PAUSE: Duration = Duration::from_secs(5);

/// How a connection ended.
enum End {
    /// All that there was has been read.
    Over,
    /// It broke, or fell silent.
    Broken,
    /// There is no such pod.
    Gone,
}

/// Gives the lines to `print`, without their line ends, until the container has ended or the pod is gone. A cluster that
/// does not answer is asked again without end; somebody else has to lose patience.
pub async fn follow(pod: &JobPod, print: &mut dyn FnMut(&[u8])) {
    let mut cursor = Cursor::default();
    loop {
        if matches!(read(pod, &mut cursor, true, print).await, End::Gone) {
            return;
        }
        // The end of a connection does not tell the end of the container from that of a proxy between.
        match pod.ended().await {
            Ok(Some(_)) => break,
            Ok(None) => sleep(PAUSE).await,
            Err(_) => sleep(LONG_PAUSE).await,
        }
    }
    // What was written between the last line read and the end.
    while matches!(read(pod, &mut cursor, false, print).await, End::Broken) {
        sleep(PAUSE).await;
    }
}

async fn read(pod: &JobPod, cursor: &mut Cursor, follow: bool, print: &mut dyn FnMut(&[u8])) -> End {
    let api: Api<Pod> = pod.job.pods();
    let parameters = LogParams {
        container: Some(CONTAINER.to_owned()),
        follow,
        timestamps: true,
        since_time: cursor.begin(),
        ..LogParams::default()
    };
    let stream = match timeout(OPEN, api.log_stream(&pod.name, &parameters)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(kube::Error::Api(status))) if status.is_not_found() => return End::Gone,
        // A pod that has ended can lose its log with its container; there is nothing to wait for then.
        Ok(Err(kube::Error::Api(_))) if !follow => return End::Gone,
        _ => return End::Broken,
    };
    let mut stream = pin!(stream);
    let mut line = Vec::new();
    loop {
        line.clear();
        match timeout(SILENCE, stream.read_until(b'\n', &mut line)).await {
            Ok(Ok(0)) => return End::Over,
            Ok(Ok(_)) if line.ends_with(b"\n") || !follow => {
                let whole = line.strip_suffix(b"\n").unwrap_or(&line);
                if let Some(text) = cursor.take(whole) {
                    print(text);
                }
            }
            // Half a line, or nothing any more.
            _ => return End::Broken,
        }
    }
}

/// Where in the log the reading is.
#[derive(Debug, Default)]
struct Cursor {
    /// The second of the latest line.
    second: Option<i64>,
    /// The lines of that second, by a hash of time and text, and how often each came.
    seen: HashMap<u64, u32>,
    /// Of those, the ones that are still to come again on this connection.
    again: HashMap<u64, u32>,
}

impl Cursor {
    /// Begins a connection; from when on the log is to be sent.
    fn begin(&mut self) -> Option<Timestamp> {
        self.again.clone_from(&self.seen);
        // The whole second: the server would round a finer time, perhaps up.
        self.second.and_then(|second| Timestamp::from_second(second).ok())
    }

    /// The text of a line that is new.
    fn take<'a>(&mut self, line: &'a [u8]) -> Option<&'a [u8]> {
        let key = hash(line);
        if let Some(left) = self.again.get_mut(&key).filter(|left| **left > 0) {
            *left -= 1;
            return None;
        }
        let (second, text) = split(line);
        if second > self.second {
            self.second = second;
            self.seen.clear();
        }
        // What is older, because a clock was set back, is not sent again.
        if second.is_none() || second == self.second {
            *self.seen.entry(key).or_default() += 1;
        }
        Some(text)
    }
}

/// The second of a line and its text. What carries no time, such as a word of the node itself, is all text.
fn split(line: &[u8]) -> (Option<i64>, &[u8]) {
    let end = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
    let (stamp, rest) = line.split_at(end);
    let stamp = std::str::from_utf8(stamp).ok().and_then(|stamp| stamp.parse::<Timestamp>().ok());
    match stamp {
        Some(stamp) => (Some(stamp.as_second()), rest.strip_prefix(b" ").unwrap_or(rest)),
        None => (None, line),
    }
}

fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new_lines<'a>(cursor: &mut Cursor, lines: &[&'a str]) -> Vec<&'a str> {
        lines
            .iter()
            .filter_map(|line| cursor.take(line.as_bytes()))
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect()
    }

    #[test]
    fn a_new_connection_doubles_nothing_and_loses_nothing() {
        let mut cursor = Cursor::default();
        assert_eq!(cursor.begin(), None);
        let first = ["2026-01-02T03:04:05.9Z a", "2026-01-02T03:04:06.1Z b", "2026-01-02T03:04:06.25Z c"];
        assert_eq!(new_lines(&mut cursor, &first), ["a", "b", "c"]);
        assert_eq!(cursor.begin().unwrap().to_string(), "2026-01-02T03:04:06Z");
        let second = ["2026-01-02T03:04:06.1Z b", "2026-01-02T03:04:06.25Z c", "2026-01-02T03:04:06.25Z d"];
        assert_eq!(new_lines(&mut cursor, &second), ["d"]);
        cursor.begin();
        assert_eq!(new_lines(&mut cursor, &second), Vec::<&str>::new());
    }

    #[test]
    fn equal_lines_of_one_instant_are_counted() {
        let mut cursor = Cursor::default();
        cursor.begin();
        let line = "2026-01-02T03:04:06.1Z same";
        assert_eq!(new_lines(&mut cursor, &[line, line]).len(), 2);
        cursor.begin();
        assert_eq!(new_lines(&mut cursor, &[line, line, line]).len(), 1);
    }

    #[test]
    fn a_log_that_was_rotated_between_two_connections_hides_no_new_line() {
        let mut cursor = Cursor::default();
        cursor.begin();
        new_lines(&mut cursor, &["2026-01-02T03:04:06.1Z a", "2026-01-02T03:04:06.2Z b"]);
        cursor.begin();
        assert_eq!(new_lines(&mut cursor, &["2026-01-02T03:04:06.3Z c"]), ["c"]);
    }

    #[test]
    fn a_line_keeps_its_blanks_and_one_without_a_time_is_kept_whole() {
        assert_eq!(split(b"2026-01-02T03:04:06Z   indented "), (Some(1_767_323_046), b"  indented ".as_slice()));
        assert_eq!(split(b"2026-01-02T03:04:06Z "), (Some(1_767_323_046), b"".as_slice()));
        assert_eq!(split(b"unable to retrieve logs"), (None, b"unable to retrieve logs".as_slice()));
    }
}
