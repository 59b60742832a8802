//! The model card: what a reader of the Hub has to know, from the records.

use super::Address;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A measured number of a model on the test part of a corpus.
#[derive(Debug, Clone, PartialEq)]
pub struct CardMetric {
    /// Name of the metric, e.g. `Acc@1`.
    pub metric: String,
    /// The value of the released weights, in percent.
    pub value: f64,
    /// Mean and standard deviation over all seeds of the row, in percent; none where there is one seed.
    pub over_seeds: Option<(f64, f64)>,
}

/// Everything a card says.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Heading.
    pub title: String,
    /// The paper, with authors, venue and year.
    pub paper: String,
    /// What the row is, in a sentence or two.
    pub summary: String,
    /// Name of the network.
    pub architecture: String,
    /// The corpus that it was trained and tested on.
    pub dataset: String,
    /// The version of the corpus: [`crate::dataset::Source::version`].
    pub data_version: String,
    /// The weights that the training started from.
    pub started_from: String,
    /// Identifier of the licence as the Hub knows it; `other` with a name of its own.
    pub licence: (String, Option<String>),
    /// Seeds of the row; the first one's weights are released.
    pub seeds: Vec<u64>,
    /// Test sketches, and photos each is ranked against.
    pub queries: (usize, usize),
    /// The numbers.
    pub measured: Vec<CardMetric>,
    /// The command that trained it.
    pub command: String,
    /// Seconds of its training, and `cpu` or `cuda`.
    pub cost: (f64, String),
    /// Limits that a user should know.
    pub limits: Vec<String>,
    /// What differs from the paper.
    pub deviations: Vec<String>,
    /// How a program loads it, in Rust; `OWNER/NAME@REVISION` stands for its address; empty for nothing to show.
    pub snippet: &'static str,
}

