//! How a client's time and memory grow: `cargo bench -p longshore-core --bench scale` prints the table of the README.
//!
//! Each row is a process of its own, so that its memory is its own: all that it takes, with the manifests and blobs that are
//! given. The registry answers at once and keeps next to nothing; what the simulation takes for an exchange by itself is
//! measured and taken off. Nothing here fails for being slow: the growth from row to row is what to look at. Times are those of
//! the processor, and they and the memory are read from `/proc`; elsewhere it is the time that passes, and no memory.

mod pushes;
mod simulation;

use std::process::Command;
use std::time::Duration;

use simulation::Measured;

/// A way in which a client is used, and how often.
const ROWS: [(&str, &[u64]); 7] = [
    ("one push of blobs", &[1_000, 10_000, 30_000, 100_000]),
    ("pushes at once, 10 blobs each", &[100, 1_000]),
    ("pushes one after another into one repository, 10 blobs each", &[100, 1_000, 10_000]),
    ("pushes at once where 10,000 digests are known", &[100, 1_000]),
    ("referrers of one subject", &[100, 1_000]),
    ("images of an index", &[1_000, 10_000]),
    ("repositories, one push each", &[1_000, 20_000]),
];

fn main() {
    // Cargo adds a word of its own.
    let arguments: Vec<String> = std::env::args().filter(|argument| argument != "--bench").collect();
    if let [_, row, count] = arguments.as_slice()
        && let (Ok(row), Ok(count)) = (row.parse(), count.parse())
    {
        let measured = measure(row, count);
        return println!(
            "{} {} {} {}",
            measured.start.as_nanos(),
            measured.run.as_nanos(),
            measured.requests,
            measured.kib
        );
    }
    println!("| | | start | client's time | a unit | requests | a request | memory | a unit |");
    println!("|---|---|---|---|---|---|---|---|---|");
    for (row, (name, counts)) in ROWS.iter().enumerate() {
        for count in *counts {
            print_row(row, name, *count);
        }
    }
}

fn print_row(row: usize, name: &str, count: u64) {
    let program = std::env::current_exe().expect("it runs");
    let output = Command::new(program).args([row.to_string(), count.to_string()]).output().expect("it runs again");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map(|number| number.parse::<u64>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let (start, run) = (Duration::from_nanos(next()), Duration::from_nanos(next()));
    let (requests, kib) = (next(), next());
    let each = |of: Duration, many: u64| of / u32::try_from(many.max(1)).unwrap_or(u32::MAX);
    println!(
        "| {name} | {count} | {start:.1?} | {run:.1?} | {:.1?} | {requests} | {:.1?} | {:.1} MiB | {} B |",
        each(run, count),
        each(run, requests),
        kib as f64 / 1024.0,
        kib * 1024 / count.max(1)
    );
}

fn measure(row: usize, count: u64) -> Measured {
    match row {
        0 => pushes::one_of_blobs(count),
        1 => pushes::many_at_once(count),
        2 => pushes::one_after_another(count, |_| "team/app".to_owned()),
        3 => pushes::many_where_much_is_known(count),
        4 => pushes::referrers(count),
        5 => pushes::images(count),
        _ => pushes::one_after_another(count, |push| format!("team/app{push}")),
    }
}
