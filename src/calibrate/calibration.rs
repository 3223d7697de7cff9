//! Labels and grades of one dimension → how well each judge agrees with people.

use rayon::prelude::*;
use serde::Serialize;

use super::CalibrateError;
use super::against::{Against, Codes, Detail, Kappa, Ordered, against, correlations, detailed};
use super::beside::{SideBySide, side_by_side};
use super::ceiling::{Ceiling, ceiling};
use super::disagreement::{Disagreement, disagreements};
use super::headline::{References, references};
use super::inter_rater::{InterRater, inter_rater};
use super::licence::{Evidence, Licence, RELATIVE_KAPPA, grant};
use super::reference::{Consensus, ConsensusCounts, adjudicated, consensus};
use super::reliability::{Reliability, reliability};
use super::scale::{Measure, Resolved, Scale, ScaleWish, resolve};
use crate::judge::{Grade, Graded, RaterKind, Said, Sheet};
use crate::stats::ppi::LabelledMoments;
use crate::stats::proportion::Proportion;
use crate::stats::{Alpha, Interval};

/// Every single rater is looked at in full, and in each slice, up to so many raters.
const MOST_RATERS_IN_FULL: usize = 20;

/// What a judgement counts as that could not be read.
#[derive(Debug, Clone, PartialEq)]
pub enum Unparsed {
    /// Nothing: the item is left out, and counted.
    Drop,
    /// A tie: the label that was named, else the one that says so.
    Tie(Option<Grade>),
}

/// How to calibrate.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Intervals have confidence 1 − α.
    pub alpha: Alpha,
    /// What was said about the scale.
    pub scale: ScaleWish,
    /// What an unreadable judgement counts as.
    pub unparsed: Unparsed,
    /// ε of the alternative annotator test.
    pub epsilon: f64,
    /// How many disagreements to list.
    pub listed: usize,
}

/// Numbers of a column of measurements.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Smallest.
    pub low: f64,
    /// Largest.
    pub high: f64,
}

/// What one rater or judge used.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Marginals {
    /// Who.
    pub name: String,
    /// A person or a stand-in; absent for a judge.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<RaterKind>,
    /// Items labelled.
    pub n: usize,
    /// How often each label, in the order of the scale.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<u64>,
    /// Of measurements, their range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<Spread>,
}

/// Judgements that could not be read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UnparsedRate {
    /// How many.
    pub n: usize,
    /// Of how many.
    pub of: usize,
    /// Their share.
    pub rate: f64,
    /// Its Wilson interval.
    pub interval: Option<Interval>,
    /// `left out`, or the label that they count as.
    pub counted_as: String,
    /// Grades that are not on the scale, among them, with how often they were given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub off_scale: Vec<(String, usize)>,
}

/// How sure κ is, and what would make it surer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Precision {
    /// Items.
    pub n: usize,
    /// Half the width of κ's interval.
    pub half_width: f64,
    /// Items for a half width of .10, at this κ.
    pub n_for_10_points: usize,
    /// Items for a half width of .05.
    pub n_for_5_points: usize,
    /// Items for a lower end that reaches the limit below κ (.6 or .4); absent where κ is on a limit or below .4.
    pub n_for_the_limit_below: Option<usize>,
}

/// A slice.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SliceCalibration {
    /// Its name.
    pub slice: String,
    /// Its items.
    pub items: usize,
    /// The raters among themselves, without the pairs.
    pub inter_rater: InterRater,
    /// How its consensus came about.
    pub consensus: ConsensusCounts,
    /// Against the consensus; with one rater, against that rater.
    pub against: Against,
    /// Against each rater.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub against_raters: Vec<Against>,
    /// Against the mean of the raters' numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_mean: Option<Ordered>,
}

