//! Probes of starting and closing uploads, and of mounts.

use http::Method;
use longshore_core::{Algorithm, Scheme};
use serde_json::json;

use super::super::content::Blob;
use super::super::received::Received;
use super::super::stop::Stop;
use super::super::tested::{Left, TestedRegistry};
use super::{Notes, Probe};

pub(super) const PROBES: &[Probe] = &[
    Probe { id: "probe-start", ask: start },
    Probe { id: "probe-start-length", ask: start_length },
    Probe { id: "probe-start-slash", ask: start_slash },
    Probe { id: "probe-single-post", ask: single_post },
    Probe { id: "probe-commit", ask: commit },
    Probe { id: "probe-commit-length", ask: commit_length },
    Probe { id: "probe-commit-empty", ask: commit_empty },
    Probe { id: "probe-commit-mismatch", ask: commit_mismatch },
    Probe { id: "probe-mount", ask: mount },
    Probe { id: "probe-mount-absent", ask: mount_absent },
    Probe { id: "probe-mount-other", ask: mount_other },
    Probe { id: "probe-mount-without-from", ask: mount_without_from },
];

/// Starts an upload and reads the 202.
fn start(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let post = registry.post("blobs/uploads/").send()?;
    if post.code() != 202 {
        return Ok(());
    }
    let range = post.header_if_any("range")?;
    notes.see("start.range", range_word(range.as_deref()));
    notes.see("start.json-body", post.bytes().as_ref() == b"{}");
    let min = post.header_if_any("oci-chunk-min-length")?.and_then(|least| least.parse::<u64>().ok());
    if let Some(bytes) = min {
        notes.see("start.chunk-min", json!({ "bytes": bytes, "announced": true }));
    }
    let max = post.header_if_any("oci-chunk-max-length")?.and_then(|most| most.parse::<u64>().ok());
    notes.see("start.chunk-max", max.map_or(json!(null), |most| json!(most)));
    notes.see("start.location-missing", !post.headers().contains_key("location"));
    let Some(location) = post.header_if_any("location")? else { return Ok(()) };
    let own = registry.around.signer.registry();
    notes.see(
        "start.location",
        location_word(&location, own.scheme(), &own.authority(), own.host().to_string().as_str()),
    );
    registry.opened(registry.repository(), &post)?;
    let path = post.location()?.path().to_owned();
    let (front, id) = path.rsplit_once('/').unwrap_or_default();
    let form = match (front.ends_with("/blobs/uploads"), front.ends_with("/blobs/upload")) {
        (true, _) if id.ends_with(".patch") => "suffixed",
        (true, _) => "usual",
        (_, true) => "singular",
        _ => "id-in-query",
    };
    notes.see("start.path", form);
    let named = post.header_if_any("docker-upload-uuid")?.unwrap_or_default();
    if matches!(form, "usual" | "suffixed") {
        let is_zot = post.headers().contains_key("blob-upload-uuid");
        notes.see("start.id", id_word(id.strip_suffix(".patch").unwrap_or(id), &named, is_zot));
    }
    Ok(())
}

fn range_word(range: Option<&str>) -> &'static str {
    match range {
        None => "absent",
        Some(range) if range.starts_with("bytes=") => "unit",
        Some(_) => "zero",
    }
}

fn location_word(location: &str, scheme: Scheme, authority: &str, host: &str) -> &'static str {
    let Some((given, rest)) = location.split_once("://") else {
        return if location.starts_with('/') { "path" } else { "without-scheme" };
    };
    let there = rest.split('/').next().unwrap_or_default();
    match (given, there) {
        ("http", _) if scheme == Scheme::Https => "downgraded",
        (_, there) if there == authority => "absolute",
        (_, there) if there == host => "without-port",
        _ => "storage",
    }
}

fn id_word(id: &str, named: &str, is_zot: bool) -> &'static str {
    match (id.len(), is_zot) {
        (_, true) => "blob-upload-uuid",
        (12, _) => "short",
        (22, _) => "base64",
        (25, _) => "base36",
        _ if named.ends_with(".patch") => "patch-suffix",
        _ => "uuid",
    }
}

