mod properties;

use super::*;
use crate::{Authorization, Secret};

fn target(url: &str) -> Target {
    Target::parse(url).unwrap()
}

fn origin(url: &str) -> Origin {
    target(url).origin().clone()
}

/// Asks about `to` (a reference), answered by `from`: the target and whether credentials may follow, or the rule.
fn ask(policy: &Policy, registry: &str, from: &str, to: &str, source: Source) -> Result<(String, bool), Rule> {
    let from = target(from);
    let to = from.resolve(to).unwrap();
    let admitted = admit(policy, &origin(registry), &from, to, source).map_err(|refusal| refusal.rule)?;
    let url = format!("{}{}", admitted.target.origin(), admitted.target.path_and_query());
    Ok((url, admitted.credentials_may_follow))
}

fn ok(url: &str, credentials_may_follow: bool) -> Result<(String, bool), Rule> {
    Ok((url.to_owned(), credentials_may_follow))
}

const REG: &str = "https://reg.example/v2/a/blobs/uploads/";

#[test]
fn i1_credentials_follow_only_where_the_registry_aims_them() {
    let policy = Policy::default();
    for source in [Source::Location, Source::Redirect] {
        assert_eq!(ask(&policy, REG, REG, "/u", source), ok("https://reg.example/u", true));
        assert_eq!(ask(&policy, REG, REG, "https://reg.example:443/u", source), ok("https://reg.example/u", true));
        for elsewhere in ["https://reg.example:8443/u", "https://cdn.reg.example/u", "https://cdn.example/u"] {
            assert_eq!(ask(&policy, REG, REG, elsewhere, source), ok(elsewhere, false));
        }
        // Storage that sends us back cannot choose what our credentials do there.
        assert_eq!(
            ask(&policy, REG, "https://cdn.example/", "https://reg.example/u", source),
            ok("https://reg.example/u", false)
        );
        let allowed = Policy::default().allow_origin(origin("http://10.0.0.1:9000"));
        assert_eq!(ask(&allowed, REG, REG, "http://10.0.0.1:9000/u", source), ok("http://10.0.0.1:9000/u", false));
    }
}

#[test]
fn i3_cross_origin_locations_and_redirects_can_be_refused() {
    let strict = Policy::default().with_locations(CrossOrigin::Refuse);
    assert_eq!(ask(&strict, REG, REG, "https://cdn.example/u", Source::Location), Err(Rule::CrossOriginLocation));
    assert_eq!(ask(&strict, REG, REG, "https://reg.example:444/u", Source::Location), Err(Rule::CrossOriginLocation));
    assert_eq!(ask(&strict, REG, REG, "https://cdn.example/u", Source::Redirect), ok("https://cdn.example/u", false));
    assert_eq!(ask(&strict, REG, REG, "/u", Source::Location), ok("https://reg.example/u", true));
    let strict = Policy::default().with_redirects(CrossOrigin::Refuse);
    assert_eq!(ask(&strict, REG, REG, "https://cdn.example/u", Source::Redirect), Err(Rule::CrossOriginRedirect));
    assert_eq!(ask(&strict, REG, REG, "https://cdn.example/u", Source::Location), ok("https://cdn.example/u", false));
    let but_one = strict.allow_origin(origin("https://cdn.example"));
    assert_eq!(ask(&but_one, REG, REG, "https://cdn.example/u", Source::Redirect), ok("https://cdn.example/u", false));
    assert_eq!(ask(&but_one, REG, REG, "https://cdn2.example/u", Source::Redirect), Err(Rule::CrossOriginRedirect));
}

#[test]
fn i4_guests_are_sent_no_token_unless_the_caller_says_so() {
    assert!(!Policy::default().guest_tokens());
    assert!(Policy::default().with_guest_tokens(true).guest_tokens());
}

#[test]
fn i4_a_token_service_is_named_by_the_registry_only() {
    let policy = Policy::default().with_realms(Realms::AnyPublicHttps);
    let store = "https://cdn.example/blob";
    for realm in ["https://cdn.example/token", "https://reg.example/token", "https://auth.example/token"] {
        assert_eq!(ask(&policy, REG, store, realm, Source::Realm), Err(Rule::ForeignChallenge));
    }
}

