//! Experiments on a judge: does it grade the content, or something beside it?
//!
//! Pure: it takes what a judge said of answers and of their varied copies, and gives effects with intervals, and a plain
//! sentence each. Too few items are an error ([`StatError::TooFew`]); data that do not vary get an interval from how
//! often something else could still happen, never one of no width.

use serde::Serialize;

use crate::stats::bootstrap::{Resampling, mean_replicates};
use crate::stats::mean::{MeanEstimate, mean, sample_variance};
use crate::stats::paired::PairedTable;
use crate::stats::proportion::Proportion;
use crate::stats::{Alpha, Interval, Result, StatError, at_least};

/// Items that an experiment needs; of two groups, each.
pub const FEWEST_ITEMS: usize = 10;

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Experiment {
    /// The same pair both ways.
    Position,
    /// With filler behind the answer, against without.
    Length,
    /// The sentences as points, against running text.
    Format,
    /// In a wordy frame, against without.
    Verbosity,
    /// Said with confidence, against said with doubt.
    Tone,
    /// Answers of the judge's own family, against those of others.
    SelfPreference,
    /// The same question again.
    Noise,
}

impl Experiment {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Position, Self::Length, Self::Format, Self::Verbosity, Self::Tone, Self::SelfPreference, Self::Noise];

    /// The name, as it stands in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Position => "position",
            Self::Length => "length",
            Self::Format => "format",
            Self::Verbosity => "verbosity",
            Self::Tone => "tone",
            Self::SelfPreference => "self-preference",
            Self::Noise => "noise",
        }
    }

    /// What is done to the answer, the varied copy, the other copy, and what sways a judge that minds.
    const fn words(self) -> [&'static str; 4] {
        match self {
            Self::Position => ["showing it first", "the first", "the second", "the position"],
            Self::Length => ["adding filler", "the padded copy", "the plain one", "length"],
            Self::Format => ["writing the sentences as points", "the copy with points", "the plain one", "form"],
            Self::Verbosity => ["a wordy frame", "the wordy copy", "the plain one", "wordiness"],
            Self::Tone => {
                ["confidence in place of doubt", "the confident copy", "the doubting one", "confidence of tone"]
            }
            Self::SelfPreference => ["being of its own family", "its own family's", "the other", "the author"],
            Self::Noise => ["asking again", "the second reply", "the first", "chance"],
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The interval leaves out no effect.
    Found,
    /// It does not.
    NotFound,
    /// A size without a right value to compare with.
    Measured,
    /// There is no number; the sentence says why.
    NotMeasured,
}

/// How an interval was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Student's, of paired differences.
    PairedT,
    /// Welch's, of two groups.
    Welch,
    /// Tango's, of wins against losses.
    Tango,
    /// Wilson's, of a share.
    Wilson,
    /// All values were equal: from how often another could still happen, and how far it could be away.
    Bound,
}

/// One number of an experiment, in one dimension.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AuditLine {
    /// The experiment.
    pub experiment: Experiment,
    /// The dimension; `overall` of a judge that has one grade.
    pub dimension: String,
    /// What the effect is.
    pub measure: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// Items that count.
    pub n: usize,
    /// Items that could not be varied, or that the judge gave no grade.
    pub left_out: usize,
    /// The effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<f64>,
    /// Its interval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// How the interval was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// McNemar's exact p of ups against downs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// Items that moved up, or that the varied copy won.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up: Option<usize>,
    /// Items that moved down, or that it lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub down: Option<usize>,
    /// Of noise: the standard deviation of one item's grades.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd: Option<f64>,
    /// Its interval, by bootstrap over items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd_interval: Option<Interval>,
    /// All of it in words.
    pub sentence: String,
}

/// What all experiments share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Auditor {
    /// Error rate of the intervals.
    pub alpha: Alpha,
    /// Seed of what is drawn.
    pub seed: u64,
    /// From the worst grade to the best.
    pub range: f64,
    /// Whether the judge compares.
    pub is_pairwise: bool,
}

/// A mean and where it may be.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Estimate {
    effect: f64,
    interval: Interval,
    method: Method,
}

