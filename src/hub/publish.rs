//! A release onto a Hub: one commit, read back and compared, then tagged, then public.

use super::fault::{Remedy, remedy};
use super::release::{CONFIG, identity_of};
use super::{Address, Hub, HubConfig, Release};
use crate::train::Watch;
use crate::{Error, Result};
use hf_hub::RepoTypeModel;
use hf_hub::repository::CommitOperation;

/// What to do beside the commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PublishOptions {
    /// The tag of the version; none: no tag.
    pub tag: Option<String>,
    /// Whether everyone may read it afterwards; a new repository is private until then.
    pub public: bool,
    /// The message of the commit.
    pub message: String,
}

/// What a publication came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The repository, at the commit that holds the release.
    pub address: Address,
    /// Whether there was something to commit.
    pub is_new: bool,
}

impl Hub {
    /// Publishes a release: private repository, one commit on top of the one that was read, everything read back
    /// through a fresh cache and compared, then the tag, then public where that is asked for.
    ///
    /// A repository that holds the very files already gets no commit. Should an answer be lost, what the Hub holds
    /// decides whether the commit was made.
    ///
    /// # Errors
    /// A repository of another model, a tag that stands for another content, a commit by somebody else in between: nothing is
    /// published. What is read back differs: it stays private and untagged. No right to write, no answer.
    pub fn publish(
        &self,
        address: &Address,
        release: &Release,
        options: &PublishOptions,
        watch: &dyn Watch,
    ) -> Result<Published> {
        self.check_online()?;
        let is_private = Some(true);
        self.patiently(address, || {
            let id = address.id();
            let request = self.client().create_repository().repo_id(&id).repo_type(RepoTypeModel);
            request.maybe_private(is_private).exist_ok(true).send()
        })?;
        let head = self.commit(address)?;
        let is_new = !release.differences(&self.list(address, &head)?).is_empty();
        let tagged = self.check_tag(address, &head, is_new, options)?;
        let commit = match is_new {
            true => self.write(address, release, &head, options, watch)?,
            false => head,
        };
        let pinned = address.at(&commit)?;
        self.read_back(&pinned, release, watch)?;
        if let (Some(tag), false) = (&options.tag, tagged) {
            self.tag(&pinned, tag)?;
        }
        if options.public {
            self.patiently(address, || self.repository(address).update_settings().private(false).send())?;
        }
        Ok(Published { address: pinned, is_new })
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

    /// Commits the release, once: after a lost answer the repository is looked at before anything is sent again.
    fn write(
        &self,
        address: &Address,
        release: &Release,
        head: &str,
        options: &PublishOptions,
        watch: &dyn Watch,
    ) -> Result<String> {
        let listed = self.list(address, head)?;
        self.check_identity(&address.at(head)?, release, &listed, watch)?;
        let added = release.files().map(|(name, bytes)| CommitOperation::add_bytes(name, bytes.to_vec()));
        let removed = release.superfluous(&listed).into_iter().map(CommitOperation::delete);
        let operations: Vec<CommitOperation> = added.chain(removed).collect();
        for attempt in 1.. {
            let repository = self.repository(address);
            let request = repository.create_commit().operations(operations.clone());
            let error = match request.commit_message(&options.message).parent_commit(head).send() {
                Ok(_) => break,
                Err(error) => error,
            };
            let now = self.commit(address)?;
            if now != head {
                break; // ours whose answer was lost, or somebody else's: the content tells
            }
            match remedy(&error, self.pause(attempt)) {
                Remedy::Wait(wait) if attempt < self.config().attempts => std::thread::sleep(wait),
                _ => return Err(self.fault(address, &error)),
            }
        }
        self.committed(address, release, head)
    }

    /// The commit after `head`, if it holds the release.
    fn committed(&self, address: &Address, release: &Release, head: &str) -> Result<String> {
        let now = self.commit(address)?;
        let listed = self.list(address, &now)?;
        let different = release.differences(&listed);
        let inline = listed.iter().find(|file| file.path.ends_with(".safetensors") && !file.is_large());
        match (different.as_slice(), inline) {
            ([], None) => Ok(now),
            // The crate sends weights inside the commit, without a word, to a server that takes no large files.
            ([], Some(file)) => Err(self.error(
                address,
                format!("{} outside git, as large files are", file.path),
                "inside; it stays untagged",
            )),
            _ => {
                let expected = format!("a commit of the release on {head}");
                Err(self.error(address, expected, format!("{now}, which differs in {}", different.join(", "))))
            }
        }
    }

    /// One repository holds one model.
    fn check_identity(
        &self,
        address: &Address,
        release: &Release,
        listed: &[super::RemoteFile],
        watch: &dyn Watch,
    ) -> Result<()> {
        let ours = release.identity()?;
        if !listed.iter().any(|file| file.path == CONFIG) {
            return Ok(());
        }
        let snapshot = self.download(address, &[CONFIG], watch)?;
        let path = snapshot.folder.join(CONFIG);
        let theirs = identity_of(&std::fs::read(&path).map_err(Error::io(&path))?);
        match theirs.as_ref() == Some(&ours) {
            true => Ok(()),
            false => {
                let found = theirs.map_or("something else".to_string(), |theirs| theirs.to_string());
                Err(self.error(address, format!("the model {ours}, or an empty repository"), found))
            }
        }
    }

    /// Fetches the release as a stranger would, with nothing cached, and compares.
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
            if std::fs::read(&path).map_err(Error::io(&path))? != bytes {
                return Err(self.error(pinned, format!("{name} as it was sent"), "other content; it stays untagged"));
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
