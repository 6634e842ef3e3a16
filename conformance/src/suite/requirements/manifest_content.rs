//! The manifests that a registry must accept: all that the image specification allows. `end-7a`.

use http::Method;
use longshore_core::{Algorithm, MediaType};
use serde_json::{Value, json};

use super::super::content::{Blob, Document};
use super::super::requirement::{Requirement, may, must, should};
use super::super::stop::Stop;
use super::super::tested::TestedRegistry;
use super::super::version::Version;

const PUSH: (&str, &str) = ("end-7a", "pushing-manifests");
const IMAGE: (&str, &str) = ("end-7a", "https://github.com/opencontainers/image-spec/blob/main/manifest.md");
const INDEX: (&str, &str) = ("end-7a", "https://github.com/opencontainers/image-spec/blob/main/image-index.md");
const DESCRIPTOR: (&str, &str) = ("end-7a", "https://github.com/opencontainers/image-spec/blob/main/descriptor.md");
const LIMIT: (&str, &str) = ("end-7a", "pushing-manifests");

/// The empty JSON object: the config of an artifact without a config.
const EMPTY: &str = "{}";

/// Checks that a document is accepted with 201, and is served unchanged.
fn is_taken(registry: &TestedRegistry<'_>, document: &Document) -> Result<(), Stop> {
    registry.put_document(document, &document.digest.to_string())?.done()?;
    let get = registry.get(&document.path()).header("accept", &document.media_type);
    get.send()?.status(200)?.body(&document.bytes).map(drop)
}

/// Stores the empty config in the first repository.
fn empty_config(registry: &TestedRegistry<'_>) -> Result<Value, Stop> {
    let blob = Blob::of(EMPTY, Algorithm::Sha256);
    registry.store(registry.repository(), &blob)?;
    Ok(blob.descriptor(MediaType::OCI_EMPTY))
}

