//! One request after another.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::Body as _;

use super::log::Entry;
use super::{Shared, body};
use crate::storage::StorageError;
use crate::{Answer, Body, BodyEnd, Delivery, Opened, Progress, RequestId};

/// How many bytes of a body that no longer matters are taken in, so that a client reads its answer before the end.
const DRAIN: u64 = 16 << 20;

/// Answers one request.
pub(super) async fn handle(State(shared): State<Shared>, request: Request) -> Result<Response, StatusCode> {
    let (head, body) = request.into_parts();
    let mut entry = Entry::of(&head);
    let opened = shared.call(move |registry, now| registry.open(now, head)).await?;
    let answer = match opened {
        Opened::Answer(answer) => {
            drain(body);
            answer
        }
        Opened::Body(id) => receive(&shared, id, body, &mut entry).await?,
    };
    entry.answered(&answer);
    shared.log.write(&entry);
    shared.respond(answer).await
}

/// Hands a body to the registry, and gives its answer.
async fn receive(
    shared: &Shared,
    id: RequestId,
    mut body: axum::body::Body,
    entry: &mut Entry,
) -> Result<Answer, StatusCode> {
    let unfinished = Unfinished { shared, id: Some(id) };
    let how = loop {
        match body::next(&mut body).await {
            None => break BodyEnd::Complete,
            Some(Err(_)) => break BodyEnd::Cut,
            Some(Ok(bytes)) => {
                entry.received += bytes.len() as u64;
                if let Progress::Answer(answer) = shared.call(move |registry, _| registry.piece(id, &bytes)).await? {
                    unfinished.defuse();
                    drain(body);
                    return Ok(answer);
                }
            }
        }
    };
    unfinished.defuse();
    shared.call(move |registry, now| registry.close(now, id, how)).await
}

/// a request whose client may go away at any `await`: then its body is cut.
struct Unfinished<'a> {
    shared: &'a Shared,
    id: Option<RequestId>,
}

impl Unfinished<'_> {
    fn defuse(mut self) {
        self.id = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            let now = self.shared.now();
            self.shared.lock().close(now, id, BodyEnd::Cut);
        }
    }
}

/// Takes in what is left of a body that does not matter any more, up to a limit, beside the answer.
fn drain(mut body: axum::body::Body) {
    let empty = body.is_end_stream()
        || matches!(pin!(body::next(&mut body)).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(None));
    if !empty {
        tokio::spawn(async move {
            let mut taken = 0;
            while let Some(Ok(bytes)) = body::next(&mut body).await {
                taken += bytes.len() as u64;
                if taken > DRAIN {
                    return;
                }
            }
        });
    }
}

impl Shared {
    async fn respond(&self, answer: Answer) -> Result<Response, StatusCode> {
        let Answer { status, headers, body, delivery, .. } = answer;
        if let Delivery::Late(micros) = delivery {
            tokio::time::sleep(Duration::from_micros(micros)).await;
        }
        if delivery == Delivery::Lost {
            return Ok(Response::new(axum::body::Body::new(body::lost())));
        }
        let body = match body {
            Body::Bytes(bytes) => axum::body::Body::from(bytes),
            Body::Blob { digest, range } => {
                let opened = self.call(move |registry, _| registry.blob_bytes(&digest)).await?;
                match opened {
                    Ok(bytes) => axum::body::Body::new(body::blob(bytes, range)),
                    Err(error) => return Ok(failed(&error)),
                }
            }
        };
        let body = match delivery {
            Delivery::CutAfter(bytes) => axum::body::Body::new(body::cut(body, bytes)),
            Delivery::Whole | Delivery::Lost | Delivery::Late(_) => body,
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// For a blob that the records have and the storage cannot give.
fn failed(error: &StorageError) -> Response {
    let mut response = Response::new(axum::body::Body::from(Bytes::from(error.to_string())));
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
