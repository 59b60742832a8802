//! The back: a sheet over the seat's rear edge, filled in many ways.

use super::super::curve::{P3, mix, part, ring, spline};
use super::super::figure::{LineRank, Material};
use super::scene::{FaceLook, Scene};
use super::{Arms, Back, Base, Chair, ChairMeasure};

/// The sheet's measures: `at(s, t)` for s from left (-1) to right (1) and t from the seat (0) to the top (1).
struct Sheet {
    bottom: f32,
    top: f32,
    foot: f32,
    high: f32,
    rear: f32,
    tilt: f32,
    bow: f32,
}

impl Sheet {
    fn of(chair: &Chair) -> Self {
        let (half, depth) = chair.half();
        let low = chair.tall || chair.base == Base::Skirt || chair.wide;
        let high = if low {
            chair.get(ChairMeasure::BackHeight, 0.2, 0.45)
        } else {
            chair.get(ChairMeasure::BackHeight, 0.32, 0.66)
        };
        let wide = chair.wide || chair.base == Base::Skirt;
        Self {
            bottom: half * if wide { 0.99 } else { chair.get(ChairMeasure::BackBottom, 0.78, 1.0) },
            top: half * if wide { 0.99 } else { chair.get(ChairMeasure::BackTop, 0.7, 1.12) },
            foot: chair.height(),
            high,
            rear: -depth + 0.025,
            tilt: chair.get(ChairMeasure::Tilt, 0.02, 0.3),
            bow: if chair.wide { 0.0 } else { chair.get(ChairMeasure::Bow, 0.0, 0.07) },
        }
    }

    fn at(&self, s: f32, t: f32) -> P3 {
        let wide = self.bottom + (self.top - self.bottom) * t;
        [s * wide, self.rear - self.tilt * t * self.high + self.bow * (s * s - 1.0), self.foot + t * self.high]
    }

    fn line(&self, through: &[(f32, f32)]) -> Vec<P3> {
        spline(&through.iter().map(|p| self.at(p.0, p.1)).collect::<Vec<_>>())
    }

    fn straight(&self, from: (f32, f32), to: (f32, f32)) -> Vec<P3> {
        let step = |k: usize| mix([from.0, from.1], [to.0, to.1], k as f32 / 6.0);
        (0..=6).map(step).map(|p| self.at(p[0], p[1])).collect()
    }
}

pub(super) fn add_posts(chair: &Chair, scene: &mut Scene) {
    let sheet = Sheet::of(chair);
    let thick = chair.get(ChairMeasure::Leg, 0.014, 0.026);
    for (n, s) in [-1.0, 1.0].into_iter().enumerate() {
        let line = sheet.straight((s, -0.05), (s, 0.97));
        scene.bar(&line, |_| thick, FaceLook::new(Material::Body, LineRank::Outline, 30 + n as u16).bias(-0.05));
    }
}

pub(super) fn add(chair: &Chair, scene: &mut Scene) {
    let sheet = Sheet::of(chair);
    match chair.back {
        Back::None => {}
        Back::Panel => panel(chair, &sheet, scene, -1.0, 1.0, 40),
        Back::Split => split(chair, &sheet, scene),
        Back::Oval => oval(chair, &sheet, scene),
        Back::Tub => tub(chair, scene),
        Back::Hoop => hoop(chair, &sheet, scene),
        Back::Slats | Back::Spindles | Back::Splat | Back::Cross => {
            add_posts(chair, scene);
            rails(chair, &sheet, scene);
        }
    }
}

