//! One request and its answer.

use std::sync::Arc;

use ::http::{Request, Response, Uri};
use http_body::Body as _;
use longshore_core::Target;
use longshore_core::driver::{Body, Input, Keep, Key, Limits, NoAnswer, RequestId};
use longshore_http_body::{open, receive};
use longshore_sources::IncomingAnswer;
use reqwest::Url;

use crate::shared::Shared;
use crate::words;

/// Sends one request, and returns the input for the core.
pub(crate) async fn run<K: Key + Send + 'static>(
    shared: &Arc<Shared<K>>,
    id: RequestId,
    request: Request<Body<K>>,
    keep: Keep<K>,
    limits: Limits,
) -> Input<K> {
    answer(shared, id, request, keep, limits).await.unwrap_or_else(|why| Input::Failed { id, why })
}

async fn answer<K: Key + Send + 'static>(
    shared: &Arc<Shared<K>>,
    id: RequestId,
    request: Request<Body<K>>,
    keep: Keep<K>,
    limits: Limits,
) -> Result<Input<K>, NoAnswer> {
    let (head, body) = request.into_parts();
    let url = url(&head.uri)?;
    let target = Target::parse(url.as_str()).map_err(|error| NoAnswer::Unsendable(error.to_string()))?;
    let (origin, silence) = (target.origin(), limits.silence);
    let client = shared.http.client(origin, body.len(), &limits)?;
    let teller = Arc::clone(shared);
    let tell = move |input| teller.tell(input);
    let (body, transfer) = open(&shared.reading, id, body, |key| shared.source(key), tell).await?;
    let mut request = reqwest::Request::new(head.method, url);
    *request.headers_mut() = head.headers;
    *request.body_mut() = (!body.is_end_stream()).then(|| reqwest::Body::wrap(body));
    let mut answer = match transfer.unless_silent(silence, client.execute(request)).await {
        Some(Ok(answer)) => answer,
        Some(Err(error)) => return Err(transfer.failure().unwrap_or_else(|| words::no_answer(&error, origin))),
        None => return Err(NoAnswer::Lost(format!("{origin} was silent for {} seconds", silence.as_secs()))),
    };
    let head = take_head(&mut answer);
    let received = IncomingAnswer::new(id, head, keep, limits, |key| shared.sink(key))?;
    receive(received, reqwest::Body::from(answer), transfer, silence).await
}

/// The URL for reqwest, if reqwest keeps every byte of it.
pub(crate) fn url(uri: &Uri) -> Result<Url, NoAnswer> {
    let text = uri.to_string();
    let unsendable = |why: String| NoAnswer::Unsendable(why);
    let url = Url::parse(&text).map_err(|error| unsendable(format!("it takes the URL for none: {error}")))?;
    let same = Some(url.scheme()) == uri.scheme_str()
        && url.host_str() == uri.host()
        && url.port_or_known_default() == uri.port_u16().or(url.port_or_known_default())
        && (url.path(), url.query(), url.fragment()) == (uri.path(), uri.query(), None);
    if same { Ok(url) } else { Err(unsendable("it would change the URL".to_owned())) }
}

/// Takes the head of an answer.
pub(crate) fn take_head(answer: &mut reqwest::Response) -> Response<()> {
    let mut head = Response::new(());
    *head.status_mut() = answer.status();
    *head.version_mut() = answer.version();
    *head.headers_mut() = std::mem::take(answer.headers_mut());
    head
}

#[cfg(test)]
mod tests;