impl Estimate {
    fn outcome(self) -> Outcome {
        if self.interval.contains(0.0) { Outcome::NotFound } else { Outcome::Found }
    }
}

/// An experiment that gave no number, and why.
#[must_use]
pub fn not_measured(
    experiment: Experiment,
    dimension: &str,
    (n, left_out): (usize, usize),
    why: impl Into<String>,
) -> AuditLine {
    AuditLine {
        experiment,
        dimension: dimension.to_owned(),
        measure: "none",
        outcome: Outcome::NotMeasured,
        n,
        left_out,
        effect: None,
        interval: None,
        method: None,
        p: None,
        up: None,
        down: None,
        sd: None,
        sd_interval: None,
        sentence: format!("not measured: {}", why.into()),
    }
}

impl Auditor {
    /// Grades of plain answers and of their varied copies, item by item; an item without both is left out.
    #[must_use]
    pub fn moved(&self, experiment: Experiment, dimension: &str, grades: &[(Option<f64>, Option<f64>)]) -> AuditLine {
        let changes: Vec<f64> = grades.iter().filter_map(|(plain, varied)| Some((*varied)? - (*plain)?)).collect();
        let counts = (changes.len(), grades.len() - changes.len());
        let line = || -> Result<AuditLine> {
            let estimate = self.mean(&changes, self.range)?;
            let ups = changes.iter().filter(|change| **change > 0.0).count();
            let downs = changes.iter().filter(|change| **change < 0.0).count();
            let [doing, _, _, what] = experiment.words();
            let does = match estimate.effect {
                effect if effect > 0.0 => format!("raises the grade by {} of {}", size(effect), size(self.range)),
                effect if effect < 0.0 => format!("lowers the grade by {} of {}", size(effect), size(self.range)),
                _ => "leaves the grade as it is".to_owned(),
            };
            let sentence =
                format!("{doing} {does} ({}): {}", self.around(estimate, counts.0), sways(estimate, what, self.range));
            Ok(AuditLine {
                measure: "change of the grade",
                p: Some(signs(ups, downs, counts.0)?.mcnemar_exact()),
                up: Some(ups),
                down: Some(downs),
                sentence,
                ..measured(experiment, dimension, counts, estimate)
            })
        };
        line().unwrap_or_else(|why| not_measured(experiment, dimension, counts, refused(&why)))
    }

    /// Of a comparison of a varied copy with another copy of the same answer: 1 where the varied one wins in both
    /// orders, −1 where it loses in both, else 0.
    #[must_use]
    pub fn preferred(&self, experiment: Experiment, dimension: &str, preferences: &[Option<f64>]) -> AuditLine {
        let known: Vec<f64> = preferences.iter().flatten().copied().collect();
        let counts = (known.len(), preferences.len() - known.len());
        let line = || -> Result<AuditLine> {
            at_least("items", FEWEST_ITEMS, counts.0)?;
            let wins = known.iter().filter(|won| **won > 0.0).count();
            let losses = known.iter().filter(|won| **won < 0.0).count();
            let table = signs(wins, losses, counts.0)?;
            let interval = table.tango(self.alpha).with_width("an interval for wins that do not vary")?;
            let estimate = Estimate { effect: table.difference(), interval, method: Method::Tango };
            let [_, varied, other, what] = experiment.words();
            let sentence = format!(
                "against the same answer {varied} wins {wins} times, {other} {losses} times, {} ties; preference {} ({}): {}",
                counts.0 - wins - losses,
                signed(estimate.effect),
                self.around(estimate, counts.0),
                sways(estimate, what, 1.0)
            );
            Ok(AuditLine {
                measure: "preference for the varied copy",
                p: Some(table.mcnemar_exact()),
                up: Some(wins),
                down: Some(losses),
                sentence,
                ..measured(experiment, dimension, counts, estimate)
            })
        };
        line().unwrap_or_else(|why| not_measured(experiment, dimension, counts, refused(&why)))
    }

