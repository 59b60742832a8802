//! Tests of this paper's own parts: replacement of words, weights of a query, the ranker against separate passes.

use super::adapt::{AdaptedNetwork, Generator, noise};
use super::coder::{CODE, SIDE};
use super::*;
use crate::experiment::ranker::{Ranker, View};
use crate::model::Mode;
use crate::run::Places;
use crate::seed::Seed;
use crate::train::{Optimiser, OptimiserConfig, gradients};
use crate::watch::Unwatched;
use candle_core::{DType, Tensor};
use rand::RngExt;

fn dictionary(words: usize, assignment: Assignment) -> TraitSource {
    TraitSource::Dictionary(DescriptorConfig { words, assignment, ..DescriptorConfig::default() })
}

/// Half of the sketches are a vertical bar, half a horizontal one, a little off each time.
pub(super) fn bars(count: usize) -> Tensor {
    let stream = &mut Seed(3).stream("bars");
    let mut pixels = vec![-1f32; count * SIDE * SIDE];
    for n in 0..count {
        let at: usize = stream.random_range(24..40u32) as usize;
        for i in 8..56 {
            let place = if n % 2 == 0 { i * SIDE + at } else { at * SIDE + i };
            pixels[n * SIDE * SIDE + place] = 1.0;
        }
    }
    Tensor::from_vec(pixels, (count, SIDE, SIDE, 1), &Device::Cpu).unwrap()
}

fn number(x: &Tensor) -> f32 {
    x.to_scalar().unwrap()
}

#[test]
fn words_begin_as_unit_vectors() {
    let descriptor = Descriptor::new(&dictionary(7, Assignment::Soft), 0, Seed(1), &Device::Cpu).unwrap();
    let words = descriptor.parameters().tensors()["words"].clone();
    assert_eq!(words.dims(), [7, CODE]);
    let length = words.sqr().unwrap().sum(1).unwrap().to_vec1::<f32>().unwrap();
    assert!(length.iter().all(|length| (length - 1.0).abs() < 1e-5));
    let wrong = TraitSource::Dictionary(DescriptorConfig { dimension: 100, ..DescriptorConfig::default() });
    assert!(Descriptor::new(&wrong, 0, Seed(1), &Device::Cpu).unwrap_err().to_string().contains("256"));
}

/// Words 0 and 2 are used, 2 more often: 1 and 3 become copies of 2, shaken by a twentieth.
#[test]
fn unused_words_copy_the_most_used_one() {
    let descriptor = Descriptor::new(&dictionary(4, Assignment::Soft), 0, Seed(1), &Device::Cpu).unwrap();
    let before = descriptor.parameters().tensors()["words"].to_vec2::<f32>().unwrap();
    let used = descriptor.replace_unused(&[0, 2, 2, 0, 2], &mut Seed(5).stream("replace")).unwrap();
    let after = descriptor.parameters().tensors()["words"].to_vec2::<f32>().unwrap();
    assert_eq!(used, 0.5);
    assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
    for word in [1, 3] {
        let ratio: Vec<f64> = after[word].iter().zip(&before[2]).map(|(a, b)| f64::from(a / b)).collect();
        let mean = ratio.iter().sum::<f64>() / CODE as f64;
        let deviation = (ratio.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / CODE as f64).sqrt();
        // 256 draws: the mean of N(1, 0.05) is within 0.016 and the deviation within 0.011 of it in 5 deviations.
        assert!((mean - 1.0).abs() < 0.016 && (deviation - 0.05).abs() < 0.011, "{mean} {deviation}");
    }
    assert_ne!(after[1], after[3]);
}

