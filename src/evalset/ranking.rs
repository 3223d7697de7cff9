//! The order in which examples come into a sample: any beginning of it has the proportions of the whole, so that samples nest.

use std::collections::HashMap;

use super::label::Labels;
use crate::table::short_digest;

/// With more different sets of labels than this, those that come later are one stratum: a million users are no strata.
const MOST_STRATA: usize = 10_000;

/// Label keys that split the examples further and further; what differs only in later ones is one stratum.
const DEEPEST: usize = 32;

/// Examples, by their labels and a lot that the seed and the id decide. It holds a few bytes of each.
#[derive(Debug)]
pub struct Ranking {
    seed: u64,
    /// Strata by their labels.
    strata: HashMap<Labels, u32>,
    /// The stratum and the lot of every example.
    examples: Vec<(u32, u64)>,
}

impl Ranking {
    /// Without examples.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, strata: HashMap::new(), examples: Vec::new() }
    }

    /// The lot of an id.
    #[must_use]
    pub fn lot(&self, id: &str) -> u64 {
        let digest = short_digest(format!("{} {id}", self.seed));
        digest[..8].iter().fold(0, |lot, byte| lot << 8 | u64::from(*byte))
    }

    /// Adds the next example.
    pub fn add(&mut self, lot: u64, labels: &Labels) {
        let next = self.strata.len() as u32;
        let stratum = match self.strata.get(labels) {
            Some(stratum) => *stratum,
            None if self.strata.len() >= MOST_STRATA => u32::MAX,
            None => *self.strata.entry(labels.clone()).or_insert(next),
        };
        self.examples.push((stratum, lot));
    }

    /// How many examples there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.examples.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.examples.is_empty()
    }

    /// Which of the examples are in the sample of this size.
    ///
    /// Examples with the same labels follow each other by lot. Where they part by a label key, the k-th of a value's m examples
    /// stands at (k − 1 + u)/m, with a u from 0 to 1 that the seed draws for every value, so that each value of the first keys
    /// has its share of every sample to within about one example, and values that are rare are in it as often as their
    /// examples say.
    #[must_use]
    pub fn keep(&self, size: usize) -> Vec<bool> {
        let mut keep = vec![false; self.examples.len()];
        for place in self.order().into_iter().take(size) {
            keep[place as usize] = true;
        }
        keep
    }

    fn order(&self) -> Vec<u32> {
        let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
        for (place, (stratum, _)) in (0..).zip(&self.examples) {
            members.entry(*stratum).or_default().push(place);
        }
        let mut strata: Vec<(Vec<String>, Vec<u32>)> = self
            .strata
            .iter()
            .map(|(labels, stratum)| (path(labels), members.remove(stratum).unwrap_or_default()))
            .collect();
        strata.extend(members.into_values().map(|rest| (vec![String::new()], rest)));
        for (_, places) in &mut strata {
            places.sort_by_key(|place| (self.examples[*place as usize].1, *place));
        }
        strata.sort();
        self.merged(&strata, 0, 0)
    }

    /// The order of strata that agree in their first `depth` labels.
    fn merged(&self, strata: &[(Vec<String>, Vec<u32>)], mut depth: usize, splits: usize) -> Vec<u32> {
        if let [(_, only)] = strata {
            return only.clone();
        }
        // The next label in which they differ. Labels can be different and read the same: `a,b` and the list of both.
        let same = |depth: usize| strata.windows(2).all(|pair| pair[0].0.get(depth) == pair[1].0.get(depth));
        let longest = strata.iter().map(|(path, _)| path.len()).max().unwrap_or_default();
        while depth < longest && same(depth) {
            depth += 1;
        }
        if depth == longest || splits == DEEPEST {
            let mut all: Vec<u32> = strata.iter().flat_map(|(_, places)| places.iter().copied()).collect();
            all.sort_by_key(|place| (self.examples[*place as usize].1, *place));
            return all;
        }
        let groups = strata.chunk_by(|a, b| a.0.get(depth) == b.0.get(depth));
        let parts: Vec<Vec<u32>> = groups.map(|group| self.merged(group, depth + 1, splits + 1)).collect();
        let mut placed: Vec<(f64, u64, u32)> = Vec::new();
        for part in parts {
            let all = part.len() as f64;
            let phase = self.phase(&part, splits);
            placed.extend(
                part.into_iter()
                    .enumerate()
                    .map(|(before, place)| ((before as f64 + phase) / all, self.examples[place as usize].1, place)),
            );
        }
        placed.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        placed.into_iter().map(|(_, _, place)| place).collect()
    }

    /// Where in its first step a part begins, from 0 to 1: at the same place for all, rare values would come all together.
    fn phase(&self, part: &[u32], splits: usize) -> f64 {
        let lot = part.first().map_or(0, |place| self.examples[*place as usize].1);
        let digest = short_digest(format!("phase {} {splits} {lot}", self.seed));
        let number = digest[..4].iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        f64::from(number) / 4_294_967_296.0
    }
}

