//! Selected lines of a log, asked of the daemon window by window, for no answer may be of any length.

use crate::api::client::Client;
use crate::tui::clipboard::{self, Yank};
use crate::tui::selection::{GatherRequest, MOST_BYTES, MOST_LINES};

/// Lines of one question; the daemon gives no more at once.
const WINDOW: u64 = 2_000;

/// The lines as one text, and how many they are; where something is left out, that is said.
pub(super) async fn gather(client: &Client, request: GatherRequest) -> Result<Yank, String> {
    let GatherRequest { log, first, last } = request;
    let mut gathered = Gathered::default();
    let mut next = first;
    while next <= last && !gathered.is_full() {
        let count = (last - next).saturating_add(1).min(WINDOW);
        let window = client.log_lines(&log, next, count).await.map_err(|error| error.to_string())?;
        let mut come = 0;
        for line in &window.lines {
            if gathered.is_full() {
                break;
            }
            gathered.add(&line.text, line.cut);
            come += 1;
        }
        if come == 0 {
            // The log is shorter than it was.
            break;
        }
        next = next.saturating_add(come);
    }
    Ok(gathered.yank(last - first + 1))
}

/// What has come so far.
#[derive(Debug, Default)]
struct Gathered {
    text: String,
    lines: u64,
    /// Lines of which the daemon left the end out.
    shortened: u64,
}

impl Gathered {
    fn is_full(&self) -> bool {
        self.lines >= MOST_LINES || self.text.len() >= MOST_BYTES
    }

    fn add(&mut self, text: &str, cut: u64) {
        self.text.push_str(&clipboard::plain(text));
        self.text.push('\n');
        self.lines += 1;
        self.shortened += u64::from(cut > 0);
    }

    fn yank(self, wanted: u64) -> Yank {
        let mut what = clipboard::lines(self.lines);
        if self.lines < wanted {
            what = format!("the first {what} of {wanted}");
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

    #[test]
    fn what_is_left_out_is_said() {
        let mut gathered = Gathered::default();
        gathered.add("\u{1b}[32mok\u{1b}[0m", 0);
        gathered.add("long", 7);
        let yank = gathered.yank(3);
        assert_eq!(yank.text, "ok\nlong\n");
        assert_eq!(yank.what, "the first 2 lines of 3, 1 of them cut at their ends,");
    }

    #[test]
    fn no_copy_grows_without_bounds() {
        let mut gathered = Gathered::default();
        let line = "x".repeat(1 << 20);
        while !gathered.is_full() {
            gathered.add(&line, 0);
        }
        assert!(gathered.text.len() <= MOST_BYTES + line.len() + 1);
    }
}
