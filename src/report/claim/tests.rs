use super::read::parse;
use super::*;
use crate::report::{printed::tests::TOY, record::tests::write_run, score::tests::write_early};
use crate::run::{Rank, RunFolder};
use crate::seed::Seed;
use std::path::Path;

fn claims() -> Vec<Claim> {
    Claim::read_all(&TOY).unwrap()
}

fn at(results: &Path, dataset: &str, row: &str, seed: u64) -> RunFolder {
    RunFolder::of(results, TOY.slug, dataset, row, Seed(seed))
}

fn finding<'a>(findings: &'a [Finding], id: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.claim.id == id).unwrap()
}

#[test]
fn a_clear_gain_is_reproduced_and_its_absence_is_not() {
    let place = tempfile::tempdir().unwrap();
    for seed in 0..2 {
        write_run(&at(place.path(), "chair", "new", seed), &[1; 20]);
        write_run(&at(place.path(), "chair", "old", seed), &[[1; 10], [2; 10]].concat());
        write_run(&at(place.path(), "big-chair", "new-part", seed), &[[1; 10], [2; 10]].concat());
    }
    write_run(&at(place.path(), "big-chair", "old-part", 0), &[1; 20]);
    write_run(&at(place.path(), "big-chair", "new", 0), &[1; 20]);
    write_run(&at(place.path(), "big-chair", "old", 0), &[1; 20]);
    let (findings, path) = write(place.path(), &claims()).unwrap();
    let gain = finding(&findings, "gain-chair");
    assert_eq!((gain.interval.unwrap().effect, gain.verdict), (50.0, Verdict::Reproduced));
    let loss = finding(&findings, "gain-part");
    assert_eq!((loss.interval.unwrap().effect, loss.verdict), (-50.0, Verdict::NotReproduced));
    let none = finding(&findings, "gain-big-chair");
    assert_eq!((none.interval.unwrap().high, none.verdict), (0.0, Verdict::Undecided)); // 14.79 has no error of its own
    assert_eq!(finding(&findings, "gain-shoe").verdict, Verdict::NotRun);
    assert_eq!(finding(&findings, "early-chair").verdict, Verdict::NotRun); // no early.csv
    let text = std::fs::read_to_string(path).unwrap();
    let head = "id,slug,where,statement,dataset,row_a,row_b,metric,direction,paper_effect,effect,low,high,p,\
                verdict,primary,corrected,seeds_a,seeds_b,over\n";
    assert!(text.starts_with(head) && text.lines().count() == findings.len() + 1, "{text}");
    assert!(
        text.contains(",big-chair,new,old,acc1,greater,14.79,0.00,0.00,0.00,1.0000,undecided,,undecided,1,1,photos\n"),
        "{text}"
    );
    assert!(terminal(&findings).contains("+50.00"));
}

/// Trainings differ widely, and each loses two of twenty queries: both sides share the variance over trainings.
#[test]
fn a_part_of_a_sketch_is_compared_within_each_training() {
    let place = tempfile::tempdir().unwrap();
    for (seed, hits) in [(0, 4), (1, 10), (2, 16)] {
        let run = at(place.path(), "chair", "new", seed);
        let ranks = |hits: usize| -> Vec<u32> { (0..20).map(|i| if i < hits { 1 } else { 7 }).collect() };
        write_run(&run, &ranks(hits));
        let whole = run.ranks().unwrap();
        let part: Vec<Rank> = whole.iter().zip(ranks(hits - 2)).map(|(own, rank)| Rank { rank, ..*own }).collect();
        let steps = (1..=10).map(|tenth| (10 * tenth, if tenth < 8 { part.clone() } else { whole.clone() }));
        run.write_early(&steps.collect::<Vec<_>>()).unwrap();
    }
    let found = evaluate(place.path(), &claims()).unwrap();
    let lost = finding(&found, "strokes-chair");
    assert_eq!((lost.interval.unwrap().effect, lost.seeds), (-10.0, [3, 3]));
    // Photos that one training alone loses scatter around -33; trainings that are drawn apart scatter by 30 of their own.
    assert!(lost.interval.unwrap().high < 5.0, "{lost:?}");
}

