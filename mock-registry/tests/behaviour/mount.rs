use longshore_mock_registry::behaviour::{MountPolicy, WithoutFrom};

use crate::stage;
use crate::transcript::{Stage, image, push, sha256};

const MOUNT: &str = "C: POST /v2/to/blobs/uploads/?mount={hello}&from=from\n";
const UPLOAD: &str = "S: 202\nS: Location: /v2/to/blobs/uploads/{id}\nC: PUT /v2/to/blobs/uploads/{id}?digest={hello}\nC:\nC: hello\nS: 201";

fn with_blob(change: impl FnOnce(&mut longshore_mock_registry::Behaviour)) -> Stage {
    let mut stage = stage(change);
    push(&mut stage, "from", "hello");
    stage
}

#[test]
fn policies() {
    with_blob(|_| ()).play(&format!("{MOUNT}S: 201"));
    with_blob(|b| b.mount.policy = MountPolicy::Never).play(&format!("{MOUNT}{UPLOAD}"));
    with_blob(|b| b.mount.policy = MountPolicy::Refused(401)).play(&format!("{MOUNT}S: 401"));
    with_blob(|b| b.mount.policy = MountPolicy::AnyRepository)
        .play("C: POST /v2/to/blobs/uploads/?mount={hello}&from=no/such\nS: 201");
}

#[test]
fn only_what_a_manifest_refers_to() {
    let mut stage = with_blob(|b| b.mount.policy = MountPolicy::Referenced);
    stage.play(&format!("{MOUNT}{UPLOAD}"));
    let manifest = image(&mut stage, "from", "");
    let config = sha256("{}");
    stage.play(&format!(
        "C: POST /v2/to/blobs/uploads/?mount={config}&from=from\nS: 202
         C: PUT /v2/from/manifests/v1\nC:\nC: {manifest}\nS: 201
         C: POST /v2/to/blobs/uploads/?mount={config}&from=from\nS: 201"
    ));
}

#[test]
fn missing_sources() {
    for status in [401, 403, 404, 405, 500] {
        with_blob(|b| b.mount.missing = status).play(&format!(
            "C: POST /v2/to/blobs/uploads/?mount={{hello}}&from=no/such\nS: {status}
             C: POST /v2/to/blobs/uploads/?mount={{absent}}&from=from\nS: {status}
             C: POST /v2/to/blobs/uploads/?mount={{absent}}\nS: 202
             {MOUNT}S: 201"
        ));
    }
}

#[test]
fn without_from() {
    let mount = "C: POST /v2/to/blobs/uploads/?mount={hello}\n";
    with_blob(|_| ()).play(&format!("{mount}S: 201"));
    with_blob(|b| b.mount.without_from = WithoutFrom::Refused(400)).play(&format!("{mount}S: 400\n{MOUNT}S: 201"));
    with_blob(|b| b.mount.without_from = WithoutFrom::Upload).play(&format!("{mount}{UPLOAD}"));
    with_blob(|b| b.mount.without_from = WithoutFrom::Target).play(&format!("{mount}{UPLOAD}\n{mount}S: 201"));
}

#[test]
fn from_alone_and_foreign_origins() {
    let alone = "C: POST /v2/to/blobs/uploads/?from=from\nS: ";
    with_blob(|_| ()).play(&format!("{alone}202"));
    with_blob(|b| b.mount.from_alone = 405).play(&format!("{alone}405\nS: Content-Length: 0"));
    let foreign = "C: POST /v2/to/blobs/uploads/?mount={hello}&from=from&origin=other.example\nS: ";
    with_blob(|_| ()).play(&format!("{foreign}201"));
    with_blob(|b| b.mount.refuses_origin = true).play(&format!("{foreign}401"));
}

#[test]
fn an_absent_project_is_another_matter_than_an_absent_repository_of_a_project() {
    let mut stage = stage(|b| b.mount.absent_project = Some(401));
    push(&mut stage, "team/from", "hello");
    let mount = |to: &str, from: &str| format!("C: POST /v2/{to}/blobs/uploads/?mount={{absent}}&from={from}\nS: ");
    stage.play(&[mount("other/to", "team/from"), "202".to_owned()].concat());
    stage.play(&[mount("other/to", "team/no-such"), "202".to_owned()].concat());
    stage.play(&[mount("other/to", "no/such"), "401".to_owned()].concat());
    // Nobody has pushed to the target's project yet; it is there all the same.
    stage.play(&[mount("new/to", "new/from"), "202".to_owned()].concat());
    stage.registry.options.behaviour.mount.absent_source = Some(404);
    stage.play(&[mount("other/to", "team/no-such"), "404".to_owned()].concat());
    stage.play(&[mount("other/to", "no/such"), "401".to_owned()].concat());
}
