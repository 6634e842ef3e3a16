//! Content management: `end-9` and `end-10`.

use http::Method;

use super::super::received::Received;
use super::super::requirement::{Requirement, must, should};
use super::super::stop::Stop;

const TAG: (&str, &str) = ("end-9", "deleting-tags");
const MANIFEST: (&str, &str) = ("end-9", "deleting-manifests");
const BLOB: (&str, &str) = ("end-10", "deleting-blobs");

/// The answer to a deletion; unsupported if deletion is disabled, which the specification allows.
fn done<'c, 'a>(deleted: Received<'c, 'a>) -> Result<Received<'c, 'a>, Stop> {
    match deleted.code() {
        400 | 405 => Err(Stop::unsupported(format!("it is switched off: {}", deleted.summary()))),
        401 | 403 => Err(Stop::unsupported(format!("the credentials do not allow it: {}", deleted.summary()))),
        _ => Ok(deleted),
    }
}

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "deletion-tag",
        TAG,
        "DELETE of a tag answers 202, or 400 or 405 where that is switched off",
        "Upon success, the registry MUST respond with a 202 Accepted code. If tag deletion is disabled, the registry MUST respond with either a 400 Bad Request or a 405 Method Not Allowed.",
        |registry| {
            let (_, tag) = registry.tagged_image()?;
            done(registry.delete(&format!("manifests/{tag}")).send()?)?.status(202)?;
            Ok(())
        },
    ),
    must(
        "deletion-tag-gone",
        TAG,
        "A tag that was deleted is gone",
        "Once deleted, a GET to /v2/<name>/manifests/<tag> will return a 404.",
        |registry| {
            let (_, tag) = registry.tagged_image()?;
            let path = format!("manifests/{tag}");
            let deleted = done(registry.delete(&path).send()?)?;
            if !deleted.is_success() {
                return Err(Stop::NotPrepared(deleted.summary()));
            }
            registry.get(&path).send()?.status(404).map(drop)
        },
    ),
    must(
        "deletion-tag-manifest-stays",
        TAG,
        "The manifest of a tag that was deleted stays",
        "<tag> is the name of the tag to be deleted: the tag, and not what it names.",
        |registry| {
            let (image, tag) = registry.tagged_image()?;
            let other = registry.tag();
            registry.store_tagged(&image, &other)?;
            let deleted = done(registry.delete(&format!("manifests/{tag}")).send()?)?;
            if !deleted.is_success() {
                return Err(Stop::NotPrepared(deleted.summary()));
            }
            registry.get(&format!("manifests/{other}")).send()?.status(200)?.body(&image.bytes).map(drop)
        },
    ),
    must(
        "deletion-tag-not-listed",
        TAG,
        "A tag that was deleted is no longer listed",
        "Once deleted, a GET to /v2/<name>/manifests/<tag> will return a 404.",
        |registry| {
            registry.shared_image()?;
            let (_, tag) = registry.tagged_image()?;
            let deleted = done(registry.delete(&format!("manifests/{tag}")).send()?)?;
            if !deleted.is_success() {
                return Err(Stop::NotPrepared(deleted.summary()));
            }
            let last = &tag[..tag.len() - 1];
            let received = registry.get("tags/list").query("n", "10").query("last", last).send()?.status(200)?;
            let listed = received.json()?["tags"].as_array().is_some_and(|tags| tags.contains(&tag.clone().into()));
            if listed { Err(received.fail(format!("a list without {tag}"), "it is listed")) } else { Ok(()) }
        },
    ),
    should(
        "deletion-tag-absent",
        TAG,
        "DELETE of a tag that is not there answers 404",
        "end-9: failure 404/400/405.",
        |registry| {
            registry.shared_image()?;
            let deleted = registry.delete(&format!("manifests/{}", registry.tag())).send()?;
            done(deleted)?.status(404)?;
            Ok(())
        },
    ),
    must(
        "deletion-manifest",
        MANIFEST,
        "DELETE of a manifest answers 202, or 400 or 405 where that is switched off",
        "Upon success, the registry MUST respond with a 202 Accepted code. If manifest deletion is disabled, the registry MUST respond with either a 400 Bad Request or a 405 Method Not Allowed.",
        |registry| {
            let image = registry.stored_image()?;
            done(registry.delete(&image.path()).send()?)?.status(202)?;
            Ok(())
        },
    ),
    must(
        "deletion-manifest-gone",
        MANIFEST,
        "A manifest that was deleted is gone",
        "Once deleted, a GET to /v2/<name>/manifests/<digest> will return a 404.",
        |registry| {
            let image = registry.stored_image()?;
            let deleted = done(registry.delete(&image.path()).send()?)?;
            if !deleted.is_success() {
                return Err(Stop::NotPrepared(deleted.summary()));
            }
            registry.get(&image.path()).send()?.status(404).map(drop)
        },
    ),
    must(
        "deletion-manifest-tags-gone",
        MANIFEST,
        "The tags of a manifest that was deleted are gone",
        "Once deleted, a GET to /v2/<name>/manifests/<digest> and any tag pointing to that digest will return a 404.",
        |registry| {
            let (image, tag) = registry.tagged_image()?;
            let deleted = done(registry.delete(&image.path()).send()?)?;
            if !deleted.is_success() {
                return Err(Stop::NotPrepared(deleted.summary()));
            }
            registry.get(&format!("manifests/{tag}")).send()?.status(404).map(drop)
        },
    ),
    must(
        "deletion-manifest-blobs-stay",
        MANIFEST,
        "The blobs of a manifest that was deleted stay, where others refer to them",
        "<digest> is the digest of the manifest to be deleted.",
        |registry| {
            let layer = registry.shared_blob()?;
            let image = registry.stored_image()?;
            let deleted = done(registry.delete(&image.path()).send()?)?;
            if !deleted.is_success() {
                return Err(Stop::NotPrepared(deleted.summary()));
            }
            registry.serves(&layer.path(), &layer.bytes)
        },
    ),
    should(
        "deletion-manifest-absent",
        MANIFEST,
        "DELETE of a manifest that is not there answers 404",
        "end-9: failure 404/400/405.",
        |registry| {
            registry.shared_image()?;
            let absent = registry.image(|_| {})?;
            done(registry.delete(&absent.path()).send()?)?.status(404)?;
            Ok(())
        },
    ),
    must(
        "deletion-manifest-absent-repository",
        MANIFEST,
        "DELETE of a manifest in a repository that is not there answers 404",
        "If the repository does not exist, the response MUST return 404 Not Found.",
        |registry| {
            let path = registry.image(|_| {})?.path();
            done(registry.request(Method::DELETE, &registry.absent(), &path).send()?)?.status(404)?;
            Ok(())
        },
    ),
    must(
        "deletion-manifest-again",
        MANIFEST,
        "A manifest that was deleted may be pushed again",
        "Upon a successful upload, the registry MUST return response code 201 Created.",
        |registry| {
            let image = registry.stored_image()?;
            let deleted = done(registry.delete(&image.path()).send()?)?;
            if !deleted.is_success() {
                return Err(Stop::NotPrepared(deleted.summary()));
            }
            registry.put_document(&image, &image.digest.to_string())?.done()?;
            registry.serves(&image.path(), &image.bytes)
        },
    ),
    must(
        "deletion-index-images-stay",
        MANIFEST,
        "The images of an index that was deleted stay",
        "<digest> is the digest of the manifest to be deleted: what it lists is not.",
        |registry| {
            let image = registry.stored_image()?;
            let index = registry.index(&[&image], |_| {});
            registry.store_document(&index)?;
            let deleted = done(registry.delete(&index.path()).send()?)?;
            if !deleted.is_success() {
                return Err(Stop::NotPrepared(deleted.summary()));
            }
            registry.serves(&image.path(), &image.bytes)
        },
    ),
    must(
        "deletion-blob",
        BLOB,
        "DELETE of a blob answers 202, or 400 or 405 where that is switched off",
        "Upon success, the registry MUST respond with code 202 Accepted. If blob deletion is disabled, the registry MUST respond with either a 400 Bad Request or a 405 Method Not Allowed.",
        |registry| {
            let blob = registry.stored_blob(100)?;
            done(registry.delete(&blob.path()).send()?)?.status(202)?;
            Ok(())
        },
    ),
    must(
        "deletion-blob-gone",
        BLOB,
        "A blob that was deleted is gone",
        "If the blob is not found in the repository, the response code MUST be 404 Not Found.",
        |registry| {
            let blob = registry.stored_blob(100)?;
            let deleted = done(registry.delete(&blob.path()).send()?)?;
            if !deleted.is_success() {
                return Err(Stop::NotPrepared(deleted.summary()));
            }
            registry.get(&blob.path()).send()?.status(404).map(drop)
        },
    ),
    must(
        "deletion-blob-absent",
        BLOB,
        "DELETE of a blob that is not there answers 404",
        "If the blob is not found, a 404 Not Found code MUST be returned.",
        |registry| {
            registry.shared_blob()?;
            let absent = registry.blob(100);
            done(registry.delete(&absent.path()).send()?)?.status(404)?;
            Ok(())
        },
    ),
    must(
        "deletion-blob-again",
        BLOB,
        "A blob that was deleted may be pushed again",
        "The response to a successful closing of the session MUST be 201 Created.",
        |registry| {
            let blob = registry.stored_blob(100)?;
            let deleted = done(registry.delete(&blob.path()).send()?)?;
            if !deleted.is_success() {
                return Err(Stop::NotPrepared(deleted.summary()));
            }
            let (upload, digest) = (registry.upload()?, blob.digest.to_string());
            upload.close(&digest).bytes(blob.bytes.clone()).send()?.done()?;
            upload.became(&digest);
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
];
