//! Images to push.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use longshore_core::{Algorithm, Descriptor, Digest, Digester, Manifest};

const CONFIG: &[u8] = br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// An image in an OCI layout.
pub(crate) struct Content {
    pub(crate) what: &'static str,
    pub(crate) layout: PathBuf,
    /// The files of its layers.
    pub(crate) layers: Vec<PathBuf>,
}

impl Content {
    /// Makes an image of so many layers of so many bytes each, which nothing could compress.
    pub(crate) fn make(folder: &Path, what: &'static str, layers: u64, len: u64) -> Self {
        let layout = folder.join(format!("{layers}x{len}"));
        let blobs = layout.join("blobs").join("sha256");
        fs::create_dir_all(&blobs).expect("there is room for a layout");
        let config = blob(&blobs, CONFIG_TYPE, CONFIG);
        let layers: Vec<Descriptor> = (0..layers).map(|number| layer(&blobs, number, len)).collect();
        let files = layers.iter().map(|layer| blobs.join(layer.digest.hex())).collect();
        let manifest = Manifest::image(config, layers).build().expect("it is an image");
        fs::write(blobs.join(manifest.digest().hex()), manifest.bytes()).expect("there is room for a manifest");
        let root = serde_json::json!({
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": manifest.digest().to_string(),
            "size": manifest.bytes().len(),
            "annotations": { "org.opencontainers.image.ref.name": "v1" },
        });
        let index = serde_json::json!({ "schemaVersion": 2, "manifests": [root] });
        fs::write(layout.join("index.json"), index.to_string()).expect("there is room for an index");
        fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).expect("there is room for a word");
        Self { what, layout, layers: files }
    }
}

fn blob(blobs: &Path, media_type: &str, bytes: &[u8]) -> Descriptor {
    let digest = Digest::of(Algorithm::Sha256, bytes);
    fs::write(blobs.join(digest.hex()), bytes).expect("there is room for a blob");
    Descriptor::new(media_type.parse().expect("it is a media type"), digest, bytes.len() as u64)
}

fn layer(blobs: &Path, number: u64, len: u64) -> Descriptor {
    const PIECE: u64 = 1 << 20;
    let unnamed = blobs.join("unnamed");
    let mut file = BufWriter::new(File::create(&unnamed).expect("a file can be made"));
    let mut digester = Digester::new(Algorithm::Sha256);
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while digester.len() < len {
        let wanted = (len - digester.len()).min(PIECE) as usize;
        let mut piece: Vec<u8> =
            std::iter::repeat_with(|| next(&mut state)).take(wanted.div_ceil(8)).flatten().collect();
        piece.truncate(wanted);
        digester.update(&piece);
        file.write_all(&piece).expect("there is room for a layer");
    }
    file.flush().expect("there is room for a layer");
    let digest = digester.finish();
    fs::rename(&unnamed, blobs.join(digest.hex())).expect("a file can be renamed");
    Descriptor::new(LAYER_TYPE.parse().expect("it is a media type"), digest, len)
}

/// Marsaglia's xorshift.
fn next(state: &mut u64) -> [u8; 8] {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    state.to_le_bytes()
}
