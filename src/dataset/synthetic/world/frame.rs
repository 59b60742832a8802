//! Where a part is: its box, turned and perhaps mirrored.

use super::super::curve::{P2, add, scale, sub};

/// A box in the plane; its points are given from -1 to 1, x right and y down.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    /// The middle.
    pub(super) centre: P2,
    /// Directions of the box's x and y, of length 1.
    axes: [P2; 2],
    /// Half of width and height.
    pub(super) half: P2,
}

impl Frame {
    /// The object's own origin, in units of the file.
    pub(super) const ORIGIN: Self = Self { centre: [0.0; 2], axes: [[1.0, 0.0], [0.0, 1.0]], half: [1.0; 2] };

    /// A point of the box.
    pub(super) fn point(&self, p: P2) -> P2 {
        let across = scale(self.axes[0], p[0] * self.half[0]);
        add(self.centre, add(across, scale(self.axes[1], p[1] * self.half[1])))
    }

    /// The same box left to right.
    pub(super) fn mirrored(self) -> Self {
        Self { axes: [scale(self.axes[0], -1.0), self.axes[1]], ..self }
    }

    /// The same box turned about its middle.
    pub(super) fn turned(self, degrees: f32) -> Self {
        Self { axes: self.turned_axes(degrees), ..self }
    }

    /// A box of half size `half` whose point `pin` lies at `at` of this one, turned about it.
    pub(super) fn child(&self, at: P2, pin: P2, half: P2, degrees: f32) -> Self {
        let own = Self { centre: [0.0; 2], axes: self.turned_axes(degrees), half };
        Self { centre: sub(self.point(at), own.point(pin)), ..own }
    }

    fn turned_axes(&self, degrees: f32) -> [P2; 2] {
        let (cos, sin) = direction(degrees);
        let [x, y] = self.axes;
        [add(scale(x, cos), scale(y, sin)), sub(scale(y, cos), scale(x, sin))]
    }
}

/// Cosine and sine of an angle in degrees, by sums and products alone: every machine gets the same numbers.
pub(super) fn direction(degrees: f32) -> (f32, f32) {
    let quarters = (f64::from(degrees) / 90.0).round();
    let t = (f64::from(degrees) - 90.0 * quarters) * (std::f64::consts::PI / 180.0);
    let square = t * t;
    // Taylor to the 9th and 10th power: below 1e-8 for an eighth of a turn.
    let sin = t * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0 * (1.0 - square / 72.0))));
    let cos = 1.0 - square / 2.0 * (1.0 - square / 12.0 * (1.0 - square / 30.0 * (1.0 - square / 56.0)));
    let (cos, sin) = match quarters.rem_euclid(4.0) as u8 {
        0 => (cos, sin),
        1 => (-sin, cos),
        2 => (-cos, -sin),
        _ => (sin, -cos),
    };
    (cos as f32, sin as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: P2, b: P2) -> bool {
        (a[0] - b[0]).abs() < 1e-5 && (a[1] - b[1]).abs() < 1e-5
    }

    #[test]
    fn direction_agrees_with_the_library() {
        for degrees in [-400.0f32, -90.0, -45.0, 0.0, 30.0, 45.0, 89.0, 135.0, 180.0, 271.0, 720.0] {
            let (cos, sin) = direction(degrees);
            let expected = degrees.to_radians();
            assert!((cos - expected.cos()).abs() < 1e-5 && (sin - expected.sin()).abs() < 1e-5, "{degrees}");
        }
    }

    #[test]
    fn child_hangs_by_its_pin() {
        let parent = Frame::ORIGIN.child([2.0, 0.0], [0.0, 0.0], [4.0, 1.0], 0.0);
        // At the right end of the parent, hanging by its own top, a quarter clockwise: down becomes left.
        let child = parent.child([1.0, 0.0], [0.0, -1.0], [0.5, 1.0], 90.0);
        assert!(near(child.point([0.0, -1.0]), [6.0, 0.0]));
        assert!(near(child.point([0.0, 1.0]), [4.0, 0.0]));
        assert!(near(child.point([1.0, 0.0]), [5.0, 0.5]));
    }

    #[test]
    fn mirror_turns_left_and_right_only() {
        let parent = Frame::ORIGIN.child([3.0, 1.0], [0.0, 0.0], [2.0, 1.0], 0.0);
        let (plain, mirrored) = (parent, parent.mirrored());
        assert!(near(mirrored.point([0.5, 0.5]), plain.point([-0.5, 0.5])));
        let leaning = mirrored.child([0.0; 2], [0.0; 2], [1.0; 2], 30.0);
        let usual = plain.child([0.0; 2], [0.0; 2], [1.0; 2], 30.0);
        let (a, b) = (leaning.point([0.0, 1.0]), usual.point([0.0, 1.0]));
        assert!(near(a, [2.0 * 3.0 - b[0], b[1]]));
    }
}
