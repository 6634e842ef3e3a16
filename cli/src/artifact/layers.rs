//! Files and folders as the layers of an artifact.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use longshore_core::{Descriptor, MediaType};
use longshore_sources::source::Verification;
use longshore_sources::unpack::TITLE;
use longshore_sources::{PortablePath, Source, SourceError, pack};
use tempfile::TempDir;

use crate::exit::Error;

/// What a config is for which no media type is said: ORAS's word for it.
const UNKNOWN_CONFIG: &str = "application/vnd.unknown.config.v1+json";

/// A file or folder as it was named, with the media type that was said.
struct Named {
    path: PathBuf,
    media_type: Option<MediaType>,
}

/// Layers, each with its source, in the order in which they were named. Packed folders are files of their own.
pub(super) struct Layers {
    pub(super) layers: Vec<(Descriptor, Source)>,
    /// Removed when the layers are not needed any more.
    _packed: Option<TempDir>,
}

impl Layers {
    /// Reads each file once, for its digest, and packs each folder.
    pub(super) fn read(files: &[impl AsRef<OsStr>], default_type: &MediaType) -> Result<Self, Error> {
        let (mut layers, mut packed, mut titles) = (Vec::new(), None, BTreeMap::new());
        for file in files {
            let Named { path, media_type } = Named::parse(file.as_ref())?;
            let title = title(&path)?;
            if let Some(first) = titles.insert(title.clone(), path.clone()) {
                let (first, path) = (first.display(), path.display());
                return Err(Error::failed(format!("{first} and {path} would both have the title {title:?}")));
            }
            if path.is_dir() {
                let folder = match &mut packed {
                    Some(folder) => folder,
                    none => none.insert(tempfile::tempdir().map_err(|error| {
                        Error::failed(format!("cannot make a temporary folder to pack {} in: {error}", path.display()))
                    })?),
                };
                let to = folder.path().join(layers.len().to_string());
                let media_type = media_type.map_or_else(|| parse(MediaType::OCI_LAYER_GZIP), Ok)?;
                let layer = pack::folder(&path, &title, media_type, to).map_err(Error::failed)?;
                layers.push((layer.descriptor, layer.source));
            } else {
                let (mut layer, source) = read(&path, media_type.unwrap_or_else(|| default_type.clone()))?;
                layer.annotations.insert(TITLE.to_owned(), title);
                layers.push((layer, source));
            }
        }
        Ok(Self { layers, _packed: packed })
    }
}

/// The config that an option names.
pub(super) fn config(named: &OsStr) -> Result<(Descriptor, Source), Error> {
    let Named { path, media_type } = Named::parse(named)?;
    read(&path, media_type.map_or_else(|| parse(UNKNOWN_CONFIG), Ok)?)
}

fn parse(media_type: &str) -> Result<MediaType, Error> {
    media_type.parse().map_err(Error::failed)
}

/// Reads a file once, for its digest.
fn read(path: &Path, media_type: MediaType) -> Result<(Descriptor, Source), Error> {
    let source = Source::file(path).map_err(|error| match error {
        SourceError::NotAFile { .. } => {
            Error::failed(format!("{error}; `longshore push --stdin-layer` pushes what comes through a pipe"))
        }
        error => Error::failed(error),
    })?;
    let size = source.len().unwrap_or_default();
    let digest = match source.verify().map_err(Error::failed)? {
        Verification::Computed(digest) => digest,
        // No digest was said that the file could differ from.
        other => unreachable!("a file without a digest is hashed, and not {other:?}"),
    };
    Ok((Descriptor::new(media_type, digest, size), source.with_digest(digest)))
}

impl Named {
    /// `PATH` or `PATH:MEDIA-TYPE`. A file that is there under the whole text is meant as a whole.
    fn parse(text: &OsStr) -> Result<Self, Error> {
        let whole = || Self { path: PathBuf::from(text), media_type: None };
        let is_there = |path: &Path| fs::symlink_metadata(path).is_ok();
        let Some((path, media_type)) = text.to_str().and_then(|text| text.rsplit_once(':')) else { return Ok(whole()) };
        // A colon in the name of what is not there stays in the error's words.
        if is_there(Path::new(text)) || !is_there(Path::new(path)) && !media_type.contains('/') {
            return Ok(whole());
        }
        let media_type = media_type.parse().map_err(|error| {
            Error::misuse(format!(
                "invalid media type '{media_type}' behind the colon of '{}': {error}",
                text.display()
            ))
        })?;
        Ok(Self { path: path.into(), media_type: Some(media_type) })
    }
}

