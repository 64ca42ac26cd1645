//! How good learners are and how long they take, for `benches/models.sh`, which puts scikit-learn beside it.
//!
//! All three questions take the same two files: a `trainyard.toml` with a stage that `uses = "train"`, which says target,
//! task, seed and share held out, and a CSV file.
//!
//! - `learner_bench split CONFIG DATA`: which rows are held out, so that others can learn from the same ones.
//! - `learner_bench fit CONFIG DATA ALGORITHM THREADS ROUNDS ANSWERS`: one algorithm with what is usual for it. The best
//!   time of the rounds counts. The file of answers gets a line a held-out row: truth, tab, prediction.
//! - `learner_bench auto CONFIG DATA`: the whole search of a train stage, with all threads.
//!
//! Each prints one JSON object. What is timed begins with typed columns in memory: reading files is another's benchmark.

use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trainyard::config::{self, Action, Algorithm, TrainSettings};
use trainyard::model::{self, DataSet, Labels, Learner, Output, Problem, Split, Target};

const USAGE: &str =
    "usage: learner_bench split|auto CONFIG DATA, or learner_bench fit CONFIG DATA ALGORITHM THREADS ROUNDS ANSWERS";
/// When learning has taken so long, no further round is begun: its share of noise is small by then.
const ENOUGH: Duration = Duration::from_secs(20);

/// What all learners are asked about.
struct Bench {
    data: DataSet,
    settings: TrainSettings,
    target: Target,
    parts: Split,
}

/// One learner, measured.
struct Question<'a> {
    algorithm: Algorithm,
    threads: usize,
    rounds: u32,
    answers: &'a Path,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let told = match arguments.as_slice() {
        ["split", config, data] => split(&Bench::open(config, data)?),
        ["auto", config, data] => search(&Bench::open(config, data)?)?,
        ["fit", config, data, algorithm, threads, rounds, answers] => {
            let question = Question {
                algorithm: serde_json::from_value(Value::from(*algorithm))?,
                threads: threads.parse()?,
                rounds: rounds.parse()?,
                answers: Path::new(answers),
            };
            fit(&Bench::open(config, data)?, &question)?
        }
        _ => return Err(USAGE.into()),
    };
    println!("{told}");
    Ok(())
}

impl Bench {
    fn open(config: &str, data: &str) -> Result<Self, Box<dyn Error>> {
        let stages = config::load(Path::new(config))?.stages;
        let settings = stages.into_iter().find_map(|stage| match stage.action {
            Action::Train(settings) => Some(settings),
            _ => None,
        });
        let settings = settings.ok_or("the configuration has no stage that uses = \"train\"")?;
        let data = model::read(&[PathBuf::from(data)])?;
        let target = model::resolve(&data, &settings.target, settings.task)?;
        let parts = model::split(&data, &settings)?;
        Ok(Self { data, settings, target, parts })
    }

    /// Everything but the target is learned from; learners leave out by themselves what says nothing.
    fn problem(&self) -> Problem<'_> {
        let labels = match &self.target {
            Target::Classes { labels, codes, .. } => Labels::Classes { codes: codes.clone(), count: labels.len() },
            Target::Numbers(numbers) => Labels::Numbers(numbers.clone()),
        };
        Problem {
            columns: self.data.columns.iter().filter(|column| column.name != self.settings.target).collect(),
            labels,
        }
    }

    /// What a held-out row is.
    fn truth(&self, row: usize) -> String {
        match &self.target {
            Target::Classes { labels, codes, .. } => {
                codes.get(row).and_then(|code| labels.get(*code)).cloned().unwrap_or_default()
            }
            Target::Numbers(numbers) => numbers.get(row).map(f64::to_string).unwrap_or_default(),
        }
    }

    /// What a learner takes it for.
    fn answer(&self, output: &Output) -> String {
        match (&self.target, output) {
            (Target::Classes { labels, .. }, Output::Probabilities(probabilities)) => {
                // Of equals the first class, and `max_by` keeps the last.
                let best = probabilities.iter().enumerate().rev().max_by(|(_, one), (_, other)| one.total_cmp(other));
                best.and_then(|(code, _)| labels.get(code)).cloned().unwrap_or_default()
            }
            (_, Output::Value(value)) => value.to_string(),
            (Target::Numbers(_), Output::Probabilities(_)) => String::new(),
        }
    }
}

fn split(bench: &Bench) -> Value {
    json!({ "rows": bench.data.rows(), "held_out": bench.parts.held_out })
}

fn fit(bench: &Bench, question: &Question<'_>) -> Result<Value, Box<dyn Error>> {
    let problem = bench.problem();
    let rows = bench.parts.train.as_slice();
    let learner = Learner::usual(question.algorithm, bench.target.task(), rows.len(), problem.columns.len());
    let (mut learning, mut predicting) = (Duration::MAX, Duration::MAX);
    let mut outputs = Vec::new();
    let begun = Instant::now();
    for round in 0..question.rounds.max(1) {
        if round > 0 && begun.elapsed() > ENOUGH {
            break;
        }
        let before = Instant::now();
        let fitted = model::fit(&problem, rows, &learner, bench.settings.seed, question.threads, &|| false)?;
        learning = learning.min(before.elapsed());
        let before = Instant::now();
        outputs = fitted.outputs(&problem.columns, &bench.parts.held_out, question.threads);
        predicting = predicting.min(before.elapsed());
    }
    let mut file = BufWriter::new(File::create(question.answers)?);
    for (row, output) in bench.parts.held_out.iter().zip(&outputs) {
        writeln!(file, "{}\t{}", bench.truth(*row), bench.answer(output))?;
    }
    file.flush()?;
    Ok(json!({
        "learner": learner,
        "fit_seconds": learning.as_secs_f64(),
        "predict_seconds": predicting.as_secs_f64(),
        "peak_kilobytes": peak_kilobytes()?,
    }))
}

fn search(bench: &Bench) -> Result<Value, Box<dyn Error>> {
    let begun = Instant::now();
    let model = model::train(&bench.data, &bench.settings, &mut |_| {})?;
    let seconds = begun.elapsed().as_secs_f64();
    let card = serde_json::to_value(model.card())?;
    Ok(json!({
        "learner": card["learner"],
        "metrics": card["metrics"],
        "trials": card["search"]["trials"].as_array().map_or(0, Vec::len),
        "seconds": seconds,
        "peak_kilobytes": peak_kilobytes()?,
    }))
}

/// The most memory that this process has had, as the kernel counts it.
fn peak_kilobytes() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|rest| rest.split_whitespace().next()).ok_or("the kernel does not say VmHWM")?;
    Ok(peak.parse()?)
}
