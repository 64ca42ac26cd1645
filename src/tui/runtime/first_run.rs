//! The loop of the first run: as that of a project's screen, with the folder in place of a daemon.
//!
//! Whatever looks at the folder does so in a thread of its own, so that keys are never waited for. Changes of the
//! configuration are told by the kernel. Known gap: where it cannot watch, a file that was mended elsewhere is seen once the
//! editor was opened here or the screen is opened again.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossterm::event::{Event, KeyEventKind};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::pace::Pace;
use super::{MESSAGES, answered, lend, reached, variable};
use crate::tui::TuiError;
use crate::tui::app::Model;
use crate::tui::clock::Clock;
use crate::tui::file_changes::FileChanges;
use crate::tui::first_run::{Cmd, FirstRun, Msg, ProjectFolder};
use crate::tui::glyphs::Glyphs;
use crate::tui::log_view::question::Program;
use crate::tui::preferences;
use crate::tui::probe::Abilities;
use crate::tui::terminal::{Caught, Heard, SignalThread, StopScope, TerminalGuard};
use crate::tui::theme::Theme;
use crate::tui::views;

/// Leads to a valid configuration. Whether there is one now; else the operator left.
pub async fn lead(folder: Arc<dyn ProjectFolder>, is_ascii: bool) -> Result<bool, TuiError> {
    let abilities = Abilities::guess(&variable, false);
    let (caught_sender, mut caught) = mpsc::unbounded_channel();
    let _signals = SignalThread::start(caught_sender.clone())?;
    let (guard, mut input) = TerminalGuard::enter(&abilities, caught_sender)?;
    let (sender, mut messages) = mpsc::channel(MESSAGES);
    let file = folder.file();
    tokio::spawn(watch(file.clone(), sender.clone()));
    let mut guide = Guide::new(guard, abilities, folder, sender, is_ascii)?;
    guide.take(Msg::Changed)?;
    loop {
        let frame = guide.frame_due();
        let mut flow = tokio::select! {
            biased;
            Some(caught) = caught.recv() => guide.caught(caught)?,
            () = reached(frame) => guide.draw()?,
            Some(heard) = input.recv() => guide.heard(heard)?,
            Some(message) = messages.recv() => guide.take(message)?,
        };
        while flow == Flow::Edit {
            flow = guide.edit(&mut caught, &file).await?;
        }
        if let Flow::End { is_ready } = flow {
            return Ok(is_ready);
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    On,
    /// The operator's editor gets the terminal.
    Edit,
    End {
        /// Whether there is a valid configuration.
        is_ready: bool,
    },
}

struct Guide {
    first: FirstRun,
    guard: TerminalGuard,
    abilities: Abilities,
    folder: Arc<dyn ProjectFolder>,
    sender: mpsc::Sender<Msg>,
    pace: Pace,
}

impl Guide {
    fn new(
        guard: TerminalGuard,
        abilities: Abilities,
        folder: Arc<dyn ProjectFolder>,
        sender: mpsc::Sender<Msg>,
        is_ascii: bool,
    ) -> Result<Self, TuiError> {
        let theme = Theme::fitting(&variable, abilities.theme());
        let glyphs = if is_ascii { Glyphs::ascii() } else { Glyphs::choose(&variable) };
        let mut model = Model::new(theme, glyphs, Clock::local(), guard.size()?, crate::disk::now());
        preferences::begin(&mut model, &variable);
        let first = FirstRun::new(model, folder.file());
        let pace = Pace::new(Instant::now(), abilities.patience());
        Ok(Self { first, guard, abilities, folder, sender, pace })
    }

    fn frame_due(&self) -> Option<Instant> {
        self.first.model.is_dirty.then(|| self.pace.due())
    }

    fn draw(&mut self) -> Result<Flow, TuiError> {
        if !self.guard.is_active() {
            return Err(TuiError::Broken);
        }
        if self.pace.drawn(Instant::now()) {
            let (columns, rows) = self.guard.size()?;
            self.take(Msg::Resized(columns, rows))?;
        }
        self.first.model.is_dirty = false;
        let first = &self.first;
        self.guard.draw(|frame| views::first_run::draw(first, frame))?;
        Ok(Flow::On)
    }

    fn caught(&mut self, caught: Caught) -> Result<Flow, TuiError> {
        match caught {
            Caught::End(signal) => return Err(TuiError::Signal { signal }),
            Caught::Lost => return Err(TuiError::Lost),
            Caught::Broken => return Err(TuiError::Broken),
            Caught::Stop => {
                self.guard.suspend(StopScope::Process)?;
                self.taken_again();
            }
            Caught::Continued => {
                self.guard.resume()?;
                self.taken_again();
            }
            Caught::Resized => self.pace.resized(Instant::now()),
        }
        self.first.model.is_dirty = true;
        Ok(Flow::On)
    }

    fn heard(&mut self, heard: Heard) -> Result<Flow, TuiError> {
        match heard {
            Heard::Event(Event::Key(key)) if key.kind != KeyEventKind::Release => self.take(Msg::Key(key)),
            // What is pasted is never taken for keys.
            Heard::Event(_) => Ok(Flow::On),
            Heard::Answer(answer) => {
                answered(&answer, &mut self.pace, &mut self.abilities, &mut self.guard, &mut self.first.model)?;
                Ok(Flow::On)
            }
        }
    }

    /// Hands the terminal to the operator's editor until that ends.
    async fn edit(&mut self, caught: &mut mpsc::UnboundedReceiver<Caught>, file: &Path) -> Result<Flow, TuiError> {
        let complaint = lend::open(&mut self.guard, caught, Program::Editor, file).await?;
        self.taken_again();
        self.take(Msg::Edited(complaint))
    }

    /// The terminal may be of another size, and shows nothing of ours any more.
    fn taken_again(&mut self) {
        self.pace.resized(Instant::now());
        self.first.model.is_dirty = true;
    }

    fn take(&mut self, message: Msg) -> Result<Flow, TuiError> {
        let Some(command) = self.first.update(message) else { return Ok(Flow::On) };
        match command {
            Cmd::GoOn => return Ok(Flow::End { is_ready: true }),
            Cmd::Leave => return Ok(Flow::End { is_ready: false }),
            Cmd::Edit => return Ok(Flow::Edit),
            Cmd::Suspend => {
                self.guard.suspend(StopScope::Job)?;
                self.taken_again();
            }
            Cmd::Redraw => self.guard.redraw_all()?,
            Cmd::Look(number) => self.start(move |folder| Msg::Looked(number, folder.look())),
            Cmd::Propose(answers) => self.start(move |folder| {
                let proposal = folder.propose(&answers);
                Msg::Proposed(answers, proposal)
            }),
            Cmd::Withdraw(answers) => self.start(move |folder| Msg::Withdrawn(folder.withdraw(&answers))),
            Cmd::Copy(outside) => self.start(move |folder| Msg::Copied(folder.copy(&outside))),
            Cmd::Write(answers) => self.start(move |folder| Msg::Written(folder.write(&answers))),
        }
        Ok(Flow::On)
    }

    /// Does what may take its time elsewhere.
    fn start(&self, work: impl FnOnce(&dyn ProjectFolder) -> Msg + Send + 'static) {
        let (folder, sender) = (Arc::clone(&self.folder), self.sender.clone());
        tokio::task::spawn_blocking(move || {
            // Whoever left wants no answer.
            let _ = sender.blocking_send(work(folder.as_ref()));
        });
    }
}

/// Says when the configuration may have changed. Ends with whoever listens.
async fn watch(file: PathBuf, sender: mpsc::Sender<Msg>) {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name().map(OsString::from)) else { return };
    let Some(mut changes) = FileChanges::of(move |event| is_about(event, &name)) else { return };
    // Not the file itself: editors put another one in its place.
    if !changes.watch(folder) {
        return;
    }
    while changes.next(&sender).await {
        if sender.send(Msg::Changed).await.is_err() {
            return;
        }
    }
}

fn is_about(event: &notify::Event, name: &OsStr) -> bool {
    event.paths.iter().any(|path| path.file_name() == Some(name))
}