    /// Of pairs that were asked both ways: how often the ways disagree, and where the judge leans, from −1 (whatever is
    /// second) to 1 (whatever is first).
    #[must_use]
    pub fn position(&self, dimension: &str, pairs: &[Option<(bool, f64)>]) -> Vec<AuditLine> {
        let experiment = Experiment::Position;
        let known: Vec<(bool, f64)> = pairs.iter().flatten().copied().collect();
        let counts = (known.len(), pairs.len() - known.len());
        let lines = || -> Result<Vec<AuditLine>> {
            at_least("items", FEWEST_ITEMS, counts.0)?;
            let flips = known.iter().filter(|(flipped, _)| *flipped).count();
            let shares = self.share(flips, counts.0)?;
            let leans: Vec<f64> = known.iter().map(|(_, lean)| *lean).collect();
            let first = leans.iter().filter(|lean| **lean > 0.0).count();
            let second = leans.iter().filter(|lean| **lean < 0.0).count();
            let estimate = self.mean(&leans, 1.0)?;
            let flipped = format!(
                "shown the other way round, {flips} of {} pairs are judged otherwise: {} ({}); {first} lean to the first \
                 place, {second} to the second",
                counts.0,
                percent(shares.effect),
                self.around_shares(shares.interval, counts.0)
            );
            let leaning = format!(
                "preference for the first place {} ({}; 1 is always the first, -1 always the second): {}",
                signed(estimate.effect),
                self.around(estimate, counts.0),
                sways(estimate, "the position", 1.0)
            );
            Ok(vec![
                AuditLine {
                    measure: "share of flips",
                    outcome: Outcome::Measured,
                    up: Some(first),
                    down: Some(second),
                    sentence: flipped,
                    ..measured(experiment, dimension, counts, shares)
                },
                AuditLine {
                    measure: "preference for the first place",
                    p: Some(signs(first, second, counts.0)?.mcnemar_exact()),
                    up: Some(first),
                    down: Some(second),
                    sentence: leaning,
                    ..measured(experiment, dimension, counts, estimate)
                },
            ])
        };
        lines().unwrap_or_else(|why| vec![not_measured(experiment, dimension, counts, refused(&why))])
    }

    /// Grades of the same items, asked several times each; an item with a reply that gave none is left out.
    #[must_use]
    pub fn noise(&self, dimension: &str, rows: &[Vec<Option<f64>>]) -> AuditLine {
        let experiment = Experiment::Noise;
        let known: Vec<Vec<f64>> = rows.iter().filter_map(|row| row.iter().copied().collect()).collect();
        let counts = (known.len(), rows.len() - known.len());
        let line = || -> Result<AuditLine> {
            at_least("items", FEWEST_ITEMS, counts.0)?;
            let changed = known.iter().filter(|row| row.windows(2).any(|two| two[0] != two[1])).count();
            let shares = self.share(changed, counts.0)?;
            let variances: Vec<f64> = known.iter().map(|row| sample_variance(row)).collect::<Result<_>>()?;
            let sd = mean(&variances)?.sqrt();
            let sd_interval = mean_replicates(&variances, Resampling::seeded(self.seed))
                .and_then(|replicates| replicates.percentile(self.alpha))
                .ok()
                .map(|interval| Interval::new(interval.low.max(0.0).sqrt(), interval.high.max(0.0).sqrt()));
            let times = known.first().map_or(0, Vec::len);
            let verdict = if changed == 0 {
                "no noise is seen from run to run"
            } else {
                "the judge does not say the same twice; no difference below this can be told from chance by one reply"
            };
            let of = if self.is_pairwise { "2".to_owned() } else { size(self.range) };
            let sentence = format!(
                "asked {times} times, {changed} of {} items change: {} ({}), standard deviation {} of {of}: {verdict}",
                counts.0,
                percent(shares.effect),
                self.around_shares(shares.interval, counts.0),
                size(sd)
            );
            Ok(AuditLine {
                measure: "share that changes",
                outcome: if changed > 0 { Outcome::Found } else { Outcome::NotFound },
                sd: Some(sd),
                sd_interval,
                sentence,
                ..measured(experiment, dimension, counts, shares)
            })
        };
        line().unwrap_or_else(|why| not_measured(experiment, dimension, counts, refused(&why)))
    }

