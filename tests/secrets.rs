//! Secrets reach neither the disk nor a screen: a stage prints them in every form, and they are looked for everywhere.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use memchr::memmem;
use support::{POINTS, Project, PythonApp, Webhook, has_docker, replaced};

const TOKEN: &str = "T0p/s3cret+and more&";
const PASSWORD: &str = "hunter-in-the-rye";
const KEY: &str = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA7bq\nZ4r8Q+vB1s0n/1xw==\n-----END KEY-----\n";
const PERCENT: &str = "T0p%2Fs3cret%2Band%20more%26";

const CONFIGURATION: &str = r#"
[project]
name = "secrets"
secrets = { API_TOKEN = "$OUTSIDE", SIGNING_KEY = "keys/key.pem" }
[data]
settle = "100ms"
[stages.train]
command = ["sh", "train.sh", "$API_TOKEN"]
environment = { DB_PASSWORD = "hunter-in-the-rye" }
[stages.test]
needs = ["train"]
command = ["sh", "test.sh"]
"#;
/// Tells its secrets in every way it can think of. The waits are what cuts the one that comes in pieces.
const TELLS: &str = r#"
echo "as it is: $API_TOKEN"
echo "as an argument: $1"
echo "complained: $API_TOKEN" >&2
printf '%s\n' "$SIGNING_KEY"
printf '%s' "$API_TOKEN" | base64
printf 'u:%s' "$API_TOKEN" | base64
printf 'me:%s:there' "$API_TOKEN" | base64 | tr '+/' '-_'
printf '%s' "$API_TOKEN" | od -An -v -tx1 | tr -d ' \n'; echo
echo "https://example.org/?token=T0p%2Fs3cret%2Band%20more%26"
printf 'in pieces: T0p/s3'; sleep 0.3; printf 'cret+and '; sleep 0.3; printf 'more&\n'
echo "postgres://me:$DB_PASSWORD@db/wine"
printf '{"progress":0.5,"message":"with %s and %s"}\n' "$API_TOKEN" "$DB_PASSWORD" >> "$TRAINYARD_OUTPUT"
printf '{"metric":{"%s":1}}\n' "$DB_PASSWORD" >> "$TRAINYARD_OUTPUT"
echo made > "$TRAINYARD_MODEL/made"
"#;
/// Fails a test, and says why.
const FAILS: &str = r#"
token=$(printf '%s' "$API_TOKEN" | sed 's/&/\&amp;/g')
printf '<testsuite><testcase name="login"><failure message="refused: %s"/></testcase></testsuite>' "$token" \
  > "$TRAINYARD_REPORTS/junit.xml"
echo "cannot log in with $API_TOKEN"
exit 1
"#;

fn project(configuration: &str) -> Project {
    let files = [("train.sh", TELLS), ("test.sh", FAILS), ("keys/key.pem", KEY)];
    Project::with(configuration, &files)
}

/// What must be nowhere.
fn forms() -> Vec<String> {
    let encoded = |text: String| STANDARD_NO_PAD.encode(text);
    let hexadecimal: String = TOKEN.bytes().map(|byte| format!("{byte:02x}")).collect();
    let (behind_two, behind_three) = (encoded(format!("u:{TOKEN}")), encoded(format!("me:{TOKEN}:there")));
    let mut forms = vec![TOKEN.to_owned(), PASSWORD.to_owned(), PERCENT.to_owned(), hexadecimal];
    forms.push(encoded(TOKEN.to_owned()));
    // Of base64 around a secret, what is of the secret alone.
    forms.push(behind_two[3..behind_two.len() - 1].to_owned());
    forms.push(behind_three[4..30].replace('+', "-").replace('/', "_"));
    forms.push(TOKEN.replace('&', "&amp;"));
    forms.extend(KEY.lines().filter(|line| !line.starts_with('-')).map(str::to_owned));
    forms
}

/// All regular files below a folder but those of models, which are the user's.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() && entry.file_name() != "models" {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files
}

#[track_caller]
fn assert_nowhere_on_the_disk(project: &Project) {
    let files = files_below(&project.state(""));
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        let Ok(bytes) = fs::read(&file) else { continue };
        for form in forms() {
            let place = memmem::find(&bytes, form.as_bytes());
            assert_eq!(place, None, "`{form}` is in {}", file.display());
        }
    }
}

#[track_caller]
fn assert_in_no_answer(project: &Project) -> String {
    let mut all = String::new();
    let questions: [&[&str]; 8] = [
        &["events", "--json", "--limit", "1000"],
        &["status", "--json"],
        &["runs", "--json"],
        &["runs", "1", "--json"],
        &["check", "--json"],
        &["doctor", "--json"],
        &["logs", "train", "--run", "1"],
        &["logs", "test", "--run", "1"],
    ];
    for question in questions {
        let answer = project.command(question).said();
        for form in forms() {
            assert!(!answer.contains(&form), "`{form}` is in the answer to {question:?}:\n{answer}");
        }
        all.push_str(&answer);
    }
    all
}

