//! Credential helpers: runs `docker-credential-NAME get`, with a limit on its time and output.

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use longshore_core::Secret;
use longshore_core::auth::Credentials;
use serde::de::{Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use super::hidden::{Hidden, is_password, is_printable, read_bounded, read_json};
use super::key::Scope;
use super::{Environment, HelperFailure};

/// What every helper writes if it has no credentials for a server (docker-credential-helpers, `credentials/error.go`).
const NOT_FOUND: &[u8] = b"credentials not found in native keychain";

/// The user name that marks a secret as an identity token.
const TOKEN_USER: &str = "<token>";

/// Asks the helper `name` for the credentials of a server. `None` if it has none.
pub(super) fn ask(environment: &Environment, name: &str, server: String) -> Result<Option<Credentials>, HelperFailure> {
    let program = find(environment, name)?;
    let (status, output) = run(&program, environment, &server)?;
    if !status.success() {
        return if output.trim_ascii() == NOT_FOUND { Ok(None) } else { Err(HelperFailure::Failed { server, status }) };
    }
    answered(&server, &output)
}

/// Reads the output of a helper that was asked for a server.
pub(super) fn answered(server: &str, output: &[u8]) -> Result<Option<Credentials>, HelperFailure> {
    let answer: Answer = read_json(output).map_err(|_| HelperFailure::Garbage)?;
    answer.credentials(server)
}

/// The answer of a helper.
struct Answer {
    server: String,
    user: String,
    secret: Hidden,
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnswerVisitor)
    }
}

/// Reads an answer as Go's decoder does, for which helpers are written: names may have any case, and `null` is the empty
/// text. A name that was overlooked could be that of the server, and the credentials those of another one.
struct AnswerVisitor;

impl<'de> Visitor<'de> for AnswerVisitor {
    type Value = Answer;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the answer of a credential helper")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Answer, A::Error> {
        let (mut server, mut user, mut secret) = (None, None, None);
        while let Some(name) = members.next_key::<String>()? {
            match name.to_ascii_lowercase().as_str() {
                "serverurl" => once(&mut server, &mut members)?,
                "username" => once(&mut user, &mut members)?,
                "secret" => once(&mut secret, &mut members)?,
                _ => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        let user = user.ok_or_else(|| A::Error::missing_field("Username"))?;
        let secret = secret.ok_or_else(|| A::Error::missing_field("Secret"))?;
        Ok(Answer { server: server.unwrap_or_default(), user, secret })
    }
}

/// Reads a member that may be there only once.
fn once<'de, A, T>(member: &mut Option<T>, members: &mut A) -> Result<(), A::Error>
where
    A: MapAccess<'de>,
    T: Deserialize<'de> + Default,
{
    match member.replace(members.next_value::<Option<T>>()?.unwrap_or_default()) {
        None => Ok(()),
        Some(_) => Err(A::Error::custom("a member is there twice")),
    }
}

impl Answer {
    /// Some helpers answer with two empty members, or with two that are `null`, if they have no credentials.
    fn credentials(self, asked: &str) -> Result<Option<Credentials>, HelperFailure> {
        if !self.server.is_empty() && self.server != asked && !is_same(&self.server, asked) {
            return Err(HelperFailure::OtherServer { server: asked.to_owned() });
        }
        let (user, secret) = (self.user, self.secret.0.as_str());
        if user.is_empty() && secret.is_empty() {
            return Ok(None);
        }
        let is_secret = if user == TOKEN_USER { is_printable } else { is_password };
        if user.is_empty() || secret.is_empty() || !is_printable(&user) || !is_secret(secret) {
            return Err(HelperFailure::Garbage);
        }
        if user.contains(':') {
            return Err(HelperFailure::User { server: asked.to_owned() });
        }
        let secret = Secret::new(secret.to_owned());
        Ok(Some(match user.as_str() {
            TOKEN_USER => Credentials::IdentityToken(secret),
            _ => Credentials::Basic { user, password: secret },
        }))
    }
}

fn is_same(answered: &str, asked: &str) -> bool {
    Scope::of_key(answered).is_some_and(|answered| Some(answered) == Scope::of_key(asked))
}

/// Searches `PATH`. A relative folder in it is ignored, because it would depend on the current folder.
fn find(environment: &Environment, name: &str) -> Result<PathBuf, HelperFailure> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.len() > 128 || !name.bytes().all(is_plain) {
        return Err(HelperFailure::Name);
    }
    let program = format!("docker-credential-{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(environment.path.as_deref().unwrap_or_default())
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(&program))
        .find(|program| program.is_file())
        .ok_or(HelperFailure::NotInstalled)
}

/// Runs the helper until it ends, or until a limit is reached.
///
/// A process that the helper itself has started is not stopped with it. Its output is not read then.
fn run(
    program: &Path,
    environment: &Environment,
    server: &str,
) -> Result<(ExitStatus, Zeroizing<Vec<u8>>), HelperFailure> {
    let deadline = Instant::now() + environment.helper_time;
    let limit = environment.helper_output;
    let mut command = Command::new(program);
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Running(command.spawn().map_err(HelperFailure::Start)?);
    if let Some(mut stdin) = child.0.stdin.take() {
        // The name fits in the pipe's buffer, so this does not block. A helper may answer without reading it, so an
        // error is ignored.
        let _ = stdin.write_all(server.as_bytes());
    }
    let Some(stdout) = child.0.stdout.take() else { return Err(HelperFailure::Garbage) };
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let _ = sender.send(read_bounded(stdout, limit));
    });
    let timed_out = || HelperFailure::TimedOut { server: server.to_owned(), limit: environment.helper_time };
    let left = |deadline: Instant| deadline.saturating_duration_since(Instant::now());
    let output = match receiver.recv_timeout(left(deadline)) {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => return Err(HelperFailure::Start(error)),
        Err(_) => return Err(timed_out()),
    };
    if output.len() > limit {
        return Err(HelperFailure::TooMuch { limit });
    }
    loop {
        match child.0.try_wait().map_err(HelperFailure::Start)? {
            Some(status) => return Ok((status, output)),
            None if left(deadline).is_zero() => return Err(timed_out()),
            None => thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// A child process that is killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both have no effect on a child that has ended and was waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
