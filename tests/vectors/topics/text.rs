//! Topic 14: scores of texts against references.

use evalgauge::stats::text::bleu::sentence_bleu;
use evalgauge::stats::text::chrf::sentence_chrf;
use evalgauge::stats::text::{
    BleuOptions, BleuScorer, BleuStatistics, ChrfOptions, ChrfScorer, ChrfStatistics, RougeCounts, RougeScorer,
    Smoothing, TerOptions, TerScorer, TerStatistics, Tokenizer, damerau_levenshtein, levenshtein, normalize_answer,
    similarity, squad,
};
use serde_json::{Value, json};

use super::inputs::{answer, strings};
use crate::{Answer, Case};

/// Hypotheses, and the references of each (the file lists references by stream).
fn corpus(inputs: &Value) -> (Vec<String>, Vec<Vec<String>>) {
    let streams: Vec<Vec<String>> = inputs["refs"].as_array().unwrap().iter().map(strings).collect();
    let hypotheses = strings(&inputs["hyps"]);
    let longest = streams.iter().map(Vec::len).max().unwrap_or(0);
    let references =
        (0..longest).map(|i| streams.iter().filter_map(|stream| stream.get(i).cloned()).collect()).collect();
    (hypotheses, references)
}

fn bleu(inputs: &Value) -> evalgauge::stats::Result<Value> {
    let (hypotheses, references) = corpus(inputs);
    let options = BleuOptions {
        tokenizer: Tokenizer::from_name(inputs["tokenize"].as_str().unwrap_or("13a")).unwrap(),
        lowercase: inputs["lowercase"].as_bool().unwrap_or(false),
        smoothing: match inputs["smooth_method"].as_str().unwrap_or("exp") {
            "none" => Smoothing::None,
            "floor" => Smoothing::Floor(inputs["smooth_value"].as_f64().unwrap_or(0.1)),
            "add-k" => Smoothing::AddK(inputs["smooth_value"].as_f64().unwrap_or(1.0)),
            _ => Smoothing::Exponential,
        },
        effective_order: false,
    };
    let pairs = BleuScorer::new(options).corpus(&hypotheses, &references)?;
    let sum: BleuStatistics = pairs.iter().sum();
    let score = sum.score(&options)?;
    Ok(json!({
        "score": score.score, "precisions": score.precisions, "bp": score.brevity_penalty,
        "sys_len": sum.hypothesis_length, "ref_len": sum.reference_length,
        "counts": sum.matches, "totals": sum.totals,
        "signature": options.signature(references.first().map(Vec::len)),
    }))
}

fn chrf(inputs: &Value) -> evalgauge::stats::Result<Value> {
    let (hypotheses, references) = corpus(inputs);
    let options =
        ChrfOptions { word_order: inputs["word_order"].as_u64().unwrap_or(0) as usize, ..ChrfOptions::default() };
    let sum: ChrfStatistics = ChrfScorer::new(options)?.corpus(&hypotheses, &references)?.iter().sum();
    Ok(json!({"score": sum.score(&options)?, "signature": options.signature(references.first().map(Vec::len))}))
}

fn ter(inputs: &Value) -> evalgauge::stats::Result<Value> {
    let (hypotheses, references) = corpus(inputs);
    let options = TerOptions::default();
    let sum: TerStatistics = TerScorer::new(options).corpus(&hypotheses, &references)?.iter().sum();
    Ok(json!({"score": sum.score(), "signature": options.signature(references.first().map(Vec::len))}))
}

fn rouge(inputs: &Value, stemming: bool) -> evalgauge::stats::Result<Value> {
    let text = |name: &str| inputs[name].as_str().unwrap().to_owned();
    let pair = RougeScorer::new(stemming).statistics(&text("hyp"), &[text("ref")])?;
    let show = |counts: RougeCounts| json!({"p": counts.precision(), "r": counts.recall(), "f": counts.f_measure()});
    Ok(json!({
        "rouge1": show(pair.rouge1), "rouge2": show(pair.rouge2),
        "rougeL": show(pair.rouge_l), "rougeLsum": show(pair.rouge_l_sum),
    }))
}

/// Answers the functions of this topic.
pub fn run(case: &Case<'_>) -> Option<Answer> {
    let inputs = case.inputs;
    let text = |name: &str| inputs[name].as_str().unwrap_or_default();
    Some(answer(match case.function {
        "squad" => {
            let golds = strings(&inputs["golds"]);
            squad(text("prediction"), &golds).map(|score| {
                json!({
                    "em": f64::from(u8::from(score.exact_match)), "f1": score.f1,
                    "normalized_prediction": normalize_answer(text("prediction")),
                    "normalized_golds": golds.iter().map(|gold| normalize_answer(gold)).collect::<Vec<_>>(),
                })
            })
        }
        "bleu_corpus" | "bleu_smoothing" => bleu(inputs),
        "bleu_sentence" => sentence_bleu(text("hyp"), &strings(&inputs["refs"]), &BleuOptions::sentence())
            .map(|score| json!({"score": score.score})),
        "chrf_corpus" => chrf(inputs),
        "chrf_sentence" => {
            let score = |options| sentence_chrf(text("hyp"), &strings(&inputs["refs"]), &options);
            score(ChrfOptions::default())
                .and_then(|chrf2| Ok(json!({"chrf2": chrf2, "chrfpp": score(ChrfOptions::plus_plus())?})))
        }
        "ter_corpus" => ter(inputs),
        "rouge_nostem" => rouge(inputs, false),
        "rouge_stem" => rouge(inputs, true),
        "levenshtein" => {
            let (a, b) = (text("a"), text("b"));
            Ok(json!({
                "distance": levenshtein(a, b), "normalized_similarity": similarity(a, b),
                "damerau": damerau_levenshtein(a, b),
            }))
        }
        _ => return None,
    }))
}
