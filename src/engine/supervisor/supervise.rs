//! The life of a supervisor, from its lock to the exit file.

use std::io::{self, PipeReader, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, wait};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::files::{AttemptFolder, Exit, Job, MARK, Supervision};
use super::handed::Handed;
use super::tree::{ProcessIdentity, descendants};
use crate::disk::{FileLock, now};
use crate::engine::redact::{RedactedStream, Redactor};
use crate::engine::spool::LogWriter;

/// Room in the pipe and bytes read at once; the larger, the less a chatty stage waits for its supervisor.
const PIPE: usize = 1 << 20;
/// How long KILL may take to work.
const GIVE_UP: Duration = Duration::from_secs(10);
/// How often processes that are being ended are looked for again.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// How long the first bytes of what may be a secret are held back: no longer than people notice at a prompt.
const QUIET: Duration = Duration::from_millis(100);

/// Why an attempt could not be supervised at all. What goes wrong later is in the exit file.
#[derive(Debug, thiserror::Error)]
pub enum SuperviseError {
    /// The folder is not one of an attempt, or cannot be written.
    #[error("cannot supervise {folder}: {source}")]
    Folder {
        /// The folder.
        folder: std::path::PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Runs the job in `folder` to its end. Returns at once, having done nothing, when another supervisor has it or had it.
pub fn supervise(folder: &AttemptFolder) -> Result<(), SuperviseError> {
    let at_folder = |source| SuperviseError::Folder { folder: folder.path().to_owned(), source };
    let Some(_lock) = FileLock::acquire_soon(&folder.lock()).map_err(at_folder)? else { return Ok(()) };
    if folder.has_begun() {
        return Ok(());
    }
    run(folder).map_err(at_folder)
}

fn run(folder: &AttemptFolder) -> io::Result<()> {
    // Already a leader when started by a shell for a test; what matters is to have left the daemon's session.
    let _ = rustix::process::setsid();
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let job = folder.job()?;
    let handed = Handed::read(io::stdin().lock())?;
    let redactor = Arc::new(Redactor::new(&handed.secrets));
    let (stop, stop_sender) = io::pipe()?;
    for signal in [SIGTERM, SIGINT] {
        signal_hook::low_level::pipe::register(signal, OwnedFd::from(stop_sender.try_clone()?))?;
    }
    // A terminal that goes away is not the stage's affair.
    let ignored = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(SIGHUP, ignored)?;
    let reserve = folder.reserve_exit()?;
    let log = LogWriter::create(&folder.log(), &folder.index())?;
    if let Some(supervisor) = ProcessIdentity::own() {
        folder.write_supervision(&Supervision { supervisor, at: now() })?;
    }
    let (output, input) = io::pipe()?;
    // More room only helps; where the limit is lower the pipe keeps its size.
    let _ = rustix::pipe::fcntl_setpipe_size(&input, PIPE);
    let log = RedactedLog { log, stream: RedactedStream::new(redactor.clone()), heard: None };
    let mut exit = match spawn(&job, &handed, input) {
        Ok(child) => Supervisor::new(&job, child, output, stop, log)?.watch(),
        Err(error) => {
            let error = format!("{}: {error}", handed.command.first().map_or("", String::as_str));
            Exit { not_started: Some(redactor.redact(&error).into_owned()), at: now(), ..Exit::default() }
        }
    };
    exit.unredacted = folder.redact(&redactor).err().map(|error| error.to_string());
    folder.write_exit(&reserve, &exit)
}

fn spawn(job: &Job, handed: &Handed, output: io::PipeWriter) -> io::Result<Pid> {
    let empty = || io::Error::new(io::ErrorKind::InvalidInput, "the command is empty");
    let (program, arguments) = handed.command.split_first().ok_or_else(empty)?;
    let child = Command::new(program)
        .args(arguments)
        .current_dir(&job.folder)
        .envs(&handed.environment)
        .env(MARK, &job.mark)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .process_group(0)
        .spawn()?;
    // From here on children are reaped by number, orphans that come to us among them, so `Child` is not kept.
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("the kernel gave no process number"))
}

/// The log, into which no secret goes.
struct RedactedLog {
    log: LogWriter,
    stream: RedactedStream,
    /// When something came last, while the beginning of what may be a secret waits.
    heard: Option<Instant>,
}

impl RedactedLog {
    fn append(&mut self, bytes: &[u8]) {
        let Self { log, stream, heard } = self;
        stream.push(bytes, &mut |clean: &[u8]| log.append(clean));
        *heard = stream.is_unsettled().then(Instant::now);
    }

    /// When what waits is to be written.
    fn deadline(&self) -> Option<Instant> {
        self.heard.map(|heard| heard + QUIET)
    }

    fn settle(&mut self) {
        if self.deadline().is_some_and(|deadline| deadline <= Instant::now()) {
            let Self { log, stream, heard } = self;
            stream.settle(&mut |clean: &[u8]| log.append(clean));
            *heard = None;
        }
    }

    fn finish(&mut self) {
        let Self { log, stream, heard } = self;
        stream.finish(&mut |clean: &[u8]| log.append(clean));
        *heard = None;
    }
}

/// How far a stop has come.
enum Stop {
    No,
    Terminating { kill_at: Instant },
    Killing,
}

struct Supervisor<'a> {
    job: &'a Job,
    child: Pid,
    handle: OwnedFd,
    output: Option<PipeReader>,
    stop_requests: PipeReader,
    log: RedactedLog,
    buffer: Vec<u8>,
    stop: Stop,
    exit: Exit,
    has_ended: bool,
}

