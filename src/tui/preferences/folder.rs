//! Where the operator's own files lie, by the XDG base directories.

use std::path::PathBuf;

/// `$XDG_CONFIG_HOME/trainyard`, else `~/.config/trainyard`; none without a home.
pub(in crate::tui) fn configuration(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    below(variable, "XDG_CONFIG_HOME", ".config")
}

/// `$XDG_CACHE_HOME/trainyard`, else `~/.cache/trainyard`; none without a home.
pub(in crate::tui) fn cache(variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    below(variable, "XDG_CACHE_HOME", ".cache")
}

fn below(variable: &dyn Fn(&str) -> Option<String>, name: &str, usual: &str) -> Option<PathBuf> {
    // A relative path is invalid by the specification and is to be passed over.
    let absolute = |text: String| Some(PathBuf::from(text)).filter(|path| path.is_absolute());
    let base = variable(name).and_then(absolute);
    let base = base.or_else(|| Some(variable("HOME").and_then(absolute)?.join(usual)));
    Some(base?.join("trainyard"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_absolute_is_passed_over() {
        let with = |configuration: &'static str| {
            move |name: &str| match name {
                "HOME" => Some("/home/ann".to_owned()),
                "XDG_CONFIG_HOME" => Some(configuration.to_owned()),
                _ => None,
            }
        };
        assert_eq!(configuration(&with("/etc/ann")), Some(PathBuf::from("/etc/ann/trainyard")));
        assert_eq!(configuration(&with("ann")), Some(PathBuf::from("/home/ann/.config/trainyard")));
        assert_eq!(cache(&with("")), Some(PathBuf::from("/home/ann/.cache/trainyard")));
        assert_eq!(cache(&|_| None), None);
    }
}
