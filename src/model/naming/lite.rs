//! EfficientNet-Lite0.

use crate::model::efficientnet::stage_of;

/// timm's name, which counts blocks within stages and norms within blocks.
pub(super) fn timm(own: &str) -> String {
    let swap = |from: &str, to: &str| own.strip_prefix(from).map(|rest| format!("{to}{rest}"));
    let outside = [("_conv_stem.", "conv_stem."), ("_bn0.", "bn1."), ("_conv_head.", "conv_head."), ("_bn1.", "bn2.")];
    if let Some(name) = outside.into_iter().find_map(|(from, to)| swap(from, to)) {
        return name;
    }
    inside(own).unwrap_or_else(|| own.to_string())
}

/// `_blocks.<count>.<layer>.<rest>`.
fn inside(own: &str) -> Option<String> {
    let mut parts = own.strip_prefix("_blocks.")?.splitn(3, '.');
    let (stage, repeat, expands) = stage_of(parts.next()?.parse().ok()?)?;
    let (layer, rest) = (parts.next()?, parts.next()?);
    let layer = match (layer, expands) {
        ("_expand_conv", _) => "conv_pw",
        ("_bn0", _) => "bn1",
        ("_depthwise_conv", _) => "conv_dw",
        ("_bn1", true) => "bn2",
        ("_bn1", false) => "bn1",
        ("_project_conv", true) => "conv_pwl",
        ("_bn2", true) => "bn3",
        // The first block does not widen: its last layer is timm's only one by pixel.
        ("_project_conv", false) => "conv_pw",
        ("_bn2", false) => "bn2",
        _ => return None,
    };
    Some(format!("blocks.{stage}.{repeat}.{layer}.{rest}"))
}
