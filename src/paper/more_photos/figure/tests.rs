use super::*;
use crate::dataset::{self, Split};
use crate::file::{write_atomic, write_png};
use crate::report::figure::tests::{check, contents};
use crate::report::record::tests::write_run;
use crate::run::RunFolder;
use crate::seed::Seed;
use image::{Rgb, RgbImage};
use usvg::roxmltree::Document;

const DATASET: &str = "synth-chair";

/// A run of a row with an analysis or several, made up.
fn put(results: &Path, row: &str, seed: u64, ranks: &[u32], files: &[(&str, String)]) -> RunFolder {
    let run = RunFolder::of(results, SLUG, DATASET, row, Seed(seed));
    write_run(&run, ranks);
    for (name, text) in files {
        write_atomic(&run.0.join(format!("analysis/{name}.csv")), text.as_bytes()).unwrap();
    }
    run
}

/// A generator of strokes with attention and one of pixels, of one photo; two rows on two shares; two seeds with certainties.
fn write(results: &Path) {
    let source = dataset::open(DATASET, None).unwrap();
    let query = source.index().sketches_of(Split::Test)[0];
    let handful = || ("drawing", format!("query,photo\n{query},{}\n", source.index().sketches[query].photo));
    let point = |step: usize| format!("{query},{step},{},90,{}\n", 40 + 30 * step, step % 2);
    let points = (0..5).map(point).collect::<String>();
    let look = |at: usize| format!("{query},{},{},{}\n", at / 16, at % 16, if at % 16 == 3 { 0.4 } else { 0.04 });
    let looks = (0..80).map(look).collect::<String>();
    let strokes = [
        handful(),
        ("points", format!("query,step,x,y,lifted\n{points}")),
        ("attention", format!("query,step,position,share\n{looks}")),
    ];
    put(results, "ours-g", 0, &[1, 2, 2, 4], &strokes);
    put(results, "pix2seq", 0, &[1, 2, 3, 4], &strokes[..2]);
    let run = put(results, "pix2pix", 0, &[1, 3, 3, 4], &[handful()]);
    write_png(&run.0.join("analysis/drawing.png"), &RgbImage::from_pixel(64, 64, Rgb([255; 3]))).unwrap();
    for row in ["ours-f", "ours-f+labelled=25", "ours-f-full+labelled=50"] {
        put(results, row, 0, &[1, 1, 2, 5], &[]);
    }
    for (seed, certainty) in [0.31, 0.72].into_iter().enumerate() {
        let text = format!("query,photo,certainty,percentile\n100,0,{certainty},95\n101,0,0.1,62\n102,1,0.95,100\n");
        put(results, "ours-f-full", seed as u64, &[1, 1, 1, 2], &[("certainty", text)]);
    }
}

#[test]
fn no_records_are_no_figures() {
    let place = tempfile::tempdir().unwrap();
    assert_eq!(draw(place.path()).unwrap(), []);
    assert_eq!(named(place.path(), "growth-synth-chair").unwrap(), None);
    assert_eq!(named(place.path(), "other").unwrap(), None);
}

#[test]
fn figures_are_drawn_of_what_was_analysed() {
    let place = tempfile::tempdir().unwrap();
    write(place.path());
    let found = draw(place.path()).unwrap();
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, FIGURES.map(|name| format!("{name}-{DATASET}")));
    let said = |figure: &str| {
        let svg = &found.iter().find(|(own, _)| own.starts_with(figure)).unwrap().1;
        // Pictures are left out: their letters may spell anything.
        let bare = svg.lines().filter(|line| !line.starts_with("<image")).collect::<Vec<_>>().join("\n");
        check(figure, &bare);
        let document = Document::parse(svg).unwrap();
        let pictures = document.descendants().filter(|node| node.has_tag_name("image")).count();
        (pictures, contents(&document).join(" | "))
    };
    let (pictures, text) = said("growth");
    assert!(pictures == 12 && text.contains("2 of 5") && text.contains("40%"), "{text}");
    let (pictures, text) = said("generated");
    assert!(pictures == 5 && text.contains("Pix2Seq") && !text.contains("L2S"), "{text}");
    let (_, text) = said("certainty");
    assert!(text.contains("over 2 seeds") && text.contains("How many pairs"), "{text}");
    let (_, text) = said("labelled");
    assert!(text.contains("Ours-F: supervised") && text.contains("Ours-F-Full: semi-supervised"), "{text}");
}

#[test]
fn a_sheet_of_different_photos_is_refused() {
    let place = tempfile::tempdir().unwrap();
    write(place.path());
    let other = RunFolder::of(place.path(), SLUG, DATASET, "ours-g", Seed(0)).0.join("analysis/drawing.csv");
    write_atomic(&other, b"query,photo\n0,0\n").unwrap();
    let error = named(place.path(), "generated-synth-chair").unwrap_err().to_string();
    assert!(error.contains("ours-g") && error.contains("found others"), "{error}");
}
