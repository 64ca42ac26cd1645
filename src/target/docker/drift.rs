//! Where a live container differs from what was applied, because somebody changed it from outside.

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, HostConfig, RestartPolicyNameEnum};

use super::container::Container;
use super::{compose, containers, life, plan};
use crate::config::Limits;

impl Container {
    /// What is different, one line each; nothing when the engine does not answer, for then nothing is known.
    pub async fn drift(&self) -> Vec<String> {
        let Ok(Some(seen)) = containers::look(self.engine(), self.id()).await else { return Vec::new() };
        let mut lines = differences(&seen, self.limits(), self.name());
        if let Some(settings) = self.compose() {
            let running = compose::running(self.engine(), settings).await.unwrap_or_default();
            if !running.is_empty() {
                let service = &settings.service;
                let running = running.join(", ");
                lines.push(format!("{running} of the Compose service `{service}` runs beside the release"));
            }
        }
        lines
    }
}

fn differences(seen: &ContainerInspectResponse, limits: &Limits, name: &str) -> Vec<String> {
    let mut lines = Vec::new();
    if life::status(seen) == Some(ContainerStateStatusEnum::PAUSED) {
        lines.push(format!("{name} is paused; `docker unpause {name}` lets it go on"));
    }
    let Some(host) = &seen.host_config else { return lines };
    // The engine writes 0 where there is no limit.
    let differs = |live: Option<i64>, applied: Option<i64>| live.unwrap_or_default() != applied.unwrap_or_default();
    if differs(host.memory, plan::memory(limits)) {
        let live = host.memory.filter(|bytes| *bytes > 0).map_or("none".to_owned(), |bytes| format!("{bytes} bytes"));
        lines.push(format!("{name}: the limit of memory is now {live}"));
    }
    if differs(host.nano_cpus, plan::nano_cpus(limits)) {
        lines.push(format!("{name}: the limit of processors is now {}", processors(host)));
    }
    let policy = host.restart_policy.as_ref().and_then(|policy| policy.name);
    if policy != Some(RestartPolicyNameEnum::UNLESS_STOPPED) {
        let policy = policy.map(|policy| policy.to_string()).unwrap_or_default();
        lines.push(format!("{name}: the restart policy is now `{policy}`"));
    }
    lines
}

/// As it is written for `docker run --cpus`.
fn processors(host: &HostConfig) -> String {
    let nano = host.nano_cpus.unwrap_or_default();
    if nano == 0 {
        return "none".to_owned();
    }
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use bollard::models::RestartPolicy;

    use super::*;

    fn seen(memory: i64, nano_cpus: i64, policy: RestartPolicyNameEnum) -> ContainerInspectResponse {
        let host = HostConfig {
            memory: Some(memory),
            nano_cpus: Some(nano_cpus),
            restart_policy: Some(RestartPolicy { name: Some(policy), maximum_retry_count: Some(0) }),
            ..HostConfig::default()
        };
        ContainerInspectResponse { host_config: Some(host), ..ContainerInspectResponse::default() }
    }

    #[test]
    fn a_container_as_it_was_made_does_not_differ() {
        let limits = Limits { memory: Some(1024), cpus: Some(0.5) };
        let same = seen(1024, 500_000_000, RestartPolicyNameEnum::UNLESS_STOPPED);
        assert_eq!(differences(&same, &limits, "wine"), Vec::<String>::new());
        let unlimited = seen(0, 0, RestartPolicyNameEnum::UNLESS_STOPPED);
        assert_eq!(differences(&unlimited, &Limits::default(), "wine"), Vec::<String>::new());
    }

    #[test]
    fn what_was_changed_by_hand_is_told() {
        let limits = Limits { memory: Some(1024), cpus: None };
        let lines = differences(&seen(2048, 1_250_000_000, RestartPolicyNameEnum::NO), &limits, "wine");
        let expected = [
            "wine: the limit of memory is now 2048 bytes",
            "wine: the limit of processors is now 1.25",
            "wine: the restart policy is now `no`",
        ];
        assert_eq!(lines, expected);
    }
}
