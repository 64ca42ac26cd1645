//! How long work still takes, as far as history tells: an estimate that says nothing where it knows nothing.
//!
//! Of a stage it is the median of its last passes, less what it has worked already, or less the share that it says it has
//! done. On a first run its share alone is heard, once there is enough of it. Pure; moments come in.

use crate::pipeline::{Pass, Run, StageKind, StageName, StageState, State};

use super::quantity;

/// A stage that worked this much longer than usual, in percent of it, is late.
const LATE: u64 = 125;
/// What is over by less than this is not late: nobody waits for it.
const LEAST_LATE: u64 = 2_000;
/// A share below this tells nothing yet; without history it must be this much greater, and of this much work.
const LEAST_SHARE: f64 = 0.05;
const LEAST_SHARE_ALONE: f64 = 0.15;
const LEAST_WORK_ALONE: u64 = 2_000;

/// How long something still takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Estimate {
    /// About so many milliseconds.
    Left(u64),
    /// It should have ended already.
    Late,
}

impl Estimate {
    /// `~40 s left`, `longer than usual`.
    pub(super) fn text(self) -> String {
        match self {
            Self::Left(milliseconds) => format!("{} left", about(milliseconds)),
            Self::Late => "longer than usual".to_owned(),
        }
    }
}

/// `~40 s`, `~2 min`, `~3 h`: no finer than an estimate can be.
pub(super) fn about(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1_000);
    match seconds {
        0..10 => format!("~{} s", seconds.max(1)),
        10..90 => format!("~{} s", seconds.div_ceil(5) * 5),
        90..5_400 => format!("~{} min", (seconds + 30) / 60),
        _ => format!("~{} h", (seconds + 1_800) / 3_600),
    }
}

/// What the stage usually takes: the median of its last passes; `None` if it never passed.
pub(super) fn usual(passes: &[Pass]) -> Option<u64> {
    let mut times: Vec<u64> = passes.iter().map(|pass| pass.took).collect();
    times.sort_unstable();
    let upper = times.get(times.len() / 2).copied()?;
    if times.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = times.get(times.len() / 2 - 1).copied()?;
    Some(lower.midpoint(upper))
}

/// How long a stage still takes that usually takes `usual`, has worked for `worked`, and says that it has done this share.
pub(super) fn of_stage(usual: Option<u64>, worked: u64, share: Option<f64>) -> Option<Estimate> {
    let share = share.filter(|share| share.is_finite() && *share >= LEAST_SHARE);
    let Some(usual) = usual else {
        let share = share.filter(|share| *share >= LEAST_SHARE_ALONE && *share < 1.0 && worked >= LEAST_WORK_ALONE)?;
        return Some(Estimate::Left(scaled(worked, (1.0 - share) / share)));
    };
    let is_late = worked > usual.saturating_mul(LATE) / 100 && worked > usual + LEAST_LATE;
    if is_late {
        return Some(Estimate::Late);
    }
    let left = usual.saturating_sub(worked);
    let Some(share) = share else {
        // Just over what is usual, and not late yet: any number would be made up.
        return (left > 0).then_some(Estimate::Left(left));
    };
    // What it says is left of what it says takes so long, and history of what is usual; the more is done, the more its own word
    // counts: `share * worked * (1 - share) / share + (1 - share) * left`.
    let told = scaled(usual.max(worked), 1.0 - share.min(1.0));
    Some(Estimate::Left(told.min(usual + usual / 2)))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a duration of a run; `as` saturates and maps NaN to zero"
)]
fn scaled(milliseconds: u64, factor: f64) -> u64 {
    (milliseconds as f64 * factor) as u64
}

/// Until which stage a run still works, and how long: its deploy if that is to come, else its last stage. `None` where the
/// time of a stage is not known, or where people hold the run back.
pub(super) fn of_run(
    state: &State,
    run: &Run,
    worked: &dyn Fn(&StageName) -> u64,
    share: &dyn Fn(&StageName) -> Option<f64>,
) -> Option<(StageName, u64)> {
    if !run.is_active() || run.stopping.is_some() {
        return None;
    }
    let mut ends: Vec<(&StageName, u64)> = Vec::new();
    let mut goal: Option<(&StageName, StageKind, u64)> = None;
    for spec in state.graph.stages() {
        let entry = run.stages.get(&spec.name)?;
        let usual = state.passes.get(&spec.name).and_then(|passes| usual(passes));
        let is_asked = !run.selection.only || run.selection.from.as_ref() == Some(&spec.name);
        let own = match &entry.state {
            StageState::Running { .. } => match of_stage(usual, worked(&spec.name), share(&spec.name))? {
                Estimate::Left(left) => left,
                Estimate::Late => return None,
            },
            StageState::Waiting | StageState::Checking { .. } if is_asked => {
                let is_locked = spec.kind == StageKind::Deploy && state.lock.is_some() && !run.trigger.is_by_hand();
                if is_locked || spec.approval.is_some() {
                    return None;
                }
                usual?
            }
            StageState::AwaitingApproval { .. } | StageState::Retrying { .. } => return None,
            StageState::Waiting
            | StageState::Checking { .. }
            | StageState::Passed
            | StageState::Failed { .. }
            | StageState::Skipped { .. }
            | StageState::NotRun { .. }
            | StageState::Cancelled
            | StageState::Interrupted => 0,
        };
        let begin = ends.iter().filter(|(name, _)| spec.needs.contains(name)).map(|(_, end)| *end).max().unwrap_or(0);
        let end = begin + own;
        ends.push((&spec.name, end));
        let comes_later = goal.is_none_or(|(_, kind, _)| kind != StageKind::Deploy || spec.kind == StageKind::Deploy);
        if own > 0 && comes_later {
            goal = Some((&spec.name, spec.kind, end));
        }
    }
    goal.map(|(name, _, end)| (name.clone(), end))
}

