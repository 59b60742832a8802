//! Python's own client against the same Hub: each side reads what the other wrote.

use crate::server::{TOKEN, USER};
use crate::*;
use retrace::experiment::{Order, Reproduction};
use retrace::paper::photo_pretraining::PhotoPretraining;
use retrace::run::Places;
use std::process::Command;

/// `check.py` in a Python that has `huggingface_hub`.
fn python(scene: &Scene, words: &[&str]) -> Option<String> {
    let Some(python) = std::env::var_os("RETRACE_HUB_PYTHON") else {
        eprintln!("skipped: RETRACE_HUB_PYTHON not set");
        return None;
    };
    let script = root().join("tests/hub/check.py");
    let output = Command::new(python)
        .arg(script)
        .args(words)
        .env("HF_ENDPOINT", &scene.server.endpoint)
        .env("HF_TOKEN", TOKEN)
        .env("HF_HOME", scene.place.path().join("python"))
        .env("NO_PROXY", "127.0.0.1,localhost")
        .output()
        .unwrap();
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{errors}");
    Some(said.into_owned())
}

#[test]
fn python_finds_no_mismatch_in_what_was_published() {
    let release = release(1);
    let scene = Scene::with(&release);
    let folder = scene.place.path().join("copy");
    let Some(said) = python(&scene, &["read", &address().id(), "v1", folder.to_str().unwrap()]) else { return };
    assert!(said.contains("0 mismatches of 4 files"), "{said}");
    assert_same(&folder, &release);
}

#[test]
fn what_python_uploads_is_downloaded() {
    let (scene, release) = (Scene::new(), release(3));
    let folder = scene.place.path().join("upload");
    std::fs::create_dir(&folder).unwrap();
    for (name, bytes) in release.files() {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let address = Address::new(USER, "from-python").unwrap();
    let Some(said) = python(&scene, &["write", &address.id(), "v1", folder.to_str().unwrap()]) else { return };
    assert!(said.contains("uploaded"), "{said}");
    let snapshot = scene.hub().download(&address.at("v1").unwrap(), &[], &Unwatched).unwrap();
    assert_same(&snapshot.folder, &release);
}

/// Python links from a repository's cache to content that several of them share, or keeps it there: ours follows both.
#[test]
fn the_cache_is_shared() {
    let release = release(1);
    let scene = Scene::with(&release);
    let Some(_) = python(&scene, &["cache", &address().id(), "v1", "-"]) else { return };
    let offline = HubConfig { offline: true, cache: Some(scene.place.path().join("python/hub")), ..scene.config() };
    let snapshot = Hub::open(offline).unwrap().download(&address().at("v1").unwrap(), &[], &Unwatched).unwrap();
    assert_same(&snapshot.folder, &release);
}

#[test]
fn python_finds_what_ours_cached() {
    let release = release(1);
    let scene = Scene::with(&release);
    let snapshot = scene.hub().download(&address().at("v1").unwrap(), &[], &Unwatched).unwrap();
    let Some(said) = python(&scene, &["offline", &address().id(), "v1", scene.cache().to_str().unwrap()]) else {
        return;
    };
    assert_eq!(Path::new(said.trim()).canonicalize().unwrap(), snapshot.folder.canonicalize().unwrap());
}

#[test]
fn python_reads_the_card() {
    let (scene, root) = (Scene::new(), root());
    let places = Places {
        results: root.join("results"),
        figures: root.join("figures"),
        shipped: root.join("results"),
        data: None,
        weights: root.join("local/weights"),
        cache: scene.place.path().join("cache"),
    };
    let order = Order { places: &places, device: &candle_core::Device::Cpu, command: "test".into(), watch: &Unwatched };
    let release = PhotoPretraining.release("synth-chair", "ours", &address().at("v1").unwrap(), None, &order).unwrap();
    let path = scene.place.path().join("README.md");
    std::fs::write(&path, release.get("README.md").unwrap()).unwrap();
    let Some(said) = python(&scene, &["card", "-", "-", path.to_str().unwrap()]) else { return };
    assert!(said.starts_with("apache-2.0 retrace synth-chair Acc@1 36.7"), "{said}");
}
