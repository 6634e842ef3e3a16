//! I29: whatever a registry and its token service do with the secrets that they are shown, none of them comes out again: not on
//! standard output, not on standard error, not in a file, at no level of detail.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use common::door::Door;
use common::script::{Script, answer};
use common::{Layout, Mock, command, run_with_input};

/// What all secrets here have in them; and what Base64 makes of that, wherever it begins.
const MARKS: [&str; 4] = ["CANARY", "Q0FOQVJZ", "NBTkFSWS", "DQU5BUlkt"];

/// `user:pw-CANARY-PASSWORD` in Base64.
const BASIC: &str = "dXNlcjpwdy1DQU5BUlktUEFTU1dPUkQ=";

/// Where the command gets its secret from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Login {
    /// A password on standard input.
    Password,
    /// A token of the registry's own on standard input.
    Token,
    /// A password that `docker login` left behind.
    Stored,
    /// An identity token that `docker login` left behind.
    Identity,
}

const LOGINS: [Login; 4] = [Login::Password, Login::Token, Login::Stored, Login::Identity];

/// What the registry does.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Habit {
    /// Its token service refuses, and repeats what it was shown.
    TokenRefused,
    /// Its token service gives no token, and repeats what it was shown.
    TokenMissing,
    /// It takes Basic alone, and refuses that.
    BasicRefused,
    /// It refuses everything once somebody is known, and repeats what it was shown: in JSON, in a warning and in a header.
    Denied,
    /// It repeats what it was shown in plain text, with this status.
    Plain(&'static str),
    /// It begins uploads at a secret place, and refuses what comes there.
    Upload,
    /// It sends everybody to this URL.
    Redirect(String),
}

/// A registry with a habit, and everything that it was shown.
struct Evil {
    script: Script,
    shown: Arc<Mutex<String>>,
}

impl Evil {
    fn with(habit: Habit) -> Self {
        let shown: Arc<Mutex<String>> = Arc::default();
        let seen = Arc::clone(&shown);
        let script = Script::answering(move |request| {
            let mut seen = seen.lock().unwrap();
            for line in request.lines().filter(|line| line.contains("authorization: ") || line.contains("grant_type")) {
                seen.push_str(&line.replace(['"', '\\'], " "));
                if line.contains(BASIC) {
                    seen.push_str(" pw-CANARY-PASSWORD user:pw-CANARY-PASSWORD ");
                }
            }
            respond(&habit, request, &seen)
        });
        Self { script, shown }
    }
}

/// The answer to a request, with what was shown so far in it.
fn respond(habit: &Habit, request: &str, shown: &str) -> Vec<u8> {
    let (method, path) = {
        let mut words = request.split(' ');
        (words.next().unwrap(), words.next().unwrap())
    };
    let errors = format!(
        r#"{{"errors":[{{"code":"{shown}","message":"{shown}","detail":"{shown}"}}],"error_description":"{shown}"}}"#
    );
    let repeats = format!("Warning: 299 - \"{shown}\"\r\nX-Error: {shown}\r\n");
    if path.starts_with("/token") {
        let token = r#"{"token":"bearer-CANARY-BEARER","refresh_token":"refresh-CANARY-REFRESH","expires_in":300}"#;
        return match habit {
            Habit::TokenRefused => answer("403 Forbidden", &repeats, &errors),
            Habit::TokenMissing => answer("200 OK", &repeats, &errors),
            _ => answer("200 OK", "", token),
        };
    }
    if *habit == Habit::BasicRefused {
        return answer("401 Unauthorized", &format!("WWW-Authenticate: Basic realm=\"r\"\r\n{repeats}"), &errors);
    }
    if !request.contains("authorization: ") {
        let host = request.lines().find_map(|line| line.strip_prefix("host: ")).unwrap();
        let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"s\"\r\n");
        return answer("401 Unauthorized", &challenge, "{}");
    }
    match habit {
        Habit::Plain(status) => answer(status, &repeats, shown),
        Habit::Redirect(url) => answer("307 Temporary Redirect", &format!("Location: {url}\r\n"), ""),
        Habit::Upload => {
            let location = "Location: /v2/a/blobs/uploads/1?_state=st-CANARY-STATE\r\n";
            match method {
                "POST" => answer("202 Accepted", location, ""),
                "PUT" | "PATCH" => answer("403 Forbidden", &format!("{location}{repeats}"), &errors),
                "DELETE" => answer("204 No Content", "", ""),
                _ => answer("404 Not Found", "", "{}"),
            }
        }
        _ => answer("403 Forbidden", &repeats, &errors),
    }
}

