//! `evalgauge evalset show`: what a set holds.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::args::ShowArgs;
use crate::cli::args::{Global, OutputFormat};
use crate::cli::failure::Failure;
use crate::cli::gate::as_of;
use crate::cli::output::Output;
use crate::compare::slice_name;
use crate::config::Project;
use crate::evalset::{Counts, LENGTH, Profile, Quota, Twice, Version, Wanted};
use crate::gate::Exit;
use crate::record::history;
use crate::report::escape_control;

/// Characters of a label that are shown.
const SHOWN: usize = 60;
/// Values of a label, sources and pairs that are shown; JSON has more.
const MOST: usize = 20;

#[derive(Serialize)]
struct Shown<'a> {
    schema: &'static str,
    name: &'a str,
    version: &'a Version,
    with_expected: usize,
    groups: usize,
    labels: BTreeMap<&'a str, &'a Counts>,
    /// Examples by the length of their input in characters.
    length: &'a Counts,
    /// By key: how many examples lack it.
    labels_missing: BTreeMap<&'a str, usize>,
    unlabelled: usize,
    crossings: BTreeMap<String, usize>,
    quotas: Vec<QuotaShown<'a>>,
    provenance: BTreeMap<&'a str, usize>,
    without_provenance: usize,
    annotated: Annotated,
    duplicates: TwiceShown<'a>,
    near_duplicates: TwiceShown<'a>,
    near: f64,
    looks: Looks,
}

#[derive(Serialize)]
struct QuotaShown<'a> {
    slice: &'a str,
    quota: Quota,
    wanted: usize,
    found: usize,
    met: bool,
}

#[derive(Serialize)]
struct Annotated {
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<String>,
    /// Age in days of the example in the middle.
    #[serde(skip_serializing_if = "Option::is_none")]
    median_days: Option<i64>,
    without: usize,
    unreadable: usize,
}

#[derive(Serialize)]
struct TwiceShown<'a> {
    pairs: usize,
    /// More pairs looked alike than were looked at.
    at_least: bool,
    named: Vec<PairShown<'a>>,
}

#[derive(Serialize)]
struct PairShown<'a> {
    first: &'a str,
    second: &'a str,
    share: f64,
}

/// How often decisions were made on this version.
#[derive(Serialize, Default)]
struct Looks {
    checks: usize,
    candidates: usize,
    records: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
}

pub(super) fn run(args: &ShowArgs, project: &Project, global: &Global, output: &Output) -> Result<Exit, Failure> {
    let (folder, version) = project.evalset_version(args.name.as_deref().or(global.evalset.as_deref()))?;
    let wanted = Wanted { crossings: &project.config.slices.crossings, near: args.near };
    let profile = Profile::of(&folder, &version, &wanted)?;
    let looks = looks(project, &version)?;
    let shown = shown(&folder.description().name, &version, &profile, (args.near, looks), &as_of(global));
    match output.format() {
        OutputFormat::Json => output.json(&shown)?,
        OutputFormat::Text | OutputFormat::Md => output.result(&text(&shown))?,
    }
    Ok(Exit::Pass)
}

fn looks(project: &Project, version: &Version) -> Result<Looks, Failure> {
    let lines = history(project.store().path())?;
    let lines: Vec<_> = lines.iter().filter(|line| line.dataset_sha256 == version.sha256).collect();
    Ok(Looks {
        checks: lines.len(),
        candidates: lines.iter().map(|line| &line.candidate).collect::<BTreeSet<_>>().len(),
        records: lines.iter().map(|line| &line.record_sha256).collect::<BTreeSet<_>>().len(),
        last: lines.last().map(|line| line.at.clone()),
    })
}

fn shown<'a>(
    name: &'a str,
    version: &'a Version,
    profile: &'a Profile,
    (near, looks): (f64, Looks),
    as_of: &str,
) -> Shown<'a> {
    static NONE: Counts = Counts::new();
    let missing = profile.with_key.iter().map(|(key, with)| (key.as_str(), profile.examples - with));
    let crossing = |keys: &[String], values: &[String]| {
        slice_name(keys.iter().zip(values).map(|(key, value)| (key.as_str(), value.as_str())))
    };
    let cells =
        profile.crossings.iter().flat_map(|crossing| crossing.counts.iter().map(move |cell| (&crossing.keys, cell)));
    let (own, automatic): (Vec<_>, Vec<_>) = profile.labels.iter().partition(|(key, _)| *key != LENGTH);
    let sources = profile.provenance.iter().map(|(source, count)| (source.as_str(), *count));
    Shown {
        schema: "evalgauge.evalset/1",
        name,
        version,
        with_expected: profile.with_expected,
        groups: profile.groups,
        labels: own.into_iter().map(|(key, counts)| (key.as_str(), counts)).collect(),
        length: automatic.first().map_or(&NONE, |(_, counts)| *counts),
        labels_missing: missing.filter(|(_, missing)| *missing > 0).collect(),
        unlabelled: profile.unlabelled,
        crossings: cells.map(|(keys, (values, count))| (crossing(keys, values), *count)).collect(),
        quotas: profile
            .quotas
            .iter()
            .map(|state| QuotaShown {
                slice: &state.slice,
                quota: state.quota,
                wanted: state.wanted,
                found: state.found,
                met: state.found >= state.wanted,
            })
            .collect(),
        provenance: sources.clone().filter(|(source, _)| !source.is_empty()).collect(),
        without_provenance: sources.filter(|(source, _)| source.is_empty()).map(|(_, count)| count).sum(),
        annotated: annotated(profile, as_of),
        duplicates: twice(&profile.duplicates),
        near_duplicates: twice(&profile.near),
        near,
        looks,
    }
}

