//! A release is published completely, once, and with nothing else.

use crate::server::{Fault, world::Blob};
use crate::*;

#[test]
fn a_release_arrives_whole_private_tagged_and_large_files_outside_git() {
    let (scene, release) = (Scene::new(), release(1));
    let published = scene.publish(&release).unwrap();
    assert!(published.is_new);
    let world = scene.server.shared.world();
    let repository = world.get(&address().id()).unwrap();
    assert!(repository.private);
    assert_eq!(repository.commits.len(), 2, "the Hub's own and ours");
    assert_eq!(repository.tags["v1"], published.address.revision());
    let files = &repository.head().files;
    assert!(matches!(&files[WEIGHTS], Blob::Large { size: 300_007, .. }));
    assert!(matches!(&files["README.md"], Blob::Small(text) if text.starts_with(b"# A model")));
}

#[test]
fn the_same_again_makes_no_commit_and_public_is_the_last_step() {
    let (scene, release) = (Scene::new(), release(1));
    let first = scene.publish(&release).unwrap();
    let second = scene.hub().publish(&address(), &release, &public("v1"), &Unwatched).unwrap();
    assert_eq!((second.is_new, &second.address), (false, &first.address));
    assert_eq!(scene.server.requests("/commit/"), 1);
    assert!(!scene.server.shared.world().get(&address().id()).unwrap().private);
    let writes = scene.server.writes();
    assert!(writes.last().unwrap().ends_with("/settings"), "{writes:?}");
}

#[test]
fn a_new_version_replaces_all_files_and_keeps_the_old_tag() {
    let scene = Scene::new();
    let mut old = release(1);
    old.add("notes.txt", "to be removed");
    let first = scene.publish(&old).unwrap();
    let second = scene.hub().publish(&address(), &release(2), &tagged("v2"), &Unwatched).unwrap();
    let world = scene.server.shared.world();
    let repository = world.get(&address().id()).unwrap();
    assert_eq!(repository.tags["v1"], first.address.revision());
    assert_eq!(repository.tags["v2"], second.address.revision());
    assert!(
        !repository.head().files.contains_key("notes.txt") && repository.head().files.contains_key(".gitattributes")
    );
}

#[test]
fn a_tag_of_other_content_is_refused_before_anything_is_sent() {
    let scene = Scene::with(&release(1));
    let error = scene.publish(&release(2)).unwrap_err().to_string();
    assert!(error.contains("no tag v1 yet") && error.contains("other content"), "{error}");
    assert_eq!(scene.server.requests("/commit/"), 1);
}

#[test]
fn another_model_does_not_replace_this_one() {
    let scene = Scene::with(&release(1));
    let mut other = release(2);
    other.add(CONFIG, r#"{"slug": "photo_pretraining", "dataset": "synth-shoe", "row": "ours"}"#);
    let error = scene.hub().publish(&address(), &other, &tagged("v2"), &Unwatched).unwrap_err().to_string();
    assert!(error.contains("synth-shoe") && error.contains("synth-chair"), "{error}");
    assert_eq!(scene.server.requests("/commit/"), 1);
}

#[test]
fn a_commit_in_between_is_an_error_and_stays_as_it_is() {
    let scene = Scene::new();
    *scene.server.shared.intruder.lock().unwrap() = Some(("README.md".into(), b"theirs".to_vec()));
    let error = scene.publish(&release(1)).unwrap_err().to_string();
    assert!(error.contains("a commit of the release, found different content in"), "{error}");
    let world = scene.server.shared.world();
    let repository = world.get(&address().id()).unwrap();
    assert!(matches!(&repository.head().files["README.md"], Blob::Small(text) if text == b"theirs"));
    assert!(!repository.head().files.contains_key(WEIGHTS) && repository.tags.is_empty());
}

#[test]
fn a_lost_answer_makes_no_second_commit() {
    let scene = Scene::new();
    scene.server.shared.faults.add(Fault::Lost, "/commit/", 1);
    let published = scene.publish(&release(1)).unwrap();
    let world = scene.server.shared.world();
    let repository = world.get(&address().id()).unwrap();
    assert_eq!(repository.commits.len(), 2);
    assert_eq!(repository.tags["v1"], published.address.revision());
}

#[test]
fn too_many_requests_are_waited_for_as_long_as_asked() {
    let scene = Scene::new();
    scene.server.shared.faults.add(Fault::Wait(1), "/commit/", 1);
    let started = std::time::Instant::now();
    scene.publish(&release(1)).unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1), "the server asked for a second, a pause here is 10 ms");
    assert_eq!(scene.server.shared.world().get(&address().id()).unwrap().commits.len(), 2);
}

