//! Whether one column alone says almost all about the target, which is most often because it was written down after the
//! target was known.
//!
//! How it is measured: the rows that have a value in the column are put into groups: those of one category, or of a
//! number at most 255 groups of neighbours of eight rows at least, with equal values together. Each group guesses its
//! most frequent class (its mean, for numbers). A column leaks when the guesses make at most one fiftieth of the errors
//! of always guessing the most frequent class, or leave at most a thousandth of the variance. At most 20 000 rows,
//! evenly taken, are looked at, and a column that is empty in more than half of them is not judged.
//!
//! Known gap: two columns that leak only together are not seen.

use crate::model::data::column::{Column, Values};
use crate::model::data::target::Target;
use crate::model::number::float;

/// Rows that are looked at.
const MOST_ROWS: usize = 20_000;
/// Fewer rows than these prove nothing.
const LEAST_ROWS: usize = 80;
const MOST_GROUPS: usize = 255;
const LEAST_GROUP: usize = 8;
/// The share of the errors that a leak leaves at most.
const MOST_ERRORS: f64 = 0.02;
/// The share of the variance that a leak leaves at most.
const MOST_VARIANCE: f64 = 0.001;

/// What the column leaves unsaid about the target, as a sentence part; `None` when it does not leak.
pub(super) fn leak(column: &Column, target: &Target, rows: usize) -> Option<String> {
    let step = rows.div_ceil(MOST_ROWS).max(1);
    let sampled = (0..rows).step_by(step);
    let looked_at = sampled.len();
    let groups = match &column.values {
        Values::Text => return None,
        Values::Numeric(numbers) => {
            let placed =
                sampled.filter_map(|row| Some((*numbers.get(row)?, row))).filter(|(number, _)| !number.is_nan());
            neighbours(placed.collect())
        }
        Values::Categorical { categories, codes } => {
            let mut groups = vec![Vec::new(); categories.len()];
            for row in sampled {
                if let Some(code) = codes.get(row).copied().flatten()
                    && let Some(group) = groups.get_mut(usize::from(code))
                {
                    group.push(row);
                }
            }
            groups
        }
    };
    let judged: usize = groups.iter().map(Vec::len).sum();
    if judged < LEAST_ROWS || judged * 2 < looked_at {
        return None;
    }
    match target {
        Target::Classes { labels, codes, .. } => classes_left(&groups, codes, labels.len()),
        Target::Numbers(numbers) => variance_left(&groups, numbers),
    }
}

/// Groups of neighbours; equal values are never parted.
fn neighbours(mut placed: Vec<(f64, usize)>) -> Vec<Vec<usize>> {
    placed.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    let size = (placed.len() / MOST_GROUPS).max(LEAST_GROUP);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut last = None;
    for (value, row) in placed {
        let is_tied = last.is_some_and(|last: f64| last.total_cmp(&value).is_eq());
        last = Some(value);
        match groups.last_mut() {
            Some(group) if is_tied || group.len() < size => group.push(row),
            _ => groups.push(vec![row]),
        }
    }
    groups
}

fn classes_left(groups: &[Vec<usize>], codes: &[usize], classes: usize) -> Option<String> {
    let mut all = vec![0_usize; classes];
    let mut errors = 0;
    let mut rows = 0;
    for group in groups {
        let mut counts = vec![0_usize; classes];
        for code in group.iter().filter_map(|row| codes.get(*row)) {
            if let (Some(count), Some(sum)) = (counts.get_mut(*code), all.get_mut(*code)) {
                *count += 1;
                *sum += 1;
            }
        }
        errors += group.len() - counts.iter().max().copied().unwrap_or(0);
        rows += group.len();
    }
    let guessed = rows - all.iter().max().copied().unwrap_or(0);
    if guessed == 0 || float(errors) > MOST_ERRORS * float(guessed) {
        return None;
    }
    Some(format!("{errors} errors in {rows} rows, where the most frequent class alone makes {guessed}"))
}

fn variance_left(groups: &[Vec<usize>], numbers: &[f64]) -> Option<String> {
    let values = |group: &[usize]| -> Vec<f64> { group.iter().filter_map(|row| numbers.get(*row).copied()).collect() };
    let all = squares(&groups.iter().flat_map(|group| values(group)).collect::<Vec<_>>());
    let left: f64 = groups.iter().map(|group| squares(&values(group))).sum();
    let share = left / all;
    if !share.is_finite() || share > MOST_VARIANCE {
        return None;
    }
    Some(format!("it explains {:.2} % of the variance", 100.0 * (1.0 - share)))
}

/// The sum of the squared distances from the mean.
fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / float(values.len().max(1));
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::leak;
    use crate::model::data::dataset::read;
    use crate::model::data::target::resolve;
    use crate::model::samples::Folder;

    /// The columns of `text` that leak its last column, `y`.
    fn leaking(text: &str) -> Vec<String> {
        let data = read(&[Folder::new().write("a.csv", text)]).unwrap();
        let target = resolve(&data, "y", None).unwrap();
        let features = data.columns.iter().filter(|column| column.name != "y");
        features
            .filter(|column| leak(column, &target, data.rows()).is_some())
            .map(|column| column.name.clone())
            .collect()
    }

    #[test]
    fn a_copy_of_the_class_leaks_and_a_hint_does_not() {
        let rows: String = (0..400)
            .map(|row| {
                let class = row % 2;
                let hint = if row % 10 == 0 { 1 - class } else { class };
                format!("{},{hint},{},{}\n", ["ok", "bad"][class], row * 7919 % 401, ["good", "spoiled"][class])
            })
            .collect();
        assert_eq!(leaking(&format!("copy,hint,noise,y\n{rows}")), ["copy"]);
    }

    #[test]
    fn a_number_from_which_the_target_is_computed_leaks() {
        let rows: String = (0..3000)
            .map(|row| {
                let (x, noise) = (row * 7919 % 3001, row * 104_729 % 2999);
                format!("{x},{noise},{}.5\n", x * 3 + noise % 2)
            })
            .collect();
        assert_eq!(leaking(&format!("x,noise,y\n{rows}")), ["x"]);
    }

    #[test]
    fn few_rows_and_mostly_empty_columns_are_not_judged() {
        let few: String = (0..60).map(|row| format!("{0},{0}\n", ["a", "b"][row % 2])).collect();
        assert!(leaking(&format!("x,y\n{few}")).is_empty());
        let gaps: String = (0..400)
            .map(|row| {
                format!("{},{}\n", if row % 4 == 0 { ["a", "b"][row / 4 % 2] } else { "" }, ["a", "b"][row / 4 % 2])
            })
            .collect();
        assert!(leaking(&format!("x,y\n{gaps}")).is_empty());
    }
}
