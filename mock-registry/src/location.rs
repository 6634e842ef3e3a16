//! The URLs that the registry writes. They depend only on its settings.

use longshore_core::{Algorithm, Digest, Origin, Scheme};

use crate::behaviour::{LocationForm, StateQuery, UploadPath};
use crate::random::same_secret;
use crate::registry::Registry;
use crate::route::PART;
use crate::state::{Upload, UploadId};

impl Registry {
    /// The URL of an upload.
    pub(crate) fn upload_location(&self, id: &UploadId, upload: &Upload) -> String {
        let start = &self.options.behaviour.start;
        let repository = &upload.repository;
        let mut path = match start.path {
            UploadPath::Usual => format!("/v2/{repository}/blobs/uploads/{id}"),
            UploadPath::Singular => format!("/v2/{repository}/blobs/upload/{id}"),
            UploadPath::Suffixed => format!("/v2/{repository}/blobs/uploads/{id}.patch"),
            UploadPath::IdInQuery => format!("{PART}?id={id}"),
        };
        if start.state != StateQuery::Absent {
            if let Some(query) = &start.query {
                add_query(&mut path, query);
            }
            add_query(&mut path, &self.state_pair(id, upload.step));
        }
        self.located(path)
    }

    /// The parameter with the state of an upload.
    pub(crate) fn state_pair(&self, id: &UploadId, step: u64) -> String {
        let name = self.options.behaviour.start.state_name.as_deref().unwrap_or("_state");
        format!("{name}={}", upload_state(id, step))
    }

    /// The URL of a path at the registry itself, even if uploads are at another origin.
    pub(crate) fn located_here(&self, path: String) -> String {
        match self.options.behaviour.start.location {
            LocationForm::Storage => path,
            _ => self.located(path),
        }
    }

    /// The URL of a path, in the form of the behaviour.
    fn located(&self, path: String) -> String {
        let form = self.options.behaviour.start.location;
        if form == LocationForm::Storage {
            return self.at_storage(path);
        }
        let Some(origin) = self.origin() else { return path };
        match form {
            LocationForm::Path | LocationForm::Storage => path,
            LocationForm::Absolute => format!("{origin}{path}"),
            LocationForm::Downgraded => {
                let downgraded = Origin::new(Scheme::Http, origin.host().clone(), Some(origin.port()));
                format!("{downgraded}{path}")
            }
            LocationForm::WithoutPort => format!("{}://{}{path}", origin.scheme().as_str(), origin.host()),
            LocationForm::WithoutScheme => format!("{}{path}", origin.authority()),
        }
    }

    /// A signed URL at the storage's origin; only the path if there is no such origin.
    pub(crate) fn at_storage(&self, mut path: String) -> String {
        let Some(storage) = &self.options.storage else { return path };
        let signature = self.signature(&path);
        add_query(&mut path, &format!("X-Signature={signature}"));
        format!("{storage}{path}")
    }

    /// Whether path and query begin with a path that this registry signed.
    pub(crate) fn is_signed(&self, path_and_query: &str) -> bool {
        let Some((signed, rest)) = path_and_query.split_once("X-Signature=") else { return false };
        let signed = signed.strip_suffix(['?', '&']).unwrap_or_default();
        let given = rest.split('&').next().unwrap_or_default();
        same_secret(given, &self.signature(signed))
    }

    fn signature(&self, path: &str) -> String {
        let hashed = Digest::of(Algorithm::Sha256, path.as_bytes()).hex();
        Digest::of(Algorithm::Sha256, &[&self.options.seed[..], b"signature", hashed.as_bytes()].concat()).hex()
    }
}

/// The value of `_state`. A client that decodes it and encodes it again changes its bytes, which the judge detects.
fn upload_state(id: &UploadId, step: u64) -> String {
    let hash = Digest::of(Algorithm::Sha256, format!("{id} {step}").as_bytes()).hex();
    format!("{}%3D%3d==", &hash[..16])
}

fn add_query(path: &mut String, pair: &str) {
    path.push(if path.contains('?') { '&' } else { '?' });
    path.push_str(pair);
}
