//! Files from a Hub into the shared cache, compared with what they must be.

use super::fault::{Remedy, remedy};
use super::{Address, Digest, Hub, RemoteFile};
use crate::train::Watch;
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
    /// A copy whose length or hash is not that of the commit is deleted and fetched again. In offline mode, files are
    /// compared with the hash that the cache keeps them under.
    ///
    /// # Errors
    /// A repository, revision or file that is not there or may not be read, no answer; a file that still differs after the
    /// last attempt (it is deleted); in offline mode, a file that the cache does not have or that was damaged there.
    pub fn download(&self, address: &Address, wanted: &[&str], watch: &dyn Watch) -> Result<Snapshot> {
        if self.config().offline {
            return self.cached(address, wanted);
        }
        let commit = self.commit(address)?;
        let pinned = address.at(&commit)?;
        let listed = self.list(address, &commit)?;
        let files = self.select(address, listed, wanted)?;
        let (mut folder, total) = (PathBuf::new(), files.iter().map(|file| file.size).sum::<u64>());
        let mut done = 0;
        for file in &files {
            watch.advance("download", kibibytes(done), kibibytes(total));
            let path = self.fetch(address, &commit, file, watch)?;
            folder = strip(&path, &file.path).to_path_buf();
            done += file.size;
        }
        watch.advance("download", kibibytes(total), kibibytes(total));
        self.remember(address, &commit)?;
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

    /// One file, until it is what it must be.
    fn fetch(&self, address: &Address, commit: &str, file: &RemoteFile, watch: &dyn Watch) -> Result<PathBuf> {
        let mut fault = String::new();
        for attempt in 0..self.config().attempts.max(1) {
            if watch.is_stopped() {
                return Err(Error::Stopped { resume: "what came whole is kept".into() });
            }
            if attempt > 0 {
                watch.note(&format!("{}: {fault}; again", file.path));
                std::thread::sleep(self.pause(attempt));
            }
            let request =
                || self.repository(address).download_file().filename(file.path.as_str()).revision(commit).send();
            let path = self.patiently(address, request)?;
            match check_file(&path, file)? {
                None => return Ok(path),
                Some(found) => fault = found,
            }
            discard(&path)?;
        }
        let expected = format!("{} of {} bytes, {}", file.path, file.size, file.digest);
        Err(self.error(address, expected, format!("{fault}, {} times; nothing of it was kept", self.config().attempts)))
    }

    /// Asks again after failures of the wire, and after as long as the server wishes.
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
        match address.revision() == commit {
            true => Ok(()),
            false => crate::run::write_atomic(&self.reference(address), commit.as_bytes()),
        }
    }

    fn reference(&self, address: &Address) -> PathBuf {
        self.folder(address).join("refs").join(address.revision())
    }

    /// A repository's folder in the cache.
    fn folder(&self, address: &Address) -> PathBuf {
        self.cache().join(format!("models--{}--{}", address.owner(), address.name()))
    }

    fn cached(&self, address: &Address, wanted: &[&str]) -> Result<Snapshot> {
        let commit = match Digest::parse(address.revision()) {
            Some(Digest::Git(commit)) => commit,
            _ => std::fs::read_to_string(self.reference(address)).map_err(|_| self.absent(address, "this revision"))?,
        };
        let pinned = address.at(commit.trim())?;
        let folder = self.folder(address).join("snapshots").join(pinned.revision());
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

    /// A cached file is a link to content that is kept under its hash.
    fn check_cached(&self, address: &Address, path: &Path, name: &str) -> Result<()> {
        let blob = path.canonicalize().map_err(|_| self.absent(address, name))?;
        let digest = blob.file_name().and_then(|name| name.to_str()).and_then(Digest::parse);
        match digest {
            None => Err(self.error(address, format!("{name} under its hash in the cache"), blob.display())),
            Some(digest) => {
                let (found, size) = (digest.of_file(&blob)?, std::fs::metadata(&blob).map_err(Error::io(&blob))?.len());
                if found == digest {
                    return Ok(());
                }
                discard(path)?;
                Err(self.error(
                    address,
                    format!("{name} of {digest}"),
                    format!("{found}, {size} bytes; it was deleted"),
                ))
            }
        }
    }
}

/// What is wrong with a file; none if nothing is.
fn check_file(path: &Path, file: &RemoteFile) -> Result<Option<String>> {
    let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
    if size != file.size {
        return Ok(Some(format!("{size} bytes")));
    }
    let found = file.digest.of_file(path)?;
    Ok((found != file.digest).then(|| format!("{found}")))
}

/// Takes a file and the content it links to out of the cache.
fn discard(path: &Path) -> Result<()> {
    let blob = path.canonicalize().map_err(Error::io(path))?;
    std::fs::remove_file(path).map_err(Error::io(path))?;
    let is_gone = blob == path || !blob.exists();
    if is_gone { Ok(()) } else { std::fs::remove_file(&blob).map_err(Error::io(&blob)) }
}

/// Every file below a folder, by its path with `/`, sorted.
fn cached_files(folder: &Path) -> Vec<String> {
    let inside = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(|entry| entry.ok());
    let files = inside.filter(|entry| !entry.file_type().is_dir());
    files.filter_map(|entry| Some(entry.path().strip_prefix(folder).ok()?.to_str()?.replace('\\', "/"))).collect()
}

/// The folder that a path below it starts from.
fn strip<'a>(path: &'a Path, below: &str) -> &'a Path {
    below.split('/').fold(path, |path, _| path.parent().unwrap_or(path))
}

fn kibibytes(bytes: u64) -> usize {
    bytes.div_ceil(1024) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_compared_by_length_and_hash() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        let file = |size, digest: &Digest| RemoteFile { path: "file".into(), size, digest: digest.of_bytes(b"abc") };
        for kind in [Digest::Git(String::new()), Digest::Sha256(String::new())] {
            assert_eq!(check_file(&path, &file(3, &kind)).unwrap(), None);
            assert_eq!(check_file(&path, &file(4, &kind)).unwrap().as_deref(), Some("3 bytes"));
            let other = RemoteFile { digest: kind.of_bytes(b"abd"), ..file(3, &kind) };
            assert!(check_file(&path, &other).unwrap().unwrap().ends_with(kind.of_bytes(b"abc").to_string().as_str()));
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_discarded_link_takes_its_content_along() {
        let place = tempfile::tempdir().unwrap();
        let (blob, link) = (place.path().join("blob"), place.path().join("link"));
        std::fs::write(&blob, "x").unwrap();
        std::os::unix::fs::symlink(&blob, &link).unwrap();
        assert_eq!(cached_files(place.path()), ["blob", "link"]);
        discard(&link).unwrap();
        assert_eq!(cached_files(place.path()), [""; 0]);
    }

    #[test]
    fn the_folder_of_a_nested_file() {
        assert_eq!(strip(Path::new("/c/s/a/b.txt"), "a/b.txt"), Path::new("/c/s"));
    }
}
