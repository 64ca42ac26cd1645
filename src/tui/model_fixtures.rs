//! Models for tests, as a daemon would tell of them: two that passed, one that was held, one that is being searched.

use std::collections::BTreeMap;

use crate::api::types::{
    CalibrationBin, CardFeature, CardRows, ConfusionMatrix, DataProfile, DistinctValues, FeatureImportance, GateCheck,
    GateLedger, GateVerdict, LeaderboardRow, LineageFile, MetricSlice, MetricValue, ModelCard, ModelDetail,
    ModelLineage, ModelSummary, ProfiledColumn, ProfiledNumbers, ProfiledValue, StageProgress, TrialState,
};
use crate::pipeline::{Digest, Failure, Fate, Input, ModelVersion, Moment, Outcome, Outputs, RunId, State};

use super::app::Model;
use super::fixtures::{World, live, two_runs};
use super::message::Msg;
use super::models::Question;

/// Two models passed and serve one after the other, the third was held by its gate.
pub(super) fn world() -> World {
    let mut world = two_runs();
    world.register(3, "겨울-관측-2026.csv");
    let (run, stage, _) = world.running().unwrap();
    let model = world.state.runs[&run].stages[&stage].writes_model;
    let metrics = BTreeMap::from([("accuracy".to_owned(), 0.925), ("f1".to_owned(), 0.881)]);
    let reason = "accuracy 0.925 beside 0.942 of model 2 on the same 480 held-out rows: 0.017 worse".to_owned();
    let outputs = Outputs { model, digest: Some(Digest("3".repeat(64))), metrics, ..Outputs::default() };
    world.end(9_400, Outcome::Failed(Failure::Gate { reason }), outputs);
    let text = "labels of\x1b[2J batch 7 are doubtful".to_owned();
    world.feed(Input::NoteModel { model: ModelVersion(3), by: "mina".to_owned(), text });
    world
}

/// The screen of [`world`].
pub(super) fn models() -> Model {
    let world = world();
    world.model(live(&world, true))
}

/// As [`models`], while a fourth is being searched.
pub(super) fn searching() -> Model {
    let mut world = world();
    world.register(4, "spring.csv");
    let (run, stage, _) = world.running().unwrap();
    let mut live = live(&world, true);
    live.progress.push(StageProgress {
        run,
        stage,
        share: Some(0.42),
        message: "trial 12 of 40 · best boosting 0.951".to_owned(),
        metrics: BTreeMap::new(),
        leaderboard: leaderboard(),
    });
    world.model(live)
}

fn leaderboard() -> Vec<LeaderboardRow> {
    let row = |trial, learner: &str, mean, state, rung| LeaderboardRow {
        trial,
        learner: learner.to_owned(),
        metric: "accuracy".to_owned(),
        mean,
        deviation: mean.map(|_| 0.008),
        rung,
        of: 3,
        state,
        seconds: 0.4 * f64::from(trial),
    };
    vec![
        row(3, "boosting, 200 rounds of 31 leaves at rate 0.1", Some(0.951), TrialState::Kept, 2),
        row(4, "forest, 200 trees", Some(0.944), TrialState::Kept, 2),
        row(12, "boosting, 400 rounds of 15 leaves at rate 0.05", None, TrialState::Running, 1),
        row(1, "logistic, penalty 1", Some(0.902), TrialState::Dropped, 1),
        row(7, "svm,\x1b[31m cost 1", None, TrialState::Failed, 0),
    ]
}

/// What a daemon answers.
pub(super) fn answer(state: &State, question: Question) -> Msg {
    match question {
        Question::List => Msg::Models(Ok(list(state))),
        Question::Detail(version) => {
            let detail = detail(state, version).ok_or_else(|| format!("there is no model {version}"));
            Msg::ModelDetail(version, detail.map(Box::new))
        }
        Question::Profile(version) => Msg::ModelProfile(version, Ok(profile())),
    }
}

/// The registry, the newest first.
pub(super) fn list(state: &State) -> Vec<ModelSummary> {
    state.registry.models.keys().rev().filter_map(|version| summary(state, *version)).collect()
}

