//! PyTorch's state dicts, read without PyTorch: both the zip container and the stream that PyTorch wrote before 1.6.
//!
//! Either holds a pickle that names each tensor's storage, type, shape and strides, and the storages' raw numbers. The
//! pickle is read as data: nothing in it is executed.

mod record;

use crate::{Error, Result};
use candle_core::Tensor;
use candle_core::pickle::{Object, Stack};
use record::{records, tensors, text};
use std::collections::BTreeMap;
use std::io::{BufRead, Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// First bytes of the stream format: a pickle of the number 0x1950a86a20f9469cfc6c, then one of the version, 1001.
const STREAM: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.";

/// First bytes of a zip file.
const ZIP: &[u8] = b"PK\x03\x04";

/// Reads every tensor of a `.pth` file as single precision.
///
/// # Errors
/// A file that is neither container, is cut short or has bytes left over; an object that is not a dict of tensors; a
/// type of number other than half, bfloat16, float, double or long.
pub fn read(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let tensors = if bytes.starts_with(ZIP) {
        read_zip(&bytes)
    } else if bytes.starts_with(STREAM) {
        read_stream(&bytes[STREAM.len()..])
    } else {
        let start = crate::file::hex(&bytes[..bytes.len().min(4)]);
        Err(StateDictFault(format!("a file of {} bytes that starts with {start:?}", bytes.len())))
    };
    tensors.map_err(|StateDictFault(found)| Error::data(path, "a whole PyTorch state dict", found))
}

/// What is wrong with the file; the path is added at the end.
#[derive(Debug)]
struct StateDictFault(String);

impl<E: std::error::Error> From<E> for StateDictFault {
    fn from(error: E) -> Self {
        Self(error.to_string())
    }
}

fn fault<T>(found: impl ToString) -> Result<T, StateDictFault> {
    Err(StateDictFault(found.to_string()))
}

fn read_zip(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, StateDictFault> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes))?;
    let names = archive.file_names().map(|name| name.map(|n| n.into_owned())).collect::<Result<Vec<_>, _>>()?;
    let Some(pickle) = names.iter().find(|name| name.ends_with("/data.pkl")) else {
        return fault("a zip file without data.pkl");
    };
    let folder = pickle.trim_end_matches(".pkl").to_string();
    let records = records(unpickle(&mut entry(&mut archive, pickle)?.as_slice())?)?;
    let mut storages = BTreeMap::new();
    for record in &records {
        if !storages.contains_key(&record.storage) {
            let data = entry(&mut archive, &format!("{folder}/{}", record.storage))?;
            storages.insert(record.storage.clone(), data);
        }
    }
    tensors(&records, &storages)
}

fn entry(archive: &mut zip::ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Vec<u8>, StateDictFault> {
    let mut data = Vec::new();
    archive.by_name(name)?.read_to_end(&mut data)?;
    Ok(data)
}

/// System facts, the dict, the sorted storage keys; then each storage: its count in 8 bytes, its numbers.
fn read_stream(mut rest: &[u8]) -> Result<BTreeMap<String, Tensor>, StateDictFault> {
    unpickle(&mut rest)?;
    let records = records(unpickle(&mut rest)?)?;
    let Object::List(keys) = unpickle(&mut rest)? else { return fault("no list of storages") };
    let sizes: BTreeMap<&str, usize> = records.iter().map(|r| (r.storage.as_str(), r.dtype.size_in_bytes())).collect();
    let mut storages = BTreeMap::new();
    for key in keys {
        let key = text(key)?;
        let Some(size) = sizes.get(key.as_str()) else { return fault(format!("a storage {key} that no tensor uses")) };
        let count = u64::from_le_bytes(take(&mut rest, 8, &key)?.try_into()?);
        let length = usize::try_from(count)?.saturating_mul(*size);
        storages.insert(key.clone(), take(&mut rest, length, &key)?.to_vec());
    }
    if !rest.is_empty() {
        return fault(format!("{} bytes after the last storage", rest.len()));
    }
    tensors(&records, &storages)
}

fn take<'a>(rest: &mut &'a [u8], length: usize, key: &str) -> Result<&'a [u8], StateDictFault> {
    let Some((head, tail)) = rest.split_at_checked(length) else {
        return fault(format!("an end {} bytes into the {length} of storage {key}", rest.len()));
    };
    *rest = tail;
    Ok(head)
}

/// candle's reader panics on some malformed numbers, so a panic counts as a malformed pickle too.
fn unpickle(rest: &mut impl BufRead) -> Result<Object, StateDictFault> {
    let read = catch_unwind(AssertUnwindSafe(|| {
        let mut stack = Stack::empty();
        stack.read_loop(rest)?;
        stack.finalize()
    }));
    match read {
        Ok(object) => object.map_err(|error| StateDictFault(format!("a malformed pickle ({error})"))),
        Err(_) => fault("a malformed pickle"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/model").join(name)
    }

    /// What make.py saved, in both containers.
    #[test]
    fn both_containers_hold_the_same() {
        for name in ["tiny-zip.pth", "tiny-stream.pth"] {
            let tensors = read(&fixture(name)).unwrap();
            assert_eq!(tensors.keys().collect::<Vec<_>>(), ["a.weight", "b.bias", "n", "t.weight"], "{name}");
            let values = |key: &str| tensors[key].flatten_all().unwrap().to_vec1::<f32>().unwrap();
            assert_eq!(tensors["a.weight"].dims(), [2, 3]);
            assert_eq!(values("a.weight"), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
            assert_eq!(values("b.bias"), [0.5, -1.5]);
            assert_eq!((values("n"), tensors["n"].rank()), (vec![7.0], 0));
            // [[0, 1, 2], [3, 4, 5]] without its first column, transposed.
            assert_eq!(tensors["t.weight"].to_vec2::<f32>().unwrap(), [[1.0, 4.0], [2.0, 5.0]]);
        }
    }

    #[test]
    fn a_cut_file_is_an_error_wherever_it_is_cut() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("cut.pth");
        for name in ["tiny-zip.pth", "tiny-stream.pth"] {
            let whole = std::fs::read(fixture(name)).unwrap();
            for end in (0..whole.len()).step_by(7) {
                std::fs::write(&path, &whole[..end]).unwrap();
                let error = read(&path).unwrap_err().to_string();
                assert!(error.contains("cut.pth: expected a whole PyTorch state dict, found"), "{name} {end}: {error}");
            }
        }
    }

    #[test]
    fn a_damaged_byte_never_panics() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("damaged.pth");
        for name in ["tiny-zip.pth", "tiny-stream.pth"] {
            let whole = std::fs::read(fixture(name)).unwrap();
            let mut refused = 0;
            for at in (0..whole.len()).step_by(3) {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x55;
                std::fs::write(&path, &damaged).unwrap();
                refused += usize::from(read(&path).is_err());
            }
            assert!(refused > 20, "{name}: {refused}");
        }
    }

    #[test]
    fn bytes_left_over_and_other_files_are_errors() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("odd.pth");
        let mut longer = std::fs::read(fixture("tiny-stream.pth")).unwrap();
        longer.push(0);
        for (bytes, found) in [
            (longer.as_slice(), "1 bytes after the last storage"),
            (b"\x89PNG", "a file of 4 bytes that starts with \"89504e47\""),
            (b"", "a file of 0 bytes"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(found), "{error}");
        }
    }
}
