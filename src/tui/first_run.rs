//! A folder that is no project yet, or whose configuration is not valid: the screen leads to one that is.
//!
//! What lies in the folder, what would be written and what is wrong with what is written knows whoever opens the screen, behind
//! [`ProjectFolder`]; it is the same that `trainyard init` and `trainyard check` say. Here is only what is shown of it and
//! what the keys do: a small model with an `update` of its own, beside that of the screen, for there is no daemon yet.
//!
//! **Invariant:** nothing is written before somebody asks for it with a key.

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::{Message, Model};
use super::views;

/// A folder, for whoever knows what configurations are.
pub trait ProjectFolder: Send + Sync {
    /// Where its configuration is, or will be.
    fn file(&self) -> PathBuf;
    /// Whether that is there and valid.
    fn look(&self) -> Outlook;
    /// What was found in the folder, and what would be written with these answers.
    fn propose(&self, answers: &Answers) -> Proposal;
    /// Writes it.
    fn write(&self, answers: &Answers) -> Result<(), String>;
    /// Takes away what [`write`](Self::write) wrote with these answers, if it is still the same; whether it was.
    fn withdraw(&self, answers: &Answers) -> Result<bool, String>;
    /// Copies a data file into the data folder; the name that it has there.
    fn copy(&self, outside: &Outside) -> Result<String, String>;
}

/// How it stands with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlook {
    /// A daemon can begin with it.
    Ready,
    /// There is none.
    Missing,
    /// It is not valid: every error with its place and the mend, in a few lines each.
    Faulty(Vec<String>),
}

/// What the operator chose; what he did not is left to what was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    /// The data file.
    pub data_file: Option<String>,
    /// The column to predict.
    pub target: Option<String>,
    /// Where releases run.
    pub deploy: Option<String>,
}

/// What is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The data file.
    DataFile,
    /// The column to predict.
    Target,
    /// Where releases run.
    Deploy,
}

impl Subject {
    /// What it is called.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::DataFile => "data file",
            Self::Target => "predicts",
            Self::Deploy => "runs as",
        }
    }
}

/// Something to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What.
    pub subject: Subject,
    /// Among these.
    pub options: Vec<String>,
    /// Which of them is proposed or chosen.
    pub chosen: usize,
}

/// Something that was looked for in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// Whether it is there.
    pub is_there: bool,
    /// In a line.
    pub text: String,
}

/// A data file that lies where no run would find it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// The file, relative.
    pub file: String,
    /// The data folder, relative.
    pub folder: String,
}

/// What was found in a folder, and what would be written into it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proposal {
    /// What was found, and what was not.
    pub discoveries: Vec<Discovery>,
    /// What can be chosen.
    pub choices: Vec<Choice>,
    /// The data file, if it lies outside of the data folder.
    pub outside: Option<Outside>,
    /// The whole configuration.
    pub text: String,
}

/// Said to whoever comes back from the editor without a change.
const UNCHANGED: &str =
    "the editor changed nothing, so nothing was kept; Enter writes it as it stands, e edits it again";

/// What fills the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Page {
    /// The folder is being looked at.
    Looking,
    /// What was found, and what would be written.
    Proposal(Proposal),
    /// What is wrong with what is written.
    Faults(Vec<String>),
}

/// What reaches it.
#[derive(Debug, Clone)]
pub(super) enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size: columns, rows.
    Resized(u16, u16),
    /// The configuration may be another one now.
    Changed,
    /// How it stands with it, by the look of this number.
    Looked(u64, Outlook),
    /// What these answers give.
    Proposed(Answers, Proposal),
    /// Whether it was written.
    Written(Result<(), String>),
    /// The editor has ended; what went wrong with it, if anything did.
    Edited(Option<String>),
    /// Whether the configuration was taken away again, for nobody had changed it.
    Withdrawn(Result<bool, String>),
    /// The name of the copy in the data folder.
    Copied(Result<String, String>),
}

/// What it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cmd {
    /// Go on to the screen of the project.
    GoOn,
    /// Leave.
    Leave,
    /// Look at the configuration; the number comes back.
    Look(u64),
    /// Find out what these answers give.
    Propose(Answers),
    /// Write it.
    Write(Answers),
    /// Take away what was written with these answers, if it is still the same.
    Withdraw(Answers),
    /// Copy the file into the data folder.
    Copy(Outside),
    /// Open the configuration in the operator's editor.
    Edit,
    /// To the shell, until continued.
    Suspend,
    /// Send the whole screen again.
    Redraw,
}

/// A key and what it does, for the last line. The first ones are missed most where there is no room for all.
pub(super) type Hint = (&'static str, &'static str);

