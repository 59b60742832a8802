//! Tables of whole numbers in MATLAB files: instance maps, class maps and attributes are released as such.

use crate::{Error, Result};
use matfile::{MatFile, NumericData};
use std::path::Path;

/// A table of whole numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matrix {
    pub rows: usize,
    pub columns: usize,
    /// Column by column, as MATLAB lays them out.
    values: Vec<u32>,
}

impl Matrix {
    /// None outside the table.
    pub fn get(&self, row: usize, column: usize) -> Option<u32> {
        if row < self.rows { self.values.get(column * self.rows + row).copied() } else { None }
    }
}

/// Reads a table by its name from a MATLAB file of version 5 to 7.
///
/// Any number format is read, for the same table is released as 8 bits, 16 bits or floating point; a negative number, a
/// fraction or a table of other than two dimensions is refused.
pub(super) fn read(path: &Path, name: &str) -> Result<Matrix> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let fault = |found: String| Error::data(path, format!("a MATLAB file with the table `{name}`"), found);
    // The message of the crate is a dump of its parser's state.
    let file = MatFile::parse(bytes.as_slice()).map_err(|_| fault("another or a cut file".into()))?;
    let array = file.find_by_name(name).ok_or_else(|| {
        let names: Vec<&str> = file.arrays().iter().map(matfile::Array::name).collect();
        fault(if names.is_empty() { "no table of numbers".into() } else { format!("`{}`", names.join("`, `")) })
    })?;
    let &[rows, columns] = array.size().as_slice() else {
        return Err(fault(format!("{} dimensions", array.ndims())));
    };
    let values = whole_numbers(array.data()).map_err(|value| fault(format!("the value {value}")))?;
    Ok(Matrix { rows, columns, values })
}

/// The values, or the first that is no whole number from 0 to the largest of 32 bits.
fn whole_numbers(data: &NumericData) -> Result<Vec<u32>, f64> {
    match data {
        NumericData::UInt8 { real, .. } => Ok(real.iter().map(|value| u32::from(*value)).collect()),
        NumericData::UInt16 { real, .. } => Ok(real.iter().map(|value| u32::from(*value)).collect()),
        NumericData::UInt32 { real, .. } => Ok(real.clone()),
        NumericData::Int8 { real, .. } => exact(real),
        NumericData::Int16 { real, .. } => exact(real),
        NumericData::Int32 { real, .. } => exact(real),
        NumericData::Single { real, .. } => exact(real),
        NumericData::Double { real, .. } => exact(real),
        NumericData::Int64 { real, .. } => {
            real.iter().map(|value| (*value).try_into().map_err(|_| *value as f64)).collect()
        }
        NumericData::UInt64 { real, .. } => {
            real.iter().map(|value| (*value).try_into().map_err(|_| *value as f64)).collect()
        }
    }
}

fn exact<T: Copy + Into<f64>>(values: &[T]) -> Result<Vec<u32>, f64> {
    let whole = |value: &T| {
        let value: f64 = (*value).into();
        let cast = value as u32;
        if f64::from(cast) == value { Ok(cast) } else { Err(value) }
    };
    values.iter().map(whole).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::dataset::fixture;

    /// An element of a file: its type, its length, and its bytes filled up to eight.
    fn element(kind: u32, bytes: &[u8]) -> Vec<u8> {
        let mut element = [kind.to_le_bytes(), (bytes.len() as u32).to_le_bytes()].concat();
        element.extend(bytes);
        element.resize(element.len().next_multiple_of(8), 0);
        element
    }

    /// A MATLAB file of version 5 with a table of bytes, given row by row.
    pub(crate) fn write(name: &str, rows: &[Vec<u8>]) -> Vec<u8> {
        let by_column: Vec<u8> =
            (0..rows[0].len()).flat_map(|column| rows.iter().map(move |row| row[column])).collect();
        with(name, rows.len(), rows[0].len(), 9, element(2, &by_column)) // class uint8, data of type uint8
    }

    fn with(name: &str, rows: usize, columns: usize, class: u32, data: Vec<u8>) -> Vec<u8> {
        let flags = [class.to_le_bytes(), [0; 4]].concat();
        let sizes = [rows, columns].map(|size| (size as i32).to_le_bytes()).concat();
        let parts = [element(6, &flags), element(5, &sizes), element(1, name.as_bytes()), data].concat();
        let mut file = b"MATLAB 5.0 MAT-file".to_vec();
        file.resize(124, b' ');
        file.extend([0, 1, b'I', b'M']);
        [file, element(14, &parts)].concat()
    }

    fn read_bytes(bytes: &[u8]) -> Result<Matrix> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a.mat");
        fixture::write(&path, bytes);
        read(&path, "label")
    }

    #[test]
    fn rows_and_columns_read_as_they_were_written() {
        let table = read_bytes(&write("label", &[vec![1, 2, 3], vec![4, 5, 255]])).unwrap();
        assert_eq!((table.rows, table.columns), (2, 3));
        assert_eq!([(0, 1), (1, 0), (1, 2)].map(|(row, column)| table.get(row, column)), [Some(2), Some(4), Some(255)]);
        assert_eq!([table.get(2, 0), table.get(0, 3)], [None, None]);
    }

    #[test]
    fn fractions_and_negatives_are_refused() {
        let double = |value: f64| with("label", 1, 1, 6, element(9, &value.to_le_bytes()));
        assert_eq!(read_bytes(&double(7.0)).unwrap().get(0, 0), Some(7));
        for value in [0.5, -1.0, f64::NAN, 1e12] {
            assert!(read_bytes(&double(value)).unwrap_err().to_string().contains(&format!("found the value {value}")));
        }
    }

    #[test]
    fn other_and_cut_files_are_refused() {
        let whole = write("label", &[vec![1, 2], vec![3, 4]]);
        for bytes in [&whole[..whole.len() - 12], &whole[..60], b"", b"no such file at all"] {
            let error = read_bytes(bytes).unwrap_err().to_string();
            assert!(error.contains("a.mat: expected a MATLAB file with the table `label`, found"), "{error}");
        }
        let error = read_bytes(&write("other", &[vec![1]])).unwrap_err().to_string();
        assert!(error.contains("found `other`"), "{error}");
    }
}
