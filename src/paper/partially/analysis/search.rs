//! Search in two stages, by vectors and then by transport on the first of them; and with regions stored in fewer bits.

use super::super::{Config, Matching, Partially, RegionModel};
use crate::Result;
use crate::dataset::Split;
use crate::experiment::analyse::lines_frame;
use crate::experiment::{Bench, Method, Origin, Queries, Subject, View};
use crate::metric::{Tie, nearest, ranks};
use crate::model::Mode;
use candle_core::{DType, Tensor};

/// Photos that the second stage sees.
const FIRST: [usize; 4] = [10, 25, 50, 100];

/// Sketches to a round.
const CHUNK: usize = 16;

/// Writes `search.csv`.
///
/// # Errors
/// A checkpoint that is not there; a picture that cannot be read.
pub(super) fn measure(subject: &Subject<Config>) -> Result<()> {
    let (run, order) = (&subject.run, subject.order);
    let bench = Bench::open(&run.dataset, order.places)?;
    let origin = subject.checkpoint(&Partially)?;
    let network = Partially.load(run, Origin::Checkpoint(&origin, order.places), order.device)?;
    let model = RegionModel::open(&run.config, network, &bench, &[Split::Test], order)?;
    let queries = Queries::of(bench.index(), Split::Test);
    // All test photos are of one category here, so that one gallery serves all.
    let gallery = queries.gallery(0).to_vec();
    let photos = model.photos(&gallery)?;
    let stored = [photos.to_dtype(DType::F16)?.to_dtype(DType::F32)?, bytes(&photos)?];
    let mut lines = Vec::new();
    for (at, chunk) in queries.sketches.chunks(CHUNK).enumerate() {
        let sketches = model.sketches(chunk, View::Whole)?;
        let by = |photos: &Tensor| -> Result<Vec<Vec<f32>>> {
            Ok(model.network.distances(&sketches, photos, Mode::Eval)?.to_vec2()?)
        };
        let vectors: Vec<Vec<f32>> = Matching::Average.distances(&sketches, &photos)?.to_vec2()?;
        let (exact, others) = (by(&photos)?, [by(&stored[0])?, by(&stored[1])?]);
        for (i, query) in chunk.iter().enumerate() {
            let own = queries.own[at * CHUNK + i];
            let mut line = vec![*query as f64, gallery[own] as f64, rank(&exact[i], own)?];
            for first in FIRST {
                line.push(rank(&two_stage(&vectors[i], &exact[i], first)?, own)?);
            }
            line.extend([rank(&others[0][i], own)?, rank(&others[1][i], own)?]);
            lines.push(line);
        }
        order.watch.advance("queries", lines.len(), queries.sketches.len());
    }
    let names = ["query", "photo", "exact", "first10", "first25", "first50", "first100", "half", "byte"];
    subject.write("search", lines_frame(&names, &lines)?)
}

fn rank(distances: &[f32], own: usize) -> Result<f64> {
    Ok(f64::from(ranks(distances, distances.len(), &[own], Tie::Pessimistic)?[0]))
}

/// The second stage's distances of the first stage's nearest photos; all others come after them, in the first stage's order.
fn two_stage(vectors: &[f32], exact: &[f32], first: usize) -> Result<Vec<f32>> {
    let mut found: Vec<f32> = vectors.iter().map(|distance| distance + BEHIND).collect();
    for at in nearest(vectors, first.min(vectors.len()))? {
        found[at] = exact[at];
    }
    Ok(found)
}

/// More than any distance: costs of unit vectors are 2 at most.
const BEHIND: f32 = 4.0;

/// Numbers of -1 to 1 in steps of 1 / 127.
fn bytes(regions: &Tensor) -> Result<Tensor> {
    Ok(((regions * 127.0)?.round()? / 127.0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn two_stages_rank_the_first_by_the_second_distance() {
        let (vectors, exact) = ([0.1, 0.2, 0.3, 0.4], [0.9, 0.8, 0.1, 0.0]);
        assert_eq!(two_stage(&vectors, &exact, 2).unwrap(), [0.9, 0.8, 4.3, 4.4]);
        assert_eq!(two_stage(&vectors, &exact, 9).unwrap(), exact);
        assert_eq!(rank(&two_stage(&vectors, &exact, 2).unwrap(), 2).unwrap(), 3.0);
    }

    #[test]
    fn bytes_round_to_steps() {
        let found = bytes(&Tensor::new(&[0.5_f32, -1.0, 0.001], &Device::Cpu).unwrap()).unwrap();
        let found = found.to_vec1::<f32>().unwrap();
        assert_eq!(found, [64.0 / 127.0, -1.0, 0.0]);
    }
}