#[test]
fn every_descriptor_learns_to_draw_or_to_tell_bars() {
    let (sketches, labels) = (bars(32), (0..32).map(|n| n % 2).collect::<Vec<u32>>());
    let config = DescriptorConfig { words: 8, ..DescriptorConfig::default() };
    for source in [
        dictionary(8, Assignment::Soft),
        dictionary(8, Assignment::Hard),
        TraitSource::Vae(config),
        TraitSource::Classifier(config),
    ] {
        let descriptor = Descriptor::new(&source, 2, Seed(0), &Device::Cpu).unwrap();
        let variables = descriptor.parameters().trainable();
        let mut optimiser = Optimiser::new(OptimiserConfig::adam(2e-3), variables.clone());
        let stream = &mut Seed(0).stream("train");
        let mut first = Vec::new();
        for _ in 0..25 {
            let found = descriptor.loss(&sketches, &labels, [0.1, 0.1, 1.0], stream).unwrap();
            optimiser.step(&gradients(&found.loss, &variables).unwrap(), 1.0).unwrap();
            first.push(found.first);
        }
        assert!(first[24] < 0.6 * first[0], "{source:?}: {first:?}");
        assert_eq!(descriptor.describe(&sketches).unwrap().dims(), [32, CODE]);
    }
}

/// In hard assignment the gradient reaches the encoder through the chosen words alone: straight through.
#[test]
fn hard_assignment_has_gradients_everywhere() {
    let descriptor = Descriptor::new(&dictionary(8, Assignment::Hard), 0, Seed(0), &Device::Cpu).unwrap();
    let variables = descriptor.parameters().trainable();
    let loss = descriptor.loss(&bars(8), &[], [0.0; 3], &mut Seed(0).stream("x")).unwrap().loss;
    let found = gradients(&loss, &variables).unwrap();
    for name in ["assign.weight", "encoder.conv1.conv.weight", "decoder.deconv5.conv.weight", "skip.weight"] {
        let size = number(&found[name].abs().unwrap().max_all().unwrap());
        assert!(size > 0.0 && size.is_finite(), "{name}");
    }
}

#[test]
fn a_word_is_a_row_of_the_dictionary() {
    let descriptor = Descriptor::new(&dictionary(8, Assignment::Soft), 0, Seed(0), &Device::Cpu).unwrap();
    let sketches = bars(6);
    let (words, found) = (descriptor.words(&sketches).unwrap(), descriptor.describe(&sketches).unwrap());
    let table = descriptor.parameters().tensors()["words"].to_vec2::<f32>().unwrap();
    for (word, row) in words.iter().zip(found.to_vec2::<f32>().unwrap()) {
        assert_eq!(row, table[*word as usize]);
    }
    assert!(descriptor.draw(&sketches).unwrap().is_some());
}

/// `1 + eta` with `|eta|` as it is set, which noise moves and a variance of 0 would not.
#[test]
fn weights_are_one_and_a_vector_of_the_length_that_is_set() {
    for length in [1.0, 8.0] {
        let generator = Generator::new(4, 6, EtaConfig { length, noise: 1.0 }, Seed(2), &Device::Cpu).unwrap();
        let descriptions = Tensor::new(&[[1f32, 2.0, 0.0, -1.0], [0.5, 0.0, 3.0, 1.0]], &Device::Cpu).unwrap();
        let distribution = generator.distribution(&descriptions, Mode::Eval).unwrap();
        let still = distribution.mean.zeros_like().unwrap();
        for noise in [still.clone(), still.ones_like().unwrap()] {
            let eta = (distribution.sample(&noise).unwrap() - 1.0).unwrap();
            let found = eta.sqr().unwrap().sum(1).unwrap().sqrt().unwrap().to_vec1::<f32>().unwrap();
            assert!(found.iter().all(|found| (f64::from(*found) - length).abs() < 1e-3), "{found:?}");
        }
        let quiet = Generator::new(4, 6, EtaConfig { length, noise: 0.1 }, Seed(2), &Device::Cpu).unwrap();
        let quieter = (quiet.distribution(&descriptions, Mode::Eval).unwrap().log_variance
            - &distribution.log_variance)
            .and_then(|less| less.flatten_all()?.to_vec1::<f32>())
            .unwrap();
        assert!(quieter.iter().all(|less| (less - 2.0 * 0.1f32.ln()).abs() < 1e-5));
        let mean = distribution.mean.to_vec2::<f32>().unwrap();
        let eta = (distribution.sample(&still).unwrap() - 1.0).unwrap().to_vec2::<f32>().unwrap();
        let unit = mean[0].iter().map(|x| x * x).sum::<f32>().sqrt() / length as f32;
        assert!(mean[0].iter().zip(&eta[0]).all(|(m, e)| (m / unit - e).abs() < 1e-3));
    }
}

