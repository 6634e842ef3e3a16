use bytes::Bytes;
use http::{Method, Response};

use crate::driver::{End, Input, Output};
use crate::{Algorithm, Blob, Client, Digest, Instant, Options, Push, Receipt};

/// Two pushes share the upload of their only blob. The one whose source sends it is cancelled; the other sends it itself.
#[test]
fn who_shared_an_upload_that_was_cancelled_goes_on_alone() {
    let mut client = Client::new(Options::default());
    let mut start = |key: u8| {
        let push = Push::new("localhost:5000".parse().unwrap(), "a".parse().unwrap());
        client.start(push.blob(Blob::known(key, Digest::of(Algorithm::Sha256, b"shared"), 6)))
    };
    let (first, second) = (start(1), start(2));
    let (mut now, mut bodies, mut ends) = (Instant::ZERO, Vec::new(), Vec::new());
    while ends.len() < 2 {
        match client.poll(now) {
            Output::Send { id, request, .. } => {
                if let crate::driver::Body::Blob { key, .. } = request.body() {
                    bodies.push(*key);
                    if bodies.len() == 1 {
                        client.cancel(first);
                        continue;
                    }
                }
                let status = if *request.method() == Method::HEAD { 404 } else { 201 };
                let response = Response::builder().status(status).body(Bytes::new()).unwrap();
                client.handle(Input::Answered { id, response, end: End::Complete });
            }
            Output::Done { operation, result } => ends.push((operation, result)),
            Output::Wait(deadline) => now = deadline.expect("it hangs").at,
            _ => {}
        }
    }
    assert_eq!(bodies, [1, 2]);
    let end = |wanted| ends.iter().find(|(operation, _)| *operation == wanted).map(|(_, result)| result);
    assert!(end(first).unwrap().is_err());
    assert!(matches!(end(second).unwrap(), Ok(Receipt::Pushed(pushed)) if pushed.uploaded == 1));
}
