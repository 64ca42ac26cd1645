//! The terminal guard: takes the terminal, and gives it back as it was, whatever happens.
//!
//! Ways back: a return, an error (both by `Drop`), a panic (the hook), TERM, HUP and INT ([`signals`]), stop and continue
//! ([`TerminalGuard::suspend`]), and a terminal that vanished ([`hangup`]). Giving back is idempotent, so that two of them
//! at once do no harm. Modes are set by `tcsetattr` here and not by crossterm, which remembers them in a global and would
//! not enter raw mode a second time after a stop.

mod hangup;
mod screen;
mod signals;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ratatui::{Frame, Terminal};
use rustix::process::{Signal, getpid, kill_current_process_group, kill_process};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::mpsc::UnboundedSender;

use hangup::HangupWatch;
use screen::QuietBackend;
pub(super) use signals::{Caught, SignalThread};

use super::TuiError;

/// Alternate screen, no cursor, empty.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[2J\x1b[H";
/// Ends a synchronized update that a panic cut off, colours, alternate screen, cursor.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[0m\x1b[?1049l\x1b[?25h";

/// What is needed to give the terminal back, shared with the panic hook.
struct Restorer {
    tty: File,
    saved: Termios,
    active: AtomicBool,
}

impl Restorer {
    fn enter(&self) -> io::Result<()> {
        let mut raw = self.saved.clone();
        raw.make_raw();
        self.active.store(true, Ordering::SeqCst);
        tcsetattr(&self.tty, OptionalActions::Now, &raw)?;
        (&self.tty).write_all(ENTER)
    }

    /// Nothing can be done about errors here: the terminal is gone or it takes what it gets.
    fn restore(&self) {
        if self.active.swap(false, Ordering::SeqCst) {
            // The modes first, and not `Drain`: a terminal that takes no more output would hold us for ever.
            let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.saved);
            let _ = (&self.tty).write_all(LEAVE);
        }
    }
}

/// Who stops when the program stops itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopScope {
    /// A key stops the whole job, as the terminal would have done: whoever started us (`cargo run`) waits otherwise.
    Job,
    /// A signal was meant for this process.
    Process,
}

/// The terminal, taken. Dropping it gives it back.
pub(super) struct TerminalGuard {
    restorer: Arc<Restorer>,
    terminal: Terminal<QuietBackend>,
    _hangup: HangupWatch,
}

impl TerminalGuard {
    /// Takes the terminal. `lost` is told when it vanishes.
    pub(super) fn enter(lost: UnboundedSender<Caught>) -> Result<Self, TuiError> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(TuiError::NotATerminal);
        }
        let tty = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let saved = tcgetattr(&tty).map_err(io::Error::from)?;
        let output = tty.try_clone()?;
        let restorer = Arc::new(Restorer { tty, saved, active: AtomicBool::new(false) });
        restore_on_panic(Arc::clone(&restorer));
        let entered = restorer.enter();
        let guard = entered.and_then(|()| {
            let hangup = HangupWatch::start(io::stdin().as_fd().try_clone_to_owned()?, lost)?;
            let terminal = Terminal::new(QuietBackend::new(output))?;
            Ok(Self { restorer: Arc::clone(&restorer), terminal, _hangup: hangup })
        });
        guard.map_err(|error| {
            restorer.restore();
            TuiError::Terminal(error)
        })
    }

    /// False once a panic anywhere gave the terminal back; nothing must be drawn then.
    pub(super) fn is_active(&self) -> bool {
        self.restorer.active.load(Ordering::SeqCst)
    }

    /// Draws a frame; sends nothing if nothing differs from the last one.
    pub(super) fn draw(&mut self, render: impl FnOnce(&mut Frame)) -> io::Result<()> {
        self.terminal.draw(render).map(|_| ())
    }

    /// Sends what is no part of a frame, such as the bell: whole and between two frames.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() || !self.is_active() {
            return Ok(());
        }
        (&self.restorer.tty).write_all(bytes)
    }

    /// The next frame is sent whole.
    pub(super) fn redraw_all(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Gives the terminal back, stops, and takes it again once the process is continued.
    pub(super) fn suspend(&mut self, scope: StopScope) -> io::Result<()> {
        self.restorer.restore();
        let stopped = match scope {
            StopScope::Job => kill_current_process_group(Signal::STOP),
            StopScope::Process => kill_process(getpid(), Signal::STOP),
        };
        stopped?;
        self.resume()
    }

    /// Gives the terminal back while another program has it; [`Self::resume`] takes it again.
    pub(super) fn lend(&mut self) {
        self.restorer.restore();
    }

    /// Takes the terminal again after somebody else stopped and continued us; the shell may have changed its modes.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        self.restorer.enter()?;
        self.redraw_all()
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        self.restorer.restore();
    }
}

/// The former hook prints, so the terminal must be readable again before it runs.
fn restore_on_panic(restorer: Arc<Restorer>) {
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |information| {
        restorer.restore();
        former(information);
    }));
}
