//! A release onto a Hub: one commit, read back and compared, then tagged, then public.

use super::fault::{Remedy, remedy};
use super::release::{ATTRIBUTES, CONFIG, identity_of};
use super::{Address, Hub, HubConfig, Release, RemoteFile};
use crate::watch::Watch;
use crate::{Error, Result};
use hf_hub::RepoTypeModel;
use hf_hub::repository::{CommitInfo, CommitOperation};

/// Options of a publication.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishOptions {
    /// The tag of the version; none: no tag.
    pub tag: Option<String>,
    /// Whether everyone may read it afterwards; a new repository is private until then.
    pub public: bool,
    /// The message of the commit.
    pub message: String,
}

/// The result of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// The repository, at the commit that holds the release.
    pub address: Address,
    /// Whether there was something to commit.
    pub is_new: bool,
}

impl Hub {
    /// Publishes a release on the main branch: one commit on top of the one that was read, everything read back through a
    /// fresh cache and compared, then the tag, then public where that is asked for.
    ///
    /// A repository that is not there yet is made private. One that holds the same files already gets no commit. If an
    /// answer is lost, the content of the Hub shows whether the commit was made. A new version of a model that is public
    /// already is public with its commit: only its tag waits.
    ///
    /// # Errors
    /// A repository of another model, a tag that stands for another content, a public repository without
    /// [`PublishOptions::public`], a commit by another user in between: nothing is published. What is read back differs, or
    /// weights that a server keeps inside git: it stays as private as it was, and untagged. No right to write, no answer.
    pub fn publish(
        &self,
        address: &Address,
        release: &Release,
        options: &PublishOptions,
        watch: &dyn Watch,
    ) -> Result<Publication> {
        self.check_online()?;
        let address = &address.at("main")?;
        let is_public = !self.find_or_create(address)?;
        let head = self.commit(address)?;
        let listed = self.list(address, &head)?;
        let is_new = !release.differences(&listed).is_empty();
        if is_new && is_public && !options.public {
            return Err(self.error(address, "a private repository, or --public", "a public one"));
        }
        self.check_identity(&address.at(&head)?, release, &listed, watch)?;
        let is_tagged = self.check_tag(address, &head, is_new, options)?;
        let commit = if is_new { self.write(address, release, &head, &listed, options)? } else { head };
        let pinned = address.at(&commit)?;
        self.check_stored(&pinned, release)?;
        self.read_back(&pinned, release, watch)?;
        if let (Some(tag), false) = (&options.tag, is_tagged) {
            self.tag(&pinned, tag)?;
        }
        if options.public && !is_public {
            self.patiently(address, || self.repository(address).update_settings().private(false).send())?;
            if self.is_private(address)? {
                return Err(self.error(address, "a public repository, as was asked for", "a private one still"));
            }
        }
        Ok(Publication { address: pinned, is_new })
    }

    /// Whether the repository is private; it is made if it is not there.
    fn find_or_create(&self, address: &Address) -> Result<bool> {
        if self.patiently(address, || self.repository(address).exists().send())? {
            return self.is_private(address);
        }
        self.patiently(address, || {
            let id = address.id();
            let request = self.client().create_repository().repo_id(&id).repo_type(RepoTypeModel);
            request.private(true).exist_ok(true).send()
        })?;
        self.is_private(address)
    }

    /// A repository that does not say is taken for a public one.
    fn is_private(&self, address: &Address) -> Result<bool> {
        let info = self.patiently(address, || self.repository(address).info().send())?;
        Ok(info.private.unwrap_or(false))
    }

    /// Whether the tag stands for this content already.
    fn check_tag(&self, address: &Address, head: &str, is_new: bool, options: &PublishOptions) -> Result<bool> {
        let Some(tag) = &options.tag else { return Ok(false) };
        match self.tagged(address, tag)? {
            None => Ok(false),
            Some(commit) if commit == head && !is_new => Ok(true),
            Some(commit) => {
                let found = format!("one that stands for other content ({commit})");
                Err(self.error(address, format!("no tag {tag} yet, or one of this content"), found))
            }
        }
    }

    fn tagged(&self, address: &Address, tag: &str) -> Result<Option<String>> {
        let references = self.patiently(address, || self.repository(address).list_refs().send())?;
        Ok(references.tags.into_iter().find(|reference| reference.name == tag).map(|reference| reference.target_commit))
    }

