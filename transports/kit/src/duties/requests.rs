//! Duties about the requests that are sent.

use longshore_core::auth::Credentials;
use longshore_core::driver::NoAnswer;
use longshore_core::{Algorithm, Blob, Deletion, Digest, Manifest, Operation, Push, Secret};

use super::{Duty, Over};
use crate::failure::no_answer;
use crate::reference::{compare, requests};
use crate::server::plan::{Answer, SeenRequest};
use crate::trial::{Bench, TAGS, Trial, ensure, options, repository};
use crate::work::{Content, CredentialLookup, Work};

pub(super) const DUTIES: &[Duty] = &[
    Duty {
        name: "header-fields",
        what: "Method, target and header fields are sent as the core set them, and only fields of the connection are added",
        over: Over::Any,
        needs: None,
        check: header_fields,
    },
    Duty {
        name: "targets",
        what: "Path and query are sent byte for byte, or the request is reported as unsendable and not sent",
        over: Over::Any,
        needs: None,
        check: targets,
    },
    Duty { name: "no-redirect", what: "No redirect is followed", over: Over::Any, needs: None, check: no_redirect },
    Duty {
        name: "no-repetition",
        what: "No request is sent again, whatever the status is",
        over: Over::Any,
        needs: None,
        check: no_repetition,
    },
    Duty {
        name: "no-memory",
        what: "No cookie, credential or validator from an answer is in the next request",
        over: Over::Any,
        needs: None,
        check: no_memory,
    },
];

/// A registry that has no content and accepts every push.
pub(super) fn empty_registry(seen: &SeenRequest) -> Answer {
    const UPLOAD: &str = "/v2/a/blobs/uploads/1?state=a%2Fb";
    match seen.method.as_str() {
        "POST" if seen.target.contains("digest=") && !seen.target.contains("mount=") => Answer::new(201, ""),
        "POST" => Answer::new(202, "").field("location", UPLOAD),
        "PATCH" => {
            let from = seen.field("content-range").and_then(|range| range.split('-').next()?.parse().ok());
            let mut answer = Answer::new(202, "").field("location", UPLOAD);
            answer.range_from = Some(from.unwrap_or(0));
            answer
        }
        "PUT" => Answer::new(201, ""),
        "DELETE" => Answer::new(204, ""),
        _ => Answer::json(404, "{}"),
    }
}

/// Runs the work, and compares the received requests with those of the core.
fn faithful(bench: &mut Bench, work: impl Fn() -> Work) -> Result<(), String> {
    let before = bench.seen().len();
    let expected = requests(&work(), &bench.script);
    bench.run(work())?;
    compare(&expected, &bench.seen()[before..])
}

fn header_fields(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let mut bench = trial.serve(|seen| match seen.field("authorization") {
        None => Answer::json(401, "{}").field("www-authenticate", "Basic realm=\"kit\""),
        Some(_) => empty_registry(seen),
    });
    let registry = bench.registry.clone();
    let content = Content::made(1000);
    let config = Digest::of(Algorithm::Sha256, b"{}");
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},"layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{}","size":1000}}]}}"#,
        content.digest()
    );
    let work = || {
        let push = Push::new(registry.clone(), repository())
            .blob(Blob::known(1, config, 2))
            .blob(Blob::known(2, content.digest(), 1000).mount_from("b".parse().expect("it is a repository")))
            .root(Manifest::parse(manifest.clone()).expect("it is a manifest"))
            .tag("v1".parse().expect("it is a tag"));
        let what = Deletion::Tag("v1".parse().expect("it is a tag"));
        let delete = Operation::Delete { registry: registry.clone(), repository: repository(), what };
        let braces = || Ok(Box::new(&b"{}"[..]) as Box<dyn std::io::Read + Send>);
        let mut work = Work::new(options())
            .operation(push)
            .operation(delete)
            .content(1, Content::opened_by(2, move |_| braces()))
            .content(2, content.clone());
        // One at a time, because the requests of a client depend on the earlier answers.
        work.options.in_flight = 1;
        let password = || Secret::new("a: b".to_owned());
        work.credentials = CredentialLookup::by(move |_, _, _| {
            Ok(Some(Credentials::Basic { user: "kit".to_owned(), password: password() }))
        });
        work
    };
    faithful(&mut bench, work)?;
    let authority = registry.origin().authority();
    let foreign = bench.seen().into_iter().find(|seen| seen.field("host").as_ref() != Some(&authority));
    ensure!(foreign.is_none(), "the host of a request is not {authority}: {foreign:?}");
    Ok(())
}

