//! A calibration as one page: no request to anywhere, every text escaped by the template engine.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::CalibrationReport;
use super::blocks::{Block, blocks, three};
use crate::report::escape_control;

/// The page; styles are in it, there is no script.
const PAGE: &str = include_str!("page.html.j2");
/// Characters of a text.
const MOST_TEXT: usize = 4000;
/// The side of the diagram, and what is left for its axes.
const SIDE: f64 = 320.0;
const EDGE: f64 = 34.0;

/// A point of the diagram in its own units.
#[derive(Serialize)]
struct Dot {
    x: String,
    y: String,
    low: String,
    high: String,
    radius: String,
    title: String,
}

/// What the template sees.
#[derive(Serialize)]
struct Page {
    title: String,
    pieces: Vec<Piece>,
    provenance: Vec<(String, String)>,
    side: f64,
    edge: f64,
    inner: f64,
}

#[derive(Serialize)]
struct Piece {
    #[serde(flatten)]
    block: Block,
    /// Of a diagram.
    dots: Vec<Dot>,
}

/// The calibration as a page.
///
/// # Errors
/// A failure of the template engine, which is a bug.
pub fn calibration_html(report: &CalibrationReport<'_>) -> Result<String, String> {
    let pieces: Vec<Piece> =
        blocks(report).into_iter().map(|block| Piece { dots: dots(&block), block: harmless(block) }).collect();
    let page = Page {
        title: escape_control(&report.title, 300),
        pieces,
        provenance: report.provenance.iter().map(|(label, text)| (label.clone(), escape_control(text, 400))).collect(),
        side: SIDE,
        edge: EDGE,
        inner: SIDE - EDGE,
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    // The name's ending turns escaping on.
    environment.add_template("page.html", PAGE).map_err(|error| error.to_string())?;
    let template = environment.get_template("page.html").map_err(|error| error.to_string())?;
    template.render(Serde(&page)).map_err(|error| error.to_string())
}

/// Texts without what would turn or hide other text; what is markup is escaped by the engine.
fn harmless(mut block: Block) -> Block {
    let mend = |text: &mut String| *text = escape_control(text, MOST_TEXT);
    match &mut block {
        Block::Heading { text, .. } | Block::Text { text } => mend(text),
        Block::Licence { judge, dimension, reasons, .. } => {
            mend(judge);
            mend(dimension);
            reasons.iter_mut().for_each(mend);
        }
        Block::List { items, .. } => items.iter_mut().for_each(mend),
        Block::Table { title, head, rows } => {
            mend(title);
            head.iter_mut().chain(rows.iter_mut().flatten()).for_each(mend);
        }
        Block::Matrix { title, labels, .. } => {
            mend(title);
            labels.iter_mut().for_each(mend);
        }
        Block::Reliability { title, .. } => mend(title),
        Block::Disagreements { items, .. } => {
            for item in items {
                [&mut item.id, &mut item.reference, &mut item.judge].into_iter().for_each(mend);
                item.rationale.iter_mut().for_each(mend);
                item.labels.iter_mut().for_each(|one| {
                    mend(&mut one.rater);
                    mend(&mut one.label);
                });
                item.shown.iter_mut().for_each(|(label, text)| {
                    mend(label);
                    mend(text);
                });
            }
        }
    }
    block
}

fn dots(block: &Block) -> Vec<Dot> {
    let Block::Reliability { points, .. } = block else { return Vec::new() };
    let most = points.iter().map(|point| point.n).max().unwrap_or(1) as f64;
    let across = |share: f64| format!("{:.1}", EDGE + share * (SIDE - EDGE));
    let up = |share: f64| format!("{:.1}", (1.0 - share) * (SIDE - EDGE));
    let dot = |point: &super::blocks::Point| Dot {
        x: across(point.probability),
        y: up(point.passed),
        low: up(point.low),
        high: up(point.high),
        radius: format!("{:.1}", 3.0 + 6.0 * libm::sqrt(point.n as f64 / most)),
        title: format!("{} items: {} said, {} passed", point.n, three(point.probability), three(point.passed)),
    };
    points.iter().map(dot).collect()
}
