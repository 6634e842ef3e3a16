//! Every push of every flow is cancelled at every step.

use longshore_conformance::{Interrupted, flow, oracle};
use longshore_memory::Order;

#[test]
fn i39_a_push_can_be_cancelled_at_any_step() {
    let mut cases = 0;
    for flow in flow::all().into_iter().filter(|flow| flow.case.interrupted == Interrupted::Never) {
        for order in [Order::Latency, Order::Last] {
            let mut case = flow.case.clone();
            case.order = order;
            for step in 0..case.run().steps {
                let run = case.run_and_cancel(step);
                cases += 1;
                if let Err(violation) = oracle::judge_cancelled(&case, &run) {
                    panic!("{}, cancelled after {step} steps: {violation}\n{}", flow.name, run.simulation.transcript());
                }
            }
        }
    }
    println!("{cases} cases");
    assert!(cases >= 1500, "there were only {cases} cases");
}
