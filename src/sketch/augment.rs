//! Small random deformations of a sketch, and the same ones for its photo.

use super::{CANVAS, Point, Sketch};
use crate::{Error, Result, seed::Stream};
use rand::RngExt;
use serde::{Deserialize, Serialize};

/// How strongly pictures are deformed.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AugmentConfig {
    /// Largest shift in x and in y, as a share of the canvas.
    pub shift: f32,
    /// Largest change of the scale in x and in y, as a share: 0.1 is 0.9 to 1.1.
    pub scale: f32,
    /// Largest rotation either way, in degrees.
    pub rotation: f32,
    /// How probable a left-right flip is.
    pub flip: f64,
    /// What each picture of a pair adds of its own, where the pair shares the deformation above; none: a pair shares the
    /// flip alone. Left out of a record where it is none, as in older ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own: Option<OwnDeformation>,
}

/// Small deformations of a sketch and of its photo, beside the one that they share.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnDeformation {
    /// Largest shift in x and in y, as a share of the canvas.
    pub shift: f32,
    /// Largest change of the scale in x and in y, as a share.
    pub scale: f32,
    /// Largest rotation either way, in degrees.
    pub rotation: f32,
}

impl Default for AugmentConfig {
    /// Deformations that suit centred and upright objects, as in all corpora here.
    fn default() -> Self {
        Self {
            shift: 0.08,   // 20 px; Chair-V2's drawings leave a margin of 33 px (they span 33 to 223)
            scale: 0.1,    // 10 px at the edge of such a drawing: with the shift, still on the canvas
            rotation: 0.0, // shoes and chairs stand on a level ground in photos and sketches alike
            flip: 0.5,     // a mirrored shoe is still a shoe, if sketch and photo are mirrored together
            own: None,
        }
    }
}

impl AugmentConfig {
    /// No deformation at all, for evaluation.
    pub fn none() -> Self {
        Self { shift: 0.0, scale: 0.0, rotation: 0.0, flip: 0.0, own: None }
    }

    /// One deformation for a sketch and its photo, with small ones of their own: the proportions of a pair stay alike.
    ///
    /// The amounts are first choices that keep centred drawings on the canvas; they were not tuned.
    pub fn paired() -> Self {
        let own = OwnDeformation { shift: 6.0 / CANVAS, scale: 0.03, rotation: 3.0 };
        Self { shift: 0.08, scale: 0.12, rotation: 8.0, flip: 0.5, own: Some(own) }
    }

    /// Checks that every field is in its range.
    ///
    /// # Errors
    /// A shift outside 0 to 1, a scale outside 0 to below 1, a rotation outside 0 to 180, a flip outside 0 to 1.
    pub fn check(&self) -> Result<()> {
        let fields = [
            ("shift", (0.0..=1.0).contains(&self.shift), "0 to 1", f64::from(self.shift)),
            ("scale", (0.0..1.0).contains(&self.scale), "0 to below 1", f64::from(self.scale)),
            ("rotation", (0.0..=180.0).contains(&self.rotation), "0 to 180 degrees", f64::from(self.rotation)),
            ("flip", (0.0..=1.0).contains(&self.flip), "a probability", self.flip),
        ];
        match fields.into_iter().find(|field| !field.1) {
            Some((name, _, expected, found)) => Err(Error::value(format!("augment.{name}"), expected, found)),
            None => self.own.map_or(Ok(()), |own| own.amounts().check()),
        }
    }

    /// Whether a sketch and its photo are flipped: drawn once for both.
    pub fn sample_flip(&self, stream: &mut Stream) -> bool {
        stream.random::<f64>() < self.flip
    }
}

impl OwnDeformation {
    /// The same amounts, without a flip: that is the pair's.
    fn amounts(self) -> AugmentConfig {
        let Self { shift, scale, rotation } = self;
        AugmentConfig { shift, scale, rotation, flip: 0.0, own: None }
    }
}

/// A deformation about the centre of the canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Affine {
    /// To the right, in pixels of the canvas.
    pub shift_x: f32,
    /// Down, in pixels of the canvas.
    pub shift_y: f32,
    /// Above 1 is wider.
    pub scale_x: f32,
    /// Above 1 is taller.
    pub scale_y: f32,
    /// Clockwise as seen on the screen.
    pub degrees: f32,
    /// Whether left and right are swapped, before all else.
    pub flip: bool,
}

