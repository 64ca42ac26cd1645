//! Moving a branch on to where a remote has it: forward along its history or not at all.
//!
//! Nothing is fetched here, for that takes the user's own git with its keys and helpers; what was fetched lies under
//! [`FETCHED`], beside the refs of people.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, Oid, Repository, RepositoryState, StatusOptions};

/// Where the fetched commit of each branch is kept.
const FETCHED: &str = "refs/trainyard/fetched";

/// Why a branch is not moved.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// There is no repository, or it cannot be read.
    #[error("the git repository {path} cannot be read: {message}; `git -C {path} status` says more")]
    Git {
        /// Where.
        path: PathBuf,
        /// What git said.
        message: String,
    },
    /// HEAD is detached.
    #[error("HEAD of {path} is on no branch, so it is not known which to follow; name it as `branch` in [source]")]
    NoBranch {
        /// The repository.
        path: PathBuf,
    },
    /// The work tree is on another branch.
    #[error("{path} is not on branch `{branch}`, so that is not moved on; run `git switch {branch}` there")]
    OtherBranch {
        /// The work tree.
        path: PathBuf,
        /// The branch that is followed.
        branch: String,
    },
    /// The work tree holds what a move may destroy.
    #[error("{path} has changes that are not committed, so `{branch}` is not moved on to {to}; commit or stash them")]
    Dirty {
        /// The work tree.
        path: PathBuf,
        /// The branch that is followed.
        branch: String,
        /// Where it would be moved.
        to: String,
    },
    /// A merge, a rebase or the like is under way.
    #[error(
        "{path} is in the middle of a merge, a rebase or the like, so `{branch}` is not moved on; finish or abort it"
    )]
    Unfinished {
        /// The work tree.
        path: PathBuf,
        /// The branch that is followed.
        branch: String,
    },
    /// Both sides have commits that the other has not.
    #[error(
        "`{branch}` of {path} is at {ours} and the remote's at {theirs}, and neither comes behind the other; nothing is changed here: merge them, or reset one to the other"
    )]
    Parted {
        /// The repository.
        path: PathBuf,
        /// The branch.
        branch: String,
        /// Its commit here.
        ours: String,
        /// Its commit there.
        theirs: String,
    },
}

/// What is left to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advance {
    /// The branch is where it should be.
    Done,
    /// The work tree is to be moved by `git merge --ff-only`.
    Merge,
}

/// A branch that follows a remote.
pub struct FollowedBranch {
    repository: Repository,
    path: PathBuf,
    branch: String,
}

impl FollowedBranch {
    /// Opens the repository at `path`; without a name, the branch is that of HEAD, also if it has no commit yet.
    pub fn open(path: &Path, branch: Option<&str>) -> Result<Self, FollowError> {
        let at = error_at(path);
        let repository = Repository::discover(path).map_err(&at)?;
        let branch = match branch {
            Some(branch) => branch.to_owned(),
            None => {
                let head = repository.find_reference("HEAD").map_err(&at)?;
                let target = head.symbolic_target().ok().flatten().and_then(|name| name.strip_prefix("refs/heads/"));
                target.ok_or_else(|| FollowError::NoBranch { path: path.to_owned() })?.to_owned()
            }
        };
        Ok(Self { repository, path: path.to_owned(), branch })
    }

    /// Its name.
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// Where what is fetched of it belongs.
    pub fn fetched(&self) -> String {
        format!("{FETCHED}/{}", self.branch)
    }

    /// Whether the user's settings of git name a program in place of plain `ssh`.
    pub fn has_own_ssh(&self) -> bool {
        self.repository.config().is_ok_and(|settings| settings.get_string("core.sshcommand").is_ok())
    }

    /// Moves the branch on to what was fetched. In a work tree that is for git to do, once nothing is in its way.
    pub fn advance(&self) -> Result<Advance, FollowError> {
        let at = error_at(&self.path);
        let own = format!("refs/heads/{}", self.branch);
        let theirs = self.repository.refname_to_id(&self.fetched()).map_err(&at)?;
        let ours = match self.repository.refname_to_id(&own) {
            Ok(ours) => Some(ours),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(at(error)),
        };
        if let Some(ours) = ours {
            let is_behind = |one: Oid, other: Oid| self.repository.graph_descendant_of(one, other).map_err(&at);
            if ours == theirs || is_behind(ours, theirs)? {
                return Ok(Advance::Done);
            }
            if !is_behind(theirs, ours)? {
                let (path, branch) = (self.path.clone(), self.branch.clone());
                return Err(FollowError::Parted { path, branch, ours: short(ours), theirs: short(theirs) });
            }
        }
        if !self.repository.is_bare() {
            return self.clear_for(theirs).map(|()| Advance::Merge);
        }
        let why = "trainyard: fast-forward to the remote";
        match ours {
            // Whoever pushes at this moment wins: the next look finds what is there then.
            Some(ours) => self.repository.reference_matching(&own, theirs, true, ours, why).map_err(&at)?,
            None => self.repository.reference(&own, theirs, false, why).map_err(&at)?,
        };
        Ok(Advance::Done)
    }

