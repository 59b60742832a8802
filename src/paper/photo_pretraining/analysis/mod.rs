//! The paper's analyses: what it measures beside accuracy, on finished runs.
//!
//! ```text
//! results/photo_pretraining/<dataset>/<row>/seed<k>/analysis/
//!   robustness.csv     version,query,photo,rank: with deformed sketches (Sec. 3)
//!   early.csv          percent,query,photo,rank: with a part of the sketch drawn (Fig. 5b)
//!   smoothness.csv     query,value: mean distance between the first ten photos (Sec. 4)
//!   smoothness-hog.csv the same by histograms of gradients, which gave no R
//!   attribution.csv    query,smoothness,fidelity: what errors are attributed by (Sec. 4)
//!   domain.csv         domain,position,photo,right: whether a classifier tells a held-out feature's domain (Sec. 2.1)
//!   plane.csv          domain,position,photo,x,y: these features across and along its border (Fig. 2b, c)
//!   landscape.csv      draw,alpha,beta,loss: around the trained weights (Fig. 4a)
//!   gradient.csv       epoch,nuclear_norm,signal: of the task's gradients over batches (Fig. 4b)
//!   stability.csv      step,acc1: on the test part over the last 100 steps (Fig. 4c)
//!   time.csv           round,seconds: of a training step, of a first seed beside those of other updates (Sec. 2.2)
//!   memory.csv         round,bytes: of a training step of a first seed beside what is held anyway (Table 1, caption)
//! ```

pub mod summary;
mod training;

use super::table::{BETAS, PRETRAININGS, Pretraining, base, cross, weighed};
use super::{Config, PhotoPretraining, Query, fit};
use crate::dataset::Split;
use crate::experiment::analyse;
use crate::experiment::ranker::rows;
use crate::experiment::{Analysis, Bench, EmbeddingModel, Order, Subject};
use crate::model::Network;
use crate::run::RunConfig;
use crate::seed::Seed;
use crate::{Error, Result};

/// The rows that are compared.
pub const ROWS: [&str; 2] = ["ours-base", "ours"];

/// The rows of Table 1, of whose steps time and memory are taken.
pub(super) const STEPS: [&str; 4] = ["ours-base", "multi-task", "meta-full", "ours"];

/// What can be measured, cheapest first.
pub fn list() -> Vec<Analysis> {
    let own = |rows: [&str; 2]| rows.map(String::from).to_vec();
    let of_a_step =
        |name, files| Analysis { first_seed: true, ..Analysis::new(name, STEPS.map(String::from).into(), files) };
    let ranked = compared().into_iter().flat_map(|(_, rows)| rows).collect();
    let apart: Vec<String> = separated().into_iter().map(|(row, _)| row).collect();
    vec![
        Analysis {
            stroke_files: &["robustness", "early"],
            ..Analysis::new("retrieval", ranked, &["smoothness", "attribution", "smoothness-hog"])
        },
        Analysis::new("separation", apart.clone(), &["domain"]),
        Analysis { first_seed: true, ..Analysis::new("plane", apart, &["plane"]) },
        Analysis { together: true, ..of_a_step("time", &["time"]) },
        of_a_step("memory", &["memory"]),
        Analysis::new("landscape", own(ROWS), &["landscape"]),
        Analysis::new("dynamics", own(ROWS), &["gradient", "stability"]),
    ]
}

/// The pre-trainings after which the paper analyses retrieval, ImageNet and OBOW, each with the rows that it compares.
pub fn compared() -> [(Pretraining, [String; 2]); 2] {
    [PRETRAININGS[0], PRETRAININGS[4]].map(|own| (own, [base(own), cross(own, own)]))
}

/// Measures a part on the runs that do not have it yet.
pub(super) fn measure(part: &str, subjects: &[Subject<Config>]) -> Result<()> {
    if part == "time" {
        return training::with_steps(subjects, |steppers| analyse::time(subjects, steppers)); // all in turn
    }
    for subject in subjects {
        match part {
            "retrieval" => retrieval(subject)?,
            "separation" => subject.write_separation(&subject.ranked(&PhotoPretraining)?)?,
            "plane" => subject.write_plane(&subject.ranked(&PhotoPretraining)?)?,
            "landscape" => training::landscape(subject)?,
            "memory" => training::with_steps(std::slice::from_ref(subject), |steppers| {
                analyse::memory(subject, &mut steppers[0])
            })?,
            "dynamics" => training::dynamics(subject)?,
            other => {
                let names: Vec<&str> = list().iter().map(|analysis| analysis.name).collect();
                return Err(Error::value("part", names.join(", "), other));
            }
        }
    }
    Ok(())
}

/// Robustness, early retrieval, smoothness and what errors are attributed by.
fn retrieval(subject: &Subject<Config>) -> Result<()> {
    let found = subject.ranked(&PhotoPretraining)?;
    if subject.is_vector() {
        subject.write_robustness(&found)?;
    }
    subject.check_weights(&PhotoPretraining)?;
    let photos = found.queries().photos();
    let (features, d) = pretrained_features(&subject.run, &photos, subject.order)?;
    subject.write_smoothness("smoothness", (&features, d), &found)?;
    subject.write_attribution((&features, d), &found)?;
    // R comes from the judge above, so a row that is trained to keep its distances is smooth under it by training. A judge
    // that gave no R is used too.
    subject.write_smoothness_by_gradients(&found)
}

/// Pooled features of test photos under the network as it was pre-trained, rows of length 1, and their length: its
/// second-last layer, as the last one names classes. The same network judges every row of a pre-training.
///
/// # Errors
/// Weights that are in no place.
pub fn pretrained_features(run: &RunConfig<Config>, photos: &[usize], order: &Order) -> Result<(Vec<f32>, usize)> {
    let config = &run.config;
    let network = Network::new(config.network(), Seed(0), order.device)?;
    network.load_backbone(&fit::start_of(config, order.places)?)?;
    let bench = Bench::open(&run.dataset, order.places)?;
    let judge = EmbeddingModel::open(network, config.pictures(), &bench, &[Split::Test], order)?;
    rows(photos, &|chunk| judge.pooled(chunk))
}

/// The rows of Fig. 2 whose features are drawn, with their labels: without the topology loss, and with photos and with
/// sketches as its queries, as heavy as the triplet loss and at its heaviest.
///
/// ```
/// use retrace::paper::photo_pretraining::analysis::separated;
/// let label = |row: &str| separated().into_iter().find(|(own, _)| own == row).map(|(_, label)| label);
/// assert_eq!(label("multi-task+query=photo").as_deref(), Some("photos as queries (Eq. 3), weight 1"));
/// ```
pub fn separated() -> Vec<(String, String)> {
    let queries = [(Query::Photo, "photos as queries (Eq. 3)"), (Query::Sketch, "sketches as queries (Eq. 4)")];
    let of = |beta: &'static str| {
        queries.map(|(query, label)| (weighed(None, query, beta), format!("{label}, weight {beta}")))
    };
    let base = ("ours-base".to_string(), "Ours-Base (Eq. 1)".to_string());
    [base].into_iter().chain(of("1")).chain(of(BETAS[BETAS.len() - 1])).collect()
}