fn annotated(profile: &Profile, as_of: &str) -> Annotated {
    let annotated = &profile.annotated;
    let all: usize = annotated.days.values().sum();
    let mut before = 0;
    let middle = annotated.days.iter().find(|(_, count)| {
        before += **count;
        2 * before >= all
    });
    let age = |day: &jiff::civil::Date| {
        let today: jiff::civil::Date = as_of.parse().ok()?;
        Some(i64::from(day.until(today).ok()?.get_days()))
    };
    Annotated {
        oldest: annotated.days.keys().next().map(ToString::to_string),
        newest: annotated.days.keys().next_back().map(ToString::to_string),
        median_days: middle.and_then(|(day, _)| age(day)),
        without: annotated.without,
        unreadable: annotated.unreadable,
    }
}

fn twice(twice: &Twice) -> TwiceShown<'_> {
    let pair = |pair: &'_ crate::evalset::Pair| (pair.share * 1e4).round() / 1e4;
    TwiceShown {
        pairs: twice.pairs,
        at_least: twice.cut,
        named: twice
            .named
            .iter()
            .map(|named| PairShown { first: &named.first, second: &named.second, share: pair(named) })
            .collect(),
    }
}

fn text(set: &Shown<'_>) -> String {
    let version = set.version;
    let mut text = format!(
        "{}@{} of {}: {} examples ({} with `expected`), {} groups\n{}  sha256 {}\n",
        set.name,
        version.tag,
        version.date,
        version.examples,
        set.with_expected,
        set.groups,
        version.file,
        version.sha256
    );
    let mut line = |name: &str, what: &str| text.push_str(&format!("  {:<14} {what}\n", escape_control(name, SHOWN)));
    for (key, counts) in &set.labels {
        let lacking = set.labels_missing.get(key).map_or_else(String::new, |count| format!("; {count} without"));
        line(key, &format!("{}{lacking}", most(counts.iter().map(|(value, count)| (value.as_str(), *count)))));
    }
    if set.unlabelled > 0 {
        line("without label", &set.unlabelled.to_string());
    }
    let by_length = ["0-99", "100-299", "300-999", "1000-2999", "3000-9999", "10000+"];
    let lengths = by_length.iter().filter_map(|name| Some(format!("{name} {}", set.length.get(*name)?)));
    line(LENGTH, &format!("{} characters", lengths.collect::<Vec<_>>().join(", ")));
    if !set.crossings.is_empty() {
        line("crossings", &most(set.crossings.iter().map(|(name, count)| (name.as_str(), *count))));
    }
    for quota in &set.quotas {
        let state = if quota.met { "met" } else { "NOT MET" };
        line("quota", &format!("{}: {} of {} {state}", escape_control(quota.slice, SHOWN), quota.found, quota.wanted));
    }
    if !set.provenance.is_empty() || set.without_provenance > 0 {
        let none = (set.without_provenance > 0).then_some(("(not said)", set.without_provenance));
        line("source", &most(set.provenance.iter().map(|(source, count)| (*source, *count)).chain(none)));
    }
    line("annotated", &age(&set.annotated));
    line("duplicates", &pairs("have equal inputs", &set.duplicates));
    let near = format!("share {} of their five-word runs or more", set.near);
    line("near", &pairs(&near, &set.near_duplicates));
    let looks = &set.looks;
    let last = looks.last.as_ref().map_or_else(String::new, |last| {
        format!(" of {} candidates, {} different records, the last at {last}", looks.candidates, looks.records)
    });
    line("looked at", &format!("{} checks{last}", looks.checks));
    text
}

/// The most frequent of some names, with their counts.
fn most<'n>(counts: impl Iterator<Item = (&'n str, usize)>) -> String {
    let mut counts: Vec<_> = counts.collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let more = counts.len().saturating_sub(MOST);
    let mut shown: Vec<String> =
        counts.iter().take(MOST).map(|(name, count)| format!("{} {count}", escape_control(name, SHOWN))).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

fn age(annotated: &Annotated) -> String {
    let mut parts = Vec::new();
    if let (Some(oldest), Some(newest), Some(days)) = (&annotated.oldest, &annotated.newest, annotated.median_days) {
        parts.push(format!("{oldest} to {newest}, median age {days} days"));
    }
    if annotated.without > 0 {
        parts.push(format!("{} do not say when", annotated.without));
    }
    if annotated.unreadable > 0 {
        parts.push(format!("{} with no date in `annotated_at`", annotated.unreadable));
    }
    parts.join("; ")
}

fn pairs(what: &str, twice: &TwiceShown<'_>) -> String {
    let least = if twice.at_least { "at least " } else { "" };
    let mut text = match twice.pairs {
        0 if twice.at_least => format!("no pairs that {what} among those looked at; there are more that look alike"),
        0 => format!("no pairs that {what}"),
        1 => format!("{least}1 pair, {what}"),
        count => format!("{least}{count} pairs, {what}"),
    };
    for pair in twice.named.iter().take(MOST) {
        let [first, second] = [pair.first, pair.second].map(|id| escape_control(id, SHOWN));
        text.push_str(&format!("\n                 {first} and {second}, {:.2}", pair.share));
    }
    let more = twice.named.len().saturating_sub(MOST);
    if more > 0 {
        text.push_str("\n                 and more; --format json names up to 100");
    }
    text
}
