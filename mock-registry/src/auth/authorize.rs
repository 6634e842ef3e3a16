//! Authorises requests.

use std::collections::BTreeSet;

use http::{Method, StatusCode};
use longshore_core::{Repository, Row};

use super::caller::Caller;
use super::credentials::SentCredentials;
use super::{Action, AuthScheme, Rights};
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::ParsedRequest;
use crate::route::Route;

/// A right that a request needs: a repository, and the actions there.
pub(super) type Need = (Repository, BTreeSet<Action>);

impl Registry {
    /// Identifies the caller of a request, and checks the caller's rights.
    pub(crate) fn authorize(&mut self, request: &ParsedRequest, token_expired: bool) -> Result<Caller, Refusal> {
        let Some(scheme) = self.options.auth.as_ref().map(|auth| auth.scheme) else { return Ok(Caller::default()) };
        let behaviour = self.options.behaviour.auth.clone();
        if request.at_storage
            || request.route == Route::Token
            || (request.row == Some(Row::Ping) && behaviour.open_base)
        {
            return Ok(Caller { rights: Some(Rights::none()), good_until: None });
        }
        if behaviour.cookies && request.headers.contains_key("cookie") && !request.reads() {
            return Err(Refusal::new(StatusCode::FORBIDDEN, "FORBIDDEN", "CSRF token not found in request"));
        }
        let needs = self.needs(request);
        let caller = match (scheme, SentCredentials::of(&request.headers)) {
            (AuthScheme::Basic, SentCredentials::Basic(name, password)) => self.by_password(&name, &password),
            (AuthScheme::Basic, SentCredentials::Nothing) => {
                let anonymous = self.options.auth.as_ref().map(|auth| auth.anonymous.clone());
                let caller = Caller { rights: anonymous, good_until: None };
                Some(caller).filter(|caller| request.row != Some(Row::Ping) && lacking(caller, &needs).is_none())
            }
            (AuthScheme::Bearer, SentCredentials::Bearer(token)) => {
                if token_expired {
                    self.tokens.expire(&token);
                }
                self.tokens
                    .rights(&token, self.now)
                    .map(|(rights, good_until)| Caller { rights: Some(rights), good_until: Some(good_until) })
            }
            (_, SentCredentials::Nothing) => None,
            _ => None,
        };
        let sent = request.headers.contains_key(http::header::AUTHORIZATION);
        let Some(caller) = caller else {
            if sent && behaviour.expired_as_text {
                let message = "Your Authorization Token has expired. Please run 'login' to fetch a new one.";
                return Err(Refusal::new(StatusCode::FORBIDDEN, Code::Denied, message).page("text/plain", message));
            }
            let error = sent.then_some("invalid_token");
            return Err(self.challenged(request, StatusCode::UNAUTHORIZED, &needs, error));
        };
        match lacking(&caller, &needs) {
            None => Ok(caller),
            Some(_) if scheme == AuthScheme::Basic => {
                let message = "you may not do this here";
                Err(Refusal::new(StatusCode::FORBIDDEN, Code::Denied, message))
            }
            Some(_) => {
                let given = status(behaviour.insufficient_scope);
                Err(self.challenged(request, given, &needs, Some("insufficient_scope")))
            }
        }
    }

    fn by_password(&mut self, name: &str, password: &str) -> Option<Caller> {
        let auth = self.options.auth.as_ref()?;
        let right = self.passwords.check(auth, name, password);
        let rights = auth.users.get(name).map(|user| user.rights.clone());
        rights.filter(|_| right).map(|rights| Caller { rights: Some(rights), good_until: None })
    }

    /// The rights that a request needs.
    fn needs(&self, request: &ParsedRequest) -> Vec<Need> {
        let behaviour = &self.options.behaviour.auth;
        let repository = match &request.route {
            Route::Base | Route::Catalog | Route::Token | Route::Part => return Vec::new(),
            Route::Blob(repository, _)
            | Route::Manifest(repository, _)
            | Route::Uploads(repository)
            | Route::Bare(repository)
            | Route::Upload(repository, _)
            | Route::Tags(repository)
            | Route::Referrers(repository, _) => repository,
        };
        let absent = !self.state.repositories.contains_key(repository);
        let actions: &[Action] = match request.row {
            Some(Row::DeleteManifest | Row::DeleteBlob) => &[Action::Delete],
            Some(Row::CancelUpload) if behaviour.cancel_needs_delete => &[Action::Delete],
            Some(Row::CheckUpload) => &[Action::Pull, Action::Push],
            _ if request.reads() && absent && behaviour.absent_needs_push => &[Action::Pull, Action::Push],
            _ if matches!(request.method, Method::GET | Method::HEAD) => &[Action::Pull],
            _ => &[Action::Pull, Action::Push],
        };
        let mut needs = vec![(repository.clone(), actions.iter().copied().collect())];
        needs.extend(mount_source(request).filter(|_| behaviour.mount_source_challenged));
        needs
    }
}

/// The right to read the source of a mount.
pub(super) fn mount_source(request: &ParsedRequest) -> Option<Need> {
    let from = request.query.first("from").filter(|_| request.row == Some(Row::MountBlob))?;
    Some((from.parse().ok()?, BTreeSet::from([Action::Pull])))
}

/// The right that a caller lacks.
fn lacking<'a>(caller: &Caller, needs: &'a [Need]) -> Option<&'a Need> {
    needs.iter().find(|(repository, actions)| !actions.iter().all(|action| caller.may(repository, *action)))
}
