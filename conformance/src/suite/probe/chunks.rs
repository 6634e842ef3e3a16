//! Probes of chunks and of the state of uploads.

use serde_json::{Value, json};

use super::super::stop::Stop;
use super::super::upload::Upload;
use super::{Notes, Probe};

pub(super) const PROBES: &[Probe] = &[
    Probe { id: "probe-chunks", ask: chunks },
    Probe { id: "probe-chunks-streamed", ask: streamed },
    Probe { id: "probe-chunks-order", ask: order },
    Probe { id: "probe-chunks-overlap", ask: overlap },
    Probe { id: "probe-chunks-malformed", ask: malformed },
    Probe { id: "probe-chunks-empty", ask: empty },
    Probe { id: "probe-chunks-type", ask: content_type },
    Probe { id: "probe-chunks-cut", ask: cut },
    Probe { id: "probe-status", ask: status },
    Probe { id: "probe-cancel", ask: cancel },
    Probe { id: "probe-close-empty", ask: close_empty },
    Probe { id: "probe-close-last", ask: close_last },
    Probe { id: "probe-close-gap", ask: close_gap },
];

/// Sends two chunks with their ranges.
fn chunks(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let mut upload = registry.upload()?;
    let first = upload.chunk(0, registry.text(100)).send()?;
    if !first.is_success() {
        notes.see("chunks.patch", json!({ "refused": first.code() }));
        return Ok(());
    }
    notes.see("chunks.status", first.code());
    notes.see("chunks.location-missing", !first.headers().contains_key("location"));
    let first_range = first.header_if_any("range")?;
    upload.follow(&first);
    let second = upload.chunk(100, registry.text(50)).send()?;
    if !second.is_success() {
        if matches!(second.code(), 404 | 405 | 501) && first.headers().contains_key("location") {
            notes.see("chunks.patch", json!({ "once": second.code() }));
        }
        return Ok(());
    }
    notes.see("chunks.patch", "supported");
    let second_range = second.header_if_any("range")?;
    let word = match (first_range.as_deref(), second_range.as_deref()) {
        (None, None) => "absent",
        (Some("0-99"), Some("0-149")) => "correct",
        (Some("0-99"), Some("0-99")) => "first-chunk",
        (Some("0-100"), Some("0-150")) => "off-by-one",
        (Some("0-99"), Some("100-149")) => "off-by-one-streamed",
        (Some("0-99"), Some("0-49")) => "of-chunk",
        (Some("0-0"), Some("0-0")) => "constant",
        _ => return Ok(()),
    };
    notes.see("chunks.range", word);
    Ok(())
}

/// Sends a second chunk without `Content-Range`, if one with it is accepted.
fn streamed(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    if !begun(notes)?.chunk(100, registry.text(100)).send()?.is_success() {
        return Ok(());
    }
    let mut upload = registry.upload()?;
    let first = upload.patch(registry.text(100)).send()?;
    if !first.is_success() || !first.headers().contains_key("location") {
        return Ok(());
    }
    upload.follow(&first);
    let second = upload.patch(registry.text(100)).send()?;
    match second.code() {
        400 => notes.see("chunks.one-stream", true),
        _ if second.is_success() => notes.see("chunks.one-stream", false),
        _ => {}
    }
    Ok(())
}

/// Opens an upload and sends a chunk of a hundred bytes.
fn begun<'c, 'a>(notes: &Notes<'c, 'a>) -> Result<Upload<'c, 'a>, Stop> {
    let mut upload = notes.registry.upload()?;
    upload.send_chunk(0, notes.registry.text(100))?;
    Ok(upload)
}

/// Sends a chunk that leaves a gap.
fn order(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let upload = begun(notes)?;
    let gap = upload.chunk(200, registry.text(100)).send()?;
    if gap.is_success() {
        notes.see("chunks.content-range", "ignored");
        return Ok(());
    }
    if !matches!(gap.code(), 416 | 500) {
        return Ok(());
    }
    notes.see("chunks.out-of-order", gap.code());
    let range = gap.header_if_any("range")?;
    let word = match (range.as_deref(), gap.headers().contains_key("location"), gap.bytes().is_empty()) {
        (Some("0-99"), true, true) => None,
        (Some("0-99"), true, false) => Some("sent"),
        (Some("0-100"), true, _) => Some("off-by-one"),
        (None, false, _) => Some("absent"),
        _ => None,
    };
    if let Some(word) = word {
        notes.see("chunks.out-of-order-range", word);
    }
    let code: Option<Value> = match gap.error_codes().first() {
        Some(code) if code == "BLOB_UPLOAD_INVALID" => None,
        Some(code) => Some(json!(code)),
        None if gap.bytes().is_empty() && word.is_some() => Some(json!("")),
        None => None,
    };
    if let Some(code) = code {
        notes.see("chunks.out-of-order-code", code);
    }
    Ok(())
}