/// A board or upholstered panel between two sides.
fn panel(chair: &Chair, sheet: &Sheet, scene: &mut Scene, left: f32, right: f32, group: u16) {
    let low =
        if chair.base == Base::Skirt || chair.seam { -0.05 } else { chair.get(ChairMeasure::Detail, -0.05, 0.35) };
    let arch = chair.get(ChairMeasure::Arch, -0.02, 0.22);
    let soft = chair.get(ChairMeasure::BackTop, 0.03, 0.14);
    let (middle, w) = ((left + right) * 0.5, (right - left) * 0.5);
    let s = |share: f32| middle + w * share;
    let through = [
        (s(-0.97), low),
        (s(0.0), low - 0.01),
        (s(0.97), low),
        (s(1.0), low + 0.08),
        (s(1.0), 0.55),
        (s(1.0), 0.94 - arch - soft),
        (s(0.93), 1.0 - arch - soft * 0.3),
        (s(0.5), 1.0 - arch * 0.35),
        (s(0.0), 1.0),
        (s(-0.5), 1.0 - arch * 0.35),
        (s(-0.93), 1.0 - arch - soft * 0.3),
        (s(-1.0), 0.94 - arch - soft),
        (s(-1.0), 0.55),
        (s(-1.0), low + 0.08),
    ];
    let face = ring(&through.map(|p| sheet.at(p.0, p.1)));
    let thick = if chair.is_padded() { chair.get(ChairMeasure::Thickness, 0.05, 0.11) } else { 0.022 };
    let surface = if chair.is_padded() { Material::Pad } else { Material::Body };
    scene.slab(&face, [0.0, -thick, 0.0], FaceLook::new(surface, LineRank::Outline, group).bias(-0.06));
    if low > 0.05 {
        add_posts_short(chair, sheet, scene, low);
    }
    marks(chair, sheet, scene, (s(-0.8), s(0.8)), low);
}

fn add_posts_short(chair: &Chair, sheet: &Sheet, scene: &mut Scene, to: f32) {
    let thick = chair.get(ChairMeasure::Leg, 0.012, 0.02);
    for s in [-0.7, 0.7] {
        let line = sheet.straight((s, -0.06), (s, to + 0.05));
        scene.bar(&line, |_| thick, FaceLook::new(Material::Support, LineRank::Edge, 32).bias(-0.12));
    }
}

/// Seams, buttons or channels on a panel.
fn marks(chair: &Chair, sheet: &Sheet, scene: &mut Scene, (left, right): (f32, f32), low: f32) {
    let look = FaceLook::new(Material::Pad, LineRank::Detail, 50).bias(0.0);
    if chair.buttons {
        for i in 0..chair.rows {
            for t in [0.45, 0.7] {
                let s = left + (right - left) * (i as f32 + 0.5) / chair.rows as f32;
                scene.ball(sheet.at(s, t), 0.012, FaceLook::new(Material::Trim, LineRank::Fine, 51));
            }
        }
    } else if chair.seam && chair.rows > 2 {
        for i in 1..chair.rows {
            let s = left + (right - left) * i as f32 / chair.rows as f32;
            scene.mark(&sheet.straight((s, low + 0.08), (s, 0.85)), LineRank::Detail, 50, look);
        }
    } else if chair.rows == 2 {
        let t = chair.get(ChairMeasure::Detail, 0.4, 0.75);
        scene.mark(&sheet.straight((left * 1.15, t), (right * 1.15, t)), LineRank::Detail, 50, look);
    }
}

/// Two or three cushions side by side, or one over the other.
fn split(chair: &Chair, sheet: &Sheet, scene: &mut Scene) {
    if chair.wide {
        let n = chair.rows.clamp(2, 3);
        for i in 0..n {
            let edge = |k: usize| -0.96 + 1.92 * k as f32 / n as f32;
            panel(chair, sheet, scene, edge(i), edge(i + 1), 40 + i as u16);
        }
        return;
    }
    let cut = chair.get(ChairMeasure::Detail, 0.5, 0.78);
    for (n, (low, high, wide)) in
        [(0.05, cut - 0.03, 1.0), (cut + 0.02, 1.0, chair.get(ChairMeasure::Arch, 0.55, 1.0))].into_iter().enumerate()
    {
        let (a, b) = (low + 0.04, high - 0.04);
        let through = [
            (-0.9, low),
            (0.0, low),
            (0.9, low),
            (1.0, a),
            (1.0, b),
            (0.9, high),
            (0.0, high + 0.01),
            (-0.9, high),
            (-1.0, b),
            (-1.0, a),
        ];
        let face = ring(&through.map(|p| sheet.at(p.0 * wide, p.1)));
        scene.slab(
            &face,
            [0.0, -0.045, 0.0],
            FaceLook::new(Material::Pad, LineRank::Outline, 40 + n as u16).bias(-0.06),
        );
    }
    let spine = sheet.straight((0.0, -0.12), (0.0, cut + 0.1));
    scene.bar(&spine, |_| 0.028, FaceLook::new(Material::Support, LineRank::Edge, 44).bias(-0.15));
}

