//! Builds the library again where a category of `data/world/` is added or taken away; Cargo sees changed files itself.

fn main() {
    println!("cargo::rerun-if-changed=data/world");
}
