//! What a cluster means when it refuses or stays silent.
//!
//! A refusal is a status with a code, a reason and a text. The code decides, and the text where one code stands for several
//! things: 403 is a missing right as well as a quota, 500 is an overloaded store as well as a manifest that cannot be read.
//! Texts are those of Kubernetes 1.20 (tried) and later ones (read).

use kube::client::AuthError;
use kube::core::Status;

use super::text::{causes, one_line, without_tags};

/// What kube writes as the reason when the body of a refusal is no JSON.
const NO_JSON: &str = "Failed to parse error data";

/// A field that another than this program has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who owns the field: `kubectl-edit`, `kube-controller-manager`.
    pub manager: String,
    /// The field: `.spec.replicas`.
    pub field: String,
}

/// Why a cluster did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClusterError {
    /// There is nothing that says where a cluster is.
    #[error("no cluster is configured: {reason}; let KUBECONFIG name a kubeconfig, or put one at ~/.kube/config")]
    NoConfig {
        /// What is wrong with the kubeconfig.
        reason: String,
    },
    /// The kubeconfig does not say which of its contexts is meant.
    #[error("the kubeconfig has no present context; set `context` in trainyard.toml to one of: {}", list(.known))]
    NoContext {
        /// Those that it has.
        known: Vec<String>,
    },
    /// The kubeconfig has no such context.
    #[error("the kubeconfig has no context `{context}`, but {}; change `context` in trainyard.toml", list(.known))]
    UnknownContext {
        /// The one that was asked for.
        context: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// Nobody answers, or nobody who can do anything.
    #[error("the API server{} does not answer: {reason}; see whether `kubectl version` gets an answer", at(.server.as_deref()))]
    Unreachable {
        /// Its address, where it is known.
        server: Option<String>,
        /// How that showed.
        reason: String,
    },
    /// The login is not accepted.
    #[error(
        "the API server does not accept the login of the kubeconfig: {reason}; renew it (`kubectl auth can-i get pods` tries it)"
    )]
    Unauthorized {
        /// What was said.
        reason: String,
    },
    /// A right is lacking.
    #[error("{} may not `{verb}` `{resource}` {}; ask for a Role that allows it", who(.user.as_deref()), place(.namespace.as_deref()))]
    Forbidden {
        /// As the cluster knows the user.
        user: Option<String>,
        /// Such as `patch`.
        verb: String,
        /// Such as `deployments.apps`.
        resource: String,
        /// The namespace; `None` means the whole cluster.
        namespace: Option<String>,
    },
    /// What was asked for is not there.
    #[error("the cluster does not have it: {what}")]
    NotFound {
        /// What the server said.
        what: String,
    },
    /// Fields belong to others.
    #[error(
        "fields are owned by others: {}; set them back to what the release wants, or take them out of the manifests",
        claimed(.claims)
    )]
    Conflict {
        /// Who owns what.
        claims: Vec<Claim>,
    },
    /// It is there already, or it was changed in the same moment.
    #[error("somebody else was faster: {message}; try again")]
    Changed {
        /// What the server said.
        message: String,
    },
    /// The object is not a valid one.
    #[error("the cluster does not accept it: {message}")]
    Invalid {
        /// What the server said.
        message: String,
    },
    /// The cluster has no such kind of object.
    #[error(
        "the cluster does not know the kind {kind} of {api_version}; install what defines it, or change `apiVersion`"
    )]
    UnknownKind {
        /// Such as `Deployment`.
        kind: String,
        /// Such as `apps/v1`.
        api_version: String,
    },
    /// A quota, an admission rule or a webhook is against it.
    #[error("the cluster refuses: {message}")]
    Refused {
        /// What the server said.
        message: String,
    },
    /// The cluster cannot do what is needed.
    #[error("Kubernetes {version} at {server} is too old; 1.20 is the oldest that will do")]
    Version {
        /// Of the API server.
        version: String,
        /// Its address.
        server: String,
    },
    /// Something took longer than it may.
    #[error("{what} is still there after {seconds} s; see `kubectl describe` for what holds it")]
    StillThere {
        /// What.
        what: String,
        /// How long was waited.
        seconds: u64,
    },
    /// Something that has no name here.
    #[error("the cluster cannot be used: {reason}")]
    Other {
        /// What was said.
        reason: String,
    },
}

impl ClusterError {
    /// Whether it says that nobody answers, and nothing of what was asked.
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Whether what was asked for is not there.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// With the address of the server that did not answer.
    #[must_use]
    pub fn at(self, address: &str) -> Self {
        match self {
            Self::Unreachable { server: None, reason } => {
                Self::Unreachable { server: Some(address.to_owned()), reason }
            }
            other => other,
        }
    }

