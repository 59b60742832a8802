//! This library's speed beside other programs', from the tables that the benchmarks write.

use crate::file::read_csv;
use crate::{Error, Result};
use polars::prelude::DataFrame;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Markdown tables of the ratios in `results/bench/kernels.csv`: one for each device, a line a network.
///
/// # Errors
/// A file that is not there or has other columns.
pub fn markdown(results: &Path) -> Result<String> {
    let path = results.join("bench/kernels.csv");
    let ratios = ratios(&read_csv(&path)?).map_err(|error| Error::data(&path, "the table of the benchmark", error))?;
    let devices: BTreeSet<&str> = ratios.iter().map(|line| line.device.as_str()).collect();
    let tables: Vec<String> = devices.into_iter().map(|device| table(device, &ratios)).collect();
    Ok(tables.join("\n"))
}

/// The lines of one device, with a column for everything that was measured on it.
fn table(device: &str, lines: &[SpeedLine]) -> String {
    let lines: Vec<&SpeedLine> = lines.iter().filter(|line| line.device == device).collect();
    let columns: BTreeSet<(&str, u64)> = lines.iter().map(|line| line.column()).collect();
    let heads = columns
        .iter()
        .map(|(work, threads)| format!("{work}, {threads} thread{}", if *threads == 1 { "" } else { "s" }));
    let mut text = format!("| retrace / PyTorch, {device} | {} |\n", heads.collect::<Vec<_>>().join(" | "));
    text += &format!("|---|{}\n", "--:|".repeat(columns.len()));
    for group in lines.chunk_by(|a, b| a.network == b.network) {
        let find = |column: &(&str, u64)| group.iter().find(|line| line.column() == *column);
        let cells =
            columns.iter().map(|column| find(column).map_or(String::new(), |line| format!("{:.2}", line.ratio)));
        text += &format!("| {} | {} |\n", group[0].network, cells.collect::<Vec<_>>().join(" | "));
    }
    text
}

struct SpeedLine {
    network: String,
    work: String,
    threads: u64,
    ratio: f64,
    device: String,
}

impl SpeedLine {
    fn column(&self) -> (&str, u64) {
        (&self.work, self.threads)
    }
}

fn ratios(frame: &DataFrame) -> Result<Vec<SpeedLine>> {
    let text = |name: &str| Ok::<_, Error>(frame.column(name)?.str()?);
    let (networks, works, devices) = (text("network")?, text("work")?, text("device")?);
    let threads = frame.column("threads")?.cast(&polars::prelude::DataType::UInt64)?;
    let ratios = frame.column("ratio")?.cast(&polars::prelude::DataType::Float64)?;
    let (threads, ratios) = (threads.u64()?, ratios.f64()?);
    let line = |i| {
        let [network, work, device] = [networks.get(i)?, works.get(i)?, devices.get(i)?].map(String::from);
        Some(SpeedLine { network, work, threads: threads.get(i)?, ratio: ratios.get(i)?, device })
    };
    let whole =
        |i: usize| line(i).ok_or_else(|| Error::value(format!("line {}", i + 2), "a value in each column", "none"));
    (0..frame.height()).map(whole).collect()
}

/// A Markdown table of `results/bench/transport.csv`: forward and backward pass of a pair, and how many times faster
/// ours are.
///
/// # Errors
/// A file that is not there or has other columns.
pub fn transport(results: &Path) -> Result<String> {
    let path = results.join("bench/transport.csv");
    let lines = transport_lines(&read_csv(&path)?)
        .map_err(|error| Error::data(&path, "the table of the benchmark of transport", error))?;
    let head = "| processor | threads | regions | solver | retrace, ms | beside | its ms | ratio |\n\
                |---|--:|--:|---|--:|---|--:|--:|\n";
    Ok(format!("{head}{}", lines.concat()))
}

