//! Each loss against a slow twin that loops over the definition, and its gradient against finite differences, in f64.

use super::*;
use crate::seed::{Seed, Stream};
use candle_core::{DType, Device, Var};
use rand::RngExt;

mod sample;

fn rows(stream: &mut Stream, n: usize, d: usize) -> Vec<Vec<f64>> {
    (0..n).map(|_| (0..d).map(|_| stream.random_range(-1.0..1.0)).collect()).collect()
}

fn tensor(rows: &[Vec<f64>]) -> Tensor {
    Tensor::from_vec(rows.concat(), (rows.len(), rows[0].len()), &Device::Cpu).unwrap()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt()
}

fn slow_triplet(sketches: &[Vec<f64>], photos: &[Vec<f64>], owners: &[usize], margin: f64) -> f64 {
    let mut terms = Vec::new();
    for i in 0..sketches.len() {
        for k in 0..photos.len() {
            if owners[i] != owners[k] {
                let gap = distance(&sketches[i], &photos[i]) - distance(&sketches[i], &photos[k]);
                terms.push((margin + gap).max(0.0));
            }
        }
    }
    terms.iter().sum::<f64>() / terms.len() as f64
}

fn slow_neighbourhood(queries: &[Vec<f64>], photos: &[Vec<f64>], triples: &[Triple], margin: f64) -> f64 {
    let mut sum = 0.0;
    for t in triples {
        let gap = distance(&queries[t.i], &photos[t.j]) - distance(&queries[t.i], &photos[t.k]);
        sum += (margin + f64::from(t.order) * gap).max(0.0);
    }
    sum / triples.len() as f64
}

/// Compares the gradient of `loss` at `first` with central differences of its slow twin.
fn check_gradient(first: &[Vec<f64>], loss: impl Fn(&Tensor) -> Tensor, slow: impl Fn(&[Vec<f64>]) -> f64) {
    let variable = Var::from_tensor(&tensor(first)).unwrap();
    let grads = loss(variable.as_tensor()).backward().unwrap();
    let ours = grads.get(&variable).unwrap().to_vec2::<f64>().unwrap();
    for i in 0..first.len() {
        for j in 0..first[0].len() {
            let step = |by: f64| {
                let mut moved = first.to_vec();
                moved[i][j] += by;
                slow(&moved)
            };
            let expected = (step(1e-6) - step(-1e-6)) / 2e-6;
            assert!((ours[i][j] - expected).abs() < 1e-5, "{i},{j}: {} against {expected}", ours[i][j]);
        }
    }
}

#[test]
fn triplet_agrees_with_its_twin() {
    let mut stream = Seed(5).stream("test");
    let (sketches, photos) = (rows(&mut stream, 6, 4), rows(&mut stream, 6, 4));
    let owners = [0, 1, 2, 1, 3, 4]; // photo 1 twice
    let loss = |s: &Tensor| triplet_loss(s, &tensor(&photos), &owners, 0.3).unwrap();
    let expected = slow_triplet(&sketches, &photos, &owners, 0.3);
    assert!((loss(&tensor(&sketches)).to_scalar::<f64>().unwrap() - expected).abs() < 1e-9);
    check_gradient(&sketches, loss, |s| slow_triplet(s, &photos, &owners, 0.3));
    let loss = |p: &Tensor| triplet_loss(&tensor(&sketches), p, &owners, 0.3).unwrap();
    check_gradient(&photos, loss, |p| slow_triplet(&sketches, p, &owners, 0.3));
}

#[test]
fn triplet_ignores_own_photo() {
    let same = tensor(&[vec![1.0, 0.0], vec![1.0, 0.0]]);
    let error = triplet_loss(&same, &same, &[7, 7], 0.3).unwrap_err().to_string();
    assert!(error.contains("two different photos"), "{error}");
}

#[test]
fn coinciding_embeddings_have_a_finite_gradient() {
    let same = Var::from_tensor(&Tensor::ones((3, 2), DType::F64, &Device::Cpu).unwrap()).unwrap();
    let grads = triplet_loss(&same, &same, &[0, 1, 2], 0.3).unwrap().backward().unwrap();
    let values = grads.get(&same).unwrap().to_vec2::<f64>().unwrap().concat();
    assert!(values.iter().all(|value| value.is_finite()), "{values:?}");
}

#[test]
fn neighbourhood_agrees_with_its_twin_in_both_forms() {
    let mut stream = Seed(6).stream("test");
    let (queries, photos) = (rows(&mut stream, 5, 3), rows(&mut stream, 5, 3));
    let topology = Topology::new(&tensor(&rows(&mut stream, 9, 4))).unwrap();
    let triples = draw_triples(&topology, &[8, 0, 3, 5, 2], 7, Draw::Random, &mut stream).unwrap();
    assert_eq!(triples.len(), 35);
    for (first, others) in [(&queries, &photos), (&photos, &photos)] {
        let loss = |q: &Tensor| neighbourhood_loss(q, &tensor(others), &triples, 0.05).unwrap();
        let expected = slow_neighbourhood(first, others, &triples, 0.05);
        assert!((loss(&tensor(first)).to_scalar::<f64>().unwrap() - expected).abs() < 1e-6);
        check_gradient(first, loss, |q| slow_neighbourhood(q, others, &triples, 0.05));
    }
}