/// `~2 min to deploy`.
pub(super) fn run_text(stage: &str, milliseconds: u64) -> String {
    format!("{} to {stage}", about(milliseconds))
}

/// `12.4s usually`, for who looks at a stage that waits.
pub(super) fn usual_text(passes: &[Pass]) -> Option<String> {
    usual(passes).map(|usual| format!("usually {}", quantity::duration(usual)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::fixtures;

    fn passes(times: &[u64]) -> Vec<Pass> {
        let state = fixtures::two_runs().state;
        let pass = state.last_pass(&"train".into()).unwrap().clone();
        times.iter().map(|took| Pass { took: *took, ..pass.clone() }).collect()
    }

    #[test]
    fn what_is_usual_is_the_median_so_that_one_odd_pass_changes_little() {
        assert_eq!(usual(&passes(&[])), None);
        assert_eq!(usual(&passes(&[9_000])), Some(9_000));
        assert_eq!(usual(&passes(&[10_000, 600_000, 12_000])), Some(12_000));
        assert_eq!(usual(&passes(&[10_000, 14_000])), Some(12_000));
        assert_eq!(usual_text(&passes(&[12_400])).as_deref(), Some("usually 12.4s"));
    }

    #[test]
    fn without_history_only_a_stage_that_has_done_enough_tells_how_long_it_takes() {
        assert_eq!(of_stage(None, 5_000, None), None);
        assert_eq!(of_stage(None, 5_000, Some(0.1)), None);
        assert_eq!(of_stage(None, 500, Some(0.5)), None);
        assert_eq!(of_stage(None, 5_000, Some(0.5)), Some(Estimate::Left(5_000)));
        assert_eq!(of_stage(None, 5_000, Some(1.0)), None);
    }

    #[test]
    fn what_is_over_by_much_is_late_and_just_over_is_nothing() {
        assert_eq!(of_stage(Some(60_000), 20_000, None), Some(Estimate::Left(40_000)));
        assert_eq!(of_stage(Some(60_000), 62_000, None), None);
        assert_eq!(of_stage(Some(60_000), 90_000, None), Some(Estimate::Late));
        assert_eq!(of_stage(Some(100), 900, None), None, "nobody waits for a second");
        assert_eq!(Estimate::Late.text(), "longer than usual");
    }

    #[test]
    fn a_stage_that_says_its_share_is_heard_the_more_the_more_it_has_done() {
        assert_eq!(of_stage(Some(60_000), 30_000, Some(0.5)), Some(Estimate::Left(30_000)));
        assert_eq!(of_stage(Some(60_000), 30_000, Some(0.25)), Some(Estimate::Left(45_000)));
        assert_eq!(of_stage(Some(60_000), 5_000, Some(0.75)), Some(Estimate::Left(15_000)));
        assert_eq!(of_stage(Some(60_000), 62_000, Some(0.75)), Some(Estimate::Left(15_500)), "not late yet");
        assert_eq!(of_stage(Some(60_000), 20_000, Some(0.01)), Some(Estimate::Left(40_000)), "too little to tell");
        assert_eq!(of_stage(Some(60_000), 20_000, Some(f64::NAN)), Some(Estimate::Left(40_000)));
    }

    #[test]
    fn an_estimate_is_no_finer_than_it_can_be() {
        let texts: Vec<_> = [0, 3_200, 38_100, 110_000, 600_000, 7_200_000].map(about).into();
        assert_eq!(texts, ["~1 s", "~4 s", "~40 s", "~2 min", "~10 min", "~2 h"]);
        assert_eq!(
            (Estimate::Left(40_000).text(), run_text("deploy", 110_000)),
            ("~40 s left".to_owned(), "~2 min to deploy".to_owned())
        );
    }

    #[test]
    fn a_run_takes_what_its_stages_to_come_take_one_behind_the_other() {
        let mut world = fixtures::two_runs();
        world.register(3, "spring.csv");
        let state = &world.state;
        let run = state.active_run().unwrap();
        let usual = |stage: &str| usual(&state.passes[&StageName::from(stage)]).unwrap();
        let sum: u64 = ["train", "test", "build", "deploy"].into_iter().map(usual).sum();
        assert_eq!(of_run(state, run, &|_| 0, &|_| None), Some(("deploy".into(), sum)));
        assert_eq!(of_run(state, run, &|_| 2_000, &|_| None), Some(("deploy".into(), sum - 2_000)));
        assert_eq!(of_run(state, run, &|_| 900_000, &|_| None), None, "its stage is late");
        let finished = &state.runs[&crate::pipeline::RunId(1)];
        assert_eq!(of_run(state, finished, &|_| 0, &|_| None), None);
        let mut first = fixtures::World::new();
        first.register(1, "first.csv");
        let run = first.state.active_run().unwrap();
        assert_eq!(of_run(&first.state, run, &|_| 0, &|_| None), None, "nothing is known yet");
    }

    proptest! {
        #[test]
        fn no_estimate_is_longer_than_what_is_usual_and_a_half_more(
            usual in 1_u64..10_000_000,
            worked in 0_u64..20_000_000,
            share in proptest::option::of(-1.0_f64..2.0),
        ) {
            if let Some(Estimate::Left(left)) = of_stage(Some(usual), worked, share) {
                prop_assert!(left <= usual + usual / 2);
            }
        }
    }
}
