//! What to simulate, how often, and how numbers are printed.

use std::path::PathBuf;

use evalgauge::stats::rng::{Stream, stream};
use rayon::prelude::*;

use crate::decision::Outcome;
use crate::program::Decider;
use crate::world::{Case, World};

/// The seed of every table.
pub const SEED: u64 = 20_260_101;

/// What was asked for on the command line.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Few simulations of everything.
    pub quick: bool,
    /// Only rows whose name contains this.
    pub row: Option<String>,
    /// This many simulations of each row.
    pub sims: Option<usize>,
    /// The table of the design, through the command line, and nothing else.
    pub through_program: bool,
    /// Another build of the program than the one of this profile.
    pub program: Option<PathBuf>,
    /// Who decides there.
    pub decider: Option<Decider>,
}

impl Settings {
    /// Reads the arguments; a sentence for one that is not known.
    ///
    /// `cargo bench` passes `--bench`. Without it (`cargo test --benches`) the run is a quick one.
    pub fn of_arguments(arguments: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut settings = Self::default();
        let mut bench = false;
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => bench = true,
                "--quick" => settings.quick = true,
                "--row" => settings.row = Some(arguments.next().ok_or("--row needs a name")?),
                "--sims" => {
                    let number = arguments.next().and_then(|number| number.parse().ok()).filter(|&number| number > 0);
                    settings.sims = Some(number.ok_or("--sims needs a number above 0")?);
                }
                "--through-program" => settings.through_program = true,
                "--program" => settings.program = Some(arguments.next().ok_or("--program needs a file")?.into()),
                "--plant" => {
                    let name = arguments.next().unwrap_or_default();
                    let planted = Decider::PLANTED.into_iter().find(|planted| planted.name() == name);
                    settings.decider = Some(planted.ok_or_else(|| {
                        let names = Decider::PLANTED.map(Decider::name).join(", ");
                        format!("--plant needs one of {names}")
                    })?);
                    settings.through_program = true;
                }
                other => {
                    return Err(format!(
                        "{other} is not known; expected --quick, --row NAME, --sims N, --through-program, --plant NAME \
                         or --program FILE"
                    ));
                }
            }
        }
        settings.quick |= !bench;
        Ok(settings)
    }

    pub fn wants(&self, row: &str) -> bool {
        self.row.as_ref().is_none_or(|wanted| row.contains(wanted.as_str()))
    }

    /// How many simulations a row gets that has `full` in a full run.
    pub fn sims(&self, full: usize) -> usize {
        self.sims.unwrap_or(if self.quick { full.min(10) } else { full })
    }

    /// The same through the command line, where a simulation takes a process or two.
    pub fn through(&self, full: usize, quick: usize) -> usize {
        self.sims.unwrap_or(if self.quick { quick } else { full })
    }

    /// The outcomes of a row; `None` when it is not wanted.
    pub fn simulate(&self, row: &str, case: &Case, full: usize) -> Option<Vec<Outcome>> {
        self.wants(row).then(|| {
            each(row, self.sims(full), |rng| {
                let world = World::draw(case, rng);
                let (baseline, head) = (world.baseline(rng), world.head(rng));
                Outcome::of(case, &baseline, &head)
            })
        })
    }
}

/// `one` a simulation, in parallel, each with a stream of its own that depends on the row's name and its number.
pub fn each<T: Send>(row: &str, sims: usize, one: impl Fn(&mut Stream) -> T + Sync) -> Vec<T> {
    let seed = seed_of(row);
    (0..sims as u64).into_par_iter().map(|simulation| one(&mut stream(seed, simulation))).collect()
}

/// FNV-1a of the name, so that a row gives the same numbers alone and among others.
pub fn seed_of(row: &str) -> u64 {
    row.bytes()
        .fold(SEED ^ 0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3))
}

/// A share of simulations, with its standard error.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    pub share: f64,
    pub sims: usize,
}

impl Rate {
    pub fn of<T>(outcomes: &[T], is: impl Fn(&T) -> bool) -> Self {
        let hits = outcomes.iter().filter(|outcome| is(outcome)).count();
        Self { share: hits as f64 / outcomes.len().max(1) as f64, sims: outcomes.len() }
    }

    /// The binomial standard error; where all simulations agree, that of half a hit.
    pub fn error(self) -> f64 {
        let n = self.sims as f64;
        let share = self.share.clamp(0.5 / n, 1.0 - 0.5 / n);
        (share * (1.0 - share) / n).sqrt()
    }

    /// `4.6 ± 0.7`, in per cent.
    pub fn with_error(self) -> String {
        format!("{:.1} ± {:.1}", 100.0 * self.share, 100.0 * self.error())
    }

    /// `4.6`, in per cent.
    pub fn percent(self) -> String {
        format!("{:.1}", 100.0 * self.share)
    }

    /// Whether the share is above `limit` by more than simulation error: three standard errors at the limit.
    pub fn exceeds(self, limit: f64) -> bool {
        self.share > limit + 3.0 * (limit * (1.0 - limit) / self.sims as f64).sqrt()
    }
}

/// A Markdown table that is printed when it has rows.
pub struct Table {
    title: String,
    text: Vec<String>,
    heads: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(title: impl Into<String>, heads: &[&'static str]) -> Self {
        Self { title: title.into(), text: Vec::new(), heads: heads.to_vec(), rows: Vec::new() }
    }

    /// A sentence under the title.
    pub fn say(mut self, sentence: impl Into<String>) -> Self {
        self.text.push(sentence.into());
        self
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub fn markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = &str>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
        let mut text = format!("### {}\n\n", self.title);
        for sentence in &self.text {
            text += &format!("{sentence}\n\n");
        }
        text += &line(&mut self.heads.iter().copied());
        text += &line(&mut self.heads.iter().enumerate().map(|(at, _)| if at == 0 { "---" } else { "--:" }));
        for row in &self.rows {
            text += &line(&mut row.iter().map(String::as_str));
        }
        text
    }
}
