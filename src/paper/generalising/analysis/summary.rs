//! The analyses of all corpora as one table, the paper's numbers beside ours.

use super::ROWS;
use crate::Result;
use crate::metric::{Term, contrast, mean_sd};
use crate::paper::generalising::PRINTED;
use crate::report::analysis::Folder;
use crate::report::analysis::summary::{self, SummaryGroup, SummaryLine, SummaryMeasure, SummarySpec};
use crate::report::record::Run;
use crate::report::table::DatasetSpec;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The measures of both ways to assign words.
const SPEC: SummarySpec = SummarySpec {
    printed: PRINTED,
    table: "analysis",
    group: ("Dictionary", "dictionary"),
    rows: [("Ours-Full/Hard", "hard"), ("Ours-Full", "soft")],
    groups,
    measures: &MEASURES,
    steps: &[],
    note: NOTE,
};

const MEASURES: [SummaryMeasure; 17] = [
    SummaryMeasure {
        what: "Words of a seen category",
        analysis: "categories",
        tell: |runs| over_categories(runs, "train", "words"),
    },
    SummaryMeasure {
        what: "Words of as many sketches of any seen category",
        analysis: "categories",
        tell: |runs| over_categories(runs, "train", "expected"),
    },
    SummaryMeasure {
        what: "Words of an unseen category",
        analysis: "categories",
        tell: |runs| over_categories(runs, "test", "words"),
    },
    SummaryMeasure {
        what: "Words of as many sketches of any unseen category",
        analysis: "categories",
        tell: |runs| over_categories(runs, "test", "expected"),
    },
    SummaryMeasure {
        what: "Words in use, of seen and of unseen categories (%)",
        analysis: "dictionary",
        tell: |runs| of_dictionary(runs, "used", 100.0, 1),
    },
    SummaryMeasure {
        what: "Entropy of their use over its maximum, the same",
        analysis: "dictionary",
        tell: |runs| of_dictionary(runs, "entropy", 1.0, 3),
    },
    SummaryMeasure {
        what: "Distance of sketches from what is drawn by their word, the same",
        analysis: "dictionary",
        tell: |runs| of_dictionary(runs, "distance", 1.0, 2),
    },
    SummaryMeasure {
        what: "Distance of sketches from what is drawn by the words of training, the same",
        analysis: "dictionary",
        tell: |runs| of_dictionary(runs, "mixed", 1.0, 2),
    },
    SummaryMeasure {
        what: "Distance of sketches from the mean seen sketch, the same",
        analysis: "dictionary",
        tell: |runs| of_dictionary(runs, "mean", 1.0, 2),
    },
    SummaryMeasure {
        what: "Vis-Sim and Sem-Sim: Pearson's correlation",
        analysis: "correlation",
        tell: |runs| correlation(runs, "pearson"),
    },
    SummaryMeasure {
        what: "Vis-Sim and Sem-Sim: Spearman's correlation",
        analysis: "correlation",
        tell: |runs| correlation(runs, "spearman"),
    },
    SummaryMeasure {
        what: "Acc@1 with the own word, and with that of another sketch",
        analysis: "exchange",
        tell: |runs| exchanged(runs).map(|found| found[0].clone()),
    },
    SummaryMeasure {
        what: "The former less the latter, in points",
        analysis: "exchange",
        tell: |runs| exchanged(runs).map(|found| found[1].clone()),
    },
    SummaryMeasure {
        what: "Overlap of heat maps of sketch and photo: own word, foreign word",
        analysis: "attention",
        tell: |runs| overlaps(runs, "overlap").map(|found| found[0].clone()),
    },
    SummaryMeasure {
        what: "The former less the latter",
        analysis: "attention",
        tell: |runs| overlaps(runs, "overlap").map(|found| found[1].clone()),
    },
    SummaryMeasure {
        what: "The same of heat maps of the whole product",
        analysis: "attention",
        tell: |runs| overlaps(runs, "whole").map(|found| found[1].clone()),
    },
    SummaryMeasure {
        what: "Foreign words that choose the own word's dimension (%)",
        analysis: "attention",
        tell: kept,
    },
];

const NOTE: &str = "Words of a category: mean ± deviation over the categories; a seed's are those of its own training. As many \
                    sketches of any category: words expected of as many draws from the part's sketches, whatever their \
                    category (the paper counts about 600 sketches a category, and more sketches have more words). Distances: \
                    Euclidean, of 64 x 64 pixels of -1 to 1, mean over sketches; words of training: of soft \
                    assignment a mixture, in place of the most probable word that retrieval takes. Vis-Sim: cosine of two categories' \
                    histograms of words; Sem-Sim: of their word vectors; over all pairs of categories, with 95% intervals \
                    from 1,000 bootstrap draws of the categories, those of the first seed. Another sketch's word: \
                    each is given to one other query. Heat maps: Grad-CAM of the \
                    dimension that contributes most to the product of sketch and photo, of up to 200 true pairs of unseen \
                    categories; the overlap is the intersection over the union of both maps' weights; four foreign words a \
                    pair; intervals are 95%, over pairs, sketches of a photo together. Everything else with several seeds: \
                    means over them.";

