//! The shapes that stand at points.

use super::canvas::PALETTE;

/// Corners of a shape around a point, in pixels, so that lines differ without colour: as many shapes as colours.
pub(super) fn mark(line: usize) -> Vec<(i32, i32)> {
    match line % PALETTE.len() {
        0 => vec![(0, -5), (5, 0), (0, 5), (-5, 0)],
        1 => vec![(-4, -4), (4, -4), (4, 4), (-4, 4)],
        2 => vec![(0, -5), (5, 4), (-5, 4)],
        3 => vec![(0, 5), (5, -4), (-5, -4)],
        4 => {
            let arm = [(-2, -6), (2, -6), (2, -2), (6, -2), (6, 2), (2, 2)];
            arm.into_iter().chain(arm.map(|(x, y)| (-x, -y))).collect() // a plus: its other half is turned round
        }
        _ => vec![(-2, -5), (2, -5), (5, -2), (5, 2), (2, 5), (-2, 5), (-5, 2), (-5, -2)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_has_a_shape_of_its_own() {
        let shapes: Vec<_> = (0..PALETTE.len()).map(mark).collect();
        for (i, shape) in shapes.iter().enumerate() {
            assert!(!shapes[..i].contains(shape), "{i}");
            assert!(shape.iter().all(|(x, y)| x.abs().max(y.abs()) <= 6));
        }
        assert_eq!(mark(PALETTE.len()), shapes[0]);
    }
}
