//! The requirements themselves.

use std::collections::BTreeSet;

use longshore_conformance::suite::{GROUPS, requirements};

#[test]
fn every_id_is_its_own_and_begins_with_its_groups_name() {
    let ids: BTreeSet<&str> = requirements().map(|requirement| requirement.id).collect();
    assert_eq!(ids.len(), requirements().count());
    for group in GROUPS {
        for requirement in group.requirements {
            assert!(requirement.id.starts_with(&format!("{}-", group.name)), "{}", requirement.id);
        }
    }
}

#[test]
fn every_requirement_says_what_is_checked_and_where_it_stands() {
    for requirement in requirements() {
        assert!(!requirement.title.is_empty() && !requirement.clause.is_empty(), "{}", requirement.id);
        let url = requirement.source().url.unwrap();
        assert!(url.starts_with("https://"), "{}: {url}", requirement.id);
        let row = requirement.endpoint;
        assert!(row.is_empty() || row.starts_with("end-") || row == "token", "{}: {row}", requirement.id);
    }
}

#[test]
fn there_are_more_than_three_hundred_requirements() {
    assert!(requirements().count() > 300, "{}", requirements().count());
}
