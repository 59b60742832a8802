//! The base: what stands on the floor.

use super::super::curve::{P3, ellipse, mix, spline, superellipse};
use super::super::figure::{LineRank, Material};
use super::scene::{FaceLook, Scene};
use super::{Base, Chair, ChairMeasure, Stretcher};

/// Cosine and sine of 0, 72, 144, 216 and 288 degrees, turned by 18: a spoke points sideways on neither side.
const SPOKES: [[f32; 2]; 5] = [[0.951, 0.309], [0.0, 1.0], [-0.951, 0.309], [-0.588, -0.809], [0.588, -0.809]];

pub(super) fn add(chair: &Chair, scene: &mut Scene) {
    match chair.base {
        Base::Straight | Base::Splayed | Base::Cabriole => legs(chair, scene, 0.0),
        Base::Rocker => rocker(chair, scene),
        Base::Pedestal => pedestal(chair, scene),
        Base::Star => star(chair, scene),
        Base::Sled => sled(chair, scene),
        Base::Crossed => crossed(chair, scene),
        Base::Skirt => skirt(chair, scene),
    }
}

/// Where a leg starts under the seat and where it stands.
fn leg_ends(chair: &Chair, side: f32, front: f32, floor: f32) -> (P3, P3) {
    let (half, depth) = chair.half();
    let inset = match chair.base {
        Base::Straight | Base::Cabriole | Base::Rocker => 0.93,
        _ => chair.get(ChairMeasure::Taper, 0.6, 0.88),
    };
    let splay = match chair.base {
        Base::Splayed => chair.get(ChairMeasure::Splay, 0.04, 0.15),
        Base::Cabriole => 0.03,
        _ => chair.get(ChairMeasure::Splay, -0.01, 0.03),
    } * chair.height()
        * 2.0;
    let top = chair.height() - chair.thickness() * 0.5;
    let (x, y) = (side * half * inset, front * depth * inset);
    let rake = if front < 0.0 && chair.has_posts() { 0.04 } else { 0.0 };
    ([x, y, top], [x + side * splay, y + front * splay * 0.8 - rake, floor])
}

fn legs(chair: &Chair, scene: &mut Scene, floor: f32) {
    let thick = match chair.base {
        Base::Straight => chair.get(ChairMeasure::Leg, 0.014, 0.034),
        _ => chair.get(ChairMeasure::Leg, 0.014, 0.026),
    };
    let foot = match chair.base {
        Base::Splayed => chair.get(ChairMeasure::Bar, 0.45, 0.9),
        _ => 0.85,
    };
    for (n, (side, front)) in [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)].into_iter().enumerate() {
        let (top, end) = leg_ends(chair, side, front, floor);
        let line = if chair.base == Base::Cabriole {
            let out = |t: f32, push: f32| {
                [mix(top, end, t)[0] + side * push, mix(top, end, t)[1] + front * push * 0.7, mix(top, end, t)[2]]
            };
            spline(&[top, out(0.3, 0.035), out(0.72, -0.012), out(1.0, 0.025)])
        } else {
            spline(&[top, mix(top, end, 0.5), end])
        };
        let rear = front < 0.0;
        let rank = if rear { LineRank::Edge } else { LineRank::Outline };
        let look = FaceLook::new(Material::Support, rank, 60 + n as u16).bias(if rear { -0.25 } else { -0.1 });
        scene.bar(&line, |t| thick * (1.0 + (foot - 1.0) * t), look);
    }
    stretchers(chair, scene, floor);
}

