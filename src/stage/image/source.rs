//! Which source files go into the image.
//!
//! Never `.git` or `.trainyard`, and nothing that git ignores, because secrets and build leftovers live there. What is
//! already tracked counts as not ignored, as git itself holds it.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use git2::ErrorCode;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::layer::{Layer, is_executable};
use crate::config::ImageSettings;
use crate::stage::ignored::Ignored;

/// Why the source cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Git does not tell what it ignores.
    #[error("cannot ask git what it ignores in {path}: {reason}")]
    Git {
        /// The source.
        path: PathBuf,
        /// What git said, with the mend if there is one.
        reason: String,
    },
    /// A glob is not one.
    #[error("`include` of the image stage holds `{glob}`, which is no glob: {reason}")]
    Glob {
        /// The glob.
        glob: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no site to show.
    #[error(
        "the site folder {0} has no file that git does not ignore; put files there, or remove `site` from the image stage"
    )]
    EmptySite(PathBuf),
    /// The site lies elsewhere.
    #[error(
        "`site` of the image stage is `{0}`, which is not a folder inside of the source; give a relative path without `..`"
    )]
    SiteOutside(PathBuf),
}

/// The layer with all files of `source` that match one of the globs or belong to the site, below `/app`.
/// A glob that names a folder means all that is in it.
pub fn app_layer(source: &Path, settings: &ImageSettings) -> Result<Layer, SourceError> {
    let site = settings.site.as_deref();
    if let Some(site) = site
        && !site.components().all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(SourceError::SiteOutside(site.to_owned()));
    }
    let source = source.canonicalize().map_err(|error| SourceError::File { path: source.to_owned(), source: error })?;
    let wanted = globs(&settings.include)?;
    let ignored = Ignored::of(&source)
        .map_err(|error| SourceError::Git { path: source.clone(), reason: mend(&error, &source) })?;
    let walk = Walk { source: &source, ignored, wanted: &wanted, site, leave_out: &settings.leave_out };
    let mut layer = Layer::default();
    let mut site_files = 0_usize;
    walk.visit(&source, &mut layer, &mut site_files)?;
    match site {
        Some(site) if site_files == 0 => Err(SourceError::EmptySite(source.join(site))),
        _ => Ok(layer),
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, SourceError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let failed = |error: globset::Error| SourceError::Glob { glob: pattern.clone(), reason: error.to_string() };
        let pattern = pattern.trim_end_matches('/');
        for glob in [pattern.to_owned(), format!("{pattern}/**")] {
            set.add(GlobBuilder::new(&glob).literal_separator(true).build().map_err(failed)?);
        }
    }
    set.build().map_err(|error| SourceError::Glob { glob: patterns.join(", "), reason: error.to_string() })
}

struct Walk<'a> {
    source: &'a Path,
    ignored: Option<Ignored>,
    wanted: &'a GlobSet,
    site: Option<&'a Path>,
    leave_out: &'a [PathBuf],
}

impl Walk<'_> {
    fn visit(&self, folder: &Path, layer: &mut Layer, site_files: &mut usize) -> Result<(), SourceError> {
        let failed = |error| SourceError::File { path: folder.to_owned(), source: error };
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            let path = entry.path();
            let name = entry.file_name();
            let relative = path.strip_prefix(self.source).unwrap_or(&path);
            let is_left_out =
                name == ".git" || name == ".trainyard" || self.leave_out.iter().any(|left| left == relative);
            if is_left_out || self.is_ignored(&path, kind.is_dir())? {
                continue;
            }
            if kind.is_dir() {
                self.visit(&path, layer, site_files)?;
                continue;
            }
            let in_site = self.site.is_some_and(|site| relative.starts_with(site));
            if (in_site || self.wanted.is_match(relative)) && self.add(&path, relative, kind.is_symlink(), layer)? {
                *site_files += usize::from(in_site);
            }
        }
        Ok(())
    }

    /// Adds one file; false if it is of a kind that has no place in an image.
    fn add(&self, path: &Path, relative: &Path, is_link: bool, layer: &mut Layer) -> Result<bool, SourceError> {
        let failed = |error| SourceError::File { path: path.to_owned(), source: error };
        let place = Path::new("/app").join(relative);
        if is_link {
            let to = fs::read_link(path).map_err(failed)?;
            // A link is kept as it is, so it may only point to what comes along.
            if to.is_absolute() || !path.canonicalize().is_ok_and(|end| end.starts_with(self.source)) {
                println!("leaving out {}: it is a link to a place outside of the source", relative.display());
                return Ok(false);
            }
            layer.add_link(&place, &to);
            return Ok(true);
        }
        let metadata = fs::symlink_metadata(path).map_err(failed)?;
        if metadata.is_file() {
            layer.add_file(&place, path, &metadata, is_executable(&metadata));
        }
        Ok(metadata.is_file())
    }

    fn is_ignored(&self, path: &Path, is_folder: bool) -> Result<bool, SourceError> {
        match &self.ignored {
            Some(ignored) => ignored
                .contains(path, is_folder)
                .map_err(|error| SourceError::Git { path: path.to_owned(), reason: error.message().to_owned() }),
            None => Ok(false),
        }
    }
}

