//! Removes secrets from texts that are shown: some registries and token services repeat in their errors the secrets
//! that they were sent or have issued.

use std::collections::VecDeque;

use crate::auth::{Credentials, Token};
use crate::endpoint::AnswerError;
use crate::outcome::{Failure, FailureKind};
use crate::target::{Target, percent_encode};
use crate::{Authorization, Origin, Secret};

/// How many secrets of each kind are kept, the newest ones.
const MOST: usize = 256;
/// The shortest prefix of a secret that is removed, in bytes: an answer that was cut may end inside a secret.
const BEGINNING: usize = 8;
/// Shorter secrets, in bytes, are not removed: they could be ordinary words, and the text must stay readable.
const SHORTEST: usize = 8;

/// The secrets to remove from a registry's texts. It keeps secrets that were refused too, because their refusal is
/// shown.
#[derive(Default)]
pub(in crate::client) struct Redactor {
    credentials: VecDeque<Secret>,
    tokens: VecDeque<Secret>,
    /// The secret parts of targets, such as signatures.
    places: VecDeque<Secret>,
}

impl Redactor {
    pub(in crate::client) fn credentials(&mut self, credentials: &Credentials, registry: &Origin) {
        let direct = credentials.direct(registry).ok().flatten();
        let secrets = match credentials {
            Credentials::Basic { password, .. } => password,
            Credentials::IdentityToken(token) | Credentials::RegistryToken(token) => token,
        };
        // A text that is shown has no line breaks, so each line of a secret is searched for separately.
        let lines = secrets.expose().split(['\n', '\r', '\t']).map(str::trim);
        for secret in direct.iter().map(Authorization::parameter).chain([secrets.expose()]).chain(lines) {
            add(&mut self.credentials, secret);
        }
    }

    pub(in crate::client) fn token(&mut self, token: &Token) {
        let refresh = token.refresh_token().map(Secret::expose);
        for secret in refresh.into_iter().chain([token.authorization().parameter()]) {
            add(&mut self.tokens, secret);
        }
    }

    pub(in crate::client) fn place(&mut self, target: &Target) {
        for value in target.hidden().filter(|value| value.len() > BEGINNING) {
            add(&mut self.places, value);
        }
    }

    /// The text, with an ellipsis in place of each secret and of each prefix of one.
    pub(in crate::client) fn scrub(&self, text: &str) -> String {
        let secrets = || [&self.credentials, &self.tokens, &self.places].into_iter().flatten().map(Secret::expose);
        let encoded: Vec<Secret> = secrets().map(|secret| Secret::new(percent_encode(secret))).collect();
        let secrets: Vec<&str> = secrets().chain(encoded.iter().map(Secret::expose)).collect();
        let (mut out, mut rest) = (String::new(), text);
        while let Some(character) = rest.chars().next() {
            let longest = secrets.iter().filter_map(|secret| repeated(rest, secret)).max();
            out.push(if longest.is_some() { '…' } else { character });
            rest = rest.get(longest.unwrap_or(character.len_utf8())..).unwrap_or_default();
        }
        out
    }

    /// Removes the secrets from a failure.
    pub(in crate::client) fn scrub_failure(&self, failure: &mut Failure) {
        match &mut failure.kind {
            FailureKind::Answer(AnswerError::Refused(refused))
            | FailureKind::TooManySessions { answer: Some(refused), .. } => {
                let errors = refused.errors.errors.iter_mut();
                let texts = errors.flat_map(|error| [&mut error.code, &mut error.message, &mut error.detail]).flatten();
                for text in texts.chain([&mut refused.errors.text]).chain(&mut refused.challenges) {
                    *text = self.scrub(text);
                }
            }
            FailureKind::Denied(why) | FailureKind::Refused(why) => *why = self.scrub(why),
            other => {
                let said = other.to_string();
                let scrubbed = self.scrub(&said);
                if scrubbed != said {
                    *other = FailureKind::Refused(scrubbed);
                }
            }
        }
        // A target that contains a secret is removed.
        let is_secret = |target: &Target| self.scrub(&target.to_string()) != target.to_string();
        failure.target = failure.target.take().filter(|target| !is_secret(target));
    }
}

fn add(secrets: &mut VecDeque<Secret>, secret: &str) {
    if secret.len() < SHORTEST || secrets.iter().any(|known| known.expose() == secret) {
        return;
    }
    if secrets.len() == MOST {
        secrets.pop_front();
    }
    secrets.push_back(Secret::new(secret.to_owned()));
}

