//! Stages, models and releases for the tests of every room: what most of them do not care about is said once.

use super::{
    Digest, Fate, Graph, Model, ModelVersion, Moment, Outputs, Release, ReleaseId, ReleaseStatus, RunId, StageKind,
    StageSpec,
};

/// A stage of its kind: training uses the data and makes a model, a command uses the source.
pub(crate) fn stage(name: &str, kind: StageKind, needs: &[&str]) -> StageSpec {
    StageSpec {
        name: name.into(),
        kind,
        needs: needs.iter().map(|need| (*need).into()).collect(),
        uses_data: kind == StageKind::Train,
        uses_source: kind == StageKind::Command,
        produces_model: kind == StageKind::Train,
        requires_report: false,
        retries: 0,
        timeout: None,
        definition: Digest(name.to_owned()),
        approval: None,
    }
}

/// train → test → build → deploy, each as `change` leaves it.
pub(crate) fn chain(change: impl FnMut(&mut StageSpec)) -> Graph {
    let mut stages = vec![
        stage("train", StageKind::Train, &[]),
        stage("test", StageKind::Command, &["train"]),
        stage("build", StageKind::Image, &["test"]),
        stage("deploy", StageKind::Deploy, &["build"]),
    ];
    stages.iter_mut().for_each(change);
    Graph::new(stages).unwrap()
}

/// The model of the run of its number, which passed its gate.
pub(crate) fn model(number: u64) -> Model {
    let version = ModelVersion(number);
    Model {
        version,
        stage: "train".into(),
        run: RunId(number),
        made: Moment(0),
        took: 0,
        fate: Fate::Passed,
        outputs: Outputs { model: Some(version), ..Outputs::default() },
        fingerprint: None,
        parent: None,
        notes: Vec::new(),
    }
}

/// The release of the run of its number, which another took the place of.
pub(crate) fn release(number: u64) -> Release {
    Release {
        id: ReleaseId(number),
        run: RunId(number),
        stage: "deploy".into(),
        repeats: None,
        image: None,
        archive: None,
        model: None,
        commit: String::new(),
        fingerprint: None,
        started: Moment(0),
        live_since: None,
        ended: None,
        address: None,
        status: ReleaseStatus::Retired,
    }
}
