//! What the health check of an image says of its container.

use bollard::models::{ContainerInspectResponse, HealthStatusEnum};

/// Bytes of its output that are kept.
const LONGEST: usize = 400;

/// What the health check of an image says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageHealth {
    /// The state.
    pub state: HealthState,
    /// What the last check wrote, or why it cannot be known.
    pub output: String,
}

/// The state of a health check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthState {
    /// It has not said anything yet.
    Starting,
    /// It passed.
    Healthy,
    /// It failed as often in a row as the image allows.
    Unhealthy,
}

/// What is known of the health check; `None` if the image has none.
pub fn of(seen: &ContainerInspectResponse) -> Option<ImageHealth> {
    let health = seen.state.as_ref()?.health.as_ref()?;
    let state = match health.status? {
        HealthStatusEnum::STARTING => HealthState::Starting,
        HealthStatusEnum::HEALTHY => HealthState::Healthy,
        HealthStatusEnum::UNHEALTHY => HealthState::Unhealthy,
        HealthStatusEnum::NONE | HealthStatusEnum::EMPTY => return None,
    };
    let last = health.log.as_ref().and_then(|checks| checks.last());
    let output = last.and_then(|check| check.output.as_deref()).unwrap_or_default().trim();
    let output = match (output, last.and_then(|check| check.exit_code)) {
        ("", Some(code)) if state == HealthState::Unhealthy => format!("it exited with code {code} and said nothing"),
        _ => end(output).to_owned(),
    };
    Some(ImageHealth { state, output })
}

/// The last lines of an output: an exception names itself at its end.
fn end(output: &str) -> &str {
    let mut from = output.len().saturating_sub(LONGEST);
    while !output.is_char_boundary(from) {
        from += 1;
    }
    output.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bollard::models::{ContainerState, Health, HealthcheckResult};

    use super::*;

    fn seen(status: HealthStatusEnum, output: &str) -> ContainerInspectResponse {
        let check = HealthcheckResult { exit_code: Some(1), output: Some(output.to_owned()), ..Default::default() };
        let health = Health { status: Some(status), log: Some(vec![check]), ..Health::default() };
        let state = ContainerState { health: Some(health), ..ContainerState::default() };
        ContainerInspectResponse { state: Some(state), ..ContainerInspectResponse::default() }
    }

    #[test]
    fn a_check_is_told_with_what_it_wrote_last() {
        let health = of(&seen(HealthStatusEnum::UNHEALTHY, "Traceback …\nno model\n")).unwrap();
        assert_eq!((health.state, health.output.as_str()), (HealthState::Unhealthy, "Traceback …\nno model"));
        let silent = of(&seen(HealthStatusEnum::UNHEALTHY, "")).unwrap();
        assert_eq!(silent.output, "it exited with code 1 and said nothing");
        let long = of(&seen(HealthStatusEnum::STARTING, &"é".repeat(4000))).unwrap();
        assert!(long.output.len() <= LONGEST);
    }

    #[test]
    fn an_image_without_a_check_says_nothing() {
        assert_eq!(of(&seen(HealthStatusEnum::NONE, "")), None);
        assert_eq!(of(&ContainerInspectResponse::default()), None);
    }
}