    fn of_status(status: &Status) -> Self {
        let message = said(status);
        match code(status) {
            401 => Self::Unauthorized { reason: message },
            403 => forbidden(&message).unwrap_or(Self::Refused { message }),
            404 => Self::NotFound { what: message },
            409 => conflict(status).unwrap_or(Self::Changed { message }),
            400 | 415 | 422 => Self::Invalid { message },
            // Older servers answer so when a manifest does not fit the schema.
            500 if message.contains("failed to create typed patch object") => Self::Invalid { message },
            429 | 502 | 503 | 504 => Self::Unreachable { server: None, reason: message },
            500 if is_overload(status) => Self::Unreachable { server: None, reason: message },
            _ => Self::Refused { message },
        }
    }
}

impl From<kube::Error> for ClusterError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::of_status(&status),
            kube::Error::Auth(error) => Self::Unauthorized { reason: of_login(&error) },
            kube::Error::HyperError(_) | kube::Error::Service(_) | kube::Error::ReadEvents(_) => {
                Self::Unreachable { server: None, reason: causes(&error) }
            }
            error => Self::Other { reason: causes(&error) },
        }
    }
}

/// What a login program prints may hold a token, so only its complaint is told on.
fn of_login(error: &AuthError) -> String {
    match error {
        AuthError::AuthExecRun { out, .. } => {
            let complaint = String::from_utf8_lossy(&out.stderr);
            let last = complaint.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
            format!("the login program of the kubeconfig failed ({}): {}", out.status, one_line(last))
        }
        AuthError::AuthExecParse(_) => "what the login program of the kubeconfig printed is not understood".to_owned(),
        error => causes(error),
    }
}

fn code(status: &Status) -> u16 {
    match (status.code, status.reason.as_str()) {
        (0, "Unauthorized") => 401,
        (0, "Forbidden") => 403,
        (0, "NotFound") => 404,
        (0, "Conflict" | "AlreadyExists") => 409,
        (0, "Invalid" | "BadRequest") => 422,
        (0, "Timeout" | "ServerTimeout" | "ServiceUnavailable") => 503,
        (code, _) => code,
    }
}

fn said(status: &Status) -> String {
    let message = status.message.trim();
    if status.reason == NO_JSON {
        let text = without_tags(message);
        return if text.is_empty() {
            format!("status {}", status.code)
        } else {
            format!("status {}: {text}", status.code)
        };
    }
    if message.is_empty() {
        return format!("status {} {}", status.code, status.reason).trim_end().to_owned();
    }
    one_line(message)
}

/// The server is there, but cannot do anything at the moment.
fn is_overload(status: &Status) -> bool {
    matches!(status.reason.as_str(), "Timeout" | "ServerTimeout") || status.message.contains("etcdserver")
}

/// Takes `User "jane" cannot patch resource "deployments" in API group "apps" in the namespace "ml"` apart. What is
/// forbidden in other words is no lacking right: a quota, a rule of admission.
fn forbidden(message: &str) -> Option<ClusterError> {
    let (user, rest) = message.split_once("User \"")?.1.split_once('"')?;
    let (verb, rest) = rest.strip_prefix(" cannot ")?.split_once(' ')?;
    let (resource, rest) = rest.strip_prefix("resource \"")?.split_once('"')?;
    let quoted = |behind: &str| Some(rest.split_once(behind)?.1.split_once('"')?.0);
    let group = quoted("in API group \"").unwrap_or_default();
    Some(ClusterError::Forbidden {
        user: Some(user.to_owned()),
        verb: verb.to_owned(),
        resource: qualified(resource, group),
        namespace: quoted("in the namespace \"").map(str::to_owned),
    })
}

/// `deployments.apps`, `deployments.apps/scale`, `pods/log`: as `kubectl` writes it.
pub fn qualified(resource: &str, group: &str) -> String {
    if group.is_empty() {
        return resource.to_owned();
    }
    match resource.split_once('/') {
        Some((resource, part)) => format!("{resource}.{group}/{part}"),
        None => format!("{resource}.{group}"),
    }
}

fn conflict(status: &Status) -> Option<ClusterError> {
    let causes = status.details.as_ref().map(|details| details.causes.as_slice()).unwrap_or_default();
    let claims: Vec<Claim> = causes
        .iter()
        .filter(|cause| cause.reason == "FieldManagerConflict")
        .map(|cause| Claim { manager: manager(&cause.message), field: cause.field.clone() })
        .collect();
    (!claims.is_empty()).then_some(ClusterError::Conflict { claims })
}

/// The name in `conflict with "kubectl-edit" using apps/v1`.
fn manager(message: &str) -> String {
    let quoted = message.split_once('"').and_then(|(_, rest)| rest.split_once('"'));
    quoted.map_or_else(|| one_line(message), |(name, _)| name.to_owned())
}

