//! From the inputs of a graph to the features of records, and from cells to the values of inputs.
//!
//! Each column of each input is a feature, in their order. What a graph does not say of them, `model.toml` may.

use std::collections::BTreeMap;

use super::onnx_error::OnnxError;
use super::plan::{PlannedInput, Values};
use super::settings::{FeatureKind, FeatureSettings, Settings, repeated, wrong};
use super::text::{UNKNOWN, Vocabulary};
use super::value_types::{Input, InputKind};
use crate::model::data::cell::{Cell, truth};
use crate::model::data::record::FieldProblem;

/// A feature and its place in the graph.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Slot {
    pub(super) name: String,
    kind: InputKind,
    /// What goes into the graph for each category; `None` for a numeric feature.
    pub(super) codes: Option<BTreeMap<String, i64>>,
}

/// All features by inputs.
#[derive(Debug)]
pub(super) struct Slots {
    pub(super) inputs: Vec<PlannedInput>,
    pub(super) slots: Vec<Slot>,
}

impl Slots {
    /// Brings together what the graph and the settings say.
    pub(super) fn new(inputs: &[Input], vocabulary: &Vocabulary, settings: &Settings) -> Result<Self, OnnxError> {
        let given = settings.features.as_deref();
        let planned = planned(inputs, given)?;
        let mut described = given.map(<[FeatureSettings]>::iter);
        let mut slots = Vec::new();
        for (input, planned) in inputs.iter().zip(&planned) {
            for _ in 0..planned.width {
                let described = described.as_mut().and_then(Iterator::next);
                slots.push(slot(input, described, vocabulary)?);
            }
        }
        let names: Vec<String> = slots.iter().map(|slot: &Slot| slot.name.clone()).collect();
        if let Some(name) = repeated(names.iter()) {
            return Err(wrong("features", &format!("would have two features \"{name}\"; name all of them there")));
        }
        Ok(Self { inputs: planned, slots })
    }

    /// Two rows that a record could have: zeros, and categories that there are.
    pub(super) fn sample(&self) -> Vec<Values> {
        let cells: Vec<Cell<'_>> = self
            .slots
            .iter()
            .map(|slot| match slot.codes.as_ref().and_then(|codes| codes.keys().next()) {
                Some(category) => Cell::Text(category.as_str().into()),
                None if slot.codes.is_some() => Cell::Missing,
                None => Cell::Number(0.0),
            })
            .collect();
        self.values(&[&cells, &cells]).unwrap_or_default()
    }

