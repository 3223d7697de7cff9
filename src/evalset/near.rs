//! Texts that are nearly the same: `MinHash` over runs of five words, candidates by bands, and the exact share for those.

use std::collections::BTreeSet;

use rayon::prelude::*;

/// Words of a shingle.
const WORDS: usize = 5;
/// Bands of a signature, each of [`ROWS`] hashes: two texts become candidates when they agree in one band. Of pairs that share
/// 0.7 of their shingles that is 99.6 %, of those that share 0.5 still 72 %, and of those that share 0.1 it is 0.2 %.
const BANDS: usize = 20;
const ROWS: usize = 4;
/// Of more texts in one place of a band only pairs with the first and with the one before are looked at.
const CROWD: usize = 50;
/// Pairs that are looked at.
const MOST_PAIRS: usize = 200_000;

/// A text's place in every band.
pub(super) type Places = [u32; BANDS];

/// The multipliers and offsets of the hashes; always the same, so that a set has one answer.
const HASHES: [(u32, u32); BANDS * ROWS] = hashes();

const fn hashes() -> [(u32, u32); BANDS * ROWS] {
    let mut found = [(0, 0); BANDS * ROWS];
    let mut at = 0;
    while at < found.len() {
        let random = mixed(at as u64 + 1);
        // An odd multiplier loses nothing.
        found[at] = ((random >> 32) as u32 | 1, random as u32);
        at += 1;
    }
    found
}

