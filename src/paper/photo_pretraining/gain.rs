//! A part of the paper's page: what the topology loss gains, pre-training by pre-training.

use super::table::{PRETRAININGS, base, cross, measured};
use crate::report::claim::Finding;
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
    use crate::report::claim::{Claim, Verdict};

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
}
