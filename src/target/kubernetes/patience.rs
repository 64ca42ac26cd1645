//! Asking again while nobody answers: for so long and no longer, with growing pauses, and told in words.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::connection::ClusterError;

/// The pauses between two questions.
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(10);

/// How long a silence is borne.
pub struct Patience<'a> {
    limit: Duration,
    step: &'a (dyn Fn(String) + Send + Sync),
    lost: Duration,
}

impl<'a> Patience<'a> {
    /// Bears silences of up to `limit` each.
    pub fn new(limit: Duration, step: &'a (dyn Fn(String) + Send + Sync)) -> Self {
        Self { limit, step, lost: Duration::ZERO }
    }

    /// The time that went by in silences, which is nobody's fault here.
    pub fn lost(&self) -> Duration {
        self.lost
    }

    /// Asks until there is an answer, whichever; or, when the silence is too long, says so.
    pub async fn reach<T, F>(&mut self, mut ask: impl FnMut() -> F) -> Result<T, ClusterError>
    where
        F: Future<Output = Result<T, ClusterError>>,
    {
        let mut silence: Option<Instant> = None;
        let mut pause = SHORTEST;
        loop {
            let asked = Instant::now();
            let error = match ask().await {
                Err(error) if error.is_unreachable() => error,
                answer => {
                    if let Some(since) = silence {
                        self.lost += since.elapsed();
                        (self.step)(format!("the cluster answers again after {} s", since.elapsed().as_secs()));
                    }
                    return answer;
                }
            };
            // It was silent from the moment in which it was asked.
            let since = *silence.get_or_insert(asked);
            if since == asked {
                (self.step)(format!("{error}; waiting for it, up to {} s", self.limit.as_secs()));
            }
            if since.elapsed() + pause > self.limit {
                self.lost += since.elapsed();
                return Err(error);
            }
            // A pause between two questions to somebody who cannot tell when there will be an answer.
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST);
        }
    }
}

/// Comes true when the flag is raised, and never when nobody can raise it any more.
pub async fn raised(flag: &mut watch::Receiver<bool>) {
    let is_closed = flag.wait_for(|raised| *raised).await.is_err();
    if is_closed {
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn silent() -> ClusterError {
        ClusterError::Unreachable { server: None, reason: "connection refused".to_owned() }
    }

    fn run<T>(test: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(test)
    }

    #[test]
    fn an_answer_is_waited_for_and_the_silence_is_told_once() {
        let told = Mutex::new(Vec::new());
        let tell = |text: String| told.lock().unwrap().push(text);
        let mut patience = Patience::new(Duration::from_mins(1), &tell);
        let mut answers = [Err(silent()), Ok(7)].into_iter();
        let answer = run(patience.reach(|| {
            let answer = answers.next().unwrap();
            async move { answer }
        }));
        assert_eq!(answer, Ok(7));
        assert!(patience.lost() >= SHORTEST);
        let told = told.lock().unwrap();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].contains("connection refused") && told[1].starts_with("the cluster answers again"), "{told:?}");
    }

    #[test]
    fn patience_has_an_end() {
        let tell = |_: String| {};
        let mut patience = Patience::new(Duration::from_millis(100), &tell);
        let answer: Result<(), _> = run(patience.reach(|| async { Err(silent()) }));
        assert_eq!(answer, Err(silent()));
    }

    #[test]
    fn a_refusal_is_an_answer() {
        let tell = |_: String| {};
        let mut patience = Patience::new(Duration::from_mins(1), &tell);
        let no = || ClusterError::Refused { message: "no".to_owned() };
        let answer: Result<(), _> = run(patience.reach(|| {
            let error = no();
            async move { Err(error) }
        }));
        assert_eq!(answer, Err(no()));
        assert_eq!(patience.lost(), Duration::ZERO);
    }
}
