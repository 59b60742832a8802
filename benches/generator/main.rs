//! What a training step of the generator of strokes costs, beside PyTorch: one thread, seconds a step.
//!
//! ```text
//! cargo bench --bench generator -- [--python PATH] [--seconds 2] [--rounds 5] [--out results/bench/generator.csv]
//! ```
//!
//! `decoder` is the recurrent layer and its attention alone, forward and backward. `step` is a whole step of the row
//! `ours-g` on `synth-chair`: loss, gradients, clipping, Adam; the batch is made before. PyTorch computes the same from
//! the same tensors, with `LSTMCell` in a loop. We and PyTorch work in turns, medians of the rounds count. Before the
//! first step both must find the same loss, and gradients of the same length.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod decoder;
#[path = "../compare/machine.rs"]
mod machine;
#[path = "../compare/merge.rs"]
mod merge;
#[path = "../compare/script.rs"]
mod script;
mod training;
mod work;

use clap::Parser;
use decoder::Decoder;
use merge::{Line, merge};
use retrace::metric::quantile;
use retrace::run::versions;
use retrace::{Error, Result};
use script::Script;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use training::Training;
use work::{Case, Work};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Calls before anything is measured, which make buffers.
const WARM_UP: usize = 2;

/// Rows: of the longest sketch. Ratio: theirs over ours.
const HEADER: &str = "work,sketches,rows,places,state,threads,ours_s,peer_s,ratio,device,versions";

/// The decoder as it is trained here, the same with the paper's map of 8 x 8 places, the paper's own sizes (Sec. 4); and
/// the whole step as it is trained here.
const CASES: [Case; 4] = [
    Case { work: "decoder", sketches: 32, rows: 60, places: 16, state: 256, rounds: u16::MAX },
    Case { work: "decoder", sketches: 32, rows: 60, places: 64, state: 256, rounds: u16::MAX },
    Case { work: "decoder", sketches: 64, rows: 100, places: 64, state: 512, rounds: 3 },
    Case { work: "step", sketches: 32, rows: 60, places: 16, state: 256, rounds: u16::MAX },
];

/// Options as typed.
#[derive(Debug, Clone, Parser)]
#[command(about = "What a training step of the generator costs")]
struct Options {
    /// A Python that has PyTorch (benches/peer/requirements.txt).
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Seconds of work a round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Rounds, 3 at most of the paper's sizes; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// The table; rows of other devices in it stay.
    #[arg(long, default_value = "results/bench/generator.csv")]
    out: PathBuf,
    /// What `cargo bench` passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

#[allow(unsafe_code)]
fn main() -> ExitCode {
    // SAFETY: the first thread is the only one so far. Both rayon and candle read the number of threads there.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", "1") };
    // SAFETY: as above.
    unsafe { retrace::device::set_up() };
    let options = Options::parse();
    // `cargo test --all-targets` starts benchmarks too, to see that they start.
    match if options.bench { run(&options) } else { Ok(()) } {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("generator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    machine::warn_if_busy();
    let mut script = Script::start(&options.python, "benches/peer/generator.py")?;
    let mut lines = Vec::new();
    println!("{HEADER}");
    for case in CASES {
        let line = compare(&mut script, case, options)?;
        println!("{},{}", line.key, line.values);
        lines.push(line);
    }
    merge(&options.out, HEADER, &lines)
}

/// Ours and PyTorch's times from the same tensors, in turns.
fn compare(script: &mut Script, case: Case, options: &Options) -> Result<Line> {
    let mut work: Box<dyn Work> = match case.work {
        "decoder" => Box::new(Decoder::new(case)?),
        _ => Box::new(Training::new(case)?),
    };
    let folder = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let path = folder.path().join(format!("{}-{}-{}", case.work, case.places, case.state));
    candle_core::safetensors::save(&work.tensors()?.into_iter().collect::<HashMap<_, _>>(), &path)?;
    let task = Task { work: case.work, tensors: &path, seconds: options.seconds };
    let facts = work.facts()?;
    (0..WARM_UP).try_for_each(|_| work.run())?;
    let mut times: [Vec<f64>; 2] = Default::default();
    for round in 0..options.rounds.min(case.rounds) {
        let theirs: Measured = script.ask(&task)?;
        agree(facts, [theirs.loss, theirs.length])?;
        let ours = seconds(work.as_mut(), options.seconds)?;
        times[0].push(ours);
        times[1].push(theirs.seconds);
        eprintln!("{} round {round}: {ours:.4} {:.4} {}", case.work, theirs.seconds, theirs.form);
    }
    let [ours, peer] = [quantile(&times[0], 0.5)?, quantile(&times[1], 0.5)?];
    let Case { work, sketches, rows, places, state, .. } = case;
    Ok(Line {
        key: format!("{work},{sketches},{rows},{places},{state},1"),
        values: format!("{ours:.4},{peer:.4},{:.3}", peer / ours),
        device: machine::processor(),
        versions: format!("retrace {}, {}", versions().remove("retrace").unwrap_or_default(), script.versions),
    })
}

/// Stops where both programs do not compute the same.
fn agree(ours: [f64; 2], theirs: [f64; 2]) -> Result<()> {
    for (name, (ours, theirs)) in ["loss", "length of the gradients"].into_iter().zip(ours.into_iter().zip(theirs)) {
        // Sums in f32 over many steps.
        let is_near = (ours - theirs).abs() <= 1e-3 * theirs.abs(); // false where one is not finite
        if !is_near {
            return Err(Error::value(name, theirs, ours));
        }
    }
    Ok(())
}

/// Seconds a call.
fn seconds(work: &mut dyn Work, limit: f64) -> Result<f64> {
    let (begin, mut calls) = (Instant::now(), 0);
    while calls == 0 || begin.elapsed().as_secs_f64() < limit {
        work.run()?;
        calls += 1;
    }
    Ok(begin.elapsed().as_secs_f64() / f64::from(calls))
}

/// What the script is asked.
#[derive(Debug, Serialize)]
struct Task<'a> {
    work: &'static str,
    tensors: &'a Path,
    seconds: f64,
}

/// What it answers.
#[derive(Debug, Deserialize)]
struct Measured {
    seconds: f64,
    loss: f64,
    length: f64,
    form: String,
}
