//! Text of unknown origin, made fit for a screen: harmless, measured in cells, cut and wrapped.
//!
//! **Invariant:** whatever a stage, a file name, a commit or a server says passes [`sanitize`] or [`styled`] before it
//! reaches the buffer. Both look at no more than [`LOOKED_AT`] bytes, so a line of any length costs the same.
//!
//! Terminals do not agree on how wide a sign is that is joined from several, such as a family or a hand of some colour. So what
//! joins or changes signs is left out, and every sign that remains is as wide as its character in each of them.

mod sequences;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use sequences::{Piece, rendition, scan};

/// More of one text is never looked at; no screen shows that much of a line.
const LOOKED_AT: usize = 16 * 1024;
/// Cells from one tabulator stop to the next.
const TAB: usize = 8;

/// How many cells a character takes.
pub(in crate::tui) fn cells_of(character: char) -> usize {
    match character {
        // Sound marks of half width stand beside their letter, also where they belong to it.
        '\u{ff9e}' | '\u{ff9f}' => 1,
        _ => character.width().unwrap_or(0),
    }
}

/// How many cells a text takes.
pub(in crate::tui) fn cells(text: &str) -> usize {
    text.chars().map(cells_of).sum()
}

/// Plain text in one line: no escape sequences, no control characters, no invisible direction marks.
pub(in crate::tui) fn sanitize(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(LOOKED_AT));
    scan(beginning(text), &mut |piece| match piece {
        Piece::Character(character) => clean.push(character),
        Piece::Tab | Piece::Return => clean.push(' '),
        Piece::Rendition(_) => {}
    });
    clean
}

/// A log line with its own colours over `base`; of a progress line rewritten with `\r`, the last version.
pub(in crate::tui) fn styled(text: &str, base: Style) -> Vec<(char, Style)> {
    let mut cells: Vec<(char, Style)> = Vec::new();
    let mut style = base;
    let mut column = 0;
    let mut is_rewritten = false;
    scan(beginning(text), &mut |piece| {
        if !matches!(piece, Piece::Rendition(_) | Piece::Return) && std::mem::take(&mut is_rewritten) {
            cells.clear();
            column = 0;
        }
        match piece {
            Piece::Character(character) => {
                cells.push((character, style));
                column += cells_of(character);
            }
            Piece::Tab => {
                let blanks = TAB - column % TAB;
                cells.extend(std::iter::repeat_n((' ', style), blanks));
                column += blanks;
            }
            // What follows takes the place of what was; with nothing behind it, the line stays.
            Piece::Return => is_rewritten = true,
            Piece::Rendition(parameters) => style = rendition(style, base, parameters),
        }
    });
    cells
}

/// Styled characters as a line, from cell `skip` on. Of a wide character that would be split, a blank remains.
pub(in crate::tui) fn line_of(cells: &[(char, Style)], skip: usize) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut passed = 0;
    let mut is_inside = skip == 0;
    for (character, style) in cells {
        if passed < skip {
            passed += cells_of(*character);
            if passed > skip {
                spans.push(Span::styled(" ".repeat(passed - skip), *style));
            }
            continue;
        }
        // What belongs to a character that was left out is left out with it.
        if !is_inside && cells_of(*character) == 0 {
            continue;
        }
        is_inside = true;
        match spans.last_mut() {
            Some(span) if span.style == *style => span.content.to_mut().push(*character),
            _ => spans.push(Span::styled(character.to_string(), *style)),
        }
    }
    Line::from(spans)
}

/// Breaks styled characters into rows of at most `width` cells, at most `limit` rows; an empty line is one row. Rows end
/// between words where they can, and the blank there is left out; all other blanks stay, so columns keep their places.
pub(in crate::tui) fn wrap(cells: &[(char, Style)], width: usize, limit: usize) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    let (mut begin, mut used) = (0, 0);
    // The last blank of the row behind a word, and the cells up to it.
    let mut gap: Option<(usize, usize)> = None;
    let mut has_word = false;
    for (index, (character, _)) in cells.iter().enumerate() {
        let cells_wide = cells_of(*character);
        let is_blank = *character == ' ';
        if used + cells_wide > width.max(2) {
            let (end, next, passed) = match gap {
                _ if is_blank => (index, index + 1, used),
                Some((gap, passed)) => (gap, gap + 1, passed),
                None => (index, index, used),
            };
            rows.push(line_of(cells.get(begin..end).unwrap_or_default(), 0));
            if rows.len() >= limit {
                return rows;
            }
            (begin, used, gap) = (next, used - passed, None);
            has_word = used > 0;
            if is_blank {
                continue;
            }
        }
        used += cells_wide;
        if is_blank && has_word {
            gap = Some((index, used));
        }
        has_word |= !is_blank && cells_wide > 0;
    }
    if rows.is_empty() || begin < cells.len() {
        rows.push(line_of(cells.get(begin..).unwrap_or_default(), 0));
    }
    rows
}

