//! The machine that is measured on.

use std::path::Path;

/// Says so where others use the machine: their work would be measured too.
pub fn warn_if_busy() {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load: Option<f64> = load.split_whitespace().next().and_then(|load| load.parse().ok());
    if let Some(load) = load.filter(|load| *load > 0.5) {
        eprintln!("{load} programs were running in the last minute; speeds will be low and noisy");
    }
}

/// The processor's name.
pub fn processor() -> String {
    let text = std::fs::read_to_string(Path::new("/proc/cpuinfo")).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    line.and_then(|line| line.split_once(':')).map_or("cpu".into(), |(_, name)| name.trim().to_string())
}
