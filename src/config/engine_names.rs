//! Names as Docker Engine and Kubernetes want them: repositories, images, volumes, namespaces, secrets.
//!
//! Each check says what is wrong before an engine does, which would be in the middle of a run. Known gap: whether what
//! is named exists is known only to the engine.

/// What is wrong with a name, and the mend.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// What is wrong, to be read behind the name: "has a tag".
    pub(super) what: &'static str,
    /// The mend; `None` where only an example helps.
    pub(super) instead: Option<String>,
}

impl Fault {
    fn of(what: &'static str) -> Self {
        Self { what, instead: None }
    }
}

/// Whether `text` is a repository of images: no tag, no digest.
pub(super) fn repository(text: &str) -> Result<(), Fault> {
    if let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) {
        return Err(Fault { what: "is an address", instead: Some(rest.trim_end_matches('/').to_owned()) });
    }
    let (named, has_digest) = text.split_once('@').map_or((text, false), |(named, _)| (named, true));
    let plain = without_tag(named);
    if plain != text {
        let what = if has_digest { "has a digest" } else { "has a tag" };
        return Err(Fault { what, instead: Some(plain.to_owned()) });
    }
    let parts: Vec<&str> = text.split('/').collect();
    let path = match parts.as_slice() {
        [host, path @ ..] if !path.is_empty() && is_host(host) => path,
        all => all,
    };
    if path.iter().all(|part| is_repository_part(part)) { Ok(()) } else { Err(Fault::of("is not one")) }
}

/// Whether `text` may name an image, with or without a tag or a digest.
pub(super) fn image(text: &str) -> Result<(), Fault> {
    let named = without_tag(text.split_once('@').map_or(text, |(named, _)| named));
    let rest = text.strip_prefix(named).unwrap_or_default();
    let is_rest = |letter: char| letter.is_ascii_alphanumeric() || "._-:@+".contains(letter);
    if !rest.chars().all(is_rest) || rest.ends_with([':', '@']) {
        return Err(Fault::of("is not one"));
    }
    repository(named)
}

/// `registry:5000/wine:3` → `registry:5000/wine`.
fn without_tag(text: &str) -> &str {
    let name = text.rsplit('/').next().unwrap_or(text);
    let tag = name.split_once(':').map(|(_, tag)| tag);
    tag.and_then(|tag| text.strip_suffix(tag)?.strip_suffix(':')).unwrap_or(text)
}

/// Whether the first part of a repository is the host of a registry rather than a name, by the rule of Docker.
fn is_host(part: &str) -> bool {
    let valid = |letter: char| letter.is_ascii_alphanumeric() || ".-:[]".contains(letter);
    (part == "localhost" || part.contains(['.', ':'])) && part.chars().all(valid)
}

fn is_repository_part(part: &str) -> bool {
    let valid = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "._-".contains(letter);
    let is_end = |letter: char| letter.is_ascii_alphanumeric();
    part.starts_with(is_end) && part.ends_with(is_end) && part.chars().all(valid)
}

/// Where a mount ends inside of the container, if `text` is a mount: `source:target`, `source:target:ro`.
pub(super) fn mount(text: &str) -> Result<&str, Fault> {
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target) = match parts.as_slice() {
        [source, target] | [source, target, "ro" | "rw"] => (*source, *target),
        [_, _, _] => return Err(Fault::of("ends with neither `ro` nor `rw`")),
        [_] => return Err(Fault::of("has no `:` between source and target")),
        _ => return Err(Fault::of("has too many `:`")),
    };
    let is_path = ["/", "./", "../"].iter().any(|start| source.starts_with(start));
    if !is_path && !is_engine_name(source) {
        return Err(Fault::of("has a source that is neither the name of a volume nor a path with `/` or `./`"));
    }
    if !target.starts_with('/') || target.trim_matches('/').is_empty() {
        return Err(Fault::of("has a target that is not a whole path inside the container"));
    }
    Ok(target.trim_end_matches('/'))
}

/// Whether `text` may name a volume, a network, a Compose project or a service of it.
pub(super) fn is_engine_name(text: &str) -> bool {
    let valid = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    text.starts_with(|first: char| first.is_ascii_alphanumeric()) && text.chars().all(valid)
}

/// Whether `text` may name a namespace.
pub(super) fn is_namespace(text: &str) -> bool {
    let valid = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
    let ends = !text.starts_with('-') && !text.ends_with('-');
    !text.is_empty() && text.len() <= 63 && ends && text.chars().all(valid)
}

/// Whether `text` may be the id of a build secret.
pub(super) fn is_secret(text: &str) -> bool {
    let valid = |letter: char| letter.is_ascii_alphanumeric() || "_.-".contains(letter);
    !text.is_empty() && text.chars().all(valid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instead(text: &str) -> (&'static str, Option<String>) {
        let fault = repository(text).unwrap_err();
        (fault.what, fault.instead)
    }

    #[test]
    fn a_repository_may_have_a_host_and_a_port_but_no_tag_and_no_digest() {
        for good in ["wine", "team/wine", "r.example.com/team/wine", "127.0.0.1:5000/wine", "localhost/a_b/c-d.e"] {
            assert_eq!(repository(good), Ok(()), "{good}");
        }
        assert_eq!(instead("wine:3"), ("has a tag", Some("wine".to_owned())));
        assert_eq!(instead("r.io:5000/wine:3"), ("has a tag", Some("r.io:5000/wine".to_owned())));
        assert_eq!(instead("r.io/wine:3@sha256:ab"), ("has a digest", Some("r.io/wine".to_owned())));
        assert_eq!(instead("https://r.io/wine/"), ("is an address", Some("r.io/wine".to_owned())));
        for bad in ["Wine", "team/", "/wine", "r.io//wine", "wi ne", "-wine", "r.io:5000/Wine", ""] {
            assert_eq!(repository(bad), Err(Fault::of("is not one")), "{bad}");
        }
    }

    #[test]
    fn an_image_may_have_a_tag_and_a_digest() {
        for good in ["python:3.13-slim", "r.io:5000/a/b", "wine@sha256:0a1b", "r.io/wine:3@sha256:0a1b"] {
            assert_eq!(image(good), Ok(()), "{good}");
        }
        for bad in ["$IMAGE", "python:", "wine@", "Python", "py thon:3", "python:3 13", ""] {
            assert!(image(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_mount_has_a_source_and_a_whole_path_inside() {
        assert_eq!(mount("/srv/cache:/cache"), Ok("/cache"));
        assert_eq!(mount("./lookup:/lookup/:ro"), Ok("/lookup"));
        assert_eq!(mount("cache:/var/cache:rw"), Ok("/var/cache"));
        for bad in ["/srv", "a:b", "a:/", "a:/b:rx", "a:/b:ro:z", "cache/x:/b", "~/x:/b", ":/b", "a:"] {
            assert!(mount(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_those_that_the_engines_take() {
        assert!(is_engine_name("back_end.1-x"));
        assert!(!is_engine_name("-x") && !is_engine_name("") && !is_engine_name("a/b"));
        assert!(is_namespace("ml-1") && !is_namespace("ML") && !is_namespace("-a") && !is_namespace(&"a".repeat(64)));
        assert!(is_secret("pip_token.1") && !is_secret("a b") && !is_secret(""));
    }
}
