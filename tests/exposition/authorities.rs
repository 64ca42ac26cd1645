//! What Prometheus 3.5.3 did with a page, what the conformance cases of `OpenMetrics` ask for, and pages of real
//! programs.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use trainyard::monitor::exposition::{Format, Page, Reader, Sample, read, text_of};

/// No page of the tests has more samples.
const LIMIT: usize = 100_000;

/// A page, and what the server did with it.
#[derive(Deserialize)]
struct Case {
    name: String,
    format: String,
    input: String,
    accepted: bool,
    series: Option<BTreeMap<String, String>>,
}

/// What a conformance case says about its page.
#[derive(Deserialize)]
struct Conformance {
    file: String,
    #[serde(rename = "shouldParse")]
    should_parse: bool,
}

/// A folder of the data that lies beside the project and is no part of it.
fn shared(test: &str, folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("skipped: {test}: {} is not there", path.display());
    None
}

/// The files or folders of a folder, by name.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The series of a page as the server shows them: those at the moment of the scrape, and of equal ones the first.
fn shown(page: &Page) -> BTreeMap<String, String> {
    let mut series = BTreeMap::new();
    for sample in page.samples.iter().filter(|sample| sample.timestamp.is_none()) {
        series.entry(key(sample)).or_insert_with(|| sample.value.to_string());
    }
    series
}

fn key(sample: &Sample) -> String {
    let escaped = |value: &str| value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let labels: Vec<String> =
        sample.labels.pairs().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
    format!("{}{{{}}}", sample.name, labels.join(","))
}

#[test]
fn every_page_is_judged_as_prometheus_judged_it() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/exposition_cases.json");
    let cases: Vec<Case> = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() >= 39, "cases are missing");
    let mut faults = Vec::new();
    for case in &cases {
        let format = if case.format == "openmetrics" { Format::OpenMetrics } else { Format::Text };
        match read(&case.input, format, LIMIT) {
            Ok(_) if !case.accepted => faults.push(format!("{}: accepted", case.name)),
            Err(error) if case.accepted => faults.push(format!("{}: refused: {error}", case.name)),
            Ok(page) if Some(shown(&page)) != case.series => faults.push(format!("{}: {:?}", case.name, shown(&page))),
            Ok(_) | Err(_) => {}
        }
    }
    assert!(faults.is_empty(), "Prometheus 3.5.3 judges otherwise:\n{}", faults.join("\n"));
}

#[test]
fn every_conformance_case_of_openmetrics_is_judged_as_it_asks() {
    let Some(folder) = shared("every_conformance_case_of_openmetrics_is_judged_as_it_asks", "openmetrics") else {
        return;
    };
    let mut judged = 0;
    let mut faults = Vec::new();
    for case in entries(&folder).into_iter().filter(|path| path.is_dir()) {
        let told: Conformance = serde_json::from_str(&fs::read_to_string(case.join("test.json")).unwrap()).unwrap();
        let body = fs::read(case.join(&told.file)).unwrap();
        let outcome = text_of(&body)
            .and_then(|page| Reader::new(page, Format::OpenMetrics).collect::<Result<Vec<_>, _>>().map(|_| ()));
        judged += 1;
        match outcome {
            Ok(()) if !told.should_parse => faults.push(format!("{}: accepted", file_name(&case))),
            Err(error) if told.should_parse => faults.push(format!("{}: refused: {error}", file_name(&case))),
            Ok(()) | Err(_) => {}
        }
    }
    assert!(judged > 200, "cases are missing: {judged}");
    assert!(faults.is_empty(), "the cases ask for something else:\n{}", faults.join("\n"));
}

#[test]
fn pages_of_real_programs_are_read_whole() {
    let Some(folder) = shared("pages_of_real_programs_are_read_whole", "payloads") else { return };
    let pages = entries(&folder);
    assert!(pages.len() >= 4, "pages are missing");
    for path in pages {
        let is_openmetrics = path.extension().is_some_and(|extension| extension == "openmetrics");
        let format = if is_openmetrics { Format::OpenMetrics } else { Format::Text };
        let text = fs::read_to_string(&path).unwrap();
        let page = read(&text, format, LIMIT).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let samples = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        assert_eq!(page.samples.len(), samples, "{}", path.display());
        let helps = text.lines().filter(|line| line.starts_with("# HELP ")).count();
        assert_eq!(page.metadata.len(), helps, "{}", path.display());
    }
}

#[test]
fn one_app_tells_the_same_in_both_formats() {
    let Some(folder) = shared("one_app_tells_the_same_in_both_formats", "payloads") else { return };
    let series = |name: &str, format| {
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let page = read(&text, format, LIMIT).unwrap();
        page.samples.iter().map(|sample| (key(sample), sample.value.to_string())).collect::<BTreeMap<_, _>>()
    };
    let openmetrics = series("py-ml-app.openmetrics", Format::OpenMetrics);
    assert_eq!(series("py-ml-app.text", Format::Text), openmetrics);
    assert!(openmetrics.contains_key(r#"build_info{git="a=b,c}\"d\"",version="1.2"}"#));
}
