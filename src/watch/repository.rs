//! The git repository that the source may be: what is ignored, where HEAD or the branch points, a clean checkout of a
//! commit.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use git2::build::CheckoutBuilder;
use git2::{
    BranchType, ErrorCode, ObjectType, Oid, Repository, RepositoryState, StatusOptions, TreeWalkMode, TreeWalkResult,
};

use super::pointers::{Missing, POINTER_LIMIT, is_pointer};

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
    #[error("the git repository {path} cannot be read: {message}; `git -C {path} fsck` says more")]
    Git {
        /// The work tree.
        path: PathBuf,
        /// What git said.
        message: String,
    },
    /// There is none, and commits are to be pushed to it.
    #[error("{path} is no git repository; `git init --bare {path}` makes one that people can push to")]
    NotThere {
        /// Where it should be.
        path: PathBuf,
    },
    /// It has no work tree, and saved files are waited for.
    #[error("{path} is a bare repository, in which no file is ever saved; write `trigger = \"push\"` in [source]")]
    Bare {
        /// The repository.
        path: PathBuf,
    },
    /// The branch is not there, not yet or not any more.
    #[error(
        "{path} has no branch `{branch}`{others}, so nothing runs; push it, or name another as `branch` in [source]"
    )]
    NoBranch {
        /// The repository.
        path: PathBuf,
        /// The branch that is waited for.
        branch: String,
        /// The branches that are there, as part of a sentence.
        others: String,
    },
    /// The branch leads nowhere.
    #[error(
        "branch `{branch}` of {path} points to no commit ({message}); `git -C {path} fsck` says more, and a new push mends it"
    )]
    NoCommit {
        /// The repository.
        path: PathBuf,
        /// The branch.
        branch: String,
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

/// The files of a commit, and what stands in it for something else.
#[derive(Debug, Clone, Default)]
pub(super) struct CommitFiles {
    /// Each with the digest that git gave it.
    pub(super) files: Vec<(String, String)>,
    pub(super) missing: Missing,
}

/// Branches that are named in place of one that is missing.
const OTHERS: usize = 5;

/// An open repository.
pub(super) struct SourceRepository {
    repository: Repository,
    tree: PathBuf,
    /// The branch that counts; `None` is that of HEAD.
    branch: Option<String>,
    /// What tells its folder from another that takes its place.
    identity: Option<(u64, u64)>,
}

impl SourceRepository {
    /// Opens the repository that holds `tree`; `None` when there is none. Of a work tree whose files count, HEAD says where
    /// it stands, whatever `branch` is.
    pub(super) fn open(tree: &Path, branch: Option<&str>, by_commit: bool) -> Result<Option<Self>, RepositoryError> {
        match Repository::discover(tree) {
            Ok(repository) => {
                let branch = branch.filter(|_| by_commit || repository.is_bare()).map(str::to_owned);
                let identity = identity(repository.path());
                Ok(Some(Self { repository, tree: tree.to_owned(), branch, identity }))
            }
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error_at(tree)(error)),
        }
    }

    /// The folder of the repository itself, which holds HEAD and refs.
    pub(super) fn git_folder(&self) -> &Path {
        self.repository.path()
    }

    /// The folder that holds the refs, which is another one for a work tree made by `git worktree`.
    pub(super) fn common_folder(&self) -> &Path {
        self.repository.commondir()
    }

    /// Whether it has no work tree.
    pub(super) fn is_bare(&self) -> bool {
        self.repository.is_bare()
    }

    /// Whether its folder is still the one that was opened.
    pub(super) fn is_in_place(&self) -> bool {
        self.identity.is_some() && identity(self.git_folder()) == self.identity
    }

    /// Whether the history that led to `from` is left: `to` does not come behind it. So it is too when `from` is gone.
    pub(super) fn is_rewritten(&self, from: &str, to: &str) -> bool {
        let (Ok(from), Ok(to)) = (Oid::from_str(from), Oid::from_str(to)) else { return false };
        from != to && !self.repository.graph_descendant_of(to, from).unwrap_or(false)
    }

    /// Submodules of the work tree, below the source tree, that are not checked out.
    pub(super) fn absent_submodules(&self) -> Vec<String> {
        let Some(root) = self.repository.workdir().filter(|root| root.join(".gitmodules").is_file()) else {
            return Vec::new();
        };
        let prefix = self.prefix();
        let paths = self.repository.submodules().unwrap_or_default();
        let absent = paths.iter().map(git2::Submodule::path).filter(|path| !root.join(path).join(".git").exists());
        absent.map(|path| path.display().to_string()).filter(|path| path.starts_with(&prefix)).collect()
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

    /// Where the branch points, or HEAD; in a work tree, nothing before the first commit.
    pub(super) fn head(&self) -> Result<Head, RepositoryError> {
        let found = match &self.branch {
            Some(branch) => self.repository.find_reference(&format!("refs/heads/{branch}")),
            None => self.repository.head(),
        };
        let head = match found {
            Ok(head) => head,
            Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
                if self.branch.is_some() || self.is_bare() {
                    return Err(self.no_branch());
                }
                return Ok(Head::default());
            }
            Err(error) => return Err(error_at(&self.tree)(error)),
        };
        let branch = head.is_branch().then(|| head.shorthand().map(str::to_owned).ok()).flatten();
        let commit = head.peel_to_commit().map_err(|error| RepositoryError::NoCommit {
            path: self.tree.clone(),
            branch: branch.clone().unwrap_or_else(|| "HEAD".to_owned()),
            message: error.message().to_owned(),
        })?;
        let summary = commit.summary().ok().flatten().unwrap_or_default().to_owned();
        Ok(Head { commit: Some(commit.id().to_string()), branch, summary })
    }

    /// Whether the work tree differs from HEAD.
    pub(super) fn is_dirty(&self) -> bool {
        let mut options = StatusOptions::new();
        options.include_untracked(true).include_ignored(false).recurse_untracked_dirs(false);
        self.repository.statuses(Some(&mut options)).is_ok_and(|statuses| !statuses.is_empty())
    }

    /// That the branch is missing, with what is there in its place.
    fn no_branch(&self) -> RepositoryError {
        let of_head = || {
            let head = self.repository.find_reference("HEAD").ok()?;
            let target = head.symbolic_target().ok().flatten()?;
            Some(target.strip_prefix("refs/heads/").unwrap_or(target).to_owned())
        };
        let branch = self.branch.clone().or_else(of_head).unwrap_or_else(|| "HEAD".to_owned());
        let mut names = Vec::new();
        if let Ok(branches) = self.repository.branches(Some(BranchType::Local)) {
            for (found, _) in branches.flatten().take(OTHERS) {
                names.extend(found.name().ok().flatten().map(|name| format!("`{name}`")));
            }
        }
        let others = if names.is_empty() { String::new() } else { format!(" (it has {})", names.join(", ")) };
        RepositoryError::NoBranch { path: self.tree.clone(), branch, others }
    }

    /// The files of a commit below the source tree.
    pub(super) fn files_of(&self, commit: &str) -> Result<CommitFiles, RepositoryError> {
        let at = error_at(&self.tree);
        let commit = Oid::from_str(commit).and_then(|id| self.repository.find_commit(id)).map_err(&at)?;
        let tree = commit.tree().map_err(&at)?;
        let prefix = self.prefix();
        let mut found = CommitFiles::default();
        tree.walk(TreeWalkMode::PreOrder, |folder, entry| {
            let path = format!("{folder}{}", entry.name().unwrap_or_default());
            if let Some(relative) = path.strip_prefix(&prefix).map(str::to_owned) {
                match entry.kind() {
                    Some(ObjectType::Blob) => {
                        if self.is_pointer(entry.id()) {
                            found.missing.pointers.push(relative.clone());
                        }
                        found.files.push((relative, entry.id().to_string()));
                    }
                    Some(ObjectType::Commit) => found.missing.submodules.push(relative),
                    _ => {}
                }
            }
            TreeWalkResult::Ok
        })
        .map_err(&at)?;
        Ok(found)
    }

    /// Whether a blob is a pointer of Git LFS. Large ones are not read for it.
    fn is_pointer(&self, id: Oid) -> bool {
        let size = self.repository.odb().and_then(|objects| objects.read_header(id)).map(|(size, _)| size as u64);
        size.is_ok_and(|size| size < POINTER_LIMIT)
            && self.repository.find_blob(id).is_ok_and(|blob| is_pointer(blob.content()))
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

fn identity(folder: &Path) -> Option<(u64, u64)> {
    fs::metadata(folder).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

/// Whether `tree` is a repository without a work tree, of which only commits can be worked on.
pub fn is_bare(tree: &Path) -> bool {
    Repository::discover(tree).is_ok_and(|repository| repository.is_bare())
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
    if repository.is_bare() {
        // libgit2 asks for a work tree where a commit has submodules. This is said of the open repository, not of its folder.
        repository.set_workdir(&partial, false).map_err(&at)?;
    }
    let mut how = CheckoutBuilder::new();
    // The user's index and work tree are not ours to touch.
    how.target_dir(&partial).force().recreate_missing(true).update_index(false);
    repository.checkout_tree(&object, Some(&mut how)).map_err(&at)?;
    fs::rename(&partial, folder).map_err(folder_error)
}
