//! One error type: what was expected, what was found, and in which file.

use std::path::{Path, PathBuf};

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, worded for the person who has to fix it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Reading or writing a file failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file was read and does not hold what it should.
    #[error("{}: expected {expected}, found {found}", path.display())]
    Data {
        /// The file or folder, with a line where there is one.
        path: PathBuf,
        /// What a good file has there.
        expected: String,
        /// What this file has there.
        found: String,
    },
    /// A value given by the caller does not fit.
    #[error("{what}: expected {expected}, found {found}")]
    Value {
        /// Which value: an option, a field, a tensor.
        what: String,
        /// What would fit.
        expected: String,
        /// What was given.
        found: String,
    },
    /// The user stopped the run; what was done so far is on disk.
    #[error("stopped; {resume}")]
    Stopped {
        /// How to go on.
        resume: String,
    },
    /// Another process is at work in a run's folder.
    #[error("{}: another process is training there", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// A request to a Hub failed.
    #[error("{address}: expected {expected}, found {found}")]
    Hub {
        /// The repository and its revision.
        address: String,
        /// What was asked for.
        expected: String,
        /// What happened instead.
        found: String,
    },
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
    /// A frame operation failed.
    #[error(transparent)]
    Frame(#[from] polars::error::PolarsError),
    /// JSON did not parse or did not serialise.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// A figure could not be drawn.
    #[error("figure: {0}")]
    Figure(String),
}

impl Error {
    /// Wraps an input or output error with its file.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.as_ref().to_path_buf();
        move |source| Self::Io { path, source }
    }

    /// A file that does not hold what it should.
    pub fn data(path: impl AsRef<Path>, expected: impl ToString, found: impl ToString) -> Self {
        Self::Data { path: path.as_ref().to_path_buf(), expected: expected.to_string(), found: found.to_string() }
    }

    /// A value that does not fit.
    pub fn value(what: impl ToString, expected: impl ToString, found: impl ToString) -> Self {
        Self::Value { what: what.to_string(), expected: expected.to_string(), found: found.to_string() }
    }
}