    /// The values of all inputs for rows of cells; the first cell that the graph cannot take is the error, with its row.
    pub(super) fn values(&self, rows: &[&[Cell<'_>]]) -> Result<Vec<Values>, (usize, FieldProblem)> {
        let mut start = 0;
        let mut all = Vec::with_capacity(self.inputs.len());
        for input in &self.inputs {
            let range = start..start + input.width;
            start = range.end;
            let slots = self.slots.get(range.clone()).unwrap_or_default();
            let cells = rows.iter().enumerate().flat_map(|(row, cells)| {
                slots
                    .iter()
                    .zip(cells.get(range.clone()).unwrap_or_default())
                    .map(move |(slot, cell)| (row, slot, cell))
            });
            all.push(match input.kind {
                InputKind::Single | InputKind::Double => {
                    Values::Floats(cells.map(|(_, slot, cell)| slot.float(cell)).collect())
                }
                InputKind::Long | InputKind::Int | InputKind::Truth | InputKind::Text => Values::Integers(
                    cells
                        .map(|(row, slot, cell)| slot.integer(cell).map_err(|problem| (row, problem)))
                        .collect::<Result<_, _>>()?,
                ),
            });
        }
        Ok(all)
    }
}

/// The inputs with their widths: the graph's, or what is left for the one that takes any.
fn planned(inputs: &[Input], given: Option<&[FeatureSettings]>) -> Result<Vec<PlannedInput>, OnnxError> {
    let known: usize = inputs.iter().filter_map(|input| input.width).fold(0, usize::saturating_add);
    let open = inputs.iter().filter(|input| input.width.is_none()).count();
    let described = given.map(<[FeatureSettings]>::len);
    let rest = described.map_or(0, |described| described.saturating_sub(known));
    if open > 1 || (open == 1 && rest == 0) {
        return Err(lacking_features());
    }
    if let Some(described) = described
        && open == 0
        && described != known
    {
        return Err(wrong(
            "features",
            &format!("has {described} features, the graph takes {known}; give each of them, in order"),
        ));
    }
    Ok(inputs.iter().map(|input| PlannedInput::new(input, input.width.unwrap_or(rest))).collect())
}

fn lacking_features() -> OnnxError {
    OnnxError::Lacking {
        what: "how its columns are called".to_owned(),
        key: "features = [{ name = \"NAME\" }, ...]".to_owned(),
    }
}

fn slot(input: &Input, described: Option<&FeatureSettings>, vocabulary: &Vocabulary) -> Result<Slot, OnnxError> {
    let name = match described {
        Some(described) => described.name.clone(),
        None if input.width == Some(1) => input.name.clone(),
        None => return Err(lacking_features()),
    };
    let categories = described.and_then(|described| described.categories.as_deref());
    let kind = described.and_then(|described| described.kind);
    let codes = match (input.kind, kind) {
        (InputKind::Text, Some(FeatureKind::Numeric)) => {
            return Err(wrong(
                "features",
                &format!("says that \"{name}\" is numeric, but the graph takes text for it"),
            ));
        }
        (InputKind::Text, _) => {
            let known = categories.or_else(|| vocabulary.categories(&input.name)).unwrap_or_default();
            Some(known.iter().map(|category| (category.clone(), vocabulary.code(category))).collect())
        }
        (InputKind::Truth, _) => Some(BTreeMap::from([("false".to_owned(), 0), ("true".to_owned(), 1)])),
        (_, kind) => match categories {
            Some(categories) => Some(categories.iter().cloned().zip(0..).collect()),
            None if kind == Some(FeatureKind::Categorical) => {
                let reason = format!("lacks the categories of \"{name}\", for which the graph takes numbers");
                return Err(wrong("features", &reason));
            }
            None => None,
        },
    };
    Ok(Slot { name, kind: input.kind, codes })
}

impl Slot {
    /// What a floating point input gets. No value is NaN, which graphs fill in themselves or cannot do without.
    fn float(&self, cell: &Cell<'_>) -> f64 {
        match (cell, &self.codes) {
            (Cell::Number(number), _) => *number,
            (Cell::Text(text), Some(codes)) => number(codes.get(text.as_ref()).copied().unwrap_or(UNKNOWN)),
            (Cell::Text(_), None) | (Cell::Missing, _) => f64::NAN,
        }
    }

    /// What an integer input gets.
    fn integer(&self, cell: &Cell<'_>) -> Result<i64, FieldProblem> {
        let wrong = |expected: &'static str, found: String| FieldProblem::WrongType {
            field: self.name.clone(),
            expected,
            found,
        };
        match (cell, &self.codes) {
            (Cell::Text(text), Some(codes)) => match codes.get(text.as_ref()) {
                Some(code) => Ok(*code),
                // Files write them in any case and in two words: True, TRUE, yes.
                None if self.kind == InputKind::Truth && truth(text).is_some() => {
                    Ok(i64::from(truth(text) == Some(true)))
                }
                None if self.kind == InputKind::Truth => Err(wrong("true or false", format!("the text \"{text}\""))),
                None => Ok(UNKNOWN),
            },
            (Cell::Missing, Some(_)) if self.kind == InputKind::Truth => Err(wrong("true or false", "null".to_owned())),
            // A text that is not there is a text that is in no list.
            (Cell::Missing, Some(codes)) => Ok(codes.get("").copied().unwrap_or(UNKNOWN)),
            (Cell::Number(number), _) => {
                whole(*number).ok_or_else(|| wrong("a whole number", format!("the number {number}")))
            }
            (Cell::Missing | Cell::Text(_), None) => Err(wrong("a whole number", "null".to_owned())),
        }
    }
}

/// An integer that floating point numbers hold exactly.
#[expect(clippy::cast_possible_truncation, reason = "it was found to be whole and within 2^53")]
fn whole(number: f64) -> Option<i64> {
    const MOST: f64 = 9_007_199_254_740_992.0;
    (number.trunc().total_cmp(&number).is_eq() && number.abs() <= MOST).then_some(number as i64)
}

#[expect(clippy::cast_precision_loss, reason = "codes of categories are small")]
fn number(code: i64) -> f64 {
    code as f64
}

#[cfg(test)]
mod tests {
    use super::{Input, InputKind, Settings, Slots, Values, Vocabulary};
    use crate::model::data::cell::Cell;
    use crate::model::onnx::settings::FeatureSettings;

