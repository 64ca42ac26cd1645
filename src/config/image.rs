//! A stage with `uses = "image"`: the model server, or a Dockerfile of the user's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::keys::Section;
use super::reader::TableReader;
use super::settings::{DockerfileSettings, ImageSettings, ImageStore};

/// What its keys say, and the globs of the source files that it takes in.
pub(super) fn image(reader: &mut TableReader<'_>) -> (ImageSettings, Vec<String>) {
    let include = reader.globs("include").unwrap_or_default();
    let site = reader.inside("site");
    let dockerfile = dockerfile(reader);
    let inputs = match &dockerfile {
        Some((_, inputs)) => inputs.clone(),
        None => include.iter().cloned().chain(site.as_deref().map(below)).collect(),
    };
    let settings = ImageSettings {
        include,
        site,
        // What is left out is known once the whole configuration is, and so is where the image is kept.
        leave_out: Vec::new(),
        store: ImageStore::default(),
        dockerfile: dockerfile.map(|(settings, _)| settings),
        push: reader.repository("push"),
    };
    (settings, inputs)
}

/// The Dockerfile, if there is one, and what of the source its image depends on.
fn dockerfile(reader: &mut TableReader<'_>) -> Option<(DockerfileSettings, Vec<String>)> {
    reader.entry("dockerfile")?;
    reader.allow(Section::Dockerfile);
    for key in ["include", "site"] {
        if let Some(entry) = reader.entry(key) {
            let message = format!("`{key}` in {} is for an image without a `dockerfile`", reader.title());
            let hint = format!("remove `{key}`: `COPY` in the Dockerfile says what goes into the image");
            reader.problems.add(entry.key_span, message, hint);
        }
    }
    let path = path(reader);
    let context = reader.inside("context").unwrap_or_else(|| PathBuf::from("."));
    let written = reader.globs("inputs");
    let inputs = inputs(&path, &context, written);
    let settings = DockerfileSettings {
        path,
        context,
        target: reader.filled("build_target").map(Spanned::into_inner),
        arguments: reader.variables("arguments"),
        secrets: reader.secrets("secrets"),
        silence: reader.duration("silence").unwrap_or(Duration::from_mins(10)),
    };
    Some((settings, inputs))
}

fn path(reader: &mut TableReader<'_>) -> PathBuf {
    let path = reader.inside("dockerfile");
    if path.as_deref() == Some(Path::new("."))
        && let Some(entry) = reader.entry("dockerfile")
    {
        let message = format!("`dockerfile` in {} names a folder", reader.title());
        reader.problems.add(entry.span, message, "name the file in it: `dockerfile = \"Dockerfile\"`");
    }
    path.unwrap_or_else(|| PathBuf::from("Dockerfile"))
}

/// What is written, else the whole context. What says how the image is built counts in any case.
fn inputs(path: &Path, context: &Path, written: Option<Vec<String>>) -> Vec<String> {
    let has_context = written.is_none();
    let mut inputs = written.unwrap_or_else(|| vec![below(context)]);
    // The engine reads `app.Dockerfile.dockerignore` beside `app.Dockerfile` before that of the context.
    let mut ignore = path.as_os_str().to_owned();
    ignore.push(".dockerignore");
    for file in [path.to_owned(), PathBuf::from(ignore), context.join(".dockerignore")] {
        let is_in_context = context == Path::new(".") || file.starts_with(context);
        if !(has_context && is_in_context) {
            inputs.push(exactly(&file));
        }
    }
    inputs
}

/// All that is in a folder, as a glob.
fn below(folder: &Path) -> String {
    if folder == Path::new(".") { "**".to_owned() } else { format!("{}/**", exactly(folder)) }
}

/// One file or folder, as a glob.
fn exactly(path: &Path) -> String {
    let plain = path.strip_prefix(".").unwrap_or(path);
    globset::escape(&plain.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(path: &str, context: &str, written: Option<&[&str]>) -> Vec<String> {
        let written = written.map(|globs| globs.iter().map(|glob| (*glob).to_owned()).collect());
        inputs(Path::new(path), Path::new(context), written)
    }

    #[test]
    fn an_image_depends_on_the_whole_context() {
        assert_eq!(of("Dockerfile", ".", None), ["**"]);
        assert_eq!(of("app/Dockerfile", "app", None), ["app/**"]);
        assert_eq!(
            of("docker/app.Dockerfile", "app", None),
            ["app/**", "docker/app.Dockerfile", "docker/app.Dockerfile.dockerignore"]
        );
    }

    #[test]
    fn whatever_is_said_of_inputs_the_dockerfile_counts() {
        let expected = ["src/**", "Dockerfile", "Dockerfile.dockerignore", ".dockerignore"];
        assert_eq!(of("Dockerfile", ".", Some(&["src/**"])), expected);
        let expected = ["a[[]1[]]/Dockerfile", "a[[]1[]]/Dockerfile.dockerignore", "a[[]1[]]/.dockerignore"];
        assert_eq!(of("a[1]/Dockerfile", "a[1]", Some(&[])), expected);
    }
}
