//! S12: whatever is asked, in whatever order, nothing panics, nothing grows without bound, and all that is kept is whole.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use longshore_core::{Algorithm, Digest, Host, Origin, Scheme};
use longshore_mock_registry::auth::{Auth, Password, Rights};
use longshore_mock_registry::behaviour::{
    ContentRange, CutBody, LocationForm, MissingReference, MountPolicy, SinglePost, StateQuery, UploadPath,
};
use longshore_mock_registry::fault::Faults;
use longshore_mock_registry::profile::{NAMES, Profile};
use longshore_mock_registry::storage::Memory;
use longshore_mock_registry::{
    Behaviour, BodyEnd, Instant, Limits, Opened, Progress, Registry, RegistryOptions, RequestId,
};
use proptest::prelude::*;

/// One thing that happens to a registry.
#[derive(Debug, Clone)]
enum Step {
    /// A request, with its body in one piece.
    Ask(Asking),
    /// A request whose body comes later.
    Open(Asking),
    /// A piece for one of the open requests.
    Piece(usize, Vec<u8>),
    /// The end of one of the open requests.
    Close(usize, bool),
    /// Time.
    Wait(u64),
}

#[derive(Debug, Clone)]
struct Asking {
    method: String,
    target: Target,
    query: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

#[derive(Debug, Clone)]
enum Target {
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

fn bodies() -> impl Strategy<Value = Vec<u8>> {
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

fn askings() -> impl Strategy<Value = Asking> {
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

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        10 => askings().prop_map(Step::Ask),
        3 => askings().prop_map(Step::Open),
        3 => (0..4_usize, bodies()).prop_map(|(which, bytes)| Step::Piece(which, bytes)),
        2 => (0..4_usize, any::<bool>()).prop_map(|(which, whole)| Step::Close(which, whole)),
        1 => (0..5_000_000_u64).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..40)
}

/// The profiles of registries that look at every digest.
fn whole_profiles() -> Vec<Behaviour> {
    let named = NAMES.iter().map(|name| Profile::named(name).unwrap().behaviour().clone());
    named.filter(|behaviour| !behaviour.commit.whole_unverified && !behaviour.manifests.unverified).collect()
}

/// Behaviours that keep the contents whole.
fn behaviours() -> impl Strategy<Value = Behaviour> {
    let base = prop_oneof![
        3 => Just(Behaviour::default()),
        2 => prop::sample::select(whole_profiles()),
    ];
    let paths = [UploadPath::Usual, UploadPath::Singular, UploadPath::Suffixed, UploadPath::IdInQuery];
    let states = [StateQuery::Absent, StateQuery::Ignored, StateQuery::Newest, StateQuery::NewestOrGone];
    let forms = [LocationForm::Path, LocationForm::Absolute, LocationForm::WithoutScheme, LocationForm::Storage];
    let cuts = [CutBody::Kept, CutBody::Dropped, CutBody::Gone];
    let ranges = [ContentRange::Checked, ContentRange::Ignored, ContentRange::Overlapping];
    let select = |len: usize| 0..len;
    (base, select(4), select(4), select(4), select(3), select(3), any::<[bool; 6]>()).prop_map(
        move |(mut behaviour, path, state, form, cut, range, flags)| {
            behaviour.start.path = paths[path];
            behaviour.start.state = states[state];
            behaviour.start.location = forms[form];
            behaviour.chunks.cut = cuts[cut];
            behaviour.chunks.content_range = ranges[range];
            behaviour.read.blob_redirect = flags[0];
            behaviour.commit.mismatch_keeps_upload = flags[1];
            if flags[2] {
                behaviour.mount.policy = MountPolicy::AnyRepository;
            }
            if flags[3] {
                behaviour.manifests.missing_reference = MissingReference::Accepted;
            }
            if flags[4] {
                behaviour.start.single_post = SinglePost::Strict;
            }
            behaviour.auth.checked_at_end = flags[5];
            behaviour
        },
    )
}

const LIMIT: u64 = 4000;

fn registry(behaviour: Behaviour, with_users: bool, faults: u64) -> Registry {
    let origin = |host: &str| Origin::new(Scheme::Https, host.parse::<Host>().unwrap(), None);
    let users = Auth::basic().user("a", Password::plain("b"), Rights::all()).anonymous("a=pull".parse().unwrap());
    let mut limits = Limits::default();
    (limits.manifest, limits.blob, limits.manifest_bytes) = (600, 2000, 1500);
    (limits.manifests, limits.blobs, limits.tags, limits.repositories) = (3, 3, 2, 2);
    (limits.uploads, limits.pending, limits.connections, limits.page) = (3, 3, 1, 2);
    limits.upload_lifetime = Duration::from_secs(3);
    let mut options = RegistryOptions::default()
        .with_origin(origin("reg.example"))
        .with_storage(origin("storage.example"))
        .with_faults(Faults::seeded(faults, faults % 8, 40))
        .with_behaviour(behaviour)
        .with_limits(limits);
    options.auth = with_users.then_some(users);
    Registry::with_storage(options, Box::new(Memory::with_limit(LIMIT))).unwrap()
}

/// What a run remembers of what it was told.
#[derive(Default)]
struct Memo {
    now: u64,
    locations: Vec<String>,
    open: Vec<RequestId>,
}

impl Memo {
    fn request(&self, asking: &Asking) -> Option<Request<Bytes>> {
        let path = match &asking.target {
            Target::Path(path) => path.clone(),
            Target::Location(which) => self.locations.get(which % self.locations.len().max(1))?.clone(),
        };
        let uri = match (asking.query.as_str(), path.contains('?')) {
            ("", _) => path,
            (query, true) => format!("{path}&{query}"),
            (query, false) => format!("{path}?{query}"),
        };
        let mut request = Request::builder().method(asking.method.as_str()).uri(uri);
        for (name, value) in &asking.headers {
            request = request.header(name, value);
        }
        request.body(Bytes::from(asking.body.clone())).ok()
    }

