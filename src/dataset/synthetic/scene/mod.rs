//! `synth-scene`: scenes of objects of `synth-world`, with the object that every pixel and every stroke shows.
//!
//! Scenes come in families of ten that share their categories, so that a scene is found by its objects and where they
//! stand, not by what kinds there are.

mod layout;

use super::curve::P2;
use super::figure::{Figure, FigureLine};
use super::palette::PhotoLook;
use super::world::{Category, categories, look, sketcher_of};
use super::{SKETCHERS, missing, photo, trace};
use crate::Result;
use crate::dataset::{
    Drawing, Index, InstanceMap, PhotoEntry, Scenes, SketchEntry, SketchInstance, Source, Split, whole,
};
use crate::seed::{Seed, Stream};
use crate::sketch::Sketch;
use image::{GrayImage, RgbImage};
use layout::{Composition, SceneObject};
use rand::RngExt;

/// Changes whenever the generator gives other scenes; categories have a version of their own.
pub const SCENE_VERSION: &str = "1";

/// Pairs of each split.
const PAIRS: [(Split, usize); 2] = [(Split::Train, 1000), (Split::Test, 200)];
/// Scenes that share their categories.
const FAMILY: usize = 10;
/// How much of a sketcher's error goes into an object's measures, and how far off its place it is drawn, as a share of
/// the canvas for an error of 1: chosen so that HOG finds 5 to 30%.
const ERROR: [f32; 2] = [1.0, 0.4];
/// An object of a scene is drawn with about so many strokes fewer than one alone.
const FEWER: usize = 4;
/// Groups of an object's lines; more than any category has parts.
const GROUPS: u16 = 256;
/// The canvas of sketches, and the margin that stays free.
const CANVAS: f32 = 256.0;
const MARGIN: f32 = 4.0;

const SEED: Seed = Seed(0x5eed_0004);

/// `synth-scene`.
///
/// ```
/// use retrace::dataset::{Scenes, Source, Split, synthetic::SceneCorpus};
/// let scenes = SceneCorpus::new(64)?;
/// let sketch = scenes.index().sketches_of(Split::Test)[0];
/// let map = scenes.photo_instances(scenes.index().sketches[sketch].photo)?.unwrap();
/// let drawn = scenes.instance_strokes(sketch)?.unwrap();
/// assert!(drawn.len() >= 2 && drawn.len() < map.categories().len());
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SceneCorpus {
    side: u32,
    seed: Seed,
    categories: Vec<Category>,
    index: Index,
}

impl SceneCorpus {
    /// The corpus with photos of `side` pixels.
    ///
    /// # Errors
    /// A side below 16 pixels or above 1024.
    pub fn new(side: u32) -> Result<Self> {
        super::check_side(side)?;
        Ok(Self { side, seed: SEED, categories: categories()?, index: index(&PAIRS) })
    }

    /// Other scenes, all of them for training.
    pub(super) fn seeded(seed: Seed, count: usize, side: u32) -> Result<Self> {
        Ok(Self { seed, index: index(&[(Split::Train, count)]), ..Self::new(side)? })
    }

    /// A scene's objects, far ones first, and the look of its ground.
    fn scene(&self, photo: usize) -> Result<(Vec<SceneObject>, PhotoLook)> {
        let count = self.index.photos.len();
        if photo >= count {
            return Err(missing("photo", count, photo));
        }
        let family = layout::family(&self.categories, &mut self.seed.child("family", (photo / FAMILY) as u64));
        let ground = PhotoLook::room(&mut self.seed.child("ground", photo as u64));
        let horizon = ground.floor.map_or(0.5, |(start, _)| start);
        let s = &mut self.seed.child("scene", photo as u64);
        Ok((layout::arrange(&family, &self.categories, horizon, s), ground))
    }

    fn render(&self, position: usize) -> Result<(RgbImage, GrayImage, Vec<SceneObject>)> {
        let (objects, ground) = self.scene(position)?;
        let side = self.side as f32;
        let place = |(k, object): (usize, &SceneObject)| {
            let s = &mut self.seed.child(&format!("look {k}"), position as u64);
            let own = look(&self.categories[object.category], s).lit_as(&ground);
            (object.figure(&self.categories).moved(|p| p.map(|v| v * side)), own)
        };
        let placed: Vec<(Figure, PhotoLook)> = objects.iter().enumerate().map(place).collect();
        let noise = &mut self.seed.child("noise", position as u64);
        let (photo, labels) = photo::render_scene(&placed, &ground, self.side, noise)?;
        Ok((photo, labels, objects))
    }

