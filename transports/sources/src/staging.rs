//! A folder that appears under its name only when all that belongs in it is there, on the disk too.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use thiserror::Error;

use crate::PortablePath;

/// How the temporary folder's name begins.
const PREFIX: &str = ".longshore-";

/// A folder in the making: it is filled under another name beside its own, and gets its own by a rename.
///
/// Where it is dropped before that, all of it is removed.
#[derive(Debug)]
pub struct Staging {
    temporary: TempDir,
    target: PathBuf,
    is_joined: bool,
}

/// Why a folder could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StagingError {
    /// Something stands where the folder, or something in it, is to be.
    #[error("{} exists already: remove it, or name another folder", .0.display())]
    Exists(PathBuf),
    /// What should be a folder is none: a file, or a link, which could lead elsewhere (I41).
    #[error("{} is a link or a file, where a folder is needed: nothing is written through links (I41)", .0.display())]
    NotAFolder(PathBuf),
    /// The system refused.
    #[error("cannot write {}: {error}", path.display())]
    System {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

impl Staging {
    /// Begins a folder that must not be there yet, or be empty.
    ///
    /// # Errors
    /// Where there is something in it, or a folder cannot be made beside it.
    pub fn new_folder(target: &Path) -> Result<Self, StagingError> {
        let is_joined = Self::is_there(target)?;
        if is_joined && fs::read_dir(target).map_err(system(target))?.next().is_some() {
            return Err(StagingError::Exists(target.to_owned()));
        }
        Self::begin(target, is_joined)
    }

    /// Begins a folder that may be there, with other things in it.
    ///
    /// # Errors
    /// Where it is a file, or a folder cannot be made in it or beside it.
    pub fn in_folder(target: &Path) -> Result<Self, StagingError> {
        let is_joined = Self::is_there(target)?;
        Self::begin(target, is_joined)
    }

    /// Whether the folder is there. A link to one is the caller's own choice.
    fn is_there(target: &Path) -> Result<bool, StagingError> {
        match fs::metadata(target) {
            Ok(metadata) if metadata.is_dir() => Ok(true),
            Ok(_) => Err(StagingError::NotAFolder(target.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::symlink_metadata(target) {
                // A link that leads nowhere.
                Ok(_) => Err(StagingError::NotAFolder(target.to_owned())),
                Err(_) => Ok(false),
            },
            Err(error) => Err(system(target)(error)),
        }
    }

    fn begin(target: &Path, is_joined: bool) -> Result<Self, StagingError> {
        // In the same file system, or it could not be renamed.
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

    /// The folder that is filled.
    #[must_use]
    pub fn content(&self) -> PathBuf {
        self.temporary.path().join("content")
    }

    /// A folder for what is needed on the way, in the same file system.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.temporary.path().join("scratch")
    }

    /// Makes the folders above a path in the content.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn make_parents(&self, path: &PortablePath) -> Result<PathBuf, StagingError> {
        let full = self.content().join(path.to_path());
        let parent = full.parent().unwrap_or(&full);
        fs::create_dir_all(parent).map_err(system(parent))?;
        Ok(full)
    }

    /// Finds out whether what is to be in the folder has room there: nothing of that name, and no link above it.
    ///
    /// # Errors
    /// Where something is in the way.
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

    /// Gives what was made its name: the folder as a whole where it was not there, and these paths in it where it was. All of
    /// it is on the disk before, so that no name stands for half of it after a power failure.
    ///
    /// # Errors
    /// Where something is in the way by now, or the system refuses. Of several paths in a folder that was there, those
    /// before the one that was refused are there then.
    pub fn finish(self, paths: &[PortablePath]) -> Result<(), StagingError> {
        sync_all(&self.content())?;
        if !self.is_joined {
            // A file system does not put a folder where a file or a folder with something in it is.
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

/// Writes all files below a folder, and the names in it, to the disk.
fn sync_all(folder: &Path) -> Result<(), StagingError> {
    for entry in fs::read_dir(folder).map_err(system(folder))? {
        let entry = entry.map_err(system(folder))?;
        let path = entry.path();
        if entry.file_type().map_err(system(&path))?.is_dir() {
            sync_all(&path)?;
        } else {
            // Windows syncs only what is open for writing.
            let file = fs::OpenOptions::new().read(true).write(cfg!(windows)).open(&path);
            file.and_then(|file| file.sync_all()).map_err(system(&path))?;
        }
    }
    sync_names(folder)
}

/// Writes the names in a folder to the disk, where the system lets a folder be synced.
fn sync_names(folder: &Path) -> Result<(), StagingError> {
    if cfg!(unix) {
        fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(system(folder))?;
    }
    Ok(())
}

/// The system's refusal, with the path.
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
