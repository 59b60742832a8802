//! Sandals: straps from the near to the far edge of a sole.

use super::super::curve::{P2, add, at, mix, part, spline};
use super::super::figure::{FigurePart, LineRank, Material};
use super::body::Body;
use super::{Ornament, Shoe, ShoeMeasure, Strap, detail};

/// All parts, in painting order.
pub(super) fn parts(shoe: &Shoe, body: &Body) -> Vec<FigurePart> {
    let mut parts: Vec<FigurePart> =
        body.parts(shoe).into_iter().filter(|p| matches!(p.surface, Material::Sole | Material::Support)).collect();
    let far = far_edge(body);
    let mut rest = body.insole.clone();
    rest.extend(far.iter().rev());
    parts.push(FigurePart::new(Material::Inside, rest).shade(1.05).line(LineRank::Edge, 4, far.clone()));
    if shoe.counter || matches!(shoe.strap, Strap::Ankle | Strap::TBar) {
        parts.push(counter(shoe, body));
    }
    front_bands(shoe, body, &mut parts);
    upper_straps(shoe, body, &far, &mut parts);
    if shoe.ornament != Ornament::None {
        let spot = add(crest(shoe, body, 0.76), [-0.01, -0.02]);
        detail::ornament(shoe, spot, &mut parts);
    }
    parts
}

fn far_edge(body: &Body) -> Vec<P2> {
    let last = body.insole.len() - 1;
    let lift = |i: usize| {
        let t = i as f32 / last as f32;
        let round = (4.0 * t * (1.0 - t)).min(1.0);
        add(body.insole[i], [0.07 * round, (body.across[1] * 0.9 + 0.055) * round])
    };
    (0..=last).map(lift).collect()
}

/// Height of the foot over the insole at a share of it: falls from the instep to the toes.
fn instep(shoe: &Shoe, share: f32) -> f32 {
    let low = shoe.get(ShoeMeasure::ToeHeight, 0.07, 0.11);
    low + (0.97 - share).max(0.0) * shoe.get(ShoeMeasure::Instep, 0.28, 0.4)
}

/// The crest of the foot over a share of the insole.
fn crest(shoe: &Shoe, body: &Body, share: f32) -> P2 {
    add(at(&body.insole, share), [-0.015, instep(shoe, share)])
}

/// A strap from the near edge over the crest: where it starts and ends on the sole, and how far it leans at the crest.
fn band(shoe: &Shoe, body: &Body, (from, to): (f32, f32), lean: f32, group: u16, parts: &mut Vec<FigurePart>) {
    let side = |share: f32, over: f32| {
        let (low, high) = (at(&body.insole, share), crest(shoe, body, share + over));
        spline(&[low, add(mix(low, high, 0.55), [(high[0] - low[0]) * -0.12 - 0.008, 0.012]), high])
    };
    let (rear, front) = (side(from, lean + 0.02), side(to, lean - 0.01));
    let top = spline(&[
        rear[rear.len() - 1],
        add(mix(rear[rear.len() - 1], front[front.len() - 1], 0.5), [0.0, 0.008]),
        front[front.len() - 1],
    ]);
    let mut outline = rear;
    outline.extend(top.iter().skip(1));
    outline.extend(front.iter().rev().skip(1));
    let line = outline.clone();
    outline.extend(part(&body.insole, from, to).iter().rev());
    let behind = outline.iter().map(|p| add(*p, [0.045, 0.012])).collect();
    parts.insert(0, FigurePart::new(Material::Inside, behind).shade(0.7));
    parts.push(FigurePart::new(Material::Body, outline).line(LineRank::Edge, group, line));
}

fn front_bands(shoe: &Shoe, body: &Body, parts: &mut Vec<FigurePart>) {
    let start = shoe.get(ShoeMeasure::FirstDetail, 0.52, 0.62);
    let end = shoe.get(ShoeMeasure::SecondDetail, 0.84, 0.93);
    let n = if shoe.stitches { 1 } else { shoe.rows.min(4) - 1 };
    let each = (end - start) / n as f32;
    let share = if n == 1 { 1.0 } else { shoe.get(ShoeMeasure::StrapWidth, 0.45, 0.8) };
    for i in 0..n {
        let from = start + each * i as f32;
        let lean = if !shoe.welt {
            shoe.get(ShoeMeasure::ThirdDetail, -0.06, 0.04)
        } else if i % 2 == 0 {
            0.11
        } else {
            -0.11
        };
        band(shoe, body, (from, from + each * share), lean, 20 + i as u16, parts);
    }
}

fn counter(shoe: &Shoe, body: &Body) -> FigurePart {
    let reach = shoe.get(ShoeMeasure::ThirdDetail, 0.16, 0.34);
    let mut outline = body.back.clone();
    let top = outline[outline.len() - 1];
    let low = at(&body.insole, reach);
    outline.extend(spline(&[top, [mix(top, low, 0.5)[0] + 0.01, mix(top, low, 0.35)[1]], low]).into_iter().skip(1));
    let line = outline.clone();
    outline.extend(part(&body.insole, 0.0, reach).iter().rev());
    FigurePart::new(Material::Body, outline).line(LineRank::Outline, 30, line)
}

fn upper_straps(shoe: &Shoe, body: &Body, far: &[P2], parts: &mut Vec<FigurePart>) {
    let width = shoe.get(ShoeMeasure::StrapWidth, 0.022, 0.045);
    match shoe.strap {
        Strap::Ankle => ankle(shoe, body, width, parts),
        Strap::TBar => {
            ankle(shoe, body, width, parts);
            let from = add(loop_centre(shoe, body), [0.13, 0.0]);
            let to = crest(shoe, body, 0.64);
            let line = spline(&[from, add(mix(from, to, 0.5), [-0.01, -0.02]), to]);
            parts.push(detail::ribbon(Material::Body, &line, width * 0.6, LineRank::Edge, 31));
        }
        Strap::Sling => {
            let from = at(&body.insole, 0.52);
            let back = [0.01, body.heel + 0.15];
            let line = spline(&[
                from,
                [0.2, body.heel + 0.1],
                back,
                [0.1, body.heel + 0.17],
                [0.3, body.heel + 0.12],
                at(far, 0.55),
            ]);
            parts.push(detail::ribbon(Material::Body, &line, width * 0.6, LineRank::Edge, 31));
        }
        _ => {}
    }
}

fn loop_centre(shoe: &Shoe, body: &Body) -> P2 {
    [0.15, body.heel + shoe.get(ShoeMeasure::Collar, 0.17, 0.28)]
}

/// The strap round the ankle: a flat ring, its far half behind.
fn ankle(shoe: &Shoe, body: &Body, width: f32, parts: &mut Vec<FigurePart>) {
    let centre = loop_centre(shoe, body);
    let (a, b) = ([0.145, -0.02], [0.0, 0.045]);
    let whole = super::super::curve::ellipse(centre, a, b);
    let half = whole.len() / 2;
    let far: Vec<P2> = whole[..=half].to_vec();
    let mut near: Vec<P2> = whole[half..].to_vec();
    near.push(whole[0]);
    parts.push(detail::ribbon(Material::Body, &far, width * 0.45, LineRank::Edge, 32).shade(0.7));
    let post = spline(&[[0.03, body.heel + 0.05], [0.005, body.heel + 0.13], add(centre, [-0.14, 0.0])]);
    parts.push(detail::ribbon(Material::Body, &post, width * 0.6, LineRank::Edge, 33));
    parts.push(detail::ribbon(Material::Body, &near, width * 0.6, LineRank::Edge, 32));
    parts.push(detail::buckle(near[near.len() / 2], width * 0.8));
}
