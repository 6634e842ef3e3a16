//! The part of a process's environment that decides where credentials are looked up.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use zeroize::Zeroizing;

/// Where to look for credentials. A command uses [`Environment::from_process`]; a test sets the fields itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Environment {
    /// `DOCKER_AUTH_CONFIG`: the text of a `config.json`. It is read before any file.
    pub docker_auth_config: Option<AuthConfig>,
    /// `REGISTRY_AUTH_FILE`: the only file to read.
    pub registry_auth_file: Option<PathBuf>,
    /// `DOCKER_CONFIG`: the folder of the only `config.json` to read.
    pub docker_config: Option<PathBuf>,
    /// The file of the containers tools in `XDG_RUNTIME_DIR`, which does not survive a restart.
    pub runtime_auth_file: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`; without it, `.config` in the home folder.
    pub xdg_config_home: Option<PathBuf>,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// `PATH`: where helpers are searched for. Relative folders in it are ignored.
    pub path: Option<OsString>,
    /// How long a helper may run.
    pub helper_time: Duration,
    /// How many bytes a helper may write.
    pub helper_output: usize,
}

impl Default for Environment {
    /// An environment in which nothing is set. Helpers may run for 30 seconds and write 64 KiB.
    fn default() -> Self {
        Self {
            docker_auth_config: None,
            registry_auth_file: None,
            docker_config: None,
            runtime_auth_file: None,
            xdg_config_home: None,
            home: None,
            path: None,
            helper_time: Duration::from_secs(30),
            helper_output: 64 * 1024,
        }
    }
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn from_process() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let folder = |name| variable(name).map(PathBuf::from);
        let runtime = folder("XDG_RUNTIME_DIR").map(|folder| folder.join("containers"));
        Self {
            docker_auth_config: variable("DOCKER_AUTH_CONFIG").map(AuthConfig::from),
            registry_auth_file: folder("REGISTRY_AUTH_FILE"),
            docker_config: folder("DOCKER_CONFIG"),
            runtime_auth_file: runtime.or_else(run_containers).map(|folder| folder.join("auth.json")),
            xdg_config_home: folder("XDG_CONFIG_HOME"),
            home: folder("HOME"),
            path: variable("PATH"),
            ..Self::default()
        }
    }

    /// The files to read, in order, and whether each must exist.
    pub(super) fn files(&self) -> Vec<(PathBuf, bool)> {
        if let Some(file) = &self.registry_auth_file {
            return vec![(file.clone(), true)];
        }
        if let Some(folder) = &self.docker_config {
            return vec![(folder.join("config.json"), false)];
        }
        let config = self.xdg_config_home.clone().or_else(|| self.home.as_ref().map(|home| home.join(".config")));
        let config = config.map(|config| config.join("containers/auth.json"));
        let docker = self.home.as_ref().map(|home| home.join(".docker/config.json"));
        [self.runtime_auth_file.clone(), config, docker].into_iter().flatten().map(|file| (file, false)).collect()
    }
}

/// The text of a file of credentials. Its memory is overwritten when it is dropped, and `Debug` does not print it.
#[derive(Clone)]
pub struct AuthConfig(Zeroizing<Vec<u8>>);

impl AuthConfig {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<T: Into<OsString>> From<T> for AuthConfig {
    fn from(text: T) -> Self {
        Self(Zeroizing::new(text.into().into_encoded_bytes()))
    }
}

impl fmt::Debug for AuthConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthConfig(…)")
    }
}

/// Where the containers tools keep their file if `XDG_RUNTIME_DIR` is not set, as for root.
#[cfg(target_os = "linux")]
fn run_containers() -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let user = std::fs::metadata("/proc/self").ok()?.uid();
    Some(PathBuf::from(format!("/run/containers/{user}")))
}

/// On other systems they use the home folder, which is read in any case.
#[cfg(not(target_os = "linux"))]
fn run_containers() -> Option<PathBuf> {
    None
}
