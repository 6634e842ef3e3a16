//! A case as Rust source, from which a test can be made.

use longshore_memory::{Fault, Order, Schedule};
use longshore_mock_registry::Behaviour;
use longshore_mock_registry::auth::{Auth, AuthScheme};
use serde::Serialize;

use super::shown::difference;
use super::{Case, USER};
use crate::{BlobPlan, DocumentPlan, Plan};

impl Case {
    /// A Rust expression for this case, for a file that depends on this crate, `longshore-memory`,
    /// `longshore-mock-registry`, `http` and `serde_json`. Random faults are written as the faults of the first
    /// `requests` requests.
    #[must_use]
    pub fn as_rust(&self, requests: u64) -> String {
        let changes = self.changes(requests);
        let mut lines = vec!["use longshore_conformance::*;".to_owned()];
        if changes.iter().any(|change| change.contains(" = Order::") || change.contains(" = Schedule::")) {
            lines.push("use longshore_memory::*;".to_owned());
        }
        let made = format!("Case::new({})", plan(&self.plan));
        if changes.is_empty() && self.before.is_none() {
            lines.push(format!("\n{made}"));
        } else {
            lines.push(format!("\nlet mut case = {made};"));
            lines.extend(changes);
            let before = self.before.iter();
            lines.extend(before.map(|before| format!("case.before = Some(Box::new({}));", before.as_rust(0))));
            lines.push("case".to_owned());
        }
        format!("{{\n{}\n}}", indented(&lines.join("\n")))
    }

    /// The differences from the usual case of this plan, one statement each.
    fn changes(&self, requests: u64) -> Vec<String> {
        let usual = Self::new(self.plan.clone());
        let mut lines = Vec::new();
        let mut set = |field: &str, value: fn(&Self) -> String| {
            if value(self) != value(&usual) {
                lines.push(format!("case.{field} = {};", value(self)));
            }
        };
        set("interrupted", |case| format!("Interrupted::{:?}", case.interrupted));
        set("given", |case| list(&case.given, |given| format!("Given::{given:?}")));
        set("tags", |case| case.tags.to_string());
        set("first_tag", |case| case.first_tag.to_string());
        set("first_key", |case| case.first_key.to_string());
        set("client.chunk", |case| case.client.chunk.to_string());
        set("client.chunk_above", |case| case.client.chunk_above.to_string());
        set("client.single_post", |case| case.client.single_post.to_string());
        set("client.ask_above", |case| case.client.ask_above.to_string());
        set("client.in_flight", |case| case.client.in_flight.to_string());
        set("client.learned", |case| read(&case.client.learned, &longshore_core::Learned::default()));
        set("registry.behaviour", |case| read(&case.registry.behaviour, &Behaviour::default()));
        set("registry.faults", |case| format!("{:?}.parse().unwrap()", case.registry.faults.to_string()));
        set("registry.limits.manifest", |case| case.registry.limits.manifest.to_string());
        set("registry.limits.page", |case| case.registry.limits.page.to_string());
        set("order", |case| order(&case.order));
        set("seed", |case| case.seed.to_string());
        let faults = self.faults.listed(requests);
        if !faults.is_empty() {
            lines.push(format!("case.faults = {};", schedule(&faults)));
        }
        lines.extend(self.registry.auth.as_ref().map(users).into_iter().flatten());
        lines
    }
}

/// A test with the statements `find`, which fail if the rule is broken.
pub(crate) fn test(name: &str, find: &str) -> String {
    format!("#[test]\nfn {name}() {{\n{}\n}}\n", indented(find))
}

/// A list of faults.
pub(crate) fn schedule(faults: &Schedule) -> String {
    let faults: Vec<(u64, &Fault)> = faults.iter().collect();
    format!("Schedule::list({})", array(&faults, |(request, met)| format!("({request}, {})", fault(met))))
}

/// One fault.
pub(crate) fn fault(fault: &Fault) -> String {
    match fault {
        Fault::RequestLate(delay) => format!("Fault::RequestLate({})", micros(*delay)),
        Fault::Slow(delay) => format!("Fault::Slow({})", micros(*delay)),
        Fault::Status(status, wait) => {
            format!("Fault::Status(http::StatusCode::from_u16({}).unwrap(), {wait:?})", status.as_u16())
        }
        Fault::HeaderMissing(name) => format!("Fault::HeaderMissing({:?}.parse().unwrap())", name.as_str()),
        Fault::HeaderChanged(name, value) => {
            let value = String::from_utf8_lossy(value.as_bytes());
            format!("Fault::HeaderChanged({:?}.parse().unwrap(), {value:?}.parse().unwrap())", name.as_str())
        }
        Fault::BodyChanged(body) => format!("Fault::BodyChanged({:?}.into())", String::from_utf8_lossy(body)),
        // The others print as they are written.
        simple => format!("Fault::{simple:?}"),
    }
}

/// Several expressions, as a vector.
pub(crate) fn list<T>(all: &[T], each: impl Fn(&T) -> String) -> String {
    format!("vec!{}", array(all, each))
}

/// Several expressions, as an array.
pub(crate) fn array<T>(all: &[T], each: impl Fn(&T) -> String) -> String {
    format!("[{}]", all.iter().map(each).collect::<Vec<String>>().join(", "))
}

pub(crate) fn micros(duration: std::time::Duration) -> String {
    format!("std::time::Duration::from_micros({})", duration.as_micros())
}

fn plan(plan: &Plan) -> String {
    let Plan { blobs, documents, attached } = plan;
    let (blobs, documents) = (list(blobs, |blob: &BlobPlan| format!("{blob:?}")), list(documents, document));
    format!("Plan {{ blobs: {blobs}, documents: {documents}, attached: {attached} }}")
}

fn document(document: &DocumentPlan) -> String {
    let DocumentPlan { blobs, children, docker, subject } = document;
    let (blobs, children) = (numbers(blobs), numbers(children));
    format!("DocumentPlan {{ blobs: {blobs}, children: {children}, docker: {docker}, subject: Subject::{subject:?} }}")
}

fn numbers(all: &[usize]) -> String {
    list(all, usize::to_string)
}

fn order(order: &Order) -> String {
    match order {
        Order::Script(script) => format!("Order::Script({})", numbers(script)),
        simple => format!("Order::{simple:?}"),
    }
}

/// What reads a value from what of it is not the usual.
fn read<T: Serialize>(value: &T, usual: &T) -> String {
    let json = |value: &T| serde_json::to_value(value).expect("it is plain data");
    format!("serde_json::from_str(r##\"{}\"##).unwrap()", difference(&json(value), &json(usual)))
}

/// Lets the suite's own user in.
fn users(auth: &Auth) -> Vec<String> {
    let rights = auth.users.get(USER).map_or_else(String::new, |user| user.rights.to_string());
    let mut lines = vec![format!("let_in(&mut case, {rights:?});")];
    let mut set =
        |field: &str, value: String| lines.push(format!("case.registry.auth.as_mut().unwrap().{field} = {value};"));
    if auth.scheme != AuthScheme::Bearer {
        set("scheme", format!("longshore_mock_registry::auth::AuthScheme::{:?}", auth.scheme));
    }
    if auth.lifetime != Auth::bearer().lifetime {
        set("lifetime", micros(auth.lifetime));
    }
    lines
}

fn indented(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("    {line}") };
    text.lines().map(line).collect::<Vec<String>>().join("\n")
}
