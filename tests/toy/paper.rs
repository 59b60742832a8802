//! A paper in small: two phases of training with resume, a distance that is no embedding, galleries per class, two rows, a
//! table, a claim and a figure. What runs, ranks, tabulates and draws it is the library's.

use candle_core::{Device, Tensor};
use retrace::experiment::prelude::*;
use retrace::model::{Init, Normalisation, Parameters, weights};
use retrace::report::figure::curve;
use retrace::train::Course;
use serde::{Deserialize, Serialize};
use std::path::Path;

pub struct Toy;

pub const PRINTED: Printed = Printed {
    slug: "toy",
    tables: &[("table1", "label,dataset,acc1\nPlain,Toys,50.0\nWeighed,Toys,75.0\n")],
    claims: "id,where,statement,dataset,row_a,row_b,metric,direction,paper_effect\n\
             gain,Table 1,Weights help,toys,weighed,plain,acc1,greater,25.0\n",
    metrics: &[],
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Epochs in which the mean photo is learned, and in which it is learned how much a pixel counts.
    pub epochs: [usize; 2],
    pub rate: f64,
}

/// The mean photo and the weight of every pixel, `(64)` each, before the pictures of a corpus.
pub struct Seen(Parameters, Album);

impl Seen {
    /// Grey pictures of a feed, `(b, 64)`.
    fn see(&self, input: &dyn Fn(&dyn Feed) -> Result<Tensor>) -> Result<Tensor> {
        Ok(input(&Pixels::plain(&self.1, Normalisation::default(), &Device::Cpu))?.mean(1)?.flatten_from(1)?)
    }
}

impl Ranker for Seen {
    fn gallery<'a>(&'a self, photos: &[usize]) -> Result<Box<dyn Gallery + 'a>> {
        Ok(Box::new(Photos(self, self.see(&|feed| feed.photos(photos))?)))
    }
}

struct Photos<'a>(&'a Seen, Tensor);

/// `d(s, p) = sum over pixels of weight max(s - p + mean, 0)`, which is another from p to s.
impl Gallery for Photos<'_> {
    fn distances(&self, sketches: &[usize], view: View) -> Result<Vec<f32>> {
        let (masks, sketches) = (self.0.0.tensors(), self.0.see(&|feed| view.of(feed, sketches))?.unsqueeze(1)?);
        let gap = sketches.broadcast_sub(&self.1.unsqueeze(0)?)?.broadcast_add(&masks["mean"])?.relu()?;
        Ok(gap.broadcast_mul(&masks["weight"])?.sum(2)?.flatten_all()?.to_vec1()?)
    }
}

impl Model for Seen {
    fn network(&self) -> &dyn Kept {
        &self.0
    }
    fn is_vector(&self) -> bool {
        self.1.is_vector()
    }
}

impl Paper for Toy {
    fn printed(&self) -> Printed {
        PRINTED
    }
    fn citation(&self) -> &'static str {
        "A Toy (Nobody; Nowhere 2026)"
    }
    fn deviations(&self) -> &'static [&'static str] {
        &["Pictures of 8 x 8 pixels."]
    }
    fn corpora(&self) -> Vec<DatasetSpec> {
        vec![DatasetSpec { name: "toys", label: "toys", printed: Some("Toys"), measured_on: "made pictures" }]
    }
    fn tables(&self) -> Vec<TableSpec> {
        let rows = self.compared().into_iter().map(|(row, label)| RowSpec::printed(row, label, "table1")).collect();
        vec![TableSpec {
            printed: PRINTED,
            name: "main",
            title: "Toys",
            metric: &ACC1,
            masked: None,
            rows,
            datasets: self.corpora(),
        }]
    }
    fn compared(&self) -> Vec<(&'static str, &'static str)> {
        vec![("plain", "Plain"), ("weighed", "Weighed")]
    }
    fn queries(&self, _: &str, _: &str, index: &Index, split: Split) -> Queries {
        Queries::of(index, split)
    }
    fn figures(&self, results: &Path) -> Result<Vec<(String, String)>> {
        let drawn = curve::draw(results, PRINTED.slug, "toys", "Both phases", &self.compared())?;
        Ok(drawn.into_iter().map(|svg| ("phases".to_string(), svg)).collect())
    }
}

impl Method for Toy {
    type Config = Config;
    type Network = Parameters;
    type Model = Seen;
    fn preset(&self, _: &str, row: &str) -> Result<Config> {
        match row {
            "plain" => Ok(Config { epochs: [2, 1], rate: 0.0 }),
            "weighed" => Ok(Config { epochs: [2, 3], rate: 0.5 }),
            _ => Err(Error::value("row", "plain or weighed", format!("`{row}`"))),
        }
    }
    fn needs(&self, _: &Config) -> Needs {
        Needs { valid_photos: 2, is_trained: true, ..Needs::default() }
    }
    fn fit(&self, trial: &Trial<Config>, log: &mut Log) -> Result<Fitted<Seen>> {
        let (run, [first, second]) = (trial.run, trial.run.config.epochs);
        let mut seen = self.open(&run.config, network(run, trial.order.device)?, trial.bench, trial.order)?;
        let mut course = Course::open(trial.course(first + second, SelectOn::ValidMean)?, &mut seen.0, log)?;
        let pairs = trial.bench.pairs(Split::Train);
        let (sketches, photos): (Vec<_>, Vec<_>) = pairs.iter().map(|pair| (pair.sketch, pair.photo)).unzip();
        let valid = self.queries(&run.dataset, &run.row, trial.bench.index(), Split::Valid);
        while let Some(epoch) = course.next_epoch() {
            let (name, by) = course.step(epoch - 1, first + second, || {
                let (s, p) = (seen.see(&|feed| feed.sketches(&sketches))?, seen.see(&|feed| feed.photos(&photos))?);
                let mean = (p.mean(0)? - &seen.0.tensors()["mean"])?;
                let gap = ((s - p)?.abs()?.mean(0)? * -run.config.rate)?;
                Ok(if epoch <= first { ("mean", (mean * 0.5)?) } else { ("weight", gap) })
            })?;
            let mut masks = seen.0.tensors();
            masks.insert(name.into(), (&masks[name] + by)?.relu()?);
            seen.0.load(&masks)?;
            let scores = if epoch > first { Some(valid.scores(&evaluate(&seen, &valid)?)?) } else { None };
            let loss = masks["weight"].mean_all()?.to_scalar::<f32>()?;
            let line = serde_json::json!({ "loss": loss, "valid_acc1": scores.map(|scores| scores.acc1) });
            course.end_epoch(&seen.0, &line, name, scores)?;
        }
        Ok(Fitted { outcome: Some(course.finish(&mut seen.0)?), model: seen, select_on: "valid mean".into() })
    }
    fn load(&self, run: &RunConfig<Config>, from: Origin, device: &Device) -> Result<Parameters> {
        let (Origin::Checkpoint(path, _) | Origin::Release(path), masks) = (from, network(run, device)?);
        weights::load(path, &masks, &Default::default())?;
        Ok(masks)
    }
    fn open(&self, _: &Config, network: Parameters, bench: &Bench, order: &Order) -> Result<Seen> {
        let prepare = PrepareConfig::new(8, Ink::WhiteOnBlack);
        Ok(Seen(network, bench.album(prepare, &Split::ALL, order.watch)?))
    }
}

fn network(run: &RunConfig<Config>, device: &Device) -> Result<Parameters> {
    let mut masks = Parameters::new(run.seed, device);
    masks.root().weight("mean", &[64], Init::Zeros)?;
    masks.root().weight("weight", &[64], Init::Ones)?;
    Ok(masks)
}
