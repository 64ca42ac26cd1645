//! What has to be known of a Dockerfile before it is built: which arguments it declares, and which images it begins
//! with.
//!
//! Only that is read; whether the file is right is for the engine to say. Known gap: the lines of a here-document are
//! read as instructions, so an `ARG` in one counts as declared, which costs a warning of the engine at most.

use std::collections::{BTreeMap, BTreeSet};

/// The letter that joins lines unless the file says otherwise.
const ESCAPE: char = '\\';

/// An instruction: its keyword in capitals, and what follows it in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Instruction {
    keyword: String,
    rest: String,
}

/// Whether the file declares that build argument anywhere.
pub fn declares_argument(text: &str, name: &str) -> bool {
    instructions(text)
        .iter()
        .filter(|instruction| instruction.keyword == "ARG")
        .flat_map(|instruction| instruction.rest.split_whitespace())
        .any(|argument| argument.split('=').next() == Some(name))
}

/// The images of `FROM` and of `COPY --from`, as far as their names are known before the build. `arguments` are those
/// that the build is given.
pub fn base_images(text: &str, arguments: &BTreeMap<String, String>) -> BTreeSet<String> {
    let instructions = instructions(text);
    let mut known = BTreeMap::new();
    let mut stages = BTreeSet::from(["scratch".to_owned()]);
    let mut images = BTreeSet::new();
    for Instruction { keyword, rest } in &instructions {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let named = match keyword.as_str() {
            // Only what is declared before the first `FROM` can stand in one; others do no harm here.
            "ARG" => {
                for (name, value) in words.iter().filter_map(|word| word.split_once('=')) {
                    let value = arguments.get(name).map_or(value.trim_matches(['"', '\'']), String::as_str);
                    known.insert(name.to_owned(), value.to_owned());
                }
                None
            }
            "FROM" => {
                let mut words = words.iter().skip_while(|word| word.starts_with("--"));
                let image = words.next().map(|image| fill_in(image, &known)).filter(|image| is_image(image, &stages));
                let is_named = words.next().is_some_and(|word| word.eq_ignore_ascii_case("as"));
                stages.extend(words.next().filter(|_| is_named).map(|name| name.to_lowercase()));
                image
            }
            "COPY" => {
                let from = words.iter().find_map(|word| word.strip_prefix("--from="));
                from.map(str::to_owned).filter(|from| is_image(from, &stages))
            }
            _ => None,
        };
        images.extend(named);
    }
    images
}

/// Whether a name is that of an image, and not of a stage above or of something that is not known yet.
fn is_image(name: &str, stages: &BTreeSet<String>) -> bool {
    let is_number = name.chars().all(|letter| letter.is_ascii_digit());
    !name.contains('$') && !is_number && !stages.contains(&name.to_lowercase())
}

/// Puts what is known in place of `$NAME` and `${NAME}`; what is not known stays as it is.
fn fill_in(word: &str, known: &BTreeMap<String, String>) -> String {
    let mut names: Vec<_> = known.iter().collect();
    // The longest first, for `$BASE_TAG` is not `$BASE` and a rest.
    names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    names.into_iter().fold(word.to_owned(), |word, (name, value)| {
        word.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value)
    })
}

fn instructions(text: &str) -> Vec<Instruction> {
    let escape = escape(text);
    let mut instructions = Vec::new();
    let mut open = String::new();
    for line in text.lines() {
        let line = line.trim();
        // Also in the middle of an instruction, comments and empty lines mean nothing.
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(joined) = line.strip_suffix(escape) {
            open.push_str(joined);
            open.push(' ');
            continue;
        }
        open.push_str(line);
        instructions.extend(instruction(&open));
        open.clear();
    }
    instructions.extend(instruction(&open));
    instructions
}

fn instruction(line: &str) -> Option<Instruction> {
    let (keyword, rest) = line.trim().split_once(char::is_whitespace)?;
    Some(Instruction { keyword: keyword.to_uppercase(), rest: rest.trim().to_owned() })
}

/// The letter of the directive `# escape=`, which may stand only among the comments at the top.
fn escape(text: &str) -> char {
    let directives =
        text.lines().map_while(|line| line.trim().strip_prefix('#')).filter_map(|line| line.split_once('='));
    let mut escapes = directives.filter(|(name, _)| name.trim().eq_ignore_ascii_case("escape"));
    escapes.next().and_then(|(_, letter)| letter.trim().chars().next()).unwrap_or(ESCAPE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn images(text: &str) -> Vec<String> {
        base_images(text, &BTreeMap::from([("TAG".to_owned(), "3.13".to_owned())])).into_iter().collect()
    }

    #[test]
    fn an_argument_is_declared_wherever_it_stands() {
        let declares = |text| declares_argument(text, "TRAINYARD_MODEL");
        assert!(declares("FROM scratch\nARG TRAINYARD_MODEL\nCOPY ${TRAINYARD_MODEL} /model"));
        assert!(declares("from scratch\n  arg A=1 TRAINYARD_MODEL=x"));
        assert!(declares("ARG A \\\n  # a comment\n\n  TRAINYARD_MODEL\n"));
        assert!(declares("# escape=`\nFROM a\nARG A `\n TRAINYARD_MODEL"));
        assert!(!declares("FROM scratch\n# ARG TRAINYARD_MODEL\nENV TRAINYARD_MODEL=x"));
        assert!(!declares("ARG TRAINYARD_MODEL_PATH"));
        assert!(!declares("") && !declares("ARG"));
    }

    #[test]
    fn the_images_that_a_build_begins_with_are_found() {
        assert_eq!(images("FROM python:3.12-slim"), ["python:3.12-slim"]);
        assert_eq!(images("FROM --platform=linux/amd64 registry.example.com/base AS b"), ["registry.example.com/base"]);
        assert_eq!(images("FROM a:1 AS build\nFROM build\nFROM scratch\nCOPY --from=build x y"), ["a:1"]);
        assert_eq!(images("FROM b AS b"), ["b"]);
        assert_eq!(images("FROM a AS Build\nCOPY --from=build x y\nCOPY --from=0 x y"), ["a"]);
        assert_eq!(
            images("FROM a\nCOPY --from=registry.example.com/tools:1 x y"),
            ["a", "registry.example.com/tools:1"]
        );
    }

    #[test]
    fn arguments_are_filled_in_as_far_as_they_are_known() {
        assert_eq!(images("ARG TAG=3.12\nARG BASE=python\nFROM ${BASE}:$TAG"), ["python:3.13"]);
        assert_eq!(images("ARG A=x\nARG A_B=\"y\"\nFROM $A_B"), ["y"]);
        assert_eq!(images("ARG BASE\nFROM $BASE"), Vec::<String>::new());
    }
}
