//! Events in words.

use longshore_core::{Digest, Event, Stored};

use crate::size::human;

/// The event as a permanent line, if it is important enough.
pub(super) fn line(event: &Event<Digest>) -> Option<String> {
    Some(match event {
        Event::BlobStored { digest, size, how, .. } => {
            let how = match how {
                Stored::Existing => "was there".to_owned(),
                Stored::Mounted(from) => format!("mounted from {from}"),
                Stored::Uploaded => "sent".to_owned(),
                _ => "stored".to_owned(),
            };
            format!("blob      {}  {:>9}  {how}", short(digest), human(*size))
        }
        Event::ManifestStored { digest, existed } => {
            format!("manifest  {}  {:>9}  {}", short(digest), "", if *existed { "was there" } else { "sent" })
        }
        Event::Tagged { tag, digest } => format!("tag       {}  {:>9}  {tag}", short(digest), ""),
        Event::ReferrerListed { referrer, fallback, .. } => {
            let how = if *fallback { "listed under the fallback tag" } else { "listed as referrer" };
            format!("referrer  {}  {:>9}  {how}", short(referrer), "")
        }
        Event::Retrying { row, origin, attempt, why, .. } => {
            format!("retry     to {} at {origin}, attempt {attempt}: {why}", row.name())
        }
        Event::Warning { origin, text } => format!("warning   {origin}: {text}"),
        _ => return None,
    })
}

/// `sha256:0123456789ab`: enough to tell blobs apart.
pub(crate) fn short(digest: &Digest) -> String {
    let hex = digest.hex();
    format!("{}:{}", digest.algorithm().as_str(), hex.get(..12).unwrap_or(&hex))
}
