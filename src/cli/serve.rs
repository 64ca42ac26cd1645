//! `trainyard serve`: the model server as a process of its own, which is what an image runs.

use std::env;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::model::{EnvelopeError, SavedModel, serve};

/// The variable by which an image says where its server listens.
const LISTEN: &str = "TRAINYARD_LISTEN";
const USUAL_PORT: u16 = 8080;
/// The variable by which a cluster says how long to linger.
const LINGER: &str = "TRAINYARD_LINGER";

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
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The model cannot be loaded.
    #[error(transparent)]
    Model(#[from] EnvelopeError),
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
    let model = SavedModel::load(&arguments.model)?;
    if let Some(site) = arguments.site.as_ref().filter(|site| !site.is_dir()) {
        return Err(ServeError::Site(site.clone()));
    }
    let address = address(arguments.listen, env::var(LISTEN).ok(), env::var("PORT").ok())?;
    let linger = linger(arguments.linger, env::var(LINGER).ok())?;
    // Two threads: predictions are short, and an app on a small machine should not take one a core.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        // Before anybody can know the address, so that no signal is missed.
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let listener = TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
        say(&format!("serving model {} on http://{}", model.digest().short(), listener.local_addr()?));
        serve(listener, model, arguments.site.clone(), first(terminate, interrupt, linger)).await?;
        say("stopped");
        Ok(())
    })
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
    use super::{address, linger};

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
