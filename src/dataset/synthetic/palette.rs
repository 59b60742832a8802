//! Colours, textures and light of a photo: everything that a sketch does not show.

use super::chance::{between, happens, pick, unit};
use super::curve::P2;
use super::figure::Material;
use crate::seed::Stream;

/// Red, green, blue, each 0..1.
pub(super) type Rgb = [f32; 3];

/// Names of the colour classes, for labels: the first of [`WORLD_COLOURS`].
pub(super) const COLOURS: [(&str, Rgb); 9] = {
    let mut first = [WORLD_COLOURS[0]; 9];
    let mut i = 1;
    while i < first.len() {
        first[i] = WORLD_COLOURS[i];
        i += 1;
    }
    first
};

/// Names of the colours that a category's file may give its materials.
pub(super) const WORLD_COLOURS: [(&str, Rgb); 16] = [
    ("black", [0.11, 0.11, 0.12]),
    ("white", [0.9, 0.9, 0.88]),
    ("grey", [0.55, 0.56, 0.58]),
    ("brown", [0.42, 0.26, 0.16]),
    ("tan", [0.77, 0.61, 0.42]),
    ("red", [0.72, 0.14, 0.16]),
    ("blue", [0.16, 0.3, 0.58]),
    ("green", [0.24, 0.45, 0.28]),
    ("yellow", [0.88, 0.7, 0.2]),
    ("orange", [0.88, 0.48, 0.14]),
    ("pink", [0.87, 0.55, 0.63]),
    ("purple", [0.46, 0.28, 0.55]),
    ("sky", [0.55, 0.74, 0.88]),
    ("lime", [0.55, 0.7, 0.3]),
    ("cream", [0.92, 0.86, 0.7]),
    ("rust", [0.58, 0.27, 0.15]),
];

/// A pattern over body and upholstery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Texture {
    Plain,
    Grain,
    Stripes,
    Checks,
    Dots,
    Weave,
}

/// Number of textures.
pub(super) const TEXTURES: usize = Texture::Weave as usize + 1;

/// How a photo of one object is taken.
#[derive(Debug, Clone)]
pub(super) struct PhotoLook {
    /// Position of the body's colour in [`COLOURS`].
    pub(super) colour: usize,
    /// One colour for each surface, in the order of [`Material`].
    colours: [Rgb; 8],
    /// Top and bottom of the background.
    pub(super) ground: [Rgb; 2],
    /// Where the floor begins, as a share of the height, and its brightness against the wall; none without a background.
    pub(super) floor: Option<(f32, f32)>,
    /// Where the light comes from: left (-1) to right (1).
    pub(super) light: f32,
    /// Difference between the lit and the far side of a part.
    pub(super) contrast: f32,
    /// Darkness of seams and rims, 0..1.
    pub(super) rim: f32,
    /// Strength of the highlight.
    pub(super) gloss: f32,
    /// Strength of the shadow on the ground.
    pub(super) shadow: f32,
    /// The pattern.
    pub(super) texture: Texture,
    /// Its strength and the size of its tile as a share of the photo's side.
    pub(super) pattern: (f32, f32),
    /// Noise of the camera, in levels of 255.
    pub(super) noise: f32,
    /// Longest side of the object as a share of the photo's.
    pub(super) size: f32,
    /// Its place: off the middle by this share of the free margin.
    pub(super) place: P2,
    /// Half tangent of a turn in the picture, and a pull of the sides (perspective).
    pub(super) turn: f32,
    pub(super) pull: P2,
    /// Stretch of the width.
    pub(super) stretch: f32,
}

