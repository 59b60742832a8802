//! Where pre-trained backbones are published: `data/backbones.csv`.

use super::Architecture;
use super::naming::Naming;
use crate::{Error, Result};
use polars::prelude::{CsvReadOptions, DataFrame, SerReader};
use serde::Serialize;
use std::io::Cursor;

/// A file of weights on the Hugging Face Hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeightsSource {
    /// The network that it fits.
    pub architecture: Architecture,
    /// `<owner>/<name>`.
    pub repo: String,
    /// A commit, or a branch where no commit is known.
    pub revision: String,
    /// Its name in the repository.
    pub file: String,
    /// Its size, where known.
    pub bytes: Option<u64>,
    /// Its SHA-256 in hexadecimal digits, where known.
    pub sha256: Option<String>,
    /// SPDX name of the weights' licence.
    pub licence: String,
    /// The licence's text.
    pub licence_url: Option<String>,
    /// The library whose names its tensors have.
    pub naming: Naming,
    /// Description, and its source.
    pub notes: String,
}

impl WeightsSource {
    /// Whether the revision is a commit, which never changes, rather than a branch.
    ///
    /// ```
    /// use retrace::model::{Architecture, pretrained};
    /// let sources = pretrained::sources()?;
    /// let source = sources.iter().find(|source| source.architecture == Architecture::ResNet18).unwrap();
    /// assert_eq!((source.repo.as_str(), source.is_pinned()), ("timm/resnet18.tv_in1k", true));
    /// # Ok::<(), retrace::Error>(())
    /// ```
    pub fn is_pinned(&self) -> bool {
        is_hexadecimal(&self.revision, 40) // of a git commit
    }
}

/// Every file of the table, in its order: the first of a network is the one to take.
///
/// # Errors
/// None with the table that is built in.
pub fn sources() -> Result<Vec<WeightsSource>> {
    parse(include_str!("../../data/backbones.csv"))
}

/// The files for one network, the one to take first; none for `mini`.
///
/// # Errors
/// As [`sources`].
pub fn sources_of(architecture: Architecture) -> Result<Vec<WeightsSource>> {
    Ok(sources()?.into_iter().filter(|source| source.architecture == architecture).collect())
}

fn parse(text: &str) -> Result<Vec<WeightsSource>> {
    // All columns are text, so that a cell may be empty.
    let options = CsvReadOptions::default().with_infer_schema_length(Some(0));
    let frame = options.into_reader_with_file_handle(Cursor::new(text)).finish()?;
    (0..frame.height()).map(|row| read(&frame, row)).collect()
}

fn read(frame: &DataFrame, row: usize) -> Result<WeightsSource> {
    let optional = |name: &str| -> Result<Option<String>> {
        Ok(frame.column(name)?.str()?.get(row).filter(|cell| !cell.is_empty()).map(String::from))
    };
    let text = |name: &str| -> Result<String> {
        optional(name)?.ok_or_else(|| Error::value(name, "a text in every line", format!("none in line {}", row + 2)))
    };
    let bytes = optional("bytes")?.map(|cell| {
        cell.parse().map_err(|_| Error::value("bytes", "a whole number", format!("{cell:?} in line {}", row + 2)))
    });
    let sha256 = optional("sha256")?;
    if let Some(odd) = sha256.iter().find(|digits| !is_hexadecimal(digits, 64)) {
        return Err(Error::value("sha256", "64 hexadecimal digits", format!("{odd:?} in line {}", row + 2)));
    }
    Ok(WeightsSource {
        architecture: text("architecture")?.parse()?,
        repo: text("repo")?,
        revision: text("revision")?,
        file: text("file")?,
        bytes: bytes.transpose()?,
        sha256,
        licence: text("licence")?,
        licence_url: optional("licence_url")?,
        naming: text("naming")?.parse()?,
        notes: text("notes")?,
    })
}

fn is_hexadecimal(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_network_but_ours_has_a_source_of_a_known_naming() {
        for architecture in Architecture::ALL {
            let sources = sources_of(architecture).unwrap();
            let is_ours = matches!(architecture, Architecture::Mini | Architecture::SketchANet);
            assert_eq!(sources.is_empty(), is_ours, "{architecture}");
            for source in sources {
                assert!(Naming::of(architecture).contains(&source.naming), "{source:?}");
                assert!(source.repo.split('/').count() == 2 && source.file.ends_with(".safetensors"), "{source:?}");
                assert!(source.is_pinned() || source.revision == "main", "{source:?}");
                assert!(["bsd-3-clause", "apache-2.0", "mit"].contains(&source.licence.as_str()), "{source:?}");
                assert!(source.licence_url.is_some_and(|url| url.starts_with("https://")));
            }
        }
    }

    #[test]
    fn sources_are_unique_and_digests_complete() {
        let sources = sources().unwrap();
        let files: BTreeSet<_> = sources.iter().map(|source| (&source.repo, &source.file)).collect();
        assert_eq!(files.len(), sources.len());
        let digests: BTreeSet<_> = sources.iter().filter_map(|source| source.sha256.as_ref()).collect();
        assert_eq!(digests.len(), sources.iter().filter(|source| source.sha256.is_some()).count());
        // A size is never below the network's numbers of 4 bytes each (11,176,512 of ResNet-18).
        assert!(sources.iter().filter_map(|source| source.bytes).all(|bytes| bytes > 4 * 11_176_512));
    }

    #[test]
    fn sources_name_the_line_of_an_error() {
        let header = "architecture,repo,revision,file,bytes,sha256,licence,licence_url,naming,notes";
        let line = |bytes: &str, sha: &str, naming: &str| {
            parse(&format!("{header}\nmini,a/b,main,f,{bytes},{sha},mit,,{naming},\"n, m\"\n"))
        };
        let good = line("12", "", "own").unwrap().remove(0);
        assert_eq!((good.bytes, good.sha256, good.notes.as_str()), (Some(12), None, "n, m"));
        for (bytes, sha, naming, found) in [
            ("12x", "", "own", "\"12x\" in line 2"),
            ("", "abc", "own", "\"abc\" in line 2"),
            ("", "", "keras", "keras"),
            ("", "", "", "none in line 2"),
        ] {
            let error = line(bytes, sha, naming).unwrap_err().to_string();
            assert!(error.contains(found), "{error}");
        }
    }
}
