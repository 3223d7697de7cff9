//! What makes a judge the same judge: the names and digests to which a licence is bound.

use serde::{Deserialize, Serialize};

/// The identity of a judge, as a record keeps it beside the scores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JudgeId {
    /// Its name: the folder.
    pub name: String,
    /// How it grades: `grade`, `rubric`, `pairwise`, `panel`.
    pub kind: String,
    /// SHA-256 over its settings, its prompt and the engine: who else has the same judges alike.
    pub sha256: String,
    /// The model, or the kind of provider where it is no model; of a panel those of its members.
    pub model: String,
    /// SHA-256 over who answers and with which parameters.
    pub model_sha256: String,
    /// The family of the model, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// SHA-256 of the prompt template with the engine's version; of a panel over those of its members.
    pub prompt_sha256: String,
    /// The engine that renders prompts, with its version.
    pub engine: String,
    /// The dimension that is scored: one, or `*` for all.
    pub dimension: String,
}
