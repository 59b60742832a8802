//! Names and shapes are compared with the network before a number is read.

use crate::allocation::peak;
use candle_core::Device;
use retrace::model::{Allowance, Init, Parameters, weights};
use retrace::seed::Seed;
use std::path::{Path, PathBuf};

/// Numbers that do not belong to the network: 64 MB, so that reading them would show.
const EXTRA: usize = 64 << 20;

fn network() -> Parameters {
    let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
    parameters.root().weight("a", &[2], Init::Zeros).unwrap();
    parameters
}

/// `a` of shape `[length]`, and an `extra` tensor of NaN.
fn write(place: &Path, length: usize) -> PathBuf {
    let end = 4 * length;
    let text = format!(
        r#"{{"a":{{"dtype":"F32","shape":[{length}],"data_offsets":[0,{end}]}},"extra":{{"dtype":"F32","shape":[{}],"data_offsets":[{end},{}]}}}}"#,
        EXTRA / 4,
        end + EXTRA
    );
    let mut bytes = [(text.len() as u64).to_le_bytes().as_slice(), text.as_bytes()].concat();
    bytes.extend([1.0_f32, 2.0].iter().cycle().take(length).flat_map(|number| number.to_le_bytes()));
    bytes.resize(bytes.len() + EXTRA, 0xff);
    let path = place.join("w.safetensors");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn other_names_and_shapes_cost_no_memory() {
    let place = tempfile::tempdir().unwrap();
    for (length, reason) in [
        (2, "1 tensors, found 1 extra (extra)"),
        (1 << 20, "found 1 extra (extra), 1 of another shape (a: expected [2], found [1048576])"),
    ] {
        let (path, parameters) = (write(place.path(), length), network());
        let (load, held) = peak(|| weights::load(&path, &parameters, &Allowance::default()));
        let error = load.unwrap_err().to_string();
        assert!(error.contains("w.safetensors: expected the network's") && error.contains(reason), "{error}");
        assert!(held < 16 << 10, "{held} bytes held");
        assert_eq!(parameters.tensors()["a"].to_vec1::<f32>().unwrap(), [0.0; 2]);
    }
}

#[test]
fn allowed_extras_are_reported_and_not_read() {
    let place = tempfile::tempdir().unwrap();
    let (path, parameters) = (write(place.path(), 2), network());
    let allowance = Allowance { missing: &[], extra: &["ext*"] };
    let (report, held) = peak(|| weights::load(&path, &parameters, &allowance).unwrap());
    assert_eq!((report.loaded, report.extra), (vec!["a".to_string()], vec!["extra".to_string()]));
    assert_eq!(parameters.tensors()["a"].to_vec1::<f32>().unwrap(), [1.0, 2.0]);
    assert!(held < 32 << 10, "{held} bytes held");
    assert!(weights::read(&path).unwrap_err().to_string().contains("finite numbers in extra, found NaN"));
}
