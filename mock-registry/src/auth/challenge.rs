//! `WWW-Authenticate`.

use std::collections::BTreeSet;

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use longshore_core::{Origin, Scheme};

use super::authorize::{Need, mount_source};
use super::short_name;
use super::{Action, AuthScheme};
use crate::answer::Answer;
use crate::behaviour::{ChallengeForm, ChallengeScope, Realm};
use crate::refusal::{Code, Refusal};
use crate::registry::Registry;
use crate::request::ParsedRequest;
use longshore_core::Row;

impl Registry {
    /// The refusal of a request without sufficient authentication.
    pub(super) fn challenged(
        &self,
        request: &ParsedRequest,
        status: StatusCode,
        needs: &[Need],
        error: Option<&str>,
    ) -> Refusal {
        let code = if status == StatusCode::FORBIDDEN { Code::Denied } else { Code::Unauthorized };
        let refusal = Refusal::new(status, code, "authentication required");
        let behaviour = &self.options.behaviour.auth;
        if behaviour.only_base_is_challenged && request.row != Some(Row::Ping) {
            return refusal;
        }
        let sent = request.headers.contains_key(http::header::AUTHORIZATION);
        let needs = if behaviour.deletion_unscoped && request.row == Some(Row::DeleteBlob) { &[] } else { needs };
        // The challenge to a HEAD names only the right to read.
        let reading = (behaviour.absent_needs_push && request.reads()).then(|| {
            let pull = |(repository, _): &Need| (repository.clone(), BTreeSet::from([Action::Pull]));
            needs.iter().map(pull).collect::<Vec<Need>>()
        });
        let mut named = reading.unwrap_or_else(|| needs.to_vec());
        let source = mount_source(request).filter(|_| behaviour.mount_source_named);
        named.extend(source.filter(|source| !named.is_empty() && !named.contains(source)));
        self.challenges(&named, error, sent)
            .into_iter()
            .fold(refusal, |refusal, value| refusal.header(WWW_AUTHENTICATE, value))
    }

    /// The refusal of a request whose token expired before the end of its body.
    pub(crate) fn ended_too_late(&self) -> Refusal {
        let refusal = Refusal::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, "the token ended before the request");
        self.challenges(&[], Some("invalid_token"), true)
            .into_iter()
            .fold(refusal, |refusal, value| refusal.header(WWW_AUTHENTICATE, value))
    }

    /// The answer to `GET /v2/`, with a challenge if the behaviour has one in a 200.
    pub(crate) fn with_open_challenge(&self, answer: Answer) -> Answer {
        if !self.options.behaviour.auth.open_base {
            return answer;
        }
        self.challenges(&[], None, false)
            .into_iter()
            .fold(answer, |answer, value| answer.header(WWW_AUTHENTICATE, value))
    }

    fn challenges(&self, needs: &[Need], error: Option<&str>, sent: bool) -> Vec<String> {
        let behaviour = &self.options.behaviour.auth;
        let Some(auth) = &self.options.auth else { return Vec::new() };
        let basic = format!("Basic realm=\"{}\"", auth.service);
        if auth.scheme == AuthScheme::Basic || (behaviour.flips_to_basic && sent) {
            return match behaviour.challenge {
                ChallengeForm::Lower => vec![format!("basic realm={}", auth.service)],
                _ => vec![basic],
            };
        }
        let mut parameters = Vec::new();
        if behaviour.service {
            parameters.push(("service", auth.service.clone()));
        }
        parameters.extend(self.challenge_scope(needs).map(|scope| ("scope", scope)));
        parameters.extend(error.map(|error| ("error", error.to_owned())));
        let parameters: String = parameters.into_iter().map(|(name, value)| format!(",{name}=\"{value}\"")).collect();
        let realm = self.realm();
        let bearer = format!("Bearer realm=\"{realm}\"{parameters}");
        match behaviour.challenge {
            ChallengeForm::One => vec![bearer],
            ChallengeForm::Lower => vec![format!("bearer realm={realm}{parameters}")],
            ChallengeForm::BareBasic => vec![bearer, "Basic".to_owned()],
            ChallengeForm::Several => vec![format!("Negotiate, {basic}, {bearer}")],
        }
    }

    fn challenge_scope(&self, needs: &[Need]) -> Option<String> {
        let form = self.options.behaviour.auth.scope;
        let scopes: Vec<String> = needs
            .iter()
            .map(|(repository, actions)| {
                let name = match form {
                    ChallengeScope::ShortName => short_name(repository.as_str()),
                    ChallengeScope::AnyAction => {
                        repository.as_str().rsplit_once('/').map_or(repository.as_str(), |(owner, _)| owner)
                    }
                    _ => repository.as_str(),
                };
                let mut actions: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
                if self.options.behaviour.auth.action_order_varies && self.requests.is_multiple_of(2) {
                    actions.reverse();
                }
                if form == ChallengeScope::AnyAction {
                    actions = vec!["any"];
                }
                format!("repository:{name}:{}", actions.join(","))
            })
            .collect();
        match form {
            ChallengeScope::Needed | ChallengeScope::ShortName | ChallengeScope::AnyAction if scopes.is_empty() => None,
            ChallengeScope::AnyAction => scopes.into_iter().next(),
            ChallengeScope::Needed | ChallengeScope::ShortName => Some(scopes.join(" ")),
            ChallengeScope::Absent => None,
            ChallengeScope::Empty => Some(String::new()),
            ChallengeScope::Star => Some("*".to_owned()),
        }
    }

    /// The URL of the token server, from the options only.
    fn realm(&self) -> String {
        let auth = self.options.auth.as_ref();
        let origin = auth.and_then(|auth| auth.tokens.as_ref()).or(self.origin());
        match (self.options.behaviour.auth.realm, origin) {
            (Realm::Words, _) => "Registry Realm".to_owned(),
            (Realm::Path, _) | (_, None) => "/token".to_owned(),
            (Realm::Absolute, Some(origin)) => format!("{origin}/token"),
            (Realm::Downgraded, Some(origin)) => {
                format!("{}/token", Origin::new(Scheme::Http, origin.host().clone(), Some(origin.port())))
            }
        }
    }
}
