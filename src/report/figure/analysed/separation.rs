//! Features of sketches and photos on both sides of a classifier's border.

use super::Rows;
use crate::Result;
use crate::report::analysis::Folder;
use crate::report::figure::scatter::{self, PointCloud, Scatter, ScatterPart};
use crate::report::records::Records;

/// The note on all parts.
const NOTE: &str = "The first seed of each row; the photos, and sketches of them, that the classifier was not trained on. Dashed: the \
                    border of a linear classifier of sketches (left) and photos (right), with all dimensions of the features. To \
                    the right a unit is the standard deviation of one feature.";

/// Features of the test part across and along the border of a classifier, a part a row.
///
/// # Errors
/// An analysis that cannot be read.
pub fn separation(records: &Records, rows: Rows, title: &str) -> Result<Option<String>> {
    let mut parts = Vec::new();
    for (row, label) in rows {
        let Some(folder) = records.first_analysed(row, "plane") else { return Ok(None) };
        parts.push(part(&folder, label)?);
    }
    scatter::draw(&Scatter { title: title.into(), note: NOTE.into(), parts, border: Some(0.0) }).map(Some)
}

fn part(folder: &Folder, label: &str) -> Result<ScatterPart> {
    let cloud = |domain: &str, label: &str| -> Result<PointCloud> {
        let lines = folder.lines_where("plane", &[("domain", domain)], ["x", "y"])?;
        Ok(PointCloud { label: label.into(), points: lines.iter().map(|[x, y]| (*x, *y)).collect() })
    };
    let clouds = vec![cloud("sketch", "sketches")?, cloud("photo", "photos")?];
    let right = 50.0 * (beyond(&clouds[0], -1.0) + beyond(&clouds[1], 1.0));
    Ok(ScatterPart {
        title: label.into(),
        note: format!("on their own side of the border: {right:.1}% (chance: 50%)"),
        x: "Distance from the border".into(),
        y: "First principal component along it".into(),
        clouds,
    })
}

/// The share of a cloud that lies on a side of 0; points on it count half.
fn beyond(cloud: &PointCloud, side: f64) -> f64 {
    let share = |x: f64| if x == 0.0 { 0.5 } else { f64::from(side * x > 0.0) };
    cloud.points.iter().map(|point| share(point.0)).sum::<f64>() / cloud.points.len() as f64
}
