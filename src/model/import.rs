//! Pre-trained weights of other libraries: check every tensor of a `.pth` or safetensors file against a network and write
//! safetensors with our names.

use super::naming::{Naming, translate};
use super::weights::{self, Storage};
use super::{Architecture, LoadReport, NormConfig, Parameters, build, state_dict};
use crate::seed::Seed;
use crate::{Error, Result, file};
use candle_core::{Device, Tensor};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// First bytes of a `.pth` file: of a zip file, and of a pickle.
const PICKLED: [&[u8]; 2] = [b"PK\x03\x04", b"\x80\x02"];

/// Reads a file of `architecture` and writes its backbone.
///
/// The source may be a `.pth` or a safetensors file, told by its first bytes, with any [`Naming`] that is known of the
/// network, told by its names. The target's metadata names the architecture, the source file and the source's SHA-256.
/// A source named the PyTorch way, `<name>-<first digits of its SHA-256>.pth`, is checked against its name.
///
/// # Errors
/// A source that is not whole, or not the one its name promises; a missing, misshapen or unexpected tensor; a number
/// that is not finite or does not fit the storage.
pub fn import(architecture: Architecture, source: &Path, target: &Path, storage: Storage) -> Result<LoadReport> {
    import_named(architecture, None, source, target, storage)
}

/// [`import`] of a file whose naming is given.
///
/// # Errors
/// As [`import`], and a naming that the network has not.
pub fn import_named(
    architecture: Architecture,
    naming: Option<Naming>,
    source: &Path,
    target: &Path,
    storage: Storage,
) -> Result<LoadReport> {
    let bytes = std::fs::read(source).map_err(Error::io(source))?;
    let digest = file::hex(&Sha256::digest(&bytes));
    check_name(source, &digest)?;
    let is_pickled = PICKLED.iter().any(|start| bytes.starts_with(start)) || has_pickled_name(source);
    drop(bytes); // CLIP's are 600 MB, and are about to be read again
    let file = if is_pickled { state_dict::read(source)? } else { weights::read(source)?.tensors };
    let (parameters, report) = load(architecture, naming, source, &file)?;
    let file = source.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let metadata = [("architecture", architecture.name().into()), ("source", file), ("source_sha256", digest)];
    let metadata: BTreeMap<_, _> = metadata.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
    weights::save(target, &parameters.tensors(), storage, &metadata)?;
    Ok(report)
}

/// A network with a foreign file's tensors in it.
fn load(
    architecture: Architecture,
    naming: Option<Naming>,
    source: &Path,
    file: &BTreeMap<String, Tensor>,
) -> Result<(Parameters, LoadReport)> {
    let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
    build(architecture, &mut parameters.root(), NormConfig::default())?;
    let naming = naming.unwrap_or_else(|| Naming::find(architecture, file.keys().map(String::as_str)));
    let (tensors, report) = translate(architecture, naming, &parameters, file).map_err(|error| match error {
        Error::Value { what, expected, found } => {
            // The message of a whole load is complete; any other is about one tensor, or the naming.
            let what = if what == "weights" { String::new() } else { format!("{what} ") };
            Error::data(source, format!("{what}{expected} ({architecture}, naming {naming})"), found)
        }
        other => other,
    })?;
    parameters.load(&tensors)?;
    Ok((parameters, report))
}

