//! Who is better, from pairwise comparisons.

use std::path::PathBuf;

use clap::Args;

use super::input::{Found, Input, Rows, counts, flag, numbers_or_file, usage};
use super::sheet::{Entry, Sheet};
use crate::stats::Alpha;
use crate::stats::ranking::{Game, bradley_terry, elo, win_rate};
use crate::table::Want;

#[derive(Debug, Args)]
pub(in crate::cli) struct GamesArgs {
    /// A table with one row a comparison, in the order in which they were made
    file: PathBuf,
    /// Column of the first player
    #[arg(long, value_name = "COLUMN")]
    first: String,
    /// Column of the second player
    #[arg(long, value_name = "COLUMN")]
    second: String,
    /// Column of the winner: a player's name, or 1, 2, and 0 or `tie`
    #[arg(long, value_name = "COLUMN")]
    winner: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct EloArgs {
    #[command(flatten)]
    games: GamesArgs,
    /// Points at stake in a game
    #[arg(long, value_name = "X", default_value_t = 32.0)]
    k: f64,
    /// Rating at the start
    #[arg(long, value_name = "X", default_value_t = 1000.0)]
    initial: f64,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WinRateArgs {
    /// WINS LOSSES TIES, or a table
    #[arg(required = true, value_name = "FILE|WINS LOSSES TIES", allow_negative_numbers = true)]
    input: Vec<String>,
    /// Column of the result: 1 won, 0 lost, 0.5 tied (or 1, −1, 0 with --signed)
    #[arg(long, value_name = "COLUMN")]
    result: Option<String>,
    /// Results are 1, −1 and 0
    #[arg(long)]
    signed: bool,
}

/// Players and games, the players by name.
struct Season {
    players: Vec<String>,
    games: Vec<Game>,
    left_out: usize,
}

impl Season {
    fn read(args: &GamesArgs) -> Found<Self> {
        let wanted = [
            (args.first.as_str(), Want::Category),
            (args.second.as_str(), Want::Category),
            (args.winner.as_str(), Want::Category),
        ];
        let rows = Rows::read(&args.file, &wanted)?;
        let complete = rows.complete(&[0, 1, 2]);
        let mut players: Vec<String> =
            (0..2).filter_map(|column| rows.category(column)).flat_map(|category| category.names.clone()).collect();
        players.sort();
        players.dedup();
        let mut games = Vec::with_capacity(complete.len());
        for row in &complete {
            let name = |column: usize| rows.name(column, *row).unwrap_or_default();
            let (first, second, winner) = (name(0), name(1), name(2));
            let score = match winner {
                _ if winner == first => 1.0,
                _ if winner == second => 0.0,
                "1" | "a" | "A" | "first" => 1.0,
                "2" | "b" | "B" | "second" => 0.0,
                "0" | "0.5" | "tie" | "draw" => 0.5,
                other => return usage(format!("winner `{other}` is none of the players, 1, 2, 0 or tie")),
            };
            let number = |name: &str| players.binary_search_by(|player| player.as_str().cmp(name)).unwrap_or(0);
            games.push(Game { first: number(first), second: number(second), score });
        }
        Ok(Self { players, games, left_out: rows.len() - complete.len() })
    }

    /// How often each player beat each other, ties as half.
    fn wins(&self) -> Vec<Vec<f64>> {
        let mut wins = vec![vec![0.0; self.players.len()]; self.players.len()];
        for game in &self.games {
            wins[game.first][game.second] += game.score;
            wins[game.second][game.first] += 1.0 - game.score;
        }
        wins
    }
}

fn by_strength(mut rows: Vec<Entry>, key: &str) -> Vec<Entry> {
    let strength = |entry: &Entry| entry.get(key).and_then(serde_json::Value::as_f64).unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
    rows
}

/// `stats bradley-terry`
pub(super) fn strengths(args: &GamesArgs) -> Found<Sheet> {
    let season = Season::read(args)?;
    let wins = season.wins();
    let found = bradley_terry(&wins)?;
    let points = found.elo(1000.0);
    let rows = season.players.iter().enumerate().map(|(i, player)| {
        Entry::new()
            .put("player", player)
            .put("log_strength", found.log_strengths[i])
            .put("se", found.standard_errors[i])
            .put("elo_scale", points[i])
            .put("wins", wins[i].iter().sum::<f64>())
            .put("games", season.games.iter().filter(|game| game.first == i || game.second == i).count())
    });
    let entry = Entry::new()
        .put("games", season.games.len())
        .put("ties", season.games.iter().filter(|game| game.score == 0.5).count())
        .put("left_out", season.left_out)
        .put("negative_log_likelihood", found.negative_log_likelihood);
    Ok(Sheet::new(entry)
        .table("players", by_strength(rows.collect(), "log_strength"), &[])
        .hidden("names", &season.players)
        .hidden("win_probabilities", found.win_probabilities()))
}

/// `stats elo`
pub(super) fn ratings(args: &EloArgs) -> Found<Sheet> {
    let season = Season::read(&args.games)?;
    let found = elo(&season.games, season.players.len(), args.k, args.initial)?;
    let rows =
        season.players.iter().zip(&found).map(|(player, rating)| Entry::new().put("player", player).put("elo", rating));
    let entry = Entry::new()
        .put("games", season.games.len())
        .put("left_out", season.left_out)
        .put("k", args.k)
        .put("initial", args.initial)
        .put("warning", "depends on the order of the games; bradley-terry does not");
    Ok(Sheet::new(entry).table("players", by_strength(rows.collect(), "elo"), &[]))
}

/// `stats win-rate`
pub(super) fn wins(args: &WinRateArgs, alpha: Alpha) -> Found<Sheet> {
    let [wins, losses, ties] = match numbers_or_file(&args.input)? {
        Input::Numbers(numbers) => counts(&numbers, ["WINS", "LOSSES", "TIES"])?,
        Input::File(path) => {
            let rows = Rows::read(&path, &[(flag(args.result.as_ref(), "result")?, Want::Number)])?;
            let (lost, tied) = if args.signed { (-1.0, 0.0) } else { (0.0, 0.5) };
            let mut tally = [0; 3];
            for value in rows.values(0, &rows.complete(&[0])) {
                let place = [1.0, lost, tied].iter().position(|&known| known == value);
                match place {
                    Some(place) => tally[place] += 1,
                    None => return usage(format!("a result is {value}; expected 1, {lost} or {tied}")),
                }
            }
            tally
        }
    };
    let found = win_rate(wins, losses, ties, alpha)?;
    let entry = Entry::new()
        .fields(found)
        .put("wins", wins)
        .put("losses", losses)
        .put("ties", ties)
        .put("n", wins + losses + ties);
    Ok(Sheet::new(entry).confidence(alpha))
}
