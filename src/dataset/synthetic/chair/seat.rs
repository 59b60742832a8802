//! Seat, cushion and arms.

use super::super::curve::{P3, spline, superellipse};
use super::super::figure::{LineRank, Material};
use super::scene::{FaceLook, Scene};
use super::{Arms, Back, Base, Chair, ChairMeasure, Seat};

pub(super) fn add(chair: &Chair, scene: &mut Scene) {
    let top = chair.height();
    let thick = chair.thickness();
    let padded = chair.base == Base::Skirt || chair.seam;
    let surface = if padded { Material::Pad } else { Material::Body };
    scene.slab(&outline(chair, top, 1.0), [0.0, 0.0, -thick], FaceLook::new(surface, LineRank::Outline, 1));
    let mut level = top;
    if chair.cushion && chair.seat != Seat::Round {
        let high = chair.get(ChairMeasure::Cushion, 0.03, if chair.base == Base::Skirt { 0.13 } else { 0.08 });
        level += high;
        cushions(chair, scene, level, high);
    } else if chair.cushion {
        level += 0.045;
        scene.slab(
            &outline(chair, level, 0.93),
            [0.0, 0.0, -0.045],
            FaceLook::new(Material::Pad, LineRank::Outline, 2).bias(0.03),
        );
    }
    if chair.buttons && padded {
        buttons(chair, scene, level);
    }
    arms(chair, scene, top);
}

/// The seat's outline at a height, scaled.
fn outline(chair: &Chair, z: f32, scale: f32) -> Vec<P3> {
    let (half, depth) = chair.half();
    let handle = match chair.seat {
        Seat::Square => 1.2,
        Seat::Soft => 0.95,
        Seat::Round => 0.56,
    };
    let narrow = if chair.seat == Seat::Square || chair.wide { 0.0 } else { chair.get(ChairMeasure::Taper, 0.0, 0.25) };
    let round = superellipse([0.0, 0.0, z], [half * scale, 0.0, 0.0], [0.0, depth * scale, 0.0], handle);
    round.into_iter().map(|p| [p[0] * (1.0 + narrow * p[1] / depth - narrow * 0.5), p[1], p[2]]).collect()
}

fn cushions(chair: &Chair, scene: &mut Scene, level: f32, high: f32) {
    let (half, depth) = chair.half();
    let n = if chair.wide { chair.rows.clamp(2, 3) } else { 1 };
    let inset = if chair.arms == Arms::Block { block(chair) } else { 0.01 };
    let width = (half - inset) * 2.0 / n as f32;
    for i in 0..n {
        let x = -half + inset + width * (i as f32 + 0.5);
        let face = superellipse([x, 0.01, level], [width * 0.49, 0.0, 0.0], [0.0, depth * 0.96, 0.0], 1.1);
        scene.slab(&face, [0.0, 0.0, -high], FaceLook::new(Material::Pad, LineRank::Outline, 2 + i as u16).bias(0.03));
    }
}

fn buttons(chair: &Chair, scene: &mut Scene, level: f32) {
    let (half, depth) = chair.half();
    let n = chair.rows.min(4);
    for i in 0..n {
        let x = half * 1.3 * ((i as f32 + 0.5) / n as f32 - 0.5);
        let look = FaceLook::new(Material::Trim, LineRank::Fine, 6).bias(0.3);
        scene.ball([x, depth * 0.1, level], 0.012, look);
    }
}

/// Width of an upholstered arm.
fn block(chair: &Chair) -> f32 {
    chair.get(ChairMeasure::ArmReach, 0.07, 0.15)
}

fn arms(chair: &Chair, scene: &mut Scene, top: f32) {
    let (half, depth) = chair.half();
    let high = top
        + if chair.arms == Arms::Block {
            chair.get(ChairMeasure::ArmHeight, 0.12, 0.22)
        } else {
            chair.get(ChairMeasure::ArmHeight, 0.15, 0.27)
        };
    let reach = depth * chair.get(ChairMeasure::ArmReach, 0.35, 0.95);
    let thick = chair.get(ChairMeasure::Leg, 0.013, 0.024);
    for (n, side) in [-1.0, 1.0].into_iter().enumerate() {
        let x = side * half;
        let near = chair.camera_side() * side > 0.0;
        let look = FaceLook::new(Material::Body, LineRank::Edge, 10 + n as u16).bias(if near { 0.25 } else { 0.0 });
        match chair.arms {
            Arms::None => {}
            Arms::Post => {
                let post = spline(&[[x, reach * 0.85, top], [x * 1.04, reach * 0.85, high]]);
                scene.bar(&post, |_| thick, look);
                let rail = spline(&[
                    [x * 0.98, -depth, high + 0.01],
                    [x * 1.06, 0.0, high + 0.015],
                    [x * 1.04, reach + 0.03, high],
                ]);
                scene.bar(&rail, |_| thick * 1.25, look.bias(look.bias + 0.02));
            }
            Arms::Loop => {
                let y = depth;
                let line = spline(&[
                    [x, -y * 0.5, top - 0.02],
                    [x * 1.16, -y * 0.55, high - 0.08],
                    [x * 1.18, -y * 0.3, high],
                    [x * 1.18, reach * 0.7, high],
                    [x * 1.16, reach * 0.95, high - 0.07],
                    [x, reach * 0.6, top - 0.02],
                ]);
                scene.bar(&line, |_| thick * 0.95, look);
            }
            Arms::Block => {
                let wide = block(chair);
                let low = if chair.base == Base::Skirt { chair.feet() } else { top - 0.08 };
                let round = if chair.seam { 0.85 } else { 1.2 };
                let centre = [x - side * wide * 0.5, depth, (low + high) * 0.5];
                let face = superellipse(centre, [wide * 0.5, 0.0, 0.0], [0.0, 0.0, (high - low) * 0.5], round);
                let push = [0.0, -2.0 * depth, 0.0];
                scene.slab(
                    &face,
                    push,
                    FaceLook::new(Material::Pad, LineRank::Outline, 10 + n as u16).bias(if near {
                        -depth + 0.12
                    } else {
                        -depth + 0.06
                    }),
                );
            }
        }
    }
}

impl Chair {
    /// The sign of x of the side nearer to the camera.
    pub(super) fn camera_side(&self) -> f32 {
        if self.mirrored { 1.0 } else { -1.0 }
    }

    /// Whether the back is upholstered as the seat is.
    pub(super) fn is_padded(&self) -> bool {
        self.base == Base::Skirt || self.seam || self.back == Back::Split
    }
}
