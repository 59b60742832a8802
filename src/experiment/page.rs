//! The generated parts of two pages: the README, and a paper's own page beside its records.

use super::Paper;
use crate::Result;
use crate::report::block::Block;
use crate::report::claim::{self, Claim};
use crate::report::{render, speed, table};
use std::path::Path;

/// The README's parts: the main table of every paper, the speed.
///
/// # Errors
/// A record that cannot be read.
pub fn readme(papers: &[&dyn Paper], results: &Path) -> Result<Vec<Block>> {
    let mut main = Vec::new();
    for spec in papers.iter().filter_map(|paper| paper.tables().into_iter().next()) {
        main.push(render::markdown(&table::build(results, &spec)?));
    }
    Ok(vec![("main".into(), main.join("\n")), ("speed".into(), speed::markdown(results)?)])
}

/// The parts of a paper's page: its claims, its deviations, and what else it says.
///
/// # Errors
/// As [`readme`].
pub fn page(paper: &dyn Paper, results: &Path) -> Result<Vec<Block>> {
    let findings = claim::evaluate(results, &Claim::read_all(&paper.printed())?)?;
    let deviations = paper.deviations().iter().map(|deviation| format!("- {deviation}\n")).collect();
    let mut blocks = vec![("claims".into(), claim::markdown(&findings)), ("deviations".into(), deviations)];
    blocks.extend(paper.blocks(&findings));
    Ok(blocks)
}
