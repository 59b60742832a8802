//! Every figure is drawn from made-up runs and its structure checked. With `RETRACE_FIGURES` set to a folder the
//! drawings are also written there, to be looked at.

use super::canvas::{TextSize, width};
use super::early::Shown;
use super::{at_k, axis, bar, curve, early, font, gallery, heat, histogram, panel, picture_grid, scatter, surface};
use crate::file::write_atomic;
use crate::metric::Interval;
use crate::report::record::tests::{write_epochs, write_origin, write_run};
use crate::report::table::{Measured, tests::spec};
use crate::report::{records::Records, table, table::MeanSd};
use crate::run::{Rank, RunFolder};
use image::{Rgb, RgbImage};
use serde_json::json;
use std::path::Path;
use usvg::roxmltree::{Document, Node};

fn at(results: &Path, row: &str, seed: u64) -> RunFolder {
    RunFolder(results.join(format!("p/d/{row}/seed{seed}")))
}

/// Runs whose accuracy at p percent and at epoch e is known: the higher `skill`, the better.
fn write_fake(results: &Path, row: &str, seed: u64, skill: u32) {
    let folder = at(results, row, seed);
    let found = |share: u32| {
        let hits = (skill + 2 * seed as u32) * share / 100;
        (0..100).map(|i| if i < hits { 1 } else { 7 }).collect::<Vec<u32>>()
    };
    write_run(&folder, &found(100));
    let own = folder.ranks().unwrap();
    let step = |percent: u32| {
        let ranks = found(percent.min(70) * 100 / 70);
        (percent, own.iter().zip(ranks).map(|(own, rank)| Rank { rank, ..*own }).collect::<Vec<_>>())
    };
    folder.write_early(&(1..=10).map(|tenth| step(10 * tenth)).collect::<Vec<_>>()).unwrap();
    let line = |epoch: i32| {
        let loss = 0.3 / f64::from(epoch) + 0.001 * f64::from(skill) + 0.004 * seed as f64;
        let valid = f64::from(skill) * (1.0 - 0.9_f64.powi(epoch)) + seed as f64;
        json!({"epoch": epoch, "loss": loss, "valid_acc1": valid, "seconds": 1.5})
    };
    write_origin(&folder, json!({"fit": {"epochs": 40}}), |_| {});
    write_epochs(&folder, &(1..=40).map(line).collect::<Vec<_>>());
}

fn fake_results() -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    for seed in 0..3 {
        write_fake(place.path(), "ours", seed, 48);
        write_fake(place.path(), "ours-base", seed, 40);
        write_fake(place.path(), "zero-shot", seed, 39);
    }
    place
}

const ROWS: [(&str, &str); 4] =
    [("ours", "Ours"), ("ours-base", "Ours-Base"), ("zero-shot", "Zero-shot"), ("absent", "Absent")];

pub(crate) fn texts<'a>(document: &'a Document<'a>) -> Vec<Node<'a, 'a>> {
    document.descendants().filter(|node| node.has_tag_name("text")).collect()
}

