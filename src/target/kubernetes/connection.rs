//! The way to a cluster: which one is meant, who asks, how old it is, and how long an answer may take.
//!
//! The client itself has no limit on reading, because port-forwards and watches share it and may be silent for long. A
//! plain question goes through [`Cluster::ask`], which waits no longer than it must to notice that the network was cut.
//!
//! Known gap: a kubeconfig whose login program asks something on a terminal cannot be used, for there is none.

use std::env;
use std::fmt;
use std::io;
use std::time::Duration;

use kube::api::{ApiResource, DynamicObject};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::core::NamespaceResourceScope;
use kube::{Api, Client, Config, Resource};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

pub use super::error::{Claim, ClusterError};
use super::text::causes;

/// How long it may take to connect, and the server to say who it is.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the login program of a kubeconfig may take.
const LOGIN: Duration = Duration::from_secs(30);
/// How long the answer to a plain question may take.
const ANSWER: Duration = Duration::from_secs(30);
/// The oldest Kubernetes against which all of this was tried.
const OLDEST: (u32, u32) = (1, 20);

/// A cluster that answered, and the namespace in it.
#[derive(Clone)]
pub struct Cluster {
    /// The client; what is not asked through [`Cluster::ask`] needs a limit of its own.
    pub client: Client,
    /// The context of the kubeconfig, or `in-cluster`.
    pub context: String,
    /// The namespace.
    pub namespace: String,
    /// The address of the API server.
    pub server: String,
    /// How old it is.
    pub version: ClusterVersion,
    /// The user as the kubeconfig names it.
    pub user: Option<String>,
}

/// The version of an API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterVersion {
    /// As it is written: `v1.20.2`.
    pub text: String,
    /// Major and minor, unless they are no numbers.
    number: Option<(u32, u32)>,
}

impl ClusterVersion {
    fn new(text: &str, major: &str, minor: &str) -> Self {
        Self { text: text.to_owned(), number: leading(major).zip(leading(minor)) }
    }

    /// Whether it is that version or a newer one. One that cannot be read counts as new.
    pub fn is_at_least(&self, major: u32, minor: u32) -> bool {
        self.number.is_none_or(|number| number >= (major, minor))
    }
}

impl fmt::Display for ClusterVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

// The client has none of its own, and would show who logs in.
impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("context", &self.context)
            .field("namespace", &self.namespace)
            .field("server", &self.server)
            .field("version", &self.version.text)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Connects to the cluster of a context, or of the present one, and asks for its version. Without a kubeconfig and
    /// inside of a pod it is the cluster of that pod.
    pub async fn connect(context: Option<&str>, namespace: Option<&str>) -> Result<Self, ClusterError> {
        let found = Found::find(context).await?;
        let server = found.config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let namespace = namespace.unwrap_or(&found.config.default_namespace).to_owned();
        let client = client(found.config, &server).await?;
        let version = match timeout(CONNECT, client.apiserver_version()).await {
            Ok(answer) => answer.map_err(|error| ClusterError::from(error).at(&server))?,
            Err(_) => return Err(silent(&server, CONNECT)),
        };
        let version = ClusterVersion::new(&version.git_version, &version.major, &version.minor);
        if !version.is_at_least(OLDEST.0, OLDEST.1) {
            return Err(ClusterError::Version { version: version.text, server });
        }
        Ok(Self { client, context: found.context, namespace, server, version, user: found.user })
    }

    /// Waits for the answer to a plain question, but not without end.
    pub async fn ask<T>(&self, question: impl Future<Output = kube::Result<T>>) -> Result<T, ClusterError> {
        self.ask_within(ANSWER, question).await
    }

    /// Waits for the answer no longer than `limit`.
    pub async fn ask_within<T>(
        &self,
        limit: Duration,
        question: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, ClusterError> {
        match timeout(limit, question).await {
            Ok(answer) => answer.map_err(|error| ClusterError::from(error).at(&self.server)),
            Err(_) => Err(silent(&self.server, limit)),
        }
    }

    /// The objects of one type in the namespace.
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope>,
        K::DynamicType: Default,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The objects of a kind that is known by its description only.
    pub fn api_of(&self, resource: &ApiResource, is_namespaced: bool) -> Api<DynamicObject> {
        if is_namespaced {
            Api::namespaced_with(self.client.clone(), &self.namespace, resource)
        } else {
            Api::all_with(self.client.clone(), resource)
        }
    }
}

/// Where a cluster is and who asks.
struct Found {
    config: Config,
    context: String,
    user: Option<String>,
}

