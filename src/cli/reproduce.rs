//! `retrace reproduce`.

use super::check::{Checked, slug};
use super::show;
use clap::Args;
use retrace::paper::floor::Floor;
use retrace::paper::photo_pretraining::plan::{Cost, PARTS, Waiting, costs, ready, rows, runs};
use retrace::paper::photo_pretraining::table::{EMBEDDED, REAL};
use retrace::paper::photo_pretraining::{Config, Retrieval, SLUG, bench, protocol};
use retrace::run::RunConfig;
use retrace::watch::Watch;
use retrace::{Error, Result};
use std::collections::BTreeMap;

/// Options as typed.
#[derive(Debug, Args)]
pub struct Options {
    /// The paper
    #[arg(default_value = SLUG, value_parser = slug)]
    slug: String,
    /// Train every row first, from the pre-trained weights; what is finished in the results folder is kept, and what
    /// another process is training there is left to it
    #[arg(long)]
    pub train: bool,
    /// Train only what these need: main, table1, table2, table3, strength, fig2, table4, fig3 [default: all]
    #[arg(long, value_name = "PART", value_delimiter = ',', value_parser = PARTS, requires = "train")]
    part: Vec<String>,
    /// Print what the training will cost, and do nothing
    #[arg(long, requires = "train")]
    cost: bool,
    /// Only these corpora [default: the embedded ones, and the real ones where their data and weights are]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    dataset: Vec<String>,
    /// Seeds to train: 0 to N - 1
    #[arg(long, value_name = "N", default_value_t = 3)]
    seeds: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { slug: SLUG.into(), train: false, part: Vec::new(), cost: false, dataset: Vec::new(), seeds: 3 }
    }
}

/// Ranks or trains everything, then shows it.
pub fn run(options: &Options, checked: &Checked) -> Result<()> {
    let datasets = datasets(options, checked);
    if options.train {
        let (plan, waiting) = ready(plan(options, &datasets)?, &checked.places);
        print_cost(&plan, checked)?;
        print_waiting(&waiting);
        if options.cost {
            return Ok(());
        }
        run_floors(&datasets, checked)?;
        plan.iter().try_for_each(|run| train(run, checked))?;
    } else {
        run_floors(&datasets, checked)?;
        for dataset in &datasets {
            rows("main", dataset).iter().try_for_each(|row| verify(dataset, row, checked))?;
        }
    }
    checked.terminal.clear();
    show::everything(&options.slug, checked)
}

fn plan(options: &Options, datasets: &[String]) -> Result<Vec<RunConfig<Config>>> {
    let parts: Vec<&str> = options.part.iter().map(String::as_str).collect();
    runs(if parts.is_empty() { &PARTS } else { &parts }, datasets, options.seeds)
}

fn print_cost(plan: &[RunConfig<Config>], checked: &Checked) -> Result<()> {
    let places = &checked.places;
    for Cost { dataset, finished, missing, seconds } in costs(plan, &places.results, &places.shipped)? {
        let time = match seconds {
            _ if missing == 0 => String::new(),
            Some(seconds) => format!(", about {:.0} min where the records were made", (seconds / 60.0).ceil()),
            None => ", for how long no record says".into(),
        };
        println!("{dataset}: {finished} runs finished, {missing} to do{time}");
    }
    Ok(())
}

/// A line for each file that runs wait for: they are left out, and the rest is done.
fn print_waiting(waiting: &[Waiting]) {
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for Waiting { run, reason } in waiting {
        *counts.entry((&run.dataset, reason.to_string())).or_default() += 1;
    }
    for ((dataset, reason), count) in counts {
        println!("{dataset}: {count} runs left out: {reason}");
    }
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

fn run_floors(datasets: &[String], checked: &Checked) -> Result<()> {
    for dataset in datasets {
        for floor in Floor::ALL {
            let summary = protocol::run_floor(floor, dataset, &checked.order())?;
            checked.terminal.note(&format!("{dataset} {}: Acc@1 {:.1}", floor.row(), summary.acc1));
        }
    }
    Ok(())
}

fn train(run: &RunConfig<Config>, checked: &Checked) -> Result<()> {
    let name = format!("{} {} seed {}", run.dataset, run.row, run.seed.0);
    checked.terminal.note(&name);
    let summary = match protocol::run(run, &checked.order()) {
        Err(Error::Busy { .. }) => {
            checked.terminal.note(&format!("{name}: left to another process"));
            return Ok(());
        }
        done => done?,
    };
    checked.terminal.note(&format!("{name}: test Acc@1 {:.1}", summary.acc1));
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
    let found = Retrieval::of_row(shipped, dataset, row, dataset, &checked.order())?.check(&folder)?;
    checked.terminal.note(&format!("{dataset} {row}: checkpoint Acc@1 {found:.1}, recorded {recorded:.1}"));
    Ok(())
}
