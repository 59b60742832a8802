//! One file from a Hub into the cache that Python shares.
//!
//! The crate's own download trusts what a server says: it names local files by two headers, keeps the body of a failed
//! request, and asks without a time-out. Here a file is named by the hash of the listing, and nothing is put in its
//! place before its content has that hash.

use super::{Address, Hub, RemoteFile};
use crate::watch::Watch;
use crate::{Error, Result, file};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Bytes between two checks whether to stop.
const CHUNK: usize = 1 << 18;

/// How far a download has come.
pub(super) struct FetchProgress<'a> {
    pub watch: &'a dyn Watch,
    pub done: u64,
    pub total: u64,
}

impl FetchProgress<'_> {
    fn advance(&mut self, bytes: u64) -> Result<()> {
        self.done += bytes;
        self.watch.advance("download", kibibytes(self.done), kibibytes(self.total));
        if self.watch.is_stopped() { Err(Error::Stopped { resume: "whole files are kept".into() }) } else { Ok(()) }
    }
}

impl Hub {
    /// A repository's folder in the cache.
    pub(super) fn folder(&self, address: &Address) -> PathBuf {
        self.cache().join(format!("models--{}--{}", address.owner(), address.name()))
    }

    /// The folder of a commit's files in the cache.
    pub(super) fn snapshot(&self, address: &Address, commit: &str) -> PathBuf {
        self.folder(address).join("snapshots").join(commit)
    }

    /// Downloads one file of a commit into the cache and compares it with its hash.
    pub(super) fn fetch(
        &self,
        address: &Address,
        commit: &str,
        file: &RemoteFile,
        progress: &mut FetchProgress,
    ) -> Result<()> {
        if !file.is_inside() {
            return Err(self.error(address, "a path inside the repository", format!("{:?}", file.path)));
        }
        let blob = self.folder(address).join("blobs").join(file.digest.digits());
        if blob.exists() && check_file(&blob, file)?.is_some() {
            discard(&blob)?;
        }
        if blob.exists() {
            progress.advance(file.size)?
        } else {
            self.fill(address, commit, file, &blob, progress)?
        }
        link(&self.snapshot(address, commit), &file.path, file.digest.digits())
    }

    /// Downloads until the content is right.
    fn fill(
        &self,
        address: &Address,
        commit: &str,
        file: &RemoteFile,
        blob: &Path,
        progress: &mut FetchProgress,
    ) -> Result<()> {
        let (start, mut fault) = (progress.done, String::new());
        for attempt in 0..self.config().attempts.max(1) {
            if attempt > 0 {
                progress.watch.note(&format!("{}: {fault}; again", file.path));
                std::thread::sleep(self.pause(attempt));
            }
            progress.done = start;
            match self.try_fill(address, commit, file, blob, progress)? {
                None => return Ok(()),
                Some(found) => fault = found,
            }
        }
        let expected = format!("{} of {} bytes, {}", file.path, file.size, file.digest);
        let found = format!("{fault}, {} times; nothing of it was kept", self.config().attempts.max(1));
        Err(self.error(address, expected, found))
    }

    /// Downloads once; what is wrong with it, if anything is.
    fn try_fill(
        &self,
        address: &Address,
        commit: &str,
        file: &RemoteFile,
        blob: &Path,
        progress: &mut FetchProgress,
    ) -> Result<Option<String>> {
        let url = self.url(address, &["resolve", commit], &file.path)?;
        let response = match self.get_patiently(url.as_str()) {
            Ok(response) if response.status().is_success() => response,
            Ok(response) => return Ok(Some(response.status().to_string())),
            Err(error) => return Ok(Some(super::fault::transport(error))),
        };
        let mut temporary = file::temporary(blob)?;
        if let Some(broken) = copy(response, &mut temporary, file.size, progress)? {
            return Ok(Some(broken));
        }
        match check_file(temporary.path(), file)? {
            None => file::persist(temporary, blob).map(|()| None),
            wrong => Ok(wrong),
        }
    }
}

