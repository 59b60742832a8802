//! This paper's figures: from the records, and the gallery, which needs a network.

use super::bench::{Bench, Order};
use super::protocol::{Ranking, checkpoint_path, rank_with};
use super::table::{EMBEDDED, REAL, main_table};
use super::{Config, SLUG};
use crate::dataset::{self, Drawing};
use crate::metric::nearest;
use crate::report::figure::{bar, canvas, curve, early, gallery};
use crate::report::table;
use crate::run::{Places, RunConfig, RunFolder, read_json, write_atomic};
use crate::seed::Seed;
use crate::sketch::antialiased;
use crate::{Error, Result};
use image::{ImageFormat, RgbImage};
use std::path::PathBuf;

/// Photos to a query of the gallery.
const SHOWN: usize = 8;

/// The gallery's sketches: as large as the embedded photos, drawn with the pen of the real sets.
const SKETCH_SIDE: u32 = 128;
const SKETCH_PEN: f32 = 3.0;

/// Queries of the gallery, as shares of the test sketches in index order: chosen before any result was seen.
const QUERIES: [f64; 4] = [0.1, 0.35, 0.6, 0.85];

/// Draws training curves, early retrieval and the bars of the main table, where there are records.
///
/// # Errors
/// A record that does not read; a folder that cannot be written.
pub fn draw_records(places: &Places) -> Result<Vec<PathBuf>> {
    let mut figures = vec![("main-bars".to_string(), Some(bar::draw(&table::build(&places.results, &main_table())?)?))];
    for dataset in EMBEDDED.into_iter().chain(REAL) {
        let rows = [("ours-base", "Ours-Base (Eq. 1)"), ("ours", "Ours (Eq. 9)")];
        let (results, title) = (&places.results, |what: &str| format!("{what}, {dataset}"));
        let curves = curve::draw(results, SLUG, dataset, &title("Training curves"), &rows)?;
        figures.push((format!("curves-{dataset}"), curves));
        let early = early::draw(results, SLUG, dataset, &title("While being drawn"), &rows)?;
        figures.push((format!("early-{dataset}"), early));
    }
    let mut written = Vec::new();
    for (name, svg) in figures {
        let Some(svg) = svg else { continue };
        let path = places.figures.join(SLUG).join(format!("{name}.svg"));
        canvas::save(&path, &svg)?;
        written.push(path);
    }
    Ok(written)
}

/// Draws what `Ours` of the first seed retrieves on a corpus, where its checkpoint is.
///
/// # Errors
/// A checkpoint of another network; a folder that cannot be written.
pub fn draw_gallery(dataset: &str, order: &Order) -> Result<Vec<PathBuf>> {
    let row = "ours";
    let folder = RunFolder(order.places.results.join(SLUG).join(dataset).join(row).join("seed0"));
    let checkpoint = checkpoint_path(&order.places.results, dataset, row);
    if !folder.is_finished() || !checkpoint.is_file() {
        return Ok(Vec::new());
    }
    let run: RunConfig<Config> = read_json(&folder.0.join("config.json"))?;
    let ranking = rank_with(&run, &checkpoint, dataset, order)?;
    let bench = Bench::open(dataset, 0, order.places)?;
    let chosen = QUERIES.map(|share| (share * ranking.ranks.len() as f64) as usize);
    let queries = chosen.iter().map(|i| query(*i, &ranking, &bench)).collect::<Result<_>>()?;
    let drawn =
        gallery::Gallery { title: format!("What Ours retrieves, {dataset}"), distance: "distance".into(), queries };
    let path = order.places.figures.join(SLUG).join(format!("gallery-{dataset}.svg"));
    canvas::save(&path, &gallery::draw(&drawn)?)?;
    Ok(vec![path])
}

fn query(i: usize, ranking: &Ranking, bench: &Bench) -> Result<gallery::Query> {
    let gallery_size = ranking.queries.gallery.len();
    let row = &ranking.distances[i * gallery_size..(i + 1) * gallery_size];
    let shown = nearest(row, SHOWN)?;
    let photo = |j: &usize| Ok((bench.source().photo(ranking.queries.gallery[*j])?, row[*j]));
    let position = ranking.queries.sketches[i];
    let sketch = match bench.source().drawing(position)? {
        Drawing::Vector(sketch) => antialiased(&sketch, SKETCH_SIDE, SKETCH_PEN),
        Drawing::Raster(raster) => raster,
    };
    Ok(gallery::Query {
        label: format!("query {position}"),
        sketch: RgbImage::from_fn(sketch.width(), sketch.height(), |x, y| image::Rgb([sketch.get_pixel(x, y).0[0]; 3])),
        photos: shown.iter().map(photo).collect::<Result<_>>()?,
        own: shown.iter().position(|j| *j == ranking.queries.own[i]),
        rank: ranking.ranks[i].rank,
    })
}

/// Draws six objects of an embedded corpus, each as its photo and three sketches.
///
/// # Errors
/// A folder that cannot be written.
pub fn draw_sheet(dataset: &str, places: &Places) -> Result<PathBuf> {
    let source = dataset::open(dataset, None)?;
    let photos = dataset::choose(source.index(), 6, Seed(0));
    let path = places.figures.join(format!("contact-sheet-{dataset}.png"));
    let mut bytes = std::io::Cursor::new(Vec::new());
    let sheet = dataset::sheet(source.as_ref(), &photos, 160)?; // pixels a picture: eight to a line of a README
    sheet.write_to(&mut bytes, ImageFormat::Png).map_err(|error| Error::Figure(error.to_string()))?;
    write_atomic(&path, bytes.get_ref())?;
    Ok(path)
}
