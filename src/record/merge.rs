//! Shards → one record: the same bytes as if nothing had been divided.

use std::collections::{BTreeMap, BTreeSet};

use super::canonical::record_sha256;
use super::error::RecordError;
use super::manifest::{Asked, Made, Manifest, State};
use super::sample::RunRecord;

/// Missing shards that a message names.
const MOST_NAMED: usize = 10;

/// A shard and where it was read from.
#[derive(Debug)]
pub struct Part {
    /// Its folder, as messages name it.
    pub source: String,
    /// The record.
    pub record: RunRecord,
}

/// One record of all shards of a run, as the run `run_id`.
///
/// # Errors
/// Records that are no shards, shards of different runs (and in what they differ), one that is there twice, or is not there.
pub fn merge(parts: Vec<Part>, run_id: &str, tool: &str) -> Result<RunRecord, RecordError> {
    let Some(first) = parts.first() else { return Err(RecordError::Shards("there is no shard".to_owned())) };
    let mut places: BTreeMap<u32, &str> = BTreeMap::new();
    let mut count = 0;
    for part in &parts {
        let asked = &part.record.manifest.asked;
        let Some(shard) = &asked.shard else {
            return Err(RecordError::Shards(format!("{} is a whole record, not a shard", part.source)));
        };
        if let Some(difference) = difference(&first.record.manifest.asked, asked) {
            let what = format!("{} and {} are not parts of one run: {difference}", first.source, part.source);
            return Err(RecordError::Shards(what));
        }
        count = shard.count;
        if let Some(twice) = places.insert(shard.index, &part.source) {
            return Err(RecordError::Shards(format!(
                "shard {}/{count} is there twice: {twice} and {}",
                shard.index, part.source
            )));
        }
    }
    let lacking: Vec<u32> = (1..=count).filter(|index| !places.contains_key(index)).take(MOST_NAMED).collect();
    if !lacking.is_empty() {
        let named: Vec<String> = lacking.iter().map(|index| format!("{index}/{count}")).collect();
        let more = if lacking.len() == MOST_NAMED { " …" } else { "" };
        return Err(RecordError::MissingShards { missing: named.join(", ") + more });
    }
    let mut asked = first.record.manifest.asked.clone();
    let whole = asked.shard.take().map_or(0, |shard| shard.examples);
    asked.dataset.examples = whole;
    join(parts, asked, run_id, tool)
}

/// In what two shards' questions differ; their shares of the examples may.
fn difference(one: &Asked, other: &Asked) -> Option<String> {
    let set = |asked: &Asked| format!("{}@{}", asked.dataset.evalset, asked.dataset.tag);
    if (&one.dataset.evalset, &one.dataset.sha256) != (&other.dataset.evalset, &other.dataset.sha256) {
        return Some(format!("the pins are {} and {}", set(one), set(other)));
    }
    if one.candidate != other.candidate {
        return Some(if one.candidate.name == other.candidate.name {
            format!("the candidate `{}` is not the same in both", one.candidate.name)
        } else {
            format!("the candidates are `{}` and `{}`", one.candidate.name, other.candidate.name)
        });
    }
    if one.scorers != other.scorers {
        return Some("the scorers differ".to_owned());
    }
    if one.trials != other.trials {
        return Some(format!("they have {} and {} trials", one.trials, other.trials));
    }
    if one.seed != other.seed {
        return Some(format!("the seeds are {} and {}", one.seed, other.seed));
    }
    if one.against != other.against {
        return Some("they were judged against different records".to_owned());
    }
    let (a, b) = (one.shard.as_ref()?, other.shard.as_ref()?);
    if a.count != b.count {
        return Some(format!("one is of {} shards, the other of {}", a.count, b.count));
    }
    (a.selection_sha256 != b.selection_sha256 || a.examples != b.examples)
        .then(|| "other examples were chosen".to_owned())
}

fn join(parts: Vec<Part>, asked: Asked, run_id: &str, tool: &str) -> Result<RunRecord, RecordError> {
    let mut made = Made {
        run_id: run_id.to_owned(),
        tool: tool.to_owned(),
        git_revision: None,
        git_dirty: None,
        started: String::new(),
        finished: String::new(),
        state: State::Complete,
        warnings: Vec::new(),
        merged_from: Vec::new(),
    };
    let revisions: BTreeSet<_> = parts.iter().map(|part| part.record.manifest.made.git_revision.clone()).collect();
    if revisions.len() == 1 {
        made.git_revision = revisions.into_iter().next().flatten();
        made.git_dirty = parts.iter().filter_map(|part| part.record.manifest.made.git_dirty).max();
    }
    // Times are UTC in one form, so their texts are in the order of time.
    let times = |get: fn(&Made) -> &String| parts.iter().map(move |part| get(&part.record.manifest.made));
    made.started = times(|made| &made.started).min().cloned().unwrap_or_default();
    made.finished = times(|made| &made.finished).max().cloned().unwrap_or_default();
    let mut samples = Vec::new();
    for part in parts {
        let of_part = part.record.manifest.made;
        made.merged_from.push(of_part.run_id);
        for warning in of_part.warnings {
            if !made.warnings.contains(&warning) {
                made.warnings.push(warning);
            }
        }
        samples.extend(part.record.samples);
    }
    made.merged_from.sort();
    samples.sort_by(|a, b| a.id.as_bytes().cmp(b.id.as_bytes()).then(a.trial.cmp(&b.trial)));
    let planned = asked.dataset.examples * asked.trials as usize;
    let twice = samples.windows(2).find(|pair| pair[0].id == pair[1].id && pair[0].trial == pair[1].trial);
    if let Some(pair) = twice {
        return Err(RecordError::Shards(format!("example `{}` is in two shards", pair[0].id)));
    }
    if samples.len() != planned {
        let what = format!("the shards have {} answers, the whole has {planned}", samples.len());
        return Err(RecordError::Shards(what));
    }
    let digest = record_sha256(&asked, &samples).map_err(RecordError::broken(run_id))?;
    Ok(RunRecord {
        manifest: Manifest { schema: Manifest::SCHEMA.to_owned(), record_sha256: digest, asked, made },
        samples,
    })
}
