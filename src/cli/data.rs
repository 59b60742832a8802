//! `retrace data`.

use super::check::Checked;
use clap::{Args, Subcommand};
use rayon::prelude::*;
use retrace::dataset::synthetic::MorePhotos;
use retrace::dataset::{self, Known, PublishedCounts};
use retrace::file::write_png;
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
        #[command(flatten)]
        choice: Choice,
    },
    /// Draw further photos of an embedded corpus, without sketches, into a folder: for `retrace pretrain --photos`
    Photos {
        /// The embedded corpus
        name: String,
        /// The folder, which has to be new or empty
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
        /// Number of photos
        #[arg(long, default_value_t = 1000)]
        count: usize,
        /// Another seed draws other photos; none shows an object of the corpus
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Width and height in pixels
        #[arg(long, default_value_t = dataset::synthetic::SIDE)]
        side: u32,
    },
}

/// The objects of a contact sheet.
#[derive(Debug, Args)]
pub struct Choice {
    /// Objects of one category alone
    #[arg(long, value_name = "NAME")]
    category: Option<String>,
    /// Number of objects
    #[arg(long, default_value_t = 6)]
    count: usize,
    /// Seed that chooses the objects
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// Lists, checks or shows.
pub fn run(verb: &DataVerb, checked: &Checked) -> Result<()> {
    match verb {
        DataVerb::List => list(checked),
        DataVerb::Check { path } => check(path, checked),
        DataVerb::Photos { name, out, count, seed, side } => photos(&MorePhotos::new(name, *count, *seed, *side)?, out),
        DataVerb::Show { name, out, choice } => show(name, out.as_deref(), choice, checked),
    }
}

fn list(checked: &Checked) -> Result<()> {
    println!("{:<23} {:<6} {:>7} {:>9}  counted by", "corpus", "split", "photos", "sketches");
    for name in dataset::synthetic::NAMES {
        for (split, [photos, sketches]) in dataset::open(name, None)?.index().counts() {
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

fn photos(photos: &MorePhotos, out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).map_err(Error::io(out))?;
    if std::fs::read_dir(out).map_err(Error::io(out))?.next().is_some() {
        return Err(Error::data(out, "a folder that is new or empty", "files in it"));
    }
    (0..photos.count()).into_par_iter().try_for_each(|position| {
        let path = out.join(format!("{}-{position:06}.png", photos.category(position)?));
        write_png(&path, &photos.photo(position)?)
    })?;
    println!("{} photos written to {}", photos.count(), out.display());
    Ok(())
}

fn show(name: &str, out: Option<&Path>, choice: &Choice, checked: &Checked) -> Result<()> {
    let known = find_known(name)?;
    let name = known.as_ref().map_or(name, |known| &known.name);
    let source = dataset::open(name, checked.places.data.as_deref())?;
    let index = source.index();
    let photos = choice.category.as_ref().map_or_else(|| Ok(index.all()), |category| index.of_category(category))?;
    let photos = dataset::choose(index, &photos, choice.count, Seed(choice.seed));
    let sheet = dataset::sheet(source.as_ref(), &photos, 160)?; // 160 px: four to a line on a laptop's screen
    let out = out.map_or_else(|| PathBuf::from(format!("local/sheets/{}.png", source.name())), Path::to_path_buf);
    if let Some(folder) = out.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    sheet.save(&out).map_err(|error| Error::data(&out, "a picture to be written", error))?;
    println!("written to {}", out.display());
    Ok(())
}
