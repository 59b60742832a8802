//! A contestant as seen from outside: a process that is asked line by line.

use super::request::{Hello, Refusal, Request};
use super::{Options, word, worker::Kind};
use retrace::{Error, Result};
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// From the package's root, where `cargo bench` starts its programs.
const PEER: &str = "benches/peer/network.py";

/// A running contestant; it ends with this value.
#[derive(Debug)]
pub struct Contestant {
    /// What it said first.
    pub hello: Hello,
    name: String,
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Contestant {
    /// Starts this program as a contestant.
    ///
    /// # Errors
    /// A device that is not there.
    pub fn ours(kind: Kind, threads: u16, options: &Options) -> Result<Self> {
        let program = std::env::current_exe().map_err(Error::io("this program"))?;
        let mut command = Command::new(program);
        // Both rayon and candle read the number of threads there.
        command.env("RAYON_NUM_THREADS", threads.to_string()).args(["--worker", &word(kind)]);
        Self::start(word(kind), command, options)
    }

    /// Starts the PyTorch script.
    ///
    /// # Errors
    /// No Python or no PyTorch, with what to do about it.
    pub fn peer(threads: u16, options: &Options) -> Result<Self> {
        let mut command = Command::new(&options.python);
        command.args([PEER, "--threads", &threads.to_string()]);
        if options.keep_memory {
            command.envs([("MALLOC_MMAP_MAX_", "0"), ("MALLOC_TRIM_THRESHOLD_", "100000000000")]);
        }
        Self::start(format!("PyTorch ({})", options.python.display()), command, options)
    }

    fn start(name: String, mut command: Command, options: &Options) -> Result<Self> {
        command.args(["--device", &word(options.device), "--tf32", &word(options.tf32)]);
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| {
            Error::value(&name, "a program that starts (--python PATH names a Python with PyTorch)", error)
        })?;
        let (Some(requests), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::value(&name, "a process with standard input and output", "none"));
        };
        let hello = Hello { versions: String::new(), device: String::new() };
        let mut contestant = Self { hello, name, child, requests, answers: BufReader::new(answers) };
        contestant.hello = contestant.read()?;
        Ok(contestant)
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// What the contestant says against it, or a process that has ended.
    pub fn ask<T: DeserializeOwned>(&mut self, request: Request) -> Result<T> {
        writeln!(self.requests, "{request}").map_err(|error| Error::value(&self.name, "a running process", error))?;
        self.read()
    }

    fn read<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(Error::io(&self.name))?;
        if let Ok(Refusal { error }) = serde_json::from_str(&line) {
            return Err(Error::value(&self.name, "an answer", error));
        }
        let found = if line.is_empty() { "the process ended" } else { line.trim_end() };
        serde_json::from_str(&line).map_err(|_| Error::value(&self.name, "an answer in JSON", found))
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        // It may have ended by itself; either way nothing is left behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
