//! What optimal transport of a pair of maps costs, beside POT's `emd` and qpth: one thread, milliseconds a pair.
//!
//! ```text
//! cargo bench --bench transport -- [--python PATH] [--seconds 0.5] [--rounds 5] [--out results/bench/transport.csv]
//! ```
//!
//! Maps of 9, 25 and 49 regions with 64 channels; costs and masses as the paper makes them. A call has several pairs.
//! We and POT's `emd` work in turns, medians of the rounds count; qpth, which is slower by thousands, has one round.
//! Ours are whole calls on f32 tensors, checks included. All programs must find the same costs.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "compare/machine.rs"]
mod machine;
#[path = "compare/merge.rs"]
mod merge;
#[path = "compare/script.rs"]
mod script;

use candle_core::{Device, Tensor, Var};
use clap::Parser;
use merge::{Line, merge};
use retrace::kernel::transport::{Goal, Solver, TransportConfig, transport};
use retrace::metric::quantile;
use retrace::run::versions;
use retrace::{Error, Result};
use script::Script;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CHANNELS: usize = 64;

/// Regions of either map, and pairs of a call of qpth, whose matrices grow with the fourth power.
const SIZES: [(usize, usize); 3] = [(9, 16), (25, 4), (49, 1)];

/// Pairs of a call of ours and of POT's.
const PAIRS: usize = 64;

/// As in the paper's supplement.
const RIDGE: f64 = 1e-3;

/// Gradient: of forward and backward pass together.
const HEADER: &str =
    "regions,solver,threads,forward_ms,gradient_ms,peer,peer_forward_ms,peer_gradient_ms,device,versions";

/// Options as typed.
#[derive(Debug, Clone, Parser)]
#[command(about = "What optimal transport of a pair costs")]
struct Options {
    /// A Python that has POT and qpth (benches/peer/requirements-transport.txt).
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Seconds of work a round.
    #[arg(long, default_value_t = 0.5)]
    seconds: f64,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// The table; rows of other devices in it stay.
    #[arg(long, default_value = "results/bench/transport.csv")]
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
            eprintln!("transport: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    machine::warn_if_busy();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|error| Error::value("threads", "a pool of one", error))?;
    let mut peer = Script::start(&options.python, "benches/peer/transport.py")?;
    let mut lines = Vec::new();
    println!("{HEADER}");
    for (regions, few) in SIZES {
        for (solver, name, pairs, rounds) in
            [(Solver::Exact, "pot", PAIRS, options.rounds), (Solver::Quadratic { ridge: RIDGE }, "qpth", few, 1)]
        {
            let line =
                pool.install(|| compare(&mut peer, (solver, name), (regions, pairs), rounds, options.seconds))?;
            println!("{},{}", line.key, line.values);
            lines.push(line);
        }
    }
    merge(&options.out, HEADER, &lines)
}

/// Ours and a peer's times on the same pairs, in turns.
fn compare(
    peer: &mut Script,
    (solver, name): (Solver, &'static str),
    (regions, pairs): (usize, usize),
    rounds: u16,
    seconds: f64,
) -> Result<Line> {
    let all = problems(regions, PAIRS);
    let task = Task::new(name, regions, &all, pairs, seconds);
    let mut times: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        let (theirs, ours) = (peer.ask::<Measured>(&task)?, Measured::of(&all, regions, solver, seconds)?);
        agree(&ours.costs, &theirs.costs)?;
        let round = [ours.forward_ms, ours.both_ms, theirs.forward_ms, theirs.both_ms];
        times.iter_mut().zip(round).for_each(|(times, time)| times.push(time));
    }
    let [ours, ours_both, theirs, theirs_both] = times.each_ref().map(|times| quantile(times, 0.5));
    let (solver, peer_name) = if name == "pot" { ("exact", "POT") } else { ("quadratic", "qpth") };
    Ok(Line {
        key: format!("{regions},{solver},1"),
        values: format!("{:.4},{:.4},{peer_name},{:.4},{:.4}", ours?, ours_both?, theirs?, theirs_both?),
        device: machine::processor(),
        versions: format!("retrace {}, {}", versions().remove("retrace").unwrap_or_default(), peer.versions),
    })
}

/// Stops where two programs find different costs.
fn agree(ours: &[f64], theirs: &[f64]) -> Result<()> {
    // qpth ends at a residual that is small beside the masses.
    match ours.iter().zip(theirs).find(|(a, b)| (*a - *b).abs() > 1e-3 * (1.0 + b.abs())) {
        Some((ours, theirs)) => Err(Error::value("cost of a pair", theirs, ours)),
        None => Ok(()),
    }
}

/// Costs, rows and columns of every pair.
type Problems = [Vec<Vec<f32>>; 3];

/// Pairs of maps: `c = 1 - cosine` and masses `u_i . sum of v_j`, rectified and 1e-3 above 0, the columns' scaled to
/// one sum.
fn problems(regions: usize, pairs: usize) -> Problems {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let mut map =
        || -> Vec<Vec<f32>> { (0..regions).map(|_| unit((0..CHANNELS).map(|_| draw() - 0.3).collect())).collect() };
    let mut problems: Problems = Default::default();
    for _ in 0..pairs {
        let (u, v) = (map(), map());
        let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let mass = |a: &Vec<f32>, others: &[Vec<f32>]| others.iter().map(|b| cosine(a, b)).sum::<f32>().max(0.0) + 1e-3;
        let rows: Vec<f32> = u.iter().map(|a| mass(a, &v)).collect();
        let columns: Vec<f32> = v.iter().map(|a| mass(a, &u)).collect();
        let by = rows.iter().sum::<f32>() / columns.iter().sum::<f32>();
        problems[0].push(u.iter().flat_map(|a| v.iter().map(move |b| (1.0 - cosine(a, b)).max(0.0))).collect());
        problems[1].push(rows);
        problems[2].push(columns.iter().map(|mass| mass * by).collect());
    }
    problems
}

fn unit(region: Vec<f32>) -> Vec<f32> {
    let region: Vec<f32> = region.into_iter().map(|x| x.max(0.0)).collect();
    let norm = region.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-6);
    region.into_iter().map(|x| x / norm).collect()
}

