//! A residual network small enough to train on two CPU cores.

use super::resnet::ResidualTable;

/// For 64 x 64 pictures: a stem and four residual blocks, 38.6 million multiply-adds a picture.
///
/// Channels double as in ResNet-18, at half its width. The maps are 32, 16, 8, 8 and 4 pixels wide: most of the work is
/// done at 8, where matrix products are large enough to be fast and a line of the drawing is still in its place.
pub(crate) const MINI: ResidualTable = ResidualTable {
    stem: (32, 3),
    pooled: false,
    bottleneck: false,
    stages: [(32, 1, 2), (64, 1, 2), (128, 1, 1), (256, 1, 2)],
};

#[cfg(test)]
mod tests {
    use crate::model::{Architecture, Mode, NormConfig, Parameters, build};
    use crate::seed::Seed;
    use candle_core::{DType, Device, Tensor};

    #[test]
    fn mini_costs_its_documented_multiply_adds() {
        let mut parameters = Parameters::new(Seed(0), &Device::Cpu);
        let network = build(Architecture::Mini, &mut parameters.root(), NormConfig::default()).unwrap();
        let side = |name: &str| match name.split('.').next() {
            Some("conv1") => 32,
            Some("layer1") => 16,
            Some("layer2" | "layer3") => 8,
            _ => 4,
        };
        let convolutions = parameters.tensors().into_iter().filter(|(_, tensor)| tensor.rank() == 4);
        let cost: usize = convolutions.map(|(name, weight)| weight.elem_count() * side(&name) * side(&name)).sum();
        assert!((25_000_000..40_000_000).contains(&cost), "{cost}");
        let pictures = Tensor::zeros((1, 3, 64, 64), DType::F32, &Device::Cpu).unwrap();
        assert_eq!(network.forward(&pictures, Mode::Eval).unwrap().dims(), [1, 4, 4, network.channels()]);
    }
}
