use super::*;
use crate::paper::photo_pretraining::table::{PRETRAININGS, base, cross, weighed};
use crate::paper::photo_pretraining::{Query, analysis::separated};
use crate::report::analysis::Folder;
use crate::report::figure::canvas;
use crate::report::figure::tests::{check, contents, number, texts};
use crate::report::{record::tests::write_run, score::tests::write_early};
use crate::run::RunFolder;
use crate::seed::Seed;
use plotters::style::RGBColor;
use polars::prelude::*;
use std::collections::BTreeSet;
use usvg::roxmltree::Document;

const DATASET: &str = "synth-chair";

fn folder(results: &Path, row: &str, seed: u64) -> RunFolder {
    RunFolder::of(results, SLUG, DATASET, row, Seed(seed))
}

/// A run of 20 queries, `hits` of them right: 5% each.
fn write(results: &Path, row: &str, seed: u64, hits: usize) {
    write_run(&folder(results, row, seed), &(0..20).map(|i| if i < hits { 1 } else { 7 }).collect::<Vec<u32>>());
}

/// Three seeds, each a query better than the one before: a deviation of 5%.
fn write_three(results: &Path, row: &str, hits: usize) {
    (0..3).for_each(|seed| write(results, row, seed, hits - 1 + seed as usize));
}

/// Rows at every weight: one seed, three of them at weight 1.
fn write_sweep(results: &Path, weights: Option<&str>, query: Query, hits: usize) {
    for beta in ["0.1", "0.3", "3", "10"] {
        write(results, &weighed(weights, query, beta), 0, hits);
    }
    write_three(results, &weighed(weights, query, "1"), hits);
}

type Points = Vec<(f64, f64)>;

/// The lines of a colour of the palette and of a width, each as its points in pixels.
fn lines(document: &Document<'_>, colour: usize, wide: &str) -> Vec<Points> {
    let RGBColor(red, green, blue) = canvas::PALETTE[colour];
    let stroke = format!("#{red:02X}{green:02X}{blue:02X}");
    let point = |pair: &str| {
        let (x, y) = pair.split_once(',').unwrap();
        (x.parse().unwrap(), y.parse().unwrap())
    };
    let lines = document.descendants().filter(|node| node.has_tag_name("polyline"));
    let lines = lines.filter(|node| node.attribute("stroke") == Some(stroke.as_str()));
    let lines = lines.filter(|node| node.attribute("stroke-width") == Some(wide));
    lines.map(|node| node.attribute("points").unwrap().split_whitespace().map(point).collect()).collect()
}

/// Upright lines: the bars of points of several seeds, without their ends.
fn bars(document: &Document<'_>, colour: usize) -> Vec<Points> {
    lines(document, colour, "1").into_iter().filter(|line| line[0].0 == line[1].0).collect()
}

/// Heights of the dashed lines, which lie level and whose dashes are shorter than the ends of a bar.
fn dashed(document: &Document<'_>, colour: usize) -> BTreeSet<i64> {
    let dashes = lines(document, colour, "1").into_iter();
    let dashes = dashes.filter(|line| line[0].1 == line[1].1 && (line[1].0 - line[0].0).abs() <= 6.0);
    dashes.map(|line| line[0].1 as i64).collect()
}

/// Everything that stands above the axes and beside them, in one text.
fn said(document: &Document<'_>) -> String {
    contents(document).join(" ")
}

