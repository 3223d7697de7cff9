//! Where the parts of a drawing go. Numbers come in computed; what is done here is placing them on paper.

use serde::Serialize;

use super::details::{Candidates, ConfusionPair, Look, ReliabilityPair};
use crate::compare::{Confusion, Reliability};

/// A tick of an axis.
#[derive(Debug, Serialize)]
pub(super) struct Tick {
    at: f64,
    text: String,
}

/// Tenths of a pixel are enough, and the file stays small.
fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn line(points: impl Iterator<Item = (f64, f64)>) -> String {
    points.map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

// ---- confusion matrices ----------------------------------------------------------------------------------------------

#[derive(Debug, Serialize)]
pub(super) struct ConfusionCell {
    count: u64,
    tone: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct ConfusionRow {
    right: String,
    cells: Vec<ConfusionCell>,
}

#[derive(Debug, Serialize)]
pub(super) struct Matrix {
    given: Vec<String>,
    rows: Vec<ConfusionRow>,
}

#[derive(Debug, Serialize)]
pub(super) struct Matrices {
    scorer: String,
    baseline: Option<Matrix>,
    head: Option<Matrix>,
}

fn matrix(confusion: &Confusion) -> Matrix {
    let shown = |label: &String| if label.is_empty() { "(none)".to_owned() } else { label.clone() };
    let rows = confusion.right.iter().zip(&confusion.counts).map(|(right, counts)| ConfusionRow {
        right: shown(right),
        cells: confusion
            .given
            .iter()
            .zip(counts)
            .map(|(given, &count)| ConfusionCell {
                count,
                tone: match count {
                    0 => "zero",
                    _ if given == right => "right",
                    _ => "wrong",
                },
            })
            .collect(),
    });
    Matrix { given: confusion.given.iter().map(shown).collect(), rows: rows.collect() }
}

pub(super) fn matrices(pairs: &[ConfusionPair]) -> Vec<Matrices> {
    let of = |pair: &ConfusionPair| Matrices {
        scorer: pair.scorer.clone(),
        baseline: pair.baseline.as_ref().map(matrix),
        head: pair.head.as_ref().map(matrix),
    };
    pairs.iter().map(of).collect()
}

// ---- reliability diagrams --------------------------------------------------------------------------------------------

#[derive(Debug, Serialize)]
pub(super) struct Dot {
    x: f64,
    y: f64,
    r: f64,
    tone: &'static str,
    title: String,
}

#[derive(Debug, Serialize)]
pub(super) struct ReliabilitySide {
    class: &'static str,
    error: String,
    line: String,
    dots: Vec<Dot>,
}

#[derive(Debug, Serialize)]
pub(super) struct Diagram {
    scorer: String,
    sides: Vec<ReliabilitySide>,
}

fn reliability_side(class: &'static str, reliability: &Reliability) -> ReliabilitySide {
    let most = reliability.rows.iter().map(|row| row.bin.count).max().unwrap_or(1).max(1) as f64;
    let dots: Vec<Dot> = reliability
        .rows
        .iter()
        .filter_map(|row| Some((row.bin.count, row.bin.means?)))
        .map(|(count, means)| Dot {
            x: tenth(40.0 + 250.0 * means.confidence),
            y: tenth(260.0 - 250.0 * means.accuracy),
            r: tenth(2.5 + 6.5 * (count as f64 / most).sqrt()),
            tone: class,
            title: format!(
                "{class}: {count} answers, {:.0} % sure, {:.0} % right",
                100.0 * means.confidence,
                100.0 * means.accuracy
            ),
        })
        .collect();
    ReliabilitySide {
        class,
        error: format!("{:.3}", reliability.error),
        line: line(dots.iter().map(|dot| (dot.x, dot.y))),
        dots,
    }
}

pub(super) fn diagrams(pairs: &[ReliabilityPair]) -> Vec<Diagram> {
    let of = |pair: &ReliabilityPair| {
        let baseline = pair.baseline.as_ref().map(|side| reliability_side("baseline", side));
        let head = pair.head.as_ref().map(|side| reliability_side("head", side));
        Diagram { scorer: pair.scorer.clone(), sides: baseline.into_iter().chain(head).collect() }
    };
    pairs.iter().map(of).collect()
}

// ---- cost against quality --------------------------------------------------------------------------------------------

#[derive(Debug, Serialize)]
struct Point {
    x: f64,
    y: f64,
    label_x: f64,
    label_y: f64,
    anchor: &'static str,
    name: String,
    cost: String,
    quality: String,
    front: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Scatter {
    metric: String,
    points: Vec<Point>,
    front: String,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
}

/// The ends of an axis with some room beside the outermost values.
fn ends(values: impl Iterator<Item = f64> + Clone, least_room: f64) -> (f64, f64) {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    let room = (0.12 * (high - low)).max(least_room);
    (low - room, high + room)
}

fn quality_text(value: f64, percent: bool) -> String {
    if percent { format!("{:.1} %", 100.0 * value) } else { format!("{value:.3}") }
}

pub(super) fn scatter(candidates: &Candidates) -> Scatter {
    let points = &candidates.points;
    let most = points.iter().map(|(point, _)| point.cost).fold(0.0_f64, f64::max);
    let reach = if most > 0.0 { 1.12 * most } else { 1.0 };
    let (low, high) = ends(points.iter().map(|(point, _)| point.quality), 0.01);
    let (low, high) = if candidates.percent { (low.max(0.0), high.min(1.0)) } else { (low, high) };
    let x = |cost: f64| tenth(60.0 + 560.0 * cost / reach);
    let y = |quality: f64| tenth(270.0 - 260.0 * (quality - low) / (high - low).max(f64::MIN_POSITIVE));
    let mut placed: Vec<Point> = points
        .iter()
        .map(|(point, front)| {
            let (at, up) = (x(point.cost), y(point.quality));
            let is_right = at > 420.0;
            Point {
                x: at,
                y: up,
                label_x: if is_right { at - 11.0 } else { at + 11.0 },
                label_y: up + 4.0,
                anchor: if is_right { "end" } else { "start" },
                name: point.name.clone(),
                cost: format!("${:.6}", point.cost),
                quality: quality_text(point.quality, candidates.percent),
                front: *front,
            }
        })
        .collect();
    placed.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    // Names of neighbours stand below each other.
    for at in 1..placed.len() {
        let before = (placed[at - 1].x, placed[at - 1].label_y, placed[at - 1].anchor);
        let point = &mut placed[at];
        if point.anchor == before.2 && (point.x - before.0).abs() < 120.0 && (point.label_y - before.1).abs() < 13.0 {
            point.label_y = tenth(before.1 + 14.0);
        }
    }
    // Two digits that differ from tick to tick, and cents at least.
    let digits = (1.0 - (reach / 4.0).log10().floor()).clamp(2.0, 9.0) as usize;
    Scatter {
        metric: candidates.metric.clone(),
        front: line(placed.iter().filter(|point| point.front).map(|point| (point.x, point.y))),
        points: placed,
        x_ticks: (0..=4)
            .map(|step| f64::from(step) / 4.0 * reach)
            .map(|cost| Tick { at: x(cost), text: format!("${cost:.digits$}") })
            .collect(),
        y_ticks: quality_ticks(low, high, candidates.percent, y),
    }
}

fn quality_ticks(low: f64, high: f64, percent: bool, y: impl Fn(f64) -> f64) -> Vec<Tick> {
    (0..=3)
        .map(|step| low + f64::from(step) / 3.0 * (high - low))
        .map(|quality| Tick { at: y(quality), text: quality_text(quality, percent) })
        .collect()
}

// ---- the past --------------------------------------------------------------------------------------------------------

#[derive(Debug, Serialize)]
pub(super) struct Trend {
    metric: String,
    count: usize,
    from: String,
    to: String,
    first: String,
    last: String,
    line: String,
    dots: Vec<Dot>,
    ticks: Vec<Tick>,
}

/// The most checks drawn: the latest ones.
const MOST_LOOKS: usize = 200;

/// A line for each of the named metrics that at least two checks have.
pub(super) fn trends<'a>(history: &[Look], metrics: impl Iterator<Item = (&'a str, bool)>) -> Vec<Trend> {
    metrics.filter_map(|(metric, percent)| trend(history, metric, percent)).collect()
}

fn trend(history: &[Look], metric: &str, percent: bool) -> Option<Trend> {
    let all: Vec<(&Look, f64)> = history.iter().filter_map(|look| Some((look, *look.metrics.get(metric)?))).collect();
    let looks = &all[all.len().saturating_sub(MOST_LOOKS)..];
    let ((first, start), (last, end)) = (looks.first()?, looks.last().filter(|_| looks.len() > 1)?);
    let (low, high) = ends(looks.iter().map(|(_, value)| *value), 0.01);
    let (low, high) = if percent { (low.max(0.0), high.min(1.0)) } else { (low, high) };
    let y = |value: f64| tenth(130.0 - 120.0 * (value - low) / (high - low).max(f64::MIN_POSITIVE));
    let x = |at: usize| tenth(60.0 + 560.0 * at as f64 / (looks.len() - 1) as f64);
    let dots: Vec<Dot> = looks
        .iter()
        .enumerate()
        .map(|(at, (look, value))| Dot {
            x: x(at),
            y: y(*value),
            r: 4.0,
            tone: match look.decision.as_deref().map(str::to_ascii_lowercase).as_deref() {
                Some("pass") => "good",
                Some("fail") => "bad",
                Some(_) => "open",
                None => "plain",
            },
            title: format!(
                "{}: {}{}",
                look.when,
                quality_text(*value, percent),
                look.decision.as_ref().map_or_else(String::new, |decision| format!(", {decision}"))
            ),
        })
        .collect();
    Some(Trend {
        metric: metric.to_owned(),
        count: looks.len(),
        from: first.when.clone(),
        to: last.when.clone(),
        first: quality_text(*start, percent),
        last: quality_text(*end, percent),
        line: line(dots.iter().map(|dot| (dot.x, dot.y))),
        ticks: quality_ticks(low, high, percent, y),
        dots,
    })
}
