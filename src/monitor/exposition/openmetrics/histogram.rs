//! What `OpenMetrics` rules about the samples of one histogram: one group of labels at one moment.

use super::super::error::Fault;
use super::family::Role;

/// The samples of one histogram so far.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    /// The byte at which its last sample stands; `None` before the first.
    last: Option<usize>,
    /// The bound and the count of its highest bucket.
    highest: Option<(f64, f64)>,
    has_negative_bound: bool,
    count: Option<f64>,
    sum: Option<f64>,
    gauge_sum: Option<f64>,
}

impl Histogram {
    /// Takes in one of its samples, which stands at `at`.
    pub(super) fn add(&mut self, role: Role, bound: Option<f64>, value: f64, at: usize) -> Result<(), Fault> {
        self.last = Some(at);
        match (role, bound) {
            (Role::Bucket, Some(bound)) => return self.add_bucket(bound, value, at),
            (Role::Count | Role::GaugeCount, _) => self.count = Some(value),
            (Role::Sum, _) => self.sum = Some(value),
            (Role::GaugeSum, _) => self.gauge_sum = Some(value),
            _ => {}
        }
        Ok(())
    }

    fn add_bucket(&mut self, bound: f64, value: f64, at: usize) -> Result<(), Fault> {
        if let Some((below, count)) = self.highest {
            if bound <= below {
                return Err(Fault::new(at, "a higher `le` than that of the bucket above is expected"));
            }
            if value < count {
                return Err(Fault::new(at, "a count not lower than that of the bucket above is expected"));
            }
        }
        self.has_negative_bound |= bound < 0.0;
        self.highest = Some((bound, value));
        Ok(())
    }

    /// Checks it when all of its samples have come.
    pub(super) fn end(&self) -> Result<(), Fault> {
        let Some(last) = self.last else { return Ok(()) };
        let Some((f64::INFINITY, within)) = self.highest else {
            return Err(Fault::new(last, "a bucket `+Inf` is expected in this histogram"));
        };
        let has_sum = self.sum.is_some() || self.gauge_sum.is_some();
        let fault = match self.count {
            Some(count) if (count - within).abs() > 0.0 => "the count is expected to be that of the bucket `+Inf`",
            Some(_) if !has_sum => "a sum is expected beside the count",
            None if has_sum => "a count is expected beside the sum",
            _ if self.has_negative_bound && self.sum.is_some() => {
                "no sum is expected: with negative bounds it would not only grow"
            }
            _ if !self.has_negative_bound && self.gauge_sum.is_some_and(|sum| sum < 0.0) => {
                "a sum of 0 or more is expected, as no bound is negative"
            }
            _ => return Ok(()),
        };
        Err(Fault::new(last, fault))
    }
}
