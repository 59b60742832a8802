//! Tests of this paper's own parts: rows and their settings, the ranker against single pairs, a training from end to end.

use super::*;
use crate::experiment::{Kept, Ranker, View};
use crate::model::Mode;
use crate::report::claim::Claim;
use crate::run::Places;
use crate::seed::Seed;
use crate::watch::Unwatched;
use candle_core::Tensor;
use image::{Rgb, RgbImage};
use std::path::Path;

/// Eight photos of two dark spots, each with a sketch of both; of two more pairs one validates and two test.
fn spots(root: &Path) -> String {
    let corpus = root.join("spots");
    std::fs::create_dir_all(&corpus).unwrap();
    std::fs::create_dir_all(root.join("w")).unwrap();
    let mut manifest = "sketch,photo,split\n".to_string();
    for n in 0..12_u32 {
        let places = [(4 + 2 * n, 6), (6, 26 - 2 * n % 24)];
        let is_dark = |x: u32, y: u32| places.iter().any(|(a, b)| x.abs_diff(*a) < 3 && y.abs_diff(*b) < 3);
        let picture = |ink: u8| RgbImage::from_fn(32, 32, |x, y| Rgb([if is_dark(x, y) { ink } else { 255 }; 3]));
        picture(60 + 5 * n as u8).save(corpus.join(format!("p{n:02}.png"))).unwrap();
        picture(0).save(corpus.join(format!("s{n:02}.png"))).unwrap();
        let split = if n < 8 {
            "train"
        } else if n < 10 {
            "valid"
        } else {
            "test"
        };
        manifest += &format!("s{n:02}.png,p{n:02}.png,{split}\n");
    }
    std::fs::write(corpus.join("manifest.csv"), manifest).unwrap();
    let start = Config { top: Top::Regions(Matching::Average), ..Config::preset("synth-scene", "global").unwrap() };
    let network = RegionNetwork::new(&start, Seed(7), &Device::Cpu).unwrap();
    network.save(&root.join("w/mini-attributes.safetensors"), &Default::default()).unwrap();
    corpus.to_str().unwrap().to_string()
}

fn places(root: &Path) -> Places {
    let [results, figures, weights, cache] = ["r", "f", "w", "c"].map(|name| root.join(name));
    Places { shipped: results.clone(), results, figures, data: None, weights, cache }
}

fn small(row: &str) -> Config {
    let mut config = Config::preset("synth-chair", row).unwrap();
    (config.fit.epochs, config.fit.batch) = (2, 4);
    config
}

/// Every kind of row, from weights to ranks.
#[test]
fn rows_train_and_rank() {
    let root = tempfile::tempdir().unwrap();
    let (corpus, places) = (spots(root.path()), places(root.path()));
    let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
    for row in
        ["global", "local-self-attn", "local-mmd", "proposed", "local-ot+solver=quadratic", "triplet-sn", "holef"]
    {
        let slug = SLUG.to_string();
        let run = RunConfig { slug, dataset: "spots".into(), row: row.into(), seed: Seed(1), config: small(row) };
        let bench = Bench::open(&corpus, &places).unwrap();
        let folder = run.folder(&places.results);
        let trial = Trial { run: &run, bench: &bench, folder: &folder, order: &order };
        let header = bench.header(&run, None, &order).unwrap();
        let mut log = Log::create(&folder.0.join("log.jsonl"), &header).unwrap();
        let fitted = fit::fit(&trial, &mut log).unwrap();
        let (sketches, photos) = (bench.index().sketches_of(Split::Test), bench.index().photos_of(Split::Test));
        let found = fitted.model.gallery(&photos).unwrap().distances(&sketches, View::Whole).unwrap();
        assert!(found.len() == 4 && found.iter().all(|distance| distance.is_finite()), "{row} {found:?}");
        let text = std::fs::read_to_string(folder.0.join("log.jsonl")).unwrap();
        assert!(text.lines().count() == 3 && !text.contains("NaN"), "{row} {text}");
    }
}

