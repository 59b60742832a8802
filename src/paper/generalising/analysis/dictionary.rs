//! Use of the dictionary: words of sketches, of categories, and what the network draws of them.

use super::super::model::{SKETCHES, inked};
use super::super::study::{CHUNK, keep_log};
use super::super::{Config, Descriptor, Generalising};
use super::similarity;
use super::word::{AssignedWord, histogram, of_part, spread, usage};
use crate::dataset::{Album, Split, is_embedded};
use crate::experiment::{Bench, Method, Origin, Subject, Trial, View};
use crate::file::write_png;
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use image::{Rgb, RgbImage};
use polars::prelude::*;

/// Sketches whose reconstructions are shown, of either part.
const SHOWN: usize = 8;

/// Sketches of one part, in chunks.
struct Part {
    split: Split,
    sketches: Vec<usize>,
    /// Each `(b, 64, 64, 1)`.
    chunks: Vec<Tensor>,
}

/// Writes `words.csv`, `categories.csv`, `dictionary.csv`, `similarity.csv`, `correlation.csv` and, of an embedded corpus,
/// `reconstructions.png`.
///
/// # Errors
/// A row without a dictionary; a checkpoint that is not there; a picture that cannot be read.
pub(super) fn measure(subject: &Subject<Config>) -> Result<()> {
    let (run, order) = (&subject.run, subject.order);
    let bench = Bench::divide(&run.dataset, &run.config.needs(), run.seed, order.places)?;
    keep_log(&Trial { run, bench: &bench, folder: &subject.record, order })?;
    let origin = subject.checkpoint(&Generalising)?;
    let network = Generalising.load(run, Origin::Checkpoint(&origin, order.places), order.device)?;
    let settings = run.config.traits.descriptor();
    let (Some(descriptor), Some(settings)) = (&network.descriptor, settings) else {
        return Err(Error::value("descriptors", "a row with a dictionary", &run.row));
    };
    let album = bench.album(SKETCHES, &Split::ALL, order.watch)?;
    let part = |split| part(&album, &bench, split, order.device);
    let parts = Split::ALL.into_iter().map(part).collect::<Result<Vec<_>>>()?;
    let words = words(&bench, descriptor, &parts)?;
    subject.write("words", AssignedWord::frame(&words)?)?;
    subject.write("categories", categories(&words, settings.words)?)?;
    subject.write("dictionary", dictionary(descriptor, &parts, &words, settings.words)?)?;
    if is_embedded(&run.dataset) {
        let shown = parts.iter().filter(|part| part.split != Split::Valid);
        let rows = shown.map(|part| reconstructions(descriptor, &bench, part)).collect::<Result<Vec<_>>>()?;
        write_png(&subject.folder.0.join("reconstructions.png"), &pasted(&rows.concat())?)?;
    }
    similarity::measure(subject, &words, settings.words)
}

fn part(album: &Album, bench: &Bench, split: Split, device: &Device) -> Result<Part> {
    let sketches = bench.index().sketches_of(split);
    let chunks = sketches.chunks(CHUNK).map(|chunk| inked(album, chunk, View::Whole, device));
    let chunks = chunks.collect::<Result<Vec<_>>>()?;
    Ok(Part { split, sketches, chunks })
}

fn words(bench: &Bench, descriptor: &Descriptor, parts: &[Part]) -> Result<Vec<AssignedWord>> {
    let (index, mut all) = (bench.index(), Vec::new());
    for part in parts {
        let found = part.chunks.iter().map(|chunk| descriptor.words(chunk)).collect::<Result<Vec<_>>>()?;
        let line = |(sketch, word): (&usize, u32)| AssignedWord {
            part: part.split.name().into(),
            category: index.photos[index.sketches[*sketch].photo].category.clone(),
            sketch: *sketch,
            word: word as usize,
        };
        all.extend(part.sketches.iter().zip(found.concat()).map(line));
    }
    Ok(all)
}

