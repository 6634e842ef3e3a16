//! Which credentials a registry gets, and where they come from.

use std::io::Read as _;

use longshore_core::auth::Credentials;
use longshore_core::driver::AskFailed;
use longshore_core::{Authorization, Reference, Registry, Repository, Secret};
use longshore_sources::credentials::Environment;
use zeroize::Zeroizing;

use crate::args::LoginArguments;
use crate::exit::Error;

/// The longest password or token that is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// Answers for one registry.
pub(crate) struct Wallet {
    registry: Registry,
    kind: Kind,
}

enum Kind {
    Nothing,
    Password {
        user: String,
        password: Zeroizing<String>,
    },
    Token(Zeroizing<String>),
    /// What `docker login` and its kin left behind.
    Stored(Box<Environment>),
}

impl Wallet {
    /// Reads what the arguments say stands on standard input.
    pub(crate) fn open(arguments: &LoginArguments, reference: &Reference) -> Result<Self, Error> {
        let kind = match &arguments.username {
            _ if arguments.anonymous => Kind::Nothing,
            _ if arguments.registry_token_stdin => Kind::Token(from_stdin("token")?),
            Some(user) => Kind::Password { user: user.clone(), password: from_stdin("password")? },
            None => Kind::Stored(Box::new(Environment::from_process())),
        };
        kind.check(reference)?;
        Ok(Self { registry: reference.registry.clone(), kind })
    }

    /// The credentials for this registry. It may read files and run a helper.
    pub(crate) fn credentials(
        &self,
        registry: &Registry,
        repository: Option<&Repository>,
    ) -> Result<Option<Credentials>, AskFailed> {
        // What was given on the command line was given for one registry.
        if *registry != self.registry {
            return Ok(None);
        }
        match &self.kind {
            Kind::Nothing => Ok(None),
            Kind::Password { user, password } => {
                Ok(Some(Credentials::Basic { user: user.clone(), password: secret(password) }))
            }
            Kind::Token(token) => Ok(Some(Credentials::RegistryToken(secret(token)))),
            Kind::Stored(environment) => environment.credentials(registry, repository).map_err(AskFailed::from),
        }
    }
}

impl Kind {
    /// Whether what was said can be sent to a registry at all.
    fn check(&self, reference: &Reference) -> Result<(), Error> {
        let origin = reference.registry.origin();
        let sendable = match self {
            Self::Password { user, .. } if user.is_empty() => return Err(Error::misuse("--username is empty")),
            Self::Password { user, password } => Authorization::basic(origin, user, &secret(password)),
            Self::Token(token) => Authorization::bearer(origin, &secret(token)),
            Self::Nothing | Self::Stored(_) => return Ok(()),
        };
        sendable.map(drop).map_err(Error::misuse)
    }
}

fn secret(text: &Zeroizing<String>) -> Secret {
    Secret::new(text.as_str().to_owned())
}

/// One line break at the end is not a part of the secret: `echo` and editors leave one.
fn from_stdin(what: &str) -> Result<Zeroizing<String>, Error> {
    // As large as it can get, so that no copy is left behind by growing.
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize + 1));
    std::io::stdin()
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| Error::failed(format!("cannot read the {what} from standard input: {error}")))?;
    if text.len() as u64 > LONGEST {
        return Err(Error::misuse(format!("the {what} on standard input is longer than {LONGEST} bytes")));
    }
    let len = text.strip_suffix('\n').map_or(text.as_str(), |line| line.strip_suffix('\r').unwrap_or(line)).len();
    text.truncate(len);
    if text.is_empty() {
        return Err(Error::misuse(format!("there is no {what} on standard input")));
    }
    Ok(text)
}
