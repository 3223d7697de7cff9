//! Which tokens of a text are looked at together.

use std::ops::Range;

/// Tokens that are looked at together: one sentence among thousands is not to drown in them. Twice as many still are one
/// part; of longer texts every part begins in the middle of the one before.
pub(super) const PART: usize = 64;

/// The parts of a text of so many tokens, in order; a text without tokens has none.
pub(super) fn parts(count: usize) -> impl ExactSizeIterator<Item = Range<usize>> {
    let is_one = count <= 2 * PART;
    let length = if is_one { count } else { PART };
    let last = if is_one { usize::from(count > 0) } else { (count - PART).div_ceil(PART / 2) + 1 };
    (0..last).map(move |part| part * PART / 2..(part * PART / 2 + length).min(count))
}

/// What the odds of a part have to be, as a logarithm: an answer is not likelier to be an attempt because it is long, so of
/// `k` parts each has to show `k` times as much.
pub(super) fn least_odds(parts: usize) -> f32 {
    (parts.max(1) as f32).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_a_text_and_overlap() {
        assert_eq!(parts(0).count(), 0);
        for count in [1, 2 * PART, 2 * PART + 1, 1000] {
            let parts: Vec<_> = parts(count).collect();
            assert_eq!((parts[0].start, parts[parts.len() - 1].end), (0, count), "{count}: {parts:?}");
            assert!(parts.windows(2).all(|pair| pair[1].start < pair[0].end && pair[1].end > pair[0].end), "{parts:?}");
        }
        assert!(least_odds(1) == 0.0 && least_odds(10) > least_odds(5));
    }
}
