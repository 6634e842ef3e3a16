//! I22, through the client: pages in a circle, more pages than are read, pages elsewhere.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Response;
use longshore_core::{Digest, Operation, Options, Receipt};

use crate::drive::{Outcome, Seen, Setup, blob};
use crate::world::{Rule, World, respond, run};

fn subject() -> Digest {
    blob("app").0
}

fn tags() -> Operation<&'static str> {
    let (registry, repository) = ("registry.example".parse().unwrap(), "library/app".parse().unwrap());
    Operation::ListTags { registry, repository }
}

fn referrers() -> Operation<&'static str> {
    let (registry, repository) = ("registry.example".parse().unwrap(), "library/app".parse().unwrap());
    Operation::ListReferrers { registry, repository, subject: subject(), artifact_type: None }
}

/// A page of one entry, of this number, that links to another.
fn page(seen: &Seen, number: usize, next: &str) -> Response<Bytes> {
    let link = format!("<{next}>; rel=\"next\"");
    if seen.path_and_query.contains("/tags/") {
        let body = format!(r#"{{"name":"library/app","tags":["v{number}"]}}"#);
        return respond(200, &[("link", &link), ("content-type", "application/json")], &body);
    }
    let entry = format!(
        r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{number:064x}","size":{number}}}"#
    );
    let index = "application/vnd.oci.image.index.v1+json";
    let body = format!(r#"{{"schemaVersion":2,"mediaType":"{index}","manifests":[{entry}]}}"#);
    respond(200, &[("link", &link), ("content-type", index)], &body)
}

/// The path of a list, and the number of the page.
fn asked(seen: &Seen) -> (&str, usize) {
    let (path, query) = seen.path_and_query.split_once('?').unwrap_or((&seen.path_and_query, "page=0"));
    (path, query.strip_prefix("page=").unwrap().parse().unwrap())
}

/// Pages without an end.
fn endless(seen: &Seen, _: &[Seen]) -> Option<Response<Bytes>> {
    let (path, number) = asked(seen);
    Some(page(seen, number, &format!("{path}?page={}", number + 1)))
}

fn listed(rule: Rule, operation: Operation<&'static str>) -> Outcome {
    listed_with(Options::default(), rule, operation)
}

fn listed_with(options: Options, rule: Rule, operation: Operation<&'static str>) -> Outcome {
    let world = World { rule, ..World::default() };
    run(world, Setup { options, operations: vec![operation], ..Setup::default() })
}

fn count(outcome: &Outcome) -> usize {
    match outcome.succeeded() {
        Receipt::Tags(tags) => tags.len(),
        Receipt::Referrers(referrers) => referrers.len(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn i22_pages_in_a_circle_are_read_once() {
    let circles: [Rule; 3] = [
        // To itself; to and fro between two; back to the first.
        |seen, _| Some(page(seen, asked(seen).1, &seen.path_and_query)),
        |seen, _| Some(page(seen, asked(seen).1, &format!("{}?page={}", asked(seen).0, [1, 2, 1][asked(seen).1]))),
        |seen, before| {
            let (path, number) = asked(seen);
            let next = if number == 4 { path.to_owned() } else { format!("{path}?page={}", number + 1) };
            // Each page says something new each time, so that only its address tells.
            Some(page(seen, before.len(), &next))
        },
    ];
    for operation in [tags(), referrers()] {
        let pages: Vec<usize> = circles.iter().map(|circle| listed(*circle, operation.clone()).seen.len()).collect();
        assert_eq!(pages, [1, 3, 5]);
        let entries: Vec<usize> = circles.iter().map(|circle| count(&listed(*circle, operation.clone()))).collect();
        assert_eq!(entries, [1, 3, 5]);
    }
}

#[test]
fn i22_more_pages_than_are_allowed_are_an_error_and_no_short_list() {
    for operation in [tags(), referrers()] {
        let outcome = listed(endless, operation.clone());
        assert_eq!(outcome.failure(), "the list has more than 1000 pages; the client's options can allow more");
        assert_eq!(outcome.seen.len(), 1000);
        let mut options = Options::default();
        options.pages = 3;
        assert_eq!(listed_with(options.clone(), endless, operation.clone()).seen.len(), 3);
        // Exactly as many are no error.
        let three = |seen: &Seen, before: &[Seen]| {
            let mut last = endless(seen, before)?;
            if asked(seen).1 == 2 {
                last.headers_mut().remove("link");
            }
            Some(last)
        };
        assert_eq!(count(&listed_with(options, three, operation)), 3);
    }
}

#[test]
fn i25_more_entries_than_are_allowed_are_an_error() {
    let mut options = Options::default();
    (options.most_tags, options.most_referrers) = (7, 8);
    let outcome = listed_with(options.clone(), endless, tags());
    assert_eq!((outcome.seen.len(), outcome.failure().contains("more than 7 tags")), (8, true));
    let outcome = listed_with(options, endless, referrers());
    assert_eq!((outcome.seen.len(), outcome.failure().contains("more than 8 referrers")), (9, true));
    // A page of nothing new is the last, and finding that out takes no time that grows with the square of its length.
    let outcome = listed(
        |seen, _| {
            let names = (0..99_999).fold(String::new(), |mut names, number| {
                let _ = write!(names, r#""v{number}","#);
                names
            });
            let body = format!(r#"{{"tags":[{names}"w{}"]}}"#, seen.path_and_query.len());
            let link = format!("<{}?page=1>; rel=next", asked(seen).0);
            Some(respond(200, &[("link", &link)], &body))
        },
        tags(),
    );
    assert_eq!(count(&outcome), 100_001);
}

#[test]
fn i22_a_page_of_tags_that_adds_nothing_is_the_last() {
    let rule = |seen: &Seen, _: &[Seen]| {
        let (path, number) = asked(seen);
        Some(page(seen, 7, &format!("{path}?page={}", number + 1)))
    };
    let outcome = listed(rule, tags());
    assert_eq!((count(&outcome), outcome.seen.len()), (1, 2));
}

#[test]
fn i22_no_list_leads_elsewhere() {
    for operation in [tags(), referrers()] {
        let outcome = listed(|seen, _| Some(page(seen, 1, "https://storage.example.net/more")), operation);
        assert!(outcome.result.is_err());
        assert!(outcome.seen.iter().all(|seen| seen.origin == "https://registry.example"));
    }
}
