use super::*;
use crate::file::{write_atomic, write_png};
use crate::report::figure::tests::{check, contents};
use crate::report::record::tests::write_run;
use crate::run::RunFolder;
use crate::seed::Seed;
use image::Rgb;
use usvg::roxmltree::Document;

const DATASET: &str = "synth-world";

/// A run of both rows with every analysis, made up: three categories, four words.
fn write(results: &Path, dataset: &str) {
    for (row, _) in ROWS {
        let run = RunFolder::of(results, SLUG, dataset, row, Seed(0));
        write_run(&run, &[1, 4, 1, 1]);
        let put = |name: &str, text: &str| {
            write_atomic(&run.0.join(format!("analysis/{name}.csv")), text.as_bytes()).unwrap();
        };
        put(
            "words",
            "part,category,sketch,word\ntrain,airplane,0,0\ntrain,airplane,1,1\ntrain,hot_dog,2,1\ntest,owl,6600,1\ntest,owl,6601,3\n",
        );
        put(
            "similarity",
            "first,second,unseen,visual,semantic\nairplane,hot_dog,0,0.5,0.1\nairplane,owl,1,0.4,0.3\nhot_dog,owl,1,0.1,0.6\n",
        );
        put("correlation", "measure,value,low,high,pairs\npearson,-0.5,-0.9,0.2,3\nspearman,-1,-1,0.5,3\n");
        put("dictionary", "part,used\ntrain,0.5\n");
        let lines =
            "query,photo,descriptor,sketch,dimension,overlap\n6600,2200,0,6600,7,0.5\n6600,2200,1,6601,9,0.25\n";
        put("attention", lines);
        let cells = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(descriptor, domain)| {
            let cell = |column: usize| format!("6600,2200,{descriptor},{domain},0,{column},{}\n", 1 - column);
            (0..2).map(cell).collect::<String>()
        });
        put("heat", &format!("query,photo,descriptor,domain,row,column,value\n{}", cells.concat()));
        let log = "{}\n{\"epoch\":1,\"used\":0.25}\n{\"epoch\":2,\"used\":0.75}\n";
        write_atomic(&run.0.join("descriptor/log.jsonl"), log.as_bytes()).unwrap();
    }
}

#[test]
fn figures_are_drawn_of_what_was_analysed() {
    let place = tempfile::tempdir().unwrap();
    assert!(draw(place.path()).unwrap().is_empty());
    write(place.path(), DATASET);
    let picture = image::RgbImage::from_pixel(128, 384, Rgb([200; 3]));
    let run = RunFolder::of(place.path(), SLUG, DATASET, SHOWN, Seed(0));
    write_png(&run.0.join("analysis/reconstructions.png"), &picture).unwrap();
    let found = draw(place.path()).unwrap();
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let expected = ["at-k", "dictionary", "fig1", "fig3", "fig4", "similarity"].map(|name| format!("{name}-{DATASET}"));
    assert_eq!(names, expected);
    let said = |name: &str| {
        let svg = &found.iter().find(|(own, _)| own.starts_with(name)).unwrap().1;
        check(name, svg);
        let document = Document::parse(svg).unwrap();
        let pictures = document.descendants().filter(|node| node.has_tag_name("image")).count();
        (pictures, contents(&document).join(" | "))
    };
    said("at-k");
    said("similarity");
    // Two of sketches, and two of each by word: mixture and word are alike.
    assert_eq!(said("dictionary").0, 2 * 2 * 2);
    let (pictures, text) = said("fig1");
    assert!(
        pictures == 5 && text.contains("Word 1 | 3 sketches of 3 categories") && text.contains("hot dog"),
        "{text}"
    );
    let (pictures, text) = said("fig3");
    assert!(pictures == 6 && text.contains("1: dim. 7") && text.contains("3: dim. 9 | 0.25"), "{text}");
    assert!(said("fig4").1.contains("Vis-Sim 0.50, Sem-Sim 0.10"));
}

#[test]
fn pictures_of_real_corpora_are_not_shown() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "sketchy-mini");
    let found = draw(place.path()).unwrap();
    assert!(found.iter().all(|(_, svg)| !svg.contains("<image")));
    let names: Vec<&str> = found.iter().map(|(name, _)| name.trim_end_matches("-sketchy-mini")).collect();
    assert_eq!(names, ["at-k", "dictionary", "fig1", "fig4", "similarity"]);
}
