//! The desk at which one case after the other is tried: a project, its screen in a terminal, and the way in which a command
//! is struck.

use std::fs;

use trainyard::tui::screen_commands;

use crate::support::{Project, customers};
use crate::terminal::Terminal;

pub const ESCAPE: &str = "\u{1b}";
const COLUMNS: u16 = 120;
const ROWS: u16 = 40;

/// What the palette says as long as it is open.
const PALETTE: &str = "Enter does it";

/// 200 lines: three errors, a warning, a line that is too long for the screen, and one of JSON.
const TALKATIVE: &str = r#"i=1
while [ $i -le 197 ]; do
  case $i in
    20|120|180) echo "ERROR: needle $i" ;;
    60) echo "WARN something $i" ;;
    *) echo "step $i" ;;
  esac
  i=$((i+1))
done
printf 'long'; printf ' and longer%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; echo ' than the screen'
echo '{"level":"info","message":"readable","count":7}'
echo 'the last line'
"#;

/// One command: how one comes to where it works, and what is seen after it was struck.
pub struct Case {
    /// The stable name of the command.
    pub id: &'static str,
    course: fn(&mut Desk),
    not_in_the_palette: Option<&'static str>,
}

/// A command that is struck by its keys and by the palette.
pub const fn case(id: &'static str, course: fn(&mut Desk)) -> Case {
    Case { id, course, not_in_the_palette: None }
}

/// A command that the palette does not have, and why.
pub const fn case_of_keys(id: &'static str, reason: &'static str, course: fn(&mut Desk)) -> Case {
    Case { id, course, not_in_the_palette: Some(reason) }
}

/// How a command is struck.
#[derive(Debug)]
enum Way {
    /// By a key, as people read it.
    Key(String),
    /// By its name in the palette.
    Palette(String),
}

/// A project and its screen.
pub struct Desk {
    // The terminal goes before the project.
    pub terminal: Terminal,
    pub project: Project,
    way: Option<Way>,
}

impl Desk {
    /// The screen of a project in a terminal.
    pub fn open(project: Project) -> Self {
        let terminal = Terminal::open(&project, COLUMNS, ROWS);
        Self::with(project, terminal)
    }

    /// The screen that these arguments open.
    pub fn start(project: Project, arguments: &[&str]) -> Self {
        let terminal = Terminal::start(&project, arguments, COLUMNS, ROWS);
        Self::with(project, terminal)
    }

    fn with(project: Project, terminal: Terminal) -> Self {
        let mut desk = Self { terminal, project, way: None };
        desk.see("? help");
        desk
    }

    /// Opens the screen anew, after it was left.
    pub fn reopen(&mut self) {
        self.terminal = Terminal::open(&self.project, COLUMNS, ROWS);
        self.see("q detach");
    }

    /// Goes through cases, each by every key of its command and then by the palette.
    pub fn go_through(&mut self, cases: &[Case]) {
        let commands = screen_commands();
        for case in cases {
            let command = commands.iter().find(|command| command.id == case.id);
            let command = command.unwrap_or_else(|| panic!("the table has no command {}", case.id));
            let keys = command.keys.iter().cloned().map(Way::Key);
            let name = command.id.replace('-', " ");
            let palette = case.not_in_the_palette.is_none().then_some(Way::Palette(name));
            for way in keys.chain(palette) {
                // Shown only if the test fails.
                println!("{} by {way:?}", case.id);
                self.way = Some(way);
                (case.course)(self);
                assert!(self.way.is_none(), "the case of {} never strikes", case.id);
            }
        }
    }

    /// Strikes the command that is tried.
    #[track_caller]
    pub fn strike(&mut self) {
        match self.way.take().expect("a case strikes once") {
            Way::Key(label) => self.terminal.press(&sent_by(&label)),
            Way::Palette(name) => {
                self.terminal.press(":");
                self.see(PALETTE);
                self.terminal.press(&name);
                let row = format!("▸ {name} ");
                self.terminal.wait_for(&format!("{name} to be chosen in the palette"), |text| text.contains(&row));
                self.terminal.press("\r");
                self.lose(PALETTE);
            }
        }
    }

