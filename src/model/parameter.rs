//! The named tensors of a network: which exist, which are trained, what they start from, how they are replaced.

use super::init::Init;
use super::load_report::{Allowance, LoadReport};
use super::overlay::Overlay;
use super::scope::{Registry, Scope, Weight};
use crate::seed::Seed;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor, Var};
use std::collections::BTreeMap;

/// All tensors of a network by name, in alphabetical order; each is a candle variable.
///
/// The initial value of a tensor comes from a stream of its own name, so the order of construction does not matter.
///
/// ```
/// use retrace::model::{Init, Parameters};
/// use retrace::seed::Seed;
/// let mut parameters = Parameters::new(Seed(0), &candle_core::Device::Cpu);
/// let mut root = parameters.root();
/// root.push("conv1").weight("weight", &[4, 3, 3, 3], Init::Zeros)?;
/// root.push("bn1").buffer("running_mean", &[4], Init::Zeros)?;
/// assert_eq!(parameters.tensors().len(), 2);
/// assert_eq!(parameters.trainable()[0].0, "conv1.weight");
/// assert_eq!(parameters.trainable().len(), 1);
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Parameters {
    seed: Seed,
    device: Device,
    entries: BTreeMap<String, ParameterEntry>,
}

#[derive(Debug, Clone)]
struct ParameterEntry {
    var: Var,
    trainable: bool,
}

impl Parameters {
    /// No tensors yet; initial values will come from the `init/<name>` streams of `seed`.
    pub fn new(seed: Seed, device: &Device) -> Self {
        Self { seed, device: device.clone(), entries: BTreeMap::new() }
    }

    /// Where layers register their tensors, with an empty name prefix.
    pub fn root(&mut self) -> Scope<'_> {
        Scope::root(self)
    }

    /// A source of the same names in which the given tensors replace these ones: see [`Overlay`].
    pub fn overlay<'a>(&'a self, given: &'a BTreeMap<String, Tensor>) -> Overlay<'a> {
        Overlay::new(self, given)
    }

    /// The variable of a name.
    pub(super) fn var(&self, name: &str) -> Option<&Var> {
        self.entries.get(name).map(|entry| &entry.var)
    }

    /// Where the tensors live.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The tensors that an optimiser moves, sorted by name.
    pub fn trainable(&self) -> Vec<(String, Var)> {
        let trained = self.entries.iter().filter(|(_, entry)| entry.trainable);
        trained.map(|(name, entry)| (name.clone(), entry.var.clone())).collect()
    }

    /// Every tensor, running statistics included; a view of the current values, without gradients.
    pub fn tensors(&self) -> BTreeMap<String, Tensor> {
        self.entries.iter().map(|(name, entry)| (name.clone(), entry.var.as_detached_tensor())).collect()
    }

    /// How many numbers are trained.
    pub fn trainable_count(&self) -> usize {
        self.entries.values().filter(|entry| entry.trainable).map(|entry| entry.var.elem_count()).sum()
    }

    /// Replaces every tensor; names and shapes must be exactly those of the network.
    ///
    /// # Errors
    /// A missing or extra name or another shape, all named; then nothing is replaced.
    pub fn load(&self, tensors: &BTreeMap<String, Tensor>) -> Result<LoadReport> {
        self.load_allowing(tensors, &Allowance::default())
    }

    /// As [`Parameters::load`], but the named tensors may be missing (they keep their values) or extra.
    ///
    /// # Errors
    /// A missing or extra name that is not allowed or another shape, all named; then nothing is replaced.
    pub fn load_allowing(&self, tensors: &BTreeMap<String, Tensor>, allowance: &Allowance) -> Result<LoadReport> {
        let report = self.compare(tensors);
        report.check(allowance)?;
        for name in &report.loaded {
            let (Some(tensor), Some(entry)) = (tensors.get(name), self.entries.get(name)) else { continue };
            // A copy, since a variable refuses a tensor that shares its storage.
            entry.var.set(&tensor.to_dtype(DType::F32)?.to_device(&self.device)?.copy()?)?;
        }
        Ok(report)
    }

    /// Rounds the selected tensors to half precision, so that what is measured is what will be written.
    ///
    /// ```
    /// use candle_core::{Device, Tensor};
    /// use retrace::model::{Init, Parameters};
    /// use retrace::seed::Seed;
    /// let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
    /// parameters.root().weight("a", &[1], Init::Zeros)?;
    /// parameters.load(&[("a".to_string(), Tensor::new(&[0.1_f32], &Device::Cpu)?)].into())?;
    /// parameters.round(|name| name == "a")?;
    /// assert_eq!(parameters.tensors()["a"].to_vec1::<f32>()?, [0.099975586]);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn round(&self, is_rounded: impl Fn(&str) -> bool) -> Result<()> {
        for (_, entry) in self.entries.iter().filter(|(name, _)| is_rounded(name)) {
            entry.var.set(&entry.var.to_dtype(DType::F16)?.to_dtype(DType::F32)?.detach())?;
        }
        Ok(())
    }

    /// What [`Parameters::load`] would find, without replacing anything.
    pub fn compare(&self, tensors: &BTreeMap<String, Tensor>) -> LoadReport {
        self.compare_shapes(&tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.dims())).collect())
    }

    /// As [`Parameters::compare`], before there are tensors.
    pub fn compare_shapes(&self, shapes: &BTreeMap<&str, &[usize]>) -> LoadReport {
        let mut report = LoadReport::default();
        for (name, entry) in &self.entries {
            match shapes.get(name.as_str()) {
                None => report.missing.push(name.clone()),
                Some(shape) if *shape == entry.var.dims() => report.loaded.push(name.clone()),
                Some(shape) => {
                    report.misshapen.push(format!("{name}: expected {:?}, found {shape:?}", entry.var.dims()));
                }
            }
        }
        let is_extra = |name: &&&str| !self.entries.contains_key(**name);
        report.extra = shapes.keys().filter(is_extra).map(ToString::to_string).collect();
        report
    }
}