/// By solver, then by size.
fn transport_lines(frame: &DataFrame) -> Result<Vec<String>> {
    use polars::prelude::DataType::{Float64, String, UInt64};
    let column = |name: &str, kind| Ok::<_, Error>(frame.column(name)?.cast(kind)?);
    let [regions, threads] = [column("regions", &UInt64)?, column("threads", &UInt64)?];
    let [own, theirs] = [column("gradient_ms", &Float64)?, column("peer_gradient_ms", &Float64)?];
    let [solver, peer, device] = [column("solver", &String)?, column("peer", &String)?, column("device", &String)?];
    let (regions, threads, own, theirs) = (regions.u64()?, threads.u64()?, own.f64()?, theirs.f64()?);
    let (solver, peer, device) = (solver.str()?, peer.str()?, device.str()?);
    let line = |i: usize| {
        let (device, threads, regions) = (device.get(i)?, threads.get(i)?, regions.get(i)?);
        let (own, theirs) = (own.get(i)?, theirs.get(i)?);
        let (names, ratio) = ([solver.get(i)?, peer.get(i)?], theirs / own);
        let cells = format!("{} | {own:.4} | {} | {} | {}", names[0], names[1], three(theirs), three(ratio));
        let place = (device.to_string(), names[0].to_string(), regions, threads);
        Some((place, format!("| {device} | {threads} | {regions} | {cells} |\n")))
    };
    let whole =
        |i: usize| line(i).ok_or_else(|| Error::value(format!("line {}", i + 2), "a value in each column", "none"));
    let lines: BTreeMap<_, _> = (0..frame.height()).map(whole).collect::<Result<_>>()?;
    Ok(lines.into_values().collect())
}

/// A Markdown table of `results/bench/generator.csv`: forward and backward pass of a decoder of strokes, a whole training
/// step, and how many times faster this library is.
///
/// # Errors
/// A file that is not there or has other columns.
pub fn generator(results: &Path) -> Result<String> {
    let path = results.join("bench/generator.csv");
    let lines = generator_lines(&read_csv(&path)?)
        .map_err(|error| Error::data(&path, "the table of the benchmark of the generator", error))?;
    let head = "| processor | threads | work | sketches | rows | places | state | retrace, s | PyTorch, s | ratio |\n\
                |---|--:|---|--:|--:|--:|--:|--:|--:|--:|\n";
    Ok(format!("{head}{}", lines.concat()))
}

/// By work, then by size.
fn generator_lines(frame: &DataFrame) -> Result<Vec<String>> {
    use polars::prelude::DataType::{Float64, String, UInt64};
    let column = |name: &str, kind| Ok::<_, Error>(frame.column(name)?.cast(kind)?);
    let sizes: Vec<_> = ["state", "places", "sketches", "rows", "threads"]
        .iter()
        .map(|name| column(name, &UInt64))
        .collect::<Result<_>>()?;
    let times: Vec<_> =
        ["ours_s", "peer_s", "ratio"].iter().map(|name| column(name, &Float64)).collect::<Result<_>>()?;
    let (work, device) = (column("work", &String)?, column("device", &String)?);
    let (work, device) = (work.str()?, device.str()?);
    let sizes = sizes.iter().map(|column| Ok(column.u64()?)).collect::<Result<Vec<_>>>()?;
    let times = times.iter().map(|column| Ok(column.f64()?)).collect::<Result<Vec<_>>>()?;
    let line = |i: usize| {
        let (device, work) = (device.get(i)?, work.get(i)?);
        let [state, places, sketches, rows, threads] = [0, 1, 2, 3, 4].map(|k| sizes[k].get(i));
        let (state, places, sketches, rows, threads) = (state?, places?, sketches?, rows?, threads?);
        let [own, theirs, ratio] = [0, 1, 2].map(|k| times[k].get(i));
        let times = format!("{} | {} | {:.2}", three(own?), three(theirs?), ratio?);
        let sizes = format!("{sketches} | {rows} | {places} | {state}");
        let place = (device.to_string(), work.to_string(), [state, places, sketches, rows, threads]);
        Some((place, format!("| {device} | {threads} | {work} | {sizes} | {times} |\n")))
    };
    let whole =
        |i: usize| line(i).ok_or_else(|| Error::value(format!("line {}", i + 2), "a value in each column", "none"));
    let lines: BTreeMap<_, _> = (0..frame.height()).map(whole).collect::<Result<_>>()?;
    Ok(lines.into_values().collect())
}

