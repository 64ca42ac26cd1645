//! Which screens follow the daemon.
//!
//! A screen is there as long as its [`Presence`] is held. One that comes back with its number takes the place of what is
//! left of it: a connection that broke on the way may look alive from here for minutes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::status::Status;
use crate::api::types::OperatorSession;

/// All screens that are there.
#[derive(Debug, Clone, Default)]
pub(super) struct Operators {
    present: Arc<Mutex<Present>>,
}

#[derive(Debug, Default)]
struct Present {
    entrances: u64,
    screens: Vec<Screen>,
}

#[derive(Debug)]
struct Screen {
    /// The same number may come twice; an entrance is had once.
    entrance: u64,
    session: OperatorSession,
    /// Dropped when another takes its place.
    _replaced: oneshot::Sender<()>,
}

impl Operators {
    /// A screen came: its entrance, and what ends when another takes its place.
    pub(super) fn came(&self, mut session: OperatorSession) -> (u64, oneshot::Receiver<()>) {
        let mut present = self.lock();
        present.entrances += 1;
        let entrance = present.entrances;
        if let Some(former) = present.screens.iter().find(|screen| is_same(&screen.session, &session)) {
            // It never left, as those see it who look at the list.
            session.since = former.session.since.min(session.since);
        }
        present.screens.retain(|screen| !is_same(&screen.session, &session));
        let (sender, replaced) = oneshot::channel();
        present.screens.push(Screen { entrance, session, _replaced: sender });
        present.screens.sort_by_key(|screen| (screen.session.since, screen.session.session));
        (entrance, replaced)
    }

    /// Whoever came by this entrance is gone, unless another has taken the place already.
    pub(super) fn left(&self, entrance: u64) {
        self.lock().screens.retain(|screen| screen.entrance != entrance);
    }

    /// A screen looks at something else now. Whether there is such a screen.
    pub(super) fn views(&self, session: OperatorSession) -> bool {
        let mut present = self.lock();
        let screen = present.screens.iter_mut().find(|screen| is_same(&screen.session, &session));
        screen.map(|screen| screen.session.view = session.view).is_some()
    }

    /// All that are there, the longest here first.
    pub(super) fn list(&self) -> Vec<OperatorSession> {
        self.lock().screens.iter().map(|screen| screen.session.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether both are the same screen. All numbers stand in the list that everybody sees, so a number alone would let anybody,
/// also one who only watches, end or rename the screen of another.
fn is_same(one: &OperatorSession, other: &OperatorSession) -> bool {
    let who = |session: &OperatorSession| (session.session, session.is_observer);
    who(one) == who(other) && one.name == other.name && one.account == other.account && one.from == other.from
}

/// A screen that is there. It leaves when this is dropped.
#[derive(Debug)]
pub struct Presence {
    status: Status,
    entrance: u64,
    replaced: Option<oneshot::Receiver<()>>,
}

impl Presence {
    /// That of a screen which came by `entrance`.
    pub(super) fn new(status: Status, entrance: u64, replaced: oneshot::Receiver<()>) -> Self {
        Self { status, entrance, replaced: Some(replaced) }
    }

    /// Waits until the same screen comes a second time; from then on nobody reads what is said to this one.
    pub async fn replaced(&mut self) {
        if let Some(replaced) = &mut self.replaced {
            // Nothing is ever sent: it ends when the other side is dropped.
            let _ = replaced.await;
            self.replaced = None;
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.status.operator_left(self.entrance);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use crate::pipeline::Moment;

    fn session(session: u64, since: i64) -> OperatorSession {
        OperatorSession {
            session,
            name: format!("operator {session}"),
            account: "ann".to_owned(),
            from: None,
            since: Moment(since),
            view: "Board".to_owned(),
            is_observer: false,
        }
    }

    fn numbers(status: &Status) -> Vec<u64> {
        status.now().operators.iter().map(|session| session.session).collect()
    }

    #[test]
    fn screens_come_and_go_and_stand_in_the_order_in_which_they_came() {
        let status = Status::default();
        let second = status.operator_came(session(7, 20));
        let first = status.operator_came(session(9, 10));
        assert_eq!(numbers(&status), [9, 7]);
        let looks_at = |number: u64, view: &str| OperatorSession { view: view.to_owned(), ..session(number, 0) };
        status.operator_views(looks_at(7, "Events"));
        status.operator_views(looks_at(8, "Charts"));
        let views: Vec<String> = status.now().operators.into_iter().map(|session| session.view).collect();
        assert_eq!(views, ["Board", "Events"]);
        drop(first);
        assert_eq!(numbers(&status), [7]);
        drop(second);
        assert!(numbers(&status).is_empty());
    }

    #[test]
    fn nobody_ends_or_renames_the_screen_of_another_by_its_number() {
        let status = Status::default();
        let mut ann = status.operator_came(session(7, 10));
        let others = [
            OperatorSession { name: "mallory".to_owned(), ..session(7, 20) },
            OperatorSession { from: Some("10.0.0.9".to_owned()), ..session(7, 20) },
            OperatorSession { is_observer: true, ..session(7, 20) },
        ];
        for other in others {
            status.operator_views(OperatorSession { view: "nowhere".to_owned(), ..other.clone() });
            let there = status.operator_came(other);
            assert!(ann.replaced().now_or_never().is_none());
            assert_eq!(numbers(&status), [7, 7], "they stand side by side");
            drop(there);
            assert_eq!(status.now().operators, [session(7, 10)]);
        }
    }

    #[test]
    fn a_screen_that_comes_back_takes_its_own_place_and_what_is_left_of_it_ends() {
        let status = Status::default();
        let mut former = status.operator_came(session(7, 10));
        let mut other = status.operator_came(session(8, 15));
        assert!(former.replaced().now_or_never().is_none());
        let later = status.operator_came(session(7, 20));
        assert!(former.replaced().now_or_never().is_some());
        assert!(other.replaced().now_or_never().is_none());
        assert_eq!(status.now().operators[0].since, Moment(10));
        drop(former);
        assert_eq!(numbers(&status), [7, 8], "the one that was replaced takes nobody with it");
        drop(later);
        assert_eq!(numbers(&status), [8]);
    }
}
