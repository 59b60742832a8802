//! Tests of this paper's own parts: rows and their settings, the generator, its rewards, trainings from end to end.

use super::draw::Lesson;
use super::generator::noise;
use super::reward::rewarded;
use super::stroke::{Pen, simple};
use super::*;
use crate::dataset::{Album, Pair};
use crate::experiment::{Kept, Ranker, SharedTraining, View};
use crate::model::Mode;
use crate::report::claim::{Claim, rows};
use crate::run::Places;
use crate::seed::Seed;
use crate::sketch::{AugmentConfig, Point, antialiased, svg};
use crate::train::{Optimiser, OptimiserConfig, clip, gradients};
use crate::watch::{Unwatched, Watch};
use candle_core::Tensor;
use image::Rgb;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The outline of box `n`, below 12: each has a place of its own.
fn outline(n: u32) -> Sketch {
    let (left, top) = (20.0 + 45.0 * (n % 4) as f32, 30.0 + 65.0 * (n / 4) as f32);
    let (right, bottom) = (left + 40.0 + 8.0 * (n % 3) as f32, top + 40.0);
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    let middle = [Point::new(left, (top + bottom) / 2.0), Point::new(right, (top + bottom) / 2.0)];
    Sketch { strokes: vec![corners.map(|(x, y)| Point::new(x, y)).to_vec(), middle.to_vec()] }
}

/// A photo of the same box, filled with a colour of its own: a map of features says better what is seen than where.
fn photo(n: u32, side: u32) -> RgbImage {
    let (low, high) = outline(n).bounds().unwrap();
    let scale = 256.0 / side as f32;
    let is_dark = |x: u32, y: u32| {
        let (x, y) = (x as f32 * scale, y as f32 * scale);
        (low.x..high.x).contains(&x) && (low.y..high.y).contains(&y)
    };
    let colour = [0, 1, 2].map(|bit| if (n >> bit) % 2 == 1 { 200 } else { 20 + 5 * n as u8 });
    RgbImage::from_fn(side, side, |x, y| Rgb(if is_dark(x, y) { colour } else { [255; 3] }))
}

/// Eight boxes to train on, two to validate and two to test, with sketches of strokes, and weights to start from.
fn boxes(root: &Path) -> String {
    let corpus = root.join("boxes");
    std::fs::create_dir_all(&corpus).unwrap();
    std::fs::create_dir_all(root.join("w")).unwrap();
    let mut manifest = "sketch,photo,split\n".to_string();
    for n in 0..12 {
        photo(n, 64).save(corpus.join(format!("p{n:02}.png"))).unwrap();
        svg::write(&outline(n), corpus.join(format!("s{n:02}.svg"))).unwrap();
        let split = ["train", "train", "train", "train", "valid", "test"][n as usize / 2];
        manifest += &format!("s{n:02}.svg,p{n:02}.png,{split}\n");
    }
    std::fs::write(corpus.join("manifest.csv"), manifest).unwrap();
    let network = crate::model::NetworkConfig {
        architecture: crate::model::Architecture::Mini,
        norm: crate::model::NormConfig::running(),
        head: None,
        frozen: false,
    };
    let network = crate::model::Network::new(network, Seed(7), &Device::Cpu).unwrap();
    network.save(&root.join("w/mini-attributes.safetensors"), &BTreeMap::new()).unwrap();
    corpus.to_str().unwrap().to_string()
}

fn places(root: &Path) -> Places {
    let [results, figures, weights, cache] = ["r", "f", "w", "c"].map(|name| root.join(name));
    Places { shipped: results.clone(), results, figures, data: None, weights, cache }
}

/// A row that trains in seconds, on the boxes.
fn small(row: &str) -> Config {
    let mut config = Config::preset("synth-chair", row).unwrap();
    config.valid_photos = 2;
    config.unlabelled = Unlabelled::Drawn(6);
    (config.retrieval.fit.epochs, config.retrieval.fit.batch) = (1, 4);
    if let Some(generator) = &mut config.generator {
        (generator.fit.epochs, generator.fit.batch, generator.rehearsal) = (2, 4, 0);
        (generator.width, generator.keys, generator.mixtures, generator.points) = (16, 8, 3, 12);
    }
    if let Some(semi) = &mut config.semi {
        (semi.fit.epochs, semi.fit.batch, semi.steps, semi.critic) = (2, 4, [2, 1], 8);
    }
    config
}