    /// Judge less humans, for answers of the judge's own family and for those of others.
    #[must_use]
    pub fn self_preference(&self, dimension: &str, own: &[f64], others: &[f64], left_out: usize) -> AuditLine {
        let counts = (own.len() + others.len(), left_out);
        let line = || -> Result<AuditLine> {
            at_least("answers of the judge's own family", FEWEST_ITEMS, own.len())?;
            at_least("answers of other families", FEWEST_ITEMS, others.len())?;
            let estimate = self.two_groups(own, others)?;
            let sentence = format!(
                "beside human labels the judge gives its own family's answers {} of {} than those of others ({}; {} own, \
                 {} others): {}",
                more(estimate.effect),
                size(self.range),
                self.around(estimate, counts.0),
                own.len(),
                others.len(),
                sways(estimate, "the author", self.range)
            );
            Ok(AuditLine {
                measure: "judge less humans, own family less others",
                sentence,
                ..measured(Experiment::SelfPreference, dimension, counts, estimate)
            })
        };
        line().unwrap_or_else(|why| not_measured(Experiment::SelfPreference, dimension, counts, refused(&why)))
    }

    /// Of comparisons between the judge's own family and another: the judge's preference for its own less that of
    /// humans, −2 to 2.
    #[must_use]
    pub fn own_side(&self, dimension: &str, excess: &[f64], left_out: usize) -> AuditLine {
        let counts = (excess.len(), left_out);
        let line = || -> Result<AuditLine> {
            let estimate = self.mean(excess, 2.0)?;
            let sentence = format!(
                "the judge prefers its own family's answers by {} of 2 than humans do ({}): {}",
                more(estimate.effect),
                self.around(estimate, counts.0),
                sways(estimate, "the author", 2.0)
            );
            Ok(AuditLine {
                measure: "preference for the own family, judge less humans",
                sentence,
                ..measured(Experiment::SelfPreference, dimension, counts, estimate)
            })
        };
        line().unwrap_or_else(|why| not_measured(Experiment::SelfPreference, dimension, counts, refused(&why)))
    }

    /// The mean of values between −`range` and `range`.
    fn mean(&self, values: &[f64], range: f64) -> Result<Estimate> {
        at_least("items", FEWEST_ITEMS, values.len())?;
        Self::mean_at(values, range, self.alpha)
    }

    fn mean_at(values: &[f64], range: f64, alpha: Alpha) -> Result<Estimate> {
        let estimate = MeanEstimate::of(values)?;
        match estimate.t_interval(alpha) {
            Ok(interval) => Ok(Estimate {
                effect: estimate.mean,
                interval: interval.clipped(-range, range),
                method: Method::PairedT,
            }),
            Err(StatError::Undefined(_)) => Ok(bound(estimate.mean, values.len(), range, alpha)?),
            Err(other) => Err(other),
        }
    }

    fn two_groups(&self, own: &[f64], others: &[f64]) -> Result<Estimate> {
        let (a, b) = (MeanEstimate::of(own)?, MeanEstimate::of(others)?);
        if a.t_interval(self.alpha).is_ok() && b.t_interval(self.alpha).is_ok() {
            let (va, vb) = (a.se * a.se, b.se * b.se);
            let df = (va + vb) * (va + vb) / (va * va / a.df + vb * vb / b.df);
            let welch = MeanEstimate { mean: a.mean - b.mean, se: (va + vb).sqrt(), df };
            return Ok(Estimate { effect: welch.mean, interval: welch.t_interval(self.alpha)?, method: Method::Welch });
        }
        // A group that does not vary has no standard error to add.
        let each = self.alpha.among(2);
        let (x, y) = (Self::mean_at(own, self.range, each)?, Self::mean_at(others, self.range, each)?);
        let interval = Interval::new(x.interval.low - y.interval.high, x.interval.high - y.interval.low);
        Ok(Estimate { effect: a.mean - b.mean, interval, method: Method::Bound })
    }