#[test]
fn i5_no_url_leads_from_https_to_http() {
    let sources = [Source::Location, Source::Redirect, Source::Realm, Source::RealmRedirect, Source::Link];
    for source in sources {
        for policy in [Policy::default(), Policy::default().with_realms(Realms::AnyPublicHttps)] {
            for to in
                ["http://cdn.example/u", "HTTP://cdn.example/u", "http://cdn.example:443/u", "http://sub.reg.example/u"]
            {
                assert!(ask(&policy, REG, REG, to, source).is_err(), "{source:?} {to}");
            }
            // Also after a hop: the registry decides how well protected the talk is, and nobody lowers it.
            assert!(ask(&policy, REG, "https://cdn.example/", "http://reg.example/u", source).is_err());
            assert!(ask(&policy, REG, "https://cdn.example/", "http://cdn2.example/u", source).is_err());
            if let Ok((url, _)) = ask(&policy, REG, REG, "http://reg.example/u", source) {
                assert_eq!(url, "https://reg.example/u", "{source:?}");
            }
        }
        for not_http in ["ws://reg.example/", "ftp://reg.example/", "file:///etc/passwd", "javascript:alert(1)", ""] {
            assert!(target(REG).resolve(not_http).is_err(), "{not_http}");
        }
    }
    // A registry over plain HTTP by the caller's wish may stay there.
    let plain = "http://reg.example:5000/v2/";
    assert_eq!(
        ask(&Policy::default(), plain, plain, "http://cdn.example/u", Source::Location),
        ok("http://cdn.example/u", false)
    );
    let through_https =
        ask(&Policy::default(), plain, "https://cdn.example/", "http://cdn2.example/u", Source::Redirect);
    assert_eq!(through_https, Err(Rule::Downgrade));
    let allowed = Policy::default().allow_origin(origin("http://cdn.example"));
    assert_eq!(ask(&allowed, REG, REG, "http://cdn.example/u", Source::Location), ok("http://cdn.example/u", false));
}

#[test]
fn post_location_http_behind_tls() {
    let policy = Policy::default();
    let port = "https://reg.example:8443/v2/";
    for to in
        ["http://reg.example/u?_state=x", "http://reg.example:5000/u?_state=x", "http://REG.example:8443/u?_state=x"]
    {
        for source in [Source::Location, Source::Redirect, Source::Link] {
            assert_eq!(ask(&policy, port, port, to, source), ok("https://reg.example:8443/u?_state=x", true), "{to}");
        }
    }
    // Storage behind TLS as well.
    let cdn = "https://cdn.example/u";
    assert_eq!(ask(&policy, REG, cdn, "http://cdn.example/v", Source::Location), ok("https://cdn.example/v", false));
    // An origin that the caller names is meant as it stands there.
    let allowed = Policy::default().allow_origin(origin("http://reg.example:5000"));
    let named = ask(&allowed, port, port, "http://reg.example:5000/u", Source::Location);
    assert_eq!(named, ok("http://reg.example:5000/u", false));
}

#[test]
fn redirect_changes_method() {
    // The plain location that a proxy would answer with a 301 is never asked for in the first place.
    let location = ask(&Policy::default(), REG, REG, "http://reg.example/v2/a/blobs/uploads/1", Source::Location);
    assert_eq!(location, ok("https://reg.example/v2/a/blobs/uploads/1", true));
}

#[test]
fn post_location_drops_port_443() {
    let registry = "https://reg.example:443/v2/";
    assert_eq!(
        ask(&Policy::default(), registry, registry, "https://reg.example/u", Source::Location),
        ok("https://reg.example/u", true)
    );
    let other = "https://reg.example:8443/v2/";
    assert_eq!(
        ask(&Policy::default(), other, other, "https://reg.example/u", Source::Location),
        ok("https://reg.example/u", false)
    );
}

#[test]
fn redirect_strip_authorization() {
    // Guard and secret each hold on their own: the storage is admitted without credentials, and could not be given them.
    let registry = target(REG);
    let token = Authorization::bearer(registry.origin().clone(), &Secret::new("CANARY".to_owned())).unwrap();
    for storage in ["https://storage.example/b?sig=x", "https://reg.example:8443/b", "https://cdn.reg.example/b"] {
        let to = registry.resolve(storage).unwrap();
        let admitted = admit(&Policy::default(), registry.origin(), &registry, to, Source::Redirect).unwrap();
        assert!(!admitted.credentials_may_follow);
        let mut headers = http::HeaderMap::new();
        assert!(token.authorize(&admitted.target, &mut headers).is_err() && headers.is_empty());
    }
}

#[test]
fn post_location_other_host() {
    let to = "https://uploads.cdn.example/u?sig=x";
    assert_eq!(ask(&Policy::default(), REG, REG, to, Source::Location), ok(to, false));
}

#[test]
fn token_realm_plain_http() {
    let policy = Policy::default();
    for realm in ["http://reg.example/token", "http://reg.example:443/token", "http://auth.reg.example/token"] {
        assert_eq!(ask(&policy, REG, REG, realm, Source::Realm), Err(Rule::Downgrade), "{realm}");
    }
    let plain = "http://reg.example:3000/v2/";
    assert_eq!(
        ask(&policy, plain, plain, "http://reg.example:3000/t", Source::Realm),
        ok("http://reg.example:3000/t", true)
    );
}

