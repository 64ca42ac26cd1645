//! The terminal guard: takes the terminal, and gives it back as it was, whatever happens.
//!
//! Ways back: a return, an error (both by `Drop`), a panic, also in a worker (the hook), TERM, HUP, INT and QUIT
//! ([`signals`]), stop and continue ([`TerminalGuard::suspend`]), another program that has the terminal for a while
//! ([`TerminalGuard::lend`], and [`TerminalGuard::put_right`] where that is ended), and a terminal that vanished ([`hangup`]).
//! Giving back is idempotent, so that two of them at once do no harm. Modes are set by `tcsetattr` here and not by crossterm,
//! which remembers them in a global and would not enter raw mode a second time after a stop.

mod colour;
mod decode;
mod hangup;
mod input;
mod job;
mod pen;
mod screen;
mod signals;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ratatui::{Frame, Terminal};
use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::{OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::sync::mpsc::{Receiver, UnboundedSender};

pub(super) use colour::reduced;
pub(super) use decode::Heard;
use hangup::HangupWatch;
use input::{InputThread, LastAnswer};
#[cfg(test)]
pub(super) use pen::write_cells;
use screen::QuietBackend;
pub(super) use signals::{Caught, SignalThread};

use super::TuiError;
use super::probe::Abilities;

/// Keeps the title, alternate screen, no cursor, what is pasted comes marked.
const ENTER: &[u8] = b"\x1b[22;2t\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Empty: a terminal that shows a question which it does not understand does so before this.
const CLEAR: &[u8] = b"\x1b[0m\x1b[2J\x1b[H";
/// Clicks, the wheel and drags, with places beyond column 223.
const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1002h\x1b[?1006h";
const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l";
/// Ends a synchronized update that a panic cut off, marked pastes, colours, alternate screen, cursor, the former title.
const LEAVE: &[u8] = b"\x1b[?2026l\x1b[?2004l\x1b[0m\x1b[?1049l\x1b[?25h\x1b[23;2t";
/// No marked pastes, no colours, no alternate screen, a cursor.
const PLAIN: &[u8] = b"\x1b[?2004l\x1b[0m\x1b[?1049l\x1b[?25h";
/// Takes progress away from beside the window.
const NO_PROGRESS: &[u8] = b"\x1b]9;4;0\x1b\\";

/// What is needed to give the terminal back, shared with the panic hook.
struct Restorer {
    tty: File,
    saved: Termios,
    active: AtomicBool,
    mouse: AtomicBool,
    shows_progress: AtomicBool,
}

impl Restorer {
    /// `questions` are asked on the way in.
    fn enter(&self, questions: &[u8]) -> io::Result<()> {
        let mut raw = self.saved.clone();
        raw.make_raw();
        self.active.store(true, Ordering::SeqCst);
        tcsetattr(&self.tty, OptionalActions::Now, &raw)?;
        let mut bytes = ENTER.to_vec();
        bytes.extend_from_slice(questions);
        bytes.extend_from_slice(CLEAR);
        if self.mouse.load(Ordering::SeqCst) {
            bytes.extend_from_slice(MOUSE_ON);
        }
        (&self.tty).write_all(&bytes)
    }

    /// Nothing can be done about errors here: the terminal is gone or it takes what it gets.
    fn restore(&self) {
        if self.active.swap(false, Ordering::SeqCst) {
            // The modes first, and not `Drain`: a terminal that takes no more output would hold us for ever.
            let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.saved);
            let mut bytes = Vec::new();
            if self.mouse.load(Ordering::SeqCst) {
                bytes.extend_from_slice(MOUSE_OFF);
            }
            if self.shows_progress.swap(false, Ordering::SeqCst) {
                bytes.extend_from_slice(NO_PROGRESS);
            }
            bytes.extend_from_slice(LEAVE);
            let _ = (&self.tty).write_all(&bytes);
        }
    }
}

/// Who stops when the program stops itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StopScope {
    /// A key stops the whole job, as the terminal would have done, but for what we started: see [`job`].
    Job,
    /// A signal was meant for this process.
    Process,
}

/// The terminal, taken. Dropping it gives it back.
pub(super) struct TerminalGuard {
    restorer: Arc<Restorer>,
    terminal: Terminal<QuietBackend>,
    input: InputThread,
    last_answer: LastAnswer,
    answers_until: Instant,
    _hangup: HangupWatch,
}

