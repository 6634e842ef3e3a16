//! A line of JSON for each thing that happens: for programs.

use longshore_core::{Digest, Event, Stored};
use serde_json::{Value, json};

use super::Show;
use crate::output;
use crate::unknown_blob;

/// Writes lines to standard error.
pub(super) struct Json;

impl Show for Json {
    fn event(&mut self, event: &Event<Digest>) {
        if let Some(value) = value(event) {
            output::say(output::json(&value));
        }
    }
}

fn value(event: &Event<Digest>) -> Option<Value> {
    Some(match event {
        Event::BlobSending { blob, sent, total } => {
            // What comes on standard input has no digest yet.
            let blob = (*blob != unknown_blob::key()).then_some(blob);
            json!({"event": "blob-sending", "blob": blob, "sent": sent, "total": total})
        }
        Event::BlobDigested { digest, size, .. } => json!({"event": "blob-digested", "digest": digest, "size": size}),
        Event::BlobStored { digest, size, how, .. } => {
            let (how, from) = match how {
                Stored::Existing => ("existing", None),
                Stored::Mounted(from) => ("mounted", Some(from.as_str())),
                Stored::Uploaded => ("uploaded", None),
                _ => ("stored", None),
            };
            json!({"event": "blob-stored", "digest": digest, "size": size, "how": how, "from": from})
        }
        Event::ManifestStored { digest, existed } => {
            json!({"event": "manifest-stored", "digest": digest, "existed": existed})
        }
        Event::Tagged { tag, digest } => json!({"event": "tagged", "tag": tag.to_string(), "digest": digest}),
        Event::ReferrerListed { subject, referrer, fallback } => {
            json!({"event": "referrer-listed", "subject": subject, "referrer": referrer, "fallback": fallback})
        }
        Event::Retrying { row, origin, attempt, why, .. } => {
            json!({"event": "retrying", "row": row.id(), "origin": origin.to_string(), "attempt": attempt, "why": why})
        }
        Event::Warning { origin, text } => json!({"event": "warning", "origin": origin.to_string(), "text": text}),
        Event::Progress { done, total, .. } => json!({"event": "progress", "done": done, "total": total}),
        _ => return None,
    })
}
