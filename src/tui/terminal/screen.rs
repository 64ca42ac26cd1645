//! The back end that sends a frame in one write, held together by the terminal where it can, and nothing when nothing changed.
//!
//! ratatui's own back end hides the cursor and resets the colours in every frame, which an idle screen over SSH would pay
//! for. Here bytes are collected; an empty frame stays empty. The cursor is never asked for its place: the answer would
//! come as input and could be lost to the event reader.

use std::fs::File;
use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use super::pen::write_cells;
use crate::tui::probe::Depth;

const FRAME_BEGIN: &[u8] = b"\x1b[?2026h";
const FRAME_END: &[u8] = b"\x1b[?2026l";

/// Collects a frame and sends it whole.
pub(in crate::tui) struct QuietBackend {
    tty: File,
    frame: Vec<u8>,
    cursor: Position,
    depth: Depth,
    has_brackets: bool,
}

impl QuietBackend {
    pub(super) fn new(tty: File, depth: Depth) -> Self {
        let frame = Vec::with_capacity(64 * 1024);
        Self { tty, frame, cursor: Position::ORIGIN, depth, has_brackets: false }
    }

    /// From now on, sends so many colours, and holds frames together if the terminal can.
    pub(super) fn fit(&mut self, depth: Depth, has_brackets: bool) {
        self.depth = depth;
        self.has_brackets = has_brackets;
    }
}

impl Backend for QuietBackend {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        write_cells(content, &mut self.frame, self.depth);
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        // It is hidden for as long as the terminal is ours.
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        Ok(self.cursor)
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.cursor = position.into();
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        let bytes: &[u8] = match clear_type {
            ClearType::All => b"\x1b[2J",
            ClearType::AfterCursor => b"\x1b[J",
            ClearType::BeforeCursor => b"\x1b[1J",
            ClearType::CurrentLine => b"\x1b[2K",
            ClearType::UntilNewLine => b"\x1b[K",
        };
        self.frame.extend_from_slice(bytes);
        Ok(())
    }

    fn size(&self) -> io::Result<Size> {
        let size = rustix::termios::tcgetwinsize(&self.tty)?;
        Ok(Size { width: size.ws_col, height: size.ws_row })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        let size = rustix::termios::tcgetwinsize(&self.tty)?;
        Ok(WindowSize {
            columns_rows: Size { width: size.ws_col, height: size.ws_row },
            pixels: Size { width: size.ws_xpixel, height: size.ws_ypixel },
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        if !self.has_brackets {
            let sent = (&self.tty).write_all(&self.frame);
            self.frame.clear();
            return sent;
        }
        let mut whole = Vec::with_capacity(self.frame.len() + FRAME_BEGIN.len() + FRAME_END.len());
        whole.extend_from_slice(FRAME_BEGIN);
        whole.append(&mut self.frame);
        whole.extend_from_slice(FRAME_END);
        (&self.tty).write_all(&whole)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek, SeekFrom};

    use ratatui::Terminal;
    use ratatui::layout::Rect;
    use ratatui::{TerminalOptions, Viewport};

    use super::*;

    fn written(file: &mut File) -> Vec<u8> {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn terminal(file: &File) -> Terminal<QuietBackend> {
        let options = TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, 20, 2)) };
        Terminal::with_options(QuietBackend::new(file.try_clone().unwrap(), Depth::True), options).unwrap()
    }

    #[test]
    fn a_frame_without_a_difference_sends_nothing() {
        let mut file = tempfile::tempfile().unwrap();
        let mut terminal = terminal(&file);
        terminal.draw(|frame| frame.render_widget("idle", frame.area())).unwrap();
        let first = written(&mut file);
        assert!(first.ends_with(b"idle") && !first.starts_with(FRAME_BEGIN));
        terminal.draw(|frame| frame.render_widget("idle", frame.area())).unwrap();
        assert_eq!(written(&mut file), first);
        terminal.draw(|frame| frame.render_widget("busy", frame.area())).unwrap();
        assert!(written(&mut file).len() > first.len());
    }

    #[test]
    fn a_terminal_that_can_holds_a_frame_together() {
        let mut file = tempfile::tempfile().unwrap();
        let mut terminal = terminal(&file);
        terminal.backend_mut().fit(Depth::True, true);
        terminal.draw(|frame| frame.render_widget("idle", frame.area())).unwrap();
        let first = written(&mut file);
        assert!(first.starts_with(FRAME_BEGIN) && first.ends_with(FRAME_END));
        terminal.draw(|frame| frame.render_widget("idle", frame.area())).unwrap();
        assert_eq!(written(&mut file), first);
    }
}
