//! Where a registry may send the client: every URL that came from the network is checked here.
//!
//! A hostile or broken registry steers the next request with a `Location`, a redirect, a token service's address or a `Link`.
//! [`admit`] decides on all of them. What it refuses names the rule and the option of [`Policy`] that lifts it.
//!
//! The rule about token services protects third parties, and tokens. It cannot protect a password from the registry that it
//! is for: that one can always ask for it by Basic authentication.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{Origin, Scheme, Target, site, special};

/// Which kind of answer a URL came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The `Location` of an upload or of stored content.
    Location,
    /// The `Location` of an answer of the status class 3xx.
    Redirect,
    /// The token service in a `Bearer` challenge.
    Realm,
    /// The `Location` of a token service's redirect: always refused.
    RealmRedirect,
    /// The next page in a `Link`.
    Link,
}

impl Source {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Location => "location",
            Self::Redirect => "redirect",
            Self::Realm => "token service",
            Self::RealmRedirect => "redirect of the token service",
            Self::Link => "next page",
        }
    }
}

/// Where a registry may send us. The default is what suits public registries.
///
/// ```
/// use longshore_core::Target;
/// use longshore_core::target::{CrossOrigin, Policy, Realms};
///
/// let storage = Target::parse("http://storage.internal:9000")?;
/// let policy = Policy::default()
///     .allow_origin(storage.origin().clone())
///     .with_locations(CrossOrigin::Refuse)
///     .with_realms(Realms::SameOrigin);
/// # Ok::<(), longshore_core::target::TargetError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    allowed: BTreeSet<Origin>,
    locations: CrossOrigin,
    redirects: CrossOrigin,
    realms: Realms,
    guest_tokens: bool,
}

impl Policy {
    /// Makes an exception for one origin: it may be a location, a redirect's target or a token service, also over plain HTTP,
    /// in a private network, and whatever the other options say. The registry's credentials go to it only as token service.
    #[must_use]
    pub fn allow_origin(mut self, origin: Origin) -> Self {
        self.allowed.insert(origin);
        self
    }

    /// What to do about the location of an upload at another origin.
    #[must_use]
    pub const fn with_locations(mut self, locations: CrossOrigin) -> Self {
        self.locations = locations;
        self
    }

    /// What to do about redirects to another origin.
    #[must_use]
    pub const fn with_redirects(mut self, redirects: CrossOrigin) -> Self {
        self.redirects = redirects;
        self
    }

    /// Whether the target of a redirect that asks for a token gets an anonymous one, from its own token service. Default no.
    ///
    /// Some registries only send one on to another (quirk `redirect-target-needs-own-auth`). No credentials go there, and the
    /// token serves at that target alone.
    #[must_use]
    pub const fn with_guest_tokens(mut self, may: bool) -> Self {
        self.guest_tokens = may;
        self
    }

    /// What [`with_guest_tokens`](Self::with_guest_tokens) said.
    pub(crate) const fn guest_tokens(&self) -> bool {
        self.guest_tokens
    }

    /// Which token services may be asked.
    #[must_use]
    pub fn with_realms(mut self, realms: Realms) -> Self {
        self.realms = realms;
        self
    }

    fn is_allowed(&self, origin: &Origin, source: Source) -> bool {
        let listed = || matches!(&self.realms, Realms::List(list) if list.contains(origin));
        self.allowed.contains(origin) || (source == Source::Realm && listed())
    }
}

/// What to do about a URL at another origin than the registry's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrossOrigin {
    /// Go there, if it is public and no less protected than the registry, without credentials.
    #[default]
    Follow,
    /// Stop.
    Refuse,
}

/// Which token services a registry may send us to, and with that its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Realms {
    /// The registry's own origin.
    SameOrigin,
    /// The registry's own site, or a pair that is known, such as `lscr.io` and `ghcr.io`.
    ///
    /// A site is a host, or the names under one domain where that is plainly one owner's: there is no list of public suffixes
    /// here, and a doubtful case is refused.
    #[default]
    SameSiteOrKnown,
    /// Every public host over HTTPS.
    AnyPublicHttps,
    /// The registry's own origin and these.
    List(BTreeSet<Origin>),
}

/// A URL that passed [`admit`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Admitted {
    /// Where to go.
    pub target: Target,
    /// Whether the registry's credentials may be used there: at the registry itself where the registry pointed to it, and at
    /// its token service. Nobody else can aim them.
    pub credentials_may_follow: bool,
}