/// Copies a body, one byte more than it may have at most; what broke, if it did.
fn copy(body: impl Read, target: &mut impl Write, size: u64, progress: &mut FetchProgress) -> Result<Option<String>> {
    let (mut body, mut chunk) = (body.take(size + 1), vec![0; CHUNK]);
    loop {
        match body.read(&mut chunk) {
            Ok(0) => return Ok(None),
            Ok(count) => {
                target.write_all(&chunk[..count]).map_err(Error::io("the cache"))?;
                progress.advance(count as u64)?;
            }
            Err(error) => return Ok(Some(format!("a broken connection ({error})"))),
        }
    }
}

/// What is wrong with a file; none if nothing is.
pub(super) fn check_file(path: &Path, file: &RemoteFile) -> Result<Option<String>> {
    let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
    if size != file.size {
        return Ok(Some(format!("{size} bytes")));
    }
    let found = file.digest.of_file(path)?;
    Ok((found != file.digest).then(|| found.to_string()))
}

/// Takes a file out of the cache, with every link on the way to its content.
///
/// A snapshot links to an entry called by its hash; that is the content, or, where Python keeps the content of several
/// repositories once, a link again.
pub(super) fn discard(path: &Path) -> Result<()> {
    let mut next = Some(path.to_path_buf());
    while let Some(path) = next {
        next = std::fs::read_link(&path).ok().map(|target| path.parent().unwrap_or(&path).join(target));
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&path)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Puts a file of the cache into a snapshot, by a link where the system has them.
fn link(snapshot: &Path, path: &str, digits: &str) -> Result<()> {
    let place = snapshot.join(path);
    let folder = place.parent().unwrap_or(snapshot);
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let up = "../".repeat(2 + path.matches('/').count());
    let target = PathBuf::from(format!("{up}blobs/{digits}"));
    if std::fs::read_link(&place).is_ok_and(|old| old == target) {
        return Ok(());
    }
    let temporary = tempfile::tempdir_in(folder).map_err(Error::io(folder))?;
    let new = temporary.path().join("new");
    #[cfg(unix)]
    std::os::unix::fs::symlink(&target, &new).map_err(Error::io(&new))?;
    #[cfg(not(unix))]
    std::fs::copy(folder.join(&target), &new).map_err(Error::io(&new))?;
    std::fs::rename(&new, &place).map_err(Error::io(&place))
}

fn kibibytes(bytes: u64) -> usize {
    bytes.div_ceil(1024) as usize
}

#[cfg(test)]
mod tests {
    use super::super::Digest;
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
            assert_eq!(check_file(&path, &other).unwrap(), Some(kind.of_bytes(b"abc").to_string()));
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_discarded_link_takes_its_content_along() {
        let place = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            std::fs::create_dir_all(place.path().join(name)).unwrap();
            place.path().join(name)
        };
        let (snapshot, blobs, shared) = (folder("snapshot"), folder("blobs"), folder("shared/ab"));
        std::fs::write(shared.join("content"), "x").unwrap();
        std::os::unix::fs::symlink("../shared/ab/content", blobs.join("hash")).unwrap();
        std::os::unix::fs::symlink("../blobs/hash", snapshot.join("file")).unwrap();
        discard(&snapshot.join("file")).unwrap();
        assert!(!shared.join("content").exists() && blobs.read_dir().unwrap().next().is_none());
    }

    #[test]
    #[cfg(unix)]
    fn a_link_leads_from_any_depth() {
        let place = tempfile::tempdir().unwrap();
        let (snapshot, blobs) = (place.path().join("snapshots/commit"), place.path().join("blobs"));
        std::fs::create_dir_all(&blobs).unwrap();
        std::fs::write(blobs.join("ab"), "content").unwrap();
        for path in ["file", "a/b/file", "a/b/file"] {
            link(&snapshot, path, "ab").unwrap();
            assert_eq!(std::fs::read_to_string(snapshot.join(path)).unwrap(), "content");
        }
    }

    #[test]
    fn a_body_is_read_one_byte_beyond_its_length_at_most() {
        let mut progress = FetchProgress { watch: &crate::watch::Unwatched, done: 0, total: 5 };
        let mut target = Vec::new();
        assert_eq!(copy(std::io::repeat(7), &mut target, 5, &mut progress).unwrap(), None);
        assert_eq!((target.len(), progress.done), (6, 6));
    }
}