    /// The objects of a sketch in the order in which they are drawn: near ones first.
    fn draw(&self, position: usize) -> Result<Vec<SketchInstance>> {
        let count = self.index.sketches.len();
        let entry = self.index.sketches.get(position).ok_or_else(|| missing("sketch", count, position))?;
        let mut style = sketcher_of(entry.sketcher.unwrap_or(0));
        style.limit = style.limit.saturating_sub(FEWER).max(3);
        let s = &mut self.seed.child("sketch", position as u64);
        let (objects, _) = self.scene(entry.photo)?;
        let seen = layout::remembered(&objects, s);
        let [measures, place] = ERROR.map(|error| error * style.error);
        let frame = Composition::new(s);
        let figures: Vec<Figure> = seen
            .iter()
            .map(|at| objects[*at].misjudged(s, measures, place).framed(&frame).figure(&self.categories))
            .map(|figure| figure.moved(|p| p.map(|v| v * CANVAS)))
            .collect();
        let bounds: Vec<(P2, P2)> = figures.iter().map(Figure::bounds).collect();
        let mut drawn = Vec::with_capacity(seen.len());
        for (k, lines) in visible(figures).into_iter().enumerate().rev() {
            let strokes = strokes(trace::draw_there(lines, bounds[k], &style, s));
            if !strokes.strokes.is_empty() {
                let category = self.categories[objects[seen[k]].category].name.clone();
                drawn.push(SketchInstance { category, object: Some(seen[k]), strokes });
            }
        }
        Ok(drawn)
    }
}

/// The lines of each object that no nearer one hides.
fn visible(figures: Vec<Figure>) -> Vec<Vec<FigureLine>> {
    let count = figures.len();
    let mut all = Figure::default();
    for (k, mut figure) in figures.into_iter().enumerate() {
        for line in figure.parts.iter_mut().flat_map(|part| &mut part.lines) {
            line.group = k as u16 * GROUPS + line.group % GROUPS;
        }
        all.parts.append(&mut figure.parts);
    }
    let mut lines = vec![Vec::new(); count];
    all.visible().into_iter().for_each(|line| lines[usize::from(line.group / GROUPS)].push(line));
    lines
}

fn strokes(drawn: Vec<Vec<P2>>) -> Sketch {
    let put = |p: P2| trace::on_grid(p, MARGIN, CANVAS - MARGIN);
    let strokes = drawn.into_iter().map(|stroke| stroke.into_iter().map(put).collect::<Vec<_>>());
    Sketch { strokes: strokes.filter(|stroke| stroke.len() > 1).collect() }
}

impl Source for SceneCorpus {
    fn name(&self) -> &str {
        "synth-scene"
    }

    fn index(&self) -> &Index {
        &self.index
    }

    fn version(&self) -> String {
        format!("synth-scene generator {SCENE_VERSION}, world {}, {} px", super::WORLD_VERSION, self.side)
    }

    fn photo(&self, position: usize) -> Result<RgbImage> {
        self.render(position).map(|(photo, _, _)| photo)
    }

    fn drawing(&self, position: usize) -> Result<Drawing> {
        self.draw(position).map(|instances| Drawing::Vector(whole(&instances)))
    }

    fn scenes(&self) -> Option<&dyn Scenes> {
        Some(self)
    }
}

impl Scenes for SceneCorpus {
    fn photo_instances(&self, photo: usize) -> Result<Option<InstanceMap>> {
        let (_, labels, objects) = self.render(photo)?;
        let names = objects.iter().map(|object| self.categories[object.category].name.clone()).collect();
        InstanceMap::new(labels, names).map(Some)
    }

    fn sketch_instances(&self, sketch: usize) -> Result<Option<InstanceMap>> {
        let count = self.index.sketches.len();
        if sketch < count { Ok(None) } else { Err(missing("sketch", count, sketch)) }
    }

    fn instance_strokes(&self, sketch: usize) -> Result<Option<Vec<SketchInstance>>> {
        self.draw(sketch).map(Some)
    }
}

/// One sketch a photo, by any of the sketchers.
fn index(pairs: &[(Split, usize)]) -> Index {
    let mut index = Index::default();
    let draw: &mut Stream = &mut SEED.stream("index");
    for &(split, count) in pairs {
        for n in 0..count {
            let (photo, id) = (index.photos.len(), format!("{}-{n:04}", split.name()));
            let sketcher = Some(draw.random_range(0..SKETCHERS));
            index.sketches.push(SketchEntry { id: format!("{id}-0"), photo, sketcher });
            index.photos.push(PhotoEntry { id, category: "scene".to_string(), split });
        }
    }
    index
}

#[cfg(test)]
mod tests;
