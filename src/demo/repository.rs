//! The git repository of the demo project.

use std::path::Path;

use git2::{Error, ErrorCode, IndexAddOption, Repository, RepositoryInitOptions, Signature};

/// Makes `folder` a repository whose branch `main` holds all that is not ignored; what is there already is kept.
pub(super) fn prepare(folder: &Path) -> Result<(), Error> {
    let repository = match Repository::open(folder) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::NotFound => init(folder)?,
        Err(error) => return Err(error),
    };
    match repository.head() {
        Ok(_) => Ok(()),
        Err(error) if error.code() == ErrorCode::UnbornBranch => commit(&repository),
        Err(error) => Err(error),
    }
}

fn init(folder: &Path) -> Result<Repository, Error> {
    let mut options = RepositoryInitOptions::new();
    // The user's own templates may hold hooks, which have no business here.
    options.initial_head("main").external_template(false);
    Repository::init_opts(folder, &options)
}

/// In a name of its own: a machine without a git identity can run the demo too.
fn commit(repository: &Repository) -> Result<(), Error> {
    let mut index = repository.index()?;
    index.add_all(["*"], IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let author = Signature::now("trainyard demo", "demo@localhost")?;
    repository.commit(Some("HEAD"), &author, &author, "The wine-quality demo", &tree, &[])?;
    Ok(())
}
