//! An engine or a cluster that does not answer now may do so in a moment.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::apply::Host;
use super::health::raised;
use super::records::Record;
use crate::target::Failure;

/// How long a deploy waits for an engine that does not answer.
const LIMIT: Duration = Duration::from_mins(1);
/// The first pause between two tries; each further one is twice as long.
const SHORTEST: Duration = Duration::from_millis(500);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(8);

impl Host {
    /// Connects, and tries again while nobody answers; each try is told. What is refused is not tried again.
    pub(super) async fn patiently<T, E: Display, F: Future<Output = Result<T, E>>>(
        &self,
        record: &Record,
        connect: impl Fn() -> F,
        is_unreachable: impl Fn(&E) -> bool,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        let mut pause = SHORTEST;
        let mut stop = self.stop_flag();
        loop {
            let error = match connect().await {
                Ok(connected) => return Ok(connected),
                Err(error) => error,
            };
            let nobody_answers = is_unreachable(&error);
            if !nobody_answers || begun.elapsed() >= LIMIT || self.is_stopping() {
                let reason = format!("was not deployed: {error}");
                return Err(if nobody_answers { Failure::unreachable(reason) } else { Failure::not_tried(reason) });
            }
            record.step(format!("{error}; trying again in {}", super::seconds(pause)));
            tokio::select! {
                () = sleep(pause) => {}
                () = raised(&mut stop) => {}
            }
            pause = (pause * 2).min(LONGEST);
        }
    }
}
