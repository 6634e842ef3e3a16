//! Rules about the heads of requests.

use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, COOKIE, TRANSFER_ENCODING};
use longshore_core::Tag;

use super::judged::numbers;
use super::{Judge, JudgedRequest};
use crate::registry::Registry;
use crate::report::Level;
use crate::request::ParsedRequest;
use crate::route::Route;
use crate::state::Upload;
use longshore_core::Row;

impl Registry {
    pub(crate) fn judge_head(&mut self, judged: &JudgedRequest, request: &ParsedRequest) {
        let upload = match &request.route {
            Route::Upload(_, id) => self.state.uploads.get(id),
            _ => None,
        };
        let announced_min = self.options.behaviour.start.chunk_min.is_some_and(|min| min.announced);
        let judge = &mut self.judge;
        judge.credentials(judged, request);
        judge.endpoint(judged, request);
        match request.row {
            Some(Row::PullManifest | Row::CheckManifest) if !request.headers.contains_key(ACCEPT) => {
                judge.record(judged, Level::Should, "accept", "a manifest is asked for without Accept");
            }
            Some(Row::StartUpload | Row::PostBlob | Row::StartUploadFor | Row::MountBlob) => {
                judge.post(judged, request);
            }
            Some(Row::SendChunk | Row::CloseUpload) => {
                judge.location(judged, request);
                judge.write(judged, request);
                if let Some(upload) = upload {
                    judge.order(judged, request, upload, announced_min);
                }
            }
            Some(Row::CheckUpload | Row::CancelUpload) => judge.location(judged, request),
            Some(Row::ListSomeTags) if request.query.first("last").is_some_and(|last| last.parse::<Tag>().is_err()) => {
                judge.record(judged, Level::Must, "last-is-a-tag", "last is not a tag");
            }
            _ => {}
        }
    }
}

impl Judge {
    fn credentials(&mut self, judged: &JudgedRequest, request: &ParsedRequest) {
        if request.at_storage && request.headers.contains_key(AUTHORIZATION) {
            let what = "Authorization was sent to another origin than the registry's";
            self.record(judged, Level::Must, "authorization-stays-home", what);
        }
        if request.headers.contains_key(COOKIE) {
            self.record(judged, Level::Quirk, "no-cookies", "a cookie was sent (cookies-trigger-csrf)");
        }
    }

    fn endpoint(&mut self, judged: &JudgedRequest, request: &ParsedRequest) {
        match &request.route {
            Route::Bare(_) => {
                let what = "the path of a new upload ends with a slash";
                self.record(judged, Level::Must, "trailing-slash", what);
            }
            // The spec asks for the state of an upload with GET alone.
            route
                if request.row.is_none() || (matches!(route, Route::Upload(..)) && request.method == Method::HEAD) =>
            {
                let what = format!("{} of this path is no endpoint of the spec", request.method);
                self.record(judged, Level::Should, "endpoint", what);
            }
            _ => {}
        }
    }

    fn post(&mut self, judged: &JudgedRequest, request: &ParsedRequest) {
        let has_length = request.headers.contains_key(CONTENT_LENGTH);
        if !has_length {
            self.record(judged, Level::Must, "content-length", "a POST has a Content-Length, 0 where it has no body");
        }
        if request.row == Some(Row::PostBlob) {
            self.octet_stream(judged, request);
        } else if request.content_length().is_some_and(|len| len > 0) {
            self.record(judged, Level::Must, "content-length", "a POST that begins an upload has a body");
        }
        let (mount, from) = (request.query.first("mount"), request.query.first("from"));
        if mount.is_some() && from.is_none() {
            let what = "a mount names no source (mount-without-from-rejected)";
            self.record(judged, Level::Quirk, "mount-names-its-source", what);
        }
        if mount.is_none() && from.is_some() {
            let what = "from without mount (mount-from-without-mount-405)";
            self.record(judged, Level::Quirk, "from-with-mount", what);
        }
        if request.query.first("origin").is_some() {
            let what = "origin is not of the spec (mount-origin-param-breaks-hub)";
            self.record(judged, Level::Quirk, "no-foreign-origin", what);
        }
    }

