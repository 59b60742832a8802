//! Figures: SVG that carries the glyphs it uses, laid out with the same font, the same bytes on every machine.
//!
//! | file | figure |
//! |---|---|
//! | [`curve`] | loss and validation accuracy over the epochs |
//! | [`early`] | Acc@1 against the share of the sketch that is drawn |
//! | [`masked`] | Acc@K against the share of objects or strokes that is left out |
//! | [`at_k`] | Acc@K against K |
//! | [`gallery`] | sketches and the photos ranked first for them |
//! | [`picture_grid`] | pictures in rows and columns, e.g. under heat maps, with axes beside them |
//! | [`flow`] | what goes from regions of one picture to those of another |
//! | [`histogram`] | bars with names, with pictures of what they count |
//! | [`bar`] | a table as bars, with the paper's numbers as marks |
//! | [`surface`] | loss landscapes side by side: surfaces, maps with contour lines |
//! | [`scatter`] | clouds of points, e.g. features of sketches and photos in a plane |
//! | [`heat`] | a table of numbers as coloured cells |
//! | [`crossed`] | rows that are crossed as such a table, beside what they are compared with |
//! | [`sweep`] | rows over a value, on a logarithmic axis |
//! | [`analysed`] | what was measured beside accuracy: features, landscapes, a training from inside, early retrieval |
//!
//! They share [`canvas`] (size, background, font, saving; no text is cut), [`picture`] (pictures as data, heat over them), `head` (title and note) and [`panel`] (lines,
//! bands and bars over seeds, names at the line ends) with its [`axis`]; `mark` holds the shapes of points, `name`
//! puts names at line ends, `label` moves them apart, `seeds` says of how many seeds numbers are, `ramp` holds the colours that stand for numbers, `grid` holds the heights of a landscape,
//! `contour` draws its map.

pub mod analysed;
pub mod at_k;
pub mod axis;
pub mod bar;
pub mod canvas;
mod contour;
pub mod crossed;
pub mod curve;
pub mod early;
pub mod flow;
mod font;
pub mod gallery;
mod grid;
mod head;
pub mod heat;
pub mod histogram;
mod label;
mod mark;
pub mod masked;
mod name;
pub mod panel;
pub mod picture;
pub mod picture_grid;
mod ramp;
pub mod scatter;
mod seeds;
pub mod surface;
pub mod sweep;
mod truetype;

#[cfg(test)]
pub(crate) mod tests;
