//! The finished runs of a row.

use crate::file::first_difference;
use crate::run::{Rank, RunFolder, Summary};
use crate::{Error, Result, metric::acc_at};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// One finished run: its ranks sorted by query, checked against its summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Where it is.
    pub folder: RunFolder,
    /// From the folder's name.
    pub seed: u64,
    /// Sorted by query.
    pub ranks: Vec<Rank>,
    /// The run's own summary.
    pub summary: Summary,
}

impl Run {
    /// The bare ranks, in the order of [`Run::ranks`].
    pub fn values(&self) -> Vec<u32> {
        self.ranks.iter().map(|rank| rank.rank).collect()
    }

    /// The photo that each query shows, in the order of [`Run::ranks`].
    pub fn photos(&self) -> Vec<u32> {
        self.ranks.iter().map(|rank| rank.photo).collect()
    }
}

/// Reads every finished run of a row, by rising seed; an unfinished one (no `summary.json`) does not count.
///
/// # Errors
/// A folder that is not called `seed<number>`, a run that [`check_run`] refuses, or seeds with different queries.
pub fn read_row(results: &Path, slug: &str, dataset: &str, row: &str) -> Result<Vec<Run>> {
    let folder = results.join(slug).join(dataset).join(row);
    let mut runs = Vec::new();
    for (seed, folder) in seed_folders(&folder)? {
        if folder.is_finished() {
            let (ranks, summary) = check_run(&folder)?;
            runs.push(Run { folder, seed, ranks, summary });
        }
    }
    for pair in runs.windows(2) {
        check_same_queries(&pair[0], &pair[1])?;
        check_same_basis(&pair[0], &pair[1])?;
    }
    Ok(runs)
}

/// Runs that are averaged differ in their seed alone: one configuration, one set of data, the same pre-trained weights.
fn check_same_basis(a: &Run, b: &Run) -> Result<()> {
    let (one, other) = (basis(&a.folder)?, basis(&b.folder)?);
    match one.into_iter().zip(other).find(|(one, other)| one.1 != other.1) {
        None => Ok(()),
        Some(((name, wanted), (_, found))) => {
            let (field, wanted, found) = first_difference(name, &wanted, &found);
            let place = a.folder.0.display();
            let expected = format!("the {name} of {place}, since both are seeds of one row ({field}: {wanted})");
            Err(Error::data(&b.folder.0, expected, format!("{field}: {found}")))
        }
    }
}

/// Settings, data and weights of a run, by name; null where its record lacks one.
fn basis(folder: &RunFolder) -> Result<[(&'static str, Value); 4]> {
    let read = |name: &str| -> Result<Value> {
        let path = folder.0.join(name);
        if !path.is_file() {
            return Ok(Value::Null);
        }
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        // The whole of `config.json`, the header of `log.jsonl`.
        let first = serde_json::Deserializer::from_str(&text).into_iter().next();
        first.transpose().map(Option::unwrap_or_default).map_err(|error| Error::data(&path, "JSON", error))
    };
    let (run, header) = (read("config.json")?, read("log.jsonl")?);
    let of = |record: &Value, name: &str| record.get(name).cloned().unwrap_or_default();
    Ok([
        ("settings", of(&run, "config")),
        ("data", of(&header, "data_version")),
        ("counts of photos and sketches", of(&header, "counts")),
        ("pre-trained weights", of(&header, "weights")),
    ])
}

fn seed_folders(row: &Path) -> Result<Vec<(u64, RunFolder)>> {
    if !row.is_dir() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for entry in std::fs::read_dir(row).map_err(Error::io(row))? {
        let path = entry.map_err(Error::io(row))?.path();
        if path.is_dir() {
            found.push((seed_of(&path)?, RunFolder(path)));
        }
    }
    found.sort_by_key(|(seed, _)| *seed);
    Ok(found)
}

fn seed_of(path: &Path) -> Result<u64> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let number = name.strip_prefix("seed").and_then(|rest| rest.parse().ok());
    number.ok_or_else(|| Error::data(path, "a folder called seed<number>", name))
}

/// Two runs can be compared only on the same queries and photos.
///
/// # Errors
/// Other queries, or other photos of them; both folders are named.
pub fn check_same_queries(a: &Run, b: &Run) -> Result<()> {
    let key = |run: &Run| run.ranks.iter().map(|rank| (rank.query, rank.photo)).collect::<Vec<_>>();
    let (left, right) = (key(a), key(b));
    if left == right && a.summary.gallery == b.summary.gallery {
        return Ok(());
    }
    let describe = |run: &Run| format!("{} queries x {} photos", run.ranks.len(), run.summary.gallery);
    let (left, right) = (describe(a), describe(b));
    let differs = |(one, other): (&Rank, &Rank)| (one.query, one.photo) != (other.query, other.photo);
    let at = a.ranks.iter().zip(&b.ranks).position(|(one, other)| differs((one, other)));
    let of = |run: &Run, at: usize| {
        format!(": entry {at} is query {} of photo {}", run.ranks[at].query, run.ranks[at].photo)
    };
    let [left, right] = match at {
        Some(at) => [left + &of(a, at), right + &of(b, at)],
        None => [left, right],
    };
    Err(Error::data(&b.folder.0, format!("the queries of {} ({left})", a.folder.0.display()), right))
}

