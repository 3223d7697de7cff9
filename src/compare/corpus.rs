//! Estimates over the whole corpus, cell by cell: both sides' estimates, the paired bootstrap, and what the gate needs.

use std::sync::Arc;

use super::comparison::{CellComparison, CompareOptions, IntervalMethod};
use super::error::CompareError;
use super::estimate::Estimate;
use super::pairing::Matched;
use super::side::{MetricValues, Seen};
use crate::score::Scale;
use crate::stats::bootstrap::{Replicates, Resampling};
use crate::stats::corpus::{Block, CorpusReplicates, LabelScore, Measure, PairedCorpus};
use crate::stats::sign_flip::Changes;
use crate::stats::{Alpha, Interval, Result, StatError};

/// Resamples of a paired bootstrap. Its interval ends have a simulation error of about a twentieth of their distance.
pub const CORPUS_RESAMPLES: usize = 2_000;

/// Bins of a calibration error.
pub(super) const BINS: u32 = 15;

/// How the interval of a corpus estimate is made.
pub const CORPUS_METHOD: &str = "paired-bootstrap";

/// What the decision needs of a cell whose estimate is no mean.
#[derive(Debug, Clone, PartialEq)]
pub struct CorpusEvidence {
    /// Both sides, block by block.
    paired: Arc<PairedCorpus<Measure>>,
    /// Replicates of the change for the better on a 0..1 scale, where there are enough that differ.
    change: Option<Replicates>,
    /// The largest change there can be, on that scale.
    most: f64,
}

impl CorpusEvidence {
    /// The change for the better on a 0..1 scale.
    pub(super) fn change(&self) -> Option<f64> {
        self.paired.change()
    }

    /// Its percentile interval.
    pub(super) fn interval(&self, alpha: Alpha) -> Option<Interval> {
        let interval = self.change.as_ref()?.percentile(alpha).ok()?;
        Some(interval.clipped(-self.most, self.most))
    }

    /// How the change depends on the blocks that moved.
    pub(super) fn changes(&self) -> Changes {
        if self.change().is_none() {
            return Changes::Sum(Vec::new());
        }
        let by: Arc<PairedCorpus<Measure>> = Arc::clone(&self.paired);
        Changes::Recomputed { blocks: self.paired.moved().to_vec(), by }
    }
}

/// The trials of every example that both sides are seen in.
pub(super) struct PairedSeen {
    estimate: Estimate,
    /// How many labels there are, of both sides.
    classes: u32,
    /// The label that the estimate is about.
    about: u32,
    examples: Vec<(Vec<Seen>, Vec<Seen>)>,
}

impl PairedSeen {
    /// Pairs the trials of two sides as their scores are paired; `None` for a metric that is a mean.
    pub(super) fn new(baseline: &MetricValues, head: &MetricValues, matched: &Matched) -> Option<Self> {
        let (b, h) = (baseline.seen.as_ref()?, head.seen.as_ref()?);
        // One numbering for both sides, by the bytes of the labels, whatever order they came in.
        let mut names: Vec<&String> = b.labels.iter().chain(&h.labels).chain(&baseline.label).collect();
        names.sort();
        names.dedup();
        let number = |name: &String| names.binary_search(&name).map_or(names.len(), |at| at) as u32;
        let numbers = |labels: &[String]| -> Vec<u32> { labels.iter().map(number).collect() };
        let (of_baseline, of_head) = (numbers(&b.labels), numbers(&h.labels));
        let renumbered = |seen: Seen, numbers: &[u32]| match seen {
            Seen::Label { right, said } => {
                Seen::Label { right: numbers[right as usize], said: said.map(|said| numbers[said as usize]) }
            }
            other => other,
        };
        let pair = |(&b, &h): (&u32, &u32)| {
            let both = baseline.seen_of(b as usize).iter().zip(head.seen_of(h as usize));
            both.filter_map(|(b, h)| Some((renumbered((*b)?, &of_baseline), renumbered((*h)?, &of_head)))).unzip()
        };
        Some(Self {
            estimate: baseline.estimate,
            classes: names.len() as u32,
            about: baseline.label.as_ref().map_or(0, number),
            examples: matched.baseline.iter().zip(&matched.head).map(pair).collect(),
        })
    }

