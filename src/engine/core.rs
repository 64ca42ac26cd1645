//! The one writer: a thread that takes inputs, decides, journals, applies, and lets effects go.
//!
//! Nothing else changes the state. Inputs that wait are taken together, so one turn is one commit. When the journal cannot be
//! written (a full disk) nothing is lost and nothing is guessed: the inputs of the world are kept and tried again, an
//! operator's command is refused with the reason.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot};

use super::door::Door;
use super::journal::{Journal, JournalError};
use crate::disk::now;
use crate::pipeline::{ApplyError, Attempt, Command, Event, Input, Recorded, Refusal, RunId, StageName, State, decide};

/// The longest wait between two tries to write the journal.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// What has to be done in the world; every effect reports back as an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Start an attempt of a stage.
    Start {
        /// The run.
        run: RunId,
        /// The stage.
        stage: StageName,
        /// The attempt.
        attempt: Attempt,
    },
    /// Stop the attempt of a stage that is running.
    Stop {
        /// The run.
        run: RunId,
        /// The stage.
        stage: StageName,
    },
    /// Verify the outputs of an earlier pass.
    Verify {
        /// The run.
        run: RunId,
        /// The stage.
        stage: StageName,
    },
    /// A run is over: look for what can be pruned.
    Prune,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The rules do not allow it.
    #[error(transparent)]
    Refused(Refusal),
    /// It could not be written down.
    #[error(transparent)]
    Journal(JournalError),
    /// The daemon is ending.
    #[error("the daemon is ending")]
    Ending,
    /// The rules contradict themselves.
    #[error("nothing was done, for a defect of trainyard; `trainyard status` says which, please report it")]
    Defect,
}

/// Tells people of a problem by its subject, or that it is over.
type Complain = Box<dyn Fn(&str, Option<String>) + Send>;

/// A look at the state and the journal, between two turns.
type Look = Box<dyn FnOnce(&State, &Journal) + Send>;

enum Request {
    Input(Input),
    Command { asked: Input, reply: oneshot::Sender<Result<Option<RunId>, CommandError>> },
    Ask { input: Input, reply: oneshot::Sender<Result<(), CommandError>> },
    Look(Look),
    End,
}

/// How the rest of the daemon speaks to the core.
#[derive(Clone)]
pub struct CoreHandle {
    requests: Sender<Request>,
    events: broadcast::Sender<Recorded>,
    door: Door,
}

impl CoreHandle {
    /// The same core, past this door.
    #[must_use]
    pub fn behind(self, door: Door) -> Self {
        Self { door, ..self }
    }

    /// Past which all goes that the core is told.
    pub fn door(&self) -> &Door {
        &self.door
    }

    /// Tells the core what has happened in the world.
    pub fn input(&self, input: Input) {
        // When the core has ended, the daemon is ending.
        let _ = self.requests.send(Request::Input(self.door.clean(input)));
    }

    /// Asks for something in an operator's name, with the machine from which and the reason why he asks. The answer is the
    /// run that was made, stopped or let go on, if the command speaks of one.
    pub async fn command(
        &self,
        by: String,
        from: Option<String>,
        message: String,
        command: Command,
    ) -> Result<Option<RunId>, CommandError> {
        // Whoever has just written a secret anew may speak of it.
        self.door.renewed_for_task().await;
        let (reply, answer) = oneshot::channel();
        let asked = self.door.clean(Input::Command { by, from, message, command });
        let _ = self.requests.send(Request::Command { asked, reply });
        answer.await.unwrap_or(Err(CommandError::Ending))
    }

    /// Tells the core something in an operator's name that makes no run, and waits until it is written down.
    pub async fn ask(&self, input: Input) -> Result<(), CommandError> {
        self.door.renewed_for_task().await;
        let (reply, answer) = oneshot::channel();
        let _ = self.requests.send(Request::Ask { input: self.door.clean(input), reply });
        answer.await.unwrap_or(Err(CommandError::Ending))
    }

    /// Looks at the state and the journal, between two turns.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&State, &Journal) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        let look = Box::new(move |state: &State, journal: &Journal| {
            let _ = reply.send(look(state, journal));
        });
        let _ = self.requests.send(Request::Look(look));
        answer.await.ok()
    }

    /// Every event from now on, once it is journaled.
    pub fn subscribe(&self) -> broadcast::Receiver<Recorded> {
        self.events.subscribe()
    }

    /// Ends the core after what was sent before.
    pub fn end(&self) {
        let _ = self.requests.send(Request::End);
    }
}

/// Starts the core on `journal`. Effects of what was under way before are not sent; see [`pending_effects`].
pub fn start(
    journal: Journal,
    state: State,
    effects: mpsc::UnboundedSender<Effect>,
    complain: impl Fn(&str, Option<String>) + Send + 'static,
) -> std::io::Result<(CoreHandle, JoinHandle<()>)> {
    let (requests, receiver) = channel();
    let (events, _) = broadcast::channel(4096);
    let handle = CoreHandle { requests, events: events.clone(), door: Door::default() };
    let core =
        Core { journal, state, effects, events, kept: Vec::new(), complain: Box::new(complain), is_failing: false };
    let thread = thread::Builder::new().name("core".to_owned()).spawn(move || core.run(&receiver))?;
    Ok((handle, thread))
}

struct Core {
    journal: Journal,
    state: State,
    effects: mpsc::UnboundedSender<Effect>,
    events: broadcast::Sender<Recorded>,
    /// Inputs that could not be journaled yet.
    kept: Vec<Input>,
    complain: Complain,
    /// Whether the last turn could not be written.
    is_failing: bool,
}

