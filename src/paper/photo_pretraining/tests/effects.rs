//! The effects in the claims, against the tables that they come from.

use crate::paper::photo_pretraining::PRINTED;
use crate::report::claim::Claim;

/// A claim's id and the difference that the paper printed.
type Effects = Vec<(String, f64)>;

/// Ids of real corpora end so, and this is what the papers call them.
const REAL: [(&str, &str); 2] = [("chair-v2", CHAIR), ("shoe-v1", "QMUL-Shoe-V1")];
const CHAIR: &str = "QMUL-Chair-V2";
const PEOPLE: &str = "Human Trials [79]";
const PUBLISHED: &str = "Yu et al. (IJCV21 [79])";

/// A printed number, without its spread.
fn number(table: &str, label: &str, dataset: &str, column: &str) -> f64 {
    let cell = PRINTED.find(table, label, dataset, column).unwrap().unwrap();
    cell.split(' ').next().unwrap().parse().unwrap()
}

fn accuracy(table: &str, label: &str, dataset: &str) -> f64 {
    number(table, label, dataset, "acc1")
}

fn analysis() -> Effects {
    let mut effects = Effects::new();
    for (own, note) in [("", ""), ("obow-", " (OBOW)")] {
        let of = |what: &str| {
            ["ours", "ours_base"].map(|column| number("analysis", &format!("{what}{note}"), CHAIR, column))
        };
        let [ours, base] = of("Drop of Acc@1 under deformation");
        effects.push((format!("robust-{own}qmul-chair-v2"), ours - base));
        let [ours, base] = of("Distance within the first ten photos");
        effects.push((format!("smooth-{own}qmul-chair-v2"), 100.0 * (ours / base - 1.0)));
    }
    effects
}

/// Table 2 from ImageNet weights. Table 1 prints rows of OBOW weights only, which ours are not.
fn main_rows() -> Effects {
    let mut effects = Effects::new();
    for (short, dataset) in REAL {
        let [ours, base] = ["Ours (ImageNet)", "Ours-Base (ImageNet)"].map(|label| accuracy("table2", label, dataset));
        effects.push((format!("gain-{short}"), ours - base));
        for (name, label) in [("human", PEOPLE), ("published", PUBLISHED)] {
            effects.push((format!("{name}-{short}"), ours - accuracy("table2", label, dataset)));
        }
    }
    effects
}

/// Table 2's other pre-trainings; real data is measured with all but CLIP.
fn pretrainings() -> Effects {
    let mut effects = Effects::new();
    for (short, dataset) in REAL {
        let of = |row: &str, label: &str| accuracy("table2", &format!("{row} ({label})"), dataset);
        let [ours_of_obow, base_of_obow] = ["Ours", "Ours-Base"].map(|row| of(row, "OBOW"));
        let [people, published] = [PEOPLE, PUBLISHED].map(|label| accuracy("table2", label, dataset));
        effects.push((format!("human-obow-{short}"), ours_of_obow - people));
        effects.push((format!("published-obow-{short}"), ours_of_obow - published));
        effects.push((format!("published-base-{short}"), base_of_obow - published));
        effects.push((format!("obow-supervised-qmul-{short}"), ours_of_obow - of("Ours", "ImageNet")));
        for (name, label) in [("jigsaw", "Jigsaw"), ("barlow-twins", "Barlow Twins"), ("obow", "OBOW")] {
            let (ours, base) = (of("Ours", label), of("Ours-Base", label));
            effects.push((format!("gain-{name}-qmul-{short}"), ours - base));
            effects.push((format!("start-{name}-qmul-{short}"), base - of("Ours-Base", "ImageNet")));
            if name != "obow" {
                effects.push((format!("obow-{name}-qmul-{short}"), ours_of_obow - ours));
            }
        }
    }
    effects
}

