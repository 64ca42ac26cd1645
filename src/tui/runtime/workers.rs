//! What the model asked for, done in tasks of their own; each sends its answer as a message.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use tokio::sync::mpsc::Sender;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::feed::Feed;
use super::gather::gather;
use super::{DemoHooks, Options, line};
use crate::api::client::{Client, ClientError};
use crate::api::types::{
    CommandRequest, NoteRequest, Past, PastRequest, PromoteRequest, SilenceRequest, UnsilenceRequest, WatchRequest,
};
use crate::pipeline::{Command, ModelVersion, Recorded, Selection};
use crate::tui::app::EVENTS_KEPT;
use crate::tui::clipboard::{self, Way, Yank};
use crate::tui::log_view::LogPart;
use crate::tui::log_view::keep;
use crate::tui::log_view::question::{LogAnswer, LogQuestion, Purpose};
use crate::tui::log_view::search::SearchRequest;
use crate::tui::message::{Cmd, DemoAction, Msg};
use crate::tui::models::Question;
use crate::tui::projects::Projects;

/// Milliseconds between two pushes of what is not journaled, on this machine.
const PACE_HERE: u64 = 100;
/// The same over a line, whose bytes are dearer than a quarter of a second.
const PACE_REMOTE: u64 = 250;
/// The view that a screen opens with.
const FIRST_VIEW: &str = "Board";

/// Everything that can be asked for; dropping it ends the connection.
pub(in crate::tui) struct Workers {
    client: Client,
    /// This screen among all that follow the daemon.
    session: u64,
    view: watch::Sender<String>,
    demo: Option<DemoHooks>,
    projects: Option<Projects>,
    sender: Sender<Msg>,
    reconnect: Arc<Notify>,
    feed: JoinHandle<()>,
}

impl Workers {
    /// Starts to listen to the daemon.
    pub(in crate::tui) fn start(client: Client, options: Options, sender: Sender<Msg>) -> Self {
        let reconnect = Arc::new(Notify::new());
        let (view, shown) = watch::channel(FIRST_VIEW.to_owned());
        // Each state of that kind begins somewhere else.
        let session = RandomState::new().build_hasher().finish();
        let pace = if options.is_remote { PACE_REMOTE } else { PACE_HERE };
        let watched = WatchRequest { session, view: String::new(), pace };
        let feed = Feed::new(client.clone(), sender.clone(), Arc::clone(&reconnect), watched, shown);
        let feed = tokio::spawn(feed.run());
        if let Some(receiver) = options.line {
            tokio::spawn(line::forward(receiver, sender.clone()));
        }
        Self { client, session, view, demo: options.demo, projects: options.projects, sender, reconnect, feed }
    }