    /// Waits for a text on the screen.
    #[track_caller]
    pub fn see(&mut self, text: &str) -> String {
        self.terminal.wait_for_text(text)
    }

    /// Waits until a text is not on the screen any more.
    #[track_caller]
    pub fn lose(&mut self, text: &str) {
        self.terminal.wait_for(&format!("`{text}` to go away"), |shown| !shown.contains(text));
    }

    /// Waits until the first line has a text.
    #[track_caller]
    pub fn see_above(&mut self, text: &str) {
        self.terminal.wait_for(&format!("`{text}` in the first line"), |shown| above(shown).contains(text));
    }

    /// Waits until the first line has a text no more.
    #[track_caller]
    pub fn lose_above(&mut self, text: &str) {
        let what = format!("`{text}` to leave the first line");
        self.terminal.wait_for(&what, |shown| !above(shown).contains(text));
    }

    /// Presses the key of a view, and waits until it is there.
    #[track_caller]
    pub fn show(&mut self, key: &str, view: &str) {
        self.terminal.press(key);
        self.see_above(view);
    }

    /// Presses a key, and waits for a text.
    #[track_caller]
    pub fn press_and_see(&mut self, key: &str, text: &str) {
        self.terminal.press(key);
        self.see(text);
    }

    /// Presses a key, and waits until a text is gone.
    #[track_caller]
    pub fn press_and_lose(&mut self, key: &str, text: &str) {
        self.terminal.press(key);
        self.lose(text);
    }

    /// Strikes what shows something that was not there, and takes it away by a key.
    #[track_caller]
    pub fn strike_there_and_back(&mut self, shown: &str, back: &str) {
        assert!(!self.terminal.text().contains(shown), "`{shown}` is there already:\n{}", self.terminal.text());
        self.strike();
        self.see(shown);
        self.press_and_lose(back, shown);
    }
}

fn above(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// What a terminal sends for a key.
fn sent_by(label: &str) -> String {
    let named = match label {
        "Enter" => "\r",
        "Esc" => ESCAPE,
        "Tab" => "\t",
        "Shift-Tab" => "\u{1b}[Z",
        "Up" => "\u{1b}[A",
        "Down" => "\u{1b}[B",
        "Right" => "\u{1b}[C",
        "Left" => "\u{1b}[D",
        "Home" => "\u{1b}[H",
        "End" => "\u{1b}[F",
        "PgUp" => "\u{1b}[5~",
        "PgDn" => "\u{1b}[6~",
        "Space" => " ",
        other => other,
    };
    if let Some(letter) = named.strip_prefix("Ctrl-") {
        let letter = letter.as_bytes()[0] & 0x1f;
        return char::from(letter).to_string();
    }
    assert!(
        named.starts_with(char::is_control) || named.chars().count() == 1,
        "what does a terminal send for {label}?"
    );
    named.to_owned()
}

/// A project without releases, whose two runs have passed; the second stage talks. A pager and an editor leave copies of what
/// they were to show.
pub fn quiet() -> Desk {
    let project = Project::light_with("", TALKATIVE);
    for (name, copy) in [("PAGER", "paged"), ("VISUAL", "edited")] {
        let script = project.outside().join(format!("{copy}.sh"));
        fs::write(&script, format!("cp \"$1\" '{}'\n", project.outside().join(copy).display())).unwrap();
        project.set(name, format!("sh {}", script.display()));
    }
    project.up();
    project.register("first.csv", customers(0, 20));
    project.expect_run(1, "passed");
    project.register("second.csv", customers(20, 20));
    project.expect_run(2, "passed");
    Desk::open(project)
}
