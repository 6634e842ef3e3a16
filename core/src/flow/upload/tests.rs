use bytes::Bytes;
use http::{Method, Response};

use crate::driver::{End, Input, Output};
use crate::{Algorithm, Blob, Client, Digest, Instant, Options, Push, Receipt};

/// Pushes 25 bytes in chunks of 10 to a registry that says this `Range` after each, and counts the uploads that are begun.
fn uploads_begun(range: &str) -> usize {
    let mut options = Options::default();
    (options.chunk, options.chunk_above, options.single_post) = (10, 0, 0);
    let mut client = Client::new(options);
    let push = Push::new("localhost:5000".parse().unwrap(), "a".parse().unwrap());
    client.start(push.blob(Blob::known(1, Digest::of(Algorithm::Sha256, b"content"), 25)));
    let (mut now, mut begun) = (Instant::ZERO, 0);
    loop {
        match client.poll(now) {
            Output::Send { id, request, .. } => {
                begun += usize::from(request.method() == Method::POST);
                let answer = match *request.method() {
                    Method::POST => Response::builder().status(202),
                    Method::PATCH => Response::builder().status(202).header("Range", range),
                    Method::PUT => Response::builder().status(201),
                    Method::DELETE => Response::builder().status(204),
                    _ => Response::builder().status(404),
                };
                let response = answer.header("Location", "/v2/uploads/1").body(Bytes::new()).unwrap();
                client.handle(Input::Answered { id, response, end: End::Complete });
            }
            Output::Wait(deadline) => now = deadline.expect("it hangs").at,
            Output::Done { result: Ok(Receipt::Pushed(_)), .. } => return begun,
            Output::Done { result, .. } => panic!("{result:?}"),
            _ => {}
        }
    }
}

/// `Range` is a hint: one that says more than was ever sent is reason to begin again, and only once.
#[test]
fn a_range_that_says_too_much_is_believed_once() {
    assert_eq!(uploads_begun("0-9"), 1);
    // One too far, as Artifactory counts.
    assert_eq!(uploads_begun("0-10"), 1);
    assert_eq!(uploads_begun("0-19"), 2);
    assert_eq!(uploads_begun("0-18446744073709551615"), 2);
}
