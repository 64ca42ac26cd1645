//! Reads a theme, and says all that is wrong with it at once, each with its place.

use std::collections::BTreeMap;
use std::str::FromStr;

use ratatui::style::{Color, Modifier, Style};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Theme;
use crate::tui::preferences::Misfit;

/// Every role that a theme has.
const ROLES: [&str; 12] =
    ["text", "dim", "border", "focused", "title", "accent", "good", "bad", "warn", "running", "selection", "mark"];
/// What a role may say.
const ROLE_HINT: &str = "write { fg = \"#rrggbb\", bg = \"#rrggbb\", is = [\"bold\"] }, or {} for plain";
const SERIES_HINT: &str = "write one [[series]] for each colour of curves";

/// The theme, or everything that is wrong.
pub(super) fn read(text: &str) -> Result<Theme, Vec<Misfit>> {
    let document = DeTable::parse(text).map_err(|error| vec![Misfit::of_syntax(&error)])?;
    let mut faults = Vec::new();
    let (mut roles, mut series) = (BTreeMap::new(), Vec::new());
    for (key, value) in document.get_ref() {
        let name: &str = key.get_ref();
        match (name, value.get_ref()) {
            ("roles", DeValue::Table(table)) => roles = read_roles(table, &mut faults),
            ("series", DeValue::Array(items)) => {
                series = items.iter().map(|item| read_role("series", item, &mut faults)).collect();
            }
            ("roles", other) => faults.push(Misfit::of_kind(value.span(), other, "a table", "begin it with [roles]")),
            ("series", other) => faults.push(Misfit::of_kind(value.span(), other, "tables", SERIES_HINT)),
            (unknown, _) => {
                let message = format!("unknown key `{unknown}`");
                faults.push(Misfit::new(key.span(), message, "a theme has [roles] and [[series]]"));
            }
        }
    }
    for name in ROLES.iter().filter(|name| !roles.contains_key(**name)) {
        let message = format!("the theme has no role `{name}`");
        faults.push(Misfit::new(0..0, message, format!("give it at least `{name} = {{}}` under [roles]")));
    }
    if series.is_empty() {
        faults.push(Misfit::new(0..0, "the theme has no colour for curves", SERIES_HINT));
    }
    if !faults.is_empty() {
        faults.sort_by_key(|fault| fault.span.start);
        return Err(faults);
    }
    let role = |name: &str| roles.get(name).copied().unwrap_or_default();
    Ok(Theme {
        text: role("text"),
        dim: role("dim"),
        border: role("border"),
        focused: role("focused"),
        title: role("title"),
        accent: role("accent"),
        good: role("good"),
        bad: role("bad"),
        warn: role("warn"),
        running: role("running"),
        selection: even(role("selection")),
        mark: role("mark"),
        series,
    })
}

/// A selection that is the text the other way round is one bar, whatever colours and weights stand in the row.
fn even(selection: Style) -> Style {
    if selection.bg.is_some() || !selection.add_modifier.contains(Modifier::REVERSED) {
        return selection;
    }
    Style { fg: Some(selection.fg.unwrap_or(Color::Reset)), ..selection }.remove_modifier(Modifier::DIM)
}

fn read_roles(table: &DeTable<'_>, faults: &mut Vec<Misfit>) -> BTreeMap<&'static str, Style> {
    let mut roles = BTreeMap::new();
    for (key, value) in table {
        let name: &str = key.get_ref();
        match ROLES.iter().find(|role| **role == name) {
            Some(role) => {
                roles.insert(*role, read_role(role, value, faults));
            }
            None => {
                let hint = format!("the roles are {}", ROLES.join(", "));
                faults.push(Misfit::new(key.span(), format!("unknown role `{name}`"), hint));
            }
        }
    }
    roles
}

fn read_role(role: &str, value: &Spanned<DeValue<'_>>, faults: &mut Vec<Misfit>) -> Style {
    let mut style = Style::default();
    let DeValue::Table(table) = value.get_ref() else {
        faults.push(Misfit::of_kind(value.span(), value.get_ref(), "a table", ROLE_HINT));
        return style;
    };
    for (key, value) in table {
        let name: &str = key.get_ref();
        match name {
            "fg" => style.fg = colour(role, value, faults),
            "bg" => style.bg = colour(role, value, faults),
            "is" => style = style.add_modifier(modifiers(role, value, faults)),
            unknown => {
                faults.push(Misfit::new(key.span(), format!("role `{role}`: unknown key `{unknown}`"), ROLE_HINT));
            }
        }
    }
    style
}

fn colour(role: &str, value: &Spanned<DeValue<'_>>, faults: &mut Vec<Misfit>) -> Option<Color> {
    const HINT: &str = "write \"#rrggbb\", a colour's name such as \"light-blue\", or the number of a palette of 256";
    let DeValue::String(word) = value.get_ref() else {
        faults.push(Misfit::of_kind(value.span(), value.get_ref(), "a colour", HINT));
        return None;
    };
    let colour = Color::from_str(word).ok();
    if colour.is_none() {
        faults.push(Misfit::new(value.span(), format!("role `{role}`: `{word}` is no colour"), HINT));
    }
    colour
}

fn modifiers(role: &str, value: &Spanned<DeValue<'_>>, faults: &mut Vec<Misfit>) -> Modifier {
    const HINT: &str = "write bold, dim, underlined or reversed, each in quotes, in brackets";
    let mut modifiers = Modifier::empty();
    let DeValue::Array(words) = value.get_ref() else {
        faults.push(Misfit::of_kind(value.span(), value.get_ref(), "an array", HINT));
        return modifiers;
    };
    for word in words {
        let text = word.get_ref().as_str().unwrap_or_default();
        match text {
            "bold" => modifiers |= Modifier::BOLD,
            "dim" => modifiers |= Modifier::DIM,
            "underlined" => modifiers |= Modifier::UNDERLINED,
            "reversed" => modifiers |= Modifier::REVERSED,
            other => faults.push(Misfit::new(word.span(), format!("role `{role}`: `{other}` is no modifier"), HINT)),
        }
    }
    modifiers
}