/// The finaliser of splitmix64: every bit depends on every other.
const fn mixed(number: u64) -> u64 {
    let z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The shingles of a text as hashes, ascending, each once. Case and punctuation do not count; scripts that put no spaces between
/// words count by character; a text of fewer words is one shingle.
pub(super) fn shingles(text: &str) -> Vec<u32> {
    let words = words(text);
    let of = |words: &[u64]| (words.iter().fold(0, |hash: u64, word| mixed(hash ^ *word)) >> 32) as u32;
    let mut found: Vec<u32> = match words.len() {
        0 => Vec::new(),
        1..WORDS => vec![of(&words)],
        _ => words.windows(WORDS).map(of).collect(),
    };
    found.sort_unstable();
    found.dedup();
    found
}

/// The hash of every word.
fn words(text: &str) -> Vec<u64> {
    let mut words = Vec::new();
    // FNV-1a over the letters of the word so far.
    let mut word: Option<u64> = None;
    let add = |hash: Option<u64>, c: char| {
        Some((hash.unwrap_or(0xcbf2_9ce4_8422_2325) ^ u64::from(c as u32)).wrapping_mul(0x0100_0000_01b3))
    };
    for c in text.chars().flat_map(char::to_lowercase) {
        if !c.is_alphanumeric() {
            words.extend(word.take());
        } else if ('\u{3040}'..='\u{9fff}').contains(&c) || ('\u{0e00}'..='\u{0e7f}').contains(&c) {
            words.extend(word.take());
            words.extend(add(None, c));
        } else {
            word = add(word, c);
        }
    }
    words.extend(word);
    words
}

/// Where a text with these shingles is in every band; nowhere without any.
pub(super) fn places(shingles: &[u32]) -> Option<Places> {
    if shingles.is_empty() {
        return None;
    }
    let mut least = [u32::MAX; BANDS * ROWS];
    for shingle in shingles {
        for (least, (multiplier, offset)) in least.iter_mut().zip(&HASHES) {
            *least = (*least).min(shingle.wrapping_mul(*multiplier).wrapping_add(*offset));
        }
    }
    let mut places = [0; BANDS];
    for (place, rows) in places.iter_mut().zip(least.chunks_exact(ROWS)) {
        *place = (rows.iter().fold(0, |hash: u64, row| mixed(hash ^ u64::from(*row))) >> 32) as u32;
    }
    Some(places)
}

/// Pairs of texts that agree in some band, ascending; and whether there are more than are looked at.
pub(super) fn candidates(texts: &[(u32, Places)]) -> (Vec<(u32, u32)>, bool) {
    let found: Vec<(BTreeSet<(u32, u32)>, bool)> =
        (0..BANDS).into_par_iter().map(|band| in_band(texts, band)).collect();
    let mut pairs = BTreeSet::new();
    let mut cut = false;
    for (more, more_cut) in found {
        pairs.extend(more);
        cut |= more_cut;
    }
    cut |= pairs.len() > MOST_PAIRS;
    (pairs.into_iter().take(MOST_PAIRS).collect(), cut)
}

fn in_band(texts: &[(u32, Places)], band: usize) -> (BTreeSet<(u32, u32)>, bool) {
    let mut order: Vec<(u32, u32)> = texts.iter().map(|(text, places)| (places[band], *text)).collect();
    order.sort_unstable();
    let mut pairs = BTreeSet::new();
    let mut cut = false;
    for crowd in order.chunk_by(|a, b| a.0 == b.0).filter(|crowd| crowd.len() > 1) {
        let member = |at: usize| crowd[at].1;
        for later in 1..crowd.len() {
            if crowd.len() <= CROWD {
                pairs.extend((0..later).map(|earlier| (member(earlier), member(later))));
            } else {
                cut = true;
                pairs.extend([(member(0), member(later)), (member(later - 1), member(later))]);
            }
            // Each band gets its part of what is looked at.
            if pairs.len() > MOST_PAIRS / BANDS {
                return (pairs, true);
            }
        }
    }
    (pairs, cut)
}

/// The share of shingles that two texts have in common, of all that either has.
pub(super) fn jaccard(a: &[u32], b: &[u32]) -> f64 {
    let (mut at, mut other, mut both) = (0, 0, 0_usize);
    while at < a.len() && other < b.len() {
        match a[at].cmp(&b[other]) {
            std::cmp::Ordering::Less => at += 1,
            std::cmp::Ordering::Greater => other += 1,
            std::cmp::Ordering::Equal => {
                both += 1;
                at += 1;
                other += 1;
            }
        }
    }
    let either = a.len() + b.len() - both;
    if either == 0 { 0.0 } else { both as f64 / either as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text of numbered words.
    fn text(words: impl Iterator<Item = usize>) -> String {
        words.map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn case_and_punctuation_do_not_count_and_characters_are_words_where_there_are_no_spaces() {
        assert_eq!(shingles("Disk full on db-7, AGAIN!"), shingles("disk full; on db 7 again"));
        assert_eq!(shingles("一二三四五六").len(), 2);
        assert_eq!((shingles("one two").len(), shingles("…").len()), (1, 0));
        assert_eq!(jaccard(&[], &[]), 0.0);
    }

    #[test]
    fn candidates_are_found_as_often_as_the_bands_promise() {
        // Pairs of texts of 200 words of which the second has other words from some place on.
        let shares = |kept: usize| {
            let pairs = 200;
            let mut texts = Vec::new();
            let mut share = 0.0;
            for pair in 0..pairs {
                let from = pair * 1000;
                let a = shingles(&text(from..from + 200));
                let b = shingles(&text((from..from + kept).chain(from + 500..from + 700 - kept)));
                share += jaccard(&a, &b) / f64::from(pairs as u32);
                texts.push((2 * pair as u32, places(&a).unwrap()));
                texts.push((2 * pair as u32 + 1, places(&b).unwrap()));
            }
            let (found, cut) = candidates(&texts);
            assert!(!cut);
            let hits = found.iter().filter(|(a, b)| a / 2 == b / 2).count() as f64 / pairs as f64;
            (share, hits)
        };
        let (share, hits) = shares(170);
        assert!((0.72..0.74).contains(&share) && hits > 0.98, "{share} {hits}");
        let (share, hits) = shares(135);
        assert!((0.49..0.51).contains(&share) && (0.55..0.9).contains(&hits), "{share} {hits}");
        let (share, hits) = shares(40);
        assert!((0.09..0.11).contains(&share) && hits < 0.05, "{share} {hits}");
    }

    #[test]
    fn a_crowd_of_equal_texts_is_no_square_of_work() {
        let places = places(&shingles("the same five words again and again")).unwrap();
        let texts: Vec<_> = (0..100_000).map(|text| (text, places)).collect();
        let (pairs, cut) = candidates(&texts);
        assert!(cut && pairs.len() <= MOST_PAIRS && pairs.len() > 1_000);
    }
}
