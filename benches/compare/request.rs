//! The line protocol: a request is a line of words, an answer a line of JSON.

use clap::ValueEnum;
use retrace::model::Architecture;
use retrace::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a network is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// Embed batches, without gradients.
    Embed,
    /// Forward, triplet loss, backward, Adam.
    Train,
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Embed => "embed",
            Self::Train => "train",
        })
    }
}

/// One line to a contestant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Request {
    /// `<network> <work> <seconds>`: answered by a [`Speed`].
    Speed(Architecture, Work, f64),
    /// `memory`: answered by a [`Memory`].
    Memory,
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Speed(network, work, seconds) => write!(f, "{network} {work} {seconds}"),
            Self::Memory => f.write_str("memory"),
        }
    }
}

impl Request {
    /// Reads a line.
    ///
    /// # Errors
    /// Words that are none of the two requests.
    pub fn parse(line: &str) -> Result<Self> {
        let unknown = || Error::value("request", "`<network> <work> <seconds>` or `memory`", line);
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["memory"] => Ok(Self::Memory),
            [network, work, seconds] => {
                let work = Work::from_str(work, false).map_err(|_| unknown())?;
                Ok(Self::Speed(network.parse()?, work, seconds.parse().map_err(|_| unknown())?))
            }
            _ => Err(unknown()),
        }
    }
}

/// What a contestant says before the first request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hello {
    /// Name and version.
    pub versions: String,
    /// The GPU's name, or `cpu`.
    pub device: String,
}

/// How fast it was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Speed {
    /// Images per second.
    pub per_s: f64,
    /// How many numbers the network trains, batch norms not folded: the same in every contestant.
    pub parameters: usize,
    /// Which of several ways to write the work this is.
    pub form: Option<String>,
}

/// How much memory steps of training took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Memory {
    /// Highest resident memory of the process.
    pub peak_mib: f64,
    /// The same before the network was made: the program and its libraries.
    pub before_mib: f64,
}

/// The answer to a request that failed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refusal {
    /// Why.
    pub error: String,
}
