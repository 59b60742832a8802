//! Details that distinguish shoes: laces, straps, caps, panels, ornaments.

use super::super::curve::{P2, at, ellipse, mix, part, scale, spline, strip, sub};
use super::super::figure::{FigurePart, LineRank, Material, close};
use super::body::Body;
use super::{Cap, Closure, Family, Ornament, Shoe, ShoeMeasure, SidePattern, Strap};

/// Adds all details of a closed shoe, in painting order.
pub(super) fn add(shoe: &Shoe, body: &Body, parts: &mut Vec<FigurePart>) {
    cap(shoe, body, parts);
    counter(shoe, body, parts);
    side(shoe, body, parts);
    closure(shoe, body, parts);
    strap(shoe, body, parts);
    sole(shoe, body, parts);
    let spot = at(&body.vamp, if shoe.family == Family::Low { 0.3 } else { 0.12 });
    match shoe.ornament {
        Ornament::Cuff => cuff(shoe, body, parts),
        Ornament::PullTab => pull_tab(body, parts),
        Ornament::Belt => belt(shoe, body, parts),
        _ => ornament(shoe, add_(spot, [-0.015, -0.02]), parts),
    }
}

fn add_(a: P2, b: P2) -> P2 {
    super::super::curve::add(a, b)
}

/// A band along a line.
pub(super) fn ribbon(surface: Material, line: &[P2], half: f32, rank: LineRank, group: u16) -> FigurePart {
    let outline = strip(line, |_| half);
    let mut part = FigurePart::drawn(surface, rank, group, outline);
    part.lines[0].short = Some(line.to_vec());
    part
}

/// A small frame of metal.
pub(super) fn buckle(at: P2, half: f32) -> FigurePart {
    let corner = |x: f32, y: f32| [at[0] + x * half * 0.8, at[1] + y * half];
    let outline = vec![corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)];
    let mut part = FigurePart::drawn(Material::Metal, LineRank::Detail, 40, outline);
    let hole = |p: &P2| mix(at, *p, 0.5);
    part.faces.push((part.area.iter().map(hole).collect(), 0.45));
    part
}

fn cap(shoe: &Shoe, body: &Body, parts: &mut Vec<FigurePart>) {
    let start = shoe.get(ShoeMeasure::FirstDetail, 0.74, 0.86);
    let piece = |start: f32, bend: f32| {
        let seam = body.seam(start, start, bend);
        let mut area = part(&body.vamp, start, 1.0);
        area.extend(part(&body.insole, start, 1.0).iter().rev());
        area.extend(seam.iter().rev());
        FigurePart::new(Material::Accent, area).line(LineRank::Detail, 10, seam).flat()
    };
    match shoe.cap {
        Cap::None => {}
        Cap::Straight => parts.push(piece(start, 0.025)),
        Cap::Wing => parts.push(piece(start, -0.07)),
        Cap::Double => parts.extend([piece(start - 0.03, 0.025), piece(start + 0.02, 0.025)]),
        Cap::Apron => {
            let from = at(&body.vamp, 0.5);
            let low = at(&body.insole, 0.72);
            let end = at(&body.vamp, 0.95);
            let line =
                spline(&[from, mix(from, low, 0.45), add_(mix(low, end, 0.5), [0.0, 0.035]), add_(end, [-0.01, 0.0])]);
            parts.push(FigurePart::new(Material::Body, close(&line)).line(LineRank::Detail, 10, line).flat());
        }
    }
}

fn counter(shoe: &Shoe, body: &Body, parts: &mut Vec<FigurePart>) {
    if !shoe.counter {
        return;
    }
    let share = if shoe.family == Family::Boot { 0.35 } else { 0.8 };
    let reach = shoe.get(ShoeMeasure::SecondDetail, 0.17, 0.3);
    let (from, to) = (at(&body.back, share), at(&body.insole, reach));
    let bend = add_(mix(from, to, 0.5), [0.03, 0.03]);
    let seam = spline(&[from, bend, to]);
    let mut area = part(&body.back, 0.0, share);
    area.extend(seam.iter().skip(1));
    area.extend(part(&body.insole, 0.0, reach).iter().rev());
    parts.push(FigurePart::new(Material::Accent, area).line(LineRank::Detail, 11, seam).flat());
}

