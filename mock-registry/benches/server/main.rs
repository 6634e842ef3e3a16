//! Requests a second, in memory and over sockets, fresh and after ten thousand of each kind and with as many uploads left
//! open; the time to the first answer; and memory. Beside Debian's `docker-registry` in the same run, where it is installed:
//! `cargo bench --package longshore-mock-registry --features server`.

mod client;
mod operation;
mod program;

use std::ops::Range;
use std::time::{Duration, Instant as Moment};

use longshore_mock_registry::server::Server;
use longshore_mock_registry::{Registry, RegistryOptions};

use client::{Client, Purely};
use operation::{OPERATIONS, Operation, leave_uploads_open, prepare};
use program::Program;

/// How often each operation is done in a round, if there is time.
const COUNT: u64 = 10_000;
/// How long one kind of operation takes in a round at most: what a slow registry on a busy machine does until then counts.
const AT_MOST: Duration = Duration::from_secs(20);
/// How many uploads are left open before the last round, if there is time.
const LEFT_OPEN: u64 = 9_900;
/// How many clients there are over sockets.
const CLIENTS: u64 = 2;
/// The argument with which this program is itself the server that is measured.
const SERVE: &str = "--serve";

/// What one registry did: operations a second of each kind in each round, where it can do them.
type Rounds = [[Option<f64>; OPERATIONS.len()]; 3];

fn main() {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    // Tests build benchmarks and run them once; there is nothing to see in that.
    if has("--test") {
        return;
    }
    if has(SERVE) {
        serve();
        return;
    }
    let mut pure = Purely::new(Registry::new(options()));
    prepare(&mut pure);
    let rounds = three_rounds(&mut pure, |pure, operation, first| {
        let begin = Moment::now();
        let done = times(pure, operation, first..first + COUNT);
        done.map(|done| done as f64 / begin.elapsed().as_secs_f64())
    });
    show("in memory", &rounds, None);
    let own = Program::this(SERVE);
    let mine = over_sockets("over sockets", &own, None);
    drop(own);
    match Program::docker_registry() {
        Some(other) => drop(over_sockets("docker-registry, over sockets", &other, Some(&mine))),
        None => println!("SKIP  docker-registry is not installed: nothing stands beside (apt install docker-registry)"),
    }
}

/// Serves until it is killed, and says where on the first line of standard output.
fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let server = runtime.block_on(Server::bind(Server::LOOPBACK, Registry::new(options()))).unwrap();
    println!("{}", server.address());
    runtime.block_on(server.serve(std::future::pending()));
}

/// A registry that takes all that is asked for here.
fn options() -> RegistryOptions {
    let mut options = RegistryOptions::default();
    options.limits.manifests = usize::MAX;
    options.limits.manifest_bytes = u64::MAX;
    options.limits.blobs = usize::MAX;
    options
}

/// Fresh, after that, and with uploads left open.
fn three_rounds<C: Client>(client: &mut C, measure: impl Fn(&mut C, &Operation, u64) -> Option<f64>) -> Rounds {
    let round = |client: &mut C, number: u64| {
        let mut measured = [None; OPERATIONS.len()];
        for (at, operation) in (1..).zip(&OPERATIONS) {
            measured[at - 1] = measure(client, operation, number * 1_000_000_000);
        }
        measured
    };
    let (fresh, later) = (round(client, 1), round(client, 2));
    leave_uploads_open(client, LEFT_OPEN, AT_MOST);
    [fresh, later, round(client, 3)]
}

/// Does an operation with these numbers, until there is no time left; says how often. Nothing where the registry refused it.
fn times(client: &mut dyn Client, operation: &Operation, numbers: Range<u64>) -> Option<u64> {
    let begin = Moment::now();
    let mut done = 0;
    for number in numbers {
        if begin.elapsed() > AT_MOST {
            break;
        }
        if !(operation.run)(client, number) {
            return None;
        }
        done += 1;
    }
    Some(done)
}

fn over_sockets(name: &str, program: &Program, own: Option<&Rounds>) -> Rounds {
    let address = program.address;
    prepare(&mut program.client());
    let at_rest = program.memory();
    let rounds = three_rounds(&mut program.client(), |_, operation, first| {
        let begin = Moment::now();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (operation, first) = (*operation, first + client * 10_000_000);
                std::thread::spawn(move || {
                    let mut client = client::OverSocket::connect(address);
                    times(&mut client, &operation, first..first + COUNT / CLIENTS)
                })
            })
            .collect();
        let done: Option<u64> = clients.into_iter().map(|client| client.join().unwrap()).sum();
        done.map(|done| done as f64 / begin.elapsed().as_secs_f64())
    });
    show(name, &rounds, own);
    println!(
        "  first answer after {:.0} ms; memory {} MiB at rest, {} MiB after\n",
        program.started.as_secs_f64() * 1000.0,
        at_rest >> 20,
        program.memory() >> 20
    );
    rounds
}

/// Prints operations a second, and how often as many the mock registry does where it stands beside another.
fn show(name: &str, rounds: &Rounds, own: Option<&Rounds>) {
    println!("{name}, operations a second{}", if own.is_some() { " (ours is so many times as fast)" } else { "" });
    println!(
        "  {:<24} {:>14} {:>22} {:>22}",
        "",
        "fresh",
        format!("after {COUNT} of each"),
        format!("{LEFT_OPEN} open")
    );
    for (at, operation) in OPERATIONS.iter().enumerate() {
        let cells: Vec<String> = (0..3)
            .map(|round| match (rounds[round][at], own.and_then(|own| own[round][at])) {
                (None, _) => "—".to_owned(),
                (Some(measured), None) => format!("{measured:.0}"),
                (Some(measured), Some(own)) => format!("{measured:.0} ({:.1})", own / measured),
            })
            .collect();
        println!("  {:<24} {:>14} {:>22} {:>22}", operation.name, cells[0], cells[1], cells[2]);
    }
}
