//! That no form of a secret comes through, however the bytes were cut, and that all else comes through as it was.

use std::borrow::Cow;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::forms::forms;
use super::{RedactedStream, Redactor, Secret, project_secrets, redact_file, redact_lines, secrets_of};

const TOKEN: &str = "tok-9f/8+a b&\"7";
const KEY: &str = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7bq\nZ4r8Q+vB1s0n/1xw==\n-----END KEY-----\n";

fn secrets() -> Vec<Secret> {
    let secret = |name: &str, value: &str| Secret { name: name.to_owned(), value: value.as_bytes().to_vec() };
    vec![secret("TOKEN", TOKEN), secret("KEY", KEY), secret("PIN", "abab")]
}

fn redactor() -> Redactor {
    Redactor::new(&secrets())
}

/// The whole stream of these pieces.
fn streamed(pieces: &[&[u8]]) -> Vec<u8> {
    let mut stream = RedactedStream::new(Arc::new(redactor()));
    let mut given = Vec::new();
    let mut out = |bytes: &[u8]| given.extend_from_slice(bytes);
    for piece in pieces {
        stream.push(piece, &mut out);
    }
    stream.finish(&mut out);
    given
}

#[test]
fn the_password_in_the_address_of_a_remote_is_a_secret() {
    let text = "[source]\ntrigger = \"commit\"\nremote = \"https://me:hunter-two@example.org/a.git\"\n\
                [stages.test]\ncommand = [\"true\"]\n";
    let redactor = Redactor::of(&crate::config::parse(text, "trainyard.toml").unwrap(), Path::new("/"));
    let told = "fatal: unable to access 'https://me:hunter-two@example.org/a.git/'";
    assert_eq!(redactor.redact(told), told.replace("hunter-two", "[secret remote_url]"));
}

#[test]
fn a_pipe_without_a_writer_is_no_secret_and_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, folder.path().join("pipe"), rustix::fs::Mode::RUSR).unwrap();
    let text = "[project]\nsecrets = { TOKEN = \"pipe\" }\n[stages.test]\ncommand = [\"true\"]\n";
    let settings = crate::config::parse(text, "trainyard.toml").unwrap();
    assert!(!secrets_of(&settings, folder.path()).iter().any(|secret| secret.name == "TOKEN"));
    let missing = project_secrets(&settings, folder.path()).unwrap_err().to_string();
    assert!(missing.contains("cannot be read: it is no regular file; mend it"), "{missing}");
}

#[test]
fn every_form_is_replaced_by_the_name_of_the_secret() {
    let token = TOKEN.as_bytes();
    let texts = [
        TOKEN.to_owned(),
        serde_json::to_string(TOKEN).unwrap(),
        STANDARD.encode(TOKEN),
        URL_SAFE_NO_PAD.encode(TOKEN),
        STANDARD.encode(format!("u:{TOKEN}")),
        STANDARD.encode(format!("me:{TOKEN}:")),
        STANDARD.encode(format!("you:{TOKEN}::")),
        "tok-9f%2F8%2Ba%20b%26%227".to_owned(),
        "tok-9f%2f8%2ba%20b%26%227".to_owned(),
        "tok-9f%2F8%2Ba+b%26%227".to_owned(),
        "tok-9f/8+a%20b&%227".to_owned(),
        "tok-9f/8+a b&amp;&quot;7".to_owned(),
        token.iter().map(|byte| format!("{byte:02x}")).collect(),
        token.iter().map(|byte| format!("{byte:02X}")).collect(),
        token.iter().map(|byte| format!("%{byte:02X}")).collect(),
    ];
    let redactor = redactor();
    for text in texts {
        let line = format!("before {text} behind");
        let clean = redactor.redact(&line);
        assert!(clean.contains("[secret TOKEN]"), "{line} became {clean}");
        assert!(clean.starts_with("before ") && clean.ends_with(" behind"), "{line} became {clean}");
        assert!(!redactor.finds(clean.as_bytes()), "{line} became {clean}");
    }
}

#[test]
fn of_a_secret_of_many_lines_each_is_one() {
    let redactor = redactor();
    assert_eq!(redactor.redact("key: ZZ4r8Q+vB1s0n/1xw==;"), "key: Z[secret KEY];");
    assert_eq!(redactor.redact(&KEY.trim().replace('\n', "\\n")), "[secret KEY]");
    assert_eq!(redactor.redact(KEY), "[secret KEY]\n");
    // The frame is that of every key.
    assert_eq!(redactor.redact("-----BEGIN KEY-----"), "-----BEGIN KEY-----");
    let wrapped: String =
        STANDARD.encode(KEY).as_bytes().chunks(64).map(|line| format!("{}\n", str::from_utf8(line).unwrap())).collect();
    assert!(redactor.redact(&wrapped).lines().all(|line| line.starts_with("[secret KEY]")), "{wrapped}");
}

