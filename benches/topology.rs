//! What R of 2,000 photos costs, as many as Shoe-V2 has: their features under the pre-trained network, the distances
//! between them, and reading what was kept instead.
//!
//! ```text
//! RAYON_NUM_THREADS=2 cargo bench --bench topology [-- --out results/bench/topology.csv]
//! ```
//!
//! Medians of five rounds, in seconds. `first_s` is all that the first training waits for: features, distances, and the
//! file that keeps them; `again_s` is what every further one waits for. Photos are in memory, as in a training.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "compare/machine.rs"]
mod machine;
#[path = "compare/merge.rs"]
mod merge;

use candle_core::Device;
use clap::Parser;
use merge::{Line, merge};
use rayon::prelude::*;
use retrace::dataset::{Album, PrepareConfig, synthetic::Photos};
use retrace::loss::Topology;
use retrace::metric::quantile;
use retrace::model::Network;
use retrace::paper::photo_pretraining::Config;
use retrace::run::versions;
use retrace::seed::Seed;
use retrace::train::{Pixels, TopologyPlan, unit_features};
use retrace::{Error, Result};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Training and test photos of Shoe-V2, all of them.
const PHOTOS: usize = 2000;

/// Rounds; the median counts.
const ROUNDS: usize = 5;

/// What is measured: features, distances, both with the file that keeps them, and reading that file.
const HEADER: &str = "network,photos,threads,embed_s,distances_s,first_s,again_s,device,versions";

/// Options as typed.
#[derive(Debug, Clone, Parser)]
#[command(about = "What R of 2,000 photos costs")]
struct Options {
    /// The table; rows of other devices or threads in it stay.
    #[arg(long, default_value = "results/bench/topology.csv")]
    out: PathBuf,
    /// What `cargo bench` passes to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

#[allow(unsafe_code)]
fn main() -> ExitCode {
    // SAFETY: the first thread is the only one so far.
    unsafe { retrace::device::set_up() };
    let options = Options::parse();
    // `cargo test --all-targets` starts benchmarks too, to see that they start.
    match if options.bench { run(&options) } else { Ok(()) } {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("topology: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    machine::warn_if_busy();
    // The networks of the embedded and of the real corpora, each at its size of pictures.
    let lines = [Config::mini("synth-shoe"), Config::lite()].iter().map(measure).collect::<Result<Vec<_>>>()?;
    println!("{HEADER}");
    lines.iter().for_each(|line| println!("{},{}", line.key, line.values));
    merge(&options.out, HEADER, &lines)
}

fn measure(config: &Config) -> Result<Line> {
    let network = Network::new(config.network(), Seed(0), &Device::Cpu)?; // weights that nobody has trained take as long
    let album = album(config.prepare)?;
    let pixels = config.pixels(&album, &Device::Cpu);
    let place = tempfile::tempdir().map_err(Error::io(std::env::temp_dir()))?;
    let rounds = (0..=ROUNDS).map(|round| seconds(&network, &pixels, place.path().join(round.to_string())));
    // The first round, not counted, makes the memory that later ones use again.
    let rounds: Vec<[f64; 4]> = rounds.collect::<Result<Vec<_>>>()?.split_off(1);
    let median = |i: usize| quantile(&rounds.iter().map(|round| round[i]).collect::<Vec<_>>(), 0.5);
    let values = (0..4).map(|i| Ok(format!("{:.3}", median(i)?))).collect::<Result<Vec<_>>>()?;
    Ok(Line {
        key: format!("{},{PHOTOS},{}", config.architecture, rayon::current_num_threads()),
        values: values.join(","),
        device: machine::processor(),
        versions: format!("retrace {}", versions().remove("retrace").unwrap_or_default()),
    })
}

/// Photos as a corpus has them in memory.
fn album(config: PrepareConfig) -> Result<Album> {
    let stream = Photos { count: PHOTOS, side: config.side };
    let photos = (0..PHOTOS).into_par_iter().map(|position| stream.photo(position)).collect::<Result<Vec<_>>>()?;
    Album::of_photos(photos, config)
}

/// Seconds of each column; `folder` is a new one.
fn seconds(network: &Network, pixels: &Pixels, folder: PathBuf) -> Result<[f64; 4]> {
    let photos: Vec<usize> = (0..PHOTOS).collect();
    let embed = || unit_features(&|x| network.features(x), pixels, &photos);
    let (features, embed_s) = timed(embed)?;
    let (topology, distances_s) = timed(|| Topology::new(&features))?;
    let build = || Topology::new(&embed()?);
    let plan = TopologyPlan { key: "2,000 photos".into(), folder: &folder, photos: PHOTOS, build: &build };
    let (first, first_s) = timed(|| plan.open())?;
    let again = || -> Result<Topology> { Err(Error::value("kept topology", "one that is read", "none")) };
    let (kept, again_s) = timed(|| TopologyPlan { build: &again, ..plan }.open())?;
    if first == topology && kept == topology {
        Ok([embed_s, distances_s, first_s, again_s])
    } else {
        Err(Error::value("kept topology", "the one that was measured", "another"))
    }
}

fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let begin = Instant::now();
    Ok((work()?, begin.elapsed().as_secs_f64()))
}
