//! The beginning of every HTTP client that speaks to a socket of ours or to an app on this machine.
//!
//! None of them needs TLS, and none may depend on what certificates the machine has: without this, each client would read
//! those of the system, which costs milliseconds and fails where there are none.

use reqwest::{Client, ClientBuilder};

/// A client without proxy and without trust in anybody, to be completed.
pub fn plain_http() -> ClientBuilder {
    // The one provider of ciphers. The program installs it when it starts; in a test nobody has, and the second time is
    // none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().tls_certs_only([])
}
