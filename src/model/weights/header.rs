//! The header of a safetensors file, checked against its own length, the file's length and itself before any number
//! is read.

use super::fault::FileFault;
use super::syntax::{Syntax, TensorEntry};
use safetensors::Dtype;
use safetensors::tensor::TensorInfo;
use std::collections::BTreeMap;
use std::io::Read;

/// Longest header: 10 000 tensors of 400 bytes. The longest here has 23 kB, and a state of training three times that.
pub const HEADER: u64 = 4 << 20;

/// Longest file. VGG-16 with the two moments of every weight takes 1.7 GB, features of 90 000 pictures 0.5 GB a version.
pub const FILE: u64 = 8 << 30;

/// Tensors of whole numbers that files from PyTorch contain, and their most dimensions: the batches that batch
/// norm has seen, the positions of a transformer.
const COUNTS: [(&str, usize); 2] = [("num_batches_tracked", 0), ("position_ids", 2)];

/// The length of the header's length.
const LENGTH: u64 = 8;

/// A header that was checked.
#[derive(Debug)]
pub struct WeightsHeader {
    /// By name. Together the tensors fill the file's rest, each byte once.
    pub tensors: BTreeMap<String, TensorInfo>,
    /// The writer's metadata.
    pub metadata: BTreeMap<String, String>,
    /// Where the numbers begin.
    pub start: u64,
}

impl WeightsHeader {
    /// Reads the header of a file of `length` bytes; takes memory for the header at most, and only once its length is
    /// found fit.
    pub fn read(source: &mut impl Read, length: u64) -> Result<Self, FileFault> {
        if length > FILE {
            return Err(FileFault::new(format!("a file of at most {FILE} bytes"), length));
        }
        let text = text(source, length)?;
        let start = LENGTH + text.len() as u64;
        Self::parse(&text, start, length - start)
    }

    /// Reads the text of a header that `data` bytes follow.
    pub fn parse(text: &[u8], start: u64, data: u64) -> Result<Self, FileFault> {
        if text.first() != Some(&b'{') {
            return Err(FileFault::new(
                "a header that begins with {",
                text.first().map_or("nothing".into(), |first| format!("something else: byte 0x{first:02x}")),
            ));
        }
        let text = std::str::from_utf8(text).map_err(|error| FileFault::new("a header in UTF-8", error))?;
        let syntax: Syntax =
            serde_json::from_str(text).map_err(|error| FileFault::new("a header of safetensors", error))?;
        let tensors = syntax.tensors.into_iter().map(|(name, entry)| {
            let info = check_entry(&name, entry)?;
            Ok((name, info))
        });
        let header = Self { tensors: tensors.collect::<Result<_, FileFault>>()?, metadata: syntax.metadata, start };
        header.check_order(data)?;
        Ok(header)
    }

    /// The tensors lie one behind the other, from the first byte to the last.
    fn check_order(&self, data: u64) -> Result<(), FileFault> {
        let mut order: Vec<_> = self.tensors.iter().map(|(name, info)| (info.data_offsets, name)).collect();
        order.sort_unstable();
        let mut end = 0;
        for ((from, to), name) in order {
            if from != end {
                let kind = if from > end { "gap" } else { "overlap" };
                return Err(FileFault::new(
                    format!("{name} from byte {end} of the numbers"),
                    format!("{from}: {kind}"),
                ));
            }
            end = to;
        }
        match (end as u64).cmp(&data) {
            std::cmp::Ordering::Equal => Ok(()),
            _ => Err(FileFault::new(format!("{end} bytes behind the header, as it says"), data)),
        }
    }
}

fn text(source: &mut impl Read, length: u64) -> Result<Vec<u8>, FileFault> {
    if length < LENGTH {
        return Err(FileFault::new(format!("at least the {LENGTH} bytes of a header's length"), length));
    }
    let mut promised = [0; LENGTH as usize];
    source.read_exact(&mut promised)?;
    let promised = u64::from_le_bytes(promised);
    if promised > HEADER {
        return Err(FileFault::new(format!("a header of at most {HEADER} bytes"), promised));
    }
    if promised > length - LENGTH {
        return Err(FileFault::new(format!("a header of {promised} bytes, as its length says"), length - LENGTH));
    }
    let mut text = vec![0; promised as usize];
    source.read_exact(&mut text)?;
    Ok(text)
}

/// A tensor of a kind that is known, whose shape takes the bytes that its offsets give it.
fn check_entry(name: &str, entry: TensorEntry) -> Result<TensorInfo, FileFault> {
    let TensorEntry { dtype, shape, offsets: [from, to] } = entry;
    let dtype = match dtype.as_str() {
        "F32" => Dtype::F32,
        "F16" => Dtype::F16,
        "BF16" => Dtype::BF16,
        "I64" if is_count(name, shape.len()) => Dtype::I64,
        _ => return Err(FileFault::new(format!("{name} of F32, F16 or BF16"), dtype)),
    };
    if shape.contains(&0) {
        return Err(FileFault::new(format!("sides of 1 or more in {name}"), format!("{shape:?}")));
    }
    let bytes = shape.iter().try_fold(dtype.bitsize() as u64 / 8, |product, side| product.checked_mul(*side));
    let given = to.checked_sub(from);
    match (bytes, given) {
        (_, None) => Err(FileFault::new(format!("{name} to end behind its beginning"), format!("{from} to {to}"))),
        (None, _) => Err(FileFault::new(format!("a size of {name} that can be counted"), format!("{shape:?}"))),
        (Some(bytes), Some(given)) if bytes != given => {
            Err(FileFault::new(format!("{bytes} bytes of {name} of shape {shape:?}"), given))
        }
        _ => Ok(TensorInfo {
            dtype,
            shape: shape.into_iter().map(whole).collect::<Result<_, _>>()?,
            data_offsets: (whole(from)?, whole(to)?),
        }),
    }
}

/// Fails where an address has fewer bits than a file's.
fn whole(number: u64) -> Result<usize, FileFault> {
    usize::try_from(number).map_err(|_| FileFault::new(format!("numbers up to {}", usize::MAX), number))
}

fn is_count(name: &str, rank: usize) -> bool {
    let end = name.rsplit('.').next().unwrap_or(name);
    COUNTS.iter().any(|(known, most)| end == *known && rank <= *most)
}
