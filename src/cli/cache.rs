//! `evalgauge cache`: what is kept, whether it is whole, what can go, and how it gets elsewhere.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::args::OutputFormat;
use super::failure::Failure;
use super::output::Output;
use crate::gate::Exit;
use crate::provider::cache::{
    Broken, CacheError, Collected, Kept, Merged, Stat, Verified, collect, default_place, export, import, merge, stat,
    verify,
};
use crate::report::escape_control;

/// Findings of one kind that are listed; the rest is counted.
const LISTED: usize = 20;

const STORE_HELP: &str =
    "The store [default: answers.sqlite in EVALGAUGE_CACHE_DIR, else in evalgauge/ in the user's folder for caches]";

#[derive(Debug, Args)]
pub(super) struct CacheArgs {
    #[arg(long, global = true, value_name = "FILE", help = STORE_HELP)]
    store: Option<PathBuf>,
    #[command(subcommand)]
    verb: CacheVerb,
}

#[derive(Debug, Subcommand)]
enum CacheVerb {
    /// Count what is kept, by provider and model
    Stat,
    /// Check every entry and the file around them; exit 2 when something is broken
    Verify {
        /// Remove what is broken; it will be asked again
        #[arg(long)]
        repair: bool,
    },
    /// Remove what is old, unused, or too much
    Gc(GcArgs),
    /// Write all entries as compressed JSON lines, sorted: the same entries, the same bytes
    Export {
        /// The file to write, usually NAME.jsonl.zst
        file: PathBuf,
    },
    /// Take over the entries of an export
    Import {
        /// The file to read, JSON lines, compressed or not
        file: PathBuf,
    },
    /// Take over the entries of other stores and exports; of two answers to one question the older one stays
    Merge {
        /// Stores and exports
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true, id = "what", args = ["older_than", "unused", "max_size"])]
struct GcArgs {
    /// Answers that were made longer ago than this, like 90d
    #[arg(long, value_name = "AGE", value_parser = age)]
    older_than: Option<i64>,
    /// Answers that were last used longer ago than this (noted once a day), like 30d
    #[arg(long, value_name = "AGE", value_parser = age)]
    unused: Option<i64>,
    /// The answers that were used longest ago, until the rest fits, like 1GB
    #[arg(long, value_name = "SIZE", value_parser = size)]
    max_size: Option<u64>,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
}

/// A number and the factor of its unit.
fn number_with(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = units.iter().find(|(name, _)| *name == unit.trim()).map(|(_, factor)| *factor)?;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// Milliseconds.
fn age(text: &str) -> Result<i64, String> {
    const HOUR: u64 = 3_600_000;
    number_with(text, &[("h", HOUR), ("d", 24 * HOUR), ("w", 168 * HOUR)])
        .and_then(|age| i64::try_from(age).ok())
        .ok_or_else(|| "expected a number of hours, days or weeks, like 12h, 90d, 4w".to_owned())
}

/// Bytes.
fn size(text: &str) -> Result<u64, String> {
    let units = [
        ("", 1),
        ("B", 1),
        ("kB", 1000),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
    ];
    number_with(text, &units).ok_or_else(|| "expected a number of bytes, like 500MB, 1GB, 2GiB".to_owned())
}

pub(super) fn run(args: &CacheArgs, output: &Output) -> Result<Exit, Failure> {
    let store = args.store.clone().or_else(default_place).ok_or_else(|| {
        Failure::input("the environment names no folder for caches".to_owned())
            .hint("name the store with --store, or set EVALGAUGE_CACHE_DIR")
    })?;
    output.detail(|| format!("the cache is {}", store.display()));
    let shown = store.display().to_string();
    match &args.verb {
        CacheVerb::Stat => {
            let stat = match stat(&store) {
                // Before the first run this is the answer, not a mistake.
                Err(CacheError::Absent { .. }) => Stat::default(),
                other => other?,
            };
            print(output, "evalgauge.cache_stat/1", &shown, &stat, || stat_text(&shown, &stat))?;
            Ok(Exit::Pass)
        }
        CacheVerb::Verify { repair } => {
            let verified = verify(&store, *repair)?;
            print(output, "evalgauge.cache_verify/1", &shown, &verified, || verify_text(&shown, &verified))?;
            Ok(sound(verified.is_sound()))
        }
        CacheVerb::Gc(gc) => {
            let collected = collect(&store, gc.older_than, gc.unused, gc.max_size, gc.dry_run)?;
            let text = || gc_text(&collected, gc.dry_run);
            print(output, "evalgauge.cache_gc/1", &shown, &collected, text)?;
            Ok(Exit::Pass)
        }
        CacheVerb::Export { file } => {
            let exported = export(&store, file)?;
            let text = || {
                let what = format!("exported {} entries to {}\n", exported.entries, file.display());
                what + &broken_text("left out", &exported.broken)
            };
            print(output, "evalgauge.cache_export/1", &shown, &exported, text)?;
            Ok(sound(exported.broken.is_empty()))
        }
        CacheVerb::Import { file } => taken_over(output, &shown, &import(&store, file)?),
        CacheVerb::Merge { files } => taken_over(output, &shown, &merge(&store, files)?),
    }
}

const fn sound(sound: bool) -> Exit {
    if sound { Exit::Pass } else { Exit::Input }
}

/// A result as JSON, with what it is and where the store is.
#[derive(Serialize)]
struct Object<'a, T> {
    schema: &'static str,
    store: &'a str,
    #[serde(flatten)]
    what: &'a T,
}