#[test]
fn noise_of_a_query_does_not_depend_on_its_batch() {
    let of = |sketches: &[usize]| noise(sketches, 3, 5, Seed(1), &Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
    assert_eq!(of(&[4, 9])[1], of(&[9])[0]);
    assert_ne!(of(&[4])[0], of(&[9])[0]);
}

/// A world of two lamps' files in a folder, small enough for a test.
pub(super) fn world() -> (tempfile::TempDir, String) {
    let place = tempfile::tempdir().unwrap();
    for name in ["lamp", "mug"] {
        let file = format!("{name}.toml");
        std::fs::copy(std::path::Path::new("data/world").join(&file), place.path().join(&file)).unwrap();
    }
    let corpus = place.path().to_str().unwrap().to_string();
    (place, corpus)
}

pub(super) fn places(below: &std::path::Path) -> Places {
    let below = |name: &str| below.join(name);
    let [results, figures, weights, cache] = ["r", "f", "w", "c"].map(below);
    Places { shipped: results.clone(), results, figures, data: None, weights, cache }
}

#[test]
fn the_descriptors_log_goes_into_the_record_once() {
    let (place, corpus) = world();
    let places = places(place.path());
    let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
    let bench = Bench::open(&corpus, &places).unwrap();
    let config = Config::preset("synth-world", "ours-full").unwrap();
    let id = crate::run::RunId { slug: SLUG.into(), dataset: "w".into(), row: "ours-full".into(), seed: Seed(0) };
    let (run, folder) = (id.with(config), id.folder(&places.results));
    let trial = Trial { run: &run, bench: &bench, folder: &folder, order: &order };
    let kept = || {
        study::keep_log(&trial).unwrap();
        std::fs::read_to_string(folder.0.join("descriptor/log.jsonl")).ok()
    };
    assert_eq!(kept(), None);
    let cached = places.cache.join(format!("descriptor-{}/log.jsonl", study::key(&trial).unwrap()));
    crate::file::write_atomic(&cached, b"first").unwrap();
    assert_eq!(kept().as_deref(), Some("first"));
    crate::file::write_atomic(&cached, b"second").unwrap();
    assert_eq!(kept().as_deref(), Some("first"));
}

/// The gallery of precomputed features against ten separate passes of `eta * F + F` for every query.
#[test]
fn ranker_agrees_with_ten_passes() {
    let (place, corpus) = world();
    let places = places(place.path());
    let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
    let bench = Bench::open(&corpus, &places).unwrap();
    let config = Config { samples: 10, ..Config::preset("synth-world", "ours-wordvector").unwrap() };
    let adapted = AdaptedNetwork::new(&config, 0, Seed(4), &Device::Cpu).unwrap();
    let model = AdaptedModel::open(&config, adapted, &bench, &[Split::Test], &order).unwrap();
    let index = bench.index();
    let (sketches, photos) = (&index.sketches_of(Split::Test)[..3], &index.photos_of(Split::Test)[..5]);
    let found = model.gallery(photos).unwrap().distances(sketches, View::Whole).unwrap();
    let rows = |x: Tensor| x.to_vec2::<f32>().unwrap();
    let pixels = model.pixels();
    use crate::train::Feed;
    let network = &model.adapted.network;
    let s = rows(network.embed_in_evaluation(&pixels.sketches(sketches).unwrap()).unwrap());
    let p = rows(network.embed_in_evaluation(&pixels.photos(photos).unwrap()).unwrap());
    let described = model.describe(sketches, View::Whole).unwrap();
    let features = Tensor::zeros((3, s[0].len()), DType::F32, &Device::Cpu).unwrap();
    let mut slow = vec![f32::MAX; 15];
    for sample in 0..10 {
        let draw = |shape: &[usize]| noise(sketches, sample, shape[1], super::model::NOISE, &Device::Cpu);
        let (weights, _) = model.adapted.weigh(&features, described.as_ref(), draw, Mode::Eval).unwrap();
        let w = rows(weights);
        for (i, k) in (0..3).flat_map(|i| (0..5).map(move |k| (i, k))) {
            let far: f32 = (0..s[0].len()).map(|d| (w[i][d] * s[i][d] - w[i][d] * p[k][d]).powi(2)).sum();
            slow[i * 5 + k] = slow[i * 5 + k].min(far);
        }
    }
    let apart = found.iter().zip(&slow).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
    assert!(found.len() == 15 && apart < 1e-4, "{found:?} {slow:?}");
}

/// Three categories to train and validate on and one to test, four pictures each, with weights of an untrained network.
fn bars_and_boxes(root: &std::path::Path) -> String {
    use image::{Rgb, RgbImage};
    let corpus = root.join("shapes");
    std::fs::create_dir_all(&corpus).unwrap();
    std::fs::create_dir_all(root.join("w")).unwrap();
    let mut manifest = "sketch,photo,split,category\n".to_string();
    for n in 0..16_u32 {
        let (class, at) = (n as usize / 4, 4 + 6 * (n % 4));
        let is_dark = |x: u32, y: u32| match class {
            0 => x.abs_diff(at) < 2,
            1 => y.abs_diff(at) < 2,
            2 => x.abs_diff(at) < 3 && y > 16,
            _ => y.abs_diff(at) < 3 && x > 16,
        };
        let picture = |ink: u8| RgbImage::from_fn(32, 32, |x, y| Rgb([if is_dark(x, y) { ink } else { 255 }; 3]));
        picture(60 + 5 * n as u8).save(corpus.join(format!("p{n:02}.png"))).unwrap();
        picture(0).save(corpus.join(format!("s{n:02}.png"))).unwrap();
        let split = ["train", "train", "valid", "test"][class];
        manifest += &format!("s{n:02}.png,p{n:02}.png,{split},class{class}\n");
    }
    std::fs::write(corpus.join("manifest.csv"), manifest).unwrap();
    let network = Config::preset("synth-world", "hard-transfer").unwrap().network();
    let tensors = crate::model::Network::new(network, Seed(7), &Device::Cpu).unwrap().parameters().tensors();
    let path = root.join("w/mini-attributes.safetensors");
    crate::model::weights::save(&path, &tensors, crate::model::weights::Storage::F16, &Default::default()).unwrap();
    corpus.to_str().unwrap().to_string()
}

/// Stops once so many steps are done.
struct Stopper(std::sync::atomic::AtomicUsize);

impl crate::watch::Watch for Stopper {
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

/// Both competitors of Table 1 from weights to ranks, at once and with a stop in the second of three epochs.
#[test]
fn competitors_end_the_same_whether_stopped_or_not() {
    let root = tempfile::tempdir().unwrap();
    let corpus = bars_and_boxes(root.path());
    for (row, batches) in [("cvae-regress", 1), ("crossgrad", 2)] {
        let mut config = Config::preset("synth-world", row).unwrap();
        (config.fit.epochs, config.fit.batch) = (3, 8 / batches);
        config.prepare.side = 32;
        let slug = SLUG.to_string();
        let run = RunConfig { slug, dataset: "shapes".into(), row: row.into(), seed: Seed(1), config };
        let below = |name: &str| root.path().join(name);
        let places = |results: &str| Places {
            results: below(results),
            figures: below("f"),
            shipped: below(results),
            data: None,
            weights: below("w"),
            cache: below("c"),
        };
        let train = |results: &str, watch: &dyn crate::watch::Watch| {
            let places = places(results);
            let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch };
            crate::experiment::train(&Generalising, &run, &corpus, &order)
        };
        let whole = train("whole", &Unwatched).unwrap();
        assert!(train("parts", &Stopper((batches + 1).into())).is_err());
        let parts = train("parts", &Unwatched).unwrap();
        assert_eq!((whole.queries, whole.gallery, whole.selected_epoch), (4, 4, parts.selected_epoch));
        let read = |results: &str| std::fs::read(run.folder(&below(results)).0.join("ranks.csv")).unwrap();
        assert_eq!(read("whole"), read("parts"), "{row}");
    }
}

/// The gallery against ten separate passes of the networks for every query, and against itself one by one.
#[test]
fn made_photos_are_ranked_as_by_ten_passes() {
    let (place, corpus) = world();
    let below = |name: &str| place.path().join(name);
    let places = Places {
        results: below("r"),
        figures: below("f"),
        shipped: below("r"),
        data: None,
        weights: below("w"),
        cache: below("c"),
    };
    let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
    let bench = Bench::open(&corpus, &places).unwrap();
    let config = Config::preset("synth-world", "cvae-regress").unwrap();
    let adapted = AdaptedNetwork::new(&config, 0, Seed(4), &Device::Cpu).unwrap();
    let model = AdaptedModel::open(&config, adapted, &bench, &[Split::Test], &order).unwrap();
    let index = bench.index();
    let (sketches, photos) = (&index.sketches_of(Split::Test)[..3], &index.photos_of(Split::Test)[..5]);
    let gallery = model.gallery(photos).unwrap();
    let found = gallery.distances(sketches, View::Whole).unwrap();
    use crate::train::Feed;
    let (network, pixels) = (&model.adapted.network, model.pixels());
    let regressor = model.adapted.regressor.as_ref().unwrap();
    let p = network.embed_in_evaluation(&pixels.photos(photos).unwrap()).unwrap().to_vec2::<f32>().unwrap();
    for (i, sketch) in sketches.iter().enumerate() {
        let s = network.embed_in_evaluation(&pixels.sketches(&[*sketch]).unwrap()).unwrap();
        let mut slow = [f32::MAX; 5];
        for sample in 0..10 {
            let z = noise(&[*sketch], sample, regressor.latent(), super::model::NOISE, &Device::Cpu).unwrap();
            let made = regressor.make(&z, &s).unwrap().to_vec2::<f32>().unwrap();
            for (k, nearest) in slow.iter_mut().enumerate() {
                let square: f32 = made[0].iter().zip(&p[k]).map(|(a, b)| (a - b).powi(2)).sum();
                *nearest = nearest.min(square.sqrt());
            }
        }
        let alone = gallery.distances(&[*sketch], View::Whole).unwrap();
        let apart = |found: &[f32]| found.iter().zip(&slow).map(|(a, b)| (a - b).abs()).fold(0f32, f32::max);
        assert!(apart(&found[i * 5..][..5]) < 1e-4 && apart(&alone) < 1e-4, "{found:?} {slow:?}");
    }
}

#[test]
fn checkpoints_hold_every_part() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.safetensors");
    for row in ["hard-transfer", "ours-full+words=8", "ours-classify", "cvae-regress", "crossgrad"] {
        let config = Config::preset("synth-world", row).unwrap();
        let made = |seed| AdaptedNetwork::new(&config, 3, Seed(seed), &Device::Cpu).unwrap();
        let (first, second) = (made(1), made(2));
        first.round().unwrap();
        crate::experiment::Kept::save(&first, &path, &Default::default()).unwrap();
        assert_eq!(super::adapt::classes(&path, &config).unwrap(), if row == "ours-classify" { 3 } else { 0 });
        second.load(&path).unwrap();
        let (a, b) = (crate::experiment::Kept::release(&first).0, crate::experiment::Kept::release(&second).0);
        assert!(
            a.len() == b.len()
                && a.iter().all(|(name, tensor)| {
                    let apart = (tensor - &b[name]).unwrap().abs().unwrap().max_all().unwrap();
                    apart.to_scalar::<f32>().unwrap() == 0.0
                })
        );
        let has = |prefix: &str| a.keys().any(|name| name.starts_with(prefix));
        assert_eq!([has("generator/"), has("descriptor/")], [row.starts_with("ours"); 2]);
        assert_eq!(has("regressor/"), row == "cvae-regress");
    }
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
                assert!(PRINTED.find(cell.table, &cell.label, place, "acc1").unwrap().is_some(), "{cell:?}");
            }
        }
    }
    let claims = crate::report::claim::Claim::read_all(&PRINTED).unwrap();
    assert!(claims.len() >= 70, "{} comparisons", claims.len());
}
