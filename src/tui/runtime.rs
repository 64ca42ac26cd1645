//! The loop that connects the model with the terminal and the daemon.
//!
//! One `select!` in a stated order: what ends the program, a frame that is due, keys, what the daemon and the [`workers`]
//! say, the second hand, which goes only while a view needs it. A frame is due only after something changed and when [`pace`]
//! lets it, so a flood of events costs thirty frames a second and an idle screen costs nothing.

mod feed;
mod first_run;
mod gather;
mod lend;
mod line;
mod pace;
mod workers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::api::client::Client;
use crate::api::types::LineState;

use super::TuiError;
use super::app::{Message, Model, Overlay};
use super::attention::{self, Attention};
use super::clipboard::Clipboard;
use super::clock::Clock;
use super::glyphs::Glyphs;
use super::log_view::question::Program;
use super::message::{Cmd, Msg};
use super::metrics::Drawing;
use super::preferences;
use super::probe::{Abilities, Answer};
use super::progress_bar::ProgressBar;
use super::projects::{Left, Projects};
use super::terminal::{Caught, Heard, SignalThread, StopScope, TerminalGuard};
use super::theme::Theme;
use super::title::Title;
use super::update::update;
use super::views;
pub use first_run::lead;
use pace::Pace;
pub(super) use workers::Workers;

/// How often durations that grow are drawn.
const SECOND: Duration = Duration::from_secs(1);
/// Messages that may wait; beyond, whoever sends waits.
const MESSAGES: usize = 1_024;
/// Messages taken in before a look at keys and frames.
const AT_ONCE: usize = 256;
/// More of a paste goes into no field.
const PASTED: usize = 200;

/// Something that the demo does; it returns one sentence for the message line.
pub type DemoHook = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

/// The demo's own keys.
#[derive(Clone)]
pub struct DemoHooks {
    /// Registers the next batch of data.
    pub next_batch: DemoHook,
    /// Breaks the source, or mends it.
    pub break_source: DemoHook,
    /// Makes a release that passes its tests and refuses what clients send, or mends it.
    pub bad_release: DemoHook,
}

/// How the screen is opened.
#[derive(Clone, Default)]
pub struct Options {
    /// The demo's keys, in the demo.
    pub demo: Option<DemoHooks>,
    /// How the line to the daemon's machine is, where there is one.
    pub line: Option<watch::Receiver<LineState>>,
    /// Whether the daemon is on another machine, so that what is not urgent is sent less often.
    pub is_remote: bool,
    /// Lists the projects between which the operator can switch, where he can.
    pub projects: Option<Projects>,
    /// Whether only ASCII signs are drawn, whatever the terminal seems to have.
    pub is_ascii: bool,
}

