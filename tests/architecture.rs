//! Which module may import which: checks the table of the design against the sources, tests included.
#![allow(clippy::unwrap_used)]

use std::path::Path;

/// What every stage may use, and what lies below all stages.
const GROUND: [&str; 6] = ["error", "seed", "device", "memory", "file", "watch"];

/// What a stage may use beside that and itself.
const ALLOWED: [(&str, &[&str]); 19] = [
    ("error", &[]),
    ("seed", &[]),
    ("device", &[]),
    ("memory", &[]),
    ("file", &[]),
    ("watch", &[]),
    ("run", &["metric"]),
    ("sketch", &[]),
    ("metric", &[]),
    ("loss", &[]),
    ("kernel", &[]),
    ("dataset", &["sketch"]),
    ("model", &["kernel"]),
    ("train", &["run", "dataset", "model", "kernel", "loss", "metric", "sketch"]), // `kernel` for Adam, `sketch` for deformations
    ("analysis", &["metric"]),
    ("report", &["run", "metric", "analysis"]),
    ("hub", &[]),
    ("experiment", &STAGES),
    ("notebook", &STAGES),
];

/// What is on top of the stages may use them all, and knows papers by a trait alone.
const STAGES: [&str; 11] =
    ["run", "dataset", "sketch", "model", "loss", "train", "metric", "analysis", "report", "hub", "experiment"];

/// Papers that nothing but their own folder and the list of papers names.
const SLUGS: [&str; 5] = ["generalising", "more_photos", "partially", "adaptive", "photo_pretraining"];

/// Rows of papers' tables, which also nothing else names.
const ROWS: [&str; 5] = ["ours", "ours-base", "multi-task", "meta-full", "zero-shot"];

/// A path of this crate that a line names: `["sketch", "Affine"]`.
type Name = Vec<String>;

/// Cuts comments off; keeps the lines, so that numbers stay.
fn code(text: &str) -> Vec<&str> {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect()
}

/// The module that each line is in. Inline modules begin and end at the left margin, as rustfmt writes them.
fn modules(file: &Name, lines: &[&str]) -> Vec<Name> {
    let mut inline = None;
    let mut module_of = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [.., "mod", name, "{"] = words[..]
            && !line.starts_with(' ')
        {
            inline = Some(name.to_string());
        }
        let module: Name = file.iter().cloned().chain(inline.clone()).collect();
        if line.starts_with('}') {
            inline = None;
        }
        module
    };
    lines.iter().map(&mut module_of).collect()
}

/// `src/train/fit.rs` is `["train", "fit"]`, `src/train/mod.rs` is `["train"]`.
fn module_of_file(path: &str) -> Name {
    let parts = path.trim_end_matches(".rs").split('/').filter(|part| !["src", "mod", "lib"].contains(part));
    parts.map(String::from).collect()
}

/// `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<String> {
    let Some(open) = tree.find('{') else { return vec![tree.trim().to_string()] };
    let (prefix, inner) = (tree[..open].trim(), &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())]);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (i, letter) in inner.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&inner[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    let filled = parts.into_iter().filter(|part| !part.trim().is_empty());
    filled.flat_map(expand).map(|rest| format!("{prefix}{rest}")).collect()
}

/// The path from the crate's root, where a path leads there by `crate`, `super` or `self`.
fn resolve(path: &str, module: &Name) -> Option<Name> {
    let mut parts: Vec<&str> = path.split("::").map(str::trim).collect();
    let mut base = match parts[0] {
        "crate" => Vec::new(),
        "self" | "super" => module.clone(),
        _ => return None,
    };
    while let Some(first @ ("crate" | "self" | "super")) = parts.first().copied() {
        if first == "super" {
            base.pop();
        }
        parts.remove(0);
    }
    base.extend(parts.into_iter().map(|part| part.split_whitespace().next().unwrap_or("").to_string()));
    Some(base)
}

