//! A registry that is served plays another profile.

use super::Profile;
use crate::auth::Auth;
use crate::options::RegistryOptions;

impl RegistryOptions {
    /// Plays another profile from now on. Bounds are those that were set up at the `begin`, where the profile has none; users
    /// stay, and say who they are as they do there.
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