pub(crate) fn number(node: &Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// What holds for every figure: well formed, own font, legible sizes, every text inside the picture.
pub(crate) fn check(name: &str, svg: &str) {
    if let Some(folder) = std::env::var_os("RETRACE_FIGURES") {
        write_atomic(&Path::new(&folder).join(format!("{name}.svg")), svg.as_bytes()).unwrap();
    }
    let document = Document::parse(svg).unwrap();
    let root = document.root_element();
    let (w, h) = (number(&root, "width"), number(&root, "height"));
    assert!(svg.contains("@font-face{font-family:\"DejaVu Sans\";font-weight:bold;src:url(data:font/ttf;base64,"));
    assert!(!svg.contains("NaN") && !svg.contains("/work/"));
    for node in texts(&document) {
        assert_eq!(node.attribute("font-family"), Some("DejaVu Sans"));
        let size = number(&node, "font-size");
        assert!(size >= 11.0, "{:?} at {size} px", node.text());
        let content = node.text().unwrap().trim();
        let measured = match (node.attribute("font-weight"), size > 12.5) {
            (Some("bold"), true) => TextSize::Title,
            (Some("bold"), false) => TextSize::Bold,
            (_, true) => TextSize::Normal,
            _ => TextSize::Small,
        };
        let length = f64::from(width(content, measured).unwrap());
        let (x, y) = (number(&node, "x"), number(&node, "y"));
        let start = match node.attribute("text-anchor") {
            Some("end") => x - length,
            Some("middle") => x - length / 2.0,
            _ => x,
        };
        if node.attribute("transform").is_none() {
            assert!(start >= 0.0 && start + length <= w, "{name}: {content} from {start} to {}", start + length);
        }
        assert!(y > 0.0 && y < h, "{name}: {content} at height {y} of {h}");
    }
}

#[test]
fn early_draws_means_and_bands() {
    let place = fake_results();
    let title = "Early retrieval on fake runs";
    let svg = early::draw(place.path(), "p", "d", title, &ROWS).unwrap().unwrap();
    check("early", &svg);
    assert!(svg.len() < 60_000, "{} bytes", svg.len());
    assert_eq!(svg, early::draw(place.path(), "p", "d", title, &ROWS).unwrap().unwrap());
    let document = Document::parse(&svg).unwrap();
    let label = |name: &str| texts(&document).into_iter().find(|node| node.text().unwrap().trim() == name);
    let heights: Vec<f64> = ["Ours", "Ours-Base", "Zero-shot"].map(|name| number(&label(name).unwrap(), "y")).to_vec();
    assert!(heights[1] - heights[0] >= 16.0 && heights[2] - heights[1] >= 16.0, "{heights:?}");
    assert!(label("Absent").is_none());
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("polygon")).count(), 2 * (3 + 30)); // two panels of bands and marks
    assert!(early::draw(place.path(), "p", "none", title, &ROWS).unwrap().is_none());
}

#[test]
fn early_shows_the_ks_that_it_is_told_whatever_its_note() {
    let place = fake_results();
    let said = |ks: &[u32], more: &str| {
        let svg = early::draw_shown(place.path(), "p", "d", "T", &ROWS, Shown { ks, more }).unwrap().unwrap();
        contents(&Document::parse(&svg).unwrap()).join(" | ")
    };
    let noted = said(&[1, 10], "see there");
    assert!(noted.contains("T: Acc@1 |") && noted.contains("T: Acc@10 |"), "{noted}");
    assert_eq!(noted.matches("deviation; see there").count(), 2);
    let alone = said(&[10], "");
    assert!(!alone.contains("Acc@1 ") && alone.contains("one standard deviation |"), "{alone}");
}

#[test]
fn curve_draws_every_row() {
    let place = fake_results();
    let svg = curve::draw(place.path(), "p", "d", "Fake", &ROWS).unwrap().unwrap();
    check("curve", &svg);
    assert!(svg.len() < 50_000, "{} bytes", svg.len());
    let document = Document::parse(&svg).unwrap();
    for name in [
        "Fake: training loss",
        "Fake: validation accuracy",
        "Epoch",
        "Acc@1 (%)",
        "mean over 3 seeds; band: ± one standard deviation",
    ] {
        assert!(texts(&document).iter().any(|node| node.text().unwrap().trim() == name), "{name}");
    }
    assert_eq!(
        document
            .descendants()
            .filter(|node| node.has_tag_name("polyline"))
            .filter(|n| n.attribute("stroke-width") == Some("2"))
            .count(),
        6
    );
    assert!(curve::draw(place.path(), "p", "none", "Fake", &ROWS).unwrap().is_none());
    // A title that is longer than its panel goes to a second line; a word that is longer is an error, not cut.
    let long = "Curves of a corpus with quite a long name, longer than a panel";
    check("curve-long", &curve::draw(place.path(), "p", "d", long, &ROWS).unwrap().unwrap());
    let error = curve::draw(place.path(), "p", "d", &"x".repeat(90), &ROWS).unwrap_err().to_string();
    assert!(error.contains("pixels") && error.contains("xxx"), "{error}");
}

