//! `longshore mock`: a registry on this machine.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::Path;
use std::pin::pin;
use std::time::Duration;

use longshore_mock_registry::Registry;
use longshore_mock_registry::auth::{Auth, AuthScheme};
use longshore_mock_registry::profile::Profile;
use longshore_mock_registry::server::{Log, Server, Tls};
use longshore_mock_registry::storage::Directory;
use tokio::sync::oneshot;

use crate::args::{MockArguments, Scheme};
use crate::exit::Error;
use crate::signals::Signals;
use crate::{files, output, profile};

/// How long requests may still run after the first signal.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until a signal comes.
pub(crate) async fn run(arguments: MockArguments) -> Result<(), Error> {
    if profile::told(&arguments.profile)? {
        return Ok(());
    }
    let profile = profile::load(&arguments.profile)?;
    let signals = Signals::listen()?;
    let registry = registry(&arguments, &profile)?;
    let server = Server::bind(arguments.listen, registry)
        .await
        .map_err(|error| Error::failed(format!("cannot listen on {}: {error}", arguments.listen)))?;
    let server = if profile.needs_storage() {
        let listen = (server.address().ip(), 0).into();
        server
            .with_storage(listen)
            .await
            .map_err(|error| Error::failed(format!("cannot listen for the storage: {error}")))?
    } else {
        server
    };
    let server = arguments.allowed_hosts.iter().fold(server, Server::with_host);
    let server = match &arguments.log {
        Some(path) => server.with_log(Log::to(
            files::append_to(path)
                .map_err(|error| Error::failed(format!("cannot write the log {}: {error}", path.display())))?,
        )),
        None => server,
    };
    let server = if arguments.tls { server.with_tls(tls(&arguments)?) } else { server };
    if !server.address().ip().is_loopback() && arguments.auth.is_none() {
        output::say(format!("warning: everyone who can reach {} can push, pull and delete", server.address()));
    }
    output::line(server.url())?;
    serve(server, signals).await
}

/// An empty registry in memory, or the one in the folder.
fn registry(arguments: &MockArguments, profile: &Profile) -> Result<Registry, Error> {
    let mut registry = match &arguments.data_dir {
        None => Registry::new(profile.options()),
        Some(folder) => Directory::open(folder)
            .and_then(|storage| Registry::with_storage(profile.options(), Box::new(storage)))
            .map_err(|error| Error::failed(format!("cannot use {} as data directory: {error}", folder.display())))?,
    };
    registry.options.auth =
        arguments.auth.as_deref().map(|path| auth(path, arguments.auth_scheme, profile)).transpose()?;
    Ok(registry)
}

fn auth(path: &Path, scheme: Option<Scheme>, profile: &Profile) -> Result<Auth, Error> {
    let users = files::read(path).and_then(|users| String::from_utf8(users).map_err(io::Error::other));
    let users = users.map_err(|error| Error::failed(format!("cannot read {}: {error}", path.display())))?;
    let mut auth = profile.auth();
    match scheme {
        Some(Scheme::Bearer) => auth.scheme = AuthScheme::Bearer,
        Some(Scheme::Basic) => auth.scheme = AuthScheme::Basic,
        None => {}
    }
    auth.with_htpasswd(&users).map_err(|error| Error::failed(format!("cannot use {}: {error}", path.display())))
}

/// A certificate of a CA that nobody has heard of: who is to trust it is given the CA's.
fn tls(arguments: &MockArguments) -> Result<Tls, Error> {
    let listen = arguments.listen.ip();
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into_iter();
    let names: BTreeSet<String> = names.chain((!listen.is_unspecified()).then(|| listen.to_string())).collect();
    let tls = Tls::generate(names.iter().map(String::as_str)).map_err(Error::failed)?;
    let ca = tls.ca().unwrap_or_default();
    match &arguments.tls_ca {
        None => output::say(ca.trim_end()),
        Some(path) => files::create(path)
            .and_then(|mut file| file.write_all(ca.as_bytes()))
            .map_err(|error| Error::failed(format!("cannot write {}: {error}", path.display())))?,
    }
    Ok(tls)
}

/// After the first signal no more requests are taken in; those that run may come to their end.
async fn serve(server: Server, mut signals: Signals) -> Result<(), Error> {
    let (stop, stopped) = oneshot::channel::<()>();
    let mut serving = pin!(server.serve(async { drop(stopped.await) }));
    tokio::select! {
        served = &mut serving => return ended(served),
        _ = signals.next() => drop(stop),
    }
    tokio::select! {
        served = &mut serving => ended(served),
        _ = signals.next() => Ok(()),
        () = tokio::time::sleep(GRACE) => Ok(()),
    }
}

fn ended(served: io::Result<()>) -> Result<(), Error> {
    served.map_err(|error| Error::failed(format!("the registry stopped: {error}")))
}
