//! What an end of a container is, told from two looks at it.
//!
//! The engine starts a container again by itself, within a tenth of a second at first, and nothing tells a listener that came
//! late. So an end is not waited for alone but seen: a life is known by when it began and by how often the engine had started
//! the container again until then, and a look that shows another life has seen an end. (Measured: the count goes up when the
//! engine *decides* to start it again, the moment of the start changes when it *did*. A start by hand sets the count to 0.)

use bollard::models::{ContainerInspectResponse, ContainerState, ContainerStateStatusEnum};

/// The life of a container that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Life {
    /// When it began, in the words of the engine.
    started: String,
    /// How often the engine had started the container again.
    restarts: i64,
    /// Whether its end was told already, so that what is awaited is the next life.
    ended: bool,
}

/// What a look at a container says about a known life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on, or the next one is still awaited.
    Lives,
    /// It ended, and the engine starts the container again or did so. How it ended, if that can still be seen.
    Ended(Option<String>),
    /// The container does not run, and the engine will not start it again.
    Stopped(String),
}

impl Life {
    /// The first life of a container that was just started; if it is over already, the next look says so.
    pub fn first(seen: &ContainerInspectResponse) -> Self {
        Self { started: started(seen), restarts: 0, ended: false }
    }

    /// The life of a container that was found. One that is being started again has ended, and the next look says so.
    pub fn found(seen: &ContainerInspectResponse) -> Self {
        let restarts = seen.restart_count.unwrap_or_default();
        let waits = status(seen) == Some(ContainerStateStatusEnum::RESTARTING);
        Self { started: started(seen), restarts: if waits { restarts - 1 } else { restarts }, ended: false }
    }

    /// Compares the life with what is seen now, and goes over to the life that is seen.
    pub fn judge(&mut self, seen: &ContainerInspectResponse) -> Verdict {
        use ContainerStateStatusEnum::{PAUSED, RESTARTING, RUNNING, STOPPING};
        let now = Self {
            started: started(seen),
            restarts: seen.restart_count.unwrap_or_default(),
            ended: status(seen) == Some(RESTARTING),
        };
        match status(seen) {
            Some(RESTARTING) => {
                let is_told = self.ended && self.restarts == now.restarts;
                *self = now;
                if is_told { Verdict::Lives } else { Verdict::Ended(Some(end(seen.state.as_ref()))) }
            }
            Some(RUNNING | PAUSED | STOPPING) => {
                let is_awaited = self.ended && self.restarts >= now.restarts;
                let is_same = !self.ended && self.started == now.started && self.restarts == now.restarts;
                *self = now;
                if is_awaited || is_same { Verdict::Lives } else { Verdict::Ended(None) }
            }
            _ => Verdict::Stopped(end(seen.state.as_ref())),
        }
    }
}

/// How a container ended, by its state.
pub fn end(state: Option<&ContainerState>) -> String {
    let Some(state) = state else { return "ended".to_owned() };
    match state.error.as_deref() {
        Some(error) if !error.is_empty() => format!("could not be started again: {error}"),
        _ => exit(state.exit_code.unwrap_or_default(), state.oom_killed == Some(true)),
    }
}

/// An exit in words. That memory ran out counts only where it can be the reason: the engine keeps the mark over later starts.
pub fn exit(code: i64, out_of_memory: bool) -> String {
    let meaning = match code {
        126 => "its program cannot be executed",
        127 => "its program is not in the image",
        134 => "aborted",
        137 if out_of_memory => "killed, out of memory",
        137 => "killed",
        139 => "segmentation fault",
        143 => "terminated",
        _ => return format!("exited with code {code}"),
    };
    format!("exited with code {code} ({meaning})")
}

/// The word of the engine for how the container is.
pub fn status(seen: &ContainerInspectResponse) -> Option<ContainerStateStatusEnum> {
    seen.state.as_ref()?.status
}

