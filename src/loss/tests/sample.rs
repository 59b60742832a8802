//! Losses with one value a sample: each value against its definition, a sum with unequal weights against differences.

use super::*;

fn values(x: &Tensor) -> Vec<f64> {
    x.to_vec1().unwrap()
}

fn mean(x: &Tensor) -> f64 {
    x.mean_all().unwrap().to_scalar().unwrap()
}

/// Within what distances add under their root, 1e-12, for distances that are not tiny.
fn assert_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    let is_near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(is_near, "{found:?} against {expected:?}");
}

fn weight(i: usize) -> f64 {
    0.5 + i as f64
}

fn weigh(losses: &Tensor) -> Tensor {
    let weights: Vec<f64> = (0..losses.elem_count()).map(weight).collect();
    (losses * Tensor::new(weights, &Device::Cpu).unwrap()).unwrap().sum_all().unwrap()
}

/// The values, and the gradient of their weighted sum, at `first`.
fn check(first: &[Vec<f64>], losses: impl Fn(&Tensor) -> Tensor, slow: impl Fn(&[Vec<f64>]) -> Vec<f64>) {
    assert_near(&values(&losses(&tensor(first))), &slow(first));
    let weighed = |x: &[Vec<f64>]| slow(x).iter().enumerate().map(|(i, loss)| weight(i) * loss).sum();
    check_gradient(first, |x| weigh(&losses(x)), weighed);
}

fn slow_triplets(sketches: &[Vec<f64>], photos: &[Vec<f64>], owners: &[usize], margin: f64) -> Vec<f64> {
    let of_row = |i: usize| {
        let negatives: Vec<usize> = (0..photos.len()).filter(|k| owners[*k] != owners[i]).collect();
        let own = distance(&sketches[i], &photos[i]);
        let sum: f64 = negatives.iter().map(|k| (margin + own - distance(&sketches[i], &photos[*k])).max(0.0)).sum();
        sum / negatives.len() as f64
    };
    (0..sketches.len()).map(of_row).collect()
}

#[test]
fn triplet_losses_agree_with_their_twin() {
    let mut stream = Seed(15).stream("test");
    let (sketches, photos) = (rows(&mut stream, 6, 4), rows(&mut stream, 6, 4));
    for owners in [[0, 1, 2, 3, 4, 5], [0, 1, 2, 1, 3, 4]] {
        let losses = |s: &Tensor| triplet_losses(s, &tensor(&photos), &owners, 0.3).unwrap();
        check(&sketches, losses, |s| slow_triplets(s, &photos, &owners, 0.3));
        let losses = |p: &Tensor| triplet_losses(&tensor(&sketches), p, &owners, 0.3).unwrap();
        check(&photos, losses, |p| slow_triplets(&sketches, p, &owners, 0.3));
    }
}

#[test]
fn triplet_losses_have_the_loss_as_their_mean_over_negatives() {
    let mut stream = Seed(16).stream("test");
    let (sketches, photos) = (tensor(&rows(&mut stream, 4, 3)), tensor(&rows(&mut stream, 4, 3)));
    let loss = |owners: &[usize]| triplet_loss(&sketches, &photos, owners, 0.5).unwrap().to_scalar::<f64>().unwrap();
    let losses = |owners: &[usize]| triplet_losses(&sketches, &photos, owners, 0.5).unwrap();
    assert!((mean(&losses(&[0, 1, 2, 3])) - loss(&[0, 1, 2, 3])).abs() < 1e-12);
    // Photo 7 twice: its rows have 2 negatives, the others 3.
    let twice = [7, 1, 7, 3];
    let sum: f64 = values(&losses(&twice)).iter().zip([2.0, 3.0, 2.0, 3.0]).map(|(loss, count)| loss * count).sum();
    assert!((sum / 10.0 - loss(&twice)).abs() < 1e-12);
    assert!((mean(&losses(&twice)) - loss(&twice)).abs() > 1e-6);
}

#[test]
fn triplet_losses_of_one_point_are_the_margin_with_a_finite_gradient() {
    let same = Var::from_tensor(&Tensor::ones((3, 2), DType::F64, &Device::Cpu).unwrap()).unwrap();
    let losses = triplet_losses(&same, &same, &[0, 1, 2], 0.3).unwrap();
    assert_near(&values(&losses), &[0.3; 3]);
    let slopes = losses.sum_all().unwrap().backward().unwrap().get(&same).unwrap().to_vec2::<f64>().unwrap().concat();
    assert!(slopes.iter().all(|slope| slope.is_finite()), "{slopes:?}");
    let error = triplet_losses(&same, &same, &[7, 7, 7], 0.3).unwrap_err().to_string();
    assert!(error.contains("3 rows of one photo"), "{error}");
    assert!(triplet_losses(&same, &same, &[0, 1], 0.3).unwrap_err().to_string().contains("2 owners"));
}

#[test]
fn neighbourhood_losses_agree_with_their_twin_and_their_mean_is_the_loss() {
    let mut stream = Seed(17).stream("test");
    let (queries, photos) = (rows(&mut stream, 5, 3), rows(&mut stream, 5, 3));
    let triple = |i: usize| [1, -1].map(|order| Triple { i, j: (i + 1) % 5, k: (i + 3) % 5, order });
    let triples: Vec<Triple> = (0..5).flat_map(triple).collect();
    let losses = |q: &Tensor| neighbourhood_losses(q, &tensor(&photos), &triples, 0.05).unwrap();
    let slow = |q: &[Vec<f64>]| -> Vec<f64> {
        triples.iter().map(|triple| slow_neighbourhood(q, &photos, &[*triple], 0.05)).collect()
    };
    check(&queries, losses, slow);
    let loss = neighbourhood_loss(&tensor(&queries), &tensor(&photos), &triples, 0.05).unwrap();
    assert_eq!(mean(&losses(&tensor(&queries))), loss.to_scalar::<f64>().unwrap());
    assert!(neighbourhood_losses(&tensor(&queries), &tensor(&photos), &[], 0.05).is_err());
}

