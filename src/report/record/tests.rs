//! Records that are whole, and records that are not.

use super::*;
use crate::file::{write_atomic, write_json};
use crate::metric::acc_at;
use crate::run::{Header, RunId};
use crate::seed::Seed;
use serde_json::{Value, json};

/// A trained run with these ranks: query 100 + i shows photo i / 2; a gallery of 20.
pub fn write_run(folder: &RunFolder, values: &[u32]) {
    let rank = |(i, &rank): (usize, &u32)| Rank { query: 100 + i as u32, photo: i as u32 / 2, rank, gallery: None };
    let ranks: Vec<Rank> = values.iter().enumerate().map(rank).collect();
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
        checkpoint: None,
    };
    folder.write_summary(&summary).unwrap();
    write_origin(folder, json!({"fit": {"epochs": 3}}), |_| {});
    let seed = folder.id().unwrap().seed.0;
    let epochs: Vec<Value> = (1..=3).map(|epoch| json!({"epoch": epoch, "loss": seed, "seconds": 0.5})).collect();
    write_epochs(folder, &epochs);
}

/// Settings of the run that the folder is called after, and the log's header, changed.
pub fn write_origin(folder: &RunFolder, settings: Value, change: impl Fn(&mut Header)) {
    let run = folder.id().unwrap().with(settings);
    write_json(&folder.0.join("config.json"), &run).unwrap();
    let mut header = Header {
        command: "retrace train".into(),
        config_hash: run.hash().unwrap(),
        data_version: "toys".into(),
        counts: [("test".to_string(), [20, folder.ranks().unwrap().len()])].into(),
        seed: run.seed,
        versions: Default::default(),
        weights: None,
        device: "cpu".into(),
    };
    change(&mut header);
    let path = folder.0.join("log.jsonl");
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let lines = [serde_json::to_string(&header).unwrap()].into_iter().chain(old.lines().skip(1).map(String::from));
    write_atomic(&path, (lines.collect::<Vec<_>>().join("\n") + "\n").as_bytes()).unwrap();
}

/// The lines of the log below its header.
pub fn write_epochs(folder: &RunFolder, epochs: &[Value]) {
    let path = folder.0.join("log.jsonl");
    let old = std::fs::read_to_string(&path).unwrap();
    let lines = epochs.iter().map(|epoch| format!("{epoch}\n")).collect::<String>();
    write_atomic(&path, format!("{}\n{lines}", old.lines().next().unwrap()).as_bytes()).unwrap();
}

pub fn folder(results: &Path, dataset: &str, row: &str, seed: u64) -> RunFolder {
    RunFolder::of(results, "p", dataset, row, Seed(seed))
}

fn faults(results: &Path) -> Vec<String> {
    inspect(results).unwrap().faults.iter().map(ToString::to_string).collect()
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
    assert_eq!(inspect(results.path()).unwrap().count, 2);
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
        let error = faults(results.path()).remove(0);
        assert!(error.contains("summary.json") && error.contains(field), "{error}");
        at.write_summary(&right).unwrap();
    }
    let wrong = Summary { queries: 5, ..at.summary().unwrap() };
    at.write_summary(&wrong).unwrap();
    assert!(faults(results.path())[0].contains("queries 4"));
}

#[test]
fn bad_ranks_name_their_file() {
    let results = tempfile::tempdir().unwrap();
    let at = folder(results.path(), "d", "r", 0);
    let lines =
        ["100,0,1\n100,0,2\n", "100,0,0\n101,0,1\n", "100,0,21\n101,0,1\n", "100,0,one\n101,0,1\n", "100,0\n", ""];
    for (line, reason) in lines.iter().zip(["twice", "0 of query", "21 of query", "whole numbers", "ranks.csv", "none"])
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
    let at = folder(results.path(), "d", "r", 0);
    write_run(&at, &[1]);
    std::fs::rename(&at.0, at.0.with_file_name("seed0 (copy)")).unwrap();
    assert!(read_row(results.path(), "p", "d", "r").unwrap_err().to_string().contains("seed<number>"));
}

