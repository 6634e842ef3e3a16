//! Rights in repositories.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use longshore_core::Repository;
use thiserror::Error;

/// An action in a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Read.
    Pull,
    /// Write.
    Push,
    /// Delete.
    Delete,
}

impl Action {
    const ALL: [Self; 3] = [Self::Pull, Self::Push, Self::Delete];

    /// Its name in a scope.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }
}

/// The actions that a caller may do, by repository, written as `team/*=pull,push;public=pull`.
///
/// A pattern is a repository's name, a prefix of names before `*`, or `*` alone. The actions are `pull`, `push`,
/// `delete`, or `*` for all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rights(Vec<(String, BTreeSet<Action>)>);

impl Rights {
    /// Nothing.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// All actions in all repositories.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![("*".to_owned(), Action::ALL.into())])
    }

    /// These actions in one repository.
    pub(crate) fn add(&mut self, repository: &Repository, actions: BTreeSet<Action>) {
        self.0.push((repository.to_string(), actions));
    }

    /// The part of these rights that is below a name.
    pub(crate) fn add_below(&mut self, owner: &Repository, other: &Self) {
        let prefix = format!("{owner}/");
        for (pattern, actions) in &other.0 {
            let given = match pattern.strip_suffix('*') {
                Some(start) if prefix.starts_with(start) => format!("{prefix}*"),
                _ if pattern.starts_with(&prefix) || *pattern == owner.as_str() => pattern.clone(),
                _ => continue,
            };
            self.0.push((given, actions.clone()));
        }
    }

    /// Whether this action is allowed in this repository.
    #[must_use]
    pub fn allow(&self, repository: &Repository, action: Action) -> bool {
        self.0.iter().any(|(pattern, actions)| {
            actions.contains(&action)
                && pattern
                    .strip_suffix('*')
                    .map_or(*pattern == repository.as_str(), |prefix| repository.as_str().starts_with(prefix))
        })
    }
}

/// Why a text is not [`Rights`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a right: write pattern=actions, for example team/*=pull,push or *=*")]
#[non_exhaustive]
pub struct RightsError(
    /// The text that was given, cut to 256 characters.
    pub String,
);

impl FromStr for Rights {
    type Err = RightsError;

    fn from_str(text: &str) -> Result<Self, RightsError> {
        let rights = text.split(';').map(str::trim).filter(|right| !right.is_empty());
        let right = |text: &str| {
            let (pattern, actions) = text.split_once('=')?;
            let name = pattern.strip_suffix('*').unwrap_or(pattern).trim_end_matches('/');
            let is_pattern = name.parse::<Repository>().is_ok() || pattern == "*";
            Some((pattern.to_owned(), parse_actions(actions)?)).filter(|_| is_pattern)
        };
        let right = |text: &str| right(text).ok_or_else(|| RightsError(text.chars().take(256).collect()));
        Ok(Self(rights.map(right).collect::<Result<_, _>>()?))
    }
}

/// Reads actions as a scope writes them; `None` if one is unknown.
pub(super) fn parse_actions(text: &str) -> Option<BTreeSet<Action>> {
    let mut actions = BTreeSet::new();
    for name in text.split(',') {
        match Action::ALL.into_iter().find(|action| action.as_str() == name) {
            Some(action) => _ = actions.insert(action),
            None if name == "*" => actions.extend(Action::ALL),
            None => return None,
        }
    }
    Some(actions)
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (pattern, actions)) in self.0.iter().enumerate() {
            let actions: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
            write!(f, "{}{pattern}={}", if i == 0 { "" } else { ";" }, actions.join(","))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_and_actions() {
        let rights: Rights = "team/*=pull,push; public=pull".parse().unwrap();
        assert_eq!(rights.to_string(), "team/*=pull,push;public=pull");
        let allow = |name: &str, action| rights.allow(&name.parse().unwrap(), action);
        assert!(allow("team/a", Action::Push) && allow("public", Action::Pull));
        assert!(!allow("team/a", Action::Delete) && !allow("public", Action::Push));
        assert!(!allow("public/a", Action::Pull) && !allow("team", Action::Pull));
        assert_eq!("*=*".parse(), Ok(Rights::all()));
        assert_eq!("".parse(), Ok(Rights::none()));
        for bad in ["a", "a=", "a=write", "A=pull", "a*b=pull", "=pull", "a=pull,"] {
            assert_eq!(bad.parse::<Rights>(), Err(RightsError(bad.to_owned())), "{bad}");
        }
    }
}
