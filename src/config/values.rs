//! Getters of single values: each checks type, range and form against the table of keys and notes what is wrong.

use std::collections::BTreeMap;
use std::panic;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use globset::Glob;
use promql_parser::parser::value::ValueType;
use toml::Spanned;
use toml::de::{DeArray, DeValue};

use super::duration::HumanDuration;
use super::errors::Problems;
use super::keys::Shape;
use super::names::suggest;
use super::reader::{Entry, TableReader, describe};

/// That an expression can be read and gives numbers. What is not supported is for whoever evaluates it to say, see
/// [`super::load_judged`].
fn check_expression(text: &str) -> Result<(), String> {
    // promql-parser 0.11.1 panics on a duration beyond the range of `Duration`, such as `x[1e300]`.
    let read = panic::catch_unwind(|| promql_parser::parser::parse(text))
        .unwrap_or_else(|_| Err("a number in it is out of range".to_owned()));
    match read.map(|tree| tree.value_type()) {
        Ok(ValueType::Scalar | ValueType::Vector) => Ok(()),
        Ok(ValueType::Matrix) => {
            Err("it gives ranges of samples; put them in a function, as in rate(x[1m])".to_owned())
        }
        Ok(ValueType::String) => Err("it gives a text, not a number".to_owned()),
        Err(error) => Err(error.lines().next().unwrap_or("it cannot be read").to_owned()),
    }
}

