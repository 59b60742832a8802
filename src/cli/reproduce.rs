//! `retrace reproduce`.

use super::check::{Checked, slug};
use super::show;
use clap::Args;
use retrace::paper::floor::Floor;
use retrace::paper::photo_pretraining::table::{EMBEDDED, REAL, rows_of};
use retrace::paper::photo_pretraining::{Config, Retrieval, SLUG, bench, protocol};
use retrace::run::RunConfig;
use retrace::seed::Seed;
use retrace::train::Watch;
use retrace::{Error, Result};

/// Largest difference in Acc@1 between a recorded run and its checkpoint ranked here: another processor rounds
/// differently, and one query of 115 is 0.9 points, so up to that many points with one query may be rounding.
const TOLERANCE: f64 = 1.0;

/// Options as typed.
#[derive(Debug, Args)]
pub struct Options {
    /// The paper
    #[arg(default_value = SLUG, value_parser = slug)]
    slug: String,
    /// Train every row first, from the pre-trained weights; what is finished in the results folder is kept
    #[arg(long)]
    pub train: bool,
    /// Only these corpora [default: the embedded ones, and the real ones where their data and weights are]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    dataset: Vec<String>,
    /// Seeds to train: 0 to N - 1
    #[arg(long, value_name = "N", default_value_t = 3)]
    seeds: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { slug: SLUG.into(), train: false, dataset: Vec::new(), seeds: 3 }
    }
}

/// Ranks or trains everything, then shows it.
pub fn run(options: &Options, checked: &Checked) -> Result<()> {
    for dataset in datasets(options, checked) {
        for floor in Floor::ALL {
            run_floor(floor, &dataset, checked)?;
        }
        for row in rows_of(&dataset) {
            match options.train {
                true => train(&dataset, row, options.seeds, checked)?,
                false => verify(&dataset, row, checked)?,
            }
        }
    }
    checked.terminal.clear();
    show::everything(&options.slug, checked)
}

fn datasets(options: &Options, checked: &Checked) -> Vec<String> {
    if !options.dataset.is_empty() {
        return options.dataset.clone();
    }
    let places = &checked.places;
    let ready = |name: &&&str| {
        let weights = Config::preset(name, "zero-shot").and_then(|config| bench::weights_path(&config, places));
        let missing = match (&places.data, weights) {
            (None, _) => "RETRACE_DATA not set".to_string(),
            (_, Err(error)) => error.to_string(),
            (Some(_), Ok(_)) => return true,
        };
        checked.terminal.note(&format!("{name}: skipped: {missing}"));
        false
    };
    EMBEDDED.iter().chain(REAL.iter().filter(ready)).map(|name| name.to_string()).collect()
}

fn run_floor(floor: Floor, dataset: &str, checked: &Checked) -> Result<()> {
    let summary = protocol::run_floor(floor, dataset, &checked.order())?;
    checked.terminal.note(&format!("{dataset} {}: Acc@1 {:.1}", floor.row(), summary.acc1));
    Ok(())
}

fn train(dataset: &str, row: &str, seeds: u64, checked: &Checked) -> Result<()> {
    // A row that is not trained has nothing that a seed could change.
    let seeds = if row == "zero-shot" { 1 } else { seeds };
    for seed in 0..seeds {
        let config = Config::preset(dataset, row)?;
        let run = RunConfig { slug: SLUG.into(), dataset: dataset.into(), row: row.into(), seed: Seed(seed), config };
        checked.terminal.note(&format!("{dataset} {row} seed {seed}"));
        let summary = protocol::run(&run, &checked.order())?;
        checked.terminal.note(&format!("{dataset} {row} seed {seed}: test Acc@1 {:.1}", summary.acc1));
    }
    Ok(())
}

/// Ranks with the shipped checkpoint and compares with the record of the seed it comes from.
fn verify(dataset: &str, row: &str, checked: &Checked) -> Result<()> {
    let folder = protocol::first_seed(&checked.places.shipped, dataset, row);
    if !folder.is_finished() {
        checked.terminal.note(&format!("{dataset} {row}: not run"));
        return Ok(());
    }
    let recorded = folder.summary()?.acc1;
    let shipped = &checked.places.shipped;
    let found = Retrieval::of_row(shipped, dataset, row, dataset, &checked.order())?.scores()?.acc1;
    checked.terminal.note(&format!("{dataset} {row}: checkpoint Acc@1 {found:.1}, recorded {recorded:.1}"));
    if (found - recorded).abs() > TOLERANCE {
        let expected = format!("Acc@1 {recorded:.1} as recorded, to within {TOLERANCE}");
        return Err(Error::data(folder.0, expected, format!("{found:.1} with the shipped checkpoint")));
    }
    Ok(())
}