#[test]
fn a_printed_number_stands_for_a_row() {
    let place = tempfile::tempdir().unwrap();
    for seed in 0..2 {
        write_run(&at(place.path(), "big-chair", "new", seed), &[[1; 10], [2; 10]].concat());
    }
    let findings = evaluate(place.path(), &claims()).unwrap();
    let human = finding(&findings, "people-big-chair");
    assert!((human.interval.unwrap().effect - (50.0 - 63.0)).abs() < 1e-9);
    assert_eq!((human.seeds, human.verdict, human.p), ([2, 0], Verdict::NotComparable, None));
    assert!(terminal(&findings).contains("2, -"));
    assert_eq!(finding(&findings, "people-shoe").verdict, Verdict::NotRun);
}

#[test]
fn a_part_of_the_sketch_is_a_row() {
    let place = tempfile::tempdir().unwrap();
    let folder = at(place.path(), "shoe", "new", 0);
    write_run(&folder, &[1; 12]);
    write_early(&folder, 80); // nothing is found at 70 percent
    let found = |id| finding(&evaluate(place.path(), &claims()).unwrap(), id).clone();
    assert_eq!(found("strokes-shoe").interval.unwrap().effect, -100.0);
    assert_eq!(found("strokes-chair").verdict, Verdict::NotRun);
    write_early(&folder, 70);
    assert_eq!(found("strokes-shoe").interval.unwrap().effect, 0.0);
}

#[test]
fn the_luck_of_seeds_is_in_the_interval() {
    let place = tempfile::tempdir().unwrap();
    for (seed, found) in [(0, 16), (1, 4), (2, 10)] {
        let ranks: Vec<u32> = (0..20).map(|i| if i < found { 1 } else { 2 }).collect();
        write_run(&at(place.path(), "chair", "new", seed), &ranks);
    }
    write_run(&at(place.path(), "chair", "old", 0), &[2; 20]);
    let gain = |claims: &[Claim]| finding(&evaluate(place.path(), claims).unwrap(), "gain-chair").clone();
    let found = gain(&claims());
    assert_eq!((found.interval.unwrap().effect, found.seeds), (50.0, [3, 1]));
    // Seeds of 80, 20 and 50%: no choice of queries alone reaches below 20.
    assert!(found.interval.unwrap().low < 20.0, "{:?}", found.interval);
    assert!(frame(&[found]).unwrap().column("over").unwrap().str().unwrap().get(0) == Some("seeds of A and photos"));
}

#[test]
fn early_is_read_from_its_own_file() {
    let place = tempfile::tempdir().unwrap();
    for (row, from) in [("new", 40), ("old", 70)] {
        let folder = at(place.path(), "shoe", row, 0);
        write_run(&folder, &[1; 12]);
        write_early(&folder, from);
    }
    let findings = evaluate(place.path(), &claims()).unwrap();
    let early = finding(&findings, "early-shoe");
    assert!((early.interval.unwrap().effect - 100.0 * 3.0 / 9.0).abs() < 1e-9); // found at 40, 50, 60 too
    assert_eq!(early.verdict, Verdict::Reproduced);
    assert_eq!(finding(&findings, "gain-shoe").verdict, Verdict::Undecided); // both always right
}

