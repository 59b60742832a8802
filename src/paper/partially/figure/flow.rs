//! Plans over sketch and photo.

use crate::Result;
use crate::dataset::{self, Drawing, Mask, Source, is_embedded};
use crate::experiment::Paper;
use crate::paper::partially::Partially;
use crate::report::analysis::Folder;
use crate::report::figure::flow::{FlowFigure, FlowPair, draw as draw_flow};
use crate::report::records::Records;
use crate::sketch::antialiased;
use image::{DynamicImage, RgbImage};
use std::collections::BTreeMap;

/// The row whose plans are drawn.
const SHOWN: &str = "proposed";

/// Side of a sketch in pixels, and width of its lines on the 256 canvas.
const SIDE: u32 = 256;
const PEN: f32 = 3.0;

/// The first pairs that were found first, whole and with half left out; none before the row was analysed, and none of a corpus
/// whose pictures are not shown.
///
/// # Errors
/// An analysis that cannot be read.
pub(super) fn draw(records: &Records) -> Result<Option<String>> {
    let Some(folder) = records.first_analysed(SHOWN, "plan").filter(|_| is_embedded(records.dataset)) else {
        return Ok(None);
    };
    let (source, plans) = (dataset::open(records.dataset, None)?, plans(&folder)?);
    let shares = folder.lines("flow", ["query", "percent", "mass"])?;
    let mut rows: BTreeMap<usize, Vec<FlowPair>> = BTreeMap::new();
    for ([query, photo, percent], moves) in plans {
        let own = shares.iter().find(|line| line[0] as usize == query && line[1] as usize == percent);
        let mass = own.map_or(0.0, |line| 100.0 * line[2]);
        let pictures = [sketch(source.as_ref(), records.dataset, query, percent)?, source.photo(photo)?];
        let caption = format!("{mass:.0}% of the mass on regions with ink");
        rows.entry(query).or_default().push(FlowPair { pictures, grid: grid(&moves), moves, caption });
    }
    if rows.is_empty() {
        return Ok(None);
    }
    let figure = FlowFigure {
        title: format!("Which region goes where, {}", records.dataset),
        note: "The cheapest plan between the regions of a sketch and of its own photo; a line is as wide as the mass that moves, \
               and lines to one region have one colour. The first sketches whose photo is found first. Proposed, the first seed."
            .into(),
        heads: vec!["whole".into(), "half left out".into()],
        rows: rows.into_values().collect(),
    };
    draw_flow(&figure).map(Some)
}

/// From, to and share.
type Moves = Vec<(usize, usize, f64)>;

/// The plans by query, photo and share left out.
fn plans(folder: &Folder) -> Result<BTreeMap<[usize; 3], Moves>> {
    let mut plans: BTreeMap<[usize; 3], Moves> = BTreeMap::new();
    for line in folder.lines("plan", ["query", "photo", "percent", "from", "to", "share"])? {
        let [query, photo, percent, from, to] = [0, 1, 2, 3, 4].map(|column: usize| line[column] as usize);
        plans.entry([query, photo, percent]).or_default().push((from, to, line[5]));
    }
    Ok(plans)
}

/// Rows of regions: every region has a mass, so that the last one is among those that something leaves.
fn grid(moves: &Moves) -> usize {
    let count = moves.iter().map(|(from, _, _)| from + 1).max().unwrap_or(1);
    (count as f64).sqrt().ceil() as usize
}

/// A sketch as the plan saw it.
fn sketch(source: &dyn Source, corpus: &str, query: usize, percent: usize) -> Result<RgbImage> {
    let masking = Partially.masking(corpus, SHOWN).filter(|_| percent > 0);
    let mask = masking.and_then(|masking| masking.masks().next());
    let mask = mask.map(|first| Mask { percent: percent as u32, ..first });
    let drawing = match mask {
        Some(mask) => mask.of_source(source, query)?,
        None => source.drawing(query)?,
    };
    let grey = match drawing {
        Drawing::Vector(sketch) => antialiased(&sketch, SIDE, PEN),
        Drawing::Raster(raster) => raster,
    };
    Ok(DynamicImage::ImageLuma8(grey).to_rgb8())
}
