//! Work on the elements of a slice by several threads, whose number never shows in the result: an element is worked on by
//! one thread, and what is summed over elements is summed by the caller, in their order.
//!
//! Threads are started for each call and end with it, which costs some tens of microseconds; for less work than that the
//! caller asks for one thread, which is its own.

use std::thread;

/// Calls `work` with each element and its index. The elements are given out in runs of neighbours, so they should cost
/// about the same.
pub(in crate::model) fn each<T: Send>(threads: usize, items: &mut [T], work: &(dyn Fn(usize, &mut T) + Sync)) {
    let threads = threads.clamp(1, items.len().max(1));
    let length = items.len().div_ceil(threads).max(1);
    let run = |first: usize, items: &mut [T]| {
        for (offset, item) in items.iter_mut().enumerate() {
            work(first + offset, item);
        }
    };
    if threads == 1 {
        run(0, items);
        return;
    }
    thread::scope(|scope| {
        let mut runs = items.chunks_mut(length).enumerate();
        let own = runs.next();
        for (index, items) in runs {
            scope.spawn(move || run(index * length, items));
        }
        if let Some((_, items)) = own {
            run(0, items);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::each;

    #[test]
    fn every_element_is_worked_on_once_whatever_the_number_of_threads() {
        for threads in [0, 1, 2, 3, 8, 100] {
            let mut items = vec![0_usize; 10];
            each(threads, &mut items, &|index, item| *item += index + 1);
            assert_eq!(items, (1..=10).collect::<Vec<_>>(), "{threads} threads");
        }
        each(4, &mut Vec::<u8>::new(), &|_, _| unreachable!("there is no element"));
    }
}
