//! Exponentials as sums and products alone, so that loops over them become vectors, and every machine gives the same bits.

/// `1 / ln 2`.
const PER_DOUBLING: f32 = std::f32::consts::LOG2_E;

/// `ln 2` in two parts: the first has so few digits that products with small whole numbers are exact.
const DOUBLING: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];

/// Added to a small number, it leaves the nearest whole number in the last digits: `1.5 * 2^23`.
const ROUND: f32 = 12_582_912.0;

/// Beyond these the result is no normal number.
const RANGE: [f32; 2] = [-87.0, 88.0];

/// `e^x`, right to `3e-7` of its value; what lies outside -87 to 88 counts as those.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    let x = x.clamp(RANGE[0], RANGE[1]); // NaN stays NaN
    let shifted = x * PER_DOUBLING + ROUND;
    let whole = shifted - ROUND;
    let rest = x - whole * DOUBLING[0] - whole * DOUBLING[1];
    // Taylor's series: what is left out is below 2e-7, as `rest` is at most ln 2 / 2.
    let series = 1.0 / 120.0 + rest * (1.0 / 720.0);
    let series = 1.0 / 6.0 + rest * (1.0 / 24.0 + rest * series);
    let series = 1.0 + rest * (1.0 + rest * (0.5 + rest * series));
    let power = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    series * f32::from_bits(power)
}

/// `1 / (1 + e^-x)`.
#[inline(always)]
pub(super) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// `tanh x`, right to `3e-7`.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_agree_with_the_library() {
        for i in -86_999..87_999 {
            let x = i as f32 * 1e-3;
            let wide = f64::from(x);
            assert!((f64::from(exp(x)) / wide.exp() - 1.0).abs() < 4e-7, "{x}");
            assert!((f64::from(sigmoid(x)) - 1.0 / (1.0 + (-wide).exp())).abs() < 3e-7, "{x}");
            assert!((f64::from(tanh(x)) - wide.tanh()).abs() < 4e-7, "{x}");
        }
    }

    #[test]
    fn exponentials_of_extremes_are_bounds() {
        assert_eq!((exp(-1e9), exp(1e9)), (exp(-87.0), exp(88.0)));
        assert_eq!((tanh(1e9), tanh(-1e9), sigmoid(1e9)), (1.0, -1.0, 1.0));
        assert!(sigmoid(-1e9) < 1e-37 && exp(0.0) == 1.0);
        assert!(exp(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
    }
}
