use super::*;
use crate::Algorithm;

#[test]
fn entries_of_one_subject_go_in_together_once_all_are_stored() {
    let subject = Digest::of(Algorithm::Sha256, b"subject");
    let mut lists = Lists::default();
    (0..3).for_each(|_| lists.given(subject));
    lists.stored(subject, 0, false);
    lists.stored(subject, 1, true);
    assert_eq!(lists.take_ready(), None, "one is not stored yet");
    lists.stored(subject, 2, false);
    assert_eq!(lists.take_ready(), Some((subject, vec![0, 2])));

    // One more comes while the list is being changed.
    lists.given(subject);
    lists.stored(subject, 3, false);
    assert_eq!(lists.take_ready(), None);
    assert_eq!(lists.changed(subject), [0, 2]);
    assert_eq!(lists.take_ready(), Some((subject, vec![3])));
    assert_eq!(lists.changed(subject), [3]);
    assert_eq!(lists.take_ready(), None);
}
