//! The git repository that the source may be: what is ignored, where HEAD points, a clean checkout of a commit.

use std::fs;
use std::path::{Path, PathBuf};

use git2::build::CheckoutBuilder;
use git2::{ErrorCode, ObjectType, Oid, Repository, RepositoryState, StatusOptions, TreeWalkMode, TreeWalkResult};

/// Why the repository cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RepositoryError {
    /// git refuses repositories of other users.
    #[error(
        "{path} belongs to another user, so git refuses to read it; run `git config --global --add safe.directory {path}`"
    )]
    Owner {
        /// The work tree.
        path: PathBuf,
    },
    /// Something else.
    #[error("the git repository {path} cannot be read: {message}")]
    Git {
        /// The work tree.
        path: PathBuf,
        /// What git said.
        message: String,
    },
    /// A folder cannot be written.
    #[error("cannot write {path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

fn error_at(path: &Path) -> impl Fn(git2::Error) -> RepositoryError + '_ {
    move |error| match error.code() {
        ErrorCode::Owner => RepositoryError::Owner { path: path.to_owned() },
        _ => RepositoryError::Git { path: path.to_owned(), message: error.message().to_owned() },
    }
}

/// Where HEAD points.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Head {
    pub(super) commit: Option<String>,
    pub(super) branch: Option<String>,
    pub(super) summary: String,
}

/// An open repository.
pub(super) struct SourceRepository {
    repository: Repository,
    tree: PathBuf,
}

impl SourceRepository {
    /// Opens the repository that holds `tree`; `None` when there is none.
    pub(super) fn open(tree: &Path) -> Result<Option<Self>, RepositoryError> {
        match Repository::discover(tree) {
            Ok(repository) => Ok(Some(Self { repository, tree: tree.to_owned() })),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error_at(tree)(error)),
        }
    }

    /// The folder of the repository itself, which holds HEAD and refs.
    pub(super) fn git_folder(&self) -> &Path {
        self.repository.path()
    }

    /// What the repository is in the middle of, if it is.
    pub(super) fn unfinished(&self) -> Option<&'static str> {
        match self.repository.state() {
            RepositoryState::Clean => None,
            RepositoryState::Merge => Some("a merge"),
            RepositoryState::Revert | RepositoryState::RevertSequence => Some("a revert"),
            RepositoryState::CherryPick | RepositoryState::CherryPickSequence => Some("a cherry-pick"),
            RepositoryState::Bisect => Some("a bisect"),
            RepositoryState::Rebase | RepositoryState::RebaseInteractive | RepositoryState::RebaseMerge => {
                Some("a rebase")
            }
            RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => Some("applying patches"),
        }
    }

    /// Whether git ignores `path`. A path that cannot be judged counts.
    pub(super) fn is_ignored(&self, path: &Path) -> bool {
        let Some(root) = self.repository.workdir() else { return false };
        match path.strip_prefix(root) {
            Ok(relative) if !relative.as_os_str().is_empty() => {
                self.repository.is_path_ignored(relative).unwrap_or(false)
            }
            _ => false,
        }
    }

    /// Where HEAD points; nothing before the first commit.
    pub(super) fn head(&self) -> Result<Head, RepositoryError> {
        let head = match self.repository.head() {
            Ok(head) => head,
            Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
                return Ok(Head::default());
            }
            Err(error) => return Err(error_at(&self.tree)(error)),
        };
        let commit = head.peel_to_commit().map_err(error_at(&self.tree))?;
        let branch = head.is_branch().then(|| head.shorthand().map(str::to_owned).ok()).flatten();
        let summary = commit.summary().ok().flatten().unwrap_or_default().to_owned();
        Ok(Head { commit: Some(commit.id().to_string()), branch, summary })
    }

    /// Whether the work tree differs from HEAD.
    pub(super) fn is_dirty(&self) -> bool {
        let mut options = StatusOptions::new();
        options.include_untracked(true).include_ignored(false).recurse_untracked_dirs(false);
        self.repository.statuses(Some(&mut options)).is_ok_and(|statuses| !statuses.is_empty())
    }

    /// The files of HEAD below the source tree, with the digests that git gave them.
    pub(super) fn files_of_head(&self) -> Result<Vec<(String, String)>, RepositoryError> {
        let at = error_at(&self.tree);
        let Some(commit) = self.head()?.commit else { return Ok(Vec::new()) };
        let commit = Oid::from_str(&commit).and_then(|id| self.repository.find_commit(id)).map_err(&at)?;
        let tree = commit.tree().map_err(&at)?;
        let prefix = self.prefix();
        let mut files = Vec::new();
        tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
            if entry.kind() == Some(ObjectType::Blob) {
                let path = format!("{folder}{}", entry.name().unwrap_or_default());
                if let Some(relative) = path.strip_prefix(&prefix) {
                    files.push((relative.to_owned(), entry.id().to_string()));
                }
            }
            TreeWalkResult::Ok
        })
        .map_err(&at)?;
        Ok(files)
    }

    /// The source tree within the work tree, as git writes it, with a slash behind it; empty when they are the same.
    fn prefix(&self) -> String {
        let root = self.repository.workdir().and_then(|root| root.canonicalize().ok());
        let relative = root.and_then(|root| self.tree.strip_prefix(root).map(Path::to_owned).ok());
        match relative {
            Some(relative) if !relative.as_os_str().is_empty() => format!("{}/", relative.display()),
            _ => String::new(),
        }
    }
}

/// Makes a clean copy of `commit` in `folder`, whole or not at all; one that is there already is kept.
pub fn checkout(tree: &Path, commit: &str, folder: &Path) -> Result<(), RepositoryError> {
    if folder.exists() {
        return Ok(());
    }
    let at = error_at(tree);
    let repository = Repository::discover(tree).map_err(&at)?;
    let object = repository.revparse_single(commit).map_err(&at)?;
    let partial = folder.with_extension("partial");
    let folder_error = |source| RepositoryError::Folder { path: partial.clone(), source };
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(folder_error)?;
    }
    fs::create_dir_all(&partial).map_err(folder_error)?;
    let mut how = CheckoutBuilder::new();
    // The user's index and work tree are not ours to touch.
    how.target_dir(&partial).force().recreate_missing(true).update_index(false);
    repository.checkout_tree(&object, Some(&mut how)).map_err(&at)?;
    fs::rename(&partial, folder).map_err(folder_error)
}
