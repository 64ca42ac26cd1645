//! The bell, and a notification of the desktop through the terminal: for who looks elsewhere while the screen is open.
//!
//! What deserves it is the rule by which webhooks are told too; here it is only put into bytes. They pass the terminal guard
//! between two frames. A terminal gets only what it is known to understand, for others would show the sequence as text.

use std::time::{Duration, Instant};

use crate::api::types::StreamItem;
use crate::pipeline::{Notice, NoticeKind, State, notice_of};
use crate::tui::message::Msg;
use crate::tui::widgets::text::sanitize;

/// The shortest time between two calls for attention: a flood of failures is one alarm.
const PAUSE: Duration = Duration::from_secs(5);
/// The most characters of a notification.
const LONGEST: usize = 200;
const ESCAPE: char = '\u{1b}';
const BELL: char = '\u{7}';

/// How a terminal tells its desktop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Desktop {
    /// It does not.
    None,
    /// `OSC 9`: one text.
    Text,
    /// `OSC 777`: a title and a text.
    Titled,
    /// `OSC 99` of kitty.
    Kitty,
}

/// What the terminal can do to be noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terminal {
    /// Whether the operator wants to be called at all.
    is_wanted: bool,
    desktop: Desktop,
    /// Whether tmux stands between it and us, which passes on only what is wrapped.
    is_in_tmux: bool,
}

impl Terminal {
    /// As the environment tells.
    pub(super) fn of(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let value = |name: &str| variable(name).unwrap_or_default();
        let has = |name: &str| !value(name).is_empty();
        let (term, program) = (value("TERM"), value("TERM_PROGRAM"));
        let knows_titles = ["ghostty", "WezTerm"].contains(&program.as_str())
            || ["foot", "rxvt", "xterm-ghostty"].iter().any(|begin| term.starts_with(begin))
            || has("WEZTERM_PANE");
        let desktop = if has("STY") {
            // GNU screen passes nothing on.
            Desktop::None
        } else if has("KITTY_WINDOW_ID") || term == "xterm-kitty" {
            Desktop::Kitty
        } else if knows_titles {
            Desktop::Titled
        } else if program == "iTerm.app" || value("LC_TERMINAL") == "iTerm2" {
            Desktop::Text
        } else {
            Desktop::None
        };
        Self { is_wanted: value("TRAINYARD_BELL") != "off", desktop, is_in_tmux: has("TMUX") }
    }
}

/// What calls for attention on what the daemon says.
#[derive(Debug)]
pub(super) struct Attention {
    terminal: Terminal,
    last: Option<Instant>,
}

impl Attention {
    /// For that terminal.
    pub(super) fn new(terminal: Terminal) -> Self {
        Self { terminal, last: None }
    }

    /// The bytes for a message that is about to change `state`. Only what comes by stream counts: what is told of the past is
    /// no news.
    pub(super) fn heard(&mut self, state: &State, message: &Msg, now: Instant) -> Vec<u8> {
        let Msg::Stream(item) = message else { return Vec::new() };
        let StreamItem::Event(recorded) = item.as_ref() else { return Vec::new() };
        if recorded.sequence <= state.sequence {
            // It was in the snapshot already.
            return Vec::new();
        }
        let bytes = notice_of(state, recorded).map(|notice| attention(&notice, self.terminal)).unwrap_or_default();
        let is_too_soon = self.last.is_some_and(|last| now.duration_since(last) < PAUSE);
        if bytes.is_empty() || is_too_soon {
            return Vec::new();
        }
        self.last = Some(now);
        bytes
    }
}

/// The bytes by which a terminal calls for attention; none where the notice is not worth it or nobody wants it.
pub(super) fn attention(notice: &Notice, terminal: Terminal) -> Vec<u8> {
    let is_worth_it = match notice.kind {
        NoticeKind::Failure | NoticeKind::Alert | NoticeKind::Approval => true,
        NoticeKind::Recovery | NoticeKind::Resolved | NoticeKind::Lock | NoticeKind::Deploy => false,
    };
    if !terminal.is_wanted || !is_worth_it {
        return Vec::new();
    }
    let title = fit(&format!("trainyard: {}", notice.title), LONGEST / 2);
    let text = fit(&notice.text, LONGEST.saturating_sub(title.chars().count()));
    let sequence = match terminal.desktop {
        Desktop::None => String::new(),
        Desktop::Text => format!("{ESCAPE}]9;{title}: {text}{BELL}"),
        // The first semicolon ends the title.
        Desktop::Titled => format!("{ESCAPE}]777;notify;{};{text}{BELL}", title.replace(';', ",")),
        Desktop::Kitty => {
            let end = format!("{ESCAPE}\\");
            format!("{ESCAPE}]99;i=trainyard:d=0;{title}{end}{ESCAPE}]99;i=trainyard:d=1:p=body;{text}{end}")
        }
    };
    let wrapped = if terminal.is_in_tmux && !sequence.is_empty() {
        format!("{ESCAPE}Ptmux;{}{ESCAPE}\\", sequence.replace(ESCAPE, "\u{1b}\u{1b}"))
    } else {
        sequence
    };
    format!("{BELL}{wrapped}").into_bytes()
}

