//! Upper, sole and heel: the silhouette of a shoe. Here x runs from the heel (0) to the toe (1) and y up.

use super::super::curve::{P2, add, at, mix, part, spline};
use super::super::figure::{FigurePart, LineRank, Material};
use super::{Closure, Family, Heel, Shoe, ShoeMeasure, Strap, Toe};

/// The curves that position everything else.
pub(super) struct Body {
    /// Where the foot rests, from the heel's back to the toe.
    pub(super) insole: Vec<P2>,
    /// Up the back of the heel.
    pub(super) back: Vec<P2>,
    /// Along the opening, back to front.
    pub(super) topline: Vec<P2>,
    /// From the front of the opening down to the tip of the toe.
    pub(super) vamp: Vec<P2>,
    /// From the near to the far side of the foot.
    pub(super) across: P2,
    /// Height of the foot's rest over the ground, at the heel and at the ball.
    pub(super) heel: f32,
    pub(super) ball: f32,
}

impl Body {
    pub(super) fn of(shoe: &Shoe) -> Self {
        let (heel, ball) = heights(shoe);
        let tip = tip(shoe, ball);
        let insole = spline(&[
            [0.02, heel],
            [0.2, heel * 0.97 + ball * 0.03],
            [0.44, mix([heel], [ball], 0.62)[0]],
            [0.66, ball],
            [0.84, ball * 1.02 + 0.004],
            tip,
        ]);
        let back_top = back_top(shoe, heel);
        let front = front(shoe, heel, ball);
        let back = back(shoe, heel, back_top);
        let topline = topline(shoe, back_top, front);
        let vamp = vamp(shoe, front, tip, ball);
        let across = [0.025, shoe.get(ShoeMeasure::Elevation, 0.015, 0.075)];
        Self { insole, back, topline, vamp, across, heel, ball }
    }

    /// The upper's near side, closed.
    pub(super) fn upper(&self) -> Vec<P2> {
        let mut outline = self.back.clone();
        outline.extend(self.topline.iter().skip(1));
        outline.extend(self.vamp.iter().skip(1));
        outline.extend(self.insole.iter().rev().skip(1));
        outline
    }

    /// The lining that shows over the near edge of the opening.
    fn opening(&self) -> Vec<P2> {
        let last = self.topline.len() - 1;
        let far = |i: usize| {
            let t = i as f32 / last as f32;
            add(self.topline[i], super::super::curve::scale(self.across, 4.0 * t * (1.0 - t)))
        };
        (0..=last).map(far).collect()
    }

    /// Sole, heel, lining and upper, in painting order.
    pub(super) fn parts(&self, shoe: &Shoe) -> Vec<FigurePart> {
        let mut parts = Vec::new();
        parts.extend(heel_part(shoe, self));
        parts.push(sole_part(shoe, self));
        let far = self.opening();
        let mut hole = self.topline.clone();
        hole.extend(far.iter().rev());
        parts.push(FigurePart::new(Material::Inside, hole).shade(0.6).line(LineRank::Edge, 1, far));
        let mut contour = self.back.clone();
        contour.extend(self.topline.iter().skip(1));
        let upper = FigurePart::new(Material::Body, self.upper());
        let vamp = self.vamp.clone();
        let mut whole = contour.clone();
        whole.extend(vamp.iter().skip(1));
        parts.push(upper.line(LineRank::Outline, 0, whole));
        parts
    }

    /// A line down from a share of the vamp to a share of the insole, bent forward by `bend`.
    pub(super) fn seam(&self, vamp: f32, insole: f32, bend: f32) -> Vec<P2> {
        let (from, to) = (at(&self.vamp, vamp), at(&self.insole, insole));
        let middle = add(mix(from, to, 0.5), [bend, 0.0]);
        spline(&[from, middle, to])
    }
}

/// Height of the insole over the ground, at the heel and at the ball.
fn heights(shoe: &Shoe) -> (f32, f32) {
    use ShoeMeasure::{HeelHeight, Platform};
    let flat = shoe.get(Platform, 0.03, 0.1);
    let thin = shoe.get(Platform, 0.012, 0.035);
    match (shoe.family, shoe.heel) {
        (Family::Sneaker, Heel::Wedge) => (flat + shoe.get(HeelHeight, 0.08, 0.18), flat),
        (Family::Sneaker, _) => (flat + shoe.get(HeelHeight, 0.0, 0.05), flat),
        (_, Heel::Flat) => (thin + shoe.get(HeelHeight, 0.0, 0.025), thin),
        (_, Heel::Stacked) => (thin + shoe.get(HeelHeight, 0.05, 0.1), thin),
        (_, Heel::Wedge) => (thin * 2.2 + shoe.get(HeelHeight, 0.12, 0.34), thin * 2.2),
        (_, Heel::Stiletto) => (thin * 1.6 + shoe.get(HeelHeight, 0.2, 0.46), platform(shoe)),
        _ => (thin * 1.6 + shoe.get(HeelHeight, 0.13, 0.36), platform(shoe)),
    }
}

