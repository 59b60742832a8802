//! The binary against the loopback Hub, as a user types it: the shipped rows published, downloaded and evaluated.

use crate::server::world::Blob;
use crate::server::{Server, TOKEN, USER};
use candle_core::{Device, Tensor};
use retrace::experiment::release;
use retrace::model::weights::{self, Storage};
use retrace::model::{Allowance, Architecture, NormConfig, Parameters, build};
use retrace::paper::photo_pretraining::PhotoPretraining;
use retrace::seed::Seed;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The program that was built with the feature `hub` in the profile of these tests.
fn binary() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent().and_then(Path::parent).unwrap().join("retrace");
    assert!(path.is_file(), "no {}: build it first, `cargo build --release --features hub`", path.display());
    path
}

/// The binary in the repository's folder, told of nothing but this Hub.
fn retrace(server: &Server, home: &Path, words: &[&str]) -> Output {
    Command::new(binary())
        .args(words)
        .current_dir(crate::root())
        .env("HF_ENDPOINT", &server.endpoint)
        .env("HF_HOME", home)
        .env("HF_TOKEN", TOKEN)
        .env_remove("HF_HUB_CACHE")
        .env_remove("HF_HUB_OFFLINE")
        .env("NO_PROXY", "127.0.0.1,localhost")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// What a row's repository holds.
const FILES: [&str; 5] = ["LICENSE", "README.md", "config.json", "model.safetensors", "ranks.csv"];

/// The corpora whose rows are published: the real ones if they are available.
fn corpora() -> Vec<&'static str> {
    let embedded = ["synth-chair", "synth-shoe"];
    match std::env::var_os("RETRACE_DATA") {
        Some(_) => embedded.into_iter().chain(["qmul-chair-v2", "qmul-shoe-v1"]).collect(),
        None => {
            eprintln!("skipped on real data: RETRACE_DATA not set");
            embedded.to_vec()
        }
    }
}

#[test]
fn shipped_rows_are_published_and_evaluated_from_a_download() {
    let (server, home) = (Server::start(), tempfile::tempdir().unwrap());
    for (dataset, row) in corpora().into_iter().flat_map(|dataset| [(dataset, "ours-base"), (dataset, "ours")]) {
        let run = format!("photo_pretraining/{dataset}/{row}");
        let said = retrace(&server, home.path(), &["publish", &run, "--tag", "v0.9.0"]);
        assert!(said.status.success() && text(&said).contains(": published as"), "{}", text(&said));
        let again = retrace(&server, home.path(), &["publish", &run, "--tag", "v0.9.0"]);
        assert!(again.status.success() && text(&again).contains(": unchanged as"), "{}", text(&again));
        let address = format!("{USER}/photo_pretraining-{row}-{dataset}@v0.9.0");
        let fresh = tempfile::tempdir().unwrap();
        let said = retrace(&server, fresh.path(), &["eval", "--from", &address]);
        assert!(said.status.success() && text(&said).contains(": confirmed"), "{}", text(&said));
        let whole = retrace(&server, fresh.path(), &["download", &address]);
        assert!(FILES.iter().all(|name| text(&whole).contains(name)), "{}", text(&whole));
        let again = retrace(&server, fresh.path(), &["download", "--offline", &address]);
        assert_eq!((again.status.success(), &again.stdout), (true, &whole.stdout), "{}", text(&again));
        for said in [&said, &whole] {
            assert!(!text(said).contains(TOKEN));
        }
    }
    let files =
        server.shared.world().get(&format!("{USER}/photo_pretraining-ours-synth-chair")).unwrap().head().files.len();
    assert_eq!(files, FILES.len() + 1, "and .gitattributes");
}

/// Copies what publishing a row of synth-chair needs.
fn copy_row(row: &str, results: &Path) {
    let shipped = crate::root().join("results");
    let record = Path::new("photo_pretraining/synth-chair").join(row).join("seed0");
    let checkpoint = Path::new("checkpoints/photo_pretraining/synth-chair").join(format!("{row}.safetensors"));
    let files = ["config.json", "log.jsonl", "ranks.csv", "summary.json"].map(|name| record.join(name));
    for file in files.iter().chain([&checkpoint]) {
        std::fs::create_dir_all(results.join(file).parent().unwrap()).unwrap();
        std::fs::copy(shipped.join(file), results.join(file)).unwrap();
    }
}

