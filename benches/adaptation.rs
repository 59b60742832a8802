//! What it costs to adapt the last layer to ten pairs, from features that are there: less than 10 ms on a thread.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench --bench adaptation
//! ```
//!
//! 256 channels as the small network has, 1280 as EfficientNet-Lite0; a gallery of 100 photos; one step and five.

use candle_core::{DType, Device, Tensor};
use divan::{Bencher, black_box};
use retrace::paper::adaptive::{Comparison, Config, HeadWeights, adapt};

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[allow(unsafe_code)]
fn main() {
    // SAFETY: the first thread is the only one so far.
    unsafe { retrace::device::set_up() };
    divan::main();
}

/// Pairs of the support, and photos of the gallery.
const SHOTS: usize = 10;
const GALLERY: usize = 100;

#[divan::bench(args = [256, 1280], consts = [1, 5])]
fn adaptation<const STEPS: usize>(bencher: Bencher, channels: usize) {
    let features = |rows: usize| Tensor::rand(0.0_f32, 1.0, (rows, channels), &Device::Cpu);
    let made = || -> retrace::Result<_> {
        let mut config = Config::preset("synth-world", "ours")?;
        config.inner.step.steps = STEPS;
        let head = HeadWeights {
            weight: Tensor::randn(0.0_f32, 0.1, (config.dimension, channels), &Device::Cpu)?,
            bias: Tensor::zeros(config.dimension, DType::F32, &Device::Cpu)?,
        };
        let own = (0..SHOTS as u32).collect();
        let support = Comparison { sketches: features(SHOTS)?, photos: features(GALLERY)?, own };
        Ok((head, support, Tensor::new(0.2_f32, &Device::Cpu)?, config.inner.step))
    };
    let (head, support, margin, step) = made().expect("shapes that fit");
    bencher.bench_local(|| adapt(black_box(&head), &support, &margin, &step).expect("shapes that fit"));
}
