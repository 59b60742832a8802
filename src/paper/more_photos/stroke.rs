//! Sketches as the generator reads and writes them: offsets in units of their deviation, with pen states.

use super::config::GeneratorConfig;
use crate::sketch::simplify::simplify_to;
use crate::sketch::{CANVAS, Point, Sketch};
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// A point: offsets from the one before and the pen states on, lifted and over.
pub type Row = [f32; 5];

/// What stands before the first point.
pub const START: Row = [0.0, 0.0, 1.0, 0.0, 0.0];

/// What stands after the last.
pub const END: Row = [0.0, 0.0, 0.0, 0.0, 1.0];

/// A sketch as rows with the end after them, in pixels of the canvas; the first offset is from its middle.
///
/// # Errors
/// A sketch without points.
///
/// ```
/// use retrace::paper::more_photos::{Config, stroke::{END, rows, sketch}};
/// use retrace::sketch::{Point, Sketch};
/// let config = Config::preset("synth-chair", "ours-g")?.generator.unwrap();
/// let line = Sketch { strokes: vec![vec![Point::new(130.0, 128.0), Point::new(140.0, 120.0)]] };
/// let found = rows(&line, &config)?;
/// assert_eq!(found, [[2.0, 0.0, 1.0, 0.0, 0.0], [10.0, -8.0, 0.0, 1.0, 0.0], END]);
/// assert_eq!(sketch(&found, 1.0), line);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn rows(sketch: &Sketch, config: &GeneratorConfig) -> Result<Vec<Row>> {
    told(&simple(sketch, config)?)
}

/// A sketch with as few points as a generator's settings ask for.
///
/// # Errors
/// A sketch without points.
pub fn simple(sketch: &Sketch, config: &GeneratorConfig) -> Result<Sketch> {
    let simple = simplify_to(sketch, config.tolerance, config.points)?;
    if simple.points() > 0 { Ok(simple) } else { Err(Error::value("sketch", "1 point or more", "none")) }
}

/// The rows of a sketch that is simple already.
///
/// # Errors
/// None with points.
pub fn told(simple: &Sketch) -> Result<Vec<Row>> {
    let middle = CANVAS / 2.0;
    let moved = simple.map(|point| Point::new(point.x - middle, point.y - middle));
    moved.to_stroke5(simple.points() + 1)
}

/// The sketch that rows draw, whose offsets are `scale` pixels; the end may be missing.
pub fn sketch(rows: &[Row], scale: f32) -> Sketch {
    let (mut strokes, mut open) = (Vec::new(), Vec::new());
    let (mut x, mut y) = (CANVAS / 2.0, CANVAS / 2.0);
    for row in rows.iter().take_while(|row| row[4] == 0.0) {
        (x, y) = (x + row[0] * scale, y + row[1] * scale);
        open.push(Point::new(x, y));
        if row[3] == 1.0 {
            strokes.push(std::mem::take(&mut open));
        }
    }
    strokes.extend(Some(open).filter(|stroke| !stroke.is_empty()));
    Sketch { strokes }
}

/// The deviation of all offsets, which they are divided by; the same for both directions, so that shapes stay.
///
/// # Errors
/// No offset, or none that differs from another.
pub fn deviation(all: &[Vec<Row>]) -> Result<f32> {
    let offsets: Vec<f64> = all
        .iter()
        .flatten()
        .filter(|row| row[4] == 0.0)
        .flat_map(|row| [f64::from(row[0]), f64::from(row[1])])
        .collect();
    let count = offsets.len().max(1) as f64;
    let mean = offsets.iter().sum::<f64>() / count;
    let square = offsets.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    if square > 0.0 {
        Ok(square.sqrt() as f32)
    } else {
        Err(Error::value("offsets of sketches", "some that differ", "none"))
    }
}

/// What the generator knows of the pen at every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pen {
    /// The last row alone, as in the paper.
    Row,
    /// The last row, and where that leaves the pen: the sum of all offsets.
    Place,
}

impl Pen {
    /// Numbers that come in at a step.
    pub fn width(self) -> usize {
        match self {
            Self::Row => 5,
            Self::Place => 7,
        }
    }
}

/// Where a pen is, in units of the offsets, from the middle of the canvas.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place([f32; 2]);

impl Place {
    /// What comes in after a row.
    pub fn seen(&mut self, row: &Row, pen: Pen) -> impl Iterator<Item = f32> + use<> {
        let [x, y] = &mut self.0;
        (*x, *y) = (*x + row[0], *y + row[1]);
        row.iter().copied().chain(self.0).take(pen.width()).collect::<Vec<f32>>().into_iter()
    }
}

