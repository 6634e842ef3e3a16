//! Which hosts belong together: whose token service may serve which registry.
//!
//! There is no public suffix list here: it is large, and never new enough. Instead two hosts are one site only where it is
//! plain, and everything else is the caller's to say ([`Realms::List`](super::Realms), [`Policy::allow_origin`](super::Policy)).

use super::Host;

/// Second-level labels under which countries register names, where the top level has two letters: `co.uk`, `com.au`.
const REGISTRY_LABELS: [&str; 20] = [
    "ac", "asso", "biz", "co", "com", "edu", "gob", "gov", "gouv", "info", "ltd", "mil", "net", "nom", "ne", "or",
    "org", "plc", "sch", "school",
];

/// Domains under which strangers get names of their own. Two hosts in one of these are no site because of it.
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

/// Registries whose token service is at another site: from where it was seen.
///
/// A `*` stands for one label, and for the same one on both sides.
const KNOWN: [(&str, &str); 6] = [
    // Both of these are one site as well; they stand here to stay if the rule above changes.
    ("registry-1.docker.io", "auth.docker.io"),
    ("registry.gitlab.com", "gitlab.com"),
    // A redirector in front of GitHub's registry: its challenge is GitHub's own (getwud/wud #143).
    ("lscr.io", "ghcr.io"),
    // Scaleway: registry-internal/v1/regions/{region}/tokens.
    ("rg.*.scw.cloud", "api.scaleway.com"),
    // Alibaba Cloud, by region; enterprise registries are at {name}-registry.{region}.cr.aliyuncs.com.
    ("registry.*.aliyuncs.com", "dockerauth.*.aliyuncs.com"),
    ("?.*.cr.aliyuncs.com", "dockerauth.*.aliyuncs.com"),
];

/// Whether two hosts are one site: the same host, or names under one registered domain that is plainly not shared.
///
/// * An address and a name of one label are the same site as themselves only.
/// * The shared part must have two labels, or three where the last two are a country's (`co.uk`) or the second is at most
///   two letters long under a country (`ca.us`).
/// * Under a domain that is rented out by the name ([`SHARED_DOMAINS`]) only the same host is the same site.
pub(super) fn same_site(one: &Host, other: &Host) -> bool {
    if one == other {
        return true;
    }
    let (Some(one), Some(other)) = (one.name(), other.name()) else { return false };
    let domain = registered_domain(one);
    domain.is_some() && domain == registered_domain(other)
}

/// Whether a registry is known to have its token service at that host.
pub(super) fn is_known(registry: &Host, realm: &Host) -> bool {
    let (Some(registry), Some(realm)) = (registry.name(), realm.name()) else { return false };
    KNOWN.iter().any(|(registries, realms)| {
        matches(registries, registry).is_some_and(|star| realms.replace('*', star.unwrap_or("*")) == realm)
    })
}

/// The last two or three labels, where they are a registered domain: not a public suffix such as `co.uk`.
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

/// Matches label by label; gives what `*` stood for. `?` is any one label.
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
