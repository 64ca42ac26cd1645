//! The rows by which two models may be compared: held out by the new one, and never learned from by the champion.
//!
//! A row's hash decides on which side of a split it falls, so with equal settings of the split a row that is held out now was
//! held out when the champion was trained, or is new since. With other settings only rows that both splits hold out count. Of a
//! champion that was split by time, rows count that are later than all that it has learned from.
//! The hash is of all cells, by the names of the columns: once the columns differ, nobody knows any more which rows the
//! champion has seen.

use std::collections::BTreeSet;

use crate::config::{SplitSettings, TrainSettings};
use crate::model::card::Card;
use crate::model::data::cell::Cell;
use crate::model::data::column::{Column, ColumnKind, Values};
use crate::model::data::dataset::DataSet;
use crate::model::data::split::split;
use crate::model::envelope::SavedModel;

/// Those rows, ascending; or why there are none that tell anything.
pub(super) fn common(
    challenger: &SavedModel,
    champion: &SavedModel,
    data: &DataSet,
    held_out: &[usize],
) -> Result<Vec<usize>, String> {
    let (new, old) = (challenger.card(), champion.card());
    if old.task != new.task || old.target != new.target {
        return Err(format!("it predicts \"{}\" and not \"{}\", or in another way", old.target, new.target));
    }
    same_columns(old, data)?;
    if let SplitSettings::Time { column } = &old.settings.split {
        return later(old, data, column, held_out);
    }
    if same_split(&new.settings, &old.settings) {
        return Ok(held_out.to_vec());
    }
    let also = split(data, &old.settings).map_err(|_| "its split holds out none of the rows".to_owned())?;
    let also: BTreeSet<usize> = also.held_out.into_iter().collect();
    Ok(held_out.iter().copied().filter(|row| also.contains(row)).collect())
}

/// Of a champion whose rows were held out by time, those of later than all that it has learned from. Rows without a time were
/// learned from.
fn later(champion: &Card, data: &DataSet, time: &str, held_out: &[usize]) -> Result<Vec<usize>, String> {
    let latest = champion.features.iter().find(|feature| feature.name == time).and_then(|feature| feature.maximum);
    let (Some(latest), Some(column)) = (latest, data.column(time)) else {
        return Err(format!(
            "its rows were held out by \"{time}\", from which it does not learn, so which rows it has seen is not known"
        ));
    };
    let is_later = |row: &usize| matches!(column.cell(*row), Cell::Number(moment) if moment > latest);
    Ok(held_out.iter().copied().filter(is_later).collect())
}

/// Whether two trainings hold out the same rows of the same data.
fn same_split(new: &TrainSettings, old: &TrainSettings) -> bool {
    new.split == old.split && new.seed == old.seed && new.holdout.to_bits() == old.holdout.to_bits()
}

/// Whether the data has exactly the columns with which the champion was trained, read in the same way.
fn same_columns(champion: &Card, data: &DataSet) -> Result<(), String> {
    let known: BTreeSet<&str> = champion
        .features
        .iter()
        .map(|feature| feature.name.as_str())
        .chain(champion.ignored.iter().map(String::as_str))
        .collect();
    let present: BTreeSet<&str> = data.columns.iter().map(|column| column.name.as_str()).collect();
    if let Some(lacking) = known.difference(&present).next() {
        return Err(format!("it was trained with the column \"{lacking}\", which the data has no more"));
    }
    if let Some(added) = present.difference(&known).next() {
        return Err(format!(
            "the column \"{added}\" is new since it was trained, so which rows it has learned from is not known"
        ));
    }
    for feature in &champion.features {
        let was = match feature.kind.as_str() {
            "numeric" => "numbers",
            "date" => "dates",
            _ => "text",
        };
        let is = data.column(&feature.name).map_or("nothing", held);
        if was != is {
            return Err(format!("the column \"{}\" held {was} when it was trained and holds {is} now", feature.name));
        }
    }
    Ok(())
}

/// What a column holds, as a model sees it: days and other numbers are not the same.
fn held(column: &Column) -> &'static str {
    match (&column.values, column.kind) {
        (Values::Numeric(_), ColumnKind::Date(_)) => "dates",
        (Values::Numeric(_), _) => "numbers",
        (Values::Categorical { .. } | Values::Text, _) => "text",
    }
}
