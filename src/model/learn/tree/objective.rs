//! What boosting makes small: half the squared error of numbers, or the log loss of classes. Two classes have one score a
//! row, of which the logistic function is the probability of the second; more classes have a score each.

use crate::model::learn::parallel;
use crate::model::learn::predictor::softmax;
use crate::model::learn::problem::Lesson;
use crate::model::learn::tree::grow::Slope;
use crate::model::number::float;

/// Rows that a thread takes at once; sums are made within such a part first, so threads change nothing.
const PART: usize = 16_384;
/// No probability is taken to be smaller.
const LEAST_PROBABILITY: f64 = 1e-15;

/// The loss over the rows that are learned from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Objective<'a> {
    lesson: &'a Lesson,
    /// What is subtracted from numbers, and what they are divided by then, so that gradients are of the order of one.
    centre: f64,
    scale: f64,
}

impl<'a> Objective<'a> {
    pub(super) fn new(lesson: &'a Lesson) -> Self {
        let (centre, scale) = match lesson {
            Lesson::Numbers(numbers) => moments(numbers),
            Lesson::Classes { .. } => (0.0, 1.0),
        };
        Self { lesson, centre, scale }
    }

    /// How many scores a row has.
    pub(super) fn lanes(&self) -> usize {
        match self.lesson.classes() {
            0..=2 => 1,
            classes => classes,
        }
    }

    /// What a step of one is in the unit of the answer.
    pub(super) fn scale(&self) -> f64 {
        self.scale
    }

    /// A score in the unit of the answer.
    pub(super) fn in_unit(&self, score: f64) -> f64 {
        self.centre + self.scale * score
    }

    /// The best scores when nothing is known of a row.
    pub(super) fn start(&self, rows: &[u32]) -> Vec<f64> {
        let count = float(rows.len()).max(1.0);
        match self.lesson {
            Lesson::Numbers(_) => vec![rows.iter().map(|row| self.number(*row)).sum::<f64>() / count],
            Lesson::Classes { .. } => {
                let mut counts = vec![0_usize; self.lesson.classes()];
                for row in rows {
                    if let Some(count) = counts.get_mut(self.class(*row)) {
                        *count += 1;
                    }
                }
                let logarithms: Vec<f64> =
                    counts.iter().map(|of| (float(*of) / count).max(LEAST_PROBABILITY).ln()).collect();
                if let [first, second] = logarithms.as_slice() { vec![second - first] } else { logarithms }
            }
        }
    }

    /// The probability of each class of each row, where there are more than two; else nothing.
    pub(super) fn probabilities(&self, scores: &[f64], out: &mut Vec<f32>, threads: usize) {
        let lanes = self.lanes();
        if lanes == 1 {
            return;
        }
        out.resize(scores.len(), 0.0);
        let mut parts: Vec<&mut [f32]> = out.chunks_mut(PART * lanes).collect();
        parallel::each(threads, &mut parts, &|part, out| {
            let scores = scores.chunks_exact(lanes).skip(part * PART);
            for (out, scores) in out.chunks_exact_mut(lanes).zip(scores) {
                for (out, probability) in out.iter_mut().zip(softmax(scores.to_vec())) {
                    *out = narrow(probability);
                }
            }
        });
    }

    /// The slopes of the loss by one of the scores of each row.
    pub(super) fn slopes(
        &self,
        scores: &[f64],
        probabilities: &[f32],
        lane: usize,
        out: &mut Vec<Slope>,
        threads: usize,
    ) {
        let lanes = self.lanes();
        out.resize(scores.len() / lanes, Slope::default());
        let mut parts: Vec<&mut [Slope]> = out.chunks_mut(PART).collect();
        parallel::each(threads, &mut parts, &|part, out| {
            let first = part * PART;
            for (slope, row) in out.iter_mut().zip(first..) {
                *slope = match self.lesson {
                    Lesson::Numbers(numbers) => {
                        let number = numbers.get(row).map_or(0.0, |number| (number - self.centre) / self.scale);
                        let score = scores.get(row).copied().unwrap_or_default();
                        Slope { gradient: narrow(score - number), curvature: 1.0 }
                    }
                    Lesson::Classes { codes, .. } => {
                        let probability = if lanes == 1 {
                            narrow(logistic(scores.get(row).copied().unwrap_or_default()))
                        } else {
                            probabilities.get(row * lanes + lane).copied().unwrap_or_default()
                        };
                        // With one score a row it is the second class whose probability it gives.
                        let wanted = if lanes == 1 { 1 } else { lane };
                        let truth = if codes.get(row) == Some(&wanted) { 1.0 } else { 0.0 };
                        Slope { gradient: probability - truth, curvature: probability * (1.0 - probability) }
                    }
                };
            }
        });
    }

