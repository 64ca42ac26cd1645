//! How well some letters fit a name: the same for the palette of the screen and for the lists that the daemon searches.

/// More letters of a name are not looked at.
const LONGEST_NAME: usize = 200;
/// More letters that were typed fit nothing.
const LONGEST_INPUT: usize = 64;

/// How badly `input` fits as a subsequence of `name`: letters skipped before and between; `None` if it does not fit.
pub fn distance(name: &str, input: &str) -> Option<usize> {
    let mut rest = name.char_indices();
    let mut skipped = 0;
    for wanted in input.chars().filter(|character| !character.is_whitespace()) {
        loop {
            let (_, found) = rest.next()?;
            if found.eq_ignore_ascii_case(&wanted) {
                break;
            }
            skipped += 1;
        }
    }
    // Of two that fit equally well the shorter is meant.
    Some(skipped * 100 + name.len())
}

/// How letters fit a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fit {
    /// How badly; letters that begin words or stand together cost least.
    pub cost: usize,
    /// Which characters of the name they are, counted from 0.
    pub places: Vec<usize>,
}

/// The best way in which the letters of `input` stand in `name` in their order: at the beginning, at beginnings of words
/// (also in `camelCase`), and one behind the other. `None` if they do not.
pub fn fit(name: &str, input: &str) -> Option<Fit> {
    let name: Vec<char> = name.chars().take(LONGEST_NAME).collect();
    let wanted: Vec<char> = input.chars().filter(|character| !character.is_whitespace()).collect();
    if wanted.len() > name.len().min(LONGEST_INPUT) {
        return None;
    }
    // For each place of the name: the least cost of all letters so far if the last of them stands there, and the places.
    let mut best: Vec<Option<Fit>> = Vec::new();
    for (index, letter) in wanted.iter().enumerate() {
        let standing = |(place, found): (usize, &char)| {
            if !is_same(*found, *letter) {
                return None;
            }
            if index == 0 {
                return Some(Fit { cost: begin_cost(&name, place), places: vec![place] });
            }
            let before = best.iter().take(place).enumerate();
            let costs =
                before.filter_map(|(before, fit)| Some((fit.as_ref()?.cost + step_cost(&name, before, place), before)));
            let (cost, before) = costs.min()?;
            let mut places = best.get(before)?.as_ref()?.places.clone();
            places.push(place);
            Some(Fit { cost, places })
        };
        best = name.iter().enumerate().map(standing).collect();
    }
    let length = name.len();
    if wanted.is_empty() {
        return Some(Fit { cost: length, places: Vec::new() });
    }
    let found = best.into_iter().flatten().min_by_key(|fit| fit.cost)?;
    // Of two that fit equally well the shorter is meant.
    Some(Fit { cost: found.cost * 10 + length, ..found })
}

fn is_same(one: char, other: char) -> bool {
    one == other || one.to_lowercase().eq(other.to_lowercase())
}

/// Whether a word begins here.
fn begins_word(name: &[char], place: usize) -> bool {
    let at = |place: usize| name.get(place).copied();
    let Some(before) = place.checked_sub(1).and_then(at) else { return true };
    let is_hump = before.is_lowercase() && at(place).is_some_and(char::is_uppercase);
    !before.is_alphanumeric() || is_hump
}

fn begin_cost(name: &[char], place: usize) -> usize {
    match place {
        0 => 0,
        _ if begins_word(name, place) => 4 + place.min(4),
        _ => 20 + place.min(20),
    }
}

fn step_cost(name: &[char], from: usize, to: usize) -> usize {
    match to - from {
        1 => 0,
        _ if begins_word(name, to) => 4,
        gap => 12 + gap.min(20),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_in_their_order_fit_and_the_shorter_name_is_meant() {
        assert!(distance("http_requests_total", "hrt").is_some());
        assert_eq!(distance("http_requests_total", "thx"), None);
        assert!(distance("run", "ru") < distance("runs", "ru"));
        assert_eq!(distance("", "a"), None);
        assert_eq!(distance("a", " "), Some(1));
    }

    #[test]
    fn beginnings_of_words_and_letters_that_stand_together_fit_best() {
        let places = |name: &str, input: &str| fit(name, input).map(|fit| fit.places);
        assert_eq!(places("lock deploys", "de"), Some(vec![5, 6]));
        assert_eq!(places("previous pane", "pp"), Some(vec![0, 9]));
        assert_eq!(places("compareModels", "cm"), Some(vec![0, 7]));
        assert_eq!(places("unsure silence", "sil"), Some(vec![7, 8, 9]), "not the first s that comes");
        assert_eq!(places("와인 품질", "품"), Some(vec![3]));
        assert_eq!(places("run", "runs"), None);
        let cost = |name: &str, input: &str| fit(name, input).unwrap().cost;
        assert!(cost("runs", "run") < cost("run all", "run"));
        assert!(cost("deploy", "dep") < cost("lock deploys", "dep"));
        assert!(cost("next match", "nm") < cost("zoom name", "nm"));
    }

    proptest! {
        #[test]
        fn what_is_marked_are_the_letters_that_were_typed(name in "[a-cA-C _]{0,20}", input in "[a-c ]{0,6}") {
            let letters: Vec<char> = input.chars().filter(|letter| *letter != ' ').collect();
            let fit = fit(&name, &input);
            prop_assert_eq!(fit.is_some(), distance(&name, &input).is_some());
            if let Some(fit) = fit {
                let name: Vec<char> = name.chars().collect();
                prop_assert!(fit.places.is_sorted_by(|one, other| one < other));
                let marked: Vec<char> = fit.places.iter().map(|place| name[*place].to_ascii_lowercase()).collect();
                prop_assert_eq!(marked, letters);
            }
        }
    }
}
