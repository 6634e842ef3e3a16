//! A case as a short text.

use std::fmt;

use longshore_mock_registry as mock;
use serde_json::Value;

use super::{Case, Interrupted};

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            before,
            interrupted,
            plan,
            given,
            tags,
            first_tag,
            first_key: _,
            client,
            registry,
            order,
            faults,
            seed,
        } = self;
        if let Some(auth) = &registry.auth {
            writeln!(f, "{:?}, tokens for {:?}", auth.scheme, auth.lifetime)?;
        }
        writeln!(f, "seed {seed}, order {order:?}, tags {tags} from {first_tag}, given {given:?}")?;
        if *interrupted != Interrupted::Never {
            writeln!(f, "{interrupted:?}")?;
        }
        writeln!(f, "{client:?}")?;
        writeln!(f, "faults {faults:?}")?;
        let behaviour = serde_json::to_value(&registry.behaviour).map_err(|_| fmt::Error)?;
        let usual = serde_json::to_value(mock::Behaviour::default()).map_err(|_| fmt::Error)?;
        writeln!(f, "registry {}", difference(&behaviour, &usual))?;
        if !registry.faults.rules.is_empty() {
            writeln!(f, "faults of the registry {}", registry.faults)?;
        }
        writeln!(f, "manifests of at most {} bytes, pages of {}", registry.limits.manifest, registry.limits.page)?;
        plan.blobs.iter().enumerate().try_for_each(|(number, blob)| writeln!(f, "blob {number}: {blob:?}"))?;
        plan.documents.iter().try_for_each(|document| writeln!(f, "{document:?}"))?;
        write!(f, "attached {}", plan.attached)?;
        before.iter().try_for_each(|before| write!(f, "\nbefore that: {before:?}"))
    }
}

/// The values that differ from the usual ones in a registry's behaviour or in what was learned of it.
pub(super) fn difference(behaviour: &Value, usual: &Value) -> Value {
    match (behaviour, usual) {
        (Value::Object(behaviour), Value::Object(usual)) => {
            let other = behaviour.iter().filter_map(|(key, value)| {
                let usual = usual.get(key).unwrap_or(&Value::Null);
                (value != usual).then(|| (key.clone(), difference(value, usual)))
            });
            Value::Object(other.collect())
        }
        _ => behaviour.clone(),
    }
}