/// Trains a row in its folder below `root`; `dataset` decides whose further photos are drawn.
fn train(row: &str, config: Config, corpus: &str, places: &Places, watch: &dyn Watch) -> Result<PhotoModel> {
    let order = Order { places, device: &Device::Cpu, command: "test".into(), watch };
    let slug = SLUG.to_string();
    let run = RunConfig { slug, dataset: "synth-chair".into(), row: row.into(), seed: Seed(1), config };
    let bench = Bench::open(corpus, places)?;
    let folder = run.folder(&places.results);
    let trial = Trial { run: &run, bench: &bench, folder: &folder, order: &order };
    let mut log = Log::open(&folder.0.join("log.jsonl"), &bench.header(&run, None, &order)?)?;
    Ok(fit::fit(&trial, &mut log)?.model)
}

/// Every kind of row, from weights to ranks.
#[test]
fn rows_train_and_rank() {
    let root = tempfile::tempdir().unwrap();
    let (corpus, places) = (boxes(root.path()), places(root.path()));
    let bench = Bench::open(&corpus, &places).unwrap();
    let (sketches, photos) = (bench.index().sketches_of(Split::Test), bench.index().photos_of(Split::Test));
    for row in [
        "ours-f",
        "ours-f-full",
        "ours-g-full+attention=line",
        "vanilla-ssl-f+attention=none",
        "ours-f-full+weights=threshold+teacher=absolute+labelled=50",
        "ours-f-pix2pix",
        "photo-sketch",
        "l2s",
        "ours-g+pen=row",
    ] {
        let row = if row.contains("+weights=threshold") {
            "ours-f-full+labelled=50+teacher=absolute+weights=threshold"
        } else {
            row
        };
        let model = train(row, small(row), &corpus, &places, &Unwatched).unwrap();
        let found = model.gallery(&photos).unwrap().distances(&sketches, View::Whole).unwrap();
        assert!(found.len() == 4 && found.iter().all(|distance| distance.is_finite()), "{row} {found:?}");
    }
}

/// Asks for a stop after so many steps.
struct StopAfter(AtomicUsize);

impl Watch for StopAfter {
    fn note(&self, _: &str) {}
    fn advance(&self, _: &str, _: usize, _: usize) {}
    fn is_stopped(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err()
    }
}

/// Stopped in each of its trainings, a run ends with the weights of one that is not.
#[test]
fn a_run_ends_the_same_whether_stopped_or_not() {
    let (row, mut ends) = ("ours-f-full", Vec::new());
    for stops in [&[][..], &[9, 14, 30][..]] {
        let root = tempfile::tempdir().unwrap();
        let (corpus, places) = (boxes(root.path()), places(root.path()));
        for steps in stops {
            let stopped = train(row, small(row), &corpus, &places, &StopAfter(AtomicUsize::new(*steps)));
            assert!(matches!(stopped, Err(crate::Error::Stopped { .. })), "{steps}");
        }
        let model = train(row, small(row), &corpus, &places, &Unwatched).unwrap();
        let flat = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
        ends.push(
            model.network.tensors().iter().map(|(name, tensor)| (name.clone(), flat(tensor))).collect::<Vec<_>>(),
        );
    }
    assert!(ends[0] == ends[1]);
}

/// What the lesson of the boxes is, for a generator alone.
fn lesson<'a>(album: &'a Album, config: &GeneratorConfig, count: usize) -> Lesson<'a> {
    Lesson {
        album,
        pairs: (0..count).map(|at| Pair { sketch: at, photo: at, group: 0 }).collect(),
        valid: Vec::new(),
        sketches: (0..count).map(|at| (at, simple(&outline(at as u32), config).unwrap())).collect(),
        augment: AugmentConfig::none(),
        pen: config.pen,
        shows_sketches: false,
        device: &Device::Cpu,
    }
}

