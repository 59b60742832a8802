//! A contestant written in Rust: answers requests on its standard input until that ends.

use super::candle::Candle;
use super::network::{BATCH, Ours, Runner};
use super::request::{Hello, Memory, Refusal, Request, Speed, Work};
use super::{Options, Switch, word};
use candle_core::{Device, cuda::set_gemm_reduced_precision_f32};
use clap::ValueEnum;
use retrace::model::Architecture;
use retrace::{Error, Result, run::versions};
use serde::Serialize;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

/// Steps before anything is measured, which make buffers.
const WARM_UP: usize = 3;

/// Whose network it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// This library's.
    Retrace,
    /// The same from candle's layers.
    Candle,
}

/// Answers requests; a request that fails is answered with the reason.
///
/// # Errors
/// No such device, or a standard input or output that breaks.
pub fn serve(kind: Kind, options: &Options) -> Result<()> {
    set_gemm_reduced_precision_f32(options.tf32 == Switch::On);
    let mut worker = match retrace::device::open(options.device.choice()) {
        Ok(device) => Worker { kind, device, ready: None },
        Err(error) => return say(&Refusal { error: error.to_string() }),
    };
    let version = versions().remove(&word(kind)).unwrap_or_default();
    let device = retrace::device::name(&worker.device).to_string();
    say(&Hello { versions: format!("{} {version}", word(kind)), device })?;
    for line in std::io::stdin().lock().lines() {
        worker.answer(&line.map_err(Error::io("standard input"))?)?;
    }
    Ok(())
}

/// Prints an answer.
fn say(answer: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string(answer)?);
    Ok(())
}

struct Worker {
    kind: Kind,
    device: Device,
    /// The last work, so that asking again costs nothing.
    ready: Option<(Architecture, Work, Box<dyn Runner>)>,
}

impl Worker {
    fn answer(&mut self, line: &str) -> Result<()> {
        let done = match Request::parse(line) {
            Ok(Request::Speed(network, work, seconds)) => {
                self.measure(network, work, seconds).map(serde_json::to_value)
            }
            Ok(Request::Memory) => self.memory().map(serde_json::to_value),
            Err(error) => Err(error),
        };
        match done {
            Ok(answer) => say(&answer?),
            Err(error) => say(&Refusal { error: error.to_string() }),
        }
    }

    fn measure(&mut self, network: Architecture, work: Work, seconds: f64) -> Result<Speed> {
        let mut runner = match self.ready.take() {
            Some((n, w, runner)) if (n, w) == (network, work) => runner,
            _ => self.prepare(network, work)?,
        };
        self.device.synchronize()?;
        let (begin, mut steps) = (Instant::now(), 0);
        while steps == 0 || begin.elapsed().as_secs_f64() < seconds {
            runner.step()?;
            steps += 1;
        }
        self.device.synchronize()?;
        let per_s = (BATCH * steps) as f64 / begin.elapsed().as_secs_f64();
        let parameters = runner.parameters();
        self.ready = Some((network, work, runner));
        Ok(Speed { per_s, parameters, form: None })
    }

    fn prepare(&self, network: Architecture, work: Work) -> Result<Box<dyn Runner>> {
        let mut runner: Box<dyn Runner> = match self.kind {
            Kind::Retrace => Box::new(Ours::new(network, work, &self.device)?),
            Kind::Candle => Box::new(Candle::new(network, work, &self.device)?),
        };
        (0..WARM_UP).try_for_each(|_| runner.step())?;
        Ok(runner)
    }

    /// Peak resident memory of training steps of ResNet-18, and before the network was made.
    fn memory(&self) -> Result<Memory> {
        let before_mib = peak_mib()?;
        drop(self.prepare(Architecture::ResNet18, Work::Train)?);
        Ok(Memory { peak_mib: peak_mib()?, before_mib })
    }
}

/// Highest resident memory of this process so far.
fn peak_mib() -> Result<f64> {
    let path = Path::new("/proc/self/status");
    let status = std::fs::read_to_string(path).map_err(Error::io(path))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: Option<f64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.map(|kib| kib / 1024.0).ok_or_else(|| Error::data(path, "a line `VmHWM: <number> kB`", "none"))
}
