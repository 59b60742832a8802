//! Text about the number of seeds behind numbers.

/// `3 seeds`, `2 to 3 seeds`, `1 seed`.
pub(super) fn count(counts: &[usize]) -> String {
    let (least, most) = (counts.iter().min().unwrap_or(&0), counts.iter().max().unwrap_or(&0));
    if least != most {
        format!("{least} to {most} seeds")
    } else if *most == 1 {
        "1 seed".into()
    } else {
        format!("{most} seeds")
    }
}

/// The number of seeds behind points, with a bar and without.
pub(super) fn bars(counts: &[usize]) -> String {
    let several: Vec<usize> = counts.iter().copied().filter(|seeds| *seeds > 1).collect();
    let bars = format!("Points with a bar (mean ± one standard deviation): {}", count(&several));
    if several.is_empty() {
        "One seed a point.".into()
    } else if several.len() == counts.len() {
        format!("{bars}.")
    } else {
        format!("{bars}; points without: one seed.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn count_says_one_several_and_a_range() {
        assert_eq!([&[1, 1][..], &[3], &[3, 2, 3], &[]].map(count), ["1 seed", "3 seeds", "2 to 3 seeds", "0 seeds"]);
    }

    #[test]
    fn bars_are_of_two_seeds_or_more() {
        assert_eq!(bars(&[1, 1]), "One seed a point.");
        assert_eq!(bars(&[3, 2]), "Points with a bar (mean ± one standard deviation): 2 to 3 seeds.");
        assert!(bars(&[3, 1]).ends_with(": 3 seeds; points without: one seed."));
    }
}