impl<'a> Supervisor<'a> {
    fn new(
        job: &'a Job,
        child: Pid,
        output: PipeReader,
        stop_requests: PipeReader,
        log: RedactedLog,
    ) -> io::Result<Self> {
        let handle = pidfd_open(child, PidfdFlags::empty())?;
        rustix::io::ioctl_fionbio(&output, true)?;
        rustix::io::ioctl_fionbio(&stop_requests, true)?;
        Ok(Self {
            job,
            child,
            handle,
            output: Some(output),
            stop_requests,
            log,
            buffer: vec![0; PIPE / 4],
            stop: Stop::No,
            exit: Exit::default(),
            has_ended: false,
        })
    }

    /// Until the stage has ended, its output is drained and nothing of it is left.
    fn watch(mut self) -> Exit {
        while !self.has_ended {
            self.wait(self.stop_deadline());
            self.advance_stop();
        }
        self.drain();
        self.end_what_is_left();
        // What the last processes wrote before they were ended.
        self.read_output();
        self.log.finish();
        self.exit.log_lost = self.log.log.lost();
        self.exit.log_error = self.log.log.error();
        if let Err(error) = self.log.log.sync() {
            self.exit.log_error.get_or_insert_with(|| error.to_string());
        }
        self.exit.at = now();
        self.exit
    }

    /// Waits for output, for the end of the stage or for a request to stop, but not beyond `until`.
    fn wait(&mut self, until: Option<Instant>) {
        let until = until.into_iter().chain(self.log.deadline()).min();
        let timeout = until.map(|until| timespec(until.saturating_duration_since(Instant::now())));
        let mut ready = [false; 3];
        {
            let watched = [
                Some(self.stop_requests.as_fd()),
                // Since Linux 6.9 that of a process which was reaped hangs up for ever, and no wait would be one.
                (!self.has_ended).then(|| self.handle.as_fd()),
                self.output.as_ref().map(AsFd::as_fd),
            ];
            let watching = watched.iter().flatten();
            let mut sources: Vec<PollFd<'_>> =
                watching.map(|source| PollFd::from_borrowed_fd(*source, PollFlags::IN)).collect();
            if poll(&mut sources, timeout.as_ref()).is_ok() {
                let places = ready.iter_mut().zip(&watched).filter(|(_, watched)| watched.is_some());
                for ((ready, _), source) in places.zip(&sources) {
                    *ready = !source.revents().is_empty();
                }
            }
        }
        let [stop, ended, output] = ready;
        if output {
            self.read_output();
        }
        self.log.settle();
        if stop {
            self.begin_stop();
        }
        if ended || stop {
            self.reap();
        }
    }

    /// Takes what is in the pipe, at most a few buffers of it, so that a request to stop is heard above any noise.
    fn read_output(&mut self) {
        for _ in 0..16 {
            let Some(output) = &mut self.output else { return };
            match output.read(&mut self.buffer) {
                Ok(0) => self.output = None,
                Ok(length) => self.log.append(&self.buffer[..length]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => self.output = None,
            }
        }
    }

    fn begin_stop(&mut self) {
        let mut requests = [0; 64];
        let asked = self.stop_requests.read(&mut requests).is_ok_and(|length| length > 0);
        if asked && matches!(self.stop, Stop::No) {
            self.exit.stopped = true;
            self.stop = Stop::Terminating { kill_at: Instant::now() + Duration::from_millis(self.job.grace) };
            signal_all(Signal::TERM);
        }
    }

    fn stop_deadline(&self) -> Option<Instant> {
        match self.stop {
            Stop::No => None,
            Stop::Terminating { kill_at } => Some(kill_at),
            Stop::Killing => Some(Instant::now() + LOOK_AGAIN),
        }
    }

    fn advance_stop(&mut self) {
        match self.stop {
            Stop::Terminating { kill_at } if kill_at <= Instant::now() => self.stop = Stop::Killing,
            _ => {}
        }
        if matches!(self.stop, Stop::Killing) {
            signal_all(Signal::KILL);
        }
    }

    /// Takes the exit of the stage, and of orphans that came to us.
    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid == self.child {
                self.exit.code = status.exit_status();
                self.exit.signal = status.terminating_signal();
                self.has_ended = true;
            }
        }
    }

    /// The stage is over; what it left behind may hold its output open only so long.
    fn drain(&mut self) {
        let until = Instant::now() + Duration::from_millis(self.job.drain);
        while self.output.is_some() && Instant::now() < until {
            self.wait(Some(until));
        }
        self.exit.output_held = self.output.is_some();
    }

    fn end_what_is_left(&mut self) {
        let own = own_pid();
        let left = descendants(own);
        self.exit.left_behind = left.len() as u64;
        if left.is_empty() {
            return;
        }
        let kill_at = Instant::now() + Duration::from_millis(self.job.grace);
        if !matches!(self.stop, Stop::Killing) {
            signal_all(Signal::TERM);
        }
        // What even KILL does not end (another user's process, one stuck in the kernel) must not hide how the stage ended.
        let give_up = kill_at + GIVE_UP;
        while !descendants(own).is_empty() && Instant::now() < give_up {
            if Instant::now() >= kill_at || matches!(self.stop, Stop::Killing) {
                self.stop = Stop::Killing;
                signal_all(Signal::KILL);
            }
            self.wait(Some(Instant::now() + LOOK_AGAIN));
            self.reap();
        }
    }
}

fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}

fn signal_all(signal: Signal) {
    for process in descendants(own_pid()) {
        // One that may not be signalled (another user's, after sudo) is found again by the next look.
        let _ = process.signal(signal);
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    }
}
