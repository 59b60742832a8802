//! What a Hub holds: repositories, their commits, and the files of each commit.

use sha1::{Digest as _, Sha1};
use sha2::Sha256;
use std::collections::BTreeMap;

/// Every repository by `owner/name`.
#[derive(Default)]
pub struct World {
    repositories: BTreeMap<String, Repository>,
}

/// One repository.
#[derive(Default)]
pub struct Repository {
    /// Whether only its owner may read it.
    pub private: bool,
    /// From the first to the last.
    pub commits: Vec<Commit>,
    /// Commit of each tag.
    pub tags: BTreeMap<String, String>,
}

/// A state of a repository.
#[derive(Clone)]
pub struct Commit {
    pub sha: String,
    pub files: BTreeMap<String, Blob>,
}

/// The content of a file.
#[derive(Clone)]
pub enum Blob {
    /// Inside git.
    Small(Vec<u8>),
    /// In the storage server, under this hash of its own.
    Large { sha256: String, size: usize, storage: String },
}

impl Blob {
    /// Length in bytes.
    pub fn size(&self) -> usize {
        match self {
            Self::Small(bytes) => bytes.len(),
            Self::Large { size, .. } => *size,
        }
    }

    /// Git's name for what git holds: for a large file, the note that stands for it.
    pub fn oid(&self) -> String {
        match self {
            Self::Small(bytes) => git(bytes),
            Self::Large { sha256, size, .. } => git(pointer(sha256, *size).as_bytes()),
        }
    }
}

/// What git keeps in the place of a large file.
pub fn pointer(sha256: &str, size: usize) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n")
}

/// Git's name for a content.
pub fn git(bytes: &[u8]) -> String {
    hex(&Sha1::new().chain_update(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize())
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl World {
    /// A new repository with the commit that the Hub itself makes; none if it is there already.
    pub fn create(&mut self, id: &str, private: bool) -> Option<()> {
        if self.repositories.contains_key(id) {
            return None;
        }
        let mut repository = Repository { private, ..Repository::default() };
        let rules = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n".to_vec();
        repository.commit([(".gitattributes".to_string(), Some(Blob::Small(rules)))]);
        self.repositories.insert(id.to_string(), repository);
        Some(())
    }

    /// A repository.
    pub fn get(&self, id: &str) -> Option<&Repository> {
        self.repositories.get(id)
    }

    /// A repository, to be changed.
    pub fn get_mut(&mut self, id: &str) -> Option<&mut Repository> {
        self.repositories.get_mut(id)
    }

    /// A large file of any repository.
    pub fn large(&self, digest: &str) -> Option<String> {
        let commits = self.repositories.values().flat_map(|repository| &repository.commits);
        commits.flat_map(|commit| commit.files.values()).find_map(|blob| match blob {
            Blob::Large { sha256, storage, .. } if sha256 == digest => Some(storage.clone()),
            _ => None,
        })
    }
}

impl Repository {
    /// The last commit.
    pub fn head(&self) -> &Commit {
        self.commits.last().unwrap()
    }

    /// The commit of a branch, a tag, or by its name.
    pub fn at(&self, revision: &str) -> Option<&Commit> {
        let sha = self.tags.get(revision).map_or(revision, String::as_str);
        match revision {
            "main" => self.commits.last(),
            _ => self.commits.iter().find(|commit| commit.sha == sha),
        }
    }

    /// Adds a commit with changed files; none removes one.
    pub fn commit(&mut self, changes: impl IntoIterator<Item = (String, Option<Blob>)>) -> String {
        let mut files = self.commits.last().map_or(BTreeMap::new(), |commit| commit.files.clone());
        for (path, blob) in changes {
            match blob {
                Some(blob) => files.insert(path, blob),
                None => files.remove(&path),
            };
        }
        let listing: String = files.iter().map(|(path, blob)| format!("{path} {}\n", blob.oid())).collect();
        let sha = hex(&Sha1::digest(format!("{}\n{listing}", self.commits.len())));
        self.commits.push(Commit { sha: sha.clone(), files });
        sha
    }
}
