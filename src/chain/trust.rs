//! Whom an encrypted connection to a node is believed: the authorities that this machine trusts, and those that its operator names.
//!
//! Both transports take the same ones. A certificate that is not trusted stays so however often it is shown, so it is told apart from a
//! connection that failed.

use std::error::Error;
use std::sync::Arc;

use reqwest::Certificate;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, Error as TlsError};
use rustls_platform_verifier::Verifier;

/// Authorities that are trusted beside the machine's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    authorities: Vec<CertificateDer<'static>>,
}

/// Why a text names no authority.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// It is not PEM.
    #[error("it is not PEM: {0}")]
    NotPem(String),
    /// It is PEM of something else.
    #[error("it holds no certificate (`-----BEGIN CERTIFICATE-----`)")]
    NoCertificate,
}

impl Trust {
    /// Trusts the certificates in a text, too: PEM, one or several.
    ///
    /// # Errors
    /// When it holds none.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<(), TrustError> {
        let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| TrustError::NotPem(error.to_string()))?;
        if found.is_empty() {
            return Err(TrustError::NoCertificate);
        }
        self.authorities.extend(found);
        Ok(())
    }

    /// As the HTTP client wants them.
    pub(super) fn certificates(&self) -> Result<Vec<Certificate>, reqwest::Error> {
        self.authorities.iter().map(|der| Certificate::from_der(der)).collect()
    }

    /// As a WebSocket wants them.
    pub(super) fn config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let verifier =
            Verifier::new_with_extra_roots(self.authorities.clone(), Arc::clone(&provider))?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}

/// What TLS says where a certificate is not trusted, somewhere among the causes of an error.
pub(super) fn distrust(error: &(dyn Error + 'static)) -> Option<String> {
    let causes = std::iter::successors(Some(error), |cause| (*cause).source());
    causes.into_iter().find_map(|cause| {
        let mut cause = cause;
        // What an I/O error holds is not among its sources.
        while let Some(inner) = cause.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref()) {
            cause = inner;
        }
        match cause.downcast_ref::<TlsError>()? {
            error @ TlsError::InvalidCertificate(_) => Some(error.to_string()),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        let mut trust = Trust::default();
        assert_eq!(trust.add_pem(b""), Err(TrustError::NoCertificate));
        assert_eq!(trust.add_pem(b"not at all"), Err(TrustError::NoCertificate));
        let key = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(trust.add_pem(key), Err(TrustError::NoCertificate));
        let cut = b"-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert!(matches!(trust.add_pem(cut), Err(TrustError::NotPem(_))));
        assert_eq!(trust, Trust::default());
    }

    #[test]
    fn distrust_is_found_below_other_errors() {
        let invalid = TlsError::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let nested = std::io::Error::other(std::io::Error::other(invalid));
        assert!(distrust(&nested).unwrap().contains("UnknownIssuer"));
        assert_eq!(distrust(&std::io::Error::other(TlsError::DecryptError)), None);
    }
}