#[test]
fn seeds_of_other_settings_data_or_weights_are_named() {
    let results = tempfile::tempdir().unwrap();
    let at = |seed| folder(results.path(), "d", "r", seed);
    (0..2).for_each(|seed| write_run(&at(seed), &[1, 2]));
    let settings = |margin: f64| json!({"margin": margin, "fit": {"epochs": 3}});
    let refused = || read_row(results.path(), "p", "d", "r").err().map(|error| error.to_string());
    let same = || (0..2).for_each(|seed| write_origin(&at(seed), settings(0.3), |_| {}));
    type Change = fn(&mut Header);
    let changes: [(&str, f64, Change); 4] = [
        ("the settings of", 0.2, |_| {}),
        ("the data of", 0.3, |header| header.data_version = "other toys".into()),
        ("the counts of", 0.3, |header| header.counts.extend([("train".into(), [1, 2])])),
        ("the pre-trained weights of", 0.3, |header| header.weights = Some("d".into())),
    ];
    for (reason, margin, change) in changes {
        same();
        assert_eq!(refused(), None);
        write_origin(&at(1), settings(margin), change);
        let error = refused().unwrap();
        assert!(error.contains(reason) && error.contains("seed0") && error.contains("seed1"), "{error}");
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

/// Every record in this repository holds.
#[test]
fn the_committed_results_hold() {
    let found = inspect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("results")).unwrap();
    assert!(found.faults.is_empty(), "{:?}", found.faults);
    assert!(found.count > 450, "{} records", found.count);
}

/// Writes a good run, changes a file of it, and returns the one fault that is found; `old` has to be there.
fn fault_of(name: &str, old: &str, new: &str) -> String {
    let results = tempfile::tempdir().unwrap();
    let at = folder(results.path(), "d", "r", 0);
    write_run(&at, &[1, 2, 7, 11]);
    assert_eq!(faults(results.path()), Vec::<String>::new());
    let path = at.0.join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{text}");
    write_atomic(&path, text.replacen(old, new, 1).as_bytes()).unwrap();
    let found = faults(results.path());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(read_row(results.path(), "p", "d", "r").unwrap_err().to_string(), found[0]);
    assert!(found[0].contains(&format!("seed0/{name}: expected ")), "{}", found[0]);
    found[0].clone()
}

#[test]
fn one_changed_word_of_a_record_is_found() {
    let cases = [
        ("config.json", "\"row\": \"r\"", "\"row\": \"s\"", "expected row r, as its folder says, found row s"),
        ("config.json", "\"seed\": 0", "\"seed\": 4", "expected seed 0, as its folder says, found seed 4"),
        ("config.json", "\"d\"", "\"e\"", "dataset e"),
        ("config.json", "\"p\"", "\"q\"", "slug q"),
        ("log.jsonl", "\"seed\":0", "\"seed\":4", "expected seed 0, as the folder is called, found 4"),
        ("log.jsonl", "\"config_hash\":\"", "\"config_hash\":\"0", "the hash of config.json"),
        ("log.jsonl", "{\"epoch\":2", "{\"epoch\":3", "epoch 2 in line 3"),
        ("log.jsonl", "\"seconds\":0.5}\n", "\"seconds\":-0.5}\n", "seconds of 0 or more, found -0.5"),
        ("log.jsonl", "\"seconds\":0.5}\n{\"epoch\":3,\"loss\":0,\"seconds\":0.5}\n", "\"sec", "epoch 2 in line 3"),
        ("log.jsonl", "{\"epoch\":3,\"loss\":0,\"seconds\":0.5}\n", "", "each of 3 epochs that were trained, found 2"),
        ("summary.json", "\"selected_epoch\": 3", "\"selected_epoch\": 999", "selected_epoch in 1 to 3"),
        ("summary.json", "\"selected_epoch\": 3", "\"selected_epoch\": 0", "selected_epoch in 1 to 3"),
        ("summary.json", "\"seconds\": 1.0", "\"seconds\": -1.0", "seconds of 0 or more, found -1"),
        ("summary.json", "\"gallery\": 20", "\"gallery\": 30", "4 queries of 20 photos, the test part in log.jsonl"),
        ("ranks.csv", "100,0,1\n", "100,0,1.9\n", "whole numbers, found 1.9"),
        ("ranks.csv", "100,0,1\n", "100,0,0\n", "ranks in 1 to 20, found 0 of query 100"),
        ("ranks.csv", "100,0,1\n", "100,0,21\n", "ranks in 1 to 20, found 21 of query 100"),
        ("ranks.csv", "101,0,2\n", "100,0,1\n", "query 100 twice"),
    ];
    for (name, old, new, reason) in cases {
        let found = fault_of(name, old, new);
        assert!(found.contains(reason), "{name}, {new}: {found}");
    }
}

/// Without its summary changed too, and with it.
#[test]
fn a_missing_query_is_found() {
    let results = tempfile::tempdir().unwrap();
    let at = folder(results.path(), "d", "r", 0);
    write_run(&at, &[1, 2, 7, 11]);
    at.write_ranks(&at.ranks().unwrap()[..2]).unwrap();
    assert!(faults(results.path())[0].contains("summary.json: expected queries 2, as in ranks.csv, found 4"));
    let summary = Summary { queries: 2, acc1: 50.0, acc5: 100.0, acc10: 100.0, ..at.summary().unwrap() };
    at.write_summary(&summary).unwrap();
    let found = faults(results.path());
    assert!(
        found[0].contains("expected 4 queries of 20 photos, the test part in log.jsonl, found 2 of 20"),
        "{found:?}"
    );
}

#[test]
fn a_rank_above_its_own_gallery_is_found() {
    let results = tempfile::tempdir().unwrap();
    let at = folder(results.path(), "d", "r", 0);
    write_run(&at, &[1, 3]);
    for (sizes, reason) in [([5, 3], None), ([5, 2], Some("ranks in 1 to 2")), ([5, 21], Some("galleries of 20"))] {
        let ranks = at.ranks().unwrap();
        let sized = ranks.iter().zip(sizes).map(|(rank, size)| Rank { gallery: Some(size), ..*rank });
        at.write_ranks(&sized.collect::<Vec<_>>()).unwrap();
        let found = faults(results.path());
        assert_eq!(found.len(), usize::from(reason.is_some()), "{found:?}");
        assert!(reason.is_none_or(|reason| found[0].contains(reason) && found[0].contains("ranks.csv")), "{found:?}");
    }
}

fn copy(from: &RunFolder, to: &RunFolder) {
    std::fs::create_dir_all(&to.0).unwrap();
    for name in ["config.json", "log.jsonl", "ranks.csv", "summary.json"] {
        std::fs::copy(from.0.join(name), to.0.join(name)).unwrap();
    }
}

#[test]
fn a_copied_seed_is_found_even_with_another_seed_written_into_it() {
    let results = tempfile::tempdir().unwrap();
    let at = |seed| folder(results.path(), "d", "r", seed);
    write_run(&at(0), &[1, 2, 7, 11].repeat(10));
    copy(&at(0), &at(9));
    let found = faults(results.path());
    assert!(found.len() == 1 && found[0].contains("seed9/config.json: expected seed 9"), "{found:?}");
    write_origin(&at(9), json!({"fit": {"epochs": 3}}), |_| {});
    let found = faults(results.path());
    assert!(found.len() == 1 && found[0].contains("seed9/ranks.csv") && found[0].contains("r/seed0, "), "{found:?}");
    assert_eq!(read_row(results.path(), "p", "d", "r").unwrap_err().to_string(), found[0]);
}

#[test]
fn the_same_ranks_are_a_copy_where_chance_cannot_make_them() {
    let results = tempfile::tempdir().unwrap();
    let at = |seed| folder(results.path(), "d", "r", seed);
    for (ranks, is_copy) in [(vec![1; 30], false), (vec![2; 19], false), (vec![2; 20], true)] {
        (0..2).for_each(|seed| write_run(&at(seed), &ranks));
        assert_eq!(read_row(results.path(), "p", "d", "r").is_err(), is_copy, "{ranks:?}");
        // What nothing is trained for ranks alike under every seed.
        for seed in 0..2 {
            at(seed).write_summary(&Summary { selected_epoch: None, ..at(seed).summary().unwrap() }).unwrap();
            write_epochs(&at(seed), &[]);
        }
        assert_eq!(faults(results.path()), Vec::<String>::new());
    }
}

#[test]
fn a_pretraining_is_checked_without_ranks() {
    let results = tempfile::tempdir().unwrap();
    let at = RunFolder(results.path().join("pretraining/toy-obow"));
    let run = RunId { slug: "pretraining".into(), dataset: "photos".into(), row: "toy-obow".into(), seed: Seed(3) };
    let (run, source) = (run.with(json!({"epochs": 3})), folder(results.path(), "d", "r", 3));
    write_run(&source, &[1]);
    let write = |epochs: u64, seconds: f64| {
        copy(&source, &at);
        let run = crate::run::RunConfig { config: json!({"epochs": epochs}), ..run.clone() };
        write_json(&at.0.join("config.json"), &run).unwrap();
        write_json(&at.0.join("summary.json"), &json!({"seconds": seconds})).unwrap();
        let path = at.0.join("log.jsonl");
        let (old, text) = (source.log().unwrap().0.config_hash, std::fs::read_to_string(&path).unwrap());
        write_atomic(&path, text.replace(&old, &run.hash().unwrap()).as_bytes()).unwrap();
        faults(results.path())
    };
    assert_eq!(write(3, 1.0), Vec::<String>::new());
    assert!(write(4, 1.0)[0].contains("toy-obow/log.jsonl: expected a line for each of 4 epochs"));
    assert!(write(3, -1.0)[0].contains("toy-obow/summary.json: expected seconds of 0 or more, found -1"));
    let path = at.0.join("config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    write_atomic(&path, text.replace("toy-obow", "toy-clip").as_bytes()).unwrap();
    assert!(faults(results.path())[0].contains("row toy-obow, as its folder says"));
    assert_eq!(inspect(results.path()).unwrap().count, 2);
}
