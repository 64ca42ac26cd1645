//! What the cluster calls the kinds of manifests, and which of them lie in a namespace: only the cluster knows.

use std::collections::BTreeMap;

use kube::api::ApiResource;
use kube::core::GroupVersionKind;
use kube::discovery::{Scope, pinned_kind};
use kube::error::DiscoveryError;

use super::connection::{Cluster, ClusterError};
use super::manifest::{Document, ManifestError};
use super::object::Object;

/// Why manifests do not become objects.
#[derive(Debug, thiserror::Error)]
pub enum KindError {
    /// A manifest cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The cluster cannot be asked, or does not know a kind.
    #[error("{place}: {source}")]
    Cluster {
        /// Which manifest it is about.
        place: String,
        /// What the cluster said.
        source: ClusterError,
    },
}

/// Makes objects of documents, in the order in which they are applied. Each that lies in a namespace is put into that of the
/// cluster; one that asks for another is refused.
pub async fn resolve(cluster: &Cluster, documents: Vec<Document>) -> Result<Vec<Object>, KindError> {
    let mut known = BTreeMap::new();
    let mut objects = Vec::new();
    for mut document in documents {
        let key = (document.text("apiVersion").to_owned(), document.text("kind").to_owned());
        let (resource, namespaced) = match known.get(&key).cloned() {
            Some(found) => found,
            None => {
                let place = document.place.to_string();
                let found = ask(cluster, &key.0, &key.1).await;
                let found = found.map_err(|source| KindError::Cluster { place, source })?;
                known.insert(key, found.clone());
                found
            }
        };
        if namespaced {
            document.put_into(&cluster.namespace)?;
        }
        objects.push(Object { resource, namespaced, body: document.body });
    }
    objects.sort_by_key(Object::rank);
    Ok(objects)
}

async fn ask(cluster: &Cluster, api_version: &str, kind: &str) -> Result<(ApiResource, bool), ClusterError> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let wanted = GroupVersionKind::gvk(group, version, kind);
    let unknown = || ClusterError::UnknownKind { kind: kind.to_owned(), api_version: api_version.to_owned() };
    let found = cluster.ask(async {
        match pinned_kind(&cluster.client, &wanted).await {
            Ok(found) => Ok(Some(found)),
            Err(kube::Error::Discovery(DiscoveryError::MissingKind(_))) => Ok(None),
            Err(error) => Err(error),
        }
    });
    match found.await {
        Ok(Some((resource, capabilities))) => Ok((resource, capabilities.scope == Scope::Namespaced)),
        Ok(None) => Err(unknown()),
        Err(error) if error.is_missing() => Err(unknown()),
        Err(error) => Err(error),
    }
}