    fn learn(&mut self, location: Option<&http::HeaderValue>) {
        if let Some(location) = location.and_then(|location| location.to_str().ok()) {
            self.locations.push(location.to_owned());
        }
    }
}

fn take(registry: &mut Registry, memo: &mut Memo, step: &Step) -> Option<StatusCode> {
    let now = Instant::from_micros(memo.now);
    match step {
        Step::Wait(micros) => memo.now += micros,
        Step::Ask(asking) => {
            let answer = registry.answer(now, memo.request(asking)?);
            let answer = answer.or_else(|undelivered| undelivered.arrived.ok_or(())).ok()?;
            memo.learn(answer.headers().get("location"));
            return Some(answer.status());
        }
        Step::Open(asking) => match registry.open(now, memo.request(asking)?.into_parts().0) {
            Opened::Body(id) => memo.open.push(id),
            Opened::Answer(answer) => return Some(answer.status),
        },
        Step::Piece(which, bytes) => {
            let id = *memo.open.get(which % memo.open.len().max(1))?;
            if let Progress::Answer(answer) = registry.piece(id, &Bytes::from(bytes.clone())) {
                memo.open.retain(|open| *open != id);
                return Some(answer.status);
            }
        }
        Step::Close(which, whole) => {
            let at = which % memo.open.len().max(1);
            let id = *memo.open.get(at)?;
            memo.open.remove(at);
            let how = if *whole { BodyEnd::Complete } else { BodyEnd::Cut };
            return Some(registry.close(now, id, how).status);
        }
    }
    None
}

/// All that is kept is whole, and within its bounds.
fn check(registry: &Registry) -> Result<(), TestCaseError> {
    let (state, limits) = (&registry.state, &registry.options.limits);
    prop_assert!(state.repositories.len() <= limits.repositories);
    prop_assert!(state.uploads.len() <= limits.uploads);
    let (mut stored, mut manifests) = (std::collections::BTreeMap::new(), 0);
    for contents in state.repositories.values() {
        prop_assert!(contents.blobs.len() <= limits.blobs && contents.manifests.len() <= limits.manifests);
        prop_assert!(contents.tags.len() <= limits.tags);
        for (digest, blob) in &contents.blobs {
            let body = longshore_mock_registry::Body::Blob { digest: *digest, range: 0..blob.size };
            prop_assert!(digest.matches(&registry.read(&body).unwrap()));
            stored.insert(*digest, blob.size);
        }
        for (digest, manifest) in &contents.manifests {
            prop_assert!(digest.matches(&manifest.bytes) && manifest.bytes.len() <= limits.manifest);
            manifests += manifest.bytes.len() as u64;
        }
        prop_assert!(contents.tags.values().all(|digest| contents.manifests.contains_key(digest)));
    }
    let uploading: u64 = state.uploads.values().map(longshore_mock_registry::state::Upload::len).sum();
    prop_assert!(stored.values().sum::<u64>() + uploading <= LIMIT);
    prop_assert!(manifests <= limits.manifest_bytes);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s12_any_requests_in_any_order(
        behaviour in behaviours(),
        with_users in any::<bool>(),
        faults in 0..1000_u64,
        steps in steps(),
    ) {
        let mut registry = registry(behaviour.clone(), with_users, faults);
        let mut memo = Memo::default();
        for step in &steps {
            let status = take(&mut registry, &mut memo, step);
            let told = registry.struck.len();
            let own = status.is_none_or(|status| status != 500) || told > 0 || behaviour != Behaviour::default();
            prop_assert!(own, "{step:?} was answered with 500");
            check(&registry)?;
        }
    }

    /// The same requests give the same answers, byte for byte.
    #[test]
    fn the_same_again(behaviour in behaviours(), faults in 0..1000_u64, steps in steps()) {
        let run = || {
            let mut registry = registry(behaviour.clone(), true, faults);
            let mut memo = Memo::default();
            let statuses: Vec<_> = steps.iter().map(|step| take(&mut registry, &mut memo, step)).collect();
            (statuses, memo.locations, format!("{:?} {:?}", registry.state, registry.judge))
        };
        prop_assert_eq!(run(), run());
    }
}