impl PhotoLook {
    /// A look at random; chairs stand on wood or metal, shoes on rubber or leather.
    pub(super) fn new(s: &mut Stream, is_shoe: bool) -> Self {
        let colour =
            pick(s, &[(0, 0.2), (1, 0.12), (2, 0.12), (3, 0.15), (4, 0.12), (5, 0.09), (6, 0.1), (7, 0.05), (8, 0.05)]);
        let ground = ground(s);
        // A chair leaves more of the width free than a shoe leaves of the height, so it may lie further off the middle.
        let free = if is_shoe { 0.55 } else { 0.8 };
        let room = ground[0] != [1.0; 3] && happens(s, 0.45);
        Self {
            colour,
            floor: room.then_some((between(s, 0.5, 0.85), between(s, 0.86, 0.97))),
            colours: colours(s, colour, is_shoe),
            ground,
            light: between(s, -1.0, 1.0),
            contrast: between(s, 0.08, 0.38),
            rim: between(s, 0.12, 0.5),
            gloss: if happens(s, 0.5) { between(s, 0.1, 0.45) } else { 0.0 },
            shadow: between(s, 0.1, 0.45),
            texture: texture(s),
            pattern: (between(s, 0.08, 0.3), between(s, 0.025, 0.08)),
            noise: between(s, 2.0, 9.0),
            size: between(s, 0.58, 0.94),
            place: [between(s, -free, free), between(s, -free, free)],
            turn: between(s, -0.06, 0.06),
            pull: [between(s, -0.1, 0.1), between(s, -0.1, 0.1)],
            stretch: between(s, 0.93, 1.07),
        }
    }

    /// The same look with a surface of another colour.
    pub(super) fn dyed(mut self, s: &mut Stream, surface: Material, colour: Rgb) -> Self {
        self.colours[surface as usize] = near(s, colour);
        self
    }

    /// The ground of a scene: a wall and a floor that always begins somewhere.
    pub(super) fn room(s: &mut Stream) -> Self {
        let mut look = Self::new(s, false);
        let (start, tone) = (between(s, 0.32, 0.52), between(s, 0.8, 0.95));
        look.floor = Some((start, tone));
        look
    }

    /// The same look in the light of a scene, with a shadow no darker than its ground's.
    pub(super) fn lit_as(mut self, scene: &Self) -> Self {
        (self.light, self.shadow) = (scene.light, self.shadow.min(scene.shadow));
        self
    }

    /// The colour of a surface.
    pub(super) fn of(&self, surface: Material) -> Rgb {
        self.colours[surface as usize]
    }
}

fn texture(s: &mut Stream) -> Texture {
    use Texture::*;
    pick(s, &[(Plain, 0.45), (Grain, 0.22), (Stripes, 0.09), (Checks, 0.07), (Dots, 0.07), (Weave, 0.1)])
}

fn ground(s: &mut Stream) -> [Rgb; 2] {
    if happens(s, 0.42) {
        return [[1.0; 3]; 2];
    }
    let tint: Rgb = std::array::from_fn(|_| between(s, 0.86, 1.0));
    let low = between(s, 0.7, 1.0);
    [tint, tint.map(|v| v * low)]
}

fn any_of(s: &mut Stream, choices: &[(usize, f32)]) -> Rgb {
    let colour = COLOURS[pick(s, choices)].1;
    near(s, colour)
}

fn near(s: &mut Stream, colour: Rgb) -> Rgb {
    let light = between(s, 0.8, 1.2);
    colour.map(|v| (v * light + between(s, -0.05, 0.05)).clamp(0.04, 0.93))
}

fn colours(s: &mut Stream, main: usize, is_shoe: bool) -> [Rgb; 8] {
    let body = near(s, COLOURS[main].1);
    let shift = if happens(s, 0.5) { between(s, 0.6, 0.85) } else { between(s, 1.1, 1.4) };
    let other = COLOURS[(unit(s) * 9.0) as usize % 9].1;
    let tone = body.map(|v| (v * shift + if shift > 1.0 { 0.06 } else { 0.0 }).clamp(0.03, 0.93));
    let accent = if happens(s, 0.4) { near(s, other) } else { tone };
    let trim = if happens(s, 0.5) { any_of(s, &[(0, 0.3), (1, 0.4), (3, 0.3)]) } else { tone };
    let sole = any_of(s, &[(0, 0.35), (1, 0.25), (3, 0.15), (4, 0.25)]);
    let stand = if is_shoe {
        pick(s, &[(0, 0.4), (3, 0.3), (4, 0.3)])
    } else {
        pick(s, &[(0, 0.3), (1, 0.1), (2, 0.2), (3, 0.2), (4, 0.2)])
    };
    let support = if happens(s, 0.45) { body.map(|v| v * 0.92) } else { near(s, COLOURS[stand].1) };
    let inside = if is_shoe { any_of(s, &[(3, 0.2), (4, 0.5), (2, 0.3)]) } else { body };
    let metal = between(s, 0.45, 0.75);
    let pad = if happens(s, 0.5) { body } else { near(s, other) };
    [body, accent, trim, sole, support, inside, [metal, metal, metal * 0.95], pad]
}
