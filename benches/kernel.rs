//! Every operation of `kernel/` alone, at shapes of the three networks, batches of 32.
//!
//! ```text
//! RAYON_NUM_THREADS=1 cargo bench --bench kernel [-- NAME]
//! ```
//!
//! Items per second are multiply-adds for convolutions and numbers for everything else. A backward pass is all gradients
//! of the operation, its forward pass not counted.

use candle_core::{Device, Result, Tensor, Var};
use divan::{Bencher, black_box, counter::ItemsCount};
use retrace::kernel::{AdamStep, Bounds, Moments, Window, adam, average_pool, batch_norm, conv2d, max_pool, moments};
use retrace::kernel::{add, rectify};
use retrace::loss::Topology;
use std::fmt;

/// As the binary has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[allow(unsafe_code)]
fn main() {
    // SAFETY: the first thread is the only one so far.
    unsafe { retrace::device::set_up() };
    divan::main();
}

/// Pictures a batch.
const BATCH: usize = 32;

/// A convolution of a network.
#[derive(Clone, Copy)]
struct Shape {
    name: &'static str,
    side: usize,
    inputs: usize,
    outputs: usize,
    k: usize,
    stride: usize,
    groups: usize,
}

const fn dense(name: &'static str, [side, inputs, outputs]: [usize; 3], k: usize, stride: usize) -> Shape {
    Shape { name, side, inputs, outputs, k, stride, groups: 1 }
}

const fn depthwise(name: &'static str, [side, channels]: [usize; 2], k: usize, stride: usize) -> Shape {
    Shape { name, side, inputs: channels, outputs: channels, k, stride, groups: channels }
}

const CONVOLUTIONS: [Shape; 8] = [
    dense("mini stem", [64, 3, 32], 3, 2),
    dense("mini layer3", [8, 128, 128], 3, 1),
    dense("resnet18 stem", [128, 3, 64], 7, 2),
    dense("resnet18 layer1", [32, 64, 64], 3, 1),
    dense("resnet18 layer3, first", [16, 128, 256], 3, 2),
    dense("resnet18 layer4", [4, 512, 512], 3, 1),
    dense("lite0 block 1, widen", [64, 16, 96], 1, 1),
    dense("lite0 block 12, narrow", [4, 1152, 192], 1, 1),
];

const DEPTHWISE: [Shape; 4] = [
    depthwise("lite0 block 0", [64, 32], 3, 1),
    depthwise("lite0 block 1", [64, 96], 3, 2),
    depthwise("lite0 block 4", [16, 240], 5, 1),
    depthwise("lite0 block 12", [4, 1152], 5, 1),
];

/// Height and width, and channels, of maps that are normalised and rectified.
const MAPS: [[usize; 2]; 3] = [[64, 96], [32, 64], [8, 128]];

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, side, inputs, outputs, k, stride, .. } = self;
        write!(f, "{name}: {k}x{k}/{stride}, {inputs} to {outputs} at {side}")
    }
}

impl Shape {
    fn window(&self) -> Window {
        Window { stride: self.stride, groups: self.groups, ..Window::default() }.padded(self.k / 2)
    }

    /// Multiply-adds of a forward pass.
    fn cost(&self) -> ItemsCount {
        let side = self.side.div_ceil(self.stride);
        ItemsCount::new(BATCH * side * side * self.outputs * self.k * self.k * self.inputs / self.groups)
    }

    fn variables(&self) -> Result<[Var; 3]> {
        let x = wave(&[BATCH, self.side, self.side, self.inputs])?;
        let weight = wave(&[self.outputs, self.inputs / self.groups, self.k, self.k])?;
        Ok([x, weight, wave(&[self.outputs])?])
    }

    fn forward(&self, [x, weight, bias]: &[Var; 3]) -> Result<Tensor> {
        conv2d(x, weight, Some(bias), self.window(), Bounds::RELU)
    }
}

/// Numbers between -1 and 1, none of which is special.
fn wave(shape: &[usize]) -> Result<Var> {
    let values = (0..shape.iter().product()).map(|i| (i as f32 * 0.37).sin()).collect();
    Var::from_vec(values, shape, &Device::Cpu)
}

fn map([side, channels]: [usize; 2]) -> Result<Var> {
    wave(&[BATCH, side, side, channels])
}