fn summary(state: &State, version: ModelVersion) -> Option<ModelSummary> {
    let model = state.registry.models.get(&version)?;
    let metrics = model.outputs.metrics.clone();
    let accuracy = metrics.get("accuracy").copied()?;
    Some(ModelSummary {
        version,
        stage: model.stage.clone(),
        run: model.run,
        made: model.made,
        took: model.took,
        learner: Some("boosting, 200 rounds of 31 leaves at rate 0.1".to_owned()),
        metric: Some(MetricValue {
            name: "accuracy".to_owned(),
            value: accuracy,
            interval: Some((accuracy - 0.021, accuracy + 0.019)),
        }),
        metrics,
        verdict: model.fate.word().to_owned(),
        reason: match &model.fate {
            Fate::Passed => None,
            Fate::Held { reason } => Some(reason.clone()),
        },
        ungated: false,
        champion: state.registry.is_champion(version),
        live: state.live_release().and_then(|release| release.model) == Some(version),
        digest: model.outputs.digest.clone(),
        data: model.fingerprint.as_ref().and_then(|fingerprint| fingerprint.data.clone()),
        rows: Some(version.0 * 533),
        commit: Some("3f2a91c".to_owned()),
        parent: model.parent,
        note: model.notes.last().map(|note| note.text.clone()),
        has_files: true,
    })
}

/// One version.
pub(super) fn detail(state: &State, version: ModelVersion) -> Option<ModelDetail> {
    let summary = summary(state, version)?;
    let model = state.registry.models.get(&version)?;
    let promotions = state.registry.promotions.iter().filter(|promotion| promotion.model == version);
    Some(ModelDetail {
        notes: model.notes.clone(),
        promotions: promotions.cloned().collect(),
        ledger: Some(ledger(&summary)),
        lineage: Some(lineage(&summary)),
        has_profile: true,
        card: card(version),
        summary,
    })
}

fn ledger(summary: &ModelSummary) -> GateLedger {
    let verdict = if summary.reason.is_some() { GateVerdict::Fail } else { GateVerdict::Pass };
    let check = |name: &str, verdict, sentence: &str| GateCheck {
        name: name.to_owned(),
        verdict,
        sentence: sentence.to_owned(),
        challenger: summary.metrics.get("accuracy").copied(),
        champion: Some(0.942),
        limit: Some(0.005),
        difference: Some(-0.017),
        interval: Some((-0.031, -0.002)),
        p_value: (name == "champion").then_some(0.0312),
        rows: Some(480),
    };
    let mut checks = vec![check("minimum", GateVerdict::Pass, "accuracy is at least 0.550")];
    if let Some(reason) = &summary.reason {
        checks.push(check("champion", verdict, reason));
    }
    let next = if summary.reason.is_some() { "trainyard promote 3 --message \"why\" uses it all the same" } else { "" };
    GateLedger {
        verdict,
        metric: "accuracy".to_owned(),
        champion: summary.parent.map(|parent| parent.0),
        checks,
        next: next.to_owned(),
    }
}

fn lineage(summary: &ModelSummary) -> ModelLineage {
    let file = |number: u64| LineageFile {
        path: format!("관측-{number}.csv"),
        digest: Digest(format!("{number}").repeat(64)),
        rows: 533,
    };
    ModelLineage {
        model: summary.version,
        stage: summary.stage.clone(),
        run: summary.run,
        trainyard: "0.1.0".to_owned(),
        crates: BTreeMap::from([("linfa".to_owned(), "0.8.1".to_owned())]),
        commit: Some("3f2a91c07d5be8".to_owned()),
        dirty: false,
        source: "main 3f2a91c clean".to_owned(),
        configuration: Digest("c".repeat(64)),
        data: summary.data.clone().unwrap_or_else(|| Digest("d".repeat(64))),
        rows: summary.version.0 * 533,
        files: (1..=summary.version.0).map(file).collect(),
        champion: summary.parent,
    }
}

