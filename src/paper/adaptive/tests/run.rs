//! Whole runs on a few bars and boxes.

use super::super::{Adaptive, AdaptiveModel, AdaptiveNetwork, Config, EpisodeConfig, Reach, SLUG, Training};
use crate::dataset::Split;
use crate::experiment::ranker::evaluate;
use crate::experiment::{Bench, Kept, Order, Paper};
use crate::model::weights::{self, Storage};
use crate::run::{Places, RunConfig, Summary};
use crate::seed::Seed;
use crate::watch::{Unwatched, Watch};
use candle_core::Device;
use std::path::{Path, PathBuf};

/// Four classes of bars, the last one unseen, eight pictures each with two sketches; and weights of an untrained network.
pub(super) fn corpus(root: &Path) -> String {
    use image::{Rgb, RgbImage};
    let corpus = root.join("bars");
    std::fs::create_dir_all(&corpus).unwrap();
    std::fs::create_dir_all(root.join("w")).unwrap();
    let mut manifest = "sketch,photo,split,category\n".to_string();
    for n in 0..32_u32 {
        let (class, at) = (n as usize / 8, 3 + 3 * (n % 8));
        let is_dark = |x: u32, y: u32| match class {
            0 => x.abs_diff(at) < 2,
            1 => y.abs_diff(at) < 2,
            2 => x.abs_diff(at) < 3 && y > 16,
            _ => y.abs_diff(at) < 3 && x > 16,
        };
        let picture = |ink: u8| RgbImage::from_fn(32, 32, |x, y| Rgb([if is_dark(x, y) { ink } else { 255 }; 3]));
        picture(60 + 4 * n as u8).save(corpus.join(format!("p{n:02}.png"))).unwrap();
        let split = ["train", "train", "valid", "test"][class];
        let name = ["lamp", "mug", "owl", "key"][class];
        for (hand, ink) in [0, 40].into_iter().enumerate() {
            picture(ink).save(corpus.join(format!("s{n:02}-{hand}.png"))).unwrap();
            manifest += &format!("s{n:02}-{hand}.png,p{n:02}.png,{split},{name}\n");
        }
    }
    std::fs::write(corpus.join("manifest.csv"), manifest).unwrap();
    let config = Config::preset("synth-world", "baseline").unwrap();
    let network = AdaptiveNetwork::new(&config, Seed(7), &Device::Cpu).unwrap();
    let is_backbone = |name: &str| !["attention.", "head.", "margin."].iter().any(|other| name.starts_with(other));
    let tensors = network.tensors().into_iter().filter(|(name, _)| is_backbone(name)).collect();
    let path = root.join("w/mini-attributes.safetensors");
    weights::save(&path, &tensors, Storage::F16, &Default::default()).unwrap();
    corpus.to_str().unwrap().to_string()
}

pub(super) fn config(row: &str) -> Config {
    let mut config = Config::preset("synth-world", row).unwrap();
    (config.fit.epochs, config.fit.batch, config.prepare.side) = (config.fit.epochs.min(2), 4, 32);
    config.episode = EpisodeConfig { shots: 3, queries: 3, gallery: 6, tasks: 2 };
    if let Training::PerClass { passes } = &mut config.training {
        *passes = 2;
    }
    config
}

pub(super) struct Place(pub tempfile::TempDir, pub String);

impl Place {
    pub fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let corpus = corpus(root.path());
        Self(root, corpus)
    }

    pub fn places(&self, name: &str) -> Places {
        let below = |part: &str| self.0.path().join(part);
        let results: PathBuf = below(name).join("results");
        Places {
            figures: below("f"),
            shipped: results.clone(),
            results,
            data: None,
            weights: below("w"),
            cache: below(name).join("cache"),
        }
    }

    fn train(&self, name: &str, row: &str, config: Config, watch: &dyn Watch) -> crate::Result<(Summary, Vec<u8>)> {
        let places = self.places(name);
        let run = RunConfig { slug: SLUG.into(), dataset: "bars".into(), row: row.into(), seed: Seed(1), config };
        let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch };
        let summary = crate::experiment::train(&Adaptive, &run, &self.1, &order)?;
        Ok((summary, std::fs::read(run.folder(&places.results).0.join("ranks.csv")).unwrap()))
    }
}

/// Stops once so many steps are done.
struct Stopper(std::sync::atomic::AtomicUsize);

impl Watch for Stopper {
    fn advance(&self, task: &str, _: usize, _: usize) {
        if task == "steps" {
            self.0.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        }
    }
    fn note(&self, _: &str) {}
    fn is_stopped(&self) -> bool {
        self.0.load(std::sync::atomic::Ordering::SeqCst) == 0
    }
}