/// The gallery that is computed once, in chunks, against every pair alone.
#[test]
fn ranker_agrees_with_single_pairs() {
    let place = tempfile::tempdir().unwrap();
    let places = places(place.path());
    let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
    let bench = Bench::open("synth-chair", &places).unwrap();
    let config = Config::preset("synth-chair", "proposed").unwrap();
    let network = RegionNetwork::new(&config, Seed(4), &Device::Cpu).unwrap();
    let model = RegionModel::open(&config, network, &bench, &[Split::Test], &order).unwrap();
    let (sketches, photos) = (bench.index().sketches_of(Split::Test), bench.index().photos_of(Split::Test));
    let (sketches, photos) = (&sketches[..35], &photos[..3]);
    let found = model.gallery(photos).unwrap().distances(sketches, View::Whole).unwrap();
    for (i, k) in [(0, 0), (7, 2), (34, 1)] {
        let (u, v) = (model.sketches(&sketches[i..=i], View::Whole).unwrap(), model.photos(&photos[k..=k]).unwrap());
        let alone = model.network.distances(&u, &v, Mode::Eval).unwrap().to_vec2::<f32>().unwrap()[0][0];
        assert!((found[i * 3 + k] - alone).abs() < 1e-5, "{} {alone}", found[i * 3 + k]);
    }
}

#[test]
fn higher_order_energy_of_the_identity_is_the_squared_distance() {
    let config = Config::preset("synth-chair", "holef").unwrap();
    let network = RegionNetwork::new(&config, Seed(0), &Device::Cpu).unwrap();
    let d = 512 + 256;
    let row = |shift: f32| {
        let values: Vec<f32> = (0..d).map(|i| (i as f32 * 0.7 + shift).sin()).collect();
        Tensor::from_vec(values, (1, d), &Device::Cpu).unwrap()
    };
    let (a, b) = (row(0.0), row(1.0));
    let found = network.distances(&a, &b, Mode::Eval).unwrap().to_vec2::<f32>().unwrap()[0][0];
    let square = (a - b).unwrap().sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap();
    assert!((found - square).abs() < 1e-3 * square, "{found} {square}");
    let penalty = network.penalty().unwrap().unwrap().to_scalar::<f32>().unwrap();
    assert_eq!(penalty, 0.0);
}

#[test]
fn attention_begins_at_the_regions_as_they_are() {
    let of = |row: &str| {
        let network = RegionNetwork::new(&Config::preset("synth-chair", row).unwrap(), Seed(2), &Device::Cpu).unwrap();
        let pictures = Tensor::ones((1, 3, 64, 64), candle_core::DType::F32, &Device::Cpu).unwrap();
        network.encode(&pictures, Mode::Eval).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    assert_eq!(of("local-self-attn"), of("global"));
}

/// The first training moves all but the added layer, the second that alone.
#[test]
fn on_the_fly_trains_two_parts_one_after_the_other() {
    let network =
        RegionNetwork::new(&Config::preset("synth-chair", "on-the-fly").unwrap(), Seed(7), &Device::Cpu).unwrap();
    let names =
        |variables: Vec<(String, candle_core::Var)>| variables.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(network.policy()), ["top.added.bias", "top.added.weight"]);
    let first = names(network.trainable());
    assert!(first.contains(&"top.fc.weight".to_string()) && !first.iter().any(|name| name.starts_with("top.added")));
    assert_eq!(first.len() + 2, network.parameters().trainable().len());
    // Before the second training a sketch is embedded as a photo is.
    let features = Tensor::ones((1, 256), candle_core::DType::F32, &Device::Cpu).unwrap();
    let both = [network.embed_sketches(&features, Mode::Eval).unwrap(), network.embed_photos(&features).unwrap()];
    let [sketch, photo] = both.map(|x| x.to_vec2::<f32>().unwrap());
    assert_eq!(sketch, photo);
}

/// A setting that a part of a row's name changes is one that changes the record.
#[test]
fn every_part_of_a_row_changes_its_settings() {
    let of = |row: &str| serde_json::to_value(Config::preset("qmul-chair-v2", row).unwrap()).unwrap();
    for (row, part) in [
        ("proposed", "+backbone=resnet18"),
        ("proposed", "+recipe=strong"),
        ("proposed+recipe=strong", "+without=loss"),
        ("proposed", "+grid=2"),
        ("global", "+average=costs"),
        ("global", "+adjacency=weighted"),
        ("global", "+adjacency=plain"),
        ("proposed", "+adjacency=plain"),
        ("proposed", "+linear=similarity"),
        ("local-ot", "+solver=quadratic"),
        ("local-ot", "+masses=uniform"),
        ("local-ot", "+margin=0.2"),
    ] {
        assert_ne!(of(row), of(&format!("{row}{part}")), "{part}");
    }
}

