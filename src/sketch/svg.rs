//! Sketches in SVG files.

use super::{CANVAS, Point, Sketch, Stroke};
use crate::{Error, Result};
use kurbo::{Affine, BezPath, PathEl};
use std::{fmt::Write, path::Path};
use usvg::{Group, ImageHrefResolver, Node, Options, Tree, tiny_skia_path::PathSegment};

/// Curves become lines that lie this near to them, in pixels of the 256 canvas: a tenth of a pixel cannot be seen.
pub const TOLERANCE: f64 = 0.1;

/// Paths may reach this far beyond the picture, in pixels of the canvas (16 canvases): flattening takes time and memory
/// that grow with a curve's size.
const FAR: f64 = 16.0 * CANVAS as f64;

/// Width of the lines that [`format()`] writes, in pixels of the canvas: the one that the corpora's ink is measured at.
const WIDTH: f32 = 3.0;

/// Reads a sketch from an SVG file.
///
/// # Errors
/// A file that cannot be read, and whatever [`parse`] refuses.
pub fn read(path: impl AsRef<Path>) -> Result<Sketch> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let text = String::from_utf8(bytes).map_err(|error| Error::data(path, "an SVG file in UTF-8", error))?;
    parse(&text, path)
}

/// Reads a sketch from the text of an SVG file; `path` is only named in errors.
///
/// Every subpath of a visible line, path or shape is a stroke, in document order, closed ones with their first point
/// repeated at the end. What is filled and has no line (a background) is left out, unless nothing in the file has a
/// line: then the outlines are the strokes. Curves are flattened to within [`TOLERANCE`]. Transforms apply, and the
/// picture (its `viewBox`, or its width and height) is scaled to fill the 256 canvas, keeping its aspect ratio, centred.
/// Text and embedded pictures are not strokes.
///
/// # Errors
/// Malformed XML, a picture without size, no visible path, a path more than 16 canvases away.
///
/// ```
/// use retrace::sketch::{Point, svg};
/// let text = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 50">
///     <path d="M 0 0 h 100 v 50" fill="none" stroke="black"/></svg>"#;
/// let sketch = svg::parse(text, "a.svg")?; // 2.56 times as large, with 64 px above and below
/// assert_eq!(sketch.strokes, [[(0.0, 64.0), (256.0, 64.0), (256.0, 192.0)].map(|(x, y)| Point::new(x, y))]);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn parse(text: &str, path: impl AsRef<Path>) -> Result<Sketch> {
    let path = path.as_ref();
    // Linked pictures are not read: a sketch file must not open other files.
    let closed = ImageHrefResolver { resolve_data: Box::new(|_, _, _| None), resolve_string: Box::new(|_, _| None) };
    let options = Options { image_href_resolver: closed, ..Options::default() };
    let tree = Tree::from_str(text, &options).map_err(|error| Error::data(path, "an SVG picture", error))?;
    let mut paths = Vec::new();
    collect(tree.root(), &mut paths);
    if paths.iter().any(|path| path.stroke().is_some()) {
        paths.retain(|path| path.stroke().is_some());
    }
    let canvas = fit(tree.size());
    let curves: Vec<BezPath> = paths.into_iter().map(|path| canvas * curves(path)).collect();
    for bounds in curves.iter().map(BezPath::control_box) {
        if [bounds.x0, bounds.y0, bounds.x1, bounds.y1].iter().any(|value| value.abs() > FAR) {
            let found = format!("one at {:.3e}, {:.3e} of the 256 canvas", bounds.center().x, bounds.center().y);
            return Err(Error::data(path, "paths inside or near the SVG picture", found));
        }
    }
    let strokes: Vec<Stroke> = curves.iter().flat_map(flatten).collect();
    if strokes.is_empty() {
        return Err(Error::data(path, "at least one visible path in the SVG picture", "none"));
    }
    let sketch = Sketch { strokes };
    sketch.check(path)?;
    Ok(sketch)
}

/// The visible paths below a group, in document order.
fn collect<'a>(group: &'a Group, paths: &mut Vec<&'a usvg::Path>) {
    for node in group.children() {
        match node {
            Node::Group(group) => collect(group, paths),
            Node::Path(path) if path.is_visible() => paths.push(path),
            _ => {}
        }
    }
}

/// From the picture's pixels to the canvas: as large as fits, centred.
fn fit(size: usvg::Size) -> Affine {
    let (width, height, canvas) = (f64::from(size.width()), f64::from(size.height()), f64::from(CANVAS));
    let scale = canvas / width.max(height);
    Affine::translate(((canvas - width * scale) / 2.0, (canvas - height * scale) / 2.0)) * Affine::scale(scale)
}

