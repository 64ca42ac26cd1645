//! The screen without a screen: the board as sentences, then one line for each event, and commands by their names.
//!
//! For those who have screens read to them, for pipes, and for terminals that move no cursor. It is the same client with the
//! same model, the same table of commands and the same questions before something that serves is changed; only that what is
//! said is written once, in lines, and nothing is ever drawn over. [`words`] reads what is typed, [`answers`] knows what was
//! asked for and what came of it, [`sentences`] say what is.

mod answers;
mod sentences;
mod words;

use std::io::{self, Write};

use tokio::sync::mpsc;

use self::answers::{Asked, Told};
use self::words::{Deed, Order, Question};
use super::TuiError;
use super::app::Model;
use super::clock::Clock;
use super::commands::by_id;
use super::glyphs::{self, Glyphs};
use super::message::{Cmd, Msg};
use super::runtime::{Options, Workers};
use super::theme::Theme;
use super::update::update;
use super::widgets::text::sanitize;
use crate::api::client::Client;
use crate::api::types::StreamItem;

/// Messages that may wait; beyond, whoever sends waits.
const MESSAGES: usize = 1_024;
/// No line is ever cut to that size; some of what the model keeps depends on one.
const SIZE: (u16, u16) = (80, 24);

/// Whether the terminal moves no cursor, so that only lines are of use.
pub fn wants_lines(variable: &dyn Fn(&str) -> Option<String>) -> bool {
    !super::probe::moves_its_cursor(&variable("TERM").unwrap_or_default())
}

/// Tells in lines what the daemon says, and does what is typed, until `quit` or, once all is answered, the end of `typed`.
pub async fn lines(
    client: Client,
    options: Options,
    mut typed: mpsc::Receiver<String>,
    out: &mut impl Write,
) -> Result<(), TuiError> {
    let variable = |name: &str| std::env::var(name).ok();
    let glyphs = if options.is_ascii { Glyphs::ascii() } else { Glyphs::choose(&variable) };
    let mut model = Model::new(Theme::default(), glyphs, Clock::local(), SIZE, crate::disk::now());
    model.is_observer = client.is_observer();
    if let Some(cancel) = by_id("cancel") {
        // Here it is a word, and no text is to name a key.
        model.preferences.keymap.set(cancel, Vec::new());
    }
    let (sender, mut messages) = mpsc::channel(MESSAGES);
    let workers = Workers::start(client, options, sender);
    let mut plain =
        Plain { model, workers, question: None, asked: Asked::default(), is_lost: false, is_greeted: false };
    let mut is_typing = true;
    loop {
        if !is_typing && plain.is_idle() {
            return Ok(());
        }
        let said = tokio::select! {
            biased;
            Some(message) = messages.recv() => plain.take(message),
            line = typed.recv(), if is_typing && plain.is_greeted => match line {
                Some(line) => match plain.read(&line) {
                    Some(said) => said,
                    None => return Ok(()),
                },
                None => {
                    is_typing = false;
                    Vec::new()
                }
            },
        };
        match plain.write(&said, out) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
    }
}

struct Plain {
    model: Model,
    workers: Workers,
    question: Option<Question>,
    asked: Asked,
    is_lost: bool,
    /// Whether the board was told, so that what is typed can be understood.
    is_greeted: bool,
}

impl Plain {
    /// Whether nothing more is to be waited for, once nothing more is typed.
    fn is_idle(&self) -> bool {
        self.is_lost || (self.is_greeted && self.asked.is_answered())
    }

    /// Takes in what the daemon says; what there is to tell of it.
    fn take(&mut self, message: Msg) -> Vec<String> {
        self.model.now = crate::disk::now();
        let mut said = Vec::new();
        let is_snapshot = matches!(message, Msg::Connected(_) | Msg::Resumed(_));
        match &message {
            Msg::Lost(reason) if !self.is_lost => said.push(format!("The daemon is not heard: {reason}.")),
            Msg::Stream(item) => said.extend(self.event(item)),
            _ => {}
        }
        let mut is_told_by_the_model = false;
        match self.asked.hear(&self.model, &message) {
            Told::Nothing => {}
            Told::Lines(lines) => said.extend(lines),
            Told::ByTheModel => is_told_by_the_model = true,
            Told::Next(command) => self.workers.start_work(command),
        }
        self.is_lost = matches!(message, Msg::Lost(_)) || (self.is_lost && !is_snapshot);
        for command in update(&mut self.model, message) {
            // Nothing is visible, so nothing of what views ask for is needed.
            if matches!(command, Cmd::Reconnect | Cmd::FetchPlan) {
                self.workers.start_work(command);
            }
        }
        if is_snapshot && !std::mem::replace(&mut self.is_greeted, true) {
            said.extend(sentences::board(&self.model));
            said.push("Type `help` for what can be done, `quit` to leave; the daemon goes on.".to_owned());
        } else if is_snapshot {
            said.push("The daemon is heard again.".to_owned());
        }
        if is_told_by_the_model && let Some(message) = self.model.message.take() {
            said.push(message.text);
        }
        said
    }

    fn event(&self, item: &StreamItem) -> Option<String> {
        match item {
            StreamItem::Event(recorded) if recorded.sequence > self.model.state.sequence => {
                Some(sentences::event(&self.model, recorded))
            }
            StreamItem::Event(_) | StreamItem::Live(_) | StreamItem::Changes(_) | StreamItem::Behind => None,
        }
    }

    /// Does what a line says; what there is to tell of it, nothing if it is the end.
    fn read(&mut self, line: &str) -> Option<Vec<String>> {
        self.model.now = crate::disk::now();
        if let Some(question) = self.question.take() {
            return Some(if question.is_answered_by(line) {
                self.ask(question.deed);
                vec!["It is asked for.".to_owned()]
            } else {
                vec!["Nothing was done.".to_owned()]
            });
        }
        match words::read(&self.model, line) {
            Order::Nothing => Some(Vec::new()),
            Order::Quit => None,
            Order::Say(said) => Some(said),
            Order::Do(deed) => {
                self.ask(deed);
                Some(Vec::new())
            }
            Order::Ask(question) => {
                let said = vec![question.text.clone()];
                self.question = Some(question);
                Some(said)
            }
        }
    }

    fn ask(&mut self, deed: Deed) {
        let command = self.asked.begin(&self.model, deed);
        self.workers.start_work(command);
    }

    /// Writes lines, each without anything that would command a terminal.
    fn write(&self, said: &[String], out: &mut impl Write) -> io::Result<()> {
        for line in said {
            let line = sanitize(line);
            if self.model.glyphs.is_ascii {
                writeln!(out, "{}", glyphs::in_ascii(&line))?;
            } else {
                writeln!(out, "{line}")?;
            }
        }
        out.flush()
    }
}