/// One judge.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgeCalibration {
    /// Its name.
    pub judge: String,
    /// Items with a grade, an unreadable one that counts as a label among them.
    pub n: usize,
    /// Items that were not judged at all.
    pub not_judged: usize,
    /// Judgements that could not be read.
    pub unparsed: UnparsedRate,
    /// What it used.
    pub marginals: Marginals,
    /// Against each rater.
    pub against_raters: Vec<Against>,
    /// Against the label of most raters, ties and items with one label left out.
    pub against_consensus: Option<Against>,
    /// The same with the items that have one label only; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_consensus_with_single: Option<Against>,
    /// Against the settled label; absent where nobody settled the disagreements.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_adjudicated: Option<Against>,
    /// Against the mean of the raters' numbers: graded labels of two raters or more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against_mean: Option<Ordered>,
    /// κ that counts for the licence.
    pub kappa: Option<Kappa>,
    /// Share of the same items with the same label.
    pub agreement: Option<f64>,
    /// Items that it is over.
    pub compared: usize,
    /// How sure it is.
    pub precision: Option<Precision>,
    /// The judge among the raters.
    pub ceiling: Option<Ceiling>,
    /// Every slice.
    pub slices: Vec<SliceCalibration>,
    /// On how many items it differs from what the raters say together.
    pub disagreement_count: usize,
    /// The worst of them first.
    pub disagreements: Vec<Disagreement>,
    /// Its grade as a probability.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reliability: Option<Reliability>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_reliability: Option<String>,
    /// Dollars an item, on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_cost_usd: Option<f64>,
    /// Milliseconds an item, on average.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_latency_ms: Option<f64>,
    /// The same of an item in the middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub median_latency_ms: Option<f64>,
    /// Its grades beside the mean of the raters' numbers: what a mean of its grades elsewhere is corrected by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labelled: Option<LabelledMoments>,
    /// What it may be used for.
    pub licence: Licence,
}

/// A dimension.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Its name.
    pub dimension: String,
    /// Its labels.
    pub scale: Scale,
    /// Items with a label or a judgement.
    pub items: usize,
    /// What each rater used.
    pub raters: Vec<Marginals>,
    /// The raters among themselves: people where there are two or more of them, else all.
    pub inter_rater: InterRater,
    /// How the consensus came about.
    pub consensus: ConsensusCounts,
    /// The judges.
    pub judges: Vec<JudgeCalibration>,
    /// Several judges side by side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side_by_side: Option<SideBySide>,
    /// What to know before trusting the numbers.
    pub warnings: Vec<String>,
}

/// A sheet in codes of its scale.
pub(super) struct Coded<'s> {
    pub(super) sheet: &'s Sheet,
    pub(super) scale: Scale,
    raters: Vec<Codes>,
    settled: Codes,
    /// Positions of the raters whose labels make the reference.
    counting: Vec<usize>,
    stand_in: bool,
}

impl<'s> Coded<'s> {
    fn of(sheet: &'s Sheet, wish: &ScaleWish) -> Result<(Self, Vec<u32>), CalibrateError> {
        let Resolved { scale, code_of } = resolve(&sheet.values, wish)?;
        let recode = |labels: &[Option<u32>]| -> Codes {
            labels.iter().map(|label| label.map(|label| code_of[label as usize])).collect()
        };
        let people: Vec<usize> =
            (0..sheet.raters.len()).filter(|&at| sheet.raters[at].kind == RaterKind::Human).collect();
        let counting = if people.len() >= 2 { people } else { (0..sheet.raters.len()).collect() };
        let coded = Self {
            sheet,
            scale,
            raters: sheet.raters.iter().map(|rater| recode(&rater.labels)).collect(),
            settled: recode(&sheet.settled),
            stand_in: counting.iter().any(|&at| sheet.raters[at].kind == RaterKind::StandIn),
            counting,
        };
        Ok((coded, code_of))
    }

    fn names(&self) -> Vec<&str> {
        self.counting.iter().map(|&at| self.sheet.raters[at].name.as_str()).collect()
    }

    fn columns(&self) -> Vec<&Codes> {
        self.counting.iter().map(|&at| &self.raters[at]).collect()
    }

    /// Whether labels are numbers whose size or order means something.
    fn is_graded(&self) -> bool {
        self.scale.measure != Measure::Unordered
    }

    fn number(&self, code: u32) -> f64 {
        self.scale.numbers.as_ref().map_or_else(|| f64::from(code), |numbers| numbers[code as usize])
    }
}

/// The entries of a column at some items.
fn at(column: &[Option<u32>], items: &[usize]) -> Codes {
    items.iter().map(|&item| column.get(item).copied().flatten()).collect()
}

