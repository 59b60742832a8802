//! Tables, claims and figures, from `results/` and `data/` alone: no model is ever loaded here.
//!
//! | file | what it does |
//! |---|---|
//! | [`record`] | the finished runs of a row, and the check of `summary.json` against `ranks.csv` |
//! | [`records`] | the rows of one corpus, by name |
//! | [`printed`] | what a paper prints and claims, handed in by its module |
//! | [`score`] | the metrics that tables and claims name, as a table |
//! | [`analysis`] | what was measured beside accuracy, sample by sample |
//! | [`table`] | a row's mean and deviation over seeds beside the paper's number |
//! | [`render`] | a table as markdown, CSV or aligned text, and its files |
//! | [`cost`] | seconds of every row |
//! | [`speed`] | this library's speed beside PyTorch's |
//! | [`html`] | tables and findings for notebooks and model cards |
//! | [`block`] | the generated parts of a markdown file |
//! | [`claim`] | a paper's sentence against our effect and its interval |
//! | [`figure`] | SVG that carries its font |

pub mod analysis;
pub mod block;
pub mod claim;
pub mod cost;
pub mod figure;
pub mod html;
pub mod overview;
pub mod printed;
pub mod record;
pub mod records;
pub mod render;
pub mod score;
pub mod speed;
pub mod table;
