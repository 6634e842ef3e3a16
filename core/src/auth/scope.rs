//! Scopes: the actions that a request must have the right to do.

use std::fmt;

use crate::Repository;

/// An action in a repository, as a token scope names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Read.
    Pull,
    /// Write. Registries want `pull` with it ([quirk](crate::quirks) `push-scope-alone-insufficient`).
    Push,
    /// Delete. It is requested for deletions only ([quirk](crate::quirks) `token-scope-delete-action`).
    Delete,
}

impl Action {
    /// The action's name in a token scope.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }
}

/// Some actions in one repository, written as `repository:name:pull,push`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    repository: Repository,
    actions: Vec<Action>,
}

impl Scope {
    /// The scope for reading: `pull`.
    #[must_use]
    pub fn pull(repository: Repository) -> Self {
        Self { repository, actions: vec![Action::Pull] }
    }

    /// The scope for reading and writing: `pull,push`.
    #[must_use]
    pub fn push(repository: Repository) -> Self {
        Self { repository, actions: vec![Action::Pull, Action::Push] }
    }

    /// The scope for reading, writing and deleting: `pull,push,delete`.
    #[must_use]
    pub fn delete(repository: Repository) -> Self {
        Self { repository, actions: vec![Action::Pull, Action::Push, Action::Delete] }
    }

    /// The repository.
    #[must_use]
    pub const fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The actions, each once, in the order of [`Action`].
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The same scope without the action `delete`.
    #[must_use]
    pub fn without_delete(&self) -> Self {
        let actions = self.actions.iter().copied().filter(|action| *action != Action::Delete).collect();
        Self { repository: self.repository.clone(), actions }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "repository:{}:", self.repository)?;
        for (i, action) in self.actions.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { "," })?;
            f.write_str(action.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The scopes that one request needs. The scope of its own repository comes first, because some token services read
/// only the first ([quirk](crate::quirks) `token-scope-order-first-wins`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// No scope, as for `/v2/` itself.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// One scope.
    #[must_use]
    pub fn one(scope: Scope) -> Self {
        Self(vec![scope])
    }

    /// Adds a scope at the end, unless it is there already.
    #[must_use]
    pub fn and(mut self, scope: Scope) -> Self {
        if !self.0.contains(&scope) {
            self.0.push(scope);
        }
        self
    }

    /// The scopes, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether there is no scope.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i11_scopes_ask_for_no_more_than_needed() {
        let repository: Repository = "a/b".parse().unwrap();
        assert_eq!(Scope::pull(repository.clone()).to_string(), "repository:a/b:pull");
        assert_eq!(Scope::push(repository.clone()).to_string(), "repository:a/b:pull,push");
        let delete = Scope::delete(repository.clone());
        assert_eq!(delete.to_string(), "repository:a/b:pull,push,delete");
        assert_eq!(format!("{delete:?}"), delete.to_string());
        assert_eq!(delete.without_delete(), Scope::push(repository.clone()));
        let scopes = Scopes::one(Scope::push(repository.clone())).and(Scope::pull(repository.clone()));
        assert_eq!(scopes.clone().and(Scope::pull(repository)), scopes);
        assert_eq!(scopes.iter().count(), 2);
        assert!(Scopes::none().is_empty() && !scopes.is_empty());
    }
}
