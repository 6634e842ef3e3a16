//! Arbitrary answers to everything that a client does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::request::Parts;
use longshore_core::auth::Credentials;
use longshore_core::driver::{AskFailed, OperationId};
use longshore_core::target::{CrossOrigin, Policy};
use longshore_core::{
    Algorithm, Blob, Client, Deletion, Event, ManifestReference, Operation, Options, Push, Secret, Supply, Tag,
};
use longshore_memory::{Simulation, Source, Step};

use super::assert_harmless;
use super::script::{Script, image, messages};
use crate::{Case, Image};

/// Who the client is, in these runs: as it stands in `Authorization`, and as it may never be shown.
pub(super) const PASSWORD: &str = "kept-to-itself";

/// What to do in the first line, and then the answers: whatever they are, it ends, and no secret goes astray.
///
/// The first line has one of the words `pull`, `blob`, `check`, `tags`, `referrers`, `delete`, `delete-tag`, `delete-blob`;
/// otherwise it is a push, of which `chunks`, `pipe`, `mount`, `attached` and `ask` say more. `identity`, `given`, `anonymous`
/// and `no-helper` say what credentials there are, `refuse` what the policy is, and `cancel`, `suspend` and a
/// number after how many steps it is broken off.
///
/// # Panics
/// Where that does not hold (security invariants I1, I19, I27 and I30).
pub fn core_responses(bytes: &[u8]) {
    let mut script = messages(bytes);
    if script.is_empty() {
        return;
    }
    let words = script.remove(0).words;
    run(&words, Script::new(script));
}

/// What was shown on the way, and the transcript.
pub(super) fn show(bytes: &[u8]) -> String {
    let mut script = messages(bytes);
    if script.is_empty() {
        return String::new();
    }
    let words = script.remove(0).words;
    run(&words, Script::new(script))
}

/// Runs an operation against a script, judges it, and gives back all that was shown on the way.
pub(super) fn run(words: &[String], script: Script) -> String {
    let has = |word: &str| words.iter().any(|known| known == word);
    let image = image();
    let kinds = ["identity", "given", "anonymous", "no-helper"].map(has);
    let mut simulation = Simulation::new(0, script).step_limit(200_000).credentials(move |_, _, _| credentials(kinds));
    for (number, blob) in image.blobs.iter().enumerate() {
        let source = Source::bytes(blob.bytes.clone());
        let source = if has("pipe") { source.one_shot(Algorithm::Sha256) } else { source };
        simulation = simulation.source(number, source);
    }
    let mut options = Options::default();
    options.chunk = 16;
    options.chunk_above = if has("chunks") { 0 } else { u64::MAX };
    options.ask_above = if has("ask") { 0 } else { u64::MAX };
    options.pages = 8;
    if has("refuse") {
        options.policy = Policy::default().with_locations(CrossOrigin::Refuse).with_redirects(CrossOrigin::Refuse);
    }
    let mut client = Client::new(options);
    let operation = client.start(operation(words, &image));
    let shown = drive(&mut simulation, &mut client, operation, &image, broken_off(words));
    for head in &simulation.handler.heads {
        judge_request(head);
    }
    shown + &simulation.transcript().to_string()
}

/// What is looked up: of one of these kinds, or else a password.
fn credentials([identity, given, anonymous, no_helper]: [bool; 4]) -> Result<Option<Credentials>, AskFailed> {
    let secret = Secret::new(PASSWORD.to_owned());
    match () {
        () if no_helper => Err(AskFailed("the helper is not there".to_owned())),
        () if anonymous => Ok(None),
        () if identity => Ok(Some(Credentials::IdentityToken(secret))),
        () if given => Ok(Some(Credentials::RegistryToken(secret))),
        () => Ok(Some(Credentials::Basic { user: "somebody".to_owned(), password: secret })),
    }
}

/// After how many steps it is cancelled (`true`) or suspended.
fn broken_off(words: &[String]) -> Option<(u64, bool)> {
    let at = words.iter().position(|word| word == "cancel" || word == "suspend")?;
    Some((words.get(at.saturating_add(1))?.parse().ok()?, words[at] == "cancel"))
}

