//! The actions and answers of the control address.

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Reply, Steering};
use crate::ContentError;
use crate::fault::Faults;
use crate::profile::Profile;
use crate::report::Report;
use crate::row::row_id;

/// The profile that the registry is to use: the name or the text of a profile.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Played {
    profile: Option<String>,
    toml: Option<String>,
    #[serde(default)]
    set: Vec<String>,
}

impl Played {
    /// Reads a body, which is JSON or the text of a profile.
    fn of(body: &str) -> Result<Self, String> {
        if !body.trim_start().starts_with('{') {
            return Ok(Self { profile: None, toml: Some(body.to_owned()), set: Vec::new() });
        }
        serde_json::from_str(body).map_err(|error| error.to_string())
    }

    fn load(&self) -> Result<Profile, String> {
        let profile = match (&self.profile, &self.toml) {
            (Some(name), None) => Profile::load(name),
            (None, Some(text)) => Profile::parse("the body", text),
            _ => return Err("give one of profile and toml".to_owned()),
        };
        let mut profile = profile.map_err(|error| error.to_string())?;
        profile.set_all(self.set.iter().map(String::as_str)).map_err(|error| error.to_string())?;
        Ok(profile)
    }
}

impl Reply {
    fn json(value: &Value) -> Self {
        Self(StatusCode::OK, "application/json", value.to_string())
    }
}

impl Steering {
    pub(super) fn state(&self) -> Reply {
        let registry = self.shared.lock();
        let repositories = registry.state.repositories.iter().map(|(name, contents)| {
            let tags = contents.tags.iter().map(|(tag, digest)| (tag.to_string(), Value::from(digest.to_string())));
            let manifests: Vec<String> = contents.manifests.keys().map(ToString::to_string).collect();
            let blobs = contents.blobs.iter().map(|(digest, blob)| (digest.to_string(), Value::from(blob.size)));
            let contents = json!({
                "tags": tags.collect::<serde_json::Map<_, _>>(),
                "manifests": manifests,
                "blobs": blobs.collect::<serde_json::Map<_, _>>(),
            });
            (name.to_string(), contents)
        });
        let uploads = registry.state.uploads.iter().map(|(id, upload)| {
            (id.to_string(), json!({ "repository": upload.repository.as_str(), "bytes": upload.len() }))
        });
        let struck = registry.struck.iter().map(
            |struck| json!({ "request": struck.request, "row": row_id(struck.row), "fault": struck.fault.to_string() }),
        );
        Reply::json(&json!({
            "requests": registry.requests(),
            "repositories": repositories.collect::<serde_json::Map<_, _>>(),
            "uploads": uploads.collect::<serde_json::Map<_, _>>(),
            "struck": struck.collect::<Vec<_>>(),
        }))
    }

    pub(super) fn requests(&self) -> Reply {
        Reply::json(&json!({ "requests": self.shared.recorder.newest() }))
    }

    pub(super) fn report(&self) -> Report {
        let registry = self.shared.lock();
        registry.judge.report("the clients of this registry", registry.requests())
    }

    #[cfg(feature = "junit")]
    pub(super) fn junit(&self) -> Reply {
        match self.report().to_junit() {
            Ok(xml) => Reply(StatusCode::OK, "application/xml", xml),
            Err(error) => Reply::error(StatusCode::INTERNAL_SERVER_ERROR, error),
        }
    }

    #[cfg(not(feature = "junit"))]
    pub(super) fn junit(&self) -> Reply {
        Reply::error(StatusCode::NOT_IMPLEMENTED, "this was built without the feature junit")
    }

    pub(super) fn faults(&self) -> Reply {
        Reply::json(&json!({ "faults": self.shared.lock().options.faults.to_string() }))
    }

    pub(super) fn set_faults(&self, text: &str) -> Reply {
        match text.parse::<Faults>() {
            Ok(faults) => {
                self.shared.lock().inject_faults(faults);
                self.faults()
            }
            Err(error) => Reply::error(StatusCode::BAD_REQUEST, error),
        }
    }

    pub(super) fn set_profile(&self, body: &str) -> Reply {
        let played = Played::of(body).and_then(|played| played.load().map(|profile| (played, profile)));
        let (played, profile) = match played {
            Ok(played) => played,
            Err(error) => {
                let message = format!(
                    "{error} (the body is {{\"profile\": \"ecr\", \"set\": []}}, {{\"toml\": \"…\"}}, or the TOML of a profile)"
                );
                return Reply::error(StatusCode::BAD_REQUEST, message);
            }
        };
        let mut registry = self.shared.lock();
        if profile.needs_storage() && registry.options.storage.is_none() {
            let message =
                "this profile needs a second port for its storage: start the registry with Server::with_storage";
            return Reply::error(StatusCode::CONFLICT, message);
        }
        registry.options.play(&profile, &self.begin);
        Reply::json(&json!({ "profile": profile.name, "title": profile.title, "set": played.set }))
    }

    pub(super) fn reset(&self) -> Reply {
        let mut registry = self.shared.lock();
        registry.options = self.begin.clone();
        let reset = registry.reset().map_err(ContentError::from);
        let reset = reset.and_then(|()| self.content.as_ref().map_or(Ok(()), |add| add(&mut registry)));
        match reset {
            Ok(()) => {
                self.shared.recorder.clear();
                Reply::json(&json!({ "reset": true }))
            }
            Err(error) => Reply::error(StatusCode::INTERNAL_SERVER_ERROR, error),
        }
    }
}
