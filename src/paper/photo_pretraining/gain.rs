//! A part of the paper's page: what the topology loss gains, pre-training by pre-training.

use super::table::{PRETRAININGS, base, cross, measured};
use crate::report::claim::{Finding, Verdict};
use crate::report::render::markdown_line;
use crate::report::score::ACC1;

/// A markdown table of what Ours gains over Ours-Base in Acc@1, in points: pre-trainings down, corpora across.
pub(super) fn gains(findings: &[Finding]) -> String {
    let heads = measured().into_iter().map(|corpus| match corpus.printed {
        Some(_) => format!("{} (the paper)", corpus.label),
        None => corpus.label.to_string(),
    });
    let heads: Vec<String> = std::iter::once("weights".to_string()).chain(heads).collect();
    let mut text = format!("{}\n|---|{}\n", markdown_line(&heads), "--:|".repeat(measured().len()));
    for own in PRETRAININGS {
        let (ours, base) = (cross(own, own), base(own));
        let tests = |finding: &&Finding, corpus: &str| {
            let claim = &finding.claim;
            let rows = (claim.row_a.as_str(), claim.row_b.as_str());
            rows == (ours.as_str(), base.as_str()) && claim.metric == &ACC1 && finding.dataset == corpus
        };
        let find = |corpus: &str| findings.iter().find(|finding| tests(finding, corpus)).map(gain);
        let cells = measured().into_iter().map(|corpus| find(corpus.name).unwrap_or("not run".into()));
        let cells: Vec<String> = std::iter::once(own.label.to_string()).chain(cells).collect();
        text += &format!("{}\n", markdown_line(&cells));
    }
    text
}

/// The rows of the central comparison on the strong recipe, and what the weights are called.
const STRONG: [(&str, &str, &str); 3] = [
    ("ours+recipe=strong", "ours-base+recipe=strong", "ImageNet (embedded corpora: supervised)"),
    ("ours+weights=edges+recipe=strong", "ours-base+weights=edges+recipe=strong", "edge"),
    ("ours+weights=obow+recipe=strong", "ours-base+weights=obow+recipe=strong", "OBOW"),
];

/// Whether the gain survives a strong baseline: a paragraph, with the interval of every comparison that was run.
pub(super) fn survival(findings: &[Finding]) -> String {
    let of = |(ours, base, weights): (&str, &str, &str)| {
        let own = findings.iter().filter(|finding| finding.claim.row_a == ours && finding.claim.row_b == base);
        let said = |finding: &Finding| finding.interval.map(|_| format!("{} {}", finding.dataset, survived(finding)));
        let said: Vec<String> = own.filter_map(said).collect();
        (!said.is_empty()).then(|| format!("From {weights} weights: {}.", said.join("; ")))
    };
    let is_central = |finding: &&Finding| {
        let rows = (finding.claim.row_a.as_str(), finding.claim.row_b.as_str());
        STRONG.iter().any(|(ours, base, _)| rows == (*ours, *base))
    };
    let central: Vec<&Finding> = findings.iter().filter(is_central).collect();
    let count = |verdict: Verdict| central.iter().filter(|own| own.corrected == verdict).count();
    let run = central.iter().filter(|own| own.interval.is_some()).count();
    let (yes, no) = (count(Verdict::Reproduced), count(Verdict::NotReproduced));
    let answer = match run {
        0 => "not run",
        _ if yes == central.len() => "yes",
        _ if no == central.len() => "no",
        _ => "undecided",
    };
    let sentences: Vec<String> = STRONG.into_iter().filter_map(of).collect();
    format!(
        "**Does the paper's gain survive a strong baseline? {answer}**: {run} of {} comparisons of `Ours` with `Ours-Base`, \
         both by the strong recipe, were run; {yes} say yes, {no} say no and {} are undecided, their number allowed for. {}\n",
        central.len(),
        run - yes - no,
        sentences.join(" ")
    )
}

