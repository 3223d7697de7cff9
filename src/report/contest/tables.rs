//! The tables of a report of several candidates.

use super::super::unit::Unit;
use super::super::view::{grouped_digits, p_text};
use super::ContestReport;
use super::blocks::{Block, Row, texts, unit};
use crate::compare::{Entrant, Pairwise, SliceWinner, Standing, Standings, Strengths};
use crate::gate::{Replace, Replacement};

/// Candidates up to which a matrix of all pairs can be read.
pub(super) const WIDEST_MATRIX: usize = 8;
/// Candidates up to which the estimates of all stand beside a slice.
const WIDEST_SLICES: usize = 6;

const NONE: &str = "–";

pub(super) fn replacement(report: &ContestReport, answer: &Replacement) -> Row {
    let tone = match answer.answer {
        Replace::May => "good",
        Replace::NotShown => "",
        Replace::MayNot => "bad",
    };
    let mut cells = vec![report.name(answer.candidate).to_owned(), answer.answer.words().to_owned()];
    match &answer.hardest {
        Some(hardest) => {
            let scale = report.contest.metrics.iter().find(|metric| metric.metric == hardest.metric);
            let unit = scale.map_or(Unit::new(true), unit);
            cells.extend([
                format!("{} @ {}", hardest.metric, hardest.slice),
                grouped_digits(hardest.n),
                unit.change(hardest.delta),
                unit.interval(hardest.ci.map(|ci| (ci.low, ci.high))),
                unit.change(Some(hardest.margin)).trim_start_matches('+').to_owned(),
            ]);
        }
        None => cells.extend(texts(&[NONE; 5])),
    }
    cells.extend([p_text(answer.p), p_text(answer.p_adjusted)]);
    Row::new(cells, tone)
}

pub(super) fn leaderboard(report: &ContestReport, standings: &Standings) -> Block {
    let unit = unit(standings);
    let entrants = &report.contest.candidates;
    let known = |of: fn(&Entrant) -> Option<f64>| entrants.iter().any(|entrant| of(entrant).is_some());
    let (costs, times) = (known(|entrant| entrant.cost), known(|entrant| entrant.latency_p50));
    let mut head = texts(&["", "candidate", &standings.metric, "interval", "p against the first"]);
    if costs {
        head.extend(texts(&["$ an answer", "on the front"]));
    }
    if times {
        head.extend(texts(&["p50", "p95"]));
    }
    let milliseconds = |time: Option<f64>| time.map_or_else(|| NONE.to_owned(), |time| format!("{time:.0} ms"));
    let row = |standing: &Standing| {
        let entrant = &entrants[standing.candidate];
        let interval = standing.ci.map_or_else(
            || NONE.to_owned(),
            |ci| format!("[{}, {}]", unit.value(Some(ci.low)), unit.value(Some(ci.high))),
        );
        let role = if standing.candidate == 0 { " (baseline)" } else { "" };
        let mut cells = vec![
            standing.rank.to_string(),
            format!("{}{role}", entrant.label),
            unit.value(standing.value),
            interval,
            p_text(standing.p_first),
        ];
        if costs {
            cells.push(entrant.cost.map_or_else(|| NONE.to_owned(), |cost| format!("{cost:.6}")));
            cells.push(match standing.on_front {
                Some(true) => "yes".to_owned(),
                Some(false) => "no".to_owned(),
                None => NONE.to_owned(),
            });
        }
        if times {
            cells.extend([milliseconds(entrant.latency_p50), milliseconds(entrant.latency_p95)]);
        }
        Row::new(cells, if standing.among_first { "first" } else { "" })
    };
    Block::Table {
        title: "Leaderboard; those that cannot be told from the first stand out".into(),
        head,
        texts: 2,
        rows: standings.table.iter().map(row).collect(),
    }
}

