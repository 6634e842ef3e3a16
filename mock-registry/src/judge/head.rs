//! Rules about heads.

use http::Method;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, COOKIE, TRANSFER_ENCODING};
use longshore_core::Tag;

use super::{Case, Judge, Weight};
use crate::answer::Row;
use crate::registry::Registry;
use crate::request::Asked;
use crate::route::Route;
use crate::state::Upload;

impl Registry {
    pub(crate) fn judge_head(&mut self, case: &Case, asked: &Asked) {
        let upload = match &asked.route {
            Route::Upload(_, id) => self.state.uploads.get(id),
            _ => None,
        };
        let announced_min = self.options.behaviour.start.chunk_min.is_some_and(|min| min.announced);
        let judge = &mut self.judge;
        judge.credentials(case, asked);
        judge.endpoint(case, asked);
        match asked.row {
            Row::End3 if !asked.headers.contains_key(ACCEPT) => {
                judge.record(case, Weight::Should, "accept", "a manifest is asked for without Accept");
            }
            Row::End4a | Row::End4b | Row::End4c | Row::End11 => judge.post(case, asked),
            Row::End5 | Row::End6 => {
                judge.location(case, asked);
                judge.write(case, asked);
                if let Some(upload) = upload {
                    judge.order(case, asked, upload, announced_min);
                }
            }
            Row::End13 | Row::End14 => judge.location(case, asked),
            Row::End8b if asked.query.first("last").is_some_and(|last| last.parse::<Tag>().is_err()) => {
                judge.record(case, Weight::Must, "last-is-a-tag", "last is not a tag");
            }
            _ => {}
        }
    }
}

impl Judge {
    fn credentials(&mut self, case: &Case, asked: &Asked) {
        if asked.at_storage && asked.headers.contains_key(AUTHORIZATION) {
            let what = "Authorization was sent to another origin than the registry's";
            self.record(case, Weight::Must, "authorization-stays-home", what);
        }
        if asked.headers.contains_key(COOKIE) {
            self.record(case, Weight::Quirk, "no-cookies", "a cookie was sent (cookies-trigger-csrf)");
        }
    }

    fn endpoint(&mut self, case: &Case, asked: &Asked) {
        match &asked.route {
            Route::Bare(_) => {
                let what = "the path of a new upload ends with a slash";
                self.record(case, Weight::Must, "trailing-slash", what);
            }
            _ if asked.row == Row::Other => {
                let what = format!("{} of this path is no endpoint of the spec", asked.method);
                self.record(case, Weight::Should, "endpoint", what);
            }
            _ => {}
        }
    }

    fn post(&mut self, case: &Case, asked: &Asked) {
        let has_length = asked.headers.contains_key(CONTENT_LENGTH);
        if !has_length {
            self.record(case, Weight::Must, "content-length", "a POST has a Content-Length, 0 where it has no body");
        }
        if asked.row == Row::End4b {
            self.octet_stream(case, asked);
        } else if asked.content_length().is_some_and(|len| len > 0) {
            self.record(case, Weight::Must, "content-length", "a POST that begins an upload has a body");
        }
        let (mount, from) = (asked.query.first("mount"), asked.query.first("from"));
        if mount.is_some() && from.is_none() {
            let what = "a mount names no source (mount-without-from-rejected)";
            self.record(case, Weight::Quirk, "mount-names-its-source", what);
        }
        if mount.is_none() && from.is_some() {
            let what = "from without mount (mount-from-without-mount-405)";
            self.record(case, Weight::Quirk, "from-with-mount", what);
        }
        if asked.query.first("origin").is_some() {
            let what = "origin is not of the spec (mount-origin-param-breaks-hub)";
            self.record(case, Weight::Quirk, "no-foreign-origin", what);
        }
    }

