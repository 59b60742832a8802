//! The paper's figures, from records and analyses.
//!
//! | figure | what it shows |
//! |---|---|
//! | `tasks` | Acc@1 of each unseen class or person, before and after adaptation |
//! | `steps` | Acc@1 over 0 to 5 steps |
//! | `dimension` | Acc@1 over the dimension of points |
//! | `margins` | the margin of each task over the best one by search |
//! | `classes` | Acc@1 over the number of classes that a network is trained on |
//! | `at-k` | Acc@K over K |

use super::SLUG;
use super::analysis::tasks_of;
use super::table::{CLASSES, corpora};
use crate::Result;
use crate::report::figure::at_k;
use crate::report::figure::axis::Axis;
use crate::report::figure::panel::{self, Deviation, Panel, PanelLine, note, reach, top};
use crate::report::figure::scatter::{self, PointCloud, Scatter, ScatterPart};
use crate::report::figure::sweep::Sweep;
use crate::report::records::Records;
use std::collections::BTreeMap;
use std::path::Path;

/// The figures of a corpus; a file's name goes on with that of the corpus.
const FIGURES: [&str; 6] = ["at-k", "tasks", "steps", "dimension", "margins", "classes"];

/// What is compared task by task.
const COMPARED: [(&str, &str); 2] = [("baseline", "Baseline"), ("ours", "Ours, k = 5")];

/// The rows of Acc@K over K.
const AT_K: [(&str, &str); 5] =
    [COMPARED[0], ("maml", "MAML, k = 5"), ("anil", "ANIL, k = 5"), COMPARED[1], ("upper-bound", "Upper bound")];

/// Draws the figures of every corpus that there are records for, as (name, SVG).
///
/// # Errors
/// A record that cannot be read.
pub fn draw(results: &Path) -> Result<Vec<(String, String)>> {
    let mut figures = Vec::new();
    for dataset in corpora().iter().map(|corpus| corpus.name) {
        for figure in FIGURES {
            figures.extend(one(results, figure, dataset)?.map(|svg| (format!("{figure}-{dataset}"), svg)));
        }
    }
    Ok(figures)
}

/// One of them, such as `steps-synth-world`; none where there are no records for it.
///
/// # Errors
/// As [`draw`].
pub fn named(results: &Path, name: &str) -> Result<Option<String>> {
    let split = |figure: &'static str| Some((figure, name.strip_prefix(figure)?.strip_prefix('-')?));
    FIGURES.into_iter().find_map(split).map_or(Ok(None), |(figure, dataset)| one(results, figure, dataset))
}

fn one(results: &Path, figure: &str, dataset: &str) -> Result<Option<String>> {
    let records = Records { results, slug: SLUG, dataset };
    match figure {
        "at-k" => at_k::draw(&records, &format!("Acc@K on what was not trained on, {dataset}"), &AT_K),
        "tasks" => by_task(&records),
        "steps" => over_steps(&records),
        "dimension" => over_dimension(&records),
        "margins" => margins(&records),
        "classes" => over_classes(&records),
        _ => Ok(None),
    }
}

/// Acc@1 of every task, in the order of the first of the compared rows; none before that row was analysed.
fn by_task(records: &Records) -> Result<Option<String>> {
    let Some(folder) = records.first_analysed(COMPARED[0].0, "draws") else { return Ok(None) };
    let task_of = tasks_of(&folder)?;
    let (mut lines, mut counts, mut order) = (Vec::new(), Vec::new(), Vec::new());
    for (row, label) in COMPARED {
        let mut curves = Vec::new();
        for run in records.runs(row)? {
            let mut tasks: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
            for rank in &run.ranks {
                if let Some(task) = task_of.get(&rank.query) {
                    let entry = tasks.entry(task).or_default();
                    *entry = (entry.0 + f64::from(u8::from(rank.rank == 1)), entry.1 + 1.0);
                }
            }
            curves.push(tasks.into_values().map(|(hits, count)| 100.0 * hits / count).collect::<Vec<f64>>());
        }
        let mean = |at: usize| curves.iter().map(|curve| curve[at]).sum::<f64>() / curves.len() as f64;
        if order.is_empty() {
            order = (0..curves.first().map_or(0, Vec::len)).collect();
            order.sort_by(|a, b| mean(*a).total_cmp(&mean(*b)));
        }
        let points = |curve: &Vec<f64>| order.iter().enumerate().map(|(x, at)| (x as f64 + 1.0, curve[*at])).collect();
        let line = PanelLine::of(label, curves.iter().map(points).collect())?;
        if !line.points.is_empty() {
            counts.push(line.seeds.len());
            lines.push(line);
        }
    }
    let count = order.len() as f64;
    panel(
        &format!("Acc@1 of each class or person, {}", records.dataset),
        counts,
        lines,
        Axis {
            name: "Class or person, by rising Acc@1 of the baseline".into(),
            range: (0.5, count + 0.5),
            ticks: (1..=order.len()).map(|at| (at as f64, at.to_string())).collect(),
        },
    )
}

