//! What `trainyard status` says of people: who holds deploys, whose word a stage waits for, and who is attached.

use std::io::Write;

use super::failure::Failure;
use super::show::{clock, duration};
use crate::api::types::{OperatorSession, Snapshot};
use crate::pipeline::{Lock, Moment, explain};

/// Writes a line for each.
pub fn show(snapshot: &Snapshot, now: Moment, out: &mut impl Write) -> Result<(), Failure> {
    if let Some(lock) = &snapshot.state.lock {
        writeln!(out, "lock       {}", lock_line(lock, now))?;
    }
    for (run, stage, of) in snapshot.state.awaiting_approval() {
        let of = explain::any_of(of);
        writeln!(out, "approval   {stage} of run {run} waits for {of}; `trainyard approve` or `trainyard decline`")?;
    }
    for operator in &snapshot.live.operators {
        writeln!(out, "attached   {}", operator_line(operator, now))?;
    }
    Ok(())
}

/// Who holds deploys, since when, why, until when, and by which process.
pub fn lock_line(lock: &Lock, now: Moment) -> String {
    let mut line = format!("{} has held deploys for {}: {}", lock.by, duration(now.since(lock.since)), lock.message);
    if let Some(until) = lock.until {
        line.push_str(&format!("; until {}", clock(until)));
    }
    if let Some(holder) = &lock.holder {
        line.push_str(&format!("; as long as process {} on {} lives", holder.pid, holder.host));
    }
    line
}

fn operator_line(operator: &OperatorSession, now: Moment) -> String {
    let mut line = operator.name.clone();
    if operator.account != operator.name {
        line.push_str(&format!(" (account {})", operator.account));
    }
    if let Some(from) = &operator.from {
        line.push_str(&format!(" from {from}"));
    }
    line.push_str(&format!(", for {}", duration(now.since(operator.since))));
    if !operator.view.is_empty() {
        line.push_str(&format!(", looks at {}", operator.view));
    }
    if operator.is_observer {
        line.push_str(", only watches");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Holder;

    #[test]
    fn a_lock_says_who_since_when_why_and_what_ends_it() {
        let mut lock = Lock {
            by: "mina".to_owned(),
            message: "data migration".to_owned(),
            since: Moment(0),
            until: None,
            holder: None,
        };
        assert_eq!(lock_line(&lock, Moment(65_000)), "mina has held deploys for 1m05s: data migration");
        lock.until = Some(Moment(3_600_000));
        let holder = Holder { host: "box".to_owned(), boot: "b".to_owned(), pid: 4711, started: 7 };
        lock.holder = Some(holder);
        let until = clock(Moment(3_600_000));
        assert_eq!(
            lock_line(&lock, Moment(65_000)),
            format!(
                "mina has held deploys for 1m05s: data migration; until {until}; as long as process 4711 on box lives"
            )
        );
    }

    #[test]
    fn whoever_is_attached_is_told_with_account_place_view_and_what_they_may() {
        let mut operator = OperatorSession {
            session: 1,
            name: "alice".to_owned(),
            account: "deploy".to_owned(),
            from: Some("10.0.0.7".to_owned()),
            since: Moment(0),
            view: "metrics".to_owned(),
            is_observer: true,
        };
        assert_eq!(
            operator_line(&operator, Moment(5_000)),
            "alice (account deploy) from 10.0.0.7, for 5.0s, looks at metrics, only watches"
        );
        operator = OperatorSession {
            account: "alice".to_owned(),
            from: None,
            view: String::new(),
            is_observer: false,
            ..operator
        };
        assert_eq!(operator_line(&operator, Moment(5_000)), "alice, for 5.0s");
    }
}
