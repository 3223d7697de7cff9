//! What the raters say together.

use serde::Serialize;

use super::against::Codes;

/// How the consensus came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Default)]
pub struct ConsensusCounts {
    /// Items with a label.
    pub labelled: usize,
    /// Items with one label only: no consensus of several, left out.
    pub labelled_once: usize,
    /// Items with three labels or more.
    pub labelled_three_times: usize,
    /// Items on which the most frequent label is not alone, left out.
    pub ties: usize,
    /// Of the ties, those that an adjudicated label settled; they are not left out.
    pub settled: usize,
    /// Items with a consensus.
    pub decided: usize,
}

impl ConsensusCounts {
    /// Items with two labels or more.
    #[must_use]
    pub const fn labelled_twice(&self) -> usize {
        self.labelled - self.labelled_once
    }
}

/// The label of most raters, item by item.
pub(super) struct Consensus {
    /// Where at least two labelled and one label is ahead of all others, or an adjudicated label settles the tie.
    pub(super) labels: Codes,
    /// The same, with the only label of items that were labelled once.
    pub(super) with_single: Codes,
    pub(super) counts: ConsensusCounts,
}

pub(super) fn consensus(columns: &[&Codes], settled: &[Option<u32>], items: usize, codes: usize) -> Consensus {
    let mut counts = ConsensusCounts::default();
    let (mut labels, mut with_single) = (vec![None; items], vec![None; items]);
    let mut tally = vec![0_u32; codes];
    let mut given: Vec<u32> = Vec::with_capacity(columns.len());
    for item in 0..items {
        given.clear();
        given.extend(columns.iter().filter_map(|column| column[item]));
        if given.is_empty() {
            continue;
        }
        counts.labelled += 1;
        counts.labelled_three_times += usize::from(given.len() >= 3);
        if given.len() == 1 {
            counts.labelled_once += 1;
            with_single[item] = Some(given[0]);
            continue;
        }
        for &code in &given {
            tally[code as usize] += 1;
        }
        let most = given.iter().map(|&code| tally[code as usize]).max().unwrap_or(0);
        let ahead = |code: &&u32| tally[**code as usize] == most;
        let first = given.iter().find(ahead).copied();
        let is_tie = given.iter().filter(ahead).any(|code| Some(*code) != first);
        for &code in &given {
            tally[code as usize] = 0;
        }
        let label = if is_tie {
            counts.ties += 1;
            let settled = settled.get(item).copied().flatten();
            counts.settled += usize::from(settled.is_some());
            settled
        } else {
            first
        };
        counts.decided += usize::from(label.is_some());
        (labels[item], with_single[item]) = (label, label);
    }
    Consensus { labels, with_single, counts }
}

/// The adjudicated label, or the one on which all raters agree; `None` as a whole when two raters disagree on an item
/// that nobody settled, because what is left would be the easy items.
pub(super) fn adjudicated(columns: &[&Codes], settled: &[Option<u32>]) -> Option<Codes> {
    if settled.iter().all(Option::is_none) {
        return None;
    }
    let mut labels = vec![None; settled.len()];
    for (item, label) in labels.iter_mut().enumerate() {
        let mut given = columns.iter().filter_map(|column| column[item]);
        let first = given.next();
        let is_agreed = given.all(|code| Some(code) == first);
        *label = match settled[item] {
            Some(settled) => Some(settled),
            None if is_agreed => first,
            None => return None,
        };
    }
    Some(labels)
}

/// The first and the last label of each item, in the order of the raters: two raters where items have two labels each
/// of changing people.
pub(super) fn first_and_last(columns: &[&Codes], items: usize) -> [Codes; 2] {
    let mut found = [vec![None; items], vec![None; items]];
    for item in 0..items {
        let given: Vec<u32> = columns.iter().filter_map(|column| column[item]).collect();
        if let [first, .., last] = given[..] {
            found[0][item] = Some(first);
            found[1][item] = Some(last);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(text: &str) -> Codes {
        text.chars().map(|c| c.to_digit(10)).collect()
    }

    #[test]
    fn ties_and_single_labels_are_no_consensus() {
        let columns = ["0011.", "01120", "0222."].map(column);
        let columns: Vec<&Codes> = columns.iter().collect();
        let found = consensus(&columns, &[], 5, 3);
        assert_eq!(found.labels, column("0.12."));
        let found = consensus(&columns, &column(".0..."), 5, 3);
        assert_eq!(found.labels, column("0012."));
        let counts = found.counts;
        assert_eq!((counts.labelled, counts.labelled_once, counts.ties, counts.settled), (5, 1, 1, 1));
        assert_eq!((counts.decided, counts.labelled_twice()), (4, 4));
        assert_eq!(found.with_single[4], Some(0));
    }

    #[test]
    fn settling_some_disagreements_is_not_enough() {
        let columns = ["001", "011"].map(column);
        let columns: Vec<&Codes> = columns.iter().collect();
        assert_eq!(adjudicated(&columns, &column("...")), None);
        assert_eq!(adjudicated(&columns, &column("0..")), None);
        assert_eq!(adjudicated(&columns, &column(".0.")), Some(column("001")));
    }
}