/// Shows the screen until the operator detaches or wants another project. The daemon goes on in any case.
pub async fn run(client: Client, options: Options) -> Result<Left, TuiError> {
    let (sender, mut messages) = mpsc::channel(MESSAGES);
    // Asked before the terminal is made ready, so that the daemon has answered when that is.
    let workers = Workers::start(client.clone(), options.clone(), sender.clone());
    let abilities = Abilities::guess(&variable, options.is_remote);
    let (caught_sender, mut caught) = mpsc::unbounded_channel();
    let _signals = SignalThread::start(caught_sender.clone())?;
    let (guard, mut input) = TerminalGuard::enter(&abilities, caught_sender)?;
    let mut screen = Screen::new(guard, abilities, &client, &options, workers, sender)?;
    loop {
        let (frame, second) = (screen.frame_due(), screen.second_due());
        let flow = tokio::select! {
            biased;
            Some(caught) = caught.recv() => screen.caught(caught)?,
            () = reached(frame) => screen.draw()?,
            // That nothing more comes is caught as the loss of the terminal.
            Some(heard) = input.recv() => screen.heard(heard)?,
            Some(message) = messages.recv() => {
                let mut flow = screen.take(message)?;
                for _ in 0..AT_ONCE {
                    if flow != Flow::On {
                        break;
                    }
                    let Ok(message) = messages.try_recv() else { break };
                    flow = screen.take(message)?;
                }
                flow
            }
            () = reached(second) => screen.second()?,
        };
        match flow {
            Flow::On => {}
            Flow::End(left) => return Ok(left),
            Flow::Lend(program, file) => {
                screen.lend(&mut caught, program, &file).await?;
            }
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Flow {
    On,
    End(Left),
    /// To another program, which shows this file.
    Lend(Program, PathBuf),
}

/// The terminal said something of itself, in time or late: what it can do, and how the screen looks on it.
fn answered(
    answer: &Answer,
    pace: &mut Pace,
    abilities: &mut Abilities,
    guard: &mut TerminalGuard,
    model: &mut Model,
) -> Result<(), TuiError> {
    if *answer == Answer::Attributes {
        pace.stop_waiting();
    }
    let looks_otherwise = abilities.learn(answer);
    guard.fit(abilities);
    if looks_otherwise {
        model.found.theme = Theme::fitting(&variable, abilities.theme());
        preferences::dress(model);
        model.is_dirty = true;
        guard.redraw_all()?;
    }
    Ok(())
}

async fn reached(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

struct Screen {
    model: Model,
    guard: TerminalGuard,
    abilities: Abilities,
    workers: Workers,
    attention: Attention,
    title: Title,
    progress: ProgressBar,
    pace: Pace,
    clipboard: Clipboard,
    /// Whether the guard has the mouse.
    has_mouse: bool,
    next_second: Instant,
}

impl Screen {
    fn new(
        guard: TerminalGuard,
        abilities: Abilities,
        client: &Client,
        options: &Options,
        workers: Workers,
        sender: mpsc::Sender<Msg>,
    ) -> Result<Self, TuiError> {
        let size = guard.size()?;
        let theme = Theme::fitting(&variable, abilities.theme());
        let glyphs = if options.is_ascii { Glyphs::ascii() } else { Glyphs::choose(&variable) };
        let mut model = Model::new(theme, glyphs, Clock::local(), size, crate::disk::now());
        model.is_demo = options.demo.is_some();
        model.is_observer = client.is_observer();
        model.can_switch = options.projects.is_some();
        model.metrics.drawing = Drawing::choose(&variable, model.glyphs);
        preferences::begin(&mut model, &variable);
        let now = Instant::now();
        let pace = Pace::new(now, abilities.patience()).and_the_daemon(now);
        if let Some(folder) = preferences::configuration(&variable) {
            tokio::spawn(preferences::follow(folder, sender));
        }
        let attention = Attention::new(attention::Terminal::of(&variable));
        let (title, progress) = (Title::default(), ProgressBar::default());
        let (clipboard, has_mouse, next_second) = (Clipboard::of(&variable), false, now);
        let mut screen = Self {
            model,
            guard,
            abilities,
            workers,
            attention,
            title,
            progress,
            pace,
            clipboard,
            has_mouse,
            next_second,
        };
        screen.fit_mouse()?;
        Ok(screen)
    }

    fn frame_due(&self) -> Option<Instant> {
        self.model.is_dirty.then(|| self.pace.due())
    }

    fn second_due(&self) -> Option<Instant> {
        self.model.needs_the_second_hand().then_some(self.next_second)
    }

    fn draw(&mut self) -> Result<Flow, TuiError> {
        if !self.guard.is_active() {
            return Err(TuiError::Broken);
        }
        if self.pace.drawn(Instant::now()) {
            let (columns, rows) = self.guard.size()?;
            let flow = self.take(Msg::Resized(columns, rows))?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        self.model.is_dirty = false;
        let model = &self.model;
        self.guard.draw(|frame| views::draw(model, frame))?;
        if self.abilities.has_title {
            self.guard.send(&self.title.told(model))?;
        }
        if self.abilities.has_progress {
            self.guard.send_progress(&self.progress.told(model))?;
        }
        Ok(Flow::On)
    }

    /// The mouse is ours as long as the model has it.
    fn fit_mouse(&mut self) -> Result<(), TuiError> {
        if self.has_mouse != self.model.has_mouse {
            self.has_mouse = self.model.has_mouse;
            self.guard.mouse(self.has_mouse)?;
        }
        Ok(())
    }

    fn second(&mut self) -> Result<Flow, TuiError> {
        self.next_second = Instant::now() + SECOND;
        self.take(Msg::Second)
    }

    fn heard(&mut self, heard: Heard) -> Result<Flow, TuiError> {
        match heard {
            Heard::Event(Event::Key(key)) if key.kind != KeyEventKind::Release => self.take(Msg::Key(key)),
            Heard::Event(Event::Mouse(event)) => self.take(Msg::Mouse(event)),
            Heard::Event(Event::Paste(text)) => self.paste(&text),
            Heard::Event(_) => Ok(Flow::On),
            Heard::Answer(answer) => {
                answered(&answer, &mut self.pace, &mut self.abilities, &mut self.guard, &mut self.model)?;
                Ok(Flow::On)
            }
        }
    }

    /// What is pasted goes into a field of text, and is never taken for keys that do something.
    fn paste(&mut self, text: &str) -> Result<Flow, TuiError> {
        let letters = text.chars().filter(|letter| !letter.is_control()).take(PASTED);
        for letter in letters {
            if !self.model.overlay.as_ref().is_some_and(takes_text) {
                break;
            }
            let flow = self.take(Msg::Key(KeyEvent::from(KeyCode::Char(letter))))?;
            if flow != Flow::On {
                return Ok(flow);
            }
        }
        Ok(Flow::On)
    }

    fn caught(&mut self, caught: Caught) -> Result<Flow, TuiError> {
        match caught {
            Caught::End(signal) => return Err(TuiError::Signal { signal }),
            Caught::Lost => return Err(TuiError::Lost),
            Caught::Broken => return Err(TuiError::Broken),
            Caught::Stop => self.stop(StopScope::Process)?,
            Caught::Continued => {
                self.guard.resume()?;
                self.taken_again();
            }
            Caught::Resized => self.pace.resized(Instant::now()),
        }
        self.model.is_dirty = true;
        Ok(Flow::On)
    }

    fn stop(&mut self, scope: StopScope) -> Result<(), TuiError> {
        self.guard.suspend(scope)?;
        self.taken_again();
        Ok(())
    }

    /// The terminal may be of another size, and shows nothing of ours any more.
    fn taken_again(&mut self) {
        self.pace.resized(Instant::now());
        self.title = Title::default();
        self.progress = ProgressBar::default();
        self.model.is_dirty = true;
    }

    /// Hands the terminal to a program until that ends.
    async fn lend(
        &mut self,
        caught: &mut mpsc::UnboundedReceiver<Caught>,
        program: Program,
        file: &Path,
    ) -> Result<(), TuiError> {
        if let Some(complaint) = lend::lend(&mut self.guard, caught, program, file).await? {
            self.model.message = Some(Message::complaint(complaint));
        }
        self.taken_again();
        Ok(())
    }

    fn take(&mut self, message: Msg) -> Result<Flow, TuiError> {
        if matches!(message, Msg::Connected(_) | Msg::Lost(_)) {
            self.pace.told();
        }
        self.model.now = crate::disk::now();
        let call = self.attention.heard(self.model.present_state(), &message, Instant::now().into_std());
        if self.model.preferences.bell {
            self.guard.send(&call)?;
        }
        // A message that shows nothing must not take away the frame that an earlier one made due.
        let was_dirty = self.model.is_dirty;
        let commands = update(&mut self.model, message);
        self.model.is_dirty |= was_dirty;
        self.fit_mouse()?;
        for command in commands {
            match command {
                Cmd::Quit => return Ok(Flow::End(Left::Detached)),
                Cmd::Lend(program, file) => return Ok(Flow::Lend(program, file)),
                Cmd::Switch(folder) => return Ok(Flow::End(Left::Switch(folder))),
                Cmd::Suspend => self.stop(StopScope::Job)?,
                Cmd::Redraw => self.guard.redraw_all()?,
                Cmd::Yank(yank) => {
                    let way = self.clipboard.way(&yank.text);
                    self.guard.send(&way.bytes)?;
                    self.workers.keep(yank, way);
                }
                other => self.workers.start_work(other),
            }
        }
        Ok(Flow::On)
    }
}

/// Whether keys are letters of a text, and nothing else, while this lies over the view.
fn takes_text(overlay: &Overlay) -> bool {
    matches!(
        overlay,
        Overlay::Palette { .. }
            | Overlay::Help { .. }
            | Overlay::TimeLine(_)
            | Overlay::FilterList { .. }
            | Overlay::Search { .. }
            | Overlay::Explorer(_)
            | Overlay::Lock { .. }
            | Overlay::Note(_)
    )
}
