use super::*;

fn lane(options: &Options) -> Lane {
    let origin = "registry.example".parse::<crate::Registry>().unwrap().origin();
    let mut lane = Lane::new(&origin, options, Instant::ZERO);
    lane.is_known = true;
    lane
}

fn at(millis: u64) -> Instant {
    Instant::ZERO.after(Duration::from_millis(millis))
}

#[test]
fn a_lane_that_is_not_known_sends_one_request_alone() {
    let options = Options::default();
    let mut lane = lane(&options);
    lane.is_known = false;
    assert_eq!(lane.room(&options, at(0)), Room::Anything);
    lane.take(false, at(0));
    assert_eq!(lane.room(&options, at(0)), Room::Nothing);
    lane.is_known = true;
    assert_eq!(lane.room(&options, at(0)), Room::Anything);
}

#[test]
fn large_bodies_leave_a_place_to_a_small_push() {
    let options = Options::default();
    let mut lane = lane(&options);
    (0..3).for_each(|_| lane.take(true, at(0)));
    assert_eq!(lane.room(&options, at(0)), Room::Small);
    lane.take(false, at(0));
    assert_eq!(lane.room(&options, at(0)), Room::Nothing);
    lane.release(true);
    assert_eq!(lane.room(&options, at(0)), Room::Anything);
}

#[test]
fn no_more_large_bodies_than_the_option_says_and_one_in_a_window_of_one() {
    let mut options = Options { large_bodies: 2, ..Options::default() };
    let mut two = lane(&options);
    (0..2).for_each(|_| two.take(true, at(0)));
    assert_eq!(two.room(&options, at(0)), Room::Small);
    options.in_flight = 1;
    let mut one = lane(&options);
    assert_eq!(one.room(&options, at(0)), Room::Anything);
    one.take(true, at(0));
    assert_eq!(one.room(&options, at(0)), Room::Nothing);
}

#[test]
fn who_says_nothing_for_ten_seconds_has_one_place() {
    let options = Options::default();
    let mut lane = lane(&options);
    (0..2).for_each(|_| lane.take(false, at(0)));
    assert_eq!(lane.places(at(10_000)), 4);
    assert_eq!(lane.places(at(10_001)), 1);
    lane.hear(at(10_001));
    assert_eq!(lane.places(at(10_002)), 4);
    // That a large body takes long is no silence, and what is sent after it counts from its own beginning.
    (0..2).for_each(|_| lane.release(false));
    lane.take(true, at(20_000));
    assert_eq!(lane.places(at(60_000)), 4);
    lane.take(false, at(60_000));
    assert_eq!(lane.places(at(60_001)), 4);
    assert_eq!(lane.places(at(70_001)), 1);
}

#[test]
fn waits_that_were_asked_for_add_up_until_anything_else_is_answered() {
    let options = Options::default();
    let mut lane = lane(&options);
    let second = Duration::from_secs(1);
    assert_eq!(lane.waits(at(10_000), at(0)), Duration::ZERO);
    assert_eq!(lane.waits(at(9_000), at(5_000)), 5 * second, "of a wait only what has passed counts");
    assert_eq!(lane.waits(at(25_000), at(20_000)), 10 * second, "a shorter wait lies within the longer one");
    assert_eq!(lane.waits(at(35_000), at(30_000)), 15 * second, "time in which nothing was asked for is no wait");
    lane.answered(at(30_000), None, at(35_000));
    assert_eq!(lane.waits(at(45_000), at(40_000)), Duration::ZERO);
}

#[test]
fn of_several_pauses_the_longest_holds() {
    let options = Options::default();
    let mut lane = lane(&options);
    lane.pause(at(10_000));
    lane.pause(at(9_000));
    assert_eq!(lane.paused_until(), at(10_000));
    assert_eq!(lane.room(&options, at(9_999)), Room::Nothing);
    assert_eq!(lane.room(&options, at(10_000)), Room::Anything);
}

#[test]
fn a_lane_in_which_anything_flies_waits_or_is_paused_is_not_forgotten() {
    let options = Options::default();
    let (task, operation) = (TaskId(1), crate::driver::OperationId(1));
    let ticket = Ticket { operation, priority: Priority::new(false, None), is_large: false };
    let mut lane = lane(&options);
    assert!(lane.is_idle(at(0)));
    lane.take(false, at(0));
    assert!(!lane.is_idle(at(0)), "a request is in flight");
    lane.release(false);
    assert!(lane.is_idle(at(0)));
    lane.queue.push(task, ticket);
    assert!(!lane.is_idle(at(0)), "a task waits for a place");
    lane.queue.remove(task, &ticket);
    assert!(lane.is_idle(at(0)));
    lane.resting.insert(task);
    assert!(!lane.is_idle(at(0)), "a task waits for a moment");
    lane.resting.remove(&task);
    assert!(lane.is_idle(at(0)));
    lane.pause(at(10));
    assert!(!lane.is_idle(at(9)), "what the origin asked for would be forgotten");
    assert!(lane.is_idle(at(10)));
}

#[test]
fn the_sum_of_the_waits_begins_again_when_those_who_waited_were_told() {
    let options = Options::default();
    let mut lane = lane(&options);
    lane.waits(at(10_000), at(0));
    assert_eq!(lane.refused_for(), Duration::from_secs(10));
    lane.forgive();
    assert_eq!(lane.refused_for(), Duration::ZERO);
    assert_eq!(lane.waits(at(12_000), at(0)), Duration::ZERO);
    assert_eq!(lane.refused_for(), Duration::from_secs(2));
}

#[test]
fn a_lane_pays_for_its_retries_until_its_budget_is_used_up_and_earns_by_what_succeeds() {
    let options = Options { retry_budget: 20, ..Options::default() };
    let mut lane = lane(&options);
    assert!(lane.pay(false, at(0)) && lane.pay(true, at(0)));
    assert!(!lane.pay(true, at(0)));
    (0..4).for_each(|_| lane.earn());
    assert!(lane.pay(true, at(0)));
}
