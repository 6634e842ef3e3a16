//! Which hosts belong to one site, so that one may be the token service of the other.
//!
//! The public suffix list is not used: it is large and soon out of date. Two hosts are one site only in clear cases;
//! for all others the caller decides ([`Realms::List`](super::Realms), [`Policy::allow_origin`](super::Policy)).

use super::Host;

/// Second-level labels under which names are registered, if the top level is a country's: `co.uk`, `com.au`.
const REGISTRY_LABELS: [&str; 20] = [
    "ac", "asso", "biz", "co", "com", "edu", "gob", "gov", "gouv", "info", "ltd", "mil", "net", "nom", "ne", "or",
    "org", "plc", "sch", "school",
];

/// Domains under which different owners have names. Two hosts under one of these are not one site.
const SHARED_DOMAINS: [&str; 62] = [
    "akamaized.net",
    "alicontainer.com",
    "aliyuncs.com",
    "amazonaws.com",
    "appdomain.cloud",
    "appspot.com",
    "awsapprunner.com",
    "azure.com",
    "azurecontainer.io",
    "azurecontainerapps.io",
    "azurecr.cn",
    "azurecr.io",
    "azureedge.net",
    "azurefd.net",
    "azurewebsites.net",
    "backblazeb2.com",
    "cloudapp.net",
    "cloudflarestorage.com",
    "cloudfront.net",
    "cloudfunctions.net",
    "cloudsmith.io",
    "digitaloceanspaces.com",
    "duckdns.org",
    "dyndns.org",
    "edgekey.net",
    "elb.com",
    "fastly.net",
    "fly.dev",
    "github.io",
    "githubusercontent.com",
    "gitlab.io",
    "gitpod.io",
    "googleapis.com",
    "googleusercontent.com",
    "herokuapp.com",
    "jfrog.io",
    "linodeobjects.com",
    "localtest.me",
    "myhuaweicloud.com",
    "netlify.app",
    "ngrok.app",
    "ngrok.dev",
    "ngrok.io",
    "nip.io",
    "ocir.io",
    "on.aws",
    "ondigitalocean.app",
    "onrender.com",
    "openshiftapps.com",
    "oraclecloud.com",
    "pages.dev",
    "pkg.dev",
    "railway.app",
    "run.app",
    "scw.cloud",
    "sslip.io",
    "tencentcloudcr.com",
    "trafficmanager.net",
    "ts.net",
    "vercel.app",
    "windows.net",
    "workers.dev",
];

