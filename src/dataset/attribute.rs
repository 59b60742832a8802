//! QMUL-Shoe-V1's attributes of photos, and transfers between kinds of shoes that are formed of them.
//!
//! ```text
//! annotation/image_label.mat     `label`, (419, 21) of 0 and 1: row i of photo <i + 1>, train before test
//! annotation/sketch_label.mat    the same of the sketches
//! ```
//!
//! The columns have no published names. Five groups of them exclude each other, in 418 or all 419 photos, and what the
//! photos with each show was read off by eye:
//!
//! | columns | group |
//! |---|---|
//! | 0, 1 | toe: closed, open |
//! | 4, 5, 6 | heel: none, low, high |
//! | 7, 8 | heel: straight, tapering or a wedge; neither without a heel |
//! | 9, 10 | heel: thin, thick; neither without a heel |
//! | 12, 13, 14, 15, 16 | slipper, open at the back, low shoe, ankle boot, boot to the knee |
//! | 17, 18, 19 | topline: a small opening, a middle one, a large one |

use super::corpus::{FileCorpus, Scan};
use super::{Split, mat, qmul_v1};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

const PHOTOS: &str = "annotation/image_label.mat";

/// Attributes of a photo or a sketch.
const COUNT: usize = 21;

/// The attributes of every photo or every sketch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    table: mat::Matrix,
}

impl Attributes {
    /// Reads those of the photos.
    ///
    /// # Errors
    /// A missing or cut file; a table of other than 21 columns, or with other values than 0 and 1.
    pub fn of_photos(root: &Path) -> Result<Self> {
        Self::read(&root.join(PHOTOS))
    }

    /// Reads those of the sketches.
    ///
    /// # Errors
    /// As [`Attributes::of_photos`].
    pub fn of_sketches(root: &Path) -> Result<Self> {
        Self::read(&root.join("annotation/sketch_label.mat"))
    }

    fn read(path: &Path) -> Result<Self> {
        let table = mat::read(path, "label")?;
        if table.columns != COUNT {
            let found = format!("{} x {}", table.rows, table.columns);
            return Err(Error::data(path, format!("a table of {COUNT} attributes a row"), found));
        }
        let cells = (0..table.rows).flat_map(|row| (0..COUNT).map(move |column| (row, column)));
        match cells.into_iter().find(|(row, column)| table.get(*row, *column).is_none_or(|value| value > 1)) {
            None => Ok(Self { table }),
            Some((row, column)) => {
                let value = table.get(row, column).unwrap_or_default();
                Err(Error::data(path, "attributes of 0 or 1", format!("{value} in row {}", row + 1)))
            }
        }
    }

    /// How many photos or sketches they are of.
    pub fn count(&self) -> usize {
        self.table.rows
    }

    /// Whether the photo or sketch with this id has an attribute.
    ///
    /// # Errors
    /// An id that is no number of a row, counted from 1; an attribute of 21 or more.
    pub fn has(&self, id: &str, attribute: usize) -> Result<bool> {
        let row = id.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
        let cell = row.and_then(|row| self.table.get(row, attribute));
        let expected = || format!("a photo from 1 to {} and an attribute below {COUNT}", self.count());
        cell.map(|value| value == 1)
            .ok_or_else(|| Error::value("attribute", expected(), format!("`{id}`, {attribute}")))
    }
}

/// A transfer between two kinds of shoes: trained on the one, tested on the other.
///
/// # References
/// Pang et al., Generalising Fine-Grained Sketch-Based Image Retrieval, CVPR 2019, Table 2, on QMUL-Shoe-V2, whose
/// attributes are not published. The same five are formed here of Shoe-V1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transfer {
    /// Open shoes without a heel or with a low straight one, to those on a wedge.
    Sandal,
    /// Closed toes to open ones ("fish-mouth").
    ToeShape,
    /// Ankle boots to boots to the knee.
    ShoeHeight,
    /// Thick heels to thin ones.
    HeelShape,
    /// Small openings for the foot to large ones.
    Topline,
}

