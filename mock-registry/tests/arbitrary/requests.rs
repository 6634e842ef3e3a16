//! Random requests: as a client makes them, and as no client makes them.

use longshore_core::{Algorithm, Digest};
use proptest::prelude::*;

/// A request.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) method: String,
    pub(crate) target: Target,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Where a request goes.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Path(String),
    /// One of the locations that were given.
    Location(usize),
}

const CONTENTS: [&str; 4] = ["", "{}", "hello", "hello, world"];

fn digest(content: &str) -> String {
    Digest::of(Algorithm::Sha256, content.as_bytes()).to_string()
}

fn manifest(config: &str, subject: Option<&str>) -> String {
    let subject = subject.map_or(String::new(), |subject| {
        format!(
            r#","subject":{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{subject}","size":2}}"#
        )
    });
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},"layers":[]{subject}}}"#
    )
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![Just("a".to_owned()), Just("b/c".to_owned()), "[a-z./_%-]{0,8}"]
}

fn digests() -> impl Strategy<Value = String> {
    let known = prop::sample::select(CONTENTS.to_vec()).prop_map(digest);
    let image = Just(digest(&manifest(&digest("{}"), None)));
    prop_oneof![4 => known, 2 => image, 1 => "sha(256|512):[0-9a-f]{0,5}", 1 => "[ -~]{0,10}"]
}

fn targets() -> impl Strategy<Value = Target> {
    let reference = prop_oneof![digests(), Just("v1".to_owned()), "[a-zA-Z0-9._-]{0,5}"];
    let path =
        (names(), reference, prop::sample::select(vec!["blobs", "manifests", "referrers", "blobs/uploads", "tags"]));
    let path = path.prop_map(|(name, last, kind)| format!("/v2/{name}/{kind}/{last}"));
    let fixed = names().prop_flat_map(|name| {
        let kinds = vec!["blobs/uploads/", "blobs/uploads", "tags/list", "blobs/upload/x"];
        prop::sample::select(kinds).prop_map(move |kind| format!("/v2/{name}/{kind}"))
    });
    let other = prop_oneof![
        Just("/v2/".to_owned()),
        Just("/token".to_owned()),
        Just("/upload/part".to_owned()),
        "/[!-~]{0,20}"
    ];
    prop_oneof![
        4 => path.prop_map(Target::Path),
        4 => fixed.prop_map(Target::Path),
        1 => other.prop_map(Target::Path),
        6 => (0..8_usize).prop_map(Target::Location),
    ]
}

fn queries() -> impl Strategy<Value = String> {
    let pair = prop_oneof![
        6 => digests().prop_map(|digest| format!("digest={digest}")),
        2 => digests().prop_map(|digest| format!("mount={digest}")),
        2 => names().prop_map(|name| format!("from={name}")),
        1 => Just("digest-algorithm=sha512".to_owned()),
        1 => "tag=[a-z0-9.]{0,4}",
        1 => "(n|last|artifactType|offline_token|id|_state|X-Signature)=[a-z0-9]{0,4}",
        1 => names().prop_map(|name| format!("scope=repository:{name}:pull,push")),
        1 => "[!-~]{0,8}",
    ];
    prop::collection::vec(pair, 0..3).prop_map(|pairs| pairs.join("&"))
}

fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let header = prop_oneof![
        ("0|[0-9]{1,2}", 0..9_u64).prop_map(|(first, more)| {
            let first: u64 = first.parse().unwrap_or(0);
            ("content-range".to_owned(), format!("{first}-{}", first + more))
        }),
        "[ -~]{0,12}".prop_map(|value| ("content-range".to_owned(), value)),
        "[0-9]{1,20}".prop_map(|value| ("content-length".to_owned(), value)),
        "bytes=[0-9]{0,3}-[0-9]{0,3}".prop_map(|value| ("range".to_owned(), value)),
        "[ -~]{0,12}".prop_map(|value| ("if-match".to_owned(), value)),
        Just(("if-none-match".to_owned(), "*".to_owned())),
        Just(("authorization".to_owned(), "Basic YTpi".to_owned())),
        "(Basic|Bearer) [a-zA-Z0-9=]{0,8}".prop_map(|value| ("authorization".to_owned(), value)),
        Just(("host".to_owned(), "storage.example".to_owned())),
        Just(("content-type".to_owned(), "application/vnd.oci.image.manifest.v1+json".to_owned())),
        Just(("content-type".to_owned(), "application/octet-stream".to_owned())),
        "[ -~]{0,12}".prop_map(|value| ("content-type".to_owned(), value)),
    ];
    prop::collection::vec(header, 0..3)
}