/// Sequences side by side: what comes in, and what is to be said.
///
/// # Shapes
/// `(b, t, 5)`, with t the rows of the longest; shorter ones are filled up with ends. `inputs (b, t, 7)` where the place of the
/// pen comes in too.
pub struct Sequences {
    /// The start, then every row but the last.
    pub inputs: Tensor,
    /// Every row.
    pub targets: Tensor,
}

impl Sequences {
    /// Puts sequences side by side, their offsets divided by `scale`.
    ///
    /// # Errors
    /// No sequence, or none with a row.
    pub fn new(all: &[&[Row]], scale: f32, pen: Pen, device: &Device) -> Result<Self> {
        let (b, t) = (all.len(), all.iter().map(|rows| rows.len()).max().unwrap_or(0));
        if t == 0 {
            return Err(Error::value("sequences", "1 or more, with rows", b));
        }
        let (mut inputs, mut targets) = (Vec::with_capacity(b * t * 5), Vec::with_capacity(b * t * 5));
        for rows in all {
            let unit = |row: &Row| [row[0] / scale, row[1] / scale, row[2], row[3], row[4]];
            let told: Vec<Row> = rows.iter().map(unit).chain(std::iter::repeat(END)).take(t).collect();
            let mut place = Place::default();
            for row in [START].iter().chain(&told[..t - 1]) {
                inputs.extend(place.seen(row, pen));
            }
            targets.extend(told.concat());
        }
        let tensor = |values, width: usize| Ok::<_, Error>(Tensor::from_vec(values, (b, t, width), device)?);
        Ok(Self { inputs: tensor(inputs, pen.width())?, targets: tensor(targets, 5)? })
    }

    /// Rows of each sequence, its end among them.
    ///
    /// # Errors
    /// A failing tensor operation.
    pub fn lengths(&self) -> Result<Vec<usize>> {
        let rows = self.targets.narrow(2, 4, 1)?.squeeze(2)?.to_vec2::<f32>()?;
        Ok(rows.iter().map(|ends| ends.iter().position(|end| *end == 1.0).map_or(ends.len(), |at| at + 1)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(x: f32, p: [f32; 3]) -> Row {
        [x, -x, p[0], p[1], p[2]]
    }

    #[test]
    fn sequences_of_different_lengths_stand_side_by_side() {
        let long = [row(2.0, [1.0, 0.0, 0.0]), row(4.0, [0.0, 1.0, 0.0]), END];
        let short = [row(6.0, [0.0, 1.0, 0.0]), END];
        let found = Sequences::new(&[&long, &short], 2.0, Pen::Row, &Device::Cpu).unwrap();
        assert_eq!(found.lengths().unwrap(), [3, 2]);
        let (inputs, targets) = (found.inputs.to_vec3::<f32>().unwrap(), found.targets.to_vec3::<f32>().unwrap());
        assert_eq!(inputs[0], [START.to_vec(), vec![1.0, -1.0, 1.0, 0.0, 0.0], vec![2.0, -2.0, 0.0, 1.0, 0.0]]);
        let placed = Sequences::new(&[&long], 2.0, Pen::Place, &Device::Cpu).unwrap().inputs.to_vec3::<f32>().unwrap();
        assert_eq!(
            placed[0].iter().map(|row| [row[5], row[6]]).collect::<Vec<_>>(),
            [[0.0, 0.0], [1.0, -1.0], [3.0, -3.0]]
        );
        assert_eq!(targets[1], [vec![3.0, -3.0, 0.0, 1.0, 0.0], END.to_vec(), END.to_vec()]);
        assert!(Sequences::new(&[], 2.0, Pen::Row, &Device::Cpu).is_err());
    }

    #[test]
    fn the_deviation_is_that_of_both_directions_without_ends() {
        let rows = vec![row(3.0, [1.0, 0.0, 0.0]), row(-3.0, [0.0, 1.0, 0.0]), END];
        assert_eq!(deviation(&[rows]).unwrap(), 3.0);
        assert!(deviation(&[vec![END]]).is_err());
    }

    #[test]
    fn rows_without_an_end_are_a_sketch_too() {
        let found = sketch(&[row(1.0, [1.0, 0.0, 0.0]), row(1.0, [1.0, 0.0, 0.0])], 10.0);
        assert_eq!(found.strokes, [vec![Point::new(138.0, 118.0), Point::new(148.0, 108.0)]]);
        assert!(sketch(&[END, row(1.0, [1.0, 0.0, 0.0])], 1.0).strokes.is_empty());
    }
}
