//! Uploads with errors: chunks out of order, lost answers, expired uploads. `end-5`, `end-6` and `end-13`.

use http::Method;

use super::super::requirement::{Requirement, must, should};
use super::super::stop::Stop;

const ORDER: (&str, &str) = ("end-5", "pushing-a-blob-in-chunks");
const CLOSE: (&str, &str) = ("end-6", "pushing-a-blob-in-chunks");
const CUT: (&str, &str) = ("end-5", "https://www.rfc-editor.org/rfc/rfc9112#section-8");

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "push-trouble-gap",
        ORDER,
        "A chunk that leaves a gap is refused with 416",
        "If a chunk is uploaded out of order, the registry MUST respond with a 416 Requested Range Not Satisfiable code.",
        |registry| {
            let mut upload = registry.upload()?;
            upload.send_chunk(0, registry.text(100))?;
            upload.chunk(200, registry.text(100)).send()?.status(416).map(drop)
        },
    ),
    must(
        "push-trouble-first-gap",
        ORDER,
        "A first chunk that does not begin at 0 is refused with 416",
        "The first chunk's range MUST begin with 0.",
        |registry| registry.upload()?.chunk(100, registry.text(100)).send()?.status(416).map(drop),
    ),
    must(
        "push-trouble-overlap",
        ORDER,
        "A chunk that overlaps is refused with 416",
        "Chunks MUST be uploaded in order, with the first byte of a chunk being the last chunk's <end-of-range> plus one.",
        |registry| {
            let mut upload = registry.upload()?;
            upload.send_chunk(0, registry.text(100))?;
            upload.chunk(50, registry.text(100)).send()?.status(416).map(drop)
        },
    ),
    must(
        "push-trouble-repeated",
        ORDER,
        "The same chunk a second time is refused with 416",
        "If a chunk is uploaded out of order, the registry MUST respond with a 416 Requested Range Not Satisfiable code.",
        |registry| {
            let (chunk, mut upload) = (registry.text(100), registry.upload()?);
            upload.send_chunk(0, chunk.clone())?;
            upload.chunk(0, chunk).send()?.status(416).map(drop)
        },
    ),
    must(
        "push-trouble-repeated-blob",
        ORDER,
        "A chunk that was sent twice is in the blob once",
        "A GET request to an existing blob URL MUST provide the expected blob.",
        |registry| {
            let (blob, mut upload) = (registry.blob(200), registry.upload()?);
            upload.send_chunk(0, blob.bytes.slice(..100))?;
            let again = upload.chunk(0, blob.bytes.slice(..100)).send()?;
            upload.follow(&again);
            let rest = upload.chunk(100, blob.bytes.slice(100..)).send()?;
            if !rest.is_success() {
                return Err(rest.fail("the next chunk to be taken", rest.summary()));
            }
            upload.follow(&rest);
            upload.end(&blob)
        },
    ),
    should(
        "push-trouble-416-range",
        ORDER,
        "A 416 says where the upload is and how far",
        "A GET request may be used to retrieve the current valid offset and upload location: the reference registry says them with the 416.",
        |registry| {
            let mut upload = registry.upload()?;
            upload.send_chunk(0, registry.text(100))?;
            let received = upload.chunk(200, registry.text(100)).send()?.status(416)?;
            received.location()?;
            received.says("range", "0-99").map(drop)
        },
    ),
    must(
        "push-trouble-state-after-416",
        ("end-13", "pushing-a-blob-in-chunks"),
        "After a 416, GET of the upload says how far it is",
        "To get the current status after a 416 error, issue a GET request to a URL <blob-push-location>.",
        |registry| {
            let mut upload = registry.upload()?;
            upload.send_chunk(0, registry.text(100))?;
            let refused = upload.chunk(200, registry.text(100)).send()?;
            if refused.is_success() {
                return Err(Stop::NotPrepared("the chunk was taken".to_owned()));
            }
            upload.state().send()?.status(204)?.says("range", "0-99").map(drop)
        },
    ),
    must(
        "push-trouble-malformed-range",
        ORDER,
        "A Content-Range with a unit, as HTTP has it, is refused or understood, never misread",
        "It MUST match the following regular expression: ^[0-9]+-[0-9]+$",
        |registry| {
            let (blob, upload) = (registry.blob(100), registry.upload()?);
            let patch = upload.patch(blob.bytes.clone()).header("content-range", "bytes 0-99/*");
            let received = patch.send()?;
            if !received.is_success() {
                return received.refused().map(drop);
            }
            received.says("range", "0-99").map(drop)
        },
    ),
    should(
        "push-trouble-range-length",
        ("end-5", "error-codes"),
        "A Content-Range that is longer than its body is refused",
        "SIZE_INVALID: provided length did not match content length.",
        |registry| {
            let upload = registry.upload()?;
            let patch = upload.patch(registry.text(100)).header("content-range", "0-199");
            patch.send()?.refused().map(drop)
        },
    ),
    should(
        "push-trouble-range-backwards",
        ORDER,
        "A Content-Range that ends before it begins is refused",
        "Content-Range MUST be inclusive on both ends.",
        |registry| {
            let upload = registry.upload()?;
            let patch = upload.patch(registry.text(100)).header("content-range", "99-0");
            patch.send()?.refused().map(drop)
        },
    ),
    should(
        "push-trouble-empty-chunk",
        ORDER,
        "A chunk without a byte is taken or refused, and the upload lives on",
        "<range> is inclusive on both ends: a chunk without a byte has none, and none can be said.",
        |registry| {
            let (blob, mut upload) = (registry.blob(100), registry.upload()?);
            let empty = upload.patch("").send()?;
            if !empty.is_success() {
                empty.clone().refused()?;
            }
            upload.follow(&empty);
            upload.takes(upload.chunk(0, blob.bytes.clone()))?;
            upload.end(&blob)
        },
    ),
    must(
        "push-trouble-last-gap",
        CLOSE,
        "A last chunk in the PUT that leaves a gap is refused with 416",
        "If the final chunk is uploaded out of order, the registry MUST respond with a 416 Requested Range Not Satisfiable code.",
        |registry| {
            let (blob, mut upload) = (registry.blob(300), registry.upload()?);
            upload.send_chunk(0, blob.bytes.slice(..100))?;
            let close = upload.close_with(blob.digest, 200, blob.bytes.slice(200..));
            close.send()?.status(416).map(drop)
        },
    ),
    must(
        "push-trouble-last-gap-not-stored",
        CLOSE,
        "A blob whose last chunk left a gap is not stored",
        "If the final chunk is uploaded out of order, the registry MUST respond with a 416 Requested Range Not Satisfiable code.",
        |registry| {
            let (blob, mut upload) = (registry.blob(300), registry.upload()?);
            upload.send_chunk(0, blob.bytes.slice(..100))?;
            let close = upload.close_with(blob.digest, 200, blob.bytes.slice(200..));
            close.send()?.refused()?;
            registry.get(&blob.path()).send()?.status(404).map(drop)
        },
    ),
    must(
        "push-trouble-incomplete",
        CLOSE,
        "An upload that is closed too early is not stored",
        "The closing PUT request MUST include the <digest> of the whole blob.",
        |registry| {
            let (blob, mut upload) = (registry.blob(300), registry.upload()?);
            upload.send_chunk(0, blob.bytes.slice(..200))?;
            upload.close(blob.digest).send()?.refused()?;
            registry.get(&blob.path()).send()?.status(404).map(drop)
        },
    ),
    must(
        "push-trouble-lost-answer",
        ("end-13", "pushing-a-blob-in-chunks"),
        "After a chunk whose answer was lost, GET at the location before it says how far the upload is",
        "The <blob-push-location> refers to the URL obtained from any preceding POST or PATCH request.",
        |registry| {
            let upload = registry.upload()?;
            upload.chunk(0, registry.text(100)).send_and_forget()?;
            upload.state().send()?.status(204)?.says("range", "0-99").map(drop)
        },
    ),
    must(
        "push-trouble-lost-answer-resume",
        ("end-13", "pushing-a-blob-in-chunks"),
        "An upload whose answer was lost goes on where its state says",
        "The following chunk upload SHOULD use the <blob-push-location> provided in the response.",
        |registry| {
            let (blob, mut upload) = (registry.blob(200), registry.upload()?);
            upload.chunk(0, blob.bytes.slice(..100)).send_and_forget()?;
            let state = upload.state().send()?.status(204)?;
            upload.follow(&state);
            upload.takes(upload.chunk(100, blob.bytes.slice(100..)))?;
            upload.end(&blob)?;
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    should(
        "push-trouble-close-twice",
        CLOSE,
        "A closing PUT whose answer was lost, sent again, is answered with 201 or 404, and the blob is there",
        "BLOB_UPLOAD_UNKNOWN: blob upload unknown to registry.",
        |registry| {
            let (blob, upload) = (registry.blob(200), registry.upload()?);
            upload.close_whole(&blob).send_and_forget()?;
            upload.close_whole(&blob).send()?.status_of(&[201, 404])?;
            upload.became(blob.digest);
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "push-trouble-cut-put",
        CUT,
        "A PUT that was cut stores nothing",
        "A message body is incomplete if fewer octets came than Content-Length says; an incomplete request is no request (RFC 9112, 8).",
        |registry| {
            let (blob, upload) = (registry.blob(3000), registry.upload()?);
            upload.close(blob.digest).broken_off(blob.bytes.slice(..1000), 3000).send_and_forget()?;
            registry.get(&blob.path()).send()?.status(404).map(drop)
        },
    ),
    should(
        "push-trouble-cut-patch",
        CUT,
        "After a PATCH that was cut, the upload goes on from where its state says, or is gone",
        "A GET request may be used to retrieve the current valid offset and upload location.",
        |registry| {
            let (blob, mut upload) = (registry.blob(3000), registry.upload()?);
            upload.patch("").broken_off(blob.bytes.slice(..1000), 3000).send_and_forget()?;
            let state = upload.state().send()?.status_of(&[204, 404])?;
            if state.code() == 404 {
                return Ok(());
            }
            upload.follow(&state);
            let from = match state.header_if_any("range")?.as_deref() {
                None | Some("0-0") => 0,
                Some(range) => {
                    let last = range.rsplit_once('-').and_then(|(_, last)| last.parse::<usize>().ok());
                    last.map_or(0, |last| last + 1)
                }
            };
            if from > 1000 {
                return Err(state.fail("at most the 1000 bytes that were sent", format!("{from} bytes")));
            }
            upload.takes(upload.chunk(from, blob.bytes.slice(from..)))?;
            upload.end(&blob)?;
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "push-trouble-dead-session",
        ("end-5", "endpoints"),
        "A chunk for an upload that is over is refused with 404",
        "end-5: failure 404/416.",
        |registry| {
            let (blob, upload) = (registry.blob(100), registry.upload()?);
            upload.close_whole(&blob).send()?.prepared()?;
            upload.chunk(0, registry.text(100)).send()?.status(404)?;
            upload.became(blob.digest);
            Ok(())
        },
    ),
    must(
        "push-trouble-dead-session-code",
        ("end-5", "error-codes"),
        "Where the refusal of a chunk for an upload that is over is JSON, its code is BLOB_UPLOAD_UNKNOWN",
        "BLOB_UPLOAD_UNKNOWN: blob upload unknown to registry.",
        |registry| {
            let (blob, upload) = (registry.blob(100), registry.upload()?);
            upload.close_whole(&blob).send()?.prepared()?;
            let refused = upload.chunk(0, registry.text(100)).send()?.refused()?;
            refused.error(&["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID"])?;
            upload.became(blob.digest);
            Ok(())
        },
    ),
    must(
        "push-trouble-invented-session",
        ("end-5", "endpoints"),
        "A chunk for an upload that never was is refused with 404",
        "end-5: failure 404/416. The location SHOULD NOT be assembled manually by clients.",
        |registry| {
            registry.shared_blob()?;
            let path = "blobs/uploads/00000000-0000-4000-8000-000000000000";
            let patch = registry.request(Method::PATCH, registry.repository(), path);
            patch.bytes(registry.text(100)).send()?.status_of(&[400, 404]).map(drop)
        },
    ),
];
