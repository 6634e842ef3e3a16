//! Exchanges as `curl` commands.

use longshore_mock_registry::report::RecordedExchange;

/// A script with one command for each exchange. The reader must fill in locations and credentials, because secrets are
/// not recorded.
pub(super) fn script(exchanges: &[RecordedExchange]) -> String {
    commands(exchanges).join("\n")
}

fn commands(exchanges: &[RecordedExchange]) -> Vec<String> {
    let mut locations: Vec<(String, usize)> = Vec::new();
    let mut commands = Vec::new();
    for (at, exchange) in exchanges.iter().enumerate() {
        commands.push(command(exchange, &locations));
        let location = exchange.response_headers.iter().find(|(name, _)| name == "location");
        if let Some((_, location)) =
            location.filter(|(_, location)| location.contains("/uploads/") || location.contains('?'))
        {
            locations.push((location.clone(), at));
        }
    }
    commands
}

fn command(exchange: &RecordedExchange, locations: &[(String, usize)]) -> String {
    let mut words = vec!["curl -i".to_owned()];
    match exchange.method.as_str() {
        "GET" => {}
        "HEAD" => words.push("--head".to_owned()),
        method => words.push(format!("-X {method}")),
    }
    for (name, value) in &exchange.request_headers {
        match name.as_str() {
            // curl sets this header itself.
            "content-length" => {}
            "authorization" => words.push("-H \"Authorization: $AUTHORIZATION\"".to_owned()),
            _ => words.push(format!("-H {}", quoted(&format!("{name}: {value}")))),
        }
    }
    let body = body(exchange);
    if let Some(body) = &body {
        words.push(format!("--data-binary {}", if body.is_empty() { "''" } else { "@-" }));
    }
    words.push(url(exchange, locations));
    let command = words.join(" ");
    match body {
        Some(body) if !body.is_empty() => format!("{body} | {command}"),
        _ => command,
    }
}

/// The command that makes the body; none if the method has no body. If a body was recorded only in part, only its
/// length is known, unless the suite made it: then it is filled up with `x`.
fn body(exchange: &RecordedExchange) -> Option<String> {
    let (text, len) = (&exchange.request_body, exchange.request_bytes);
    if len == 0 {
        return matches!(exchange.method.as_str(), "POST" | "PUT" | "PATCH").then(String::new);
    }
    let begin = text.trim_end_matches('x');
    let is_exact = !text.contains('\u{fffd}');
    if is_exact && text.len() as u64 == len {
        return Some(format!("printf %s {}", quoted(text)));
    }
    if is_exact && begin.len() < text.len() && begin.ends_with('\n') {
        let fill = len - begin.len() as u64;
        return Some(format!("{{ printf %s {}; head -c {fill} /dev/zero | tr '\\0' x; }}", quoted(begin)));
    }
    Some(format!("cat BODY_OF_{len}_BYTES"))
}

/// The URL, or a reference to the location from another exchange.
fn url(exchange: &RecordedExchange, locations: &[(String, usize)]) -> String {
    let given = locations.iter().rev().find(|(location, _)| exchange.target.contains(location.as_str()));
    match given {
        Some((location, at)) => {
            let rest = exchange.target.split_once(location.as_str()).map_or("", |(_, rest)| rest);
            format!("\"$LOCATION_{}{rest}\"", at + 1)
        }
        None => quoted(&exchange.target),
    }
}

/// Quotes a word for a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(method: &str, url: &str) -> RecordedExchange {
        let mut exchange = RecordedExchange::default();
        (exchange.method, exchange.target) = (method.to_owned(), url.to_owned());
        exchange.response_headers = vec![("location".to_owned(), "/v2/a/blobs/uploads/1".to_owned())];
        exchange
    }

    #[test]
    fn a_location_is_named_after_the_exchange_that_gave_it() {
        let post = exchange("POST", "http://r.example/v2/a/blobs/uploads/");
        let mut put = exchange("PUT", "http://r.example/v2/a/blobs/uploads/1?digest=sha256:00");
        put.request_headers = vec![
            ("authorization".to_owned(), "Bearer …".to_owned()),
            ("content-length".to_owned(), "5".to_owned()),
            ("content-type".to_owned(), "application/octet-stream".to_owned()),
        ];
        (put.request_bytes, put.request_body) = (5, "it's\n".to_owned());
        assert_eq!(
            commands(&[post, put]),
            [
                "curl -i -X POST --data-binary '' 'http://r.example/v2/a/blobs/uploads/'",
                "printf %s 'it'\\''s\n' | curl -i -X PUT -H \"Authorization: $AUTHORIZATION\" \
                 -H 'content-type: application/octet-stream' --data-binary @- \"$LOCATION_1?digest=sha256:00\"",
            ]
        );
    }

    #[test]
    fn a_long_body_is_made_by_the_shell() {
        let mut put = exchange("PUT", "http://r.example/v2/a/manifests/v1");
        (put.request_bytes, put.request_body) = (10_000, "begin\nxxxx".to_owned());
        let command = commands(&[put]).remove(0);
        assert!(
            command.starts_with("{ printf %s 'begin\n'; head -c 9994 /dev/zero | tr '\\0' x; } | curl"),
            "{command}"
        );
    }
}
