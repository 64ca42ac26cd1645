//! The past for the commands that show it: which moment is meant, and everything as it was then, read from the journal.

use super::failure::{Failure, failed};
use super::{moments, project};
use crate::api::types::{Past, PastRequest};
use crate::disk::{Layout, now};
use crate::engine::past::Archive;
use crate::pipeline::{Moment, RunId, State};

/// The state at a moment that was written on the command line, and that moment; without one, the present.
pub fn state_at(layout: &Layout, when: Option<&str>) -> Result<(State, Moment), Failure> {
    match when {
        Some(when) => then(layout, when).map(|past| (past.state, past.place.at)),
        None => project::state(layout).map(|(state, _)| (state, now())),
    }
}

/// Everything as it was. No daemon is needed for it, and none is asked.
pub fn then(layout: &Layout, when: &str) -> Result<Past, Failure> {
    let wanted = request(when).map_err(Failure::Usage)?;
    if !layout.journal().is_file() {
        return Err(Failure::Failed("nothing has happened here yet; `trainyard up` starts the daemon".to_owned()));
    }
    Archive::new(layout.journal()).past(&wanted).map_err(failed)
}

/// `run 42` is the end of a run; all else is a moment of the clock, and a day is meant to its end.
fn request(when: &str) -> Result<PastRequest, String> {
    let words: Vec<&str> = when.split_whitespace().collect();
    match words.as_slice() {
        ["run", number] => {
            let run = number.parse().map_err(|_| format!("`{number}` is no number of a run; write `run 42`"))?;
            Ok(PastRequest { run: Some(RunId(run)), ..PastRequest::default() })
        }
        _ => moments::until(when).map(PastRequest::at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_and_a_moment_are_told_apart() {
        assert_eq!(request("run  42").unwrap().run, Some(RunId(42)));
        assert_eq!(request("2026-11-28T00:00:00Z").unwrap(), PastRequest::at(Moment(1_795_824_000_000)));
        assert!(request("run x").unwrap_err().contains("`x` is no number of a run"));
        assert!(request("soon").unwrap_err().contains("is no moment"));
    }
}