#[test]
fn a_secret_that_a_stage_tells_in_any_form_is_nowhere() {
    let project = project(CONFIGURATION);
    project.set("OUTSIDE", TOKEN);
    project.up();
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "failed");

    let log = project.log(1, "train");
    for told in ["as it is: [secret API_TOKEN]", "as an argument: [secret API_TOKEN]", "in pieces: [secret API_TOKEN]"]
    {
        assert!(log.contains(told), "{told} is not in:\n{log}");
    }
    assert!(log.contains("[secret SIGNING_KEY]") && log.contains("me:[secret DB_PASSWORD]@db"), "{log}");
    assert!(log.contains("complained: [secret API_TOKEN]") && log.contains("?token=[secret API_TOKEN]"), "{log}");
    let output = fs::read_to_string(project.state("runs/1/train.1/output.jsonl")).unwrap();
    assert!(output.contains("with [secret API_TOKEN] and [secret DB_PASSWORD]"), "{output}");
    let report = fs::read_to_string(project.state("runs/1/test.1/reports/junit.xml")).unwrap();
    assert!(report.contains("refused: [secret API_TOKEN]"), "{report}");
    let job = fs::read_to_string(project.state("runs/1/train.1/job.json")).unwrap();
    assert!(job.contains("\"$API_TOKEN\"") && job.contains("\"DB_PASSWORD\""), "{job}");

    let answers = assert_in_no_answer(&project);
    assert!(answers.contains("refused: [secret API_TOKEN]"), "{answers}");
    assert_nowhere_on_the_disk(&project);
}

#[test]
fn a_program_that_cannot_be_started_is_named_without_the_secret_in_its_name() {
    let project = project(&CONFIGURATION.replace("\"sh\", \"train.sh\", \"$API_TOKEN\"", "\"/nowhere/$API_TOKEN\""));
    project.set("OUTSIDE", TOKEN);
    project.up();
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "failed");
    let answers = assert_in_no_answer(&project);
    assert!(answers.contains("/nowhere/[secret API_TOKEN]"), "{answers}");
    assert_nowhere_on_the_disk(&project);
}

#[test]
fn a_secret_that_is_missing_fails_the_stage_with_its_name_and_where_it_was_looked_for() {
    let project = project(&CONFIGURATION.replace("$OUTSIDE", "$TRAINYARD_TEST_OUTSIDE_NOT_SET"));
    project.up();
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "failed");
    let told = project.command(&["events", "--json", "--limit", "1000"]).said();
    assert!(
        told.contains("the secret `API_TOKEN` is to come from the variable TRAINYARD_TEST_OUTSIDE_NOT_SET"),
        "{told}"
    );
}

#[test]
fn what_people_say_and_what_is_said_of_a_broken_configuration_is_kept_without_secrets() {
    let project = project(CONFIGURATION);
    project.set("OUTSIDE", TOKEN);
    project.up();
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "failed");
    project.command(&["run", "train", "--only", "-m", &format!("with {TOKEN}")]).ok();
    project.expect_run(2, "passed");
    project.command(&["lock", &format!("somebody knows {PASSWORD}")]).ok();
    project.command(&["unlock", "-m", &format!("{PERCENT} is changed")]).ok();
    project.command(&["models", "note", "1", &format!("trained with {PASSWORD}")]).ok();
    // A slip, for which the name of no stage stands.
    let refused = project.command(&["run", PASSWORD]).said();
    assert!(refused.contains("there is no stage `[secret DB_PASSWORD]`"), "{refused}");
    let answers = assert_in_no_answer(&project);
    for told in [
        "with [secret API_TOKEN]",
        "somebody knows [secret DB_PASSWORD]",
        "[secret API_TOKEN] is changed",
        "trained with [secret DB_PASSWORD]",
    ] {
        assert!(answers.contains(told), "{told} is not in:\n{answers}");
    }
    project.write("trainyard.toml", replaced(CONFIGURATION, "settle = \"100ms\"", &format!("settle = \"{PASSWORD}\"")));
    let problem = project.wait_until("the problem of the configuration", |snapshot| {
        snapshot["live"]["problems"]["configuration"].as_str().map(str::to_owned)
    });
    assert!(problem.contains("`[secret DB_PASSWORD]` is not a duration"), "{problem}");
    assert_nowhere_on_the_disk(&project);
}

