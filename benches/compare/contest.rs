//! Contestants in turns, round by round; the medians; what is printed and written.

use super::machine::{processor, warn_if_busy};
use super::process::Contestant;
use super::request::{Memory, Request, Speed, Work};
use super::table::{Row, print, update};
use super::{Options, Place, worker::Kind};
use retrace::model::Architecture;
use retrace::{Error, Result};

/// Runs everything that the options name.
///
/// # Errors
/// A contestant that does not start or answer, networks that are not the same, a table that cannot be written.
pub fn run(options: &Options) -> Result<()> {
    let (mut peers, mut candles) = (Vec::new(), Vec::new());
    warn_if_busy();
    println!("Images per second, medians of {} rounds of {} s\n", options.rounds, options.seconds);
    for &threads in &options.threads {
        let mut contest = Contest::new(threads, options)?;
        for &network in &options.networks {
            for &work in &options.works {
                let [peer, candle] = contest.compare(network, work)?;
                peers.push(peer);
                candles.extend((network == Architecture::Mini).then_some(candle));
            }
        }
    }
    update(&options.out, "network,work,threads,ours_per_s,peer_per_s,ratio,device,versions", &peers)?;
    if !candles.is_empty() {
        let header = "network,work,threads,ours_per_s,candle_per_s,ratio,device,versions";
        update(&options.out.with_file_name("candle.csv"), header, &candles)?;
    }
    if options.device == Place::Cpu && options.networks.contains(&Architecture::ResNet18) {
        let header = "network,work,threads,ours_mib,peer_mib,ratio,device,versions";
        let rows = memory(options.threads[0], options)?;
        update(&options.out.with_file_name("memory.csv"), header, &rows)?;
    }
    Ok(())
}

/// The contestants at one number of threads.
struct Contest<'a> {
    threads: u16,
    options: &'a Options,
    ours: Contestant,
    peer: Contestant,
    candle: Contestant,
}

impl<'a> Contest<'a> {
    fn new(threads: u16, options: &'a Options) -> Result<Self> {
        // PyTorch first: it is the one that may be missing.
        let peer = Contestant::peer(threads, options)?;
        let ours = Contestant::ours(Kind::Retrace, threads, options)?;
        let candle = Contestant::ours(Kind::Candle, threads, options)?;
        Ok(Self { threads, options, ours, peer, candle })
    }

    /// Our row beside PyTorch's, and beside candle's (which is empty but for `mini`).
    fn compare(&mut self, network: Architecture, work: Work) -> Result<[Row; 2]> {
        let request = Request::Speed(network, work, self.options.seconds);
        let mut contestants = vec![&mut self.ours, &mut self.peer];
        if network == Architecture::Mini {
            contestants.push(&mut self.candle);
        }
        let speeds = rounds(&mut contestants, request, self.options.rounds)?;
        let medians: Vec<f64> = speeds.iter().map(|speeds| median(speeds)).collect();
        let form = speeds[1].first().and_then(|speed| speed.form.clone()).unwrap_or_default();
        let row = |other: &Contestant, values: [f64; 2], note: String| Row {
            key: format!("{network},{work},{}", self.threads),
            values,
            device: device(&self.peer),
            versions: format!("{}, {}", self.ours.hello.versions, other.hello.versions),
            note,
        };
        let note = format!("; {form}; {}", spread(&speeds[0], &speeds[1]));
        let peer = row(&self.peer, [medians[0], medians[1]], note);
        print(&peer);
        let candle = row(&self.candle, [medians[0], medians.get(2).copied().unwrap_or(f64::NAN)], String::new());
        if medians.len() > 2 {
            print(&candle);
        }
        Ok([peer, candle])
    }
}

/// Every contestant's speeds, one a round; the order is turned round from one round to the next.
fn rounds(contestants: &mut [&mut Contestant], request: Request, count: u16) -> Result<Vec<Vec<Speed>>> {
    let mut speeds: Vec<Vec<Speed>> = vec![Vec::new(); contestants.len()];
    let mut order: Vec<usize> = (0..contestants.len()).collect();
    for _ in 0..count {
        for &i in &order {
            speeds[i].push(contestants[i].ask(request)?);
        }
        order.reverse();
    }
    let counts: Vec<usize> = speeds.iter().filter_map(|speeds| Some(speeds.first()?.parameters)).collect();
    if counts.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(Error::value(request, "as many parameters in every contestant's network", format!("{counts:?}")));
    }
    Ok(speeds)
}

/// The middle one; the mean of the middle two.
fn median(speeds: &[Speed]) -> f64 {
    let mut rates: Vec<f64> = speeds.iter().map(|speed| speed.per_s).collect();
    rates.sort_by(f64::total_cmp);
    let n = rates.len();
    (rates[(n - 1) / 2] + rates[n / 2]) / 2.0
}

/// The lowest and highest ratio of a round.
fn spread(ours: &[Speed], peer: &[Speed]) -> String {
    let ratios = ours.iter().zip(peer).map(|(ours, peer)| ours.per_s / peer.per_s);
    let (low, high) = ratios.fold((f64::INFINITY, 0.0_f64), |(low, high), ratio| (low.min(ratio), high.max(ratio)));
    format!("rounds {low:.2} to {high:.2}")
}

/// Peak resident memory of fresh processes that train ResNet-18: of the process, and less what it had before the network.
fn memory(threads: u16, options: &Options) -> Result<[Row; 2]> {
    let (mut ours, mut peer) =
        (Contestant::ours(Kind::Retrace, threads, options)?, Contestant::peer(threads, options)?);
    let (our, its): (Memory, Memory) = (ours.ask(Request::Memory)?, peer.ask(Request::Memory)?);
    let row = |work: &str, values| Row {
        key: format!("{},{work},{threads}", Architecture::ResNet18),
        values,
        device: device(&peer),
        versions: format!("{}, {}", ours.hello.versions, peer.hello.versions),
        note: String::new(),
    };
    let steps = [our.peak_mib - our.before_mib, its.peak_mib - its.before_mib];
    let rows = [row("train", [our.peak_mib, its.peak_mib]), row("train less program", steps)];
    println!("\nPeak resident memory, MiB");
    rows.iter().for_each(print);
    Ok(rows)
}

/// The GPU's name, or the processor's.
fn device(peer: &Contestant) -> String {
    let named = (peer.hello.device != "cpu").then(|| peer.hello.device.clone());
    named.unwrap_or_else(processor)
}
