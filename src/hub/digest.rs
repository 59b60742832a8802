//! How the Hub names the content of a file.

use crate::{Error, Result, file};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use std::fmt;
use std::io::Read;
use std::path::Path;

/// Bytes read at a time: large files are never held whole.
const CHUNK: usize = 1 << 20;

/// The hash of a file's content, in lower-case hexadecimal.
///
/// ```text
/// large files:     sha256(content)
/// all other files: sha1("blob " + decimal length + "\0" + content), git's name for it
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Digest {
    /// The hash of a large file, 64 digits.
    Sha256(String),
    /// The hash of a file inside git, 40 digits.
    Git(String),
}

impl Digest {
    /// Reads a digest by its length; none where it is neither.
    ///
    /// ```
    /// use retrace::hub::Digest;
    /// assert!(matches!(Digest::parse(&"0".repeat(40)), Some(Digest::Git(_))));
    /// assert!(Digest::parse("W/\"etag\"").is_none());
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        match text.len() {
            64 if is_hex => Some(Self::Sha256(text.to_string())),
            40 if is_hex => Some(Self::Git(text.to_string())),
            _ => None,
        }
    }

    /// Its hexadecimal digits.
    pub fn digits(&self) -> &str {
        match self {
            Self::Sha256(digits) | Self::Git(digits) => digits,
        }
    }

    /// The digest of the same kind of some bytes.
    ///
    /// ```
    /// use retrace::hub::Digest;
    /// // What `git hash-object` says of an empty file.
    /// let empty = Digest::Git("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391".into());
    /// assert_eq!(empty.of_bytes(b""), empty);
    /// assert_ne!(empty.of_bytes(b"\n"), empty);
    /// ```
    pub fn of_bytes(&self, bytes: &[u8]) -> Self {
        match self {
            Self::Sha256(_) => Self::Sha256(file::hex(&Sha256::digest(bytes))),
            Self::Git(_) => Self::Git(file::hex(&blob(bytes.len() as u64).chain_update(bytes).finalize())),
        }
    }

    /// The digest of the same kind of a file.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn of_file(&self, path: &Path) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(Error::io(path))?;
        let length = file.metadata().map_err(Error::io(path))?.len();
        Ok(match self {
            Self::Sha256(_) => Self::Sha256(feed(Sha256::new(), file, path)?),
            Self::Git(_) => Self::Git(feed(blob(length), file, path)?),
        })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if matches!(self, Self::Sha256(_)) { "sha256" } else { "git blob" };
        write!(f, "{kind} {}", self.digits())
    }
}

/// The start of a git object.
fn blob(length: u64) -> Sha1 {
    Sha1::new().chain_update(format!("blob {length}\0"))
}

fn feed<D: sha1::Digest>(mut hasher: D, mut file: std::fs::File, path: &Path) -> Result<String> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match file.read(&mut chunk).map_err(Error::io(path))? {
            0 => return Ok(file::hex(&hasher.finalize())),
            count => hasher.update(&chunk[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_of_known_contents() {
        // FIPS 180-4, "abc"; and `printf abc | git hash-object --stdin`.
        let sha = Digest::parse("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").unwrap();
        let git = Digest::parse("f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f").unwrap();
        let path = tempfile::tempdir().unwrap().keep().join("abc");
        std::fs::write(&path, "abc").unwrap();
        for digest in [sha, git] {
            assert_eq!(digest.of_bytes(b"abc"), digest);
            assert_eq!(digest.of_file(&path).unwrap(), digest);
            assert_ne!(digest.of_bytes(b"abd"), digest);
        }
    }

    #[test]
    fn a_file_of_several_chunks_is_read_whole() {
        let bytes: Vec<u8> = (0..3 * CHUNK + 5).map(|i| (i % 251) as u8).collect();
        let path = tempfile::tempdir().unwrap().keep().join("long");
        std::fs::write(&path, &bytes).unwrap();
        for kind in [Digest::Sha256(String::new()), Digest::Git(String::new())] {
            assert_eq!(kind.of_file(&path).unwrap(), kind.of_bytes(&bytes));
        }
        assert!(Digest::parse(&"A".repeat(40)).is_none(), "capitals are no digest");
    }
}
