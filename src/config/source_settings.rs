//! `[source]`: the repository, what of it starts runs, and where its commits come from.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use toml::Spanned;

use super::keys::Section;
use super::reader::TableReader;

/// Time between two looks at a remote, unless it is said.
const POLL: Duration = Duration::from_mins(1);

/// When a change of the source starts a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceTrigger {
    /// Whenever a file that git does not ignore is saved.
    Save,
    /// Whenever HEAD or the branch points to another commit; stages then run on a clean checkout of that commit.
    Commit,
    /// The same; the repository must be there, and is made with `git init --bare`.
    Push,
    /// Never by itself.
    Manual,
}

impl SourceTrigger {
    /// Whether only commits count, and stages run on a clean checkout of one. In a bare repository they always do.
    pub fn is_by_commit(self) -> bool {
        matches!(self, Self::Commit | Self::Push)
    }
}

/// `[source]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceSettings {
    /// The work tree or the bare repository, relative to the project folder.
    pub path: PathBuf,
    /// When a change starts a run.
    pub trigger: SourceTrigger,
    /// The branch whose commits count; `None` is that of HEAD.
    pub branch: Option<String>,
    /// Where commits are fetched from.
    pub remote: Option<RemoteSettings>,
    /// Globs that are ignored beyond `.gitignore`.
    pub ignore: Vec<String>,
}

/// `remote` and `poll` of `[source]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteSettings {
    /// The name of a remote of the repository, or a URL.
    pub name: String,
    /// Time between two looks.
    pub poll: Duration,
}

/// `[source]`
pub(super) fn source(root: &mut TableReader<'_>) -> SourceSettings {
    let mut reader = root.section("source", Section::Source, Section::Source.title().to_owned());
    let settings = SourceSettings {
        path: reader.path("path").unwrap_or_else(|| PathBuf::from(".")),
        trigger: match reader.choice("trigger") {
            Some("commit") => SourceTrigger::Commit,
            Some("push") => SourceTrigger::Push,
            Some("manual") => SourceTrigger::Manual,
            _ => SourceTrigger::Save,
        },
        branch: branch(&mut reader),
        remote: remote(&mut reader),
        ignore: reader.globs("ignore").unwrap_or_default(),
    };
    reader.finish();
    settings
}

fn branch(reader: &mut TableReader<'_>) -> Option<String> {
    let branch = reader.filled("branch")?;
    if !is_branch_name(branch.get_ref()) {
        let message = format!("`{}` cannot be the name of a branch", branch.get_ref());
        reader.problems.add(branch.span(), message, reader.example("branch"));
    }
    Some(branch.into_inner())
}

fn remote(reader: &mut TableReader<'_>) -> Option<RemoteSettings> {
    let poll_span = reader.entry("poll").map(|entry| entry.key_span);
    let poll = reader.duration("poll").unwrap_or(POLL);
    let remote = reader.filled("remote");
    if let (Some(span), false) = (poll_span, reader.has("remote")) {
        let message = "`poll` says how often `remote` is looked at, and there is none";
        reader.problems.add(span, message, "add `remote = \"origin\"`, or remove `poll`");
    }
    let remote: Spanned<String> = remote?;
    let name = remote.get_ref();
    // What begins with a dash would be an option of git.
    if name.starts_with('-') || name.chars().any(|letter| letter.is_control() || letter == ' ') {
        let message = format!("`{name}` is neither the name of a remote nor a URL");
        reader.problems.add(remote.span(), message, reader.example("remote"));
    }
    Some(RemoteSettings { name: remote.into_inner(), poll })
}

/// The rules of `git check-ref-format --branch`.
fn is_branch_name(name: &str) -> bool {
    let is_bad = |letter: char| letter.is_control() || letter.is_whitespace() || "~^:?*[\\".contains(letter);
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.strip_suffix(".lock").is_none();
    !name.starts_with('-')
        && name != "@"
        && !name.ends_with('.')
        && !name.contains("..")
        && !name.contains("@{")
        && !name.chars().any(is_bad)
        && name.split('/').all(is_part)
}
