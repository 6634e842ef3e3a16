//! I24: no number that a peer sends costs memory. Every allocation of this test's thread is counted.

use allocation_counter::measure;
use bytes::Bytes;
use http::{Method, Request, Response};
use longshore_core::driver::{Body, End, Input, Output};
use longshore_core::{
    Algorithm, Blob, Client, Deletion, Digest, Instant, Manifest, ManifestReference, Operation, Options, Push,
    Registry, Repository,
};

/// What a hostile number may cost beside what a harmless one does, in bytes.
const MORE: u64 = 64 * 1024;

/// The largest numbers of each width, and more.
const NUMBERS: [&str; 8] = [
    "1073741824",
    "4294967295",
    "4611686018427387904",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999999999",
    "-9223372036854775808",
];

fn registry() -> Registry {
    "registry.example".parse().unwrap()
}

fn repository() -> Repository {
    "library/app".parse().unwrap()
}

fn digest() -> Digest {
    Digest::of(Algorithm::Sha256, b"{}")
}

/// A blob that is sent in chunks, read again or once, and a manifest.
fn push(once: bool) -> Operation<u8> {
    let (media_type, digest) = ("application/vnd.oci.empty.v1+json", digest());
    let config = format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":200000}}"#);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{config},"layers":[]}}"#
    );
    let blob = if once { Blob::read_once(1, digest, 200_000) } else { Blob::known(1, digest, 200_000) };
    Push::new(registry(), repository()).blob(blob).root(Manifest::parse(manifest).unwrap()).into()
}

fn operations() -> Vec<Operation<u8>> {
    let (registry, repository) = (registry, repository);
    let by = |reference| Operation::PullManifest { registry: registry(), repository: repository(), reference };
    let pull_blob =
        |size| Operation::PullBlob { registry: registry(), repository: repository(), digest: digest(), size, sink: 1 };
    vec![
        push(false),
        push(true),
        by(ManifestReference::Tag("v1".parse().unwrap())),
        by(ManifestReference::Digest(digest())),
        pull_blob(None),
        pull_blob(Some(u64::MAX)),
        Operation::CheckPush { registry: registry(), repository: repository() },
        Operation::Delete { registry: registry(), repository: repository(), what: Deletion::Blob(digest()) },
        Operation::ListTags { registry: registry(), repository: repository() },
        Operation::ListReferrers {
            registry: registry(),
            repository: repository(),
            subject: digest(),
            artifact_type: None,
        },
    ]
}

/// An answer that says this number wherever one can stand.
fn answer(request: &Request<Body<u8>>, number: &str, refuses: bool) -> Response<Bytes> {
    let path = request.uri().path();
    let is_token = path == "/token";
    let (status, body) = match *request.method() {
        _ if is_token => (200, format!(r#"{{"token":"t","expires_in":{number},"issued_at":"{number}"}}"#)),
        _ if !request.headers().contains_key("authorization") => (401, String::new()),
        Method::PATCH | Method::PUT if refuses => (416, String::new()),
        Method::POST | Method::PATCH => (202, String::new()),
        Method::PUT => (201, String::new()),
        Method::GET if path.contains("/uploads/") => (204, String::new()),
        Method::GET if path.contains("/tags/") => (200, r#"{"tags":["a"]}"#.to_owned()),
        Method::GET => (200, index(number)),
        Method::DELETE => (202, String::new()),
        _ => (404, String::new()),
    };
    Response::builder()
        .status(status)
        .header("www-authenticate", r#"Bearer realm="/token""#)
        .header("content-type", "application/vnd.oci.image.index.v1+json")
        .header("content-length", number)
        .header("content-range", format!("bytes 0-{number}/{number}"))
        .header("range", format!("0-{number}"))
        .header("location", "/v2/library/app/blobs/uploads/1")
        .header("oci-chunk-min-length", number)
        .header("oci-chunk-max-length", number)
        .header("docker-upload-uuid", number)
        .header("link", format!("<?n={number}>; rel=next"))
        .header("retry-after", number)
        .body(Bytes::from(body))
        .unwrap()
}

/// An index with one entry of this size.
fn index(number: &str) -> String {
    let media_type = "application/vnd.oci.image.index.v1+json";
    let entry = format!(r#"{{"mediaType":"{media_type}","digest":"{}","size":{number}}}"#, digest());
    format!(r#"{{"schemaVersion":2,"mediaType":"{media_type}","manifests":[{entry}]}}"#)
}

/// Runs an operation against a registry that says this number everywhere. Gives the most bytes of a one-shot blob that the
/// driver had to have in hand.
fn run(operation: Operation<u8>, number: &str, refuses: bool) -> u64 {
    let mut client = Client::new(Options::default());
    client.start(operation);
    let (mut now, mut in_hand) = (Instant::ZERO, 0);
    for _ in 0..10_000 {
        match client.poll(now) {
            Output::Send { id, request, .. } => {
                let response = answer(&request, number, refuses);
                client.handle(Input::Answered { id, response, end: End::Complete });
            }
            Output::Read { operation, blob, from, up_to } => {
                in_hand = in_hand.max(up_to - from);
                let input = if up_to < 200_000 {
                    Input::Filled { operation, blob, len: up_to }
                } else {
                    Input::Ended { operation, blob, len: 200_000, digest: digest() }
                };
                client.handle(input);
            }
            Output::Ask { id, .. } => client.handle(Input::Credentials { id, answer: Ok(None) }),
            Output::Wait(Some(deadline)) => now = deadline.at,
            Output::Wait(None) | Output::Done { .. } => return in_hand,
            Output::Abort { .. } | Output::Event(_) => {}
        }
    }
    panic!("it goes round in circles");
}

#[test]
fn i24_no_number_of_a_peer_costs_memory() {
    for (at, operation) in operations().into_iter().enumerate() {
        for refuses in [false, true] {
            let harmless = measure(|| assert!(run(operation.clone(), "100000", refuses) <= 200_000)).bytes_max;
            assert!(harmless < 1 << 20, "{harmless} bytes");
            for number in NUMBERS {
                let most = measure(|| {
                    let in_hand = run(operation.clone(), number, refuses);
                    assert!(in_hand <= 128 << 20, "{in_hand} bytes of a one-shot blob in hand");
                });
                assert!(most.bytes_max <= harmless + MORE, "operation {at}, {number}: {} bytes", most.bytes_max);
            }
        }
    }
}

#[test]
fn the_counter_counts() {
    let counted = measure(|| drop(Vec::<u8>::with_capacity(1 << 20)));
    assert!(counted.bytes_max >= 1 << 20);
}