#[test]
fn a_data_file_with_a_secret_in_its_name_is_held_back_and_told_of_without_it() {
    let project = project(CONFIGURATION);
    project.set("OUTSIDE", TOKEN);
    project.up();
    project.register(&format!("of {PASSWORD}.csv"), "x\n1\n");
    let reason = project.wait_until("the file to be held back", |snapshot| {
        snapshot["state"]["refused"]["of [secret DB_PASSWORD].csv"].as_str().map(str::to_owned)
    });
    assert!(reason.contains("rename it"), "{reason}");
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "failed");
    let answers = assert_in_no_answer(&project);
    assert!(answers.contains("of [secret DB_PASSWORD].csv"), "{answers}");
    assert_nowhere_on_the_disk(&project);
    fs::rename(project.folder().join(format!("data/of {PASSWORD}.csv")), project.folder().join("data/second.csv"))
        .unwrap();
    project.wait_until("the renamed file to count", |snapshot| {
        let refused = snapshot["state"]["refused"].as_object()?;
        (refused.is_empty() && snapshot["state"]["inputs"]["data"]["count"] == 2).then_some(())
    });
}

#[test]
fn a_secret_that_is_written_anew_is_known_before_anybody_speaks_of_it() {
    let project = project(CONFIGURATION);
    project.set("OUTSIDE", TOKEN);
    project.up();
    let renewed = "a-new-key-of-some-length";
    project.write("keys/key.pem", format!("{renewed}\n"));
    project.command(&["lock", &format!("the key is {renewed} now")]).ok();
    let told = project.command(&["events", "--json", "--limit", "1000"]).ok().said();
    assert!(told.contains("the key is [secret SIGNING_KEY] now") && !told.contains(renewed), "{told}");
}

#[test]
fn whoever_is_notified_is_told_no_secret() {
    let webhook = Webhook::new();
    let outside = "hooks-of-the-team";
    let notify = format!(
        "{CONFIGURATION}\n[[notify]]\nname = \"own\"\non = [\"failure\", \"lock\"]\nwebhook = \"{}\"\n\
         headers = {{ X-Team = \"{outside}\" }}\n",
        webhook.url()
    );
    // What the stage says last is what a notification says.
    let project = Project::with(
        &notify,
        &[("train.sh", "echo \"no login with $API_TOKEN\"; exit 3\n"), ("test.sh", FAILS), ("keys/key.pem", KEY)],
    );
    project.set("OUTSIDE", TOKEN);
    project.up();
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "failed");
    project.command(&["lock", &format!("{outside} leaked {PASSWORD}")]).ok();
    let told = webhook.wait_for(2);
    let bodies: String = told.iter().map(|told| told.body.as_str()).collect();
    assert!(bodies.contains("no login with [secret API_TOKEN]"), "{bodies}");
    assert!(bodies.contains("[secret own] leaked [secret DB_PASSWORD]"), "{bodies}");
    for form in forms().iter().map(String::as_str).chain([outside]) {
        assert!(!bodies.contains(form), "`{form}` is told: {bodies}");
    }
}

#[test]
fn a_build_argument_that_is_a_secret_is_nowhere_though_the_build_tells_it() {
    if !has_docker("a_build_argument_that_is_a_secret_is_nowhere_though_the_build_tells_it") {
        return;
    }
    let app = PythonApp::with(|text| {
        let keys = format!("dockerfile = \"Dockerfile\"\narguments = {{ API_TOKEN = \"{TOKEN}\" }}");
        replaced(text, "dockerfile = \"Dockerfile\"", &keys)
    });
    let dockerfile = fs::read_to_string(app.folder().join("Dockerfile")).unwrap();
    // A step found in the engine's cache tells nothing; the folder's name is new each time.
    let own = app.folder().display().to_string();
    let tells = format!(
        "ARG API_TOKEN\nRUN : {own}; echo \"built with $API_TOKEN\"; printf '%s' \"$API_TOKEN\" | base64 || true\n\
         RUN echo \"no login with $API_TOKEN\"; exit 9\n"
    );
    app.write("Dockerfile", format!("{dockerfile}\n{tells}"));
    app.up();
    app.register("points.csv", POINTS);
    app.expect_run(1, "failed");
    let log = app.log(1, "build");
    assert!(log.contains("built with [secret API_TOKEN]"), "{log}");
    let mut answers = log;
    for question in
        [["runs", "1", "--json"].as_slice(), &["events", "--json", "--limit", "1000"], &["status", "--json"]]
    {
        answers.push_str(&app.command(question).said());
    }
    for form in forms() {
        assert!(!answers.contains(&form), "`{form}` is in:\n{answers}");
    }
    assert_nowhere_on_the_disk(&app);
}
