//! Edit distances between texts, counted in Unicode code points.

use super::masks::PatternMasks;

/// Levenshtein (1966) distance: the fewest insertions, deletions and substitutions of code points that turn one text
/// into the other.
///
/// Bit-parallel (Myers 1999, in blocks after Hyyrö 2003): one step for 64 code points of the shorter text and one of
/// the longer.
///
/// ```
/// use evalgauge::stats::text::levenshtein;
/// assert_eq!(levenshtein("kitten", "sitting"), 3);
/// ```
#[must_use]
pub fn levenshtein(a: &str, b: &str) -> usize {
    let (a, b) = (code_points(a), code_points(b));
    let (shorter, longer) = trimmed(&a, &b);
    if shorter.is_empty() {
        return longer.len();
    }
    let mut masks = PatternMasks::default();
    masks.fill(shorter);
    bit_parallel(&masks, shorter.len(), longer)
}

/// `1 − distance / length of the longer text`; 1 for two empty texts.
#[must_use]
pub fn similarity(a: &str, b: &str) -> f64 {
    let longest = a.chars().count().max(b.chars().count());
    if longest == 0 { 1.0 } else { 1.0 - levenshtein(a, b) as f64 / longest as f64 }
}

/// Damerau–Levenshtein distance: as [`levenshtein`], with the exchange of two neighbours as a further edit, and edits
/// between the exchanged code points allowed (unrestricted, Lowrance & Wagner 1975).
///
/// Linear space (Zhao & Sahni 2019).
///
/// ```
/// use evalgauge::stats::text::damerau_levenshtein;
/// assert_eq!(damerau_levenshtein("ca", "abc"), 2); // ca → ac → abc
/// ```
#[must_use]
pub fn damerau_levenshtein(a: &str, b: &str) -> usize {
    let (a, b) = (code_points(a), code_points(b));
    let (shorter, longer) = trimmed(&a, &b);
    linear_space_damerau(longer, shorter)
}

fn code_points(text: &str) -> Vec<u32> {
    text.chars().map(u32::from).collect()
}

/// Both sequences without their common prefix and suffix, the shorter one first.
fn trimmed<'a>(a: &'a [u32], b: &'a [u32]) -> (&'a [u32], &'a [u32]) {
    let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[prefix..], &b[prefix..]);
    let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (&a[..a.len() - suffix], &b[..b.len() - suffix]);
    if a.len() <= b.len() { (a, b) } else { (b, a) }
}

/// Distance between the pattern (`length` symbols, in `masks`) and `text`, column by column.
fn bit_parallel(masks: &PatternMasks, length: usize, text: &[u32]) -> usize {
    // Per 64 rows of the distance matrix: where the column steps up, where it steps down.
    let mut steps = vec![(u64::MAX, 0_u64); masks.words()];
    let last_row = 1_u64 << ((length - 1) % 64);
    let last_block = steps.len() - 1;
    let mut distance = length;
    for &symbol in text {
        let row = masks.row(symbol);
        // The top row of the matrix grows by one in each column.
        let (mut up_in, mut down_in) = (1_u64, 0_u64);
        for (block, (up, down)) in steps.iter_mut().enumerate() {
            let equal = row.map_or(0, |row| row[block]);
            let vertical = equal | *down;
            let equal = equal | down_in;
            let horizontal = ((equal & *up).wrapping_add(*up) ^ *up) | equal;
            let mut rises = *down | !(horizontal | *up);
            let mut falls = *up & horizontal;
            if block == last_block {
                distance += usize::from(rises & last_row != 0);
                distance -= usize::from(falls & last_row != 0);
            }
            let (up_out, down_out) = (rises >> 63, falls >> 63);
            rises = (rises << 1) | up_in;
            falls = (falls << 1) | down_in;
            *up = falls | !(vertical | rises);
            *down = rises & vertical;
            (up_in, down_in) = (up_out, down_out);
        }
    }
    distance
}

