//! A shoe: its random design, and the figure of a design.

mod body;
mod detail;
mod kind;
mod sandal;

use super::chance::{between, count, happens, normal, pick};
use super::curve::P2;
use super::figure::Figure;
use crate::seed::Stream;

/// Kind of shoe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Rubber sole, laces, low or high.
    Sneaker,
    /// Low cut, slip-on.
    Pump,
    /// With a shaft.
    Boot,
    /// Derby, loafer, monk.
    Low,
    /// Straps on a sole.
    Sandal,
}

/// Shape of the heel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heel {
    /// None of its own: the sole goes on.
    Flat,
    /// Low block.
    Stacked,
    /// High block.
    Block,
    /// Thin and high.
    Stiletto,
    /// Narrows to the ground.
    Cone,
    /// Widens to the ground.
    Flared,
    /// Fills the arch.
    Wedge,
}

/// Shape of the toe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Toe {
    Round,
    Pointed,
    Square,
    Open,
}

/// The closure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closure {
    None,
    Laces,
    Velcro,
    Zip,
    Buckle,
    Gore,
}

/// The pattern on its side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SidePattern {
    Plain,
    Stripes,
    Swoosh,
    Panel,
    Disc,
    Zigzag,
}

/// The pattern on its toe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cap {
    None,
    Straight,
    Wing,
    Apron,
    Double,
}

/// A strap over the foot or round the ankle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strap {
    None,
    Instep,
    Ankle,
    TBar,
    Sling,
}

/// The ornament on the vamp or the top of the shaft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ornament {
    None,
    Bow,
    Buckle,
    Tassel,
    Disc,
    Cuff,
    PullTab,
    Belt,
}

/// The measures, each in 0..1; each use scales it between two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ShoeMeasure {
    HeelHeight,
    Platform,
    HeelWidth,
    HeelLean,
    Collar,
    Dip,
    Throat,
    ToeHeight,
    ToeLength,
    ToeSpring,
    Instep,
    Shaft,
    Flare,
    FirstDetail,
    SecondDetail,
    ThirdDetail,
    Elevation,
    Turn,
    StrapWidth,
}

/// Number of labels.
pub(super) const LABELS: usize = 8;

const MEASURES: usize = ShoeMeasure::StrapWidth as usize + 1;

/// The latent design of a shoe.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Shoe {
    pub(super) family: Family,
    pub(super) heel: Heel,
    pub(super) toe: Toe,
    pub(super) closure: Closure,
    pub(super) side: SidePattern,
    pub(super) cap: Cap,
    pub(super) strap: Strap,
    pub(super) ornament: Ornament,
    /// Rows of laces, stripes, bands.
    pub(super) rows: usize,
    /// A sneaker over the ankle.
    pub(super) high: bool,
    /// A piece of its own over the heel.
    pub(super) counter: bool,
    /// A line along the sole.
    pub(super) welt: bool,
    /// Notches in the sole.
    pub(super) tread: bool,
    /// A row of stitches.
    pub(super) stitches: bool,
    measures: [f32; MEASURES],
}

impl Shoe {
    /// A shoe at random.
    pub(super) fn design(s: &mut Stream) -> Self {
        use Family::*;
        let family = pick(s, &[(Sneaker, 0.26), (Pump, 0.2), (Boot, 0.22), (Low, 0.14), (Sandal, 0.18)]);
        Self {
            family,
            heel: heel(s, family),
            toe: toe(s, family),
            closure: closure(s, family),
            side: side(s, family),
            cap: cap(s, family),
            strap: strap(s, family),
            ornament: ornament(s, family),
            rows: count(s, 2, 5),
            high: happens(s, 0.35),
            counter: happens(s, if matches!(family, Sneaker | Low) { 0.5 } else { 0.25 }),
            welt: happens(s, 0.5),
            tread: happens(s, if family == Sneaker { 0.35 } else { 0.12 }),
            stitches: happens(s, 0.15),
            measures: std::array::from_fn(|_| between(s, 0.0, 1.0)),
        }
    }

    /// The same shoe with every measure misjudged, as a sketcher sees it.
    pub(super) fn misjudged(&self, s: &mut Stream, error: f32) -> Self {
        let mut other = self.clone();
        for value in &mut other.measures {
            *value = (*value + error * normal(s)).clamp(-0.15, 1.15);
        }
        other
    }

    /// A measure between two ends.
    pub(super) fn get(&self, measure: ShoeMeasure, low: f32, high: f32) -> f32 {
        low + (high - low) * self.measures[measure as usize]
    }

    /// The third of its range that a measure lies in.
    fn third(&self, measure: ShoeMeasure) -> usize {
        (self.get(measure, 0.0, 3.0) as usize).min(2)
    }

    /// Coarse labels: family, heel, toe, closure, side, strap, height of heel and of collar.
    pub(super) fn labels(&self) -> [usize; LABELS] {
        let (height, collar) = (self.third(ShoeMeasure::HeelHeight), self.third(ShoeMeasure::Collar));
        let (family, heel, toe) = (self.family as usize, self.heel as usize, self.toe as usize);
        [family, heel, toe, self.closure as usize, self.side as usize, self.strap as usize, height, collar]
    }

