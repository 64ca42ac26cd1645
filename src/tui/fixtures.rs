//! Models for tests, made the way real ones are: the core decides events, the snapshot goes through `update`, and what the
//! model asks for is answered as a daemon would.

use std::collections::BTreeMap;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

use crate::api::types::{
    API_VERSION, AlertStatus, DaemonInformation, InstanceStatus, Live, LogAddress, LogLine, LogWindow, Place,
    RollbackPlan, Snapshot, StageProgress, StreamItem, TargetReport, Usage, WatchHealth, WatchMode,
};
use crate::pipeline::{
    AlertState, Attempt, Command, DataSet, Digest, Evidence, FailingTest, Failure, FiringAlert, Graph, Input, Inputs,
    Moment, Outcome, Outputs, Reaction, Recorded, ReleaseId, RunId, Selection, Silence, SourceState, StageKind,
    StageName, State, TestReport, Trigger, decide, plan, samples,
};

use super::app::Model;
use super::chart_fixtures;
use super::clock::Clock;
use super::glyphs::Glyphs;
use super::log_fixtures;
use super::log_view::LogPart;
use super::message::{Cmd, Msg};
use super::metrics::Drawing;
use super::model_fixtures;
use super::theme::Theme;
use super::update::update;
use super::views;

/// Lines of a log of the present.
pub(super) const LOG_LINES: u64 = 40;
/// 2026-11-23 21:00:00 UTC.
const BEGIN: Moment = Moment(1_795_467_600_000);

/// A project without a daemon.
pub(super) struct World {
    pub(super) state: State,
    pub(super) history: Vec<Recorded>,
    pub(super) at: Moment,
}

impl World {
    /// A configured project to which nothing has happened.
    pub(super) fn new() -> Self {
        let mut world = Self { state: State::default(), history: Vec::new(), at: BEGIN };
        world.feed(Input::Configured(chain()));
        world
    }

    /// Feeds one input a second later.
    pub(super) fn feed(&mut self, input: Input) {
        self.at = self.at.plus(1_000);
        let decision = decide(&self.state, input, self.at).unwrap();
        for event in decision.events {
            let recorded = Recorded { sequence: self.state.sequence + 1, at: self.at, event };
            self.state.apply(&recorded).unwrap();
            self.history.push(recorded);
        }
    }

    /// Registers a data file.
    pub(super) fn register(&mut self, number: u64, file: &str) {
        let inputs = inputs(number, 1);
        let cause = Some(Trigger::Data { files: vec![file.to_owned()] });
        self.feed(Input::Observed { inputs, cause, automatic: true });
    }

    /// The stage that runs now.
    pub(super) fn running(&self) -> Option<(RunId, StageName, Attempt)> {
        let run = self.state.active_run()?;
        let (name, entry) = run.stages.iter().find(|(_, entry)| entry.state.is_running())?;
        Some((run.id, name.clone(), entry.attempt))
    }

    /// Lets the running stage work for some milliseconds and end.
    pub(super) fn end(&mut self, milliseconds: u64, outcome: Outcome, outputs: Outputs) {
        let (run, stage, attempt) = self.running().unwrap();
        self.at = self.at.plus(milliseconds);
        self.feed(Input::Ended { run, stage, attempt, outcome, outputs, output_held: false });
    }

    /// Train passes with this accuracy.
    pub(super) fn train(&mut self, accuracy: f64) {
        let (run, stage, _) = self.running().unwrap();
        let model = self.state.runs[&run].stages[&stage].writes_model;
        let metrics = BTreeMap::from([("accuracy".to_owned(), accuracy), ("f1".to_owned(), accuracy - 0.03)]);
        let digest = Some(Digest(format!("{accuracy}")));
        self.end(11_400, Outcome::Passed, Outputs { model, digest, metrics, ..Outputs::default() });
    }

    /// Test passes.
    pub(super) fn test(&mut self) {
        let tests = Some(TestReport { passed: 41, failed: 0, skipped: 2, failing: Vec::new() });
        self.end(2_100, Outcome::Passed, Outputs { tests, ..Outputs::default() });
    }