impl Default for Affine {
    /// The deformation that changes nothing.
    fn default() -> Self {
        Self { shift_x: 0.0, shift_y: 0.0, scale_x: 1.0, scale_y: 1.0, degrees: 0.0, flip: false }
    }
}

impl Affine {
    /// Draws a deformation for one picture.
    ///
    /// Always takes the same number of draws, whatever the configuration: changing one field leaves the draws of the
    /// others as they were.
    ///
    /// ```
    /// use retrace::{seed::Seed, sketch::{Affine, AugmentConfig}};
    /// let mut stream = Seed(1).stream("augment");
    /// assert_eq!(Affine::sample(&AugmentConfig::none(), &mut stream), Affine::default());
    /// ```
    pub fn sample(config: &AugmentConfig, stream: &mut Stream) -> Self {
        let flip = config.sample_flip(stream);
        Self::sample_flipped(config, flip, stream)
    }

    /// Draws all but the flip, which is given.
    pub fn sample_flipped(config: &AugmentConfig, flip: bool, stream: &mut Stream) -> Self {
        let mut within = |most: f32| most * (2.0 * stream.random::<f32>() - 1.0);
        Self {
            shift_x: within(config.shift * CANVAS),
            shift_y: within(config.shift * CANVAS),
            scale_x: 1.0 + within(config.scale),
            scale_y: 1.0 + within(config.scale),
            degrees: within(config.rotation),
            flip,
        }
    }

    /// Draws deformations for a sketch and its photo: they share the flip and nothing else, or all but
    /// [`AugmentConfig::own`].
    ///
    /// ```
    /// use retrace::{seed::Seed, sketch::{Affine, AugmentConfig}};
    /// let (sketch, photo) = Affine::sample_pair(&AugmentConfig::default(), &mut Seed(1).stream("augment"));
    /// assert_eq!(sketch.flip, photo.flip);
    /// assert_ne!(sketch.shift_x, photo.shift_x);
    /// let (sketch, photo) = Affine::sample_pair(&AugmentConfig::paired(), &mut Seed(1).stream("augment"));
    /// assert!((sketch.shift_x - photo.shift_x).abs() <= 12.0);
    /// ```
    pub fn sample_pair(config: &AugmentConfig, stream: &mut Stream) -> (Self, Self) {
        let flip = config.sample_flip(stream);
        let first = Self::sample_flipped(config, flip, stream);
        match config.own {
            None => (first, Self::sample_flipped(config, flip, stream)),
            Some(own) => {
                let own = own.amounts();
                let mut with_own = || first.with(Self::sample_flipped(&own, false, stream));
                (with_own(), with_own())
            }
        }
    }

    /// Both deformations as one: shifts and turns are added, scales multiplied.
    ///
    /// ```
    /// use retrace::sketch::Affine;
    /// let shift = Affine { shift_x: 3.0, scale_x: 1.5, ..Affine::default() };
    /// let both = shift.with(Affine { shift_x: 2.0, scale_x: 2.0, ..Affine::default() });
    /// assert_eq!((both.shift_x, both.scale_x), (5.0, 3.0));
    /// ```
    pub fn with(self, other: Self) -> Self {
        Self {
            shift_x: self.shift_x + other.shift_x,
            shift_y: self.shift_y + other.shift_y,
            scale_x: self.scale_x * other.scale_x,
            scale_y: self.scale_y * other.scale_y,
            degrees: self.degrees + other.degrees,
            flip: self.flip != other.flip,
        }
    }

    /// The deformation as a matrix on canvas coordinates.
    ///
    /// ```text
    /// p' = R(degrees) diag(scale_x, scale_y) diag(-1 if flip else 1, 1) (p - c) + c + shift,    c = (128, 128)
    /// ```
    ///
    /// # Shapes
    /// 2 x 3, rows for x' and y', columns for x, y and 1; from where a point is to where it goes (a warp that
    /// looks up where each pixel comes from needs the inverse). For a picture of side
    /// `s`, pixel `i` has its centre at canvas coordinate `(i + 0.5) 256 / s`.
    ///
    /// ```
    /// use retrace::sketch::Affine;
    /// let flip = Affine { flip: true, ..Affine::default() };
    /// assert_eq!(flip.matrix(), [[-1.0, 0.0, 256.0], [0.0, 1.0, 0.0]]);
    /// ```
    pub fn matrix(&self) -> [[f32; 3]; 2] {
        let (sin, cos) = self.degrees.to_radians().sin_cos();
        let (wide, tall) = (if self.flip { -self.scale_x } else { self.scale_x }, self.scale_y);
        let [a, b, c, d] = [cos * wide, -sin * tall, sin * wide, cos * tall];
        let centre = CANVAS / 2.0;
        [[a, b, centre - (a + b) * centre + self.shift_x], [c, d, centre - (c + d) * centre + self.shift_y]]
    }

