//! Files from a Hub into the shared cache, compared with their hashes.

use super::fault::{Remedy, remedy};
use super::fetch::{FetchProgress, discard};
use super::{Address, Digest, Hub, RemoteFile};
use crate::watch::Watch;
use crate::{Error, Result};
use hf_hub::{HFError, HFResult};
use std::path::{Path, PathBuf};

/// The files of a repository at a commit, in the cache, every one compared with its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The repository, at the commit.
    pub address: Address,
    /// The folder that holds the files by their paths; links into the cache.
    pub folder: PathBuf,
    /// Paths in it.
    pub files: Vec<String>,
}

impl Hub {
    /// Fetches files of a repository, all of them where none is named; what the cache has already is only compared.
    ///
    /// A copy whose length or hash is not that of the commit is deleted and fetched again. Named files of a commit that the
    /// cache has need no Hub. In offline mode nothing does: files are compared with the hash that the cache names them
    /// by, and the files in the cache count as all files.
    ///
    /// # Errors
    /// A repository, revision or file that is not there or may not be read, no answer; a file that still differs after the
    /// last attempt (it is deleted); in offline mode, a file that the cache does not have or that was damaged there.
    pub fn download(&self, address: &Address, wanted: &[&str], watch: &dyn Watch) -> Result<Snapshot> {
        if self.config().offline {
            return self.cached(address, wanted);
        }
        if let (Some(Digest::Git(_)), false) = (Digest::parse(address.revision()), wanted.is_empty())
            && let Ok(snapshot) = self.cached(address, wanted)
        {
            return Ok(snapshot);
        }
        let commit = self.commit(address)?;
        let pinned = address.at(&commit)?;
        let files = self.select(address, self.list(address, &commit)?, wanted)?;
        let mut progress = FetchProgress { watch, done: 0, total: files.iter().map(|file| file.size).sum() };
        files.iter().try_for_each(|file| self.fetch(address, &commit, file, &mut progress))?;
        self.remember(address, &commit)?;
        let folder = self.snapshot(address, &commit);
        Ok(Snapshot { address: pinned, folder, files: files.into_iter().map(|file| file.path).collect() })
    }

    fn select(&self, address: &Address, listed: Vec<RemoteFile>, wanted: &[&str]) -> Result<Vec<RemoteFile>> {
        if let Some(absent) = wanted.iter().find(|name| !listed.iter().any(|file| file.path == **name)) {
            let files: Vec<&str> = listed.iter().map(|file| file.path.as_str()).collect();
            return Err(self.error(address, absent, format!("only {}", files.join(", "))));
        }
        let is_wanted = |file: &RemoteFile| wanted.is_empty() || wanted.contains(&file.path.as_str());
        Ok(listed.into_iter().filter(is_wanted).collect())
    }

    /// Retries after network failures, and waits as long as the server asks for.
    pub(super) fn patiently<T>(&self, address: &Address, ask: impl Fn() -> HFResult<T>) -> Result<T> {
        let mut attempt = 0;
        loop {
            let error: HFError = match ask() {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            attempt += 1;
            match remedy(&error, self.pause(attempt)) {
                Remedy::Wait(wait) if attempt < self.config().attempts => std::thread::sleep(wait),
                _ => return Err(self.fault(address, &error)),
            }
        }
    }

    /// The pause before an attempt, counted from 0.
    pub(super) fn pause(&self, attempt: usize) -> std::time::Duration {
        self.config().pause * 2_u32.saturating_pow(attempt.saturating_sub(1) as u32)
    }

    /// Notes which commit a branch or tag stood for, as Python does, so that it is found offline.
    fn remember(&self, address: &Address, commit: &str) -> Result<()> {
        if address.revision() == commit {
            Ok(())
        } else {
            crate::file::write_atomic(&self.reference(address), commit.as_bytes())
        }
    }

    fn reference(&self, address: &Address) -> PathBuf {
        self.folder(address).join("refs").join(address.revision())
    }

    fn cached(&self, address: &Address, wanted: &[&str]) -> Result<Snapshot> {
        let commit = match Digest::parse(address.revision()) {
            Some(Digest::Git(commit)) => commit,
            _ => std::fs::read_to_string(self.reference(address)).map_err(|_| self.absent(address, "this revision"))?,
        };
        let pinned = address.at(commit.trim())?;
        let folder = self.snapshot(address, pinned.revision());
        let files = match wanted {
            [] => cached_files(&folder),
            wanted => wanted.iter().map(|name| name.to_string()).collect(),
        };
        if files.is_empty() {
            return Err(self.absent(address, "files"));
        }
        for name in &files {
            self.check_cached(address, &folder.join(name), name)?;
        }
        Ok(Snapshot { address: pinned, folder, files })
    }

    fn absent(&self, address: &Address, what: &str) -> Error {
        let found = "none; download it once while online (HF_HUB_OFFLINE is set)";
        self.error(address, format!("{what} in the cache {}", self.cache().display()), found)
    }

    /// A cached file is a link to an entry that is called by its hash.
    fn check_cached(&self, address: &Address, path: &Path, name: &str) -> Result<()> {
        if !path.exists() {
            return Err(self.absent(address, name));
        }
        let entry = std::fs::read_link(path).unwrap_or_default();
        let Some(digest) = entry.file_name().and_then(|entry| Digest::parse(entry.to_str()?)) else {
            let found = format!("`{}`", entry.display());
            return Err(self.error(address, format!("{name} linked to its hash in the cache"), found));
        };
        let (found, size) = (digest.of_file(path)?, std::fs::metadata(path).map_err(Error::io(path))?.len());
        if found == digest {
            return Ok(());
        }
        discard(path)?;
        Err(self.error(address, format!("{name} of {digest}"), format!("{found}, {size} bytes; it was deleted")))
    }
}

/// Every file below a folder, by its path with `/`, sorted.
fn cached_files(folder: &Path) -> Vec<String> {
    let inside = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(|entry| entry.ok());
    let files = inside.filter(|entry| !entry.file_type().is_dir());
    files.filter_map(|entry| Some(entry.path().strip_prefix(folder).ok()?.to_str()?.replace('\\', "/"))).collect()
}
