//! Images to push. Each is built from a plan, which can be printed and shrunk.

use bytes::Bytes;
use longshore_core::{Algorithm, Digest, Manifest, MediaType};
use serde_json::{Value, json};

/// The plan of an image. References are numbers, taken modulo the number of blobs or documents, so every plan can be built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The blobs; at least one.
    pub blobs: Vec<BlobPlan>,
    /// The documents, children before parents. The last one is the root; it refers to all documents that no other one refers
    /// to.
    pub documents: Vec<DocumentPlan>,
    /// The number of artifacts attached to the root. They go in the same push, after it.
    pub attached: usize,
}

/// The plan of a blob. Equal plans give equal bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobPlan {
    /// Its length in bytes.
    pub len: usize,
    /// The seed of its bytes.
    pub fill: u8,
    /// Whether its digest is a SHA-512.
    pub sha512: bool,
}

/// The plan of a document: a manifest or an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentPlan {
    /// The numbers of the blobs that are its config and layers. Empty for an index.
    pub blobs: Vec<usize>,
    /// The numbers of the earlier documents that it lists, if it is an index.
    pub children: Vec<usize>,
    /// Whether it has Docker's media types.
    pub docker: bool,
    /// Its subject.
    pub subject: Subject,
}

/// The subject of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// It has none.
    None,
    /// An earlier document.
    Document(usize),
    /// A manifest that does not exist.
    Absent,
}

/// An image, ready to be pushed.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its blobs, each under its key.
    pub blobs: Vec<Content>,
    /// Its manifests without the root. Their order has no meaning.
    pub manifests: Vec<Manifest>,
    /// The manifest that the tags name.
    pub root: Manifest,
}

/// The content of a blob.
#[derive(Debug, Clone)]
pub struct Content {
    /// Its bytes.
    pub bytes: Bytes,
    /// Their digest.
    pub digest: Digest,
}

impl Content {
    fn of(plan: &BlobPlan) -> Self {
        let BlobPlan { len, fill, sha512 } = *plan;
        // Bytes that differ from place to place, so that one which is lost, doubled or moved changes the digest.
        let bytes: Bytes = (0..len).map(|at| (at % 251) as u8 ^ (at / 251) as u8 ^ fill.wrapping_mul(37)).collect();
        let algorithm = if sha512 { Algorithm::Sha512 } else { Algorithm::Sha256 };
        Self { digest: Digest::of(algorithm, &bytes), bytes }
    }

    fn descriptor(&self, media_type: &str) -> Value {
        json!({ "mediaType": media_type, "digest": self.digest.to_string(), "size": self.bytes.len() })
    }
}

impl Image {
    /// Builds the image of a plan.
    ///
    /// # Panics
    /// If the plan has no blob or no document.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let blobs: Vec<Content> = plan.blobs.iter().map(Content::of).collect();
        let mut documents: Vec<Manifest> = Vec::new();
        for (index, document) in plan.documents.iter().enumerate() {
            let is_root = index + 1 == plan.documents.len();
            let manifest = if index == 0 || (document.children.is_empty() && !is_root) {
                image(document, &blobs, &documents)
            } else {
                let mut children: Vec<usize> = document.children.iter().map(|child| child % index).collect();
                if is_root {
                    let own = children.clone();
                    children.extend(orphans(&plan.documents, index).filter(|orphan| !own.contains(orphan)));
                }
                index_of(document, &children, &documents)
            };
            documents.push(manifest);
        }
        let root = documents.pop().expect("a plan has a document");
        for number in 0..plan.attached {
            documents.push(artifact(number, &blobs, &root));
        }
        Self { blobs, manifests: documents, root }
    }

    /// All manifests, the root last.
    pub fn all_manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.iter().chain(std::iter::once(&self.root))
    }
}

/// The documents before `root` that no other index lists.
fn orphans(documents: &[DocumentPlan], root: usize) -> impl Iterator<Item = usize> {
    let is_index = |(index, document): &(usize, &DocumentPlan)| *index > 0 && !document.children.is_empty();
    let before = documents.iter().enumerate().take(root);
    let listed: Vec<usize> = before
        .filter(is_index)
        .flat_map(|(index, document)| document.children.iter().map(move |c| c % index))
        .collect();
    (0..root).filter(move |index| !listed.contains(index))
}

fn image(plan: &DocumentPlan, blobs: &[Content], before: &[Manifest]) -> Manifest {
    let (manifest, config, layer) = match plan.docker {
        false => (MediaType::OCI_MANIFEST, MediaType::OCI_CONFIG, MediaType::OCI_LAYER_GZIP),
        true => {
            (MediaType::DOCKER_MANIFEST, MediaType::DOCKER_CONFIG, "application/vnd.docker.image.rootfs.diff.tar.gzip")
        }
    };
    let mut given = plan.blobs.iter().map(|blob| &blobs[blob % blobs.len()]);
    let first = given.next().unwrap_or(&blobs[0]);
    let layers: Vec<Value> = given.map(|blob| blob.descriptor(layer)).collect();
    let mut document = json!({
        "schemaVersion": 2, "mediaType": manifest, "config": first.descriptor(config), "layers": layers
    });
    if !plan.docker {
        add_subject(&mut document, plan.subject, before);
    }
    parse(&document)
}

fn index_of(plan: &DocumentPlan, children: &[usize], before: &[Manifest]) -> Manifest {
    let entries: Vec<Value> = children.iter().map(|child| descriptor(&before[*child])).collect();
    let media_type = if plan.docker { MediaType::DOCKER_LIST } else { MediaType::OCI_INDEX };
    let mut document = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries });
    if !plan.docker {
        add_subject(&mut document, plan.subject, before);
    }
    parse(&document)
}

/// An artifact attached to the root.
fn artifact(number: usize, blobs: &[Content], root: &Manifest) -> Manifest {
    let blob = &blobs[number % blobs.len()];
    let config = if number.is_multiple_of(2) { "application/vnd.example.config" } else { MediaType::OCI_EMPTY };
    parse(&json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OCI_MANIFEST,
        "artifactType": "application/vnd.example.signature",
        "config": blob.descriptor(config),
        "layers": [],
        "subject": descriptor(root),
        "annotations": { "org.example.number": number.to_string() },
    }))
}

fn add_subject(document: &mut Value, subject: Subject, before: &[Manifest]) {
    document["subject"] = match subject {
        Subject::Document(number) if !before.is_empty() => descriptor(&before[number % before.len()]),
        Subject::None | Subject::Document(_) => return,
        Subject::Absent => json!({
            "mediaType": MediaType::OCI_MANIFEST, "digest": Digest::of(Algorithm::Sha256, b"absent").to_string(), "size": 6
        }),
    };
}

fn descriptor(manifest: &Manifest) -> Value {
    json!({
        "mediaType": manifest.media_type().as_str(),
        "digest": manifest.digest().to_string(),
        "size": manifest.bytes().len(),
    })
}

fn parse(document: &Value) -> Manifest {
    Manifest::parse(document.to_string()).expect("what is built here is a manifest")
}
