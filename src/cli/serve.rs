//! `trainyard serve`: the model server as a process of its own, which is what an image runs.

use std::env;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::model::{
    FeedbackError, FeedbackFile, FeedbackLimits, Limits, LoadError, ServeOptions, ServedModel, ShadowModel,
    WindowSettings, serve,
};

/// The variable by which an image says where its server listens.
const LISTEN: &str = "TRAINYARD_LISTEN";
const USUAL_PORT: u16 = 8080;
/// The variable by which a cluster says how long to linger.
const LINGER: &str = "TRAINYARD_LINGER";
/// The variables for what an image's command line does not say.
const MAX_BODY: &str = "TRAINYARD_MAX_BODY";
const SHADOW: &str = "TRAINYARD_SHADOW_MODEL";
const FEEDBACK: &str = "TRAINYARD_FEEDBACK";
const FEEDBACK_ROWS: &str = "TRAINYARD_FEEDBACK_ROWS";
const FEEDBACK_BYTES: &str = "TRAINYARD_FEEDBACK_BYTES";
const DRIFT_WINDOW: &str = "TRAINYARD_DRIFT_WINDOW";
const DRIFT_MINIMUM: &str = "TRAINYARD_DRIFT_MINIMUM";
/// A longer window would take memory and hide a change for hours.
const LONGEST_WINDOW: u64 = 100_000;
/// More of labelled records, in rows or bytes, than any training takes.
const MOST_FEEDBACK: u64 = 1 << 40;
/// A body is held in memory whole.
const LARGEST_BODY: u64 = 64 * 1024 * 1024;

/// `trainyard serve --model DIR [--site DIR] [--listen ADDRESS]`
#[derive(Debug, Clone, clap::Args)]
pub struct ServeArguments {
    /// The folder of the model, as training wrote it
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// A folder of static files to show under /
    #[arg(long, value_name = "DIR")]
    pub site: Option<PathBuf>,
    /// The address to listen on; without it, the one in `TRAINYARD_LISTEN`, or 127.0.0.1 and the port in PORT, or 8080
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Seconds to go on taking requests after TERM, while a cluster takes the pod out of its service; without it, what
    /// `TRAINYARD_LINGER` says, or none
    #[arg(long, value_name = "SECONDS")]
    pub linger: Option<u64>,
    /// The most bytes of a request's body; without it, what `TRAINYARD_MAX_BODY` says, or 8388608 (8 MiB)
    #[arg(long, value_name = "BYTES")]
    pub max_body: Option<u64>,
    /// The folder of a second model that predicts the same records and is only compared; without it, the one in
    /// `TRAINYARD_SHADOW_MODEL`, or none
    #[arg(long, value_name = "DIR")]
    pub shadow: Option<PathBuf>,
    /// The CSV file for labelled records from POST /feedback; without it, the one in `TRAINYARD_FEEDBACK`, or none are taken
    #[arg(long, value_name = "FILE")]
    pub feedback: Option<PathBuf>,
    /// The most rows of that file, the oldest of which make room; without it, what `TRAINYARD_FEEDBACK_ROWS` says, or
    /// 1000000
    #[arg(long, value_name = "ROWS")]
    pub feedback_rows: Option<u64>,
    /// The most bytes of that file; without it, what `TRAINYARD_FEEDBACK_BYTES` says, or 268435456 (256 MiB)
    #[arg(long, value_name = "BYTES")]
    pub feedback_bytes: Option<u64>,
    /// How many of the last records the drift looks at; without it, what `TRAINYARD_DRIFT_WINDOW` says, or 1000
    #[arg(long, value_name = "RECORDS")]
    pub drift_window: Option<u64>,
    /// Before so many records there is no drift; without it, what `TRAINYARD_DRIFT_MINIMUM` says, or 100
    #[arg(long, value_name = "RECORDS")]
    pub drift_minimum: Option<u64>,
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The model cannot be loaded.
    #[error(transparent)]
    Model(#[from] LoadError),
    /// There is no site.
    #[error("the site {0} is not a folder; give a folder of static files, or leave --site out")]
    Site(PathBuf),
    /// `PORT` is no port.
    #[error("PORT is \"{0}\", which is not a port number between 0 and 65535")]
    Port(String),
    /// The image's own setting is no address.
    #[error("TRAINYARD_LISTEN is \"{0}\", which is not an address such as 0.0.0.0:8080")]
    Address(String),
    /// `TRAINYARD_LINGER` is no number.
    #[error("TRAINYARD_LINGER is \"{0}\", which is not a number of seconds")]
    Linger(String),
    /// An option or variable is no number, or none that can be used.
    #[error("{name} is \"{value}\", which is not a whole number between 1 and {most}")]
    Number {
        /// The option or the variable.
        name: &'static str,
        /// What it holds.
        value: String,
        /// The most it may be.
        most: u64,
    },
    /// More records would be needed than the window has.
    #[error(
        "the drift needs {minimum} records, and its window holds {records}; make the window larger or the minimum smaller"
    )]
    Window {
        /// Records that are needed.
        minimum: usize,
        /// Records in the window.
        records: usize,
    },
    /// Labelled records cannot be kept.
    #[error(transparent)]
    Feedback(#[from] FeedbackError),
    /// The address is taken or not ours.
    #[error(
        "cannot listen on {address}: {source}; is another server running there? choose another port with --listen or PORT"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// Threads, signals or the network failed.
    #[error("the server cannot run: {0}")]
    Run(#[from] io::Error),
}

/// Serves until TERM or INT, then drains.
pub fn run(arguments: &ServeArguments) -> Result<(), ServeError> {
    let started = Instant::now();
    let model = ServedModel::load(&arguments.model)?;
    let took = started.elapsed();
    let options = options(arguments, &model)?;
    let address = address(arguments.listen, env::var(LISTEN).ok(), env::var("PORT").ok())?;
    let linger = linger(arguments.linger, env::var(LINGER).ok())?;
    // Two threads: predictions are short, and an app on a small machine should not take one a core.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        // Before anybody can know the address, so that no signal is missed.
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let listener = TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
        say(&format!("serving model {} on http://{}", model.digest().short(), listener.local_addr()?));
        if matches!(model, ServedModel::Onnx(_)) {
            say(&format!("the graph was loaded in {} ms", took.as_millis()));
        }
        serve(listener, model, options, first(terminate, interrupt, linger)).await?;
        say("stopped");
        Ok(())
    })
}

