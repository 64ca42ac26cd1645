//! What comes from the terminal, read in a thread of its own and handed to the loop as values.
//!
//! The thread sleeps in the kernel until something comes. It can be told to leave the terminal alone while another program has
//! it, such as a pager, and it ends when the terminal is gone: nothing is ever asked again and again of one that vanished.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{self, UnboundedSender};

use super::decode::{Decoder, Heard};
use super::signals::Caught;
use crate::tui::probe::Answer;

/// Taken from the terminal at once.
const CHUNK: usize = 4 * 1024;
/// Keys that may wait for the loop. Nobody types so far ahead; what is beyond comes from no operator and is dropped.
const WAITING: usize = 16 * 1024;
/// Leave the terminal alone.
const PAUSE: u8 = b'p';
/// Listen again.
const GO_ON: u8 = b'g';
/// How long the thread may take to say that it has left the terminal alone.
const PAUSED: Duration = Duration::from_secs(1);

/// Whether the terminal has answered the last of the questions.
#[derive(Debug, Clone, Default)]
pub(super) struct LastAnswer(Arc<(Mutex<bool>, Condvar)>);

impl LastAnswer {
    fn has_come(&self) {
        let (come, told) = &*self.0;
        *come.lock().unwrap_or_else(PoisonError::into_inner) = true;
        told.notify_all();
    }

