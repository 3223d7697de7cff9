//! Strengths of candidates whose answers a judge compared in pairs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::super::side::{MetricValues, Side};
use super::entrants::Entrant;
use crate::stats::ranking::bradley_terry;
use crate::stats::{Alpha, Interval};

/// Where the mean of all players stands on Elo's scale.
const ANCHOR: f64 = 1000.0;

/// One player.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Player {
    /// Who it is.
    pub name: String,
    /// The place of the candidate; none for a record that is not among them but was compared with.
    pub candidate: Option<usize>,
    /// Comparisons that it won, of those with others; a tie is half a win, an example counts once whatever its trials.
    pub wins: f64,
    /// Comparisons with others.
    pub games: f64,
    /// Natural log-strength; the mean of all players is 0.
    pub log_strength: Option<f64>,
    /// Its interval.
    pub ci: Option<Interval>,
    /// The same in Elo points around 1000.
    pub elo: Option<f64>,
}

/// Bradley–Terry strengths.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Strengths {
    /// The players, candidates first.
    pub players: Vec<Player>,
    /// Why there are no strengths.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// Strengths from the preferences of one metric; `None` for any other metric, or where nobody was compared with anybody.
pub(super) fn strengths(sides: &[Side], entrants: &[Entrant], alpha: Alpha) -> Option<Strengths> {
    sides[0].metrics[0].tie?;
    let mut names: Vec<String> = entrants.iter().map(|entrant| entrant.label.clone()).collect();
    let mut outside: BTreeMap<String, usize> = BTreeMap::new();
    let mut games: Vec<(usize, usize, f64, f64)> = Vec::new();
    for (player, side) in sides.iter().enumerate() {
        let Some(met) = side.identity.pins.as_ref().and_then(|pins| pins.against.clone()) else { continue };
        if met == side.identity.sha256 {
            continue;
        }
        let among = sides.iter().position(|other| other.identity.sha256 == met);
        let opponent = among.unwrap_or_else(|| {
            *outside.entry(met.clone()).or_insert_with(|| {
                names.push(format!("record {}", met.get(..8).unwrap_or(&met)));
                names.len() - 1
            })
        });
        let (won, lost) = results(&side.metrics[0], side.ids.len());
        games.push((player, opponent, won, lost));
    }
    if games.is_empty() {
        return None;
    }
    let mut wins = vec![vec![0.0; names.len()]; names.len()];
    for (player, opponent, won, lost) in games {
        wins[player][opponent] += won;
        wins[opponent][player] += lost;
    }
    let fit = bradley_terry(&wins);
    let elo = fit.as_ref().ok().map(|fit| fit.elo(ANCHOR));
    let player = |(at, name): (usize, String)| {
        let fitted = fit.as_ref().ok().map(|fit| (fit.log_strengths[at], fit.standard_errors[at]));
        let won: f64 = wins[at].iter().sum();
        Player {
            name,
            candidate: (at < entrants.len()).then_some(at),
            wins: won,
            games: won + wins.iter().map(|row| row[at]).sum::<f64>(),
            log_strength: fitted.map(|(strength, _)| strength),
            ci: fitted.map(|(strength, error)| Interval::around(strength, alpha.two_sided_z() * error)),
            elo: elo.as_ref().map(|elo| elo[at]),
        }
    };
    Some(Strengths {
        refused: fit.as_ref().err().map(ToString::to_string),
        players: names.into_iter().enumerate().map(player).collect(),
    })
}

/// Examples won and lost, a tie half of each, trials sharing their example.
fn results(metric: &MetricValues, examples: usize) -> (f64, f64) {
    let Some(tie) = metric.tie else { return (0.0, 0.0) };
    let direction = metric.scale.direction();
    let (mut won, mut lost) = (0.0, 0.0);
    for example in 0..examples {
        let values: Vec<f64> = metric.of(example).iter().flatten().map(|scored| scored.value).collect();
        for value in &values {
            let share = match (direction * (value - tie)).total_cmp(&0.0) {
                std::cmp::Ordering::Greater => 1.0,
                _ if *value == tie => 0.5,
                _ => 0.0,
            };
            won += share / values.len() as f64;
            lost += (1.0 - share) / values.len() as f64;
        }
    }
    (won, lost)
}