/// Calibrates every judge of a sheet.
///
/// # Errors
/// Labels that do not fit what was said about the scale, or a label for ties that does not exist.
pub fn calibrate(sheet: &Sheet, options: &Options) -> Result<Calibration, CalibrateError> {
    let (coded, code_of) = Coded::of(sheet, &options.scale)?;
    let columns = coded.columns();
    let raters = inter_rater(&coded.names(), &columns, &coded.scale, options.alpha);
    let agreed = consensus(&columns, &coded.settled, sheet.ids.len(), coded.scale.codes);
    let tie = match &options.unparsed {
        Unparsed::Drop => None,
        Unparsed::Tie(named) => Some(tie_label(&coded.scale, named.as_ref())?),
    };
    let references = references(&columns, &coded.settled, (sheet.ids.len(), &agreed), &coded.scale);
    let code = |said: &Said| match said {
        Said::Grade(code) => Some(code_of[*code as usize]),
        Said::Unparsed => tie,
        Said::Nothing => None,
    };
    let grades: Vec<Codes> = sheet.judges.iter().map(|judge| judge.said.iter().map(code).collect()).collect();
    let people = People { raters: &raters, agreed: &agreed, references: &references };
    let judges: Vec<JudgeCalibration> = sheet
        .judges
        .par_iter()
        .zip(&grades)
        .map(|(judge, grades)| one_judge(&coded, judge, grades, tie, &people, options))
        .collect();
    let side_by_side = side_by_side(&judges, &grades, &references, &coded.scale, options.alpha);
    let marginals = sheet
        .raters
        .iter()
        .zip(&coded.raters)
        .map(|(rater, codes)| Marginals { kind: Some(rater.kind), ..marginals(&rater.name, codes, &coded) });
    let mut found = Calibration {
        dimension: sheet.dimension.clone(),
        items: sheet.ids.len(),
        raters: marginals.collect(),
        inter_rater: raters,
        consensus: agreed.counts,
        judges,
        side_by_side,
        warnings: Vec::new(),
        scale: coded.scale.clone(),
    };
    found.warnings = super::warning::warnings(&found, sheet);
    Ok(found)
}

/// The label that says "neither".
fn tie_label(scale: &Scale, named: Option<&Grade>) -> Result<u32, CalibrateError> {
    let place = |label: &str| scale.labels.iter().position(|own| own.eq_ignore_ascii_case(label));
    let found = match named {
        Some(named) => place(&named.to_string()),
        None => ["tie", "draw", "equal", "0"].into_iter().find_map(place),
    };
    found.map(|place| place as u32).ok_or_else(|| {
        let what = named
            .map_or_else(|| "no label reads like a tie".to_owned(), |named| format!("there is no label `{named}`"));
        CalibrateError::new(
            format!("--unparsed tie: {what}; the labels are {}", scale.labels.join(", ")),
            "name the label of a tie with --tie LABEL, or leave such judgements out with --unparsed drop",
        )
    })
}

fn marginals(name: &str, codes: &Codes, coded: &Coded<'_>) -> Marginals {
    let given: Vec<u32> = codes.iter().copied().flatten().collect();
    let is_measured = coded.scale.measure == Measure::Continuous;
    let mut counts = vec![0_u64; if is_measured { 0 } else { coded.scale.codes }];
    let mut spread = None;
    if is_measured {
        let numbers: Vec<f64> = given.iter().map(|&code| coded.number(code)).collect();
        spread = (!numbers.is_empty()).then(|| Spread {
            mean: numbers.iter().sum::<f64>() / numbers.len() as f64,
            low: numbers.iter().copied().fold(f64::INFINITY, f64::min),
            high: numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        });
    } else {
        for &code in &given {
            counts[code as usize] += 1;
        }
    }
    Marginals { name: name.to_owned(), kind: None, n: given.len(), counts, spread }
}

/// What the raters say together.
struct People<'p> {
    raters: &'p InterRater,
    agreed: &'p Consensus,
    references: &'p References,
}