#[test]
fn what_holds_no_secret_is_not_even_copied() {
    assert!(matches!(redactor().redact("nothing of that kind: aba tok-"), Cow::Borrowed(_)));
    assert!(matches!(Redactor::none().redact(TOKEN), Cow::Borrowed(_)));
    assert!(Redactor::new(&[Secret { name: "SHORT".to_owned(), value: b"abc".to_vec() }]).is_empty());
}

#[test]
fn the_value_of_a_secret_is_not_shown_by_any_debug_output() {
    let shown = format!("{:?} {:?}", secrets(), RedactedStream::new(Arc::new(redactor())));
    assert!(!redactor().finds(shown.as_bytes()), "{shown}");
}

#[test]
fn a_prompt_is_seen_and_the_rest_of_a_secret_is_not() {
    let mut stream = RedactedStream::new(Arc::new(redactor()));
    let mut given = Vec::new();
    stream.push(b"name: to", &mut |bytes: &[u8]| given.extend_from_slice(bytes));
    assert_eq!(given, b"name: ");
    assert!(stream.is_unsettled());
    stream.settle(&mut |bytes: &[u8]| given.extend_from_slice(bytes));
    assert_eq!(given, b"name: to");
    stream.push(b"k-9f/8", &mut |bytes: &[u8]| given.extend_from_slice(bytes));
    stream.settle(&mut |bytes: &[u8]| given.extend_from_slice(bytes));
    assert_eq!(given, b"name: to");
    stream.push(b"+a b&\"7.", &mut |bytes: &[u8]| given.extend_from_slice(bytes));
    stream.finish(&mut |bytes: &[u8]| given.extend_from_slice(bytes));
    assert_eq!(String::from_utf8(given).unwrap(), "name: to[secret TOKEN].");
}

#[test]
fn files_that_a_stage_wrote_are_rewritten_only_where_they_hold_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let (report, output, other) = (folder.path().join("r.xml"), folder.path().join("o.jsonl"), folder.path().join("x"));
    fs::write(&report, "<testsuite><testcase name=\"tok-9f/8+a b&amp;&quot;7\"/></testsuite>").unwrap();
    fs::write(&output, "{\"message\":\"tok\\u002d9f/8+a b&\\\"7\",\"progress\":0.5}\nno json abab\n{\"a\":\"b\\n\"}\n")
        .unwrap();
    fs::write(&other, "nothing").unwrap();
    let redactor = Arc::new(redactor());
    assert!(redact_file(&report, &redactor).unwrap());
    assert!(redact_lines(&output, &redactor).unwrap());
    assert!(!redact_file(&other, &redactor).unwrap() && !redact_file(&folder.path().join("gone"), &redactor).unwrap());
    let report = fs::read_to_string(report).unwrap();
    assert_eq!(report, "<testsuite><testcase name=\"[secret TOKEN]\"/></testsuite>");
    let output = fs::read_to_string(output).unwrap();
    let first = serde_json::from_str::<serde_json::Value>(output.lines().next().unwrap()).unwrap();
    assert_eq!(first, serde_json::json!({ "message": "[secret TOKEN]", "progress": 0.5 }));
    assert!(output.ends_with("no json [secret PIN]\n{\"a\":\"b\\n\"}\n"), "{output}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3);
}

/// Text of secrets in all their forms, of pieces of them, and of what lies between.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let all: Vec<Vec<u8>> = secrets().iter().flat_map(|secret| forms(&secret.value)).collect();
    let piece = prop_oneof![
        prop::sample::select(all.clone()),
        (prop::sample::select(all), any::<prop::sample::Index>())
            .prop_map(|(form, at)| form[..at.index(form.len())].to_vec()),
        prop::collection::vec(any::<u8>(), 0..6),
        "[ab\n ]{0,6}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_stream_gives_what_the_whole_gives_however_it_is_cut(text in text(), cuts in prop::collection::vec(0_usize..400, 0..24)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect();
        prop_assert_eq!(streamed(&pieces), streamed(&[&text]));
        if let Ok(whole) = str::from_utf8(&text) {
            prop_assert_eq!(String::from_utf8(streamed(&pieces)).unwrap(), redactor().redact(whole));
        }
    }

    #[test]
    fn no_form_of_a_secret_is_left_between_the_markers(text in text()) {
        let clean = streamed(&[&text]);
        let clean = String::from_utf8_lossy(&clean).into_owned();
        let redactor = redactor();
        for part in clean.split("[secret ").flat_map(|part| part.split(']')) {
            prop_assert!(!redactor.finds(part.as_bytes()), "{}", part);
        }
    }
}
