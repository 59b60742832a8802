//! Tensors by name, of one owner or of several: what a training saves and restores.

use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;

/// Tensors by name.
pub type Tensors = BTreeMap<String, Tensor>;

/// The tensors of several owners in one map, each under the owner's prefix.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use retrace::train::named::{Tensors, join, part};
/// let own = |value: f32| Ok::<_, retrace::Error>(Tensors::from([("x".into(), Tensor::new(&[value], &Device::Cpu)?)]));
/// let both = join([("a/", own(1.0)?), ("b/", own(2.0)?)]);
/// assert_eq!(both.keys().collect::<Vec<_>>(), ["a/x", "b/x"]);
/// assert_eq!(part(&both, "b/")["x"].to_vec1::<f32>()?, [2.0]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn join<'a>(parts: impl IntoIterator<Item = (&'a str, Tensors)>) -> Tensors {
    let under = |(prefix, tensors): (&'a str, Tensors)| {
        tensors.into_iter().map(move |(name, tensor)| (format!("{prefix}{name}"), tensor))
    };
    parts.into_iter().flat_map(under).collect()
}

/// The tensors under a prefix, without it: what [`join`] was given.
pub fn part(tensors: &Tensors, prefix: &str) -> Tensors {
    let own = tensors.iter().filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?, tensor)));
    own.map(|(name, tensor)| (name.to_string(), tensor.clone())).collect()
}

/// The tensor of a name.
///
/// # Errors
/// A name that is not there.
pub fn entry<'a>(tensors: &'a Tensors, name: &str) -> Result<&'a Tensor> {
    tensors.get(name).ok_or_else(|| Error::value("saved state", format!("an entry `{name}`"), "none"))
}

/// The current values, apart from the variables' own storage, which the next step overwrites.
///
/// # Errors
/// A failing tensor operation.
pub fn copies(tensors: &Tensors) -> Result<Tensors> {
    tensors.iter().map(|(name, tensor)| Ok((name.clone(), tensor.copy()?))).collect()
}

/// A number as a tensor that loses no bit where it is stored in single precision.
///
/// ```text
/// x = a + b + c,  a = x, b = x - a, c = x - a - b, each rounded to single precision
/// ```
///
/// # Shapes
/// `(3)`.
///
/// # Errors
/// A failing tensor operation.
///
/// ```
/// use retrace::train::named::{from_number, to_number};
/// assert_eq!(to_number(&from_number(1.0 / 3.0)?)?, 1.0 / 3.0);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn from_number(x: f64) -> Result<Tensor> {
    let a = x as f32;
    let b = (x - f64::from(a)) as f32;
    let c = (x - f64::from(a) - f64::from(b)) as f32;
    Ok(Tensor::new(&[a, b, c], &Device::Cpu)?)
}

/// The number that [`from_number`] was given.
///
/// # Errors
/// A tensor that is not a list of numbers.
pub fn to_number(tensor: &Tensor) -> Result<f64> {
    Ok(tensor.to_dtype(DType::F64)?.to_vec1::<f64>()?.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use rand::RngExt;

    #[test]
    fn a_number_keeps_every_bit() {
        let mut stream = Seed(2).stream("test");
        let drawn = (0..1000).map(|i| (stream.random::<f64>() - 0.5) * 10.0_f64.powi(i % 20 - 10));
        for x in drawn.chain([0.0, 0.1, 1024.0, 16_777_217.0, -f64::from(f32::MAX), 1.0 + f64::EPSILON]) {
            let tensor = from_number(x).unwrap();
            assert_eq!(tensor.dtype(), DType::F32);
            assert_eq!(to_number(&tensor).unwrap().to_bits(), x.to_bits(), "{x}");
        }
    }

    #[test]
    fn an_entry_that_is_missing_is_named() {
        let error = entry(&Tensors::new(), "words").unwrap_err().to_string();
        assert_eq!(error, "saved state: expected an entry `words`, found none");
    }
}