/// The title of a file: its path if it is below this folder, otherwise its name.
fn title(path: &Path) -> Result<String, Error> {
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let is_here = path.components().all(|part| part == Component::CurDir);
    let text = |name: &OsStr| match name.to_str() {
        Some(name) => Ok(name.to_owned()),
        None => {
            Err(Error::failed(format!("the name of {} is not UTF-8, as a title must be: rename it", path.display())))
        }
    };
    let title = if is_below && !is_here {
        let names = path.components().filter(|part| *part != Component::CurDir);
        names.map(|part| text(part.as_os_str())).collect::<Result<Vec<_>, _>>()?.join("/")
    } else if let Some(name) = path.file_name() {
        // What a link is called counts, not what it leads to.
        text(name)?
    } else {
        let real = fs::canonicalize(path)
            .map_err(|error| Error::failed(format!("cannot open {}: {error}", path.display())))?;
        text(real.file_name().unwrap_or_default())?
    };
    match PortablePath::parse(&title) {
        Ok(path) => Ok(path.to_string()),
        Err(why) => Err(Error::failed(format!(
            "{} would have the title {title:?}, which is not used as a path: {why}; rename it",
            path.display()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_relative_paths_or_names() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sbom.json");
        fs::write(&file, "").unwrap();
        for (path, expected) in [
            (file.to_str().unwrap(), "sbom.json"),
            ("docs/guide.md", "docs/guide.md"),
            ("./docs/./guide.md", "docs/guide.md"),
            ("docs/", "docs"),
            ("src/../Cargo.toml", "Cargo.toml"),
        ] {
            assert_eq!(title(Path::new(path)).unwrap(), expected, "{path}");
        }
        let here = fs::canonicalize(".").unwrap();
        assert_eq!(title(Path::new(".")).unwrap(), here.file_name().unwrap().to_str().unwrap());
        assert!(title(Path::new("nul")).unwrap_err().to_string().contains("which is not used as a path: "));
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_not_utf_8_is_refused_and_not_changed() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().unwrap();
        let name = OsStr::from_bytes(b"gr\xfc\xdfe.txt");
        for path in [PathBuf::from(name), folder.path().join(name), Path::new("docs").join(name)] {
            let error = title(&path).unwrap_err().to_string();
            assert!(error.ends_with("is not UTF-8, as a title must be: rename it"), "{error}");
        }
    }

    #[test]
    fn a_media_type_stands_behind_the_last_colon_of_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).into_os_string();
        for name in ["a", "b:c", "d:text/plain"] {
            fs::create_dir_all(Path::new(&path(name)).parent().unwrap()).unwrap();
            fs::write(path(name), name).unwrap();
        }
        let parse = |name: &str| Named::parse(&path(name)).map(|named| (named.path, named.media_type));
        let plain: MediaType = "text/plain".parse().unwrap();
        assert_eq!(parse("a").unwrap(), (path("a").into(), None));
        assert_eq!(parse("a:text/plain").unwrap(), (path("a").into(), Some(plain.clone())));
        assert_eq!(parse("b:c").unwrap(), (path("b:c").into(), None));
        assert_eq!(parse("b:c:text/plain").unwrap(), (path("b:c").into(), Some(plain.clone())));
        assert_eq!(parse("d:text/plain").unwrap(), (path("d:text/plain").into(), None));
        assert_eq!(parse("gone:text/plain").unwrap(), (path("gone").into(), Some(plain)));
        assert_eq!(parse("gone:x").unwrap(), (path("gone:x").into(), None));
        assert!(parse("a:text").unwrap_err().to_string().contains("invalid media type 'text'"));
    }

    #[test]
    fn files_and_folders_become_layers() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).into_os_string();
        fs::create_dir(path("docs")).unwrap();
        fs::write(path("docs/x"), "x").unwrap();
        fs::write(path("a.json"), "{\"spdx\":1}").unwrap();
        let octets = parse(MediaType::OCTET_STREAM).unwrap();
        let read = Layers::read(&[path("a.json"), path("docs")], &octets).unwrap();
        let [(file, source), (packed, _)] = read.layers.as_slice() else { panic!("two layers") };
        assert_eq!((file.size, file.annotations[TITLE].as_str(), source.len()), (10, "a.json", Some(10)));
        assert_eq!((&file.media_type, packed.media_type.as_str()), (&octets, MediaType::OCI_LAYER_GZIP));
        assert_eq!(packed.annotations[TITLE], "docs");
        let twice = Layers::read(&[path("a.json"), path("docs/../a.json")], &octets).err().unwrap();
        assert!(twice.to_string().contains("both have the title \"a.json\""), "{twice}");
        let gone = Layers::read(&["gone"], &octets).err().unwrap();
        assert!(gone.to_string().starts_with("cannot open gone"), "{gone}");
        assert_eq!(config(&path("a.json")).unwrap().0.media_type.as_str(), UNKNOWN_CONFIG);
    }
}
