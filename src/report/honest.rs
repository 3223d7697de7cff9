//! Does the head beat an afternoon's rules? The table of honest baselines, and the answer in a sentence.

use serde::Serialize;

use super::unit::Unit;
use crate::compare::MetricSummary;
use crate::gate::{HonestBaseline, HonestScore, Standing};

/// One honest baseline under one metric.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HonestRow {
    /// The metric.
    pub metric: String,
    /// The baseline.
    pub baseline: String,
    /// Its kind and what it learned from.
    pub about: String,
    /// Its estimate.
    pub score: String,
    /// The interval of that.
    pub score_ci: String,
    /// Head minus baseline.
    pub delta: String,
    /// The interval of that.
    pub ci: String,
    /// How the head stands to it, in words.
    pub standing: &'static str,
    /// Whether the head beats it.
    pub good: bool,
}

/// Everything about honest baselines that a report shows; empty where none was asked.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct HonestView {
    /// The answer, a sentence for each metric.
    pub sentences: Vec<String>,
    /// The table.
    pub rows: Vec<HonestRow>,
}

impl HonestView {
    /// The headings of the table's columns, in the order of [`HonestRow::cells`].
    pub const HEADINGS: [&'static str; 7] =
        ["metric", "honest baseline", "score", "95 %", "candidate − it", "95 %", "the candidate"];

    pub(super) fn new(baselines: &[HonestBaseline], metrics: &[MetricSummary]) -> Self {
        let mut view = Self::default();
        for metric in metrics {
            let unit = Unit::of(metrics, &metric.name);
            let found: Vec<(&HonestBaseline, &HonestScore)> = baselines
                .iter()
                .filter_map(|honest| Some((honest, honest.scores.iter().find(|score| score.metric == metric.name)?)))
                .collect();
            view.sentences.extend(sentence(&found, metric, unit));
            view.rows.extend(found.into_iter().map(|(honest, score)| row(honest, score, unit)));
        }
        view
    }
}

impl HonestRow {
    /// The cells of its line.
    #[must_use]
    pub fn cells(&self) -> [String; 7] {
        [
            self.metric.clone(),
            format!("{} ({})", self.baseline, self.about),
            self.score.clone(),
            self.score_ci.clone(),
            self.delta.clone(),
            self.ci.clone(),
            self.standing.to_owned(),
        ]
    }
}

fn row(honest: &HonestBaseline, score: &HonestScore, unit: Unit) -> HonestRow {
    let pair = |ci: [f64; 2]| (ci[0], ci[1]);
    let kind = if honest.kind == honest.name { String::new() } else { format!("{}, ", honest.kind) };
    HonestRow {
        metric: score.metric.clone(),
        baseline: honest.name.clone(),
        about: format!("{kind}{}", honest.learned_from.as_deref().unwrap_or("rules")),
        score: unit.value(score.baseline),
        score_ci: unit.range(score.baseline_ci.map(pair)),
        delta: unit.change(score.delta),
        ci: unit.interval(score.ci.map(pair)),
        standing: match score.standing {
            Standing::Beats => "beats it",
            Standing::Open => "is not shown to beat it",
            Standing::Loses => "is worse",
        },
        good: score.standing == Standing::Beats,
    }
}

/// The answer under a metric: by the baseline that comes closest to the head, or is farthest ahead of it.
fn sentence(found: &[(&HonestBaseline, &HonestScore)], metric: &MetricSummary, unit: Unit) -> Option<String> {
    // The end of the interval that speaks least for the head.
    let worst_end = |score: &HonestScore| match score.ci {
        Some([low, _]) if metric.scale.higher_is_better => low,
        Some([_, high]) => -high,
        None => f64::NEG_INFINITY,
    };
    let (honest, score) = found.iter().min_by(|(_, a), (_, b)| worst_end(a).total_cmp(&worst_end(b)))?;
    let points = if unit.is_percent() { " points" } else { "" };
    let by = format!("{}{points} {}", unit.change(score.delta), unit.interval(score.ci.map(|ci| (ci[0], ci[1]))));
    let of = match found.len() {
        1 => String::new(),
        several => format!(", of {several} the hardest to beat"),
    };
    let (metric, name, its) = (&metric.name, &honest.name, unit.value(score.baseline));
    let candidates = unit.value(score.head);
    Some(match score.standing {
        Standing::Beats => {
            format!("{metric}: the candidate ({candidates}) beats an afternoon's rules by {by}: {name} ({its}{of})")
        }
        Standing::Open => format!(
            "{metric}: the candidate ({candidates}) does NOT beat an afternoon's rules: {name} ({its}{of}), difference {by}, \
             which may be chance"
        ),
        Standing::Loses => format!(
            "{metric}: the candidate ({candidates}) does NOT beat an afternoon's rules: {name} ({its}{of}) is better, \
             difference {by}"
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::TrialRange;
    use crate::score::Scale;

    fn honest(name: &str, baseline: f64, ci: [f64; 2], standing: Standing) -> HonestBaseline {
        HonestBaseline {
            name: name.to_owned(),
            kind: "nearest".to_owned(),
            learned_from: Some("each example left out".to_owned()),
            digest: String::new(),
            source: String::new(),
            record_sha256: String::new(),
            scores: vec![HonestScore {
                metric: "routing".to_owned(),
                n: 60,
                baseline: Some(baseline),
                baseline_ci: Some([baseline - 0.1, baseline + 0.1]),
                head: Some(0.78),
                head_ci: None,
                delta: Some(0.78 - baseline),
                ci: Some(ci),
                method: "tango".to_owned(),
                standing,
            }],
        }
    }

    fn view(higher_is_better: bool, honest: &[HonestBaseline]) -> HonestView {
        let trials = TrialRange { least: 1, most: 1 };
        let metric = MetricSummary {
            name: "routing".to_owned(),
            scale: Scale { higher_is_better, ..Scale::UNIT },
            baseline_trials: trials,
            head_trials: trials,
            trials_used: 1,
            tolerance: 0.0,
        };
        HonestView::new(honest, &[metric])
    }

    #[test]
    fn the_sentence_is_about_the_baseline_that_is_hardest_to_beat() {
        let easy = honest("majority", 0.3, [0.3, 0.6], Standing::Beats);
        let hard = honest("nearest", 0.6, [0.05, 0.3], Standing::Beats);
        let shown = view(true, &[easy.clone(), hard]);
        assert_eq!(
            shown.sentences,
            ["routing: the candidate (78.0 %) beats an afternoon's rules by +18.0 points [+5.0, +30.0]: nearest \
              (60.0 %, of 2 the hardest to beat)"]
        );
        assert_eq!(shown.rows.len(), 2);
        let open = honest("nearest", 0.75, [-0.1, 0.16], Standing::Open);
        assert!(view(true, &[easy, open]).sentences[0].contains("does NOT beat"));
        let worse = honest("nearest", 0.9, [-0.2, -0.04], Standing::Loses);
        assert!(view(true, &[worse]).sentences[0].contains("nearest (90.0 %) is better"));
        assert_eq!(view(true, &[]), HonestView::default());
    }

    #[test]
    fn where_less_is_better_the_other_end_counts() {
        let near = honest("near", 0.8, [-0.2, -0.01], Standing::Beats);
        let far = honest("far", 0.9, [-0.4, -0.3], Standing::Beats);
        assert!(view(false, &[far, near]).sentences[0].contains("near (80.0 %"));
    }
}