/// Where labels are: key by key.
fn path(labels: &Labels) -> Vec<String> {
    labels.iter().map(|(key, value)| format!("{key}={}", value.iter().collect::<Vec<_>>().join(","))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evalset::LabelValue;
    use std::collections::BTreeMap;

    fn labels(pairs: &[(&str, String)]) -> Labels {
        let pairs = pairs.iter().map(|(key, value)| ((*key).to_owned(), LabelValue::One(value.clone())));
        pairs.collect::<BTreeMap<_, _>>().into()
    }

    #[test]
    fn every_beginning_has_the_shares_of_the_whole() {
        // 700 of a, 200 of b, 99 of c, 1 of d, in file order.
        let mut ranking = Ranking::new(7);
        let value =
            |n: usize| ["a", "b", "c", "d"][usize::from(n >= 700) + usize::from(n >= 900) + usize::from(n >= 999)];
        for n in 0..1000 {
            ranking.add(ranking.lot(&n.to_string()), &labels(&[("kind", value(n).to_owned())]));
        }
        let order = ranking.order();
        for size in 1..1000 {
            for (kind, share) in [("a", 0.7), ("b", 0.2), ("c", 0.099), ("d", 0.001)] {
                let found = order[..size].iter().filter(|place| value(**place as usize) == kind).count() as f64;
                assert!((found - share * size as f64).abs() <= 2.0, "{size}: {found} of {kind}");
            }
        }
    }

    #[test]
    fn rare_values_have_their_share_too() {
        // 80 of one locale, and twenty with one example each.
        let mut found = 0;
        for seed in 0..50 {
            let mut ranking = Ranking::new(seed);
            for n in 0..100 {
                let locale = if n < 80 { "en".to_owned() } else { format!("rare-{n}") };
                ranking.add(ranking.lot(&n.to_string()), &labels(&[("locale", locale)]));
            }
            found += ranking.keep(39)[80..].iter().filter(|kept| **kept).count();
        }
        // 20 × .39 × 50.
        assert!(found.abs_diff(390) < 60, "{found}");
    }

    #[test]
    fn labels_without_end_are_no_strata_and_the_lot_decides() {
        let mut ranking = Ranking::new(7);
        for n in 0..20_100 {
            ranking.add(ranking.lot(&n.to_string()), &labels(&[("user", format!("{n:05}"))]));
        }
        let kept = ranking.keep(2_000);
        assert_eq!(kept.iter().filter(|kept| **kept).count(), 2_000);
        // Nobody is preferred for the letters of a name: the halves of the first 10,000 have about the same.
        let half = kept[..5_000].iter().filter(|kept| **kept).count();
        let other = kept[5_000..10_000].iter().filter(|kept| **kept).count();
        assert!(half.abs_diff(other) < 150, "{half} and {other}");
        // Each of them is a value of its own, and together they have their share.
        assert!((half + other).abs_diff(995) < 150, "{half} and {other}");
        // The deepest tree of labels ends.
        let mut ranking = Ranking::new(7);
        for n in 0..200_usize {
            let pairs: Vec<(String, String)> = (0..=n).map(|key| (format!("{key:03}"), "x".to_owned())).collect();
            let pairs: Vec<(&str, String)> = pairs.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
            ranking.add(ranking.lot(&n.to_string()), &labels(&pairs));
        }
        assert_eq!(ranking.order().len(), 200);
    }
}