#[test]
fn i6_special_use_hosts_are_refused_at_every_hop() {
    let hosts = [
        "localhost",
        "a.localhost",
        "127.0.0.1",
        "0.0.0.0",
        "10.1.2.3",
        "169.254.169.254",
        "192.168.1.1",
        "100.64.0.1",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::a00:1]",
        "[2002:7f00:1::]",
        "[fd00::1]",
        "[fe80::1]",
    ];
    let policy = Policy::default().with_realms(Realms::AnyPublicHttps);
    for host in hosts {
        let to = format!("https://{host}/x");
        for source in [Source::Location, Source::Redirect] {
            for from in [REG, "https://cdn.example/"] {
                assert_eq!(ask(&policy, REG, from, &to, source), Err(Rule::SpecialUse), "{host}");
            }
        }
        assert_eq!(ask(&policy, REG, REG, &to, Source::Realm), Err(Rule::SpecialUse), "{host}");
    }
}

#[test]
fn i6_exempt_are_the_registry_itself_and_what_the_caller_names() {
    let policy = Policy::default();
    let local = "http://127.0.0.1:5000/v2/";
    for source in [Source::Location, Source::Redirect, Source::Realm, Source::Link] {
        assert_eq!(ask(&policy, local, local, "/u", source), ok("http://127.0.0.1:5000/u", true));
        let other_port = ask(&policy, local, local, "http://127.0.0.1:5001/u", source);
        assert!(matches!(other_port, Err(Rule::SpecialUse | Rule::LinkOrigin)), "{other_port:?}");
        assert!(ask(&policy, local, local, "http://localhost:5000/u", source).is_err());
        assert!(ask(&policy, local, local, "http://[::ffff:127.0.0.1]:5000/u", source).is_err());
    }
    let allowed = policy.allow_origin(origin("http://127.0.0.1:5001"));
    for source in [Source::Location, Source::Redirect, Source::Realm] {
        let admitted = ask(&allowed, local, local, "http://127.0.0.1:5001/u", source);
        assert_eq!(admitted, ok("http://127.0.0.1:5001/u", source == Source::Realm));
        assert!(ask(&allowed, local, local, "https://127.0.0.1:5001/u", source).is_err());
        assert!(ask(&allowed, local, local, "http://127.0.0.1:5002/u", source).is_err());
    }
}