/// Row minus column, in the order of the table; `*` where the two differ.
pub(super) fn matrix(report: &ContestReport, standings: &Standings) -> Block {
    let unit = unit(standings);
    let order: Vec<usize> = standings.table.iter().map(|row| row.candidate).collect();
    let cell = |row: usize, column: usize| {
        let Some(pair) = standings.pair(row, column) else { return NONE.to_owned() };
        let sign = if pair.second == row { 1.0 } else { -1.0 };
        let star = if pair.differs { "*" } else { "" };
        format!("{}{star}", unit.change(pair.delta.map(|delta| sign * delta)))
    };
    let mut head = texts(&["row − column"]);
    head.extend(order.iter().map(|&candidate| report.name(candidate).to_owned()));
    let rows = order
        .iter()
        .map(|&row| {
            let cells = order.iter().map(|&column| if row == column { "·".to_owned() } else { cell(row, column) });
            Row::new(std::iter::once(report.name(row).to_owned()).chain(cells).collect(), "")
        })
        .collect();
    let title = "All pairs; * where the two differ (adjusted p at most α)".to_owned();
    Block::Table { title, head, texts: 1, rows }
}

pub(super) fn pairs(report: &ContestReport, standings: &Standings) -> Block {
    let unit = unit(standings);
    let count = |count: Option<u64>| count.map_or_else(|| NONE.to_owned(), grouped_digits);
    let row = |pair: &Pairwise| {
        let cells = vec![
            format!("{} → {}", report.name(pair.first), report.name(pair.second)),
            count(pair.wins),
            count(pair.ties),
            count(pair.losses),
            unit.change(pair.delta),
            unit.interval(pair.ci.map(|ci| (ci.low, ci.high))),
            p_text(Some(pair.p)),
            p_text(Some(pair.p_adjusted)),
        ];
        Row::new(cells, if pair.differs { "first" } else { "" })
    };
    let grouped = standings.blocks < standings.n;
    Block::Table {
        title: format!(
            "Pairs: {} that the second wins, ties, loses; second minus first",
            if grouped { "groups" } else { "examples" }
        ),
        head: texts(&["pair", "wins", "ties", "losses", "Δ", "interval", "p", "p adj."]),
        texts: 1,
        rows: standings.pairs.iter().map(row).collect(),
    }
}

pub(super) fn slices(report: &ContestReport, standings: &Standings) -> Block {
    let unit = unit(standings);
    let narrow = report.contest.candidates.len() <= WIDEST_SLICES;
    let mut head = texts(&["slice", "winner", "n"]);
    if narrow {
        head.extend(report.contest.candidates.iter().map(|entrant| entrant.label.clone()));
    } else {
        head.extend(texts(&["best estimate"]));
    }
    head.push("p adj.".to_owned());
    let row = |slice: &SliceWinner| {
        let winner = slice.winner.map_or("no winner shown", |winner| report.name(winner));
        let mut cells = vec![slice.slice.clone(), winner.to_owned(), grouped_digits(slice.n)];
        if narrow {
            cells.extend(slice.values.iter().map(|value| unit.value(*value)));
        } else {
            let best = slice.best.first().and_then(|&best| slice.values[best]);
            cells.push(unit.value(best));
        }
        cells.push(p_text(slice.p_adjusted));
        Row::new(cells, if slice.winner.is_some() { "first" } else { "" })
    };
    let title = "Slices, each with its winner where one can be told".to_owned();
    Block::Table { title, head, texts: 2, rows: standings.slices.iter().map(row).collect() }
}

pub(super) fn strengths(strengths: &Strengths, out: &mut Vec<Block>) {
    if let Some(why) = &strengths.refused {
        out.push(Block::Text { text: format!("No Bradley–Terry strengths: {why}.") });
    }
    let three = |value: Option<f64>| Unit::new(false).change(value);
    let mut players: Vec<_> = strengths.players.iter().collect();
    let strength = |value: Option<f64>| value.unwrap_or(f64::NEG_INFINITY);
    players.sort_by(|a, b| strength(b.log_strength).total_cmp(&strength(a.log_strength)));
    let rows = players
        .into_iter()
        .map(|player| {
            let cells = vec![
                player.name.clone(),
                format!("{:.1}", player.wins),
                format!("{:.0}", player.games),
                three(player.log_strength),
                Unit::new(false).interval(player.ci.map(|ci| (ci.low, ci.high))),
                player.elo.map_or_else(|| NONE.to_owned(), |elo| format!("{elo:.0}")),
            ];
            Row::new(cells, "")
        })
        .collect();
    out.push(Block::Table {
        title: "Bradley–Terry strengths from the judge's preferences (a tie is half a win; examples independent)"
            .into(),
        head: texts(&["player", "wins", "games", "log-strength", "interval", "Elo"]),
        texts: 1,
        rows,
    });
}
