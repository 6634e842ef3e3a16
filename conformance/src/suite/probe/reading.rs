//! Probes of reading, listing and deleting content, and of errors.

use http::Method;
use longshore_core::{MediaType, Target};
use serde_json::json;

use super::super::stop::Stop;
use super::uploads::digest_word;
use super::{Notes, Probe};

pub(super) const PROBES: &[Probe] = &[
    Probe { id: "probe-read-api-version", ask: api_version },
    Probe { id: "probe-read-blob", ask: blob },
    Probe { id: "probe-read-missing", ask: missing },
    Probe { id: "probe-read-manifest", ask: manifest },
    Probe { id: "probe-read-accept", ask: accept },
    Probe { id: "probe-read-reference", ask: reference },
    Probe { id: "probe-referrers", ask: referrers },
    Probe { id: "probe-referrers-header", ask: subject_header },
    Probe { id: "probe-referrers-list", ask: referrers_list },
    Probe { id: "probe-tags", ask: tags },
    Probe { id: "probe-tags-order", ask: order_of_tags },
    Probe { id: "probe-delete-tag", ask: delete_tag },
    Probe { id: "probe-delete-manifest", ask: delete_manifest },
    Probe { id: "probe-delete-blob", ask: delete_blob },
    Probe { id: "probe-errors", ask: errors },
];

/// Reads `Docker-Distribution-API-Version` of `/v2/` and of other answers.
fn api_version(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    const VERSION: &str = "docker-distribution-api-version";
    let registry = notes.registry;
    let base = registry.request_path(Method::GET, registry.repository(), "/v2/").send()?;
    let elsewhere = registry.get(&registry.stored_blob(100)?.path()).unfollowed().send()?;
    let word = match (base.headers().contains_key(VERSION), elsewhere.headers().contains_key(VERSION)) {
        (_, true) => "always",
        (true, false) => "base-only",
        (false, false) => "absent",
    };
    notes.see("read.api-version", word);
    Ok(())
}

/// Reads a blob: redirects, headers and ranges.
fn blob(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let blob = registry.stored_blob(100)?;
    let get = registry.get(&blob.path()).unfollowed().send()?;
    let is_elsewhere = (300..400).contains(&get.code());
    notes.see("read.blob-redirect", is_elsewhere);
    let head = registry.head(&blob.path()).unfollowed().send()?;
    if is_elsewhere {
        notes.see("read.blob-head-redirect", (300..400).contains(&head.code()));
        return Ok(());
    }
    notes.see("read.blob-digest", digest_word(&head, &blob.digest.to_string())?);
    notes.see("read.blob-head-length-zero", head.header_if_any("content-length")?.as_deref() == Some("0"));
    notes.see("read.blob-content-type", head.headers().contains_key("content-type"));
    let range = registry.get(&blob.path()).header("range", "bytes=0-9").send()?;
    notes.see("read.ranges", range.code() == 206);
    Ok(())
}

fn missing(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    registry.shared_image()?;
    let blob = registry.head(&registry.blob(100).path()).send()?;
    notes.see("read.missing-blob", blob.code());
    let manifest = registry.head(&format!("manifests/{}", registry.tag())).send()?.code();
    if manifest != 405 {
        notes.see("read.missing-manifest", manifest);
        let absent = registry.request(Method::HEAD, &registry.absent(), "manifests/latest").send()?.code();
        notes.see("read.missing-repository", if absent == manifest { json!(null) } else { json!(absent) });
    }
    Ok(())
}

fn manifest(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (image, tag) = registry.shared_image()?;
    let get = registry.get(&format!("manifests/{tag}")).send()?;
    notes.see("read.manifest-digest", digest_word(&get, &image.digest.to_string())?);
    let head = registry.head(&format!("manifests/{tag}")).send()?;
    notes.see("read.manifest-head", head.code() != 405);
    if let Some(length) = head.header_if_any("content-length")?.and_then(|length| length.parse::<usize>().ok())
        && head.code() == 200
    {
        notes.see("read.manifest-head-length-differs", length == image.bytes.len() + 1);
    }
    Ok(())
}