/// The first run on the screen.
#[derive(Debug, Clone)]
pub(super) struct FirstRun {
    /// Colours, signs, size and message, as on the screen of a project.
    pub(super) model: Model,
    /// The configuration.
    pub(super) file: PathBuf,
    /// What fills the screen.
    pub(super) page: Page,
    /// Which choice has the keys.
    pub(super) focus: usize,
    /// The first row of the text that is shown.
    pub(super) scroll: usize,
    answers: Answers,
    /// The number of the last look: an earlier one may come late.
    looks: u64,
    is_writing: bool,
    /// Whether what is being written is to be edited before anything goes on.
    edits_then: bool,
    /// Whether the editor has what was just written, or it is found out whether that was changed.
    is_on_trial: bool,
    /// What is to be copied once the operator says yes.
    pub(super) asked: Option<Outside>,
}

impl FirstRun {
    /// Nothing is known yet of the folder in which `file` is, or will be.
    pub(super) fn new(model: Model, file: PathBuf) -> Self {
        Self {
            model,
            file,
            page: Page::Looking,
            focus: 0,
            scroll: 0,
            answers: Answers::default(),
            looks: 0,
            is_writing: false,
            edits_then: false,
            is_on_trial: false,
            asked: None,
        }
    }

    /// Takes in what happened; what is to be done then.
    pub(super) fn update(&mut self, message: Msg) -> Option<Cmd> {
        self.model.is_dirty = true;
        match message {
            Msg::Key(key) => self.key(&key),
            Msg::Resized(columns, rows) => {
                self.model.size = (columns, rows);
                self.scroll_by(0);
                None
            }
            Msg::Changed => Some(self.look()),
            Msg::Looked(number, outlook) if number == self.looks => self.looked(outlook),
            Msg::Looked(..) => None,
            Msg::Proposed(answers, proposal) => {
                // What came late for other answers, or once there is a configuration, is of no use.
                if answers == self.answers && !matches!(self.page, Page::Faults(_)) {
                    self.focus = self.focus.min(proposal.choices.len().saturating_sub(1));
                    self.page = Page::Proposal(proposal);
                    self.scroll_by(0);
                }
                None
            }
            Msg::Written(Ok(())) if std::mem::take(&mut self.edits_then) => {
                self.is_on_trial = true;
                Some(Cmd::Edit)
            }
            Msg::Written(written) => {
                (self.is_writing, self.edits_then) = (false, false);
                self.complain(written.err());
                Some(self.look())
            }
            Msg::Edited(complaint) => {
                self.complain(complaint);
                if self.is_on_trial {
                    return Some(Cmd::Withdraw(self.answers.clone()));
                }
                self.is_writing = false;
                Some(self.look())
            }
            Msg::Withdrawn(withdrawn) => {
                (self.is_writing, self.is_on_trial) = (false, false);
                match withdrawn {
                    Ok(true) if self.model.message.is_none() => self.complain(Some(UNCHANGED.to_owned())),
                    Ok(_) => {}
                    Err(complaint) => self.complain(Some(complaint)),
                }
                Some(self.look())
            }
            Msg::Copied(Ok(name)) => {
                let text = format!("copied to {name}; the first run starts with it");
                self.model.message = Some(Message::word(text));
                self.answers.data_file = Some(name);
                self.is_writing = false;
                Some(Cmd::Propose(self.answers.clone()))
            }
            Msg::Copied(Err(complaint)) => {
                self.is_writing = false;
                self.complain(Some(complaint));
                None
            }
        }
    }

    /// A new look, after which earlier ones do not count.
    pub(super) fn look(&mut self) -> Cmd {
        self.looks += 1;
        Cmd::Look(self.looks)
    }

    /// The keys that do something here.
    pub(super) fn hints(&self) -> Vec<Hint> {
        match &self.page {
            Page::Proposal(_) if self.asked.is_some() => vec![("y", "copy"), ("Esc", "do not")],
            Page::Looking => vec![("q", "leave")],
            Page::Faults(_) => vec![("e", "open in your editor"), ("q", "leave"), ("Up/Down", "scroll")],
            Page::Proposal(proposal) => {
                let mut hints = vec![("Enter", "write and go on"), ("q", "leave")];
                if proposal.outside.is_some() {
                    hints.push(("c", "copy the data in"));
                }
                if !proposal.choices.is_empty() {
                    hints.push(("Left/Right", "another"));
                }
                if proposal.choices.len() > 1 {
                    hints.push(("Tab", "next choice"));
                }
                hints.extend([("Up/Down", "scroll"), ("e", "write and edit")]);
                hints
            }
        }
    }

    fn complain(&mut self, complaint: Option<String>) {
        self.model.message = complaint.map(Message::complaint);
    }

