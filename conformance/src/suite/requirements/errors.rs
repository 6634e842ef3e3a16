//! The form of refusals and warnings.

use http::Method;
use longshore_core::{Algorithm, MediaType};
use serde_json::Value;

use super::super::content::Document;
use super::super::received::{ERROR_CODES, Received};
use super::super::requirement::{Requirement, must, should};
use super::super::stop::Stop;
use super::super::tested::TestedRegistry;
use super::super::version::Version;

const ERRORS: (&str, &str) = ("", "error-codes");
const WARNINGS: (&str, &str) = ("", "warnings");
const ENDPOINTS: (&str, &str) = ("", "endpoints");

/// Refusals of several kinds.
fn refusals<'c, 'a>(registry: &'c TestedRegistry<'a>) -> Result<Vec<Received<'c, 'a>>, Stop> {
    registry.shared_image()?;
    let upload = registry.upload()?;
    let all = [
        registry.get(&format!("manifests/{}", registry.tag())).send()?,
        registry.get(&registry.blob(64).path()).send()?,
        upload.close("sha256:1234").bytes("x").send()?,
    ];
    Ok(all.into())
}

/// The errors of a refusal with a JSON body; none if the body is not JSON.
fn errors(refusal: &Received<'_, '_>) -> Result<Vec<Value>, Stop> {
    let is_json = refusal.header_if_any("content-type")?.is_some_and(|given| given.starts_with("application/json"));
    if !is_json || refusal.bytes().is_empty() {
        return Ok(Vec::new());
    }
    let body = refusal.json()?;
    match &body["errors"] {
        Value::Array(errors) if !errors.is_empty() => Ok(errors.clone()),
        other => Err(refusal.fail("a list under \"errors\"", other)),
    }
}

/// Checks every error of every refusal.
fn each(registry: &TestedRegistry<'_>, expected: &str, holds: impl Fn(&Value) -> bool) -> Result<(), Stop> {
    let mut seen = false;
    for refusal in refusals(registry)? {
        for error in errors(&refusal)? {
            seen = true;
            if !holds(&error) {
                return Err(refusal.fail(expected, error));
            }
        }
    }
    if seen { Ok(()) } else { Err(Stop::unsupported("refusals are not JSON")) }
}

