use super::*;
use crate::report::record::{read_row, tests::*};
use crate::run::Rank;

/// Every step has the run's queries; from `from` percent on they are all found.
pub fn write_early(folder: &crate::run::RunFolder, from: u32) {
    let ranks = folder.ranks().unwrap();
    let step = |percent| {
        let rank = if percent >= from { 1 } else { 9 };
        (percent, ranks.iter().map(|own| Rank { rank, ..*own }).collect::<Vec<_>>())
    };
    folder.write_early(&(1..=10).map(|tenth| step(10 * tenth)).collect::<Vec<_>>()).unwrap();
}

#[test]
fn metrics_by_hand() {
    let results = tempfile::tempdir().unwrap();
    write_run(&folder(results.path(), "d", "r", 0), &[1, 4, 12]);
    write_run(&folder(results.path(), "d", "r", 1), &[2, 1, 7]);
    let runs = read_row(results.path(), "p", "d", "r").unwrap();
    let values = |metric: &Metric, run: &Run| metric.samples(run).unwrap().unwrap().values;
    let found = |metric: &Metric| [0, 1].map(|seed| values(metric, &runs[seed]));
    assert_eq!(found(&ACC1), [[100.0, 0.0, 0.0], [0.0, 100.0, 0.0]]);
    assert_eq!(found(&ACC5), [[100.0, 100.0, 0.0], [100.0, 100.0, 0.0]]);
    assert_eq!(found(&ACC10), [[100.0, 100.0, 0.0], [100.0, 100.0, 100.0]]);
    assert_eq!(ACC1.samples(&runs[0]).unwrap().unwrap().groups, [0, 0, 1]);
    assert_eq!(EARLY_ACC1.samples(&runs[0]).unwrap(), None);
}

#[test]
fn early_averages_the_nine_steps_before_the_last() {
    let results = tempfile::tempdir().unwrap();
    let at = folder(results.path(), "d", "r", 0);
    write_run(&at, &[1, 4]);
    write_early(&at, 70); // found at 70, 80, 90 (and 100, which does not count)
    let runs = read_row(results.path(), "p", "d", "r").unwrap();
    for score in EARLY_ACC1.samples(&runs[0]).unwrap().unwrap().values {
        assert!((score - 100.0 * 3.0 / 9.0).abs() < 1e-9, "{score}");
    }
}

#[test]
fn early_refuses_missing_steps_and_queries() {
    let results = tempfile::tempdir().unwrap();
    let at = folder(results.path(), "d", "r", 0);
    write_run(&at, &[1, 4]);
    let runs = read_row(results.path(), "p", "d", "r").unwrap();
    let ranks = at.ranks().unwrap();
    at.write_early(&[(10, ranks.clone())]).unwrap();
    assert!(EARLY_ACC1.samples(&runs[0]).unwrap_err().to_string().contains("20 percent drawn"));
    at.write_early(&[(10, ranks[..1].to_vec())]).unwrap();
    let error = EARLY_ACC1.samples(&runs[0]).unwrap_err().to_string();
    assert!(
        error.contains("early.csv") && error.contains("the 2 queries") && error.contains("found 1 queries"),
        "{error}"
    );
}

#[test]
fn find_knows_every_metric_and_a_papers_own() {
    static OWN: Metric = Metric { name: "own", ..ACC1 };
    for metric in METRICS {
        assert_eq!(Metric::find(metric.name, &[]).unwrap().title, metric.title);
    }
    assert_eq!(Metric::find("own", &[&OWN]).unwrap(), &OWN);
    let error = Metric::find("acc@1", &[&OWN]).unwrap_err().to_string();
    assert!(error.contains("acc1, acc5") && error.contains("memory, own") && error.contains("acc@1"), "{error}");
}

#[test]
fn names_are_unique() {
    let mut names = METRICS.map(|metric| metric.name);
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
}

/// `file` and what `sample` opens are written down apart.
#[test]
fn a_metric_reads_the_file_that_it_names() {
    let results = tempfile::tempdir().unwrap();
    write_run(&folder(results.path(), "d", "r", 0), &[1, 4]);
    let run = read_row(results.path(), "p", "d", "r").unwrap().remove(0);
    for metric in METRICS {
        let Some(file) = metric.file else { continue };
        assert_eq!(metric.samples(&run).unwrap(), None, "{metric}");
        let path = run.folder.0.join(format!("analysis/{file}.csv"));
        crate::file::write_atomic(&path, b"nothing\n1\n").unwrap();
        let error = metric.samples(&run).unwrap_err().to_string();
        assert!(error.contains(&format!("{file}.csv")), "{metric}: {error}");
        std::fs::remove_file(&path).unwrap();
    }
}