/// Whether the name is PyTorch's: then a damaged file gets the errors of PyTorch's format.
fn has_pickled_name(source: &Path) -> bool {
    source.extension().is_some_and(|extension| ["pth", "pt", "bin"].iter().any(|known| extension == *known))
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

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Tensor};
    use std::path::PathBuf;

    /// Writes tensors of ones as PyTorch's stream format does.
    fn write_ones(path: &Path, shapes: &[(String, Vec<usize>)]) {
        let text = |s: &str| [b"X".as_slice(), &(s.len() as u32).to_le_bytes(), s.as_bytes()].concat();
        let whole = |v: usize| [b"J".as_slice(), &(v as u32).to_le_bytes()].concat();
        let tuple =
            |sides: &[usize]| [b"(".to_vec(), sides.iter().flat_map(|s| whole(*s)).collect(), b"t".to_vec()].concat();
        let mut bytes =
            b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.\x80\x02}(".to_vec();
        for (key, (name, shape)) in shapes.iter().enumerate() {
            let strides: Vec<usize> = (1..=shape.len()).map(|i| shape[i..].iter().product()).collect();
            bytes.extend(text(name));
            bytes.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
            bytes.extend(
                [text("storage"), b"ctorch\nFloatStorage\n".to_vec(), text(&key.to_string()), text("cpu")].concat(),
            );
            bytes.extend([whole(shape.iter().product()), b"NtQK\x00".to_vec(), tuple(shape), tuple(&strides)].concat());
            bytes.extend(b"\x89NtR");
        }
        bytes.extend(b"u.\x80\x02](");
        bytes.extend((0..shapes.len()).flat_map(|key| text(&key.to_string())));
        bytes.extend(b"e.");
        for (_, shape) in shapes {
            let count: usize = shape.iter().product();
            bytes.extend((count as u64).to_le_bytes());
            bytes.extend(1.0_f32.to_le_bytes().repeat(count));
        }
        file::write_atomic(path, &bytes).unwrap();
    }

    fn mini_shapes() -> Vec<(String, Vec<usize>)> {
        let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
        build(Architecture::Mini, &mut parameters.root(), NormConfig::default()).unwrap();
        parameters.tensors().into_iter().map(|(name, tensor)| (name, tensor.dims().to_vec())).collect()
    }

    fn import_mini(source: &Path) -> (Result<LoadReport>, PathBuf) {
        let target = source.with_extension("safetensors");
        (import(Architecture::Mini, source, &target, Storage::Bf16), target)
    }

    #[test]
    fn a_classifier_leaves_its_backbone() {
        let place = tempfile::tempdir().unwrap();
        let source = place.path().join("mini.pth");
        let mut shapes = mini_shapes();
        shapes.extend([("fc.weight".into(), vec![10, 256]), ("bn1.num_batches_tracked".into(), vec![])]);
        write_ones(&source, &shapes);
        let (report, target) = import_mini(&source);
        let report = report.unwrap();
        assert_eq!((report.loaded.len(), report.missing.len()), (mini_shapes().len(), 0));
        assert_eq!(report.extra, ["bn1.num_batches_tracked", "fc.weight"]);
        let weights = weights::read(&target).unwrap();
        assert_eq!(weights.metadata["architecture"], "mini");
        assert_eq!(weights.metadata["source"], "mini.pth");
        assert_eq!(weights.metadata["source_sha256"], file::hex(&Sha256::digest(std::fs::read(&source).unwrap())));
        assert_eq!(weights.tensors.len(), mini_shapes().len());
        let ones = Tensor::ones((32, 3, 3, 3), DType::F32, &Device::Cpu).unwrap();
        let difference = (&weights.tensors["conv1.weight"] - ones).unwrap().abs().unwrap().sum_all().unwrap();
        assert_eq!(difference.to_scalar::<f32>().unwrap(), 0.0);
    }

    #[test]
    fn safetensors_are_told_by_content_and_names_by_themselves() {
        let place = tempfile::tempdir().unwrap();
        let (source, target) = (place.path().join("model.safetensors"), place.path().join("ours.safetensors"));
        let mut parameters = Parameters::new(Seed(1), &Device::Cpu);
        build(Architecture::Vgg16, &mut parameters.root(), NormConfig::default()).unwrap();
        let mut file = parameters.tensors();
        for name in ["pre_logits.fc1.weight", "head.fc.bias"] {
            file.insert(name.into(), Tensor::new(&[1.0_f32], &Device::Cpu).unwrap());
        }
        weights::save(&source, &file, Storage::F32, &BTreeMap::new()).unwrap();
        let report = import(Architecture::Vgg16, &source, &target, Storage::F32).unwrap();
        assert_eq!(report.extra, ["head.fc.bias", "pre_logits.fc1.weight"]);
        let ours = weights::read(&target).unwrap();
        assert!(ours.tensors.keys().eq(parameters.tensors().keys()));
        assert_eq!(ours.metadata["source"], "model.safetensors");
        let difference = (&ours.tensors["features.0.weight"] - &file["features.0.weight"]).unwrap();
        assert_eq!(difference.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap(), 0.0);

        std::fs::remove_file(&target).unwrap();
        for (naming, found) in
            [(Naming::Torchvision, "2 extra (head.fc.bias, pre_logits.fc1.weight)"), (Naming::OpenAi, "found openai")]
        {
            let report = import_named(Architecture::Vgg16, Some(naming), &source, &target, Storage::F32);
            let error = report.unwrap_err().to_string();
            assert!(error.contains(found) && error.contains("vgg16") && !target.exists(), "{error}");
        }
    }

    #[test]
    fn another_network_is_named_and_nothing_written() {
        let place = tempfile::tempdir().unwrap();
        let source = place.path().join("odd.pth");
        let mut shapes = mini_shapes();
        shapes[0].0 = "surprise".into();
        shapes[1].1 = vec![3];
        let (first, second) = (mini_shapes()[0].0.clone(), shapes[1].0.clone());
        write_ones(&source, &shapes);
        let (report, target) = import_mini(&source);
        let error = report.unwrap_err().to_string();
        for part in [
            "odd.pth",
            "(mini, naming own)",
            &format!("1 missing ({first})"),
            "1 extra (surprise)",
            &format!("({second}: "),
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(!target.exists());
    }

    #[test]
    fn a_name_that_promises_another_digest_is_refused() {
        let place = tempfile::tempdir().unwrap();
        let source = place.path().join("mini-0123abcd.pth");
        write_ones(&source, &mini_shapes());
        let error = import_mini(&source).0.unwrap_err().to_string();
        assert!(error.contains("starts with 0123abcd") && error.contains("damaged or renamed"), "{error}");
        let digest = file::hex(&Sha256::digest(std::fs::read(&source).unwrap()));
        let renamed = place.path().join(format!("mini-{}.pth", &digest[..8]));
        std::fs::rename(&source, &renamed).unwrap();
        assert!(import_mini(&renamed).0.is_ok());
    }
}
