//! Pushing blobs in chunks: `end-5`, `end-6`, `end-13` and `end-14`.

use super::super::requirement::{Requirement, may, must, should};
use super::super::stop::Stop;

const CHUNKED: (&str, &str) = ("end-5", "pushing-a-blob-in-chunks");
const CLOSE: (&str, &str) = ("end-6", "pushing-a-blob-in-chunks");
const STATE: (&str, &str) = ("end-13", "pushing-a-blob-in-chunks");
const CANCEL: (&str, &str) = ("end-14", "cancel-a-blob-upload");

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "push-chunk-first",
        CHUNKED,
        "A first chunk is answered with 202",
        "The response for each successful chunk upload MUST be 202 Accepted.",
        |registry| {
            let upload = registry.upload()?;
            upload.chunk(0, registry.text(100)).send()?.status(202).map(drop)
        },
    ),
    must(
        "push-chunk-location",
        CHUNKED,
        "The answer to a chunk has the Location for the next one",
        "The response MUST have the following headers: Location: <blob-push-location>.",
        |registry| {
            let upload = registry.upload()?;
            let received = upload.chunk(0, registry.text(100)).send()?.prepared()?;
            received.location().map(drop)
        },
    ),
    must(
        "push-chunk-range",
        CHUNKED,
        "The Range of the answer to a chunk ends at its last byte",
        "Range: 0-<end-of-range>. The <end-of-range> value is the position of the last uploaded byte of the blob, matching the end value of the Content-Range in the request.",
        |registry| {
            let upload = registry.upload()?;
            upload.chunk(0, registry.text(100)).send()?.prepared()?.says("range", "0-99").map(drop)
        },
    ),
    must(
        "push-chunk-second-range",
        CHUNKED,
        "The Range of the answer to a second chunk counts from the beginning of the blob",
        "Range: 0-<end-of-range>. The <end-of-range> value is the position of the last uploaded byte of the blob.",
        |registry| {
            let mut upload = registry.upload()?;
            upload.send_chunk(0, registry.text(100))?;
            upload.chunk(100, registry.text(50)).send()?.prepared()?.says("range", "0-149").map(drop)
        },
    ),
    must(
        "push-chunk-blob",
        CLOSE,
        "A blob of three chunks, closed without a body, comes back as it was",
        "Regardless of how the final chunk is uploaded, the session MUST be closed with a PUT request. The response MUST be 201 Created.",
        |registry| {
            let (blob, mut upload) = (registry.blob(300), registry.upload()?);
            for from in [0, 100, 200] {
                upload.send_chunk(from, blob.bytes.slice(from..from + 100))?;
            }
            upload.close(blob.digest).send()?.status(201)?;
            upload.became(blob.digest);
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "push-chunk-last-in-put",
        CLOSE,
        "The last chunk may come with the PUT",
        "The final chunk MAY be uploaded using a PATCH request or it MAY be uploaded in the closing PUT request.",
        |registry| {
            let (blob, mut upload) = (registry.blob(300), registry.upload()?);
            upload.send_chunk(0, blob.bytes.slice(..200))?;
            let closed = upload.close_with(blob.digest, 200, blob.bytes.slice(200..));
            closed.send()?.status(201)?;
            upload.became(blob.digest);
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "push-chunk-close-location",
        CLOSE,
        "The answer to the closing PUT has the blob's Location",
        "The response MUST contain the following header: Location: <blob-location>. Here, <blob-location> is a pullable blob URL.",
        |registry| {
            let (blob, mut upload) = (registry.blob(200), registry.upload()?);
            upload.send_chunk(0, blob.bytes.clone())?;
            let closed = upload.close(blob.digest).send()?.prepared()?;
            upload.became(blob.digest);
            let location = closed.location();
            let get = registry.request_to(http::Method::GET, registry.repository(), location);
            get.send()?.status(200)?.body(&blob.bytes).map(drop)
        },
    ),
    should(
        "push-chunk-streamed",
        ("end-5", "https://www.rfc-editor.org/rfc/rfc9112#section-7.1"),
        "A whole blob in one PATCH without Content-Range is taken, its length not announced",
        "A recipient MUST be able to parse and decode the chunked transfer coding; clients stream blobs whose length they do not know.",
        |registry| {
            let (blob, mut upload) = (registry.blob(300), registry.upload()?);
            upload.takes(upload.patch("").streamed(blob.bytes.clone()))?;
            upload.end(&blob)?;
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    should(
        "push-chunk-without-range",
        CHUNKED,
        "A whole blob in one PATCH without Content-Range is taken",
        "Content-Range: <range>: older clients, and those that stream, do not send it.",
        |registry| {
            let (blob, mut upload) = (registry.blob(300), registry.upload()?);
            upload.takes(upload.patch(blob.bytes.clone()))?;
            upload.end(&blob)
        },
    ),
    must(
        "push-chunk-one-byte",
        CHUNKED,
        "A chunk may be a single byte, if no least length is announced",
        "If the registry provides an OCI-Chunk-Min-Length header in the POST response, the size of each chunk SHOULD be greater or equal to that value.",
        |registry| {
            let post = registry.post("blobs/uploads/").send()?;
            let least = post.header_if_any("oci-chunk-min-length")?;
            if least.is_some_and(|least| least != "0" && least != "1") {
                return Err(Stop::unsupported("a least length is announced"));
            }
            let (blob, mut upload) = (registry.blob(3), registry.opened(registry.repository(), &post)?);
            for from in 0..3 {
                upload.takes(upload.chunk(from, blob.bytes.slice(from..=from)))?;
            }
            upload.end(&blob)
        },
    ),
    may(
        "push-chunk-min-length",
        ("end-4a", "pushing-a-blob-in-chunks"),
        "Where a least length of chunks is announced, it is a number of bytes",
        "If the registry has a minimum chunk size, the POST response SHOULD include the header OCI-Chunk-Min-Length: <size>, where <size> is the size in bytes.",
        |registry| {
            let post = registry.post("blobs/uploads/").send()?.status(202)?;
            registry.opened(registry.repository(), &post)?;
            match post.header_if_any("oci-chunk-min-length")? {
                None => Err(Stop::unsupported("no least length is announced")),
                Some(least) if least.parse::<u64>().is_ok() => Ok(()),
                Some(least) => Err(post.fail("a number of bytes", least)),
            }
        },
    ),
    must(
        "push-chunk-after-wrong-chunk",
        CHUNKED,
        "A chunk that was refused leaves nothing behind: the right one is taken then",
        "A GET request may be used to retrieve the current valid offset and upload location.",
        |registry| {
            let (blob, mut upload) = (registry.blob(300), registry.upload()?);
            upload.send_chunk(0, blob.bytes.slice(..100))?;
            let refused = upload.chunk(200, blob.bytes.slice(200..)).send()?;
            if refused.is_success() {
                return Err(refused.fail("a refusal", refused.summary()));
            }
            upload.follow(&refused);
            upload.takes(upload.chunk(100, blob.bytes.slice(100..)))?;
            upload.end(&blob)?;
            registry.serves(&blob.path(), &blob.bytes)
        },
    ),
    must(
        "push-chunk-state",
        STATE,
        "GET of an open upload answers 204",
        "The response to an active upload <blob-push-location> MUST be a 204 No Content response code.",
        |registry| {
            let mut upload = registry.upload()?;
            upload.send_chunk(0, registry.text(100))?;
            upload.state().send()?.status(204).map(drop)
        },
    ),
    must(
        "push-chunk-state-range",
        STATE,
        "The Range of an open upload ends at the last byte that came",
        "The response MUST have the following headers: Range: 0-<end-of-range>. The <end-of-range> value is the position of the last uploaded byte of the blob.",
        |registry| {
            let mut upload = registry.upload()?;
            upload.send_chunk(0, registry.text(100))?;
            upload.state().send()?.prepared()?.says("range", "0-99").map(drop)
        },
    ),
    must(
        "push-chunk-state-location",
        STATE,
        "The state of an open upload has the Location for the next chunk, and that one is taken there",
        "The response MUST have the following headers: Location: <blob-push-location>. The following chunk upload SHOULD use the <blob-push-location> provided in the response.",
        |registry| {
            let mut upload = registry.upload()?;
            upload.send_chunk(0, registry.text(100))?;
            let state = upload.state().send()?.prepared()?;
            upload.location = state.location()?;
            upload.chunk(100, registry.text(100)).send()?.done().map(drop)
        },
    ),
    must(
        "push-chunk-state-fresh",
        STATE,
        "GET of an upload without a byte answers 204",
        "The response to an active upload <blob-push-location> MUST be a 204 No Content response code.",
        |registry| registry.upload()?.state().send()?.status(204).map(drop),
    ),
    should(
        "push-chunk-state-closed",
        STATE,
        "GET of an upload that was closed answers 404",
        "end-13: failure 404. BLOB_UPLOAD_UNKNOWN: blob upload unknown to registry.",
        |registry| {
            let (blob, upload) = (registry.blob(100), registry.upload()?);
            upload.close_whole(&blob).send()?.prepared()?;
            upload.state().send()?.status(404)?;
            upload.became(blob.digest);
            Ok(())
        },
    ),
    should(
        "push-chunk-cancel",
        CANCEL,
        "DELETE of an upload answers 204",
        "If successful, the response SHOULD be a 204 No Content response code.",
        |registry| {
            let received = registry.upload()?.cancel().send()?;
            match received.code() {
                400 | 405 => Err(Stop::unsupported("uploads cannot be cancelled")),
                _ => received.status(204).map(drop),
            }
        },
    ),
    must(
        "push-chunk-cancelled",
        CANCEL,
        "What is sent to an upload that was cancelled is refused with 404",
        "end-5: failure 404/416. BLOB_UPLOAD_UNKNOWN: blob upload unknown to registry.",
        |registry| {
            let upload = registry.upload()?;
            upload.cancelled()?;
            upload.chunk(0, registry.text(100)).send()?.status(404).map(drop)
        },
    ),
    must(
        "push-chunk-cancelled-state",
        CANCEL,
        "GET of an upload that was cancelled answers 404",
        "end-13: failure 404.",
        |registry| {
            let upload = registry.upload()?;
            upload.cancelled()?;
            upload.state().send()?.status(404).map(drop)
        },
    ),
    should(
        "push-chunk-cancel-twice",
        CANCEL,
        "DELETE of an upload that was cancelled answers 404",
        "end-14: failure 404/400.",
        |registry| {
            let upload = registry.upload()?;
            upload.cancelled()?;
            upload.cancel().send()?.status_of(&[400, 404]).map(drop)
        },
    ),
];
