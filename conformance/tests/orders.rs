//! Answers in every order there is.

use longshore_conformance::quirk::Outcome;
use longshore_conformance::{BlobPlan, Case, DocumentPlan, Given, Plan, Subject, property};
use longshore_memory::{Fault, Schedule, every_order};

/// An image of so many blobs, each of which takes a POST and a PUT, all at once.
fn parallel(blobs: usize) -> Case {
    let blob = |number| BlobPlan { len: 20 + number, fill: number as u8, sha512: false };
    let document =
        DocumentPlan { blobs: (0..blobs).collect(), children: Vec::new(), docker: false, subject: Subject::None };
    let plan = Plan { blobs: (0..blobs).map(blob).collect(), documents: vec![document], attached: 0 };
    let mut case = Case::new(plan);
    case.client.in_flight = blobs;
    case.client.learned.single_post = Some(false);
    case.client.learned.self_mount = Some(false);
    case
}

/// Judges a case in every order, and says how many there were.
fn in_every_order(case: &Case) -> usize {
    every_order(|order| {
        let case = Case { order, ..case.clone() };
        let run = property::judge(&case, Outcome::Succeeds).unwrap_or_else(|why| panic!("{:?}: {why}", case.order));
        run.simulation.choices().to_vec()
    })
}

#[test]
fn three_blobs_of_two_requests_each() {
    // 6! / (2! 2! 2!)
    assert_eq!(in_every_order(&parallel(3)), 90);
}

#[test]
fn three_blobs_of_three_requests_each() {
    let mut case = parallel(3);
    case.client.ask_above = 0;
    // The largest is asked about first, and alone: 8! / (2! 3! 3!)
    assert_eq!(in_every_order(&case), 560);
}

#[test]
fn three_blobs_out_of_pipes() {
    let mut case = parallel(3);
    case.given = vec![Given::Unknown];
    let orders = in_every_order(&case);
    println!("{orders} orders");
    assert!(orders >= 1680, "there were only {orders} orders");
}

#[test]
fn two_blobs_and_every_single_fault() {
    let case = parallel(2);
    let requests = case.run().simulation.requests();
    let mut orders = 0;
    for request in 1..=requests {
        for fault in Fault::every_passing() {
            let faults = Schedule::list([(request, fault)]);
            orders += in_every_order(&Case { faults, ..case.clone() });
        }
    }
    println!("{orders} orders");
    assert!(orders >= 680, "there were only {orders} orders");
}
