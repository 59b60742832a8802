//! The outer gradient of the inner loop on M, against finite differences and against another way to compute it.

use super::super::{
    Comparison, HeadWeights, Hinge, MetaOrder, StepConfig, StepRule, adapt, meta_gradient, support_gradient,
    support_loss,
};
use candle_core::{DType, Device, Tensor, Var};

pub(super) const SOFT: Hinge = Hinge::Soft { temperature: 0.1 };

/// Numbers that look random.
pub(super) fn wave(shape: &[usize], phase: f64) -> Tensor {
    let count: usize = shape.iter().product();
    let values: Vec<f64> = (0..count).map(|i| (1.7 * i as f64 + phase).sin() + 0.3 * (0.6 * i as f64).cos()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

pub(super) fn number(x: &Tensor) -> f64 {
    x.to_scalar::<f64>().unwrap()
}

/// What the outer loss depends on: M, the support's features and the margin.
struct Start {
    all: Vec<(String, Var)>,
    queries: Comparison,
}

impl Start {
    fn new() -> Self {
        let named = [
            ("weight", wave(&[3, 4], 0.2)),
            ("bias", (wave(&[3], 1.1) * 0.1).unwrap()),
            ("sketches", wave(&[3, 4], 2.5)),
            ("photos", wave(&[5, 4], 4.0)),
            ("margin", Tensor::new(0.4_f64, &Device::Cpu).unwrap()),
        ];
        let all =
            named.into_iter().map(|(name, value)| (name.to_string(), Var::from_tensor(&value).unwrap())).collect();
        let queries = Comparison { sketches: wave(&[4, 4], 0.9), photos: wave(&[5, 4], 3.3), own: vec![1, 0, 3, 4] };
        Self { all, queries }
    }

    fn of(&self, name: &str) -> &Var {
        &self.all.iter().find(|(own, _)| own == name).unwrap().1
    }

    fn head(&self) -> HeadWeights {
        HeadWeights { weight: self.of("weight").as_tensor().clone(), bias: self.of("bias").as_tensor().clone() }
    }

    fn support(&self) -> Comparison {
        let [sketches, photos] = ["sketches", "photos"].map(|name| self.of(name).as_tensor().clone());
        Comparison { sketches, photos, own: vec![0, 2, 2] }
    }

    fn outer(&self, config: &StepConfig) -> Tensor {
        let head = adapt(&self.head(), &self.support(), self.of("margin").as_tensor(), config).unwrap();
        support_loss(&head, &self.queries, &Tensor::new(0.3_f64, &Device::Cpu).unwrap(), SOFT).unwrap()
    }

    /// The slope in one number, by a difference.
    fn difference(&self, name: &str, at: usize, config: &StepConfig) -> f64 {
        let (var, step) = (self.of(name), 1e-5);
        let before = var.as_tensor().copy().unwrap().detach();
        let moved = |by: f64| {
            let mut values = before.flatten_all().unwrap().to_vec1::<f64>().unwrap();
            values[at] += by;
            var.set(&Tensor::from_vec(values, before.shape(), &Device::Cpu).unwrap()).unwrap();
            number(&self.outer(config))
        };
        let slope = (moved(step) - moved(-step)) / (2.0 * step);
        var.set(&before).unwrap();
        slope
    }
}

pub(super) fn config(steps: usize, hinge: Hinge) -> StepConfig {
    StepConfig { steps, rate: 0.3, rule: StepRule::Gradient, order: MetaOrder::Second, hinge }
}

#[test]
fn outer_gradient_agrees_with_differences_through_one_and_three_steps() {
    let start = Start::new();
    for (steps, hinge) in [(0, SOFT), (1, SOFT), (3, SOFT), (1, Hinge::Hard), (3, Hinge::Hard)] {
        let config = config(steps, hinge);
        let slopes = start.outer(&config).backward().unwrap();
        for (name, var) in &start.all {
            let found = slopes.get(var).map(|slope| slope.flatten_all().unwrap().to_vec1::<f64>().unwrap());
            for at in 0..var.elem_count() {
                let wanted = start.difference(name, at, &config);
                let found = found.as_ref().map_or(0.0, |slope| slope[at]);
                assert!((found - wanted).abs() < 1e-6, "{steps} steps, {hinge:?}, {name} {at}: {found} {wanted}");
            }
        }
    }
}

/// Why the inner hinge is soft: a hard one has slopes of 0 and 1, which the margin only switches.
#[test]
fn margin_is_reached_through_a_soft_hinge_alone() {
    let start = Start::new();
    let slope = |hinge| {
        let slopes = start.outer(&config(1, hinge)).backward().unwrap();
        slopes.get(start.of("margin")).map_or(0.0, number)
    };
    assert!(slope(SOFT).abs() > 1e-4);
    assert_eq!(slope(Hinge::Hard), 0.0);
}

#[test]
fn inner_gradient_is_that_of_the_backward_pass() {
    let start = Start::new();
    for hinge in [SOFT, Hinge::Hard] {
        let margin = start.of("margin").as_tensor();
        let found = support_gradient(&start.head(), &start.support(), margin, hinge).unwrap();
        let slopes = support_loss(&start.head(), &start.support(), margin, hinge).unwrap().backward().unwrap();
        for (name, own) in [("weight", found.weight), ("bias", found.bias)] {
            let apart = (own - slopes.get(start.of(name)).unwrap()).unwrap().abs().unwrap().max_all().unwrap();
            assert!(number(&apart) < 1e-9, "{hinge:?} {name}");
        }
    }
}

/// The same gradient by products with the Hessian, which shares no formula: ANIL's slow twin.
#[test]
fn gradient_through_the_head_agrees_with_products_of_the_hessian() {
    let start = Start::new();
    let head: Vec<(String, Var)> = start.all[..2].to_vec();
    let margin = Tensor::new(0.4_f64, &Device::Cpu).unwrap();
    for steps in [1, 3] {
        let config = config(steps, SOFT);
        let slopes = start.outer(&config).backward().unwrap();
        let inner = || support_loss(&start.head(), &start.support(), &margin, SOFT);
        let outer = || support_loss(&start.head(), &start.queries, &Tensor::new(0.3_f64, &Device::Cpu).unwrap(), SOFT);
        let found = meta_gradient(&inner, &outer, &head, &[], &config).unwrap();
        for (name, var) in &head {
            let apart = (&found.gradients[name] - slopes.get(var).unwrap()).unwrap().abs().unwrap().max_all().unwrap();
            assert!(number(&apart) < 1e-4, "{steps} steps: {name} {apart}");
        }
    }
}

#[test]
fn first_order_and_signs_take_the_gradient_where_the_steps_end() {
    let start = Start::new();
    for (rule, order) in [(StepRule::Gradient, MetaOrder::First), (StepRule::Sign, MetaOrder::Second)] {
        let config = StepConfig { rule, order, ..config(2, SOFT) };
        let slopes = start.outer(&config).backward().unwrap();
        let end = adapt(&start.head(), &start.support(), start.of("margin").as_tensor(), &config).unwrap();
        let there = HeadWeights {
            weight: Var::from_tensor(&end.weight.detach()).unwrap().into_inner(),
            bias: end.bias.detach(),
        };
        let loss = support_loss(&there, &start.queries, &Tensor::new(0.3_f64, &Device::Cpu).unwrap(), SOFT).unwrap();
        let wanted = loss.backward().unwrap();
        let apart = (slopes.get(start.of("weight")).unwrap() - wanted.get(&there.weight).unwrap()).unwrap();
        assert!(number(&apart.abs().unwrap().max_all().unwrap()) < 1e-12);
        assert!(slopes.get(start.of("margin")).is_none_or(|slope| number(slope) == 0.0));
    }
}

#[test]
fn supports_without_a_triplet_are_refused() {
    let start = Start::new();
    let margin = start.of("margin").as_tensor();
    let refuse = |support: &Comparison| support_loss(&start.head(), support, margin, SOFT).unwrap_err().to_string();
    let whole = start.support();
    let none = Comparison { own: vec![], ..whole.clone() };
    assert!(refuse(&none).contains("1 sketch or more, found 0"));
    let alone = Comparison { photos: whole.photos.narrow(0, 0, 1).unwrap(), own: vec![0; 3], ..whole.clone() };
    assert!(refuse(&alone).contains("at least one other, found 1"));
    assert!(refuse(&Comparison { own: vec![0, 1, 5], ..whole }).contains("below 5, found 5"));
}

#[test]
fn a_step_goes_down_the_support_loss() {
    let start = Start::new();
    let margin = start.of("margin").as_tensor();
    let loss = |head: &HeadWeights| number(&support_loss(head, &start.support(), margin, SOFT).unwrap());
    let losses: Vec<f64> = (0..4)
        .map(|steps| loss(&adapt(&start.head(), &start.support(), margin, &config(steps, SOFT)).unwrap()))
        .collect();
    assert!(losses.windows(2).all(|pair| pair[1] < pair[0]), "{losses:?}");
    assert_eq!(wave(&[2], 0.0).dtype(), DType::F64);
}
