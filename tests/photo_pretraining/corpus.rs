//! Fourteen photos of bars and boxes with a sketch each, on disk as Chair-V2's public download lies there, and the
//! weights of an untrained network.

use candle_core::Device;
use image::{Rgb, RgbImage};
use retrace::Result;
use retrace::experiment::{Order, Retrieval, checkpoint_path, train};
use retrace::model::Network;
use retrace::model::weights::{Storage, read, save};
use retrace::paper::photo_pretraining::{Config, PhotoPretraining, SLUG};
use retrace::run::{Places, RunConfig, RunFolder, Summary};
use retrace::seed::Seed;
use retrace::watch::Watch;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Photos to train and validate on; four more are for testing.
const TRAIN: usize = 10;
const PHOTOS: usize = 14;

/// A folder with corpus and weights; runs go below it too.
pub struct CorpusFolder(tempfile::TempDir);

/// The files of a run, without the wall time.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    pub summary: Summary,
    pub ranks: String,
    pub early: String,
    pub log: Vec<String>,
    pub weights: BTreeMap<String, Vec<f32>>,
}

impl CorpusFolder {
    pub fn new(config: &Config) -> Self {
        let bench = Self(tempfile::tempdir().unwrap());
        let root = bench.0.path().join("data/QMUL-Chair-V2");
        for folder in ["photo", "sketch"] {
            std::fs::create_dir_all(root.join(folder)).unwrap();
        }
        (0..PHOTOS).for_each(|i| draw(&root, i));
        let list = |range: std::ops::Range<usize>| range.map(|i| format!("{i:02}.png\n")).collect::<String>();
        std::fs::write(root.join("photo_train.txt"), list(0..TRAIN)).unwrap();
        std::fs::write(root.join("photo_test.txt"), list(TRAIN..PHOTOS)).unwrap();
        bench.put_weights(config, "attributes", Seed(77));
        bench
    }

    /// Puts the initial values of a seed where pre-trained weights of that name are looked for.
    pub fn put_weights(&self, config: &Config, name: &str, seed: Seed) {
        let backbone = Config { head: None, ..config.clone() };
        let network = Network::new(backbone.network(), seed, &Device::Cpu).unwrap();
        save(&self.weights(name), &network.parameters().tensors(), Storage::F32, &BTreeMap::new()).unwrap();
    }

    pub fn remove_weights(&self, name: &str) {
        std::fs::remove_file(self.weights(name)).unwrap();
    }

    fn weights(&self, name: &str) -> PathBuf {
        self.0.path().join(format!("weights/mini-{name}.safetensors"))
    }

    pub fn places(&self, results: &str) -> Places {
        let below = |name: &str| self.0.path().join(name);
        Places {
            results: below(results),
            figures: below("figures"),
            shipped: below(results),
            data: Some(below("data")),
            weights: below("weights"),
            cache: below("cache"),
        }
    }

    pub fn run(&self, results: &str, config: &Config, watch: &dyn Watch) -> Result<RunRecord> {
        self.run_row(results, "ours", config, watch)
    }

    pub fn run_row(&self, results: &str, row: &str, config: &Config, watch: &dyn Watch) -> Result<RunRecord> {
        let (places, run) = (self.places(results), RunConfig { row: row.into(), ..run_of(config) });
        let order = order(&places, watch);
        let summary = Summary { seconds: 0.0, ..train(&PhotoPretraining, &run, &run.dataset, &order)? };
        let folder = run.folder(&places.results);
        let text = |name: &str| std::fs::read_to_string(folder.0.join(name)).unwrap();
        assert!(!folder.0.join("state.safetensors").exists());
        let checkpoint = checkpoint_path(&places.results, SLUG, &run.dataset, &run.row);
        let tensors = if checkpoint.is_file() { read(&checkpoint).unwrap().tensors } else { BTreeMap::new() };
        let flat = |tensor: candle_core::Tensor| tensor.flatten_all().unwrap().to_vec1().unwrap();
        Ok(RunRecord {
            summary,
            ranks: text("ranks.csv"),
            early: text("early.csv"),
            log: text("log.jsonl").lines().skip(1).map(without_time).collect(),
            weights: tensors.into_iter().map(|(name, tensor)| (name, flat(tensor))).collect(),
        })
    }

    /// The files of kept topologies.
    pub fn topologies(&self) -> BTreeSet<PathBuf> {
        let files = std::fs::read_dir(self.0.path().join("cache")).unwrap().map(|file| file.unwrap().path());
        files.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("topology-")).collect()
    }

    /// The folder of a run.
    pub fn folder(&self, results: &str, config: &Config) -> RunFolder {
        run_of(config).folder(&self.places(results).results)
    }

    /// Ranks by the checkpoint of a run, as a CSV.
    pub fn ranks_of_checkpoint(&self, results: &str, config: &Config) -> String {
        let (places, run) = (self.places(results), run_of(config));
        let checkpoint = checkpoint_path(&places.results, SLUG, &run.dataset, &run.row);
        let order = order(&places, &retrace::watch::Unwatched);
        let retrieval = Retrieval::open(&PhotoPretraining, &run, &checkpoint, &run.dataset, &order).unwrap();
        let line = |rank: &retrace::run::Rank| format!("{},{},{}\n", rank.query, rank.photo, rank.rank);
        "query,photo,rank\n".to_string() + &retrieval.ranks().iter().map(line).collect::<String>()
    }
}

fn run_of(config: &Config) -> RunConfig<Config> {
    let (slug, dataset, row) = (SLUG.to_string(), "qmul-chair-v2".to_string(), "ours".to_string());
    RunConfig { slug, dataset, row, seed: Seed(0), config: config.clone() }
}

pub fn order<'a>(places: &'a Places, watch: &'a dyn Watch) -> Order<'a> {
    Order { places, device: &Device::Cpu, command: "retrace train".into(), watch }
}

pub fn without_time(line: &str) -> String {
    let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
    value.as_object_mut().unwrap().remove("seconds");
    value.to_string()
}

/// A box whose place, size and colour are the photo's own, and its outline as a sketch of two strokes.
fn draw(root: &Path, i: usize) {
    let (left, top) = (30 + 11 * (i as u32 % 5), 40 + 9 * (i as u32 % 7));
    let (right, bottom) = (left + 60 + 6 * (i as u32 % 3), top + 50 + 8 * (i as u32 % 4));
    let colour = [19 * i as u8, 200 - 14 * i as u8, 90];
    let inside = |x, y| (left / 8..right / 8).contains(&x) && (top / 8..bottom / 8).contains(&y);
    let photo = RgbImage::from_fn(32, 32, |x, y| Rgb(if inside(x, y) { colour } else { [255; 3] }));
    photo.save(root.join(format!("photo/{i:02}.png"))).unwrap();
    let path = |d: String| format!("<path d=\"{d}\" fill=\"none\" stroke=\"black\"/>");
    let strokes = path(format!("M{left} {top} L{right} {top} L{right} {bottom}"))
        + &path(format!("M{right} {bottom} L{left} {bottom} L{left} {top}"));
    let svg = format!("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"256\" height=\"256\">{strokes}</svg>");
    std::fs::write(root.join(format!("sketch/{i:02}_1.svg")), svg).unwrap();
}