#[test]
fn every_row_trains_and_ends_the_same_whether_stopped_or_not() {
    let place = Place::new();
    for row in ["baseline-regularised", "ours", "maml", "sign-maml", "anil", "distill", "upper-bound"] {
        let whole = place.train(&format!("whole-{row}"), row, config(row), &Unwatched).unwrap();
        assert_eq!((whole.0.queries, whole.0.gallery), (8, 8), "{row}");
        let name = format!("parts-{row}");
        // In the second epoch, of 2 steps where tasks are trained on, else of 8.
        let steps = if config(row).training == Training::Episodes { 3 } else { 10 };
        let stopped = place.train(&name, row, config(row), &Stopper(steps.into()));
        assert!(stopped.is_err(), "{row}");
        let parts = place.train(&name, row, config(row), &Unwatched).unwrap();
        assert_eq!((parts.0.selected_epoch, parts.1), (whole.0.selected_epoch, whole.1), "{row}");
    }
}

#[test]
fn rows_that_differ_at_test_share_one_training() {
    let place = Place::new();
    let (base, _) = place.train("shared", "baseline", config("baseline"), &Unwatched).unwrap();
    // A stop at the first step: nothing is trained again.
    let (fine, _) = place.train("shared", "fine-tune", config("fine-tune"), &Stopper(1.into())).unwrap();
    assert_eq!((fine.selected_epoch, fine.seconds), (base.selected_epoch, base.seconds));
    let logs = ["baseline", "fine-tune"].map(|row| {
        let folder = place.places("shared").results.join(SLUG).join("bars").join(row).join("seed1");
        let text = std::fs::read_to_string(folder.join("log.jsonl")).unwrap();
        text.lines().skip(1).map(String::from).collect::<Vec<_>>()
    });
    assert!(logs[0] == logs[1] && logs[0].len() == 2, "{logs:?}");
}

#[test]
fn one_network_a_class_is_kept_with_its_class() {
    let place = Place::new();
    let (summary, _) = place.train("experts", "single-class", config("single-class"), &Unwatched).unwrap();
    assert_eq!((summary.queries, summary.selected_epoch), (8, Some(1)));
    let places = place.places("experts");
    let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
    let run = RunConfig {
        slug: SLUG.into(),
        dataset: "bars".into(),
        row: "single-class".into(),
        seed: Seed(0),
        config: config("single-class"),
    };
    let found = crate::experiment::train(&Adaptive, &run, &place.1, &order).unwrap();
    let path = places.results.join("checkpoints").join(SLUG).join("bars/single-class.safetensors");
    let opened = crate::experiment::Retrieval::open(&Adaptive, &run, &path, &place.1, &order).unwrap();
    assert_eq!(opened.scores().unwrap().acc1, found.acc1);
}

/// What changes a setting.
type Change = Box<dyn Fn(&mut Config)>;

/// Changing any setting changes the trained weights or the ranks' distances.
#[test]
fn every_setting_has_an_effect() {
    let place = Place::new();
    let places = place.places("effects");
    let outcome = |row: &str, config: Config| {
        let run = RunConfig { slug: SLUG.into(), dataset: "bars".into(), row: row.into(), seed: Seed(1), config };
        let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
        let needs = run.config.needs();
        let bench = Bench::divide(&place.1, &needs, run.seed, &places).unwrap();
        let folder = crate::run::RunFolder(tempfile::tempdir_in(place.0.path()).unwrap().keep());
        let header = bench.header(&run, None, &order).unwrap();
        let mut log = crate::train::Log::create(&folder.0.join("log.jsonl"), &header).unwrap();
        let trial = crate::experiment::Trial { run: &run, bench: &bench, folder: &folder, order: &order };
        let fitted = super::super::fit::fit(&trial, &mut log).unwrap();
        let index = bench.index();
        let tasks = super::super::task::ranked(index, Split::Test, &run.config).unwrap();
        let queries = super::super::task::queries(index, Split::Test, &tasks, run.config.setting);
        let far = crate::experiment::ranker::distances(&fitted.model, &queries, &[crate::experiment::View::Whole]);
        (far.unwrap().concat().concat(), bench.index().photos_of(Split::Valid), fitted.outcome.unwrap().epoch)
    };
    // One epoch of two steps shows what a setting does.
    let config = |row: &str| {
        let mut short = config(row);
        short.fit.epochs = 1;
        short
    };
    let ours = outcome("ours", config("ours"));
    let changes: Vec<(&str, Change)> = vec![
        ("norm", Box::new(|c| c.norm = crate::model::NormConfig::frozen())),
        ("attention", Box::new(|c| c.attention = None)),
        ("dimension", Box::new(|c| c.dimension = 8)),
        ("prepare", Box::new(|c| c.prepare.side = 64)),
        ("augment", Box::new(|c| c.augment = crate::sketch::AugmentConfig::none())),
        ("shots", Box::new(|c| c.episode.shots = 1)),
        ("queries", Box::new(|c| c.episode.queries = 2)),
        ("gallery", Box::new(|c| c.episode.gallery = 8)),
        ("tasks", Box::new(|c| c.episode.tasks = 1)),
        ("margin", Box::new(|c| c.margin = 0.5)),
        ("task", Box::new(|c| c.task = crate::experiment::TaskLoss::Contrastive { temperature: 0.1 })),
        ("steps", Box::new(|c| c.inner.step.steps = 2)),
        ("inner rate", Box::new(|c| c.inner.step.rate = 0.1)),
        ("rule", Box::new(|c| c.inner.step.rule = super::super::StepRule::Sign)),
        ("order", Box::new(|c| c.inner.step.order = super::super::MetaOrder::First)),
        ("hinge", Box::new(|c| c.inner.step.hinge = super::super::Hinge::Hard)),
        ("inner margin", Box::new(|c| c.inner.margin = super::super::MarginSource::Learned { start: 0.2 })),
        ("start", Box::new(|c| c.inner.margin = super::super::MarginSource::Predicted { start: 0.4 })),
        ("domain", Box::new(|c| c.losses.domain = 0.0)),
        ("class", Box::new(|c| c.losses.class = 0.0)),
        ("semantic", Box::new(|c| c.losses.semantic = 0.0)),
        ("rate", Box::new(|c| c.optimiser.rate = 1e-3)),
        ("epochs", Box::new(|c| c.fit.epochs = 2)),
        ("schedule", Box::new(|c| c.fit.schedule = crate::train::Schedule::Constant)),
    ];
    for (name, change) in changes {
        let mut changed = config("ours");
        change(&mut changed);
        assert_ne!(outcome("ours", changed).0, ours.0, "{name}");
    }
    let mut head = config("anil");
    head.inner.reach = Reach::All;
    assert_ne!(outcome("anil", head).0, outcome("anil", config("anil")).0, "reach");
    let mut batch = config("baseline");
    batch.fit.batch = 8;
    assert_ne!(outcome("baseline", batch).0, outcome("baseline", config("baseline")).0, "batch");
    let mut distill = config("distill");
    distill.training = Training::Distill { weight: 0.1 };
    assert_ne!(outcome("distill", distill).0, outcome("distill", config("distill")).0, "distill");
}