/// No deviation is dropped: a single point of several seeds has a bar where its line has no band.
#[test]
fn panel_draws_a_bar_at_a_single_point_of_several_seeds() {
    let drawn = |sds: [Option<f64>; 4]| {
        let point = |(i, sd): (usize, Option<f64>)| panel::PointSpread { x: i as f64, mean: 5.0, sd };
        let points = sds.into_iter().enumerate().map(point).collect();
        let line = panel::PanelLine { label: "a".into(), points, seeds: Vec::new() };
        let panel = panel::Panel {
            title: "t".into(),
            note: String::new(),
            x: axis::Axis::new("x", (0.0, 3.0)),
            y: axis::Axis::new("y", (0.0, 10.0)),
            lines: vec![line],
            levels: Vec::new(),
            marks: false,
            deviation: panel::Deviation::Band,
        };
        let svg = panel::draw_row((400, 300), &[panel]).unwrap();
        let document = Document::parse(&svg).unwrap();
        let blue = |node: &Node<'_, '_>| node.attribute("stroke") == Some("#0072B2") && node.has_tag_name("polyline");
        let thin = document.descendants().filter(|n| blue(n) && n.attribute("stroke-width") == Some("1")).count();
        (thin, document.descendants().filter(|node| node.has_tag_name("polygon")).count())
    };
    assert_eq!(drawn([None, Some(1.0), None, None]), (3, 0)); // the bar and its two ends
    assert_eq!(drawn([Some(1.0), Some(1.0), None, Some(2.0)]), (3, 1));
    assert_eq!((drawn([Some(1.0); 4]), drawn([None; 4])), ((0, 1), (0, 0)));
}

#[test]
fn a_log_line_that_is_no_epoch_is_named() {
    let place = tempfile::tempdir().unwrap();
    let folder = at(place.path(), "ours", 0);
    let path = folder.0.join("log.jsonl");
    write_atomic(&path, b"{}\n{\"epoch\": 1, \"loss\": 2.0}\n{\"epoch\": 2}\n{\"epoch\": 1, \"loss\": 3.0}\n").unwrap();
    assert_eq!(curve::read_log(&folder, "loss").unwrap(), [(1.0, 3.0)]);
    for bad in ["{}\n{\"loss\": 2.0}\n", "{}\nnot json\n"] {
        write_atomic(&path, bad.as_bytes()).unwrap();
        let error = curve::read_log(&folder, "loss").unwrap_err().to_string();
        assert!(error.contains("log.jsonl") && error.contains("line 2"), "{error}");
    }
}

#[test]
fn bar_draws_means_whiskers_and_printed_numbers() {
    let place = tempfile::tempdir().unwrap();
    let mut table = table::build(place.path(), &spec()).unwrap();
    let measured = |acc1: MeanSd| Measured {
        acc1,
        acc5: acc1,
        acc10: acc1,
        percentile: None,
        seeds: 3,
        queries: 9,
        gallery: 9,
        photos: 9,
        select_on: "valid acc1".into(),
    };
    table.lines[0].measured = Some(measured((16.7, None)));
    table.lines[1].measured = Some(measured((51.2, Some(1.4))));
    table.lines[3].measured = Some(measured((100.0, Some(0.5))));
    let svg = bar::draw(&table).unwrap();
    check("bar", &svg);
    assert!(svg.len() < 50_000, "{} bytes", svg.len());
    let document = Document::parse(&svg).unwrap();
    let contents: Vec<&str> = texts(&document).iter().map(|node| node.text().unwrap().trim()).collect();
    assert!(
        contents.contains(&"51.2 ± 1.4, 3 seeds   (paper 67.82)") && contents.contains(&"not run   (paper 71.70)"),
        "{contents:?}"
    );
    let lengths: Vec<f64> = document
        .descendants()
        .filter(|node| node.has_tag_name("rect") && number(node, "height") == 14.0)
        .map(|node| number(&node, "width"))
        .collect();
    assert_eq!(lengths, [67.0, 205.0, 400.0]); // 400 px are 100%
}

/// A picture that shows its number as so many stripes.
fn picture(stripes: u32, side: u32) -> RgbImage {
    RgbImage::from_fn(side, side * 3 / 4, |x, y| {
        if (x / 8).is_multiple_of(2) && x / 16 < stripes {
            Rgb([30, 90, 160])
        } else {
            Rgb([230, 230 - (y % 20) as u8, 210])
        }
    })
}

