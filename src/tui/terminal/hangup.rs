//! The watch over a terminal that vanishes (a closed window, a dead SSH connection without HUP).
//!
//! Whoever writes to such a terminal may hang, and then nobody would end the program. So a thread waits for the hang-up itself,
//! also while another program has the terminal. It sleeps in the kernel for the whole life of the screen.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc::UnboundedSender;

use super::signals::Caught;

/// How long the loop may take to end in good order.
const GRACE: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };
/// The exit code of a program that died of SIGHUP, as shells count.
const HUNG_UP: i32 = 128 + 1;

/// The thread; dropping it ends it, because its end of the pair hangs up too.
pub(super) struct HangupWatch {
    _ours: UnixStream,
}

impl HangupWatch {
    /// Starts to watch `tty`.
    pub(super) fn start(tty: OwnedFd, lost: UnboundedSender<Caught>) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        thread::Builder::new().name("hang-up".to_owned()).spawn(move || watch(&tty, &theirs, &lost))?;
        Ok(Self { _ours: ours })
    }
}

fn watch(tty: &OwnedFd, end: &UnixStream, lost: &UnboundedSender<Caught>) {
    // No events are asked for: a hang-up is always reported, and input must not wake this thread.
    let mut both = [
        PollFd::from_borrowed_fd(tty.as_fd(), PollFlags::empty()),
        PollFd::from_borrowed_fd(end.as_fd(), PollFlags::empty()),
    ];
    loop {
        match poll(&mut both, None) {
            Ok(_) => break,
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
    let [tty, end] = &both;
    if !end.revents().is_empty() || tty.revents().is_empty() {
        return;
    }
    let _ = lost.send(Caught::Lost);
    let mut only_end = [PollFd::from_borrowed_fd(end.as_fd(), PollFlags::empty())];
    let ended = poll(&mut only_end, Some(&GRACE));
    if matches!(ended, Ok(0)) {
        // The loop hangs. The daemon is another process and goes on; nothing is lost by leaving here.
        std::process::exit(HUNG_UP);
    }
}