fn one_judge(
    coded: &Coded<'_>,
    judge: &Graded,
    grades: &Codes,
    tie: Option<u32>,
    people: &People<'_>,
    options: &Options,
) -> JudgeCalibration {
    let People { raters, agreed, references } = people;
    let (sheet, scale, alpha) = (coded.sheet, &coded.scale, options.alpha);
    let one = |name: &str, labels: &Codes| against(name, labels, grades, scale, alpha);
    let detail = if sheet.raters.len() > MOST_RATERS_IN_FULL { Detail::Counts } else { Detail::Full };
    let against_raters: Vec<Against> = sheet
        .raters
        .par_iter()
        .zip(&coded.raters)
        .map(|(rater, labels)| detailed(&rater.name, labels, grades, (scale, detail), alpha))
        .collect();
    let columns = coded.columns();
    let is_several = columns.len() >= 2 && scale.measure != Measure::Continuous;
    let settled = adjudicated(&columns, &coded.settled).filter(|_| columns.len() == 2);
    let against_consensus = is_several.then(|| one("consensus", &agreed.labels));
    let against_adjudicated = settled.as_ref().map(|labels| one("adjudicated", labels));
    let headline = references.headline(grades, scale, alpha);
    let (kappa, compared) = (headline.kappa, headline.n);
    let items = (0..sheet.ids.len())
        .filter(|&item| grades[item].is_some() && columns.iter().filter(|column| column[item].is_some()).count() >= 2)
        .count();
    let licence = grant(
        &Evidence {
            basis: references.basis,
            kappa,
            compared,
            raters: columns.len(),
            items,
            inter_rater: raters.headline_value,
            degenerate: raters.degenerate,
            stand_in: coded.stand_in,
            continuous: scale.measure == Measure::Continuous,
        },
        alpha,
    );
    // With one rater there is nothing but that rater to differ from.
    let reference = match (columns.as_slice(), &settled) {
        ([only], _) => (*only).clone(),
        (_, Some(settled)) => settled.clone(),
        _ => agreed.labels.clone(),
    };
    let is_comparable = scale.measure != Measure::Continuous || scale.stated;
    let (disagreement_count, listed) = if is_comparable {
        disagreements(
            (sheet, judge),
            (&coded.names(), &columns),
            (&reference, grades),
            (scale, coded.is_graded()),
            options.listed,
        )
    } else {
        (0, Vec::new())
    };
    let (found, no_reliability) = match reliable(coded, grades, &reference, alpha) {
        Ok(found) => (Some(found), None),
        Err(reason) => (None, Some(reason)),
    };
    let counting: Vec<Against> = coded.counting.iter().map(|&at| against_raters[at].clone()).collect();
    JudgeCalibration {
        judge: judge.name.clone(),
        n: grades.iter().flatten().count(),
        not_judged: judge.said.iter().filter(|said| **said == Said::Nothing).count(),
        unparsed: unparsed(judge, tie, scale, alpha),
        marginals: marginals(&judge.name, grades, coded),
        against_consensus_with_single: (is_several && agreed.counts.labelled_once > 0)
            .then(|| one("consensus, single labels included", &agreed.with_single)),
        against_mean: against_mean(coded, &columns, grades, alpha),
        ceiling: (columns.len() >= 2).then(|| ceiling(&columns, grades, &counting, raters, scale, options.epsilon)),
        slices: sheet.slices.par_iter().map(|slice| one_slice(coded, slice, grades, alpha)).collect(),
        against_raters,
        against_consensus,
        against_adjudicated,
        kappa,
        agreement: headline.agreement,
        compared,
        precision: kappa.and_then(|kappa| precision(kappa, compared)),
        disagreement_count,
        disagreements: listed,
        reliability: found,
        no_reliability,
        mean_cost_usd: mean(&judge.cost),
        mean_latency_ms: mean(&judge.latency),
        median_latency_ms: median(&judge.latency),
        labelled: labelled(coded, &columns, grades),
        licence,
    }
}