/// `- log softmax` of every number of a row.
fn surprise(row: &[f64]) -> Vec<f64> {
    let sum: f64 = row.iter().map(|z| z.exp()).sum();
    row.iter().map(|z| sum.ln() - z).collect()
}

#[test]
fn cross_entropy_losses_are_zero_without_a_label() {
    let logits = rows(&mut Seed(18).stream("test"), 4, 3);
    let labels = [Some(2), None, Some(0), Some(0)];
    let losses = |z: &Tensor| cross_entropy_losses(z, &labels).unwrap();
    let slow = |z: &[Vec<f64>]| -> Vec<f64> {
        z.iter().zip(labels).map(|(row, label)| label.map_or(0.0, |label| surprise(row)[label])).collect()
    };
    check(&logits, losses, slow);
    let loss = |labels: &[_]| cross_entropy_loss(&tensor(&logits), labels).unwrap().to_scalar::<f64>().unwrap();
    assert!((mean(&losses(&tensor(&logits))) * 4.0 / 3.0 - loss(&labels)).abs() < 1e-12);
    let all = [Some(2), Some(1), Some(0), Some(0)];
    assert!((mean(&cross_entropy_losses(&tensor(&logits), &all).unwrap()) - loss(&all)).abs() < 1e-12);
}

#[test]
fn cross_entropy_losses_keep_a_broken_row_to_itself() {
    let logits = tensor(&[vec![f64::NAN, 0.0], vec![1e4, 0.0], vec![f64::NAN, 0.0]]);
    let losses = values(&cross_entropy_losses(&logits, &[None, Some(1), Some(0)]).unwrap());
    assert_eq!(losses[..2], [0.0, 1e4]);
    assert!(losses[2].is_nan());
    assert!(cross_entropy_losses(&logits, &[None, None, None]).unwrap_err().to_string().contains("none in 3 rows"));
    assert!(cross_entropy_losses(&logits, &[None, None, Some(2)]).unwrap_err().to_string().contains("one of 2"));
}

#[test]
fn soft_cross_entropy_losses_agree_with_their_twin_and_their_mean_is_the_loss() {
    let logits = rows(&mut Seed(19).stream("test"), 3, 2);
    let targets = [vec![0.2, 0.8], vec![1.0, 0.0], vec![0.5, 0.5]];
    let losses = |z: &Tensor| soft_cross_entropy_losses(z, &tensor(&targets)).unwrap();
    let slow = |z: &[Vec<f64>]| -> Vec<f64> {
        z.iter().zip(&targets).map(|(row, t)| surprise(row).iter().zip(t).map(|(s, t)| s * t).sum()).collect()
    };
    check(&logits, losses, slow);
    let loss = soft_cross_entropy_loss(&tensor(&logits), &tensor(&targets)).unwrap().to_scalar::<f64>().unwrap();
    assert!((mean(&losses(&tensor(&logits))) - loss).abs() < 1e-12);
    let far = Tensor::new(&[[1e4, 0.0]], &Device::Cpu).unwrap();
    let sure = Tensor::new(&[[1.0, 0.0]], &Device::Cpu).unwrap();
    assert_eq!(values(&soft_cross_entropy_losses(&far, &sure).unwrap()), [0.0]);
}

fn slow_contrastive(a: &[Vec<f64>], b: &[Vec<f64>], scale: f64) -> Vec<f64> {
    let dot = |x: &[f64], y: &[f64]| scale * x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    let one_way =
        |i: usize, x: &[Vec<f64>], y: &[Vec<f64>]| surprise(&y.iter().map(|y| dot(&x[i], y)).collect::<Vec<f64>>())[i];
    (0..a.len()).map(|i| f64::midpoint(one_way(i, a, b), one_way(i, b, a))).collect()
}

#[test]
fn contrastive_losses_agree_with_their_twin_and_their_mean_is_the_loss() {
    let mut stream = Seed(20).stream("test");
    let (a, b) = (rows(&mut stream, 4, 3), rows(&mut stream, 4, 3));
    let scale = Tensor::new(&[3.0_f64], &Device::Cpu).unwrap();
    let losses = |x: &Tensor| contrastive_losses(x, &tensor(&b), &scale).unwrap();
    check(&a, losses, |x| slow_contrastive(x, &b, 3.0));
    let loss = contrastive_loss(&tensor(&a), &tensor(&b), &scale).unwrap().to_scalar::<f64>().unwrap();
    assert!((mean(&losses(&tensor(&a))) - loss).abs() < 1e-12);
    // A single pair has no other class.
    let alone = contrastive_losses(&tensor(&a[..1]), &tensor(&b[..1]), &scale).unwrap();
    assert_eq!(values(&alone), [0.0]);
    for wrong in [contrastive_loss, contrastive_losses] {
        assert!(wrong(&tensor(&a), &tensor(&b[..3]), &scale).is_err());
    }
}