impl Transfer {
    /// All five, in the order of the paper's table.
    pub const ALL: [Self; 5] = [Self::Sandal, Self::ToeShape, Self::ShoeHeight, Self::HeelShape, Self::Topline];

    /// `sandal`, `toe-shape`, `shoe-height`, `heel-shape` or `topline`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sandal => "sandal",
            Self::ToeShape => "toe-shape",
            Self::ShoeHeight => "shoe-height",
            Self::HeelShape => "heel-shape",
            Self::Topline => "topline",
        }
    }

    /// The part that a photo is of; none where it is of neither kind.
    ///
    /// # Errors
    /// As [`Attributes::has`].
    pub fn part(self, attributes: &Attributes, id: &str) -> Result<Option<Split>> {
        let all =
            |columns: &[usize]| columns.iter().try_fold(true, |all, column| Ok(all && attributes.has(id, *column)?));
        let (from, to): (Result<bool>, Result<bool>) = match self {
            Self::Sandal => (Ok(all(&[1, 4])? || all(&[1, 5, 7])?), all(&[1, 8, 10])),
            Self::ToeShape => (all(&[0]), all(&[1])),
            Self::ShoeHeight => (all(&[15]), all(&[16])),
            Self::HeelShape => (all(&[10]), all(&[9])),
            Self::Topline => (all(&[17]), all(&[19])),
        };
        Ok(match (from?, to?) {
            (true, false) => Some(Split::Train),
            (false, true) => Some(Split::Test),
            _ => None,
        })
    }
}

impl std::str::FromStr for Transfer {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let names = Self::ALL.map(Self::name).join(", ");
        let found = Self::ALL.into_iter().find(|transfer| transfer.name() == name);
        found.ok_or_else(|| Error::value("transfer", format!("one of {names}"), format!("`{name}`")))
    }
}

/// Opens QMUL-Shoe-V1 with the photos of a transfer alone: those of the one kind for training, of the other for the test,
/// whatever part they are published in.
///
/// # Errors
/// As [`qmul_v1::open`]; attributes that are missing or of other photos.
pub fn open_transfer(root: &Path, transfer: Transfer) -> Result<FileCorpus> {
    scan(root, transfer)?.open()
}

