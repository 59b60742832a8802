//! Our speed beside PyTorch's and candle's: the same networks and the same work, in turns.
//!
//! ```text
//! cargo bench --bench compare -- [--python PATH] [--threads 1,2] [--seconds 3] [--rounds 5] [--device cpu|cuda]
//! ```
//!
//! Every contestant is a process of its own that answers requests line by line: this program (as `--worker retrace` and
//! `--worker candle`) and `benches/peer/network.py`. In every round each of them works for `--seconds`, one at a time, the
//! order turned round from one round to the next; what counts is the median over rounds, and a ratio is that of two medians.
//!
//! This program has the binary's allocator, which keeps the memory of one step for the next. PyTorch has its own habits,
//! unless `--keep-memory` gives it the same one: it embeds with EfficientNet-Lite0 a third faster then. The table does not
//! say so: write such a comparison to another file with `--out`.
//! Written: `results/bench/kernels.csv`, and beside it `candle.csv` and `memory.csv`.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod candle;
mod contest;
mod machine;
mod merge;
mod network;
mod process;
mod request;
mod table;
mod worker;

use clap::{Parser, ValueEnum};
use request::Work;
use retrace::device::Choice;
use retrace::model::Architecture;
use std::path::PathBuf;
use std::process::ExitCode;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Options as typed.
#[derive(Debug, Clone, Parser)]
#[command(about = "Our speed beside PyTorch's and candle's")]
struct Options {
    /// A Python that has PyTorch (benches/peer/requirements.txt).
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Threads of every contestant; one set of rounds each.
    #[arg(long, value_delimiter = ',', default_value = "1,2", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Vec<u16>,
    /// Seconds of work a round and contestant.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Rounds a network and work; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Networks to compare.
    #[arg(long, value_delimiter = ',', default_value = "mini,efficientnet-lite0,resnet18")]
    networks: Vec<Architecture>,
    /// Work to compare.
    #[arg(long, value_delimiter = ',', default_value = "embed,train")]
    works: Vec<Work>,
    /// Where the networks run.
    #[arg(long, value_enum, default_value_t = Place::Cpu)]
    device: Place,
    /// Whether products on a GPU may round their factors to 10 bits.
    #[arg(long, value_enum, default_value_t = Switch::Off)]
    tf32: Switch,
    /// Let PyTorch keep the memory it frees, as our allocator does (glibc only): large maps cost no page faults then.
    #[arg(long)]
    keep_memory: bool,
    /// The table of speeds; the others go beside it. Rows of other devices or threads in it stay.
    #[arg(long, default_value = "results/bench/kernels.csv")]
    out: PathBuf,
    /// Be a contestant instead: how this program starts itself.
    #[arg(long, hide = true)]
    worker: Option<worker::Kind>,
    /// What `cargo bench` passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A device by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Place {
    Cpu,
    Cuda,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Place {
    fn choice(self) -> Choice {
        match self {
            Self::Cpu => Choice::Cpu,
            Self::Cuda => Choice::Cuda,
        }
    }
}

/// The name of a value on the command line.
fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_string())
}

#[allow(unsafe_code)]
fn main() -> ExitCode {
    // SAFETY: the first thread is the only one so far.
    unsafe { retrace::device::set_up() };
    let options = Options::parse();
    let done = match options.worker {
        Some(kind) => worker::serve(kind, &options),
        None if options.bench => contest::run(&options),
        // `cargo test --all-targets` starts benchmarks too, to see that they start.
        None => return ExitCode::SUCCESS,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("compare: {error}");
            ExitCode::FAILURE
        }
    }
}
