use super::*;

#[test]
fn i21_a_url_that_reqwest_would_change_is_unsendable() {
    let kept = [
        "http://localhost:5000/v2/",
        "http://[::1]:5000/v2/a/blobs/uploads/x?_state=a%2Fb%3D%3D&digest=sha256:00",
        "https://reg.example/v2/a/blobs/uploads/?mount=sha256:0&from=a/b",
        "https://reg.example:8443/a//b/%7E?x=%20+;,@:!$&()*",
        "https://reg.example/a?",
    ];
    for text in kept {
        let uri: Uri = text.parse().unwrap();
        assert_eq!(url(&uri).map(|url| url.to_string()), Ok(text.to_owned()));
    }
    let changed = [
        "https://reg.example/a/%2e%2e/b",
        "https://reg.example/a/../b",
        "https://reg.example/a?x='y'",
        "https://reg.example/a\"b",
        "https://0x7f.1/v2/",
        "https://2130706433/v2/",
        "https://REG.example/v2/",
    ];
    for text in changed {
        let uri: Uri = text.parse().unwrap();
        let refused = url(&uri);
        assert!(matches!(refused, Err(NoAnswer::Unsendable(_))), "{text}: {refused:?}");
    }
}
