use super::*;

/// `code|message|detail` of each error, or the text.
fn outline(body: &[u8]) -> String {
    let body = ErrorBody::read(body);
    let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "-".to_owned());
    let errors = body.errors.iter().map(|e| format!("{}|{}|{}", part(&e.code), part(&e.message), part(&e.detail)));
    let errors: Vec<String> = errors.collect();
    if errors.is_empty() { format!("text {:?}", body.text) } else { errors.join(" ") }
}

#[test]
fn every_shape_that_registries_send() {
    let table: [(&[u8], &str); 26] = [
        (br#"{"errors":[{"code":"DENIED","message":"no","detail":{"a":1}}]}"#, r#"DENIED|no|{"a":1}"#),
        (br#"{"errors":[{"code":"A"},{"code":"B"}]}"#, "A|-|- B|-|-"),
        (br#"{"errors":[{"code":"A","message":"","detail":null}]}"#, "A|-|-"),
        // Artifactory: no code, a status.
        (br#"{"errors":[{"status":405,"message":"Method Not Allowed"}]}"#, "-|Method Not Allowed|-"),
        // Cloudsmith: a message that is an object.
        (
            br#"{"errors":[{"code":"UNKNOWN_ERROR","message":{"non_field_errors":["Missing layers"]}}]}"#,
            r#"UNKNOWN_ERROR|{"non_field_errors":["Missing layers"]}|-"#,
        ),
        // Quay: a code with spaces, a field of its own.
        (br#"{"errors":[{"code":"METHOD NOT ALLOWED","is_readonly":true}]}"#, "METHOD NOT ALLOWED|-|-"),
        (br#"{"errors":[{"code":404,"message":["a"],"detail":true}]}"#, r#"404|["a"]|true"#),
        (br#"{"errors":["plain"]}"#, "-|plain|-"),
        (br#"{"errors":"plain"}"#, "-|plain|-"),
        (br#"{"errors":{"code":"A","message":"b"}}"#, "A|b|-"),
        (br#"{"errors":[],"message":"outside"}"#, "-|outside|-"),
        (br#"{"errors":[1,null,{}],"message":"outside"}"#, "-|outside|-"),
        (br#"{"details":"token expired"}"#, "-|-|token expired"),
        (br#"{"error":"invalid_token","error_description":"x"}"#, "-|invalid_token|-"),
        (br#"{"code":"A","message":"b"}"#, "A|b|-"),
        (b"\xef\xbb\xbf{\"message\":\"with a mark\"}", "-|with a mark|-"),
        // ISO-8859-1.
        (b"{\"message\":\"gel\xf6scht\"}", "-|gel\u{fffd}scht|-"),
        (br#"{"unknown":1}"#, r#"text "{\"unknown\":1}""#),
        (br#"{"errors":null}"#, r#"text "{\"errors\":null}""#),
        (b"[1,2]", r#"text "[1,2]""#),
        (br#"{"errors":[{"code":"A"#, r#"text "{\"errors\":[{\"code\":\"A""#),
        (b"404 page not found\n", r#"text "404 page not found""#),
        (b"<html><title>411</title></html>", r#"text "<html><title>411</title></html>""#),
        (b"\xff\xfe", "text \"\u{fffd}\u{fffd}\""),
        (b" \n", r#"text """#),
        (b"", r#"text """#),
    ];
    for (body, expected) in table {
        assert_eq!(outline(body), expected);
    }
}

#[test]
fn bounds() {
    let many = format!(r#"{{"errors":[{}]}}"#, vec![r#"{"code":"A"}"#; 100].join(","));
    assert_eq!(ErrorBody::read(many.as_bytes()).errors.len(), 16);
    let long = |len| format!(r#"{{"errors":[{{"code":"{0}","message":"{0}","detail":"{0}"}}]}}"#, "é".repeat(len));
    let body = ErrorBody::read(long(5000).as_bytes());
    let lengths = |e: &ErrorEntry| [&e.code, &e.message, &e.detail].map(|part| part.as_ref().map(String::len));
    assert_eq!(lengths(&body.errors[0]), [Some(128), Some(1024), Some(1024)]);
    // Over 64 KiB nothing is parsed, and the beginning is kept.
    let body = ErrorBody::read(long(20_000).as_bytes());
    assert!(body.errors.is_empty());
    assert!(body.text.starts_with(r#"{"errors":[{"code":"éé"#) && body.text.len() <= 1024, "{}", body.text.len());
    assert!(!body.text.contains('\u{fffd}'));
    // The cut goes through a character.
    for (character, whole) in [("é", 511), ("船", 341), ("🚢", 255)] {
        let body = ErrorBody::read(format!("a{}", character.repeat(600)).as_bytes());
        assert_eq!(body.text, format!("a{}", character.repeat(whole)));
    }
    // Deeper than the parser goes.
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(ErrorBody::read(format!(r#"{{"errors":{deep}}}"#).as_bytes()).errors, []);
    assert_eq!(ErrorBody::read(&[0xff; 70_000]).errors, []);
}

#[test]
fn what_is_empty_says_nothing_and_codes_are_found() {
    assert_eq!(outline(br#"{"errors":[{"code":"A","message":{},"detail":[]}]}"#), "A|-|-");
    let body = ErrorBody::read(br#"{"errors":[{"code":"A"}]}"#);
    assert!(body.has_code("A") && !body.has_code("B"));
    let is_empty = |body: &[u8]| ErrorBody::read(body).is_empty();
    assert!(is_empty(b"") && is_empty(b" \n"));
    assert!(!is_empty(br#"{"errors":[{"code":"A"}]}"#) && !is_empty(b"404 page not found"));
    // A replacement character that no cut has made stays.
    let whole = "a".repeat(MAX_TEXT - 3) + "\u{fffd}";
    assert_eq!(ErrorBody::read(whole.as_bytes()).text, whole);
    assert_eq!(ErrorBody::read((whole + "b").as_bytes()).text, "a".repeat(MAX_TEXT - 3));
}

#[test]
fn i30_shown_in_one_safe_line() {
    let table: [(&[u8], &str); 6] = [
        (br#"{"errors":[{"code":"A","message":"b","detail":"c"},{"message":"d"}]}"#, "A: b; d"),
        (br#"{"errors":[{"code":"A","detail":"c"}]}"#, "A: c"),
        (
            br#"{"errors":[{"code":"A"},{"code":"B"},{"code":"C"},{"code":"D"},{"code":"E"},{}]}"#,
            "A; B; C; D; and 1 more",
        ),
        (b"two\r\n  lines\x1b[2J", "two lines\\u{1b}[2J"),
        ("{\"message\":\"\\u001b]0;title\\u0007 \u{202e}\"}".as_bytes(), "\\u{1b}]0;title\\u{7} \\u{202e}"),
        (b"", ""),
    ];
    for (body, expected) in table {
        assert_eq!(ErrorBody::read(body).to_string(), expected);
    }
}

proptest::proptest! {
    #[test]
    fn reading_never_fails(body: Vec<u8>, json in r#"\{"errors":\[?(\{"(code|message|detail)":("[^"]{0,8}"|[0-9]|\[\]|null)\},?){0,3}\]?\}"#) {
        for body in [body.as_slice(), json.as_bytes()] {
            let read = ErrorBody::read(body);
            proptest::prop_assert!(read.errors.len() <= 16 && read.text.len() <= 1024);
            let shown = read.to_string();
            proptest::prop_assert!(!shown.contains(char::is_control));
        }
    }
}

#[test]
fn a_code_with_spaces_is_the_code_with_underscores() {
    let body = ErrorBody::read(br#"{"errors":[{"code":"BLOB UNKNOWN"}]}"#);
    assert!(body.has_code("BLOB_UNKNOWN") && !body.has_code("BLOB_UNKNOWNS") && !body.has_code("BLOBUNKNOWN"));
}
