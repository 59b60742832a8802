//! Which run a folder says that it holds, and the hash of the configuration that lies in it.

use super::{RunFolder, RunId};
use crate::file::hash_bytes;
use crate::seed::Seed;
use crate::{Error, Result};

impl RunFolder {
    /// The run of the last four parts of its path: `<slug>/<dataset>/<row>/seed<k>`.
    ///
    /// # Errors
    /// A path of another form.
    ///
    /// ```
    /// use retrace::run::RunFolder;
    /// let run = RunFolder("results/toy/chairs/base/seed3".into()).id()?;
    /// assert_eq!((run.row.as_str(), run.seed.0), ("base", 3));
    /// assert!(RunFolder("results/toy/chairs/base/seed3 (copy)".into()).id().is_err());
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn id(&self) -> Result<RunId> {
        // `retrace check .` in a row's folder: the parts above it are in the absolute path alone.
        let whole = std::path::absolute(&self.0).map_err(Error::io(&self.0))?;
        let parts: Vec<&str> = whole.iter().filter_map(|part| part.to_str()).collect();
        let seed = |name: &str| name.strip_prefix("seed")?.parse().ok().filter(|k: &u64| format!("seed{k}") == name);
        match parts.as_slice() {
            [.., slug, dataset, row, last] if let Some(seed) = seed(last) => {
                let [slug, dataset, row] = [slug, dataset, row].map(ToString::to_string);
                Ok(RunId { slug, dataset, row, seed: Seed(seed) })
            }
            _ => {
                let found = parts.last().copied().unwrap_or_default();
                Err(Error::data(&self.0, "a folder <slug>/<dataset>/<row>/seed<number>", found))
            }
        }
    }
}

/// [`RunConfig::hash`](super::RunConfig::hash) of a configuration as it was written, without its type: numbers that are
/// read can change in their last bit, and the text cannot.
///
/// ```
/// use retrace::run::{RunConfig, hash_text};
/// let (slug, dataset, row, seed) = ("toy".into(), "two chairs".into(), "base".into(), retrace::seed::Seed(0));
/// let run = RunConfig { slug, dataset, row, seed, config: 0.1 };
/// assert_eq!(hash_text(&serde_json::to_string_pretty(&run)?), run.hash()?);
/// # Ok::<(), retrace::Error>(())
/// ```
pub fn hash_text(config: &str) -> String {
    hash_bytes(compact(config).as_bytes())
}

/// JSON without the white space between its parts.
fn compact(json: &str) -> String {
    let (mut is_text, mut is_escaped) = (false, false);
    let keeps = |letter: &char| {
        let keep = is_text || !letter.is_ascii_whitespace();
        if *letter == '"' && !is_escaped {
            is_text = !is_text;
        }
        is_escaped = is_text && *letter == '\\' && !is_escaped;
        keep
    };
    json.chars().filter(keeps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_keeps_space_in_texts() {
        assert_eq!(compact("{\n  \"a b\": [1, \"c \\\" d\\\\\"],\n \"e\" : 2}"), r#"{"a b":[1,"c \" d\\"],"e":2}"#);
    }

    #[test]
    fn id_knows_one_name_for_a_seed() {
        let id = |name: &str| RunFolder(format!("r/p/d/row/{name}").into()).id();
        assert_eq!(id("seed10").unwrap().to_string(), "d row seed 10");
        for bad in ["seed", "seed01", "seed+1", "seed-1", "copy", "seed1.old"] {
            assert!(id(bad).unwrap_err().to_string().contains("seed<number>"), "{bad}");
        }
    }
}
