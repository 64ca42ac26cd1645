//! Broken configurations of what is scraped, each with exactly what its user reads.

use super::broken_engine_tests::expect;
use super::parse;

/// A target with these lines, before a stage.
fn target(lines: &str) -> String {
    format!("[[monitor.targets]]\nname = \"node\"\n{lines}\n[stages.test]\ncommand = [\"a\"]\n")
}

/// A target with an address and these lines.
fn reachable(lines: &str) -> String {
    target(&format!("url = \"http://127.0.0.1:9100/metrics\"\n{lines}"))
}

#[test]
fn an_address_without_scheme_or_host_is_refused() {
    let example = "for example `url = \"http://127.0.0.1:9100/metrics\"`";
    expect(
        &target("url = «\"127.0.0.1:9100/metrics\"»"),
        "`url` is not an address: relative URL without a base",
        example,
    );
    expect(
        &target("url = «\"file:///etc/passwd\"»"),
        "`url` must begin with http:// or https:// and a host, found `file:///etc/passwd`",
        example,
    );
}

#[test]
fn an_address_with_a_password_is_refused_and_not_repeated() {
    let text = target("url = \"http://me:s3cret@host/metrics\"");
    let errors = parse(&text, "trainyard.toml").unwrap_err();
    let message = &errors.errors()[0].message;
    assert_eq!(message, "`url` holds a user or a password");
}

#[test]
fn a_target_without_address_is_told_at_its_table() {
    let text = target("labels = { team = \"ml\" }");
    let errors = parse(&text, "trainyard.toml").unwrap_err();
    let told: Vec<_> = errors.errors().iter().map(|error| (error.line, error.message.as_str())).collect();
    assert_eq!(told, [(1, "missing `url` in [[monitor.targets]]")]);
}

#[test]
fn labels_that_cannot_be_are_refused() {
    expect(
        &reachable("labels = { «job» = \"a\" }"),
        "the label `job` is the `name` of the target",
        "remove it, and write `name`",
    );
    expect(
        &reachable("labels = { «__x» = \"a\" }"),
        "`__x` cannot be the name of a label",
        "letters, digits and `_`, not beginning with a digit or with `__`",
    );
    expect(
        &reachable("labels = { a = «1» }"),
        "expected a string, found an integer",
        "the values of labels are strings; put it in quotes",
    );
}

#[test]
fn a_secret_comes_from_one_place() {
    let basic = "«basic» = { user = \"me\" }";
    expect(
        &reachable(basic),
        "missing `password_file` or `password_env` in `basic` of [[monitor.targets]]",
        "add `password_file = \"secrets/scraper\"` or `password_env = \"SCRAPER_PASSWORD\"`",
    );
    expect(
        &reachable("«bearer» = { token_file = \"a\", token_env = \"B\" }"),
        "`token_file` and `token_env` exclude each other",
        "remove one of them",
    );
    expect(
        &reachable("bearer = { token_env = «\"not a name\"» }"),
        "`token_env` is not the name of a variable",
        "for example `token_env = \"METRICS_TOKEN\"`",
    );
}

#[test]
fn a_secret_is_never_a_key_of_its_own() {
    let errors = parse(&reachable("bearer = { token = \"s3cret\" }"), "trainyard.toml").unwrap_err();
    let mut told: Vec<_> = errors.errors().iter().map(|error| error.message.as_str()).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "missing `token_file` or `token_env` in `bearer` of [[monitor.targets]]",
            "unknown key `token` in `bearer` of [[monitor.targets]]",
        ]
    );
}

#[test]
fn a_target_is_asked_by_one_who_has_one_proof() {
    expect(
        &reachable("basic = { user = \"me\", password_env = \"A\" }\n«bearer» = { token_env = \"B\" }"),
        "a target has either `basic` or `bearer`, for one request carries one of them",
        "remove one of them",
    );
}

#[test]
fn nothing_is_scraped_where_a_prometheus_is_asked() {
    expect(
        "[monitor]\n«prometheus» = \"http://127.0.0.1:9090\"\n[[monitor.targets]]\nname = \"node\"\n\
         url = \"http://127.0.0.1:9100/metrics\"\n[stages.test]\ncommand = [\"a\"]\n",
        "`targets` are scraped here, but with `prometheus` nothing is",
        "remove one of them; that Prometheus has targets of its own",
    );
}

#[test]
fn two_targets_that_cannot_be_told_apart_are_refused() {
    let one = "[[monitor.targets]]\nname = \"node\"\nurl = \"http://h:1/metrics\"\n";
    let text = format!("{one}{one}[stages.test]\ncommand = [\"a\"]\n");
    let errors = parse(&text, "trainyard.toml").unwrap_err();
    let told: Vec<_> = errors.errors().iter().map(|error| error.message.as_str()).collect();
    assert_eq!(told, ["two targets have the name `node` and the same labels"]);
}

#[test]
fn sizes_have_units_and_bounds() {
    expect(
        "[monitor]\nretention_size = «\"2GiB\"»\n[stages.test]\ncommand = [\"a\"]\n",
        "`2GiB` is not an amount of memory: `GiB` is no unit",
        "write a number with Ki, Mi, Gi (powers of 1024) or k, M, G (of 1000), such as \"512Mi\"",
    );
    expect(
        "[monitor]\nmax_series = «10»\n[stages.test]\ncommand = [\"a\"]\n",
        "`max_series` must lie between 100 and 10000000, found 10",
        "for example `max_series = 50000`",
    );
}