    fn input(name: &str, kind: InputKind, width: Option<usize>) -> Input {
        Input { name: name.to_owned(), kind, width, is_list: false, one_row: false }
    }

    fn feature(name: &str, categories: Option<&[&str]>) -> FeatureSettings {
        let categories = categories.map(|categories| categories.iter().map(|name| (*name).to_owned()).collect());
        FeatureSettings { name: name.to_owned(), kind: None, categories }
    }

    fn slots(inputs: &[Input], features: Option<Vec<FeatureSettings>>) -> Result<Slots, String> {
        let settings = Settings { features, ..Settings::default() };
        Slots::new(inputs, &Vocabulary::default(), &settings).map_err(|error| error.to_string())
    }

    #[test]
    fn an_input_of_one_column_is_a_feature_of_its_name() {
        let inputs = [input("age", InputKind::Single, Some(1)), input("rooms", InputKind::Long, Some(1))];
        let slots = slots(&inputs, None).unwrap();
        let row = [Cell::Missing, Cell::Number(3.0)];
        let values = slots.values(&[&row]).unwrap();
        assert!(matches!(&values[0], Values::Floats(floats) if floats[0].is_nan()));
        assert_eq!(values[1], Values::Integers(vec![3]));
        let (row, problem) = slots.values(&[&row, &[Cell::Missing, Cell::Number(3.5)]]).unwrap_err();
        assert_eq!(
            (row, problem.to_string().as_str()),
            (1, "the field \"rooms\" must be a whole number, not the number 3.5")
        );
    }

    #[test]
    fn a_table_needs_names_and_may_take_categories_by_their_place() {
        let inputs = [input("X", InputKind::Single, None)];
        assert!(slots(&inputs, None).unwrap_err().contains("features = [{ name"));
        let slots = slots(&inputs, Some(vec![feature("age", None), feature("city", Some(&["Rome", "Bern"]))])).unwrap();
        let row = [Cell::Number(1.5), Cell::Text("Bern".into())];
        assert_eq!(slots.values(&[&row]).unwrap(), [Values::Floats(vec![1.5, 1.0])]);
    }

    #[test]
    fn as_many_features_as_columns() {
        let error = slots(&[input("X", InputKind::Single, Some(3))], Some(vec![feature("a", None)])).unwrap_err();
        assert!(error.contains("has 1 features, the graph takes 3"), "{error}");
    }

    #[test]
    fn yes_and_no_go_in_however_a_file_spelled_them() {
        let slots = slots(&[input("fresh", InputKind::Truth, Some(1))], None).unwrap();
        let cells = ["true", "True", "YES", "False"].map(|text| [Cell::Text(text.into())]);
        let rows: Vec<&[Cell<'_>]> = cells.iter().map(<[Cell<'_>; 1]>::as_slice).collect();
        assert_eq!(slots.values(&rows).unwrap(), [Values::Integers(vec![1, 1, 1, 0])]);
        assert!(slots.values(&[&[Cell::Text("maybe".into())]]).is_err());
    }

    #[test]
    fn widths_beyond_all_numbers_are_an_error_and_no_overflow() {
        let wide = input("X", InputKind::Single, Some(usize::MAX));
        assert!(slots(&[wide.clone(), wide.clone()], None).is_err());
        assert!(slots(&[wide.clone(), wide], Some(vec![feature("a", None)])).is_err());
    }
}