/// Registries and their token services at another host, each with the source of the entry.
///
/// `*` matches one label, which must be the same on both sides; `?` matches any one label.
const KNOWN: [(&str, &str); 6] = [
    // Each of these two pairs is one site too. They are listed so that they stay known if `same_site` becomes stricter.
    ("registry-1.docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
    // A redirecting server in front of GitHub's registry: its challenge is GitHub's own (getwud/wud #143).
    ("lscr.io", "ghcr.io"),
    // Scaleway: registry-internal/v1/regions/{region}/tokens.
    ("rg.*.scw.cloud", "api.scaleway.com"),
    // Alibaba Cloud, by region; enterprise registries are at {name}-registry.{region}.cr.aliyuncs.com.
    ("registry.*.aliyuncs.com", "dockerauth.*.aliyuncs.com"),
    ("?.*.cr.aliyuncs.com", "dockerauth.*.aliyuncs.com"),
];

/// Whether two hosts are one site: the same host, or names under one registered domain that different owners do not
/// share.
///
/// * An address, or a name of one label, is one site with itself only.
/// * The common part must have two labels. It must have three if the last two are a public suffix of a country:
///   `co.uk`, or a second label of at most two letters, as in `ca.us`.
/// * Under a domain that different owners share ([`SHARED_DOMAINS`]), a host is one site with itself only.
pub(super) fn same_site(one: &Host, other: &Host) -> bool {
    if one == other {
        return true;
    }
    let (Some(one), Some(other)) = (one.name(), other.name()) else { return false };
    let domain = registered_domain(one);
    domain.is_some() && domain == registered_domain(other)
}

/// Whether the registry is known to have its token service at `realm`.
pub(super) fn is_known(registry: &Host, realm: &Host) -> bool {
    let (Some(registry), Some(realm)) = (registry.name(), realm.name()) else { return false };
    KNOWN.iter().any(|(registries, realms)| {
        matches(registries, registry).is_some_and(|star| realms.replace('*', star.unwrap_or("*")) == realm)
    })
}

/// The last two or three labels, if they are a registered domain and not a public suffix such as `co.uk`.
fn registered_domain(name: &str) -> Option<String> {
    let labels: Vec<&str> = name.rsplit('.').collect();
    let (top, second) = (labels.first()?, labels.get(1)?);
    if SHARED_DOMAINS.contains(&format!("{second}.{top}").as_str()) {
        return None;
    }
    let country = top.len() == 2 && (second.len() <= 2 || REGISTRY_LABELS.contains(second));
    let count: usize = if country { 3 } else { 2 };
    let own: Vec<&str> = labels.get(..count)?.iter().rev().copied().collect();
    Some(own.join("."))
}

/// Matches label by label. The inner value is the label that `*` matched, if the pattern has one.
fn matches<'n>(pattern: &str, name: &'n str) -> Option<Option<&'n str>> {
    let mut star = None;
    let mut labels = name.split('.');
    for wanted in pattern.split('.') {
        let label = labels.next()?;
        match wanted {
            "*" => star = Some(label),
            "?" => {}
            wanted if wanted == label => {}
            _ => return None,
        }
    }
    labels.next().is_none().then_some(star)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(text: &str) -> Host {
        text.parse().unwrap()
    }

    #[test]
    fn i7_one_site_is_plainly_one_owner() {
        let same = [
            ("reg.example", "reg.example"),
            ("registry.acme.com", "auth.acme.com"),
            ("a.b.acme.com", "x.y.acme.com"),
            ("acme.com", "auth.acme.com"),
            ("registry-1.docker.io", "auth.docker.io"),
            ("registry.gitlab.com", "gitlab.com"),
            ("docker.elastic.co", "docker-auth.elastic.co"),
            ("registry.acme.co.uk", "auth.acme.co.uk"),
            ("acme.com.au", "auth.acme.com.au"),
            ("registry", "registry"),
            ("1.1.1.1", "1.1.1.1"),
            ("x.jfrog.io", "x.jfrog.io"),
        ];
        for (one, other) in same {
            assert!(same_site(&host(one), &host(other)) && same_site(&host(other), &host(one)), "{one} {other}");
        }
        let different = [
            ("reg.example", "auth.example2"),
            ("registry", "auth"),
            ("registry", "auth.registry"),
            ("com", "acme.com"),
            ("acme.com", "com"),
            ("acme.com", "evil.com"),
            ("acme.com", "notacme.com"),
            ("acme.com", "acme.com.evil.org"),
            ("acme.co.uk", "evil.co.uk"),
            ("co.uk", "evil.co.uk"),
            ("a.com.au", "b.com.au"),
            ("a.ca.us", "b.ca.us"),
            ("1.dkr.ecr.eu-west-1.amazonaws.com", "2.dkr.ecr.eu-west-1.amazonaws.com"),
            ("s3.amazonaws.com", "evil.s3.amazonaws.com"),
            ("a.azurecr.io", "b.azurecr.io"),
            ("a.jfrog.io", "b.jfrog.io"),
            ("a.github.io", "github.io"),
            ("10.0.0.1", "10.0.0.2"),
            ("1.2.3.4", "a.2.3.b"),
            ("[2606:4700::1]", "[2606:4700::2]"),
        ];
        for (one, other) in different {
            assert!(!same_site(&host(one), &host(other)) && !same_site(&host(other), &host(one)), "{one} {other}");
        }
    }

    #[test]
    fn i7_known_pairs() {
        let known = [
            ("registry-1.docker.io", "auth.docker.io"),
            ("lscr.io", "ghcr.io"),
            ("rg.fr-par.scw.cloud", "api.scaleway.com"),
            ("registry.cn-hangzhou.aliyuncs.com", "dockerauth.cn-hangzhou.aliyuncs.com"),
            ("acme-registry.cn-hangzhou.cr.aliyuncs.com", "dockerauth.cn-hangzhou.aliyuncs.com"),
        ];
        for (registry, realm) in known {
            assert!(is_known(&host(registry), &host(realm)), "{registry} {realm}");
            assert!(!is_known(&host(realm), &host(registry)), "{registry} {realm}");
        }
        let unknown = [
            ("ghcr.io", "lscr.io"),
            ("a.b.scw.cloud", "api.scaleway.com"),
            ("rg.a.b.scw.cloud", "api.scaleway.com"),
            ("rg.scw.cloud", "api.scaleway.com"),
            ("rg.fr-par.scw.cloud", "api.scaleway.com.evil"),
            ("registry.cn-hangzhou.aliyuncs.com", "dockerauth.cn-beijing.aliyuncs.com"),
            ("registry.cn-hangzhou.aliyuncs.com", "evil.cn-hangzhou.aliyuncs.com"),
            ("1.1.1.1", "auth.docker.io"),
        ];
        for (registry, realm) in unknown {
            assert!(!is_known(&host(registry), &host(realm)), "{registry} {realm}");
        }
    }

    #[test]
    fn the_lists_are_sorted_and_in_lower_case() {
        assert!(SHARED_DOMAINS.is_sorted());
        assert!(SHARED_DOMAINS.iter().all(|domain| domain.split('.').count() == 2 && *domain == domain.to_lowercase()));
    }
}