/// Table 4 on Chair-V2, without CLIP, with which no real photos were pre-trained; its columns spell Barlow Twins with an s.
fn crossed() -> Effects {
    const STARTS: [(&str, &str); 4] =
        [("supervised", "INet"), ("jigsaw", "JSaw"), ("barlow-twins", "BTwin"), ("obow", "OBOW")];
    const LAST: usize = STARTS.len() - 1; // R of OBOW
    let cell = |line: usize, column: usize, name: &str| {
        let source = STARTS[column].1.replace("BTwin", "BTwins");
        number("table4", &format!("pre-train {} / R {source}", STARTS[line].1), CHAIR, name)
    };
    let ours: [[f64; 4]; 4] = std::array::from_fn(|line| std::array::from_fn(|column| cell(line, column, "acc1")));
    let base: [f64; 4] = std::array::from_fn(|line| cell(line, line, "base_acc1"));
    let mut effects = Effects::new();
    let mut add = |name: String, effect: f64| effects.push((format!("{name}-qmul-chair-v2"), effect));
    let [mut gains, mut above] = [(); 2].map(|()| Vec::new());
    for (line, (own, _)) in STARTS.iter().enumerate() {
        for (column, (from, _)) in STARTS.iter().enumerate() {
            if column != line {
                gains.push(ours[line][column] - base[line]);
                add(format!("source-{own}-{from}"), ours[line][column] - base[line]);
            }
            if column != LAST {
                add(format!("best-source-{own}-{from}"), ours[line][LAST] - ours[line][column]);
            }
            if column > line {
                // As gains: transposed cells start from different weights.
                let above_own = ours[line][column] - base[line] - (ours[column][line] - base[column]);
                above.push(above_own);
                add(format!("triangle-{own}-{from}"), above_own);
            }
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    add("source-mean".into(), mean(&gains));
    add("triangle-mean".into(), mean(&above));
    for (column, (from, _)) in STARTS[..LAST].iter().enumerate() {
        add(format!("best-source-mean-{from}"), mean(&ours.map(|line| line[LAST] - line[column])));
    }
    effects
}

/// Table 1, whose rows are of OBOW weights, and the mean of Table 2's gains.
fn meta_and_pooled() -> Effects {
    let mut effects = Effects::new();
    for (_, dataset) in REAL {
        let name = dataset.to_lowercase();
        let multi = accuracy("table1", "Multi-task (Eq. 5)", dataset);
        effects.push((format!("meta-obow-{name}"), accuracy("table1", "Meta-first (Eq. 9)", dataset) - multi));
        effects.push((format!("full-obow-{name}"), accuracy("table1", "Meta-full (Eq. 8)", dataset) - multi));
        let gain = |label: &str| {
            let [ours, base] =
                ["Ours", "Ours-Base"].map(|row| accuracy("table2", &format!("{row} ({label})"), dataset));
            ours - base
        };
        let gains = ["ImageNet", "Jigsaw", "Barlow Twins", "OBOW"].map(gain);
        effects.push((format!("gain-pooled-{name}"), gains.iter().sum::<f64>() / 4.0));
    }
    effects
}

/// What the text says of Eq. 8: it can double the time of an epoch.
fn time() -> Effects {
    ["chair-v2", "shoe-v1", "synth-chair", "synth-shoe"].map(|name| (format!("time-{name}"), 100.0)).into()
}

#[test]
fn ids_are_unique() {
    let claims = Claim::read_all(&PRINTED).unwrap();
    let mut ids: Vec<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), claims.len());
}

#[test]
fn claims_carry_the_papers_effects() {
    let claims = Claim::read_all(&PRINTED).unwrap();
    let expected = [analysis(), main_rows(), pretrainings(), crossed(), meta_and_pooled(), time()].concat();
    for (id, effect) in &expected {
        let claim = claims.iter().find(|claim| &claim.id == id).unwrap_or_else(|| panic!("no claim {id}"));
        // Half of the last digit that claims.csv gives.
        assert!((claim.paper_effect.unwrap() - effect).abs() < 0.051, "{id} {effect}");
    }
    let carries = |claim: &&Claim| claim.paper_effect.is_some();
    assert_eq!(claims.iter().filter(carries).count(), expected.len(), "no effect but these");
}
