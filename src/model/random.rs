//! Seeded numbers for search and evaluation: the same from the same seed on every machine, whatever the threads do.
//!
//! The generator is `SplitMix64` (<https://prng.di.unimi.it/splitmix64.c>). Whoever draws names a *stream* (a trial, a
//! resample, a feature), so that what one draws does not depend on how much another drew before.

/// The step of the state between two numbers, which is odd and looks like noise.
pub(in crate::model) const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A generator of one stream.
#[derive(Debug, Clone)]
pub(in crate::model) struct Random(u64);

impl Random {
    /// The numbers of `stream` below `seed`.
    pub(in crate::model) fn new(seed: u64, stream: u64) -> Self {
        Self(mix(seed) ^ mix(stream.wrapping_mul(STEP).wrapping_add(1)))
    }

    /// Sixty-four even bits.
    pub(in crate::model) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        finish(self.0)
    }

    /// A number from 0 up to, but not including, 1.
    pub(in crate::model) fn unit(&mut self) -> f64 {
        place(self.bits())
    }

    /// An index below `count`; zero when there is none.
    pub(in crate::model) fn below(&mut self, count: usize) -> usize {
        let scaled = (u128::from(self.bits()) * count as u128) >> 64;
        usize::try_from(scaled).unwrap_or(0)
    }

    /// One of `values`.
    pub(in crate::model) fn choose<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        values.get(self.below(values.len())).copied()
    }

    /// A number between two positive ones, each power of ten as likely as another, with three digits.
    pub(in crate::model) fn logarithmic(&mut self, low: f64, high: f64) -> f64 {
        let drawn = (low.ln() + self.unit() * (high.ln() - low.ln())).exp();
        format!("{drawn:.2e}").parse().unwrap_or(drawn)
    }

    /// Brings items into a random order (Fisher and Yates).
    pub(in crate::model) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// A hash of a number, each bit of which depends on each bit of it.
pub(in crate::model) fn mix(value: u64) -> u64 {
    finish(value.wrapping_add(STEP))
}

/// A hash as a place from 0 up to, but not including, 1.
pub(in crate::model) fn place(hash: u64) -> f64 {
    f64::from(u32::try_from(hash >> 32).unwrap_or(u32::MAX)) / 4_294_967_296.0
}

fn finish(state: u64) -> u64 {
    let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::Random;
    use crate::model::number::share;

    #[test]
    fn equal_seeds_and_streams_give_equal_numbers_and_others_do_not() {
        let drawn = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..8).map(|_| random.bits()).collect::<Vec<_>>()
        };
        assert_eq!(drawn(1, 2), drawn(1, 2));
        assert_ne!(drawn(1, 2), drawn(2, 1));
        assert_ne!(drawn(1, 2), drawn(1, 3));
    }

    #[test]
    fn indices_are_even_and_below_the_count() {
        let mut random = Random::new(7, 0);
        let mut counts = [0_usize; 3];
        for _ in 0..30_000 {
            counts[random.below(3)] += 1;
        }
        assert!(counts.iter().all(|count| (share(*count, 30_000) - 1.0 / 3.0).abs() < 0.01), "{counts:?}");
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn a_logarithmic_draw_stays_between_its_ends() {
        let mut random = Random::new(7, 0);
        assert!((0..1000).map(|_| random.logarithmic(0.01, 10.0)).all(|drawn| (0.0099..=10.1).contains(&drawn)));
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Random::new(3, 1).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