/// The lines of `categories.csv`.
fn categories(words: &[AssignedWord], count: usize) -> Result<DataFrame> {
    let lines = Split::ALL.into_iter().flat_map(|split| {
        let own = spread(&of_part(words, split), count).into_iter();
        own.map(move |line| (split.name(), line))
    });
    let lines: Vec<_> = lines.collect();
    let number = |name: &str, get: fn(&super::word::CategorySpread) -> usize| {
        Column::new(name.into(), lines.iter().map(|(_, line)| get(line) as u32).collect::<Vec<_>>())
    };
    let columns = vec![
        Column::new("part".into(), lines.iter().map(|(part, _)| *part).collect::<Vec<_>>()),
        Column::new("category".into(), lines.iter().map(|(_, line)| line.category.as_str()).collect::<Vec<_>>()),
        number("sketches", |line| line.sketches),
        number("words", |line| line.words),
        Column::new("expected".into(), lines.iter().map(|(_, line)| line.expected).collect::<Vec<_>>()),
    ];
    Ok(DataFrame::new(lines.len(), columns)?)
}

/// The lines of `dictionary.csv`: use of the words, and the distance of sketches from what is drawn of them, beside that
/// by word and by mixture, beside that from the mean of the training sketches.
fn dictionary(descriptor: &Descriptor, parts: &[Part], words: &[AssignedWord], count: usize) -> Result<DataFrame> {
    let train = &parts[0];
    let sums = train.chunks.iter().map(|chunk| Ok(chunk.sum_keepdim(0)?)).collect::<Result<Vec<_>>>()?;
    let mean = (Tensor::cat(&sums, 0)?.sum_keepdim(0)? / train.sketches.len() as f64)?;
    let mut lines = [const { Vec::new() }; 6];
    for part in parts {
        let own = of_part(words, part.split);
        let [used, entropy] = usage(&histogram(own.iter().copied(), count));
        let mut far = [0.0; 3];
        for chunk in &part.chunks {
            let of = |drawn: Option<Tensor>| drawn.ok_or_else(|| Error::value("descriptor", "one that draws", "none"));
            let drawn = [of(descriptor.draw(chunk)?)?, of(descriptor.draw_mixed(chunk)?)?, mean.clone()];
            for (sum, drawn) in far.iter_mut().zip(&drawn) {
                *sum += distance(chunk, drawn)?;
            }
        }
        let n = part.sketches.len() as f64;
        let [word, mixed, plain] = far.map(|sum| sum / n);
        let line = [n, used, entropy, word, mixed, plain];
        lines.iter_mut().zip(line).for_each(|(column, value)| column.push(value));
    }
    let names = ["sketches", "used", "entropy", "distance", "mixed", "mean"].into_iter().zip(lines);
    let mut columns = vec![Column::new("part".into(), parts.iter().map(|part| part.split.name()).collect::<Vec<_>>())];
    columns.extend(names.map(|(name, values)| Column::new(name.into(), values)));
    Ok(DataFrame::new(parts.len(), columns)?)
}

/// The sum over sketches of `|s - s'|`.
fn distance(sketches: &Tensor, drawn: &Tensor) -> Result<f64> {
    let square = sketches.broadcast_sub(drawn)?.sqr()?.flatten_from(1)?.sum(1)?;
    Ok(f64::from(square.sqrt()?.sum_all()?.to_scalar::<f32>()?))
}

/// Sketches of a part, what is drawn of them by word, and by mixture, a row each: the first sketch of categories at even
/// steps.
fn reconstructions(descriptor: &Descriptor, bench: &Bench, part: &Part) -> Result<Vec<Vec<RgbImage>>> {
    let index = bench.index();
    let category = |at: &usize| index.photos[index.sketches[part.sketches[*at]].photo].category.as_str();
    let places: Vec<usize> = (0..part.sketches.len()).collect();
    let first: Vec<usize> = places.chunk_by(|a, b| category(a) == category(b)).map(|own| own[0]).collect();
    let chosen = (0..SHOWN.min(first.len())).map(|i| first[i * first.len() / SHOWN.min(first.len())]);
    let mut rows = vec![Vec::new(); 3];
    for at in chosen {
        let sketch = part.chunks[at / CHUNK].narrow(0, at % CHUNK, 1)?;
        let drawn = [descriptor.draw(&sketch)?, descriptor.draw_mixed(&sketch)?];
        for (row, shown) in rows.iter_mut().zip([Some(sketch)].into_iter().chain(drawn)) {
            row.extend(shown.map(|shown| picture(&shown)).transpose()?);
        }
    }
    Ok(rows)
}

