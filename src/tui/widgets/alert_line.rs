//! Where alerts stand, in one line: by name those of which there is something to say, the most urgent first; the others are
//! counted, and named where there is room. The chosen one is always among those that are named, and within the line.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::text::{cut, sanitize};
use crate::api::types::AlertStatus;
use crate::pipeline::AlertState;
use crate::tui::alerts::{is_quiet, ordered};
use crate::tui::app::Model;

/// Cells for the reason of a silence.
const LONGEST_WHY: usize = 40;
/// What stands before the first alert.
const HEAD: &str = " alerts";

/// The line in `width` cells; `None` if there are no alerts. What has no room in it is counted at its end.
pub(in crate::tui) fn line(model: &Model, width: usize) -> Option<Line<'static>> {
    let all = ordered(model);
    if all.is_empty() {
        return None;
    }
    let theme = &model.theme;
    // However little room there is, how many there are besides has some.
    let counted = more(all.len()).width();
    let is_chosen = |alert: &AlertStatus| model.alert.as_deref() == Some(alert.name.as_str());
    let (told, quiet): (Vec<&AlertStatus>, Vec<&AlertStatus>) =
        all.into_iter().partition(|alert| !is_quiet(alert) || is_chosen(alert));
    let spans: Vec<(Span<'static>, bool)> = told
        .into_iter()
        .map(|alert| {
            let (text, style) = words(model, alert);
            if is_chosen(alert) {
                (Span::styled(format!(" {}{text}", model.glyphs.pointer), theme.selection), true)
            } else {
                (Span::styled(format!("  {text}"), style), false)
            }
        })
        .collect();
    let widths: Vec<(usize, bool)> = spans.iter().map(|(span, is_chosen)| (span.width(), *is_chosen)).collect();
    let hidden = hidden(&widths, width.saturating_sub(HEAD.width() + counted));
    let mut line = Line::from(Span::styled(HEAD, theme.dim));
    if hidden > 0 {
        line.push_span(Span::styled(format!("  {}", model.glyphs.cut), theme.dim));
    }
    let mut left = spans.len() - hidden;
    for (index, (span, _)) in spans.into_iter().skip(hidden).enumerate() {
        let behind = left - 1 + quiet.len();
        let behind = if behind > 0 { more(behind).width() } else { 0 };
        let room = width.saturating_sub(line.width() + behind);
        if index == 0 {
            // The first one is told in any case, as far as there is room.
            line.push_span(Span::styled(cut(&span.content, room, model.glyphs.cut), span.style));
        } else if span.width() <= room {
            line.push_span(span);
        } else {
            break;
        }
        left -= 1;
    }
    if left > 0 {
        line.push_span(Span::styled(more(left + quiet.len()), theme.dim));
    } else if !quiet.is_empty() {
        let text = quiet_words(model, &quiet, width.saturating_sub(line.width()));
        line.push_span(Span::styled(text, theme.dim));
    }
    Some(line)
}

/// Those of which there is nothing to say, by name where there is room, else counted.
fn quiet_words(model: &Model, quiet: &[&AlertStatus], room: usize) -> String {
    let counted = format!("  {} {} inactive", model.glyphs.dot, quiet.len());
    let names: Vec<String> = quiet.iter().map(|alert| sanitize(&alert.name)).collect();
    let named = format!("{counted}: {}", names.join(", "));
    [named, counted].into_iter().find(|text| text.width() <= room).unwrap_or_else(|| more(quiet.len()))
}

/// How many are not told.
fn more(count: usize) -> String {
    format!("  +{count}")
}

/// How many are left out at the left, so that the chosen one is within `room` cells.
fn hidden(widths: &[(usize, bool)], room: usize) -> usize {
    /// The sign that something is left out, and the blanks before it.
    const SIGN: usize = 3;
    let Some(chosen) = widths.iter().position(|(_, is_chosen)| *is_chosen) else { return 0 };
    let cells = |from: usize| -> usize { widths.iter().take(chosen + 1).skip(from).map(|(width, _)| width).sum() };
    let fits = |from: &usize| {
        let sign = if *from > 0 { SIGN } else { 0 };
        cells(*from) + sign <= room
    };
    (0..chosen).find(fits).unwrap_or(chosen)
}

