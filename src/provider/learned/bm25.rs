//! Okapi BM25 over a small collection, with documents left out.

use std::collections::{BTreeSet, HashMap};

use super::words::words;

/// Documents by the words in them.
///
/// The score of a document for a query is the sum, over the distinct words of the query, of
/// `ln(1 + (N − n + ½) / (n + ½)) · f · (k1 + 1) / (f + k1 · (1 − b + b · length / mean length))`, where `N` documents are
/// searched, `n` of them have the word, and this one has it `f` times. What is left out counts in none of these numbers.
#[derive(Debug)]
pub(super) struct Bm25 {
    k1: f64,
    b: f64,
    /// By word: the documents that have it, ascending, and how often.
    postings: HashMap<String, Vec<(u32, u32)>>,
    /// Words of each document.
    lengths: Vec<u32>,
    total: u64,
}

impl Bm25 {
    pub(super) fn new<'t>(texts: impl Iterator<Item = &'t str>, k1: f64, b: f64) -> Self {
        let mut index = Self { k1, b, postings: HashMap::new(), lengths: Vec::new(), total: 0 };
        for text in texts {
            let document = index.lengths.len() as u32;
            let words = words(text);
            index.lengths.push(words.len() as u32);
            index.total += words.len() as u64;
            for word in words {
                let postings = index.postings.entry(word).or_default();
                match postings.last_mut() {
                    Some((last, count)) if *last == document => *count += 1,
                    _ => postings.push((document, 1)),
                }
            }
        }
        index
    }

    /// The score of every document for a query; those `left_out` (ascending) have none.
    pub(super) fn scores(&self, query: &str, left_out: &[usize]) -> Vec<f64> {
        let mut scores = vec![0.0; self.lengths.len()];
        let searched = (self.lengths.len() - left_out.len()) as f64;
        let omitted: u64 = left_out.iter().map(|&document| u64::from(self.lengths[document])).sum();
        let mean = (self.total - omitted) as f64 / searched;
        let is_out = |document: u32| left_out.binary_search(&(document as usize)).is_ok();
        // In the order of the words, so that sums are the same whatever the order of the text.
        for word in words(query).into_iter().collect::<BTreeSet<_>>() {
            let Some(postings) = self.postings.get(&word) else { continue };
            let with_word = postings.iter().filter(|(document, _)| !is_out(*document)).count() as f64;
            let weight = libm::log1p((searched - with_word + 0.5) / (with_word + 0.5));
            for &(document, count) in postings.iter().filter(|(document, _)| !is_out(*document)) {
                let (count, length) = (f64::from(count), f64::from(self.lengths[document as usize]));
                let damping = self.k1 * (1.0 - self.b + self.b * length / mean);
                scores[document as usize] += weight * count * (self.k1 + 1.0) / (count + damping);
            }
        }
        scores
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_follow_the_formula() {
        let index = Bm25::new(["disk full disk", "link down", "disk slow today now"].into_iter(), 1.5, 0.75);
        let scores = index.scores("Disk full? disk!", &[]);
        // N = 3, mean length 3; `disk` in 2 documents, `full` in 1.
        let (disk, full) = ((1.0_f64 + 1.5 / 2.5).ln(), (1.0_f64 + 2.5 / 1.5).ln());
        let first = disk * 2.0 * 2.5 / (2.0 + 1.5) + full * 2.5 / (1.0 + 1.5);
        let third = disk * 2.5 / (1.0 + 1.5 * (0.25 + 0.75 * 4.0 / 3.0));
        for (score, expected) in scores.iter().zip([first, 0.0, third]) {
            assert!((score - expected).abs() < 1e-12, "{score} {expected}");
        }
    }

    #[test]
    fn leaving_a_document_out_is_the_same_as_never_having_seen_it() {
        let texts = ["disk full disk", "link down", "disk slow today now", "full moon"];
        let all = Bm25::new(texts.into_iter(), 1.2, 0.5).scores("disk full now", &[0, 2]);
        let few = Bm25::new([texts[1], texts[3]].into_iter(), 1.2, 0.5).scores("disk full now", &[]);
        assert_eq!(all, [0.0, few[0], 0.0, few[1]]);
    }
}
