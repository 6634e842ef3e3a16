//! Users from an htpasswd file.

use thiserror::Error;

use super::{Auth, Kept, Password, Rights, RightsError};

/// Why a line of an htpasswd file is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HtpasswdError {
    /// Not `name:hash`.
    #[error("line {0} of the htpasswd file is not written as name:hash")]
    Malformed(usize),
    /// Hashed with something other than bcrypt.
    #[error("line {0} of the htpasswd file is not hashed with bcrypt: make it with htpasswd -B")]
    NotBcrypt(usize),
    /// The rights behind the hash are malformed.
    #[error("line {0} of the htpasswd file: {1}")]
    Rights(usize, RightsError),
}

impl Auth {
    /// Reads the users of an htpasswd file, whose passwords are hashed with bcrypt. A user has all rights, unless a
    /// third field states them: `name:hash:team/*=pull,push`.
    ///
    /// # Errors
    /// If a line is malformed.
    pub fn with_htpasswd(mut self, file: &str) -> Result<Self, HtpasswdError> {
        for (number, line) in file.lines().enumerate().map(|(at, line)| (at + 1, line.trim())) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (name, rest) = line.split_once(':').ok_or(HtpasswdError::Malformed(number))?;
            let (hash, rights) = match rest.split_once(':') {
                Some((hash, rights)) => (hash, rights.parse().map_err(|error| HtpasswdError::Rights(number, error))?),
                None => (rest, Rights::all()),
            };
            if name.is_empty() {
                return Err(HtpasswdError::Malformed(number));
            }
            self = self.user(name, Password::bcrypt(hash).ok_or(HtpasswdError::NotBcrypt(number))?, rights);
        }
        Ok(self)
    }
}

impl Password {
    /// A password that is stored as its bcrypt hash; `None` if the text is not such a hash.
    #[must_use]
    pub fn bcrypt(hash: &str) -> Option<Self> {
        hash.parse::<bcrypt::HashParts>().ok()?;
        Some(Self(Kept::Bcrypt(hash.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC";

    #[test]
    fn lines() {
        let auth = Auth::basic().with_htpasswd(&format!("# comment\nalice:{HASH}\n\nbob:{HASH}:a/*=pull\n")).unwrap();
        assert_eq!(auth.users["alice"].rights, Rights::all());
        assert_eq!(auth.users["bob"].rights.to_string(), "a/*=pull");
        let error = |file: &str| Auth::basic().with_htpasswd(file).unwrap_err();
        assert_eq!(error("alice"), HtpasswdError::Malformed(1));
        assert_eq!(error(":x"), HtpasswdError::Malformed(1));
        for other in ["$apr1$abc$def", "{SHA}abc", "plain", ""] {
            assert_eq!(error(&format!("\nalice:{other}")), HtpasswdError::NotBcrypt(2));
        }
        assert!(matches!(error(&format!("a:{HASH}:what")), HtpasswdError::Rights(1, _)));
        assert!(!format!("{auth:?}").contains("c4WoMPo3"));
    }
}