/// The warnings in several answers.
fn warnings(registry: &TestedRegistry<'_>) -> Result<Vec<String>, Stop> {
    let (image, _) = registry.shared_image()?;
    let answers = [
        registry.request_path(Method::GET, registry.repository(), "/v2/").send()?,
        registry.get(&image.path()).send()?,
    ];
    let all: Vec<String> = answers.iter().flat_map(|answer| answer.raw_values("warning")).collect();
    if all.is_empty() { Err(Stop::unsupported("there are no warnings")) } else { Ok(all) }
}

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "errors-shape",
        ERRORS,
        "A refusal of JSON has a list of errors",
        "If the response body is in JSON format, it MUST have the following format: { \"errors\": [ { \"code\": ... } ] }.",
        |registry| each(registry, "errors with a code", |error| error["code"].is_string()),
    ),
    must(
        "errors-code-form",
        ERRORS,
        "A code has capitals and underscores only",
        "The code field MUST be a unique identifier, containing only uppercase alphabetic characters and underscores.",
        |registry| {
            each(registry, "a code of capitals and underscores", |error| {
                let code = error["code"].as_str().unwrap_or_default();
                !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
            })
        },
    ),
    must(
        "errors-code-known",
        ERRORS,
        "A code is one of the specification's",
        "The code field MUST be one of the following.",
        |registry| {
            each(registry, "one of the fourteen codes", |error| {
                error["code"].as_str().is_some_and(|code| ERROR_CODES.contains(&code))
            })
        },
    ),
    should(
        "errors-message",
        ERRORS,
        "A message is text",
        "The message field is OPTIONAL, and if present, it SHOULD be a human readable string or MAY be empty.",
        |registry| each(registry, "a message of text", |error| error["message"].is_null() || error["message"].is_string()),
    ),
    should(
        "errors-manifest-invalid",
        ERRORS,
        "Where the refusal of a manifest that is no JSON has a body of JSON, its code is MANIFEST_INVALID",
        "MANIFEST_INVALID: manifest invalid.",
        |registry| {
            let text = Document::of_bytes(MediaType::OCI_MANIFEST, registry.text(100), Algorithm::Sha256);
            registry.put_document(&text, &registry.tag())?.refused()?.error(&["MANIFEST_INVALID"])?;
            Ok(())
        },
    ),
    should(
        "errors-name-invalid",
        ERRORS,
        "Where the refusal of a malformed name has a body of JSON, its code says so",
        "NAME_INVALID: invalid repository name. NAME_UNKNOWN: repository name not known to registry.",
        |registry| {
            let path = format!("/v2/{}/Upper_Case/tags/list", registry.repository());
            let refused = registry.request_path(Method::GET, registry.repository(), &path).send()?.refused()?;
            refused.error(&["NAME_INVALID", "NAME_UNKNOWN", "UNSUPPORTED"]).map(drop)
        },
    ),
    must(
        "errors-head",
        ("", "https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2"),
        "A refusal of HEAD has no body",
        "The server MUST NOT send content in the response to HEAD.",
        |registry| {
            registry.shared_image()?;
            registry.head(&registry.blob(64).path()).send()?.body(b"").map(drop)
        },
    ),
    should(
        "errors-unknown-endpoint",
        ENDPOINTS,
        "What is no endpoint is refused with 404",
        "Where this specification does not define specific behavior, implementations SHOULD follow the HTTP semantics defined in RFC 9110: 404, no current representation for the target resource.",
        |registry| {
            registry.shared_image()?;
            registry.get("nothing/of-the-kind").send()?.status_of(&[400, 404, 405]).map(drop)
        },
    ),
    should(
        "errors-method",
        ("", "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6"),
        "A method that an endpoint does not have is refused with 405 or 404",
        "405: the method received in the request-line is known by the origin server but not supported by the target resource.",
        |registry| {
            registry.shared_image()?;
            registry.put("tags/list").bytes("x").send()?.status_of(&[400, 404, 405]).map(drop)
        },
    ),
    should(
        "errors-no-server-error",
        ENDPOINTS,
        "Malformed requests are refused with 4xx, not with 5xx",
        "The 5xx class of status code indicates that the server is aware that it has erred (RFC 9110, 15.6): a malformed request is the client's.",
        |registry| {
            registry.shared_image()?;
            let upload = registry.upload()?;
            for received in [
                registry.get("blobs/sha256:zz").send()?,
                registry.get("manifests/sha256:zz").send()?,
                registry.head("manifests/sha256:zz").send()?,
                registry.delete("manifests/sha256:zz").send()?,
                upload.close("no-digest").bytes("x").send()?,
            ] {
                received.refused()?;
            }
            Ok(())
        },
    ),
    must(
        "errors-warning-form",
        WARNINGS,
        "A warning has the code 299, the agent - and no date",
        "Warning headers MUST specify a warn-code of 299 and a warn-agent of -, and MUST NOT specify a warn-date value.",
        |registry| {
            let has_form = |warning: &str| {
                let text = warning.strip_prefix("299 - \"").and_then(|rest| rest.strip_suffix('"'));
                // A second quoted text would be a date.
                text.is_some_and(|text| !text.replace("\\\"", "").contains('"'))
            };
            match warnings(registry)?.into_iter().find(|warning| !has_form(warning)) {
                None => Ok(()),
                Some(other) => Err(Stop::failed("299 - \"text\"", other)),
            }
        },
    )
    .since(Version::V1_1),
    must(
        "errors-warning-length",
        WARNINGS,
        "The warnings of an answer have at most 4096 bytes",
        "A registry MUST NOT send more than 4096 bytes of warning data from all headers combined.",
        |registry| {
            let bytes: usize = warnings(registry)?.iter().map(String::len).sum();
            // The warnings of two answers together.
            if bytes <= 2 * 4096 { Ok(()) } else { Err(Stop::failed("at most 4096 bytes", format!("{bytes} in two answers"))) }
        },
    )
    .since(Version::V1_1),
];