fn median(values: &[Option<f64>]) -> Option<f64> {
    let mut values: Vec<f64> = values.iter().copied().flatten().collect();
    values.sort_unstable_by(f64::total_cmp);
    let (low, high) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some(f64::midpoint(*low, *high))
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let values: Vec<f64> = values.iter().copied().flatten().collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn unparsed(judge: &Graded, tie: Option<u32>, scale: &Scale, alpha: Alpha) -> UnparsedRate {
    let n = judge.said.iter().filter(|said| **said == Said::Unparsed).count();
    let of = judge.said.iter().filter(|said| **said != Said::Nothing).count();
    let share = Proportion::new(n as u64, of as u64).ok();
    let counted_as = tie.and_then(|tie| scale.labels.get(tie as usize)).cloned();
    UnparsedRate {
        n,
        of,
        rate: share.map_or(0.0, Proportion::rate),
        interval: share.map(|share| share.wilson(alpha)),
        counted_as: counted_as.unwrap_or_else(|| "left out".to_owned()),
        off_scale: judge.off_scale.clone(),
    }
}

fn against_mean(coded: &Coded<'_>, columns: &[&Codes], grades: &Codes, alpha: Alpha) -> Option<Ordered> {
    let has_numbers = coded.scale.numbers.is_some() && (coded.is_graded() || !coded.scale.stated);
    if columns.len() < 2 || !has_numbers || coded.scale.codes < 3 {
        return None;
    }
    let (means, own) = beside_means(coded, columns, grades);
    Some(correlations(&means, &own, coded.is_graded() && coded.scale.stated, alpha))
}

/// The mean of the raters' numbers, and the judge's, of every item that has both.
fn beside_means(coded: &Coded<'_>, columns: &[&Codes], grades: &Codes) -> (Vec<f64>, Vec<f64>) {
    let (mut means, mut own) = (Vec::new(), Vec::new());
    for (item, grade) in grades.iter().enumerate() {
        let given: Vec<f64> = columns.iter().filter_map(|column| column[item]).map(|code| coded.number(code)).collect();
        if let Some(grade) = grade.filter(|_| !given.is_empty()) {
            means.push(given.iter().sum::<f64>() / given.len() as f64);
            own.push(coded.number(grade));
        }
    }
    (means, own)
}

/// The judge's grades beside the raters', added up: of grades that are numbers, whose mean means something.
fn labelled(coded: &Coded<'_>, columns: &[&Codes], grades: &Codes) -> Option<LabelledMoments> {
    // Places of names in an order have no mean.
    let has_numbers = coded.scale.labels.iter().all(|label| label.parse::<f64>().is_ok());
    if !(coded.scale.stated && coded.is_graded() && coded.scale.numbers.is_some() && has_numbers) {
        return None;
    }
    let (means, own) = beside_means(coded, columns, grades);
    LabelledMoments::of(&means, &own).ok()
}

fn one_slice(coded: &Coded<'_>, slice: &crate::judge::Slice, grades: &Codes, alpha: Alpha) -> SliceCalibration {
    let columns: Vec<Codes> = coded.columns().iter().map(|column| at(column, &slice.items)).collect();
    let columns: Vec<&Codes> = columns.iter().collect();
    let (settled, grades) = (at(&coded.settled, &slice.items), at(grades, &slice.items));
    let agreed = consensus(&columns, &settled, slice.items.len(), coded.scale.codes);
    let names = coded.names();
    let one = |name: &str, labels: &Codes| against(name, labels, &grades, &coded.scale, alpha);
    let mut raters = inter_rater(&names, &columns, &coded.scale, alpha);
    raters.pairs.clear();
    SliceCalibration {
        slice: slice.name.clone(),
        items: slice.items.len(),
        inter_rater: raters,
        consensus: agreed.counts,
        against: match (columns.as_slice(), names.as_slice()) {
            ([only], [name]) => one(name, only),
            _ => one("consensus", &agreed.labels),
        },
        against_raters: if (2..=MOST_RATERS_IN_FULL).contains(&columns.len()) {
            names.iter().zip(&columns).map(|(name, column)| one(name, column)).collect()
        } else {
            Vec::new()
        },
        against_mean: against_mean(coded, &columns, &grades, alpha),
    }
}

/// The judge's grades as probabilities that people pass the answer.
fn reliable(coded: &Coded<'_>, grades: &Codes, reference: &Codes, alpha: Alpha) -> Result<Reliability, String> {
    let Some(passes) = &coded.scale.passes else {
        return Err("labels are not pass or fail; name the least that passes with --pass-at".to_owned());
    };
    if coded.scale.numbers.is_none() {
        return Err("the judge's grades are no numbers".to_owned());
    }
    let columns = coded.columns();
    let is_measured = coded.scale.measure == Measure::Continuous;
    let vote = |item: usize| -> Option<bool> {
        if !is_measured {
            return reference[item].map(|code| passes[code as usize]);
        }
        let votes: Vec<bool> =
            columns.iter().filter_map(|column| column[item]).map(|code| passes[code as usize]).collect();
        let yes = votes.iter().filter(|&&yes| yes).count();
        (2 * yes != votes.len()).then_some(2 * yes > votes.len())
    };
    let (mut scores, mut passed) = (Vec::new(), Vec::new());
    for (item, grade) in grades.iter().enumerate() {
        if let Some((grade, vote)) = grade.zip(vote(item)) {
            scores.push(coded.number(grade));
            passed.push(vote);
        }
    }
    let mut distinct = scores.clone();
    distinct.sort_unstable_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() < 3 {
        return Err("the judge gives fewer than three different grades: its rates say all there is".to_owned());
    }
    reliability(&scores, &passed, alpha)
}

fn precision(kappa: Kappa, n: usize) -> Option<Precision> {
    let half = kappa.interval?.width() / 2.0;
    let wanted = |target: f64| libm::ceil(n as f64 * (half / target).powi(2)) as usize;
    let limit = [super::licence::ABSOLUTE_KAPPA, RELATIVE_KAPPA].into_iter().find(|limit| kappa.value > *limit);
    Some(Precision {
        n,
        half_width: half,
        n_for_10_points: wanted(0.10),
        n_for_5_points: wanted(0.05),
        n_for_the_limit_below: limit.map(|limit| wanted(kappa.value - limit)).filter(|&n| n < 10_000_000),
    })
}
