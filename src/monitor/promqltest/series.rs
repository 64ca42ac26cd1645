//! Descriptions of series: a metric with its labels, and its values in turn.
//!
//! `_` is no value, `stale` the end of the series, `1+2x3` means 1, 3, 5 and 7, `1x3` four times 1, `_x3` three times
//! nothing; `{{…}}` is a native histogram.

use promql_parser::util::unquote_string;

use crate::monitor::{Labels, METRIC_NAME};

/// The most values of one description.
const MOST_VALUES: usize = 1_000_000;

/// A series and its values.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Description {
    pub(super) labels: Labels,
    pub(super) points: Vec<Point>,
}

/// What a series is at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Point {
    Omitted,
    Value(f64),
    Stale,
    Histogram,
}

/// Reads a description.
pub(super) fn description(line: &str) -> Result<Description, String> {
    let mut cursor = Cursor { rest: line };
    let labels = cursor.metric()?;
    let mut points = Vec::new();
    loop {
        cursor.rest = cursor.rest.trim_start();
        if cursor.rest.is_empty() {
            return Ok(Description { labels, points });
        }
        cursor.item(&mut points)?;
        if cursor.rest.starts_with(|character: char| !character.is_whitespace()) {
            return Err(format!("a space is expected before `{}`", cursor.excerpt()));
        }
    }
}

struct Cursor<'line> {
    rest: &'line str,
}

impl<'line> Cursor<'line> {
    fn excerpt(&self) -> String {
        self.rest.chars().take(20).collect()
    }

    /// Takes a piece of the text if it stands here.
    fn takes(&mut self, piece: &str) -> bool {
        match self.rest.strip_prefix(piece) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes the characters that please `is_part`.
    fn run(&mut self, is_part: impl Fn(char) -> bool) -> &'line str {
        let text = self.rest;
        let length = text.find(|character: char| !is_part(character)).unwrap_or(text.len());
        let (run, rest) = text.split_at(length);
        self.rest = rest;
        run
    }

    fn name(&mut self) -> &'line str {
        self.run(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | ':'))
    }

    /// `name{label="value",…}`, of which either part may be missing.
    fn metric(&mut self) -> Result<Labels, String> {
        let name = self.name();
        if name.starts_with(|character: char| character.is_ascii_digit()) {
            return Err(format!("a metric is expected, found `{name}`"));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        if !name.is_empty() {
            pairs.push((METRIC_NAME.to_owned(), name.to_owned()));
        }
        if self.takes("{") {
            self.labels(&mut pairs)?;
        } else if name.is_empty() {
            return Err(format!("a metric is expected, found `{}`", self.excerpt()));
        }
        if self.rest.starts_with(|character: char| !character.is_whitespace()) {
            return Err(format!("values are expected, found `{}`", self.excerpt()));
        }
        Ok(Labels::new(pairs))
    }

    fn labels(&mut self, pairs: &mut Vec<(String, String)>) -> Result<(), String> {
        loop {
            self.rest = self.rest.trim_start();
            if self.takes("}") {
                return Ok(());
            }
            let name = if self.rest.starts_with(['"', '\'']) { self.quoted()? } else { self.name().to_owned() };
            self.rest = self.rest.trim_start();
            if self.takes("=") {
                self.rest = self.rest.trim_start();
                pairs.push((name, self.quoted()?));
            } else {
                // A name of a metric in quotes.
                pairs.push((METRIC_NAME.to_owned(), name));
            }
            self.rest = self.rest.trim_start();
            if !self.takes(",") && !self.rest.starts_with('}') {
                return Err(format!("`,` or `}}` is expected, found `{}`", self.excerpt()));
            }
        }
    }

    /// A text in quotes.
    fn quoted(&mut self) -> Result<String, String> {
        let text = self.rest;
        let Some(quote) = text.chars().next().filter(|quote| matches!(quote, '"' | '\'' | '`')) else {
            return Err(format!("a text in quotes is expected, found `{}`", self.excerpt()));
        };
        let mut is_escaped = false;
        for (index, character) in text.char_indices().skip(1) {
            if character == quote && !is_escaped {
                let (literal, rest) = text.split_at(index + quote.len_utf8());
                self.rest = rest;
                return unquote_string(literal).map_err(|_| format!("{literal} is not a text in quotes"));
            }
            is_escaped = character == '\\' && !is_escaped && quote != '`';
        }
        Err("a text has no closing quote".to_owned())
    }

    /// One item of a sequence of values.
    fn item(&mut self, points: &mut Vec<Point>) -> Result<(), String> {
        if self.takes("_") {
            let times = self.times()?;
            return repeat(points, times.unwrap_or(1), |_| Point::Omitted);
        }
        if self.rest.starts_with("{{") {
            self.histogram()?;
            if self.takes("+") || self.takes("-") {
                self.histogram()?;
            }
            return self.repeated(points, |_| Point::Histogram);
        }
        if self.takes("stale") {
            return self.repeated(points, |_| Point::Stale);
        }
        let first = self.number()?;
        let by = if self.rest.starts_with(['+', '-']) { self.number()? } else { 0.0 };
        let mut value = first;
        self.repeated(points, |index| {
            if index > 0 {
                value += by;
            }
            Point::Value(value)
        })
    }

    /// `x3` means four in all: three more than what it stands behind.
    fn repeated(&mut self, points: &mut Vec<Point>, point: impl FnMut(usize) -> Point) -> Result<(), String> {
        let times = self.times()?;
        repeat(points, times.map_or(1, |times| times.saturating_add(1)), point)
    }

    fn times(&mut self) -> Result<Option<usize>, String> {
        if !self.takes("x") {
            return Ok(None);
        }
        let digits = self.run(|character| character.is_ascii_digit());
        digits.parse().map(Some).map_err(|_| format!("a number of times is expected, found `{}`", self.excerpt()))
    }

    fn histogram(&mut self) -> Result<(), String> {
        let end = self.rest.find("}}").filter(|_| self.rest.starts_with("{{"));
        let rest = end.and_then(|end| self.rest.get(end + 2..));
        self.rest = rest.ok_or_else(|| format!("a histogram is expected, found `{}`", self.excerpt()))?;
        Ok(())
    }

    fn number(&mut self) -> Result<f64, String> {
        let wrong = format!("a value is expected, found `{}`", self.excerpt());
        let sign = if self.takes("-") { -1.0 } else { 1.0 };
        if sign > 0.0 {
            self.takes("+");
        }
        if self.rest.starts_with(|character: char| character.is_ascii_alphabetic()) {
            let text = self.rest;
            let Some((word, rest)) = text.split_at_checked(3) else { return Err(wrong) };
            self.rest = rest;
            return match word.to_ascii_lowercase().as_str() {
                "inf" => Ok(sign * f64::INFINITY),
                "nan" => Ok(f64::NAN),
                _ => Err(wrong),
            };
        }
        let start = self.rest;
        self.run(|character| character.is_ascii_digit() || character == '.');
        self.exponent();
        let length = start.len() - self.rest.len();
        let value: f64 = start.get(..length).unwrap_or_default().parse().map_err(|_| wrong)?;
        Ok(sign * value)
    }

    /// `e+9`, but not the sign of a step.
    fn exponent(&mut self) {
        let Some(rest) = self.rest.strip_prefix(['e', 'E']) else { return };
        let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        if digits.starts_with(|character: char| character.is_ascii_digit()) {
            self.rest = digits.trim_start_matches(|character: char| character.is_ascii_digit());
        }
    }
}

