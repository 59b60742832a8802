//! The layouts with a file a sketch: list files, or a folder a part.

use super::super::corpus::{Layout, Scan};
use super::super::found::{FoundSketch, Stored};
use super::super::listing::{self, Named};
use super::super::{Split, picture::PICTURES};
use super::identify;
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Names of the lists of each part's photos.
const LISTS: [(Split, &str); 2] = [(Split::Train, "photo_train.txt"), (Split::Test, "photo_test.txt")];

pub(super) fn detect(root: &Path) -> bool {
    LISTS.iter().all(|(_, list)| root.join(list).is_file()) || part_folders(root, "train").is_some()
}

/// Folders of the sketches and of the photos of one part.
fn part_folders(root: &Path, part: &str) -> Option<[PathBuf; 2]> {
    let ways = [
        [format!("{part}A"), format!("{part}B")],
        [format!("{part}/sketch"), format!("{part}/photo")],
        [format!("sketch/{part}"), format!("photo/{part}")],
    ];
    let paths = ways.map(|names| names.map(|name| root.join(name)));
    paths.into_iter().find(|folders| folders.iter().all(|folder| folder.is_dir()))
}

pub(super) fn scan(root: &Path) -> Result<Scan> {
    let (name, category) = identify(root, None)?;
    let mut scan = Scan::new(name, Layout::QmulV2Svg, root);
    if part_folders(root, "train").is_none() {
        add_sketches(&find_folder(root, "sketch")?, category, None, &mut scan);
        let photos = listing::files(&find_folder(root, "photo")?, &PICTURES, &mut scan.problems);
        add_listed_photos(photos, category, &mut scan)?;
        return Ok(scan);
    }
    for split in [Split::Train, Split::Test] {
        let Some([sketches, photos]) = part_folders(root, split.name()) else {
            scan.problems.push(Error::data(root, format!("folders of part `{}`", split.name()), "none"));
            continue;
        };
        add_sketches(&sketches, category, Some(split), &mut scan);
        for (stem, path) in listing::files(&photos, &PICTURES, &mut scan.problems) {
            scan.add_photo(stem, category, split, &path);
        }
    }
    Ok(scan)
}

/// `photo`, else the one folder whose name ends in `_photo`.
fn find_folder(root: &Path, name: &str) -> Result<PathBuf> {
    let ending = format!("_{name}");
    let fits = |found: &Named| found.0 == name || found.0.ends_with(&ending);
    let mut found = listing::folders(root)?.into_iter().filter(fits);
    match (found.next(), found.next()) {
        (Some((_, path)), None) => Ok(path),
        (None, _) => Err(Error::data(root, format!("a folder `{name}` or `*_{name}`"), listing::contents(root))),
        (Some((one, _)), Some((other, _))) => {
            Err(Error::data(root, format!("one folder `{name}` or `*_{name}`"), format!("`{one}` and `{other}`")))
        }
    }
}

/// Adds `<stem>_<n>.svg` or `.png` of a folder; the number is the sketch's id.
fn add_sketches(folder: &Path, category: &str, split: Option<Split>, scan: &mut Scan) {
    for (stem, path) in listing::files(folder, &["svg", "png"], &mut scan.problems) {
        let Some((photo, number)) = stem.rsplit_once('_') else {
            scan.problems.push(Error::data(&path, "a name `<photo>_<n>`", "no `_`"));
            continue;
        };
        let vector = listing::ending(&path).as_deref() == Some("svg");
        let stored = if vector { Stored::Vector(path.clone()) } else { Stored::Picture(path.clone()) };
        let (id, photo, category) = (number.to_string(), photo.to_string(), category.to_string());
        scan.sketches.push(FoundSketch { id, photo, category, split, sketcher: None, stored, objects: None });
    }
}

/// Adds the photos that the list files name; a photo in no list, and a line without a photo, are faults.
fn add_listed_photos(photos: Vec<Named>, category: &str, scan: &mut Scan) -> Result<()> {
    let mut photos: BTreeMap<String, PathBuf> = photos.into_iter().collect();
    for (split, file) in LISTS {
        let list = scan.root.join(file);
        let text = std::fs::read_to_string(&list).map_err(Error::io(&list))?;
        for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let stem = listing::stem(line.trim());
            match photos.remove(stem) {
                Some(path) => scan.add_photo(stem, category, split, &path),
                None => {
                    let found = format!("`{}` in line {}, missing or listed twice", line.trim(), number + 1);
                    scan.problems.push(Error::data(&list, "names of photos that are there, each once", found));
                }
            }
        }
        scan.tables.push(list);
    }
    let lost = photos.into_values().map(|path| Error::data(path, "a photo in one of the two lists", "in neither"));
    scan.problems.extend(lost);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::dataset::{Layout, Source, Split, fixture, qmul_v2::open};

    #[test]
    fn lists_and_parts_tell_the_split() {
        let place = tempfile::tempdir().unwrap();
        let root = fixture::root(&place, "QMUL-Shoe-V2");
        for (shade, stem) in [(1, "11"), (2, "22")] {
            fixture::paint(&root.join(format!("ShoeV2_photo/{stem}.png")), shade);
            fixture::paint(&root.join(format!("ShoeV2_sketch/{stem}_1.png")), shade);
        }
        fixture::write(&root.join("photo_train.txt"), "22.png\n");
        fixture::write(&root.join("photo_test.txt"), "11.png\r\n\n");
        let listed = open(&root).unwrap();
        assert_eq!((listed.name(), listed.layout()), ("qmul-shoe-v2", Layout::QmulV2Svg));
        let photos: Vec<_> = listed.index().photos.iter().map(|p| (p.split, p.id.as_str())).collect();
        assert_eq!(photos, [(Split::Train, "22"), (Split::Test, "11")]);
        assert_eq!(listed.photo(0).unwrap().get_pixel(0, 0).0, [2; 3]);

        for (way, names) in [
            ["trainA", "trainB", "testA", "testB"],
            ["train/sketch", "train/photo", "test/sketch", "test/photo"],
            ["sketch/train", "photo/train", "sketch/test", "photo/test"],
        ]
        .into_iter()
        .enumerate()
        {
            let packed = fixture::root(&place, &format!("shoe-{way}"));
            for (name, file) in names.into_iter().zip(["22_1.png", "22.png", "11_1.png", "11.png"]) {
                fixture::paint(&packed.join(name).join(file), 1);
            }
            assert_eq!(open(&packed).unwrap().index(), listed.index());
            std::fs::remove_dir_all(packed.join(names[2])).unwrap();
            assert!(open(&packed).unwrap_err().to_string().contains("expected folders of part `test`, found none"));
        }

        fixture::write(&root.join("photo_test.txt"), "11.png\n33.png\n");
        assert!(open(&root).unwrap_err().to_string().contains("`33.png` in line 2"));
        fixture::write(&root.join("photo_test.txt"), "");
        assert!(open(&root).unwrap_err().to_string().contains("11.png: expected a photo in one of the two lists"));
    }
}