    /// `PATCH` and `PUT`.
    fn write(&mut self, case: &Case, asked: &Asked) {
        let is_patch = asked.row == Row::End5;
        let streams = is_patch && !asked.headers.contains_key(CONTENT_RANGE);
        if !asked.headers.contains_key(CONTENT_LENGTH) && !streams {
            let what = "a chunk, and what ends an upload, has a Content-Length";
            self.record(case, Weight::Must, "content-length", what);
        }
        if asked.row == Row::End6 && asked.query.first("digest").is_none() {
            self.record(case, Weight::Must, "digest", "what ends an upload names the digest of the blob");
        }
        if asked.has_body() {
            self.octet_stream(case, asked);
        } else if is_patch && !asked.headers.contains_key(TRANSFER_ENCODING) && asked.content_length() == Some(0) {
            self.record(case, Weight::Quirk, "no-empty-chunk", "a chunk without a byte (patch-zero-length)");
        }
    }

    fn octet_stream(&mut self, case: &Case, asked: &Asked) {
        if asked.has_body() && asked.content_type() != Some("application/octet-stream") {
            self.record(case, Weight::Should, "octet-stream", "the bytes of a blob are application/octet-stream");
        }
    }

    /// Whether chunks come one after the other, and say so as the spec wants it.
    fn order(&mut self, case: &Case, asked: &Asked, upload: &Upload, announced_min: bool) {
        let range = asked.headers.get(CONTENT_RANGE).map(|range| range.to_str().unwrap_or_default());
        let Some(range) = range else {
            if asked.row == Row::End5 && !upload.is_empty() {
                let what = "a second chunk has no Content-Range (patch-second-stream-400)";
                self.record(case, Weight::Quirk, "content-range", what);
            }
            if asked.row == Row::End6 && !upload.is_empty() && asked.has_body() {
                let what = "a last chunk has no Content-Range (put-final-chunk-needs-content-range)";
                self.record(case, Weight::Quirk, "content-range", what);
            }
            return;
        };
        let Some((first, last)) = numbers(range) else {
            let what = "Content-Range is not of the form first-last";
            self.record(case, Weight::Must, "content-range-form", what);
            return;
        };
        if first != upload.len() {
            let what = format!("a chunk begins at {first} and not at {}", upload.len());
            self.record(case, Weight::Must, "chunk-order", what);
        }
        if asked
            .content_length()
            .is_some_and(|len| last.checked_sub(first).and_then(|len| len.checked_add(1)) != Some(len))
        {
            let what = "Content-Range and Content-Length do not agree";
            self.record(case, Weight::Must, "content-range-form", what);
        }
        if asked.row == Row::End6 && upload.step == 0 && first == 0 {
            let what = "a whole blob carries Content-Range (content-range-on-monolithic-put)";
            self.record(case, Weight::Quirk, "no-range-on-whole-blob", what);
        }
        if upload.short && announced_min {
            let what = "a chunk before this one is shorter than OCI-Chunk-Min-Length";
            self.record(case, Weight::Should, "chunk-min-length", what);
        }
    }

    /// Whether a request went to the URL that the registry gave, byte for byte; for the next bytes, to the newest one.
    fn location(&mut self, case: &Case, asked: &Asked) {
        let Some(told) = case.upload.as_ref().and_then(|id| self.told.get(id)) else { return };
        if asked.query.first("via") == Some("proxy") {
            // Somebody on the way sent it here.
            return;
        }
        let is_at = |location: &str| {
            asked.path_and_query.strip_prefix(location).is_some_and(|rest| {
                let rest = rest.strip_prefix(['?', '&']).unwrap_or(rest);
                rest.is_empty() || (asked.row == Row::End6 && rest.starts_with("digest=") && !rest.contains('&'))
            })
        };
        if is_at(&told.newest) {
            return;
        }
        let old = told.all.iter().any(|location| is_at(location));
        if !old {
            let what = "the URL of the upload is not the one that the registry gave";
            self.record(case, Weight::Should, "location-verbatim", what);
        } else if matches!(asked.method, Method::PATCH | Method::PUT) {
            let what = "the registry gave a newer URL for the upload";
            self.record(case, Weight::Should, "location-newest", what);
        }
    }
}

fn numbers(range: &str) -> Option<(u64, u64)> {
    let (first, last) = range.split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits { text.parse().ok() } else { None }
    };
    Some((number(first)?, number(last)?))
}
