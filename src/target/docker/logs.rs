//! The last lines that a container wrote.
//!
//! The engine gives what was written in pieces of at most 16 KiB, two streams mixed; a line ends where its own stream says.

use std::time::Duration;

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures_util::StreamExt;

use super::container::Container;
use super::refusal::is_missing;

/// Lines that are shown when a release is refused.
const TAIL: usize = 20;
/// The most lines that can be asked for.
const MOST: usize = 5000;
/// Bytes of a line that are kept.
const LONGEST: usize = 8 << 10;
/// How long the engine may take.
const ANSWER: Duration = Duration::from_secs(10);

impl Container {
    /// The last lines it wrote, for a refusal.
    pub async fn log_tail(&self) -> Vec<String> {
        self.logs(TAIL).await
    }

    /// The last `count` lines it wrote, on both streams. Why they cannot be read is told in their place.
    pub async fn logs(&self, count: usize) -> Vec<String> {
        let count = count.clamp(1, MOST);
        let options = LogsOptionsBuilder::new().stdout(true).stderr(true).tail(&count.to_string()).build();
        let mut pieces = self.engine().client().logs(self.id(), Some(options)).boxed();
        let mut lines = Lines::default();
        let read = async {
            while let Some(piece) = pieces.next().await {
                lines.take(&piece?);
            }
            Ok::<(), bollard::errors::Error>(())
        };
        let trouble = match tokio::time::timeout(ANSWER, read).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) if is_missing(&error) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("Docker Engine did not answer within {} s", ANSWER.as_secs())),
        };
        let mut lines = lines.last(count);
        lines.extend(trouble.map(|trouble| format!("trainyard: the log of {} cannot be read: {trouble}", self.name())));
        lines
    }
}

/// Puts pieces together to lines.
#[derive(Debug, Default)]
struct Lines {
    whole: Vec<String>,
    output: Vec<u8>,
    errors: Vec<u8>,
}

impl Lines {
    fn take(&mut self, piece: &LogOutput) {
        let (open, bytes) = match piece {
            LogOutput::StdErr { message } => (&mut self.errors, message),
            LogOutput::StdOut { message } | LogOutput::StdIn { message } | LogOutput::Console { message } => {
                (&mut self.output, message)
            }
        };
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match part.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (part, false),
            };
            let room = LONGEST.saturating_sub(open.len());
            open.extend_from_slice(text.get(..room).unwrap_or(text));
            if ends {
                self.whole.push(line(open));
                open.clear();
            }
        }
    }

    fn last(mut self, count: usize) -> Vec<String> {
        let open = [&self.output, &self.errors];
        self.whole.extend(open.into_iter().filter(|open| !open.is_empty()).map(|open| line(open)));
        let surplus = self.whole.len().saturating_sub(count);
        self.whole.drain(..surplus);
        self.whole
    }
}

fn line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.strip_suffix(b"\r").unwrap_or(bytes)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(text: &str) -> LogOutput {
        LogOutput::StdOut { message: text.to_owned().into() }
    }

    fn error(text: &str) -> LogOutput {
        LogOutput::StdErr { message: text.to_owned().into() }
    }

    fn lines(pieces: &[LogOutput], count: usize) -> Vec<String> {
        let mut lines = Lines::default();
        for piece in pieces {
            lines.take(piece);
        }
        lines.last(count)
    }

    #[test]
    fn pieces_of_two_streams_become_lines_however_they_were_cut() {
        let pieces = [output("on"), error("bad\nwor"), output("e\r\ntwo\n"), error("se\n"), output("open")];
        assert_eq!(lines(&pieces, 20), ["bad", "one", "two", "worse", "open"]);
        assert_eq!(lines(&pieces, 2), ["worse", "open"]);
        assert_eq!(lines(&[output("a\n\nb\n")], 9), ["a", "", "b"]);
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let pieces = [output(&"x".repeat(6 << 10)), output(&"x".repeat(6 << 10)), output("\nnext\n")];
        let lines = lines(&pieces, 9);
        assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [LONGEST, 4]);
    }
}
