//! Paths that stay below a folder on every system.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// The longest path, in bytes.
pub const MAX_PATH: usize = 4096;

/// The longest name of a file or folder, in bytes: the usual limit of file systems.
pub const MAX_NAME: usize = 255;

/// How many names a path may have at most.
pub const MAX_DEPTH: usize = 64;

/// A path below a folder, written with `/`. On every system it stays below that folder.
///
/// Paths come from titles and tars of unknown origin, so everything that a system could interpret is refused: a root, a
/// drive, `..`, a backslash, a control character, and names of devices on Windows. An empty path is the folder itself.
///
/// ```
/// use longshore_sources::PortablePath;
///
/// assert_eq!(PortablePath::parse("./docs//guide.md")?.to_string(), "docs/guide.md");
/// for elsewhere in ["/etc/passwd", "../x", "a/../../x", "C:\\x", "docs\\..\\x", "nul.txt"] {
///     assert!(PortablePath::parse(elsewhere).is_err());
/// }
/// # Ok::<(), longshore_sources::PortablePathError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortablePath {
    names: Vec<String>,
}

/// Why a text is not a [`PortablePath`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PortablePathError {
    /// The empty text.
    #[error("it is empty")]
    Empty,
    /// It begins with a root or a drive.
    #[error("it is an absolute path")]
    Absolute,
    /// It contains `..`.
    #[error("it has `..` in it")]
    Parent,
    /// A backslash, which separates names on Windows.
    #[error("it has a backslash in it, which separates names on Windows")]
    Backslash,
    /// A colon, which names a drive or a hidden stream on Windows.
    #[error("it has a colon in it, which names a drive or a hidden stream on Windows")]
    Colon,
    /// A control character, including NUL.
    #[error("it has a control character in it")]
    ControlCharacter,
    /// A name that is a device on Windows, or no valid name there.
    #[error("it has a name in it that is a device, or not valid, on Windows")]
    Reserved,
    /// A path, a name, or a number of names above the limits of this module.
    #[error("it is longer than {MAX_PATH} bytes, {MAX_NAME} bytes a name or {MAX_DEPTH} names")]
    TooLong,
}

impl PortablePath {
    /// Parses a path. The name `.` and empty names between slashes are left out.
    ///
    /// # Errors
    /// If the path could leave the folder on any system.
    pub fn parse(text: &str) -> Result<Self, PortablePathError> {
        if text.is_empty() {
            return Err(PortablePathError::Empty);
        }
        if text.starts_with('/') {
            return Err(PortablePathError::Absolute);
        }
        if text.len() > MAX_PATH {
            return Err(PortablePathError::TooLong);
        }
        let names = text.split('/').filter(|name| !matches!(*name, "" | "."));
        let names = names.map(|name| check(name).map(|()| name.to_owned())).collect::<Result<Vec<_>, _>>()?;
        if names.len() > MAX_DEPTH {
            return Err(PortablePathError::TooLong);
        }
        Ok(Self { names })
    }

    /// Whether it is the folder itself.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names in the path, the outermost first.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The path in the form of this system.
    #[must_use]
    pub fn to_path(&self) -> PathBuf {
        self.names.iter().collect()
    }

    /// The paths of the folders above it, the outermost first, without the folder that it is relative to.
    pub(crate) fn ancestors(&self) -> impl Iterator<Item = Self> {
        (1..self.names.len()).map(|len| Self { names: self.names.iter().take(len).cloned().collect() })
    }

    /// The rest of the path below `above`; `None` if it is not below it.
    pub(crate) fn below(&self, above: &Self) -> Option<Self> {
        self.names.strip_prefix(above.names.as_slice()).map(|names| Self { names: names.to_vec() })
    }

    /// The folded form, which is equal for two paths that some system treats as the same: without case, and without
    /// dots and spaces at the end of a name.
    pub(crate) fn folded(&self) -> String {
        let names: Vec<String> = self.names.iter().map(|name| trimmed(name).to_lowercase()).collect();
        names.join("/")
    }
}

