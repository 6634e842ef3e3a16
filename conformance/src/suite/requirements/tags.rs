//! Listing tags: `end-8a` and `end-8b`.

use http::Method;
use longshore_core::Target;
use serde_json::Value;

use super::super::received::Received;
use super::super::requirement::{Requirement, may, must, should};
use super::super::stop::Stop;
use super::super::tested::TestedRegistry;
use super::super::version::Version;

const LIST: (&str, &str) = ("end-8a", "listing-tags");
const PAGE: (&str, &str) = ("end-8b", "listing-tags");

/// The largest number of pages that are followed.
const MOST_PAGES: usize = 200;

/// The tags of an answer.
fn tags(received: &Received<'_, '_>) -> Result<Vec<String>, Stop> {
    let body = received.json()?;
    let listed = match &body["tags"] {
        Value::Array(listed) => listed.clone(),
        // Some registries send null if there is no tag.
        Value::Null => Vec::new(),
        other => return Err(received.fail("a list under \"tags\"", other)),
    };
    listed
        .iter()
        .map(|tag| tag.as_str().map(str::to_owned).ok_or_else(|| received.fail("a list of texts under \"tags\"", tag)))
        .collect()
}

/// The target of the next page, if there is one.
fn next(received: &Received<'_, '_>) -> Result<Option<Target>, Stop> {
    let Some(link) = received.header_if_any("link")? else { return Ok(None) };
    let malformed = || received.fail("Link: <URL>; rel=\"next\"", &link);
    let (url, parameters) = link.strip_prefix('<').and_then(|rest| rest.split_once('>')).ok_or_else(malformed)?;
    let is_next = parameters.split(';').map(str::trim).any(|one| matches!(one, "rel=\"next\"" | "rel=next"));
    if is_next { received.resolve(url).map(Some) } else { Err(malformed()) }
}

/// All tags, in pages of at most `count`.
fn all(registry: &TestedRegistry<'_>, count: &str) -> Result<Vec<String>, Stop> {
    let mut received = registry.get("tags/list").query("n", count).send()?.status(200)?;
    let mut found = tags(&received)?;
    for _ in 0..MOST_PAGES {
        let Some(target) = next(&received)? else { return Ok(found) };
        received = registry.request_to(Method::GET, registry.repository(), Ok(target)).send()?.status(200)?;
        found.extend(tags(&received)?);
    }
    Err(received.fail(format!("at most {MOST_PAGES} pages"), "one more"))
}

/// Stores three tags of one image, and returns them in the order of their bytes.
fn three(registry: &TestedRegistry<'_>) -> Result<[String; 3], Stop> {
    let (image, first) = registry.tagged_image()?;
    let mut tags = [first, registry.tag(), registry.tag()];
    for tag in &tags[1..] {
        registry.store_tagged(&image, tag)?;
    }
    tags.sort_unstable();
    Ok(tags)
}

