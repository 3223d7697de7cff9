//! An audit for people.

use super::audit::Printed;
use crate::calibrate::{AuditLine, Outcome};
use crate::report::{escape_control, escape_markdown};

/// Characters of a foreign name.
const SHOWN: usize = 100;

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Found => "FOUND",
        Outcome::NotFound => "not found",
        Outcome::Measured => "measured",
        Outcome::NotMeasured => "not measured",
    }
}

/// The name of a line: its experiment, and the dimension where that is not the only one.
fn name(line: &AuditLine) -> String {
    match line.dimension.as_str() {
        "overall" => line.experiment.name().to_owned(),
        dimension => format!("{} of {dimension}", line.experiment.name()),
    }
}

fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    if text == "-0.00" { "0.00".to_owned() } else { text }
}

fn left_out(line: &AuditLine) -> String {
    match line.left_out {
        0 => String::new(),
        1 => "; 1 item could not be varied or graded".to_owned(),
        more => format!("; {more} items could not be varied or graded"),
    }
}

fn head(printed: &Printed) -> String {
    format!("{} on {} items", printed.judge, printed.items)
}

/// What many intervals mean, and what it took.
fn foot(printed: &Printed) -> String {
    let measured =
        printed.experiments.iter().filter(|line| matches!(line.outcome, Outcome::Found | Outcome::NotFound)).count();
    let mut foot = String::new();
    if measured > 1 {
        foot.push_str(&format!(
            "Each interval has {} % by itself: of {measured} numbers of a judge without any bias about {} would be found.\n",
            number(100.0 * printed.confidence).trim_end_matches('0').trim_end_matches('.'),
            number((1.0 - printed.confidence) * measured as f64)
        ));
    }
    foot.push_str(&format!("{} calls", printed.took.calls));
    if let Some(usd) = printed.took.cost_usd {
        foot.push_str(&format!(", ${usd:.4}"));
    }
    foot.push('\n');
    foot
}

pub(super) fn text(printed: &Printed) -> String {
    let mut text = format!("Audit of judge {}\n", escape_control(&head(printed), SHOWN));
    let width = printed.experiments.iter().map(|line| name(line).chars().count()).max().unwrap_or(0);
    for line in &printed.experiments {
        let sentence = escape_control(&line.sentence, 1_000);
        text.push_str(&format!("  {:width$}  {:12}  {sentence}{}\n", name(line), word(line.outcome), left_out(line)));
    }
    text + &foot(printed)
}

pub(super) fn markdown(printed: &Printed) -> String {
    let mut text = format!("# Audit of judge {}\n\n", escape_markdown(&head(printed), SHOWN));
    text.push_str("| experiment | measure | n | effect | interval | bias | in words |\n");
    text.push_str("| --- | --- | ---: | ---: | --- | --- | --- |\n");
    for line in &printed.experiments {
        let effect = line.effect.map_or_else(|| "–".to_owned(), number);
        let interval =
            line.interval.map_or_else(|| "–".to_owned(), |at| format!("{} to {}", number(at.low), number(at.high)));
        let outcome = if line.outcome == Outcome::Found { "**found**" } else { word(line.outcome) };
        let sentence = escape_markdown(&line.sentence, 1_000);
        text.push_str(&format!(
            "| {} | {} | {} | {effect} | {interval} | {outcome} | {sentence}{} |\n",
            escape_markdown(&name(line), SHOWN),
            line.measure,
            line.n,
            left_out(line)
        ));
    }
    text + "\n" + &foot(printed)
}
