//! The `retrace` binary.
fn main() {}
