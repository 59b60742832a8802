//! A Python script that is asked line by line, in JSON.

use retrace::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running script, on one thread; it ends with this value.
pub struct Script {
    /// What it runs.
    pub versions: String,
    path: &'static str,
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What it says first.
#[derive(Debug, Deserialize)]
struct Greeting {
    versions: String,
}

/// What it says where it cannot go on.
#[derive(Debug, Deserialize)]
struct Complaint {
    error: String,
}

impl Script {
    /// Starts a script; its path is that from the package's root, where `cargo bench` starts its programs.
    ///
    /// # Errors
    /// No Python, or one that lacks a package.
    pub fn start(python: &Path, path: &'static str) -> Result<Self> {
        let mut command = Command::new(python);
        command.arg(path).env("OMP_NUM_THREADS", "1");
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| Error::value("--python", "a program that starts", error))?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::value("--python", "a process with standard input and output", "none"));
        };
        let mut script = Self { versions: String::new(), path, child, requests, answers: BufReader::new(answers) };
        script.versions = script.read::<Greeting>()?.versions;
        Ok(script)
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// What the script says against it, or a process that has ended.
    pub fn ask<T: DeserializeOwned>(&mut self, request: &impl Serialize) -> Result<T> {
        let line = serde_json::to_string(request)?;
        writeln!(self.requests, "{line}").map_err(Error::io(self.path))?;
        self.read()
    }

    fn read<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(Error::io(self.path))?;
        if let Ok(Complaint { error }) = serde_json::from_str(&line) {
            return Err(Error::value(self.path, "an answer", error));
        }
        let found = if line.is_empty() { "the process ended" } else { line.trim_end() };
        serde_json::from_str(&line).map_err(|_| Error::value(self.path, "an answer", found))
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