/// For one realm: is it admitted by each of the five policies?
#[test]
fn i7_realms_by_policy() {
    let list = BTreeSet::from([origin("https://auth.listed.example"), origin("http://10.0.0.7:5001")]);
    let policies = [
        Policy::default().with_realms(Realms::SameOrigin),
        Policy::default(),
        Policy::default().with_realms(Realms::AnyPublicHttps),
        Policy::default().with_realms(Realms::List(list)),
        Policy::default().with_realms(Realms::SameOrigin).allow_origin(origin("https://auth.other.org")),
    ];
    // One letter a policy, in that order: y, or n.
    let table = [
        ("https://registry.acme.com", "https://registry.acme.com/token", "yyyyy"),
        ("https://registry.acme.com", "https://registry.acme.com:443/token", "yyyyy"),
        ("https://registry.acme.com", "https://registry.acme.com:8443/token", "nyynn"),
        ("https://registry.acme.com", "https://auth.acme.com/token", "nyynn"),
        ("https://registry.acme.com", "https://acme.com/token", "nyynn"),
        ("https://registry.acme.com", "https://registry.acme.com.evil.org/token", "nnynn"),
        ("https://registry.acme.com", "https://evil.org/token", "nnynn"),
        ("https://registry.acme.com", "https://notacme.com/token", "nnynn"),
        ("https://registry.acme.com", "https://com/token", "nnynn"),
        ("https://registry.acme.com", "https://auth.other.org/token", "nnyny"),
        ("https://registry.acme.com", "https://auth.other.org:444/token", "nnynn"),
        ("https://registry.acme.com", "https://auth.listed.example/token", "nnyyn"),
        ("https://registry.acme.com", "https://x.auth.listed.example/token", "nnynn"),
        ("https://registry.acme.com", "http://10.0.0.7:5001/token", "nnnyn"),
        ("https://registry.acme.com", "http://10.0.0.7:5002/token", "nnnnn"),
        ("https://registry.acme.com", "http://registry.acme.com/token", "nnnnn"),
        ("https://registry.acme.com", "http://auth.acme.com/token", "nnnnn"),
        ("https://registry.acme.com", "https://127.0.0.1/token", "nnnnn"),
        ("https://registry.acme.com", "https://localhost/token", "nnnnn"),
        ("https://registry.acme.com", "https://169.254.169.254/latest", "nnnnn"),
        ("https://registry.acme.com", "https://[::ffff:7f00:1]/token", "nnnnn"),
        ("https://registry.acme.com", "https://1.1.1.1/token", "nnynn"),
        ("https://registry.acme.co.uk", "https://auth.acme.co.uk/token", "nyynn"),
        ("https://registry.acme.co.uk", "https://evil.co.uk/token", "nnynn"),
        ("https://a.azurecr.io", "https://b.azurecr.io/token", "nnynn"),
        ("https://a.jfrog.io", "https://a.jfrog.io/artifactory/api/docker/x/v2/token", "yyyyy"),
        ("https://registry", "https://registry/token", "yyyyy"),
        ("https://registry", "https://auth/token", "nnynn"),
        ("https://registry", "https://auth.registry/token", "nnynn"),
        ("https://10.0.0.5:5000", "https://10.0.0.5:5000/token", "yyyyy"),
        ("https://10.0.0.5:5000", "https://10.0.0.5:5001/token", "nnnnn"),
        ("https://1.1.1.1", "https://1.1.1.1:444/token", "nyynn"),
        ("https://1.1.1.1", "https://1.1.1.2/token", "nnynn"),
        ("http://localhost:5000", "http://localhost:5000/token", "yyyyy"),
        ("http://localhost:5000", "http://localhost:5001/token", "nnnnn"),
        ("http://localhost:5000", "https://auth.acme.com/token", "nnynn"),
        ("http://registry.acme.com", "http://auth.acme.com/token", "nynnn"),
        ("http://registry.acme.com", "https://auth.acme.com/token", "nyynn"),
        ("https://registry-1.docker.io", "https://auth.docker.io/token", "nyynn"),
        ("https://lscr.io", "https://ghcr.io/token", "nyynn"),
        ("https://ghcr.io", "https://lscr.io/token", "nnynn"),
        ("https://rg.fr-par.scw.cloud", "https://api.scaleway.com/t", "nyynn"),
        ("https://evil.scw.cloud", "https://api.scaleway.com/t", "nnynn"),
        ("https://registry.cn-beijing.aliyuncs.com", "https://dockerauth.cn-beijing.aliyuncs.com/auth", "nyynn"),
        ("https://registry.cn-beijing.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth", "nnynn"),
    ];
    for (registry, realm, expected) in table {
        let verdict = |policy| match ask(policy, registry, registry, realm, Source::Realm) {
            Ok((_, credentials_may_follow)) => {
                assert!(credentials_may_follow);
                'y'
            }
            Err(_) => 'n',
        };
        assert_eq!(policies.iter().map(verdict).collect::<String>(), expected, "{registry} -> {realm}");
    }
    assert!(table.len() >= 40);
}

#[test]
fn i7_a_token_service_does_not_redirect() {
    let everything = Policy::default().with_realms(Realms::AnyPublicHttps).allow_origin(origin("https://auth.example"));
    for to in ["/other", "https://auth.example/token"] {
        assert_eq!(ask(&everything, REG, REG, to, Source::RealmRedirect), Err(Rule::RealmRedirect));
    }
}

#[test]
fn i22_the_next_page_is_where_this_one_is() {
    let allowed = Policy::default().allow_origin(origin("https://cdn.example"));
    assert_eq!(
        ask(&allowed, REG, REG, "/v2/a/tags/list?last=b", Source::Link),
        ok("https://reg.example/v2/a/tags/list?last=b", true)
    );
    for to in ["https://cdn.example/p", "https://reg.example:444/p", "https://169.254.169.254/p", "//evil.example/p"] {
        assert_eq!(ask(&allowed, REG, REG, to, Source::Link), Err(Rule::LinkOrigin), "{to}");
    }
    assert_eq!(ask(&allowed, REG, "https://cdn.example/p", "/q", Source::Link), ok("https://cdn.example/q", false));
    assert_eq!(
        ask(&allowed, REG, "https://cdn.example/p", "https://reg.example/q", Source::Link),
        Err(Rule::LinkOrigin)
    );
}

#[test]
fn what_is_refused_names_the_rule_and_the_option() {
    let from = target(REG);
    let refuse = |to: &str, source| {
        let to = from.resolve(to).unwrap();
        admit(&Policy::default(), from.origin(), &from, to, source).unwrap_err().to_string()
    };
    assert_eq!(
        refuse("https://127.0.0.1/u?sig=SECRET", Source::Location),
        "https://reg.example points to https://127.0.0.1 as its location, and that is no public address; \
         `allow_origin` makes an exception"
    );
    assert_eq!(
        refuse("https://evil.org/token", Source::Realm),
        "https://reg.example points to https://evil.org as its token service, and `realms` does not let credentials go \
         there; `allow_origin` makes an exception"
    );
}
