//! Runs test files in the language in which Prometheus tests its own query language:
//! `cargo run --release --example promqltest -- [--verbose] FILE…`.
//!
//! For each file it prints how many evaluations passed, failed or are not supported; what failed is told on the error
//! output, with `--verbose` what is not supported too. Exit code 1 when something failed, 2 when a file cannot be read.

use std::process::ExitCode;
use std::{env, fs};

use trainyard::monitor::promqltest::{self, Outcome, Verdict};

fn main() -> ExitCode {
    let (flags, files): (Vec<String>, Vec<String>) =
        env::args().skip(1).partition(|argument| argument.starts_with("--"));
    let is_verbose = flags.iter().any(|flag| flag == "--verbose");
    if files.is_empty() || flags.iter().any(|flag| flag != "--verbose") {
        eprintln!("usage: promqltest [--verbose] FILE…");
        return ExitCode::from(2);
    }
    let mut code = 0;
    for file in &files {
        code = code.max(run(file, is_verbose));
    }
    ExitCode::from(code)
}

fn run(file: &str, is_verbose: bool) -> u8 {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            eprintln!("{file}: {error}");
            return 2;
        }
    };
    let report = match promqltest::run(&text) {
        Ok(report) => report,
        Err(error) => {
            eprintln!("{file}: {error}");
            return 2;
        }
    };
    for Outcome { line, expression, verdict } in &report.outcomes {
        match verdict {
            Verdict::Passed => {}
            Verdict::Failed(fault) => eprintln!("{file}:{line}: failed: {expression}\n    {fault}"),
            Verdict::Unsupported { reason, .. } if is_verbose => {
                eprintln!("{file}:{line}: unsupported: {expression}\n    {reason}");
            }
            Verdict::Unsupported { .. } => {}
        }
    }
    let (passed, failed, unsupported) = (report.passed(), report.failed(), report.unsupported());
    println!("{file}: {passed} passed, {failed} failed, {unsupported} unsupported");
    u8::from(failed > 0)
}
