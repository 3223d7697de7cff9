//! Choosing some examples of a set.

use std::sync::Arc;

use super::example::Example;
use super::ranking::Ranking;

/// Which examples to take; the empty selection takes all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Only these ids.
    pub ids: Vec<String>,
    /// Only examples with all of these label values.
    pub filters: Vec<(String, String)>,
    /// Only so many of what is left, in the proportions of its labels.
    pub sample: Option<Sample>,
    /// Only the first so many of what is left.
    pub limit: Option<usize>,
}

/// A sample that is the same for everybody with the same seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// How many examples.
    pub size: usize,
    /// The seed.
    pub seed: u64,
}

impl Sample {
    /// Which of the examples belong to it.
    fn keep(self, examples: &[Arc<Example>]) -> Vec<bool> {
        let mut ranking = Ranking::new(self.seed);
        for example in examples {
            ranking.add(ranking.lot(&example.id), &example.labels);
        }
        ranking.keep(self.size)
    }
}

/// One of several parts of a selection that together are the whole: every n-th example, so that parts differ by one at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which part, from 1.
    pub index: u32,
    /// How many parts there are.
    pub count: u32,
}

impl Shard {
    /// The examples of this part, in their order.
    #[must_use]
    pub fn part<E: Clone>(self, whole: &[E]) -> Vec<E> {
        whole.iter().skip(self.index as usize - 1).step_by(self.count as usize).cloned().collect()
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}/{}", self.index, self.count)
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
        text.split_once('/')
            .and_then(|(index, count)| Some(Self { index: number(index)?, count: number(count)? }))
            .filter(|shard| shard.index <= shard.count)
            .ok_or_else(|| "expected the number of a shard and how many there are, like 3/16".to_owned())
    }
}

impl Selection {
    /// Whether everything is taken.
    #[must_use]
    pub fn is_all(&self) -> bool {
        *self == Self::default()
    }

    /// The chosen examples, in the order of the file.
    ///
    /// # Errors
    /// An id that the set does not have, or a selection that leaves nothing.
    pub fn choose(&self, examples: &[Arc<Example>]) -> Result<Vec<Arc<Example>>, String> {
        if let Some(id) = self.ids.iter().find(|id| !examples.iter().any(|example| example.id == **id)) {
            return Err(format!("the eval set has no example `{id}`"));
        }
        let mut chosen: Vec<Arc<Example>> = examples
            .iter()
            .filter(|example| self.ids.is_empty() || self.ids.contains(&example.id))
            .filter(|example| {
                self.filters.iter().all(|(key, value)| {
                    example.labels.get(key).is_some_and(|label| label.iter().any(|have| have == value))
                })
            })
            .cloned()
            .collect();
        if let Some(sample) = self.sample {
            let mut keep = sample.keep(&chosen).into_iter();
            chosen.retain(|_| keep.next().unwrap_or(false));
        }
        chosen.truncate(self.limit.unwrap_or(usize::MAX));
        if chosen.is_empty() { Err("the selection leaves no example".to_owned()) } else { Ok(chosen) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn example(number: usize) -> Example {
        let labels = [("kind", number % 3), ("tier", number % 10 / 9)];
        let labels: BTreeMap<_, _> = labels
            .into_iter()
            .map(|(key, value)| (key.to_owned(), serde_json::from_value(serde_json::json!(value.to_string())).unwrap()))
            .collect();
        Example {
            id: format!("e{number}"),
            input: "x".into(),
            expected: None,
            labels: labels.into(),
            group: None,
            other: serde_json::Map::new(),
        }
    }

    #[test]
    fn shards_are_the_whole_once_and_balanced() {
        let examples: Vec<Example> = (0..17).map(example).collect();
        for count in [1, 2, 3, 16, 17] {
            let parts: Vec<Vec<_>> = (1..=count).map(|index| Shard { index, count }.part(&examples)).collect();
            let sizes: Vec<usize> = parts.iter().map(Vec::len).collect();
            assert!(sizes.iter().max().unwrap() - sizes.iter().min().unwrap() <= 1, "{sizes:?}");
            let mut ids: Vec<&str> = parts.iter().flatten().map(|example| example.id.as_str()).collect();
            ids.sort_unstable();
            ids.dedup();
            assert_eq!((ids.len(), sizes.iter().sum::<usize>()), (17, 17));
        }
        for wrong in ["", "3", "0/3", "4/3", "1/0", "a/b", "1/3/5", "-1/3"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_sample_keeps_proportions_and_is_the_same_for_a_seed() {
        let examples: Vec<Arc<Example>> = (0..600).map(|number| Arc::new(example(number))).collect();
        let ids = |size, seed| -> Vec<String> {
            let selection = Selection { sample: Some(Sample { size, seed }), ..Selection::default() };
            selection.choose(&examples).unwrap().into_iter().map(|example| example.id.clone()).collect()
        };
        let sample = ids(60, 7);
        assert_eq!(sample.len(), 60);
        assert_eq!(sample, ids(60, 7));
        assert_ne!(sample, ids(60, 8));
        let count = |key: &str, value: &str| {
            let has = |id: &String| {
                let example = examples.iter().find(|example| example.id == *id).unwrap();
                example.labels[key].iter().any(|have| have == value)
            };
            sample.iter().filter(|id| has(id)).count()
        };
        for kind in ["0", "1", "2"] {
            assert_eq!(count("kind", kind), 20);
        }
        assert_eq!(count("tier", "1"), 6);
        assert_eq!(ids(10_000, 7).len(), 600);
        for (small, large) in [(1, 2), (60, 61), (60, 300), (100, 200)] {
            let larger = ids(large, 7);
            assert!(ids(small, 7).iter().all(|id| larger.contains(id)), "the {small} are among the {large}");
        }
    }
}
