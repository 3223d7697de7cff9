//! Several judges of the same items: what each is worth, and what it costs.

use super::blocks::{Block, kappa_cell, percent, span, texts, three};
use crate::calibrate::{Calibration, KappaDifference, SideBySide};

/// The judges in a table, then every two of them.
pub(super) fn side_by_side(found: &Calibration, beside: &SideBySide, out: &mut Vec<Block>) {
    let unknown = || "–".to_owned();
    let rows = found.judges.iter().map(|judge| {
        let stands = beside.front.contains(&judge.judge);
        vec![
            judge.judge.clone(),
            judge.compared.to_string(),
            kappa_cell(judge.kappa),
            span(judge.kappa.and_then(|kappa| kappa.interval)),
            percent(judge.agreement),
            percent(Some(judge.unparsed.rate)),
            judge.mean_cost_usd.map_or_else(unknown, dollars),
            judge.median_latency_ms.map_or_else(unknown, |value| format!("{value:.0} ms")),
            if beside.front.is_empty() { unknown() } else { if stands { "yes" } else { "no" }.to_owned() },
            judge.licence.allows.words().to_owned(),
        ]
    });
    out.push(Block::Table {
        title: "judges side by side".to_owned(),
        head: texts(&[
            "judge",
            "n",
            "κ",
            "interval",
            "agree",
            "unparsed",
            "cost a judgement",
            "median time",
            "on the front",
            "may be used for",
        ]),
        rows: rows.collect(),
    });
    if !beside.front.is_empty() {
        out.push(Block::Text {
            text: format!(
                "On the front: no other judge is better in one of {} without being worse in another.",
                beside.criteria.join(", ").replace("kappa", "κ")
            ),
        });
    }
    differences(beside, out);
}

/// Dollars with two digits that count, but for round sums.
fn dollars(value: f64) -> String {
    if value != 0.0 && value.abs() < 0.01 { format!("{value:.6} $") } else { format!("{value:.4} $") }
}

fn differences(beside: &SideBySide, out: &mut Vec<Block>) {
    if let Some(why) = &beside.no_differences {
        out.push(Block::Text { text: format!("The κ of these judges are not compared: {why}.") });
        return;
    }
    let signed = |value: f64| if value > 0.0 { format!("+{}", three(value)) } else { three(value) };
    let row = |one: &KappaDifference| {
        let ends = one.interval.map(|ends| format!("{} … {}", signed(ends.low), signed(ends.high)));
        vec![
            format!("{} – {}", one.first, one.second),
            beside.items.to_string(),
            signed(one.difference),
            ends.unwrap_or_else(|| "–".to_owned()),
            three(one.p),
            three(one.p_adjusted),
        ]
    };
    out.push(Block::Table {
        title: "κ of one judge less that of another, on the items that all graded: bootstrap over items, p adjusted by Holm"
            .to_owned(),
        head: texts(&["judges", "n", "difference", "interval", "p", "p adj"]),
        rows: beside.differences.iter().map(row).collect(),
    });
}
