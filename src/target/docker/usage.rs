//! What a container uses. Processors are told by two samples, so the former one is kept: the engine would take two seconds to
//! make two of its own, and a sample alone takes 20 ms.

use std::sync::{Mutex, PoisonError};

use bollard::models::{ContainerCpuStats, ContainerMemoryStats, ContainerStatsResponse};
use bollard::query_parameters::StatsOptionsBuilder;
use futures_util::StreamExt;

use super::engine::Engine;
use crate::target::Usage;

/// Time of all processors between two samples that are compared, in nanoseconds a processor. Closer ones say little, for
/// the engine counts in hundredths of a second.
const CLOSEST: u64 = 500_000_000;

/// Measures one container.
#[derive(Debug, Default)]
pub struct Meter {
    former: Mutex<Option<Measured>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Measured {
    sample: Sample,
    /// What was used up to it; `None` for the first.
    cpus: Option<f64>,
}

/// Nanoseconds of processors since the container began, and of the whole machine since it did.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sample {
    container: u64,
    machine: u64,
    processors: u32,
}

impl Meter {
    /// What the container uses now, compared with the last time it was asked; `None` the first time, and when the engine does
    /// not measure.
    pub async fn read(&self, engine: &Engine, id: &str) -> Option<Usage> {
        let options = StatsOptionsBuilder::new().stream(false).one_shot(true).build();
        let mut samples = engine.client().stats(id, Some(options)).boxed();
        let stats = samples.next().await?.ok()?;
        self.measure(&stats)
    }

    fn measure(&self, stats: &ContainerStatsResponse) -> Option<Usage> {
        let sample = Sample::of(stats.cpu_stats.as_ref()?)?;
        // An engine that knows no single samples (before 20.10) gives two.
        let own_former = stats.precpu_stats.as_ref().and_then(Sample::of);
        let mut former = self.former.lock().unwrap_or_else(PoisonError::into_inner);
        let measured = former.map_or_else(|| Measured::first(sample, own_former), |former| former.next(sample));
        *former = Some(measured);
        Some(Usage { cpus: measured.cpus?, memory: memory(stats.memory_stats.as_ref()?)? })
    }
}

impl Measured {
    fn first(sample: Sample, former: Option<Sample>) -> Self {
        Self { sample, cpus: former.and_then(|former| sample.cpus_since(&former)) }
    }

    fn next(self, sample: Sample) -> Self {
        let passed = sample.machine.saturating_sub(self.sample.machine) / u64::from(sample.processors);
        if passed < CLOSEST && sample.machine >= self.sample.machine {
            return self;
        }
        Self { sample, cpus: sample.cpus_since(&self.sample) }
    }
}

impl Sample {
    fn of(stats: &ContainerCpuStats) -> Option<Self> {
        let container = stats.cpu_usage.as_ref()?.total_usage?;
        let machine = stats.system_cpu_usage?;
        Some(Self { container, machine, processors: stats.online_cpus.filter(|count| *count > 0)? })
    }

    /// Processors in use between two samples; `None` over a restart of the container, which counts from zero again.
    #[expect(clippy::cast_precision_loss, reason = "a difference of seconds, in nanoseconds, is far below 2⁵²")]
    fn cpus_since(&self, former: &Self) -> Option<f64> {
        let machine = self.machine.checked_sub(former.machine).filter(|passed| *passed > 0)?;
        let container = self.container.checked_sub(former.container)?;
        Some(container as f64 / machine as f64 * f64::from(self.processors))
    }
}

/// Memory without the files that the kernel keeps only as long as nobody needs the room, as `docker stats` tells it.
fn memory(stats: &ContainerMemoryStats) -> Option<u64> {
    let usage = stats.usage?;
    let detail = stats.stats.as_ref();
    // The names of cgroup v1 and v2.
    let named = |name: &str| detail.and_then(|detail| detail.get(name)).copied();
    let idle = named("total_inactive_file").or_else(|| named("inactive_file")).unwrap_or_default();
    Some(usage.saturating_sub(idle))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use bollard::models::ContainerCpuUsage;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn stats(container: u64, machine: u64) -> ContainerStatsResponse {
        let cpu_usage = ContainerCpuUsage { total_usage: Some(container), ..ContainerCpuUsage::default() };
        let cpu_stats = ContainerCpuStats {
            cpu_usage: Some(cpu_usage),
            system_cpu_usage: Some(machine),
            online_cpus: Some(2),
            ..ContainerCpuStats::default()
        };
        let memory_stats = ContainerMemoryStats {
            usage: Some(1000),
            stats: Some(HashMap::from([("total_inactive_file".to_owned(), 400)])),
            ..ContainerMemoryStats::default()
        };
        ContainerStatsResponse {
            cpu_stats: Some(cpu_stats),
            memory_stats: Some(memory_stats),
            ..ContainerStatsResponse::default()
        }
    }

    #[test]
    fn processors_are_told_from_the_second_sample_on() {
        let meter = Meter::default();
        assert_eq!(meter.measure(&stats(SECOND, 10 * SECOND)), None);
        // Of the four seconds of two processors, one.
        let usage = meter.measure(&stats(2 * SECOND, 14 * SECOND)).unwrap();
        assert!((usage.cpus - 0.5).abs() < 1e-9, "{usage:?}");
        assert_eq!(usage.memory, 600);
    }

    #[test]
    fn samples_that_are_too_close_repeat_what_was_told() {
        let meter = Meter::default();
        meter.measure(&stats(SECOND, 10 * SECOND));
        let told = meter.measure(&stats(2 * SECOND, 14 * SECOND)).unwrap();
        let again = meter.measure(&stats(3 * SECOND, 14 * SECOND + CLOSEST)).unwrap();
        assert!((told.cpus - again.cpus).abs() < 1e-9);
    }

    #[test]
    fn a_restart_begins_anew() {
        let meter = Meter::default();
        meter.measure(&stats(9 * SECOND, 10 * SECOND));
        assert_eq!(meter.measure(&stats(SECOND, 14 * SECOND)), None);
        assert!(meter.measure(&stats(2 * SECOND, 18 * SECOND)).is_some());
    }

    #[test]
    fn an_engine_that_does_not_measure_is_no_fault() {
        assert_eq!(Meter::default().measure(&ContainerStatsResponse::default()), None);
    }
}
