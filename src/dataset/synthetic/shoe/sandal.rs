//! Sandals: straps from the near to the far edge of a sole.

use super::super::curve::{P2, add, at, mix, part, spline};
use super::super::figure::{Part, Rank, Surface};
use super::body::Body;
use super::{Heel, Measure, Ornament, Shoe, Strap, detail};

/// All parts, in painting order.
pub(super) fn parts(shoe: &Shoe, body: &Body) -> Vec<Part> {
    let mut parts: Vec<Part> = body.parts(shoe).into_iter().filter(|p| matches!(p.surface, Surface::Sole | Surface::Support)).collect();
    let far = far_edge(body);
    let mut rest = body.insole.clone();
    rest.extend(far.iter().rev());
    parts.push(Part::new(Surface::Inside, rest).shade(1.05).line(Rank::Edge, 4, far.clone()));
    if shoe.counter || shoe.heel == Heel::Stiletto && shoe.strap == Strap::Ankle {
        parts.push(counter(shoe, body));
    }
    front_bands(shoe, body, &far, &mut parts);
    upper_straps(shoe, body, &far, &mut parts);
    if shoe.ornament != Ornament::None {
        let spot = arch(body, &far, 0.78, 0.1)[8];
        detail::ornament(shoe, spot, &mut parts);
    }
    parts
}

fn far_edge(body: &Body) -> Vec<P2> {
    let last = body.insole.len() - 1;
    let lift = |i: usize| {
        let t = i as f32 / last as f32;
        let round = (4.0 * t * (1.0 - t)).min(1.0);
        add(body.insole[i], [0.02 * round, (body.across[1] * 1.3 + 0.02) * round])
    };
    (0..=last).map(lift).collect()
}

/// A line over the foot from the near to the far edge at a share of the insole.
fn arch(body: &Body, far: &[P2], share: f32, high: f32) -> Vec<P2> {
    let (near, over) = (at(&body.insole, share), at(far, share + 0.04));
    let top = add(mix(near, over, 0.6), [0.0, high]);
    spline(&[near, [near[0] - 0.005, near[1] + high * 0.62], top, [over[0] + 0.004, over[1] + high * 0.45], over])
}

fn band(body: &Body, far: &[P2], from: (f32, f32), to: (f32, f32), group: u16) -> Part {
    let mut outline = arch(body, far, from.0, from.1);
    let front = arch(body, far, to.0, to.1);
    outline.extend(front.iter().rev());
    Part::drawn(Surface::Body, Rank::Edge, group, outline)
}

fn front_bands(shoe: &Shoe, body: &Body, far: &[P2], parts: &mut Vec<Part>) {
    let width = shoe.get(Measure::StrapWidth, 0.035, 0.085);
    let high = shoe.get(Measure::Instep, 0.07, 0.11);
    let start = shoe.get(Measure::FirstDetail, 0.6, 0.7);
    let crossed = shoe.welt;
    match shoe.rows {
        2 if !crossed => parts.push(band(body, far, (start - 0.04, high + 0.05), (start + width * 3.0, high * 0.7), 20)),
        n => {
            let n = n.min(4);
            let gap = (0.36 / n as f32).min(width * 2.2);
            for i in 0..n {
                let x = start + gap * i as f32;
                let lean = if crossed { 0.08 * if i % 2 == 0 { 1.0 } else { -1.0 } } else { 0.0 };
                let tall = high + 0.05 * (1.0 - i as f32 / n as f32);
                let group = 20 + i as u16;
                parts.push(skewed(body, far, x, width.min(gap * 0.7), tall, lean).regroup(group));
            }
        }
    }
}

fn skewed(body: &Body, far: &[P2], x: f32, width: f32, high: f32, lean: f32) -> Part {
    let slide = |points: Vec<P2>| -> Vec<P2> {
        let last = points.len() as f32 - 1.0;
        points.iter().enumerate().map(|(i, p)| [p[0] + lean * (i as f32 / last - 0.3), p[1]]).collect()
    };
    let mut outline = slide(arch(body, far, x, high));
    outline.extend(slide(arch(body, far, x + width, high * 0.9)).iter().rev());
    Part::drawn(Surface::Body, Rank::Edge, 20, outline)
}

impl Part {
    fn regroup(mut self, group: u16) -> Self {
        self.lines.iter_mut().for_each(|line| line.group = group);
        self
    }
}

fn counter(shoe: &Shoe, body: &Body) -> Part {
    let reach = shoe.get(Measure::ThirdDetail, 0.16, 0.34);
    let mut outline = body.back.clone();
    let top = outline[outline.len() - 1];
    let low = at(&body.insole, reach);
    outline.extend(spline(&[top, [mix(top, low, 0.5)[0] + 0.01, mix(top, low, 0.35)[1]], low]).into_iter().skip(1));
    let line = outline.clone();
    outline.extend(part(&body.insole, 0.0, reach).iter().rev());
    Part::new(Surface::Body, outline).line(Rank::Outline, 30, line)
}

fn upper_straps(shoe: &Shoe, body: &Body, far: &[P2], parts: &mut Vec<Part>) {
    let width = shoe.get(Measure::StrapWidth, 0.022, 0.045);
    match shoe.strap {
        Strap::Ankle => ankle(shoe, body, width, parts),
        Strap::TBar => {
            ankle(shoe, body, width, parts);
            let from = add(loop_centre(shoe, body), [0.13, 0.0]);
            let to = arch(body, far, 0.68, 0.1)[10];
            let line = spline(&[from, add(mix(from, to, 0.5), [-0.01, -0.02]), to]);
            parts.push(detail::ribbon(Surface::Body, &line, width * 0.6, Rank::Edge, 31));
        }
        Strap::Sling => {
            let from = at(&body.insole, 0.52);
            let back = [0.01, body.heel + 0.15];
            let line = spline(&[from, [0.2, body.heel + 0.1], back, [0.1, body.heel + 0.17], [0.3, body.heel + 0.12], at(far, 0.55)]);
            parts.push(detail::ribbon(Surface::Body, &line, width * 0.6, Rank::Edge, 31));
        }
        _ => {}
    }
}

fn loop_centre(shoe: &Shoe, body: &Body) -> P2 {
    [0.16, body.heel + shoe.get(Measure::Collar, 0.2, 0.34)]
}

/// The strap round the ankle: a flat ring, its far half behind.
fn ankle(shoe: &Shoe, body: &Body, width: f32, parts: &mut Vec<Part>) {
    let centre = loop_centre(shoe, body);
    let (a, b) = ([0.145, -0.02], [0.0, 0.045]);
    let whole = super::super::curve::ellipse(centre, a, b);
    let half = whole.len() / 2;
    let far: Vec<P2> = whole[..=half].to_vec();
    let mut near: Vec<P2> = whole[half..].to_vec();
    near.push(whole[0]);
    parts.push(detail::ribbon(Surface::Body, &far, width * 0.45, Rank::Edge, 32).shade(0.7));
    let post = spline(&[[0.03, body.heel + 0.05], [0.005, body.heel + 0.13], add(centre, [-0.14, 0.0])]);
    parts.push(detail::ribbon(Surface::Body, &post, width * 0.6, Rank::Edge, 33));
    parts.push(detail::ribbon(Surface::Body, &near, width * 0.6, Rank::Edge, 32));
    parts.push(detail::buckle(near[near.len() / 2], width * 0.8));
}