    /// The sketch, deformed; points may leave the canvas.
    pub fn apply(&self, sketch: &Sketch) -> Sketch {
        if *self == Self::default() {
            return sketch.clone();
        }
        let [[a, b, e], [c, d, f]] = self.matrix();
        sketch.map(|point| Point::new(a * point.x + b * point.y + e, c * point.x + d * point.y + f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{seed::Seed, sketch::any_sketch};
    use proptest::prelude::*;

    fn moved(affine: Affine, x: f32, y: f32) -> (f32, f32) {
        let point = affine.apply(&Sketch { strokes: vec![vec![Point::new(x, y)]] }).strokes[0][0];
        (point.x, point.y)
    }

    fn all() -> AugmentConfig {
        AugmentConfig { shift: 0.1, scale: 0.2, rotation: 30.0, flip: 0.5, own: None }
    }

    #[test]
    fn affine_steps_by_hand() {
        let none = Affine::default();
        assert_eq!(moved(Affine { shift_x: 5.0, shift_y: -3.0, ..none }, 10.0, 10.0), (15.0, 7.0));
        assert_eq!(moved(Affine { scale_x: 2.0, ..none }, 138.0, 10.0), (148.0, 10.0));
        assert_eq!(moved(Affine { scale_y: 0.5, ..none }, 10.0, 28.0), (10.0, 78.0));
        assert_eq!(moved(Affine { flip: true, ..none }, 10.0, 20.0), (246.0, 20.0));
        // A quarter turn clockwise takes what is right of the centre below it.
        let (x, y) = moved(Affine { degrees: 90.0, ..none }, 228.0, 128.0);
        assert!((x - 128.0).abs() < 1e-4 && (y - 228.0).abs() < 1e-4, "{x} {y}");
    }

    #[test]
    fn draws_stay_in_their_ranges_and_use_them() {
        let mut stream = Seed(1).stream("augment");
        let drawn: Vec<_> = (0..2000).map(|_| Affine::sample(&all(), &mut stream)).collect();
        let range = |field: fn(&Affine) -> f32| {
            drawn.iter().map(field).fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)))
        };
        let near = |(low, high): (f32, f32), l: f32, h: f32| {
            let slack = 0.01 * (h - l);
            assert!(l <= low && low < l + slack && h - slack < high && high <= h, "{low} {high} of {l} {h}");
        };
        near(range(|a| a.shift_x), -25.6, 25.6);
        near(range(|a| a.shift_y), -25.6, 25.6);
        near(range(|a| a.scale_x), 0.8, 1.2);
        near(range(|a| a.scale_y), 0.8, 1.2);
        near(range(|a| a.degrees), -30.0, 30.0);
        let flips = drawn.iter().filter(|a| a.flip).count();
        assert!((900..1100).contains(&flips), "{flips}");
    }

    #[test]
    fn a_field_changes_its_own_draw_and_no_other() {
        let sample = |config: AugmentConfig| Affine::sample(&config, &mut Seed(2).stream("augment"));
        let base = sample(all());
        assert_eq!(Affine { degrees: base.degrees, ..sample(AugmentConfig { rotation: 0.0, ..all() }) }, base);
        assert_eq!(sample(AugmentConfig { rotation: 0.0, ..all() }).degrees, 0.0);
        assert_eq!(
            Affine { shift_x: base.shift_x, shift_y: base.shift_y, ..sample(AugmentConfig { shift: 0.0, ..all() }) },
            base
        );
        assert_ne!(sample(AugmentConfig { scale: 0.1, ..all() }).scale_x, base.scale_x);
        assert_eq!(Affine { flip: base.flip, ..sample(AugmentConfig { flip: 0.0, ..all() }) }, base);
        assert!(
            sample(AugmentConfig { flip: 1.0, ..all() }).flip && !sample(AugmentConfig { flip: 0.0, ..all() }).flip
        );
    }