fn accept(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (image, _) = registry.shared_image()?;
    let get = registry.get(&image.path()).header("accept", MediaType::DOCKER_MANIFEST).send()?;
    if matches!(get.code(), 200 | 404) {
        notes.see("read.accept-filters", get.code() == 404);
    }
    Ok(())
}

fn reference(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    registry.shared_image()?;
    let get = registry.get("manifests/.not-a-tag").send()?;
    let usual = registry.get(&format!("manifests/{}", registry.tag())).send()?;
    if get.code() == 404 && !usual.error_codes().is_empty() {
        notes.see("read.bad-reference-as-text", get.error_codes().is_empty());
    }
    Ok(())
}

/// Lists referrers.
fn referrers(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let image = registry.stored_image()?;
    let get = registry.get(&format!("referrers/{}", image.digest)).unfollowed().send()?;
    let content_type = get.header_if_any("content-type")?.unwrap_or_default();
    let word = match get.code() {
        200 if content_type.starts_with("text/html") => json!("html"),
        200 if get.json().is_ok_and(|body| body["manifests"].is_array()) => json!("on"),
        200 => json!("other-json"),
        303 => json!("see-other"),
        404 if get.error_codes().is_empty() => json!("no-route"),
        404 => json!("not-found"),
        code => json!({ "refused": code }),
    };
    let is_on = word == "on";
    notes.see("referrers.api", word);
    if is_on {
        let absent = registry.image(|_| {})?;
        let get = registry.get(&format!("referrers/{}", absent.digest)).send()?;
        notes.see("referrers.unknown-subject", get.code());
    }
    Ok(())
}

/// Checks whether `OCI-Subject` is sent, and whether there is a referrers API.
fn subject_header(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let subject = registry.stored_image()?;
    let list = registry.get(&format!("referrers/{}", subject.digest)).unfollowed().send()?;
    let is_on = list.code() == 200 && list.json().is_ok_and(|body| body["manifests"].is_array());
    let put =
        registry.put_document(&registry.image(|image| image["subject"] = subject.descriptor())?, &registry.tag())?;
    if !put.is_success() {
        return Ok(());
    }
    match (is_on, put.headers().contains_key("oci-subject")) {
        (true, true) => notes.see("referrers.subject", "truthful"),
        (true, false) => notes.see("referrers.subject", "never"),
        (false, true) => notes.see("referrers.subject", "always"),
        // This can be `truthful` or `never`.
        (false, false) => {}
    }
    Ok(())
}

fn referrers_list(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let subject = registry.stored_image()?;
    for kind in ["application/vnd.longshore.a", "application/vnd.longshore.b"] {
        registry.store_document(&registry.image(|image| {
            image["artifactType"] = json!(kind);
            image["subject"] = subject.descriptor();
        })?)?;
    }
    let path = format!("referrers/{}", subject.digest);
    let all = registry.get(&path).send()?;
    let Ok(body) = all.json() else { return Ok(()) };
    let Some(entries) = body["manifests"].as_array().filter(|entries| entries.len() == 2) else { return Ok(()) };
    notes.see("referrers.artifact-types", entries.iter().all(|entry| entry["artifactType"].is_string()));
    let filtered = registry.get(&path).query("artifactType", "application/vnd.longshore.a").send()?;
    let count = filtered.json()?["manifests"].as_array().map_or(0, Vec::len);
    notes.see("referrers.filter", count == 1);
    Ok(())
}

