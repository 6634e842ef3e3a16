//! The referrers of a manifest.

use http::StatusCode;
use http::header::{LINK, LOCATION};
use longshore_core::{Digest, DigestError, MediaType, Repository};
use serde_json::{Value, json};

use crate::answer::{Answer, Body};
use crate::behaviour::{LinkForm, ReferrersApi, SubjectHeader};
use crate::refusal::{Code, Refusal, status};
use crate::registry::Registry;
use crate::request::ParsedRequest;
use crate::route::percent_encode;
use crate::state::Stored;

impl Registry {
    /// `end-12a` and `end-12b`: referrers in the order of their digests, also of a subject that does not exist.
    pub(crate) fn referrers(
        &self,
        request: &ParsedRequest,
        repository: &Repository,
        subject: &str,
    ) -> Result<Answer, Refusal> {
        if let Some(other) = self.other_than_referrers(request)? {
            return Ok(other);
        }
        match subject.parse::<Digest>() {
            Ok(_) | Err(DigestError::Unsupported { .. }) => {}
            Err(error) => return Err(Refusal::bad_request(Code::DigestInvalid, error.to_string())),
        }
        let behaviour = &self.options.behaviour.referrers;
        let contents = self.state.repositories.get(repository);
        let known = subject
            .parse()
            .is_ok_and(|subject: Digest| contents.is_some_and(|contents| contents.manifests.contains_key(&subject)));
        if !known && behaviour.unknown_subject != 200 {
            let message = "the repository has no such manifest";
            return Err(Refusal::new(status(behaviour.unknown_subject), Code::ManifestInvalid, message));
        }
        let wanted = request.query.first("artifactType").filter(|_| behaviour.filter);
        let after: Option<Digest> = request.query.first("last").and_then(|last| last.parse().ok());
        let referrers = contents.into_iter().flat_map(|contents| &contents.manifests).filter(|(digest, stored)| {
            stored.subject.as_deref() == Some(subject)
                && wanted.is_none_or(|wanted| stored.artifact_type.as_deref() == Some(wanted))
                && after.is_none_or(|after| **digest > after)
        });
        let (entries, last, more) = self.referrers_page(referrers);
        let mut answer = Answer::new(request.row, StatusCode::OK);
        if wanted.is_some() {
            answer = answer.header("oci-filters-applied", "artifactType");
        }
        if let Some(last) = last.filter(|_| more || self.options.behaviour.listing.link == LinkForm::Always) {
            let filter = wanted.map(|wanted| format!("artifactType={}&", percent_encode(wanted))).unwrap_or_default();
            let last = percent_encode(&last.to_string());
            answer = answer
                .header(LINK, self.next_page(&format!("/v2/{repository}/referrers/{subject}?{filter}last={last}")));
        }
        let body = json!({ "schemaVersion": 2, "mediaType": MediaType::OCI_INDEX, "manifests": entries });
        Ok(answer.body(MediaType::OCI_INDEX, Body::Bytes(body.to_string().into())))
    }

    /// The answer if there is no referrers API.
    fn other_than_referrers(&self, request: &ParsedRequest) -> Result<Option<Answer>, Refusal> {
        const PAGE: &str = "<!DOCTYPE html><title>Not here</title>";
        let ok = Answer::new(request.row, StatusCode::OK);
        let missing = |code| Refusal::not_found(code, "there is no such manifest");
        match self.options.behaviour.referrers.api {
            ReferrersApi::On => Ok(None),
            ReferrersApi::NotFound => Err(missing(Code::ManifestUnknown)),
            ReferrersApi::NoRoute => {
                Err(missing(Code::Unsupported).page("text/plain; charset=utf-8", "404 page not found\n"))
            }
            ReferrersApi::SeeOther => Ok(Some(
                Answer::new(request.row, StatusCode::SEE_OTHER)
                    .header(LOCATION, "https://www.registry.example/-/v2/referrers")
                    .body("text/html", Body::Bytes(PAGE.into())),
            )),
            ReferrersApi::Html => Ok(Some(ok.body("text/html; charset=utf-8", Body::Bytes(PAGE.into())))),
            ReferrersApi::OtherJson => Ok(Some(ok.body("application/json", Body::Bytes(r#"{"data":[]}"#.into())))),
            ReferrersApi::Refused(given) => {
                Err(Refusal::new(status(given), Code::Unsupported, "referrers are not supported here"))
            }
        }
    }

    /// Whether `OCI-Subject` is sent for a manifest with a subject.
    pub(crate) fn tells_subject(&self) -> bool {
        let behaviour = &self.options.behaviour.referrers;
        match behaviour.subject {
            SubjectHeader::Truthful => behaviour.api == ReferrersApi::On,
            SubjectHeader::Always => true,
            SubjectHeader::Never => false,
        }
    }

    /// As many entries as the limits of a page and of a manifest's length allow, the last of them, and whether there
    /// are more.
    fn referrers_page<'a>(
        &self,
        referrers: impl Iterator<Item = (&'a Digest, &'a Stored)>,
    ) -> (Vec<Value>, Option<Digest>, bool) {
        let limits = &self.options.limits;
        let (mut entries, mut bytes, mut last): (Vec<Value>, usize, Option<Digest>) = (Vec::new(), 100, None);
        for (digest, stored) in referrers {
            let entry = self.entry(digest, stored);
            bytes += entry.to_string().len() + 1;
            if last.is_some() && (entries.len() >= limits.page.max(1) || bytes > limits.manifest) {
                return (entries, last, true);
            }
            entries.push(entry);
            last = Some(*digest);
        }
        (entries, last, false)
    }

    fn entry(&self, digest: &Digest, stored: &Stored) -> Value {
        let mut entry = json!({
            "mediaType": stored.media_type.as_str(),
            "digest": digest.to_string(),
            "size": stored.bytes.len(),
        });
        if let Some(artifact_type) =
            stored.artifact_type.as_ref().filter(|_| self.options.behaviour.referrers.artifact_types)
        {
            entry["artifactType"] = json!(artifact_type);
        }
        if !stored.annotations.is_empty() {
            entry["annotations"] = json!(stored.annotations);
        }
        entry
    }
}
