//! The methods of pre-training.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Deviation of the blur that is part of Canny's method in the crate that has it, in pixels.
pub(super) const EDGE_BLUR: f32 = 1.4;

/// A pre-training, with what only it has to set.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PretrainMethod {
    /// Supervised classification of coarse attributes: the place that ImageNet has for the real sets.
    #[default]
    Attributes,
    /// In which of several orders the nine tiles of a photo are (Noroozi and Favaro, ECCV 2016).
    Jigsaw {
        /// Orders to tell apart.
        orders: usize,
        /// Side of a tile, as a share of a third of the photo: the rest is a gap between tiles.
        tile: f64,
    },
    /// Two views of a photo agree, dimension by dimension (Zbontar et al., ICML 2021).
    BarlowTwins {
        /// Numbers in each layer of the projector.
        width: usize,
        /// Weight of the dimensions' correlation with each other.
        weight: f64,
    },
    /// A photo and words about it meet (Radford et al., ICML 2021).
    Clip {
        /// Numbers in the shared space.
        width: usize,
        /// How probable a word is to be in a caption: captions are incomplete.
        keep: f64,
        /// What similarities are divided by at the start.
        temperature: f64,
    },
    /// A student tells from parts which visual words its slower twin finds in the whole (Gidaris et al., CVPR 2021).
    Obow {
        /// Visual words; a multiple of the batch.
        words: usize,
        /// How hard a place of the map is given to its nearest word.
        hardness: f64,
        /// Scale of the predicted words' weights.
        scale: f64,
        /// How much of the teacher stays in a step, at the start.
        momentum: f64,
        /// Parts of a photo that the student sees.
        views: usize,
    },
    /// A photo and the map of its own edges meet: retrieval without any sketch.
    Edges {
        /// What similarities are divided by.
        temperature: f64,
        /// Canny's lower and upper thresholds on the length of Sobel's gradient.
        thresholds: [f32; 2],
        /// Deviation of the blur before it, in pixels of the 256 canvas.
        blur: f32,
    },
}

impl PretrainMethod {
    /// All names, in the order in which an error lists them.
    pub const NAMES: [&'static str; 6] = ["attributes", "jigsaw", "barlow-twins", "clip", "obow", "edges"];

    /// As in `retrace pretrain`, in file names, and in rows.
    pub fn name(self) -> &'static str {
        let place = match self {
            Self::Attributes => 0,
            Self::Jigsaw { .. } => 1,
            Self::BarlowTwins { .. } => 2,
            Self::Clip { .. } => 3,
            Self::Obow { .. } => 4,
            Self::Edges { .. } => 5,
        };
        Self::NAMES[place]
    }

    /// Whether it is `attributes`, which old records leave out.
    pub(super) fn is_attributes(&self) -> bool {
        *self == Self::Attributes
    }

    /// Whether it compares photos with maps of their edges.
    pub(super) fn is_edges(&self) -> bool {
        matches!(self, Self::Edges { .. })
    }

    pub(super) fn check(&self, batch: usize) -> Result<()> {
        let share = |value: f64| value > 0.0 && value <= 1.0;
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let fields: &[(&str, bool, &str, f64)] = match *self {
            Self::Attributes => &[],
            Self::Jigsaw { orders, tile } => &[
                ("orders", (2..=1000).contains(&orders), "2 to 1000", orders as f64),
                ("tile", share(tile), "above 0, at most 1", tile),
            ],
            Self::BarlowTwins { width, weight } => {
                &[("width", width > 0, "1 or more", width as f64), ("weight", positive(weight), "above 0", weight)]
            }
            Self::Clip { width, keep, temperature } => &[
                ("width", width > 0, "1 or more", width as f64),
                ("keep", share(keep), "a probability above 0", keep),
                ("temperature", positive(temperature), "above 0", temperature),
            ],
            Self::Obow { words, hardness, scale, momentum, views } => &[
                ("words", words > 0 && words.is_multiple_of(batch), "a multiple of the batch", words as f64),
                ("hardness", positive(hardness), "above 0", hardness),
                ("scale", positive(scale), "above 0", scale),
                ("momentum", (0.0..1.0).contains(&momentum), "0 to below 1", momentum),
                ("views", views > 0, "1 or more", views as f64),
            ],
            Self::Edges { temperature, thresholds: [low, high], blur } => &[
                ("temperature", positive(temperature), "above 0", temperature),
                ("low threshold", low >= 0.0 && low <= high, "0 to the high threshold", f64::from(low)),
                ("high threshold", high.is_finite(), "a finite number", f64::from(high)),
                ("blur", (EDGE_BLUR..=16.0).contains(&blur), "1.4 to 16: 1.4 is Canny's own", f64::from(blur)),
            ],
        };
        match fields.iter().find(|field| !field.1) {
            Some((name, _, expected, found)) => Err(Error::value(format!("{}.{name}", self.name()), *expected, *found)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for PretrainMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PretrainMethod {
    type Err = Error;

    /// A method with its usual settings.
    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "attributes" => Self::Attributes,
            // 100 orders are the smallest number that Noroozi and Favaro compare (their Table 4); 17 of 21 pixels at 64.
            "jigsaw" => Self::Jigsaw { orders: 100, tile: 0.85 },
            // The authors' weight; twice the channels of the small network, as their 8192 are four times ResNet-50's.
            "barlow-twins" => Self::BarlowTwins { width: 512, weight: 0.0051 },
            // 0.07 is CLIP's (Sec. 2.5); half of the words leave thousands of captions to a photo.
            "clip" => Self::Clip { width: 128, keep: 0.5, temperature: 0.07 },
            // 15, 8 and 0.99 are the authors'; 8192 words for a million photos, so fewer for 12,000; two views for five.
            "obow" => Self::Obow { words: 1024, hardness: 15.0, scale: 8.0, momentum: 0.99, views: 2 },
            // A usual temperature for small batches; thresholds far below a full step of 255 keep faint seams. Not tuned.
            "edges" => Self::Edges { temperature: 0.1, thresholds: [20.0, 60.0], blur: 1.6 },
            _ => return Err(Error::value("pre-training", Self::NAMES.join(", "), format!("`{name}`"))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_settings_are_checked() {
        for name in PretrainMethod::NAMES {
            let method: PretrainMethod = name.parse().unwrap();
            assert_eq!(method.to_string(), name);
            method.check(64).unwrap();
            let text = serde_json::to_string(&method).unwrap();
            assert_eq!(serde_json::from_str::<PretrainMethod>(&text).unwrap(), method);
        }
        assert!("simclr".parse::<PretrainMethod>().unwrap_err().to_string().contains("barlow-twins"));
        assert!("obow".parse::<PretrainMethod>().unwrap().check(60).unwrap_err().to_string().contains("obow.words"));
        assert!(
            PretrainMethod::Jigsaw { orders: 1, tile: 0.5 }.check(1).unwrap_err().to_string().contains("jigsaw.orders")
        );
    }
}