fn print<T: Serialize>(
    output: &Output,
    schema: &'static str,
    store: &str,
    what: &T,
    text: impl FnOnce() -> String,
) -> Result<(), Failure> {
    match output.format() {
        OutputFormat::Json => output.json(&Object { schema, store, what }),
        OutputFormat::Text | OutputFormat::Md => output.result(&text()),
    }
}

fn taken_over(output: &Output, store: &str, merged: &Merged) -> Result<Exit, Failure> {
    print(output, "evalgauge.cache_merge/1", store, merged, || merge_text(merged))?;
    Ok(sound(merged.broken.is_empty()))
}

/// A day, from milliseconds since 1970.
fn day(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| "?".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

/// A size with three digits.
fn bytes(count: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = "B";
    for larger in units {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    if unit == "B" || value >= 99.95 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

fn stat_text(store: &str, stat: &Stat) -> String {
    let mut text = format!(
        "{store}\n{} entries, {} of values, {} of files\n",
        stat.entries,
        bytes(stat.bytes),
        bytes(stat.file_bytes)
    );
    for Kept { kind, model, entries, bytes: size, oldest, newest, .. } in &stat.models {
        let name = if model.is_empty() { kind.clone() } else { format!("{kind} {model}") };
        text.push_str(&format!(
            "  {:<40} {entries:>9}  {:>8}  {} to {}\n",
            escape_control(&name, 60),
            bytes(*size),
            day(*oldest),
            day(*newest)
        ));
    }
    text
}

fn verify_text(store: &str, verified: &Verified) -> String {
    let state = match (verified.broken.is_empty() && verified.file.is_empty(), verified.repaired) {
        (true, _) => "all whole",
        (false, true) => "repaired: what was broken is gone and will be asked again",
        (false, false) => "not sound",
    };
    let mut text = format!("{store}: {} entries, {} broken, {state}\n", verified.entries, verified.broken.len());
    text.push_str(&broken_text("broken", &verified.broken));
    for line in &verified.file {
        text.push_str(&format!("  the file: {}\n", escape_control(line, 200)));
    }
    text
}

fn broken_text(what: &str, broken: &[Broken]) -> String {
    let mut text = String::new();
    for Broken { key, reason } in broken.iter().take(LISTED) {
        text.push_str(&format!("  {what} {key}: {}\n", escape_control(reason, 200)));
    }
    text + &rest(broken.len())
}

fn rest(count: usize) -> String {
    if count > LISTED { format!("  and {} more\n", count - LISTED) } else { String::new() }
}

fn gc_text(collected: &Collected, dry_run: bool) -> String {
    let Collected { removed, removed_bytes, left, compacted } = collected;
    let verb = if dry_run { "would remove" } else { "removed" };
    let file = if *removed > 0 && !dry_run && !compacted {
        "; the file keeps its size, as it is in use: its room is used again"
    } else {
        ""
    };
    format!("{verb} {removed} entries ({}), {left} left{file}\n", bytes(*removed_bytes))
}

fn merge_text(merged: &Merged) -> String {
    let Merged { added, same, mended, conflicts, broken } = merged;
    let mut text = format!(
        "{added} added, {same} there already, {mended} mended, {} with another answer, {} broken\n",
        conflicts.len(),
        broken.len()
    );
    for conflict in conflicts.iter().take(LISTED) {
        text.push_str(&format!(
            "  another answer {}: kept the older, of {}; dropped that of {}\n",
            conflict.key,
            day(conflict.kept),
            day(conflict.dropped)
        ));
    }
    text.push_str(&rest(conflicts.len()));
    text + &broken_text("not taken over", broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_sizes() {
        assert_eq!(age("90d"), Ok(90 * 86_400_000));
        assert_eq!(age("12h"), Ok(43_200_000));
        assert_eq!(size("1GB"), Ok(1_000_000_000));
        assert_eq!(size("2 KiB"), Ok(2048));
        assert_eq!(size("77"), Ok(77));
        for bad in ["", "d", "-1d", "1.5d", "90", "9999999999999999999d", "30000000000000w"] {
            assert!(age(bad).is_err(), "{bad}");
        }
        assert!(size("1TB2").is_err());
    }

    #[test]
    fn sizes_are_shown_with_few_digits() {
        let shown: Vec<String> = [0, 999, 1000, 12_345, 999_949_999, 5_000_000_000].map(bytes).into();
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "12.3 kB", "1.0 GB", "5.0 GB"]);
    }
}
