//! A server that answers everything with 200 and a page of HTML is no registry: every command notices.

mod common;

use std::fs;

use common::script::{Script, answer};
use common::{Layout, refused};

fn portal() -> Script {
    Script::answering(|request| {
        let page = answer("200 OK", "Content-Type: text/html; charset=utf-8\r\n", "<!DOCTYPE html><p>Welcome</p>");
        let head = page.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        if request.starts_with("HEAD ") { page[..head].to_vec() } else { page }
    })
}

#[test]
fn every_command_notices() {
    let (portal, layout, file) =
        (portal(), Layout::of_file(vec![7; 2_000_000]), tempfile::NamedTempFile::new().unwrap());
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
        assert!(said.contains("it is a web page: is it a registry that answers there?"), "{arguments:?}: {said}");
    }
}