/// Sends a POST without `Content-Length`.
fn start_length(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let post = registry.post("blobs/uploads/").streamed("").send()?;
    notes.see("start.needs-content-length", post.code() == 411);
    if post.code() == 202 { registry.opened(registry.repository(), &post).map(drop) } else { Ok(()) }
}

fn start_slash(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let post = registry.post("blobs/uploads").unfollowed().send()?;
    let word = match post.code() {
        300..400 => "redirected",
        202 => "optional",
        _ => "required",
    };
    notes.see("start.trailing-slash", word);
    if post.code() == 202 { registry.opened(registry.repository(), &post).map(drop) } else { Ok(()) }
}

fn single_post(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let blob = registry.blob(100);
    let post = registry.post("blobs/uploads/").query("digest", blob.digest.to_string());
    let received = post.bytes(blob.bytes.clone()).send()?;
    match received.code() {
        202 => {
            notes.see("start.single-post", "ignored");
            registry.opened(registry.repository(), &received).map(drop)
        }
        201 if received.header_if_any("location")?.is_some_and(|to| to.contains("/uploads/")) => {
            notes.see("start.single-post", "upload-location");
            Ok(())
        }
        201 => {
            registry.leaves(Left::Blob(registry.repository().clone(), blob.digest.to_string()));
            let other = registry.blob(100);
            let post = registry.post("blobs/uploads/").query("digest", other.digest.to_string());
            let code = post.body("text/plain", other.bytes.clone()).send()?.code();
            notes.see("start.single-post", if code == 415 { "strict" } else { "supported" });
            registry.leaves(Left::Blob(registry.repository().clone(), other.digest.to_string()));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Sends a whole blob in a PUT and reads the answer.
fn commit(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (blob, upload) = (registry.blob(100), registry.upload()?);
    let digest = blob.digest.to_string();
    let received = upload.close(&digest).bytes(blob.bytes.clone()).send()?;
    if !received.is_success() {
        notes.see("commit.monolithic-refused", received.code());
        return Ok(());
    }
    notes.see("commit.monolithic-refused", json!(null));
    notes.see("commit.status", received.code());
    let location = match received.header_if_any("location")? {
        None => "absent",
        Some(to) if to.contains("/uploads/") => "upload",
        Some(_) => "blob",
    };
    notes.see("commit.location", location);
    notes.see("commit.digest", digest_word(&received, &digest)?);
    upload.became(&digest);
    Ok(())
}

/// The value of a switch for `Docker-Content-Digest`.
pub(super) fn digest_word(received: &Received<'_, '_>, digest: &str) -> Result<&'static str, Stop> {
    Ok(match received.header_if_any("docker-content-digest")?.as_deref() {
        None => "absent",
        Some(given) if given == digest => "sent",
        Some(_) => "wrong",
    })
}

fn commit_length(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (blob, upload) = (registry.blob(100), registry.upload()?);
    let received = upload.close(blob.digest.to_string()).streamed(blob.bytes.clone()).send()?;
    notes.see("commit.needs-content-length", received.code() == 411);
    upload.became(blob.digest.to_string());
    Ok(())
}

fn commit_empty(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (blob, upload) = (Blob::of("", Algorithm::Sha256), registry.upload()?);
    let received = upload.close(blob.digest.to_string()).bytes("").send()?;
    let refused = if received.is_success() { json!(null) } else { json!(received.code()) };
    notes.see("commit.empty-blob-refused", refused);
    upload.became(blob.digest.to_string());
    Ok(())
}

fn commit_mismatch(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (blob, other, upload) = (registry.blob(100), registry.blob(100), registry.upload()?);
    let received = upload.close(other.digest.to_string()).bytes(blob.bytes.clone()).send()?;
    if received.is_success() {
        return Ok(());
    }
    notes.see("commit.mismatch", received.code());
    if let Some(code) = received.error_codes().first() {
        notes.see("commit.mismatch-code", code.as_str());
    }
    let state = upload.state().send()?;
    if state.code() == 204 || state.code() == 404 {
        notes.see("commit.mismatch-keeps-upload", state.code() == 204);
    }
    Ok(())
}

/// Sends a POST that mounts a blob into the second repository.
fn mounted<'c, 'a>(
    registry: &'c TestedRegistry<'a>,
    blob: &Blob,
    from: Option<&str>,
) -> Result<Received<'c, 'a>, Stop> {
    let post = registry.request(Method::POST, registry.second(), "blobs/uploads/");
    let post = post.query("mount", blob.digest.to_string());
    let received = match from {
        Some(from) => post.query("from", from).reading(&from.parse().map_err(Stop::unsupported)?).send()?,
        None => post.send()?,
    };
    match received.code() {
        201 => registry.leaves(Left::Blob(registry.second().clone(), blob.digest.to_string())),
        202 => drop(registry.opened(registry.second(), &received)),
        _ => {}
    }
    Ok(received)
}

/// Mounts blobs of another repository.
fn mount(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (own, second) = (registry.repository().as_str(), registry.second().as_str());
    let code = mounted(registry, &registry.stored_blob(100)?, Some(own))?.code();
    if code == 201 {
        // The blob is in the first repository, and the mount names the second one.
        let code = mounted(registry, &registry.stored_blob(100)?, Some(second))?.code();
        notes.see("mount.policy", if code == 201 { "any-repository" } else { "source" });
        return Ok(());
    }
    let blob = registry.stored_blob(100)?;
    let layer = blob.descriptor("application/vnd.oci.image.layer.v1.tar");
    registry.store_document(&registry.image(|image| image["layers"] = json!([layer]))?)?;
    let referenced = mounted(registry, &blob, Some(own))?.code();
    match (referenced, code) {
        (201, _) => notes.see("mount.policy", "referenced"),
        (_, 202) => notes.see("mount.policy", "never"),
        (_, code) => notes.see("mount.policy", json!({ "refused": code })),
    }
    Ok(())
}

/// Mounts a missing blob, if mounts work at all.
fn mount_absent(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    if mounted(registry, &registry.stored_blob(100)?, Some(registry.repository().as_str()))?.code() != 201 {
        return Ok(());
    }
    let missing = mounted(registry, &registry.blob(100), Some(registry.repository().as_str()))?.code();
    notes.see("mount.missing", missing);
    let absent = mounted(registry, &registry.blob(100), Some(registry.absent().as_str()))?.code();
    notes.see("mount.absent-source", if absent == missing { json!(null) } else { json!(absent) });
    let elsewhere = format!("longshore-{}/absent", registry.unique());
    let elsewhere = mounted(registry, &registry.blob(100), Some(&elsewhere))?.code();
    notes.see("mount.absent-project", if elsewhere == absent { json!(null) } else { json!(elsewhere) });
    Ok(())
}

fn mount_other(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let post = registry.post("blobs/uploads/").query("from", registry.second().as_str()).send()?;
    notes.see("mount.from-alone", post.code());
    if post.code() == 202 {
        registry.opened(registry.repository(), &post)?;
    }
    let blob = registry.stored_blob(100)?;
    let mount = |origin: bool| {
        let post = registry.request(Method::POST, registry.second(), "blobs/uploads/");
        let post = post.query("mount", blob.digest.to_string()).query("from", registry.repository().as_str());
        let post = post.reading(registry.repository());
        if origin { post.query("origin", "registry.example").send() } else { post.send() }
    };
    let (with, without) = (mount(true)?.code(), mount(false)?.code());
    registry.leaves(Left::Blob(registry.second().clone(), blob.digest.to_string()));
    if without == 201 {
        notes.see("mount.refuses-origin", with == 401);
    }
    Ok(())
}

/// Mounts without a source. If no mount works, this cannot be distinguished from a blob that was not found.
fn mount_without_from(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let code = mounted(registry, &registry.stored_blob(100)?, None)?.code();
    match code {
        201 => notes.see("mount.without-from", "anywhere"),
        202 => {
            let blob = registry.blob(100);
            registry.store(registry.second(), &blob)?;
            let own = mounted(registry, &blob, None)?.code();
            let mounts = mounted(registry, &registry.stored_blob(100)?, Some(registry.repository().as_str()))?.code();
            match (own, mounts) {
                (201, _) => notes.see("mount.without-from", "target"),
                (_, 201) => notes.see("mount.without-from", "upload"),
                _ => {}
            }
        }
        code => notes.see("mount.without-from", json!({ "refused": code })),
    }
    Ok(())
}
