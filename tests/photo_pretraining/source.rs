//! The network that gives R (Table 4), and when R is measured again.

use crate::corpus::{CorpusFolder, RunRecord};
use crate::option::tiny;
use candle_core::{Device, Tensor};
use retrace::dataset::{PrepareConfig, Split};
use retrace::experiment;
use retrace::file::hex;
use retrace::loss::Topology;
use retrace::model::Network;
use retrace::model::weights::{Storage, read, save};
use retrace::paper::photo_pretraining::{Config, Neighbourhood, Update};
use retrace::seed::Seed;
use retrace::train::{Feed, OptimiserConfig};
use retrace::watch::Unwatched;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// `Ours` from some weights, with R of others where they are named.
fn ours(weights: &str, source: Option<&str>) -> Config {
    let (task, meta) = (OptimiserConfig::adam(1e-3), OptimiserConfig::adam(2e-2));
    let neighbourhood = Neighbourhood { source: source.map(String::from), ..tiny().neighbourhood };
    Config { weights: weights.into(), neighbourhood, update: Update::MetaFirst { task, meta }, ..tiny() }
}

/// The corpus, and two networks that have nothing in common.
fn two_networks() -> CorpusFolder {
    let bench = CorpusFolder::new(&ours("attributes", None));
    bench.put_weights(&tiny(), "jigsaw", Seed(78));
    bench
}

/// Trains, and returns the topology that was kept during it, if any.
fn run(bench: &CorpusFolder, results: &str, config: &Config) -> (RunRecord, Option<PathBuf>) {
    let before = if results == "first" { Default::default() } else { bench.topologies() };
    let record = bench.run(results, config, &Unwatched).unwrap();
    let new: Vec<PathBuf> = bench.topologies().difference(&before).cloned().collect();
    assert!(new.len() <= 1, "{new:?}");
    (record, new.into_iter().next())
}

fn kept(path: &Path) -> Topology {
    Topology::of_distances(&read(path).unwrap().tensors["distances"]).unwrap()
}

/// Distances between the training photos by the definition: one photo at a time through the network of some weights, and
/// loops in double precision.
fn twin(corpus: &CorpusFolder, weights: &str) -> Vec<Vec<f64>> {
    let (places, config) = (corpus.places("twin"), Config { head: None, ..ours(weights, None) });
    let network = Network::new(config.network(), Seed(5), &Device::Cpu).unwrap();
    network.load_backbone(&config.needs().find(&places).unwrap()[0]).unwrap();
    let opened = experiment::Bench::divide("qmul-chair-v2", &config.needs(), Seed(0), &places).unwrap();
    let album = opened.album(config.prepare, &[Split::Train], &Unwatched).unwrap();
    let pixels = config.pixels(&album, &Device::Cpu);
    let feature = |photo: &usize| -> Vec<f64> {
        let row = network.features(&pixels.photos(&[*photo]).unwrap()).unwrap().get(0).unwrap();
        let row: Vec<f64> = row.to_vec1::<f32>().unwrap().into_iter().map(f64::from).collect();
        let length = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        row.into_iter().map(|x| x / length).collect()
    };
    let features: Vec<_> = opened.index().photos_of(Split::Train).iter().map(feature).collect();
    let distance = |a: &Vec<f64>, b: &Vec<f64>| a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt();
    features.iter().map(|a| features.iter().map(|b| distance(a, b)).collect()).collect()
}

/// The share of triples whose order is the twin's; two distances that rounding may swap are no triple.
fn agreement(topology: &Topology, twin: &[Vec<f64>]) -> f64 {
    let (n, mut all, mut same) = (twin.len(), 0.0, 0.0);
    assert_eq!(topology.photos(), n);
    for (i, j, k) in (0..n * n * n).map(|t| (t / n / n, t / n % n, t % n)) {
        let (to_j, to_k) = (twin[i][j], twin[i][k]);
        if i == j || i == k || j == k || (to_j - to_k).abs() < 1e-4 {
            continue;
        }
        all += 1.0;
        same += f64::from(u8::from(topology.order(i, j, k) == Some(if to_j <= to_k { 1 } else { -1 })));
    }
    assert!(all > 0.8 * (n * (n - 1) * (n - 2)) as f64, "{all} triples of {n} photos can be told");
    same / all
}

