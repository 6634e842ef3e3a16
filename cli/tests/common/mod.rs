//! Running the command, a registry for it, and layouts to push.
#![allow(dead_code, reason = "not every test needs all of it")]

pub(crate) mod door;
pub(crate) mod proxy;
pub(crate) mod raw;
pub(crate) mod script;
pub(crate) mod socks;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use longshore_core::Digest;
use longshore_core::content::Platform;
use longshore_sources::Source;
use longshore_sources::layout::Closure;
use longshore_sources::pack::{self, Compression, Layer};
use tempfile::TempDir;

/// Two users with the password `wonderland`; the second may only read.
pub(crate) const HTPASSWD: &str = "\
alice:$2b$04$FmgyANX3Ofyssa17g.5QUOqehHBXh8HztIYj6tcosHm7gki3hYXO6
reader:$2b$04$FmgyANX3Ofyssa17g.5QUOqehHBXh8HztIYj6tcosHm7gki3hYXO6:*=pull
";

/// The command with these arguments, untouched by the credentials and proxies of whoever runs the tests.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
    command.args(arguments).env_clear().env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

/// Runs a command with this on its standard input.
pub(crate) fn run_with_input(command: Command, input: &str) -> Output {
    run_with_bytes(command, input.as_bytes())
}

pub(crate) fn run_with_bytes(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that does not read its input may be gone already.
    drop(child.stdin.take().unwrap().write_all(input));
    child.wait_with_output().unwrap()
}

/// Runs what must succeed, and gives its standard output.
pub(crate) fn done(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs what must fail with this status, saying one sentence; gives the sentence.
pub(crate) fn refused(status: i32, arguments: &[&str]) -> String {
    sentence(status, &run(arguments))
}

/// The one sentence of a command that failed with this status.
pub(crate) fn sentence(status: i32, output: &Output) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(status), "{said}");
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(output.stdout.is_empty(), "{output:?}");
    lines[0].strip_prefix("error: ").unwrap().to_owned()
}

/// `longshore mock` in a process of its own.
pub(crate) struct Mock {
    child: Child,
    pub(crate) authority: String,
}

impl Mock {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut command = command(&["mock"]);
        command.args(arguments);
        Self::spawn(command)
    }

    /// A command that runs `longshore mock` in the end.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let authority = line.trim_end().split_once("://").unwrap().1.to_owned();
        Self { child, authority }
    }

    /// One that keeps all in this folder, and whose files cannot grow above 1 MB: that stands in for a full disk.
    #[cfg(unix)]
    pub(crate) fn full_disk(folder: &Path) -> Self {
        let mut shell = Command::new("sh");
        let script = "trap '' XFSZ; ulimit -f 1000; exec \"$0\" mock --data-dir \"$1\"";
        shell.args(["-c", script, env!("CARGO_BIN_EXE_longshore")]).arg(folder);
        Self::spawn(shell)
    }

    pub(crate) fn reference(&self, name: &str) -> String {
        format!("{}/{name}", self.authority)
    }

    /// The status of a GET.
    pub(crate) fn status(&self, path: &str) -> u16 {
        self.request("GET", path)
    }

    /// The status of a request without a body.
    pub(crate) fn request(&self, method: &str, path: &str) -> u16 {
        let answer = self.answer(method, path);
        String::from_utf8_lossy(&answer).split(' ').nth(1).unwrap().parse().unwrap()
    }

    /// The body that a GET is answered with.
    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        let answer = self.answer("GET", path);
        let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        answer[end..].to_vec()
    }

    fn answer(&self, method: &str, path: &str) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.authority).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.authority).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        answer
    }

    /// Sends a signal and waits for the end; gives the status.
    #[cfg(unix)]
    pub(crate) fn stop(mut self, signal: &str) -> Option<i32> {
        let kill = format!("kill -{signal} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // It may have been stopped already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A layout in a folder of its own.
pub(crate) struct Layout {
    folder: TempDir,
    pub(crate) closure: Closure,
}

impl Layout {
    /// An index of images for two platforms that share a layer.
    pub(crate) fn two_platforms() -> Self {
        let shared = layer("shared", vec![7; 300_000].into());
        let image = |architecture: &str| {
            let platform = Platform::new("linux", architecture, None);
            pack::image(&platform, &[shared.clone(), layer("own", architecture.to_owned().into())], &[]).unwrap()
        };
        Self::of(pack::index(&[image("amd64"), image("arm64")]).unwrap())
    }

    /// One image of one layer with this file in it.
    pub(crate) fn of_file(content: Vec<u8>) -> Self {
        let platform = Platform::new("linux", "amd64", None);
        Self::of(pack::image(&platform, &[layer("file", content.into())], &[]).unwrap())
    }

    fn of(closure: Closure) -> Self {
        let folder = tempfile::tempdir().unwrap();
        pack::write_layout(folder.path(), &closure, "v1").unwrap();
        Self { folder, closure }
    }

    pub(crate) fn path(&self) -> &str {
        self.folder.path().to_str().unwrap()
    }

    pub(crate) fn digest(&self) -> Digest {
        self.closure.root.digest
    }

    pub(crate) fn file_of(&self, digest: &Digest) -> PathBuf {
        self.folder.path().join("blobs/sha256").join(digest.hex())
    }

    /// The largest blob, which is a layer.
    pub(crate) fn layer(&self) -> Digest {
        self.closure.blobs.iter().max_by_key(|blob| blob.descriptor.size).unwrap().descriptor.digest
    }

    /// Changes one byte of a blob.
    pub(crate) fn damage(&self, digest: &Digest) {
        let path = self.file_of(digest);
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.last_mut().unwrap();
        *last = last.wrapping_add(1);
        fs::write(path, bytes).unwrap();
    }
}

fn layer(name: &str, content: bytes::Bytes) -> pack::PackedLayer {
    Layer::new().with_file(name, Source::bytes(content), 0o644).in_memory(Compression::None).unwrap()
}

/// The lines of a file as JSON.
pub(crate) fn json_lines(path: &Path) -> Vec<serde_json::Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
