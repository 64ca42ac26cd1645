//! The HTTP client that scrapes: TLS by rustls, the authorities of the system or those of a file, redirects up to a bound.

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder};

/// How many redirects are followed.
pub(super) const REDIRECTS: usize = 10;

/// A client that trusts the certificates in `authorities` (PEM), or without them those that the system trusts.
pub fn client(authorities: Option<&[u8]>) -> Result<Client, String> {
    let Some(pem) = authorities else {
        // A machine that trusts nobody still scrapes over plain HTTP; https then says that the certificate is unknown.
        let plain = || builder().tls_certs_only([]).build();
        return builder().build().or_else(|_| plain()).map_err(|error| causes(&error));
    };
    let certificates = Certificate::from_pem_bundle(pem).map_err(|error| causes(&error))?;
    if certificates.is_empty() {
        return Err("there is no certificate in it; it must be PEM, with `-----BEGIN CERTIFICATE-----`".to_owned());
    }
    builder().tls_certs_only(certificates).build().map_err(|error| causes(&error))
}

fn builder() -> ClientBuilder {
    // The one provider of ciphers. The program installs it when it starts; in a test nobody has, and the second time is
    // none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .redirect(Policy::limited(REDIRECTS))
        .user_agent(concat!("trainyard/", env!("CARGO_PKG_VERSION")))
}

fn causes(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        let refused = client(Some(b"nothing of the kind")).unwrap_err();
        assert!(refused.contains("no certificate"), "{refused}");
    }

    #[test]
    fn a_client_can_be_had_without_authorities() {
        client(None).unwrap();
    }
}