    /// Starts one piece of work. What the loop does itself is not for here and does nothing.
    pub(in crate::tui) fn start_work(&self, command: Cmd) {
        match command {
            Cmd::Act { command, message } => self.command(command, message),
            Cmd::Silence { alert, milliseconds, message } => {
                let request = SilenceRequest { alert, milliseconds, message };
                self.answer(move |client| async move {
                    let answer = client.silence(&request).await.map(Some).map_err(|error| error.to_string());
                    Msg::Silenced(request.alert, answer)
                });
            }
            Cmd::Unsilence { alert } => {
                let request = UnsilenceRequest { alert };
                self.answer(move |client| async move {
                    let answer = client.unsilence(&request).await.map(|()| None).map_err(|error| error.to_string());
                    Msg::Silenced(request.alert, answer)
                });
            }
            Cmd::FetchLog(address, part) => self.answer(move |client| async move {
                let answer = match part {
                    LogPart::Window { first, count } => client.log_lines(&address, first, count).await,
                    LogPart::Tail { count } => client.log_tail(&address, count).await,
                };
                Msg::Log(address, answer.map_err(|error| error.to_string()))
            }),
            Cmd::FetchPastLog(address, part, at) => self.answer(move |client| async move {
                let (first, count) = match part {
                    LogPart::Window { first, count } => (Some(first), count),
                    LogPart::Tail { count } => (None, count),
                };
                let answer = client.past_log(&address, at, first, count).await;
                Msg::Log(address, answer.map_err(|error| error.to_string()))
            }),
            Cmd::FetchPast(_) | Cmd::FetchPastPlace(_) | Cmd::FetchTimeLine(_) => self.past(command),
            Cmd::Search(request) => self.search(request),
            Cmd::Gather(request) => {
                self.answer(move |client| async move { Msg::Gathered(gather(&client, request).await) });
            }
            Cmd::AskLog(question) => self.answer(move |client| async move {
                let answer = about_log(&client, &question).await;
                Msg::AboutLog(question, answer)
            }),
            Cmd::FetchCharts(wanted) => self.answer(move |client| async move {
                Msg::Charts(client.charts_of(&wanted).await.map_err(|error| error.to_string()))
            }),
            Cmd::FetchComparison(wanted) => self.answer(move |client| async move {
                let answer = client.comparison(&wanted).await.map_err(|error| error.to_string());
                Msg::Comparison(wanted, answer)
            }),
            Cmd::FetchCompletions(wanted) => self.answer(move |client| async move {
                let answer = client.completions(&wanted).await.map_err(|error| error.to_string());
                Msg::Completions(wanted, answer)
            }),
            Cmd::CheckExpression(expression) => self.answer(move |client| async move {
                let answer = client.expression_fault(&expression).await.map_err(|error| error.to_string());
                Msg::Checked(expression, answer)
            }),
            Cmd::FetchPlan => self.answer(|client| async move {
                Msg::Plan(client.plan(&Selection::default()).await.map_err(|error| error.to_string()))
            }),
            Cmd::FetchRollbackPlan(to) => self.answer(move |client| async move {
                Msg::RollbackPlan(to, client.rollback_plan(Some(to)).await.map_err(|error| error.to_string()))
            }),
            Cmd::FetchReleaseLog { lines } => self.answer(move |client| async move {
                Msg::ReleaseLog(client.release_log(lines).await.map_err(|error| error.to_string()))
            }),
            Cmd::FetchHistory => self.answer(|client| async move {
                Msg::History(client.history(None, EVENTS_KEPT).await.map_err(|error| error.to_string()))
            }),
            Cmd::FetchEvents { filter, before } => self.answer(move |client| async move {
                let answer = client.history_matching(&filter, before, EVENTS_KEPT).await;
                Msg::Events(filter, answer.map_err(|error| error.to_string()))
            }),
            Cmd::FetchProjects => self.projects(),
            Cmd::FetchModels(question) => self.models(question),
            Cmd::Promote { version, message } => self.promote(version, message),
            Cmd::NoteModel { version, text } => self.note(version, text),
            Cmd::Reconnect => self.reconnect.notify_one(),
            Cmd::ShowView(view) => self.show_view(view),
            Cmd::Demo(action) => self.demo(action),
            Cmd::Quit | Cmd::Switch(_) | Cmd::Suspend | Cmd::Lend(..) | Cmd::Redraw | Cmd::Yank(_) => {}
        }
    }

    /// Tells the daemon what is looked at. Nobody waits for the answer, and a connection to come says it again.
    fn show_view(&self, view: String) {
        self.view.send_replace(view.clone());
        let (client, session) = (self.client.clone(), self.session);
        tokio::spawn(async move {
            let _ = client.show_view(session, &view).await;
        });
    }

    fn command(&self, command: Command, message: String) {
        let asked = word(&command);
        let request = CommandRequest { message, command };
        self.answer(move |client| async move {
            Msg::Replied(asked, client.command(&request).await.map_err(|error| error.to_string()))
        });
    }

    fn models(&self, question: Question) {
        self.answer(move |client| async move {
            match question {
                Question::List => Msg::Models(client.models().await.map_err(|error| error.to_string())),
                Question::Detail(version) => {
                    let answer = client.model(version).await.map(Box::new);
                    Msg::ModelDetail(version, answer.map_err(|error| error.to_string()))
                }
                Question::Profile(version) => {
                    let answer = client.model_profile(version).await;
                    Msg::ModelProfile(version, answer.map_err(|error| error.to_string()))
                }
            }
        });
    }

    fn promote(&self, model: ModelVersion, message: String) {
        let request = PromoteRequest { model, message };
        self.answer(move |client| async move {
            Msg::Replied("promotion".to_owned(), client.promote(&request).await.map_err(|error| error.to_string()))
        });
    }

    fn note(&self, version: ModelVersion, text: String) {
        let request = NoteRequest { text };
        self.answer(move |client| async move {
            Msg::Noted(version, client.note_model(version, &request).await.map_err(|error| error.to_string()))
        });
    }

    /// Asks for something of the past.
    fn past(&self, command: Cmd) {
        match command {
            Cmd::FetchPast(wanted) => self.answer(move |client| async move {
                let answer = past_with_events(&client, &wanted).await.map(Box::new);
                Msg::Past(wanted, answer.map_err(|error| error.to_string()))
            }),
            Cmd::FetchPastPlace(wanted) => self.answer(move |client| async move {
                let answer = client.past_place(&wanted).await.map_err(|error| error.to_string());
                Msg::PastPlace(wanted, answer)
            }),
            Cmd::FetchTimeLine(wanted) => self.answer(move |client| async move {
                Msg::TimeLine(wanted, client.time_line(&wanted).await.map_err(|error| error.to_string()))
            }),
            _ => {}
        }
    }

