//! Learning through its door: what each learner finds, that nothing depends on threads, and that nothing makes it panic.

use proptest::prelude::*;

use super::{Fitted, fit};
use crate::config::{Algorithm, Task};
use crate::model::data::cell::Cell;
use crate::model::data::column::Column;
use crate::model::data::dataset::{DataSet, read};
use crate::model::data::target::{Target, resolve};
use crate::model::learn::learn_error::LearnError;
use crate::model::learn::learner::{FULL_DEPTH, Learner, suitable};
use crate::model::learn::predictor::{Output, Predictor, most_probable};
use crate::model::learn::problem::{Labels, Problem};
use crate::model::learn::tree::generator::Generator;
use crate::model::number::{float, share};
use crate::model::samples::Folder;

const BOOSTING: Learner =
    Learner::Boosting { rounds: 60, rate: 0.2, leaves: 15, leaf: 5, l2: 1.0, rows: 0.8, columns: 0.8 };
const FOREST: Learner = Learner::Forest { trees: 20, depth: FULL_DEPTH, leaf: 1, features: 0.6 };

fn data(text: &str) -> DataSet {
    read(&[Folder::new().write("a.csv", text)]).unwrap()
}

/// All columns but `y`, which is to be predicted.
fn problem(data: &DataSet) -> Problem<'_> {
    let labels = match resolve(data, "y", None).unwrap() {
        Target::Classes { labels, codes, .. } => Labels::Classes { codes, count: labels.len() },
        Target::Numbers(numbers) => Labels::Numbers(numbers),
    };
    Problem { columns: data.columns.iter().filter(|column| column.name != "y").collect(), labels }
}

fn learned(data: &DataSet, learner: &Learner) -> Fitted {
    let rows: Vec<usize> = (0..data.rows()).collect();
    fit(&problem(data), &rows, learner, 7, 2, &|| false).unwrap()
}

/// The usual form of each algorithm, and a blend.
fn forms(task: Task, rows: usize) -> Vec<Learner> {
    let mut forms: Vec<Learner> =
        suitable(task).iter().map(|algorithm| Learner::usual(*algorithm, task, rows, 3)).collect();
    forms.push(Learner::Blend { parts: vec![forms[0].clone(), FOREST] });
    forms
}

fn outputs(data: &DataSet, fitted: &Fitted) -> Vec<Output> {
    let columns: Vec<&Column> = data.columns.iter().collect();
    let rows: Vec<usize> = (0..data.rows()).collect();
    fitted.outputs(&columns, &rows, 2)
}

/// The share of rows whose class is the one they learned.
fn accuracy(data: &DataSet, fitted: &Fitted) -> f64 {
    let Labels::Classes { codes, .. } = problem(data).labels else { unreachable!("classes") };
    let right = outputs(data, fitted).into_iter().zip(&codes).filter(|(output, code)| match output {
        Output::Probabilities(probabilities) => most_probable(probabilities) == **code,
        Output::Value(_) => false,
    });
    share(right.count(), data.rows())
}

fn squared_error(data: &DataSet, fitted: &Fitted) -> f64 {
    let Labels::Numbers(numbers) = problem(data).labels else { unreachable!("numbers") };
    let error = |(output, number): (&Output, &f64)| match output {
        Output::Value(value) => (value - number).powi(2),
        Output::Probabilities(_) => f64::NAN,
    };
    outputs(data, fitted).iter().zip(&numbers).map(error).sum::<f64>() / float(data.rows())
}

/// Two columns, and whether exactly one of them is above a half.
fn crossed(rows: usize) -> DataSet {
    let mut generator = Generator::new(1);
    let lines: String = (0..rows)
        .map(|_| {
            let (a, b) = (generator.share(), generator.share());
            format!("{a},{b},{}\n", if (a > 0.5) == (b > 0.5) { "same" } else { "other" })
        })
        .collect();
    data(&format!("a,b,y\n{lines}"))
}

/// Numbers, categories and gaps, with a class or a number that follows from them.
fn mixed(rows: usize, is_number: bool) -> DataSet {
    let mut generator = Generator::new(2);
    let lines: String = (0..rows)
        .map(|_| {
            let (a, b) = (generator.share(), generator.share());
            let colour = generator.below(4);
            let name = ["red", "green", "blue", "grey"][colour];
            let shown = if generator.below(10) == 0 { "NA".to_owned() } else { format!("{b:.3}") };
            let number = a * 3.0 + float(colour % 2) + b * b;
            let class = ["low", "middle", "high"][usize::from(number > 1.7) + usize::from(number > 2.8)];
            let target = if is_number { format!("{number:.4}") } else { class.to_owned() };
            format!("{a:.3},{shown},{name},{target}\n")
        })
        .collect();
    data(&format!("a,b,colour,y\n{lines}"))
}