/// One group: the dictionary of Sec. 4.1.
fn groups(_: &DatasetSpec) -> Vec<SummaryGroup> {
    vec![SummaryGroup { label: "300 words", printed: None, rows: ROWS.map(|(row, _)| row.to_string()) }]
}

/// The lines of the table, of the corpora with analyses.
///
/// # Errors
/// As [`summary::lines`].
pub fn lines(results: &Path, datasets: &[DatasetSpec]) -> Result<Vec<SummaryLine>> {
    summary::lines(results, &SPEC, datasets)
}

/// Writes the table as `analysis.md` and `analysis.csv`.
///
/// # Errors
/// As [`summary::write`].
pub fn write(results: &Path, datasets: &[DatasetSpec]) -> Result<[PathBuf; 2]> {
    summary::write(results, &SPEC, datasets)
}

/// The mean over the seeds of a number of each.
fn mean(runs: &[&Run], of: &dyn Fn(&Folder) -> Result<f64>) -> Result<f64> {
    let values = runs.iter().map(|run| of(&Folder::of(&run.folder))).collect::<Result<Vec<_>>>()?;
    Ok(mean_sd(&values)?.0)
}

/// Mean and deviation over the categories of a part.
fn over_categories(runs: &[&Run], part: &str, column: &str) -> Result<String> {
    let spread = |folder: &Folder| mean_sd(&folder.lines_where("categories", &[("part", part)], [column])?.concat());
    let middle = mean(runs, &|folder| Ok(spread(folder)?.0))?;
    let deviation = mean(runs, &|folder| Ok(spread(folder)?.1.unwrap_or(0.0)))?;
    Ok(format!("{middle:.0} ± {deviation:.0}"))
}

/// A number of the seen categories and of the unseen ones.
fn of_dictionary(runs: &[&Run], column: &str, unit: f64, decimals: usize) -> Result<String> {
    let of = |part: &str| {
        mean(runs, &|folder| Ok(mean_sd(&folder.lines_where("dictionary", &[("part", part)], [column])?.concat())?.0))
    };
    Ok(format!("{:.decimals$}, {:.decimals$}", unit * of("train")?, unit * of("test")?))
}

/// A correlation and its interval, with the number of pairs.
fn correlation(runs: &[&Run], measure: &str) -> Result<String> {
    let Some(first) = runs.first() else { return Ok(String::new()) };
    let folder = Folder::of(&first.folder);
    let lines = folder.lines_where("correlation", &[("measure", measure)], ["value", "low", "high", "pairs"])?;
    let said = |[value, low, high, pairs]: &[f64; 4]| format!("{value:.2} [{low:.2}, {high:.2}], {pairs} pairs");
    Ok(lines.first().map(said).unwrap_or_default())
}

/// The overlaps of a column: under the own word and under foreign ones, and their difference with its interval.
fn overlaps(runs: &[&Run], column: &str) -> Result<[String; 2]> {
    let (mut terms, mut groups) = ([Vec::new(), Vec::new()], Vec::new());
    for run in runs {
        let lines = Folder::of(&run.folder).lines("attention", ["query", "photo", "descriptor", column])?;
        let mut pairs: BTreeMap<[u32; 2], [Vec<f64>; 2]> = BTreeMap::new();
        for [query, photo, descriptor, value] in lines {
            let of_pair = pairs.entry([photo as u32, query as u32]).or_default();
            of_pair[usize::from(descriptor > 0.0)].push(value);
        }
        groups = pairs.keys().map(|[photo, _]| *photo).collect();
        for (i, term) in terms.iter_mut().enumerate() {
            let means = pairs.values().map(|of_pair| Ok(mean_sd(&of_pair[i])?.0)).collect::<Result<Vec<f64>>>()?;
            term.push(means);
        }
    }
    compared(&terms, &groups, 3)
}

/// Acc@1 in percent with the own word and with a foreign one, and their difference with its interval.
fn exchanged(runs: &[&Run]) -> Result<[String; 2]> {
    let (mut terms, mut groups) = ([Vec::new(), Vec::new()], Vec::new());
    for run in runs {
        let lines = Folder::of(&run.folder).lines("exchange", ["photo", "own", "foreign"])?;
        let hits = |column: usize| lines.iter().map(|line| if line[column] == 1.0 { 100.0 } else { 0.0 }).collect();
        groups = lines.iter().map(|line| line[0] as u32).collect();
        terms[0].push(hits(1));
        terms[1].push(hits(2));
    }
    compared(&terms, &groups, 1)
}

