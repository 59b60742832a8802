//! The generated parts of pages: the README, the page of speeds, and a paper's own page beside its records.

use super::Paper;
use crate::Result;
use crate::report::block::Block;
use crate::report::claim::{self, Claim, Verdict};
use crate::report::{overview, speed, table};
use std::path::Path;

/// The README's part: of every paper the main table at a glance, how its claims came out, and where the rest is.
///
/// # Errors
/// A record that cannot be read.
pub fn readme(papers: &[&dyn Paper], results: &Path) -> Result<Vec<Block>> {
    let parts = papers.iter().map(|paper| at_a_glance(*paper, results)).collect::<Result<Vec<_>>>()?;
    Ok(vec![("main".into(), parts.concat())])
}

/// Nothing for a paper without a table.
fn at_a_glance(paper: &dyn Paper, results: &Path) -> Result<String> {
    let (slug, Some(spec)) = (paper.slug(), paper.tables().into_iter().next()) else { return Ok(String::new()) };
    let overview = overview::markdown(&table::build(results, &spec)?);
    let findings = claim::evaluate(results, &Claim::read_all(&paper.printed())?)?;
    let (counts, corrected) = (claim::counts(&findings), claim::corrected_counts(&findings));
    let left = corrected.of(Verdict::Reproduced);
    let claims = format!(
        "Comparisons that test [its claims](results/{slug}/README.md): {counts}; {left} of those reproduced stay once their \
         number is allowed for."
    );
    Ok(format!("{overview}\n{claims} [The whole table](results/tables/{slug}/{}.md).\n\n", spec.name))
}

/// The part of the page of embedded corpora, `docs/world.md`: how hard each is, from the table `corpora` of the papers that
/// have one.
///
/// # Errors
/// A record that cannot be read.
pub fn corpora(papers: &[&dyn Paper], results: &Path) -> Result<Vec<Block>> {
    let specs = papers.iter().flat_map(|paper| paper.tables()).filter(|spec| spec.name == "corpora");
    let parts = specs.map(|spec| Ok(overview::markdown(&table::build(results, &spec)?)));
    Ok(vec![("corpora".into(), parts.collect::<Result<Vec<String>>>()?.concat())])
}

/// The parts of the page of speeds, `benches/README.md`.
///
/// # Errors
/// No tables of the benchmarks, or one that does not read.
pub fn speeds(results: &Path) -> Result<Vec<Block>> {
    Ok(vec![
        ("speed".into(), speed::markdown(results)?),
        ("transport".into(), speed::transport(results)?),
        ("generator".into(), speed::generator(results)?),
    ])
}

/// The parts of a paper's page: its claims, its deviations, and what else it says.
///
/// # Errors
/// As [`readme`].
pub fn page(paper: &dyn Paper, results: &Path) -> Result<Vec<Block>> {
    let findings = claim::evaluate(results, &Claim::read_all(&paper.printed())?)?;
    let deviations = paper.deviations().iter().map(|deviation| format!("- {deviation}\n")).collect();
    let mut blocks = vec![("claims".into(), claim::markdown(&findings)), ("deviations".into(), deviations)];
    if findings.iter().any(|finding| finding.claim.is_primary) {
        blocks.push(("primary".into(), claim::primary(&findings)));
    }
    blocks.extend(paper.blocks(&findings));
    Ok(blocks)
}
