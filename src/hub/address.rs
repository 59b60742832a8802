//! Where a model is: `owner/name`, and at which revision.

use crate::{Error, Result};
use std::{fmt, str::FromStr};

/// Longest owner or name that the Hub takes.
const LONGEST: usize = 96;

/// A repository of the Hub, at a branch, a tag or a commit.
///
/// ```
/// use retrace::hub::Address;
/// let address: Address = "retrace/photo_pretraining-ours-synth-chair@v0.1.0".parse()?;
/// assert_eq!(address.id(), "retrace/photo_pretraining-ours-synth-chair");
/// assert_eq!(address.revision(), "v0.1.0");
/// assert_eq!("a/b".parse::<Address>()?.revision(), "main");
/// # Ok::<(), retrace::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    owner: String,
    name: String,
    revision: Option<String>,
}

impl Address {
    /// The repository of a namespace, at its main branch.
    ///
    /// # Errors
    /// A name that the Hub does not take.
    pub fn new(owner: &str, name: &str) -> Result<Self> {
        check_part("owner", owner)?;
        check_part("name", name)?;
        Ok(Self { owner: owner.into(), name: name.into(), revision: None })
    }

    /// The same repository at another revision.
    ///
    /// # Errors
    /// A revision that git does not take.
    pub fn at(&self, revision: &str) -> Result<Self> {
        check_revision(revision)?;
        Ok(Self { revision: Some(revision.into()), ..self.clone() })
    }

    /// User or organisation.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The repository's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `owner/name`.
    pub fn id(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }

    /// Branch, tag or commit; `main` where none was given.
    pub fn revision(&self) -> &str {
        self.revision.as_deref().unwrap_or("main")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.id(), self.revision())
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (id, revision) = text.split_once('@').map_or((text, None), |(id, revision)| (id, Some(revision)));
        let (owner, name) = id
            .split_once('/')
            .ok_or_else(|| Error::value("repository", "<owner>/<name>[@<revision>]", format!("`{text}`")))?;
        let address = Self::new(owner, name)?;
        revision.map_or(Ok(address.clone()), |revision| address.at(revision))
    }
}

/// The Hub's rule: letters, digits, `-`, `_` and `.`, with no `-` or `.` at an end and no `--` or `..` inside.
fn check_part(what: &str, part: &str) -> Result<()> {
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let ends = |c: char| matches!(c, '-' | '.');
    let fits = (1..=LONGEST).contains(&part.len()) && part.chars().all(known);
    if fits && !part.starts_with(ends) && !part.ends_with(ends) && !part.contains("--") && !part.contains("..") {
        return Ok(());
    }
    let expected = format!("1 to {LONGEST} of [A-Za-z0-9._-], no - or . at an end, no -- or ..");
    Err(Error::value(format!("{what} of a repository"), expected, format!("`{part}`")))
}

/// Git's rule for a reference, near enough.
fn check_revision(revision: &str) -> Result<()> {
    let odd = |c: char| c.is_whitespace() || c.is_control() || "~^:?*[\\@{}".contains(c);
    let is_odd = revision.is_empty() || revision.len() > LONGEST || revision.contains(odd) || revision.contains("..");
    if is_odd || revision.starts_with(['/', '-']) || revision.ends_with('/') {
        Err(Error::value("revision", "a branch, a tag or a commit", format!("`{revision}`")))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_reads_back_as_written() {
        let whole = "some-one/model_1.0@feature/x";
        let address: Address = whole.parse().unwrap();
        assert_eq!((address.owner(), address.name(), address.revision()), ("some-one", "model_1.0", "feature/x"));
        assert_eq!(address.to_string(), whole);
    }

    #[test]
    fn address_refuses_invalid_names() {
        let long = format!("a/{}", "x".repeat(97));
        for odd in ["", "a", "/b", "a/", "a/b/c", "a/..", "a/b--c", "a/-b", "a/b.", "ä/b", "a b/c", long.as_str()] {
            let error = odd.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains("repository"), "{odd}: {error}");
        }
        for odd in ["a/b@", "a/b@../x", "a/b@x y", "a/b@-x", "a/b@x@y", "a/b@x:y"] {
            assert!(odd.parse::<Address>().unwrap_err().to_string().contains("revision"), "{odd}");
        }
    }
}