impl Registry for Parameters {
    /// Draws the initial value.
    fn register(&mut self, name: String, shape: &[usize], init: Init, trainable: bool) -> Result<Weight> {
        if self.entries.contains_key(&name) {
            return Err(Error::value("parameter name", "one that is free", name));
        }
        let values = init.draw(shape, &mut self.seed.stream(&format!("init/{name}")));
        let var = Var::from_vec(values, shape, &self.device)?;
        self.entries.insert(name, ParameterEntry { var: var.clone(), trainable });
        Ok(Weight::own(var, trainable))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::init::Fan;

    fn network(order: [&str; 2]) -> Parameters {
        let mut parameters = Parameters::new(Seed(5), &Device::Cpu);
        for name in order {
            parameters.root().push(name).weight("weight", &[2, 3], Init::KaimingNormal(Fan::In)).unwrap();
        }
        parameters.root().buffer("mean", &[2], Init::Zeros).unwrap();
        parameters
    }

    fn values(parameters: &Parameters, name: &str) -> Vec<f32> {
        parameters.tensors()[name].flatten_all().unwrap().to_vec1().unwrap()
    }

    #[test]
    fn order_of_construction_does_not_matter() {
        let (one, other) = (network(["a", "b"]), network(["b", "a"]));
        assert_eq!(values(&one, "a.weight"), values(&other, "a.weight"));
        assert_ne!(values(&one, "a.weight"), values(&one, "b.weight"));
        assert_eq!(one.trainable_count(), 12);
        let names: Vec<String> = other.trainable().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a.weight", "b.weight"]);
    }

    #[test]
    fn a_taken_name_is_refused() {
        let error = network(["a", "b"]).root().push("a").weight("weight", &[1], Init::Zeros).unwrap_err().to_string();
        assert!(error.contains("a.weight"), "{error}");
    }

    #[test]
    fn a_load_is_whole_or_not_at_all() {
        let parameters = network(["a", "b"]);
        let before = values(&parameters, "a.weight");
        let ones = |shape: &[usize]| Tensor::ones(shape, DType::F32, &Device::Cpu).unwrap();
        let mut tensors = BTreeMap::from([("a.weight".to_string(), ones(&[2, 3])), ("mean".to_string(), ones(&[3]))]);
        tensors.insert("fc.bias".into(), ones(&[1]));
        let error = parameters.load(&tensors).unwrap_err().to_string();
        for part in ["3 tensors", "1 missing (b.weight)", "1 extra (fc.bias)", "mean: expected [2], found [3]"] {
            assert!(error.contains(part), "{error}");
        }
        assert_eq!(values(&parameters, "a.weight"), before);

        tensors.insert("mean".into(), ones(&[2]));
        let allowance = Allowance { missing: &["b.*"], extra: &["*.bias"] };
        let report = parameters.load_allowing(&tensors, &allowance).unwrap();
        assert_eq!(report.to_string(), "2 loaded, 1 missing, 1 extra");
        assert_eq!(values(&parameters, "a.weight"), [1.0; 6]);
        assert!(parameters.load_allowing(&tensors, &Allowance { missing: &["c.*"], extra: &["*"] }).is_err());
    }

    #[test]
    fn own_tensors_load_back_and_stay_apart() {
        let (from, to) = (network(["a", "b"]), network(["a", "b"]));
        from.trainable()[0].1.set(&Tensor::ones((2, 3), DType::F32, &Device::Cpu).unwrap()).unwrap();
        to.load(&from.tensors()).unwrap();
        assert_eq!(values(&to, "a.weight"), [1.0; 6]);
        from.load(&from.tensors()).unwrap();
        to.trainable()[0].1.set(&Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap()).unwrap();
        assert_eq!(values(&from, "a.weight"), [1.0; 6]);
    }
}