    /// Whether nothing in the work tree is in the way. Files that git does not know are git's own affair.
    fn clear_for(&self, to: Oid) -> Result<(), FollowError> {
        let (path, branch) = (self.path.clone(), self.branch.clone());
        let own = format!("refs/heads/{branch}");
        let head = self.repository.find_reference("HEAD").map_err(error_at(&self.path))?;
        if head.symbolic_target().ok().flatten() != Some(own.as_str()) {
            return Err(FollowError::OtherBranch { path, branch });
        }
        if self.repository.state() != RepositoryState::Clean {
            return Err(FollowError::Unfinished { path, branch });
        }
        let mut options = StatusOptions::new();
        options.include_untracked(false).include_ignored(false).exclude_submodules(true);
        let statuses = self.repository.statuses(Some(&mut options)).map_err(error_at(&self.path))?;
        if statuses.is_empty() { Ok(()) } else { Err(FollowError::Dirty { path, branch, to: short(to) }) }
    }
}

fn short(id: Oid) -> String {
    id.to_string().chars().take(7).collect()
}

fn error_at(path: &Path) -> impl Fn(git2::Error) -> FollowError + '_ {
    move |error| FollowError::Git { path: path.to_owned(), message: error.message().to_owned() }
}

#[cfg(test)]
mod tests {
    use git2::{Commit, Signature, Time};

    use super::*;

    /// A commit behind `parent` that differs by its message, and is on no branch.
    fn commit(repository: &Repository, parent: Option<Oid>, message: &str) -> Oid {
        let tree = repository.find_tree(repository.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let author = Signature::new("tester", "tester@example.org", &Time::new(1_700_000_000, 0)).unwrap();
        let parent = parent.map(|parent| repository.find_commit(parent).unwrap());
        let parents: Vec<&Commit<'_>> = parent.iter().collect();
        repository.commit(None, &author, &author, message, &tree, &parents).unwrap()
    }

    fn set(repository: &Repository, name: &str, to: Oid) {
        repository.reference(name, to, true, "test").unwrap();
    }

    #[test]
    fn a_branch_goes_forward_stays_when_it_is_ahead_and_is_left_when_both_have_parted() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init_bare(folder.path()).unwrap();
        let first = commit(&repository, None, "first");
        let (left, right) = (commit(&repository, Some(first), "left"), commit(&repository, Some(first), "right"));
        let followed = FollowedBranch::open(folder.path(), Some("main")).unwrap();
        let ours = || repository.refname_to_id("refs/heads/main").unwrap();
        for (fetched, ends_at) in [(first, first), (left, left), (first, left)] {
            set(&repository, &followed.fetched(), fetched);
            assert_eq!(followed.advance().unwrap(), Advance::Done);
            assert_eq!(ours(), ends_at);
        }
        set(&repository, &followed.fetched(), right);
        let told = followed.advance().unwrap_err().to_string();
        assert!(told.contains("neither comes behind the other") && told.contains(&short(right)), "{told}");
        assert_eq!(ours(), left);
    }

    #[test]
    fn a_work_tree_is_left_to_git_and_not_at_all_when_it_is_on_another_branch() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        let first = commit(&repository, None, "first");
        set(&repository, "refs/heads/main", first);
        set(&repository, "refs/heads/other", first);
        repository.set_head("refs/heads/main").unwrap();
        let followed = FollowedBranch::open(folder.path(), None).unwrap();
        assert_eq!(followed.branch(), "main");
        set(&repository, &followed.fetched(), commit(&repository, Some(first), "second"));
        assert_eq!(followed.advance().unwrap(), Advance::Merge);
        repository.set_head("refs/heads/other").unwrap();
        let told = followed.advance().unwrap_err().to_string();
        assert!(told.contains("is not on branch `main`"), "{told}");
        assert_eq!(repository.refname_to_id("refs/heads/main").unwrap(), first);
    }
}
