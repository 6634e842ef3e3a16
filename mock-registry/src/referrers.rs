//! The referrers of a manifest.

use http::StatusCode;
use http::header::LINK;
use longshore_core::{Digest, DigestError, MediaType, Repository};
use serde_json::{Value, json};

use crate::answer::{Answer, Body};
use crate::refusal::{Code, Refusal};
use crate::registry::Registry;
use crate::request::Asked;
use crate::route::percent_encode;
use crate::state::Stored;

impl Registry {
    /// `end-12a` and `end-12b`: in the order of their digests, also for a subject that is not there.
    pub(crate) fn referrers(&self, asked: &Asked, repository: &Repository, subject: &str) -> Result<Answer, Refusal> {
        match subject.parse::<Digest>() {
            Ok(_) | Err(DigestError::Unsupported { .. }) => {}
            Err(error) => return Err(Refusal::bad_request(Code::DigestInvalid, error.to_string())),
        }
        let wanted = asked.query.first("artifactType");
        let after: Option<Digest> = asked.query.first("last").and_then(|last| last.parse().ok());
        let contents = self.state.repositories.get(repository);
        let referrers = contents.into_iter().flat_map(|contents| &contents.manifests).filter(|(digest, stored)| {
            stored.subject.as_deref() == Some(subject)
                && wanted.is_none_or(|wanted| stored.artifact_type.as_deref() == Some(wanted))
                && after.is_none_or(|after| **digest > after)
        });
        let (entries, more) = self.referrers_page(referrers);
        let mut answer = Answer::new(asked.row, StatusCode::OK);
        if wanted.is_some() {
            answer = answer.header("oci-filters-applied", "artifactType");
        }
        if let Some(last) = more {
            let filter = wanted.map(|wanted| format!("artifactType={}&", percent_encode(wanted))).unwrap_or_default();
            let next =
                format!("</v2/{repository}/referrers/{subject}?{filter}last={}>", percent_encode(&last.to_string()));
            answer = answer.header(LINK, format_args!("{next}; rel=\"next\""));
        }
        let body = json!({ "schemaVersion": 2, "mediaType": MediaType::OCI_INDEX, "manifests": entries });
        Ok(answer.body(MediaType::OCI_INDEX, Body::Bytes(body.to_string().into())))
    }

    /// As many entries as a page may have and a manifest may be long; and the last of them, if there are more.
    fn referrers_page<'a>(
        &self,
        referrers: impl Iterator<Item = (&'a Digest, &'a Stored)>,
    ) -> (Vec<Value>, Option<Digest>) {
        let limits = &self.options.limits;
        let (mut entries, mut bytes, mut last): (Vec<Value>, usize, Option<Digest>) = (Vec::new(), 100, None);
        for (digest, stored) in referrers {
            let entry = entry(digest, stored);
            bytes += entry.to_string().len() + 1;
            if last.is_some() && (entries.len() >= limits.page.max(1) || bytes > limits.manifest) {
                return (entries, last);
            }
            entries.push(entry);
            last = Some(*digest);
        }
        (entries, None)
    }
}

fn entry(digest: &Digest, stored: &Stored) -> Value {
    let mut entry = json!({
        "mediaType": stored.media_type.as_str(),
        "digest": digest.to_string(),
        "size": stored.bytes.len(),
    });
    if let Some(artifact_type) = &stored.artifact_type {
        entry["artifactType"] = json!(artifact_type);
    }
    if !stored.annotations.is_empty() {
        entry["annotations"] = json!(stored.annotations);
    }
    entry
}