/// Eight photos are learned by heart: what is drawn of each lies nearest to its own sketch, of all eight, point by pixel.
#[test]
fn a_generator_learns_eight_photos_by_heart() {
    let mut config = Config::preset("synth-chair", "ours-g").unwrap();
    let retrieval = config.retrieval.clone();
    let mut own = config.generator.take().unwrap();
    // One normal distribution: of several the likeliest may be a wide one, beside one that is right.
    (own.width, own.keys, own.mixtures, own.points) = (64, 32, 1, 12);
    let generator = Generator::new(&own, &retrieval, Seed(3), &Device::Cpu).unwrap();
    generator.load_encoder(Path::new("results/checkpoints/pretrained/mini-attributes.safetensors")).unwrap();
    generator.set_scale(60.0).unwrap();
    let album = Album::of_photos((0..8).map(|n| photo(n, 64)).collect(), retrieval.prepare).unwrap();
    let lesson = lesson(&album, &own, 8);
    // The encoder stays as it is, so that a step takes milliseconds.
    let mut variables = generator.parameters().trainable();
    variables
        .retain(|(name, _)| ["start.", "decoder.", "attention.", "output."].iter().any(|own| name.starts_with(own)));
    let mut optimiser = Optimiser::new(OptimiserConfig::adam(3e-3), variables.clone());
    let (photos, sequences) = lesson.batch(&lesson.pairs, 60.0).unwrap();
    let seen = generator.see(&photos, Mode::Eval).unwrap();
    let (stream, steps) = (&mut Seed(3).stream("test"), 1500);
    let mut last = 0.0;
    for step in 0..steps {
        let noise = noise(seen.mean.dims(), stream, &Device::Cpu).unwrap();
        let z = Generator::latent(&seen, &(noise * 0.1).unwrap()).unwrap();
        let hidden = generator.unroll(&seen, &z, &sequences.inputs, Mode::Train).unwrap().hidden;
        let said = generator.say(&hidden, Mode::Train).unwrap();
        let loss = crate::loss::stroke_losses(&said, &sequences.targets).unwrap().mean_all().unwrap();
        let mut slopes = gradients(&loss, &variables).unwrap();
        clip(&mut slopes, 1.0).unwrap();
        optimiser.step(&slopes, crate::train::Schedule::Cosine.factor(step, steps)).unwrap();
        last = loss.to_scalar::<f32>().unwrap();
    }
    let streams: Vec<_> = (0..8).map(|n| Seed(n).stream("draw")).collect();
    let drawn = generator.draw(&seen, 0.01, &streams).unwrap();
    // Coarse pictures: of fine lines that lie beside each other none would cover another.
    let picture = |sketch: &Sketch| antialiased(sketch, 16, 24.0);
    let people: Vec<_> = (0..8).map(|n| picture(&outline(n))).collect();
    for (n, trace) in drawn.iter().enumerate() {
        let own = picture(&generator.sketch(trace).unwrap());
        let far = |other: &image::GrayImage| -> u64 {
            own.iter().zip(other.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum()
        };
        let nearest = (0..8).min_by_key(|other| far(&people[*other])).unwrap();
        assert_eq!(nearest, n, "loss {last}, {:?}", trace.rows);
        assert!(trace.attention.len() == trace.rows.len() && trace.rows.len() <= 12);
    }
}

/// A generator that draws one row: its reward depends on the pen alone, so that the gradient can be added up over all three
/// states. The estimate is a mean over 3,000 draws; five standard errors, of each number its own.
#[test]
fn rewarded_gradients_are_those_of_the_expected_reward() {
    let mut config = Config::preset("synth-chair", "ours-g").unwrap();
    let retrieval = config.retrieval.clone();
    let mut own = config.generator.take().unwrap();
    (own.width, own.keys, own.mixtures, own.points, own.latent) = (4, 4, 1, 1, 2);
    let generator = Generator::new(&own, &retrieval, Seed(5), &Device::Cpu).unwrap();
    let bias = generator.parameters().trainable().into_iter().find(|(name, _)| name == "output.bias").unwrap().1;
    bias.set(&Tensor::new(&[0.5_f32, -0.2, 0.3, 0.0, 0.1, 0.2, 0.0, 0.0, 0.0], &Device::Cpu).unwrap()).unwrap();
    // Without its weight the layer says the same whatever z was.
    let weight = generator.parameters().trainable().into_iter().find(|(name, _)| name == "output.weight").unwrap().1;
    weight.set(&weight.zeros_like().unwrap()).unwrap();
    let (count, worth) = (3000, [1.0_f32, -2.0, 0.5]);
    let album = Album::of_photos(vec![photo(1, 64)], retrieval.prepare).unwrap();
    let shown = album.photos(&[(0, Default::default())], &Device::Cpu).unwrap();
    let one = generator.see(&shown, Mode::Eval).unwrap();
    let many = |x: &Tensor| {
        let dims = [&[count], &x.dims()[1..]].concat();
        x.broadcast_as(dims).unwrap().contiguous().unwrap()
    };
    let seen = Seen { map: many(&one.map), mean: many(&one.mean), log_variance: many(&one.log_variance) };
    let streams: Vec<_> = (0..count as u64).map(|n| Seed(9).child("draw", n)).collect();
    let traces = generator.draw_freely(&seen, 1.0, &streams).unwrap();
    let state = |trace: &Trace| (2..5).position(|at| trace.rows[0][at] == 1.0).unwrap();
    let rewards: Vec<f32> = traces.iter().map(|trace| worth[state(trace)]).collect();
    let rewards = Tensor::from_vec(rewards, count, &Device::Cpu).unwrap();
    let loss = rewarded(&generator, &seen, &traces, &rewards).unwrap();
    let found = gradients(&loss, &[("bias".into(), bias)]).unwrap()["bias"].to_vec1::<f32>().unwrap();
    let odds = [0.5_f64, -0.2, 0.3].map(f64::exp);
    let shares = odds.map(|odd| odd / odds.iter().sum::<f64>());
    let mean: f64 = shares.iter().zip(worth).map(|(share, worth)| share * f64::from(worth)).sum();
    for at in 0..3 {
        // d/d logit of sum over states of p R is p (R - mean); descent has the other sign.
        let exact = -shares[at] * (f64::from(worth[at]) - mean);
        assert!(
            (f64::from(found[at]) - exact).abs() < 5.0 * 1.2 / (count as f64).sqrt(),
            "{at}: {} {exact}",
            found[at]
        );
    }
}

/// The first photos of a smaller share are among those of a larger one; the rest are without sketches.
#[test]
fn shares_of_labels_lie_in_each_other() {
    let root = tempfile::tempdir().unwrap();
    let (corpus, places) = (boxes(root.path()), places(root.path()));
    let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
    let bench = Bench::open(&corpus, &places).unwrap();
    let of = |percent| {
        let config = Config { labelled: percent, ..small("ours-f") };
        let material = material::Material::open(&config, &bench, Seed(2), &order).unwrap();
        (material.pairs.iter().map(|pair| pair.photo).collect::<Vec<_>>(), material.hidden)
    };
    let ((few, rest), (half, _), (all, none)) = (of(25), of(50), of(100));
    assert_eq!((few.len(), half.len(), all.len(), rest.len(), none.len()), (2, 4, 8, 6, 0));
    assert!(few.iter().all(|photo| half.contains(photo) && !rest.contains(photo)));
}

#[test]
fn sketches_that_are_pixels_are_refused_by_a_generator_of_strokes() {
    let root = tempfile::tempdir().unwrap();
    let (corpus, places) = (boxes(root.path()), places(root.path()));
    for n in 0..12 {
        let sketch = antialiased(&outline(n), 64, 4.0);
        sketch.save(Path::new(&corpus).join(format!("s{n:02}.png"))).unwrap();
    }
    let manifest = Path::new(&corpus).join("manifest.csv");
    let text = std::fs::read_to_string(&manifest).unwrap().replace(".svg", ".png");
    std::fs::write(&manifest, text).unwrap();
    let error = train("ours-g", small("ours-g"), &corpus, &places, &Unwatched).err().unwrap().to_string();
    assert!(error.contains("expected sketches of strokes"), "{error}");
}

/// A shared training is done once; another seed has one of its own.
#[test]
fn shared_trainings_are_named_by_what_decides_them() {
    let root = tempfile::tempdir().unwrap();
    let (corpus, places) = (boxes(root.path()), places(root.path()));
    let order = Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
    let bench = Bench::open(&corpus, &places).unwrap();
    let key = |seed, settings: &str| {
        let (slug, name, dataset, order) = (SLUG, "a", "boxes", &order);
        let settings = settings.to_string();
        SharedTraining { slug, name, dataset, bench: &bench, seed: Seed(seed), order, settings }.key().unwrap()
    };
    assert_eq!(key(0, "x"), key(0, "x"));
    assert!(key(0, "x") != key(1, "x") && key(0, "x") != key(0, "y"));
}

/// A setting that a part of a row's name changes is one that changes the record.
#[test]
fn every_part_of_a_row_changes_its_settings() {
    let of = |row: &str| serde_json::to_value(Config::preset("qmul-chair-v2", row).unwrap()).unwrap();
    for (row, part) in [
        ("ours-f", "+recipe=strong"),
        ("ours-f+recipe=strong", "+without=loss"),
        ("ours-f", "+labelled=25"),
        ("ours-f-full", "+drop=weights"),
        ("ours-f-full", "+drop=teacher"),
        ("ours-g-full", "+drop=joint"),
        ("ours-f-full", "+attention=none"),
        ("ours-g", "+attention=line"),
        ("ours-f-full", "+teacher=absolute"),
        ("ours-f-full", "+weights=threshold"),
        ("ours-f-full", "+reward=retrieval"),
        ("ours-f-full", "+reward=certainty"),
        ("ours-g", "+width=512"),
        ("ours-g", "+pen=row"),
    ] {
        assert_ne!(of(row), of(&format!("{row}{part}")), "{part}");
    }
}

#[test]
fn parts_that_a_row_has_no_use_for_are_refused() {
    let refuse = |row: &str| Config::preset("synth-chair", row).unwrap_err().to_string();
    assert!(refuse("ours-f+drop=teacher").contains("trained with generated pairs"));
    assert!(refuse("ours-f-full+drop=everything").contains("weights, teacher or joint"));
    assert!(refuse("pix2seq+attention=none").contains("whose generator has attention"));
    assert!(refuse("ours-g+attention=3d").contains("none or line"));
    assert!(refuse("ours-f+width=512").contains("a row with a generator"));
    assert!(refuse("ours-g+pen=pencil").contains("+pen"));
    assert!(refuse("ours-f-full+reward=money").contains("reward=retrieval"));
    assert!(refuse("ours-f+without=loss").contains("+recipe=strong"));
    assert!(refuse("edgemap-pretrain").contains("real photos"));
    assert!(refuse("ours-h").contains("ours-f-full"));
    let check = |change: fn(&mut Config)| {
        let mut config = Config::preset("synth-chair", "ours-f-full").unwrap();
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    assert!(check(|config| config.labelled = 0).contains("config.labelled"));
    assert!(check(|config| config.retrieval.margin = f64::NAN).contains("config.retrieval.margin"));
    assert!(check(|config| config.generator = None).contains("config.generator"));
    assert!(check(|config| config.generator.as_mut().unwrap().width = 0).contains("config.generator.width"));
    assert!(check(|config| config.semi.as_mut().unwrap().policy = -1.0).contains("config.semi.policy"));
    assert!(check(|config| config.semi.as_mut().unwrap().weighing = Weighing::Threshold(2.0)).contains("weighing"));
}

#[test]
fn checkpoints_hold_every_part() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("a.safetensors");
    let config = small("ours-f-full");
    let made = |seed| PhotoNetwork::new(&config, Seed(seed), &Device::Cpu).unwrap();
    let (first, second) = (made(1), made(2));
    first.round().unwrap();
    first.save(&path, &BTreeMap::new()).unwrap();
    second.load(&path).unwrap();
    let (a, b) = (first.release().0, second.release().0);
    let same = |(name, tensor): (&String, &Tensor)| {
        let apart = (tensor - &b[name]).unwrap().abs().unwrap().max_all().unwrap();
        apart.to_scalar::<f32>().unwrap() == 0.0
    };
    assert!(a.len() == b.len() && a.iter().all(same));
    assert!(["retrieval/", "generator/", "critic/"].iter().all(|part| a.keys().any(|name| name.starts_with(part))));
}

#[test]
fn claims_and_tables_name_rows_that_exist() {
    for spec in table::tables() {
        for row in &spec.rows {
            let Some(name) = row.row.as_deref().filter(|row| !["pixels", "hog"].contains(row)) else { continue };
            let is_measured = |dataset: &&DatasetSpec| row.only.is_empty() || row.only.contains(&dataset.name);
            for dataset in spec.datasets.iter().filter(is_measured) {
                Config::preset(dataset.name, name).unwrap().check().unwrap();
            }
        }
        for cell in spec.rows.iter().filter_map(|row| row.paper.as_ref()) {
            for place in spec.datasets.iter().filter_map(|dataset| dataset.printed) {
                assert!(PRINTED.find(cell.table, &cell.label, place, spec.metric.name).unwrap().is_some(), "{cell:?}");
            }
        }
    }
    let claims = Claim::read_all(&PRINTED).unwrap();
    assert!(claims.len() >= 100, "{} comparisons", claims.len());
    for claim in &claims {
        for row in [&claim.row_a, &claim.row_b].into_iter().flat_map(|side| rows(side)) {
            Config::preset(claim.dataset.as_deref().unwrap_or("qmul-chair-v2"), row).unwrap();
        }
    }
}

#[test]
fn the_paper_s_pen_is_known_by_its_row_alone() {
    let of = |row| Config::preset("qmul-chair-v2", row).unwrap().generator.unwrap().pen;
    assert_eq!((of("ours-g+pen=row"), of("ours-g")), (Pen::Row, Pen::Place));
    assert_eq!((Pen::Row.width(), Pen::Place.width()), (5, 7));
}
