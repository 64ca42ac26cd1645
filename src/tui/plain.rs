//! The screen without a screen: the board as sentences, then one line for each event, and commands by their names.
//!
//! For those who have screens read to them, for pipes, and for terminals that move no cursor. It is the same client with the
//! same model, the same table of commands and the same questions before something that serves is changed; only that what is
//! said is written once, in lines, and nothing is ever drawn over. [`words`] reads what is typed, [`sentences`] say what is.

mod sentences;
mod words;

use std::io::{self, Write};

use tokio::sync::mpsc;

use self::words::{Deed, Order, Question};
use super::TuiError;
use super::app::Model;
use super::clock::Clock;
use super::glyphs::{self, Glyphs};
use super::message::{Cmd, Msg};
use super::models::Question as AboutModels;
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
    let (sender, mut messages) = mpsc::channel(MESSAGES);
    let workers = Workers::start(client, options, sender);
    let mut plain = Plain { model, workers, question: None, awaited: 0, is_lost: false, is_greeted: false };
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
    /// Answers that are still to come.
    awaited: usize,
    is_lost: bool,
    /// Whether the board was told, so that what is typed can be understood.
    is_greeted: bool,
}

impl Plain {
    /// Whether nothing more is to be waited for, once nothing more is typed.
    fn is_idle(&self) -> bool {
        self.is_lost || (self.is_greeted && self.awaited == 0)
    }

    /// Takes in what the daemon says; what there is to tell of it.
    fn take(&mut self, message: Msg) -> Vec<String> {
        self.model.now = crate::disk::now();
        let mut said = Vec::new();
        let mut is_snapshot = false;
        let mut is_answer = false;
        match &message {
            Msg::Connected(_) | Msg::Resumed(_) => is_snapshot = true,
            Msg::Lost(reason) if !self.is_lost => said.push(format!("The daemon is not heard: {reason}.")),
            Msg::Stream(item) => said.extend(self.event(item)),
            Msg::Log(_, Ok(window)) => {
                self.awaited = self.awaited.saturating_sub(1);
                said.extend(sentences::log(window));
            }
            Msg::Log(_, Err(error)) => {
                self.awaited = self.awaited.saturating_sub(1);
                said.push(format!("The log cannot be read: {error}."));
            }
            Msg::Models(Ok(models)) => {
                self.awaited = self.awaited.saturating_sub(1);
                said.extend(sentences::models(models));
            }
            Msg::Models(Err(error)) => {
                self.awaited = self.awaited.saturating_sub(1);
                said.push(format!("The models cannot be listed: {error}."));
            }
            Msg::Replied(..) => {
                self.awaited = self.awaited.saturating_sub(1);
                is_answer = true;
            }
            _ => {}
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
        if is_answer && let Some(message) = self.model.message.take() {
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
        self.awaited += 1;
        self.workers.start_work(match deed {
            Deed::Act(command) => command,
            Deed::Log(address, part) => Cmd::FetchLog(address, part),
            Deed::Models => Cmd::FetchModels(AboutModels::List),
        });
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