/// Every path of this crate that a file names, with its line: `use` trees, and paths in the middle of code.
fn names(path: &str, text: &str) -> Vec<(usize, Name)> {
    let lines = code(text);
    let modules = modules(&module_of_file(path), &lines);
    let mut found = Vec::new();
    let mut tree: Option<(usize, String)> = None;
    for (i, line) in lines.iter().enumerate() {
        let head = line.trim_start();
        let begins =
            ["use ", "pub use ", "pub(crate) use ", "pub(super) use "].iter().find_map(|w| head.strip_prefix(w));
        match (&mut tree, begins) {
            (Some((_, tree)), _) => tree.push_str(head),
            (None, Some(rest)) => tree = Some((i, rest.to_string())),
            (None, None) => {
                for start in ["crate::", "super::"].iter().flat_map(|word| line.match_indices(word)) {
                    let rest = &line[start.0..];
                    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
                    let inside = line[..start.0].ends_with("::"); // the second part of `super::super::`
                    found.extend(resolve(&rest[..end], &modules[i]).filter(|_| !inside).map(|name| (i + 1, name)));
                }
            }
        }
        if let Some((first, whole)) = tree.take_if(|(_, tree)| tree.contains(';')) {
            let paths = expand(whole.trim_end().trim_end_matches(';'));
            found.extend(paths.iter().filter_map(|path| Some((first + 1, resolve(path, &modules[first])?))));
        }
    }
    found
}

/// Why a file must not name something, if it must not.
fn fault(file: &Name, name: &Name) -> Option<String> {
    let stage = file.first()?.as_str();
    let to = match name.first().map(String::as_str) {
        None | Some("Error" | "Result" | "" | "*") => "error",
        Some(to) => to,
    };
    let paper = |module: &Name| module.get(1).cloned();
    if ["cli", "main", "lib"].contains(&stage) {
        return None; // on top of everything
    }
    if stage == "paper" {
        let other = to == "paper" && file.len() > 1 && paper(name).is_some() && paper(name) != paper(file);
        return other.then(|| format!("paper {} uses paper {}", file[1], name[1]));
    }
    let allowed = ALLOWED.iter().find(|(name, _)| *name == stage).map(|(_, allowed)| *allowed);
    let Some(allowed) = allowed else { return Some(format!("{stage} has no line in the table")) };
    let may = to == stage || GROUND.contains(&to) || allowed.contains(&to);
    (!may).then(|| format!("{stage} uses {to}"))
}

fn faults(path: &str, text: &str) -> Vec<String> {
    let file = module_of_file(path);
    let faults = names(path, text).into_iter().filter_map(|(line, name)| Some((line, fault(&file, &name)?)));
    faults.map(|(line, fault)| format!("{path}:{line}: {fault}")).collect()
}

/// Lines before the tests of a file, which stand last in it; none where the file is of tests alone.
fn without_tests<'a>(path: &str, text: &'a str) -> Vec<&'a str> {
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    let lines = code(text);
    let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].ends_with('{'));
    lines[..if is_test { 0 } else { tests.unwrap_or(lines.len()) }].to_vec()
}

/// Papers and their rows that the code of a stage names, whatever the name stands for: a string, a path, a variable.
fn words_of_papers(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (i, line) in without_tests(path, text).into_iter().enumerate() {
        let line = line.to_lowercase();
        let words = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        let is_papers = |word: &&str| SLUGS.contains(word) || ROWS.contains(word);
        found.extend(words.filter(is_papers).map(|word| format!("{path}:{}: {word}", i + 1)));
    }
    found
}

/// All sources, with their paths from the package's root.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = walkdir::WalkDir::new(root.join("src")).sort_by_file_name().into_iter().map(|entry| entry.unwrap());
    let path = |file: &walkdir::DirEntry| {
        let parts = file.path().strip_prefix(root).unwrap().iter().map(|part| part.to_str().unwrap().to_string());
        parts.collect::<Vec<_>>().join("/")
    };
    let named = files.filter(|file| file.path().extension().is_some_and(|ending| ending == "rs"));
    named.map(|file| (path(&file), std::fs::read_to_string(file.path()).unwrap())).collect()
}

