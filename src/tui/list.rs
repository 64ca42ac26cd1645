//! What an operator chose in a list: the row, by what it is and not by where it stands, so that the list may grow; what the
//! list is narrowed to, how it is sorted, and which two of its rows stand beside each other.
//!
//! Pure: whoever has the rows hands over what tells them apart, in the order in which they are shown.

use std::cmp::Ordering;

/// How a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sort {
    /// By which column of its table.
    pub(super) column: usize,
    /// The greatest first.
    pub(super) is_descending: bool,
}

impl Default for Sort {
    /// By the first column, which is the number: the newest first.
    fn default() -> Self {
        Self { column: 0, is_descending: true }
    }
}

/// What was chosen in one list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct ListState<Id> {
    /// The chosen row; `None` is the first, whichever that becomes.
    pub(super) chosen: Option<Id>,
    /// The row with which others are compared.
    pub(super) marked: Option<Id>,
    /// Whether the chosen row stands beside another.
    pub(super) is_comparing: bool,
    /// What was typed to narrow it; empty shows all.
    pub(super) filter: String,
    /// How it is sorted.
    pub(super) sort: Sort,
    /// The first row that is shown of a zoomed detail.
    pub(super) scroll: usize,
}

/// What somebody does in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Goes on by so many rows.
    By(i64),
    /// Goes to the first row or the last.
    ToEdge {
        /// To the first.
        is_top: bool,
    },
    /// Sorts it by the next of its columns, round and round; by the one before if `backward`.
    SortBy {
        /// By the one before.
        backward: bool,
    },
    /// Sorts it the other way round.
    SortAround,
    /// Marks the chosen row, or takes its mark away.
    Mark,
}

impl<Id: Copy + PartialEq> ListState<Id> {
    /// Whether it shows all in the usual order.
    pub(super) fn is_plain(&self) -> bool {
        self.filter.is_empty() && self.sort == Sort::default()
    }

    /// Where the chosen row stands; the first row stands in for one that is not shown.
    pub(super) fn position(&self, rows: &[Id]) -> usize {
        rows.iter().position(|row| Some(*row) == self.chosen).unwrap_or(0)
    }

    /// Does a step among `rows`, which can be sorted by `columns`.
    pub(super) fn step(&mut self, rows: &[Id], columns: &[usize], step: Step) {
        let position = self.position(rows);
        match step {
            Step::By(by) => {
                let by = isize::try_from(by).unwrap_or(if by < 0 { isize::MIN } else { isize::MAX });
                self.choose(rows, position.saturating_add_signed(by).min(rows.len().saturating_sub(1)));
            }
            Step::ToEdge { is_top } => self.choose(rows, if is_top { 0 } else { rows.len().saturating_sub(1) }),
            Step::SortBy { .. } | Step::SortAround => {
                // Rows move when they are sorted; the row that was looked at stays the chosen one.
                self.chosen = rows.get(position).copied();
                self.sort = sorted(self.sort, columns, step);
            }
            Step::Mark => {
                let row = rows.get(position).copied();
                self.marked = if self.marked == row { None } else { row };
            }
        }
    }

    /// Whoever is at the newest stays at the newest, also when there is a newer one.
    pub(super) fn choose(&mut self, rows: &[Id], index: usize) {
        let stays = index == 0 && self.sort == Sort::default();
        self.chosen = rows.get(index).copied().filter(|_| !stays);
    }
}

/// How a list is sorted behind a step.
fn sorted(sort: Sort, columns: &[usize], step: Step) -> Sort {
    let Step::SortBy { backward } = step else { return Sort { is_descending: !sort.is_descending, ..sort } };
    let count = columns.len().max(1);
    let index = columns.iter().position(|column| *column == sort.column).unwrap_or(0);
    let next = index + if backward { count - 1 } else { 1 };
    Sort { column: columns.get(next % count).copied().unwrap_or(sort.column), ..sort }
}

