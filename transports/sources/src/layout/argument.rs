//! `PATH`, `PATH:name` or `PATH@digest`: the argument that names an image to push.

use std::path::{Path, PathBuf};

use longshore_core::{Digest, DigestError};
use thiserror::Error;

use super::{Layout, LayoutError, LayoutOptions, Selection};

/// The image to push: a layout, and an image in it. `-` is a tar on standard input, from which `-:name` and `-@digest`
/// choose.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceArgument {
    /// The folder or tar; `-` for standard input.
    pub path: PathBuf,
    /// Which image in it.
    pub selection: Selection,
}

/// Why a text is not a [`SourceArgument`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ArgumentError {
    /// Nothing was written.
    #[error("say what to push: the path of an OCI image layout, or of a tar of one")]
    Empty,
    /// No prefix of the text is a path that exists.
    #[error("there is no file or folder {}", .0.display())]
    NotFound(PathBuf),
    /// There is no name after the colon.
    #[error("the name of an image is missing after {}:", .0.display())]
    NoName(PathBuf),
    /// The text after the `@` is not a digest.
    #[error("the text after {}@ is not a digest: {error}", path.display())]
    Digest {
        /// The path before the `@`.
        path: PathBuf,
        /// What is wrong with the rest.
        error: DigestError,
    },
}

/// The text that means standard input.
const STANDARD_INPUT: &str = "-";

impl SourceArgument {
    /// Whether it is standard input, which is the path `-`. A file with that name is written as `./-`.
    #[must_use]
    pub fn is_standard_input(&self) -> bool {
        self.path.as_os_str() == STANDARD_INPUT
    }

    /// Opens the layout, or reads standard input to its end.
    ///
    /// # Errors
    /// Those of [`Layout::open`].
    pub fn open(&self, options: LayoutOptions) -> Result<Layout, LayoutError> {
        if self.is_standard_input() {
            Layout::read(std::io::stdin().lock(), "standard input")
        } else {
            Layout::open_with(&self.path, options)
        }
    }

    /// Parses the text. Which part is the path depends on which paths exist.
    ///
    /// Paths and names may contain `:` and `@`: the longest prefix of the text that exists is the path.
    ///
    /// # Errors
    /// If no prefix exists, or the text after the path is neither a name nor a digest.
    pub fn parse(text: &str) -> Result<Self, ArgumentError> {
        Self::parse_with(text, Path::exists)
    }

    fn parse_with(text: &str, exists: impl Fn(&Path) -> bool) -> Result<Self, ArgumentError> {
        if text.is_empty() {
            return Err(ArgumentError::Empty);
        }
        let exists = |path: &Path| path.as_os_str() == STANDARD_INPUT || exists(path);
        if exists(Path::new(text)) {
            return Ok(Self { path: text.into(), selection: Selection::Only });
        }
        for (at, mark) in text.rmatch_indices([':', '@']) {
            let (path, rest) = (Path::new(&text[..at]), &text[at + 1..]);
            if at == 0 || !exists(path) {
                continue;
            }
            let path = path.to_owned();
            let selection = match (mark, rest) {
                (":", "") => return Err(ArgumentError::NoName(path)),
                (":", name) => Selection::Name(name.to_owned()),
                (_, digest) => match digest.parse() {
                    Ok(digest) => Selection::Digest(digest),
                    Err(error) => return Err(ArgumentError::Digest { path, error }),
                },
            };
            return Ok(Self { path, selection });
        }
        Err(ArgumentError::NotFound(likely_path(text)))
    }
}

/// The part of the text that was probably meant as the path, if no path exists.
fn likely_path(text: &str) -> PathBuf {
    let text = match text.rsplit_once('@') {
        Some((path, digest)) if digest.parse::<Digest>().is_ok() => path,
        _ => text,
    };
    match text.rsplit_once(':') {
        Some((path, name)) if !path.is_empty() && !name.contains('/') => path.into(),
        _ => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_path_that_exists_is_the_path() {
        let there = ["dir", "a:b", "a", "x@y.tar", "C:"];
        let parse = |text: &str| SourceArgument::parse_with(text, |path| there.iter().any(|it| Path::new(it) == path));
        let ok = |path: &str, selection| Ok(SourceArgument { path: path.into(), selection });
        let digest = Digest::of(longshore_core::Algorithm::Sha256, b"");
        let name = |name: &str| Selection::Name(name.to_owned());
        assert_eq!(parse("-"), ok("-", Selection::Only), "standard input");
        assert_eq!(parse("-:v1"), ok("-", name("v1")));
        assert_eq!(parse(&format!("-@{digest}")), ok("-", Selection::Digest(digest)));
        assert_eq!(parse("dir"), ok("dir", Selection::Only));
        assert_eq!(parse("a:b"), ok("a:b", Selection::Only));
        assert_eq!(parse("x@y.tar"), ok("x@y.tar", Selection::Only));
        assert_eq!(parse("dir:v1"), ok("dir", name("v1")));
        assert_eq!(parse("a:v1"), ok("a", name("v1")));
        assert_eq!(parse("a:b:v1"), ok("a:b", name("v1")));
        assert_eq!(parse("dir:localhost:5000/app:v1"), ok("dir", name("localhost:5000/app:v1")));
        assert_eq!(parse(&format!("dir@{digest}")), ok("dir", Selection::Digest(digest)));
        assert_eq!(parse(&format!("x@y.tar@{digest}")), ok("x@y.tar", Selection::Digest(digest)));
        assert_eq!(parse(&format!("a:b@{digest}")), ok("a:b", Selection::Digest(digest)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let parse = |text: &str| SourceArgument::parse_with(text, |path| path == Path::new("dir")).unwrap_err();
        assert_eq!(parse(""), ArgumentError::Empty);
        assert_eq!(parse("dir:"), ArgumentError::NoName("dir".into()));
        assert_eq!(parse("dir@sha256"), ArgumentError::Digest { path: "dir".into(), error: DigestError::Malformed });
        assert_eq!(parse("gone"), ArgumentError::NotFound("gone".into()));
        assert_eq!(parse("gone:v1"), ArgumentError::NotFound("gone".into()));
        assert_eq!(parse("./a:b/c"), ArgumentError::NotFound("./a:b/c".into()));
        let digest = Digest::of(longshore_core::Algorithm::Sha256, b"");
        assert_eq!(parse(&format!("gone@{digest}")), ArgumentError::NotFound("gone".into()));
        assert_eq!(parse(":v1"), ArgumentError::NotFound(":v1".into()));
    }
}