/// A number of about three digits.
fn three(x: f64) -> String {
    match x {
        100.0.. => format!("{x:.0}"),
        1.0.. => format!("{x:.1}"),
        _ => format!("{x:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_a_device_and_a_line_a_network() {
        let place = tempfile::tempdir().unwrap();
        assert!(markdown(place.path()).is_err());
        let folder = place.path().join("bench");
        std::fs::create_dir(&folder).unwrap();
        let text = "network,work,threads,ours_per_s,peer_per_s,ratio,device,versions\n\
                    mini,embed,1,10.0,8.0,1.25,cpu,x\nmini,embed,4,3.0,4.0,0.75,gpu,x\nmini,train,2,1.0,2.0,0.5,cpu,x\n\
                    resnet18,train,1,1.0,1.0,1.0,cpu,x\n";
        std::fs::write(folder.join("kernels.csv"), text).unwrap();
        let expected = "| retrace / PyTorch, cpu | embed, 1 thread | train, 1 thread | train, 2 threads |\n|---|--:|--:|--:|\n\
                        | mini | 1.25 |  | 0.50 |\n| resnet18 |  | 1.00 |  |\n\n\
                        | retrace / PyTorch, gpu | embed, 4 threads |\n|---|--:|\n| mini | 0.75 |\n";
        assert_eq!(markdown(place.path()).unwrap(), expected);
    }

    #[test]
    fn transport_has_a_line_a_measurement() {
        let place = tempfile::tempdir().unwrap();
        assert!(transport(place.path()).is_err());
        std::fs::create_dir(place.path().join("bench")).unwrap();
        let text = "regions,solver,threads,forward_ms,gradient_ms,peer,peer_forward_ms,peer_gradient_ms,device,versions\n\
                    49,quadratic,1,0.4,0.5,qpth,1000,1500,cpu,x\n9,exact,1,0.004,0.005,POT,0.05,0.055,cpu,x\n";
        std::fs::write(place.path().join("bench/transport.csv"), text).unwrap();
        let found = transport(place.path()).unwrap();
        let lines: Vec<&str> = found.lines().skip(2).collect();
        let expected = [
            "| cpu | 1 | 9 | exact | 0.0050 | POT | 0.055 | 11.0 |",
            "| cpu | 1 | 49 | quadratic | 0.5000 | qpth | 1500 | 3000 |",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn generator_has_a_line_a_measurement() {
        let place = tempfile::tempdir().unwrap();
        assert!(generator(place.path()).is_err());
        std::fs::create_dir(place.path().join("bench")).unwrap();
        let text = "work,sketches,rows,places,state,threads,ours_s,peer_s,ratio,device,versions\n\
                    step,32,60,16,256,1,0.2500,0.5000,2.000,cpu,x\n\
                    decoder,64,100,64,512,1,2.5000,5.0000,2.000,cpu,x\n\
                    decoder,32,60,16,256,1,0.1000,0.1500,1.500,cpu,x\n";
        std::fs::write(place.path().join("bench/generator.csv"), text).unwrap();
        let found = generator(place.path()).unwrap();
        let lines: Vec<&str> = found.lines().skip(2).collect();
        let expected = [
            "| cpu | 1 | decoder | 32 | 60 | 16 | 256 | 0.100 | 0.150 | 1.50 |",
            "| cpu | 1 | decoder | 64 | 100 | 64 | 512 | 2.5 | 5.0 | 2.00 |",
            "| cpu | 1 | step | 32 | 60 | 16 | 256 | 0.250 | 0.500 | 2.00 |",
        ];
        assert_eq!(lines, expected);
    }
}