fn started(seen: &ContainerInspectResponse) -> String {
    seen.state.as_ref().and_then(|state| state.started_at.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(status: ContainerStateStatusEnum, started: &str, restarts: i64, code: i64) -> ContainerInspectResponse {
        let state = ContainerState {
            status: Some(status),
            started_at: Some(started.to_owned()),
            exit_code: Some(code),
            ..ContainerState::default()
        };
        ContainerInspectResponse {
            state: Some(state),
            restart_count: Some(restarts),
            ..ContainerInspectResponse::default()
        }
    }

    fn running(started: &str, restarts: i64) -> ContainerInspectResponse {
        seen(ContainerStateStatusEnum::RUNNING, started, restarts, 0)
    }

    fn restarting(started: &str, restarts: i64) -> ContainerInspectResponse {
        seen(ContainerStateStatusEnum::RESTARTING, started, restarts, 3)
    }

    #[test]
    fn a_container_that_runs_on_has_not_ended() {
        let mut life = Life::first(&running("10:00", 0));
        assert_eq!(life.judge(&running("10:00", 0)), Verdict::Lives);
    }

    #[test]
    fn an_end_is_told_once_and_the_next_life_is_followed() {
        let mut life = Life::first(&running("10:00", 0));
        let told = Verdict::Ended(Some("exited with code 3".to_owned()));
        assert_eq!(life.judge(&restarting("10:00", 1)), told);
        assert_eq!(life.judge(&restarting("10:00", 1)), Verdict::Lives);
        assert_eq!(life.judge(&running("10:01", 1)), Verdict::Lives);
        assert_eq!(life.judge(&running("10:01", 1)), Verdict::Lives);
        assert_eq!(life.judge(&restarting("10:01", 2)), told);
    }

    #[test]
    fn an_end_that_nobody_saw_shows_in_the_next_life() {
        let mut life = Life::first(&running("10:00", 0));
        assert_eq!(life.judge(&running("10:01", 1)), Verdict::Ended(None));
        assert_eq!(life.judge(&running("10:01", 1)), Verdict::Lives);
        // By hand or with the engine: the count does not go up.
        assert_eq!(life.judge(&running("10:02", 0)), Verdict::Ended(None));
    }

    #[test]
    fn an_end_behind_the_one_that_was_told_is_told_too() {
        let mut life = Life::first(&running("10:00", 0));
        assert!(matches!(life.judge(&restarting("10:00", 1)), Verdict::Ended(_)));
        assert_eq!(life.judge(&running("10:02", 2)), Verdict::Ended(None));
        let mut life = Life::first(&running("10:00", 0));
        assert!(matches!(life.judge(&restarting("10:00", 1)), Verdict::Ended(_)));
        assert!(matches!(life.judge(&restarting("10:01", 2)), Verdict::Ended(Some(_))));
    }

    #[test]
    fn a_container_that_ended_before_the_first_look_is_not_taken_for_alive() {
        assert!(matches!(Life::first(&running("10:01", 1)).judge(&running("10:01", 1)), Verdict::Ended(_)));
        assert!(matches!(Life::first(&restarting("10:00", 1)).judge(&restarting("10:00", 1)), Verdict::Ended(_)));
    }

    #[test]
    fn one_that_was_found_while_it_is_started_again_has_ended() {
        assert!(matches!(Life::found(&restarting("10:00", 7)).judge(&restarting("10:00", 7)), Verdict::Ended(_)));
        assert_eq!(Life::found(&running("10:00", 7)).judge(&running("10:00", 7)), Verdict::Lives);
    }

    #[test]
    fn one_that_is_not_started_again_is_stopped_and_says_how() {
        let mut life = Life::first(&running("10:00", 0));
        let stopped = seen(ContainerStateStatusEnum::EXITED, "10:00", 0, 137);
        assert_eq!(life.judge(&stopped), Verdict::Stopped("exited with code 137 (killed)".to_owned()));
        // Only a look: it may have been the engine that was on its way down.
        assert_eq!(life.judge(&running("10:00", 0)), Verdict::Lives);
    }

    #[test]
    fn memory_is_blamed_only_for_a_kill() {
        assert_eq!(exit(137, true), "exited with code 137 (killed, out of memory)");
        assert_eq!(exit(3, true), "exited with code 3");
        assert_eq!(exit(127, false), "exited with code 127 (its program is not in the image)");
    }
}