#[test]
fn parts_that_a_row_has_no_use_for_are_refused() {
    let refuse = |row: &str| Config::preset("synth-scene", row).unwrap_err().to_string();
    assert!(refuse("global+masses=uniform").contains("a row with transport"));
    assert!(refuse("triplet-sn+grid=2").contains("a row that matches regions"));
    assert!(refuse("holef+adjacency=plain").contains("a row that matches regions"));
    assert!(refuse("proposed+adjacency=weighted").contains("where the row has none"));
    assert!(refuse("local-ot+average=costs").contains("a part of global"));
    assert!(refuse("proposed+without=loss").contains("+recipe=strong"));
    assert!(refuse("proposed+linear=cost").contains("similarity, quadratic or uniform"));
    assert!(refuse("proposed+backbone=sketch-a-net").contains("published weights"));
    assert!(refuse("on-the-wing").contains("triplet-sn, holef, global"));
    let mut config = Config::preset("synth-scene", "proposed").unwrap();
    config.margin = f64::NAN;
    assert!(config.check().unwrap_err().to_string().contains("config.margin"));
    config = Config { top: Top::Vector { dimension: 8 }, margin: 0.3, ..config };
    assert!(config.check().unwrap_err().to_string().contains("config.adjacency"));
}

#[test]
fn a_grid_that_the_map_does_not_have_is_refused() {
    let config = Config::preset("synth-scene", "local-ot+grid=3").unwrap();
    let network = RegionNetwork::new(&config, Seed(0), &Device::Cpu).unwrap();
    let pictures = Tensor::ones((1, 3, 64, 64), candle_core::DType::F32, &Device::Cpu).unwrap();
    assert!(network.encode(&pictures, Mode::Eval).unwrap_err().to_string().contains("a divisor of 4 and 4"));
}

#[test]
fn checkpoints_hold_every_part() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.safetensors");
    for row in ["proposed", "local-self-attn", "holef", "triplet-sn"] {
        let config = Config::preset("synth-scene", row).unwrap();
        let made = |seed| RegionNetwork::new(&config, Seed(seed), &Device::Cpu).unwrap();
        let (first, second) = (made(1), made(2));
        first.parameters().round(|_| true).unwrap();
        first.save(&path, &Default::default()).unwrap();
        second.load(&path).unwrap();
        let (a, b) = (first.release().0, second.release().0);
        let same = |(name, tensor): (&String, &Tensor)| {
            let apart = (tensor - &b[name]).unwrap().abs().unwrap().max_all().unwrap();
            apart.to_scalar::<f32>().unwrap() == 0.0
        };
        assert!(a.len() == b.len() && a.iter().all(same), "{row}");
    }
}

#[test]
fn masks_are_of_objects_in_scenes_and_of_strokes_elsewhere() {
    let of = |dataset| Partially.masking(dataset, "proposed").unwrap().of;
    assert_eq!(["synth-scene", "sketchycoco-sl-210-joined", "fs-coco-247-fold0"].map(of), [SceneMask::Instances; 3]);
    assert_eq!(["synth-chair", "qmul-chair-v2"].map(of), [SceneMask::Strokes; 2]);
    assert!(Partially.masking("synth-scene", "oracle").is_none());
}

#[test]
fn claims_and_tables_name_rows_that_exist() {
    for spec in table::tables() {
        for row in spec.rows.iter().filter_map(|row| row.row.as_deref()).filter(|row| !["pixels", "hog"].contains(row))
        {
            for dataset in &spec.datasets {
                Config::preset(dataset.name, row).unwrap().check().unwrap();
            }
        }
        for cell in spec.rows.iter().filter_map(|row| row.paper.as_ref()) {
            for place in spec.datasets.iter().filter_map(|dataset| dataset.printed) {
                assert!(PRINTED.find(cell.table, &cell.label, place, spec.metric.name).unwrap().is_some(), "{cell:?}");
            }
        }
    }
    let claims = Claim::read_all(&PRINTED).unwrap();
    assert!(claims.len() >= 50, "{} comparisons", claims.len());
    for row in claims.iter().flat_map(|claim| [&claim.row_a, &claim.row_b]) {
        Config::preset("synth-scene", row).unwrap();
    }
}