    /// Build passes.
    pub(super) fn build(&mut self) {
        let digest = Digest(format!("9be1{:060}", self.state.last_run.0));
        let image = Some(format!("images/{digest}.tar"));
        self.end(7_000, Outcome::Passed, Outputs { image, digest: Some(digest), ..Outputs::default() });
    }

    /// Deploy passes.
    pub(super) fn deploy(&mut self) {
        let (run, stage, _) = self.running().unwrap();
        let live = self.state.runs[&run].stages[&stage].release;
        let address = Some("http://127.0.0.1:8080".to_owned());
        self.end(3_200, Outcome::Passed, Outputs { address, live, ..Outputs::default() });
    }

    /// A whole run on new data.
    pub(super) fn whole_run(&mut self, number: u64, file: &str, accuracy: f64) {
        self.register(number, file);
        self.train(accuracy);
        self.test();
        self.build();
        self.deploy();
    }

    /// The screen of this project as the daemon would fill it.
    pub(super) fn model(&self, live: Live) -> Model {
        let variable = |name: &str| match name {
            "TRAINYARD_THEME" => Some("dark".to_owned()),
            "LC_ALL" => Some("ko_KR.UTF-8".to_owned()),
            _ => None,
        };
        let (theme, glyphs) = (Theme::choose(&variable), Glyphs::choose(&variable));
        let mut model = Model::new(theme, glyphs, Clock::utc(), (120, 40), self.at.plus(8_000));
        let daemon = DaemonInformation {
            version: "0.1.0".to_owned(),
            pid: 4_711,
            project: "와인-품질".to_owned(),
            folder: "/srv/wine".to_owned(),
            host: "ops-box".to_owned(),
            target: Some("process".to_owned()),
            started: BEGIN,
            api: API_VERSION,
            journal: "0f1e2d".to_owned(),
        };
        send(&mut model, Msg::Connected(Box::new(Snapshot { daemon, state: self.state.clone(), live })));
        send(&mut model, Msg::History(Ok(self.history.clone())));
        model
    }
}

/// train → test → build → deploy.
fn chain() -> Graph {
    samples::chain(|stage| stage.requires_report = stage.kind == StageKind::Command)
}

fn inputs(data: u64, source: u64) -> Inputs {
    let digest = Digest(format!("source{source}"));
    Inputs {
        data: DataSet { digest: Digest(format!("data{data}")), count: data, rows: data * 533, files: Vec::new() },
        source: SourceState {
            digest: digest.clone(),
            commit: Some("3f2a91c07d5be8".to_owned()),
            branch: Some("main".to_owned()),
            dirty: source > 1,
        },
        stage_sources: BTreeMap::from([("test".into(), digest)]),
    }
}

/// What the daemon says of a project in which all is well.
pub(super) fn live(world: &World, scraped: bool) -> Live {
    let watch =
        WatchHealth { mode: WatchMode::Notified, last_seen: Some(world.at), pending: BTreeMap::new(), beside: None };
    Live { watch: Some(watch), scraped: scraped.then_some(Ok(world.at)), ..Live::default() }
}

/// Nothing has happened.
pub(super) fn empty() -> Model {
    let world = World::new();
    world.model(live(&world, false))
}

/// Somebody started a run before there was any data.
pub(super) fn run_without_data() -> World {
    let mut world = World::new();
    world.feed(Input::Observed { inputs: inputs(0, 1), cause: None, automatic: false });
    command(&mut world, Command::Run(Selection::default()));
    world
}

/// Two runs passed; everything is up to date.
pub(super) fn idle() -> Model {
    let world = two_runs();
    world.model(live(&world, true))
}

/// The world of [`idle`].
pub(super) fn two_runs() -> World {
    let mut world = World::new();
    world.whole_run(1, "가을-관측.csv", 0.931);
    world.whole_run(2, "winter.csv", 0.942);
    world
}

/// The third run builds.
pub(super) fn running() -> Model {
    let mut world = two_runs();
    world.register(3, "겨울-관측-2026.csv");
    world.train(0.953);
    world.test();
    let (run, stage, attempt) = world.running().unwrap();
    let mut live = live(&world, true);
    live.progress.push(StageProgress {
        run,
        stage: stage.clone(),
        share: Some(0.62),
        message: "layer 3/5".to_owned(),
        metrics: BTreeMap::new(),
        leaderboard: Vec::new(),
    });
    live.log = Some((LogAddress { run, stage, attempt }, 40));
    world.model(live)
}