/// A point of the side: along the shoe, and up from insole to the upper's edge.
fn spot(body: &Body, along: f32, up: f32) -> P2 {
    let low = at(&body.insole, along);
    let high = top_over(body, low[0]);
    [low[0], low[1] + (high - low[1]) * up]
}

/// Height of the upper's edge over a place.
fn top_over(body: &Body, x: f32) -> f32 {
    let edge = body.topline.iter().chain(&body.vamp);
    let near = edge.min_by(|a, b| (a[0] - x).abs().total_cmp(&(b[0] - x).abs()));
    near.map_or(0.2, |p| p[1])
}

fn side(shoe: &Shoe, body: &Body, parts: &mut Vec<FigurePart>) {
    let start = shoe.get(ShoeMeasure::SecondDetail, 0.36, 0.46);
    match shoe.side {
        SidePattern::Plain => {}
        SidePattern::Stripes => {
            let n = shoe.rows.clamp(2, 4);
            let lean = shoe.get(ShoeMeasure::ThirdDetail, -0.06, 0.12);
            for i in 0..n {
                let x = start + 0.075 * i as f32;
                let line = vec![spot(body, x, 0.04), add_(spot(body, x + lean, 0.74), [0.0, -0.01])];
                parts.push(ribbon(Material::Accent, &line, 0.016, LineRank::Detail, 12).flat());
            }
        }
        SidePattern::Swoosh => {
            let rise = shoe.get(ShoeMeasure::ThirdDetail, 0.4, 0.75);
            let (tail, bow, head) = (spot(body, 0.16, rise), spot(body, start + 0.12, 0.14), spot(body, 0.7, 0.5));
            let lower = spline(&[tail, bow, head]);
            let upper = spline(&[head, add_(bow, [-0.015, 0.06]), tail]);
            let area = [lower, upper].concat();
            parts.push(FigurePart::drawn(Material::Accent, LineRank::Detail, 12, area).flat());
        }
        SidePattern::Panel => {
            let (a, b) = (at(&body.topline, 0.55), at(&body.insole, start + 0.05));
            let (c, d) = (at(&body.vamp, 0.3), at(&body.insole, 0.62));
            let front = spline(&[c, add_(mix(c, d, 0.5), [-0.02, 0.0]), d]);
            let back = spline(&[b, add_(mix(a, b, 0.5), [shoe.get(ShoeMeasure::ThirdDetail, -0.06, 0.06), 0.0]), a]);
            let mut area = front.clone();
            area.extend(back.iter().copied());
            parts.push(
                FigurePart::new(Material::Accent, area)
                    .line(LineRank::Detail, 12, back)
                    .line(LineRank::Detail, 13, front)
                    .flat(),
            );
        }
        SidePattern::Disc => {
            let r = shoe.get(ShoeMeasure::ThirdDetail, 0.045, 0.08);
            let area = ellipse(spot(body, 0.22, 0.62), [r, 0.0], [0.0, r]);
            parts.push(FigurePart::drawn(Material::Accent, LineRank::Detail, 12, area).flat());
        }
        SidePattern::Zigzag => {
            let low = |x: f32| spot(body, x, 0.12);
            let high = |x: f32| spot(body, x, 0.72);
            let wide = shoe.get(ShoeMeasure::ThirdDetail, 0.07, 0.11);
            let line = vec![low(start), high(start + wide), low(start + 2.0 * wide), high(start + 3.0 * wide)];
            parts.push(ribbon(Material::Accent, &line, 0.012, LineRank::Detail, 12).flat());
        }
    }
}

