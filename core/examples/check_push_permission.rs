//! May I push there? Two calls answer that: begin an upload, and give it up.
//!
//! Only the endpoints of `longshore-core` are used, and an HTTP client of a few lines, because the core does no I/O:
//! `cargo run -p longshore-core --example check_push_permission -- localhost:5000/you/app`

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use longshore_core::endpoint::{CancelUpload, Endpoint, StartUpload};
use longshore_core::{Reference, Scheme};

fn main() -> ExitCode {
    let Some(reference) = std::env::args().nth(1) else {
        eprintln!("usage: check_push_permission REGISTRY/REPOSITORY");
        eprintln!("for example localhost:5000/you/app: a registry that speaks plain HTTP and asks for no password");
        return ExitCode::from(2);
    };
    match check(&reference) {
        Ok(upload) => println!("{reference} may be pushed to; the upload at {upload} is given up again"),
        Err(error) => {
            eprintln!("{reference}: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn check(reference: &str) -> Result<String, Box<dyn Error>> {
    let reference: Reference = reference.parse()?;
    let origin = reference.registry.with_scheme(Scheme::Http).origin();

    let start = StartUpload { origin: &origin, repository: &reference.repository, algorithm: None };
    let answer = send(&start.request()?)?;
    let upload = start.parse(&start.target(), &answer)?;
    if upload.target().origin() != &origin {
        return Err(format!("the upload is at another server, {}, and is left alone", upload.target()).into());
    }

    let cancel = CancelUpload { upload: &upload };
    let answer = send(&cancel.request()?)?;
    // Who may begin an upload may push; some registries let nobody cancel one.
    if let Err(error) = cancel.parse(&cancel.target(), &answer) {
        eprintln!("note: {error}");
    }
    Ok(upload.target().to_string())
}

/// One request without a body, over a connection of its own.
fn send(request: &Request<()>) -> Result<Response<Bytes>, Box<dyn Error>> {
    let uri = request.uri();
    let (host, port) = (uri.host().ok_or("no host")?, uri.port_u16().unwrap_or(80));
    let mut connection = TcpStream::connect((host.trim_matches(['[', ']']), port))?;
    connection.set_read_timeout(Some(Duration::from_secs(30)))?;
    let path = uri.path_and_query().ok_or("no path")?;
    let mut head = format!("{} {path} HTTP/1.1\r\nHost: {}\r\n", request.method(), uri.authority().ok_or("no host")?);
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str()?);
    }
    connection.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())?;
    let mut answer = Vec::new();
    connection.take(64 * 1024).read_to_end(&mut answer)?;
    read(&answer)
}

/// The answer's status, its headers, and whatever came after them.
fn read(answer: &[u8]) -> Result<Response<Bytes>, Box<dyn Error>> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or("the answer has no end of its headers")?;
    let (head, body) = answer.split_at(end);
    let mut lines = std::str::from_utf8(head)?.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("the answer has no status")?;
    let mut response = Response::builder().status(status);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or("the answer has a line that is no header")?;
        response = response.header(name, value.trim());
    }
    Ok(response.body(Bytes::copy_from_slice(body.trim_ascii()))?)
}