/// The third run failed in its tests.
pub(super) fn failed() -> Model {
    let mut world = two_runs();
    world.register(3, "winter.csv");
    world.train(0.953);
    let failing = |name: &str| FailingTest { name: name.to_owned(), message: "assert 0.4 > 0.5".to_owned() };
    let failing = vec![failing("tests.test_app::test_예측_범위"), failing("tests.test_app::test_schema")];
    let tests = Some(TestReport { passed: 39, failed: 2, skipped: 0, failing });
    let outputs = Outputs { tests, ..Outputs::default() };
    world.end(2_400, Outcome::Failed(Failure::TestsFailed { failed: 2 }), outputs);
    world.model(live(&world, true))
}

/// Three runs, then an operator went back to the second release, on a cluster where not all is well.
pub(super) fn deployed() -> Model {
    let world = rolled_back();
    let mut live = live(&world, true);
    live.target = Some(on_kubernetes(ReleaseId(4), world.at));
    world.model(live)
}

/// As [`deployed`], in production.
pub(super) fn in_production() -> Model {
    let mut model = deployed();
    let place = model.live.target.as_mut().and_then(|report| report.place.as_mut()).unwrap();
    place.production = true;
    model
}

/// As [`deployed`], but the cluster does not answer any more.
pub(super) fn unreachable() -> Model {
    let mut model = deployed();
    let since = Moment(model.now.0 - 300_000);
    model.live.target.as_mut().unwrap().unreachable = Some((since, "connection \x1b[2Jrefused".to_owned()));
    model
}

/// The world of [`deployed`].
pub(super) fn rolled_back() -> World {
    let mut world = two_runs();
    world.whole_run(3, "겨울-관측-2026.csv", 0.953);
    command(&mut world, Command::Rollback { to: None });
    world.deploy();
    world
}

/// What a cluster says of a release: one of three pods crashes, and somebody changed an object by hand.
pub(super) fn on_kubernetes(live: ReleaseId, now: Moment) -> TargetReport {
    let pod = |name: &str, state: &str, restarts, usage: Option<Usage>| InstanceStatus {
        name: format!("wine-quality-7c9d8f6b5-{name}"),
        release: live,
        track: "stable".to_owned(),
        state: state.to_owned(),
        ready: usage.is_some(),
        restarts,
        since: usage.map(|_| Moment(now.0 - 7_200_000)),
        node: usage.map(|_| "gpu-node-1".to_owned()),
        usage,
    };
    let place = Place {
        kind: "kubernetes".to_owned(),
        context: Some("ml-europe".to_owned()),
        namespace: Some("wine".to_owned()),
        production: false,
    };
    TargetReport {
        place: Some(place),
        live: Some(live),
        serving: true,
        last_exit: Some("exit code 137".to_owned()),
        instances: vec![
            pod("x2x4q", "running", 0, Some(Usage { cpus: 0.42, memory: 104_857_600 })),
            pod("k8d2m", "running", 4, Some(Usage { cpus: 1.5, memory: 512 << 20 })),
            pod("9zzpl", "CrashLoopBackOff", 0, None),
        ],
        drift: vec!["Deployment wine-quality: spec.replicas is 3, 2 was applied".to_owned()],
        unreachable: None,
        disk: BTreeMap::from([
            ("Docker Engine".to_owned(), 1_234_567_890),
            ("models".to_owned(), 3_145_728),
            ("runs".to_owned(), 0),
        ]),
    }
}

/// An operator's command in a world.
pub(super) fn command(world: &mut World, command: Command) {
    world.feed(Input::Command { by: "mina".to_owned(), from: None, message: String::new(), command });
}

/// Where an alert stands.
pub(super) fn alert(name: &str, state: AlertState) -> AlertStatus {
    AlertStatus {
        name: name.to_owned(),
        state,
        since: None,
        severity: None,
        then: Reaction::Notify,
        silence: None,
        error: None,
    }
}

