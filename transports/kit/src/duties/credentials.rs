//! Duties about credentials.

use std::sync::{Arc, Mutex};

use longshore_core::Secret;
use longshore_core::auth::Credentials;
use longshore_core::driver::AskFailed;

use super::{Duty, Over};
use crate::failure::shown;
use crate::server::plan::Answer;
use crate::trial::{TAGS, Trial, ensure, options};
use crate::work::{CredentialLookup, Work, lock};

pub(super) const DUTIES: &[Duty] = &[Duty {
    name: "credentials",
    what: "Credentials are looked up for the named registry and repository; missing credentials are not a failure, and a failed look-up is one",
    over: Over::Any,
    needs: None,
    check: credentials,
}];

fn credentials(trial: &mut Trial<'_, '_>) -> Result<(), String> {
    // Two challenges in two fields: a driver that keeps only one of them, or joins them wrongly, gets no access.
    let mut bench = trial.serve(|seen| match seen.field("authorization").as_deref() {
        Some("Basic a2l0OnB3") => Answer::json(200, TAGS),
        _ => Answer::json(401, "{}")
            .field("www-authenticate", "Negotiate")
            .field("www-authenticate", "Basic realm=\"kit\""),
    });
    let list = bench.list_tags();
    let asked: Arc<Mutex<Vec<(String, String, bool)>>> = Arc::default();
    let mut work = Work::new(options()).operation(list.clone());
    let log = Arc::clone(&asked);
    work.credentials = CredentialLookup::by(move |registry, repository, stale| {
        let repository = repository.map(ToString::to_string).unwrap_or_default();
        lock(&log).push((registry.to_string(), repository, stale));
        Ok(Some(Credentials::Basic { user: "kit".to_owned(), password: Secret::new("pw".to_owned()) }))
    });
    let ended = bench.run_one(work)?;
    ensure!(ended.is_ok(), "with credentials it came to {}", shown(&ended));
    let (asked, registry) = (lock(&asked).clone(), bench.registry.to_string());
    let expected = [(registry.clone(), "a".to_owned(), false)];
    ensure!(asked == expected, "credentials were looked up for {asked:?}, not once for {registry}/a");

    let mut work = Work::new(options()).operation(list.clone());
    work.credentials = CredentialLookup::by(|_, _, _| Err(AskFailed("the helper is broken".to_owned())));
    let ended = bench.run_one(work)?;
    let is_told = matches!(&ended, Err(failure) if failure.to_string().contains("the helper is broken"));
    ensure!(is_told, "a look-up that failed came to {}", shown(&ended));

    let ended = bench.run_one(Work::new(options()).operation(list))?;
    let is_refused = matches!(&ended, Err(failure) if !failure.to_string().contains("looked up"));
    ensure!(is_refused, "without credentials it came to {}", shown(&ended));
    Ok(())
}
