//! Our speed beside PyTorch's, from the table that the benchmark writes.

use crate::run::read_csv;
use crate::{Error, Result};
use polars::prelude::DataFrame;
use std::path::Path;

/// What stands in the columns after the network: work and threads.
const COLUMNS: [(&str, u64); 4] = [("embed", 1), ("embed", 2), ("train", 1), ("train", 2)];

/// A markdown table of the ratios in `results/bench/kernels.csv`, a line a network.
///
/// # Errors
/// A file that is not there or has other columns.
pub fn markdown(results: &Path) -> Result<String> {
    let path = results.join("bench/kernels.csv");
    let ratios = ratios(&read_csv(&path)?).map_err(|error| Error::data(&path, "the table of the benchmark", error))?;
    let mut text =
        "| ours / PyTorch | embed, 1 thread | embed, 2 threads | train, 1 thread | train, 2 threads |\n".to_string();
    text += "|---|--:|--:|--:|--:|\n";
    for group in ratios.chunk_by(|a, b| a.network == b.network) {
        let find =
            |(work, threads): (&str, u64)| group.iter().find(|line| line.work == work && line.threads == threads);
        let cell = |column| find(column).map_or(String::new(), |line| format!("{:.2}", line.ratio));
        text += &format!("| {} | {} |\n", group[0].network, COLUMNS.map(cell).join(" | "));
    }
    Ok(text)
}

struct Line {
    network: String,
    work: String,
    threads: u64,
    ratio: f64,
}

fn ratios(frame: &DataFrame) -> Result<Vec<Line>> {
    let (networks, works) = (frame.column("network")?.str()?, frame.column("work")?.str()?);
    let threads = frame.column("threads")?.cast(&polars::prelude::DataType::UInt64)?;
    let ratios = frame.column("ratio")?.cast(&polars::prelude::DataType::Float64)?;
    let (threads, ratios) = (threads.u64()?, ratios.f64()?);
    let line = |i| {
        let (network, work) = (networks.get(i)?.to_string(), works.get(i)?.to_string());
        Some(Line { network, work, threads: threads.get(i)?, ratio: ratios.get(i)? })
    };
    Ok((0..frame.height()).filter_map(line).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_network() {
        let place = tempfile::tempdir().unwrap();
        assert!(markdown(place.path()).is_err());
        let folder = place.path().join("bench");
        std::fs::create_dir(&folder).unwrap();
        let text = "network,work,threads,ours_per_s,peer_per_s,ratio,device,versions\n\
                    mini,embed,1,10.0,8.0,1.25,cpu,x\nmini,train,2,1.0,2.0,0.5,cpu,x\nresnet18,train,1,1.0,1.0,1.0,cpu,x\n";
        std::fs::write(folder.join("kernels.csv"), text).unwrap();
        let table = markdown(place.path()).unwrap();
        let lines: Vec<&str> = table.lines().skip(2).collect();
        assert_eq!(lines, ["| mini | 1.25 |  |  | 0.50 |", "| resnet18 |  |  | 1.00 |  |"]);
    }
}
