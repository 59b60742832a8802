//! A paper that is not in the library uses everything that the library does: train, kill and resume, eval, table, claims,
//! figure, page, a notebook session.
#![allow(clippy::unwrap_used)]

mod paper;

use candle_core::Device;
use image::{Rgb, RgbImage};
use paper::{PRINTED, Toy};
use retrace::dataset::{Split, open};
use retrace::experiment::plan::{costs, ready, runs};
use retrace::experiment::{Order, Paper, Reproduction, figure, find, page};
use retrace::model::weights;
use retrace::notebook::{Profile, Session};
use retrace::report::claim::{self, Claim, Verdict};
use retrace::report::render;
use retrace::run::{Places, RunId};
use retrace::seed::Seed;
use retrace::watch::{Unwatched, Watch};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Two classes of photos, a dark bar each, and a sketch of each: the bar's place, a little off.
fn corpus(root: &Path) -> PathBuf {
    let corpus = root.join("toys");
    std::fs::create_dir_all(&corpus).unwrap();
    let mut manifest = "sketch,photo,split,category\n".to_string();
    for i in 0..18_u32 {
        let (class, split) =
            (["bars", "poles"][i as usize % 2], ["train", "train", "valid", "test"][i as usize / 2 % 4]);
        let dark =
            |x: u32, y: u32| if class == "bars" { y / 4 == i / 2 % 8 || x < i } else { x / 4 == i / 2 % 8 || y < i };
        let picture = |ink: u8, off: u32| {
            RgbImage::from_fn(32, 32, |x, y| Rgb(if dark(x + off, y) { [ink; 3] } else { [255; 3] }))
        };
        picture(20 + 3 * i as u8, 0).save(corpus.join(format!("p{i:02}.png"))).unwrap();
        picture(0, i % 3).save(corpus.join(format!("s{i:02}.png"))).unwrap();
        manifest += &format!("s{i:02}.png,p{i:02}.png,{split},{class}\n");
    }
    std::fs::write(corpus.join("manifest.csv"), manifest).unwrap();
    corpus
}

fn places(root: &Path, results: &str) -> Places {
    let below = |name: &str| root.join(name);
    let results = below(results);
    Places {
        shipped: results.clone(),
        results,
        figures: below("figures"),
        data: None,
        weights: below("w"),
        cache: below("c"),
    }
}

fn order<'a>(places: &'a Places, watch: &'a dyn Watch) -> Order<'a> {
    Order { places, device: &Device::Cpu, command: "retrace train toy".into(), watch }
}

fn run(row: &str, seed: u64) -> RunId {
    RunId { slug: "toy".into(), dataset: "toys".into(), row: row.into(), seed: Seed(seed) }
}

/// The files of a run, without its time.
fn record(places: &Places, run: &RunId) -> [String; 3] {
    let folder = run.folder(&places.results);
    let text = |name: &str| std::fs::read_to_string(folder.0.join(name)).unwrap();
    let timeless = |line: &str| line.split(",\"seconds\"").next().unwrap().to_string();
    [text("config.json"), text("ranks.csv"), text("log.jsonl").lines().map(timeless).collect::<Vec<_>>().join("\n")]
}

/// Ends the whole program after so many steps, as a kill would.
struct Killer(AtomicUsize);

impl Watch for Killer {
    fn advance(&self, task: &str, _: usize, _: usize) {
        if task == "steps" && self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
    }
    fn note(&self, _: &str) {}
    fn is_stopped(&self) -> bool {
        false
    }
}