fn repeat(points: &mut Vec<Point>, times: usize, point: impl FnMut(usize) -> Point) -> Result<(), String> {
    if points.len().saturating_add(times) > MOST_VALUES {
        return Err(format!("a series has more than {MOST_VALUES} values"));
    }
    points.extend((0..times).map(point));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<f64> {
        let value = |point: &Point| match point {
            Point::Value(value) => *value,
            Point::Omitted => -111.0,
            Point::Stale => -222.0,
            Point::Histogram => -333.0,
        };
        description(&format!("a {text}")).unwrap().points.iter().map(value).collect()
    }

    #[test]
    fn values_are_read_in_turn() {
        assert_eq!(values("1 -2.5 .5 1e3"), [1.0, -2.5, 0.5, 1000.0]);
        assert_eq!(values("0+10x2 100-30x1"), [0.0, 10.0, 20.0, 100.0, 70.0]);
        assert_eq!(values("1+2"), [1.0]);
        assert_eq!(values("_ _x2 stale 3x1"), [-111.0, -111.0, -111.0, -222.0, 3.0, 3.0]);
        assert_eq!(values("0x3 1e+2-1x1"), [0.0, 0.0, 0.0, 0.0, 100.0, 99.0]);
        let histograms = values("{{schema:0 buckets:[1 2]}}x1 {{sum:1}}+{{sum:2}}x1 5");
        assert_eq!(histograms, [-333.0, -333.0, -333.0, -333.0, 5.0]);
        assert!(values("Inf -inf +Inf").iter().all(|value| value.is_infinite()));
        assert!(values("NaN")[0].is_nan());
    }

    #[test]
    fn metrics_are_read_with_their_labels() {
        let labels = |text: &str| description(text).unwrap().labels.to_string();
        assert_eq!(labels("a:b{x=\"1\", y='2',} 1"), "a:b{x=\"1\",y=\"2\"}");
        assert_eq!(labels("{} 1"), "{}");
        assert_eq!(labels("{__name__=\"m\", le=\"+Inf\"} 1"), "m{le=\"+Inf\"}");
        assert_eq!(labels("{\"a.b\", x=\"}\"} 1"), "a.b{x=\"}\"}");
        assert_eq!(labels("a"), "a");
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for text in
            ["", "1", "a{x=1} 1", "a{x=\"1 1", "a b", "a 1x", "a 1..2", "a {{sum:1", "a{x=\"1\"}1", "a 1x9999999"]
        {
            assert!(description(text).is_err(), "{text:?}");
        }
    }
}
