//! What stands behind the proxy.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::proxy;
use crate::registry::{Registry, Scheme};

/// A server that runs, and how it is reached from afar.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    child: Child,
    /// The registry behind it, where that is another.
    _upstream: Option<Registry>,
    pub(crate) authority: String,
    pub(crate) ca: PathBuf,
    /// A path that takes any body that is PUT, where there is one.
    pub(crate) takes_all: Option<&'static str>,
    pub(crate) keeps_blobs: bool,
}

impl Server {
    /// nginx with `http2`, as Debian has it, before a registry that throws everything away; nothing where it is not installed.
    pub(crate) fn nginx(folder: &Path) -> Option<Self> {
        let program = ["/usr/sbin/nginx", "nginx"].into_iter().find(|it| Command::new(it).arg("-v").output().is_ok());
        let Some(program) = program else {
            println!("SKIPPED: nginx is not installed; apt install nginx-light");
            return None;
        };
        let upstream = Registry::start(folder, Scheme::Http);
        let folder = folder.join("nginx");
        fs::create_dir(&folder).expect("there is room for a configuration");
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate can be made");
        fs::write(folder.join("certificate.pem"), made.cert.pem()).expect("there is room for a certificate");
        fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).expect("there is room for a key");
        let port = free_port();
        let configuration = configuration(&folder, port, &upstream.authority);
        fs::write(folder.join("nginx.conf"), configuration).expect("there is room for a configuration");
        let mut command = Command::new(program);
        command.arg("-p").arg(&folder).arg("-c").arg(folder.join("nginx.conf")).arg("-e").arg(folder.join("error.log"));
        let child = command.stderr(Stdio::null()).spawn().expect("nginx runs");
        wait_for(port);
        let (far, serve) = proxy::listen();
        serve(port);
        Some(Self {
            name: "nginx, http2",
            child,
            _upstream: Some(upstream),
            authority: format!("localhost:{far}"),
            ca: folder.join("certificate.pem"),
            takes_all: Some("/v2/bench/image/blobs/uploads/1"),
            keeps_blobs: false,
        })
    }

    /// The mock registry.
    pub(crate) fn mock(folder: &Path) -> Self {
        let (far, serve) = proxy::listen();
        let ca = folder.join("mock-ca.pem");
        let mut command = Command::new(env!("CARGO_BIN_EXE_longshore"));
        command.args(["mock", "--tls", "--external-url", &format!("https://localhost:{far}"), "--tls-ca"]).arg(&ca);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the mock registry runs");
        let mut url = String::new();
        let output = child.stdout.as_mut().expect("it is piped");
        BufReader::new(output).read_line(&mut url).expect("it says where it is");
        let port = url.trim().rsplit(':').next().and_then(|port| port.parse().ok()).expect("it says its port");
        wait_for(port);
        serve(port);
        let authority = format!("localhost:{far}");
        Self { name: "mock", child, _upstream: None, authority, ca, takes_all: None, keeps_blobs: true }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // nginx ends its workers where it is asked to end, and not where it is killed.
        drop(Command::new("kill").arg(self.child.id().to_string()).status());
        drop(self.child.wait());
    }
}

/// A registry behind nginx, as its documentation has it: no limit on bodies, nothing stored on the way.
fn configuration(folder: &Path, port: u16, upstream: &str) -> String {
    let upstream = upstream.replace("localhost", "127.0.0.1");
    let folder = folder.display();
    format!(
        "daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream registry {{ server {upstream}; keepalive 64; }}
    server {{
        listen 127.0.0.1:{port} ssl http2;
        server_name localhost;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/key.pem;
        client_max_body_size 0;
        location / {{
            proxy_pass http://registry;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $http_host;
            proxy_request_buffering off;
        }}
    }}
}}
"
    )
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it is bound").port()
}

fn wait_for(port: u16) {
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        sleep(Duration::from_millis(25));
    }
    panic!("nothing listens at port {port} after five seconds");
}
