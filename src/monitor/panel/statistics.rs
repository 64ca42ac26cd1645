//! What is said of a curve in a legend: least, mean, greatest and last value.

/// The figures of one curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CurveStatistics {
    /// The least value.
    pub min: f64,
    /// The mean of the columns.
    pub mean: f64,
    /// The greatest value.
    pub max: f64,
    /// The value of the last column.
    pub last: Option<f64>,
}

impl CurveStatistics {
    /// The figures of these columns, with the extremes within them where they are known; `None` without any value.
    pub fn of(points: &[Option<f64>], low: &[Option<f64>], high: &[Option<f64>]) -> Option<Self> {
        let known = || points.iter().flatten().copied().filter(|value| value.is_finite());
        let count = u32::try_from(known().count()).unwrap_or(u32::MAX);
        if count == 0 {
            return None;
        }
        let min = known().chain(low.iter().flatten().copied()).fold(f64::INFINITY, f64::min);
        let max = known().chain(high.iter().flatten().copied()).fold(f64::NEG_INFINITY, f64::max);
        // Each is divided first: the sum may leave the range of numbers, the mean does not.
        let mean = known().map(|value| value / f64::from(count)).sum::<f64>().clamp(min, max);
        Some(Self { min, mean, max, last: points.last().copied().flatten() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_left_out_and_extremes_within_columns_count() {
        let points = [Some(1.0), None, Some(3.0), None];
        let told =
            CurveStatistics::of(&points, &[Some(0.5), None, None, None], &[None, None, Some(9.0), None]).unwrap();
        assert_eq!(told, CurveStatistics { min: 0.5, mean: 2.0, max: 9.0, last: None });
        assert_eq!(CurveStatistics::of(&[None, None], &[], &[]), None);
    }

    #[test]
    fn huge_values_have_a_mean() {
        let told = CurveStatistics::of(&[Some(f64::MAX), Some(f64::MAX)], &[], &[]).unwrap();
        assert!(told.mean.is_finite());
    }
}
