//! How the registry of `longshore mock` is set up.

use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::path::Path;

use longshore_mock_registry::Registry;
use longshore_mock_registry::auth::{Auth, AuthScheme};
use longshore_mock_registry::fault::Faults;
use longshore_mock_registry::profile::Profile;
use longshore_mock_registry::server::{Log, Tls};
use longshore_mock_registry::storage::{Directory, Memory, Storage};

use crate::args::{MockArguments, Scheme};
use crate::exit::Error;
use crate::{files, output};

/// An empty registry in memory, or the one in the folder.
pub(super) fn registry(arguments: &MockArguments, profile: &Profile) -> Result<Registry, Error> {
    let mut options = profile.options();
    arguments.limits.apply(&mut options.limits);
    options.auth = arguments.auth.as_deref().map(|path| auth(path, arguments.auth_scheme, profile)).transpose()?;
    options.faults = faults(arguments)?;
    if let Some(seed) = arguments.seed {
        // Not the number alone: a seed of zeros would be taken for none.
        options.seed = [b's'; 32];
        options.seed[..8].copy_from_slice(&seed.to_be_bytes());
    }
    let storage: Box<dyn Storage> = match &arguments.data_dir {
        None => Box::new(arguments.limits.memory.map_or_else(Memory::default, Memory::with_limit)),
        Some(folder) => Box::new(directory(folder, arguments.check)?),
    };
    Registry::with_storage(options, storage).map_err(|error| {
        let folder = arguments.data_dir.as_deref().unwrap_or(Path::new("memory"));
        Error::failed(format!("cannot use {} as data directory: {error}", folder.display()))
    })
}

fn directory(folder: &Path, check: bool) -> Result<Directory, Error> {
    let directory = Directory::open(folder)
        .map_err(|error| Error::failed(format!("cannot use {} as data directory: {error}", folder.display())))?;
    let directory = directory.telling(|what| output::say(format!("warning: {what}")));
    Ok(if check { directory.with_check() } else { directory })
}

/// What goes wrong: by the file, and then by the command line.
fn faults(arguments: &MockArguments) -> Result<Faults, Error> {
    let mut faults = Faults::none();
    if let Some(path) = &arguments.fault_file {
        let text = read_text(path)?;
        faults = text.parse().map_err(|error| {
            let wrong = text.lines().position(|line| line.parse::<Faults>().is_err());
            Error::misuse(format!("cannot use {}:{}: {error}", path.display(), wrong.unwrap_or_default() + 1))
        })?;
    }
    Ok(arguments.faults.iter().cloned().fold(faults, Faults::and))
}

fn read_text(path: &Path) -> Result<String, Error> {
    let text = files::read(path).and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other));
    text.map_err(|error| Error::failed(format!("cannot read {}: {error}", path.display())))
}

fn auth(path: &Path, scheme: Option<Scheme>, profile: &Profile) -> Result<Auth, Error> {
    let users = read_text(path)?;
    let mut auth = profile.auth();
    match scheme {
        Some(Scheme::Bearer) => auth.scheme = AuthScheme::Bearer,
        Some(Scheme::Basic) => auth.scheme = AuthScheme::Basic,
        None => {}
    }
    auth.with_htpasswd(&users).map_err(|error| Error::failed(format!("cannot use {}: {error}", path.display())))
}

/// The addresses that `:5000`, `localhost:0` or `127.0.0.1:0` mean, that of IPv4 first.
pub(super) fn addresses(listen: &str) -> Result<Vec<SocketAddr>, Error> {
    let form = "write 127.0.0.1:5000, localhost:0, [::1]:5000, or :5000 for all addresses";
    let bad = |why: String| Error::misuse(format!("cannot listen on {listen:?}: {why}; {form}"));
    let host_and_port = if listen.starts_with(':') { format!("0.0.0.0{listen}") } else { listen.to_owned() };
    let mut addresses: Vec<SocketAddr> =
        host_and_port.to_socket_addrs().map_err(|error| bad(error.to_string()))?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.dedup();
    if addresses.is_empty() { Err(bad("this name has no address".to_owned())) } else { Ok(addresses) }
}

/// The log, if one is wanted.
pub(super) fn log(arguments: &MockArguments) -> Result<Option<Log>, Error> {
    match arguments.log.as_deref() {
        None => Ok(None),
        Some(path) if path == Path::new("-") => Ok(Some(Log::to(io::stdout()))),
        Some(path) => match files::append_to(path) {
            Ok(file) => Ok(Some(Log::to(file))),
            Err(error) => Err(Error::failed(format!("cannot write the log {}: {error}", path.display()))),
        },
    }
}

/// The certificate that was given, or one of a CA that nobody has heard of: who is to trust it is given the CA's.
pub(super) fn tls(arguments: &MockArguments, listen: IpAddr) -> Result<Option<Tls>, Error> {
    if let (Some(certificate), Some(key)) = (&arguments.tls_cert, &arguments.tls_key) {
        let read = |path: &Path| {
            files::read(path).map_err(|error| Error::failed(format!("cannot read {}: {error}", path.display())))
        };
        let (certificates, key_pem) = (read(certificate)?, read(key)?);
        if longshore_tls::is_encrypted(&key_pem) {
            return Err(Error::failed(format!(
                "the key in {} is encrypted: decrypt it, for example with openssl pkey -in KEY -out DECRYPTED",
                key.display()
            )));
        }
        return Tls::from_pem(&certificates, &key_pem).map(Some).map_err(Error::failed);
    }
    if !arguments.tls {
        return Ok(None);
    }
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into_iter();
    let names = names.chain((!listen.is_unspecified()).then(|| listen.to_string()));
    let names: BTreeSet<String> = names.chain(arguments.allowed_hosts.iter().cloned()).collect();
    let tls = Tls::generate(names.iter().map(String::as_str)).map_err(Error::failed)?;
    let ca = tls.ca().unwrap_or_default();
    match &arguments.tls_ca {
        None => output::say(ca.trim_end()),
        Some(path) => files::create(path)
            .and_then(|mut file| file.write_all(ca.as_bytes()))
            .map_err(|error| Error::failed(format!("cannot write {}: {error}", path.display())))?,
    }
    Ok(Some(tls))
}
