//! The nearest valid name to one that is not valid.

/// The candidate that `name` is most likely a slip of, if any is near.
pub(super) fn nearest<'n>(name: &str, candidates: &[&'n str]) -> Option<&'n str> {
    let wanted = name.to_lowercase();
    candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase()), *candidate))
        .filter(|(distance, candidate)| {
            let length = wanted.chars().count().max(candidate.chars().count());
            // One slip in three letters; below that any word is near any other.
            *distance < length && *distance <= (length / 3).max(1)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?`, or all the candidates behind `otherwise`.
pub(super) fn suggest(name: &str, candidates: &[&str], otherwise: &str) -> String {
    match nearest(name, candidates) {
        Some(found) => format!("did you mean `{found}`?"),
        None => format!("{otherwise}: {}", quoted(candidates)),
    }
}

/// The names in back quotes, with commas between.
pub(super) fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        assert_eq!(nearest("tigger", &["path", "trigger", "ignore"]), Some("trigger"));
        assert_eq!(nearest("trian", &["train", "image", "deploy"]), Some("train"));
        assert_eq!(nearest("Train", &["train", "image", "deploy"]), Some("train"));
    }

    #[test]
    fn a_name_of_its_own_is_near_nothing() {
        assert_eq!(nearest("colour", &["path", "trigger", "ignore"]), None);
        assert_eq!(nearest("a", &["b"]), None);
        assert_eq!(suggest("colour", &["path", "ignore"], "valid keys"), "valid keys: `path`, `ignore`");
    }
}
