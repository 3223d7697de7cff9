//! Predicted labels against true ones, and ranked lists against judged documents.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::Args;

use super::input::{Found, Rows, by_value, usage};
use super::sheet::{Entry, Sheet};
use crate::stats::Alpha;
use crate::stats::classification::{Average, ConfusionMatrix};
use crate::stats::mean::MeanEstimate;
use crate::stats::proportion::Proportion;
use crate::stats::retrieval::{Gain, RankedQuery};
use crate::table::Want;

#[derive(Debug, Args)]
pub(in crate::cli) struct ClassifyArgs {
    /// A table with one row an item; rows with an empty cell are left out
    file: PathBuf,
    /// Column of the true label
    #[arg(long, value_name = "COLUMN")]
    truth: String,
    /// Column of the predicted label
    #[arg(long, value_name = "COLUMN")]
    predicted: String,
    /// All labels, in the order to print them [default: those that occur]
    #[arg(long, value_name = "LABEL,…", value_delimiter = ',', allow_negative_numbers = true)]
    labels: Vec<String>,
}

/// `stats classification`
pub(super) fn report(args: &ClassifyArgs, alpha: Alpha) -> Found<Sheet> {
    let rows = Rows::read(&args.file, &[(&args.truth, Want::Category), (&args.predicted, Want::Category)])?;
    let complete = rows.complete(&[0, 1]);
    let (truth, predicted) = (rows.names(0, &complete), rows.names(1, &complete));
    let mut labels: Vec<&str> = args.labels.iter().map(String::as_str).collect();
    if labels.is_empty() {
        labels = truth.iter().chain(&predicted).copied().collect();
        labels.sort_by(|a, b| by_value(a, b));
        labels.dedup();
    }
    if let Some(unknown) = truth.iter().chain(&predicted).find(|label| !labels.contains(label)) {
        return usage(format!("label `{unknown}` occurs, but is not in --labels"));
    }
    let matrix = ConfusionMatrix::from_labels(&truth, &predicted, &labels)?;
    let right = truth.iter().zip(&predicted).filter(|(a, b)| a == b).count() as u64;
    let classes = labels.iter().zip(matrix.per_class()).enumerate().map(|(i, (label, ratios))| {
        Entry::new()
            .put("label", label)
            .fields(ratios)
            .put("support", matrix.support()[i])
            .put("predicted", matrix.predicted()[i])
    });
    let entry = Entry::new()
        .put("accuracy", matrix.accuracy())
        .put("interval", Proportion::new(right, matrix.total())?.wilson(alpha))
        .put("n", matrix.total())
        .put("left_out", rows.len() - complete.len())
        .put("balanced_accuracy", matrix.balanced_accuracy())
        .put("matthews", matrix.matthews())
        .put("macro", matrix.average(Average::Macro))
        .put("weighted", matrix.average(Average::Weighted))
        .put("micro", matrix.average(Average::Micro));
    let confusion = labels.iter().zip(matrix.rows()).map(|(label, counts)| {
        let row = Entry::new().put("true", label);
        labels.iter().zip(counts).fold(row, |row, (label, count)| row.put(&format!("as {label}"), count))
    });
    Ok(Sheet::new(entry)
        .confidence(alpha)
        .hidden("labels", &labels)
        .hidden("matrix", matrix.rows().collect::<Vec<_>>())
        .table("classes", classes.collect(), &[])
        .table("confusion", confusion.collect(), &[]))
}

#[derive(Debug, Args)]
pub(in crate::cli) struct RetrievalArgs {
    /// A table with one row a query and document, retrieved or judged
    file: PathBuf,
    /// Column of the query
    #[arg(long, value_name = "COLUMN")]
    query: String,
    /// Column of the rank, from 1; empty for a document that was not retrieved
    #[arg(long, value_name = "COLUMN")]
    rank: String,
    /// Column of the judged grade, above 0 for relevant; empty for a document that nobody judged
    #[arg(long, value_name = "COLUMN")]
    grade: String,
    /// Ranks to look at
    #[arg(short, long, value_name = "K,…", value_delimiter = ',', default_value = "1,3,5,10")]
    k: Vec<usize>,
}

/// `stats retrieval`
pub(super) fn retrieval(args: &RetrievalArgs, alpha: Alpha) -> Found<Sheet> {
    let wanted = [
        (args.query.as_str(), Want::Category),
        (args.rank.as_str(), Want::Number),
        (args.grade.as_str(), Want::Number),
    ];
    let rows = Rows::read(&args.file, &wanted)?;
    let mut queries = Vec::new();
    for (name, members) in rows.slices(0, &rows.complete(&[0])) {
        let mut ranked: Vec<usize> = members.iter().copied().filter(|&row| rows.number(1, row).is_some()).collect();
        ranked.sort_by(|&a, &b| rows.number(1, a).partial_cmp(&rows.number(1, b)).unwrap_or(std::cmp::Ordering::Equal));
        if ranked.windows(2).any(|pair| rows.number(1, pair[0]) == rows.number(1, pair[1])) {
            return usage(format!("query `{name}` has two documents of one rank"));
        }
        let grades: HashMap<usize, f64> =
            members.iter().filter_map(|&row| rows.number(2, row).map(|grade| (row, grade))).collect();
        queries.push(RankedQuery::from_ids(&ranked, &grades)?);
    }
    let mean = |entry: Entry, key: &str, of: &dyn Fn(&RankedQuery) -> crate::stats::Result<f64>| -> Found<Entry> {
        let values = queries.iter().map(of).collect::<Result<Vec<f64>, _>>()?;
        let found = MeanEstimate::of(&values);
        let centre = crate::stats::mean::mean(&values)?;
        let interval = found.and_then(|found| found.t_interval(alpha)).ok().map(|ci| ci.clipped(0.0, 1.0));
        Ok(entry.put(key, centre).put(&format!("{key}_interval"), interval))
    };
    let entry = Entry::new()
        .put("queries", queries.len())
        .put("without_relevant", queries.iter().filter(|query| query.relevant() == 0).count());
    let entry = mean(entry, "mrr", &|query| Ok(query.reciprocal_rank()))?;
    let entry = mean(entry, "map", &|query| Ok(query.average_precision()))?;
    let mut at = Vec::new();
    for &k in &args.k {
        let row = Entry::new().put("k", k);
        let row = mean(row, "precision", &|query| query.precision_at(k))?;
        let row = mean(row, "recall", &|query| query.recall_at(k))?;
        let row = mean(row, "hit", &|query| query.hit_at(k).map(|hit| f64::from(u8::from(hit))))?;
        let row = mean(row, "ndcg", &|query| query.ndcg_at(k, Gain::Linear))?;
        at.push(mean(row, "ndcg_exponential", &|query| query.ndcg_at(k, Gain::Exponential))?);
    }
    let columns = &["k", "precision", "recall", "hit", "ndcg", "ndcg_interval", "ndcg_exponential"];
    Ok(Sheet::new(entry).confidence(alpha).table("at", at, columns))
}
