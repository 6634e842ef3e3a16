//! The example, run.

#[path = "../examples/simulate_a_client.rs"]
#[expect(dead_code, reason = "a test calls what `main` calls")]
mod simulate_a_client;

#[test]
fn the_same_seed_gives_the_same_transcript() {
    let [first, second] = [7, 7].map(|seed| simulate_a_client::simulate(seed).unwrap());
    assert!(first == second && first.contains("Ok(Pushed("), "{first}");
}
