//! A download is correct, or an error says why it failed.

use crate::server::{Fault, world::Blob};
use crate::*;
use retrace::hub::Snapshot;

/// Start of every resolve request.
const SMALL: &str = "GET /somebody/photo_pretraining-ours-synth-chair/resolve/";

impl Scene {
    fn download(&self, revision: &str) -> retrace::Result<Snapshot> {
        self.hub().download(&address().at(revision).unwrap(), &[], &Unwatched)
    }

    fn offline(&self) -> Hub {
        Hub::open(HubConfig { offline: true, ..self.config() }).unwrap()
    }
}

#[test]
fn a_tag_a_branch_and_a_commit_give_the_same_files() {
    let release = release(1);
    let scene = Scene::with(&release);
    let commit = scene.download("v1").unwrap().address.revision().to_string();
    for revision in ["v1", "main", &commit] {
        let snapshot = scene.download(revision).unwrap();
        assert_eq!(snapshot.address.revision(), commit);
        assert_eq!(snapshot.files, [".gitattributes", "README.md", "config.json", "model.safetensors"]);
        assert_same(&snapshot.folder, &release);
    }
    assert_eq!(scene.server.requests(SMALL), 2 * 4, "each file once when it was published and once here");
}

#[test]
fn the_cache_has_pythons_layout() {
    let scene = Scene::with(&release(1));
    let snapshot = scene.download("v1").unwrap();
    let folder = scene.cache().join("models--somebody--photo_pretraining-ours-synth-chair");
    let commit = snapshot.address.revision();
    assert_eq!(snapshot.folder, folder.join("snapshots").join(commit));
    assert_eq!(std::fs::read_to_string(folder.join("refs/v1")).unwrap(), commit);
    let link = std::fs::read_link(snapshot.folder.join(WEIGHTS)).unwrap();
    assert!(link.starts_with("../../blobs") && link.file_name().unwrap().len() == 64, "{link:?}");
}

#[test]
fn only_named_files_are_fetched_and_unknown_ones_are_named() {
    let scene = Scene::with(&release(1));
    let snapshot = scene.hub().download(&address(), &["README.md"], &Unwatched).unwrap();
    assert_eq!(snapshot.files, ["README.md"]);
    assert!(!snapshot.folder.join(WEIGHTS).exists());
    let error = scene.hub().download(&address(), &["absent"], &Unwatched).unwrap_err().to_string();
    assert!(error.contains("expected absent") && error.contains("README.md"), "{error}");
}

/// Small files by HTTP, damaged in each way: fetched again after one fault, refused if it stays.
#[test]
fn a_bad_body_behind_good_headers_is_never_accepted() {
    let release = release(1);
    for fault in [Fault::Status(403), Fault::Status(404), Fault::Status(500), Fault::Short, Fault::Wrong, Fault::Lost] {
        let scene = Scene::with(&release);
        let part = format!("{SMALL}{}/README.md", scene.hub().commit(&address()).unwrap());
        scene.server.shared.faults.add(fault, &part, 1);
        let snapshot = scene.download("v1").unwrap_or_else(|error| panic!("{fault:?}: {error}"));
        assert_same(&snapshot.folder, &release);

        let scene = Scene::with(&release);
        scene.server.shared.faults.add(fault, &part, usize::MAX);
        let error = scene.download("v1").unwrap_err().to_string();
        assert!(error.contains(&address().id()), "{fault:?}: {error}");
        let good: Vec<&[u8]> = release.files().map(|(_, bytes)| bytes).collect();
        for kept in scene.cached() {
            let is_attributes = kept.starts_with(b"*.safetensors");
            assert!(is_attributes || good.contains(&kept.as_slice()), "{fault:?} left {kept:?} in the cache");
        }
    }
}

#[test]
fn a_byte_flipped_in_storage_is_never_accepted() {
    let scene = Scene::with(&release(1));
    assert!(scene.server.damage_storage() > 0);
    let error = scene.download("v1").unwrap_err().to_string();
    assert!(error.contains(WEIGHTS), "{error}");
    let weights = release(1).get(WEIGHTS).unwrap().len();
    assert!(scene.cached().iter().all(|kept| kept.len() != weights), "the damaged file stayed in the cache");
}