    #[test]
    fn pair_shares_all_but_its_own_deformation() {
        let mut stream = Seed(3).stream("augment");
        let config = AugmentConfig::paired();
        let pairs: Vec<_> = (0..500).map(|_| Affine::sample_pair(&config, &mut stream)).collect();
        let largest = |apart: fn(&(Affine, Affine)) -> f32| pairs.iter().map(apart).fold(0.0_f32, f32::max);
        // Either picture moves up to 6 px and turns up to 3 degrees on its own.
        let (shift, turn) =
            (largest(|(s, p)| (s.shift_x - p.shift_x).abs()), largest(|(s, p)| (s.degrees - p.degrees).abs()));
        assert!(shift > 9.0 && shift <= 12.0 && turn > 4.5 && turn <= 6.0, "{shift} {turn}");
        let ratio = largest(|(s, p)| (s.scale_y / p.scale_y).max(p.scale_y / s.scale_y));
        assert!(ratio > 1.04 && ratio <= 1.03 / 0.97 + 1e-6, "{ratio}");
        assert!(pairs.iter().all(|(sketch, photo)| sketch.flip == photo.flip));
        let widest = largest(|(sketch, _)| (sketch.scale_x - 1.0).abs());
        assert!(widest > 0.11 && widest < 1.12 * 1.03 - 1.0, "{widest}");
    }

    #[test]
    fn augment_config_is_checked() {
        AugmentConfig::default().check().unwrap();
        AugmentConfig::paired().check().unwrap();
        let own = OwnDeformation { shift: 0.0, scale: 0.0, rotation: 200.0 };
        let error = AugmentConfig { own: Some(own), ..all() }.check().unwrap_err().to_string();
        assert_eq!(error, "augment.rotation: expected 0 to 180 degrees, found 200");
        AugmentConfig::none().check().unwrap();
        let message = |config: AugmentConfig| config.check().unwrap_err().to_string();
        assert_eq!(message(AugmentConfig { shift: -0.5, ..all() }), "augment.shift: expected 0 to 1, found -0.5");
        assert!(message(AugmentConfig { scale: 1.0, ..all() }).starts_with("augment.scale"));
        assert!(message(AugmentConfig { rotation: f32::NAN, ..all() }).starts_with("augment.rotation"));
        assert!(message(AugmentConfig { flip: 1.5, ..all() }).starts_with("augment.flip"));
    }

    #[test]
    fn unknown_fields_are_refused_and_missing_ones_are_the_default() {
        assert!(serde_json::from_str::<AugmentConfig>(r#"{"shear": 1}"#).is_err());
        let read: AugmentConfig = serde_json::from_str(r#"{"flip": 0.0}"#).unwrap();
        assert_eq!(read, AugmentConfig { flip: 0.0, ..AugmentConfig::default() });
    }

    proptest! {
        #[test]
        fn no_deformation_is_the_identity(sketch in any_sketch(), seed: u64) {
            let affine = Affine::sample(&AugmentConfig::none(), &mut Seed(seed).stream("augment"));
            prop_assert_eq!(affine.apply(&sketch), sketch);
        }

        #[test]
        fn flipping_twice_is_the_identity(sketch in any_sketch()) {
            let flip = Affine { flip: true, ..Affine::default() };
            for (a, b) in flip.apply(&flip.apply(&sketch)).strokes.iter().flatten().zip(sketch.strokes.iter().flatten()) {
                prop_assert!(a.distance(*b) < 1e-4);
            }
        }

        #[test]
        fn the_matrix_does_its_steps_in_order(seed: u64, x in 0.0f32..256.0, y in 0.0f32..256.0) {
            let affine = Affine::sample(&all(), &mut Seed(seed).stream("augment"));
            let (mut u, mut v) = (x - 128.0, y - 128.0);
            if affine.flip { u = -u; }
            (u, v) = (u * affine.scale_x, v * affine.scale_y);
            let turn = affine.degrees.to_radians();
            (u, v) = (turn.cos() * u - turn.sin() * v, turn.sin() * u + turn.cos() * v);
            let expected = Point::new(u + 128.0 + affine.shift_x, v + 128.0 + affine.shift_y);
            let (x, y) = moved(affine, x, y);
            prop_assert!(expected.distance(Point::new(x, y)) < 1e-3);
        }
    }
}
