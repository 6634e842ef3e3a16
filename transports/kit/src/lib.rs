//! Checks that a driver of [`longshore_core`] keeps the contract with the core.
//!
//! A driver moves bytes for the core: it adds no header, follows no redirect, retries nothing, sends exactly the body's
//! bytes, enforces limits, and reports what really happened. The kit has servers that misbehave on purpose, over plain
//! HTTP, TLS and HTTP/2 on loopback, and a check for each duty. Optional capabilities (TLS, HTTP/2, several requests at
//! once, early answers, abort) are declared: each is checked if it is declared, and reported as absent if not.
//!
//! ```no_run
//! # use longshore_core::driver::Output;
//! # use longshore_core::{Client, Failure, Receipt};
//! # struct MyDriver;
//! # impl MyDriver {
//! #     fn new(ca_pem: &str) -> Self { Self }
//! #     fn run(&self, client: Client<u32>, work: Work) -> Vec<Result<Receipt<u32>, Box<Failure>>> { Vec::new() }
//! # }
//! use longshore_transport_kit::{Capabilities, Work, check};
//!
//! let report = check(Capabilities::none().tls().concurrent(), |site| {
//!     let driver = MyDriver::new(&site.ca_pem);
//!     // Start the operations, drive the client until it is idle, and give what came of them in their order.
//!     move |work: Work| driver.run(Client::new(work.options.clone()), work)
//! });
//! report.assert();
//! ```
//!
//! [`Work`] has what an operation needs: bytes to send as [`Content`], sinks for pulled blobs as [`Sink`], and
//! credentials. [`check_in_memory`] checks a driver without sockets, for the duties that are marked `any`.
//!
//! Two duties move 1 GiB each, which takes minutes in a debug build. Add this to your `Cargo.toml`:
//!
//! ```toml
//! [profile.dev.package]
//! longshore-transport-kit.opt-level = 2
//! sha2.opt-level = 3
//! ```
//!
//! If a check does not end, the driver hangs: run it with `--nocapture`, and the last name that is printed is the duty.
//!
//! # The matrix
//!
//! `transports/kit/matrix` runs the kit against the drivers of this project and prints this table. The times are those of
//! a debug build.
#![doc = include_str!("../MATRIX.md")]
//!
//! # Two whole drivers
//!
//! Both are examples of this crate, are compiled, and pass the kit: `cargo run --example serial_driver` and
//! `cargo run --example hyper_driver`. The serial one, over `std::net`:
//!
//! ```ignore
#![doc = include_str!("../examples/serial_driver/driver.rs")]
//! ```
//!
//! The concurrent one, over raw hyper and tokio, streams its bodies, reports early answers, ends aborted requests, and takes
//! operations while others run. What it does with the core:
//!
//! ```ignore
#![doc = include_str!("../examples/hyper_driver/driver.rs")]
//! ```
//!
//! and how it sends one request:
//!
//! ```ignore
#![doc = include_str!("../examples/hyper_driver/exchange.rs")]
//! ```
#![forbid(unsafe_code)]

mod driver;
mod duties;
mod failure;
mod reference;
mod report;
mod server;
mod trial;
mod work;

use std::time::Instant;

pub use driver::{Capabilities, Driver, Handler, Site};
pub use report::{DutyResult, Report, Verdict, matrix};
pub use work::{Content, CredentialLookup, Sink, Work};

use duties::Duty;
use server::tls::Ca;
use trial::{Maker, Protocol, Trial};

/// Checks a driver against servers on loopback. `make` makes a driver for a server, and is called many times.
pub fn check<D: Driver + 'static>(capabilities: Capabilities, make: impl FnMut(&Site) -> D) -> Report {
    check_duties(capabilities, |_| true, make)
}

/// Checks only the duties whose names `wanted` accepts, for example to examine one duty.
pub fn check_duties<D: Driver + 'static>(
    capabilities: Capabilities,
    is_wanted: impl Fn(&str) -> bool,
    mut make: impl FnMut(&Site) -> D,
) -> Report {
    let mut protocols = vec![Protocol::Plain];
    if capabilities.tls {
        protocols.push(Protocol::Tls);
    }
    if capabilities.http2 {
        protocols.push(Protocol::Http2);
    }
    let mut make = move |site: &Site| Box::new(make(site)) as Box<dyn Driver>;
    run(&capabilities, &protocols, &is_wanted, &mut Maker::Sockets(&mut make))
}

/// Checks a driver without sockets, which gets its answers from a handler, for the duties that are marked `any`.
pub fn check_in_memory<D: Driver + 'static>(mut make: impl FnMut(Handler) -> D) -> Report {
    let mut make = move |handler: Handler| Box::new(make(handler)) as Box<dyn Driver>;
    run(&Capabilities::none(), &[Protocol::Memory], &|_| true, &mut Maker::Memory(&mut make))
}

fn run(
    capabilities: &Capabilities,
    spoken: &[Protocol],
    is_wanted: &dyn Fn(&str) -> bool,
    maker: &mut Maker<'_>,
) -> Report {
    let ca = Ca::new();
    let mut results = Vec::new();
    for duty in duties::all().into_iter().filter(|duty| is_wanted(duty.name)) {
        if let Some(needs) = duty.needs.filter(|needs| !needs.is_declared(capabilities)) {
            if spoken != [Protocol::Memory] {
                results.push(result(&duty, Verdict::Absent(needs.as_str()), Instant::now()));
            }
            continue;
        }
        let protocols = duty.over.protocols(spoken);
        if protocols.is_empty() {
            continue;
        }
        let begin = Instant::now();
        let mut verdict = Verdict::Held(protocols.iter().map(|protocol| protocol.as_str()).collect());
        for protocol in protocols {
            println!("{} over {}", duty.name, protocol.as_str());
            let mut trial = Trial { protocol, ca: &ca, maker: &mut *maker };
            if let Err(why) = (duty.check)(&mut trial) {
                verdict = Verdict::Broken(format!("over {}: {why}", protocol.as_str()));
                break;
            }
        }
        results.push(result(&duty, verdict, begin));
    }
    Report { results }
}

fn result(duty: &Duty, verdict: Verdict, begin: Instant) -> DutyResult {
    let (name, what, over) = (duty.name, duty.what, duty.over.as_str());
    DutyResult { name, what, over, verdict, took: begin.elapsed() }
}

impl Protocol {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Plain => "HTTP/1.1",
            Self::Tls => "HTTP/1.1 over TLS",
            Self::Http2 => "HTTP/2 over TLS",
        }
    }
}