fn oval(chair: &Chair, sheet: &Sheet, scene: &mut Scene) {
    let low = chair.get(ChairMeasure::Detail, 0.1, 0.32);
    let (middle, half) = ((1.0 + low) * 0.5, (1.0 - low) * 0.5);
    let loop_at = |r: f32| {
        let q = 0.73 * r;
        let through = [(0.0, -r), (q, -q), (r, 0.0), (q, q), (0.0, r), (-q, q), (-r, 0.0), (-q, -q)];
        ring(&through.map(|p| sheet.at(p.0, middle + half * p.1)))
    };
    add_posts_short(chair, sheet, scene, low + 0.12);
    let look = FaceLook::new(Material::Body, LineRank::Outline, 40).bias(-0.06);
    if chair.seam || chair.rows > 3 {
        scene.slab(&loop_at(1.0), [0.0, -0.03, 0.0], look);
        scene.slab(&loop_at(0.8), [0.0, -0.01, 0.0], FaceLook::new(Material::Pad, LineRank::Edge, 41).bias(0.0));
        if chair.buttons {
            marks(chair, sheet, scene, (-0.5, 0.5), low);
        }
    } else {
        scene.frame(&loop_at(1.0), &loop_at(0.84), [0.0, -0.02, 0.0], look);
        for i in 0..chair.rows {
            let s = 0.55 * (2.0 * (i as f32 + 0.5) / chair.rows as f32 - 1.0);
            let reach = half * (0.92 - 0.35 * s * s);
            let line = sheet.straight((s, middle - reach), (s, middle + reach));
            scene.bar(&line, |_| 0.009, FaceLook::new(Material::Body, LineRank::Detail, 42).bias(-0.07));
        }
    }
}

/// A wall round the seat.
fn tub(chair: &Chair, scene: &mut Scene) {
    let (half, depth) = chair.half();
    let top = chair.height();
    let high = chair.get(ChairMeasure::BackHeight, 0.24, 0.46);
    let low = top + chair.get(ChairMeasure::ArmHeight, 0.02, 0.22).min(high * 0.8);
    let lean = chair.get(ChairMeasure::Tilt, 0.0, 0.12);
    let reach = chair.get(ChairMeasure::ArmReach, 0.1, 0.95) * depth;
    let rim = spline(&[
        [-half * 1.04, reach, low],
        [-half * 1.12, -depth * 0.3, low + (top + high - low) * 0.25],
        [-half * 0.75, -depth * 0.95, top + high * 0.92],
        [0.0, -depth * 1.12 - lean, top + high],
        [half * 0.75, -depth * 0.95, top + high * 0.92],
        [half * 1.12, -depth * 0.3, low + (top + high - low) * 0.25],
        [half * 1.04, reach, low],
    ]);
    let foot: Vec<P3> = rim.iter().map(|p| [p[0] * 0.88, p[1] * 0.92, top - chair.thickness() * 0.8]).collect();
    scene.wall(&rim, &foot, FaceLook::new(Material::Body, LineRank::Outline, 40));
    if chair.seam {
        let inner: Vec<P3> = part(&rim, 0.2, 0.8).iter().map(|p| add_z(*p, -0.05)).collect();
        scene.mark(&inner, LineRank::Detail, 50, FaceLook::new(Material::Body, LineRank::Detail, 50).bias(-0.1));
    }
}

fn add_z(p: P3, z: f32) -> P3 {
    super::super::curve::add(p, [0.0, 0.0, z])
}

