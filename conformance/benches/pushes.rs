//! How fast the suite is: simulated pushes under all oracles, a second of one processor.
//!
//! `cargo bench -p longshore-conformance --bench pushes --profile suite` runs every flow with a fault at each request, on one
//! thread, and prints what its parts took of the processor (of the clock, where the system does not tell).

use std::time::{Duration, Instant};

use longshore_conformance::exhaustive::{Stage, kind};
use longshore_conformance::{flow, oracle};

fn main() {
    let (mut pushes, mut pushing, mut judging) = (0_u32, Duration::ZERO, Duration::ZERO);
    let begin = Instant::now();
    for stage in flow::all().iter().filter_map(|flow| Stage::of("spec", flow.name)) {
        for request in 1..=stage.requests {
            for kind in kind::passing() {
                let case = stage.faulty(request, &kind);
                let before = processor_time(begin);
                let mut run = case.run();
                let between = processor_time(begin);
                oracle::judge(&case, stage.outcome, &mut run).expect("these faults pass");
                pushing += between.saturating_sub(before);
                judging += processor_time(begin).saturating_sub(between);
                pushes += 1;
            }
        }
    }
    let whole = pushing + judging;
    let per_second = f64::from(pushes) / whole.as_secs_f64();
    println!("{pushes} pushes on one thread, {per_second:.0} a second of a processor");
    println!("{} us each to push, {} us to judge", (pushing / pushes).as_micros(), (judging / pushes).as_micros());
}

/// The time that this process has had of a processor. Where the system does not tell, the time that has passed.
fn processor_time(begin: Instant) -> Duration {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|nanos| nanos.parse().ok());
    nanos.map_or_else(|| begin.elapsed(), Duration::from_nanos)
}