/// Lists tags: a page, the name in it, and its link.
fn tags(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (image, _) = registry.tagged_image()?;
    registry.store_tagged(&image, &registry.tag())?;
    let page = registry.get("tags/list").query("n", "1").send()?.done()?;
    let name = page.json()?["name"].as_str().unwrap_or_default().to_owned();
    let own = registry.repository().as_str();
    let short = own.split_once('/').map(|(_, short)| short);
    match name {
        name if name == own => notes.see("listing.name", "repository"),
        name if Some(name.as_str()) == short => notes.see("listing.name", "short-name"),
        name => notes.see("listing.name", json!({ "other": name })),
    }
    let shown = page.json()?["tags"].as_array().map_or(0, Vec::len);
    notes.see("listing.unpaged", shown > 1);
    if let Some(link) = page.header_if_any("link")? {
        let url = link.trim_start_matches('<').split(['>', ';']).next().unwrap_or_default();
        let is_last = registry.get("tags/list").query("last", "zzzz").send()?.headers().contains_key("link");
        let all = registry.get("tags/list").query("n", "1000").send()?;
        let always = is_last || all.headers().contains_key("link");
        let form = match link.starts_with('<') {
            false => "bare",
            true if Target::parse(url).is_ok() => "absolute",
            true if url.contains("&orderby=") => "extra-parameter",
            true if always => "always",
            true => "path",
        };
        notes.see("listing.link", form);
    } else if shown == 1 {
        notes.see("listing.link", "absent");
    }
    let many = registry.get("tags/list").query("n", "1000000").send()?;
    if matches!(many.code(), 200 | 400) {
        notes.see("listing.over-limit-refused", many.code() == 400);
    }
    Ok(())
}

/// Lists so many tags that they do not stand in order by chance.
fn order_of_tags(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    const TAGS: usize = 8;
    let registry = notes.registry;
    let image = registry.stored_image()?;
    let tags: Vec<String> = (0..TAGS).map(|_| registry.tag()).collect();
    for tag in &tags {
        registry.store_tagged(&image, tag)?;
    }
    let list = registry.get("tags/list").send()?.done()?;
    let body = list.json()?;
    let listed: Vec<&str> =
        body["tags"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str).collect();
    if tags.iter().all(|tag| listed.contains(&tag.as_str())) {
        // The spec lets registries ignore case.
        let is_sorted = listed.is_sorted() || listed.is_sorted_by_key(|tag| tag.to_ascii_lowercase());
        notes.see("listing.unsorted", !is_sorted);
    }
    Ok(())
}

fn delete_tag(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    let (_, tag) = registry.tagged_image()?;
    let deleted = registry.delete(&format!("manifests/{tag}")).send()?.code();
    let image = registry.stored_image()?;
    let whole = registry.delete(&image.path()).send()?;
    // If manifests cannot be deleted, tags cannot be deleted either, whatever the switch for tags is.
    if !matches!(deleted, 401 | 403) && whole.is_success() {
        notes.see("listing.delete-tag", deleted);
    }
    Ok(())
}

fn delete_manifest(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let deleted = notes.registry.delete(&notes.registry.stored_image()?.path()).send()?;
    if !matches!(deleted.code(), 401 | 403) {
        notes.see("listing.delete-manifest", deleted.code());
    }
    Ok(())
}

fn delete_blob(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let deleted = notes.registry.delete(&notes.registry.stored_blob(100)?.path()).send()?;
    if !matches!(deleted.code(), 401 | 403) {
        notes.see("listing.delete-blob", deleted.code());
    }
    Ok(())
}

/// Reads the body of a refusal, and warnings.
fn errors(notes: &mut Notes<'_, '_>) -> Result<(), Stop> {
    let registry = notes.registry;
    registry.shared_image()?;
    let refused = registry.get(&registry.blob(100).path()).send()?;
    let content_type = refused.header_if_any("content-type")?.unwrap_or_default();
    let body = refused.json().unwrap_or_default();
    let error = &body["errors"][0];
    let form = match refused.bytes() {
        bytes if bytes.is_empty() => Some("empty"),
        _ if content_type.starts_with("text/html") => Some("html"),
        _ if content_type.starts_with("text/plain") => Some("text"),
        _ if body["details"].is_string() => Some("details"),
        _ if error["code"].is_null() && error["status"].is_number() => Some("without-code"),
        _ if error["message"].is_object() => Some("message-object"),
        _ if error["code"].as_str().is_some_and(|code| code.contains(' ')) => Some("other-codes"),
        _ if error["code"].is_string() => Some("spec"),
        _ => None,
    };
    if let Some(form) = form {
        notes.see("errors.body", form);
    }
    let texts: Vec<String> = refused
        .raw_values("warning")
        .iter()
        .filter_map(|warning| warning.strip_prefix("299 - \"")?.strip_suffix('"').map(str::to_owned))
        .collect();
    notes.see("errors.warnings", json!(texts));
    Ok(())
}
