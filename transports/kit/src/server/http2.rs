//! HTTP/2, with the crate h2.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{Request, Response};
use longshore_core::{Algorithm, Digester};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{sleep, timeout};

use super::gate::{Gate, Gated};
use super::plan::{Answer, AnswerBody, Plan, Reply, SeenBody, SeenRequest, Then};
use super::{HASHED, PATIENCE, Shared};
use crate::work::{PERIOD, made};

/// Serves one connection to its end.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: Gated<S>,
    gate: &Arc<Gate>,
    shared: &Arc<Shared>,
) -> io::Result<()> {
    let mut requests = h2::server::handshake(stream).await.map_err(io::Error::other)?;
    let mut exchanges = tokio::task::JoinSet::new();
    let close = Arc::new(tokio::sync::Notify::new());
    loop {
        let accepted = tokio::select! {
            accepted = requests.accept() => accepted,
            () = close.notified() => return Ok(()),
        };
        let Some(accepted) = accepted else { break };
        let (request, respond) = accepted.map_err(io::Error::other)?;
        let (head, body) = request.into_parts();
        let seen = see(&Request::from_parts(head, ()));
        let exchange =
            Exchange { gate: Arc::clone(gate), shared: Arc::clone(shared), close: Arc::clone(&close), body, len: 0 };
        exchanges.spawn(exchange.run(seen, respond));
    }
    Ok(())
}

fn see(request: &Request<()>) -> SeenRequest {
    let mut fields: Vec<_> =
        request.headers().iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    if let Some(authority) = request.uri().authority() {
        fields.push(("host".to_owned(), authority.as_str().as_bytes().to_vec()));
    }
    SeenRequest {
        number: 0,
        is_http2: true,
        method: request.method().to_string(),
        target: request.uri().path_and_query().map(ToString::to_string).unwrap_or_default(),
        fields,
        body: SeenBody::default(),
        is_answered: false,
        is_over: false,
    }
}

/// One request and its answer.
struct Exchange {
    gate: Arc<Gate>,
    shared: Arc<Shared>,
    /// Ends the connection.
    close: Arc<tokio::sync::Notify>,
    body: RecvStream,
    len: u64,
}

impl Exchange {
    async fn run(self, seen: SeenRequest, respond: SendResponse<Bytes>) {
        let shared = Arc::clone(&self.shared);
        let (index, plan) = shared.see(seen);
        self.reply(index, plan, respond).await;
        shared.is_over(index);
    }

    async fn reply(mut self, index: usize, plan: Plan, mut respond: SendResponse<Bytes>) {
        if self.take(index, plan.take).await.is_err() {
            return;
        }
        if let Some(barrier) = &plan.barrier {
            barrier.wait().await;
        }
        let answer = match plan.reply {
            Reply::Answer(answer) => answer,
            Reply::Close => return self.close.notify_one(),
            Reply::Silence => {
                drop(timeout(PATIENCE, poll_fn(|context| respond.poll_reset(context))).await);
                return self.close.notify_one();
            }
        };
        if let Some(cut) = answer.cut {
            self.gate.limit_writes(cut);
        }
        // If the client disconnects in the middle, the request is recorded as not answered.
        let Ok(mut sending) = self.answer(&answer, index, &mut respond).await else { return };
        self.shared.answered(index);
        match answer.then {
            Then::Next => {}
            Then::Close => {
                // The connection ends after all bytes were sent.
                let is_out = async {
                    while !self.gate.is_stream_ended() {
                        sleep(Duration::from_millis(1)).await;
                    }
                };
                drop(timeout(PATIENCE, is_out).await);
                self.close.notify_one();
            }
            Then::ReadOn => {
                drop(timeout(PATIENCE, self.take(index, u64::MAX)).await);
                if let Some(sending) = &mut sending {
                    sending.send_reset(h2::Reason::NO_ERROR);
                }
            }
        }
    }

