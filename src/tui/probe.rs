//! What the terminal can do: guessed from the environment, then asked of the terminal itself.
//!
//! All questions go out in one write, and the last of them is one that every terminal answers in order; whoever has answered
//! it will answer none of the others any more. Nothing waits for long: after [`Abilities::patience`] the screen is drawn by
//! what was guessed, and what comes later still counts. The answers come with the keys and are told from them by
//! [`super::terminal`]; this file only says what to ask and what an answer means.

use std::time::Duration;

/// How long the first frame waits for a terminal on this machine.
const PATIENCE_HERE: Duration = Duration::from_millis(150);
/// The same for one at the other end of a line.
const PATIENCE_REMOTE: Duration = Duration::from_millis(600);
/// From this share of white on, a background is light.
const LIGHT: f64 = 0.5;

/// How many colours may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Depth {
    /// None at all.
    None,
    /// The sixteen of the terminal's own palette.
    Sixteen,
    /// The palette of 256.
    Indexed,
    /// Any.
    True,
}

/// What is behind the letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// Bright letters are read best.
    Dark,
    /// Dark letters are read best.
    Light,
}

/// Something that the terminal said of itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// What it is by its device attributes; no answer follows this one.
    Attributes,
    /// The colour of its background: red, green and blue from 0 to 1.
    Background([f64; 3]),
    /// The colour of its letters.
    Foreground([f64; 3]),
    /// How it stands with a private mode.
    Mode {
        /// Which.
        number: u16,
        /// Whether it knows that mode and would change it.
        is_known: bool,
    },
    /// Whether it has a capability of terminfo.
    Capability {
        /// Which.
        name: String,
        /// Whether it has it.
        is_there: bool,
    },
    /// Its name and version.
    Version(String),
}

/// What the terminal can do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "abilities that are independent of each other")]
pub(super) struct Abilities {
    /// How many colours may be sent.
    pub(super) depth: Depth,
    /// What is behind the letters.
    pub(super) ground: Ground,
    /// Whether it holds a frame back until it is whole (mode 2026).
    pub(super) has_brackets: bool,
    /// Whether it shows progress beside its window (OSC 9;4).
    pub(super) has_progress: bool,
    /// Whether it takes a title.
    pub(super) has_title: bool,
    /// Whether more can be learned by asking.
    pub(super) answers: bool,
    /// Whether it takes a question for a capability without showing it.
    takes_capabilities: bool,
    /// Whether tmux or GNU screen stands between it and us, which keep what they do not know.
    is_inside: bool,
    /// Whether its colours were forbidden and not only unknown.
    is_depth_settled: bool,
    is_remote: bool,
    knows_background: bool,
}

impl Abilities {
    /// What the environment tells. `is_remote` is whether what is shown comes over a line anyway.
    pub(super) fn guess(variable: &dyn Fn(&str) -> Option<String>, is_remote: bool) -> Self {
        let value = |name: &str| variable(name).unwrap_or_default();
        let has = |name: &str| !value(name).is_empty();
        let term = value("TERM");
        let is_tmux = has("TMUX") || term.starts_with("tmux");
        let is_gnu_screen = !is_tmux && (has("STY") || term.starts_with("screen"));
        let is_screen = moves_its_cursor(&term);
        let is_old = ["linux", "vt", "cons25", "sun", "ansi"].iter().any(|begin| term.starts_with(begin));
        let forbids = has("NO_COLOR") && !has("TRAINYARD_THEME");
        let depth = if forbids || !is_screen { Depth::None } else { depth(&term, &value("COLORTERM"), is_gnu_screen) };
        let is_inside = is_tmux || is_gnu_screen;
        let program = value("TERM_PROGRAM");
        let has_progress =
            !is_inside && (has("WT_SESSION") || has("ConEmuPID") || ["WezTerm", "ghostty"].contains(&program.as_str()));
        Self {
            depth,
            ground: ground(&value("COLORFGBG")),
            has_brackets: false,
            has_progress,
            has_title: is_screen && !is_old,
            answers: is_screen && !is_old,
            takes_capabilities: !is_gnu_screen && program != "Apple_Terminal",
            is_inside,
            is_depth_settled: forbids || !is_screen || is_gnu_screen,
            is_remote: is_remote || has("SSH_TTY") || has("SSH_CONNECTION"),
            knows_background: false,
        }
    }

    /// How long the first frame may wait for answers.
    pub(super) fn patience(&self) -> Duration {
        match (self.answers, self.is_remote) {
            (false, _) => Duration::ZERO,
            (true, false) => PATIENCE_HERE,
            (true, true) => PATIENCE_REMOTE,
        }
    }