/// The same, silenced.
pub(super) fn silenced(alert: AlertStatus) -> AlertStatus {
    let message = "known, mended today".to_owned();
    let silence = Silence { by: "mina".to_owned(), message, since: BEGIN, until: BEGIN.plus(7_200_000) };
    AlertStatus { silence: Some(silence), ..alert }
}

/// A screen with three alerts and what is known of them: one fired, was silenced and heard again, another trained anew.
pub(super) fn alerted() -> Model {
    let mut world = two_runs();
    let fired = |name: &str, then| FiringAlert {
        name: name.to_owned(),
        labels: String::new(),
        value: "0.41".to_owned(),
        summary: "많은 요청이 거절됩니다".to_owned(),
        since: world.at,
        release: world.state.live,
        evidence: Evidence::Against,
        then,
        cooldown: 600_000,
        obstacle: None,
    };
    let (errors, drift) = (fired("ErrorRate", Reaction::Notify), fired("Drift", Reaction::Retrain));
    world.feed(Input::Alerts { firing: vec![errors], clear: Vec::new() });
    let until = world.at.plus(7_200_000);
    let (alert_name, by) = ("ErrorRate".to_owned(), "mina".to_owned());
    let message = "known, mended today".to_owned();
    world.feed(Input::Silence { alert: alert_name.clone(), by: by.clone(), message, until });
    world.feed(Input::LiftSilence { alert: alert_name, by });
    world.feed(Input::Alerts { firing: vec![drift], clear: vec!["ErrorRate".to_owned()] });
    let mut live = live(&world, true);
    live.alerts = vec![
        alert("ErrorRate", AlertState::Inactive),
        AlertStatus { since: Some(world.at), ..alert("Drift", AlertState::Firing) },
        silenced(alert("느린-응답", AlertState::Pending)),
    ];
    world.model(live)
}

/// One event of the stream.
pub(super) fn event(recorded: &Recorded) -> Msg {
    Msg::Stream(Box::new(StreamItem::Event(recorded.clone())))
}

/// Sends a message and answers what the model asks for until it asks for nothing more; returns what is no question.
pub(super) fn send(model: &mut Model, message: Msg) -> Vec<Cmd> {
    let mut open = update(model, message);
    let mut rest = Vec::new();
    // Each answer can lead to one more question; a model that never stops asking must not hang a test.
    for _ in 0..100 {
        let Some(command) = open.pop() else { return rest };
        match command {
            Cmd::FetchLog(address, part) => {
                let window = log(part, LOG_LINES);
                open.extend(update(model, Msg::Log(address, Ok(window))));
            }
            Cmd::FetchPastLog(address, part, at) => {
                // One a second, from the beginning on.
                let written = (at.since(BEGIN) / 1_000 + 1).min(LOG_LINES);
                let window = log(part, written);
                open.extend(update(model, Msg::Log(address, Ok(window))));
            }
            Cmd::AskLog(question) => {
                let answer = log_fixtures::answer(&question);
                open.extend(update(model, Msg::AboutLog(question, Ok(answer))));
            }
            Cmd::FetchCharts(request) => {
                let charts = chart_fixtures::charts(model, &request);
                open.extend(update(model, Msg::Charts(Ok(charts))));
            }
            Cmd::FetchComparison(request) => {
                let answer = chart_fixtures::comparison(&request);
                open.extend(update(model, Msg::Comparison(request, answer)));
            }
            Cmd::FetchCompletions(request) => {
                let found = chart_fixtures::completions(&request);
                open.extend(update(model, Msg::Completions(request, Ok(found))));
            }
            Cmd::CheckExpression(expression) => {
                let fault = chart_fixtures::fault(&expression);
                open.extend(update(model, Msg::Checked(expression, Ok(fault))));
            }
            Cmd::FetchPlan => {
                let plan = plan(&model.state, &crate::pipeline::Selection::default());
                open.extend(update(model, Msg::Plan(Ok(plan))));
            }
            Cmd::FetchRollbackPlan(to) => {
                let plan = rollback_plan(&model.state, to);
                open.extend(update(model, Msg::RollbackPlan(to, plan)));
            }
            Cmd::FetchReleaseLog { lines } => {
                let lines = release_log(lines);
                open.extend(update(model, Msg::ReleaseLog(Ok(lines))));
            }
            Cmd::FetchHistory | Cmd::FetchEvents { .. } | Cmd::ShowView(_) => {}
            Cmd::FetchModels(question) => {
                let answer = model_fixtures::answer(&model.state, question);
                open.extend(update(model, answer));
            }
            other => rest.push(other),
        }
    }
    panic!("the model never stops asking");
}

