//! What a mistyped name was probably meant to be.

/// How many names are listed when none is near.
const LISTED: usize = 12;

/// A sentence part that helps: `did you mean "x"?`, or the names there are.
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(near) = nearest(name, candidates.iter().copied()) {
        return format!("did you mean \"{near}\"?");
    }
    let more = if candidates.len() > LISTED { ", …" } else { "" };
    let listed: Vec<&str> = candidates.into_iter().take(LISTED).collect();
    format!("there are: {}{more}", listed.join(", "))
}

/// The candidate at the smallest edit distance, when that is small beside the length of the name.
pub(in crate::model) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let length = wanted.chars().count();
    let limit = limit(length);
    candidates
        .into_iter()
        .map(|candidate| (candidate.to_lowercase(), candidate))
        .filter(|(lowercase, _)| may_be_near(length, lowercase.chars().count()))
        .map(|(lowercase, candidate)| (strsim::damerau_levenshtein(&wanted, &lowercase), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The greatest distance from a name of that length at which something is still near.
fn limit(length: usize) -> usize {
    (length / 3).max(2)
}

/// A distance is never smaller than the difference of the lengths. To find it takes memory for the product of both, which is
/// not to be spent on a name of megabytes that somebody sent.
fn may_be_near(length: usize, other: usize) -> bool {
    length.abs_diff(other) <= limit(length)
}

#[cfg(test)]
mod tests {
    use super::{hint, may_be_near};

    #[test]
    fn a_name_of_megabytes_is_compared_with_nothing() {
        assert!(may_be_near(6, 7) && may_be_near(1, 3) && may_be_near(9, 6));
        assert!(!may_be_near(8_000_000, 7) && !may_be_near(1, 4));
        assert_eq!(hint(&"x".repeat(100_000), ["alcohol", "pH"]), "there are: alcohol, pH");
    }

    #[test]
    fn a_typing_error_gets_the_name_that_was_meant() {
        assert_eq!(hint("qualty", ["alcohol", "quality"]), "did you mean \"quality\"?");
    }

    #[test]
    fn a_name_that_resembles_nothing_gets_the_list() {
        assert_eq!(hint("weather", ["alcohol", "pH"]), "there are: alcohol, pH");
    }
}