/// An effect with its interval, and on how many trainings it rests.
fn survived(finding: &Finding) -> String {
    let effect = finding.interval.map(|found| format!("{:+.1} [{:.1}, {:.1}]", found.effect, found.low, found.high));
    let [a, b] = finding.seeds;
    format!("{} ({a} and {b} trainings)", effect.unwrap_or_default())
}

/// An effect with its interval, in bold where that leaves 0 out, and the paper's.
fn gain(finding: &Finding) -> String {
    let Some(found) = finding.interval else { return finding.verdict.name().into() };
    let ours = format!("{:+.1} [{:.1}, {:.1}]", found.effect, found.low, found.high);
    let ours = if found.low > 0.0 || found.high < 0.0 { format!("**{ours}**") } else { ours };
    match finding.claim.paper_effect {
        Some(effect) => format!("{ours} ({effect:+.1})"),
        None => ours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Interval;
    use crate::paper::photo_pretraining::PRINTED;
    use crate::report::claim::Claim;

    #[test]
    fn gains_stand_in_their_cells() {
        let claim = |id: &str| Claim::read_all(&PRINTED).unwrap().into_iter().find(|claim| claim.id == id).unwrap();
        let finding = |id: &str, dataset: &str, [effect, low, high]: [f64; 3]| Finding {
            interval: Some(Interval { low, high, ..Interval::of(effect, 1.0, 9.0).unwrap() }),
            verdict: Verdict::Undecided,
            ..Finding::not_run(&claim(id), dataset)
        };
        let certain = finding("gain-clip-synth-chair", "synth-chair", [8.2, 2.0, 14.5]);
        let printed = finding("gain-chair-v2", "qmul-chair-v2", [-0.62, -10.4, 8.95]);
        let other = finding("source-supervised-jigsaw-qmul-chair-v2", "qmul-chair-v2", [1.0, 1.0, 1.0]);
        let text = gains(&[certain, printed, other]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 7);
        assert_eq!(
            lines[0],
            "| weights | synth-chair | synth-shoe | QMUL-Chair-V2 (the paper) | QMUL-Shoe-V1 (the paper) |"
        );
        assert_eq!(lines[2], "| ImageNet | not run | not run | -0.6 [-10.4, 8.9] (+3.9) | not run |");
        assert_eq!(lines[5], "| CLIP | **+8.2 [2.0, 14.5]** | not run | not run | not run |");
        assert!(!text.contains("1.0, 1.0"), "{text}");
    }

    #[test]
    fn survival_says_what_was_run() {
        let claims = Claim::read_all(&PRINTED).unwrap();
        let finding = |id: &str, dataset: &str, effect: f64| {
            let interval = Interval::of(effect, 1.0, 9.0).unwrap();
            let verdict = if interval.low > 0.0 { Verdict::Reproduced } else { Verdict::Undecided };
            let claim = claims.iter().find(|claim| claim.id == id).unwrap();
            let (interval, seeds) = (Some(interval), [3, 2]);
            Finding { interval, seeds, verdict, corrected: verdict, ..Finding::not_run(claim, dataset) }
        };
        let one = finding("strong-synth-chair", "synth-chair", 4.0);
        let two = finding("strong-edges-qmul-shoe-v1", "qmul-shoe-v1", 1.0);
        let other = finding("gain-chair-v2", "qmul-chair-v2", 4.0);
        let text = survival(&[one.clone(), two, other]);
        assert!(
            text.contains("undecided**: 2 of 2 comparisons") && text.contains("1 say yes, 0 say no and 1 are"),
            "{text}"
        );
        assert!(text.contains("From edge weights: qmul-shoe-v1 +1.0 [-1.3, 3.3] (3 and 2 trainings)."), "{text}");
        assert!(survival(std::slice::from_ref(&one)).contains("baseline? yes**"));
        assert!(survival(&[]).contains("baseline? not run**"));
    }
}