    fn share(&self, count: usize, n: usize) -> Result<Estimate> {
        let share = Proportion::new(count as u64, n as u64)?;
        Ok(Estimate { effect: share.rate(), interval: share.wilson(self.alpha), method: Method::Wilson })
    }

    fn confidence(&self) -> String {
        size(100.0 * (1.0 - self.alpha.get()))
    }

    fn around(&self, estimate: Estimate, n: usize) -> String {
        let Interval { low, high } = estimate.interval;
        format!("{} % {} to {}, n = {n}", self.confidence(), signed(low), signed(high))
    }

    fn around_shares(&self, Interval { low, high }: Interval, n: usize) -> String {
        format!("{} % {} to {}, n = {n}", self.confidence(), percent(low), percent(high))
    }
}

fn measured(experiment: Experiment, dimension: &str, counts: (usize, usize), estimate: Estimate) -> AuditLine {
    AuditLine {
        outcome: estimate.outcome(),
        effect: Some(estimate.effect),
        interval: Some(estimate.interval),
        method: Some(estimate.method),
        ..not_measured(experiment, dimension, counts, "")
    }
}

/// Where the mean may be of values that were all `value`: another one happens at most so often as would stay unseen in
/// `n` with probability alpha, and is at most at an end.
fn bound(value: f64, n: usize, range: f64, alpha: Alpha) -> Result<Estimate> {
    let unseen = Proportion::new(0, n as u64)?.upper_bound_without_success(alpha).unwrap_or(1.0);
    let interval = Interval::new(value - unseen * (range + value), value + unseen * (range - value));
    Ok(Estimate { effect: value, interval: interval.clipped(-range, range), method: Method::Bound })
}

/// Ups and downs as a table of paired outcomes.
fn signs(ups: usize, downs: usize, n: usize) -> Result<PairedTable> {
    PairedTable::new(0, ups as u64, downs as u64, (n - ups - downs) as u64)
}

fn refused(why: &StatError) -> String {
    match why {
        StatError::TooFew { what, needed, got } => {
            format!("too few {what}: {got}, and {needed} are needed before an interval says anything")
        }
        other => other.to_string(),
    }
}

fn sways(estimate: Estimate, what: &str, range: f64) -> String {
    match estimate.outcome() {
        Outcome::Found if estimate.effect < 0.0 && what != "the position" && what != "the author" => {
            format!("{what} sways this judge, against it")
        }
        Outcome::Found => format!("{what} sways this judge"),
        _ if estimate.interval.width() > 0.5 * range => {
            format!("no sway of {what} is seen, but so few items would miss a large one")
        }
        _ => format!("no sway of {what} is seen"),
    }
}

