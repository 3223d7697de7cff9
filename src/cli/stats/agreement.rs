//! Do raters agree: κ of two, Fleiss, Gwet and Krippendorff for any number.

use std::path::Path;

use clap::{Args, ValueEnum};

use super::input::{Found, Input, Rows, by_value, count, numbers_or_file, refused, several, usage};
use super::sheet::{Entry, Sheet};
use crate::stats::Alpha;
use crate::stats::alpha::{Level, krippendorff_alpha};
use crate::stats::kappa::{RatingTable, Weighting, cohen_kappa, landis_koch, scott_pi};
use crate::stats::multirater::{Coefficient, Weights, agreement, fleiss_kappa};
use crate::stats::ratings::Ratings;
use crate::table::Want;

#[derive(Debug, Args)]
pub(in crate::cli) struct RaterArgs {
    /// A table with one column a rater; an empty cell is a unit that the rater left out
    file: std::path::PathBuf,
    /// Columns of the raters
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', required = true)]
    raters: Vec<String>,
    /// All labels, in their order where they have one [default: those that occur]
    #[arg(long, value_name = "LABEL,…", value_delimiter = ',', allow_negative_numbers = true)]
    labels: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct KappaArgs {
    /// A table with one column a rater, or the counts of a square table row by row (rows: first rater)
    #[arg(required = true, value_name = "FILE|COUNT…", allow_negative_numbers = true)]
    input: Vec<String>,
    /// Columns of the raters; every two of them are compared
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    raters: Vec<String>,
    /// All labels in their order, which weights need [default: those that occur]
    #[arg(long, value_name = "LABEL,…", value_delimiter = ',', allow_negative_numbers = true)]
    labels: Vec<String>,
    /// How bad it is to confuse two labels, by their distance in --labels
    #[arg(long, value_enum, default_value_t = KappaWeights::None)]
    weights: KappaWeights,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum KappaWeights {
    None,
    Linear,
    Quadratic,
}

impl From<KappaWeights> for Weighting {
    fn from(weights: KappaWeights) -> Self {
        match weights {
            KappaWeights::None => Self::Unweighted,
            KappaWeights::Linear => Self::Linear,
            KappaWeights::Quadratic => Self::Quadratic,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct AlphaArgs {
    #[command(flatten)]
    raters: RaterArgs,
    /// What differences between ratings mean
    #[arg(long, value_enum, default_value_t = LevelArg::Nominal)]
    level: LevelArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LevelArg {
    /// Nothing: ratings are names
    Nominal,
    /// Their order (of --labels, or of numbers)
    Ordinal,
    /// Their size
    Interval,
    /// Their ratio
    Ratio,
}

impl From<LevelArg> for Level {
    fn from(level: LevelArg) -> Self {
        match level {
            LevelArg::Nominal => Self::Nominal,
            LevelArg::Ordinal => Self::Ordinal,
            LevelArg::Interval => Self::Interval,
            LevelArg::Ratio => Self::Ratio,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct GwetArgs {
    #[command(flatten)]
    raters: RaterArgs,
    /// Partial credit for two different values: AC1 without, AC2 with
    #[arg(long, value_enum, default_value_t = GwetWeights::Identity)]
    weights: GwetWeights,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum GwetWeights {
    Identity,
    Linear,
    Quadratic,
    Ordinal,
    Radical,
    Ratio,
}

impl From<GwetWeights> for Weights {
    fn from(weights: GwetWeights) -> Self {
        match weights {
            GwetWeights::Identity => Self::Identity,
            GwetWeights::Linear => Self::Linear,
            GwetWeights::Quadratic => Self::Quadratic,
            GwetWeights::Ordinal => Self::Ordinal,
            GwetWeights::Radical => Self::Radical,
            GwetWeights::Ratio => Self::Ratio,
        }
    }
}

/// A label as it is compared: `2.0` in one column is the `2` of another.
fn canonical(label: &str) -> String {
    let label = label.trim();
    match label.parse::<f64>() {
        Ok(number) if number.is_finite() => (number + 0.0).to_string(),
        _ => label.to_owned(),
    }
}

/// Ratings as positions in a list of labels, one list a rater.
struct Coded {
    labels: Vec<String>,
    raters: Vec<Vec<Option<u32>>>,
}

impl Coded {
    fn read(path: &Path, raters: &[&str], stated: &[String]) -> Found<Self> {
        let wanted: Vec<(&str, Want)> = raters.iter().map(|&name| (name, Want::Category)).collect();
        let rows = Rows::read(path, &wanted)?;
        let categories: Vec<_> = (0..raters.len()).filter_map(|column| rows.category(column)).collect();
        let labels = if stated.is_empty() {
            let names = categories.iter().flat_map(|category| &category.names);
            let mut labels: Vec<String> = names.map(|name| canonical(name)).collect();
            labels.sort_by(|a, b| by_value(a, b));
            labels.dedup();
            labels
        } else {
            stated.iter().map(|label| canonical(label)).collect()
        };
        let mut coded = Vec::with_capacity(raters.len());
        for category in categories {
            let mut positions = Vec::with_capacity(category.names.len());
            for name in &category.names {
                let own = canonical(name);
                match labels.iter().position(|label| *label == own) {
                    Some(position) => positions.push(position as u32),
                    None => return usage(format!("label `{name}` occurs, but is not in --labels")),
                }
            }
            coded.push(category.codes.iter().map(|code| code.map(|code| positions[code as usize])).collect());
        }
        if let Some(twice) = labels.iter().enumerate().find(|(place, label)| labels[..*place].contains(label)) {
            return usage(format!("--labels names `{}` twice", twice.1));
        }
        Ok(Self { labels, raters: coded })
    }

    /// Ratings as numbers: by `value` of the label's position.
    fn ratings(&self, value: impl Fn(u32) -> f64) -> Found<Ratings> {
        let lists: Vec<Vec<Option<f64>>> =
            self.raters.iter().map(|codes| codes.iter().map(|code| code.map(&value)).collect()).collect();
        let every: Vec<f64> = (0..self.labels.len() as u32).map(&value).collect();
        Ok(Ratings::from_raters(&lists)?.with_categories(&every)?)
    }

    /// The labels as the numbers that they are.
    fn numbers(&self) -> Option<Vec<f64>> {
        self.labels.iter().map(|label| label.parse().ok()).collect()
    }

    /// What was read, after what was found.
    fn about(&self, entry: Entry, raters: &[&str]) -> Entry {
        entry.put("raters", raters).put("labels", &self.labels).put("gaps", self.gaps())
    }

    fn gaps(&self) -> usize {
        self.raters.iter().flatten().filter(|code| code.is_none()).count()
    }
}

/// `stats kappa`
pub(super) fn kappa(args: &KappaArgs, alpha: Alpha) -> Found<Sheet> {
    let entry = Entry::new().put("weights", format!("{:?}", args.weights).to_lowercase());
    let (pairs, labels) = match numbers_or_file(&args.input)? {
        Input::Numbers(numbers) => {
            let size = numbers.len().isqrt();
            if size * size != numbers.len() {
                return usage(format!("{} counts make no square table", numbers.len()));
            }
            let cells = numbers.iter().map(|&cell| count("a count", cell)).collect::<Found<Vec<u64>>>()?;
            let Ok(cells) = cells.into_iter().map(u32::try_from).collect::<Result<Vec<u32>, _>>() else {
                return refused("a count is above 4294967295");
            };
            let table = RatingTable::from_counts(&cells.chunks(size.max(1)).collect::<Vec<_>>())?;
            let labels = if args.labels.is_empty() {
                (1..=size).map(|label| label.to_string()).collect()
            } else {
                args.labels.clone()
            };
            if labels.len() != size {
                return usage(format!("--labels has {} labels for {size} rows", labels.len()));
            }
            let row = one_kappa(Entry::new(), &table, &labels, args.weights.into(), alpha);
            (vec![row], labels)
        }
        Input::File(path) => {
            let raters = several(&args.raters, "raters", 2)?;
            if args.weights != KappaWeights::None && args.labels.is_empty() {
                return usage("weights depend on the order of the labels; state it with --labels LOWEST,…,HIGHEST");
            }
            let coded = Coded::read(&path, &raters, &args.labels)?;
            (every_two(&coded, &raters, args.weights.into(), alpha)?, coded.labels)
        }
    };
    let columns = &["first", "second", "items", "raw_agreement", "kappa", "interval", "p", "gwet_ac1", "landis_koch"];
    Ok(Sheet::new(entry.put("labels", labels)).confidence(alpha).table("pairs", pairs, columns))
}

fn every_two(coded: &Coded, raters: &[&str], weighting: Weighting, alpha: Alpha) -> Found<Vec<Entry>> {
    let mut pairs = Vec::new();
    for (i, first) in coded.raters.iter().enumerate() {
        for (j, second) in coded.raters.iter().enumerate().skip(i + 1) {
            let both: (Vec<u32>, Vec<u32>) = first.iter().zip(second).filter_map(|(&a, &b)| a.zip(b)).unzip();
            let left_out = first.len() - both.0.len();
            let table = RatingTable::from_codes(&both.0, &both.1, coded.labels.len())?;
            let entry = Entry::new().put("first", raters[i]).put("second", raters[j]).put("left_out", left_out);
            pairs.push(one_kappa(entry, &table, &coded.labels, weighting, alpha));
        }
    }
    Ok(pairs)
}

fn one_kappa(entry: Entry, table: &RatingTable, labels: &[String], weighting: Weighting, alpha: Alpha) -> Entry {
    let kappa = cohen_kappa(table, weighting, alpha);
    let mut prevalence = Entry::new();
    for (label, share) in labels.iter().zip(table.prevalence()) {
        prevalence = prevalence.put(label, share);
    }
    let rows: Vec<&[u64]> = table.rows().collect();
    let entry = entry
        .fields(kappa)
        .put("landis_koch", (!kappa.degenerate).then(|| landis_koch(kappa.kappa)))
        .put("scott_pi", scott_pi(table).pi)
        .attempt("gwet_ac1", gwet_of(table, alpha))
        .put("prevalence", prevalence)
        .put("table", rows);
    if kappa.degenerate {
        entry.reason("both raters gave every item one and the same label: κ is 0/0, and stands at 1 by convention only")
    } else if kappa.interval.is_none() {
        entry.reason("the table leaves κ no standard error, so there is no interval")
    } else {
        entry
    }
}

/// AC1 of a table of two raters, beside κ because lopsided prevalence hurts it less.
fn gwet_of(table: &RatingTable, alpha: Alpha) -> crate::stats::Result<f64> {
    let mut units: Vec<[f64; 2]> = Vec::new();
    for (i, row) in table.rows().enumerate() {
        for (j, &cell) in row.iter().enumerate() {
            units.extend(std::iter::repeat_n([i as f64, j as f64], cell as usize));
        }
    }
    let labels: Vec<f64> = (0..table.labels()).map(|label| label as f64).collect();
    let ratings = Ratings::from_units(&units)?.with_categories(&labels)?;
    agreement(&ratings, Coefficient::Gwet, Weights::Identity, alpha).map(|found| found.value)
}

/// `stats fleiss`
pub(super) fn fleiss(args: &RaterArgs, alpha: Alpha) -> Found<Sheet> {
    let raters = several(&args.raters, "raters", 2)?;
    let coded = Coded::read(&args.file, &raters, &args.labels)?;
    let general = agreement(&coded.ratings(f64::from)?, Coefficient::Fleiss, Weights::Identity, alpha);
    let gaps = coded.gaps();
    let entry = if gaps == 0 {
        let units = coded.raters[0].len();
        let counts: Vec<Vec<u32>> = (0..units)
            .map(|unit| {
                let mut tally = vec![0; coded.labels.len()];
                coded.raters.iter().filter_map(|codes| codes[unit]).for_each(|code| tally[code as usize] += 1);
                tally
            })
            .collect();
        let found = fleiss_kappa(&counts)?;
        let entry = Entry::new()
            .put("kappa", found.kappa)
            .attempt("interval", general.as_ref().map(|g| g.interval).map_err(Clone::clone))
            .fields(found)
            .put("landis_koch", (!found.degenerate).then(|| landis_koch(found.kappa)));
        if found.degenerate {
            entry.reason("all ratings are one label: κ is 0/0, and stands at 1 by convention only")
        } else {
            entry
        }
    } else {
        let found = general?;
        Entry::new()
            .put("kappa", found.value)
            .put("interval", found.interval)
            .put("subjects", found.units)
            .put("observed_agreement", found.observed)
            .put("expected_agreement", found.expected)
            .put("se", found.se)
            .put("p", found.p)
            .put("landis_koch", landis_koch(found.value))
    };
    Ok(Sheet::new(coded.about(entry, &raters)).confidence(alpha))
}

/// `stats alpha`
pub(super) fn alpha(args: &AlphaArgs, alpha: Alpha) -> Found<Sheet> {
    let raters = several(&args.raters.raters, "raters", 2)?;
    let coded = Coded::read(&args.raters.file, &raters, &args.raters.labels)?;
    let is_stated = !args.raters.labels.is_empty();
    let ratings = match (args.level, coded.numbers()) {
        (LevelArg::Nominal, _) => coded.ratings(f64::from)?,
        (LevelArg::Ordinal, _) if is_stated => coded.ratings(f64::from)?,
        (_, Some(numbers)) => coded.ratings(|code| numbers[code as usize])?,
        (LevelArg::Ordinal, None) => return usage("the labels are no numbers; state their order with --labels"),
        (_, None) => return usage("ratings must be numbers at this level"),
    };
    let found = krippendorff_alpha(&ratings, args.level.into(), alpha)?;
    let entry = Entry::new()
        .put("alpha", found.alpha)
        .put("interval", found.interval)
        .fields(found)
        .put("level", format!("{:?}", args.level).to_lowercase());
    let entry = coded.about(entry, &raters);
    let entry = if found.interval.is_none() { entry.reason("no unit varies, so there is no interval") } else { entry };
    Ok(Sheet::new(entry).confidence(alpha))
}

/// `stats ac1`
pub(super) fn gwet(args: &GwetArgs, alpha: Alpha) -> Found<Sheet> {
    let raters = several(&args.raters.raters, "raters", 2)?;
    let coded = Coded::read(&args.raters.file, &raters, &args.raters.labels)?;
    let positions = args.weights == GwetWeights::Identity || !args.raters.labels.is_empty();
    let ratings = match coded.numbers() {
        Some(numbers) if !positions => coded.ratings(|code| numbers[code as usize])?,
        None if !positions => return usage("the labels are no numbers; state their order with --labels"),
        _ => coded.ratings(f64::from)?,
    };
    let found = agreement(&ratings, Coefficient::Gwet, args.weights.into(), alpha)?;
    let name = if args.weights == GwetWeights::Identity { "ac1" } else { "ac2" };
    let entry = Entry::new()
        .put(name, found.value)
        .put("interval", found.interval)
        .put("se", found.interval.and(found.se))
        .put("p", found.p)
        .put("observed_agreement", found.observed)
        .put("expected_agreement", found.expected)
        .put("units", found.units);
    let entry = coded.about(entry, &raters);
    let entry = if found.interval.is_none() { entry.reason("no unit varies, so there is no interval") } else { entry };
    Ok(Sheet::new(entry).confidence(alpha))
}
