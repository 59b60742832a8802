//! What a check finds, and how it reads.

use super::{Layout, PublishedCounts, Split};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The report of [`super::check()`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The corpus's name.
    pub name: String,
    /// How it lies on disk; absent for a generated one.
    pub layout: Option<Layout>,
    /// [`super::Source::version`].
    pub version: String,
    /// Photos and sketches of each split.
    pub counts: BTreeMap<String, [usize; 2]>,
    /// Photos without a sketch: distractors of the gallery.
    pub undrawn: usize,
    /// How many photos have which size, e.g. `256 x 256`.
    pub sizes: BTreeMap<String, usize>,
    /// Sketches of strokes, and of pixels.
    pub drawings: [usize; 2],
    /// Against every published count.
    pub comparisons: Vec<Comparison>,
    /// Every fault, with file and reason.
    pub problems: Vec<String>,
}

/// A published count beside ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The published count.
    pub published: PublishedCounts,
    /// Photos and sketches found in that split.
    pub found: [usize; 2],
}

impl Comparison {
    /// Whether both counts are the same.
    pub fn agrees(&self) -> bool {
        self.found == [self.published.photos, self.published.sketches]
    }
}

impl Report {
    /// Whether nothing is wrong with any file. Counts may still differ from published ones, as those differ among
    /// themselves.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// Whether all counts that one origin gives are ours.
    pub fn agrees_with(&self, origin: &str) -> bool {
        let mut given = self.comparisons.iter().filter(|c| c.published.origin == origin).peekable();
        given.peek().is_some() && given.all(Comparison::agrees)
    }
}

/// Counts by split beside published ones, of which `all` stands for the whole.
pub(super) fn compare(counts: &BTreeMap<String, [usize; 2]>, published: &[PublishedCounts]) -> Vec<Comparison> {
    let compare = |published: &PublishedCounts| {
        let found = counts.iter().filter(|(split, _)| [split.as_str(), "all"].contains(&published.split.as_str()));
        let found = found.fold([0, 0], |sum, (_, own)| [sum[0] + own[0], sum[1] + own[1]]);
        Comparison { published: published.clone(), found }
    };
    published.iter().map(compare).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        writeln!(f, "{}, version {}", self.name, self.version)?;
        for split in Split::ALL.map(Split::name).into_iter().chain(["all"]) {
            let Some([photos, sketches]) = self.counts.get(split) else { continue };
            writeln!(f, "  {split:<6}{photos:>7} photos{sketches:>8} sketches")?;
        }
        let sizes: Vec<_> = self.sizes.iter().take(3).map(|(size, count)| format!("{count} of {size}")).collect();
        let rest =
            if self.sizes.len() > 3 { format!(", and {} more sizes", self.sizes.len() - 3) } else { String::new() };
        if !sizes.is_empty() {
            writeln!(f, "  photos in pixels: {}{rest}; {} without a sketch", sizes.join(", "), self.undrawn)?;
        }
        if self.drawings != [0, 0] {
            writeln!(f, "  sketches: {} of strokes, {} of pixels", self.drawings[0], self.drawings[1])?;
        }
        if !self.comparisons.is_empty() {
            writeln!(f, "published counts")?;
        }
        for Comparison { published: PublishedCounts { split, photos, sketches, origin, .. }, found } in
            &self.comparisons
        {
            let verdict = describe(["photo", "sketch"], [*photos, *sketches], *found);
            writeln!(f, "  {split:<6}{photos:>7} photos{sketches:>8} sketches  {origin}: {verdict}")?;
        }
        match self.problems.len() {
            0 => write!(f, "every file reads"),
            count => {
                writeln!(f, "{count} problem{}", if count == 1 { "" } else { "s" })?;
                self.problems.iter().try_for_each(|problem| writeln!(f, "  {problem}"))
            }
        }
    }
}

/// `the same here`, or how many more and fewer there are here.
fn describe(nouns: [&str; 2], published: [usize; 2], found: [usize; 2]) -> String {
    let plural = |noun: &str, count: usize| match (noun, count) {
        (noun, 1) => noun.to_string(),
        ("sketch", _) => "sketches".to_string(),
        (noun, _) => format!("{noun}s"),
    };
    let differ = |at: usize| match found[at].abs_diff(published[at]) {
        0 => None,
        count if found[at] > published[at] => Some(format!("{count} {} more here", plural(nouns[at], count))),
        count => Some(format!("{count} {} fewer here", plural(nouns[at], count))),
    };
    let differences: Vec<_> = (0..2).filter_map(differ).collect();
    if differences.is_empty() { "the same here".into() } else { differences.join(", ") }
}