/// A benchmark whose operation fails says so and stops.
fn sound<T>(result: Result<T>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Measures an operation; a first call, not measured, makes the memory that later ones use again.
fn measure<T>(bencher: Bencher, count: ItemsCount, operation: impl Fn() -> Result<T>) {
    sound(operation());
    bencher.counter(count).bench_local(|| black_box(sound(operation())));
}

/// Measures the way back from the sum of an operation's numbers; as above, after a first call.
fn measure_backward(bencher: Bencher, count: ItemsCount, operation: impl Fn() -> Result<Tensor>) {
    let sum = || sound(operation().and_then(|y| y.sum_all()));
    sound(sum().backward());
    bencher.counter(count).with_inputs(sum).bench_local_refs(|sum| black_box(sound(sum.backward())));
}

#[divan::bench(args = CONVOLUTIONS, max_time = 1)]
fn convolution(bencher: Bencher, shape: &Shape) {
    let variables = sound(shape.variables());
    measure(bencher, shape.cost(), || shape.forward(&variables));
}

#[divan::bench(args = CONVOLUTIONS, max_time = 1)]
fn convolution_backward(bencher: Bencher, shape: &Shape) {
    let variables = sound(shape.variables());
    measure_backward(bencher, shape.cost(), || shape.forward(&variables));
}

#[divan::bench(args = DEPTHWISE, max_time = 1)]
fn depthwise_convolution(bencher: Bencher, shape: &Shape) {
    let variables = sound(shape.variables());
    measure(bencher, shape.cost(), || shape.forward(&variables));
}

#[divan::bench(args = DEPTHWISE, max_time = 1)]
fn depthwise_convolution_backward(bencher: Bencher, shape: &Shape) {
    let variables = sound(shape.variables());
    measure_backward(bencher, shape.cost(), || shape.forward(&variables));
}

/// Statistics of the batch, addition of a map and rectifier, as at the end of a residual block.
fn norm([x, weight, bias, residual]: &[Var; 4]) -> Result<Tensor> {
    let moments: Moments = moments(x)?;
    batch_norm(x, &moments, [weight.as_tensor(), bias.as_tensor()], 1e-5, Some(residual), Bounds::RELU)
}

fn norm_variables(size: [usize; 2]) -> Result<[Var; 4]> {
    Ok([map(size)?, wave(&[size[1]])?, wave(&[size[1]])?, map(size)?])
}

#[divan::bench(args = MAPS, max_time = 1)]
fn batch_norm_add_rectify(bencher: Bencher, size: [usize; 2]) {
    let variables = sound(norm_variables(size));
    measure(bencher, ItemsCount::new(variables[0].elem_count()), || norm(&variables));
}

#[divan::bench(args = MAPS, max_time = 1)]
fn batch_norm_add_rectify_backward(bencher: Bencher, size: [usize; 2]) {
    let variables = sound(norm_variables(size));
    measure_backward(bencher, ItemsCount::new(variables[0].elem_count()), || norm(&variables));
}

#[divan::bench(args = MAPS, max_time = 1)]
fn rectifier(bencher: Bencher, size: [usize; 2]) {
    let x = sound(map(size));
    measure(bencher, ItemsCount::new(x.elem_count()), || rectify(&x, Bounds::RELU6));
}

#[divan::bench(args = MAPS, max_time = 1)]
fn rectifier_backward(bencher: Bencher, size: [usize; 2]) {
    let x = sound(map(size));
    measure_backward(bencher, ItemsCount::new(x.elem_count()), || rectify(&x, Bounds::RELU6));
}

#[divan::bench(args = MAPS, max_time = 1)]
fn addition_and_rectifier(bencher: Bencher, size: [usize; 2]) {
    let (x, y) = (sound(map(size)), sound(map(size)));
    measure(bencher, ItemsCount::new(x.elem_count()), || add(&x, &y, Bounds::RELU));
}

/// 3 x 3 at stride 2, as after ResNet's stem, whose maps are 64 pixels wide and 64 channels deep.
const POOL: Window = Window { stride: 2, padding: [[1; 2]; 2], dilation: 1, groups: 1 };

#[divan::bench(max_time = 1)]
fn maximum_pool(bencher: Bencher) {
    let x = sound(map([64, 64]));
    measure(bencher, ItemsCount::new(x.elem_count()), || max_pool(&x, [3; 2], POOL));
}

#[divan::bench(max_time = 1)]
fn maximum_pool_backward(bencher: Bencher) {
    let x = sound(map([64, 64]));
    measure_backward(bencher, ItemsCount::new(x.elem_count()), || max_pool(&x, [3; 2], POOL));
}

/// The whole map, as at the end of every network.
#[divan::bench(max_time = 1)]
fn global_average_pool(bencher: Bencher) {
    let x = sound(map([4, 1280]));
    measure(bencher, ItemsCount::new(x.elem_count()), || average_pool(&x, [4; 2], Window::default()));
}

#[divan::bench(max_time = 1)]
fn global_average_pool_backward(bencher: Bencher) {
    let x = sound(map([4, 1280]));
    measure_backward(bencher, ItemsCount::new(x.elem_count()), || average_pool(&x, [4; 2], Window::default()));
}

/// One update of a parameter as large as a 3 x 3 convolution of ResNet-18's last stage.
#[divan::bench(max_time = 1)]
fn adam_step(bencher: Bencher) {
    let shape = [512, 512, 3, 3];
    let [x, mean, square, gradient] = [(); 4].map(|()| sound(wave(&shape)));
    sound(square.set(&sound(square.as_detached_tensor().sqr())));
    let step = AdamStep { beta: [0.9, 0.999], epsilon: 1e-8, rate: 1e-5, weight_decay: 0.0, step: 10 };
    measure(bencher, ItemsCount::new(x.elem_count()), || adam(&x, &mean, &square, &gradient, &step));
}

/// Features of EfficientNet-Lite0 of as many photos as Shoe-V2 has.
#[divan::bench(max_time = 5)]
fn topology(bencher: Bencher) {
    let features = sound(wave(&[2000, 1280]));
    let build = || Topology::new(features.as_tensor()).map_err(candle_core::Error::wrap);
    measure(bencher, ItemsCount::new(2000_usize * 2000 * 1280), build);
}