impl TerminalGuard {
    /// Takes the terminal and asks what it can do. `lost` is told when it vanishes; what comes from it is received.
    pub(super) fn enter(
        abilities: &Abilities,
        lost: UnboundedSender<Caught>,
    ) -> Result<(Self, Receiver<Heard>), TuiError> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(TuiError::NotATerminal);
        }
        let tty = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let saved = tcgetattr(&tty).map_err(io::Error::from)?;
        let output = tty.try_clone()?;
        let restorer = Arc::new(Restorer {
            tty,
            saved,
            active: AtomicBool::new(false),
            mouse: AtomicBool::new(false),
            shows_progress: AtomicBool::new(false),
        });
        restore_on_panic(Arc::clone(&restorer), lost.clone());
        let last_answer = LastAnswer::default();
        let entered = restorer.enter(&abilities.questions());
        let guard = entered.and_then(|()| {
            let hangup = HangupWatch::start(io::stdin().as_fd().try_clone_to_owned()?, lost.clone())?;
            let stdin = io::stdin().as_fd().try_clone_to_owned()?;
            let (input, heard) = InputThread::start(stdin, last_answer.clone(), lost)?;
            let terminal = Terminal::new(QuietBackend::new(output, abilities.depth))?;
            let answers_until = Instant::now() + abilities.patience();
            let restorer = Arc::clone(&restorer);
            Ok((Self { restorer, terminal, input, last_answer, answers_until, _hangup: hangup }, heard))
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

    /// Columns and rows.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        let size = tcgetwinsize(&self.restorer.tty)?;
        Ok((size.ws_col, size.ws_row))
    }

    /// From now on, uses what the terminal said that it can do.
    pub(super) fn fit(&mut self, abilities: &Abilities) {
        self.terminal.backend_mut().fit(abilities.depth, abilities.has_brackets);
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

    /// Sends progress, which is taken away again with the terminal.
    pub(super) fn send_progress(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !bytes.is_empty() {
            self.restorer.shows_progress.store(true, Ordering::SeqCst);
        }
        self.send(bytes)
    }

    /// Takes the mouse or gives it back to the terminal; it goes with the terminal in every way of leaving.
    pub(super) fn mouse(&mut self, is_ours: bool) -> io::Result<()> {
        if self.restorer.mouse.swap(is_ours, Ordering::SeqCst) == is_ours {
            return Ok(());
        }
        self.send(if is_ours { MOUSE_ON } else { MOUSE_OFF })
    }

    /// The next frame is sent whole.
    pub(super) fn redraw_all(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Gives the terminal back, stops, and takes it again once the process is continued.
    pub(super) fn suspend(&mut self, scope: StopScope) -> io::Result<()> {
        self.settle_answers();
        self.restorer.restore();
        let stopped = match scope {
            StopScope::Job => job::stop(),
            StopScope::Process => kill_process(getpid(), Signal::STOP).map_err(io::Error::from),
        };
        stopped?;
        self.resume()
    }

    /// Takes the terminal again after somebody else stopped and continued us; the shell may have changed its modes.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        self.restorer.enter(&[])?;
        self.redraw_all()
    }

    /// Gives the terminal to another program, such as a pager, until [`Self::take_back`].
    pub(super) fn lend(&mut self) -> io::Result<()> {
        self.settle_answers();
        self.input.pause()?;
        self.restorer.restore();
        Ok(())
    }

    /// Takes it again from a program to which it was lent.
    pub(super) fn take_back(&mut self) -> io::Result<()> {
        let resumed = self.resume();
        self.input.go_on()?;
        resumed
    }

    /// Puts right what a program to which it was lent has left behind when it was ended: that program gave nothing back.
    pub(super) fn put_right(&self) {
        let _ = tcsetattr(&self.restorer.tty, OptionalActions::Now, &self.restorer.saved);
        let _ = (&self.restorer.tty).write_all(&[MOUSE_OFF, PLAIN].concat());
    }

    /// Answers that are still on their way must not be taken for something that is typed into what comes after us.
    fn settle_answers(&self) {
        let left = self.answers_until.saturating_duration_since(Instant::now());
        if left > Duration::ZERO && !self.last_answer.wait(left) {
            let _ = tcflush(&self.restorer.tty, QueueSelector::IFlush);
        }
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        if self.is_active() {
            self.settle_answers();
        }
        self.restorer.restore();
    }
}

/// The former hook prints, so the terminal must be readable again before it runs.
fn restore_on_panic(restorer: Arc<Restorer>, broken: UnboundedSender<Caught>) {
    let former = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |information| {
        restorer.restore();
        // With nothing to draw, the loop would not see for long that the terminal is not ours any more.
        let _ = broken.send(Caught::Broken);
        former(information);
    }));
}
