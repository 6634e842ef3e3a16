//! Several clients at once.

use super::super::content::{Blob, Document};
use super::super::received::Received;
use super::super::requirement::{Requirement, must, should};
use super::super::stop::Stop;
use super::super::tested::Left;
use super::super::version::Version;

const DEDUPLICATION: (&str, &str) = ("end-6", "layer-upload-de-duplication");
const BLOBS: (&str, &str) = ("end-6", "pushing-blobs");
const CHUNKS: (&str, &str) = ("end-5", "pushing-a-blob-in-chunks");
const MANIFESTS: (&str, &str) = ("end-7a", "pushing-manifests");

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "concurrency-same-blob",
        DEDUPLICATION,
        "The same blob may be uploaded twice at once",
        "If process A and B upload the same layer at the same time, both operations will proceed and the first to complete will be stored in the registry.",
        |registry| {
            let blob = registry.blob(4000);
            let uploads = [registry.upload()?, registry.upload()?];
            let requests = uploads.iter().map(|upload| upload.close_whole(&blob));
            for received in registry.send_at_once(requests)? {
                received.done()?;
            }
            for upload in uploads {
                upload.became(blob.digest);
            }
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "concurrency-many-blobs",
        BLOBS,
        "Eight blobs may be uploaded at once",
        "A unique session ID for the upload to follow: uploads do not hinder each other.",
        |registry| {
            let blobs: Vec<Blob> = (0..8).map(|_| registry.blob(4000)).collect();
            let mut uploads = Vec::new();
            for _ in &blobs {
                uploads.push(registry.upload()?);
            }
            let pairs = uploads.iter().zip(&blobs);
            let requests = pairs.map(|(upload, blob)| upload.close_whole(blob));
            for received in registry.send_at_once(requests)? {
                received.done()?;
            }
            for (upload, blob) in uploads.into_iter().zip(&blobs) {
                upload.became(blob.digest);
                registry.serves(&blob.path(), &blob.bytes)?;
            }
            Ok(())
        },
    ),
    must(
        "concurrency-same-chunk",
        CHUNKS,
        "Of two equal chunks at once, at most one is taken",
        "Chunks MUST be uploaded in order. If a chunk is uploaded out of order, the registry MUST respond with a 416.",
        |registry| {
            let (chunk, upload) = (registry.text(1000), registry.upload()?);
            let requests = [upload.chunk(0, chunk.clone()), upload.chunk(0, chunk)];
            let taken = registry.send_at_once(requests)?.iter().filter(|received| received.is_success()).count();
            if taken <= 1 { Ok(()) } else { Err(Stop::failed("at most one that is taken", taken)) }
        },
    ),
    must(
        "concurrency-same-tag",
        MANIFESTS,
        "Of two manifests that are pushed under one tag at once, the tag names one",
        "The registry MUST store the manifest in the exact byte representation provided by the client.",
        |registry| {
            let (one, two, tag) = (registry.image(|_| {})?, registry.image(|_| {})?, registry.tag());
            let path = format!("manifests/{tag}");
            let put = |image: &Document| registry.put(&path).body(&image.media_type, image.bytes.clone());
            let received = registry.send_at_once([put(&one), put(&two)])?;
            for image in [&one, &two] {
                registry.leaves(Left::Manifest(registry.repository().clone(), image.digest.to_string()));
            }
            if !received.iter().any(Received::is_success) {
                return Err(Stop::failed("one that is taken", "none"));
            }
            let got = registry.get(&path).send()?.status(200)?;
            match *got.bytes() == one.bytes || *got.bytes() == two.bytes {
                true => Ok(()),
                false => Err(got.fail("one of the two manifests", format!("{} other bytes", got.bytes().len()))),
            }
        },
    ),
    must(
        "concurrency-many-tags",
        MANIFESTS,
        "Eight tags of a manifest that are pushed at once are all there",
        "Upon a successful upload, the registry MUST return response code 201 Created.",
        |registry| {
            let image = registry.stored_image()?;
            let tags: Vec<String> = (0..8).map(|_| registry.tag()).collect();
            let put = |tag: &String| {
                registry.put(&format!("manifests/{tag}")).body(&image.media_type, image.bytes.clone())
            };
            for received in registry.send_at_once(tags.iter().map(put))? {
                received.done()?;
            }
            for tag in tags {
                registry.get(&format!("manifests/{tag}")).send()?.status(200)?;
            }
            Ok(())
        },
    ),
    must(
        "concurrency-read-while-written",
        MANIFESTS,
        "A manifest that is read while it is pushed again is whole",
        "A GET request to an existing manifest URL MUST provide the expected manifest.",
        |registry| {
            let (image, tag) = registry.tagged_image()?;
            let path = format!("manifests/{tag}");
            let mut requests = vec![registry.put(&path).body(&image.media_type, image.bytes.clone())];
            requests.extend((0..4).map(|_| registry.get(&path)));
            for received in registry.send_at_once(requests)?.into_iter().skip(1) {
                received.status(200)?.body(&image.bytes)?;
            }
            Ok(())
        },
    ),
    must(
        "concurrency-referrers",
        ("end-12a", "enabling-the-referrers-api"),
        "Six referrers of a manifest that are pushed at once are all listed",
        "After the referrers API is enabled, registries MUST include all newly pushed image manifests with a valid subject field in the referrers API response.",
        |registry| {
            let subject = registry.stored_image()?;
            let path = format!("referrers/{}", subject.digest);
            if registry.get(&path).send()?.code() != 200 {
                return Err(Stop::unsupported("there is no referrers API"));
            }
            let mut referrers = Vec::new();
            for _ in 0..6 {
                referrers.push(registry.image(|image| image["subject"] = subject.descriptor())?);
            }
            let put = |image: &Document| registry.put(&image.path()).body(&image.media_type, image.bytes.clone());
            for received in registry.send_at_once(referrers.iter().map(put))? {
                received.done()?;
            }
            for image in &referrers {
                registry.leaves(Left::Manifest(registry.repository().clone(), image.digest.to_string()));
            }
            let listed = registry.get(&path).send()?.status(200)?;
            let found = listed.json()?["manifests"].as_array().map_or(0, Vec::len);
            if found == 6 { Ok(()) } else { Err(listed.fail("six referrers", found)) }
        },
    )
    .since(Version::V1_1),
    should(
        "concurrency-deletion",
        ("end-9", "deleting-manifests"),
        "Of two deletions of a manifest at once, one is answered with 202, the other with 202 or 404",
        "Upon success, the registry MUST respond with a 202 Accepted code.",
        |registry| {
            let image = registry.stored_image()?;
            let path = image.path();
            let received = registry.send_at_once([registry.delete(&path), registry.delete(&path)])?;
            if received.iter().all(|received| matches!(received.code(), 400 | 401 | 403 | 405)) {
                return Err(Stop::unsupported("nothing is deleted"));
            }
            for received in received {
                received.status_of(&[202, 404])?;
            }
            registry.get(&path).send()?.status(404).map(drop)
        },
    ),
    should(
        "concurrency-mounts",
        ("end-11", "mounting-a-blob-from-another-repository"),
        "A blob may be mounted four times at once",
        "The response to a successful mount MUST be 201 Created; if it cannot be mounted, it SHOULD return a 202.",
        |registry| {
            let blob = registry.stored_blob(200)?;
            let mount = || {
                let post = registry.request(http::Method::POST, registry.second(), "blobs/uploads/");
                let post = post.query("mount", blob.digest.to_string()).query("from", registry.repository().as_str());
                post.reading(registry.repository())
            };
            for received in registry.send_at_once((0..4).map(|_| mount()))? {
                let received = received.status_of(&[201, 202])?;
                match received.code() {
                    202 => registry.opened(registry.second(), &received).map(drop)?,
                    _ => registry.leaves(Left::Blob(registry.second().clone(), blob.digest.to_string())),
                }
            }
            Ok(())
        },
    ),
];