/// Whether tags are in an order that the specification allows.
fn is_in_order(tags: &[String]) -> bool {
    tags.is_sorted() || tags.is_sorted_by_key(|tag| tag.to_ascii_lowercase())
}

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "tags-list",
        LIST,
        "GET of the tags answers 200 with a tag that was pushed",
        "Assuming a repository is found, this request MUST return a 200 OK response code.",
        |registry| {
            let tags = three(registry)?;
            let found = all(registry, "1000")?;
            match tags.iter().find(|tag| !found.contains(tag)) {
                None => Ok(()),
                Some(absent) => Err(Stop::failed(format!("{absent} in the list"), format!("{} others", found.len()))),
            }
        },
    ),
    must(
        "tags-name",
        LIST,
        "The list of tags has the repository's name",
        "Upon success, the response MUST be a json body: \"name\": \"<name>\". <name> is the namespace of the repository.",
        |registry| {
            registry.shared_image()?;
            let received = registry.get("tags/list").send()?.status(200)?;
            let body = received.json()?;
            match body["name"].as_str() == Some(registry.repository().as_str()) {
                true => Ok(()),
                false => Err(received.fail(format!("\"name\": \"{}\"", registry.repository()), &body["name"])),
            }
        },
    ),
    must(
        "tags-order",
        LIST,
        "Tags are in the order of their bytes, or of their letters whatever the case",
        "If the list is not empty, the tags MUST be in lexical (i.e. case-insensitive alphanumeric order) or ASCIIbetical order.",
        |registry| {
            three(registry)?;
            let received = registry.get("tags/list").send()?.status(200)?;
            let found = tags(&received)?;
            if is_in_order(&found) { Ok(()) } else { Err(received.fail("tags in order", found.join(", "))) }
        },
    ),
    must(
        "tags-absent-repository",
        LIST,
        "GET of the tags of a repository that is not there answers 404",
        "end-8a: failure 404.",
        |registry| registry.request(Method::GET, &registry.absent(), "tags/list").send()?.status(404).map(drop),
    ),
    must(
        "tags-page",
        PAGE,
        "GET of two tags gives two where there are more, or says with Link where the rest is",
        "The response to such a request MAY return fewer than <int> results, but only when the total number of tags is less than <int> or a Link header is provided. Otherwise, the response MUST include <int> results.",
        |registry| {
            three(registry)?;
            let received = registry.get("tags/list").query("n", "2").send()?.status(200)?;
            let found = tags(&received)?;
            match (found.len(), received.headers().contains_key("link")) {
                (2, _) | (0..2, true) => Ok(()),
                (many, _) => Err(received.fail("two tags", many)),
            }
        },
    ),
    must(
        "tags-page-order",
        PAGE,
        "The first page has the first tags",
        "Without the last query parameter, the list returned will start at the beginning of the list and include <int> results.",
        |registry| {
            three(registry)?;
            let received = registry.get("tags/list").query("n", "2").send()?.status(200)?;
            let found = tags(&received)?;
            if is_in_order(&found) { Ok(()) } else { Err(received.fail("tags in order", found.join(", "))) }
        },
    ),
    must(
        "tags-page-none",
        PAGE,
        "GET of no tags gives an empty list",
        "When n is zero, this endpoint MUST return an empty list.",
        |registry| {
            registry.shared_image()?;
            let received = registry.get("tags/list").query("n", "0").send()?.status(200)?;
            match tags(&received)?.len() {
                0 => Ok(()),
                many => Err(received.fail("no tag", many)),
            }
        },
    ),
    must(
        "tags-page-none-link",
        PAGE,
        "GET of no tags has no Link",
        "When n is zero, this endpoint MUST NOT include a Link header.",
        |registry| {
            registry.shared_image()?;
            let received = registry.get("tags/list").query("n", "0").send()?.status(200)?;
            match received.header_if_any("link")? {
                None => Ok(()),
                Some(link) => Err(received.fail("no Link", link)),
            }
        },
    ),
    must(
        "tags-last",
        PAGE,
        "GET of the tags after one gives those after it, and not itself",
        "<tagname> will not be included in the results, but up to <int> tags after <tagname> will be returned.",
        |registry| {
            let [first, second, third] = three(registry)?;
            let received = registry.get("tags/list").query("n", "1000").query("last", &first).send()?.status(200)?;
            let found = tags(&received)?;
            let linked = received.headers().contains_key("link");
            match found.contains(&first) || !(linked || found.contains(&second) && found.contains(&third)) {
                false => Ok(()),
                true => Err(received.fail(format!("{second} and {third}, not {first}"), found.join(", "))),
            }
        },
    ),
    must(
        "tags-last-alone",
        PAGE,
        "GET of the tags after one needs no n",
        "When using the last query parameter, the n parameter is OPTIONAL.",
        |registry| {
            let [first, _, third] = three(registry)?;
            let received = registry.get("tags/list").query("last", &first).send()?.status(200)?;
            let found = tags(&received)?;
            let linked = received.headers().contains_key("link");
            match found.contains(&first) || !(linked || found.contains(&third)) {
                false => Ok(()),
                true => Err(received.fail(format!("{third}, not {first}"), found.join(", "))),
            }
        },
    )
    .since(Version::V1_2),
    must(
        "tags-last-order",
        PAGE,
        "The tags after one are in order",
        "The tags MUST be in lexical or ASCIIbetical order.",
        |registry| {
            let [first, ..] = three(registry)?;
            let received = registry.get("tags/list").query("n", "100").query("last", &first).send()?.status(200)?;
            let found = tags(&received)?;
            if is_in_order(&found) { Ok(()) } else { Err(received.fail("tags in order", found.join(", "))) }
        },
    ),
    must(
        "tags-last-absent",
        PAGE,
        "The tag after which a list begins need not be there",
        "<tagname> MUST NOT be a numerical index, but rather it MUST be a proper tag.",
        |registry| {
            let [first, ..] = three(registry)?;
            let before = &first[..first.len() - 1];
            let received = registry.get("tags/list").query("n", "1000").query("last", before).send()?.status(200)?;
            let found = tags(&received)?;
            match found.contains(&first) || received.headers().contains_key("link") {
                true => Ok(()),
                false => Err(received.fail(format!("{first} in the list"), found.join(", "))),
            }
        },
    ),
    may(
        "tags-link",
        PAGE,
        "A page that is not the last has a Link to the next, which is one",
        "A Link header MAY be included in the response when additional tags are available. If included, it MUST be set according to RFC 5988 with the Relation Type rel=\"next\".",
        |registry| {
            three(registry)?;
            let received = registry.get("tags/list").query("n", "1").send()?.status(200)?;
            let Some(target) = next(&received)? else { return Err(Stop::unsupported("there is no Link")) };
            let first = tags(&received)?;
            let page = registry.request_to(Method::GET, registry.repository(), Ok(target)).send()?.status(200)?;
            let second = tags(&page)?;
            match second.is_empty() || second.iter().any(|tag| first.contains(tag)) {
                false => Ok(()),
                true => Err(page.fail("other tags than on the first page", second.join(", "))),
            }
        },
    ),
    should(
        "tags-pages-all",
        PAGE,
        "The pages that Link names have all tags, each once",
        "Clients should prefer the Link header over using the last parameter for pagination.",
        |registry| {
            let tags = three(registry)?;
            let received = registry.get("tags/list").query("n", "2").send()?.status(200)?;
            if next(&received)?.is_none() {
                return Err(Stop::unsupported("there is no Link"));
            }
            let found = all(registry, "2")?;
            let times = |tag: &String| found.iter().filter(|found| *found == tag).count();
            match tags.iter().find(|tag| times(tag) != 1) {
                None => Ok(()),
                Some(tag) => Err(Stop::failed(format!("{tag} once"), format!("{} times", times(tag)))),
            }
        },
    ),
    must(
        "tags-moved-once",
        LIST,
        "A tag that was moved is listed once",
        "<tag1>, <tag2>, and <tag3> are each tags on the repository.",
        |registry| {
            let (_, tag) = registry.tagged_image()?;
            let other = registry.image(|_| {})?;
            let moved = registry.put_document(&other, &tag)?;
            if !moved.is_success() {
                return Err(Stop::unsupported(format!("tags are not moved: {}", moved.summary())));
            }
            let times = all(registry, "1000")?.iter().filter(|found| **found == tag).count();
            if times == 1 { Ok(()) } else { Err(Stop::failed(format!("{tag} once"), format!("{times} times"))) }
        },
    ),
    must(
        "tags-untagged-not-listed",
        LIST,
        "A manifest that was pushed by digest is not listed",
        "The list of tags: a digest is none.",
        |registry| {
            let image = registry.stored_image()?;
            let found = all(registry, "1000")?;
            let listed = found.iter().any(|tag| tag.contains(&image.digest.hex()));
            if listed { Err(Stop::failed("no digest among the tags", image.digest)) } else { Ok(()) }
        },
    ),
    should(
        "tags-type",
        LIST,
        "The list of tags has the Content-Type application/json",
        "Upon success, the response MUST be a json body.",
        |registry| {
            registry.shared_image()?;
            let received = registry.get("tags/list").send()?.status(200)?;
            let given = received.header("content-type")?;
            match given.split(';').next().is_some_and(|essence| essence.trim() == "application/json") {
                true => Ok(()),
                false => Err(received.fail("content-type: application/json", given)),
            }
        },
    ),
    should(
        "tags-malformed-count",
        PAGE,
        "GET of a number of tags that is none is refused with 400, or not minded",
        "<int> is an integer specifying the number of tags requested.",
        |registry| {
            registry.shared_image()?;
            registry.get("tags/list").query("n", "many").send()?.status_of(&[200, 400]).map(drop)
        },
    ),
];