fn operation(words: &[String], image: &Image) -> Operation<usize> {
    let has = |word: &str| words.iter().any(|known| known == word);
    let (registry, repository, subject) = (Case::registry(), Case::repository(), image.root.digest());
    let tag: Tag = "v1".parse().expect("a tag");
    if has("pull") {
        Operation::PullManifest { registry, repository, reference: ManifestReference::Tag(tag) }
    } else if has("blob") {
        let digest = image.blobs[1].digest;
        Operation::PullBlob { registry, repository, digest, size: has("ask").then_some(100), sink: 9 }
    } else if has("check") {
        Operation::CheckPush { registry, repository }
    } else if has("tags") {
        Operation::ListTags { registry, repository }
    } else if has("referrers") {
        Operation::ListReferrers { registry, repository, subject, artifact_type: has("ask").then(|| "a/b".to_owned()) }
    } else if has("delete-tag") {
        Operation::Delete { registry, repository, what: Deletion::Tag(tag) }
    } else if has("delete-blob") {
        Operation::Delete { registry, repository, what: Deletion::Blob(image.blobs[1].digest) }
    } else if has("delete") {
        Operation::Delete { registry, repository, what: Deletion::Manifest(image.manifests[0].digest()) }
    } else {
        let mut push = Push::new(registry, repository).tag(tag);
        for (number, blob) in image.blobs.iter().enumerate() {
            let known = Blob::known(number, blob.digest, blob.bytes.len() as u64);
            push = push.blob(match () {
                () if has("pipe") => Blob::unknown(number, Algorithm::Sha256),
                () if has("mount") => known.mount_from(Case::elsewhere()),
                () => known,
            });
        }
        if has("pipe") {
            return push.open().into();
        }
        let attached = image.manifests.iter().filter(|_| has("attached")).cloned();
        attached.fold(push, Push::manifest).root(image.root.clone()).into()
    }
}

/// Drives it to its end.
fn drive(
    simulation: &mut Simulation<usize, Script>,
    client: &mut Client<usize>,
    operation: OperationId,
    image: &Image,
    broken_off: Option<(u64, bool)>,
) -> String {
    let (mut shown, mut digested, mut is_done, mut steps) = (String::new(), 0, false, 0_u64);
    loop {
        match broken_off.filter(|(after, _)| *after == steps) {
            Some((_, true)) => client.cancel(operation),
            Some((_, false)) => client.suspend(operation),
            None => {}
        }
        steps += 1;
        match simulation.step(client) {
            Step::Worked => {}
            Step::Event(event) => {
                if matches!(event, Event::BlobDigested { .. }) {
                    digested += 1;
                    if digested == image.blobs.len() {
                        // Nothing can be supplied to a push that has failed meanwhile.
                        let _ = client.supply(operation, Supply::Root(image.root.clone()));
                        let _ = client.supply(operation, Supply::End);
                    }
                }
                if let Event::Warning { text, .. } = &event {
                    assert_harmless(text);
                }
                shown.push_str(&format!("{event:?}\n"));
            }
            Step::Done { result, .. } => {
                assert!(!is_done, "the operation ended twice");
                is_done = true;
                match result {
                    Ok(receipt) => shown.push_str(&format!("{receipt:?}\n")),
                    Err(failure) => {
                        assert_harmless(&failure.to_string());
                        shown.push_str(&format!("{failure}\n{failure:?}\n"));
                    }
                }
            }
            Step::Idle if is_done => return shown,
            Step::Idle => simulation.stop("the client hangs: it waits for nothing, and the operation has not ended"),
        }
    }
}

/// Nothing that a peer wrote stands in a request's headers, and secrets go where they belong.
fn judge_request(head: &Parts) {
    for (name, value) in &head.headers {
        assert!(value.as_bytes().iter().all(|byte| (b' '..=b'~').contains(byte)), "{name}: {value:?}");
    }
    let Some(authorization) = head.headers.get(AUTHORIZATION) else { return };
    let (scheme, host) = (head.uri.scheme_str(), head.uri.host().unwrap_or_default());
    let is_registry = host == "registry.example" && head.uri.port_u16().unwrap_or(443) == 443;
    let is_same_site = host.ends_with(".registry.example") || host == "registry.example";
    // An identity token is sent as a password, and to the token service alone.
    let is_password = authorization.as_bytes().starts_with(b"Basic ");
    let is_right = if is_password { is_same_site } else { is_registry };
    assert!(scheme == Some("https") && is_right, "credentials are sent to {}", head.uri);
}

/// The password as it stands in a header.
pub(super) fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("somebody:{PASSWORD}")))
}
