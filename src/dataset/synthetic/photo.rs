//! A figure as a photo: filled parts in gradient light, with texture, ground shadow and the camera's noise.

use super::curve::{P2, turn};
use super::figure::{Figure, FigurePart, LineRank, Material};
use super::palette::{PhotoLook, Rgb, Texture};
use crate::seed::Stream;
use crate::{Error, Result};
use image::{GrayImage, Luma, RgbImage};
use rand::Rng;
use tiny_skia::{
    Color, FillRule, FilterQuality, GradientStop, LineCap, LineJoin, LinearGradient, Paint, Path, PathBuilder, Pattern,
    Pixmap, Point, RadialGradient, Rect, Shader, SpreadMode, Stroke, Transform,
};

/// A photo of a figure.
///
/// # Errors
/// A side of no pixels.
pub(super) fn render(figure: Figure, look: &PhotoLook, side: u32, noise: &mut Stream) -> Result<RgbImage> {
    let mut canvas = Pixmap::new(side, side).ok_or_else(|| Error::value("side", "at least one pixel", side))?;
    let figure = frame(figure, look, side as f32);
    background(&mut canvas, look);
    shadow(&mut canvas, look, &figure);
    let tile = tile(look, side, noise);
    for part in &figure.parts {
        paint(&mut canvas, look, part, tile.as_ref());
    }
    Ok(develop(&canvas, look, noise))
}

/// A photo of objects that lie where they are, far ones first, and the object that each pixel shows: 0 the ground, k from
/// 1 the k-th object.
///
/// # Errors
/// A side of no pixels.
pub(super) fn render_scene(
    objects: &[(Figure, PhotoLook)],
    ground: &PhotoLook,
    side: u32,
    noise: &mut Stream,
) -> Result<(RgbImage, GrayImage)> {
    let mut canvas = Pixmap::new(side, side).ok_or_else(|| Error::value("side", "at least one pixel", side))?;
    let mut labels = canvas.clone();
    background(&mut canvas, ground);
    for (label, (figure, look)) in objects.iter().enumerate() {
        shadow(&mut canvas, look, figure);
        let tile = tile(look, side, noise);
        for part in &figure.parts {
            paint(&mut canvas, look, part, tile.as_ref());
            mark(&mut labels, part, label as u8 + 1);
        }
    }
    let labels = GrayImage::from_fn(side, side, |x, y| Luma([labels.pixel(x, y).map_or(0, |pixel| pixel.red())]));
    Ok((develop(&canvas, ground, noise), labels))
}

/// Fills a part's pixels with its object's label, as the red of a picture.
fn mark(labels: &mut Pixmap, part: &FigurePart, label: u8) {
    let mut areas: Vec<&[P2]> = vec![&part.area];
    areas.extend(part.holes.iter().map(Vec::as_slice));
    let Some(path) = outline(&areas) else { return };
    let colour = Color::from_rgba8(label, 0, 0, u8::MAX);
    let paint = Paint { shader: Shader::SolidColor(colour), anti_alias: false, ..Paint::default() };
    labels.fill_path(&path, &paint, FillRule::EvenOdd, Transform::identity(), None);
}

/// Turns, stretches and places the figure on the photo.
fn frame(figure: Figure, look: &PhotoLook, side: f32) -> Figure {
    let (cos, sin) = turn(look.turn);
    let (low, high) = figure.bounds();
    let middle = [(low[0] + high[0]) * 0.5, (low[1] + high[1]) * 0.5];
    let unit = (high[0] - low[0]).max(high[1] - low[1]).max(1e-6);
    let turned = figure.moved(|p| {
        let (x, y) = ((p[0] - middle[0]) / unit * look.stretch, (p[1] - middle[1]) / unit);
        let near = 1.0 + look.pull[0] * x + look.pull[1] * y;
        [(x * cos - y * sin) * near, (x * sin + y * cos) * near]
    });
    let (low, high) = turned.bounds();
    let (wide, tall) = (high[0] - low[0], high[1] - low[1]);
    let scale = look.size * side / wide.max(tall).max(1e-6);
    let free = |size: f32| (side - size * scale) * 0.5;
    let corner = [free(wide) * (1.0 + look.place[0]), free(tall) * (1.0 + look.place[1])];
    turned.moved(|p| [(p[0] - low[0]) * scale + corner[0], (p[1] - low[1]) * scale + corner[1]])
}

fn colour(rgb: Rgb, alpha: f32) -> Color {
    let [r, g, b] = rgb.map(|v| v.clamp(0.0, 1.0));
    Color::from_rgba(r, g, b, alpha.clamp(0.0, 1.0)).unwrap_or(Color::BLACK)
}

fn brighter(rgb: Rgb, by: f32) -> Rgb {
    rgb.map(|v| (v * by + (by - 1.0).max(0.0) * 0.25).clamp(0.0, 1.0))
}

