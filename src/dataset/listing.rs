//! The contents of a folder, in the same order on every machine.

use crate::{Error, Result, file};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A file and its name without ending.
pub(super) type Named = (String, PathBuf);

/// Sub-folders by name; hidden ones are skipped.
pub(super) fn folders(folder: &Path) -> Result<Vec<Named>> {
    Ok(entries(folder)?.into_iter().filter(|(_, path)| path.is_dir()).collect())
}

/// Files with one of these endings, by name without ending. Hidden files and those of desktops (`Thumbs.db`) are
/// skipped. Any other file is a problem, since it may be a picture that would be missed; so is a missing or empty
/// folder.
pub(super) fn files(folder: &Path, endings: &[&str], problems: &mut Vec<Error>) -> Vec<Named> {
    let mut files = Vec::new();
    let entries = match entries(folder) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(error);
            return files;
        }
    };
    for (name, path) in entries {
        if ending(&path).is_some_and(|ending| endings.contains(&ending.as_str())) && path.is_file() {
            files.push((stem(&name).to_string(), path));
        } else {
            let found = match ending(&path) {
                _ if path.is_dir() => "a folder".to_string(),
                Some(ending) => format!("a file of {ending}"),
                None => "a file without an ending".to_string(),
            };
            problems.push(Error::data(&path, format!("a file of {}", endings.join(", ")), found));
        }
    }
    if files.is_empty() {
        let expected = format!("at least one file of {}", endings.join(", "));
        problems.push(Error::data(folder, expected, "an empty folder"));
    }
    files.sort();
    files
}

/// The first names in a folder, for a message.
pub(super) fn contents(folder: &Path) -> String {
    const SHOWN: usize = 4; // as many as fit a line of a terminal
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    match names.len() {
        0 => "an empty folder".into(),
        count if count > SHOWN => format!("{}, and {} more", names[..SHOWN].join(", "), count - SHOWN),
        _ => names.join(", "),
    }
}

/// The ending of a file's name, in lower case.
pub(super) fn ending(path: &Path) -> Option<String> {
    path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase)
}

/// A file's name without its ending.
pub(super) fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// SHA-256 over `name NUL size LF` of every file, by its name below `root` with `/`; the first 16 digits.
pub(super) fn version<'a>(root: &Path, paths: impl Iterator<Item = &'a Path>) -> Result<String> {
    let mut lines = BTreeMap::new();
    for path in paths {
        let inside = path.strip_prefix(root).unwrap_or(path);
        let name: Vec<_> = inside.iter().map(|part| part.to_string_lossy()).collect();
        lines.insert(name.join("/"), std::fs::metadata(path).map_err(Error::io(path))?.len());
    }
    let mut hash = Sha256::new();
    for (name, size) in lines {
        hash.update(format!("{name}\0{size}\n"));
    }
    Ok(file::hex(&hash.finalize())[..16].to_string())
}

fn entries(folder: &Path) -> Result<Vec<Named>> {
    if !folder.is_dir() {
        let found = if folder.exists() { "a file" } else { "nothing" };
        return Err(Error::data(folder, "a folder", found));
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(Error::data(&path, "a file name in UTF-8", format!("{:?}", path.file_name())));
        };
        if !name.starts_with('.') && !["Thumbs.db", "desktop.ini"].contains(&name) {
            entries.push((name.to_string(), path));
        }
    }
    entries.sort();
    Ok(entries)
}
