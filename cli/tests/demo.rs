//! `longshore demo`: what a newcomer sees first.

mod common;

use common::done;

#[test]
fn the_demonstration_runs_to_its_end_and_fits_a_screen() {
    let out = done(&["demo"]);
    assert!(out.lines().count() <= 40, "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    for part in ["send the program", "send the index", "2. Push again: 1 request, 0 B sent", "every digest agrees"] {
        assert!(out.contains(part), "{part}: {out}");
    }
}
