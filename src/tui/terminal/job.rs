//! Stopping the whole job, as the key of a terminal does, but for what this program has started.
//!
//! Whoever started us (`cargo run`, a script) must stop too, for a shell takes the terminal back only then. The `ssh` of a line
//! must not: the other end would find it silent and end it, and one that had asked for a password does not come back by itself.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use rustix::process::{Pid, Signal, getpid, kill_current_process_group, kill_process};

use crate::disk::ProcessStat;

/// Stops it; returns once it is continued.
pub(super) fn stop() -> io::Result<()> {
    let own = getpid().as_raw_nonzero().get();
    let all = processes();
    if !all.contains_key(&own) {
        // Without `/proc` nobody is told from another.
        return Ok(kill_current_process_group(Signal::STOP)?);
    }
    for pid in others(&all, own).into_iter().filter_map(Pid::from_raw) {
        // One that has just ended, or that is not ours to stop, does not keep us from it.
        let _ = kill_process(pid, Signal::STOP);
    }
    Ok(kill_process(getpid(), Signal::STOP)?)
}

fn processes() -> BTreeMap<i32, ProcessStat> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    numbers.filter_map(|pid| Some((pid, ProcessStat::read(pid)?))).collect()
}

/// The processes of our group that we did not start, nor did any that we started.
fn others(all: &BTreeMap<i32, ProcessStat>, own: i32) -> Vec<i32> {
    let Some(group) = all.get(&own).map(|stat| stat.group) else { return Vec::new() };
    let is_other = |pid: i32, stat: &ProcessStat| stat.group == group && !is_below(all, pid, own);
    all.iter().filter(|(pid, stat)| is_other(**pid, stat)).map(|(pid, _)| *pid).collect()
}

/// Whether the process is `own`, or has it among those that it descends from.
fn is_below(all: &BTreeMap<i32, ProcessStat>, pid: i32, own: i32) -> bool {
    let parent = |pid: &i32| all.get(pid).map(|stat| stat.parent);
    // Numbers are given anew while the list is read, so a way up might lead round in a circle.
    std::iter::successors(Some(pid), parent).take(all.len()).any(|above| above == own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_started_us_stops_with_us_and_what_we_started_goes_on() {
        let process = |parent, group| ProcessStat { parent, group, state: 'S', start: 0, ticks: 0, resident_pages: 0 };
        let all = BTreeMap::from([
            (1, process(0, 1)),
            (10, process(1, 10)),
            (20, process(10, 20)),
            // A script, we ourselves, what it sends our output to, our `ssh` and what that has started.
            (30, process(20, 20)),
            (31, process(20, 20)),
            (40, process(30, 20)),
            (41, process(40, 20)),
            // A circle.
            (50, process(51, 20)),
            (51, process(50, 20)),
        ]);
        assert_eq!(others(&all, 30), [20, 31, 50, 51]);
        assert_eq!(others(&all, 99), [0; 0]);
    }

    #[test]
    fn the_processes_of_this_machine_are_seen_with_their_groups() {
        let own = getpid().as_raw_nonzero().get();
        let all = processes();
        assert!(all.contains_key(&own) && !others(&all, own).contains(&own));
    }
}