impl Core {
    fn run(mut self, requests: &Receiver<Request>) {
        loop {
            let timer = self.state.next_timer().map(|at| Duration::from_millis(at.since(now())));
            // A timer that is due cannot be served while the journal refuses; asking again at once would burn a core.
            let wait = match timer {
                _ if !self.kept.is_empty() => Some(TRY_AGAIN),
                Some(timer) if self.is_failing => Some(timer.max(TRY_AGAIN)),
                timer => timer,
            };
            let first = match wait {
                Some(wait) => match requests.recv_timeout(wait) {
                    Ok(request) => Some(request),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                },
                None => match requests.recv() {
                    Ok(request) => Some(request),
                    Err(_) => return,
                },
            };
            if first.is_none() {
                self.kept.push(Input::Tick);
            }
            let mut batch = std::mem::take(&mut self.kept);
            for request in first.into_iter().chain(std::iter::from_fn(|| requests.try_recv().ok())) {
                match request {
                    Request::Input(input) => batch.push(input),
                    Request::Command { asked, reply } => {
                        self.take(std::mem::take(&mut batch));
                        let _ = reply.send(self.command(asked));
                    }
                    Request::Ask { input, reply } => {
                        self.take(std::mem::take(&mut batch));
                        let _ = reply.send(self.turn(vec![input]).map(drop).map_err(CommandError::Journal));
                    }
                    Request::Look(look) => {
                        self.take(std::mem::take(&mut batch));
                        look(&self.state, &self.journal);
                    }
                    Request::End => {
                        self.take(std::mem::take(&mut batch));
                        return;
                    }
                }
            }
            self.take(batch);
        }
    }

    fn take(&mut self, batch: Vec<Input>) {
        if batch.is_empty() {
            return;
        }
        let mut inputs = std::mem::take(&mut self.kept);
        inputs.extend(batch);
        // Ticks and alerts that could not be written need not be repeated: time goes on by itself, and alerts are told anew.
        let is_kept = |input: &&Input| !matches!(input, Input::Tick | Input::Alerts { .. });
        let retained: Vec<Input> = inputs.iter().filter(is_kept).cloned().collect();
        match self.turn(inputs) {
            Ok(_) => {
                if std::mem::take(&mut self.is_failing) {
                    (self.complain)("journal", None);
                }
            }
            Err(error) => {
                self.is_failing = true;
                (self.complain)("journal", Some(error.to_string()));
                self.kept = retained;
            }
        }
    }

    fn command(&mut self, asked: Input) -> Result<Option<RunId>, CommandError> {
        match self.turn(vec![asked]) {
            Ok(Some(reply)) => reply.map_err(CommandError::Refused),
            Ok(None) => Err(CommandError::Defect),
            Err(error) => Err(CommandError::Journal(error)),
        }
    }

    /// Decides on all inputs, journals all that follows in one commit, and only then makes it true.
    fn turn(&mut self, inputs: Vec<Input>) -> Result<Option<Result<Option<RunId>, Refusal>>, JournalError> {
        let mut next = self.state.clone();
        let mut recorded = Vec::new();
        let mut reply = None;
        for input in inputs {
            let at = now();
            match decide(&next, input, at) {
                Ok(decision) => {
                    reply = decision.reply.or(reply);
                    for event in decision.events {
                        let event = Recorded { sequence: next.sequence + 1, at, event };
                        if let Err(error) = next.apply(&event) {
                            self.defect(&error);
                            continue;
                        }
                        recorded.push(event);
                    }
                }
                Err(error) => self.defect(&error),
            }
        }
        if recorded.is_empty() {
            return Ok(reply);
        }
        self.journal.append(&recorded)?;
        self.state = next;
        self.journal.maybe_snapshot(&self.state);
        for event in recorded {
            if let Some(effect) = effect_of(&event.event) {
                let _ = self.effects.send(effect);
            }
            // Without a listener there is nobody to tell.
            let _ = self.events.send(event);
        }
        Ok(reply)
    }

    /// The rules contradict themselves: the input is dropped, and it is said loudly.
    fn defect(&self, error: &ApplyError) {
        let text = format!("a defect of trainyard, please report it: {error}");
        eprintln!("{text}");
        (self.complain)("defect", Some(text));
    }
}

fn effect_of(event: &Event) -> Option<Effect> {
    match event {
        Event::StageStarted { run, stage, attempt, .. } => {
            Some(Effect::Start { run: *run, stage: stage.clone(), attempt: *attempt })
        }
        Event::StageStopping { run, stage, .. } => Some(Effect::Stop { run: *run, stage: stage.clone() }),
        Event::StageChecking { run, stage, .. } => Some(Effect::Verify { run: *run, stage: stage.clone() }),
        Event::RunFinished { .. } => Some(Effect::Prune),
        _ => None,
    }
}

/// The effects that were under way when the journal ended.
pub fn pending_effects(state: &State) -> Vec<Effect> {
    use crate::pipeline::StageState;
    let mut effects = Vec::new();
    let Some(run) = state.active_run() else { return effects };
    for (name, stage) in &run.stages {
        let (run, stage_name, attempt) = (run.id, name.clone(), stage.attempt);
        match &stage.state {
            StageState::Running { stopping, .. } => {
                effects.push(Effect::Start { run, stage: stage_name.clone(), attempt });
                if stopping.is_some() {
                    effects.push(Effect::Stop { run, stage: stage_name });
                }
            }
            StageState::Checking { .. } => effects.push(Effect::Verify { run, stage: stage_name }),
            _ => {}
        }
    }
    effects
}