/// `Location` values of registries that a URL library may change.
const LOCATIONS: &[&str] = &[
    "/v2/a/blobs/uploads/1?_state=a%2Fb%2fc%3D%3D&x=y",
    "/v2/a//b?x=",
    "/v2/a/%7E~;(b)!$&'*+,=:@?x=%20+&y=:@!$*,;/?",
    "/v2/a/%41%2e%2E/b?z=%C3%A9",
    "/v2/a/./b/../c?x=y",
    "/v2/a?x={y}|^`",
    "/v2/a?x='y'",
    "/v2/%7Ba%7D?%",
];

fn targets(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    for location in LOCATIONS {
        let mut bench = trial.serve(move |seen| match seen.method.as_str() {
            "POST" => Answer::new(202, "").field("location", *location),
            _ => empty_registry(seen),
        });
        let (registry, content) = (bench.registry.clone(), Content::made(10));
        let work = || {
            let push = Push::new(registry.clone(), repository()).blob(Blob::known(1, content.digest(), 10));
            Work::new(options()).operation(push).content(1, content.clone())
        };
        let expected = requests(&work(), &bench.script);
        let ended = bench.run_one(work())?;
        if let Some(NoAnswer::Unsendable(_)) = no_answer(&ended) {
            let sent = bench.seen().iter().filter(|seen| seen.method == "PUT").count();
            ensure!(sent == 0, "a request to {location} was reported as unsendable, and was sent");
        } else {
            compare(&expected, &bench.seen()).map_err(|why| format!("{location}: {why}"))?;
        }
    }
    Ok(())
}

fn no_redirect(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    for status in [301, 302, 303, 307, 308] {
        let mut bench = trial.serve(move |seen| match seen.target.contains("elsewhere") {
            true => Answer::json(200, TAGS),
            false => Answer::json(status, "{}").field("location", "/elsewhere"),
        });
        let (registry, content) = (bench.registry.clone(), Content::made(10));
        let push = || {
            let push = Push::new(registry.clone(), repository()).blob(Blob::known(1, content.digest(), 10));
            Work::new(options()).operation(push).content(1, content.clone())
        };
        faithful(&mut bench, push).map_err(|why| format!("{status}: {why}"))?;
        // The core follows no redirect here, so a request elsewhere comes from the HTTP stack.
        let list = bench.list_tags();
        let list = || {
            let mut work = Work::new(options()).operation(list.clone());
            work.options.redirects = 0;
            work
        };
        faithful(&mut bench, list).map_err(|why| format!("{status}: {why}"))?;
    }
    Ok(())
}

fn no_repetition(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    for status in [400, 401, 403, 407, 408, 409, 421, 425, 429, 500, 501, 502, 503, 504] {
        let mut bench = trial.serve(move |_| Answer::json(status, "{}").field("retry-after", "0"));
        let list = bench.list_tags();
        faithful(&mut bench, || Work::new(options()).operation(list.clone()))
            .map_err(|why| format!("{status}: {why}"))?;
    }
    Ok(())
}

fn no_memory(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    let mut bench = trial.serve(|_| {
        Answer::json(200, TAGS)
            .field("set-cookie", "kit=1; Path=/")
            .field("set-cookie", "kat=2; Path=/")
            .field("etag", "\"kit\"")
            .field("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
            .field("cache-control", "max-age=3600")
            .field("alt-svc", "h3=\":443\"")
    });
    let list = bench.list_tags();
    for _ in 0..3 {
        faithful(&mut bench, || Work::new(options()).operation(list.clone()))?;
    }
    Ok(())
}