    /// Judges `PATCH` and `PUT`.
    fn write(&mut self, judged: &JudgedRequest, request: &ParsedRequest) {
        let is_patch = request.row == Some(Row::SendChunk);
        let streams = is_patch && !request.headers.contains_key(CONTENT_RANGE);
        if !request.headers.contains_key(CONTENT_LENGTH) && !streams {
            let what = "a chunk, and what ends an upload, has a Content-Length";
            self.record(judged, Level::Must, "content-length", what);
        }
        if request.row == Some(Row::CloseUpload) && request.query.first("digest").is_none() {
            self.record(judged, Level::Must, "digest", "what ends an upload names the digest of the blob");
        }
        if request.has_body() {
            self.octet_stream(judged, request);
        } else if is_patch && !request.headers.contains_key(TRANSFER_ENCODING) && request.content_length() == Some(0) {
            self.record(judged, Level::Quirk, "no-empty-chunk", "a chunk without a byte (patch-zero-length)");
        }
    }

    fn octet_stream(&mut self, judged: &JudgedRequest, request: &ParsedRequest) {
        if request.has_body() && request.content_type() != Some("application/octet-stream") {
            self.record(judged, Level::Should, "octet-stream", "the bytes of a blob are application/octet-stream");
        }
    }

    /// Judges whether chunks are sent in order, and have the headers that the spec requires.
    fn order(&mut self, judged: &JudgedRequest, request: &ParsedRequest, upload: &Upload, announced_min: bool) {
        let range = request.headers.get(CONTENT_RANGE).map(|range| range.to_str().unwrap_or_default());
        let Some(range) = range else {
            if request.row == Some(Row::SendChunk) && !upload.is_empty() {
                let what = "a second chunk has no Content-Range (patch-second-stream-400)";
                self.record(judged, Level::Quirk, "content-range", what);
            }
            if request.row == Some(Row::CloseUpload) && !upload.is_empty() && request.has_body() {
                let what = "a last chunk has no Content-Range (put-final-chunk-needs-content-range)";
                self.record(judged, Level::Quirk, "content-range", what);
            }
            return;
        };
        let Some((first, last)) = numbers(range) else {
            let what = "Content-Range is not of the form first-last";
            self.record(judged, Level::Must, "content-range-form", what);
            return;
        };
        if first != upload.len() {
            let what = format!("a chunk begins at {first} and not at {}", upload.len());
            if judged.upload.as_ref().and_then(|id| self.unanswered.get(id)) == Some(&first) {
                // The client does not know that the chunk arrived. A client SHOULD NOT repeat a PATCH without a means to
                // know that (RFC 9110, section 9.2.2): it asks for the state of the upload.
                let what =
                    format!("{what}: it is sent again, as its answer was lost, and the client did not ask first");
                self.record(judged, Level::Should, "chunk-order", what);
            } else {
                self.record(judged, Level::Must, "chunk-order", what);
            }
        }
        if request
            .content_length()
            .is_some_and(|len| last.checked_sub(first).and_then(|len| len.checked_add(1)) != Some(len))
        {
            let what = "Content-Range and Content-Length do not agree";
            self.record(judged, Level::Must, "content-range-form", what);
        }
        if request.row == Some(Row::CloseUpload) && upload.step == 0 && first == 0 {
            let what = "a whole blob carries Content-Range (content-range-on-monolithic-put)";
            self.record(judged, Level::Quirk, "no-range-on-whole-blob", what);
        }
        if upload.short && announced_min {
            let what = "a chunk before this one is shorter than OCI-Chunk-Min-Length";
            self.record(judged, Level::Should, "chunk-min-length", what);
        }
    }

    /// Judges whether a request is to a URL that the registry gave, byte for byte; if it has bytes, to the newest URL.
    fn location(&mut self, judged: &JudgedRequest, request: &ParsedRequest) {
        let Some(told) = judged.upload.as_ref().and_then(|id| self.told.get(id)) else { return };
        if request.query.first("via") == Some("proxy") {
            // A proxy redirected the request to this URL.
            return;
        }
        let is_at = |location: &str| {
            request.path_and_query.strip_prefix(location).is_some_and(|rest| {
                let rest = rest.strip_prefix(['?', '&']).unwrap_or(rest);
                rest.is_empty()
                    || (request.row == Some(Row::CloseUpload) && rest.starts_with("digest=") && !rest.contains('&'))
            })
        };
        if is_at(&told.newest) {
            return;
        }
        let old = told.all.iter().any(|location| is_at(location));
        if !old {
            let what = "the URL of the upload is not the one that the registry gave";
            self.record(judged, Level::Should, "location-verbatim", what);
        } else if matches!(request.method, Method::PATCH | Method::PUT) {
            let what = "the registry gave a newer URL for the upload";
            self.record(judged, Level::Should, "location-newest", what);
        }
    }
}