#[test]
fn all_rows_go_and_one_that_cannot_does_not_stop_the_others() {
    let (server, home, results) = (Server::start(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for row in ["multi-task", "ours", "ours-base"] {
        copy_row(row, results.path());
    }
    let damaged = results.path().join("checkpoints/photo_pretraining/synth-chair/ours.safetensors");
    std::fs::write(damaged, "damaged").unwrap();
    let place = results.path().to_str().unwrap();
    let said =
        retrace(&server, home.path(), &["publish", "--all", "photo_pretraining", "--results", place, "--public"]);
    assert!(!said.status.success(), "{}", text(&said));
    let lines = text(&said);
    for part in [
        "[1/3] photo_pretraining/synth-chair/multi-task: published",
        "[2/3] photo_pretraining/synth-chair/ours: ",
        "ours.safetensors: expected",
        "[3/3] photo_pretraining/synth-chair/ours-base: published",
        "found 1 that are not: synth-chair/ours\n",
    ] {
        assert!(lines.contains(part), "{part}: {lines}");
    }
    let world = server.shared.world();
    let is_public = |row: &str| world.get(&format!("{USER}/photo_pretraining-{row}-synth-chair")).map(|r| !r.private);
    assert_eq!(["multi-task", "ours", "ours-base"].map(is_public), [Some(true), None, Some(true)]);
}

#[test]
fn a_dry_run_shows_every_file_and_sends_nothing() {
    let (server, home) = (Server::start(), tempfile::tempdir().unwrap());
    let folder = home.path().to_str().unwrap();
    let run = "photo_pretraining/synth-chair/ours";
    let said = retrace(&server, home.path(), &["publish", run, "--dry-run", "--namespace", "me", "--into", folder]);
    assert!(said.status.success(), "{}", text(&said));
    for part in FILES.iter().chain(&["me/photo_pretraining-ours-synth-chair@v", "sha256", "nothing was sent"]) {
        assert!(text(&said).contains(part), "{part}: {}", text(&said));
    }
    assert_eq!(server.requests(""), 0);
    let written = home.path().join("photo_pretraining-ours-synth-chair");
    let (run, _) = release::load(&PhotoPretraining, &written, &Device::Cpu).unwrap();
    assert_eq!((run.row.as_str(), run.config.architecture), ("ours", Architecture::Mini));
}

#[test]
fn eval_refuses_a_card_with_a_higher_accuracy() {
    let (server, home) = (Server::start(), tempfile::tempdir().unwrap());
    let run = "photo_pretraining/synth-chair/ours";
    assert!(retrace(&server, home.path(), &["publish", run]).status.success());
    {
        let mut world = server.shared.world();
        let repository = world.get_mut(&format!("{USER}/photo_pretraining-ours-synth-chair")).unwrap();
        let Blob::Small(card) = repository.head().files["README.md"].clone() else { panic!() };
        let card = String::from_utf8(card).unwrap();
        let start = card.find("value: ").unwrap() + "value: ".len();
        let end = start + card[start..].find('\n').unwrap();
        let better = format!("{}99.0{}", &card[..start], &card[end..]);
        repository.commit([("README.md".to_string(), Some(Blob::Small(better.into_bytes())))]);
    }
    let address = format!("{USER}/photo_pretraining-ours-synth-chair@main");
    let said = retrace(&server, home.path(), &["eval", "--from", &address]);
    assert!(!said.status.success() && text(&said).contains("Acc@1 99.0 as the card says"), "{}", text(&said));
}

#[test]
fn mistyped_commands_name_the_mistake() {
    let (server, home) = (Server::start(), tempfile::tempdir().unwrap());
    for (words, part) in [
        (["publish", "ours"].as_slice(), "photo_pretraining/<corpus>/<row>"),
        (&["publish", "photo_pretraining/synth-chair/absent"], "a finished seed 0 of absent on synth-chair"),
        (&["publish"], "required"),
        (&["download", "nobody"], "<owner>/<name>[@<revision>]"),
        (&["eval", "--from", "somebody/absent"], "somebody/absent"),
        (&["eval", "--from", "a/b", "--row", "ours"], "cannot be used with"),
    ] {
        let said = retrace(&server, home.path(), words);
        assert!(!said.status.success() && text(&said).contains(part), "{words:?}: {}", text(&said));
    }
}

/// EfficientNet-Lite0 under timm's names, as the table's repository has it: random numbers in the right shapes.
fn foreign_weights() -> Vec<u8> {
    #[derive(serde::Deserialize)]
    struct Fixture {
        tensors: BTreeMap<String, Vec<usize>>,
    }
    let path = crate::root().join("tests/fixtures/model/efficientnet-lite0-timm.json");
    let fixture: Fixture = retrace::file::read_json(&path).unwrap();
    let is_count = |name: &str| name.ends_with("num_batches_tracked");
    let tensor = |shape: &[usize]| Tensor::rand(0.5_f32, 1.5, shape, &Device::Cpu).unwrap();
    let named = fixture.tensors.iter().filter(|(name, _)| !is_count(name));
    let tensors = named.map(|(name, shape)| (name.clone(), tensor(shape))).collect();
    let file = tempfile::tempdir().unwrap().keep().join("model.safetensors");
    weights::save(&file, &tensors, Storage::F32, &BTreeMap::new()).unwrap();
    std::fs::read(file).unwrap()
}

#[test]
fn a_published_backbone_is_fetched_under_our_names() {
    let (server, home, place) = (Server::start(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let repository = "timm/tf_efficientnet_lite0.in1k";
    {
        let mut world = server.shared.world();
        world.create(repository, false).unwrap();
        let file = ("model.safetensors".to_string(), Some(Blob::Small(foreign_weights())));
        world.get_mut(repository).unwrap().commit([file]);
        world.create("timm/resnet18.tv_in1k", false).unwrap();
    }
    let folder = place.path().to_str().unwrap();
    let said = retrace(&server, home.path(), &["weights", "fetch", "efficientnet-lite0", "--weights", folder]);
    assert!(said.status.success() && text(&said).contains("apache-2.0"), "{}", text(&said));
    let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
    build(Architecture::EfficientNetLite0, &mut parameters.root(), NormConfig::default()).unwrap();
    let written = place.path().join("efficientnet-lite0-imagenet.safetensors");
    weights::load(&written, &parameters, &Allowance::default()).unwrap();
    // The table pins a commit of this one, which is not what stands here.
    let said = retrace(&server, home.path(), &["weights", "fetch", "resnet18", "--weights", folder]);
    assert!(!said.status.success() && text(&said).contains("timm/resnet18.tv_in1k@bbd144b"), "{}", text(&said));
    let said = retrace(&server, home.path(), &["weights", "list"]);
    assert!(said.status.success() && text(&said).contains("openai/clip-vit-base-patch32@"), "{}", text(&said));
}