pub(crate) fn bodies() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => prop::sample::select(CONTENTS.to_vec()).prop_map(|content| content.as_bytes().to_vec()),
        3 => digests().prop_map(|config| manifest(&config, None).into_bytes()),
        2 => digests().prop_map(|subject| manifest(&digest("{}"), Some(&subject)).into_bytes()),
        1 => Just(b"grant_type=password&username=a&password=b&scope=repository:a:pull".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => (100..3000_usize).prop_map(|len| vec![b'x'; len]),
    ]
}

/// Requests as a client makes them.
fn sensible() -> impl Strategy<Value = Asking> {
    let asking = |method: &str, target: Target, query: String, body: String| Asking {
        method: method.to_owned(),
        target,
        query,
        headers: vec![("authorization".to_owned(), "Basic YTpi".to_owned())],
        body: body.into_bytes(),
    };
    let name = prop::sample::select(vec!["a", "b/c"]);
    let content = prop::sample::select(CONTENTS.to_vec());
    let path = |name: &str, rest: &str| Target::Path(format!("/v2/{name}/{rest}"));
    (0..14_usize, name, content, prop::sample::select(vec!["v1", "v2", "v3"]), 0..8_usize).prop_map(
        move |(kind, name, content, tag, which)| {
            let (digest, other) = (digest(content), if name == "a" { "b/c" } else { "a" });
            let image = manifest(&digest, (which % 2 == 0).then_some(&*digest));
            let none = String::new;
            match kind {
                0 | 1 => asking("POST", path(name, "blobs/uploads/"), none(), none()),
                2 => asking("POST", path(name, "blobs/uploads/"), format!("digest={digest}"), content.to_owned()),
                3 => asking("POST", path(name, "blobs/uploads/"), format!("mount={digest}&from={other}"), none()),
                4 | 5 => asking("PATCH", Target::Location(which), none(), content.to_owned()),
                6 => asking("PUT", Target::Location(which), format!("digest={digest}"), content.to_owned()),
                7 => asking("PUT", Target::Location(which), format!("digest={digest}"), none()),
                8 | 9 => asking("PUT", path(name, &format!("manifests/{tag}")), none(), image),
                10 => {
                    let by_digest = format!("manifests/{}", Digest::of(Algorithm::Sha256, image.as_bytes()));
                    asking("PUT", path(name, &by_digest), format!("tag={tag}"), image)
                }
                11 => asking("GET", path(name, &format!("blobs/{digest}")), none(), none()),
                12 => asking("DELETE", path(name, &format!("blobs/{digest}")), none(), none()),
                _ => asking("DELETE", path(name, &format!("manifests/{tag}")), none(), none()),
            }
        },
    )
}

/// Requests: three of four as a client makes them.
pub(crate) fn askings() -> impl Strategy<Value = Asking> {
    prop_oneof![3 => sensible(), 1 => wild()]
}

/// Requests as nobody makes them.
fn wild() -> impl Strategy<Value = Asking> {
    let methods = prop_oneof![
        12 => prop::sample::select(vec!["GET", "HEAD", "POST", "PATCH", "PUT", "DELETE"]).prop_map(str::to_owned),
        1 => "[A-Z]{1,6}",
    ];
    (methods, targets(), queries(), headers(), bodies()).prop_map(|(method, target, query, headers, body)| Asking {
        method,
        target,
        query,
        headers,
        body,
    })
}
