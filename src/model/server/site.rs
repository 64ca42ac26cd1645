//! Static files under `/`, from one folder and never from outside of it.

use std::path::{Component, Path, PathBuf};

use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Shown under `/` when there is no site.
const WELCOME: &str = "trainyard model server

POST /predict       one JSON record, a list of records, {\"records\": [...]}, {\"columns\": {...}}, or CSV
POST /feedback      {\"record\": {...}, \"label\": ...}, or a list of them, where labels are taken
GET  /schema        the columns, classes and metrics of the model, and an example
GET  /openapi.json  all of this as OpenAPI 3.1
GET  /version       which model and release this is
GET  /healthz       alive
GET  /readyz        ready for requests
GET  /metrics       for Prometheus
";

/// Answers what no route answers.
pub(in crate::model) async fn answer(root: Option<&Path>, method: &Method, path: &str) -> Response {
    if *method != Method::GET && *method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let Some(root) = root else {
        return if path == "/" { WELCOME.into_response() } else { not_found() };
    };
    let Some(file) = relative(path).map(|relative| root.join(relative)) else {
        return not_found();
    };
    match read(root, file).await {
        Some((kind, bytes)) => ([(header::CONTENT_TYPE, kind)], bytes).into_response(),
        None => not_found(),
    }
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, "not found\n").into_response()
}

/// The file and its content type; none when it is not there, or a symbolic link leads out of the site.
async fn read(root: &Path, file: PathBuf) -> Option<(&'static str, Vec<u8>)> {
    let file = match tokio::fs::metadata(&file).await {
        Ok(found) if found.is_dir() => file.join("index.html"),
        Ok(_) => file,
        Err(_) => return None,
    };
    let root = tokio::fs::canonicalize(root).await.ok()?;
    let file = tokio::fs::canonicalize(file).await.ok()?;
    // A named pipe would never end.
    if !file.starts_with(&root) || !tokio::fs::metadata(&file).await.ok()?.is_file() {
        return None;
    }
    let bytes = tokio::fs::read(&file).await.ok()?;
    Some((content_type(&file), bytes))
}

/// The path below the site, if it is one: decoded, without `..`, and without hidden files.
fn relative(path: &str) -> Option<PathBuf> {
    let decoded = decode(path)?;
    let mut relative = PathBuf::new();
    for component in Path::new(decoded.trim_start_matches('/')).components() {
        match component {
            Component::Normal(name) if !name.as_encoded_bytes().starts_with(b".") => relative.push(name),
            Component::CurDir => {}
            Component::Normal(_) | Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(relative)
}

/// Percent-decoding; `None` for what is not UTF-8 or holds a zero byte.
fn decode(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = char::from(rest.next()?).to_digit(16)?;
            let low = char::from(rest.next()?).to_digit(16)?;
            bytes.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().filter(|path| !path.contains('\0'))
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("ico") => "image/x-icon",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use axum::http::{Method, header};

    use super::{answer, relative};
    use crate::model::samples::Folder;

    #[test]
    fn no_path_leads_out_of_the_site() {
        for path in
            ["/../secret", "/a/../../secret", "/%2e%2e/secret", "/%2e%2e%2fsecret", "/.git/config", "/a%00", "/%zz"]
        {
            assert_eq!(relative(path), None, "{path}");
        }
        assert_eq!(relative("//a/./b%20c.css").as_deref(), Some(Path::new("a/b c.css")));
    }

    #[tokio::test]
    async fn a_folder_is_its_index_and_types_follow_the_name() {
        let site = Folder::new();
        site.write("index.html", "<p>hello");
        site.write("a.svg", "<svg/>");
        for (path, kind) in [("/", "text/html; charset=utf-8"), ("/a.svg", "image/svg+xml")] {
            let response = answer(Some(site.path()), &Method::GET, path).await;
            assert_eq!(response.status().as_u16(), 200);
            assert_eq!(response.headers()[header::CONTENT_TYPE], kind);
        }
        assert_eq!(answer(Some(site.path()), &Method::GET, "/nothing").await.status().as_u16(), 404);
        assert_eq!(answer(Some(site.path()), &Method::POST, "/").await.status().as_u16(), 405);
    }

    #[tokio::test]
    async fn a_symbolic_link_out_of_the_site_is_not_followed() {
        let (site, other) = (Folder::new(), Folder::new());
        other.write("secret.txt", "secret");
        std::os::unix::fs::symlink(other.path().join("secret.txt"), site.path().join("a.txt")).unwrap();
        assert_eq!(answer(Some(site.path()), &Method::GET, "/a.txt").await.status().as_u16(), 404);
    }
}
