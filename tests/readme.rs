//! The generated parts of pages agree with the records, and linked files exist.
#![allow(clippy::unwrap_used)]

use retrace::experiment::{Paper, page};
use retrace::paper::PAPERS;
use retrace::report::block;
use std::path::{Path, PathBuf};

/// The README, and the page of every paper.
fn pages() -> Vec<String> {
    let own = PAPERS.iter().map(|paper| format!("results/{}/README.md", paper.slug()));
    std::iter::once("README.md".to_string()).chain(own).collect()
}

fn root() -> PathBuf {
    env!("CARGO_MANIFEST_DIR").into()
}

#[test]
fn generated_parts_equal_what_the_records_give() {
    let results = root().join("results");
    let papers: Vec<&dyn Paper> = PAPERS.iter().map(|paper| *paper as &dyn Paper).collect();
    let mut blocks = vec![page::readme(&papers, &results).unwrap()];
    blocks.extend(papers.iter().map(|paper| page::page(*paper, &results).unwrap()));
    for (name, blocks) in pages().iter().zip(blocks) {
        block::check(&root().join(name), &blocks).expect("run `cargo run --release -- table --readme`");
    }
}

/// Links of a page that lead to files, as they are written there.
fn links(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    links.filter(|link| !link.starts_with("http")).map(str::to_string).collect()
}

#[test]
fn every_linked_file_is_there() {
    for name in pages() {
        let page = root().join(&name);
        let links = links(&page);
        assert!(links.len() >= 3, "{name}: {links:?}");
        for link in links {
            let file = link.split('#').next().unwrap();
            assert!(page.parent().unwrap().join(file).is_file(), "{name} links to {link}");
        }
    }
}
