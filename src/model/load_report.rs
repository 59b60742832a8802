//! The report of a strict load, with every tensor of the network and of the file.

use crate::{Error, Result};
use std::fmt;

/// Tensors that may be missing or extra in a load; a pattern is a name with at most one `*` at its start or end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowance<'a> {
    /// May be missing from the file.
    pub missing: &'a [&'a str],
    /// May be in the file and not in the network.
    pub extra: &'a [&'a str],
}

/// The tensors of a network and of a file, by name in alphabetical order.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct LoadReport {
    /// In both, of the same shape.
    pub loaded: Vec<String>,
    /// In the network only.
    pub missing: Vec<String>,
    /// In the file only.
    pub extra: Vec<String>,
    /// In both, of different shapes, with both shapes.
    pub misshapen: Vec<String>,
}

impl LoadReport {
    /// Whether nothing is wrong but what is allowed.
    ///
    /// # Errors
    /// A missing, extra or misshapen tensor; the message names the first few.
    pub fn check(&self, allowance: &Allowance) -> Result<()> {
        let faults: Vec<String> = [
            ("missing", refused(&self.missing, allowance.missing)),
            ("extra", refused(&self.extra, allowance.extra)),
            ("of another shape", refused(&self.misshapen, &[])),
        ]
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(fault, names)| format!("{} {fault} ({})", names.len(), list(names)))
        .collect();
        if faults.is_empty() {
            return Ok(());
        }
        let expected =
            format!("the network's {} tensors", self.loaded.len() + self.missing.len() + self.misshapen.len());
        Err(Error::value("weights", expected, faults.join(", ")))
    }
}

impl fmt::Display for LoadReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (loaded, missing, extra) = (self.loaded.len(), self.missing.len(), self.extra.len());
        write!(f, "{loaded} loaded, {missing} missing, {extra} extra")
    }
}

fn refused<'a>(names: &'a [String], patterns: &[&str]) -> Vec<&'a str> {
    names.iter().map(String::as_str).filter(|name| !patterns.iter().any(|pattern| fits(pattern, name))).collect()
}

fn fits(pattern: &str, name: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(end), _) => name.ends_with(end),
        (_, Some(start)) => name.starts_with(start),
        _ => name == pattern,
    }
}

/// The first names, and how many more there are.
fn list(names: &[&str]) -> String {
    const SHOWN: usize = 4; // as many as fit a line of a terminal
    let shown = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN { format!("{shown}, and {} more", names.len() - SHOWN) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("layer{i}.bias")).collect()
    }

    #[test]
    fn allowance_patterns_match_one_end() {
        assert!(fits("*.bias", "a.bias") && fits("fc.*", "fc.bias") && fits("n", "n"));
        assert!(!fits("*.bias", "a.bias.x") && !fits("fc.*", "a.fc.bias") && !fits("n", "nn"));
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let report = LoadReport { extra: names(6), ..LoadReport::default() };
        let error = report.check(&Allowance::default()).unwrap_err().to_string();
        assert!(error.ends_with("6 extra (layer0.bias, layer1.bias, layer2.bias, layer3.bias, and 2 more)"), "{error}");
        assert!(report.check(&Allowance { missing: &[], extra: &["layer*"] }).is_ok());
        assert!(report.check(&Allowance { missing: &["layer*"], extra: &["layer1*"] }).is_err());
    }

    #[test]
    fn another_shape_is_never_allowed() {
        let report = LoadReport { misshapen: names(1), ..LoadReport::default() };
        assert!(report.check(&Allowance { missing: &["*"], extra: &["*"] }).is_err());
    }
}