#[test]
fn a_damaged_cache_is_mended() {
    let release = release(1);
    let scene = Scene::with(&release);
    let path = scene.download("v1").unwrap().folder.join(WEIGHTS).canonicalize().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[5] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert_same(&scene.download("v1").unwrap().folder, &release);
}

#[test]
fn offline_needs_no_server_and_still_compares() {
    let release = release(1);
    let scene = Scene::with(&release);
    let error = scene.offline().download(&address(), &[], &Unwatched).unwrap_err().to_string();
    assert!(error.contains("this revision in the cache") && error.contains("HF_HUB_OFFLINE"), "{error}");
    let commit = scene.download("v1").unwrap().address.revision().to_string();
    let before = scene.server.requests("");
    for revision in ["v1", &commit] {
        let snapshot = scene.offline().download(&address().at(revision).unwrap(), &[], &Unwatched).unwrap();
        assert_same(&snapshot.folder, &release);
    }
    assert_eq!(scene.server.requests(""), before);
    let path =
        scene.offline().download(&address().at("v1").unwrap(), &[WEIGHTS], &Unwatched).unwrap().folder.join(WEIGHTS);
    std::fs::write(path.canonicalize().unwrap(), "damaged").unwrap();
    let error = scene.offline().download(&address().at("v1").unwrap(), &[], &Unwatched).unwrap_err().to_string();
    assert!(error.contains("7 bytes; it was deleted") && !path.exists(), "{error}");
}

#[test]
fn named_files_of_a_commit_that_are_cached_need_no_hub() {
    let scene = Scene::with(&release(1));
    let pinned = scene.download("v1").unwrap().address;
    let before = scene.server.requests("");
    let snapshot = scene.hub().download(&pinned, &[WEIGHTS, CONFIG], &Unwatched).unwrap();
    assert_eq!(snapshot.files, [WEIGHTS, CONFIG]);
    assert_eq!(scene.server.requests(""), before);
}

#[test]
fn a_silent_server_is_not_waited_for_for_ever() {
    let scene = Scene::with(&release(1));
    scene.server.shared.faults.add(Fault::Silent, "GET ", usize::MAX);
    let config = HubConfig { silence: Duration::from_millis(100), attempts: 2, ..scene.config() };
    let started = std::time::Instant::now();
    let error = Hub::open(config).unwrap().download(&address(), &[], &Unwatched).unwrap_err().to_string();
    assert!(error.contains("time-out"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5), "the server answers after 5 s");
}

#[test]
fn a_listing_that_leads_outside_is_refused() {
    let scene = Scene::with(&release(1));
    let odd = ("../../../../outside".to_string(), Some(Blob::Small(b"x".to_vec())));
    scene.server.shared.world().get_mut(&address().id()).unwrap().commit([odd]);
    let error = scene.download("main").unwrap_err().to_string();
    assert!(error.contains("inside the repository"), "{error}");
    assert_eq!(scene.hub().download(&address(), &["README.md"], &Unwatched).unwrap().files, ["README.md"]);
}

#[test]
fn download_refuses_a_private_model() {
    let scene = Scene::with(&release(1));
    let config = HubConfig { token: Token::new("hf_Stranger"), ..scene.config() };
    let error = Hub::open(config).unwrap().download(&address(), &[], &Unwatched).unwrap_err().to_string();
    assert!(error.contains("a token that was refused") && !error.contains("hf_Stranger"), "{error}");
    assert!(scene.cached().is_empty());
}

#[test]
fn download_names_a_missing_revision_and_repository() {
    let scene = Scene::with(&release(1));
    let error = scene.download("v9").unwrap_err().to_string();
    assert!(error.contains("@v9") && error.contains("revision"), "{error}");
    let absent = Address::new(USER, "absent").unwrap();
    let error = scene.hub().download(&absent, &[], &Unwatched).unwrap_err().to_string();
    assert!(error.contains("somebody/absent") && error.contains("repository"), "{error}");
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    let scene = Scene::new();
    let config = HubConfig { endpoint: Some("http://127.0.0.1:9".into()), ..scene.config() };
    let error = Hub::open(config).unwrap().download(&address(), &[], &Unwatched).unwrap_err().to_string();
    assert!(error.contains("no connection"), "{error}");
}
