//! The README says what the records say.

use retrace::paper::photo_pretraining::table::readme;
use retrace::report::block;
use std::path::Path;

#[test]
fn generated_parts_equal_what_the_records_give() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let blocks = readme(&root.join("results")).unwrap();
    block::check(&root.join("README.md"), &blocks).expect("run `cargo run --release -- table --readme README.md`");
}

#[test]
fn every_linked_file_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local: Vec<&str> = links.filter(|link| !link.starts_with("http")).collect();
    assert!(local.len() >= 3, "{local:?}");
    for link in local {
        assert!(root.join(link).is_file(), "README.md links to {link}");
    }
}
