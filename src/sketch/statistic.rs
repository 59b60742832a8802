//! Statistics of the drawings of a corpus: to check a corpus, and to imitate one.

use super::{Sketch, antialiased, ink_share};
use serde::{Deserialize, Serialize};

/// Side of the pictures and width of the lines that ink is measured at: the canvas, and the field's dilated line.
const INK: (u32, f32) = (256, 3.0);

/// Means over the sketches of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// How many sketches the means are over.
    pub sketches: usize,
    /// Strokes of a sketch.
    pub strokes: f64,
    /// Points of a sketch.
    pub points: f64,
    /// Points of a stroke: all points by all strokes.
    pub points_per_stroke: f64,
    /// Share of the canvas that lines of 3 px cover, 0 to 1.
    pub ink_share: f64,
}

impl Statistics {
    /// Measures sketches; all means are 0 where there are none.
    ///
    /// ```
    /// use retrace::sketch::{Point, Sketch, Statistics};
    /// let line = vec![Point::new(64.0, 128.0), Point::new(192.0, 128.0)];
    /// let statistics = Statistics::of(&[Sketch { strokes: vec![line] }]);
    /// assert_eq!((statistics.strokes, statistics.points, statistics.points_per_stroke), (1.0, 2.0, 2.0));
    /// assert!((statistics.ink_share - 128.0 * 3.0 / 65_536.0).abs() < 2e-4);
    /// ```
    pub fn of<'a>(sketches: impl IntoIterator<Item = &'a Sketch>) -> Self {
        let (mut count, mut strokes, mut points, mut ink) = (0usize, 0usize, 0usize, 0.0);
        for sketch in sketches {
            count += 1;
            strokes += sketch.strokes.len();
            points += sketch.points();
            ink += ink_share(&antialiased(sketch, INK.0, INK.1));
        }
        let mean = |sum: f64, count: usize| sum / count.max(1) as f64;
        Self {
            sketches: count,
            strokes: mean(strokes as f64, count),
            points: mean(points as f64, count),
            points_per_stroke: mean(points as f64, strokes),
            ink_share: mean(ink, count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::Point;

    #[test]
    fn statistics_by_hand() {
        let stroke = |count: usize| vec![Point::new(128.0, 128.0); count];
        let sketches = [Sketch { strokes: vec![stroke(1), stroke(4)] }, Sketch { strokes: vec![stroke(4)] }];
        let statistics = Statistics::of(&sketches);
        assert_eq!((statistics.sketches, statistics.strokes, statistics.points), (2, 1.5, 4.5));
        assert_eq!(statistics.points_per_stroke, 3.0);
        // Both are a dot of diameter 3: pi 1.5^2 pixels.
        assert!((statistics.ink_share * 65_536.0 - 7.07).abs() < 0.3, "{}", statistics.ink_share * 65_536.0);
    }

    #[test]
    fn statistics_of_no_sketches_are_zero() {
        assert_eq!(Statistics::of(&[]), Statistics::default());
        assert_eq!(Statistics::of(&[Sketch::default()]), Statistics { sketches: 1, ..Statistics::default() });
    }
}
