//! Sketches as rows of numbers, as the field stores them and feeds them to recurrent networks.

use super::{Point, Sketch, Stroke};
use crate::{Error, Result};
use std::path::Path;

impl Sketch {
    /// Reads rows `(x, y, pen)`, with pen 1 on the last point of each stroke and 0 elsewhere.
    ///
    /// The last row ends a stroke with or without its flag: there is nothing after it to belong to the stroke.
    ///
    /// # Shapes
    /// `rows`: N x 3, the first two in pixels of the canvas.
    ///
    /// # Errors
    /// No rows, a pen flag that is neither 0 nor 1, a coordinate that is not finite; rows are counted from 1.
    ///
    /// ```
    /// use retrace::sketch::{Point, Sketch};
    /// let sketch = Sketch::from_rows(&[[1.0, 2.0, 0.0], [3.0, 4.0, 1.0], [5.0, 6.0, 1.0]], "a")?;
    /// assert_eq!(sketch.strokes, [vec![Point::new(1.0, 2.0), Point::new(3.0, 4.0)], vec![Point::new(5.0, 6.0)]]);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn from_rows(rows: &[[f64; 3]], path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        if rows.is_empty() {
            return Err(Error::data(path, "at least one row (x, y, pen)", "none"));
        }
        let mut strokes = StrokeList::default();
        for (at, &[x, y, pen]) in rows.iter().enumerate() {
            let point = finite(x, y, at).map_err(|found| Error::data(path, "finite coordinates", found))?;
            let lifted = flag(pen, at).map_err(|found| Error::data(path, "a pen flag of 0 or 1", found))?;
            strokes.push(point, lifted);
        }
        Ok(strokes.finish())
    }

    /// Writes rows `(x, y, pen)`, the inverse of [`Sketch::from_rows`].
    ///
    /// # Shapes
    /// N x 3 for N points.
    pub fn to_rows(&self) -> Vec<[f64; 3]> {
        self.pen_points().map(|(point, lifted)| [point.x.into(), point.y.into(), lifted.into()]).collect()
    }

    /// Reads stroke-3 rows `(dx, dy, pen)`: offsets from the point before, the first from `(0, 0)`.
    ///
    /// # Shapes
    /// `rows`: N x 3, pen 1 on the last point of each stroke, 0 elsewhere.
    ///
    /// # Errors
    /// As [`Sketch::from_rows`].
    ///
    /// # References
    /// Ha and Eck, A Neural Representation of Sketch Drawings, 2017, and the data files published with it.
    ///
    /// ```
    /// use retrace::sketch::{Point, Sketch};
    /// let sketch = Sketch::from_stroke3(&[[5.0, 5.0, 0.0], [1.0, -2.0, 1.0]])?;
    /// assert_eq!(sketch.strokes, [vec![Point::new(5.0, 5.0), Point::new(6.0, 3.0)]]);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn from_stroke3(rows: &[[f32; 3]]) -> Result<Self> {
        if rows.is_empty() {
            return Err(Error::value("stroke-3", "at least one row (dx, dy, pen)", "none"));
        }
        let mut strokes = StrokeList::default();
        let mut pen = Point::new(0.0, 0.0);
        for (at, &[dx, dy, lifted]) in rows.iter().enumerate() {
            pen = advance(pen, dx, dy, at).map_err(|found| Error::value("stroke-3", "finite offsets", found))?;
            let lifted =
                flag(lifted.into(), at).map_err(|found| Error::value("stroke-3", "a pen flag of 0 or 1", found))?;
            strokes.push(pen, lifted);
        }
        Ok(strokes.finish())
    }

    /// Writes stroke-3 rows, the inverse of [`Sketch::from_stroke3`].
    ///
    /// Each offset is taken from where a reader of the rows before stands, so that rounding does not add up.
    ///
    /// # Shapes
    /// N x 3 for N points.
    pub fn to_stroke3(&self) -> Vec<[f32; 3]> {
        let mut pen = Point::new(0.0, 0.0);
        self.pen_points()
            .map(|(point, lifted)| {
                let (dx, dy) = (point.x - pen.x, point.y - pen.y);
                pen = Point::new(pen.x + dx, pen.y + dy);
                [dx, dy, f32::from(lifted)]
            })
            .collect()
    }

    /// Reads stroke-5 rows `(dx, dy, p1, p2, p3)` up to the first with `p3 = 1`.
    ///
    /// # Shapes
    /// `rows`: N x 5; one of `p1` (pen stays down), `p2` (pen is lifted after this point) and `p3` (the drawing is
    /// over, this row is no point) is 1, the others are 0. Without the start token `(0, 0, 1, 0, 0)`, which belongs to
    /// the network's input and not to the drawing.
    ///
    /// # Errors
    /// No point before the end, pen states that are not one-hot, an offset that is not finite.
    ///
    /// # References
    /// Ha and Eck, A Neural Representation of Sketch Drawings, 2017, Sec. 3.1.
    pub fn from_stroke5(rows: &[[f32; 5]]) -> Result<Self> {
        let mut stroke3 = Vec::new();
        for (at, &[dx, dy, p1, p2, p3]) in rows.iter().enumerate() {
            match (p1, p2, p3) {
                (1.0, 0.0, 0.0) => stroke3.push([dx, dy, 0.0]),
                (0.0, 1.0, 0.0) => stroke3.push([dx, dy, 1.0]),
                (0.0, 0.0, 1.0) => break,
                _ => {
                    let found = format!("({p1}, {p2}, {p3}) in row {}", at + 1);
                    return Err(Error::value("stroke-5", "pen states with a single 1", found));
                }
            }
        }
        Self::from_stroke3(&stroke3)
    }

    /// Writes stroke-5 rows, filled up with end rows `(0, 0, 0, 0, 1)`.
    ///
    /// # Shapes
    /// `length` x 5.
    ///
    /// # Errors
    /// More points than `length` rows.
    ///
    /// # References
    /// Ha and Eck, A Neural Representation of Sketch Drawings, 2017, Sec. 3.1.
    ///
    /// ```
    /// use retrace::sketch::{Point, Sketch};
    /// let sketch = Sketch { strokes: vec![vec![Point::new(5.0, 5.0), Point::new(6.0, 3.0)]] };
    /// let rows = sketch.to_stroke5(3)?;
    /// assert_eq!(rows, [[5.0, 5.0, 1.0, 0.0, 0.0], [1.0, -2.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]);
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn to_stroke5(&self, length: usize) -> Result<Vec<[f32; 5]>> {
        if self.points() > length {
            return Err(Error::value("stroke-5", format!("at most {length} points"), self.points()));
        }
        let mut rows: Vec<_> =
            self.to_stroke3().into_iter().map(|[dx, dy, lifted]| [dx, dy, 1.0 - lifted, lifted, 0.0]).collect();
        rows.resize(length, [0.0, 0.0, 0.0, 0.0, 1.0]);
        Ok(rows)
    }

    /// Every point with whether the pen is lifted after it.
    fn pen_points(&self) -> impl Iterator<Item = (Point, bool)> + '_ {
        self.strokes
            .iter()
            .flat_map(|stroke| stroke.iter().enumerate().map(|(k, &point)| (point, k + 1 == stroke.len())))
    }
}

