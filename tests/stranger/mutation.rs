//! Valid files with random damage: never a panic, and what is read is what the `safetensors` crate reads.

use crate::corpus::folder;
use proptest::prelude::*;
use retrace::model::weights::read_from;
use safetensors::{Dtype, SafeTensors};
use std::io::Cursor;
use std::path::Path;

/// Pieces of headers, so that random edits make valid syntax.
const PIECES: [&str; 16] = [
    "\"a\"",
    "\"dtype\"",
    "\"shape\"",
    "\"data_offsets\"",
    "\"__metadata__\"",
    "\"F32\"",
    "\"F16\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "0",
    "8",
    " ",
];

#[derive(Debug, Clone)]
enum Mutation {
    /// Turns one bit of a byte.
    Flip(prop::sample::Index, u8),
    /// Cuts the end off.
    Cut(prop::sample::Index),
    /// Writes a piece over what stands there, or puts it in between, and corrects the header's length.
    Piece(prop::sample::Index, prop::sample::Index, bool),
    /// Repeats a part of the file.
    Repeat(prop::sample::Index, usize),
    /// Another length of the header.
    Length(u64),
}

fn fault() -> impl Strategy<Value = Mutation> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        (index(), 0..8_u8).prop_map(|(place, bit)| Mutation::Flip(place, bit)),
        index().prop_map(Mutation::Cut),
        (index(), index(), any::<bool>()).prop_map(|(place, piece, over)| Mutation::Piece(place, piece, over)),
        (index(), 1..60_usize).prop_map(|(place, length)| Mutation::Repeat(place, length)),
        prop_oneof![0..400_u64, any::<u64>()].prop_map(Mutation::Length),
    ]
}

fn apply(bytes: &mut Vec<u8>, fault: &Mutation) {
    match fault {
        _ if bytes.len() < 9 => {}
        Mutation::Flip(place, bit) => {
            let place = place.index(bytes.len());
            bytes[place] ^= 1 << bit;
        }
        Mutation::Cut(place) => bytes.truncate(place.index(bytes.len())),
        Mutation::Piece(place, piece, over) => {
            let (place, piece) = (8 + place.index(bytes.len() - 8), PIECES[piece.index(PIECES.len())]);
            let end = if *over { (place + piece.len()).min(bytes.len()) } else { place };
            lengthen(bytes, piece.len() as u64 - (end - place) as u64);
            bytes.splice(place..end, piece.bytes());
        }
        Mutation::Repeat(place, length) => {
            let place = 8 + place.index(bytes.len() - 8);
            let part = bytes[place..(place + length).min(bytes.len())].to_vec();
            lengthen(bytes, part.len() as u64);
            bytes.splice(place..place, part);
        }
        Mutation::Length(length) => bytes[..8].copy_from_slice(&length.to_le_bytes()),
    }
}

fn lengthen(bytes: &mut [u8], more: u64) {
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()).wrapping_add(more);
    bytes[..8].copy_from_slice(&length.to_le_bytes());
}

fn good_files() -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder().join("good")).unwrap().map(|file| file.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Whether the file is read; then the crate reads the same.
fn agrees(bytes: &[u8]) -> bool {
    let Ok(weights) = read_from(Cursor::new(bytes), Path::new("mutant")) else { return false };
    let file = SafeTensors::deserialize(bytes).unwrap();
    assert_eq!(file.len(), weights.tensors.len());
    for (name, view) in file.iter() {
        let tensor = &weights.tensors[name];
        let expected: Vec<f32> = match view.dtype() {
            Dtype::F32 => view.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect(),
            Dtype::F16 => view.data().chunks(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::BF16 => view.data().chunks(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::I64 => view.data().chunks(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f32).collect(),
            other => panic!("{name} of {other:?} was read"),
        };
        assert_eq!(tensor.dims(), view.shape());
        assert_eq!(tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap(), expected);
    }
    true
}

#[test]
fn good_files_are_read_as_the_crate_reads_them() {
    assert!(good_files().iter().all(|bytes| agrees(bytes)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutants_are_refused_or_read_alike(
        file in any::<prop::sample::Index>(),
        faults in prop::collection::vec(fault(), 1..4),
    ) {
        let files = good_files();
        let mut bytes = files[file.index(files.len())].clone();
        faults.iter().for_each(|fault| apply(&mut bytes, fault));
        agrees(&bytes);
    }
}