/// Breaks plain text at spaces into at most `limit` rows of `width` cells; the last is cut.
pub(in crate::tui) fn paragraph(text: &str, width: usize, limit: usize, cut_sign: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let is_last = rows.len() >= limit;
        match rows.last_mut() {
            // The last row takes all the rest and is cut.
            Some(row) if is_last || cells(row.as_str()) + 1 + cells(word) <= width => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.to_owned()),
        }
    }
    rows.iter().map(|row| cut(row, width, cut_sign)).collect()
}

/// Text in at most `width` cells, with `cut_sign` at the end if some of it is missing.
pub(in crate::tui) fn cut(text: &str, width: usize, cut_sign: &str) -> String {
    if cells(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(cells(cut_sign));
    let mut short = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += cells_of(character);
        if used > room {
            break;
        }
        short.push(character);
    }
    if width > 0 {
        short.push_str(cut_sign);
    }
    short
}

/// The end of a text in at most `width` cells, with `cut_sign` before it if some of it is missing.
pub(in crate::tui) fn cut_front(text: &str, width: usize, cut_sign: &str) -> String {
    if cells(text) <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(cells(cut_sign));
    let mut used = 0;
    let mut begin = text.len();
    for (index, character) in text.char_indices().rev() {
        let wide = cells_of(character);
        used += wide;
        if used > room {
            break;
        }
        // An accent alone would go to whatever stands before it.
        if wide > 0 {
            begin = index;
        }
    }
    let sign = if width > 0 { cut_sign } else { "" };
    format!("{sign}{}", text.get(begin..).unwrap_or_default())
}