fn solid<'a>(rgb: Rgb, alpha: f32) -> Paint<'a> {
    Paint { shader: Shader::SolidColor(colour(rgb, alpha)), anti_alias: true, ..Paint::default() }
}

fn gradient<'a>(from: P2, to: P2, first: Color, last: Color) -> Shader<'a> {
    let stops = vec![GradientStop::new(0.0, first), GradientStop::new(1.0, last)];
    let (from, to) = (Point::from_xy(from[0], from[1]), Point::from_xy(to[0], to[1]));
    LinearGradient::new(from, to, stops, SpreadMode::Pad, Transform::identity()).unwrap_or(Shader::SolidColor(first))
}

fn outline(areas: &[&[P2]]) -> Option<Path> {
    let mut path = PathBuilder::new();
    for area in areas {
        trace(&mut path, area);
        path.close();
    }
    path.finish()
}

fn trace(path: &mut PathBuilder, points: &[P2]) {
    for (i, p) in points.iter().enumerate() {
        if i == 0 { path.move_to(p[0], p[1]) } else { path.line_to(p[0], p[1]) }
    }
}

fn background(canvas: &mut Pixmap, look: &PhotoLook) {
    let side = canvas.width() as f32;
    let [top, low] = look.ground.map(|rgb| colour(rgb, 1.0));
    canvas.fill(top);
    let paint = Paint { shader: gradient([0.0, 0.0], [0.0, side], top, low), ..Paint::default() };
    if let Some(all) = Rect::from_xywh(0.0, 0.0, side, side) {
        canvas.fill_rect(all, &paint, Transform::identity(), None);
    }
    if let Some((start, tone)) = look.floor
        && let Some(floor) = Rect::from_xywh(0.0, side * start, side, side)
    {
        let [first, last] = look.ground.map(|rgb| colour(rgb.map(|v| v * tone), 1.0));
        let paint = Paint { shader: gradient([0.0, side * start], [0.0, side], last, first), ..Paint::default() };
        canvas.fill_rect(floor, &paint, Transform::identity(), None);
    }
}

/// A soft dark ellipse where the object stands.
fn shadow(canvas: &mut Pixmap, look: &PhotoLook, figure: &Figure) {
    let (low, high) = figure.bounds();
    let (half, centre) =
        ((high[0] - low[0]) * 0.55, [(low[0] + high[0]) * 0.5 - look.light * 0.03 * canvas.width() as f32, high[1]]);
    let flat = 0.13;
    let stops = vec![
        GradientStop::new(0.0, colour([0.1; 3], look.shadow)),
        GradientStop::new(0.6, colour([0.1; 3], look.shadow * 0.45)),
        GradientStop::new(1.0, colour([0.1; 3], 0.0)),
    ];
    let place = Transform::from_row(1.0, 0.0, 0.0, flat, centre[0], centre[1]);
    let zero = Point::from_xy(0.0, 0.0);
    let Some(shader) = RadialGradient::new(zero, 0.0, zero, half.max(1.0), stops, SpreadMode::Pad, place) else {
        return;
    };
    let paint = Paint { shader, ..Paint::default() };
    if let Some(area) = Rect::from_xywh(centre[0] - half, centre[1] - half * flat, half * 2.0, half * 2.0 * flat) {
        canvas.fill_rect(area, &paint, Transform::identity(), None);
    }
}

fn paint(canvas: &mut Pixmap, look: &PhotoLook, part: &FigurePart, tile: Option<&Pixmap>) {
    let mut areas: Vec<&[P2]> = vec![&part.area];
    areas.extend(part.holes.iter().map(Vec::as_slice));
    let Some(path) = outline(&areas) else { return };
    let base = brighter(look.of(part.surface), part.shade);
    fill(canvas, look, &path, base);
    for (face, shade) in &part.faces {
        if let Some(face) = outline(&[face]) {
            fill(canvas, look, &face, brighter(base, *shade));
        }
    }
    if matches!(part.surface, Material::Body | Material::Pad) {
        if let Some(tile) = tile {
            cover(canvas, look, &path, tile);
        }
        shine(canvas, look, &path);
    }
    seams(canvas, look, part, base);
}

fn fill(canvas: &mut Pixmap, look: &PhotoLook, path: &Path, base: Rgb) {
    let b = path.bounds();
    let half = (b.right() - b.left()) * 0.5 * look.light;
    let middle = (b.left() + b.right()) * 0.5;
    let (bright, dark) =
        (colour(brighter(base, 1.0 + look.contrast), 1.0), colour(brighter(base, 1.0 - look.contrast), 1.0));
    let shader = gradient([middle + half, b.top()], [middle - half, b.bottom() + 0.5], bright, dark);
    let paint = Paint { shader, anti_alias: true, ..Paint::default() };
    canvas.fill_path(path, &paint, FillRule::EvenOdd, Transform::identity(), None);
}