/// The subpaths of a path on the canvas as strokes.
fn flatten(path: &BezPath) -> Vec<Stroke> {
    let mut strokes: Vec<Stroke> = Vec::new();
    kurbo::flatten(path, TOLERANCE, |element| match (element, strokes.last_mut()) {
        (PathEl::MoveTo(p), _) => strokes.push(vec![Point::new(p.x as f32, p.y as f32)]),
        (PathEl::LineTo(p), Some(stroke)) => stroke.push(Point::new(p.x as f32, p.y as f32)),
        (PathEl::ClosePath, Some(stroke)) if stroke.first() != stroke.last() => stroke.extend_from_within(..1),
        _ => {} // closed already; curves are lines by now
    });
    strokes
}

/// The same path as kurbo knows it, in pixels of the picture.
fn curves(path: &usvg::Path) -> BezPath {
    let at = |p: usvg::tiny_skia_path::Point| (f64::from(p.x), f64::from(p.y));
    let mut curves = BezPath::new();
    for segment in path.data().segments() {
        match segment {
            PathSegment::MoveTo(p) => curves.move_to(at(p)),
            PathSegment::LineTo(p) => curves.line_to(at(p)),
            PathSegment::QuadTo(a, p) => curves.quad_to(at(a), at(p)),
            PathSegment::CubicTo(a, b, p) => curves.curve_to(at(a), at(b), at(p)),
            PathSegment::Close => curves.close_path(),
        }
    }
    let ts = path.abs_transform();
    Affine::new([ts.sx, ts.ky, ts.kx, ts.sy, ts.tx, ts.ty].map(f64::from)) * curves
}

/// Writes a sketch as the text of an SVG file: one polyline (or dot) a stroke, black, 3 px of 256 wide, round ends.
///
/// [`parse`] reads it back, point for point.
///
/// ```
/// use retrace::sketch::{Point, Sketch, svg};
/// let sketch = Sketch { strokes: vec![vec![Point::new(1.5, 2.0), Point::new(3.0, 4.0)]] };
/// assert!(svg::format(&sketch).contains(r#"<polyline points="1.5,2 3,4"/>"#));
/// ```
pub fn format(sketch: &Sketch) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {CANVAS} {CANVAS}\" fill=\"none\" stroke=\"black\" \
         stroke-width=\"{WIDTH}\" stroke-linecap=\"round\" stroke-linejoin=\"round\">\n"
    );
    for stroke in &sketch.strokes {
        let points: Vec<_> = stroke.iter().map(|point| format!("{},{}", point.x, point.y)).collect();
        // A polyline of one point is not drawn; a path closed at once is a dot.
        // Writing to a string cannot fail.
        let _ = match points.as_slice() {
            [] => Ok(()),
            [point] => writeln!(text, "  <path d=\"M{point} z\"/>"),
            points => writeln!(text, "  <polyline points=\"{}\"/>", points.join(" ")),
        };
    }
    text + "</svg>\n"
}

