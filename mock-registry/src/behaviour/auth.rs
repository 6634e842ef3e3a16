//! Challenges and tokens.

use serde::{Deserialize, Serialize};

/// How a registry with users authenticates clients, and how its token server gives tokens. It has an effect only if
/// there are [users](crate::auth::Auth).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Authentication {
    /// The form of a challenge.
    pub challenge: ChallengeForm,
    /// Whether only the answer to `GET /v2/` has a challenge (`challenge-missing-www-authenticate`).
    pub only_base_is_challenged: bool,
    /// Whether `GET /v2/` without a token is answered with 200 and a challenge (`ping-200-with-challenge`).
    pub open_base: bool,
    /// The `scope` of a challenge.
    pub scope: ChallengeScope,
    /// Whether challenges contain `pull,push` and `push,pull` in turn (`challenge-action-order-varies`).
    pub action_order_varies: bool,
    /// Whether the challenge to the deletion of a blob has no scope (`challenge-delete-no-scope`).
    pub deletion_unscoped: bool,
    /// Whether a challenge has a `service` (`challenge-no-service`).
    pub service: bool,
    /// The `realm` of a challenge.
    pub realm: Realm,
    /// Whether a client that sent any `Authorization` gets a `Basic` challenge (`challenge-scheme-flips-to-basic`).
    pub flips_to_basic: bool,
    /// The status if the token is valid and its scope is not sufficient: 401. Seen: 403 (`insufficient-scope-as-403`).
    #[serde(deserialize_with = "super::status::read")]
    pub insufficient_scope: u16,
    /// Whether wrong credentials and expired tokens are refused with 403 and plain text
    /// (`expired-basic-403-plain-text`).
    pub expired_as_text: bool,
    /// Whether the challenge to a mount names its source beside its target, so that a client gets a token for both. The
    /// mount needs the right to read the source only if `mount-source-challenged` is set.
    pub mount_source_named: bool,
    /// Whether a mount whose source the token does not cover is refused with 401 and a challenge with both scopes in
    /// one parameter (`challenge-multi-scope-one-param`, `mount-unauthorised-401`).
    pub mount_source_challenged: bool,
    /// Whether cancelling an upload needs the right to delete (`token-scope-delete-action`, `mount-cancel-needs-delete`).
    pub cancel_needs_delete: bool,
    /// Whether reading a repository that does not exist needs the right to push, and is refused with 401 without it
    /// (`head-needs-push-scope`).
    pub absent_needs_push: bool,
    /// Whether a token must still be valid at the end of the body of a request (`token-expires-mid-upload`).
    pub checked_at_end: bool,
    /// Whether the registry sets cookies, and refuses a write with 403 if the client sends them back
    /// (`cookies-trigger-csrf`).
    pub cookies: bool,
    /// The status of `POST` to the token server, if it is refused. Seen: 400, 401, 404, 405
    /// (`token-post-oauth-unsupported`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub post_refused: Option<u16>,
    /// The status of a token request for `delete`, if the token server refuses it. Seen: 400
    /// (`token-scope-delete-action`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub delete_scope_refused: Option<u16>,
    /// The status of a token request for a scope that the client has no right to. If it is not set, the token server
    /// leaves the scope out of the token. Seen: 400, 401 (`mount-token-fetch-fails`), 403
    /// (`token-scope-push-rejected-for-pull`).
    #[serde(deserialize_with = "super::status::read_optional")]
    pub foreign_scope_refused: Option<u16>,
    /// Whether the token server reads only the first `scope` (`token-scope-order-first-wins`).
    pub first_scope_only: bool,
    /// What a token gives the right to.
    pub grants: Grants,
    /// The fields that contain the token.
    pub token_field: TokenField,
    /// Whether the answer of the token server has `expires_in` (`token-expires_in-absent`).
    pub expires_in: bool,
}

impl Default for Authentication {
    fn default() -> Self {
        Self {
            challenge: ChallengeForm::One,
            only_base_is_challenged: false,
            open_base: false,
            scope: ChallengeScope::Needed,
            action_order_varies: false,
            deletion_unscoped: false,
            service: true,
            realm: Realm::Absolute,
            flips_to_basic: false,
            insufficient_scope: 401,
            expired_as_text: false,
            mount_source_named: true,
            mount_source_challenged: false,
            cancel_needs_delete: false,
            absent_needs_push: false,
            checked_at_end: false,
            cookies: false,
            post_refused: None,
            delete_scope_refused: None,
            foreign_scope_refused: None,
            first_scope_only: false,
            grants: Grants::Asked,
            token_field: TokenField::Both,
            expires_in: true,
        }
    }
}

/// The form of a challenge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChallengeForm {
    /// One, with quoted values.
    #[default]
    One,
    /// One, in lower case, with the realm unquoted: zot (`ping-200-with-challenge`).
    Lower,
    /// One, and a second header that is only the word `Basic`: Gitea (`challenge-two-headers-bare-basic`).
    BareBasic,
    /// One, after `Negotiate` and `Basic` in the same header (`challenge-multiple-schemes`).
    Several,
}

/// The `scope` of a challenge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ChallengeScope {
    /// What the request needs.
    #[default]
    Needed,
    /// None (`challenge-without-scope`).
    Absent,
    /// Empty (`challenge-scope-parameter-empty-or-invalid`).
    Empty,
    /// `*` (`challenge-scope-star`).
    Star,
    /// Without the first part of the repository's name (`challenge-scope-name-differs`).
    ShortName,
    /// Without the last part of the repository's name, and with the action `any`, which the token server treats as all
    /// actions: Cloudsmith (`challenge-scope-action-any`).
    AnyAction,
}

/// The `realm` of a challenge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Realm {
    /// A URL. Without [`RegistryOptions::origin`](crate::RegistryOptions::origin), a path.
    #[default]
    Absolute,
    /// A path (`challenge-realm-relative`).
    Path,
    /// A URL with `http` though the registry has `https` (`token-realm-plain-http`).
    Downgraded,
    /// A text that is not a URL (`challenge-realm-not-a-uri`).
    Words,
}

/// The fields that contain a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TokenField {
    /// `token` and `access_token`.
    #[default]
    Both,
    /// `token`.
    Token,
    /// `access_token` (`token-field-access_token`).
    AccessToken,
}

/// What a token gives the right to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Grants {
    /// The requested actions that the user may do: so do [the token
    /// specification](https://distribution.github.io/distribution/spec/auth/token/), Docker Hub and distribution. A
    /// client that uses its first token for all later requests (the Python client oras, after a 401) fails with them,
    /// and fails here.
    #[default]
    Asked,
    /// All that the user may do, whatever the client requested: the token only identifies the user
    /// (`challenge-scope-star`).
    All,
}