#[test]
fn what_two_columns_say_only_together_is_found() {
    for learner in [BOOSTING, FOREST] {
        let data = crossed(1_500);
        let accuracy = accuracy(&data, &learned(&data, &learner));
        assert!(accuracy > 0.97, "{learner:?} {accuracy}");
    }
}

#[test]
fn a_full_forest_gives_most_of_its_rows_their_own_class_back() {
    let data = mixed(600, false);
    let accuracy = accuracy(&data, &learned(&data, &FOREST));
    assert!(accuracy > 0.97, "{accuracy}");
}

#[test]
fn that_a_value_is_missing_can_be_what_matters() {
    let lines: String =
        (0..400).map(|row| if row % 3 == 0 { "NA,yes\n".to_owned() } else { format!("{},no\n", row % 50) }).collect();
    let data = data(&format!("x,y\n{lines}"));
    for learner in [BOOSTING, FOREST] {
        let fitted = learned(&data, &learner);
        let accuracy = accuracy(&data, &fitted);
        assert!(accuracy > 0.999, "{learner:?} {accuracy}");
        let Output::Probabilities(probabilities) = fitted.output(&[Cell::Missing]) else { unreachable!("classes") };
        assert!(probabilities[1] > 0.9, "{probabilities:?}");
    }
}

#[test]
fn categories_are_told_apart_whatever_their_names() {
    let lines: String =
        (0..500).map(|row| format!("c{},{}\n", row % 25, if row % 25 % 2 == 0 { "even" } else { "odd" })).collect();
    let data = data(&format!("x,y\n{lines}"));
    for learner in [BOOSTING, FOREST] {
        let fitted = learned(&data, &learner);
        assert!(accuracy(&data, &fitted) > 0.999, "{learner:?}");
        let unknown = fitted.output(&[Cell::Text("c99".into())]);
        assert_eq!(unknown, fitted.output(&[Cell::Missing]), "{learner:?}");
    }
}

#[test]
fn more_rounds_are_nearer_to_the_rows_they_learned() {
    let data = mixed(500, true);
    let errors: Vec<f64> = [1, 5, 20, 80]
        .into_iter()
        .map(|rounds| {
            let learner =
                Learner::Boosting { rounds, rate: 0.2, leaves: 15, leaf: 5, l2: 0.0, rows: 1.0, columns: 1.0 };
            squared_error(&data, &learned(&data, &learner))
        })
        .collect();
    assert!(errors.is_sorted_by(|one, other| one > other) && errors[3] < 0.05, "{errors:?}");
}

#[test]
fn rounds_end_when_rows_that_were_held_back_get_no_better() {
    let mut generator = Generator::new(3);
    let lines: String = (0..2_000)
        .map(|_| format!("{},{}\n", generator.share(), if generator.below(2) == 0 { "a" } else { "b" }))
        .collect();
    let data = data(&format!("x,y\n{lines}"));
    let usual = Learner::usual(Algorithm::Boosting, Task::Classification, 2_000, 1);
    let Predictor::Boosting { trees, .. } = learned(&data, &usual).predictor else { unreachable!("boosting") };
    assert!(trees.trees() < 60, "{} trees of noise", trees.trees());
}

#[test]
fn threads_change_no_byte() {
    for (data, learner) in [
        (mixed(1_200, false), BOOSTING),
        (mixed(1_200, false), FOREST),
        (mixed(1_200, true), BOOSTING),
        (mixed(1_200, true), FOREST),
    ] {
        let problem = problem(&data);
        let rows: Vec<usize> = (0..data.rows()).collect();
        let bytes = |threads| {
            let fitted = fit(&problem, &rows, &learner, 7, threads, &|| false).unwrap();
            postcard::to_extend(&fitted, Vec::<u8>::new()).unwrap()
        };
        assert_eq!(bytes(1), bytes(2), "{learner:?}");
        assert_eq!(bytes(1), bytes(4), "{learner:?}");
        let again: Fitted = postcard::from_bytes(&bytes(1)).unwrap();
        assert_eq!(again, learned(&data, &learner));
    }
}

#[test]
fn another_seed_is_another_forest() {
    let data = mixed(300, false);
    let rows: Vec<usize> = (0..data.rows()).collect();
    let of = |seed| fit(&problem(&data), &rows, &FOREST, seed, 1, &|| false).unwrap().predictor;
    assert_ne!(of(1), of(2));
}

#[test]
fn a_row_alone_is_answered_as_among_many() {
    for is_number in [false, true] {
        let data = mixed(300, is_number);
        let task = problem(&data).task();
        for learner in forms(task, 300) {
            let fitted = learned(&data, &learner);
            let together = outputs(&data, &fitted);
            for row in [0, 17, 299] {
                let cells: Vec<Cell<'_>> = fitted
                    .preprocessing
                    .features
                    .iter()
                    .filter_map(|feature| data.column(&feature.name))
                    .map(|column| column.cell(row))
                    .collect();
                assert_eq!(fitted.output(&cells), together[row], "{learner:?} row {row}");
            }
        }
    }
}