fn stretchers(chair: &Chair, scene: &mut Scene, floor: f32) {
    let share =
        if chair.tall { chair.get(ChairMeasure::Bar, 0.5, 0.75) } else { chair.get(ChairMeasure::Bar, 0.3, 0.72) };
    let at = |side: f32, front: f32, share: f32| {
        let (top, end) = leg_ends(chair, side, front, floor);
        mix(top, end, share)
    };
    let thick = chair.get(ChairMeasure::Leg, 0.008, 0.015);
    let mut bar = |from: P3, to: P3, bias: f32, group: u16| {
        let look = FaceLook::new(Material::Support, LineRank::Detail, group).bias(bias);
        scene.bar(&spline(&[from, mix(from, to, 0.5), to]), |_| thick, look);
    };
    let sides = matches!(chair.stretcher, Stretcher::Box | Stretcher::Middle);
    if sides {
        bar(at(-1.0, 1.0, share), at(-1.0, -1.0, share), -0.2, 70);
        bar(at(1.0, 1.0, share), at(1.0, -1.0, share), -0.2, 70);
    }
    match chair.stretcher {
        Stretcher::Box => {
            let lower = (share + 0.08).min(0.9);
            bar(at(-1.0, 1.0, lower), at(1.0, 1.0, lower), -0.12, 71);
            bar(at(-1.0, -1.0, lower), at(1.0, -1.0, lower), -0.27, 71);
        }
        Stretcher::Middle => {
            let half = |side: f32| mix(at(side, 1.0, share), at(side, -1.0, share), 0.5);
            bar(half(-1.0), half(1.0), -0.2, 71);
        }
        Stretcher::Front => bar(at(-1.0, 1.0, share), at(1.0, 1.0, share), -0.12, 71),
        Stretcher::None => {}
    }
}

fn rocker(chair: &Chair, scene: &mut Scene) {
    legs(chair, scene, 0.055);
    let (_, depth) = chair.half();
    let long = depth * chair.get(ChairMeasure::Splay, 1.45, 1.9);
    for (n, side) in [-1.0, 1.0].into_iter().enumerate() {
        let (_, end) = leg_ends(chair, side, 1.0, 0.055);
        let x = end[0];
        let line = spline(&[
            [x, long * 0.85, 0.13],
            [x, depth * 0.7, 0.035],
            [x, 0.0, 0.012],
            [x, -depth * 0.9, 0.045],
            [x, -long * 1.1, 0.15],
        ]);
        let near = if chair.camera_side() * side > 0.0 { 0.1 } else { -0.3 };
        scene.bar(&line, |_| 0.016, FaceLook::new(Material::Support, LineRank::Outline, 74 + n as u16).bias(near));
    }
}

fn column(chair: &Chair, scene: &mut Scene, low: f32) {
    let thick = chair.get(ChairMeasure::Leg, 0.018, 0.04);
    let waist = chair.get(ChairMeasure::Taper, 0.7, 1.0);
    let line = spline(&[[0.0, 0.0, chair.height() - 0.01], [0.0, 0.0, (chair.height() + low) * 0.5], [0.0, 0.0, low]]);
    scene.bar(
        &line,
        |t| thick * (waist + (1.0 - waist) * t),
        FaceLook::new(Material::Support, LineRank::Outline, 60).bias(-0.15),
    );
}

fn pedestal(chair: &Chair, scene: &mut Scene) {
    let wide = chair.get(ChairMeasure::Splay, 0.15, 0.25);
    let high = chair.get(ChairMeasure::Bar, 0.012, 0.04);
    let disc = ellipse([0.0, 0.0, high], [wide, 0.0, 0.0], [0.0, wide, 0.0]);
    scene.slab(&disc, [0.0, 0.0, -high], FaceLook::new(Material::Support, LineRank::Outline, 61).bias(-0.4));
    column(chair, scene, high);
    if chair.tall {
        let r = wide * 0.75;
        let ring = ellipse([0.0, 0.0, chair.height() * 0.35], [r, 0.0, 0.0], [0.0, r, 0.0]);
        let mut closed = ring.clone();
        closed.push(ring[0]);
        scene.bar(&closed, |_| 0.008, FaceLook::new(Material::Metal, LineRank::Detail, 62).bias(-0.1));
    }
}

fn star(chair: &Chair, scene: &mut Scene) {
    let reach = chair.get(ChairMeasure::Splay, 0.22, 0.31);
    let hub = chair.get(ChairMeasure::Bar, 0.08, 0.13);
    let castors = chair.rows > 2;
    column(chair, scene, hub - 0.02);
    for (n, [x, y]) in SPOKES.into_iter().enumerate() {
        let end = [x * reach, y * reach, if castors { 0.055 } else { 0.015 }];
        let line = spline(&[[0.0, 0.0, hub], [x * reach * 0.5, y * reach * 0.5, (hub + end[2]) * 0.5 + 0.01], end]);
        scene.bar(&line, |t| 0.02 - 0.008 * t, FaceLook::new(Material::Support, LineRank::Outline, 61).bias(-0.12));
        if castors {
            let look = FaceLook::new(Material::Metal, LineRank::Detail, 63).bias(-0.11);
            scene.ball([end[0], end[1], 0.026], 0.026, look.bias(look.bias - 0.001 * n as f32));
        }
    }
}

