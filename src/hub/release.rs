//! The files of one model, ready to be published.

use super::RemoteFile;
use crate::{Error, Result, file};
use std::collections::BTreeMap;
use std::path::Path;

/// The file that holds a release's weights.
pub const WEIGHTS: &str = "model.safetensors";

/// The file that says what a release is: the run with all its settings.
pub const CONFIG: &str = "config.json";

/// The file that the Hub itself puts into a new repository.
pub(super) const ATTRIBUTES: &str = ".gitattributes";

/// The files of one model by name; what is published is these bytes and nothing else.
///
/// ```
/// use retrace::hub::Release;
/// let mut release = Release::default();
/// release.add("README.md", "# A model");
/// assert_eq!(release.files().map(|(name, bytes)| (name, bytes.len())).collect::<Vec<_>>(), [("README.md", 9)]);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    files: BTreeMap<String, Vec<u8>>,
}

impl Release {
    /// Puts a file in, or another content in its place.
    pub fn add(&mut self, name: &str, content: impl Into<Vec<u8>>) {
        self.files.insert(name.to_string(), content.into());
    }

    /// Every file by name, in alphabetical order.
    pub fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()))
    }

    /// A file's content.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.files.get(name).map(Vec::as_slice)
    }

    /// Writes every file below a folder, where a [`super::Snapshot`] would have them.
    ///
    /// # Errors
    /// A folder that cannot be made or written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        self.files().try_for_each(|(name, bytes)| file::write_atomic(&folder.join(name), bytes))
    }

    /// Bytes of all files.
    pub fn size(&self) -> usize {
        self.files.values().map(Vec::len).sum()
    }

    /// What identifies this model: the run in its `config.json`.
    ///
    /// # Errors
    /// No such file, or one without a run.
    pub(super) fn identity(&self) -> Result<serde_json::Value> {
        let config = self.get(CONFIG).unwrap_or_default();
        identity_of(config).ok_or_else(|| Error::value(CONFIG, "slug, dataset and row of the model", "none"))
    }

    /// Names in which a listing differs from this release: missing, changed or extra ones.
    pub(super) fn differences(&self, listed: &[RemoteFile]) -> Vec<String> {
        let is_equal = |name: &str, bytes: &[u8]| {
            let remote = listed.iter().find(|file| file.path == name);
            remote.is_some_and(|file| file.size == bytes.len() as u64 && file.digest.of_bytes(bytes) == file.digest)
        };
        let own = self.files().filter(|(name, bytes)| !is_equal(name, bytes)).map(|(name, _)| name.to_string());
        own.chain(self.superfluous(listed)).collect()
    }

    /// Files of a listing that this release does not have.
    pub(super) fn superfluous(&self, listed: &[RemoteFile]) -> Vec<String> {
        let names = listed.iter().map(|file| &file.path);
        names.filter(|name| *name != ATTRIBUTES && !self.files.contains_key(*name)).cloned().collect()
    }
}

/// Paper, corpus and row of a released `config.json`.
pub(super) fn identity_of(config: &[u8]) -> Option<serde_json::Value> {
    let value: serde_json::Value = serde_json::from_slice(config).ok()?;
    let field = |name: &str| value.get(name).filter(|field| field.is_string()).cloned();
    Some(serde_json::json!([field("slug")?, field("dataset")?, field("row")?]))
}

#[cfg(test)]
mod tests {
    use super::super::Digest;
    use super::*;

    fn listed(path: &str, content: &[u8], is_large: bool) -> RemoteFile {
        let kind = if is_large { Digest::Sha256(String::new()) } else { Digest::Git(String::new()) };
        RemoteFile { path: path.into(), size: content.len() as u64, digest: kind.of_bytes(content) }
    }

    #[test]
    fn a_release_is_compared_with_a_listing() {
        let mut release = Release::default();
        release.add(WEIGHTS, b"weights".as_slice());
        release.add("README.md", "card");
        let equal = vec![
            listed(WEIGHTS, b"weights", true),
            listed("README.md", b"card", false),
            listed(ATTRIBUTES, b"x", false),
        ];
        assert_eq!(release.differences(&equal), [""; 0]);
        let mut other = equal.clone();
        other[0] = listed(WEIGHTS, b"weightz", true);
        assert_eq!(release.differences(&other), [WEIGHTS]);
        other[0] = listed("old.bin", b"weights", true);
        assert_eq!(release.differences(&other), [WEIGHTS, "old.bin"]);
        assert_eq!(release.superfluous(&other), ["old.bin"]);
    }

    #[test]
    fn identity_is_read_from_the_config() {
        let mut release = Release::default();
        assert!(release.identity().unwrap_err().to_string().contains("slug"));
        release.add(CONFIG, r#"{"slug": "p", "dataset": "d", "row": "r", "seed": 0}"#);
        assert_eq!(release.identity().unwrap(), serde_json::json!(["p", "d", "r"]));
        assert_eq!(identity_of(b"{}"), None);
        assert_eq!(identity_of(b"no json"), None);
    }
}