/// A size to two places, without a sign and without useless zeros.
fn size(value: f64) -> String {
    let text = format!("{:.2}", value.abs());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn signed(value: f64) -> String {
    let size = size(value);
    if value < 0.0 && size != "0" { format!("-{size}") } else { size }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn more(effect: f64) -> String {
    if effect < 0.0 { format!("{} less", size(effect)) } else { format!("{} more", size(effect)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUDITOR: Auditor = Auditor { alpha: Alpha::FIVE_PERCENT, seed: 1, range: 3.0, is_pairwise: false };

    #[test]
    fn a_planted_change_is_found_with_the_paired_interval() {
        let grades: Vec<_> = (0..60_u32)
            .map(|at| (Some(1.0), Some(if at % 5 < 2 { 2.0 } else { 1.0 })))
            .chain([(None, Some(1.0)), (Some(1.0), None)])
            .collect();
        let line = AUDITOR.moved(Experiment::Length, "overall", &grades);
        assert_eq!((line.n, line.left_out, line.outcome), (60, 2, Outcome::Found));
        assert_eq!((line.up, line.down), (Some(24), Some(0)));
        let interval = line.interval.unwrap();
        // .4 ± t(59) √(.4·.6·60/59/60)
        let half = 2.000_995 * f64::sqrt(0.24 / 59.0);
        assert!((interval.low - (0.4 - half)).abs() < 1e-6 && (interval.high - (0.4 + half)).abs() < 1e-6);
        assert_eq!(
            line.sentence,
            "adding filler raises the grade by 0.4 of 3 (95 % 0.27 to 0.53, n = 60): length sways this judge"
        );
    }

    #[test]
    fn grades_that_never_move_get_an_interval_with_a_width() {
        let line = AUDITOR.moved(Experiment::Tone, "overall", &[(Some(2.0), Some(2.0)); 60]);
        assert_eq!((line.outcome, line.method, line.effect), (Outcome::NotFound, Some(Method::Bound), Some(0.0)));
        // 1 − .05^(1/60) = .0487
        let interval = line.interval.unwrap();
        assert!((interval.high - 3.0 * 0.048_703).abs() < 1e-4 && interval.low == -interval.high, "{interval:?}");
        // All raised alike: still found.
        let line = AUDITOR.moved(Experiment::Tone, "overall", &[(Some(1.0), Some(2.0)); 60]);
        assert!(line.outcome == Outcome::Found && line.interval.unwrap().width() > 0.1, "{line:?}");
    }

    #[test]
    fn too_few_items_are_no_interval() {
        let few = [
            AUDITOR.moved(Experiment::Length, "overall", &[(Some(1.0), Some(2.0)); 9]),
            AUDITOR.preferred(Experiment::Length, "overall", &[Some(1.0); 9]),
            AUDITOR.noise("overall", &vec![vec![Some(1.0), Some(2.0)]; 9]),
            AUDITOR.self_preference("overall", &[1.0; 9], &[0.0; 50], 0),
            AUDITOR.own_side("overall", &[1.0; 9], 0),
            AUDITOR.position("overall", &[Some((true, 1.0)); 9]).remove(0),
        ];
        for line in few {
            assert_eq!((line.outcome, line.interval, line.effect), (Outcome::NotMeasured, None, None), "{line:?}");
            assert!(line.sentence.contains("10 are needed"), "{line:?}");
        }
    }

    #[test]
    fn places_wins_noise_and_families() {
        let pairs: Vec<_> = (0..40).map(|at| Some((at < 20, if at < 20 { 1.0 } else { 0.0 }))).collect();
        let lines = AUDITOR.position("overall", &pairs);
        assert_eq!((lines[0].effect, lines[0].outcome), (Some(0.5), Outcome::Measured));
        assert_eq!((lines[1].effect, lines[1].outcome), (Some(0.5), Outcome::Found));
        // Flips that go both ways are noise, no preference.
        let pairs: Vec<_> = (0..40).map(|at| Some((true, if at < 20 { 1.0 } else { -1.0 }))).collect();
        let lines = AUDITOR.position("overall", &pairs);
        assert_eq!((lines[0].effect, lines[1].outcome), (Some(1.0), Outcome::NotFound));
        let ties = AUDITOR.preferred(Experiment::Format, "overall", &[Some(0.0); 30]);
        assert!(ties.outcome == Outcome::NotFound && ties.interval.unwrap().width() > 0.1, "{ties:?}");
        let rows: Vec<_> = (0..20).map(|at| vec![Some(1.0), Some(if at < 5 { 2.0 } else { 1.0 })]).collect();
        let noise = AUDITOR.noise("overall", &rows);
        assert_eq!((noise.effect, noise.outcome), (Some(0.25), Outcome::Found));
        // A difference of 1 in two has the variance .5.
        assert!((noise.sd.unwrap() - f64::sqrt(0.125)).abs() < 1e-12 && noise.sd_interval.is_some());
        assert_eq!(noise, AUDITOR.noise("overall", &rows));
        let own: Vec<f64> = (0..20).map(|at| 1.0 + f64::from(at % 2)).collect();
        let others: Vec<f64> = (0..20).map(|at| f64::from(at % 2)).collect();
        let found = AUDITOR.self_preference("overall", &own, &others, 3);
        assert_eq!((found.outcome, found.method, found.effect), (Outcome::Found, Some(Method::Welch), Some(1.0)));
        let level = AUDITOR.self_preference("overall", &[0.0; 20], &others, 0);
        assert!(level.method == Some(Method::Bound) && level.outcome == Outcome::NotFound, "{level:?}");
    }
}
