//! Runs the files in which Prometheus tests its own query language, against the engine of this house.
//!
//! A file loads samples (`load`), throws them away (`clear`) and evaluates expressions (`eval`), each with what must come
//! out. `script` reads the language, `series` its descriptions of series, `world` fills a store, `judge` evaluates and
//! compares: an evaluation at one moment is done again over a range around it, as Prometheus' own runner does.
//!
//! An evaluation is *unsupported*, and not failed, where the engine refuses the expression by name or where it looks at
//! native histograms, which a store here cannot hold; they stand in it as the end of a series, so that functions which
//! pass over histograms pass over them here too.

mod judge;
mod script;
mod series;
mod world;

use super::storage::SeriesStore;
use script::Command;
use world::World;

/// What came out of a whole file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Each evaluation, in the order of the file.
    pub outcomes: Vec<Outcome>,
}

/// What came out of one evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Where it stands in the file, counted from 1.
    pub line: usize,
    /// The expression.
    pub expression: String,
    /// How it went.
    pub verdict: Verdict,
}

/// How an evaluation went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is as expected.
    Passed,
    /// Something is not, and what.
    Failed(String),
    /// It could not be evaluated.
    Unsupported {
        /// Why not.
        reason: String,
        /// Whether it asks for neither native histograms nor what is experimental in Prometheus.
        is_classic: bool,
    },
}

impl Report {
    /// How many evaluations passed.
    pub fn passed(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Passed))
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    /// How many could not be evaluated.
    pub fn unsupported(&self) -> usize {
        self.count(|verdict| matches!(verdict, Verdict::Unsupported { .. }))
    }

    /// How many ask for neither native histograms nor what is experimental.
    pub fn classic(&self) -> usize {
        self.count(|verdict| !matches!(verdict, Verdict::Unsupported { is_classic: false, .. }))
    }

    fn count(&self, counts: impl Fn(&Verdict) -> bool) -> usize {
        self.outcomes.iter().filter(|outcome| counts(&outcome.verdict)).count()
    }
}

/// Why a file could not be run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ScriptError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub reason: String,
}

/// Runs a whole file.
pub fn run(text: &str) -> Result<Report, ScriptError> {
    let mut world = World::new();
    let mut outcomes = Vec::new();
    for (line, command) in script::read(text)? {
        match command {
            Command::Clear => world = World::new(),
            Command::Load(load) => world.load(&load).map_err(|reason| ScriptError { line, reason })?,
            Command::Eval(eval) => {
                let verdict = judge::judge(&world, &eval);
                outcomes.push(Outcome { line, expression: eval.expression, verdict });
            }
        }
    }
    Ok(Report { outcomes })
}

/// A store filled by the `load` commands of a text; its evaluations are not looked at.
pub fn loaded(text: &str) -> Result<SeriesStore, ScriptError> {
    let mut world = World::new();
    for (line, command) in script::read(text)? {
        match command {
            Command::Clear => world = World::new(),
            Command::Load(load) => world.load(&load).map_err(|reason| ScriptError { line, reason })?,
            Command::Eval(_) => {}
        }
    }
    Ok(world.into_store())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str) -> Verdict {
        run(text).unwrap().outcomes.pop().unwrap().verdict
    }

    fn assert_fails(text: &str) {
        assert!(matches!(verdict(text), Verdict::Failed(_)), "{text}");
    }

    const LOAD: &str = "load 1m\n  a{x=\"1\"} 1+1x5\n  b 10 _ stale 7\n\n";

    #[test]
    fn what_is_as_expected_passes() {
        let report = run(&format!(
            "# Values in turn.\n{LOAD}eval instant at 2m a\n  a{{x=\"1\"}} 3\n\n\
             eval range from 0 to 3m step 1m b\n  b 10 10 _ 7\n\n\
             eval instant at 1m a[1m]\n  expect range vector from 1m to 1m step 1m\n  a{{x=\"1\"}} 2\n\n\
             eval instant at 0 1 + 1\n  2\n\neval instant at 0 \"text\"\n  expect string \"text\"\n\n\
             eval instant at 0 quantile_over_time(2, a[1m])\n  expect warn\n  {{x=\"1\"}} Inf\n\n\
             clear\n\neval instant at 0 a\n"
        ))
        .unwrap();
        let faults: Vec<&Outcome> =
            report.outcomes.iter().filter(|outcome| outcome.verdict != Verdict::Passed).collect();
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!((report.passed(), report.classic()), (7, 7));
    }

    #[test]
    fn whatever_is_otherwise_fails() {
        assert_fails(&format!("{LOAD}eval instant at 2m a\n  a{{x=\"1\"}} 4\n"));
        assert_fails(&format!("{LOAD}eval instant at 2m a\n  a{{x=\"2\"}} 3\n"));
        assert_fails(&format!("{LOAD}eval instant at 2m a\n"));
        assert_fails(&format!("{LOAD}eval instant at 2m none\n  none 1\n"));
        assert_fails(&format!("{LOAD}eval instant at 2m a\n  expect fail\n"));
        assert_fails(&format!("{LOAD}eval instant at 2m a\n  expect warn\n  a{{x=\"1\"}} 3\n"));
        assert_fails(&format!("{LOAD}eval instant at 2m sum(\n  {{}} 3\n"));
        assert_fails("eval instant at 0 1\n  2\n");
        assert_fails("eval instant at 0 \"a\"\n  expect string \"b\"\n");
        assert_fails(&format!("{LOAD}eval range from 0 to 2m step 1m a\n  a{{x=\"1\"}} 1 2\n"));
    }

    #[test]
    fn an_error_that_is_expected_passes_if_its_words_are_right() {
        let load = "load 1m\n  a 1\n  b 2\n\n";
        let eval = "eval instant at 0 -{__name__=~\"a|b\"}\n  expect fail";
        let words = "vector cannot contain metrics with the same labelset";
        assert_eq!(verdict(&format!("{load}{eval}\n")), Verdict::Passed);
        assert_eq!(verdict(&format!("{load}{eval} msg: {words}\n")), Verdict::Passed);
        assert_eq!(verdict(&format!("{load}{eval} regex: vector .* labelset\n")), Verdict::Passed);
        assert_fails(&format!("{load}{eval} msg: another\n"));
    }

    #[test]
    fn what_is_refused_by_name_or_looks_at_native_histograms_is_unsupported() {
        assert!(matches!(
            verdict("eval instant at 0 sort_by_label(a, \"x\")\n"),
            Verdict::Unsupported { is_classic: false, .. }
        ));
        let load = "load 1m\n  h {{schema:0 sum:1 count:1}}x3\n  h{x=\"1\"} 1 2 3\n\n";
        assert!(matches!(
            verdict(&format!("{load}eval instant at 1m h\n  h{{x=\"1\"}} 2\n")),
            Verdict::Unsupported { is_classic: false, .. }
        ));
        // The sign of a number passes over histograms.
        assert_eq!(verdict(&format!("{load}eval instant at 1m sgn(h)\n  {{x=\"1\"}} 1\n")), Verdict::Passed);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for text in ["nonsense\n", "load\n", "load 1m\n a b\n", "eval instant\n", "eval instant at x 1\n"] {
            assert!(run(text).is_err(), "{text:?}");
        }
        assert_eq!(run("\n\nload 1m\n  a \"1\n").unwrap_err().line, 4);
    }
}