#[test]
fn triples_are_three_photos_and_carry_the_order() {
    let mut stream = Seed(7).stream("test");
    let points = rows(&mut stream, 12, 3);
    let topology = Topology::new(&tensor(&points)).unwrap();
    let photos = [3, 11, 0, 3, 6];
    for triple in draw_triples(&topology, &photos, 20, Draw::Random, &mut stream).unwrap() {
        let (i, j, k) = (photos[triple.i], photos[triple.j], photos[triple.k]);
        assert!(i != j && i != k && j != k);
        let nearer = distance(&points[i], &points[j]) <= distance(&points[i], &points[k]);
        assert_eq!(triple.order, if nearer { 1 } else { -1 });
    }
}

#[test]
fn a_batch_without_three_photos_is_an_error() {
    let topology = Topology::new(&tensor(&[vec![0.0], vec![1.0], vec![2.0]])).unwrap();
    let mut stream = Seed(8).stream("test");
    for draw in [Draw::Random, Draw::Nearest] {
        assert!(draw_triples(&topology, &[0, 1], 1, draw, &mut stream).is_err());
        assert!(draw_triples(&topology, &[0, 0, 0], 1, draw, &mut stream).is_err());
        assert!(draw_triples(&topology, &[0, 1, 3], 1, draw, &mut stream).unwrap_err().to_string().contains("below 3"));
    }
    assert!(Topology::new(&tensor(&[vec![f64::NAN], vec![1.0]])).is_err());
}

/// On a line at 0, 4, 1, 9 and 2; a second row of photo 2.
#[test]
fn nearest_draws_the_first_nearest_and_a_random_other() {
    let topology = Topology::new(&tensor(&[0.0, 4.0, 1.0, 9.0, 2.0].map(|x| vec![x]))).unwrap();
    let photos = [1, 2, 4, 3, 2, 0];
    let triples = draw_triples(&topology, &photos, 40, Draw::Nearest, &mut Seed(1).stream("test")).unwrap();
    assert_eq!(triples.len(), 6 * 40);
    // To 4: 2. To 1: 0 and 2 are equally near, and 2 is the earlier row. To 2: 1, in its earlier row. To 9: 4. To 0: 1.
    for (i, nearest) in [2, 2, 1, 0, 2, 1].into_iter().enumerate() {
        let own: Vec<&Triple> = triples.iter().filter(|triple| triple.i == i).collect();
        assert!(own.len() == 40 && own.iter().all(|triple| triple.j == nearest && triple.order == 1), "{i}: {own:?}");
        let may = |k: usize| photos[k] != photos[i] && photos[k] != photos[nearest];
        assert!((0..6).all(|k| own.iter().any(|triple| triple.k == k) == may(k)), "{i}: {own:?}");
    }
}

/// Drawn before `Draw::Nearest` existed: recorded runs depend on these draws.
#[test]
fn random_draw_keeps_its_recorded_draws() {
    let topology = Topology::new(&tensor(&[0.0, 4.0, 1.0, 9.0, 2.0].map(|x| vec![x]))).unwrap();
    let photos = [1, 2, 4, 3];
    let found = draw_triples(&topology, &photos, 5, Draw::default(), &mut Seed(2).stream("test")).unwrap();
    let mut stream = Seed(2).stream("test");
    let mut expected = Vec::new();
    for i in 0..4 {
        let others: Vec<usize> = (0..4).filter(|j| *j != i).collect();
        while expected.len() < 5 * (i + 1) {
            let (j, k) = (others[stream.random_range(0..3)], others[stream.random_range(0..3)]);
            expected.extend(topology.order(photos[i], photos[j], photos[k]).map(|order| Triple { i, j, k, order }));
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn draws_are_written_in_lower_case() {
    for (draw, text) in [(Draw::Random, "\"random\""), (Draw::Nearest, "\"nearest\"")] {
        assert_eq!(serde_json::to_string(&draw).unwrap(), text);
        assert_eq!(serde_json::from_str::<Draw>(text).unwrap(), draw);
    }
}

#[test]
fn topology_refuses_invalid_distances() {
    let refused = [vec![vec![0.0, 1.0]], vec![vec![0.0, f64::NAN], vec![1.0, 0.0]], vec![vec![-1.0]]];
    for rows in refused {
        assert!(Topology::of_distances(&tensor(&rows)).is_err(), "{rows:?}");
    }
    let topology = Topology::of_distances(&tensor(&[vec![0.0, 2.0], vec![2.0, 0.0]])).unwrap();
    assert_eq!((topology.photos(), topology.distance(0, 1)), (2, Some(2.0)));
}
