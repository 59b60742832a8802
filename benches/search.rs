//! What a query costs over galleries of 100 to 100,000 photos whose features are kept: by one vector a photo, by transport
//! between 16 regions a photo, by both in two stages, and by attention between the regions of every pair.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench --bench search [-- --out results/bench/search.csv]
//! ```
//!
//! Medians of three queries, in seconds; megabytes are what the features of a gallery take. Features are at random, of as many
//! numbers as those of the small network: what they say does not change what they cost. Regions kept in 16 or 8 bits are widened
//! block by block.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "compare/machine.rs"]
mod machine;
#[path = "compare/merge.rs"]
mod merge;

use candle_core::{DType, Device, Tensor};
use clap::Parser;
use merge::{Line, merge};
use retrace::metric::{nearest, quantile};
use retrace::model::Mode;
use retrace::paper::partially::{Config, Matching, RegionNetwork, regions};
use retrace::run::versions;
use retrace::seed::Seed;
use retrace::{Error, Result};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Photos of the galleries.
const GALLERIES: [usize; 4] = [100, 1_000, 10_000, 100_000];

/// Regions of a picture and numbers of each: those of the small network.
const REGIONS: [usize; 2] = [16, 256];

/// Photos that the second stage sees.
const FIRST: usize = 100;

/// Photos of a block, whose costs fit in a processor's memory.
const BLOCK: usize = 500;

/// Queries; the median counts.
const QUERIES: usize = 3;

const HEADER: &str = "search,photos,threads,seconds,megabytes,device,versions";

/// Options as typed.
#[derive(Debug, Clone, Parser)]
#[command(about = "What a query costs over the size of the gallery")]
struct Options {
    /// The table; rows of other devices or threads in it stay.
    #[arg(long, default_value = "results/bench/search.csv")]
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
            eprintln!("search: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    machine::warn_if_busy();
    let mut lines = Vec::new();
    for photos in GALLERIES {
        lines.extend(measure(photos)?);
    }
    println!("{HEADER}");
    lines.iter().for_each(|line| println!("{},{}", line.key, line.values));
    merge(&options.out, HEADER, &lines)
}

/// Every search over a gallery of one size.
fn measure(photos: usize) -> Result<Vec<Line>> {
    let gallery = random(photos)?;
    let means = gallery.mean(1)?;
    let (half, byte) = (gallery.to_dtype(DType::F16)?, ((gallery.clone() * 127.0)? + 127.0)?.to_dtype(DType::U8)?);
    let transport = Matching::Transport(Default::default());
    let network = RegionNetwork::new(&Config::preset("synth-scene", "local-self-attn")?, Seed(0), &Device::Cpu)?;
    let widen = |x: &Tensor| -> Result<Tensor> { Ok(((x.to_dtype(DType::F32)? - 127.0)? / 127.0)?) };
    let by = |gallery: &Tensor, query: &Tensor, show: &dyn Fn(&Tensor) -> Result<Tensor>| -> Result<Vec<f32>> {
        blocks(gallery, &|block| values(&transport.distances(query, &show(block)?)?))
    };
    let single = |x: &Tensor| Ok(x.to_dtype(DType::F32)?);
    let vectors = |query: &Tensor| values(&(1.0 - query.mean(1)?.matmul(&means.t()?)?)?);
    let two = |query: &Tensor| -> Result<Vec<f32>> {
        let first: Vec<u32> = nearest(&vectors(query)?, FIRST.min(photos))?.into_iter().map(|at| at as u32).collect();
        let first = gallery.index_select(&Tensor::new(first, &Device::Cpu)?, 0)?;
        values(&transport.distances(query, &first)?)
    };
    let attend = |query: &Tensor| {
        blocks(&gallery, &|block| {
            let own = query.broadcast_as(block.shape())?;
            // The regions of both pictures look at each other: nothing of it can be kept.
            let joined = network.attend(&Tensor::cat(&[&own, block], 1)?, Mode::Eval)?;
            values(&joined.mean(1)?.sqr()?.sum(1)?)
        })
    };
    let [m, c] = REGIONS;
    let size = |bytes: usize| (photos * bytes) as f64 / 1e6;
    type Search<'a> = &'a dyn Fn(&Tensor) -> Result<Vec<f32>>;
    let searches: [(&str, Search, f64); 6] = [
        ("vectors", &vectors, size(4 * c)),
        ("two stages", &two, size(4 * c * (m + 1))),
        ("transport", &|query| by(&gallery, query, &single), size(4 * m * c)),
        ("transport in 16 bits", &|query| by(&half, query, &single), size(2 * m * c)),
        ("transport in 8 bits", &|query| by(&byte, query, &widen), size(m * c)),
        ("pairwise attention", &attend, size(4 * m * c)),
    ];
    searches.iter().map(|(name, search, megabytes)| line(name, photos, *search, *megabytes)).collect()
}

fn line(name: &str, photos: usize, search: &dyn Fn(&Tensor) -> Result<Vec<f32>>, megabytes: f64) -> Result<Line> {
    let mut seconds = Vec::new();
    for query in 0..=QUERIES {
        let query = random_from(1, 1_000 + query)?;
        let begin = Instant::now();
        let found = search(&query)?;
        if !found.iter().all(|distance| distance.is_finite()) {
            return Err(Error::value(name, "distances", "something that is none"));
        }
        seconds.push(begin.elapsed().as_secs_f64());
    }
    // The first query, not counted, makes the memory that later ones use again.
    let median = quantile(&seconds.split_off(1), 0.5)?;
    Ok(Line {
        key: format!("{name},{photos},{}", rayon::current_num_threads()),
        values: format!("{median:.6},{megabytes:.3}"),
        device: machine::processor(),
        versions: format!("retrace {}", versions().remove("retrace").unwrap_or_default()),
    })
}

/// A search block by block.
fn blocks(gallery: &Tensor, search: &dyn Fn(&Tensor) -> Result<Vec<f32>>) -> Result<Vec<f32>> {
    let (count, mut found) = (gallery.dim(0)?, Vec::new());
    for start in (0..count).step_by(BLOCK) {
        found.extend(search(&gallery.narrow(0, start, BLOCK.min(count - start))?)?);
    }
    Ok(found)
}

fn values(x: &Tensor) -> Result<Vec<f32>> {
    Ok(x.flatten_all()?.to_vec1()?)
}

fn random(pictures: usize) -> Result<Tensor> {
    random_from(pictures, 0)
}

/// Unit regions, not negative, as rectified maps are.
fn random_from(pictures: usize, stream: usize) -> Result<Tensor> {
    use rand::RngExt;
    let [m, c] = REGIONS;
    let draw = &mut Seed(stream as u64).stream("search");
    let numbers: Vec<f32> = (0..pictures * m * c).map(|_| draw.random_range(0.0..1.0f32)).collect();
    regions(&Tensor::from_vec(numbers, (pictures, m, 1, c), &Device::Cpu)?, None)
}
