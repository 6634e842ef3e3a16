//! Serves an empty registry: `cargo run --features server --example serve -- 127.0.0.1:5000`.

use longshore_mock_registry::server::{Log, Server};
use longshore_mock_registry::{Registry, RegistryOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen = std::env::args().nth(1).map_or(Ok(Server::LOOPBACK), |listen| listen.parse())?;
    let server =
        Server::bind(listen, Registry::new(RegistryOptions::default())).await?.with_log(Log::to(std::io::stderr()));
    println!("{}", server.url());
    server.serve(std::future::pending()).await;
    Ok(())
}