#[test]
fn the_weight_has_its_own_ticks_and_points_of_three_seeds_have_bars() {
    let place = tempfile::tempdir().unwrap();
    assert!(fig2a(place.path(), DATASET).unwrap().is_none());
    write_sweep(place.path(), None, Query::Sketch, 8);
    write(place.path(), &weighed(None, Query::Photo, "1"), 0, 9);
    write(place.path(), &weighed(None, Query::Photo, "3"), 0, 9);
    write_three(place.path(), "ours-base", 10);
    let svg = fig2a(place.path(), DATASET).unwrap().unwrap();
    check("fig2a", &svg);
    let document = Document::parse(&svg).unwrap();
    let found = contents(&document);
    let ticks: Vec<&str> =
        ["0.1", "0.3", "1", "3", "10"].into_iter().filter(|tick| found.iter().any(|text| text == tick)).collect();
    assert_eq!(ticks.len(), 5, "{found:?}");
    assert!(!found.iter().any(|text| text.starts_with('-')), "{found:?}");
    // Photos were asked twice with one seed each; sketches at five weights, three seeds at the third of them.
    assert_eq!((bars(&document, 0).len(), bars(&document, 1).len()), (0, 1));
    let (line, bar) = (&lines(&document, 1, "2")[0], &bars(&document, 1)[0]);
    assert_eq!((line.len(), lines(&document, 0, "2")[0].len()), (5, 2));
    assert_eq!(bar[0].0, line[2].0);
    assert!(((bar[0].1 + bar[1].1) / 2.0 - line[2].1).abs() <= 1.0, "{bar:?} {line:?}");
    // Means of 40 and 50, and a bar of 5 to either side: half of what lies between line and level.
    let level = *dashed(&document, 2).first().unwrap() as f64;
    assert_eq!((dashed(&document, 2).len(), bars(&document, 2).len()), (1, 1));
    assert!(((bar[0].1 - bar[1].1).abs() - (line[0].1 - level)).abs() <= 2.0, "{bar:?} {line:?} {level}");
    let said = said(&document);
    assert!(said.contains("(mean ± one standard deviation): 3 seeds; points without: one seed."), "{said}");
}

#[test]
fn every_pre_training_stands_beside_its_base() {
    let place = tempfile::tempdir().unwrap();
    for (i, own) in PRETRAININGS.into_iter().enumerate() {
        write_sweep(place.path(), own.weights, Query::Sketch, 3 * (i + 1));
        if own.weights != Some("obow") {
            write_three(place.path(), &base(own), 3 * i + 2);
        }
    }
    let svg = fig3(place.path(), DATASET).unwrap().unwrap();
    check("fig3", &svg);
    let document = Document::parse(&svg).unwrap();
    let found = contents(&document);
    for (i, own) in ["supervised", "Jigsaw", "Barlow Twins", "CLIP", "OBOW"].into_iter().enumerate() {
        let has_base = own != "OBOW";
        assert_eq!(lines(&document, i, "2").len(), 1, "{own}");
        assert_eq!(dashed(&document, i).len(), usize::from(has_base), "{own}");
        assert_eq!(bars(&document, i).len(), 1 + usize::from(has_base), "{own}"); // weight 1, and the level
        assert_eq!(found.iter().filter(|text| *text == own).count(), 1, "{own}: {found:?}");
    }
    // Five lines of five points and four levels, each line with a shape of its own.
    let polygons = document.descendants().filter(|node| node.has_tag_name("polygon"));
    let shape = |points: &str| {
        let pairs = points.split_whitespace().map(|pair| pair.split_once(',').unwrap());
        let numbers: Vec<(i64, i64)> = pairs.map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap())).collect();
        numbers.iter().map(|(x, y)| (x - numbers[0].0, y - numbers[0].1)).collect::<Vec<_>>()
    };
    let shapes: Vec<_> = polygons.map(|node| shape(node.attribute("points").unwrap())).collect();
    assert_eq!((shapes.len(), shapes.into_iter().collect::<BTreeSet<_>>().len()), (25 + 4, 5));
}

#[test]
fn the_matrix_says_how_far_a_cell_is_from_its_base() {
    let place = tempfile::tempdir().unwrap();
    let [supervised, jigsaw, ..] = PRETRAININGS;
    write_three(place.path(), &base(supervised), 10);
    write_three(place.path(), &cross(supervised, supervised), 12);
    assert!(table4(place.path(), DATASET).unwrap().is_none()); // nothing is crossed yet
    write(place.path(), &cross(supervised, jigsaw), 0, 7);
    write(place.path(), &cross(jigsaw, supervised), 0, 4); // without a base
    let svg = table4(place.path(), DATASET).unwrap().unwrap();
    check("table4", &svg);
    let document = Document::parse(&svg).unwrap();
    let found = contents(&document);
    let count = |content: &str| found.iter().filter(|found| *found == content).count();
    for content in ["Ours-Base", "50.0", "60.0", "+10.0", "35.0", "-15.0", "20.0"] {
        assert_eq!(count(content), 1, "{content}: {found:?}");
    }
    assert_eq!(count("not run"), 1 + 1); // two pre-trainings: one of four cells, one of two bases
    assert_eq!(found.iter().filter(|content| content.starts_with(['+', '-'])).count(), 2 + 2); // and the ends of the key
    let said = said(&document);
    assert!(said.contains("Ours-Base and the diagonal (framed) 3 seeds, the other cells 1 seed."), "{said}");
    assert!(said.contains("Not run: Barlow Twins, CLIP, OBOW."), "{said}");
}

