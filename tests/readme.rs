//! The pages say what the records say, their links and commands lead somewhere, and their code is code that runs.
#![allow(clippy::unwrap_used)]

use retrace::experiment::{Paper, page};
use retrace::notebook::prelude::*;
use retrace::paper::PAPERS;
use retrace::paper::photo_pretraining::PhotoPretraining;
use retrace::report::block::{self, Block};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

fn read(page: &str) -> String {
    std::fs::read_to_string(root().join(page)).unwrap()
}

/// Every page that a reader is led to, in the order in which they are listed here.
fn pages() -> Vec<String> {
    let docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name());
    let docs = docs.map(|name| format!("docs/{}", name.to_string_lossy()));
    let own = PAPERS.iter().map(|paper| format!("results/{}/README.md", paper.slug()));
    let fixed = ["README.md", "CONTRIBUTING.md", "benches/README.md"].map(str::to_string);
    fixed.into_iter().chain(docs).chain(own).collect()
}

/// Every page that has generated parts, with what belongs there.
fn generated() -> Vec<(String, Vec<Block>)> {
    let results = root().join("results");
    let papers: Vec<&dyn Paper> = PAPERS.iter().map(|paper| *paper as &dyn Paper).collect();
    let own =
        |paper: &&dyn Paper| (format!("results/{}/README.md", paper.slug()), page::page(*paper, &results).unwrap());
    let readme = ("README.md".to_string(), page::readme(&papers, &results).unwrap());
    let speeds = ("benches/README.md".to_string(), page::speeds(&results).unwrap());
    [readme, speeds].into_iter().chain(papers.iter().map(own)).collect()
}

#[test]
fn generated_parts_equal_what_the_records_give() {
    for (name, blocks) in generated() {
        block::check(&root().join(name), &blocks).expect("run `cargo run --release -- table --readme`");
    }
}

/// Links of a page that do not lead out of the repository, as they are written there.
fn links(page: &str) -> Vec<String> {
    let text = read(page);
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    links.filter(|link| !link.starts_with("http")).map(str::to_string).collect()
}

/// What a heading is called in a link: `## What it is` is `what-it-is`.
fn anchors(file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    let heads = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let kept = |c: &char| c.is_alphanumeric() || [' ', '-', '_'].contains(c);
    heads.map(|head| head.to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-")).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut seen = 0;
    for name in pages() {
        let page = root().join(&name);
        for link in links(&name) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let file = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(file.is_file(), "{name} links to {link}");
            assert!(anchor.is_empty() || anchors(&file).contains(&anchor.to_string()), "{name} links to {link}");
            seen += 1;
        }
    }
    assert!(seen > 30, "{seen} links");
}

/// The commands of this program on a page: indented lines and code spans, without their comments.
fn commands(page: &str) -> Vec<String> {
    let text = read(page);
    let lines = text.lines().filter(|line| line.starts_with("    ")).flat_map(|line| line.split(" > ").take(1));
    let spans = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let bare = lines.chain(spans).map(|line| line.split(" #").next().unwrap_or_default().trim());
    let bare = bare.map(|line| line.trim_start_matches("HF_HUB_OFFLINE=1 "));
    let ours = |line: &str| {
        ["cargo run --release -- ", "retrace "].iter().find_map(|start| line.strip_prefix(start)).map(String::from)
    };
    bare.filter_map(ours).collect()
}

/// `--help` after the options checks them, and does nothing.
#[test]
fn every_command_is_one_that_the_program_takes() {
    let mut seen = 0;
    for name in pages() {
        for command in commands(&name) {
            let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_retrace"));
            let said = program.args(command.split_whitespace()).arg("--help").output().unwrap();
            assert!(said.status.success(), "{name}: {command}: {}", String::from_utf8_lossy(&said.stderr));
            seen += 1;
        }
    }
    assert!(seen > 50, "{seen} commands");
}

/// The lines of a page's blocks of Rust, without comments at their ends.
fn rust(page: &str) -> Vec<String> {
    let text = read(page);
    let blocks = text.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next());
    let lines = blocks.flat_map(str::lines).filter(|line| !line.is_empty());
    lines.map(|line| line.split("  //").next().unwrap_or_default().trim_end().to_string()).collect()
}

fn assert_lines_are_in(page: &str, source: &str) {
    let (lines, source) = (rust(page), read(source));
    assert!(lines.len() >= 10, "{page}: {} lines", lines.len());
    let missing: Vec<&String> = lines.iter().filter(|line| !source.lines().any(|other| other == *line)).collect();
    assert!(missing.is_empty(), "{page} has lines that are not in the source: {missing:#?}");
}

#[test]
fn the_code_of_contributing_is_the_toy_papers() {
    assert_lines_are_in("CONTRIBUTING.md", "tests/toy/paper.rs");
}

/// The names of the five photos nearest to every test sketch of a folder.
fn found(folder: &str) -> retrace::Result<Vec<Vec<String>>> {
    let session = Session::open(PhotoPretraining, "quick")?;
    let shipped = &session.places.shipped;
    let ranked = session.paper.open_row(shipped, "qmul-shoe-v1", "ours", folder, &session.order())?;
    let photos = &ranked.source().index().photos;
    let name = |query, place: &usize| photos[ranked.queries().gallery(query)[*place]].id.clone();
    let names = |(query, places): (usize, &Vec<usize>)| places.iter().map(|place| name(query, place)).collect();
    Ok(ranked.first(5)?.iter().enumerate().map(names).collect())
}

/// A folder as the README has it, of embedded shoes: two that are drawn and one that only fills the gallery.
fn own_folder(place: &Path) {
    let corpus = dataset::open("synth-shoe", None).unwrap();
    let mut manifest = String::from("sketch,photo,split\n");
    for i in 0..3 {
        corpus.photo(i).unwrap().save(place.join(format!("{i}.png"))).unwrap();
        let first = corpus.index().sketches.iter().position(|entry| entry.photo == i).unwrap();
        sketch::svg::write(&corpus.drawing(first).unwrap().vector().unwrap(), place.join(format!("{i}.svg"))).unwrap();
        manifest += &if i < 2 { format!("{i}.svg,{i}.png,test\n") } else { format!(",{i}.png,test\n") };
    }
    std::fs::write(place.join("manifest.csv"), manifest).unwrap();
}

#[test]
fn the_library_of_the_readme_ranks_a_folder() {
    assert_lines_are_in("README.md", "tests/readme.rs");
    let place = tempfile::tempdir().unwrap();
    own_folder(place.path());
    let found = found(&place.path().to_string_lossy()).unwrap();
    assert_eq!(found.len(), 2);
    for mut names in found {
        names.sort();
        assert_eq!(names, ["0.png", "1.png", "2.png"]);
    }
}
