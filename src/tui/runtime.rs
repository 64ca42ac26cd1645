//! The loop that connects the model with the terminal and the daemon.
//!
//! One `select!` in a stated order: what ends the program, a frame that is due, keys, what the daemon and the [`workers`]
//! say, the second hand, which goes only while a view needs it. A frame is due only after something changed and never sooner
//! than a thirtieth of a second after the last one, so a flood of events costs thirty frames and an idle screen costs nothing.

mod feed;
mod gather;
mod line;
mod workers;

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::api::client::Client;
use crate::api::types::LineState;

use super::TuiError;
use super::app::Model;
use super::attention::{self, Attention};
use super::clipboard::Clipboard;
use super::clock::Clock;
use super::glyphs::Glyphs;
use super::message::{Cmd, Msg};
use super::metrics::Drawing;
use super::preferences;
use super::projects::{Left, Projects};
use super::terminal::{Caught, SignalThread, StopScope, TerminalGuard};
use super::theme::Theme;
use super::update::update;
use super::views;
use workers::Workers;

/// The shortest time between two frames.
const FRAME: Duration = Duration::from_millis(33);
/// How often durations that grow are drawn.
const SECOND: Duration = Duration::from_secs(1);
/// Messages that may wait; beyond, whoever sends waits.
const MESSAGES: usize = 1_024;
/// Messages taken in before a look at keys and frames.
const AT_ONCE: usize = 256;

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
}

/// Shows the screen until the operator detaches or wants another project. The daemon goes on in any case.
pub async fn run(client: Client, options: Options) -> Result<Left, TuiError> {
    let (caught_sender, mut caught) = mpsc::unbounded_channel();
    let _signals = SignalThread::start(caught_sender.clone())?;
    let guard = TerminalGuard::enter(caught_sender)?;
    let (sender, mut messages) = mpsc::channel(MESSAGES);
    let mut screen = Screen::new(guard, client, options, sender)?;
    let mut input = EventStream::new();
    loop {
        let (frame, second) = (screen.frame_due(), screen.second_due());
        let flow = tokio::select! {
            biased;
            Some(caught) = caught.recv() => screen.caught(caught)?,
            () = reached(frame) => screen.draw()?,
            event = input.next() => screen.input(event)?,
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
        if let Flow::End(left) = flow {
            return Ok(left);
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Flow {
    On,
    End(Left),
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
    workers: Workers,
    attention: Attention,
    clipboard: Clipboard,
    /// Whether the guard has the mouse.
    has_mouse: bool,
    next_frame: Instant,
    next_second: Instant,
}

impl Screen {
    fn new(
        guard: TerminalGuard,
        client: Client,
        options: Options,
        sender: mpsc::Sender<Msg>,
    ) -> Result<Self, TuiError> {
        let variable = |name: &str| std::env::var(name).ok();
        let size = crossterm::terminal::size()?;
        let (theme, glyphs) = (Theme::choose(&variable), Glyphs::choose(&variable));
        let mut model = Model::new(theme, glyphs, Clock::local(), size, crate::disk::now());
        model.is_demo = options.demo.is_some();
        model.is_observer = client.is_observer();
        model.can_switch = options.projects.is_some();
        model.metrics.drawing = Drawing::choose(&variable, model.glyphs);
        preferences::begin(&mut model, &variable);
        let now = Instant::now();
        if let Some(folder) = preferences::configuration(&variable) {
            tokio::spawn(preferences::follow(folder, sender.clone()));
        }
        let workers = Workers::start(client, options, sender);
        let attention = Attention::new(attention::Terminal::of(&variable));
        let clipboard = Clipboard::of(&variable);
        let has_mouse = false;
        let mut screen =
            Self { model, guard, workers, attention, clipboard, has_mouse, next_frame: now, next_second: now };
        screen.fit_mouse()?;
        Ok(screen)
    }

    fn frame_due(&self) -> Option<Instant> {
        self.model.is_dirty.then_some(self.next_frame)
    }

    fn second_due(&self) -> Option<Instant> {
        self.model.needs_the_second_hand().then_some(self.next_second)
    }

    fn draw(&mut self) -> Result<Flow, TuiError> {
        if !self.guard.is_active() {
            return Err(TuiError::Broken);
        }
        self.model.is_dirty = false;
        let model = &self.model;
        self.guard.draw(|frame| views::draw(model, frame))?;
        self.next_frame = Instant::now() + FRAME;
        Ok(Flow::On)
    }

    /// The mouse is ours as long as the model has it.
    fn fit_mouse(&mut self) -> Result<(), TuiError> {
        if self.has_mouse != self.model.has_mouse {
            self.has_mouse = self.model.has_mouse;
            self.guard.take_mouse(self.has_mouse)?;
        }
        Ok(())
    }

    fn second(&mut self) -> Result<Flow, TuiError> {
        self.next_second = Instant::now() + SECOND;
        self.take(Msg::Second)
    }

    fn input(&mut self, event: Option<std::io::Result<Event>>) -> Result<Flow, TuiError> {
        match event {
            Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => self.take(Msg::Key(key)),
            Some(Ok(Event::Mouse(event))) => self.take(Msg::Mouse(event)),
            Some(Ok(Event::Resize(columns, rows))) => self.take(Msg::Resized(columns, rows)),
            Some(Ok(_)) => Ok(Flow::On),
            Some(Err(error)) => Err(TuiError::Terminal(error)),
            None => Err(TuiError::Lost),
        }
    }

    fn caught(&mut self, caught: Caught) -> Result<Flow, TuiError> {
        match caught {
            Caught::End(signal) => return Err(TuiError::Signal { signal }),
            Caught::Lost => return Err(TuiError::Lost),
            Caught::Stop => self.guard.suspend(StopScope::Process)?,
            Caught::Continued => self.guard.resume()?,
        }
        self.model.is_dirty = true;
        Ok(Flow::On)
    }

    fn take(&mut self, message: Msg) -> Result<Flow, TuiError> {
        self.model.now = crate::disk::now();
        let call = self.attention.heard(&self.model.state, &message, Instant::now().into_std());
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
                Cmd::Switch(folder) => return Ok(Flow::End(Left::Switch(folder))),
                Cmd::Suspend => {
                    self.guard.suspend(StopScope::Job)?;
                    self.model.is_dirty = true;
                }
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
