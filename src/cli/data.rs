//! `retrace data`.

use super::check::Checked;
use clap::Subcommand;
use retrace::dataset::{self, Known, PublishedCounts};
use retrace::seed::Seed;
use retrace::{Error, Result};
use std::path::{Path, PathBuf};

/// What can be done with corpora.
#[derive(Debug, Subcommand)]
pub enum DataVerb {
    /// List the known corpora with their published counts
    List,
    /// Open every file of a corpus, count, and compare with the published counts
    Check {
        /// A folder, or a name of `retrace data list`
        path: String,
    },
    /// Draw a contact sheet: a line for each object, its photo and up to three sketches
    Show {
        /// A folder, or a name of `retrace data list`
        name: String,
        /// Where to write the picture [default: local/sheets/NAME.png]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Number of objects
        #[arg(long, default_value_t = 6)]
        count: usize,
        /// Seed that chooses the objects
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
}

/// Lists, checks or shows.
pub fn run(verb: &DataVerb, checked: &Checked) -> Result<()> {
    match verb {
        DataVerb::List => list(checked),
        DataVerb::Check { path } => check(path, checked),
        DataVerb::Show { name, out, count, seed } => show(name, out.as_deref(), *count, *seed, checked),
    }
}

fn list(checked: &Checked) -> Result<()> {
    println!("{:<23} {:<6} {:>7} {:>9}  counted by", "corpus", "split", "photos", "sketches");
    for kind in dataset::synthetic::ObjectKind::ALL {
        let name = format!("synth-{}", kind.name());
        for (split, [photos, sketches]) in dataset::open(&name, None)?.index().counts() {
            println!("{name:<23} {split:<6} {photos:>7} {sketches:>9}  embedded");
        }
    }
    for known in dataset::list()? {
        for counts in &known.published {
            let PublishedCounts { split, photos, sketches, origin, .. } = counts;
            println!("{:<23} {split:<6} {photos:>7} {sketches:>9}  {origin}", known.name);
        }
        let found = checked.places.data.as_ref().is_some_and(|data| data.join(&known.folder).exists());
        println!("{:<23} {} ({})", "", if found { "here" } else { "not in the data folder" }, known.folder);
    }
    Ok(())
}

/// A known corpus by its name, or by that of its folder.
fn find_known(name: &str) -> Result<Option<Known>> {
    Ok(dataset::list()?.into_iter().find(|known| known.name == name || known.folder == name))
}

fn check(path: &str, checked: &Checked) -> Result<()> {
    let data = checked.places.data.as_deref();
    let report = match find_known(path)? {
        Some(known) => match data {
            Some(data) => dataset::check(&data.join(known.folder))?,
            None => return dataset::open(&known.name, None).map(|_| ()), // says what is missing
        },
        None if Path::new(path).exists() => dataset::check(Path::new(path))?,
        None => dataset::check_source(dataset::open(path, data)?.as_ref(), &[]),
    };
    println!("{report}");
    if report.is_sound() {
        Ok(())
    } else {
        let found = format!("{} faults, listed above", report.problems.len());
        Err(Error::data(path, "a corpus without faults", found))
    }
}

fn show(name: &str, out: Option<&Path>, count: usize, seed: u64, checked: &Checked) -> Result<()> {
    let known = find_known(name)?;
    let name = known.as_ref().map_or(name, |known| &known.name);
    let source = dataset::open(name, checked.places.data.as_deref())?;
    let photos = dataset::choose(source.index(), count, Seed(seed));
    let sheet = dataset::sheet(source.as_ref(), &photos, 160)?; // 160 px: four to a line on a laptop's screen
    let out = out.map_or_else(|| PathBuf::from(format!("local/sheets/{}.png", source.name())), Path::to_path_buf);
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    sheet.save(&out).map_err(|error| Error::data(&out, "a picture to be written", error))?;
    println!("written to {}", out.display());
    Ok(())
}
