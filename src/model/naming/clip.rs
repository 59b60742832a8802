//! CLIP's image tower.

use super::{Naming, TensorPlace};
use crate::{Error, Result};
use candle_core::Tensor;
use std::collections::BTreeMap;

/// Names outside the blocks: ours, timm's, those of transformers.
const OUTSIDE: [[&str; 3]; 7] = [
    ["conv1.weight", "patch_embed.proj.weight", "vision_model.embeddings.patch_embedding.weight"],
    // The misspelling is in the files.
    ["ln_pre.weight", "norm_pre.weight", "vision_model.pre_layrnorm.weight"],
    ["ln_pre.bias", "norm_pre.bias", "vision_model.pre_layrnorm.bias"],
    ["ln_post.weight", "norm.weight", "vision_model.post_layernorm.weight"],
    ["ln_post.bias", "norm.bias", "vision_model.post_layernorm.bias"],
    ["class_embedding", "cls_token", "vision_model.embeddings.class_embedding"],
    ["positional_embedding", "pos_embed", "vision_model.embeddings.position_embedding.weight"],
];

/// Layers of a block: ours, timm's, those of transformers.
const INSIDE: [[&str; 3]; 6] = [
    ["ln_1.", "norm1.", "layer_norm1."],
    ["ln_2.", "norm2.", "layer_norm2."],
    ["mlp.c_fc.", "mlp.fc1.", "mlp.fc1."],
    ["mlp.c_proj.", "mlp.fc2.", "mlp.fc2."],
    ["attn.out_proj.", "attn.proj.", "self_attn.out_proj."],
    ["attn.in_proj_", "attn.qkv.", ""],
];

/// The projection: `(width, outputs)` of ours, `(outputs, width)` of theirs.
const PROJECTION: &str = "proj";

/// timm's projection has a bias, which CLIP's has not.
const BIAS: &str = "head.bias";

pub(super) fn allowed(naming: Naming) -> &'static [&'static str] {
    match naming {
        Naming::OpenAi => &[
            "transformer.*",
            "token_embedding.weight",
            "positional_embedding",
            "ln_final.*",
            "text_projection",
            "logit_scale",
            // Numbers beside the weights in OpenAI's own file.
            "input_resolution",
            "context_length",
            "vocab_size",
        ],
        Naming::Transformers => &[
            "text_model.*",
            "text_projection.weight",
            "logit_scale",
            "vision_model.embeddings.position_ids", // 0, 1, 2, ...
        ],
        Naming::Timm => &[BIAS],
        Naming::Own | Naming::Torchvision => &[],
    }
}

/// timm's place: queries, keys and values in one, as ours.
pub(super) fn timm(own: &str) -> TensorPlace {
    let name = outside(own, 1).or_else(|| inside(own, 1, "blocks"));
    match (own, name) {
        (PROJECTION, _) => TensorPlace::Turned("head.weight".into()),
        ("class_embedding" | "positional_embedding", Some(name)) => TensorPlace::Squeezed(name),
        (_, name) => TensorPlace::Whole(name.unwrap_or_else(|| own.to_string())),
    }
}

/// The place of transformers: queries, keys and values apart.
pub(super) fn transformers(own: &str) -> TensorPlace {
    const BLOCKS: &str = "vision_model.encoder.layers";
    if own == PROJECTION {
        return TensorPlace::Turned("visual_projection.weight".into());
    }
    if let Some((block, kind)) = split(own).and_then(|(block, rest)| Some((block, rest.strip_prefix("attn.in_proj_")?)))
    {
        return TensorPlace::Rows(["q", "k", "v"].map(|part| format!("{BLOCKS}.{block}.self_attn.{part}_proj.{kind}")));
    }
    let name = outside(own, 2).or_else(|| inside(own, 2, BLOCKS));
    TensorPlace::Whole(name.unwrap_or_else(|| own.to_string()))
}

fn outside(own: &str, column: usize) -> Option<String> {
    OUTSIDE.iter().find(|row| row[0] == own).map(|row| row[column].to_string())
}

fn inside(own: &str, column: usize, blocks: &str) -> Option<String> {
    let (block, rest) = split(own)?;
    let swapped = INSIDE.iter().find_map(|row| Some(format!("{}{}", row[column], rest.strip_prefix(row[0])?)))?;
    Some(format!("{blocks}.{block}.{swapped}"))
}

/// `transformer.resblocks.<block>.<rest>`.
fn split(own: &str) -> Option<(&str, &str)> {
    own.strip_prefix("transformer.resblocks.")?.split_once('.')
}

/// Our network has no such bias, so one that is not 0 would be lost silently.
pub(super) fn check_bias(file: &BTreeMap<String, Tensor>) -> Result<()> {
    let Some(bias) = file.get(BIAS) else { return Ok(()) };
    let largest = bias.flatten_all()?.abs()?.max(0)?.to_scalar::<f32>()?;
    match largest {
        0.0 => Ok(()),
        _ => Err(Error::value(BIAS, "zeros, since CLIP's projection has no bias", format!("up to {largest}"))),
    }
}
