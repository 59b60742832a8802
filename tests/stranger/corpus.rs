//! The files that `tests/fixtures/safetensors/make.py` writes.

use crate::allocation::peak;
use retrace::model::weights::{Weights, read};
use std::path::{Path, PathBuf};

/// Most memory to refuse a file of a few hundred bytes: its header, and messages of at most 400 letters as they grow.
const REFUSAL: usize = 16 << 10;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/safetensors")
}

/// The fields of each line of a table, quoted ones included, without the first line.
fn lines(table: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(folder().join(table)).unwrap();
    let fields = |line: &str| {
        let (mut fields, mut quoted) = (vec![String::new()], false);
        let mut letters = line.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted && letters.peek() == Some(&'"') => {
                    fields.last_mut().unwrap().push(letters.next().unwrap())
                }
                '"' => quoted = !quoted,
                ',' if !quoted => fields.push(String::new()),
                _ => fields.last_mut().unwrap().push(letter),
            }
        }
        fields
    };
    text.lines().skip(1).map(fields).collect()
}

/// Every file of a folder is in its table, and the other way round.
fn assert_listed(kind: &str, listed: impl Iterator<Item = String>) {
    let mut listed: Vec<String> = listed.collect();
    listed.sort();
    listed.dedup();
    let files = std::fs::read_dir(folder().join(kind)).unwrap();
    let mut files: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    files.sort();
    assert_eq!(files, listed);
}

#[test]
fn every_bad_file_is_refused_with_its_reason_and_little_memory() {
    let lines = lines("bad.csv");
    assert!(lines.len() >= 30);
    assert_listed("bad", lines.iter().map(|line| line[0].clone()));
    for line in lines {
        let [file, message] = &line[..] else { panic!("{line:?}") };
        let path = folder().join("bad").join(file);
        let (read, held) = peak(|| read(&path));
        let error = read.map(|weights| format!("{file} read as {weights:?}")).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: expected ", path.display())), "{error}");
        assert!(error.contains(message), "{error}\nlacks {message}");
        assert!(error.chars().all(|c| c == ' ' || c.is_ascii_graphic()), "{error:?}");
        assert!(held <= REFUSAL, "{file}: {held} bytes held");
    }
}

#[test]
fn every_good_file_reads_to_its_numbers() {
    let lines = lines("good.csv");
    assert_listed("good", lines.iter().map(|line| line[0].clone()));
    for line in &lines {
        let [file, name, shape, numbers] = &line[..] else { panic!("{line:?}") };
        let Weights { tensors, .. } = read(&folder().join("good").join(file)).unwrap();
        if name.is_empty() {
            assert!(tensors.is_empty(), "{file}");
            continue;
        }
        assert_eq!(tensors.len(), lines.iter().filter(|line| line[0] == *file).count(), "{file}");
        let shape: Vec<usize> = shape.split_whitespace().map(|side| side.parse().unwrap()).collect();
        let numbers: Vec<f32> = numbers.split_whitespace().map(|number| number.parse().unwrap()).collect();
        assert_eq!(tensors[name].dims(), shape, "{file}");
        assert_eq!(tensors[name].flatten_all().unwrap().to_vec1::<f32>().unwrap(), numbers, "{file}");
    }
    let notes = read(&folder().join("good/metadata-only.safetensors")).unwrap().metadata;
    assert_eq!(notes["note"], "a\nb");
}
