//! Which two releases are compared: picked one after the other from all that were live.

use crate::pipeline::{Release, ReleaseId, State};

/// The choice while it is being made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) struct Pick {
    /// What was picked first.
    pub(in crate::tui) first: Option<ReleaseId>,
    /// The selected row.
    pub(in crate::tui) selected: ReleaseId,
    /// The pair that is compared now, the earlier one first: the rows at which the choice begins.
    pub(in crate::tui) present: (ReleaseId, ReleaseId),
}

/// What came of a pick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Picked {
    /// The other one is to be picked.
    One(Pick),
    /// These two, the earlier one first.
    Both(ReleaseId, ReleaseId),
    /// The same one twice.
    Same,
}

impl Pick {
    /// Begins at the pair that is compared now.
    pub(in crate::tui) fn new(present: (ReleaseId, ReleaseId)) -> Self {
        Self { first: None, selected: present.0, present }
    }

    /// Takes the selected release.
    pub(in crate::tui) fn take(self) -> Picked {
        let (former, later) = self.present;
        match self.first {
            None => {
                let other = if self.selected == later { former } else { later };
                Picked::One(Self { first: Some(self.selected), selected: other, ..self })
            }
            Some(first) if first == self.selected => Picked::Same,
            Some(first) => Picked::Both(first.min(self.selected), first.max(self.selected)),
        }
    }

    /// Up or down the list.
    pub(in crate::tui) fn select(&mut self, by: isize, state: &State) {
        let all: Vec<ReleaseId> = choices(state).map(|release| release.id).collect();
        let index = all.iter().position(|id| *id == self.selected).unwrap_or(0);
        let next = index.saturating_add_signed(by).min(all.len().saturating_sub(1));
        self.selected = all.get(next).copied().unwrap_or(self.selected);
    }
}

/// The releases that were live, the newest first.
pub(in crate::tui) fn choices(state: &State) -> impl Iterator<Item = &Release> {
    state.releases.values().rev().filter(|release| release.live_since.is_some()).map(|release| &**release)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_are_picked_in_any_order_and_never_the_same_one_twice() {
        let mut pick = Pick::new((ReleaseId(3), ReleaseId(4)));
        pick.selected = ReleaseId(4);
        let Picked::One(mut second) = pick.take() else { panic!("one is not two") };
        assert_eq!((second.first, second.selected), (Some(ReleaseId(4)), ReleaseId(3)));
        second.selected = ReleaseId(1);
        assert_eq!(second.take(), Picked::Both(ReleaseId(1), ReleaseId(4)));
        second.selected = ReleaseId(4);
        assert_eq!(second.take(), Picked::Same);
    }
}
