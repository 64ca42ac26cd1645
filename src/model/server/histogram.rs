//! A histogram that many threads fill at once, without a lock.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts by bounds, and a sum.
#[derive(Debug)]
pub(in crate::model) struct Histogram {
    /// The upper bounds (included) of all buckets but the last, ascending.
    bounds: Vec<f64>,
    /// For each bound the values up to it that are above the bound before; the last is above all bounds.
    buckets: Vec<AtomicU64>,
    /// The bits of a floating point number.
    sum: AtomicU64,
}

impl Histogram {
    pub(in crate::model) fn new(bounds: &[f64]) -> Self {
        let buckets = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds: bounds.to_vec(), buckets, sum: AtomicU64::new(0.0_f64.to_bits()) }
    }

    /// Adds a value.
    pub(in crate::model) fn observe(&self, value: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < value);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        let mut bits = self.sum.load(Ordering::Relaxed);
        loop {
            let more = (f64::from_bits(bits) + value).to_bits();
            match self.sum.compare_exchange_weak(bits, more, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => bits = other,
            }
        }
    }

    /// Its lines under `name`.
    pub(in crate::model) fn render(&self, text: &mut String, name: &str) -> fmt::Result {
        let mut total = 0;
        for (bound, bucket) in self.bounds.iter().zip(&self.buckets) {
            total += bucket.load(Ordering::Relaxed);
            writeln!(text, "{name}_bucket{{le=\"{bound}\"}} {total}")?;
        }
        // Counted on from the same readings, so that no bucket is ever above the whole.
        total += self.buckets.last().map_or(0, |bucket| bucket.load(Ordering::Relaxed));
        writeln!(text, "{name}_bucket{{le=\"+Inf\"}} {total}")?;
        writeln!(text, "{name}_sum {}", f64::from_bits(self.sum.load(Ordering::Relaxed)))?;
        writeln!(text, "{name}_count {total}")
    }
}

#[cfg(test)]
mod tests {
    use super::Histogram;

    #[test]
    fn buckets_are_cumulative_and_their_bounds_belong_to_them() {
        let histogram = Histogram::new(&[-1.0, 2.0]);
        for value in [-3.0, -1.0, 2.0, 5.0] {
            histogram.observe(value);
        }
        let mut text = String::new();
        histogram.render(&mut text, "h").unwrap();
        let lines = "h_bucket{le=\"-1\"} 2\nh_bucket{le=\"2\"} 3\nh_bucket{le=\"+Inf\"} 4\nh_sum 3\nh_count 4\n";
        assert_eq!(text, lines);
    }

    #[test]
    fn nothing_is_lost_between_threads() {
        let histogram = Histogram::new(&[0.5]);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1000).for_each(|_| histogram.observe(1.0)));
            }
        });
        let mut text = String::new();
        histogram.render(&mut text, "h").unwrap();
        assert!(text.contains("h_sum 4000\nh_count 4000\n"), "{text}");
    }
}