#[test]
fn gallery_frames_the_own_photo() {
    let photos = |count: u32| (0..count).map(|i| (picture(i + 1, 200), 0.25 + 0.1 * i as f32)).collect::<Vec<_>>();
    let query = |label: &str, own, rank| gallery::GalleryQuery {
        label: label.into(),
        sketch: picture(0, 256),
        photos: photos(6),
        own,
        is_appended: rank > 6,
        rank,
    };
    let mut whole = gallery::GalleryFigure {
        title: "What was found for two sketches".into(),
        distance: "rank and Euclidean distance of the features".into(),
        queries: vec![query("Ours", Some(0), 1), query("Ours-Base", Some(3), 4), query("Zero-shot", Some(5), 31)],
    };
    let svg = gallery::draw(&whole).unwrap();
    check("gallery", &svg);
    let document = Document::parse(&svg).unwrap();
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("image")).count(), 3 * 7);
    let frames: Vec<_> = document.descendants().filter(|n| n.attribute("stroke-width") == Some("3")).collect();
    assert_eq!(frames.len(), 3); // the third stands apart, at its rank
    assert!(texts(&document).iter().any(|node| node.text().unwrap().trim() == "Zero-shot: own photo at rank 31"));
    assert!(texts(&document).iter().any(|node| node.text().unwrap().trim() == "#4: 0.550"));
    assert!(texts(&document).iter().any(|node| node.text().unwrap().trim().starts_with("#31: ")));
    whole.queries[0].own = Some(6);
    assert!(gallery::draw(&whole).unwrap_err().to_string().contains("below 6"));
    whole.queries[0] = gallery::GalleryQuery { sketch: RgbImage::new(0, 3), ..query("Ours", None, 1) };
    assert!(gallery::draw(&whole).is_err());
    whole.queries.clear();
    assert!(gallery::draw(&whole).is_err());
}

#[test]
fn at_k_rises_with_k() {
    let place = fake_results();
    let records = Records { results: place.path(), slug: "p", dataset: "d" };
    let svg = at_k::draw(&records, "Acc@K on fake runs", &ROWS).unwrap().unwrap();
    check("at-k", &svg);
    let found = contents(&Document::parse(&svg).unwrap());
    assert!(found.iter().any(|content| content == "10") && !found.iter().any(|content| content == "Absent"));
    assert!(at_k::draw(&Records { dataset: "none", ..records }, "T", &ROWS).unwrap().is_none());
}

#[test]
fn picture_grid_draws_pictures_frames_and_axes() {
    let picture = |shade| RgbImage::from_pixel(16, 16, Rgb([shade; 3]));
    let cell =
        |shade: u8, framed| picture_grid::PictureCell { framed, ..picture_grid::PictureCell::plain(picture(shade)) };
    let row = |label: &str| picture_grid::PictureRow {
        label: label.into(),
        cells: vec![
            cell(0, false),
            picture_grid::PictureCell { caption: "0.50".into(), ..cell(100, true) },
            cell(200, false),
        ],
    };
    let line = panel::PanelLine::of("used", vec![vec![(0.0, 1.0), (1.0, 3.0)]]).unwrap();
    let beside = panel::Panel {
        title: "Beside".into(),
        note: "one seed".into(),
        x: axis::Axis::new("epoch", (0.0, 1.0)),
        y: axis::Axis::new("share", (0.0, 4.0)),
        lines: vec![line],
        levels: Vec::new(),
        marks: true,
        deviation: panel::Deviation::Band,
    };
    let mut grid = picture_grid::PictureGrid {
        title: "Pictures under heat maps".into(),
        note: "a longer note ".repeat(12),
        heads: vec![("plain".into(), 1), ("under heat".into(), 2)],
        rows: vec![row("mug"), row("teddy bear")],
        beside: Some(beside),
    };
    let svg = picture_grid::draw(&grid).unwrap();
    check("picture-grid", &svg);
    let document = Document::parse(&svg).unwrap();
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("image")).count(), 6);
    assert!(contents(&document).iter().any(|content| content == "share"));
    grid.rows[0].cells.pop();
    assert!(picture_grid::draw(&grid).unwrap_err().to_string().contains("mug: expected 3 pictures"));
    grid.rows.clear();
    assert!(picture_grid::draw(&grid).is_err());
}

