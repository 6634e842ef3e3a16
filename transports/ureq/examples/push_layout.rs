//! An image out of an OCI layout, pushed without an async runtime; the registry may send bytes to these origins too:
//! `cargo run -p longshore-ureq --example push_layout -- path/to/layout localhost:5000/you/app:v1 http://127.0.0.1:9000`

use std::error::Error;

use longshore_core::{Options, Reference, Target};
use longshore_sources::layout::Closure;
use longshore_ureq::{Http, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let usage = "name a layout, and where to push it: path/to/layout localhost:5000/you/app:v1";
    let (source, reference) = words.next().zip(words.next()).ok_or(usage)?;
    let reference: Reference = reference.parse()?;
    let mut options = Options::default();
    for origin in words {
        options.policy = options.policy.allow_origin(Target::parse(&origin)?.origin().clone());
    }
    let mut session = Session::builder(Http::default()).stored_credentials().options(options).build();
    let pushed = session.push_image(&Closure::find(&source)?, &reference)?;
    println!("{} bytes in {} requests", pushed.bytes, pushed.requests);
    Ok(())
}