fn claimed(claims: &[Claim]) -> String {
    claims.iter().map(|claim| format!("`{}` by {}", claim.field, claim.manager)).collect::<Vec<_>>().join(", ")
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn at(server: Option<&str>) -> String {
    server.map(|server| format!(" at {server}")).unwrap_or_default()
}

fn who(user: Option<&str>) -> String {
    user.map_or_else(|| "this user".to_owned(), |user| format!("the user {user}"))
}

fn place(namespace: Option<&str>) -> String {
    namespace.map_or_else(|| "in the whole cluster".to_owned(), |namespace| format!("in namespace {namespace}"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn error(status: Value) -> ClusterError {
        let status: Status = serde_json::from_value(status).unwrap();
        kube::Error::Api(status.boxed()).into()
    }

    #[test]
    fn a_lacking_right_is_named_with_verb_resource_namespace_and_user() {
        let message = "deployments.apps \"wine\" is forbidden: User \"jane\" cannot patch resource \"deployments\" in API \
                       group \"apps\" in the namespace \"ml\"";
        let found = error(json!({ "status": "Failure", "message": message, "reason": "Forbidden", "code": 403 }));
        let expected =
            "the user jane may not `patch` `deployments.apps` in namespace ml; ask for a Role that allows it";
        assert_eq!(found.to_string(), expected);
        let message = "pods \"x\" is forbidden: User \"system:serviceaccount:ml:a\" cannot get resource \"pods/log\" in API \
                       group \"\" in the namespace \"ml\"";
        let found = error(json!({ "message": message, "reason": "Forbidden", "code": 403 }));
        assert!(matches!(found, ClusterError::Forbidden { resource, .. } if resource == "pods/log"));
        assert_eq!(qualified("deployments/scale", "apps"), "deployments.apps/scale");
    }

    #[test]
    fn a_quota_is_no_lacking_right() {
        let message =
            "pods \"wine-1\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=4, limited: pods=2";
        let found = error(json!({ "message": message, "reason": "Forbidden", "code": 403 }));
        assert_eq!(found, ClusterError::Refused { message: message.to_owned() });
    }

    #[test]
    fn a_conflict_names_each_manager_and_field() {
        let cause = |field: &str| {
            let message = "conflict with \"kubectl-edit\" using apps/v1";
            json!({ "reason": "FieldManagerConflict", "message": message, "field": field })
        };
        let found = error(json!({
            "message": "Apply failed with 2 conflicts: conflicts with \"kubectl-edit\" using apps/v1",
            "reason": "Conflict",
            "details": { "causes": [cause(".spec.minReadySeconds"), cause(".spec.replicas")] },
            "code": 409,
        }));
        let said = found.to_string();
        let expected =
            "fields are owned by others: `.spec.minReadySeconds` by kubectl-edit, `.spec.replicas` by kubectl-edit";
        assert!(said.starts_with(expected), "{said}");
        let changed = error(json!({ "message": "the object has been modified", "reason": "Conflict", "code": 409 }));
        assert!(matches!(changed, ClusterError::Changed { .. }));
    }

    #[test]
    fn who_cannot_do_anything_now_is_unreachable_and_who_says_no_is_not() {
        let busy = |code: u16, reason: &str, message: &str| {
            error(json!({ "message": message, "reason": reason, "code": code })).is_unreachable()
        };
        assert!(busy(503, "ServiceUnavailable", "apiserver is shutting down"));
        assert!(busy(500, "", "etcdserver: request timed out"));
        assert!(busy(502, NO_JSON, "<html><title>502 Bad Gateway</title></html>"));
        assert!(!busy(500, "InternalError", "failed calling webhook \"x\""));
        assert!(!busy(404, NO_JSON, "404 page not found"));
        assert!(error(json!({ "message": "404 page not found", "reason": NO_JSON, "code": 404 })).is_missing());
    }

    #[test]
    fn a_manifest_that_an_old_server_cannot_read_is_invalid() {
        let message = "failed to create typed patch object: .spec.imagge: field not declared in schema";
        let found = error(json!({ "status": "Failure", "message": message, "code": 500 }));
        assert_eq!(found, ClusterError::Invalid { message: message.to_owned() });
    }

    #[test]
    fn a_page_of_a_proxy_is_told_without_its_tags_and_with_the_address() {
        let page = "<html><head><title>503 No Server</title></head></html>";
        let found = error(json!({ "message": page, "reason": NO_JSON, "code": 503 })).at("https://ml:6443");
        let expected = "the API server at https://ml:6443 does not answer: status 503: 503 No Server";
        assert!(found.to_string().starts_with(expected), "{found}");
    }
}