/// Acc@1 over the steps of the inner loop: of networks that were trained with as many, and of one at test alone.
fn over_steps(records: &Records) -> Result<Option<String>> {
    let (mut lines, mut counts) = (Vec::new(), Vec::new());
    let mut trained: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
    for steps in 0..=5 {
        let row = if steps == 1 { "ours".to_string() } else { format!("ours+steps={steps}") };
        for run in records.runs(&row)? {
            trained.entry(run.seed).or_default().push((f64::from(steps), run.summary.acc1));
        }
    }
    trained.retain(|_, curve| curve.len() == 6);
    let mut tested = Vec::new();
    for run in records.runs("ours")? {
        let folder = crate::report::analysis::Folder::of(&run.folder);
        if folder.has("steps") {
            tested.push(folder.acc1_by("steps", "step")?);
        }
    }
    for (label, curves) in [("Trained so", trained.into_values().collect()), ("One in training", tested)] {
        let line = PanelLine::of(label, curves)?;
        if !line.points.is_empty() {
            counts.push(line.seeds.len());
            lines.push(line);
        }
    }
    panel(
        &format!("Acc@1 over steps of the inner loop, {}", records.dataset),
        counts,
        lines,
        Axis {
            name: "Steps at test".into(),
            range: (-0.2, 5.2),
            ticks: (0..=5).map(|steps| (f64::from(steps), steps.to_string())).collect(),
        },
    )
}

fn panel(title: &str, counts: Vec<usize>, lines: Vec<PanelLine>, x: Axis) -> Result<Option<String>> {
    if lines.is_empty() {
        return Ok(None);
    }
    let points = lines.iter().flat_map(|line| &line.points).map(|point| (point.mean, point.sd));
    let low = (reach(points).0 / 10.0).floor().max(0.0) * 10.0;
    let panel = Panel {
        title: title.into(),
        note: note(&counts),
        x,
        y: Axis::new("Acc@1 (%)", (low.min(top(&lines) - 5.0), top(&lines))),
        lines,
        levels: Vec::new(),
        marks: true,
        deviation: Deviation::Bars,
    };
    panel::draw_row((760, 420), &[panel]).map(Some)
}

fn over_dimension(records: &Records) -> Result<Option<String>> {
    let mut sweep = Sweep::new(*records, &["32", "64", "128", "256", "512"])?;
    sweep.add_line("Ours, k = 5", &|d| if d == "64" { "ours".into() } else { format!("ours+dimension={d}") })?;
    sweep.draw(&format!("Acc@1 over the dimension of points, {}", records.dataset), "d", "")
}

fn over_classes(records: &Records) -> Result<Option<String>> {
    let values = CLASSES.map(|count| count.to_string());
    let mut sweep = Sweep::new(*records, &values.each_ref().map(String::as_str))?;
    sweep.add_line("One for all", &|count| format!("baseline+classes={count}"))?;
    sweep.add_level("One each", "single-class+classes=10", 1)?;
    let title = format!("Acc@1 on ten classes of networks that know more, {}", records.dataset);
    sweep.draw(&title, "Classes that a network is trained on", "Dashed: one network for each of the ten.")
}

/// The margin of each task over the best one by search; none before the row was analysed.
fn margins(records: &Records) -> Result<Option<String>> {
    let Some(folder) = records.first_analysed("ours", "margins") else { return Ok(None) };
    let lines = folder.lines("margins", ["best", "margin", "acc1", "searched"])?;
    if lines.is_empty() {
        return Ok(None);
    }
    let mean = |at: usize| lines.iter().map(|line| line[at]).sum::<f64>() / lines.len() as f64;
    let points = lines.iter().map(|line| (line[0], line[1])).collect();
    let part = ScatterPart {
        title: format!("Margins, {}", records.dataset),
        note: format!("Acc@1 {:.1}; with the best of each {:.1}", mean(2), mean(3)),
        x: "best margin by search".into(),
        y: "the network's margin".into(),
        clouds: vec![PointCloud { label: "a class or a person".into(), points }],
    };
    let figure = Scatter {
        title: format!("Does the network know which margin is best? {}", records.dataset),
        note: "The search looks at the queries: it is no result. The first seed.".into(),
        parts: vec![part],
        border: None,
    };
    scatter::draw(&figure).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::write_atomic;
    use crate::report::figure::tests::check;
    use crate::report::record::tests::{folder, write_run};

    #[test]
    fn figures_are_drawn_of_what_is_there() {
        let place = tempfile::tempdir().unwrap();
        assert!(draw(place.path()).unwrap().is_empty());
        let steps = Records { results: place.path(), slug: "p", dataset: "d" };
        write_run(&folder(place.path(), "d", "baseline", 0), &[1, 2, 1, 3]);
        write_run(&folder(place.path(), "d", "ours", 0), &[1, 1, 1, 3]);
        let analysis = |row: &str, name: &str, text: &str| {
            let path = folder(place.path(), "d", row, 0).0.join("analysis").join(name);
            write_atomic(&path, text.as_bytes()).unwrap();
        };
        analysis(
            "baseline",
            "draws.csv",
            "query,photo,task,draw0\n100,0,lamp,1\n101,0,lamp,2\n102,1,mug,1\n103,1,mug,3\n",
        );
        analysis("ours", "steps.csv", "step,query,photo,rank\n0,0,0,2\n0,1,1,1\n1,0,0,1\n1,1,1,1\n");
        analysis("ours", "margins.csv", "task,margin,acc1,best,searched\nlamp,0.2,50,0.4,60\nmug,0.3,40,0.1,45\n");
        for (name, svg) in [
            ("tasks", by_task(&steps).unwrap()),
            ("steps", over_steps(&steps).unwrap()),
            ("margins", margins(&steps).unwrap()),
        ] {
            check(name, &svg.unwrap());
        }
        assert!(over_dimension(&steps).unwrap().is_none() && over_classes(&steps).unwrap().is_none());
    }
}