#[test]
fn toy_killed_in_either_phase_ends_as_if_unbroken() {
    const PLACE: &str = "RETRACE_TEST_PLACE";
    if let Some(place) = std::env::var_os(PLACE) {
        let (root, steps) = (PathBuf::from(place), std::env::var("RETRACE_TEST_STEPS").unwrap().parse().unwrap());
        let places = places(&root, &format!("killed-{steps}"));
        let (killer, corpus) = (Killer(AtomicUsize::new(steps)), root.join("toys"));
        Toy.train(&run("weighed", 0), None, corpus.to_str().unwrap(), &order(&places, &killer)).unwrap();
        unreachable!("the training takes more steps than that");
    }
    let root = tempfile::tempdir().unwrap();
    let corpus = corpus(root.path());
    let train = |places: &Places| {
        Toy.train(&run("weighed", 0), None, corpus.to_str().unwrap(), &order(places, &Unwatched)).unwrap();
        record(places, &run("weighed", 0))
    };
    let whole = train(&places(root.path(), "whole"));
    assert_eq!(whole[2].lines().count(), 1 + 5);
    for steps in [1, 2, 4] {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", "toy_killed_in_either_phase_ends_as_if_unbroken"]);
        let died = program.env(PLACE, root.path()).env("RETRACE_TEST_STEPS", steps.to_string()).output().unwrap();
        let places = places(root.path(), &format!("killed-{steps}"));
        let folder = run("weighed", 0).folder(&places.results);
        assert!(!died.status.success() && !folder.is_finished());
        assert_eq!(folder.0.join("state.safetensors").is_file(), steps > 1, "a state stands after the first epoch");
        assert_eq!(train(&places), whole, "killed in step {steps}");
    }
}

#[test]
fn toy_is_tabulated_judged_drawn_and_asked() {
    let root = tempfile::tempdir().unwrap();
    let corpus = corpus(root.path());
    let (corpus, places) = (corpus.to_str().unwrap(), places(root.path(), "results"));
    let order = order(&places, &Unwatched);
    let toy: &dyn Reproduction = find(&[&Toy], "toy").unwrap();
    let (plan, waiting) = ready(toy, runs(toy, &["main"], &["toys".into()], 3).unwrap(), &places).unwrap();
    assert!(plan.len() == 2 * 3 && waiting.is_empty() && runs(toy, &["table9"], &[], 1).is_err());
    for run in &plan {
        toy.train(run, None, corpus, &order).unwrap();
    }
    assert_eq!(costs(&plan, &places.results, &places.results).unwrap()[0].finished, 6);

    // Every query meets the photos of its own class alone, and the record says how many these are.
    let found = toy.open_row(&places.results, "toys", "weighed", corpus, &order).unwrap();
    let folder = run("weighed", 0).folder(&places.results);
    assert_eq!(
        (found.ranks(), found.check(&folder).unwrap()),
        (&folder.ranks().unwrap()[..], folder.summary().unwrap().acc1)
    );
    let source = open(corpus, None).unwrap();
    let (queries, index) = (found.queries(), source.index());
    for (query, sketch) in queries.sketches.iter().enumerate() {
        let class = &index.photos[index.sketches[*sketch].photo].category;
        assert!(queries.gallery(query).iter().all(|photo| &index.photos[*photo].category == class));
        assert_eq!(found.ranks()[query].gallery, Some(queries.gallery(query).len() as u32));
    }
    assert_eq!(queries.photos(), index.photos_of(Split::Test));
    assert!(found.embed_photos(&[0]).unwrap_err().to_string().contains("a model with only a distance"));

    let (table, _) = render::write(&places.results, &Toy.tables()[0]).unwrap();
    let cells: Vec<_> =
        table.lines.iter().map(|line| (line.paper.as_deref(), line.measured.as_ref().unwrap().seeds)).collect();
    assert_eq!(cells, [(Some("50.0"), 3), (Some("75.0"), 3)]);
    let (findings, _) = claim::write(&places.results, &Claim::read_all(&PRINTED).unwrap()).unwrap();
    assert!(findings.len() == 1 && findings[0].verdict != Verdict::NotRun && findings[0].seeds == [3, 3]);
    let drawn = figure::draw(toy, &order).unwrap();
    let names: Vec<_> = drawn.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["main-bars", "curves-toys", "phases"]);
    let blocks = page::page(&Toy, &places.results).unwrap();
    assert!(blocks[0].1.contains("Weights help (Table 1)") && blocks[1].1.contains("8 x 8 pixels"));

    let session = Session::at(Toy, Profile::Smoke, places.clone(), Device::Cpu);
    assert_eq!(session.config("toys", "weighed").unwrap().epochs, [2, 3]);
    let error = toy.settings("toys", "square", None).unwrap_err().to_string();
    assert!(error.contains("plain or weighed") && error.contains("`square`"), "{error}");
    let path = root.path().join("results/checkpoints/toy/toys/weighed.safetensors");
    assert_eq!(weights::read(&path).unwrap().tensors.keys().collect::<Vec<_>>(), ["mean", "weight"]);
}
