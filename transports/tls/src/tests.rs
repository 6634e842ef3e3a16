//! Handshakes in memory: who is believed, and what is said of the others.

use longshore_core::{Registry, Scheme};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion};
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

/// The same certificate in version 1, which has no extensions. The signature in it does not fit any more.
fn of_version_1(server: Own) -> Own {
    let [tbs, rest @ ..] = &children(&server.der)[..] else { panic!("a certificate has three parts") };
    // The first is the version, the last the extensions.
    let [_, kept @ .., _] = &children(tbs)[..] else { panic!("what is signed has many parts") };
    let der = sequence(&[&[sequence(kept).as_slice()], rest].concat());
    Own { der: der.into(), ..server }
}

/// The elements in an element of DER.
fn children(element: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut found) = (&element[lengths(element).0..], Vec::new());
    while !rest.is_empty() {
        let (header, len) = lengths(rest);
        let (child, behind) = rest.split_at(header + len);
        found.push(child);
        rest = behind;
    }
    found
}

/// The lengths of an element's header and content.
fn lengths(element: &[u8]) -> (usize, usize) {
    match usize::from(element[1]) {
        short @ ..0x80 => (2, short),
        long => {
            let bytes = &element[2..2 + long - 0x80];
            (2 + bytes.len(), bytes.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)))
        }
    }
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let len = u16::try_from(content.len()).unwrap().to_be_bytes();
    let header = match content.len() {
        0..0x80 => vec![0x30, len[1]],
        0x80..0x100 => vec![0x30, 0x81, len[1]],
        _ => vec![0x30, 0x82, len[0], len[1]],
    };
    [header, content].concat()
}

/// What a client with these rules says of a server with this certificate.
fn handshake(tls: &Tls, name: &'static str, server: &Own) -> Result<(), String> {
    handshake_over(rustls::DEFAULT_VERSIONS, tls, name, server)
}

fn handshake_over(
    versions: &[&'static SupportedProtocolVersion],
    tls: &Tls,
    name: &'static str,
    server: &Own,
) -> Result<(), String> {
    let provider = Arc::new(ring::default_provider());
    let key = provider.key_provider.load_private_key(server.key.clone_key()).unwrap();
    // rustls itself would not serve a certificate of version 1.
    let certified = CertifiedKey::new(vec![server.der.clone()], key);
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
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
fn i08_the_check_is_left_out_for_a_certificate_of_version_1_too_but_not_that_the_server_has_its_key() {
    let server = of_version_1(own(|_| ()));
    let origin = "registry.example".parse::<Registry>().unwrap().origin();
    let tls = Tls::builder().ca_pem(own(ca).pem).insecure_skip_verify(origin).build().unwrap();
    for version in rustls::ALL_VERSIONS {
        assert_eq!(handshake_over(&[version], &tls, "registry.example", &server), Ok(()), "{version:?}");
        let other = Own { key: own(|_| ()).key, pem: String::new(), der: server.der.clone() };
        assert!(handshake_over(&[version], &tls, "registry.example", &other).is_err(), "{version:?}");
    }
    assert!(handshake(&tls, "other.example", &server).is_err());
}

#[test]
fn an_encrypted_key_is_named_as_such() {
    let origin = "registry.example".parse::<Registry>().unwrap().origin();
    for key in [
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\r\nMIIB\r\n-----END ENCRYPTED PRIVATE KEY-----\r\n",
        "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIIB\n-----END EC PRIVATE KEY-----\n",
    ] {
        let error = Tls::builder().client_certificate(origin.clone(), own(|_| ()).pem, key).build().unwrap_err();
        assert!(matches!(error, TlsError::EncryptedKey { .. }), "{error}");
    }
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