    /// Reads at most `most` bytes of the body.
    async fn take(&mut self, index: usize, most: u64) -> Result<(), h2::Error> {
        let mut digester = Digester::new(Algorithm::Sha256);
        while self.len < most {
            let piece = self.body.data().await.transpose()?;
            let taken = piece.as_ref().map_or(0, Bytes::len);
            self.len += taken as u64;
            if let Some(piece) = &piece
                && self.len <= HASHED
            {
                digester.update(piece);
            }
            // The window grows only after the bytes were read.
            self.body.flow_control().release_capacity(taken)?;
            let is_whole = piece.is_none();
            let digest = (self.len <= HASHED && is_whole).then(|| digester.clone().finish());
            self.shared.saw(index, SeenBody { len: self.len, digest, is_whole });
            if is_whole {
                break;
            }
        }
        Ok(())
    }

    async fn answer(
        &self,
        answer: &Answer,
        index: usize,
        respond: &mut SendResponse<Bytes>,
    ) -> Result<Option<SendStream<Bytes>>, h2::Error> {
        for status in &answer.interim {
            let mut interim = Response::new(());
            *interim.status_mut() = http::StatusCode::from_u16(*status).unwrap_or_default();
            respond.send_informational(interim)?;
        }
        let mut head = Response::builder().status(answer.status);
        for (name, value) in answer.all_fields(self.len) {
            head = head.header(name, value);
        }
        let bodiless = self.shared.is_head(index) || matches!(answer.status, 204 | 304);
        let len = match &answer.body {
            AnswerBody::Bytes(bytes) => Some(bytes.len() as u64),
            AnswerBody::Made(len) => Some(*len),
            AnswerBody::Endless => None,
        };
        if let Some(len) = len.filter(|_| !matches!(answer.status, 204 | 304)) {
            head = head.header("content-length", len);
        }
        let head = head.body(()).unwrap_or_default();
        let is_empty = bodiless || len == Some(0);
        // Only where a pause is meant: otherwise head and body go out together, and a cut at any byte falls into one write.
        if let Some(pause) = answer.late {
            sleep(pause).await;
        }
        let mut sending = respond.send_response(head, is_empty)?;
        if is_empty {
            return Ok(None);
        }
        if let Some(pause) = answer.late {
            sleep(pause).await;
        }
        match &answer.body {
            AnswerBody::Bytes(bytes) => send_bytes(&mut sending, answer, bytes).await?,
            AnswerBody::Made(len) => send_made(&mut sending, *len).await?,
            AnswerBody::Endless => send_made(&mut sending, u64::MAX).await?,
        }
        Ok(Some(sending))
    }
}

async fn send_bytes(sending: &mut SendStream<Bytes>, answer: &Answer, bytes: &Bytes) -> Result<(), h2::Error> {
    if let Some(stall) = answer.stall {
        sending.send_data(bytes.slice(..stall), false)?;
        sleep(PATIENCE).await;
        return Ok(());
    }
    let Some(pace) = answer.pace else { return sending.send_data(bytes.clone(), true) };
    for at in 0..bytes.len() {
        sending.send_data(bytes.slice(at..=at), false)?;
        sleep(pace.each).await;
    }
    sending.send_data(Bytes::new(), true)
}

async fn send_made(sending: &mut SendStream<Bytes>, len: u64) -> Result<(), h2::Error> {
    let pattern = made(PERIOD);
    let mut left = len;
    while left > 0 {
        let mut piece = pattern.slice(..left.min(PERIOD) as usize);
        left -= piece.len() as u64;
        while !piece.is_empty() {
            sending.reserve_capacity(piece.len());
            let granted = poll_fn(|context| sending.poll_capacity(context)).await;
            let Some(granted) = granted.transpose()? else { return Ok(()) };
            let part = piece.split_to(granted.min(piece.len()));
            let is_last = left == 0 && piece.is_empty();
            sending.send_data(part, is_last)?;
        }
    }
    Ok(())
}
