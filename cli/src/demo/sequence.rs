//! The exchanges of a push, as a sequence that a person can read.

use std::sync::{Arc, Mutex, PoisonError};

use longshore_core::endpoint::Row;
use longshore_core::{Digest, Event, Target};

use crate::progress::Show;
use crate::size::human;

/// What things are called, by a part of the URL that is about them.
pub(super) type Names = Vec<(String, String)>;

/// Collects exchanges while something else shows the progress.
pub(super) struct Recorder {
    show: Box<dyn Show + Send>,
    exchanges: Exchanges,
}

/// What was collected. A clone is another handle on the same list.
#[derive(Clone, Default)]
pub(super) struct Exchanges(Arc<Mutex<Vec<Exchange>>>);

struct Exchange {
    row: Option<Row>,
    target: Target,
    method: String,
    sent: u64,
    received: u64,
    status: Option<u16>,
}

impl Recorder {
    pub(super) fn new(show: Box<dyn Show + Send>, exchanges: Exchanges) -> Self {
        Self { show, exchanges }
    }
}

impl Show for Recorder {
    fn event(&mut self, event: &Event<Digest>) {
        self.show.event(event);
        if let Event::Exchanged { row, method, target, sent, received, status, .. } = event {
            self.exchanges.add(Exchange {
                row: *row,
                target: target.clone(),
                method: method.to_string(),
                sent: sent.unwrap_or_default(),
                received: *received,
                status: status.map(|status| status.as_u16()),
            });
        }
    }

    fn end(&mut self) {
        self.show.end();
    }
}

impl Exchanges {
    fn add(&self, exchange: Exchange) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(exchange);
    }

    /// How many there were, and how many bytes of bodies went out and came in.
    pub(super) fn count(&self) -> (u64, u64, u64) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |of: fn(&Exchange) -> u64| all.iter().map(of).sum();
        (all.len() as u64, sum(|exchange| exchange.sent), sum(|exchange| exchange.received))
    }

    /// A line for each, in the order in which they ended.
    pub(super) fn lines(&self, names: &Names) -> Vec<String> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|exchange| exchange.line(names)).collect()
    }
}

impl Exchange {
    fn line(&self, names: &Names) -> String {
        let sent = if self.sent == 0 { String::new() } else { human(self.sent) };
        let status = self.status.map_or_else(|| "---".to_owned(), |status| status.to_string());
        let url = self.target.path_and_query();
        let name = names.iter().find(|(part, _)| url.contains(part.as_str())).map_or("it", |(_, name)| name.as_str());
        let what = what(self.row, name);
        format!("{:<5} {:<32} {sent:>8} → {status}  {what}", self.method, shortened(&self.target))
    }
}

fn what(row: Option<Row>, name: &str) -> String {
    match row {
        Some(Row::CheckBlob | Row::CheckManifest) => format!("is {name} there?"),
        Some(Row::PullBlob | Row::PullManifest) => format!("get {name}"),
        Some(Row::PostBlob | Row::SendChunk | Row::CloseUpload | Row::PutManifest | Row::PutTaggedManifest) => {
            format!("send {name}")
        }
        Some(row) => row.name().to_owned(),
        None => "get a token".to_owned(),
    }
}

/// The path behind the repository, with what is long cut short.
fn shortened(target: &Target) -> String {
    let path = target.path();
    let path = ["blobs/", "manifests/"].iter().find_map(|part| path.find(part)).and_then(|at| path.get(at..));
    let parts = path.unwrap_or(target.path()).split('/').map(|part| {
        let keep = if part.starts_with("sha256:") { 15 } else { 8 };
        match part.char_indices().nth(keep) {
            Some((cut, _)) if part.len() > 16 => format!("{}…", &part[..cut]),
            _ => part.to_owned(),
        }
    });
    let path = parts.collect::<Vec<_>>().join("/");
    let has_digest = target.query().is_some_and(|query| query.contains("digest="));
    if has_digest { format!("{path}?digest=…") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_and_names_things() {
        let names = vec![("b94d27b9".to_owned(), "config arm64".to_owned())];
        let url = "http://127.0.0.1:1/v2/longshore/demo/blobs/uploads/0123456789abcdef0123?digest=sha256%3Ab94d27b9";
        let exchange = Exchange {
            row: Some(Row::CloseUpload),
            target: Target::parse(url).unwrap(),
            method: "PUT".to_owned(),
            sent: 1234,
            received: 0,
            status: Some(201),
        };
        assert_eq!(exchange.line(&names), "PUT   blobs/uploads/01234567…?digest=…   1.2 kB → 201  send config arm64");
    }
}