/// Sends a chunk that overlaps, if one that leaves a gap is refused.
fn overlap(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    if begun(notes)?.chunk(200, registry.text(100)).send()?.is_success() {
        return Ok(());
    }
    let received = begun(notes)?.chunk(50, registry.text(100)).send()?;
    match received.code() {
        416 | 500 => notes.see("chunks.content-range", "checked"),
        _ if received.is_success() => notes.see("chunks.content-range", "overlapping"),
        _ => {}
    }
    Ok(())
}

fn malformed(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let patch = registry.upload()?.patch(registry.text(100)).header("content-range", "bytes 0-99/*").send()?;
    if !patch.is_success() && patch.code() < 600 && patch.code() != 405 {
        notes.see("chunks.malformed", patch.code());
    }
    Ok(())
}

/// Sends an empty chunk.
fn empty(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let patch = notes.registry.upload()?.patch("").send()?;
    if !patch.is_success() {
        if patch.code() != 405 {
            notes.see("chunks.empty-refused", patch.code());
        }
        return Ok(());
    }
    notes.see("chunks.empty-refused", json!(null));
    let word = match patch.header_if_any("range")?.as_deref() {
        None => "absent",
        Some("0--1") => "minus-one",
        Some(_) => "zero",
    };
    notes.see("chunks.empty-range", word);
    Ok(())
}

fn content_type(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let strange = registry.upload()?.patch("").body("text/plain", registry.text(100)).send()?;
    match strange.code() {
        500 => notes.see("chunks.strict-type", true),
        _ if strange.is_success() => notes.see("chunks.strict-type", false),
        _ => {}
    }
    Ok(())
}

/// Sends a body that is cut.
fn cut(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let upload = registry.upload()?;
    upload.patch("").broken_off(registry.text(1000), 3000).send_and_forget()?;
    let state = upload.state().send()?;
    let fresh = registry.upload()?.state().send()?;
    match (state.code(), fresh.code(), state.header_if_any("range")?) {
        (204, 204, Some(range)) if range.ends_with("999") || range.ends_with("1000") => notes.see("chunks.cut", "kept"),
        (204, 204, _) => notes.see("chunks.cut", "dropped"),
        (404, 204, _) => notes.see("chunks.cut", "gone"),
        _ => {}
    }
    Ok(())
}

/// Requests the state of an upload of a hundred bytes.
fn status(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let upload = begun(notes)?;
    let state = upload.state().send()?;
    notes.see("status.status", state.code());
    if !state.is_success() {
        return Ok(());
    }
    notes.see("status.head", upload.head().send()?.is_success());
    let range = match state.header_if_any("range")?.as_deref() {
        None => Some("absent"),
        Some("0-99") => Some("inclusive"),
        Some("bytes=0-100") => Some("exclusive"),
        Some(_) => None,
    };
    if let Some(range) = range {
        notes.see("status.range", range);
    }
    notes.see("status.location", state.headers().contains_key("location"));
    Ok(())
}

fn cancel(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let received = notes.registry.upload()?.cancel().send()?;
    if !matches!(received.code(), 401 | 403) {
        notes.see("status.cancel", received.code());
    }
    Ok(())
}

/// Closes an upload with a PUT without a body after a chunk.
fn close_empty(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (blob, mut upload) = (registry.blob(100), registry.upload()?);
    upload.send_chunk(0, blob.bytes.clone())?;
    let closed = upload.close(blob.digest.to_string()).send()?;
    if closed.is_success() || closed.code() == 500 {
        notes.see("commit.empty-put-fails", closed.code() == 500);
    }
    upload.became(blob.digest.to_string());
    Ok(())
}

/// Sends the last chunk in the PUT without `Content-Range`.
fn close_last(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (blob, mut upload) = (registry.blob(200), registry.upload()?);
    upload.send_chunk(0, blob.bytes.slice(..100))?;
    let closed = upload.close(blob.digest.to_string()).bytes(blob.bytes.slice(100..)).send()?;
    match closed.code() {
        416 => notes.see("commit.final-chunk", "at-zero"),
        500 => notes.see("commit.final-chunk", "fails"),
        _ if closed.is_success() => notes.see("commit.final-chunk", "appended"),
        _ => {}
    }
    upload.became(blob.digest.to_string());
    Ok(())
}

/// Sends the last chunk in the PUT with a too large `Content-Range`, if a chunk that leaves a gap is refused.
fn close_gap(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    if begun(notes)?.chunk(200, registry.text(100)).send()?.code() != 416 {
        return Ok(());
    }
    let (blob, mut upload) = (registry.blob(200), registry.upload()?);
    upload.send_chunk(0, blob.bytes.slice(..100))?;
    let closed = upload.close_with(blob.digest.to_string(), 150, blob.bytes.slice(100..)).send()?;
    match closed.code() {
        416 => notes.see("commit.ignores-content-range", false),
        _ if closed.is_success() => notes.see("commit.ignores-content-range", true),
        _ => {}
    }
    upload.became(blob.digest.to_string());
    Ok(())
}