/// A folder that the command may write into, and a layout.
struct World {
    folder: tempfile::TempDir,
    layout: Layout,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), layout: Layout::of_file(vec![7; 100_000]) }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// Runs a command against a registry, logged in like this; nothing of the secrets may come out.
    fn run(&self, arguments: &[&str], authority: &str, login: Login) -> Output {
        let mut command: Command = command(arguments);
        command.args(["--trace", &self.path("trace")]).env("HOME", self.folder.path());
        // Nothing is to be had by asking for more.
        command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full");
        let docker = self.folder.path().join(".docker");
        let config = match login {
            Login::Stored => format!(r#"{{"auths":{{"{authority}":{{"auth":"{BASIC}"}}}}}}"#),
            Login::Identity => {
                format!(r#"{{"auths":{{"{authority}":{{"auth":"dXNlcjo=","identitytoken":"id-CANARY-IDENTITY"}}}}}}"#)
            }
            Login::Password | Login::Token => "{}".to_owned(),
        };
        fs::create_dir_all(&docker).unwrap();
        fs::write(self.path("file"), "{}").unwrap();
        fs::write(docker.join("config.json"), config).unwrap();
        let input = match login {
            Login::Password => {
                command.args(["--username", "user", "--password-stdin"]);
                "pw-CANARY-PASSWORD"
            }
            Login::Token => {
                command.args(["--registry-token-stdin"]);
                "tk-CANARY-TOKEN"
            }
            Login::Stored | Login::Identity => "a layer",
        };
        let output = run_with_input(command, input);
        let what = format!("{arguments:?} {login:?}");
        no_secret(&what, &output.stdout);
        no_secret(&what, &output.stderr);
        files(self.folder.path(), &mut |path| {
            if !path.starts_with(&docker) {
                // Where an upload is, a checkpoint must keep; it is for its owner only.
                let content = fs::read_to_string(path).unwrap().replace("?_state=st-CANARY-STATE", "");
                no_secret(&format!("{what}: {}", path.display()), content.as_bytes());
                fs::remove_file(path).unwrap();
            }
        });
        output
    }

    /// Every command that shows credentials, in every way to show what happens.
    fn commands(&self, authority: &str) -> Vec<Vec<String>> {
        let (tagged, file, resume) = (format!("{authority}/a:v1"), self.path("file"), self.path("resume"));
        let digest = format!("{authority}/a@{}", self.layout.digest());
        // Each time another folder: nothing is written where something is.
        let out = tempfile::tempdir_in(self.path("")).unwrap().keep();
        let out = |name: &str| out.join(name).to_str().unwrap().to_owned();
        let (layout, files, whole) = (self.layout.path(), out("files"), out("whole"));
        let commands: [&[&str]; 15] = [
            &["push", layout, &tagged, "--progress", "plain"],
            &["push", layout, &tagged, "--progress", "json", "--json", "--resume", &resume],
            &["push", layout, &tagged, "--progress", "bar", "--chunk-size", "10K", "--mount-from", "b"],
            &["push", layout, &tagged, "--progress", "none"],
            &["push", "--stdin-layer", "a/b", &tagged],
            &["attach", &tagged, &file, "--artifact-type", "a/b", "--json", "--progress", "json"],
            &["attach", &digest, &file, "--artifact-type", "a/b"],
            &["artifact", &tagged, &file, "--artifact-type", "a/b"],
            &["pull", &tagged, "--files", &files],
            &["pull", &digest, &whole, "--json"],
            &["referrers", &tagged, "--json"],
            &["referrers", &digest],
            &["check", &tagged],
            &["rm", &tagged, "--json"],
            &["rm", &digest],
        ];
        commands.iter().map(|command| command.iter().map(|&word| word.to_owned()).collect()).collect()
    }

    /// Runs all commands with all logins against a registry of this habit: each fails, after it has shown its secret.
    fn all_fail(&self, habit: &Habit, more: &[&str]) {
        let authority = Evil::with(habit.clone()).script.address.to_string();
        for login in LOGINS {
            for arguments in self.commands(&authority) {
                let evil = Evil::with(habit.clone());
                let (old, new) = (authority.as_str(), evil.script.address.to_string());
                let arguments: Vec<String> = arguments.iter().map(|word| word.replace(old, &new)).collect();
                let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
                let is_stdin = matches!(login, Login::Password | Login::Token);
                let is_skipped = is_stdin && arguments.contains(&"--stdin-layer")
                    // The others begin no upload, or cancel it.
                    || *habit == Habit::Upload && arguments[0] != "push"
                    // A token has nothing to say to a registry of Basic alone.
                    || *habit == Habit::BasicRefused && login == Login::Identity;
                if is_skipped {
                    continue;
                }
                let output = self.run(&arguments, &new, login);
                assert_eq!(output.status.code(), Some(1), "{habit:?} {arguments:?} {login:?}: {output:?}");
                let shown = evil.shown.lock().unwrap();
                assert!(MARKS.iter().any(|mark| shown.contains(mark)), "{habit:?} {arguments:?} {login:?}: {output:?}");
            }
        }
    }
}

fn no_secret(what: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for mark in MARKS {
        assert!(!text.contains(mark), "{what}: {text}");
    }
}

fn files(folder: &Path, see: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, see) } else { see(&path) }
    }
}

