//! Handshakes in memory: who is believed, and what is said of the others.

use longshore_core::{Registry, Scheme};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConnection, ServerConfig, ServerConnection};
use time::{Duration, OffsetDateTime};

use super::*;

/// A certificate that signed itself.
struct Own {
    pem: String,
    der: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

fn own(change: impl FnOnce(&mut CertificateParams)) -> Own {
    let mut params = CertificateParams::new(["registry.example".to_owned()]).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Own { pem: certificate.pem(), der: certificate.der().clone(), key }
}

fn ca(params: &mut CertificateParams) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
}

/// One that an authority signed.
fn issued(by: &CertifiedIssuer<'static, KeyPair>) -> Own {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["registry.example".to_owned()]).unwrap().signed_by(&key, by).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Own { pem: certificate.pem(), der: certificate.der().clone(), key }
}

/// What a client with these rules says of a server with this certificate.
fn handshake(tls: &Tls, name: &'static str, server: &Own) -> Result<(), String> {
    let provider = Arc::new(ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![server.der.clone()], server.key.clone_key())
        .unwrap();
    let origin = name.parse::<Registry>().unwrap().with_scheme(Scheme::Https).origin();
    let own = tls.has_own_rules(&origin).then_some(&origin);
    let config = (Arc::new(tls.config(own).unwrap()), Arc::new(config));
    let mut client = ClientConnection::new(config.0, ServerName::try_from(name).unwrap()).unwrap();
    let mut server = ServerConnection::new(config.1).unwrap();
    while client.is_handshaking() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut bytes = bytes.as_slice();
        while !bytes.is_empty() {
            client.read_tls(&mut bytes).unwrap();
            match client.process_new_packets() {
                Ok(_) => {}
                Err(Error::InvalidCertificate(error)) => return Err(certificate(&error)),
                Err(error) => panic!("{error}"),
            }
        }
    }
    Ok(())
}

fn trusting(pem: &str) -> Tls {
    Tls::builder().ca_pem(pem).build().unwrap()
}

#[test]
fn i08_the_very_certificate_that_was_named_is_trusted_ca_or_not() {
    for server in [own(|_| ()), own(ca), own(|params| params.is_ca = IsCa::ExplicitNoCa)] {
        assert_eq!(handshake(&trusting(&server.pem), "registry.example", &server), Ok(()));
        let other = own(ca);
        assert!(handshake(&trusting(&other.pem), "registry.example", &server).is_err());
    }
    // Somebody unknown issued it: it was named all the same.
    let mut params = CertificateParams::default();
    ca(&mut params);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let server = issued(&authority);
    assert_eq!(handshake(&trusting(&server.pem), "registry.example", &server), Ok(()));
    assert_eq!(handshake(&trusting(&authority.pem()), "registry.example", &server), Ok(()));
    assert!(handshake(&trusting(&issued(&authority).pem), "registry.example", &server).is_err());
}

#[test]
fn i08_its_name_and_its_time_are_checked_all_the_same() {
    for is_ca in [false, true] {
        let make = |change: fn(&mut CertificateParams)| {
            own(|params| {
                if is_ca {
                    ca(params);
                }
                change(params);
            })
        };
        let said = |server: &Own, name| handshake(&trusting(&server.pem), name, server).unwrap_err();
        let server = make(|_| ());
        assert_eq!(said(&server, "other.example"), "it is for another name: registry.example");
        let nameless = make(|params| params.subject_alt_names.clear());
        assert!(said(&nameless, "registry.example").contains("subject alternative names"));
        let expired = make(|params| params.not_after = OffsetDateTime::now_utc() - Duration::DAY);
        assert_eq!(said(&expired, "registry.example"), "it has expired");
        let early = make(|params| params.not_before = OffsetDateTime::now_utc() + Duration::DAY);
        assert_eq!(said(&early, "registry.example"), "it is not valid yet, by this machine's clock");
    }
}

#[test]
fn i08_a_certificate_that_is_no_cas_vouches_for_no_other() {
    let mut params = CertificateParams::new(["registry.example".to_owned()]).unwrap();
    params.is_ca = IsCa::ExplicitNoCa;
    let no_ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let server = issued(&no_ca);
    assert!(handshake(&trusting(&no_ca.pem()), "registry.example", &server).is_err());
}

#[test]
fn i08_the_check_is_left_out_for_one_origin_and_no_other() {
    let server = own(|_| ());
    let origin = "registry.example".parse::<Registry>().unwrap().origin();
    let tls = Tls::builder().ca_pem(own(ca).pem).insecure_skip_verify(origin).build().unwrap();
    assert_eq!(handshake(&tls, "registry.example", &server), Ok(()));
    assert!(handshake(&tls, "other.example", &server).is_err());
}

#[test]
fn certificates_and_keys_are_read_before_anything_is_connected() {
    let (server, other) = (own(|_| ()), own(|_| ()));
    let origin = "registry.example".parse::<Registry>().unwrap().origin();
    let identity = Tls::builder().client_certificate(origin, server.pem, "no key");
    assert!(matches!(identity.build(), Err(TlsError::Identity { .. })));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for pem in ["", "no PEM", broken] {
        assert!(matches!(Tls::builder().ca_pem(pem).build(), Err(TlsError::Ca(_))), "{pem}");
    }
    assert!(!format!("{:?}", trusting(&other.pem)).contains("BEGIN"));
}
