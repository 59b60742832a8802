//! A whole training step.

use super::work::{Case, Work, facts, numbers};
use candle_core::{Device, Tensor};
use rand::RngExt;
use rand_distr::StandardNormal;
use retrace::model::Mode;
use retrace::paper::more_photos::stroke::{END, Row, Sequences};
use retrace::paper::more_photos::{Config, Generator};
use retrace::seed::{Seed, Stream};
use retrace::train::named::Tensors;
use retrace::train::{Gradients, Optimiser, OptimiserConfig, clip, gradients};
use retrace::{Error, Result};

/// Small, so that the weights stay near where they start.
const RATE: f64 = 1e-5;

/// Weight of the divergence, where it ends.
const DIVERGENCE: f64 = 1.0;

/// Points of a stroke.
const STROKE: usize = 8;

/// The whole generator in training on one batch.
pub struct Training {
    generator: Generator,
    optimiser: Optimiser,
    photos: Tensor,
    sequences: Sequences,
    stream: Stream,
}

impl Training {
    /// The generator of the row at its start, and a made-up batch.
    ///
    /// # Errors
    /// A row of other sizes than the case.
    pub fn new(case: Case) -> Result<Self> {
        let config = Config::preset("synth-chair", "ours-g")?;
        let Some(drawer) = config.generator else { return Err(Error::value("row ours-g", "a generator", "none")) };
        let generator = Generator::new(&drawer, &config.retrieval, Seed(0), &Device::Cpu)?;
        let side = config.retrieval.prepare.side as usize;
        let photos = (numbers("photos", &[case.sketches, 3, side, side], 0.5)? + 0.5)?;
        // The longest as long as the case says, each next one a row shorter.
        let sketches: Vec<Vec<Row>> = (0..case.sketches).map(|at| drawing(at, case.rows - at)).collect();
        let rows: Vec<&[Row]> = sketches.iter().map(Vec::as_slice).collect();
        let sequences = Sequences::new(&rows, 1.0, drawer.pen, &Device::Cpu)?;
        let optimiser = Optimiser::new(OptimiserConfig::adam(RATE), generator.parameters().trainable());
        let found = generator.see(&photos, Mode::Eval)?.map.dims()[1..3].iter().product::<usize>();
        if [found, drawer.width] != [case.places, case.state] {
            let found = format!("{found} and {}", drawer.width);
            return Err(Error::value(
                "row ours-g",
                format!("{} places and a state of {}", case.places, case.state),
                found,
            ));
        }
        Ok(Self { generator, optimiser, photos, sequences, stream: noise() })
    }

    fn slopes(&self, stream: &mut Stream) -> Result<(Tensor, Gradients)> {
        let [loss, _] = self.generator.loss(&self.photos, &self.sequences, DIVERGENCE, Mode::Train, stream)?;
        let slopes = gradients(&loss, &self.generator.parameters().trainable())?;
        Ok((loss, slopes))
    }
}

impl Work for Training {
    fn run(&mut self) -> Result<()> {
        let mut stream = self.stream.clone();
        let (_, mut slopes) = self.slopes(&mut stream)?;
        self.stream = stream;
        clip(&mut slopes, self.generator.config().clip)?;
        self.optimiser.step(&slopes, 1.0)
    }

    fn facts(&self) -> Result<[f64; 2]> {
        let (loss, slopes) = self.slopes(&mut noise())?;
        facts(&loss, slopes)
    }

    fn tensors(&self) -> Result<Tensors> {
        let shape = (self.photos.dim(0)?, self.generator.config().latent);
        let mut stream = noise();
        // As the first call of the loss draws them.
        let draws: Vec<f32> = (0..shape.0 * shape.1).map(|_| stream.sample(StandardNormal)).collect();
        let mut tensors = self.generator.parameters().tensors();
        let Sequences { inputs, targets } = &self.sequences;
        let batch = [("photos", &self.photos), ("inputs", inputs), ("targets", targets)];
        tensors.extend(batch.map(|(name, tensor)| (name.to_string(), tensor.clone())));
        tensors.insert("noise".into(), Tensor::from_vec(draws, shape, &Device::Cpu)?);
        Ok(tensors)
    }
}

/// The draws of z.
fn noise() -> Stream {
    Seed(0).stream("noise")
}

/// A made-up sketch of so many rows, its end among them.
fn drawing(at: usize, rows: usize) -> Vec<Row> {
    let mut stream = Seed(0).child("drawing", at as u64);
    let mut point = |i: usize| {
        let is_last = i % STROKE == STROKE - 1 || i + 2 == rows;
        let [dx, dy] = [(); 2].map(|()| stream.sample(StandardNormal));
        [dx, dy, f32::from(!is_last), f32::from(is_last), 0.0]
    };
    let mut points: Vec<Row> = (0..rows - 1).map(&mut point).collect();
    points.push(END);
    points
}