#[test]
fn a_claim_without_dataset_is_tested_wherever_both_rows_ran() {
    let place = tempfile::tempdir().unwrap();
    for dataset in ["b", "a"] {
        write_run(&at(place.path(), dataset, "new", 0), &[1, 1]);
        write_run(&at(place.path(), dataset, "old", 0), &[1, 2]);
    }
    write_run(&at(place.path(), "c", "new", 0), &[1, 1]);
    let claim = Claim { dataset: None, ..claims().remove(0) };
    let tested = evaluate(place.path(), std::slice::from_ref(&claim)).unwrap();
    assert_eq!(tested.iter().map(|finding| finding.dataset.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let nothing = evaluate(&place.path().join("none"), &[claim]).unwrap();
    assert_eq!((nothing.len(), nothing[0].verdict), (1, Verdict::NotRun));
}

#[test]
fn rows_with_other_queries_are_an_error() {
    let place = tempfile::tempdir().unwrap();
    write_run(&at(place.path(), "shoe", "new", 0), &[1, 1]);
    write_run(&at(place.path(), "shoe", "old", 0), &[1, 2, 1]);
    let error = evaluate(place.path(), &claims()).unwrap_err().to_string();
    assert!(error.contains("old") && error.contains("2 queries") && error.contains("3 queries"), "{error}");
}

#[test]
fn a_claim_that_is_less() {
    let of = |effect, error| Interval::of(effect, error, 1e9).unwrap();
    let verdict = |interval, short| judge(interval, Direction::Less, short).verdict;
    assert_eq!(verdict(of(-2.0, 0.5), None), Verdict::Reproduced);
    assert_eq!(verdict(of(2.0, 0.5), None), Verdict::NotReproduced);
    assert_eq!(verdict(of(0.0, 0.5), Some(of(-5.0, 1.0))), Verdict::NotReproduced); // the paper's is 5 further down
    assert_eq!(verdict(of(0.0, 0.5), Some(of(-5.0, 4.0))), Verdict::Undecided);
    assert_eq!(verdict(of(0.0, 0.5), Some(of(5.0, 1.0))), Verdict::Undecided); // and here further up
}

/// Levels of 50 and 50% here, and of 90 and 50% there: ln 9 further apart, with an error for the 20 photos of 40 queries.
#[test]
fn a_paper_whose_levels_are_told_may_contradict_no_effect() {
    let place = tempfile::tempdir().unwrap();
    let half: Vec<u32> = (0..40).map(|i| 1 + i % 2).collect();
    let tested = |levels: Option<[f64; 2]>, direction| {
        for row in ["new", "old"] {
            write_run(&at(place.path(), "chair", row, 0), &half);
        }
        let effect = levels.map(|[a, b]| a - b);
        let paper = Claim { paper_levels: levels, paper_effect: effect, direction, ..claims().remove(2) };
        evaluate(place.path(), &[paper]).unwrap().remove(0)
    };
    let found = tested(Some([90.0, 50.0]), Direction::Greater);
    let error = (1.0 / (20.0 * 0.09) + 1.0 / (20.0 * 0.25_f64)).sqrt();
    let expected = 2.0 * Interval::of(9f64.ln(), error, 1e9).unwrap().p(); // the second test of the claim
    assert_eq!((found.interval.unwrap().effect, found.verdict), (0.0, Verdict::NotReproduced));
    assert!((found.p.unwrap() - expected).abs() < 1e-4, "{found:?}");
    assert_eq!(tested(Some([60.0, 50.0]), Direction::Greater).verdict, Verdict::Undecided);
    assert_eq!(tested(None, Direction::Greater).verdict, Verdict::Undecided);
    assert_eq!(tested(Some([10.0, 50.0]), Direction::Less).verdict, Verdict::NotReproduced);
}

/// Both rows gain, one of them 25 points more: what they start from does not count.
#[test]
fn gains_are_compared_over_their_own_bases() {
    let place = tempfile::tempdir().unwrap();
    let rows = [("a", 14), ("a-base", 4), ("b", 18), ("b-base", 13)];
    for (row, found) in rows {
        let ranks: Vec<u32> = (0..20).map(|i| if i < found { 1 } else { 2 }).collect();
        write_run(&at(place.path(), "chair", row, 0), &ranks);
    }
    let claim = Claim { row_a: "a - a-base".into(), row_b: "b - b-base".into(), ..claims().remove(2) };
    let found = evaluate(place.path(), &[claim]).unwrap().remove(0);
    assert!((found.interval.unwrap().effect - 25.0).abs() < 1e-9, "{found:?}");
    assert!(terminal(&[found]).contains("(a - a-base) - (b - b-base)"));
    // A base on both sides counts for nothing.
    let claim = Claim { row_a: "a - b-base".into(), row_b: "b - b-base".into(), ..claims().remove(2) };
    let (base, plain) = (claim.clone(), Claim { row_a: "a".into(), row_b: "b".into(), ..claim });
    let found = evaluate(place.path(), &[base, plain]).unwrap();
    assert_eq!(found[0].interval, found[1].interval);
}

/// 1, 2 and 4 in a hundred: of three comparisons all stay, of four with one that is by chance the last one goes.
#[test]
fn verdicts_are_corrected_for_their_number() {
    let of = |p: f64, is_primary| {
        let claim = Claim { is_primary, ..claims().remove(0) };
        let (verdict, p) = (Verdict::Reproduced, Some(p));
        Finding { verdict, p, corrected: verdict, ..Finding::not_run(&claim, "d") }
    };
    let kept = |mut findings: Vec<Finding>| {
        judge::correct(&mut findings);
        findings.iter().map(|finding| finding.corrected == Verdict::Reproduced).collect::<Vec<_>>()
    };
    assert_eq!(kept(vec![of(0.04, false), of(0.01, false), of(0.02, false)]), [true; 3]);
    let four = vec![of(0.04, false), of(0.01, false), of(0.02, false), of(0.6, false)];
    assert_eq!(kept(four), [false, true, true, false]); // 0.04 x 4 / 3
    assert_eq!(kept(vec![of(0.04, true), of(0.6, false), of(0.6, false)]), [true, false, false]); // families of their own
    let mut untested = [Finding::not_run(&claims()[0], "d")];
    judge::correct(&mut untested);
    assert_eq!(untested[0].corrected, Verdict::NotRun);
}

#[test]
fn a_line_with_several_corpora_is_as_many_claims() {
    let text = "id,where,statement,dataset,row_a,row_b,metric,direction,paper_effect\n\
                gain,t,s,one two,x,y,acc1,less,-3\nalone,t,s,one,x,y,acc1,less,\n";
    let claims = parse(&TOY, text).unwrap();
    let named = claims.iter().map(|claim| (claim.id.as_str(), claim.dataset.as_deref().unwrap()));
    assert_eq!(named.collect::<Vec<_>>(), [("gain-one", "one"), ("gain-two", "two"), ("alone", "one")]);
    assert_eq!(claims[1], Claim { id: "gain-two".into(), dataset: Some("two".into()), ..claims[0].clone() });
}

#[test]
fn a_malformed_claim_names_its_line() {
    let head = "id,where,statement,dataset,row_a,row_b,metric,direction,paper_effect\n";
    for (line, reason) in [
        ("a,t,s,d,x,y,acc2,greater,\n", "metric"),
        ("a,t,s,d,x,y,acc1,more,\n", "greater, less or within"),
        ("a,t,s,d,x,y,acc1,within 0,\n", "within and a number above 0"),
        ("a,t,s,d,x,y,acc1,less,NaN\n", "paper_effect"),
        ("a,t,s,d,x,y,acc1,less,3\n", "none above 0"),
        ("a,t,s,d,x,y,acc1,greater,-3\n", "none below 0"),
        ("a,t,s,d,,y,acc1,less,\n", "row_a"),
        ("a,t,s,d,printed:People [7],y,acc1,less,\n", "rows that are run"),
        ("a,t,s,d,x - y - z,y,acc1,less,\n", "rows ` - ` rows"),
        ("a,t,s,d,x - ,y,acc1,less,\n", "rows ` - ` rows"),
        ("a,t,s, ,x,y,acc1,less,\n", "names of corpora"),
    ] {
        let error = parse(&TOY, &format!("{head}{line}")).unwrap_err().to_string();
        assert!(error.contains("papers/p/claims.csv") && error.contains("line 2") && error.contains(reason), "{error}");
    }
}

#[test]
fn analyses_are_compared_sample_by_sample_in_percent_of_b() {
    let place = tempfile::tempdir().unwrap();
    let smooth = |row: &str, seed: u64, values: [f64; 2]| {
        let run = at(place.path(), "chair", row, seed);
        write_run(&run, &[1, 1]);
        let text = format!("query,value\n100,{}\n101,{}\n", values[0], values[1]);
        crate::file::write_atomic(&run.0.join("analysis/smoothness.csv"), text.as_bytes()).unwrap();
    };
    smooth("old", 0, [2.0, 6.0]);
    smooth("new", 0, [1.0, 5.0]);
    let tested = || evaluate(place.path(), &claims());
    let findings = tested().unwrap();
    let one = finding(&findings, "smooth-chair");
    // Both queries differ by -1, and the mean of B is 4.
    let found = one.interval.unwrap();
    assert_eq!((found.effect, found.low, found.high, one.verdict), (-25.0, -25.0, -25.0, Verdict::Reproduced));
    assert_eq!((one.seeds, finding(&findings, "smooth-shoe").verdict), ([1, 1], Verdict::NotRun));

    // A second seed whose mean is 2 more; a third was not analysed.
    smooth("new", 1, [3.0, 7.0]);
    write_run(&at(place.path(), "chair", "new", 2), &[1, 1]);
    let findings = tested().unwrap();
    let two = finding(&findings, "smooth-chair");
    assert_eq!((two.interval.unwrap().effect, two.seeds), (0.0, [2, 1]));

    let epochs = |seed, text: &str| {
        let path = at(place.path(), "chair", "new", seed).0.join("analysis/gradient.csv");
        crate::file::write_atomic(&path, format!("epoch,nuclear_norm\n{text}").as_bytes()).unwrap();
    };
    epochs(0, "1,0.5\n2,0.5\n");
    epochs(1, "1,0.5\n");
    let error = tested().unwrap_err().to_string();
    assert!(error.contains("seed1") && error.contains("as many epochs as in") && error.contains("seed0"), "{error}");
    epochs(1, "1,0.5\n2,0.5\n");
    let base = at(place.path(), "chair", "old", 0).0.join("analysis/gradient.csv");
    crate::file::write_atomic(&base, b"epoch,nuclear_norm\n1,0.5\n").unwrap();
    let error = tested().unwrap_err().to_string();
    let said = "for claim gradient the same as 2 epochs of new, found 1 epochs of old";
    assert!(error.contains("chair") && error.contains(said), "{error}");
}

/// Twice the value in every sample is +100% with no uncertainty; if only B varies, the interval has its variance.
#[test]
fn ratios_carry_the_luck_of_both_rows() {
    let place = tempfile::tempdir().unwrap();
    let time = |row: &str, seconds: [f64; 4]| {
        let run = at(place.path(), "chair", row, 0);
        write_run(&run, &[1, 1]);
        let lines: String = (0..4).map(|i| format!("{i},{}\n", seconds[i])).collect();
        crate::file::write_atomic(&run.0.join("analysis/time.csv"), format!("round,seconds\n{lines}").as_bytes())
            .unwrap();
        finding(&evaluate(place.path(), &claims()).unwrap(), "time").interval
    };
    assert!(time("new", [1.0, 2.0, 3.0, 4.0]).is_none()); // slow is not there
    let double = time("slow", [2.0, 4.0, 6.0, 8.0]).unwrap();
    assert!([double.effect, double.low, double.high].iter().all(|value| (value - 100.0).abs() < 1e-9), "{double:?}");
    let steady = time("slow", [5.0; 4]).unwrap();
    assert!((steady.effect - 100.0).abs() < 1e-9, "{steady:?}");
    // By the delta method the ratio 5 / b deviates by 2 sd(b) / (mean(b) sqrt(4)) = 2 x 1.291 / (2.5 x 2) = 0.516, times
    // 3.182 for Student's t of four values; no time is below 0, so the interval ends at -100 where that reaches further.
    assert!(
        (steady.high - 100.0 - 318.2 * 0.5164).abs() < 0.1 && (steady.low - 100.0 + 318.2 * 0.5164).abs() < 0.1,
        "{steady:?}"
    );
    assert_eq!(time("slow", [8.0, 0.0, 0.0, 0.0]).unwrap().low, -100.0);
}

#[test]
fn the_readme_counts_comparisons() {
    let claim = |dataset: &str, verdict| {
        let claim = claims().remove(0);
        Finding { verdict, corrected: verdict, ..Finding::not_run(&claim, dataset) }
    };
    let findings = [
        claim("b", Verdict::Reproduced),
        claim("a", Verdict::Undecided),
        claim("b", Verdict::NotRun),
        claim("b", Verdict::Reproduced),
    ];
    let text = markdown(&findings);
    let line = text.lines().nth(2).unwrap();
    assert!(line.ends_with("(Table 2, first rows) | b 2 of 3 (2 corrected) | a |  |  | b 1 of 3 |"), "{text}");
    assert_eq!(text.lines().count(), 3);
}

/// Rows of 100, 0 and 50% against one of 0%, each over all of its seeds.
#[test]
fn several_rows_stand_for_their_mean() {
    let place = tempfile::tempdir().unwrap();
    for seed in 0..2 {
        write_run(&at(place.path(), "chair", "x", seed), &[1; 8]);
        write_run(&at(place.path(), "chair", "y", seed), &[2; 8]);
        write_run(&at(place.path(), "chair", "z", seed), &[1, 1, 1, 1, 2, 2, 2, 2]);
    }
    write_run(&at(place.path(), "chair", "x", 2), &[1; 8]);
    write_run(&at(place.path(), "chair", "base", 0), &[2; 8]);
    let claim = |a: &str, b: &str| Claim { row_a: a.into(), row_b: b.into(), ..claims().remove(0) };
    let tested = |claim: Claim| {
        let claim = Claim { dataset: Some("chair".into()), ..claim };
        evaluate(place.path(), &[claim]).map(|mut findings| findings.remove(0))
    };
    let found = tested(claim("x y z", "base")).unwrap();
    assert!((found.interval.unwrap().effect - 50.0).abs() < 1e-9 && found.seeds == [2, 1], "{found:?}");
    // Four photos, which differ by z alone: two are 50 / 3 above the mean and two below, so 100 / 3 for their two sketches,
    // a variance of 4 (100 / 3)^2 / 8^2 * 4 / 3; t of 3 degrees ends at 3.182.
    let interval = found.interval.unwrap();
    assert!((interval.high - interval.effect - 3.182 * (2500.0 / 27.0_f64).sqrt()).abs() < 0.01, "{interval:?}");
    assert_eq!(tested(claim("z", "x y")).unwrap().interval.unwrap().effect, 0.0);
    assert_eq!(tested(claim("x y none", "base")).unwrap().verdict, Verdict::NotRun);
    assert!(terminal(&[found]).contains("mean of 3 rows - base"));
    write_run(&at(place.path(), "chair", "y", 0), &[2; 9]);
    let error = tested(claim("x y z", "base")).unwrap_err().to_string();
    assert!(error.contains("8 queries") && error.contains("9 queries"), "{error}");
}

#[test]
fn counts_are_by_verdict() {
    let finding = |verdict| Finding { verdict, ..Finding::not_run(&claims().remove(0), "") };
    let found = counts(&[Verdict::Undecided, Verdict::Reproduced, Verdict::Undecided, Verdict::NotRun].map(finding));
    assert_eq!((found.of(Verdict::Undecided), found.of(Verdict::NotReproduced)), (2, 0));
    assert_eq!(found.to_string(), "1 reproduced, none not reproduced, 2 undecided, none not comparable, 1 not run");
}

#[test]
fn a_claim_may_be_in_a_papers_own_metric() {
    static OWN: Metric = Metric { name: "own", ..crate::report::score::ACC1 };
    static METRICS: [&Metric; 1] = [&OWN];
    let text = "id,where,statement,dataset,row_a,row_b,metric,direction,paper_effect\na,t,s,chair,x,y,own,less,\n";
    assert_eq!(parse(&Printed { metrics: &METRICS, ..TOY }, text).unwrap()[0].metric, &OWN);
    assert!(parse(&TOY, text).unwrap_err().to_string().contains("found own"));
}

/// A claim of the toy paper between two sides.
fn between(row_a: &str, row_b: &str) -> crate::Result<Claim> {
    let head = "id,where,statement,dataset,row_a,row_b,metric,direction,paper_effect";
    let text = format!("{head}\nspread,Table 3,One matters more,chair,{row_a},{row_b},acc1,greater,\n");
    Ok(parse(&TOY, &text)?.remove(0))
}

#[test]
fn the_spread_of_rows_is_compared_with_that_of_others() {
    let place = tempfile::tempdir().unwrap();
    // Means of 20, 50 and 80 against 45, 50 and 55: deviations of 30 and of 5. The middle row is in both.
    for (row, hits) in [("wide", 20), ("usual", 50), ("wider", 80), ("near", 45), ("nearer", 55)] {
        for seed in 0..3 {
            let found = hits - 2 + 2 * seed as usize;
            let ranks: Vec<u32> = (0..100).map(|i| if i * 37 % 100 < found { 1 } else { 7 }).collect();
            write_run(&at(place.path(), "chair", row, seed), &ranks);
        }
    }
    let claim = between("spread: wide usual wider", "spread: near usual nearer").unwrap();
    let found = evaluate(place.path(), &[claim]).unwrap().remove(0);
    assert!((found.interval.unwrap().effect - 25.0).abs() < 1e-9, "{found:?}");
    assert_eq!((found.verdict, found.seeds), (Verdict::Reproduced, [3, 3]));
    assert!(terminal(&[found]).contains("spread of 3 rows - spread of 3 rows"));
    let missing = between("spread: wide absent", "spread: near usual").unwrap();
    assert_eq!(evaluate(place.path(), &[missing]).unwrap()[0].verdict, Verdict::NotRun);
}

#[test]
fn a_spread_needs_rows_on_both_sides() {
    for (a, b) in
        [("spread: x y", "x y"), ("x", "spread: x y"), ("spread: x", "spread: x y"), ("spread: x - y", "spread: x y")]
    {
        assert!(between(a, b).unwrap_err().to_string().contains("the spread of two rows or more"), "{a}, {b}");
    }
}