/// Text in exactly `width` cells.
pub(in crate::tui) fn padded(text: &str, width: usize, cut_sign: &str) -> String {
    let mut text = cut(text, width, cut_sign);
    let missing = width.saturating_sub(cells(&text));
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

/// Writes `line` into row `row` of `area`; what does not fit is left out.
pub(in crate::tui) fn put(buffer: &mut Buffer, area: Rect, row: usize, line: &Line<'_>) {
    put_at(buffer, area, 0, row, line);
}

/// As [`put`], beginning in column `column` of `area`.
pub(in crate::tui) fn put_at(buffer: &mut Buffer, area: Rect, column: usize, row: usize, line: &Line<'_>) {
    let area = area.intersection(*buffer.area());
    let (Ok(column), Ok(row)) = (u16::try_from(column), u16::try_from(row)) else { return };
    if row < area.height && column < area.width {
        buffer.set_line(area.x + column, area.y + row, line, area.width - column);
    }
}

/// As [`put_at`]; a line that is too long for `area` ends in `cut_sign`.
pub(in crate::tui) fn put_fitted(
    buffer: &mut Buffer,
    area: Rect,
    (column, row): (usize, usize),
    line: &Line<'_>,
    cut_sign: &str,
) {
    let room = usize::from(area.width).saturating_sub(column);
    if line.width() <= room {
        put_at(buffer, area, column, row, line);
    } else {
        put_at(buffer, area, column, row, &fitted(line, room, cut_sign));
    }
}

/// The beginning of a line, with `cut_sign` behind it, in at most `width` cells.
fn fitted(line: &Line<'_>, width: usize, cut_sign: &str) -> Line<'static> {
    let room = width.saturating_sub(cells(cut_sign));
    let mut used = 0;
    let mut kept: Vec<(char, Style)> = Vec::new();
    let letters = line.spans.iter().flat_map(|span| span.content.chars().map(|character| (character, span.style)));
    for (character, style) in letters {
        used += cells_of(character);
        if used > room {
            break;
        }
        kept.push((character, style));
    }
    let style = kept.last().map(|(_, style)| *style).unwrap_or_default();
    kept.extend(cut_sign.chars().map(|character| (character, style)));
    line_of(&kept, 0)
}

/// Writes one sign of one cell; cheaper than a line where there are thousands of them.
pub(in crate::tui) fn put_sign(buffer: &mut Buffer, area: Rect, column: usize, row: usize, sign: &str, style: Style) {
    let area = area.intersection(*buffer.area());
    let (Ok(column), Ok(row)) = (u16::try_from(column), u16::try_from(row)) else { return };
    if row < area.height
        && column < area.width
        && let Some(cell) = buffer.cell_mut((area.x + column, area.y + row))
    {
        cell.set_symbol(sign).set_style(style);
    }
}

/// Writes `line` so that it ends at the right edge of `area`.
pub(in crate::tui) fn put_right(buffer: &mut Buffer, area: Rect, row: usize, line: &Line<'_>) {
    let column = usize::from(area.width).saturating_sub(line.width());
    put_at(buffer, area, column, row, line);
}

fn beginning(text: &str) -> &str {
    if text.len() <= LOOKED_AT {
        return text;
    }
    let end = (0..=LOOKED_AT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier};

    use super::*;

    fn plain(text: &str) -> String {
        styled(text, Style::default()).iter().map(|(character, _)| *character).collect()
    }

    #[test]
    fn a_line_that_is_too_long_says_so_at_its_end() {
        let area = Rect::new(0, 0, 7, 1);
        let line = Line::from(vec![Span::raw("ab"), Span::raw("한국어")]);
        for (column, shown) in [(0, "ab한.. "), (4, "    ab.")] {
            let mut buffer = Buffer::empty(area);
            let sign = if column == 0 { ".." } else { "." };
            put_fitted(&mut buffer, area, (column, 0), &line, sign);
            let row: String = (0..7).map(|x| buffer[(x, 0)].symbol()).filter(|symbol| !symbol.is_empty()).collect();
            assert_eq!(row.replace("한 ", "한"), shown);
        }
    }

    #[test]
    fn no_escape_sequence_reaches_the_screen() {
        let hostile =
            "a\x1b[2Jb\x1b]0;title\x07c\x1b]52;c;AAAA\x1b\\d\x1bPq\x1b\\e\x1b(Bf\x1bcg\u{9b}31mh\x07\x08i\u{202e}j";
        assert_eq!(sanitize(hostile), "abcdefghij");
        assert_eq!(plain(hostile), "abcdefghij");
    }

    #[test]
    fn a_sequence_without_an_end_is_harmless() {
        for text in ["a\x1b", "a\x1b[", "a\x1b[31", "a\x1b]0;never ends", "a\u{9b}"] {
            assert_eq!(sanitize(text), "a", "{text:?}");
        }
        assert_eq!(sanitize("a\x1b[3\nb"), "ab");
        assert_eq!(sanitize("a\x1b한"), "a한");
    }

    #[test]
    fn colours_of_a_log_are_kept() {
        let cells = styled("\x1b[1;31mred\x1b[0m \x1b[38;5;200mx\x1b[38;2;1;2;3my\x1b[39mz", Style::default());
        let colours: Vec<_> = cells.iter().map(|(_, style)| style.fg).collect();
        let red = Some(Color::Indexed(1));
        assert_eq!(colours, [red, red, red, None, Some(Color::Indexed(200)), Some(Color::Rgb(1, 2, 3)), None]);
        assert!(cells[0].1.has_modifier(Modifier::BOLD));
    }

    #[test]
    fn a_rewritten_line_shows_its_last_version() {
        assert_eq!(plain("10%\r55%\r100%"), "100%");
        assert_eq!(plain("done\r"), "done");
        assert_eq!(plain("a\tb"), "a       b");
    }

    #[test]
    fn a_line_of_ten_megabytes_is_cut_before_it_is_looked_at() {
        let long = "가".repeat(10 * 1024 * 1024 / 3);
        assert!(sanitize(&long).len() <= LOOKED_AT);
        assert!(styled(&long, Style::default()).len() <= LOOKED_AT);
    }

    #[test]
    fn wide_characters_are_measured_in_cells() {
        assert_eq!(cut("겨울데이터.csv", 7, "…"), "겨울데…");
        assert_eq!(padded("겨울", 6, "…"), "겨울  ");
        assert_eq!(cut_front("겨울데이터.csv", 7, "…"), "…터.csv");
        assert_eq!((cut_front("short", 5, "…"), cut_front("short", 0, "…")), ("short".to_owned(), String::new()));
        let rows = wrap(&styled("겨울데이터", Style::default()), 5, 9);
        let texts: Vec<_> = rows.iter().map(Line::to_string).collect();
        assert_eq!(texts, ["겨울", "데이", "터"]);
    }

    #[test]
    fn a_line_is_wrapped_between_words_and_its_columns_stay() {
        let wrapped = |text: &str, width| -> Vec<String> {
            wrap(&styled(text, Style::default()), width, 9).iter().map(Line::to_string).collect()
        };
        assert_eq!(wrapped("takes what it shows", 8), ["takes", "what it", "shows"]);
        assert_eq!(wrapped("ab cd ", 5), ["ab cd"], "a blank alone is no row");
        assert_eq!(wrapped("  a    1  b    2", 10), ["  a    1 ", "b    2"]);
        assert_eq!(wrapped("see /a/very/long/path", 8), ["see", "/a/very/", "long/pat", "h"]);
    }

    #[test]
    fn a_paragraph_breaks_at_spaces_and_is_cut_in_the_end() {
        assert_eq!(paragraph("the data changed since run 3", 12, 2, "…"), ["the data", "changed sin…"]);
        assert_eq!(paragraph("short", 12, 2, "…"), ["short"]);
    }

    #[test]
    fn what_joins_signs_is_left_out_so_that_each_is_as_wide_everywhere() {
        assert_eq!((sanitize("👨\u{200d}👩\u{200d}👧"), cells("👨👩👧")), ("👨👩👧".to_owned(), 6));
        assert_eq!((sanitize("❤\u{fe0f}"), cells("❤")), ("❤".to_owned(), 1));
        assert_eq!(sanitize("👋\u{1f3fd} 1\u{fe0f}\u{20e3}"), "👋 1");
        assert_eq!(sanitize("ﾊ\u{ff9e} ﾊ\u{ff9f}"), "ﾊ゛ ﾊ゜");
        // Korean as some file systems spell it: two letters in the cells of one.
        assert_eq!(cells("\u{1112}\u{1161}\u{11ab}"), cells("한"));
    }

    #[test]
    fn a_wide_character_at_the_edge_of_what_is_skipped_leaves_a_blank() {
        let line = |skip| line_of(&styled("한글x", Style::default()), skip).to_string();
        assert_eq!([line(0), line(1), line(2), line(3), line(4)], ["한글x", " 글x", "글x", " x", "x"]);
        let accented = styled("e\u{301}x", Style::default());
        assert_eq!(line_of(&accented, 1).to_string(), "x", "the accent goes with its letter");
    }

    /// Texts of what is hardest to measure.
    fn any_text() -> impl Strategy<Value = String> {
        let pieces = prop_oneof![
            Just("한".to_owned()),
            Just("\u{1112}\u{1161}".to_owned()),
            Just("データ".to_owned()),
            Just("ﾊﾞ".to_owned()),
            Just("👨\u{200d}👩\u{200d}👧".to_owned()),
            Just("❤\u{fe0f}".to_owned()),
            Just("🇰🇷".to_owned()),
            Just("👋\u{1f3fd}".to_owned()),
            Just("e\u{301}".to_owned()),
            Just("لا".to_owned()),
            Just("\x1b[31m".to_owned()),
            Just("\t".to_owned()),
            any::<char>().prop_map(|character| character.to_string()),
            "[ -~]{0,4}",
        ];
        proptest::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
    }

    /// What of a line is drawn beyond `width` cells, in a row with marks behind it.
    fn drawn_beyond(line: &Line<'_>, width: usize) -> String {
        let whole = Rect::new(0, 0, 200, 1);
        let mut buffer = Buffer::empty(whole);
        for column in 0..200 {
            put_sign(&mut buffer, whole, column, 0, "#", Style::default());
        }
        put(&mut buffer, whole, 0, line);
        buffer.content().iter().skip(width).map(ratatui::buffer::Cell::symbol).collect::<String>().replace('#', "")
    }

    proptest! {
        #[test]
        fn a_row_is_never_wider_than_its_width_and_never_splits_a_wide_character(
            text in any_text(),
            width in 3_usize..40,
        ) {
            let clean = sanitize(&text);
            for row in [cut(&clean, width, "…"), cut_front(&clean, width, "…"), padded(&clean, width, "…")] {
                prop_assert!(cells(&row) <= width, "{row:?}");
                prop_assert_eq!(drawn_beyond(&Line::from(row.clone()), width), "", "{:?}", row);
            }
            prop_assert_eq!(cells(&padded(&clean, width, "…")), width);
            let letters = styled(&text, Style::default());
            let rows = wrap(&letters, width, usize::MAX);
            let joined: String = rows.iter().map(Line::to_string).collect();
            // Between two rows one blank at most is left out, and nothing else.
            let missing = letters.len() - joined.chars().count();
            prop_assert!(missing <= rows.len(), "{missing} in {} rows", rows.len());
            let written = letters.iter().map(|(letter, _)| *letter).filter(|letter| *letter != ' ');
            prop_assert_eq!(joined.replace(' ', ""), written.collect::<String>());
            for row in rows {
                prop_assert!(cells(&row.to_string()) <= width, "{row:?}");
                prop_assert_eq!(drawn_beyond(&row, width), "");
            }
        }

        #[test]
        fn what_is_skipped_is_skipped_by_cells(text in any_text(), skip in 0_usize..40) {
            let letters = styled(&text, Style::default());
            let whole: usize = letters.iter().map(|(letter, _)| cells_of(*letter)).sum();
            let rest = cells(&line_of(&letters, skip).to_string());
            prop_assert_eq!(rest, whole.saturating_sub(skip));
        }
    }
}
