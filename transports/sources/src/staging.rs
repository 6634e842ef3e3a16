//! A folder that appears under its name only when its content is complete and written to the disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use thiserror::Error;

use crate::PortablePath;

/// The prefix of the temporary folder's name.
const PREFIX: &str = ".longshore-";

/// A folder that is filled under a temporary name next to its own, and then renamed.
///
/// If it is dropped before that, its content is removed.
#[derive(Debug)]
pub struct Staging {
    temporary: TempDir,
    target: PathBuf,
    is_joined: bool,
}

/// Why a folder could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StagingError {
    /// The folder, or a path in it, already exists.
    #[error("{} exists already: remove it, or name another folder", .0.display())]
    Exists(PathBuf),
    /// A folder is needed where there is a file or a link. A link could lead elsewhere (I41).
    #[error("{} is a link or a file, where a folder is needed: nothing is written through links", .0.display())]
    NotAFolder(PathBuf),
    /// The system returned an error.
    #[error("cannot write {}: {error}", path.display())]
    System {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}

impl Staging {
    /// Starts a new folder. The target must not exist, or must be empty.
    ///
    /// # Errors
    /// If the target is not empty, or the temporary folder cannot be created next to it.
    pub fn new_folder(target: &Path) -> Result<Self, StagingError> {
        let is_joined = Self::is_there(target)?;
        if is_joined && fs::read_dir(target).map_err(system(target))?.next().is_some() {
            return Err(StagingError::Exists(target.to_owned()));
        }
        Self::begin(target, is_joined)
    }

    /// Starts adding to a folder that may exist and have other content.
    ///
    /// # Errors
    /// If the target is a file, or the temporary folder cannot be created in it or next to it.
    pub fn in_folder(target: &Path) -> Result<Self, StagingError> {
        let is_joined = Self::is_there(target)?;
        Self::begin(target, is_joined)
    }

