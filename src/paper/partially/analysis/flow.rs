//! Which region of a sketch goes to which of its photo, whole and with half left out.

use super::super::region::cosines;
use super::super::{Config, Matching, Partially, RegionModel, Top, TransportMatching};
use crate::dataset::{Index, Mask, Split, is_embedded};
use crate::experiment::analyse::lines_frame;
use crate::experiment::{Bench, Masking, Method, Origin, Paper, Subject, View};
use crate::train::Feed;
use crate::{Error, Result};
use candle_core::{D, Tensor};

/// Pairs whose plans are kept.
const SHOWN: usize = 3;

/// The share that is left out.
const HALF: u32 = 50;

/// Ink is darker than this share of the paper's white: a line of half a pixel's width is seen.
const INK: f32 = 0.75;

/// A pair with its plan.
struct Flow {
    /// Whether a region of the sketch has ink, and of the photo an object.
    drawn: [Vec<bool>; 2],
    rows: Vec<f64>,
    flow: Vec<f64>,
}

/// Writes `flow.csv` and `plan.csv`.
///
/// # Errors
/// A row without transport; a checkpoint that is not there; a picture that cannot be read.
pub(super) fn measure(subject: &Subject<Config>) -> Result<()> {
    let (run, order) = (&subject.run, subject.order);
    let Top::Regions(Matching::Transport(matching)) = run.config.top else {
        return Err(Error::value("flow", "a row with transport", &run.row));
    };
    let bench = Bench::open(&run.dataset, order.places)?;
    let origin = subject.checkpoint(&Partially)?;
    let network = Partially.load(run, Origin::Checkpoint(&origin, order.places), order.device)?;
    let model = RegionModel::open(&run.config, network, &bench, &[Split::Test], order)?;
    let masking = Partially.masking(&run.dataset, &run.row);
    let mask = masking.and_then(|masking| Masking { percents: &[HALF], versions: 1, ..masking }.masks().next());
    let mask = mask.ok_or_else(|| Error::value("flow", "a row with masks", &run.row))?;
    let queries = bench.index().sketches_of(Split::Test);
    let shown = if is_embedded(&run.dataset) { shown(subject)? } else { Vec::new() };
    let (mut lines, mut plans) = (Vec::new(), Vec::new());
    for (done, query) in queries.iter().enumerate() {
        for (percent, view) in views(mask) {
            let found = flow(&model, matching, bench.index(), *query, view)?;
            let pair = [*query as f64, bench.index().sketches[*query].photo as f64, f64::from(percent)];
            lines.push([&pair[..], &found.shares()].concat());
            if shown.contains(query) {
                plans.extend(found.lines(pair));
            }
        }
        order.watch.advance("pairs", done + 1, queries.len());
    }
    subject.write("plan", lines_frame(&["query", "photo", "percent", "from", "to", "share"], &plans)?)?;
    subject.write("flow", lines_frame(&["query", "photo", "percent", "cells", "mass", "moved"], &lines)?)
}