#[test]
fn r_is_of_the_network_that_the_row_names() {
    for frozen in [None, Some(2)] {
        let corpus = two_networks();
        let [start, other] = ["attributes", "jigsaw"].map(|weights| twin(&corpus, weights));
        let with = |weights, source| Config { frozen, ..ours(weights, source) };
        let (own, path) = run(&corpus, "first", &with("attributes", None));
        let own_kept = kept(&path.unwrap());
        let (foreign, path) = run(&corpus, "foreign", &with("attributes", Some("jigsaw")));
        let foreign_kept = kept(&path.unwrap());
        let found = [(&own_kept, &start), (&foreign_kept, &other), (&own_kept, &other), (&foreign_kept, &start)]
            .map(|(kept, twin)| agreement(kept, twin));
        assert_eq!(found[..2], [1.0, 1.0], "{frozen:?}: {found:?}");
        // Networks that share nothing need not contradict each other often: both see where a box is.
        assert!(found[2..].iter().all(|share| *share < 0.9), "{frozen:?}: {found:?}");
        for (kept, twin) in [(&own_kept, &start), (&foreign_kept, &other)] {
            for (i, row) in twin.iter().enumerate() {
                for (j, expected) in row.iter().enumerate().filter(|(j, _)| *j != i) {
                    let distance = f64::from(kept.distance(i, j).unwrap());
                    assert!((distance - expected).abs() < 1e-4, "{frozen:?} {i} {j}: {distance} {expected}");
                }
            }
        }
        assert_ne!(own.weights, foreign.weights, "{frozen:?}: R changes nothing");
    }
}

/// Puts other distances into a file, as if they had been measured: those of the photos in the reverse order.
fn turn_round(path: &Path) {
    let file = read(path).unwrap();
    let n = file.tensors["distances"].dim(0).unwrap() as u32;
    let back = Tensor::from_vec((0..n).rev().collect::<Vec<u32>>(), n as usize, &Device::Cpu).unwrap();
    let turned = file.tensors["distances"].index_select(&back, 0).unwrap().index_select(&back, 1).unwrap();
    let numbers = turned.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    let mut metadata = file.metadata;
    metadata.insert("sha256".into(), hex(&Sha256::digest(bytes)));
    save(path, &[("distances".to_string(), turned)].into(), Storage::F32, &metadata).unwrap();
}

#[test]
fn r_is_read_where_its_inputs_are_the_same_and_measured_where_they_are_not() {
    let bench = two_networks();
    let plain = ours("attributes", None);
    let (first, path) = run(&bench, "first", &plain);
    let path = path.unwrap();
    let (whole, margin) = (std::fs::read(&path).unwrap(), Config { margin: 0.31, ..plain.clone() });
    assert_eq!(run(&bench, "again", &plain), (first.clone(), None));
    assert_eq!(run(&bench, "margin", &margin).1, None);
    // Were it measured again, what is planted here would not show.
    turn_round(&path);
    let (planted, new) = run(&bench, "planted", &plain);
    assert!(new.is_none() && planted.weights != first.weights);
    std::fs::write(&path, &whole).unwrap();
    assert_eq!(run(&bench, "restored", &plain), (first, None));

    let others = [
        ("size", Config { prepare: PrepareConfig { side: 24, ..plain.prepare }, ..plain.clone() }),
        ("photos", Config { valid_photos: 3, ..plain.clone() }),
        ("source", ours("attributes", Some("jigsaw"))),
        ("features", Config { frozen: Some(2), ..plain.clone() }),
    ];
    for (name, config) in &others {
        assert!(run(&bench, name, config).1.is_some(), "another {name}, the same file");
    }
    // The column of Table 4 that names a network has the R of its diagonal, whatever is trained.
    assert_eq!(run(&bench, "diagonal", &ours("jigsaw", None)).1, None);
    assert_eq!(run(&bench, "line", &ours("jigsaw", Some("attributes"))).1, None);
    bench.put_weights(&plain, "attributes", Seed(79));
    assert!(run(&bench, "weights", &plain).1.is_some(), "other weights of the same name, the same file");
    assert_eq!(std::fs::read(&path).unwrap(), whole);
}