#[test]
fn a_number_that_is_far_from_all_others_has_a_finite_answer() {
    for is_number in [false, true] {
        let data = mixed(300, is_number);
        let task = problem(&data).task();
        for learner in forms(task, 300) {
            let fitted = learned(&data, &learner);
            for far in [f64::MAX, f64::MIN] {
                match fitted.output(&[Cell::Number(far), Cell::Number(far), Cell::Missing]) {
                    Output::Value(value) => assert!(value.is_finite(), "{learner:?} {value}"),
                    Output::Probabilities(shares) => {
                        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{learner:?} {shares:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn a_class_without_rows_has_no_probability_and_the_others_keep_their_places() {
    let data = mixed(300, false);
    let Labels::Classes { codes, count } = problem(&data).labels else { unreachable!("classes") };
    let rows: Vec<usize> = (0..data.rows()).filter(|row| codes[*row] != 1).collect();
    for learner in forms(Task::Classification, rows.len()) {
        let fitted = fit(&problem(&data), &rows, &learner, 7, 1, &|| false).unwrap();
        assert_eq!(fitted.predictor.classes(), count);
        for output in outputs(&data, &fitted) {
            let Output::Probabilities(probabilities) = output else { unreachable!("classes") };
            assert!(probabilities[1].abs() < 1e-12 && (probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}

#[test]
fn every_learner_stops_when_it_is_told_to() {
    for is_number in [false, true] {
        let data = mixed(100, is_number);
        let problem = problem(&data);
        for learner in forms(problem.task(), 100) {
            let result = fit(&problem, &(0..100).collect::<Vec<_>>(), &learner, 7, 2, &|| true);
            assert!(matches!(result, Err(LearnError::Stopped)), "{learner:?}");
        }
    }
}

#[test]
fn what_cannot_be_learned_is_told() {
    let constant = data("x,y\n1,a\n1,b\n1,a\n");
    let result = fit(&problem(&constant), &[0, 1, 2], &FOREST, 7, 1, &|| false);
    assert!(matches!(result, Err(LearnError::NothingToLearnFrom { rows: 3 })));
    let result = fit(&problem(&constant), &[0, 2], &FOREST, 7, 1, &|| false);
    assert!(matches!(result, Err(LearnError::OneClass { rows: 2 })));
    let result = fit(&problem(&constant), &[0, 1], &Learner::Linear, 7, 1, &|| false);
    assert!(matches!(result, Err(LearnError::Unsuitable { algorithm: "linear" })));
    let learner = Learner::Forest { trees: 0, depth: 1, leaf: 1, features: 1.0 };
    let result = fit(&problem(&constant), &[0, 1], &learner, 7, 1, &|| false);
    assert!(matches!(result, Err(LearnError::Parameter { what: "trees", .. })));
}

/// A cell of any kind that a file can hold.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("NA".to_owned()),
        (-3..3_i32).prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("a file holds finite numbers", |number| number.is_finite())
            .prop_map(|number| number.to_string()),
        prop_oneof![Just("red"), Just("blue")].prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Trees learn from any columns, or say why not; what they say is sound.
    #[test]
    fn no_data_makes_trees_panic(
        rows in prop::collection::vec((cell(), cell(), 0..3_usize), 2..60),
        extreme in any::<bool>(),
        number in any::<bool>(),
        leaf in 1..4_u32,
    ) {
        let lines: String = rows
            .iter()
            .map(|(one, other, class)| {
                let target = match (number, extreme) {
                    (false, _) => ["a", "b", "c"][*class].to_owned(),
                    (true, false) => format!("{}.5", class * 3),
                    (true, true) => format!("{}", [0.5, 1e300, -1e300][*class]),
                };
                // A column of twice the same, and a constant one.
                format!("{one},{other},{one},1,{target}\n")
            })
            .collect();
        let data = data(&format!("one,other,same,constant,y\n{lines}"));
        prop_assume!(resolve(&data, "y", None).is_ok());
        let rows: Vec<usize> = (0..data.rows()).collect();
        for learner in [
            Learner::Forest { trees: 3, depth: FULL_DEPTH, leaf, features: 0.5 },
            Learner::Boosting { rounds: 4, rate: 0.5, leaves: 6, leaf, l2: 0.0, rows: 0.7, columns: 0.7 },
        ] {
            let Ok(fitted) = fit(&problem(&data), &rows, &learner, 1, 2, &|| false) else { continue };
            for output in outputs(&data, &fitted) {
                match output {
                    Output::Value(value) => prop_assert!(value.is_finite(), "{value}"),
                    Output::Probabilities(probabilities) => {
                        let sum: f64 = probabilities.iter().sum();
                        prop_assert!((sum - 1.0).abs() < 1e-9, "{probabilities:?}");
                    }
                }
            }
        }
    }
}
