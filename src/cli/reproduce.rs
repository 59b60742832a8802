//! `retrace reproduce`.

use super::check::{AnyPaper, Checked, or_all, paper};
use super::show;
use clap::Args;
use retrace::dataset::{is_embedded, name_of};
use retrace::experiment::floor::Floor;
use retrace::experiment::plan::{Cost, Waiting, costs, has_floor, ready, runs};
use retrace::experiment::{first_seed, run_floor};
use retrace::run::RunId;
use retrace::seed::Seed;
use retrace::watch::Watch;
use retrace::{Error, Result};
use std::collections::BTreeMap;

/// Options of `retrace reproduce`, as typed.
#[derive(Debug, Args)]
pub struct ReproduceOptions {
    /// The papers [default: all]
    #[arg(value_parser = paper)]
    papers: Vec<AnyPaper>,
    /// Train every row first, from the pre-trained weights; skip runs that are finished in the results folder or that
    /// another process is training there
    #[arg(long)]
    pub train: bool,
    /// Train only what these need: names of tables, and of figures with runs of their own, such as main; an unknown
    /// name lists all of them [default: all]
    #[arg(long, value_name = "PART", value_delimiter = ',', requires = "train")]
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

impl Default for ReproduceOptions {
    fn default() -> Self {
        Self { papers: Vec::new(), train: false, part: Vec::new(), cost: false, dataset: Vec::new(), seeds: 3 }
    }
}

/// Ranks or trains everything, then shows it.
pub fn run(options: &ReproduceOptions, checked: &Checked) -> Result<()> {
    let papers = or_all(&options.papers);
    for paper in &papers {
        let corpora = corpora(*paper, options, checked)?;
        if options.train {
            let (plan, waiting) = ready(*paper, plan(*paper, options, &corpora)?, &checked.places)?;
            print_cost(&plan, checked)?;
            print_waiting(&waiting);
            if options.cost {
                continue;
            }
            run_floors(*paper, &corpora, checked)?;
            plan.iter().try_for_each(|run| train(*paper, run, &corpora, checked))?;
        } else {
            run_floors(*paper, &corpora, checked)?;
            corpora.iter().try_for_each(|(name, corpus)| verify(*paper, name, corpus, checked))?;
        }
    }
    checked.terminal.clear();
    if options.cost { Ok(()) } else { show::everything(&papers, checked) }
}

/// The names in `results/` of corpora that were given by name or by folder.
type Corpora = Vec<(String, String)>;

fn plan(paper: AnyPaper, options: &ReproduceOptions, corpora: &Corpora) -> Result<Vec<RunId>> {
    let parts: Vec<&str> = options.part.iter().map(String::as_str).collect();
    let names: Vec<String> = corpora.iter().map(|(name, _)| name.clone()).collect();
    runs(paper, if parts.is_empty() { paper.parts() } else { parts }.as_slice(), &names, options.seeds)
}

fn print_cost(plan: &[RunId], checked: &Checked) -> Result<()> {
    let places = &checked.places;
    for Cost { dataset, finished, missing, seconds, guessed } in costs(plan, &places.results, &places.shipped)? {
        let time = match seconds {
            _ if missing == 0 => String::new(),
            Some(seconds) => {
                let guess = match guessed {
                    0 => String::new(),
                    count => format!(", {count} of them by the corpus's mean"),
                };
                format!(", about {:.0} min where the records were made{guess}", (seconds / 60.0).ceil())
            }
            None => ", no recorded time".into(),
        };
        println!("{dataset}: {finished} runs finished, {missing} to do{time}");
    }
    Ok(())
}

/// A line for each missing file: the runs that need it are left out, the others are done.
fn print_waiting(waiting: &[Waiting]) {
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for Waiting { run, reason } in waiting {
        *counts.entry((&run.dataset, reason.to_string())).or_default() += 1;
    }
    for ((dataset, reason), count) in counts {
        println!("{dataset}: {count} runs left out: {reason}");
    }
}

fn corpora(paper: AnyPaper, options: &ReproduceOptions, checked: &Checked) -> Result<Corpora> {
    if !options.dataset.is_empty() {
        return options.dataset.iter().map(|corpus| Ok((name_of(corpus)?, corpus.clone()))).collect();
    }
    let names = paper.corpora().into_iter().map(|corpus| corpus.name.to_string());
    let here = names.filter(|name| is_embedded(name) || is_here(paper, name, checked));
    Ok(here.map(|name| (name.clone(), name)).collect())
}

/// Whether a real corpus and the weights of its first row are here; says what is missing.
fn is_here(paper: AnyPaper, name: &str, checked: &Checked) -> bool {
    let missing = match &checked.places.data {
        None => Some("RETRACE_DATA not set".to_string()),
        Some(_) => missing_weights(paper, name, checked).err().map(|error| error.to_string()),
    };
    if let Some(missing) = &missing {
        checked.terminal.note(&format!("{name}: skipped: {missing}"));
    }
    missing.is_none()
}

fn missing_weights(paper: AnyPaper, dataset: &str, checked: &Checked) -> Result<()> {
    let main = paper.parts().first().copied().unwrap_or_default();
    let Some(row) = paper.rows(main, dataset).into_iter().next() else { return Ok(()) };
    let run = RunId { slug: paper.slug().into(), dataset: dataset.into(), row, seed: Seed(0) };
    paper.needs_of(&run)?.find(&checked.places).map(|_| ())
}

fn run_floors(paper: AnyPaper, corpora: &Corpora, checked: &Checked) -> Result<()> {
    for (name, corpus) in corpora {
        let mut said = Vec::new();
        for floor in Floor::ALL.into_iter().filter(|floor| has_floor(paper, *floor)) {
            let summary = run_floor(paper, floor, corpus, &checked.order())?;
            said.push(format!("{} {:.1}", floor.row(), summary.acc1));
        }
        if !said.is_empty() {
            checked.terminal.note(&format!("{name}: without learning, Acc@1: {}", said.join(", ")));
        }
    }
    Ok(())
}

fn train(paper: AnyPaper, run: &RunId, corpora: &Corpora, checked: &Checked) -> Result<()> {
    let corpus = corpora.iter().find(|(name, _)| *name == run.dataset).map_or(&run.dataset, |(_, corpus)| corpus);
    checked.terminal.note(&run.to_string());
    let summary = match paper.train(run, None, corpus, &checked.order()) {
        Err(Error::Busy { .. }) => {
            checked.terminal.note(&format!("{run}: skipped: another process is training it"));
            return Ok(());
        }
        done => done?,
    };
    checked.terminal.note(&format!("{run}: test Acc@1 {:.1}", summary.acc1));
    Ok(())
}

/// Ranks with the checkpoints that the results folder holds of a corpus's main rows, and compares with the records of the
/// seeds they come from.
fn verify(paper: AnyPaper, dataset: &str, corpus: &str, checked: &Checked) -> Result<()> {
    let (results, mut said) = (&checked.places.results, Vec::new());
    for row in paper.rows(paper.parts().first().copied().unwrap_or_default(), dataset) {
        let folder = first_seed(results, paper.slug(), dataset, &row);
        if folder.is_finished() {
            let (recorded, order) = (folder.summary()?.acc1, checked.order());
            let found = paper.open_row(results, dataset, &row, corpus, &order)?.check(&folder)?;
            said.push(format!("{row} {found:.1} ({recorded:.1})"));
        } else {
            said.push(format!("{row} not run"));
        }
    }
    if !said.is_empty() {
        checked.terminal.note(&format!("{dataset}: checkpoints, Acc@1 (recorded): {}", said.join(", ")));
    }
    Ok(())
}
