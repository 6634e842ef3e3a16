//! Error bodies and warnings.

use serde::{Deserialize, Serialize};

/// The form of errors, and warnings in answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub struct Errors {
    /// The body of an error.
    pub body: ErrorBody,
    /// Warnings, sent as `Warning: 299 - "text"` with every answer (`warning-header`).
    pub warnings: Vec<String>,
}

/// The body of an error (`error-body-shapes`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorBody {
    /// The form of the spec.
    #[default]
    Spec,
    /// None.
    Empty,
    /// An HTML page, such as proxies send.
    Html,
    /// Text (`429-non-json-body`).
    Text,
    /// `{"details": …}`
    Details,
    /// `{"errors": [{"status": …, "message": …}]}`, in another charset: Artifactory.
    WithoutCode,
    /// The form of the spec, with an object as `message`: Cloudsmith.
    MessageObject,
    /// The form of the spec, with codes that contain spaces, such as Quay's `METHOD NOT ALLOWED`
    /// (`error-codes-non-spec`).
    OtherCodes,
}