/// Writes a sketch to an SVG file.
///
/// # Errors
/// A file that cannot be written.
pub fn write(sketch: &Sketch, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    std::fs::write(path, format(sketch)).map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sketch::any_sketch;
    use proptest::prelude::*;

    const LINE: &str = r#"fill="none" stroke="black""#;

    fn strokes(body: &str) -> Vec<Vec<(f32, f32)>> {
        let text = format!(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 256 256">{body}</svg>"#);
        let sketch = parse(&text, "x.svg").unwrap();
        sketch.strokes.iter().map(|stroke| stroke.iter().map(|p| (p.x, p.y)).collect()).collect()
    }

    fn message(text: &str) -> String {
        parse(text, "x.svg").unwrap_err().to_string()
    }

    #[test]
    fn every_kind_of_shape_is_a_stroke() {
        let body = format!(
            r#"<line x1="1" y1="2" x2="3" y2="4" {LINE}/><rect x="10" y="10" width="20" height="5" {LINE}/>
            <polygon points="0,0 9,0 9,9" {LINE}/><polyline points="0,0 9,0 9,9" {LINE}/>"#
        );
        assert_eq!(
            strokes(&body),
            [
                vec![(1.0, 2.0), (3.0, 4.0)],
                vec![(10.0, 10.0), (30.0, 10.0), (30.0, 15.0), (10.0, 15.0), (10.0, 10.0)],
                vec![(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 0.0)],
                vec![(0.0, 0.0), (9.0, 0.0), (9.0, 9.0)],
            ]
        );
    }

    #[test]
    fn subpaths_are_strokes_in_document_order() {
        let body = format!(r#"<path d="M5 5 L6 5 M1 1 l2 0 0 2 z l0 9" {LINE}/><path d="M0 0 L1 0" {LINE}/>"#);
        assert_eq!(
            strokes(&body),
            [
                vec![(5.0, 5.0), (6.0, 5.0)],
                vec![(1.0, 1.0), (3.0, 1.0), (3.0, 3.0), (1.0, 1.0)],
                vec![(1.0, 1.0), (1.0, 10.0)],
                vec![(0.0, 0.0), (1.0, 0.0)],
            ]
        );
    }

    #[test]
    fn curves_stay_within_the_tolerance() {
        // A circle, an arc, a cubic and a quadratic, all of them parts of the circle of radius 100 about the centre.
        for body in [
            format!(r#"<circle cx="128" cy="128" r="100" {LINE}/>"#),
            format!(r#"<path d="M 228 128 A 100 100 0 0 1 128 228" {LINE}/>"#),
            format!(r#"<g transform="scale(100)"><circle cx="1.28" cy="1.28" r="1" {LINE}/></g>"#),
        ] {
            let points = strokes(&body).concat();
            assert!(points.len() > 8, "{}", points.len());
            for pair in points.windows(2) {
                for (x, y) in [pair[0], ((pair[0].0 + pair[1].0) / 2.0, (pair[0].1 + pair[1].1) / 2.0)] {
                    let radius = (x - 128.0).hypot(y - 128.0);
                    // A cubic's quarter circle is off by 0.03 px itself.
                    assert!((radius - 100.0).abs() < 0.15, "{radius}");
                }
            }
        }
        // A parabola: y = x^2 / 256 from (0, 0) to (256, 256).
        for (x, y) in strokes(&format!(r#"<path d="M 0 0 Q 128 0 256 256" {LINE}/>"#)).concat() {
            assert!((y - x * x / 256.0).abs() < 0.05, "{x} {y}");
        }
    }

    #[test]
    fn transforms_and_units_apply() {
        let body = format!(r#"<g transform="translate(10 20)"><line x2="5" y2="0" transform="scale(2)" {LINE}/></g>"#);
        assert_eq!(strokes(&body), [[(10.0, 20.0), (20.0, 20.0)]]);
        let tall = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="64" height="128" viewBox="0 0 32 64"><line x2="32" y2="64" {LINE}/></svg>"#
        );
        assert_eq!(parse(&tall, "a").unwrap().strokes, [vec![Point::new(64.0, 0.0), Point::new(192.0, 256.0)]]);
    }

    #[test]
    fn backgrounds_and_hidden_lines_are_no_strokes() {
        let ground = r#"<rect width="256" height="256" fill="white"/>"#;
        let line = format!(r#"<line x2="9" y2="9" {LINE}/>"#);
        let hidden = format!(r#"<g display="none">{line}</g><g visibility="hidden">{line}</g>"#);
        assert_eq!(strokes(&format!("{ground}{hidden}{line}")), [[(0.0, 0.0), (9.0, 9.0)]]);
        assert_eq!(
            strokes(r#"<path d="M0 0 H9 V9 Z" fill="black"/>"#),
            [[(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 0.0)]]
        );
    }

    #[test]
    fn parse_names_what_is_wrong() {
        assert!(message("").starts_with("x.svg: expected an SVG picture, found "));
        assert!(message("<svg").starts_with("x.svg: expected an SVG picture, found "));
        assert!(message("<html></html>").starts_with("x.svg: expected an SVG picture, found "));
        let none = "x.svg: expected at least one visible path in the SVG picture, found none";
        let open = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">"#;
        assert_eq!(message(&format!("{open}</svg>")), none);
        assert_eq!(message(&format!(r#"{open}<text x="1" y="5">no</text><path d="" {LINE}/></svg>"#)), none);
        assert_eq!(message(&format!(r#"{open}<path d="M NaN 0 L 1 1" {LINE}/></svg>"#)), none);
        let flat = r#"<svg xmlns="http://www.w3.org/2000/svg" width="0" height="9"><path d="M0 0L1 1"/></svg>"#;
        assert!(message(flat).contains("an SVG picture"), "{}", message(flat));
        let wild = message(&format!(r#"{open}<path d="M 0 0 C 1e30 0 0 1e30 1 1" {LINE}/></svg>"#));
        assert!(wild.starts_with("x.svg: expected paths inside or near the SVG picture, found one at"), "{wild}");
        assert!(read("no/such/file.svg").unwrap_err().to_string().starts_with("no/such/file.svg"));
    }

    #[test]
    fn svg_files_round_trip() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.svg");
        let sketch = Sketch {
            strokes: vec![
                vec![Point::new(0.1, 255.9)],
                vec![Point::new(1.0, 1.0); 2],
                vec![Point::new(1.0, 2.0), Point::new(3.0, 4.0)],
            ],
        };
        write(&sketch, &path).unwrap();
        assert_eq!(read(&path).unwrap(), sketch);
        std::fs::write(&path, [0xff, 0xfe, 0x00]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("UTF-8"));
    }

    proptest! {
        #[test]
        fn svg_reads_back_exactly(sketch in any_sketch()) {
            prop_assert_eq!(parse(&format(&sketch), "a").unwrap(), sketch);
        }

        #[test]
        fn parse_never_panics(text in r#"(<svg viewBox="0 0 9 9">)?(<path d="[MmLlHhVvCcSsQqTtAaZz0-9 .eE+-]{0,30}"/>)?.{0,10}(</svg>)?"#) {
            let _ = parse(&text, "a");
        }
    }
}
