//! Numbers from a checked file, tensor by tensor.

use super::fault::FileFault;
use super::header::WeightsHeader;
use safetensors::Dtype;
use std::io::{Read, Seek, SeekFrom};

/// Bytes to a read: a multiple of every number's size, small beside a tensor, many beside a system call.
const CHUNK: usize = 64 << 10;

/// A file whose header is checked.
#[derive(Debug)]
pub struct Reader<R> {
    source: R,
    header: WeightsHeader,
}

impl<R: Read + Seek> Reader<R> {
    /// Reads and checks the header.
    pub fn new(mut source: R) -> Result<Self, FileFault> {
        let length = source.seek(SeekFrom::End(0))?;
        source.seek(SeekFrom::Start(0))?;
        let header = WeightsHeader::read(&mut source, length)?;
        Ok(Self { source, header })
    }

    /// The content of the header.
    pub fn header(&self) -> &WeightsHeader {
        &self.header
    }

    /// Reads one tensor as single precision; memory is taken for the tensor and for one chunk.
    pub fn numbers(&mut self, name: &str) -> Result<Vec<f32>, FileFault> {
        let info = self.header.tensors.get(name).ok_or_else(|| FileFault::new(name, "no such tensor"))?;
        let (dtype, (from, to)) = (info.dtype, info.data_offsets);
        self.source.seek(SeekFrom::Start(self.header.start + from as u64))?;
        let count = info.shape.iter().product();
        let mut numbers = Vec::new();
        let full = |_| FileFault::new(format!("memory for the {count} numbers of {name}"), "less");
        numbers.try_reserve_exact(count).map_err(full)?;
        let mut chunk = vec![0; CHUNK.min(to - from)];
        while numbers.len() < count {
            let part = chunk.len().min(dtype.bitsize() / 8 * (count - numbers.len()));
            self.source.read_exact(&mut chunk[..part])?;
            decode(&chunk[..part], dtype, &mut numbers);
        }
        match numbers.iter().find(|number| !number.is_finite()) {
            None => Ok(numbers),
            Some(number) => Err(FileFault::new(format!("finite numbers in {name}"), number)),
        }
    }
}

/// Whole numbers become the nearest number of single precision.
fn decode(bytes: &[u8], dtype: Dtype, numbers: &mut Vec<f32>) {
    match dtype {
        Dtype::F16 => numbers.extend(values(bytes).map(|b| half::f16::from_le_bytes(b).to_f32())),
        Dtype::BF16 => numbers.extend(values(bytes).map(|b| half::bf16::from_le_bytes(b).to_f32())),
        Dtype::I64 => numbers.extend(values(bytes).map(|b| i64::from_le_bytes(b) as f32)),
        _ => numbers.extend(values(bytes).map(f32::from_le_bytes)), // the header lets no other pass
    }
}

fn values<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks().0.iter().copied()
}
