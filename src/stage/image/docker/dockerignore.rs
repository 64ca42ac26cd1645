//! What a `.dockerignore` leaves out of a context, as Docker reads it.
//!
//! It looks like a `.gitignore` and is none. A pattern is anchored at the context, so `*.md` means the files at its top
//! and `**/*.md` those everywhere; what lies below a folder that matches, matches too; `!` takes back what an earlier
//! line left out, and the last line that matches decides. Patterns are those of Go's `filepath.Match`, with `**` for
//! any number of folders. The quirks are Docker's own (`**name` means every path that ends with `name`), for a context
//! that is one file off gives another image than `docker build`.
//!
//! Whether a left out folder is looked into at all is decided as `BuildKit` does it: when a `!` may mean something
//! below it. The classic command line did not look there if the `!` began with a wildcard.

use std::fmt;

use regex::Regex;

/// A line that is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} holds `{pattern}`, which is no pattern: {reason}")]
pub struct PatternError {
    /// The number of the line, from 1.
    pub line: usize,
    /// What it holds.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The patterns of a file, in their order.
#[derive(Debug, Clone, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

/// Which patterns a folder matched, by their place; what is in it need not be asked of them again.
#[derive(Debug, Clone, Default)]
pub struct Matched(Vec<bool>);

#[derive(Clone)]
struct Pattern {
    text: String,
    is_exception: bool,
    shape: Shape,
}

#[derive(Clone)]
enum Shape {
    Exact,
    Prefix(String),
    Suffix(String),
    Regex(Regex),
}

impl Ignore {
    /// Reads the text of a `.dockerignore`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut patterns = Vec::new();
        for (index, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
            // Only a line that begins with `#` is a comment: ` #a` means a file.
            let trimmed = line.trim();
            if line.starts_with('#') || trimmed.is_empty() {
                continue;
            }
            let failed = |reason| PatternError { line: index + 1, pattern: trimmed.to_owned(), reason };
            patterns.push(Pattern::parse(trimmed).map_err(failed)?);
        }
        Ok(Self { patterns })
    }

    /// Whether `path`, relative to the context, is left out, and what is to be handed on to what lies in it. `parent`
    /// is what was handed on by its folder; nothing at the top of the context.
    pub fn judge(&self, path: &str, parent: &Matched) -> (bool, Matched) {
        let mut is_out = false;
        let mut matched = Vec::with_capacity(self.patterns.len());
        for (index, pattern) in self.patterns.iter().enumerate() {
            let by_parent = parent.0.get(index).copied().unwrap_or_default();
            // A pattern that could change nothing any more is not asked, and then does not count as matched below
            // either.
            let matches = by_parent || (pattern.is_exception == is_out && pattern.matches(path));
            matched.push(matches);
            if matches {
                is_out = !pattern.is_exception;
            }
        }
        (is_out, Matched(matched))
    }

    /// Whether something below a folder that is left out may be taken back.
    pub fn may_take_back_below(&self, folder: &str) -> bool {
        let mut exceptions = self.patterns.iter().filter(|pattern| pattern.is_exception).map(Pattern::fixed_part);
        let folder = format!("{folder}/");
        let is_wild = |fixed: &str| fixed.contains(['*', '[', ']', '?', '^', '\\']);
        exceptions.any(|fixed| is_wild(fixed) || format!("{fixed}/").starts_with(&folder))
    }

    /// Whether a path is left out, asked of it alone.
    #[cfg(test)]
    fn leaves_out(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        ends.fold((false, Matched::default()), |(_, above), end| self.judge(&path[..end], &above)).0
    }
}

impl Pattern {
    fn parse(line: &str) -> Result<Self, &'static str> {
        let (is_exception, rest) = match line.strip_prefix('!') {
            Some(rest) => (true, rest.trim()),
            None => (false, line),
        };
        let text = clean(rest);
        // A path from the root means one from the context.
        let text = match text.strip_prefix('/') {
            Some(rest) if !rest.is_empty() => rest.to_owned(),
            _ => text,
        };
        if is_exception && (rest.is_empty() || text == "/") {
            return Err("a `!` takes back nothing; write a pattern behind it, or remove the line");
        }
        Ok(Self { shape: Shape::of(&text)?, text, is_exception })
    }

    fn matches(&self, path: &str) -> bool {
        match &self.shape {
            Shape::Exact => path == self.text,
            Shape::Prefix(prefix) => path.starts_with(prefix),
            Shape::Suffix(suffix) => {
                path.ends_with(suffix) || suffix.strip_prefix('/').is_some_and(|suffix| suffix == path)
            }
            Shape::Regex(regex) => regex.is_match(path),
        }
    }

    /// The pattern without the `/*` or `/**` at its end, which add nothing to where its folder lies.
    fn fixed_part(&self) -> &str {
        let text = self.text.strip_suffix("/**").unwrap_or(&self.text);
        text.strip_suffix("/*").unwrap_or(text)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_exception { "!" } else { "" }, self.text)
    }
}

