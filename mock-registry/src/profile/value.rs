//! Messages about values that a switch does not accept.

use serde_json::{Value, json};

use crate::nearest::nearest;

/// The message about a wrong value, in the words of a profile instead of Rust. `said` gives the error of the switch's
/// type for another value, so that the message can list all allowed values.
pub(super) fn refused(value: &Value, message: &str, said: impl Fn(Value) -> Option<String>) -> String {
    let names = |message: &str, begin: &str| {
        let list = message.strip_prefix(begin)?.split_once("expected")?.1;
        let names: Vec<String> = list.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        (!names.is_empty()).then_some(names)
    };
    let words = || names(&said(json!("?"))?, "unknown variant");
    let keys = || names(&said(json!({ "?": 0 }))?, "unknown field");
    if let Some(words) = words() {
        let given = match value {
            Value::Object(pair) if pair.len() == 1 => pair.keys().next().map(String::as_str),
            other => other.as_str(),
        };
        let known = given.filter(|given| words.iter().any(|word| word == given));
        let near = given.and_then(|given| nearest(given, words.iter().map(String::as_str)));
        let near = near.map(|near| format!("; did you mean {near}?")).unwrap_or_default();
        return match known {
            Some(word) if value.is_string() => format!("{word} needs a number behind it, as in {word}:404"),
            Some(word) => format!("{word} has no number behind it, or another one than {value}"),
            None => format!("{} is none of {}{near}", shown(value), words.join(", ")),
        };
    }
    if let Some(keys) = keys() {
        let begins = ["unknown field", "missing field"].iter().any(|begin| message.starts_with(begin));
        let message = if begins { message.split(", expected").next().unwrap_or_default() } else { "it is a table" };
        return format!(
            "{message}: write {{ {} }}",
            keys.iter().map(|key| format!("{key} = …")).collect::<Vec<_>>().join(", ")
        );
    }
    let kinds = [
        ("expected u16", "a number from 0 to 65535"),
        ("expected u64", "a whole number, 0 or more"),
        ("expected usize", "a whole number, 0 or more"),
        ("expected a boolean", "true or false"),
        ("expected a string", "a text"),
        ("expected a sequence", "a list, as in [\"one\", \"two\"]"),
    ];
    match kinds.iter().find(|(of_serde, _)| message.contains(of_serde)) {
        Some((_, wanted)) => format!("{} is not {wanted}", shown(value)),
        None => message.to_owned(),
    }
}

/// The beginning of a value, as JSON.
fn shown(value: &Value) -> String {
    value.to_string().chars().take(64).collect()
}