/// What a program says of its pairs.
#[derive(Debug, Clone, Deserialize)]
struct Measured {
    forward_ms: f64,
    both_ms: f64,
    costs: Vec<f64>,
}

impl Measured {
    fn of(problems: &Problems, regions: usize, solver: Solver, seconds: f64) -> Result<Self> {
        let var = |part: usize, shape: &[usize]| Var::from_vec(problems[part].concat(), shape, &Device::Cpu);
        let p = problems[0].len();
        let [costs, rows, columns] = [var(0, &[p, regions, regions])?, var(1, &[p, regions])?, var(2, &[p, regions])?];
        let config = TransportConfig { solver, goal: Goal::Least };
        let forward = |x: [&Tensor; 3]| transport(x[0], x[1], x[2], config);
        let plain = [&costs, &rows, &columns].map(|x| x.as_detached_tensor());
        let (found, forward_ms) = milliseconds(p, seconds, || forward(plain.each_ref()))?;
        let both = || Ok(forward([&costs, &rows, &columns])?.sum_all()?.backward()?);
        let (_, both_ms) = milliseconds(p, seconds, both)?;
        Ok(Self { forward_ms, both_ms, costs: found.to_vec1::<f32>()?.into_iter().map(f64::from).collect() })
    }
}

/// The last result, and milliseconds a pair, after a call that is not counted.
fn milliseconds<T>(pairs: usize, seconds: f64, work: impl Fn() -> Result<T>) -> Result<(T, f64)> {
    let mut found = work()?;
    let (begin, mut calls) = (Instant::now(), 0);
    while calls == 0 || begin.elapsed().as_secs_f64() < seconds {
        found = work()?;
        calls += 1;
    }
    Ok((found, 1e3 * begin.elapsed().as_secs_f64() / f64::from(calls) / pairs as f64))
}

/// What the script is asked.
#[derive(Debug, Serialize)]
struct Task<'a> {
    peer: &'static str,
    m: usize,
    n: usize,
    ridge: f64,
    seconds: f64,
    costs: &'a [Vec<f32>],
    rows: &'a [Vec<f32>],
    columns: &'a [Vec<f32>],
}

impl<'a> Task<'a> {
    fn new(peer: &'static str, regions: usize, problems: &'a Problems, pairs: usize, seconds: f64) -> Self {
        let [costs, rows, columns] = problems.each_ref().map(|part| &part[..pairs]);
        Self { peer, m: regions, n: regions, ridge: RIDGE, seconds, costs, rows, columns }
    }
}