fn closure(shoe: &Shoe, body: &Body, parts: &mut Vec<FigurePart>) {
    let (from, to) = body.throat(shoe);
    match shoe.closure {
        Closure::None => {}
        Closure::Laces => laces(shoe, body, from, to, parts),
        Closure::Velcro | Closure::Buckle => {
            let n = if shoe.closure == Closure::Velcro { shoe.rows.clamp(1, 3) } else { 1 + shoe.rows / 4 };
            let width = shoe.get(ShoeMeasure::StrapWidth, 0.022, 0.04);
            for i in 0..n {
                let share = from + (to - from) * (0.25 + i as f32 / n as f32 * 0.8);
                let top = at(&body.vamp, share);
                let end = add_(top, [-0.14, -0.08]);
                let line = spline(&[add_(top, [0.005, 0.004]), mix(top, end, 0.5), end]);
                parts.push(ribbon(Material::Trim, &line, width, LineRank::Detail, 14 + i as u16));
                if shoe.closure == Closure::Buckle {
                    parts.push(buckle(mix(top, end, 0.75), width * 1.3));
                }
            }
        }
        Closure::Zip => {
            let x = shoe.get(ShoeMeasure::FirstDetail, 0.35, 0.65);
            let top = at(&body.topline, x);
            let foot = [top[0] * 0.6 + 0.1, body.heel + 0.07];
            let line = spline(&[top, add_(mix(top, foot, 0.6), [-0.01, 0.0]), foot]);
            parts.push(ribbon(Material::Metal, &line, 0.009, LineRank::Detail, 14).flat());
        }
        Closure::Gore => {
            let (a, b) = (at(&body.topline, 0.3), at(&body.topline, 0.72));
            let foot = [mix(a, b, 0.55)[0] + 0.02, body.heel + shoe.get(ShoeMeasure::FirstDetail, 0.08, 0.2)];
            let left = spline(&[a, mix(a, add_(foot, [-0.03, 0.0]), 0.5), add_(foot, [-0.03, 0.0])]);
            let right = spline(&[add_(foot, [0.03, 0.0]), mix(b, add_(foot, [0.03, 0.0]), 0.5), b]);
            let line = [left, right].concat();
            parts.push(
                FigurePart::new(Material::Accent, line.clone()).shade(0.75).line(LineRank::Detail, 14, line).flat(),
            );
        }
    }
}

/// A facing along the vamp with short bars over it.
fn laces(shoe: &Shoe, body: &Body, from: f32, to: f32, parts: &mut Vec<FigurePart>) {
    let edge = part(&body.vamp, from, to);
    let depth = shoe.get(ShoeMeasure::SecondDetail, 0.05, 0.1);
    let inner: Vec<P2> = inset(&edge, depth);
    let mut area = edge.clone();
    area.extend(inner.iter().rev());
    let mut seam = inner.clone();
    seam.push(edge[edge.len() - 1]);
    parts.push(FigurePart::new(Material::Accent, area).line(LineRank::Detail, 14, seam).flat());
    if shoe.family == Family::Sneaker {
        tongue(body, parts);
    }
    let n = shoe.rows + if shoe.family == Family::Boot { 3 } else { 2 };
    for i in 0..n {
        let share = (i as f32 + 0.5) / n as f32;
        let (a, b) = (at(&edge, share), at(&inner, share));
        let line = vec![add_(a, scale(sub(a, b), 0.12)), mix(a, b, 0.8)];
        parts.push(ribbon(Material::Trim, &line, 0.008, LineRank::Fine, 15).flat());
    }
}

/// The line moved to the inside (down and back) of the shoe.
fn inset(edge: &[P2], depth: f32) -> Vec<P2> {
    let last = edge.len() - 1;
    let inward = |i: usize| {
        let along = sub(edge[(i + 1).min(last)], edge[i.saturating_sub(1)]);
        let long = (along[0] * along[0] + along[1] * along[1]).sqrt().max(1e-6);
        let taper = 0.55 + 0.45 * (1.0 - i as f32 / last as f32);
        add_(edge[i], scale([along[1] / long, -along[0] / long], depth * taper))
    };
    (0..=last).map(inward).collect()
}

