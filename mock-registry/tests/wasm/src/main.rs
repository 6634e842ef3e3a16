//! A push to the mock registry, as it is built for WebAssembly: with no function to call outside, both sides are pure.
//!
//! It goes to a registry with users that plays ECR's rules of mounting and Quay's: profiles need no file system either.

use std::collections::BTreeMap;
use std::error::Error;

use bytes::Bytes;
use http::{Request, Response};
use longshore_core::auth::Credentials;
use longshore_core::driver::{Body, End, Input, Output};
use longshore_core::{Algorithm, Blob, Client, Digest, Instant, Manifest, Options, Push, Pushed, Receipt, Secret};
use longshore_mock_registry::Registry;
use longshore_mock_registry::auth::Password;
use longshore_mock_registry::profile::Profile;

/// The contents of the image: key, bytes.
const CONTENTS: [(&str, &[u8]); 2] = [("config", b"{}"), ("layer", b"a layer")];

fn main() -> Result<(), Box<dyn Error>> {
    for profile in ["quay", "ecr", "distribution-2.8"] {
        let profile = Profile::named(profile)?;
        let mut options = profile.options();
        let origin: longshore_core::Registry = "registry.example".parse()?;
        options.origin = Some(origin.origin());
        options.auth = Some(profile.auth().user("alice", Password::plain("wonderland"), "*=pull,push".parse()?));
        let mut registry = Registry::new(options);
        let pushed = push(&mut registry)?;
        if pushed.uploaded != 2 || registry.state.repositories.len() != 1 {
            return Err(format!("{}: not both blobs were sent: {pushed:?}", profile.name).into());
        }
        if push(&mut registry)?.uploaded != 0 {
            return Err(format!("{}: what is there was sent again", profile.name).into());
        }
    }
    Ok(())
}

/// Pushes the image, with a client that knows nothing yet.
fn push(registry: &mut Registry) -> Result<Pushed, Box<dyn Error>> {
    let digest = |bytes| Digest::of(Algorithm::Sha256, bytes);
    let (config, layer) = (digest(CONTENTS[0].1), digest(CONTENTS[1].1));
    let manifest = Manifest::parse(format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
        "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},
        "layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{layer}","size":7}}]}}"#
    ))?;
    let push = Push::new("registry.example".parse()?, "a/b".parse()?)
        .blob(Blob::known("config", config, 2))
        .blob(Blob::known("layer", layer, 7))
        .root(manifest)
        .tag("v1".parse()?);
    let mut client = Client::new(Options::default());
    client.start(push);
    match drive(&mut client, registry)? {
        Receipt::Pushed(pushed) => Ok(pushed),
        other => Err(format!("a push came to {other:?}").into()),
    }
}

/// Drives the client to the end of its only operation. Its clock is moved by the client's own deadlines.
fn drive(client: &mut Client<&'static str>, registry: &mut Registry) -> Result<Receipt<&'static str>, Box<dyn Error>> {
    let contents: BTreeMap<&str, &[u8]> = CONTENTS.into();
    let mut now = Instant::ZERO;
    loop {
        match client.poll(now) {
            Output::Send { id, request, .. } => {
                let response = ask(registry, now, &contents, request)?;
                client.handle(Input::Answered { id, response, end: End::Complete });
            }
            Output::Ask { id, .. } => {
                let password = Secret::new("wonderland".to_owned());
                let credentials = Credentials::Basic { user: "alice".to_owned(), password };
                client.handle(Input::Credentials { id, answer: Ok(Some(credentials)) });
            }
            Output::Wait(Some(deadline)) => now = deadline.at,
            Output::Wait(None) => return Err("the push hangs".into()),
            Output::Done { result, .. } => return Ok(result?),
            Output::Read { .. } => return Err("no blob here is of unknown digest".into()),
            Output::Abort { .. } | Output::Event(_) => {}
        }
    }
}

/// Sends one request, with its body.
fn ask(
    registry: &mut Registry,
    now: Instant,
    contents: &BTreeMap<&str, &'static [u8]>,
    request: Request<Body<&str>>,
) -> Result<Response<Bytes>, Box<dyn Error>> {
    let (head, body) = request.into_parts();
    let bytes = |key: &str, from: u64, to: Option<u64>| {
        let all = contents.get(key).copied().unwrap_or_default();
        let (from, to) = (usize::try_from(from)?, to.map_or(Ok(all.len()), usize::try_from)?);
        Ok::<_, Box<dyn Error>>(Bytes::from_static(all.get(from..to).ok_or("the range is not in the blob")?))
    };
    let body = match body {
        Body::Empty => Bytes::new(),
        Body::Bytes(bytes) => bytes,
        Body::Blob { key, range } => bytes(key, range.start, Some(range.end))?,
        Body::Rest { key, from } => bytes(key, from, None)?,
    };
    Ok(registry.answer(now, Request::from_parts(head, body))?)
}
