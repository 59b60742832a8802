//! One process at a time in a run's folder.

use super::RunFolder;
use crate::{Error, Result};
use std::fs::{File, TryLockError};

/// The right to write into a run's folder, until it is dropped or the process ends, however it ends.
///
/// It is a lock of the operating system on the file `lock` in the folder. The file stays when the lock goes: were it
/// removed, a process that waits for the old file and one that makes a new one could hold a lock each.
#[derive(Debug)]
#[must_use = "the folder is locked for as long as this is kept"]
pub struct RunLock(File);

impl RunFolder {
    /// Locks the folder, making it if need be, so that no other process trains into it.
    ///
    /// On a file system that has no locks nothing is locked, and training goes on.
    ///
    /// # Errors
    /// Another process, or another part of this one, holds the lock; a folder that cannot be written.
    ///
    /// ```
    /// use retrace::run::RunFolder;
    /// let folder = RunFolder(tempfile::tempdir().unwrap().path().join("seed0"));
    /// let lock = folder.lock()?;
    /// assert!(folder.lock().unwrap_err().to_string().contains("another process is training there"));
    /// drop(lock);
    /// assert!(folder.lock().is_ok());
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn lock(&self) -> Result<RunLock> {
        std::fs::create_dir_all(&self.0).map_err(Error::io(&self.0))?;
        let path = self.0.join("lock");
        let file = File::options().create(true).append(true).open(&path).map_err(Error::io(&path))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(Error::Busy { path: self.0.clone() }),
            Err(TryLockError::Error(error)) if error.kind() != std::io::ErrorKind::Unsupported => {
                Err(Error::io(&path)(error))
            }
            _ => Ok(RunLock(file)),
        }
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        // Closing the file unlocks it too; a copy of its handle in a child process would keep the lock until then.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_locked_once() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder(place.path().join("a/seed0"));
        let lock = folder.lock().unwrap();
        let error = RunFolder(place.path().join("a/seed0")).lock().unwrap_err().to_string();
        assert!(error.contains("seed0: another process is training there"), "{error}");
        let other = RunFolder(place.path().join("a/seed1")).lock().unwrap();
        drop(lock);
        let again = folder.lock().unwrap();
        drop((again, other));
    }

    #[test]
    fn a_lock_that_a_crash_left_behind_locks_nothing() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("lock"), "").unwrap();
        let lock = RunFolder(place.path().into()).lock().unwrap();
        assert_eq!(std::fs::read(place.path().join("lock")).unwrap(), b"");
        drop(lock);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("file"), "").unwrap();
        let error = RunFolder(place.path().join("file/seed0")).lock().unwrap_err();
        assert!(matches!(error, Error::Io { .. }) && error.to_string().contains("seed0"), "{error}");
    }
}
