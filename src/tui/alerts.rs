//! Alerts as the screen goes through them: in which order they stand, which of them a key means, and for how long one can be
//! silenced.

use std::cmp::Reverse;

use crate::api::types::AlertStatus;
use crate::pipeline::AlertState;

use super::app::Model;

/// For how long an alert can be silenced here, in milliseconds, and how that is called; any other length is for
/// `trainyard alerts silence`.
pub(super) const LENGTHS: [(u64, &str); 9] = [
    (600_000, "10 min"),
    (1_800_000, "30 min"),
    (3_600_000, "1 h"),
    (7_200_000, "2 h"),
    (14_400_000, "4 h"),
    (28_800_000, "8 h"),
    (86_400_000, "24 h"),
    (259_200_000, "3 d"),
    (604_800_000, "7 d"),
];

/// What is asked before an alert is silenced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SilencePrompt {
    /// Which alert.
    pub(super) alert: String,
    /// Which of [`LENGTHS`].
    pub(super) length: usize,
    /// What was typed of the reason.
    pub(super) why: String,
}

impl SilencePrompt {
    /// The question about an alert, with the length that the command takes too where none is given.
    pub(super) fn new(alert: String) -> Self {
        let length = LENGTHS.iter().position(|(length, _)| *length == 7_200_000).unwrap_or(0);
        Self { alert, length, why: String::new() }
    }

    /// A longer or shorter silence.
    pub(super) fn lengthen(&mut self, by: isize) {
        self.length = self.length.saturating_add_signed(by).min(LENGTHS.len() - 1);
    }

    /// For how long, in milliseconds, and how that is called.
    pub(super) fn length(&self) -> (u64, &'static str) {
        LENGTHS.get(self.length).copied().unwrap_or((7_200_000, "2 h"))
    }
}

/// Whether there is nothing to say of an alert.
pub(super) fn is_quiet(alert: &AlertStatus) -> bool {
    alert.state == AlertState::Inactive && alert.silence.is_none() && alert.error.is_none()
}

/// All alerts: those of which there is something to say, the most urgent first, then those that are quiet.
pub(super) fn ordered(model: &Model) -> Vec<&AlertStatus> {
    let mut all: Vec<&AlertStatus> = model.live.alerts.iter().collect();
    all.sort_by_key(|alert| (is_quiet(alert), Reverse(alert.state)));
    all
}

/// The chosen alert, as long as there is one of that name.
pub(super) fn chosen(model: &Model) -> Option<&AlertStatus> {
    let name = model.alert.as_ref()?;
    model.live.alerts.iter().find(|alert| alert.name == *name)
}

/// The alert that the key for a silence means: the chosen one, else the most urgent one that is heard. Its name stands in the
/// question, so nobody silences another one without seeing it.
pub(super) fn to_silence(model: &Model) -> Option<&AlertStatus> {
    if model.alert.is_some() {
        return chosen(model);
    }
    ordered(model).into_iter().find(|alert| alert.state != AlertState::Inactive && alert.silence.is_none())
}

/// The alert whose silence the key ends: the chosen one, else the most urgent one that is silenced.
pub(super) fn to_hear(model: &Model) -> Option<&AlertStatus> {
    if model.alert.is_some() {
        return chosen(model).filter(|alert| alert.silence.is_some());
    }
    ordered(model).into_iter().find(|alert| alert.silence.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures::{self, alert, silenced};

    #[test]
    fn a_key_means_the_chosen_alert_and_else_the_most_urgent_one() {
        let mut model = fixtures::idle();
        assert!(to_silence(&model).is_none() && to_hear(&model).is_none());
        model.live.alerts = vec![
            alert("Quiet", AlertState::Inactive),
            alert("Slow", AlertState::Pending),
            silenced(alert("Known", AlertState::Firing)),
            alert("Errors", AlertState::Firing),
        ];
        let names = |alerts: Vec<&AlertStatus>| alerts.into_iter().map(|alert| alert.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(ordered(&model)), ["Known", "Errors", "Slow", "Quiet"]);
        let meant = |model: &Model| {
            (to_silence(model).map(|alert| alert.name.clone()), to_hear(model).map(|alert| alert.name.clone()))
        };
        assert_eq!(meant(&model), (Some("Errors".to_owned()), Some("Known".to_owned())));
        model.alert = Some("Quiet".to_owned());
        assert_eq!(meant(&model), (Some("Quiet".to_owned()), None));
        model.alert = Some("Gone".to_owned());
        assert_eq!(meant(&model), (None, None), "a name that is not configured any more means no other one");
    }
}
