//! What a process cost.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Instant;

use wait4::Wait4 as _;

/// How many parts of a second `/proc` counts in, on every Linux that Rust knows.
const TICKS: f64 = 100.0;

/// What a process cost: seconds and mebibytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) wall: f64,
    /// Of all its threads, in user and in kernel mode.
    pub(crate) cpu: f64,
    /// The most memory that was resident at once.
    pub(crate) peak_mib: f64,
    /// What the registry's processor time grew by meanwhile; in hundredths.
    pub(crate) registry_cpu: f64,
}

impl Cost {
    /// The median of each number for itself.
    pub(crate) fn median(costs: &[Self]) -> Self {
        let of = |number: fn(&Self) -> f64| {
            let mut numbers: Vec<f64> = costs.iter().map(number).collect();
            numbers.sort_by(f64::total_cmp);
            numbers[numbers.len() / 2]
        };
        Self {
            wall: of(|cost| cost.wall),
            cpu: of(|cost| cost.cpu),
            peak_mib: of(|cost| cost.peak_mib),
            registry_cpu: of(|cost| cost.registry_cpu),
        }
    }
}

/// Runs a command to its end, which must be a success.
pub(crate) fn cost_of(mut command: Command, registry: u32) -> Result<Cost, String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let before = cpu_of(registry);
    let begin = Instant::now();
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let mut errors = child.stderr.take().expect("it is piped");
    let ended = child.wait4().map_err(|error| error.to_string())?;
    let wall = begin.elapsed().as_secs_f64();
    if !ended.status.success() {
        let mut said = String::new();
        drop(std::io::Read::read_to_string(&mut errors, &mut said));
        return Err(format!("{}: {said}", ended.status));
    }
    Ok(Cost {
        wall,
        cpu: (ended.rusage.utime + ended.rusage.stime).as_secs_f64(),
        peak_mib: ended.rusage.maxrss as f64 / f64::from(1 << 20),
        registry_cpu: cpu_of(registry) - before,
    })
}

/// The processor time of a process that runs, in seconds; zero where there is no `/proc`.
fn cpu_of(process: u32) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name of the program, in parentheses, may hold spaces.
    let fields: Vec<f64> =
        stat.rsplit(')').next().unwrap_or_default().split(' ').filter_map(|it| it.parse().ok()).collect();
    // Field 14 and 15 of proc(5), counted without the first two and the state.
    fields.get(10..12).map_or(0.0, |times| times.iter().sum::<f64>() / TICKS)
}
