//! The list of all switches, derived from the types.

use serde_json::Value;

use super::settings::Settings;

/// A switch of the registry's behaviour.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Switch {
    /// Its path, such as `mount.without-from`.
    pub path: String,
    /// Its value in a registry that follows the spec, as JSON; `null` if it is not set.
    pub default: Value,
}

/// All switches, in the order of their paths.
#[must_use]
pub fn switches() -> Vec<Switch> {
    let groups = Settings::default().groups();
    let mut switches: Vec<Switch> = groups
        .into_iter()
        .filter_map(|(group, switches)| match switches {
            Value::Object(switches) => Some((group, switches)),
            _ => None,
        })
        .flat_map(|(group, switches)| {
            switches.into_iter().map(move |(name, default)| Switch { path: format!("{group}.{name}"), default })
        })
        .collect();
    switches.sort_by(|one, other| one.path.cmp(&other.path));
    switches
}
