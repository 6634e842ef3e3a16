//! `longshore probe`: what a registry does, as a profile for the mock registry.

use std::io::Write as _;
use std::sync::Arc;

use longshore_conformance::suite::{SuiteOptions, probe, unobserved};
use longshore_core::target::Policy;
use tokio::runtime::Handle;

use crate::args::ProbeArguments;
use crate::conformance::HttpClient;
use crate::credentials::Wallet;
use crate::exit::Error;
use crate::signals::Signals;
use crate::{connection, files, output};

/// Asks the registry, and writes what it was seen to do.
pub(crate) async fn run(arguments: ProbeArguments) -> Result<(), Error> {
    if arguments.unobserved {
        return unobserved().iter().try_for_each(|one| output::line(format!("{:<32} {}", one.switch, one.reason)));
    }
    let reference = arguments.reference()?;
    let mut options = SuiteOptions::new(reference.registry.origin(), reference.repository.clone());
    if let Some(second) = &arguments.second_repository {
        options.second = second.clone();
    }
    options.seed = crate::seed::random()?;
    let allowed = arguments.trust.allowed_origins.iter().cloned();
    options.policy = allowed.fold(Policy::default(), Policy::allow_origin);
    let http = connection::http(&arguments.trust, &reference.registry.origin())?;
    let wallet = Wallet::open(&arguments.login, &reference)?;
    let looked_up = wallet.credentials(&reference.registry, Some(&reference.repository));
    options.credentials = looked_up.map_err(|error| Error::failed(error.0))?.map(Arc::new);
    let mut signals = Signals::listen()?;
    let handle = Handle::current();
    let probing = tokio::task::spawn_blocking(move || {
        let client = HttpClient::new(http, handle);
        client.enter(&options)?;
        Ok(probe(&client, &options))
    });
    let probed = tokio::select! {
        probed = probing => probed.map_err(|_| Error::failed("the probe came to no end"))??,
        signal = signals.next() => return Err(Error::stopped(signal, "stopped; what was stored stays")),
    };
    if probed.observations.is_empty() {
        return Err(Error::failed(format!(
            "{} let nothing be seen: is it a registry, and may one push?",
            reference.registry
        )));
    }
    for left in &probed.left {
        output::say(format!("left at the registry: {left}"));
    }
    let title = arguments.title.unwrap_or_else(|| reference.registry.to_string());
    let profile = probed.profile(&title);
    match &arguments.output {
        None => output::line(profile.trim_end()),
        Some(path) => files::create(path)
            .and_then(|mut file| file.write_all(profile.as_bytes()))
            .map_err(|error| Error::failed(format!("cannot write {}: {error}", path.display()))),
    }
}