    /// The mean loss over some rows.
    pub(super) fn loss(&self, scores: &[f64], rows: &[u32]) -> f64 {
        let lanes = self.lanes();
        let of = |row: &u32| {
            let start = *row as usize * lanes;
            let scores = scores.get(start..start + lanes).unwrap_or_default();
            match (self.lesson, scores) {
                (Lesson::Numbers(_), [score]) => (score - self.number(*row)).powi(2),
                (Lesson::Classes { .. }, [score]) => {
                    let second = logistic(*score);
                    let probability = if self.class(*row) == 1 { second } else { 1.0 - second };
                    -probability.max(LEAST_PROBABILITY).ln()
                }
                (Lesson::Classes { .. }, _) => {
                    let probability = softmax(scores.to_vec()).get(self.class(*row)).copied().unwrap_or(0.0);
                    -probability.max(LEAST_PROBABILITY).ln()
                }
                (Lesson::Numbers(_), _) => 0.0,
            }
        };
        rows.iter().map(of).sum::<f64>() / float(rows.len()).max(1.0)
    }

    fn number(&self, row: u32) -> f64 {
        match self.lesson {
            Lesson::Numbers(numbers) => {
                numbers.get(row as usize).map_or(0.0, |number| (number - self.centre) / self.scale)
            }
            Lesson::Classes { .. } => 0.0,
        }
    }

    fn class(&self, row: u32) -> usize {
        match self.lesson {
            Lesson::Classes { codes, .. } => codes.get(row as usize).copied().unwrap_or(usize::MAX),
            Lesson::Numbers(_) => usize::MAX,
        }
    }
}

/// The mean and the standard deviation, which is taken for 1 where nothing varies.
pub(super) fn moments(numbers: &[f64]) -> (f64, f64) {
    let count = float(numbers.len()).max(1.0);
    let mean = numbers.iter().map(|number| number / count).sum::<f64>();
    let variance = numbers.iter().map(|number| (number - mean).powi(2) / count).sum::<f64>();
    let deviation = variance.sqrt();
    (mean, if deviation.is_normal() { deviation } else { 1.0 })
}

/// `1 / (1 + e⁻ˢ)`
pub(in crate::model) fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

#[expect(clippy::cast_possible_truncation, reason = "gradients need no more digits; their sums are made of f64")]
fn narrow(number: f64) -> f32 {
    number as f32
}

#[cfg(test)]
mod tests {
    use super::{Objective, Slope};
    use crate::model::learn::problem::Lesson;

    fn classes(codes: &[usize], count: usize) -> Lesson {
        Lesson::Classes { codes: codes.to_vec(), known: (0..count).collect(), count }
    }

    /// The gradient beside the difference of losses a little to each side.
    fn check(lesson: &Lesson, scores: &[f64]) {
        let objective = Objective::new(lesson);
        let lanes = objective.lanes();
        let mut probabilities = Vec::new();
        objective.probabilities(scores, &mut probabilities, 1);
        for lane in 0..lanes {
            let mut slopes: Vec<Slope> = Vec::new();
            objective.slopes(scores, &probabilities, lane, &mut slopes, 1);
            for (row, slope) in (0_u32..).zip(&slopes) {
                let at = |step: f64| {
                    let mut moved = scores.to_vec();
                    moved[row as usize * lanes + lane] += step;
                    objective.loss(&moved, &[row])
                };
                // The loss of numbers is told as the squared error, twice of what is made small.
                let half = if lesson.classes() == 0 { 0.5 } else { 1.0 };
                let difference = half * (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((difference - f64::from(slope.gradient)).abs() < 1e-4, "{difference} {slope:?}");
            }
        }
    }

    #[test]
    fn gradients_are_those_of_the_loss() {
        check(&Lesson::Numbers(vec![1.0, 4.0, 2.5]), &[0.3, -0.2, 1.0]);
        check(&classes(&[0, 1, 1], 2), &[0.3, -0.2, 1.0]);
        check(&classes(&[0, 2, 1], 3), &[0.3, -0.2, 1.0, 0.0, 0.5, 2.0, -1.0, 0.2, 0.1]);
    }

    #[test]
    fn nothing_else_has_a_smaller_loss_than_the_start() {
        for lesson in [Lesson::Numbers(vec![1.0, 4.0, 2.5]), classes(&[0, 1, 1], 2), classes(&[0, 2, 1], 3)] {
            let objective = Objective::new(&lesson);
            let rows = [0, 1, 2];
            let start = objective.start(&rows);
            let loss = |step: f64| {
                let mut scores = start.repeat(3);
                scores.iter_mut().step_by(start.len()).for_each(|score| *score += step);
                objective.loss(&scores, &rows)
            };
            assert!(loss(0.0) < loss(0.1) && loss(0.0) < loss(-0.1), "{lesson:?}");
        }
    }
}