/// Strokes that grow point by point.
#[derive(Default)]
struct StrokeList {
    done: Vec<Stroke>,
    open: Stroke,
}

impl StrokeList {
    fn push(&mut self, point: Point, lifted: bool) {
        self.open.push(point);
        if lifted {
            self.done.push(std::mem::take(&mut self.open));
        }
    }

    fn finish(mut self) -> Sketch {
        if !self.open.is_empty() {
            self.done.push(self.open);
        }
        Sketch { strokes: self.done }
    }
}

/// The point, or where and how it is not one.
fn finite(x: f64, y: f64, at: usize) -> Result<Point, String> {
    let point = Point::new(x as f32, y as f32);
    if point.is_finite() { Ok(point) } else { Err(format!("({x}, {y}) in row {}", at + 1)) }
}

/// Where the pen stands after an offset.
fn advance(pen: Point, dx: f32, dy: f32, at: usize) -> Result<Point, String> {
    let point = Point::new(pen.x + dx, pen.y + dy);
    if point.is_finite() { Ok(point) } else { Err(format!("({dx}, {dy}) in row {}", at + 1)) }
}

/// Whether the pen is lifted.
fn flag(pen: f64, at: usize) -> Result<bool, String> {
    match pen {
        0.0 => Ok(false),
        1.0 => Ok(true),
        _ => Err(format!("{pen} in row {}", at + 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::any_sketch;
    use proptest::prelude::*;

    /// Two strokes, the second a dot.
    fn two() -> Sketch {
        Sketch { strokes: vec![vec![Point::new(10.0, 20.0), Point::new(13.0, 16.0)], vec![Point::new(1.0, 1.0)]] }
    }

    #[test]
    fn pen_rows_by_hand() {
        assert_eq!(two().to_rows(), [[10.0, 20.0, 0.0], [13.0, 16.0, 1.0], [1.0, 1.0, 1.0]]);
        assert_eq!(two().to_stroke3(), [[10.0, 20.0, 0.0], [3.0, -4.0, 1.0], [-12.0, -15.0, 1.0]]);
        assert_eq!(
            two().to_stroke5(4).unwrap()[1..],
            [[3.0, -4.0, 0.0, 1.0, 0.0], [-12.0, -15.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]
        );
    }

    #[test]
    fn a_missing_last_flag_ends_the_stroke_all_the_same() {
        let mut rows = two().to_rows();
        rows[2][2] = 0.0;
        assert_eq!(Sketch::from_rows(&rows, "a").unwrap(), two());
        let mut rows = two().to_stroke3();
        rows[2][2] = 0.0;
        assert_eq!(Sketch::from_stroke3(&rows).unwrap(), two());
    }

    #[test]
    fn bad_rows_are_named() {
        let message = |rows: &[[f64; 3]]| Sketch::from_rows(rows, "a.pkl").unwrap_err().to_string();
        assert_eq!(message(&[]), "a.pkl: expected at least one row (x, y, pen), found none");
        assert_eq!(message(&[[0.0, 0.0, 2.0]]), "a.pkl: expected a pen flag of 0 or 1, found 2 in row 1");
        let nan = [[0.0, 0.0, 0.0], [f64::NAN, 1.0, 1.0]];
        assert_eq!(message(&nan), "a.pkl: expected finite coordinates, found (NaN, 1) in row 2");
        assert!(message(&[[1e300, 0.0, 1.0]]).contains("finite"), "too large for 32 bits");
        assert!(message(&[[0.0, 0.0, f64::NAN]]).contains("pen flag"));
    }

    #[test]
    fn bad_stroke3_and_stroke5_are_named() {
        assert!(Sketch::from_stroke3(&[]).is_err());
        assert!(Sketch::from_stroke3(&[[f32::NAN, 0.0, 0.0]]).unwrap_err().to_string().contains("row 1"));
        assert!(Sketch::from_stroke3(&[[0.0, 0.0, 0.5]]).is_err());
        assert!(Sketch::from_stroke5(&[]).is_err());
        assert!(Sketch::from_stroke5(&[[0.0, 0.0, 0.0, 0.0, 1.0]]).is_err(), "no point before the end");
        let two_hot = Sketch::from_stroke5(&[[0.0, 0.0, 1.0, 1.0, 0.0]]).unwrap_err().to_string();
        assert_eq!(two_hot, "stroke-5: expected pen states with a single 1, found (1, 1, 0) in row 1");
        let long = two().to_stroke5(2).unwrap_err().to_string();
        assert_eq!(long, "stroke-5: expected at most 2 points, found 3");
    }

    #[test]
    fn stroke5_ignores_rows_after_the_end() {
        let mut rows = two().to_stroke5(3).unwrap();
        rows.extend([[0.0, 0.0, 0.0, 0.0, 1.0], [9.0, 9.0, 7.0, 7.0, 7.0]]);
        assert_eq!(Sketch::from_stroke5(&rows).unwrap(), two());
    }

    proptest! {
        #[test]
        fn rows_round_trip_exactly(sketch in any_sketch()) {
            prop_assert_eq!(Sketch::from_rows(&sketch.to_rows(), "a").unwrap(), sketch);
        }

        #[test]
        fn offsets_round_trip_without_drift(sketch in any_sketch(), spare in 0usize..5) {
            let three = Sketch::from_stroke3(&sketch.to_stroke3()).unwrap();
            let five = Sketch::from_stroke5(&sketch.to_stroke5(sketch.points() + spare).unwrap()).unwrap();
            prop_assert_eq!(&three, &five);
            prop_assert_eq!(three.strokes.len(), sketch.strokes.len());
            for (a, b) in three.strokes.iter().flatten().zip(sketch.strokes.iter().flatten()) {
                // Half a unit in the last place of 256.
                prop_assert!(a.distance(*b) <= 2.0 * f32::EPSILON * 256.0, "{:?} {:?}", a, b);
            }
        }
    }
}