fn cover(canvas: &mut Pixmap, look: &PhotoLook, path: &Path, tile: &Pixmap) {
    let slant = if look.texture == Texture::Grain { 0.0 } else { look.light * 0.6 };
    let place = Transform::from_row(1.0, slant, -slant, 1.0, 0.0, 0.0);
    let shader = Pattern::new(tile.as_ref(), SpreadMode::Repeat, FilterQuality::Bilinear, 1.0, place);
    let paint = Paint { shader, anti_alias: true, ..Paint::default() };
    canvas.fill_path(path, &paint, FillRule::EvenOdd, Transform::identity(), None);
}

/// A soft highlight towards the light.
fn shine(canvas: &mut Pixmap, look: &PhotoLook, path: &Path) {
    let b = path.bounds();
    let (wide, tall) = (b.right() - b.left(), b.bottom() - b.top());
    if look.gloss <= 0.0 || wide.min(tall) < 4.0 {
        return;
    }
    let centre = Point::from_xy(b.left() + wide * (0.5 + 0.3 * look.light), b.top() + tall * 0.4);
    let stops =
        vec![GradientStop::new(0.0, colour([1.0; 3], look.gloss)), GradientStop::new(1.0, colour([1.0; 3], 0.0))];
    let radius = wide.max(tall) * 0.35;
    let Some(shader) = RadialGradient::new(centre, 0.0, centre, radius, stops, SpreadMode::Pad, Transform::identity())
    else {
        return;
    };
    let paint = Paint { shader, anti_alias: true, ..Paint::default() };
    canvas.fill_path(path, &paint, FillRule::EvenOdd, Transform::identity(), None);
}

/// Rims and seams: darker on light parts, lighter on dark ones.
fn seams(canvas: &mut Pixmap, look: &PhotoLook, part: &FigurePart, base: Rgb) {
    let light = base.iter().sum::<f32>() / 3.0;
    let tone = if light > 0.3 { brighter(base, 0.45) } else { brighter(base, 1.5) };
    let stroke = Stroke {
        width: (canvas.width() as f32 * 0.006).max(0.8),
        line_cap: LineCap::Round,
        line_join: LineJoin::Round,
        ..Stroke::default()
    };
    for line in &part.lines {
        let strength = if line.rank <= LineRank::Edge { look.rim } else { look.rim * 1.2 };
        let mut path = PathBuilder::new();
        trace(&mut path, &line.points);
        if let Some(path) = path.finish() {
            canvas.stroke_path(&path, &solid(tone, strength), &stroke, Transform::identity(), None);
        }
    }
}

/// One tile of the texture, light and dark spots on nothing.
fn tile(look: &PhotoLook, side: u32, noise: &mut Stream) -> Option<Pixmap> {
    let (strength, size) = look.pattern;
    let n = if look.texture == Texture::Grain { side / 2 } else { ((side as f32 * size) as u32).max(4) };
    let mut tile = Pixmap::new(n, n)?;
    for (i, pixel) in tile.pixels_mut().iter_mut().enumerate() {
        let (x, y) = (i as u32 % n, i as u32 / n);
        let (first, second) = (x * 2 < n, y * 2 < n);
        let value = match look.texture {
            Texture::Plain => 0.0,
            Texture::Grain => (noise.next_u32() >> 24) as f32 / 255.0 * 1.2 - 0.6,
            Texture::Stripes => f32::from(u8::from(first)) - 0.5,
            Texture::Checks => (f32::from(u8::from(first)) + f32::from(u8::from(second))) * 0.5 - 0.5,
            Texture::Dots => {
                let (dx, dy) = (x as f32 / n as f32 - 0.5, y as f32 / n as f32 - 0.5);
                if dx * dx + dy * dy < 0.06 { 1.0 } else { 0.0 }
            }
            Texture::Weave => {
                if first == second {
                    0.45
                } else {
                    -0.45
                }
            }
        };
        let tone = if value > 0.0 { [1.0; 3] } else { [0.0; 3] };
        *pixel = colour(tone, value.abs() * strength).premultiply().to_color_u8();
    }
    (look.texture != Texture::Plain).then_some(tile)
}

/// Adds the camera's noise and drops the alpha, which is 1 everywhere.
fn develop(canvas: &Pixmap, look: &PhotoLook, noise: &mut Stream) -> RgbImage {
    let mut photo = RgbImage::new(canvas.width(), canvas.height());
    let strength = (look.noise * 256.0) as i32; // whole numbers: the same on every machine
    for (pixel, from) in photo.pixels_mut().zip(canvas.pixels()) {
        let random = (noise.next_u32() >> 24) as i32 - 128;
        let shift = (random * strength) >> 15;
        pixel.0 = [from.red(), from.green(), from.blue()].map(|v| (i32::from(v) + shift).clamp(0, 255) as u8);
    }
    photo
}
