//! Moves names apart that would overlap.

/// Distance that two names keep, in pixels: the height of their letters and a little space.
pub(super) const STEP: i32 = 16;

/// Moves heights (pixels, down) so that any two are `step` apart, each as little as the ones above it allow; the whole
/// pile is then centred on where it was.
pub(super) fn push_apart(heights: &[i32], step: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..heights.len()).collect();
    order.sort_by_key(|&i| (heights[i], i));
    let mut moved = heights.to_vec();
    let mut start = 0;
    for i in 1..order.len() {
        let free = moved[order[i - 1]] + step;
        if moved[order[i]] >= free {
            start = i;
            continue;
        }
        moved[order[i]] = free;
        let pile = &order[start..=i];
        let wanted: i32 = pile.iter().map(|&j| heights[j]).sum::<i32>() / pile.len() as i32;
        let above = if start > 0 { moved[order[start - 1]] + step } else { i32::MIN };
        let top = (wanted - step * (pile.len() as i32 - 1) / 2).max(above);
        pile.iter().zip(0..).for_each(|(&j, k)| moved[j] = top + step * k);
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_distance() {
        assert_eq!(push_apart(&[10, 50, 90], 16), [10, 50, 90]);
        assert_eq!(push_apart(&[50, 50], 16), [42, 58]);
        assert_eq!(push_apart(&[60, 50], 16), [63, 47]);
        let moved = push_apart(&[100, 101, 103, 20, 104], 16);
        let mut sorted = moved.clone();
        sorted.sort_unstable();
        assert!(sorted.windows(2).all(|pair| pair[1] - pair[0] >= 16), "{moved:?}");
        assert_eq!(moved[3], 20);
        assert!(push_apart(&[], 16).is_empty());
    }
}
