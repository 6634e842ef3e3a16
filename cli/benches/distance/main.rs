//! What a push costs over distance: `cargo bench --profile dist -p longshore --bench distance` prints the table of the README.
//!
//! Each connection goes through a proxy that holds every byte back for 25 ms in each direction, so a round trip takes 50 ms. Behind
//! it stand Debian's nginx with `http2`, before a registry that throws everything away, and the mock registry; both over TLS.
//! The same content goes there by a session that speaks HTTP/1.1 only, and by one that speaks HTTP/2 where that is offered: the
//! ratio is to the first. `curl` shows what the same bytes take where the version is not chosen by the size of a body.

#[path = "../bytes/content.rs"]
mod content;
mod proxy;
#[path = "../bytes/registry.rs"]
#[allow(dead_code, reason = "what its process costs is not measured here")]
mod registry;
mod server;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use content::Content;
use longshore_core::{Digest, Reference, Scheme};
use longshore_reqwest::{Http, Session, Sink};
use longshore_sources::layout::Closure;
use server::Server;

/// How often each way is tried; the median counts.
const ROUNDS: usize = 3;

fn main() {
    if let Some(folder) = std::env::args().find_map(|argument| argument.strip_prefix("serve=").map(str::to_owned)) {
        return registry::serve(Path::new(&folder));
    }
    let runtime = tokio::runtime::Runtime::new().expect("there are threads");
    let folder = tempfile::tempdir().expect("there is a folder for what is made");
    let large = Content::make(folder.path(), "96 MB in 3 layers", 3, 32_000_000);
    let small = Content::make(folder.path(), "200 layers of 64 KiB", 200, 64 << 10);
    println!("| server | what | how | wall | to HTTP/1.1 |");
    println!("|---|---|---|---:|---:|");
    for server in [Server::nginx(folder.path()), Some(Server::mock(folder.path()))].iter().flatten() {
        for content in [&large, &small] {
            let what = format!("push {}", content.what);
            compare(server, &what, |is_http1, tag| runtime.block_on(push(server, content, is_http1, tag)));
            if let Some(path) = server.takes_all {
                print(server, &what, "curl, HTTP/1.1", curl(server, path, content, "--http1.1"), None);
                print(server, &what, "curl, HTTP/2", curl(server, path, content, "--http2"), None);
            }
        }
        if server.keeps_blobs {
            let what = format!("pull {}", large.what);
            compare(server, &what, |is_http1, _| runtime.block_on(pull(server, &large, is_http1)));
        }
    }
}

/// Prints what something takes over HTTP/1.1 only, and where HTTP/2 is offered.
fn compare(server: &Server, what: &str, run: impl Fn(bool, &str) -> f64) {
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        for (is_http1, times) in [true, false].into_iter().zip(&mut times) {
            times.push(run(is_http1, &format!("round-{round}-{is_http1}")));
        }
    }
    let [http1, offered] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    });
    print(server, what, "longshore, HTTP/1.1 only", http1, Some(1.0));
    print(server, what, "longshore", offered, Some(offered / http1));
}

fn print(server: &Server, what: &str, how: &str, wall: f64, ratio: Option<f64>) {
    let ratio = ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
    println!("| {} | {what} | {how} | {wall:.2} s | {ratio} |", server.name);
}

/// A session of its own, whose connections are all still to be made.
fn session(server: &Server, is_http1: bool) -> Session<Digest> {
    let ca = std::fs::read(&server.ca).expect("the server has written it");
    let http = Http::builder().no_proxy().ca_pem(ca);
    let http = if is_http1 { http.http1_only() } else { http };
    Session::new(http.build().expect("the certificate is one"))
}

/// Another repository each time, so that nothing is there.
fn reference(server: &Server, repository: &str) -> Reference {
    let mut reference: Reference = format!("{}/bench/{repository}:v1", server.authority).parse().expect("it is one");
    reference.registry = reference.registry.with_scheme(Scheme::Https);
    reference
}

async fn push(server: &Server, content: &Content, is_http1: bool, tag: &str) -> f64 {
    let closure = Closure::find(&content.layout.to_string_lossy()).expect("it is a layout").trusted();
    let reference = reference(server, &format!("{}-{tag}", content.layers.len()));
    let session = session(server, is_http1);
    let begin = Instant::now();
    session.push_image(&closure, &reference).await.unwrap_or_else(|why| panic!("{}: {why}", server.name));
    begin.elapsed().as_secs_f64()
}

/// Pulls what was pushed in the first round.
async fn pull(server: &Server, content: &Content, is_http1: bool) -> f64 {
    let reference = reference(server, &format!("{}-round-0-true", content.layers.len()));
    let session = session(server, is_http1);
    let begin = Instant::now();
    let pulled = session.pull_image(&reference, |_| Sink::null()).await;
    pulled.unwrap_or_else(|why| panic!("{}: {why}", server.name));
    begin.elapsed().as_secs_f64()
}

/// The layers at once, to a path that takes any body.
fn curl(server: &Server, path: &str, content: &Content, version: &str) -> f64 {
    let mut command = Command::new("curl");
    command.args([
        "--silent",
        "--parallel",
        "--parallel-immediate",
        "--parallel-max",
        "32",
        version,
        "--header",
        "Expect:",
        "--cacert",
    ]);
    command.arg(&server.ca).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    for layer in &content.layers {
        command.arg("-T").arg(layer).arg(format!("https://{}{path}", server.authority));
    }
    let begin = Instant::now();
    match command.status() {
        Ok(status) if status.success() => begin.elapsed().as_secs_f64(),
        _ => f64::NAN,
    }
}
