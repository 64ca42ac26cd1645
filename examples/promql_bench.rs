//! How long range queries take over a day of one sample a second, and how many bytes a sample takes.
//!
//! `cargo run --release --example promql_bench` asks a store in memory and one in a temporary folder. `-- --plain` says
//! the same in tabs, for `benches/queries.sh`, which puts Prometheus beside it: `-- --openmetrics FILE` writes the very
//! same samples for `promtool tsdb create-blocks-from openmetrics` and ends.
//!
//! What is timed is the library, from the parsed expression to the points; no socket, no JSON. An expression is asked
//! once without counting, then 10 times; the median counts.

use std::env;
use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use trainyard::monitor::promql::{self, Query};
use trainyard::monitor::{Labels, METRIC_NAME, SeriesId, SeriesStore, StoreLimits};
use trainyard::pipeline::Moment;

/// One second before the first sample, at a full hour.
const START: i64 = 1_767_225_600_000;
const SECONDS: i64 = 86_400;
/// A day in 200 columns.
const COLUMNS: i64 = 200;
const STEP_MS: i64 = SECONDS * 1_000 / COLUMNS;
const ROUNDS: usize = 10;
/// Seconds of samples from commit to commit.
const COMMIT_EVERY: i64 = 60;
/// Nothing is dropped, so that all samples are asked.
const LIMITS: StoreLimits =
    StoreLimits { retention: Duration::from_hours(25), bytes_on_disk: 2 << 30, max_series: 50_000 };

/// The first asks for nothing stored: what the way itself takes.
const EXPRESSIONS: [&str; 6] = [
    "vector(1)",
    "x",
    "rate(x[1m])",
    "sum by (a) (rate(x[5m]))",
    "max_over_time(x[10m])",
    "histogram_quantile(0.95, sum by (le) (rate(b_bucket[1m])))",
];
const BOUNDS: [&str; 12] = ["0.005", "0.01", "0.025", "0.05", "0.075", "0.1", "0.25", "0.5", "1", "2.5", "5", "+Inf"];

/// A series with a value for each second.
struct Series {
    labels: Labels,
    values: Vec<f64>,
}

/// What one expression took.
struct Answer {
    expression: &'static str,
    in_memory: Duration,
    in_folder: Duration,
    points: usize,
}

/// Bytes a sample.
struct Sizes {
    memory: f64,
    folder: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        [] => measure(print_table),
        ["--plain"] => measure(print_plain),
        ["--openmetrics", file] => write(Path::new(file), &all_series()),
        _ => Err("usage: promql_bench [--plain | --openmetrics FILE]".into()),
    }
}

fn measure(print: fn(&[Answer], &Sizes)) -> Result<(), Box<dyn Error>> {
    let series = all_series();
    let mut in_memory = SeriesStore::in_memory(LIMITS);
    fill(&mut in_memory, &series)?;
    let folder = tempfile::tempdir()?;
    let mut in_folder = SeriesStore::open(folder.path(), LIMITS, Moment(START))?;
    fill(&mut in_folder, &series)?;
    let mut answers = Vec::new();
    for expression in EXPRESSIONS {
        let query = promql::parse(expression)?;
        let (fast, points) = ask(&query, &in_memory)?;
        let (slow, same) = ask(&query, &in_folder)?;
        if points != same {
            return Err(format!("{expression} gives {points} points from memory and {same} from the folder").into());
        }
        answers.push(Answer { expression, in_memory: fast, in_folder: slow, points });
    }
    let samples = f64::from(u32::try_from(in_memory.statistics().samples)?);
    let memory = f64::from(u32::try_from(in_memory.statistics().bytes_in_memory)?) / samples;
    let on_disk = f64::from(u32::try_from(in_folder.statistics().bytes_on_disk)?) / samples;
    print(&answers, &Sizes { memory, folder: on_disk });
    Ok(())
}

/// The median of the rounds, and how many points there were.
fn ask(query: &Query, store: &SeriesStore) -> Result<(Duration, usize), Box<dyn Error>> {
    let (start, end) = (Moment(START + STEP_MS), Moment(START + SECONDS * 1_000));
    let step = STEP_MS.unsigned_abs();
    let mut times = Vec::new();
    let mut points = 0;
    for round in 0..=ROUNDS {
        let begun = Instant::now();
        let answer = query.range(store, start, end, step)?;
        if round > 0 {
            times.push(begun.elapsed());
        }
        points = answer.iter().map(|series| series.points.len()).sum();
    }
    if points == 0 {
        return Err(format!("{} gives nothing", query.text()).into());
    }
    times.sort_unstable();
    let at = |index: usize| times.get(index).copied().unwrap_or_default();
    Ok(((at((ROUNDS - 1) / 2) + at(ROUNDS / 2)) / 2, points))
}

