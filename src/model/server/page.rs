//! The page for Prometheus (<https://prometheus.io/docs/instrumenting/exposition_formats/>, version 0.0.4): the counters,
//! and what is worked out when it is asked for.

use std::fmt::{self, Write as _};
use std::fs;

use crate::disk::ProcessStat;
use crate::model::drift::Drift;
use crate::model::server::shared::Shared;

/// The text for `/metrics`.
pub(in crate::model) fn page(shared: &Shared) -> String {
    let mut text = String::with_capacity(8192);
    // Writing to a string cannot fail.
    let _ = render(&mut text, shared);
    text
}

fn render(text: &mut String, shared: &Shared) -> fmt::Result {
    shared.metrics.render(text)?;
    let served = &shared.served;
    heading(text, "model_info", "gauge", "The model that is served; always 1.")?;
    let version = shared.version.as_deref().unwrap_or(served.digest().short());
    writeln!(text, "model_info{{version=\"{}\",algorithm=\"{}\"}} 1", escaped(version), escaped(served.algorithm()))?;
    let names: Vec<&str> = served.features().iter().map(|feature| feature.name.as_str()).collect();
    let help = "Whether there are known rows that the drift can be measured against: 1 or 0.";
    heading(text, "predict_drift_measured", "gauge", help)?;
    writeln!(text, "predict_drift_measured {}", u8::from(served.is_measured()))?;
    if served.is_measured() {
        drift(text, &names, &shared.drift())?;
    }
    if let Some(shadow) = &shared.shadow {
        shadow.render(text)?;
    }
    if let Some(feedback) = &shared.feedback {
        feedback.render(text)?;
    }
    process(text)
}

fn drift(text: &mut String, names: &[&str], drift: &Drift) -> fmt::Result {
    let help = "Records that the drift is measured over: the last ones.";
    heading(text, "predict_window_records", "gauge", help)?;
    writeln!(text, "predict_window_records {}", drift.records)?;
    let help = "Records before which the drift is not measured: it would be noise.";
    heading(text, "predict_window_minimum_records", "gauge", help)?;
    writeln!(text, "predict_window_minimum_records {}", drift.minimum)?;
    if let Some(indices) = &drift.features {
        let help = "Population stability index of the last records against the training rows, by feature.";
        heading(text, "predict_input_drift_psi", "gauge", help)?;
        for (name, index) in names.iter().zip(indices) {
            writeln!(text, "predict_input_drift_psi{{feature=\"{}\"}} {index}", escaped(name))?;
        }
        let most = indices.iter().copied().fold(0.0, f64::max);
        heading(text, "predict_input_drift_psi_max", "gauge", "The greatest predict_input_drift_psi of all features.")?;
        writeln!(text, "predict_input_drift_psi_max {most}")?;
    }
    if let Some(index) = drift.prediction {
        let help = "Population stability index of the last answers against those for known rows.";
        heading(text, "predict_prediction_drift_psi", "gauge", help)?;
        writeln!(text, "predict_prediction_drift_psi {index}")?;
    }
    Ok(())
}

fn process(text: &mut String) -> fmt::Result {
    if let Some(bytes) = resident_memory() {
        heading(text, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.")?;
        writeln!(text, "process_resident_memory_bytes {bytes}")?;
    }
    if let Some(seconds) = processor_time() {
        heading(text, "process_cpu_seconds_total", "counter", "Processor time in seconds, in user and kernel mode.")?;
        writeln!(text, "process_cpu_seconds_total {seconds}")?;
    }
    Ok(())
}

pub(in crate::model) fn heading(text: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

/// A label value: backslash, quotation mark and line end are escaped.
pub(in crate::model) fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// From `/proc/self/status`, which gives kilobytes where `statm` gives pages of a size that is not written there.
fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The processor time of this process, in seconds.
#[expect(clippy::cast_precision_loss, reason = "exact for millions of years of ticks")]
fn processor_time() -> Option<f64> {
    let own = ProcessStat::read(i32::try_from(std::process::id()).ok()?)?;
    Some(own.ticks as f64 / rustix::param::clock_ticks_per_second().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::{Drift, drift};

    fn rendered(measured: &Drift) -> String {
        let mut text = String::new();
        drift(&mut text, &["a\"b", "c"], measured).unwrap();
        text
    }

    #[test]
    fn drift_is_given_by_feature_and_as_the_greatest() {
        let text =
            rendered(&Drift { records: 500, minimum: 100, features: Some(vec![0.5, 0.25]), prediction: Some(0.125) });
        assert!(text.contains("predict_input_drift_psi{feature=\"a\\\"b\"} 0.5\n"), "{text}");
        assert!(text.contains("predict_input_drift_psi_max 0.5\n"), "{text}");
        assert!(text.contains("predict_prediction_drift_psi 0.125\n"), "{text}");
    }

    #[test]
    fn of_too_few_records_only_their_number_and_how_many_it_takes_are_told() {
        let text = rendered(&Drift { records: 7, minimum: 100, features: None, prediction: None });
        assert!(text.contains("predict_window_records 7\n") && !text.contains("psi"), "{text}");
        assert!(text.contains("predict_window_minimum_records 100\n"), "{text}");
    }
}