fn options(arguments: &ServeArguments, model: &ServedModel) -> Result<ServeOptions, ServeError> {
    if let Some(site) = arguments.site.as_ref().filter(|site| !site.is_dir()) {
        return Err(ServeError::Site(site.clone()));
    }
    let usual = WindowSettings::default();
    let window = WindowSettings {
        records: number(arguments.drift_window, ("--drift-window", DRIFT_WINDOW), LONGEST_WINDOW)?
            .unwrap_or(usual.records),
        minimum: number(arguments.drift_minimum, ("--drift-minimum", DRIFT_MINIMUM), LONGEST_WINDOW)?
            .unwrap_or(usual.minimum),
    };
    if window.minimum > window.records {
        return Err(ServeError::Window { minimum: window.minimum, records: window.records });
    }
    let usual = Limits::default();
    let body_bytes = number(arguments.max_body, ("--max-body", MAX_BODY), LARGEST_BODY)?.unwrap_or(usual.body_bytes);
    let feedback = path(arguments.feedback.as_ref(), FEEDBACK);
    let kept = feedback_limits(arguments)?;
    let feedback = feedback.map(|file| FeedbackFile::open(&file, model)).transpose()?.map(|file| file.within(kept));
    Ok(ServeOptions {
        site: arguments.site.clone(),
        shadow: path(arguments.shadow.as_ref(), SHADOW).and_then(|folder| shadow(model, &folder)),
        feedback,
        limits: Limits { body_bytes, ..usual },
        window,
    })
}

fn feedback_limits(arguments: &ServeArguments) -> Result<FeedbackLimits, ServeError> {
    let usual = FeedbackLimits::default();
    let rows = number(arguments.feedback_rows, ("--feedback-rows", FEEDBACK_ROWS), MOST_FEEDBACK)?;
    let bytes = number(arguments.feedback_bytes, ("--feedback-bytes", FEEDBACK_BYTES), MOST_FEEDBACK)?;
    Ok(FeedbackLimits {
        rows: rows.map_or(usual.rows, |rows| rows as u64),
        bytes: bytes.map_or(usual.bytes, |bytes| bytes as u64),
    })
}

/// A shadow that cannot be had is told of, and is no reason to serve nothing.
fn shadow(model: &ServedModel, folder: &Path) -> Option<ShadowModel> {
    let beside = match ServedModel::load(folder) {
        Ok(shadow) => ShadowModel::beside(model, shadow).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match beside {
        Ok(shadow) => {
            say(&format!("the model in {} predicts in the shadow", folder.display()));
            Some(shadow)
        }
        Err(error) => {
            say(&format!("no model predicts in the shadow: {error}"));
            None
        }
    }
}

/// The option goes before the variable; an empty variable says nothing.
fn path(option: Option<&PathBuf>, variable: &str) -> Option<PathBuf> {
    option.cloned().or_else(|| env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from))
}

