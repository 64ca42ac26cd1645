//! The loop that connects the model with the terminal and the daemon.
//!
//! One `select!` in a stated order: what ends the program, a frame that is due, keys, what the daemon and the [`workers`]
//! say, the second hand, which goes only while a view needs it. A frame is due only after something changed and never sooner
//! than a thirtieth of a second after the last one, so a flood of events costs thirty frames and an idle screen costs nothing.

mod feed;
mod lend;
mod line;
mod workers;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream, KeyEventKind};
use futures_util::StreamExt;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::api::client::Client;
use crate::api::types::LineState;

use super::TuiError;
use super::app::{Message, Model};
use super::attention::{self, Attention};
use super::clock::Clock;
use super::glyphs::Glyphs;
use super::log_view::question::Program;
use super::message::{Cmd, Msg};
use super::metrics::Drawing;
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
        match flow {
            Flow::On => {}
            Flow::End(left) => return Ok(left),
            Flow::Lend(program, file) => {
                // Its thread would take keys that are meant for the other program.
                drop(input);
                screen.lend(&mut caught, program, &file).await?;
                input = EventStream::new();
            }
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Flow {
    On,
    End(Left),
    /// To another program, which shows this file.
    Lend(Program, PathBuf),
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
        let now = Instant::now();
        let workers = Workers::start(client, options, sender);
        let attention = Attention::new(attention::Terminal::of(&variable));
        Ok(Self { model, guard, workers, attention, next_frame: now, next_second: now })
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

    fn second(&mut self) -> Result<Flow, TuiError> {
        self.next_second = Instant::now() + SECOND;
        self.take(Msg::Second)
    }

    fn input(&mut self, event: Option<std::io::Result<Event>>) -> Result<Flow, TuiError> {
        match event {
            Some(Ok(Event::Key(key))) if key.kind != KeyEventKind::Release => self.take(Msg::Key(key)),
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

    /// Hands the terminal to a program until that ends.
    async fn lend(
        &mut self,
        caught: &mut mpsc::UnboundedReceiver<Caught>,
        program: Program,
        file: &Path,
    ) -> Result<(), TuiError> {
        if let Some(complaint) = lend::lend(&mut self.guard, caught, program, file).await? {
            self.model.message = Some(Message { text: complaint, is_error: true });
        }
        let (columns, rows) = crossterm::terminal::size()?;
        self.take(Msg::Resized(columns, rows)).map(|_| ())
    }

    fn take(&mut self, message: Msg) -> Result<Flow, TuiError> {
        self.model.now = crate::disk::now();
        let call = self.attention.heard(&self.model.state, &message, Instant::now().into_std());
        self.guard.send(&call)?;
        // A message that shows nothing must not take away the frame that an earlier one made due.
        let was_dirty = self.model.is_dirty;
        let commands = update(&mut self.model, message);
        self.model.is_dirty |= was_dirty;
        for command in commands {
            match command {
                Cmd::Quit => return Ok(Flow::End(Left::Detached)),
                Cmd::Lend(program, file) => return Ok(Flow::Lend(program, file)),
                Cmd::Switch(folder) => return Ok(Flow::End(Left::Switch(folder))),
                Cmd::Suspend => {
                    self.guard.suspend(StopScope::Job)?;
                    self.model.is_dirty = true;
                }
                Cmd::Redraw => self.guard.redraw_all()?,
                other => self.workers.start_work(other),
            }
        }
        Ok(Flow::On)
    }
}
