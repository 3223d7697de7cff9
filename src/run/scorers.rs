//! What scorers need from outside: the JSON files that they name, and one another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::error::RunError;
use crate::record::ScorerId;
use crate::score::{Combined, ScorerSpec, SpecError, combine};
use crate::table::sha256_hex;

/// Reads the files that scorers name; `root` is the project's folder.
pub(super) fn files(root: &Path, scorers: &BTreeMap<String, ScorerSpec>) -> Result<BTreeMap<PathBuf, Json>, RunError> {
    let mut files = BTreeMap::new();
    for (name, spec) in scorers {
        for file in spec.files() {
            let unusable = |error: String| RunError::Scorer {
                name: name.clone(),
                source: SpecError::new(format!("{}: {error}", file.display())),
            };
            let text = std::fs::read_to_string(root.join(file)).map_err(|error| unusable(error.to_string()))?;
            let json = serde_json::from_str(&text).map_err(|error| unusable(format!("not JSON: {error}")))?;
            files.insert(file.to_owned(), json);
        }
    }
    Ok(files)
}

/// The digest of a scorer's settings, and of the files that they name: by what the files say, not how they are laid out.
pub(super) fn digest(spec: &ScorerSpec, files: &BTreeMap<PathBuf, Json>) -> String {
    let named: Vec<&Json> = spec.files().into_iter().filter_map(|file| files.get(file)).collect();
    if named.is_empty() {
        return spec.digest();
    }
    sha256_hex(serde_json::json!([spec.digest(), named]).to_string())
}

/// The combinations among the scorers; each gets its identity, which holds those of its members.
pub(super) fn combinations(
    scorers: &BTreeMap<String, ScorerSpec>,
    ids: &mut BTreeMap<String, ScorerId>,
) -> Result<Vec<Combined>, RunError> {
    let combined = combine(scorers).map_err(|(name, source)| RunError::Scorer { name, source })?;
    for combination in &combined {
        let Some(spec) = scorers.get(&combination.name) else { continue };
        let members: Vec<_> = combination
            .members()
            .map(|(member, weight)| (member, weight, ids.get(member).map(|id| id.digest.clone())))
            .collect();
        let id = ScorerId {
            kind: spec.kind().to_owned(),
            version: spec.version(),
            digest: sha256_hex(serde_json::json!([spec.digest(), members]).to_string()),
            scale: combination.scale(),
            judge: None,
        };
        ids.insert(combination.name.clone(), id);
    }
    Ok(combined)
}