#[test]
fn too_many_requests_for_ever_are_an_error() {
    let scene = Scene::new();
    scene.server.shared.faults.add(Fault::Wait(0), "/api/repos/create", usize::MAX);
    let error = scene.publish(&release(1)).unwrap_err().to_string();
    assert!(error.contains("too many requests"), "{error}");
    assert_eq!(scene.server.requests("/api/repos/create"), 3);
}

#[test]
fn an_expired_token_publishes_nothing_and_is_not_shown() {
    let expired = "hf_ExpiredSecret987";
    let scene = Scene::new();
    let config = HubConfig { token: Token::new(expired), ..scene.config() };
    let error = Hub::open(config).unwrap().publish(&address(), &release(1), &tagged("v1"), &Unwatched).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("a token that was refused") && !error.contains(expired), "{error}");
    assert!(scene.server.shared.world().get(&address().id()).is_none());
}

#[test]
fn a_token_that_expires_on_the_way_leaves_nothing_half_published() {
    let scene = Scene::new();
    scene.server.shared.faults.add(Fault::Status(401), "/commit/", 1);
    let error = scene.hub().publish(&address(), &release(1), &public("v1"), &Unwatched).unwrap_err().to_string();
    assert!(error.contains("a token that was refused") && !error.contains(TOKEN), "{error}");
    let world = scene.server.shared.world();
    let repository = world.get(&address().id()).unwrap();
    assert!(repository.private && repository.tags.is_empty() && repository.commits.len() == 1);
}

#[test]
fn a_connection_cut_in_mid_upload_publishes_whole_or_not_at_all() {
    let scene = Scene::new();
    scene.server.proxy.cut(1);
    scene.publish(&release(1)).unwrap();
    assert_eq!(scene.server.proxy.left(), 0, "the cut came");
    assert_eq!(scene.server.shared.world().get(&address().id()).unwrap().commits.len(), 2);
}

#[test]
fn a_server_that_takes_no_large_files_is_noticed_every_time() {
    let scene = Scene::new();
    scene.server.shared.is_small_only.store(true, std::sync::atomic::Ordering::SeqCst);
    for _ in 0..2 {
        let error = scene.hub().publish(&address(), &release(1), &public("v1"), &Unwatched).unwrap_err().to_string();
        assert!(error.contains("model.safetensors outside git") && error.contains("untagged"), "{error}");
        let world = scene.server.shared.world();
        let repository = world.get(&address().id()).unwrap();
        assert!(repository.tags.is_empty() && repository.private);
    }
}

#[test]
fn a_public_repository_takes_no_new_version_by_accident() {
    let scene = Scene::new();
    scene.hub().publish(&address(), &release(1), &public("v1"), &Unwatched).unwrap();
    let error = scene.hub().publish(&address(), &release(2), &tagged("v2"), &Unwatched).unwrap_err().to_string();
    assert!(error.contains("or --public"), "{error}");
    assert_eq!(scene.server.requests("/commit/"), 1);
    assert!(scene.hub().publish(&address(), &release(2), &public("v2"), &Unwatched).unwrap().is_new);
}

#[test]
fn publish_refuses_a_repository_with_other_files() {
    let scene = Scene::new();
    scene.server.shared.world().create(&address().id(), true);
    let theirs = [("pytorch_model.bin".to_string(), Some(Blob::Small(b"theirs".to_vec())))];
    scene.server.shared.world().get_mut(&address().id()).unwrap().commit(theirs);
    let error = scene.publish(&release(1)).unwrap_err().to_string();
    assert!(error.contains("or an empty repository, found "), "{error}");
    assert_eq!(scene.server.requests("/commit/"), 0);
}

#[test]
fn connections_that_are_always_cut_publish_nothing() {
    let scene = Scene::new();
    scene.server.proxy.cut(usize::MAX);
    let error = scene.publish(&release(1)).unwrap_err().to_string();
    assert!(error.contains("a transfer"), "{error}");
    let world = scene.server.shared.world();
    let repository = world.get(&address().id()).unwrap();
    assert!(repository.commits.len() == 1 && repository.tags.is_empty());
}

#[test]
fn storage_that_damages_what_it_keeps_is_noticed_before_the_tag() {
    let scene = Scene::with(&release(1));
    assert!(scene.server.damage_storage() > 0);
    // The same content again: nothing to commit, but what is there no longer reads back.
    let error = scene.hub().publish(&address(), &release(1), &public("v2"), &Unwatched).unwrap_err().to_string();
    assert!(error.contains(WEIGHTS), "{error}");
    let world = scene.server.shared.world();
    let repository = world.get(&address().id()).unwrap();
    assert!(repository.private && !repository.tags.contains_key("v2"));
}
