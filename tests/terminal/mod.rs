//! The real program in a pseudo-terminal, with its screen read by a terminal emulator.

#![allow(dead_code, unused_imports, reason = "every test file uses its own part of it")]

mod bare;

use std::io::{self, Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, PtyPair, PtySize, native_pty_system};

use crate::support::{PROGRAM, Project, is_stopped};
pub use bare::Bare;

/// How long the screen may take to show something.
const SHOWN: Duration = Duration::from_mins(1);
/// How long the program may take to end.
const END: Duration = Duration::from_secs(20);
/// A screen on which nothing changes for so long has come to rest.
const REST: Duration = Duration::from_millis(1_200);

/// Pieces of one frame are not further apart, and all of it is there in so much time.
const PIECE: Duration = Duration::from_millis(20);
const LONGEST_FRAME: Duration = Duration::from_millis(200);

/// What terminals tell of themselves by the environment, and what changes how the screen looks.
const OF_TERMINALS: [&str; 16] = [
    "NO_COLOR",
    "COLUMNS",
    "LINES",
    "TMUX",
    "STY",
    "SSH_TTY",
    "SSH_CONNECTION",
    "WT_SESSION",
    "ConEmuPID",
    "KITTY_WINDOW_ID",
    "TERM_PROGRAM",
    "COLORTERM",
    "COLORFGBG",
    "TRAINYARD_ASCII",
    "TRAINYARD_THEME",
    "TRAINYARD_BELL",
];

/// A terminal with the screen of a project in it.
pub struct Terminal {
    parser: vt100::Parser,
    output: Receiver<Vec<u8>>,
    input: Box<dyn Write + Send>,
    ended: Receiver<io::Result<ExitStatus>>,
    pair: PtyPair,
    columns: u16,
    sent: Vec<u8>,
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
        Self::run(project, PROGRAM, arguments, columns, rows)
    }

    /// Starts another program so, such as a shell that starts ours.
    pub fn run(project: &Project, program: &str, arguments: &[&str], columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let modes_before = modes(&pair);
        let (ended, pid) = spawn(&pair, command(project, program, arguments));
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
        Self { parser, output, input, ended, pair, columns, sent: Vec::new(), modes_before, pid }
    }

    /// Opens the screen of a project in the same terminal, as the program before it left that.
    pub fn open_again(&mut self, project: &Project) {
        self.modes_before = modes(&self.pair);
        let folder = project.folder().display().to_string();
        (self.ended, self.pid) = spawn(&self.pair, command(project, PROGRAM, &["-C", &folder]));
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
                let whole = self.whole_frame();
                return if shows(&whole) { whole } else { text };
            }
            assert!(self.hear(deadline), "waited in vain for {what}; the screen shows\n{text}");
        }
    }

    /// What is on the screen once the frame that is being drawn has come, for a frame comes in pieces.
    fn whole_frame(&mut self) -> String {
        let longest = Instant::now() + LONGEST_FRAME;
        while Instant::now() < longest && self.hear(Instant::now() + PIECE) {}
        self.text()
    }

    /// All that the program has sent, with what an emulator does not show.
    pub fn sent(&self) -> String {
        String::from_utf8_lossy(&self.sent).into_owned()
    }

    /// Waits until the program has sent something, seen or not.
    #[track_caller]
    pub fn wait_for_bytes(&mut self, wanted: &str) {
        let deadline = Instant::now() + SHOWN;
        while !self.sent().contains(wanted) {
            assert!(self.hear(deadline), "waited in vain for {wanted:?}; the screen shows\n{}", self.text());
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
                self.sent.extend_from_slice(&bytes);
                self.parser.process(&bytes);
                true
            }
            Err(_) => false,
        }
    }

    /// How many bytes the program sends in so much time.
    pub fn listen(&mut self, length: Duration) -> usize {
        let (before, until) = (self.sent.len(), Instant::now() + length);
        while self.hear(until) {}
        self.sent.len() - before
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
        assert!(!screen.bracketed_paste(), "pastes are still marked");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None, "the mouse is still taken");
        assert_eq!(modes(&self.pair), self.modes_before, "the modes of the terminal are not what they were");
        status.unwrap()
    }

    /// Waits for the end of a program that had no chance to give the terminal back.
    #[track_caller]
    pub fn killed(&mut self) -> ExitStatus {
        self.ended.recv_timeout(END).expect("the end of the program").unwrap()
    }

    /// Whether the program is stopped, as by Ctrl-Z.
    pub fn is_stopped(&self) -> bool {
        is_stopped(self.pid)
    }

    /// How often something was sent.
    pub fn count(&self, sequence: &str) -> usize {
        self.sent().matches(sequence).count()
    }

    /// Waits until something was sent more often than `before`.
    #[track_caller]
    pub fn wait_for_another(&mut self, sequence: &str, before: usize) {
        let deadline = Instant::now() + SHOWN;
        while self.count(sequence) <= before {
            assert!(self.hear(deadline), "waited in vain for another {sequence:?}; the screen shows\n{}", self.text());
        }
    }

    /// Whether the modes are another than before the program came.
    pub fn is_raw(&self) -> bool {
        modes(&self.pair) != self.modes_before
    }
}

/// A program with what it finds in its environment: what the terminal of whoever runs the tests is does not count.
fn command(project: &Project, program: &str, arguments: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(program);
    command.args(arguments);
    command.cwd(project.folder());
    for name in OF_TERMINALS {
        command.env_remove(name);
    }
    for (name, value) in project.environment().into_iter().filter(|(name, _)| *name != "COLUMNS") {
        command.env(name, value);
    }
    command
}

/// Starts a program in a terminal; how it ends comes out of the channel.
fn spawn(pair: &PtyPair, command: CommandBuilder) -> (Receiver<io::Result<ExitStatus>>, u32) {
    let mut child = pair.slave.spawn_command(command).unwrap();
    let pid = child.process_id().unwrap();
    let (tell_end, ended) = mpsc::channel();
    thread::spawn(move || tell_end.send(child.wait()));
    (ended, pid)
}

/// The modes of a terminal, all of them: as the system keeps them, and as `stty -a` tells them, where that is there.
fn modes(pair: &PtyPair) -> String {
    let modes = pair.master.get_termios().expect("the modes of the terminal");
    let told = pair.master.tty_name().and_then(|tty| {
        let output = Command::new("stty").arg("-a").arg("-F").arg(tty).env_remove("COLUMNS").output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    });
    // The first line has the size, which whoever holds the terminal changes.
    let told: Vec<&str> = told.as_deref().unwrap_or_default().lines().skip(1).collect();
    format!("{modes:?}\n{}", told.join("\n"))
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}