impl Shape {
    fn of(pattern: &str) -> Result<Self, &'static str> {
        let is_plain = |text: &str| !text.contains(['*', '?', '[', '\\']);
        if is_plain(pattern) {
            return Ok(Self::Exact);
        }
        if let Some(suffix) = pattern.strip_prefix("**")
            && is_plain(suffix)
        {
            return Ok(Self::Suffix(suffix.to_owned()));
        }
        if let Some(prefix) = pattern.strip_suffix("**")
            && is_plain(prefix)
        {
            return Ok(Self::Prefix(prefix.to_owned()));
        }
        let regex = format!("^{}$", expression(pattern)?);
        Regex::new(&regex).map(Self::Regex).map_err(|_| "a range in `[…]` runs backwards, or the pattern is too long")
    }
}

/// The regular expression of a pattern.
fn expression(pattern: &str) -> Result<String, &'static str> {
    let mut expression = String::new();
    let mut letters = pattern.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '*' if letters.next_if_eq(&'*').is_some() => {
                let _ = letters.next_if_eq(&'/');
                // At the end all that follows; before something else any number of folders, also none.
                expression.push_str(if letters.peek().is_none() { ".*" } else { "(?:.*/)?" });
            }
            '*' => expression.push_str("[^/]*"),
            '?' => expression.push_str("[^/]"),
            '[' => expression.push_str(&class(&mut letters)?),
            '\\' => expression.push_str(&literal(letters.next().ok_or("a `\\` stands at its end")?)),
            letter => expression.push_str(&literal(letter)),
        }
    }
    Ok(expression)
}

/// What stands between `[` and `]`, of which the first is taken already.
fn class(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, &'static str> {
    const OPEN: &str = "a `[` has no `]`";
    let mut class = "[".to_owned();
    if letters.next_if_eq(&'^').is_some() {
        class.push('^');
    }
    let mut is_empty = true;
    while is_empty || letters.next_if_eq(&']').is_none() {
        let first = end_of_range(letters.next().ok_or(OPEN)?, letters)?;
        class.push_str(&first);
        if letters.next_if_eq(&'-').is_some() {
            let last = end_of_range(letters.next().ok_or(OPEN)?, letters)?;
            class.push('-');
            class.push_str(&last);
        }
        is_empty = false;
    }
    class.push(']');
    Ok(class)
}

fn end_of_range(letter: char, letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, &'static str> {
    match letter {
        '-' | ']' => Err("a `-` or `]` stands in `[…]` where a letter should; write `\\-` or `\\]`"),
        '\\' => letters.next().map(literal).ok_or("a `\\` stands at its end"),
        letter => Ok(literal(letter)),
    }
}

fn literal(letter: char) -> String {
    regex::escape(letter.encode_utf8(&mut [0; 4]))
}