fn sled(chair: &Chair, scene: &mut Scene) {
    let (half, depth) = chair.half();
    let thick = chair.get(ChairMeasure::Leg, 0.011, 0.019);
    let top = chair.height() - chair.thickness() * 0.6;
    let back = depth * chair.get(ChairMeasure::Splay, 0.7, 1.05);
    let closed = chair.rows > 3;
    for (n, side) in [-1.0, 1.0].into_iter().enumerate() {
        let x = side * half * 0.95;
        let mut through = vec![
            [x, depth * 0.2, top],
            [x, depth * 0.86, top],
            [x, depth * 0.96, top - 0.04],
            [x, depth * 1.0, top * 0.5],
            [x, depth * 1.0, 0.05],
            [x, depth * 0.9, 0.014],
            [x, 0.0, 0.012],
            [x, -back * 0.92, 0.012],
        ];
        if closed {
            through.extend([[x, -back, 0.05], [x, -back * 0.95, top * 0.5], [x, -back * 0.9, top]]);
        }
        let near = chair.camera_side() * side > 0.0;
        let look =
            FaceLook::new(Material::Metal, LineRank::Outline, 60 + n as u16).bias(if near { -0.1 } else { -0.3 });
        scene.bar(&spline(&through), |_| thick, look);
    }
    let y = -back * 0.9;
    let cross = spline(&[[-half * 0.95, y, 0.012], [0.0, y, 0.012], [half * 0.95, y, 0.012]]);
    scene.bar(&cross, |_| thick, FaceLook::new(Material::Metal, LineRank::Edge, 62).bias(-0.3));
}

fn crossed(chair: &Chair, scene: &mut Scene) {
    let (half, depth) = chair.half();
    let thick = chair.get(ChairMeasure::Leg, 0.013, 0.022);
    let top = chair.height() - 0.02;
    let wide = depth * chair.get(ChairMeasure::Splay, 0.85, 1.15);
    for (n, side) in [-1.0, 1.0].into_iter().enumerate() {
        let x = side * half * 0.95;
        let near = if chair.camera_side() * side > 0.0 { -0.1 } else { -0.3 };
        for front in [-1.0, 1.0] {
            let line = spline(&[[x, front * depth * 0.85, top], [x, 0.0, top * 0.48], [x, -front * wide, 0.0]]);
            let look = FaceLook::new(Material::Support, LineRank::Outline, 60 + n as u16).bias(near + 0.01 * front);
            scene.bar(&line, |_| thick, look);
        }
    }
    let y = wide * 0.8;
    let z = top * 0.12;
    let bar = spline(&[[-half * 0.95, y, z], [0.0, y, z], [half * 0.95, y, z]]);
    scene.bar(&bar, |_| thick * 0.7, FaceLook::new(Material::Support, LineRank::Detail, 70).bias(-0.1));
}

/// A box from the seat down, on low feet.
fn skirt(chair: &Chair, scene: &mut Scene) {
    let (half, depth) = chair.half();
    let feet = chair.feet();
    let top = chair.height() - 0.05;
    let face = superellipse([0.0, 0.0, top], [half, 0.0, 0.0], [0.0, depth, 0.0], 1.2);
    scene.slab(&face, [0.0, 0.0, feet - top], FaceLook::new(Material::Pad, LineRank::Outline, 60).bias(-0.08));
    for (n, (side, front)) in [(-1.0, 1.0), (1.0, 1.0), (chair.camera_side(), -1.0)].into_iter().enumerate() {
        let line =
            [[side * half * 0.9, front * depth * 0.88, feet + 0.02], [side * half * 0.9, front * depth * 0.88, 0.0]];
        scene.bar(&line, |_| 0.022, FaceLook::new(Material::Support, LineRank::Edge, 64 + n as u16).bias(-0.35));
    }
}
