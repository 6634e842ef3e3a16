//! What is broken on purpose, and how it is caught.

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use longshore_conformance::exhaustive::hunt;
use longshore_conformance::{Key, saboteur};

/// Hunts all of them, each by one thread, and tells how each was caught.
pub(crate) fn all() -> ExitCode {
    let all: Vec<_> = saboteur::all::<Key>().into_iter().filter(saboteur::Saboteur::is_hunted).collect();
    let (next, passed) = (AtomicUsize::new(0), Mutex::new(0));
    // A client that hangs is caught by a panic.
    std::panic::set_hook(Box::new(|_| {}));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(saboteur) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match hunt(saboteur) {
                        Some(caught) if caught.oracle == saboteur.oracle => {
                            println!(
                                "{:26} {:10} after {:5} cases: {}",
                                saboteur.name, caught.oracle, caught.cases, caught.case
                            );
                        }
                        other => {
                            *passed.lock().expect("no thread panics") += 1;
                            println!("{:26} is not caught by {}: {other:?}", saboteur.name, saboteur.oracle);
                        }
                    }
                }
            });
        }
    });
    drop(std::panic::take_hook());
    let passed = passed.into_inner().expect("no thread panics");
    println!("{} saboteurs, {passed} of them not caught by the oracle that is to catch them", all.len());
    if passed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