/// Decides on a URL that came with an answer from `from`, while talking to `registry`.
///
/// A URL over plain HTTP at the very host that was asked over HTTPS is taken to be meant for the port that was asked, over
/// HTTPS: registries behind a TLS proxy write such ones (quirks `post-location-http-behind-tls`, `redirect-changes-method`).
/// Not so for a token service (quirk `token-realm-plain-http`), and not where the policy names the origin.
///
/// ```
/// use longshore_core::Target;
/// use longshore_core::target::{Policy, Source, admit};
///
/// let asked = Target::parse("https://registry.example/v2/a/blobs/uploads/")?;
/// let admit = |to| admit(&Policy::default(), asked.origin(), &asked, Target::parse(to).unwrap(), Source::Location);
/// assert_eq!(admit("http://registry.example:5000/u/1")?.target.to_string(), "https://registry.example/u/1");
/// assert!(!admit("https://storage.example/u/1")?.credentials_may_follow);
/// assert!(admit("https://169.254.169.254/").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Where a rule refuses it, and no option lifts the rule.
pub fn admit(
    policy: &Policy,
    registry: &Origin,
    from: &Target,
    to: Target,
    source: Source,
) -> Result<Admitted, Refusal> {
    let to = policy.upgraded(from, to, source);
    let refused = |rule| Err(Refusal { rule, registry: registry.clone(), kind: source, to: to.origin().clone() });
    let aimed_by_registry = from.origin() == registry;
    match source {
        Source::Realm if !aimed_by_registry => return refused(Rule::ForeignChallenge),
        Source::RealmRedirect => return refused(Rule::RealmRedirect),
        Source::Link if to.origin() != from.origin() => return refused(Rule::LinkOrigin),
        _ => {}
    }
    if to.origin() == registry {
        return Ok(Admitted { target: to, credentials_may_follow: aimed_by_registry });
    }
    if !policy.is_allowed(to.origin(), source)
        && let Err(rule) = policy.check_foreign(registry, from, to.origin(), source)
    {
        return refused(rule);
    }
    Ok(Admitted { target: to, credentials_may_follow: source == Source::Realm })
}

impl Policy {
    /// `http://` at the host that was asked over HTTPS, as what it must be meant for.
    fn upgraded(&self, from: &Target, to: Target, source: Source) -> Target {
        let meant = source != Source::Realm
            && from.origin.scheme == Scheme::Https
            && to.origin.scheme == Scheme::Http
            && from.origin.host == to.origin.host
            && !self.is_allowed(&to.origin, source);
        if meant { Target { origin: from.origin.clone(), ..to } } else { to }
    }

    /// The rules for an origin that is not the registry's and that no option names.
    fn check_foreign(&self, registry: &Origin, from: &Target, to: &Origin, source: Source) -> Result<(), Rule> {
        let https = |origin: &Origin| origin.scheme == Scheme::Https;
        if !https(to) && (https(registry) || https(&from.origin)) {
            return Err(Rule::Downgrade);
        }
        if !special::is_public(&to.host) {
            return Err(Rule::SpecialUse);
        }
        let same_site = || site::same_site(&registry.host, &to.host) || site::is_known(&registry.host, &to.host);
        let (admitted, rule) = match source {
            Source::Location => (self.locations == CrossOrigin::Follow, Rule::CrossOriginLocation),
            Source::Redirect => (self.redirects == CrossOrigin::Follow, Rule::CrossOriginRedirect),
            Source::Realm => match &self.realms {
                Realms::SameOrigin | Realms::List(_) => (false, Rule::Realm),
                Realms::SameSiteOrKnown => (same_site(), Rule::Realm),
                Realms::AnyPublicHttps => (https(to), Rule::Realm),
            },
            Source::RealmRedirect => (false, Rule::RealmRedirect),
            // The origin that answered is where the page came from: it was admitted when it was asked.
            Source::Link => (true, Rule::LinkOrigin),
        };
        if admitted { Ok(()) } else { Err(rule) }
    }
}

/// A URL that [`admit`] refused: by which rule, and what lifts it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{registry} points to {to} as its {}, and {}", kind.as_str(), rule.reason())]
#[non_exhaustive]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// The registry.
    pub registry: Origin,
    /// What kind of URL it was.
    pub kind: Source,
    /// The origin that is refused.
    pub to: Origin,
}

/// A rule of [`admit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// From HTTPS to plain HTTP. Lifted by [`Policy::allow_origin`].
    Downgrade,
    /// An address of this machine, of a private network, or of no use on the internet. Lifted by [`Policy::allow_origin`].
    SpecialUse,
    /// [`Policy::with_locations`] says so. Lifted by [`CrossOrigin::Follow`] or [`Policy::allow_origin`].
    CrossOriginLocation,
    /// [`Policy::with_redirects`] says so. Lifted by [`CrossOrigin::Follow`] or [`Policy::allow_origin`].
    CrossOriginRedirect,
    /// [`Policy::with_realms`] says so. Lifted by a wider one of [`Realms`] or [`Policy::allow_origin`].
    Realm,
    /// A token service must not redirect. Nothing lifts it.
    RealmRedirect,
    /// The next page is not where this one came from. Nothing lifts it.
    LinkOrigin,
    /// Somebody else than the registry asked for its credentials. Nothing lifts it.
    ForeignChallenge,
}

impl Rule {
    const fn reason(self) -> &'static str {
        match self {
            Self::Downgrade => "that is plain HTTP where the registry is not; `allow_origin` makes an exception",
            Self::SpecialUse => "that is no public address; `allow_origin` makes an exception",
            Self::CrossOriginLocation => "`locations` refuses other origins; `allow_origin` makes an exception",
            Self::CrossOriginRedirect => "`redirects` refuses other origins; `allow_origin` makes an exception",
            Self::Realm => "`realms` does not let credentials go there; `allow_origin` makes an exception",
            Self::RealmRedirect => {
                "a token service that redirects is never followed; log in where it points to instead"
            }
            Self::LinkOrigin => "a list is only read on where it began; ask that registry by its own name instead",
            Self::ForeignChallenge => {
                "only the registry itself may ask for its credentials; log in there by its own name"
            }
        }
    }
}

#[cfg(test)]
mod tests;