    /// The questions, in one piece; empty where asking is of no use.
    pub(super) fn questions(&self) -> Vec<u8> {
        if !self.answers {
            return Vec::new();
        }
        // The background, the letters, whether frames can be held together, the name and version.
        let mut questions = b"\x1b]11;?\x1b\\\x1b]10;?\x1b\\\x1b[?2026$p\x1b[>0q".to_vec();
        if self.takes_capabilities && !self.is_depth_settled && self.depth < Depth::True {
            // `RGB` and `Tc`, in hexadecimal digits.
            questions.extend_from_slice(b"\x1bP+q524742\x1b\\\x1bP+q5463\x1b\\");
        }
        // What every terminal answers, and after all the others.
        questions.extend_from_slice(b"\x1b[c");
        questions
    }

    /// The name of the theme that fits best.
    pub(super) fn theme(&self) -> &'static str {
        match (self.depth, self.ground) {
            (Depth::None, _) => "mono",
            (Depth::Sixteen, _) => "ansi",
            (Depth::Indexed | Depth::True, Ground::Dark) => "dark",
            (Depth::Indexed | Depth::True, Ground::Light) => "light",
        }
    }

    /// Takes an answer in; whether anything is drawn otherwise because of it.
    pub(super) fn learn(&mut self, answer: &Answer) -> bool {
        let before = (self.depth, self.ground);
        match answer {
            Answer::Attributes => {}
            Answer::Background(colour) => {
                self.ground = if luminance(colour) >= LIGHT { Ground::Light } else { Ground::Dark };
                self.knows_background = true;
            }
            // Letters are the other way round; the background itself says it better.
            Answer::Foreground(colour) if !self.knows_background => {
                self.ground = if luminance(colour) >= LIGHT { Ground::Dark } else { Ground::Light };
            }
            Answer::Foreground(_) => {}
            Answer::Mode { number: 2026, is_known } => self.has_brackets = *is_known,
            Answer::Mode { .. } => {}
            Answer::Capability { name, is_there } => {
                if *is_there && !self.is_depth_settled && ["RGB", "Tc"].contains(&name.as_str()) {
                    self.depth = Depth::True;
                }
            }
            Answer::Version(version) => {
                self.has_progress |= !self.is_inside && shows_progress(version);
            }
        }
        before != (self.depth, self.ground)
    }
}

/// Whether a terminal of that name moves its cursor at all; for any other, only lines are of use.
pub(super) fn moves_its_cursor(term: &str) -> bool {
    !matches!(term, "" | "dumb" | "unknown" | "emacs")
}

fn depth(term: &str, colours: &str, is_gnu_screen: bool) -> Depth {
    const ANY: [&str; 9] =
        ["xterm-kitty", "xterm-ghostty", "ghostty", "alacritty", "foot", "wezterm", "contour", "iterm2", "rio"];
    let is_indexed = term.contains("256col");
    if is_gnu_screen {
        // It takes the numbers of a free colour for attributes of their own, whatever the terminal around it can do.
        return if is_indexed { Depth::Indexed } else { Depth::Sixteen };
    }
    if ["truecolor", "24bit"].contains(&colours) || term.ends_with("-direct") {
        return Depth::True;
    }
    if ANY.iter().any(|begin| term.starts_with(begin)) {
        return Depth::True;
    }
    if is_indexed {
        return Depth::Indexed;
    }
    // Those with one colour only.
    if ["vt", "sun"].iter().any(|begin| term.starts_with(begin)) || term.ends_with("-mono") || term.ends_with("-m") {
        return Depth::None;
    }
    Depth::Sixteen
}

/// `COLORFGBG` is the numbers of letters and background, such as `15;0`.
fn ground(colours: &str) -> Ground {
    match colours.rsplit(';').next().and_then(|background| background.parse::<u8>().ok()) {
        Some(7 | 9..=15) => Ground::Light,
        Some(_) | None => Ground::Dark,
    }
}