/// What the daemon says of a rollback.
fn rollback_plan(state: &State, to: ReleaseId) -> Result<RollbackPlan, String> {
    let facts = |release: ReleaseId| {
        let release = state.releases.get(&release)?;
        Some((release.image.as_ref()?.short().to_owned(), release.model?))
    };
    let (new_image, new_model) = facts(to).ok_or("there is no such release")?;
    let (old_image, old_model) = state.live.and_then(facts).ok_or("no release is live")?;
    let changes = vec![format!("image {old_image} → {new_image}"), format!("model {old_model} → {new_model}")];
    Ok(RollbackPlan { from: state.live, to, changes, obstacle: None })
}

/// The last of sixty lines of an app.
fn release_log(count: usize) -> Vec<String> {
    let line = |number: usize| match number % 3 {
        0 => format!("\x1b[32mPOST /predict\x1b[0m 200 in {number} ms\x1b[2J"),
        1 => format!("예측 {number}건을 처리했습니다"),
        _ => format!("GET /metrics 200 ({number})"),
    };
    (60_usize.saturating_sub(count)..60).map(line).collect()
}

/// Lines of a log of which so many are written.
pub(super) fn log(part: LogPart, total: u64) -> LogWindow {
    let (first, count) = match part {
        LogPart::Window { first, count } => (first, count),
        LogPart::Tail { count } => (total.saturating_sub(count), count),
    };
    let line = |number: u64| {
        let text = match number % 5 {
            0 => format!("\x1b[32mlayer {number}\x1b[0m sha256:9be1c04f77a2 written"),
            1 => format!("COPY model /model ({number})"),
            2 => format!("한국어 로그: 데이터 {number}개를 읽었습니다"),
            3 => format!("10%\r50%\r100% of {number}"),
            _ => format!("a long line of {number}: {}", "abcdefghij ".repeat(20)),
        };
        LogLine { at: BEGIN.plus(number * 1_000), text, ..LogLine::default() }
    };
    let end = (first + count).min(total);
    LogWindow { first, lines: (first..end).map(line).collect(), total }
}

/// The sizes of terminal at which views are compared with snapshots.
pub(super) const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

/// The screen as text at each of these sizes, with its name. The snapshot itself is taken where the test is, for it is named
/// by that module.
pub(super) fn at_every_size(model: &Model) -> impl Iterator<Item = (String, String)> {
    SIZES.into_iter().map(move |(width, height)| (format!("{width}x{height}"), render(model, width, height)))
}

/// A model that is told to write ASCII only.
pub(super) fn in_ascii(mut model: Model) -> Model {
    model.glyphs = Glyphs::ascii();
    model.metrics.drawing = Drawing::Ascii;
    model
}

/// A model that is told to use no colours.
pub(super) fn without_colours(mut model: Model) -> Model {
    model.theme = Theme::choose(&|variable| (variable == "NO_COLOR").then(|| "1".to_owned()));
    model
}

/// The screen as text, in a terminal of this size.
pub(super) fn render(model: &Model, width: u16, height: u16) -> String {
    let mut model = model.clone();
    send(&mut model, Msg::Resized(width, height));
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| views::draw(&model, frame)).unwrap();
    text_of(terminal.backend().buffer(), width)
}

/// What a buffer shows, row by row.
pub(super) fn text_of(buffer: &Buffer, width: u16) -> String {
    let mut text = String::new();
    for row in buffer.content().chunks(usize::from(width)) {
        let mut line = String::new();
        let mut hidden = 0;
        for cell in row {
            if hidden > 0 {
                hidden -= 1;
                continue;
            }
            line.push_str(cell.symbol());
            hidden = cell.symbol().width().saturating_sub(1);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