/// A sign, the name, a word, and who silenced it, until when and why.
pub(in crate::tui) fn words(model: &Model, alert: &AlertStatus) -> (String, Style) {
    let (glyphs, theme) = (model.glyphs, &model.theme);
    let (sign, style) = match alert.state {
        AlertState::Firing => (glyphs.firing, theme.bad),
        AlertState::Pending => (glyphs.pending, theme.warn),
        AlertState::Inactive => (glyphs.dot, theme.dim),
    };
    let name = sanitize(&alert.name);
    if alert.error.is_some() {
        return (format!("{sign} {name} not known, `trainyard alerts` says why"), theme.warn);
    }
    let mut text = format!("{sign} {name} {}", alert.state.word());
    if let Some(since) = alert.since {
        text.push_str(&format!(" since {}", model.clock.when(since, model.now)));
    }
    if let Some(silenced) = silence_words(model, alert) {
        text.push_str(&format!(", {silenced}"));
    }
    (text, style)
}

/// `silenced by mina until 21:04:11 (known)`; `None` if it is heard.
pub(in crate::tui) fn silence_words(model: &Model, alert: &AlertStatus) -> Option<String> {
    let silence = alert.silence.as_ref()?;
    let until = model.clock.when(silence.until, model.now);
    let why = cut(&sanitize(&silence.message), LONGEST_WHY, model.glyphs.cut);
    let why = if why.is_empty() { why } else { format!(" ({why})") };
    Some(format!("silenced by {} until {until}{why}", sanitize(&silence.by)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures::{self, alert, silenced};

    #[test]
    fn the_chosen_alert_is_within_the_line() {
        let narrow = [(20, false), (20, false), (20, true), (20, false)];
        assert_eq!(hidden(&narrow, 100), 0);
        assert_eq!(hidden(&narrow, 60), 0);
        assert_eq!(hidden(&narrow, 45), 1);
        assert_eq!(hidden(&narrow, 10), 2, "it is cut itself where there is no room for it");
        assert_eq!(hidden(&[(20, false)], 10), 0);
    }

    #[test]
    fn a_silence_is_told_with_who_until_when_and_why() {
        let mut model = fixtures::idle();
        model.live.alerts = vec![silenced(alert("Drift", AlertState::Firing)), alert("Quiet", AlertState::Inactive)];
        let text = line(&model, 120).unwrap().to_string();
        assert!(
            text.contains("Drift firing, silenced by mina until ") && text.contains(" (known, mended today)"),
            "{text}"
        );
        assert!(text.ends_with("1 inactive: Quiet"), "{text}");
        let counted = line(&model, text.width() - 1).unwrap().to_string();
        assert!(counted.ends_with("1 inactive"), "{counted}");
        let narrow = line(&model, counted.width() - 1).unwrap().to_string();
        assert!(narrow.ends_with("(known, mended today)  +1"), "{narrow}");
        model.alert = Some("Quiet".to_owned());
        let text = line(&model, 120).unwrap().to_string();
        assert!(text.contains(&format!("{}{} Quiet inactive", model.glyphs.pointer, model.glyphs.dot)), "{text}");
    }

    #[test]
    fn what_has_no_room_is_counted_and_no_line_is_too_long() {
        let mut model = fixtures::alerted();
        model.live.alerts.push(alert("AppDown", AlertState::Inactive));
        for chosen in [None, Some("Drift"), Some("느린-응답"), Some("AppDown")] {
            model.alert = chosen.map(str::to_owned);
            for width in 20..160 {
                let text = line(&model, width).unwrap().to_string();
                assert!(text.width() <= width, "{width}: {text}");
                assert!(!text.trim_end().ends_with(model.glyphs.dot), "{width}: {text}");
                let is_told = ["ErrorRate", "Drift", "느린-응답", "AppDown"].iter().all(|name| text.contains(name));
                let is_counted = ["1 inactive", "2 inactive", "  +", model.glyphs.cut];
                assert!(is_told || is_counted.iter().any(|sign| text.contains(sign)), "{width}: {text}");
                let pointer = model.glyphs.pointer;
                assert!(chosen.is_none() || text.contains(pointer), "{width}: the chosen one is not there: {text}");
            }
        }
    }
}
