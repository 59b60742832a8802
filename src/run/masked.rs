//! `masked.csv`: ranks with parts of the sketches left out.

use super::{Rank, RunFolder, column, frame_to_ranks, ranks_to_frame};
use crate::file::{read_csv, write_csv};
use crate::{Error, Result};
use polars::prelude::*;
use std::path::PathBuf;

/// The ranks of all queries with one draw of what is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskedRanks {
    /// Share that is left out.
    pub percent: u32,
    /// The draw.
    pub version: u32,
    /// A rank a query.
    pub ranks: Vec<Rank>,
}

impl RunFolder {
    fn masked_path(&self) -> PathBuf {
        self.0.join("masked.csv")
    }

    /// Reads `masked.csv`, share by share and draw by draw; empty where the run has none.
    ///
    /// # Errors
    /// A file without the columns `percent,query,photo`, and `rank0`, `rank1` and so on, one a draw.
    pub fn masked(&self) -> Result<Vec<MaskedRanks>> {
        let path = self.masked_path();
        if !path.is_file() {
            return Ok(Vec::new());
        }
        let read = || -> Result<Vec<MaskedRanks>> { from_frame(&read_csv(&path)?) };
        read().map_err(|error| Error::data(&path, "columns percent,query,photo,rank0,rank1,...", error))
    }

    /// Writes `masked.csv`.
    ///
    /// # Errors
    /// Draws that are not of the same queries; a folder that cannot be written.
    pub fn write_masked(&self, masked: &[MaskedRanks]) -> Result<()> {
        write_csv(&self.masked_path(), &mut to_frame(masked)?)
    }
}

/// The name of a draw's column.
fn named(version: u32) -> String {
    format!("rank{version}")
}

fn to_frame(masked: &[MaskedRanks]) -> Result<DataFrame> {
    let mut whole = DataFrame::empty();
    for share in masked.chunk_by(|a, b| a.percent == b.percent) {
        let first = &share[0];
        let mut frame = ranks_to_frame(&first.ranks)?.drop("rank")?;
        frame.insert_column(0, Column::new("percent".into(), vec![first.percent; first.ranks.len()]))?;
        for one in share {
            let queries = |ranks: &[Rank]| ranks.iter().map(|rank| (rank.query, rank.photo)).collect::<Vec<_>>();
            if queries(&one.ranks) != queries(&first.ranks) {
                let expected = format!("the queries of draw {}", first.version);
                return Err(Error::value(format!("masked ranks of draw {}", one.version), expected, "others"));
            }
            let ranks: Vec<u32> = one.ranks.iter().map(|rank| rank.rank).collect();
            frame.with_column(Column::new(named(one.version).into(), ranks))?;
        }
        whole = if whole.width() == 0 { frame } else { whole.vstack(&frame)? };
    }
    Ok(whole)
}

fn from_frame(frame: &DataFrame) -> Result<Vec<MaskedRanks>> {
    let percents = column(frame, "percent")?;
    let versions = (0..).take_while(|version| frame.column(&named(*version)).is_ok());
    let mut draws = Vec::new();
    for version in versions {
        let mut own = frame.clone();
        own.rename(&named(version), "rank".into())?;
        draws.push(frame_to_ranks(&own)?);
    }
    if draws.is_empty() {
        return Err(Error::value("draws", "one or more", "none"));
    }
    let mut shares = percents.clone();
    shares.sort_unstable();
    shares.dedup();
    let of = |percent: u32, (version, ranks): (usize, &Vec<Rank>)| {
        let own = percents.iter().zip(ranks).filter(|(found, _)| **found == percent).map(|(_, rank)| *rank);
        MaskedRanks { percent, version: version as u32, ranks: own.collect() }
    };
    Ok(shares.iter().flat_map(|percent| draws.iter().enumerate().map(|draw| of(*percent, draw))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(percent: u32, version: u32, ranks: [u32; 2]) -> MaskedRanks {
        let rank = |(at, rank): (usize, u32)| Rank { query: at as u32, photo: 9 - at as u32, rank, gallery: None };
        MaskedRanks { percent, version, ranks: ranks.into_iter().enumerate().map(rank).collect() }
    }

    #[test]
    fn masked_ranks_are_read_as_they_were_written() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder(place.path().to_path_buf());
        assert_eq!(folder.masked().unwrap(), []);
        let masked = [draw(30, 0, [1, 2]), draw(30, 1, [3, 1]), draw(50, 0, [4, 4]), draw(50, 1, [2, 5])];
        folder.write_masked(&masked).unwrap();
        assert_eq!(folder.masked().unwrap(), masked);
        let text = std::fs::read_to_string(place.path().join("masked.csv")).unwrap();
        assert_eq!(text, "percent,query,photo,rank0,rank1\n30,0,9,1,3\n30,1,8,2,1\n50,0,9,4,2\n50,1,8,4,5\n");
    }

    #[test]
    fn masked_ranks_of_other_queries_are_refused() {
        let place = tempfile::tempdir().unwrap();
        let folder = RunFolder(place.path().to_path_buf());
        let mut other = draw(30, 1, [1, 2]);
        other.ranks[0].query = 7;
        assert!(folder.write_masked(&[draw(30, 0, [1, 2]), other]).unwrap_err().to_string().contains("draw 1"));
        std::fs::write(place.path().join("masked.csv"), "percent,query,photo\n30,0,9\n").unwrap();
        assert!(folder.masked().unwrap_err().to_string().contains("rank0"));
    }
}
