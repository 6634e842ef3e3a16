//! What holds for every request and every answer, whatever is in them.

use super::*;

fn repository() -> impl Strategy<Value = String> {
    let component = "[a-z0-9]{1,6}((\\.|_|__|-{1,3})[a-z0-9]{1,6}){0,2}";
    proptest::collection::vec(component, 1..5).prop_map(|components| components.join("/"))
}

fn path_and_query() -> impl Strategy<Value = String> {
    "/([A-Za-z0-9_~!$&()*+,;=:@-]|%[0-9A-Fa-f]{2}){1,12}(/[A-Za-z0-9_~:@-]{0,8}){0,3}(\\?([A-Za-z0-9._~!$&()*+,;=:@/?-]|%[0-9A-Fa-f]{2}){0,40})?"
        .prop_filter("dot segments are refused", |text| Target::new(super::super::transcript::origin(), text.as_str()).is_ok())
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop_oneof![Just(Algorithm::Sha256), Just(Algorithm::Sha512)]
}

/// Header values with all that a peer can put into one.
fn header_value() -> impl Strategy<Value = Vec<u8>> {
    let odd = proptest::collection::vec(any::<u8>(), 0..24);
    let likely = "(/[a-z0-9]{0,8}|https://[a-z]{1,8}\\.example/[a-z]{0,4}|bytes=|0-[0-9]{0,20}|bytes [0-9]-[0-9]/[0-9*]|<[/?a-z=&]{0,9}>; rel=next|sha256:[0-9a-f]{64}|[0-9]{0,21}|299 - \"[ -~]{0,9}\"?|artifactType|application/vnd\\.oci\\.image\\.(manifest|index)\\.v1\\+json|text/html)";
    prop_oneof![odd, likely.prop_map(String::into_bytes)]
}

fn response() -> impl Strategy<Value = Response<Bytes>> {
    const NAMES: [&str; 17] = [
        "location",
        "range",
        "content-range",
        "content-length",
        "content-type",
        "docker-content-digest",
        "oci-subject",
        "oci-tag",
        "oci-filters-applied",
        "oci-chunk-min-length",
        "oci-chunk-max-length",
        "etag",
        "link",
        "warning",
        "retry-after",
        "date",
        "www-authenticate",
    ];
    let status =
        prop_oneof![Just(200u16), Just(201), Just(202), Just(204), Just(206), Just(416), Just(404), 100u16..600];
    let headers = proptest::collection::vec((proptest::sample::select(&NAMES[..]), header_value()), 0..8);
    let json = r#"\{"(errors|tags|manifests|config|layers|mediaType|schemaVersion)":(\[\]|\{\}|null|[0-9]|\["[a-z./-]{0,5}"\]|\[\{\}\])\}"#;
    let body = prop_oneof![proptest::collection::vec(any::<u8>(), 0..64), json.prop_map(String::into_bytes)];
    (status, headers, body).prop_map(|(status, headers, body)| {
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response
    })
}