/// Two means over the same samples, each of a value a sample for every seed, and their difference with its interval.
fn compared(terms: &[Vec<Vec<f64>>; 2], groups: &[u32], decimals: usize) -> Result<[String; 2]> {
    let [own, foreign] = terms.each_ref().map(|term| mean_sd(&term.concat()));
    // Both are of the same samples and seeds: their differences are one row.
    let seeds = terms[0].iter().zip(&terms[1]);
    let scores = seeds.map(|(own, foreign)| own.iter().zip(foreign).map(|(a, b)| a - b).collect()).collect();
    let found = contrast(&[Term { weight: 1.0, scores }], groups)?;
    let finer = decimals + 1; // the difference is small beside both
    let [effect, low, high] = [found.effect, found.low, found.high].map(|value| format!("{value:+.finer$}"));
    Ok([format!("{:.decimals$}, {:.decimals$}", own?.0, foreign?.0), format!("{effect} [{low}, {high}]")])
}

/// The share of foreign words under which the same dimension contributes most.
fn kept(runs: &[&Run]) -> Result<String> {
    let share = mean(runs, &|folder| {
        let lines = folder.lines("attention", ["query", "descriptor", "dimension"])?;
        let own: BTreeMap<u32, f64> =
            lines.iter().filter(|line| line[1] == 0.0).map(|line| (line[0] as u32, line[2])).collect();
        let foreign = lines.iter().filter(|line| line[1] > 0.0);
        let same: Vec<f64> = foreign.map(|line| f64::from(own.get(&(line[0] as u32)) == Some(&line[2]))).collect();
        Ok(100.0 * mean_sd(&same)?.0)
    })?;
    Ok(format!("{share:.1}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomic;
    use crate::paper::generalising::{SLUG, table::categories};
    use crate::report::record::tests::write_run;
    use crate::run::RunFolder;
    use crate::seed::Seed;

    fn put(results: &Path, name: &str, text: &str) {
        let run = RunFolder::of(results, SLUG, "synth-world", "ours-full", Seed(0));
        write_run(&run, &[1, 4, 1, 1]);
        write_atomic(&run.0.join(format!("analysis/{name}.csv")), text.as_bytes()).unwrap();
    }

    #[test]
    fn summary_numbers_by_hand() {
        let place = tempfile::tempdir().unwrap();
        assert!(summary::lines(place.path(), &SPEC, &categories()).unwrap().is_empty());
        let lines = "part,words,expected\ntrain,10,20.2\ntrain,14,20.4\nvalid,1,1\ntest,7,9\ntest,7,9\n";
        put(place.path(), "categories", lines);
        put(
            place.path(),
            "dictionary",
            "part,used,entropy,distance,mixed,mean\ntrain,0.5,0.9,20,15,30\nvalid,0,0,0,0,0\ntest,0.25,0.8,25,16,31\n",
        );
        put(
            place.path(),
            "correlation",
            "measure,value,low,high,pairs\npearson,0.12,-0.1,0.3,6\nspearman,0.2,0.1,0.3,6\n",
        );
        // Two pairs, each with one foreign word: 0.2 and 0.4 less; the first keeps its dimension.
        let lines = "query,photo,descriptor,dimension,overlap,whole\n8,1,0,5,0.5,1\n8,1,1,5,0.3,1\n9,2,0,5,0.7,1\n9,2,1,6,0.3,1\n";
        put(place.path(), "attention", lines);
        // Three queries of four find their photo with their own word, one of them with another's too.
        put(place.path(), "exchange", "query,photo,own,foreign\n8,1,1,2\n9,2,1,1\n10,2,1,4\n11,3,2,2\n");
        let found = summary::lines(place.path(), &SPEC, &categories()).unwrap();
        let said: Vec<String> = found.iter().filter_map(|line| line.found[1].clone()).collect();
        assert_eq!(said[..4], ["12 ± 3", "20 ± 0", "7 ± 0", "9 ± 0"]);
        let drawn = ["20.00, 25.00", "15.00, 16.00", "30.00, 31.00"];
        assert_eq!(
            (&said[4..6], &said[6..9]),
            (&["50.0, 25.0", "0.900, 0.800"].map(String::from)[..], &drawn.map(String::from)[..])
        );
        assert_eq!(said[9..11], ["0.12 [-0.10, 0.30], 6 pairs", "0.20 [0.10, 0.30], 6 pairs"]);
        assert!(said[11] == "75.0, 25.0" && said[12].starts_with("+50.00 ["), "{said:?}");
        assert_eq!((said[13].as_str(), said[16].as_str()), ("0.600, 0.300", "50.0"));
        assert!(said[14].starts_with("+0.3000 [-") && said[15].starts_with("+0.0000 ["), "{said:?}");
        assert_eq!(found.len(), MEASURES.len());
    }

    #[test]
    fn the_paper_prints_its_spread_of_words() {
        let cell = |label| PRINTED.find_if_there("analysis", label, "Sketchy", "soft").unwrap();
        assert_eq!(cell(MEASURES[0].what).as_deref(), Some("138 ± 30"));
        assert_eq!(cell(MEASURES[2].what).as_deref(), Some("129 ± 33"));
    }
}