#[test]
fn histogram_draws_bars_of_one_series_or_two() {
    let bar = |label: &str, values: &[f64]| histogram::HistogramBar {
        label: label.into(),
        values: values.to_vec(),
        bold: label == "owl",
    };
    let part = |title: &str, series: &[&str], bars| histogram::HistogramPart {
        title: title.into(),
        note: "30 sketches".into(),
        series: series.iter().map(|name| name.to_string()).collect(),
        bars,
        pictures: vec![(RgbImage::from_pixel(8, 8, Rgb([90; 3])), "owl".into())],
    };
    let one = part("Word 7", &[], vec![bar("owl", &[20.0]), bar("mug", &[0.0])]);
    let two = part("A pair", &["owl", "mug"], vec![bar("word 7", &[20.0, 3.0])]);
    let mut figure =
        histogram::Histograms { title: "Bars".into(), note: "N".into(), parts: vec![one, two], columns: 2 };
    let svg = histogram::draw(&figure).unwrap();
    check("histogram", &svg);
    let document = Document::parse(&svg).unwrap();
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("image")).count(), 2);
    assert!(contents(&document).iter().any(|content| content == "20, 3"));
    figure.parts[1].bars[0].values.pop();
    assert!(histogram::draw(&figure).unwrap_err().to_string().contains("each of 2 finite lengths"));
    figure.parts.clear();
    assert!(histogram::draw(&figure).is_err());
}

#[test]
fn the_embedded_font_has_every_letter_of_the_figure() {
    let place = fake_results();
    let svg = early::draw(place.path(), "p", "d", "Früh ± 3", &ROWS).unwrap().unwrap();
    let used = font::characters(&svg, true);
    assert_eq!(used.into_iter().collect::<String>(), " 013:@AFchr±ü");
}

/// A valley over 21 x 21 points: the loss rises by `steepness` at a distance of 1.
fn valley(label: &str, steepness: f64) -> surface::Surface {
    let line: Vec<f64> = (-10..=10).map(|i| f64::from(i) / 10.0).collect();
    let height =
        |(x, y): (f64, f64)| 0.05 + steepness * (x * x + y * y + 0.1 * (5.0 * x).sin() * (4.0 * y).cos()).abs();
    let height = line.iter().flat_map(|x| line.iter().map(move |y| (*x, *y))).map(height).collect();
    surface::Surface { label: label.into(), x: line.clone(), y: line, height }
}

pub(crate) fn contents(document: &Document<'_>) -> Vec<String> {
    texts(document).iter().map(|node| node.text().unwrap().trim().to_string()).collect()
}

#[test]
fn surface_draws_surfaces_maps_and_scale() {
    let mut whole = surface::Landscapes {
        title: "Loss around the trained weights, fake".into(),
        note: "filter-normalised random directions; the same ones and the same scale for both".into(),
        x: "first direction".into(),
        y: "second direction".into(),
        height: "training loss".into(),
        surfaces: vec![valley("Ours-Base", 1.2), valley("Ours", 0.4)],
    };
    let svg = surface::draw(&whole).unwrap();
    check("surface", &svg);
    assert!(svg.len() < 500_000, "{} bytes", svg.len());
    assert_eq!(svg, surface::draw(&whole).unwrap());
    let document = Document::parse(&svg).unwrap();
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("image")).count(), 2);
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("polygon")).count(), 2 * 20 * 20);
    let found = contents(&document);
    for name in ["Ours-Base", "Ours", "training loss", "first direction", "0.0", "2.6"] {
        assert!(found.iter().any(|content| content == name), "{name}: {found:?}");
    }
    whole.surfaces[0].height.iter_mut().for_each(|height| *height *= 1000.0);
    let svg = surface::draw(&whole).unwrap();
    check("surface-wide", &svg);
    assert!(contents(&Document::parse(&svg).unwrap()).iter().any(|content| content == "log10 of training loss"));
    whole.surfaces.truncate(1);
    whole.note = "filter-normalised random directions".into();
    check("surface-one", &surface::draw(&whole).unwrap());
    whole.surfaces.clear();
    assert!(surface::draw(&whole).is_err());
}

