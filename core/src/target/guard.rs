//! Checks every URL that came from the network, before a request goes there.
//!
//! A hostile or broken registry can choose the next request's target with a `Location`, a redirect, a token service's
//! address or a `Link`. [`admit`] decides on all of them. Its refusal names the rule, and the option of [`Policy`] that
//! lifts it.
//!
//! The rule about token services protects third parties and tokens. It cannot protect a password from the registry that
//! the password is for, which can always request it by Basic authentication.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{Origin, Scheme, Target, site, special};

/// The part of an answer that a URL came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
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

/// Which origins a registry may send the client to. The default is meant for public registries.
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
    /// Allows one origin as a location, a redirect's target and a token service, even over plain HTTP or in a private
    /// network, and whatever the other options say. The registry's credentials are sent to it only if it is the token
    /// service.
    #[must_use]
    pub fn allow_origin(mut self, origin: Origin) -> Self {
        self.allowed.insert(origin);
        self
    }

    /// Sets what to do about a `Location` at another origin. The default is [`CrossOrigin::Follow`].
    #[must_use]
    pub const fn with_locations(mut self, locations: CrossOrigin) -> Self {
        self.locations = locations;
        self
    }

    /// Sets what to do about redirects to another origin. The default is [`CrossOrigin::Follow`].
    #[must_use]
    pub const fn with_redirects(mut self, redirects: CrossOrigin) -> Self {
        self.redirects = redirects;
        self
    }

    /// Sets whether the target of a redirect that asks for a token is sent an anonymous one from its own token service.
    /// The default is `false`.
    ///
    /// Some registries redirect to another registry ([quirk](crate::quirks) `redirect-target-needs-own-auth`). No
    /// credentials are sent there, and the token is used at that target only.
    #[must_use]
    pub const fn with_guest_tokens(mut self, may: bool) -> Self {
        self.guest_tokens = may;
        self
    }

    /// The value of [`with_guest_tokens`](Self::with_guest_tokens).
    pub(crate) const fn guest_tokens(&self) -> bool {
        self.guest_tokens
    }

    /// Sets which token services may be used. The default is [`Realms::SameSiteOrKnown`].
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
#[non_exhaustive]
pub enum CrossOrigin {
    /// Follow it without credentials, if its host is public and it does not change from HTTPS to plain HTTP.
    #[default]
    Follow,
    /// Refuse it.
    Refuse,
}

/// Which token services a registry may name. The registry's credentials are sent to them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Realms {
    /// The registry's own origin.
    SameOrigin,
    /// The registry's own site, or the token service of a pair that is known, such as `lscr.io` and `ghcr.io`.
    ///
    /// A site is one host, or the names under one domain if that domain clearly has one owner. There is no list of
    /// public suffixes here, and a doubtful case is refused.
    #[default]
    SameSiteOrKnown,
    /// Every public host over HTTPS.
    AnyPublicHttps,
    /// The registry's own origin and these origins.
    List(BTreeSet<Origin>),
}

/// A URL that passed [`admit`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Admitted {
    /// The target to send the request to. It may be an upgraded form of the URL.
    pub target: Target,
    /// Whether the registry's credentials may be sent there: to the registry itself if the registry named the URL, and
    /// to its token service.
    pub credentials_may_follow: bool,
}

/// Decides whether a request may go to `to`, a URL in an answer from `from`, in an operation on `registry`.
///
/// A plain HTTP URL whose host is the one that answered over HTTPS is changed to HTTPS and to the port that answered:
/// registries behind a TLS proxy send such URLs ([quirks](crate::quirks) `post-location-http-behind-tls`,
/// `redirect-changes-method`). This does not apply to a token service ([quirk](crate::quirks)
/// `token-realm-plain-http`), nor to an origin that the policy allows.
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
/// If a rule refuses the URL and no option of the policy lifts the rule.
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
    /// Changes `http://` at the host that answered over HTTPS to that origin.
    fn upgraded(&self, from: &Target, to: Target, source: Source) -> Target {
        let meant = source != Source::Realm
            && from.origin.scheme == Scheme::Https
            && to.origin.scheme == Scheme::Http
            && from.origin.host == to.origin.host
            && !self.is_allowed(&to.origin, source);
        if meant { Target { origin: from.origin.clone(), ..to } } else { to }
    }

    /// The rules for an origin that is neither the registry's nor allowed by an option.
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
            // `admit` has checked that the origin is the one that answered, which was admitted before.
            Source::Link => (true, Rule::LinkOrigin),
        };
        if admitted { Ok(()) } else { Err(rule) }
    }
}

/// [`admit`] refused a URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{registry} points to {to} as its {}, and {}", kind.as_str(), rule.reason())]
#[non_exhaustive]
pub struct Refusal {
    /// The rule.
    pub rule: Rule,
    /// The registry.
    pub registry: Origin,
    /// The part of the answer that the URL came from.
    pub kind: Source,
    /// The origin of the URL that was refused.
    pub to: Origin,
}

/// A rule of [`admit`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// From HTTPS to plain HTTP. Lifted by [`Policy::allow_origin`].
    Downgrade,
    /// An address of this machine, of a private network, or reserved for special use. Lifted by
    /// [`Policy::allow_origin`].
    SpecialUse,
    /// A `Location` at another origin, which [`Policy::with_locations`] refuses. Lifted by [`CrossOrigin::Follow`] or
    /// [`Policy::allow_origin`].
    CrossOriginLocation,
    /// A redirect to another origin, which [`Policy::with_redirects`] refuses. Lifted by [`CrossOrigin::Follow`] or
    /// [`Policy::allow_origin`].
    CrossOriginRedirect,
    /// A token service that [`Policy::with_realms`] refuses. Lifted by a wider variant of [`Realms`] or by
    /// [`Policy::allow_origin`].
    Realm,
    /// A redirect of a token service. Nothing lifts it.
    RealmRedirect,
    /// A next page at another origin than the page before. Nothing lifts it.
    LinkOrigin,
    /// Another origin than the registry's asked for its credentials. Nothing lifts it.
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
