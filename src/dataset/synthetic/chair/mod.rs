//! A chair: its random design, and the figure of a design.

mod back;
mod base;
mod scene;
mod seat;

use super::chance::{between, count, happens, normal, pick};
use super::figure::Figure;
use crate::seed::Stream;
use scene::{Camera, Scene};

/// The kind of base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// Four straight legs.
    Straight,
    /// Four legs that spread and narrow.
    Splayed,
    /// Four bowed legs.
    Cabriole,
    /// A column on a disc.
    Pedestal,
    /// A column on five spokes with castors.
    Star,
    /// A bent tube on each side.
    Sled,
    /// Crossed legs on each side.
    Crossed,
    /// A box down to the floor.
    Skirt,
    /// Four legs on runners.
    Rocker,
}

/// The kind of back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Back {
    None,
    Panel,
    Oval,
    Slats,
    Spindles,
    Splat,
    Cross,
    Hoop,
    Tub,
    Split,
}

/// The kind of armrests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arms {
    None,
    Post,
    Loop,
    Block,
}

/// Outline of the seat from above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    Square,
    Soft,
    Round,
}

/// Bars between the legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stretcher {
    None,
    Box,
    Middle,
    Front,
}

/// The measures, each in 0..1; each use scales it between two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChairMeasure {
    Width,
    Depth,
    Height,
    Thickness,
    Cushion,
    BackHeight,
    BackTop,
    BackBottom,
    Tilt,
    Arch,
    Bow,
    Splay,
    Leg,
    Taper,
    ArmHeight,
    ArmReach,
    Bar,
    Azimuth,
    Elevation,
    Detail,
}

/// Number of labels.
pub(super) const LABELS: usize = 8;

const MEASURES: usize = ChairMeasure::Detail as usize + 1;

/// The latent design of a chair.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chair {
    pub(super) base: Base,
    pub(super) back: Back,
    pub(super) arms: Arms,
    pub(super) seat: Seat,
    pub(super) stretcher: Stretcher,
    /// Slats, spindles, cushions.
    pub(super) rows: usize,
    /// A loose cushion on the seat.
    pub(super) cushion: bool,
    /// Buttons in the upholstery.
    pub(super) buttons: bool,
    /// A seam along the upholstery or a pad in the frame.
    pub(super) seam: bool,
    /// Wide enough for several.
    pub(super) wide: bool,
    /// A bar stool's height.
    pub(super) tall: bool,
    /// Seen from the other side.
    pub(super) mirrored: bool,
    measures: [f32; MEASURES],
}

impl Chair {
    /// A chair at random.
    pub(super) fn design(s: &mut Stream) -> Self {
        let base = base(s);
        let back = back(s, base);
        let tall = happens(s, if matches!(base, Base::Skirt | Base::Rocker) || back == Back::Tub { 0.0 } else { 0.16 });
        let wide = !tall && happens(s, if base == Base::Skirt { 0.5 } else { 0.06 }) && back != Back::Oval;
        let legs = matches!(base, Base::Straight | Base::Splayed);
        Self {
            base,
            back,
            arms: arms(s, base, back, tall),
            seat: seat(s, base, back),
            stretcher: stretcher(s, legs, tall),
            rows: count(s, 2, 5),
            cushion: happens(s, if base == Base::Skirt { 0.9 } else { 0.35 }),
            buttons: happens(s, 0.25),
            seam: happens(s, 0.4),
            wide,
            tall,
            mirrored: happens(s, 0.5),
            measures: std::array::from_fn(|_| between(s, 0.0, 1.0)),
        }
    }

    /// The same chair with every measure misjudged, as a sketcher sees it.
    pub(super) fn misjudged(&self, s: &mut Stream, error: f32) -> Self {
        let mut other = self.clone();
        for value in &mut other.measures {
            *value = (*value + error * normal(s)).clamp(-0.15, 1.15);
        }
        other
    }

    /// A measure between two ends.
    pub(super) fn get(&self, measure: ChairMeasure, low: f32, high: f32) -> f32 {
        low + (high - low) * self.measures[measure as usize]
    }

    /// Height of the seat's upper side over the floor, as a share of a metre.
    pub(super) fn height(&self) -> f32 {
        if self.tall {
            self.get(ChairMeasure::Height, 0.62, 0.82)
        } else if self.base == Base::Skirt {
            self.get(ChairMeasure::Height, 0.3, 0.42)
        } else {
            self.get(ChairMeasure::Height, 0.38, 0.5)
        }
    }

    /// Half the width and half the depth of the seat.
    pub(super) fn half(&self) -> (f32, f32) {
        let half = if self.wide {
            self.get(ChairMeasure::Width, 0.48, 0.8)
        } else if self.tall {
            self.get(ChairMeasure::Width, 0.16, 0.23)
        } else {
            self.get(ChairMeasure::Width, 0.2, 0.31)
        };
        let depth = if self.tall {
            self.get(ChairMeasure::Depth, 0.15, 0.22)
        } else {
            self.get(ChairMeasure::Depth, 0.19, 0.28)
        };
        (half, depth)
    }

