//! Every view, and what lies over views, at three sizes and in every way of drawing.
//!
//! A snapshot holds a case at a size: its characters, a map of how they look with a legend for all ways that have colours or
//! forgo them, and what is otherwise in ASCII. What must hold of all of them stands in tests of its own. With
//! `TRAINYARD_PICTURES=FOLDER` each frame is written there, as a terminal is sent it; `docs/gallery.sh` makes pictures of them.

// That what is below is for tests only is told to `tests/tidy.rs` here: it does not ask who includes whom.
#[cfg(test)]
mod cases;
#[cfg(test)]
mod contrast;
#[cfg(test)]
mod looks;
#[cfg(test)]
mod ways;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use self::cases::{CASES, Case};
use self::looks::{Legend, ROLES};
use self::ways::{Screen, Seat, Way};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 50)];

fn drawn(case: &Case, way: Way, size: (u16, u16)) -> Screen {
    let seat = Seat { way, size };
    seat.draw(&(case.on)(seat))
}

/// All cases at all sizes in one way, each with a name.
fn all(way: Way) -> impl Iterator<Item = (String, &'static Case, Screen)> {
    let places = CASES.iter().flat_map(|case| SIZES.map(|size| (case, size)));
    places.map(move |(case, size)| {
        let name = format!("{} at {}x{} in {}", case.name, size.0, size.1, way.name());
        (name, case, drawn(case, way, size))
    })
}

#[test]
fn everything_at_80x24() {
    snapshots((80, 24));
}

#[test]
fn everything_at_120x40() {
    snapshots((120, 40));
}

#[test]
fn everything_at_200x50() {
    snapshots((200, 50));
}

fn snapshots(size: (u16, u16)) {
    for case in &CASES {
        let name = format!("{}_{}x{}", case.name, size.0, size.1);
        let screens = Way::ALL.map(|way| drawn(case, way, size));
        for screen in &screens {
            write(&format!("{}-{}x{}-{}.ansi", case.name, size.0, size.1, screen.way.name()), screen);
        }
        let text = told(&name, &screens);
        insta::assert_snapshot!(name, text);
    }
}

/// The text of a snapshot.
fn told(name: &str, screens: &[Screen; 5]) -> String {
    let [dark, light, sixteen, none, ascii] = screens;
    let characters = dark.characters();
    for other in [light, sixteen, none] {
        assert_eq!(other.characters(), characters, "{name}: a meaning hangs on colour alone in {:?}", other.way);
    }
    let alike = [dark, light, sixteen, none];
    let mut legend = Legend::of(&alike);
    let map = legend.map(&alike);
    let (rows, legend_in_ascii) = otherwise(dark, ascii);
    let mut sections = vec![
        section("characters", &characters),
        section("looks", &map),
        section("legend", &legend.told(&map)),
        section("characters in ascii", &ascii.characters()),
    ];
    if !rows.is_empty() {
        sections.push(section("looks in ascii, in rows where they are not as above", &rows));
        sections.push(section("legend in ascii", &legend_in_ascii));
    }
    sections.concat()
}

/// The rows that look otherwise in ASCII, each behind its number, and what their letters stand for.
fn otherwise(dark: &Screen, ascii: &Screen) -> (Vec<String>, Vec<String>) {
    let mut legend = Legend::of(&[ascii]);
    let (above, below) = (legend.map(&[dark]), legend.map(&[ascii]));
    let differs = |(row, _): &(usize, String)| above.get(*row) != below.get(*row);
    let differing: Vec<(usize, String)> = below.iter().cloned().enumerate().filter(differs).collect();
    let letters: Vec<String> = differing.iter().map(|(_, letters)| letters.clone()).collect();
    let rows = differing.iter().map(|(row, letters)| format!("{row:>2} {letters}")).collect();
    (rows, legend.told(&letters))
}

fn section(heading: &str, rows: &[String]) -> String {
    format!("── {heading}\n{}\n", rows.join("\n"))
}

/// Writes what a terminal is sent of a screen, where somebody wants to look at it.
fn write(name: &str, screen: &Screen) {
    let Some(folder) = std::env::var_os("TRAINYARD_PICTURES").filter(|folder| !folder.is_empty()) else { return };
    let folder = PathBuf::from(folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(name), screen.sent()).unwrap();
}

