//! Texts against reference texts.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::input::{Found, Rows, several, usage};
use super::sheet::{Entry, Sheet};
use crate::stats::bootstrap::{Replicates, Resampling, resampled};
use crate::stats::mean::MeanEstimate;
use crate::stats::text::{
    BleuOptions, BleuScorer, BleuStatistics, ChrfOptions, ChrfScorer, ChrfStatistics, RougeMeans, RougeScorer,
    Smoothing, TerOptions, TerScorer, TerStatistics, Tokenizer, levenshtein, similarity, squad,
};
use crate::stats::{Alpha, Interval};
use crate::table::Want;

#[derive(Debug, Args)]
pub(in crate::cli) struct TextArgs {
    /// A table with one row an item
    file: PathBuf,
    /// Column of the text to score
    #[arg(long, value_name = "COLUMN")]
    hypothesis: String,
    /// Columns of the reference texts
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',', required = true)]
    reference: Vec<String>,
    /// Resamples of the items for the interval; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    replicates: usize,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct BleuArgs {
    #[command(flatten)]
    texts: TextArgs,
    /// How texts are split: 13a, intl, zh, char, none
    #[arg(long, value_name = "NAME", default_value = "13a")]
    tokenize: String,
    /// Ignore case
    #[arg(long)]
    lowercase: bool,
    /// What takes the place of an n-gram precision of zero
    #[arg(long, value_enum, default_value_t = Smooth::Exp)]
    smooth: Smooth,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Smooth {
    None,
    Floor,
    AddK,
    Exp,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ChrfArgs {
    #[command(flatten)]
    texts: TextArgs,
    /// Largest order of word n-grams: 0 for chrF, 2 for chrF++
    #[arg(long, value_name = "N", default_value_t = 0)]
    word_order: usize,
    /// Ignore case
    #[arg(long)]
    lowercase: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RougeArgs {
    #[command(flatten)]
    texts: TextArgs,
    /// Reduce words to their Porter stem
    #[arg(long)]
    stemmer: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TerArgs {
    #[command(flatten)]
    texts: TextArgs,
    /// Words that differ in case are different
    #[arg(long)]
    case_sensitive: bool,
}

/// A corpus, and how to draw from it.
struct Corpus {
    hypotheses: Vec<String>,
    references: Vec<Vec<String>>,
    draw: Option<Resampling>,
    alpha: Alpha,
}

impl Corpus {
    /// Empty cells are empty texts, as a system may have answered nothing; a reference must be there.
    fn read(args: &TextArgs, alpha: Alpha, seed: u64) -> Found<Self> {
        let columns = several(&args.reference, "reference", 1)?;
        let mut wanted = vec![(args.hypothesis.as_str(), Want::Category)];
        wanted.push((columns[0], Want::Text));
        wanted.extend(columns[1..].iter().map(|&name| (name, Want::Category)));
        let rows = Rows::read(&args.file, &wanted)?;
        let Some(first) = rows.texts(1) else { return usage("the reference column holds no texts") };
        let own = |row: usize| rows.name(0, row).unwrap_or_default().to_owned();
        let references = |row: usize| -> Vec<String> {
            let more = (2..wanted.len()).filter_map(|column| rows.name(column, row));
            std::iter::once(first.get(row)).chain(more).map(str::to_owned).collect()
        };
        let draw = (args.replicates > 0).then_some(Resampling { replicates: args.replicates, seed });
        Ok(Self {
            hypotheses: rows.all().into_iter().map(own).collect(),
            references: rows.all().into_iter().map(references).collect(),
            draw,
            alpha,
        })
    }

    /// How many references every item has, if all have as many.
    fn width(&self) -> Option<usize> {
        let first = self.references.first()?.len();
        self.references.iter().all(|references| references.len() == first).then_some(first)
    }

    fn entry(&self) -> Entry {
        Entry::new().put("n", self.hypotheses.len())
    }

    /// The percentile interval of a corpus score when items are drawn again.
    fn interval(
        &self,
        score: f64,
        of: impl Fn(&[usize]) -> Option<f64> + Sync,
    ) -> crate::stats::Result<Option<Interval>> {
        let Some(draw) = self.draw else { return Ok(None) };
        let drawn = resampled(self.hypotheses.len(), draw, of)?;
        Replicates::new(score, drawn)?.percentile(self.alpha).map(Some)
    }

    fn sheet(&self, entry: Entry) -> Sheet {
        let sheet = Sheet::new(match self.draw {
            Some(draw) => entry.fields(draw),
            None => entry,
        });
        if self.draw.is_some() { sheet.confidence(self.alpha) } else { sheet }
    }
}

/// `stats bleu`
pub(super) fn bleu(args: &BleuArgs, alpha: Alpha, seed: u64) -> Found<Sheet> {
    let corpus = Corpus::read(&args.texts, alpha, seed)?;
    let Some(tokenizer) = Tokenizer::from_name(&args.tokenize) else {
        let known = Tokenizer::ALL.map(Tokenizer::name).join(", ");
        return usage(format!("--tokenize {}: expected one of {known}", args.tokenize));
    };
    let smoothing = match args.smooth {
        Smooth::None => Smoothing::None,
        Smooth::Floor => Smoothing::Floor(0.1),
        Smooth::AddK => Smoothing::AddK(1.0),
        Smooth::Exp => Smoothing::Exponential,
    };
    let options = BleuOptions { tokenizer, lowercase: args.lowercase, smoothing, effective_order: false };
    let counts = BleuScorer::new(options).corpus(&corpus.hypotheses, &corpus.references)?;
    let whole: BleuStatistics = counts.iter().sum();
    let found = whole.score(&options)?;
    let of = |drawn: &[usize]| {
        let sum: BleuStatistics = drawn.iter().map(|&i| &counts[i]).sum();
        sum.score(&options).ok().map(|found| found.score)
    };
    let entry = Entry::new()
        .put("bleu", found.score)
        .attempt("interval", corpus.interval(found.score, of))
        .fields(corpus.entry())
        .put("precisions", found.precisions)
        .put("brevity_penalty", found.brevity_penalty)
        .put("hypothesis_length", whole.hypothesis_length)
        .put("reference_length", whole.reference_length)
        .put("signature", options.signature(corpus.width()));
    Ok(corpus.sheet(entry))
}

/// `stats chrf`
pub(super) fn chrf(args: &ChrfArgs, alpha: Alpha, seed: u64) -> Found<Sheet> {
    let corpus = Corpus::read(&args.texts, alpha, seed)?;
    let options = ChrfOptions { word_order: args.word_order, lowercase: args.lowercase, ..ChrfOptions::default() };
    let counts = ChrfScorer::new(options)?.corpus(&corpus.hypotheses, &corpus.references)?;
    let whole: ChrfStatistics = counts.iter().sum();
    let score = whole.score(&options)?;
    let of = |drawn: &[usize]| {
        let sum: ChrfStatistics = drawn.iter().map(|&i| &counts[i]).sum();
        sum.score(&options).ok()
    };
    let entry = Entry::new()
        .put("chrf", score)
        .attempt("interval", corpus.interval(score, of))
        .fields(corpus.entry())
        .put("signature", options.signature(corpus.width()));
    Ok(corpus.sheet(entry))
}

/// `stats ter`
pub(super) fn ter(args: &TerArgs, alpha: Alpha, seed: u64) -> Found<Sheet> {
    let corpus = Corpus::read(&args.texts, alpha, seed)?;
    let options = TerOptions { case_sensitive: args.case_sensitive };
    let counts = TerScorer::new(options).corpus(&corpus.hypotheses, &corpus.references)?;
    let whole: TerStatistics = counts.iter().sum();
    let of = |drawn: &[usize]| {
        let sum: TerStatistics = drawn.iter().map(|&i| &counts[i]).sum();
        Some(sum.score())
    };
    let entry = Entry::new()
        .put("ter", whole.score())
        .attempt("interval", corpus.interval(whole.score(), of))
        .fields(corpus.entry())
        .put("edits", whole.edits)
        .put("reference_length", whole.reference_length)
        .put("signature", options.signature(corpus.width()));
    Ok(corpus.sheet(entry))
}

/// `stats rouge`
pub(super) fn rouge(args: &RougeArgs, alpha: Alpha, seed: u64) -> Found<Sheet> {
    let corpus = Corpus::read(&args.texts, alpha, seed)?;
    let pairs = RougeScorer::new(args.stemmer).corpus(&corpus.hypotheses, &corpus.references)?;
    let means = RougeMeans::of(&pairs)?;
    let mut entry = Entry::new();
    for variant in ["rouge1", "rouge2", "rouge_l", "rouge_l_sum"] {
        let of = |means: RougeMeans| match variant {
            "rouge1" => means.rouge1,
            "rouge2" => means.rouge2,
            "rouge_l" => means.rouge_l,
            _ => means.rouge_l_sum,
        };
        let drawn = |items: &[usize]| RougeMeans::of(items.iter().map(|&i| &pairs[i])).ok().map(of);
        let interval = corpus.interval(of(means), drawn);
        entry = entry.put(variant, of(means)).attempt(&format!("{variant}_interval"), interval);
    }
    Ok(corpus.sheet(entry.fields(corpus.entry()).put("stemmer", args.stemmer)))
}

/// `stats squad`
pub(super) fn answers(args: &TextArgs, alpha: Alpha, seed: u64) -> Found<Sheet> {
    let corpus = Corpus::read(args, alpha, seed)?;
    let scored = corpus
        .hypotheses
        .iter()
        .zip(&corpus.references)
        .map(|(own, references)| squad(own, references))
        .collect::<Result<Vec<_>, _>>()?;
    let matched = scored.iter().filter(|score| score.exact_match).count() as u64;
    let exact = crate::stats::proportion::Proportion::new(matched, scored.len() as u64)?;
    let f1: Vec<f64> = scored.iter().map(|score| score.f1).collect();
    let mean = MeanEstimate::of(&f1);
    let entry = Entry::new()
        .put("exact_match", exact.rate())
        .put("exact_match_interval", exact.wilson(alpha))
        .put("f1", crate::stats::mean::mean(&f1)?)
        .attempt("f1_interval", mean.and_then(|mean| mean.t_interval(alpha)).map(|ci| ci.clipped(0.0, 1.0)))
        .fields(corpus.entry());
    Ok(Sheet::new(entry).confidence(alpha))
}

/// `stats levenshtein`
pub(super) fn edits(args: &TextArgs, alpha: Alpha, seed: u64) -> Found<Sheet> {
    let corpus = Corpus::read(args, alpha, seed)?;
    let pairs = || corpus.hypotheses.iter().zip(&corpus.references).map(|(own, references)| (own, &references[0]));
    let distances: Vec<f64> = pairs().map(|(own, reference)| levenshtein(own, reference) as f64).collect();
    let likeness: Vec<f64> = pairs().map(|(own, reference)| similarity(own, reference)).collect();
    let interval = MeanEstimate::of(&likeness).and_then(|mean| mean.t_interval(alpha)).map(|ci| ci.clipped(0.0, 1.0));
    let entry = Entry::new()
        .put("similarity", crate::stats::mean::mean(&likeness)?)
        .attempt("interval", interval)
        .put("distance", crate::stats::mean::mean(&distances)?)
        .fields(corpus.entry());
    Ok(Sheet::new(entry).confidence(alpha))
}
