use longshore_mock_registry::behaviour::ErrorBody;

use crate::stage;

#[test]
fn bodies() {
    let message = "there is no such repository";
    let bodies = [
        (
            ErrorBody::Spec,
            "application/json",
            format!(r#"{{"errors":[{{"code":"NAME_UNKNOWN","detail":{{"name":"a"}},"message":"{message}"}}]}}"#),
        ),
        (ErrorBody::Html, "text/html", "<html><head><title>404 Not Found{more}".to_owned()),
        (ErrorBody::Text, "text/plain; charset=utf-8", format!("{message}{{newline}}")),
        (ErrorBody::Details, "application/json", format!(r#"{{"details":"{message}"}}"#)),
        (
            ErrorBody::WithoutCode,
            "application/json;charset=ISO-8859-1",
            format!(r#"{{"errors":[{{"message":"{message}","status":404}}]}}"#),
        ),
        (
            ErrorBody::MessageObject,
            "application/json",
            format!(
                r#"{{"errors":[{{"code":"NAME_UNKNOWN","detail":{{"name":"a"}},"message":{{"non_field_errors":["{message}"]}}}}]}}"#
            ),
        ),
        (ErrorBody::OtherCodes, "application/json", r#"{"errors":[{"code":"NAME UNKNOWN",{more}"#.to_owned()),
    ];
    for (form, content_type, body) in bodies {
        stage(|b| b.errors.body = form)
            .play(&format!("C: GET /v2/a/tags/list\nS: 404\nS: Content-Type: {content_type}\nS:\nS: {body}"));
    }
    stage(|b| b.errors.body = ErrorBody::Empty)
        .play("C: GET /v2/a/tags/list\nS: 404\nS: !content-type\nS: Content-Length: 0");
}

#[test]
fn warnings() {
    stage(|b| b.errors.warnings = vec!["one".into(), r#"a "quote""#.into()]).play(
        r#"C: GET /v2/
           S: 200
           S: Warning: 299 - "one"
           S: Warning: 299 - "a \"quote\""
           C: GET /v2/a/tags/list
           S: 404
           S: Warning: 299 - "one""#,
    );
}