    fn looked(&mut self, outlook: Outlook) -> Option<Cmd> {
        match outlook {
            // Whoever wants to edit first is not led past it.
            Outlook::Ready if self.edits_then || self.is_on_trial => None,
            Outlook::Ready => Some(Cmd::GoOn),
            Outlook::Missing => {
                if matches!(self.page, Page::Proposal(_)) {
                    return None;
                }
                (self.page, self.scroll) = (Page::Looking, 0);
                Some(Cmd::Propose(self.answers.clone()))
            }
            Outlook::Faulty(faults) => {
                self.page = Page::Faults(faults);
                // What was asked on the page before is not on the screen any more.
                self.asked = None;
                self.scroll_by(0);
                None
            }
        }
    }

    fn key(&mut self, key: &KeyEvent) -> Option<Cmd> {
        self.model.message = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return match key.code {
                KeyCode::Char('c') => Some(Cmd::Leave),
                KeyCode::Char('z') => Some(Cmd::Suspend),
                KeyCode::Char('l') => Some(Cmd::Redraw),
                _ => None,
            };
        }
        if let Some(outside) = self.asked.take() {
            let is_yes = key.code == KeyCode::Char('y') && !self.is_writing;
            self.is_writing |= is_yes;
            return is_yes.then_some(Cmd::Copy(outside));
        }
        let page = isize::try_from(views::first_run::room(self)).unwrap_or(isize::MAX);
        match key.code {
            KeyCode::Char('c') => self.ask(),
            KeyCode::Esc | KeyCode::Char('q') => return Some(Cmd::Leave),
            KeyCode::Enter => return self.write(),
            KeyCode::Char('e') => return self.edit(),
            KeyCode::Left | KeyCode::Char('h') => return self.choose(-1),
            KeyCode::Right | KeyCode::Char('l') => return self.choose(1),
            KeyCode::Tab => self.focus_by(1),
            KeyCode::BackTab => self.focus_by(-1),
            KeyCode::Up | KeyCode::Char('k') => self.scroll_by(-1),
            KeyCode::Down | KeyCode::Char('j') => self.scroll_by(1),
            KeyCode::PageUp => self.scroll_by(-page),
            KeyCode::PageDown => self.scroll_by(page),
            KeyCode::Home | KeyCode::Char('g') => self.scroll_by(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.scroll_by(isize::MAX),
            _ => {}
        }
        None
    }

    fn write(&mut self) -> Option<Cmd> {
        if self.is_writing || !matches!(self.page, Page::Proposal(_)) {
            return None;
        }
        self.is_writing = true;
        Some(Cmd::Write(self.answers.clone()))
    }

    /// Whether the data file is to be copied is asked first, for it may be large.
    fn ask(&mut self) {
        if let Page::Proposal(proposal) = &self.page
            && !self.is_writing
        {
            self.asked.clone_from(&proposal.outside);
        }
    }

    fn edit(&mut self) -> Option<Cmd> {
        if matches!(self.page, Page::Faults(_)) {
            return Some(Cmd::Edit);
        }
        let command = self.write()?;
        self.edits_then = true;
        Some(command)
    }

    /// The option beside the chosen one, round and round.
    fn choose(&mut self, by: isize) -> Option<Cmd> {
        let Page::Proposal(proposal) = &mut self.page else { return None };
        let choice = proposal.choices.get_mut(self.focus).filter(|_| !self.is_writing)?;
        let count = isize::try_from(choice.options.len()).ok().filter(|count| *count > 0)?;
        let beside = isize::try_from(choice.chosen).unwrap_or(0).saturating_add(by).rem_euclid(count);
        // At once, so that a key that is held down goes on from there.
        choice.chosen = usize::try_from(beside).unwrap_or(0);
        let option = choice.options.get(choice.chosen).cloned();
        match choice.subject {
            Subject::DataFile => {
                // It has columns of its own.
                self.answers.target = None;
                self.answers.data_file = option;
            }
            Subject::Target => self.answers.target = option,
            Subject::Deploy => self.answers.deploy = option,
        }
        Some(Cmd::Propose(self.answers.clone()))
    }

    fn focus_by(&mut self, by: isize) {
        let Page::Proposal(proposal) = &self.page else { return };
        let Some(count) = isize::try_from(proposal.choices.len()).ok().filter(|count| *count > 0) else { return };
        let focus = isize::try_from(self.focus).unwrap_or(0).saturating_add(by).rem_euclid(count);
        self.focus = usize::try_from(focus).unwrap_or(0);
    }

    fn scroll_by(&mut self, by: isize) {
        let last = views::first_run::rows(self).saturating_sub(views::first_run::room(self));
        self.scroll = self.scroll.saturating_add_signed(by).min(last);
    }
}

#[cfg(test)]
mod tests;
