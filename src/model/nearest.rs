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
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let limit = (wanted.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= limit && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn a_typing_error_gets_the_name_that_was_meant() {
        assert_eq!(hint("qualty", ["alcohol", "quality"]), "did you mean \"quality\"?");
    }

    #[test]
    fn a_name_that_resembles_nothing_gets_the_list() {
        assert_eq!(hint("weather", ["alcohol", "pH"]), "there are: alcohol, pH");
    }
}
