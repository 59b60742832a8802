use super::*;
use crate::file::write_atomic;
use crate::report::figure::tests::{check, contents};
use crate::report::record::tests::{folder, write_run};
use crate::report::score::tests::write_early;
use std::path::Path;
use usvg::roxmltree::Document;

const ROWS: [(&str, &str); 2] = [("a", "Row A"), ("b", "Row B")];

fn records(results: &Path) -> Records<'_> {
    Records { results, slug: "p", dataset: "d" }
}

/// A finished run with an analysis, and the settings of analyses.
fn put(results: &Path, row: &str, seed: u64, name: &str, text: &str) {
    let run = folder(results, "d", row, seed);
    write_run(&run, &[1, 4]);
    write_atomic(&run.0.join(format!("analysis/{name}.csv")), text.as_bytes()).unwrap();
    write_atomic(&run.0.join("analysis/settings.json"), br#"{"batches": [4, 16]}"#).unwrap();
}

/// Checks a figure and returns everything that it says.
fn said(name: &str, svg: Option<String>) -> String {
    let svg = svg.unwrap();
    check(name, &svg);
    contents(&Document::parse(&svg).unwrap()).join(" ")
}

#[test]
fn no_row_is_no_figure() {
    let place = tempfile::tempdir().unwrap();
    let records = records(place.path());
    assert!(landscape(&records, &[], "T").unwrap().is_none());
    assert!(dynamics(&records, &[], ["T", "U"], "loss").unwrap().is_none());
    assert!(drawn(&records, &[], "T", "other").unwrap().is_none());
}

#[test]
fn separation_says_how_well_domains_are_told_apart() {
    let place = tempfile::tempdir().unwrap();
    // Of three photos and a sketch the sketch and so many photos are on their own side.
    let text = |right: usize| {
        let line = |domain: &str, x: f64| format!("{domain},{x},0.5\n");
        let photos = (0..3).map(|i| line("photo", if i < right { 0.8 } else { -0.2 }));
        format!("domain,x,y\n{}{}", line("sketch", -1.0), photos.collect::<String>())
    };
    put(place.path(), "a", 0, "plane", &text(1));
    assert!(separation(&records(place.path()), &ROWS, "T").unwrap().is_none());
    put(place.path(), "b", 0, "plane", &text(3));
    let said = said("separation", separation(&records(place.path()), &ROWS, "T").unwrap());
    for content in ["Row A", "66.7% (chance: 50%)", "Row B", "100.0% (chance: 50%)"] {
        assert!(said.contains(content), "{content}: {said}");
    }
}

#[test]
fn landscape_says_its_rise_and_its_batches() {
    let place = tempfile::tempdir().unwrap();
    // A cone, half as steep for the second row, at height 1.
    let steps = [-0.4, -0.2, 0.0, 0.2, 0.4_f64];
    let text = |slope: f64| {
        let line = |alpha: f64, beta: f64| format!("0,{alpha},{beta},{}\n", 1.0 + slope * alpha.hypot(beta));
        let lines = steps.map(|alpha| steps.map(|beta| line(alpha, beta)).concat());
        format!("draw,alpha,beta,loss\n{}", lines.concat())
    };
    put(place.path(), "a", 0, "landscape", &text(1.0));
    assert!(landscape(&records(place.path()), &ROWS, "T").unwrap().is_none());
    put(place.path(), "b", 0, "landscape", &text(0.5));
    let said = said("landscape", landscape(&records(place.path()), &ROWS, "T").unwrap());
    assert!(said.contains("the first seed of either row;") && said.contains("; 4 training batches"), "{said}");
    let rise = |label: &str| -> f64 {
        let rest = said.split_once(&format!("{label}: mean rise ")).unwrap().1;
        rest.split_once(" within 0.2").unwrap().0.parse().unwrap()
    };
    assert!((rise("Row A") - 2.0 * rise("Row B")).abs() < 0.0011, "{said}"); // three decimals
}

#[test]
fn dynamics_draw_every_seed_and_their_mean() {
    let place = tempfile::tempdir().unwrap();
    for (row, _) in ROWS {
        for seed in 0..2 {
            // Without gradients an epoch has no logarithm.
            put(place.path(), row, seed, "gradient", "epoch,nuclear_norm\n1,2\n2,3\n3,0\n");
        }
    }
    let figure = || dynamics(&records(place.path()), &ROWS, ["T", "U"], "toy loss").unwrap();
    assert!(figure().is_none());
    for (row, _) in ROWS {
        put(place.path(), row, 0, "stability", "step,acc1\n7,40\n8,60\n9,50\n10,50\n");
    }
    let svg = figure();
    let thin = svg.as_ref().unwrap().matches("opacity=\"0.5\"").count();
    let said = said("dynamics", svg);
    for content in [
        "Thick: the mean over 2 seeds, of the logarithm; thin: each of them. Of the toy loss over 16 batches",
        "One seed. Test Acc@1 after every step",
    ] {
        assert!(said.contains(content), "{content}: {said}");
    }
    assert!(said.contains("-4.0") && !said.contains("-4.5"), "{said}"); // four steps
    for (row, _) in ROWS {
        put(place.path(), row, 1, "stability", "step,acc1\n7,40\n8,40\n9,50\n10,70\n");
    }
    let svg = figure().unwrap();
    assert_eq!((thin, svg.matches("opacity=\"0.5\"").count()), (2 * 2, 4 * 2)); // two seeds of either row
    assert!(svg.contains("Thick: the mean over 2 seeds; thin: each of them. Test Acc@1 after every step"));
}

#[test]
fn drawn_points_to_the_figure_of_more_seeds() {
    let place = tempfile::tempdir().unwrap();
    let records = records(place.path());
    assert_eq!(see_drawn(&records, &ROWS, "fives"), "");
    for (row, _) in ROWS {
        for seed in 0..2 {
            write_run(&folder(place.path(), "d", row, seed), &[1, 4]);
            write_early(&folder(place.path(), "d", row, seed), 50);
        }
        put(place.path(), row, 0, "early", "percent,rank\n50,2\n50,1\n100,1\n100,1\n");
    }
    assert_eq!(see_drawn(&records, &ROWS, "fives"), "see fives for steps of 5%");
    let figure = || said("drawn", drawn(&records, &ROWS, "T", "tenths").unwrap());
    let alone = figure();
    assert!(alone.contains("one seed; see tenths for the mean over 2 seeds"), "{alone}");
    for (row, _) in ROWS {
        put(place.path(), row, 1, "early", "percent,rank\n50,2\n50,1\n100,1\n100,1\n");
    }
    assert!(!figure().contains("tenths"));
}