fn card(version: ModelVersion) -> ModelCard {
    // Versions differ a little, so that a comparison has something to show.
    let shift = f64::from(u32::try_from(version.0).unwrap()) / 100.0;
    let bin = |tenth: u32| {
        let middle = (f64::from(tenth) + 0.5) / 10.0;
        CalibrationBin {
            mean_probability: middle,
            share: (middle - shift).clamp(0.0, 1.0),
            rows: 20 + u64::from(tenth),
        }
    };
    let worth = |feature: &str, loss: f64| FeatureImportance {
        feature: feature.to_owned(),
        loss: loss + shift,
        deviation: 0.012,
    };
    let slice = |value: &str, accuracy: f64, rows| MetricSlice {
        column: "region".to_owned(),
        value: value.to_owned(),
        rows,
        metrics: BTreeMap::from([("accuracy".to_owned(), accuracy), ("f1".to_owned(), accuracy - 0.05)]),
    };
    let trial = |row: LeaderboardRow| LeaderboardRow {
        state: if row.trial == 3 { TrialState::Chosen } else { TrialState::Dropped },
        seconds: 0.0,
        ..row
    };
    let interval = |value: f64| (value - 0.02, value + 0.02);
    ModelCard {
        task: Some("classification".to_owned()),
        target: Some("종류".to_owned()),
        classes: ["화이트", "red", "rosé"].map(str::to_owned).to_vec(),
        seed: Some(42),
        rows: Some(CardRows { total: 1_599, train: 1_119, held_out: 480 }),
        features: ["alcohol", "sulphates", "지역"]
            .map(|name| CardFeature { name: name.to_owned(), ..CardFeature::default() })
            .to_vec(),
        ignored: ["comment", "종류"].map(str::to_owned).to_vec(),
        baseline: BTreeMap::from([("accuracy".to_owned(), 0.5), ("f1".to_owned(), 0.9)]),
        remarks: vec!["column \"comment\" is left out: it is text".to_owned()],
        intervals: BTreeMap::from([("accuracy".to_owned(), interval(0.93)), ("f1".to_owned(), interval(0.88))]),
        confusion: Some(ConfusionMatrix {
            classes: ["화이트", "red", "rosé"].map(str::to_owned).to_vec(),
            counts: vec![vec![230, 8, 2], vec![5, 190 - version.0, version.0], vec![3, 12, 30], vec![1, 0, 0]],
        }),
        calibration: (0..10).map(bin).collect(),
        importance: vec![worth("alcohol", 0.182), worth("sulphates", 0.061), worth("지역", 0.004), worth("pH", -0.05)],
        slices: vec![slice("north", 0.951, 210), slice("남부", 0.902, 180), slice("\x1b[2Jeast", 0.874, 90)],
        trials: leaderboard().into_iter().map(trial).collect(),
    }
}

/// The profile of the data of any version.
fn profile() -> DataProfile {
    let number = |name: &str, missing, histogram: &[u64]| ProfiledColumn {
        name: name.to_owned(),
        kind: "number".to_owned(),
        missing,
        distinct: Some(DistinctValues { count: 1_204, exact: true }),
        numbers: Some(ProfiledNumbers {
            minimum: 8.4,
            maximum: 14.9,
            mean: 10.42,
            deviation: 1.06,
            histogram: histogram.to_vec(),
        }),
        ..ProfiledColumn::default()
    };
    let value = |value: &str, rows| ProfiledValue { value: value.to_owned(), rows };
    let bell = [1, 4, 9, 20, 60, 140, 220, 260, 240, 180, 150, 110, 80, 50, 30, 20, 14, 8, 2, 1];
    let category = ProfiledColumn {
        name: "지역".to_owned(),
        kind: "category".to_owned(),
        distinct: Some(DistinctValues { count: 3, exact: true }),
        top: vec![value("north", 700), value("남부", 600), value("\x1b[2Jeast", 299)],
        ..ProfiledColumn::default()
    };
    let date = ProfiledColumn {
        kind: "date".to_owned(),
        dates: Some(("2026-01-01".to_owned(), "2026-03-31".to_owned())),
        ..number("day", 0, &[80; 20])
    };
    let target = ProfiledColumn { name: "종류".to_owned(), top: vec![value("화이트", 800)], ..category.clone() };
    DataProfile {
        rows: 1_599,
        duplicates: 12,
        target: "종류".to_owned(),
        balance: vec![value("화이트", 800), value("red", 650), value("rosé", 149)],
        columns: vec![
            number("alcohol", 0, &bell),
            number("sulphates", 7, &[900, 400, 200, 60, 20, 9, 5, 3, 1, 1]),
            category,
            date,
            target,
        ],
        notes: vec!["column \"id\" has as many values as rows: it names rows and predicts nothing".to_owned()],
    }
}

/// A model of a command that reported nothing, and whose files are gone.
pub(super) fn bare(version: u64) -> ModelSummary {
    ModelSummary {
        version: ModelVersion(version),
        stage: "train".into(),
        run: RunId(version),
        made: Moment(0),
        took: 1,
        learner: None,
        metric: None,
        metrics: BTreeMap::new(),
        verdict: "passed".to_owned(),
        reason: None,
        ungated: false,
        champion: false,
        live: false,
        digest: None,
        data: None,
        rows: None,
        commit: None,
        parent: None,
        note: None,
        has_files: false,
    }
}
