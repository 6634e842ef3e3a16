//! What `--help` says, as it is in `tests/help/`. A change is seen there; `LONGSHORE_WRITE_HELP=1 cargo test` makes it.

mod common;

use std::path::Path;

use common::done;

#[test]
fn help_is_as_it_was_agreed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/help");
    for name in ["", "push", "pull", "artifact", "attach", "referrers", "check", "rm", "mock", "demo"] {
        let arguments: Vec<&str> = [name, "--help"].into_iter().filter(|argument| !argument.is_empty()).collect();
        let help = done(&arguments);
        let path = folder.join(format!("{}.txt", if name.is_empty() { "longshore" } else { name }));
        if std::env::var_os("LONGSHORE_WRITE_HELP").is_some() {
            std::fs::write(&path, &help).unwrap();
        }
        let agreed = std::fs::read_to_string(&path).unwrap();
        assert_eq!(help, agreed, "longshore {name} --help is not what {} says", path.display());
        assert!(help.contains("Exit status: 0 "), "{help}");
    }
}
