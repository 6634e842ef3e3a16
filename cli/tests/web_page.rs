//! A server that answers everything with 200 and a page of HTML is no registry: every command notices.

mod common;

use std::fs;

use common::script::{Script, answer};
use common::{Layout, refused};

const PAGE: &str = "<!DOCTYPE html><p>Welcome</p>";

/// Gives the same answer to everything.
fn same(status: &'static str, media_type: &'static str, body: &'static str) -> Script {
    Script::answering(move |request| {
        let page = answer(status, &format!("Content-Type: {media_type}\r\n"), body);
        let head = page.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        if request.starts_with("HEAD ") { page[..head].to_vec() } else { page }
    })
}

#[test]
fn every_command_notices() {
    let (portal, layout, file) = (
        same("200 OK", "text/html; charset=utf-8", PAGE),
        Layout::of_file(vec![7; 2_000_000]),
        tempfile::NamedTempFile::new().unwrap(),
    );
    fs::write(file.path(), "an SBOM").unwrap();
    let file = file.path().to_str().unwrap();
    let (tagged, by_digest) = (portal.reference("a:v1"), portal.reference(&format!("a@{}", layout.digest())));
    let attach = |subject| ["attach", subject, file, "--artifact-type", "a/b"];
    for arguments in [
        &["check", &portal.reference("a")][..],
        &["rm", &tagged],
        &["rm", &by_digest],
        &["referrers", &tagged],
        &["referrers", &by_digest],
        &attach(&tagged),
        &attach(&by_digest),
        &["push", layout.path(), &tagged],
        &["push", layout.path(), &by_digest],
        &["push", layout.path(), &tagged, "--recheck"],
    ] {
        let said = refused(1, arguments);
        assert!(
            said.contains("it is a web page; check that the address is that of a registry"),
            "{arguments:?}: {said}"
        );
    }
}

/// Whatever is answered to everything: nothing was pushed, deleted or listed. A push asks again after a wait, so all servers are
/// tried at once.
#[test]
fn whoever_answers_all_alike_is_no_registry() {
    std::thread::scope(|scope| {
        for (status, media_type, body) in [
            ("200 OK", "application/json", "{}"),
            ("200 OK", "application/octet-stream", ""),
            ("204 No Content", "application/json", ""),
            ("201 Created", "text/html", PAGE),
            ("202 Accepted", "text/html", PAGE),
        ] {
            scope.spawn(move || every_command_is_refused(status, media_type, body));
        }
    });
}

fn every_command_is_refused(status: &'static str, media_type: &'static str, body: &'static str) {
    let (layout, file) = (Layout::of_file(vec![7; 1000]), tempfile::NamedTempFile::new().unwrap());
    let (file, folder) = (file.path().to_str().unwrap(), tempfile::tempdir().unwrap());
    let target = folder.path().join("pulled");
    let target = target.to_str().unwrap();
    let server = same(status, media_type, body);
    let (tagged, by_digest) = (server.reference("a:v1"), server.reference(&format!("a@{}", layout.digest())));
    for arguments in [
        &["check", &server.reference("a")][..],
        &["rm", &tagged],
        &["rm", &by_digest],
        &["referrers", &tagged],
        &["referrers", &by_digest],
        &["attach", &tagged, file, "--artifact-type", "a/b"],
        &["artifact", &tagged, file, "--artifact-type", "a/b"],
        &["pull", &tagged, target],
        &["pull", &by_digest, "--files", target],
        &["push", layout.path(), &tagged],
    ] {
        let said = refused(1, arguments);
        assert!(!said.is_empty(), "{status}: {arguments:?}");
    }
    assert!(!folder.path().join("pulled").exists());
}
