//! The real program in a pseudo-terminal, with its screen read by a terminal emulator.

#![allow(dead_code, reason = "every test file uses its own part of it")]

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, PtyPair, PtySize, native_pty_system};

use crate::support::{PROGRAM, Project};

/// How long the screen may take to show something.
const SHOWN: Duration = Duration::from_mins(1);
/// How long the program may take to end.
const END: Duration = Duration::from_secs(20);
/// A screen on which nothing changes for so long has come to rest.
const REST: Duration = Duration::from_millis(1_200);

/// A terminal with the screen of a project in it.
pub struct Terminal {
    parser: vt100::Parser,
    output: Receiver<Vec<u8>>,
    input: Box<dyn Write + Send>,
    ended: Receiver<std::io::Result<ExitStatus>>,
    pair: PtyPair,
    columns: u16,
    received: usize,
    modes_before: String,
    /// The program.
    pub pid: u32,
}

impl Terminal {
    /// Opens the screen of a project in a terminal of this size.
    pub fn open(project: &Project, columns: u16, rows: u16) -> Self {
        Self::start(project, &["-C", &project.folder().display().to_string()], columns, rows)
    }

    /// Starts the program with these arguments, in the folder and the environment of a project.
    pub fn start(project: &Project, arguments: &[&str], columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut command = CommandBuilder::new(PROGRAM);
        command.args(arguments);
        command.cwd(project.folder());
        for (name, value) in project.environment() {
            command.env(name, value);
        }
        for name in ["NO_COLOR", "COLUMNS", "LINES"] {
            command.env_remove(name);
        }
        let modes_before = modes(&pair);
        let mut child = pair.slave.spawn_command(command).unwrap();
        let pid = child.process_id().unwrap();
        let (tell_end, ended) = mpsc::channel();
        thread::spawn(move || tell_end.send(child.wait()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let (tell, output) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length) = reader.read(&mut buffer) {
                if length == 0 || tell.send(buffer[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        let input = pair.master.take_writer().unwrap();
        let parser = vt100::Parser::new(cells(rows), cells(columns), 0);
        Self { parser, output, input, ended, pair, columns, received: 0, modes_before, pid }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.input.write_all(keys.as_bytes()).unwrap();
        self.input.flush().unwrap();
    }

    /// What is on the screen, row by row.
    pub fn rows(&self) -> Vec<String> {
        self.parser.screen().rows(0, self.columns).collect()
    }

    /// What is on the screen.
    pub fn text(&self) -> String {
        self.rows().join("\n")
    }

    /// Waits until the screen shows something, and returns all that it shows then.
    #[track_caller]
    pub fn wait_for(&mut self, what: &str, shows: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + SHOWN;
        loop {
            let text = self.text();
            if shows(&text) {
                return text;
            }
            assert!(self.hear(deadline), "waited in vain for {what}; the screen shows\n{text}");
        }
    }

    /// Waits for a text on the screen.
    #[track_caller]
    pub fn wait_for_text(&mut self, wanted: &str) -> String {
        self.wait_for(&format!("`{wanted}`"), |text| text.contains(wanted))
    }

    /// Takes in what the program sends next; false if nothing comes until then.
    fn hear(&mut self, until: Instant) -> bool {
        match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(bytes) => {
                self.received += bytes.len();
                self.parser.process(&bytes);
                true
            }
            Err(_) => false,
        }
    }

    /// How many bytes the program sends in so much time.
    pub fn listen(&mut self, length: Duration) -> usize {
        let (before, until) = (self.received, Instant::now() + length);
        while self.hear(until) {}
        self.received - before
    }

    /// Waits until the screen has come to rest.
    #[track_caller]
    pub fn rest(&mut self) {
        let deadline = Instant::now() + SHOWN;
        while self.listen(REST) > 0 {
            assert!(Instant::now() < deadline, "the screen does not come to rest:\n{}", self.text());
        }
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.columns = columns;
        self.parser.set_size(cells(rows), cells(columns));
        self.pair.master.resize(size(columns, rows)).unwrap();
    }

    /// Waits for the end of the program, and checks that the terminal is as it was found.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let ended = self.ended.recv_timeout(END);
        let Ok(status) = ended else { panic!("the program did not end; the screen shows\n{}", self.text()) };
        // What it sent last may still be on its way.
        self.listen(Duration::from_millis(300));
        let screen = self.parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen was not left");
        assert!(!screen.hide_cursor(), "the cursor was not given back");
        assert_eq!(modes(&self.pair), self.modes_before, "the modes of the terminal are not what they were");
        status.unwrap()
    }

    /// Whether the modes are another than before the program came.
    pub fn is_raw(&self) -> bool {
        modes(&self.pair) != self.modes_before
    }
}

/// The modes of a terminal, all of them, as `stty -a` would show them.
fn modes(pair: &PtyPair) -> String {
    let modes = pair.master.get_termios().expect("the modes of the terminal");
    format!("{modes:?}")
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}