fn print_table(answers: &[Answer], sizes: &Sizes) {
    println!("a day of one sample a second, {COLUMNS} columns, median of {ROUNDS}");
    println!("{:<60} {:>12} {:>12} {:>8}", "", "in memory", "in a folder", "points");
    for Answer { expression, in_memory, in_folder, points } in answers {
        let (fast, slow) = (in_memory.as_secs_f64() * 1e3, in_folder.as_secs_f64() * 1e3);
        println!("{expression:<60} {fast:>9.2} ms {slow:>9.2} ms {points:>8}");
    }
    println!("{:<60} {:>10.2} B {:>10.2} B", "a sample", sizes.memory, sizes.folder);
}

/// Range in seconds; bytes a sample; then a line an expression, in nanoseconds.
fn print_plain(answers: &[Answer], sizes: &Sizes) {
    println!("range\t{}\t{}\t{}", (START + STEP_MS) / 1_000, START / 1_000 + SECONDS, STEP_MS / 1_000);
    println!("bytes\t{:.3}\t{:.3}", sizes.memory, sizes.folder);
    for Answer { expression, in_memory, in_folder, points } in answers {
        println!("query\t{expression}\t{}\t{}\t{points}", in_memory.as_nanos(), in_folder.as_nanos());
    }
}

fn fill(store: &mut SeriesStore, all: &[Series]) -> Result<(), Box<dyn Error>> {
    let id = |series: &Series| store.resolve(&series.labels, false).ok_or("a series found no room");
    let ids: Vec<SeriesId> = all.iter().map(id).collect::<Result<_, _>>()?;
    let mut values: Vec<_> = all.iter().map(|series| series.values.iter()).collect();
    let mut expected = 0;
    for second in 1..=SECONDS {
        let at = START + second * 1_000;
        for (id, values) in ids.iter().zip(&mut values) {
            if let Some(value) = values.next() {
                store.append(*id, at, *value)?;
                expected += 1;
            }
        }
        if second % COMMIT_EVERY == 0 {
            store.commit(Moment(at))?;
        }
    }
    store.settle(Moment(START + SECONDS * 1_000));
    let found = store.statistics().samples;
    if found == expected { Ok(()) } else { Err(format!("the store holds {found} samples of {expected}").into()) }
}

/// One line a sample, series by series.
fn write(path: &Path, all: &[Series]) -> Result<(), Box<dyn Error>> {
    let mut file = BufWriter::new(File::create(path)?);
    for Series { labels, values } in all {
        let name = labels.to_string();
        for (second, value) in (1_i64..).zip(values) {
            writeln!(file, "{name} {value} {}", START / 1_000 + second)?;
        }
    }
    writeln!(file, "# EOF")?;
    file.flush()?;
    Ok(())
}

/// Ten counters that advance irregularly, and a histogram.
fn all_series() -> Vec<Series> {
    let mut dice = Dice(42);
    let mut all: Vec<Series> = (0..10_u32).map(|number| counter(number, &mut dice)).collect();
    let mut own = [0.0; BOUNDS.len()];
    let mut buckets = vec![Vec::new(); BOUNDS.len()];
    for _ in 0..SECONDS {
        let mut up_to_here = 0.0;
        for (own, bucket) in own.iter_mut().zip(&mut buckets) {
            *own += f64::from(dice.below(4));
            up_to_here += *own;
            bucket.push(up_to_here);
        }
    }
    for (bound, values) in BOUNDS.into_iter().zip(buckets) {
        all.push(Series { labels: Labels::new([(METRIC_NAME, "b_bucket"), ("le", bound)]), values });
    }
    all
}

fn counter(number: u32, dice: &mut Dice) -> Series {
    let (group, own) = ((number % 4).to_string(), number.to_string());
    let pace = (number + 1) * 7;
    let mut value = 0.0;
    let advance = |_| {
        value += f64::from(dice.below(pace));
        value
    };
    Series {
        labels: Labels::new([(METRIC_NAME, "x"), ("a", group.as_str()), ("b", own.as_str())]),
        values: (0..SECONDS).map(advance).collect(),
    }
}

/// The same throws in every run.
struct Dice(u64);

impl Dice {
    /// A number below `limit`, which is not zero.
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The upper half: the lower bits of such a generator repeat soon.
        u32::try_from(self.0 >> 32).unwrap_or(0) % limit
    }
}
