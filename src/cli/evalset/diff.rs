//! `evalgauge evalset diff`: what changed between two versions, and whether baselines still fit.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::args::DiffArgs;
use crate::cli::args::OutputFormat;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::run::shown;
use crate::config::Project;
use crate::evalset::{ChangedExample, Folder, Scanned, SetDiff, Version};
use crate::gate::Exit;
use crate::record::load;
use crate::report::escape_control;

/// Ids that the text names.
const MOST: usize = 20;
/// Characters of an id that are shown.
const SHOWN: usize = 60;

/// A tag or a file.
struct Side {
    name: String,
    path: PathBuf,
    version: Option<Version>,
}

#[derive(Serialize)]
struct Printed<'a> {
    schema: &'static str,
    name: &'a str,
    old: SideShown<'a>,
    new: SideShown<'a>,
    identical: bool,
    same: usize,
    added: Named<'a, String>,
    removed: Named<'a, String>,
    changed: Changed<'a>,
    baselines: &'a [Baseline],
}

#[derive(Serialize)]
struct SideShown<'a> {
    side: &'a str,
    sha256: &'a str,
    examples: usize,
}

#[derive(Serialize)]
struct Named<'a, T> {
    count: usize,
    ids: &'a [T],
}

#[derive(Serialize)]
struct Changed<'a> {
    count: usize,
    by_field: &'a BTreeMap<String, usize>,
    examples: Vec<ChangedShown<'a>>,
}

#[derive(Serialize)]
struct ChangedShown<'a> {
    id: &'a str,
    fields: &'a [String],
}

/// A blessed record of this set.
#[derive(Serialize)]
struct Baseline {
    candidate: String,
    tag: String,
    /// Whether runs on the new side can be compared with it.
    comparable: bool,
    /// What makes one that can.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
}

pub(super) fn run(args: &DiffArgs, project: &Project, output: &Output) -> Result<Exit, Failure> {
    let folder = Folder::open(&project.evalsets(), &args.name)?;
    let (old, new) = sides(args, &folder)?;
    let diff = SetDiff::of(&old.path, &new.path, &folder.description().fields)?;
    let (Some(before), Some(after)) = (&diff.old, &diff.new) else {
        return Err(Failure::machine("nothing was compared".to_owned()));
    };
    for (side, found) in [(&old, before), (&new, after)] {
        still_pinned(side, found)?;
    }
    let baselines = baselines(project, &args.name, &new, after)?;
    let printed = Printed {
        schema: "evalgauge.evalset-diff/1",
        name: &args.name,
        old: SideShown { side: &old.name, sha256: &before.sha256, examples: before.examples },
        new: SideShown { side: &new.name, sha256: &after.sha256, examples: after.examples },
        identical: before.sha256 == after.sha256,
        same: diff.same,
        added: Named { count: diff.added.0, ids: &diff.added.1 },
        removed: Named { count: diff.removed.0, ids: &diff.removed.1 },
        changed: Changed {
            count: diff.changed.0,
            by_field: &diff.by_field,
            examples: diff.changed.1.iter().map(|one| ChangedShown { id: &one.id, fields: &one.fields }).collect(),
        },
        baselines: &baselines,
    };
    match output.format() {
        OutputFormat::Json => output.json(&printed)?,
        OutputFormat::Text | OutputFormat::Md => output.result(&text(&printed, &diff))?,
    }
    Ok(Exit::Pass)
}

/// The two sides: what was typed, else the latest version and the one before.
fn sides(args: &DiffArgs, folder: &Folder) -> Result<(Side, Side), Failure> {
    let versions = &folder.description().versions;
    let new = match &args.new {
        Some(named) => side(folder, named)?,
        None => match versions.last() {
            Some(version) => side(folder, &version.tag)?,
            None => return Err(Failure::input(format!("eval set `{}` has no version", args.name))),
        },
    };
    let before = || {
        let at = versions.iter().position(|version| Some(version) == new.version.as_ref()).unwrap_or(versions.len());
        at.checked_sub(1).and_then(|before| versions.get(before)).map(|version| version.tag.clone())
    };
    let old = args.old.clone().or_else(before).ok_or_else(|| {
        Failure::input(format!("eval set `{}` has no version before `{}`", args.name, new.name))
            .hint("name the old side: a tag, or a file")
    })?;
    Ok((side(folder, &old)?, new))
}