impl TableReader<'_> {
    /// A string.
    pub(super) fn string(&mut self, key: &'static str) -> Option<Spanned<String>> {
        let entry = self.entry(key)?;
        let DeValue::String(text) = entry.value else {
            self.mistyped(&entry, "a string");
            return None;
        };
        Some(Spanned::new(entry.span, text.clone().into_owned()))
    }

    /// A string with something in it.
    pub(super) fn filled(&mut self, key: &'static str) -> Option<Spanned<String>> {
        let text = self.string(key)?;
        if text.get_ref().trim().is_empty() {
            self.problems.add(text.span(), format!("`{key}` is empty"), self.example(key));
            return None;
        }
        Some(text)
    }

    /// A path with something in it.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.filled(key).map(|text| PathBuf::from(text.into_inner()))
    }

    /// A path inside the source, without `./` before it and `/` behind it.
    pub(super) fn inside(&mut self, key: &'static str) -> Option<PathBuf> {
        let path = self.filled(key)?;
        let text = path.get_ref();
        let parts: Vec<Component<'_>> = Path::new(text).components().collect();
        if !parts.iter().all(|part| matches!(part, Component::CurDir | Component::Normal(_))) {
            let message = format!("`{key}` is `{text}`, which is not inside the source");
            self.problems.add(path.span(), message, self.example(key));
        }
        let plain: PathBuf = parts.iter().filter(|part| matches!(part, Component::Normal(_))).collect();
        Some(if plain.as_os_str().is_empty() { PathBuf::from(".") } else { plain })
    }

    /// An expression in `PromQL` that gives numbers.
    pub(super) fn expression(&mut self, key: &'static str) -> Option<String> {
        let expression = self.filled(key)?;
        if let Err(reason) = check_expression(expression.get_ref()) {
            self.problems.add(expression.span(), format!("not a PromQL expression: {reason}"), self.example(key));
        } else {
            self.problems.remember(expression.span(), expression.get_ref());
        }
        Some(expression.into_inner())
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let entry = self.entry(key)?;
        let DeValue::Boolean(value) = entry.value else {
            self.mistyped(&entry, "a boolean");
            return None;
        };
        Some(*value)
    }

    /// Who may say yes where that is wanted: anybody if there are no names.
    pub(super) fn yes_or_names(&mut self, key: &'static str) -> Option<Vec<String>> {
        let entry = self.entry(key)?;
        let names = match entry.value {
            DeValue::Boolean(is_wanted) => return is_wanted.then(Vec::new),
            DeValue::Array(items) => self.texts_of(key, items),
            DeValue::String(name) => {
                let hint = format!("write `{key} = true`, or `{key} = [{}]`", quote(name));
                self.problems.add(entry.span, "expected `true`, `false` or names, found a string", hint);
                return None;
            }
            _ => {
                self.mistyped(&entry, "`true`, `false` or names");
                return None;
            }
        };
        if matches!(entry.value, DeValue::Array(items) if items.is_empty()) {
            let hint = format!("write `{key} = true` if anybody may, or remove it");
            self.problems.add(entry.span, format!("`{key}` names nobody"), hint);
        }
        for name in names.iter().filter(|name| name.get_ref().trim().is_empty()) {
            self.problems.add(name.span(), format!("a name in `{key}` is empty"), self.example(key));
        }
        Some(names.into_iter().map(Spanned::into_inner).collect())
    }

    /// A whole number within the range of the key.
    pub(super) fn integer(&mut self, key: &'static str) -> Option<i64> {
        let entry = self.entry(key)?;
        let DeValue::Integer(written) = entry.value else {
            self.mistyped(&entry, "an integer");
            return None;
        };
        let Some(Shape::Integer { least, most }) = self.shape(key) else { return None };
        let value = i64::from_str_radix(written.as_str(), written.radix()).ok();
        let value = value.filter(|value| (least..=most).contains(value));
        if value.is_none() {
            let message = format!("`{key}` must lie between {least} and {most}, found {written}");
            self.problems.add(entry.span, message, self.example(key));
        }
        value
    }

    /// A finite number; within 0 and 1, both excluded, if the key is a share.
    pub(super) fn number(&mut self, key: &'static str) -> Option<f64> {
        let entry = self.entry(key)?;
        let Some(value) = number_of(entry.value) else {
            self.mistyped(&entry, "a number");
            return None;
        };
        let share = self.shape(key) == Some(Shape::Share);
        if share && (value <= 0.0 || value >= 1.0) {
            let message = format!("`{key}` must lie between 0 and 1, found {value}");
            self.problems.add(entry.span, message, self.example(key));
            return None;
        }
        if !value.is_finite() {
            self.problems.add(entry.span, format!("`{key}` must be a finite number"), self.example(key));
            return None;
        }
        Some(value)
    }

    /// An array of two different finite numbers.
    pub(super) fn pair(&mut self, key: &'static str) -> Option<(f64, f64)> {
        let entry = self.entry(key)?;
        let DeValue::Array(items) = entry.value else {
            self.mistyped(&entry, "an array of two numbers");
            return None;
        };
        let numbers: Vec<Option<f64>> = items.iter().map(|item| number_of(item.get_ref())).collect();
        match numbers.as_slice() {
            [Some(one), Some(two)] if one.is_finite() && two.is_finite() && one.total_cmp(two).is_ne() => {
                Some((*one, *two))
            }
            _ => {
                let message = format!("`{key}` must be two different finite numbers");
                self.problems.add(entry.span, message, self.example(key));
                None
            }
        }
    }

    /// A duration that is not below the least one of the key.
    pub(super) fn duration(&mut self, key: &'static str) -> Option<Duration> {
        let entry = self.entry(key)?;
        let DeValue::String(text) = entry.value else {
            let hint = match entry.value {
                DeValue::Integer(number) => {
                    format!("say the unit: `{key} = \"{number}s\"` or `{key} = \"{number}ms\"`")
                }
                _ => self.example(key),
            };
            let message = format!("expected a duration, found {}", describe(entry.value));
            self.problems.add(entry.span, message, hint);
            return None;
        };
        let duration = match text.parse::<HumanDuration>() {
            Ok(HumanDuration(duration)) => duration,
            Err(error) => {
                let hint = "write numbers with ms, s, m, h or d, such as \"500ms\", \"10m\" or \"1h30m\"";
                self.problems.add(entry.span, format!("`{text}` is not a duration: {error}"), hint);
                return None;
            }
        };
        if let Some(Shape::Duration { least }) = self.shape(key)
            && duration < Duration::from_millis(least)
        {
            let least = HumanDuration(Duration::from_millis(least));
            self.problems.add(entry.span, format!("`{key}` must be at least {least}, found {text}"), self.example(key));
            return None;
        }
        Some(duration)
    }

    /// One of the words of the key.
    pub(super) fn choice(&mut self, key: &'static str) -> Option<&'static str> {
        let text = self.string(key)?;
        let Some(Shape::Choice { values, later }) = self.shape(key) else { return None };
        choose(self.problems, key, &text, values, later)
    }

    /// Some of the words of the key.
    pub(super) fn choices(&mut self, key: &'static str) -> Vec<Spanned<&'static str>> {
        let texts = self.strings(key).unwrap_or_default();
        let Some(Shape::Choices(values)) = self.shape(key) else { return Vec::new() };
        let chosen = texts.iter().filter_map(|text| {
            choose(self.problems, key, text, values, &[]).map(|value| Spanned::new(text.span(), value))
        });
        chosen.collect()
    }

    /// An array of strings.
    pub(super) fn strings(&mut self, key: &'static str) -> Option<Vec<Spanned<String>>> {
        let entry = self.entry(key)?;
        let DeValue::Array(items) = entry.value else {
            self.no_array(&entry);
            return None;
        };
        Some(self.texts_of(key, items))
    }

    /// An array of strings, without their places.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.strings(key).map(|texts| texts.into_iter().map(Spanned::into_inner).collect())
    }

    /// An array of globs relative to a folder.
    pub(super) fn globs(&mut self, key: &'static str) -> Option<Vec<String>> {
        let globs = self.strings(key)?;
        for glob in &globs {
            let text = glob.get_ref();
            if text.starts_with('/') || text.split('/').any(|part| part == "..") {
                let message = format!("glob `{text}` leaves the folder");
                self.problems.add(glob.span(), message, "globs are relative and contain no `..`");
            } else if let Err(error) = Glob::new(text) {
                let message = format!("`{text}` is not a glob: {}", error.kind());
                self.problems.add(glob.span(), message, self.example(key));
            }
        }
        Some(globs.into_iter().map(Spanned::into_inner).collect())
    }

    /// A program and its arguments.
    pub(super) fn words(&mut self, key: &'static str) -> Option<Vec<String>> {
        let words = self.texts(key)?;
        if words.first().is_some_and(|program| program.trim().is_empty()) {
            self.problems.add(self.span(), format!("the program in `{key}` is empty"), self.example(key));
        }
        Some(words)
    }

    /// Environment variables.
    pub(super) fn variables(&mut self, key: &'static str) -> BTreeMap<String, String> {
        let Some(entry) = self.entry(key) else { return BTreeMap::new() };
        let DeValue::Table(table) = entry.value else {
            self.problems.add(
                entry.span,
                format!("expected a table, found {}", describe(entry.value)),
                format!("for example `{key} = {{ NAME = \"value\" }}`"),
            );
            return BTreeMap::new();
        };
        let mut variables = BTreeMap::new();
        for (name, value) in table {
            let text: &str = name.get_ref();
            if !is_variable_name(text) {
                let hint = "letters, digits and `_`, not beginning with a digit";
                self.problems.add(name.span(), format!("`{text}` is no name of a variable"), hint);
            } else if text.starts_with("TRAINYARD_") {
                let hint = "names beginning with `TRAINYARD_` belong to the stage contract; take another";
                self.problems.add(name.span(), format!("`{text}` is set by trainyard itself"), hint);
            }
            if let DeValue::String(value) = value.get_ref() {
                variables.insert(text.to_owned(), value.clone().into_owned());
            } else {
                let message = format!("expected a string, found {}", describe(value.get_ref()));
                self.problems.add(value.span(), message, "variables are strings; put it in quotes");
            }
        }
        variables
    }

    fn texts_of(&self, key: &str, items: &DeArray<'_>) -> Vec<Spanned<String>> {
        let mut texts = Vec::new();
        for item in items {
            if let DeValue::String(text) = item.get_ref() {
                texts.push(Spanned::new(item.span(), text.clone().into_owned()));
            } else {
                let message = format!("expected a string, found {}", describe(item.get_ref()));
                self.problems.add(item.span(), message, format!("`{key}` is an array of strings; put it in quotes"));
            }
        }
        texts
    }

    /// Notes that an array is missing; a string can be mended by putting it into one.
    fn no_array(&self, entry: &Entry<'_>) {
        let key = entry.key;
        let DeValue::String(text) = entry.value else {
            self.mistyped(entry, "an array of strings");
            return;
        };
        let text: &str = text;
        let words: Vec<&str> = match self.shape(key) {
            Some(Shape::Words) if text.contains(['|', '&', ';', '<', '>', '(', '"', '\'', '`']) => {
                vec!["sh", "-c", text]
            }
            Some(Shape::Words) => text.split_whitespace().collect(),
            _ => vec![text],
        };
        let words: Vec<String> = words.into_iter().map(quote).collect();
        let hint = format!("write `{key} = [{}]`", words.join(", "));
        self.problems.add(entry.span.clone(), "expected an array of strings, found a string", hint);
    }
}

/// A TOML string with its quotes.
pub(super) fn quote(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// The word of `values` that `text` is; notes it if there is none.
fn choose(
    problems: &Problems,
    key: &str,
    text: &Spanned<String>,
    values: &'static [&'static str],
    later: &[(&str, &str)],
) -> Option<&'static str> {
    let written = text.get_ref().as_str();
    let found = values.iter().copied().find(|value| *value == written);
    if found.is_none() {
        if let Some((_, instead)) = later.iter().find(|(name, _)| *name == written) {
            let message = format!("{key} `{written}` is not built yet");
            problems.add(text.span(), message, format!("use `{instead}`"));
        } else {
            let message = format!("unknown value `{written}` for `{key}`");
            problems.add(text.span(), message, suggest(written, values, "valid values"));
        }
    }
    found
}

fn number_of(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Float(number) => number.as_str().parse().ok(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
        _ => None,
    }
}

/// Whether a variable may have that name.
pub(super) fn is_variable_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
