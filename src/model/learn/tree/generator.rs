//! The random numbers of learning: `SplitMix64` by Steele, Lea and Flood (*Fast splittable pseudorandom number
//! generators*, 2014; <https://prng.di.unimi.it/splitmix64.c>). Small, and split by a number, so that each tree has its own
//! sequence, whichever thread grows it.

use crate::model::random::{STEP, mix, place};

/// A sequence of random numbers that follows from its seed alone.
#[derive(Debug, Clone)]
pub(in crate::model) struct Generator(u64);

impl Generator {
    pub(in crate::model) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The sequence of that number among those of this seed.
    pub(in crate::model) fn split(&self, number: usize) -> Self {
        Self::new(self.0 ^ mix(u64::try_from(number).unwrap_or(u64::MAX)))
    }

    pub(in crate::model) fn bits(&mut self) -> u64 {
        let bits = mix(self.0);
        self.0 = self.0.wrapping_add(STEP);
        bits
    }

    /// A number below `bound`, zero when that is zero. The bias of the multiplication is below `bound` in 2⁶⁴.
    pub(in crate::model) fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.bits()) * u128::try_from(bound).unwrap_or(0);
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from 0 to below 1, in steps of 2⁻³².
    pub(in crate::model) fn share(&mut self) -> f64 {
        place(self.bits())
    }

    /// Draws `count` of `items` to their front, each set of so many alike.
    pub(in crate::model) fn draw<T>(&mut self, items: &mut [T], count: usize) {
        for index in 0..count.min(items.len()) {
            let other = index + self.below(items.len() - index);
            items.swap(index, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Generator;
    use crate::model::number::share;

    #[test]
    fn numbers_are_even_and_stay_below_their_bound() {
        let mut generator = Generator::new(7);
        let mut counts = [0_usize; 5];
        for _ in 0..10_000 {
            counts[generator.below(5)] += 1;
        }
        assert!(counts.iter().all(|count| (share(*count, 10_000) - 0.2).abs() < 0.02), "{counts:?}");
        assert_eq!(generator.below(0), 0);
    }

    #[test]
    fn sequences_of_a_seed_differ_and_come_back() {
        let first = |seed: u64, number: usize| Generator::new(seed).split(number).bits();
        assert_eq!(first(1, 2), first(1, 2));
        assert_ne!(first(1, 2), first(1, 3));
        assert_ne!(first(1, 2), first(2, 2));
    }

    #[test]
    fn what_is_drawn_is_drawn_once() {
        let mut items: Vec<u32> = (0..10).collect();
        Generator::new(3).draw(&mut items, 4);
        items.sort_unstable();
        assert_eq!(items, (0..10).collect::<Vec<u32>>());
    }
}
