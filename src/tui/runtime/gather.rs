//! Selected rows of a log, asked of the daemon window by window, for no answer may be of any length.

use crate::api::client::{Client, ClientError};
use crate::api::types::{LogAddress, LogLine, LogPiece, LogRowsRequest};
use crate::tui::clipboard::{self, Yank};
use crate::tui::log_view::stamps::Stamps;
use crate::tui::selection::{GatherRequest, MOST_BYTES, MOST_LINES};

/// Lines of one question; the daemon gives no more at once.
const WINDOW: u64 = 2_000;

/// The rows as one text, and how many they are; where something is left out, that is said.
pub(super) async fn gather(client: &Client, request: GatherRequest) -> Result<Yank, String> {
    let GatherRequest { log, first, last, rows, stamps } = request;
    let mut gathered = Gathered { stamps, ..Gathered::default() };
    let come = match rows {
        None => gathered.lines_of(client, &log, first, last).await,
        Some(rows) => gathered.rows_of(client, &log, &rows).await,
    };
    come.map_err(|error| error.to_string())?;
    Ok(gathered.yank(last.saturating_sub(first).saturating_add(1)))
}

/// A piece in parts that the daemon answers at once.
fn windows(piece: &LogPiece) -> Vec<LogPiece> {
    match piece {
        LogPiece::Numbers(numbers) => {
            let most = usize::try_from(WINDOW).unwrap_or(usize::MAX);
            numbers.chunks(most).map(|some| LogPiece::Numbers(some.to_vec())).collect()
        }
        LogPiece::Part { first, end, skip, count } => {
            let mut parts = Vec::new();
            let mut done = 0;
            while done < *count {
                let some = (count - done).min(WINDOW);
                parts.push(LogPiece::Part { first: *first, end: *end, skip: skip + done, count: some });
                done += some;
            }
            parts
        }
    }
}

/// What has come so far.
#[derive(Debug, Default)]
struct Gathered {
    text: String,
    /// The times before the lines, if they are shown.
    stamps: Option<Stamps>,
    lines: u64,
    /// Lines of which the daemon left the end out.
    shortened: u64,
}

impl Gathered {
    /// Lines of a whole log.
    async fn lines_of(&mut self, client: &Client, log: &LogAddress, first: u64, last: u64) -> Result<(), ClientError> {
        let mut next = first;
        while next <= last && !self.is_full() {
            let count = (last - next).saturating_add(1).min(WINDOW);
            let window = client.log_lines(log, next, count).await?;
            if window.lines.is_empty() {
                // The log is shorter than it was.
                break;
            }
            next = next.saturating_add(u64::try_from(window.lines.len()).unwrap_or(WINDOW));
            for line in &window.lines {
                self.add(line);
            }
        }
        Ok(())
    }

    /// Rows that pass a filter.
    async fn rows_of(&mut self, client: &Client, log: &LogAddress, wanted: &LogRowsRequest) -> Result<(), ClientError> {
        for piece in wanted.pieces.iter().flat_map(windows) {
            if self.is_full() {
                break;
            }
            let request = LogRowsRequest { filter: wanted.filter.clone(), pieces: vec![piece] };
            for row in client.log_rows(log, &request).await? {
                self.add(&row.line);
            }
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.lines >= MOST_LINES || self.text.len() >= MOST_BYTES
    }

    /// Takes a line in, as long as there is room; with its time where times are shown and its stage where stages are merged,
    /// as a saved log has it.
    fn add(&mut self, line: &LogLine) {
        if self.is_full() {
            return;
        }
        if let Some(stamps) = &self.stamps {
            self.text.push_str(&stamps.before(line.at));
        }
        if let Some(stage) = &line.stage {
            self.text.push_str(&format!("{stage} | "));
        }
        self.text.push_str(&clipboard::plain(&line.text));
        self.text.push('\n');
        self.lines += 1;
        self.shortened += u64::from(line.cut > 0);
    }

    fn yank(self, wanted: u64) -> Yank {
        let mut what = clipboard::lines(self.lines);
        if self.lines < wanted {
            let why = if self.is_full() { " (no copy holds more; save the log to have all)" } else { "" };
            what = format!("the first {what} of {wanted}{why}");
        }
        if self.shortened > 0 {
            what = format!("{what}, {} of them cut at their ends,", self.shortened);
        }
        Yank { what, text: self.text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Moment;
    use crate::tui::clock::Clock;
    use crate::tui::log_view::Timestamps;

    fn line(text: &str, cut: u64) -> LogLine {
        LogLine { text: text.to_owned(), cut, ..LogLine::default() }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let mut gathered = Gathered::default();
        gathered.add(&line("\u{1b}[32mok\u{1b}[0m", 0));
        gathered.add(&line("long", 7));
        let yank = gathered.yank(3);
        assert_eq!(yank.text, "ok\nlong\n");
        assert_eq!(yank.what, "the first 2 lines of 3, 1 of them cut at their ends,");
    }

    #[test]
    fn of_merged_logs_each_line_says_whose_it_is() {
        let mut gathered = Gathered::default();
        gathered.add(&LogLine { stage: Some("train".into()), ..line("epoch 1", 0) });
        assert_eq!(gathered.yank(1).text, "train | epoch 1\n");
    }

    #[test]
    fn the_times_that_are_shown_are_copied_with_the_lines() {
        let stamps = Stamps { how: Timestamps::Absolute, begin: Moment(0), clock: Clock::utc() };
        let mut gathered = Gathered { stamps: Some(stamps), ..Gathered::default() };
        gathered.add(&LogLine { at: Moment(62_000), ..line("epoch 1", 0) });
        assert_eq!(gathered.yank(1).text, "00:01:02 epoch 1\n");
    }

    #[test]
    fn rows_are_asked_for_in_windows_that_have_each_of_them_once() {
        let part = |skip, count| LogPiece::Part { first: 5, end: 90_000, skip, count };
        assert_eq!(windows(&part(10, 4_100)), [part(10, 2_000), part(2_010, 2_000), part(4_010, 100)]);
        assert_eq!(windows(&part(10, 0)), []);
        let numbers: Vec<u64> = (0..2_001).collect();
        let asked = windows(&LogPiece::Numbers(numbers));
        assert_eq!(asked.len(), 2);
        assert_eq!(asked[1], LogPiece::Numbers(vec![2_000]));
    }

    #[test]
    fn no_copy_grows_without_bounds() {
        let mut gathered = Gathered::default();
        let line = line(&"x".repeat(1 << 20), 0);
        while !gathered.is_full() {
            gathered.add(&line);
        }
        gathered.add(&line);
        assert!(gathered.text.len() <= MOST_BYTES + line.text.len() + 1);
        let what = gathered.yank(1_000).what;
        assert_eq!(what, "the first 8 lines of 1000 (no copy holds more; save the log to have all)");
    }
}