fn check(name: &str) -> Result<(), PortablePathError> {
    if name == ".." {
        return Err(PortablePathError::Parent);
    }
    if name.contains('\\') {
        return Err(PortablePathError::Backslash);
    }
    if name.contains(char::is_control) {
        return Err(PortablePathError::ControlCharacter);
    }
    let is_drive = matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if is_drive || cfg!(windows) && name.contains(':') {
        return Err(PortablePathError::Colon);
    }
    if name.len() > MAX_NAME {
        return Err(PortablePathError::TooLong);
    }
    if trimmed(name).is_empty() || is_device(name) {
        return Err(PortablePathError::Reserved);
    }
    Ok(())
}

/// The name without dots and spaces at its end, which Windows ignores.
fn trimmed(name: &str) -> &str {
    name.trim_end_matches(['.', ' '])
}

/// Whether Windows treats the name as a device, which it does in every folder, in any case, and with any extension.
fn is_device(name: &str) -> bool {
    let stem = trimmed(name.split('.').next().unwrap_or_default()).to_ascii_uppercase();
    if matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    port.is_some_and(|number| matches!(number, "¹" | "²" | "³") || matches!(number.as_bytes(), [b'0'..=b'9']))
}

impl fmt::Display for PortablePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "." } else { "" })?;
        f.write_str(&self.names.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i41_only_what_lies_below_on_every_system_is_a_path() {
        let table = [
            ("a", "a"),
            ("a/b.txt", "a/b.txt"),
            ("./a/./b//c/", "a/b/c"),
            (".", "."),
            ("./", "."),
            ("..a/b..", "..a/b.."),
            (".hidden/…/ü ö", ".hidden/…/ü ö"),
            ("2024-01-01T00:00:00.log", "2024-01-01T00:00:00.log"),
            ("console/com10/null/lpt", "console/com10/null/lpt"),
        ];
        for (text, written) in table {
            assert_eq!(PortablePath::parse(text).unwrap().to_string(), written);
        }
        use PortablePathError as E;
        let long_name = "n".repeat(MAX_NAME + 1);
        let deep = "a/".repeat(MAX_DEPTH + 1);
        let long = "nn/".repeat(MAX_PATH);
        let table = [
            ("", E::Empty),
            ("/", E::Absolute),
            ("/etc/passwd", E::Absolute),
            ("//server/share", E::Absolute),
            ("..", E::Parent),
            ("../x", E::Parent),
            ("a/../b", E::Parent),
            ("a/..", E::Parent),
            ("..\\x", E::Backslash),
            ("\\\\server\\share", E::Backslash),
            ("C:\\x", E::Backslash),
            ("C:/x", E::Colon),
            ("a/c:x", E::Colon),
            ("a\0b", E::ControlCharacter),
            ("a\nb", E::ControlCharacter),
            ("\u{1b}[2J", E::ControlCharacter),
            ("CON", E::Reserved),
            ("a/nul.txt", E::Reserved),
            ("aux .h/x", E::Reserved),
            ("Com1", E::Reserved),
            ("lpt².x", E::Reserved),
            ("...", E::Reserved),
            ("a/ /b", E::Reserved),
            (&long_name, E::TooLong),
            (&deep, E::TooLong),
            (&long, E::TooLong),
        ];
        for (text, error) in table {
            assert_eq!(PortablePath::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn what_some_system_takes_for_one_folds_to_one() {
        let folded = |text: &str| PortablePath::parse(text).unwrap().folded();
        assert_eq!(folded("Dir./FILE "), folded("dir/file"));
        assert_eq!(folded("ÄB"), folded("äb"));
        assert_ne!(folded("ab/c"), folded("a/bc"));
    }

    #[test]
    fn paths_are_taken_apart() {
        let path = |text: &str| PortablePath::parse(text).unwrap();
        assert_eq!(path("a/b/c").ancestors().collect::<Vec<_>>(), [path("a"), path("a/b")]);
        assert_eq!(path("a/b/c").below(&path("a")), Some(path("b/c")));
        assert_eq!(path("a").below(&path("a")), Some(path(".")));
        assert_eq!(path("ab").below(&path("a")), None);
        assert_eq!(path("a/b").to_path(), ["a", "b"].iter().collect::<PathBuf>());
    }
}