/// An image manifest of this many bytes.
fn image_of(registry: &TestedRegistry<'_>, len: usize) -> Result<Document, Stop> {
    let short = registry.image(|image| image["annotations"]["org.longshore.fill"] = json!(""))?;
    let text = String::from_utf8_lossy(&short.bytes);
    let fill = "x".repeat(len.saturating_sub(text.len()));
    let long = text.replacen("\"org.longshore.fill\":\"\"", &format!("\"org.longshore.fill\":\"{fill}\""), 1);
    Ok(Document::of_bytes(&short.media_type, long, Algorithm::Sha256))
}

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must("manifest-content-image", IMAGE, "An image is taken", "This section defines the application/vnd.oci.image.manifest.v1+json media type.", |registry| {
        is_taken(registry, &registry.image(|_| {})?)
    }),
    must(
        "manifest-content-index",
        INDEX,
        "An index of two images is taken",
        "This section defines the application/vnd.oci.image.index.v1+json media type.",
        |registry| {
            let (one, two) = (registry.stored_image()?, registry.stored_image()?);
            is_taken(registry, &registry.index(&[&one, &two], |_| {}))
        },
    ),
    must(
        "manifest-content-index-by-tag",
        INDEX,
        "GET of an index by a tag has its type as Content-Type",
        "In a successful response, the Content-Type header will indicate the type of the returned manifest.",
        |registry| {
            let (one, tag) = (registry.stored_image()?, registry.tag());
            let index = registry.index(&[&one], |_| {});
            registry.store_tagged(&index, &tag)?;
            let get = registry.get(&format!("manifests/{tag}")).header("accept", MediaType::OCI_INDEX);
            get.send()?.status(200)?.says("content-type", MediaType::OCI_INDEX)?.body(&index.bytes).map(drop)
        },
    ),
    must(
        "manifest-content-index-empty",
        INDEX,
        "An index without a manifest is taken",
        "manifests: this REQUIRED property contains a list of manifests for specific platforms. While this property MUST be present, the size of the array MAY be zero.",
        |registry| is_taken(registry, &registry.index(&[], |_| {})),
    ),
    should(
        "manifest-content-index-nested",
        INDEX,
        "An index of an index is taken",
        "Image indexes concerned with portability SHOULD use application/vnd.oci.image.manifest.v1+json; also, implementations SHOULD support application/vnd.oci.image.index.v1+json (nested index).",
        |registry| {
            let one = registry.stored_image()?;
            let inner = registry.index(&[&one], |_| {});
            registry.store_document(&inner)?;
            is_taken(registry, &registry.index(&[&inner], |_| {}))
        },
    ),
    may(
        "manifest-content-index-sparse",
        ("end-7a", "push"),
        "An index with a manifest that is not there is taken, or refused with 400 or 404",
        "A registry MAY reject a manifest with descriptors that reference a manifest that does not exist. When rejected for this reason, it MUST result in one or more MANIFEST_BLOB_UNKNOWN errors.",
        |registry| {
            let (there, absent) = (registry.stored_image()?, registry.image(|_| {})?);
            let index = registry.index(&[&there, &absent], |_| {});
            let put = registry.put_document(&index, &index.digest.to_string())?;
            match put.is_success() {
                true => registry.serves(&index.path(), &index.bytes),
                false => put.status_of(&[400, 404]).map(drop),
            }
        },
    ),
    must(
        "manifest-content-artifact",
        IMAGE,
        "An artifact with an artifactType and an empty config is taken",
        "artifactType: this OPTIONAL property contains the type of an artifact when the manifest is used for an artifact.",
        |registry| {
            let config = empty_config(registry)?;
            let artifact = registry.image(|image| {
                image["config"] = config;
                image["artifactType"] = json!("application/vnd.longshore.conformance.v1");
            })?;
            is_taken(registry, &artifact)
        },
    )
    .since(Version::V1_1),
    must(
        "manifest-content-artifact-config",
        IMAGE,
        "An artifact that is told by the type of its config is taken",
        "Implementations MUST NOT error on encountering a config.mediaType that is unknown to them.",
        |registry| {
            let config = registry.stored_blob(100)?;
            let config = config.descriptor("application/vnd.longshore.conformance.config.v1+json");
            is_taken(registry, &registry.image(|image| image["config"] = config)?)
        },
    ),
    must(
        "manifest-content-artifact-index",
        INDEX,
        "An index with an artifactType is taken",
        "artifactType: this OPTIONAL property contains the type of an artifact when the manifest is used for an artifact.",
        |registry| {
            let one = registry.stored_image()?;
            let kind = json!("application/vnd.longshore.conformance.v1");
            is_taken(registry, &registry.index(&[&one], |index| index["artifactType"] = kind))
        },
    )
    .since(Version::V1_1),
    must(
        "manifest-content-unknown-layer-type",
        IMAGE,
        "A layer of an unknown type is taken",
        "Implementations MUST NOT error on encountering a layer mediaType that is unknown to them.",
        |registry| {
            let layer = registry.stored_blob(100)?.descriptor("application/vnd.longshore.conformance.layer.v1");
            is_taken(registry, &registry.image(|image| image["layers"] = json!([layer]))?)
        },
    ),
    should(
        "manifest-content-no-layers",
        PUSH,
        "An image without layers is taken",
        "The uploaded manifest MUST reference any blobs that make up the object. However, the list of blobs MAY be empty.",
        |registry| is_taken(registry, &registry.image(|image| image["layers"] = json!([]))?),
    ),
    must(
        "manifest-content-custom-fields",
        ("end-7a", "https://github.com/opencontainers/image-spec/blob/main/considerations.md#extensibility"),
        "An image with fields that nobody knows is taken, and they stay",
        "Implementations that are reading/processing manifests or image indexes MUST NOT generate an error if they encounter an unknown property.",
        |registry| is_taken(registry, &registry.image(|image| image["org.longshore.custom"] = json!({ "a": [1, null] }))?),
    ),
    must(
        "manifest-content-data",
        DESCRIPTOR,
        "A descriptor with data is taken",
        "data: this OPTIONAL property contains an embedded representation of the referenced content.",
        |registry| {
            let mut config = empty_config(registry)?;
            config["data"] = json!("e30=");
            is_taken(registry, &registry.image(|image| image["config"] = config)?)
        },
    ),
    must(
        "manifest-content-no-media-type",
        PUSH,
        "An image that does not say its mediaType is taken",
        "All manifests SHOULD include a mediaType field: they need not.",
        |registry| {
            let image = registry.image(|image| drop(image.as_object_mut().map(|image| image.remove("mediaType"))))?;
            is_taken(registry, &image)
        },
    ),
    may(
        "manifest-content-nondistributable",
        ("end-7a", "https://github.com/opencontainers/image-spec/blob/main/layer.md#non-distributable-layers"),
        "An image with a nondistributable layer that is not there is taken",
        "Non-distributable layers SHOULD be tagged with an alternative mediatype; implementations SHOULD NOT upload layers tagged with this media type.",
        |registry| {
            let layer = registry.blob(100).descriptor("application/vnd.oci.image.layer.nondistributable.v1.tar");
            let image = registry.image(|image| image["layers"] = json!([layer]))?;
            let put = registry.put_document(&image, &image.digest.to_string())?;
            match put.code() {
                400 | 404 => Err(Stop::unsupported("it is refused")),
                _ => put.done().map(drop),
            }
        },
    ),
    may(
        "manifest-content-docker",
        ("end-7a", "https://distribution.github.io/distribution/spec/manifest-v2-2/"),
        "An image of Docker's type is taken",
        "application/vnd.docker.distribution.manifest.v2+json: the schema before the image specification's.",
        |registry| {
            let mut content: Value = serde_json::from_slice(&registry.image(|_| {})?.bytes).unwrap_or_default();
            content["mediaType"] = json!(MediaType::DOCKER_MANIFEST);
            content["config"]["mediaType"] = json!("application/vnd.docker.container.image.v1+json");
            content["layers"][0]["mediaType"] = json!("application/vnd.docker.image.rootfs.diff.tar.gzip");
            drop(content.as_object_mut().map(|content| content.remove("annotations")));
            let image = Document::of(MediaType::DOCKER_MANIFEST, &content);
            let put = registry.put_document(&image, &registry.tag())?;
            match put.code() {
                400 | 415 => Err(Stop::unsupported("Docker's types are not taken")),
                _ => put.done().map(drop),
            }
        },
    ),
    should(
        "manifest-content-4-mib",
        LIMIT,
        "An image of 4,000,000 bytes is taken",
        "Client and registry implementations SHOULD expect to be able to support manifest pushes of at least 4 megabytes.",
        |registry| is_taken(registry, &image_of(registry, 4_000_000)?),
    ),
    should(
        "manifest-content-too-large",
        LIMIT,
        "A manifest of 16 MiB is refused with 413",
        "A registry that enforces a limit SHOULD respond to a request to push a manifest over this limit with a response code 413 Payload Too Large.",
        |registry| {
            let image = image_of(registry, 16 << 20)?;
            let put = registry.put_document(&image, &image.digest.to_string())?;
            match put.is_success() {
                true => Err(Stop::unsupported("16 MiB are taken")),
                false => put.status(413).map(drop),
            }
        },
    ),
    must(
        "manifest-content-many-layers",
        IMAGE,
        "An image that has the same layer a hundred times is taken",
        "layers: each item in the array MUST be a descriptor. Nothing says that one may not come again.",
        |registry| {
            is_taken(registry, &registry.image(|image| {
                let layer = image["layers"][0].clone();
                image["layers"] = json!(vec![layer; 100]);
            })?)
        },
    ),
    must(
        "manifest-content-unicode",
        PUSH,
        "An image with annotations in many scripts comes back as it was",
        "The registry MUST store the manifest in the exact byte representation provided by the client.",
        |registry| {
            let text = json!("Ladung, cargaison, 貨物, груз, حمولة \u{1f6a2}");
            is_taken(registry, &registry.image(|image| image["annotations"]["org.longshore.text"] = text)?)
        },
    ),
    must(
        "manifest-content-head-index",
        ("end-3", "checking-if-content-exists-in-the-registry"),
        "HEAD of an index answers 200 with its type and its length",
        "A successful response MUST contain the size in bytes of the uploaded blob or manifest in the header Content-Length.",
        |registry| {
            let one = registry.stored_image()?;
            let index = registry.index(&[&one], |_| {});
            registry.store_document(&index)?;
            let head = registry.request(Method::HEAD, registry.repository(), &index.path());
            let head = head.header("accept", MediaType::OCI_INDEX).send()?.status(200)?;
            head.says("content-length", &index.bytes.len().to_string())?.says("content-type", MediaType::OCI_INDEX)?;
            Ok(())
        },
    ),
];
