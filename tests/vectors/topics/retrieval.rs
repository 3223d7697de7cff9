//! 15: ranked retrieval.

use std::collections::HashMap;

use evalgauge::stats::Result;
use evalgauge::stats::retrieval::{Gain, RankedQuery};
use serde_json::{Map, Value, json};

use super::inputs::{answer, number, strings};
use crate::{Answer, Case};

pub fn run(case: &Case<'_>) -> Option<Answer> {
    (case.function == "retrieval").then(|| answer(retrieval(case)))
}

/// One measure at a depth.
fn at_depth(query: &RankedQuery, measure: &str, k: usize) -> Option<Result<f64>> {
    Some(match measure {
        "p" => query.precision_at(k),
        "r" => query.recall_at(k),
        "hit" => query.hit_at(k).map(|hit| f64::from(u8::from(hit))),
        "ndcg_linear" => query.ndcg_at(k, Gain::Linear),
        "ndcg_exp" => query.ndcg_at(k, Gain::Exponential),
        _ => return None,
    })
}

fn retrieval(case: &Case<'_>) -> Result<Value> {
    let ranked = strings(&case.inputs["ranked"]);
    let grades = case.inputs["qrels"].as_object().into_iter().flatten();
    let grades: HashMap<String, f64> = grades.map(|(id, grade)| (id.clone(), number(grade))).collect();
    let query = RankedQuery::from_ids(&ranked, &grades)?;
    let mut outputs = Map::new();
    outputs.insert("rr".to_owned(), json!(query.reciprocal_rank()));
    outputs.insert("ap".to_owned(), json!(query.average_precision()));
    // The depths asked for stand in the names of the expected values only.
    for name in case.expected.as_object().into_iter().flat_map(Map::keys) {
        let Some((measure, k)) = name.split_once('@') else { continue };
        if let Ok(k) = k.parse()
            && let Some(value) = at_depth(&query, measure, k)
        {
            outputs.insert(name.clone(), json!(value?));
        }
    }
    Ok(Value::Object(outputs))
}
