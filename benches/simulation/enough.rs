//! How much is enough to call a cell fine, and how often that is wrong.

use crate::settings::{Rate, Settings, Table};
use crate::world::{Case, Change, Difficulty, Groups, Place, Score, Slicing};

const SINGLE: Case = Case { slicing: Slicing::None, ..Case::STANDARD };

/// Undecided although nothing changed.
pub fn undecided(settings: &Settings) -> Table {
    let mut table = Table::new(
        "How much is enough",
        &["margin", "n = 50", "200", "500", "2,000", "simulations"],
    )
    .say("Cells that stay undecided although nothing changed, per cent; mixed difficulty; 1 / 3 / 5 trials. n is that of the cell.");
    for points in [5, 2] {
        let mut cells = vec![format!("{points} points")];
        let mut any = false;
        for n in [50, 200, 500, 2_000] {
            let shares: Vec<String> = [1, 3, 5]
                .into_iter()
                .map(|k| {
                    let case = Case { n, trials: (k, k), margin: Some(f64::from(points) / 100.0), ..SINGLE };
                    let outcomes = settings.simulate(&format!("enough/m{points}/n{n}/k{k}"), &case, 500);
                    outcomes.map_or_else(
                        || "–".to_owned(),
                        |outcomes| {
                            any = true;
                            let open = outcomes.iter().map(|outcome| outcome.open).sum::<f64>() / outcomes.len() as f64;
                            format!("{:.0}", 100.0 * open)
                        },
                    )
                })
                .collect();
            cells.push(shares.join(" / "));
        }
        cells.push(settings.sims(500).to_string());
        if any {
            table.row(cells);
        }
    }
    table
}

/// “Fine” where the truth is a fall by exactly the margin.
pub fn wrongly_fine(settings: &Settings) -> Table {
    let mut table = Table::new(
        "“Fine” at the margin",
        &["what", "trials", "n = 20", "30", "50", "80", "200", "500", "simulations"],
    )
    .say("The true fall is exactly the margin of 5 points; how often the cell is called fine, per cent: at most 5 where the bound holds.");
    let all = Change::Fall { place: Place::All, points: 0.05, rise: 0.0 };
    let breaks = Change::Break(0.05);
    let rows: [(&str, &str, Case); 7] = [
        ("mixed", "0/1, mixed flicker", Case { change: all, ..SINGLE }),
        (
            "homogeneous",
            "0/1, homogeneous flicker",
            Case { change: all, difficulty: Difficulty::Homogeneous, ..SINGLE },
        ),
        ("break", "0/1, deterministic, 5 in 100 break for good", Case { change: breaks, ..SINGLE }),
        (
            "groups",
            "0/1, mixed flicker, groups of 5",
            Case { change: all, groups: Some(Groups { size: 5, told: true }), ..SINGLE },
        ),
        ("graded", "graded 0 to 3, mixed flicker", Case { change: all, score: Score::Graded, ..SINGLE }),
        (
            "rare",
            "steady scores, one in ten loses 50 points",
            Case { score: Score::Steady, change: Change::Move { share: 0.1, by: -0.5, otherwise: 0.0 }, ..SINGLE },
        ),
        (
            "rare-gains",
            "steady scores, nine in ten lose 10 points, one in ten gains 40",
            Case { score: Score::Steady, change: Change::Move { share: 0.1, by: 0.4, otherwise: -0.1 }, ..SINGLE },
        ),
    ];
    for (name, what, case) in rows {
        for k in [1, 3, 5] {
            if case.score == Score::Steady && k > 1 {
                continue;
            }
            let mut cells = vec![what.to_owned(), k.to_string()];
            let mut any = false;
            for n in [20, 30, 50, 80, 200, 500] {
                let case = Case { n, trials: (k, k), margin: Some(0.05), ..case };
                let outcomes = settings.simulate(&format!("fine/{name}/n{n}/k{k}"), &case, 500);
                cells.push(outcomes.map_or_else(
                    || "–".to_owned(),
                    |outcomes| {
                        any = true;
                        let wrong = Rate::of(&outcomes, |outcome| outcome.fine);
                        format!("{}{}", wrong.percent(), if wrong.exceeds(0.05) { " **above**" } else { "" })
                    },
                ));
            }
            cells.push(settings.sims(500).to_string());
            if any {
                table.row(cells);
            }
        }
    }
    table
}
