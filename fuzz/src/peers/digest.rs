//! `oci-spec`: any digest that the image spec allows.

use longshore_core::Digest;

/// A digest. `oci-spec` reads algorithms that it does not know too, and sha384; ours does not: it could not check them.
///
/// # Panics
/// Where both know the algorithm, and one of them reads what the other refuses, or reads something else.
pub fn peers_digest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (ours, theirs) = (text.parse::<Digest>(), text.parse::<oci_spec::image::Digest>());
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(ours.algorithm().as_str(), theirs.algorithm().to_string());
            assert_eq!(ours.hex(), theirs.digest());
        }
        (Ok(ours), Err(error)) => panic!("oci-spec refuses {ours}: {error}"),
        (Err(error), Ok(theirs)) => {
            let is_known = ["sha256", "sha512"].contains(&theirs.algorithm().to_string().as_str());
            assert!(!is_known, "ours refuses {text}: {error}");
        }
        (Err(_), Err(_)) => {}
    }
}