    /// The two sides on some examples, given as (block, example), blocks in any order.
    ///
    /// # Errors
    /// [`StatError::TooFew`] without examples.
    pub(super) fn on(&self, members: &[(u32, u32)], scale: Scale) -> Result<PairedCorpus<Measure>> {
        let mut members: Vec<(u32, u32)> =
            members.iter().copied().filter(|(_, example)| !self.examples[*example as usize].0.is_empty()).collect();
        members.sort_unstable();
        let mut confidences: Vec<f64> = Vec::new();
        if self.estimate == Estimate::Auc {
            let seen = members.iter().flat_map(|(_, example)| {
                let (b, h) = &self.examples[*example as usize];
                b.iter().chain(h)
            });
            confidences.extend(seen.filter_map(|seen| match seen {
                Seen::Stated { confidence, .. } => Some(*confidence),
                _ => None,
            }));
            confidences.sort_unstable_by(f64::total_cmp);
            confidences.dedup();
        }
        let measure = self.measure(confidences.len() as u32);
        let side = |seen: &[Seen]| {
            let weight = 1.0 / seen.len() as f64;
            seen.iter().flat_map(|&seen| entries(measure, seen, &confidences, weight)).collect::<Vec<_>>()
        };
        let blocks = members.chunk_by(|a, b| a.0 == b.0).map(|members| {
            let examples = || members.iter().map(|(_, example)| &self.examples[*example as usize]);
            Block {
                number: members[0].0,
                baseline: examples().flat_map(|(baseline, _)| side(baseline)).collect(),
                head: examples().flat_map(|(_, head)| side(head)).collect(),
            }
        });
        PairedCorpus::new(measure, blocks.collect(), scale.direction() / scale.width())
    }

    fn measure(&self, confidences: u32) -> Measure {
        let labels = |score| Measure::Labels { score, classes: self.classes };
        match self.estimate {
            Estimate::MicroF1 => labels(LabelScore::MicroF1),
            Estimate::MacroPrecision => labels(LabelScore::MacroPrecision),
            Estimate::MacroRecall => labels(LabelScore::MacroRecall),
            Estimate::Precision => labels(LabelScore::Precision(self.about)),
            Estimate::Recall => labels(LabelScore::Recall(self.about)),
            Estimate::Ece => Measure::CalibrationError { bins: BINS },
            Estimate::Auc => Measure::Auc { values: confidences },
            Estimate::BradleyTerry => Measure::LogStrength,
            _ => labels(LabelScore::MacroF1),
        }
    }

    /// Writes the corpus estimate into a cell: everything that a mean would have there.
    ///
    /// # Errors
    /// A kind of interval that such an estimate does not have.
    pub(super) fn fill(
        &self,
        mut cell: CellComparison,
        members: &[(u32, u32)],
        scale: Scale,
        options: &CompareOptions,
    ) -> std::result::Result<CellComparison, CompareError> {
        if !matches!(options.interval, IntervalMethod::Auto | IntervalMethod::Bootstrap) {
            let what = format!("{} @ {}", cell.metric, cell.slice);
            let why = "an estimate that is no mean over examples has a bootstrap interval and no other";
            return Err(CompareError::Statistic { what, source: StatError::Undefined(why) });
        }
        let Ok(paired) = self.on(members, scale) else { return Ok(cell) };
        cell.baseline = paired.baseline();
        cell.head = paired.head();
        cell.delta = cell.baseline.zip(cell.head).map(|(baseline, head)| head - baseline);
        let resampling = Resampling { replicates: CORPUS_RESAMPLES, seed: options.seed };
        // One block alone says nothing about variation.
        let replicates = paired.bootstrap(resampling, cell.evidence.trials).ok();
        let CorpusReplicates { baseline, head, change } =
            replicates.unwrap_or(CorpusReplicates { baseline: None, head: None, change: None });
        let one_side = |replicates: Option<Replicates>| self.one_side(&replicates?, options.alpha);
        cell.baseline_ci = one_side(baseline);
        cell.head_ci = one_side(head);
        // A strength has no ends.
        let most = if self.estimate == Estimate::BradleyTerry { f64::INFINITY } else { 1.0 };
        let evidence = CorpusEvidence { paired: Arc::new(paired), change, most };
        if let Some(interval) = evidence.interval(options.alpha) {
            cell.ci = Some(interval.scaled(scale.width() * scale.direction()));
            cell.method = CORPUS_METHOD;
        }
        cell.evidence.corpus = Some(evidence);
        Ok(cell)
    }

    /// The percentile interval of one side's estimate. A calibration error has none: noise within bins adds to it and
    /// never cancels, so that resampling a perfectly calibrated system never comes near 0.
    pub(super) fn one_side(&self, replicates: &Replicates, alpha: Alpha) -> Option<Interval> {
        if self.estimate == Estimate::Ece { None } else { replicates.percentile(alpha).ok() }
    }

