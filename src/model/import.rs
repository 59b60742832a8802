//! Pre-trained weights from PyTorch: check every tensor of a `.pth` file against a network and write safetensors.

use super::weights::{self, Storage};
use super::{Allowance, Architecture, LoadReport, NormConfig, Parameters, build, state_dict};
use crate::seed::Seed;
use crate::{Error, Result, run};
use candle_core::Device;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// What a `.pth` file of a whole classifier has and a [`super::Backbone`] does not: the classifier, and PyTorch's
/// count of batches, which matters only where batch norm has no momentum.
pub const ALLOWED: Allowance<'static> = Allowance { missing: &[], extra: &["_fc.*", "fc.*", "*.num_batches_tracked"] };

/// Reads a state dict of `architecture` and writes its backbone.
///
/// The file's metadata names the architecture, the source file and the source's SHA-256. A source named the PyTorch way,
/// `<name>-<first digits of its SHA-256>.pth`, is checked against its name.
///
/// # Errors
/// A source that is not a whole state dict, or not the one its name promises; a missing, misshapen or unexpected
/// tensor; a number that is not finite or does not fit the storage.
pub fn import(architecture: Architecture, source: &Path, target: &Path, storage: Storage) -> Result<LoadReport> {
    let digest = run::hex(&Sha256::digest(std::fs::read(source).map_err(Error::io(source))?));
    check_name(source, &digest)?;
    let tensors = state_dict::read(source)?;
    let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
    build(architecture, &mut parameters.root(), NormConfig::default())?;
    let report = parameters.load_allowing(&tensors, &ALLOWED).map_err(|error| match error {
        Error::Value { expected, found, .. } => Error::data(source, format!("{expected} ({architecture})"), found),
        other => other,
    })?;
    let file = source.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let metadata = [("architecture", architecture.name().into()), ("source", file), ("source_sha256", digest)];
    let metadata: BTreeMap<_, _> = metadata.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
    weights::save(target, &parameters.tensors(), storage, &metadata)?;
    Ok(report)
}

/// PyTorch puts at least 8 hexadecimal digits of the digest behind the last hyphen of a file name.
fn check_name(path: &Path, digest: &str) -> Result<()> {
    const DIGITS: usize = 8;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let Some((_, promised)) = stem.rsplit_once('-') else { return Ok(()) };
    let is_digest = promised.len() >= DIGITS && promised.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    if is_digest && !digest.starts_with(promised) {
        let found = format!("{}; the download is damaged or renamed", &digest[..promised.len().min(digest.len())]);
        return Err(Error::data(path, format!("a SHA-256 that starts with {promised}, as the name says"), found));
    }
    Ok(())
}