    /// Waits for it; false if it does not come in that time.
    pub(super) fn wait(&self, at_most: Duration) -> bool {
        let (come, told) = &*self.0;
        let come = come.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = told.wait_timeout_while(come, at_most, |come| !*come);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The thread; dropping it ends it, because its end of the pair hangs up too.
pub(super) struct InputThread {
    ours: UnixStream,
    is_paused: bool,
}

impl InputThread {
    /// Starts to listen to `tty`; `lost` is told when it is gone.
    pub(super) fn start(
        tty: OwnedFd,
        last_answer: LastAnswer,
        lost: UnboundedSender<Caught>,
    ) -> io::Result<(Self, mpsc::Receiver<Heard>)> {
        let (ours, theirs) = UnixStream::pair()?;
        ours.set_read_timeout(Some(PAUSED))?;
        let (sender, receiver) = mpsc::channel(WAITING);
        let mut listener = Listener { tty, control: theirs, sender, last_answer, decoder: Decoder::default() };
        thread::Builder::new().name("input".to_owned()).spawn(move || {
            if listener.listen() == End::Lost {
                let _ = lost.send(Caught::Lost);
            }
        })?;
        Ok((Self { ours, is_paused: false }, receiver))
    }

    /// Leaves the terminal alone, so that another program can read from it; returns once that is so.
    pub(super) fn pause(&mut self) -> io::Result<()> {
        if self.is_paused {
            return Ok(());
        }
        self.ours.write_all(&[PAUSE])?;
        self.ours.read_exact(&mut [0])?;
        self.is_paused = true;
        Ok(())
    }

    /// Listens again.
    pub(super) fn go_on(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_paused) {
            self.ours.write_all(&[GO_ON])?;
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Nobody wants to hear any more.
    Done,
    /// The terminal is gone.
    Lost,
}

struct Listener {
    tty: OwnedFd,
    control: UnixStream,
    sender: mpsc::Sender<Heard>,
    last_answer: LastAnswer,
    decoder: Decoder,
}

impl Listener {
    fn listen(&mut self) -> End {
        let mut buffer = vec![0_u8; CHUNK];
        loop {
            let patience = self.decoder.patience().and_then(|patience| Timespec::try_from(patience).ok());
            let mut both = [
                PollFd::from_borrowed_fd(self.tty.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.control.as_fd(), PollFlags::IN),
            ];
            let ready = match poll(&mut both, patience.as_ref()) {
                Ok(ready) => ready,
                Err(Errno::INTR) => continue,
                Err(_) => return End::Lost,
            };
            let [tty, control] = &both;
            let (tty, control) = (tty.revents(), control.revents());
            if ready == 0 {
                let mut heard = Vec::new();
                self.decoder.give_up(&mut |piece| heard.push(piece));
                if !self.pass_on(heard) {
                    return End::Done;
                }
            }
            if !control.is_empty() && !self.obey() {
                return End::Done;
            }
            if tty.contains(PollFlags::IN) && control.is_empty() {
                match rustix::io::read(&self.tty, &mut buffer) {
                    Ok(0) => return End::Lost,
                    Ok(length) => {
                        let mut heard = Vec::new();
                        self.decoder.feed(buffer.get(..length).unwrap_or_default(), &mut |piece| heard.push(piece));
                        if !self.pass_on(heard) {
                            return End::Done;
                        }
                    }
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    Err(_) => return End::Lost,
                }
            } else if tty.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                return End::Lost;
            }
        }
    }

    /// Hands on what was heard; false if nobody is there any more.
    fn pass_on(&self, heard: Vec<Heard>) -> bool {
        for piece in heard {
            if piece == Heard::Answer(Answer::Attributes) {
                self.last_answer.has_come();
            }
            if let Err(TrySendError::Closed(_)) = self.sender.try_send(piece) {
                return false;
            }
        }
        true
    }

    /// Does what the other end of the pair says; false if it is gone.
    fn obey(&mut self) -> bool {
        let mut word = [0];
        if self.control.read_exact(&mut word).is_err() {
            return false;
        }
        if word == [PAUSE] {
            if self.control.write_all(&[PAUSE]).is_err() {
                return false;
            }
            // The terminal belongs to somebody else until the next word.
            return self.control.read_exact(&mut word).is_ok();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{Event, KeyCode, KeyEvent};

    use super::*;

    fn key(letter: char) -> Heard {
        Heard::Event(Event::Key(KeyEvent::from(KeyCode::Char(letter))))
    }

    /// A pair stands for the terminal: the first end is what the operator has.
    fn started() -> (UnixStream, InputThread, mpsc::Receiver<Heard>, mpsc::UnboundedReceiver<Caught>, LastAnswer) {
        let (operator, tty) = UnixStream::pair().unwrap();
        let (lost, caught) = mpsc::unbounded_channel();
        let last_answer = LastAnswer::default();
        let (thread, heard) = InputThread::start(tty.into(), last_answer.clone(), lost).unwrap();
        (operator, thread, heard, caught, last_answer)
    }

    #[test]
    fn what_is_typed_arrives_and_the_end_of_the_terminal_is_told() {
        let (mut operator, _thread, mut heard, mut caught, last_answer) = started();
        operator.write_all(b"a\x1b[?6cb").unwrap();
        assert_eq!(heard.blocking_recv(), Some(key('a')));
        assert_eq!(heard.blocking_recv(), Some(Heard::Answer(Answer::Attributes)));
        assert!(last_answer.wait(Duration::ZERO));
        assert_eq!(heard.blocking_recv(), Some(key('b')));
        drop(operator);
        assert_eq!(caught.blocking_recv(), Some(Caught::Lost));
        assert_eq!(heard.blocking_recv(), None);
    }

    #[test]
    fn while_it_pauses_another_program_gets_what_is_typed() {
        let (mut operator, tty) = UnixStream::pair().unwrap();
        let mut pager = tty.try_clone().unwrap();
        let (lost, _caught) = mpsc::unbounded_channel();
        let (mut thread, mut heard) = InputThread::start(tty.into(), LastAnswer::default(), lost).unwrap();
        thread.pause().unwrap();
        operator.write_all(b"x").unwrap();
        let mut typed = [0];
        pager.read_exact(&mut typed).unwrap();
        assert_eq!(&typed, b"x");
        thread.go_on().unwrap();
        operator.write_all(b"y").unwrap();
        assert_eq!(heard.blocking_recv(), Some(key('y')));
    }

    #[test]
    fn an_escape_alone_arrives_after_a_moment() {
        let (mut operator, _thread, mut heard, _caught, _) = started();
        operator.write_all(b"\x1b").unwrap();
        assert_eq!(heard.blocking_recv(), Some(Heard::Event(Event::Key(KeyEvent::from(KeyCode::Esc)))));
    }
}