fn tongue(body: &Body, parts: &mut Vec<FigurePart>) {
    let front = body.topline[body.topline.len() - 1];
    let line = spline(&[
        add_(front, [-0.05, -0.015]),
        add_(front, [-0.055, 0.06]),
        add_(front, [0.0, 0.055]),
        add_(front, [0.035, -0.02]),
    ]);
    parts.insert(0, FigurePart::new(Material::Trim, line.clone()).line(LineRank::Edge, 16, line));
}

fn strap(shoe: &Shoe, body: &Body, parts: &mut Vec<FigurePart>) {
    let width = shoe.get(ShoeMeasure::StrapWidth, 0.014, 0.034);
    let place = shoe.get(ShoeMeasure::SecondDetail, 0.4, 0.6);
    let foot = at(&body.topline, place);
    let over = |foot: P2, high: f32, reach: f32| {
        spline(&[add_(foot, [0.0, -0.02]), add_(foot, [reach * 0.25, high * 0.75]), add_(foot, [reach * 0.7, high])])
    };
    match shoe.strap {
        Strap::Instep => {
            let line = over(foot, 0.12, 0.1);
            parts.push(ribbon(Material::Body, &line, width, LineRank::Edge, 17));
            parts.push(buckle(at(&line, 0.4), width * 1.2));
        }
        Strap::Ankle | Strap::TBar => {
            let back = body.back[body.back.len() - 1];
            let centre = add_(back, [0.135, shoe.get(ShoeMeasure::ThirdDetail, 0.03, 0.12)]);
            let ring = ellipse(centre, [0.135, -0.015], [0.0, 0.04]);
            let half = ring.len() / 2;
            parts.insert(0, ribbon(Material::Body, &ring[..=half], width * 0.7, LineRank::Edge, 17).shade(0.7));
            parts.push(ribbon(
                Material::Body,
                &spline(&[add_(back, [0.01, -0.03]), ring[half]]),
                width,
                LineRank::Edge,
                18,
            ));
            let near = [&ring[half..], &ring[..1]].concat();
            if shoe.strap == Strap::TBar {
                let from = add_(centre, [0.12, -0.01]);
                let to = body.topline[body.topline.len() - 1];
                let bar = spline(&[from, add_(mix(from, to, 0.5), [0.0, 0.02]), to]);
                parts.push(ribbon(Material::Body, &bar, width * 0.8, LineRank::Edge, 19));
            }
            parts.push(ribbon(Material::Body, &near, width, LineRank::Edge, 17));
            parts.push(buckle(at(&near, 0.5), width * 1.2));
        }
        Strap::Sling | Strap::None => {}
    }
}

fn sole(shoe: &Shoe, body: &Body, parts: &mut Vec<FigurePart>) {
    if shoe.welt && body.ball > 0.03 {
        let drop = |p: &P2| [p[0] + 0.003, p[1] * 0.5];
        let line: Vec<P2> = part(&body.insole, 0.03, 0.97).iter().map(drop).collect();
        let over = strip(&line, |_| 0.008);
        parts.push(FigurePart::new(Material::Accent, over).line(LineRank::Detail, 21, line).flat());
    }
    if shoe.tread {
        let n = 7 + shoe.rows;
        for i in 0..n {
            let x = 0.1 + 0.75 * i as f32 / n as f32;
            let area = vec![
                [x, -0.004],
                [x + 0.012, body.ball * 0.35 + 0.004],
                [x + 0.035, body.ball * 0.35 + 0.004],
                [x + 0.045, -0.004],
            ];
            let line = area.clone();
            parts.push(FigurePart::new(Material::Inside, area).shade(0.4).line(LineRank::Fine, 22, line).flat());
        }
    }
    if shoe.stitches {
        let lifted: Vec<P2> = part(&body.insole, 0.05, 0.95).iter().map(|p| add_(*p, [0.0, 0.03])).collect();
        for i in 0..11 {
            let share = (i as f32 + 0.3) / 11.0;
            let dash = part(&lifted, share, share + 0.045);
            parts.push(FigurePart::new(Material::Trim, strip(&dash, |_| 0.004)).line(LineRank::Fine, 23, dash).flat());
        }
    }
}