fn side(folder: &Folder, named: &str) -> Result<Side, Failure> {
    let path = Path::new(named);
    match folder.version(Some(named)) {
        Ok(version) => Ok(Side { name: named.to_owned(), path: folder.file(version), version: Some(version.clone()) }),
        Err(_) if path.is_file() => Ok(Side { name: named.to_owned(), path: path.to_owned(), version: None }),
        Err(error) => Err(Failure::from(error).hint(format!("`{named}` is no file either"))),
    }
}

/// Refuses a pinned file that is no longer what was pinned.
fn still_pinned(side: &Side, found: &Scanned) -> Result<(), Failure> {
    match &side.version {
        Some(version) if version.sha256 != found.sha256 => Err(crate::evalset::EvalsetError::WrongSha {
            path: side.path.clone(),
            pinned: version.sha256.clone(),
            found: found.sha256.clone(),
        }
        .into()),
        _ => Ok(()),
    }
}

/// Every baseline of the set, and whether runs on the new side can be compared with it.
fn baselines(project: &Project, set: &str, new: &Side, found: &Scanned) -> Result<Vec<Baseline>, Failure> {
    let folder = project.store().path().join("baseline").join(set);
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join("manifest.json").is_file());
    folders.sort();
    let mut baselines = Vec::new();
    for folder in folders {
        let asked = load(&folder)?.manifest.asked;
        let comparable = asked.dataset.sha256 == found.sha256;
        let candidate = asked.candidate.name;
        let pinned = new.version.as_ref().map(|version| version.tag.as_str());
        let command = (!comparable).then(|| {
            let tag = pinned.unwrap_or("TAG");
            format!("evalgauge baseline rebase --candidate {candidate} --evalset {set}@{tag}")
        });
        baselines.push(Baseline { candidate, tag: asked.dataset.tag, comparable, command });
    }
    Ok(baselines)
}

fn text(printed: &Printed<'_>, diff: &SetDiff) -> String {
    let (old, new) = (&printed.old, &printed.new);
    let mut text = format!(
        "{}: {} ({} examples) to {} ({} examples)\n",
        printed.name,
        shown(Path::new(old.side)),
        old.examples,
        shown(Path::new(new.side)),
        new.examples
    );
    if diff.is_empty() {
        let why = if printed.identical { "the same bytes" } else { "other bytes, the same examples" };
        text.push_str(&format!("nothing differs: {why}\n"));
    } else {
        let fields: Vec<String> = printed
            .changed
            .by_field
            .iter()
            .map(|(field, count)| format!("{} {count}", escape_control(field, SHOWN)))
            .collect();
        let fields = if fields.is_empty() { String::new() } else { format!(" ({})", fields.join(", ")) };
        text.push_str(&format!("added    {}{}\n", diff.added.0, ids(diff.added.1.iter(), diff.added.0)));
        text.push_str(&format!("removed  {}{}\n", diff.removed.0, ids(diff.removed.1.iter(), diff.removed.0)));
        text.push_str(&format!("changed  {}{fields}\n", diff.changed.0));
        for ChangedExample { id, fields } in diff.changed.1.iter().take(MOST) {
            let fields: Vec<String> = fields.iter().map(|field| escape_control(field, SHOWN)).collect();
            text.push_str(&format!("         {}: {}\n", escape_control(id, SHOWN), fields.join(", ")));
        }
        if diff.changed.0 > MOST {
            text.push_str(&format!("         and {} more\n", diff.changed.0 - MOST));
        }
        text.push_str(&format!("same     {}\n", diff.same));
    }
    for baseline in printed.baselines {
        match &baseline.command {
            None => text.push_str(&format!("baseline {}: still comparable\n", baseline.candidate)),
            Some(command) => text.push_str(&format!(
                "baseline {} is on {}: not comparable with {}; {}`{command}`\n",
                baseline.candidate,
                baseline.tag,
                new.side,
                if command.ends_with("@TAG") { "pin it, then " } else { "" }
            )),
        }
    }
    text
}

/// The first ids in brackets.
fn ids<'i>(ids: impl Iterator<Item = &'i String>, all: usize) -> String {
    let mut shown: Vec<String> = ids.take(MOST).map(|id| escape_control(id, SHOWN)).collect();
    if shown.is_empty() {
        return String::new();
    }
    if all > MOST {
        shown.push(format!("and {} more", all - MOST));
    }
    format!("  {}", shown.join(", "))
}