    /// Height of a box's underside over the floor.
    pub(super) fn feet(&self) -> f32 {
        self.get(ChairMeasure::Bar, 0.02, 0.1)
    }

    /// Thickness of the seat.
    pub(super) fn thickness(&self) -> f32 {
        match self.base {
            Base::Skirt => 0.1,
            _ => self.get(ChairMeasure::Thickness, 0.018, 0.085),
        }
    }

    /// The third of its range that a measure lies in.
    fn third(&self, measure: ChairMeasure) -> usize {
        (self.get(measure, 0.0, 3.0) as usize).min(2)
    }

    /// Coarse labels: base, back, arms, seat, stretcher, height of the back, width, side seen.
    pub(super) fn labels(&self) -> [usize; LABELS] {
        let (high, wide) = (self.third(ChairMeasure::BackHeight), self.third(ChairMeasure::Width));
        let (base, back, arms) = (self.base as usize, self.back as usize, self.arms as usize);
        [base, back, arms, self.seat as usize, self.stretcher as usize, high, wide, usize::from(self.mirrored)]
    }

    /// The chair from in front, to the left or to the right, y down, about 1 high.
    pub(super) fn figure(&self) -> Figure {
        let half = self.get(ChairMeasure::Azimuth, 0.06, 0.36);
        let camera =
            Camera::new(if self.mirrored { -half } else { half }, self.get(ChairMeasure::Elevation, 0.07, 0.19));
        let mut scene = Scene::new(camera);
        base::add(self, &mut scene);
        back::add(self, &mut scene);
        seat::add(self, &mut scene);
        scene.figure()
    }
}

fn base(s: &mut Stream) -> Base {
    use Base::*;
    pick(
        s,
        &[
            (Straight, 0.25),
            (Splayed, 0.23),
            (Cabriole, 0.08),
            (Pedestal, 0.07),
            (Star, 0.11),
            (Sled, 0.08),
            (Crossed, 0.05),
            (Skirt, 0.1),
            (Rocker, 0.05),
        ],
    )
}

fn back(s: &mut Stream, base: Base) -> Back {
    use Back::*;
    match base {
        Base::Skirt => pick(s, &[(Panel, 0.75), (Split, 0.25)]),
        Base::Star => pick(s, &[(Panel, 0.55), (Tub, 0.2), (Split, 0.15), (Slats, 0.1)]),
        Base::Pedestal => pick(s, &[(None, 0.25), (Panel, 0.3), (Tub, 0.3), (Oval, 0.15)]),
        Base::Sled => pick(s, &[(Panel, 0.6), (Slats, 0.2), (Split, 0.2)]),
        Base::Cabriole => pick(s, &[(Oval, 0.4), (Splat, 0.3), (Panel, 0.2), (Cross, 0.1)]),
        _ => pick(
            s,
            &[
                (None, 0.1),
                (Panel, 0.16),
                (Oval, 0.07),
                (Slats, 0.16),
                (Spindles, 0.16),
                (Splat, 0.09),
                (Cross, 0.09),
                (Hoop, 0.1),
                (Tub, 0.07),
            ],
        ),
    }
}

fn arms(s: &mut Stream, base: Base, back: Back, tall: bool) -> Arms {
    use Arms::*;
    match (base, back) {
        _ if tall || matches!(back, Back::None | Back::Tub) => None,
        (Base::Skirt, _) => pick(s, &[(Block, 0.8), (None, 0.2)]),
        (Base::Star, _) => pick(s, &[(Loop, 0.4), (Post, 0.25), (None, 0.35)]),
        (Base::Rocker, _) => pick(s, &[(Post, 0.7), (None, 0.3)]),
        _ => pick(s, &[(None, 0.62), (Post, 0.23), (Loop, 0.1), (Block, 0.05)]),
    }
}

fn seat(s: &mut Stream, base: Base, back: Back) -> Seat {
    use Seat::*;
    match (base, back) {
        (Base::Skirt, _) => Square,
        (_, Back::Tub) => Round,
        (_, Back::None) => pick(s, &[(Round, 0.6), (Square, 0.4)]),
        _ => pick(s, &[(Square, 0.45), (Soft, 0.4), (Round, 0.15)]),
    }
}

fn stretcher(s: &mut Stream, legs: bool, tall: bool) -> Stretcher {
    use Stretcher::*;
    if !legs {
        None
    } else if tall {
        Box
    } else {
        pick(s, &[(None, 0.45), (Box, 0.2), (Middle, 0.2), (Front, 0.15)])
    }
}