proptest! {
    /// I18, I20: what is asked for is where the request goes, byte for byte, and its path has the segments it should
    /// have.
    #[test]
    fn a_request_goes_to_its_target(
        name in repository(), tag in "[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}", algorithm in algorithm(), location in path_and_query(),
    ) {
        let parts = Parts::new(&name, &tag, algorithm, target(&location));
        for endpoint in parts.every_endpoint() {
            let (target, request) = (endpoint.target(), endpoint.request().unwrap());
            prop_assert_eq!(request.uri().path_and_query().unwrap().as_str(), target.path_and_query());
            prop_assert_eq!(request.uri().to_string(), format!("{}{}", target.origin(), target.path_and_query()));
            prop_assert_eq!(request.method(), endpoint.row().method());
            // I19.
            for value in request.headers().values() {
                prop_assert!(value.as_bytes().iter().all(|b| (0x20..0x7f).contains(b)));
            }
            let mut expected = vec![String::new(), "v2".to_owned()];
            expected.extend(name.split('/').map(str::to_owned));
            let rest: &[&str] = match endpoint.row() {
                Row::Ping => { expected.truncate(2); &[""] }
                Row::PullBlob | Row::CheckBlob | Row::DeleteBlob => &["blobs", "<digest>"],
                Row::PullManifest | Row::CheckManifest | Row::PutManifest | Row::DeleteManifest => &["manifests", "<any>"],
                Row::PutTaggedManifest => &["manifests", "<digest>"],
                Row::StartUpload | Row::StartUploadFor | Row::PostBlob | Row::MountBlob => &["blobs", "uploads", ""],
                Row::ListTags | Row::ListSomeTags => &["tags", "list"],
                Row::ListReferrers | Row::ListSomeReferrers => &["referrers", "<digest>"],
                Row::FetchToken | Row::SendChunk | Row::CloseUpload | Row::CheckUpload | Row::CancelUpload => continue,
            };
            let segments: Vec<&str> = target.path().split('/').collect();
            prop_assert_eq!(segments.len(), expected.len() + rest.len());
            let (head, tail) = segments.split_at(expected.len());
            prop_assert_eq!(head, &expected[..]);
            for (segment, expected) in tail.iter().zip(rest) {
                match *expected {
                    "<digest>" => prop_assert_eq!(segment.parse(), Ok(parts.digest)),
                    "<any>" => prop_assert!(segment.parse() == Ok(parts.digest) || *segment == tag),
                    word => prop_assert_eq!(*segment, word),
                }
            }
        }
    }

    /// I20: a location comes back as the bytes that came, and only the digest is appended.
    #[test]
    fn a_location_is_never_encoded_anew(location in path_and_query(), next in path_and_query(), algorithm in algorithm()) {
        let parts = Parts::new("a", "t", algorithm, target("/u"));
        let start = StartUpload { origin: &parts.origin, repository: &parts.repository, algorithm: None };
        let upload = parse(&start, &answer(202, &[("location", &location)], "")).unwrap();
        prop_assert_eq!(upload.target().path_and_query(), &location);
        let send = SendChunk { upload: &upload, chunk: Chunk::Stream { size: None } };
        let request = Endpoint::request(&send).unwrap();
        prop_assert_eq!(request.uri().path_and_query().unwrap().as_str(), &location);
        let upload = parse(&send, &answer(202, &[("location", &next)], "")).unwrap().upload;
        prop_assert_eq!(upload.target().path_and_query(), &next);
        let close = CloseUpload { upload: &upload, digest: &parts.digest, body: ClosingBody::Empty };
        let request = Endpoint::request(&close).unwrap();
        let sent = request.uri().path_and_query().unwrap().as_str();
        let appended = sent.strip_prefix(next.as_str()).unwrap();
        let digest = format!("digest={}%3A{}", algorithm, parts.digest.hex());
        let separator = appended.strip_suffix(digest.as_str()).unwrap();
        let expected = match next.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        prop_assert_eq!(separator, expected);
    }

    /// I27: no answer panics, and no error says anything that acts on a terminal.
    #[test]
    fn every_answer_is_read(response in response(), algorithm in algorithm()) {
        let parts = Parts::new("a/b", "t", algorithm, target("/u?_state=1"));
        for endpoint in parts.every_endpoint() {
            if let Err(error) = endpoint.show(&endpoint.target(), &response) {
                let shown = error.to_string();
                prop_assert!(shown.starts_with(endpoint.row().id()), "{}", shown);
                prop_assert_eq!(error.row(), endpoint.row());
                // Cut, but with nothing left to escape.
                let safe = crate::text::shown(&shown);
                prop_assert!(shown.starts_with(safe.trim_end_matches('…')), "{}", shown);
            }
        }
    }

    /// I19: nothing of an answer gets into a header of the next request.
    #[test]
    fn nothing_of_an_answer_is_copied_into_headers(value in "[!-~]{9,20}") {
        let parts = Parts::new("a", "t", Algorithm::Sha256, target("/u"));
        let headers = ["range", "etag", "oci-chunk-min-length", "docker-upload-uuid", "set-cookie", "warning"];
        let mut headers: Vec<(&str, &str)> = headers.iter().map(|name| (*name, value.as_str())).collect();
        headers.push(("location", "/w"));
        let send = SendChunk { upload: &parts.upload, chunk: Chunk::Stream { size: Some(1) } };
        let upload = parse(&send, &answer(202, &headers, "")).unwrap().upload;
        for endpoint in (Parts { upload, ..parts }).every_endpoint() {
            for sent in endpoint.request().unwrap().headers().values() {
                prop_assert!(!sent.to_str().unwrap().contains(&value));
            }
        }
    }
}