    /// Whether the folder exists. A link to a folder is accepted, because the caller named it.
    fn is_there(target: &Path) -> Result<bool, StagingError> {
        match fs::metadata(target) {
            Ok(metadata) if metadata.is_dir() => Ok(true),
            Ok(_) => Err(StagingError::NotAFolder(target.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::symlink_metadata(target) {
                // A link to nothing.
                Ok(_) => Err(StagingError::NotAFolder(target.to_owned())),
                Err(_) => Ok(false),
            },
            Err(error) => Err(system(target)(error)),
        }
    }

    fn begin(target: &Path, is_joined: bool) -> Result<Self, StagingError> {
        // It must be in the same file system, or it could not be renamed.
        let beside = if is_joined { target } else { target.parent().unwrap_or(target) };
        let beside = if beside.as_os_str().is_empty() { Path::new(".") } else { beside };
        fs::create_dir_all(beside).map_err(system(beside))?;
        let temporary = tempfile::Builder::new().prefix(PREFIX).tempdir_in(beside).map_err(system(beside))?;
        let staging = Self { temporary, target: target.to_owned(), is_joined };
        for folder in [staging.content(), staging.scratch()] {
            fs::create_dir(&folder).map_err(system(&folder))?;
        }
        Ok(staging)
    }

    /// The temporary folder to fill.
    #[must_use]
    pub fn content(&self) -> PathBuf {
        self.temporary.path().join("content")
    }

    /// A folder for temporary files, in the same file system.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.temporary.path().join("scratch")
    }

    /// Creates the folders above a path in the content.
    ///
    /// # Errors
    /// If the system returns an error.
    pub fn make_parents(&self, path: &PortablePath) -> Result<PathBuf, StagingError> {
        let full = self.content().join(path.to_path());
        let parent = full.parent().unwrap_or(&full);
        fs::create_dir_all(parent).map_err(system(parent))?;
        Ok(full)
    }

    /// Checks that a path can be added to the target: it must not exist there, and no folder above it may be a link.
    ///
    /// # Errors
    /// If the path exists, or a folder above it is a link or a file.
    pub fn check(&self, path: &PortablePath) -> Result<(), StagingError> {
        if !self.is_joined {
            return Ok(());
        }
        for above in path.ancestors() {
            let above = self.target.join(above.to_path());
            match fs::symlink_metadata(&above) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => return Err(StagingError::NotAFolder(above)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(system(&above)(error)),
            }
        }
        let path = self.target.join(path.to_path());
        match fs::symlink_metadata(&path) {
            Ok(_) => Err(StagingError::Exists(path)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(system(&path)(error)),
        }
    }

    /// Renames the content: the whole folder if the target did not exist, and otherwise these paths in it. Everything
    /// is written to the disk before, so that after a power failure no name has incomplete content.
    ///
    /// # Errors
    /// If a path exists by now, or the system returns an error. If several paths are added to an existing folder, those
    /// before the one that failed have been added then.
    pub fn finish(self, paths: &[PortablePath]) -> Result<(), StagingError> {
        sync_all(&self.content())?;
        if !self.is_joined {
            // The rename fails if the target is a file or a folder that is not empty.
            fs::rename(self.content(), &self.target).map_err(system(&self.target))?;
            return sync_names(self.temporary.path().parent().unwrap_or(Path::new(".")));
        }
        paths.iter().try_for_each(|path| self.check(path))?;
        for path in paths {
            let to = self.target.join(path.to_path());
            let parent = to.parent().unwrap_or(&self.target);
            fs::create_dir_all(parent).map_err(system(parent))?;
            fs::rename(self.content().join(path.to_path()), &to).map_err(system(&to))?;
            sync_names(parent)?;
        }
        Ok(())
    }
}

/// Flushes all files below a folder, and the folders' entries, to the disk.
fn sync_all(folder: &Path) -> Result<(), StagingError> {
    for entry in fs::read_dir(folder).map_err(system(folder))? {
        let entry = entry.map_err(system(folder))?;
        let path = entry.path();
        if entry.file_type().map_err(system(&path))?.is_dir() {
            sync_all(&path)?;
        } else {
            // Windows flushes only files that are open for writing.
            let file = fs::OpenOptions::new().read(true).write(cfg!(windows)).open(&path);
            file.and_then(|file| file.sync_all()).map_err(system(&path))?;
        }
    }
    sync_names(folder)
}

/// Flushes the entries of a folder to the disk, if the system supports it.
fn sync_names(folder: &Path) -> Result<(), StagingError> {
    if cfg!(unix) {
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(system(folder))?;
    }
    Ok(())
}

/// The system's error, with the path.
pub(crate) fn system(path: &Path) -> impl FnOnce(io::Error) -> StagingError {
    let path = path.to_owned();
    move |error| StagingError::System { path, error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> PortablePath {
        PortablePath::parse(text).unwrap()
    }

    fn write(staging: &Staging, name: &str) {
        fs::write(staging.make_parents(&path(name)).unwrap(), name).unwrap();
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn i43_a_folder_appears_only_when_it_is_whole() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("a/b");
        let staging = Staging::new_folder(&target).unwrap();
        write(&staging, "c/d");
        assert!(!target.exists());
        drop(staging);
        assert!(names(&home.path().join("a")).is_empty(), "nothing is left of what was given up");
        let staging = Staging::new_folder(&target).unwrap();
        write(&staging, "c/d");
        fs::write(staging.scratch().join("x"), "").unwrap();
        staging.finish(&[]).unwrap();
        assert_eq!((names(&home.path().join("a")), names(&target)), (vec!["b".to_owned()], vec!["c".to_owned()]));
        assert!(matches!(Staging::new_folder(&target), Err(StagingError::Exists(_))));
        assert!(matches!(Staging::new_folder(&target.join("c/d")), Err(StagingError::NotAFolder(_))));
    }

    #[test]
    fn i43_a_folder_that_came_to_be_meanwhile_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        let target = home.path().join("a");
        let staging = Staging::new_folder(&target).unwrap();
        fs::create_dir(&target).unwrap();
        fs::write(target.join("mine"), "").unwrap();
        assert!(staging.finish(&[]).is_err());
        assert_eq!(names(&target), ["mine"]);
    }

    #[test]
    fn i43_into_a_folder_that_is_there_all_or_nothing_goes() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("dir")).unwrap();
        fs::write(home.path().join("old"), "old").unwrap();
        let staging = Staging::in_folder(home.path()).unwrap();
        write(&staging, "new");
        write(&staging, "dir/new");
        staging.finish(&[path("new"), path("dir/new")]).unwrap();
        assert_eq!(names(home.path()), ["dir", "new", "old"]);
        let staging = Staging::in_folder(home.path()).unwrap();
        write(&staging, "other");
        write(&staging, "old");
        let error = staging.finish(&[path("other"), path("old")]).unwrap_err();
        assert!(matches!(&error, StagingError::Exists(path) if path.ends_with("old")), "{error}");
        assert_eq!(names(home.path()), ["dir", "new", "old"]);
        assert_eq!(fs::read(home.path().join("old")).unwrap(), b"old");
        let empty = tempfile::tempdir().unwrap();
        let staging = Staging::new_folder(empty.path()).unwrap();
        write(&staging, "a");
        staging.finish(&[path("a")]).unwrap();
        assert_eq!(names(empty.path()), ["a"]);
    }

    /// GHSA-8xwf-rjm4-xvhv: a link in the folder led out of it.
    #[cfg(unix)]
    #[test]
    fn i41_nothing_is_written_through_a_link_that_is_there() {
        let (home, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(outside.path(), home.path().join("link")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("gone"), home.path().join("dangling")).unwrap();
        let staging = Staging::in_folder(home.path()).unwrap();
        write(&staging, "link/file");
        assert!(matches!(staging.check(&path("link/file")), Err(StagingError::NotAFolder(_))));
        assert!(matches!(staging.check(&path("dangling")), Err(StagingError::Exists(_))));
        assert!(staging.finish(&[path("link/file")]).is_err());
        assert!(names(outside.path()).is_empty());
        assert!(matches!(Staging::in_folder(&home.path().join("dangling")), Err(StagingError::NotAFolder(_))));
    }
}
