//! All secrets of a configuration by their sources, wherever in it they are named: for whoever must keep them from being shown.

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
        sources
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
"#;
        let settings = parse(text, "trainyard.toml").map_err(|errors| errors.to_string()).unwrap();
        let names: Vec<String> = settings.secret_sources().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["API_TOKEN", "pip", "node", "gpu"]);
    }
}