/// A bent rod over thin ones.
fn hoop(chair: &Chair, sheet: &Sheet, scene: &mut Scene) {
    let square = chair.get(ChairMeasure::Arch, 0.5, 0.9);
    let line = sheet.line(&[
        (-1.0, -0.03),
        (-1.0, 0.45),
        (-square, 0.9),
        (0.0, 1.0),
        (square, 0.9),
        (1.0, 0.45),
        (1.0, -0.03),
    ]);
    let thick = chair.get(ChairMeasure::Leg, 0.011, 0.02);
    scene.bar(&line, |_| thick, FaceLook::new(Material::Body, LineRank::Outline, 30).bias(-0.05));
    let n = chair.rows + 1;
    for i in 0..n {
        let s = 0.8 * (2.0 * (i as f32 + 0.5) / n as f32 - 1.0);
        let top = 0.97 - 0.28 * (s / square) * (s / square);
        let rod = sheet.straight((s * 0.9, 0.0), (s, top));
        scene.bar(&rod, |_| thick * 0.55, FaceLook::new(Material::Body, LineRank::Detail, 42).bias(-0.06));
    }
    if chair.buttons {
        let t = chair.get(ChairMeasure::Detail, 0.3, 0.6);
        let rail = sheet.straight((-1.0, t), (1.0, t));
        scene.bar(&rail, |_| thick * 0.8, FaceLook::new(Material::Body, LineRank::Detail, 43).bias(-0.04));
    }
}

/// Two posts, a top rail, and what is between.
fn rails(chair: &Chair, sheet: &Sheet, scene: &mut Scene) {
    let arch = chair.get(ChairMeasure::Arch, -0.04, 0.12);
    let deep = chair.get(ChairMeasure::BackTop, 0.07, 0.2);
    rail(sheet, scene, 1.0 - deep, 1.0, arch, LineRank::Outline, 40);
    let low = chair.get(ChairMeasure::Detail, 0.05, 0.3);
    let top = 1.0 - deep;
    let rod = FaceLook::new(Material::Body, LineRank::Detail, 42).bias(-0.07);
    let thick = chair.get(ChairMeasure::Leg, 0.009, 0.014);
    match chair.back {
        Back::Slats => {
            let n = chair.rows;
            let each = (top - low) / n as f32;
            let share = chair.get(ChairMeasure::Bow, 0.3, 0.65);
            for i in 0..n {
                let t = low + each * i as f32;
                rail(sheet, scene, t, t + each * share, arch * 0.6, LineRank::Detail, 42);
            }
        }
        Back::Spindles => {
            rail(sheet, scene, low - 0.05, low + 0.02, 0.0, LineRank::Edge, 41);
            let n = chair.rows + 1;
            for i in 0..n {
                let s = 0.88 * (2.0 * (i as f32 + 0.5) / n as f32 - 1.0);
                scene.bar(&sheet.straight((s, low), (s, top + arch * 0.5)), |_| thick, rod);
            }
        }
        Back::Splat => {
            let w = chair.get(ChairMeasure::Bow, 0.22, 0.5);
            let (a, b) = (low * 0.3, top + arch);
            let mid = (a + b) * 0.5;
            let through = [
                (w * 0.7, a),
                (w * 0.45, (a + mid) * 0.5),
                (w, mid + 0.1),
                (w * 0.75, b),
                (-w * 0.75, b),
                (-w, mid + 0.1),
                (-w * 0.45, (a + mid) * 0.5),
                (-w * 0.7, a),
            ];
            let face = ring(&through.map(|p| sheet.at(p.0, p.1)));
            scene.plate(&face, FaceLook::new(Material::Body, LineRank::Detail, 42).bias(-0.07));
        }
        _ => {
            rail(sheet, scene, low - 0.05, low + 0.02, 0.0, LineRank::Edge, 41);
            scene.bar(&sheet.straight((-0.95, low), (0.95, top)), |_| thick * 1.2, rod);
            scene.bar(&sheet.straight((0.95, low), (-0.95, top)), |_| thick * 1.2, rod.bias(-0.065));
        }
    }
}

fn rail(sheet: &Sheet, scene: &mut Scene, low: f32, high: f32, arch: f32, rank: LineRank, group: u16) {
    let edge =
        |t: f32| sheet.line(&[(-1.0, t), (-0.5, t + arch * 0.75), (0.0, t + arch), (0.5, t + arch * 0.75), (1.0, t)]);
    let mut face = edge(high);
    face.extend(edge(low).into_iter().rev());
    scene.plate(&face, FaceLook::new(Material::Body, rank, group).bias(-0.03));
}

impl Chair {
    /// Whether the back's posts go down to the floor as rear legs.
    pub(super) fn has_posts(&self) -> bool {
        matches!(self.back, Back::Slats | Back::Spindles | Back::Splat | Back::Cross) && self.arms != Arms::Block
    }
}