#[test]
fn planes_of_features_share_their_scale() {
    let place = tempfile::tempdir().unwrap();
    assert!(fig2b(place.path(), DATASET).unwrap().is_none());
    for (i, (row, _)) in separated().into_iter().enumerate() {
        let i = i as f64;
        let columns = vec![
            Column::new("domain".into(), ["sketch", "sketch", "photo", "photo"]),
            Column::new("x".into(), [-0.1, 1.0 / (1.0 + i), 0.1, 1.0 / (1.0 + i)]),
            Column::new("y".into(), [0.0, 0.5, 0.0, 0.5]),
        ];
        let folder = Folder::of(&folder(place.path(), &row, 0));
        folder.write("plane", DataFrame::new(4, columns).unwrap()).unwrap();
    }
    let svg = fig2b(place.path(), DATASET).unwrap().unwrap();
    check("fig2bc", &svg);
    let document = Document::parse(&svg).unwrap();
    let width = number(&document.root_element(), "width") / 3.0;
    let ticks = |part: usize| {
        let is_tick = |text: &str| text.parse::<f64>().is_ok();
        let ticks = texts(&document).into_iter().filter(|node| is_tick(node.text().unwrap().trim()));
        let here = ticks.filter(|node| (number(node, "x") / width) as usize == part);
        // Parts of the second line have the same places.
        here.map(|node| (node.text().unwrap().trim().to_string(), (number(&node, "x") - width * part as f64) as i64))
            .collect::<BTreeSet<_>>()
    };
    assert!(ticks(0).len() > 4, "{:?}", ticks(0));
    assert_eq!((ticks(1), ticks(2)), (ticks(0), ticks(0)));
    let said = said(&document);
    for content in ["Fig. 2b and c", "Eq. 3), weight 1", "Eq. 4), weight 10", "Dashed: the border", "75.0% (chance"] {
        assert!(said.contains(content), "{content}: {said}");
    }
}

#[test]
fn early_retrieval_in_fives_and_in_tenths_name_each_other() {
    let place = tempfile::tempdir().unwrap();
    assert!(early_in_fives(place.path(), DATASET).unwrap().is_none());
    assert_eq!(analysed::see_drawn(&records(place.path(), DATASET), &ROWS, "fig5b-synth-chair"), "");
    let analysed = |row: &str, seed: u64, at_half: u32| {
        let columns = vec![Column::new("percent".into(), [50, 100]), Column::new("rank".into(), [at_half, 1])];
        Folder::of(&folder(place.path(), row, seed)).write("early", DataFrame::new(2, columns).unwrap()).unwrap();
    };
    for (row, seeds) in [("ours-base", 3), ("ours", 2)] {
        for seed in 0..seeds {
            write(place.path(), row, seed, 10);
            write_early(&folder(place.path(), row, seed), 50);
        }
        analysed(row, 0, if row == "ours" { 1 } else { 2 });
    }
    let said_now = || {
        let svg = early_in_fives(place.path(), DATASET).unwrap().unwrap();
        check("fig5b", &svg);
        said(&Document::parse(&svg).unwrap())
    };
    let alone = said_now();
    assert!(alone.contains("one seed") && alone.contains("see early-synth-chair for the mean over 2 seeds"), "{alone}");
    assert_eq!(
        analysed::see_drawn(&records(place.path(), DATASET), &ROWS, "fig5b-synth-chair"),
        "see fig5b-synth-chair for steps of 5%"
    );
    for row in ["ours-base", "ours"] {
        analysed(row, 1, 2);
    }
    let both = said_now();
    assert!(both.contains("mean over 2 seeds; band") && !both.contains("early-synth-chair"), "{both}");
}
