//! Files that are complete or absent: atomic writes, JSON, CSV tables, hashes.

use crate::{Error, Result};
use image::{ImageFormat, RgbImage};
use polars::prelude::{CsvReader, CsvWriter, DataFrame, SerReader, SerWriter};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::{Cursor, Write};
use std::path::Path;

/// Writes a file so that a reader sees the old content or the new, never a part: temporary file, then rename.
///
/// # Errors
/// The folder cannot be made or written.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = temporary(path)?;
    file.write_all(bytes).map_err(Error::io(path))?;
    persist(file, path)
}

/// Writes a picture as PNG, whole or not at all.
///
/// # Errors
/// A picture without pixels; a folder that cannot be made or written.
pub fn write_png(path: &Path, picture: &RgbImage) -> Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    let written = picture.write_to(&mut bytes, ImageFormat::Png);
    written.map_err(|error| Error::data(path, "a picture to be written", error))?;
    write_atomic(path, bytes.get_ref())
}

/// A file to write what will be at `path`, beside it; it goes away unless it is given to [`persist`].
///
/// # Errors
/// The folder cannot be made or written.
pub fn temporary(path: &Path) -> Result<tempfile::NamedTempFile> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    tempfile::Builder::new().suffix(".tmp").tempfile_in(folder).map_err(Error::io(folder))
}

/// Puts a written file in its place, for everyone to read.
///
/// # Errors
/// The folder cannot be written.
pub fn persist(file: tempfile::NamedTempFile, path: &Path) -> Result<()> {
    set_readable(&file).map_err(Error::io(path))?;
    file.persist(path).map_err(|error| Error::io(path)(error.error))?;
    Ok(())
}

/// Temporary files are private to their owner; a result is for everyone.
#[cfg(unix)]
fn set_readable(file: &tempfile::NamedTempFile) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_readable(_: &tempfile::NamedTempFile) -> std::io::Result<()> {
    Ok(())
}

/// Writes a value as indented JSON with a final newline.
///
/// # Errors
/// The file cannot be written.
pub fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<()> {
    write_atomic(path, to_text(value)?.as_bytes())
}

/// The text of [`write_json`].
///
/// # Errors
/// A value that does not serialise.
pub fn to_text<T: Serialize>(value: &T) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Reads a JSON file.
///
/// # Errors
/// A missing file, or one that does not hold a `T`; the message has line and column.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
    serde_json::from_str(&text).map_err(|error| Error::data(path, "JSON of the right form", error))
}

/// The names of the folders in a folder, in order; none where it is not there.
///
/// # Errors
/// A folder that cannot be read.
pub fn subfolders(place: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    if place.is_dir() {
        for entry in std::fs::read_dir(place).map_err(Error::io(place))? {
            let entry = entry.map_err(Error::io(place))?;
            if entry.path().is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    names.sort();
    Ok(names)
}

/// The first field in which two different JSON values differ, with both of its values; null stands for a missing field.
///
/// `name` is what the whole values are called.
pub(crate) fn first_difference<'a>(name: &str, one: &'a Value, other: &'a Value) -> (String, &'a Value, &'a Value) {
    let (Value::Object(fields), Value::Object(others)) = (one, other) else { return (name.into(), one, other) };
    let value = |map: &'a serde_json::Map<String, Value>, key: &str| map.get(key).unwrap_or(&Value::Null);
    match fields.keys().chain(others.keys()).find(|key| value(fields, key) != value(others, key)) {
        Some(key) => first_difference(&format!("{name}.{key}"), value(fields, key), value(others, key)),
        None => (name.into(), one, other),
    }
}

/// Reads a CSV file with a header line.
///
/// # Errors
/// A missing file or a malformed line.
pub fn read_csv(path: &Path) -> Result<DataFrame> {
    let file = std::fs::File::open(path).map_err(Error::io(path))?;
    CsvReader::new(file).finish().map_err(|error| Error::data(path, "a CSV table", error))
}

/// Writes a frame as CSV with a header line.
///
/// # Errors
/// The file cannot be written.
pub fn write_csv(path: &Path, frame: &mut DataFrame) -> Result<()> {
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes).finish(frame)?;
    write_atomic(path, &bytes)
}

/// First 16 digits of the SHA-256 of a file.
///
/// # Errors
/// A file that cannot be read.
pub fn hash_file(path: &Path) -> Result<String> {
    Ok(hash_bytes(&std::fs::read(path).map_err(Error::io(path))?))
}

/// First 16 digits of the SHA-256 of some bytes.
pub fn hash_bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes)[..8])
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn first_difference_names_the_innermost_field() {
        let (one, other) = (json!({"a": 1, "b": {"c": 2, "d": 3}}), json!({"a": 1, "b": {"c": 2, "d": 4}}));
        assert_eq!(first_difference("x", &one, &other), ("x.b.d".into(), &json!(3), &json!(4)));
        let fewer = json!({"a": 1});
        assert_eq!(first_difference("x", &fewer, &one), ("x.b".into(), &Value::Null, &one["b"]));
        assert_eq!(first_difference("x", &json!(1), &json!(2)).0, "x");
    }
}