    /// The shoe from its outer side, toe to the left, y down, about 1 wide.
    pub(super) fn figure(&self) -> Figure {
        let body = body::Body::of(self);
        let mut parts = if self.family == Family::Sandal { sandal::parts(self, &body) } else { body.parts(self) };
        if self.family != Family::Sandal {
            detail::add(self, &body, &mut parts);
        }
        let short = self.get(ShoeMeasure::Turn, 0.68, 0.9);
        Figure { parts }.moved(|p: P2| [-p[0] * short, -p[1]])
    }
}

fn heel(s: &mut Stream, family: Family) -> Heel {
    use Heel::*;
    match family {
        Family::Sneaker => pick(s, &[(Flat, 0.9), (Wedge, 0.1)]),
        Family::Low => pick(s, &[(Stacked, 0.75), (Flat, 0.25)]),
        Family::Boot => {
            pick(s, &[(Stacked, 0.4), (Flat, 0.15), (Block, 0.17), (Stiletto, 0.12), (Wedge, 0.08), (Cone, 0.08)])
        }
        Family::Pump => {
            pick(s, &[(Flat, 0.1), (Stiletto, 0.35), (Block, 0.18), (Cone, 0.12), (Flared, 0.08), (Wedge, 0.12)])
        }
        Family::Sandal => pick(s, &[(Flat, 0.15), (Stiletto, 0.25), (Block, 0.25), (Cone, 0.1), (Wedge, 0.25)]),
    }
}

fn toe(s: &mut Stream, family: Family) -> Toe {
    use Toe::*;
    match family {
        Family::Sneaker => Round,
        Family::Sandal => Open,
        Family::Pump => pick(s, &[(Round, 0.35), (Pointed, 0.35), (Square, 0.1), (Open, 0.2)]),
        _ => pick(s, &[(Round, 0.5), (Pointed, 0.25), (Square, 0.25)]),
    }
}

fn closure(s: &mut Stream, family: Family) -> Closure {
    use Closure::*;
    match family {
        Family::Sneaker => pick(s, &[(Laces, 0.75), (Velcro, 0.15), (None, 0.1)]),
        Family::Low => pick(s, &[(Laces, 0.5), (Buckle, 0.15), (None, 0.35)]),
        Family::Boot => pick(s, &[(Laces, 0.3), (Zip, 0.2), (Gore, 0.18), (Buckle, 0.14), (None, 0.18)]),
        _ => None,
    }
}

fn side(s: &mut Stream, family: Family) -> SidePattern {
    use SidePattern::*;
    match family {
        Family::Sneaker => {
            pick(s, &[(Plain, 0.2), (Stripes, 0.25), (Swoosh, 0.2), (Panel, 0.12), (Disc, 0.1), (Zigzag, 0.13)])
        }
        Family::Low | Family::Boot => pick(s, &[(Plain, 0.65), (Panel, 0.35)]),
        _ => Plain,
    }
}

fn cap(s: &mut Stream, family: Family) -> Cap {
    use Cap::*;
    match family {
        Family::Sneaker => pick(s, &[(None, 0.3), (Straight, 0.35), (Wing, 0.2), (Apron, 0.15)]),
        Family::Low => pick(s, &[(None, 0.2), (Straight, 0.25), (Wing, 0.2), (Apron, 0.25), (Double, 0.1)]),
        Family::Boot => pick(s, &[(None, 0.6), (Straight, 0.2), (Wing, 0.1), (Double, 0.1)]),
        _ => pick(s, &[(None, 0.7), (Straight, 0.2), (Wing, 0.1)]),
    }
}

fn strap(s: &mut Stream, family: Family) -> Strap {
    use Strap::*;
    match family {
        Family::Pump => pick(s, &[(None, 0.45), (Instep, 0.2), (Ankle, 0.15), (TBar, 0.1), (Sling, 0.1)]),
        Family::Sandal => pick(s, &[(None, 0.2), (Ankle, 0.4), (TBar, 0.2), (Sling, 0.2)]),
        _ => None,
    }
}

fn ornament(s: &mut Stream, family: Family) -> Ornament {
    use Ornament::*;
    match family {
        Family::Sneaker => pick(s, &[(None, 0.7), (PullTab, 0.3)]),
        Family::Low => pick(s, &[(None, 0.6), (Tassel, 0.2), (Buckle, 0.2)]),
        Family::Boot => pick(s, &[(None, 0.35), (Cuff, 0.25), (PullTab, 0.2), (Belt, 0.2)]),
        Family::Pump => pick(s, &[(None, 0.45), (Bow, 0.25), (Buckle, 0.15), (Disc, 0.15)]),
        Family::Sandal => pick(s, &[(None, 0.6), (Disc, 0.2), (Bow, 0.2)]),
    }
}
