use std::collections::BTreeSet;

use super::*;
use crate::Algorithm;

#[test]
fn a_blob_that_was_there_and_is_lost_is_missed_wherever_the_last_look_ended() {
    let digests: Vec<Digest> = (0..4).map(|number| Digest::of(Algorithm::Sha256, &[number])).collect();
    let blob = |digest: &Digest| format!(r#"{{"mediaType":"application/octet-stream","digest":"{digest}","size":1}}"#);
    let layers: Vec<String> = digests.iter().skip(1).map(blob).collect();
    let manifest = format!(r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#, blob(&digests[0]), layers.join(","));
    let mut node = ManifestNode::new(Manifest::parse(manifest).unwrap());
    // In every order of what is there at two looks, one after the other.
    for there in 0..16_u32 {
        for then in 0..16_u32 {
            for looks in [there, then, 15, then] {
                let have: BTreeSet<Digest> =
                    (0..4).filter(|bit| looks >> bit & 1 == 1).map(|bit| digests[bit]).collect();
                assert_eq!(node.has_its_blobs(|digest| have.contains(digest)), looks == 15, "{there} {then}");
            }
        }
    }
}
