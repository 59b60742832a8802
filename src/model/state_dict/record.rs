//! The tensors that a state dict's pickle describes, and their numbers.

use super::{StateDictFault, fault};
use candle_core::pickle::Object;
use candle_core::{DType, Device, Tensor};
use std::collections::BTreeMap;

/// A tensor as the pickle describes it.
#[derive(Debug)]
pub(super) struct Record {
    name: String,
    pub storage: String,
    pub dtype: DType,
    /// In numbers, not bytes.
    offset: usize,
    shape: Vec<usize>,
    /// In numbers; a transposed tensor is stored as it was.
    strides: Vec<usize>,
    /// Numbers in the whole storage.
    stored: usize,
}

pub(super) fn records(object: Object) -> Result<Vec<Record>, StateDictFault> {
    let Object::Dict(entries) = object else { return fault("an object that is not a dict of tensors") };
    let mut records = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        // The dict's own attribute, written behind its entries.
        if matches!(&name, Object::Unicode(name) if name == "_metadata") {
            continue;
        }
        let name = text(name)?;
        let Some(record) = record(&name, value) else {
            return fault(format!("an entry {name} that is not a tensor of a known type"));
        };
        records.push(record);
    }
    Ok(records)
}

/// `_rebuild_tensor_v2(('storage', type, key, place, stored, ...), offset, shape, strides, ...)`, perhaps inside
/// `_rebuild_parameter(tensor, ...)`.
fn record(name: &str, value: Object) -> Option<Record> {
    let (callable, arguments) = value.reduce().ok()?;
    let (_, class) = callable.class().ok()?;
    let mut arguments = arguments.tuple().ok()?.into_iter();
    match class.as_str() {
        "_rebuild_parameter" => return record(name, arguments.next()?),
        "_rebuild_tensor_v2" => {}
        _ => return None,
    }
    let storage = arguments.next()?.persistent_load().ok()?.tuple().ok()?;
    let offset = whole(arguments.next()?)?;
    let shape = wholes(arguments.next()?)?;
    let strides = wholes(arguments.next()?)?;
    let [_, Object::Class { class_name, .. }, Object::Unicode(key), _, stored, ..] = storage.as_slice() else {
        return None;
    };
    let record = Record {
        name: name.into(),
        storage: key.clone(),
        dtype: dtype(class_name)?,
        offset,
        stored: whole(stored.clone())?,
        shape,
        strides,
    };
    (record.shape.len() == record.strides.len()).then_some(record)
}

fn dtype(class: &str) -> Option<DType> {
    Some(match class {
        "FloatStorage" => DType::F32,
        "HalfStorage" => DType::F16,
        "BFloat16Storage" => DType::BF16,
        "DoubleStorage" => DType::F64,
        "LongStorage" => DType::I64,
        _ => return None,
    })
}

pub(super) fn tensors(
    records: &[Record],
    storages: &BTreeMap<String, Vec<u8>>,
) -> Result<BTreeMap<String, Tensor>, StateDictFault> {
    records.iter().map(|record| Ok((record.name.clone(), tensor(record, storages)?))).collect()
}

fn tensor(record: &Record, storages: &BTreeMap<String, Vec<u8>>) -> Result<Tensor, StateDictFault> {
    let Record { name, storage, dtype, stored, shape, .. } = record;
    let data = storages.get(storage).map(Vec::as_slice).unwrap_or_default();
    if stored.checked_mul(dtype.size_in_bytes()) != Some(data.len()) {
        return fault(format!("{} bytes for the {stored} numbers of {name}", data.len()));
    }
    if !is_inside(record) {
        return fault(format!("{name} of shape {shape:?} in a storage of {stored} numbers"));
    }
    let numbers = Tensor::from_raw_buffer(data, *dtype, &[*stored], &Device::Cpu)?.to_dtype(DType::F32)?;
    Ok(Tensor::from_vec(gather(record, &numbers.to_vec1::<f32>()?), shape.as_slice(), &Device::Cpu)?)
}

/// Whether the tensor has no more numbers than its storage, and its last one lies within.
fn is_inside(record: &Record) -> bool {
    let Record { shape, strides, offset, stored, .. } = record;
    let count = shape.iter().try_fold(1_usize, |count, side| count.checked_mul(*side));
    let last = shape.iter().zip(strides).try_fold(*offset, |last, (side, stride)| {
        side.saturating_sub(1).checked_mul(*stride).and_then(|reach| last.checked_add(reach))
    });
    match count {
        Some(0) => true,
        Some(count) => count <= *stored && last.is_some_and(|last| last < *stored),
        None => false,
    }
}

/// The tensor's numbers in row-major order.
fn gather(record: &Record, numbers: &[f32]) -> Vec<f32> {
    let count: usize = record.shape.iter().product();
    let position = |mut index: usize| {
        record.shape.iter().zip(&record.strides).rev().fold(record.offset, |position, (side, stride)| {
            let here = index % side;
            index /= side;
            position + here * stride
        })
    };
    (0..count).map(|index| numbers[position(index)]).collect()
}

pub(super) fn text(object: Object) -> Result<String, StateDictFault> {
    object.unicode().or_else(|_| fault("a name that is not text"))
}

fn whole(object: Object) -> Option<usize> {
    usize::try_from(object.int_or_long().ok()?).ok()
}

fn wholes(object: Object) -> Option<Vec<usize>> {
    object.tuple().ok()?.into_iter().map(whole).collect()
}
