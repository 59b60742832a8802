//! Shipped checkpoints on real data; needs RETRACE_DATA, and for frozen rows the imported weights.

use candle_core::Device;
use retrace::paper::photo_pretraining::{Config, protocol, table::REAL, table::rows_of};
use retrace::run::{Places, RunConfig, RunFolder, read_json};
use retrace::train::Unwatched;
use std::path::{Path, PathBuf};

/// Points of Acc@1 that a checkpoint may differ from its record.
const TOLERANCE: f64 = 0.5;

#[test]
fn a_shipped_checkpoint_ranks_as_recorded() {
    let Some(data) = std::env::var_os("RETRACE_DATA") else {
        println!("skipped: RETRACE_DATA not set");
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let weights = std::env::var_os("RETRACE_WEIGHTS").map_or(root.join("local/weights"), PathBuf::from);
    if !weights.join("efficientnet-lite0-imagenet.safetensors").is_file() {
        println!("skipped: no imported weights in {} (README, The data)", weights.display());
        return;
    }
    let results = root.join("results");
    let places = Places {
        results: results.clone(),
        figures: root.join("figures"),
        shipped: results.clone(),
        data: Some(data.into()),
        weights,
        cache: root.join("local/cache"),
    };
    let order = protocol::Order { places: &places, device: &Device::Cpu, command: "test".into(), watch: &Unwatched };
    let mut checked = 0;
    for dataset in REAL {
        for row in rows_of(dataset) {
            let folder = RunFolder(results.join("photo_pretraining").join(dataset).join(row).join("seed0"));
            let run: RunConfig<Config> = read_json(&folder.0.join("config.json")).unwrap();
            let ranking = protocol::rank_checkpoint(&run, &order).unwrap();
            let found = retrace::train::scores(&ranking.ranks, ranking.queries.gallery.len()).unwrap().acc1;
            let recorded = folder.summary().unwrap().acc1;
            println!("{dataset} {row}: {found:.1}, recorded {recorded:.1}");
            assert!((found - recorded).abs() <= TOLERANCE, "{dataset} {row}: {found} against {recorded}");
            checked += 1;
        }
    }
    assert_eq!(checked, 6);
}