    fn search(&self, request: SearchRequest) {
        self.answer(move |client| async move {
            let answer = client.log_search(&request.log, &request.filter, request.from, request.backward).await;
            Msg::Found(request, answer.map_err(|error| error.to_string()))
        });
    }

    fn demo(&self, action: DemoAction) {
        let Some(hooks) = &self.demo else { return };
        let hook = match action {
            DemoAction::NextBatch => Arc::clone(&hooks.next_batch),
            DemoAction::BreakSource => Arc::clone(&hooks.break_source),
            DemoAction::BadRelease => Arc::clone(&hooks.bad_release),
        };
        let (sender, client) = (self.sender.clone(), self.client.clone());
        tokio::spawn(async move {
            // A hook may copy files and call git.
            let Ok(said) = tokio::task::spawn_blocking(move || hook()).await else { return };
            let done = said.clone().ok();
            let _ = sender.send(Msg::Demo(said)).await;
            if let Some(text) = done {
                // So that Events tells who did it. It is done, whether that can be written down or not.
                let _ = client.remark(&NoteRequest { text }).await;
            }
        });
    }

    /// Ends a copy: writes its file, where there is one, and says what became of it.
    pub(super) fn keep(&self, yank: Yank, way: Way) {
        let sender = self.sender.clone();
        tokio::task::spawn_blocking(move || {
            let kept = way.folder.as_ref().map(|folder| {
                clipboard::keep(folder, &yank.text, crate::disk::now()).map_err(|error| error.to_string())
            });
            let _ = sender.blocking_send(Msg::Yanked(clipboard::sentence(&yank.what, &way, kept.as_ref())));
        });
    }

    /// Lists the projects, which may mean to look into files.
    fn projects(&self) {
        let Some(projects) = self.projects.clone() else { return };
        let sender = self.sender.clone();
        tokio::task::spawn_blocking(move || {
            let _ = sender.blocking_send(Msg::Projects(projects()));
        });
    }

    /// Asks the client and sends the answer; a screen that is gone needs none.
    fn answer<Work, Answer>(&self, work: Work)
    where
        Work: FnOnce(Client) -> Answer,
        Answer: Future<Output = Msg> + Send + 'static,
    {
        let answer = work(self.client.clone());
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let _ = sender.send(answer.await).await;
        });
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.feed.abort();
    }
}

/// Everything as it was, with the last events before it.
async fn past_with_events(client: &Client, wanted: &PastRequest) -> Result<(Past, Vec<Recorded>), ClientError> {
    let past = client.past(wanted).await?;
    let events = client.history(Some(past.place.sequence.saturating_add(1)), EVENTS_KEPT).await?;
    Ok((past, events))
}

async fn about_log(client: &Client, question: &LogQuestion) -> Result<LogAnswer, String> {
    let answer = match question {
        LogQuestion::Rows { log, request, .. } => client.log_rows(log, request).await.map(LogAnswer::Rows),
        LogQuestion::Scan { log, filter, from } => client.log_scan(log, filter, *from, None).await.map(LogAnswer::Scan),
        LogQuestion::Count { log, filter, from, until } => {
            let scan = client.log_scan(log, filter, *from, Some(*until)).await;
            scan.map(|scan| LogAnswer::Count(scan.stretches.iter().map(|stretch| stretch.rows).sum()))
        }
        LogQuestion::LineAt { log, moment } => client.log_line_at(log, *moment).await.map(LogAnswer::Line),
        LogQuestion::Keep { log, filter, stamps, purpose } => {
            let home = std::env::var_os("HOME").map(std::path::PathBuf::from);
            let purpose = match purpose {
                Purpose::Save(file) => Purpose::Save(keep::place(&file.to_string_lossy(), home.as_deref())),
                Purpose::Show(program) => Purpose::Show(*program),
            };
            let kept = keep::keep(client, log, filter.as_ref(), stamps.clone(), &purpose).await;
            return kept.map(LogAnswer::Kept).map_err(|error| error.to_string());
        }
    };
    answer.map_err(|error| error.to_string())
}

/// What the message line calls a command.
fn word(command: &Command) -> String {
    let word = match command {
        Command::Run(selection) => match &selection.from {
            Some(stage) => return format!("run from {}", stage.as_str()),
            None => "run",
        },
        Command::Cancel { .. } => "cancel",
        Command::Rollback { .. } => "rollback",
        Command::Promote { .. } => "promotion",
        Command::Lock { .. } => "lock",
        Command::Unlock => "unlock",
        Command::Approve { .. } => "approval",
        Command::Decline { .. } => "decline",
    };
    word.to_owned()
}
