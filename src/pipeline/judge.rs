//! What the end of a process means for its stage: an exit code of zero is not yet a pass.

use super::graph::{StageKind, StageSpec};
use super::reason::{Failure, Outcome};
use super::run::{Outputs, Stopping};

/// Judges how an attempt of `spec` ended, given what the process told and what it left.
pub(super) fn judge(spec: &StageSpec, stopping: Option<Stopping>, told: Outcome, outputs: &Outputs) -> Outcome {
    match (told, stopping) {
        (Outcome::Passed, _) => missing(spec, outputs).map_or(Outcome::Passed, Outcome::Failed),
        (Outcome::Interrupted, None) => Outcome::Interrupted,
        (_, Some(Stopping::TimedOut)) => Outcome::Failed(Failure::TimedOut),
        (_, Some(Stopping::WithRun)) => Outcome::Cancelled,
        (Outcome::Failed(failure), None) => Outcome::Failed(named(failure, outputs)),
        (Outcome::Cancelled, None) => Outcome::Cancelled,
    }
}

/// Failing tests say more than the exit code that comes with them.
fn named(failure: Failure, outputs: &Outputs) -> Failure {
    match (&failure, &outputs.tests) {
        (Failure::Exit { .. }, Some(report)) if report.failed > 0 => Failure::TestsFailed { failed: report.failed },
        _ => failure,
    }
}

fn missing(spec: &StageSpec, outputs: &Outputs) -> Option<Failure> {
    if let Some(report) = &outputs.tests {
        if report.failed > 0 {
            return Some(Failure::TestsFailed { failed: report.failed });
        }
        if spec.requires_report && report.passed == 0 {
            return Some(Failure::NoTests);
        }
    } else if spec.requires_report {
        return Some(Failure::NoReport);
    }
    if spec.produces_model && outputs.model.is_none() {
        return Some(Failure::NoOutput { what: "a model: the folder $TRAINYARD_MODEL is empty".to_owned() });
    }
    if spec.kind == StageKind::Image && outputs.image.is_none() {
        return Some(Failure::NoOutput { what: "an image".to_owned() });
    }
    None
}