#[test]
fn without_colours_none_is_set_and_weight_reverse_and_underline_tell_what_matters() {
    for (name, _, screen) in all(Way::NoColour) {
        let coloured = screen.cells().find(|(_, _, cell)| (cell.fg, cell.bg) != (Color::Reset, Color::Reset));
        assert_eq!(coloured, None, "{name}");
        let renditions = screen.renditions();
        let allowed = ["0", "1", "2", "4", "7"];
        let foreign = renditions.iter().find(|numbers| numbers.split(';').any(|number| !allowed.contains(&number)));
        assert_eq!(foreign, None, "{name}");
        assert!(renditions.contains("0;1"), "{name}: nothing is bold: {renditions:?}");
    }
}

#[test]
fn of_sixteen_colours_no_other_is_sent() {
    for (name, _, screen) in all(Way::Sixteen) {
        let is_foreign = |colour: Color| colour != Color::Reset && looks::of_sixteen(colour).is_none();
        let foreign = screen.cells().find(|(_, _, cell)| is_foreign(cell.fg) || is_foreign(cell.bg));
        assert_eq!(foreign, None, "{name}");
        let is_known = |number: &str| {
            let number = number.parse::<u8>();
            number.is_ok_and(|number| matches!(number, 0..=9 | 30..=37 | 40..=47 | 90..=97 | 100..=107))
        };
        let renditions = screen.renditions();
        assert!(renditions.iter().all(|numbers| numbers.split(';').all(is_known)), "{name}: {renditions:?}");
        assert!(renditions.contains("0;90"), "{name}: nothing is dim: {renditions:?}");
    }
}

#[test]
fn in_ascii_every_case_is_ascii_but_for_data() {
    // Names of files, tests and alerts of the fixtures are Korean.
    let is_ours = |letter: &char| !('가'..='힣').contains(letter);
    for (name, _, screen) in all(Way::Ascii) {
        let text = screen.characters().join("\n");
        let foreign: String = text.chars().filter(|letter| !letter.is_ascii() && is_ours(letter)).collect();
        assert_eq!(foreign, "", "{name}:\n{text}");
    }
}

#[test]
fn everything_stands_out_from_what_is_behind_it_on_a_dark_ground_and_on_a_light_one() {
    let mut faults: BTreeMap<String, String> = BTreeMap::new();
    for way in [Way::Dark, Way::Light] {
        for (name, _, screen) in all(way) {
            for (fault, place) in contrast::faults(&screen) {
                faults.entry(format!("{}: {fault}", way.name())).or_insert_with(|| format!("{name}: {place}"));
            }
        }
    }
    let told: Vec<String> = faults.iter().map(|(fault, place)| format!("{fault}, {place}")).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn every_role_stands_out_whether_a_case_shows_it_or_not() {
    for way in [Way::Dark, Way::Light] {
        let screen = drawn(&CASES[0], way, SIZES[0]);
        for (_, name, role) in ROLES {
            let needed = if name == "border" { contrast::MARK } else { contrast::TEXT };
            let ratio = contrast::ratio_of(screen.look_of(role(&screen.theme)), screen.theme.text).unwrap();
            assert!(ratio >= needed, "{name} in {}: {ratio:.2} instead of {needed}", way.name());
        }
    }
}

#[test]
fn a_selected_row_is_seen_without_colours() {
    for (name, case, dark) in all(Way::Dark) {
        let selection = dark.theme.selection.bg.unwrap();
        let selected: Vec<bool> = dark.cells().map(|(_, _, cell)| cell.bg == selection).collect();
        let long = dark.cells().zip(&selected).filter(|(_, is_selected)| **is_selected).count();
        assert!(long >= 20 || !case.has_selected_row, "{name}: no row is selected");
        for way in [Way::Sixteen, Way::NoColour] {
            let other = drawn(case, way, dark.size());
            let is_reversed = |cell: &Cell| cell.modifier.contains(Modifier::REVERSED);
            let mut places = other.cells().zip(&selected).filter(|(_, is_selected)| **is_selected);
            let lost = places.find(|((_, _, cell), _)| !is_reversed(cell));
            assert_eq!(lost, None, "{name}: not in {}", way.name());
        }
    }
}
