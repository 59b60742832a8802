//! A category's file as typed, before its names are looked up.

use super::super::figure::{LineRank, Material};
use super::super::palette::Texture;
use super::number::Number;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// What kind of thing a category is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CategoryKind {
    /// Tools, instruments, tableware.
    Artefact,
    /// Plants and fruit.
    Plant,
    /// Animals.
    Animal,
    /// What carries people.
    Vehicle,
    /// Buildings.
    Building,
    /// Clothes.
    Clothes,
}

/// A file of `data/world/`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CategoryFile {
    /// The words that name it, for word vectors.
    pub(super) words: Spanned<Vec<String>>,
    pub(super) kind: CategoryKind,
    /// Held out: none of its photos is trained on.
    #[serde(default)]
    pub(super) unseen: bool,
    /// Half of the objects face the other way.
    #[serde(default)]
    pub(super) flips: bool,
    /// Measures that several numbers share.
    #[serde(default)]
    pub(super) measure: BTreeMap<String, Spanned<Number>>,
    /// Choices of every object, each value as likely as the others.
    #[serde(default)]
    pub(super) option: BTreeMap<String, Spanned<Vec<String>>>,
    /// Colours of the materials; a material without a list has any colour.
    #[serde(default)]
    pub(super) colour: BTreeMap<Material, Spanned<Vec<String>>>,
    /// Patterns over body and pads; without a list, any.
    #[serde(default)]
    pub(super) pattern: Vec<Texture>,
    /// In painting order.
    pub(super) part: Vec<Spanned<PartFile>>,
}

/// How a part's outline is made. Coordinates are shares of half the part's size: -1 to 1, x right, y down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ShapeName {
    /// The ellipse in the box.
    Ellipse,
    /// The box, its corners as round as `round` says.
    Box,
    /// Straight edges through `points`.
    Polygon,
    /// A smooth closed line through `points`.
    Blob,
    /// Smooth and the same on both sides: `points` are heights, each with half the width there.
    Lathe,
    /// As a lathe with straight edges.
    Spindle,
    /// A tube along a smooth line through `points`, as thick as `thick` says.
    Tube,
    /// As a tube along straight lines.
    Rod,
    /// A smooth line through `points`, without an area.
    Line,
}

/// A size: `[width, height]`, or one number for both.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged, expecting = "a size `{ both = number }` or `[width, height]`")]
pub(super) enum SizeFile {
    /// Width and height.
    Pair([Number; 2]),
    /// The same for both.
    Both {
        /// Width and height.
        both: Number,
    },
}

/// A part as typed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartFile {
    pub(super) name: String,
    /// The part that it hangs on; without one, the object's own origin.
    pub(super) on: Option<String>,
    /// Where, in the box of that part.
    pub(super) at: Option<[Number; 2]>,
    /// Which point of its own box lies there.
    pub(super) pin: Option<[Number; 2]>,
    pub(super) size: SizeFile,
    /// The size is in multiples of the part that it hangs on.
    #[serde(default)]
    pub(super) fit: bool,
    /// Turned about its pin, in degrees clockwise.
    pub(super) turn: Option<Number>,
    pub(super) shape: ShapeName,
    #[serde(default)]
    pub(super) points: Vec<[Number; 2]>,
    /// Only the right side of a polygon, blob or line is given.
    #[serde(default)]
    pub(super) half: bool,
    pub(super) round: Option<Number>,
    pub(super) thick: Option<[Number; 2]>,
    /// Height of the opening on top of a lathe, as a share of the width there.
    pub(super) rim: Option<Number>,
    /// How many copies.
    pub(super) count: Option<Number>,
    /// Where the last copy is; the others stand evenly between.
    pub(super) to: Option<[Number; 2]>,
    /// The copies are turned about the middle of the part that they hang on, over so many degrees.
    pub(super) around: Option<f32>,
    /// Also the mirror image, left to right, in the part that it hangs on.
    #[serde(default)]
    pub(super) mirror: bool,
    /// Each copy lies so far off its place, in that part's box.
    pub(super) scatter: Option<f32>,
    /// Share of the objects that have it.
    pub(super) chance: Option<f32>,
    /// Only with one of these values of an option.
    #[serde(default)]
    pub(super) when: Vec<String>,
    /// A hole in the part that it hangs on.
    #[serde(default)]
    pub(super) cut: bool,
    pub(super) material: Option<Material>,
    pub(super) rank: Option<LineRank>,
    /// Lies on other parts without hiding their lines.
    #[serde(default)]
    pub(super) flat: bool,
    pub(super) shade: Option<f32>,
}
