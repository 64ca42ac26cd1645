//! Signals, caught in a thread of their own and handed to the loop as values.

use std::io;
use std::thread;

use signal_hook::consts::{SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};
use tokio::sync::mpsc::UnboundedSender;

/// Every signal that would end the program and that can be caught, those of job control, and that of another size.
const CAUGHT: [i32; 10] = [SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGALRM, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT, SIGWINCH];

/// What was caught.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Caught {
    /// End now, because of this signal.
    End(i32),
    /// Stop, as a shell's job control wants it.
    Stop,
    /// The process was continued.
    Continued,
    /// The terminal has another size.
    Resized,
    /// The terminal vanished.
    Lost,
    /// A panic somewhere gave the terminal back.
    Broken,
}

/// The thread; dropping it ends it.
pub(in crate::tui) struct SignalThread {
    handle: Handle,
}

impl SignalThread {
    /// Starts to catch.
    pub(in crate::tui) fn start(sender: UnboundedSender<Caught>) -> io::Result<Self> {
        let mut signals = Signals::new(CAUGHT)?;
        let handle = signals.handle();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                let caught = match signal {
                    SIGTSTP => Caught::Stop,
                    SIGCONT => Caught::Continued,
                    SIGWINCH => Caught::Resized,
                    other => Caught::End(other),
                };
                if sender.send(caught).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { handle })
    }
}

impl Drop for SignalThread {
    fn drop(&mut self) {
        self.handle.close();
    }
}
