//! A registry as a program of its own.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::{Client, OverSocket};

/// A registry as a program, until it is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    /// How long it took from its start to its first 200.
    pub(crate) started: Duration,
}

impl Program {
    /// This program, as the server.
    pub(crate) fn this(argument: &str) -> Self {
        let begin = Instant::now();
        let mut command = Command::new(std::env::current_exe().unwrap());
        let mut child = command.arg(argument).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self::answering(child, line.trim().parse().unwrap(), begin)
    }

    /// Debian's `docker-registry`, which keeps all in memory; nothing where it is not installed.
    pub(crate) fn docker_registry() -> Option<Self> {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let log = "log: {level: error, accesslog: {disabled: true}}";
        write!(file, "version: 0.1\n{log}\nstorage: {{inmemory: {{}}}}\nhttp: {{addr: \"{address}\"}}\n").unwrap();
        let begin = Instant::now();
        let mut command = Command::new("docker-registry");
        // Without this it looks for a collector of traces, and waits.
        command
            .env("OTEL_TRACES_EXPORTER", "none")
            .arg("serve")
            .arg(file.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let program = Self::answering(command.spawn().ok()?, address, begin);
        Some(program)
    }

    fn answering(child: Child, address: SocketAddr, begin: Instant) -> Self {
        while TcpStream::connect(address).is_err() {
            assert!(begin.elapsed() < Duration::from_secs(120), "nothing listens on {address}");
            std::thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(OverSocket::connect(address).ask("GET", "/v2/", b"").0, 200);
        Self { child, address, started: begin.elapsed() }
    }

    pub(crate) fn client(&self) -> OverSocket {
        OverSocket::connect(self.address)
    }

    /// How many bytes of memory it holds, as Linux says; 0 elsewhere.
    pub(crate) fn memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or_default() << 10
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