/// A text in one line, without anything that would end the sequence.
fn fit(text: &str, length: usize) -> String {
    let clean = sanitize(text);
    let mut short: String = clean.chars().filter(|letter| !letter.is_control()).take(length).collect();
    if clean.chars().count() > length {
        short.pop();
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Event, Moment, Recorded, RunId, RunResult};

    fn notice(kind: NoticeKind, title: &str, text: &str) -> Notice {
        let (title, text, at) = (title.to_owned(), text.to_owned(), Moment(0));
        Notice { kind, title, text, run: None, stage: None, release: None, alert: None, at, sequence: 1 }
    }

    fn terminal(variables: &[(&str, &str)]) -> Terminal {
        Terminal::of(&|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    fn told(kind: NoticeKind, variables: &[(&str, &str)]) -> String {
        let notice = notice(kind, "run 3 failed; at test", "1 test\u{1b}]0;x\u{7} failed");
        String::from_utf8(attention(&notice, terminal(variables))).unwrap()
    }

    #[test]
    fn a_terminal_of_which_nothing_is_known_only_rings() {
        assert_eq!(told(NoticeKind::Failure, &[("TERM", "xterm-256color")]), "\u{7}");
        assert_eq!(told(NoticeKind::Alert, &[]), "\u{7}");
        assert_eq!(told(NoticeKind::Failure, &[("TERM", "xterm-kitty"), ("STY", "1")]), "\u{7}");
    }

    #[test]
    fn what_is_no_alarm_does_not_ring_and_nothing_does_where_nobody_wants_it() {
        for kind in [NoticeKind::Recovery, NoticeKind::Resolved, NoticeKind::Lock, NoticeKind::Deploy] {
            assert_eq!(told(kind, &[("TERM", "xterm-kitty")]), "");
        }
        assert_eq!(told(NoticeKind::Failure, &[("TRAINYARD_BELL", "off"), ("TERM", "xterm-kitty")]), "");
        assert_eq!(told(NoticeKind::Failure, &[("TRAINYARD_BELL", "on")]), "\u{7}");
    }

    #[test]
    fn each_terminal_is_told_in_its_own_way_and_nothing_breaks_out_of_it() {
        assert_eq!(
            told(NoticeKind::Failure, &[("TERM_PROGRAM", "iTerm.app")]),
            "\u{7}\u{1b}]9;trainyard: run 3 failed; at test: 1 test failed\u{7}"
        );
        assert_eq!(
            told(NoticeKind::Approval, &[("TERM", "foot")]),
            "\u{7}\u{1b}]777;notify;trainyard: run 3 failed, at test;1 test failed\u{7}"
        );
        assert_eq!(
            told(NoticeKind::Alert, &[("KITTY_WINDOW_ID", "1")]),
            "\u{7}\u{1b}]99;i=trainyard:d=0;trainyard: run 3 failed; at test\u{1b}\\\
             \u{1b}]99;i=trainyard:d=1:p=body;1 test failed\u{1b}\\"
        );
    }

    #[test]
    fn tmux_passes_on_what_is_wrapped() {
        assert_eq!(
            told(NoticeKind::Failure, &[("TERM_PROGRAM", "iTerm.app"), ("TMUX", "/tmp/tmux")]),
            "\u{7}\u{1b}Ptmux;\u{1b}\u{1b}]9;trainyard: run 3 failed; at test: 1 test failed\u{7}\u{1b}\\"
        );
        assert_eq!(told(NoticeKind::Failure, &[("TMUX", "/tmp/tmux")]), "\u{7}");
    }

    #[test]
    fn a_long_text_is_cut() {
        let long = notice(NoticeKind::Failure, &"t".repeat(500), &"x".repeat(5_000));
        let bytes = attention(&long, terminal(&[("TERM", "foot")]));
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.chars().count() <= LONGEST + "__]777;notify;;_".len(), "{text}");
        assert!(text.contains('…'));
    }

    #[test]
    fn one_call_is_enough_for_a_while_and_what_is_known_calls_nobody() {
        let mut attention = Attention::new(terminal(&[]));
        let state = State { sequence: 5, ..State::default() };
        let failed = |sequence| {
            let event = Event::RunFinished { run: RunId(1), result: RunResult::Failed };
            Msg::Stream(Box::new(StreamItem::Event(Recorded { sequence, at: Moment(0), event })))
        };
        let begin = Instant::now();
        assert_eq!(attention.heard(&state, &failed(5), begin), b"");
        assert_eq!(attention.heard(&state, &failed(6), begin), b"\x07");
        assert_eq!(attention.heard(&state, &failed(6), begin + PAUSE / 2), b"");
        assert_eq!(attention.heard(&state, &failed(6), begin + PAUSE), b"\x07");
        assert_eq!(attention.heard(&state, &Msg::Second, begin + PAUSE * 3), b"");
    }
}