fn views(mask: Mask) -> [(u32, View<'static>); 2] {
    [(0, View::Whole), (HALF, View::Masked(mask))]
}

/// The first queries whose photo was found first.
fn shown(subject: &Subject<Config>) -> Result<Vec<usize>> {
    let first = subject.record.ranks()?.into_iter().filter(|rank| rank.rank == 1);
    Ok(first.take(SHOWN).map(|rank| rank.query as usize).collect())
}

/// The plan between a sketch, as it is shown, and its own photo.
fn flow(model: &RegionModel, matching: TransportMatching, index: &Index, query: usize, view: View) -> Result<Flow> {
    let photo = index.sketches[query].photo;
    let (u, v) = (model.sketches(&[query], view)?, model.photos(&[photo])?);
    let costs = (1.0 - cosines(&u, &v)?)?.relu()?;
    let [rows, columns] = matching.masses(&costs)?;
    let numbers = |x: &Tensor| -> Result<Vec<f64>> {
        Ok(x.flatten_all()?.to_vec1::<f32>()?.into_iter().map(f64::from).collect())
    };
    let (costs, rows, columns) = (numbers(&costs)?, numbers(&rows)?, numbers(&columns)?);
    let found = matching.config().plan(&costs, &rows, &columns)?;
    let pixels = model.pixels();
    let side = (rows.len() as f64).sqrt().round() as usize;
    let drawn = [view.of(&pixels, &[query])?, pixels.photos(&[photo])?].map(|picture| drawn(&picture, side));
    let [sketch, photo] = drawn;
    Ok(Flow { drawn: [sketch?, photo?], rows, flow: found.flow })
}

/// The regions of a picture whose darkest pixel is well below its brightest, row by row: a line on paper, a thing on a plain
/// ground.
fn drawn(picture: &Tensor, side: usize) -> Result<Vec<bool>> {
    let plane = picture.squeeze(0)?.mean(0)?;
    let (least, most) = (plane.min_all()?.to_scalar::<f32>()?, plane.max_all()?.to_scalar::<f32>()?);
    let size = plane.dim(0)? / side;
    let cut = plane.narrow(0, 0, size * side)?.narrow(1, 0, size * side)?.contiguous()?;
    let cells = cut.reshape((side, size, side, size))?.min(D::Minus1)?.min(1)?;
    let dark = cells.flatten_all()?.to_vec1::<f32>()?;
    Ok(dark.into_iter().map(|value| value - least < INK * (most - least)).collect())
}

impl Flow {
    /// Of all regions those with ink, of all mass that on them, and that which goes from them to regions with an object.
    fn shares(&self) -> [f64; 3] {
        let [sketch, photo] = &self.drawn;
        let inked = |i: usize| if sketch[i] { 1.0 } else { 0.0 };
        let cells = (0..sketch.len()).map(inked).sum::<f64>() / sketch.len() as f64;
        let mass: f64 = self.rows.iter().enumerate().map(|(i, mass)| inked(i) * mass).sum();
        let to =
            |(at, share): (usize, &f64)| if photo[at % photo.len()] { inked(at / photo.len()) * share } else { 0.0 };
        [cells, mass, self.flow.iter().enumerate().map(to).sum()]
    }

    /// The moves of a plan, those that are none left out.
    fn lines(&self, pair: [f64; 3]) -> Vec<Vec<f64>> {
        let n = self.drawn[1].len();
        let moves = self.flow.iter().enumerate().filter(|(_, share)| **share > 0.0);
        moves.map(|(at, share)| [&pair[..], &[(at / n) as f64, (at % n) as f64, *share]].concat()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn drawn_regions_have_ink() {
        let mut pixels = vec![1.0_f32; 3 * 8 * 8];
        (0..3).for_each(|channel| pixels[channel * 64 + 9] = 0.0); // row 1, column 1
        let picture = Tensor::from_vec(pixels, (1, 3, 8, 8), &Device::Cpu).unwrap();
        assert_eq!(drawn(&picture, 2).unwrap(), [true, false, false, false]);
        let blank = Tensor::ones((1, 3, 8, 8), candle_core::DType::F32, &Device::Cpu).unwrap();
        assert_eq!(drawn(&blank, 2).unwrap(), [false; 4]);
    }

    #[test]
    fn shares_are_of_cells_of_mass_and_of_what_moves() {
        let flow = Flow {
            drawn: [vec![true, false], vec![false, true]],
            rows: vec![0.7, 0.3],
            flow: vec![0.5, 0.2, 0.0, 0.3],
        };
        let found = flow.shares();
        assert!(found.iter().zip([0.5, 0.7, 0.2]).all(|(found, expected)| (found - expected).abs() < 1e-12));
        assert_eq!(flow.lines([7.0, 3.0, 50.0]).len(), 3);
        assert_eq!(flow.lines([7.0, 3.0, 50.0])[2], [7.0, 3.0, 50.0, 1.0, 1.0, 0.3]);
    }
}
