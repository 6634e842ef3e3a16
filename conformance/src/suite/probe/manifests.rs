//! Probes of storing manifests.

use longshore_core::{Algorithm, MediaType};
use serde_json::{Value, json};

use super::super::content::{Blob, Document};
use super::super::stop::Stop;
use super::super::tested::Left;
use super::uploads::digest_word;
use super::{Notes, Probe};

pub(super) const PROBES: &[Probe] = &[
    Probe { id: "probe-manifest", ask: stored },
    Probe { id: "probe-manifest-missing", ask: missing },
    Probe { id: "probe-manifest-subject", ask: subject },
    Probe { id: "probe-manifest-type", ask: media_type },
    Probe { id: "probe-manifest-artifact", ask: artifact },
    Probe { id: "probe-manifest-config", ask: empty_config },
    Probe { id: "probe-manifest-layers", ask: no_layers },
    Probe { id: "probe-manifest-mixed", ask: mixed },
    Probe { id: "probe-manifest-tag", ask: moved_tag },
    Probe { id: "probe-manifest-conditions", ask: conditions },
    Probe { id: "probe-manifest-tags", ask: tag_parameters },
    Probe { id: "probe-manifest-reference", ask: bad_reference },
];

/// Stores a manifest and reads the answer.
fn stored(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (image, tag) = (registry.image(|_| {})?, registry.tag());
    let put = registry.put_document(&image, &tag)?;
    if !put.is_success() {
        return Ok(());
    }
    notes.see("manifests.status", put.code());
    notes.see("manifests.digest", digest_word(&put, &image.digest.to_string())?);
    let digest = image.digest.to_string();
    let location = match put.header_if_any("location")? {
        None => "absent",
        // The switch does not contain the other origin.
        Some(to) if put.resolve(&to)?.origin() != registry.around.signer.registry() => return Ok(()),
        Some(to) if to.contains("/uploads/") => "upload",
        Some(to) if to.ends_with(&format!("/manifests/{digest}")) => "digest",
        Some(to) if to.ends_with(&format!("/manifests/{tag}")) => "reference",
        Some(_) => return Ok(()),
    };
    notes.see("manifests.location", location);
    let echo = match put.bytes() {
        body if body.is_empty() => Some("nothing"),
        body if *body == image.bytes => Some("manifest"),
        body if body.as_ref() == b"OK" => Some("text"),
        _ => None,
    };
    if let Some(echo) = echo {
        notes.see("manifests.echo", echo);
    }
    let stored_etag = put.header_if_any("etag")?;
    let etag = registry.get(&image.path()).send()?.header_if_any("etag")?;
    let form = match etag.as_deref() {
        None => Some("absent"),
        Some(etag) if etag == format!("\"{digest}\"") => Some("digest"),
        Some(etag) if !etag.contains('"') => Some("unquoted"),
        Some(_) => None,
    };
    if let Some(form) = form {
        notes.see("manifests.etag", form);
        if form != "absent" {
            notes.see("manifests.etag-when-stored", stored_etag.is_some());
        }
    }
    Ok(())
}

/// Pushes a manifest with a missing layer.
fn missing(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let layer = registry.blob(100).descriptor("application/vnd.oci.image.layer.v1.tar");
    let image = registry.image(|image| image["layers"] = json!([layer]))?;
    let put = registry.put_document(&image, &registry.tag())?;
    let word = match (put.code(), put.error_codes().first().map(String::as_str)) {
        _ if put.is_success() => "unchecked",
        (400, Some("MANIFEST_BLOB_UNKNOWN")) => "manifest-blob-unknown",
        (404, Some("MANIFEST_BLOB_UNKNOWN")) => "manifest-blob-unknown-not-found",
        (400, Some("BLOB_UNKNOWN")) => "blob-unknown",
        (404, Some("BLOB_UNKNOWN")) => "blob-unknown-not-found",
        (400, Some("MANIFEST_INVALID")) => "manifest-invalid",
        _ => return Ok(()),
    };
    notes.see("manifests.missing-reference", word);
    Ok(())
}

/// Pushes a document. Returns the status if it is refused.
fn refused(notes: &Notes<'_, '_>, document: &Document) -> Result<Option<u16>, Stop> {
    let put = notes.registry.put_document(document, &notes.registry.tag())?;
    Ok((!put.is_success()).then(|| put.code()))
}

