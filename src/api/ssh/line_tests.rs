//! Lines that do not come to be, with a script in the place of `ssh`. Those that do are tested with a real `sshd`.

use std::fs;

use super::*;

/// Opens a line through a script.
async fn opened(script: &str) -> LineError {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("ssh");
    fs::write(&path, script).unwrap();
    // Read by a shell and not executed: another thread that forks now may hold the file open for writing.
    let program = format!("sh {}", path.display());
    let ssh = Ssh::from_variables(|name| (name == super::super::SSH_VARIABLE).then(|| program.clone()));
    Line::open(ssh, "box:/srv/app".parse().unwrap(), |_| {}).await.unwrap_err()
}

#[tokio::test]
async fn why_ssh_failed_is_told() {
    let error = opened("echo 'ssh: connect to host box port 22: Connection refused' >&2; exit 255").await;
    let said = "connect to host box port 22: Connection refused".to_owned();
    assert_eq!(error, LineError::Refused { host: "box".to_owned(), said });
    assert_eq!(opened("exit 127").await, LineError::NoProgram { host: "box".to_owned() });
}

#[tokio::test]
async fn without_ssh_it_is_said_how_to_come_by_it() {
    let ssh = Ssh::from_variables(|_| Some("/no/such/ssh".to_owned()));
    let error = Line::open(ssh, "box".parse().unwrap(), |_| {}).await.unwrap_err();
    assert!(matches!(&error, LineError::NoSsh { program, .. } if program == "/no/such/ssh"), "{error}");
}

#[tokio::test]
async fn another_version_is_told_also_behind_the_greeting_of_a_shell() {
    let error = opened("echo 'Welcome!'; echo '{\"version\":\"9.9.9\",\"api\":999}'; exec cat").await;
    let is_theirs =
        |error: &LineError| matches!(error, LineError::Version { theirs, their_api: 999, .. } if theirs == "9.9.9");
    assert!(is_theirs(&error), "{error}");
}

#[tokio::test]
async fn a_program_that_introduces_itself_with_a_book_is_not_waited_for() {
    let error = opened("exec yes 'no card'").await;
    assert!(matches!(error, LineError::Broken { .. }), "{error}");
}
