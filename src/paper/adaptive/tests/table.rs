//! Rows, tables and claims name what is there.

use super::super::{Config, LossWeights, MarginSource, PRINTED, Reach, Training, table};
use crate::report::claim::{Claim, rows};
use std::collections::BTreeSet;

fn is_floor(row: &str) -> bool {
    ["pixels", "hog"].contains(&row)
}

#[test]
fn claims_and_tables_name_rows_that_exist() {
    for spec in table::tables() {
        for dataset in &spec.datasets {
            let own = spec.rows.iter().filter(|row| row.only.is_empty() || row.only.contains(&dataset.name));
            for row in own {
                if let Some(name) = row.row.as_deref().filter(|row| !is_floor(row)) {
                    Config::preset(dataset.name, name).unwrap().check().unwrap();
                }
                if let (Some(cell), Some(place)) = (&row.paper, dataset.printed) {
                    let is_there = PRINTED.find(cell.table, &cell.label, place, "acc1").is_ok();
                    assert!(is_there, "{} {cell:?} {place}", spec.name);
                }
            }
        }
    }
    let claims = Claim::read_all(&PRINTED).unwrap();
    assert!(claims.len() >= 20, "{} comparisons", claims.len());
    for claim in &claims {
        let dataset = claim.dataset.clone().unwrap();
        for row in [&claim.row_a, &claim.row_b].into_iter().flat_map(|side| rows(side)).filter(|row| !is_floor(row)) {
            Config::preset(&dataset, row).unwrap();
        }
    }
    let ids: BTreeSet<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
    assert_eq!(ids.len(), claims.len());
}

#[test]
fn rows_are_what_the_paper_says_of_them() {
    let of = |row: &str| Config::preset("sketchy-mini", row).unwrap();
    let classes = LossWeights { class: 0.1, ..LossWeights::none() };
    for row in ["baseline", "fine-tune", "maml", "sign-maml", "anil", "distill", "upper-bound"] {
        assert_eq!(of(row).losses, classes, "{row}");
        assert!(matches!(of(row).inner.margin, MarginSource::Fixed { .. }), "{row}");
    }
    let reaches = ["baseline", "fine-tune", "maml", "sign-maml", "anil", "ours"].map(|row| of(row).inner.reach);
    assert_eq!(reaches, [Reach::Nothing, Reach::All, Reach::All, Reach::All, Reach::Head, Reach::Head]);
    let ours = of("ours");
    assert_eq!((ours.dimension, ours.inner.step.steps, ours.episode.shots, ours.margin), (64, 1, 5, 0.2));
    assert_eq!(of("ours+without=domain-semantic-class").losses, LossWeights::none());
    let person = Config::preset("synth-shoe", "ours").unwrap().losses;
    assert_eq!((person.class, person.semantic, person.domain > 0.0, person.user > 0.0), (0.0, 0.0, true, true));
    assert_eq!(of("baseline").training, Training::Plain);
}

#[test]
fn rows_that_do_not_exist_are_refused() {
    let message = |row: &str| Config::preset("synth-world", row).unwrap_err().to_string();
    assert!(message("theirs").contains("baseline, baseline-regularised"));
    assert!(message("baseline+shots=5").contains("rows that adapt"));
    assert!(message("anil+margin=fixed").contains("a part of ours"));
    assert!(message("fine-tune+order=first").contains("outer loop"));
    assert!(message("ours+order=third").contains("first"));
    assert!(message("ours+margin=none").contains("fixed or learned"));
    assert!(message("ours+hinge=firm").contains("hard"));
    assert!(message("ours+without=user").contains("losses that the row has"));
    assert!(message("ours+without=luck").contains("domain, class"));
    assert!(message("ours+attention=blind").contains("sigmoid or none"));
    assert!(message("ours+trained-on=synth-world").contains("another corpus"));
    assert!(message("ours+steps=1+shots=5").contains("order"));
    assert!(message("baseline+backbone=mini").contains("published weights"));
}

#[test]
fn settings_that_cannot_be_trained_with_are_named() {
    let fault = |row: &str, change: &dyn Fn(&mut Config)| {
        let mut config = Config::preset("synth-world", row).unwrap();
        change(&mut config);
        config.check().unwrap_err().to_string()
    };
    let ours = |change: &dyn Fn(&mut Config)| fault("ours", change);
    assert!(ours(&|config| config.episode.shots = 0).contains("config.episode.shots: expected 1 or more"));
    assert!(ours(&|config| config.inner.step.rate = 0.0).contains("config.inner.step.rate"));
    assert!(ours(&|config| config.inner.margin = MarginSource::Fixed { margin: 1.0 }).contains("between 0 and 1"));
    assert!(ours(&|config| config.inner.reach = Reach::All).contains("config.inner.margin"));
    assert!(ours(&|config| config.losses.domain = -1.0).contains("config.losses.domain"));
    assert!(ours(&|config| config.losses.user = 0.1).contains("nobody is told apart"));
    assert!(fault("anil", &|config| config.inner.reach = Reach::Nothing).contains("tasks are trained to adapt"));
    assert!(
        ours(&|config| config.inner.step.hinge = super::super::Hinge::Soft { temperature: 0.0 }).contains("above 0")
    );
    let mut person = Config::preset("synth-shoe", "upper-bound").unwrap();
    assert!(person.check().unwrap_err().to_string().contains("all are of one class"));
    person = Config::preset("synth-shoe", "ours").unwrap();
    person.episode.tasks = 1;
    assert!(person.check().unwrap_err().to_string().contains("2 or more people"));
}
