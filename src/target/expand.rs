//! `$NAME` and `${NAME}` in the command of a stage or of an app; no shell is involved.

use std::collections::BTreeMap;

/// Puts the variables in the place of `$NAME` and `${NAME}`. Other names stay as they are, for they may be meant for a shell
/// that the command starts.
pub fn expand(argument: &str, environment: &BTreeMap<String, String>) -> String {
    let mut expanded = String::with_capacity(argument.len());
    let mut rest = argument;
    while let Some((before, behind)) = rest.split_once('$') {
        expanded.push_str(before);
        let (name, after) = name_at(behind);
        match environment.get(name) {
            Some(value) => {
                expanded.push_str(value);
                rest = after;
            }
            None => {
                expanded.push('$');
                rest = behind;
            }
        }
    }
    expanded.push_str(rest);
    expanded
}

/// Whether one of the arguments names the variable.
pub fn names(command: &[String], variable: &str) -> bool {
    let named = |argument: &String| argument.split('$').skip(1).any(|behind| name_at(behind).0 == variable);
    command.iter().any(named)
}

/// The name that begins here, with or without braces, and what stands behind it.
fn name_at(text: &str) -> (&str, &str) {
    if let Some(in_braces) = text.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
        return in_braces;
    }
    let end = text.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_variables_of_the_stage_are_put_into_its_command() {
        let environment = BTreeMap::from([("TRAINYARD_REPORTS".to_owned(), "/r".to_owned())]);
        let expanded = |text: &str| expand(text, &environment);
        assert_eq!(expanded("$TRAINYARD_REPORTS/junit.xml"), "/r/junit.xml");
        assert_eq!(expanded("--xml=${TRAINYARD_REPORTS}/j"), "--xml=/r/j");
        assert_eq!(expanded("for x in $xs; do echo ${x}; done; $"), "for x in $xs; do echo ${x}; done; $");
        assert_eq!(expanded("$TRAINYARD_REPORTSX"), "$TRAINYARD_REPORTSX");
    }

    #[test]
    fn a_variable_is_named_only_by_its_whole_name() {
        let named = |text: &str| names(&["first".to_owned(), text.to_owned()], "TRAINYARD_BIN");
        assert!(named("$TRAINYARD_BIN predict") && named("x ${TRAINYARD_BIN}"));
        assert!(!named("$TRAINYARD_BINS") && !named("TRAINYARD_BIN") && !named("${TRAINYARD_BIN"));
    }
}