fn linear_space_damerau(rows: &[u32], columns: &[u32]) -> usize {
    let unreachable = rows.len() + columns.len() + 1;
    let width = columns.len() + 1;
    let mut symbols = columns.to_vec();
    symbols.sort_unstable();
    symbols.dedup();
    let column_symbols: Vec<usize> = columns.iter().filter_map(|symbol| symbols.binary_search(symbol).ok()).collect();
    // Per symbol of the columns, the row in which it was last met; row 0 is none.
    let mut last_row_of = vec![0; symbols.len()];
    // Index 0 of each row stands for the column before the first.
    let mut previous = vec![unreachable; width + 1];
    let mut current: Vec<usize> = std::iter::once(unreachable).chain(0..width).collect();
    // Per column, the cell above-left of the row in which its symbol was last met.
    let mut before_match = vec![unreachable; width + 1];
    for (row, symbol) in (1..).zip(rows) {
        std::mem::swap(&mut previous, &mut current);
        let row_symbol = symbols.binary_search(symbol).ok();
        let mut last_match: Option<usize> = None;
        let mut before_last_match = unreachable;
        let mut diagonal_two_up = current[1];
        current[1] = row;
        for (column, &other) in (1..).zip(&column_symbols) {
            let equal = row_symbol == Some(other);
            let substituted = previous[column] + usize::from(!equal);
            let mut best = substituted.min(current[column] + 1).min(previous[column + 1] + 1);
            let other_row = last_row_of[other];
            if equal {
                last_match = Some(column);
                before_match[column] = previous[column - 1];
                before_last_match = diagonal_two_up;
            } else if other_row > 0 {
                if last_match == Some(column - 1) {
                    best = best.min(before_match[column] + (row - other_row));
                } else if let (Some(last), 1) = (last_match, row - other_row) {
                    best = best.min(before_last_match + (column - last));
                }
            }
            diagonal_two_up = current[column + 1];
            current[column + 1] = best;
        }
        if let Some(symbol) = row_symbol {
            last_row_of[symbol] = row;
        }
    }
    current[width]
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    /// The textbook matrix, without exchanges.
    fn matrix(a: &[char], b: &[char]) -> usize {
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut diagonal = std::mem::replace(&mut row[0], i + 1);
            for (j, y) in b.iter().enumerate() {
                let best = (diagonal + usize::from(x != y)).min(row[j] + 1).min(row[j + 1] + 1);
                diagonal = std::mem::replace(&mut row[j + 1], best);
            }
        }
        row[b.len()]
    }

    /// The matrix of Lowrance & Wagner, with exchanges over any distance.
    fn matrix_with_exchanges(a: &[char], b: &[char]) -> usize {
        let far = a.len() + b.len();
        let mut d = vec![vec![far; b.len() + 2]; a.len() + 2];
        for i in 0..=a.len() {
            d[i + 1][1] = i;
        }
        for j in 0..=b.len() {
            d[1][j + 1] = j;
        }
        let mut last_row: HashMap<char, usize> = HashMap::new();
        for i in 1..=a.len() {
            let mut last_column = 0;
            for j in 1..=b.len() {
                let (k, l) = (last_row.get(&b[j - 1]).copied().unwrap_or(0), last_column);
                let same = a[i - 1] == b[j - 1];
                if same {
                    last_column = j;
                }
                d[i + 1][j + 1] = (d[i][j] + usize::from(!same))
                    .min(d[i + 1][j] + 1)
                    .min(d[i][j + 1] + 1)
                    .min(d[k][l] + (i - k - 1) + 1 + (j - l - 1));
            }
            last_row.insert(a[i - 1], i);
        }
        d[a.len() + 1][b.len() + 1]
    }

    #[test]
    fn published_and_degenerate_pairs() {
        assert_eq!(levenshtein("Saturday", "Sunday"), 3);
        assert_eq!(levenshtein("", ""), 0);
        assert_eq!(similarity("", ""), 1.0);
        assert_eq!(similarity("", "abc"), 0.0);
        assert_eq!(damerau_levenshtein("", "abc"), 3);
        assert_eq!(damerau_levenshtein("abcd", "acbd"), 1);
        assert_eq!(levenshtein("👩‍👩‍👧", "👩‍👧"), 2);
    }

    #[test]
    fn long_texts_cross_the_word_boundary() {
        let a = "abcdefghij".repeat(30);
        let b = format!("x{}", "abcdfeghij".repeat(29));
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        assert_eq!(levenshtein(&a, &b), matrix(&chars(&a), &chars(&b)));
        assert_eq!(damerau_levenshtein(&a, &b), matrix_with_exchanges(&chars(&a), &chars(&b)));
    }

    proptest! {
        #[test]
        fn both_distances_agree_with_their_matrices(a in "[abcé]{0,90}", b in "[abcé]{0,90}") {
            let (x, y): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
            prop_assert_eq!(levenshtein(&a, &b), matrix(&x, &y));
            prop_assert_eq!(damerau_levenshtein(&a, &b), matrix_with_exchanges(&x, &y));
            prop_assert_eq!(levenshtein(&b, &a), levenshtein(&a, &b));
        }
    }
}