    /// Commits the release, once: after a lost answer the repository is checked before anything is sent again.
    fn write(
        &self,
        address: &Address,
        release: &Release,
        head: &str,
        listed: &[RemoteFile],
        options: &PublishOptions,
    ) -> Result<String> {
        let added = release.files().map(|(name, bytes)| CommitOperation::add_bytes(name, bytes.to_vec()));
        let removed = release.superfluous(listed).into_iter().map(CommitOperation::delete);
        let operations: Vec<CommitOperation> = added.chain(removed).collect();
        for attempt in 1.. {
            let repository = self.repository(address);
            let request = repository.create_commit().operations(operations.clone()).parent_commit(head);
            let error = match request.commit_message(&options.message).send() {
                Ok(CommitInfo { commit_oid: Some(commit), .. }) => return Ok(commit),
                Ok(_) => break,
                Err(error) => error,
            };
            if self.commit(address)? != head {
                break; // ours with a lost answer, or another user's: the content shows which
            }
            match remedy(&error, self.pause(attempt)) {
                Remedy::Wait(wait) if attempt < self.config().attempts => std::thread::sleep(wait),
                _ => return Err(self.fault(address, &error)),
            }
        }
        self.commit(address)
    }

    /// A commit that holds the release, with the weights where large files belong.
    fn check_stored(&self, pinned: &Address, release: &Release) -> Result<()> {
        let listed = self.list(pinned, pinned.revision())?;
        let different = release.differences(&listed);
        if !different.is_empty() {
            return Err(self.error(
                pinned,
                "a commit of the release",
                format!("different content in {}", different.join(", ")),
            ));
        }
        // The crate sends weights inside the commit, silently, to a server that takes no large files.
        match listed.iter().find(|file| file.path.ends_with(".safetensors") && !file.is_large()) {
            Some(file) => {
                let expected = format!("{} outside git, as large files are", file.path);
                Err(self.error(pinned, expected, "inside; it stays untagged"))
            }
            None => Ok(()),
        }
    }

    /// One repository holds one model, and nothing but what a new one may have is written over.
    fn check_identity(
        &self,
        address: &Address,
        release: &Release,
        listed: &[RemoteFile],
        watch: &dyn Watch,
    ) -> Result<()> {
        let own = release.identity()?;
        if listed.iter().all(|file| [ATTRIBUTES, "README.md"].contains(&file.path.as_str())) {
            return Ok(());
        }
        let expected = format!("the model {own}, or an empty repository");
        if !listed.iter().any(|file| file.path == CONFIG) {
            let names: Vec<&str> = listed.iter().map(|file| file.path.as_str()).collect();
            return Err(self.error(address, expected, names.join(", ")));
        }
        let snapshot = self.download(address, &[CONFIG], watch)?;
        let path = snapshot.folder.join(CONFIG);
        let theirs = identity_of(&std::fs::read(&path).map_err(Error::io(&path))?);
        if theirs.as_ref() == Some(&own) {
            Ok(())
        } else {
            let found = theirs.map_or(format!("a {CONFIG} that names no model"), |theirs| theirs.to_string());
            Err(self.error(address, expected, found))
        }
    }

    /// Downloads the release into an empty cache and compares it.
    fn read_back(&self, pinned: &Address, release: &Release, watch: &dyn Watch) -> Result<()> {
        let cache = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
        let config = HubConfig {
            endpoint: Some(self.endpoint().to_string()),
            cache: Some(cache.path().to_path_buf()),
            ..self.config().clone()
        };
        let snapshot = Self::open(config)?.download(pinned, &[], watch)?;
        for (name, bytes) in release.files() {
            let path = snapshot.folder.join(name);
            let found = std::fs::read(&path).map_err(Error::io(&path))?;
            if found != bytes {
                let found = format!("{} bytes of different content; it stays untagged", found.len());
                return Err(self.error(pinned, format!("{name} as it was sent, {} bytes", bytes.len()), found));
            }
        }
        Ok(())
    }

    fn tag(&self, pinned: &Address, tag: &str) -> Result<()> {
        let commit = pinned.revision();
        let made = self.patiently(pinned, || self.repository(pinned).create_tag().tag(tag).revision(commit).send());
        match made {
            // A repeated request finds the tag that the first one made.
            Err(_) if self.tagged(pinned, tag)?.as_deref() == Some(commit) => Ok(()),
            done => done,
        }
    }
}