/// Reads a run and checks that its summary agrees with its ranks.
///
/// # Errors
/// A missing or malformed file, no query, a query listed twice, a rank outside the gallery, a count or an accuracy
/// that `ranks.csv` does not confirm; the file is named.
pub fn check_run(folder: &RunFolder) -> Result<(Vec<Rank>, Summary)> {
    let (mut ranks, summary) = (folder.ranks()?, folder.summary()?);
    ranks.sort_by_key(|rank| rank.query);
    check_ranks(&folder.0.join("ranks.csv"), &ranks, summary.gallery)?;
    check_summary(&folder.0.join("summary.json"), &ranks, &summary)?;
    Ok((ranks, summary))
}

/// `ranks` sorted by query.
pub(super) fn check_ranks(path: &Path, ranks: &[Rank], gallery: usize) -> Result<()> {
    if ranks.is_empty() {
        return Err(Error::data(path, "a line a query", "none"));
    }
    if let Some(pair) = ranks.windows(2).find(|pair| pair[0].query == pair[1].query) {
        return Err(Error::data(path, "every query once", format!("query {} twice", pair[0].query)));
    }
    match ranks.iter().find(|rank| rank.rank == 0 || rank.rank as usize > gallery) {
        Some(bad) => {
            Err(Error::data(path, format!("ranks in 1 to {gallery}"), format!("{} of query {}", bad.rank, bad.query)))
        }
        None => Ok(()),
    }
}

fn check_summary(path: &Path, ranks: &[Rank], summary: &Summary) -> Result<()> {
    if summary.queries != ranks.len() {
        return Err(Error::data(path, format!("queries {}, as in ranks.csv", ranks.len()), summary.queries));
    }
    let values: Vec<u32> = ranks.iter().map(|rank| rank.rank).collect();
    for (name, k, said) in [("acc1", 1, summary.acc1), ("acc5", 5, summary.acc5), ("acc10", 10, summary.acc10)] {
        let found = acc_at(&values, k)?;
        // One query of a million is 1e-4 points: anything further off is another set of ranks.
        if (found - said).abs() > 1e-6 || said.is_nan() {
            return Err(Error::data(path, format!("{name} {found}, as in ranks.csv"), said));
        }
    }
    Ok(())
}

/// Checks every finished run below `results` and returns how many there are.
///
/// # Errors
/// The first run, by path, that [`check_run`] refuses.
pub fn check_results(results: &Path) -> Result<usize> {
    let mut count = 0;
    for folder in finished_below(results)? {
        check_run(&RunFolder(folder))?;
        count += 1;
    }
    Ok(count)
}

/// Folders from `results` down to a run's files.
const RUN_DEPTH: usize = 5;

