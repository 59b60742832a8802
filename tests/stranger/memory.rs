//! Memory for reading a file, and for refusing one.

use crate::allocation::peak;
use candle_core::{Device, Tensor};
use retrace::model::weights::{Archive, Storage, read, read_from, save};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A file of `length` bytes, most of them a hole that takes no room on the disk, behind a header.
fn sparse(place: &Path, header: &str, length: u64) -> PathBuf {
    let path = place.join("sparse.safetensors");
    let mut file = File::create(&path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(length).unwrap();
    path
}

/// A header with the right numbers for one tensor of `bytes` bytes, and the file's length.
fn header(bytes: u64) -> (String, u64) {
    let text = format!(r#"{{"a":{{"dtype":"F32","shape":[{}],"data_offsets":[0,{bytes}]}}}}"#, bytes / 4);
    let length = 8 + text.len() as u64 + bytes;
    (text, length)
}

#[test]
fn a_tebibyte_is_refused_before_it_is_taken() {
    let place = tempfile::tempdir().unwrap();
    let (text, length) = header(1 << 40);
    for (length, reason) in [
        (length, "a file of at most 8589934592 bytes, found 1099511627"),
        (4096, "1099511627776 bytes behind the header, as it says, found 40"),
    ] {
        let path = sparse(place.path(), &text, length);
        let start = Instant::now();
        let (read, held) = peak(|| read(&path));
        let error = read.unwrap_err().to_string();
        assert!(error.contains(reason), "{error}");
        assert!(held < 16 << 10, "{held} bytes held");
        assert!(start.elapsed() < Duration::from_secs(5)); // a disk reads no tebibyte in that time
    }
}

#[test]
fn a_long_header_is_refused_before_it_is_taken() {
    let place = tempfile::tempdir().unwrap();
    let path = sparse(place.path(), "{}", 1 << 30);
    std::fs::File::options().write(true).open(&path).unwrap().write_all(&(1_u64 << 29).to_le_bytes()).unwrap();
    let (read, held) = peak(|| read(&path));
    let error = read.unwrap_err().to_string();
    assert!(error.contains("a header of at most 4194304 bytes, found 536870912"), "{error}");
    assert!(held < 16 << 10, "{held} bytes held");
}

/// Whatever stands in a header of the greatest length, parsing it takes a few times that length.
#[test]
fn a_crowded_header_takes_a_few_times_its_length() {
    const LIMIT: usize = 4 << 20;
    let entry = |i: usize| format!(r#""{i}":{{"dtype":"F32","shape":[1],"data_offsets":[{},{}]}}"#, 4 * i, 4 * i + 4);
    let tensors = |count: usize| format!("{{{}}}", (0..count).map(entry).collect::<Vec<_>>().join(","));
    let notes = |count: usize| (0..count).map(|i| format!(r#""{i}":"""#)).collect::<Vec<_>>().join(",");
    for (text, reason) in [
        (tensors(50_000), "more than 10000 tensors"),
        (tensors(10_000), "40000 bytes behind the header"),
        (format!(r#"{{"__metadata__":{{{}}}}}"#, notes(100_000)), "more than 256 notes"),
        (format!(r#"{{"{}":1}}"#, "n".repeat(LIMIT - 8)), "a name of 4194296 bytes"),
        (format!(r#"{{"a":{{"shape":[{}1]}}}}"#, "1,".repeat(LIMIT / 2 - 20)), "more than 8 numbers"),
        (format!(r#"{{"a":{{"dtype":"{}"}}}}"#, "\\u001b".repeat(LIMIT / 6 - 20)), "missing field"),
        (format!(r#"{{"a":{}"#, "[".repeat(LIMIT - 5)), "expected an object of dtype"),
    ] {
        assert!(text.len() <= LIMIT);
        let bytes = [(text.len() as u64).to_le_bytes().as_slice(), text.as_bytes()].concat();
        let (read, held) = peak(|| read_from(Cursor::new(&bytes), Path::new("crowded")));
        let error = read.unwrap_err().to_string();
        assert!(error.contains(reason) && error.len() < 3000, "{error}");
        assert!(held < 3 * LIMIT, "{reason}: {held} bytes held"); // the text, a string from it, and one that grows
    }
}

#[test]
fn a_file_takes_what_it_returns_and_little_more() {
    const BYTES: usize = 64 << 20;
    let place = tempfile::tempdir().unwrap();
    let (text, length) = header(BYTES as u64);
    let path = sparse(place.path(), &text, length);
    let (weights, held) = peak(|| read(&path).unwrap());
    assert_eq!(weights.tensors["a"].elem_count() * 4, BYTES);
    assert!((BYTES..BYTES + (128 << 10)).contains(&held), "{held} bytes held"); // one chunk of 64 kB, and the header
    let (shapes, held) = peak(|| Archive::open(&path).unwrap().shapes().count());
    assert!(shapes == 1 && held < 16 << 10, "{held} bytes held to look at the header");
}

#[test]
fn save_refuses_what_read_refuses() {
    let path = tempfile::tempdir().unwrap().path().join("w.safetensors");
    let tensor = Tensor::new(&[1.0_f32], &Device::Cpu).unwrap();
    for (name, reason) in [("", "without a name"), ("a b", "strange letter"), ("__metadata__", "__metadata__: ")] {
        let tensors = BTreeMap::from([(name.to_string(), tensor.clone())]);
        let error = save(&path, &tensors, Storage::F32, &BTreeMap::new()).unwrap_err().to_string();
        assert!(error.contains(reason) && !path.exists(), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn read_refuses_folders_and_devices() {
    let place = tempfile::tempdir().unwrap();
    for (path, found) in [(place.path(), "a folder"), (Path::new("/dev/zero"), "a pipe or device")] {
        let error = read(path).unwrap_err().to_string();
        assert!(error.ends_with(&format!("expected a file, found {found}")), "{error}");
    }
}