#[test]
fn scatter_draws_clouds_and_key() {
    let cloud = |label: &str, dx: f64, count: u32| {
        let point = |i: u32| {
            let angle = f64::from(i) * 2.4; // about the golden angle: an even disc
            let radius = 0.12 * f64::from(i).sqrt();
            (dx + radius * angle.cos(), radius * angle.sin())
        };
        scatter::PointCloud { label: label.into(), points: (0..count).map(point).collect() }
    };
    let part = |title: &str, dx| scatter::ScatterPart {
        title: title.into(),
        note: "domain classifier: 97.5% right (chance: 50%)".into(),
        x: "first principal direction".into(),
        y: "second principal direction".into(),
        clouds: vec![cloud("sketches", 0.0, 150), cloud("photos", dx, 50)],
    };
    let whole = scatter::Scatter {
        title: "Features in a plane, fake".into(),
        note: "a percentage is not of the plane ".repeat(6), // too long for one line
        parts: vec![part("Photos only", 3.0), part("Cross-domain", 0.2)],
        border: Some(1.5),
    };
    let svg = scatter::draw(&whole).unwrap();
    check("scatter", &svg);
    assert!(svg.len() < 100_000, "{} bytes", svg.len());
    assert_eq!(svg, scatter::draw(&whole).unwrap());
    let document = Document::parse(&svg).unwrap();
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("polygon")).count(), 2 * (200 + 2)); // and the key
    let found = contents(&document);
    assert_eq!(found.iter().filter(|content| *content == "photos").count(), 2);
    let edges = document.descendants().filter(|node| node.attribute("stroke") == Some("#FFFFFF")).count();
    assert_eq!(edges, 2 * 50); // around the photos, which are fewer and lie on top
    assert_eq!(found.iter().filter(|content| content.matches("percentage").count() > 1).count(), 2); // lines of the note
    let empty = scatter::ScatterPart { clouds: vec![], ..whole.parts[0].clone() };
    assert!(scatter::draw(&scatter::Scatter { parts: vec![empty], ..whole }).is_err());
}

#[test]
fn heat_draws_cells_and_differences() {
    let names = ["INet", "JSaw", "BTwins", "CLIP", "OBOW"].map(String::from).to_vec();
    let mut values: Vec<Option<f64>> = (0..25).map(|i| Some(40.0 + 0.47 * f64::from(i))).collect();
    values[7] = None;
    let gain = |value: &Option<f64>| value.map(|value| Interval::of(value - 43.0, 1.5, 40.0).unwrap());
    let mut whole = heat::Heat {
        title: "Accuracy by pre-training and by source of the ranking, fake".into(),
        note: "Acc@1 (%), mean over 3 seeds".into(),
        row: "pre-training".into(),
        column: "source of R".into(),
        rows: names.clone(),
        columns: names,
        gains: values.iter().map(gain).collect(),
        values,
        base: ("Base".into(), vec![Some(43.0), Some(43.0), None, Some(43.0), Some(43.0)]),
        decimals: 1,
    };
    let svg = heat::draw(&whole).unwrap();
    check("heat", &svg);
    assert!(svg.len() < 60_000, "{} bytes", svg.len());
    let document = Document::parse(&svg).unwrap();
    let found = contents(&document);
    for content in
        ["40.0", "51.3", "not run", "pre-training", "source of R", "Base", "-3.0", "[-6.0, 0.0]", "+8.3", "+8", "-8"]
    {
        assert!(found.iter().any(|found| found == content), "{content}: {found:?}");
    }
    let fills = |colour: &str| document.descendants().filter(|n| n.attribute("fill") == Some(colour)).count();
    assert_eq!(fills("#0072B2"), 2); // the largest gain and its place in the key
    assert_eq!(fills("#F5F5F5"), 4 + 1); // what is compared with, and nothing gained
    whole.base.1.pop();
    assert!(heat::draw(&whole).unwrap_err().to_string().contains("5 values"));
    whole.base.1.push(None);
    whole.gains.pop();
    assert!(heat::draw(&whole).unwrap_err().to_string().contains("25 gains"));
    whole.gains.push(None);
    whole.values[3] = Some(f64::NAN);
    assert!(heat::draw(&whole).is_err());
    whole.values.pop();
    assert!(heat::draw(&whole).unwrap_err().to_string().contains("5 x 5"));
}