fn cuff(shoe: &Shoe, body: &Body, parts: &mut Vec<FigurePart>) {
    let deep = shoe.get(ShoeMeasure::SecondDetail, 0.06, 0.17);
    let low = add_(body.topline[0], [-0.03, -deep]);
    let high = add_(body.topline[0], [-0.025, 0.01]);
    let last = body.topline[body.topline.len() - 1];
    let (front, end) = (add_(last, [0.025, 0.01]), add_(last, [0.035, -deep]));
    let mut outline = vec![low, high];
    outline.extend(body.topline.iter().skip(1).map(|p| add_(*p, [0.0, 0.008])).take(body.topline.len() - 2));
    outline.extend([front, end]);
    outline.extend(spline(&[end, add_(mix(end, low, 0.5), [0.0, -0.025]), low]));
    parts.push(FigurePart::drawn(Material::Accent, LineRank::Edge, 24, outline));
}

fn pull_tab(body: &Body, parts: &mut Vec<FigurePart>) {
    let top = body.topline[0];
    let line = spline(&[
        add_(top, [0.012, -0.06]),
        add_(top, [-0.028, -0.02]),
        add_(top, [-0.022, 0.035]),
        add_(top, [0.03, 0.0]),
    ]);
    parts.push(FigurePart::new(Material::Trim, line.clone()).line(LineRank::Detail, 24, line));
}

/// A belt with a buckle round the ankle of a boot.
fn belt(shoe: &Shoe, body: &Body, parts: &mut Vec<FigurePart>) {
    let share = shoe.get(ShoeMeasure::ThirdDetail, 0.35, 0.85);
    let from = at(&body.back, share);
    let cut = body.vamp.iter().min_by(|a, b| (a[1] - from[1]).abs().total_cmp(&(b[1] - from[1]).abs()));
    let to = cut.map_or([0.4, from[1]], |p| add_(*p, [0.0, 0.01]));
    let line = spline(&[from, add_(mix(from, to, 0.5), [0.0, -0.025]), to]);
    let half = shoe.get(ShoeMeasure::StrapWidth, 0.015, 0.03);
    parts.push(ribbon(Material::Trim, &line, half, LineRank::Detail, 24));
    parts.push(buckle(at(&line, 0.45), half * 1.5));
}

/// A bow, buckle, tassel or disc at a place.
pub(super) fn ornament(shoe: &Shoe, spot: P2, parts: &mut Vec<FigurePart>) {
    let size = shoe.get(ShoeMeasure::ThirdDetail, 0.035, 0.065);
    match shoe.ornament {
        Ornament::Bow => {
            for sign in [-1.0, 1.0] {
                let p = |x: f32, y: f32| add_(spot, [x * size * sign, y * size]);
                let wing = spline(&[p(0.0, 0.0), p(1.1, 0.9), p(1.5, 0.1), p(1.1, -0.7), p(0.0, 0.0)]);
                parts.push(FigurePart::drawn(Material::Trim, LineRank::Detail, 25, wing));
            }
            let knot = ellipse(spot, [size * 0.3, 0.0], [0.0, size * 0.35]);
            parts.push(FigurePart::drawn(Material::Trim, LineRank::Fine, 25, knot).shade(0.9));
        }
        Ornament::Buckle => parts.push(buckle(spot, size)),
        Ornament::Tassel => {
            let p = |x: f32, y: f32| add_(spot, [x * size, y * size]);
            parts.push(FigurePart::drawn(
                Material::Trim,
                LineRank::Detail,
                25,
                vec![p(-0.3, 0.3), p(0.3, 0.3), p(0.9, -1.3), p(-0.9, -1.3)],
            ));
        }
        Ornament::Disc => {
            let area = ellipse(spot, [size, 0.0], [0.0, size]);
            let ring = ellipse(spot, [size * 0.5, 0.0], [0.0, size * 0.5]);
            let mut part = FigurePart::drawn(Material::Accent, LineRank::Detail, 25, area);
            part.faces.push((ring, 0.7));
            parts.push(part);
        }
        _ => {}
    }
}