/// How many bytes at the beginning of a text are a secret or a prefix of one.
fn repeated(text: &str, secret: &str) -> Option<usize> {
    let same = text.chars().zip(secret.chars()).take_while(|(text, secret)| text == secret);
    let len = same.map(|(character, _)| character.len_utf8()).fold(0, usize::saturating_add);
    (len >= BEGINNING.min(secret.len())).then_some(len)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::*;
    use crate::auth::{Challenges, Scopes, TokenRequest, TokenService};
    use crate::driver::NoAnswer;
    use crate::endpoint::{Endpoint, Row, StartUpload};
    use crate::target::Policy;

    fn origin() -> Origin {
        "localhost:5000".parse::<crate::Registry>().unwrap().origin()
    }

    fn told() -> Redactor {
        let origin = origin();
        let mut told = Redactor::default();
        let secret = |text: &str| Secret::new(text.to_owned());
        for credentials in [
            Credentials::Basic { user: "user".to_owned(), password: secret("CANARY/PASSWORD") },
            Credentials::IdentityToken(secret("CANARY-IDENTITY")),
            Credentials::RegistryToken(secret("CANARY-REGISTRY")),
            Credentials::Basic { user: "user".to_owned(), password: secret("") },
        ] {
            told.credentials(&credentials, &origin);
        }
        told
    }

    #[test]
    fn i29_what_was_told_is_taken_out_wherever_it_is_repeated() {
        let told = told();
        let table = [
            ("no CANARY/PASSWORD, no CANARY/PASSWORD", "no …, no …"),
            ("Basic dXNlcjpDQU5BUlkvUEFTU1dPUkQ=, indeed", "Basic …, indeed"),
            ("CANARY%2FPASSWORD", "…"),
            ("CANARY-IDENTITY CANARY-REGISTRY", "… …"),
            ("it was cut: CANARY-I", "it was cut: …"),
            ("it was cut too early: CANARY-", "it was cut too early: CANARY-"),
            ("it was cut: CANARY-IDE, and more", "it was cut: …, and more"),
            ("harmless", "harmless"),
            ("", ""),
        ];
        for (text, expected) in table {
            assert_eq!(told.scrub(text), expected);
        }
        let mut lines = Redactor::default();
        let password = Secret::new("{\n\t\"private_key\": \"CANARY-A\",\r\n\"CANARY-B\"}".to_owned());
        lines.credentials(&Credentials::Basic { user: "_json_key".to_owned(), password }, &origin());
        assert_eq!(lines.scrub("{ \"private_key\": \"CANARY-A\", \"CANARY-B\"}"), "{ … …");
        let mut short = Redactor::default();
        ["", "wrong", "ääää"].iter().for_each(|secret| add(&mut short.tokens, secret));
        assert_eq!(short.scrub("that is wrong ä ääääää"), "that is wrong ä …ää");
    }

    #[test]
    fn i29_what_of_a_place_is_not_shown_is_taken_out_of_texts_too() {
        let mut told = Redactor::default();
        let query = "digest=sha256:00112233&sig=CANARY%2Bsignature&v=1&word=no-canar&CANARY-alone&CANARY-padded==";
        told.place(&Target::parse(&format!("https://a.example/x?{query}")).unwrap());
        let said = "sha256:00112233 CANARY%2Bsignature 1 no-canar CANARY-alone CANARY-padded== v digest";
        assert_eq!(told.scrub(said), "sha256:00112233 … 1 no-canar … … v digest");
    }

    #[test]
    fn i29_a_token_and_what_renews_it_are_taken_out() {
        let from = Target::parse("https://reg.example/v2/").unwrap();
        let mut headers = http::HeaderMap::new();
        headers.insert(http::header::WWW_AUTHENTICATE, http::HeaderValue::from_static(r#"Bearer realm="/token""#));
        let challenges = Challenges::of(from.origin(), &from, &headers).unwrap();
        let service = TokenService::of(&Policy::default(), from.origin(), &from, challenges.bearer().unwrap()).unwrap();
        let answer = Response::new(Bytes::from_static(br#"{"token":"CANARY-TOKEN","refresh_token":"CANARY-REFRESH"}"#));
        let mut told = Redactor::default();
        told.token(&TokenRequest::new(&service, &Scopes::none(), None).answer(&answer).unwrap());
        assert_eq!(told.scrub("Bearer CANARY-TOKEN or CANARY-REFRESH"), "Bearer … or …");
    }

    #[test]
    fn i29_of_the_newest_some_are_kept() {
        let mut told = told();
        for i in 0..2 * MOST {
            add(&mut told.tokens, &format!("{i}-token"));
            add(&mut told.tokens, &format!("{i}-token"));
        }
        assert_eq!(told.tokens.len(), MOST);
        assert_eq!(told.scrub("511-token CANARY-IDENTITY 0-token"), "… … 0-token");
    }

    #[test]
    fn i29_no_failure_repeats_what_was_told() {
        let origin = "localhost:5000".parse::<crate::Registry>().unwrap().origin();
        let start = StartUpload { origin: &origin, repository: &"a".parse().unwrap(), algorithm: None };
        let said = "CANARY-IDENTITY";
        let refused = |body: String| {
            let answer = Response::builder().status(403).header("WWW-Authenticate", said).body(body.into()).unwrap();
            FailureKind::Answer(start.parse(&start.target(), &answer).unwrap_err())
        };
        let location = || {
            let location = format!("ftp://{said}/");
            let answer = Response::builder().status(202).header("Location", location).body(Bytes::new()).unwrap();
            FailureKind::Answer(start.parse(&start.target(), &answer).unwrap_err())
        };
        let json = format!(r#"{{"errors":[{{"code":"{said}","message":"{said}","detail":"{said}"}}]}}"#);
        let whys = [
            refused(json),
            refused(said.to_owned()),
            location(),
            FailureKind::Denied(said.to_owned()),
            FailureKind::Refused(said.to_owned()),
            FailureKind::NoAnswer(NoAnswer::Lost(said.to_owned())),
        ];
        for why in whys {
            let target = Target::parse(&format!("http://localhost:5000/v2/a?n={said}")).unwrap();
            let mut failure = Failure::new(why).at(Row::StartUpload, target);
            assert!(failure.to_string().contains(said));
            told().scrub_failure(&mut failure);
            assert!(
                !failure.to_string().contains("CANARY") && !format!("{failure:?}").contains("CANARY"),
                "{failure:?}"
            );
            assert_eq!(failure.target, None);
        }
    }
}
