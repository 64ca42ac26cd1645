//! The colours of a picture, dark and light, and what thresholds say of a value.

/// Colours.
pub(super) struct Theme {
    pub(super) background: &'static str,
    pub(super) text: &'static str,
    pub(super) faint: &'static str,
    pub(super) grid: &'static str,
    pub(super) deploy: &'static str,
    pub(super) run: &'static str,
    pub(super) good: &'static str,
    pub(super) warn: &'static str,
    pub(super) bad: &'static str,
    curves: [&'static str; 8],
}

/// The eight colours of each are told apart by people who see fewer of them too (after Okabe and Ito).
pub(super) const DARK: Theme = Theme {
    background: "#14161b",
    text: "#e3e6ea",
    faint: "#9aa1ac",
    grid: "#2b2f37",
    deploy: "#c9a6ff",
    run: "#7f8794",
    good: "#3ddc97",
    warn: "#f0b429",
    bad: "#ff6b6b",
    curves: ["#56b4e9", "#e69f00", "#2fcf9f", "#f0e442", "#ff8a5c", "#d98cb3", "#b9c2cf", "#8fa8ff"],
};
pub(super) const LIGHT: Theme = Theme {
    background: "#ffffff",
    text: "#1f2328",
    faint: "#5c636e",
    grid: "#e2e5e9",
    deploy: "#7a3ec8",
    run: "#7d8590",
    good: "#00754a",
    warn: "#8a5a00",
    bad: "#c62828",
    curves: ["#0072b2", "#b36b00", "#00855f", "#8a7d00", "#c04a00", "#a64d79", "#5c636e", "#3f51b5"],
};

impl Theme {
    /// The colour of a curve.
    pub(super) fn curve(&self, index: usize) -> &'static str {
        self.curves.get(index % self.curves.len()).copied().unwrap_or(self.text)
    }

    /// What the thresholds say of a value, in a word and its colour: colour alone says nothing.
    pub(super) fn verdict(&self, thresholds: Option<(f64, f64)>, value: f64) -> Option<(&'static str, &'static str)> {
        let (warn, bad) = thresholds?;
        let reaches = |limit: f64| if bad < warn { value <= limit } else { value >= limit };
        Some(if reaches(bad) {
            ("bad", self.bad)
        } else if reaches(warn) {
            ("warn", self.warn)
        } else {
            ("ok", self.good)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_judge_whichever_end_is_the_bad_one() {
        let words = |thresholds, values: [f64; 3]| {
            values.map(|value| DARK.verdict(Some(thresholds), value).map(|(word, _)| word).unwrap_or_default())
        };
        assert_eq!(words((0.1, 0.25), [0.05, 0.1, 0.3]), ["ok", "warn", "bad"]);
        assert_eq!(words((0.9, 0.5), [0.95, 0.9, 0.5]), ["ok", "warn", "bad"]);
        assert_eq!(DARK.verdict(None, 1.0), None);
    }
}
