//! Publishing and downloading, against a Hub on this machine (`src/`). No request leaves it.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod download;
mod program;
mod publish;
mod python;
use loopback_hub as server;

use retrace::hub::{Address, CONFIG, Hub, HubConfig, Publication, PublishOptions, Release, Token, WEIGHTS};
use retrace::watch::Unwatched;
use server::{Server, TOKEN, USER};
use std::path::Path;
use std::time::Duration;

/// The storage client keeps its notes below the user's home, and tries again for many minutes, unless it is told otherwise
/// before it starts.
#[ctor::ctor(unsafe)]
#[allow(unsafe_code)]
fn set_storage_client() {
    let place = concat!(env!("CARGO_TARGET_TMPDIR"), "/storage-client");
    let _ = std::fs::remove_dir_all(place); // of an earlier run; there may be none
    let settings = [
        ("HF_XET_CACHE", place),
        ("HF_XET_CLIENT_RETRY_MAX_ATTEMPTS", "2"),
        ("HF_XET_CLIENT_RETRY_BASE_DELAY", "10ms"),
    ];
    for (name, value) in settings {
        // SAFETY: this runs before `main`, when there is no other thread.
        unsafe { std::env::set_var(name, value) };
    }
}

/// The repository.
fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A Hub, and its user.
struct Scene {
    server: Server,
    place: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        Self { server: Server::start(), place: tempfile::tempdir().unwrap() }
    }

    /// The owner's settings, with the cache of this scene.
    fn config(&self) -> HubConfig {
        HubConfig {
            endpoint: Some(self.server.endpoint.clone()),
            token: Token::new(TOKEN),
            cache: Some(self.cache().to_path_buf()),
            offline: false,
            attempts: 3,
            pause: Duration::from_millis(10), // there is no network to recover
            silence: Duration::from_secs(30),
        }
    }

    fn cache(&self) -> &Path {
        self.place.path()
    }

    fn hub(&self) -> Hub {
        Hub::open(self.config()).unwrap()
    }

    /// Publishes with the tag `v1`.
    fn publish(&self, release: &Release) -> retrace::Result<Publication> {
        self.hub().publish(&address(), release, &tagged("v1"), &Unwatched)
    }

    /// A fresh scene that holds a release, published.
    fn with(release: &Release) -> Self {
        let scene = Self::new();
        scene.publish(release).unwrap();
        scene
    }

    /// The content of every file that the cache offers.
    fn cached(&self) -> Vec<Vec<u8>> {
        let entries = walkdir::WalkDir::new(self.cache()).into_iter().filter_map(|entry| entry.ok());
        let is_offered = |path: &str| path.contains("/blobs/");
        let files = entries.filter(|entry| entry.file_type().is_file() && is_offered(&entry.path().to_string_lossy()));
        files.map(|entry| std::fs::read(entry.path()).unwrap()).collect()
    }
}

fn address() -> Address {
    Address::new(USER, "photo_pretraining-ours-synth-chair").unwrap()
}

/// To be public once it is whole.
fn public(tag: &str) -> PublishOptions {
    PublishOptions { public: true, ..tagged(tag) }
}

fn tagged(tag: &str) -> PublishOptions {
    PublishOptions { tag: Some(tag.into()), public: false, message: "a test".into() }
}

/// A release with weights of a length that no chunk of the storage server divides.
fn release(seed: u8) -> Release {
    let mut release = Release::default();
    let noise = |i: u32| (i.wrapping_mul(2_654_435_769).wrapping_add(u32::from(seed)) >> 11) as u8;
    release.add(WEIGHTS, (0..300_007).map(noise).collect::<Vec<u8>>());
    release.add(CONFIG, r#"{"slug": "photo_pretraining", "dataset": "synth-chair", "row": "ours"}"#);
    release.add("README.md", format!("# A model\n\nseed {seed}\n"));
    release
}

/// The files of a snapshot are those of a release.
fn assert_same(folder: &Path, release: &Release) {
    for (name, bytes) in release.files() {
        assert_eq!(std::fs::read(folder.join(name)).unwrap(), bytes, "{name}");
    }
}
