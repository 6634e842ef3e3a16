//! Changing the profile of a running registry.

use super::Profile;
use crate::auth::Auth;
use crate::options::RegistryOptions;

impl RegistryOptions {
    /// Uses another profile from now on. A limit that the profile does not have is taken from `begin`, the options at
    /// the start. The users stay, and authenticate as the profile says.
    pub(crate) fn play(&mut self, profile: &Profile, begin: &Self) {
        self.behaviour = profile.behaviour().clone();
        self.limits = begin.limits.clone();
        profile.settings().limits.apply(&mut self.limits);
        if let Some(auth) = &mut self.auth {
            let Auth { scheme, service, lifetime, .. } = profile.auth();
            (auth.scheme, auth.service, auth.lifetime) = (scheme, service, lifetime);
        }
    }
}
