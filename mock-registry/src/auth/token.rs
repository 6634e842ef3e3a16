//! The token server.

use std::collections::BTreeSet;

use http::header::{CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{Method, StatusCode};
use longshore_core::Repository;
use serde_json::{Value, json};

#[cfg(feature = "server")]
use super::PasswordCheck;
use super::credentials::{SentCredentials, hashed};
use super::rights::parse_actions;
use super::token_request::TokenRequest;
use super::tokens::Access;
use super::{Action, AuthScheme, Rights};
use crate::answer::{Answer, Body};
use crate::behaviour::{ChallengeScope, Grants, TokenField};
#[cfg(feature = "server")]
use crate::progress::RequestId;
use crate::progress::{BodyEnd, Receiver, Step};
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::ParsedRequest;
use crate::route::Query;
use longshore_core::Row;

/// How many tokens of each kind are valid at once, at most.
const MANY: usize = 100_000;
/// How many scopes of one request are read at most.
const SCOPES: usize = 64;

impl Registry {
    /// `GET` or `POST` of `/token`.
    pub(crate) fn token(&mut self, request: &ParsedRequest) -> Result<Step, Refusal> {
        let bearer = self.options.auth.as_ref().is_some_and(|auth| auth.scheme == AuthScheme::Bearer);
        match request.method {
            _ if !bearer => Err(Refusal::not_found(Code::Unsupported, "there are no tokens here")),
            Method::GET => {
                let user = self.token_user(request)?;
                let offline = request.query.first("offline_token") == Some("true");
                self.grant(user, &request.query, offline).map(Step::Answer)
            }
            Method::POST => match self.options.behaviour.auth.post_refused {
                Some(given) => Err(Refusal::new(status(given), Code::Unsupported, "ask for a token with GET")),
                None => Ok(Step::Receive(Receiver::Token(TokenRequest::default()))),
            },
            _ => Err(self.method_refused(request)),
        }
    }

    /// The check of a form's password that must be made before the form is answered.
    #[cfg(feature = "server")]
    pub(crate) fn unverified_form(&self, id: RequestId) -> Option<PasswordCheck> {
        let Receiver::Token(asking) = &self.pending.get(&id)?.receiver else { return None };
        let form = asking.fields();
        let name = form.first("username")?;
        self.passwords.unverified(self.options.auth.as_ref()?, name, form.first("password")?)
    }

    /// The OAuth2 form.
    pub(crate) fn finish_token(&mut self, asking: &TokenRequest, how: BodyEnd) -> Result<Answer, Refusal> {
        let form = if how == BodyEnd::Complete { asking.fields() } else { Query::default() };
        let field = |name| form.first(name).unwrap_or_default();
        let user = match field("grant_type") {
            "password" => {
                let name = field("username").to_owned();
                self.check_password(&name, field("password"))?;
                name
            }
            "refresh_token" => {
                let user = self.tokens.refresh.get(&hashed(&[field("refresh_token")])).cloned();
                user.ok_or_else(|| {
                    Refusal::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, "the refresh token is not good")
                })?
            }
            _ => {
                let message = "grant_type is password or refresh_token";
                return Err(Refusal::bad_request(Code::Unsupported, message));
            }
        };
        let offline = field("access_type") == "offline";
        self.grant(Some(user), &form, offline)
    }

    /// The caller that requests a token: anonymous, or a user with the right password.
    fn token_user(&mut self, request: &ParsedRequest) -> Result<Option<String>, Refusal> {
        match SentCredentials::of(&request.headers) {
            SentCredentials::Nothing => Ok(None),
            SentCredentials::Basic(name, password) => self.check_password(&name, &password).map(|()| Some(name)),
            SentCredentials::Bearer(_) | SentCredentials::Other => Err(wrong_password()),
        }
    }

    fn check_password(&mut self, name: &str, password: &str) -> Result<(), Refusal> {
        let auth = self.options.auth.as_ref().ok_or_else(wrong_password)?;
        if self.passwords.check(auth, name, password) { Ok(()) } else { Err(wrong_password()) }
    }

    /// A token for the requested scopes, limited to the user's rights.
    fn grant(&mut self, user: Option<String>, query: &Query, offline: bool) -> Result<Answer, Refusal> {
        let Some(auth) = self.options.auth.clone() else { return Err(wrong_password()) };
        let behaviour = self.options.behaviour.auth.clone();
        let own = user.as_ref().and_then(|user| auth.users.get(user)).map_or(&auth.anonymous, |user| &user.rights);
        let read = if behaviour.first_scope_only { 1 } else { SCOPES };
        let scopes = query.all("scope").take(read).flat_map(str::split_whitespace).take(SCOPES);
        let mut rights = match behaviour.grants {
            Grants::Asked => Rights::none(),
            Grants::All => own.clone(),
        };
        for scope in scopes {
            if let Some(owner) = any_action(scope).filter(|_| behaviour.scope == ChallengeScope::AnyAction) {
                rights.add_below(&owner, own);
            }
            let Some((repository, actions)) = parse_scope(scope) else { continue };
            if let Some(given) = behaviour.delete_scope_refused.filter(|_| actions.contains(&Action::Delete)) {
                return Err(Refusal::new(status(given), "INVALID_REQUEST", "unable to decode the scope"));
            }
            let granted: BTreeSet<Action> =
                actions.iter().copied().filter(|action| own.allow(&repository, *action)).collect();
            if let Some(given) = behaviour.foreign_scope_refused.filter(|_| granted != actions) {
                return Err(Refusal::new(status(given), Code::Denied, "the scope is more than you may have"));
            }
            rights.add(&repository, granted);
        }
        self.tokens.advance(self.now);
        if self.tokens.access.len() >= MANY || self.tokens.refresh.len() >= MANY {
            return Err(Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                Code::TooManyRequests,
                "100,000 tokens are good, and there may be no more: wait until some end",
            ));
        }
        let token = self.random.hex();
        let access = Access { user: user.clone(), rights, good_until: self.now + auth.lifetime };
        self.tokens.ends.insert((access.good_until, hashed(&[&token])));
        self.tokens.access.insert(hashed(&[&token]), access);
        let mut answer = serde_json::Map::new();
        if behaviour.token_field != TokenField::AccessToken {
            answer.insert("token".to_owned(), Value::from(token.clone()));
        }
        if behaviour.token_field != TokenField::Token {
            answer.insert("access_token".to_owned(), Value::from(token));
        }
        if behaviour.expires_in {
            answer.insert("expires_in".to_owned(), json!(auth.lifetime.as_secs()));
        }
        if let Some(user) = user.filter(|_| offline) {
            let refresh = self.random.hex();
            self.tokens.refresh.insert(hashed(&[&refresh]), user);
            answer.insert("refresh_token".to_owned(), Value::from(refresh));
        }
        let body = Body::Bytes(Value::from(answer).to_string().into());
        Ok(Answer::new(Row::FetchToken, StatusCode::OK)
            .header(CACHE_CONTROL, "no-store")
            .body("application/json", body))
    }
}

/// `repository:owner:any`.
fn any_action(scope: &str) -> Option<Repository> {
    scope.strip_prefix("repository:")?.strip_suffix(":any")?.parse().ok()
}

/// `repository:name:actions`; anything else gives no right.
fn parse_scope(scope: &str) -> Option<(Repository, BTreeSet<Action>)> {
    let (name, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
    Some((name.parse().ok()?, parse_actions(actions)?))
}

fn wrong_password() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, "the user name or the password is wrong")
        .header(WWW_AUTHENTICATE, "Basic realm=\"tokens\"")
}