fn mend(error: &git2::Error, source: &Path) -> String {
    if error.code() == ErrorCode::Owner {
        let path = source.display();
        return format!(
            "the repository belongs to another user; if you trust it, run `git config --global --add safe.directory {path}`"
        );
    }
    error.message().to_owned()
}

#[cfg(test)]
mod tests {
    use git2::Repository;

    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        folder
    }

    fn count(folder: &Path, include: &[&str], site: Option<&str>) -> usize {
        app_layer(folder, &settings(include, site)).unwrap().file_count()
    }

    fn settings(include: &[&str], site: Option<&str>) -> ImageSettings {
        let include = include.iter().map(|glob| (*glob).to_owned()).collect();
        ImageSettings {
            include,
            site: site.map(PathBuf::from),
            leave_out: vec!["data".into(), "trainyard.toml".into()],
            ..ImageSettings::default()
        }
    }

    #[test]
    fn data_and_configuration_are_no_source() {
        let folder = tree(&["main.py", "data/1.csv", "src/data/2.csv", "trainyard.toml"]);
        assert_eq!(count(folder.path(), &["**"], None), 2);
    }

    #[test]
    fn globs_name_files_or_whole_folders_and_a_star_stays_in_its_folder() {
        let folder = tree(&["main.py", "src/a.py", "src/deep/b.py", "notes.txt"]);
        assert_eq!(count(folder.path(), &["*.py"], None), 1);
        assert_eq!(count(folder.path(), &["**/*.py"], None), 3);
        assert_eq!(count(folder.path(), &["src/"], None), 2);
        assert_eq!(count(folder.path(), &[], None), 0);
    }

    #[test]
    fn what_git_ignores_stays_out_unless_it_is_tracked() {
        let folder = tree(&["a.py", "secret.env", "kept.env", "build/out.py", ".trainyard/x.py"]);
        fs::write(folder.path().join(".gitignore"), "*.env\nbuild/\n").unwrap();
        let repository = Repository::init(folder.path()).unwrap();
        let mut index = repository.index().unwrap();
        index.add_all(["kept.env"], git2::IndexAddOption::FORCE, None).unwrap();
        index.write().unwrap();
        // `.gitignore`, `a.py` and `kept.env`.
        assert_eq!(count(folder.path(), &["**"], None), 3);
    }

    #[test]
    fn a_checkout_inside_of_an_ignored_folder_is_packed_whole() {
        let folder = tree(&[".trainyard/checkout/a.py", ".trainyard/.gitignore"]);
        fs::write(folder.path().join(".trainyard/.gitignore"), "*\n").unwrap();
        Repository::init(folder.path()).unwrap();
        assert_eq!(count(&folder.path().join(".trainyard/checkout"), &["**/*.py"], None), 1);
    }

    #[test]
    fn the_site_comes_along_without_a_glob_and_must_not_be_empty() {
        let folder = tree(&["site/index.html", "site/css/a.css", "main.py"]);
        assert_eq!(count(folder.path(), &[], Some("site")), 2);
        assert!(matches!(app_layer(folder.path(), &settings(&[], Some("gone"))), Err(SourceError::EmptySite(_))));
        assert!(matches!(app_layer(folder.path(), &settings(&[], Some("../x"))), Err(SourceError::SiteOutside(_))));
    }

    #[test]
    fn a_link_to_the_outside_stays_out() {
        let folder = tree(&["a.py"]);
        std::os::unix::fs::symlink("a.py", folder.path().join("b.py")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("c.py")).unwrap();
        assert_eq!(count(folder.path(), &["*.py"], None), 2);
    }
}