/// Ink 1 and paper -1 as dark on white.
fn picture(sketch: &Tensor) -> Result<RgbImage> {
    let (_, h, w, _) = sketch.dims4()?;
    let values = sketch.flatten_all()?.to_vec1::<f32>()?;
    let grey = |value: f32| ((1.0 - value.clamp(-1.0, 1.0)) * 127.5).round() as u8;
    let at = |x: u32, y: u32| Rgb([grey(values[y as usize * w + x as usize]); 3]);
    Ok(RgbImage::from_fn(w as u32, h as u32, at))
}

/// Rows of pictures of one size as one picture.
fn pasted(rows: &[Vec<RgbImage>]) -> Result<RgbImage> {
    let first = rows.first().and_then(|row| row.first());
    let side = first.ok_or_else(|| Error::value("reconstructions", "one sketch or more", "none"))?.width();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0) as u32;
    let mut whole = RgbImage::from_pixel(side * columns, side * rows.len() as u32, Rgb([255; 3]));
    for (y, row) in rows.iter().enumerate() {
        for (x, picture) in row.iter().enumerate() {
            image::imageops::replace(&mut whole, picture, i64::from(side) * x as i64, i64::from(side) * y as i64);
        }
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paper::generalising::tests::bars;
    use crate::paper::generalising::{Assignment, DescriptorConfig, TraitSource};
    use crate::seed::Seed;

    fn part(split: Split) -> Part {
        Part { split, sketches: (0..12).collect(), chunks: vec![bars(8), bars(4)] }
    }

    /// Hard assignment draws by word alone; of the mean of two kinds of bars every sketch is equally far.
    #[test]
    fn dictionary_measures_distances_by_part() {
        let config = DescriptorConfig { words: 4, assignment: Assignment::Hard, ..DescriptorConfig::default() };
        let descriptor = Descriptor::new(&TraitSource::Dictionary(config), 0, Seed(0), &Device::Cpu).unwrap();
        let own = |sketch| AssignedWord { part: "train".into(), category: "bar".into(), sketch, word: sketch % 2 };
        let words: Vec<AssignedWord> = (0..12).map(own).collect();
        let found = dictionary(&descriptor, &[part(Split::Train)], &words, 4).unwrap();
        let value = |name: &str| found.column(name).unwrap().f64().unwrap().get(0).unwrap();
        assert_eq!((value("sketches"), value("used")), (12.0, 0.5));
        assert!((value("entropy") - 0.5).abs() < 1e-12); // two of four words alike: log 2 / log 4
        assert_eq!(value("distance"), value("mixed"));
        assert!(value("distance") > 0.0 && value("mean") > 0.0);
        assert!(distance(&bars(2), &bars(2)).unwrap() == 0.0);
    }

    #[test]
    fn pictures_are_dark_on_white_and_stand_in_rows() {
        let shown = picture(&bars(1)).unwrap();
        let inked = shown.pixels().filter(|pixel| pixel.0 == [0; 3]).count();
        let blank = shown.pixels().filter(|pixel| pixel.0 == [255; 3]).count();
        assert!(inked > 0 && inked + blank == 64 * 64, "{inked} {blank}");
        let whole = pasted(&[vec![shown.clone(), shown.clone()], vec![shown]]).unwrap();
        assert_eq!(whole.dimensions(), (128, 128));
        assert_eq!(whole.get_pixel(100, 100).0, [255; 3]);
        assert!(pasted(&[]).is_err());
    }
}
