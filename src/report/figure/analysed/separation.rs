//! Features of sketches and photos in a plane.

use super::Rows;
use crate::Result;
use crate::report::analysis::Folder;
use crate::report::figure::scatter::{self, PointCloud, Scatter, ScatterPart};
use crate::report::records::Records;

/// The note on all parts.
const NOTE: &str = "The first seed of each row. Each part shows its own plane of principal components, all at one scale. The \
                    percentage is not of this plane: it is the accuracy of a linear domain classifier on all dimensions of the \
                    features, on photos, and sketches of them, that it was not trained on; clouds that overlap here can be apart there.";

/// Features of the test part in the plane in which they are widest, a part a row.
///
/// # Errors
/// An analysis that cannot be read.
pub fn separation(records: &Records, rows: Rows, title: &str) -> Result<Option<String>> {
    let mut parts = Vec::new();
    for (row, label) in rows {
        let Some(folder) = records.first_analysed(row, "separation") else { return Ok(None) };
        parts.push(part(&folder, label)?);
    }
    scatter::draw(&Scatter { title: title.into(), note: NOTE.into(), parts }).map(Some)
}

fn part(folder: &Folder, label: &str) -> Result<ScatterPart> {
    let cloud = |domain: &str, label: &str| -> Result<(PointCloud, f64)> {
        let lines = folder.lines_where("separation", &[("domain", domain)], ["x", "y", "accuracy"])?;
        let accuracy = lines.first().map_or(50.0, |line| line[2]);
        Ok((
            PointCloud { label: label.into(), points: lines.iter().map(|line| (line[0], line[1])).collect() },
            accuracy,
        ))
    };
    let ((sketches, accuracy), (photos, _)) = (cloud("sketch", "sketches")?, cloud("photo", "photos")?);
    Ok(ScatterPart {
        title: label.into(),
        note: format!("told apart in the full feature space: {accuracy:.1}% (chance: 50%)"),
        x: "First principal component".into(),
        y: "Second principal component".into(),
        clouds: vec![sketches, photos],
    })
}