/// High heels: half of them have a platform under the ball.
fn platform(shoe: &Shoe) -> f32 {
    (shoe.get(ShoeMeasure::Platform, -0.1, 0.13)).max(0.015)
}

/// The tip of the toe where upper meets sole.
fn tip(shoe: &Shoe, ball: f32) -> P2 {
    let reach = match shoe.toe {
        Toe::Pointed => shoe.get(ShoeMeasure::ToeLength, 1.02, 1.12),
        _ => shoe.get(ShoeMeasure::ToeLength, 0.95, 1.03),
    };
    let spring = if shoe.family == Family::Sneaker { 0.06 } else { 0.035 };
    [reach, ball + shoe.get(ShoeMeasure::ToeSpring, 0.0, spring)]
}

fn back_top(shoe: &Shoe, heel: f32) -> P2 {
    use ShoeMeasure::Collar;
    match shoe.family {
        Family::Sneaker => {
            [0.02, heel + if shoe.high { shoe.get(Collar, 0.4, 0.72) } else { shoe.get(Collar, 0.2, 0.32) }]
        }
        Family::Boot => [shoe.get(ShoeMeasure::Flare, 0.05, -0.07), heel + shaft(shoe)],
        Family::Low => [0.025, heel + shoe.get(Collar, 0.18, 0.27)],
        _ => [0.03, heel + shoe.get(Collar, 0.14, 0.26)],
    }
}

/// Height of a boot's shaft: ankle to knee.
fn shaft(shoe: &Shoe) -> f32 {
    let v = shoe.get(ShoeMeasure::Collar, 0.0, 1.0);
    0.45 + 0.14 * v + 0.75 * (v - 0.4).max(0.0)
}

fn front(shoe: &Shoe, heel: f32, ball: f32) -> P2 {
    use ShoeMeasure::{Collar, Instep, Shaft, Throat};
    let slope = heel - ball;
    match shoe.family {
        Family::Sneaker if shoe.high => {
            [shoe.get(Shaft, 0.36, 0.44), back_top(shoe, heel)[1] + shoe.get(Instep, -0.01, 0.1)]
        }
        Family::Sneaker => [shoe.get(Throat, 0.36, 0.46), heel + shoe.get(Collar, 0.28, 0.36)],
        Family::Boot => {
            let top = back_top(shoe, heel);
            [top[0] + shoe.get(Shaft, 0.3, 0.46), top[1] + shoe.get(ShoeMeasure::Dip, -0.03, 0.07)]
        }
        Family::Low => [shoe.get(Throat, 0.4, 0.52), ball + slope * 0.35 + shoe.get(Instep, 0.2, 0.29)],
        _ => {
            let x = shoe.get(Throat, 0.6, 0.82);
            [x, ball + shoe.get(Instep, 0.11, 0.17) + slope * 0.45 * (0.84 - x)]
        }
    }
}

fn back(shoe: &Shoe, heel: f32, top: P2) -> Vec<P2> {
    let height = top[1] - heel;
    let ankle = heel + height.min(0.3) * 0.45;
    if shoe.family == Family::Boot {
        let narrow = [0.045, heel + 0.27];
        return spline(&[[0.02, heel], [-0.015, heel + 0.1], narrow, mix(narrow, top, 0.5), top]);
    }
    if height > 0.4 {
        return spline(&[[0.02, heel], [-0.012, ankle], [0.03, heel + 0.3], top]);
    }
    spline(&[[0.02, heel], [-0.014, ankle], top])
}

fn topline(shoe: &Shoe, from: P2, to: P2) -> Vec<P2> {
    let dip = match shoe.family {
        Family::Sneaker => shoe.get(ShoeMeasure::Dip, 0.02, 0.11),
        Family::Boot => shoe.get(ShoeMeasure::Dip, -0.04, 0.06),
        Family::Low => shoe.get(ShoeMeasure::Dip, 0.02, 0.08),
        _ => return pump_topline(shoe, from, to),
    };
    let middle = mix(from, to, 0.45);
    spline(&[from, [middle[0], middle[1] - dip], to])
}

/// A pump's opening runs close over the insole and turns up at the throat.
fn pump_topline(shoe: &Shoe, from: P2, to: P2) -> Vec<P2> {
    let (heel, ball) = heights(shoe);
    let low = shoe.get(ShoeMeasure::Dip, 0.06, 0.13);
    let arch = [0.3, mix([heel], [ball], 0.3)[0] + low + 0.015];
    let side = [0.3 + (to[0] - 0.3) * 0.62, mix([heel], [ball], 0.8)[0] + low];
    spline(&[from, [0.1, from[1] - 0.045], arch, side, to])
}

