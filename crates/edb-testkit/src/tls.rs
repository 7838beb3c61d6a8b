//! Identities that a test makes for itself.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate authority that nobody trusts until a test tells it to.
///
/// # Examples
/// ```
/// let authority = edb_testkit::tls::Authority::new();
/// let identity = authority.issue(&["localhost"]);
/// let server = edb_testkit::ScriptedServer::start_tls(&identity, |_| edb_testkit::Reply::csv(b""));
/// assert!(server.url().starts_with("https://localhost:"));
/// assert!(authority.pem().starts_with("-----BEGIN CERTIFICATE-----"));
/// ```
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate with its key.
#[derive(Debug)]
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    /// A new one; no two are alike.
    ///
    /// # Panics
    /// If the machine has no random numbers.
    #[expect(clippy::new_without_default, reason = "what is made of random numbers is no default")]
    pub fn new() -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "authority of a test");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("random numbers");
        Self(CertifiedIssuer::self_signed(parameters, key).expect("well-formed parameters"))
    }

    /// Its certificate, for whoever is to trust it.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Its certificate in binary form.
    pub fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// An identity for these host names or addresses.
    ///
    /// # Panics
    /// If a name is none.
    pub fn issue(&self, names: &[&str]) -> Identity {
        self.issue_until(names, 4000)
    }

    /// An identity that was good for these names until the year 2000.
    ///
    /// # Panics
    /// If a name is none.
    pub fn issue_expired(&self, names: &[&str]) -> Identity {
        self.issue_until(names, 2000)
    }

    fn issue_until(&self, names: &[&str], year: i32) -> Identity {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut parameters = CertificateParams::new(names).expect("host names");
        parameters.distinguished_name.push(DnType::CommonName, "service of a test");
        parameters.not_before = date_time_ymd(1990, 1, 1);
        parameters.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().expect("random numbers");
        let certificate = parameters.signed_by(&key, &self.0).expect("well-formed parameters");
        Identity {
            certificate: certificate.der().clone(),
            key: PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        }
    }
}

impl Identity {
    /// What a server needs to have this identity and to speak `protocol`.
    pub(crate) fn server(&self, protocol: &[u8]) -> ServerConfig {
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions that the provider has")
            .with_no_client_auth()
            .with_single_cert(vec![self.certificate.clone()], self.key.clone_key())
            .expect("a key that belongs to the certificate");
        config.alpn_protocols = vec![protocol.to_vec()];
        config
    }
}
