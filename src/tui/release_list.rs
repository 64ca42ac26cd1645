//! Releases as the screen lists them: narrowed, sorted, and two of them beside each other.
//!
//! Pure, and nothing is made harmless here: whoever shows a text does that.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::pipeline::{Moment, Release, State};

use super::app::Model;
use super::difference::Difference;
use super::list::{Sort, ordered};
use super::quantity;
use super::release_facts::{release_facts, standing};

/// The columns of Releases by which it can be sorted, as they stand in its table: number, status, image, model, commit, by,
/// when, took, why. The health is that of the live one only.
pub(super) const SORTABLE: [usize; 9] = [0, 1, 2, 3, 4, 5, 6, 7, 9];

/// Stands where nothing is known.
const UNKNOWN: &str = "–";

/// The releases that Releases shows, in the order in which it shows them.
pub(super) fn rows(model: &Model) -> Vec<&Arc<Release>> {
    let list = &model.releases;
    let matches = |release: &&Arc<Release>| matches(&model.state, release, &list.filter, model.now);
    let mut rows: Vec<_> = model.state.releases.values().rev().filter(matches).collect();
    if list.sort != Sort::default() {
        rows.sort_by(|one, other| compare(&model.state, model.now, list.sort, one, other));
    }
    rows
}

/// Whether all that was typed holds: `by:NAME` is who started it, every other word is looked for in its status, image, model,
/// commit and why it was deployed.
fn matches(state: &State, release: &Release, typed: &str, now: Moment) -> bool {
    if typed.trim().is_empty() {
        return true;
    }
    let facts = release_facts(state, release, now);
    let by = facts.by.unwrap_or_default().to_lowercase();
    let model = release.model.map(|version| format!("m{version} model {version}")).unwrap_or_default();
    let image = release.image.as_ref().map(|image| image.short().to_owned()).unwrap_or_default();
    let why = facts.why.unwrap_or_default();
    let (id, status, commit) = (release.id, standing(state, release).0, &release.commit);
    let text = format!("release {id} {status} {image} {model} {commit} {why} {by}").to_lowercase();
    typed.to_lowercase().split_whitespace().all(|word| match word.strip_prefix("by:").filter(|name| !name.is_empty()) {
        Some(name) => by.contains(name),
        None => text.contains(word),
    })
}

fn compare(state: &State, now: Moment, sort: Sort, one: &Release, other: &Release) -> Ordering {
    let facts = |release: &Release| release_facts(state, release, now);
    let ordering = match sort.column {
        1 => ordered(Some(standing(state, one).0), Some(standing(state, other).0), sort),
        2 => ordered(one.image.as_ref(), other.image.as_ref(), sort),
        3 => ordered(one.model, other.model, sort),
        4 => ordered(Some(&one.commit), Some(&other.commit), sort),
        5 => ordered(facts(one).by, facts(other).by, sort),
        6 => ordered(Some(one.started), Some(other.started), sort),
        7 => ordered(facts(one).took, facts(other).took, sort),
        9 => ordered(facts(one).why, facts(other).why, sort),
        _ => ordered(Some(one.id), Some(other.id), sort),
    };
    ordering.then(other.id.cmp(&one.id))
}

/// The release with which the chosen one is compared: the marked one, else the one before it.
pub(super) fn partner(model: &Model) -> Option<&Arc<Release>> {
    let chosen = model.chosen_release()?.id;
    let marked = model.releases.marked.filter(|marked| *marked != chosen);
    let releases = &model.state.releases;
    let before = || releases.values().rev().find(|release| release.id < chosen);
    let after = || releases.values().find(|release| release.id > chosen);
    marked.and_then(|marked| releases.get(&marked)).or_else(before).or_else(after)
}

/// What two releases are, beside each other; what is equal is told too, for there are few things to tell.
pub(super) fn differences(state: &State, one: &Release, other: &Release, now: Moment) -> Vec<Difference> {
    let known = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    let of = |release: &Release| {
        let facts = release_facts(state, release, now);
        let fingerprint = release.fingerprint.as_ref();
        let archive = release.archive.as_ref().map_or("gone", |_| "kept");
        [
            ("status", standing(state, release).0.to_owned()),
            ("image", known(release.image.as_ref().map(|image| image.short().to_owned()))),
            ("its archive", archive.to_owned()),
            ("model", known(release.model.map(|version| version.to_string()))),
            ("commit", release.commit.clone()),
            ("settings", known(fingerprint.map(|print| print.definition.short().to_owned()))),
            ("again release", known(release.repeats.map(|earlier| earlier.to_string()))),
            ("run", release.run.to_string()),
            ("by", known(facts.by)),
            ("why", known(facts.why)),
            ("deploy took", known(facts.took.map(quantity::duration))),
            ("served", known(served(release, now).map(quantity::whole_duration))),
        ]
    };
    let pairs = of(one).into_iter().zip(of(other));
    let mut found: Vec<_> = pairs.map(|((what, one), (_, other))| Difference::new(what, one, other)).collect();
    let metrics = |release: &Release| release.model.and_then(|version| state.registry.models.get(&version));
    if let (Some(first), Some(second)) = (metrics(one), metrics(other)) {
        for (name, before) in &first.outputs.metrics {
            let Some(after) = second.outputs.metrics.get(name) else { continue };
            let change = format!("{:+.4}", after - before);
            found.push(Difference { change, ..Difference::new(name, format!("{before:.4}"), format!("{after:.4}")) });
        }
    }
    found
}

/// For how long it served, up to now if it does.
fn served(release: &Release, now: Moment) -> Option<u64> {
    release.live_since.map(|since| release.ended.unwrap_or(now).since(since))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::ReleaseId;
    use crate::tui::fixtures;

    fn shown(model: &Model) -> Vec<u64> {
        rows(model).iter().map(|release| release.id.0).collect()
    }

    #[test]
    fn releases_are_narrowed_by_words_and_by_who_started_them() {
        let mut model = fixtures::deployed();
        assert_eq!(shown(&model), [4, 3, 2, 1]);
        for (typed, expected) in
            [("live", vec![4]), ("by:mina", vec![4]), ("by:automation model", vec![3, 2, 1]), ("nowhere", Vec::new())]
        {
            model.releases.filter = typed.to_owned();
            assert_eq!(shown(&model), expected, "{typed}");
        }
    }

    #[test]
    fn releases_are_sorted_by_any_column() {
        let mut model = fixtures::deployed();
        for column in SORTABLE {
            model.releases.sort = Sort { column, is_descending: false };
            assert_eq!(shown(&model).len(), 4);
        }
        model.releases.sort = Sort { column: 3, is_descending: false };
        assert_eq!(shown(&model), [1, 4, 2, 3], "release 4 is release 2 again");
    }

    #[test]
    fn a_release_that_comes_back_has_the_image_and_the_model_of_the_one_it_repeats() {
        let model = fixtures::deployed();
        let release = |number| model.state.releases.get(&ReleaseId(number)).unwrap();
        let same: Vec<_> = differences(&model.state, release(2), release(4), model.now)
            .into_iter()
            .filter(|difference| difference.one == difference.other)
            .map(|difference| difference.what)
            .collect();
        for what in ["image", "model", "commit", "accuracy"] {
            assert!(same.iter().any(|same| same == what), "{what}: {same:?}");
        }
    }
}