#[test]
fn no_stage_uses_what_it_must_not() {
    let sources = sources();
    let names: usize = sources.iter().map(|(path, text)| names(path, text).len()).sum();
    assert!(sources.len() > 50 && names > 200, "{} files, {names} names: the reader is broken", sources.len());
    let faults: Vec<String> = sources.iter().flat_map(|(path, text)| faults(path, text)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_checker_sees_every_kind_of_violation() {
    let caught = [
        ("src/sketch/pen.rs", "use crate::dataset::Index;", "sketch uses dataset"),
        ("src/loss/mod.rs", "use crate::{Error, Result, train::clip};", "loss uses train"),
        ("src/metric/rank.rs", "use super::super::model;", "metric uses model"),
        ("src/kernel/mod.rs", "mod tests {\n    use super::super::run;\n}", "kernel uses run"),
        ("src/model/norm.rs", "use crate::{\n    Result,\n    paper::floor,\n};", "model uses paper"),
        ("src/report/table.rs", "fn f() { crate::model::build(); }", "report uses model"),
        ("src/report/table.rs", "fn f() { super::super::model::build(); }", "report uses model"),
        ("src/dataset/mod.rs", "pub use crate::{seed::Seed, metric::{self, Tie}};", "dataset uses metric"),
        ("src/experiment/plan.rs", "use crate::paper::PAPERS;", "experiment uses paper"),
        ("src/notebook/session.rs", "use crate::paper::more_photos::Config;", "notebook uses paper"),
        ("src/train/fit.rs", "use crate::experiment::Queries;", "train uses experiment"),
        ("src/paper/adaptive/step.rs", "use super::super::partially::A;", "paper adaptive uses paper partially"),
        ("src/run.rs", "use crate::train::Log;", "run uses train"),
        ("src/hub/mod.rs", "use crate::report::table;", "hub uses report"),
        ("src/server/mod.rs", "use crate::run::RunFolder;", "server has no line in the table"),
    ];
    for (path, text, expected) in caught {
        let found = faults(path, text);
        assert!(!found.is_empty() && found.iter().all(|fault| fault.ends_with(expected)), "{text}: {found:?}");
    }
}

#[test]
fn the_checker_lets_the_allowed_pass() {
    let fine = [
        ("src/train/fit.rs", "use crate::{Error, dataset::{Pair, batches}, model::weights};\nuse super::Log;"),
        ("src/sketch/mod.rs", "mod tests {\n    use super::*;\n    use crate::seed::Seed;\n}"),
        ("src/paper/adaptive/step.rs", "use super::Config;\nuse crate::experiment::floor;\nuse crate::report::table;"),
        ("src/kernel/mod.rs", "// use crate::model::A;\n/// [`crate::model`]\nuse candle_core::Tensor;"),
        ("src/dataset/qmul_v2/part.rs", "use super::super::listing::{self, Named};\nuse crate::sketch::Sketch;"),
    ];
    for (path, text) in fine {
        assert_eq!(faults(path, text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn nothing_but_papers_names_a_paper_or_its_rows() {
    let sources = sources();
    let stages = sources.iter().filter(|(path, _)| !path.starts_with("src/paper/"));
    let lines: usize = stages.clone().map(|(path, text)| without_tests(path, text).len()).sum();
    assert!(lines > 10_000, "{lines} lines: the reader is broken");
    let found: Vec<String> = stages.flat_map(|(path, text)| words_of_papers(path, text)).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn words_of_papers_are_found_in_code_alone() {
    let path = "src/report/table.rs";
    let caught = [
        ("const SLUG: &str = \"photo_pretraining\";", "1: photo_pretraining"),
        ("let heads = [\"Row\", \"Ours, Acc@1\"];", "1: ours"),
        ("fn f() {\n    read(\"ours-base+weights=obow\");\n}", "2: ours-base"),
        ("let ours = 1.0;", "1: ours"),
        ("use retrace::paper::adaptive::Config;", "1: adaptive"),
        ("include_str!(\"../../data/papers/partially/table1.csv\")", "1: partially"),
    ];
    for (text, expected) in caught {
        assert_eq!(words_of_papers(path, text), [format!("{path}:{expected}")], "{text}");
    }
    let fine = [
        "/// # References\n/// Bhunia et al., Adaptive Fine-Grained SBIR, ECCV 2022.\nfn adaptive_pool() {}",
        "let x = 1; // ours is the faster one",
        "let colours = hours;\n#[cfg(test)]\nmod tests {\n    const ROW: &str = \"ours\";\n}",
        "#[cfg(test)]\nmod tests;\nconst PART: &str = \"partial\";",
    ];
    for text in fine {
        assert_eq!(words_of_papers(path, text), Vec::<String>::new(), "{text}");
    }
    assert!(words_of_papers("src/report/claim/tests.rs", "let row = \"ours\";").is_empty());
    assert_eq!(words_of_papers(path, "#[cfg(test)]\nmod tests;\nlet row = \"ours\";").len(), 1);
}