/// The part of a card that the Hub reads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Front {
    license: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    license_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    license_link: Option<String>,
    library_name: String,
    pipeline_tag: String,
    tags: Vec<String>,
    metrics: Vec<String>,
    #[serde(rename = "model-index")]
    model_index: Vec<CardModel>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct CardModel {
    name: String,
    results: Vec<CardResult>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct CardResult {
    task: CardTask,
    dataset: CardDataset,
    metrics: Vec<CardValue>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct CardTask {
    r#type: String,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct CardDataset {
    name: String,
    r#type: String,
    split: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct CardValue {
    r#type: String,
    value: f64,
    name: String,
}

impl Card {
    /// The card as it stands in a repository: front matter, then Markdown.
    ///
    /// # Errors
    /// Front matter that does not serialise.
    pub fn render(&self, address: &Address) -> Result<String> {
        let front = serde_saphyr::to_string(&self.front(address)).map_err(|error| fault(&error))?;
        let mut text = format!("---\n{}\n---\n\n# {}\n\n", front.trim_end(), self.title);
        let _ = writeln!(text, "{} Trained by retrace {}, which reproduces", self.summary, env!("CARGO_PKG_VERSION"));
        let _ = writeln!(text, "*{}*.\n", self.paper);
        self.write_numbers(&mut text);
        self.write_use(&mut text, address);
        self.write_training(&mut text);
        for (heading, lines) in [("Limits", &self.limits), ("What differs from the paper", &self.deviations)] {
            let _ = writeln!(text, "\n## {heading}\n");
            lines.iter().for_each(|line| text.extend(["- ", line, "\n"]));
        }
        Ok(text)
    }

    fn front(&self, address: &Address) -> Front {
        let metrics = self.measured.iter().map(|measured| CardValue {
            r#type: "accuracy".into(),
            value: round(measured.value),
            name: measured.metric.clone(),
        });
        let outcome = CardResult {
            task: CardTask { r#type: "image-feature-extraction".into(), name: "sketch-based image retrieval".into() },
            dataset: CardDataset { name: self.dataset.clone(), r#type: self.dataset.clone(), split: "test".into() },
            metrics: metrics.collect(),
        };
        let (license, license_name) = self.licence.clone();
        let tags = ["sketch", "sketch-based-image-retrieval", "image-retrieval", "candle", "rust", &self.architecture];
        Front {
            license_link: license_name.is_some().then(|| "LICENSE".into()),
            license,
            license_name,
            library_name: "retrace".into(),
            pipeline_tag: "image-feature-extraction".into(),
            tags: tags.map(str::to_string).to_vec(),
            metrics: vec!["accuracy".into()],
            model_index: vec![CardModel { name: address.name().to_string(), results: vec![outcome] }],
        }
    }

    fn write_numbers(&self, text: &mut String) {
        let (queries, gallery) = self.queries;
        let count = self.seeds.len();
        let _ = writeln!(text, "## What it finds\n");
        let _ = writeln!(
            text,
            "{queries} test sketches of {}, each ranked against {gallery} photos, in percent.\n",
            self.dataset
        );
        let _ = writeln!(text, "| metric | these weights | mean ± deviation of {count} seeds |\n|---|--:|--:|");
        for measured in &self.measured {
            let spread =
                measured.over_seeds.map_or("–".into(), |(mean, deviation)| format!("{mean:.1} ± {deviation:.1}"));
            let _ = writeln!(text, "| {} | {:.1} | {spread} |", measured.metric, measured.value);
        }
        let _ = writeln!(
            text,
            "\nThese weights are those of seed {}, the first, not of the best one. `ranks.csv` has the rank of the right photo",
            self.seeds.first().copied().unwrap_or_default()
        );
        let _ = writeln!(
            text,
            "for every test sketch (1 = best; positions in the corpus index), from which the numbers are computed.\n"
        );
    }

    fn write_use(&self, text: &mut String, address: &Address) {
        let snippet = self.snippet.replace("OWNER/NAME@REVISION", &address.to_string());
        let _ = writeln!(
            text,
            "## How to use it\n\nIn a terminal, to rank the test sketches and compare with the numbers above:\n"
        );
        let _ = writeln!(text, "    retrace eval --from {address}\n");
        if !snippet.is_empty() {
            let _ = writeln!(text, "In Rust:\n\n```rust\n{snippet}```\n");
        }
    }

    fn write_training(&self, text: &mut String) {
        let (seconds, device) = &self.cost;
        let _ = writeln!(text, "## How it was trained\n\n| | |\n|---|---|");
        for (name, value) in [
            ("network", self.architecture.as_str()),
            ("started from", &self.started_from),
            ("corpus", &self.data_version),
            ("command", &format!("`{}`", self.command)),
            ("time", &format!("{seconds:.0} s ({device})")),
            ("settings", "all in `config.json`, below `config`"),
        ] {
            let _ = writeln!(text, "| {name} | {value} |");
        }
    }
}

/// The numbers of a card's front matter: (corpus, metric, percent).
///
/// # Errors
/// A text without front matter, or with one that lists no results.
pub fn read_numbers(text: &str) -> Result<Vec<(String, String, f64)>> {
    #[derive(Deserialize)]
    struct CardNumbers {
        #[serde(rename = "model-index")]
        model_index: Vec<CardModel>,
    }
    let front = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---")).map(|(front, _)| front);
    let front = front.ok_or_else(|| fault(&"none"))?;
    let part: CardNumbers = serde_saphyr::from_str(front).map_err(|error| fault(&error))?;
    let outcomes = part.model_index.into_iter().flat_map(|model| model.results);
    let numbers = outcomes.flat_map(|outcome| {
        let corpus = outcome.dataset.r#type;
        outcome.metrics.into_iter().map(move |value| (corpus.clone(), value.name, value.value))
    });
    Ok(numbers.collect())
}

fn fault(error: &dyn std::fmt::Display) -> Error {
    Error::value("model card", "front matter with a model-index between two lines `---`", error)
}

/// Two decimals: a query more or less is a tenth of a percent or more.
fn round(percent: f64) -> f64 {
    (percent * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card() -> Card {
        Card {
            title: "Ours on synth-chair".into(),
            paper: "A Paper: With \"Quotes\" (A, B; CVPR 2023)".into(),
            summary: "Finds chairs.".into(),
            architecture: "mini".into(),
            dataset: "synth-chair".into(),
            data_version: "synth-chair generator 1".into(),
            started_from: "attributes".into(),
            licence: ("other".into(), Some("research-only: yes".into())),
            seeds: vec![0, 1, 2],
            queries: (324, 100),
            measured: vec![
                CardMetric { metric: "Acc@1".into(), value: 36.728395, over_seeds: Some((37.345, 1.28)) },
                CardMetric { metric: "Acc@5".into(), value: 80.25, over_seeds: None },
            ],
            command: "retrace train photo_pretraining".into(),
            cost: (64.9, "cpu".into()),
            limits: vec!["Drawings by a program.".into()],
            deviations: vec!["A smaller network.".into()],
            snippet: "let address = \"OWNER/NAME@REVISION\".parse()?;\n",
        }
    }

    fn address() -> Address {
        "someone/photo_pretraining-ours-synth-chair@v0.1.0".parse().unwrap()
    }

    #[test]
    fn the_front_matter_reads_back() {
        let text = card().render(&address()).unwrap();
        let numbers = read_numbers(&text).unwrap();
        let expected = [("Acc@1", 36.73), ("Acc@5", 80.25)];
        assert_eq!(numbers, expected.map(|(metric, value)| ("synth-chair".to_string(), metric.to_string(), value)));
        for part in ["license: other", "library_name: retrace", "model-index:", "license_link: LICENSE"] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
    }

    #[test]
    fn card_has_all_sections() {
        let text = card().render(&address()).unwrap();
        for part in [
            "\n# Ours on synth-chair\n",
            "| Acc@1 | 36.7 | 37.3 ± 1.3 |",
            "| Acc@5 | 80.2 | – |",
            "mean ± deviation of 3 seeds",
            "retrace eval --from someone/photo_pretraining-ours-synth-chair@v0.1.0",
            "\"someone/photo_pretraining-ours-synth-chair@v0.1.0\".parse()?",
            "\n## Limits\n\n- Drawings by a program.\n",
            "\n## What differs from the paper\n\n- A smaller network.\n",
        ] {
            assert!(text.contains(part), "{part}:\n{text}");
        }
        assert!(!text.contains("OWNER") && !text.contains("REVISION"));
        let text = card().render(&"NAMESPACE/model@v1".parse().unwrap()).unwrap();
        assert!(text.contains("\"NAMESPACE/model@v1\".parse()?"), "{text}");
    }

    #[test]
    fn a_card_without_numbers_is_an_error() {
        for text in ["", "# no front", "---\nlicense: mit\n---\n", "---\nmodel-index: [\n---\n"] {
            assert!(read_numbers(text).unwrap_err().to_string().contains("model card"), "{text}");
        }
    }
}