    /// (confidence, right) of every example, where each has one trial.
    pub(super) fn stated_once(&self) -> Option<(Vec<f64>, Vec<bool>)> {
        let mut stated = (Vec::new(), Vec::new());
        for (_, head) in self.examples.iter().filter(|(_, head)| !head.is_empty()) {
            let [Seen::Stated { confidence, right }] = head[..] else { return None };
            stated.0.push(confidence);
            stated.1.push(right);
        }
        Some(stated)
    }
}

fn entries(measure: Measure, seen: Seen, confidences: &[f64], weight: f64) -> Vec<(u32, f64)> {
    match (measure, seen) {
        (Measure::Labels { classes, .. }, Seen::Label { right, said }) => Measure::label(classes, right, said, weight),
        (Measure::CalibrationError { bins }, Seen::Stated { confidence, right }) => {
            Measure::stated(bins, confidence, right, weight)
        }
        (Measure::Auc { values }, Seen::Stated { confidence, right }) => {
            let at = confidences.partition_point(|&known| known < confidence) as u32;
            Measure::ranked(values, at, right, weight)
        }
        (Measure::LogStrength, Seen::Preferred(preference)) => Measure::preference(preference, weight),
        // A metric sees one kind of thing only.
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Scored, SeenTrials};

    /// A side of examples with the given (right, said) labels a trial, numbered in the order in which they come.
    fn side(examples: &[&[(&str, &str)]], estimate: Estimate, about: Option<&str>) -> MetricValues {
        let mut values = MetricValues::new("m", Scale::UNIT, true);
        values.estimate = estimate;
        values.label = about.map(str::to_owned);
        let mut seen = SeenTrials::default();
        let number = |seen: &mut SeenTrials, label: &str| {
            let known = seen.labels.iter().position(|known| known == label);
            known.unwrap_or_else(|| {
                seen.labels.push(label.to_owned());
                seen.labels.len() - 1
            }) as u32
        };
        for trials in examples {
            values.push(trials.iter().map(|(right, said)| Some(Scored { value: 0.0, passed: right == said })));
            for (right, said) in *trials {
                let right = number(&mut seen, right);
                let said = (!said.is_empty()).then(|| number(&mut seen, said));
                seen.trials.push(Some(Seen::Label { right, said }));
            }
        }
        values.seen = Some(seen);
        values
    }

    fn matched(examples: u32) -> Matched {
        let rows: Vec<u32> = (0..examples).collect();
        Matched { baseline: rows.clone(), head: rows, only_baseline: Vec::new(), only_head: Vec::new() }
    }

    #[test]
    fn labels_mean_the_same_on_both_sides_in_whatever_order_they_come() {
        let baseline: [&[_]; 3] = [&[("b", "b")], &[("a", "b")], &[("c", "c")]];
        let head: [&[_]; 3] = [&[("b", "a")], &[("a", "a")], &[("c", "")]];
        let recall = |about: &str| {
            let of = |examples| side(examples, Estimate::Recall, Some(about));
            let paired = PairedSeen::new(&of(&baseline), &of(&head), &matched(3)).unwrap();
            let paired = paired.on(&[(0, 0), (1, 1), (2, 2)], Scale::UNIT).unwrap();
            (paired.baseline(), paired.head())
        };
        assert_eq!(recall("a"), (Some(0.0), Some(1.0)));
        assert_eq!(recall("b"), (Some(1.0), Some(0.0)));
        assert_eq!(recall("c"), (Some(1.0), Some(0.0)));
        // A label of the config that no example has.
        assert_eq!(recall("d"), (None, None));
    }

    #[test]
    fn trials_share_the_weight_of_their_example_and_groups_are_one_block() {
        let baseline: [&[_]; 3] = [&[("a", "a"), ("a", "a")], &[("a", "b"), ("a", "a")], &[("b", "b")]];
        let head: [&[_]; 3] = [&[("a", "a"), ("a", "b")], &[("a", "b"), ("a", "b")], &[("b", "b"), ("b", "a")]];
        let of = |examples| side(examples, Estimate::Recall, Some("a"));
        let seen = PairedSeen::new(&of(&baseline), &of(&head), &matched(3)).unwrap();
        let paired = seen.on(&[(1, 2), (0, 0), (0, 1)], Scale::UNIT).unwrap();
        assert_eq!((paired.baseline(), paired.head(), paired.blocks()), (Some(0.75), Some(0.25), 2));
        // The third example uses one trial of both sides, which is the same, so that its block has nothing to exchange.
        assert_eq!(paired.moved().iter().map(|(block, _)| *block).collect::<Vec<_>>(), [0]);
    }
}