#[test]
fn another_draw_of_the_support_gives_other_distances_and_kept_features_the_same() {
    let place = Place::new();
    let places = place.places("draws");
    let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
    let bench = Bench::open(&place.1, &places).unwrap();
    let network = AdaptiveNetwork::new(&config("ours"), Seed(2), &Device::Cpu).unwrap();
    assert!(network.release().0.contains_key("network/margin.weight"));
    let mut model = AdaptiveModel::open(network, &bench, &[Split::Test], &order).unwrap();
    let queries = Adaptive.queries("bars", "ours", bench.index(), Split::Test);
    let far = |model: &AdaptiveModel| {
        crate::experiment::ranker::distances(model, &queries, &[crate::experiment::View::Whole])
            .unwrap()
            .concat()
            .concat()
    };
    let before = far(&model);
    model.remember().unwrap();
    assert_eq!(far(&model), before);
    assert_eq!(evaluate(&model, &queries).unwrap().len(), 8);
    model.network.draw = 5;
    assert_ne!(far(&model), before);
}

/// The folder of a user: pairs of two classes to adapt to, and what is ranked.
#[test]
fn a_users_pairs_are_adapted_to_or_it_is_said_what_is_missing() {
    let place = Place::new();
    let places = place.places("user");
    let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
    let manifest = PathBuf::from(&place.1).join("manifest.csv");
    let whole = std::fs::read_to_string(&manifest).unwrap();
    let ranked = |row: &str, text: &str| {
        std::fs::write(&manifest, text).unwrap();
        let run = RunConfig {
            slug: SLUG.into(),
            dataset: "bars".into(),
            row: row.into(),
            seed: Seed(0),
            config: config(row),
        };
        let network = AdaptiveNetwork::new(&run.config, Seed(0), &Device::Cpu).unwrap();
        crate::experiment::Retrieval::adapted(&Adaptive, &run, network, &place.1, &order)
            .map(|found| found.ranks().len())
            .map_err(|error| error.to_string())
    };
    // The first half of each class to adapt to, the rest to rank.
    let part = |n: usize| if n % 8 < 4 { "train" } else { "test" };
    let line = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let number: usize = cells[1][1..3].parse().unwrap();
        format!("{},{},{},{}\n", cells[0], cells[1], part(number), cells[3])
    };
    let head = "sketch,photo,split,category\n";
    let own: String = whole.lines().skip(1).map(line).collect();
    let of = |keep: &dyn Fn(&str) -> bool| {
        head.to_string() + &own.lines().filter(|line| keep(line)).map(|line| format!("{line}\n")).collect::<String>()
    };
    assert_eq!(ranked("ours", &of(&|_| true)), Ok(32));
    assert_eq!(ranked("fine-tune", &of(&|_| true)), Ok(32));
    let silent = ranked("ours", &of(&|line| !line.contains("train,owl"))).unwrap_err();
    assert!(silent.contains("pairs of `owl` to adapt to: expected 1 or more"), "{silent}");
    let bare = ranked("ours", &of(&|line| !line.contains("test,owl"))).unwrap_err();
    assert!(bare.contains("photos to rank of class `owl`, which has pairs: expected 1 or more"), "{bare}");
    let lost = ranked("ours", &of(&|_| true).replace("p00.png", "p99.png")).unwrap_err();
    assert!(lost.contains("p99.png") && lost.contains("line 2"), "{lost}");
    let fixed = ranked("baseline", &of(&|_| true)).unwrap_err();
    assert!(fixed.contains("one of a row that adapts"), "{fixed}");
}
