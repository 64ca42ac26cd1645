//! The checks of the machine: port, terminal, shared libraries.

use std::env;
use std::io::{self, IsTerminal};
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use rustix::termios::tcgetwinsize;

use super::{Check, Word};
use crate::config::Settings;
use crate::pipeline::StageKind;
use crate::stage::image::shared_libraries;

/// The smallest screen that everything fits on: columns and rows.
const SMALLEST: (u16, u16) = (80, 24);

/// `host` is the address that this project's own host serves, if it runs.
pub(super) fn port(settings: Option<&Settings>, host: Option<&str>) -> Check {
    let Some(settings) = settings else {
        return Check::warning("port", "it is unknown without a valid configuration", "mend the configuration first");
    };
    let Some(port) = settings.deploy().map(|deploy| deploy.port) else {
        return Check::ok("port", "no stage deploys, so none is needed");
    };
    if host.is_some_and(|address| address.ends_with(&format!(":{port}"))) {
        return Check::ok("port", format!("{port} is served by this project"));
    }
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Check::ok("port", format!("{port} on 127.0.0.1 is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Check::missing(
            "port",
            format!("{port} on 127.0.0.1 is taken by another program"),
            format!(
                "set another `port` in the deploy stage, or stop what listens there (`ss -ltnp 'sport = :{port}'`)"
            ),
        ),
        Err(error) => Check::missing(
            "port",
            format!("{port} on 127.0.0.1 cannot be used: {error}"),
            "set another `port` in the deploy stage",
        ),
    }
}

pub(super) fn terminal() -> Check {
    let screen = io::stdout();
    let size = screen.is_terminal().then(|| tcgetwinsize(&screen).ok()).flatten();
    terminal_of(&|name| env::var(name).ok(), size.map(|size| (size.ws_col, size.ws_row)))
}

/// `size` is columns and rows, where the output is a terminal.
fn terminal_of(variable: &dyn Fn(&str) -> Option<String>, size: Option<(u16, u16)>) -> Check {
    let is_set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let kind = is_set("TERM").unwrap_or_else(|| "TERM is not set".to_owned());
    let locale = is_set("LC_ALL").or_else(|| is_set("LC_CTYPE")).or_else(|| is_set("LANG")).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    let is_utf8 = locale.contains("utf-8") || locale.contains("utf8");
    let has_colours = matches!(is_set("COLORTERM").as_deref(), Some("truecolor" | "24bit"));
    let sentence = format!(
        "{kind}, {}, {}, {}",
        if has_colours { "16 million colours" } else { "the terminal's own colours" },
        if is_utf8 { "UTF-8" } else { "no UTF-8" },
        size.map_or_else(|| "output is no terminal".to_owned(), |(columns, rows)| format!("{columns}x{rows}")),
    );
    let mut mends = Vec::new();
    if is_set("TERM").is_none_or(|kind| kind == "dumb") {
        mends.push("set TERM to what the terminal is, such as xterm-256color");
    }
    if !is_utf8 {
        mends.push("set LANG to a UTF-8 locale such as C.UTF-8, or signs are drawn in ASCII");
    }
    if size.is_some_and(|(columns, rows)| columns < SMALLEST.0 || rows < SMALLEST.1) {
        mends.push("make the window at least 80x24");
    }
    if mends.is_empty() {
        Check::ok("terminal", sentence)
    } else {
        Check::warning("terminal", sentence, mends.join(", "))
    }
}

/// What an image needs beside this program, which is the server in it.
pub(super) fn libraries(settings: Option<&Settings>) -> Check {
    let is_needed =
        settings.is_some_and(|settings| settings.stages.iter().any(|stage| stage.kind() == StageKind::Image));
    let word = if is_needed { Word::Missing } else { Word::Warning };
    let found = env::current_exe()
        .map_err(|error| format!("this program does not know its own file: {error}"))
        .and_then(|program| shared_libraries(&program).map_err(|error| error.to_string()));
    libraries_found(found, word)
}

fn libraries_found(found: Result<Vec<PathBuf>, String>, word: Word) -> Check {
    match found {
        Ok(libraries) if libraries.is_empty() => {
            Check::ok("libraries", "this program is static, an image needs no others")
        }
        Ok(libraries) => {
            Check::ok("libraries", format!("an image gets {} shared libraries with this program", libraries.len()))
        }
        Err(error) => Check::of_error("libraries", word, &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;

    fn deploying(port: u16) -> Settings {
        let text = format!(
            "[stages.train]\nuses = \"train\"\ntarget = \"quality\"\n[stages.build]\nuses = \"image\"\nneeds = [\"train\"]\n\
             [stages.deploy]\nuses = \"deploy\"\nneeds = [\"build\"]\nport = {port}\n"
        );
        parse(&text, "trainyard.toml").unwrap()
    }

    #[test]
    fn a_port_is_free_taken_or_ours() {
        let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let number = other.local_addr().unwrap().port();
        let settings = deploying(number);
        assert_eq!(port(Some(&settings), None).word, Word::Missing);
        assert_eq!(port(Some(&settings), Some(&format!("http://127.0.0.1:{number}"))).word, Word::Ok);
        drop(other);
        assert_eq!(port(Some(&settings), None).word, Word::Ok);
    }

    #[test]
    fn a_terminal_is_judged_by_its_variables_and_size() {
        let good = |name: &str| match name {
            "TERM" => Some("xterm-256color".to_owned()),
            "COLORTERM" => Some("truecolor".to_owned()),
            "LANG" => Some("ko_KR.UTF-8".to_owned()),
            _ => None,
        };
        let sentence = "xterm-256color, 16 million colours, UTF-8, 120x34";
        assert_eq!(terminal_of(&good, Some((120, 34))), Check::ok("terminal", sentence));
        assert_eq!(terminal_of(&good, Some((79, 34))).mend.as_deref(), Some("make the window at least 80x24"));
        let poor = terminal_of(&|_| None, None);
        assert_eq!(poor.word, Word::Warning);
        assert!(poor.sentence.starts_with("TERM is not set, "), "{poor:?}");
    }

    #[test]
    fn libraries_that_cannot_be_told_matter_only_to_an_image() {
        let error = || Err("it needs libnope.so.1; install it".to_owned());
        assert_eq!(libraries_found(error(), Word::Warning).word, Word::Warning);
        let needed = libraries_found(error(), Word::Missing);
        assert_eq!((needed.word, needed.mend.as_deref()), (Word::Missing, Some("install it")));
        assert_eq!(libraries_found(Ok(Vec::new()), Word::Missing).word, Word::Ok);
    }
}
