//! Figures: SVG that carries the glyphs it uses, laid out with the same font, the same bytes on every machine.
//!
//! | file | figure |
//! |---|---|
//! | [`curve`] | loss and validation accuracy over the epochs |
//! | [`early`] | Acc@1 against the share of the sketch that is drawn |
//! | [`gallery`] | sketches and the photos ranked first for them |
//! | [`bar`] | a table as bars, with the paper's numbers as marks |
//!
//! They share [`canvas`] (size, background, font, saving) and [`panel`] (axes, lines, bands, labels at the line ends).

pub mod bar;
pub mod canvas;
pub mod curve;
pub mod early;
mod font;
pub mod gallery;
pub mod panel;
mod truetype;

#[cfg(test)]
mod tests;