impl Found {
    async fn find(context: Option<&str>) -> Result<Self, ClusterError> {
        let kubeconfig = Kubeconfig::read();
        if context.is_none() && is_absent(&kubeconfig) && env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
            let config = Config::incluster().map_err(|error| ClusterError::NoConfig { reason: causes(&error) })?;
            return Ok(Self { config: limited(config), context: "in-cluster".to_owned(), user: None });
        }
        let kubeconfig = kubeconfig.map_err(|error| no_config(&error))?;
        let known = || kubeconfig.contexts.iter().map(|context| context.name.clone()).collect::<Vec<_>>();
        let present = kubeconfig.current_context.as_deref().filter(|name| !name.is_empty());
        let Some(context) = context.or(present).map(str::to_owned) else {
            return Err(ClusterError::NoContext { known: known() });
        };
        let Some(named) = kubeconfig.contexts.iter().find(|named| named.name == context) else {
            return Err(ClusterError::UnknownContext { context, known: known() });
        };
        let user = named.context.as_ref().and_then(|context| context.user.clone());
        let options = KubeConfigOptions { context: Some(context.clone()), ..KubeConfigOptions::default() };
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(|error| no_config(&error))?;
        Ok(Self { config: limited(config), context, user })
    }
}

fn is_absent(kubeconfig: &Result<Kubeconfig, KubeconfigError>) -> bool {
    match kubeconfig {
        Ok(kubeconfig) => kubeconfig.contexts.is_empty(),
        Err(KubeconfigError::FindPath) => true,
        Err(KubeconfigError::ReadConfig(error, _)) => error.kind() == io::ErrorKind::NotFound,
        Err(_) => false,
    }
}

/// What is wrong with a kubeconfig. Its own words quote the lines around a fault, and those hold logins.
fn no_config(error: &KubeconfigError) -> ClusterError {
    let reason = match error {
        KubeconfigError::Parse(fault) => match fault.location() {
            Some(place) => format!("the kubeconfig is no valid YAML in line {}", place.line()),
            None => "the kubeconfig is no valid YAML".to_owned(),
        },
        error => causes(error),
    };
    ClusterError::NoConfig { reason }
}

fn limited(mut config: Config) -> Config {
    config.connect_timeout = Some(CONNECT);
    // Those who ask know whether it is worth asking again, and tell that they do.
    config.default_retry = false;
    config
}

async fn client(config: Config, server: &str) -> Result<Client, ClusterError> {
    // The kubeconfig may name a login program, which is run, and waited for, when the client is made.
    match timeout(LOGIN, spawn_blocking(move || Client::try_from(config))).await {
        Ok(Ok(made)) => made.map_err(|error| ClusterError::from(error).at(server)),
        Ok(Err(error)) => Err(ClusterError::Other { reason: causes(&error) }),
        Err(_) => {
            let reason = format!("its login program did not end within {} s", LOGIN.as_secs());
            Err(ClusterError::Unauthorized { reason })
        }
    }
}

fn silent(server: &str, limit: Duration) -> ClusterError {
    let reason = format!("no answer within {} s", limit.as_secs());
    ClusterError::Unreachable { server: Some(server.to_owned()), reason }
}

/// The number that a text begins with: minor versions are written `20+` by some.
fn leading(text: &str) -> Option<u32> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A cluster whose answers are those of a router in this process. To be made inside of a runtime.
    pub(crate) fn cluster_of(router: axum::Router) -> Cluster {
        Cluster {
            client: Client::new(router, "ml"),
            context: "test".to_owned(),
            namespace: "ml".to_owned(),
            server: "http://cluster".to_owned(),
            version: ClusterVersion::new("v1.30.0", "1", "30"),
            user: None,
        }
    }

    #[test]
    fn a_version_is_compared_by_its_numbers_and_an_unreadable_one_counts_as_new() {
        let version = |major: &str, minor: &str| ClusterVersion::new("v", major, minor);
        assert!(version("1", "20").is_at_least(1, 20));
        assert!(version("1", "31+").is_at_least(1, 20));
        assert!(!version("1", "19+").is_at_least(1, 20));
        assert!(version("2", "0").is_at_least(1, 20));
        assert!(version("", "edge").is_at_least(1, 20));
    }

    #[test]
    fn a_broken_kubeconfig_is_told_by_its_line_and_never_quoted() {
        let error = Kubeconfig::from_yaml("users:\n- name: a\n  user: {token: \"secret\n").unwrap_err();
        let said = no_config(&error).to_string();
        assert!(said.contains("no valid YAML") && !said.contains("secret"), "{said}");
    }

    #[test]
    fn a_kubeconfig_without_contexts_is_as_good_as_none() {
        assert!(is_absent(&Ok(Kubeconfig::default())));
        assert!(is_absent(&Err(KubeconfigError::FindPath)));
        assert!(!is_absent(&Err(KubeconfigError::CurrentContextNotSet)));
    }
}
