//! Untrusted bytes: the reader never panics, never takes much more memory than there are bytes, and accepts
//! nothing that the `safetensors` crate refuses or reads otherwise.
#![no_main]

#[path = "../../stranger/allocation.rs"]
mod allocation;
#[path = "../../../src/model/weights/fault.rs"]
mod fault;
#[path = "../../../src/model/weights/header.rs"]
mod header;
#[path = "../../../src/model/weights/reader.rs"]
mod reader;
#[path = "../../../src/model/weights/syntax.rs"]
mod syntax;

use fault::FileFault;
use libfuzzer_sys::fuzz_target;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::io::Cursor;

#[global_allocator]
static ALLOCATOR: allocation::Counting = allocation::Counting;

type Numbers = BTreeMap<String, Vec<f32>>;

/// Beside a multiple of the file's length: one chunk of numbers, and messages.
const FREE: usize = 128 << 10;

/// A header's shortest entry has 50 bytes and takes 300; half precision takes twice its bytes.
const TIMES: usize = 12;

fuzz_target!(|bytes: &[u8]| {
    let (read, peak) = allocation::peak(|| read(bytes));
    assert!(peak <= FREE + TIMES * bytes.len(), "{peak} bytes of memory for {} bytes", bytes.len());
    match read {
        Ok((metadata, numbers)) => compare(bytes, metadata, &numbers),
        Err(FileFault::Data { expected, found }) => assert!(!expected.is_empty() && expected.len() + found.len() < 5000),
        Err(FileFault::Io(error)) => panic!("{error}"),
    }
});

fn read(bytes: &[u8]) -> Result<(BTreeMap<String, String>, Numbers), FileFault> {
    let mut reader = reader::Reader::new(Cursor::new(bytes))?;
    let names: Vec<String> = reader.header().tensors.keys().cloned().collect();
    let mut numbers = Numbers::new();
    for name in names {
        let own = reader.numbers(&name)?;
        numbers.insert(name, own);
    }
    Ok((reader.header().metadata.clone(), numbers))
}

fn compare(bytes: &[u8], metadata: BTreeMap<String, String>, numbers: &Numbers) {
    let (_, header) = SafeTensors::read_metadata(bytes).expect("what is accepted here is safetensors");
    let file = SafeTensors::deserialize(bytes).expect("what is accepted here is safetensors");
    assert_eq!(header.metadata().clone().unwrap_or_default().into_iter().collect::<BTreeMap<_, _>>(), metadata);
    assert_eq!(file.len(), numbers.len());
    for (name, view) in file.iter() {
        let expected: Vec<f32> = match view.dtype() {
            Dtype::F32 => view.data().chunks(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect(),
            Dtype::F16 => view.data().chunks(2).map(|b| half::f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::BF16 => view.data().chunks(2).map(|b| half::bf16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
            Dtype::I64 => view.data().chunks(8).map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f32).collect(),
            other => panic!("{other:?}"),
        };
        assert_eq!(view.shape().iter().product::<usize>(), expected.len());
        assert_eq!(expected, numbers[name]);
    }
}
