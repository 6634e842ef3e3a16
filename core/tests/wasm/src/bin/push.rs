//! A whole push, as it is built for WebAssembly: with no function to call outside, there is no I/O to do.

use std::error::Error;

use bytes::Bytes;
use http::{Method, Request, Response};
use longshore_core::driver::{Body, End, Input, NoAnswer, Output};
use longshore_core::{Algorithm, Blob, Client, Digest, Instant, Manifest, Options, Push, Receipt};

fn main() -> Result<(), Box<dyn Error>> {
    let layer = Digest::of(Algorithm::Sha256, b"a layer");
    let config = Digest::of(Algorithm::Sha512, b"{}");
    let manifest = Manifest::parse(format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
        "config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}},
        "layers":[{{"mediaType":"application/octet-stream","digest":"{layer}","size":7}}]}}"#
    ))?;
    let push = Push::new("registry.example".parse()?, "a/b".parse()?)
        .blob(Blob::known("config", config, 2))
        .blob(Blob::known("layer", layer, 7))
        .root(manifest)
        .tag("v1".parse()?);
    let mut client = Client::new(Options::default());
    client.start(push);
    let pushed = drive(&mut client)?;
    if matches!(pushed, Receipt::Pushed(ref pushed) if pushed.uploaded == 2) {
        Ok(())
    } else {
        Err(format!("not both blobs were sent: {pushed:?}").into())
    }
}

/// Drives the client to the end of its only operation. Its clock is moved by the client's own deadlines.
fn drive(client: &mut Client<&'static str>) -> Result<Receipt<&'static str>, Box<dyn Error>> {
    let mut now = Instant::ZERO;
    let mut requests = 0;
    loop {
        match client.poll(now) {
            Output::Send { id, request, .. } => {
                requests += 1;
                client.handle(match registry(requests, &request) {
                    Some(response) => Input::Answered { id, response, end: End::Complete },
                    None => Input::Failed { id, why: NoAnswer::Lost("the line is cut".to_owned()) },
                });
            }
            Output::Ask { id, .. } => client.handle(Input::Credentials { id, answer: Ok(None) }),
            Output::Wait(Some(deadline)) => now = deadline.at,
            Output::Wait(None) => return Err("the push hangs".into()),
            Output::Done { result, .. } => return Ok(result?),
            Output::Read { .. } => return Err("no blob here is of unknown digest".into()),
            Output::Abort { .. } | Output::Event(_) => {}
        }
    }
}

/// A registry that is busy at first, then loses an answer, then takes everything. It hands out tokens.
fn registry(number: u64, request: &Request<Body<&str>>) -> Option<Response<Bytes>> {
    let answer = Response::builder();
    let (answer, body) = match (request.method(), request.uri().path()) {
        (_, "/token") => (answer.status(200), r#"{"token":"let-me-in","expires_in":300}"#),
        _ if !request.headers().contains_key("authorization") => {
            let challenge = r#"Bearer realm="https://registry.example/token",service="registry.example""#;
            (answer.status(401).header("www-authenticate", challenge), "")
        }
        _ if number < 6 => (answer.status(503).header("retry-after", "2"), ""),
        _ if number == 8 => return None,
        (&Method::POST, _) => (answer.status(202).header("location", format!("/uploads/{number}?state=opaque")), ""),
        (&Method::PUT, _) => (answer.status(201), ""),
        _ => (answer.status(404), ""),
    };
    answer.body(Bytes::from_static(body.as_bytes())).ok()
}