fn subject(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let absent = notes.registry.image(|_| {})?;
    let there = notes.registry.stored_image()?;
    let to = |subject: &Document| {
        let descriptor = subject.descriptor();
        notes.registry.image(|image| image["subject"] = descriptor)
    };
    let (one, other) = (to(&there)?, to(&absent)?);
    if refused(notes, &one)?.is_none() {
        let answer = refused(notes, &other)?;
        notes.see("manifests.subject-must-exist", answer.is_some());
    }
    Ok(())
}

fn media_type(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let image = registry.image(|image| drop(image.as_object_mut().map(|image| image.remove("mediaType"))))?;
    let answer = refused(notes, &image)?;
    if matches!(answer, None | Some(405)) {
        notes.see("manifests.media-type-required", answer.is_some());
    }
    let image = registry.image(|_| {})?;
    let put = registry.put(&format!("manifests/{}", registry.tag())).body("application/x-longshore", image.bytes);
    let put = put.send()?;
    if put.is_success() {
        registry.leaves(Left::Manifest(registry.repository().clone(), image.digest.to_string()));
    } else {
        notes.see("manifests.unknown-type", put.code());
    }
    Ok(())
}

/// Pushes an artifact with `artifactType`.
fn artifact(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let kind = json!("application/vnd.longshore.probe.v1");
    let answer = refused(notes, &notes.registry.image(|image| image["artifactType"] = kind)?)?;
    notes.see("manifests.artifacts-refused", json!(answer));
    Ok(())
}

fn empty_config(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let blob = Blob::of("{}", Algorithm::Sha256);
    registry.store(registry.repository(), &blob)?;
    let config = blob.descriptor(MediaType::OCI_EMPTY);
    let answer = refused(notes, &registry.image(|image| image["config"] = config)?)?;
    notes.see("manifests.empty-config-refused", answer.is_some());
    Ok(())
}

fn no_layers(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let answer = refused(notes, &notes.registry.image(|image| image["layers"] = json!([]))?)?;
    notes.see("manifests.no-layers-refused", answer.is_some());
    Ok(())
}

/// Pushes an OCI image with a Docker layer.
fn mixed(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let docker = json!("application/vnd.docker.image.rootfs.diff.tar.gzip");
    let answer = refused(notes, &notes.registry.image(|image| image["layers"][0]["mediaType"] = docker)?)?;
    notes.see("manifests.mixed-types-refused", answer.is_some());
    Ok(())
}

/// Moves a tag to another image, and from an image to an index.
fn moved_tag(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (image, tag) = registry.tagged_image()?;
    let put = registry.put_document(&registry.image(|_| {})?, &tag)?;
    if !put.is_success() {
        let code = put.error_codes().first().cloned().unwrap_or_default();
        let same = registry.put_document(&image, &tag)?.is_success();
        notes.see("manifests.immutable-tags", json!({ "status": put.code(), "code": code, "same-is-fine": same }));
        return Ok(());
    }
    notes.see("manifests.immutable-tags", Value::Null);
    let index = registry.index(&[&image], |_| {});
    if refused(notes, &index)?.is_none() {
        let put = registry.put_document(&index, &tag)?;
        notes.see("manifests.type-change-refused", !put.is_success());
    }
    Ok(())
}

fn conditions(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (_, tag) = registry.tagged_image()?;
    let image = registry.image(|_| {})?;
    let put = registry.put(&format!("manifests/{tag}")).header("if-match", "\"stale\"");
    let put = put.body(&image.media_type, image.bytes.clone()).send()?;
    registry.leaves(Left::Manifest(registry.repository().clone(), image.digest.to_string()));
    if put.is_success() || put.code() == 412 {
        notes.see("manifests.conditions", put.code() == 412);
    }
    Ok(())
}

fn tag_parameters(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (image, tag) = (registry.image(|_| {})?, registry.tag());
    let put = registry.put(&image.path()).query("tag", &tag).body(&image.media_type, image.bytes.clone()).send()?;
    registry.leaves(Left::Manifest(registry.repository().clone(), image.digest.to_string()));
    if put.is_success() {
        notes.see("manifests.tag-parameters", put.header_values("oci-tag").contains(&tag));
    }
    Ok(())
}

fn bad_reference(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let image = registry.image(|_| {})?;
    let put = registry.put_document(&image, ".not-a-tag")?;
    if matches!(put.code(), 400 | 404) {
        notes.see("manifests.bad-reference", put.code());
    }
    // Below 500 it is a matter of codes and of routes, which no switch has.
    let put = registry.put_document(&image, "sha256:no-digest")?.code();
    notes.see("manifests.bad-digest", if put < 500 { json!("as-tag") } else { json!({ "refused": put }) });
    Ok(())
}