/// How bright a colour is for an eye.
fn luminance([red, green, blue]: &[f64; 3]) -> f64 {
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// Whether a terminal of that name and version shows progress. An older kitty or iTerm2 would show a notification instead.
fn shows_progress(version: &str) -> bool {
    let (name, number) = version.split_once(['(', ' ']).unwrap_or((version, ""));
    let mut parts = number.trim_end_matches(')').split('.').map_while(|part| part.parse::<u32>().ok());
    let number = (parts.next().unwrap_or(0), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    match name {
        "WezTerm" | "ghostty" => true,
        "kitty" => number >= (0, 43, 0),
        "iTerm2" => number >= (3, 6, 6),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(variables: &[(&str, &str)]) -> Abilities {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Abilities::guess(&variable, false)
    }

    #[test]
    fn the_environment_tells_how_many_colours_there_are() {
        let depth = |variables: &[(&str, &str)]| guess(variables).depth;
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(depth(&[("TERM", "xterm-256color")]), Depth::Indexed);
        assert_eq!(depth(&[("TERM", "foot")]), Depth::True);
        assert_eq!(depth(&[("TERM", "xterm")]), Depth::Sixteen);
        assert_eq!(depth(&[("TERM", "linux")]), Depth::Sixteen);
        assert_eq!(depth(&[("TERM", "vt220")]), Depth::None);
        assert_eq!(depth(&[("TERM", "dumb"), ("COLORTERM", "truecolor")]), Depth::None);
        assert_eq!(depth(&[]), Depth::None);
    }

    #[test]
    fn gnu_screen_gets_no_free_colours_whatever_the_terminal_around_it_said() {
        let inside = [("TERM", "screen-256color"), ("STY", "1.pts"), ("COLORTERM", "truecolor")];
        let mut abilities = guess(&inside);
        assert_eq!(abilities.depth, Depth::Indexed);
        assert!(!abilities.learn(&Answer::Capability { name: "RGB".to_owned(), is_there: true }));
        assert!(!String::from_utf8(abilities.questions()).unwrap().contains("+q"));
        assert_eq!(guess(&[("TERM", "tmux-256color"), ("COLORTERM", "truecolor")]).depth, Depth::True);
    }

    #[test]
    fn no_colour_is_no_colour_unless_a_theme_is_asked_for() {
        let mut abilities = guess(&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")]);
        assert_eq!(abilities.depth, Depth::None);
        assert!(!abilities.learn(&Answer::Capability { name: "RGB".to_owned(), is_there: true }));
        let wanted = [("TERM", "xterm-kitty"), ("NO_COLOR", "1"), ("TRAINYARD_THEME", "dark")];
        assert_eq!(guess(&wanted).depth, Depth::True);
    }

    #[test]
    fn the_background_that_the_terminal_tells_wins_over_what_was_guessed() {
        let mut abilities = guess(&[("TERM", "xterm"), ("COLORFGBG", "0;15")]);
        assert_eq!(abilities.ground, Ground::Light);
        assert!(abilities.learn(&Answer::Background([0.1, 0.1, 0.2])));
        assert_eq!((abilities.ground, abilities.theme()), (Ground::Dark, "ansi"));
        abilities.learn(&Answer::Capability { name: "RGB".to_owned(), is_there: true });
        assert_eq!(abilities.theme(), "dark");
        // Dark letters would mean a light ground, but the ground itself was told.
        assert!(!abilities.learn(&Answer::Foreground([0.0, 0.0, 0.0])));
        assert_eq!(guess(&[("COLORFGBG", "15;default;0")]).ground, Ground::Dark);
        assert_eq!(guess(&[("COLORFGBG", "nonsense")]).ground, Ground::Dark);
    }

    #[test]
    fn only_who_can_answer_is_asked_and_waited_for() {
        for term in ["dumb", "linux", "vt100", ""] {
            let abilities = guess(&[("TERM", term)]);
            assert!(abilities.questions().is_empty() && abilities.patience().is_zero(), "{term}");
        }
        let here = guess(&[("TERM", "xterm-256color")]);
        let there = guess(&[("TERM", "xterm-256color"), ("SSH_TTY", "/dev/pts/1")]);
        assert!(here.questions().ends_with(b"\x1b[c"), "the question that all answer is the last");
        assert!(here.patience() < there.patience());
    }

    #[test]
    fn progress_is_sent_only_to_those_that_do_not_take_it_for_a_notification() {
        for (version, shows) in [
            ("WezTerm 20240203-110809", true),
            ("ghostty 1.1.3", true),
            ("kitty(0.43.1)", true),
            ("kitty(0.35.2)", false),
            ("iTerm2 3.5.0", false),
            ("iTerm2 3.6.6", true),
            ("XTerm(390)", false),
            ("tmux 3.4", false),
            ("", false),
        ] {
            let mut abilities = guess(&[("TERM", "xterm-256color")]);
            abilities.learn(&Answer::Version(version.to_owned()));
            assert_eq!(abilities.has_progress, shows, "{version}");
        }
        let mut inside = guess(&[("TERM", "tmux-256color"), ("TMUX", "/tmp/tmux")]);
        inside.learn(&Answer::Version("ghostty 1.1.3".to_owned()));
        assert!(!inside.has_progress, "tmux keeps it");
    }

    #[test]
    fn frames_are_held_together_only_where_the_terminal_says_that_it_can() {
        let mut abilities = guess(&[("TERM", "xterm-256color")]);
        assert!(!abilities.has_brackets);
        abilities.learn(&Answer::Mode { number: 2004, is_known: true });
        assert!(!abilities.has_brackets);
        abilities.learn(&Answer::Mode { number: 2026, is_known: true });
        assert!(abilities.has_brackets);
    }
}
