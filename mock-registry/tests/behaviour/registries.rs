use longshore_mock_registry::Behaviour;
use longshore_mock_registry::profile::Profile;

use crate::stage;
use crate::transcript::{Stage, image, push};

fn named(profile: &str) -> Behaviour {
    Profile::named(profile).unwrap().behaviour().clone()
}

fn with_blob(behaviour: Behaviour) -> Stage {
    let mut stage = stage(|b| *b = behaviour);
    push(&mut stage, "from", "hello");
    stage
}

const UPLOAD: &str = "S: 202\nS: Location: /v2/to/blobs/uploads/{id}\nC: PUT /v2/to/blobs/uploads/{id}?digest={hello}\nC:\nC: hello\nS: 201";

#[test]
fn quay_refuses_a_mount_without_from() {
    with_blob(named("quay-2021")).play(
        "C: POST /v2/to/blobs/uploads/?mount={hello}
         S: 400
         C: POST /v2/to/blobs/uploads/?mount={hello}&from=from
         S: 201
         C: POST /v2/to/blobs/uploads/?mount={absent}&from=from
         S: 202
         S: Location: https://reg.example:5443{location}
         S: Range: bytes=0--1
         C: PATCH {location}
         C:
         C: hel
         S: 202
         S: Range: 0-2
         C: GET {location}
         S: 204
         S: Range: bytes=0-3
         S: !location",
    );
}

#[test]
fn ecr_answers_202_to_a_mount_that_is_missing_not_allowed_or_switched_off() {
    let mount = "C: POST /v2/to/blobs/uploads/?mount={hello}&from=from\n";
    with_blob(named("ecr")).play(&format!("{mount}{UPLOAD}"));
    let mut stage = with_blob(named("ecr-blob-mounting"));
    stage.play(&format!("C: POST /v2/to/blobs/uploads/?mount={{absent}}&from=from\nS: 202\n{mount}{UPLOAD}"));
    let manifest = image(&mut stage, "from", "");
    stage.play(&format!(
        "C: PUT /v2/from/manifests/v1\nC:\nC: {manifest}\nS: 201
         C: POST /v2/to/blobs/uploads/?mount={}&from=from\nS: 201",
        crate::sha256("{}")
    ));
}

#[test]
fn ecrs_other_quirks() {
    with_blob(named("ecr")).play(
        "C: POST /v2/to/blobs/uploads/
         S: 202
         S: Location: {location}
         S: !oci-chunk-min-length
         C: PATCH {location}
         C: Content-Range: 0-2
         C:
         C: hel
         S: 201
         S: Range: 0-2
         C: PATCH {location}
         C: Content-Range: 3-4
         C:
         C: lo
         S: 400
         C: POST /v2/to/blobs/uploads/?digest={empty}
         S: 500",
    );
}

/// A behaviour can be written down and read back; what is not written is spec-true.
#[test]
fn behaviours_are_data() {
    for behaviour in [Behaviour::default(), named("quay-2021"), named("ecr-blob-mounting")] {
        let written = serde_json::to_string(&behaviour).unwrap();
        assert_eq!(serde_json::from_str::<Behaviour>(&written).unwrap(), behaviour);
    }
    let read: Behaviour = serde_json::from_str(r#"{"mount":{"without-from":{"refused":400}}}"#).unwrap();
    let mut expected = Behaviour::default();
    expected.mount.without_from = longshore_mock_registry::behaviour::WithoutFrom::Refused(400);
    assert_eq!(read, expected);
    assert!(serde_json::from_str::<Behaviour>(r#"{"mount":{"wihtout-from":1}}"#).is_err());
}