/// A path without `.`, `..`, double and trailing slashes, as far as that can be told from its text.
fn clean(path: &str) -> String {
    let is_rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (is_rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_left_out(text: &str, out: &[&str], kept: &[&str]) {
        let ignore = Ignore::parse(text).unwrap();
        for path in out {
            assert!(ignore.leaves_out(path), "{path} is kept by {ignore:?}");
        }
        for path in kept {
            assert!(!ignore.leaves_out(path), "{path} is left out by {ignore:?}");
        }
    }

    #[test]
    fn a_pattern_is_anchored_at_the_context() {
        assert_left_out("*.md", &["README.md", ".md"], &["docs/README.md", "README.mdx"]);
        assert_left_out("temp", &["temp", "temp/a/b"], &["a/temp", "temporary"]);
        assert_left_out("*/temp*", &["a/temporary", "a/temp/b"], &["temp", "a/b/temp"]);
        assert_left_out("*/*/temp*", &["a/b/temp1"], &["a/temp1", "a/b/c/temp1"]);
        assert_left_out("temp?", &["tempa", "temp1/x"], &["temp", "temp/a", "tempab"]);
    }

    #[test]
    fn what_lies_below_a_folder_that_matches_is_left_out_too() {
        assert_left_out("node_modules", &["node_modules", "node_modules/a/b.js"], &["app/node_modules/a"]);
        assert_left_out("a/*", &["a/b", "a/b/c"], &["a", "b/a"]);
        assert_left_out("a/**", &["a/b", "a/b/c"], &["a", "ab"]);
    }

    #[test]
    fn two_stars_mean_any_number_of_folders() {
        assert_left_out("**/*.pyc", &["a.pyc", "a/b.pyc", "a/b/c.pyc"], &["a.py", "a/pyc"]);
        assert_left_out("**/cache", &["cache", "a/cache", "a/b/cache/c"], &["a/cached", "xcache"]);
        assert_left_out("a/**/z", &["a/z", "a/b/z", "a/b/c/z"], &["az", "b/a/z", "a/b/yz"]);
        assert_left_out("**", &["a", "a/b", ".hidden"], &[]);
        assert_left_out("**/", &["a", "a/b"], &[]);
        // Docker's own quirks.
        assert_left_out("**log", &["log", "a/log", "catalog"], &["logs"]);
        assert_left_out("log**", &["log", "logs", "log/a"], &["a/log"]);
    }

    #[test]
    fn an_exception_takes_back_and_the_last_that_matches_decides() {
        assert_left_out("*.md\n!README.md", &["other.md"], &["README.md"]);
        assert_left_out("!README.md\n*.md", &["README.md"], &[]);
        assert_left_out("*.md\n!README*.md\nREADME-secret.md", &["README-secret.md", "a.md"], &["README-x.md"]);
        assert_left_out("*\n!src\n!*.toml", &["data/a.csv", "LICENSE"], &["src/a/b.rs", "Cargo.toml"]);
        assert_left_out("docs\n!docs/keep", &["docs", "docs/a"], &["docs/keep", "docs/keep/a"]);
        assert_left_out("docs\n!docs/keep\ndocs/keep/not", &["docs/keep/not/a"], &["docs/keep/a"]);
    }

    #[test]
    fn a_slash_at_either_end_and_blanks_around_mean_nothing() {
        assert_left_out("/temp/", &["temp", "temp/a"], &["a/temp"]);
        assert_left_out("  temp  \n! /temp/keep \t", &["temp/a"], &["temp/keep"]);
        assert_left_out("./a/../temp//x", &["temp/x"], &["temp/y", "a"]);
    }

    #[test]
    fn comments_empty_lines_a_mark_of_byte_order_and_line_ends_of_windows_are_no_patterns() {
        assert_left_out("\u{feff}a\r\n\r\n# b\r\n#c\r\nd\r\n", &["a", "d"], &["b", "c", "# b", "#c"]);
        assert_left_out(" #a", &["#a"], &["a"]);
        assert_left_out("", &[], &["a"]);
    }

    #[test]
    fn classes_escapes_and_letters_that_mean_something_elsewhere() {
        assert_left_out("[a-c]x", &["ax", "cx"], &["dx", "a-cx", "x"]);
        assert_left_out("[^a-c]x", &["dx"], &["ax"]);
        assert_left_out("[!a]x", &["!x", "ax"], &["bx"]);
        assert_left_out("[\\]\\-]x", &["]x", "-x"], &["ax"]);
        assert_left_out("\\*.md", &["*.md"], &["a.md"]);
        assert_left_out("a.b+(c)|{d}$^*", &["a.b+(c)|{d}$^", "a.b+(c)|{d}$^e"], &["axb+(c)|{d}$^"]);
        assert_left_out("자료/*", &["자료/가"], &["자료"]);
    }

    #[test]
    fn a_line_that_is_no_pattern_is_told_with_its_number() {
        let line = |text: &str| Ignore::parse(text).unwrap_err();
        assert_eq!(line("a\n[b").line, 2);
        assert_eq!(line("[]a]").pattern, "[]a]");
        for text in ["[a-", "[-a]", "[]", "[^]", "a\\", "!", "!  ", "[c-a]*"] {
            assert!(Ignore::parse(text).is_err(), "{text}");
        }
        let told = line("\n[b").to_string();
        assert!(told.contains("line 2") && told.contains("`[b`"), "{told}");
    }

    #[test]
    fn a_folder_is_looked_into_only_if_something_may_be_taken_back_there() {
        let below = |text: &str, folder| Ignore::parse(text).unwrap().may_take_back_below(folder);
        assert!(!below("a", "a"));
        assert!(below("*\n!a/b/c", "a") && below("*\n!a/b/c", "a/b"));
        assert!(!below("*\n!a/b/c", "b"));
        assert!(below("*\n!a/**", "a"));
        assert!(!below("*\n!ab", "a"));
        assert!(below("*\n!**/keep", "any/where"));
    }

    #[test]
    fn a_path_is_cleaned_by_its_text() {
        let cleaned = ["", ".", "a/", "a//b/./c", "a/../b", "../a", "a/../../b", "/../a", "/", "a/.."].map(clean);
        assert_eq!(cleaned, [".", ".", "a", "a/b/c", "b", "../a", "../b", "/a", "/", "."]);
    }
}