/// The number of an option or, without it, of a variable; both by their names.
fn number(
    given: Option<u64>,
    (option, variable): (&'static str, &'static str),
    most: u64,
) -> Result<Option<usize>, ServeError> {
    let (name, text) = match given {
        Some(number) => (option, number.to_string()),
        None => (variable, env::var(variable).unwrap_or_default()),
    };
    if text.is_empty() {
        return Ok(None);
    }
    let found = text.parse::<u64>().ok().filter(|number| (1..=most).contains(number));
    match found.and_then(|number| usize::try_from(number).ok()) {
        Some(number) => Ok(Some(number)),
        None => Err(ServeError::Number { name, value: text, most }),
    }
}

/// A closed standard output is no reason to stop serving.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Until a signal, and after TERM as long as is to be lingered: those who route requests here hear of the end at the same
/// moment as this server, and act on it a little later.
async fn first(mut terminate: Signal, mut interrupt: Signal, linger: Duration) {
    tokio::select! {
        _ = terminate.recv() => tokio::time::sleep(linger).await,
        _ = interrupt.recv() => {}
    }
}

fn linger(option: Option<u64>, variable: Option<String>) -> Result<Duration, ServeError> {
    match (option, variable) {
        (Some(seconds), _) => Ok(Duration::from_secs(seconds)),
        (None, Some(text)) if !text.is_empty() => match text.parse() {
            Ok(seconds) => Ok(Duration::from_secs(seconds)),
            Err(_) => Err(ServeError::Linger(text)),
        },
        (None, _) => Ok(Duration::ZERO),
    }
}

/// The option goes before the image's own setting, and that before `PORT`.
fn address(listen: Option<SocketAddr>, image: Option<String>, port: Option<String>) -> Result<SocketAddr, ServeError> {
    match (listen, image, port) {
        (Some(address), _, _) => Ok(address),
        (None, Some(address), _) => address.parse().map_err(|_| ServeError::Address(address)),
        (None, None, Some(port)) => match port.parse::<u16>() {
            Ok(port) => Ok(SocketAddr::from(([127, 0, 0, 1], port))),
            Err(_) => Err(ServeError::Port(port)),
        },
        (None, None, None) => Ok(SocketAddr::from(([127, 0, 0, 1], USUAL_PORT))),
    }
}

#[cfg(test)]
mod tests {
    use super::{ServeError, address, linger, number};

    #[test]
    fn a_number_beyond_its_limits_is_refused_by_the_name_of_where_it_was_given() {
        let names = ("--this", "TRAINYARD_NOBODY_SETS_THIS");
        assert_eq!(number(Some(10), names, 10).unwrap(), Some(10));
        assert_eq!(number(None, names, 10).unwrap(), None);
        for wrong in [0, 11] {
            let refused = number(Some(wrong), names, 10);
            assert!(matches!(refused, Err(ServeError::Number { name: "--this", most: 10, .. })));
        }
    }

    #[test]
    fn only_a_number_of_seconds_is_lingered() {
        assert_eq!(linger(None, Some("3".to_owned())).unwrap().as_secs(), 3);
        assert_eq!(linger(Some(1), Some("3".to_owned())).unwrap().as_secs(), 1);
        assert!(linger(None, None).unwrap().is_zero());
        assert!(linger(None, Some("soon".to_owned())).is_err());
    }

    #[test]
    fn the_option_goes_before_the_environment_and_that_before_8080() {
        let given = "0.0.0.0:9000".parse().unwrap();
        assert_eq!(address(Some(given), Some("[::]:8080".to_owned()), Some("1".to_owned())).unwrap(), given);
        assert_eq!(address(None, None, Some("9001".to_owned())).unwrap().to_string(), "127.0.0.1:9001");
        assert_eq!(address(None, None, None).unwrap().to_string(), "127.0.0.1:8080");
        let in_image = address(None, Some("0.0.0.0:8080".to_owned()), Some("1".to_owned()));
        assert_eq!(in_image.unwrap().to_string(), "0.0.0.0:8080");
        assert!(address(None, Some("here".to_owned()), None).is_err());
        assert!(address(None, None, Some("http".to_owned())).is_err());
    }
}