/// The first row on the screen, so that the row at `position` is among `rows` of them.
pub(super) fn first_shown(position: usize, rows: usize) -> usize {
    (position + 1).saturating_sub(rows)
}

/// Which of two stands first; what is not known stands last, whichever way the list is sorted.
pub(super) fn ordered<T: PartialOrd>(one: Option<T>, other: Option<T>, sort: Sort) -> Ordering {
    match (one, other) {
        (Some(one), Some(other)) => {
            let ordering = one.partial_cmp(&other).unwrap_or(Ordering::Equal);
            if sort.is_descending { ordering.reverse() } else { ordering }
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn whoever_is_at_the_newest_stays_there_and_whoever_chose_another_keeps_it() {
        let mut list = ListState::<u64>::default();
        list.step(&[3, 2, 1], &[], Step::By(0));
        assert_eq!(list.position(&[4, 3, 2, 1]), 0);
        list.step(&[3, 2, 1], &[], Step::By(1));
        assert_eq!((list.chosen, list.position(&[4, 3, 2, 1])), (Some(2), 2));
        list.step(&[3, 2, 1], &[], Step::ToEdge { is_top: true });
        assert_eq!(list.chosen, None);
        list.step(&[3, 2, 1], &[], Step::ToEdge { is_top: false });
        assert_eq!(list.chosen, Some(1));
        assert_eq!(list.position(&[9, 8]), 0, "the first stands in for one that is not shown");
    }

    #[test]
    fn columns_go_round_in_both_ways_and_the_direction_stays() {
        let mut list = ListState::<u64>::default();
        let mut seen = Vec::new();
        for backward in [false, false, false, false, true, true, true] {
            list.step(&[3, 2, 1], &[0, 2, 3], Step::SortBy { backward });
            seen.push(list.sort.column);
        }
        assert_eq!(seen, [2, 3, 0, 2, 0, 3, 2]);
        list.step(&[3, 2, 1], &[0, 2, 3], Step::SortAround);
        list.step(&[3, 2, 1], &[0, 2, 3], Step::SortBy { backward: false });
        assert_eq!(list.sort, Sort { column: 3, is_descending: false });
    }

    #[test]
    fn the_chosen_row_is_marked_and_the_mark_is_taken_away_where_it_stands() {
        let mut list = ListState { chosen: Some(2), ..ListState::<u64>::default() };
        list.step(&[3, 2, 1], &[], Step::Mark);
        assert_eq!(list.marked, Some(2));
        list.step(&[3, 2, 1], &[], Step::By(-1));
        list.step(&[3, 2, 1], &[], Step::Mark);
        assert_eq!(list.marked, Some(3));
        list.step(&[3, 2, 1], &[], Step::Mark);
        assert_eq!(list.marked, None);
    }

    #[test]
    fn what_is_not_known_stands_last_in_both_directions() {
        for is_descending in [true, false] {
            let sort = Sort { column: 0, is_descending };
            let mut rows = vec![None, Some(1.0), None, Some(2.0)];
            rows.sort_by(|one, other| ordered(*one, *other, sort));
            let expected = if is_descending { [Some(2.0), Some(1.0)] } else { [Some(1.0), Some(2.0)] };
            assert_eq!(rows, [expected[0], expected[1], None, None]);
        }
    }

    proptest! {
        #[test]
        fn the_chosen_row_is_always_one_that_is_shown(
            rows in proptest::collection::vec(0_u64..50, 1..30),
            moves in proptest::collection::vec(-40_i64..40, 0..20),
        ) {
            let mut list = ListState::default();
            for by in moves {
                list.step(&rows, &[], Step::By(by));
                prop_assert!(list.position(&rows) < rows.len());
                prop_assert!(list.chosen.is_none_or(|chosen| rows.contains(&chosen)));
            }
        }

        #[test]
        fn the_chosen_row_is_on_the_screen(position in 0_usize..1_000, rows in 1_usize..100) {
            let first = first_shown(position, rows);
            prop_assert!(first <= position && position < first + rows);
        }
    }
}