#[test]
fn i29_a_token_service_that_repeats_what_it_was_shown() {
    let world = World::new();
    for habit in [Habit::TokenRefused, Habit::TokenMissing] {
        // A token of the registry's own is shown to the registry alone.
        world.all_fail(&habit, &[]);
    }
}

#[test]
fn i29_a_registry_that_repeats_what_it_was_shown() {
    let world = World::new();
    world.all_fail(&Habit::Denied, &[]);
    world.all_fail(&Habit::Plain("400 Bad Request"), &[]);
}

#[test]
fn i29_a_registry_of_basic_that_repeats_what_it_was_shown() {
    World::new().all_fail(&Habit::BasicRefused, &[]);
}

#[test]
fn i29_a_registry_that_is_broken_and_repeats_what_it_was_shown() {
    let world = World::new();
    // It is asked five times, which takes a while.
    for login in [Login::Stored, Login::Identity] {
        let evil = Evil::with(Habit::Plain("500 Internal Server Error"));
        let authority = evil.script.address.to_string();
        let place = format!("{authority}/a");
        let output = world.run(&["attach", &place, file!(), "--artifact-type", "a/b"], &authority, login);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
    }
}

#[test]
fn i29_an_upload_at_a_secret_place() {
    World::new().all_fail(&Habit::Upload, &[]);
}

#[test]
fn i29_a_redirect_to_a_signed_url() {
    let world = World::new();
    // One that is refused, and one that is followed to somebody who repeats it.
    world.all_fail(&Habit::Redirect("http://127.0.0.1:1/x?X-Amz-Signature=sig-CANARY-SIGNATURE".to_owned()), &[]);
    let storage = Script::answering(|request| {
        let line = request.lines().next().unwrap();
        answer("403 Forbidden", &format!("Warning: 299 - \"{line}\"\r\n"), "<Error>SignatureDoesNotMatch</Error>")
    });
    let origin = format!("http://{}", storage.address);
    let url = format!("{origin}/x?X-Amz-Signature=sig-CANARY-SIGNATURE");
    world.all_fail(&Habit::Redirect(url), &["--allow-origin", &origin]);
}

/// All goes well: behind a door that wants a token, from a token service elsewhere.
#[test]
fn i29_what_goes_well_tells_nothing_either() {
    let (world, mock) = (World::new(), Mock::start(&["--allow-host", "127.0.0.1"]));
    let tokens = Script::answering(|_| answer("200 OK", "", r#"{"token":"bearer-CANARY-BEARER"}"#));
    let origin = format!("http://{}", tokens.address);
    let challenge = format!("Bearer realm=\"{origin}/token?secret=realm-CANARY\",service=\"s\"");
    let door = Door::before(&mock, challenge.leak(), "Bearer bearer-CANARY-BEARER");
    for login in [Login::Password, Login::Stored, Login::Identity] {
        for mut arguments in world.commands(&door.authority) {
            if login == Login::Password && arguments.contains(&"--stdin-layer".to_owned()) {
                continue;
            }
            arguments.extend(["--allow-origin".to_owned(), origin.clone()]);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let output = world.run(&arguments, &door.authority, login);
            assert_eq!(output.status.code(), Some(0), "{arguments:?} {login:?}: {output:?}");
        }
    }
}