fn vamp(shoe: &Shoe, front: P2, tip: P2, ball: f32) -> Vec<P2> {
    let high = ball + shoe.get(ShoeMeasure::ToeHeight, 0.105, 0.175);
    let end = |points: &[P2]| spline(&[points, &[tip]].concat());
    let mut through = vec![front];
    let ankle = shoe.get(ShoeMeasure::Instep, 0.0, 1.0);
    if front[0] < 0.55 {
        if front[1] > ball + 0.48 {
            let (heel, _) = heights(shoe);
            let bend = [0.37 + 0.04 * ankle, (heel + ball) * 0.5 + 0.3 + 0.05 * ankle];
            through.push(mix(front, bend, 0.6));
            through.push(bend);
        }
        let last = through[through.len() - 1];
        let knee = [0.66, high + 0.045 + 0.045 * ankle];
        through.push(mix(last, knee, 0.55));
        through.push(knee);
    }
    let x = tip[0];
    match shoe.toe {
        Toe::Pointed => through.extend([[x - 0.2, high * 0.55 + tip[1] * 0.45], [x - 0.06, tip[1] + 0.03]]),
        Toe::Square => through.extend([[x - 0.16, high * 0.95], [x - 0.015, high * 0.72 + tip[1] * 0.28]]),
        _ => through.extend([[x - 0.17, high], [x - 0.04, high * 0.7 + tip[1] * 0.3]]),
    }
    end(&through)
}

/// What is under the foot, without the heel.
fn sole_part(shoe: &Shoe, body: &Body) -> FigurePart {
    let mut area = body.insole.clone();
    let ground = ground(shoe, body);
    area.extend(ground.iter().rev());
    let mut line = ground.clone();
    line.insert(0, body.insole[0]);
    line.push(body.insole[body.insole.len() - 1]);
    let edge = part(&body.insole, 0.0, 1.0);
    FigurePart::new(Material::Sole, area).line(LineRank::Outline, 2, line).line(LineRank::Edge, 2, edge)
}

/// The lower edge of the sole, heel to toe.
fn ground(shoe: &Shoe, body: &Body) -> Vec<P2> {
    let tip = body.insole[body.insole.len() - 1];
    let roll = [tip[0] - 0.03, (tip[1] - body.ball * 0.8).max(0.012)];
    if matches!(shoe.heel, Heel::Flat | Heel::Wedge) {
        let lean = shoe.get(ShoeMeasure::HeelLean, -0.02, 0.04);
        let mut line = vec![[lean, 0.0]];
        line.extend(spline(&[
            [lean + 0.06, 0.0],
            [0.4, shoe.get(ShoeMeasure::HeelWidth, 0.0, 0.012)],
            [0.7, 0.0],
            [0.88, 0.004],
            roll,
        ]));
        return line;
    }
    let thin = 0.018;
    let width = heel_width(shoe);
    spline(&[
        [0.03, body.heel - thin],
        [width, at(&body.insole, width * 0.9)[1] - thin - 0.004],
        [0.46, at(&body.insole, 0.43)[1] * 0.8 - thin],
        [0.6, 0.012],
        [0.72, 0.0],
        [0.88, 0.004],
        roll,
    ])
}

fn heel_width(shoe: &Shoe) -> f32 {
    match shoe.heel {
        Heel::Stacked => shoe.get(ShoeMeasure::HeelWidth, 0.22, 0.32),
        Heel::Stiletto => shoe.get(ShoeMeasure::HeelWidth, 0.13, 0.18),
        _ => shoe.get(ShoeMeasure::HeelWidth, 0.16, 0.27),
    }
}

fn heel_part(shoe: &Shoe, body: &Body) -> Option<FigurePart> {
    let width = heel_width(shoe);
    let top = body.heel - 0.012;
    let lean = shoe.get(ShoeMeasure::HeelLean, -0.02, 0.06);
    let foot = match shoe.heel {
        Heel::Flat | Heel::Wedge => return None,
        Heel::Stacked => width - 0.02,
        Heel::Block => width * shoe.get(ShoeMeasure::HeelLean, 0.75, 1.0),
        Heel::Stiletto => shoe.get(ShoeMeasure::Throat, 0.022, 0.04),
        Heel::Cone => shoe.get(ShoeMeasure::HeelLean, 0.05, 0.09),
        Heel::Flared => width * 1.15,
    };
    let start = if shoe.heel == Heel::Stiletto { lean + 0.03 } else { lean.max(0.0) * 0.7 };
    let waist = if shoe.heel == Heel::Flared { width * 0.5 } else { mix([foot], [width], 0.22)[0] };
    let bulge = if shoe.heel == Heel::Stiletto { 0.4 } else { 0.5 };
    let back = spline(&[[0.015, top + 0.012], [start * 0.8, top * bulge], [start, 0.0]]);
    let inner = spline(&[[start + foot, 0.0], [start * 0.8 + waist, top * 0.45], [width, top - 0.012]]);
    let mut outline = back;
    outline.extend(inner);
    let area = outline.clone();
    Some(FigurePart::new(Material::Support, area).shade(0.92).line(LineRank::Outline, 3, outline))
}

impl Body {
    /// Whether laces or straps run down the vamp, and over which shares of it.
    pub(super) fn throat(&self, shoe: &Shoe) -> (f32, f32) {
        let end = shoe.get(ShoeMeasure::Throat, 0.42, 0.6);
        match (shoe.family, shoe.closure, shoe.strap) {
            (Family::Boot, Closure::Laces, _) => (0.03, end + 0.15),
            (_, _, Strap::TBar) => (0.0, 0.5),
            _ => (0.03, end),
        }
    }
}
