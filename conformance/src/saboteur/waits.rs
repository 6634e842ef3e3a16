//! Waits that are cut short, and requests that do not wait for their turn.

use http::header::RETRY_AFTER;
use http::{HeaderValue, Method};
use longshore_core::driver::{Input, Key, Output};

use super::{Saboteur, on_answers};

pub(super) fn all<K: Key>() -> Vec<Saboteur<K>> {
    vec![
        on_answers!("clamp-retry-after", "no wait is longer than a second", "waits", |_, _, response| {
            if response.headers().contains_key(RETRY_AFTER) {
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(1));
            }
        }),
        on_answers!("ignore-retry-after", "a wait that was asked for is not heard", "waits", |_, _, response| {
            response.headers_mut().remove(RETRY_AFTER);
        }),
        Saboteur::new(
            "sent-again-at-once",
            "what was answered with an error of the server is sent again at once",
            "commits",
        )
        .found_by("no-repetition")
        .input(|notes, input| match input {
            Input::Answered { id, response, end } => {
                let again = response.status().is_server_error() && notes.answered.insert(id);
                match notes.sent.get(&id).cloned().filter(|_| again) {
                    Some(sent) => {
                        notes.to_driver.push_back(sent.again(id));
                        None
                    }
                    None => Some(Input::Answered { id, response, end }),
                }
            }
            other => Some(other),
        }),
        Saboteur::new("hedge", "each question is sent five times at once", "flights").output(|notes, output| {
            match output {
                Output::Send { id, request, keep, limits } => {
                    if let Some(sent) = notes.sent.get(&id).filter(|_| request.method() == Method::HEAD) {
                        notes.to_driver.extend((0..4).map(|_| sent.clone().again(id)));
                    }
                    Some(Output::Send { id, request, keep, limits })
                }
                other => Some(other),
            }
        }),
    ]
}
