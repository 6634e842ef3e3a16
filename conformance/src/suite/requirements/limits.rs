//! Large content, long names and many entries.

use http::Method;
use longshore_core::{Algorithm, MediaType};
use serde_json::json;

use super::super::content::Document;
use super::super::requirement::{Requirement, must, should};
use super::super::stop::Stop;
use super::super::tested::Left;
use super::super::version::Version;

const NAME: (&str, &str) = ("", "pulling-manifests");
const HTTP: (&str, &str) = ("", "https://www.rfc-editor.org/rfc/rfc9110#section-15");
const PAGE: (&str, &str) = ("end-8b", "listing-tags");
const TAGS: (&str, &str) = ("end-7b", "pushing-manifests");

pub(super) const REQUIREMENTS: &[Requirement] = &[
    must(
        "limits-name-separators",
        NAME,
        "A repository's name may have all separators that the specification has",
        "<name> MUST match the following regular expression: [a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*",
        |registry| {
            let name = format!("{}/a.b_c__d-e--f/0", registry.repository());
            let repository = name.parse().map_err(|error| Stop::NotPrepared(format!("{name}: {error}")))?;
            let post = registry.request(Method::POST, &repository, "blobs/uploads/").send()?;
            match post.code() {
                401 | 403 | 404 => Err(Stop::unsupported(format!("no repository is made: {}", post.summary()))),
                _ => registry.opened(&repository, &post.status(202)?).map(drop),
            }
        },
    ),
    should(
        "limits-blob-8-mib",
        ("end-6", "post-then-put"),
        "A blob of 8 MiB is taken in one PUT",
        "<length> is its size in bytes.",
        |registry| {
            let (blob, upload) = (registry.blob(8 << 20), registry.upload()?);
            upload.close_whole(&blob).send()?.done()?;
            upload.became(blob.digest);
            let head = registry.head(&blob.path()).send()?.status(200)?;
            head.says("content-length", &blob.bytes.len().to_string()).map(drop)
        },
    ),
    should(
        "limits-chunk-4-mib",
        ("end-5", "pushing-a-blob-in-chunks"),
        "A chunk of 4 MiB and one byte is taken",
        "<length> is the content-length, in bytes, of the current chunk.",
        |registry| {
            let upload = registry.upload()?;
            upload.chunk(0, registry.text((4 << 20) + 1)).send()?.done().map(drop)
        },
    ),
    should(
        "limits-tags-many",
        PAGE,
        "GET of a million tags is answered with 200 or refused with 400",
        "<int> is an integer specifying the number of tags requested.",
        |registry| {
            registry.shared_image()?;
            registry.get("tags/list").query("n", "1000000").send()?.status_of(&[200, 400]).map(drop)
        },
    ),
    should(
        "limits-tags-negative",
        PAGE,
        "GET of -1 tags is answered with 200 or refused with 400",
        "<int> is an integer specifying the number of tags requested.",
        |registry| {
            registry.shared_image()?;
            registry.get("tags/list").query("n", "-1").send()?.status_of(&[200, 400]).map(drop)
        },
    ),
    should(
        "limits-long-header",
        ("", "https://www.rfc-editor.org/rfc/rfc6585#section-5"),
        "A header of 32 KiB is taken, or refused with 431 or 400",
        "431: the server is unwilling to process the request because its header fields are too large.",
        |registry| {
            let blob = registry.shared_blob()?;
            let received = registry.head(&blob.path()).header("x-longshore", "x".repeat(32 << 10)).send()?;
            received.status_of(&[200, 400, 413, 431])?;
            Ok(())
        },
    ),
    should(
        "limits-long-query",
        ("", "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.15"),
        "A query of 7 KiB is taken, or refused with 414 or 400",
        "414: the server is refusing to service the request because the target URI is longer than the server is willing to interpret.",
        |registry| {
            let blob = registry.shared_blob()?;
            let received = registry.head(&blob.path()).query("x-longshore", "x".repeat(7 << 10)).send()?;
            received.status_of(&[200, 400, 414, 431])?;
            Ok(())
        },
    ),
    should(
        "limits-hundred-tags",
        TAGS,
        "PUT by digest with a hundred tags in the query stores some, or is refused with 414 or 431",
        "MAY return a 414 Request-URI Too Long status if too many tags are included in the request.",
        |registry| {
            let image = registry.image(|_| {})?;
            let put = (0..100).fold(registry.put(&image.path()), |put, _| put.query("tag", registry.tag()));
            let put = put.body(&image.media_type, image.bytes.clone()).send()?;
            registry.leaves(Left::Manifest(registry.repository().clone(), image.digest.to_string()));
            put.status_of(&[201, 400, 414, 431])?;
            Ok(())
        },
    )
    .since(Version::V1_2),
    should(
        "limits-content-range-huge",
        ("end-5", "pushing-a-blob-in-chunks"),
        "A Content-Range beyond all numbers is refused with 4xx",
        "It MUST match the following regular expression: ^[0-9]+-[0-9]+$",
        |registry| {
            let upload = registry.upload()?;
            let range = "18446744073709551616-18446744073709551715";
            upload.patch(registry.text(100)).header("content-range", range).send()?.refused().map(drop)
        },
    ),
    should(
        "limits-deep-manifest",
        HTTP,
        "A manifest of a thousand lists in one another is taken, or refused with 4xx",
        "The 5xx class of status code indicates that the server is aware that it has erred.",
        |registry| {
            let image = registry.image(|_| {})?;
            let text = String::from_utf8_lossy(&image.bytes).into_owned();
            let deep = format!("{{\"org.longshore.deep\":{}{},", "[".repeat(1000), "]".repeat(1000));
            let deep = Document::of_bytes(MediaType::OCI_MANIFEST, text.replacen('{', &deep, 1), Algorithm::Sha256);
            let put = registry.put_document(&deep, &deep.digest.to_string())?;
            if put.is_success() { Ok(()) } else { put.refused().map(drop) }
        },
    ),
    should(
        "limits-many-annotations",
        ("end-7a", "pushing-manifests"),
        "A manifest of a thousand annotations is taken",
        "Client and registry implementations SHOULD expect to be able to support manifest pushes of at least 4 megabytes.",
        |registry| {
            let image = registry.image(|image| {
                for number in 0..1000 {
                    image["annotations"][format!("org.longshore.{number}")] = json!(number.to_string());
                }
            })?;
            registry.put_document(&image, &image.digest.to_string())?.done()?;
            Ok(())
        },
    ),
    should(
        "limits-odd-path",
        HTTP,
        "A name with an encoded NUL is refused with 400 or 404",
        "The 4xx class of status code indicates that the client seems to have erred.",
        |registry| {
            registry.shared_image()?;
            registry.get("manifests/a%00b").send()?.status_of(&[400, 404]).map(drop)
        },
    ),
    should(
        "limits-namespace",
        ("end-3", "registry-proxying"),
        "The parameter ns is heeded or not, and no error of the server's",
        "A registry MAY choose to ignore the ns query parameter. One that uses it SHOULD return the value in the OCI-Namespace header.",
        |registry| {
            let (image, _) = registry.shared_image()?;
            let received = registry.get(&image.path()).query("ns", "registry.example").send()?;
            received.says_if_any("oci-namespace", "registry.example")?.status_of(&[200, 400, 404])?;
            Ok(())
        },
    )
    .since(Version::V1_1),
];