pub(super) fn scan(root: &Path, transfer: Transfer) -> Result<Scan> {
    let (mut scan, attributes) = (qmul_v1::scan(root)?, Attributes::of_photos(root)?);
    if attributes.count() != scan.photos.len() {
        let expected = format!("a row for each of {} photos", scan.photos.len());
        return Err(Error::data(root.join("annotation"), expected, format!("{} rows", attributes.count())));
    }
    let mut kept = std::collections::BTreeSet::new();
    for mut found in std::mem::take(&mut scan.photos) {
        let Some(split) = transfer.part(&attributes, &found.entry.id)? else { continue };
        found.entry.split = split;
        kept.insert(found.entry.id.clone());
        scan.photos.push(found);
    }
    for split in [Split::Train, Split::Test] {
        if scan.photos.iter().all(|found| found.entry.split != split) {
            let expected = format!("photos of both kinds of `{}`", transfer.name());
            scan.problems.push(Error::data(root.join(PHOTOS), expected, format!("none to {}", split.name())));
        }
    }
    scan.sketches.retain(|found| kept.contains(&found.photo));
    scan.sketches.iter_mut().for_each(|found| found.split = None); // that of its photo
    scan.name = format!("{}-{}", scan.name, transfer.name());
    scan.tables.push(root.join(PHOTOS));
    Ok(scan)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;
    use crate::dataset::Source;

    /// Shoe-V1 in small, with as many rows of attributes as photos: photo 1 has an open toe, the others closed ones.
    fn small(rows: usize) -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for id in 1..5_u8 {
            let part = if id < 4 { "train" } else { "test" };
            fixture::paint(&place.path().join(format!("{part}/images/{id}.jpg")), id);
            fixture::paint(&place.path().join(format!("{part}/sketches/{id}.png")), 100);
        }
        let row =
            |at: usize| (0..COUNT).map(|column| u8::from(column == usize::from(at == 0) || column == 15)).collect();
        let table: Vec<Vec<u8>> = (0..rows).map(row).collect();
        fixture::write(&place.path().join("annotation/image_label.mat"), mat::tests::write("label", &table));
        place
    }

    #[test]
    fn a_transfer_trains_on_one_kind_and_tests_on_the_other() {
        let place = small(4);
        let corpus = open_transfer(place.path(), Transfer::ToeShape).unwrap();
        let photos: Vec<_> = corpus.index().photos.iter().map(|photo| (photo.id.as_str(), photo.split)).collect();
        assert_eq!(photos, [("2", Split::Train), ("3", Split::Train), ("4", Split::Train), ("1", Split::Test)]);
        assert_eq!(corpus.index().counts()["test"], [1, 1]);
        assert!(corpus.name().ends_with("-toe-shape"));
        let alone = open_transfer(place.path(), Transfer::ShoeHeight).unwrap_err().to_string();
        assert!(alone.contains("expected photos of both kinds of `shoe-height`, found none to test"), "{alone}");
    }

    #[test]
    fn attributes_go_by_the_number_of_the_photo() {
        let place = small(4);
        let attributes = Attributes::of_photos(place.path()).unwrap();
        let open = ["1", "2"].map(|id| attributes.has(id, 1).unwrap());
        assert_eq!((attributes.count(), open), (4, [true, false]));
        for (id, attribute) in [("0", 0), ("5", 0), ("a", 0), ("1", 21)] {
            let error = attributes.has(id, attribute).unwrap_err().to_string();
            assert!(error.contains("a photo from 1 to 4 and an attribute below 21"), "{error}");
        }
    }

    #[test]
    fn tables_that_do_not_fit_are_refused() {
        let place = small(3);
        let error = open_transfer(place.path(), Transfer::ToeShape).unwrap_err().to_string();
        assert!(error.contains("a row for each of 4 photos, found 3 rows"), "{error}");
        let path = place.path().join("annotation/image_label.mat");
        for (table, expected) in [(vec![vec![0; 20]], "found 1 x 20"), (vec![vec![2; 21]], "found 2 in row 1")] {
            fixture::write(&path, mat::tests::write("label", &table));
            assert!(Attributes::of_photos(place.path()).unwrap_err().to_string().contains(expected));
        }
        std::fs::remove_file(path).unwrap();
        assert!(Attributes::of_photos(place.path()).unwrap_err().to_string().contains("image_label.mat"));
    }

    #[test]
    fn transfers_read_as_they_are_written() {
        for transfer in Transfer::ALL {
            assert_eq!(transfer.name().parse::<Transfer>().unwrap(), transfer);
            assert_eq!(serde_json::to_string(&transfer).unwrap(), format!("\"{}\"", transfer.name()));
        }
        assert!("boot".parse::<Transfer>().unwrap_err().to_string().contains("found `boot`"));
    }

    #[test]
    fn the_real_attributes_form_five_transfers() {
        let Some(data) = fixture::real_data() else { return };
        let root = data.join("QMUL-Shoe-V1");
        let (photos, sketches) = (Attributes::of_photos(&root).unwrap(), Attributes::of_sketches(&root).unwrap());
        let count = |attributes: &Attributes, column| {
            (1..=419).filter(|id| attributes.has(&id.to_string(), column).unwrap()).count()
        };
        // What SciPy reads of the same files.
        assert_eq!(
            [0, 1, 9, 10, 15, 16, 17, 19].map(|column| count(&photos, column)),
            [296, 123, 75, 220, 72, 78, 247, 77]
        );
        assert_eq!([0, 1, 20].map(|column| count(&sketches, column)), [293, 126, 239]);
        let parts = Transfer::ALL.map(|transfer| {
            let counts = open_transfer(&root, transfer).unwrap().index().counts();
            [counts["train"][0], counts["test"][0]]
        });
        assert_eq!(parts, [[34, 60], [296, 123], [72, 78], [220, 75], [247, 77]]);
    }
}
