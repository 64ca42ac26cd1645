//! All secrets of a configuration by their sources, wherever in it they are named: for whoever must keep them from being shown.

use super::notify_settings::{NotifyWay, SecretText};
use super::scrape_settings::Authentication;
use super::settings::{Action, SecretSource, Settings};

impl Settings {
    /// Each secret that is configured, with a name for people: that of its variable or, of a target, that of the target.
    pub fn secret_sources(&self) -> Vec<(String, &SecretSource)> {
        let mut sources: Vec<(String, &SecretSource)> =
            self.secrets.iter().map(|(name, source)| (name.clone(), source)).collect();
        for stage in &self.stages {
            if let Action::Image(image) = &stage.action {
                let secrets = image.dockerfile.iter().flat_map(|dockerfile| &dockerfile.secrets);
                sources.extend(secrets.map(|(name, source)| (name.clone(), source)));
            }
        }
        for target in &self.monitor.targets {
            match &target.authentication {
                Authentication::None => {}
                Authentication::Basic { password, .. } => sources.push((target.name.clone(), password)),
                Authentication::Bearer { token } => sources.push((target.name.clone(), token)),
            }
        }
        for (name, text) in self.notify_texts() {
            if let SecretText::From(source) = text {
                sources.push((name, source));
            }
        }
        sources
    }

    /// Each secret that stands in the configuration itself, with a name for people.
    pub fn written_secrets(&self) -> Vec<(String, &str)> {
        let written = self.notify_texts().into_iter().filter_map(|(name, text)| match text {
            SecretText::Written(value) => Some((name, value.as_str())),
            SecretText::From(_) => None,
        });
        written.collect()
    }

    fn notify_texts(&self) -> Vec<(String, &SecretText)> {
        let mut texts = Vec::new();
        for notify in &self.notify {
            if let NotifyWay::Webhook(webhook) = &notify.way {
                texts.push((notify.name.clone(), &webhook.address));
                texts.extend(webhook.headers.values().map(|value| (notify.name.clone(), value)));
            }
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn every_secret_of_a_configuration_is_told() {
        let text = r#"
[project]
secrets = { API_TOKEN = "$API_TOKEN" }
[stages.train]
command = ["sh", "-c", "true > $TRAINYARD_MODEL/x"]
[stages.build]
uses = "image"
needs = ["train"]
dockerfile = "Dockerfile"
secrets = { pip = "secrets/pip" }
[[monitor.targets]]
name = "node"
url = "http://localhost:9100/metrics"
basic = { user = "me", password_env = "NODE_PASSWORD" }
[[monitor.targets]]
name = "gpu"
url = "http://localhost:9400/metrics"
bearer = { token_file = "secrets/gpu" }
[[notify]]
name = "team"
webhook = "https://hooks.example.com/T0/written"
headers = { Authorization = { env = "TEAM_TOKEN" } }
"#;
        let settings = parse(text, "trainyard.toml").map_err(|errors| errors.to_string()).unwrap();
        let names: Vec<String> = settings.secret_sources().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["API_TOKEN", "pip", "node", "gpu", "team"]);
        assert_eq!(settings.written_secrets(), [("team".to_owned(), "https://hooks.example.com/T0/written")]);
    }
}