fn finished_below(results: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    if !results.is_dir() {
        return Ok(folders);
    }
    for entry in walkdir::WalkDir::new(results).sort_by_file_name() {
        let entry = entry.map_err(|error| Error::data(results, "a folder that can be read", error))?;
        // `<slug>/<dataset>/<row>/seed<k>/summary.json`: pre-trainings, two folders up, have summaries of their own.
        if entry.file_name() == "summary.json" && entry.depth() == RUN_DEPTH {
            folders.extend(entry.path().parent().map(Path::to_path_buf));
        }
    }
    Ok(folders)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::file::write_atomic;
    use crate::seed::Seed;

    /// A run with these ranks: query 100 + i shows photo i / 2; a gallery of 20.
    pub fn write_run(folder: &RunFolder, values: &[u32]) {
        let ranks: Vec<Rank> = values
            .iter()
            .enumerate()
            .map(|(i, &rank)| Rank { query: 100 + i as u32, photo: i as u32 / 2, rank, gallery: None })
            .collect();
        folder.write_ranks(&ranks).unwrap();
        let acc = |k| acc_at(values, k).unwrap();
        let summary = Summary {
            acc1: acc(1),
            acc5: acc(5),
            acc10: acc(10),
            queries: values.len(),
            gallery: 20,
            selected_epoch: Some(3),
            select_on: "valid acc1".into(),
            seconds: 1.0,
        };
        folder.write_summary(&summary).unwrap();
    }

    pub fn folder(results: &Path, dataset: &str, row: &str, seed: u64) -> RunFolder {
        RunFolder::of(results, "p", dataset, row, Seed(seed))
    }

    #[test]
    fn finished_runs_come_by_seed() {
        let results = tempfile::tempdir().unwrap();
        let at = |seed| folder(results.path(), "d", "r", seed);
        write_run(&at(10), &[1, 2]);
        write_run(&at(2), &[1, 1]);
        at(3).write_ranks(&[Rank { query: 100, photo: 0, rank: 1, gallery: None }]).unwrap(); // unfinished
        let runs = read_row(results.path(), "p", "d", "r").unwrap();
        assert_eq!(runs.iter().map(|run| run.seed).collect::<Vec<_>>(), [2, 10]);
        assert_eq!(runs[1].values(), [1, 2]);
        assert!(read_row(results.path(), "p", "d", "absent").unwrap().is_empty());
        assert_eq!(check_results(results.path()).unwrap(), 2);
    }

    #[test]
    fn a_summary_that_its_ranks_deny_is_an_error() {
        let results = tempfile::tempdir().unwrap();
        let at = folder(results.path(), "d", "r", 0);
        write_run(&at, &[1, 2, 7, 11]);
        for (field, value) in [("acc1", 26.0), ("acc5", 75.0), ("acc10", 50.0)] {
            let mut wrong = serde_json::to_value(at.summary().unwrap()).unwrap();
            let right = at.summary().unwrap();
            wrong[field] = value.into();
            at.write_summary(&serde_json::from_value(wrong).unwrap()).unwrap();
            let error = check_results(results.path()).unwrap_err().to_string();
            assert!(error.contains("summary.json") && error.contains(field), "{error}");
            at.write_summary(&right).unwrap();
        }
        let wrong = Summary { queries: 5, ..at.summary().unwrap() };
        at.write_summary(&wrong).unwrap();
        assert!(check_results(results.path()).unwrap_err().to_string().contains("queries 4"));
    }

    #[test]
    fn bad_ranks_name_their_file() {
        let results = tempfile::tempdir().unwrap();
        let at = folder(results.path(), "d", "r", 0);
        let lines =
            ["100,0,1\n100,0,2\n", "100,0,0\n101,0,1\n", "100,0,21\n101,0,1\n", "100,0,one\n101,0,1\n", "100,0\n", ""];
        for (line, reason) in
            lines.iter().zip(["twice", "0 of query", "21 of query", "whole numbers", "ranks.csv", "none"])
        {
            write_run(&at, &[1, 2]);
            write_atomic(&at.0.join("ranks.csv"), format!("query,photo,rank\n{line}").as_bytes()).unwrap();
            let error = read_row(results.path(), "p", "d", "r").unwrap_err().to_string();
            assert!(error.contains("ranks.csv") && error.contains(reason), "{line:?}: {error}");
        }
    }

    #[test]
    fn a_folder_of_another_name_is_not_skipped() {
        let results = tempfile::tempdir().unwrap();
        write_run(&RunFolder(results.path().join("p/d/r/seed0 (copy)")), &[1]);
        assert!(read_row(results.path(), "p", "d", "r").unwrap_err().to_string().contains("seed<number>"));
    }

    #[test]
    fn seeds_of_other_settings_data_or_weights_are_named() {
        let results = tempfile::tempdir().unwrap();
        let at = |seed| folder(results.path(), "d", "r", seed);
        (0..2).for_each(|seed| write_run(&at(seed), &[1, 2]));
        let refused = || read_row(results.path(), "p", "d", "r").err().map(|error| error.to_string());
        assert_eq!(refused(), None);
        let (config, header) =
            (r#"{"config":{"margin":0.3}}"#, r#"{"data_version":"a","counts":{"test":[1,2]},"weights":"b"}"#);
        let epoch = "\n{\"epoch\":1}\n";
        let write = |seed, name: &str, text: &str| write_atomic(&at(seed).0.join(name), text.as_bytes()).unwrap();
        for (name, text, old, new, reason) in [
            ("config.json", config.to_string(), "0.3", "0.2", "the settings of"),
            ("log.jsonl", format!("{header}{epoch}"), "\"a\"", "\"c\"", "the data of"),
            ("log.jsonl", format!("{header}{epoch}"), "[1,2]", "[1,3]", "the counts of"),
            ("log.jsonl", format!("{header}{epoch}"), "\"b\"", "\"d\"", "the pre-trained weights of"),
        ] {
            (0..2).for_each(|seed| write(seed, name, &text));
            assert_eq!(refused(), None);
            write(1, name, &text.replace(old, new));
            let error = refused().unwrap();
            assert!(error.contains(reason) && error.contains("seed0") && error.contains("seed1"), "{error}");
            write(1, name, &text);
        }
    }

    #[test]
    fn seeds_with_other_queries_are_named() {
        let results = tempfile::tempdir().unwrap();
        write_run(&folder(results.path(), "d", "r", 0), &[1, 2]);
        write_run(&folder(results.path(), "d", "r", 1), &[1, 2, 3]);
        let error = read_row(results.path(), "p", "d", "r").unwrap_err().to_string();
        assert!(error.contains("seed0") && error.contains("seed1") && error.contains("3 queries"), "{error}");
    }

    /// The summaries of the runs in this repository agree with their ranks.
    #[test]
    fn the_committed_results_hold() {
        check_results(&Path::new(env!("CARGO_MANIFEST_DIR")).join("results")).unwrap();
    }
}
