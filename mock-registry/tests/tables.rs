//! The tables in the documents are those that the code has. `LONGSHORE_WRITE=1 cargo test` writes them.

use std::fmt::Write as _;
use std::path::Path;

use longshore_mock_registry::fault::EFFECTS;
use longshore_mock_registry::judge::RULES;
use longshore_mock_registry::profile::quirk;
use longshore_mock_registry::row_ids;

fn check(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    if std::env::var_os("LONGSHORE_WRITE").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    let stands = std::fs::read_to_string(&path).unwrap();
    assert_eq!(stands, made, "{name} is not what the code has");
}

#[test]
fn the_table_of_faults_is_what_the_code_has() {
    let mut made = "\
# Faults

A rule is written as `REQUESTS: FAULT`; rules stand in lines, or with `;` between them. A line that begins with `# ` is a comment.

`REQUESTS` is a method (`PATCH`), a row of the spec's table, both, or `every`; and of those that it names

* `#2` the second, `#2..5` the second to the fifth, `#2..` all from the second on, `#..5` all up to the fifth;
* `in team/app` those to this repository, `of sha256:…` those about this content: `#2` then counts only these;
* `p=0.1` one in ten, at random by the seed; `for 10s` those of the first ten seconds after the faults were set.

The rows are "
        .to_owned();
    let rows: Vec<String> = row_ids().map(|id| format!("`{id}`")).collect();
    write!(made, "{}.\n\n| fault | what goes wrong |\n|---|---|\n", rows.join(", ")).unwrap();
    for (form, meaning) in EFFECTS {
        writeln!(made, "| `{}` | {meaning} |", form.replace('|', "\\|")).unwrap();
    }
    made.push_str("\nBytes may be written with `KiB`, `MiB` or `GiB`, times with `us`, `ms` or `s`.\n");
    check("FAULTS.md", &made);
}

#[test]
fn the_table_of_rules_is_what_the_code_has() {
    let mut made = "\
# Rules

What the judge holds clients to. A breach names the rule, the request and what it did; a report has a check for each rule.

| rule | level | what it requires | where it is written |
|---|---|---|---|
"
    .to_owned();
    for rule in &RULES {
        let clause = rule.clause();
        let source = match &clause.url {
            Some(url) => format!("[{}]({url})", clause.title),
            None => clause.title.clone(),
        };
        writeln!(made, "| `{}` | {} | {} | {source} |", rule.name, rule.level, rule.sentence).unwrap();
    }
    made.push_str("\n*Some registries*: the spec allows it, and some registry does not stand it.\n");
    check("RULES.md", &made);
}

/// The core's documentation names quirks by their ids, and links this page. The catalogue is in the mock registry, which uses the
/// core, so the page is written from here.
#[test]
fn the_cores_page_of_quirks_is_the_catalogue() {
    let mut made = "\
# Quirks of real registries

Where registries differ from the specification, or from each other, this crate's documentation names the difference by an id, such
as `patch-status-201`. This page lists all of them: what registries do, and what this client does about it.

Severity 3: without the client's answer a push fails, or stores wrong content. Severity 2: it makes needless requests, or fails in
some setups. Severity 1: nothing depends on it, or it is rare.
"
    .to_owned();
    let mut all: Vec<_> = quirk::all().iter().collect();
    all.sort_by_key(|quirk| &quirk.id);
    for quirk in all {
        let (does, client) = (quirk.does.trim(), quirk.client.trim().trim_end_matches('.'));
        write!(made, "\n## `{}`\n\n{does}\n\nThe client {client}. Severity {}.\n", quirk.id, quirk.severity.number())
            .unwrap();
    }
    check("../core/QUIRKS.md", &made);
}
